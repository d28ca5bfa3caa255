//! `simple`, the assignor of share groups: several members may have the same partition; everybody gets about as many, and a
//! partition as few members as that allows. What is there already stays if it can. [SimpleAssignor]
//!
//! Members that all subscribe to the same topics share out all partitions at once, others topic by topic. Kafka walks
//! through hash maps here, so their order decides: see [`java_map`](crate::kafka::java_map).

use crate::kafka::java_map::JavaMap;
use crate::ordered::{OrderedMap, SortSmall};

/// A topic that exists.
#[derive(Clone, Debug)]
pub struct ShareTopic {
    /// Hash code of its id.
    pub hash: i32,
    /// Its partitions that can be assigned: whose share state is initialized.
    pub partitions: Vec<i32>,
}

/// A member of a share group. Topics are their places in the list.
#[derive(Clone, Debug, Default)]
pub struct ShareMember {
    /// Existing topics that it subscribes to, in the order of a hash set of their names.
    pub topics: Vec<usize>,
    /// What it has: topics with their partitions, in the order of its maps.
    pub assigned: Vec<(usize, Vec<i32>)>,
}

/// Partitions of each topic by member, in the members' order; sorted.
pub type ShareAssignment = Vec<OrderedMap<usize, Vec<i32>>>;

type Key = (usize, i32);

/// Nobody is left to give a partition to, though it counts as shared by too few: what Kafka's iterator throws if something
/// that is assigned cannot be assigned any more. [NoSuchElementException]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemberLeft;

/// Shares out the partitions. The order of `members` is that of the coordinator's hash map. `homogeneous`: all of them
/// subscribe to the same names, existing or not.
///
/// # Errors
/// [`NoMemberLeft`]; the group keeps its old assignment then.
pub fn assign(
    topics: &[ShareTopic],
    members: &[ShareMember],
    homogeneous: bool,
) -> Result<ShareAssignment, NoMemberLeft> {
    let old = members.iter().map(|member| member.assigned.iter().cloned().collect());
    let mut new: ShareAssignment = old.collect();
    if homogeneous {
        let subscribed = members.first().map_or(&[][..], |member| &member.topics);
        if subscribed.is_empty() {
            return Ok(vec![OrderedMap::new(); members.len()]);
        }
        new.iter_mut()
            .for_each(|parts| parts.retain(|topic, _| subscribed.contains(topic)));
        let all: Vec<usize> = (0..members.len()).collect();
        Round::new(topics, subscribed, &all, members.len(), false).run(members, &mut new)?;
    } else {
        for topic in 0..topics.len() {
            let readers = members.iter().enumerate().filter(|(_, m)| m.topics.contains(&topic));
            let readers: Vec<usize> = readers.map(|(i, _)| i).collect();
            if !readers.is_empty() {
                Round::new(topics, &[topic], &readers, members.len(), true).run(members, &mut new)?;
            }
        }
    }
    for parts in &mut new {
        parts.values_mut().for_each(|list| list.sort_small());
        parts.retain(|_, list| !list.is_empty());
    }
    Ok(new)
}

/// The size that `AssignorHelpers.newHashMap` asks for.
fn capacity(entries: usize) -> usize {
    (entries + 1) * 4 / 3 + 1
}

/// Topics that are shared out together.
struct Round<'a> {
    topics: &'a [ShareTopic],
    together: &'a [usize],
    readers: &'a [usize],
    /// One topic of a mixed group.
    mixed: bool,
    /// So many members a partition should have, and so many partitions each member.
    sharing: usize,
    desired: Vec<usize>,
    by_partition: JavaMap<Key, JavaMap<usize, ()>>,
    by_member: Vec<JavaMap<Key, ()>>,
    unfilled: JavaMap<usize, ()>,
}

