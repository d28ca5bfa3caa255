//! A note of any system in the log's words.

use super::{kafka_notes, rabbit_notes};
use crate::lab::view::{MarkKind, Weight};
use crate::lab::wire::Note;
use crate::lab::world::World;
use crate::sim::rule::{Rule, Weight as NoteWeight};

/// What stands behind a remark about a compose file.
pub const ENGINE: Rule = Rule {
    name: "docker/compose-up",
    about: "A compose file's services become hosts and processes; what of it is not acted on, or did not start, is said.",
    source: "docker compose up, compose-go 2.16.2",
};

/// A note's weight in the words of the view.
fn loudness(weight: NoteWeight) -> Weight {
    match weight {
        NoteWeight::Idle => Weight::Idle,
        NoteWeight::Detail => Weight::Detail,
        NoteWeight::Matters => Weight::Matters,
        NoteWeight::Alarm => Weight::Alarm,
    }
}

/// How loud a note is; `None`: it is no line of the log.
pub fn note_weight(note: &Note) -> Option<Weight> {
    let weight = match note {
        Note::Kafka(note) => kafka_notes::weight(note)?,
        Note::Rabbit(note) => note.weight(),
        Note::Engine(_) => NoteWeight::Matters,
        Note::Serving(note) => note.weight(),
    };
    Some(loudness(weight))
}

/// How loud it is in this world, where some of what a system does for itself is ordinary traffic.
pub fn calmed(world: &World, note: &Note, weight: Weight) -> Weight {
    match note {
        Note::Kafka(note) => kafka_notes::calmed(world, note, weight),
        Note::Rabbit(_) | Note::Serving(_) | Note::Engine(_) => weight,
    }
}

/// The rule that a note follows.
pub fn note_rule(note: &Note) -> Option<&'static Rule> {
    match note {
        Note::Kafka(note) => kafka_notes::rule(note),
        Note::Rabbit(note) => Some(note.rule()),
        Note::Engine(_) => Some(&ENGINE),
        Note::Serving(note) => Some(note.rule()),
    }
}

/// One sentence.
pub fn note_text(world: &World, note: &Note) -> String {
    match note {
        Note::Kafka(note) => kafka_notes::text(world, note),
        Note::Rabbit(note) => rabbit_notes::text(world, note),
        Note::Engine(text) => text.to_string(),
        Note::Serving(note) => note.text(),
    }
}

/// The settings that decided it.
pub fn note_config(note: &Note) -> Vec<(&'static str, String)> {
    match note {
        Note::Kafka(note) => kafka_notes::config(note),
        Note::Rabbit(_) | Note::Serving(_) | Note::Engine(_) => Vec::new(),
    }
}

/// What a note is to the timeline.
pub fn note_mark(note: &Note) -> Option<MarkKind> {
    match note {
        Note::Kafka(note) => kafka_notes::mark(note),
        Note::Rabbit(_) | Note::Serving(_) | Note::Engine(_) => None,
    }
}
