//! Checks and their subjects.

use super::{Name, ReplicaName, TopicPartition};

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub when: CheckWhen,
    pub claim: Claim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckWhen {
    /// `expect`: now.
    Now,
    /// After every event of the whole run.
    Always,
    /// After no event of the whole run.
    Never,
    /// At some moment from now until so much later.
    Eventually { within_us: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name of an invariant, see `words::INVARIANTS`.
    Invariant(Name),
    Compare {
        subject: Subject,
        op: Op,
        /// Several for subjects that are lists or sets (`isr ... = b1 b2`).
        values: Vec<Name>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    /// Has the value, or all the values, among others; in a text: as a part of it.
    Contains,
}

impl Op {
    /// Whether `left op right` holds for numbers.
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Op::Equal | Op::Contains => left == right,
            Op::NotEqual => left != right,
            Op::Less => left < right,
            Op::AtMost => left <= right,
            Op::Greater => left > right,
            Op::AtLeast => left >= right,
        }
    }
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The leader's name, or `none`.
    Leader(TopicPartition),
    /// Leader epoch.
    Epoch(TopicPartition),
    Isr(TopicPartition),
    /// Eligible leader replicas.
    Elr(TopicPartition),
    Replicas(TopicPartition),
    /// Log end offset.
    Leo(ReplicaName),
    /// High watermark.
    Hw(ReplicaName),
    /// Last stable offset.
    Lso(ReplicaName),
    /// Log start offset.
    Start(ReplicaName),
    /// The values of the records in a log, oldest first.
    Log(ReplicaName),
    /// The lines of a client's own log.
    ClientLog(Name),
    /// A figure of a process under the real system's name; of one topic, partition or kind of request only.
    Metric {
        of: Name,
        name: Name,
        tag: Option<Name>,
    },
    /// How a process, a group or a transaction is.
    State(Thing),
    /// Partitions (`loan_request/0`) of a member, or of all members of a group.
    Assignment(Name),
    /// A consumer's position.
    Position(Name, TopicPartition),
    /// The committed offset of a member's group, or of a group; `none` if there is none.
    Committed(Name, TopicPartition),
    /// Of a member or group, over all its partitions or in one.
    Lag(Name, Option<TopicPartition>),
    /// The broker that coordinates a group.
    Coordinator(Name),
    Generation(Name),
    /// The last error a client was told, by its name; `none`.
    Error(Name),
    /// What became of the record with this value.
    Fate(Name),
    /// How many records of the ledger have this fate; of one client, topic or system only.
    Count {
        fate: Name,
        of: Option<Name>,
    },
    /// Messages of a queue that wait.
    Ready(Name),
    /// Messages of a queue that are out and not settled.
    Unacked(Name),
    /// How many consumers a queue has.
    Consumers(Name),
    /// Whether a client, or whoever is on a host, reaches a broker: `yes`, or how it ends.
    Reach {
        client: Name,
        broker: Name,
    },
    /// The status that a request with this text was answered with, or a word for how it failed; `none`: it waits.
    Answer(Name),
    /// The servers that proxies passed it to, in order.
    Tried(Name),
    /// A number of a web server, or of clients.
    Web(super::WebNumber, Name),
    /// The active controller, or `none`.
    Controller,
    /// The output of the last `$` line.
    Output,
    /// Its exit status; `none` while it runs.
    Exit,
}

/// A thing that has a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Process(Name),
    Group(Name),
    Transaction(Name),
}