impl<'a> Round<'a> {
    fn new(
        topics: &'a [ShareTopic],
        together: &'a [usize],
        readers: &'a [usize],
        members: usize,
        mixed: bool,
    ) -> Round<'a> {
        let targets: usize = together.iter().map(|topic| topics[*topic].partitions.len()).sum();
        let sharing = (readers.len() + targets)
            .saturating_sub(1)
            .checked_div(targets)
            .unwrap_or(0);
        let mut desired = vec![0; members];
        // Kafka rounds the same fractions up in floating point.
        let up_to = |i: usize| (sharing * targets * i).div_ceil(readers.len());
        for (i, member) in readers.iter().enumerate() {
            desired[*member] = up_to(i + 1) - up_to(i);
        }
        let mut by_member = Vec::new();
        by_member.resize_with(members, JavaMap::default);
        Round {
            topics,
            together,
            readers,
            mixed,
            sharing,
            desired,
            by_partition: JavaMap::with_capacity(capacity(targets)),
            by_member,
            unfilled: JavaMap::with_capacity(capacity(members)),
        }
    }

    fn hash(&self, key: Key) -> i32 {
        match self.mixed {
            true => key.1,
            false => self.topics[key.0].hash.wrapping_mul(31).wrapping_add(key.1),
        }
    }

    fn run(mut self, members: &[ShareMember], new: &mut ShareAssignment) -> Result<(), NoMemberLeft> {
        self.take_stock(members);
        self.shrink_members(new);
        self.shrink_partitions(new);
        for topic in self.together {
            for partition in &self.topics[*topic].partitions {
                let key = (*topic, *partition);
                self.by_partition
                    .compute_if_absent(self.hash(key), key, JavaMap::default());
            }
        }
        if self.mixed {
            for member in self.readers {
                if self.by_member[*member].len() < self.desired[*member] {
                    self.unfilled.put(*member as i32, *member, ());
                }
            }
        }
        self.deal(new)
    }

    /// What everybody has of these topics. [revokeUnassignablePartitions]
    fn take_stock(&mut self, members: &[ShareMember]) {
        for (i, member) in members.iter().enumerate() {
            let ours = member
                .assigned
                .iter()
                .filter(|(topic, _)| self.together.contains(topic));
            for (topic, partitions) in ours {
                for partition in partitions {
                    let key = (*topic, *partition);
                    let hash = self.hash(key);
                    let there = self.by_partition.compute_if_absent(hash, key, JavaMap::default());
                    there.put(i as i32, i, ());
                    self.by_member[i].put(hash, key, ());
                }
            }
            if !self.mixed && self.by_member[i].len() < self.desired[i] {
                self.unfilled.put(i as i32, i, ());
            }
        }
    }

    /// [revokeOverfilledMembers]
    fn shrink_members(&mut self, new: &mut ShareAssignment) {
        for (member, list) in new.iter_mut().enumerate() {
            let excess = self.by_member[member].len().saturating_sub(self.desired[member]);
            let gone: Vec<Key> = self.by_member[member].keys().take(excess).copied().collect();
            for key in gone {
                let hash = self.hash(key);
                self.by_member[member].remove(hash, &key);
                if let Some(there) = self.by_partition.get_mut(hash, &key) {
                    there.remove(member as i32, &member);
                }
                take(list, key);
            }
        }
    }

    /// [revokeOversharedPartitions]
    fn shrink_partitions(&mut self, new: &mut ShareAssignment) {
        let keys: Vec<Key> = self.by_partition.keys().copied().collect();
        for key in keys {
            let hash = self.hash(key);
            let Some(there) = self.by_partition.get_mut(hash, &key) else {
                continue;
            };
            let excess = there.len().saturating_sub(self.sharing);
            let gone: Vec<usize> = there.keys().take(excess).copied().collect();
            for member in gone {
                there.remove(member as i32, &member);
                self.by_member[member].remove(hash, &key);
                take(&mut new[member], key);
                if !self.mixed {
                    self.unfilled.put(member as i32, member, ());
                }
            }
        }
    }

    /// [assignRemainingPartitions]
    fn deal(&mut self, new: &mut ShareAssignment) -> Result<(), NoMemberLeft> {
        let mut row: Vec<usize> = self.unfilled.keys().copied().collect();
        if row.is_empty() {
            return Ok(());
        }
        let (mut next, mut gave) = (0, false);
        let keys: Vec<Key> = self.by_partition.keys().copied().collect();
        for key in keys {
            let hash = self.hash(key);
            let Some(there) = self.by_partition.get(hash, &key) else {
                continue;
            };
            let mut wanted = self.sharing.saturating_sub(there.len());
            while wanted > 0 {
                if next >= row.len() {
                    if !gave {
                        break;
                    }
                    (next, gave) = (0, false);
                }
                let member = *row.get(next).ok_or(NoMemberLeft)?;
                next += 1;
                if there.get(member as i32, &member).is_some() {
                    continue;
                }
                let list = new[member].entry(key.0).or_default();
                if !list.contains(&key.1) {
                    list.push(key.1);
                }
                self.by_member[member].put(hash, key, ());
                wanted -= 1;
                gave = true;
                if self.by_member[member].len() >= self.desired[member] {
                    next -= 1;
                    row.remove(next);
                }
            }
            if row.is_empty() {
                break;
            }
        }
        Ok(())
    }
}

