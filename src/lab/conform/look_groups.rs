//! Groups as a recording shows them: what their coordinator knows, and how far behind they are.

use super::super::world::World;
use super::results::partitions;
use crate::kafka::groups::{GroupType, GroupView, MemberView};
use crate::kafka::hash::coordinator_partition;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::ordered::OrderedSet;
use crate::ordered::SortSmall;
use crate::sim::world::Status;
use serde_json::{Map, Value, json};

/// The topic that groups live in.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Every group named so far.
pub fn groups(world: &World, names: &OrderedSet<String>) -> Value {
    let mut out = Map::new();
    for name in names {
        if let Some(entry) = group(world, name) {
            out.insert(name.clone(), entry);
        }
    }
    Value::Object(out)
}

fn group(world: &World, name: &str) -> Option<Value> {
    let image = world.image()?;
    let topic = image.topic_by_name(OFFSETS_TOPIC)?;
    let partition = coordinator_partition(name, topic.partitions);
    let leader = image.partitions.get(&TopicPartition::new(topic.id, partition))?.leader;
    let mut out = Map::new();
    let process = world.node(leader);
    let answers = process.is_some_and(|id| world.sim.status(id) == Status::Running);
    if !answers {
        out.insert("silent".into(), json!(true));
        return Some(Value::Object(out));
    }
    out.insert("coordinator".into(), json!(leader));
    match world.broker(leader).and_then(|broker| broker.groups()?.group(name)) {
        Some(view) => describe(world, &view, &mut out),
        None => {
            out.insert("state".into(), json!("none"));
        }
    }
    Some(Value::Object(out))
}

fn describe(world: &World, view: &GroupView<'_>, out: &mut Map<String, Value>) {
    out.insert("type".into(), json!(view.kind.name().to_lowercase()));
    out.insert("state".into(), json!(view.state.name()));
    if let Some(protocol_type) = view.protocol_type.as_ref().filter(|text| !text.is_empty()) {
        out.insert("protocol_type".into(), json!(&**protocol_type));
    }
    if let Some(assignor) = view.assignor.as_ref().filter(|text| !text.is_empty()) {
        out.insert("assignor".into(), json!(&**assignor));
    }
    let mut members: Vec<&MemberView<'_>> = view.members.iter().collect();
    members.sort_small_by_key(|member| (member.client_id.clone(), member.id.clone()));
    out.insert(
        "members".into(),
        Value::Array(
            members
                .into_iter()
                .map(|member| self::member(world, view.kind, member))
                .collect(),
        ),
    );
    if let Some(assignment_epoch) = view.assignment_epoch {
        out.insert("epoch".into(), json!(view.generation));
        out.insert("assignment_epoch".into(), json!(assignment_epoch));
    }
    let committed: Map<String, Value> = view
        .offsets
        .iter()
        .map(|(partition, stored)| {
            let mut entry = Map::new();
            entry.insert("offset".into(), json!(stored.committed.offset));
            if stored.committed.leader_epoch >= 0 {
                entry.insert("epoch".into(), json!(stored.committed.leader_epoch));
            }
            if !stored.committed.metadata.is_empty() {
                entry.insert("metadata".into(), json!(&*stored.committed.metadata));
            }
            entry.insert(
                "lag".into(),
                json!(end_of(world, partition).map(|end| end - stored.committed.offset)),
            );
            (partition.to_string(), Value::Object(entry))
        })
        .collect();
    if !committed.is_empty() {
        out.insert("committed".into(), Value::Object(committed));
    }
}

fn member(world: &World, kind: GroupType, view: &MemberView<'_>) -> Value {
    let mut out = Map::new();
    out.insert("client".into(), json!(&**view.client_id));
    if let Some(instance) = view.instance {
        out.insert("instance".into(), json!(&**instance));
    }
    let Some(modern) = &view.modern else {
        out.insert("assigned".into(), partitions(view.assignment));
        return Value::Object(out);
    };
    let member = modern.member;
    out.insert("epoch".into(), json!(member.current.epoch));
    if member.is_classic() {
        out.insert("classic".into(), json!(true));
    }
    let topics: Vec<&str> = member.details.topics.iter().map(|topic| &**topic).collect();
    out.insert("subscribed".into(), json!(topics));
    if let Some(regex) = &member.details.regex {
        out.insert("regex".into(), json!(&**regex));
    }
    let named = |list: &mut dyn Iterator<Item = TopicPartition>| {
        let image = world.image();
        let named = list.filter_map(|partition| {
            Some(NamedPartition {
                topic: image?.name_of(partition.topic)?.clone(),
                partition: partition.partition,
            })
        });
        partitions(&named.collect::<Vec<_>>())
    };
    out.insert("assigned".into(), named(&mut member.current.holds()));
    // A share group's members take their targets at once.
    if kind != GroupType::Share {
        out.insert("target".into(), named(&mut modern.target.iter().copied()));
    }
    Value::Object(out)
}

/// High watermark at the leader.
fn end_of(world: &World, partition: &NamedPartition) -> Option<i64> {
    let image = world.image()?;
    let topic = image.topic_by_name(&partition.topic)?;
    let id = TopicPartition::new(topic.id, partition.partition);
    let leader = image.partitions.get(&id)?.leader;
    world
        .broker(leader)?
        .replica(id)
        .map(|replica| replica.high_watermark())
}
