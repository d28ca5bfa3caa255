//! What is not modelled yet, said before a trace is played: by its operations, tags, cluster and settings.

use super::trace::{Trace, TraceStep};

/// Operations that this version does not know.
const OPERATIONS: [&str; 13] = [
    "init_transactions",
    "begin",
    "commit",
    "abort",
    "send_offsets",
    "share_consumer",
    "share_offsets",
    "alter_share_offsets",
    "delete_share_group",
    "abort_transaction",
    "list_transactions",
    "quorum",
    "fence_producers",
];

/// Tags of families that come later.
const FAMILIES: [(&str, &str); 6] = [
    ("kip848", "the consumer protocol (KIP-848)"),
    ("share-group", "share groups (KIP-932)"),
    ("transactions", "transactions"),
    ("quorum", "a quorum of several controllers"),
    ("compact", "compaction"),
    ("mixed-protocols", "classic and new members in one group"),
];

/// Why a trace cannot be played, if it cannot.
pub fn not_modelled(trace: &Trace) -> Option<String> {
    if trace.cluster.controllers.len() > 1 {
        return Some("a quorum of several controllers".into());
    }
    let family = FAMILIES
        .iter()
        .find(|(tag, _)| trace.covers.iter().any(|cover| cover == tag));
    if let Some((_, what)) = family {
        return Some((*what).into());
    }
    trace
        .steps
        .iter()
        .find_map(not_modelled_step)
        .or_else(|| several_members_elsewise(trace))
}

fn not_modelled_step(step: &TraceStep) -> Option<String> {
    let op = step.op();
    if OPERATIONS.contains(&op) || op.ends_with("_transaction") {
        return Some(format!("`{op}`"));
    }
    for (key, value) in step.config("config") {
        match (key.as_str(), value.as_str()) {
            ("transactional.id", _) => return Some("transactions".into()),
            ("group.protocol", "consumer" | "CONSUMER") => return Some("the consumer protocol (KIP-848)".into()),
            ("cleanup.policy", policy) if policy.contains("compact") => return Some("compaction".into()),
            _ => {}
        }
    }
    for key in ["regex", "commit_on_revoke"] {
        if step.get(key).is_some() {
            return Some(format!("`{key}` of `{op}`"));
        }
    }
    None
}

/// Assignors other than range.
fn several_members_elsewise(trace: &Trace) -> Option<String> {
    let named = trace
        .steps
        .iter()
        .flat_map(|step| step.config("config"))
        .find_map(|(key, value)| {
            let other = key == "partition.assignment.strategy" && !value.to_lowercase().contains("range");
            other.then_some(value)
        })?;
    Some(format!("the assignor {named}"))
}
