//! `brokerlab run FILE [--json] [--until TIME] [--trace] [--cure]`: plays a scenario and says what happened.

use super::{UNREADABLE, texts};
use brokerlab::console::start;
use brokerlab::explore::cure::{Ailment, Cure, Search};
use brokerlab::lab::checks::{CheckResult, Verdict};
use brokerlab::lab::language::ast::{Check, CheckWhen, Command, Content, Line};
use brokerlab::lab::language::{self, errors::Kind, units};
use brokerlab::lab::run::Run;
use brokerlab::lab::view::{LogEntry, Weight};
use serde_json::json;
use std::process::ExitCode;

/// How long a run goes on behind its last line, in microseconds.
const AFTERWARDS_US: u64 = 30_000_000;

/// What the command line asks for.
struct Asked {
    path: String,
    json: bool,
    trace: bool,
    cure: bool,
    until_us: Option<u64>,
}

fn read(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        path: String::new(),
        json: false,
        trace: false,
        cure: false,
        until_us: None,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--json" => asked.json = true,
            "--trace" => asked.trace = true,
            "--cure" => asked.cure = true,
            "--until" => {
                let time = words.next().ok_or("`--until` needs a time, as in `--until 30s`")?;
                let parsed = units::parse_duration(time);
                asked.until_us = Some(parsed.ok_or(format!("`{time}` is not a time; 30s, 2.5s and 10m are"))?);
            }
            option if option.starts_with("--") => {
                return Err(format!(
                    "run has no option `{option}`; it has --json, --until TIME, --trace and --cure"
                ));
            }
            path if asked.path.is_empty() => asked.path = path.to_string(),
            path => return Err(format!("run plays one scenario; what is `{path}` for?")),
        }
    }
    if asked.path.is_empty() {
        return Err("run needs a scenario, as in `brokerlab run scenarios/acks-1.lab`".into());
    }
    Ok(asked)
}

/// Plays a scenario to its end.
pub fn run(words: &[String]) -> ExitCode {
    let (asked, text) = match read(words).and_then(|asked| Ok((texts::read(&asked.path)?, asked))) {
        Ok((text, asked)) => (asked, text),
        Err(why) => {
            eprintln!("brokerlab: {why}");
            return ExitCode::from(UNREADABLE);
        }
    };
    let mut run = start::open(&text);
    let wrong: Vec<_> = run
        .errors()
        .iter()
        .filter(|error| error.kind != Kind::NotYet)
        .cloned()
        .collect();
    if !wrong.is_empty() {
        for error in &wrong {
            eprintln!("{}: {error}", asked.path);
        }
        return ExitCode::from(UNREADABLE);
    }
    let until = asked.until_us.unwrap_or_else(|| last_us(&text) + AFTERWARDS_US);
    while run.now_us() < until && run.play_until_us(until, EVENTS_AT_ONCE) {}
    if asked.json {
        print_json(&run, &asked)
    } else {
        print_text(&run, &asked)
    }
    if run.passes() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// When the last line's business is over.
fn last_us(text: &str) -> u64 {
    let lines = language::parse(text).scenario.lines;
    let over = |line: &Line| match &line.content {
        Content::Command(Command::Check(Check {
            when: CheckWhen::Eventually { within_us },
            ..
        })) => line.at_us + within_us,
        _ => line.at_us,
    };
    lines.iter().map(over).max().unwrap_or(0)
}

/// Events played between two looks at the clock.
const EVENTS_AT_ONCE: u64 = 1_000_000;

fn entries(run: &Run, asked: &Asked) -> Vec<LogEntry> {
    let least = if asked.trace { Weight::Idle } else { Weight::Matters };
    run.log(0..run.end_event(), least, "")
}

fn print_text(run: &Run, asked: &Asked) {
    for entry in entries(run, asked) {
        let rule = entry.rule.map(|rule| format!("  [{rule}]")).unwrap_or_default();
        println!("{:>14}  {:<10} {}{rule}", clock(entry.at_us), entry.who, entry.text);
    }
    let sums = run.view().ledger;
    println!(
        "\n{} sent, {} appended, {} committed, {} acknowledged, {} delivered, {} waiting, {} failed, {} lost, {} duplicated, {} delivered twice, {} reordered, {} aborted",
        sums.sent,
        sums.appended,
        sums.committed,
        sums.acknowledged,
        sums.delivered,
        sums.waiting,
        sums.failed,
        sums.lost,
        sums.duplicated,
        sums.delivered_twice,
        sums.reordered,
        sums.aborted
    );
    println!("{} events, hash {:016x}", run.end_event(), run.hash());
    for refused in run.refused() {
        println!("line {}: not done: {}", refused.line, refused.why);
    }
    for check in run.checks() {
        let since = match (&check.verdict, run.since(&check)) {
            (Verdict::Failed, Some(event)) => format!(" (since event {event})"),
            _ => String::new(),
        };
        println!(
            "{} line {}: {}{}{since}",
            mark(&check),
            check.line,
            check.expected,
            found(&check)
        );
    }
    for (ailment, cure) in cures(run, asked) {
        print_cure(&ailment, cure.as_ref());
    }
}

/// What is wrong, each with the smallest change of the scenario that cures it, where that was asked for.
fn cures(run: &Run, asked: &Asked) -> Vec<(Ailment, Option<Cure>)> {
    if !asked.cure {
        return Vec::new();
    }
    let each = Ailment::all_of(run).into_iter();
    each.map(|ailment| (ailment.clone(), Search::of(run, ailment).finish()))
        .collect()
}

fn ailment_text(ailment: &Ailment) -> String {
    match ailment {
        Ailment::Check { line, expected } => format!("line {line}: {expected}"),
        Ailment::Lost => "lost records".into(),
        Ailment::Duplicated => "duplicated records".into(),
        Ailment::Reordered => "reordered records".into(),
    }
}

fn print_cure(ailment: &Ailment, cure: Option<&Cure>) {
    let ailment = ailment_text(ailment);
    let Some(cure) = cure else {
        println!("cure {ailment}: no single setting helps");
        return;
    };
    println!("cure {ailment}");
    for change in &cure.changes {
        println!("   - line {}: {}", change.line, change.was.trim());
        println!("   + line {}: {}", change.line, change.becomes.trim());
    }
    let sums = &cure.sums;
    println!(
        "   played again: {} lost, {} duplicated, {} reordered, {} failed, {} waiting",
        sums.lost, sums.duplicated, sums.reordered, sums.failed, sums.waiting
    );
}

fn mark(check: &CheckResult) -> &'static str {
    match check.verdict {
        Verdict::Passed | Verdict::HoldsSoFar => "ok  ",
        Verdict::Failed => "FAIL",
        Verdict::Open => "open",
    }
}