fn take(list: &mut OrderedMap<usize, Vec<i32>>, key: Key) {
    if let Some(partitions) = list.get_mut(&key.0) {
        partitions.retain(|partition| *partition != key.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::hash::java_string_hash;
    use crate::kafka::java_map::{capacity_for, uuid, uuid_hash};
    use crate::kafka::vectors;
    use serde_json::{Value, json};

    fn number(value: &Value) -> i32 {
        value.as_i64().expect("a number") as i32
    }

    fn check(case: &Value) {
        let listed = case["members"].as_array().expect("members");
        let mut names: Vec<&String> = case["topics"].as_object().expect("topics").keys().collect();
        let existing = names.len();
        // Topics that are gone follow: some member may still have partitions of them.
        let had = listed
            .iter()
            .flat_map(|member| member["assigned"].as_object().into_iter().flatten());
        for (name, _) in had {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let place = |name: &str| names.iter().position(|known| *known == name);
        let numbers = |list: &Value| -> Vec<i32> { list.as_array().expect("a list").iter().map(number).collect() };
        let topics: Vec<ShareTopic> = (names[..existing].iter())
            .map(|name| {
                let topic = &case["topics"][*name];
                let (high, low) = uuid(topic["id"].as_str().expect("an id"));
                let partitions = match case["assignable"].get(*name) {
                    Some(list) => numbers(list),
                    None if case["assignable"].is_object() => Vec::new(),
                    None => (0..number(&topic["partitions"])).collect(),
                };
                let hash = uuid_hash(high, low);
                ShareTopic { hash, partitions }
            })
            .collect();
        let members: Vec<ShareMember> = (listed.iter())
            .map(|member| {
                let wanted = member["topics"].as_array().expect("topics");
                let mut set = JavaMap::with_capacity(capacity_for(wanted.len()));
                for name in wanted.iter().map(|name| name.as_str().expect("a name")) {
                    set.put(java_string_hash(name), name, ());
                }
                let assigned = member["assigned"].as_object().into_iter().flatten();
                let assigned = assigned.filter_map(|(name, list)| Some((place(name)?, numbers(list))));
                ShareMember {
                    topics: set
                        .keys()
                        .filter_map(|name| place(name))
                        .filter(|topic| *topic < existing)
                        .collect(),
                    assigned: assigned.collect(),
                }
            })
            .collect();
        let found = assign(&topics, &members, case["type"] == "homogeneous");
        let Ok(found) = found else {
            return assert_eq!(case["error"]["class"], "NoSuchElementException", "{case}");
        };
        for (member, parts) in listed.iter().zip(found) {
            let parts: OrderedMap<&String, Vec<i32>> = parts.into_iter().map(|(t, list)| (names[t], list)).collect();
            let id = member["id"].as_str().expect("an id");
            let expected = case["out"].get(id).cloned().unwrap_or(json!({}));
            assert_eq!(json!(parts), expected, "{id} of {case}");
        }
    }

    #[test]
    fn simple_agrees_with_vectors() {
        for file in ["share_simple.jsonl", "chains_share_simple.jsonl"] {
            let rows = vectors::json_lines(file);
            assert!(!rows.is_empty());
            for row in rows {
                match row["steps"].as_array() {
                    Some(steps) => steps.iter().for_each(check),
                    None => check(&row),
                }
            }
        }
    }

    #[test]
    fn nobody_and_nothing() {
        assert_eq!(assign(&[], &[], true), Ok(Vec::new()));
    }
}
