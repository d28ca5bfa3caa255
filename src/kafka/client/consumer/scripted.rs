//! A world for tests: one broker that keeps a few logs and coordinates one group, as simply as can be.

use super::{Consumer, ConsumerNote, ConsumerOrder};
use crate::kafka::client::admin::AdminTimer;
use crate::kafka::client::call::{Answer, CallId, ClientError, Consumed};
use crate::kafka::client::note::ClientNote;
use crate::kafka::config::Properties;
use crate::kafka::log::batch::{Batch, BatchBuilder, no_headers};
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{NamedPartition, TopicId, TopicPartition};
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Kafka, Order, Timer};
use crate::ordered::OrderedMap;
use crate::sim::world::Sim;
use crate::sim::{ConnId, Halt, ProcId, Process, Span};
use std::rc::Rc;

/// A fetch without data that waits: connection, correlation, request.
type Parked = (ConnId, u32, Rc<FetchRequest>);

/// The broker.
#[derive(Clone)]
pub struct Script {
    pub logs: OrderedMap<&'static str, Vec<Vec<Batch>>>,
    pub leader_epoch: i32,
    pub start: i64,
    /// Answer to OffsetsForLeaderEpoch: epoch, end; else the log's end.
    pub epoch_end: Option<(i32, i64)>,
    pub committed: OrderedMap<NamedPartition, CommittedOffset>,
    pub generation: i32,
    pub heartbeat: ErrorCode,
    pub commit: ErrorCode,
    pub join: ErrorCode,
    /// Another member, `c-2`, with the same topics and nothing of its own, is in the group.
    pub company: bool,
    /// How often each request came.
    pub seen: OrderedMap<&'static str, u32>,
    pub last_join: Option<Rc<JoinGroupRequest>>,
    parked: Vec<Parked>,
}

impl Script {
    fn new() -> Script {
        Script {
            logs: OrderedMap::new(),
            leader_epoch: 0,
            start: 0,
            epoch_end: None,
            committed: OrderedMap::new(),
            generation: 0,
            heartbeat: ErrorCode::None,
            commit: ErrorCode::None,
            join: ErrorCode::None,
            company: false,
            seen: OrderedMap::new(),
            last_join: None,
            parked: Vec::new(),
        }
    }

    fn log(&self, partition: TopicPartition) -> Option<&Vec<Batch>> {
        let topic = self.logs.values().nth(partition.topic.0 as usize)?;
        topic.get(partition.partition as usize)
    }

