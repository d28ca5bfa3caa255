//! From a scenario's text to a world that is about to begin: places and topics of the set-up in the warm-up, everything
//! else on the timeline.

use super::language::ast::{Command, Content, Name, Scenario, Server};
use super::world::{ClusterSetup, Properties, WARM_UP, World, kernel_time};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::types::NodeId;
use crate::sim::Time;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A command that is due at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// Kernel time.
    pub at: Time,
    /// Its line in the text, from 1.
    pub line: u32,
    pub command: Rc<Command>,
}

/// A line that could not be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub line: u32,
    pub why: String,
}

/// A world at its time zero, and what is to come.
#[derive(Clone)]
pub struct Staged {
    pub world: World,
    pub timeline: Rc<[Due]>,
    pub refused: Vec<Refused>,
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

/// Builds the world that a scenario's set-up describes and lets it come up.
pub fn stage(scenario: &Scenario) -> Staged {
    let lines: Vec<(u32, u64, Rc<Command>)> = scenario
        .lines
        .iter()
        .filter_map(|line| match &line.content {
            Content::Command(command) => Some((line.number, line.at_us, Rc::new(command.clone()))),
            _ => None,
        })
        .collect();
    let seed = lines.iter().find_map(|(_, _, command)| match **command {
        Command::Seed(seed) => Some(seed),
        _ => None,
    });
    let mut world = World::new(ClusterSetup {
        seed: seed.unwrap_or(0),
        ..ClusterSetup::default()
    });
    let mut refused = Vec::new();
    let (set_up, later): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|(_, at, command)| *at == 0 && is_place(command));
    build(&mut world, &set_up, &mut refused);
    let timeline = later
        .into_iter()
        .map(|(line, at, command)| Due {
            at: kernel_time(at),
            line,
            command,
        })
        .collect::<Vec<_>>();
    world.run_to(WARM_UP);
    Staged {
        world,
        timeline: timeline.into(),
        refused,
    }
}

/// Commands at 0s that make what stands before the clock starts.
fn is_place(command: &Command) -> bool {
    matches!(
        command,
        Command::Host { .. }
            | Command::Rack { .. }
            | Command::Link { .. }
            | Command::Controller(_)
            | Command::Broker(_)
            | Command::Topic(_)
    )
}

fn build(world: &mut World, set_up: &[(u32, u64, Rc<Command>)], refused: &mut Vec<Refused>) {
    let racks = racks(set_up);
    let mut controllers = Vec::new();
    let mut brokers = Vec::new();
    let mut topics = Vec::new();
    let mut links = Vec::new();
    for (line, _, command) in set_up {
        match &**command {
            Command::Controller(server) => controllers.push((*line, server.clone())),
            Command::Broker(server) => brokers.push((*line, server.clone())),
            Command::Topic(topic) => topics.push((*line, topic.clone())),
            Command::Host { names, .. } => {
                for name in names {
                    world.host(name);
                }
            }
            Command::Link { .. } => links.push((*line, command.clone())),
            _ => {}
        }
    }
    let mut complain = |line: u32, why: String| refused.push(Refused { line, why });
    start_controllers(world, &controllers, &mut complain);
    let count: usize = brokers.iter().map(|(_, server)| server.names.len()).sum();
    let ids = start_brokers(world, &brokers, &racks, &small_cluster(count), &mut complain);
    for (line, command) in links {
        if let Err(why) = world.apply(&command) {
            complain(line, why);
        }
    }
    let limit = Time(WARM_UP.0 / 2);
    world.run_until(limit, |world| world.all_active(&ids));
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

fn racks(set_up: &[(u32, u64, Rc<Command>)]) -> BTreeMap<Name, Name> {
    let mut racks = BTreeMap::new();
    for (_, _, command) in set_up {
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
    let mut voters: BTreeMap<NodeId, Rc<str>> = BTreeMap::new();
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
    racks: &BTreeMap<Name, Name>,
    defaults: &Properties,
    complain: &mut impl FnMut(u32, String),
) -> Vec<NodeId> {
    let voters = world.voters();
    for (line, server) in servers {
        let mut server = server.clone();
        if server.rack.is_none() {
            let host = server.on.as_ref().or(server.names.first());
            server.rack = host.and_then(|host| racks.get(host)).cloned();
        }
        match world.place_brokers(&server, &voters, defaults) {
            Ok(added) => added.into_iter().for_each(|id| world.sim.start(id)),
            Err(why) => complain(*line, why),
        }
    }
    world.brokers().map(|(_, node, _)| node).collect()
}
