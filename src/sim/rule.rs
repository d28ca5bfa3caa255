//! Rules: the named behaviours that "why?" answers with, in whatever system they hold.

/// A named behaviour and where it comes from. Rooms keep theirs as constants beside the code that follows them.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// `replica/high-watermark`.
    pub name: &'static str,
    /// One plain sentence: what the real system does.
    pub about: &'static str,
    /// Where it is written: class and method, module and function, or the proposal.
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
