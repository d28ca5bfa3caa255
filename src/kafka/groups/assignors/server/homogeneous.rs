//! `uniform` when all members subscribe to the same topics: over all of them everybody gets the same number, give or take
//! one. [UniformHomogeneousAssignmentBuilder]

use super::{Slot, Spec, Target};
use crate::ordered::OrderedSet;

pub(super) fn assign(spec: &Spec) -> Target {
    let Some(topics) = spec.members.first().map(|member| &member.topics) else {
        return Vec::new();
    };
    if topics.is_empty() {
        return vec![Vec::new(); spec.members.len()];
    }
    let held: OrderedSet<Slot> = spec.members.iter().flat_map(|m| m.assigned.iter().copied()).collect();
    let mut free: Vec<Slot> = Vec::new();
    let mut total = 0;
    for topic in topics {
        let count = spec.partitions(*topic);
        total += count as usize;
        free.extend((0..count).map(|p| (*topic, p)).filter(|slot| !held.contains(slot)));
    }
    let mut target = Target::new();
    let unfilled = keep(spec, topics, total, &mut target, &mut free);
    let mut free = free.into_iter();
    for (member, room) in unfilled {
        target[member].extend(free.by_ref().take(room));
    }
    target
}

/// Members keep what fits into their share. Gives who has room left, and how much.
fn keep(spec: &Spec, topics: &[usize], total: usize, target: &mut Target, free: &mut Vec<Slot>) -> Vec<(usize, usize)> {
    let count = spec.members.len();
    let share = total / count;
    let mut extras = total % count;
    let mut unfilled = Vec::new();
    for (place, member) in spec.members.iter().enumerate() {
        let mut extra = extras > 0;
        let mut quota = share + usize::from(extra);
        let mut kept = Vec::new();
        for slot in &member.assigned {
            if !topics.contains(&slot.0) {
                continue;
            }
            if quota > 0 {
                quota -= 1;
                kept.push(*slot);
            } else {
                free.push(*slot);
            }
        }
        // The extras go first to members that fill them.
        if quota > 0 && extra && count - place > extras {
            quota -= 1;
            extra = false;
        }
        if quota > 0 {
            unfilled.push((place, quota));
        }
        extras -= usize::from(extra);
        target.push(kept);
    }
    unfilled
}
