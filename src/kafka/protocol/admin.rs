//! What an admin client asks for. Brokers answer what they know and forward the rest to the controller.

use super::data::BrokerNode;
use super::errors::ErrorCode;
use crate::kafka::types::{NamedPartition, NodeId, TopicId};
use std::rc::Rc;

/// An error with the text that the answer carries, if it carries one.
pub type ApiError = (ErrorCode, Option<Rc<str>>);

#[derive(Clone, Debug)]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    pub validate_only: bool,
}

#[derive(Clone, Debug, Default)]
pub struct CreatableTopic {
    pub name: Rc<str>,
    /// -1: the default, or as the assignments say.
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub assignments: Vec<(i32, Vec<NodeId>)>,
    pub configs: Vec<(Rc<str>, Option<Rc<str>>)>,
}

#[derive(Clone, Debug)]
pub struct CreateTopicsResponse {
    pub topics: Vec<CreatedTopic>,
}

#[derive(Clone, Debug)]
pub struct CreatedTopic {
    pub name: Rc<str>,
    pub id: Option<TopicId>,
    pub error: ErrorCode,
    pub message: Option<Rc<str>>,
    pub num_partitions: i32,
    pub replication_factor: i16,
}

#[derive(Clone, Debug)]
pub struct DeleteTopicsRequest {
    pub topics: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DeleteTopicsResponse {
    pub topics: Vec<(Rc<str>, ApiError)>,
}

/// A topic, its new count of partitions, and the replicas of each added one (`None`: placed by the controller).
pub type MorePartitions = (Rc<str>, i32, Option<Vec<Vec<NodeId>>>);

#[derive(Clone, Debug)]
pub struct CreatePartitionsRequest {
    pub topics: Vec<MorePartitions>,
    pub validate_only: bool,
}

#[derive(Clone, Debug)]
pub struct CreatePartitionsResponse {
    pub topics: Vec<(Rc<str>, ApiError)>,
}

/// What a setting belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResource {
    Topic(Rc<str>),
    /// One broker by its id; empty: the default of all.
    Broker(Rc<str>),
    Group(Rc<str>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlterOp {
    Set(Rc<str>),
    Delete,
    Append(Rc<str>),
    Subtract(Rc<str>),
}

/// What is done to the settings of one resource, by key.
pub type ConfigChanges = (ConfigResource, Vec<(Rc<str>, AlterOp)>);

#[derive(Clone, Debug)]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<ConfigChanges>,
    pub validate_only: bool,
}

#[derive(Clone, Debug)]
pub struct IncrementalAlterConfigsResponse {
    pub resources: Vec<(ConfigResource, ApiError)>,
}

#[derive(Clone, Debug)]
pub struct DescribeConfigsRequest {
    /// Resource and the keys asked for (`None`: all).
    pub resources: Vec<(ConfigResource, Option<Vec<Rc<str>>>)>,
}

#[derive(Clone, Debug)]
pub struct DescribeConfigsResponse {
    pub resources: Vec<(ConfigResource, ApiError, Vec<DescribedConfig>)>,
}

/// Source, name there, value.
pub type ConfigSynonym = (&'static str, Rc<str>, Option<Rc<str>>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConfig {
    pub name: Rc<str>,
    pub value: Option<Rc<str>>,
    /// `DYNAMIC_TOPIC_CONFIG`, `STATIC_BROKER_CONFIG`, `DEFAULT_CONFIG`, ...
    pub source: &'static str,
    /// Every layer that sets it, the strongest first: source, name there, value.
    pub synonyms: Vec<ConfigSynonym>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ElectionType {
    Preferred,
    Unclean,
}

#[derive(Clone, Debug)]
pub struct ElectLeadersRequest {
    pub kind: ElectionType,
    /// `None`: all partitions.
    pub partitions: Option<Vec<NamedPartition>>,
}

#[derive(Clone, Debug)]
pub struct ElectLeadersResponse {
    pub error: ErrorCode,
    pub partitions: Vec<(NamedPartition, ApiError)>,
}

#[derive(Clone, Debug)]
pub struct AlterPartitionReassignmentsRequest {
    /// `None`: cancel.
    pub partitions: Vec<(NamedPartition, Option<Vec<NodeId>>)>,
    pub allow_replication_factor_change: bool,
}

#[derive(Clone, Debug)]
pub struct AlterPartitionReassignmentsResponse {
    pub error: ApiError,
    pub partitions: Vec<(NamedPartition, ApiError)>,
}

#[derive(Clone, Debug)]
pub struct ListPartitionReassignmentsRequest {
    /// `None`: all.
    pub partitions: Option<Vec<NamedPartition>>,
}

#[derive(Clone, Debug)]
pub struct ListPartitionReassignmentsResponse {
    pub error: ErrorCode,
    pub partitions: Vec<OngoingReassignment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OngoingReassignment {
    pub partition: NamedPartition,
    pub replicas: Vec<NodeId>,
    pub adding: Vec<NodeId>,
    pub removing: Vec<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub struct DescribeClusterRequest {
    pub include_fenced: bool,
}

#[derive(Clone, Debug)]
pub struct DescribeClusterResponse {
    pub error: ErrorCode,
    pub cluster_id: Rc<str>,
    pub controller_id: NodeId,
    /// Node and whether it is fenced.
    pub brokers: Vec<(BrokerNode, bool)>,
}

#[derive(Clone, Debug)]
pub struct UnregisterBrokerRequest {
    pub broker: NodeId,
}

#[derive(Clone, Debug)]
pub struct UnregisterBrokerResponse {
    pub error: ApiError,
}

#[derive(Clone, Debug)]
pub struct DescribeTopicPartitionsRequest {
    pub topics: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DescribeTopicPartitionsResponse {
    pub topics: Vec<DescribedTopic>,
}

#[derive(Clone, Debug)]
pub struct DescribedTopic {
    pub error: ErrorCode,
    pub name: Rc<str>,
    pub id: Option<TopicId>,
    pub internal: bool,
    pub partitions: Vec<DescribedPartition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedPartition {
    pub error: ErrorCode,
    pub partition: i32,
    pub leader: NodeId,
    pub leader_epoch: i32,
    pub replicas: Vec<NodeId>,
    pub isr: Vec<NodeId>,
    pub elr: Vec<NodeId>,
    pub last_known_elr: Vec<NodeId>,
    pub offline: Vec<NodeId>,
}

#[derive(Clone, Debug, Default)]
pub struct DescribeQuorumRequest;

#[derive(Clone, Debug)]
pub struct DescribeQuorumResponse {
    pub error: ErrorCode,
    pub leader: NodeId,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub voters: Vec<QuorumReplica>,
    pub observers: Vec<QuorumReplica>,
}

/// A voter or observer as the quorum's leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumReplica {
    pub id: NodeId,
    /// -1 unknown.
    pub log_end_offset: i64,
    /// Wall clock in ms; -1 never; of the leader itself now.
    pub last_fetch_ms: i64,
    /// When it last had all that the leader had; -1 never.
    pub last_caught_up_ms: i64,
}

#[derive(Clone, Debug, Default)]
pub struct DescribeLogDirsRequest;

#[derive(Clone, Debug)]
pub struct DescribeLogDirsResponse {
    /// The broker's one directory.
    pub dir: Rc<str>,
    /// The replicas in it.
    pub replicas: Vec<ReplicaInDir>,
}

/// A replica in a log directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplicaInDir {
    pub partition: NamedPartition,
    /// Bytes.
    pub size: i64,
    /// How far the log's end is behind the high watermark.
    pub offset_lag: i64,
}
