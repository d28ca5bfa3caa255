//! The broker's copy of the metadata log: it fetches from the quorum's leader as an observer, keeps what is committed,
//! and builds its own image of it, at its own time. [KafkaRaftClient as an observer, MetadataLoader]

use super::BrokerTimer;
use super::link::{Link, Owner};
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::listeners::voter_address;
use crate::kafka::metadata::image::{MetadataDelta, MetadataImage, Settings};
use crate::kafka::metadata::records::{MetadataBatch, MetadataRecord};
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::protocol::controller::{QuorumFetchRequest, QuorumFetchResponse};
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Span, TimerId};
use std::rc::Rc;

/// `MAX_FETCH_WAIT_MS` of the raft client.
const MAX_WAIT_MS: i32 = 500;

/// Pauses between connection attempts of the raft client: the first, and the longest. [KafkaRaftManager]
const RECONNECT_BACKOFF: Span = Span::ms(50);
const RECONNECT_BACKOFF_MAX: Span = Span::ms(500);

/// Controllers are asked no more often than this who leads. (The real client asks again as soon as it has an answer.)
const SEARCH_PAUSE: Span = Span::ms(100);

/// The committed part of the metadata log, as what it adds up to.
#[derive(Clone, Debug, Default)]
pub(super) struct StoredMetadata {
    pub image: MetadataImage,
    /// Every setting that the log still holds a record of, also of topics that are gone: a broker that reads all of it
    /// in one delta finds them again under a new topic of the same name (4.3.1).
    /// [ConfigurationsDelta.replay(RemoveTopicRecord)]
    pub uncleared: OrderedMap<ConfigResource, Rc<Settings>>,
}

/// The observer.
#[derive(Clone, Debug)]
pub(super) struct Observer {
    stored: StoredMetadata,
    /// Fetched, but not known to be committed.
    pending: Vec<Rc<MetadataBatch>>,
    high_watermark: i64,
    leader: Option<NodeId>,
    epoch: i32,
    /// Whom it asks.
    to: NodeId,
    pub link: Link,
    sent: Option<(u32, TimerId)>,
    retry: Option<TimerId>,
    /// What is there at the start has been read up to the quorum's high watermark.
    synced: bool,
    /// Applied to the broker's parts: from the first time on, each change is.
    published: bool,
}

impl Observer {
    pub fn new(mut stored: StoredMetadata, controllers: &OrderedMap<NodeId, Rc<str>>) -> Observer {
        stored.image.configs = stored.uncleared.clone();
        Observer {
            stored,
            pending: Vec::new(),
            high_watermark: -1,
            leader: None,
            epoch: 0,
            to: controllers.keys().next().copied().unwrap_or(NO_LEADER),
            link: Link::default(),
            sent: None,
            retry: None,
            synced: false,
            published: false,
        }
    }

    pub fn image(&self) -> &MetadataImage {
        &self.stored.image
    }

    pub fn is_published(&self) -> bool {
        self.published
    }

    pub fn into_stored(self) -> StoredMetadata {
        self.stored
    }

    /// The active controller, as far as this node knows.
    pub fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    fn fetch_offset(&self) -> i64 {
        self.pending
            .last()
            .map_or(self.stored.image.end_offset, |batch| batch.end_offset())
    }

    fn last_fetched_epoch(&self) -> i32 {
        self.pending.last().map_or(self.stored.image.epoch, |batch| batch.epoch)
    }

    /// Takes committed batches into the image.
    fn commit(&mut self, delta: &mut MetadataDelta) -> Option<Rc<MetadataBatch>> {
        let committed = self
            .pending
            .iter()
            .take_while(|batch| batch.end_offset() <= self.high_watermark)
            .count();
        let mut last = None;
        for batch in self.pending.drain(..committed) {
            keep_settings(&mut self.stored.uncleared, &batch);
            self.stored.image.apply(&batch, delta);
            last = Some(batch);
        }
        last
    }
}

