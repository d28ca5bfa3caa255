//! The application behind the poll loop: it polls, works on each record, commits if that is its habit, and polls again.
//! While it works nobody polls; the heartbeat thread goes on.

use super::CommitHabit;
use super::commits::CommitSync;
use crate::kafka::client::call::Consumed;
use crate::kafka::protocol::share::Acknowledge;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// The application's thread.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// Is its loop on?
    pub on: bool,
    /// Microseconds per record.
    pub work_us: u64,
    pub commit: CommitHabit,
    /// What it says of records with these values to their share group; it accepts all others.
    pub verdicts: Vec<(Rc<str>, Acknowledge)>,
    pub stage: Stage,
}

/// What the thread does between two polls.
#[derive(Clone, Debug, Default)]
pub enum Stage {
    /// Nothing: it polls, if its loop is on.
    #[default]
    Polling,
    /// `commitSync()`, then work on these records if there are any left to work on.
    Committing(Box<CommitSync>, Option<Rc<Vec<Consumed>>>),
    Working(Work),
}

/// Work on the records of one poll, one after the other.
#[derive(Clone, Debug)]
pub struct Work {
    pub records: Rc<Vec<Consumed>>,
    pub since: Time,
    /// For each record.
    pub each: Span,
}

impl Work {
    /// When all of them are done.
    pub fn end(&self) -> Time {
        self.since + self.each.times(self.records.len() as u64)
    }

    /// How many are done.
    pub fn done(&self, now: Time) -> usize {
        match self.each {
            Span::ZERO => self.records.len(),
            each => ((now.since(self.since).as_us() / each.as_us()) as usize).min(self.records.len()),
        }
    }

    /// The record being worked on.
    pub fn current(&self, now: Time) -> Option<&Consumed> {
        self.records.get(self.done(now))
    }

    /// When the record being worked on is done.
    pub fn next_break(&self, now: Time) -> Time {
        self.since + self.each.times(self.done(now) as u64 + 1)
    }

    /// Is it just between two records?
    pub fn at_break(&self, now: Time) -> bool {
        let worked = now.since(self.since).as_us();
        worked > 0 && self.each.as_us() > 0 && worked.is_multiple_of(self.each.as_us())
    }
}
