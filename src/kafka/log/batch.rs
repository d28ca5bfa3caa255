//! Records and record batches (format v2): what is appended, replicated, fetched and acknowledged as a whole.
//!
//! A batch is cheap to copy and to restamp with another base offset or leader epoch: its records are shared, and
//! hold their offsets relative to the batch. The byte layout lives in [`super::wire`].

use std::fmt;
use std::rc::Rc;

use crate::kafka::log::wire;
use crate::kafka::types::Bytes;

/// Headers of a record, in order; names may repeat.
pub type Headers = Rc<[(Rc<str>, Option<Bytes>)]>;

/// Size of a batch's header in bytes. [DefaultRecordBatch.RECORD_BATCH_OVERHEAD]
pub const BATCH_OVERHEAD: u32 = 61;

/// The timestamp of a record that has none.
pub const NO_TIMESTAMP: i64 = -1;

/// One record as it lies in a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Offset relative to the batch's base offset.
    pub offset_delta: i32,
    /// As the producer set it, in ms; see [`Batch::timestamp_of`] for the one that readers take.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Headers,
    /// The ledger's number of this record; 0 for a record that the ledger does not follow. Not part of the bytes.
    pub origin: u32,
}

/// Compression codec of a batch (`compression.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Codec {
    /// How far this codec is taken to compress, in thousandths of the plain size. A model: the real ratio depends
    /// on the data, which the simulator does not compress.
    pub fn modelled_permille(self) -> u32 {
        match self {
            Self::None => 1000,
            Self::Gzip | Self::Zstd => 400,
            Self::Snappy | Self::Lz4 => 550,
        }
    }
}

/// What a batch's timestamps mean (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// Each record carries its producer's time.
    #[default]
    CreateTime,
    /// Every record has the leader's time of the append, which is the batch's `max_timestamp`.
    LogAppendTime,
}

/// Who produced a batch: producer id, epoch, and sequence of the first record.
///
/// Transaction markers have `sequence` -1 ([`NO_SEQUENCE`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProducerTag {
    pub id: i64,
    pub epoch: i16,
    pub sequence: i32,
}

/// The sequence of batches that have none.
pub const NO_SEQUENCE: i32 = -1;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Commit,
    Abort,
}

/// A control batch's content: the marker that ends a transaction. [EndTransactionMarker]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    pub outcome: Outcome,
    pub coordinator_epoch: i32,
}

/// A record batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub base_offset: i64,
    /// Stays where it was when compaction takes records away, so it can lie above the last record.
    pub last_offset: i64,
    /// Epoch of the leader that appended it; -1 before an append.
    pub leader_epoch: i32,
    pub producer: Option<ProducerTag>,
    pub transactional: bool,
    pub control: Option<Control>,
    pub codec: Codec,
    pub timestamp_type: TimestampType,
    /// The first record's timestamp when the batch was built, or the delete horizon.
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    /// When tombstones and markers in it may go (set by the cleaner), in ms.
    pub delete_horizon: Option<i64>,
    pub records: Rc<[Record]>,
    /// Bytes of the whole batch with its header, compressed.
    pub size: u32,
}

impl Batch {
    /// Offset of the record after the last.
    pub fn next_offset(&self) -> i64 {
        self.last_offset + 1
    }

    /// The offset of one of its records.
    pub fn offset_of(&self, record: &Record) -> i64 {
        self.base_offset + i64::from(record.offset_delta)
    }

    /// The timestamp that readers take for one of its records, in ms.
    pub fn timestamp_of(&self, record: &Record) -> i64 {
        match self.timestamp_type {
            TimestampType::CreateTime => record.timestamp,
            TimestampType::LogAppendTime => self.max_timestamp,
        }
    }

