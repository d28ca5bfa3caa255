//! What clients were made with, so that a restarted one is a new process of the same kind.

use super::apply::{Refusal, exception, properties};
use super::language::ast::{Command, Config, Name, Subscriber};
use super::language::units::parse_duration;
use super::language::words::ACK;
use super::node::Node;
use super::world::World;
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::producer::Producer;
use crate::ordered::OrderedMap;
use crate::sim::world::Status;
use crate::sim::{Halt, ProcId};
use std::rc::Rc;

/// The command that made each client, changed by `set` since.
pub type Recipes = Rc<OrderedMap<Name, Command>>;

impl World {
    pub(super) fn remember(&mut self, command: Command, name: &Name) {
        Rc::make_mut(&mut self.recipes).insert(name.clone(), command);
    }

    /// The command that made a client, with its settings as they are now.
    pub fn recipe(&self, name: &str) -> Option<&Command> {
        self.recipes.get(name)
    }

    /// New settings for a client; they hold from its next start, but for how a consumer's application works.
    pub(super) fn change_remembered(&mut self, name: &Name, config: &Config) -> Result<(), Refusal> {
        let recipe = Rc::make_mut(&mut self.recipes).get_mut(name);
        match recipe {
            Some(Command::Producer(producer)) => producer.config.extend(config.clone()),
            Some(Command::Consumer(consumer)) => consumer.config.extend(config.clone()),
            Some(Command::Subscriber(subscriber)) => change_subscriber(subscriber, config),
            _ => {
                return Err(format!(
                    "the settings of `{name}` cannot be changed here: use `alter broker`"
                ));
            }
        }
        Ok(())
    }

    /// Starts a client again, as a new process with nothing but its settings.
    pub(super) fn begin_again(&mut self, id: ProcId, name: &Name) -> Result<(), Refusal> {
        if !matches!(self.sim.status(id), Status::Down(_)) {
            self.sim.halt(id, Halt::Exit);
        }
        let Some(recipe) = self.recipes.get(name).cloned() else {
            return Err(format!("`{name}` cannot restart"));
        };
        let (seed, host) = (self.setup.seed, self.sim.host_of(id));
        match recipe {
            Command::Producer(producer) => {
                let config = properties(&producer.config);
                let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "producer").map_err(exception)?;
                let fresh = Producer::new(name, &bootstrap, &config, seed).map_err(exception)?;
                *self.sim.process_mut(id) = Node::Producer(Box::new(fresh));
                self.log_unresolved(id, unresolved);
                self.sim.start(id);
            }
            Command::Consumer(consumer) => {
                let config = properties(&consumer.config);
                let (bootstrap, unresolved) = self.bootstrap_of(host, &config, "consumer").map_err(exception)?;
                let new = match consumer.share {
                    true => Consumer::new_share,
                    false => Consumer::new,
                };
                let fresh = new(name, &bootstrap, consumer.group.clone(), config, seed).map_err(exception)?;
                let fresh = fresh.with_fixes(self.setup.fixes);
                *self.sim.process_mut(id) = Node::Consumer(Box::new(fresh));
                self.log_unresolved(id, unresolved);
                self.sim.start(id);
                self.begin_consumer(name, &consumer)?;
            }
            Command::Publisher(publisher) => {
                *self.sim.process_mut(id) = self.publisher_node(&publisher)?;
                self.sim.start(id);
            }
            Command::Subscriber(subscriber) => {
                *self.sim.process_mut(id) = self.subscriber_node(name, &subscriber)?;
                self.sim.start(id);
            }
            _ => return Err(format!("`{name}` cannot restart")),
        }
        Ok(())
    }
}

/// What `set` changes of a subscriber; the language has checked the values.
fn change_subscriber(subscriber: &mut Subscriber, config: &Config) {
    for (key, value) in config {
        match &**key {
            "work" => subscriber.work_us = parse_duration(value).unwrap_or(subscriber.work_us),
            "prefetch" => subscriber.prefetch = value.parse().unwrap_or(subscriber.prefetch),
            _ => {
                let habit = ACK.iter().find(|(word, _)| *word == &**value);
                subscriber.ack = habit.map_or(subscriber.ack, |(_, habit)| *habit);
            }
        }
    }
}
