//! Recorded traces of the real RabbitMQ, played on the simulator: a relay says what the recorder's clients said, and
//! after every step what came back, and what the broker has in it, must be what was seen.

mod methods;
mod see;

use super::Verdict;
use super::compare::Difference;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::broker::Broker;
use crate::rabbit::client::relay::{Heard, Relay, RelayOrder};
use crate::rabbit::protocol::Method;
use crate::rabbit::wire::{Order, Rabbit};
use crate::sim::world::Status;
use crate::sim::{Ctx, Halt, HostId, Input, ProcId, Process, Sim, Span};
use serde_json::{Map, Value};

/// One recorded scenario.
#[derive(Clone, Debug)]
pub struct Trace {
    pub name: String,
    pub covers: Vec<String>,
    steps: Vec<Step>,
}

/// What was done, and what was seen.
#[derive(Clone, Debug)]
struct Step {
    action: Map<String, Value>,
    want_order: bool,
    see: Map<String, Value>,
}

impl Trace {
    /// From the object of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(root: &Map<String, Value>) -> Result<Trace, String> {
        let steps = root.get("steps").and_then(Value::as_array).ok_or("no steps")?;
        let covers = root.get("covers").and_then(Value::as_array);
        Ok(Trace {
            name: root.get("name").and_then(Value::as_str).unwrap_or_default().to_string(),
            covers: covers.into_iter().flatten().map(super::trace::plain).collect(),
            steps: steps.iter().map(step).collect::<Result<_, _>>()?,
        })
    }
}

fn step(value: &Value) -> Result<Step, String> {
    let object = |key: &str| value.get(key).and_then(Value::as_object).cloned();
    Ok(Step {
        action: object("do").ok_or("a step does nothing")?,
        want_order: value.get("want_order") == Some(&Value::Bool(true)),
        see: object("see").unwrap_or_default(),
    })
}

/// Whether a file is a recording of RabbitMQ: Kafka's say which cluster there was.
pub fn is_rabbit(root: &Map<String, Value>) -> bool {
    !root.contains_key("cluster")
}

/// A process of this small world.
#[derive(Clone)]
enum Node {
    Broker(Box<Broker>),
    Relay(Relay),
}

impl Process for Node {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input<Rabbit>, ctx: &mut Ctx<'_, Rabbit>) {
        match self {
            Node::Broker(broker) => broker.handle(input, ctx),
            Node::Relay(relay) => relay.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Broker(broker) => broker.halt(how),
            Node::Relay(relay) => relay.halt(how),
        }
    }
}

/// How long a step has to come to rest: the recorder waited about as long.
const REST: Span = Span::ms(100);

/// A scenario on its way.
struct Player {
    sim: Sim<Node>,
    broker: ProcId,
    relay: ProcId,
    /// The recording's connections by name, numbered as they came.
    connections: OrderedMap<String, u32>,
    /// What of the relay's news was looked at.
    read: usize,
    /// Publishes of each channel that were confirmed.
    confirmed: OrderedMap<String, OrderedSet<u64>>,
    /// What the recording has shown last, key by key.
    shown: Map<String, Value>,
}

/// Plays a trace.
pub fn judge(trace: &Trace) -> Verdict {
    let mut player = Player::new();
    for (number, step) in trace.steps.iter().enumerate() {
        let op = step.action.get("op").and_then(Value::as_str).unwrap_or_default();
        let at = format!("{}: step {number} ({op})", trace.name);
        if let Err(why) = player.act(op, &step.action) {
            return Verdict::Differs(format!("{at}: {why}"));
        }
        if let Some(Difference {
            at: path,
            expected,
            found,
        }) = player.compare(step)
        {
            return Verdict::Differs(format!("{at}: {path}: expected {expected}, found {found}"));
        }
    }
    Verdict::Agrees
}

