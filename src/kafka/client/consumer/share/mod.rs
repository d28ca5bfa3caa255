//! The share consumer (KIP-932): a member of a share group whose partitions others read too; what `poll()` returned is
//! accepted by the next call, or as the application says record by record. [KafkaShareConsumer, ShareConsumerImpl]
//!
//! Membership is that of [`modern`](super::modern) with requests of its own. [`poll`]: the application's calls;
//! [`fetch`]: ShareFetch and its answers; [`requests`]: ShareAcknowledge; [`session`]: what each broker knows;
//! [`in_flight`]: what the application has.

mod calls;
mod completed;
mod fetch;
pub mod in_flight;
mod poll;
mod requests;
mod session;

use crate::kafka::config::ConsumerConfig;
use crate::kafka::types::NodeId;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use completed::ShareCompleted;
use in_flight::{AcksByPartition, InFlight};
use requests::{NodeRequests, SyncCall};
use session::Session;
use std::collections::VecDeque;

pub use requests::{AckKind, AckPurpose, FetchPurpose};

/// What a share consumer has besides its membership.
#[derive(Clone, Debug)]
pub struct Share {
    /// `share.acknowledgement.mode=explicit`.
    explicit: bool,
    /// `share.acquire.mode=record_limit`.
    record_limit: bool,
    /// What the application has.
    current: InFlight,
    /// Answers that were not handed out.
    buffer: VecDeque<ShareCompleted>,
    next_in_line: Option<ShareCompleted>,
    sessions: OrderedMap<NodeId, Session>,
    /// Nodes with a request under way.
    pending: OrderedSet<NodeId>,
    /// Records are wanted.
    fetch_more: bool,
    /// The application is in a `poll()`, and may still ask for records.
    polling: bool,
    may_fetch: bool,
    /// With `record_limit` one node alone is asked for records.
    fetching_from: Option<NodeId>,
    /// Acknowledgements that go with the next ShareFetch, and those that went with one.
    with_fetch: OrderedMap<NodeId, AcksByPartition>,
    in_fetch: OrderedMap<NodeId, AcksByPartition>,
    requests: OrderedMap<NodeId, NodeRequests>,
    /// `commitSync()` calls by number.
    calls: OrderedMap<u64, SyncCall>,
    next_call: u64,
    closing: bool,
}

impl Share {
    /// As its settings have it.
    pub fn new(config: &ConsumerConfig) -> Share {
        Share {
            explicit: config.share_explicit,
            record_limit: config.share_record_limit,
            current: InFlight::default(),
            buffer: VecDeque::new(),
            next_in_line: None,
            sessions: OrderedMap::new(),
            pending: OrderedSet::new(),
            fetch_more: false,
            polling: false,
            may_fetch: false,
            fetching_from: None,
            with_fetch: OrderedMap::new(),
            in_fetch: OrderedMap::new(),
            requests: OrderedMap::new(),
            calls: OrderedMap::new(),
            next_call: 0,
            closing: false,
        }
    }

    /// What the application has and has not said anything of.
    pub fn in_flight(&self) -> &InFlight {
        &self.current
    }

    /// Does it acknowledge record by record?
    pub fn is_explicit(&self) -> bool {
        self.explicit
    }

    /// Records are wanted, and no request is under way.
    pub fn asks_nobody(&self) -> bool {
        self.fetch_more && self.pending.is_empty()
    }

    /// When an acknowledgement has to be looked at.
    pub fn next_due(&self, now: Time) -> Time {
        let dues = self.requests.values().map(|requests| requests.next_due(now));
        dues.min().unwrap_or(Time::NEVER)
    }
}
