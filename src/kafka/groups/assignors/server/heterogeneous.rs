//! `uniform` when members subscribe to different topics: what is free goes to the least loaded subscriber, then topics are
//! balanced one after the other, until nothing moves or 16 rounds are over. [UniformHeterogeneousAssignmentBuilder]

use super::{Slot, Spec, Target};
use crate::ordered::{OrderedMap, SortSmall};
use std::cmp::Ordering;

/// [UniformHeterogeneousAssignmentBuilder.MAX_ITERATION_COUNT]
const ROUNDS: usize = 16;

/// Nobody has the partition.
const NOBODY: usize = usize::MAX;

pub(super) fn assign(spec: &Spec) -> Target {
    let mut work = Work::new(spec);
    work.keep();
    work.hand_out();
    work.balance();
    work.target()
}

struct Work<'a> {
    spec: &'a Spec,
    /// By topic: its subscribers in order.
    subscribers: Vec<Vec<usize>>,
    /// By topic and partition: who has it.
    owners: Vec<Vec<usize>>,
    /// By member: how many it has.
    loads: Vec<usize>,
}

impl<'a> Work<'a> {
    fn new(spec: &'a Spec) -> Work<'a> {
        let mut subscribers = vec![Vec::new(); spec.topics.len()];
        for (place, member) in spec.members.iter().enumerate() {
            for topic in &member.topics {
                subscribers[*topic].push(place);
            }
        }
        let owners = |topic: usize| vec![NOBODY; spec.partitions(topic) as usize];
        Work {
            spec,
            subscribers,
            owners: (0..spec.topics.len()).map(owners).collect(),
            loads: vec![0; spec.members.len()],
        }
    }

    /// Members keep what they still subscribe to.
    fn keep(&mut self) {
        for (place, member) in self.spec.members.iter().enumerate() {
            for (topic, partition) in member.assigned.iter().filter(|(t, _)| member.topics.contains(t)) {
                self.loads[place] += 1;
                if let Some(owner) = self.owners[*topic].get_mut(*partition as usize) {
                    *owner = place;
                }
            }
        }
    }

    fn give(&mut self, (topic, partition): Slot, to: usize) {
        let owner = &mut self.owners[topic][partition as usize];
        if *owner != NOBODY {
            self.loads[*owner] -= 1;
        }
        *owner = to;
        self.loads[to] += 1;
    }

    /// Topics with many partitions for each subscriber come first, then those with few subscribers.
    fn topic_order(&self, a: usize, b: usize) -> Ordering {
        let size = |topic: usize| (self.owners[topic].len() as u64, self.subscribers[topic].len() as u64);
        let ((a_partitions, a_members), (b_partitions, b_members)) = (size(a), size(b));
        (b_partitions * a_members)
            .cmp(&(a_partitions * b_members))
            .then(a_members.cmp(&b_members))
            .then(self.spec.topics[a].rank.cmp(&self.spec.topics[b].rank))
    }

    fn topics(&self, at_least: usize) -> Vec<usize> {
        let all = 0..self.spec.topics.len();
        let mut topics: Vec<usize> = all.filter(|t| self.subscribers[*t].len() >= at_least).collect();
        topics.sort_small_by(|a, b| self.topic_order(*a, *b));
        topics
    }

    fn hand_out(&mut self) {
        for topic in self.topics(1) {
            let free: Vec<i32> = (0..self.owners[topic].len())
                .filter(|p| self.owners[topic][*p] == NOBODY)
                .map(|p| p as i32)
                .collect();
            if free.is_empty() {
                continue;
            }
            let mut balancer = Balancer::new(&self.subscribers[topic], &self.loads);
            for partition in free {
                let to = balancer.next_least(&self.loads);
                self.give((topic, partition), to);
            }
        }
    }

    fn balance(&mut self) {
        let topics = self.topics(2);
        // The topic at which something moved last: a whole round without a move ends it.
        let mut last = None;
        for _ in 0..ROUNDS {
            for (place, topic) in topics.iter().enumerate() {
                if last == Some(place) {
                    return;
                }
                if self.balance_topic(*topic) > 0 || last.is_none() {
                    last = Some(place);
                }
            }
        }
    }

    /// How many partitions moved.
    fn balance_topic(&mut self, topic: usize) -> usize {
        let mut balancer = Balancer::new(&self.subscribers[topic], &self.loads);
        if balancer.imbalance() <= 1 {
            return 0;
        }
        let mut owned: OrderedMap<usize, Vec<i32>> = OrderedMap::new();
        for (partition, owner) in self.owners[topic].iter().enumerate() {
            owned.entry(*owner).or_default().push(partition as i32);
        }
        let mut moved = 0;
        while !balancer.is_balanced() {
            let most = loop {
                match balancer.next_most(&self.loads) {
                    Some(member) if owned.get(&member).is_none_or(Vec::is_empty) => balancer.exclude_most(),
                    other => break other,
                }
            };
            let Some(partition) = most.and_then(|member| owned.get_mut(&member)?.pop()) else {
                break;
            };
            let least = balancer.next_least(&self.loads);
            if balancer.is_balanced() {
                break;
            }
            self.give((topic, partition), least);
            moved += 1;
        }
        moved
    }

    fn target(self) -> Target {
        let mut target = vec![Vec::new(); self.spec.members.len()];
        for (topic, owners) in self.owners.iter().enumerate() {
            for (partition, owner) in owners.iter().enumerate() {
                if let Some(slots) = target.get_mut(*owner) {
                    slots.push((topic, partition as i32));
                }
            }
        }
        target
    }
}

/// Goes through the subscribers of a topic from both ends: the least loaded get one more, the most loaded give one, while
/// the range of those that are alike grows at each end. [MemberAssignmentBalancer]
struct Balancer {
    /// By load at the start, then by order.
    members: Vec<usize>,
    least_end: usize,
    least_count: i64,
    next_least: usize,
    most_start: usize,
    most_end: usize,
    most_count: i64,
    next_most: i64,
}

impl Balancer {
    fn new(subscribers: &[usize], loads: &[usize]) -> Balancer {
        let mut members = subscribers.to_vec();
        members.sort_small_by_key(|member| (loads[*member], *member));
        let load = |member: Option<&usize>| member.map_or(0, |member| loads[*member] as i64);
        let count = members.len();
        Balancer {
            least_end: 0,
            least_count: load(members.first()) - 1,
            next_least: 0,
            most_start: count,
            most_end: count,
            most_count: load(members.last()) + 1,
            next_most: count as i64 - 1,
            members,
        }
    }

