//! Every recorded trace that the model covers agrees, step by step.

use brokerlab::lab::conform::{Report, Verdict, find, judge, trace::Trace};
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kafka/traces")
}

#[test]
fn recorded_traces_agree() {
    let files = find(&[folder()]).expect("the folder of traces is part of the project");
    assert!(files.len() >= 140, "only {} traces found", files.len());
    let mut report = Report::default();
    for file in files {
        let trace = Trace::read(&file).expect("a trace of the project can be read");
        report.add(&trace.name, judge(&trace));
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
