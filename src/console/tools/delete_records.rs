//! `kafka-delete-records.sh`: deletes what lies before an offset. [DeleteRecordsCommand]

use super::json;
use crate::console::desk::{Desk, Run, Stop};
use crate::console::java;
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use serde_json::Value;

/// Partitions and the offsets before which records go.
type Wanted = Vec<(NamedPartition, i64)>;

pub fn run(desk: &mut Desk) -> Run<()> {
    let options = match Options::read(desk.usage, desk.words) {
        Ok(options) => options,
        Err(error) => {
            desk.err(&error.message());
            desk.err(&error.trace());
            return Err(Stop::Exit(1));
        }
    };
    desk.help_or_version(
        &options,
        "This tool helps to delete records of the given partitions down to the specified offset.",
    )?;
    desk.require(&options, &["bootstrap-server", "offset-json-file"])?;
    let servers = options.all("bootstrap-server").join(",");
    let admin = match desk.open_admin(&servers, "adminclient-1", OrderedMap::new())? {
        Ok(admin) => admin,
        Err(error) => return Err(failed(desk, &error)),
    };
    let file = options.all("offset-json-file").join("");
    let wanted = json::read(desk, &file).and_then(parse).and_then(distinct);
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(error) => return Err(failed(desk, &error)),
    };
    desk.say("Executing records delete operation");
    let keys: Vec<NamedPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let answer = desk.admin(admin, AdminCall::DeleteRecords { before: wanted })?;
    desk.say("Records delete operation completed:");
    for partition in java::hash_order(keys, 16, java::partition_hash) {
        let low = match answer.as_deref() {
            Ok(Answer::LowWatermarks(all)) => all.get(&partition).cloned(),
            Ok(_) => None,
            Err(error) => Some(Err(error.clone())),
        };
        match low {
            Some(Ok(low)) => desk.say(&format!("partition: {partition}\tlow_watermark: {low}")),
            Some(Err(error)) => desk.say(&format!("partition: {partition}\terror: {}", java::text(&error))),
            None => {}
        }
    }
    Ok(())
}

fn failed(desk: &mut Desk, error: &ClientError) -> Stop {
    desk.err(java::message(error));
    desk.err(&java::trace(error));
    Stop::Exit(1)
}

/// [parseOffsetJsonStringWithoutDedup]
fn parse(text: &str) -> Result<Wanted, ClientError> {
    let wrong = |text: &str| ClientError::new("AdminOperationException", text);
    let Ok(root) = serde_json::from_str::<Value>(text) else {
        return Err(wrong("The input string is not a valid JSON"));
    };
    match root.get("version").map_or(Some(1), Value::as_i64) {
        Some(1) => {}
        other => {
            let version = other.map_or("null".to_string(), |version| version.to_string());
            return Err(wrong(&format!("Not supported version field value {version}")));
        }
    }
    let list = root
        .get("partitions")
        .ok_or_else(|| wrong("Missing partitions field"))?;
    let element = |element: &Value| Some((json::partition(element)?, element.get("offset")?.as_i64()?));
    Ok(json::elements(list).iter().filter_map(element).collect())
}

fn distinct(wanted: Wanted) -> Result<Wanted, ClientError> {
    let keys: Vec<NamedPartition> = wanted.iter().map(|(partition, _)| partition.clone()).collect();
    let twice = java::hash_order(json::twice(&keys), 16, java::partition_hash);
    if twice.is_empty() {
        return Ok(wanted);
    }
    let names: Vec<String> = twice.iter().map(ToString::to_string).collect();
    Err(ClientError::new(
        "AdminCommandFailedException",
        &format!(
            "Offset json file contains duplicate topic partitions: {}",
            names.join(",")
        ),
    ))
}
