//! Writes checks.

use super::command::partition;
use crate::lab::language::ast::{Check, CheckWhen, Claim, Op, ReplicaName, Subject, Thing};
use crate::lab::language::lexer::{quoted, word};
use crate::lab::language::units::duration;

pub fn check(check: &Check) -> String {
    let claim = claim(&check.claim);
    match check.when {
        CheckWhen::Now => format!("expect {claim}"),
        CheckWhen::Always => format!("always {claim}"),
        CheckWhen::Never => format!("never {claim}"),
        CheckWhen::Eventually { within_us } => {
            format!("eventually {claim} within {}", duration(within_us))
        }
    }
}

/// What a check claims, as the text says it; also for telling what was expected.
pub fn claim(claim: &Claim) -> String {
    match claim {
        Claim::Invariant(name) => name.to_string(),
        Claim::Compare {
            subject: s,
            op: o,
            values,
        } => format!("{} {} {}", subject(s), op(*o), value_text(s, values)),
    }
}

fn op(op: Op) -> &'static str {
    match op {
        Op::Equal => "=",
        Op::NotEqual => "!=",
        Op::Less => "<",
        Op::AtMost => "<=",
        Op::Greater => ">",
        Op::AtLeast => ">=",
        Op::Contains => "contains",
    }
}

fn value_text(subject: &Subject, values: &[crate::lab::language::ast::Name]) -> String {
    let all =
        |write: fn(&str) -> String, between: &str| values.iter().map(|v| write(v)).collect::<Vec<_>>().join(between);
    match subject {
        _ if values.is_empty() => "none".into(),
        Subject::Log(_) | Subject::ClientLog(_) => all(quoted, ", "),
        Subject::Fate(_) => all(word, ", "),
        Subject::Output => all(quoted, " "),
        _ => all(word, " "),
    }
}

pub fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Leader(p) => format!("leader {}", partition(p)),
        Subject::Epoch(p) => format!("epoch {}", partition(p)),
        Subject::Isr(p) => format!("isr {}", partition(p)),
        Subject::Elr(p) => format!("elr {}", partition(p)),
        Subject::Replicas(p) => format!("replicas {}", partition(p)),
        Subject::Leo(r) => format!("leo {}", replica(r)),
        Subject::Hw(r) => format!("hw {}", replica(r)),
        Subject::Lso(r) => format!("lso {}", replica(r)),
        Subject::Start(r) => format!("start {}", replica(r)),
        Subject::Log(r) => format!("log {}", replica(r)),
        Subject::ClientLog(name) => format!("log {name}"),
        Subject::Metric { of, name, tag: None } => format!("metric {of} {}", word(name)),
        Subject::Metric {
            of,
            name,
            tag: Some(tag),
        } => format!("metric {of} {} {}", word(name), word(tag)),
        Subject::State(Thing::Process(name)) => format!("state {name}"),
        Subject::State(Thing::Group(name)) => format!("state group {name}"),
        Subject::State(Thing::Transaction(id)) => format!("state transaction {}", word(id)),
        Subject::Assignment(name) => format!("assignment {name}"),
        Subject::Position(name, p) => format!("position {name} {}", partition(p)),
        Subject::Committed(name, p) => format!("committed {name} {}", partition(p)),
        Subject::Lag(name, None) => format!("lag {name}"),
        Subject::Lag(name, Some(p)) => format!("lag {name} {}", partition(p)),
        Subject::Reach { client, broker } => format!("reach {client} {broker}"),
        Subject::Coordinator(name) => format!("coordinator {name}"),
        Subject::Generation(name) => format!("generation {name}"),
        Subject::Error(name) => format!("error {name}"),
        Subject::Fate(value) => format!("fate {}", quoted(value)),
        Subject::Count { fate, of: None } => format!("count {fate}"),
        Subject::Count { fate, of: Some(of) } => format!("count {fate} {of}"),
        Subject::Ready(queue) => format!("ready {queue}"),
        Subject::Unacked(queue) => format!("unacked {queue}"),
        Subject::Consumers(queue) => format!("consumers {queue}"),
        Subject::Answer(text) => format!("answer {}", quoted(text)),
        Subject::Tried(text) => format!("tried {}", quoted(text)),
        Subject::Web(number, name) => format!("{} {name}", number.name()),
        Subject::Controller => "controller".into(),
        Subject::Output => "output".into(),
        Subject::Exit => "exit".into(),
    }
}

fn replica(replica: &ReplicaName) -> String {
    let partition = partition(&replica.partition);
    match &replica.broker {
        Some(broker) => format!("{partition}@{broker}"),
        None => partition,
    }
}
