//! The tools: a file each.

pub mod configs;
pub mod consumer;
pub mod delete_records;
pub mod election;
pub mod get_offsets;
pub mod group_describe;
pub mod group_reset;
pub mod groups;
pub mod json;
pub mod producer;
pub mod reassign;
pub mod topics;
pub mod transactions;

use super::desk::{Desk, Run};

/// A tool: its name, its table of options, what it does.
#[derive(Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    /// What it is for, in a few words.
    pub about: &'static str,
    pub usage: &'static str,
    pub plan: fn(&mut Desk) -> Run<()>,
}

impl Tool {
    /// What a desk needs of it.
    pub fn desk(&self) -> (&'static str, &'static str) {
        (self.name, self.usage)
    }
}

macro_rules! tools {
    ($($name:literal $about:literal => $plan:path;)*) => {
        /// The tools that are here, by name.
        pub const TOOLS: &[Tool] = &[$(Tool {
            name: concat!($name, ".sh"),
            about: $about,
            usage: include_str!(concat!("../usage/", $name, ".txt")),
            plan: $plan,
        }),*];
    };
}

tools! {
    "kafka-topics" "creates, lists, describes, alters and deletes topics" => topics::run;
    "kafka-console-producer" "each line of its input is a record" => producer::run;
    "kafka-console-consumer" "prints what it reads" => consumer::run;
    "kafka-consumer-groups" "lists, describes, resets and deletes groups" => groups::run;
    "kafka-configs" "settings of topics, brokers and groups" => configs::run;
    "kafka-get-offsets" "offsets of partitions" => get_offsets::run;
    "kafka-leader-election" "preferred and unclean elections" => election::run;
    "kafka-delete-records" "deletes what lies before an offset" => delete_records::run;
    "kafka-transactions" "lists and describes transactions, finds and ends hanging ones" => transactions::run;
    "kafka-reassign-partitions" "moves replicas between brokers" => reassign::run;
}

/// Tools of Kafka and its neighbours that have no room of their own yet.
pub const LATER: [&str; 20] = [
    "kafka-dump-log.sh",
    "kafka-metadata-quorum.sh",
    "kafka-groups.sh",
    "kafka-share-groups.sh",
    "kafka-console-share-consumer.sh",
    "kafka-features.sh",
    "kafka-cluster.sh",
    "kafka-log-dirs.sh",
    "kafka-broker-api-versions.sh",
    "kafka-producer-perf-test.sh",
    "kafka-consumer-perf-test.sh",
    "kafka-acls.sh",
    "kafka-storage.sh",
    "kafka-replica-verification.sh",
    "kafka-streams-application-reset.sh",
    "rabbitmqctl",
    "rabbitmqadmin",
    "docker",
    "docker-compose",
    "curl",
];

/// The tool of that name; a path before it does not matter.
pub fn find(name: &str) -> Option<Tool> {
    let name = name.rsplit('/').next().unwrap_or(name);
    TOOLS.iter().find(|tool| tool.name == name).copied()
}

/// Whether a name is a tool's, here or later.
pub fn is_known(name: &str) -> bool {
    find(name).is_some() || LATER.contains(&name.rsplit('/').next().unwrap_or(name))
}

/// What to say about a name that is no tool here.
pub fn unknown(name: &str) -> String {
    let short = name.rsplit('/').next().unwrap_or(name);
    if LATER.contains(&short) {
        return format!("{short} is not here yet");
    }
    format!("{name}: command not found")
}

/// What a command line needs that is not here, though its tool is.
pub fn not_modelled(words: &[String]) -> Option<String> {
    let decoder = |word: &&String| {
        let class = word.strip_prefix("org.apache.kafka.tools.consumer.").unwrap_or("");
        class.ends_with("MessageFormatter")
            && !["Default", "Logging", "NoOp"]
                .iter()
                .any(|known| class.starts_with(known))
    };
    let later = [
        "clients",
        "users",
        "ips",
        "client-metrics",
        "broker-loggers",
        "--client",
        "--client-defaults",
        "--user",
        "--ip",
        "--client-metrics",
        "--broker-logger",
        "--bootstrap-controller",
    ];
    if words.first().is_some_and(|name| name.ends_with("kafka-configs.sh"))
        && let Some(word) = words.iter().find(|word| later.contains(&word.as_str()))
    {
        return Some(format!("kafka-configs.sh with {word}"));
    }
    let has = |option: &str| words.iter().any(|word| word == option);
    if has("--all") && (has("--broker") || has("brokers")) {
        return Some("every setting of a broker with its defaults".into());
    }
    words.iter().find(decoder).map(|word| format!("the formatter {word}"))
}
