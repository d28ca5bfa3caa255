//! The names that a scenario has declared so far: what a later line can speak of.

use crate::docker::up::{self, Runs};
use crate::ordered::{OrderedMap, OrderedSet};

use super::ast::{Command, Content, Name, ProcessVerb, Replicas, Scenario, ServerKind, Web};
use super::{limits, words};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Host,
    Network,
    Broker,
    Controller,
    Producer,
    Consumer,
    /// A RabbitMQ broker.
    Rabbit,
    Publisher,
    Subscriber,
    /// nginx, Apache or a forward proxy.
    WebServer,
    /// An application server.
    App,
    /// Clients of web servers.
    Browser,
    /// Something of a system that is not here yet.
    Later,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Network => "network",
            Kind::Broker => "broker",
            Kind::Controller => "controller",
            Kind::Producer => "producer",
            Kind::Consumer => "consumer",
            Kind::Rabbit => "RabbitMQ broker",
            Kind::Publisher => "publisher",
            Kind::Subscriber => "subscriber",
            Kind::WebServer => "web server",
            Kind::App => "application",
            Kind::Browser => "browser",
            Kind::Later => "thing that is not here yet",
        }
    }

    /// Whether it is a process, which can crash and talk.
    pub fn is_process(self) -> bool {
        !matches!(self, Kind::Host | Kind::Network)
    }
}

/// Declared names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub names: OrderedMap<Name, Kind>,
    /// Topics of `topic` lines and of commands that speak of one; others can exist too (auto creation, tools).
    pub topics: OrderedSet<Name>,
    pub groups: OrderedSet<Name>,
    /// Exchanges and queues of RabbitMQ that lines make.
    pub exchanges: OrderedSet<Name>,
    pub queues: OrderedSet<Name>,
    /// Partitions that `topic` lines ask for.
    partitions: u32,
    /// A compose file may bring names that no line says.
    open: bool,
}

/// A limit of the scenario that a declaration exceeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMany {
    pub what: &'static str,
    pub limit: usize,
}

impl Scope {
    /// What all the lines of a scenario declare.
    pub fn of(scenario: &Scenario) -> Scope {
        let mut scope = Scope::default();
        for line in &scenario.lines {
            if let Content::Command(command) = &line.content {
                scope.declare(command);
            }
        }
        scope
    }

    /// What a name stands for.
    pub fn kind(&self, name: &str) -> Option<Kind> {
        self.names.get(name).copied()
    }

