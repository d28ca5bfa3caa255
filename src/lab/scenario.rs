//! From a scenario's text to a world that is about to begin: places and topics of the set-up in the warm-up, everything
//! else on the timeline.

use super::apply::rabbit::method;
use super::language::ast::{Check, CheckWhen, Command, Consumer, Content, Name, Producer, Scenario, Server, Web};
use super::tools::Shell;
use super::world::{ClusterSetup, Properties, WARM_UP, World, kernel_time};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::fixes::{Fix, Fixes};
use crate::kafka::types::NodeId;
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use std::rc::Rc;

/// A command that is due at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Kernel time.
    pub at: Time,
    /// Its line in the text, from 1.
    pub line: u32,
    pub command: Rc<Command>,
    /// Not the line itself but the moment behind its time limit (`eventually ... within`).
    pub deadline: bool,
}

/// A line that could not be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub line: u32,
    pub why: String,
}

/// What a scenario says, sorted by when it matters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub seed: u64,
    /// What stands before the clock starts.
    pub set_up: Vec<(u32, Rc<Command>)>,
    /// What is to come, in the order of time.
    pub timeline: Rc<[Due]>,
    /// What must hold over the whole run, by line.
    pub watched: Vec<(u32, Check)>,
}

/// A world at its time zero, and what is to come.
#[derive(Clone)]
pub struct Staged {
    pub world: World,
    pub timeline: Rc<[Due]>,
    pub refused: Vec<Refused>,
}

impl Plan {
    /// Sorts a scenario's lines.
    pub fn of(scenario: &Scenario) -> Plan {
        let mut plan = Plan::default();
        let mut timeline = Vec::new();
        let mut clients: OrderedSet<Name> = OrderedSet::new();
        for line in &scenario.lines {
            let Content::Command(command) = &line.content else {
                continue;
            };
            let due = |at_us: u64, deadline| Due {
                at: kernel_time(at_us),
                line: line.number,
                command: Rc::new(command.clone()),
                deadline,
            };
            match command {
                Command::Producer(Producer { names, .. }) | Command::Consumer(Consumer { names, .. }) => {
                    clients.extend(names.iter().cloned());
                    timeline.push(due(line.at_us, false));
                }
                // Clients are made when the clock starts, and so is what joins them.
                Command::Link { between, .. } if between.names().any(|name| clients.contains(name)) => {
                    timeline.push(due(line.at_us, false));
                }
                Command::Seed(seed) => plan.seed = *seed,
                Command::Title(_) | Command::About(_) | Command::View(_) => {}
                Command::Check(check) => match check.when {
                    CheckWhen::Always | CheckWhen::Never => plan.watched.push((line.number, check.clone())),
                    CheckWhen::Eventually { within_us } => {
                        timeline.push(due(line.at_us, false));
                        timeline.push(due(line.at_us.saturating_add(within_us).saturating_add(1), true));
                    }
                    CheckWhen::Now => timeline.push(due(line.at_us, false)),
                },
                // What of a file is not acted on is told when the clock starts.
                Command::Compose(_) if line.at_us == 0 => {
                    plan.set_up.push((line.number, Rc::new(command.clone())));
                    timeline.push(due(0, false));
                }
                _ if line.at_us == 0 && is_place(command) => {
                    plan.set_up.push((line.number, Rc::new(command.clone())));
                }
                _ => timeline.push(due(line.at_us, false)),
            }
        }
        // Deadlines go between the lines of later times; lines of one time keep their order.
        timeline.sort_small_by_key(|due| due.at);
        plan.timeline = timeline.into();
        plan
    }

    /// Whether both make the same world at time zero.
    pub fn same_start(&self, other: &Plan) -> bool {
        let commands = |plan: &Plan| plan.set_up.iter().map(|(_, c)| c.clone()).collect::<Vec<_>>();
        self.seed == other.seed && commands(self) == commands(other)
    }

    /// The fixes that the `rule` lines leave on; the last word on each counts.
    fn fixes(&self) -> Fixes {
        let mut fixes = Fixes::default();
        for (_, command) in &self.set_up {
            if let Command::Rule { rule, on } = &**command
                && let Some(fix) = Fix::by_name(rule)
            {
                fixes.turn(fix, *on);
            }
        }
        fixes
    }

