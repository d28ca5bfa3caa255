//! One request of an admin's call on its way: which node it waits for, how often it was tried. [KafkaAdminClient.Call]

use crate::kafka::client::call::{CallId, ClientError};
use crate::kafka::client::network::{RequestId, api_name};
use crate::kafka::protocol::Body;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::sim::Time;

/// Whom a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Whoever has the least to do.
    Any,
    /// The broker that metadata name as the controller: it forwards. Any if metadata name none.
    Controller,
    Node(NodeId),
}

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The call itself.
    Main,
    /// Looks for the leaders of partitions.
    Leaders,
    /// The call itself, at the leader of these.
    AtLeader(Vec<NamedPartition>),
    /// Looks for a group's coordinator.
    Coordinator,
    /// The call itself, at the coordinator.
    AtCoordinator,
    /// Asks for a group's members, to remove them all.
    Members,
    /// Looks for all brokers, to ask each.
    Brokers,
    /// One of those.
    AtBroker,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has no node yet.
    Pending,
    /// It waits for the node to be ready.
    Assigned(NodeId),
    InFlight(NodeId, RequestId),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    pub job: CallId,
    /// `createTopics`.
    pub name: &'static str,
    pub step: Step,
    pub to: To,
    pub body: Body,
    pub deadline: Time,
    pub tries: u32,
    pub next_try: Time,
    pub state: State,
}

impl Call {
    /// A request that may go out at once.
    pub fn new(job: CallId, name: &'static str, step: Step, to: To, body: Body, deadline: Time) -> Call {
        Call {
            job,
            name,
            step,
            to,
            body,
            deadline,
            tries: 0,
            next_try: Time::ZERO,
            state: State::Pending,
        }
    }

    /// Its name in exceptions: calls that look something up name the request too.
    pub fn full_name(&self) -> String {
        match self.step {
            Step::Main | Step::Brokers | Step::AtBroker => self.name.to_string(),
            _ => format!("{}(api={})", self.name, api_name(&self.body)),
        }
    }

    /// The time is over; `wall` turns a moment into milliseconds since 1970. [Call.handleTimeoutFailure]
    pub fn timed_out(&self, now: Time, wall: impl Fn(Time) -> i64, cause: ClientError) -> ClientError {
        if &*cause.class == "TimeoutException" {
            return cause;
        }
        let text = format!(
            "Call(callName={}, deadlineMs={}, tries={}, nextAllowedTryMs={}) timed out at {} after {} attempt(s)",
            self.full_name(),
            wall(self.deadline),
            self.tries,
            wall(self.next_try),
            wall(now),
            self.tries
        );
        ClientError::new("TimeoutException", &text).caused_by(cause)
    }

    /// It never left: what the exception says it waited for.
    pub fn never_sent(&self) -> ClientError {
        let waited = match self.state {
            State::Pending => "Timed out waiting for a node assignment.",
            State::Assigned(_) | State::InFlight(..) => "Timed out waiting to send the call.",
        };
        ClientError::new("TimeoutException", &format!("{waited} Call: {}", self.full_name()))
    }
}

/// A connection went away under a request.
pub fn disconnected(call: &Call, request: RequestId, node: NodeId) -> ClientError {
    let text = format!(
        "Cancelled {} request with correlation id {request} due to node {node} being disconnected",
        call.full_name()
    );
    ClientError::new("DisconnectException", &text)
}
