//! The log of one replica: its files, and the volatile positions over them. [UnifiedLog, LocalLog]
//!
//! Always: log start <= HW <= LEO. A crash drops this and leaves the [`LogFiles`]; [`Log::load`] makes a log of them
//! again. Appends are in [`super::append`], reads in [`super::read`], truncation and recovery in
//! [`super::truncation`] and [`super::recovery`], retention in [`super::retention`].

use std::rc::Rc;

use crate::kafka::log::batch::{Batch, ProducerTag};
use crate::kafka::log::config::LogConfig;
use crate::kafka::log::epochs::{EpochEnd, LeaderEpochs};
use crate::kafka::log::files::LogFiles;
use crate::kafka::log::producer_entry::Guard;
use crate::kafka::log::producers::Producers;
use crate::kafka::log::segment::{AbortedTxn, Segment};
use crate::kafka::protocol::errors::ErrorCode;

/// A replica's log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    pub(super) files: LogFiles,
    pub(super) config: Rc<LogConfig>,
    /// The partition's name, as texts have it: `loan_request-0`.
    pub(super) name: Rc<str>,
    pub(super) producers: Producers,
    pub(super) log_start: i64,
    pub(super) high_watermark: i64,
    /// LEO: offset of the next record.
    pub(super) end: i64,
    /// All below is flushed.
    pub(super) recovery_point: i64,
    pub(super) first_unstable: Option<i64>,
    /// When it was flushed last, in ms.
    pub(super) last_flush: i64,
}

impl Log {
    /// A new, empty log; `now` in ms.
    pub fn new(name: Rc<str>, config: Rc<LogConfig>, now: i64) -> Self {
        Self {
            files: LogFiles::new(now),
            config,
            name,
            producers: Producers::new(0),
            log_start: 0,
            high_watermark: 0,
            end: 0,
            recovery_point: 0,
            first_unstable: None,
            last_flush: now,
        }
    }

    /// The partition's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its settings.
    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Changes its settings; they count from the next operation on.
    pub fn set_config(&mut self, config: Rc<LogConfig>) {
        self.config = config;
    }

    /// What is on disk.
    pub fn files(&self) -> &LogFiles {
        &self.files
    }

    /// The process dies: only the files stay. What was not flushed is in the page cache, so a power failure is
    /// this and [`LogFiles::lose_unflushed`].
    pub fn into_files(self) -> LogFiles {
        self.files
    }

    /// Log end offset: where the next record goes.
    pub fn end_offset(&self) -> i64 {
        self.end
    }

    /// First offset that is not committed.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// First offset that may be read.
    pub fn log_start(&self) -> i64 {
        self.log_start
    }

    /// All below is flushed.
    pub fn recovery_point(&self) -> i64 {
        self.recovery_point
    }

    /// First offset that read_committed consumers don't get. [UnifiedLog.lastStableOffset]
    ///
    /// Below the log start only if that was moved into the first batch of an open transaction.
    pub fn last_stable_offset(&self) -> i64 {
        self.first_unstable
            .map_or(self.high_watermark, |o| o.min(self.high_watermark))
    }

    /// Start of the first transaction that is open or whose marker is not committed.
    pub fn first_unstable_offset(&self) -> Option<i64> {
        self.first_unstable
    }

    /// The leader-epoch cache.
    pub fn epochs(&self) -> &LeaderEpochs {
        &self.files.epochs
    }