    fn end(&self, partition: TopicPartition) -> i64 {
        self.log(partition)
            .and_then(|log| log.last())
            .map_or(0, Batch::next_offset)
    }

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Start => ctx.listen(KAFKA_PORT),
            Input::Message(conn, msg) => {
                *self.seen.entry(msg.body.kind()).or_default() += 1;
                if let Body::FetchRequest(request) = &msg.body {
                    let waits = request
                        .partitions
                        .iter()
                        .all(|p| p.fetch_offset == self.end(p.partition));
                    if waits {
                        // Any timer of the vocabulary will do.
                        let wait = Span::from_ms(i64::from(request.max_wait_ms));
                        ctx.timer(wait, Timer::Admin(AdminTimer::Wake));
                        self.parked.push((conn, msg.correlation, request.clone()));
                        return;
                    }
                }
                if let Some(body) = self.answer(&msg.body) {
                    reply(conn, msg.correlation, body, ctx);
                }
            }
            // Whatever it says: fetches that wait are answered.
            Input::Order(_) | Input::Timer(_) => {
                for (conn, correlation, request) in std::mem::take(&mut self.parked) {
                    reply(conn, correlation, self.fetch(&request).into(), ctx);
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, body: &Body) -> Option<Body> {
        Some(match body {
            Body::ApiVersionsRequest(_) => ApiVersionsResponse::default().into(),
            Body::MetadataRequest(request) => self.metadata(request).into(),
            Body::FetchRequest(request) => self.fetch(request).into(),
            Body::ListOffsetsRequest(request) => self.list_offsets(request).into(),
            Body::OffsetsForLeaderEpochRequest(request) => {
                let each = request.partitions.iter().map(|(id, _, _)| {
                    let (epoch, end) = self.epoch_end.unwrap_or((self.leader_epoch, self.end(*id)));
                    (*id, ErrorCode::None, epoch, end)
                });
                let partitions = each.collect();
                OffsetsForLeaderEpochResponse { partitions }.into()
            }
            Body::FindCoordinatorRequest(_) => FindCoordinatorResponse {
                error: ErrorCode::None,
                node: Some(broker()),
            }
            .into(),
            Body::JoinGroupRequest(request) => self.join(request).into(),
            Body::SyncGroupRequest(request) => SyncGroupResponse {
                error: ErrorCode::None,
                protocol: request.protocol.clone(),
                assignment: request
                    .assignments
                    .first()
                    .map_or(Rc::from([]), |(_, partitions)| partitions.clone()),
            }
            .into(),
            Body::HeartbeatRequest(_) => HeartbeatResponse { error: self.heartbeat }.into(),
            Body::LeaveGroupRequest(_) => LeaveGroupResponse {
                error: ErrorCode::None,
                members: Vec::new(),
            }
            .into(),
            Body::OffsetCommitRequest(request) => {
                if self.commit == ErrorCode::None {
                    self.committed.extend(request.offsets.iter().cloned());
                }
                let each = request
                    .offsets
                    .iter()
                    .map(|(partition, _)| (partition.clone(), self.commit));
                let partitions = each.collect();
                OffsetCommitResponse { partitions }.into()
            }
            Body::OffsetFetchRequest(request) => self.offsets(request).into(),
            _ => return None,
        })
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let wanted = |name: &str| {
            request
                .topics
                .as_ref()
                .is_none_or(|topics| topics.iter().any(|t| **t == *name))
        };
        let known = self.logs.iter().enumerate().filter(|(_, (name, _))| wanted(name));
        let topics = known.map(|(id, (name, logs))| MetadataTopic {
            error: ErrorCode::None,
            name: (*name).into(),
            id: Some(TopicId(id as u32)),
            internal: false,
            partitions: (0..logs.len() as i32)
                .map(|partition| MetadataPartition {
                    error: ErrorCode::None,
                    partition,
                    leader: 1,
                    leader_epoch: self.leader_epoch,
                    replicas: vec![1],
                    isr: vec![1],
                    offline: Vec::new(),
                })
                .collect(),
        });
        MetadataResponse {
            cluster_id: "cluster".into(),
            brokers: vec![broker()],
            controller_id: 1,
            topics: topics.collect(),
        }
    }

    fn fetch(&self, request: &FetchRequest) -> FetchResponse {
        let each = request.partitions.iter().map(|asked| {
            let end = self.end(asked.partition);
            let in_range = (self.start..=end).contains(&asked.fetch_offset);
            let log = self.log(asked.partition).into_iter().flatten();
            let rest = log.filter(|batch| batch.next_offset() > asked.fetch_offset);
            FetchedPartition {
                partition: asked.partition,
                error: if in_range {
                    ErrorCode::None
                } else {
                    ErrorCode::OffsetOutOfRange
                },
                high_watermark: end,
                last_stable_offset: end,
                log_start_offset: self.start,
                diverging_epoch: None,
                current_leader: None,
                preferred_read_replica: None,
                aborted: Vec::new(),
                batches: if in_range { rest.cloned().collect() } else { Vec::new() },
            }
        });
        FetchResponse {
            partitions: each.collect(),
            ..FetchResponse::default()
        }
    }

    fn list_offsets(&self, request: &ListOffsetsRequest) -> ListOffsetsResponse {
        let each = request.partitions.iter().map(|asked| ListedOffset {
            partition: asked.partition,
            error: ErrorCode::None,
            timestamp: -1,
            offset: match asked.timestamp {
                EARLIEST_TIMESTAMP => self.start,
                LATEST_TIMESTAMP => self.end(asked.partition),
                _ => -1,
            },
            leader_epoch: self.leader_epoch,
        });
        let partitions = each.collect();
        ListOffsetsResponse { partitions }
    }

    fn join(&mut self, request: &Rc<JoinGroupRequest>) -> JoinGroupResponse {
        self.last_join = Some(request.clone());
        let id: Rc<str> = match request.member_id.is_empty() {
            true => "c-1".into(),
            false => request.member_id.clone(),
        };
        let error = match self.join {
            ErrorCode::None if request.member_id.is_empty() => ErrorCode::MemberIdRequired,
            error => error,
        };
        if error == ErrorCode::None {
            self.generation += 1;
            self.heartbeat = ErrorCode::None;
        }
        let member = JoinedMember {
            member_id: id.clone(),
            instance_id: None,
            subscription: request.protocols[0].1.clone(),
        };
        let other = JoinedMember {
            member_id: "c-2".into(),
            instance_id: None,
            subscription: Rc::new(Subscription {
                topics: member.subscription.topics.clone(),
                generation: -1,
                ..Subscription::default()
            }),
        };
        JoinGroupResponse {
            error,
            generation: self.generation,
            protocol: Some(request.protocols[0].0.clone()),
            leader: id.clone(),
            skip_assignment: false,
            member_id: id,
            members: std::iter::once(member).chain(self.company.then_some(other)).collect(),
        }
    }

    fn offsets(&self, request: &OffsetFetchRequest) -> OffsetFetchResponse {
        let asked = request.partitions.iter().flatten();
        let each = asked.map(|partition| {
            let none = CommittedOffset {
                offset: -1,
                leader_epoch: -1,
                metadata: "".into(),
            };
            let committed = self.committed.get(partition).cloned().unwrap_or(none);
            (partition.clone(), committed, ErrorCode::None)
        });
        OffsetFetchResponse {
            error: ErrorCode::None,
            partitions: each.collect(),
        }
    }
}

fn reply(conn: ConnId, correlation: u32, body: Body, ctx: &mut Ctx) {
    let client = Rc::from("");
    ctx.send(
        conn,
        Msg {
            correlation,
            client,
            body,
        },
    );
}

fn broker() -> BrokerNode {
    BrokerNode {
        id: 1,
        host: "b1".into(),
        port: KAFKA_PORT,
        rack: None,
    }
}

/// Either process.
#[derive(Clone)]
pub enum Proc {
    Consumer(Box<Consumer>),
    Broker(Box<Script>),
}

impl Process for Proc {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Proc::Consumer(consumer) => consumer.handle(input, ctx),
            Proc::Broker(broker) => broker.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        if let Proc::Consumer(consumer) = self {
            consumer.halt(how);
        }
    }
}

