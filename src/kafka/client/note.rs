//! What clients report to people: their own log lines and what their state machines did.

use super::consumer::note::ConsumerNote;
use super::log::LogLine;
use super::producer::note::ProducerNote;
use crate::kafka::rule::{Names, Rule, Weight};

/// A client's observation.
#[derive(Clone, Debug, Hash)]
pub enum ClientNote {
    /// A line of the client's own log, exact, and the rule behind it.
    Log {
        line: LogLine,
        weight: Weight,
        rule: &'static Rule,
    },
    /// What a consumer's application saw.
    Consumer(ConsumerNote),
    Producer(ProducerNote),
}

impl ClientNote {
    /// The rule behind it.
    pub fn rule(&self) -> Option<&'static Rule> {
        match self {
            ClientNote::Log { rule, .. } => Some(rule),
            ClientNote::Consumer(note) => note.rule(),
            ClientNote::Producer(note) => note.rule(),
        }
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            ClientNote::Log { weight, .. } => *weight,
            ClientNote::Consumer(note) => note.weight(),
            ClientNote::Producer(note) => note.weight(),
        }
    }

    /// One line for people.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            ClientNote::Log { line, .. } => line.printed(),
            ClientNote::Consumer(note) => note.text(),
            ClientNote::Producer(note) => note.text(names),
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            ClientNote::Log { .. } | ClientNote::Consumer(_) => Vec::new(),
            ClientNote::Producer(note) => note.config(),
        }
    }
}
