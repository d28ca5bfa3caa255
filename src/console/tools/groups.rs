//! `kafka-consumer-groups.sh`: list, describe, delete, offsets. [ConsumerGroupCommand, ConsumerGroupCommandOptions]

use super::{group_describe, group_reset, topics};
use crate::console::desk::{Desk, Run, Stop};
use crate::console::java::{self, pad, widest};
use crate::console::options::{OptionError, Options};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::client::consumer::pattern::Pattern;
use crate::kafka::protocol::groups::GroupListing;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const ACTIONS: [&str; 6] = [
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];
const STATES: [&str; 7] = [
    "Assigning",
    "CompletingRebalance",
    "Dead",
    "Empty",
    "PreparingRebalance",
    "Reconciling",
    "Stable",
];

/// What ends a plan.
pub enum Failure {
    Stop(Stop),
    /// An exception: printed, exit 0.
    Thrown(ClientError),
    /// An option's value cannot be read: printed alike.
    Option(OptionError),
    /// An IllegalArgumentException: the table of options.
    Usage(String),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Option(error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Thrown(error)
    }
}

pub type Done<T> = Result<T, Failure>;

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => return Err(main_thread(desk, &error)),
    };
    if let Some(error) = unavailable(&options) {
        return Err(main_thread(desk, &error));
    }
    check(desk, &options)?;
    let actions = ACTIONS.iter().filter(|action| options.has(action)).count();
    if actions != 1 {
        return Err(desk.usage(
            "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, \
             --validate-regex",
        ));
    }
    match act(desk, &options) {
        Ok(()) => Ok(()),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Usage(text)) => Err(desk.usage(&text)),
        Err(Failure::Thrown(error)) => {
            let text = format!(
                "\nError: Executing consumer group command failed due to {}",
                java::message(&error)
            );
            desk.say(&text);
            desk.err_text(&java::trace(&error));
            Ok(())
        }
        Err(Failure::Option(error)) => {
            let text = format!(
                "\nError: Executing consumer group command failed due to {}",
                error.message()
            );
            desk.say(&text);
            desk.err_text(&error.trace());
            Ok(())
        }
    }
}

fn main_thread(desk: &mut Desk, error: &OptionError) -> Stop {
    desk.err_text(&format!("Exception in thread \"main\" {}", error.trace()));
    Stop::Exit(1)
}

/// Options that need another one beside them. [availableIf]
fn unavailable(options: &Options) -> Option<OptionError> {
    let rules: [(&str, &[&str]); 5] = [
        ("members", &["describe"]),
        ("offsets", &["describe"]),
        ("state", &["describe", "list"]),
        ("type", &["list"]),
        ("verbose", &["describe"]),
    ];
    let broken = rules
        .iter()
        .filter(|(name, beside)| options.has(name) && !beside.iter().any(|other| options.has(other)));
    let names: Vec<&str> = broken.map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| OptionError::Unavailable(names.join(", ")))
}

/// [ConsumerGroupCommandOptions.checkArgs]
fn check(desk: &mut Desk, options: &Options) -> Run<()> {
    desk.help_or_version(
        options,
        "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or reset \
         consumer group offsets.",
    )?;
    if !options.has("validate-regex") {
        desk.require(options, &["bootstrap-server"])?;
    }
    let scoped = options.has("group") || options.has("all-groups");
    let scope = |action: &str| format!("Option [{action}] takes one of these options: [all-groups], [group]");
    if options.has("describe") {
        if !scoped {
            return Err(desk.usage(&scope("describe")));
        }
        if ["members", "offsets", "state"]
            .iter()
            .filter(|name| options.has(name))
            .count()
            > 1
        {
            return Err(
                desk.usage("Option [describe] takes at most one of these options: [members], [offsets], [state]")
            );
        }
        if !options.all("state").is_empty() {
            return Err(desk.usage("Option [describe] does not take a value for [state]"));
        }
    }
    if options.has("delete") {
        if !scoped {
            return Err(desk.usage(&scope("delete")));
        }
        if options.has("topic") {
            return Err(
                desk.usage("The consumer does not support topic-specific offset deletion from a consumer group.")
            );
        }
    }
    if options.has("delete-offsets") && !(options.has("group") && options.has("topic")) {
        return Err(desk.usage("Option [delete-offsets] takes the following options: [group], [topic]"));
    }
    if options.has("reset-offsets") {
        check_reset(desk, options, scoped)?;
    }
    desk.refuse(options, "group", &["all-groups"])?;
    desk.refuse(options, "group", &["list"])?;
    desk.refuse(options, "topic", &["list", "describe"])
}

