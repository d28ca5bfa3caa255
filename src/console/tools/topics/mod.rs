//! `kafka-topics.sh`: create, list, describe, alter, delete. [TopicCommand]

mod describe;

use crate::console::desk::{Desk, Run, Stop};
use crate::console::java;
use crate::console::options::{OptionError, Options};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, CallResult, ClientError, SeenTopic};
use crate::kafka::client::consumer::pattern::Pattern;
use crate::kafka::config::TopicConfig;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::types::TopicId;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const LOGGER: &str = "org.apache.kafka.tools.TopicCommand";
const ACTIONS: [&str; 5] = ["create", "list", "alter", "describe", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "unavailable-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
];
const ALTER_CONFIGS: &str = " (To alter topic configurations, the kafka-configs tool can be used.)";
const COLLISIONS: &str = "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') \
                          could collide. To avoid issues it is best to use either, but not both.";

/// What ends a plan.
enum Failure {
    Stop(Stop),
    /// An exception and its trace.
    Thrown(String, String),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Thrown(error.message(), error.trace())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Thrown(java::message(&error).to_string(), java::trace(&error))
    }
}

type Done<T> = Result<T, Failure>;

pub fn run(desk: &mut Desk) -> Run<()> {
    let words = desk.words;
    let options = match Options::read(desk.usage, words) {
        Ok(options) => options,
        Err(error) => {
            desk.err(&error.message());
            desk.err(&error.trace());
            return Err(Stop::Exit(1));
        }
    };
    check(desk, &options)?;
    let servers = options.all("bootstrap-server").join(",");
    let admin = match desk.open_admin(&servers, "adminclient-1", OrderedMap::new())? {
        Ok(admin) => admin,
        Err(error) => {
            desk.err(java::message(&error));
            desk.err(&java::trace(&error));
            return Err(Stop::Exit(1));
        }
    };
    let done = match ACTIONS.iter().find(|action| options.has(action)) {
        Some(&"create") => create(desk, &options, admin),
        Some(&"alter") => alter(desk, &options, admin),
        Some(&"list") => list(desk, &options, admin),
        Some(&"describe") => describe::describe(desk, &options, admin),
        _ => delete(desk, &options, admin),
    };
    match done {
        Ok(()) => Ok(()),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Thrown(message, trace)) => {
            desk.say(&format!("Error while executing topic command : {message}"));
            desk.log("ERROR", &trace, LOGGER, "");
            Err(Stop::Exit(1))
        }
    }
}

/// [TopicCommandOptions.checkArgs]
fn check(desk: &mut Desk, options: &Options) -> Run<()> {
    if desk.words.is_empty() {
        return Err(desk.usage("Create, delete, describe, or change a topic."));
    }
    desk.help_or_version(
        options,
        "This tool helps to create, delete, describe, or change a topic.",
    )?;
    if ACTIONS.iter().filter(|action| options.has(action)).count() != 1 {
        return Err(
            desk.usage("Command must include exactly one action: --list, --describe, --create, --alter or --delete")
        );
    }
    if options.has("delete-config") {
        desk.err(
            "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully \
             removed in future releases.",
        );
    }
    if !options.has("bootstrap-server") {
        let text = "--bootstrap-server must be specified";
        desk.err(text);
        desk.err(&format!("java.lang.IllegalArgumentException: {text}\n"));
        return Err(Stop::Exit(1));
    }
    if options.has("describe") && options.has("if-exists") {
        if !options.has("topic") && !options.has("topic-id") {
            return Err(desk.usage("--topic or --topic-id is required to describe a topic"));
        }
        if options.has("topic") && options.has("topic-id") {
            desk.say(
                "Only topic id will be used when both --topic and --topic-id are specified and topicId is not \
                 Uuid.ZERO_UUID",
            );
        }
    }
    if !options.has("list") && !options.has("describe") {
        desk.require(options, &["topic"])?;
    }
    if options.has("alter") {
        if options.has("config") {
            return Err(desk.usage(&format!(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\"{ALTER_CONFIGS}"
            )));
        }
        desk.require(options, &["partitions"])?;
    }
    check_combinations(desk, options)
}

