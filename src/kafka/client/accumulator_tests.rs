//! Batch filling and sticky partitions against what the real classes answer; retries, expiry, splits, memory.

use crate::ordered::SortSmall;
use std::rc::Rc;

use serde_json::{Value, json};

use super::*;
use crate::kafka::client::drain::{ClusterView, Drain, Gate, Leaders, Ready};
use crate::kafka::log::batch::{Headers, ProducerTag, no_headers};
use crate::kafka::types::{Bytes, LeaderAndEpoch};
use crate::kafka::vectors;

fn int(v: &Value) -> i64 {
    v.as_i64().unwrap_or_else(|| panic!("{v} is no integer"))
}

fn bytes(size: &Value) -> Option<Bytes> {
    usize::try_from(int(size)).ok().map(|n| Bytes::from(vec![b'x'; n]))
}

fn headers(list: &Value) -> Headers {
    let pairs = list.as_array().into_iter().flatten();
    pairs
        .map(|h| (Rc::from("h".repeat(int(&h[0]) as usize)), bytes(&h[1])))
        .collect()
}

fn record(spec: &Value) -> RecordToSend {
    RecordToSend {
        timestamp: int(&spec[0]),
        key: bytes(&spec[1]),
        value: bytes(&spec[2]),
        headers: headers(&spec[3]),
        origin: 0,
    }
}

fn plain(size: usize) -> RecordToSend {
    RecordToSend {
        timestamp: 0,
        key: None,
        value: Some(Bytes::from(vec![b'x'; size])),
        headers: no_headers(),
        origin: 0,
    }
}

fn accumulator(batch_size: u32) -> Accumulator {
    Accumulator::new(AccumulatorConfig {
        batch_size,
        ..AccumulatorConfig::default()
    })
}

fn no_draw() -> u32 {
    panic!("nothing to draw here")
}

fn t() -> Rc<str> {
    Rc::from("t")
}

fn t0() -> NamedPartition {
    NamedPartition {
        topic: t(),
        partition: 0,
    }
}

/// A topic of two partitions, both led.
fn view() -> TopicView {
    TopicView {
        partitions: 2,
        available: vec![0, 1],
    }
}

fn put(accumulator: &mut Accumulator, partition: i32, record: &RecordToSend, now: i64) -> AppendResult {
    let place = Place {
        topic: &t(),
        partition: Some(partition),
        view: &view(),
    };
    let done = accumulator.append(place, record, None, now, &mut no_draw);
    done.expect("a plain record").0
}

