//! The image: what the metadata log adds up to at one offset.

use super::records::{MetadataBatch, MetadataRecord};
use crate::kafka::controller::partition::PartitionRegistration;
use crate::kafka::listeners::{Endpoints, node_for};
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// A broker as registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    pub node: BrokerNode,
    /// Where each of its listeners is advertised; none: at the node's address.
    pub endpoints: Endpoints,
    pub incarnation: u64,
    /// Its broker epoch: where the batch that registered this incarnation began.
    pub epoch: i64,
    /// Offset of its registration record: what it must have applied to be unfenced.
    pub registered_at: i64,
    pub fenced: bool,
    pub in_controlled_shutdown: bool,
}

impl BrokerRegistration {
    /// May lead and join ISRs.
    pub fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }

    /// The broker as those are told who came in by a listener.
    pub fn node_for(&self, listener: Option<&Rc<str>>) -> Option<BrokerNode> {
        node_for(&self.node, &self.endpoints, listener)
    }
}

/// A topic and how many partitions it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    pub name: Rc<str>,
    pub id: TopicId,
    pub partitions: i32,
}

/// Settings of one resource.
pub type Settings = OrderedMap<Rc<str>, Rc<str>>;

/// The cluster at one metadata offset.
#[derive(Clone, Debug, Default)]
pub struct MetadataImage {
    /// Offset behind the last record applied.
    pub end_offset: i64,
    /// Quorum epoch of the last batch applied.
    pub epoch: i32,
    pub brokers: OrderedMap<NodeId, BrokerRegistration>,
    pub topics: OrderedMap<TopicId, TopicImage>,
    /// The next topic's id: above all that were ever given, so that a topic created again is another one.
    pub next_topic: TopicId,
    pub ids: OrderedMap<Rc<str>, TopicId>,
    pub partitions: OrderedMap<TopicPartition, Rc<PartitionRegistration>>,
    pub configs: OrderedMap<ConfigResource, Rc<Settings>>,
    pub features: OrderedMap<&'static str, i16>,
    pub next_producer_id: i64,
}

/// What a batch changed, for those who must act on it.
#[derive(Clone, Debug, Default)]
pub struct MetadataDelta {
    /// Touched partitions with their state before (`None`: new), in order of partition.
    pub partitions: OrderedMap<TopicPartition, Option<Rc<PartitionRegistration>>>,
    pub deleted_topics: Vec<TopicImage>,
    pub brokers: Vec<NodeId>,
    pub configs: Vec<ConfigResource>,
    pub features: bool,
}

impl MetadataImage {
    /// Applies a batch and adds what it changed to `delta`.
    pub fn apply(&mut self, batch: &MetadataBatch, delta: &mut MetadataDelta) {
        for (record, offset) in batch.records.iter().zip(batch.base_offset..) {
            self.replay(record, offset, delta);
        }
        self.end_offset = batch.end_offset();
        self.epoch = batch.epoch;
    }

    fn replay(&mut self, record: &MetadataRecord, offset: i64, delta: &mut MetadataDelta) {
        match record {
            MetadataRecord::LeaderChange { .. } | MetadataRecord::NoOp => {}
            MetadataRecord::FeatureLevel { name, level } => {
                self.features.insert(name, *level);
                delta.features = true;
            }
            MetadataRecord::RegisterBroker {
                node,
                endpoints,
                incarnation,
                broker_epoch,
                fenced,
                in_controlled_shutdown,
            } => {
                let registration = BrokerRegistration {
                    node: node.clone(),
                    endpoints: endpoints.clone(),
                    incarnation: *incarnation,
                    epoch: *broker_epoch,
                    registered_at: offset,
                    fenced: *fenced,
                    in_controlled_shutdown: *in_controlled_shutdown,
                };
                self.brokers.insert(node.id, registration);
                delta.brokers.push(node.id);
            }
            MetadataRecord::UnregisterBroker { broker, .. } => {
                self.brokers.remove(broker);
                delta.brokers.push(*broker);
            }
            MetadataRecord::BrokerRegistrationChange {
                broker,
                fenced,
                in_controlled_shutdown,
                ..
            } => {
                if let Some(registration) = self.brokers.get_mut(broker) {
                    registration.fenced = fenced.unwrap_or(registration.fenced);
                    registration.in_controlled_shutdown |= *in_controlled_shutdown;
                    delta.brokers.push(*broker);
                }
            }
            MetadataRecord::ProducerIds { next } => self.next_producer_id = *next,
            MetadataRecord::Config { resource, name, value } => self.replay_config(resource, name, value, delta),
            _ => self.replay_topic(record, delta),
        }
    }

