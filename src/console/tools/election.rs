//! `kafka-leader-election.sh`: preferred and unclean elections. [LeaderElectionCommand]

use super::json;
use crate::console::desk::{Desk, Run, Stop};
use crate::console::java;
use crate::console::options::{OptionError, Options};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::protocol::admin::ElectionType;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use serde_json::Value;

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => return Err(unread(desk, &error)),
    };
    desk.help_or_version(
        &options,
        "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are \
         preferred replicas and unclean replicas.",
    )?;
    if let Err(error) = validate(&options) {
        return Err(failed(desk, &error, &[]));
    }
    let (kind, name) = match options.all("election-type").first() {
        Some(text) if text.eq_ignore_ascii_case("preferred") => (ElectionType::Preferred, "PREFERRED"),
        Some(text) if text.eq_ignore_ascii_case("unclean") => (ElectionType::Unclean, "UNCLEAN"),
        other => {
            let text = other.copied().unwrap_or("").to_string();
            let error = OptionError::BadChoice(text, "election-type".into(), "PREFERRED,UNCLEAN");
            return Err(unread(desk, &error));
        }
    };
    let partition = match options.number::<i32>("partition") {
        Ok(partition) => partition,
        Err(error) => return Err(unread(desk, &error)),
    };
    let partitions = match (options.all("path-to-json-file").first(), partition) {
        (Some(file), _) => match from_file(desk, file) {
            Ok(partitions) => Some(partitions),
            Err(error) => return Err(failed(desk, &error, &[])),
        },
        (None, Some(partition)) => Some(vec![NamedPartition {
            topic: options.all("topic").first().copied().unwrap_or("").into(),
            partition,
        }]),
        (None, None) => None,
    };
    if options.has("admin.config") {
        desk.say(
            "Option --admin.config has been deprecated and will be removed in a future version. Use --command-config \
             instead.",
        );
    }
    elect(desk, &options, kind, name, partitions)
}

fn unread(desk: &mut Desk, error: &OptionError) -> Stop {
    desk.err(&error.message());
    desk.err(&error.trace());
    Stop::Exit(1)
}

/// The message and the trace, with the exceptions that it suppressed.
fn failed(desk: &mut Desk, error: &ClientError, suppressed: &[ClientError]) -> Stop {
    desk.err(java::message(error));
    let mut trace = format!("{}\n", java::text(error));
    for one in suppressed {
        trace.push_str(&format!("\tSuppressed: {}\n", java::text(one)));
    }
    if let Some(cause) = &error.cause {
        trace.push_str(&format!("Caused by: {}", java::trace(cause)));
    }
    desk.err(&trace);
    Stop::Exit(1)
}

fn command_failed(text: &str) -> ClientError {
    ClientError::new("AdminCommandFailedException", text)
}

/// [LeaderElectionCommandOptions.validate]
fn validate(options: &Options) -> Result<(), ClientError> {
    let missing: Vec<&str> = ["bootstrap-server", "election-type"]
        .into_iter()
        .filter(|name| !options.has(name))
        .collect();
    if !missing.is_empty() {
        return Err(command_failed(&format!(
            "Missing required option(s): {}",
            missing.join(", ")
        )));
    }
    let ways = ["topic", "all-topic-partitions", "path-to-json-file"];
    if ways.iter().filter(|name| options.has(name)).count() != 1 {
        return Err(command_failed(
            "One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file",
        ));
    }
    match (options.has("topic"), options.has("partition")) {
        (true, false) => Err(command_failed("Missing required option(s): partition")),
        (false, true) => Err(command_failed("Option partition is only allowed if topic is used")),
        _ => Ok(()),
    }
}

/// [parseReplicaElectionData]
fn from_file(desk: &Desk, file: &str) -> Result<Vec<NamedPartition>, ClientError> {
    let wrong = |text: &str| ClientError::new("AdminOperationException", text);
    let text = json::read(desk, file).map_err(java::runtime)?;
    let Ok(root) = serde_json::from_str::<Value>(text) else {
        return Err(wrong("Replica election data is empty"));
    };
    let list = root
        .get("partitions")
        .ok_or_else(|| wrong("Replica election data is missing \"partitions\" field"))?;
    let all: Vec<NamedPartition> = json::elements(list).iter().filter_map(json::partition).collect();
    let twice = java::hash_order(json::twice(&all), 16, java::partition_hash);
    if !twice.is_empty() {
        let names: Vec<String> = twice.iter().map(ToString::to_string).collect();
        return Err(wrong(&format!(
            "Replica election data contains duplicate partitions: [{}]",
            names.join(", ")
        )));
    }
    Ok(all)
}

fn elect(
    desk: &mut Desk,
    options: &Options,
    kind: ElectionType,
    name: &str,
    partitions: Option<Vec<NamedPartition>>,
) -> Run<()> {
    let config = [("default.api.timeout.ms", "30000"), ("request.timeout.ms", "15000")];
    let config: OrderedMap<String, String> = config.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
    let servers = options.all("bootstrap-server").join(",");
    let admin = match desk.open_admin(&servers, "adminclient-1", config)? {
        Ok(admin) => admin,
        Err(error) => return Err(failed(desk, &error, &[])),
    };
    let answer = match desk.admin(admin, AdminCall::ElectLeaders { kind, partitions })? {
        Ok(answer) => answer,
        Err(error) if &*error.class == "TimeoutException" => {
            let text = "Timeout waiting for election results";
            desk.say(text);
            return Err(failed(desk, &command_failed(text).caused_by(error), &[]));
        }
        Err(error) => return Err(failed(desk, &java::runtime(java::execution(error)), &[])),
    };
    let Answer::Each(each) = &*answer else {
        return Ok(());
    };
    let named = |name: &str| {
        let (topic, partition) = name.rsplit_once('-')?;
        Some(NamedPartition {
            topic: topic.into(),
            partition: partition.parse().ok()?,
        })
    };
    let results = each
        .iter()
        .filter_map(|(name, result)| Some((named(name)?, result.clone())));
    let results = java::hash_order(results.collect(), 16, |(partition, _)| java::partition_hash(partition));
    report(desk, name, results)
}

/// Who was elected, who did not need to be, who could not.
fn report(desk: &mut Desk, kind: &str, results: Vec<(NamedPartition, Result<(), ClientError>)>) -> Run<()> {
    let (mut done, mut needless, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for (partition, result) in results {
        match result {
            Ok(()) => done.push(partition.to_string()),
            Err(error) if &*error.class == "ElectionNotNeededException" => needless.push(partition.to_string()),
            Err(error) => errors.push((partition, error)),
        }
    }
    if !done.is_empty() {
        desk.say(&format!(
            "Successfully completed leader election ({kind}) for partitions {}",
            done.join(", ")
        ));
    }
    if !needless.is_empty() {
        desk.say(&format!(
            "Valid replica already elected for partitions {}",
            needless.join(", ")
        ));
    }
    if errors.is_empty() {
        return Ok(());
    }
    for (partition, error) in &errors {
        desk.say(&format!(
            "Error completing leader election ({kind}) for partition: {partition}: {}",
            java::text(error)
        ));
    }
    let root = command_failed(&format!("{} replica(s) could not be elected", errors.len()));
    let suppressed: Vec<ClientError> = errors.into_iter().map(|(_, error)| error).collect();
    Err(failed(desk, &root, &suppressed))
}
