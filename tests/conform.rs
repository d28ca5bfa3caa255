//! Every recorded trace that the model covers agrees, step by step.

mod fidelity;

use brokerlab::lab::conform::{Recording, Report, Verdict, find, judge, judge_seen, trace::Trace};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kafka/traces")
}

#[test]
fn recorded_traces_agree() {
    let files = find(&[folder()]).expect("the folder of traces is part of the project");
    assert!(files.len() >= 140, "only {} traces found", files.len());
    let mut report = Report::default();
    let mut at_work = fidelity::AtWork::new();
    for file in files {
        let trace = Trace::read(&file).expect("a trace of the project can be read");
        let (verdict, rules) = judge_seen(&trace);
        if let Verdict::Agrees = verdict {
            for rule in rules {
                at_work.entry(rule).or_default().insert(trace.name.clone());
            }
        }
        report.add(&trace.name, verdict);
    }
    let differing: Vec<&String> = report
        .lines
        .iter()
        .filter(|line| !line.contains("not modelled: "))
        .collect();
    assert!(
        differing.is_empty(),
        "{}\n{}",
        report.summary(),
        report.lines.join("\n")
    );
    assert!(report.agree >= 88, "{}", report.summary());
    fidelity::check(&at_work, &report);
}

/// A comparison that could not fail would prove nothing: a trace with one figure changed must differ there.
#[test]
fn a_changed_recording_differs() {
    let text = std::fs::read_to_string(folder().join("acks-levels.json")).expect("the trace is part of the project");
    let changed = text.replacen("\"end\": 1,", "\"end\": 2,", 1);
    assert_ne!(text, changed, "the trace has such a figure");
    let trace = Trace::parse(&changed).expect("still a trace");
    match judge(&trace) {
        Verdict::Differs(line) => assert!(line.contains("end"), "{line}"),
        other => panic!("a wrong recording passed: {other:?}"),
    }
}

fn rabbit_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rabbitmq/traces")
}

#[test]
fn recorded_rabbitmq_traces_agree() {
    let files = find(&[rabbit_folder()]).expect("the folder of traces is part of the project");
    assert!(files.len() >= 174, "only {} traces found", files.len());
    let mut report = Report::default();
    for file in files {
        let recording = Recording::read(&file).expect("a trace of the project can be read");
        assert!(matches!(recording, Recording::Rabbit(_)), "{}", file.display());
        report.add(recording.name(), recording.judge());
    }
    assert!(
        report.lines.is_empty(),
        "{}\n{}",
        report.summary(),
        report.lines.join("\n")
    );
}

/// Each kind of thing that a recording shows makes a difference.
#[test]
fn a_changed_rabbitmq_recording_differs() {
    for (name, right, wrong, at) in [
        ("get-basics", "\"remaining\": 1", "\"remaining\": 2", "remaining"),
        (
            "topic-star-and-hash",
            "\"queue\", \"#\"",
            "\"queue\", \"##\"",
            "bindings",
        ),
        ("ack-multiple", "\"ready\": [\"m1\"", "\"ready\": [\"m0\"", "ready"),
        (
            "mandatory-confirm-order",
            "\"A/1 return r1\", \"A/1 ack 1\"",
            "\"A/1 ack 1\", \"A/1 return r1\"",
            "order",
        ),
        ("consume-missing-queue", "\"code\": 404", "\"code\": 405", "code"),
    ] {
        let path = rabbit_folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(path).expect("the trace is part of the project");
        let changed = text.replacen(right, wrong, 1);
        assert!(text != changed, "{name} has no {right}");
        match Recording::parse(&changed).expect("still a trace").judge() {
            Verdict::Differs(line) => assert!(line.contains(at), "{line}"),
            other => panic!("a wrong recording passed: {other:?}"),
        }
    }
}
