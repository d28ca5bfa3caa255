//! The world of a scenario: its processes in the kernel, their names, the ledger and the invariants.
//!
//! Its clock starts when the cluster is up: brokers and controllers of the set-up are started before time zero, in the
//! [`WARM_UP`], and topics of the set-up are created there by an operator, all by the ordinary way. A `World` is a
//! value: a clone is a snapshot.

use super::client_log::ClientLogs;
use super::clients::Recipes;
use super::ghosts::Ghosts;
use super::invariants::Invariants;
use super::language::ast::Command;
use super::ledger::{Finding, Ledger};
use super::listeners::{controller_listener, heard};
use super::load::Loads;
use super::node::Node;
use super::observe::may_lose_packets;
use super::places::Places;
use super::requests::Requests;
use super::tools::Tools;
use crate::kafka::broker::Broker;
use crate::kafka::client::admin::{Admin, AdminCall, AdminOrder};
use crate::kafka::client::bootstrap::Address;
use crate::kafka::client::call::{CallId, CallResult, ClientError};
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::producer::Producer;
use crate::kafka::client::producer::txn::GroupMetadata;
use crate::kafka::controller::{Controller, ControllerSetup};
use crate::kafka::fixes::{Fix, Fixes};
use crate::kafka::metadata::image::MetadataImage;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::{KAFKA_PORT, Order};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::broker::Broker as Rabbit;
use crate::rabbit::client::Client;
use crate::rabbit::client::publisher::Publisher;
use crate::rabbit::client::subscriber::Subscriber;
use crate::sim::world::Status;
use crate::sim::{HostId, ProcId, Sim, Step, Time};
use std::rc::Rc;

/// Kernel time that passes before a scenario's time zero.
pub const WARM_UP: Time = Time(20_000_000);

/// The machine outside: the operator's, and the one whose container engine makes named networks.
pub const LAPTOP: &str = "laptop";

/// What a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    Broker(NodeId),
    Controller(NodeId),
    Producer,
    Consumer,
    /// A RabbitMQ broker.
    Rabbit,
    Publisher,
    Subscriber,
    /// A web server, proxy or application.
    WebServer,
    /// Clients of web servers.
    Browser,
    /// The operator's admin client, on the laptop outside; it is in no picture.
    Operator,
}

/// Settings by their names.
pub type Properties = OrderedMap<String, String>;

/// What makes a cluster, besides its processes.
#[derive(Clone, Debug)]
pub struct ClusterSetup {
    pub seed: u64,
    pub cluster_id: Rc<str>,
    /// Finalized feature levels that differ from a fresh cluster's.
    pub features: OrderedMap<String, i16>,
    pub fixes: Fixes,
}

impl ClusterSetup {
    /// A cluster that has these fixes only: levels and settings that stand for one are set, unless they are given.
    pub fn with_fixes(mut self, fixes: Fixes) -> ClusterSetup {
        let levels = fixes.missing().filter_map(Fix::feature_when_off);
        for (feature, level) in levels {
            self.features.entry(feature.to_string()).or_insert(level);
        }
        self.fixes = fixes;
        self
    }

    /// What the broker's settings have besides those given.
    fn broker_settings(&self, given: Properties) -> Properties {
        let settings = self.fixes.missing().filter_map(Fix::setting_when_off);
        let mut all: Properties = settings.map(|(key, value)| (key.into(), value.into())).collect();
        all.extend(given);
        all
    }
}

impl Default for ClusterSetup {
    fn default() -> Self {
        ClusterSetup {
            seed: 0,
            cluster_id: "brokerlab".into(),
            features: OrderedMap::new(),
            fixes: Fixes::default(),
        }
    }
}

