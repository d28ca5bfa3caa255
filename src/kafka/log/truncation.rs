//! Cutting a log at its end (followers that diverged) and at its start. [UnifiedLog.truncateTo,
//! UnifiedLog.truncateFullyAndStartAt, UnifiedLog.maybeIncrementLogStartOffset]

use std::rc::Rc;

use crate::kafka::log::read::OffsetOutOfRange;
use crate::kafka::log::unified_log::Log;

/// What a truncation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// LEO before.
    pub from: i64,
    /// LEO after.
    pub to: i64,
    /// The high watermark before, if committed records went.
    pub below_high_watermark: Option<i64>,
    /// Epoch entries went.
    pub epochs_changed: bool,
}

impl Log {
    /// Cuts the log to end at `offset`. Nothing is cut at or above the LEO, but epoch entries that start there go all
    /// the same: else a leader that never wrote in its epoch would diverge for ever.
    pub fn truncate_to(&mut self, offset: i64, now: i64) -> Truncated {
        let (from, high_watermark) = (self.end, self.high_watermark);
        let offset = offset.max(0);
        let epochs_changed = self.files.epochs.truncate_from_end(offset);
        if offset < from {
            if self.files.segments[0].base_offset() > offset {
                self.truncate_fully_and_start_at(offset, now);
            } else {
                self.cut(offset, now);
            }
        }
        Truncated {
            from,
            to: self.end,
            below_high_watermark: Some(high_watermark).filter(|h| *h > self.end),
            epochs_changed,
        }
    }

    fn cut(&mut self, offset: i64, now: i64) {
        let kept = self.files.segments.partition_point(|s| s.base_offset() <= offset);
        self.files.segments.truncate(kept);
        self.files.active_mut().truncate_to(offset, now);
        self.end = offset;
        self.recovery_point = self.recovery_point.min(offset);
        self.log_start = self.log_start.min(offset);
        self.files.damaged = self.files.damaged.filter(|d| *d < offset);
        self.files.checkpoints.cleaned = self.files.checkpoints.cleaned.map(|cleaned| cleaned.min(offset));
        self.rebuild_producers(offset, now);
        // as in Kafka, the first unstable offset is looked up again only when the high watermark moves
        if self.high_watermark >= offset {
            self.update_high_watermark(offset);
        }
        self.checkpoint_recovery_point();
    }

    /// Drops everything and starts anew, empty, at `offset`: log start, high watermark and LEO are there.
    pub fn truncate_fully_and_start_at(&mut self, offset: i64, now: i64) -> Truncated {
        let (from, high_watermark) = (self.end, self.high_watermark);
        let epochs_changed = !self.files.epochs.is_empty();
        self.files.restart_at(offset, now);
        self.producers.truncate_fully(&mut self.files.snapshots, offset);
        self.log_start = offset;
        self.end = offset;
        self.recovery_point = self.recovery_point.min(offset);
        self.update_high_watermark(offset);
        self.checkpoint_recovery_point();
        Truncated {
            from,
            to: offset,
            below_high_watermark: Some(high_watermark).filter(|h| *h > offset),
            epochs_changed,
        }
    }

    /// Moves the log start up to `offset` (DeleteRecords, retention, the leader's). The old one if it moved.
    ///
    /// # Errors
    /// `offset` is above the high watermark.
    pub fn increment_log_start(&mut self, offset: i64) -> Result<Option<i64>, OffsetOutOfRange> {
        if offset > self.high_watermark {
            return Err(OffsetOutOfRange::AboveHighWatermark {
                offset,
                high_watermark: self.high_watermark,
                partition: self.name().to_owned(),
            });
        }
        let old = self.log_start;
        if offset <= old {
            return Ok(None);
        }
        self.log_start = offset;
        self.recovery_point = self.recovery_point.max(offset);
        self.files.epochs.truncate_from_start(offset);
        self.producers.on_log_start(offset, &self.files.snapshots);
        self.refresh_unstable();
        Ok(Some(old))
    }

    /// Builds the producer state of the log below `end` from the newest snapshot and the batches above it.
    /// [UnifiedLog.rebuildProducerState]
    pub(super) fn rebuild_producers(&mut self, end: i64, now: i64) {
        let expiration_ms = self.config.producer_id_expiration_ms;
        let producers = &mut self.producers;
        let had_none = producers.is_empty() && producers.map_end() >= end;
        producers.truncate_and_reload(&mut self.files.snapshots, self.log_start, end, now, expiration_ms);
        if end > producers.map_end() && !had_none {
            let bases: Vec<i64> = self.files.segments.iter().map(|s| s.base_offset()).collect();
            let recent = bases.len().saturating_sub(2);
            let name = Rc::clone(&self.name);
            let first = self.files.segment_index(producers.map_end()).unwrap_or(0);
            for (n, segment) in self.files.segments.iter().enumerate().skip(first) {
                let start = segment.base_offset().max(producers.map_end()).max(self.log_start);
                producers.set_map_end(start);
                if n >= recent {
                    producers.take_snapshot(&mut self.files.snapshots);
                }
                let batches = segment.batches_from(segment.index_of(start));
                producers.replay(batches.take_while(|b| b.last_offset < end), &name);
            }
        }
        producers.set_map_end(end);
        producers.take_snapshot(&mut self.files.snapshots);
    }
}
