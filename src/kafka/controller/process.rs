//! The controller as a process: who asks it what, how a decision becomes records, and what survives its end.
//!
//! A single event loop: each request is decided on the state as it is, becomes one batch of the metadata log, and is
//! answered when the batch is committed; with one voter that is at once. [QuorumController]

use super::answers;
use super::election::{Changes, Cluster};
use super::metadata_log::MetadataLog;
use super::note::{ControllerNote, Why};
use super::raft::Raft;
use super::raft::note::RaftNote;
use super::sessions::Sessions;
use super::setup::ControllerSetup;
use crate::kafka::config::{BrokerConfig, ConfigError, Properties};
use crate::kafka::metadata::image::{MetadataDelta, MetadataImage};
use crate::kafka::metadata::records::{MetadataBatch, MetadataRecord};
use crate::kafka::note::Note;
use crate::kafka::protocol::controller::{EnvelopeRequest, EnvelopeResponse};
use crate::kafka::protocol::data::ApiVersionsResponse;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, Order, Timer};
use crate::sim::{ConnId, Halt, Random, Time, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// A controller node.
#[derive(Clone, Debug)]
pub struct Controller {
    pub(super) setup: Rc<ControllerSetup>,
    /// As its file says since it was started: taken at the next start.
    next_setup: Option<Rc<ControllerSetup>>,
    pub(super) random: Random,
    /// Its place in the quorum.
    pub(super) raft: Raft,
    /// Durable.
    pub(super) log: MetadataLog,
    /// What the committed part of the log adds up to; while it is active, all of the log.
    pub(super) image: Rc<MetadataImage>,
    /// Only while it leads.
    pub(super) active: Option<Active>,
}

/// What only the active controller has; gone with the leadership.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    pub sessions: Sessions,
    /// Answers that wait until all that was written before them is committed, in order.
    pub deferred: VecDeque<Deferred>,
    /// Timers of the periodic tasks.
    pub tasks: [Option<TimerId>; 3],
}