/// A world.
#[derive(Clone)]
pub struct World {
    pub sim: Sim<Node>,
    pub setup: Rc<ClusterSetup>,
    pub ledger: Ledger,
    pub invariants: Invariants,
    pub places: Places,
    pub loads: Loads,
    /// What became of requests.
    pub requests: Requests,
    roles: Vec<Role>,
    by_name: Rc<OrderedMap<Rc<str>, ProcId>>,
    by_node: Rc<OrderedMap<NodeId, ProcId>>,
    next_call: u32,
    /// The last error each client was told.
    pub errors: Rc<OrderedMap<ProcId, Rc<str>>>,
    /// What the clients have logged.
    pub logs: ClientLogs,
    /// Calls that somebody waits for.
    awaited: OrderedSet<CallId>,
    /// Answers to them.
    pub answers: OrderedMap<CallId, CallResult>,
    operator: Option<ProcId>,
    pub(super) recipes: Recipes,
    /// Event and how many of its notes were taken in.
    pub(super) observed: (u64, usize),
    /// Static settings of brokers and controllers, as given.
    pub given: Rc<OrderedMap<ProcId, Properties>>,
    /// What the ledger noticed during the last event.
    pub found: Vec<Finding>,
    /// Records that replicas had and lost.
    pub ghosts: Ghosts,
    /// The command lines of tools outside.
    pub tools: Tools,
    /// What containers call themselves.
    pub(super) hostnames: Rc<OrderedMap<HostId, Rc<str>>>,
    /// Where containers' variables say that their programs find Kafka.
    pub(super) bootstraps: Rc<OrderedMap<HostId, Rc<str>>>,
    /// On which host a process of the set-up will stand.
    pub(super) stands: Rc<OrderedMap<Rc<str>, Rc<str>>>,
    /// Compose files of the set-up, with what of them is not acted on, until that is told.
    pub(super) composed: Rc<OrderedMap<Rc<str>, Vec<String>>>,
}

impl World {
    pub fn new(setup: ClusterSetup) -> Self {
        World {
            sim: Sim::new(setup.seed),
            setup: Rc::new(setup),
            ledger: Ledger::default(),
            invariants: Invariants::default(),
            places: Places::default(),
            loads: Loads::default(),
            requests: Requests::default(),
            roles: Vec::new(),
            by_name: Rc::default(),
            by_node: Rc::default(),
            next_call: 0,
            errors: Rc::default(),
            logs: ClientLogs::default(),
            awaited: OrderedSet::new(),
            answers: OrderedMap::new(),
            operator: None,
            recipes: Recipes::default(),
            observed: (0, 0),
            given: Rc::default(),
            found: Vec::new(),
            ghosts: Ghosts::default(),
            tools: Tools::default(),
            hostnames: Rc::default(),
            bootstraps: Rc::default(),
            stands: Rc::default(),
            composed: Rc::default(),
        }
    }

    /// Microseconds of the scenario's clock; zero during the warm-up.
    pub fn now_us(&self) -> u64 {
        lab_us(self.sim.now())
    }

    pub fn role(&self, id: ProcId) -> Role {
        self.roles[id.0 as usize]
    }

    /// The process with that name.
    pub fn find(&self, name: &str) -> Option<ProcId> {
        self.by_name.get(name).copied()
    }

    pub fn name(&self, id: ProcId) -> &Rc<str> {
        self.sim.name(id)
    }

    /// The process of a broker or controller id.
    pub fn node(&self, id: NodeId) -> Option<ProcId> {
        self.by_node.get(&id).copied()
    }

    /// The name of a broker or controller, or its number if it is none of this world's.
    pub fn node_name(&self, id: NodeId) -> Rc<str> {
        match self.node(id) {
            Some(proc) => self.name(proc).clone(),
            None => id.to_string().into(),
        }
    }

