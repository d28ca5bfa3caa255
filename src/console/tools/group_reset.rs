//! A group's offsets set anew. [ConsumerGroupCommand.resetOffsets, OffsetsUtils]

use super::group_describe::{committed, log_offsets};
use super::groups::{Done, Failure, scope, topic_partitions};
use super::topics;
use crate::console::desk::Desk;
use crate::console::java::{self, pad, widest};
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::protocol::data::{EARLIEST_TIMESTAMP, LATEST_TIMESTAMP};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

/// Ways to say where to, sorted.
pub const SCENARIOS: [&str; 8] = [
    "by-duration",
    "from-file",
    "shift-by",
    "to-current",
    "to-datetime",
    "to-earliest",
    "to-latest",
    "to-offset",
];

/// New offsets, in the order of the tool's table.
type Plan = Vec<(NamedPartition, i64)>;

pub fn run(desk: &mut Desk, options: &Options, admin: usize, to: Option<i64>, shift: Option<i64>) -> Done<()> {
    let names = scope(desk, options, admin)?;
    let mut all: Vec<(Rc<str>, Plan)> = Vec::new();
    for name in java::names_in_hash_order(names, 16) {
        let what = AdminCall::DescribeGroup { group: name.clone() };
        let state: Rc<str> = match desk.admin(admin, what)? {
            Ok(answer) => match &*answer {
                Answer::Group(group) => group.state.clone(),
                _ => "Dead".into(),
            },
            Err(error) if &*error.class == "GroupIdNotFoundException" => "Dead".into(),
            Err(error) => return Err(java::runtime(java::execution(error)).into()),
        };
        if !matches!(&*state, "Empty" | "Dead") {
            desk.say(&format!(
                "\nError: Assignments can only be reset if the group '{name}' is inactive, but the current state is \
                 {state}."
            ));
            all.push((name, Vec::new()));
            continue;
        }
        let plan = reset(desk, options, admin, &name, (to, shift))?;
        all.push((name, plan));
    }
    let single = options.all("group").len() == 1;
    match options.has("export") {
        true => export(desk, &all, single),
        false => print(desk, &all),
    }
    Ok(())
}

fn table(items: Plan) -> Plan {
    java::hash_order(items, 16, |(partition, _)| java::partition_hash(partition))
}

fn reset(
    desk: &mut Desk,
    options: &Options,
    admin: usize,
    group: &Rc<str>,
    numbers: (Option<i64>, Option<i64>),
) -> Done<Plan> {
    let partitions = chosen(desk, options, admin, group)?;
    valid(desk, admin, &partitions)?;
    let plan = table(prepare(desk, options, admin, group, partitions, numbers)?);
    if options.has("execute") && !options.has("dry-run") {
        let what = AdminCall::AlterGroupOffsets {
            group: group.clone(),
            offsets: plan.clone(),
        };
        desk.admin(admin, what)??;
    }
    Ok(plan)
}

/// [getPartitionsToReset]
fn chosen(desk: &mut Desk, options: &Options, admin: usize, group: &Rc<str>) -> Done<Vec<NamedPartition>> {
    if options.has("all-topics") {
        return Ok(committed(desk, admin, group)?
            .into_iter()
            .map(|(partition, _)| partition)
            .collect());
    }
    if !options.has("topic") {
        return match options.has("from-file") {
            true => Ok(Vec::new()),
            false => Err(Failure::Stop(
                desk.usage("One of the reset scopes should be defined: --all-topics, --topic."),
            )),
        };
    }
    let mut all = Vec::new();
    let mut whole: Vec<Rc<str>> = Vec::new();
    for text in options.all("topic") {
        match text.contains(':') {
            true => all.extend(topic_partitions(text)?),
            false => whole.push(text.into()),
        }
    }
    if !whole.is_empty() {
        for (name, topic) in topics::describe_topics(desk, admin, &whole)?? {
            all.extend(topic.partitions.iter().map(|p| NamedPartition {
                topic: name.clone(),
                partition: p.0.partition,
            }));
        }
    }
    Ok(all)
}