fn found(check: &CheckResult) -> String {
    match (&check.verdict, &check.found) {
        (Verdict::Failed, Some(found)) => format!(": found {found}"),
        _ => String::new(),
    }
}

/// `10.012310`: seconds with six places.
fn clock(us: u64) -> String {
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

fn print_json(run: &Run, asked: &Asked) {
    let sums = run.view().ledger;
    let log: Vec<_> = entries(run, asked)
        .iter()
        .map(|e| json!({"at_us": e.at_us, "event": e.event, "who": e.who, "text": e.text, "rule": e.rule}))
        .collect();
    let checks: Vec<_> = run
        .checks()
        .iter()
        .map(|c| json!({"line": c.line, "check": c.expected, "verdict": mark(c).trim(), "found": c.found.as_deref()}))
        .collect();
    let refused: Vec<_> = run
        .refused()
        .iter()
        .map(|r| json!({"line": r.line, "why": r.why}))
        .collect();
    let cures: Vec<_> = cures(run, asked).iter().map(json_of_cure).collect();
    let out = json!({
        "events": run.end_event(),
        "end_us": run.end_us(),
        "hash": format!("{:016x}", run.hash()),
        "ledger": {
            "sent": sums.sent, "appended": sums.appended, "committed": sums.committed,
            "acknowledged": sums.acknowledged, "delivered": sums.delivered, "waiting": sums.waiting,
            "failed": sums.failed, "lost": sums.lost, "duplicated": sums.duplicated, "reordered": sums.reordered,
            "aborted": sums.aborted, "delivered_twice": sums.delivered_twice,
        },
        "checks": checks,
        "refused": refused,
        "cures": cures,
        "metrics": metrics(run),
        "log": log,
        "passed": run.passes(),
    });
    println!("{out:#}");
}

/// Every process's figures at the end, under the real systems' names.
fn metrics(run: &Run) -> serde_json::Value {
    let of_process = |name: &str| {
        let figures = run.metrics(name).into_iter().map(|figure| {
            let value = figure.milli.map(units::write_thousandths);
            json!({"group": figure.group, "name": figure.name, "tag": figure.tag.as_deref(), "value": value, "unit": figure.unit})
        });
        figures.collect::<Vec<_>>()
    };
    let each = run.process_names().into_iter();
    each.map(|name| (name.to_string(), of_process(&name)))
        .filter(|(_, figures)| !figures.is_empty())
        .map(|(name, figures)| (name, figures.into()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn json_of_cure((ailment, cure): &(Ailment, Option<Cure>)) -> serde_json::Value {
    let changes = cure.iter().flat_map(|cure| &cure.changes);
    let changes: Vec<_> = changes
        .map(|change| json!({"line": change.line, "was": change.was, "becomes": change.becomes}))
        .collect();
    json!({"of": ailment_text(ailment), "changes": changes, "lost": cure.as_ref().map(|cure| cure.sums.lost)})
}
