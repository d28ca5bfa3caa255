//! Observations: what a process reports while it handles an input. The ledger and the invariants live on [`Fact`]s; the
//! rooms' own notes tell people what happened, each with its rule.

use super::broker::note::BrokerNote;
use super::broker::share::note::ShareNote;
use super::client::call::{CallId, CallResult};
use super::client::note::ClientNote;
use super::controller::note::ControllerNote;
use super::groups::note::GroupNote;
use super::log::batch::Batch;
use super::transactions::note::TxnNote;
use super::types::{NamedPartition, TopicPartition};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// One observation.
#[derive(Clone, Debug, Hash)]
pub enum Note {
    Fact(Fact),
    Broker(BrokerNote),
    Controller(ControllerNote),
    Group(GroupNote),
    Txn(TxnNote),
    Share(ShareNote),
    Client(ClientNote),
}

/// A batch as an observation: hashed by where it stands and who made it, not by its content.
#[derive(Clone, Debug)]
pub struct SeenBatch(pub Batch);

impl Hash for SeenBatch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.base_offset, self.0.last_offset, self.0.leader_epoch).hash(state);
        for record in self.0.records.iter() {
            record.origin.hash(state);
        }
    }
}

/// What the ledger and the invariants must know. `origin` numbers a record that a client was told to send.
#[derive(Clone, Debug, Hash)]
pub enum Fact {
    /// A broker appended a batch to its log, as leader or as follower.
    Appended {
        partition: TopicPartition,
        leader: bool,
        batch: SeenBatch,
    },
    /// A broker cut its log: everything from `to` up to `from` (the old end) is gone there.
    Truncated {
        partition: TopicPartition,
        from: i64,
        to: i64,
    },
    /// A broker found a log on its disk at start: what is left of it after recovery.
    Loaded {
        partition: TopicPartition,
        start: i64,
        end: i64,
        high_watermark: i64,
    },
    /// A broker removed its log of a partition (topic deleted, replica moved away, disk wiped).
    Removed { partition: TopicPartition },
    /// A broker's own high watermark moved.
    HighWatermark {
        partition: TopicPartition,
        leader: bool,
        epoch: i32,
        from: i64,
        to: i64,
    },
    /// A broker began to lead, with this log end.
    Leads {
        partition: TopicPartition,
        epoch: i32,
        end: i64,
    },
    /// A broker stopped leading.
    Resigned { partition: TopicPartition, epoch: i32 },
    /// A broker's log start moved up.
    StartMoved { partition: TopicPartition, to: i64 },
    /// A producer put a record into its accumulator.
    Accepted { origin: u32, partition: NamedPartition },
    /// A producer was told that the record is written (acks=0: it left the client). Offset -1: not told where.
    Acknowledged {
        origin: u32,
        partition: NamedPartition,
        offset: i64,
    },
    /// A producer gave the record up; the record may still be in a log.
    Failed { origin: u32, error: Rc<str> },
    /// `poll()` handed a record to the application.
    Delivered {
        origin: u32,
        partition: NamedPartition,
        offset: i64,
        group: Option<Rc<str>>,
    },
    /// A group's offset was committed and is covered by the high watermark of its partition.
    Committed {
        group: Rc<str>,
        partition: NamedPartition,
        offset: i64,
    },
    /// Records are finished for a share group: the share coordinator has it, or their lock ended.
    ShareFinished {
        group: Rc<str>,
        partition: TopicPartition,
        first: i64,
        last: i64,
        fate: ShareFate,
    },
    /// A call that somebody outside made has an answer.
    Returned { call: CallId, result: CallResult },
}

/// How a record is finished for a share group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShareFate {
    Accepted,
    Rejected,
    /// It came back after its last delivery.
    DeliveryLimit,
    /// There is no record at its offset.
    Gap,
}

impl From<Fact> for Note {
    fn from(fact: Fact) -> Note {
        Note::Fact(fact)
    }
}
