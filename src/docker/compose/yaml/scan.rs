//! The characters of a document and the place where the reader stands.

use super::{Broken, Mark};

/// A cursor over the text.
pub(super) struct Scan {
    chars: Vec<char>,
    pub pos: usize,
    pub line: u32,
    /// Counted from 0, as indentation is.
    pub col: u32,
}

/// A cursor's place, to come back to.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pos: usize,
    line: u32,
    col: u32,
}

impl Scan {
    pub fn new(text: &str) -> Scan {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Scan {
            chars: text.replace("\r\n", "\n").replace('\r', "\n").chars().collect(),
            pos: 0,
            line: 1,
            col: 0,
        }
    }

    pub fn peek(&self) -> Option<char> {
        self.chars.get(self.pos).copied()
    }

    pub fn ahead(&self, n: usize) -> Option<char> {
        self.chars.get(self.pos + n).copied()
    }

    pub fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.pos += 1;
        if c == '\n' {
            self.line += 1;
            self.col = 0;
        } else {
            self.col += 1;
        }
        Some(c)
    }

    pub fn place(&self) -> Place {
        Place {
            pos: self.pos,
            line: self.line,
            col: self.col,
        }
    }

    pub fn back_to(&mut self, place: Place) {
        (self.pos, self.line, self.col) = (place.pos, place.line, place.col);
    }

    pub fn mark(&self) -> Mark {
        Mark {
            line: self.line,
            column: self.col + 1,
        }
    }

    /// Blank, line end or text end at `n` characters from here.
    pub fn blank_at(&self, n: usize) -> bool {
        self.ahead(n).is_none_or(|c| matches!(c, ' ' | '\t' | '\n'))
    }

    /// Whether `- `, `? ` or `: ` stands here.
    pub fn indicator(&self, c: char) -> bool {
        self.peek() == Some(c) && self.blank_at(1)
    }

    pub fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.next();
        }
    }

    pub fn skip_line(&mut self) {
        while self.peek().is_some_and(|c| c != '\n') {
            self.next();
        }
    }

    /// Only blanks and a comment are left on this line.
    pub fn line_is_over(&self) -> bool {
        let mut n = 0;
        while matches!(self.ahead(n), Some(' ' | '\t')) {
            n += 1;
        }
        match self.ahead(n) {
            None | Some('\n') => true,
            Some('#') => n > 0 || self.pos == 0 || matches!(self.chars.get(self.pos - 1), Some(' ' | '\t' | '\n')),
            Some(_) => false,
        }
    }

    /// A line that begins with `---` or `...`.
    pub fn document_mark(&self) -> bool {
        let three = |c: char| (0..3).all(|n| self.ahead(n) == Some(c));
        self.col == 0 && (three('-') || three('.')) && self.blank_at(3)
    }

    /// To the next thing that is neither blank nor comment. In a block, a tab must not indent it.
    pub fn skip_blanks(&mut self, flow: bool) -> Result<(), Broken> {
        let mut fresh = self.col == 0;
        loop {
            match self.peek() {
                Some(' ') => {
                    self.next();
                }
                Some('\t') if flow || !fresh || self.line_is_over() => {
                    self.next();
                }
                Some('\n') => {
                    self.next();
                    fresh = true;
                }
                Some('#') if self.line_is_over() => self.skip_line(),
                Some('\t') => return Err(self.no_token()),
                _ => return Ok(()),
            }
        }
    }

    pub fn no_token(&self) -> Broken {
        self.broken(
            "while scanning for the next token",
            self.mark(),
            None,
            "found character that cannot start any token",
        )
    }

    /// `CONTEXT at PLACE: PLACE: PROBLEM`, as the scanner reports.
    pub fn broken(&self, context: &str, from: Mark, at: Option<Mark>, problem: &str) -> Broken {
        let mut text = format!("{context} at {}", words(from, 0));
        if let Some(at) = at {
            text.push_str(&format!(": {}", words(at, 0)));
        }
        text.push_str(&format!(": {problem}"));
        Broken {
            text,
            mark: at.unwrap_or(from),
        }
    }

    /// The same from the parser, which counts lines from 0.
    pub fn unexpected(&self, context: &str, from: Mark, at: Mark, problem: &str) -> Broken {
        Broken {
            text: format!("{context} at {}: {}: {problem}", words(from, 1), words(at, 1)),
            mark: at,
        }
    }

    /// An error with one place.
    pub fn wrong(&self, at: Mark, problem: &str) -> Broken {
        Broken {
            text: format!("{}: {problem}", words(at, 0)),
            mark: at,
        }
    }
}

/// A place in words; the first column goes without saying.
fn words(mark: Mark, less: u32) -> String {
    let line = mark.line.saturating_sub(less);
    match (line, mark.column) {
        (0, 0 | 1) => "<unknown position>".into(),
        (_, 0 | 1) => format!("line {line}"),
        (_, column) => format!("line {line}, column {column}"),
    }
}
