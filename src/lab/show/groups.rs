//! Groups: what their members and their coordinator know of them.

use super::{clients, replicas};
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::consumer::coordinator::MemberState;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::lab::view::GroupView;
use crate::lab::world::{Role, World};
use crate::sim::ProcId;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Consumers of a group, in the order in which they were made.
fn members<'a>(world: &'a World, group: &'a str) -> impl Iterator<Item = (ProcId, &'a Consumer)> {
    consumers(world).filter(move |(_, consumer)| consumer.group_id().is_some_and(|id| **id == *group))
}

fn consumers(world: &World) -> impl Iterator<Item = (ProcId, &Consumer)> {
    let all = world.processes().filter(|(_, role)| *role == Role::Consumer);
    all.filter_map(|(id, _)| Some((id, world.consumer(id)?)))
}

/// Names of all groups.
fn names(world: &World) -> BTreeSet<Rc<str>> {
    consumers(world)
        .filter_map(|(_, consumer)| consumer.group_id().cloned())
        .collect()
}

/// All groups by name.
pub fn groups(world: &World) -> Vec<GroupView> {
    names(world).iter().map(|name| view(world, name)).collect()
}

fn view(world: &World, name: &Rc<str>) -> GroupView {
    let strategy = members(world, name)
        .next()
        .and_then(|(_, consumer)| consumer.config().partition_assignment_strategy.first().copied());
    GroupView {
        name: name.to_string(),
        protocol: "classic".into(),
        state: state(world, name).unwrap_or_default(),
        generation: generation(world, name).unwrap_or(-1),
        assignor: strategy.map_or("", |assignor| assignor.name()).into(),
        coordinator: coordinator(world, name).flatten(),
        lag: lag(world, name, None).unwrap_or(0),
        members: members(world, name)
            .filter_map(|(id, _)| clients::consumer(world, id))
            .collect(),
    }
}

/// The group that a name means: a group's own, or that of a member.
fn group_of<'a>(world: &'a World, name: &'a str) -> Option<Rc<str>> {
    let of_member = world.find(name).and_then(|id| world.consumer(id)?.group_id().cloned());
    of_member.or_else(|| names(world).get(name).cloned())
}

/// The state of a group by Kafka's name.
pub fn state(world: &World, group: &str) -> Option<String> {
    let name = names(world).get(group)?.clone();
    let states: Vec<MemberState> = members(world, &name)
        .filter(|(id, _)| world.runs(*id))
        .filter_map(|(_, consumer)| consumer.member_state())
        .collect();
    let any = |state: MemberState| states.contains(&state);
    Some(
        match () {
            () if any(MemberState::Preparing) => "PreparingRebalance",
            () if any(MemberState::Completing) => "CompletingRebalance",
            () if any(MemberState::Stable) => "Stable",
            () => "Empty",
        }
        .into(),
    )
}

/// The generation of a group, or of a member's group.
pub fn generation(world: &World, name: &str) -> Option<i32> {
    let group = group_of(world, name)?;
    members(world, &group).map(|(_, consumer)| consumer.generation()).max()
}

/// The broker that coordinates a group (or a member's group), if one does.
pub fn coordinator(world: &World, name: &str) -> Option<Option<String>> {
    let group = group_of(world, name)?;
    let known = members(world, &group).find_map(|(_, consumer)| consumer.coordinator_id());
    Some(known.map(|node| world.node_name(node).to_string()))
}

/// Groups that a broker coordinates.
pub fn coordinated_by(world: &World, node: NodeId) -> Vec<String> {
    let broker = world.node_name(node);
    let of = |group: &Rc<str>| coordinator(world, group).flatten().is_some_and(|name| *name == *broker);
    names(world)
        .iter()
        .filter(|group| of(group))
        .map(|group| group.to_string())
        .collect()
}

/// Partitions of a member, or of all members of a group.
pub fn assignment(world: &World, name: &str) -> Option<BTreeSet<NamedPartition>> {
    if let Some(consumer) = world.find(name).and_then(|id| world.consumer(id)) {
        return Some(consumer.partitions().map(|(partition, _)| partition.clone()).collect());
    }
    let group = group_of(world, name)?;
    let all = members(world, &group).flat_map(|(_, consumer)| consumer.partitions());
    Some(all.map(|(partition, _)| partition.clone()).collect())
}

/// The offset that a group (or a member's group) has committed for a partition.
pub fn committed(world: &World, name: &str, partition: &NamedPartition) -> Option<Option<i64>> {
    let group = group_of(world, name)?;
    let known = members(world, &group).filter_map(|(_, consumer)| consumer.committed_offsets().get(partition));
    Some(known.max().copied())
}

/// Records between what a member or group has done and the high watermark: behind the committed offsets, for a consumer
/// without a group behind its position. In one partition, or in all that it is assigned.
pub fn lag(world: &World, name: &str, partition: Option<&NamedPartition>) -> Option<i64> {
    let partitions: BTreeSet<NamedPartition> = match partition {
        Some(partition) => BTreeSet::from([partition.clone()]),
        None => assignment(world, name)?,
    };
    let single = world.find(name).and_then(|id| world.consumer(id));
    if single.is_none() {
        group_of(world, name)?;
    }
    let mut ends: BTreeMap<&NamedPartition, i64> = BTreeMap::new();
    for partition in &partitions {
        let end = clients::partition_id(world, partition).map_or(0, |id| replicas::high_watermark(world, id));
        ends.insert(partition, end);
    }
    let done = |partition: &NamedPartition| {
        let committed = committed(world, name, partition).flatten();
        committed.or_else(|| single?.position_of(partition)).unwrap_or(0)
    };
    Some(ends.iter().map(|(partition, end)| (end - done(partition)).max(0)).sum())
}
