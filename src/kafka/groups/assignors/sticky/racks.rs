//! Racks of members and of replicas, if they make a difference. [AbstractStickyAssignor.RackInfo]

use super::Part;
use crate::kafka::groups::assignors::{Member, Topic};
use crate::ordered::SortSmall;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

#[derive(Default)]
pub(super) struct Racks {
    /// By member; empty if racks play no part.
    members: Vec<Option<Rc<str>>>,
    partitions: OrderedMap<Part, OrderedSet<Rc<str>>>,
    /// How many members are in a rack with a replica.
    near: OrderedMap<Part, usize>,
}

impl Racks {
    pub fn new(topics: &[&Topic], members: &[Member]) -> Racks {
        let used: OrderedSet<&Rc<str>> = members.iter().filter_map(|member| member.rack.as_ref()).collect();
        if used.is_empty() {
            return Racks::default();
        }
        let mut partitions: OrderedMap<Part, OrderedSet<Rc<str>>> = OrderedMap::new();
        for (place, topic) in topics.iter().enumerate() {
            for (i, partition) in (0..topic.partitions).enumerate() {
                let racks = topic.racks.get(i).into_iter().flatten().cloned().collect();
                partitions.insert((place, partition), racks);
            }
        }
        let all: OrderedSet<Rc<str>> = partitions.values().flatten().cloned().collect();
        let in_common = used.iter().any(|rack| all.contains(*rack));
        let mut racks = Racks::default();
        let in_rack = |rack: &Rc<str>| {
            members
                .iter()
                .filter(|member| member.rack.as_ref() == Some(rack))
                .count()
        };
        if in_common && partitions.values().any(|racks| *racks != all) {
            racks.members = members.iter().map(|member| member.rack.clone()).collect();
            let near = |(part, racks): (&Part, &OrderedSet<Rc<str>>)| (*part, racks.iter().map(in_rack).sum());
            racks.near = partitions.iter().map(near).collect();
            racks.partitions = partitions;
        } else {
            // The count is made from what the members say, whether racks are used or not.
            racks.near = partitions
                .iter()
                .map(|(part, racks)| (*part, racks.iter().map(in_rack).sum()))
                .collect();
        }
        racks
    }

    /// Do racks play a part?
    pub fn matter(&self) -> bool {
        !self.members.is_empty()
    }

    fn of(&self, member: usize) -> Option<&Rc<str>> {
        self.members.get(member)?.as_ref()
    }

    /// Is the member in a rack without a replica?
    pub fn mismatch(&self, member: usize, part: Part) -> bool {
        self.of(member).is_some() && !self.is_near(member, part)
    }

    /// Is there a replica in the member's rack?
    pub fn is_near(&self, member: usize, part: Part) -> bool {
        let racks = self.partitions.get(&part);
        let rack = self.of(member);
        rack.is_some_and(|rack| racks.is_some_and(|racks| racks.contains(rack)))
    }

    /// Those with the fewest members near come first.
    pub fn sort(&self, partitions: &mut [Part]) {
        if !self.near.is_empty() {
            partitions.sort_small_by_key(|part| self.near.get(part).copied().unwrap_or(0));
        }
    }

    /// The first of these members from a place on, going round, that is near.
    pub fn next_near(&self, part: Part, members: &[usize], first: usize) -> Option<usize> {
        let places = (0..members.len()).map(|i| (first + i) % members.len());
        let mut places = places;
        places.find(|place| self.is_near(members[*place], part))
    }
}
