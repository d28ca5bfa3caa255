//! The controller in a small world: one scripted peer speaks for all brokers and admins.

mod admin;
mod brokers;
mod isr;
mod quorum;
mod real_brokers;
mod settings;

use super::note::ControllerNote;
use super::partition::PartitionRegistration;
use super::{Controller, ControllerSetup};
use crate::kafka::config::Properties;
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::*;
use crate::kafka::protocol::controller::*;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Kafka, Order};
use crate::ordered::OrderedMap;
use crate::sim::{Addr, ConnId, Halt, ProcId, Process, Sim, Span, Time};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Sends what the test puts into its outbox and keeps what comes back.
#[derive(Clone, Default)]
struct Peer {
    outbox: Rc<RefCell<VecDeque<Body>>>,
    inbox: Rc<RefCell<OrderedMap<u32, Body>>>,
    conn: Option<ConnId>,
    next: u32,
}

impl Peer {
    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Opened(conn) => {
                self.conn = Some(conn);
                self.send(ctx);
            }
            Input::Closed(_) | Input::Refused(_) => self.conn = None,
            Input::Message(_, msg) => {
                self.inbox.borrow_mut().insert(msg.correlation, msg.body);
            }
            Input::Order(_) if self.conn.is_some() => self.send(ctx),
            Input::Order(_) => {
                let host = ctx.resolve("c").expect("the controller's host");
                ctx.connect(Addr { host, port: KAFKA_PORT });
            }
            _ => {}
        }
    }

    fn send(&mut self, ctx: &mut Ctx) {
        let Some(conn) = self.conn else { return };
        for body in self.outbox.borrow_mut().drain(..) {
            let msg = Msg {
                correlation: self.next,
                client: "peer".into(),
                body,
            };
            self.next += 1;
            ctx.send(conn, msg);
        }
    }
}

#[derive(Clone)]
enum Node {
    Controller(Box<Controller>),
    Peer(Peer),
}

impl Process for Node {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Node::Controller(controller) => controller.handle(input, ctx),
            Node::Peer(peer) => peer.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Controller(controller) => controller.halt(how),
            Node::Peer(peer) => peer.conn = None,
        }
    }
}

/// Controller 100 and brokers as the test plays them.
struct World {
    sim: Sim<Node>,
    controller: ProcId,
    peer: ProcId,
    outbox: Rc<RefCell<VecDeque<Body>>>,
    inbox: Rc<RefCell<OrderedMap<u32, Body>>>,
    asked: u32,
    notes: Vec<ControllerNote>,
    /// Brokers that send heartbeats while time passes, with their epochs.
    live: OrderedMap<NodeId, i64>,
}

const EXCEPT_ELR: &[(&str, i16)] = &[("eligible.leader.replicas.version", 0)];

impl World {
    fn new(config: &[(&str, &str)]) -> World {
        World::with_features(config, &[])
    }

    fn with_features(config: &[(&str, &str)], features: &[(&str, i16)]) -> World {
        let config: Properties = config.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let features = features.iter().map(|(k, v)| (k.to_string(), *v)).collect();
        let voters = OrderedMap::from([(100, "c".into())]);
        let setup = ControllerSetup::new(100, voters, "cluster", (&config, &Properties::new()), &features, 7);
        let controller = Controller::new(setup.expect("valid settings"));
        let mut sim = Sim::new(7);
        let (here, there) = (sim.add_host("c"), sim.add_host("p"));
        let peer = Peer::default();
        let (outbox, inbox) = (Rc::clone(&peer.outbox), Rc::clone(&peer.inbox));
        let controller = sim.add("c", here, Node::Controller(Box::new(controller)));
        let peer = sim.add("p", there, Node::Peer(peer));
        sim.start(controller);
        sim.start(peer);
        let mut world = World {
            sim,
            controller,
            peer,
            outbox,
            inbox,
            asked: 0,
            notes: Vec::new(),
            live: OrderedMap::new(),
        };
        world.quiet(1);
        world
    }

