//! What the controller has registered of one partition, and how a record changes it.

use crate::kafka::types::{NO_LEADER, NodeId};

/// May the leader's log be short of committed records? Told by the election that chose it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LeaderRecoveryState {
    #[default]
    Recovered,
    /// Elected uncleanly; the leader reports `RECOVERED` with its next AlterPartition.
    Recovering,
}

/// The state of a partition in the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PartitionRegistration {
    /// All replicas, the preferred leader first.
    pub replicas: Vec<NodeId>,
    pub isr: Vec<NodeId>,
    /// Eligible leader replicas (KIP-966): not in sync any more, but sure to have all committed records.
    pub elr: Vec<NodeId>,
    /// Holds the last known leader while there is none; empty, or one id in all states that a 4.3.1 controller makes.
    pub last_known_elr: Vec<NodeId>,
    /// Replicas that a reassignment adds; they are in `replicas` already.
    pub adding: Vec<NodeId>,
    /// Replicas that a reassignment will remove; they are in `replicas` until it completes.
    pub removing: Vec<NodeId>,
    /// [`NO_LEADER`] if there is none.
    pub leader: NodeId,
    pub recovery: LeaderRecoveryState,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
}

/// A PartitionChangeRecord: what is set changes, what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartitionChange {
    /// Set means a new leader epoch, also if it names the old leader again.
    pub leader: Option<NodeId>,
    pub isr: Option<Vec<NodeId>>,
    pub elr: Option<Vec<NodeId>>,
    pub last_known_elr: Option<Vec<NodeId>>,
    pub replicas: Option<Vec<NodeId>>,
    pub adding: Option<Vec<NodeId>>,
    pub removing: Option<Vec<NodeId>>,
    pub recovery: Option<LeaderRecoveryState>,
}

impl PartitionChange {
    /// Does it set nothing?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl PartitionRegistration {
    /// A new partition: epochs 0, led by the first of its in-sync replicas (rule R-67).
    pub fn new(replicas: Vec<NodeId>, isr: Vec<NodeId>) -> Self {
        Self {
            leader: isr.first().copied().unwrap_or(NO_LEADER),
            replicas,
            isr,
            elr: Vec::new(),
            last_known_elr: Vec::new(),
            adding: Vec::new(),
            removing: Vec::new(),
            recovery: LeaderRecoveryState::Recovered,
            leader_epoch: 0,
            partition_epoch: 0,
        }
    }

    pub fn has_leader(&self) -> bool {
        self.leader != NO_LEADER
    }

    /// The replica that the balancer wants to lead: the first one.
    pub fn preferred(&self) -> NodeId {
        self.replicas.first().copied().unwrap_or(NO_LEADER)
    }

    pub fn is_reassigning(&self) -> bool {
        !self.adding.is_empty() || !self.removing.is_empty()
    }

    /// The registration with a record applied: the partition epoch rises by one, the leader epoch only if the record
    /// names a leader (rule R-51). [PartitionRegistration.merge]
    pub fn merge(&self, change: &PartitionChange) -> Self {
        let or = |new: &Option<Vec<NodeId>>, old: &Vec<NodeId>| new.as_ref().unwrap_or(old).clone();
        Self {
            replicas: or(&change.replicas, &self.replicas),
            isr: or(&change.isr, &self.isr),
            elr: or(&change.elr, &self.elr),
            last_known_elr: or(&change.last_known_elr, &self.last_known_elr),
            adding: or(&change.adding, &self.adding),
            removing: or(&change.removing, &self.removing),
            leader: change.leader.unwrap_or(self.leader),
            recovery: change.recovery.unwrap_or(self.recovery),
            leader_epoch: self.leader_epoch + i32::from(change.leader.is_some()),
            partition_epoch: self.partition_epoch + 1,
        }
    }

    /// The registration without its eligible leader replicas, if it has any: what a new `min.insync.replicas` does to
    /// it, by a record of the topic, not of the partition (rule R-60).
    /// [ConfigurationControlManager.createClearElrRecordsAsNeeded, ReplicationControlManager.removeTopicElrs]
    pub fn without_elr(&self) -> Option<Self> {
        (!self.elr.is_empty() || !self.last_known_elr.is_empty()).then(|| Self {
            elr: Vec::new(),
            last_known_elr: Vec::new(),
            partition_epoch: self.partition_epoch + 1,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r51_partition_epoch_rises_with_every_change_leader_epoch_only_with_a_leader_field() {
        let before = PartitionRegistration::new(vec![1, 2, 3], vec![1, 2, 3]);
        let shrunk = before.merge(&PartitionChange {
            isr: Some(vec![1, 2]),
            ..PartitionChange::default()
        });
        assert_eq!((shrunk.partition_epoch, shrunk.leader_epoch), (1, 0));
        let again = shrunk.merge(&PartitionChange {
            leader: Some(1),
            ..PartitionChange::default()
        });
        assert_eq!((again.partition_epoch, again.leader_epoch), (2, 1));
        assert_eq!(again.isr, [1, 2]);
    }

    #[test]
    fn r60_a_new_min_insync_replicas_clears_the_elr() {
        let mut before = PartitionRegistration::new(vec![1, 2], vec![1]);
        assert_eq!(before.without_elr(), None);
        before.elr = vec![2];
        let after = before.without_elr().unwrap();
        assert!(after.elr.is_empty());
        assert_eq!((after.partition_epoch, after.leader_epoch), (1, 0));
    }

    #[test]
    fn r67_a_new_partition_is_led_by_the_first_in_sync_replica() {
        let new = PartitionRegistration::new(vec![3, 1, 2], vec![1, 2]);
        assert_eq!((new.leader, new.leader_epoch, new.partition_epoch), (1, 0, 0));
        assert!(!PartitionRegistration::new(vec![3], vec![]).has_leader());
    }
}