    /// Records with their offsets, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &Record)> + '_ {
        self.records.iter().map(|r| (self.offset_of(r), r))
    }

    /// Producer id, if an idempotent or transactional producer wrote it.
    pub fn producer_id(&self) -> Option<i64> {
        self.producer.map(|p| p.id)
    }

    /// Sequence of the last record, or [`NO_SEQUENCE`]. [DefaultRecordBatch.lastSequence]
    pub fn last_sequence(&self) -> i32 {
        match self.producer {
            Some(p) if p.sequence != NO_SEQUENCE => add_sequence(p.sequence, self.last_offset - self.base_offset),
            _ => NO_SEQUENCE,
        }
    }

    /// The same batch at another offset; records are shared.
    pub fn at_offset(mut self, base_offset: i64) -> Self {
        self.last_offset += base_offset - self.base_offset;
        self.base_offset = base_offset;
        self
    }

    /// The same batch stamped with a leader epoch; records are shared.
    pub fn in_epoch(mut self, leader_epoch: i32) -> Self {
        self.leader_epoch = leader_epoch;
        self
    }

    /// The same batch with another producer id, epoch and sequence (a producer restamps what it sends).
    pub fn by_producer(mut self, producer: Option<ProducerTag>) -> Self {
        self.producer = producer;
        self
    }

    /// The same batch with the leader's time of the append on it. [LogValidator]
    pub fn with_log_append_time(mut self, now: i64) -> Self {
        self.timestamp_type = TimestampType::LogAppendTime;
        self.max_timestamp = now;
        self
    }

    /// The same batch compressed: its records take `permille` thousandths of their plain size, at least one byte.
    pub fn compressed(mut self, codec: Codec, permille: u32) -> Self {
        let plain = u64::from(self.plain_size() - BATCH_OVERHEAD);
        self.codec = codec;
        let body = match codec {
            Codec::None => plain,
            _ => (plain * u64::from(permille) / 1000).max(1),
        };
        self.size = BATCH_OVERHEAD + wire::clamp_size(body);
        self
    }

    /// Bytes of the batch without compression.
    pub fn plain_size(&self) -> u32 {
        if let Some(control) = self.control {
            return BATCH_OVERHEAD + wire::marker_size(control);
        }
        let body = self
            .records
            .iter()
            .map(|r| u64::from(wire::record_size_at(self.base_timestamp, r)));
        BATCH_OVERHEAD + wire::clamp_size(body.sum())
    }

    /// What a batch of these records would take if it were built anew from what a reader sees.
    /// [AbstractRecords.estimateSizeInBytes, DefaultRecordBatch.sizeInBytes]
    pub fn estimated_size(&self) -> u32 {
        let first = self.records.first().map_or(0, |r| self.timestamp_of(r));
        let body = self.records.iter().map(|r| {
            let ts_delta = self.timestamp_of(r).wrapping_sub(first);
            u64::from(wire::record_size(
                ts_delta,
                r.offset_delta,
                &r.key,
                &r.value,
                &r.headers,
            ))
        });
        BATCH_OVERHEAD + wire::clamp_size(body.sum())
    }

    /// A batch that holds the marker which ends a transaction: one control record. [MemoryRecords.withEndTransactionMarker]
    pub fn marker(base_offset: i64, timestamp: i64, id: i64, epoch: i16, control: Control) -> Self {
        let record = Record {
            offset_delta: 0,
            timestamp,
            key: Some(wire::marker_key(control.outcome)),
            value: Some(wire::marker_value(control.coordinator_epoch)),
            headers: no_headers(),
            origin: 0,
        };
        Self {
            base_offset,
            last_offset: base_offset,
            leader_epoch: -1,
            producer: Some(ProducerTag {
                id,
                epoch,
                sequence: NO_SEQUENCE,
            }),
            transactional: true,
            control: Some(control),
            codec: Codec::None,
            timestamp_type: TimestampType::CreateTime,
            base_timestamp: timestamp,
            max_timestamp: timestamp,
            delete_horizon: None,
            records: Rc::from([record]),
            size: BATCH_OVERHEAD + wire::marker_size(control),
        }
    }
}

/// No headers.
pub fn no_headers() -> Headers {
    Rc::from([])
}

/// A sequence number `by` further: after 2^31-1 comes 0. [DefaultRecordBatch.incrementSequence]
pub fn add_sequence(sequence: i32, by: i64) -> i32 {
    let sum = (i64::from(sequence) + by) & i64::from(i32::MAX);
    sum as i32
}

/// The sequence number before this one. [DefaultRecordBatch.decrementSequence]
pub fn sub_sequence(sequence: i32, by: i64) -> i32 {
    add_sequence(sequence, -by)
}

/// Why records can't be put into a batch; the texts are the client's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    OffsetsNotIncreasing { offset: i64, previous: i64 },
    OffsetDelta { base: i64, last: i64 },
    NegativeTimestamp(i64),
    NegativeProducerEpoch,
    NegativeSequence,
    TransactionalWithoutProducer,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OffsetsNotIncreasing { offset, previous } => write!(
                f,
                "Illegal offset {offset} following previous offset {previous} (Offsets must increase monotonically)."
            ),
            Self::OffsetDelta { base, last } => {
                write!(
                    f,
                    "Maximum offset delta exceeded, base offset: {base}, last offset: {last}"
                )
            }
            Self::NegativeTimestamp(t) => write!(f, "Invalid negative timestamp {t}"),
            Self::NegativeProducerEpoch => f.write_str("Invalid negative producer epoch"),
            Self::NegativeSequence => f.write_str("Invalid negative sequence number used"),
            Self::TransactionalWithoutProducer => {
                f.write_str("Cannot write transactional messages without a valid producer ID")
            }
        }
    }
}

