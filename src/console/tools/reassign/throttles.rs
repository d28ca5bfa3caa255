//! The throttles of a reassignment: settings of the topics and brokers that take part.

use super::{Assignment, Replica, brokers, future};
use crate::console::desk::Desk;
use crate::console::failure::Done;
use crate::console::java;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, OngoingReassignment};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

const OF_BROKERS: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];
const OF_TOPICS: [&str; 2] = [
    "leader.replication.throttled.replicas",
    "follower.replication.throttled.replicas",
];

/// From which brokers to which a partition moves.
struct Move {
    sources: OrderedSet<i32>,
    destinations: OrderedSet<i32>,
}

/// All partitions that move.
pub struct Moves(OrderedMap<NamedPartition, Move>);

impl Moves {
    /// [calculateProposedMoveMap]
    pub fn of(current: &[OngoingReassignment], proposed: &[Assignment], there: &[Assignment]) -> Moves {
        let mut all = OrderedMap::new();
        for one in current {
            let adding: OrderedSet<i32> = one.adding.iter().copied().collect();
            let sources = one.replicas.iter().copied().filter(|id| !adding.contains(id)).collect();
            let destinations = adding;
            all.insert(one.partition.clone(), Move { sources, destinations });
        }
        for (partition, replicas) in proposed {
            let present = there.iter().find(|(name, _)| name == partition);
            let sources = match (all.remove(partition), present) {
                (Some(moving), _) => moving.sources,
                (None, Some((_, ids))) => ids.iter().copied().collect(),
                (None, None) => OrderedSet::new(),
            };
            let destinations = replicas.iter().copied().filter(|id| !sources.contains(id)).collect();
            all.insert(partition.clone(), Move { sources, destinations });
        }
        Moves(all)
    }

    /// `0:1,0:2` for each topic; the texts in their own order.
    fn throttled(&self, ids: impl Fn(&Move) -> &OrderedSet<i32>) -> OrderedMap<Rc<str>, OrderedSet<String>> {
        let mut all: OrderedMap<Rc<str>, OrderedSet<String>> = OrderedMap::new();
        for (partition, one) in self.0.iter() {
            let texts = all.entry(partition.topic.clone()).or_default();
            texts.extend(ids(one).iter().map(|id| format!("{}:{id}", partition.partition)));
        }
        all
    }

    fn brokers(&self) -> OrderedSet<i32> {
        let all = self.0.values();
        all.flat_map(|one| one.sources.iter().chain(one.destinations.iter()).copied())
            .collect()
    }
}

fn alter(desk: &mut Desk, admin: usize, resource: ConfigResource, ops: Vec<(Rc<str>, AlterOp)>) -> Done<()> {
    desk.admin(admin, AdminCall::AlterConfigs { resource, ops })?
        .map(drop)
        .map_err(future)
}

fn alter_brokers(desk: &mut Desk, admin: usize, ids: &OrderedSet<i32>, ops: &[(Rc<str>, AlterOp)]) -> Done<()> {
    for id in ids.iter() {
        alter(desk, admin, ConfigResource::Broker(id.to_string().into()), ops.to_vec())?;
    }
    Ok(())
}

/// [modifyReassignmentThrottle]
pub fn set(desk: &mut Desk, admin: usize, moves: &Moves, rate: i64) -> Done<()> {
    let leaders = moves.throttled(|one| &one.sources);
    let mut followers = moves.throttled(|one| &one.destinations);
    for topic in java::names_in_hash_order(leaders.keys().cloned().collect(), 16) {
        let text = |texts: Option<OrderedSet<String>>| {
            let texts: Vec<String> = texts.unwrap_or_default().into_iter().collect();
            AlterOp::Set(texts.join(",").into())
        };
        let ops = vec![
            (OF_TOPICS[0].into(), text(leaders.get(&topic).cloned())),
            (OF_TOPICS[1].into(), text(followers.remove(&topic))),
        ];
        alter(desk, admin, ConfigResource::Topic(topic), ops)?;
    }
    let rate_op = AlterOp::Set(rate.to_string().into());
    let ops = [OF_BROKERS[0], OF_BROKERS[1]].map(|key| (Rc::from(key), rate_op.clone()));
    alter_brokers(desk, admin, &moves.brokers(), &ops)?;
    desk.say(&format!("The inter-broker throttle limit was set to {rate} B/s"));
    Ok(())
}

/// [modifyLogDirThrottle]
pub fn set_for_dirs<'a>(
    desk: &mut Desk,
    admin: usize,
    replicas: impl Iterator<Item = &'a Replica>,
    rate: i64,
) -> Done<()> {
    let ids: OrderedSet<i32> = replicas.map(|(_, broker)| *broker).collect();
    let ops = [(Rc::from(OF_BROKERS[2]), AlterOp::Set(rate.to_string().into()))];
    alter_brokers(desk, admin, &ids, &ops)?;
    desk.say(&format!("The replica-alter-dir throttle limit was set to {rate} B/s"));
    Ok(())
}

/// [clearAllThrottles]
pub fn clear(desk: &mut Desk, admin: usize, targets: &[Assignment]) -> Done<()> {
    let mut ids: OrderedSet<i32> = brokers(desk, admin)?.into_iter().map(|(id, _)| id).collect();
    ids.extend(targets.iter().flat_map(|(_, replicas)| replicas.iter().copied()));
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let shown: Vec<i32> = ids.iter().copied().collect();
    desk.say(&format!(
        "Clearing broker-level throttles on broker{} {}",
        plural(ids.len()),
        java::numbers(&shown)
    ));
    let removals = OF_BROKERS.map(|key| (Rc::from(key), AlterOp::Delete));
    alter_brokers(desk, admin, &ids, &removals)?;
    let mut topics: Vec<Rc<str>> = Vec::new();
    for (partition, _) in targets {
        if !topics.contains(&partition.topic) {
            topics.push(partition.topic.clone());
        }
    }
    let topics = java::names_in_hash_order(topics, 16);
    desk.say(&format!(
        "Clearing topic-level throttles on topic{} {}",
        plural(topics.len()),
        topics.join(",")
    ));
    for topic in topics {
        let removals = OF_TOPICS.map(|key| (Rc::from(key), AlterOp::Delete));
        alter(desk, admin, ConfigResource::Topic(topic), removals.to_vec())?;
    }
    Ok(())
}
