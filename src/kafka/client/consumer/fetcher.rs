//! Fetching: who is asked for what, and what of the answers is handed out. [AbstractFetch, FetchCollector]

use super::completed::CompletedFetch;
use super::outbox::{Asked, Purpose};
use super::position::KnownLeader;
use super::process::Consumer;
use super::rules;
use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::client::log::loggers;
use crate::kafka::fetch_session::FetchSession;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::{
    BrokerNode, CONSUMER_REPLICA, FetchPartition, FetchRequest, FetchResponse, FetchedPartition, Isolation,
};
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// Fetches under way and answers not handed out yet.
#[derive(Clone, Debug, Default)]
pub struct Fetcher {
    /// Nodes with a fetch in flight.
    pending: OrderedSet<NodeId>,
    /// `client.rack`
    rack: Rc<str>,
    /// Fetch sessions by node.
    sessions: OrderedMap<NodeId, FetchSession>,
    /// Nodes that were told to forget their session, and have not answered.
    closing: OrderedSet<NodeId>,
    /// The one whose records are being handed out.
    current: Option<CompletedFetch>,
    buffer: VecDeque<CompletedFetch>,
}

/// What one look into the buffer brought.
#[derive(Debug, Default)]
pub struct Collected {
    pub records: Vec<Consumed>,
    /// A position moved, perhaps only over records that nobody gets to see.
    pub advanced: bool,
    /// Something was taken out without bringing anything, so that another look is due.
    pub drained: bool,
}

impl Fetcher {
    /// A node has forgotten its session, or cannot be asked to.
    pub fn session_closed(&mut self, node: NodeId) {
        self.closing.remove(&node);
    }

    /// Some node has not answered to the end of its session.
    pub fn closes_sessions(&self) -> bool {
        !self.closing.is_empty()
    }

    /// Nothing under way; `rack` is `client.rack`.
    pub fn new(rack: &str) -> Fetcher {
        Fetcher {
            rack: rack.into(),
            ..Fetcher::default()
        }
    }

    fn buffered(&self) -> impl Iterator<Item = &CompletedFetch> {
        self.current.iter().chain(&self.buffer).filter(|fetch| !fetch.consumed)
    }

    /// Buffered answers, for people.
    pub fn buffered_partitions(&self) -> impl Iterator<Item = &NamedPartition> {
        self.buffered().map(|fetch| &fetch.partition)
    }

    /// Nodes with a fetch in flight.
    pub fn fetching_from(&self) -> impl Iterator<Item = NodeId> {
        self.pending.iter().copied()
    }

    /// Drops what is buffered for partitions that are not among these.
    pub fn keep_only(&mut self, keep: impl Fn(&NamedPartition) -> bool) {
        if self.current.as_ref().is_some_and(|fetch| !keep(&fetch.partition)) {
            self.current = None;
        }
        self.buffer.retain(|fetch| keep(&fetch.partition));
    }
}

impl Consumer {
    /// The consumer closes: each node that has a session of it is told to forget it.
    /// [AbstractFetch.prepareCloseFetchSessionRequests]
    pub(super) fn close_sessions(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let timeout = self.config.request_timeout_ms;
        for (id, session) in std::mem::take(&mut self.fetcher.sessions) {
            let node = self.net.metadata.node(id).filter(|_| !self.net.is_unavailable(id, now));
            let Some(node) = node.cloned() else { continue };
            let request = FetchRequest {
                session: session.closing(),
                ..self.fetch_request(id, Vec::new())
            };
            self.fetcher.closing.insert(id);
            self.outbox
                .push(node, request.into(), timeout, Purpose::CloseSession, now);
        }
        self.fetcher.sessions.clear();
    }

    // ---- asking ----

    /// Leader and epoch of a partition as metadata have them.
    pub(super) fn known_leader(&self, partition: &NamedPartition) -> KnownLeader {
        let (leader, epoch) = self.net.metadata.current_leader(&partition.topic, partition.partition);
        KnownLeader {
            leader: leader.cloned(),
            epoch,
        }
    }

    pub(super) fn partition_id(&self, partition: &NamedPartition) -> Option<TopicPartition> {
        let topic = self.net.metadata.id_of(&partition.topic)?;
        Some(TopicPartition::new(topic, partition.partition))
    }

    /// Sends a fetch to each node that may be asked. [AbstractFetch.prepareFetchRequests]
    pub(super) fn send_fetches(&mut self, ctx: &mut Ctx) {
        self.validate_on_metadata_change();
        for (node, asked, wanted) in self.fetchable_by_node(ctx) {
            let body = self.fetch_request(node.id, wanted);
            let timeout = self.config.request_timeout_ms;
            self.fetcher.pending.insert(node.id);
            let purpose = Purpose::Fetch(asked.into());
            self.outbox.push(node, body.into(), timeout, purpose, ctx.now());
        }
    }

