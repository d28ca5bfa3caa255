//! The consumer protocol (KIP-848): one request keeps a member in its group and brings it its partitions.

use super::errors::ErrorCode;
use crate::kafka::types::{NamedPartition, TopicPartition};
use std::rc::Rc;

/// Epoch of a member that joins.
pub const JOIN_EPOCH: i32 = 0;
/// Epoch of a member that leaves.
pub const LEAVE_EPOCH: i32 = -1;
/// Epoch of a static member that leaves for a while.
pub const LEAVE_STATIC_EPOCH: i32 = -2;

/// `None`: unchanged since the last request of the member.
#[derive(Clone, Debug)]
pub struct ConsumerGroupHeartbeatRequest {
    pub group: Rc<str>,
    /// Made by the client.
    pub member_id: Rc<str>,
    /// The epoch that the member is in; 0 to join, -1 to leave, -2 to leave as a static member that will be back.
    pub member_epoch: i32,
    pub instance_id: Option<Rc<str>>,
    pub rack: Option<Rc<str>>,
    /// ms; -1: unchanged.
    pub rebalance_timeout_ms: i32,
    pub topics: Option<Rc<[Rc<str>]>>,
    pub regex: Option<Rc<str>>,
    /// The server's assignor that it wants.
    pub assignor: Option<Rc<str>>,
    /// What it has taken over.
    pub owned: Option<Rc<[TopicPartition]>>,
}

#[derive(Clone, Debug)]
pub struct ConsumerGroupHeartbeatResponse {
    pub error: ErrorCode,
    pub message: Option<Rc<str>>,
    pub member_id: Rc<str>,
    pub member_epoch: i32,
    /// When the next one is due, ms.
    pub heartbeat_interval_ms: i64,
    /// All that the member may have now; `None`: as before.
    pub assignment: Option<Rc<[TopicPartition]>>,
}

#[derive(Clone, Debug)]
pub struct ConsumerGroupDescribeRequest {
    pub groups: Vec<Rc<str>>,
}

#[derive(Clone, Debug)]
pub struct ConsumerGroupDescribeResponse {
    pub groups: Vec<DescribedConsumerGroup>,
}

#[derive(Clone, Debug)]
pub struct DescribedConsumerGroup {
    pub error: ErrorCode,
    pub message: Option<Rc<str>>,
    pub group: Rc<str>,
    pub state: Rc<str>,
    /// Group epoch.
    pub epoch: i32,
    pub assignment_epoch: i32,
    pub assignor: Rc<str>,
    pub members: Vec<DescribedConsumerMember>,
}

#[derive(Clone, Debug)]
pub struct DescribedConsumerMember {
    pub member_id: Rc<str>,
    pub instance_id: Option<Rc<str>>,
    pub client_id: Rc<str>,
    pub epoch: i32,
    pub topics: Vec<Rc<str>>,
    pub regex: Option<Rc<str>>,
    /// What it has, and what it is to give up.
    pub assigned: Rc<[NamedPartition]>,
    pub target: Rc<[NamedPartition]>,
    /// It speaks the classic protocol.
    pub classic: bool,
}
