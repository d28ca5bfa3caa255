//! Assignors: who gets which partition. Each is a pure function from topics and members to an assignment.

pub mod range;
pub mod round_robin;
pub mod server;
pub mod simple;
pub mod sticky;

use crate::ordered::OrderedMap;
use std::cmp::Ordering;
use std::rc::Rc;

use crate::kafka::types::NamedPartition;

/// A topic as the group's leader knows it from its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: Rc<str>,
    /// Number of partitions.
    pub partitions: i32,
    /// For each partition the racks of its replicas; may be shorter than `partitions`, or empty, if nothing is known.
    pub racks: Vec<Vec<Rc<str>>>,
}

/// A member of the group, with what its JoinGroup request said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: Rc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Rc<str>>,
    /// `client.rack`; `None` if it is empty.
    pub rack: Option<Rc<str>>,
    /// The topics that it subscribed to, known to the leader or not.
    pub topics: Vec<Rc<str>>,
    /// What it had before, if it said so.
    pub owned: Vec<NamedPartition>,
    /// The generation in which it had that.
    pub generation: Option<i32>,
}

/// Partitions by member id; every member is there, with an empty list if it gets nothing. Lists are sorted by topic and
/// number.
pub type Assignment = OrderedMap<Rc<str>, Vec<NamedPartition>>;

/// The order in which members are served: static ones first, by `group.instance.id`, then the others, by member id.
/// [AbstractPartitionAssignor.MemberInfo]
pub fn member_order(a: &Member, b: &Member) -> Ordering {
    match (&a.instance, &b.instance) {
        (Some(a), Some(b)) => java_order(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => java_order(&a.id, &b.id),
    }
}

/// How Java compares strings: by their UTF-16 units.
pub fn java_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
pub(crate) mod cases {
    //! Reads cases of the data files about assignors.

    use super::*;
    use crate::ordered::SortSmall;
    use serde_json::Value;

    fn text(value: &Value) -> Rc<str> {
        value.as_str().expect("a text").into()
    }

    /// The topics of a case, in its order.
    pub(crate) fn topics(case: &Value) -> Vec<Topic> {
        let topics = case["topics"].as_object().expect("topics");
        let letters = |racks: &Value| {
            let racks = racks.as_str().expect("letters").chars();
            racks.map(|rack| rack.to_string().into()).collect()
        };
        topics
            .iter()
            .map(|(name, partitions)| Topic {
                name: name.as_str().into(),
                partitions: partitions.as_i64().expect("a number") as i32,
                racks: case["racks"][name]
                    .as_array()
                    .map_or(Vec::new(), |r| r.iter().map(letters).collect()),
            })
            .collect()
    }

    fn partitions(value: &Value) -> Vec<NamedPartition> {
        let mut list = Vec::new();
        for (topic, partitions) in value.as_object().into_iter().flatten() {
            for partition in partitions.as_array().expect("partitions") {
                let partition = partition.as_i64().expect("a number") as i32;
                list.push(NamedPartition {
                    topic: topic.as_str().into(),
                    partition,
                });
            }
        }
        list
    }

    /// The members of a case, in its order.
    pub(crate) fn members(case: &Value) -> Vec<Member> {
        let optional = |value: &Value| value.as_str().map(Rc::from);
        let member = |m: &Value| Member {
            id: text(&m["id"]),
            instance: optional(&m["instance"]),
            rack: optional(&m["rack"]),
            topics: m["topics"]
                .as_array()
                .map_or(Vec::new(), |topics| topics.iter().map(text).collect()),
            owned: partitions(&m["owned"]),
            generation: m["generation"].as_i64().map(|generation| generation as i32),
        };
        case["members"]
            .as_array()
            .expect("members")
            .iter()
            .map(member)
            .collect()
    }

    /// The answer of a case.
    pub(crate) fn out(case: &Value) -> Assignment {
        let mut all = Assignment::new();
        for (member, topics) in case["out"].as_object().expect("an answer") {
            let mut list = self::partitions(topics);
            list.sort_small();
            all.insert(member.as_str().into(), list);
        }
        all
    }
}
