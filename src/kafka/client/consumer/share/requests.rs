//! ShareAcknowledge: acknowledgements that do not wait for the next fetch, one request at a time to each broker.
//! [ShareConsumeRequestManager.AcknowledgeRequestState, ResultHandler]

use super::in_flight::{Acks, AcksByPartition, NodeAcks};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::consumer::outbox::{Failure, Purpose};
use crate::kafka::client::consumer::process::{Consumer, later};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::{
    ShareAcknowledgeRequest, ShareAcknowledgeResponse, ShareAcknowledgedPartition, ShareFetchPartition,
};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// What acknowledgements are sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckKind {
    Async,
    /// By the number of the `commitSync()`.
    Sync(u64),
    Close,
}

/// What a ShareAcknowledge is for.
#[derive(Clone, Copy, Debug)]
pub struct AckPurpose {
    pub kind: AckKind,
}

/// What a ShareFetch is for: the partitions that were told, by id.
#[derive(Clone, Debug)]
pub struct FetchPurpose {
    pub names: Rc<OrderedMap<TopicPartition, NamedPartition>>,
}

/// Acknowledgements for one broker until they are through.
#[derive(Clone, Debug)]
pub(super) struct AckRequest {
    kind: AckKind,
    to_send: AcksByPartition,
    /// Refused for a while: they are sent again.
    incomplete: AcksByPartition,
    in_flight: AcksByPartition,
    until: Time,
    tries: u32,
    not_before: Time,
    /// A close that was answered.
    processed: bool,
}

impl AckRequest {
    fn new(kind: AckKind, acks: AcksByPartition, until: Time) -> AckRequest {
        AckRequest {
            kind,
            to_send: acks,
            incomplete: AcksByPartition::new(),
            in_flight: AcksByPartition::new(),
            until,
            tries: 0,
            not_before: Time::ZERO,
            processed: false,
        }
    }

    fn is_done(&self) -> bool {
        match self.kind {
            AckKind::Close => self.processed,
            _ => self.to_send.is_empty() && self.incomplete.is_empty() && self.in_flight.is_empty(),
        }
    }

    fn next_due(&self, now: Time) -> Time {
        later(self.not_before, now).min(later(self.until, now))
    }
}

/// The requests to one broker, in the order in which they go.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeRequests {
    later: Option<AckRequest>,
    sync: VecDeque<AckRequest>,
    close: Option<AckRequest>,
}

impl NodeRequests {
    pub fn next_due(&self, now: Time) -> Time {
        let all = self.later.iter().chain(&self.sync).chain(&self.close);
        all.map(|request| request.next_due(now)).min().unwrap_or(Time::NEVER)
    }

    fn find(&mut self, kind: AckKind) -> Option<&mut AckRequest> {
        let all = self.later.iter_mut().chain(&mut self.sync).chain(&mut self.close);
        all.into_iter().find(|request| request.kind == kind)
    }

    fn forget_done(&mut self) {
        self.later.take_if(|request| request.is_done());
        self.sync.retain(|request| !request.is_done());
        self.close.take_if(|request| request.is_done());
    }

    fn is_empty(&self) -> bool {
        self.later.is_none() && self.sync.is_empty() && self.close.is_none()
    }

    /// Whose turn it is: a close waits for everything else.
    fn turn(&self) -> Option<AckKind> {
        let open = |request: &&AckRequest| !request.is_done();
        let first = self.later.iter().find(open).or_else(|| self.sync.iter().find(open));
        first
            .or_else(|| self.close.iter().find(open))
            .map(|request| request.kind)
    }
}

/// A `commitSync()` under way.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncCall {
    pub left: usize,
    pub results: OrderedMap<NamedPartition, Option<ClientError>>,
}

/// What a broker should have answered.
const INVALID_RESPONSE: &str = "Acknowledgement not successful due to invalid response from broker";

