//! The JSON of plans: read, written, and proposed by `--generate`.

use super::{Assignment, Replica, assigned, brokers, log_dirs};
use crate::console::desk::Desk;
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::Options;
use crate::console::tools::json;
use crate::kafka::client::call::ClientError;
use crate::kafka::controller::placement::{self, UsableBroker};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use serde_json::{Value, json};
use std::rc::Rc;

/// Partitions in the file's order, and the directories that some replicas are to lie in.
pub type Plan = (Vec<Assignment>, OrderedMap<Replica, Rc<str>>);

fn operation(text: &str) -> Failure {
    Failure::Thrown(ClientError::new("AdminOperationException", text))
}

pub fn command_failed(text: &str) -> Failure {
    Failure::Thrown(ClientError::new("AdminCommandFailedException", text))
}

/// The file that an option names.
fn file<'a>(desk: &Desk<'a>, options: &Options, option: &str) -> Done<&'a str> {
    let name = options.all(option).first().copied().unwrap_or("").to_string();
    json::read(desk, &name).map_err(Failure::Thrown)
}

fn version(root: &Value) -> Done<()> {
    match root.get("version").map_or(Some(1), Value::as_i64) {
        Some(1) => Ok(()),
        other => {
            let shown = other.map_or("null".to_string(), |version| version.to_string());
            Err(operation(&format!("Not supported version field value {shown}")))
        }
    }
}

/// [parsePartitionReassignmentData]
pub fn read(desk: &Desk, options: &Options) -> Done<Plan> {
    let text = file(desk, options, "reassignment-json-file")?;
    let root: Value = serde_json::from_str(text).map_err(|_| {
        let why = json::complaint(text);
        let cause = ClientError::new("JsonParseException", &why);
        Failure::Thrown(ClientError::new("AdminOperationException", &why).caused_by(cause))
    })?;
    version(&root)?;
    let mut partitions = Vec::new();
    let mut dirs = OrderedMap::new();
    for element in root.get("partitions").map_or(&[][..], json::elements) {
        let Some(partition) = json::partition(element) else {
            continue;
        };
        let list = element.get("replicas").map_or(&[][..], json::elements);
        let id = |value: &Value| value.as_i64().and_then(|id| i32::try_from(id).ok());
        let replicas: Vec<i32> = list.iter().filter_map(id).collect();
        let wanted = element.get("log_dirs").map(json::elements);
        if let Some(wanted) = wanted.filter(|wanted| wanted.len() != replicas.len()) {
            let shown = |list: Vec<String>| format!("[{}]", list.join(", "));
            let ids = shown(replicas.iter().map(ToString::to_string).collect());
            let dirs = shown(wanted.iter().filter_map(Value::as_str).map(Into::into).collect());
            return Err(command_failed(&format!(
                "Size of replicas list {ids} is different from size of log dirs list {dirs} for partition {partition}"
            )));
        }
        for (broker, dir) in replicas.iter().zip(wanted.unwrap_or_default()) {
            if let Some(dir) = dir.as_str().filter(|dir| *dir != "any") {
                dirs.insert((partition.clone(), *broker), Rc::from(dir));
            }
        }
        partitions.push((partition, replicas));
    }
    Ok((partitions, dirs))
}

/// [formatAsReassignmentJson]
pub fn written(assignments: &[Assignment], dirs: &OrderedMap<Replica, Rc<str>>) -> String {
    let each = assignments.iter().map(|(partition, replicas)| {
        let dir = |broker: &i32| {
            let dir = dirs.get(&(partition.clone(), *broker));
            json!(dir.map_or("any", |dir| &**dir)).to_string()
        };
        let dirs: Vec<String> = replicas.iter().map(dir).collect();
        format!(
            "{{\"topic\":{},\"partition\":{},\"replicas\":[{}],\"log_dirs\":[{}]}}",
            json!(&*partition.topic),
            partition.partition,
            java::numbers(replicas),
            dirs.join(",")
        )
    });
    format!(
        "{{\"version\":1,\"partitions\":[{}]}}",
        each.collect::<Vec<_>>().join(",")
    )
}

/// Every replica of these partitions.
pub fn replicas_of(assignments: &[Assignment]) -> Vec<Replica> {
    let each = assignments
        .iter()
        .flat_map(|(partition, replicas)| replicas.iter().map(move |broker| (partition.clone(), *broker)));
    each.collect()
}

