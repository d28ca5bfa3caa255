//! `sticky` and `cooperative-sticky`: everybody keeps what it had as far as the shares stay even. If all members subscribe to
//! the same topics a quick way leads there ([`constrained`]), else partitions are moved until no move helps
//! ([`general`]). [AbstractStickyAssignor, StickyAssignor, CooperativeStickyAssignor]
//!
//! `cooperative-sticky` then holds back what has to move: its old owner gives it up first, and the next rebalance hands it
//! out.

mod constrained;
mod general;
mod movements;
mod racks;

use super::{Assignment, Member, Topic, java_order};
use crate::kafka::hash::java_string_hash;
use crate::kafka::java_map::JavaMap;
use crate::kafka::types::NamedPartition;
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use racks::Racks;
use std::rc::Rc;

/// The generation of a member that names none.
const NO_GENERATION: i32 = -1;

/// A partition: the topic's place in [`Problem::topics`], and its number. Orders as by name and number.
type Part = (usize, i32);

/// What is to be handed out to whom. Members are their places in the list, which is the order of the leader's hash maps.
struct Problem<'a> {
    members: &'a [Member],
    /// Known topics with partitions that somebody subscribes to, by name.
    topics: Vec<&'a Topic>,
    /// What each member subscribes to, in its order.
    wants: Vec<Vec<usize>>,
    /// Members' places among the sorted member ids.
    ranks: Vec<usize>,
    racks: Racks,
}

/// What the members say that they had.
struct Claims {
    /// By member; partitions of topics that are not handed out are left out.
    owned: Vec<Vec<Part>>,
    /// Claimed by several members of one generation.
    contested: OrderedSet<Part>,
    max_generation: i32,
    all_equal: bool,
}

/// `sticky`. The order of `members` is that of the leader's hash map.
pub fn assign(topics: &[Topic], members: &[Member]) -> Assignment {
    let problem = Problem::new(topics, members);
    let claims = problem.claims();
    let (out, _) = problem.solve(claims);
    problem.named(&out)
}

/// `cooperative-sticky`.
pub fn assign_cooperative(topics: &[Topic], members: &[Member]) -> Assignment {
    let problem = Problem::new(topics, members);
    let claims = problem.claims();
    let (mut out, moving) = problem.solve(claims);
    let moving = moving.unwrap_or_else(|| problem.transfers(&out));
    for (partition, member) in moving {
        out[member].retain(|p| *p != partition);
    }
    problem.named(&out)
}

