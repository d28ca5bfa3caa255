//! When does the high watermark move? The leader's rule (rules ), and who held it back.
//! [Partition.maybeIncrementLeaderHW]

use super::follower::FollowerState;
use super::isr::IsrState;
use super::partition::View;
use crate::kafka::types::NodeId;
use crate::ordered::OrderedMap;

/// Why a follower's position counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// It is in the committed ISR.
    InSync,
    /// An expansion of the ISR by it is on its way to the controller.
    Joining,
    /// It is outside, but caught up and allowed to join (rule R-13).
    CaughtUpOutside,
}

/// The follower that is furthest behind of those that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    pub replica: NodeId,
    /// Its log end offset as the leader knows it; -1 before its first fetch.
    pub end_offset: i64,
    pub counted: Counted,
}

/// What an evaluation of the high watermark came to. The log is the caller's to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HighWatermark {
    Advances {
        from: i64,
        to: i64,
    },
    /// The committed ISR is below `min.insync.replicas` (KIP-966, rule R-11).
    Frozen {
        isr: usize,
        min_isr: usize,
    },
    /// It is as high as it can be; `held_by` is behind the leader, `None` if all is committed.
    Stays {
        held_by: Option<Holder>,
    },
}

impl HighWatermark {
    /// The new high watermark, if it moves.
    pub fn advance(&self) -> Option<i64> {
        match self {
            HighWatermark::Advances { to, .. } => Some(*to),
            HighWatermark::Frozen { .. } | HighWatermark::Stays { .. } => None,
        }
    }
}

/// `min.insync.replicas` as it counts: at most the number of replicas (rule R-10). [Partition.effectiveMinIsr]
pub fn effective_min_isr(min_insync_replicas: usize, followers: usize) -> usize {
    min_insync_replicas.min(followers + 1)
}

/// Evaluates the high watermark of a leader.
pub fn evaluate(view: &View, isr: &IsrState, followers: &OrderedMap<NodeId, FollowerState>) -> HighWatermark {
    let min_isr = effective_min_isr(view.min_insync_replicas, followers.len());
    if isr.committed().len() < min_isr {
        return HighWatermark::Frozen {
            isr: isr.committed().len(),
            min_isr,
        };
    }
    let mut candidate = view.log.end;
    let mut held_by = None;
    for (&replica, state) in followers {
        if state.log_end_offset >= candidate {
            continue;
        }
        if let Some(counted) = counts(view, isr, replica, state) {
            candidate = state.log_end_offset;
            held_by = Some(Holder {
                replica,
                end_offset: candidate,
                counted,
            });
        }
    }
    let from = view.log.high_watermark;
    if candidate > from {
        HighWatermark::Advances { from, to: candidate }
    } else {
        HighWatermark::Stays { held_by }
    }
}

fn counts(view: &View, isr: &IsrState, replica: NodeId, state: &FollowerState) -> Option<Counted> {
    if isr.committed().contains(&replica) {
        Some(Counted::InSync)
    } else if isr.joining() == Some(replica) {
        Some(Counted::Joining)
    } else {
        let caught_up = state.is_caught_up(view.log.end, view.now, view.lag_max);
        (caught_up && view.is_eligible(replica, state)).then_some(Counted::CaughtUpOutside)
    }
}
