//! What each command of the language does to the world. Everything a click does comes through here.

mod admin;
mod clients;
mod faults;
mod networks;
mod places;
mod processes;
pub(in crate::lab) mod rabbit;
#[cfg(test)]
mod tests;
mod web;

use crate::kafka::client::consumer::{CommitHabit as ConsumerHabit, ConsumerOrder};
use crate::kafka::client::producer::TransactionCall;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::lab::language::ast::{Command, CommitHabit, Config, Delete, TopicPartition};
use crate::lab::world::{Properties, Role, World};
use crate::sim::{HostId, ProcId, Span};

/// Why a command did nothing, in a sentence for its writer.
pub type Refusal = String;

/// Node ids of controllers begin here, so that `c1` and `b1` differ.
const CONTROLLER_IDS: NodeId = 100;

impl World {
    /// Does what a command says, at the present moment.
    ///
    /// # Errors
    /// Why it could not be done; the world is unchanged then.
    pub fn apply(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Title(_) | Command::About(_) | Command::Seed(_) | Command::Note(_) | Command::View(_) => Ok(()),
            Command::Check(_) => Ok(()),
            Command::Host { names, .. } => {
                for name in names {
                    self.host(name);
                }
                Ok(())
            }
            Command::Link { between, latency_us } => {
                self.each_link(between, |link| link.latency = Some(Span::us(*latency_us)))
            }
            Command::Broker(server) => self.apply_brokers(server),
            Command::Topic(topic) => self.apply_topic(topic),
            Command::Producer(producer) => self.apply_producers(producer),
            Command::Consumer(consumer) => self.apply_consumers(consumer),
            Command::Process { verb, names } => names.iter().try_for_each(|name| self.apply_verb(*verb, name)),
            Command::Cut(_) | Command::Heal(_) | Command::Delay { .. } | Command::Loss { .. } => {
                self.apply_network(command)
            }
            Command::Disk { names, state } => names.iter().try_for_each(|name| self.apply_disk(name, state)),
            Command::Message(fault) => self.apply_hand(fault),
            Command::Rabbit(_)
            | Command::Exchange(_)
            | Command::Queue(_)
            | Command::Bind(_)
            | Command::Unbind(_)
            | Command::Purge(_)
            | Command::Delete(Delete::Queue(_) | Delete::Exchange(_))
            | Command::Publisher(_)
            | Command::Subscriber(_)
            | Command::Publish(_)
            | Command::Settle(_) => self.apply_rabbit(command),
            Command::Web(web) => self.apply_web(web),
            Command::Alter(_) | Command::Delete(_) | Command::Elect { .. } | Command::Reassign { .. } => {
                self.apply_admin(command)
            }
            _ => self.apply_data(command),
        }
    }

    fn apply_data(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Produce(produce) => self.apply_produce(produce),
            Command::Feed { topic, load, to } => {
                let clients = to
                    .iter()
                    .map(|name| self.source_named(name))
                    .collect::<Result<Vec<_>, _>>()?;
                self.start_load(topic.clone(), topic.clone(), None, load, clients);
                Ok(())
            }
            Command::Start { client, load } => self.apply_start(client, load.as_ref()),
            Command::Stop { names } => names.iter().try_for_each(|name| self.apply_stop(name)),
            Command::Poll { consumers, timeout_us } => consumers.iter().try_for_each(|name| {
                let timeout_ms = timeout_us.map_or(100, |us| (us / 1_000) as i64);
                self.consumer_order(name, |call| ConsumerOrder::Poll {
                    call,
                    timeout_ms,
                    records: 1,
                })
            }),
            Command::Commit(commit) => self.apply_commit(commit),
            Command::Acknowledge(said) => self.apply_acknowledge(said),
            Command::Begin { producers } => producers
                .iter()
                .try_for_each(|name| self.transact(name, &[TransactionCall::Begin])),
            Command::End {
                producers,
                abort,
                offsets,
            } => producers
                .iter()
                .try_for_each(|name| self.apply_end(name, *abort, offsets.as_deref())),
            Command::Seek { consumer, target, to } => self.apply_seek(consumer, target, *to),
            Command::Subscribe { consumer, topics } => {
                let topics = topics.clone();
                self.consumer_order(consumer, |call| ConsumerOrder::Subscribe { call, topics })
            }
            Command::Assign { consumer, partitions } => {
                self.check_has_offsets(consumer, "assign")?;
                let partitions = partitions.iter().map(named).collect();
                self.consumer_order(consumer, |call| ConsumerOrder::Assign { call, partitions })
            }
            Command::Unsubscribe { consumers } => consumers
                .iter()
                .try_for_each(|name| self.consumer_order(name, |call| ConsumerOrder::Unsubscribe { call })),
            Command::Set { names, config } => names.iter().try_for_each(|name| self.apply_set(name, config)),
            Command::Controller(_) => Err("controllers stand from the start: say them at 0s".into()),
            Command::Rack { name, members } => members.iter().try_for_each(|member| self.apply_rack(name, member)),
            Command::Network { .. }
            | Command::Attach { .. }
            | Command::Port { .. }
            | Command::Address { .. }
            | Command::Compose(_) => self.apply_networks(command),
            Command::Rule { rule, .. } => Err(format!(
                "a version has its fixes from the start: say `rule {rule}` at 0s"
            )),
            Command::Tool { host, line } => self.apply_tool(host.as_ref(), line),
            Command::Type { host, text } => self.apply_type(host.as_ref(), text),
            Command::Press { host, key } => self.apply_press(host.as_ref(), *key),
            Command::Later { verb, .. } => Err(format!("`{verb}` is not here yet")),
            _ => Ok(()),
        }
    }

    /// The process with that name.
    ///
    /// # Errors
    /// Names those that exist.
    pub fn named(&self, name: &str) -> Result<ProcId, Refusal> {
        self.find(name)
            .filter(|id| self.role(*id) != Role::Operator)
            .ok_or_else(|| {
                let all: Vec<&str> = self
                    .processes()
                    .filter(|(_, role)| *role != Role::Operator)
                    .map(|(id, _)| &**self.name(id))
                    .collect();
                format!("there is no `{name}` here; there are: {}", all.join(", "))
            })
    }

    fn producer_named(&self, name: &str) -> Result<ProcId, Refusal> {
        let id = self.named(name)?;
        if self.role(id) == Role::Producer {
            Ok(id)
        } else {
            Err(format!("`{name}` is not a producer"))
        }
    }

    /// A client that a load can be handed to.
    fn source_named(&self, name: &str) -> Result<ProcId, Refusal> {
        let id = self.named(name)?;
        match self.role(id) {
            Role::Producer | Role::Publisher => Ok(id),
            _ => Err(format!("`{name}` is neither a producer nor a publisher")),
        }
    }

    pub(in crate::lab) fn host_named(&self, name: &str) -> Result<HostId, Refusal> {
        match self.find(name) {
            Some(id) => Ok(self.sim.host_of(id)),
            None => self
                .sim
                .network()
                .resolve(name)
                .ok_or_else(|| format!("there is no process or host `{name}`")),
        }
    }
}