impl<'a> Problem<'a> {
    fn new(topics: &'a [Topic], members: &'a [Member]) -> Problem<'a> {
        let subscribed = |topic: &&Topic| members.iter().any(|member| member.topics.contains(&topic.name));
        let mut topics: Vec<&Topic> = topics
            .iter()
            .filter(|topic| topic.partitions > 0)
            .filter(subscribed)
            .collect();
        topics.sort_small_by(|a, b| java_order(&a.name, &b.name));
        let place = |name: &Rc<str>| topics.iter().position(|topic| topic.name == *name);
        let wants = members
            .iter()
            .map(|member| member.topics.iter().filter_map(place).collect());
        let mut sorted: Vec<usize> = (0..members.len()).collect();
        sorted.sort_small_by(|a, b| java_order(&members[*a].id, &members[*b].id));
        let mut ranks = vec![0; members.len()];
        for (rank, member) in sorted.into_iter().enumerate() {
            ranks[member] = rank;
        }
        Problem {
            wants: wants.collect(),
            racks: Racks::new(&topics, members),
            members,
            topics,
            ranks,
        }
    }

    fn partitions_of(&self, topic: usize) -> impl Iterator<Item = Part> + use<> {
        (0..self.topics[topic].partitions).map(move |partition| (topic, partition))
    }

    /// Number of partitions of a topic.
    fn size(&self, topic: usize) -> usize {
        usize::try_from(self.topics[topic].partitions).unwrap_or(0)
    }

    fn total(&self) -> usize {
        (0..self.topics.len()).map(|topic| self.size(topic)).sum()
    }

    fn part(&self, partition: &NamedPartition) -> Option<Part> {
        let topic = self.topics.iter().position(|topic| topic.name == partition.topic)?;
        Some((topic, partition.partition))
    }

    /// `TopicPartition.hashCode`.
    fn hash(&self, part: Part) -> i32 {
        let first = 31i32.wrapping_add(part.1);
        first
            .wrapping_mul(31)
            .wrapping_add(java_string_hash(&self.topics[part.0].name))
    }

    /// Members in the order of a fresh hash map of their ids.
    fn in_hash_order(&self) -> Vec<usize> {
        let mut map = JavaMap::default();
        for (i, member) in self.members.iter().enumerate() {
            map.put(java_string_hash(&member.id), i, ());
        }
        map.keys().copied().collect()
    }

    /// What everybody had; the younger of two claims counts, none of two in one generation.
    /// [AbstractStickyAssignor.allSubscriptionsEqual]
    fn claims(&self) -> Claims {
        let mut claims = Claims {
            owned: vec![Vec::new(); self.members.len()],
            contested: OrderedSet::new(),
            max_generation: NO_GENERATION,
            all_equal: true,
        };
        let mut owners: OrderedMap<Part, usize> = OrderedMap::new();
        let mut first: OrderedSet<&Rc<str>> = OrderedSet::new();
        for (i, member) in self.members.iter().enumerate() {
            if first.is_empty() {
                first = member.topics.iter().collect();
            } else if member.topics.len() != first.len() || !member.topics.iter().all(|topic| first.contains(topic)) {
                claims.all_equal = false;
            }
            let generation = member.generation.unwrap_or(NO_GENERATION);
            claims.max_generation = claims.max_generation.max(generation);
            for part in member.owned.iter().filter_map(|partition| self.part(partition)) {
                let Some(other) = owners.get(&part).copied() else {
                    claims.owned[i].push(part);
                    owners.insert(part, i);
                    continue;
                };
                let theirs = self.members[other].generation.unwrap_or(NO_GENERATION);
                if generation < theirs {
                    continue;
                }
                claims.owned[other].retain(|p| *p != part);
                owners.insert(part, i);
                if generation == theirs {
                    claims.contested.insert(part);
                } else {
                    claims.owned[i].push(part);
                }
            }
        }
        claims
    }

    /// Partitions by member; and, if that is known already, who gets what another one had.
    fn solve(&self, claims: Claims) -> (Vec<Vec<Part>>, Option<OrderedMap<Part, usize>>) {
        if self.members.is_empty() {
            return (Vec::new(), None);
        }
        if claims.all_equal {
            let (out, moving) = constrained::Builder::new(self, claims).build();
            (out, Some(moving))
        } else {
            (general::Builder::new(self, claims).build(), None)
        }
    }

    /// What somebody gets that another one says that it has. [computePartitionsTransferringOwnership]
    fn transfers(&self, out: &[Vec<Part>]) -> OrderedMap<Part, usize> {
        let mut added = OrderedMap::new();
        let mut revoked = OrderedSet::new();
        for (i, member) in self.members.iter().enumerate() {
            let owned: OrderedSet<Part> = member.owned.iter().filter_map(|p| self.part(p)).collect();
            let got: OrderedSet<Part> = out[i].iter().copied().collect();
            added.extend(got.difference(&owned).map(|part| (*part, i)));
            revoked.extend(owned.difference(&got).copied());
        }
        added.retain(|part, _| revoked.contains(part));
        added
    }

    fn named(&self, out: &[Vec<Part>]) -> Assignment {
        let named = |part: &Part| NamedPartition {
            topic: self.topics[part.0].name.clone(),
            partition: part.1,
        };
        let each = self.members.iter().zip(out).map(|(member, parts)| {
            let mut list: Vec<NamedPartition> = parts.iter().map(named).collect();
            list.sort_small();
            (member.id.clone(), list)
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases;
    use super::*;
    use crate::kafka::vectors;
    use serde_json::Value;

    fn check(case: &Value, assign: fn(&[Topic], &[Member]) -> Assignment) {
        let found = assign(&cases::topics(case), &cases::members(case));
        assert_eq!(found, cases::out(case), "{case}");
    }

    fn check_all(file: &str, assign: fn(&[Topic], &[Member]) -> Assignment) {
        let rows = vectors::json_lines(file);
        assert!(!rows.is_empty());
        for row in rows {
            match row["steps"].as_array() {
                Some(steps) => steps.iter().for_each(|step| check(step, assign)),
                None => check(&row, assign),
            }
        }
    }

    #[test]
    fn sticky_agrees_with_vectors() {
        check_all("assignor_sticky.jsonl", assign);
        check_all("chains_sticky.jsonl", assign);
    }

    #[test]
    fn cooperative_sticky_agrees_with_vectors() {
        check_all("assignor_cooperative.jsonl", assign_cooperative);
        check_all("chains_cooperative.jsonl", assign_cooperative);
    }

    #[test]
    fn nobody_and_nothing() {
        assert!(assign(&[], &[]).is_empty());
        assert!(assign_cooperative(&[], &[]).is_empty());
    }
}
