//! Groups described: offsets, members, state. [ConsumerGroupCommand.ConsumerGroupService]

use super::groups::{Done, Failure, scope};
use super::topics;
use crate::console::desk::Desk;
use crate::console::java::{self, pad, widest};
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, SeenGroup, SeenMember};
use crate::kafka::protocol::data::{Isolation, LATEST_TIMESTAMP};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use std::rc::Rc;

/// Where the clients of this machine come from.
const HOST: &str = "/127.0.0.1";

/// Committed offsets by partition.
type Committed = OrderedMap<NamedPartition, Option<CommittedOffset>>;

pub fn run(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let mut names = scope(desk, options, admin)?;
    let mut groups = Vec::new();
    names.sort_small();
    names.dedup();
    for name in names {
        let answer = desk.admin(admin, AdminCall::DescribeGroup { group: name })?;
        match answer.map_err(java::execution)?.as_ref() {
            Answer::Group(group) => groups.push(group.clone()),
            _ => continue,
        }
    }
    let verbose = options.has("verbose");
    if options.has("members") {
        for group in &groups {
            members(desk, group, verbose);
        }
        return Ok(());
    }
    if options.has("state") {
        return states(desk, admin, &groups, verbose);
    }
    let mut all = Vec::new();
    for group in groups {
        let rows = rows(desk, admin, &group)?;
        all.push((group, rows));
    }
    for (group, rows) in all {
        offsets(desk, &group, &rows, verbose);
    }
    Ok(())
}

/// What is said of the state; whether the table follows. [shouldPrintMemberState]
fn says(desk: &mut Desk, group: &SeenGroup, rows: usize) -> bool {
    let name = &group.group;
    match &*group.state {
        "Dead" => desk.say(&format!("\nError: Consumer group '{name}' does not exist.")),
        "Empty" => desk.err(&format!("\nConsumer group '{name}' has no active members.")),
        "Stable" => {}
        _ => desk.err(&format!("\nWarning: Consumer group '{name}' is rebalancing.")),
    }
    &*group.state != "Dead" && rows > 0
}

// ---- offsets ----

/// One row: partition, offset with its epoch, end, member and client id.
struct Row {
    partition: NamedPartition,
    offset: Option<i64>,
    epoch: Option<i32>,
    end: Option<i64>,
    member: Rc<str>,
    host: &'static str,
    client: Rc<str>,
}

/// The committed offsets of a group.
///
/// # Errors
/// What the call fails with.
pub fn committed(desk: &mut Desk, admin: usize, group: &Rc<str>) -> Done<Committed> {
    let what = AdminCall::GroupOffsets { group: group.clone() };
    let answer = desk.admin(admin, what)?;
    match answer.map_err(|error| java::runtime(java::execution(error)))?.as_ref() {
        Answer::Committed(all) => Ok(all.clone()),
        _ => Ok(OrderedMap::new()),
    }
}

fn rows(desk: &mut Desk, admin: usize, group: &SeenGroup) -> Done<Vec<Row>> {
    let committed = committed(desk, admin, &group.group)?;
    let mut members: Vec<&SeenMember> = group.members.iter().filter(|m| !m.assigned.is_empty()).collect();
    members.sort_small_by_key(|member| std::cmp::Reverse(member.assigned.len()));
    let mut rows = Vec::new();
    let mut assigned = OrderedSet::new();
    for member in members {
        assigned.extend(member.assigned.iter().cloned());
        let of = (&member.member_id, HOST, &member.client_id);
        rows.extend(partitions(desk, admin, member.assigned.clone(), &committed, of)?);
    }
    let rest: Vec<NamedPartition> = committed.keys().filter(|p| !assigned.contains(*p)).cloned().collect();
    if !rest.is_empty() {
        let nobody: Rc<str> = "-".into();
        rows.extend(partitions(desk, admin, rest, &committed, (&nobody, "-", &nobody))?);
    }
    Ok(rows)
}

