//! Loading a log from its files after a clean stop, a crash, or a power failure. [LogLoader]

use std::rc::Rc;

use crate::kafka::log::config::LogConfig;
use crate::kafka::log::files::LogFiles;
use crate::kafka::log::producers::Producers;
use crate::kafka::log::segment::Segment;
use crate::kafka::log::unified_log::Log;

/// What loading found and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Where the files ended.
    pub end_found: i64,
    /// LEO now.
    pub end: i64,
    /// Segments that were scanned; none after a clean stop.
    pub segments_scanned: usize,
    /// Bytes that were cut because a batch was damaged.
    pub bytes_truncated: u64,
    /// Epoch entries without records went.
    pub epochs_changed: bool,
}

impl Log {
    /// Makes a log of its files; `clean` if the marker of a clean shutdown was there. `now` in ms.
    ///
    /// After a clean stop nothing is scanned. Otherwise every segment from the one that holds the recovery point on
    /// is, and a damaged batch goes with all after it. The epoch cache is cut to [log start, LEO), producer state is
    /// rebuilt, and the high watermark comes from its checkpoint, bounded to the log.
    pub fn load(files: LogFiles, name: Rc<str>, config: Rc<LogConfig>, clean: bool, now: i64) -> (Self, Loaded) {
        let mut log = Self::new(name, config, now);
        log.files = files;
        let end_found = log.files.end_offset();
        let checkpoints = log.files.checkpoints;
        let checked_start = checkpoints.log_start.unwrap_or(0);
        let scanned_from = log.files.segment_index(checkpoints.recovery_point).unwrap_or(0);
        let (segments_scanned, bytes_truncated) = if clean { (0, 0) } else { log.scan(scanned_from, now) };
        if log.files.end_offset() < checked_start {
            log.files.restart_at(checked_start, now);
        }
        log.end = log.files.end_offset();
        log.log_start = log.files.segments[0].base_offset().max(checked_start);
        let cut_end = log.files.epochs.truncate_from_end(log.end);
        let cut_start = log.files.epochs.truncate_from_start(log.log_start);
        log.load_producers(clean, scanned_from, now);
        // recovery flushes nothing, so an unclean start does not move the recovery point up
        log.recovery_point = if clean {
            log.end
        } else {
            checkpoints.recovery_point.min(log.end)
        };
        log.update_high_watermark(checkpoints.high_watermark.unwrap_or(0));
        let loaded = Loaded {
            end_found,
            end: log.end,
            segments_scanned,
            bytes_truncated,
            epochs_changed: cut_end || cut_start,
        };
        (log, loaded)
    }

    /// Scans segments from an index on: cuts the first one with a damaged batch there, and removes all after it.
    /// Returns how many were scanned and the bytes that went.
    fn scan(&mut self, from: usize, now: i64) -> (usize, u64) {
        let found = self.files.segments.len() - from;
        let Some(damaged) = self.files.damaged else {
            return (found, 0);
        };
        let Some(hit) = self.files.segments[from..]
            .iter()
            .position(|s| s.batches().any(|b| b.base_offset == damaged))
        else {
            return (found, 0);
        };
        let before: u64 = self.files.segments().map(Segment::size).sum();
        self.files.segments.truncate(from + hit + 1);
        self.files.active_mut().truncate_to(damaged, now);
        self.files.damaged = None;
        let after: u64 = self.files.segments().map(Segment::size).sum();
        (hit + 1, before - after)
    }

    /// After a clean stop the snapshot of the end is there. Otherwise the scanned segments are replayed, and a
    /// snapshot of the end is written and read again: then too only the last batch of each producer is known.
    fn load_producers(&mut self, clean: bool, scanned_from: usize, now: i64) {
        let bases: Vec<i64> = self.files.segments().map(Segment::base_offset).collect();
        let scanned_from = scanned_from.min(bases.len() - 1);
        let kept_below = if clean { self.end } else { bases[scanned_from] };
        // snapshots stand for segments; of the others only one at the end is of use
        let snapshots = &mut self.files.snapshots;
        let newest = snapshots.keys().next_back().copied();
        let last_base = bases[bases.len() - 1];
        snapshots.retain(|o, _| *o <= kept_below && (bases.contains(o) || (Some(*o) == newest && *o >= last_base)));
        self.producers = Producers::default();
        if !clean {
            self.rebuild_producers(self.end, now);
            self.producers = Producers::default();
        }
        self.rebuild_producers(self.end, now);
    }

    /// A clean stop: producer snapshot, fsync, checkpoints. The files can be loaded with `clean`. [UnifiedLog.close,
    /// LogManager.shutdown]
    pub fn close(mut self, now: i64) -> LogFiles {
        self.producers.take_snapshot(&mut self.files.snapshots);
        self.flush(now);
        self.checkpoint_recovery_point();
        self.checkpoint_high_watermark();
        self.checkpoint_log_start();
        self.files
    }
}
