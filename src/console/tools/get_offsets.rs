//! `kafka-get-offsets.sh`: offsets of partitions by place or time. [GetOffsetShell]

use super::{producer, topics};
use crate::console::desk::{Desk, Run, Stop};
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::client::consumer::pattern::Pattern;
use crate::kafka::protocol::data::Isolation;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const ABOUT: &str = "An interactive shell for getting topic-partition offsets.";

/// Names of places and the numbers that stand for them.
const PLACES: [(&str, i64); 6] = [
    ("latest", -1),
    ("earliest", -2),
    ("max-timestamp", -3),
    ("earliest-local", -4),
    ("latest-tiered", -5),
    ("earliest-pending-upload", -6),
];

/// A rule for partitions: which topics, from which number, below which.
struct Filter {
    topics: Option<Pattern>,
    partitions: Ranges,
}

/// Lower bounds with upper ones that are not taken in; none: all.
type Ranges = Option<Vec<(i32, i32)>>;

pub fn run(desk: &mut Desk) -> Run<()> {
    if desk.words.is_empty() {
        return Err(desk.usage(ABOUT));
    }
    let done = match Options::read(desk.usage, desk.words) {
        Ok(options) => offsets(desk, &options),
        Err(error) => Err(Failure::Terse(error.message())),
    };
    match done {
        Ok(()) => Ok(()),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Terse(text)) => {
            desk.err(&format!("Error occurred: {text}"));
            Err(Stop::Exit(1))
        }
        Err(Failure::Thrown(error)) => {
            desk.err(&format!("Error occurred: {}", java::message(&error)));
            desk.err(&java::trace(&error));
            Err(Stop::Exit(1))
        }
    }
}

fn offsets(desk: &mut Desk, options: &Options) -> Done<()> {
    desk.help_or_version(options, ABOUT)?;
    desk.require(options, &["bootstrap-server"])?;
    producer::bootstrap(desk, options)?;
    if options.has("topic-partitions") && (options.has("topic") || options.has("partitions")) {
        let text = "--topic-partitions cannot be used with --topic or --partitions";
        return Err(Failure::Terse(text.into()));
    }
    let spec = spec(options.all("time").first().copied().unwrap_or("latest"))?;
    let filters = match options.all("topic-partitions").first() {
        Some(list) => list.split(',').map(rule).collect::<Result<Vec<_>, _>>()?,
        None => vec![chosen(options)?],
    };
    let servers = options.all("bootstrap-server").join(",");
    let admin = match desk.open_admin(&servers, "GetOffsetShell", OrderedMap::new())? {
        Ok(admin) => admin,
        Err(error) => return Err(Failure::Thrown(error)),
    };
    let partitions = matching(desk, options, admin, &filters)?;
    if partitions.is_empty() {
        let text = "Could not match any topic-partitions with the specified filters";
        return Err(Failure::Terse(text.into()));
    }
    let what = AdminCall::ListOffsets {
        partitions: partitions.iter().map(|partition| (partition.clone(), spec)).collect(),
        isolation: Isolation::ReadUncommitted,
    };
    let answer = desk.admin(admin, what)?;
    let mut lines: Vec<(String, String)> = Vec::new();
    for partition in partitions {
        let found = match answer.as_deref() {
            Ok(Answer::Offsets(all)) => all.get(&partition).cloned().unwrap_or(Ok(None)),
            Ok(_) => Ok(None),
            Err(error) => Err(error.clone()),
        };
        match found {
            Ok(Some((offset, ..))) if offset >= 0 => {
                let line = format!("{}:{}:{offset}", partition.topic, partition.partition);
                lines.push((partition.to_string(), line));
            }
            Ok(_) => {}
            Err(error) => desk.err(&format!(
                "Skip getting offsets for topic-partition {partition} due to error: {}",
                java::text(&error)
            )),
        }
    }
    lines.sort_small();
    for (_, line) in lines {
        desk.say(&line);
    }
    Ok(())
}

