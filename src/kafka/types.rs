//! The words that every room of Kafka shares: ids, partitions, bytes. Nothing here decides anything.

use std::fmt;
use std::rc::Rc;

/// A record's key, value, or any other opaque bytes; cheap to copy.
pub type Bytes = Rc<[u8]>;

/// `node.id` of a broker or controller.
pub type NodeId = i32;

/// No leader.
pub const NO_LEADER: NodeId = -1;

/// A topic's identity: topics deleted and created again under the same name differ in it (KIP-516).
///
/// Real ids are random UUIDs; here the controller numbers the topics in the order of their creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub u32);

/// A partition of one topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: TopicId,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: TopicId, partition: i32) -> Self {
        Self { topic, partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}-{}", self.topic.0, self.partition)
    }
}

/// A partition by the topic's name, as clients and people say it: `loan_request-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedPartition {
    pub topic: Rc<str>,
    pub partition: i32,
}

impl fmt::Display for NamedPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Who leads a partition, and in which epoch; `leader` is [`NO_LEADER`] if nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderAndEpoch {
    pub leader: NodeId,
    pub epoch: i32,
}
