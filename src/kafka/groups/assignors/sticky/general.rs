//! Members subscribe to different topics: everybody keeps what it had, the rest goes to who has least, then partitions are
//! moved until it is balanced or no move helps. [AbstractStickyAssignor.GeneralAssignmentBuilder]

use super::movements::Movements;
use super::{Claims, NO_GENERATION, Part, Problem};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};

pub(super) struct Builder<'p, 'a> {
    problem: &'p Problem<'a>,
    max_generation: i32,
    /// Members by topic, in the order of the list.
    readers: Vec<Vec<usize>>,
    /// `None`: what the member has is fixed and not looked at.
    current: Vec<Option<Vec<Part>>>,
    owners: OrderedMap<Part, usize>,
    /// Topics with few readers first.
    all: Vec<Part>,
    /// By size and member id.
    sorted: OrderedSet<(usize, usize)>,
    by_rank: Vec<usize>,
    revoked: bool,
    movements: Movements,
}

impl<'p, 'a> Builder<'p, 'a> {
    pub fn new(problem: &'p Problem<'a>, claims: Claims) -> Builder<'p, 'a> {
        let mut readers = vec![Vec::new(); problem.topics.len()];
        for (member, topics) in problem.wants.iter().enumerate() {
            topics.iter().for_each(|topic| readers[*topic].push(member));
        }
        let mut topics: Vec<usize> = (0..problem.topics.len()).collect();
        topics.sort_small_by_key(|topic| (readers[*topic].len(), *topic));
        let mut by_rank = vec![0; problem.ranks.len()];
        for (member, rank) in problem.ranks.iter().enumerate() {
            by_rank[*rank] = member;
        }
        let owned = claims.owned.iter().enumerate();
        let owners = owned.flat_map(|(member, parts)| parts.iter().map(move |part| (*part, member)));
        Builder {
            problem,
            max_generation: claims.max_generation,
            all: topics
                .into_iter()
                .flat_map(|topic| problem.partitions_of(topic))
                .collect(),
            readers,
            owners: owners.collect(),
            current: claims.owned.into_iter().map(Some).collect(),
            sorted: OrderedSet::new(),
            by_rank,
            revoked: false,
            movements: Movements::default(),
        }
    }

    /// Partitions by member.
    pub fn build(mut self) -> Vec<Vec<Part>> {
        let former = self.former();
        let kept = self.keep_owned();
        let free: Vec<Part> = self.all.iter().filter(|part| !kept.contains(part)).copied().collect();
        for member in 0..self.current.len() {
            self.sorted.insert(self.key(member));
        }
        self.balance(&former, free);
        self.current.into_iter().map(Option::unwrap_or_default).collect()
    }

    fn has(&self, member: usize) -> usize {
        self.current[member].as_ref().map_or(0, Vec::len)
    }

    fn key(&self, member: usize) -> (usize, usize) {
        (self.has(member), self.problem.ranks[member])
    }

    /// Owners of an earlier generation, by partition. [prepopulateCurrentAssignments]
    fn former(&self) -> OrderedMap<Part, (usize, i32)> {
        let mut former: OrderedMap<Part, (usize, i32)> = OrderedMap::new();
        for (i, member) in self.problem.members.iter().enumerate() {
            let generation = member.generation.unwrap_or(NO_GENERATION);
            if generation >= self.max_generation {
                continue;
            }
            for part in member.owned.iter().filter_map(|partition| self.problem.part(partition)) {
                let entry = former.entry(part).or_insert((i, generation));
                if generation > entry.1 {
                    *entry = (i, generation);
                }
            }
        }
        former
    }

    /// Takes away what a member does not read any more, or has no replica near; what is kept.
    fn keep_owned(&mut self) -> OrderedSet<Part> {
        let mut kept = OrderedSet::new();
        for member in 0..self.current.len() {
            let parts = self.current[member].take().unwrap_or_default();
            let count = parts.len();
            let problem = self.problem;
            let stays = |part: &Part| problem.wants[member].contains(&part.0) && !problem.racks.mismatch(member, *part);
            let parts: Vec<Part> = parts.into_iter().filter(stays).collect();
            self.revoked |= parts.len() < count;
            kept.extend(parts.iter().copied());
            self.current[member] = Some(parts);
        }
        kept
    }