/// [describePartitions]
fn partitions(
    desk: &mut Desk,
    admin: usize,
    mut all: Vec<NamedPartition>,
    committed: &Committed,
    (member, host, client): (&Rc<str>, &'static str, &Rc<str>),
) -> Done<Vec<Row>> {
    all.sort_small();
    let without = leaderless(desk, admin, &all)?;
    let led: Vec<NamedPartition> = all.iter().filter(|p| !without.contains(*p)).cloned().collect();
    let ends = log_offsets(desk, admin, &led, LATEST_TIMESTAMP)?;
    let row = |partition: NamedPartition| {
        let found = committed.get(&partition).and_then(Option::as_ref);
        Row {
            offset: found.map(|offset| offset.offset),
            epoch: found.map(|offset| offset.leader_epoch).filter(|epoch| *epoch >= 0),
            end: ends.get(&partition).copied(),
            member: member.clone(),
            host,
            client: client.clone(),
            partition,
        }
    };
    Ok(all.into_iter().map(row).collect())
}

/// Partitions without a leader, and those that do not exist come as an error of the call.
///
/// # Errors
/// What describing their topics fails with.
pub fn leaderless(desk: &mut Desk, admin: usize, all: &[NamedPartition]) -> Done<OrderedSet<NamedPartition>> {
    let names: OrderedSet<Rc<str>> = all.iter().map(|p| p.topic.clone()).collect();
    if names.is_empty() {
        return Ok(OrderedSet::new());
    }
    let names: Vec<Rc<str>> = names.into_iter().collect();
    let described = topics::describe_topics(desk, admin, &names)?;
    let described = described.map_err(|error| java::runtime(java::execution(error)))?;
    let mut out = OrderedSet::new();
    for (name, topic) in &described {
        for partition in topic.partitions.iter().filter(|p| p.0.leader < 0) {
            out.insert(NamedPartition {
                topic: name.clone(),
                partition: partition.0.partition,
            });
        }
    }
    Ok(out)
}

/// Offsets by their place in the log.
///
/// # Errors
/// What the call fails with.
pub fn log_offsets(
    desk: &mut Desk,
    admin: usize,
    all: &[NamedPartition],
    spec: i64,
) -> Done<OrderedMap<NamedPartition, i64>> {
    if all.is_empty() {
        return Ok(OrderedMap::new());
    }
    let what = AdminCall::ListOffsets {
        partitions: all.iter().map(|partition| (partition.clone(), spec)).collect(),
        isolation: Isolation::ReadUncommitted,
    };
    let answer = desk.admin(admin, what)?;
    let answer = answer.map_err(|error| java::runtime(java::execution(error)))?;
    let mut out = OrderedMap::new();
    if let Answer::Offsets(found) = &*answer {
        for (partition, result) in found {
            match result {
                Ok(Some((offset, ..))) => drop(out.insert(partition.clone(), *offset)),
                Ok(None) => drop(out.insert(partition.clone(), -1)),
                Err(error) => {
                    return Err(Failure::Thrown(java::runtime(java::execution(error.clone()))));
                }
            }
        }
    }
    Ok(out)
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_string(), |value| value.to_string())
}

fn offsets(desk: &mut Desk, group: &SeenGroup, rows: &[Row], verbose: bool) {
    if !says(desk, group, rows.len()) {
        return;
    }
    let g = widest(15, std::iter::once(&*group.group));
    let t = widest(15, rows.iter().map(|row| &*row.partition.topic));
    let c = widest(15, rows.iter().map(|row| &*row.member));
    let h = widest(15, rows.iter().map(|row| row.host));
    let mut line = |cells: [&str; 10]| {
        let mut text = format!("\n{} {} {}", pad(cells[0], g), pad(cells[1], t), pad(cells[2], 10));
        for (i, cell) in cells.iter().enumerate().skip(3).take(4) {
            if i > 3 || verbose {
                text.push_str(&format!(" {}", pad(cell, 15)));
            }
        }
        text.push_str(&format!(" {} {} {}", pad(cells[7], c), pad(cells[8], h), cells[9]));
        desk.print(&text);
    };
    line([
        "GROUP",
        "TOPIC",
        "PARTITION",
        "LEADER-EPOCH",
        "CURRENT-OFFSET",
        "LOG-END-OFFSET",
        "LAG",
        "CONSUMER-ID",
        "HOST",
        "CLIENT-ID",
    ]);
    for row in rows {
        let lag = row
            .offset
            .filter(|offset| *offset != -1)
            .zip(row.end)
            .map(|(offset, end)| end - offset);
        line([
            &group.group,
            &row.partition.topic,
            &row.partition.partition.to_string(),
            &shown(row.epoch),
            &shown(row.offset),
            &shown(row.end),
            &shown(lag),
            &row.member,
            row.host,
            &row.client,
        ]);
    }
    desk.say("");
}

// ---- members ----

