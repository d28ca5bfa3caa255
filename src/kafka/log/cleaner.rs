//! Compaction: of the records with one key only the last one stays, and tombstones and markers of transactions go when
//! their time has come. [Cleaner, LogCleanerManager, CleanedTransactionMetadata, MemoryRecords.filterTo]
//!
//! Offsets stay as they were, so holes are left. A batch keeps its first and last offset, and one without any record
//! left may stay for the sequence numbers in its header.

use std::rc::Rc;

use crate::kafka::log::batch::{BATCH_OVERHEAD, Batch, BatchBuilder, Codec, NO_TIMESTAMP, Outcome, Record};
use crate::kafka::log::segment::{AbortedTxn, Segment};
use crate::kafka::log::unified_log::Log;
use crate::kafka::types::Bytes;
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};

/// What of a log may be cleaned now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleanable {
    /// All below has been cleaned before.
    pub first_dirty: i64,
    /// Where a segment begins: nothing from here on may be cleaned.
    pub first_uncleanable: i64,
    pub clean_bytes: u64,
    pub cleanable_bytes: u64,
    /// Something dirty is older than `max.compaction.lag.ms`.
    pub overdue: bool,
}

/// What a cleaning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleaned {
    pub from: i64,
    /// All below is clean now.
    pub to: i64,
    pub records_before: u64,
    pub records_after: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

impl Cleanable {
    /// Whether the dirty part is large or old enough. [LogCleanerManager.grabFilthiestCompactedLog]
    pub fn is_due(&self, min_ratio_millionths: i64) -> bool {
        let total = self.clean_bytes + self.cleanable_bytes;
        total > 0 && ((self.overdue && self.cleanable_bytes > 0) || self.millionths_above(min_ratio_millionths))
    }

    fn millionths_above(&self, ratio: i64) -> bool {
        let total = i128::from(self.clean_bytes) + i128::from(self.cleanable_bytes);
        i128::from(self.cleanable_bytes) * 1_000_000 > total * i128::from(ratio)
    }

    /// Is its dirty part a larger one than the other's?
    pub fn is_dirtier_than(&self, other: &Cleanable) -> bool {
        let total = |c: &Cleanable| u128::from(c.clean_bytes + c.cleanable_bytes);
        let product = |c: &Cleanable, of: u128| u128::from(c.cleanable_bytes) * of;
        product(self, total(other)) > product(other, total(self))
    }
}

/// The last offset of each key in the dirty part.
#[derive(Default)]
struct OffsetMap {
    offsets: OrderedMap<Bytes, i64>,
    /// Records above are not known to it.
    latest: i64,
}

/// Transactions on the way through a log. [CleanedTransactionMetadata]
#[derive(Default)]
struct Transactions {
    /// Aborted ones that begin further on, by their first offset.
    ahead: Vec<AbortedTxn>,
    /// Aborted ones under way, and whether a batch of theirs was seen.
    aborted: OrderedMap<i64, (AbortedTxn, bool)>,
    committed: OrderedSet<i64>,
}

impl Transactions {
    fn add(&mut self, found: impl Iterator<Item = AbortedTxn>) {
        self.ahead.extend(found);
        self.ahead.sort_small_by_key(|txn| txn.first_offset);
    }

    fn reach(&mut self, offset: i64) {
        let begun = self.ahead.partition_point(|txn| txn.first_offset <= offset);
        for txn in self.ahead.drain(..begun) {
            self.aborted.entry(txn.producer_id).or_insert((txn, false));
        }
    }

    /// Whether the batch's content may go for the sake of its transaction: aborted data, or a marker that no data needs
    /// any more. An aborted transaction that still has data is given back, for the index.
    fn read(&mut self, batch: &Batch) -> (bool, Option<AbortedTxn>) {
        self.reach(batch.last_offset);
        let producer = batch.producer_id().unwrap_or(-1);
        let Some(control) = batch.control else {
            if !batch.transactional {
                return (false, None);
            }
            return match self.aborted.get_mut(&producer) {
                Some((_, seen)) => {
                    *seen = true;
                    (true, None)
                }
                None => {
                    self.committed.insert(producer);
                    (false, None)
                }
            };
        };
        if batch.records.is_empty() {
            return (true, None);
        }
        match control.outcome {
            Outcome::Abort => match self.aborted.remove(&producer) {
                Some((txn, true)) => (false, Some(txn)),
                _ => (true, None),
            },
            Outcome::Commit => (!self.committed.remove(&producer), None),
        }
    }
}

