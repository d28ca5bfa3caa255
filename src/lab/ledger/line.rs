//! The line of succession of one partition: the log as the leader of the highest epoch has it.

use super::{CHUNK, RecordId, Standing};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// What an append tells of transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    #[default]
    Plain,
    /// The record belongs to the open transaction of that producer id.
    Member(i64),
    /// The marker that ends the producer's transaction.
    Marker { producer: i64, committed: bool },
}

/// The open transaction of one producer id: offsets of its records, in order.
type Open = Rc<Vec<i64>>;

/// Stands at an offset that compaction has left empty, or that was never taken.
const GAP: RecordId = RecordId::MAX;

/// Record numbers by offset; 0 stands for what no client sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub epoch: i32,
    /// Offset of the first entry held here.
    pub start: i64,
    chunks: Vec<Rc<Vec<RecordId>>>,
    pub len: usize,
    pub high_watermark: i64,
    /// The largest number of a record of each client, to notice reordering.
    pub newest: OrderedMap<Rc<str>, RecordId>,
    open: OrderedMap<i64, Open>,
}

impl Line {
    pub fn end(&self) -> i64 {
        self.start + self.len as i64
    }

    /// `None`: nothing stands there.
    pub fn at(&self, offset: i64) -> Option<RecordId> {
        self.slot(offset).filter(|record| *record != GAP)
    }

    /// The offset lies within the log and holds nothing.
    pub fn is_gap(&self, offset: i64) -> bool {
        self.slot(offset) == Some(GAP)
    }

    fn slot(&self, offset: i64) -> Option<RecordId> {
        let index = usize::try_from(offset - self.start).ok()?;
        if index >= self.len {
            return None;
        }
        self.chunks.get(index / CHUNK)?.get(index % CHUNK).copied()
    }

    /// Puts a record at an offset: behind the end, or in place of what stood from there on.
    pub fn put(&mut self, offset: i64, record: RecordId) {
        if self.len == 0 {
            self.start = offset;
        }
        if offset < self.end() {
            self.cut(offset);
        }
        while self.end() < offset {
            self.push(GAP);
        }
        self.push(record);
    }

    fn push(&mut self, record: RecordId) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Rc::new(Vec::with_capacity(CHUNK)));
        }
        if let Some(last) = self.chunks.last_mut() {
            Rc::make_mut(last).push(record);
            self.len += 1;
        }
    }

    fn cut(&mut self, end: i64) {
        let keep = usize::try_from(end - self.start).unwrap_or(0).min(self.len);
        self.chunks.truncate(keep.div_ceil(CHUNK));
        let rest = keep % CHUNK;
        if rest > 0
            && let Some(last) = self.chunks.last_mut()
        {
            Rc::make_mut(last).truncate(rest);
        }
        self.len = keep;
        for offsets in self.open.values_mut() {
            if offsets.last().is_some_and(|last| *last >= end) {
                Rc::make_mut(offsets).retain(|offset| *offset < end);
            }
        }
        self.open.retain(|_, offsets| !offsets.is_empty());
    }

    /// The line that a leader's whole log makes, and what became of the records of transactions in it.
    pub fn of_log(start: i64, log: impl Iterator<Item = Standing>) -> (Line, Vec<(RecordId, bool)>) {
        let mut line = Line {
            start,
            ..Line::default()
        };
        let mut decided = Vec::new();
        for Standing { offset, record, part } in log {
            line.put(offset, record);
            decided.extend(line.take_part(offset, part));
        }
        (line, decided)
    }

    /// A record takes part in a transaction, or a marker ends it: the records that are decided, and whether they hold.
    pub fn take_part(&mut self, offset: i64, part: Part) -> Vec<(RecordId, bool)> {
        match part {
            Part::Plain => Vec::new(),
            Part::Member(producer) => {
                Rc::make_mut(self.open.entry(producer).or_default()).push(offset);
                Vec::new()
            }
            Part::Marker { producer, committed } => {
                let offsets = self.open.remove(&producer).unwrap_or_default();
                let records = offsets.iter().filter_map(|offset| self.at(*offset));
                records.filter(|r| *r > 0).map(|record| (record, committed)).collect()
            }
        }
    }

    /// Offset of the first record of the oldest open transaction; without one, nothing is held back.
    pub fn first_open(&self) -> i64 {
        let first = self.open.values().filter_map(|offsets| offsets.first());
        first.min().copied().unwrap_or(i64::MAX)
    }

    /// Records of all open transactions.
    pub fn open_records(&self) -> Vec<RecordId> {
        let offsets = self.open.values().flat_map(|offsets| offsets.iter());
        offsets
            .filter_map(|offset| self.at(*offset))
            .filter(|r| *r > 0)
            .collect()
    }

    /// Records at these offsets that clients sent.
    pub fn records(&self, offsets: std::ops::Range<i64>) -> Vec<RecordId> {
        let within = offsets.start.max(self.start)..offsets.end.min(self.end());
        within.filter_map(|offset| self.at(offset)).filter(|r| *r > 0).collect()
    }
}
