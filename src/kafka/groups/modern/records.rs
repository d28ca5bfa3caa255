//! Records of consumer and share groups: everything that a new coordinator needs to go on. One kind of record for each
//! thing that changes on its own. [GroupCoordinatorRecordHelpers]

use super::member::{ClassicDetails, Current, Details, Held, MemberState};
use crate::kafka::groups::records::{Reader, Writer};
use crate::kafka::groups::share::topics::ShareTopics;
use crate::kafka::groups::view::GroupType;
use crate::kafka::types::{Bytes, TopicId, TopicPartition};
use crate::ordered::OrderedSet;
use std::rc::Rc;

/// Partitions in order.
pub type Partitions = Rc<[TopicPartition]>;

/// A pattern's topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub topics: OrderedSet<Rc<str>>,
    /// Offset of the metadata that they were found in.
    pub version: i64,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// What a record says; `None` is a tombstone. Members and patterns are named by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kafka::groups) enum ModernRecord {
    /// Group epoch and metadata hash.
    Epoch(Option<(i32, u64)>),
    Member(Rc<str>, Option<Rc<Details>>),
    /// Assignment epoch, and when it was made (ms).
    TargetEpoch(Option<(i32, i64)>),
    Target(Rc<str>, Option<Partitions>),
    Current(Rc<str>, Option<Rc<Current>>),
    Regex(Rc<str>, Option<Rc<Resolved>>),
    /// Of a share group: whose state is initialized.
    ShareTopics(Option<Rc<ShareTopics>>),
}

/// Key types, as Kafka numbers them, in the order of the variants; 0: there is none. [CoordinatorRecordType]
const CONSUMER_TYPES: [i64; 7] = [3, 5, 6, 7, 8, 16, 0];
const SHARE_TYPES: [i64; 7] = [11, 10, 12, 13, 14, 0, 15];

fn types(kind: GroupType) -> &'static [i64; 7] {
    match kind {
        GroupType::Share => &SHARE_TYPES,
        GroupType::Consumer | GroupType::Classic => &CONSUMER_TYPES,
    }
}

/// Which variant a key type stands for, and of which kind of group.
pub(in crate::kafka::groups) fn kind_of(key_type: i64) -> Option<(GroupType, usize)> {
    let kinds = [GroupType::Consumer, GroupType::Share];
    kinds.into_iter().find_map(|kind| {
        let place = types(kind)
            .iter()
            .position(|number| *number == key_type && key_type > 0)?;
        Some((kind, place))
    })
}

impl ModernRecord {
    fn place(&self) -> usize {
        match self {
            ModernRecord::Epoch(_) => 0,
            ModernRecord::Member(..) => 1,
            ModernRecord::TargetEpoch(_) => 2,
            ModernRecord::Target(..) => 3,
            ModernRecord::Current(..) => 4,
            ModernRecord::Regex(..) => 5,
            ModernRecord::ShareTopics(_) => 6,
        }
    }

    /// Key and value.
    pub fn encode(&self, kind: GroupType, group: &Rc<str>) -> (Bytes, Option<Bytes>) {
        let (mut key, mut w) = (Writer::default(), Writer::default());
        key.number(types(kind)[self.place()]);
        key.text(group);
        let there = match self {
            ModernRecord::Epoch(value) => value.map(|(epoch, hash)| {
                w.number(i64::from(epoch));
                w.number(hash as i64);
            }),
            ModernRecord::Member(id, value) => {
                key.text(id);
                value.as_ref().map(|details| encode_details(&mut w, details))
            }
            ModernRecord::TargetEpoch(value) => value.map(|(epoch, at)| {
                w.number(i64::from(epoch));
                w.number(at);
            }),
            ModernRecord::Target(id, value) => {
                key.text(id);
                value.as_ref().map(|target| {
                    w.number(target.len() as i64);
                    target.iter().for_each(|partition| encode_partition(&mut w, *partition));
                })
            }
            ModernRecord::Current(id, value) => {
                key.text(id);
                value.as_ref().map(|current| encode_current(&mut w, current))
            }
            ModernRecord::Regex(regex, value) => {
                key.text(regex);
                value.as_ref().map(|resolved| encode_resolved(&mut w, resolved))
            }
            ModernRecord::ShareTopics(value) => value.as_ref().map(|topics| topics.encode(&mut w)),
        };
        (key.done(), there.map(|()| w.done()))
    }

