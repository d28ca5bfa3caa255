//! What is wrong with a text: where, what, and what would be right.
//!
//! ```text
//! line 9, column 14: acks=2 is not a value of acks
//!   9 | producer web acks=2
//!     |              ^^^^^^ one of: 0, 1, all
//! ```

use std::fmt;
use std::rc::Rc;

/// Characters of a line that an error shows at most; a longer line is shown around the mark.
const SHOWN: usize = 160;

/// One thing that is wrong with a scenario's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// How many characters are marked, at least 1.
    pub width: u32,
    /// The line as it stands in the text.
    pub source: Rc<str>,
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not a sentence of the language.
    Wrong,
    /// A word of the language that this version does not act on yet.
    NotYet,
    /// More than `limits` allow.
    Limit,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len() + 2);
        let (shown, indent) = self.window();
        writeln!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        writeln!(f, "  {number} | {shown}")?;
        let room = shown.chars().count().saturating_sub(indent).max(1);
        let marks = "^".repeat((self.width as usize).clamp(1, room));
        write!(f, "{margin} | {}{marks}", " ".repeat(indent))?;
        match &self.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

impl Error {
    /// The part of the line that is shown, and where in it the mark begins.
    fn window(&self) -> (String, usize) {
        let column = self.column.saturating_sub(1) as usize;
        let skip = column.saturating_sub(SHOWN / 2);
        let plain = |c: char| {
            if c.is_control() || c.is_whitespace() { ' ' } else { c }
        };
        let shown: String = self.source.chars().skip(skip).take(SHOWN).map(plain).collect();
        (shown.trim_end().to_owned(), column - skip)
    }
}

/// Of `known`, the word nearest to `word` by edit distance, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let lower: Vec<char> = candidate.chars().take(96).flat_map(char::to_lowercase).collect();
        let enough = (word.len().max(lower.len()) / 3).max(1);
        // A word that was not written to its end is near.
        let begun = word.len() >= 3 && lower.starts_with(&word);
        let distance = if begun {
            Some(1)
        } else {
            edit_distance(&word, &lower, enough)
        };
        if let Some(distance) = distance.filter(|d| best.is_none_or(|(least, _)| *d < least)) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The number of inserted, deleted, replaced or swapped neighbouring characters between two words, if at most `most`.
fn edit_distance(a: &[char], b: &[char], most: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        // A swap reaches back over one row.
        if row.iter().chain(&last).all(|d| *d > most) {
            return None;
        }
        before = last;
        last = row;
    }
    Some(last[b.len()]).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_the_language_promises() {
        let error = Error {
            kind: Kind::Wrong,
            line: 9,
            column: 14,
            width: 6,
            source: "producer web acks=2".into(),
            message: "acks=2 is not a value of acks".into(),
            hint: Some("one of: 0, 1, all".into()),
        };
        assert_eq!(
            error.to_string(),
            "line 9, column 14: acks=2 is not a value of acks\n  9 | producer web acks=2\n    |              ^^^^^^ one of: 0, 1, all"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_mark() {
        let source = format!("{}WRONG{}", "a".repeat(3_000), "b".repeat(900));
        let error = Error {
            kind: Kind::Wrong,
            line: 1,
            column: 3_001,
            width: 5,
            source: source.into(),
            message: "m".into(),
            hint: None,
        };
        let text = error.to_string();
        assert!(text.len() < 400 && text.contains("WRONG"));
        let mark = text.lines().nth(2).unwrap().find('^').unwrap();
        assert_eq!(&text.lines().nth(1).unwrap()[mark..mark + 5], "WRONG");
    }

    #[test]
    fn the_nearest_word_is_found_or_none() {
        let words = ["producer", "produce", "crash", "restart"];
        assert_eq!(nearest("prodcue", words), Some("produce"));
        assert_eq!(nearest("crsah", words), Some("crash"));
        assert_eq!(nearest("RESTART", words), Some("restart"));
        assert_eq!(nearest("zzzzz", words), None);
        assert_eq!(nearest("", words), None);
        assert_eq!(nearest("b9", ["b1", "b2"]), Some("b1"));
    }
}
