//! Command lines in a run: what they write, what they end with, and that time travel takes them along.

use super::start::{as_line, open, pasted};
use crate::lab::checks::Verdict;
use crate::lab::run::Run;
use crate::lab::view::Weight;

const CLUSTER: &str = "lab 1
controller c1
broker b1..b3
topic loan_request partitions=2 replicas=3
producer web acks=all
host worker

";

fn played(lines: &str, until_us: u64) -> Run {
    let mut run = open(&format!("{CLUSTER}{lines}"));
    assert!(run.errors().is_empty(), "{:?}", run.errors());
    run.play_until_us(until_us, 1_000_000);
    run
}

fn all_pass(run: &Run) {
    for check in run.checks() {
        let found = (check.verdict, check.line, check.expected, check.found);
        assert_eq!(found.0, Verdict::Passed, "{found:?}");
    }
    assert!(run.refused().is_empty(), "{:?}", run.refused());
}

/// What one of the hosts wrote, line by line.
fn written(run: &Run, who: &str) -> Vec<String> {
    let log = run.log(0..run.end_event() + 1, Weight::Matters, "");
    log.into_iter()
        .filter(|entry| entry.who == who)
        .map(|entry| entry.text)
        .collect()
}

#[test]
fn a_line_runs_on_the_laptop_or_inside_a_host() {
    let run = played(
        "at 1s  $ kafka-topics.sh --bootstrap-server b1:9092 --describe
at 2s  expect output contains \"PartitionCount: 2 ReplicationFactor: 3\"
       expect exit = 0
       worker $ kafka-topics.sh --bootstrap-server b3:9092 --list
at 3s  expect output = \"loan_request\"
       b2 $ kafka-topics.sh --list --bootstrap-server localhost:9092
at 4s  expect output = \"loan_request\"
       $ kafka-topics.sh --list
at 5s  expect exit = 1
       expect output contains \"--bootstrap-server must be specified\"
",
        6_000_000,
    );
    all_pass(&run);
    assert_eq!(written(&run, "worker"), ["loan_request"]);
    assert_eq!(written(&run, "b2").last().map(String::as_str), Some("loan_request"));
}

#[test]
fn the_consumer_runs_as_typed_until_ctrl_c() {
    let run = played(
        "at 1s   produce web loan_request key=kim \"300\"
at 2s   $ kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic loan_request --from-beginning
at 8s   produce web loan_request key=kim \"500\"
at 9s   expect output contains \"300\" \"500\"
        expect exit = none
        press ctrl-c
at 10s  expect output contains \"Processed a total of 2 messages\"
        expect exit = 130
",
        11_000_000,
    );
    all_pass(&run);
}

#[test]
fn typed_lines_become_records_one_by_one() {
    let run = played(
        "at 1s   worker $ kafka-console-producer.sh --bootstrap-server b1:9092 --topic loan_request --sync
at 2s   type worker \"one\"
at 5s   expect fate \"one\" = acknowledged
        type \"two\"
        press ctrl-d worker
at 8s   expect fate \"two\" = acknowledged
        expect exit = 0
",
        9_000_000,
    );
    all_pass(&run);
    assert_eq!(written(&run, "worker"), [">>>"]);
}

#[test]
fn a_record_that_fails_is_told_while_the_producer_goes_on() {
    let run = played(
        "alter topic loan_request min.insync.replicas=3
at 1s   crash b3
at 2s   $ kafka-console-producer.sh --bootstrap-server b1:9092 --topic loan_request
at 25s  type \"one\"
at 40s  expect output contains \"Error when sending message to topic loan_request with key: null, value: 3 bytes with error:\"
        expect output contains \"NotEnoughReplicas\"
        expect exit = none
        press ctrl-c
at 42s  expect exit = 130
",
        43_000_000,
    );
    all_pass(&run);
}

#[test]
fn files_and_pipes() {
    let run = played(
        "at 1s   $ printf 'a\\nb\\n' | kafka-console-producer.sh --bootstrap-server b1:9092 --topic loan_request
at 4s   expect count acknowledged = 2
        $ echo '{\"partitions\":[{\"topic\":\"loan_request\",\"partition\":0,\"offset\":-1}],\"version\":1}' > d.json
        $ cat d.json
        expect output contains \"offset\"
        $ kafka-delete-records.sh --bootstrap-server b1:9092 --offset-json-file d.json
at 5s   expect output contains \"low_watermark\"
        worker $ cat d.json
",
        6_000_000,
    );
    let refused = run.refused();
    assert_eq!(refused.len(), 1, "a host has files of its own: {refused:?}");
    assert!(refused[0].why.contains("No such file"));
    assert!(run.passes());
}

#[test]
fn lines_as_they_are_typed_and_pasted() {
    assert_eq!(as_line(" kafka-topics.sh --list "), "$ kafka-topics.sh --list");
    assert_eq!(as_line("docker ps"), "$ docker ps");
    assert_eq!(as_line("> kim \"300\""), "type \"kim \\\"300\\\"\"");
    assert_eq!(as_line("crash b1"), "crash b1");
    let lines = pasted("kafka-topics.sh \\\n  --list \\\n  --bootstrap-server b1:9092\n\ncrash b1\n");
    assert_eq!(lines, ["kafka-topics.sh --list --bootstrap-server b1:9092", "crash b1"]);
}

#[test]
fn what_cannot_run_is_refused() {
    let run = played(
        "at 1s   $ foo
        $ kafka-acls.sh --list
        $ kafka-topics.sh 'open
        press ctrl-c
        type \"x\"
        crash b1
        b1 $ kafka-topics.sh --list
",
        2_000_000,
    );
    let why: Vec<String> = run.refused().into_iter().map(|refused| refused.why).collect();
    let expected = [
        "foo: command not found",
        "kafka-acls.sh is not here yet",
        "column 17: the quote ' is not closed",
        "no tool runs",
        "no tool runs",
        "`b1` does not run: nothing runs inside it",
    ];
    assert_eq!(why, expected);
}

#[test]
fn the_past_has_the_tools_as_they_were() {
    let lines = "at 1s  start web loan_request rate=20/s keys=5 until=20s
at 2s  $ kafka-console-consumer.sh --bootstrap-server b2:9092 --topic loan_request --from-beginning --group g
at 3s  worker $ kafka-topics.sh --bootstrap-server nosuch:9092 --list
at 15s press ctrl-c
";
    let mut run = played(lines, 25_000_000);
    let (end, hash) = (run.event(), run.hash());
    let output = |run: &Run| run.world().tools.lines()[0].output().to_string();
    let whole = output(&run);
    let mut before = String::new();
    for event in (0..end).step_by(977) {
        run.seek_event(event);
        if run.world().tools.lines().is_empty() {
            continue;
        }
        let now = output(&run);
        assert!(now.len() >= before.len() && whole.starts_with(&now), "at event {event}");
        before = now;
    }
    run.seek_event(end);
    assert_eq!((run.hash(), output(&run)), (hash, whole));
    let fresh = played(lines, 25_000_000);
    assert_eq!(fresh.hash(), hash);
}
