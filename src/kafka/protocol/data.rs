//! Data path: versions, metadata, produce, fetch, offsets of logs. Field names follow the protocol's message files.

use super::errors::ErrorCode;
use crate::kafka::log::batch::Batch;
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use std::rc::Rc;

/// The first request on every client connection.
#[derive(Clone, Debug, Default)]
pub struct ApiVersionsRequest;

#[derive(Clone, Debug, Default)]
pub struct ApiVersionsResponse {
    /// Finalized `transaction.version`.
    pub transaction_version: i16,
    /// All finalized features: name and level.
    pub finalized_features: Vec<(Rc<str>, i16)>,
    /// A controller's port: METADATA is not among what it serves.
    pub of_controller: bool,
}

/// Bytes of another protocol on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What they are.
    pub what: &'static str,
    /// Their first four, read as the size of a request or response.
    pub size: i32,
}

impl Foreign {
    /// The record of a ClientHello: handshake, TLS 1.2 by its header, length 513.
    pub const TLS_HELLO: Foreign = Foreign {
        what: "TLS ClientHello",
        size: i32::from_be_bytes([0x16, 0x03, 0x03, 0x01]),
    };
    pub const HTTP_GET: Foreign = Foreign {
        what: "GET / HTTP/1.1",
        size: i32::from_be_bytes(*b"GET "),
    };
    pub const HTTP_ANSWER: Foreign = Foreign {
        what: "HTTP/1.1 400 Bad Request",
        size: i32::from_be_bytes(*b"HTTP"),
    };
}

/// A broker as clients see it: the advertised address of the listener they asked on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerNode {
    pub id: NodeId,
    pub host: Rc<str>,
    pub port: u16,
    pub rack: Option<Rc<str>>,
}

#[derive(Clone, Debug, Default)]
pub struct MetadataRequest {
    /// `None`: all topics.
    pub topics: Option<Vec<Rc<str>>>,
    pub allow_auto_topic_creation: bool,
}

#[derive(Clone, Debug, Default)]
pub struct MetadataResponse {
    pub cluster_id: Rc<str>,
    /// Brokers that are not fenced, by id.
    pub brokers: Vec<BrokerNode>,
    pub controller_id: NodeId,
    pub topics: Vec<MetadataTopic>,
}

#[derive(Clone, Debug)]
pub struct MetadataTopic {
    pub error: ErrorCode,
    pub name: Rc<str>,
    pub id: Option<TopicId>,
    pub internal: bool,
    pub partitions: Vec<MetadataPartition>,
}

#[derive(Clone, Debug)]
pub struct MetadataPartition {
    /// `LEADER_NOT_AVAILABLE` if nobody leads.
    pub error: ErrorCode,
    pub partition: i32,
    pub leader: NodeId,
    pub leader_epoch: i32,
    pub replicas: Vec<NodeId>,
    pub isr: Vec<NodeId>,
    pub offline: Vec<NodeId>,
}

#[derive(Clone, Debug)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<Rc<str>>,
    pub transaction_timeout_ms: i32,
    /// -1 if it has none yet.
    pub producer_id: i64,
    pub producer_epoch: i16,
}

#[derive(Clone, Debug)]
pub struct InitProducerIdResponse {
    pub error: ErrorCode,
    pub producer_id: i64,
    pub producer_epoch: i16,
}

#[derive(Clone, Debug)]
pub struct ProduceRequest {
    pub transactional_id: Option<Rc<str>>,
    /// 0, 1, or -1 for all.
    pub acks: i16,
    pub timeout_ms: i32,
    /// Version 12 and above: the leader adds the partition to the transaction (transactions version 2).
    pub transaction_v2: bool,
    pub data: Vec<(TopicPartition, Batch)>,
}

#[derive(Clone, Debug, Default)]
pub struct ProduceResponse {
    pub partitions: Vec<ProducedPartition>,
    /// Endpoints of the leaders named in `partitions` (KIP-951).
    pub node_endpoints: Vec<BrokerNode>,
}

#[derive(Clone, Debug)]
pub struct ProducedPartition {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    /// Only record validation and transaction verification carry a text.
    pub message: Option<Rc<str>>,
    /// Index in the batch and text of records that were refused.
    pub record_errors: Vec<(i32, Option<Rc<str>>)>,
    /// -1 on an error.
    pub base_offset: i64,
    /// -1 unless the topic stamps with the time of the append.
    pub log_append_time: i64,
    pub log_start_offset: i64,
    /// With NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH: who leads, as far as this broker knows (KIP-951).
    pub current_leader: Option<(NodeId, i32)>,
}

/// What a reader may see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Isolation {
    #[default]
    ReadUncommitted,
    ReadCommitted,
}

/// `replica` of a client's fetch.
pub const CONSUMER_REPLICA: NodeId = -1;

/// Which fetch session a request belongs to, and where in it (KIP-227).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPoint {
    /// 0: none.
    pub id: i32,
    /// Counts the requests of a session from 1. 0: a full request that asks for a new session; -1: one without.
    pub epoch: i32,
}

