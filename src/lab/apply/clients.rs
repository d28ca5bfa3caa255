//! Producers, consumers and loads: made, and told what to do.

use super::{Refusal, exception, habit, named, properties};
use crate::kafka::client::consumer::{ConsumerOrder, SeekTo as ConsumerSeek};
use crate::kafka::client::producer::{ProducerOrder, TransactionCall};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::protocol::share::Acknowledge as Said;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use crate::lab::language::ast::{
    Acknowledge, Command, Commit, Config, Consumer, HowAcknowledged, Name, PollLoop, Produce, Producer, SeekTo, Target,
    Value,
};
use crate::lab::load::Load;
use crate::lab::node::Node;
use crate::lab::world::{Properties, Role, World, kernel_time};
use crate::ordered::OrderedMap;
use crate::sim::{ProcId, Span};
use std::rc::Rc;

impl World {
    pub(in crate::lab) fn apply_producers(&mut self, producer: &Producer) -> Result<(), Refusal> {
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
            self.begin_producer(name)?;
        }
        Ok(())
    }

    /// A transactional producer's application calls `initTransactions()` before anything else.
    pub(in crate::lab) fn begin_producer(&mut self, name: &str) -> Result<(), Refusal> {
        let id = self.named(name)?;
        let transactional = self
            .producer(id)
            .is_some_and(|producer| producer.transaction().is_some());
        match transactional {
            true => self.transact(name, &[TransactionCall::Init]),
            false => Ok(()),
        }
    }

    /// Calls about transactions, each when the one before has returned.
    pub(in crate::lab) fn transact(&mut self, name: &str, calls: &[TransactionCall]) -> Result<(), Refusal> {
        let id = self.named(name)?;
        if self.role(id) != Role::Producer {
            return Err(format!("`{name}` is not a producer"));
        }
        for what in calls {
            let call = self.next_call();
            let what = what.clone();
            self.sim
                .order(id, Order::Producer(ProducerOrder::InTurn { call, what }));
        }
        Ok(())
    }

    /// Commits or aborts; with the positions of a consumer, which go into the transaction first.
    pub(in crate::lab) fn apply_end(&mut self, name: &str, abort: bool, of: Option<&str>) -> Result<(), Refusal> {
        let end = match abort {
            true => TransactionCall::Abort,
            false => TransactionCall::Commit,
        };
        let Some(consumer) = of else {
            return self.transact(name, &[end]);
        };
        let id = self.named(consumer)?;
        let nothing = || format!("`{consumer}` is no member of a group");
        let group = self.group_metadata(id).ok_or_else(nothing)?;
        let consumer = self.consumer(id).ok_or_else(nothing)?;
        let positions = consumer.assigned_partitions().filter_map(|partition| {
            let committed = CommittedOffset {
                offset: consumer.position_of(partition)?,
                leader_epoch: -1,
                metadata: "".into(),
            };
            Some((partition.clone(), committed))
        });
        let offsets = positions.collect();
        self.transact(name, &[TransactionCall::SendOffsets { offsets, group }, end])
    }

    pub(in crate::lab) fn apply_consumers(&mut self, consumer: &Consumer) -> Result<(), Refusal> {
        for name in &consumer.names {
            self.check_new(name)?;
            let host: &str = consumer.on.as_deref().unwrap_or(name);
            let (group, config) = (consumer.group.clone(), properties(&consumer.config));
            match consumer.share {
                true => self.add_share_consumer(name, host, group, config),
                false => self.add_consumer(name, host, group, config),
            }
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
    pub(in crate::lab) fn begin_consumer(&mut self, name: &str, consumer: &Consumer) -> Result<(), Refusal> {
        let (work_us, commit) = (consumer.work_us, habit(consumer.commit));
        self.consumer_order(name, |call| ConsumerOrder::Application { call, work_us, commit })?;
        let says = [(&consumer.release, Said::Release), (&consumer.reject, Said::Reject)];
        let verdicts: Vec<_> = says
            .into_iter()
            .filter_map(|(value, said)| Some((value.clone()?, said)))
            .collect();
        if !verdicts.is_empty() {
            self.consumer_order(name, |call| ConsumerOrder::Verdicts { call, verdicts })?;
        }
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

    pub(in crate::lab) fn apply_produce(&mut self, produce: &Produce) -> Result<(), Refusal> {
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

    pub(in crate::lab) fn start_load(
        &mut self,
        name: Name,
        topic: Name,
        partition: Option<i32>,
        load: &crate::lab::language::ast::Load,
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
            routing: load.routing.clone(),
            clients,
        };
        let (seed, now) = (self.setup.seed, self.sim.now());
        self.loads.start(load, seed, now);
    }

    pub(in crate::lab) fn apply_start(
        &mut self,
        client: &Name,
        load: Option<&(Target, crate::lab::language::ast::Load)>,
    ) -> Result<(), Refusal> {
        match load {
            Some((target, load)) => {
                let id = self.source_named(client)?;
                self.start_load(client.clone(), target.topic.clone(), target.partition, load, vec![id]);
                Ok(())
            }
            None => self.consumer_order(client, |call| ConsumerOrder::PollLoop { call, on: true }),
        }
    }

    pub(in crate::lab) fn apply_stop(&mut self, name: &Name) -> Result<(), Refusal> {
        if self.loads.stop(name) {
            return Ok(());
        }
        match self.find(name).map(|id| self.role(id)) {
            Some(Role::Consumer) => self.consumer_order(name, |call| ConsumerOrder::PollLoop { call, on: false }),
            _ => Err(format!("nothing runs under the name `{name}`")),
        }
    }

    /// A share consumer has no offsets of its own.
    pub(in crate::lab) fn check_has_offsets(&self, name: &str, verb: &str) -> Result<(), Refusal> {
        let shares = self
            .named(name)
            .ok()
            .and_then(|id| self.consumer(id))
            .is_some_and(|c| c.is_share());
        match shares {
            true => Err(format!("`{name}` is a share consumer: it cannot {verb}")),
            false => Ok(()),
        }
    }

    pub(in crate::lab) fn apply_acknowledge(&mut self, said: &Acknowledge) -> Result<(), Refusal> {
        let kind = match said.how {
            HowAcknowledged::Accept => Said::Accept,
            HowAcknowledged::Release => Said::Release,
            HowAcknowledged::Reject => Said::Reject,
            HowAcknowledged::Renew => Said::Renew,
        };
        said.consumers.iter().try_for_each(|name| {
            if !said.records.is_empty() {
                let all = said.records.iter();
                let records = all
                    .map(|(partition, offset)| (named(partition), *offset, kind))
                    .collect();
                return self.consumer_order(name, |call| ConsumerOrder::Acknowledge { call, records });
            }
            self.consumer_order(name, |call| ConsumerOrder::AcknowledgeOpen { call, kind })
        })
    }

    pub(in crate::lab) fn apply_commit(&mut self, commit: &Commit) -> Result<(), Refusal> {
        if !commit.offsets.is_empty() {
            for name in &commit.consumers {
                self.check_has_offsets(name, "commit offsets of yours")?;
            }
        }
        let offsets: OrderedMap<NamedPartition, CommittedOffset> = commit
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

    pub(in crate::lab) fn apply_seek(&mut self, consumer: &Name, target: &Target, to: SeekTo) -> Result<(), Refusal> {
        self.check_has_offsets(consumer, "seek")?;
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

    pub(in crate::lab) fn apply_set(&mut self, name: &Name, config: &Config) -> Result<(), Refusal> {
        let id = self.named(name)?;
        match self.role(id) {
            Role::Broker(_) | Role::Controller(_) => self.configure_server(id, &properties(config), None),
            Role::WebServer => self.set_app(id, config),
            _ => self.change_remembered(name, config),
        }
    }

    /// A server's own file changes; it is read at the next start.
    fn configure_server(&mut self, id: ProcId, changes: &Properties, rack: Option<Name>) -> Result<(), Refusal> {
        let done = match self.sim.process_mut(id) {
            Node::Broker(broker) => broker.configure(changes, rack),
            Node::Controller(controller) => controller.configure(changes),
            _ => Ok(()),
        };
        done.map_err(|error| error.to_string())?;
        if let Some(given) = Rc::make_mut(&mut self.given).get_mut(&id) {
            given.extend(changes.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(())
    }

    /// Brokers, or those on a host, say another rack from their next start on.
    pub(in crate::lab) fn apply_rack(&mut self, rack: &Name, member: &Name) -> Result<(), Refusal> {
        let host = self.host_named(member)?;
        let known = self.find(member);
        let on_host: Vec<ProcId> = self
            .brokers()
            .map(|(id, ..)| id)
            .filter(|id| known.is_none_or(|known| known == *id) && self.sim.host_of(*id) == host)
            .collect();
        let none = Properties::new();
        on_host
            .into_iter()
            .try_for_each(|id| self.configure_server(id, &none, Some(rack.clone())))
    }
}