fn check_reset(desk: &mut Desk, options: &Options, scoped: bool) -> Run<()> {
    match (options.has("dry-run"), options.has("execute")) {
        (true, true) => {
            return Err(desk.usage("Option [reset-offsets] only accepts one of [execute] and [dry-run]"));
        }
        (false, false) => desk.err(
            "WARN: No action will be performed as the --execute option is missing. In version 5.0, this command will \
             require either --dry-run or --execute to be specified. You should add the --dry-run option explicitly if \
             you are scripting this command and want to keep the current default behavior without prompting.",
        ),
        _ => {}
    }
    if !scoped {
        return Err(desk.usage("Option [reset-offsets] takes one of these options: [all-groups], [group]"));
    }
    for used in [
        "to-offset",
        "to-datetime",
        "by-duration",
        "to-earliest",
        "to-latest",
        "to-current",
        "shift-by",
        "from-file",
    ] {
        let others: Vec<&str> = group_reset::SCENARIOS
            .iter()
            .filter(|one| **one != used)
            .copied()
            .collect();
        desk.refuse(options, used, &others)?;
    }
    Ok(())
}

fn act(desk: &mut Desk, options: &Options) -> Done<()> {
    if let Some(regex) = options.one("validate-regex")? {
        return validate(desk, regex);
    }
    let timeout = options.number::<i64>("timeout")?.unwrap_or(30_000);
    let mut config = OrderedMap::new();
    config.insert("default.api.timeout.ms".to_string(), timeout.to_string());
    if timeout < 30_000 {
        config.insert("request.timeout.ms".to_string(), timeout.to_string());
    }
    // Converted before anything is asked. [ConsumerGroupService.getOffsetsUtilsOptions]
    let to_offset = options.number::<i64>("to-offset")?;
    let shift_by = options.number::<i64>("shift-by")?;
    let servers = options.all("bootstrap-server").join(",");
    let admin = desk.open_admin(&servers, "adminclient-1", config)??;
    if options.has("list") {
        return list(desk, options, admin);
    }
    if options.has("describe") {
        return group_describe::run(desk, options, admin);
    }
    if options.has("delete") {
        return delete(desk, options, admin);
    }
    if options.has("reset-offsets") {
        return group_reset::run(desk, options, admin, to_offset, shift_by);
    }
    delete_offsets(desk, options, admin)
}

fn validate(desk: &mut Desk, regex: &str) -> Done<()> {
    match Pattern::new(regex) {
        Ok(_) => desk.say(&format!("The regular expression `{regex}` is valid.")),
        Err(_) => {
            // RE2/J's words for the commonest mistakes.
            let why = match (regex.matches('(').count(), regex.matches(')').count()) {
                (open, close) if open > close => "missing closing )",
                (open, close) if open < close => "unexpected )",
                _ if regex.contains('[') && !regex.contains(']') => "missing closing ]",
                _ => "missing argument to repetition operator",
            };
            desk.say(&format!("The regular expression `{regex}` is invalid: {why}."));
        }
    }
    Ok(())
}

// ---- list ----

