//! What was seen against what the simulator shows, step by step.
//!
//! `topics`, `logs`, `hw`, `groups` show in a recording only what changed; so what is known is kept and compared whole
//! after every look. What chance decides (`loose`) is left out until it is shown again.

use super::trace::{Trace, TraceStep};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use serde_json::{Map, Value, json};
use std::cell::RefCell;

/// The keys of a `see` that accumulate.
const KEPT: [&str; 5] = ["topics", "logs", "hw", "brokers", "groups"];

/// What the recording has shown so far.
#[derive(Clone, Debug)]
pub struct Known {
    shown: Map<String, Value>,
    loose: OrderedSet<Vec<String>>,
    /// Which producer id a recording's `P1`, `P2`, ... stands for; found out by the first comparison.
    producers: RefCell<OrderedMap<String, String>>,
}

/// The first difference of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Dotted path inside `see`.
    pub at: String,
    pub expected: String,
    pub found: String,
}

impl Known {
    pub fn new(trace: &Trace) -> Self {
        let mut shown = Map::new();
        for key in KEPT {
            shown.insert(key.into(), Value::Object(Map::new()));
        }
        let active: Map<String, Value> = trace
            .cluster
            .brokers
            .iter()
            .map(|id| (id.to_string(), json!("active")))
            .collect();
        shown.insert("brokers".into(), Value::Object(active));
        Known {
            shown,
            loose: OrderedSet::new(),
            producers: RefCell::default(),
        }
    }

    /// Takes in what step number `index` of the recording shows.
    pub fn learn(&mut self, trace: &Trace, index: usize, step: &TraceStep) {
        for key in KEPT {
            let Some(news) = step.see.get(key).and_then(Value::as_object) else {
                continue;
            };
            if key == "brokers" {
                self.shown.insert(key.into(), Value::Object(news.clone()));
                continue;
            }
            for (name, value) in news {
                self.loose
                    .retain(|path| !(path.len() >= 2 && path[0] == key && path[1] == *name));
                if let Some(kept) = self.shown.get_mut(key).and_then(Value::as_object_mut) {
                    match (key, value) {
                        (_, Value::Null) => {
                            kept.remove(name);
                        }
                        ("logs", Value::Object(groups)) => {
                            kept.insert(name.clone(), by_broker(groups));
                        }
                        _ => {
                            kept.insert(name.clone(), value.clone());
                        }
                    }
                }
            }
        }
        for path in &trace.loose {
            if path.first().and_then(Value::as_u64) == Some(index as u64) {
                self.loose
                    .insert(path.iter().skip(1).map(super::trace::plain).collect());
            }
        }
    }

    /// Compares a look at the simulator: first what came back and happened since the last look, then the state.
    pub fn compare(&self, step: &TraceStep, looked: &Map<String, Value>, looks: bool) -> Option<Difference> {
        let mut keys = vec!["result"];
        if looks {
            keys.extend(["events", "records"]);
        }
        for key in keys {
            let expected = step.see.get(key).cloned().unwrap_or(Value::Null);
            let found = looked.get(key).cloned().unwrap_or(Value::Null);
            if let Some(difference) = self.differ(&mut vec![key.to_string()], &expected, &found) {
                return Some(difference);
            }
        }
        if !looks {
            return None;
        }
        for key in KEPT {
            let expected = self.shown.get(key).cloned().unwrap_or(Value::Null);
            let found = looked.get(key).cloned().unwrap_or_else(|| json!({}));
            if let Some(difference) = self.differ(&mut vec![key.to_string()], &expected, &found) {
                return Some(difference);
            }
        }
        None
    }

