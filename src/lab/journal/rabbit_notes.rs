//! RabbitMQ's notes in the log's words.

use super::facts::record_text;
use crate::lab::world::World;
use crate::rabbit::note::Note;

/// One sentence; a fact is about a message.
pub fn text(world: &World, note: &Note) -> String {
    match note {
        Note::Fact(fact) => format!("{} {}", record_text(world, fact.origin()), note.text()),
        Note::Broker(_) | Note::Client(_) => note.text(),
    }
}
