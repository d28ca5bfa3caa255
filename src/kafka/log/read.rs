//! Reads from a log: whole batches for fetches, and offsets for timestamps. [LocalLog.read, UnifiedLog.read]

use std::fmt;

use crate::kafka::log::batch::{Batch, TimestampType};
use crate::kafka::log::segment::Segment;
use crate::kafka::log::unified_log::Log;

/// An offset that the log does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffsetOutOfRange {
    /// Below the log start.
    Below {
        offset: i64,
        log_start: i64,
        partition: String,
    },
    /// Above the LEO.
    Above { offset: i64, end: i64, partition: String },
    /// The log start can't pass the high watermark.
    AboveHighWatermark {
        offset: i64,
        high_watermark: i64,
        partition: String,
    },
}

impl fmt::Display for OffsetOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below {
                offset,
                log_start,
                partition,
            } => write!(
                f,
                "Received request for offset {offset} for partition {partition}, but we only have log segments starting from offset: {log_start}."
            ),
            Self::Above { offset, end, partition } => write!(
                f,
                "Received request for offset {offset} for partition {partition}, but we only have log segments upto {end}."
            ),
            Self::AboveHighWatermark {
                offset,
                high_watermark,
                partition,
            } => write!(
                f,
                "Cannot increment the log start offset to {offset} of partition {partition} since it is larger than the high watermark {high_watermark}"
            ),
        }
    }
}

impl std::error::Error for OffsetOutOfRange {}

/// What a read found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Whole batches; the first may begin below the offset asked for.
    pub batches: Vec<Batch>,
    /// Bytes that go over the wire: the last batch may be cut there, which no client looks at.
    pub bytes: u32,
    /// Base offset of the batch that holds the offset asked for; the leader notes it as the follower's position.
    pub position: i64,
}

/// How to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    pub max_bytes: u32,
    /// Nothing at or above this offset: LEO, high watermark or LSO.
    pub end: i64,
    /// The first batch is returned however large it is.
    pub min_one: bool,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampAndOffset {
    pub timestamp: i64,
    pub offset: i64,
    pub leader_epoch: i32,
}

impl Log {
    /// Reads batches from `from` on, up to the limits and to the end of one segment.
    ///
    /// # Errors
    /// `from` below the log start or above the LEO. Between the limit and the LEO the answer is empty.
    pub fn read(&self, from: i64, limits: ReadLimits) -> Result<Fetched, OffsetOutOfRange> {
        self.check_readable(from)?;
        let mut found = Fetched {
            position: from,
            ..Fetched::default()
        };
        if from >= self.end {
            return Ok(found);
        }
        let first = self.files.segment_index(from).unwrap_or(0);
        let mut segments = self.files.segments[first..].iter().enumerate();
        let holder = segments.find_map(|(n, segment)| {
            let index = if n == 0 { segment.index_of(from) } else { 0 };
            Some((segment, index, segment.batch(index)?))
        });
        if let Some((segment, index, batch)) = holder {
            found.position = batch.base_offset.min(from);
            if from < limits.end {
                (found.batches, found.bytes) = take(segment, index, limits);
            }
        }
        Ok(found)
    }

    fn check_readable(&self, offset: i64) -> Result<(), OffsetOutOfRange> {
        let partition = || self.name().to_owned();
        if offset < self.log_start {
            return Err(OffsetOutOfRange::Below {
                offset,
                log_start: self.log_start,
                partition: partition(),
            });
        }
        if offset > self.end {
            return Err(OffsetOutOfRange::Above {
                offset,
                end: self.end,
                partition: partition(),
            });
        }
        Ok(())
    }

    /// Base offset of the batch that holds `offset`, or `offset` where none does.
    pub fn position_of(&self, offset: i64) -> i64 {
        if offset >= self.end_offset() {
            return offset;
        }
        let holder = self.batches_from(offset).next();
        holder.map_or(offset, |b| b.base_offset.min(offset))
    }

    /// Bytes of the batches in [from, to): what a waiting fetch counts.
    pub fn bytes_between(&self, from: i64, to: i64) -> u64 {
        self.batches_from(from)
            .take_while(|b| b.last_offset < to)
            .map(|b| u64::from(b.size))
            .sum()
    }

    /// Does it have more than the active segment?
    pub fn has_several_segments(&self) -> bool {
        self.files.segments.len() > 1
    }

    /// Base offset of the segment that holds `offset`.
    pub fn segment_base_of(&self, offset: i64) -> i64 {
        let index = self.files.segment_index(offset).unwrap_or(0);
        self.files.segments[index].base_offset()
    }

    /// Aborted transactions that a read_committed consumer needs for what a read returned: producer id and first
    /// offset, in order.
    pub fn aborted_in(&self, from: i64, fetched: &Fetched) -> Vec<(i64, i64)> {
        let Some(last) = fetched.batches.last() else {
            return Vec::new();
        };
        self.aborted_transactions(from)
            .filter(|t| t.first_offset < last.next_offset())
            .map(|t| (t.producer_id, t.first_offset))
            .collect()
    }

    /// The first record, in offset order, with a timestamp not before `timestamp`. The caller checks its offset
    /// against what it may tell. [UnifiedLog.fetchOffsetByTimestamp]
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Option<TimestampAndOffset> {
        let segment = self.segments().find(|s| s.largest_timestamp() >= timestamp)?;
        segment
            .batches()
            .filter(|b| b.max_timestamp >= timestamp && b.last_offset >= self.log_start)
            .find_map(|b| {
                let found = b
                    .iter()
                    .find(|(o, r)| *o >= self.log_start && b.timestamp_of(r) >= timestamp);
                found.map(|(offset, r)| TimestampAndOffset {
                    timestamp: b.timestamp_of(r),
                    offset,
                    leader_epoch: b.leader_epoch,
                })
            })
    }

    /// The record with the largest timestamp; the first of several, with LogAppendTime the last of its batch.
    pub fn max_timestamp(&self) -> Option<TimestampAndOffset> {
        let timestamp = self.segments().map(Segment::max_timestamp).max().filter(|t| *t >= 0)?;
        let batch = self.batches().find(|b| b.max_timestamp == timestamp)?;
        let offset = match batch.timestamp_type {
            TimestampType::LogAppendTime => batch.last_offset,
            TimestampType::CreateTime => batch.iter().find(|(_, r)| r.timestamp == timestamp)?.0,
        };
        Some(TimestampAndOffset {
            timestamp,
            offset,
            leader_epoch: batch.leader_epoch,
        })
    }
}

/// Batches of a segment from an index on, as far as the limits allow, with their bytes.
fn take(segment: &Segment, index: usize, limits: ReadLimits) -> (Vec<Batch>, u32) {
    let mut batches = Vec::new();
    let mut bytes = 0u32;
    for batch in segment.batches_from(index) {
        if batch.last_offset >= limits.end {
            break;
        }
        let sum = bytes.saturating_add(batch.size);
        let forced = limits.min_one && batches.is_empty();
        if sum > limits.max_bytes && !forced {
            // the rest of the allowance holds the beginning of this batch; an incomplete first one is left out
            let bytes = if batches.is_empty() {
                0
            } else {
                bytes.max(limits.max_bytes)
            };
            return (batches, bytes);
        }
        bytes = sum;
        batches.push(batch.clone());
    }
    (batches, bytes)
}