#[test]
fn vectors_accumulator() {
    let cases = vectors::json_lines("accumulator.jsonl");
    assert!(!cases.is_empty());
    for case in cases {
        let mut accumulator = accumulator(int(&case["batch_size"]) as u32);
        let records = case["records"].as_array().expect("records");
        let mut appends = Vec::new();
        for spec in records {
            match put(&mut accumulator, 0, &record(spec), 0) {
                AppendResult::Appended {
                    new_batch, full, bytes, ..
                } => {
                    appends.push(json!([i32::from(new_batch), i32::from(full), bytes]));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(Value::Array(appends), case["appends"], "appends of {}", case["id"]);
        let batches = accumulator
            .queue(&t0())
            .map(|b| json!([b.record_count(), b.estimated_size(), b.allocated, b.largest_record()]))
            .collect();
        assert_eq!(Value::Array(batches), case["batches"], "batches of {}", case["id"]);
    }
}

fn play_sticky(case: &Value) {
    let partitions = int(&case["partitions"]) as i32;
    let leaderless: Vec<i64> = case["leaderless"].as_array().expect("a list").iter().map(int).collect();
    let available = (0..partitions).filter(|p| !leaderless.contains(&i64::from(*p)));
    let view = TopicView {
        partitions,
        available: available.collect(),
    };
    let mut draws = case["draws"].as_array().expect("draws").iter();
    let mut draw = || int(draws.next().expect("a draw is left")) as u32;
    let mut accumulator = accumulator(int(&case["batch_size"]) as u32);
    for (n, step) in case["steps"].as_array().expect("steps").iter().enumerate() {
        if let Some(p) = step["drain"].as_i64() {
            accumulator.take_all(|b| p < 0 || p == i64::from(b.partition.partition));
            continue;
        }
        let place = Place {
            topic: &t(),
            partition: step["fixed"].as_i64().map(|p| p as i32),
            view: &view,
        };
        let done = accumulator.append(place, &plain(int(&step["v"]) as usize), None, 0, &mut draw);
        match done.expect("a plain record").0 {
            AppendResult::Appended { partition, bytes, .. } => {
                let expected = step.get("p").unwrap_or(&step["fixed"]);
                let found = (i64::from(partition), i64::from(bytes));
                assert_eq!(
                    found,
                    (int(expected), int(&step["bytes"])),
                    "case {} step {n}",
                    case["id"]
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(draws.next(), None, "draws of {}", case["id"]);
}

fn play_load(case: &Value) {
    let queues: Vec<(i32, u32)> = case["queue_sizes"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(0..)
        .map(|(q, p)| (p, int(q) as u32))
        .collect();
    let all = queues.len();
    let view = TopicView {
        partitions: all as i32,
        available: (0..all as i32).collect(),
    };
    let mut partitioner = BuiltInPartitioner::new(16_384);
    partitioner
        .new_load(all)
        .extend(&queues[..int(&case["length"]) as usize]);
    for pair in case["draw_to_partition"].as_array().expect("pairs") {
        let found = partitioner.next_partition(&view, int(&pair[0]) as u32);
        assert_eq!(i64::from(found), int(&pair[1]), "case {} draw {}", case["id"], pair[0]);
    }
}

#[test]
fn vectors_sticky_partitioner() {
    let cases = vectors::json_lines("sticky_partitioner.jsonl");
    assert!(!cases.is_empty());
    for case in cases {
        if case.get("steps").is_some() {
            play_sticky(&case);
        } else {
            play_load(&case);
        }
    }
}

/// Two partitions with this leader.
fn led_by(leader: i32, epoch: i32) -> Leaders {
    vec![Some(LeaderAndEpoch { leader, epoch }); 2].into()
}

fn ready(accumulator: &mut Accumulator, now: i64) -> Ready {
    let view = ClusterView {
        leaders: &|_| led_by(1, 0),
        is_slow: &|_| false,
    };
    accumulator.ready(&view, now, &mut |n| 100 << n)
}

fn drain(
    accumulator: &mut Accumulator,
    now: i64,
    gate: &mut dyn FnMut(&mut ProducerBatch) -> Gate,
) -> Vec<ProducerBatch> {
    let partitions = [
        t0(),
        NamedPartition {
            topic: t(),
            partition: 1,
        },
    ];
    let request = Drain {
        node: 1,
        partitions: &partitions,
        max_size: 1_048_576,
        now,
    };
    accumulator.drain(request, &|_| Some(0), &mut |n| 100 << n, gate)
}

fn send(_: &mut ProducerBatch) -> Gate {
    Gate::Send
}

#[test]
fn a_batch_goes_when_full_or_after_linger() {
    let mut a = accumulator(200);
    put(&mut a, 0, &plain(10), 0);
    let first = ready(&mut a, 3);
    assert!(first.nodes.is_empty());
    assert_eq!(first.next_check_ms, Some(2));
    assert_eq!(ready(&mut a, 5).nodes, OrderedSet::from([1]));
    put(&mut a, 0, &plain(150), 0);
    assert_eq!(ready(&mut a, 0).nodes, OrderedSet::from([1]));
    a.mute(t0());
    assert!(ready(&mut a, 9).nodes.is_empty());
    assert!(drain(&mut a, 9, &mut send).is_empty());
    a.unmute(&t0());
    assert_eq!(drain(&mut a, 9, &mut send).len(), 1);
}

#[test]
fn flush_and_waiting_for_memory_do_not_linger() {
    let mut a = accumulator(200);
    put(&mut a, 0, &plain(10), 0);
    a.flushes = 1;
    assert_eq!(ready(&mut a, 0).nodes, OrderedSet::from([1]));
    a.flushes = 0;
    a.memory.wait(u64::MAX);
    assert_eq!(ready(&mut a, 0).nodes, OrderedSet::from([1]));
}

#[test]
fn a_retry_backs_off_unless_the_leader_changed() {
    let mut a = accumulator(200);
    put(&mut a, 0, &plain(10), 0);
    let batch = drain(&mut a, 5, &mut send).remove(0);
    a.reenqueue(batch, 10);
    let waiting = ready(&mut a, 50);
    assert!(waiting.nodes.is_empty());
    assert_eq!(waiting.next_check_ms, Some(60));
    assert!(drain(&mut a, 109, &mut send).is_empty());
    let view = ClusterView {
        leaders: &|_| led_by(2, 1),
        is_slow: &|_| false,
    };
    assert_eq!(a.ready(&view, 50, &mut |n| 100 << n).nodes, OrderedSet::from([2]));
}

/// Drains batches one after the other and stamps them with sequences 0, 1, ...
fn three_stamped(a: &mut Accumulator) -> Vec<ProducerBatch> {
    (0..3)
        .map(|sequence| {
            put(a, 0, &plain(10), 0);
            let mut stamp = |b: &mut ProducerBatch| {
                b.set_producer(
                    ProducerTag {
                        id: 7,
                        epoch: 0,
                        sequence,
                    },
                    false,
                );
                Gate::Send
            };
            drain(a, 5, &mut stamp).remove(0)
        })
        .collect()
}

#[test]
fn retries_return_in_sequence_with_idempotence_and_reorder_without() {
    let order = |idempotent: bool| {
        let mut a = accumulator(50);
        a.config.idempotent = idempotent;
        for batch in three_stamped(&mut a) {
            a.reenqueue(batch, 10);
        }
        a.queue(&t0()).map(ProducerBatch::base_sequence).collect::<Vec<_>>()
    };
    assert_eq!(order(true), [0, 1, 2]);
    assert_eq!(order(false), [2, 1, 0]);
}

#[test]
fn a_closed_gate_stops_the_round() {
    let mut a = accumulator(50);
    put(&mut a, 0, &plain(10), 0);
    put(&mut a, 1, &plain(10), 0);
    assert!(drain(&mut a, 5, &mut |_| Gate::Stop).is_empty());
    assert_eq!(drain(&mut a, 5, &mut send).len(), 2);
}

#[test]
fn batches_expire_in_the_order_of_sending() {
    let mut a = accumulator(50);
    put(&mut a, 0, &plain(30), 0);
    put(&mut a, 0, &plain(30), 7);
    assert_eq!(a.next_expiry(), Some(120_000));
    assert!(a.take_expired(119_999).is_empty());
    assert_eq!(a.take_expired(120_000).len(), 1);
    assert_eq!(a.next_expiry(), Some(120_007));
}

#[test]
fn a_split_batch_keeps_records_time_and_sequences() {
    let mut a = accumulator(1000);
    for _ in 0..4 {
        put(&mut a, 0, &plain(200), 3);
    }
    let mut stamp = |b: &mut ProducerBatch| {
        b.set_producer(
            ProducerTag {
                id: 7,
                epoch: 0,
                sequence: i32::MAX,
            },
            false,
        );
        Gate::Send
    };
    let batch = drain(&mut a, 9, &mut stamp).remove(0);
    assert_eq!(batch.record_count(), 4);
    a.config.batch_size = 300;
    assert_eq!(a.split_and_reenqueue(&batch).len(), 4);
    let parts: Vec<&ProducerBatch> = a.queue(&t0()).collect();
    assert!(
        parts
            .iter()
            .all(|p| p.created == 3 && p.is_split && p.allocated == 0 && p.attempts == 0)
    );
    let mut sequences: Vec<i32> = parts.iter().map(|p| p.base_sequence()).collect();
    sequences.sort_small();
    assert_eq!(sequences, [0, 1, 2, i32::MAX]);
}

#[test]
fn a_record_waits_for_memory_and_gives_back_what_it_does_not_use() {
    let mut a = Accumulator::new(AccumulatorConfig {
        batch_size: 100,
        buffer_memory: 100,
        ..AccumulatorConfig::default()
    });
    put(&mut a, 0, &plain(5), 0);
    assert_eq!(put(&mut a, 1, &plain(5), 0), AppendResult::NoMemory { size: 100 });
    let ticket = a.memory.wait(100);
    let first = a.take_all(|_| true).remove(0);
    assert_eq!(a.release(&first), [ticket]);
    let place = Place {
        topic: &t(),
        partition: Some(1),
        view: &view(),
    };
    let (done, served) = a
        .append(place, &plain(5), Some(100), 0, &mut no_draw)
        .expect("a plain record");
    assert!(matches!(done, AppendResult::Appended { new_batch: true, .. }));
    assert!(served.is_empty());
    assert_eq!(a.memory.available(), 0);
}
