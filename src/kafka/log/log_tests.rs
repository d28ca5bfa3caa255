//! The log's rules by name (R-xx of the replication reference).

use std::rc::Rc;

use crate::kafka::log::append::{Appended, LeaderAppend};
use crate::kafka::log::batch::{Batch, BatchBuilder, Codec, Control, Outcome, ProducerTag, TimestampType, no_headers};
use crate::kafka::log::config::{CleanupPolicy, LogConfig};
use crate::kafka::log::error::AppendError;
use crate::kafka::log::files::LogFiles;
use crate::kafka::log::read::{OffsetOutOfRange, ReadLimits};
use crate::kafka::log::retention::DeletionReason;
use crate::kafka::log::unified_log::Log;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::Bytes;

pub(super) const NOW: i64 = 1_700_000_000_000;

fn log_with(config: LogConfig) -> Log {
    Log::new(Rc::from("t-0"), Rc::new(config), NOW)
}

pub(super) fn log() -> Log {
    log_with(LogConfig::default())
}

fn batch_at(count: usize, value: usize, timestamp: i64) -> Batch {
    let mut builder = BatchBuilder::new(0);
    for _ in 0..count {
        let value = Some(Bytes::from(vec![b'x'; value]));
        builder
            .append_next(timestamp, None, value, no_headers(), 0)
            .expect("a plain record");
    }
    builder.build(None).expect("a valid batch")
}

pub(super) fn batch(count: usize) -> Batch {
    batch_at(count, 100, NOW)
}

pub(super) fn by(id: i64, epoch: i16, sequence: i32, count: usize) -> Batch {
    batch(count).by_producer(Some(ProducerTag { id, epoch, sequence }))
}

pub(super) fn lead(log: &mut Log, batch: Batch, epoch: i32) -> Result<Appended, AppendError> {
    log.append_as_leader(batch, LeaderAppend::client(epoch, NOW))
}

fn code(result: Result<Appended, AppendError>) -> ErrorCode {
    result.expect_err("the append is refused").code
}

fn entries(log: &Log) -> Vec<(i32, i64)> {
    log.epochs().entries().iter().map(|e| (e.epoch, e.start)).collect()
}

pub(super) fn reload(files: LogFiles, clean: bool) -> Log {
    Log::load(files, Rc::from("t-0"), Rc::new(LogConfig::default()), clean, NOW).0
}

pub(super) fn power_failure(log: Log) -> Log {
    let mut files = log.into_files();
    files.lose_unflushed(NOW);
    reload(files, false)
}

#[test]
fn r_02_the_size_limit_is_on_the_batch_and_followers_do_not_check_it() {
    let config = LogConfig {
        max_message_bytes: 170,
        ..LogConfig::default()
    };
    let mut leader = log_with(config.clone());
    assert!(lead(&mut leader, batch(1), 0).is_ok());
    let refused = lead(&mut leader, batch_at(1, 101, NOW), 0).expect_err("too large");
    assert_eq!(refused.code, ErrorCode::MessageTooLarge);
    assert_eq!(
        refused.message,
        "The record batch size in the append to t-0 is 171 bytes which exceeds the maximum configured value of 170)."
    );
    let mut follower = log_with(config);
    let large = batch_at(1, 101, NOW).in_epoch(0);
    assert!(follower.append_as_follower(&[large], 0, NOW).is_ok());
}

#[test]
fn r_02_more_than_a_segment_is_refused() {
    let mut log = log_with(LogConfig {
        segment_bytes: 169,
        ..LogConfig::default()
    });
    let refused = lead(&mut log, batch(1), 0).expect_err("too large");
    assert_eq!(refused.code, ErrorCode::RecordListTooLarge);
    assert_eq!(
        refused.message,
        "Message batch size is 170 bytes in append to partition t-0, which exceeds the maximum configured segment size of 169."
    );
    assert_eq!(entries(&log), [(0, 0)], "the epoch was noted before");
}

#[test]
fn r_03_one_record_out_of_the_timestamp_range_rejects_its_batch() {
    let mut builder = BatchBuilder::new(0);
    for timestamp in [NOW, NOW + 3_600_000, NOW + 3_600_001, -1] {
        builder
            .append_next(timestamp, None, None, no_headers(), 0)
            .expect("a plain record");
    }
    let mut log = log();
    let refused = lead(&mut log, builder.build(None).expect("a valid batch"), 0).expect_err("out of range");
    assert_eq!(refused.code, ErrorCode::InvalidTimestamp);
    let blamed: Vec<i32> = refused.records.iter().map(|r| r.batch_index).collect();
    assert_eq!(blamed, [2]);
    assert_eq!(log.end_offset(), 0);
}