/// One cleaning's settings and what it knows.
struct Round<'a> {
    map: OffsetMap,
    now: i64,
    delete_retention_ms: i64,
    /// The cleaning ends here.
    upper: i64,
    log: &'a Log,
}

impl Log {
    /// What of it may be cleaned at `now`, in ms. [LogCleanerManager.cleanableOffsets, LogToClean]
    pub fn cleanable(&self, now: i64) -> Cleanable {
        let start = self.log_start();
        let checkpoint = self.files.checkpoints.cleaned.unwrap_or(start);
        let first_dirty = if checkpoint < start || checkpoint > self.end_offset() {
            start
        } else {
            checkpoint
        };
        let active = self.files.active().base_offset();
        let mut limit = self.last_stable_offset().min(active);
        if self.config.min_compaction_lag_ms > 0
            && let Some(young) = self.first_young_segment(first_dirty, now)
        {
            limit = limit.min(young);
        }
        let limit = first_dirty.max(limit);
        let first_uncleanable = self.closed_from(limit).next().map_or(active, Segment::base_offset);
        let size = |segments: &mut dyn Iterator<Item = &Segment>| segments.map(Segment::size).sum();
        Cleanable {
            first_dirty,
            first_uncleanable,
            clean_bytes: size(&mut self.segments().filter(|s| s.base_offset() < first_dirty)),
            cleanable_bytes: size(&mut self.segments_within(first_dirty.min(first_uncleanable), first_uncleanable)),
            overdue: self.is_overdue(first_dirty, now),
        }
    }

    /// Segments from the one that holds `from` on, that begin below `to`; none if both are equal. [LogSegments.values]
    fn segments_within(&self, from: i64, to: i64) -> impl Iterator<Item = &Segment> {
        let first = self.files.segment_index(from).unwrap_or(0);
        let last = self
            .files
            .segments
            .partition_point(|s| from < to && s.base_offset() < to);
        self.files.segments[first.min(last)..last].iter().map(Rc::as_ref)
    }

    /// All but the active one, from the one that holds `from` on. [LogSegments.nonActiveLogSegmentsFrom]
    fn closed_from(&self, from: i64) -> impl Iterator<Item = &Segment> {
        self.segments_within(from, self.files.active().base_offset())
    }

    fn first_young_segment(&self, first_dirty: i64, now: i64) -> Option<i64> {
        let youngest = now.saturating_sub(self.config.min_compaction_lag_ms);
        let mut closed = self.closed_from(first_dirty);
        closed
            .find(|s| s.largest_timestamp() > youngest)
            .map(Segment::base_offset)
    }

    /// [LogCleanerManager.maxCompactionDelay]
    fn is_overdue(&self, first_dirty: i64, now: i64) -> bool {
        let until = now.saturating_sub(self.config.max_compaction_lag_ms.max(0));
        let first = |s: &Segment| s.batch(0).map_or(-1, |batch| batch.max_timestamp);
        let timestamps = self.closed_from(first_dirty).map(first);
        timestamps
            .filter(|t| *t > 0)
            .min()
            .is_some_and(|earliest| earliest < until)
    }

    /// Cleans what may be cleaned; `max_keys` fit into the cleaner's memory. `None` if nothing is dirty.
    pub fn clean(&mut self, now: i64, max_keys: usize) -> Option<Cleaned> {
        let cleanable = self.cleanable(now);
        if cleanable.cleanable_bytes == 0 {
            return None;
        }
        let (from, upper) = (cleanable.first_dirty, cleanable.first_uncleanable);
        let map = self.offset_map(from, upper, max_keys);
        let to = map.latest + 1;
        if to <= from {
            return None;
        }
        let round = Round {
            map,
            now,
            delete_retention_ms: self.config.delete_retention_ms,
            upper,
            log: self,
        };
        let mut transactions = Transactions::default();
        let groups = self.groups(to, upper);
        let (mut before, mut after) = ((0, 0), (0, 0));
        let mut replaced: Vec<Rc<Segment>> = Vec::new();
        let mut taken = 0;
        for group in groups {
            let old = &self.files.segments[taken..taken + group];
            taken += group;
            let new = round.clean_group(old, &mut transactions);
            before = old.iter().fold(before, |sum, s| add(sum, contents(s)));
            after = add(after, contents(&new));
            replaced.push(Rc::new(new));
        }
        self.replace_first(taken, replaced);
        self.files.checkpoints.cleaned = Some(to);
        Some(Cleaned {
            from,
            to,
            records_before: before.0,
            records_after: after.0,
            bytes_before: before.1,
            bytes_after: after.1,
        })
    }

