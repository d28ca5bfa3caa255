//! The coordinator's own assignors (KIP-848): pure functions from the topics and members of a group, with what each member
//! has by the target so far, to the next target. [ConsumerGroupPartitionAssignor, GroupSpec]
//!
//! `uniform` walks through members in the order in which they are given, which is that of the coordinator's hash map
//! ([`member_order`]); topics are named by their place in the list of topics.

mod heterogeneous;
mod homogeneous;
pub mod range;

use crate::kafka::hash::java_string_hash;
use crate::ordered::SortSmall;
use std::rc::Rc;

/// A topic that some member subscribes to; it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Number of partitions.
    pub partitions: i32,
    /// Its place by topic id: decides where two topics are alike otherwise.
    pub rank: usize,
}

/// A partition: the topic by its place, and its number.
pub type Slot = (usize, i32);

/// A member as the assignor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: Rc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Rc<str>>,
    /// Places of the topics that it subscribes to and that exist.
    pub topics: Vec<usize>,
    /// The target so far.
    pub assigned: Vec<Slot>,
}

/// The group as the assignor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub topics: Vec<Topic>,
    pub members: Vec<Member>,
    /// All members subscribe to the same topics. [SubscriptionType]
    pub homogeneous: bool,
}

impl Spec {
    fn partitions(&self, topic: usize) -> i32 {
        self.topics.get(topic).map_or(0, |topic| topic.partitions.max(0))
    }
}

/// By the place of the member.
pub type Target = Vec<Vec<Slot>>;

/// `uniform`: everybody gets as many as any other, and keeps what can stay. [UniformAssignor]
pub fn uniform(spec: &Spec) -> Target {
    let mut target = match spec.homogeneous {
        true => homogeneous::assign(spec),
        false => heterogeneous::assign(spec),
    };
    target
        .iter_mut()
        .for_each(|slots| slots.sort_small_by_key(|slot| *slot));
    target
}

/// The order in which `java.util.HashMap` goes through member ids: by bucket. [TargetAssignmentBuilder.build]
pub fn member_order(ids: &mut [Rc<str>]) {
    let mut table = 16usize;
    while ids.len() * 4 > table * 3 {
        table *= 2;
    }
    ids.sort_small_by_key(|id| {
        let hash = java_string_hash(id) as u32;
        (hash ^ (hash >> 16)) as usize & (table - 1)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;
    use crate::ordered::OrderedMap;
    use serde_json::Value;

    /// A topic id's two halves, as Java compares them: 22 digits of 6 bits, the last 4 bits are not used.
    fn id_halves(text: &str) -> (i64, i64) {
        let digits: Vec<u128> = text.bytes().map(|byte| u128::from(digit(byte))).collect();
        let (last, first) = digits.split_last().expect("digits");
        let bits = first.iter().fold(0, |bits, digit| (bits << 6) | digit);
        let bits = (bits << 2) | (last >> 4);
        ((bits >> 64) as u64 as i64, bits as u64 as i64)
    }

    fn digit(byte: u8) -> u8 {
        match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            _ => 63,
        }
    }

    fn spec(case: &Value) -> (Spec, Vec<String>) {
        let topics = case["topics"].as_object().expect("topics");
        let names: Vec<String> = topics.keys().cloned().collect();
        let ids: Vec<(i64, i64)> = topics
            .values()
            .map(|topic| id_halves(topic["id"].as_str().expect("an id")))
            .collect();
        let mut sorted = ids.clone();
        sorted.sort_small_by_key(|id| *id);
        let rank = |id: &(i64, i64)| sorted.iter().position(|other| other == id).expect("it is there");
        let all = topics.values().zip(&ids).map(|(topic, id)| Topic {
            partitions: topic["partitions"].as_i64().expect("a number") as i32,
            rank: rank(id),
        });
        let place = |name: &str| names.iter().position(|other| other == name);
        let members = case["members"]
            .as_array()
            .expect("members")
            .iter()
            .map(|member| Member {
                id: member["id"].as_str().expect("an id").into(),
                instance: member["instance"].as_str().map(Rc::from),
                topics: {
                    let mut topics: Vec<usize> = member["topics"].as_array().map_or(Vec::new(), |list| {
                        list.iter().filter_map(|topic| place(topic.as_str()?)).collect()
                    });
                    topics.sort_small_by_key(|topic| *topic);
                    topics
                },
                assigned: member["assigned"].as_object().map_or(Vec::new(), |map| {
                    let each = map.iter().flat_map(|(topic, list)| {
                        let topic = place(topic).unwrap_or(usize::MAX);
                        let list = list.as_array().expect("partitions").iter();
                        list.map(move |p| (topic, p.as_i64().expect("a number") as i32))
                    });
                    each.collect()
                }),
            });
        let spec = Spec {
            topics: all.collect(),
            members: members.collect(),
            homogeneous: case["type"] == "homogeneous",
        };
        (spec, names)
    }

    /// Partitions by member and topic.
    type ByMember = OrderedMap<String, OrderedMap<String, Vec<i32>>>;

    fn check(case: &Value, assign: impl Fn(&Spec) -> Target) {
        let (spec, names) = spec(case);
        let target = assign(&spec);
        let mut found = ByMember::new();
        for (member, slots) in spec.members.iter().zip(target) {
            let of_member = found.entry(member.id.to_string()).or_default();
            for (topic, partition) in slots {
                of_member.entry(names[topic].clone()).or_default().push(partition);
            }
        }
        let mut expected = ByMember::new();
        for (member, topics) in case["out"].as_object().expect("an answer") {
            let of_member = expected.entry(member.clone()).or_default();
            for (topic, partitions) in topics.as_object().expect("topics") {
                let numbers = partitions.as_array().expect("partitions").iter();
                let numbers = numbers.map(|p| p.as_i64().expect("a number") as i32);
                of_member.insert(topic.clone(), numbers.collect());
            }
        }
        found.retain(|id, slots| !slots.is_empty() || expected.contains_key(id));
        assert_eq!(found, expected, "{case}");
    }

    #[test]
    fn uniform_agrees_with_vectors() {
        let rows = vectors::json_lines("server_uniform.jsonl");
        assert!(rows.len() > 100);
        rows.iter().for_each(|case| check(case, uniform));
        let chains = vectors::json_lines("chains_server_uniform.jsonl");
        assert!(chains.len() > 40);
        let steps = chains
            .iter()
            .flat_map(|chain| chain["steps"].as_array().expect("steps"));
        steps.for_each(|case| check(case, uniform));
    }

    #[test]
    fn range_agrees_with_vectors() {
        let rows = vectors::json_lines("server_range.jsonl");
        assert!(rows.len() > 100);
        rows.iter().for_each(|case| check(case, range::assign));
        let chains = vectors::json_lines("chains_server_range.jsonl");
        assert!(chains.len() > 40);
        let steps = chains
            .iter()
            .flat_map(|chain| chain["steps"].as_array().expect("steps"));
        steps.for_each(|case| check(case, range::assign));
    }

    #[test]
    fn members_come_in_the_order_of_a_hash_map() {
        let mut ids: Vec<Rc<str>> = ["c1", "c2", "c3"].map(Rc::from).to_vec();
        member_order(&mut ids);
        assert_eq!(ids, ["c3", "c1", "c2"].map(Rc::from));
    }
}
