//! AlterPartition at the controller: a leader asks for another ISR of one partition.
//!
//! The broker epoch of the request (STALE_BROKER_EPOCH) and unknown topics or partitions are checked before; they don't
//! need the registration. Rules: `kafka-controller.md`, section 10. [ReplicationControlManager.alterPartition]

use super::election::TopicRules;
use super::partition::{LeaderRecoveryState, PartitionChange, PartitionRegistration};
use super::partition_change::{Election, Wish, build};
use crate::kafka::protocol::controller::AlterPartitionData;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;

/// What the controller has registered of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredBroker {
    pub epoch: i64,
    /// Not fenced and not in controlled shutdown.
    pub active: bool,
    /// May be in an ISR: an active one, before KIP-841 any.
    pub may_join: bool,
}

/// A request that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Altered {
    /// The record to write; `None` if all is so already.
    pub change: Option<PartitionChange>,
    /// The partition with it, for the answer.
    pub after: PartitionRegistration,
    /// `NONE`, or `NEW_LEADER_ELECTED` if the change completed a reassignment that took the leadership away: then the
    /// record is written all the same, and the answer carries only the error (rule R-72).
    pub error: ErrorCode,
}

/// Decides on one partition of a request by the broker `sender`.
///
/// # Errors
/// In this order (rule R-70): NOT_CONTROLLER (the sender knows more than this controller), FENCED_LEADER_EPOCH,
/// INVALID_REQUEST (not the leader), INVALID_UPDATE_VERSION, INVALID_REQUEST (the ISR or the recovery state makes no
/// sense), INELIGIBLE_REPLICA.
pub fn alter_partition(
    before: &PartitionRegistration,
    sender: NodeId,
    asked: &AlterPartitionData,
    rules: &TopicRules,
    broker: &dyn Fn(NodeId) -> Option<RegisteredBroker>,
) -> Result<Altered, ErrorCode> {
    check(before, sender, asked, broker)?;
    let wish = Wish {
        isr: Some(members(asked)),
        recovery: Some(asked.recovery),
        ..Wish::default()
    };
    let may_lead = |id| broker(id).is_some_and(|b| b.active);
    let election = Election::of_topic(rules.unclean);
    let change = build(before, &wish, election, &rules.change, &may_lead);
    let moved = change.as_ref().and_then(|c| c.leader).is_some_and(|id| id != sender);
    Ok(Altered {
        after: change.as_ref().map_or_else(|| before.clone(), |c| before.merge(c)),
        error: if moved {
            ErrorCode::NewLeaderElected
        } else {
            ErrorCode::None
        },
        change,
    })
}

fn members(asked: &AlterPartitionData) -> Vec<NodeId> {
    asked.new_isr.iter().map(|(id, _)| *id).collect()
}

/// [ReplicationControlManager.validateAlterPartitionData]
fn check(
    before: &PartitionRegistration,
    sender: NodeId,
    asked: &AlterPartitionData,
    broker: &dyn Fn(NodeId) -> Option<RegisteredBroker>,
) -> Result<(), ErrorCode> {
    if asked.leader_epoch > before.leader_epoch || asked.partition_epoch > before.partition_epoch {
        return Err(ErrorCode::NotController);
    }
    if asked.leader_epoch < before.leader_epoch {
        return Err(ErrorCode::FencedLeaderEpoch);
    }
    if sender != before.leader {
        return Err(ErrorCode::InvalidRequest);
    }
    if asked.partition_epoch < before.partition_epoch {
        return Err(ErrorCode::InvalidUpdateVersion);
    }
    let isr = members(asked);
    let valid_isr = isr.iter().all(|id| before.replicas.contains(id)) && isr.contains(&before.leader);
    let recovering = asked.recovery == LeaderRecoveryState::Recovering;
    let falls_back = recovering && before.recovery == LeaderRecoveryState::Recovered;
    if !valid_isr || falls_back || (recovering && isr.len() > 1) {
        return Err(ErrorCode::InvalidRequest);
    }
    let eligible = |(id, epoch): &(NodeId, i64)| {
        // -1: the leader does not know the epoch, so it is not checked.
        broker(*id).is_some_and(|b| b.may_join && (*epoch == -1 || *epoch == b.epoch))
    };
    if asked.new_isr.iter().all(eligible) {
        Ok(())
    } else {
        Err(ErrorCode::IneligibleReplica)
    }
}

#[cfg(test)]
mod tests {
    use super::super::partition_change::ChangeRules;
    use super::*;
    use crate::kafka::types::{TopicId, TopicPartition};

    /// Led by 1, in sync 1 and 2, epochs 5 and 9.
    fn before() -> PartitionRegistration {
        PartitionRegistration {
            leader_epoch: 5,
            partition_epoch: 9,
            ..PartitionRegistration::new(vec![1, 2, 3], vec![1, 2])
        }
    }

