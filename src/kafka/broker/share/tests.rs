//! Share partitions: what is handed out, acknowledged, given back, and when the start moves.

use super::partition::*;
use crate::kafka::protocol::ErrorCode;
use proptest::prelude::*;
use std::rc::Rc;

const LIMITS: ShareLimits = ShareLimits {
    deliveries: 5,
    in_flight: 2_000,
    renew: true,
};

fn member(name: &str) -> Rc<str> {
    name.into()
}

/// A partition with one batch of `count` records, all acquired by `a`.
fn acquired(count: i64) -> (SharePartition, Vec<Acquired>) {
    let mut partition = SharePartition::new(0, &[], LIMITS);
    let got = partition.acquire(&member("a"), 500, 500, &[(0, count - 1)], 0, false);
    (partition, got)
}

fn say(partition: &mut SharePartition, who: &str, first: i64, kinds: &[Acknowledge]) -> Result<(), ShareRefusal> {
    let batch = AcknowledgeBatch {
        first,
        last: first + kinds.len() as i64 - 1,
        types: kinds.to_vec(),
    };
    let (write, _) = partition.acknowledge(who, &[batch])?;
    if let Some(write) = write {
        partition.written(write.number, true);
    }
    Ok(())
}

fn again(partition: &mut SharePartition, who: &str, end: i64) -> Vec<(i64, i64, u16)> {
    let from = partition.next_fetch_offset();
    let got = partition.acquire(&member(who), 500, 500, &[(0, end)], from, false);
    got.iter().map(|a| (a.first, a.last, a.deliveries)).collect()
}

#[test]
fn accepted_records_are_finished_and_the_start_moves_one_step_behind() {
    let (mut partition, got) = acquired(3);
    assert_eq!((got[0].first, got[0].last, got[0].deliveries), (0, 2, 1));
    assert_eq!(partition.next_fetch_offset(), 3);
    let batch = AcknowledgeBatch {
        first: 0,
        last: 0,
        types: vec![Acknowledge::Accept],
    };
    let (write, _) = partition.acknowledge("a", &[batch]).expect("it holds it");
    let write = write.expect("something to write");
    assert_eq!((write.start, write.completed), (0, 1));
    assert_eq!(partition.start(), 0);
    partition.written(write.number, true);
    assert_eq!(partition.start(), 1);
    say(&mut partition, "a", 1, &[Acknowledge::Accept, Acknowledge::Reject]).expect("it holds them");
    assert_eq!((partition.start(), partition.end(), partition.in_flight()), (3, 3, 0));
    assert_eq!(partition.next_fetch_offset(), 3);
}

#[test]
fn released_records_come_before_newer_ones_with_a_higher_count() {
    let (mut partition, _) = acquired(3);
    let kinds = [Acknowledge::Accept, Acknowledge::Release, Acknowledge::Reject];
    say(&mut partition, "a", 0, &kinds).expect("it holds them");
    assert_eq!((partition.start(), partition.next_fetch_offset()), (1, 1));
    assert_eq!(again(&mut partition, "b", 2), [(1, 1, 2)]);
    assert_eq!(partition.owner(1), Some(&member("b")));
    let refused = say(&mut partition, "a", 1, &[Acknowledge::Accept]);
    assert_eq!(
        refused.expect_err("not its").message,
        "Member is not the owner of offset"
    );
}

#[test]
fn the_fifth_delivery_is_the_last() {
    let (mut partition, _) = acquired(1);
    for count in 2..=5 {
        say(&mut partition, "a", 0, &[Acknowledge::Release]).expect("it holds it");
        assert_eq!(again(&mut partition, "a", 0), [(0, 0, count)]);
    }
    say(&mut partition, "a", 0, &[Acknowledge::Release]).expect("it holds it");
    assert_eq!(again(&mut partition, "a", 0), []);
    assert_eq!(partition.start(), 1);
}

#[test]
fn often_delivered_records_go_out_in_smaller_portions_and_at_last_alone() {
    let (mut partition, _) = acquired(8);
    let release = [Acknowledge::Release; 8];
    say(&mut partition, "a", 0, &release).expect("all");
    assert_eq!(again(&mut partition, "a", 7), [(0, 7, 2)]);
    say(&mut partition, "a", 0, &release).expect("all");
    assert_eq!(again(&mut partition, "a", 7), [(0, 7, 3)]);
    say(&mut partition, "a", 0, &release).expect("all");
    // Three deliveries are ceil(5 / 2): half of the batch from now on.
    assert_eq!(again(&mut partition, "a", 7), [(0, 3, 4)]);
    say(&mut partition, "a", 0, &release[..4]).expect("half");
    assert_eq!(again(&mut partition, "a", 7), [(0, 0, 5)]);
    assert_eq!(again(&mut partition, "b", 7), [(1, 1, 5)]);
}

