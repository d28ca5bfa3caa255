//! `kafka-reassign-partitions.sh`: generate, execute, verify, cancel, list. [ReassignPartitionsCommand]

mod execute;
mod plan;
mod throttles;
mod verify;

use super::topics::describe_topics;
use crate::console::desk::{Desk, Run, Stop};
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::{OptionError, Options};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, CallResult, ClientError};
use crate::kafka::protocol::admin::OngoingReassignment;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const ACTIONS: [&str; 5] = ["generate", "execute", "verify", "cancel", "list"];

/// What each action needs, and what may stand beside it.
const NEEDS: [(&str, &[&str], &[&str]); 5] = [
    (
        "generate",
        &["topics-to-move-json-file", "broker-list"],
        &["bootstrap-server", "command-config", "disable-rack-aware"],
    ),
    (
        "execute",
        &["reassignment-json-file"],
        &[
            "additional",
            "bootstrap-server",
            "command-config",
            "throttle",
            "replica-alter-log-dirs-throttle",
            "timeout",
            "disallow-replication-factor-change",
        ],
    ),
    (
        "verify",
        &["reassignment-json-file"],
        &["bootstrap-server", "command-config", "preserve-throttles"],
    ),
    (
        "cancel",
        &["reassignment-json-file"],
        &["bootstrap-server", "command-config", "preserve-throttles", "timeout"],
    ),
    ("list", &[], &["bootstrap-server", "command-config"]),
];

/// A partition and its replicas.
type Assignment = (NamedPartition, Vec<i32>);

/// A partition's replica on a broker.
type Replica = (NamedPartition, i32);

/// What `get()` of a future throws.
fn future(error: ClientError) -> Failure {
    Failure::Thrown(java::execution(error))
}

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => return Err(unread(desk, &error)),
    };
    let action = check(desk, &options)?;
    match act(desk, &options, action) {
        Ok(()) => Ok(()),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Terse(text)) => {
            desk.say(&text);
            Err(Stop::Exit(1))
        }
        Err(Failure::Thrown(error)) => {
            desk.say(&format!("Error: {}", java::message(&error)));
            desk.say(&java::trace(&error));
            Err(Stop::Exit(1))
        }
    }
}

fn unread(desk: &mut Desk, error: &OptionError) -> Stop {
    desk.err_text(&format!("Exception in thread \"main\" {}", error.trace()));
    Stop::Exit(1)
}

/// [validateAndParseArgs]
fn check(desk: &mut Desk, options: &Options) -> Run<&'static str> {
    desk.help_or_version(options, "This tool helps to move topic partitions between replicas.")?;
    let asked: Vec<&'static str> = ACTIONS.into_iter().filter(|action| options.has(action)).collect();
    let [action] = asked[..] else {
        let all: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        let all = all.join(", ");
        return Err(desk.usage(&format!("Command must include exactly one action: {all}")));
    };
    match (options.has("bootstrap-server"), options.has("bootstrap-controller")) {
        (true, true) => {
            return Err(desk.usage("Please don't specify both --bootstrap-server and --bootstrap-controller"));
        }
        (false, false) => return Err(desk.usage("Please specify either --bootstrap-server or --bootstrap-controller")),
        _ => {}
    }
    for (name, needed, permitted) in NEEDS.iter().filter(|(name, ..)| *name == action) {
        desk.require(options, needed)?;
        let fits = |option: &&str| option == name || needed.contains(option) || permitted.contains(option);
        if let Some(other) = options.names().find(|option| !fits(option)) {
            return Err(desk.usage(&format!("Option \"[{other}]\" can't be used with action \"[{name}]\"")));
        }
    }
    Ok(action)
}

fn act(desk: &mut Desk, options: &Options, action: &str) -> Done<()> {
    let servers = options.all("bootstrap-server").join(",");
    let admin = desk.open_admin(&servers, "reassign-partitions-tool", OrderedMap::new())??;
    match action {
        "generate" => plan::generate(desk, options, admin),
        "execute" => execute::execute(desk, options, admin),
        "verify" => verify::verify(desk, options, admin),
        "cancel" => verify::cancel(desk, options, admin),
        _ => list(desk, admin),
    }
}

/// The number of an option, or a default.
fn number(desk: &mut Desk, options: &Options, name: &str, default: i64) -> Done<i64> {
    match options.number::<i64>(name) {
        Ok(number) => Ok(number.unwrap_or(default)),
        Err(error) => Err(unread(desk, &error).into()),
    }
}

