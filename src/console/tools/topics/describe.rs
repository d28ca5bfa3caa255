//! `--describe`: topics, their partitions, and the reports of those that are in a bad way. [TopicService.describeTopic]

use super::{Done, REPORTS, all_topics, describe_topics, id_text, must_exist, thrown, topics};
use crate::console::desk::{Desk, Run};
use crate::console::java;
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError, SeenConfig, SeenTopic};
use crate::kafka::protocol::admin::{ConfigResource, DescribedPartition, OngoingReassignment};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

/// The order of settings in a description: a Java hash table of their names.
const CONFIG_BUCKETS: usize = 64;

/// The orders of the tables that names go through. [TopicService.describeTopic, KafkaAdminClient.describeTopics]
fn describe_order(names: Vec<Rc<str>>) -> Vec<Rc<str>> {
    let n = names.len();
    let middle = n * 4 / 3 + 1;
    let names = java::names_in_hash_order(names, n);
    let names = java::names_in_hash_order(names, middle);
    java::names_in_hash_order(names, n)
}

pub(super) fn describe(desk: &mut Desk, options: &Options, admin: usize) -> Done<()> {
    let names = match options.one("topic-id")? {
        Some(id) => by_id(desk, options, admin, id)?,
        None => {
            let names = topics(desk, options, admin)?;
            must_exist(options, &names)?;
            names
        }
    };
    let described = match names.is_empty() {
        true => OrderedMap::new(),
        false => describe_topics(desk, admin, &names)??,
    };
    let names = describe_order(names);
    let mut configs = Vec::new();
    for name in &names {
        configs.push(settings(desk, admin, name)?);
    }
    let live = live_brokers(desk, admin)?;
    let moving = reassignments(desk, admin, &described)?;
    let report = Report {
        live,
        headed: !REPORTS.iter().any(|report| options.has(report)),
    };
    for (name, config) in names.iter().zip(configs) {
        let config = config?;
        if let Some(topic) = described.get(name) {
            report.print(desk, options, name, topic, &config, &moving);
        }
    }
    Ok(())
}

fn by_id(desk: &mut Desk, options: &Options, admin: usize, id: &str) -> Done<Vec<Rc<str>>> {
    let all = all_topics(desk, admin)??;
    let names: Vec<Rc<str>> = all.into_iter().map(|(name, _)| name).collect();
    let described = match names.is_empty() {
        true => OrderedMap::new(),
        false => describe_topics(desk, admin, &names)??,
    };
    let has = |name: &Rc<str>| {
        let topic = described.get(name).and_then(|topic| topic.id);
        topic.is_some_and(|topic| id_text(topic) == id)
    };
    let found: Vec<Rc<str>> = names.into_iter().filter(has).collect();
    if found.is_empty() && !options.has("if-exists") {
        return thrown(
            "IllegalArgumentException",
            &format!("TopicId '{id}' does not exist as expected"),
        );
    }
    Ok(found)
}

type Settings = Vec<SeenConfig>;

fn settings(desk: &mut Desk, admin: usize, name: &Rc<str>) -> Run<Result<Settings, ClientError>> {
    let what = AdminCall::DescribeConfigs {
        resource: ConfigResource::Topic(name.clone()),
        keys: None,
    };
    Ok(desk.admin(admin, what)?.map(|answer| match &*answer {
        Answer::Configs(all) => java::hash_order(all.clone(), CONFIG_BUCKETS, |config| {
            crate::kafka::hash::java_string_hash(&config.0.name)
        }),
        _ => Vec::new(),
    }))
}

fn live_brokers(desk: &mut Desk, admin: usize) -> Done<Vec<i32>> {
    let answer = desk.admin(admin, AdminCall::DescribeCluster { include_fenced: false })??;
    Ok(match &*answer {
        Answer::Cluster { brokers, .. } => brokers.iter().map(|(id, _)| *id).collect(),
        _ => Vec::new(),
    })
}

fn reassignments(
    desk: &mut Desk,
    admin: usize,
    described: &OrderedMap<Rc<str>, SeenTopic>,
) -> Done<Vec<OngoingReassignment>> {
    let partitions = described.iter().flat_map(|(name, topic)| {
        topic.partitions.iter().map(|partition| NamedPartition {
            topic: name.clone(),
            partition: partition.0.partition,
        })
    });
    let what = AdminCall::ListReassignments {
        partitions: Some(partitions.collect()),
    };
    match desk.admin(admin, what)? {
        Ok(answer) => Ok(match &*answer {
            Answer::Reassignments(all) => all.iter().map(|one| one.0.clone()).collect(),
            _ => Vec::new(),
        }),
        Err(error) => {
            let outer = java::runtime(java::execution(error));
            Err(outer.into())
        }
    }
}

