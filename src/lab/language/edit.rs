//! Changes of a scenario's text as the page makes them: one line changes, all others stay as they are, byte for byte.
//!
//! One exception keeps what the other lines mean: a line that counts `after` the line above is given a new number when a
//! command is put between the two, so that it happens when it happened before.

use super::ast::{Content, Line, When};
use super::parse::{lines, parse};
use super::units::duration;

/// A text after a change, and the line (from 1) that is new or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: String,
    pub line: u32,
}

/// Puts another line in the place of line `number` (from 1; with its block, if it has one). `None`: there is no such line.
pub fn replace_line(text: &str, number: u32, with: &str) -> Option<Edited> {
    let parsed = parse(text).scenario;
    let line = parsed.lines.iter().find(|line| line.number == number)?;
    let mut pieces = Pieces::of(text);
    pieces.replace(line, Some(with))?;
    Some(Edited {
        text: pieces.text(),
        line: number,
    })
}

/// Takes line `number` out, with its block. If lines below count from its time, the time stays behind without a command.
pub fn remove_line(text: &str, number: u32) -> Option<Edited> {
    let parsed = parse(text).scenario;
    let at = parsed.lines.iter().position(|line| line.number == number)?;
    let line = &parsed.lines[at];
    let below = parsed.lines[at + 1..]
        .iter()
        .find(|below| below.content != Content::Blank || below.when != When::Same);
    let needed = line.when != When::Same && below.is_some_and(|below| !matches!(below.when, When::At(_)));
    let rest = needed.then(|| format!("at {}", duration(line.at_us)));
    let mut pieces = Pieces::of(text);
    pieces.replace(line, rest.as_deref())?;
    Some(Edited {
        text: pieces.text(),
        line: number,
    })
}

/// Puts a command (without a time) where it happens at `at_us`: behind all lines up to that time.
pub fn insert_command_at(text: &str, at_us: u64, command: &str) -> Edited {
    let parsed = parse(text).scenario;
    let counts = |line: &Line| line.content != Content::Blank || line.when != When::Same;
    let above = parsed
        .lines
        .iter()
        .rposition(|line| line.at_us <= at_us && counts(line));
    let now_us = above.map_or(0, |above| parsed.lines[above].at_us);
    let mut pieces = Pieces::of(text);
    let index = match above {
        Some(above) => parsed.lines[above].number as usize + parsed.lines[above].extra_lines(),
        None => pieces.lines.len(),
    };
    let below = parsed.lines[above.map_or(0, |above| above + 1)..]
        .iter()
        .find(|line| line.when != When::Same);
    if let Some(line) = below.filter(|line| matches!(line.when, When::After(_))) {
        pieces.recount(line, line.at_us.saturating_sub(at_us.max(now_us)));
    }
    let column = parsed.lines[..above.map_or(0, |above| above + 1)]
        .iter()
        .rev()
        .find(|line| line.when != When::Same);
    let new = match column {
        _ if at_us > now_us => format!("at {}  {command}", duration(at_us)),
        Some(line) => format!("{}{command}", " ".repeat(column_of(line))),
        None => command.to_owned(),
    };
    pieces.insert(index, &new);
    Edited {
        text: pieces.text(),
        line: index as u32 + 1,
    }
}

/// Where the commands below a line with a time begin.
fn column_of(line: &Line) -> usize {
    match line.when {
        When::Same => 0,
        When::At(us) => "at ".len() + duration(us).len() + 2,
        When::After(us) => "after ".len() + duration(us).len() + 2,
    }
}

/// A text as lines with their ends.
struct Pieces<'a> {
    /// What stands before the first line (a BOM).
    start: &'a str,
    lines: Vec<String>,
    /// How lines of this text end.
    end: &'static str,
}

impl<'a> Pieces<'a> {
    fn of(text: &'a str) -> Pieces<'a> {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        let start = &text[..text.len() - rest.len()];
        let lines: Vec<String> = rest.split_inclusive('\n').map(str::to_owned).collect();
        let end = if lines.first().is_some_and(|line| line.ends_with("\r\n")) {
            "\r\n"
        } else {
            "\n"
        };
        Pieces { start, lines, end }
    }

    fn text(&self) -> String {
        format!("{}{}", self.start, self.lines.concat())
    }

    /// Replaces a line and its block; `None` takes it out. `None` is answered if the text has no such line.
    fn replace(&mut self, line: &Line, with: Option<&str>) -> Option<()> {
        let first = (line.number as usize).checked_sub(1)?;
        let last = (first + line.extra_lines()).min(self.lines.len().checked_sub(1)?);
        if first > last {
            return None;
        }
        let ending = ending(&self.lines[last]);
        let new = with.map(|with| format!("{with}{ending}"));
        self.lines.splice(first..=last, new);
        Some(())
    }

    fn insert(&mut self, index: usize, line: &str) {
        let index = index.min(self.lines.len());
        match self.lines.get_mut(index.wrapping_sub(1)) {
            // The last line had no end: it gets one, the new line goes without.
            Some(above) if !above.ends_with('\n') => {
                above.push_str(self.end);
                self.lines.push(line.to_owned());
            }
            _ => self.lines.insert(index, format!("{line}{}", self.end)),
        }
    }

    /// Gives a line that counts from the one above another number.
    fn recount(&mut self, line: &Line, us: u64) {
        let Some(text) = self.lines.get_mut((line.number as usize).wrapping_sub(1)) else {
            return;
        };
        let Some(word) = text.find("after") else {
            return;
        };
        let from = word + "after".len();
        let start = from + text[from..].len() - text[from..].trim_start().len();
        let end = text[start..]
            .find(char::is_whitespace)
            .map_or(text.len(), |at| start + at);
        text.replace_range(start..end, &duration(us));
    }
}

/// The end of a line with its end.
fn ending(line: &str) -> &'static str {
    if line.ends_with("\r\n") {
        "\r\n"
    } else if line.ends_with('\n') {
        "\n"
    } else {
        ""
    }
}

/// How many lines a text has.
pub fn line_count(text: &str) -> usize {
    lines(text).len()
}