/// [checkAllTopicPartitionsValid]
fn valid(desk: &mut Desk, admin: usize, partitions: &[NamedPartition]) -> Done<()> {
    let names: OrderedSet<Rc<str>> = partitions.iter().map(|p| p.topic.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names: Vec<Rc<str>> = names.into_iter().collect();
    let described = topics::describe_topics(desk, admin, &names)?;
    let described = described.map_err(|error| java::runtime(java::execution(error)))?;
    let leader = |partition: &NamedPartition| {
        let topic = described.get(&partition.topic)?;
        let found = topic.partitions.iter().find(|p| p.0.partition == partition.partition)?;
        Some(found.0.leader)
    };
    let names = |fits: &dyn Fn(Option<i32>) -> bool| -> String {
        let list = partitions.iter().filter(|partition| fits(leader(partition)));
        list.map(ToString::to_string).collect::<Vec<_>>().join(",")
    };
    let missing = names(&|leader| leader.is_none());
    if !missing.is_empty() {
        let text = format!("The partitions \"{missing}\" do not exist");
        return Err(ClientError::new("UnknownTopicOrPartitionException", &text).into());
    }
    let leaderless = names(&|leader| leader.is_some_and(|id| id < 0));
    if !leaderless.is_empty() {
        let text = format!("The partitions \"{leaderless}\" have no leader");
        return Err(ClientError::new("LeaderNotAvailableException", &text).into());
    }
    Ok(())
}

/// [prepareOffsetsToReset]
fn prepare(
    desk: &mut Desk,
    options: &Options,
    admin: usize,
    group: &Rc<str>,
    partitions: Vec<NamedPartition>,
    (to, shift): (Option<i64>, Option<i64>),
) -> Done<Plan> {
    if let Some(offset) = to {
        let wanted = partitions.into_iter().map(|partition| (partition, offset)).collect();
        return in_range(desk, admin, wanted);
    }
    for (option, spec) in [("to-earliest", EARLIEST_TIMESTAMP), ("to-latest", LATEST_TIMESTAMP)] {
        if options.has(option) {
            return Ok(log_offsets(desk, admin, &partitions, spec)?.into_iter().collect());
        }
    }
    if let Some(by) = shift {
        let now = committed(desk, admin, group)?;
        let mut wanted = Vec::new();
        for partition in partitions {
            let Some(Some(offset)) = now.get(&partition) else {
                return Err(Failure::Usage(format!(
                    "Cannot shift offset for partition {partition} since there is no current committed offset"
                )));
            };
            wanted.push((partition, offset.offset.saturating_add(by)));
        }
        return in_range(desk, admin, wanted);
    }
    if let Some(text) = options.one("to-datetime")? {
        let at = moment(text).map_err(java::runtime)?;
        return by_time(desk, admin, partitions, at);
    }
    if let Some(text) = options.one("by-duration")? {
        let Some(ms) = duration(text) else {
            return Err(ClientError::new("DateTimeParseException", "Text cannot be parsed to a Duration").into());
        };
        let at = desk.wall_ms() - ms;
        return by_time(desk, admin, partitions, at);
    }
    if let Some(file) = options.one("from-file")? {
        return from_file(desk, options, admin, group, file);
    }
    if options.has("to-current") {
        let now = committed(desk, admin, group)?;
        let mut plan = Vec::new();
        let mut rest = Vec::new();
        for partition in partitions {
            match now.get(&partition) {
                Some(Some(offset)) => plan.push((partition, offset.offset)),
                _ => rest.push(partition),
            }
        }
        plan.extend(log_offsets(desk, admin, &rest, LATEST_TIMESTAMP)?);
        return Ok(plan);
    }
    let names: Vec<String> = SCENARIOS.iter().map(|name| format!("[{name}]")).collect();
    Err(Failure::Stop(desk.usage(&format!(
        "Option '[reset-offsets]' requires one of the following scenarios: [{}]",
        names.join(", ")
    ))))
}

/// Inside the log. [checkOffsetsRange]
fn in_range(desk: &mut Desk, admin: usize, wanted: Plan) -> Done<Plan> {
    let partitions: Vec<NamedPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let starts = log_offsets(desk, admin, &partitions, EARLIEST_TIMESTAMP)?;
    let ends = log_offsets(desk, admin, &partitions, LATEST_TIMESTAMP)?;
    let mut plan = Vec::new();
    for (partition, offset) in table(wanted) {
        let end = ends.get(&partition).copied().unwrap_or(offset);
        let start = starts.get(&partition).copied().unwrap_or(offset);
        let (kept, why) = match offset {
            offset if offset > end => (end, "higher than latest"),
            offset if offset < start => (start, "lower than earliest"),
            offset => (offset, ""),
        };
        if !why.is_empty() {
            let text = format!(
                "New offset ({offset}) is {why} offset for topic partition {partition}. Value will be set to {kept}"
            );
            desk.log("WARN", &text, "org.apache.kafka.tools.OffsetsUtils", "");
        }
        plan.push((partition, kept));
    }
    Ok(plan)
}

fn by_time(desk: &mut Desk, admin: usize, partitions: Vec<NamedPartition>, at: i64) -> Done<Plan> {
    let found = log_offsets(desk, admin, &partitions, at)?;
    let (mut plan, rest): (Plan, Plan) = table(found.into_iter().collect())
        .into_iter()
        .partition(|(_, offset)| *offset >= 0);
    let rest: Vec<NamedPartition> = rest.into_iter().map(|(partition, _)| partition).collect();
    for partition in &rest {
        desk.say(&format!(
            "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.",
            partition.partition, partition.topic
        ));
    }
    plan.extend(log_offsets(desk, admin, &rest, LATEST_TIMESTAMP)?);
    Ok(plan)
}

fn from_file(desk: &mut Desk, options: &Options, admin: usize, group: &Rc<str>, file: &str) -> Done<Plan> {
    let Some(text) = desk.file(file) else {
        let cause = ClientError::new("NoSuchFileException", file);
        return Err(java::runtime(cause).into());
    };
    let single = options.all("group").len() == 1;
    let mut wanted: OrderedMap<NamedPartition, i64> = OrderedMap::new();
    let mut known = false;
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let (of, topic, partition, offset) = match cells[..] {
            [topic, partition, offset] if single => (&**group, topic, partition, offset),
            [group, topic, partition, offset] => (group, topic, partition, offset),
            _ => continue,
        };
        let (Ok(partition), Ok(offset)) = (partition.trim().parse(), offset.trim().parse()) else {
            continue;
        };
        if of == &**group {
            known = true;
            let topic = topic.into();
            wanted.insert(NamedPartition { topic, partition }, offset);
        }
    }
    if !known {
        desk.say(&format!("\nError: No reset plan for group {group} found"));
        return Ok(Vec::new());
    }
    in_range(desk, admin, wanted.into_iter().collect())
}

