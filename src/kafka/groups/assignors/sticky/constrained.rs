//! All members subscribe to the same topics: everybody keeps up to its share, the rest is dealt out.
//! [AbstractStickyAssignor.ConstrainedAssignmentBuilder]

use super::{Claims, Part, Problem};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use std::collections::VecDeque;

pub(super) struct Builder<'p, 'a> {
    problem: &'p Problem<'a>,
    claims: Claims,
    /// Who had it, of what could not be kept.
    maybe_revoked: OrderedMap<Part, usize>,
    /// Members with fewer than `min`, and those with exactly that who may get one more.
    below: Vec<usize>,
    at_min: VecDeque<usize>,
    min: usize,
    max: usize,
    /// So many members get `max`.
    with_more: usize,
    now_with_more: usize,
    out: Vec<Vec<Part>>,
    moving: OrderedMap<Part, usize>,
}

impl<'p, 'a> Builder<'p, 'a> {
    /// There is at least one member.
    pub fn new(problem: &'p Problem<'a>, claims: Claims) -> Builder<'p, 'a> {
        let (total, members) = (problem.total(), problem.members.len());
        Builder {
            problem,
            claims,
            maybe_revoked: OrderedMap::new(),
            below: Vec::new(),
            at_min: VecDeque::new(),
            min: total / members,
            max: total.div_ceil(members),
            with_more: total % members,
            now_with_more: 0,
            out: vec![Vec::new(); members],
            moving: OrderedMap::new(),
        }
    }

    /// Partitions by member, and who gets what another one had.
    pub fn build(mut self) -> (Vec<Vec<Part>>, OrderedMap<Part, usize>) {
        self.keep_owned();
        let kept: OrderedSet<Part> = self.out.iter().flatten().copied().collect();
        let topics = 0..self.problem.topics.len();
        let all = topics.flat_map(|topic| self.problem.partitions_of(topic));
        let mut free: Vec<Part> = all.filter(|part| !kept.contains(part)).collect();
        let ranks = &self.problem.ranks;
        self.below.sort_small_by_key(|member| ranks[*member]);
        self.at_min.make_contiguous().sort_small_by_key(|member| ranks[*member]);
        self.problem.racks.sort(&mut free);
        if self.problem.racks.matter() {
            free = self.deal_near(free);
        }
        self.deal(&free);
        (self.out, self.moving)
    }

    fn filled(&self) -> bool {
        self.now_with_more == self.with_more
    }

    fn keep_owned(&mut self) {
        for member in self.problem.in_hash_order() {
            let racks = &self.problem.racks;
            let owned = std::mem::take(&mut self.claims.owned[member]);
            let (far, mut owned): (Vec<Part>, Vec<Part>) =
                owned.into_iter().partition(|part| racks.mismatch(member, *part));
            self.maybe_revoked.extend(far.into_iter().map(|part| (part, member)));
            owned.sort_small_by_key(|part| (part.1, part.0));
            owned.retain(|part| !self.claims.contested.contains(part));
            if owned.len() < self.min {
                self.out[member] = owned;
                self.below.push(member);
                continue;
            }
            let most = if owned.len() >= self.max && self.now_with_more < self.with_more {
                self.now_with_more += 1;
                if self.filled() {
                    self.at_min.clear();
                }
                self.max
            } else {
                if self.now_with_more < self.with_more {
                    self.at_min.push_back(member);
                }
                self.min
            };
            let rest = owned.split_off(most);
            self.maybe_revoked.extend(rest.into_iter().map(|part| (part, member)));
            self.out[member] = owned;
        }
    }

    /// Partitions go to members in a rack with a replica, as far as there is room; gives those that are left.
    fn deal_near(&mut self, free: Vec<Part>) -> Vec<Part> {
        let mut next = 0;
        let mut left = Vec::new();
        for part in free {
            let racks = &self.problem.racks;
            if let Some(mut place) = racks.next_near(part, &self.below, next) {
                let member = self.below[place];
                let count = self.out[member].len() + 1;
                if count >= self.min {
                    self.below.remove(place);
                    if count < self.max && self.now_with_more < self.with_more {
                        self.at_min.push_back(member);
                    }
                } else {
                    place += 1;
                }
                next = place.checked_rem(self.below.len()).unwrap_or(0);
                self.give(part, member);
            } else if let Some(place) = racks.next_near(part, self.at_min.make_contiguous(), 0) {
                let member = self.at_min[place];
                if self.out[member].len() + 1 == self.max {
                    self.at_min.remove(place);
                    self.now_with_more += 1;
                    if self.filled() {
                        self.at_min.clear();
                    }
                }
                self.give(part, member);
            } else {
                left.push(part);
            }
        }
        left
    }

    /// One by one to those below their share, round and round; then to those who may have one more.
    fn deal(&mut self, free: &[Part]) {
        let mut next = 0;
        for part in free {
            if next >= self.below.len() {
                next = 0;
            }
            let (member, of_below) = match self.below.get(next) {
                Some(member) => (*member, true),
                // As many partitions as places: there is always somebody left.
                None => match self.at_min.pop_front() {
                    Some(member) => (member, false),
                    None => return,
                },
            };
            self.give(*part, member);
            let count = self.out[member].len();
            if of_below && count == self.min {
                self.below.remove(next);
                self.at_min.push_back(member);
            } else {
                next += usize::from(of_below);
                if count == self.max {
                    self.now_with_more += 1;
                }
            }
        }
    }

    fn give(&mut self, part: Part, member: usize) {
        self.out[member].push(part);
        let another = self.maybe_revoked.get(&part).is_some_and(|had| *had != member);
        if another || self.claims.contested.contains(&part) {
            self.moving.insert(part, member);
        }
    }
}
