//! What differs between a recording and what was seen.
//!
//! The recording machine was busy and several threads wrote: which of two nodes was tried first, how often something
//! was tried again, how long it took, and what a group had been before, is chance. So each thing is compared with
//! others of its own chain: attempts by node, lines by logger and node.

use super::watch::Seen;
use crate::lab::conform::trace::plain;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use serde_json::{Map, Value};

/// The first difference, if there is one.
pub fn compare(case: &Map<String, Value>, seen: &Seen) -> Result<(), String> {
    let (mut expected, mut found) = (
        application(&recorded(case, "application")),
        application(&seen.application),
    );
    // The listener's call and the poll's return are told by different threads.
    if found.iter().any(|line| line.starts_with("record received")) {
        expected.sort_small();
        found.sort_small();
    }
    same("application", &expected, &found)?;
    same(
        "broker_log",
        &broker_log(case),
        &seen.broker_log.iter().take(1).cloned().collect(),
    )?;
    // The recorder lost some lines where two threads wrote at once: an attempt may be told behind its end.
    let known = |steps: &[String]| distinct(&steps.iter().map(|step| step.replace(UNKNOWN, "")).collect::<Vec<_>>());
    let (mut expected, mut found) = (known(&steps(case)), known(&seen.steps));
    expected.sort_small();
    found.sort_small();
    same("steps", &expected, &found)?;
    let first_unknown = |lines: &[String]| {
        lines
            .iter()
            .find_map(|line| Some(line.split_once("UnknownHost")?.1.to_string()))
    };
    same("unknown host", &first_unknown(&lines(case)), &first_unknown(&seen.log))?;
    let rare = rare_lines(case);
    let refused = seen.steps.iter().any(|step| step.starts_with("connect 2147483646"));
    let admin = case
        .get("client")
        .is_some_and(|client| client.get("kind").is_some_and(|kind| kind == "admin"));
    let settle = |lines: &[String]| {
        let lines = lines.iter().map(|line| settled(line));
        let lines = lines.filter(|line| {
            let left_out = (admin && is_of_thread(line)) || (refused && is_of_back_off(line));
            !left_out && !rare.contains(line) && !is_debug(line)
        });
        lines.collect::<Vec<String>>()
    };
    chains("log", &settle(&lines(case)), &settle(&seen.log), chain_of)
}

/// What is said the first time that a name is not known: by whichever node was tried first.
const UNKNOWN: &str = ": Name or service not known";

/// Which of its metadata requests an admin client's own thread still waits for, and gives up, is not modelled.
fn is_of_thread(line: &str) -> bool {
    let start = line.contains(" AdminMetadataManager ") && !line.contains("UnsupportedVersion");
    start || line.contains("Client requested disconnect") || line.contains("is taking too long to become ready")
}

/// Whether a coordinator that refuses connections is still in back-off when it is found again is chance.
fn is_of_back_off(line: &str) -> bool {
    line.contains("cause: coordinator unavailable")
        || line.contains("Requesting disconnect from last known coordinator")
}

/// The recorder's clients logged at DEBUG, at which this line is one of those that were left out.
fn is_debug(line: &str) -> bool {
    line.contains("Cancelled in-flight ")
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    Err(format!("{what}: expected {expected:?}, found {found:?}"))
}

fn recorded(case: &Map<String, Value>, key: &str) -> Vec<String> {
    case.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(plain)
        .collect()
}

/// What the program saw, with one record of several and without measured times.
fn application(lines: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in lines {
        let line = without_number(line, ":", " ms has passed");
        if !(line.starts_with("record received") && all.contains(&line)) {
            all.push(line);
        }
    }
    all
}

/// A measured number between two words as `<n>`.
fn without_number(line: &str, before: &str, after: &str) -> String {
    let mut out = line.to_string();
    let mut from = 0;
    while let Some(end) = out[from..].find(after).map(|at| at + from) {
        let start = out[..end].rfind(before).map_or(end, |at| at + before.len());
        if start < end && out[start..end].bytes().all(|b| b.is_ascii_digit()) {
            out.replace_range(start..end, "<n>");
            from = start + 3 + after.len();
        } else {
            from = end + after.len();
        }
    }
    out
}

fn broker_log(case: &Map<String, Value>) -> Vec<String> {
    let lines = case.get("broker_log").and_then(Value::as_array).into_iter().flatten();
    let thrown = lines.filter_map(|line| Some(plain(line.get("exception")?)));
    let texts = thrown.filter_map(|text| Some(text.split_once(": ")?.1.to_string()));
    texts.take(1).collect()
}