    /// What may be asked for now, by node. Most looks find that every node has its request: they cost little.
    fn fetchable_by_node(&mut self, ctx: &mut Ctx) -> Vec<(BrokerNode, Vec<Asked<i64>>, Vec<FetchPartition>)> {
        let now = ctx.now();
        let version = self.net.metadata.update_version();
        let (mut busy, mut open, mut leaderless) = (Vec::new(), Vec::new(), false);
        for (partition, state) in self.subscription.states().filter(|(_, state)| state.is_fetchable()) {
            let Some(position) = &state.position else { continue };
            let Some(leader) = &position.leader.leader else {
                leaderless |= self.subscription.fetchable(partition, state);
                continue;
            };
            let preferred = state.preferred.filter(|(_, until)| *until > now);
            let node = preferred
                .and_then(|(node, _)| self.net.metadata.node(node))
                .unwrap_or(leader);
            if self.fetcher.pending.contains(&node.id) || !self.subscription.fetchable(partition, state) {
                continue;
            }
            let held = state.held.is_some_and(|(at, seen)| at > now && seen == version);
            if self.fetcher.buffered_partitions().any(|buffered| buffered == partition) {
                busy.push(node.id);
            } else if !held {
                open.push((node, state.turn, partition, position));
            }
        }
        open.retain(|(node, ..)| !busy.contains(&node.id) && !self.net.is_unavailable(node.id, now));
        open.sort_small_by_key(|(node, turn, ..)| (node.id, *turn));
        let mut by_node: Vec<(BrokerNode, Vec<Asked<i64>>, Vec<FetchPartition>)> = Vec::new();
        for (node, _, partition, position) in open {
            let Some(id) = self.partition_id(partition) else {
                continue;
            };
            if by_node.last().is_none_or(|(last, ..)| last.id != node.id) {
                by_node.push((node.clone(), Vec::new(), Vec::new()));
            }
            if let Some((_, asked, wanted)) = by_node.last_mut() {
                asked.push((id, partition.clone(), position.offset));
                wanted.push(FetchPartition {
                    partition: id,
                    current_leader_epoch: position.leader.epoch.unwrap_or(-1),
                    fetch_offset: position.offset,
                    last_fetched_epoch: -1,
                    log_start_offset: -1,
                    max_bytes: int(self.config.max_partition_fetch_bytes),
                });
            }
        }
        if leaderless {
            self.net.metadata.request_update();
        }
        by_node
    }

    fn fetch_request(&mut self, node: NodeId, wanted: Vec<FetchPartition>) -> FetchRequest {
        let config = &self.config;
        let isolation = self.isolation();
        let session = self.fetcher.sessions.entry(node).or_default();
        let point = session.point();
        let told = session.tell_all(wanted);
        FetchRequest {
            replica: CONSUMER_REPLICA,
            broker_epoch: -1,
            max_wait_ms: int(config.fetch_max_wait_ms),
            min_bytes: int(config.fetch_min_bytes),
            max_bytes: int(config.fetch_max_bytes),
            isolation,
            rack: self.fetcher.rack.clone(),
            session: point,
            partitions: told.partitions,
            forgotten: told.forgotten,
        }
    }

    pub(super) fn isolation(&self) -> Isolation {
        match self.config.read_committed {
            true => Isolation::ReadCommitted,
            false => Isolation::ReadUncommitted,
        }
    }

    // ---- answers ----

    /// A fetch ended without an answer.
    pub(super) fn on_fetch_lost(&mut self, node: NodeId, asked: &[Asked<i64>]) {
        self.fetcher.pending.remove(&node);
        self.fetcher.sessions.entry(node).or_default().lost();
        for (_, partition, _) in asked {
            if let Some(state) = self.subscription.get_mut(partition) {
                state.preferred = None;
            }
        }
    }

    /// [AbstractFetch.handleFetchSuccess]
    pub(super) fn on_fetched(
        &mut self,
        node: NodeId,
        asked: &[Asked<i64>],
        response: &Rc<FetchResponse>,
        ctx: &mut Ctx,
    ) {
        self.fetcher.pending.remove(&node);
        if !self.fetcher.sessions.entry(node).or_default().answered(response) {
            return;
        }
        let expire = ctx.now() + Span::from_ms(self.config.metadata_max_age_ms);
        for (index, answer) in response.partitions.iter().enumerate() {
            let Some((_, name, offset)) = asked.iter().find(|(id, _, _)| *id == answer.partition) else {
                continue;
            };
            self.take_named_leader(name, answer, &response.node_endpoints);
            let empty = answer.error == ErrorCode::None && answer.batches.is_empty();
            if empty && !self.subscription.get(name).is_some_and(|state| state.paused) {
                // Nothing to hand out: only the ends are news.
                self.take_ends(name, *offset, answer, expire);
                continue;
            }
            let fetch = CompletedFetch::new(name.clone(), *offset, response.clone(), index);
            self.fetcher.buffer.push_back(fetch);
        }
    }

