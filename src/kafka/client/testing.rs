//! A small world for the clients' tests: hosts `b1`, `b2`, ... with brokers that answer by a script, and clients on `h`.

use super::admin::Admin;
use super::call::{CallId, CallResult};
use super::log::LogLine;
use super::note::ClientNote;
use super::producer::Producer;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::data::*;
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{NodeId, TopicId};
use crate::kafka::wire::{Ctx, Input, KAFKA_PORT, Kafka, Order};
use crate::sim::{ConnId, Halt, HostId, ProcId, Process, Sim, Span};
use std::rc::Rc;

/// What a script says to a request.
#[derive(Clone, Debug)]
pub enum Say {
    /// What a sound broker would.
    Usual,
    Answer(Body),
    Nothing,
    HangUp,
}

/// A script: the broker, and the request, counted from 1 among those of its kind.
pub type Script = fn(&mut Scripted, &Body, usize) -> Say;

/// A broker that plays a script.
#[derive(Clone, Debug)]
pub struct Scripted {
    pub id: NodeId,
    /// What its metadata say.
    pub nodes: Vec<BrokerNode>,
    pub topics: Vec<MetadataTopic>,
    /// Requests that came, oldest first, and the wall clock when they did.
    pub seen: Vec<(i64, Body)>,
    /// Where the next batch goes.
    pub end: i64,
    pub next_producer_id: i64,
    script: Script,
}

impl Scripted {
    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match input {
            Input::Start => ctx.listen(KAFKA_PORT),
            Input::Message(conn, msg) => self.on_request(conn, msg, ctx),
            _ => {}
        }
    }

    fn on_request(&mut self, conn: ConnId, msg: Msg, ctx: &mut Ctx) {
        self.seen.push((ctx.wall_ms(), msg.body.clone()));
        let nth = self.of_kind(msg.body.kind()).count();
        let body = match (self.script)(self, &msg.body, nth) {
            Say::Usual => match self.usual(&msg.body) {
                Some(body) => body,
                None => return,
            },
            Say::Answer(body) => body,
            Say::Nothing => return,
            Say::HangUp => return ctx.close(conn),
        };
        let client = "".into();
        let correlation = msg.correlation;
        ctx.send(
            conn,
            Msg {
                correlation,
                client,
                body,
            },
        );
    }

    /// Requests of a kind that came so far.
    pub fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Body> {
        self.seen
            .iter()
            .map(|(_, body)| body)
            .filter(move |body| body.kind() == kind)
    }

    fn usual(&mut self, request: &Body) -> Option<Body> {
        Some(match request {
            Body::ApiVersionsRequest(_) => ApiVersionsResponse::default().into(),
            Body::MetadataRequest(request) => self.metadata(request.topics.as_deref()).into(),
            Body::InitProducerIdRequest(_) => {
                self.next_producer_id += 1;
                InitProducerIdResponse {
                    error: ErrorCode::None,
                    producer_id: self.next_producer_id,
                    producer_epoch: 0,
                }
                .into()
            }
            Body::ProduceRequest(request) => {
                let mut partitions = Vec::new();
                for (partition, batch) in &request.data {
                    partitions.push(produced(*partition, ErrorCode::None, self.end));
                    self.end += batch.records.len() as i64;
                }
                if request.acks == 0 {
                    return None;
                }
                ProduceResponse {
                    partitions,
                    node_endpoints: Vec::new(),
                }
                .into()
            }
            _ => return None,
        })
    }

    fn metadata(&self, wanted: Option<&[Rc<str>]>) -> MetadataResponse {
        let known = |name: &Rc<str>| self.topics.iter().find(|topic| topic.name == *name).cloned();
        let topics = match wanted {
            None => self.topics.clone(),
            Some(names) => names
                .iter()
                .map(|name| known(name).unwrap_or_else(|| unknown(name)))
                .collect(),
        };
        MetadataResponse {
            cluster_id: "the-cluster".into(),
            brokers: self.nodes.clone(),
            controller_id: self.id,
            topics,
        }
    }
}

/// A partition's part of a Produce response.
pub fn produced(partition: crate::kafka::types::TopicPartition, error: ErrorCode, offset: i64) -> ProducedPartition {
    ProducedPartition {
        partition,
        error,
        message: None,
        record_errors: Vec::new(),
        base_offset: if error.is_error() { -1 } else { offset },
        log_append_time: -1,
        log_start_offset: if error.is_error() { -1 } else { 0 },
        current_leader: None,
    }
}

fn unknown(name: &Rc<str>) -> MetadataTopic {
    MetadataTopic {
        error: ErrorCode::UnknownTopicOrPartition,
        name: name.clone(),
        id: None,
        internal: false,
        partitions: Vec::new(),
    }
}

/// A topic whose partition `i` is led by `leaders[i]` in epoch 0.
pub fn topic(name: &str, id: u32, leaders: &[NodeId]) -> MetadataTopic {
    let partition = |(partition, leader): (usize, &NodeId)| MetadataPartition {
        error: ErrorCode::None,
        partition: partition as i32,
        leader: *leader,
        leader_epoch: 0,
        replicas: vec![*leader],
        isr: vec![*leader],
        offline: Vec::new(),
    };
    MetadataTopic {
        error: ErrorCode::None,
        name: name.into(),
        id: Some(TopicId(id)),
        internal: false,
        partitions: leaders.iter().enumerate().map(partition).collect(),
    }
}

