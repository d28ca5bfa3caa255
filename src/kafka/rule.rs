//! Rules: the named behaviours that "why?" answers with.

/// A named behaviour and where it comes from. Rooms keep theirs as constants beside the code that follows them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// `replica/high-watermark`.
    pub name: &'static str,
    /// One plain sentence: what the real system does.
    pub about: &'static str,
    /// Class and method of 4.3.1, or the KIP.
    pub source: &'static str,
}

/// How loud an observation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Heartbeats and idle polls.
    Idle,
    Detail,
    /// What a person follows: leaders, ISR, groups, commits.
    Matters,
    Alarm,
}

/// Names for ids, as whoever prints a note knows them.
pub trait Names {
    /// `loan_request-0`.
    fn partition(&self, partition: super::types::TopicPartition) -> String;
    /// The scenario's name of a broker or controller: `b1`.
    fn node(&self, id: super::types::NodeId) -> String;
}