    /// An answer with an error may name the leader (KIP-951).
    fn take_named_leader(&mut self, name: &NamedPartition, answer: &FetchedPartition, nodes: &[BrokerNode]) {
        let stale = matches!(
            answer.error,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        if let (true, Some(leader)) = (stale, answer.current_leader)
            && self
                .net
                .metadata
                .take_leader(&name.topic, name.partition, leader, nodes)
        {
            let leader = self.known_leader(name);
            self.subscription.leader_known(name, leader);
        }
    }

    /// Takes the log's ends over, if the answer is about the position. False if it is stale.
    fn take_ends(&mut self, name: &NamedPartition, offset: i64, answer: &FetchedPartition, expire: Time) -> bool {
        let Some(state) = self.subscription.get_mut(name) else {
            return false;
        };
        if !state.has_valid_position() || state.position.as_ref().is_none_or(|position| position.offset != offset) {
            return false;
        }
        let keep = |new: i64, old: Option<i64>| if new >= 0 { Some(new) } else { old };
        state.high_watermark = keep(answer.high_watermark, state.high_watermark);
        state.log_start = keep(answer.log_start_offset, state.log_start);
        state.last_stable = keep(answer.last_stable_offset, state.last_stable);
        if let Some(node) = answer.preferred_read_replica {
            state.preferred = Some((node, expire));
        }
        true
    }

    // ---- handing out ----

    /// Up to `max.poll.records` of what is buffered. [FetchCollector.collectFetch]
    ///
    /// # Errors
    /// What `poll()` throws, if nothing can be handed out before it.
    pub(super) fn collect_fetch(&mut self, ctx: &mut Ctx) -> Result<Collected, ClientError> {
        let max = self.config.max_poll_records.max(0) as usize;
        let mut out = Collected::default();
        let mut paused = Vec::new();
        let mut thrown = None;
        while out.records.len() < max {
            match self.fetcher.current.take() {
                Some(fetch) if !fetch.consumed => {
                    if self
                        .subscription
                        .get(&fetch.partition)
                        .is_some_and(|state| state.paused)
                    {
                        paused.push(fetch);
                        continue;
                    }
                    self.take_records(fetch, max - out.records.len(), &mut out, ctx.now());
                }
                _ => {
                    let Some(next) = self.fetcher.buffer.pop_front() else {
                        break;
                    };
                    out.drained = true;
                    match self.initialize(next, ctx) {
                        Ok(fetch) => self.fetcher.current = fetch,
                        Err(unusable) => {
                            let (fetch, error) = *unusable;
                            // What was collected before is returned first; the next poll meets the error again.
                            if !out.records.is_empty() || out.advanced {
                                self.fetcher.buffer.push_front(fetch);
                            } else {
                                thrown = Some(error);
                            }
                            break;
                        }
                    }
                }
            }
        }
        self.fetcher.buffer.extend(paused);
        match thrown {
            Some(error) => Err(error),
            None => Ok(out),
        }
    }

    /// [FetchCollector.fetchRecords]
    fn take_records(&mut self, mut fetch: CompletedFetch, max: usize, out: &mut Collected, now: Time) {
        let name = fetch.partition.clone();
        let fetchable = self.subscription.is_fetchable(&name);
        let read_committed = self.config.read_committed;
        let state = self.subscription.get_mut(&name);
        let Some(position) = state.and_then(|state| state.position.as_mut()) else {
            return;
        };
        if !fetchable || position.offset != fetch.next_offset {
            // Seeked, reset or revoked meanwhile.
            return;
        }
        let records = fetch.take(max, read_committed);
        if fetch.next_offset > position.offset {
            position.offset = fetch.next_offset;
            position.offset_epoch = fetch.last_epoch.filter(|_| self.keeps_epochs);
            out.advanced = true;
        }
        let taken = records.len();
        out.records.extend(records);
        self.count_taken(&name, taken, fetch.consumed.then_some(fetch.bytes), now);
        if fetch.consumed {
            if fetch.bytes > 0 {
                self.subscription.move_to_end(&name);
            }
        } else {
            self.fetcher.current = Some(fetch);
        }
    }

    /// For the metrics: what was taken, and how far the position is from the log's ends now.
    fn count_taken(&mut self, partition: &NamedPartition, records: usize, bytes: Option<u64>, now: Time) {
        let state = self.subscription.get(partition);
        let distances = state.map_or((None, None), |state| {
            (state.lag(self.config.read_committed), state.lead())
        });
        self.metrics.taken(records, bytes, distances, now);
    }

    /// Looks at an answer for the first time. [FetchCollector.initialize]
    fn initialize(
        &mut self,
        mut fetch: CompletedFetch,
        ctx: &mut Ctx,
    ) -> Result<Option<CompletedFetch>, Box<(CompletedFetch, ClientError)>> {
        if fetch.initialized {
            return Ok(Some(fetch));
        }
        let name = fetch.partition.clone();
        let error = fetch.answer().error;
        let valid = self
            .subscription
            .get(&name)
            .is_some_and(|state| state.has_valid_position());
        if error == ErrorCode::None {
            let expire = ctx.now() + Span::from_ms(self.config.metadata_max_age_ms);
            if !valid || !self.take_ends(&name, fetch.next_offset, fetch.answer(), expire) {
                return Ok(None);
            }
            fetch.initialized = true;
            return Ok(Some(fetch));
        }
        let result = match valid {
            true => self.on_fetch_error(&fetch, error, ctx),
            false => Ok(()),
        };
        self.subscription.move_to_end(&name);
        match result {
            Ok(()) => Ok(None),
            Err(thrown) => Err(Box::new((fetch, thrown))),
        }
    }

    /// [FetchCollector.handleInitializeErrors]
    fn on_fetch_error(&mut self, fetch: &CompletedFetch, error: ErrorCode, ctx: &mut Ctx) -> Result<(), ClientError> {
        let name = &fetch.partition;
        // The Java client asks again at once; holding it back for the retry pause changes only the number of requests.
        let held = (ctx.now() + self.fixed_backoff(), self.net.metadata.update_version());
        let warn = match error {
            ErrorCode::OffsetOutOfRange => return self.on_out_of_range(fetch, ctx),
            ErrorCode::TopicAuthorizationFailed => {
                let text = format!("Not authorized to access topics: [{}]", name.topic);
                return Err(ClientError::new("TopicAuthorizationException", &text));
            }
            ErrorCode::CorruptMessage => {
                let at = fetch.next_offset;
                let text = format!("Encountered corrupt message when fetching offset {at} for topic-partition {name}");
                return Err(ClientError::new("KafkaException", &text));
            }
            ErrorCode::NotLeaderOrFollower
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::OffsetNotAvailable
            | ErrorCode::UnknownLeaderEpoch => None,
            ErrorCode::UnknownTopicOrPartition => Some("topic or partition"),
            ErrorCode::UnknownTopicId => Some("topic ID"),
            ErrorCode::InconsistentTopicId => Some("inconsistent topic ID"),
            ErrorCode::UnknownServerError => None,
            other => {
                let (code, at) = (other.code(), fetch.next_offset);
                let text =
                    format!("Unexpected error code {code} while fetching at offset {at} from topic-partition {name}");
                return Err(ClientError::new("IllegalStateException", &text));
            }
        };
        if let Some(what) = warn {
            let unknown = if what.starts_with("inconsistent") {
                ""
            } else {
                "unknown "
            };
            let text = format!("Received {unknown}{what} error in fetch for partition {name}");
            self.log(loggers::FETCH_COLLECTOR.warn(text), Weight::Detail, &rules::FETCH, ctx);
        }
        if !matches!(error, ErrorCode::UnknownLeaderEpoch | ErrorCode::UnknownServerError) {
            self.net.metadata.request_update();
        }
        if let Some(state) = self.subscription.get_mut(name) {
            state.held = Some(held);
            state.preferred = None;
        }
        Ok(())
    }

    fn on_out_of_range(&mut self, fetch: &CompletedFetch, ctx: &mut Ctx) -> Result<(), ClientError> {
        let name = &fetch.partition;
        let policy = self.subscription.default_reset();
        let Some(state) = self.subscription.get_mut(name) else {
            return Ok(());
        };
        if state.preferred.take().is_some() {
            return Ok(());
        }
        let Some(position) = state
            .position
            .clone()
            .filter(|position| position.offset == fetch.next_offset)
        else {
            return Ok(());
        };
        let text = format!("Fetch position {position} is out of range for partition {name}");
        match policy {
            Some(to) => {
                state.reset(to);
                let text = format!("{text}, resetting offset");
                self.log(
                    loggers::FETCH_COLLECTOR.info(text),
                    Weight::Alarm,
                    &rules::OUT_OF_RANGE,
                    ctx,
                );
                Ok(())
            }
            None => {
                let log = format!("{text}, raising error to the application since no reset policy is configured");
                self.log(
                    loggers::FETCH_COLLECTOR.info(log),
                    Weight::Alarm,
                    &rules::OUT_OF_RANGE,
                    ctx,
                );
                Err(ClientError::new("OffsetOutOfRangeException", &text))
            }
        }
    }
}

/// A size or time of the configuration, all of which are Java ints.
fn int(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