impl Player {
    fn new() -> Player {
        let mut sim = Sim::new(0);
        let (server, client): (HostId, HostId) = (sim.add_host("r1"), sim.add_host("recorder"));
        let broker = sim.add("r1", server, Node::Broker(Box::default()));
        let relay = sim.add("recorder", client, Node::Relay(Relay::new(server)));
        sim.start(broker);
        sim.start(relay);
        let mut player = Player {
            sim,
            broker,
            relay,
            connections: OrderedMap::new(),
            read: 0,
            confirmed: OrderedMap::new(),
            shown: see::nothing(),
        };
        player.rest(REST);
        player
    }

    fn broker(&self) -> Option<&Broker> {
        match self.sim.process(self.broker) {
            Node::Broker(broker) => Some(broker),
            Node::Relay(_) => None,
        }
    }

    fn rest(&mut self, span: Span) {
        let until = self.sim.now() + span;
        while self.sim.step_until(until).is_some() {}
        self.sim.pass_to(until);
    }

    /// What the relay has heard since the last look, by the connection's name.
    fn news(&mut self) -> Vec<(String, Heard)> {
        let Node::Relay(relay) = self.sim.process(self.relay) else {
            return Vec::new();
        };
        let name = |number: u32| {
            let mut all = self.connections.iter();
            all.find(|(_, known)| **known == number)
                .map_or(String::new(), |(name, _)| name.clone())
        };
        let news = relay.heard[self.read..]
            .iter()
            .map(|(n, heard)| (name(*n), heard.clone()))
            .collect();
        self.read = relay.heard.len();
        news
    }

    fn tell(&mut self, order: RelayOrder) {
        self.sim.order(self.relay, Order::Relay(order));
    }

    fn connection(&mut self, name: &str) -> u32 {
        let next = self.connections.len() as u32;
        *self.connections.entry(name.to_string()).or_insert(next)
    }

    fn act(&mut self, op: &str, action: &Map<String, Value>) -> Result<(), String> {
        let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default();
        let ms = action.get("ms").and_then(Value::as_u64).unwrap_or(0);
        match op {
            "wait" => self.rest(Span::ms(ms)),
            "restart" => self.restart(text("mode"), ms)?,
            "close_connection" | "drop_connection" => {
                let number = self.connection(text("conn"));
                let order = if op == "close_connection" {
                    RelayOrder::Close
                } else {
                    RelayOrder::Drop
                };
                self.tell(order(number));
            }
            _ => {
                let (conn, channel) = text("ch").split_once('/').ok_or("no channel `CONNECTION/CHANNEL`")?;
                let channel: u16 = channel
                    .parse()
                    .map_err(|_| format!("`{channel}` is no channel number"))?;
                let number = self.connection(conn);
                if op == "open" {
                    self.confirmed.remove(text("ch"));
                    self.tell(RelayOrder::Connect(number));
                }
                for method in methods::of(op, action)? {
                    self.tell(RelayOrder::Say(number, channel, method));
                }
            }
        }
        self.rest(REST);
        Ok(())
    }

    fn restart(&mut self, mode: &str, ms: u64) -> Result<(), String> {
        match mode {
            "app" | "full" => {
                self.sim.order(self.broker, Order::Shutdown);
                self.rest(REST);
                if !matches!(self.sim.status(self.broker), Status::Down(_)) {
                    return Err("the broker did not stop".into());
                }
            }
            "kill" => self.sim.halt(self.broker, Halt::Crash),
            other => return Err(format!("`{other}` is no way to restart")),
        }
        self.rest(Span::ms(ms));
        self.sim.start(self.broker);
        Ok(())
    }
}

/// The method of a channel that a step names by itself.
fn plain(op: &str) -> Option<Method> {
    match op {
        "open" => Some(Method::OpenChannel),
        "close_channel" => Some(Method::CloseChannel),
        "confirm_select" => Some(Method::SelectConfirm),
        "tx_select" => Some(Method::SelectTx),
        "tx_commit" => Some(Method::CommitTx),
        "tx_rollback" => Some(Method::RollbackTx),
        _ => None,
    }
}
