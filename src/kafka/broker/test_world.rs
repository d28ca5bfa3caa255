//! A small world for tests of brokers: a controller that writes what the test says, and a client that asks what the
//! test says.

use super::{Broker, BrokerTimer};
use crate::kafka::config::Properties;
use crate::kafka::controller as kraft;
use crate::kafka::controller::partition::{PartitionChange, PartitionRegistration};
use crate::kafka::log::batch::{Batch, BatchBuilder, no_headers};
use crate::kafka::metadata::image::{MetadataDelta, MetadataImage};
use crate::kafka::metadata::records::{MetadataBatch, MetadataRecord};
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::admin::{CreatableTopic, CreateTopicsRequest};
use crate::kafka::protocol::controller::*;
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Kafka, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{Addr, ConnId, Halt, ProcId, Process, Sim, Span, Time};
use std::rc::Rc;

pub(super) const CONTROLLER: NodeId = 100;
pub(super) const T0: TopicPartition = TopicPartition {
    topic: TopicId(0),
    partition: 0,
};

/// Registers, unfences and changes ISRs as it is asked to, and writes its script at the times there, ms.
#[derive(Clone, Debug, Default)]
pub(super) struct Controller {
    script: Vec<(u64, Vec<MetadataRecord>)>,
    log: Vec<Rc<MetadataBatch>>,
    pub image: MetadataImage,
    parked: Vec<(ConnId, u32, i64)>,
    pub alter_partitions: usize,
}

impl Controller {
    fn write(&mut self, records: Vec<MetadataRecord>, ctx: &mut Ctx) {
        let batch = Rc::new(MetadataBatch {
            base_offset: self.image.end_offset,
            epoch: 1,
            records,
            event: ctx.event(),
        });
        self.image.apply(&batch, &mut MetadataDelta::default());
        self.log.push(batch);
        for (conn, correlation, from) in std::mem::take(&mut self.parked) {
            self.answer_fetch(conn, correlation, from, ctx);
        }
    }

    fn answer_fetch(&self, conn: ConnId, correlation: u32, from: i64, ctx: &mut Ctx) {
        let batches = self.log.iter().filter(|b| b.base_offset >= from).cloned().collect();
        let response = QuorumFetchResponse {
            error: ErrorCode::None,
            leader: CONTROLLER,
            leader_epoch: 1,
            high_watermark: self.image.end_offset,
            diverging: None,
            batches,
        };
        send(conn, correlation, Body::from(response), ctx);
    }

    fn message(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        let body = match msg.body {
            Body::QuorumFetchRequest(r) => {
                if r.fetch_offset < self.image.end_offset || r.high_watermark < self.image.end_offset {
                    self.answer_fetch(conn, msg.correlation, r.fetch_offset, ctx);
                } else {
                    self.parked.push((conn, msg.correlation, r.fetch_offset));
                    let timer = Timer::Broker(BrokerTimer::Expire(u64::MAX));
                    ctx.timer(Span::from_ms(i64::from(r.max_wait_ms)), timer);
                }
                return;
            }
            Body::BrokerRegistrationRequest(r) => Body::from(self.register(&r, ctx)),
            Body::BrokerHeartbeatRequest(r) => Body::from(self.heartbeat(&r, ctx)),
            Body::AlterPartitionRequest(r) => Body::from(self.alter_partition(&r, ctx)),
            Body::AllocateProducerIdsRequest(_) => Body::from(AllocateProducerIdsResponse {
                error: ErrorCode::None,
                start: 7000,
                len: 1000,
            }),
            _ => return,
        };
        send(conn, msg.correlation, body, ctx);
    }