/// What is printed of topics and partitions.
struct Report {
    live: Vec<i32>,
    /// Topics have their line: no report of partitions was asked for.
    headed: bool,
}

impl Report {
    fn print(
        &self,
        desk: &mut Desk,
        options: &Options,
        name: &str,
        topic: &SeenTopic,
        config: &Settings,
        moving: &[OngoingReassignment],
    ) {
        let mut partitions: Vec<&DescribedPartition> = topic.partitions.iter().map(|p| &p.0).collect();
        partitions.sort_small_by_key(|partition| partition.partition);
        let moving = |partition: i32| {
            let fits =
                |one: &&OngoingReassignment| one.partition.partition == partition && &*one.partition.topic == name;
            moving.iter().find(fits)
        };
        let changed: Vec<&SeenConfig> = config.iter().filter(|c| c.0.source != "DEFAULT_CONFIG").collect();
        let overrides = options.has("topics-with-overrides");
        if self.headed && (!overrides || !changed.is_empty()) {
            let pairs: Vec<String> = changed
                .iter()
                .map(|c| format!("{}={}", c.0.name, c.0.value.as_deref().unwrap_or("null")))
                .collect();
            let factor = partitions.first().map_or(0, |p| factor(p, moving(p.partition)));
            desk.say(&format!(
                "Topic: {name}\tTopicId: {}\tPartitionCount: {}\tReplicationFactor: {factor}\tConfigs: {}",
                topic.id.map(id_text).unwrap_or_default(),
                partitions.len(),
                pairs.join(",")
            ));
        }
        if overrides {
            return;
        }
        let least = config
            .iter()
            .find(|c| &*c.0.name == "min.insync.replicas")
            .and_then(|c| c.0.value.as_deref()?.parse::<usize>().ok())
            .unwrap_or(1);
        for partition in partitions {
            let moving = moving(partition.partition);
            if self.headed || self.wanted(options, partition, moving, least) {
                desk.say(&line(name, partition, moving));
            }
        }
    }

    fn wanted(
        &self,
        options: &Options,
        partition: &DescribedPartition,
        moving: Option<&OngoingReassignment>,
        least: usize,
    ) -> bool {
        let led = partition.leader >= 0;
        let isr = partition.isr.len();
        (options.has(REPORTS[0]) && factor(partition, moving) > isr)
            || (options.has(REPORTS[1]) && (!led || !self.live.contains(&partition.leader)))
            || (options.has(REPORTS[2]) && (!led || isr < least))
            || (options.has(REPORTS[3]) && isr == least)
    }
}

/// Without the replicas that a reassignment adds. [TopicCommand.getReplicationFactor]
fn factor(partition: &DescribedPartition, moving: Option<&OngoingReassignment>) -> usize {
    match moving {
        Some(moving)
            if partition
                .replicas
                .iter()
                .any(|id| moving.adding.contains(id) || moving.removing.contains(id)) =>
        {
            moving.replicas.len() - moving.adding.len().min(moving.replicas.len())
        }
        _ => partition.replicas.len(),
    }
}

fn line(name: &str, partition: &DescribedPartition, moving: Option<&OngoingReassignment>) -> String {
    let leader = match partition.leader {
        id if id >= 0 => id.to_string(),
        _ => "none".to_string(),
    };
    let mut text = format!(
        "\tTopic: {name}\tPartition: {}\tLeader: {leader}\tReplicas: {}\tIsr: {}",
        partition.partition,
        java::numbers(&partition.replicas),
        java::numbers(&partition.isr)
    );
    if let Some(moving) = moving {
        text.push_str(&format!(
            "\tAdding Replicas: {}\tRemoving Replicas: {}",
            java::numbers(&moving.adding),
            java::numbers(&moving.removing)
        ));
    }
    text.push_str(&format!(
        "\tElr: {}\tLastKnownElr: {}",
        java::numbers(&partition.elr),
        java::numbers(&partition.last_known_elr)
    ));
    text
}
