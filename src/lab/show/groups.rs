//! Groups: what their members and their coordinator know of them.

use super::{clients, replicas};
use crate::kafka::broker::share::view::InFlightView;
use crate::kafka::client::consumer::Consumer;
use crate::kafka::groups::GroupView as Known;
use crate::kafka::hash::coordinator_partition;
use crate::kafka::types::{NO_LEADER, NamedPartition, NodeId, TopicPartition};
use crate::lab::view::{GroupView, MembershipView, SharedRecordView, SharedView};
use crate::lab::world::{Role, World};
use crate::ordered::{OrderedSet, SortSmall};
use crate::sim::ProcId;
use std::rc::Rc;

/// The topic that groups live in.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// Consumers of a group, in the order in which they were made.
fn members<'a>(world: &'a World, group: &'a str) -> impl Iterator<Item = (ProcId, &'a Consumer)> {
    consumers(world).filter(move |(_, consumer)| consumer.group_id().is_some_and(|id| **id == *group))
}

fn consumers(world: &World) -> impl Iterator<Item = (ProcId, &Consumer)> {
    let all = world.processes().filter(|(_, role)| *role == Role::Consumer);
    all.filter_map(|(id, _)| Some((id, world.consumer(id)?)))
}

/// Names of all groups: those of the scenario's consumers, and those that coordinators know.
pub fn names(world: &World) -> OrderedSet<Rc<str>> {
    let mut names: OrderedSet<Rc<str>> = consumers(world)
        .filter_map(|(_, consumer)| consumer.group_id().cloned())
        .collect();
    for (id, _, broker) in world.brokers() {
        let coordinator = broker.groups().filter(|_| world.runs(id));
        let Some(coordinator) = coordinator else { continue };
        for (partition, _) in coordinator.shards() {
            names.extend(coordinator.groups_of(partition).map(|group| group.id.clone()));
        }
    }
    names
}

/// The broker that coordinates a group by the controller's metadata.
fn coordinator_node(world: &World, group: &str) -> Option<NodeId> {
    let image = world.image()?;
    let topic = image.topic_by_name(OFFSETS_TOPIC)?;
    let partition = coordinator_partition(group, topic.partitions);
    let leader = image.partitions.get(&TopicPartition::new(topic.id, partition))?.leader;
    (leader != NO_LEADER).then_some(leader)
}

/// A group as its coordinator has it.
fn known<'a>(world: &'a World, group: &str) -> Option<Known<'a>> {
    let node = coordinator_node(world, group)?;
    let running = world.node(node).is_some_and(|id| world.runs(id));
    world.broker(node).filter(|_| running)?.groups()?.group(group)
}

/// All groups by name.
pub fn groups(world: &World) -> Vec<GroupView> {
    names(world).iter().map(|name| view(world, name)).collect()
}

fn view(world: &World, name: &Rc<str>) -> GroupView {
    let known = known(world, name);
    GroupView {
        name: name.to_string(),
        protocol: known
            .as_ref()
            .map_or("classic".into(), |group| group.kind.name().to_lowercase()),
        state: state(world, name).unwrap_or_default(),
        generation: known.as_ref().map_or(-1, |group| group.generation),
        assignment_epoch: known.as_ref().and_then(|group| group.assignment_epoch),
        assignor: known
            .as_ref()
            .and_then(|group| group.assignor.clone())
            .map_or_else(String::new, |assignor| assignor.to_string()),
        coordinator: coordinator(world, name).flatten(),
        lag: lag(world, name, None).unwrap_or(0),
        members: members(world, name)
            .filter_map(|(id, _)| clients::consumer(world, id))
            .collect(),
        shared: shared(world, name),
    }
}

/// What the leaders of a share group's partitions hand out.
fn shared(world: &World, group: &str) -> Vec<SharedView> {
    let Some(image) = world.image() else { return Vec::new() };
    let leads = |node: NodeId, at: TopicPartition| image.partitions.get(&at).is_some_and(|known| known.leader == node);
    let mut found = Vec::new();
    for (id, node, broker) in world.brokers().filter(|(id, _, _)| world.runs(*id)) {
        let of_group = broker.share_partitions().filter(|share| **share.group == *group);
        for share in of_group.filter(|share| leads(node, share.partition)) {
            let (Some(records), Some(topic)) = (share.records(), image.name_of(share.partition.topic)) else {
                continue;
            };
            found.push(SharedView {
                partition: format!("{topic}/{}", share.partition.partition),
                leader: world.name(id).to_string(),
                start: records.start(),
                end: records.end(),
                records: share.in_flight().map(|record| shared_record(world, &record)).collect(),
            });
        }
    }
    found.sort_small_by(|a, b| a.partition.cmp(&b.partition));
    found
}

fn shared_record(world: &World, record: &InFlightView<'_>) -> SharedRecordView {
    let name_of = |member: &Rc<str>| {
        let its = consumers(world).find(|(_, consumer)| *consumer.member_id() == **member);
        its.map_or_else(|| member.to_string(), |(id, _)| world.name(id).to_string())
    };
    SharedRecordView {
        offset: record.offset,
        state: record.state.name(),
        deliveries: record.deliveries,
        member: record.member.map(name_of),
        until_us: record.until.map(|until| until.as_us()),
    }
}

