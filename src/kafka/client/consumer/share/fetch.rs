//! ShareFetch: who is asked for records, which acknowledgements go along, and what answers mean.
//! [ShareConsumeRequestManager.poll, handleShareFetchSuccess, handleShareFetchFailure]

use super::completed::ShareCompleted;
use super::in_flight::{AcksByPartition, NodeAcks};
use super::requests::{AckKind, FetchPurpose};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::consumer::outbox::{Failure, Purpose};
use crate::kafka::client::consumer::process::Consumer;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::share::{
    ShareFetchPartition, ShareFetchRequest, ShareFetchResponse, ShareFetchedPartition,
};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

type Wanted = OrderedMap<NamedPartition, TopicPartition>;

impl Consumer {
    /// Asks for records, if some are wanted. True if a request went.
    pub(super) fn send_share_fetches(&mut self, ctx: &mut Ctx) -> bool {
        let joined = self.modern.as_ref().is_some_and(|modern| modern.epoch > 0);
        if !joined || !self.share.as_ref().is_some_and(|share| share.fetch_more) {
            return false;
        }
        let mut wanted = self.wanted_by_node(ctx);
        let Some(share) = &self.share else { return false };
        // Acknowledgements of partitions that are not read any more go to whoever handed the records out.
        let free = |node: &&NodeId| !share.pending.contains(*node);
        let more: OrderedSet<NodeId> = share.with_fetch.keys().filter(free).copied().collect();
        for node in more {
            if let Some(target) = self.net.metadata.node(node).cloned() {
                wanted.entry(node).or_insert_with(|| (target, Wanted::new()));
            }
        }
        let mut went = false;
        for (node, (target, partitions)) in wanted {
            went |= self.send_share_fetch(node, target, partitions, ctx);
        }
        went
    }

    /// The partitions to read, by their leaders that may be asked.
    fn wanted_by_node(&mut self, ctx: &mut Ctx) -> OrderedMap<NodeId, (BrokerNode, Wanted)> {
        let mut wanted: OrderedMap<NodeId, (BrokerNode, Wanted)> = OrderedMap::new();
        let mut unknown = false;
        let now = ctx.now();
        let assigned: Vec<NamedPartition> = self.subscription.assigned().cloned().collect();
        for partition in assigned {
            let leader = self.known_leader(&partition).leader;
            let (Some(leader), Some(id)) = (leader, self.partition_id(&partition)) else {
                unknown = true;
                continue;
            };
            let Some(share) = &mut self.share else { break };
            if share.pending.contains(&leader.id) || self.net.is_unavailable(leader.id, now) {
                continue;
            }
            if share.record_limit && share.fetching_from.is_none() {
                share.fetching_from = Some(leader.id);
            }
            let of_node = wanted.entry(leader.id).or_insert_with(|| (leader, Wanted::new()));
            of_node.1.insert(partition, id);
        }
        if unknown {
            self.net.metadata.request_update();
        }
        wanted
    }

    fn send_share_fetch(&mut self, node: NodeId, target: BrokerNode, wanted: Wanted, ctx: &mut Ctx) -> bool {
        let acks = self.acks_for_fetch(node, ctx);
        let (group, member_id) = (self.group().unwrap_or_default(), self.share_member());
        let Some(share) = &mut self.share else { return false };
        let session = share.sessions.entry(node).or_default();
        let session_epoch = session.epoch();
        let names = names(&wanted, &acks);
        let (added, forgotten) = session.tell(wanted);
        let only_tells = share.record_limit && share.fetching_from != Some(node);
        if only_tells && added.is_empty() && forgotten.is_empty() && acks.is_empty() {
            return false;
        }
        let renew = acks.values().any(|acks| acks.acks.renews());
        let mut partitions: OrderedMap<TopicPartition, ShareFetchPartition> = OrderedMap::new();
        let empty = |partition| ShareFetchPartition {
            partition,
            acknowledgements: Vec::new(),
        };
        for partition in added {
            partitions.insert(partition, empty(partition));
        }
        for acks in acks.values() {
            let entry = partitions.entry(acks.id).or_insert_with(|| empty(acks.id));
            entry.acknowledgements = acks.acks.batches();
        }
        share.pending.insert(node);
        if !acks.is_empty() {
            share.in_fetch.insert(node, acks);
        }
        let config = &self.config;
        let limit = |value: i64| match renew || only_tells {
            true => 0,
            false => i32::try_from(value).unwrap_or(i32::MAX),
        };
        let body = ShareFetchRequest {
            group,
            member_id,
            session_epoch,
            max_wait_ms: limit(config.fetch_max_wait_ms),
            min_bytes: limit(config.fetch_min_bytes),
            max_bytes: limit(config.fetch_max_bytes),
            max_records: limit(i64::from(config.max_poll_records)),
            batch_size: limit(i64::from(config.max_poll_records)),
            record_limit: share.record_limit,
            renew,
            partitions: partitions.into_values().collect(),
            forgotten,
        };
        let timeout = config.request_timeout_ms;
        let purpose = Purpose::ShareFetch(FetchPurpose { names });
        self.outbox.push(target, body.into(), timeout, purpose, ctx.now());
        true
    }