#[test]
fn a_lock_that_ends_makes_records_available_and_a_renewed_one_does_not() {
    let (mut partition, got) = acquired(2);
    let renew = AcknowledgeBatch {
        first: 1,
        last: 1,
        types: vec![Acknowledge::Renew],
    };
    let (write, renewed) = partition.acknowledge("a", &[renew]).expect("allowed");
    assert!(write.is_none());
    let write = partition.lock_expired(got[0].lock).expect("the first record");
    assert_eq!((write.batches[0].first, write.batches[0].last), (0, 0));
    assert_eq!(again(&mut partition, "b", 1), [(0, 0, 2)]);
    assert!(partition.lock_expired(renewed[0].lock).is_some());
    assert!(partition.lock_expired(renewed[0].lock).is_none());
}

#[test]
fn a_member_that_is_gone_gives_everything_back() {
    let (mut partition, _) = acquired(2);
    let write = partition.release("a").expect("both");
    assert_eq!(again(&mut partition, "b", 1), []);
    partition.written(write.number, true);
    assert_eq!(again(&mut partition, "b", 1), [(0, 1, 2)]);
    assert!(partition.release("a").is_none());
}

#[test]
fn a_write_that_fails_changes_nothing() {
    let (mut partition, got) = acquired(2);
    let accept = AcknowledgeBatch {
        first: 0,
        last: 1,
        types: vec![Acknowledge::Accept],
    };
    let all = std::slice::from_ref(&accept);
    let (write, _) = partition.acknowledge("a", all).expect("its own");
    let twice = partition.acknowledge("a", all).expect_err("being written");
    assert_eq!(twice.error, ErrorCode::InvalidRecordState);
    partition.written(write.expect("a write").number, false);
    assert_eq!(partition.owner(0), Some(&member("a")));
    let (write, _) = partition.acknowledge("a", all).expect("again");
    assert!(partition.lock_expired(got[0].lock).is_none());
    partition.written(write.expect("a write").number, false);
    assert_eq!(again(&mut partition, "b", 1), [(0, 1, 2)]);
}

#[test]
fn one_bad_batch_refuses_all() {
    let (mut partition, _) = acquired(3);
    let batch = |first, last| AcknowledgeBatch {
        first,
        last,
        types: vec![Acknowledge::Accept],
    };
    let refused = partition.acknowledge("a", &[batch(0, 0), batch(1, 7)]);
    let refused = refused.expect_err("past the end");
    assert_eq!(refused.error, ErrorCode::InvalidRequest);
    assert_eq!(
        refused.message,
        "Batch record not found. The last offset in request is past acquired records."
    );
    assert_eq!((partition.start(), partition.owner(0)), (0, Some(&member("a"))));
    let refused = partition.acknowledge("b", &[batch(0, 2)]).expect_err("not its");
    assert_eq!(refused.message, "Member is not the owner of offset");
}

#[test]
fn a_new_leader_finds_locked_records_available() {
    let stored = [
        StateBatch {
            first: 4,
            last: 5,
            state: RecordState::Acknowledged,
            deliveries: 1,
        },
        StateBatch {
            first: 6,
            last: 6,
            state: RecordState::Available,
            deliveries: 3,
        },
    ];
    let mut partition = SharePartition::new(4, &stored, LIMITS);
    assert_eq!((partition.start(), partition.end()), (6, 6));
    assert_eq!(again(&mut partition, "a", 6), [(6, 6, 4)]);
}

#[test]
fn the_logs_start_takes_what_nobody_holds() {
    let (mut partition, _) = acquired(4);
    let kinds = [
        Acknowledge::Release,
        Acknowledge::Release,
        Acknowledge::Release,
        Acknowledge::Release,
    ];
    say(&mut partition, "a", 0, &kinds).expect("all");
    partition.log_start_moved(2);
    assert_eq!(partition.start(), 2);
    assert_eq!(again(&mut partition, "b", 3), [(2, 3, 2)]);
}

