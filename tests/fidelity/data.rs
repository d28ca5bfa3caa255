//! The data files that Kafka's own classes answered: what each is about, which test reads it, which rules it proves.

use super::{root, sources};
use std::fs;

/// A file, what it is about, and the rules (or their beginnings) that it proves case by case.
const SUBJECTS: [(&str, &str, &[&str]); 29] = [
    (
        "accumulator.jsonl",
        "filling of batches",
        &["producer/linger", "producer/split"],
    ),
    ("assignor_cooperative.jsonl", "the cooperative-sticky assignor", &[]),
    ("assignor_range.jsonl", "the range assignor, with racks", &[]),
    ("assignor_roundrobin.jsonl", "the roundrobin assignor", &[]),
    ("assignor_sticky.jsonl", "the sticky assignor", &[]),
    ("batches.jsonl", "sizes, checksums and bytes of record batches", &[]),
    (
        "chains_cooperative.jsonl",
        "cooperative-sticky, one assignment after the other",
        &[],
    ),
    (
        "chains_server_range.jsonl",
        "the server's range assignor, one assignment after the other",
        &[],
    ),
    (
        "chains_server_uniform.jsonl",
        "the server's uniform assignor, one assignment after the other",
        &[],
    ),
    (
        "chains_share_simple.jsonl",
        "the share groups' assignor, one assignment after the other",
        &[],
    ),
    ("chains_sticky.jsonl", "sticky, one assignment after the other", &[]),
    ("cleaner.jsonl", "what compaction keeps", &["cleaner/"]),
    ("config_conflicts.jsonl", "settings that exclude each other", &[]),
    ("config_errors.jsonl", "settings that are refused", &[]),
    ("configs.jsonl", "settings: defaults and types", &[]),
    ("coordinators.tsv", "the coordinator's partition of a group", &[]),
    ("epochs.jsonl", "the leader-epoch checkpoint", &["replica/truncation"]),
    (
        "errors.tsv",
        "errors: names, codes, exceptions, texts, what a client does about them",
        &[],
    ),
    (
        "isr.jsonl",
        "a leader's ISR and high watermark",
        &["replica/high-watermark", "replica/isr-"],
    ),
    ("java_hash.jsonl", "the order of Java's hash maps", &[]),
    ("murmur2.tsv", "Java's murmur2 and the partition of a key", &[]),
    (
        "partition_changes.jsonl",
        "the controller's change of a partition: election, ELR, reassignment",
        &[
            "election/",
            "controller/eligible-leader-replicas",
            "controller/reassignment",
        ],
    ),
    ("placement.jsonl", "placement of replicas", &["controller/topics"]),
    (
        "producer_state.jsonl",
        "producer state on the broker: sequences, duplicates, epochs",
        &["produce/checks", "produce/duplicate"],
    ),
    ("server_range.jsonl", "the server's range assignor", &[]),
    ("server_uniform.jsonl", "the server's uniform assignor", &[]),
    ("share_simple.jsonl", "the share groups' assignor", &[]),
    (
        "sticky_partitioner.jsonl",
        "sticky and adaptive partitioning of records without a key",
        &[],
    ),
    ("topics.jsonl", "topic names and collisions", &[]),
];

/// One row for each data file of the project.
pub fn table() -> String {
    let folder = root().join("tests/vectors/kafka");
    let sources = sources();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the data files are part of the project")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".jsonl") || name.ends_with(".tsv"))
        .collect();
    brokerlab::ordered::SortSmall::sort_small(names.as_mut_slice());
    let mut out = String::from("| file | what it is about | cases | read by |\n|---|---|---|---|\n");
    for name in names {
        let (_, about, _) = subject(&name);
        let text = fs::read_to_string(folder.join(&name)).expect("a data file is text");
        let cases = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count();
        let quoted = format!("\"{name}\"");
        let mut readers = sources
            .iter()
            .filter(|(file, text)| text.contains(&quoted) && !file.contains("fidelity"));
        let (reader, _) = readers.next().unwrap_or_else(|| panic!("no test reads {name}"));
        out.push_str(&format!("| `{name}` | {about} | {cases} | `{reader}` |\n"));
    }
    out
}

/// The data files that prove a rule.
pub fn files_of(rule: &str) -> String {
    let proves = |rules: &&[&str]| rules.iter().any(|begin| rule.starts_with(begin));
    let files = SUBJECTS.iter().filter(|(_, _, rules)| proves(rules));
    let names: Vec<String> = files.map(|(name, _, _)| format!("`{name}`")).collect();
    names.join(", ")
}

fn subject(name: &str) -> &'static (&'static str, &'static str, &'static [&'static str]) {
    let known = SUBJECTS.iter().find(|(file, _, _)| *file == name);
    known.unwrap_or_else(|| panic!("tests/fidelity/data.rs does not say what {name} is about"))
}
