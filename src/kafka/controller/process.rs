//! The controller as a process: who asks it what, how a decision becomes records, and what survives its end.
//!
//! A single event loop: each request is decided on the state as it is, becomes one batch of the metadata log, and is
//! answered when the batch is committed; with one voter that is at once. [QuorumController]

use super::answers;
use super::election::{Changes, Cluster};
use super::metadata_log::MetadataLog;
use super::note::{ControllerNote, Why};
use super::quorum_fetch::Fetches;
use super::sessions::Sessions;
use super::setup::ControllerSetup;
use crate::kafka::metadata::image::{MetadataDelta, MetadataImage};
use crate::kafka::metadata::records::{MetadataBatch, MetadataRecord};
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{EnvelopeRequest, EnvelopeResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Order, Timer};
use crate::sim::{ConnId, Halt, Random, Time};
use std::rc::Rc;

/// A controller node.
#[derive(Clone, Debug)]
pub struct Controller {
    pub(super) setup: Rc<ControllerSetup>,
    pub(super) random: Random,
    /// `quorum-state`: the last epoch this voter was part of. Durable.
    quorum_epoch: i32,
    /// Durable.
    pub(super) log: MetadataLog,
    /// What the log adds up to.
    pub(super) image: Rc<MetadataImage>,
    /// Only while it leads.
    pub(super) active: Option<Active>,
}

/// What only the active controller has; gone with the leadership.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    pub sessions: Sessions,
    pub fetches: Fetches,
}

/// A registered broker as the active controller sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerView {
    pub id: NodeId,
    pub epoch: i64,
    /// `active`, `fenced`, `shutdown` (its controlled shutdown goes on) or `shutdown-fenced` (after it).
    pub state: &'static str,
    /// When its last heartbeat came; its session ends `broker.session.timeout.ms` later.
    pub last_contact: Option<Time>,
    /// The last metadata offset it said it has applied; -1 unknown.
    pub metadata_offset: i64,
}

impl Controller {
    pub fn new(setup: ControllerSetup) -> Controller {
        let purpose = format!("controller/{}", setup.id);
        Controller {
            random: Random::named(setup.seed, &purpose),
            setup: Rc::new(setup),
            quorum_epoch: 0,
            log: MetadataLog::default(),
            image: Rc::default(),
            active: None,
        }
    }

    pub fn id(&self) -> NodeId {
        self.setup.id
    }

    /// The cluster as this controller has it; of a stopped one, as its disk has it.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Does it lead the quorum?
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// The quorum epoch.
    pub fn epoch(&self) -> i32 {
        self.quorum_epoch
    }

