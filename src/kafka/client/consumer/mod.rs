//! The consumer: poll, fetch, positions, group membership by either protocol, commits.

mod answers;
pub mod application;
pub mod calls;
pub mod commits;
mod commits_async;
pub mod committed;
pub mod completed;
pub mod coordinator;
pub mod fetcher;
pub mod heartbeat;
mod leader;
pub mod leave;
mod lines;
pub mod membership;
pub mod metrics;
pub mod modern;
pub mod note;
pub mod outbox;
pub mod pattern;
mod poll;
pub mod position;
pub mod positions;
pub mod process;
pub mod rebalance;
pub mod rules;
pub mod share;
pub mod subscription;
pub mod text;
pub mod times;
mod view;

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;

pub use note::ConsumerNote;
pub use process::Consumer;

use super::call::CallId;
use super::network::NetTimer;
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::protocol::share::Acknowledge;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Where `seek` goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeekTo {
    Offset(i64),
    Beginning,
    End,
}

/// When the application's poll loop commits, with `commitSync()`, what it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CommitHabit {
    /// Never: auto commit or calls from outside do.
    #[default]
    Never,
    /// Before working on it: at most once.
    Before,
    /// After working on it: at least once.
    After,
}

/// What somebody outside tells a consumer. Each call returns in a `Fact::Returned`.
#[derive(Clone, Debug)]
pub enum ConsumerOrder {
    Subscribe {
        call: CallId,
        topics: Vec<Rc<str>>,
    },
    /// A Java pattern, matched by the client over all topics it knows.
    SubscribePattern {
        call: CallId,
        pattern: Rc<str>,
    },
    /// An RE2 pattern, matched by the coordinator.
    SubscribeRegex {
        call: CallId,
        regex: Rc<str>,
    },
    Assign {
        call: CallId,
        partitions: Vec<NamedPartition>,
    },
    Unsubscribe {
        call: CallId,
    },
    /// How the application behind the poll loop works: how long on each record, in microseconds of its one thread, and
    /// when it commits.
    Application {
        call: CallId,
        work_us: u64,
        commit: CommitHabit,
    },
    /// The application's rebalance listener commits in onPartitionsRevoked, or does not.
    Listener {
        call: CallId,
        commit_on_revoke: bool,
    },
    /// Polls all the time from now on, or no more. An exception from poll() ends it too.
    PollLoop {
        call: CallId,
        on: bool,
    },
    /// Polls until `records` came, `timeout_ms` are over, or an exception.
    Poll {
        call: CallId,
        timeout_ms: i64,
        records: usize,
    },
    Seek {
        call: CallId,
        partition: NamedPartition,
        to: SeekTo,
    },
    Position {
        call: CallId,
        partition: NamedPartition,
    },
    CommittedOffsets {
        call: CallId,
        partitions: Vec<NamedPartition>,
    },
    OffsetsForTimes {
        call: CallId,
        times: Vec<(NamedPartition, i64)>,
    },
    /// `None`: the positions.
    CommitSync {
        call: CallId,
        offsets: Option<OrderedMap<NamedPartition, CommittedOffset>>,
    },
    CommitAsync {
        call: CallId,
        offsets: Option<OrderedMap<NamedPartition, CommittedOffset>>,
    },
    /// `acknowledge()` of a share consumer, for each of these.
    Acknowledge {
        call: CallId,
        records: Vec<(NamedPartition, i64, Acknowledge)>,
    },
    /// `acknowledge()` of everything that a share consumer was given and has said nothing of.
    AcknowledgeOpen {
        call: CallId,
        kind: Acknowledge,
    },
    /// What the application behind the poll loop of a share consumer says of records by their value; it accepts all
    /// others.
    Verdicts {
        call: CallId,
        verdicts: Vec<(Rc<str>, Acknowledge)>,
    },
    Pause {
        call: CallId,
        partitions: Vec<NamedPartition>,
    },
    Resume {
        call: CallId,
        partitions: Vec<NamedPartition>,
    },
    EnforceRebalance {
        call: CallId,
    },
    /// `leave`: `None` as the client's default has it, else CloseOptions LEAVE_GROUP / REMAIN_IN_GROUP.
    Close {
        call: CallId,
        leave: Option<bool>,
    },
}

/// What a consumer waits for.
#[derive(Clone, Debug)]
pub enum ConsumerTimer {
    /// Its network looks again.
    Net(NetTimer),
    /// The consumer looks again: heartbeats, time-outs, back-off, auto commit, the application's work.
    Wake,
}