fn keep_settings(kept: &mut OrderedMap<ConfigResource, Rc<Settings>>, batch: &MetadataBatch) {
    for record in &batch.records {
        if let MetadataRecord::Config { resource, name, value } = record {
            let settings = Rc::make_mut(kept.entry(resource.clone()).or_default());
            match value {
                Some(value) => settings.insert(name.clone(), value.clone()),
                None => settings.remove(name),
            };
        }
    }
}

impl Server {
    /// Sends the next fetch, or connects first.
    pub(super) fn ask_quorum(&mut self, ctx: &mut Ctx) {
        if self.observer.sent.is_some() || self.observer.retry.is_some() {
            return;
        }
        if let Some(conn) = self.observer.link.open() {
            self.send_quorum_fetch(conn, ctx);
        } else if self.observer.link.is_closed() {
            let setup = Rc::clone(&self.setup);
            let host = setup.controllers.get(&self.observer.to);
            let host = host.map_or("", |host| &**host);
            let (host, port) = voter_address(host);
            let link = &mut self.observer.link;
            match link.connect(host, port, &setup, &mut self.random, ctx) {
                Some(conn) => {
                    self.owners.insert(conn, Owner::Quorum);
                }
                None => self.quorum_back_off(RECONNECT_BACKOFF_MAX, ctx),
            }
        }
    }

    fn send_quorum_fetch(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let correlation = self.correlation();
        let limit = Span::from_ms(self.setup.config.controller_quorum_request_timeout_ms);
        let timer = set_timer(ctx, limit, BrokerTimer::QuorumTimeout);
        self.observer.sent = Some((correlation, timer));
        let body = Body::from(QuorumFetchRequest {
            replica: self.me(),
            leader_epoch: self.observer.epoch,
            fetch_offset: self.observer.fetch_offset(),
            last_fetched_epoch: self.observer.last_fetched_epoch(),
            high_watermark: self.observer.high_watermark,
            max_wait_ms: MAX_WAIT_MS,
        });
        ctx.send(
            conn,
            Msg {
                correlation,
                client: self.nobody.clone(),
                body,
            },
        );
    }

    fn quorum_back_off(&mut self, pause: Span, ctx: &mut Ctx) {
        if self.observer.retry.is_none() {
            self.observer.retry = Some(set_timer(ctx, pause, BrokerTimer::QuorumRetry));
        }
    }

    pub(super) fn quorum_retry(&mut self, ctx: &mut Ctx) {
        self.observer.retry = None;
        self.ask_quorum(ctx);
    }

    pub(super) fn quorum_opened(&mut self, conn: ConnId, ctx: &mut Ctx) {
        self.observer.link.opened(conn, ctx);
        self.ask_quorum(ctx);
    }

    /// The connection is gone or could not be made.
    pub(super) fn quorum_lost(&mut self, ctx: &mut Ctx) {
        self.observer.link.lost(ctx);
        if let Some((_, timer)) = self.observer.sent.take() {
            ctx.cancel(timer);
        }
        self.look_elsewhere();
        let doublings = self.observer.link.failures().saturating_sub(1).min(10);
        let longest = match self.setup.controllers.len() {
            ..=1 => RECONNECT_BACKOFF_MAX,
            _ => SEARCH_PAUSE,
        };
        let pause = RECONNECT_BACKOFF.times(1 << doublings).min(longest);
        let pause = Span::us(self.random.jitter20(pause.as_us()));
        self.quorum_back_off(pause, ctx);
    }

    pub(super) fn quorum_timed_out(&mut self, ctx: &mut Ctx) {
        self.observer.sent = None;
        if let Some(conn) = self.observer.link.close(ctx) {
            self.owners.remove(&conn);
        }
        self.look_elsewhere();
        self.ask_quorum(ctx);
    }

    /// While the leader does not answer, or is not known, any controller is asked: its answer may name another one.
    /// [KafkaRaftClient.maybeSendFetchToBestNode]
    fn look_elsewhere(&mut self) {
        self.observer.to = self.next_controller(self.observer.to);
    }

    /// Another controller, by chance if there are several others.
    fn next_controller(&mut self, after: NodeId) -> NodeId {
        let others: Vec<NodeId> = self
            .setup
            .controllers
            .keys()
            .copied()
            .filter(|id| *id != after)
            .collect();
        match others.len() {
            0 => after,
            1 => others[0],
            count => others[self.random.below(count as u64) as usize],
        }
    }