    fn register(&mut self, r: &BrokerRegistrationRequest, ctx: &mut Ctx) -> BrokerRegistrationResponse {
        let broker_epoch = self.image.end_offset;
        self.write(
            vec![MetadataRecord::RegisterBroker {
                node: r.node.clone(),
                endpoints: Rc::new([]),
                incarnation: r.incarnation,
                broker_epoch,
                fenced: true,
                in_controlled_shutdown: false,
            }],
            ctx,
        );
        BrokerRegistrationResponse {
            error: ErrorCode::None,
            message: None,
            broker_epoch,
        }
    }

    fn heartbeat(&mut self, r: &BrokerHeartbeatRequest, ctx: &mut Ctx) -> BrokerHeartbeatResponse {
        let is_caught_up = r.current_metadata_offset >= r.broker_epoch;
        let fenced = self.image.brokers[&r.broker].fenced;
        if fenced && is_caught_up && !r.want_fence {
            self.write(
                vec![MetadataRecord::BrokerRegistrationChange {
                    broker: r.broker,
                    broker_epoch: r.broker_epoch,
                    fenced: Some(false),
                    in_controlled_shutdown: false,
                }],
                ctx,
            );
        }
        BrokerHeartbeatResponse {
            error: ErrorCode::None,
            is_caught_up,
            is_fenced: self.image.brokers[&r.broker].fenced,
            should_shut_down: r.want_shut_down,
        }
    }

    fn alter_partition(&mut self, r: &AlterPartitionRequest, ctx: &mut Ctx) -> AlterPartitionResponse {
        self.alter_partitions += 1;
        let mut partitions = Vec::new();
        for asked in &r.partitions {
            let change = PartitionChange {
                isr: Some(asked.new_isr.iter().map(|(id, _)| *id).collect()),
                ..PartitionChange::default()
            };
            let partition = asked.partition;
            self.write(vec![MetadataRecord::PartitionChange { partition, change }], ctx);
            let now = &self.image.partitions[&partition];
            partitions.push(AlteredPartition {
                partition,
                error: ErrorCode::None,
                leader: now.leader,
                leader_epoch: now.leader_epoch,
                isr: now.isr.clone(),
                recovery: now.recovery,
                partition_epoch: now.partition_epoch,
            });
        }
        AlterPartitionResponse {
            error: ErrorCode::None,
            partitions,
        }
    }
}

pub(super) fn send(conn: ConnId, correlation: u32, body: Body, ctx: &mut Ctx) {
    let client = "".into();
    ctx.send(
        conn,
        Msg {
            correlation,
            client,
            body,
        },
    );
}

/// Sends each request of its script on a connection of its own, at its time in ms, and keeps the answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    script: Vec<(u64, &'static str, Body)>,
    asked: OrderedMap<ConnId, usize>,
    /// By the place in the script: when, and what.
    answers: OrderedMap<usize, (i64, Body)>,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Broker(Box<Broker>),
    /// The real one.
    Kraft(Box<kraft::Controller>),
    Controller(Box<Controller>),
    Client(Box<Client>),
}

impl Process for Node {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Node::Broker(broker) => broker.handle(input, ctx),
            Node::Kraft(controller) => controller.handle(input, ctx),
            Node::Controller(controller) => match input {
                Input::Start => {
                    ctx.listen(KAFKA_PORT);
                    for (index, (at, _)) in controller.script.iter().enumerate() {
                        ctx.timer(Span::ms(*at), Timer::Broker(BrokerTimer::Expire(index as u64)));
                    }
                }
                Input::Timer(Timer::Broker(BrokerTimer::Expire(u64::MAX))) => {
                    for (conn, correlation, from) in std::mem::take(&mut controller.parked) {
                        controller.answer_fetch(conn, correlation, from, ctx);
                    }
                }
                Input::Timer(Timer::Broker(BrokerTimer::Expire(index))) => {
                    let records = controller.script[index as usize].1.clone();
                    controller.write(records, ctx);
                }
                Input::Message(conn, msg) => controller.message(conn, msg, ctx),
                _ => {}
            },
            Node::Client(client) => match input {
                Input::Start => {
                    for (index, (at, ..)) in client.script.iter().enumerate() {
                        ctx.timer(Span::ms(*at), Timer::Broker(BrokerTimer::Expire(index as u64)));
                    }
                }
                Input::Timer(Timer::Broker(BrokerTimer::Expire(index))) => {
                    let host = ctx.resolve(client.script[index as usize].1).expect("a host");
                    let conn = ctx.connect(Addr { host, port: KAFKA_PORT });
                    client.asked.insert(conn, index as usize);
                }
                Input::Opened(conn) => {
                    let body = client.script[client.asked[&conn]].2.clone();
                    send(conn, 1, body, ctx);
                }
                Input::Message(conn, msg) => {
                    let answer = (ctx.now().as_ms(), msg.body);
                    client.answers.insert(client.asked[&conn], answer);
                }
                _ => {}
            },
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Broker(broker) => broker.halt(how),
            Node::Kraft(controller) => controller.halt(how),
            Node::Controller(_) | Node::Client(_) => {}
        }
    }
}

