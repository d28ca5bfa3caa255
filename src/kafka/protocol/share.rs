//! Share groups (KIP-932): members and their records, and the state that the share coordinator keeps for the leaders of
//! partitions.

use super::consumer_group::DescribedConsumerGroup;
use super::data::BrokerNode;
use super::errors::ErrorCode;
use crate::kafka::log::batch::Batch;
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use std::rc::Rc;

/// An error's text; `None`: the error's own.
pub type Message = Option<Rc<str>>;

/// Session epoch of a request that opens a share session. [ShareRequestMetadata.INITIAL_EPOCH]
pub const OPEN_SESSION: i32 = 0;
/// Session epoch of a request that closes a share session. [ShareRequestMetadata.FINAL_EPOCH]
pub const CLOSE_SESSION: i32 = -1;
/// A start offset that nobody has set yet. [PartitionFactory.UNINITIALIZED_START_OFFSET]
pub const NO_START: i64 = -1;

/// Where a record stands. [RecordState]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordState {
    Available,
    Acquired,
    Acknowledged,
    /// Rejected, delivered too often, a gap, or gone from the log.
    Archived,
}

impl RecordState {
    /// As the share coordinator's records number it.
    pub fn id(self) -> u8 {
        match self {
            RecordState::Available => 0,
            RecordState::Acquired => 1,
            RecordState::Acknowledged => 2,
            RecordState::Archived => 4,
        }
    }

    /// The state with this number.
    pub fn of_id(id: i64) -> Option<RecordState> {
        let all = [
            RecordState::Available,
            RecordState::Acquired,
            RecordState::Acknowledged,
            RecordState::Archived,
        ];
        all.into_iter().find(|state| i64::from(state.id()) == id)
    }

    /// Nothing follows it.
    pub fn is_terminal(self) -> bool {
        matches!(self, RecordState::Acknowledged | RecordState::Archived)
    }

    /// As people know it: `acquired`.
    pub fn name(self) -> &'static str {
        match self {
            RecordState::Available => "available",
            RecordState::Acquired => "acquired",
            RecordState::Acknowledged => "acknowledged",
            RecordState::Archived => "archived",
        }
    }
}

/// What a consumer says of a record. [AcknowledgeType]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acknowledge {
    /// There is no record at this offset.
    Gap,
    Accept,
    Release,
    Reject,
    /// More time is needed.
    Renew,
}

impl Acknowledge {
    /// As the client's enum calls it: `ACCEPT`.
    pub fn name(self) -> &'static str {
        match self {
            Acknowledge::Gap => "GAP",
            Acknowledge::Accept => "ACCEPT",
            Acknowledge::Release => "RELEASE",
            Acknowledge::Reject => "REJECT",
            Acknowledge::Renew => "RENEW",
        }
    }

    /// The type of this name, in whatever case.
    pub fn of_name(name: &str) -> Option<Acknowledge> {
        let all = [
            Acknowledge::Accept,
            Acknowledge::Release,
            Acknowledge::Reject,
            Acknowledge::Renew,
        ];
        all.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// A member's word on consecutive records: one type for all of them, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcknowledgeBatch {
    pub first: i64,
    pub last: i64,
    pub types: Vec<Acknowledge>,
}

/// Consecutive records in one state, as they are written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateBatch {
    pub first: i64,
    pub last: i64,
    pub state: RecordState,
    pub deliveries: u16,
}

// ---- membership ----

/// `None`: unchanged since the last request of the member.
#[derive(Clone, Debug)]
pub struct ShareGroupHeartbeatRequest {
    pub group: Rc<str>,
    pub member_id: Rc<str>,
    /// The epoch that the member is in; 0 to join, -1 to leave.
    pub member_epoch: i32,
    pub rack: Option<Rc<str>>,
    pub topics: Option<Rc<[Rc<str>]>>,
}

#[derive(Clone, Debug)]
pub struct ShareGroupHeartbeatResponse {
    pub error: ErrorCode,
    pub message: Message,
    pub member_id: Rc<str>,
    pub member_epoch: i32,
    /// When the next one is due, ms.
    pub heartbeat_interval_ms: i64,
    /// All that the member may read now; `None`: as before.
    pub assignment: Option<Rc<[TopicPartition]>>,
}

#[derive(Clone, Debug)]
pub struct ShareGroupDescribeRequest {
    pub groups: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct ShareGroupDescribeResponse {
    pub groups: Vec<DescribedConsumerGroup>,
}

// ---- records ----

#[derive(Clone, Debug)]
pub struct ShareFetchPartition {
    pub partition: TopicPartition,
    /// Of records that were fetched before.
    pub acknowledgements: Vec<AcknowledgeBatch>,
}

#[derive(Clone, Debug)]
pub struct ShareFetchRequest {
    pub group: Rc<str>,
    pub member_id: Rc<str>,
    pub session_epoch: i32,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub max_records: i32,
    /// About so many records share a state and a lock.
    pub batch_size: i32,
    /// `share.acquire.mode=record_limit`: never more than `max_records`.
    pub record_limit: bool,
    /// Some acknowledgement renews a lock; then nothing is fetched.
    pub renew: bool,
    /// New in the session, or with acknowledgements.
    pub partitions: Vec<ShareFetchPartition>,
    pub forgotten: Vec<TopicPartition>,
}

/// Records that the member has acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcquiredRecords {
    pub first: i64,
    pub last: i64,
    pub deliveries: u16,
}

