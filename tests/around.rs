//! What stands around the brokers agrees with the recordings: nginx's choices, compose files, images, start-up errors.

use brokerlab::docker::compose;
use brokerlab::lab::conform::{Recording, Report, Verdict, find};
use brokerlab::sim::random::Random;
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

#[test]
fn compose_vectors_agree() {
    let found = recordings(folder("COMPOSE_VECTORS", "compose"));
    assert!(all_agree(&found) > 0);
}

/// The images' variables, the start-up errors, and clients and a broker with the network between them.
#[test]
fn listeners_vectors_agree() {
    let found = recordings(folder("LISTENERS_VECTORS", "listeners"));
    assert!(all_agree(&found) > 50);
}

/// The first case whose text has `right` must differ when that is changed.
#[test]
fn a_changed_compose_recording_differs() {
    let path = folder("NO_SUCH_VARIABLE", "compose").join("cases.json");
    let text = std::fs::read_to_string(path).expect("the recording is part of the project");
    for (right, wrong) in [
        ("published: \\\"9092\\\"", "published: 9092"),
        ("depends on undefined service", "depends on unknown service"),
        ("Defaulting to a blank string", "Defaulting to nothing"),
    ] {
        let changed = text.replacen(right, wrong, 1);
        assert!(text != changed, "no case has {right}");
        let root: serde_json::Value = serde_json::from_str(&changed).expect("still JSON");
        let cases = brokerlab::lab::conform::around::Case::find(root.as_object().expect("an object"));
        let cases = cases.expect("still a recording");
        let differ = cases.iter().filter(|case| matches!(case.judge(), Verdict::Differs(_)));
        assert_eq!(differ.count(), 1, "{right}");
    }
}

/// 100,000 texts made of broken and mixed compose files: an answer each time, no panic, none that takes long.
#[test]
fn any_text_is_answered() {
    let path = folder("NO_SUCH_VARIABLE", "compose").join("cases.json");
    let text = std::fs::read_to_string(path).expect("the recording is part of the project");
    let root: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let seeds: Vec<&str> = root["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .filter_map(|case| case["yaml"].as_str())
        .collect();
    let bits = [
        "\n",
        "  ",
        "\t",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "&a ",
        "*a",
        "<<: ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "#",
        "${",
        "}",
        "$",
        ":-",
        "?",
        "!!str ",
        "%",
        "@",
        "---\n",
        "...\n",
        "\u{0}",
        "\u{e9}",
        "\u{1f600}",
        "-1",
        "1e300",
        "0x",
        "99999999999999999999",
        "services:\n",
        "ports:\n",
        "80-90:1-70000",
        "null",
        "\\x",
        "\r\n",
    ];
    let mut random = Random::named(7, "compose");
    let mut good = 0;
    for _ in 0..100_000 {
        let mut text: Vec<char> = seeds[random.below(seeds.len() as u64) as usize].chars().collect();
        for _ in 0..random.between(0, 4) {
            let at = random.below(text.len() as u64 + 1) as usize;
            if random.percent(40) {
                let until = (at + random.below(12) as usize).min(text.len());
                text.drain(at..until);
            } else {
                let bit = bits[random.below(bits.len() as u64) as usize];
                text.splice(at..at, bit.chars());
            }
        }
        let text: String = text.into_iter().collect();
        let loaded = compose::load(&text, &compose::Options::default());
        match loaded.project {
            Ok(project) => {
                good += 1;
                assert!(project.print().len() < 1 << 24, "a huge model:\n{text}");
            }
            Err(refused) => assert!(!refused.text.is_empty() && refused.mark.line > 0, "{text}"),
        }
    }
    // Both ways must be well travelled, or the texts would prove little.
    assert!((10_000..90_000).contains(&good), "{good} of 100,000 were good");
}
