//! The consoles: the recorded sessions of the real tools agree, and no command line makes the tools panic.

use brokerlab::console::complete::{Names, complete};
use brokerlab::console::conform::Session;
use brokerlab::console::desk::{Desk, Setting};
use brokerlab::console::shell;
use brokerlab::console::tools::TOOLS;
use brokerlab::lab::conform::Verdict;
use brokerlab::sim::Random;
use std::path::PathBuf;

/// Sessions that differ, and why (also in FIDELITY.md).
const DIFFER: [(&str, &str); 4] = [
    ("consumer-include", "Java's caret under a bad pattern"),
    (
        "get-offsets-broker-down",
        "how a lookup's time-out is worded after its retries",
    ),
    (
        "groups-classic-members",
        "the order of two members, which lie in a hash table of random ids",
    ),
    ("topics-controller-down", "which of two time-outs of 30 s ends the call"),
];

fn folder() -> PathBuf {
    let vectors = std::env::var_os("KAFKA_VECTORS").map(PathBuf::from);
    vectors
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kafka"))
        .join("tools")
}

#[test]
fn sessions_agree_with_vectors() {
    let mut agree = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("the sessions are there") {
        let path = entry.expect("an entry can be read").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a session can be read");
        let session = Session::parse(&text).expect("it is a session");
        let known = DIFFER.iter().any(|(name, _)| *name == session.name);
        match session.judge() {
            Verdict::Agrees if known => wrong.push(format!("{} agrees: take it off the list", session.name)),
            Verdict::Agrees => agree += 1,
            Verdict::Differs(line) if !known => wrong.push(line),
            Verdict::Differs(_) | Verdict::NotModelled(_) => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    assert!(agree >= 45, "only {agree} sessions agree");
}

/// Parts that command lines are made of, right and wrong.
const PARTS: [&str; 52] = [
    "--bootstrap-server",
    "b1:9092",
    "--topic",
    "orders",
    "--create",
    "--list",
    "--describe",
    "--alter",
    "--delete",
    "--partitions",
    "3",
    "--replication-factor",
    "--config",
    "retention.ms=1",
    "a=b=c",
    "--replica-assignment",
    "1:2,2:1",
    "1:1",
    "--group",
    "g",
    "--reset-offsets",
    "--to-datetime",
    "2026-01-01T00:00:00.000",
    "--by-duration",
    "P1DT2H",
    "--shift-by",
    "-9223372036854775808",
    "--execute",
    "--from-file",
    "--state",
    "--offset",
    "--partition",
    "--election-type",
    "preferred",
    "--time",
    "--topic-partitions",
    ":1-",
    "--help",
    "--",
    "--=",
    "list",
    "describe",
    "find-hanging",
    "--transactional-id=x",
    "--verify",
    "--generate",
    "--reassignment-json-file",
    "p.json",
    "|",
    ">",
    "<x",
    "echo",
];

#[test]
fn a_hundred_thousand_command_lines_end_in_an_answer() {
    let mut random = Random::named(7, "console/fuzz");
    let files = [(
        "p.json".into(),
        "{\"version\":1,\"partitions\":[{\"topic\":\"t\"}]}".into(),
    )];
    let setting = Setting {
        files: files.into_iter().collect(),
        ..Setting::default()
    };
    let (mut split, mut refused) = (0, 0);
    for _ in 0..100_000 {
        let mut line = String::new();
        for _ in 0..random.below(9) {
            match random.below(8) {
                0 => {
                    for _ in 0..random.below(12) {
                        let c = u32::try_from(random.below(0x250)).ok().and_then(char::from_u32);
                        line.extend(c);
                    }
                }
                1 => line.push_str(["'", "\"", "\\", "-", "="][random.below(5) as usize]),
                _ => line.push_str(PARTS[random.below(PARTS.len() as u64) as usize]),
            }
            if random.below(4) > 0 {
                line.push(' ');
            }
        }
        if let Ok(stages) = shell::read(&line) {
            assert!(stages.iter().all(|stage| !stage.words.is_empty()), "{line:?}");
        }
        let found = complete(&format!("$ {line}"), &Names::default()).expect("it is a command line");
        assert!(found.from <= line.len() + 2 && found.words.len() < 200, "{line:?}");
        match shell::split(&line) {
            Err(why) => {
                assert!(why.starts_with("column "), "{why}");
                refused += 1;
            }
            Ok(words) => {
                let tool = TOOLS[random.below(TOOLS.len() as u64) as usize];
                let mut desk = Desk::new(tool.desk(), &words, &setting, (&[], None), 0);
                let _ended = (tool.plan)(&mut desk);
                split += 1;
            }
        }
    }
    assert!(split > 50_000 && refused > 1000, "{split} split, {refused} refused");
}
