//! Calls that somebody outside makes on a client, and what they return, in the Java clients' own terms.

use super::super::types::{Bytes, NamedPartition, TopicId};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::admin::{DescribedConfig, DescribedPartition, OngoingReassignment, ReplicaInDir};
use crate::kafka::protocol::data::{ActiveProducer, BrokerNode};
use crate::kafka::protocol::groups::{CommittedOffset, GroupListing};
use crate::kafka::protocol::transactions::{DescribedTransaction, ListedTransaction};
use crate::ordered::OrderedMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// Names one call; whoever makes it chooses the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// An exception as a user of the client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientError {
    /// Simple class name: `NotEnoughReplicasException`.
    pub class: Rc<str>,
    pub message: Option<Rc<str>>,
    pub cause: Option<Box<ClientError>>,
}

impl ClientError {
    pub fn new(class: &str, message: &str) -> Self {
        ClientError {
            class: class.into(),
            message: Some(message.into()),
            cause: None,
        }
    }

    /// The exception of a protocol's error; `None` has its default text. [Errors.exception]
    pub fn of(error: ErrorCode, message: Option<&str>) -> Self {
        ClientError::new(error.exception(), message.unwrap_or(error.message()))
    }

    /// `org.apache.kafka.common.errors.TimeoutException: ...`, as Java prints it.
    pub fn full_text(&self) -> String {
        let message = self.message.as_deref().unwrap_or_default();
        format!("org.apache.kafka.common.errors.{}: {message}", self.class)
    }

    pub fn caused_by(mut self, cause: ClientError) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }
}

/// What became of one record handed to `send()`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sent {
    /// Offset `None`: not told (acks=0, or a duplicate sequence).
    At(NamedPartition, Option<i64>),
    Failed(ClientError),
    /// `send()` itself threw.
    Threw(ClientError),
}

/// A record as `poll()` returns it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consumed {
    pub partition: NamedPartition,
    pub offset: i64,
    pub leader_epoch: i32,
    pub timestamp: i64,
    /// The topic stamps with the time of the append.
    pub append_time: bool,
    pub key: Option<Rc<[u8]>>,
    pub value: Option<Rc<[u8]>>,
    pub headers: Vec<(Rc<str>, Option<Bytes>)>,
    /// The ledger's number of the record.
    pub origin: u32,
    /// How often a share group was given it, this time included; `None`: it is read by no share group.
    pub delivery: Option<u16>,
}

/// Offset, timestamp, leader epoch.
pub type FoundOffset = (i64, i64, i32);

/// What a call returned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    Done,
    Sent(Vec<Sent>),
    Records(Vec<Consumed>),
    Position(i64),
    Committed(OrderedMap<NamedPartition, Option<CommittedOffset>>),
    /// Partition to offset, timestamp, leader epoch (`None`: no such offset).
    Offsets(OrderedMap<NamedPartition, Result<Option<FoundOffset>, ClientError>>),
    /// Per name (topic, group, partition, ...) done or the error.
    Each(OrderedMap<Rc<str>, Result<(), ClientError>>),
    /// Created (or only checked) topic to its partition count and replication factor.
    Created(OrderedMap<Rc<str>, Result<(i32, i16), ClientError>>),
    /// Topic to its partitions.
    Topics(OrderedMap<Rc<str>, Result<SeenTopic, ClientError>>),
    Configs(Vec<SeenConfig>),
    Cluster {
        controller: i32,
        brokers: Vec<(i32, bool)>,
        /// The brokers with their addresses.
        nodes: Vec<BrokerNode>,
    },
    /// Names of topics, and which are internal, in order.
    TopicNames(Vec<(Rc<str>, bool)>),
    Reassignments(Vec<SeenReassignment>),
    /// Partition to low watermark.
    LowWatermarks(OrderedMap<NamedPartition, Result<i64, ClientError>>),
    /// Where a share group stands; `None`: it has not begun there.
    ShareOffsets(OrderedMap<NamedPartition, Option<SeenShareOffset>>),
    Groups(Vec<GroupListing>),
    Group(SeenGroup),
    Producers(Vec<SeenProducer>),
    Transactions(Vec<ListedTransaction>),
    Transaction {
        coordinator: i32,
        found: DescribedTransaction,
    },
    Fenced {
        producer_id: i64,
        epoch: i16,
    },
    Quorum {
        leader: i32,
        epoch: i32,
        voters: Vec<i32>,
        observers: Vec<i32>,
    },
    Features(OrderedMap<Rc<str>, i16>),
    /// A broker's log directory and the replicas in it.
    LogDir {
        dir: Rc<str>,
        replicas: Vec<ReplicaInDir>,
    },
    /// The answer to a raw request, by its name on the wire.
    Raw(&'static str),
}

/// A share group's place in a partition as an admin lists it. [SharePartitionOffsetInfo]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SeenShareOffset {
    /// SPSO as of the last write of the state.
    pub start: i64,
    pub leader_epoch: Option<i32>,
    /// Records that are not finished.
    pub lag: Option<i64>,
}

/// A topic as an admin describes it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SeenTopic {
    pub id: Option<TopicId>,
    pub internal: bool,
    pub partitions: Vec<SeenPartition>,
}

/// A partition as an admin describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPartition(pub DescribedPartition);

impl Hash for SeenPartition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.partition, self.0.leader, self.0.leader_epoch).hash(state);
        (&self.0.replicas, &self.0.isr, &self.0.elr).hash(state);
    }
}

/// A setting as an admin describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenConfig(pub DescribedConfig);

impl Hash for SeenConfig {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.name, &self.0.value, self.0.source).hash(state);
    }
}

/// A reassignment as an admin lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenReassignment(pub OngoingReassignment);

impl Hash for SeenReassignment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.0.partition, &self.0.replicas, &self.0.adding, &self.0.removing).hash(state);
    }
}

/// A producer as an admin describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenProducer(pub ActiveProducer);

impl Hash for SeenProducer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.producer_id, self.0.producer_epoch, self.0.last_sequence).hash(state);
    }
}

/// A group as an admin describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeenGroup {
    pub group: Rc<str>,
    pub kind: Rc<str>,
    pub state: Rc<str>,
    pub protocol_type: Rc<str>,
    pub assignor: Rc<str>,
    pub coordinator: Option<i32>,
    pub epoch: i32,
    /// Of a consumer group.
    pub assignment_epoch: Option<i32>,
    pub members: Vec<SeenMember>,
}

/// A member as an admin describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SeenMember {
    pub client_id: Rc<str>,
    pub member_id: Rc<str>,
    pub instance: Option<Rc<str>>,
    pub assigned: Vec<NamedPartition>,
}

/// What a call ends in.
pub type CallResult = Result<Rc<Answer>, ClientError>;