impl std::error::Error for BatchError {}

/// Collects records into a batch. [MemoryRecordsBuilder]
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    /// The batch's header so far; everything but offsets, timestamps, records and size may be set directly.
    pub head: Batch,
    records: Vec<Record>,
    /// Bytes of the records without the header.
    written: u32,
}

impl BatchBuilder {
    /// An empty batch that will start at this offset.
    pub fn new(base_offset: i64) -> Self {
        let head = Batch {
            base_offset,
            last_offset: base_offset - 1,
            leader_epoch: -1,
            producer: None,
            transactional: false,
            control: None,
            codec: Codec::None,
            timestamp_type: TimestampType::CreateTime,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            delete_horizon: None,
            records: Rc::from([]),
            size: BATCH_OVERHEAD,
        };
        Self {
            head,
            records: Vec::new(),
            written: 0,
        }
    }

    /// Sets the delete horizon, which then is the base timestamp too.
    pub fn with_delete_horizon(mut self, horizon: i64) -> Self {
        self.head.delete_horizon = Some(horizon);
        self.head.base_timestamp = horizon;
        self
    }

    /// Number of records so far.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no record was appended yet.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of the batch so far, header included, without compression.
    pub fn size(&self) -> u32 {
        BATCH_OVERHEAD + self.written
    }

    /// The records so far.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Bytes that this record would add to the batch.
    pub fn size_of_next(&self, timestamp: i64, key: &Option<Bytes>, value: &Option<Bytes>, headers: &Headers) -> u32 {
        let delta = if self.is_open_ended() {
            0
        } else {
            timestamp.wrapping_sub(self.head.base_timestamp)
        };
        let offset_delta = (self.head.last_offset + 1 - self.head.base_offset) as i32;
        wire::record_size(delta, offset_delta, key, value, headers)
    }

    /// Appends a record at the next offset; returns its size in bytes.
    pub fn append_next(
        &mut self,
        timestamp: i64,
        key: Option<Bytes>,
        value: Option<Bytes>,
        headers: Headers,
        origin: u32,
    ) -> Result<u32, BatchError> {
        let record = Record {
            offset_delta: 0,
            timestamp,
            key,
            value,
            headers,
            origin,
        };
        self.append(self.head.last_offset + 1, record)
    }

    /// Appends a record at this offset (its `offset_delta` is set here); returns its size in bytes.
    pub fn append(&mut self, offset: i64, mut record: Record) -> Result<u32, BatchError> {
        let previous = self.head.last_offset;
        if !self.is_empty() && offset <= previous {
            return Err(BatchError::OffsetsNotIncreasing { offset, previous });
        }
        if record.timestamp < 0 && record.timestamp != NO_TIMESTAMP {
            return Err(BatchError::NegativeTimestamp(record.timestamp));
        }
        let base = self.head.base_offset;
        record.offset_delta =
            i32::try_from(offset - base).map_err(|_| BatchError::OffsetDelta { base, last: offset })?;
        if self.is_open_ended() {
            self.head.base_timestamp = record.timestamp;
        }
        let size = wire::record_size_at(self.head.base_timestamp, &record);
        self.written = self.written.saturating_add(size);
        self.head.last_offset = offset;
        self.head.max_timestamp = self.head.max_timestamp.max(record.timestamp);
        self.records.push(record);
        Ok(size)
    }

    /// No record and no delete horizon has fixed the base timestamp yet.
    fn is_open_ended(&self) -> bool {
        self.is_empty() && self.head.delete_horizon.is_none()
    }

    /// Closes the batch. `log_append_time` is the leader's time, if that is to stand for all records' timestamps.
    pub fn build(self, log_append_time: Option<i64>) -> Result<Batch, BatchError> {
        let Self {
            mut head,
            records,
            written,
        } = self;
        match head.producer {
            Some(p) if p.epoch < 0 => return Err(BatchError::NegativeProducerEpoch),
            Some(p) if p.sequence < 0 && head.control.is_none() => {
                return Err(BatchError::NegativeSequence);
            }
            None if head.transactional => return Err(BatchError::TransactionalWithoutProducer),
            _ => {}
        }
        head.size = BATCH_OVERHEAD + written;
        head.records = Rc::from(records);
        Ok(match log_append_time {
            Some(now) => head.with_log_append_time(now),
            None => head,
        })
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
