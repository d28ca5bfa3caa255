//! What is not modelled yet, said before a trace is played: by its operations and tags.

use super::trace::{Trace, TraceStep};

/// Operations that this version does not know.
const OPERATIONS: [&str; 4] = [
    "share_consumer",
    "share_offsets",
    "alter_share_offsets",
    "delete_share_group",
];

/// Tags of families that come later.
const FAMILIES: [(&str, &str); 1] = [("share-group", "share groups (KIP-932)")];

/// Why a trace cannot be played, if it cannot.
pub fn not_modelled(trace: &Trace) -> Option<String> {
    let family = FAMILIES
        .iter()
        .find(|(tag, _)| trace.covers.iter().any(|cover| cover == tag));
    if let Some((_, what)) = family {
        return Some((*what).into());
    }
    trace.steps.iter().find_map(not_modelled_step)
}

fn not_modelled_step(step: &TraceStep) -> Option<String> {
    let op = step.op();
    OPERATIONS.contains(&op).then(|| format!("`{op}`"))
}
