//! What was seen against what the simulator shows: what came back during the step, and what is in the broker after it.

use super::super::compare::Difference;
use super::methods::written_properties;
use super::{Heard, Player, Step};
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use crate::rabbit::arguments::QueueType;
use crate::rabbit::broker::Broker;
use crate::rabbit::message::Message;
use crate::rabbit::protocol::{Closed, Delivery, Frame, Msg};
use crate::rabbit::queue::Queue;
use crate::rabbit::routing::Target;
use crate::rabbit::routing::exchange::predeclared;
use crate::rabbit::value::Decimal;
use serde_json::{Map, Value, json};

/// The keys that a recording shows only when they changed.
const KEPT: [&str; 3] = ["queues", "exchanges", "bindings"];

/// The keys that tell what came back.
const NEWS: [&str; 7] = [
    "reply",
    "deliveries",
    "returns",
    "confirms",
    "cancels",
    "closed",
    "order",
];

/// What a recording has shown before its first step.
pub fn nothing() -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("queues".into(), json!({}));
    shown.insert("exchanges".into(), json!([]));
    shown.insert("bindings".into(), json!([]));
    shown
}

/// What came back during a step.
#[derive(Default)]
struct News {
    reply: Option<Value>,
    deliveries: OrderedMap<String, Vec<Value>>,
    returns: OrderedMap<String, Vec<Value>>,
    /// Acks and nacks, by channel.
    confirms: OrderedMap<String, [OrderedSet<u64>; 2]>,
    cancels: OrderedSet<String>,
    closed: Vec<Value>,
    order: Vec<String>,
}

impl Player {
    /// The first difference of a step.
    pub(super) fn compare(&mut self, step: &Step) -> Option<Difference> {
        let mut news = News::default();
        for (conn, heard) in self.news() {
            self.hear(&mut news, &conn, heard);
        }
        let dropped = step.action.get("op").and_then(Value::as_str) == Some("drop_connection");
        if dropped {
            // The recorder itself cut it, and does not tell.
            news.closed.retain(|closed| closed.get("lost").is_none());
        }
        let found = news.shown(step.want_order);
        let none = Value::Null;
        for key in NEWS {
            let mut expected = step.see.get(key).cloned().unwrap_or(Value::Null);
            let mut found = found.get(key).unwrap_or(&none).clone();
            if key == "cancels" {
                sort_list(&mut expected);
            }
            if key == "closed" {
                let connections = |v: &Value| {
                    v.as_array()
                        .is_some_and(|all| all.iter().all(|c| c.get("conn").is_some()))
                };
                if connections(&expected) && connections(&found) {
                    sort_list(&mut expected);
                    sort_list(&mut found);
                }
            }
            if let Some(difference) = differ(key, &expected, &found) {
                return Some(difference);
            }
        }
        let state = self.broker().map(state).unwrap_or_default();
        for key in KEPT {
            if let Some(seen) = step.see.get(key) {
                self.shown.insert(key.into(), seen.clone());
            }
            let difference = differ(
                key,
                self.shown.get(key).unwrap_or(&none),
                state.get(key).unwrap_or(&none),
            );
            if difference.is_some() {
                return difference;
            }
        }
        None
    }

    /// A confirm; `multiple` is spelt out: it means all up to there that were not confirmed before.
    fn confirm(&mut self, news: &mut News, channel: &str, (number, multiple): (u64, bool), which: usize) {
        let known = self.confirmed.entry(channel.into()).or_default();
        let from = if multiple { 1 } else { number };
        for number in (from..=number).filter(|number| known.insert(*number)) {
            news.confirms.entry(channel.into()).or_default()[which].insert(number);
            news.order.push(format!("{channel} {} {number}", CONFIRMS[which]));
        }
    }

