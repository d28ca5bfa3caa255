//! The operations of the recordings, as orders to the simulator's processes.

mod admin;
mod clients;
mod consumers;
mod faults;
mod quorum;

use crate::kafka::client::call::CallId;
use crate::kafka::client::producer::txn::GroupMetadata;
use crate::kafka::client::producer::{ProducerOrder, TransactionCall};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use crate::lab::conform::play::Player;
use crate::lab::conform::trace::{TraceStep, plain};
use crate::ordered::OrderedMap;
use crate::sim::Span;
use serde_json::Value;
use std::rc::Rc;

/// What became of an operation at once.
pub enum Outcome {
    Ok,
    Value(Value),
    /// The call returns later; `about`: the one thing it is about, if its result is that thing's alone.
    Call {
        call: CallId,
        about: Option<String>,
    },
}

/// `topic-0`.
pub fn partition(text: &str) -> Result<NamedPartition, String> {
    let (topic, number) = text
        .rsplit_once('-')
        .ok_or_else(|| format!("`{text}` is not a partition"))?;
    let partition = number.parse().map_err(|_| format!("`{text}` is not a partition"))?;
    Ok(NamedPartition {
        topic: topic.into(),
        partition,
    })
}

fn all_partitions(list: &[String]) -> Result<Vec<NamedPartition>, String> {
    list.iter().map(|text| partition(text)).collect()
}

/// `{"0": [1, 2, 3]}`.
pub fn assignments(value: Option<&Value>) -> Vec<(i32, Vec<i32>)> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Vec::new();
    };
    map.iter()
        .filter_map(|(partition, ids)| Some((partition.parse().ok()?, numbers(ids))))
        .collect()
}

fn numbers(value: &Value) -> Vec<i32> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(|id| i32::try_from(id.as_i64()?).ok()).collect())
        .unwrap_or_default()
}

/// Settings of a topic.
pub fn configs(value: Option<&Value>) -> Vec<(Rc<str>, Option<Rc<str>>)> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Vec::new();
    };
    map.iter()
        .map(|(key, value)| (key.as_str().into(), Some(plain(value).into())))
        .collect()
}

fn offsets(value: Option<&Value>) -> Result<OrderedMap<NamedPartition, CommittedOffset>, String> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Ok(OrderedMap::new());
    };
    map.iter()
        .map(|(name, value)| {
            let list = value.as_array();
            let of = |i: usize| list.and_then(|list| list.get(i));
            let offset = of(0).or(Some(value)).and_then(Value::as_i64).unwrap_or(0);
            let leader_epoch = of(1)
                .and_then(Value::as_i64)
                .and_then(|e| i32::try_from(e).ok())
                .unwrap_or(-1);
            let metadata = of(2).and_then(Value::as_str).unwrap_or("");
            Ok((
                partition(name)?,
                CommittedOffset {
                    offset,
                    leader_epoch,
                    metadata: metadata.into(),
                },
            ))
        })
        .collect()
}

/// `"x*1000"`: the character so many times.
pub fn expand(text: &str) -> String {
    let mut chars = text.chars();
    if let (Some(c), Some('*')) = (chars.next(), chars.next())
        && let Ok(n) = chars.as_str().parse::<usize>()
        && !chars.as_str().is_empty()
    {
        return std::iter::repeat_n(c, n.min(50_000_000)).collect();
    }
    text.to_string()
}

fn bytes(value: Option<&Value>) -> Option<Rc<[u8]>> {
    value
        .and_then(Value::as_str)
        .map(|text| expand(text).into_bytes().into())
}

fn times(value: Option<&Value>) -> Result<Vec<(NamedPartition, i64)>, String> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    map.iter()
        .map(|(name, at)| Ok((partition(name)?, at.as_i64().unwrap_or(0))))
        .collect()
}

impl Player<'_> {
    /// Offsets for a transaction, in the name of a group or of a consumer's membership.
    fn send_offsets(&mut self, step: &TraceStep) -> Result<TransactionCall, String> {
        let offsets = offsets(step.get("offsets"))?.into_iter().collect();
        let group = match step.get("group").and_then(Value::as_str) {
            Some(group) => GroupMetadata::of_group(group.into()),
            None => {
                let name = step.text("consumer");
                let metadata = self.world.group_metadata(self.client(name)?);
                metadata.ok_or_else(|| format!("{name} is in no group"))?
            }
        };
        self.groups.insert(group.group.to_string());
        Ok(TransactionCall::SendOffsets { offsets, group })
    }

    /// Begins the operation of a step.
    pub fn operate(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        match step.op() {
            "wait" => {
                let ms = step.get("ms").and_then(Value::as_u64).unwrap_or(0);
                self.run_for(Span::ms(ms));
                Ok(Outcome::Ok)
            }
            "producer" | "consumer" | "share_consumer" | "produce" | "close_producer" => self.operate_clients(step),
            "init_transactions" | "begin" | "commit" | "abort" | "send_offsets" => {
                let client = self.client(step.text("p"))?;
                let call = self.world.awaited_call();
                let what = match step.op() {
                    "init_transactions" => TransactionCall::Init,
                    "begin" => TransactionCall::Begin,
                    "commit" => TransactionCall::Commit,
                    "send_offsets" => self.send_offsets(step)?,
                    _ => TransactionCall::Abort,
                };
                self.world
                    .sim
                    .order(client, Order::Producer(ProducerOrder::Transaction { call, what }));
                Ok(Outcome::Call { call, about: None })
            }
            "await" => {
                let (op, about, call) = self
                    .pending
                    .remove(step.text("of"))
                    .ok_or_else(|| format!("nothing to await: {}", step.text("of")))?;
                Ok(self
                    .finish(&op, about.as_deref(), call)
                    .map_or(Outcome::Ok, Outcome::Value))
            }
            "crash" | "shutdown" | "start" | "pause" | "resume" | "power_off" | "wipe" | "cut" | "heal"
            | "crash_host" | "pause_host" | "resume_host" => self.operate_faults(step),
            "subscribe" | "assign" | "start_polling" | "stop_polling" | "poll" | "seek" | "position" | "committed"
            | "offsets_for_times" | "ack" | "commit_sync" | "commit_async" | "pause_partitions"
            | "resume_partitions" | "unsubscribe" | "enforce_rebalance" | "close_consumer" => {
                self.operate_consumer(step)
            }
            "fetch" => self.fetch(step),
            "quorum" => Ok(Outcome::Value(self.ask_quorum())),
            _ => self.operate_admin(step),
        }
    }
}
