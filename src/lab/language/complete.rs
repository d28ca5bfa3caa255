//! Completes a line that is being typed: verbs, names, options, values.

use super::keys::{self, Scope as Keys};
use super::scope::{Kind, Scope};
use super::words::{self, Part, Verb};
use crate::kafka::fixes::FIXES;

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What would stand in the place of the bytes from `start` to the cursor.
    pub text: String,
    pub start: usize,
    /// One line about it; empty for names.
    pub about: String,
}

/// How many ways are suggested at most.
pub const MOST: usize = 50;

/// What could stand at byte `cursor` of `line`, among the names of `scope`; the likeliest first.
pub fn complete(line: &str, cursor: usize, scope: &Scope) -> Vec<Suggestion> {
    let cursor = (0..=cursor.min(line.len()))
        .rev()
        .find(|at| line.is_char_boundary(*at))
        .unwrap_or(0);
    let before = &line[..cursor];
    let start = before
        .rfind(char::is_whitespace)
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let (done, partial) = before.split_at(start);
    let mut words: Vec<&str> = done.split_whitespace().collect();
    if matches!(words.first(), Some(&"at" | &"after")) {
        if words.len() == 1 {
            return Vec::new();
        }
        words.drain(..2);
    }
    let mut found = Found {
        partial,
        start,
        list: Vec::new(),
    };
    match words.first().and_then(|word| words::find(word)) {
        None if words.is_empty() => verbs(&mut found),
        None => {}
        Some(verb) => arguments(&mut found, verb, &words[1..], scope),
    }
    found.list.truncate(MOST);
    found.list
}

struct Found<'a> {
    partial: &'a str,
    start: usize,
    list: Vec<Suggestion>,
}

impl Found<'_> {
    fn add(&mut self, text: impl Into<String>, about: impl Into<String>) {
        let text = text.into();
        if text.starts_with(self.partial) && text != self.partial && !self.list.iter().any(|s| s.text == text) {
            self.list.push(Suggestion {
                text,
                start: self.start,
                about: about.into(),
            });
        }
    }

    fn names<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        names.into_iter().for_each(|name| self.add(name, ""));
    }
}

fn verbs(found: &mut Found<'_>) {
    for verb in words::VERBS.iter().filter(|verb| verb.part != Part::Later) {
        found.add(verb.name, verb.about);
    }
    found.add("at", "when: at 2.5s");
    found.add("after", "how long after the line above: after 200ms");
}

fn arguments(found: &mut Found<'_>, verb: &'static Verb, behind: &[&str], scope: &Scope) {
    if let Some((key, _)) = found.partial.split_once('=') {
        let key = key.to_owned();
        return values(found, verb, &key, scope);
    }
    let place = behind.iter().filter(|word| !word.contains('=')).count();
    match verb.part {
        Part::Checks => check(found, behind, scope),
        Part::OneMessage => message(found, place, behind, scope),
        _ => names(found, verb, place, behind, scope),
    }
    for option in verb.options.iter().filter(|option| !option.key.contains("NAME")) {
        found.add(
            format!("{}=", option.key),
            format!("as in {}={}; without: {}", option.key, option.form, option.default),
        );
    }
    if let Some(keys) = verb.keys.or_else(|| keys_of_change(verb.name, behind, scope)) {
        for definition in keys.keys() {
            found.add(format!("{}=", definition.name), definition.kind.name().to_lowercase());
        }
    }
}

/// Whose keys `alter` and `set` take.
fn keys_of_change(verb: &str, behind: &[&str], scope: &Scope) -> Option<Keys> {
    let kind = behind.first().and_then(|name| scope.kind(name));
    match (verb, behind.first()?) {
        ("alter", &"topic") => Some(Keys::Topic),
        ("alter", &("broker" | "brokers")) => Some(Keys::Broker),
        ("set", _) => match kind? {
            Kind::Producer => Some(Keys::Producer),
            Kind::Consumer => Some(Keys::Consumer),
            _ => Some(Keys::Broker),
        },
        _ => None,
    }
}

