//! Batches against what the real classes answer, and the sizes that people know by heart.

use std::rc::Rc;

use serde_json::Value;

use super::*;
use crate::kafka::vectors;

/// Byte `i` is the letter `first + (seed + i) % 26`: the rule of the data files.
fn letters(first: u8, seed: usize, size: i64) -> Option<Vec<u8>> {
    let size = usize::try_from(size).ok()?;
    Some((0..size).map(|i| first + ((seed + i) % 26) as u8).collect())
}

fn int(v: &Value) -> i64 {
    v.as_i64().unwrap_or_else(|| panic!("{v} is no integer"))
}

pub(crate) fn headers(sizes: &Value, record: usize) -> Headers {
    let Some(list) = sizes.as_array() else {
        return no_headers();
    };
    list.iter()
        .enumerate()
        .map(|(j, h)| {
            let name = letters(b'a', record + j, int(&h[0])).expect("a name");
            let value = letters(b'A', record + j, int(&h[1])).map(Bytes::from);
            (Rc::from(String::from_utf8(name).expect("letters")), value)
        })
        .collect()
}

fn record(r: usize, spec: &Value) -> (i64, Record) {
    let record = Record {
        offset_delta: 0,
        timestamp: int(&spec[1]),
        key: letters(b'a', r, int(&spec[2])).map(Bytes::from),
        value: letters(b'A', r, int(&spec[3])).map(Bytes::from),
        headers: headers(&spec[4], r),
        origin: 0,
    };
    (int(&spec[0]), record)
}

fn build(case: &Value) -> Result<Batch, BatchError> {
    let mut builder = BatchBuilder::new(int(&case["base_offset"]));
    if let Some(horizon) = case["delete_horizon"].as_i64() {
        builder = builder.with_delete_horizon(horizon);
    }
    builder.head.leader_epoch = int(&case["ple"]) as i32;
    builder.head.transactional = case["txn"].as_bool().unwrap_or(false);
    builder.head.producer = case["pid"].as_i64().map(|id| ProducerTag {
        id,
        epoch: int(&case["epoch"]) as i16,
        sequence: int(&case["seq"]) as i32,
    });
    for (r, spec) in case["records"].as_array().expect("records").iter().enumerate() {
        let (offset, record) = record(r, spec);
        builder.append(offset, record)?;
    }
    builder.build(case["log_append_time"].as_i64())
}

fn marker(case: &Value) -> Batch {
    let outcome = match case["control"].as_str() {
        Some("commit") => Outcome::Commit,
        _ => Outcome::Abort,
    };
    let control = Control {
        outcome,
        coordinator_epoch: int(&case["coordinator_epoch"]) as i32,
    };
    Batch::marker(
        int(&case["base_offset"]),
        int(&case["ts"]),
        int(&case["pid"]),
        int(&case["epoch"]) as i16,
        control,
    )
    .in_epoch(int(&case["ple"]) as i32)
}

fn check(case: &Value, batch: &Batch) {
    let id = &case["id"];
    let sizes: Vec<u32> = batch
        .records
        .iter()
        .map(|r| wire::record_size_at(batch.base_timestamp, r))
        .collect();
    assert_eq!(serde_json::json!(sizes), case["sizes"], "sizes of {id}");
    assert_eq!(i64::from(batch.size), int(&case["size"]), "size of {id}");
    assert_eq!(batch.plain_size(), batch.size, "plain size of {id}");
    assert_eq!(batch.last_offset, int(&case["last_offset"]), "last offset of {id}");
    assert_eq!(
        batch.max_timestamp,
        int(&case["max_timestamp"]),
        "max timestamp of {id}"
    );
    assert_eq!(
        batch.base_timestamp,
        int(&case["base_timestamp"]),
        "base timestamp of {id}"
    );
    assert_eq!(i64::from(wire::crc(batch)), int(&case["crc"]), "crc of {id}");
    if let Some(last) = case.get("last_seq") {
        assert_eq!(i64::from(batch.last_sequence()), int(last), "last sequence of {id}");
    }
    if let Some(estimate) = case.get("estimate") {
        assert_eq!(i64::from(batch.estimated_size()), int(estimate), "estimate of {id}");
        let upper: Vec<u32> = batch
            .records
            .iter()
            .map(|r| wire::upper_bound(&r.key, &r.value, &r.headers))
            .collect();
        assert_eq!(serde_json::json!(upper), case["upper"], "upper bounds of {id}");
    }
    let bytes = wire::encode(batch);
    assert_eq!(bytes.len(), batch.size as usize, "bytes of {id}");
    if let Some(hex) = case["hex"].as_str() {
        let found: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, hex, "bytes of {id}");
    }
}

#[test]
fn vectors_batches() {
    let cases = vectors::json_lines("batches.jsonl");
    assert!(!cases.is_empty());
    for case in cases {
        if case.get("control").is_some() {
            check(&case, &marker(&case));
            continue;
        }
        match (build(&case), case.get("error")) {
            (Ok(batch), None) => check(&case, &batch),
            (Err(e), Some(expected)) => {
                assert_eq!(e.to_string(), expected["message"], "{}", case["id"])
            }
            (found, expected) => panic!("case {}: {found:?} instead of {expected:?}", case["id"]),
        }
    }
}

fn one(value: usize, key: Option<usize>) -> Batch {
    let mut builder = BatchBuilder::new(0);
    let bytes = |n: usize| Bytes::from(vec![b'x'; n]);
    builder
        .append_next(7, key.map(bytes), Some(bytes(value)), no_headers(), 0)
        .expect("a plain record fits");
    builder.build(None).expect("a plain batch is valid")
}

#[test]
fn r_01_a_batch_is_its_header_and_its_records() {
    assert_eq!(one(0, None).size, 68);
    assert_eq!(one(10, None).size, 78);
    assert_eq!(one(100, None).size, 170);
    assert_eq!(one(100, Some(1)).size, 171);
    let control = Control {
        outcome: Outcome::Abort,
        coordinator_epoch: 3,
    };
    assert_eq!(Batch::marker(9, 7, 1, 0, control).size, 78);
}

#[test]
fn sequences_wrap_after_the_largest_int() {
    assert_eq!(add_sequence(i32::MAX, 1), 0);
    assert_eq!(add_sequence(i32::MAX - 1, 3), 1);
    assert_eq!(sub_sequence(0, 1), i32::MAX);
}

#[test]
fn restamping_shares_the_records() {
    let batch = one(5, None);
    let moved = batch.clone().at_offset(40).in_epoch(3);
    assert!(Rc::ptr_eq(&batch.records, &moved.records));
    assert_eq!((moved.base_offset, moved.last_offset, moved.leader_epoch), (40, 40, 3));
    assert_eq!(moved.iter().map(|(o, _)| o).collect::<Vec<_>>(), [40]);
    assert_eq!(wire::crc(&batch), wire::crc(&moved));
}

#[test]
fn log_append_time_stands_for_every_record() {
    let batch = one(5, None).with_log_append_time(99);
    assert_eq!(batch.timestamp_of(&batch.records[0]), 99);
    assert_eq!(batch.max_timestamp, 99);
}
