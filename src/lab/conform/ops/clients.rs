//! Producers: made, told to send, closed.

use super::{Outcome, bytes};
use crate::kafka::client::producer::{NewHeaders, NewRecord, ProducerOrder};
use crate::kafka::wire::Order;
use crate::lab::conform::play::Player;
use crate::lab::conform::results::error_json;
use crate::lab::conform::trace::TraceStep;
use crate::lab::ledger::{Handed, System};
use crate::ordered::OrderedMap;
use serde_json::Value;
use std::rc::Rc;

impl Player<'_> {
    pub(in crate::lab) fn operate_clients(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let host = match step.text("host") {
            "" => "h1",
            host => host,
        };
        let mut config: OrderedMap<String, String> = OrderedMap::new();
        match step.op() {
            "producer" => {
                config.insert("linger.ms".into(), "1000".into());
                config.extend(step.config("config"));
                Ok(match self.world.add_producer(step.text("p"), host, config) {
                    Ok(_) => Outcome::Ok,
                    Err(error) => Outcome::Value(error_json(&error)),
                })
            }
            "consumer" => {
                config.insert("enable.auto.commit".into(), "false".into());
                config.extend(step.config("config"));
                let group = step.get("group").and_then(Value::as_str).map(Rc::from);
                if let Some(group) = step.get("group").and_then(Value::as_str) {
                    self.groups.insert(group.to_string());
                }
                Ok(match self.world.add_consumer(step.text("c"), host, group, config) {
                    Ok(_) => Outcome::Ok,
                    Err(error) => Outcome::Value(error_json(&error)),
                })
            }
            "share_consumer" => {
                config.extend(step.config("config"));
                let group = step.get("group").and_then(Value::as_str).map(Rc::from);
                if let Some(group) = step.get("group").and_then(Value::as_str) {
                    self.groups.insert(group.to_string());
                }
                Ok(
                    match self.world.add_share_consumer(step.text("c"), host, group, config) {
                        Ok(_) => Outcome::Ok,
                        Err(error) => Outcome::Value(error_json(&error)),
                    },
                )
            }
            "produce" => self.produce(step),
            _ => {
                let client = self.client(step.text("p"))?;
                let call = self.world.awaited_call();
                self.world
                    .sim
                    .order(client, Order::Producer(ProducerOrder::Close { call }));
                Ok(Outcome::Call { call, about: None })
            }
        }
    }

    pub(in crate::lab) fn produce(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let client = self.client(step.text("p"))?;
        let topic: Rc<str> = step.text("topic").into();
        let mut records = Vec::new();
        for record in step.get("records").and_then(Value::as_array).into_iter().flatten() {
            let origin = self.world.ledger.hand_over(Handed {
                system: System::Kafka,
                client: step.text("p").into(),
                topic: topic.clone(),
                key: record.get("key").and_then(Value::as_str).map(Rc::from),
                value: record.get("value").and_then(Value::as_str).map(Rc::from),
                at: self.world.sim.now(),
            });
            records.push(NewRecord {
                origin,
                topic: topic.clone(),
                partition: record
                    .get("partition")
                    .and_then(Value::as_i64)
                    .and_then(|p| i32::try_from(p).ok()),
                timestamp: record.get("timestamp").and_then(Value::as_i64),
                key: bytes(record.get("key")),
                value: bytes(record.get("value")),
                headers: headers(record.get("headers")),
            });
        }
        let call = self.world.awaited_call();
        self.world.sim.order(
            client,
            Order::Producer(ProducerOrder::Send {
                call,
                records,
                flush: true,
            }),
        );
        Ok(Outcome::Call { call, about: None })
    }
}

pub(in crate::lab) fn headers(value: Option<&Value>) -> NewHeaders {
    let Some(list) = value.and_then(Value::as_array) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|pair| {
            let name = pair.get(0)?.as_str()?;
            Some((Rc::from(name), bytes(pair.get(1))))
        })
        .collect()
}
