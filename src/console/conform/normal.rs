//! What chance and the clock decide is written alike on both sides.

use crate::console::java::pad;
use crate::console::tools::topics::id_text;
use crate::kafka::types::TopicId;
use crate::lab::world::World;
use crate::ordered::{OrderedMap, SortSmall};
use crate::sim::world::WALL_START_MS;
use serde_json::Value;

/// Names given to random ids, by first appearance.
#[derive(Clone, Debug, Default)]
pub struct Normal {
    topics: OrderedMap<String, usize>,
    uuids: OrderedMap<String, usize>,
}

impl Normal {
    /// A tool's output in the recordings' words.
    pub fn of(&mut self, world: &World, text: &str) -> String {
        let text = self.topic_ids(text);
        let text = self.uuids(&text);
        let text = random_groups(&text);
        near_times(world, &text)
    }

    fn topic_ids(&mut self, text: &str) -> String {
        let ids: Vec<String> = (0..200).map(|n| id_text(TopicId(n))).collect();
        let mut found: Vec<(usize, &String)> = ids.iter().filter_map(|id| Some((text.find(id)?, id))).collect();
        found.sort_small_by_key(|(at, _)| *at);
        let mut out = text.to_string();
        for (_, id) in found {
            let next = self.topics.len() + 1;
            let number = *self.topics.entry(id.clone()).or_insert(next);
            out = out.replace(id.as_str(), &format!("TopicIdXXXXXXXXXXXXX{number:02}"));
        }
        out
    }

    fn uuids(&mut self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = (0..rest.len()).find(|at| is_uuid(rest, *at)) {
            let id = &rest[at..at + 36];
            let next = self.uuids.len() + 1;
            let number = *self.uuids.entry(id.to_string()).or_insert(next);
            out.push_str(&rest[..at]);
            out.push_str(&format!("00000000-0000-4000-8000-{number:012}"));
            rest = &rest[at + 36..];
        }
        out + rest
    }
}

fn is_uuid(text: &str, at: usize) -> bool {
    let Some(part) = text.as_bytes().get(at..at + 36) else {
        return false;
    };
    part.iter().enumerate().all(|(i, b)| match i {
        8 | 13 | 18 | 23 => *b == b'-',
        _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
    })
}

/// Replaces each run of digits after `prefix` for which `fits` holds.
fn digits(text: &str, prefix: &str, fits: impl Fn(&str) -> bool, with: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut fresh = true;
    while !rest.is_empty() {
        let here = fresh && (prefix.is_empty() || rest.starts_with(prefix));
        let body = rest.strip_prefix(prefix).unwrap_or(rest);
        let length = body.bytes().take_while(u8::is_ascii_digit).count();
        if here && length > 0 && fits(&body[..length]) {
            out.push_str(prefix);
            out.push_str(with);
            rest = &body[length..];
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        out.push(c);
        fresh = !prefix.is_empty() || !c.is_ascii_digit();
        rest = &rest[c.len_utf8()..];
    }
    out
}

fn random_groups(text: &str) -> String {
    digits(text, "console-consumer-", |run| run.len() <= 5, "12345")
}

fn near_times(world: &World, text: &str) -> String {
    let now = WALL_START_MS + world.sim.now().as_ms();
    let near = |run: &str| {
        run.parse::<i64>()
            .is_ok_and(|ms| ms >= WALL_START_MS && ms <= now + 600_000)
    };
    digits(text, "", near, "1767225600000")
}

/// Numbers that depend on the clock or the machine become `#`.
pub fn hide(step: &Value, text: &str) -> String {
    match step.get("numbers_vary").map(|kind| (kind, kind.as_str())) {
        Some((Value::Bool(true), _)) => digits(text, "", |_| true, "#"),
        Some((_, Some("txn"))) => hide_columns(text, &["TransactionDurationMs", "Duration(min)"]),
        _ => text.to_string(),
    }
}

/// Numbers in these columns of a table whose cells end with tabs become `#`, as wide as they were.
fn hide_columns(text: &str, names: &[&str]) -> String {
    let mut lines = text.split_inclusive('\n');
    let Some(header) = lines.next() else {
        return text.to_string();
    };
    let hidden: Vec<bool> = header.split('\t').map(|name| names.contains(&name.trim())).collect();
    let mut out = header.to_string();
    for line in lines {
        let cell = |(index, cell): (usize, &str)| match hidden.get(index) {
            Some(true) if cell.trim().parse::<i64>().is_ok() => pad("#", cell.chars().count()),
            _ => cell.to_string(),
        };
        let cells: Vec<String> = line.split('\t').enumerate().map(cell).collect();
        out.push_str(&cells.join("\t"));
    }
    out
}

/// The lines that count: no log lines, no stack frames, the table of options as `<usage>`.
pub fn comparable(text: &str, any_order: bool, repeats: bool) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split_inclusive('\n') {
        let whole = line.trim_end_matches('\n');
        if whole.starts_with("[20") && whole.get(24..26) == Some("] ") || whole == "\t<stack frames>" {
            continue;
        }
        if whole.starts_with("Option ") && whole.trim_end().ends_with("Description") {
            lines.push("<usage>\n".to_string());
            break;
        }
        let line = attempts(line);
        if repeats && lines.contains(&line) {
            continue;
        }
        lines.push(line);
    }
    if any_order {
        lines.sort_small();
    }
    lines
}

/// `tries=3`, `after 3 attempt(s)`, `correlation id 3`.
fn attempts(line: &str) -> String {
    let line = digits(line, "tries=", |_| true, "<n>");
    let line = digits(&line, "after ", |_| true, "<n>");
    digits(&line, "correlation id ", |_| true, "<n>")
}

/// The first lines that differ.
pub fn first_difference(expected: &[String], found: &[String]) -> Option<(String, String)> {
    let length = expected.len().max(found.len());
    (0..length).find_map(|i| {
        let line = |side: &[String]| {
            side.get(i)
                .map_or("(end)".to_string(), |line| line.escape_debug().to_string())
        };
        (expected.get(i) != found.get(i)).then(|| (line(expected), line(found)))
    })
}
