//! What may be changed in a scenario: one setting of one line. Everything else in the text stays byte for byte.

use crate::lab::language::edit::replace_line;
use crate::lab::language::parse;

/// One line, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number, from 1.
    pub line: u32,
    pub was: String,
    pub becomes: String,
    /// What alone is new: `acks=all`.
    pub setting: String,
    /// It is about keeping records, and goes with another of its kind.
    keeps: bool,
}

/// A setting that has cured something before.
struct Remedy {
    /// The word that its line begins with.
    place: &'static str,
    key: &'static str,
    value: &'static str,
    /// The value is the default: worth a try only where the line says otherwise.
    is_default: bool,
    /// It is about keeping records.
    keeps: bool,
}

const fn remedy(place: &'static str, key: &'static str, value: &'static str) -> Remedy {
    Remedy {
        place,
        key,
        value,
        is_default: false,
        keeps: false,
    }
}

const fn default_of(place: &'static str, key: &'static str, value: &'static str) -> Remedy {
    Remedy {
        is_default: true,
        ..remedy(place, key, value)
    }
}

const fn keeping(of: Remedy) -> Remedy {
    Remedy { keeps: true, ..of }
}

/// The settings, those that cost least first.
const REMEDIES: [Remedy; 19] = [
    keeping(default_of("producer", "acks", "all")),
    keeping(default_of("producer", "enable.idempotence", "true")),
    remedy("producer", "max.in.flight.requests.per.connection", "1"),
    default_of("producer", "retries", "2147483647"),
    default_of("producer", "delivery.timeout.ms", "120000"),
    keeping(remedy("topic", "min.insync.replicas", "2")),
    keeping(default_of("topic", "unclean.leader.election.enable", "false")),
    keeping(remedy("topic", "replicas", "3")),
    default_of("topic", "cleanup.policy", "delete"),
    default_of("topic", "retention.ms", "604800000"),
    keeping(default_of("broker", "unclean.leader.election.enable", "false")),
    keeping(remedy("broker", "min.insync.replicas", "2")),
    keeping(remedy("broker", "log.flush.interval.messages", "1")),
    default_of("consumer", "session.timeout.ms", "45000"),
    default_of("consumer", "max.poll.interval.ms", "300000"),
    remedy("consumer", "auto.offset.reset", "earliest"),
    remedy("consumer", "isolation.level", "read_committed"),
    remedy("consumer", "partition.assignment.strategy", "cooperative-sticky"),
    remedy("consumer", "max.poll.records", "1"),
];

/// How many pairs are tried at most.
const PAIRS: usize = 24;

/// Every single change that leaves a text that can be read.
pub fn singles(text: &str) -> Vec<Vec<Change>> {
    changes(text).into_iter().map(|change| vec![change]).collect()
}

/// Two changes at once, of those that keep records.
pub fn pairs(text: &str) -> Vec<Vec<Change>> {
    let keeping: Vec<Change> = changes(text).into_iter().filter(|change| change.keeps).collect();
    let mut out = Vec::new();
    for (i, first) in keeping.iter().enumerate() {
        for second in &keeping[i + 1..] {
            let both = match first.line == second.line {
                false => Some(vec![first.clone(), second.clone()]),
                true => merged(first, second).map(|change| vec![change]),
            };
            out.extend(both);
        }
    }
    out.truncate(PAIRS);
    out
}

/// Two settings of one line in one change.
fn merged(first: &Change, second: &Change) -> Option<Change> {
    let (key, value) = second.setting.split_once('=')?;
    let becomes = with_setting(&first.becomes, key, value)?;
    Some(Change {
        becomes,
        setting: format!("{} {}", first.setting, second.setting),
        ..first.clone()
    })
}

/// The text with the changes made.
pub fn apply(text: &str, changes: &[Change]) -> String {
    let mut out = text.to_owned();
    for change in changes {
        if let Some(edited) = replace_line(&out, change.line, &change.becomes) {
            out = edited.text;
        }
    }
    out
}

fn changes(text: &str) -> Vec<Change> {
    let errors = parse(text).errors.len();
    let mut out = Vec::new();
    for remedy in &REMEDIES {
        for (number, line) in (1..).zip(text.lines()) {
            out.extend(change_of(remedy, number, line));
        }
    }
    for (number, line) in (1..).zip(text.lines()) {
        out.extend(rule_on(number, line));
    }
    out.retain(|change: &Change| {
        let changed = apply(text, std::slice::from_ref(change));
        changed != text && parse(&changed).errors.len() <= errors
    });
    out
}