    fn members_by_size(&self) -> impl Iterator<Item = usize> + '_ {
        self.sorted.iter().map(|(_, rank)| self.by_rank[*rank])
    }

    /// To the member with least that reads the topic.
    fn give(&mut self, part: Part, near: bool) -> bool {
        let problem = self.problem;
        let fits = |member: &usize| {
            problem.wants[*member].contains(&part.0) && !(near && problem.racks.mismatch(*member, part))
        };
        let Some(member) = self.members_by_size().find(fits) else {
            return false;
        };
        self.sorted.remove(&self.key(member));
        if let Some(parts) = &mut self.current[member] {
            parts.push(part);
        }
        self.owners.insert(part, member);
        self.sorted.insert(self.key(member));
        true
    }

    fn balance(&mut self, former: &OrderedMap<Part, (usize, i32)>, mut free: Vec<Part>) {
        let initializing = self.sorted.last().is_none_or(|(count, _)| *count == 0);
        let mut to_give = free.clone();
        if self.problem.racks.matter() {
            to_give.retain(|part| !self.give(*part, true));
        }
        for part in to_give {
            self.give(part, false);
        }
        let movable = |topic: usize, readers: &[Vec<usize>]| readers[topic].len() >= 2;
        self.all.retain(|part| movable(part.0, &self.readers));
        free.retain(|part| movable(part.0, &self.readers));
        let mut fixed = Vec::new();
        for member in 0..self.current.len() {
            if !self.takes_part(member) {
                self.sorted.remove(&self.key(member));
                fixed.push((member, self.current[member].take()));
            }
        }
        let before = self.current.clone();
        if !self.revoked {
            self.reassign_all(&free, former);
        }
        let all = std::mem::take(&mut self.all);
        let moved = self.reassign_all(&all, former);
        if !initializing && moved && score(&self.current) >= score(&before) {
            self.current = before;
        }
        for (member, parts) in fixed {
            self.current[member] = parts;
        }
    }

    /// So many it could have.
    fn most(&self, member: usize) -> usize {
        self.problem.wants[member]
            .iter()
            .map(|topic| self.problem.size(*topic))
            .sum()
    }

    /// Could it get something, or give something away? [canConsumerParticipateInReassignment]
    fn takes_part(&self, member: usize) -> bool {
        let parts = self.current[member].as_deref().unwrap_or_default();
        parts.len() < self.most(member) || parts.iter().any(|part| self.readers[part.0].len() >= 2)
    }

    /// Does nobody have two more than one who could have one of them? [isBalanced]
    fn is_balanced(&self) -> bool {
        let (Some((min, _)), Some((max, _))) = (self.sorted.first(), self.sorted.last()) else {
            return true;
        };
        if min + 1 >= *max {
            return true;
        }
        let mut owners: OrderedMap<Part, usize> = OrderedMap::new();
        for (member, parts) in self.current.iter().enumerate() {
            owners.extend(parts.iter().flatten().map(|part| (*part, member)));
        }
        for member in self.members_by_size() {
            let has = self.has(member);
            if has == self.most(member) {
                continue;
            }
            for topic in &self.problem.wants[member] {
                for part in self.problem.partitions_of(*topic) {
                    let richer = owners.get(&part).is_some_and(|owner| has + 1 < self.has(*owner));
                    if richer {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Moves partitions until nothing changes any more. Whether any was moved. [performReassignments]
    fn reassign_all(&mut self, parts: &[Part], former: &OrderedMap<Part, (usize, i32)>) -> bool {
        let mut moved = false;
        loop {
            let mut changed = false;
            for part in parts {
                if self.is_balanced() {
                    break;
                }
                let Some(to) = self.better_place(*part, former) else {
                    continue;
                };
                self.reassign(*part, to);
                changed = true;
            }
            moved |= changed;
            if !changed {
                return moved;
            }
        }
    }

    /// Where a partition should go: back to an earlier owner, or, if any reader has less, to the one with least.
    fn better_place(&self, part: Part, former: &OrderedMap<Part, (usize, i32)>) -> Option<usize> {
        let owner = *self.owners.get(&part)?;
        let has = self.has(owner);
        if let Some((before, _)) = former.get(&part)
            && self.current[*before].is_some()
            && has > self.has(*before) + 1
        {
            return Some(*before);
        }
        // Whether the member that makes the difference is near or not, the one with least gets it.
        let poorer = self.readers[part.0].iter().any(|other| has > self.has(*other) + 1);
        poorer
            .then(|| {
                self.members_by_size()
                    .find(|member| self.problem.wants[*member].contains(&part.0))
            })
            .flatten()
    }

    fn reassign(&mut self, part: Part, to: usize) {
        let Some(owner) = self.owners.get(&part).copied() else {
            return;
        };
        let part = self.movements.instead(part, owner, to);
        let Some(from) = self.owners.get(&part).copied() else {
            return;
        };
        self.sorted.remove(&self.key(from));
        self.sorted.remove(&self.key(to));
        self.movements.moved(self.problem, part, from, to);
        if let Some(parts) = &mut self.current[from]
            && let Some(place) = parts.iter().position(|p| *p == part)
        {
            parts.remove(place);
        }
        if let Some(parts) = &mut self.current[to] {
            parts.push(part);
        }
        self.owners.insert(part, to);
        self.sorted.insert(self.key(to));
        self.sorted.insert(self.key(from));
    }
}

/// The sum of all differences in size: 0 is perfect.
fn score(assignment: &[Option<Vec<Part>>]) -> usize {
    let sizes: Vec<usize> = assignment.iter().flatten().map(Vec::len).collect();
    let pairs = sizes.iter().enumerate();
    pairs
        .map(|(i, a)| sizes[i + 1..].iter().map(|b| a.abs_diff(*b)).sum::<usize>())
        .sum()
}
