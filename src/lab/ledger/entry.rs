//! One record's life: what was handed over, and what is known of it.

use super::{Message, Place};
use crate::sim::Time;
use std::rc::Rc;

/// The system that it was handed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    #[default]
    Kafka,
    Rabbit,
}

/// A record or message as it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    pub system: System,
    pub client: Rc<str>,
    /// The topic, or the exchange.
    pub topic: Rc<str>,
    pub key: Option<Rc<str>>,
    pub value: Option<Rc<str>>,
    pub at: Time,
}

/// What the transaction that a record was written in came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// It was written outside of any.
    #[default]
    Plain,
    /// No marker stands behind it yet.
    Open,
    Committed,
    /// No reader with `read_committed` will be given it.
    Aborted,
}

/// What is known of one record.
#[derive(Clone, Debug)]
pub struct Entry {
    pub handed: Rc<Handed>,
    /// Where the client sent it.
    pub place: Option<Place>,
    /// Where it stands (or last stood) on its line.
    pub offset: Option<i64>,
    pub appended: bool,
    pub committed: bool,
    pub acknowledged: bool,
    /// Acknowledged without being told where (acks=0): nobody at the broker has said anything.
    pub unconfirmed: bool,
    pub lost: bool,
    /// How often it stands on its line.
    pub copies: u8,
    pub reordered: bool,
    pub failed: Option<Rc<str>>,
    /// When a reader was first given it.
    pub first_given: Option<Time>,
    /// Reader (group or consumer) and how often it was given the record.
    pub delivered: Vec<(u16, u8)>,
    /// What a share group came to with it: done, refused, or given up at the delivery limit.
    pub accepted: bool,
    pub rejected: bool,
    pub archived: bool,
    pub outcome: Outcome,
    /// A transaction that began at or before its offset is open: it stands at or above the last stable offset.
    pub held_back: bool,
    /// A message's own life; `None` for records.
    pub message: Option<Rc<Message>>,
}

impl Entry {
    pub(super) fn new(handed: Rc<Handed>) -> Self {
        Entry {
            handed,
            place: None,
            offset: None,
            appended: false,
            committed: false,
            acknowledged: false,
            unconfirmed: false,
            lost: false,
            copies: 0,
            reordered: false,
            failed: None,
            first_given: None,
            delivered: Vec::new(),
            accepted: false,
            rejected: false,
            archived: false,
            outcome: Outcome::Plain,
            held_back: false,
            message: None,
        }
    }

    /// It stands on its line more than once; of a message: the broker took it in more than once.
    pub fn is_duplicated(&self) -> bool {
        self.copies > 1
    }

    /// Some reader was given it more than once.
    pub fn is_delivered_twice(&self) -> bool {
        self.delivered.iter().any(|(_, times)| *times > 1)
    }

    /// Its transaction was aborted.
    pub fn is_aborted(&self) -> bool {
        self.outcome == Outcome::Aborted
    }

    /// Its fate is open: the client has no answer, or an open transaction holds it back from its readers.
    pub fn is_waiting(&self) -> bool {
        if self.handed.system == System::Rabbit {
            return !self.lost && self.message.as_ref().is_none_or(|message| message.is_waiting());
        }
        if self.failed.is_some() {
            return false;
        }
        !self.acknowledged || (self.held_back && self.delivered.is_empty())
    }

    /// Its fates, in the order in which they usually come.
    pub fn fates(&self) -> Vec<&'static str> {
        let all = [
            (self.appended, "appended"),
            (self.committed, "committed"),
            (self.acknowledged, "acknowledged"),
            (self.is_aborted(), "aborted"),
            (!self.delivered.is_empty(), "delivered"),
            (self.is_duplicated(), "duplicated"),
            (self.is_delivered_twice(), "delivered-twice"),
            (self.accepted, "accepted"),
            (self.rejected, "rejected"),
            (self.archived, "archived"),
            (self.reordered, "reordered"),
            (self.failed.is_some(), "failed"),
            (self.lost, "lost"),
            (self.is_waiting(), "waiting"),
        ];
        let shared = all.into_iter().filter(|(is, _)| *is).map(|(_, name)| name);
        let own = self.message.iter().flat_map(|message| message.fates());
        shared.chain(own).collect()
    }
}