    /// Builds the world that the set-up describes and lets it come up; `shell` runs its `$` lines. Refused lines are told
    /// by their index in the set-up.
    pub fn raise(&self, shell: Option<Shell>) -> (World, Vec<(usize, String)>) {
        let setup = ClusterSetup {
            seed: self.seed,
            ..ClusterSetup::default()
        };
        let mut world = World::new(setup.with_fixes(self.fixes()));
        world.tools.shell = shell;
        let mut refused = Vec::new();
        build(&mut world, &self.set_up, &mut refused);
        world.run_to(WARM_UP);
        let refused = refused
            .into_iter()
            .filter_map(|Refused { line, why }| {
                let index = self.set_up.iter().position(|(number, _)| *number == line)?;
                Some((index, why))
            })
            .collect();
        (world, refused)
    }
}

/// What brokers of the lab have when a scenario has fewer than three, as the files of Kafka's own quick start have it:
/// internal topics with as many replicas as there are brokers.
fn small_cluster(brokers: usize) -> Properties {
    let mut out = Properties::new();
    if brokers < 3 {
        for key in [
            "offsets.topic.replication.factor",
            "transaction.state.log.replication.factor",
            "share.coordinator.state.topic.replication.factor",
        ] {
            out.insert(key.into(), brokers.max(1).to_string());
        }
        for key in ["transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"] {
            out.insert(key.into(), "1".into());
        }
    }
    out
}

/// Builds the world that a scenario's set-up describes and lets it come up; it has no console.
pub fn stage(scenario: &Scenario) -> Staged {
    let plan = Plan::of(scenario);
    let (world, refused) = plan.raise(None);
    let refused = refused.into_iter().map(|(index, why)| Refused {
        line: plan.set_up[index].0,
        why,
    });
    Staged {
        world,
        refused: refused.collect(),
        timeline: plan.timeline,
    }
}

/// Commands at 0s that make what stands before the clock starts.
fn is_place(command: &Command) -> bool {
    matches!(
        command,
        Command::Host { .. }
            | Command::Rack { .. }
            | Command::Link { .. }
            | Command::Network { .. }
            | Command::Attach { .. }
            | Command::Port { .. }
            | Command::Address { .. }
            | Command::Controller(_)
            | Command::Broker(_)
            | Command::Topic(_)
            | Command::Rule { .. }
            | Command::Rabbit(_)
            | Command::Web(Web::Server { .. } | Web::Upstream { .. } | Web::Member { .. } | Web::Location { .. })
            | Command::Exchange(_)
            | Command::Queue(_)
            | Command::Bind(_)
    )
}

fn build(world: &mut World, set_up: &[(u32, Rc<Command>)], refused: &mut Vec<Refused>) {
    let racks = racks(set_up);
    let mut controllers = Vec::new();
    let mut brokers = Vec::new();
    let mut topics = Vec::new();
    let mut links = Vec::new();
    let mut rabbits = Vec::new();
    let (mut networks, mut files) = (Vec::new(), Vec::new());
    let mut webs = Vec::new();
    for (line, command) in set_up {
        match &**command {
            Command::Controller(server) => controllers.push((*line, server.clone())),
            Command::Broker(server) => brokers.push((*line, server.clone())),
            Command::Topic(topic) => topics.push((*line, topic.clone())),
            Command::Host { names, .. } => {
                for name in names {
                    world.host(name);
                }
            }
            Command::Web(web) => webs.push((*line, web.clone())),
            Command::Rabbit(rabbit) => rabbits.push((*line, rabbit.clone())),
            Command::Link { .. } => links.push((*line, command.clone())),
            Command::Network { .. } | Command::Attach { .. } | Command::Port { .. } | Command::Address { .. } => {
                networks.push((*line, command.clone()));
            }
            Command::Compose(text) => files.push((*line, text.clone())),
            _ => {}
        }
    }
    let mut complain = |line: u32, why: String| refused.push(Refused { line, why });
    lay_networks(world, set_up, &networks, &mut complain);
    for (line, web) in webs {
        if let Err(why) = world.apply_web(&web) {
            complain(line, why);
        }
    }
    start_controllers(world, &controllers, &mut complain);
    for (line, rabbit) in rabbits {
        match world.place_rabbits(&rabbit) {
            Ok(added) => added.into_iter().for_each(|id| world.sim.start(id)),
            Err(why) => complain(line, why),
        }
    }
    let count: usize = brokers.iter().map(|(_, server)| server.names.len()).sum();
    let ids = start_brokers(world, &brokers, &racks, &small_cluster(count), &mut complain);
    let mut ids = ids;
    for (line, text) in files {
        match world.compose(&text) {
            Ok(done) => {
                ids.extend(done.brokers);
                Rc::make_mut(&mut world.composed).insert(text, done.remarks);
            }
            Err(why) => complain(line, why),
        }
    }
    for (line, command) in links {
        if let Err(why) = world.apply(&command) {
            complain(line, why);
        }
    }
    let limit = Time(WARM_UP.0 / 2);
    world.run_until(limit, |world| world.all_active(&ids));
    declare_all(world, set_up, &mut complain);
    for (line, topic) in topics {
        match world.creatable(&topic) {
            Ok(request) => {
                let call = world.operate(AdminCall::CreateTopics {
                    topics: vec![request],
                    validate_only: false,
                });
                let limit = Time(WARM_UP.0 - 3_000_000);
                world.run_until(limit, |world| world.answers.contains_key(&call));
                if let Some(why) = world
                    .answers
                    .remove(&call)
                    .and_then(|answer| super::apply::refusal(&answer))
                {
                    complain(line, why);
                }
            }
            Err(why) => complain(line, why),
        }
    }
}