/// The reassignments under way: all, or those of these partitions.
fn ongoing(desk: &mut Desk, admin: usize, partitions: Option<Vec<NamedPartition>>) -> Done<Vec<OngoingReassignment>> {
    let answer = desk
        .admin(admin, AdminCall::ListReassignments { partitions })?
        .map_err(future)?;
    let mut all: Vec<OngoingReassignment> = match &*answer {
        Answer::Reassignments(all) => all.iter().map(|one| one.0.clone()).collect(),
        _ => Vec::new(),
    };
    all.sort_small_by_key(|one| one.partition.clone());
    Ok(all)
}

fn list(desk: &mut Desk, admin: usize) -> Done<()> {
    let all = ongoing(desk, admin, None)?;
    if all.is_empty() {
        desk.say("No partition reassignments found.");
        return Ok(());
    }
    desk.say("Current partition reassignments:");
    for one in all {
        let part = |name: &str, ids: &[i32]| match ids {
            [] => String::new(),
            ids => format!(" {name}: {}.", java::numbers(ids)),
        };
        desk.say(&format!(
            "{}: replicas: {}.{}{}",
            one.partition,
            java::numbers(&one.replicas),
            part("adding", &one.adding),
            part("removing", &one.removing)
        ));
    }
    Ok(())
}

/// Topics and their partitions' replicas. [getReplicaAssignmentForTopics]
fn assigned(desk: &mut Desk, admin: usize, topics: &[Rc<str>]) -> Done<Vec<Assignment>> {
    let mut all = Vec::new();
    for topic in topics {
        let described = describe_topics(desk, admin, std::slice::from_ref(topic))?;
        let described = described.map_err(|error| match &*error.class {
            "UnknownTopicOrPartitionException" => {
                future(ClientError::new(&error.class, &format!("Topic {topic} not found.")))
            }
            _ => future(error),
        })?;
        for seen in described.values().flat_map(|topic| topic.partitions.iter()) {
            let partition = NamedPartition {
                topic: topic.clone(),
                partition: seen.0.partition,
            };
            all.push((partition, seen.0.replicas.clone()));
        }
    }
    all.sort_small();
    Ok(all)
}

/// Brokers that are there, with their racks.
fn brokers(desk: &mut Desk, admin: usize) -> Done<Vec<(i32, Option<Rc<str>>)>> {
    let answer = desk
        .admin(admin, AdminCall::DescribeCluster { include_fenced: false })?
        .map_err(future)?;
    Ok(match &*answer {
        Answer::Cluster { nodes, .. } => nodes.iter().map(|node| (node.id, node.rack.clone())).collect(),
        _ => Vec::new(),
    })
}

/// In which directory each replica lies. [getReplicaToLogDir]
fn log_dirs(desk: &mut Desk, admin: usize, of: &[Replica]) -> Done<OrderedMap<Replica, Rc<str>>> {
    let mut asked: Vec<i32> = of.iter().map(|(_, broker)| *broker).collect();
    asked.sort_small();
    asked.dedup();
    let there: Vec<i32> = brokers(desk, admin)?.into_iter().map(|(id, _)| id).collect();
    let mut found = OrderedMap::new();
    for broker in asked.into_iter().filter(|id| there.contains(id)) {
        let answer = desk
            .admin(admin, AdminCall::DescribeLogDirs { broker })?
            .map_err(future)?;
        if let Answer::LogDir { dir, replicas } = &*answer {
            for replica in replicas {
                found.insert((replica.partition.clone(), broker), dir.clone());
            }
        }
    }
    Ok(found)
}

/// Per partition what failed, in order. [alterPartitionReassignments, cancelPartitionReassignments]
fn failures(result: CallResult, partitions: &[NamedPartition]) -> Vec<String> {
    let line = |partition: &NamedPartition, error: &ClientError| format!("{partition}: {}", java::message(error));
    match result.as_deref() {
        Err(error) => partitions.iter().map(|partition| line(partition, error)).collect(),
        Ok(Answer::Each(each)) => partitions
            .iter()
            .filter_map(|partition| {
                let result = each.get(&*partition.to_string())?;
                result.as_ref().err().map(|error| line(partition, error))
            })
            .collect(),
        Ok(_) => Vec::new(),
    }
}
