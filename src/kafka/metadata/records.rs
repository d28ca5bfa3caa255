//! Records of `__cluster_metadata`, by the names of Kafka's metadata message files.

use crate::kafka::controller::partition::{PartitionChange, PartitionRegistration};
use crate::kafka::listeners::Endpoints;
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use std::rc::Rc;

/// Records that take effect together; its first record stands at `base_offset`, the next batch behind the last.
#[derive(Clone, Debug)]
pub struct MetadataBatch {
    pub base_offset: i64,
    pub epoch: i32,
    pub records: Vec<MetadataRecord>,
    /// The event in which the controller wrote it.
    pub event: u64,
}

impl MetadataBatch {
    /// Offset behind the last record.
    pub fn end_offset(&self) -> i64 {
        self.base_offset + self.records.len() as i64
    }
}

#[derive(Clone, Debug)]
pub enum MetadataRecord {
    /// The first record of each quorum epoch.
    LeaderChange {
        leader: NodeId,
    },
    NoOp,
    FeatureLevel {
        name: &'static str,
        level: i16,
    },
    /// A new incarnation, fenced; or the same one again, as it was.
    RegisterBroker {
        node: BrokerNode,
        endpoints: Endpoints,
        incarnation: u64,
        broker_epoch: i64,
        fenced: bool,
        in_controlled_shutdown: bool,
    },
    UnregisterBroker {
        broker: NodeId,
        broker_epoch: i64,
    },
    /// `None`: as before.
    BrokerRegistrationChange {
        broker: NodeId,
        broker_epoch: i64,
        fenced: Option<bool>,
        in_controlled_shutdown: bool,
    },
    Topic {
        name: Rc<str>,
        id: TopicId,
    },
    RemoveTopic {
        id: TopicId,
    },
    Partition {
        partition: TopicPartition,
        registration: PartitionRegistration,
    },
    PartitionChange {
        partition: TopicPartition,
        change: PartitionChange,
    },
    /// `None`: the setting is deleted.
    Config {
        resource: ConfigResource,
        name: Rc<str>,
        value: Option<Rc<str>>,
    },
    /// Eligible leader replicas of a topic (`None`: of all topics) are forgotten.
    ClearElr {
        topic: Option<TopicId>,
    },
    /// Ids below `next` are given out.
    ProducerIds {
        next: i64,
    },
}