/// How the coordinator of a consumer's group has it, if that is a consumer group.
pub fn membership(world: &World, consumer: &Consumer) -> Option<MembershipView> {
    let group = known(world, consumer.group_id()?)?;
    let id = consumer.member_id();
    let view = group.members.iter().find(|member| *member.id == id)?.modern.as_ref()?;
    let image = world.image()?;
    let names = |partitions: &mut dyn Iterator<Item = TopicPartition>| {
        let named = |at: TopicPartition| Some(format!("{}/{}", image.name_of(at.topic)?, at.partition));
        partitions.filter_map(named).collect()
    };
    let current = &view.member.current;
    Some(MembershipView {
        epoch: current.epoch,
        state: current.state.name(),
        client_state: consumer.modern().map_or("", |modern| modern.state.name()),
        classic: view.member.is_classic(),
        target: names(&mut view.target.iter().copied()),
        current: names(&mut current.assigned.keys().copied()),
        pending: names(&mut current.pending.keys().copied()),
    })
}

/// The group that a name means: a group's own, or that of a member.
fn group_of<'a>(world: &'a World, name: &'a str) -> Option<Rc<str>> {
    let of_member = world.find(name).and_then(|id| world.consumer(id)?.group_id().cloned());
    of_member.or_else(|| names(world).get(name).cloned())
}

/// The state of a group by Kafka's name; `Dead` while its coordinator does not know it.
pub fn state(world: &World, group: &str) -> Option<String> {
    let name = names(world).get(group)?.clone();
    Some(known(world, &name).map_or("Dead", |group| group.state.name()).into())
}

/// The generation of a group, or of a member's group.
pub fn generation(world: &World, name: &str) -> Option<i32> {
    let group = group_of(world, name)?;
    Some(known(world, &group).map_or(-1, |group| group.generation))
}

/// The broker that coordinates a group (or a member's group), if one does.
pub fn coordinator(world: &World, name: &str) -> Option<Option<String>> {
    let group = group_of(world, name)?;
    Some(coordinator_node(world, &group).map(|node| world.node_name(node).to_string()))
}

/// Groups that a broker coordinates.
pub fn coordinated_by(world: &World, node: NodeId) -> Vec<String> {
    let mine = |group: &&Rc<str>| coordinator_node(world, group) == Some(node);
    names(world)
        .iter()
        .filter(mine)
        .map(|group| group.to_string())
        .collect()
}

/// Partitions of a member, or of all members of a group.
pub fn assignment(world: &World, name: &str) -> Option<OrderedSet<NamedPartition>> {
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
    if let Some(known) = known(world, &group) {
        let mut offsets = known.offsets.iter();
        let stored = offsets.find(|(of, _)| *of == partition);
        return Some(stored.map(|(_, stored)| stored.committed.offset));
    }
    let known = members(world, &group).filter_map(|(_, consumer)| consumer.committed_offsets().get(partition));
    Some(known.max().copied())
}

/// Where what a member may be given ends: the high watermark, with `read_committed` the last stable offset. Of a group:
/// where every one of its members may read to; without members the high watermark, as the group's tool has it.
/// [SubscriptionState.partitionLag, ConsumerGroupCommand]
pub fn readable_end(world: &World, name: &str, partition: TopicPartition) -> i64 {
    let single = world.find(name).and_then(|id| world.consumer(id));
    let committed_only = |consumer: &Consumer| consumer.config().read_committed;
    let held_back = match single {
        Some(consumer) => committed_only(consumer),
        None => {
            let mut all = members(world, name).map(|(_, consumer)| consumer).peekable();
            all.peek().is_some() && all.all(committed_only)
        }
    };
    match held_back {
        true => replicas::last_stable(world, partition),
        false => replicas::high_watermark(world, partition),
    }
}

/// Records between what a member or group has done and the end of what it may be given: behind the committed offsets,
/// for a consumer without a group behind its position. In one partition, or in all that it is assigned or has committed.
pub fn lag(world: &World, name: &str, partition: Option<&NamedPartition>) -> Option<i64> {
    let partitions: OrderedSet<NamedPartition> = match partition {
        Some(partition) => OrderedSet::from([partition.clone()]),
        None => partitions_of(world, name)?,
    };
    let single = world.find(name).and_then(|id| world.consumer(id));
    if single.is_none() {
        group_of(world, name)?;
    }
    Some(lags_in(world, name, &partitions).map(|(_, lag)| lag).sum())
}

/// The lag of a member or group in each of these partitions.
fn lags_in<'a>(
    world: &'a World,
    name: &'a str,
    partitions: &'a OrderedSet<NamedPartition>,
) -> impl Iterator<Item = (&'a NamedPartition, i64)> {
    let single = world.find(name).and_then(|id| world.consumer(id));
    let done = move |partition: &NamedPartition| {
        let committed = committed(world, name, partition).flatten();
        committed.or_else(|| single?.position_of(partition)).unwrap_or(0)
    };
    partitions.iter().map(move |partition| {
        let end = clients::partition_id(world, partition).map_or(0, |id| readable_end(world, name, id));
        (partition, (end - done(partition)).max(0))
    })
}

/// Every group's lag in each of its partitions (`loan_request/0`).
pub fn lags(world: &World) -> Vec<(Rc<str>, Rc<str>, i64)> {
    let mut all = Vec::new();
    for group in names(world) {
        let Some(partitions) = partitions_of(world, &group) else {
            continue;
        };
        for (partition, lag) in lags_in(world, &group, &partitions) {
            let place = format!("{}/{}", partition.topic, partition.partition);
            all.push((group.clone(), place.into(), lag));
        }
    }
    all
}

/// What a member or group reads or has offsets for.
fn partitions_of(world: &World, name: &str) -> Option<OrderedSet<NamedPartition>> {
    let mut all = assignment(world, name)?;
    let group = known(world, name);
    let stored = group.iter().flat_map(|group| &group.offsets);
    all.extend(stored.map(|(partition, _)| (*partition).clone()));
    Some(all)
}