#[test]
fn no_more_than_the_limit_is_in_flight() {
    let limits = ShareLimits { in_flight: 3, ..LIMITS };
    let mut partition = SharePartition::new(0, &[], limits);
    let read = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)];
    let got = partition.acquire(&member("a"), 1, 500, &read, 0, false);
    assert_eq!(got.last().map(|a| a.last), Some(2));
    let from = partition.next_fetch_offset();
    assert!(
        partition
            .acquire(&member("b"), 1, 500, &read[3..], from, false)
            .is_empty()
    );
}

/// One thing that happens to a share partition.
#[derive(Clone, Debug)]
enum Step {
    Fetch(u8, usize),
    Acknowledge(u8, i64, Vec<u8>),
    Written(bool),
    Expire(u64),
    Release(u8),
    LogStart(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..3, 1usize..20).prop_map(|(who, max)| Step::Fetch(who, max)),
        4 => (0u8..3, 0i64..30, prop::collection::vec(0u8..5, 1..8)).prop_map(|(who, at, kinds)| Step::Acknowledge(who, at, kinds)),
        4 => prop::bool::weighted(0.8).prop_map(Step::Written),
        1 => (1u64..40).prop_map(Step::Expire),
        1 => (0u8..3).prop_map(Step::Release),
        1 => (0i64..30).prop_map(Step::LogStart),
    ]
}

proptest! {
    /// Whatever comes in whatever order: the start never goes back, nobody gets what another one holds, a finished record
    /// stays so, none is delivered more often than the limit, and what is refused changes nothing.
    #[test]
    fn any_sequence_keeps_what_share_partitions_promise(steps in prop::collection::vec(step(), 1..80)) {
        const KINDS: [Acknowledge; 5] =
            [Acknowledge::Gap, Acknowledge::Accept, Acknowledge::Release, Acknowledge::Reject, Acknowledge::Renew];
        let read: Vec<(i64, i64)> = (0..10).map(|i| (i * 3, i * 3 + 2)).collect();
        let mut partition = SharePartition::new(0, &[], ShareLimits { in_flight: 12, ..LIMITS });
        let mut writes: Vec<u64> = Vec::new();
        let mut finished: Vec<i64> = Vec::new();
        for step in steps {
            let start = partition.start();
            match step {
                Step::Fetch(who, max) => {
                    let from = partition.next_fetch_offset();
                    let held: Vec<(i64, RecordState)> = partition.records().map(|(at, state, _)| (at, state)).collect();
                    let log: Vec<(i64, i64)> = read.iter().copied().filter(|(_, last)| *last >= from).collect();
                    for got in partition.acquire(&member(&who.to_string()), 4, max, &log, from, false) {
                        for at in got.first..=got.last {
                            let before = held.iter().find(|(offset, _)| *offset == at);
                            prop_assert!(before.is_none_or(|(_, state)| *state == RecordState::Available), "{at}");
                            prop_assert!(!finished.contains(&at), "{at} was finished");
                        }
                    }
                }
                Step::Acknowledge(who, at, kinds) => {
                    let before: Vec<_> = partition.records().collect();
                    let batch = AcknowledgeBatch {
                        first: at,
                        last: at + kinds.len() as i64 - 1,
                        types: kinds.iter().map(|kind| KINDS[usize::from(*kind)]).collect(),
                    };
                    match partition.acknowledge(&who.to_string(), &[batch]) {
                        Ok((write, _)) => writes.extend(write.map(|write| write.number)),
                        Err(_) => prop_assert_eq!(before, partition.records().collect::<Vec<_>>()),
                    }
                }
                Step::Written(ok) => {
                    if let Some(number) = writes.pop() {
                        partition.written(number, ok);
                    }
                }
                Step::Expire(lock) => {
                    partition.lock_expired(lock);
                }
                Step::Release(who) => writes.extend(partition.release(&who.to_string()).map(|write| write.number)),
                Step::LogStart(to) => partition.log_start_moved(to),
            }
            prop_assert!(partition.start() >= start, "the start went back");
            prop_assert!(partition.start() <= partition.end() + 1);
            prop_assert!(partition.records().all(|(_, _, deliveries)| deliveries <= LIMITS.deliveries));
            if writes.is_empty() {
                let done = partition.records().filter(|(_, state, _)| state.is_terminal());
                finished = done.map(|(at, _, _)| at).chain(0..partition.start()).collect();
            }
        }
    }
}