/// [TopicCommandOptions.checkInvalidArgs]
fn check_combinations(desk: &mut Desk, options: &Options) -> Run<()> {
    let without = |kept: &[&str]| -> Vec<&str> {
        ACTIONS
            .iter()
            .filter(|action| !kept.contains(action))
            .copied()
            .collect()
    };
    for (used, kept) in [
        ("config", &["alter", "create"][..]),
        ("partitions", &["alter", "create"]),
        ("replication-factor", &["create"]),
        ("replica-assignment", &["alter", "create"]),
    ] {
        desk.refuse(options, used, &without(kept))?;
    }
    if options.has("create") {
        desk.refuse(options, "replica-assignment", &["partitions", "replication-factor"])?;
    }
    for report in [REPORTS[0], REPORTS[2], REPORTS[3], REPORTS[1]] {
        let mut others = without(&["describe"]);
        others.push("topics-with-overrides");
        desk.refuse(options, report, &others)?;
    }
    let mut others = without(&["describe"]);
    others.extend(REPORTS);
    desk.refuse(options, "topics-with-overrides", &others)?;
    for (used, kept) in [
        ("if-exists", &["alter", "delete", "describe"][..]),
        ("if-not-exists", &["create"]),
        ("exclude-internal", &["list", "describe"]),
    ] {
        desk.refuse(options, used, &without(kept))?;
    }
    Ok(())
}

fn thrown<T>(class: &str, message: &str) -> Done<T> {
    Err(Failure::from(ClientError::new(class, message)))
}

// ---- create ----

/// `1:2:3,2:3:1`. [TopicCommand.parseReplicaAssignment]
fn assignments(text: &str) -> Done<Vec<Vec<i32>>> {
    let mut all: Vec<Vec<i32>> = Vec::new();
    for (index, part) in text.split(',').enumerate() {
        let mut ids = Vec::new();
        for id in part.split(':') {
            match id.trim().parse::<i32>() {
                Ok(id) => ids.push(id),
                Err(_) => return thrown("NumberFormatException", &format!("For input string: \"{}\"", id.trim())),
            }
        }
        let twice: Vec<i32> = (0..ids.len())
            .filter(|i| ids[..*i].contains(&ids[*i]))
            .map(|i| ids[i])
            .collect();
        if !twice.is_empty() {
            let text = format!(
                "Partition replica lists may not contain duplicate entries: {}",
                java::numbers(&twice)
            );
            return thrown("AdminCommandFailedException", &text);
        }
        if all.first().is_some_and(|first| first.len() != ids.len()) {
            let list: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let text = format!(
                "Partition {index} has different replication factor: [{}]",
                list.join(", ")
            );
            return thrown("AdminOperationException", &text);
        }
        all.push(ids);
    }
    Ok(all)
}

/// `--config`s, checked as the broker would. [TopicCommand.parseTopicConfigsToBeAdded]
fn configs(options: &Options) -> Done<OrderedMap<String, String>> {
    let mut all = OrderedMap::new();
    for config in options.all("config") {
        let parts: Vec<&str> = config.split('=').map(str::trim).collect();
        let [name, value] = parts[..] else {
            return thrown(
                "IllegalArgumentException",
                "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
            );
        };
        if value.is_empty() {
            return thrown(
                "IllegalArgumentException",
                "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".",
            );
        }
        all.insert(name.to_string(), value.to_string());
    }
    match TopicConfig::from_map(&all) {
        Ok(_) => Ok(all),
        Err(error) => Err(ClientError::from(error).into()),
    }
}

/// What stands in a create or alter command: partitions, replication factor, assignments, settings.
type Wanted = (
    Option<i32>,
    Option<i32>,
    Option<Vec<Vec<i32>>>,
    OrderedMap<String, String>,
);

/// [CommandTopicPartition]
fn wanted(options: &Options) -> Done<Wanted> {
    let partitions = options.number::<i32>("partitions")?;
    let factor = options.number::<i32>("replication-factor")?;
    let assigned = match options.one("replica-assignment")? {
        None | Some("") => None,
        Some(text) => Some(assignments(text)?),
    };
    Ok((partitions, factor, assigned, configs(options)?))
}

