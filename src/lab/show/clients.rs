//! Producers and consumers.

use super::{faults, groups, health};
use crate::kafka::config::producer::Acks;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::lab::apply::properties;
use crate::lab::language::ast::Command;
use crate::lab::view::{AssignedView, ConsumerView, ProducerView};
use crate::lab::world::{Role, World, lab_us};
use crate::sim::ProcId;

fn host(world: &World, id: ProcId) -> String {
    world.sim.network().host(world.sim.host_of(id)).name.to_string()
}

/// Settings as the client's line (and `set` since) gives them.
fn config(world: &World, name: &str) -> Vec<(String, String)> {
    match world.recipe(name) {
        Some(Command::Producer(producer)) => properties(&producer.config).into_iter().collect(),
        Some(Command::Consumer(consumer)) => properties(&consumer.config).into_iter().collect(),
        _ => Vec::new(),
    }
}

pub fn producers(world: &World) -> Vec<ProducerView> {
    let all = world.processes().filter(|(_, role)| *role == Role::Producer);
    all.filter_map(|(id, _)| producer(world, id)).collect()
}

fn producer(world: &World, id: ProcId) -> Option<ProducerView> {
    let producer = world.producer(id)?;
    let name = world.name(id).to_string();
    let sums = world.ledger.sums_of(&name);
    let config_of = producer.config();
    Some(ProducerView {
        host: host(world, id),
        health: health(world, id),
        since_us: lab_us(world.sim.since(id)),
        acks: match config_of.acks {
            Acks::None => "0".into(),
            Acks::Leader => "1".into(),
            Acks::All => "all".into(),
        },
        idempotent: config_of.enable_idempotence,
        in_flight: producer.network().in_flight() as u32,
        max_in_flight: u32::try_from(config_of.max_in_flight_requests_per_connection).unwrap_or(0),
        buffered: producer.buffered_records() as u32,
        sent: sums.sent,
        acknowledged: sums.acknowledged,
        failed: sums.failed,
        lost: sums.lost,
        last_error: world.errors.get(&id).map(|error| error.to_string()),
        config: config(world, &name),
        faults: faults::of(world, id),
        name,
    })
}

/// Consumers without a group.
pub fn free_consumers(world: &World) -> Vec<ConsumerView> {
    let all = world.processes().filter(|(_, role)| *role == Role::Consumer);
    all.filter(|(id, _)| {
        world
            .consumer(*id)
            .is_some_and(|consumer| consumer.group_id().is_none())
    })
    .filter_map(|(id, _)| consumer(world, id))
    .collect()
}

/// One consumer.
pub fn consumer(world: &World, id: ProcId) -> Option<ConsumerView> {
    let consumer = world.consumer(id)?;
    let name = world.name(id).to_string();
    let now = world.sim.now();
    let working = consumer.working_on(now).map(|record| match &record.value {
        Some(value) => String::from_utf8_lossy(value).into_owned(),
        None => format!("{} offset {}", record.partition, record.offset),
    });
    let error = consumer.last_error().map(|error| error.class.to_string());
    Some(ConsumerView {
        host: host(world, id),
        health: health(world, id),
        since_us: lab_us(world.sim.since(id)),
        state: consumer.state().to_string(),
        generation: consumer.generation(),
        leader: consumer.is_leader(),
        membership: super::groups::membership(world, consumer),
        assignment: consumer
            .partitions()
            .map(|(partition, _)| assigned(world, id, partition))
            .collect(),
        delivered: u64::try_from(consumer.metrics().records_consumed()).unwrap_or(0),
        working_on: working,
        last_error: error.or_else(|| world.errors.get(&id).map(|error| error.to_string())),
        config: config(world, &name),
        faults: faults::of(world, id),
        name,
    })
}

/// The id of a partition by its topic's name.
pub fn partition_id(world: &World, partition: &NamedPartition) -> Option<TopicPartition> {
    let topic = world.image()?.topic_by_name(&partition.topic)?;
    Some(TopicPartition::new(topic.id, partition.partition))
}

fn assigned(world: &World, id: ProcId, partition: &NamedPartition) -> AssignedView {
    let key = partition_id(world, partition);
    let end = key.map_or(0, |key| groups::readable_end(world, world.name(id), key));
    let start = key
        .and_then(|key| {
            let leader = world.image()?.partitions.get(&key)?.leader;
            world.broker(leader)?.replica(key)
        })
        .map_or(0, |replica| replica.log_start());
    let position = world.consumer(id).and_then(|consumer| consumer.position_of(partition));
    let committed = groups::committed(world, world.name(id), partition).flatten();
    let behind = committed.or(position).unwrap_or(start);
    AssignedView {
        topic: partition.topic.to_string(),
        partition: partition.partition,
        start,
        committed,
        position,
        end,
        lag: (end - behind).max(0),
    }
}