#[test]
fn log_append_time_replaces_timestamps_without_a_check() {
    let mut log = log_with(LogConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    });
    let done = lead(&mut log, batch_at(1, 1, 5 * NOW), 0).expect("no range check");
    assert_eq!(done.log_append_time, Some(NOW));
    assert_eq!(log.max_timestamp().map(|t| t.timestamp), Some(NOW));
}

#[test]
fn batches_of_clients_are_validated() {
    let mut log = log_with(LogConfig {
        cleanup: CleanupPolicy {
            delete: false,
            compact: true,
        },
        ..LogConfig::default()
    });
    let refused = lead(&mut log, batch(2), 0).expect_err("no keys");
    assert_eq!((refused.code, refused.records.len()), (ErrorCode::InvalidRecord, 2));
    assert_eq!(code(lead(&mut log, batch(1).at_offset(3), 0)), ErrorCode::InvalidRecord);
    let control = Control {
        outcome: Outcome::Commit,
        coordinator_epoch: 0,
    };
    let marker = Batch::marker(0, NOW, 1, 0, control);
    assert_eq!(code(lead(&mut log, marker, 0)), ErrorCode::InvalidRecord);
    assert_eq!(code(lead(&mut log, by(1, 0, -1, 1), 0)), ErrorCode::InvalidRecord);
}

#[test]
fn a_codec_of_the_topic_encodes_anew() {
    let mut log = log_with(LogConfig {
        compression: Some(Codec::Zstd),
        ..LogConfig::default()
    });
    lead(&mut log, batch(4), 0).expect("a valid batch");
    let stored = log.batches().next().expect("one batch");
    assert_eq!(stored.codec, Codec::Zstd);
    assert!(stored.size < batch(4).size);
}

#[test]
fn r_04_and_r_05_the_last_five_batches_are_known_again_and_no_more() {
    let mut log = log();
    for n in 0..6 {
        lead(&mut log, by(7, 0, n * 2, 2), 0).expect("in sequence");
    }
    let repeated = lead(&mut log, by(7, 0, 2, 2), 0).expect("the fifth-last");
    assert!(repeated.duplicate);
    assert_eq!((repeated.first_offset, repeated.last_offset), (2, 3));
    assert_eq!(log.end_offset(), 12);
    assert_eq!(
        code(lead(&mut log, by(7, 0, 0, 2), 0)),
        ErrorCode::OutOfOrderSequenceNumber
    );
    assert_eq!(
        code(lead(&mut log, by(7, 0, 4, 3), 0)),
        ErrorCode::OutOfOrderSequenceNumber
    );
}

#[test]
fn r_06_an_unknown_producer_starts_anywhere_and_a_new_epoch_at_0() {
    let mut log = log();
    assert!(lead(&mut log, by(7, 0, 40, 1), 0).is_ok());
    assert_eq!(
        code(lead(&mut log, by(7, 1, 41, 1), 0)),
        ErrorCode::OutOfOrderSequenceNumber
    );
    assert!(lead(&mut log, by(7, 1, 0, 1), 0).is_ok());
    assert_eq!(
        code(lead(&mut log, by(7, 0, 41, 1), 0)),
        ErrorCode::InvalidProducerEpoch
    );
}

#[test]
fn r_07_a_transaction_is_unstable_until_its_marker_is_committed() {
    let mut log = log_with(LogConfig {
        transaction_verification: false,
        ..LogConfig::default()
    });
    let mut data = by(7, 0, 0, 2);
    data.transactional = true;
    lead(&mut log, data, 0).expect("transactional data");
    let control = Control {
        outcome: Outcome::Abort,
        coordinator_epoch: 0,
    };
    let marker = Batch::marker(0, NOW, 7, 1, control);
    log.append_as_leader(marker, LeaderAppend::coordinator(0, NOW))
        .expect("a marker");
    log.update_high_watermark(2);
    assert_eq!(log.last_stable_offset(), 0);
    log.update_high_watermark(3);
    assert_eq!(log.last_stable_offset(), 3);
    let limits = ReadLimits {
        max_bytes: u32::MAX,
        end: 3,
        min_one: true,
    };
    let fetched = log.read(1, limits).expect("in range");
    assert_eq!(log.aborted_in(1, &fetched), [(7, 0)]);
}

