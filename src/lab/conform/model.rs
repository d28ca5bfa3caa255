//! What is not modelled yet, said before a trace is played: by its operations, tags, cluster and settings.

use super::trace::{Trace, TraceStep};
use crate::kafka::client::consumer::{Consumer, NOT_MODELLED};
use crate::kafka::wire::KAFKA_PORT;
use crate::ordered::OrderedMap;
use serde_json::Value;
use std::rc::Rc;

/// Operations that this version does not know.
const OPERATIONS: [&str; 4] = [
    "share_consumer",
    "share_offsets",
    "alter_share_offsets",
    "delete_share_group",
];

/// Tags of families that come later.
const FAMILIES: [(&str, &str); 4] = [
    ("kip848", "the consumer protocol (KIP-848)"),
    ("share-group", "share groups (KIP-932)"),
    ("compact", "compaction"),
    ("mixed-protocols", "classic and new members in one group"),
];

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
    if OPERATIONS.contains(&op) {
        return Some(format!("`{op}`"));
    }
    if step.get("regex").is_some() {
        return Some(format!("`regex` of `{op}`"));
    }
    match op {
        "consumer" => not_modelled_consumer(step),
        _ => step.config("config").into_iter().find_map(|(key, value)| {
            (key == "cleanup.policy" && value.contains("compact")).then(|| "compaction".to_string())
        }),
    }
}

fn not_modelled_consumer(step: &TraceStep) -> Option<String> {
    let config: OrderedMap<String, String> = step.config("config").into_iter().collect();
    let bootstrap = [(Rc::from("broker"), KAFKA_PORT)];
    let group = step.get("group").and_then(Value::as_str).map(Rc::from);
    match Consumer::new(step.text("c"), &bootstrap, group, config, 0) {
        Err(error) if &*error.class == NOT_MODELLED => error.message.map(|text| text.to_string()),
        _ => None,
    }
}