    /// The latest leader epoch in the cache.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.files.epochs.latest_epoch()
    }

    /// Where an epoch ends in this log.
    pub fn end_offset_for(&self, epoch: i32) -> Option<EpochEnd> {
        self.files.epochs.end_offset_for(epoch, self.end)
    }

    /// Producer state.
    pub fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Segments in order of base offset; the last one is active.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.files.segments()
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.segments().map(Segment::size).sum()
    }

    /// All batches in the files, also those below the log start.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.files.batches()
    }

    /// Aborted transactions in the index that end at or above `from`.
    pub fn aborted_transactions(&self, from: i64) -> impl Iterator<Item = &AbortedTxn> {
        self.segments()
            .flat_map(Segment::aborted)
            .filter(move |t| t.last_offset >= from)
    }

    /// Becoming leader: the epoch starts at the LEO. Whether the cache changed.
    pub fn assign_epoch(&mut self, epoch: i32) -> bool {
        self.note_epoch(epoch, self.end)
    }

    /// Records without an epoch (-1) leave the cache alone.
    pub(super) fn note_epoch(&mut self, epoch: i32, start: i64) -> bool {
        self.files.epochs.assign(epoch, start).unwrap_or(false)
    }

    /// Sets the high watermark, bounded to [log start, LEO]; a follower's may go down. Returns the new one.
    /// [UnifiedLog.updateHighWatermark]
    pub fn update_high_watermark(&mut self, offset: i64) -> i64 {
        self.high_watermark = offset.max(self.log_start).min(self.end);
        self.producers.on_high_watermark(self.high_watermark);
        self.refresh_unstable();
        self.high_watermark
    }

    /// Raises the high watermark as a leader does: never down, never above the LEO. The old one if it moved.
    /// [UnifiedLog.maybeIncrementHighWatermark]
    pub fn increment_high_watermark(&mut self, offset: i64) -> Option<i64> {
        let old = self.high_watermark;
        if offset.min(self.end) <= old {
            return None;
        }
        self.update_high_watermark(offset);
        Some(old)
    }

    /// [UnifiedLog.maybeIncrementFirstUnstableOffset]
    pub(super) fn refresh_unstable(&mut self) {
        let first = self.producers.first_unstable_offset();
        self.first_unstable = first.map(|offset| {
            if offset < self.log_start {
                self.position_of(self.log_start)
            } else {
                offset
            }
        });
    }

    /// Batches from the one that holds `offset` on.
    pub(super) fn batches_from(&self, offset: i64) -> impl Iterator<Item = &Batch> {
        let first = self.files.segment_index(offset).unwrap_or(0);
        self.files.segments[first..]
            .iter()
            .enumerate()
            .flat_map(move |(n, s)| s.batches_from(if n == 0 { s.index_of(offset) } else { 0 }))
    }

    /// Asks for a guard before the transaction coordinator verifies a transaction; `None` if it is open here.
    pub fn start_verification(
        &mut self,
        producer_id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now: i64,
    ) -> Option<Guard> {
        self.producers
            .start_verification(producer_id, sequence, epoch, supports_epoch_bump, now)
    }

    /// A transactional write begins: an epoch that is too old is refused at once, a transaction that is open here needs no
    /// guard. [UnifiedLog.maybeStartTransactionVerification]
    ///
    /// # Errors
    /// INVALID_PRODUCER_EPOCH.
    pub fn begin_verification(&mut self, tag: ProducerTag, v2: bool, now: i64) -> Result<Option<Guard>, ErrorCode> {
        let known = self.producers.entries().get(&tag.id);
        if known.is_some_and(|entry| tag.epoch < entry.epoch) {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        Ok(self.start_verification(tag.id, tag.sequence, tag.epoch, v2, now))
    }

    /// Drops idle producer ids; how many went. Looked at every `producer.id.expiration.check.interval.ms`.
    pub fn expire_producers(&mut self, now: i64) -> usize {
        self.producers.expire(now, self.config.producer_id_expiration_ms)
    }

    /// fsync of everything. Returns the recovery point before, if it moved. [UnifiedLog.flush]
    pub fn flush(&mut self, now: i64) -> Option<i64> {
        self.flush_below(self.end, now)
    }

    /// Whether `flush.ms` has passed over unflushed records; looked at by the flush scheduler.
    pub fn flush_is_due(&self, now: i64) -> bool {
        self.end > self.recovery_point && now.saturating_sub(self.last_flush) >= self.config.flush_ms
    }

    /// fsync of the segments below `offset`.
    pub(super) fn flush_below(&mut self, offset: i64, now: i64) -> Option<i64> {
        let old = self.recovery_point;
        if offset <= old {
            return None;
        }
        let from = self.files.segment_index(old).unwrap_or(0);
        for segment in self.files.segments[from..]
            .iter_mut()
            .filter(|s| s.base_offset() < offset && s.unflushed() > 0)
        {
            Rc::make_mut(segment).flush();
        }
        self.recovery_point = offset;
        self.last_flush = now;
        Some(old)
    }

    /// Writes this log's line of `replication-offset-checkpoint`.
    pub fn checkpoint_high_watermark(&mut self) {
        self.files.checkpoints.high_watermark = Some(self.high_watermark);
    }

    /// Writes this log's line of `recovery-point-offset-checkpoint`.
    pub fn checkpoint_recovery_point(&mut self) {
        self.files.checkpoints.recovery_point = self.recovery_point;
    }

    /// Writes this log's line of `log-start-offset-checkpoint`, or leaves it out.
    pub fn checkpoint_log_start(&mut self) {
        let first = self.files.segments[0].base_offset();
        self.files.checkpoints.log_start = Some(self.log_start).filter(|s| *s > first);
    }
}
