//! The words that every room of Kafka shares: ids, partitions, bytes. Nothing here decides anything.

use std::cmp::Ordering;
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TopicPartition {
    pub topic: TopicId,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: TopicId, partition: i32) -> Self {
        Self { topic, partition }
    }

    /// Both numbers as one that has their order: first by topic, then by partition. Look-ups by partition are most
    /// of what a broker does for a message, and one comparison each is half the work of two.
    fn rank(self) -> u64 {
        const SIGN: u32 = 1 << 31;
        u64::from(self.topic.0) << 32 | u64::from(self.partition as u32 ^ SIGN)
    }
}

impl PartialOrd for TopicPartition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TopicPartition {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}-{}", self.topic.0, self.partition)
    }
}

/// A partition by the topic's name, as clients and people say it: `loan_request-0`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NamedPartition {
    pub topic: Rc<str>,
    pub partition: i32,
}

impl PartialOrd for NamedPartition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By the topic's name, then by number.
impl Ord for NamedPartition {
    fn cmp(&self, other: &Self) -> Ordering {
        // Partitions of one topic mostly share its name, and need no look at its letters.
        let topics = match Rc::ptr_eq(&self.topic, &other.topic) {
            true => Ordering::Equal,
            false => self.topic.cmp(&other.topic),
        };
        topics.then(self.partition.cmp(&other.partition))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn partitions_are_in_the_order_of_topic_and_number(a: (u32, i32), b: (u32, i32), names: (String, String)) {
            let by_id = |(topic, partition)| TopicPartition::new(TopicId(topic), partition);
            prop_assert_eq!(by_id(a).cmp(&by_id(b)), a.cmp(&b));
            prop_assert_eq!(by_id(a).cmp(&by_id((a.0, b.1))), a.1.cmp(&b.1));
            let by_name = |topic: &Rc<str>, partition| NamedPartition { topic: topic.clone(), partition };
            let names: (Rc<str>, Rc<str>) = (names.0.into(), names.1.into());
            let (here, there) = ((&names.0, a.1), (&names.1, b.1));
            prop_assert_eq!(by_name(here.0, here.1).cmp(&by_name(there.0, there.1)), here.cmp(&there));
            prop_assert_eq!(by_name(here.0, here.1).cmp(&by_name(here.0, there.1)), here.1.cmp(&there.1));
        }
    }
}