    fn replay_topic(&mut self, record: &MetadataRecord, delta: &mut MetadataDelta) {
        match record {
            MetadataRecord::Topic { name, id } => {
                self.next_topic = self.next_topic.max(TopicId(id.0 + 1));
                self.ids.insert(name.clone(), *id);
                self.topics.insert(
                    *id,
                    TopicImage {
                        name: name.clone(),
                        id: *id,
                        partitions: 0,
                    },
                );
            }
            MetadataRecord::RemoveTopic { id } => self.remove_topic(*id, delta),
            MetadataRecord::Partition {
                partition,
                registration,
            } => {
                if let Some(topic) = self.topics.get_mut(&partition.topic) {
                    topic.partitions = topic.partitions.max(partition.partition + 1);
                }
                let before = self.partitions.insert(*partition, Rc::new(registration.clone()));
                delta.partitions.entry(*partition).or_insert(before);
            }
            MetadataRecord::PartitionChange { partition, change } => {
                if let Some(before) = self.partitions.get(partition).cloned() {
                    self.partitions.insert(*partition, Rc::new(before.merge(change)));
                    delta.partitions.entry(*partition).or_insert(Some(before));
                }
            }
            MetadataRecord::ClearElr { topic } => self.clear_elr(*topic, delta),
            _ => {}
        }
    }

    fn remove_topic(&mut self, id: TopicId, delta: &mut MetadataDelta) {
        let Some(topic) = self.topics.remove(&id) else { return };
        self.ids.remove(&topic.name);
        for partition in (0..topic.partitions).map(|p| TopicPartition::new(id, p)) {
            self.partitions.remove(&partition);
            delta.partitions.remove(&partition);
        }
        self.configs.remove(&ConfigResource::Topic(topic.name.clone()));
        delta.deleted_topics.push(topic);
    }

    fn clear_elr(&mut self, topic: Option<TopicId>, delta: &mut MetadataDelta) {
        for (partition, registration) in &mut self.partitions {
            if topic.is_some_and(|id| id != partition.topic) {
                continue;
            }
            if let Some(cleared) = registration.without_elr() {
                let before = std::mem::replace(registration, Rc::new(cleared));
                delta.partitions.entry(*partition).or_insert(Some(before));
            }
        }
    }

    fn replay_config(
        &mut self,
        resource: &ConfigResource,
        name: &Rc<str>,
        value: &Option<Rc<str>>,
        delta: &mut MetadataDelta,
    ) {
        let settings = Rc::make_mut(self.configs.entry(resource.clone()).or_default());
        match value {
            Some(value) => settings.insert(name.clone(), value.clone()),
            None => settings.remove(name),
        };
        if settings.is_empty() {
            self.configs.remove(resource);
        }
        if !delta.configs.contains(resource) {
            delta.configs.push(resource.clone());
        }
    }

    pub fn topic_by_name(&self, name: &str) -> Option<&TopicImage> {
        self.topics.get(self.ids.get(name)?)
    }

    /// The name for a topic id.
    pub fn name_of(&self, id: TopicId) -> Option<&Rc<str>> {
        self.topics.get(&id).map(|topic| &topic.name)
    }

    /// All partitions of a topic, in order.
    pub fn partitions_of(&self, id: TopicId) -> impl Iterator<Item = (TopicPartition, &Rc<PartitionRegistration>)> {
        let range = TopicPartition::new(id, 0)..=TopicPartition::new(id, i32::MAX);
        self.partitions
            .range(range)
            .map(|(partition, registration)| (*partition, registration))
    }

    /// Dynamic settings of a resource; empty if none.
    pub fn settings(&self, resource: &ConfigResource) -> Option<&Settings> {
        self.configs.get(resource).map(|settings| &**settings)
    }

    /// Registered and not fenced.
    pub fn is_alive(&self, broker: NodeId) -> bool {
        self.brokers
            .get(&broker)
            .is_some_and(|registration| !registration.fenced)
    }
}
