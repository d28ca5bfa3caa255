//! A batch that a producer fills, sends, and sends again. [ProducerBatch, MemoryRecordsBuilder]

use crate::kafka::log::batch::{
    BATCH_OVERHEAD, Batch, BatchBuilder, BatchError, Codec, Headers, NO_SEQUENCE, ProducerTag, Record, add_sequence,
};
use crate::kafka::log::wire;
use crate::kafka::types::{Bytes, NamedPartition};

/// A compression ratio of 1, in millionths.
pub const PLAIN_RATIO: u64 = 1_000_000;

/// A record on its way into a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordToSend {
    /// In ms.
    pub timestamp: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Headers,
    /// The ledger's number.
    pub origin: u32,
}

impl RecordToSend {
    /// What it takes at most as a batch of its own, in bytes: compared with `max.request.size`.
    pub fn upper_bound(&self) -> u32 {
        wire::upper_bound(&self.key, &self.value, &self.headers)
    }
}

/// Tells the batches of one producer apart, also those made by a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// A batch of one partition.
#[derive(Clone, Debug)]
pub struct ProducerBatch {
    pub id: BatchId,
    pub partition: NamedPartition,
    builder: BatchBuilder,
    codec: Codec,
    /// Expected compression, in millionths; only an estimate before the batch is closed.
    expected_ratio: u64,
    /// Bytes that the batch may grow to; its first record always fits.
    limit: u32,
    /// Bytes of `buffer.memory` that it holds; 0 for the parts of a split batch.
    pub allocated: u32,
    closed: bool,
    largest_record: u32,
    /// In ms.
    pub created: i64,
    /// In ms; the time of creation before the first attempt ended.
    last_attempt: i64,
    /// How often it was put back into the queue.
    pub attempts: u32,
    leader_epoch: Option<i32>,
    attempts_when_leader_changed: Option<u32>,
    /// It is a part of a batch that was too large.
    pub is_split: bool,
}

/// What a producer's batches have in common.
#[derive(Clone, Copy, Debug)]
pub struct BatchShape {
    pub codec: Codec,
    /// In millionths.
    pub expected_ratio: u64,
    /// In bytes.
    pub limit: u32,
    /// In bytes of `buffer.memory`.
    pub allocated: u32,
}

impl ProducerBatch {
    /// An empty batch; `now` in ms.
    pub fn new(id: BatchId, partition: NamedPartition, shape: BatchShape, now: i64) -> Self {
        Self {
            id,
            partition,
            builder: BatchBuilder::new(0),
            codec: shape.codec,
            expected_ratio: shape.expected_ratio,
            limit: shape.limit,
            allocated: shape.allocated,
            closed: false,
            largest_record: 0,
            created: now,
            last_attempt: now,
            attempts: 0,
            leader_epoch: None,
            attempts_when_leader_changed: None,
            is_split: false,
        }
    }

    /// Number of records.
    pub fn record_count(&self) -> usize {
        self.builder.len()
    }

    /// The records, with offsets relative to the batch.
    pub fn records(&self) -> &[Record] {
        self.builder.records()
    }

    /// Bytes of the batch, header included; with compression an estimate until it is closed.
    pub fn estimated_size(&self) -> u32 {
        let plain = self.builder.size() - BATCH_OVERHEAD;
        if self.codec == Codec::None {
            return BATCH_OVERHEAD + plain;
        }
        if self.closed {
            return self.compressed_size();
        }
        // Kafka takes 1.05 times the ratio, to be on the safe side
        let body = u64::from(plain) * self.expected_ratio * 105 / (PLAIN_RATIO * 100);
        BATCH_OVERHEAD + wire::clamp_size(body)
    }

    fn compressed_size(&self) -> u32 {
        let plain = u64::from(self.builder.size() - BATCH_OVERHEAD);
        let body = plain * u64::from(self.codec.modelled_permille()) / 1000;
        BATCH_OVERHEAD + wire::clamp_size(body.max(1))
    }

    /// Takes no more records.
    pub fn is_full(&self) -> bool {
        self.closed || (!self.builder.is_empty() && self.limit <= self.estimated_size())
    }

    /// Upper bound of its largest record, in bytes.
    pub fn largest_record(&self) -> u32 {
        self.largest_record
    }

    /// Appends a record if there is room; whether it did.
    ///
    /// # Errors
    /// A record that no batch can hold (a negative timestamp).
    pub fn try_append(&mut self, record: &RecordToSend) -> Result<bool, BatchError> {
        if !self.has_room_for(record) {
            return Ok(false);
        }
        let RecordToSend {
            timestamp,
            key,
            value,
            headers,
            origin,
        } = record.clone();
        self.builder.append_next(timestamp, key, value, headers, origin)?;
        self.largest_record = self.largest_record.max(record.upper_bound());
        Ok(true)
    }

