//! Records of `__consumer_offsets` and their bytes. Which records there are, and when one is written, is Kafka's; the
//! bytes are our own: a type, then the fields in order, numbers as zigzag varints, texts with their length, lists with
//! their count. [GroupCoordinatorRecordHelpers, CoordinatorRecordSerde]

use super::modern::records::{ModernRecord, kind_of};
use super::view::GroupType;
use crate::kafka::protocol::groups::{CommittedOffset, Subscription};
use crate::kafka::types::{Bytes, NamedPartition, TopicId};
use std::rc::Rc;

/// Key types, as Kafka numbers them. [CoordinatorRecordType]
const OFFSET_COMMIT: i64 = 1;
const GROUP_METADATA: i64 = 2;

/// A committed offset as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffset {
    pub committed: CommittedOffset,
    /// The topic that the offset belongs to; a topic created again under its name has none.
    pub topic: TopicId,
    /// When it was committed, ms since 1970.
    pub commit_time: i64,
    /// Where its record stands in the log; -1 before it does. A transaction that ends takes no newer commit back.
    pub record_offset: i64,
}

/// A classic group as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredGroup {
    pub protocol_type: Option<Rc<str>>,
    pub generation: i32,
    pub protocol: Option<Rc<str>>,
    pub leader: Option<Rc<str>>,
    /// When the group came into its state, ms since 1970.
    pub state_since: Option<i64>,
    pub members: Vec<StoredMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredMember {
    pub id: Rc<str>,
    pub instance: Option<Rc<str>>,
    pub client_id: Rc<str>,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Rc<Subscription>,
    pub assignment: Rc<[NamedPartition]>,
}

/// One record. `None` is a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupRecord {
    Offset {
        group: Rc<str>,
        partition: NamedPartition,
        value: Option<StoredOffset>,
    },
    Group {
        group: Rc<str>,
        value: Option<StoredGroup>,
    },
    /// Of a consumer or share group.
    Modern {
        group: Rc<str>,
        kind: GroupType,
        record: ModernRecord,
    },
}

impl GroupRecord {
    /// Key and value.
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        let mut key = Writer::default();
        match self {
            GroupRecord::Offset {
                group,
                partition,
                value,
            } => {
                key.number(OFFSET_COMMIT);
                key.text(group);
                key.partition(partition);
                (key.done(), value.as_ref().map(encode_offset))
            }
            GroupRecord::Group { group, value } => {
                key.number(GROUP_METADATA);
                key.text(group);
                (key.done(), value.as_ref().map(encode_group))
            }
            GroupRecord::Modern { group, kind, record } => record.encode(*kind, group),
        }
    }

    /// Reads it back; `None` if it is of a type not known, or no record of this topic at all.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Option<GroupRecord> {
        let mut key = Reader(key);
        match key.number()? {
            OFFSET_COMMIT => Some(GroupRecord::Offset {
                group: key.text()?,
                partition: key.partition()?,
                value: match value {
                    Some(value) => Some(decode_offset(value)?),
                    None => None,
                },
            }),
            GROUP_METADATA => Some(GroupRecord::Group {
                group: key.text()?,
                value: match value {
                    Some(value) => Some(decode_group(value)?),
                    None => None,
                },
            }),
            key_type => {
                let (kind, place) = kind_of(key_type)?;
                let group = key.text()?;
                let record = ModernRecord::decode(place, &mut key, value)?;
                Some(GroupRecord::Modern { group, kind, record })
            }
        }
    }
}

fn encode_offset(value: &StoredOffset) -> Bytes {
    let mut w = Writer::default();
    w.number(value.committed.offset);
    w.number(i64::from(value.committed.leader_epoch));
    w.text(&value.committed.metadata);
    w.number(i64::from(value.topic.0));
    w.number(value.commit_time);
    w.done()
}

fn decode_offset(bytes: &[u8]) -> Option<StoredOffset> {
    let mut r = Reader(bytes);
    Some(StoredOffset {
        committed: CommittedOffset {
            offset: r.number()?,
            leader_epoch: r.int()?,
            metadata: r.text()?,
        },
        topic: TopicId(u32::try_from(r.number()?).ok()?),
        commit_time: r.number()?,
        record_offset: -1,
    })
}

fn encode_group(value: &StoredGroup) -> Bytes {
    let mut w = Writer::default();
    w.opt_text(&value.protocol_type);
    w.number(i64::from(value.generation));
    w.opt_text(&value.protocol);
    w.opt_text(&value.leader);
    w.number(value.state_since.unwrap_or(-1));
    w.number(value.members.len() as i64);
    for member in &value.members {
        w.text(&member.id);
        w.opt_text(&member.instance);
        w.text(&member.client_id);
        w.number(i64::from(member.rebalance_timeout_ms));
        w.number(i64::from(member.session_timeout_ms));
        w.subscription(&member.subscription);
        w.partitions(&member.assignment);
    }
    w.done()
}