fn values(found: &mut Found<'_>, verb: &'static Verb, key: &str, scope: &Scope) {
    let pair = |value: &str| format!("{key}={value}");
    match key {
        "group" => scope.groups.iter().for_each(|group| found.add(pair(group), "")),
        "topics" => scope.topics.iter().for_each(|topic| found.add(pair(topic), "")),
        "on" => scope
            .names_of(|kind| kind != Kind::Network)
            .for_each(|name| found.add(pair(name), "")),
        "type" if verb.name == "consumer" => ["consumer", "share"].iter().for_each(|word| found.add(pair(word), "")),
        "poll" => ["loop", "manual"].iter().for_each(|word| found.add(pair(word), "")),
        "commit" => ["never", "before", "after"]
            .iter()
            .for_each(|word| found.add(pair(word), "")),
        "queue" => scope.queues.iter().for_each(|queue| found.add(pair(queue), "")),
        "type" => ["direct", "fanout", "topic", "headers"]
            .iter()
            .for_each(|kind| found.add(pair(kind), "")),
        "ack" => ["after", "before", "auto", "manual"]
            .iter()
            .for_each(|word| found.add(pair(word), "")),
        "on-failure" => ["requeue", "dead-letter"]
            .iter()
            .for_each(|word| found.add(pair(word), "")),
        "x-match" => ["all", "any"].iter().for_each(|word| found.add(pair(word), "")),
        "x-queue-type" => ["classic", "quorum"].iter().for_each(|word| found.add(pair(word), "")),
        "x-overflow" => ["drop-head", "reject-publish", "reject-publish-dlx"]
            .iter()
            .for_each(|word| found.add(pair(word), "")),
        "x-dead-letter-exchange" | "alternate-exchange" => {
            scope.exchanges.iter().for_each(|name| found.add(pair(name), ""));
        }
        _ => {}
    }
    if let Some(definition) = verb.keys.and_then(|keys| keys.find(key)) {
        keys::choices(definition)
            .iter()
            .for_each(|word| found.add(pair(word), ""));
    }
}

fn names(found: &mut Found<'_>, verb: &'static Verb, place: usize, behind: &[&str], scope: &Scope) {
    let of = |wanted: fn(Kind) -> bool| scope.names_of(wanted).collect::<Vec<_>>();
    let processes = of(Kind::is_process);
    match (verb.name, place) {
        ("view", 0) => found.names(words::PICTURES.iter().copied()),
        ("rule", 0) => FIXES.iter().for_each(|(_, name, about)| found.add(*name, *about)),
        ("rule", 1) => found.names(["on", "off"]),
        ("publish", 0) => found.names(of(|kind| kind == Kind::Publisher)),
        ("ack" | "nack" | "reject", _) => {
            found.names(of(|kind| kind == Kind::Subscriber));
            found.names(["multiple"]);
        }
        ("publish", 1) | ("bind" | "unbind", 0) => exchanges(found, scope),
        ("bind" | "unbind", 1) => found.names(["->"]),
        ("bind" | "unbind", 2) => {
            queues(found, scope);
            exchanges(found, scope);
        }
        ("purge", 0) => queues(found, scope),
        ("exchange", 1..) => found.names(["durable", "auto-delete", "internal"]),
        ("queue", 1..) => found.names(["durable", "exclusive", "auto-delete"]),
        ("publisher", 1..) => found.names(["confirm", "mandatory", "persistent"]),
        ("start", 1) if behind.first().and_then(|name| scope.kind(name)) == Some(Kind::Publisher) => {
            exchanges(found, scope);
        }
        ("produce" | "start", 0) => {
            found.names(of(|kind| kind == Kind::Producer));
            if verb.name == "start" {
                found.names(of(|kind| matches!(kind, Kind::Consumer | Kind::Publisher)));
            }
        }
        ("poll" | "unsubscribe" | "acknowledge", _) | ("commit" | "seek" | "subscribe" | "assign", 0) => {
            found.names(of(|kind| kind == Kind::Consumer));
        }
        ("produce" | "start" | "seek" | "subscribe" | "assign", _) | ("feed" | "reassign", 0) | ("elect", 1..) => {
            topics(found, scope);
        }
        ("feed", _) if behind.contains(&"->") => {
            found.names(of(|kind| matches!(kind, Kind::Producer | Kind::Publisher)));
        }
        ("feed", _) => found.names(["->"]),
        ("elect", 0) => found.names(["preferred", "unclean"]),
        ("alter", 0) => found.names(["topic", "broker", "brokers"]),
        ("delete", 0) => found.names(["topic", "group", "records", "queue", "exchange"]),
        ("alter" | "delete", 1) => match behind.first().copied().unwrap_or_default() {
            "broker" => found.names(of(|kind| kind == Kind::Broker)),
            "queue" => queues(found, scope),
            "exchange" => exchanges(found, scope),
            "group" => scope.groups.iter().for_each(|group| found.add(&**group, "")),
            _ => topics(found, scope),
        },
        ("stop", _) => {
            found.names(of(|kind| {
                matches!(kind, Kind::Producer | Kind::Consumer | Kind::Publisher)
            }));
            topics(found, scope);
            exchanges(found, scope);
        }
        ("press", 0) => found.names(["ctrl-c", "ctrl-d"]),
        ("type", 0) | ("press", 1) => found.names(of(|kind| kind != Kind::Network)),
        ("disk", 1..) => found.names(["ok", "full", "wipe"]),
        ("network" | "rack", 1..)
        | ("crash" | "power-off" | "shutdown" | "restart" | "freeze" | "thaw" | "remove" | "set" | "disk", _) => {
            found.names(processes);
        }
        ("link" | "cut" | "heal" | "delay" | "loss", _) => {
            found.names(processes);
            if place > 0 && !behind.iter().any(|word| matches!(*word, "->" | "<->" | "|")) {
                found.names(["->", "<->", "|"]);
            }
        }
        _ => {}
    }
}