#[test]
fn r_20_truncation_cuts_records_epochs_and_high_watermark() {
    let mut log = log();
    for epoch in [0, 0, 2, 3] {
        lead(&mut log, batch(2), epoch).expect("a valid batch");
    }
    log.update_high_watermark(8);
    let cut = log.truncate_to(4, NOW);
    assert_eq!((cut.from, cut.to, cut.below_high_watermark), (8, 4, Some(8)));
    assert_eq!((log.end_offset(), log.high_watermark()), (4, 4));
    assert_eq!(entries(&log), [(0, 0)]);
    assert_eq!(log.batches().count(), 2);
}

#[test]
fn r_20_a_cut_inside_a_batch_takes_the_whole_batch() {
    let mut log = log();
    lead(&mut log, batch(4), 0).expect("a valid batch");
    log.truncate_to(2, NOW);
    assert_eq!((log.end_offset(), log.batches().count()), (2, 0));
}

#[test]
fn r_21_an_epoch_without_records_goes_even_if_nothing_is_cut() {
    let mut log = log();
    lead(&mut log, batch(2), 0).expect("a valid batch");
    log.assign_epoch(1);
    assert_eq!(entries(&log), [(0, 0), (1, 2)]);
    let cut = log.truncate_to(2, NOW);
    assert_eq!((cut.from, cut.to, cut.epochs_changed), (2, 2, true));
    assert_eq!(entries(&log), [(0, 0)]);
}

#[test]
fn r_23_a_full_truncation_starts_empty_at_the_offset() {
    let mut log = log();
    lead(&mut log, by(7, 0, 0, 2), 0).expect("a valid batch");
    log.truncate_fully_and_start_at(9, NOW);
    assert_eq!((log.log_start(), log.high_watermark(), log.end_offset()), (9, 9, 9));
    assert!(entries(&log).is_empty() && log.producers().is_empty());
}

#[test]
fn r_24_a_follower_drops_batches_above_its_epoch() {
    let mut log = log();
    let sent: Vec<Batch> = [3, 4, 3]
        .iter()
        .enumerate()
        .map(|(n, e)| batch(1).at_offset(n as i64).in_epoch(*e))
        .collect();
    let done = log.append_as_follower(&sent, 3, NOW).expect("the first fits");
    assert_eq!((done.batches, log.end_offset()), (1, 1));
}

#[test]
fn a_follower_refuses_what_it_has_unless_it_is_empty() {
    let mut log = log();
    log.truncate_fully_and_start_at(5, NOW);
    let sent = batch(4).at_offset(3).in_epoch(0);
    log.append_as_follower(std::slice::from_ref(&sent), 0, NOW)
        .expect("an empty log restarts");
    assert_eq!(log.end_offset(), 7);
    assert!(log.append_as_follower(&[sent], 0, NOW).is_err());
}

#[test]
fn r_26_the_high_watermark_comes_back_from_its_checkpoint() {
    let mut log = log();
    for _ in 0..3 {
        lead(&mut log, batch(2), 0).expect("a valid batch");
    }
    log.update_high_watermark(4);
    log.checkpoint_high_watermark();
    log.update_high_watermark(6);
    let log = reload(log.into_files(), false);
    assert_eq!((log.high_watermark(), log.end_offset()), (4, 6));
}

#[test]
fn r_27_a_crash_keeps_all_and_a_power_failure_loses_the_active_segment() {
    let mut log = log();
    lead(&mut log, batch(2), 0).expect("a valid batch");
    log.roll(0, NOW);
    lead(&mut log, batch(2), 1).expect("a valid batch");
    log.update_high_watermark(4);
    log.checkpoint_high_watermark();
    let crashed = reload(log.clone().into_files(), false);
    assert_eq!((crashed.end_offset(), entries(&crashed)), (4, vec![(0, 0), (1, 2)]));
    let mut failed = power_failure(log);
    assert_eq!((failed.end_offset(), failed.high_watermark()), (2, 2));
    assert_eq!(
        entries(&failed),
        [(0, 0)],
        "the epoch file survives and is cut to the log"
    );
    assert_eq!(lead(&mut failed, batch(1), 2).expect("a valid batch").first_offset, 2);
}

