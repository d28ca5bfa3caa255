//! `--verify` and `--cancel`. [verifyAssignment, cancelAssignment]

use super::plan::{self, Plan};
use super::{Replica, failures, future, log_dirs, ongoing, throttles};
use crate::console::desk::Desk;
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::Options;
use crate::console::tools::topics::describe_topics;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::ClientError;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

pub fn verify(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let (targets, dirs): Plan = plan::read(desk, options)?;
    let current = ongoing(desk, admin, None)?;
    let mut lines: OrderedMap<NamedPartition, String> = OrderedMap::new();
    for (partition, wanted) in &targets {
        let line = match current.iter().any(|one| one.partition == *partition) {
            true => format!("Reassignment of partition {partition} is still in progress."),
            false => match replicas(desk, admin, partition)? {
                have if have == *wanted => format!("Reassignment of partition {partition} is completed."),
                have => format!(
                    "There is no active reassignment of partition {partition}, but replica set is {} rather than {}.",
                    java::numbers(&have),
                    java::numbers(wanted)
                ),
            },
        };
        lines.insert(partition.clone(), line);
    }
    desk.say("Status of partition reassignment:");
    lines.values().for_each(|line| desk.say(line));
    let moves = dir_lines(desk, admin, &dirs)?;
    desk.say(&moves.join("\n"));
    if current.is_empty() && !options.has("preserve-throttles") {
        throttles::clear(desk, admin, &targets)?;
    }
    Ok(())
}

/// A partition's replicas; none if its topic is not there. [topicDescriptionFutureToState]
fn replicas(desk: &mut Desk, admin: usize, partition: &NamedPartition) -> Done<Vec<i32>> {
    let topics = std::slice::from_ref(&partition.topic);
    let described = match describe_topics(desk, admin, topics)? {
        Ok(described) => described,
        Err(error) if &*error.class == "UnknownTopicOrPartitionException" => return Ok(Vec::new()),
        Err(error) => return Err(future(error)),
    };
    let all = described.values().flat_map(|topic| topic.partitions.iter());
    let all: OrderedMap<i32, Vec<i32>> = all.map(|seen| (seen.0.partition, seen.0.replicas.clone())).collect();
    match all.get(&partition.partition) {
        Some(replicas) => Ok(replicas.clone()),
        None if i64::from(partition.partition) > all.len() as i64 => Ok(Vec::new()),
        None => {
            let text = format!("Index {} out of bounds for length {}", partition.partition, all.len());
            Err(ClientError::new("IndexOutOfBoundsException", &text).into())
        }
    }
}

/// Where replicas lie that the plan wants in a certain directory; by broker. [replicaMoveStatesToString]
fn dir_lines(desk: &mut Desk, admin: usize, wanted: &OrderedMap<Replica, Rc<str>>) -> Done<Vec<String>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut replicas: Vec<Replica> = wanted.keys().cloned().collect();
    replicas.sort_small_by_key(|(partition, broker)| (*broker, partition.clone()));
    let there = log_dirs(desk, admin, &replicas)?;
    let line = |replica: Replica| {
        let (partition, broker) = &replica;
        match (there.get(&replica), wanted.get(&replica)) {
            (None, _) => format!(
                "Partition {partition} is not found in any live log dir on broker {broker}. There is likely an offline \
                 log directory on the broker."
            ),
            (Some(have), Some(dir)) if have != dir => {
                format!("Partition {partition} on broker {broker} is not being moved from log dir {have} to {dir}.")
            }
            _ => format!("Reassignment of replica {partition}-{broker} completed successfully."),
        }
    };
    Ok(replicas.into_iter().map(line).collect())
}

pub fn cancel(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let (targets, _): Plan = plan::read(desk, options)?;
    let mut names: Vec<NamedPartition> = targets.iter().map(|(partition, _)| partition.clone()).collect();
    names.sort_small();
    names.dedup();
    let current = ongoing(desk, admin, Some(names))?;
    let moving = current
        .iter()
        .filter(|one| !one.adding.is_empty() || !one.removing.is_empty());
    let moving: Vec<NamedPartition> = moving.map(|one| one.partition.clone()).collect();
    if moving.is_empty() {
        desk.say("None of the specified partition reassignments are active.");
    } else {
        let plural = if moving.len() == 1 { "" } else { "s" };
        let what = AdminCall::Reassign {
            partitions: moving.iter().map(|partition| (partition.clone(), None)).collect(),
            allow_replication_factor_change: true,
        };
        let failed = failures(desk.admin(admin, what)?, &moving);
        if !failed.is_empty() {
            let plural = if failed.len() == 1 { "" } else { "s" };
            return Err(Failure::Terse(format!(
                "Error cancelling partition reassignment{plural} for:\n{}",
                failed.join("\n")
            )));
        }
        let shown: Vec<String> = moving.iter().map(ToString::to_string).collect();
        desk.say(&format!(
            "Successfully cancelled partition reassignment{plural} for: {}",
            shown.join(",")
        ));
    }
    desk.print("None of the specified partition moves are active.");
    if !options.has("preserve-throttles") {
        throttles::clear(desk, admin, &targets)?;
    }
    Ok(())
}
