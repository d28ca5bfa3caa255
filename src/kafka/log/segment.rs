//! A segment of a log: a run of batches in one file, and how much of it is on the disk for sure.
//!
//! Batches lie in small chunks that copies of the log share, so that a snapshot of a world costs little and an append
//! copies at most one chunk.

use std::rc::Rc;

use crate::kafka::log::batch::Batch;

/// Batches in a chunk.
const CHUNK: usize = 64;

/// An aborted transaction, as read_committed consumers need it. [AbortedTxn]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTxn {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Offset of the marker.
    pub last_offset: i64,
    /// The LSO when it ended.
    pub last_stable_offset: i64,
}

/// One segment file with its transaction index.
#[derive(Clone, Debug)]
pub struct Segment {
    base_offset: i64,
    chunks: Vec<Rc<Vec<Batch>>>,
    size: u64,
    /// Batches that an fsync has covered.
    flushed: usize,
    /// The first batch's largest timestamp, in ms; rolling by time counts from it.
    first_timestamp: Option<i64>,
    max_timestamp: i64,
    created: i64,
    modified: i64,
    aborted: Vec<AbortedTxn>,
}

impl Segment {
    /// An empty segment; `now` in ms.
    pub fn new(base_offset: i64, now: i64) -> Self {
        Self {
            base_offset,
            chunks: Vec::new(),
            size: 0,
            flushed: 0,
            first_timestamp: None,
            max_timestamp: -1,
            created: now,
            modified: now,
            aborted: Vec::new(),
        }
    }

    /// No offset in it is below this one.
    pub fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// Bytes of its batches.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Number of its batches.
    pub fn batch_count(&self) -> usize {
        match self.chunks.split_last() {
            Some((last, full)) => full.len() * CHUNK + last.len(),
            None => 0,
        }
    }

    /// Whether it holds no batch.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The aborted transactions that ended in it, in order.
    pub fn aborted(&self) -> &[AbortedTxn] {
        &self.aborted
    }

    /// Notes an aborted transaction.
    pub fn add_aborted(&mut self, txn: AbortedTxn) {
        self.aborted.push(txn);
    }

    /// The batch with this index, counted from 0.
    pub fn batch(&self, index: usize) -> Option<&Batch> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// Its last batch.
    pub fn last_batch(&self) -> Option<&Batch> {
        self.chunks.last()?.last()
    }

    /// Index of the first batch that ends at or above `offset`: the one that holds it, if any does.
    pub fn index_of(&self, offset: i64) -> usize {
        // Most reads are near the end: what lies in the last chunk is found without a look at the others.
        let full = self.chunks.len().saturating_sub(1);
        if let Some(last) = self.chunks.last()
            && last.first().is_some_and(|b| b.base_offset <= offset)
        {
            return full * CHUNK + last.partition_point(|b| b.last_offset < offset);
        }
        let chunk = self
            .chunks
            .partition_point(|c| c.last().is_some_and(|b| b.last_offset < offset));
        let within = self
            .chunks
            .get(chunk)
            .map_or(0, |c| c.partition_point(|b| b.last_offset < offset));
        chunk * CHUNK + within
    }

    /// Batches from an index on.
    pub fn batches_from(&self, index: usize) -> impl Iterator<Item = &Batch> {
        let skipped = index % CHUNK;
        self.chunks
            .iter()
            .skip(index / CHUNK)
            .flat_map(|c| c.iter())
            .skip(skipped)
    }

    /// All batches.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.batches_from(0)
    }

    /// Largest timestamp of a record in it, in ms; -1 if none has one.
    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// What retention by time goes by: the largest timestamp, else when the file was written last.
    pub fn largest_timestamp(&self) -> i64 {
        if self.max_timestamp >= 0 {
            self.max_timestamp
        } else {
            self.modified
        }
    }

    /// When its file was made, in ms.
    pub fn created(&self) -> i64 {
        self.created
    }

    /// When its file was written last, in ms.
    pub fn modified(&self) -> i64 {
        self.modified
    }

    /// A cleaned segment keeps the time of those it was made of.
    pub fn set_modified(&mut self, at: i64) {
        self.modified = at;
    }

    /// How long it has waited to be rolled, in ms: in record time from its first batch on, and by the wall clock
    /// only as long as it has none. [LogSegment.timeWaitedForRoll]
    pub fn waited_for_roll(&self, now: i64, incoming_timestamp: i64) -> i64 {
        match self.first_timestamp {
            Some(first) if first >= 0 => incoming_timestamp.saturating_sub(first),
            _ => now.saturating_sub(self.created),
        }
    }

    /// Appends a batch; `now` in ms.
    pub fn append(&mut self, batch: Batch, now: i64) {
        self.first_timestamp.get_or_insert(batch.max_timestamp);
        self.max_timestamp = self.max_timestamp.max(batch.max_timestamp);
        self.size += u64::from(batch.size);
        self.modified = now;
        match self.chunks.last_mut().filter(|c| c.len() < CHUNK) {
            Some(chunk) => Rc::make_mut(chunk).push(batch),
            None => self.chunks.push(Rc::new(vec![batch])),
        }
    }

    /// fsync.
    pub fn flush(&mut self) {
        self.flushed = self.batch_count();
    }

    /// Batches that an fsync has not covered yet.
    pub fn unflushed(&self) -> usize {
        self.batch_count() - self.flushed
    }

    /// A power failure: what was not flushed is gone. Whether anything was.
    pub fn lose_unflushed(&mut self, now: i64) -> bool {
        self.keep(self.flushed, now)
    }

    /// Cuts the batch that holds `offset` and all after it. Whether there were any. [LogSegment.truncateTo]
    pub fn truncate_to(&mut self, offset: i64, now: i64) -> bool {
        self.aborted.retain(|t| t.last_offset < offset);
        self.keep(self.index_of(offset), now)
    }

    /// Keeps the first `count` batches.
    fn keep(&mut self, count: usize, now: i64) -> bool {
        if count >= self.batch_count() {
            return false;
        }
        self.chunks.truncate(count.div_ceil(CHUNK));
        if let Some(last) = self.chunks.last_mut().filter(|_| !count.is_multiple_of(CHUNK)) {
            Rc::make_mut(last).truncate(count % CHUNK);
        }
        self.flushed = self.flushed.min(count);
        self.size = self.batches().map(|b| u64::from(b.size)).sum();
        self.max_timestamp = self.batches().map(|b| b.max_timestamp).max().unwrap_or(-1);
        let end = self.last_batch().map_or(self.base_offset, Batch::next_offset);
        self.aborted.retain(|t| t.last_offset < end);
        self.modified = now;
        if self.is_empty() {
            self.created = now;
            self.first_timestamp = None;
        }
        true
    }
}
