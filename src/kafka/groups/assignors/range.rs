//! `range`: each topic is cut into consecutive pieces, one for each of its subscribers. [RangeAssignor]
//!
//! With racks (KIP-881) partitions first go to members in a rack that holds a replica of them. Topics with the same
//! subscribers and the same number of partitions then go together, so that equal numbers stay with one member.

use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

use super::{Assignment, Member, Topic, member_order};
use crate::kafka::types::NamedPartition;

/// Who gets what. Topics that nobody here knows are left out; the order of `topics` and `members` plays no part.
pub fn assign(topics: &[Topic], members: &[Member]) -> Assignment {
    let mut sorted: Vec<&Member> = members.iter().collect();
    sorted.sort_small_by(|a, b| member_order(a, b));
    let mut states: Vec<TopicState> = topics
        .iter()
        .filter(|topic| topic.partitions > 0)
        .map(|topic| TopicState::new(topic, &sorted))
        .collect();

    if states.iter().any(|state| state.needs_racks) {
        match_racks(&mut states);
    }
    for state in &mut states {
        state.assign_pieces(false);
    }

    let mut all: Assignment = members.iter().map(|member| (member.id.clone(), Vec::new())).collect();
    for state in &states {
        for consumer in &state.consumers {
            let list = all.entry(consumer.member.id.clone()).or_default();
            list.extend(consumer.got.iter().map(|partition| NamedPartition {
                topic: state.topic.name.clone(),
                partition: *partition,
            }));
        }
    }
    all.values_mut().for_each(|list| list.sort_small());
    all
}

/// A subscriber of a topic, and which of its partitions it has got.
struct Consumer<'a> {
    member: &'a Member,
    got: Vec<i32>,
}

/// A topic while it is being handed out.
struct TopicState<'a> {
    topic: &'a Topic,
    /// In the order in which they are served.
    consumers: Vec<Consumer<'a>>,
    unassigned: OrderedSet<i32>,
    /// Everybody gets so many ...
    share: usize,
    /// ... and so many may still get one more.
    extras: usize,
    /// Do racks make a difference?
    needs_racks: bool,
}

impl<'a> TopicState<'a> {
    fn new(topic: &'a Topic, sorted: &[&'a Member]) -> TopicState<'a> {
        let consumers: Vec<Consumer> = sorted
            .iter()
            .filter(|member| member.topics.contains(&topic.name))
            .map(|member| Consumer {
                member,
                got: Vec::new(),
            })
            .collect();
        let partitions = usize::try_from(topic.partitions).unwrap_or(0);
        TopicState {
            topic,
            share: partitions.checked_div(consumers.len()).unwrap_or(0),
            extras: partitions.checked_rem(consumers.len()).unwrap_or(0),
            needs_racks: racks_matter(topic, &consumers),
            unassigned: (0..topic.partitions).collect(),
            consumers,
        }
    }

    /// Is there a replica in the consumer's rack? A consumer without a rack is at home everywhere.
    fn racks_match(&self, consumer: usize, partition: i32) -> bool {
        let Some(rack) = &self.consumers[consumer].member.rack else {
            return true;
        };
        racks_of(self.topic, partition).contains(rack)
    }

    /// How many more the consumer may get.
    fn room(&self, consumer: usize) -> usize {
        let most = self.share + usize::from(self.extras > 0);
        most.saturating_sub(self.consumers[consumer].got.len())
    }

    fn give(&mut self, consumer: usize, partitions: &[i32]) {
        let got = &mut self.consumers[consumer].got;
        got.extend(partitions);
        if got.len() > self.share {
            self.extras = self.extras.saturating_sub(1);
        }
        for partition in partitions {
            self.unassigned.remove(partition);
        }
    }

    /// A consecutive piece of what is left for each consumer; only partitions of its rack if `in_rack`.
    fn assign_pieces(&mut self, in_rack: bool) {
        for consumer in 0..self.consumers.len() {
            let piece: Vec<i32> = self
                .unassigned
                .iter()
                .copied()
                .filter(|partition| !in_rack || self.racks_match(consumer, *partition))
                .take(self.room(consumer))
                .collect();
            if !piece.is_empty() {
                self.give(consumer, &piece);
            }
        }
    }
}

fn racks_of(topic: &Topic, partition: i32) -> &[Rc<str>] {
    let index = usize::try_from(partition).unwrap_or(usize::MAX);
    topic.racks.get(index).map_or(&[], Vec::as_slice)
}

/// Racks make a difference if a consumer stands in one that has replicas, and not every partition is in all of them.
/// [AbstractPartitionAssignor.useRackAwareAssignment]
fn racks_matter(topic: &Topic, consumers: &[Consumer]) -> bool {
    let all: OrderedSet<&Rc<str>> = topic.racks.iter().flatten().collect();
    let overlap = consumers
        .iter()
        .filter_map(|c| c.member.rack.as_ref())
        .any(|rack| all.contains(rack));
    let in_all = |partition: i32| racks_of(topic, partition).iter().collect::<OrderedSet<_>>() == all;
    overlap && !(0..topic.partitions).all(in_all)
}

/// Hands out what finds a consumer in a rack of its own.
fn match_racks(states: &mut [TopicState]) {
    let mut together: OrderedMap<(Vec<Rc<str>>, i32), Vec<usize>> = OrderedMap::new();
    for (index, state) in states.iter().enumerate() {
        let consumers = state.consumers.iter().map(|c| c.member.id.clone()).collect();
        together
            .entry((consumers, state.topic.partitions))
            .or_default()
            .push(index);
    }
    for ((consumers, partitions), group) in together {
        if let [single] = group[..] {
            if states[single].needs_racks {
                states[single].assign_pieces(true);
            }
        } else {
            match_racks_together(states, &group, consumers.len(), partitions);
        }
    }
}

/// Each number of all topics of a group goes to the first consumer with room that has a replica of each nearby.
fn match_racks_together(states: &mut [TopicState], group: &[usize], consumers: usize, partitions: i32) {
    for partition in 0..partitions {
        let takes = |consumer: &usize| {
            group.iter().all(|index| {
                let state = &states[*index];
                state.racks_match(*consumer, partition) && state.room(*consumer) > 0
            })
        };
        if let Some(consumer) = (0..consumers).find(takes) {
            for index in group {
                states[*index].give(consumer, &[partition]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases;
    use super::*;
    use crate::kafka::vectors;

    #[test]
    fn range_agrees_with_vectors() {
        let rows = vectors::json_lines("assignor_range.jsonl");
        assert!(rows.len() > 100);
        for case in rows {
            let found = assign(&cases::topics(&case), &cases::members(&case));
            assert_eq!(found, cases::out(&case), "{case}");
        }
    }

    #[test]
    fn nobody_and_nothing() {
        assert!(assign(&[], &[]).is_empty());
        let topic = Topic {
            name: "t".into(),
            partitions: 3,
            racks: Vec::new(),
        };
        assert!(assign(&[topic], &[]).is_empty());
    }
}