    /// The names for which `wanted` holds.
    pub fn names_of(&self, wanted: impl Fn(Kind) -> bool) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(move |(_, kind)| wanted(**kind))
            .map(|(name, _)| &**name)
    }

    /// Whether names that no line declares may exist.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Takes up what a command declares (or, with `remove`, ends).
    pub fn declare(&mut self, command: &Command) {
        match command {
            Command::Host { names, .. } => self.add(names, Kind::Host),
            Command::Network { name, .. } => self.add([name], Kind::Network),
            Command::Broker(server) => self.add(&server.names, Kind::Broker),
            Command::Controller(server) => self.add(&server.names, Kind::Controller),
            Command::Producer(producer) => self.add(&producer.names, Kind::Producer),
            Command::Consumer(consumer) => {
                self.add(&consumer.names, Kind::Consumer);
                self.groups.extend(consumer.group.clone());
            }
            Command::Topic(topic) => {
                self.topics.insert(topic.name.clone());
                self.partitions = self.partitions.saturating_add(partitions_of(topic));
            }
            Command::Rabbit(rabbit) => self.add(&rabbit.names, Kind::Rabbit),
            Command::Publisher(publisher) => self.add(&publisher.names, Kind::Publisher),
            Command::Subscriber(subscriber) => self.add(&subscriber.names, Kind::Subscriber),
            Command::Web(Web::Server {
                kind: ServerKind::App,
                names,
                ..
            }) => self.add(names, Kind::App),
            Command::Web(Web::Server { names, .. }) => self.add(names, Kind::WebServer),
            Command::Web(Web::Browser { names, .. }) => self.add(names, Kind::Browser),
            Command::Exchange(exchange) => {
                self.exchanges.insert(exchange.name.clone());
            }
            Command::Queue(queue) => {
                self.queues.insert(queue.name.clone());
            }
            Command::Process {
                verb: ProcessVerb::Remove,
                names,
            } => names.iter().for_each(|name| {
                self.names.remove(name);
            }),
            Command::Compose(text) => self.declare_containers(text),
            Command::Later { verb, rest, .. } if words::LATER_NAMES.contains(&&**verb) => {
                let name = rest.split_whitespace().next().map(Name::from);
                self.add(name.iter(), Kind::Later);
            }
            _ => {}
        }
    }

    /// The containers of a compose file; names of a file that cannot be read may be anything.
    fn declare_containers(&mut self, text: &str) {
        let Some(containers) = up::read(text) else {
            self.open = true;
            return;
        };
        for one in containers.containers {
            let kind = match one.runs {
                Runs::Kafka { .. } => Kind::Broker,
                Runs::ZooKeeper => Kind::Controller,
                _ => Kind::Host,
            };
            self.add([&Name::from(one.host)], kind);
        }
    }

    /// Takes up names without a command, as those of a line that could not be read whole.
    pub fn add<'a>(&mut self, names: impl IntoIterator<Item = &'a Name>, kind: Kind) {
        for name in names {
            self.names.entry(name.clone()).or_insert(kind);
        }
    }

    /// Whether a declaration goes beyond the limits of a scenario.
    pub fn check_limits(&self, command: &Command) -> Result<(), TooMany> {
        let count = |wanted: &dyn Fn(Kind) -> bool, more: usize, what, limit| {
            let found = self.names_of(wanted).count() + more;
            if found > limit {
                Err(TooMany { what, limit })
            } else {
                Ok(())
            }
        };
        let client = |kind| {
            matches!(
                kind,
                Kind::Producer | Kind::Consumer | Kind::Publisher | Kind::Subscriber | Kind::Browser
            )
        };
        match command {
            Command::Broker(s) => count(&|k| k == Kind::Broker, s.names.len(), "brokers", limits::BROKERS),
            Command::Controller(s) => count(
                &|k| k == Kind::Controller,
                s.names.len(),
                "controllers",
                limits::CONTROLLERS,
            ),
            Command::Producer(p) => count(&client, p.names.len(), "clients", limits::CLIENTS),
            Command::Consumer(c) => count(&client, c.names.len(), "clients", limits::CLIENTS),
            Command::Publisher(p) => count(&client, p.names.len(), "clients", limits::CLIENTS),
            Command::Subscriber(s) => count(&client, s.names.len(), "clients", limits::CLIENTS),
            Command::Web(Web::Browser { names, .. }) => count(&client, names.len(), "clients", limits::CLIENTS),
            Command::Web(Web::Server { names, .. }) => count(
                &|k| matches!(k, Kind::WebServer | Kind::App),
                names.len(),
                "web servers",
                limits::BROKERS,
            ),
            Command::Rabbit(r) => count(&|k| k == Kind::Rabbit, r.names.len(), "brokers", limits::BROKERS),
            Command::Exchange(_) => limit(self.exchanges.len(), "exchanges", limits::EXCHANGES),
            Command::Queue(_) => limit(self.queues.len(), "queues", limits::QUEUES),
            Command::Host { names, .. } => count(&|k| k == Kind::Host, names.len(), "hosts", limits::HOSTS),
            Command::Network { .. } => count(&|k| k == Kind::Network, 1, "networks", limits::HOSTS),
            Command::Topic(topic) => {
                let known = self.topics.len() + usize::from(!self.topics.contains(&topic.name));
                if known > limits::TOPICS {
                    return Err(TooMany {
                        what: "topics",
                        limit: limits::TOPICS,
                    });
                }
                let partitions = self.partitions.saturating_add(partitions_of(topic));
                if partitions > limits::ALL_PARTITIONS {
                    return Err(TooMany {
                        what: "partitions",
                        limit: limits::ALL_PARTITIONS as usize,
                    });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn limit(known: usize, what: &'static str, limit: usize) -> Result<(), TooMany> {
    if known < limit {
        Ok(())
    } else {
        Err(TooMany { what, limit })
    }
}

fn partitions_of(topic: &super::ast::Topic) -> u32 {
    let lists = match &topic.replicas {
        Replicas::Lists(lists) => lists.len() as u32,
        _ => 1,
    };
    topic.partitions.unwrap_or(lists)
}
