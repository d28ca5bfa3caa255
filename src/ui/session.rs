//! The run that the page holds, with what belongs to it but not to the simulator: the draft in the editor and what is
//! wrong with it, and the console's history.

use std::cell::RefCell;
use std::rc::Rc;

use super::state::Said;
use crate::console::start;
use crate::lab::language::{Error, parse};
use crate::lab::run::Run;
use crate::lab::view::{LogEntry, Weight};

/// The session, shared by the page's components. Components borrow it for the length of one call and never across one
/// another's calls.
pub type Shared = Rc<RefCell<Session>>;

/// Something wrong in a text, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Line, from 1; 0 when it concerns the whole text.
    pub line: usize,
    /// Column in characters, from 1, and how many characters are meant.
    pub column: usize,
    pub length: usize,
    pub text: String,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let text = match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        };
        Problem {
            line: error.line as usize,
            column: error.column as usize,
            length: error.width as usize,
            text,
        }
    }
}

fn problems(run: &Run) -> Rc<Vec<Problem>> {
    Rc::new(run.errors().iter().cloned().map(Problem::from).collect())
}

/// Log entries that a list shows at most; the newest are kept.
const ENTRIES: usize = 1_000;

/// Events behind the present that a list looks at first; further back only if they gave too few entries.
const REACH: u64 = 20_000;

/// A run and its surroundings.
pub struct Session {
    pub run: Run,
    /// The text in the editor, while it has errors; the run keeps the last good one until then.
    draft: Option<String>,
    pub problems: Rc<Vec<Problem>>,
    pub said: Vec<Said>,
}

impl Session {
    /// A session on `text`. What can't be read of it is told by `problems`; everything else is there.
    pub fn open(text: &str) -> Session {
        let run = start::open(text);
        Session {
            problems: problems(&run),
            run,
            draft: None,
            said: Vec::new(),
        }
    }

    /// The text of the editor.
    pub fn draft(&self) -> &str {
        self.draft.as_deref().unwrap_or_else(|| self.run.text())
    }

    /// Takes a text as it is typed: the run follows when it can be read, else it keeps the last good one. The time at
    /// which the run stood, if it has to be played there again.
    pub fn edit(&mut self, text: &str) -> Option<u64> {
        let errors = parse(text).errors;
        if errors.is_empty() {
            let now_us = self.run.retell(text);
            self.settle();
            Some(now_us)
        } else {
            self.problems = Rc::new(errors.into_iter().map(Problem::from).collect());
            self.draft = Some(text.to_owned());
            None
        }
    }

    /// The run's text is the editor's again.
    pub fn settle(&mut self) {
        self.draft = None;
        self.problems = problems(&self.run);
    }

    /// Issues one line now and remembers what was said.
    pub fn command(&mut self, line: &str) -> Result<String, String> {
        let line = &start::as_line(line);
        let answer = self.run.command(line).map_err(|error| Problem::from(error).text);
        if answer.is_ok() {
            self.settle();
        }
        self.said.push(Said {
            at_us: self.run.now_us(),
            line: line.to_owned(),
            answer: answer.clone(),
        });
        answer
    }

    /// Whether the editor's text has errors, so that the run keeps an older one.
    pub fn is_draft(&self) -> bool {
        self.draft.is_some()
    }

    /// What is wrong with the text, and which of its lines could not be done so far. The same list as `before` if
    /// nothing has changed.
    pub fn troubles(&self, before: &Rc<Vec<Problem>>) -> Rc<Vec<Problem>> {
        let mut all = (*self.problems).clone();
        if self.draft.is_none() {
            let lines: Vec<&str> = self.run.text().lines().collect();
            all.extend(self.run.refused().into_iter().map(|refused| {
                let line = refused.line as usize;
                let written = lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
                let column = written.chars().take_while(|c| c.is_whitespace()).count();
                Problem {
                    line,
                    column: column + 1,
                    length: written.trim().chars().count(),
                    text: refused.why,
                }
            }));
        }
        if all == **before {
            Rc::clone(before)
        } else {
            Rc::new(all)
        }
    }

    /// Takes the newest command or edit back, if there is one; an unfinished text in the editor goes with it. The time
    /// at which the run stood, to be played there again.
    pub fn undo(&mut self) -> Option<u64> {
        let now_us = match self.draft {
            Some(_) => Some(self.run.now_us()),
            None => self.run.untell(),
        };
        self.settle();
        now_us
    }

    /// Whether there is something to take back.
    pub fn can_undo(&self) -> bool {
        self.draft.is_some() || self.run.can_undo()
    }

    /// Takes another branch to hand.
    pub fn switch_branch(&mut self, id: u32) {
        self.run.switch_branch(id);
        self.settle();
    }

    /// The log up to now.
    pub fn log(&self, weight: Weight, filter: &str) -> Vec<LogEntry> {
        let end = self.run.event() + 1;
        let mut reach = REACH;
        let mut entries = loop {
            let from = end.saturating_sub(reach);
            let found = self.run.log(from..end, weight, filter);
            if from == 0 || found.len() >= ENTRIES {
                break found;
            }
            reach *= 8;
        };
        let over = entries.len().saturating_sub(ENTRIES);
        entries.drain(..over);
        entries
    }

    /// What the clients logged themselves, up to now.
    pub fn client_log(&self, filter: &str) -> Vec<LogEntry> {
        let mut entries = self.run.client_log(0..self.run.event() + 1, filter);
        let over = entries.len().saturating_sub(ENTRIES);
        entries.drain(..over);
        entries
    }

    /// The newest entry that matters and speaks of `words`.
    pub fn newest(&self, words: &str) -> Option<LogEntry> {
        self.log(Weight::Matters, words).pop()
    }
}