/// `2026-01-01T00:00:00.000`, UTC unless a zone follows. [Utils.getDateTime]
fn moment(text: &str) -> Result<i64, ClientError> {
    let wrong = |why: &str| ClientError::new("ParseException", why);
    let Some((date, time)) = text.split_once('T') else {
        return Err(wrong(
            "Error parsing timestamp. It does not contain a 'T' according to ISO8601 format",
        ));
    };
    let unparseable = || wrong(&format!("Unparseable date: \"{text}\""));
    let (time, zone) = match time.find(['+', '-', 'Z']) {
        Some(at) => time.split_at(at),
        None => (time, ""),
    };
    let numbers = |text: &str, by: char| -> Option<Vec<i64>> { text.split(by).map(|n| n.parse().ok()).collect() };
    let date = numbers(date, '-')
        .filter(|parts| parts.len() == 3)
        .ok_or_else(unparseable)?;
    let (clock, ms) = time.split_once('.').unwrap_or((time, "0"));
    let clock = numbers(clock, ':')
        .filter(|parts| parts.len() >= 2)
        .ok_or_else(unparseable)?;
    let ms: i64 = ms.parse().map_err(|_| unparseable())?;
    let zone_minutes = match zone {
        "" | "Z" => 0,
        zone => {
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let number: i64 = digits.parse().map_err(|_| unparseable())?;
            let minutes = if digits.len() > 2 {
                number / 100 * 60 + number % 100
            } else {
                number * 60
            };
            if zone.starts_with('-') { -minutes } else { minutes }
        }
    };
    let days = java::days(date[0].clamp(0, 9999), date[1].clamp(1, 12), date[2].clamp(1, 31));
    let seconds =
        clock[0].clamp(0, 99) * 3600 + clock[1].clamp(0, 99) * 60 + clock.get(2).map_or(0, |s| *s.clamp(&0, &99));
    Ok((days * 86_400 + seconds - zone_minutes.clamp(-6000, 6000) * 60) * 1000 + ms.clamp(0, 999))
}

/// `P1DT2H3M4S` in milliseconds. [Duration.parse]
fn duration(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let rest = rest.strip_prefix(['P', 'p'])?;
    let mut total: i64 = 0;
    let mut number = String::new();
    let mut time = false;
    let mut any = false;
    for c in rest.chars() {
        match c.to_ascii_uppercase() {
            'T' if number.is_empty() && !time => time = true,
            unit @ ('D' | 'H' | 'M' | 'S') => {
                let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
                let whole: i64 = whole.parse().ok()?;
                let ms = match (unit, time) {
                    ('D', false) => 86_400_000,
                    ('H', true) => 3_600_000,
                    ('M', true) => 60_000,
                    ('S', true) => 1000,
                    _ => return None,
                };
                let part: String = part.chars().chain("000".chars()).take(3).collect();
                total = total.checked_add(whole.checked_mul(ms)?)?;
                total = total.checked_add(if unit == 'S' { part.parse().ok()? } else { 0 })?;
                number.clear();
                any = true;
            }
            c => number.push(c),
        }
    }
    (any && number.is_empty()).then_some(total.checked_mul(sign)?)
}

fn print(desk: &mut Desk, all: &[(Rc<str>, Plan)]) {
    let g = widest(15, all.iter().map(|(group, _)| &**group));
    let t = widest(15, all.iter().flat_map(|(_, plan)| plan.iter().map(|(p, _)| &*p.topic)));
    let mut line = |cells: [&str; 4]| {
        let text = format!(
            "\n{} {} {} {}",
            pad(cells[0], g),
            pad(cells[1], t),
            pad(cells[2], 10),
            cells[3]
        );
        desk.print(&text);
    };
    if !all.is_empty() {
        line(["GROUP", "TOPIC", "PARTITION", "NEW-OFFSET"]);
    }
    for (group, plan) in all {
        for (partition, offset) in plan {
            line([
                group,
                &partition.topic,
                &partition.partition.to_string(),
                &offset.to_string(),
            ]);
        }
    }
    desk.say("");
}

fn export(desk: &mut Desk, all: &[(Rc<str>, Plan)], single: bool) {
    for (group, plan) in all {
        for (partition, offset) in plan {
            let row = format!("{},{},{offset}", partition.topic, partition.partition);
            match single {
                true => desk.say(&row),
                false => desk.say(&format!("{group},{row}")),
            }
        }
    }
    desk.say("");
}