#[test]
fn r_27_a_clean_stop_and_flush_messages_lose_nothing() {
    let mut log = log_with(LogConfig {
        flush_messages: 2,
        ..LogConfig::default()
    });
    assert!(!lead(&mut log, batch(1), 0).expect("a valid batch").flushed);
    assert!(lead(&mut log, batch(1), 0).expect("a valid batch").flushed);
    lead(&mut log, batch(1), 0).expect("a valid batch");
    assert_eq!(power_failure(log.clone()).end_offset(), 2);
    log.update_high_watermark(3);
    let mut files = log.close(NOW);
    files.lose_unflushed(NOW);
    let log = reload(files, true);
    assert_eq!(
        (log.end_offset(), log.high_watermark(), log.recovery_point()),
        (3, 3, 3)
    );
}

#[test]
fn r_27_what_recovery_read_is_still_not_flushed() {
    let mut log = log();
    lead(&mut log, batch(1), 0).expect("a valid batch");
    let restarted = reload(log.into_files(), false);
    assert_eq!(restarted.end_offset(), 1);
    assert_eq!(power_failure(restarted).end_offset(), 0);
}

#[test]
fn r_28_a_bad_batch_takes_everything_after_it() {
    let mut log = log();
    for _ in 0..3 {
        lead(&mut log, batch(2), 0).expect("a valid batch");
        lead(&mut log, batch(2), 0).expect("a valid batch");
        log.roll(0, NOW);
    }
    let mut files = log.into_files();
    assert!(files.damage(7));
    let kept = reload(files.clone(), true);
    assert_eq!(kept.end_offset(), 12, "a clean start does not scan");
    let (log, loaded) = Log::load(files, Rc::from("t-0"), Rc::new(LogConfig::default()), false, NOW);
    assert_eq!((log.end_offset(), loaded.segments_scanned), (6, 2));
    assert_eq!(log.segments().count(), 2);
}

#[test]
fn after_a_restart_only_the_newest_batch_is_known_again() {
    let mut log = log();
    for n in 0..3 {
        lead(&mut log, by(7, 0, n, 1), 0).expect("in sequence");
    }
    for clean in [true, false] {
        let files = if clean {
            log.clone().close(NOW)
        } else {
            log.clone().into_files()
        };
        let mut restarted = reload(files, clean);
        assert!(lead(&mut restarted, by(7, 0, 2, 1), 0).expect("the newest").duplicate);
        assert_eq!(
            code(lead(&mut restarted, by(7, 0, 1, 1), 0)),
            ErrorCode::OutOfOrderSequenceNumber
        );
    }
}

#[test]
fn a_checkpointed_start_above_the_log_starts_it_anew() {
    let mut log = log();
    lead(&mut log, batch(4), 0).expect("a valid batch");
    log.update_high_watermark(4);
    log.increment_log_start(3).expect("below the high watermark");
    log.checkpoint_log_start();
    let log = power_failure(log);
    assert_eq!((log.log_start(), log.end_offset()), (3, 3));
    assert!(entries(&log).is_empty());
}

#[test]
fn delete_records_moves_the_start_into_a_batch_and_not_past_the_high_watermark() {
    let mut log = log();
    lead(&mut log, batch(4), 0).expect("a valid batch");
    log.update_high_watermark(3);
    let refused = log.increment_log_start(4).expect_err("above the high watermark");
    assert_eq!(
        refused.to_string(),
        "Cannot increment the log start offset to 4 of partition t-0 since it is larger than the high watermark 3"
    );
    assert_eq!(log.increment_log_start(2), Ok(Some(0)));
    assert_eq!(entries(&log), [(0, 2)]);
    let limits = ReadLimits {
        max_bytes: 1000,
        end: 4,
        min_one: true,
    };
    assert!(matches!(
        log.read(1, limits),
        Err(OffsetOutOfRange::Below { log_start: 2, .. })
    ));
    let fetched = log.read(2, limits).expect("in range");
    assert_eq!((fetched.batches[0].base_offset, fetched.position), (0, 0));
}

#[test]
fn reads_return_whole_batches_up_to_their_limits() {
    let mut log = log();
    for _ in 0..3 {
        lead(&mut log, batch(2), 0).expect("a valid batch");
    }
    let size = batch(2).size;
    let read = |from, max_bytes, end, min_one| {
        let limits = ReadLimits {
            max_bytes,
            end,
            min_one,
        };
        let fetched = log.read(from, limits).expect("in range");
        (
            fetched.batches.iter().map(|b| b.base_offset).collect::<Vec<_>>(),
            fetched.bytes,
        )
    };
    assert_eq!(read(0, u32::MAX, 6, false), (vec![0, 2, 4], 3 * size));
    assert_eq!(read(3, 2 * size + 9, 4, false), (vec![2], size));
    assert_eq!(read(0, size + 9, 6, false), (vec![0], size + 9));
    assert_eq!(read(0, 9, 6, true), (vec![0], size));
    assert_eq!(read(0, 9, 6, false), (vec![], 0));
    assert_eq!(read(4, u32::MAX, 4, true), (vec![], 0));
    assert_eq!(read(6, u32::MAX, 6, true), (vec![], 0));
    let limits = ReadLimits {
        max_bytes: 9,
        end: 6,
        min_one: true,
    };
    assert!(matches!(
        log.read(7, limits),
        Err(OffsetOutOfRange::Above { end: 6, .. })
    ));
    assert_eq!(log.bytes_between(2, 6), u64::from(2 * size));
}

