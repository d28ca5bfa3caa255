//! The command on a terminal: exit codes and what it prints.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn brokerlab(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_brokerlab"))
        .args(words)
        .current_dir(root())
        .output()
        .expect("the command starts")
}

fn with_input(words: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brokerlab"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child
        .stdin
        .take()
        .expect("a pipe was asked for")
        .write_all(input.as_bytes())
        .expect("it reads its input");
    child.wait_with_output().expect("it ends")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn run_says_how_it_went() {
    let good = brokerlab(&["run", "scenarios/acks-1.lab"]);
    assert_eq!(code(&good), Some(0), "{}", out(&good));
    assert!(out(&good).contains("1 lost"), "{}", out(&good));
    let text = "lab 1\ncontroller c1\nbroker b1\ntopic t replicas=b1\nat 5s  expect leader t/0 = none\n";
    let bad = with_input(&["run", "-"], text);
    assert_eq!(code(&bad), Some(1), "{}", out(&bad));
    assert!(
        out(&bad).contains("FAIL line 5") && out(&bad).contains("found b1"),
        "{}",
        out(&bad)
    );
    let unreadable = with_input(&["run", "-"], "lab 1\nbrokr b1\n");
    assert_eq!(code(&unreadable), Some(2));
    assert!(String::from_utf8_lossy(&unreadable.stderr).contains("line 2, column 1"));
    assert_eq!(code(&brokerlab(&["run", "no/such/file.lab"])), Some(2));
    assert_eq!(
        code(&brokerlab(&["run", "scenarios/acks-1.lab", "--until", "soon"])),
        Some(2)
    );
}

#[test]
fn run_speaks_json() {
    let output = brokerlab(&["run", "scenarios/acks-1.lab", "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(value["ledger"]["lost"], 1);
    assert_eq!(value["passed"], true);
    assert!(value["checks"].as_array().is_some_and(|checks| checks.len() >= 6));
}

#[test]
fn until_and_trace_change_what_is_shown() {
    let short = brokerlab(&["run", "scenarios/acks-1.lab", "--until", "3s"]);
    assert!(!out(&short).contains("fenced"), "{}", out(&short));
    let traced = brokerlab(&["run", "scenarios/acks-1.lab", "--until", "3s", "--trace"]);
    assert!(traced.stdout.len() > short.stdout.len());
}

#[test]
fn link_and_unlink_give_the_text_back_byte_for_byte() {
    for name in ["acks-1", "sandbox"] {
        let path = format!("scenarios/{name}.lab");
        let fragment = out(&brokerlab(&["link", &path]));
        let back = brokerlab(&["unlink", fragment.trim()]);
        assert_eq!(code(&back), Some(0));
        assert_eq!(
            back.stdout,
            std::fs::read(root().join(&path)).expect("the scenario is there")
        );
        let cut = &fragment.trim()[..fragment.trim().len() - 7];
        let damaged = brokerlab(&["unlink", cut]);
        assert_eq!(code(&damaged), Some(2));
        assert_eq!(String::from_utf8_lossy(&damaged.stderr).lines().count(), 1);
    }
}

#[test]
fn check_names_the_place() {
    assert_eq!(
        code(&brokerlab(&["check", "scenarios/acks-1.lab", "scenarios/sandbox.lab"])),
        Some(0)
    );
    let bad = with_input(&["check", "-"], "lab 1\nproducer web acks=2\n");
    assert_eq!(code(&bad), Some(2));
    assert!(out(&bad).contains("acks=2 is not a value of acks"), "{}", out(&bad));
}

#[test]
fn conform_counts_and_tells_differences_apart() {
    let folder = "tests/vectors/kafka/traces";
    let good = brokerlab(&[
        "conform",
        &format!("{folder}/acks-levels.json"),
        "tests/vectors/kafka/tools/api-versions.json",
    ]);
    assert_eq!(code(&good), Some(0), "{}", out(&good));
    assert_eq!(out(&good).lines().last(), Some("1 of 1 traces agree, 1 not modelled"));
    let narrowed = brokerlab(&["conform", folder, "--covers", "wipe"]);
    assert_eq!(
        out(&narrowed).lines().last(),
        Some("3 of 3 traces agree"),
        "{}",
        out(&narrowed)
    );
    assert_eq!(code(&brokerlab(&["conform", "no/such/folder"])), Some(2));
    assert_eq!(code(&brokerlab(&["conform"])), Some(2));
}

#[test]
fn help_names_every_verb() {
    let help = out(&brokerlab(&["--help"]));
    for verb in ["run", "check", "link", "unlink", "conform"] {
        assert!(
            help.contains(&format!("brokerlab {verb}")),
            "{verb} is not in the help:\n{help}"
        );
    }
    assert_eq!(code(&brokerlab(&["frobnicate"])), Some(2));
}

#[test]
fn the_smallest_cure_is_a_line_of_the_scenario() {
    let cured = brokerlab(&["run", "scenarios/acks-1.lab", "--until", "25s", "--cure"]);
    assert!(out(&cured).contains("cure lost records"), "{}", out(&cured));
    assert!(
        out(&cured).contains("+ line 9: producer web acks=all linger.ms=0"),
        "{}",
        out(&cured)
    );
    let healthy = brokerlab(&["run", "scenarios/acks-all.lab", "--until", "5s", "--cure"]);
    assert!(!out(&healthy).contains("cure"), "{}", out(&healthy));
}