/// Groups of consumers, in the order of the admin client's table. [KafkaAdminClient.listGroups]
pub fn groups(desk: &mut Desk, admin: usize) -> Run<Result<Vec<GroupListing>, ClientError>> {
    Ok(desk.admin(admin, AdminCall::ListGroups)?.map(|answer| match &*answer {
        Answer::Groups(all) => {
            let consumers = all.iter().filter(|group| matches!(&*group.1, "consumer" | ""));
            java::hash_order(consumers.cloned().collect(), 16, |group| {
                crate::kafka::hash::java_string_hash(&group.0)
            })
        }
        _ => Vec::new(),
    }))
}

/// `--group`s, or all.
pub fn scope(desk: &mut Desk, options: &Options, admin: usize) -> Done<Vec<Rc<str>>> {
    if !options.has("all-groups") {
        return Ok(options.all("group").into_iter().map(Rc::from).collect());
    }
    let all = groups(desk, admin)?.map_err(listing_failed)?;
    Ok(all.into_iter().map(|group| group.0).collect())
}

fn listing_failed(error: ClientError) -> ClientError {
    let cause = ClientError::new("KafkaException", "Failed to find brokers to send ListGroups").caused_by(error);
    java::runtime(java::execution(cause))
}

fn list(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let (kinds, states) = (options.has("type"), options.has("state"));
    let wanted = filters(options.one("state")?, &STATES, "state list", "states")?;
    let wanted_kinds = filters(options.one("type")?, &["Classic", "Consumer"], "types list", "types")?;
    let all = groups(desk, admin)?.map_err(listing_failed)?;
    if !kinds && !states {
        for group in all {
            desk.say(&group.0);
        }
        return Ok(());
    }
    let fits = |wanted: &[String], is: &str| wanted.is_empty() || wanted.iter().any(|one| one.eq_ignore_ascii_case(is));
    let all: Vec<GroupListing> = all
        .into_iter()
        .filter(|group| fits(&wanted, &group.2) && fits(&wanted_kinds, kind(group)))
        .collect();
    let width = widest(15, all.iter().map(|group| &*group.0)) + 10;
    let mut line = |group: &str, kind: &str, state: &str| {
        let mut text = pad(group, width);
        if kinds {
            text.push_str(&format!(" {}", pad(kind, 20)));
        }
        if states {
            text.push_str(&format!(" {}", pad(state, 20)));
        }
        desk.say(&text);
    };
    line("GROUP", "TYPE", "STATE");
    for group in &all {
        line(&group.0, kind(group), &group.2);
    }
    Ok(())
}

/// `Classic` or `Consumer`.
fn kind(group: &GroupListing) -> &str {
    match &*group.3 {
        kind if kind.eq_ignore_ascii_case("consumer") => "Consumer",
        _ => "Classic",
    }
}

fn filters(text: Option<&str>, valid: &[&str], what: &str, plural: &str) -> Done<Vec<String>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_string()).collect();
    let known = |part: &String| valid.iter().any(|one| one.eq_ignore_ascii_case(part));
    if !parts.iter().all(known) {
        return Err(Failure::Usage(format!(
            "Invalid {what} '{text}'. Valid {plural} are: {}",
            valid.join(", ")
        )));
    }
    Ok(parts)
}

// ---- delete ----

fn quoted(names: &[Rc<str>]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    names.join(", ")
}

fn delete(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let names = scope(desk, options, admin)?;
    let mut done = Vec::new();
    let mut failed = Vec::new();
    for name in java::names_in_hash_order(names, 16) {
        match desk.admin(admin, AdminCall::DeleteGroup { group: name.clone() })? {
            Ok(_) => done.push(name),
            Err(error) => failed.push((name, error)),
        }
    }
    if failed.is_empty() {
        desk.say(&format!(
            "Deletion of requested consumer groups ({}) was successful.",
            quoted(&done)
        ));
        return Ok(());
    }
    desk.say("\nError: Deletion of some consumer groups failed:");
    for (name, error) in failed {
        desk.say(&format!(
            "* Group '{name}' could not be deleted due to: {}",
            java::text(&error)
        ));
    }
    if !done.is_empty() {
        desk.say(&format!(
            "\nThese consumer groups were deleted successfully: {}",
            quoted(&done)
        ));
    }
    Ok(())
}