/// `jobs:0,1;other:0`. [getAssignmentString]
fn assignment(partitions: &[NamedPartition]) -> String {
    let mut by: OrderedMap<&str, Vec<i32>> = OrderedMap::new();
    for partition in partitions {
        by.entry(&*partition.topic).or_default().push(partition.partition);
    }
    let mut parts = Vec::new();
    for (topic, mut numbers) in by {
        numbers.sort_small();
        parts.push(format!("{topic}:{}", java::numbers(&numbers)));
    }
    match parts.is_empty() {
        true => "-".to_string(),
        false => parts.join(";"),
    }
}

fn members(desk: &mut Desk, group: &SeenGroup, verbose: bool) {
    let all = &group.members;
    says(desk, group, all.len());
    let g = widest(15, all.iter().map(|_| &*group.group));
    let c = widest(15, all.iter().map(|m| &*m.member_id));
    let instance = |m: &SeenMember| m.instance.clone().unwrap_or_default();
    let instances: Vec<Rc<str>> = all.iter().map(instance).collect();
    let i = widest(17, instances.iter().map(|name| &**name));
    let named = instances.iter().any(|name| !name.is_empty());
    let l = widest(15, all.iter().map(|m| &*m.client_id));
    let assigned: Vec<String> = all.iter().map(|m| assignment(&m.assigned)).collect();
    let a = widest(20, assigned.iter().map(String::as_str));
    desk.say("");
    let mut line = |cells: [&str; 6], more: [&str; 4]| {
        let mut text = format!("{} {}", pad(cells[0], g), pad(cells[1], c));
        if named {
            text.push_str(&format!(" {}", pad(cells[2], i)));
        }
        text.push_str(&format!(
            " {} {} {} ",
            pad(cells[3], 15),
            pad(cells[4], l),
            pad(cells[5], 15)
        ));
        if verbose {
            text.push_str(&format!(
                "{} {} {} {}",
                pad(more[0], 15),
                pad(more[1], a),
                pad(more[2], 15),
                pad(more[3], 20)
            ));
        }
        desk.say(&text);
    };
    line(
        [
            "GROUP",
            "CONSUMER-ID",
            "GROUP-INSTANCE-ID",
            "HOST",
            "CLIENT-ID",
            "#PARTITIONS",
        ],
        [
            "CURRENT-EPOCH",
            "CURRENT-ASSIGNMENT",
            "TARGET-EPOCH",
            "TARGET-ASSIGNMENT",
        ],
    );
    for ((member, instance), assigned) in all.iter().zip(&instances).zip(&assigned) {
        let count = member.assigned.len().to_string();
        line(
            [
                &group.group,
                &member.member_id,
                instance,
                HOST,
                &member.client_id,
                &count,
            ],
            ["-", assigned, "-", "-"],
        );
    }
}

// ---- state ----

fn states(desk: &mut Desk, admin: usize, groups: &[SeenGroup], verbose: bool) -> Done<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let answer = desk.admin(admin, AdminCall::DescribeCluster { include_fenced: true })??;
    let nodes = match &*answer {
        Answer::Cluster { nodes, .. } => nodes.clone(),
        _ => Vec::new(),
    };
    for group in groups {
        if !says(desk, group, 1) {
            continue;
        }
        let node = nodes.iter().find(|node| Some(node.id) == group.coordinator);
        let coordinator = node.map_or(String::new(), |node| {
            format!("{}:{}  ({})", node.host, node.port, node.id)
        });
        let (g, d) = (
            widest(15, std::iter::once(&*group.group)),
            widest(25, std::iter::once(coordinator.as_str())),
        );
        let strategy = match &*group.assignor {
            "" => "-",
            name => name,
        };
        let mut line = |cells: [&str; 4], epochs: [&str; 2], members: &str| {
            let mut text = format!(
                "\n{} {} {} {}",
                pad(cells[0], g),
                pad(cells[1], d),
                pad(cells[2], 20),
                pad(cells[3], 20)
            );
            if verbose {
                text.push_str(&format!(" {} {}", pad(epochs[0], 15), pad(epochs[1], 25)));
            }
            desk.print(&format!("{text} {members}"));
        };
        line(
            ["GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE"],
            ["GROUP-EPOCH", "TARGET-ASSIGNMENT-EPOCH"],
            "#MEMBERS",
        );
        let count = group.members.len().to_string();
        line([&group.group, &coordinator, strategy, &group.state], ["-", "-"], &count);
        desk.say("");
    }
    Ok(())
}