    /// Reads it back; `key` is behind the type and the group.
    pub fn decode(place: usize, key: &mut Reader, value: Option<&[u8]>) -> Option<ModernRecord> {
        let id = match place {
            0 | 2 | 6 => Rc::default(),
            _ => key.text()?,
        };
        let mut reader = value.map(Reader);
        Some(match place {
            0 => ModernRecord::Epoch(read(&mut reader, |r| Some((r.int()?, r.number()? as u64)))?),
            1 => ModernRecord::Member(id, read(&mut reader, |r| decode_details(r).map(Rc::new))?),
            2 => ModernRecord::TargetEpoch(read(&mut reader, |r| Some((r.int()?, r.number()?)))?),
            3 => ModernRecord::Target(id, read(&mut reader, decode_partitions)?),
            4 => ModernRecord::Current(id, read(&mut reader, |r| decode_current(r).map(Rc::new))?),
            5 => ModernRecord::Regex(id, read(&mut reader, |r| decode_resolved(r).map(Rc::new))?),
            6 => ModernRecord::ShareTopics(read(&mut reader, |r| ShareTopics::decode(r).map(Rc::new))?),
            _ => return None,
        })
    }
}

/// A value, or that there is none; `None`: the bytes are no value.
fn read<T>(reader: &mut Option<Reader>, value: impl FnOnce(&mut Reader) -> Option<T>) -> Option<Option<T>> {
    match reader {
        None => Some(None),
        Some(reader) => value(reader).map(Some),
    }
}

fn encode_partition(w: &mut Writer, partition: TopicPartition) {
    w.number(i64::from(partition.topic.0));
    w.number(i64::from(partition.partition));
}

fn decode_partition(r: &mut Reader) -> Option<TopicPartition> {
    let topic = TopicId(u32::try_from(r.number()?).ok()?);
    Some(TopicPartition::new(topic, r.int()?))
}

fn decode_partitions(r: &mut Reader) -> Option<Partitions> {
    (0..r.number()?).map(|_| decode_partition(r)).collect()
}

fn encode_names(w: &mut Writer, names: &OrderedSet<Rc<str>>) {
    w.number(names.len() as i64);
    names.iter().for_each(|name| w.text(name));
}

fn decode_names(r: &mut Reader) -> Option<OrderedSet<Rc<str>>> {
    (0..r.number()?).map(|_| r.text()).collect()
}

fn encode_details(w: &mut Writer, details: &Details) {
    for text in [&details.instance, &details.rack, &details.regex, &details.assignor] {
        w.opt_text(text);
    }
    w.text(&details.client_id);
    encode_names(w, &details.topics);
    w.number(i64::from(details.rebalance_timeout_ms));
    let Some(classic) = &details.classic else {
        return w.number(-1);
    };
    w.number(i64::from(classic.session_timeout_ms));
    w.number(classic.protocols.len() as i64);
    for (name, subscription) in classic.protocols.iter() {
        w.text(name);
        w.subscription(subscription);
    }
}

fn decode_details(r: &mut Reader) -> Option<Details> {
    let [instance, rack, regex, assignor] = [r.opt_text()?, r.opt_text()?, r.opt_text()?, r.opt_text()?];
    Some(Details {
        instance,
        rack,
        regex,
        assignor,
        client_id: r.text()?,
        topics: Rc::new(decode_names(r)?),
        rebalance_timeout_ms: r.int()?,
        classic: match r.int()? {
            -1 => None,
            session_timeout_ms => {
                let protocol = |r: &mut Reader| Some((r.text()?, Rc::new(r.subscription()?)));
                let protocols = (0..r.number()?).map(|_| protocol(r)).collect::<Option<_>>()?;
                Some(ClassicDetails {
                    session_timeout_ms,
                    protocols,
                })
            }
        },
    })
}

fn encode_held(w: &mut Writer, held: &Held) {
    w.number(held.len() as i64);
    for (partition, epoch) in held.iter() {
        encode_partition(w, *partition);
        w.number(i64::from(*epoch));
    }
}

fn decode_held(r: &mut Reader) -> Option<Held> {
    let one = |r: &mut Reader| Some((decode_partition(r)?, r.int()?));
    let held = (0..r.number()?).map(|_| one(r)).collect::<Option<_>>()?;
    Some(Rc::new(held))
}

fn encode_current(w: &mut Writer, current: &Current) {
    w.number(i64::from(current.epoch));
    w.number(i64::from(current.previous));
    w.number(current.state as i64);
    encode_held(w, &current.assigned);
    encode_held(w, &current.pending);
}

fn decode_current(r: &mut Reader) -> Option<Current> {
    Some(Current {
        epoch: r.int()?,
        previous: r.int()?,
        state: match r.number()? {
            0 => MemberState::Stable,
            1 => MemberState::UnrevokedPartitions,
            2 => MemberState::UnreleasedPartitions,
            _ => return None,
        },
        assigned: decode_held(r)?,
        pending: decode_held(r)?,
    })
}

fn encode_resolved(w: &mut Writer, resolved: &Resolved) {
    encode_names(w, &resolved.topics);
    w.number(resolved.version);
    w.number(resolved.at_ms);
}

fn decode_resolved(r: &mut Reader) -> Option<Resolved> {
    Some(Resolved {
        topics: decode_names(r)?,
        version: r.number()?,
        at_ms: r.number()?,
    })
}
