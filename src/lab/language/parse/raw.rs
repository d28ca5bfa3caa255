//! What is found in a line before it is cut into words: tools' command lines, and blocks.

use std::rc::Rc;

use super::args::{Read, is_name, wrong};
use crate::lab::language::ast::{Command, Name};
use crate::lab::language::lexer::{Span, lex};

/// The word that begins at byte `from`, and the byte behind it.
pub fn raw_word(source: &str, from: usize) -> (&str, usize) {
    let end = source[from..]
        .find(char::is_whitespace)
        .map_or(source.len(), |at| from + at);
    (&source[from..end], end)
}

pub fn is_tool_line(source: &str, body: usize) -> bool {
    let (first, end) = raw_word(source, body);
    first.starts_with('$') || (source[end..].split_whitespace().next() == Some("$") && is_name(first))
}

/// `$ ...` or `worker $ ...`: nothing in it is the language's own, quotes and `#` included.
pub fn tool_line(source: &str, body: usize) -> Read<Option<Command>> {
    if !is_tool_line(source, body) {
        return Ok(None);
    }
    let (first, end) = raw_word(source, body);
    let (host, line) = match first.strip_prefix('$') {
        Some(_) => (None, &source[body + 1..]),
        None => (Some(Name::from(first)), &source[end..].trim_start()[1..]),
    };
    let line = line.trim();
    if line.is_empty() {
        let start = source[..body].chars().count();
        return wrong(
            Span { start, end: start + 1 },
            "the command line is missing",
            "as in: $ kafka-topics.sh --list",
        );
    }
    Ok(Some(Command::Tool {
        host,
        line: line.into(),
    }))
}

/// A block: the lines between `<<END` and `END`.
pub struct Block {
    pub text: Rc<str>,
    /// How many lines it has, its end included.
    pub lines: usize,
    ended: bool,
    /// Where `<<END` stands in its line.
    pub byte: usize,
    span: Span,
    end_word: String,
}

impl Block {
    /// The block that the first of `rest` opens, if it does.
    pub fn of(rest: &[&str], body: usize) -> Option<Block> {
        let tokens = lex(rest[0]).ok()?.tokens;
        let token = tokens
            .last()
            .filter(|token| !token.quoted && token.key.is_none() && token.byte > body)?;
        let end_word = token.text.strip_prefix("<<").filter(|word| is_name(word))?;
        let is_end = |line: &&&str| line.trim() == end_word;
        let inner = rest[1..].iter().take_while(|line| !is_end(line)).count();
        let text: String = rest[1..=inner].iter().flat_map(|line| [line, "\n"]).collect();
        let ended = inner + 1 < rest.len();
        let lines = inner + usize::from(ended);
        Some(Block {
            text: text.into(),
            lines,
            ended,
            byte: token.byte,
            span: token.span,
            end_word: end_word.into(),
        })
    }

    /// A block must have an end and belong to a command that takes one.
    pub fn check(&self, verb: &str) -> Read<()> {
        if !matches!(verb, "about" | "note" | "compose") {
            return wrong(
                self.span,
                format!("{verb} takes no block"),
                "blocks: about, note, compose",
            );
        }
        if self.ended {
            Ok(())
        } else {
            wrong(
                self.span,
                "the block has no end",
                format!("a line that says {}", self.end_word),
            )
        }
    }
}
