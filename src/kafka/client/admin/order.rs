//! What an admin client is told to do.

use crate::kafka::client::call::CallId;
use crate::kafka::client::network::NetTimer;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, CreatableTopic, ElectionType};
use crate::kafka::protocol::data::Isolation;
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// A call on the admin client; it returns in a `Fact::Returned`.
#[derive(Clone, Debug)]
pub struct AdminOrder {
    pub call: CallId,
    pub what: AdminCall,
}

#[derive(Clone, Debug)]
pub enum AdminCall {
    CreateTopics {
        topics: Vec<CreatableTopic>,
        validate_only: bool,
    },
    DeleteTopics {
        topics: Vec<Rc<str>>,
    },
    ListTopics,
    DescribeTopics {
        topics: Vec<Rc<str>>,
    },
    /// Topic, total count, assignments of the new ones.
    CreatePartitions {
        topic: Rc<str>,
        count: i32,
        assignments: Option<Vec<Vec<i32>>>,
    },
    DeleteRecords {
        before: Vec<(NamedPartition, i64)>,
    },
    AlterConfigs {
        resource: ConfigResource,
        ops: Vec<(Rc<str>, AlterOp)>,
    },
    DescribeConfigs {
        resource: ConfigResource,
        keys: Option<Vec<Rc<str>>>,
    },
    ListOffsets {
        partitions: Vec<(NamedPartition, i64)>,
        isolation: Isolation,
    },
    ElectLeaders {
        kind: ElectionType,
        partitions: Option<Vec<NamedPartition>>,
    },
    Reassign {
        partitions: Vec<(NamedPartition, Option<Vec<i32>>)>,
        allow_replication_factor_change: bool,
    },
    ListReassignments {
        partitions: Option<Vec<NamedPartition>>,
    },
    DescribeCluster {
        include_fenced: bool,
    },
    UnregisterBroker {
        broker: i32,
    },
    DescribeFeatures,
    /// What lies in one broker's log directory.
    DescribeLogDirs {
        broker: i32,
    },
    DescribeQuorum,
    ListGroups,
    DescribeGroup {
        group: Rc<str>,
    },
    DeleteGroup {
        group: Rc<str>,
    },
    GroupOffsets {
        group: Rc<str>,
    },
    AlterGroupOffsets {
        group: Rc<str>,
        offsets: Vec<(NamedPartition, i64)>,
    },
    DeleteGroupOffsets {
        group: Rc<str>,
        partitions: Vec<NamedPartition>,
    },
    /// Static members by their instance ids; none: all members.
    RemoveMembers {
        group: Rc<str>,
        members: Vec<Rc<str>>,
    },
    /// `describeShareGroups`
    DescribeShareGroup {
        group: Rc<str>,
    },
    /// `listShareGroupOffsets`
    ShareGroupOffsets {
        group: Rc<str>,
    },
    /// `alterShareGroupOffsets`
    AlterShareGroupOffsets {
        group: Rc<str>,
        offsets: Vec<(NamedPartition, i64)>,
    },
    /// `deleteShareGroupOffsets`
    DeleteShareGroupOffsets {
        group: Rc<str>,
        topics: Vec<Rc<str>>,
    },
    DescribeProducers {
        partition: NamedPartition,
    },
    ListTransactions,
    DescribeTransaction {
        id: Rc<str>,
    },
    /// `fenceProducers`, or with `terminate` `forceTerminateTransaction`.
    FenceProducer {
        id: Rc<str>,
        terminate: bool,
    },
    /// An abort marker straight to the partition's leader.
    AbortTransaction {
        partition: NamedPartition,
        producer_id: i64,
        producer_epoch: i16,
        coordinator_epoch: i32,
    },
    /// Any request to any broker, for tests.
    Raw {
        body: Body,
    },
}

/// What an admin client waits for.
#[derive(Clone, Debug)]
pub enum AdminTimer {
    /// Its network looks again.
    Net(NetTimer),
    /// Its calls look again: back-off, deadlines.
    Wake,
}