    /// Every registered broker.
    pub fn brokers(&self) -> Vec<BrokerView> {
        let sessions = self.active.as_ref().map(|active| &active.sessions);
        let view = |(id, broker): (&NodeId, &crate::kafka::metadata::image::BrokerRegistration)| BrokerView {
            id: *id,
            epoch: broker.epoch,
            state: match (broker.in_controlled_shutdown, broker.fenced) {
                (false, false) => "active",
                (false, true) => "fenced",
                (true, false) => "shutdown",
                (true, true) => "shutdown-fenced",
            },
            last_contact: sessions.and_then(|s| s.last_contact(*id, broker.epoch)),
            metadata_offset: sessions.and_then(|s| s.of(*id)).map_or(-1, |s| s.metadata_offset),
        };
        self.image.brokers.iter().map(view).collect()
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Start => self.start(ctx),
            Input::Message(conn, msg) => self.message(conn, msg, ctx),
            Input::Timer(Timer::Controller(timer)) => self.timer(timer, ctx),
            Input::Closed(conn) => self.forget_fetches(conn, ctx),
            Input::Order(Order::Shutdown) => {
                self.active = None;
                ctx.exit();
            }
            Input::Opened(_) | Input::Refused(_) | Input::Accepted(..) | Input::Order(_) | Input::Timer(_) => {}
        }
    }

    /// The process is gone. Log and quorum epoch are on disk: a record is flushed before anybody is told of it.
    pub fn halt(&mut self, _how: Halt) {
        self.active = None;
    }

    fn start(&mut self, ctx: &mut Ctx) {
        ctx.listen(KAFKA_PORT);
        let mut image = MetadataImage::default();
        let mut delta = MetadataDelta::default();
        for batch in self.log.batches() {
            image.apply(batch, &mut delta);
        }
        self.image = Rc::new(image);
        // The only voter needs nobody's vote. [QuorumState, KafkaRaftClient.initialize]
        if self.setup.voters.keys().eq([&self.setup.id]) {
            self.lead(ctx);
        }
    }

    /// Leads the quorum in a new epoch. [QuorumController.claim, ActivationRecordsGenerator]
    pub(super) fn lead(&mut self, ctx: &mut Ctx) {
        self.quorum_epoch = self.quorum_epoch.max(self.image.epoch) + 1;
        self.active = Some(Active {
            sessions: Sessions::activate(&self.image, ctx.now()),
            fetches: Fetches::default(),
        });
        ctx.note(Note::Controller(ControllerNote::Leads {
            epoch: self.quorum_epoch,
        }));
        let leader = self.setup.id;
        let empty = self.log.end_offset() == 0;
        self.commit(vec![MetadataRecord::LeaderChange { leader }], Why::Activation, ctx);
        if empty {
            self.commit(self.bootstrap_records(), Why::Activation, ctx);
        }
        self.start_periodic_tasks(ctx);
    }

    /// What an empty log begins with.
    fn bootstrap_records(&self) -> Vec<MetadataRecord> {
        let features = self.setup.features.iter();
        let level = |(name, level): (&&'static str, &i16)| MetadataRecord::FeatureLevel { name, level: *level };
        let mut records: Vec<MetadataRecord> = features.map(level).collect();
        records.extend(self.elr_safety_record());
        records
    }

    fn message(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        let Msg { correlation, body, .. } = msg;
        let answer = match &body {
            Body::QuorumFetchRequest(fetch) => {
                self.quorum_fetch(conn, correlation, fetch, ctx);
                return;
            }
            Body::EnvelopeRequest(envelope) => Some(self.envelope(envelope, ctx)),
            request => self.serve(request, ctx),
        };
        if let Some(body) = answer {
            answers::send(conn, correlation, body, ctx);
        }
    }

    /// A client's request, passed on by a broker.
    fn envelope(&mut self, envelope: &EnvelopeRequest, ctx: &mut Ctx) -> Body {
        let (error, body) = if self.is_active() {
            (ErrorCode::None, self.serve(&envelope.body, ctx))
        } else {
            (ErrorCode::NotController, None)
        };
        Body::from(EnvelopeResponse { error, body })
    }

    /// The answer to a request; `None` for what a controller is not asked.
    fn serve(&mut self, request: &Body, ctx: &mut Ctx) -> Option<Body> {
        if !self.is_active() {
            return answers::not_controller(request);
        }
        Some(match request {
            Body::BrokerHeartbeatRequest(r) => self.broker_heartbeat(r, ctx).into(),
            Body::BrokerRegistrationRequest(r) => self.register_broker(r, ctx).into(),
            Body::AlterPartitionRequest(r) => self.alter_partitions(r, ctx).into(),
            Body::AllocateProducerIdsRequest(r) => self.allocate_producer_ids(r, ctx).into(),
            Body::CreateTopicsRequest(r) => self.create_topics(r, ctx).into(),
            Body::DeleteTopicsRequest(r) => self.delete_topics(r, ctx).into(),
            Body::CreatePartitionsRequest(r) => self.create_partitions(r, ctx).into(),
            Body::IncrementalAlterConfigsRequest(r) => self.alter_configs(r, ctx).into(),
            Body::ElectLeadersRequest(r) => self.elect_leaders(r, ctx).into(),
            Body::AlterPartitionReassignmentsRequest(r) => self.alter_reassignments(r, ctx).into(),
            Body::ListPartitionReassignmentsRequest(r) => self.list_reassignments(r).into(),
            Body::UnregisterBrokerRequest(r) => self.unregister_broker(r, ctx).into(),
            Body::DescribeQuorumRequest(_) => self.describe_quorum(ctx).into(),
            _ => return None,
        })
    }

    /// Writes records that belong together as one batch, applies them, and tells who waits for them. Nothing happens
    /// without records.
    pub(super) fn commit(&mut self, records: Vec<MetadataRecord>, why: Why, ctx: &mut Ctx) {
        if records.is_empty() {
            return;
        }
        let batch = Rc::new(MetadataBatch {
            base_offset: self.log.end_offset(),
            epoch: self.quorum_epoch,
            records,
            event: ctx.event(),
        });
        self.log.append(Rc::clone(&batch));
        if let Some(active) = &mut self.active {
            for record in &batch.records {
                active.sessions.replay(record, &self.image);
            }
        }
        self.observe_records(&batch, why, ctx);
        let mut delta = MetadataDelta::default();
        Rc::make_mut(&mut self.image).apply(&batch, &mut delta);
        self.observe_partitions(&delta, why, ctx);
        self.answer_fetches(ctx);
    }

    /// Registered, not fenced, not in controlled shutdown.
    pub(super) fn is_active_broker(&self, id: NodeId) -> bool {
        self.image.brokers.get(&id).is_some_and(|broker| broker.is_active())
    }

    pub(super) fn is_registered(&self, id: NodeId) -> bool {
        self.image.brokers.contains_key(&id)
    }

    /// Asks the rules of elections about the cluster as it is.
    pub(super) fn on_cluster<T>(&self, ask: impl FnOnce(&Cluster) -> T) -> T {
        ask(&Cluster {
            partitions: &self.image.partitions,
            is_active: &|id| self.is_active_broker(id),
            rules: &|topic| self.topic_rules(topic),
        })
    }
}

/// Partition changes as records.
pub(super) fn records_of(changes: Changes) -> Vec<MetadataRecord> {
    let record = |(partition, change)| MetadataRecord::PartitionChange { partition, change };
    changes.into_iter().map(record).collect()
}