    /// Texts that name producer ids: `producerId=P1` against the id that was seen as P1.
    fn same_but_for_producers(&self, expected: &str, found: &str) -> bool {
        const MARK: &str = "producerId=";
        let (mut expected, mut found) = (expected.split(MARK), found.split(MARK));
        if expected.next() != found.next() {
            return false;
        }
        loop {
            match (expected.next(), found.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) => {
                    let end = |text: &str| text.find([',', ')']).unwrap_or(text.len());
                    let ((name, rest), (id, rest_of_found)) = (a.split_at(end(a)), b.split_at(end(b)));
                    let same = name == id || self.same_producer(name, &format!("pid:{id}"));
                    if !same || rest != rest_of_found {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }

    /// `P1` against a producer id: the same as before, or the first time for both.
    fn same_producer(&self, expected: &str, found: &str) -> bool {
        let Some(id) = found.strip_prefix("pid:") else {
            return false;
        };
        if expected.strip_prefix('P').is_none_or(|n| n.parse::<u32>().is_err()) {
            return false;
        }
        let mut producers = self.producers.borrow_mut();
        if let Some(known) = producers.get(expected) {
            return known == id;
        }
        if producers.values().any(|known| known == id) {
            return false;
        }
        producers.insert(expected.to_string(), id.to_string());
        true
    }

    /// A list of producers in the order of the recording's names; every other list as it is.
    fn in_order_of_producers(&self, expected: &[Value], found: &[Value]) -> Vec<Value> {
        let mut left = found.to_vec();
        if left.len() < 2
            || !left
                .iter()
                .all(|item| item.get("pid").is_some() && item.get("base").is_none())
        {
            return left;
        }
        let mut ordered = Vec::new();
        for item in expected {
            let name = item.get("pid").and_then(Value::as_str).unwrap_or_default();
            let id = self.producers.borrow().get(name).map(|id| format!("pid:{id}"));
            let known = left
                .iter()
                .position(|f| f.get("pid").and_then(Value::as_str) == id.as_deref());
            ordered.push(left.remove(known.unwrap_or(0)));
        }
        ordered
    }

    /// A text with the producer ids that its `P1`, `P2`, ... stand for.
    fn named(&self, expected: &str) -> String {
        let mut text = expected.to_string();
        if text.contains("producerId=P") {
            for (name, id) in self.producers.borrow().iter() {
                text = text.replace(&format!("producerId={name},"), &format!("producerId={id},"));
            }
        }
        text
    }

    fn is_loose(&self, path: &[String]) -> bool {
        self.loose.contains(path)
    }

    fn differ(&self, path: &mut Vec<String>, expected: &Value, found: &Value) -> Option<Difference> {
        if self.is_loose(path) {
            return None;
        }
        match (expected, found) {
            (Value::Object(e), Value::Object(f)) => {
                let names: OrderedSet<&String> = e.keys().chain(f.keys()).collect();
                for name in names {
                    // The assignor is left out of a recording where hash order decides which one is shown.
                    if name == "assignor" && !e.contains_key(name) && path.first().is_some_and(|key| key == "groups") {
                        continue;
                    }
                    path.push(name.clone());
                    let missing = Value::Null;
                    let difference =
                        self.differ(path, e.get(name).unwrap_or(&missing), f.get(name).unwrap_or(&missing));
                    path.pop();
                    if difference.is_some() {
                        return difference;
                    }
                }
                None
            }
            (Value::Array(e), Value::Array(f)) if e.len() == f.len() => {
                let f = self.in_order_of_producers(e, f);
                for (index, (e, f)) in e.iter().zip(&f).enumerate() {
                    path.push(index.to_string());
                    let difference = self.differ(path, e, f);
                    path.pop();
                    if difference.is_some() {
                        return difference;
                    }
                }
                None
            }
            (Value::String(e), Value::String(f))
                if self.same_producer(e, f) || same_text(&self.named(e), f) || self.same_but_for_producers(e, f) =>
            {
                None
            }
            _ if expected == found => None,
            _ => Some(Difference {
                at: path.join("."),
                expected: short(expected),
                found: short(found),
            }),
        }
    }
}

/// `{"1": A, "2,3": B}` with an entry for each broker.
fn by_broker(groups: &Map<String, Value>) -> Value {
    let mut each = Map::new();
    for (brokers, entry) in groups {
        for broker in brokers.split(',') {
            each.insert(broker.to_string(), entry.clone());
        }
    }
    Value::Object(each)
}

/// Texts with measured durations replaced by `*`, current times by `NOW` and several partitions in hash order compare
/// by what is fixed.
fn same_text(expected: &str, found: &str) -> bool {
    if expected == found || super::ops::expand(expected) == found {
        return true;
    }
    if sorted_list(expected).is_some_and(|e| sorted_list(found) == Some(e)) {
        return true;
    }
    if !expected.contains('*') && !expected.contains("NOW") {
        return false;
    }
    fits(&expected.replace("NOW", "*"), found)
}

/// A text that ends in a bracketed list, with the list in order.
fn sorted_list(text: &str) -> Option<(String, Vec<String>)> {
    let (open, close) = match text.chars().last()? {
        ']' => ('[', ']'),
        '}' => ('{', '}'),
        _ => return None,
    };
    let start = text.find(open)?;
    let inside = text[start + 1..].strip_suffix(close)?;
    let mut items: Vec<String> = inside.split(", ").map(str::to_string).collect();
    items.sort_small();
    Some((text[..start].to_string(), items))
}

/// Whether `text` fits `pattern`, in which `*` stands for digits and signs (at least one character).
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => {
            let Some(rest) = text.strip_prefix(head) else {
                return false;
            };
            let free = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '-').count();
            (1..=free).rev().any(|n| fits(tail, &rest[n..]))
        }
    }
}

fn short(value: &Value) -> String {
    const MOST: usize = 300;
    let text = if value.is_null() {
        "nothing".to_string()
    } else {
        value.to_string()
    };
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_measured_number() {
        assert!(same_text(
            "Expiring 1 record(s) for t-0:* ms has passed",
            "Expiring 1 record(s) for t-0:3000 ms has passed"
        ));
        assert!(!same_text("for t-0:* ms", "for t-1:3000 ms"));
        assert!(same_text("tries=*, at *", "tries=3, at 17"));
    }

    #[test]
    fn lists_in_hash_order_compare_as_sets() {
        assert!(same_text("partitions: [a-1, b-0]", "partitions: [b-0, a-1]"));
        assert!(!same_text("partitions: [a-1, b-0]", "partitions: [b-0, a-2]"));
    }

    #[test]
    fn logs_are_kept_by_broker() {
        let groups = json!({"1": {"end": 1}, "2,3": {"end": 0}});
        let each = by_broker(groups.as_object().expect("an object"));
        assert_eq!(each, json!({"1": {"end": 1}, "2": {"end": 0}, "3": {"end": 0}}));
    }
}
