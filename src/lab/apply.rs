//! What each command of the language does to the world. Everything a click does comes through here.

use super::language::ast::{
    Alter, Between, Command, Commit, CommitHabit, Config, Consumer, Delete, DiskState, Election, MessageAction,
    MessageFault, Name, Pattern, PollLoop, ProcessVerb, Produce, Producer, Replicas, SeekTo, Server, Target, Topic,
    TopicPartition, Value,
};
use super::load::Load;
use super::world::{Properties, Role, World, kernel_time};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::consumer::{CommitHabit as ConsumerHabit, ConsumerOrder, SeekTo as ConsumerSeek};
use crate::kafka::client::producer::ProducerOrder;
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, CreatableTopic, ElectionType};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::wire::Order;
use crate::lab::language::ast::trailing_number;
use crate::sim::disk::DiskMode;
use crate::sim::world::{Hand, Pattern as FlightPattern, Status};
use crate::sim::{Halt, HostId, ProcId, Span};
use std::collections::BTreeMap;
use std::rc::Rc;

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
                    .map(|name| self.producer_named(name))
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
            Command::Seek { consumer, target, to } => self.apply_seek(consumer, target, *to),
            Command::Subscribe { consumer, topics } => {
                let topics = topics.clone();
                self.consumer_order(consumer, |call| ConsumerOrder::Subscribe { call, topics })
            }
            Command::Assign { consumer, partitions } => {
                let partitions = partitions.iter().map(named).collect();
                self.consumer_order(consumer, |call| ConsumerOrder::Assign { call, partitions })
            }
            Command::Unsubscribe { consumers } => consumers
                .iter()
                .try_for_each(|name| self.consumer_order(name, |call| ConsumerOrder::Unsubscribe { call })),
            Command::Set { names, config } => names.iter().try_for_each(|name| self.apply_set(name, config)),
            Command::Controller(_) => Err("controllers stand from the start: say them at 0s".into()),
            Command::Rack { .. } => Err("racks are said at 0s".into()),
            Command::Network { .. } => Err("`network` is not here yet".into()),
            Command::Rule { rule, .. } => Err(format!("`rule {rule}` is not here yet")),
            Command::Tool { line, .. } => Err(format!("the console's tools are not here yet: `$ {line}`")),
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

    fn host_named(&self, name: &str) -> Result<HostId, Refusal> {
        match self.find(name) {
            Some(id) => Ok(self.sim.host_of(id)),
            None => self
                .sim
                .network()
                .resolve(name)
                .ok_or_else(|| format!("there is no process or host `{name}`")),
        }
    }

    // ---- places

    /// Controllers and their hosts, by node id.
    pub fn voters(&self) -> BTreeMap<NodeId, Rc<str>> {
        self.controllers()
            .map(|(id, node, _)| (node, self.sim.network().host(self.sim.host_of(id)).name.clone()))
            .collect()
    }

    /// Adds brokers that are not started yet.
    pub(super) fn place_brokers(
        &mut self,
        server: &Server,
        voters: &BTreeMap<NodeId, Rc<str>>,
        defaults: &Properties,
    ) -> Result<Vec<ProcId>, Refusal> {
        let mut added = Vec::new();
        for name in &server.names {
            self.check_new(name)?;
            let node = self.free_node_id(trailing_number(name).unwrap_or(1), 1)?;
            let host: &str = server.on.as_deref().unwrap_or(name);
            let mut config = defaults.clone();
            config.extend(properties(&server.config));
            added.push(self.add_broker(name, host, node, server.rack.clone(), config, voters)?);
        }
        Ok(added)
    }

    fn check_new(&self, name: &str) -> Result<(), Refusal> {
        if self.find(name).is_some() {
            Err(format!("there is a `{name}` already"))
        } else {
            Ok(())
        }
    }

    fn free_node_id(&self, wanted: NodeId, step: NodeId) -> Result<NodeId, Refusal> {
        (0..1_000)
            .map(|i| wanted.saturating_add(i * step))
            .find(|id| self.node(*id).is_none())
            .ok_or_else(|| "no node id is free".to_string())
    }

    fn apply_brokers(&mut self, server: &Server) -> Result<(), Refusal> {
        let voters = self.voters();
        let added = self.place_brokers(server, &voters, &Properties::new())?;
        for id in added {
            self.sim.start(id);
        }
        Ok(())
    }

    /// Node id of a controller by its name.
    pub(super) fn controller_id(&self, name: &str) -> Result<NodeId, Refusal> {
        self.free_node_id(CONTROLLER_IDS + trailing_number(name).unwrap_or(1), 1)
    }

    fn broker_ids(&self, names: &[Name]) -> Result<Vec<NodeId>, Refusal> {
        names
            .iter()
            .map(|name| match self.named(name).map(|id| self.role(id))? {
                Role::Broker(node) => Ok(node),
                _ => Err(format!("`{name}` is not a broker")),
            })
            .collect()
    }

    /// The request that creates a topic of the scenario.
    pub(super) fn creatable(&self, topic: &Topic) -> Result<CreatableTopic, Refusal> {
        let mut request = CreatableTopic {
            name: topic.name.clone(),
            num_partitions: topic.partitions.map_or(-1, |n| n as i32),
            replication_factor: -1,
            assignments: Vec::new(),
            configs: topic
                .config
                .iter()
                .map(|(key, value)| (key.clone(), Some(value.clone())))
                .collect(),
        };
        match &topic.replicas {
            Replicas::Default => {}
            Replicas::Factor(n) => request.replication_factor = i16::try_from(*n).unwrap_or(i16::MAX),
            Replicas::Lists(lists) => {
                let count = topic.partitions.map_or(lists.len(), |n| n as usize);
                for partition in 0..count {
                    let Some(list) = lists.get(partition).or_else(|| lists.first()) else {
                        continue;
                    };
                    request.assignments.push((partition as i32, self.broker_ids(list)?));
                }
                request.num_partitions = -1;
            }
        }
        Ok(request)
    }

    fn apply_topic(&mut self, topic: &Topic) -> Result<(), Refusal> {
        let topics = vec![self.creatable(topic)?];
        self.operate(AdminCall::CreateTopics {
            topics,
            validate_only: false,
        });
        Ok(())
    }

    // ---- clients

    fn apply_producers(&mut self, producer: &Producer) -> Result<(), Refusal> {
        for name in &producer.names {
            self.check_new(name)?;
            let host: &str = producer.on.as_deref().unwrap_or(name);
            self.add_producer(name, host, properties(&producer.config))
                .map_err(exception)?;
            self.remember(
                Command::Producer(Producer {
                    names: vec![name.clone()],
                    ..producer.clone()
                }),
                name,
            );
        }
        Ok(())
    }

    fn apply_consumers(&mut self, consumer: &Consumer) -> Result<(), Refusal> {
        for name in &consumer.names {
            self.check_new(name)?;
            let host: &str = consumer.on.as_deref().unwrap_or(name);
            self.add_consumer(name, host, consumer.group.clone(), properties(&consumer.config))
                .map_err(exception)?;
            self.remember(
                Command::Consumer(Consumer {
                    names: vec![name.clone()],
                    ..consumer.clone()
                }),
                name,
            );
            self.begin_consumer(name, consumer)?;
        }
        Ok(())
    }

    /// What a consumer's line says besides its settings: how it works, what it reads, and whether it polls by itself.
    pub(super) fn begin_consumer(&mut self, name: &str, consumer: &Consumer) -> Result<(), Refusal> {
        let (work_us, commit) = (consumer.work_us, habit(consumer.commit));
        self.consumer_order(name, |call| ConsumerOrder::Application { call, work_us, commit })?;
        if !consumer.topics.is_empty() {
            let topics = consumer.topics.clone();
            self.consumer_order(name, |call| ConsumerOrder::Subscribe { call, topics })?;
        } else if !consumer.assign.is_empty() {
            let partitions = consumer.assign.iter().map(named).collect();
            self.consumer_order(name, |call| ConsumerOrder::Assign { call, partitions })?;
        }
        if consumer.poll == PollLoop::Loop && (!consumer.topics.is_empty() || !consumer.assign.is_empty()) {
            self.consumer_order(name, |call| ConsumerOrder::PollLoop { call, on: true })?;
        }
        Ok(())
    }

    /// Makes a call on a consumer.
    pub fn consumer_order(
        &mut self,
        name: &str,
        order: impl FnOnce(crate::kafka::client::call::CallId) -> ConsumerOrder,
    ) -> Result<(), Refusal> {
        let id = self.named(name)?;
        if self.role(id) != Role::Consumer {
            return Err(format!("`{name}` is not a consumer"));
        }
        let call = self.next_call();
        self.sim.order(id, Order::Consumer(order(call)));
        Ok(())
    }

    fn apply_produce(&mut self, produce: &Produce) -> Result<(), Refusal> {
        let client = self.producer_named(&produce.client)?;
        if !self.runs(client) {
            return Err(format!("`{}` does not run", produce.client));
        }
        let headers: Vec<_> = produce
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), Some(Rc::from(value.as_bytes()))))
            .collect();
        for number in 1..=produce.count {
            let value = match &produce.value {
                Value::Null => None,
                Value::Text(text) if produce.count == 1 => Some(text.to_string()),
                Value::Text(text) => Some(format!("{text}-{number}")),
                Value::Auto => Some(format!("{}-{}", produce.client, self.ledger.len() + 1)),
            };
            let (topic, partition) = (&produce.target.topic, produce.target.partition);
            self.send_text(
                client,
                topic,
                partition,
                produce.key.as_deref(),
                value.as_deref(),
                headers.clone(),
            );
        }
        Ok(())
    }

    fn start_load(
        &mut self,
        name: Name,
        topic: Name,
        partition: Option<i32>,
        load: &super::language::ast::Load,
        clients: Vec<ProcId>,
    ) {
        let every = load.rate.per_us / u64::from(load.rate.count.max(1));
        let load = Load {
            name,
            topic,
            partition,
            every: Span::us(every.max(1)),
            keys: load.keys,
            left: load.count,
            until: load.until_us.map(kernel_time),
            size: load.size,
            clients,
        };
        let (seed, now) = (self.setup.seed, self.sim.now());
        self.loads.start(load, seed, now);
    }

    fn apply_start(
        &mut self,
        client: &Name,
        load: Option<&(Target, super::language::ast::Load)>,
    ) -> Result<(), Refusal> {
        match load {
            Some((target, load)) => {
                let id = self.producer_named(client)?;
                self.start_load(client.clone(), target.topic.clone(), target.partition, load, vec![id]);
                Ok(())
            }
            None => self.consumer_order(client, |call| ConsumerOrder::PollLoop { call, on: true }),
        }
    }

    fn apply_stop(&mut self, name: &Name) -> Result<(), Refusal> {
        if self.loads.stop(name) {
            return Ok(());
        }
        match self.find(name).map(|id| self.role(id)) {
            Some(Role::Consumer) => self.consumer_order(name, |call| ConsumerOrder::PollLoop { call, on: false }),
            _ => Err(format!("nothing runs under the name `{name}`")),
        }
    }

    fn apply_commit(&mut self, commit: &Commit) -> Result<(), Refusal> {
        let offsets: BTreeMap<NamedPartition, CommittedOffset> = commit
            .offsets
            .iter()
            .map(|(partition, offset)| {
                (
                    named(partition),
                    CommittedOffset {
                        offset: *offset,
                        leader_epoch: -1,
                        metadata: "".into(),
                    },
                )
            })
            .collect();
        let offsets = (!offsets.is_empty()).then_some(offsets);
        commit.consumers.iter().try_for_each(|name| {
            let offsets = offsets.clone();
            self.consumer_order(name, |call| match commit.asynchronous {
                true => ConsumerOrder::CommitAsync { call, offsets },
                false => ConsumerOrder::CommitSync { call, offsets },
            })
        })
    }

    fn apply_seek(&mut self, consumer: &Name, target: &Target, to: SeekTo) -> Result<(), Refusal> {
        let to = match to {
            SeekTo::Beginning => ConsumerSeek::Beginning,
            SeekTo::End => ConsumerSeek::End,
            SeekTo::Offset(offset) => ConsumerSeek::Offset(offset),
        };
        let partitions: Vec<NamedPartition> = match target.partition {
            Some(partition) => vec![NamedPartition {
                topic: target.topic.clone(),
                partition,
            }],
            None => {
                let id = self.named(consumer)?;
                self.consumer(id)
                    .map(|consumer| {
                        consumer
                            .partitions()
                            .map(|(p, _)| p)
                            .filter(|p| p.topic == target.topic)
                            .cloned()
                            .collect()
                    })
                    .unwrap_or_default()
            }
        };
        partitions
            .into_iter()
            .try_for_each(|partition| self.consumer_order(consumer, |call| ConsumerOrder::Seek { call, partition, to }))
    }

    fn apply_set(&mut self, name: &Name, config: &Config) -> Result<(), Refusal> {
        self.named(name)?;
        self.change_remembered(name, config)
    }

    // ---- processes

    fn apply_verb(&mut self, verb: ProcessVerb, name: &Name) -> Result<(), Refusal> {
        if verb == ProcessVerb::PowerOff {
            let host = self.host_named(name)?;
            self.sim.power_off(host);
            return Ok(());
        }
        let id = self.named(name)?;
        match verb {
            ProcessVerb::Crash => self.down_unless(id, name, |world| world.sim.halt(id, Halt::Crash)),
            ProcessVerb::Freeze => self.down_unless(id, name, |world| world.sim.freeze(id)),
            ProcessVerb::Thaw => {
                self.sim.thaw(id);
                Ok(())
            }
            ProcessVerb::Shutdown => self.down_unless(id, name, |world| world.shut_down(id)),
            ProcessVerb::Restart => self.restart(id, name),
            ProcessVerb::Remove => {
                self.sim.halt(id, Halt::Crash);
                if let Role::Broker(broker) = self.role(id) {
                    self.operate(AdminCall::UnregisterBroker { broker });
                }
                Ok(())
            }
            ProcessVerb::PowerOff => Ok(()),
        }
    }

    fn down_unless(&mut self, id: ProcId, name: &str, act: impl FnOnce(&mut World)) -> Result<(), Refusal> {
        if !self.runs(id) {
            return Err(format!("`{name}` does not run"));
        }
        act(self);
        Ok(())
    }

    /// SIGTERM for a server, `close()` for a client.
    pub fn shut_down(&mut self, id: ProcId) {
        match self.role(id) {
            Role::Controller(_) => self.sim.halt(id, Halt::Exit),
            Role::Producer => {
                let call = self.next_call();
                self.sim.order(id, Order::Producer(ProducerOrder::Close { call }));
            }
            Role::Consumer => {
                let call = self.next_call();
                self.sim
                    .order(id, Order::Consumer(ConsumerOrder::Close { call, leave: None }));
            }
            Role::Broker(_) | Role::Operator => self.sim.order(id, Order::Shutdown),
        }
    }

    fn restart(&mut self, id: ProcId, name: &Name) -> Result<(), Refusal> {
        let client = matches!(self.role(id), Role::Producer | Role::Consumer);
        if !client {
            if !matches!(self.sim.status(id), Status::Down(_)) {
                return Err(format!("`{name}` runs; `shutdown {name}` or `crash {name}` first"));
            }
            self.sim.start(id);
            return Ok(());
        }
        self.begin_again(id, name)
    }

    // ---- network, disks, messages

    fn each_link(
        &mut self,
        between: &Between,
        mut change: impl FnMut(&mut crate::sim::network::Link),
    ) -> Result<(), Refusal> {
        let pairs = between
            .pairs()
            .iter()
            .map(|(a, b)| Ok((self.host_named(a)?, self.host_named(b)?)))
            .collect::<Result<Vec<_>, Refusal>>()?;
        for (a, b) in pairs {
            change(self.sim.network_mut().link_mut(a, b));
        }
        Ok(())
    }

    fn apply_network(&mut self, command: &Command) -> Result<(), Refusal> {
        match command {
            Command::Cut(between) => self.each_link(between, |link| link.cut = true),
            Command::Delay { between, by_us } => self.each_link(between, |link| link.delay = Span::us(*by_us)),
            Command::Loss { between, ppm } => self.each_link(between, |link| link.loss_ppm = *ppm),
            Command::Heal(Some(between)) => self.each_link(between, |link| {
                *link = crate::sim::network::Link {
                    latency: link.latency,
                    ..Default::default()
                }
            }),
            _ => {
                self.sim.network_mut().heal_all();
                Ok(())
            }
        }
    }

    fn apply_disk(&mut self, name: &Name, state: &DiskState) -> Result<(), Refusal> {
        if let DiskState::Wipe(partition) = state {
            return self.wipe(name, partition.as_ref());
        }
        let host = self.host_named(name)?;
        self.sim.network_mut().host_mut(host).disk = match state {
            DiskState::Slow(us) => DiskMode::Slow(Span::us(*us)),
            DiskState::Full => DiskMode::Full,
            DiskState::Ok | DiskState::Wipe(_) => DiskMode::Ok,
        };
        Ok(())
    }

    fn wipe(&mut self, name: &Name, partition: Option<&TopicPartition>) -> Result<(), Refusal> {
        let id = self.named(name)?;
        if !matches!(self.role(id), Role::Broker(_)) {
            return Err(format!("`{name}` is not a broker"));
        }
        if self.runs(id) {
            return Err(format!(
                "`{name}` runs: `shutdown {name}` or `crash {name}` before its disk is wiped"
            ));
        }
        let partition = match partition {
            None => None,
            Some(partition) => Some(
                self.places
                    .place(&named(partition))
                    .map(super::places::partition_of)
                    .ok_or_else(|| format!("there is no partition {}/{}", partition.topic, partition.partition))?,
            ),
        };
        if let super::node::Node::Broker(broker) = self.sim.process_mut(id) {
            broker.wipe(partition);
        }
        Ok(())
    }

    fn flight_pattern(&self, pattern: &Pattern) -> Result<FlightPattern, Refusal> {
        Ok(FlightPattern {
            kind: pattern.kind.clone(),
            from: self.named(&pattern.from)?,
            to: self.named(&pattern.to)?,
        })
    }

    fn apply_hand(&mut self, fault: &MessageFault) -> Result<(), Refusal> {
        let hand = match fault.action {
            MessageAction::Drop => Hand::Drop,
            MessageAction::Hold => Hand::Hold,
            MessageAction::Delay(us) => Hand::Delay(Span::us(us)),
            MessageAction::Duplicate => Hand::Duplicate,
            MessageAction::Reorder => Hand::Reorder,
            MessageAction::Release => {
                let pattern = fault.pattern.as_ref().map(|p| self.flight_pattern(p)).transpose()?;
                return match self.sim.release(pattern.as_ref()) {
                    0 => Err("no message is held that fits".into()),
                    _ => Ok(()),
                };
            }
        };
        let Some(pattern) = &fault.pattern else {
            return Err("which message?".into());
        };
        let pattern = self.flight_pattern(pattern)?;
        if fault.next {
            self.sim.hand_on_next(pattern, hand);
            return Ok(());
        }
        if self.sim.hand_on(&pattern, hand, fault.nth) {
            Ok(())
        } else {
            Err(format!("no such message is in flight now: {}", pattern.kind))
        }
    }

    // ---- admin

    fn apply_admin(&mut self, command: &Command) -> Result<(), Refusal> {
        let call = match command {
            Command::Alter(alter) => return self.apply_alter(alter),
            Command::Delete(Delete::Topic(topic)) => AdminCall::DeleteTopics {
                topics: vec![topic.clone()],
            },
            Command::Delete(Delete::Group(group)) => AdminCall::DeleteGroup { group: group.clone() },
            Command::Delete(Delete::Records { partition, before }) => AdminCall::DeleteRecords {
                before: vec![(named(partition), before.unwrap_or(-1))],
            },
            Command::Elect { kind, partitions } => AdminCall::ElectLeaders {
                kind: match kind {
                    Election::Preferred => ElectionType::Preferred,
                    Election::Unclean => ElectionType::Unclean,
                },
                partitions: (!partitions.is_empty()).then(|| partitions.iter().map(named).collect()),
            },
            Command::Reassign { partition, replicas } => {
                let ids = self.broker_ids(replicas)?;
                AdminCall::Reassign {
                    partitions: vec![(named(partition), (!ids.is_empty()).then_some(ids))],
                    allow_replication_factor_change: true,
                }
            }
            _ => return Ok(()),
        };
        self.operate(call);
        Ok(())
    }

    fn apply_alter(&mut self, alter: &Alter) -> Result<(), Refusal> {
        let (resource, set, unset) = match alter {
            Alter::Topic {
                topic,
                partitions,
                set,
                unset,
            } => {
                if let Some(count) = partitions {
                    let count = *count as i32;
                    self.operate(AdminCall::CreatePartitions {
                        topic: topic.clone(),
                        count,
                        assignments: None,
                    });
                }
                (ConfigResource::Topic(topic.clone()), set, unset)
            }
            Alter::Broker { broker, set, unset } => {
                let id = match broker {
                    Some(name) => self.broker_ids(std::slice::from_ref(name))?[0].to_string(),
                    None => String::new(),
                };
                (ConfigResource::Broker(id.into()), set, unset)
            }
        };
        let sets = set
            .iter()
            .map(|(key, value)| (key.clone(), AlterOp::Set(value.clone())));
        let unsets = unset.iter().map(|key| (key.clone(), AlterOp::Delete));
        let ops: Vec<_> = sets.chain(unsets).collect();
        if !ops.is_empty() {
            self.operate(AdminCall::AlterConfigs { resource, ops });
        }
        Ok(())
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