    pub(super) fn quorum_answered(&mut self, msg: Msg, ctx: &mut Ctx) {
        match self.observer.sent {
            Some((correlation, timer)) if correlation == msg.correlation => ctx.cancel(timer),
            _ => return,
        }
        self.observer.sent = None;
        let Body::QuorumFetchResponse(answer) = msg.body else {
            return;
        };
        let known = self.observer.epoch;
        self.learn_leader(&answer, ctx);
        if answer.error == ErrorCode::None {
            self.take_metadata(&answer, ctx);
            self.ask_quorum(ctx);
            return;
        }
        if answer.leader == self.observer.to && self.observer.epoch > known {
            // It is the leader, and only wanted its epoch to be named.
            self.ask_quorum(ctx);
        } else if answer.leader == self.observer.to || answer.leader == NO_LEADER {
            if answer.leader == NO_LEADER {
                let next = self.next_controller(self.observer.to);
                self.turn_to(next, ctx);
            }
            let pause = Span::from_ms(self.setup.config.controller_quorum_retry_backoff_ms);
            self.quorum_back_off(pause.max(SEARCH_PAUSE), ctx);
        } else {
            self.turn_to(answer.leader, ctx);
            self.ask_quorum(ctx);
        }
    }

    fn learn_leader(&mut self, answer: &QuorumFetchResponse, ctx: &mut Ctx) {
        let observer = &mut self.observer;
        if answer.leader_epoch < observer.epoch {
            return;
        }
        if answer.leader_epoch > observer.epoch {
            // What was not committed may not be in the new leader's log.
            observer.pending.clear();
            observer.epoch = answer.leader_epoch;
            observer.leader = None;
        }
        if answer.leader != NO_LEADER && observer.leader != Some(answer.leader) {
            observer.leader = Some(answer.leader);
            ctx.note(Note::Broker(BrokerNote::ControllerKnown {
                controller: answer.leader,
                epoch: answer.leader_epoch,
            }));
        }
    }

    fn turn_to(&mut self, controller: NodeId, ctx: &mut Ctx) {
        if self.observer.to == controller {
            return;
        }
        self.observer.to = controller;
        if let Some(conn) = self.observer.link.close(ctx) {
            self.owners.remove(&conn);
        }
    }

    fn take_metadata(&mut self, answer: &QuorumFetchResponse, ctx: &mut Ctx) {
        let observer = &mut self.observer;
        for batch in &answer.batches {
            if batch.base_offset >= observer.fetch_offset() {
                observer.pending.push(Rc::clone(batch));
            }
        }
        observer.high_watermark = observer.high_watermark.max(answer.high_watermark);
        let mut delta = MetadataDelta::default();
        let last = observer.commit(&mut delta);
        let end = observer.stored.image.end_offset;
        observer.synced |= answer.high_watermark >= 0 && end >= answer.high_watermark;
        let published = observer.published;
        let Some(last) = last else { return };
        if last.records.iter().any(|r| !matches!(r, MetadataRecord::NoOp)) {
            ctx.note(Note::Broker(BrokerNote::MetadataApplied {
                end,
                written_in: last.event,
            }));
        }
        if published {
            self.publish(&delta, ctx);
        } else {
            self.open_metadata(ctx);
        }
    }

    /// Publishes for the first time, as soon as the broker has caught up: all that there is, as one change.
    pub(super) fn open_metadata(&mut self, ctx: &mut Ctx) {
        let ready = self.observer.synced && self.life.state == super::BrokerState::Recovery;
        if !ready || self.observer.published {
            return;
        }
        self.observer.published = true;
        let image = self.observer.image();
        let delta = MetadataDelta {
            partitions: image.partitions.keys().map(|partition| (*partition, None)).collect(),
            brokers: image.brokers.keys().copied().collect(),
            features: true,
            ..MetadataDelta::default()
        };
        self.start_log_manager(ctx);
        self.start_groups(ctx);
        self.start_transactions(ctx);
        self.publish(&delta, ctx);
        self.ready_to_unfence(ctx);
    }
}
