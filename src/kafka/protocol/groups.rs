//! Group coordinator: find, join, sync, heartbeat, leave, offsets, admin's questions.

use super::data::BrokerNode;
use super::errors::ErrorCode;
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoordinatorKind {
    Group,
    Transaction,
}

#[derive(Clone, Debug)]
pub struct FindCoordinatorRequest {
    pub kind: CoordinatorKind,
    pub key: Rc<str>,
}

#[derive(Clone, Debug)]
pub struct FindCoordinatorResponse {
    pub error: ErrorCode,
    pub node: Option<BrokerNode>,
}

/// What a consumer tells the assignor of its group's leader (ConsumerProtocolSubscription).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subscription {
    pub topics: Vec<Rc<str>>,
    pub owned: Vec<NamedPartition>,
    /// -1: none yet.
    pub generation: i32,
    pub rack: Option<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct JoinGroupRequest {
    pub group: Rc<str>,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Empty at the first join.
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    /// "consumer".
    pub protocol_type: Rc<str>,
    /// Assignors in the order of preference, with what each is told.
    pub protocols: Vec<(Rc<str>, Rc<Subscription>)>,
}

#[derive(Clone, Debug)]
pub struct JoinGroupResponse {
    pub error: ErrorCode,
    pub generation: i32,
    pub protocol: Option<Rc<str>>,
    /// Member id of the leader.
    pub leader: Rc<str>,
    pub skip_assignment: bool,
    pub member_id: Rc<str>,
    /// Only for the leader.
    pub members: Vec<JoinedMember>,
}

#[derive(Clone, Debug)]
pub struct JoinedMember {
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    pub subscription: Rc<Subscription>,
}

#[derive(Clone, Debug)]
pub struct SyncGroupRequest {
    pub group: Rc<str>,
    pub generation: i32,
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    pub protocol_type: Option<Rc<str>>,
    pub protocol: Option<Rc<str>>,
    /// Empty unless it comes from the leader.
    pub assignments: Vec<(Rc<str>, Rc<[NamedPartition]>)>,
}

#[derive(Clone, Debug)]
pub struct SyncGroupResponse {
    pub error: ErrorCode,
    pub protocol: Option<Rc<str>>,
    pub assignment: Rc<[NamedPartition]>,
}

#[derive(Clone, Debug)]
pub struct HeartbeatRequest {
    pub group: Rc<str>,
    pub generation: i32,
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct HeartbeatResponse {
    pub error: ErrorCode,
}

#[derive(Clone, Debug)]
pub struct LeaveGroupRequest {
    pub group: Rc<str>,
    /// Member id (may be empty for an instance) and instance id.
    pub members: Vec<(Rc<str>, Option<Rc<str>>)>,
}

#[derive(Clone, Debug)]
pub struct LeaveGroupResponse {
    pub error: ErrorCode,
    pub members: Vec<(Rc<str>, Option<Rc<str>>, ErrorCode)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommittedOffset {
    pub offset: i64,
    /// -1: unknown.
    pub leader_epoch: i32,
    pub metadata: Rc<str>,
}

#[derive(Clone, Debug)]
pub struct OffsetCommitRequest {
    pub group: Rc<str>,
    /// Generation or member epoch; -1: from outside the group.
    pub generation: i32,
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    pub offsets: Vec<(NamedPartition, CommittedOffset)>,
}

#[derive(Clone, Debug)]
pub struct OffsetCommitResponse {
    pub partitions: Vec<(NamedPartition, ErrorCode)>,
}

#[derive(Clone, Debug)]
pub struct OffsetFetchRequest {
    pub group: Rc<str>,
    /// A member of a consumer group says who it is; `None`: from outside, or of the classic protocol.
    pub member: Option<(Rc<str>, i32)>,
    /// `None`: all that the group has.
    pub partitions: Option<Vec<NamedPartition>>,
    pub require_stable: bool,
}

#[derive(Clone, Debug)]
pub struct OffsetFetchResponse {
    pub error: ErrorCode,
    /// Offset -1: none committed.
    pub partitions: Vec<(NamedPartition, CommittedOffset, ErrorCode)>,
}

#[derive(Clone, Debug)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DescribeGroupsResponse {
    pub groups: Vec<DescribedGroup>,
}

#[derive(Clone, Debug)]
pub struct DescribedGroup {
    pub error: ErrorCode,
    pub message: Option<Rc<str>>,
    pub group: Rc<str>,
    pub state: Rc<str>,
    pub protocol_type: Rc<str>,
    /// The assignor, empty if none.
    pub protocol: Rc<str>,
    pub generation: i32,
    pub members: Vec<DescribedMember>,
}

#[derive(Clone, Debug)]
pub struct DescribedMember {
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    pub client_id: Rc<str>,
    pub assignment: Rc<[NamedPartition]>,
}

#[derive(Clone, Debug, Default)]
pub struct ListGroupsRequest;

/// Group, protocol type, state, group type.
pub type GroupListing = (Rc<str>, Rc<str>, Rc<str>, Rc<str>);

#[derive(Clone, Debug)]
pub struct ListGroupsResponse {
    pub error: ErrorCode,
    pub groups: Vec<GroupListing>,
}

#[derive(Clone, Debug)]
pub struct DeleteGroupsRequest {
    pub groups: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct DeleteGroupsResponse {
    pub groups: Vec<(Rc<str>, ErrorCode)>,
}

#[derive(Clone, Debug)]
pub struct OffsetDeleteRequest {
    pub group: Rc<str>,
    pub partitions: Vec<NamedPartition>,
}

#[derive(Clone, Debug)]
pub struct OffsetDeleteResponse {
    pub error: ErrorCode,
    pub partitions: Vec<(NamedPartition, ErrorCode)>,
}