    /// Between the most and the least loaded at the start.
    fn imbalance(&self) -> i64 {
        self.most_count - self.least_count - 2
    }

    fn load(&self, place: usize, loads: &[usize]) -> Option<i64> {
        self.members.get(place).map(|member| loads[*member] as i64)
    }

    fn next_least(&mut self, loads: &[usize]) -> usize {
        if self.next_least >= self.least_end {
            self.least_count += 1;
            while self.load(self.least_end, loads) == Some(self.least_count) {
                self.least_end += 1;
            }
            self.next_least = 0;
        }
        let member = self.members[self.next_least];
        self.next_least += 1;
        member
    }

    fn next_most(&mut self, loads: &[usize]) -> Option<usize> {
        if self.next_most < self.most_start as i64 {
            if self.most_end <= self.most_start && self.most_start > 0 {
                self.most_count = self.load(self.most_start - 1, loads)?;
            } else {
                self.most_count -= 1;
            }
            while self.most_start > 0 && self.load(self.most_start - 1, loads) == Some(self.most_count) {
                self.most_start -= 1;
            }
            self.next_most = self.most_end as i64 - 1;
        }
        let place = usize::try_from(self.next_most).ok()?;
        self.next_most -= 1;
        Some(self.members[place])
    }

    /// The member just named has nothing to give.
    fn exclude_most(&mut self) {
        let place = (self.next_most + 1) as usize;
        self.members.swap(place, self.most_end - 1);
        self.most_end -= 1;
    }

    fn is_balanced(&self) -> bool {
        self.most_count - self.least_count <= 1
    }
}
