//! The run that the page holds, with what belongs to it but not to the simulator: the draft in the editor and what is
//! wrong with it, and the console's history.

use std::cell::RefCell;
use std::rc::Rc;

use super::fixture::Run;
use super::state::Said;
use crate::lab::language::Error;
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

/// A run and its surroundings.
pub struct Session {
    pub run: Run,
    /// The text in the editor: the run's own, or one that has errors.
    draft: Option<String>,
    pub problems: Rc<Vec<Problem>>,
    pub said: Vec<Said>,
}

impl Session {
    /// A session on `text`; without a run when the text can't be read.
    pub fn open(text: &str) -> Result<Session, Vec<Problem>> {
        let run = Run::open(text)?;
        Ok(Session {
            run,
            draft: None,
            problems: Rc::default(),
            said: Vec::new(),
        })
    }

    /// The text of the editor.
    pub fn draft(&self) -> String {
        self.draft.clone().unwrap_or_else(|| self.run.text().to_owned())
    }

    /// Takes a text as it is typed: the run follows when it can be read, else it keeps the last good one.
    pub fn edit(&mut self, text: &str) {
        let now = self.run.now_us();
        match Run::open(text) {
            Ok(mut run) => {
                run.play_until_us(now, EDIT_EVENTS);
                self.run = run;
                self.draft = None;
                self.problems = Rc::default();
            }
            Err(problems) => {
                self.draft = Some(text.to_owned());
                self.problems = Rc::new(problems);
            }
        }
    }

    /// Issues one line now and remembers what was said.
    pub fn command(&mut self, line: &str) -> Result<String, String> {
        let at_us = self.run.now_us();
        let answer = self.run.command(line).map_err(|problem| problem.text);
        if answer.is_ok() {
            self.draft = None;
            self.problems = Rc::default();
        }
        self.said.push(Said {
            at_us,
            line: line.to_owned(),
            answer: answer.clone(),
        });
        answer
    }
}

/// How many events an edited scenario is played at most to come back to the same moment while a person types.
pub const EDIT_EVENTS: u32 = 200_000;

/// Log entries that a list shows at most; the newest are kept.
const ENTRIES: usize = 4_000;

/// Events before now whose ordinary traffic the log shows; what matters is shown from the beginning.
const DETAIL_EVENTS: u64 = 5_000;

impl Session {
    /// A session for a text that can't be read: an empty run, the text in the editor with what is wrong with it.
    pub fn broken(text: &str, problems: Vec<Problem>) -> Session {
        let run = Run::open("lab 1\n").expect("a text with nothing but its version can always be read");
        Session {
            run,
            draft: Some(text.to_owned()),
            problems: Rc::new(problems),
            said: Vec::new(),
        }
    }

    /// Takes the newest command back, if there is one.
    pub fn undo(&mut self) -> bool {
        self.draft = None;
        self.problems = Rc::default();
        self.run.undo()
    }

    /// The log up to now.
    pub fn log(&self, weight: Weight, filter: &str) -> Vec<LogEntry> {
        let end = self.run.event() + 1;
        let from = if weight >= Weight::Matters {
            0
        } else {
            end.saturating_sub(DETAIL_EVENTS)
        };
        let mut entries = self.run.log(from..end, weight, filter);
        let over = entries.len().saturating_sub(ENTRIES);
        entries.drain(..over);
        entries
    }

    /// The newest entry that matters and speaks of `words`.
    pub fn newest(&self, words: &str) -> Option<LogEntry> {
        self.log(Weight::Matters, words).pop()
    }
}