impl Consumer {
    pub(super) fn begin_share_async(&mut self, acks: AcksByPartition, until: Time, ctx: &mut Ctx) {
        if !acks.is_empty() {
            self.begin_acknowledging(acks, AckKind::Async, until, ctx);
        }
    }

    /// Is another broker known to lead it now?
    pub(super) fn leader_moved(&self, partition: &NamedPartition, node: NodeId) -> bool {
        let leader = self.known_leader(partition).leader;
        leader.is_some_and(|leader| leader.id != node)
    }

    /// Hands acknowledgements over; those that nobody can take are refused at once. [commitSync, commitAsync,
    /// acknowledgeOnClose]
    pub(super) fn begin_acknowledging(&mut self, acks: AcksByPartition, kind: AckKind, until: Time, ctx: &mut Ctx) {
        if let (AckKind::Sync(call), Some(share)) = (kind, &mut self.share) {
            let left = acks.len();
            share.calls.insert(
                call,
                SyncCall {
                    left,
                    ..SyncCall::default()
                },
            );
        }
        let mut by_node: OrderedMap<NodeId, AcksByPartition> = OrderedMap::new();
        for (partition, acks) in acks {
            let moved = self.net.metadata.node(acks.node).is_none() || self.leader_moved(&partition, acks.node);
            let session = self.share.as_ref().and_then(|share| share.sessions.get(&acks.node));
            let told = session.is_some_and(|session| kind == AckKind::Close || session.has(&partition));
            match told && !moved {
                true => drop(by_node.entry(acks.node).or_default().insert(partition, acks)),
                false => {
                    let error = ClientError::of(ErrorCode::NotLeaderOrFollower, None);
                    self.share_acks_done(kind, &partition, &acks.acks, Some(error), ctx);
                }
            }
        }
        let Some(share) = &mut self.share else { return };
        if kind == AckKind::Close {
            for node in share.sessions.keys() {
                by_node.entry(*node).or_default();
            }
        }
        for (node, acks) in by_node {
            let requests = share.requests.entry(node).or_default();
            match (kind, &mut requests.later) {
                (AckKind::Async, Some(known)) => merge(&mut known.to_send, acks),
                (AckKind::Async, none) => *none = Some(AckRequest::new(kind, acks, until)),
                (AckKind::Sync(_), _) => requests.sync.push_back(AckRequest::new(kind, acks, until)),
                (AckKind::Close, _) => requests.close = Some(AckRequest::new(kind, acks, until)),
            }
        }
    }

    /// Sends what can be sent, and asks for records if nothing else is to be done. True if it did something.
    /// [ShareConsumeRequestManager.poll]
    pub(in crate::kafka::client::consumer) fn drive_share(&mut self, ctx: &mut Ctx) -> bool {
        let Some(share) = &self.share else { return false };
        let nodes: Vec<NodeId> = share.requests.keys().copied().collect();
        let mut sent = false;
        for node in nodes {
            let share = self.share.as_ref();
            let free = share.is_some_and(|share| !share.pending.contains(&node));
            let turn = share.and_then(|share| share.requests.get(&node)?.turn());
            if let (true, Some(kind)) = (free, turn) {
                sent |= self.send_acknowledge(node, kind, ctx);
            }
        }
        let Some(share) = &mut self.share else { return sent };
        share.requests.values_mut().for_each(NodeRequests::forget_done);
        share.requests.retain(|_, requests| !requests.is_empty());
        if sent || !share.requests.is_empty() || share.closing {
            return sent;
        }
        self.send_share_fetches(ctx)
    }

    fn ack_request(&mut self, node: NodeId, kind: AckKind) -> Option<&mut AckRequest> {
        self.share.as_mut()?.requests.get_mut(&node)?.find(kind)
    }