/// When a consumer's application commits, in the client's words.
fn habit(commit: CommitHabit) -> ConsumerHabit {
    match commit {
        CommitHabit::Never => ConsumerHabit::Never,
        CommitHabit::Before => ConsumerHabit::Before,
        CommitHabit::After => ConsumerHabit::After,
    }
}

/// A partition of the language in Kafka's words.
pub fn named(partition: &TopicPartition) -> NamedPartition {
    NamedPartition {
        topic: partition.topic.clone(),
        partition: partition.partition,
    }
}

/// Settings of the language as a properties file would have them.
pub fn properties(config: &Config) -> Properties {
    config
        .iter()
        .map(|(key, value)| (key.to_string(), value.to_string()))
        .collect()
}

/// A client's exception in one line.
pub fn exception(error: crate::kafka::client::call::ClientError) -> String {
    let mut text = error.class.to_string();
    if let Some(message) = &error.message {
        text.push_str(": ");
        text.push_str(message);
    }
    match error.cause {
        Some(cause) => format!("{text} (caused by {})", exception(*cause)),
        None => text,
    }
}

/// Why an operator's request was refused, if it was: the first error in its answer.
pub fn refusal(answer: &crate::kafka::client::call::CallResult) -> Option<String> {
    use crate::kafka::client::call::Answer;
    match answer {
        Err(error) => Some(exception(error.clone())),
        Ok(answer) => match &**answer {
            Answer::Created(map) => map
                .values()
                .find_map(|r| r.as_ref().err())
                .map(|e| exception(e.clone())),
            Answer::Each(map) => map
                .values()
                .find_map(|r| r.as_ref().err())
                .map(|e| exception(e.clone())),
            Answer::LowWatermarks(map) => map
                .values()
                .find_map(|r| r.as_ref().err())
                .map(|e| exception(e.clone())),
            _ => None,
        },
    }
}
