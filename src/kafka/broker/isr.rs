//! The in-sync replicas as their leader sees them: what the controller has committed, and the one change that may be
//! on its way there. [PartitionState, PendingExpandIsr, PendingShrinkIsr]

use crate::kafka::controller::partition::LeaderRecoveryState;
use crate::kafka::types::NodeId;

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
            isr = in_set_order(isr);
        }
        isr
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

/// The distinct members in the order in which Scala's immutable `Set` holds them, which is how they are sent and
/// shown: up to four as they came, five and more by their bits (ascending below 32). [scala.collection.immutable.Set]
fn in_set_order(mut ids: Vec<NodeId>) -> Vec<NodeId> {
    const KEEPS_ORDER: usize = 4;
    if ids.len() > KEEPS_ORDER {
        ids = in_trie_order(ids, 0);
    }
    ids
}

/// Walks a hash trie of five bits a level: the slots that hold one id first, then the slots that branch further.
fn in_trie_order(ids: Vec<NodeId>, shift: u32) -> Vec<NodeId> {
    let slot = |id: &NodeId| {
        let hash = *id as u32;
        ((hash ^ (hash >> 16)) >> shift) & 31
    };
    let mut slots: [Vec<NodeId>; 32] = Default::default();
    for id in ids {
        slots[slot(&id) as usize].push(id);
    }
    let (single, branches): (Vec<_>, Vec<_>) = slots.into_iter().partition(|s| s.len() < 2);
    let mut order: Vec<NodeId> = single.into_iter().flatten().collect();
    for branch in branches {
        // Seven levels use up all 32 bits; distinct ids differ by then, and equal ones would not be told apart.
        let deeper = shift + 5;
        order.extend(if deeper < u32::BITS {
            in_trie_order(branch, deeper)
        } else {
            branch
        });
    }
    order
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
    fn up_to_four_members_keep_their_order_more_go_by_their_bits() {
        let small = IsrState::committed_as(&[3, 1], LeaderRecoveryState::Recovered);
        assert_eq!(small.changed(&IsrChange::Expand(2)), [3, 1, 2]);
        let large = IsrState::committed_as(&[5, 4, 3, 1], LeaderRecoveryState::Recovered);
        assert_eq!(large.changed(&IsrChange::Expand(2)), [1, 2, 3, 4, 5]);
        assert_eq!(in_set_order(vec![33, 1, 2, 40, 9]), [2, 40, 9, 1, 33]);
    }
}
