//! Moving a partition to other replicas: what starts it, what takes it back. Its end is no step of its own: any change
//! of the partition completes it as soon as all that it adds is in sync (`partition_change`).
//!
//! Rules: `kafka-controller.md`, section 11. [PartitionReassignmentReplicas, PartitionReassignmentRevert]

use super::assignment::check_manual_assignment;
use super::partition::PartitionRegistration;
use super::partition_change::Wish;
use crate::kafka::protocol::admin::ApiError;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::ordered::SortSmall;

/// What a reassignment of a partition to `target` wishes of it.
///
/// # Errors
/// INVALID_REPLICA_ASSIGNMENT; INVALID_REPLICATION_FACTOR if the number of replicas would change and may not.
/// [ReplicationControlManager.changePartitionReassignment]
pub fn start(
    before: &PartitionRegistration,
    target: &[NodeId],
    allow_replication_factor_change: bool,
    is_registered: &dyn Fn(NodeId) -> bool,
) -> Result<Wish, ApiError> {
    check_manual_assignment(target, None, is_registered)?;
    let size = size_without_reassignment(before);
    if !allow_replication_factor_change && size != target.len() {
        let message = format!("The replication factor is changed from {size} to {}", target.len());
        return Err((ErrorCode::InvalidReplicationFactor, Some(message.into())));
    }
    let adding = difference(target, &before.replicas);
    let removing = difference(&before.replicas, target);
    let replicas: Vec<NodeId> = target.iter().chain(&removing).copied().collect();
    // An empty list is no wish: a second target that adds nothing to the present replicas keeps what the first one was
    // adding, even if it is being removed now. So the real controller does.
    let unless_empty = |ids: Vec<NodeId>| (!ids.is_empty()).then_some(ids);
    Ok(Wish {
        replicas: Some(replicas),
        adding: unless_empty(adding),
        removing: unless_empty(removing),
        ..Wish::default()
    })
}

/// What taking a running reassignment back wishes: the replicas that it was adding go, those that it was removing stay.
/// `name` is the topic's, `unclean_leader_election_enable` its setting.
///
/// # Errors
/// NO_REASSIGNMENT_IN_PROGRESS; INVALID_REPLICA_ASSIGNMENT if only added replicas are in sync and an unclean leader is
/// not allowed. [ReplicationControlManager.cancelPartitionReassignment]
pub fn cancel(
    before: &PartitionRegistration,
    (name, partition): (&str, i32),
    unclean_leader_election_enable: bool,
) -> Result<Wish, ApiError> {
    if !before.is_reassigning() {
        return Err((ErrorCode::NoReassignmentInProgress, None));
    }
    let staying = |ids: &[NodeId]| -> Vec<NodeId> {
        let stays = |id: &&NodeId| !before.adding.contains(id);
        ids.iter().filter(stays).copied().collect()
    };
    let replicas = staying(&before.replicas);
    let mut isr = staying(&before.isr);
    if isr.is_empty() {
        let Some(first) = replicas.first() else {
            let message = "Invalid replica assignment: addingReplicas contains all replicas.";
            return Err((ErrorCode::InvalidReplicaAssignment, Some(message.into())));
        };
        if !unclean_leader_election_enable {
            let message = format!(
                "Unable to revert partition assignment for {name}:{partition} because it would require an unclean \
                 leader election."
            );
            return Err((ErrorCode::InvalidReplicaAssignment, Some(message.into())));
        }
        isr.push(*first);
    }
    Ok(Wish {
        isr: Some(isr),
        replicas: Some(replicas),
        adding: Some(Vec::new()),
        removing: Some(Vec::new()),
        ..Wish::default()
    })
}

/// How many replicas a partition has when what runs is done.
fn size_without_reassignment(before: &PartitionRegistration) -> usize {
    let stays = |id: &&NodeId| !before.removing.contains(id);
    before.replicas.iter().filter(stays).count()
}

/// The ids of `of` that are not in `without`, ascending.
fn difference(of: &[NodeId], without: &[NodeId]) -> Vec<NodeId> {
    let mut ids: Vec<NodeId> = of.iter().copied().filter(|id| !without.contains(id)).collect();
    ids.sort_small();
    ids
}

#[cfg(test)]
mod tests {
    use super::super::partition_change::{ChangeRules, Election, build};
    use super::*;
    use crate::kafka::vectors;
    use serde_json::Value;

    /// A partition whose replicas are all in sync, led by the first.
    fn partition(replicas: &[NodeId]) -> PartitionRegistration {
        PartitionRegistration::new(replicas.to_vec(), replicas.to_vec())
    }

    fn change(before: &PartitionRegistration, wish: &Wish) -> PartitionRegistration {
        let change = build(before, wish, Election::Online, &ChangeRules::new(1), &|_| true);
        before.merge(&change.expect("a change"))
    }

    fn started(before: &PartitionRegistration, target: &[NodeId]) -> PartitionRegistration {
        let wish = start(before, target, true, &|_| true).expect("a valid target");
        change(before, &wish)
    }

