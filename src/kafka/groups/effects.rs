//! What goes in and out of the coordinator besides requests: the broker as it sees it, and what the broker has to do.

use super::note::GroupNote;
use super::share::ShareWork;
use super::timers::GroupTimer;
use crate::kafka::config::GroupConfig;
use crate::kafka::log::batch::Batch;
use crate::kafka::note::Fact;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicId;
use crate::sim::{ConnId, Span, Time};
use std::rc::Rc;

/// Who waits for an answer: the connection and the correlation id of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyTo {
    pub conn: ConnId,
    pub correlation: u32,
}

/// The broker that the coordinator is part of.
pub trait Host {
    /// Appends a batch to a partition of `__consumer_offsets` as its leader, with acks=1; gives the last offset.
    ///
    /// # Errors
    /// As the log or the partition says; `NOT_LEADER_OR_FOLLOWER` if another broker leads.
    fn append(&mut self, partition: i32, batch: Batch) -> Result<i64, ErrorCode>;

    /// A topic as the metadata have it now: its id and its number of partitions.
    fn topic(&self, name: &str) -> Option<(TopicId, i32)>;

    /// The name of a topic that exists.
    fn topic_name(&self, topic: TopicId) -> Option<Rc<str>>;

    /// All topics, in order.
    fn topic_names(&self) -> Vec<Rc<str>>;

    /// Another number as soon as the topic changes: its id, its partitions, the racks of its replicas. [Utils.computeTopicHash]
    fn topic_hash(&self, name: &str) -> Option<u64>;

    /// Offset of the metadata as they are now.
    fn metadata_version(&self) -> i64;

    /// Offset of the metadata when topics were created last.
    fn version_of_new_topics(&self) -> i64;

    /// A group's own settings, if it has any.
    fn group_settings(&self, group: &str) -> Option<GroupConfig>;

    /// Number of partitions of a topic; 0 if there is no such topic.
    fn partitions(&self, topic: TopicId) -> i32 {
        let name = self.topic_name(topic);
        name.and_then(|name| self.topic(&name))
            .map_or(0, |(_, partitions)| partitions)
    }
}

/// One input's surroundings.
pub struct Env<'a> {
    /// Monotonic.
    pub now: Time,
    /// Wall clock, ms since 1970.
    pub wall_ms: i64,
    pub host: &'a mut dyn Host,
    /// What the broker has to do, in this order.
    pub effects: Vec<Effect>,
}

impl<'a> Env<'a> {
    /// Surroundings at a moment, without effects yet.
    pub fn new(now: Time, wall_ms: i64, host: &'a mut dyn Host) -> Env<'a> {
        Env {
            now,
            wall_ms,
            host,
            effects: Vec::new(),
        }
    }
}

/// What the broker has to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Answer a request.
    Reply {
        to: ReplyTo,
        body: Body,
    },
    /// Call [`timer`](super::GroupCoordinator::timer) with this after this time.
    SetTimer {
        timer: GroupTimer,
        after: Span,
    },
    CancelTimer(GroupTimer),
    /// Have the share coordinator do it, and bring the results back to
    /// [`share_work_done`](super::GroupCoordinator::share_work_done).
    Share(Box<ShareWork>),
    /// Report it.
    Note(GroupNote),
    /// Report it to the ledger.
    Fact(Fact),
}
