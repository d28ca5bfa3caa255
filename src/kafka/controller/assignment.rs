//! Replicas named by hand, for a new topic, new partitions or a reassignment.

use crate::kafka::protocol::admin::ApiError;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::ordered::SortSmall;

/// Checks a list of replicas; `replication_factor` is that of the partitions before, if there are any.
///
/// # Errors
/// INVALID_REPLICA_ASSIGNMENT. [ReplicationControlManager.validateManualPartitionAssignment]
pub fn check_manual_assignment(
    replicas: &[NodeId],
    replication_factor: Option<usize>,
    is_registered: &dyn Fn(NodeId) -> bool,
) -> Result<(), ApiError> {
    let refuse = |what: String| {
        let message = format!("The manual partition assignment includes {what}");
        Err((ErrorCode::InvalidReplicaAssignment, Some(message.into())))
    };
    if replicas.is_empty() {
        return refuse("an empty replica list.".to_owned());
    }
    // By id, so that of several faults the one of the lowest id is told.
    let mut sorted = replicas.to_vec();
    sorted.sort_small();
    for (i, id) in sorted.iter().enumerate() {
        if !is_registered(*id) {
            return refuse(format!("broker {id}, but no such broker is registered."));
        }
        if i > 0 && sorted[i - 1] == *id {
            return refuse(format!("the broker {id} more than once."));
        }
    }
    match replication_factor {
        Some(factor) if factor != replicas.len() => refuse(format!(
            "a partition with {} replica(s), but this is not consistent with previous partitions, which have {factor} \
             replica(s).",
            replicas.len()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(replicas: &[NodeId], factor: Option<usize>) -> Option<String> {
        let checked = check_manual_assignment(replicas, factor, &|id| (1..=3).contains(&id));
        let (code, message) = checked.err()?;
        assert_eq!(code, ErrorCode::InvalidReplicaAssignment);
        message.map(|text| text.to_string())
    }

    #[test]
    fn each_fault_has_its_text() {
        let text = |what: &str| Some(format!("The manual partition assignment includes {what}"));
        assert_eq!(refusal(&[3, 1], None), None);
        assert_eq!(refusal(&[3, 1], Some(2)), None);
        assert_eq!(refusal(&[], None), text("an empty replica list."));
        assert_eq!(
            refusal(&[1, 9], None),
            text("broker 9, but no such broker is registered.")
        );
        assert_eq!(refusal(&[2, 1, 1], None), text("the broker 1 more than once."));
        assert_eq!(
            refusal(&[1, 2], Some(3)),
            text(
                "a partition with 2 replica(s), but this is not consistent with previous partitions, which have 3 \
                 replica(s)."
            )
        );
    }
}
