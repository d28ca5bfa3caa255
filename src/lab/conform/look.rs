//! A look at the simulator: everything that a recording shows of the state, in its form.

use super::super::node::Node;
use super::super::world::{Role, World};
use crate::kafka::broker::{ReplicaRole, ReplicaView};
use crate::kafka::controller::partition::{LeaderRecoveryState, PartitionRegistration};
use crate::kafka::log::batch::{Batch, Codec, Outcome, TimestampType};
use crate::kafka::types::{NO_LEADER, TopicId};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::world::Status;
use serde_json::{Map, Value, json};

/// What to look at.
pub struct Looked<'a> {
    pub world: &'a World,
    pub topics: &'a OrderedSet<String>,
    pub groups: &'a OrderedSet<String>,
    /// Segments are shown even if there is only one.
    pub segments: bool,
}

impl Looked<'_> {
    /// The accumulated keys of a `see`.
    pub fn state(&self) -> Map<String, Value> {
        let mut out = Map::new();
        out.insert("topics".into(), self.registered());
        out.insert("logs".into(), self.logs());
        out.insert("hw".into(), self.leaders());
        out.insert("brokers".into(), self.brokers());
        out.insert("groups".into(), super::look_groups::groups(self.world, self.groups));
        out
    }

    fn registered(&self) -> Value {
        let mut out = Map::new();
        if let Some(image) = self.world.image() {
            for topic in image.topics.values().filter(|topic| self.topics.contains(&*topic.name)) {
                for (partition, registration) in image.partitions_of(topic.id) {
                    out.insert(
                        format!("{}-{}", topic.name, partition.partition),
                        registration_json(registration),
                    );
                }
            }
        }
        Value::Object(out)
    }

    fn brokers(&self) -> Value {
        let mut out = Map::new();
        if let Some(controller) = self.world.controller() {
            for broker in controller.brokers() {
                out.insert(broker.id.to_string(), json!(broker.state));
            }
        }
        Value::Object(out)
    }

    /// The newest log of each watched partition on each broker.
    fn replicas(&self) -> OrderedMap<(String, i32), OrderedMap<i32, (TopicId, ReplicaView<'_>)>> {
        let mut out: OrderedMap<(String, i32), OrderedMap<i32, (TopicId, ReplicaView<'_>)>> = OrderedMap::new();
        for (_, node, broker) in self.world.brokers() {
            for replica in broker.replicas() {
                if !self.topics.contains(replica.topic) {
                    continue;
                }
                let of = out
                    .entry((replica.topic.to_string(), replica.id.partition))
                    .or_default();
                let newer = of.get(&node).is_none_or(|(id, _)| *id < replica.id.topic);
                if newer {
                    of.insert(node, (replica.id.topic, replica));
                }
            }
        }
        out
    }

    fn logs(&self) -> Value {
        let mut out = Map::new();
        for ((topic, partition), brokers) in self.replicas() {
            let each: Map<String, Value> = brokers
                .iter()
                .map(|(node, (_, replica))| (node.to_string(), self.log_json(replica)))
                .collect();
            out.insert(format!("{topic}-{partition}"), Value::Object(each));
        }
        Value::Object(out)
    }

    fn log_json(&self, replica: &ReplicaView<'_>) -> Value {
        let mut out = Map::new();
        out.insert("start".into(), json!(replica.log_start()));
        out.insert("end".into(), json!(replica.end_offset()));
        out.insert("hw".into(), json!(replica.checkpointed_high_watermark().unwrap_or(0)));
        let epochs: Vec<Value> = replica.epochs().iter().map(|e| json!([e.epoch, e.start])).collect();
        out.insert("epochs".into(), json!(epochs));
        let segments: Vec<i64> = replica.segments().map(|segment| segment.base_offset()).collect();
        if self.segments || segments.len() > 1 {
            out.insert("segments".into(), json!(segments));
        }
        out.insert(
            "batches".into(),
            json!(replica.batches().map(batch_json).collect::<Vec<_>>()),
        );
        Value::Object(out)
    }

    /// Offsets by those who say that they lead.
    fn leaders(&self) -> Value {
        let mut out: OrderedMap<String, Map<String, Value>> = OrderedMap::new();
        for (id, node, broker) in self.world.brokers() {
            if self.world.sim.status(id) != Status::Running {
                continue;
            }
            for replica in broker.replicas() {
                if replica.role() != ReplicaRole::Leader || !self.topics.contains(replica.topic) {
                    continue;
                }
                let entry = json!({
                    "earliest": replica.log_start(), "hw": replica.high_watermark(),
                    "lso": replica.last_stable_offset(),
                });
                let name = format!("{}-{}", replica.topic, replica.id.partition);
                out.entry(name).or_default().insert(node.to_string(), entry);
            }
        }
        json!(out)
    }
}

fn registration_json(registration: &PartitionRegistration) -> Value {
    let sorted = |list: &[i32]| {
        let mut list = list.to_vec();
        list.sort_small();
        list
    };
    let mut out = Map::new();
    out.insert("leader".into(), json!(registration.leader.max(NO_LEADER)));
    out.insert("epoch".into(), json!(registration.leader_epoch));
    out.insert("replicas".into(), json!(registration.replicas));
    out.insert("isr".into(), json!(sorted(&registration.isr)));
    for (key, list) in [
        ("elr", sorted(&registration.elr)),
        ("last_known_elr", sorted(&registration.last_known_elr)),
        ("adding", registration.adding.clone()),
        ("removing", registration.removing.clone()),
    ] {
        if !list.is_empty() {
            out.insert(key.into(), json!(list));
        }
    }
    if registration.recovery == LeaderRecoveryState::Recovering {
        out.insert("recovery".into(), json!("recovering"));
    }
    Value::Object(out)
}

fn batch_json(batch: &Batch) -> Value {
    let mut out = Map::new();
    out.insert("base".into(), json!(batch.base_offset));
    out.insert("last".into(), json!(batch.last_offset));
    out.insert("epoch".into(), json!(batch.leader_epoch));
    if let Some(producer) = &batch.producer {
        out.insert("pid".into(), json!(format!("pid:{}", producer.id)));
        out.insert("pepoch".into(), json!(producer.epoch));
        if producer.sequence >= 0 {
            out.insert("seq".into(), json!(producer.sequence));
        }
    }
    if batch.transactional {
        out.insert("txn".into(), json!(true));
    }
    if batch.codec != Codec::None {
        out.insert("compression".into(), json!(format!("{:?}", batch.codec).to_lowercase()));
    }
    if batch.timestamp_type == TimestampType::LogAppendTime {
        out.insert("append_time".into(), json!(true));
    }
    match &batch.control {
        Some(control) => {
            let outcome = if control.outcome == Outcome::Commit {
                "commit"
            } else {
                "abort"
            };
            out.insert("control".into(), json!(outcome));
        }
        None => {
            let records: Vec<Value> = batch
                .iter()
                .map(|(offset, record)| {
                    json!([
                        offset,
                        super::results::text(&record.key),
                        super::results::text(&record.value)
                    ])
                })
                .collect();
            out.insert("records".into(), json!(records));
        }
    }
    Value::Object(out)
}

/// Whether the process is one of the recorder's clients.
pub fn is_client(world: &World, id: crate::sim::ProcId) -> bool {
    matches!(world.role(id), Role::Producer | Role::Consumer)
        && matches!(world.sim.process(id), Node::Producer(_) | Node::Consumer(_))
}
