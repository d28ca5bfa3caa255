//! The world as the page shows it: everything in `lab::view`, read from the simulator's own state.

pub mod clients;
pub mod compare;
pub mod faults;
pub mod flights;
pub mod groups;
pub mod ledger;
pub mod queues;
pub mod rabbit;
pub mod replicas;
pub mod routing;
pub mod servers;
pub mod topics;
pub mod transactions;
pub mod web;

use super::invariants::Invariant;
use super::view::{Health, InvariantView, View};
use super::world::{Role, World};
use crate::kafka::broker::BrokerState;
use crate::sim::world::Status;
use crate::sim::{Halt, ProcId};

/// The picture of a world. `number` turns the kernel's number of an event into the one for people.
pub fn view(world: &World, number: &dyn Fn(u64) -> u64) -> View {
    View {
        now_us: world.now_us(),
        event: 0,
        caption: String::new(),
        controllers: servers::controllers(world),
        brokers: servers::brokers(world),
        topics: topics::topics(world),
        producers: clients::producers(world),
        groups: groups::groups(world),
        free_consumers: clients::free_consumers(world),
        rabbits: rabbit::rabbits(world),
        publishers: rabbit::publishers(world),
        subscribers: rabbit::subscribers(world),
        links: faults::links(world),
        ledger: ledger::sums(world),
        invariants: invariants(world, number),
    }
}

fn invariants(world: &World, number: &dyn Fn(u64) -> u64) -> Vec<InvariantView> {
    Invariant::ALL
        .into_iter()
        .map(|invariant| InvariantView {
            name: invariant.name(),
            about: invariant.about(),
            broken: world
                .invariants
                .breach(invariant)
                .map(|breach| (number(breach.event), breach.how.to_string())),
        })
        .collect()
}

/// How a process is.
pub fn health(world: &World, id: ProcId) -> Health {
    match world.sim.status(id) {
        Status::Frozen => Health::Frozen,
        Status::Down(Some(Halt::Crash)) => Health::Crashed,
        Status::Down(Some(Halt::PowerLoss)) => Health::PoweredOff,
        Status::Down(Some(Halt::Exit) | None) => Health::Stopped,
        Status::Running => running_health(world, id),
    }
}

fn running_health(world: &World, id: ProcId) -> Health {
    match world.role(id) {
        Role::Broker(node) => {
            let state = world.broker(node).map(|broker| broker.state());
            let fenced = world
                .image()
                .and_then(|image| image.brokers.get(&node))
                .map(|b| b.fenced);
            match (state, fenced) {
                (Some(BrokerState::PendingControlledShutdown | BrokerState::ShuttingDown), _) => Health::Stopping,
                (Some(BrokerState::Running), Some(true)) => Health::Fenced,
                (Some(BrokerState::Running), _) => Health::Up,
                _ => Health::Starting,
            }
        }
        Role::Producer if world.producer(id).is_some_and(|producer| producer.is_closed()) => Health::Stopped,
        Role::Consumer if world.consumer(id).is_some_and(|consumer| consumer.state() == "closed") => Health::Stopped,
        Role::Consumer if world.consumer(id).is_some_and(|consumer| consumer.state() == "closing") => Health::Stopping,
        _ => Health::Up,
    }
}

impl Health {
    /// The language's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Health::Up => "up",
            Health::Starting => "starting",
            Health::Fenced => "fenced",
            Health::Stopping => "stopping",
            Health::Stopped => "stopped",
            Health::Crashed => "crashed",
            Health::PoweredOff => "powered-off",
            Health::Frozen => "frozen",
        }
    }
}