    /// As [`World::new`], with so many active brokers, numbered from 1.
    fn with_brokers(count: NodeId, config: &[(&str, &str)]) -> World {
        let mut world = World::new(config);
        (1..=count).for_each(|id| world.join(id, 1));
        world
    }

    fn controller(&self) -> &Controller {
        match self.sim.process(self.controller) {
            Node::Controller(controller) => controller,
            Node::Peer(_) => unreachable!("the controller was added as one"),
        }
    }

    fn step_to(&mut self, limit: Time) -> bool {
        let stepped = self.sim.step_until(limit).is_some();
        for (_, note) in self.sim.take_notes() {
            if let Note::Controller(note) = note {
                self.notes.push(note);
            }
        }
        stepped
    }

    /// Lets time pass without heartbeats.
    fn quiet(&mut self, ms: u64) {
        let end = self.sim.now() + Span::ms(ms);
        while self.step_to(end) {}
        self.sim.pass_to(end);
    }

    /// Lets time pass; live brokers send a heartbeat every half second.
    fn wait(&mut self, ms: u64) {
        for _ in 0..ms / 500 {
            for (id, epoch) in self.live.clone() {
                self.beat(id, epoch, false, false);
            }
            let end = Time(self.sim.now().0 / 500_000 * 500_000) + Span::ms(500);
            while self.step_to(end) {}
            self.sim.pass_to(end);
        }
    }

    /// Sends a request without waiting; gives its number.
    fn send(&mut self, body: impl Into<Body>) -> u32 {
        self.outbox.borrow_mut().push_back(body.into());
        self.sim.command(self.sim.now());
        self.sim.order(self.peer, Order::Shutdown);
        self.asked += 1;
        self.asked - 1
    }

    fn answer(&self, number: u32) -> Option<Body> {
        self.inbox.borrow().get(&number).cloned()
    }

    fn ask(&mut self, body: impl Into<Body>) -> Body {
        let number = self.send(body);
        let end = self.sim.now() + Span::ms(100);
        while self.answer(number).is_none() && self.step_to(end) {}
        self.answer(number).expect("an answer within 100 ms")
    }

    fn register(&mut self, id: NodeId, incarnation: u64, previous: i64) -> Rc<BrokerRegistrationResponse> {
        let node = BrokerNode {
            id,
            host: "p".into(),
            port: KAFKA_PORT,
            rack: None,
        };
        let request = BrokerRegistrationRequest {
            node,
            endpoints: Rc::new([]),
            incarnation,
            previous_broker_epoch: previous,
        };
        match self.ask(request) {
            Body::BrokerRegistrationResponse(answer) => answer,
            other => panic!("{}", other.kind()),
        }
    }

    fn heartbeat(&mut self, request: BrokerHeartbeatRequest) -> Rc<BrokerHeartbeatResponse> {
        match self.ask(request) {
            Body::BrokerHeartbeatResponse(answer) => answer,
            other => panic!("{}", other.kind()),
        }
    }

    /// A heartbeat of a broker that has applied all metadata.
    fn beat(&mut self, id: NodeId, epoch: i64, fence: bool, stop: bool) -> Rc<BrokerHeartbeatResponse> {
        let offset = self.controller().log.end_offset() - 1;
        self.heartbeat(BrokerHeartbeatRequest {
            broker: id,
            broker_epoch: epoch,
            current_metadata_offset: offset,
            want_fence: fence,
            want_shut_down: stop,
        })
    }

    /// Registers a broker and has it unfenced.
    fn join(&mut self, id: NodeId, incarnation: u64) {
        self.return_with(id, incarnation, -1);
    }

    fn return_with(&mut self, id: NodeId, incarnation: u64, previous: i64) {
        let answer = self.register(id, incarnation, previous);
        assert_eq!(answer.error, ErrorCode::None);
        let epoch = answer.broker_epoch;
        assert!(!self.beat(id, epoch, false, false).is_fenced);
        self.live.insert(id, epoch);
    }

