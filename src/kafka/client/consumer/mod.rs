//! The classic consumer: poll, fetch, positions, group membership, commits.

use super::call::CallId;
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Where `seek` goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SeekTo {
    Offset(i64),
    Beginning,
    End,
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
    Assign {
        call: CallId,
        partitions: Vec<NamedPartition>,
    },
    Unsubscribe {
        call: CallId,
    },
    /// Polls all the time from now on, or no more. `work_us`: how long the application works on each record between
    /// polls. `commit`: commitSync of what was returned, before or after the work.
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
        offsets: Option<BTreeMap<NamedPartition, CommittedOffset>>,
    },
    CommitAsync {
        call: CallId,
        offsets: Option<BTreeMap<NamedPartition, CommittedOffset>>,
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
pub enum ConsumerTimer {}