fn decode_group(bytes: &[u8]) -> Option<StoredGroup> {
    let mut r = Reader(bytes);
    let mut group = StoredGroup {
        protocol_type: r.opt_text()?,
        generation: r.int()?,
        protocol: r.opt_text()?,
        leader: r.opt_text()?,
        state_since: Some(r.number()?).filter(|since| *since != -1),
        members: Vec::new(),
    };
    for _ in 0..r.number()? {
        group.members.push(StoredMember {
            id: r.text()?,
            instance: r.opt_text()?,
            client_id: r.text()?,
            rebalance_timeout_ms: r.int()?,
            session_timeout_ms: r.int()?,
            subscription: Rc::new(r.subscription()?),
            assignment: r.partitions()?.into(),
        });
    }
    Some(group)
}

/// Writes numbers as zigzag varints and texts with their length.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    pub fn done(self) -> Bytes {
        self.0.into()
    }

    pub fn number(&mut self, value: i64) {
        let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
        while zigzag >= 0x80 {
            self.0.push(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        self.0.push(zigzag as u8);
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.extend_from_slice(text.as_bytes());
    }

    pub fn opt_text(&mut self, text: &Option<Rc<str>>) {
        match text {
            Some(text) => self.text(text),
            None => self.number(-1),
        }
    }

    pub fn partition(&mut self, partition: &NamedPartition) {
        self.text(&partition.topic);
        self.number(i64::from(partition.partition));
    }

    pub fn partitions(&mut self, partitions: &[NamedPartition]) {
        self.number(partitions.len() as i64);
        partitions.iter().for_each(|partition| self.partition(partition));
    }

    pub fn subscription(&mut self, subscription: &Subscription) {
        self.number(subscription.topics.len() as i64);
        subscription.topics.iter().for_each(|topic| self.text(topic));
        self.partitions(&subscription.owned);
        self.number(i64::from(subscription.generation));
        self.opt_text(&subscription.rack);
    }
}

/// Reads what a [`Writer`] wrote.
pub struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn number(&mut self) -> Option<i64> {
        let mut zigzag = 0u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            zigzag |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
            }
        }
        None
    }

    pub fn int(&mut self) -> Option<i32> {
        i32::try_from(self.number()?).ok()
    }

    pub fn text(&mut self) -> Option<Rc<str>> {
        self.opt_text()?
    }

    /// The outer `None` is for bytes that are no text.
    pub fn opt_text(&mut self) -> Option<Option<Rc<str>>> {
        let length = self.number()?;
        if length == -1 {
            return Some(None);
        }
        let (text, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(Some(std::str::from_utf8(text).ok()?.into()))
    }

    pub fn partition(&mut self) -> Option<NamedPartition> {
        Some(NamedPartition {
            topic: self.text()?,
            partition: self.int()?,
        })
    }

    pub fn partitions(&mut self) -> Option<Vec<NamedPartition>> {
        (0..self.number()?).map(|_| self.partition()).collect()
    }

    pub fn subscription(&mut self) -> Option<Subscription> {
        Some(Subscription {
            topics: (0..self.number()?).map(|_| self.text()).collect::<Option<_>>()?,
            owned: self.partitions()?,
            generation: self.int()?,
            rack: self.opt_text()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn partition(topic: &str, partition: i32) -> NamedPartition {
        NamedPartition {
            topic: topic.into(),
            partition,
        }
    }

    fn back(record: &GroupRecord) -> Option<GroupRecord> {
        let (key, value) = record.encode();
        GroupRecord::decode(&key, value.as_deref())
    }

    #[test]
    fn records_come_back_as_they_went() {
        let member = StoredMember {
            id: "c-1".into(),
            instance: Some("i".into()),
            client_id: "".into(),
            rebalance_timeout_ms: 300_000,
            session_timeout_ms: 45_000,
            subscription: Rc::new(Subscription {
                topics: vec!["a".into(), "b".into()],
                owned: vec![partition("a", 3)],
                generation: -1,
                rack: None,
            }),
            assignment: vec![partition("b", 0)].into(),
        };
        let value = StoredGroup {
            protocol_type: Some("consumer".into()),
            generation: 7,
            protocol: Some("range".into()),
            leader: None,
            state_since: Some(1_790_000_000_000),
            members: vec![member],
        };
        for value in [Some(value), None] {
            let record = GroupRecord::Group {
                group: "g".into(),
                value,
            };
            assert_eq!(back(&record), Some(record));
        }
    }

    proptest! {
        #[test]
        fn offsets_come_back_as_they_went(offset: i64, epoch: i32, metadata: String, topic: u32, at: i64, p: i32) {
            let committed = CommittedOffset { offset, leader_epoch: epoch, metadata: metadata.into() };
            let value = StoredOffset { committed, topic: TopicId(topic), commit_time: at, record_offset: -1 };
            let record = GroupRecord::Offset { group: "".into(), partition: partition("t", p), value: Some(value) };
            prop_assert_eq!(back(&record), Some(record));
        }

        #[test]
        fn bytes_that_are_no_record_are_told(mut key: Vec<u8>, value: Vec<u8>, kind in 0u8..6) {
            key.insert(0, kind);
            if let Some(record) = GroupRecord::decode(&key, Some(&value)) {
                prop_assert_eq!(back(&record), Some(record));
            }
        }
    }
}
