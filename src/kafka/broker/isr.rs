//! The in-sync replicas as their leader sees them: what the controller has committed, and the one change that may be
//! on its way there. [PartitionState, PendingExpandIsr, PendingShrinkIsr]

use crate::kafka::controller::partition::LeaderRecoveryState;
use crate::kafka::types::NodeId;
use crate::ordered::SortSmall;

/// What a leader wants to change.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IsrChange {
    Expand(NodeId),
    Shrink(Vec<NodeId>),
}

/// One partition of an AlterPartition request. The recovery state sent is always `RECOVERED`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IsrProposal {
    pub change: IsrChange,
    pub leader_epoch: i32,
    /// The optimistic lock: the partition epoch that the change starts from.
    pub partition_epoch: i32,
    /// The whole new ISR, each member with its broker's epoch as the leader knows it (-1: unknown).
    pub isr: Vec<(NodeId, i64)>,
}

impl IsrProposal {
    /// The ids of the new ISR.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.isr.iter().map(|(id, _)| *id)
    }
}

/// A leader's ISR state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct IsrState {
    committed: Vec<NodeId>,
    recovery: LeaderRecoveryState,
    pending: Option<IsrProposal>,
}

impl IsrState {
    /// What the controller says: an open change is forgotten, its answer will come too late.
    pub fn committed_as(isr: &[NodeId], recovery: LeaderRecoveryState) -> Self {
        Self {
            committed: in_set_order(isr.to_vec()),
            recovery,
            pending: None,
        }
    }

    /// The ISR that the controller has confirmed.
    pub fn committed(&self) -> &[NodeId] {
        &self.committed
    }

    pub fn recovery(&self) -> LeaderRecoveryState {
        self.recovery
    }

    /// The change that waits for the controller's answer.
    pub fn pending(&self) -> Option<&IsrProposal> {
        self.pending.as_ref()
    }

    pub fn is_in_flight(&self) -> bool {
        self.pending.is_some()
    }

    /// The replica that an open expansion adds.
    pub fn joining(&self) -> Option<NodeId> {
        match self.pending.as_ref()?.change {
            IsrChange::Expand(id) => Some(id),
            IsrChange::Shrink(_) => None,
        }
    }

    /// Is it in the maximal ISR: the committed one and whoever joins, for an expansion counts at once and a shrink only
    /// when it is confirmed (rule R-12)?
    pub fn maximal_contains(&self, id: NodeId) -> bool {
        self.committed.contains(&id) || self.joining() == Some(id)
    }

    /// Size of the maximal ISR.
    pub fn maximal_len(&self) -> usize {
        self.committed.len() + usize::from(self.joining().is_some())
    }

    /// The maximal ISR.
    pub fn maximal(&self) -> Vec<NodeId> {
        self.committed.iter().copied().chain(self.joining()).collect()
    }

    /// The ISR after a change.
    pub fn changed(&self, change: &IsrChange) -> Vec<NodeId> {
        let stays = |id: &NodeId| !matches!(change, IsrChange::Shrink(out) if out.contains(id));
        let mut isr: Vec<NodeId> = self.committed.iter().copied().filter(stays).collect();
        if let IsrChange::Expand(id) = change {
            isr.push(*id);
        }
        in_set_order(isr)
    }

    /// A change is on its way; no other may begin (rule R-18).
    pub fn propose(&mut self, proposal: IsrProposal) {
        self.pending = Some(proposal);
    }

    /// The controller refused and told that nothing changed: back to the committed ISR.
    pub fn roll_back(&mut self) {
        self.pending = None;
    }
}

/// The members in the order in which Scala's `mutable.HashSet` lists them, which is how they are sent and shown: by their
/// last four bits (ascending below 16). [Partition.prepareIsrExpand, Partition.prepareIsrShrink]
fn in_set_order(mut ids: Vec<NodeId>) -> Vec<NodeId> {
    let mut buckets = 16;
    while ids.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let hash = |id: &NodeId| {
        let id = *id as u32;
        id ^ (id >> 16)
    };
    ids.sort_small_by_key(|id| (hash(id) as usize & (buckets - 1), hash(id)));
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposal(state: &IsrState, change: IsrChange) -> IsrProposal {
        IsrProposal {
            isr: state.changed(&change).iter().map(|id| (*id, -1)).collect(),
            change,
            leader_epoch: 1,
            partition_epoch: 1,
        }
    }

    #[test]
    fn r12_a_pending_expansion_counts_a_pending_shrink_does_not() {
        let mut state = IsrState::committed_as(&[1, 2], LeaderRecoveryState::Recovered);
        state.propose(proposal(&state, IsrChange::Expand(3)));
        assert_eq!((state.committed(), state.maximal()), (&[1, 2][..], vec![1, 2, 3]));
        assert!(state.maximal_contains(3) && state.maximal_len() == 3);
        state.roll_back();
        state.propose(proposal(&state, IsrChange::Shrink(vec![2])));
        assert_eq!(state.maximal(), [1, 2]);
        let sent: Vec<NodeId> = state.pending().unwrap().members().collect();
        assert_eq!(sent, [1]);
    }

    #[test]
    fn members_go_by_their_bits() {
        let small = IsrState::committed_as(&[3, 1], LeaderRecoveryState::Recovered);
        assert_eq!(small.changed(&IsrChange::Expand(2)), [1, 2, 3]);
        let large = IsrState::committed_as(&[5, 4, 3, 1], LeaderRecoveryState::Recovered);
        assert_eq!(large.changed(&IsrChange::Expand(2)), [1, 2, 3, 4, 5]);
        assert_eq!(in_set_order(vec![33, 1, 2, 40, 9]), [1, 33, 2, 40, 9]);
    }
}
