//! What is not modelled yet, said before a trace is played: by its operations, tags, cluster and settings.

use super::trace::{Trace, TraceStep};
use crate::kafka::config::ProducerConfig;
use crate::ordered::OrderedMap;

/// Operations that this version does not know.
const OPERATIONS: [&str; 8] = [
    "send_offsets",
    "share_consumer",
    "share_offsets",
    "alter_share_offsets",
    "delete_share_group",
    "abort_transaction",
    "list_transactions",
    "fence_producers",
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
    if OPERATIONS.contains(&op) || op.ends_with("_transaction") {
        return Some(format!("`{op}`"));
    }
    match op {
        "producer" => not_modelled_producer(step),
        _ => None,
    }
}

/// Settings that the client's constructor refuses need no model of what they would do.
fn not_modelled_producer(step: &TraceStep) -> Option<String> {
    let config: OrderedMap<String, String> = step.config("config").into_iter().collect();
    let transactional = config.contains_key("transactional.id") && ProducerConfig::from_map(&config).is_ok();
    transactional.then(|| "transactions".into())
}