    fn has_room_for(&self, record: &RecordToSend) -> bool {
        if self.is_full() {
            return false;
        }
        let next = self
            .builder
            .size_of_next(record.timestamp, &record.key, &record.value, &record.headers);
        self.builder.is_empty() || self.estimated_size().saturating_add(next) <= self.limit
    }

    /// Takes no more records from now on.
    pub fn close(&mut self) {
        self.closed = true;
    }

    /// Bytes after over bytes before compression, in millionths.
    pub fn compression_ratio(&self) -> u64 {
        let plain = u64::from(self.builder.size() - BATCH_OVERHEAD);
        match self.codec {
            Codec::None => PLAIN_RATIO,
            _ => u64::from(self.compressed_size() - BATCH_OVERHEAD) * PLAIN_RATIO / plain.max(1),
        }
    }

    /// Its producer id, epoch and first sequence, once it was stamped.
    pub fn producer(&self) -> Option<ProducerTag> {
        self.builder.head.producer
    }

    /// First sequence, or [`NO_SEQUENCE`].
    pub fn base_sequence(&self) -> i32 {
        self.producer().map_or(NO_SEQUENCE, |p| p.sequence)
    }

    /// Whether it has a sequence: then it must not get another one, or records could come twice.
    pub fn has_sequence(&self) -> bool {
        self.base_sequence() != NO_SEQUENCE
    }

    /// Last sequence, or [`NO_SEQUENCE`].
    pub fn last_sequence(&self) -> i32 {
        self.builder.head.last_sequence()
    }

    /// Stamps it with producer id, epoch and first sequence.
    pub fn set_producer(&mut self, tag: ProducerTag, transactional: bool) {
        self.builder.head.producer = Some(tag);
        self.builder.head.transactional = transactional;
    }

    /// Whether it belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.builder.head.transactional
    }

    /// The batch as it goes over the wire.
    ///
    /// # Errors
    /// What [`BatchBuilder::build`] refuses.
    pub fn to_batch(&self) -> Result<Batch, BatchError> {
        let batch = self.builder.clone().build(None)?;
        Ok(match self.codec {
            Codec::None => batch,
            codec => batch.compressed(codec, codec.modelled_permille()),
        })
    }

    /// How long since it was created or tried last, in ms.
    pub fn waited(&self, now: i64) -> i64 {
        (now - self.last_attempt).max(0)
    }

    /// It goes back into the queue after an attempt that failed.
    pub fn count_attempt(&mut self, now: i64) {
        self.attempts += 1;
        self.last_attempt = self.last_attempt.max(now);
    }

    /// `delivery.timeout.ms` has passed since its creation.
    pub fn is_expired(&self, delivery_timeout_ms: i64, now: i64) -> bool {
        now - self.created >= delivery_timeout_ms
    }

    /// Notes the leader epoch that the metadata shows now. [ProducerBatch.maybeUpdateLeaderEpoch]
    pub fn note_leader_epoch(&mut self, epoch: Option<i32>) {
        if epoch.is_some_and(|e| self.leader_epoch.is_none_or(|known| known < e)) {
            self.attempts_when_leader_changed = Some(self.attempts);
            self.leader_epoch = epoch;
        }
    }

    /// Another leader since the last attempt: then there is no back-off.
    pub fn has_new_leader(&self) -> bool {
        self.attempts >= 1 && self.attempts_when_leader_changed == Some(self.attempts)
    }

    /// Splits it into batches of at most `limit` bytes (each takes at least one record), in order; they keep its time
    /// of creation and go on from its sequence. [ProducerBatch.split]
    pub fn split(&self, limit: u32, expected_ratio: u64, next_id: &mut dyn FnMut() -> BatchId) -> Vec<ProducerBatch> {
        let mut parts: Vec<ProducerBatch> = Vec::new();
        for record in self.records() {
            let record = RecordToSend {
                timestamp: record.timestamp,
                key: record.key.clone(),
                value: record.value.clone(),
                headers: record.headers.clone(),
                origin: record.origin,
            };
            // the record was in a batch already, so no batch refuses it but for room
            let fits = parts.last_mut().is_some_and(|p| p.try_append(&record) == Ok(true));
            if !fits {
                let shape = BatchShape {
                    codec: self.codec,
                    expected_ratio,
                    limit: limit.max(record.upper_bound()),
                    allocated: 0,
                };
                let mut part = ProducerBatch::new(next_id(), self.partition.clone(), shape, self.created);
                part.is_split = true;
                let _ = part.try_append(&record);
                parts.push(part);
            }
        }
        let mut offset = 0;
        for part in &mut parts {
            part.close();
            if let Some(tag) = self.producer().filter(|_| self.has_sequence()) {
                let sequence = add_sequence(tag.sequence, offset);
                part.set_producer(ProducerTag { sequence, ..tag }, self.is_transactional());
            }
            offset += part.record_count() as i64;
        }
        parts
    }
}