/// An answer that waits until the log is committed up to `offset`.
#[derive(Clone, Debug)]
pub(super) struct Deferred {
    offset: i64,
    conn: ConnId,
    correlation: u32,
    request: Body,
    answer: Body,
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
            raft: Raft::new(Random::named(setup.seed, &format!("raft/{}", setup.id))),
            setup: Rc::new(setup),
            next_setup: None,
            log: MetadataLog::default(),
            image: Rc::default(),
            active: None,
        }
    }

    pub fn id(&self) -> NodeId {
        self.setup.id
    }

    /// Changes `controller.properties`, read at the next start.
    ///
    /// # Errors
    /// What the controller would say when it starts.
    pub fn configure(&mut self, changes: &Properties) -> Result<(), ConfigError> {
        let mut setup = ControllerSetup::clone(self.next_setup.as_ref().unwrap_or(&self.setup));
        setup
            .given
            .extend(changes.iter().map(|(key, value)| (key.clone(), value.clone())));
        setup.config = BrokerConfig::from_map(&setup.given)?;
        self.next_setup = Some(Rc::new(setup));
        Ok(())
    }

    /// The cluster as this controller has it; of a stopped one, as its disk has it.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Is it the active controller: does it lead the quorum, with a log that is known to be committed?
    pub fn is_active(&self) -> bool {
        self.active.is_some()
    }

    /// The quorum epoch.
    pub fn epoch(&self) -> i32 {
        self.raft.epoch
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
            Input::Opened(conn) => self.voter_opened(conn),
            Input::Closed(conn) | Input::Refused(conn) => {
                if !self.voter_lost(conn, ctx) {
                    self.forget_fetches(conn, ctx);
                }
            }
            Input::Order(Order::Shutdown) => self.shut_down(ctx),
            Input::Accepted(..) | Input::Order(_) | Input::Timer(_) => {}
        }
        self.drive_quorum(ctx);
    }

    /// The process is gone. Log and quorum state are on disk: a record is flushed before anybody is told of it.
    pub fn halt(&mut self, _how: Halt) {
        self.active = None;
        self.raft.halt();
    }

    fn start(&mut self, ctx: &mut Ctx) {
        if let Some(setup) = self.next_setup.take() {
            self.setup = setup;
        }
        self.setup.listener.open(ctx);
        self.image = Rc::default();
        self.start_quorum(ctx);
    }

    /// What is known to be committed; -1: nothing is known.
    pub(super) fn committed(&self) -> i64 {
        self.raft.high_watermark.unwrap_or(-1)
    }

    /// Takes what is committed into the image.
    pub(super) fn replay_committed(&mut self) {
        let committed = self.committed();
        let (from, mut delta) = (self.image.end_offset, MetadataDelta::default());
        if from >= committed {
            return;
        }
        let image = Rc::make_mut(&mut self.image);
        for batch in self.log.from(from) {
            if batch.end_offset() <= committed {
                image.apply(&batch, &mut delta);
            }
        }
    }

    /// The high watermark of a leader moved: it becomes active when all before its epoch is committed, and answers what
    /// waited for that.
    pub(super) fn committed_as_leader(&mut self, ctx: &mut Ctx) {
        if !self.is_active() {
            self.replay_committed();
            self.claim(ctx);
        }
        let committed = self.committed();
        let Some(active) = &mut self.active else { return };
        while let Some(deferred) = active.deferred.pop_front() {
            if deferred.offset > committed {
                active.deferred.push_front(deferred);
                break;
            }
            answers::send(deferred.conn, deferred.correlation, deferred.answer, ctx);
        }
    }

    /// Becomes the active controller. [QuorumController.claim, ActivationRecordsGenerator]
    fn claim(&mut self, ctx: &mut Ctx) {
        self.active = Some(Active {
            sessions: Sessions::activate(&self.image, ctx.now()),
            ..Active::default()
        });
        ctx.note(Note::Controller(ControllerNote::Leads { epoch: self.raft.epoch }));
        if self.image.features.is_empty() {
            self.commit(self.bootstrap_records(), Why::Activation, ctx);
        }
        self.start_periodic_tasks(ctx);
    }

    /// No longer active: what was not committed is forgotten, and who waits for it has to ask again.
    /// [QuorumController.renounce]
    pub(super) fn renounce(&mut self, ctx: &mut Ctx) {
        let Some(active) = self.active.take() else { return };
        active.tasks.into_iter().flatten().for_each(|timer| ctx.cancel(timer));
        let committed = self.committed();
        let note = RaftNote::Renounced {
            requests: active.deferred.len() as u32,
            committed,
            end: self.log.end_offset(),
        };
        ctx.note(Note::Controller(ControllerNote::Raft(note)));
        for Deferred {
            conn,
            correlation,
            request,
            ..
        } in active.deferred
        {
            if let Some(body) = self.refuse(&request) {
                answers::send(conn, correlation, body, ctx);
            }
        }
        if self.image.end_offset > committed {
            self.image = Rc::default();
            self.replay_committed();
        }
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
        if self.quorum_response(conn, &msg, ctx) {
            return;
        }
        let Msg { correlation, body, .. } = msg;
        if self.quorum_request(conn, correlation, &body, ctx) {
            return;
        }
        let answer = match &body {
            Body::EnvelopeRequest(envelope) => Some(self.envelope(envelope, ctx)),
            Body::ApiVersionsRequest(_) => Some(self.api_versions()),
            request => self.serve(request, ctx),
        };
        let Some(answer) = answer else { return };
        let (end, committed) = (self.log.end_offset(), self.committed());
        match &mut self.active {
            // What was decided on is committed first. [QuorumController.ControllerWriteEvent]
            Some(active) if end > committed => active.deferred.push_back(Deferred {
                offset: end,
                conn,
                correlation,
                request: body,
                answer,
            }),
            _ => answers::send(conn, correlation, answer, ctx),
        }
    }

    /// What every node answers first; clients learn from it that they came to a controller's port.
    fn api_versions(&self) -> Body {
        let features = self.image.features.iter();
        Body::from(ApiVersionsResponse {
            finalized_features: features.map(|(name, level)| ((*name).into(), *level)).collect(),
            of_controller: true,
            ..ApiVersionsResponse::default()
        })
    }

    /// A client's request, passed on by a broker.
    fn envelope(&mut self, envelope: &EnvelopeRequest, ctx: &mut Ctx) -> Body {
        let (error, body) = match &envelope.body {
            Body::DescribeQuorumRequest(_) => (ErrorCode::None, Some(self.describe_quorum(ctx).into())),
            body if self.is_active() => (ErrorCode::None, self.serve(body, ctx)),
            _ => (ErrorCode::NotController, None),
        };
        Body::from(EnvelopeResponse { error, body })
    }

    /// What it answers while it is not active.
    fn refuse(&self, request: &Body) -> Option<Body> {
        match request {
            Body::EnvelopeRequest(_) => Some(Body::from(EnvelopeResponse {
                error: ErrorCode::NotController,
                body: None,
            })),
            request => answers::not_controller(request, self.raft.leader.filter(|id| *id != self.setup.id)),
        }
    }

    /// The answer to a request; `None` for what a controller is not asked.
    fn serve(&mut self, request: &Body, ctx: &mut Ctx) -> Option<Body> {
        if !self.is_active() {
            return self.refuse(request);
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
            _ => return None,
        })
    }

    /// Writes records that belong together as one batch, applies them, and tells who waits for them. Nothing happens
    /// without records.
    pub(super) fn commit(&mut self, records: Vec<MetadataRecord>, why: Why, ctx: &mut Ctx) {
        if !records.is_empty() {
            self.write(records, why, ctx);
        }
    }

    /// Appends a batch; the active controller decides on its uncommitted records, too.
    pub(super) fn write(&mut self, records: Vec<MetadataRecord>, why: Why, ctx: &mut Ctx) {
        let batch = Rc::new(MetadataBatch {
            base_offset: self.log.end_offset(),
            epoch: self.raft.epoch,
            records,
            event: ctx.event(),
        });
        self.log.append(Rc::clone(&batch));
        if let Some(active) = &mut self.active {
            for record in &batch.records {
                active.sessions.replay(record, &self.image);
            }
            self.observe_records(&batch, why, ctx);
            let mut delta = MetadataDelta::default();
            Rc::make_mut(&mut self.image).apply(&batch, &mut delta);
            self.observe_partitions(&delta, why, ctx);
        }
        self.advance_high_watermark(ctx);
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
