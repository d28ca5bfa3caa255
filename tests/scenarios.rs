//! Every shipped scenario keeps its expectations, and plays the same twice.

use brokerlab::console::start;
use brokerlab::lab::checks::Verdict;
use brokerlab::lab::language::{self, ast};
use brokerlab::lab::library::SHIPPED;
use brokerlab::lab::run::Run;

/// A while behind the last line, in microseconds.
const AFTERWARDS_US: u64 = 30_000_000;

fn end_us(text: &str) -> u64 {
    let over = |line: &ast::Line| match &line.content {
        ast::Content::Command(ast::Command::Check(ast::Check {
            when: ast::CheckWhen::Eventually { within_us },
            ..
        })) => line.at_us + within_us,
        _ => line.at_us,
    };
    language::parse(text).scenario.lines.iter().map(over).max().unwrap_or(0) + AFTERWARDS_US
}

fn play(text: &str) -> Run {
    let mut run = start::open(text);
    assert!(
        run.play_until_us(end_us(text), 5_000_000),
        "it does not come to its end"
    );
    run
}

#[test]
fn shipped_scenarios_keep_their_expectations() {
    assert!(SHIPPED.len() >= 13);
    let mut wrong = Vec::new();
    for shipped in SHIPPED {
        let run = play(shipped.text);
        assert!(run.errors().is_empty(), "{}: {:?}", shipped.name, run.errors());
        let refused = run
            .refused()
            .into_iter()
            .map(|r| format!("{} line {}: not done: {}", shipped.name, r.line, r.why));
        wrong.extend(refused);
        let checks = run.checks();
        assert!(checks.len() >= 3, "{} has hardly any expectation", shipped.name);
        for check in checks {
            if !matches!(check.verdict, Verdict::Passed | Verdict::HoldsSoFar) {
                let found = check.found.as_deref().unwrap_or("nothing");
                wrong.push(format!(
                    "{} line {}: {}: found {found}",
                    shipped.name, check.line, check.expected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_expectation_fails() {
    let text = language::edit::insert_command_at(SHIPPED[0].text, 5_000_000, "expect count lost = 7").text;
    assert!(!play(&text).passes());
}

#[test]
fn shipped_scenarios_play_the_same_twice_and_after_a_seek() {
    for shipped in SHIPPED.iter().take(4) {
        let (mut first, second) = (play(shipped.text), play(shipped.text));
        assert_eq!(
            (first.hash(), first.end_event()),
            (second.hash(), second.end_event()),
            "{}",
            shipped.name
        );
        let middle = first.end_event() / 2;
        first.seek_event(middle);
        assert_eq!(first.event(), middle);
        first.seek_event(second.end_event());
        assert_eq!(first.hash(), second.hash(), "{}: after a seek", shipped.name);
    }
}

/// Offsets, then the end, with every record of the transaction long sent: the producer's sender must wake up for the end.
#[test]
fn a_transaction_ends_at_once_when_nothing_is_left_to_send() {
    let run = play(
        r#"lab 1
seed 7

controller c1
broker b1..b3 group.initial.rebalance.delay.ms=0
topic loans partitions=1 replicas=b1,b2,b3
producer web linger.ms=0
consumer reader group=risk topics=loans poll=manual auto.offset.reset=earliest enable.auto.commit=false
producer writer transactional.id=risk-1 linger.ms=0

at 4s   poll reader timeout=2s
at 7s   produce web loans "loan 1"
        poll reader timeout=1s
at 9s   begin writer
        produce writer loans "x"
at 11s  end writer offsets=reader
at 12s  expect state transaction risk-1 = CompleteCommit
        expect committed risk loans/0 = 1
"#,
    );
    for check in run.checks() {
        assert!(
            matches!(check.verdict, Verdict::Passed),
            "line {}: {:?}",
            check.line,
            check.found
        );
    }
    assert_eq!(run.checks().len(), 2);
}
