//! Cleaned logs against what the real cleaner leaves.

use std::rc::Rc;

use serde_json::{Value, json};

use super::Cleaned;
use crate::kafka::log::append::LeaderAppend;
use crate::kafka::log::batch::{Batch, BatchBuilder, Control, Outcome, ProducerTag, no_headers};
use crate::kafka::log::config::{CleanupPolicy, LogConfig};
use crate::kafka::log::producer_entry::Origin;
use crate::kafka::log::unified_log::Log;
use crate::kafka::types::Bytes;
use crate::kafka::vectors;

fn int(v: &Value) -> i64 {
    v.as_i64().unwrap_or_else(|| panic!("{v} is no integer"))
}

fn bytes(value: &Value) -> Option<Bytes> {
    value.as_str().map(|text| Bytes::from(text.as_bytes()))
}

fn append(log: &mut Log, step: &Value, now: i64) {
    let batch = if step["op"] == "marker" {
        let outcome = match step["result"] == "abort" {
            true => Outcome::Abort,
            false => Outcome::Commit,
        };
        let control = Control {
            outcome,
            coordinator_epoch: 0,
        };
        Batch::marker(0, now, int(&step["pid"]), int(&step["epoch"]) as i16, control)
    } else {
        let mut builder = BatchBuilder::new(0);
        builder.head.producer = step["pid"].as_i64().map(|id| ProducerTag {
            id,
            epoch: int(&step["epoch"]) as i16,
            sequence: int(&step["seq"]) as i32,
        });
        builder.head.transactional = step["txn"] == true;
        for record in step["records"].as_array().expect("records") {
            let (key, value) = (bytes(&record[0]), bytes(&record[1]));
            builder
                .append_next(now, key, value, no_headers(), 0)
                .expect("a plain record");
        }
        builder.build(None).expect("a valid batch")
    };
    let how = LeaderAppend {
        origin: match step["op"] == "marker" {
            true => Origin::Coordinator,
            false => Origin::Client,
        },
        leader_epoch: 0,
        now,
        guard: None,
        transaction_version: 0,
    };
    log.append_as_leader(batch, how).expect("a good append");
    log.update_high_watermark(log.end_offset());
}

fn seen_batch(batch: &Batch) -> Value {
    let mut out = json!({"base": batch.base_offset, "last": batch.last_offset});
    if let Some(producer) = batch.producer {
        out["pid"] = json!(producer.id);
        out["epoch"] = json!(producer.epoch);
        out["seq"] = json!(producer.sequence);
    }
    if batch.transactional {
        out["txn"] = json!(true);
    }
    if let Some(horizon) = batch.delete_horizon {
        out["delete_horizon"] = json!(horizon);
    }
    if batch.control.is_some() {
        out["control"] = json!(true);
    }
    let text = |bytes: &Option<Bytes>| bytes.as_ref().map(|b| String::from_utf8_lossy(b).to_string());
    let records: Vec<Value> = batch
        .iter()
        .map(|(offset, record)| match batch.control {
            Some(control) => json!([
                offset,
                if control.outcome == Outcome::Abort {
                    "ABORT"
                } else {
                    "COMMIT"
                }
            ]),
            None => json!([offset, text(&record.key), text(&record.value)]),
        })
        .collect();
    out["records"] = json!(records);
    out
}

fn seen(log: &Log, before: super::Cleanable, lso: i64, cleaned: Option<Cleaned>) -> Value {
    let mut out = json!({
        "lso": lso, "first_dirty": before.first_dirty, "first_uncleanable": before.first_uncleanable,
    });
    let Some(cleaned) = cleaned else {
        out["nothing"] = json!(true);
        return out;
    };
    out["end"] = json!(cleaned.to);
    let segment = |s: &crate::kafka::log::segment::Segment| {
        json!({
            "base": s.base_offset(), "bytes": s.size(),
            "batches": s.batches().map(seen_batch).collect::<Vec<_>>(),
        })
    };
    out["segments"] = json!(log.segments().map(segment).collect::<Vec<_>>());
    out
}

#[test]
fn vectors_cleaner() {
    let mut cleanings = 0;
    for case in vectors::json_lines("cleaner.jsonl") {
        let config = LogConfig {
            transaction_verification: false,
            delete_retention_ms: int(&case["delete_retention_ms"]),
            min_compaction_lag_ms: int(&case["min_compaction_lag_ms"]),
            timestamp_after_max_ms: i64::MAX,
            cleanup: CleanupPolicy {
                delete: false,
                compact: true,
            },
            ..LogConfig::default()
        };
        let mut log = Log::new("t-0".into(), Rc::new(config), 0);
        for (number, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
            let now = step["at"].as_i64().unwrap_or(0);
            match step["op"].as_str().expect("op") {
                "roll" => {
                    log.roll(log.end_offset(), now);
                }
                "clean" => {
                    let (before, lso) = (log.cleanable(now), log.last_stable_offset());
                    let cleaned = log.clean(now, usize::MAX);
                    let found = seen(&log, before, lso, cleaned);
                    let mut expected = step.clone();
                    let expected = expected.as_object_mut().expect("an object");
                    expected.remove("op");
                    expected.remove("at");
                    let expected = Value::Object(expected.clone());
                    assert_eq!(found, expected, "case {}, step {number}", case["id"]);
                    cleanings += 1;
                }
                _ => append(&mut log, step, now),
            }
        }
    }
    assert!(cleanings >= 75, "{cleanings} cleanings");
}
