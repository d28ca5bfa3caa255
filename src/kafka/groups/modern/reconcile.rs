//! A member's next step from what it has to its target: first it gives up what it is not to have, then it moves on to the
//! target's epoch and gets what nobody else has any more. [CurrentAssignmentBuilder]

use super::member::{Held, MemberState, ModernMember};
use crate::kafka::types::{TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

/// What the step depends on.
pub(in crate::kafka::groups) struct Reconciliation<'a> {
    pub target_epoch: i32,
    pub target: &'a [TopicPartition],
    /// The member has just changed what it subscribes to.
    pub subscription_changed: bool,
    /// Topics that it subscribes to and that exist.
    pub subscribed: &'a OrderedSet<TopicId>,
    /// What the member says it has; `None`: it did not say.
    pub owned: Option<&'a [TopicPartition]>,
    /// Does nobody have the partition?
    pub is_free: &'a dyn Fn(TopicPartition) -> bool,
}

impl Reconciliation<'_> {
    /// The member after its step; the same if there is none to take now.
    pub fn step(&self, member: &ModernMember) -> ModernMember {
        let current = &member.current;
        match current.state {
            MemberState::Stable if current.epoch != self.target_epoch => self.next(member),
            MemberState::Stable if self.subscription_changed => self.drop_unsubscribed(member),
            MemberState::Stable => member.clone(),
            MemberState::UnrevokedPartitions if !self.still_has(&current.pending) => self.next(member),
            MemberState::UnrevokedPartitions if self.subscription_changed => self.drop_unsubscribed(member),
            MemberState::UnrevokedPartitions => member.clone(),
            MemberState::UnreleasedPartitions => self.next(member),
        }
    }

    /// Has the member not said that it gave these up? [ownsRevokedPartitions]
    fn still_has(&self, pending: &Held) -> bool {
        self.owned
            .is_none_or(|owned| owned.iter().any(|partition| pending.contains_key(partition)))
    }

    /// Topics that it does not subscribe to any more go at once, also while the next target is not there yet.
    /// [updateCurrentAssignment]
    fn drop_unsubscribed(&self, member: &ModernMember) -> ModernMember {
        let current = &member.current;
        let stays = |partition: &TopicPartition| self.subscribed.contains(&partition.topic);
        if current.assigned.keys().all(stays) {
            return member.clone();
        }
        let (kept, gone): (OrderedMap<_, _>, OrderedMap<_, _>) = current
            .assigned
            .iter()
            .map(|(partition, epoch)| (*partition, *epoch))
            .partition(|(partition, _)| stays(partition));
        let mut pending = (*current.pending).clone();
        pending.extend(gone);
        let pending = Rc::new(pending);
        if self.still_has(&pending) {
            return member.step(current.epoch, MemberState::UnrevokedPartitions, Rc::new(kept), pending);
        }
        member.step(current.epoch, current.state, Rc::new(kept), current.pending.clone())
    }

    /// [computeNextAssignment]
    fn next(&self, member: &ModernMember) -> ModernMember {
        let current = &member.current;
        let target: OrderedSet<TopicPartition> = self
            .target
            .iter()
            .filter(|partition| self.subscribed.contains(&partition.topic))
            .copied()
            .collect();
        let (mut kept, revoked): (OrderedMap<_, _>, OrderedMap<_, _>) = current
            .assigned
            .iter()
            .map(|(partition, epoch)| (*partition, *epoch))
            .partition(|(partition, _)| target.contains(partition));
        let wanted = target.iter().filter(|partition| !kept.contains_key(partition));
        let (free, held): (Vec<TopicPartition>, Vec<TopicPartition>) =
            wanted.partition(|partition| (self.is_free)(**partition) || current.pending.contains_key(partition));
        let revoked = Rc::new(revoked);
        if !revoked.is_empty() && self.still_has(&revoked) {
            return member.step(current.epoch, MemberState::UnrevokedPartitions, Rc::new(kept), revoked);
        }
        kept.extend(free.into_iter().map(|partition| (partition, self.target_epoch)));
        let state = match held.is_empty() {
            true => MemberState::Stable,
            false => MemberState::UnreleasedPartitions,
        };
        member.step(self.target_epoch, state, Rc::new(kept), Rc::default())
    }
}