    fn asked(isr: &[NodeId]) -> AlterPartitionData {
        AlterPartitionData {
            partition: TopicPartition::new(TopicId(0), 0),
            leader_epoch: 5,
            partition_epoch: 9,
            new_isr: isr.iter().map(|id| (*id, 100 + i64::from(*id))).collect(),
            recovery: LeaderRecoveryState::Recovered,
        }
    }

    fn healthy(id: NodeId) -> Option<RegisteredBroker> {
        (1..=6).contains(&id).then(|| RegisteredBroker {
            epoch: 100 + i64::from(id),
            active: true,
            may_join: true,
        })
    }

    const RULES: TopicRules = TopicRules {
        change: ChangeRules {
            min_isr: 1,
            elr_enabled: true,
            use_last_known_leader: true,
            metadata_version: 30,
        },
        unclean: false,
    };

    fn answer(
        before: &PartitionRegistration,
        asked: &AlterPartitionData,
        broker: &dyn Fn(NodeId) -> Option<RegisteredBroker>,
    ) -> Result<Altered, ErrorCode> {
        alter_partition(before, 1, asked, &RULES, broker)
    }

    #[test]
    fn an_accepted_isr_raises_the_partition_epoch_and_no_change_writes_no_record() {
        let grown = answer(&before(), &asked(&[1, 2, 3]), &healthy).unwrap();
        assert_eq!((&grown.after.isr[..], grown.error), (&[1, 2, 3][..], ErrorCode::None));
        assert_eq!((grown.after.partition_epoch, grown.after.leader_epoch), (10, 5));
        let same = answer(&before(), &asked(&[1, 2]), &healthy).unwrap();
        assert_eq!((same.change, same.after), (None, before()));
    }

    #[test]
    fn r70_checks_come_in_order() {
        let code = |asked: &AlterPartitionData| answer(&before(), asked, &healthy).map(|_| ()).unwrap_err();
        let mut worst = asked(&[4]);
        worst.partition_epoch = 10;
        worst.leader_epoch = 4;
        assert_eq!(code(&worst), ErrorCode::NotController);
        worst.partition_epoch = 8;
        assert_eq!(code(&worst), ErrorCode::FencedLeaderEpoch);
        worst.leader_epoch = 5;
        let by_other = alter_partition(&before(), 2, &worst, &RULES, &healthy);
        assert_eq!(by_other, Err(ErrorCode::InvalidRequest));
        assert_eq!(code(&worst), ErrorCode::InvalidUpdateVersion);
        worst.partition_epoch = 9;
        assert_eq!(code(&worst), ErrorCode::InvalidRequest, "4 is no replica");
        assert_eq!(code(&asked(&[2, 3])), ErrorCode::InvalidRequest, "without its leader");
        let mut recovering = asked(&[1]);
        recovering.recovery = LeaderRecoveryState::Recovering;
        assert_eq!(code(&recovering), ErrorCode::InvalidRequest, "it had recovered");
    }

    #[test]
    fn r71_fenced_stopping_unregistered_or_returned_members_are_ineligible_also_old_ones() {
        let spoilt: [Option<RegisteredBroker>; 3] = [
            None,
            healthy(2).map(|b| RegisteredBroker {
                active: false,
                may_join: false,
                ..b
            }),
            healthy(2).map(|b| RegisteredBroker { epoch: 300, ..b }),
        ];
        for second in spoilt {
            let broker = |id| if id == 2 { second } else { healthy(id) };
            let refused = answer(&before(), &asked(&[1, 2, 3]), &broker);
            assert_eq!(refused, Err(ErrorCode::IneligibleReplica));
        }
        let mut unknown_epoch = asked(&[1, 2]);
        unknown_epoch.new_isr[1].1 = -1;
        assert!(answer(&before(), &unknown_epoch, &healthy).is_ok());
    }

    #[test]
    fn r72_completing_a_reassignment_that_drops_the_leader_is_an_error_and_a_record() {
        let moving = PartitionRegistration {
            replicas: vec![2, 3, 1],
            adding: vec![3],
            removing: vec![1],
            ..before()
        };
        let done = answer(&moving, &asked(&[1, 2, 3]), &healthy).unwrap();
        assert_eq!(done.error, ErrorCode::NewLeaderElected);
        assert_eq!((done.after.leader, done.after.leader_epoch), (2, 6));
        assert_eq!(done.after.replicas, [2, 3]);
        assert!(done.change.is_some());
    }

    #[test]
    fn a_leader_that_recovers_reports_it_with_its_next_request() {
        let recovering = PartitionRegistration {
            recovery: LeaderRecoveryState::Recovering,
            isr: vec![1],
            ..before()
        };
        let recovered = answer(&recovering, &asked(&[1, 2]), &healthy).unwrap();
        assert_eq!(recovered.after.recovery, LeaderRecoveryState::Recovered);
        let mut still = asked(&[1, 2]);
        still.recovery = LeaderRecoveryState::Recovering;
        assert_eq!(answer(&recovering, &still, &healthy), Err(ErrorCode::InvalidRequest));
    }
}