/// A process of the tests' worlds.
#[derive(Clone, Debug)]
pub enum Actor {
    Broker(Box<Scripted>),
    Admin(Box<Admin>),
    Producer(Box<Producer>),
}

impl Process for Actor {
    type Wire = Kafka;

    fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match self {
            Actor::Broker(broker) => broker.handle(input, ctx),
            Actor::Admin(admin) => admin.handle(input, ctx),
            Actor::Producer(producer) => producer.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Actor::Broker(_) => {}
            Actor::Admin(admin) => admin.halt(how),
            Actor::Producer(producer) => producer.halt(how),
        }
    }
}

/// A world with brokers 1..=n and one client.
pub struct Lab {
    pub sim: Sim<Actor>,
    pub brokers: Vec<ProcId>,
    pub hosts: Vec<HostId>,
    pub client_host: HostId,
    pub client: ProcId,
    pub facts: Vec<Fact>,
    /// The client's log.
    pub log: Vec<LogLine>,
}

impl Lab {
    /// Brokers that play these scripts and know these topics, and a client.
    pub fn new(scripts: &[Script], topics: Vec<MetadataTopic>, client: Actor) -> Lab {
        let mut sim = Sim::new(7);
        let nodes: Vec<BrokerNode> = (1..=scripts.len() as i32).map(node).collect();
        let (mut brokers, mut hosts) = (Vec::new(), Vec::new());
        for (script, id) in scripts.iter().zip(1..) {
            let host = sim.add_host(&format!("b{id}"));
            let broker = Scripted {
                id,
                nodes: nodes.clone(),
                topics: topics.clone(),
                seen: Vec::new(),
                end: 0,
                next_producer_id: 999,
                script: *script,
            };
            hosts.push(host);
            brokers.push(sim.add(&format!("b{id}"), host, Actor::Broker(Box::new(broker))));
        }
        let client_host = sim.add_host("h");
        let client = sim.add("client", client_host, client);
        let mut lab = Lab {
            sim,
            brokers,
            hosts,
            client_host,
            client,
            facts: Vec::new(),
            log: Vec::new(),
        };
        for broker in lab.brokers.clone() {
            lab.start(broker);
        }
        lab
    }

    /// Starts a process.
    pub fn start(&mut self, id: ProcId) {
        self.sim.command(self.sim.now());
        self.sim.start(id);
    }

    /// Kills a broker by its id.
    pub fn kill(&mut self, id: NodeId) {
        self.sim.command(self.sim.now());
        self.sim.halt(self.brokers[id as usize - 1], Halt::Crash);
    }

    /// Cuts, or heals, both ways between the client and a broker.
    pub fn cut(&mut self, id: NodeId, cut: bool) {
        self.sim.command(self.sim.now());
        let (client, broker) = (self.client_host, self.hosts[id as usize - 1]);
        self.sim.network_mut().link_mut(client, broker).cut = cut;
        self.sim.network_mut().link_mut(broker, client).cut = cut;
    }

    /// Tells the client something.
    pub fn order(&mut self, order: Order) {
        self.sim.command(self.sim.now());
        self.sim.order(self.client, order);
        self.collect();
    }

    /// Lets this much time pass.
    pub fn run(&mut self, ms: u64) {
        let until = self.sim.now() + Span::ms(ms);
        while self.sim.step_until(until).is_some() {
            self.collect();
        }
        self.sim.pass_to(until);
    }

    fn collect(&mut self) {
        for (_, note) in self.sim.take_notes() {
            match note {
                Note::Fact(fact) => self.facts.push(fact),
                Note::Client(ClientNote::Log { line, .. }) => self.log.push(line),
                _ => {}
            }
        }
    }

    /// What a call returned.
    pub fn result(&self, call: u32) -> Option<&CallResult> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Returned { call: id, result } if *id == CallId(call) => Some(result),
            _ => None,
        })
    }

    /// A broker by its id.
    pub fn broker(&self, id: NodeId) -> &Scripted {
        match self.sim.process(self.brokers[id as usize - 1]) {
            Actor::Broker(broker) => broker,
            other => panic!("no broker: {other:?}"),
        }
    }

    /// The client's log as level and message, without its prefix: `INFO Node 1 disconnected.`
    pub fn log_lines(&self) -> impl Iterator<Item = String> {
        self.log.iter().map(|line| {
            let text = line.text.split_once("] ").map_or(&*line.text, |(_, text)| text);
            let thrown = line
                .thrown
                .as_deref()
                .map_or(String::new(), |thrown| format!(" // {thrown}"));
            format!("{} {text}{thrown}", line.level.name())
        })
    }

    /// Does the client's log have a line that begins so?
    pub fn logged(&self, start: &str) -> bool {
        self.log_lines().any(|line| line.starts_with(start))
    }
}

/// Broker `id` at its advertised address.
pub fn node(id: NodeId) -> BrokerNode {
    BrokerNode {
        id,
        host: format!("b{id}").into(),
        port: KAFKA_PORT,
        rack: None,
    }
}

/// The script of a sound broker.
pub fn sound(_: &mut Scripted, _: &Body, _: usize) -> Say {
    Say::Usual
}

/// Settings.
pub fn given(pairs: &[(&str, &str)]) -> crate::kafka::config::Properties {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}
