//! `--execute`: checks a plan, prints what is there now, and starts. [executeAssignment]

use super::plan::{self, Plan, command_failed, repeated, replicas_of, written};
use super::throttles::{self, Moves};
use super::{Replica, assigned, brokers, failures, future, log_dirs, number, ongoing};
use crate::console::desk::Desk;
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::ClientError;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const EXISTING: &str = "Cannot execute because there is an existing partition assignment.  Use --additional to override \
                        this and create a new partition assignment in addition to the existing one. The --additional \
                        flag can also be used to change the throttle by resubmitting the current reassignment.";
const VERIFY: &str = "Warning: You must run --verify periodically, until the reassignment completes, to ensure the \
                      throttle is removed.";

/// [parseExecuteAssignmentArgs]
fn checked((partitions, dirs): Plan) -> Done<Plan> {
    if partitions.is_empty() {
        return Err(command_failed("Partition reassignment list cannot be empty"));
    }
    if partitions.iter().any(|(_, replicas)| replicas.is_empty()) {
        return Err(command_failed("Partition replica list cannot be empty"));
    }
    let names: Vec<NamedPartition> = partitions.iter().map(|(partition, _)| partition.clone()).collect();
    let twice = java::hash_order(repeated(&names), 16, java::partition_hash);
    if !twice.is_empty() {
        let shown: Vec<String> = twice.iter().map(ToString::to_string).collect();
        let shown = shown.join(",");
        return Err(command_failed(&format!(
            "Partition reassignment contains duplicate topic partitions: {shown}"
        )));
    }
    let lists = partitions.iter().filter_map(|(partition, replicas)| {
        let twice = repeated(replicas);
        let shown = java::numbers(&twice);
        (!twice.is_empty()).then(|| format!("{partition} contains multiple entries for {shown}"))
    });
    let lists: Vec<String> = lists.collect();
    if !lists.is_empty() {
        let shown = lists.join(". ");
        return Err(command_failed(&format!(
            "Partition replica lists may not contain duplicate entries: {shown}"
        )));
    }
    Ok((partitions, dirs))
}

pub fn execute(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let throttle = number(desk, options, "throttle", -1)?;
    let dir_throttle = number(desk, options, "replica-alter-log-dirs-throttle", -1)?;
    let (mut proposed, dirs) = checked(plan::read(desk, options)?)?;
    proposed.sort_small();
    let current = ongoing(desk, admin, None)?;
    if !options.has("additional") && !current.is_empty() {
        return Err(Failure::Terse(EXISTING.into()));
    }
    let known: Vec<i32> = brokers(desk, admin)?.into_iter().map(|(id, _)| id).collect();
    let mut wanted: Vec<i32> = proposed.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    wanted.sort_small();
    if let Some(id) = wanted.iter().find(|id| !known.contains(id)) {
        return Err(command_failed(&format!("Unknown broker id {id}")));
    }
    let names: Vec<NamedPartition> = proposed.iter().map(|(partition, _)| partition.clone()).collect();
    let there = present(desk, admin, &names)?;
    let at = log_dirs(desk, admin, &replicas_of(&there))?;
    desk.say(&format!(
        "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option during \
         rollback",
        written(&there, &at)
    ));
    if throttle >= 0 || dir_throttle >= 0 {
        desk.say(VERIFY);
        if throttle >= 0 {
            throttles::set(desk, admin, &Moves::of(&current, &proposed, &there), throttle)?;
        }
        if dir_throttle >= 0 {
            throttles::set_for_dirs(desk, admin, dirs.keys(), dir_throttle)?;
        }
    }
    start(desk, options, admin, &proposed)?;
    move_dirs(desk, admin, &dirs)
}

/// The partitions as they are. [getReplicasForPartitions]
fn present(desk: &mut Desk, admin: usize, names: &[NamedPartition]) -> Done<Vec<super::Assignment>> {
    let mut topics: Vec<Rc<str>> = names.iter().map(|partition| partition.topic.clone()).collect();
    topics.dedup();
    let topics = java::names_in_hash_order(topics, 16);
    let mut there = assigned(desk, admin, &topics)?;
    there.retain(|(partition, _)| names.contains(partition));
    let missing: Vec<NamedPartition> = names
        .iter()
        .filter(|name| !there.iter().any(|(partition, _)| partition == *name))
        .cloned()
        .collect();
    if missing.is_empty() {
        return Ok(there);
    }
    let shown: Vec<String> = java::hash_order(missing, 16, java::partition_hash)
        .iter()
        .map(ToString::to_string)
        .collect();
    let text = format!("Unable to find partition: {}", shown.join(", "));
    Err(future(ClientError::new("UnknownTopicOrPartitionException", &text)))
}

fn start(desk: &mut Desk, options: &Options, admin: usize, proposed: &[super::Assignment]) -> Done<()> {
    let partitions = proposed.iter().map(|(name, ids)| (name.clone(), Some(ids.clone())));
    let what = AdminCall::Reassign {
        partitions: partitions.collect(),
        allow_replication_factor_change: !options.has("disallow-replication-factor-change"),
    };
    let names: Vec<NamedPartition> = proposed.iter().map(|(name, _)| name.clone()).collect();
    let failed = failures(desk.admin(admin, what)?, &names);
    if !failed.is_empty() {
        return Err(Failure::Terse(format!(
            "Error reassigning partition(s):\n{}",
            failed.join("\n")
        )));
    }
    let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
    let plural = if names.len() == 1 { "" } else { "s" };
    desk.say(&format!(
        "Successfully started partition reassignment{plural} for {}",
        shown.join(",")
    ));
    Ok(())
}

/// Each broker has one directory: a replica that is to lie in it does so already, or will when it comes; any other is
/// refused. [executeMoves, alterReplicaLogDirs]
fn move_dirs(desk: &mut Desk, admin: usize, dirs: &OrderedMap<Replica, Rc<str>>) -> Done<()> {
    let mut wanted: Vec<(&Replica, &Rc<str>)> = dirs.iter().collect();
    wanted.sort_small_by_key(|((partition, broker), _)| (*broker, partition.clone()));
    let replicas: Vec<Replica> = wanted.iter().map(|(replica, _)| (*replica).clone()).collect();
    let there = log_dirs(desk, admin, &replicas)?;
    for ((partition, broker), dir) in wanted {
        let own = there.iter().find(|((_, id), _)| id == broker).map(|(_, dir)| dir);
        if own.is_some_and(|own| own != dir) {
            let why = format!("Log dir {dir} not found on broker {broker}.");
            let cause = java::execution(ClientError::new("LogDirNotFoundException", &why));
            let text = format!("Failed to alter dir for {partition}-{broker}");
            return Err(ClientError::new("AdminCommandFailedException", &text)
                .caused_by(cause)
                .into());
        }
        desk.say(&format!(
            "Successfully started moving log directory to {dir} for replica {}-{} with broker {broker} ",
            partition.topic, partition.partition
        ));
    }
    Ok(())
}
