//! Completion of a command line, as the language itself completes it.

use crate::console::complete::{self as console, Names};
use crate::lab::language::complete::complete;
use crate::lab::language::parse;
use crate::lab::language::scope::Scope;
use crate::lab::world::World;

/// Words that could stand at the end of a line, and where (in bytes) the word being typed begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    pub from: usize,
    pub words: Vec<(String, String)>,
}

/// Candidates shown at once.
const MOST: usize = 8;

/// What could complete the last word of `line`, in a run whose text is `text`; each with a line about it. A tool's
/// command line is completed with what the `world` knows.
pub fn candidates(line: &str, text: &str, world: &World) -> Candidates {
    if line.trim().is_empty() {
        return Candidates::default();
    }
    if console::is_command_line(line) {
        let found = console::complete(line, &Names::of(world)).unwrap_or_default();
        let words = found.words.into_iter().take(MOST).collect();
        return Candidates {
            from: found.from,
            words,
        };
    }
    let scope = Scope::of(&parse(text).scenario);
    let found = complete(line, line.len(), &scope);
    let from = found.first().map_or(line.len(), |first| first.start);
    let words = found
        .into_iter()
        .filter(|s| s.start == from)
        .take(MOST)
        .map(|s| (s.text, s.about))
        .collect();
    Candidates { from, words }
}
