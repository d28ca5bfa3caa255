//! What holds for a log after any sequence of operations.

use proptest::prelude::*;

use crate::kafka::log::batch::Batch;
use crate::kafka::log::log_tests::{NOW, batch, by, lead, log, power_failure, reload};
use crate::kafka::log::read::ReadLimits;
use crate::kafka::log::unified_log::Log;

#[derive(Clone, Debug)]
enum Op {
    Lead { count: usize, epoch: i32 },
    Produce { id: i64, sequence: i32 },
    HighWatermark(i64),
    Truncate(i64),
    Restart { clean: bool, power: bool },
    DeleteRecords(i64),
    Roll,
    Flush,
    Retention(i64),
    StartAt(i64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1usize..5, 0i32..9).prop_map(|(count, epoch)| Op::Lead { count, epoch }),
        3 => (0i64..3, 0i32..6).prop_map(|(id, sequence)| Op::Produce { id, sequence }),
        4 => (0i64..60).prop_map(Op::HighWatermark),
        2 => (0i64..60).prop_map(Op::Truncate),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(clean, power)| Op::Restart { clean, power }),
        1 => (0i64..40).prop_map(Op::DeleteRecords),
        2 => Just(Op::Roll),
        1 => Just(Op::Flush),
        1 => (0i64..2_000_000_000).prop_map(Op::Retention),
        1 => (0i64..40).prop_map(Op::StartAt),
    ]
}

fn apply(mut log: Log, op: &Op) -> Log {
    match op {
        Op::Lead { count, epoch } => {
            let end = log.end_offset();
            let epoch = log.latest_epoch().unwrap_or(0).max(*epoch);
            let done = lead(&mut log, batch(*count), epoch).expect("nothing refuses a plain batch");
            assert_eq!(
                (done.first_offset, log.end_offset()),
                (end, end + *count as i64),
                "offsets are dense"
            );
        }
        Op::Produce { id, sequence } => {
            let (end, epoch) = (log.end_offset(), log.latest_epoch().unwrap_or(0));
            match lead(&mut log, by(*id, 0, *sequence, 1), epoch) {
                Ok(done) if !done.duplicate => assert_eq!(log.end_offset(), end + 1),
                _ => assert_eq!(log.end_offset(), end, "refused or repeated: nothing is written"),
            }
        }
        Op::HighWatermark(offset) => {
            log.update_high_watermark(*offset);
        }
        Op::Truncate(offset) => {
            let end = log.end_offset();
            assert_eq!(log.truncate_to(*offset, NOW).to, end.min(*offset));
        }
        Op::Restart { clean: true, .. } => log = reload(log.close(NOW), true),
        Op::Restart { power: true, .. } => log = power_failure(log),
        Op::Restart { .. } => {
            log.checkpoint_high_watermark();
            log.checkpoint_log_start();
            log = reload(log.into_files(), false);
        }
        Op::DeleteRecords(offset) => {
            let allowed = *offset <= log.high_watermark();
            assert_eq!(log.increment_log_start(*offset).is_ok(), allowed);
        }
        Op::Roll => {
            log.roll(0, NOW);
        }
        Op::Flush => {
            // nothing is flushed if all records were deleted: DeleteRecords took the recovery point along
            let flushed = log.flush(NOW).is_some();
            // a log start that was checkpointed and then truncated away comes back
            let start = log.files().checkpoints.log_start.unwrap_or(0);
            let kept = log.files().end_offset().max(start);
            let left = power_failure(log.clone()).end_offset();
            assert!(!flushed || left == kept, "{left} is left of {kept}");
        }
        Op::Retention(after) => {
            log.delete_old_segments(NOW + after);
        }
        Op::StartAt(offset) => {
            log.truncate_fully_and_start_at(*offset, NOW);
        }
    }
    log
}

fn check(log: &Log) {
    assert!(0 <= log.log_start() && log.log_start() <= log.last_stable_offset());
    assert!(log.last_stable_offset() <= log.high_watermark() && log.high_watermark() <= log.end_offset());
    assert!(log.recovery_point() <= log.end_offset());
    let batches: Vec<&Batch> = log.batches().collect();
    assert!(batches.windows(2).all(|w| w[0].last_offset < w[1].base_offset));
    assert!(batches.last().is_none_or(|b| b.last_offset < log.end_offset()));
    let bases: Vec<i64> = log.segments().map(|s| s.base_offset()).collect();
    assert!(bases.windows(2).all(|w| w[0] < w[1]) && bases[0] <= log.log_start());
    for (segment, next) in log.segments().zip(bases[1..].iter().chain([&i64::MAX])) {
        assert!(
            segment
                .batches()
                .all(|b| segment.base_offset() <= b.base_offset && b.last_offset < *next)
        );
        assert_eq!(
            segment.size(),
            segment.batches().map(|b| u64::from(b.size)).sum::<u64>()
        );
    }
    let epochs = log.epochs().entries();
    assert!(
        epochs
            .windows(2)
            .all(|w| w[0].epoch < w[1].epoch && w[0].start < w[1].start)
    );
    assert!(
        epochs
            .iter()
            .all(|e| log.log_start() <= e.start && e.start <= log.end_offset())
    );
    // the epoch file is cut at once when the log start moves, but the log start itself is checkpointed later: after a
    // power failure it may be lower than what the cache knows
    let known = epochs.first().map_or(i64::MAX, |e| e.start);
    for b in batches.iter().filter(|b| b.base_offset >= known) {
        assert_eq!(log.epochs().epoch_for_offset(b.base_offset), Some(b.leader_epoch));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_operations_keeps_the_log_in_order(ops in proptest::collection::vec(op(), 1..60)) {
        let mut log = log();
        for op in &ops {
            log = apply(log, op);
            check(&log);
        }
    }

    #[test]
    fn a_read_from_anywhere_begins_with_the_batch_that_holds_the_offset(
        counts in proptest::collection::vec(1usize..5, 1..150),
        at in 0usize..1000,
    ) {
        let mut log = log();
        for (n, count) in counts.iter().enumerate() {
            lead(&mut log, batch(*count), 0).expect("a valid batch");
            if n % 40 == 39 {
                log.roll(0, NOW);
            }
        }
        let end = log.end_offset();
        let from = at as i64 % end;
        let fetched = log.read(from, ReadLimits { max_bytes: 1, end, min_one: true }).expect("in range");
        prop_assert_eq!(fetched.batches.len(), 1);
        let first = &fetched.batches[0];
        prop_assert!(first.base_offset <= from && from <= first.last_offset);
        prop_assert_eq!(fetched.position, first.base_offset);
    }
}