    /// The broker falls silent until its session has ended and it is fenced.
    fn lose(&mut self, id: NodeId) {
        self.live.remove(&id);
        let mut left = 30;
        while !self.controller().image().brokers[&id].fenced {
            self.wait(500);
            left -= 1;
            assert!(left > 0, "broker {id} is not fenced");
        }
        self.wait(500);
    }

    fn create(&mut self, name: &str, assignments: &[&[NodeId]], configs: &[(&str, &str)]) -> CreatedTopic {
        let setting = |(k, v): &(&str, &str)| ((*k).into(), Some((*v).into()));
        self.create_topic(CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: (0..).zip(assignments.iter().map(|a| a.to_vec())).collect(),
            configs: configs.iter().map(setting).collect(),
        })
    }

    fn create_topic(&mut self, topic: CreatableTopic) -> CreatedTopic {
        let request = CreateTopicsRequest {
            topics: vec![topic],
            validate_only: false,
        };
        match self.ask(request) {
            Body::CreateTopicsResponse(answer) => answer.topics[0].clone(),
            other => panic!("{}", other.kind()),
        }
    }

    fn partition_id(&self, name: &str, number: i32) -> TopicPartition {
        TopicPartition::new(self.controller().image().ids[name], number)
    }

    /// Partition 0 of a topic.
    fn partition(&self, name: &str) -> &PartitionRegistration {
        &self.controller().image().partitions[&self.partition_id(name, 0)]
    }

    /// Leader, leader epoch, ISR and ELR of partition 0.
    fn see(&self, name: &str) -> (NodeId, i32, &[NodeId], &[NodeId]) {
        let p = self.partition(name);
        (p.leader, p.leader_epoch, &p.isr, &p.elr)
    }

    /// Its leader asks for another ISR of partition 0 with the right epochs.
    fn alter_isr(&mut self, name: &str, isr: &[NodeId]) -> AlteredPartition {
        let now = self.partition(name).clone();
        let epoch = |id: &NodeId| self.live.get(id).copied().unwrap_or(-1);
        let request = AlterPartitionRequest {
            broker: now.leader,
            broker_epoch: epoch(&now.leader),
            partitions: vec![AlterPartitionData {
                partition: self.partition_id(name, 0),
                leader_epoch: now.leader_epoch,
                partition_epoch: now.partition_epoch,
                new_isr: isr.iter().map(|id| (*id, epoch(id))).collect(),
                recovery: super::partition::LeaderRecoveryState::Recovered,
            }],
        };
        match self.ask(request) {
            Body::AlterPartitionResponse(answer) => {
                assert_eq!(answer.error, ErrorCode::None);
                answer.partitions[0].clone()
            }
            other => panic!("{}", other.kind()),
        }
    }

    fn elect(&mut self, kind: ElectionType, name: &str) -> ApiError {
        let named = NamedPartition {
            topic: name.into(),
            partition: 0,
        };
        let request = ElectLeadersRequest {
            kind,
            partitions: Some(vec![named]),
        };
        match self.ask(request) {
            Body::ElectLeadersResponse(answer) => answer.partitions[0].1.clone(),
            other => panic!("{}", other.kind()),
        }
    }

    fn alter(&mut self, resource: ConfigResource, ops: &[(&str, AlterOp)]) -> ApiError {
        let ops = ops.iter().map(|(name, op)| ((*name).into(), op.clone())).collect();
        let request = IncrementalAlterConfigsRequest {
            resources: vec![(resource, ops)],
            validate_only: false,
        };
        match self.ask(request) {
            Body::IncrementalAlterConfigsResponse(answer) => answer.resources[0].1.clone(),
            other => panic!("{}", other.kind()),
        }
    }

    fn restart_controller(&mut self, how: Halt) {
        self.sim.command(self.sim.now());
        self.sim.halt(self.controller, how);
        self.quiet(5);
        self.sim.start(self.controller);
        self.quiet(5);
    }
}

/// An error with its text.
fn text(error: &ApiError) -> (ErrorCode, &str) {
    (error.0, error.1.as_deref().unwrap_or_default())
}
