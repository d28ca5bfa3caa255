//! Completes a command line that is being typed: tools, their options, and what the world knows: topics, groups, brokers,
//! files.

use super::options::{self, Takes};
use super::tools::{self, TOOLS};
use crate::lab::show;
use crate::lab::tools::LAPTOP;
use crate::lab::world::World;
use std::rc::Rc;

/// The shell's own commands.
const BUILTINS: [(&str, &str); 3] = [
    ("echo", "writes its words, into a file with > or into a tool with |"),
    ("printf", "writes a text; \\n ends a line"),
    ("cat", "writes files"),
];

/// Values that some options take.
const CHOICES: [(&str, &[&str]); 8] = [
    ("election-type", &["preferred", "unclean"]),
    (
        "entity-type",
        &[
            "topics",
            "brokers",
            "groups",
            "users",
            "clients",
            "ips",
            "broker-loggers",
            "client-metrics",
        ],
    ),
    ("offset", &["earliest", "latest"]),
    ("isolation-level", &["read_committed", "read_uncommitted"]),
    ("time", &["latest", "earliest", "max-timestamp"]),
    (
        "formatter-property",
        &[
            "print.key=true",
            "print.offset=true",
            "print.partition=true",
            "print.timestamp=true",
            "print.headers=true",
        ],
    ),
    (
        "reader-property",
        &["parse.key=true", "key.separator=:", "parse.headers=true"],
    ),
    ("compression-codec", &["gzip", "snappy", "lz4", "zstd", "none"]),
];

/// What a world knows by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    pub topics: Vec<Rc<str>>,
    pub groups: Vec<Rc<str>>,
    /// `b1:9092`
    pub servers: Vec<String>,
    /// Broker ids.
    pub brokers: Vec<String>,
    /// On the laptop.
    pub files: Vec<Rc<str>>,
}

impl Names {
    pub fn of(world: &World) -> Names {
        let image = world.image();
        let topics = image.map(|image| image.topics.values().map(|topic| topic.name.clone()).collect());
        let addresses = world.addresses();
        Names {
            topics: topics.unwrap_or_default(),
            groups: show::groups::names(world).into_iter().collect(),
            servers: addresses.iter().map(|(host, port)| format!("{host}:{port}")).collect(),
            brokers: world.brokers().map(|(_, id, _)| id.to_string()).collect(),
            files: world.tools.files(LAPTOP).keys().cloned().collect(),
        }
    }
}

/// Words that could stand in the place of the line's last one, and where that begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    pub from: usize,
    /// Each with a line about it; empty for names.
    pub words: Vec<(String, String)>,
}

/// Where the command line begins in a line of the language: behind `$`, or at the front if a tool is typed directly.
fn begin(line: &str) -> Option<usize> {
    let trimmed = line.len() - line.trim_start().len();
    let rest = &line[trimmed..];
    if let Some(behind) = rest.strip_prefix('$') {
        return Some(line.len() - behind.len());
    }
    if let Some(at) = rest.find(" $") {
        return Some(trimmed + at + 2);
    }
    let first = rest.split_whitespace().next().unwrap_or_default();
    let on_the_way = first.starts_with("kafka-") || (first.len() > 2 && "kafka-".starts_with(first));
    let is_tool = tools::is_known(first) || on_the_way;
    is_tool.then_some(trimmed)
}

/// Whether a line is a tool's command line, or on the way to one.
pub fn is_command_line(line: &str) -> bool {
    begin(line).is_some()
}

/// What could stand at the end of `line`; `None`: it is no command line.
pub fn complete(line: &str, names: &Names) -> Option<Completion> {
    let start = begin(line)?;
    // Behind a pipe a command begins anew.
    let start = line[start..].rfind('|').map_or(start, |at| start + at + 1);
    let text = &line[start..];
    let behind = |at: usize| at + text[at..].chars().next().map_or(1, char::len_utf8);
    let partial_at = text.rfind(char::is_whitespace).map_or(0, behind);
    let (done, partial) = text.split_at(partial_at);
    let words: Vec<&str> = done.split_whitespace().collect();
    let mut found = Completion {
        from: start + partial_at,
        words: Vec::new(),
    };
    let mut add = |word: &str, about: &str| {
        if word.starts_with(partial) && word != partial && found.words.iter().all(|(have, _)| have != word) {
            found.words.push((word.to_string(), about.to_string()));
        }
    };
    match words.first() {
        None => {
            TOOLS.iter().for_each(|tool| add(tool.name, tool.about));
            BUILTINS.iter().for_each(|(name, about)| add(name, about));
        }
        Some(name) => arguments(name, &words[1..], names, &mut add),
    }
    Some(found)
}

