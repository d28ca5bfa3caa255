//! Deleting old segments. [UnifiedLog.deleteOldSegments]

use crate::kafka::log::segment::Segment;
use crate::kafka::log::unified_log::Log;

/// Why a segment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeletionReason {
    /// All of it lies below the log start.
    LogStart,
    /// `retention.bytes`
    Size,
    /// `retention.ms`
    Time,
}

/// A deleted segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletedSegment {
    pub base_offset: i64,
    /// Where the next segment begins.
    pub end_offset: i64,
    pub size: u64,
    pub reason: DeletionReason,
}

impl Log {
    /// Deletes what retention allows: whole segments, oldest first, and only below the high watermark. The log start
    /// moves to the first one that stays; an active segment that goes too is replaced by an empty one.
    pub fn delete_old_segments(&mut self, now: i64) -> Vec<DeletedSegment> {
        let mut deleted = Vec::new();
        self.delete_below_log_start(&mut deleted, now);
        if self.config.cleanup.delete {
            self.delete_by_size(&mut deleted, now);
            self.delete_by_time(&mut deleted, now);
        }
        deleted
    }

    fn delete_below_log_start(&mut self, deleted: &mut Vec<DeletedSegment>, now: i64) {
        let log_start = self.log_start;
        let segments = &self.files.segments;
        // the active segment has no next one whose base could be compared
        let count = segments
            .iter()
            .skip(1)
            .take_while(|next| next.base_offset() <= log_start)
            .count();
        let count = count.min(self.committed_segments());
        self.delete_first(count, DeletionReason::LogStart, deleted, now);
    }

    fn delete_by_size(&mut self, deleted: &mut Vec<DeletedSegment>, now: i64) {
        let limit = self.config.retention_bytes;
        let Ok(limit) = u64::try_from(limit) else {
            return;
        };
        let Some(mut excess) = self.size().checked_sub(limit) else {
            return;
        };
        let count = self.count_deletable(|s| match excess.checked_sub(s.size()) {
            Some(rest) => {
                excess = rest;
                true
            }
            None => false,
        });
        self.delete_first(count, DeletionReason::Size, deleted, now);
    }

    fn delete_by_time(&mut self, deleted: &mut Vec<DeletedSegment>, now: i64) {
        let limit = self.config.retention_ms;
        if limit < 0 {
            return;
        }
        let count = self.count_deletable(|s| now.saturating_sub(s.largest_timestamp()) > limit);
        self.delete_first(count, DeletionReason::Time, deleted, now);
    }

    /// Segments, from the oldest on, that lie below the high watermark; an empty active one does not count.
    fn committed_segments(&self) -> usize {
        let segments = &self.files.segments;
        let ends = segments.iter().skip(1).map(|s| s.base_offset()).chain([self.end]);
        segments
            .iter()
            .zip(ends)
            .enumerate()
            .take_while(|(n, (s, end))| {
                let empty_active = n + 1 == segments.len() && s.is_empty();
                self.high_watermark >= *end && !empty_active
            })
            .count()
    }

    fn count_deletable(&self, mut matches: impl FnMut(&Segment) -> bool) -> usize {
        let committed = self.committed_segments();
        self.files.segments[..committed]
            .iter()
            .take_while(|s| matches(s))
            .count()
    }

    fn delete_first(&mut self, count: usize, reason: DeletionReason, deleted: &mut Vec<DeletedSegment>, now: i64) {
        if count == 0 {
            return;
        }
        if count == self.files.segments.len() {
            self.roll(self.end, now);
        }
        let new_start = self.files.segments[count].base_offset();
        for pair in 0..count {
            let segment = &self.files.segments[pair];
            deleted.push(DeletedSegment {
                base_offset: segment.base_offset(),
                end_offset: self.files.segments[pair + 1].base_offset(),
                size: segment.size(),
                reason,
            });
            self.files.snapshots.remove(&segment.base_offset());
        }
        self.files.segments.drain(..count);
        // only segments below the high watermark are deleted, so the log start can follow
        let _ = self.increment_log_start(new_start);
    }
}