    fn send_acknowledge(&mut self, node: NodeId, kind: AckKind, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let Some(request) = self.ack_request(node, kind) else {
            return false;
        };
        if request.tries > 0 && request.until <= now {
            let late = std::mem::take(&mut request.incomplete);
            let error = ClientError::of(ErrorCode::RequestTimedOut, None);
            return self.refuse_acks(kind, late, &error, ctx);
        }
        if request.not_before > now {
            return false;
        }
        let acks = match request.incomplete.is_empty() {
            true => std::mem::take(&mut request.to_send),
            false => std::mem::take(&mut request.incomplete),
        };
        let target = self.net.metadata.node(node).cloned();
        let Some(share) = &mut self.share else { return false };
        let session = share.sessions.entry(node).or_default();
        if kind == AckKind::Close {
            session.close();
        }
        let (epoch, gone) = (session.epoch(), session.is_new());
        let Some(target) = target.filter(|_| !gone) else {
            if let Some(request) = self.ack_request(node, kind) {
                request.processed = true;
            }
            let error = ClientError::of(ErrorCode::NotLeaderOrFollower, None);
            self.refuse_acks(kind, acks, &error, ctx);
            return true;
        };
        let renew = acks.values().any(|acks| acks.acks.renews());
        let partitions = acks.values().map(|acks| ShareFetchPartition {
            partition: acks.id,
            acknowledgements: acks.acks.batches(),
        });
        let body = ShareAcknowledgeRequest {
            group: self.group().unwrap_or_default(),
            member_id: self.share_member(),
            session_epoch: epoch,
            renew,
            partitions: partitions.collect(),
        };
        if let Some(share) = &mut self.share {
            share.pending.insert(node);
        }
        if let Some(request) = self.ack_request(node, kind) {
            request.in_flight = acks;
            request.tries += 1;
        }
        let timeout = self.config.request_timeout_ms;
        let purpose = Purpose::ShareAcknowledge(AckPurpose { kind });
        self.outbox.push(target, body.into(), timeout, purpose, now);
        true
    }

    /// The member id of requests to leaders.
    pub(super) fn share_member(&self) -> Rc<str> {
        self.modern
            .as_ref()
            .map_or_else(Rc::default, |modern| modern.member_id.clone())
    }

    fn refuse_acks(&mut self, kind: AckKind, acks: AcksByPartition, error: &ClientError, ctx: &mut Ctx) -> bool {
        let any = !acks.is_empty();
        for (partition, acks) in acks {
            self.share_acks_done(kind, &partition, &acks.acks, Some(error.clone()), ctx);
        }
        any
    }

    /// Acknowledgements of a partition are through, or refused.
    pub(super) fn share_acks_done(
        &mut self,
        kind: AckKind,
        partition: &NamedPartition,
        acks: &Acks,
        error: Option<ClientError>,
        ctx: &mut Ctx,
    ) {
        if let Some(error) = &error {
            self.note(
                super::super::ConsumerNote::NotAcknowledged {
                    partition: partition.clone(),
                    error: error.clone(),
                },
                ctx,
            );
        }
        let Some(share) = &mut self.share else { return };
        share.current.renew(partition, acks, error.is_some());
        if let AckKind::Sync(call) = kind
            && let Some(call) = share.calls.get_mut(&call)
        {
            call.left = call.left.saturating_sub(1);
            call.results.insert(partition.clone(), error);
        }
    }