    /// Acknowledgements that go with a fetch; a new session knows nothing of the records. [maybeAddAcknowledgements]
    fn acks_for_fetch(&mut self, node: NodeId, ctx: &mut Ctx) -> AcksByPartition {
        let Some(share) = &mut self.share else {
            return AcksByPartition::new();
        };
        let acks = share.with_fetch.remove(&node).unwrap_or_default();
        let new = share.sessions.get(&node).is_none_or(|session| session.is_new());
        let mut good = AcksByPartition::new();
        for (partition, acks) in acks {
            if new || self.leader_moved(&partition, node) {
                let error = ClientError::of(ErrorCode::NotLeaderOrFollower, None);
                self.share_acks_done(AckKind::Async, &partition, &acks.acks, Some(error), ctx);
            } else {
                good.insert(partition, acks);
            }
        }
        good
    }

    fn share_fetch_over(&mut self, node: NodeId) {
        if let Some(share) = &mut self.share {
            share.pending.remove(&node);
            share.fetching_from.take_if(|from| *from == node);
        }
    }

    /// An answer came.
    pub(in crate::kafka::client::consumer) fn on_share_fetched(
        &mut self,
        node: NodeId,
        purpose: &FetchPurpose,
        answer: &Rc<ShareFetchResponse>,
        ctx: &mut Ctx,
    ) {
        self.share_fetch_over(node);
        let Some(share) = &mut self.share else { return };
        let mut acks = share.in_fetch.remove(&node).unwrap_or_default();
        if !share.sessions.entry(node).or_default().answered(answer.error) {
            if answer.error == ErrorCode::UnknownTopicId {
                self.net.metadata.request_update();
            }
            let error = ClientError::of(answer.error, None);
            return self.fetch_acks_refused(acks, &error, ctx);
        }
        for (index, part) in answer.partitions.iter().enumerate() {
            let Some(name) = self.share_name(part.partition, purpose) else {
                continue;
            };
            if let Some(one) = acks.remove(&name) {
                let error = part.acknowledge_error;
                let error = error
                    .is_error()
                    .then(|| ClientError::of(error, part.acknowledge_message.as_deref()));
                self.share_acks_done(AckKind::Async, &name, &one.acks, error, ctx);
            }
            self.take_share_leader(&name, part, answer);
            let Some(share) = &mut self.share else { return };
            share.fetch_more &= part.acquired.is_empty();
            if part.error.is_error() || !part.acquired.is_empty() {
                let completed = ShareCompleted::new(node, name, answer.clone(), index);
                share.buffer.push_back(completed);
            }
        }
        let text = "Acknowledgement not successful due to invalid response from broker";
        self.fetch_acks_refused(acks, &ClientError::new("InvalidRecordStateException", text), ctx);
    }

    fn share_name(&self, id: TopicPartition, purpose: &FetchPurpose) -> Option<NamedPartition> {
        if let Some(topic) = self.net.metadata.name_of(id.topic) {
            return Some(NamedPartition {
                topic: topic.clone(),
                partition: id.partition,
            });
        }
        purpose.names.get(&id).cloned()
    }

    /// An answer with an error may name the leader (KIP-951).
    fn take_share_leader(&mut self, name: &NamedPartition, part: &ShareFetchedPartition, answer: &ShareFetchResponse) {
        let moved = matches!(
            part.error,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        if let (true, Some(leader)) = (moved, part.current_leader) {
            let nodes = &answer.node_endpoints;
            self.net
                .metadata
                .take_leader(&name.topic, name.partition, leader, nodes);
        }
    }

    fn fetch_acks_refused(&mut self, acks: AcksByPartition, error: &ClientError, ctx: &mut Ctx) {
        for (partition, acks) in acks {
            self.share_acks_done(AckKind::Async, &partition, &acks.acks, Some(error.clone()), ctx);
        }
    }

    /// No answer came.
    pub(in crate::kafka::client::consumer) fn on_share_fetch_lost(
        &mut self,
        node: NodeId,
        failure: &Failure,
        ctx: &mut Ctx,
    ) {
        self.share_fetch_over(node);
        let Some(share) = &mut self.share else { return };
        share.sessions.entry(node).or_default().lost();
        let acks = share.in_fetch.remove(&node).unwrap_or_default();
        self.fetch_acks_refused(acks, &failure.error, ctx);
    }
}

fn names(wanted: &Wanted, acks: &AcksByPartition) -> Rc<OrderedMap<TopicPartition, NamedPartition>> {
    let read = wanted.iter().map(|(name, id)| (*id, name.clone()));
    let acknowledged = acks.iter().map(|(name, NodeAcks { id, .. })| (*id, name.clone()));
    Rc::new(read.chain(acknowledged).collect())
}
