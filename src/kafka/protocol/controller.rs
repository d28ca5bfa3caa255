//! Between brokers and the controller: registration, heartbeats, ISR changes, the metadata log, forwarded requests.

use super::body::Body;
use super::data::BrokerNode;
use super::errors::ErrorCode;
use crate::kafka::controller::partition::LeaderRecoveryState;
use crate::kafka::listeners::Endpoints;
use crate::kafka::metadata::records::MetadataBatch;
use crate::kafka::types::{NodeId, TopicPartition};
use std::rc::Rc;

#[derive(Clone, Debug)]
pub struct BrokerRegistrationRequest {
    /// Id, advertised address (to other brokers) and rack.
    pub node: BrokerNode,
    /// Where each of its listeners is advertised.
    pub endpoints: Endpoints,
    /// Random for each incarnation.
    pub incarnation: u64,
    /// From the clean-shutdown file; -1 after anything else.
    pub previous_broker_epoch: i64,
}

#[derive(Clone, Debug)]
pub struct BrokerRegistrationResponse {
    pub error: ErrorCode,
    pub message: Option<Rc<str>>,
    pub broker_epoch: i64,
}

#[derive(Clone, Debug)]
pub struct BrokerHeartbeatRequest {
    pub broker: NodeId,
    pub broker_epoch: i64,
    /// Metadata offset it has applied.
    pub current_metadata_offset: i64,
    pub want_fence: bool,
    pub want_shut_down: bool,
}

#[derive(Clone, Debug)]
pub struct BrokerHeartbeatResponse {
    pub error: ErrorCode,
    pub is_caught_up: bool,
    pub is_fenced: bool,
    pub should_shut_down: bool,
}

#[derive(Clone, Debug)]
pub struct AlterPartitionRequest {
    pub broker: NodeId,
    pub broker_epoch: i64,
    pub partitions: Vec<AlterPartitionData>,
}

#[derive(Clone, Debug)]
pub struct AlterPartitionData {
    pub partition: TopicPartition,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    /// Replica and its broker epoch (-1: unknown).
    pub new_isr: Vec<(NodeId, i64)>,
    pub recovery: LeaderRecoveryState,
}

#[derive(Clone, Debug)]
pub struct AlterPartitionResponse {
    /// For the whole request.
    pub error: ErrorCode,
    pub partitions: Vec<AlteredPartition>,
}

#[derive(Clone, Debug)]
pub struct AlteredPartition {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    pub leader: NodeId,
    pub leader_epoch: i32,
    pub isr: Vec<NodeId>,
    pub recovery: LeaderRecoveryState,
    pub partition_epoch: i32,
}

#[derive(Clone, Debug)]
pub struct AllocateProducerIdsRequest {
    pub broker: NodeId,
    pub broker_epoch: i64,
}

#[derive(Clone, Debug)]
pub struct AllocateProducerIdsResponse {
    pub error: ErrorCode,
    /// First id of the block and how many.
    pub start: i64,
    pub len: i32,
}

/// A fetch of the metadata log by a broker (an observer of the quorum) or a standby voter.
#[derive(Clone, Debug)]
pub struct QuorumFetchRequest {
    pub replica: NodeId,
    /// Quorum epoch as the asker knows it; 0 if it knows none.
    pub leader_epoch: i32,
    pub fetch_offset: i64,
    /// Epoch of the last record it has; 0 if it has none.
    pub last_fetched_epoch: i32,
    /// What the asker knows to be committed; the answer comes at once if there is more.
    pub high_watermark: i64,
    pub max_wait_ms: i32,
}

#[derive(Clone, Debug)]
pub struct QuorumFetchResponse {
    pub error: ErrorCode,
    pub leader: NodeId,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    /// The asker's log is another one behind this end of this epoch: it cuts its own before it asks again.
    pub diverging: Option<(i32, i64)>,
    pub batches: Vec<Rc<MetadataBatch>>,
}

/// A client's request that a broker passes on to the controller.
#[derive(Clone, Debug)]
pub struct EnvelopeRequest {
    pub client: Rc<str>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub struct EnvelopeResponse {
    /// `NOT_CONTROLLER`: ask again elsewhere.
    pub error: ErrorCode,
    pub body: Option<Body>,
}

/// A voter asks for a vote, or before that (KIP-996) whether it would get it.
#[derive(Clone, Debug)]
pub struct VoteRequest {
    pub replica: NodeId,
    /// Its new epoch; of a pre-vote the one it is in.
    pub epoch: i32,
    pub pre_vote: bool,
    /// The end of its log.
    pub last_epoch: i32,
    pub last_offset: i64,
}

/// Whom a voter knows as leader, in which epoch, and an error: what every answer between voters begins with.
#[derive(Clone, Copy, Debug)]
pub struct QuorumAnswer {
    pub error: ErrorCode,
    pub leader: NodeId,
    pub leader_epoch: i32,
}

#[derive(Clone, Debug)]
pub struct VoteResponse {
    pub answer: QuorumAnswer,
    pub granted: bool,
}

/// A new leader tells a voter that does not fetch from it.
#[derive(Clone, Debug)]
pub struct BeginQuorumEpochRequest {
    pub leader: NodeId,
    pub epoch: i32,
}

#[derive(Clone, Debug)]
pub struct BeginQuorumEpochResponse {
    pub answer: QuorumAnswer,
}

/// A leader gives up.
#[derive(Clone, Debug)]
pub struct EndQuorumEpochRequest {
    pub leader: NodeId,
    pub epoch: i32,
    /// Who should be next: the one with the longest log first.
    pub successors: Vec<NodeId>,
}

#[derive(Clone, Debug)]
pub struct EndQuorumEpochResponse {
    pub answer: QuorumAnswer,
}