    fn hear(&mut self, news: &mut News, conn: &str, heard: Heard) {
        match heard {
            Heard::Lost => news.closed.push(json!({"conn": conn, "lost": true})),
            Heard::Message(Msg::ConnectionClosed(closed)) => {
                let mut entry = closing(&closed);
                entry.insert("conn".into(), conn.into());
                news.closed.push(Value::Object(entry));
            }
            Heard::Message(Msg::Frame(channel, frame)) => {
                let channel = format!("{conn}/{channel}");
                match frame {
                    Frame::Ack { number, multiple } => self.confirm(news, &channel, (number, multiple), 0),
                    Frame::Nack { number, multiple } => self.confirm(news, &channel, (number, multiple), 1),
                    other => news.frame(&channel, other),
                }
            }
            Heard::Message(_) => {}
        }
    }
}

/// The names of the two kinds of confirms.
const CONFIRMS: [&str; 2] = ["ack", "nack"];

impl News {
    fn frame(&mut self, channel: &str, frame: Frame) {
        match frame {
            Frame::DeclaredQueue {
                queue,
                messages,
                consumers,
            } => {
                self.reply = Some(json!({"queue": &*queue, "messages": messages, "consumers": consumers}));
            }
            Frame::Removed(messages) => self.reply = Some(json!({ "messages": messages })),
            Frame::GetEmpty => self.reply = Some("empty".into()),
            Frame::GetOk(delivery, remaining) => {
                let mut message = delivered(&delivery);
                message.insert("remaining".into(), remaining.into());
                self.reply = Some(Value::Object(message));
            }
            Frame::Deliver(tag, delivery) => {
                self.order
                    .push(format!("{channel} deliver {tag} {}", delivery.message.body));
                let of = self.deliveries.entry(format!("{channel}:{tag}")).or_default();
                of.push(Value::Object(delivered(&delivery)));
            }
            Frame::Return(message) => {
                self.order.push(format!("{channel} return {}", message.body));
                self.returns.entry(channel.into()).or_default().push(returned(&message));
            }
            Frame::Cancel(tag) => {
                self.order.push(format!("{channel} cancel {tag}"));
                self.cancels.insert(format!("{channel}:{tag}"));
            }
            Frame::Close(closed) => {
                let mut entry = closing(&closed);
                entry.insert("ch".into(), channel.into());
                self.closed.push(Value::Object(entry));
            }
            Frame::Ok(_) | Frame::ConsumeOk(_) | Frame::CancelOk(_) | Frame::Ack { .. } | Frame::Nack { .. } => {}
        }
    }

    fn shown(self, want_order: bool) -> Map<String, Value> {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value, any: bool| {
            if any {
                out.insert(key.into(), value);
            }
        };
        put("deliveries", json!(self.deliveries), !self.deliveries.is_empty());
        put("returns", json!(self.returns), !self.returns.is_empty());
        let confirms: Map<String, Value> = self
            .confirms
            .iter()
            .map(|(channel, [acks, nacks])| {
                let mut of = Map::new();
                if !acks.is_empty() {
                    of.insert("ack".into(), acks.iter().copied().collect());
                }
                if !nacks.is_empty() {
                    of.insert("nack".into(), nacks.iter().copied().collect());
                }
                (channel.clone(), Value::Object(of))
            })
            .collect();
        put("confirms", json!(confirms), !confirms.is_empty());
        put(
            "cancels",
            self.cancels.iter().cloned().collect(),
            !self.cancels.is_empty(),
        );
        put("closed", json!(self.closed), !self.closed.is_empty());
        put("order", json!(self.order), want_order);
        let reply = self.reply.unwrap_or(Value::Null);
        let any = !reply.is_null();
        put("reply", reply, any);
        out
    }
}

fn closing(closed: &Closed) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("code".into(), closed.error.code.number().into());
    entry.insert("text".into(), closed.error.text.as_str().into());
    entry.insert("method".into(), closed.method.map_or(Value::Null, Value::from));
    entry
}