    /// All processes with what they are.
    pub fn processes(&self) -> impl Iterator<Item = (ProcId, Role)> + '_ {
        self.sim.ids().map(|id| (id, self.role(id)))
    }

    pub fn brokers(&self) -> impl Iterator<Item = (ProcId, NodeId, &Broker)> + '_ {
        self.processes()
            .filter_map(|(id, role)| match (role, self.sim.process(id)) {
                (Role::Broker(node), Node::Broker(broker)) => Some((id, node, &**broker)),
                _ => None,
            })
    }

    pub fn controllers(&self) -> impl Iterator<Item = (ProcId, NodeId, &Controller)> + '_ {
        self.processes()
            .filter_map(|(id, role)| match (role, self.sim.process(id)) {
                (Role::Controller(node), Node::Controller(controller)) => Some((id, node, &**controller)),
                _ => None,
            })
    }

    pub fn producer(&self, id: ProcId) -> Option<&Producer> {
        match self.sim.process(id) {
            Node::Producer(producer) => Some(producer),
            _ => None,
        }
    }

    pub fn consumer(&self, id: ProcId) -> Option<&Consumer> {
        match self.sim.process(id) {
            Node::Consumer(consumer) => Some(consumer),
            _ => None,
        }
    }

    /// All RabbitMQ brokers.
    pub fn rabbits(&self) -> impl Iterator<Item = (ProcId, &Rabbit)> {
        self.sim.ids().filter_map(|id| match self.sim.process(id) {
            Node::Rabbit(broker) => Some((id, &**broker)),
            _ => None,
        })
    }

    pub fn publisher(&self, id: ProcId) -> Option<&Client<Publisher>> {
        match self.sim.process(id) {
            Node::Publisher(publisher) => Some(publisher),
            _ => None,
        }
    }

    pub fn subscriber(&self, id: ProcId) -> Option<&Client<Subscriber>> {
        match self.sim.process(id) {
            Node::Subscriber(subscriber) => Some(subscriber),
            _ => None,
        }
    }

    /// The state of a transactional id at its coordinator.
    pub fn transaction_state(&self, id: &str) -> Option<&'static str> {
        let mut all = self.brokers().flat_map(|(_, _, broker)| broker.transactions());
        all.find(|view| **view.id == *id)
            .map(|view| view.txn.value.state.name())
    }

    /// What `groupMetadata()` of a consumer returns: in whose name offsets are committed in a transaction.
    pub fn group_metadata(&self, consumer: ProcId) -> Option<GroupMetadata> {
        let consumer = self.consumer(consumer)?;
        let (generation, member_id) = consumer.group_metadata()?;
        Some(GroupMetadata {
            group: consumer.group_id()?.clone(),
            generation,
            member_id,
            instance: consumer.config().group_instance_id.as_deref().map(Rc::from),
        })
    }

    pub fn broker(&self, node: NodeId) -> Option<&Broker> {
        match self.sim.process(self.node(node)?) {
            Node::Broker(broker) => Some(broker),
            _ => None,
        }
    }

    /// The metadata as the controller has them.
    pub fn image(&self) -> Option<&MetadataImage> {
        self.controller().map(Controller::image)
    }

    /// The active controller of the latest quorum epoch; without one, who has the most of the committed metadata.
    pub fn controller(&self) -> Option<&Controller> {
        self.controllers()
            .map(|(_, _, controller)| controller)
            .max_by_key(|controller| {
                let (epoch, image) = (controller.epoch(), controller.image());
                let active = controller.is_active();
                (active, if active { epoch } else { image.epoch }, image.end_offset)
            })
    }

    /// Whether the process runs, frozen or not.
    pub fn runs(&self, id: ProcId) -> bool {
        !matches!(self.sim.status(id), Status::Down(_))
    }

    /// A host by name, made if there is none.
    pub fn host(&mut self, name: &str) -> HostId {
        match self.sim.network().resolve(name) {
            Some(host) => host,
            None => self.sim.add_host(name),
        }
    }

    pub(super) fn enter(&mut self, name: &str, host: HostId, role: Role, process: Node) -> ProcId {
        let id = self.sim.add(name, host, process);
        self.roles.push(role);
        Rc::make_mut(&mut self.by_name).insert(name.into(), id);
        if let Role::Broker(node) | Role::Controller(node) = role {
            Rc::make_mut(&mut self.by_node).insert(node, id);
        }
        id
    }

    /// Adds a broker that is not started yet.
    ///
    /// # Errors
    /// What the broker says when it refuses its settings.
    pub fn add_broker(
        &mut self,
        name: &str,
        host: &str,
        node: NodeId,
        rack: Option<Rc<str>>,
        config: Properties,
        controllers: &OrderedMap<NodeId, Rc<str>>,
    ) -> Result<ProcId, String> {
        let place = self.host(host);
        let heard = heard(&config, node, &self.hostname(place), &self.operator_address(place))?;
        let (told, port) = heard
            .as_ref()
            .map_or((host.into(), KAFKA_PORT), |heard| heard.between.clone());
        let advertised = BrokerNode {
            id: node,
            host: told,
            port,
            rack,
        };
        let (seed, cluster) = (self.setup.seed, self.setup.cluster_id.clone());
        let given = config.clone();
        let config = self.setup.broker_settings(config);
        let broker = Broker::new(advertised, config, seed, controllers.clone(), cluster).map_err(|e| e.to_string())?;
        let mut broker = broker.with_fixes(self.setup.fixes);
        if let Some(heard) = heard {
            broker = broker.listening_on(heard.listeners);
        }
        let id = self.enter(name, place, Role::Broker(node), Node::Broker(Box::new(broker)));
        Rc::make_mut(&mut self.given).insert(id, given);
        Ok(id)
    }

    /// Adds a controller that is not started yet.
    ///
    /// # Errors
    /// What the controller says when it refuses its settings.
    pub fn add_controller(
        &mut self,
        name: &str,
        host: &str,
        node: NodeId,
        config: Properties,
        voters: &OrderedMap<NodeId, Rc<str>>,
    ) -> Result<ProcId, String> {
        let mut setup = ControllerSetup::new(
            node,
            voters.clone(),
            &self.setup.cluster_id,
            (&config, &Properties::new()),
            &self.setup.features,
            self.setup.seed,
        )
        .map_err(|e| e.to_string())?;
        if let Some(listener) = controller_listener(&config, voters.get(&node)) {
            setup.listener = listener;
        }
        setup.fixes = self.setup.fixes;
        let controller = Controller::new(setup);
        let host = self.host(host);
        let id = self.enter(
            name,
            host,
            Role::Controller(node),
            Node::Controller(Box::new(controller)),
        );
        Rc::make_mut(&mut self.given).insert(id, config);
        Ok(id)
    }

    /// Adds a producer and starts it.
    ///
    /// # Errors
    /// The exception of the client's constructor.
    pub fn add_producer(&mut self, name: &str, host: &str, config: Properties) -> Result<ProcId, ClientError> {
        let host = self.host(host);
        let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "producer")?;
        let producer = Producer::new(name, &bootstrap, &config, self.setup.seed)?;
        let id = self.enter(name, host, Role::Producer, Node::Producer(Box::new(producer)));
        self.log_unresolved(id, unresolved);
        self.sim.start(id);
        Ok(id)
    }

    /// Adds a consumer and starts it.
    ///
    /// # Errors
    /// The exception of the client's constructor.
    pub fn add_consumer(
        &mut self,
        name: &str,
        host: &str,
        group: Option<Rc<str>>,
        config: Properties,
    ) -> Result<ProcId, ClientError> {
        let host = self.host(host);
        let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "consumer")?;
        let consumer = Consumer::new(name, &bootstrap, group, config, self.setup.seed)?;
        let consumer = consumer.with_fixes(self.setup.fixes);
        let id = self.enter(name, host, Role::Consumer, Node::Consumer(Box::new(consumer)));
        self.log_unresolved(id, unresolved);
        self.sim.start(id);
        Ok(id)
    }

    /// A share consumer, started.
    ///
    /// # Errors
    /// The exception of the client's constructor.
    pub fn add_share_consumer(
        &mut self,
        name: &str,
        host: &str,
        group: Option<Rc<str>>,
        config: Properties,
    ) -> Result<ProcId, ClientError> {
        let host = self.host(host);
        let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "consumer")?;
        let consumer = Consumer::new_share(name, &bootstrap, group, config, self.setup.seed)?;
        let id = self.enter(name, host, Role::Consumer, Node::Consumer(Box::new(consumer)));
        self.log_unresolved(id, unresolved);
        self.sim.start(id);
        Ok(id)
    }

    /// An admin client of its own, started.
    ///
    /// # Errors
    /// The exception of the client's constructor.
    pub fn add_admin(&mut self, name: &str, host: &str, config: Properties) -> Result<ProcId, ClientError> {
        let host = self.host(host);
        let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "admin")?;
        self.enter_admin(name, host, (&bootstrap, unresolved), &config)
    }

    fn enter_admin(
        &mut self,
        name: &str,
        host: HostId,
        (bootstrap, unresolved): (&[Address], Vec<String>),
        config: &Properties,
    ) -> Result<ProcId, ClientError> {
        let admin = Admin::new(name, bootstrap, config, self.setup.seed)?;
        let id = self.enter(name, host, Role::Operator, Node::Admin(Box::new(admin)));
        self.log_unresolved(id, unresolved);
        self.sim.start(id);
        Ok(id)
    }

    /// A client that somebody has made, of a tool outside, started. It is in no picture.
    pub fn add_tool(&mut self, name: &str, host: &str, process: Node) -> ProcId {
        let host = self.host(host);
        let id = self.enter(name, host, Role::Operator, process);
        self.sim.start(id);
        id
    }

    /// Addresses of all brokers, in the order of their ids.
    pub(super) fn bootstrap(&self) -> Vec<(Rc<str>, u16)> {
        self.by_node
            .values()
            .filter(|id| matches!(self.role(**id), Role::Broker(_)))
            .map(|id| {
                (
                    self.sim.network().host(self.sim.host_of(*id)).name.clone(),
                    self.first_port(*id),
                )
            })
            .collect()
    }

    /// Addresses of all brokers, where a client may begin.
    pub fn addresses(&self) -> Vec<(Rc<str>, u16)> {
        self.bootstrap()
    }

    /// A number for a call whose answer nobody looks for.
    pub fn next_call(&mut self) -> CallId {
        self.next_call += 1;
        CallId(self.next_call)
    }

    /// A number for a call whose answer is kept in `answers`.
    pub fn awaited_call(&mut self) -> CallId {
        let call = self.next_call();
        self.awaited.insert(call);
        call
    }

    /// A call returned: its answer is kept if somebody waits for it. Loads make a call for each record, and every
    /// snapshot copies what is kept.
    pub(super) fn answered(&mut self, call: CallId, result: &CallResult) {
        if self.awaited.contains(&call) {
            self.answers.insert(call, result.clone());
            self.tools.wake();
        }
    }

    /// The operator's admin client asks for something; the answer comes in `answers`.
    pub fn operate(&mut self, what: AdminCall) -> CallId {
        let call = self.awaited_call();
        let operator = match self.operator {
            Some(operator) => Some(operator),
            None => {
                let (host, bootstrap) = (self.host(LAPTOP), self.operator_bootstrap());
                self.enter_admin("operator", host, (&bootstrap, Vec::new()), &Properties::new())
                    .ok()
            }
        };
        self.operator = operator;
        if let Some(operator) = operator {
            self.sim.order(operator, Order::Admin(AdminOrder { call, what }));
        }
        call
    }

    /// The next moment at which something happens by itself.
    pub fn next_time(&mut self) -> Option<Time> {
        match (self.sim.next_time(), self.loads.next_time()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Handles the next thing that happens by itself, if it is due at or before `limit`.
    pub fn step_until(&mut self, limit: Time) -> Option<Step> {
        self.tools.printed.clear();
        let load = self.loads.next_time().filter(|at| *at <= limit);
        // Much that is due passes unseen (a SYN, a stale timer): the kernel itself must stop short of the load.
        let before = load.map_or(limit, Time::just_before);
        let step = match (self.sim.step_until(before), load) {
            (Some(step), _) => step,
            (None, Some(at)) => self.run_load(at),
            (None, None) => return None,
        };
        self.observe();
        if may_lose_packets(&step) {
            self.settle_airborne();
            self.observe();
        }
        self.look_at_tools();
        Some(step)
    }

    /// Does what a line says at `at` (not before now), as an event of its own, and why it was refused, if it was.
    pub fn run_command(&mut self, at: Time, command: &Command) -> (Step, Result<(), String>) {
        self.tools.printed.clear();
        let step = self.sim.command(at);
        let done = self.apply(command);
        self.observe();
        self.settle_airborne();
        self.observe();
        self.look_at_tools();
        (step, done)
    }

    /// Everything that happens by itself until `at`, which then is now.
    pub fn run_to(&mut self, at: Time) {
        while self.step_until(at).is_some() {}
        self.sim.pass_to(at);
    }

    /// Runs until `done`, or `limit`. Whether it was done.
    pub fn run_until(&mut self, limit: Time, mut done: impl FnMut(&World) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            if self.step_until(limit).is_none() {
                self.sim.pass_to(limit);
                return done(self);
            }
        }
    }

    /// Whether the controller has all these brokers active.
    pub fn all_active(&self, brokers: &[NodeId]) -> bool {
        self.image().is_some_and(|image| {
            brokers.iter().all(|id| {
                image
                    .brokers
                    .get(id)
                    .is_some_and(|registration| registration.is_active())
            })
        })
    }
}

/// The scenario's clock for a kernel time.
pub fn lab_us(at: Time) -> u64 {
    at.since(WARM_UP).as_us()
}

/// The kernel's time for the scenario's clock.
pub fn kernel_time(lab_us: u64) -> Time {
    Time(WARM_UP.0.saturating_add(lab_us))
}