fn topics(found: &mut Found<'_>, scope: &Scope) {
    scope.topics.iter().for_each(|topic| found.add(&**topic, ""));
}

fn exchanges(found: &mut Found<'_>, scope: &Scope) {
    scope.exchanges.iter().for_each(|exchange| found.add(&**exchange, ""));
    found.add(
        super::ast::DEFAULT_EXCHANGE,
        "the default exchange: a queue by its name",
    );
}

fn queues(found: &mut Found<'_>, scope: &Scope) {
    scope.queues.iter().for_each(|queue| found.add(&**queue, ""));
}

fn message(found: &mut Found<'_>, place: usize, behind: &[&str], scope: &Scope) {
    let next = usize::from(behind.first() == Some(&"next"));
    let arrow = behind.contains(&"->");
    match place - next.min(place) {
        0 => {
            if next == 0 {
                found.add("next", "waits for one");
            }
            for message in words::MESSAGES {
                ["", "Request", "Response"]
                    .iter()
                    .for_each(|end| found.add(format!("{message}{end}"), ""));
            }
            found.names(crate::rabbit::protocol::KINDS);
        }
        _ if place == next + 2 && !arrow => found.names(["->"]),
        _ => found.names(scope.names_of(Kind::is_process).collect::<Vec<_>>()),
    }
}

fn check(found: &mut Found<'_>, behind: &[&str], scope: &Scope) {
    if behind.is_empty() {
        words::SUBJECTS
            .iter()
            .filter(|s| !s.later)
            .for_each(|s| found.add(s.name, s.about));
        words::INVARIANTS
            .iter()
            .for_each(|(name, about)| found.add(*name, *about));
        return;
    }
    match behind {
        ["ready" | "unacked" | "consumers"] => queues(found, scope),
        ["count"] => words::FATES.iter().for_each(|(name, about)| found.add(*name, *about)),
        ["fate", _, "=" | "contains", ..] => words::FATES.iter().for_each(|(name, about)| found.add(*name, *about)),
        ["state", _, "=" | "!="] => found.names(words::STATES.iter().chain(words::GROUP_STATES).copied()),
        _ => {
            topics(found, scope);
            queues(found, scope);
            found.names(scope.names_of(Kind::is_process).collect::<Vec<_>>());
            scope.groups.iter().for_each(|group| found.add(&**group, ""));
        }
    }
    if !behind.iter().any(|word| words::OPERATORS.contains(word)) {
        found.names(words::OPERATORS.iter().copied());
    }
}