/// The operator declares exchanges, queues and bindings, one after the other.
fn declare_all(world: &mut World, set_up: &[(u32, Rc<Command>)], complain: &mut impl FnMut(u32, String)) {
    for (line, command) in set_up {
        let Some(method) = method(command) else { continue };
        let told = world.declare(method).and_then(|number| {
            let limit = Time(WARM_UP.0 - 3_000_000);
            let answer = |world: &World| {
                let last = world.rabbit_operator().and_then(|(_, operator)| operator.last.clone());
                last.filter(|(answered, _)| *answered == number)
            };
            world.run_until(limit, |world| answer(world).is_some());
            match answer(world) {
                Some((_, Some(refused))) => Err(refused.to_string()),
                _ => Ok(()),
            }
        });
        if let Err(why) = told {
            complain(*line, why);
        }
    }
}

/// Networks stand before anything on them starts.
fn lay_networks(
    world: &mut World,
    set_up: &[(u32, Rc<Command>)],
    networks: &[(u32, Rc<Command>)],
    complain: &mut impl FnMut(u32, String),
) {
    if networks.is_empty() {
        return;
    }
    for (_, command) in set_up {
        if let Command::Broker(server) | Command::Controller(server) = &**command {
            for name in &server.names {
                let host = server.on.as_ref().unwrap_or(name);
                world.host(host);
                Rc::make_mut(&mut world.stands).insert(name.clone(), host.clone());
            }
        }
    }
    for (line, command) in networks {
        if let Err(why) = world.apply(command) {
            complain(*line, why);
        }
    }
}

fn racks(set_up: &[(u32, Rc<Command>)]) -> OrderedMap<Name, Name> {
    let mut racks = OrderedMap::new();
    for (_, command) in set_up {
        match &**command {
            Command::Rack { name, members } => {
                racks.extend(members.iter().map(|member| (member.clone(), name.clone())));
            }
            Command::Host {
                names,
                rack: Some(rack),
            } => {
                racks.extend(names.iter().map(|name| (name.clone(), rack.clone())));
            }
            _ => {}
        }
    }
    racks
}

fn start_controllers(world: &mut World, servers: &[(u32, Server)], complain: &mut impl FnMut(u32, String)) {
    let mut plan: Vec<(u32, Name, String, NodeId, Properties)> = Vec::new();
    let mut voters: OrderedMap<NodeId, Rc<str>> = OrderedMap::new();
    for (line, server) in servers {
        for name in &server.names {
            let host = server.on.clone().unwrap_or_else(|| name.clone());
            match world.controller_id(name) {
                Ok(mut id) => {
                    while voters.contains_key(&id) {
                        id += 1;
                    }
                    voters.insert(id, host.clone());
                    plan.push((
                        *line,
                        name.clone(),
                        host.to_string(),
                        id,
                        super::apply::properties(&server.config),
                    ));
                }
                Err(why) => complain(*line, why),
            }
        }
    }
    for (line, name, host, id, config) in plan {
        match world.add_controller(&name, &host, id, config, &voters) {
            Ok(process) => world.sim.start(process),
            Err(why) => complain(line, why),
        }
    }
}

fn start_brokers(
    world: &mut World,
    servers: &[(u32, Server)],
    racks: &OrderedMap<Name, Name>,
    defaults: &Properties,
    complain: &mut impl FnMut(u32, String),
) -> Vec<NodeId> {
    let voters = world.voters();
    for (line, server) in servers {
        for name in &server.names {
            let mut one = server.clone();
            one.names = vec![name.clone()];
            let rack = racks.get(name).or(one.on.as_ref().and_then(|host| racks.get(host)));
            one.rack = one.rack.or(rack.cloned());
            match world.place_brokers(&one, &voters, defaults) {
                Ok(added) => added.into_iter().for_each(|id| world.sim.start(id)),
                Err(why) => complain(*line, why),
            }
        }
    }
    world.brokers().map(|(_, node, _)| node).collect()
}