fn create(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let name = options.one("topic")?.unwrap_or("");
    let (partitions, factor, assigned, configs) = wanted(options)?;
    if name.contains(['.', '_']) {
        desk.say(COLLISIONS);
    }
    if factor.is_some_and(|factor| !(1..=i32::from(i16::MAX)).contains(&factor)) {
        return thrown(
            "IllegalArgumentException",
            "The replication factor must be between 1 and 32767 inclusive",
        );
    }
    if partitions.is_some_and(|count| count < 1) {
        return thrown("IllegalArgumentException", "The partitions must be greater than 0");
    }
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: partitions.unwrap_or(-1),
        replication_factor: factor.and_then(|factor| i16::try_from(factor).ok()).unwrap_or(-1),
        assignments: (0..).zip(assigned.unwrap_or_default()).collect(),
        configs: configs
            .iter()
            .map(|(k, v)| (k.as_str().into(), Some(v.as_str().into())))
            .collect(),
    };
    let what = AdminCall::CreateTopics {
        topics: vec![topic],
        validate_only: false,
    };
    match desk.admin(admin, what)? {
        Ok(_) => desk.say(&format!("Created topic {name}.")),
        Err(error) if &*error.class == "TopicExistsException" && options.has("if-not-exists") => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

// ---- which topics ----

/// Names of topics, and whether they are internal.
pub type TopicNames = Vec<(Rc<str>, bool)>;

/// All topics.
pub fn all_topics(desk: &mut Desk, admin: usize) -> Run<Result<TopicNames, ClientError>> {
    Ok(desk.admin(admin, AdminCall::ListTopics)?.map(|answer| match &*answer {
        Answer::TopicNames(names) => names.clone(),
        _ => Vec::new(),
    }))
}

/// A list of patterns as an include list reads it. [IncludeList]
///
/// # Errors
/// It is no pattern.
pub fn include(text: &str) -> Result<Pattern, String> {
    let quoted = text.trim().replace(',', "|").replace(' ', "");
    let bare = quoted.trim_start_matches(['"', '\'']).trim_end_matches(['"', '\'']);
    Pattern::new(bare).map_err(|_| format!("{bare} is an invalid regex."))
}

/// The topics that a command is about. [TopicService.getTopics]
fn topics(desk: &mut Desk, options: &Options, admin: usize) -> Done<Vec<Rc<str>>> {
    let filter = options.one("topic")?;
    let all = all_topics(desk, admin)??;
    let hidden = options.has("exclude-internal");
    let pattern = match filter.map(include) {
        Some(Err(text)) => return thrown("RuntimeException", &text),
        Some(Ok(pattern)) => Some(pattern),
        None => None,
    };
    let fits = |name: &str, internal: bool| {
        !(internal && hidden) && pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
    };
    let mut names: Vec<Rc<str>> = all
        .into_iter()
        .filter(|(name, internal)| fits(name, *internal))
        .map(|(name, _)| name)
        .collect();
    names.sort_small();
    Ok(names)
}

/// [TopicService.ensureTopicExists]
fn must_exist(options: &Options, found: &[Rc<str>]) -> Done<()> {
    match options.all("topic").first() {
        Some(name) if !name.is_empty() && found.is_empty() && !options.has("if-exists") => thrown(
            "IllegalArgumentException",
            &format!("Topic '{name}' does not exist as expected"),
        ),
        _ => Ok(()),
    }
}

fn list(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let names = topics(desk, options, admin)?;
    desk.say(&names.join("\n"));
    Ok(())
}

fn alter(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let (partitions, _, assigned, _) = wanted(options)?;
    let names = topics(desk, options, admin)?;
    must_exist(options, &names)?;
    if names.is_empty() {
        return Ok(());
    }
    let described = describe_topics(desk, admin, &names)??;
    let mut failed = None;
    for name in names {
        let have = described.get(&name).map_or(0, |topic| topic.partitions.len());
        let what = AdminCall::CreatePartitions {
            topic: name,
            count: partitions.unwrap_or(0),
            assignments: assigned.as_ref().map(|all| all.iter().skip(have).cloned().collect()),
        };
        if let Err(error) = desk.admin(admin, what)? {
            failed = failed.or(Some(error));
        }
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn delete(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let names = topics(desk, options, admin)?;
    must_exist(options, &names)?;
    if names.is_empty() {
        return Ok(());
    }
    first_error(desk.admin(admin, AdminCall::DeleteTopics { topics: names })?)?;
    Ok(())
}

/// `all().get()`.
fn first_error(result: CallResult) -> Result<(), ClientError> {
    match &*result? {
        Answer::Each(each) => each.values().find_map(|one| one.clone().err()).map_or(Ok(()), Err),
        _ => Ok(()),
    }
}

// ---- what the cluster says of them ----

/// What the cluster says about topics.
pub fn describe_topics(
    desk: &mut Desk,
    admin: usize,
    names: &[Rc<str>],
) -> Run<Result<OrderedMap<Rc<str>, SeenTopic>, ClientError>> {
    let topics = names.to_vec();
    Ok(desk
        .admin(admin, AdminCall::DescribeTopics { topics })?
        .and_then(|answer| {
            let mut all = OrderedMap::new();
            if let Answer::Topics(topics) = &*answer {
                for (name, topic) in topics {
                    all.insert(name.clone(), topic.clone()?);
                }
            }
            Ok(all)
        }))
}

/// A topic's id as 22 characters; real ones are random. [Uuid.toString]
pub fn id_text(id: TopicId) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
    let mut text = String::new();
    for _ in 0..22 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push(char::from(DIGITS[(state >> 32) as usize & 63]));
    }
    text
}

/// Where a coordinator of 50 partitions lists an id: by its partition.
pub fn id_order(id: &str) -> i32 {
    (crate::kafka::hash::java_string_hash(id).unsigned_abs() % 50) as i32
}