/// `topic:0,1`. [OffsetsUtils.parseTopicsWithPartitions]
pub fn topic_partitions(text: &str) -> Done<Vec<NamedPartition>> {
    let (topic, list) = match text.split(':').collect::<Vec<&str>>()[..] {
        [topic, list] => (topic, list),
        _ => {
            let text = format!("Invalid topic arg '{text}', expected topic name and partitions");
            return Err(Failure::Usage(text));
        }
    };
    list.split(',')
        .map(|number| match number.parse() {
            Ok(partition) => Ok(NamedPartition {
                topic: topic.into(),
                partition,
            }),
            Err(_) => Err(Failure::Usage(format!(
                "Invalid partition '{number}' specified in topic arg '{text}''"
            ))),
        })
        .collect()
}

fn delete_offsets(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let group: Rc<str> = options.one("group")?.unwrap_or("").into();
    let mut partitions = Vec::new();
    let mut results: Vec<(NamedPartition, Option<ClientError>)> = Vec::new();
    for text in options.all("topic") {
        if text.contains(':') {
            partitions.extend(topic_partitions(text)?);
            continue;
        }
        let topic: Rc<str> = text.into();
        match topics::describe_topics(desk, admin, std::slice::from_ref(&topic))? {
            Ok(described) => {
                let all = described.values().flat_map(|topic| topic.partitions.iter());
                partitions.extend(all.map(|p| NamedPartition {
                    topic: topic.clone(),
                    partition: p.0.partition,
                }));
            }
            Err(error) => results.push((NamedPartition { topic, partition: -1 }, Some(error))),
        }
    }
    let what = AdminCall::DeleteGroupOffsets {
        group: group.clone(),
        partitions: partitions.clone(),
    };
    let answer = desk.admin(admin, what)?;
    let mut first = answer.as_ref().err().cloned();
    for partition in partitions {
        let error = match answer.as_deref() {
            Ok(Answer::Each(each)) => each.get(&*partition.to_string()).and_then(|one| one.clone().err()),
            Ok(_) => None,
            Err(error) => Some(error.clone()),
        };
        first = first.or(error.clone());
        results.push((partition, error));
    }
    match &first {
        None => desk.say(&format!("Request succeeded for deleting offsets from group {group}.")),
        Some(error) => match &*error.class {
            "GroupSubscribedToTopicException" | "TopicAuthorizationException" | "UnknownTopicOrPartitionException" => {
                desk.say("\nError: Encountered some partition-level error, see the follow-up details.");
            }
            "InvalidGroupIdException"
            | "GroupIdNotFoundException"
            | "GroupNotEmptyException"
            | "GroupAuthorizationException" => desk.say(&format!("\nError: {}", java::message(error))),
            _ => desk.say("\nError: Encountered some unknown error: UNKNOWN_SERVER_ERROR"),
        },
    }
    let width = widest(15, results.iter().map(|(partition, _)| &*partition.topic));
    let mut line = |topic: &str, partition: &str, status: &str| {
        let text = format!("\n{} {} {}", pad(topic, width), pad(partition, 10), pad(status, 15));
        desk.print(&text);
    };
    line("TOPIC", "PARTITION", "STATUS");
    results.sort_small_by_key(|(partition, _)| format!("{}{}", partition.topic, partition.partition));
    for (partition, error) in results {
        let status = match error {
            None => "Successful".to_string(),
            Some(error) => format!("Error: {}", java::text(&error)),
        };
        let number = match partition.partition {
            n if n >= 0 => n.to_string(),
            _ => "-".to_string(),
        };
        line(&partition.topic, &number, &status);
    }
    desk.say("");
    Ok(())
}