#[test]
fn offsets_are_found_by_timestamp() {
    let mut log = log();
    for late in [10, 30, 20] {
        lead(&mut log, batch_at(2, 1, NOW + late), 0).expect("a valid batch");
    }
    let found = |t| log.offset_for_timestamp(t).map(|f| (f.offset, f.timestamp - NOW));
    assert_eq!(found(NOW), Some((0, 10)));
    assert_eq!(found(NOW + 11), Some((2, 30)));
    assert_eq!(found(NOW + 31), None);
    assert_eq!(log.max_timestamp().map(|f| f.offset), Some(2));
}

#[test]
fn r_29_segments_roll_by_size_and_by_record_time() {
    let mut log = log_with(LogConfig {
        segment_bytes: 400,
        segment_ms: 1000,
        timestamp_after_max_ms: i64::MAX,
        ..LogConfig::default()
    });
    assert_eq!(lead(&mut log, batch(1), 0).expect("a valid batch").rolled, None);
    assert_eq!(lead(&mut log, batch(1), 0).expect("a valid batch").rolled, None);
    assert_eq!(lead(&mut log, batch(1), 0).expect("a valid batch").rolled, Some(2));
    assert_eq!(log.recovery_point(), 2, "the old segment was flushed");
    let later = |ms| batch_at(1, 1, NOW + ms);
    assert_eq!(lead(&mut log, later(1000), 0).expect("a valid batch").rolled, None);
    assert_eq!(lead(&mut log, later(1001), 0).expect("a valid batch").rolled, Some(4));
    let idle = log.append_as_leader(later(1500), LeaderAppend::client(0, NOW + 99_999));
    assert_eq!(
        idle.expect("a valid batch").rolled,
        None,
        "the wall clock rolls nothing"
    );
}

#[test]
fn r_29_retention_takes_whole_segments_below_the_high_watermark() {
    let config = LogConfig {
        retention_bytes: 400,
        retention_ms: 1000,
        ..LogConfig::default()
    };
    let mut log = log_with(config);
    for _ in 0..4 {
        lead(&mut log, batch(1), 0).expect("a valid batch");
        log.roll(0, NOW);
    }
    lead(&mut log, batch_at(1, 1, NOW + 900), 0).expect("a valid batch");
    assert!(log.delete_old_segments(NOW).is_empty(), "nothing is committed");
    log.update_high_watermark(4);
    let reasons = |log: &mut Log, now| {
        let gone = log.delete_old_segments(now);
        gone.iter().map(|d| (d.base_offset, d.reason)).collect::<Vec<_>>()
    };
    let by_size = [(0, DeletionReason::Size), (1, DeletionReason::Size)];
    assert_eq!(reasons(&mut log, NOW), by_size);
    assert_eq!(log.log_start(), 2);
    let by_time = [(2, DeletionReason::Time), (3, DeletionReason::Time)];
    assert_eq!(reasons(&mut log, NOW + 1001), by_time);
    assert_eq!(reasons(&mut log, NOW + 1901), [], "the active one is not committed");
    log.update_high_watermark(5);
    assert_eq!(reasons(&mut log, NOW + 1901), [(4, DeletionReason::Time)]);
    assert_eq!((log.log_start(), log.end_offset(), log.segments().count()), (5, 5, 1));
    assert_eq!(reasons(&mut log, NOW + 99_999), [], "an empty active segment stays");
}

#[test]
fn copies_are_independent() {
    let mut log = log();
    for _ in 0..100 {
        lead(&mut log, batch(1), 0).expect("a valid batch");
    }
    let copy = log.clone();
    lead(&mut log, batch(1), 1).expect("a valid batch");
    log.truncate_to(70, NOW);
    assert_eq!((copy.end_offset(), copy.batches().count()), (100, 100));
    assert_eq!((log.end_offset(), log.batches().count()), (70, 70));
}