    #[test]
    fn r73_the_start_raises_no_leader_epoch_an_end_that_drops_a_replica_does() {
        let before = partition(&[0, 1, 2]);
        let running = started(&before, &[0, 3, 4]);
        assert_eq!(running.replicas, [0, 3, 4, 1, 2]);
        assert_eq!((&running.adding[..], &running.removing[..]), (&[3, 4][..], &[1, 2][..]));
        assert_eq!((running.partition_epoch, running.leader_epoch), (1, 0));
        let half = change(&running, &Wish::isr(vec![0, 1, 2, 3]));
        assert!(half.is_reassigning() && half.leader_epoch == 0);
        let done = change(&half, &Wish::isr(vec![0, 1, 2, 3, 4]));
        assert_eq!((&done.replicas[..], &done.isr[..]), (&[0, 3, 4][..], &[0, 3, 4][..]));
        assert_eq!((done.leader, done.leader_epoch, done.is_reassigning()), (0, 1, false));
    }

    #[test]
    fn r73_reordering_and_growing_keep_the_leader_epoch_shrinking_is_done_at_once() {
        let before = partition(&[0, 1, 2]);
        let reordered = started(&before, &[2, 1, 0]);
        assert_eq!((&reordered.replicas[..], reordered.leader), (&[2, 1, 0][..], 0));
        assert_eq!(reordered.leader_epoch, 0);
        let shrunk = started(&before, &[0, 1]);
        assert_eq!(
            (shrunk.leader, shrunk.leader_epoch, shrunk.is_reassigning()),
            (0, 1, false)
        );
        let moved = started(&before, &[1, 2]);
        assert_eq!((moved.leader, moved.leader_epoch), (1, 1));
        let grown = change(&started(&before, &[0, 1, 2, 3]), &Wish::isr(vec![0, 1, 2, 3]));
        assert_eq!((grown.leader_epoch, grown.is_reassigning()), (0, false));
    }

    #[test]
    fn a_second_target_that_adds_nothing_keeps_waiting_for_what_the_first_one_added() {
        let first = started(&partition(&[0, 1]), &[2, 3]);
        let second = started(&first, &[2, 0]);
        assert_eq!((&second.adding[..], &second.removing[..]), (&[2, 3][..], &[1, 3][..]));
        let all = change(&second, &Wish::isr(vec![0, 1, 2, 3]));
        assert!(all.is_reassigning(), "3 is to be added and to be removed");
        let cancelled = change(&all, &cancel(&all, ("t", 0), false).unwrap());
        assert_eq!(
            (&cancelled.replicas[..], &cancelled.isr[..]),
            (&[0, 1][..], &[0, 1][..])
        );
    }

    #[test]
    fn refusals_have_the_real_codes_and_texts() {
        let text = |refused: Result<Wish, ApiError>| {
            let (code, message) = refused.expect_err("a refusal");
            (code, message.map(|m| m.to_string()))
        };
        let before = partition(&[0, 1, 2]);
        let factor = text(start(&before, &[0, 1], false, &|_| true));
        let message = "The replication factor is changed from 3 to 2".to_owned();
        assert_eq!(factor, (ErrorCode::InvalidReplicationFactor, Some(message)));
        let unknown = text(start(&before, &[0, 9], true, &|id| id < 9));
        assert_eq!(unknown.0, ErrorCode::InvalidReplicaAssignment);
        assert_eq!(
            text(cancel(&before, ("t", 0), false)),
            (ErrorCode::NoReassignmentInProgress, None)
        );
        let mut only_added = started(&before, &[3, 4, 5]);
        assert!(
            start(&only_added, &[0, 1, 2], false, &|_| true).is_ok(),
            "three, not six"
        );
        only_added.isr = vec![3];
        let (code, message) = text(cancel(&only_added, ("t", 7), false));
        assert_eq!(code, ErrorCode::InvalidReplicaAssignment);
        assert_eq!(
            message.as_deref(),
            Some("Unable to revert partition assignment for t:7 because it would require an unclean leader election.")
        );
        assert_eq!(cancel(&only_added, ("t", 7), true).unwrap().isr, Some(vec![0]));
    }

    fn ids(value: &Value) -> Vec<NodeId> {
        let list = value.as_array().into_iter().flatten();
        list.map(|id| id.as_i64().expect("an id") as NodeId).collect()
    }

    /// The sets that the real controller's callers computed, from the same registrations.
    #[test]
    fn reassignment_sets_of_partition_changes_vectors() {
        let mut seen = (0, 0);
        for case in vectors::json_lines("partition_changes.jsonl") {
            let (set, mut before) = (&case["set"], partition(&ids(&case["before"]["replicas"])));
            before.isr = ids(&case["before"]["isr"]);
            before.adding = ids(&case["before"]["adding"]);
            before.removing = ids(&case["before"]["removing"]);
            let wish = match case["kind"].as_str() {
                Some("reassign-start") => {
                    seen.0 += 1;
                    let replicas = ids(&set["replicas"]);
                    let target = &replicas[..replicas.len() - ids(&set["removing"]).len()];
                    start(&before, target, true, &|_| true)
                }
                Some("reassign-cancel") => {
                    seen.1 += 1;
                    cancel(&before, ("t", 0), true)
                }
                _ => continue,
            };
            let wish = wish.expect("accepted");
            assert_eq!(wish.replicas, Some(ids(&set["replicas"])), "case {case}");
            assert_eq!(wish.adding.unwrap_or_default(), ids(&set["adding"]), "case {case}");
            assert_eq!(wish.removing.unwrap_or_default(), ids(&set["removing"]), "case {case}");
            assert!(wish.isr.is_none_or(|isr| isr == ids(&set["isr"])), "case {case}");
        }
        assert!(seen.0 > 0 && seen.1 > 0);
    }
}