pub(super) struct World {
    pub sim: Sim<Node>,
    pub brokers: Vec<ProcId>,
    controller: ProcId,
    client: ProcId,
    pub facts: Vec<(ProcId, Fact)>,
}

/// Settings as the recorded traces have them.
pub(super) fn properties() -> Properties {
    let pairs = [
        ("broker.heartbeat.interval.ms", "500"),
        ("replica.lag.time.max.ms", "2000"),
        ("replica.fetch.wait.max.ms", "200"),
        ("replica.socket.timeout.ms", "1500"),
        ("replica.fetch.backoff.ms", "200"),
        ("replica.high.watermark.checkpoint.interval.ms", "200"),
        ("controller.socket.timeout.ms", "1500"),
        ("socket.connection.setup.timeout.ms", "1000"),
        ("socket.connection.setup.timeout.max.ms", "1500"),
    ];
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

impl World {
    /// Three brokers on hosts b1 to b3.
    pub fn new(controller: Vec<(u64, Vec<MetadataRecord>)>, client: Vec<(u64, &'static str, Body)>) -> World {
        let controller = Controller {
            script: controller,
            ..Controller::default()
        };
        World::led_by(Node::Controller(Box::new(controller)), client)
    }

    /// The same with the real controller.
    pub fn real(client: Vec<(u64, &'static str, Body)>) -> World {
        let voters = [(CONTROLLER, "c".into())].into();
        let settings = properties();
        let given = (&settings, &Properties::new());
        let setup = kraft::ControllerSetup::new(CONTROLLER, voters, "cluster", given, &OrderedMap::new(), 1);
        let controller = kraft::Controller::new(setup.expect("valid settings"));
        World::led_by(Node::Kraft(Box::new(controller)), client)
    }

    fn led_by(node: Node, client: Vec<(u64, &'static str, Body)>) -> World {
        let mut sim: Sim<Node> = Sim::new(1);
        let host = sim.add_host("c");
        let controller = sim.add("c", host, node);
        let mut brokers = Vec::new();
        for id in 1..=3 {
            let name = format!("b{id}");
            let host = sim.add_host(&name);
            let node = BrokerNode {
                id,
                host: name.as_str().into(),
                port: KAFKA_PORT,
                rack: None,
            };
            let controllers = [(CONTROLLER, "c".into())].into();
            let broker = Broker::new(node, properties(), 1, controllers, "cluster".into());
            let broker = Node::Broker(Box::new(broker.expect("valid settings")));
            brokers.push(sim.add(&name, host, broker));
        }
        let host = sim.add_host("h");
        let node = Node::Client(Box::new(Client {
            script: client,
            ..Client::default()
        }));
        let client = sim.add("h", host, node);
        sim.command(Time::ZERO);
        for id in [vec![controller, client], brokers.clone()].concat() {
            sim.start(id);
        }
        World {
            sim,
            brokers,
            controller,
            client,
            facts: Vec::new(),
        }
    }

    pub fn run_to(&mut self, ms: u64) {
        while self.sim.step_until(Time(ms * 1_000)).is_some() {
            for (who, note) in self.sim.take_notes() {
                if let Note::Fact(fact) = note {
                    self.facts.push((who, fact));
                }
            }
        }
    }

    pub fn broker(&self, id: NodeId) -> &Broker {
        match self.sim.process(self.brokers[id as usize - 1]) {
            Node::Broker(broker) => broker,
            _ => panic!("not a broker"),
        }
    }

    pub fn controller(&self) -> &Controller {
        match self.sim.process(self.controller) {
            Node::Controller(controller) => controller,
            _ => panic!("not the controller"),
        }
    }

    pub fn answer(&self, index: usize) -> Option<&(i64, Body)> {
        match self.sim.process(self.client) {
            Node::Client(client) => client.answers.get(&index),
            _ => panic!("not the client"),
        }
    }

    pub fn produced(&self, index: usize) -> (ErrorCode, i64) {
        match self.answer(index) {
            Some((_, Body::ProduceResponse(r))) => (r.partitions[0].error, r.partitions[0].base_offset),
            other => panic!("no produce answer but {other:?}"),
        }
    }

    /// End, high watermark, epochs and values of a broker's log.
    pub fn log(&self, id: NodeId) -> (i64, i64, Vec<(i32, i64)>, String) {
        let replica = self.broker(id).replica(T0).expect("a replica");
        let epochs = replica.epochs().iter().map(|e| (e.epoch, e.start)).collect();
        let records = replica.batches().flat_map(|b| b.records.iter());
        let values = records.map(|r| String::from_utf8_lossy(r.value.as_deref().unwrap_or(b"-")).into_owned());
        (replica.end_offset(), replica.high_watermark(), epochs, values.collect())
    }

    pub fn at(&mut self, ms: u64, act: impl FnOnce(&mut Sim<Node>, &[ProcId])) {
        self.run_to(ms);
        self.sim.command(Time(ms * 1_000));
        act(&mut self.sim, &self.brokers);
    }
}

pub(super) fn batch(value: &str) -> Batch {
    let mut builder = BatchBuilder::new(0);
    let value = Some(Rc::from(value.as_bytes()));
    builder
        .append_next(1_795_478_400_000, None, value, no_headers(), 1)
        .expect("a record");
    builder.build(None).expect("a batch")
}

pub(super) fn produce(acks: i16, value: &str) -> Body {
    Body::from(ProduceRequest {
        transactional_id: None,
        acks,
        timeout_ms: 1500,
        transaction_v2: false,
        data: vec![(T0, batch(value))],
    })
}

pub(super) fn topic(settings: &[(&str, &str)]) -> Vec<MetadataRecord> {
    let mut records = vec![MetadataRecord::Topic {
        name: "t".into(),
        id: T0.topic,
    }];
    records.extend(settings.iter().map(|(name, value)| MetadataRecord::Config {
        resource: crate::kafka::protocol::admin::ConfigResource::Topic("t".into()),
        name: (*name).into(),
        value: Some((*value).into()),
    }));
    records.push(MetadataRecord::Partition {
        partition: T0,
        registration: PartitionRegistration::new(vec![1, 2, 3], vec![1, 2, 3]),
    });
    records
}

pub(super) fn elect(leader: NodeId, isr: &[NodeId]) -> Vec<MetadataRecord> {
    vec![MetadataRecord::PartitionChange {
        partition: T0,
        change: PartitionChange {
            leader: Some(leader),
            isr: Some(isr.to_vec()),
            ..PartitionChange::default()
        },
    }]
}

/// The topic `t` with one partition on brokers 1, 2 and 3.
pub(super) fn create() -> Body {
    Body::from(CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: "t".into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: vec![(0, vec![1, 2, 3])],
            configs: Vec::new(),
        }],
        validate_only: false,
    })
}