/// [parseOffsetSpec]
fn spec(text: &str) -> Result<i64, Failure> {
    if let Some((_, number)) = PLACES.iter().find(|(name, _)| *name == text) {
        return Ok(*number);
    }
    text.parse().map_err(|_| {
        Failure::Terse(format!(
            "Malformed time argument {text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or \
             earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp"
        ))
    })
}

fn pattern(text: &str) -> Done<Pattern> {
    topics::include(text).map_err(|text| Failure::Thrown(ClientError::new("RuntimeException", &text)))
}

/// `--topic` and `--partitions`. [createTopicPartitionFilterWithTopicAndPartitionPattern]
fn chosen(options: &Options) -> Done<Filter> {
    let topics = options.all("topic").first().map(|text| pattern(text)).transpose()?;
    let partitions = match options.all("partitions").first() {
        None | Some(&"") => None,
        Some(list) => {
            let numbers: Result<Vec<i32>, _> = list.split(',').map(str::parse).collect();
            let numbers = numbers.map_err(|_| {
                Failure::Terse(format!(
                    "--partitions expects a comma separated list of numeric partition ids, but received: {list}"
                ))
            })?;
            Some(numbers.into_iter().map(|n| (n, n.saturating_add(1))).collect())
        }
    };
    Ok(Filter { topics, partitions })
}

/// `TOPIC:PARTITIONS`, where the second is a number, `A-B`, `A-`, `-B` or nothing. [parseRuleSpec]
fn rule(text: &str) -> Done<Filter> {
    let wrong = || {
        let cause = ClientError::new("TerseException", &format!("Invalid rule specification: {text}"));
        Failure::Thrown(java::runtime(cause))
    };
    let (topic, range) = text.split_once(':').unwrap_or((text, ""));
    let number = |text: &str, default: i32| match text {
        "" => Some(default),
        text if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    let bounds = match range.split_once('-') {
        None if range.is_empty() => None,
        None => {
            let one = number(range, 0).ok_or_else(wrong)?;
            Some(vec![(one, one.saturating_add(1))])
        }
        Some((low, high)) => Some(vec![(
            number(low, 0).ok_or_else(wrong)?,
            number(high, i32::MAX).ok_or_else(wrong)?,
        )]),
    };
    Ok(Filter {
        topics: match topic {
            "" => None,
            topic => Some(pattern(topic)?),
        },
        partitions: bounds,
    })
}

/// [listPartitionInfos]
fn matching(desk: &mut Desk, options: &Options, admin: usize, filters: &[Filter]) -> Done<Vec<NamedPartition>> {
    let thrown = |error| Failure::Thrown(java::execution(error));
    let hidden = options.has("exclude-internal-topics");
    let fits = |filter: &Filter, name: &str| filter.topics.as_ref().is_none_or(|pattern| pattern.matches(name));
    let all = topics::all_topics(desk, admin)?.map_err(thrown)?;
    let names: Vec<Rc<str>> = all
        .into_iter()
        .filter(|(name, internal)| !(hidden && *internal) && filters.iter().any(|filter| fits(filter, name)))
        .map(|(name, _)| name)
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let described = topics::describe_topics(desk, admin, &names)?.map_err(thrown)?;
    let mut out = Vec::new();
    for (name, topic) in &described {
        for partition in topic.partitions.iter().map(|p| p.0.partition) {
            let inside = |filter: &&Filter| {
                let ranges = filter.partitions.as_ref();
                ranges.is_none_or(|all| all.iter().any(|(low, high)| (*low..*high).contains(&partition)))
            };
            if filters
                .iter()
                .filter(|filter| fits(filter, name))
                .any(|filter| inside(&filter))
            {
                out.push(NamedPartition {
                    topic: name.clone(),
                    partition,
                });
            }
        }
    }
    Ok(out)
}