#[derive(Clone, Debug)]
pub struct ShareFetchedPartition {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    pub message: Message,
    /// What became of the acknowledgements.
    pub acknowledge_error: ErrorCode,
    pub acknowledge_message: Message,
    /// Leader and epoch, if the error says that it moved.
    pub current_leader: Option<(NodeId, i32)>,
    pub acquired: Vec<AcquiredRecords>,
    /// The batches that hold them, and perhaps other records.
    pub batches: Vec<Batch>,
}

impl ShareFetchedPartition {
    /// A partition without records.
    pub fn empty(partition: TopicPartition, error: ErrorCode, message: Message) -> ShareFetchedPartition {
        ShareFetchedPartition {
            partition,
            error,
            message,
            acknowledge_error: ErrorCode::None,
            acknowledge_message: None,
            current_leader: None,
            acquired: Vec::new(),
            batches: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct ShareFetchResponse {
    pub error: ErrorCode,
    pub message: Message,
    /// How long acquired records are locked, ms; 0: not told.
    pub lock_timeout_ms: i64,
    pub partitions: Vec<ShareFetchedPartition>,
    pub node_endpoints: Vec<BrokerNode>,
}

#[derive(Clone, Debug)]
pub struct ShareAcknowledgeRequest {
    pub group: Rc<str>,
    pub member_id: Rc<str>,
    pub session_epoch: i32,
    pub renew: bool,
    pub partitions: Vec<ShareFetchPartition>,
}

#[derive(Clone, Debug)]
pub struct ShareAcknowledgedPartition {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    pub message: Message,
    pub current_leader: Option<(NodeId, i32)>,
}

#[derive(Clone, Debug)]
pub struct ShareAcknowledgeResponse {
    pub error: ErrorCode,
    pub message: Message,
    pub lock_timeout_ms: i64,
    pub partitions: Vec<ShareAcknowledgedPartition>,
    pub node_endpoints: Vec<BrokerNode>,
}

// ---- the share coordinator ----

/// What the share coordinator keeps of one share partition; in requests only what the request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareState {
    /// Grows when the group's offsets are initialized anew; -1: not checked.
    pub state_epoch: i32,
    /// Of the partition's leader; -1: not checked.
    pub leader_epoch: i32,
    /// SPSO; -1: nobody has set it, or it stays.
    pub start: i64,
    /// Finished records at or above the start; -1: not known.
    pub completed: i64,
    pub batches: Rc<[StateBatch]>,
}

impl ShareState {
    /// Nothing known.
    pub fn unknown() -> ShareState {
        ShareState {
            state_epoch: 0,
            leader_epoch: 0,
            start: NO_START,
            completed: -1,
            batches: Rc::from([]),
        }
    }
}

/// What became of one partition of a request to the share coordinator.
#[derive(Clone, Debug)]
pub struct ShareStateResult {
    pub partition: TopicPartition,
    pub error: ErrorCode,
    pub message: Message,
    /// What was read.
    pub state: Option<ShareState>,
}

macro_rules! state_requests {
    ($($request:ident $response:ident;)*) => {$(
        #[derive(Clone, Debug)]
        pub struct $request {
            pub group: Rc<str>,
            pub partitions: Vec<(TopicPartition, ShareState)>,
        }

        #[derive(Clone, Debug)]
        pub struct $response {
            pub partitions: Vec<ShareStateResult>,
        }
    )*};
}

state_requests! {
    InitializeShareGroupStateRequest InitializeShareGroupStateResponse;
    ReadShareGroupStateRequest ReadShareGroupStateResponse;
    WriteShareGroupStateRequest WriteShareGroupStateResponse;
    DeleteShareGroupStateRequest DeleteShareGroupStateResponse;
    ReadShareGroupStateSummaryRequest ReadShareGroupStateSummaryResponse;
}

// ---- operators ----

#[derive(Clone, Debug)]
pub struct DescribeShareGroupOffsetsRequest {
    pub group: Rc<str>,
    /// `None`: all that the group has.
    pub partitions: Option<Vec<NamedPartition>>,
}

#[derive(Clone, Debug)]
pub struct DescribedShareOffset {
    pub partition: NamedPartition,
    pub error: ErrorCode,
    pub message: Message,
    /// SPSO as of the last write of the state; -1: none.
    pub start: i64,
    pub leader_epoch: i32,
    /// Records that are not finished; -1: not known.
    pub lag: i64,
}

#[derive(Clone, Debug)]
pub struct DescribeShareGroupOffsetsResponse {
    pub group: Rc<str>,
    pub error: ErrorCode,
    pub message: Message,
    pub offsets: Vec<DescribedShareOffset>,
}

#[derive(Clone, Debug)]
pub struct AlterShareGroupOffsetsRequest {
    pub group: Rc<str>,
    pub offsets: Vec<(NamedPartition, i64)>,
}

#[derive(Clone, Debug)]
pub struct AlterShareGroupOffsetsResponse {
    pub error: ErrorCode,
    pub message: Message,
    pub partitions: Vec<(NamedPartition, ErrorCode, Message)>,
}

#[derive(Clone, Debug)]
pub struct DeleteShareGroupOffsetsRequest {
    pub group: Rc<str>,
    pub topics: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DeleteShareGroupOffsetsResponse {
    pub error: ErrorCode,
    pub message: Message,
    pub topics: Vec<(Rc<str>, ErrorCode, Message)>,
}
