//! What a log keeps on disk: segments, the leader-epoch checkpoint, producer snapshots, and this partition's lines in
//! the directory's checkpoint files. A crash of the broker leaves exactly this; a power failure less.

use std::rc::Rc;

use crate::kafka::log::batch::Batch;
use crate::kafka::log::epochs::LeaderEpochs;
use crate::kafka::log::producers::Snapshots;
use crate::kafka::log::segment::Segment;

/// This partition's lines in the checkpoint files. They are written to a temporary file, fsynced and renamed, so
/// they survive everything but the loss of the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// `replication-offset-checkpoint`
    pub high_watermark: Option<i64>,
    /// `recovery-point-offset-checkpoint`: all below is flushed
    pub recovery_point: i64,
    /// `log-start-offset-checkpoint`: only if it is above the first segment's base
    pub log_start: Option<i64>,
    /// `cleaner-offset-checkpoint`: all below is compacted
    pub cleaned: Option<i64>,
}

/// The durable part of a log. Cheap to clone: segments are shared.
#[derive(Clone, Debug)]
pub struct LogFiles {
    /// In order of base offset; the last one is written to. Never empty.
    pub(super) segments: Vec<Rc<Segment>>,
    /// `leader-epoch-checkpoint`
    pub(super) epochs: LeaderEpochs,
    pub(super) snapshots: Snapshots,
    pub checkpoints: Checkpoints,
    /// Base offset of a batch whose bytes are damaged: its CRC fails when it is scanned.
    pub(super) damaged: Option<i64>,
}

impl LogFiles {
    /// The files of a new log; `now` in ms.
    pub fn new(now: i64) -> Self {
        Self {
            segments: vec![Rc::new(Segment::new(0, now))],
            epochs: LeaderEpochs::default(),
            snapshots: Snapshots::new(),
            checkpoints: Checkpoints::default(),
            damaged: None,
        }
    }

    /// Segments in order.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.iter().map(Rc::as_ref)
    }

    /// The leader-epoch checkpoint.
    pub fn epochs(&self) -> &LeaderEpochs {
        &self.epochs
    }

    /// All batches in order.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.segments().flat_map(Segment::batches)
    }

    /// Where the files end: the offset after the last batch, or the base of an empty last segment.
    pub fn end_offset(&self) -> i64 {
        self.segments().next_back().map_or(0, end_of)
    }

    /// Power failure: everything that no fsync covered is gone from the segments. Checkpoints, the epoch file and
    /// producer snapshots were fsynced. Returns the end before and after.
    pub fn lose_unflushed(&mut self, now: i64) -> (i64, i64) {
        let before = self.end_offset();
        for segment in &mut self.segments {
            if segment.unflushed() > 0 {
                Rc::make_mut(segment).lose_unflushed(now);
            }
        }
        (before, self.end_offset())
    }

    /// Damages the batch that holds `offset`. Whether there is one. The next scan stops there.
    pub fn damage(&mut self, offset: i64) -> bool {
        let hit = self.batches().find(|b| b.last_offset >= offset).map(|b| b.base_offset);
        if let Some(base) = hit {
            self.damaged = Some(self.damaged.map_or(base, |d| d.min(base)));
        }
        hit.is_some()
    }

    /// The active segment, to write to.
    pub(super) fn active_mut(&mut self) -> &mut Segment {
        // a log has at least one segment from its creation on, and every removal leaves or makes one
        Rc::make_mut(self.segments.last_mut().expect("a log has a segment"))
    }

    /// The active segment; there is always one, as [`Self::active_mut`] says.
    pub(super) fn active(&self) -> &Segment {
        self.segments.last().expect("a log has a segment")
    }

    /// Index of the segment that holds `offset`: the last one with a base that is not above it.
    pub(super) fn segment_index(&self, offset: i64) -> Option<usize> {
        self.segments
            .partition_point(|s| s.base_offset() <= offset)
            .checked_sub(1)
    }

    /// Removes everything and starts one empty segment at `offset`.
    pub(super) fn restart_at(&mut self, offset: i64, now: i64) {
        self.segments = vec![Rc::new(Segment::new(offset, now))];
        self.epochs.clear();
        self.damaged = None;
    }
}

/// Offset after the last batch of a segment.
pub(super) fn end_of(segment: &Segment) -> i64 {
    segment.last_batch().map_or(segment.base_offset(), Batch::next_offset)
}
