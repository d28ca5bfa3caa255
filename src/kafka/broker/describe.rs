//! What a broker tells of the cluster, all of it from its own image.
//! [KafkaApis.handleTopicMetadataRequest, KRaftMetadataCache, DescribeTopicPartitionsRequestHandler]

use super::requests::Asker;
use super::server::Server;
use crate::kafka::controller::partition::PartitionRegistration;
use crate::kafka::log::producer_entry::ProducerEntry;
use crate::kafka::metadata::image::{MetadataImage, TopicImage};
use crate::kafka::protocol::admin::{
    CreatableTopic, DescribeClusterRequest, DescribeClusterResponse, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, DescribedPartition, DescribedTopic,
};
use crate::kafka::protocol::data::{
    ActiveProducer, DescribeProducersRequest, DescribeProducersResponse, MetadataPartition, MetadataRequest,
    MetadataResponse, MetadataTopic,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::topic_name;
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// Replicas on brokers that are fenced or not registered.
fn offline(image: &MetadataImage, registration: &PartitionRegistration) -> Vec<NodeId> {
    let replicas = registration.replicas.iter().copied();
    replicas.filter(|id| !image.is_alive(*id)).collect()
}

/// The leader as a client is told it: one that is not registered is none.
fn visible_leader(image: &MetadataImage, registration: &PartitionRegistration) -> (ErrorCode, NodeId) {
    if image.brokers.contains_key(&registration.leader) {
        (ErrorCode::None, registration.leader)
    } else {
        (ErrorCode::LeaderNotAvailable, NO_LEADER)
    }
}

fn metadata_topic(image: &MetadataImage, topic: &TopicImage) -> MetadataTopic {
    let partitions = image.partitions_of(topic.id).map(|(partition, registration)| {
        let (error, leader) = visible_leader(image, registration);
        MetadataPartition {
            error,
            partition: partition.partition,
            leader,
            leader_epoch: registration.leader_epoch,
            replicas: registration.replicas.clone(),
            isr: registration.isr.clone(),
            offline: offline(image, registration),
        }
    });
    MetadataTopic {
        error: ErrorCode::None,
        name: topic.name.clone(),
        id: Some(topic.id),
        internal: topic_name::is_internal(&topic.name),
        partitions: partitions.collect(),
    }
}

fn described_topic(image: &MetadataImage, topic: &TopicImage) -> DescribedTopic {
    let partitions = image.partitions_of(topic.id).map(|(partition, registration)| {
        let (error, leader) = visible_leader(image, registration);
        DescribedPartition {
            error,
            partition: partition.partition,
            leader,
            leader_epoch: registration.leader_epoch,
            replicas: registration.replicas.clone(),
            isr: registration.isr.clone(),
            elr: registration.elr.clone(),
            last_known_elr: registration.last_known_elr.clone(),
            offline: offline(image, registration),
        }
    });
    DescribedTopic {
        error: ErrorCode::None,
        name: topic.name.clone(),
        id: Some(topic.id),
        internal: topic_name::is_internal(&topic.name),
        partitions: partitions.collect(),
    }
}

/// Why a name that the image does not have is not answered.
fn unknown_topic(name: &str) -> ErrorCode {
    match topic_name::validate(name) {
        Ok(()) => ErrorCode::UnknownTopicOrPartition,
        Err(_) => ErrorCode::InvalidTopicException,
    }
}

impl Server {
    /// Brokers name any living broker as the controller; it forwards what belongs to the real one.
    fn any_alive_broker(&mut self) -> NodeId {
        let alive: Vec<NodeId> = self.alive_brokers();
        let drawn = self.random.below(alive.len() as u64) as usize;
        alive.get(drawn).copied().unwrap_or(NO_LEADER)
    }

    fn alive_brokers(&self) -> Vec<NodeId> {
        let brokers = self.image().brokers.iter();
        brokers.filter(|(_, b)| !b.fenced).map(|(id, _)| *id).collect()
    }

    pub(super) fn serve_metadata(&mut self, asker: Asker, request: &MetadataRequest, ctx: &mut Ctx) {
        let controller_id = self.any_alive_broker();
        let listener = self.listener_of(asker, ctx);
        let image = self.observer.image();
        let mut missing = Vec::new();
        let topics = match &request.topics {
            None => image.topics.values().map(|t| metadata_topic(image, t)).collect(),
            Some(names) => {
                let topics = names.iter().map(|name| match image.topic_by_name(name) {
                    Some(topic) => metadata_topic(image, topic),
                    None => {
                        missing.push(name.clone());
                        MetadataTopic {
                            error: unknown_topic(name),
                            name: name.clone(),
                            id: None,
                            internal: topic_name::is_internal(name),
                            partitions: Vec::new(),
                        }
                    }
                });
                topics.collect()
            }
        };
        let brokers = image.brokers.values().filter(|b| !b.fenced);
        let response = MetadataResponse {
            cluster_id: self.setup.cluster_id.clone(),
            brokers: brokers.filter_map(|b| b.node_for(listener)).collect(),
            controller_id,
            topics,
        };
        if request.allow_auto_topic_creation && self.setup.config.auto_create_topics_enable {
            self.create_missing(missing, ctx);
        }
        self.reply(asker, Body::from(response), ctx);
    }

    fn create_missing(&mut self, missing: Vec<Rc<str>>, ctx: &mut Ctx) {
        for name in missing {
            if topic_name::validate(&name).is_ok() && !topic_name::is_internal(&name) {
                let topic = CreatableTopic {
                    name,
                    num_partitions: -1,
                    replication_factor: -1,
                    ..CreatableTopic::default()
                };
                self.create_topic(topic, ctx);
            }
        }
    }

    pub(super) fn serve_describe_cluster(&mut self, asker: Asker, request: &DescribeClusterRequest, ctx: &mut Ctx) {
        let controller_id = self.any_alive_broker();
        let listener = self.listener_of(asker, ctx);
        let brokers = self.image().brokers.values();
        let shown = brokers.filter(|b| request.include_fenced || !b.fenced);
        let response = DescribeClusterResponse {
            error: ErrorCode::None,
            cluster_id: self.setup.cluster_id.clone(),
            controller_id,
            brokers: shown.filter_map(|b| Some((b.node_for(listener)?, b.fenced))).collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    pub(super) fn serve_describe_topics(
        &mut self,
        asker: Asker,
        request: &DescribeTopicPartitionsRequest,
        ctx: &mut Ctx,
    ) {
        let image = self.image();
        let topics = request.topics.iter().map(|name| match image.topic_by_name(name) {
            Some(topic) => described_topic(image, topic),
            None => DescribedTopic {
                error: unknown_topic(name),
                name: name.clone(),
                id: None,
                internal: topic_name::is_internal(name),
                partitions: Vec::new(),
            },
        });
        let response = DescribeTopicPartitionsResponse {
            topics: topics.collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    pub(super) fn serve_describe_producers(&mut self, asker: Asker, request: &DescribeProducersRequest, ctx: &mut Ctx) {
        let (error, producers) = match self.replicas.get(&request.partition) {
            None => (self.unknown_by_name(request.partition), Vec::new()),
            Some(replica) if !replica.partition.is_leader() => (ErrorCode::NotLeaderOrFollower, Vec::new()),
            Some(replica) => {
                let entries = replica.log.producers().entries().values();
                (ErrorCode::None, entries.map(active_producer).collect())
            }
        };
        self.reply(asker, Body::from(DescribeProducersResponse { error, producers }), ctx);
    }
}

fn active_producer(entry: &ProducerEntry) -> ActiveProducer {
    ActiveProducer {
        producer_id: entry.id,
        producer_epoch: i32::from(entry.epoch),
        last_sequence: entry.last_sequence(),
        last_timestamp: entry.last_timestamp,
        coordinator_epoch: entry.coordinator_epoch,
        current_txn_start_offset: entry.txn_first_offset.unwrap_or(-1),
    }
}
