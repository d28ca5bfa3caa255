//! Requests of a consumer until they are answered: those that wait for a connection, and those that are on it.
//! [ConsumerNetworkClient]

use super::membership::Generation;
use super::position::FetchPosition;
use super::share::{AckPurpose, FetchPurpose};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::network::{NetworkClient, RequestId};
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// A partition of a request: its id, its name, what it was asked at or for.
pub type Asked<T> = (TopicPartition, NamedPartition, T);

/// Whom the offsets of a ListOffsets request are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListFor {
    /// Positions that are reset.
    Reset,
    /// The call `offsetsForTimes()`.
    Times,
}

/// What a request is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    FindCoordinator,
    Join(Generation),
    Sync(Generation),
    Heartbeat(Generation),
    /// ConsumerGroupHeartbeat; true: nobody cares for the answer.
    GroupHeartbeat(bool),
    Leave,
    /// By the number of the commit.
    Commit(u32, Generation),
    /// By the number of the question.
    Committed(u32),
    Fetch(Rc<[Asked<i64>]>),
    /// The end of a fetch session.
    CloseSession,
    ListOffsets(ListFor, Rc<[Asked<i64>]>),
    Epochs(Rc<[Asked<FetchPosition>]>),
    ShareFetch(FetchPurpose),
    ShareAcknowledge(AckPurpose),
}

/// Why something did not work, and whether trying again may help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub error: ClientError,
    pub retriable: bool,
}

impl Failure {
    /// What a broker answered.
    pub fn of(code: ErrorCode) -> Failure {
        Failure {
            error: ClientError::new(code.exception(), code.message()),
            retriable: code.retriable(),
        }
    }

    /// Trying again does not help.
    pub fn fatal(class: &str, message: &str) -> Failure {
        Failure {
            error: ClientError::new(class, message),
            retriable: false,
        }
    }

    /// Trying again may help.
    pub fn retriable(class: &str, message: &str) -> Failure {
        Failure {
            retriable: true,
            ..Failure::fatal(class, message)
        }
    }

    /// The connection went before the answer came.
    pub fn disconnect() -> Failure {
        let error = ClientError {
            class: "DisconnectException".into(),
            message: None,
            cause: None,
        };
        Failure { error, retriable: true }
    }
}

#[derive(Clone, Debug)]
struct Unsent {
    node: BrokerNode,
    body: Body,
    timeout_ms: i64,
    until: Time,
    purpose: Purpose,
}

/// A request that failed before it had an answer.
#[derive(Clone, Debug)]
pub struct Lost {
    pub node: NodeId,
    pub purpose: Purpose,
    pub failure: Failure,
}

/// The requests.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    unsent: VecDeque<Unsent>,
    sent: OrderedMap<RequestId, Purpose>,
}

impl Outbox {
    /// Hands a request over; it goes as soon as the node's connection allows.
    pub fn push(&mut self, node: BrokerNode, body: Body, timeout_ms: i64, purpose: Purpose, now: Time) {
        let until = now + Span::from_ms(timeout_ms);
        self.unsent.push_back(Unsent {
            node,
            body,
            timeout_ms,
            until,
            purpose,
        });
    }

    /// What an answered request was for.
    pub fn answered(&mut self, request: RequestId) -> Option<Purpose> {
        self.sent.remove(&request)
    }

    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    pub fn unsent_to(&self, node: NodeId) -> usize {
        self.unsent.iter().filter(|unsent| unsent.node.id == node).count()
    }

    /// When the next request is given up that could not be sent.
    pub fn next_expiry(&self) -> Time {
        self.unsent
            .iter()
            .map(|unsent| unsent.until)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Sends what can be sent. Returns how many went, and those that failed: to nodes that are down, or too old.
    pub fn send(&mut self, net: &mut NetworkClient, ctx: &mut Ctx) -> (usize, Vec<Lost>) {
        let mut went = 0;
        let mut lost = Vec::new();
        for _ in 0..self.unsent.len() {
            let Some(unsent) = self.unsent.pop_front() else { break };
            let node = unsent.node.id;
            if net.ready(&unsent.node, ctx)
                && let Some(request) = net.send_within(node, unsent.body.clone(), unsent.timeout_ms, ctx)
            {
                self.sent.insert(request, unsent.purpose);
                went += 1;
                continue;
            }
            let failure = if net.connection_failed(node) {
                Failure::disconnect()
            } else if unsent.until <= ctx.now() {
                let text = format!("Failed to send request after {} ms.", unsent.timeout_ms);
                Failure::retriable("TimeoutException", &text)
            } else {
                self.unsent.push_back(unsent);
                continue;
            };
            let purpose = unsent.purpose;
            lost.push(Lost { node, purpose, failure });
        }
        (went, lost)
    }

    /// Takes out what waits for a node whose connection failed.
    pub fn lose(&mut self, node: NodeId) -> Vec<Lost> {
        let unsent = std::mem::take(&mut self.unsent);
        let (lost, kept): (Vec<Unsent>, Vec<Unsent>) = unsent.into_iter().partition(|unsent| unsent.node.id == node);
        self.unsent = kept.into();
        let failed = |unsent: Unsent| Lost {
            node,
            purpose: unsent.purpose,
            failure: Failure::disconnect(),
        };
        lost.into_iter().map(failed).collect()
    }

    /// Everything is forgotten.
    pub fn clear(&mut self) {
        self.unsent.clear();
        self.sent.clear();
    }
}