fn change_of(remedy: &Remedy, number: u32, line: &str) -> Option<Change> {
    let code = without_remark(line);
    let begins = code.split_whitespace().next() == Some(remedy.place);
    let said = setting_of(code, remedy.key);
    let applies = match said {
        Some(value) => value != remedy.value && (begins || !remedy.place.is_empty()),
        None => begins && !remedy.is_default,
    };
    // A list of brokers is a placement, not a number of replicas.
    if !applies || remedy.key == "replicas" && said.is_none_or(|value| value.parse().is_ok_and(|n: u32| n >= 3)) {
        return None;
    }
    if remedy.key == "replicas" && said.is_some_and(|value| value.parse::<u32>().is_err()) {
        return None;
    }
    Some(Change {
        line: number,
        was: line.to_owned(),
        becomes: with_setting(line, remedy.key, remedy.value)?,
        setting: format!("{}={}", remedy.key, remedy.value),
        keeps: remedy.keeps,
    })
}

/// `rule kip-101 off`: the fix that history made.
fn rule_on(number: u32, line: &str) -> Option<Change> {
    let code = without_remark(line).trim_end();
    let words: Vec<&str> = code.split_whitespace().collect();
    let ["rule", rule, "off"] = words[..] else {
        return None;
    };
    Some(Change {
        line: number,
        was: line.to_owned(),
        becomes: format!("{}on{}", code.strip_suffix("off")?, &line[code.len()..]),
        setting: format!("rule {rule} on"),
        keeps: true,
    })
}

/// A line up to its remark. A `#` inside quotes begins none.
fn without_remark(line: &str) -> &str {
    let mut quoted = false;
    let end = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == '#' && !quoted
    });
    &line[..end.map_or(line.len(), |(at, _)| at)]
}

/// What the line says of a key.
fn setting_of<'a>(code: &'a str, key: &str) -> Option<&'a str> {
    let words = code.split_whitespace();
    let mut said = words.filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    said.next()
}

/// The line with that setting: in its place if it is there, else behind the last word.
fn with_setting(line: &str, key: &str, value: &str) -> Option<String> {
    let code = without_remark(line);
    let new = format!("{key}={value}");
    if let Some(old) = setting_of(code, key) {
        return Some(line.replacen(&format!("{key}={old}"), &new, 1));
    }
    let end = code.trim_end().len();
    Some(format!("{} {new}{}", line.get(..end)?, line.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "lab 1\ncontroller c1\nbroker b1..b3\ntopic t partitions=1 replicas=2 # small\n\
        producer web acks=1 linger.ms=0\nrule kip-101 off  # as it was\nat 1s  produce web t \"acks=0 # no\"\n";

    fn settings(all: &[Vec<Change>]) -> Vec<&str> {
        all.iter().map(|changes| changes[0].setting.as_str()).collect()
    }

    #[test]
    fn one_setting_of_one_line_each() {
        let all = singles(TEXT);
        let settings = settings(&all);
        assert_eq!(settings[0], "acks=all");
        for wanted in [
            "min.insync.replicas=2",
            "replicas=3",
            "log.flush.interval.messages=1",
            "rule kip-101 on",
        ] {
            assert!(settings.contains(&wanted), "{settings:?}");
        }
        assert!(!settings.contains(&"enable.idempotence=true"), "it is the default");
        for changes in &all {
            let changed = apply(TEXT, changes);
            let differ = TEXT.lines().zip(changed.lines()).filter(|(a, b)| a != b).count();
            assert_eq!(differ, 1, "{changed}");
            assert!(parse(&changed).errors.is_empty(), "{changed}");
        }
    }

    #[test]
    fn a_remark_stays_behind_the_settings() {
        let line = with_setting("topic t replicas=2 # small", "min.insync.replicas", "2");
        assert_eq!(
            line.as_deref(),
            Some("topic t replicas=2 min.insync.replicas=2 # small")
        );
        assert_eq!(
            without_remark("produce web t \"a # b\" # c"),
            "produce web t \"a # b\" "
        );
        assert_eq!(
            rule_on(3, "rule kip-101 off  # as it was")
                .map(|c| c.becomes)
                .as_deref(),
            Some("rule kip-101 on  # as it was")
        );
    }

    #[test]
    fn pairs_are_of_those_that_keep_records() {
        let all = pairs(TEXT);
        assert!(!all.is_empty() && all.len() <= PAIRS);
        assert!(all.iter().flatten().all(|change| change.keeps));
        let same_line = all
            .iter()
            .find(|changes| changes.len() == 1)
            .expect("two settings of the topic");
        assert_eq!(same_line[0].setting, "min.insync.replicas=2 replicas=3");
        assert!(
            same_line[0]
                .becomes
                .ends_with("replicas=3 min.insync.replicas=2 # small")
        );
    }
}