impl SessionPoint {
    /// A full request that asks for a session.
    pub const INITIAL: SessionPoint = SessionPoint { id: 0, epoch: 0 };
    /// A full request that wants none.
    pub const NONE: SessionPoint = SessionPoint { id: 0, epoch: -1 };

    /// Names the request all partitions that it is about? [FetchMetadata.isFull]
    pub fn is_full(self) -> bool {
        self.epoch <= 0
    }

    /// The point of the request behind this one. [FetchMetadata.nextEpoch]
    pub fn next(self) -> SessionPoint {
        let epoch = match self.epoch {
            ..0 => -1,
            i32::MAX => 1,
            epoch => epoch + 1,
        };
        SessionPoint { epoch, ..self }
    }
}

#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// The follower that asks, or [`CONSUMER_REPLICA`].
    pub replica: NodeId,
    /// Broker epoch of the follower; -1 for clients.
    pub broker_epoch: i64,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation: Isolation,
    /// `client.rack`; empty if none.
    pub rack: Rc<str>,
    pub session: SessionPoint,
    /// All partitions, or within a session those that are new in it or are to be read elsewhere than before.
    pub partitions: Vec<FetchPartition>,
    /// Partitions that the session is not about any more.
    pub forgotten: Vec<TopicPartition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPartition {
    pub partition: TopicPartition,
    /// -1: not checked.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// Epoch of the last record the follower has; -1: not told.
    pub last_fetched_epoch: i32,
    /// The follower's log start offset; -1 for clients.
    pub log_start_offset: i64,
    pub max_bytes: i32,
}

#[derive(Clone, Debug, Default)]
pub struct FetchResponse {
    /// What is wrong with the session.
    pub error: ErrorCode,
    /// 0: the request has no session, or has none any more.
    pub session: i32,
    /// All partitions, or within a session those of which there is news.
    pub partitions: Vec<FetchedPartition>,
    pub node_endpoints: Vec<BrokerNode>,
}

#[derive(Clone, Debug)]
pub struct FetchedPartition {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// The end of the largest epoch not above the follower's (epoch, end offset).
    pub diverging_epoch: Option<(i32, i64)>,
    pub current_leader: Option<(NodeId, i32)>,
    pub preferred_read_replica: Option<NodeId>,
    /// Producer id and first offset of aborted transactions in the range (read_committed).
    pub aborted: Vec<(i64, i64)>,
    pub batches: Vec<Batch>,
}

/// `ListOffsets`: the special timestamps.
pub const LATEST_TIMESTAMP: i64 = -1;
pub const EARLIEST_TIMESTAMP: i64 = -2;
pub const MAX_TIMESTAMP: i64 = -3;
pub const EARLIEST_LOCAL_TIMESTAMP: i64 = -4;
pub const LATEST_TIERED_TIMESTAMP: i64 = -5;

#[derive(Clone, Debug)]
pub struct ListOffsetsRequest {
    pub replica: NodeId,
    pub isolation: Isolation,
    pub partitions: Vec<ListOffsetsPartition>,
}

#[derive(Clone, Copy, Debug)]
pub struct ListOffsetsPartition {
    pub partition: TopicPartition,
    pub current_leader_epoch: i32,
    pub timestamp: i64,
}

#[derive(Clone, Debug, Default)]
pub struct ListOffsetsResponse {
    pub partitions: Vec<ListedOffset>,
}

#[derive(Clone, Debug)]
pub struct ListedOffset {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    /// -1 if none.
    pub timestamp: i64,
    pub offset: i64,
    pub leader_epoch: i32,
}

#[derive(Clone, Debug)]
pub struct OffsetsForLeaderEpochRequest {
    /// Partition, current leader epoch (-1: not checked), the epoch asked for.
    pub partitions: Vec<(TopicPartition, i32, i32)>,
}

#[derive(Clone, Debug, Default)]
pub struct OffsetsForLeaderEpochResponse {
    /// Partition, error, (epoch, end offset), both -1 if undefined.
    pub partitions: Vec<(TopicPartition, ErrorCode, i32, i64)>,
}

#[derive(Clone, Debug)]
pub struct DeleteRecordsRequest {
    /// Partition and the offset below which records go; -1: the high watermark.
    pub partitions: Vec<(TopicPartition, i64)>,
    pub timeout_ms: i32,
}

#[derive(Clone, Debug, Default)]
pub struct DeleteRecordsResponse {
    /// Partition, error, new low watermark (-1 on an error).
    pub partitions: Vec<(TopicPartition, ErrorCode, i64)>,
}

#[derive(Clone, Debug)]
pub struct DescribeProducersRequest {
    pub partition: TopicPartition,
}

#[derive(Clone, Debug)]
pub struct DescribeProducersResponse {
    pub error: ErrorCode,
    pub producers: Vec<ActiveProducer>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveProducer {
    pub producer_id: i64,
    pub producer_epoch: i32,
    pub last_sequence: i32,
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    /// -1: no open transaction.
    pub current_txn_start_offset: i64,
}