/// A consumer `c` and a broker `b1`.
pub struct World {
    pub sim: Sim<Proc>,
    pub consumer: ProcId,
    pub broker: ProcId,
    pub answers: Vec<(u32, Result<Rc<Answer>, ClientError>)>,
    /// assigned, revoked, lost, error, committed, commit_failed, in order.
    pub events: Vec<String>,
    pub polled: Vec<Consumed>,
    calls: u32,
}

/// Settings from pairs.
pub fn properties(pairs: &[(&str, &str)]) -> Properties {
    pairs
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// `t-0`.
pub fn at(topic: &str, partition: i32) -> NamedPartition {
    NamedPartition {
        topic: topic.into(),
        partition,
    }
}

/// A batch of records with these values.
pub fn batch(base: i64, values: &[&str]) -> Batch {
    let mut builder = BatchBuilder::new(base);
    builder.head.leader_epoch = 0;
    for value in values {
        let value = Some(Rc::from(value.as_bytes()));
        builder.append_next(5, None, value, no_headers(), 0).expect("valid");
    }
    builder.build(None).expect("valid")
}

impl World {
    pub fn new(group: Option<&str>, config: &[(&str, &str)]) -> World {
        let bootstrap: [(Rc<str>, u16); 1] = [("b1".into(), KAFKA_PORT)];
        let consumer = Consumer::new("c", &bootstrap, group.map(Rc::from), properties(config), 1).expect("valid");
        let mut sim = Sim::new(1);
        let (h1, b1) = (sim.add_host("h1"), sim.add_host("b1"));
        let broker = sim.add("b1", b1, Proc::Broker(Box::new(Script::new())));
        let consumer = sim.add("c", h1, Proc::Consumer(Box::new(consumer)));
        sim.start(broker);
        sim.start(consumer);
        World {
            sim,
            consumer,
            broker,
            answers: Vec::new(),
            events: Vec::new(),
            polled: Vec::new(),
            calls: 0,
        }
    }

    pub fn script(&mut self, change: impl FnOnce(&mut Script)) {
        if let Proc::Broker(broker) = self.sim.process_mut(self.broker) {
            change(broker);
        }
    }

    pub fn broker(&self) -> &Script {
        match self.sim.process(self.broker) {
            Proc::Broker(broker) => broker,
            Proc::Consumer(_) => unreachable!("the broker's place"),
        }
    }

    pub fn consumer(&self) -> &Consumer {
        match self.sim.process(self.consumer) {
            Proc::Consumer(consumer) => consumer,
            Proc::Broker(_) => unreachable!("the consumer's place"),
        }
    }

    /// Appends a batch and wakes fetches that wait.
    pub fn append(&mut self, topic: &'static str, partition: usize, values: &[&str]) {
        self.script(|script| {
            let log = &mut script.logs.get_mut(topic).expect("known")[partition];
            let base = log.last().map_or(0, Batch::next_offset);
            log.push(batch(base, values));
        });
        self.sim.order(self.broker, Order::Shutdown);
        self.run(0);
    }

    /// Makes a call and lets `ms` pass.
    pub fn call(&mut self, ms: u64, order: impl FnOnce(CallId) -> ConsumerOrder) -> u32 {
        self.calls += 1;
        let order = order(CallId(self.calls));
        self.sim.order(self.consumer, Order::Consumer(order));
        self.run(ms);
        self.calls
    }

    pub fn run(&mut self, ms: u64) {
        let until = self.sim.now() + Span::ms(ms);
        self.collect();
        while self.sim.step_until(until).is_some() {
            self.collect();
        }
        self.sim.pass_to(until);
    }

    fn collect(&mut self) {
        for (_, note) in self.sim.take_notes() {
            match note {
                Note::Fact(Fact::Returned { call, result }) => self.answers.push((call.0, result)),
                Note::Client(ClientNote::Consumer(ConsumerNote::Polled { records })) => {
                    self.polled.extend(records.0.iter().cloned());
                }
                Note::Client(ClientNote::Consumer(note)) => self.events.push(note.text()),
                _ => {}
            }
        }
    }

    /// What a call returned.
    pub fn answer(&self, call: u32) -> &Result<Rc<Answer>, ClientError> {
        let found = self.answers.iter().find(|(answered, _)| *answered == call);
        &found.expect("it returned").1
    }

    /// The exception of a call: class and text.
    pub fn error(&self, call: u32) -> (String, String) {
        let error = self.answer(call).as_ref().expect_err("it failed");
        (
            error.class.to_string(),
            error.message.as_deref().unwrap_or("").to_string(),
        )
    }

    /// Offsets that a poll returned.
    pub fn offsets(&self, call: u32) -> Vec<i64> {
        match &**self.answer(call).as_ref().expect("it went well") {
            Answer::Records(records) => records.iter().map(|record| record.offset).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// How often a request came.
    pub fn seen(&self, kind: &str) -> u32 {
        self.broker().seen.get(kind).copied().unwrap_or(0)
    }

    pub fn take_events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    pub fn take_polled(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.polled)
            .iter()
            .map(|record| record.offset)
            .collect()
    }
}