    fn replace_first(&mut self, count: usize, new: Vec<Rc<Segment>>) {
        for old in &self.files.segments[..count] {
            let base = old.base_offset();
            if !new.iter().any(|segment| segment.base_offset() == base) {
                self.files.snapshots.remove(&base);
            }
        }
        self.files.segments.splice(..count, new);
    }

    /// [Cleaner.buildOffsetMap]
    fn offset_map(&self, start: i64, end: i64, max_keys: usize) -> OffsetMap {
        let mut map = OffsetMap {
            offsets: OrderedMap::default(),
            latest: -1,
        };
        let mut transactions = Transactions::default();
        transactions.add(self.aborted_within(start, end));
        let dirty: Vec<&Segment> = self.segments_within(start, end).collect();
        for (place, segment) in dirty.iter().enumerate() {
            for batch in segment.batches_from(segment.index_of(start)) {
                let (aborted, _) = transactions.read(batch);
                let keyed = batch.iter().filter(|(offset, _)| *offset >= start);
                for (offset, key) in keyed.filter_map(|(offset, record)| Some((offset, record.key.as_ref()?))) {
                    if aborted || batch.control.is_some() {
                        break;
                    }
                    if map.offsets.len() >= max_keys {
                        return map;
                    }
                    map.offsets.insert(key.clone(), offset);
                }
                if batch.last_offset >= start {
                    map.latest = map.latest.max(batch.last_offset);
                }
            }
            let next = dirty.get(place + 1).map_or(end, |next| next.base_offset());
            map.latest = map.latest.max(next - 1);
        }
        map
    }

    fn aborted_within(&self, from: i64, to: i64) -> impl Iterator<Item = AbortedTxn> {
        self.aborted_transactions(from)
            .filter(move |txn| txn.first_offset < to)
            .copied()
    }

    /// How many segments each time become one, of those below `end`. [Cleaner.groupSegmentsBySize]
    fn groups(&self, end: i64, first_uncleanable: i64) -> Vec<usize> {
        let segments = &self.files.segments;
        let count = segments.partition_point(|s| s.base_offset() < end);
        let mut groups = Vec::new();
        let mut first = 0;
        while first < count {
            let mut size = segments[first].size();
            let mut next = first + 1;
            while next < count {
                let last = segments[..count]
                    .get(next + 1)
                    .map_or(first_uncleanable, |s| s.base_offset());
                let range = last - 1 - segments[first].base_offset();
                let fits = (size + segments[next].size()) as i64 <= self.config.segment_bytes;
                if !fits || (segments[next].size() > 0 && range > i64::from(i32::MAX)) {
                    break;
                }
                size += segments[next].size();
                next += 1;
            }
            groups.push(next - first);
            first = next;
        }
        groups
    }
}

fn add(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0 + b.0, a.1 + b.1)
}

/// Records and bytes.
fn contents(segment: &Segment) -> (u64, u64) {
    let records = segment.batches().map(|batch| batch.records.len() as u64).sum();
    (records, segment.size())
}