    /// [handleShareAcknowledgeSuccess]
    pub(in crate::kafka::client::consumer) fn on_share_acknowledged(
        &mut self,
        node: NodeId,
        purpose: AckPurpose,
        answer: &ShareAcknowledgeResponse,
        ctx: &mut Ctx,
    ) {
        let kind = purpose.kind;
        let Some(share) = &mut self.share else { return };
        share.pending.remove(&node);
        let known = match kind {
            AckKind::Close => true,
            _ => share.sessions.entry(node).or_default().answered(answer.error),
        };
        if kind == AckKind::Close {
            share.sessions.remove(&node);
        }
        let mut acks = match self.ack_request(node, kind) {
            Some(request) => std::mem::take(&mut request.in_flight),
            None => return,
        };
        let mut again = AcksByPartition::new();
        if !known && answer.error.retriable() {
            again = std::mem::take(&mut acks);
        } else if !known {
            let error = ClientError::of(answer.error, None);
            self.refuse_acks(kind, std::mem::take(&mut acks), &error, ctx);
        }
        for part in &answer.partitions {
            let name = acks.iter().find(|(_, acks)| acks.id == part.partition);
            let Some(name) = name.map(|(name, _)| name.clone()) else {
                continue;
            };
            let Some(one) = acks.remove(&name) else { continue };
            if self.acknowledged_again(kind, &name, part, answer) {
                again.insert(name, one);
                continue;
            }
            let error = part.error.is_error().then(|| ClientError::of(part.error, None));
            self.share_acks_done(kind, &name, &one.acks, error, ctx);
        }
        let error = ClientError::new("InvalidRecordStateException", INVALID_RESPONSE);
        self.refuse_acks(kind, acks, &error, ctx);
        self.end_acknowledge(node, kind, again, ctx);
    }

    /// Leaders that moved are taken over; whether the acknowledgement is to be sent again. [handlePartitionError]
    fn acknowledged_again(
        &mut self,
        kind: AckKind,
        name: &NamedPartition,
        part: &ShareAcknowledgedPartition,
        answer: &ShareAcknowledgeResponse,
    ) -> bool {
        let moved = matches!(
            part.error,
            ErrorCode::NotLeaderOrFollower
                | ErrorCode::FencedLeaderEpoch
                | ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
        );
        if let (true, Some(leader)) = (moved, part.current_leader) {
            let nodes = &answer.node_endpoints;
            self.net
                .metadata
                .take_leader(&name.topic, name.partition, leader, nodes);
        }
        kind != AckKind::Close && !moved && part.error.retriable()
    }

    fn end_acknowledge(&mut self, node: NodeId, kind: AckKind, again: AcksByPartition, ctx: &mut Ctx) {
        let tries = self.ack_request(node, kind).map_or(0, |request| request.tries);
        let pause = self.retry.span(tries.saturating_sub(1), &mut self.random);
        let Some(request) = self.ack_request(node, kind) else {
            return;
        };
        request.processed = true;
        match again.is_empty() {
            true => {
                request.tries = 0;
                request.not_before = Time::ZERO;
            }
            false => request.not_before = ctx.now() + pause.max(Span::us(1)),
        }
        request.incomplete = again;
    }

    /// [handleShareAcknowledgeFailure]
    pub(in crate::kafka::client::consumer) fn on_share_acknowledge_lost(
        &mut self,
        node: NodeId,
        purpose: AckPurpose,
        failure: &Failure,
        ctx: &mut Ctx,
    ) {
        let Some(share) = &mut self.share else { return };
        share.pending.remove(&node);
        match purpose.kind {
            AckKind::Close => drop(share.sessions.remove(&node)),
            _ => share.sessions.entry(node).or_default().lost(),
        }
        let acks = match self.ack_request(node, purpose.kind) {
            Some(request) => std::mem::take(&mut request.in_flight),
            None => return,
        };
        let code = match &*failure.error.class {
            "TimeoutException" => ErrorCode::RequestTimedOut,
            _ => ErrorCode::UnknownServerError,
        };
        self.refuse_acks(purpose.kind, acks, &ClientError::of(code, None), ctx);
        self.end_acknowledge(node, purpose.kind, AcksByPartition::new(), ctx);
    }
}

fn merge(known: &mut AcksByPartition, more: AcksByPartition) {
    for (partition, more) in more {
        match known.get_mut(&partition) {
            Some(NodeAcks { acks, .. }) => acks.merge(more.acks),
            None => drop(known.insert(partition, more)),
        }
    }
}
