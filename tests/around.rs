//! What stands around the brokers agrees with the recordings: nginx's choices.

use brokerlab::lab::conform::{Recording, Report, Verdict, find};
use std::path::PathBuf;

/// The folder that the variable names, else the project's own copy.
fn folder(variable: &str, own: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(
        || {
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join("tests/vectors")
                .join(own)
        },
        PathBuf::from,
    )
}

fn recordings(folder: PathBuf) -> Vec<Recording> {
    find(&[folder])
        .expect("the folder of recordings can be read")
        .iter()
        .flat_map(|file| Recording::read_all(file).expect("a recording can be read"))
        .collect()
}

/// All agree; the number of those that were played.
fn all_agree(recordings: &[Recording]) -> usize {
    let mut report = Report::default();
    for recording in recordings {
        report.add(recording.name(), recording.judge());
    }
    assert!(
        report.differ() == 0,
        "{}\n{}",
        report.summary(),
        report.lines.join("\n")
    );
    report.agree
}

#[test]
fn serving_vectors_agree() {
    let found = recordings(folder("SERVING_VECTORS", "serving"));
    assert!(all_agree(&found) > 0);
}

/// A comparison that could not fail would prove nothing.
#[test]
fn a_changed_serving_recording_differs() {
    for (name, right, wrong, at) in [
        ("rr-one-refuses", "\"b\",\n     \"c\"", "\"b\",\n     \"a\"", "tried"),
        ("rr-read-timeout-all", "\"status\": 504", "\"status\": 502", "status"),
        (
            "rr-http-503-all",
            "\"503\",\n     \"502\"",
            "\"503\",\n     \"503\"",
            "upstream_status",
        ),
        (
            "rr-one-refuses",
            "temporarily disabled",
            "for ever disabled",
            "error_log",
        ),
        (
            "lc-backup",
            "\"went_to\": [\n    \"a\"",
            "\"went_to\": [\n    \"b\"",
            "went_to",
        ),
    ] {
        let path = folder("NO_SUCH_VARIABLE", "serving").join(format!("{name}.json"));
        let text = std::fs::read_to_string(path).expect("the recording is part of the project");
        let changed = text.replacen(right, wrong, 1);
        assert!(text != changed, "{name} has no {right}");
        let root: serde_json::Value = serde_json::from_str(&changed).expect("still JSON");
        let cases = brokerlab::lab::conform::around::Case::find(root.as_object().expect("an object"));
        match cases.expect("still a recording")[0].judge() {
            Verdict::Differs(line) => assert!(line.contains(at), "{line}"),
            other => panic!("a wrong recording passed: {other:?}"),
        }
    }
}