fn message(message: &Message, properties: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("body".into(), (&*message.body).into());
    out.insert("exchange".into(), (&*message.exchange).into());
    out.insert("routing_key".into(), (&**message.routing_key()).into());
    if !properties.is_empty() {
        out.insert("props".into(), Value::Object(properties));
    }
    out
}

fn delivered(delivery: &Delivery) -> Map<String, Value> {
    let mut out = message(&delivery.message, written_properties(&delivery.properties()));
    out.insert("delivery_tag".into(), delivery.tag.into());
    out.insert("redelivered".into(), delivery.redelivered.into());
    out
}

fn returned(of: &Message) -> Value {
    let mut out = message(of, written_properties(&of.properties));
    out.insert("code".into(), 312.into());
    out.insert("text".into(), "NO_ROUTE".into());
    Value::Object(out)
}

/// What is in the broker.
fn state(broker: &Broker) -> Map<String, Value> {
    let given: OrderedSet<String> = predeclared().map(|exchange| exchange.name.to_string()).collect();
    let topology = broker.topology();
    let exchanges: Vec<&str> = topology
        .exchanges
        .keys()
        .map(|name| &**name)
        .filter(|name| !given.contains(*name))
        .collect();
    let listed = topology.bindings.iter().map(|binding| {
        let kind = match &binding.target {
            Target::Queue(_) => "queue",
            Target::Exchange(_) => "exchange",
        };
        let texts = [&*binding.source, kind, &**binding.target.name(), &*binding.key];
        texts.map(str::to_string)
    });
    let mut bindings: Vec<[String; 4]> = listed.collect();
    bindings.sort_small();
    let queues: Map<String, Value> = broker
        .queues()
        .map(|queue| (queue.name.to_string(), shown_queue(queue)))
        .collect();
    let mut out = Map::new();
    out.insert("queues".into(), Value::Object(queues));
    out.insert("exchanges".into(), json!(exchanges));
    out.insert("bindings".into(), json!(bindings));
    out
}

fn shown_queue(queue: &Queue) -> Value {
    let ready: Vec<&str> = queue.ready_messages().into_iter().map(|m| &*m.body).collect();
    let mut unacked: Vec<&str> = queue.unacked_messages().into_iter().map(|m| &*m.body).collect();
    if queue.queue_type() == QueueType::Quorum {
        unacked.sort_small();
    }
    let consumers: Map<String, Value> = queue
        .consumers()
        .into_iter()
        .map(|(key, standing)| (key.tag.to_string(), standing.name().into()))
        .collect();
    let mut out = Map::new();
    out.insert("ready".into(), json!(ready));
    out.insert("unacked".into(), json!(unacked));
    if !consumers.is_empty() {
        out.insert("consumers".into(), Value::Object(consumers));
    }
    Value::Object(out)
}

fn sort_list(value: &mut Value) {
    if let Some(items) = value.as_array_mut() {
        items.sort_small_by_key(Value::to_string);
    }
}

/// Maps compare by their keys, lists in order, numbers by value.
fn differ(path: &str, expected: &Value, found: &Value) -> Option<Difference> {
    match (expected, found) {
        (Value::Object(e), Value::Object(f)) => {
            let names: OrderedSet<&String> = e.keys().chain(f.keys()).collect();
            let none = Value::Null;
            names.into_iter().find_map(|name| {
                let path = format!("{path}.{name}");
                differ(&path, e.get(name).unwrap_or(&none), f.get(name).unwrap_or(&none))
            })
        }
        (Value::Array(e), Value::Array(f)) if e.len() == f.len() => {
            let mut pairs = e.iter().zip(f).enumerate();
            pairs.find_map(|(at, (e, f))| differ(&format!("{path}.{at}"), e, f))
        }
        (Value::Number(e), Value::Number(f)) if Decimal::parse(&e.to_string()) == Decimal::parse(&f.to_string()) => {
            None
        }
        _ if expected == found => None,
        _ => Some(Difference {
            at: path.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }),
    }
}