/// Those that stand more than once.
pub fn repeated<T: PartialEq + Clone>(all: &[T]) -> Vec<T> {
    let mut out: Vec<T> = Vec::new();
    for (index, one) in all.iter().enumerate() {
        if all[..index].contains(one) && !out.contains(one) {
            out.push(one.clone());
        }
    }
    out
}

/// [parseGenerateAssignmentArgs]
fn wanted(desk: &Desk, options: &Options) -> Done<(Vec<i32>, Vec<Rc<str>>)> {
    let mut ids = Vec::new();
    for part in options.all("broker-list").join(",").split(',') {
        match part.parse::<i32>() {
            Ok(id) => ids.push(id),
            Err(_) => {
                let text = format!("For input string: \"{part}\"");
                return Err(ClientError::new("NumberFormatException", &text).into());
            }
        }
    }
    let twice = repeated(&ids);
    if !twice.is_empty() {
        let shown: Vec<String> = twice.iter().map(ToString::to_string).collect();
        let shown = shown.join(", ");
        return Err(command_failed(&format!(
            "Broker list contains duplicate entries: [{shown}]"
        )));
    }
    let text = file(desk, options, "topics-to-move-json-file")?;
    let root: Value = serde_json::from_str(text).map_err(|_| operation("The input string is not a valid JSON"))?;
    version(&root)?;
    let topics = root.get("topics").map_or(&[][..], json::elements).iter();
    let topics: Vec<Rc<str>> = topics
        .filter_map(|element| element.get("topic")?.as_str().map(Rc::from))
        .collect();
    let twice = repeated(&topics);
    if !twice.is_empty() {
        let shown = twice.join(", ");
        return Err(command_failed(&format!(
            "List of topics to reassign contains duplicate entries: [{shown}]"
        )));
    }
    Ok((ids, topics))
}

/// `--generate`. [generateAssignment]
pub fn generate(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let (ids, topics) = wanted(desk, options)?;
    let current = assigned(desk, admin, &topics)?;
    let dirs = log_dirs(desk, admin, &replicas_of(&current))?;
    let mut usable: Vec<UsableBroker> = Vec::new();
    for (id, rack) in brokers(desk, admin)?.into_iter().filter(|(id, _)| ids.contains(id)) {
        let rack = rack
            .filter(|_| !options.has("disable-rack-aware"))
            .map(|rack| rack.to_string());
        usable.push(UsableBroker {
            id,
            rack,
            fenced: false,
        });
    }
    usable.sort_small_by_key(|broker| broker.id);
    let rackless = usable.iter().filter(|broker| broker.rack.is_none()).count();
    if rackless != 0 && rackless != usable.len() {
        return Err(operation(
            "Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment \
             without rack information.",
        ));
    }
    let mut proposed = Vec::new();
    for topic in &topics {
        proposed.extend(propose(desk, topic, &current, &usable)?);
    }
    proposed.sort_small();
    desk.say(&format!(
        "Current partition replica assignment\n{}\n",
        written(&current, &dirs)
    ));
    desk.say(&format!(
        "Proposed partition reassignment configuration\n{}",
        written(&proposed, &OrderedMap::new())
    ));
    Ok(())
}

/// [calculateAssignment]
fn propose(desk: &mut Desk, topic: &Rc<str>, current: &[Assignment], usable: &[UsableBroker]) -> Done<Vec<Assignment>> {
    let of_topic: Vec<&Assignment> = current.iter().filter(|(p, _)| p.topic == *topic).collect();
    let factor = of_topic.first().map_or(0, |(_, replicas)| replicas.len());
    let first = desk.draw(1 << 32)?;
    let mut draws = first;
    let draw = |bound: u32| {
        let drawn = draws % u64::from(bound.max(1));
        draws = draws
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407)
            >> 1;
        drawn as u32
    };
    let factor = i32::try_from(factor).unwrap_or(i32::MAX);
    let placed = placement::place(usable, of_topic.len(), factor, draw)
        .map_err(|why| ClientError::new("InvalidReplicationFactorException", &why))?;
    let partition = |number: i32| NamedPartition {
        topic: topic.clone(),
        partition: number,
    };
    Ok((0..).map(partition).zip(placed).collect())
}
