//! Which partitions have moved, so that two of a topic don't swap their members.
//! [AbstractStickyAssignor.PartitionMovements]

use super::{Part, Problem};
use crate::kafka::java_map::JavaMap;
use crate::ordered::OrderedMap;

/// From whom to whom.
type Pair = (usize, usize);

#[derive(Default)]
pub(super) struct Movements {
    by_partition: OrderedMap<Part, Pair>,
    /// By topic and pair, in Java's order.
    by_pair: OrderedMap<(usize, Pair), JavaMap<Part, ()>>,
}

impl Movements {
    pub fn moved(&mut self, problem: &Problem, part: Part, from: usize, to: usize) {
        let mut pair = (from, to);
        if let Some(before) = self.by_partition.remove(&part) {
            if let Some(parts) = self.by_pair.get_mut(&(part.0, before)) {
                parts.remove(problem.hash(part), &part);
                if parts.is_empty() {
                    self.by_pair.remove(&(part.0, before));
                }
            }
            if before.0 == to {
                return;
            }
            pair = (before.0, to);
        }
        self.by_partition.insert(part, pair);
        let parts = self.by_pair.entry((part.0, pair)).or_default();
        parts.put(problem.hash(part), part, ());
    }

    /// Another partition of the topic that went the other way goes back instead.
    pub fn instead(&self, part: Part, from: usize, to: usize) -> Part {
        let from = self.by_partition.get(&part).map_or(from, |pair| pair.0);
        let reverse = self.by_pair.get(&(part.0, (to, from)));
        let first = reverse.and_then(|parts| parts.keys().next().copied());
        first.unwrap_or(part)
    }
}