impl Round<'_> {
    /// [Cleaner.cleanSegments]
    fn clean_group(&self, old: &[Rc<Segment>], transactions: &mut Transactions) -> Segment {
        let mut new = Segment::new(old[0].base_offset(), old[0].created());
        for (place, segment) in old.iter().enumerate() {
            let end = match old.get(place + 1) {
                Some(next) => next.base_offset(),
                None => segment.last_batch().map_or(segment.base_offset(), Batch::next_offset),
            };
            transactions.add(self.log.aborted_within(segment.base_offset(), end));
            for batch in segment.batches() {
                let (kept, index) = self.clean_batch(batch, transactions);
                if let Some(kept) = kept {
                    new.append(kept, self.now);
                }
                if let Some(txn) = index {
                    new.add_aborted(txn);
                }
            }
        }
        new.flush();
        new.set_modified(old[old.len() - 1].modified());
        new
    }

    /// What is left of a batch, and an aborted transaction to be kept in the index.
    fn clean_batch(&self, batch: &Batch, transactions: &mut Transactions) -> (Option<Batch>, Option<AbortedTxn>) {
        let (discardable, index) = transactions.read(batch);
        let control = batch.control.is_some();
        let horizon_passed = batch.delete_horizon.is_some_and(|horizon| horizon <= self.now);
        let discard = discardable && (!control || horizon_passed);
        // The last batch of a live producer has its sequence, the last one of the round the end of what is clean.
        let retain_empty = self.is_last_of_producer(batch) || batch.next_offset() == self.upper;
        if discard && !retain_empty {
            return (None, index);
        }
        let keeps = |(offset, record): &(i64, &Record)| !discard && (control || self.keeps(batch, *offset, record));
        let kept: Vec<(i64, &Record)> = batch.iter().filter(keeps).collect();
        if kept.is_empty() {
            return (retain_empty.then(|| emptied(batch)), index);
        }
        let tombstones = kept.iter().any(|(_, record)| record.value.is_none());
        let new_horizon = (tombstones || (discardable && control)) && batch.delete_horizon.is_none();
        if kept.len() == batch.records.len() && !new_horizon {
            return (Some(batch.clone()), index);
        }
        let horizon = if new_horizon {
            Some(self.now.saturating_add(self.delete_retention_ms))
        } else {
            batch.delete_horizon
        };
        (Some(rebuilt(batch, kept, horizon)), index)
    }

    /// [Cleaner.shouldRetainRecord]
    fn keeps(&self, batch: &Batch, offset: i64, record: &Record) -> bool {
        if offset > self.map.latest {
            return true;
        }
        let Some(key) = &record.key else { return false };
        let last = self.map.offsets.get(key).copied().unwrap_or(-1);
        let keeps_tombstone = batch.delete_horizon.is_none_or(|horizon| self.now < horizon);
        offset >= last && (record.value.is_some() || keeps_tombstone)
    }

    fn is_last_of_producer(&self, batch: &Batch) -> bool {
        let entry = batch.producer.and_then(|p| self.log.producers().entries().get(&p.id));
        let (Some(entry), Some(producer)) = (entry, batch.producer) else {
            return false;
        };
        match entry.last_offset() {
            last if last >= 0 => batch.last_offset == last,
            _ => batch.control.is_some() && producer.epoch == entry.epoch,
        }
    }
}

/// Only the header is left. [DefaultRecordBatch.writeEmptyHeader]
fn emptied(batch: &Batch) -> Batch {
    Batch {
        codec: Codec::None,
        base_timestamp: NO_TIMESTAMP,
        delete_horizon: None,
        records: Rc::from([]),
        size: BATCH_OVERHEAD,
        ..batch.clone()
    }
}

/// The same batch with these records only. [MemoryRecords.buildRetainedRecordsInto]
fn rebuilt(batch: &Batch, kept: Vec<(i64, &Record)>, horizon: Option<i64>) -> Batch {
    let mut builder = BatchBuilder::new(batch.base_offset);
    builder.head.leader_epoch = batch.leader_epoch;
    builder.head.producer = batch.producer;
    builder.head.transactional = batch.transactional;
    builder.head.control = batch.control;
    if let Some(horizon) = horizon {
        builder = builder.with_delete_horizon(horizon);
    }
    let append_time = match batch.timestamp_type {
        crate::kafka::log::batch::TimestampType::LogAppendTime => Some(batch.max_timestamp),
        crate::kafka::log::batch::TimestampType::CreateTime => None,
    };
    for (offset, record) in kept {
        if builder.append(offset, record.clone()).is_err() {
            // It was in a batch before, so it goes into one again.
            return batch.clone();
        }
    }
    let Ok(mut built) = builder.build(append_time) else {
        return batch.clone();
    };
    built.last_offset = batch.last_offset;
    match batch.codec {
        Codec::None => built,
        codec => built.compressed(codec, codec.modelled_permille()),
    }
}

#[cfg(test)]
#[path = "cleaner_vectors.rs"]
mod vectors;