/// The recorded attempts; what was asked for and answered is in the log too.
fn steps(case: &Map<String, Value>) -> Vec<String> {
    let totals = case.get("totals").and_then(Value::as_array).into_iter().flatten();
    let one = |step: &Value| {
        let at = |key: &str| step.get(key).map(plain);
        if let Some(node) = at("connect") {
            return Some(format!("connect {node} {} {}", at("name")?, at("address")?));
        }
        if let Some(node) = at("connected") {
            return Some(format!("connected {node}"));
        }
        Some(format!("failed {}: {}", at("failed")?, at("how")?))
    };
    totals.filter_map(one).collect()
}

fn distinct(all: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for one in all {
        if !out.contains(one) {
            out.push(one.clone());
        }
    }
    out
}

/// The recorded lines, each once, in the order of their first appearance.
fn lines(case: &Map<String, Value>) -> Vec<String> {
    log(case).map(|(line, _)| line).collect()
}

fn log(case: &Map<String, Value>) -> impl Iterator<Item = (String, u64)> + '_ {
    let lines = case.get("log").and_then(Value::as_array).into_iter().flatten();
    lines.filter_map(|line| {
        let at = |key: &str| line.get(key).map(plain);
        // Where two threads wrote at once the recorder ran lines together.
        let text = at("text")?;
        let text = cut_at_interleaved(&text);
        let count = line.get("count").and_then(Value::as_u64).unwrap_or(1);
        Some((format!("{} {} {text}", at("level")?, at("logger")?), count))
    })
}

/// `...fetchMetadata5622|DEBUG|...`: the beginning of another line, with its time.
fn cut_at_interleaved(text: &str) -> String {
    let starts = ["|DEBUG|", "|INFO|", "|WARN|"]
        .iter()
        .filter_map(|level| text.find(level));
    match starts.min() {
        Some(at) => text[..at].trim_end_matches(|c: char| c.is_ascii_digit()).into(),
        None => text.into(),
    }
}

/// Lines that came by a race of threads: once where others came dozens of times, or about a group's coordinator that was
/// still loading.
fn rare_lines(case: &Map<String, Value>) -> OrderedSet<String> {
    let most = log(case).map(|(_, count)| count).max().unwrap_or(1);
    let loading = ["is loading the group", "coordinator is loading"];
    let mut rare: OrderedSet<String> = OrderedSet::new();
    for (line, count) in log(case) {
        if (most > 50 && count == 1 && line.contains("isDisconnected: true"))
            || loading.iter().any(|part| line.contains(part))
        {
            rare.insert(settled(&line));
        }
    }
    rare
}

/// A line without what differs from run to run: ids, drawn time-outs, generations of a group that was there before.
fn settled(line: &str) -> String {
    let mut line = without_number(line, "value is ", " ms.").replace(UNKNOWN, "");
    for (start, ends) in [
        ("consumer-g1-1-", ",]= '".to_string() + "'"),
        ("generationId=", ",".into()),
        ("at generation ", ":".into()),
        ("changed from null to ", " ".into()),
        ("ProducerId set to ", " ".into()),
        ("epoch=", "}".into()),
    ] {
        let mut from = 0;
        while let Some(at) = line[from..].find(start).map(|at| at + from + start.len()) {
            let length = line[at..].find(|c| ends.contains(c)).unwrap_or(line.len() - at);
            line.replace_range(at..at + length, "<>");
            from = at + 2;
        }
    }
    line
}

/// Lines of one logger about one node come in one order.
fn chain_of(line: &str) -> String {
    let logger = line.split(' ').nth(1).unwrap_or("");
    let node = match line.contains("2147483646") {
        true => "coordinator",
        false if line.contains("node -1") || line.contains("id: -1") => "bootstrap",
        false if line.contains("Node -1") => "bootstrap",
        false => "node",
    };
    match logger {
        "NetworkClient" => format!("{logger} {node}"),
        other => other.into(),
    }
}

/// Both have the same things, and in each chain their first appearances come in the same order.
fn chains(what: &str, expected: &[String], found: &[String], chain: impl Fn(&str) -> String) -> Result<(), String> {
    let sort = |all: &[String]| {
        let mut by_chain: OrderedMap<String, Vec<String>> = OrderedMap::new();
        for one in all {
            let list = by_chain.entry(chain(one)).or_default();
            if !list.contains(one) {
                list.push(one.clone());
            }
        }
        by_chain
    };
    let (expected, found) = (sort(expected), sort(found));
    for (chain, wanted) in &expected {
        let none = Vec::new();
        same(&format!("{what} of {chain}"), wanted, found.get(chain).unwrap_or(&none))?;
    }
    match found.iter().find(|(chain, _)| !expected.contains_key(*chain)) {
        Some((chain, more)) => Err(format!("{what} of {chain}: expected none, found {more:?}")),
        None => Ok(()),
    }
}