fn arguments(name: &str, words: &[&str], names: &Names, add: &mut impl FnMut(&str, &str)) {
    let Some(tool) = tools::find(name) else {
        names.files.iter().for_each(|file| add(file, ""));
        return;
    };
    let table = options::table(tool.usage);
    let waiting = words.last().and_then(|word| word.strip_prefix("--")).filter(|option| {
        let takes = table.iter().find(|(known, _)| known == option);
        takes.is_some_and(|(_, takes)| *takes != Takes::Nothing)
    });
    if let Some(option) = waiting {
        return values(option, names, add);
    }
    for (option, _) in &table {
        let given = words.iter().any(|word| word.strip_prefix("--") == Some(option));
        if !given {
            add(&format!("--{option}"), options::about(tool.usage, option));
        }
    }
}

fn values(option: &str, names: &Names, add: &mut impl FnMut(&str, &str)) {
    match option {
        "bootstrap-server" => names.servers.iter().for_each(|server| add(server, "")),
        "topic" | "include" | "topic-list" | "topic-partitions" => names.topics.iter().for_each(|topic| add(topic, "")),
        "group" => names.groups.iter().for_each(|group| add(group, "")),
        "broker" | "broker-list" => names.brokers.iter().for_each(|id| add(id, "")),
        "entity-name" => {
            names.topics.iter().for_each(|topic| add(topic, ""));
            names.brokers.iter().for_each(|id| add(id, ""));
        }
        _ if option.ends_with("-file") || option.ends_with("config") => {
            names.files.iter().for_each(|file| add(file, ""));
        }
        _ => {}
    }
    let choices = CHOICES.iter().filter(|(known, _)| *known == option);
    choices.for_each(|(_, words)| words.iter().for_each(|word| add(word, "")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let names = Names {
            topics: vec!["loan_request".into(), "orders".into()],
            groups: vec!["loans".into()],
            servers: vec!["b1:9092".into(), "b2:9092".into()],
            brokers: vec!["1".into()],
            files: vec!["plan.json".into()],
        };
        let found = complete(line, &names).unwrap_or_default();
        found.words.into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn tools_options_and_names() {
        assert_eq!(
            words("$ kafka-con"),
            [
                "kafka-console-producer.sh",
                "kafka-console-consumer.sh",
                "kafka-consumer-groups.sh",
                "kafka-configs.sh"
            ]
        );
        assert_eq!(words("kafka-top"), ["kafka-topics.sh"]);
        assert_eq!(words("worker $ kafka-top"), ["kafka-topics.sh"]);
        assert_eq!(words("kafka-topics.sh --boot"), ["--bootstrap-server"]);
        assert_eq!(words("$ kafka-topics.sh --bootstrap-server "), ["b1:9092", "b2:9092"]);
        assert_eq!(words("$ kafka-topics.sh --list --topic lo"), ["loan_request"]);
        assert_eq!(words("$ kafka-consumer-groups.sh --group "), ["loans"]);
        assert_eq!(
            words("$ kafka-reassign-partitions.sh --reassignment-json-file "),
            ["plan.json"]
        );
        assert_eq!(words("$ echo x | kafka-console-p"), ["kafka-console-producer.sh"]);
        assert!(words("$ kafka-topics.sh --list ").iter().all(|word| word != "--list"));
    }

    #[test]
    fn lines_of_the_language_are_left_alone() {
        for line in ["crash b1", "k", "", "produce web t \"x\""] {
            assert_eq!(complete(line, &Names::default()), None, "{line}");
        }
    }
}
