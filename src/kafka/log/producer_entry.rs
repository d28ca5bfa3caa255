//! What a log knows about one producer id, and the checks that a batch of it must pass.
//! [ProducerStateEntry, ProducerAppendInfo]

use crate::kafka::log::batch::{Batch, Control, NO_SEQUENCE, Outcome, sub_sequence};
use crate::kafka::log::error::AppendError;
use crate::kafka::protocol::errors::ErrorCode;

/// Batches per producer that can be recognised when they come again.
pub const BATCHES_KEPT: usize = 5;
/// The epoch of a producer that the log does not know.
pub const NO_PRODUCER_EPOCH: i16 = -1;

/// Who asks for the append.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A produce request: every check applies.
    Client,
    /// A coordinator on this broker: sequences are not checked.
    Coordinator,
    /// The leader's data on a follower, or recovery: nothing but a plain write into an open transaction is refused.
    Replication,
}

/// A batch that was appended, as far as duplicates need it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchMeta {
    pub last_sequence: i32,
    pub last_offset: i64,
    /// Last minus first offset.
    pub offset_delta: i32,
    /// Largest timestamp in it, in ms.
    pub timestamp: i64,
}

impl BatchMeta {
    /// Sequence of its first record.
    pub fn first_sequence(&self) -> i32 {
        sub_sequence(self.last_sequence, i64::from(self.offset_delta))
    }

    /// Offset of its first record.
    pub fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// Up to [`BATCHES_KEPT`] last batches of a producer, oldest first. In place: every append looks at them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastBatches {
    kept: [BatchMeta; BATCHES_KEPT],
    len: usize,
}

impl LastBatches {
    fn kept(&self) -> &[BatchMeta] {
        &self.kept[..self.len]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn push(&mut self, batch: BatchMeta) {
        if self.len == BATCHES_KEPT {
            self.kept.copy_within(1.., 0);
            self.len -= 1;
        }
        self.kept[self.len] = batch;
        self.len += 1;
    }
}

/// State of one producer id in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    pub id: i64,
    /// [`NO_PRODUCER_EPOCH`] if nothing is known.
    pub epoch: i16,
    /// The last batches of this epoch.
    pub batches: LastBatches,
    /// Of the coordinator that wrote the last marker; -1 before the first one.
    pub coordinator_epoch: i32,
    /// Where its open transaction begins.
    pub txn_first_offset: Option<i64>,
    /// Time of its last record, in ms; -1 for none.
    pub last_timestamp: i64,
}

impl ProducerEntry {
    /// A producer that nothing is known about.
    pub fn unknown(id: i64) -> Self {
        Self {
            id,
            epoch: NO_PRODUCER_EPOCH,
            batches: LastBatches::default(),
            coordinator_epoch: -1,
            txn_first_offset: None,
            last_timestamp: -1,
        }
    }

    /// First sequence that is kept, or [`NO_SEQUENCE`].
    pub fn first_sequence(&self) -> i32 {
        self.batches
            .kept()
            .first()
            .map_or(NO_SEQUENCE, BatchMeta::first_sequence)
    }

    /// Last sequence, or [`NO_SEQUENCE`].
    pub fn last_sequence(&self) -> i32 {
        self.batches.kept().last().map_or(NO_SEQUENCE, |b| b.last_sequence)
    }

    /// Offset of its last record, or -1.
    pub fn last_offset(&self) -> i64 {
        self.batches.kept().last().map_or(-1, |b| b.last_offset)
    }

    /// The kept batch with the same epoch and exactly the same sequences: then `batch` is a retry of it.
    pub fn find_duplicate(&self, batch: &Batch) -> Option<BatchMeta> {
        let tag = batch.producer.filter(|p| p.epoch == self.epoch)?;
        let last = batch.last_sequence();
        let mut kept = self.batches.kept().iter();
        kept.find(|b| b.first_sequence() == tag.sequence && b.last_sequence == last)
            .copied()
    }

    /// What a snapshot file keeps of it: only the last batch.
    pub fn for_snapshot(&self) -> Self {
        let mut batches = LastBatches::default();
        self.batches
            .kept()
            .last()
            .into_iter()
            .for_each(|last| batches.push(*last));
        Self {
            batches,
            ..self.clone()
        }
    }

    /// Takes over an epoch; another one than before forgets the batches.
    fn take_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.batches = LastBatches::default();
            self.epoch = epoch;
        }
    }

    fn add_batch(&mut self, batch: BatchMeta) {
        self.batches.push(batch);
    }

    /// Adds what an append prepared.
    pub fn merge(&mut self, next: &ProducerEntry) {
        self.take_epoch(next.epoch);
        for batch in next.batches.kept() {
            self.add_batch(*batch);
        }
        self.coordinator_epoch = next.coordinator_epoch;
        self.txn_first_offset = next.txn_first_offset;
        self.last_timestamp = next.last_timestamp;
    }
}

/// Proof that the transaction coordinator knows a transaction. [VerificationGuard]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard(pub u64);

/// A verification under way: from the question to the coordinator until the first transactional batch.
/// [VerificationStateEntry]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    pub guard: Guard,
    /// When it began, in ms.
    pub started: i64,
    pub lowest_sequence: i32,
    pub epoch: i16,
    /// The producer uses transactions version 2.
    pub supports_epoch_bump: bool,
}

/// A transaction that a marker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedTxn {
    pub producer_id: i64,
    pub first_offset: i64,
    /// Offset of the marker.
    pub last_offset: i64,
    pub aborted: bool,
}

/// Checks the batches of one producer in one append, and collects what they change.
#[derive(Clone, Debug)]
pub struct ProducerAppend {
    current: ProducerEntry,
    updated: ProducerEntry,
    origin: Origin,
    verification: Option<Verification>,
    /// First offsets of transactions that begin in this append.
    pub started: Vec<i64>,
}

impl ProducerAppend {
    /// Starts from what the log knows.
    pub fn new(current: ProducerEntry, origin: Origin, verification: Option<Verification>) -> Self {
        let updated = ProducerEntry {
            batches: LastBatches::default(),
            ..current.clone()
        };
        Self {
            current,
            updated,
            origin,
            verification,
            started: Vec::new(),
        }
    }

    /// What the append changes.
    pub fn entry(&self) -> &ProducerEntry {
        &self.updated
    }

    /// Checks and takes one batch; the transaction that it ends, if it had data here.
    ///
    /// `partition` is the partition's name for the texts; `transaction_version` counts for markers only.
    pub fn append(
        &mut self,
        batch: &Batch,
        transaction_version: i16,
        partition: &str,
    ) -> Result<Option<CompletedTxn>, AppendError> {
        let Some(tag) = batch.producer else {
            return Ok(None);
        };
        if let Some(control) = batch.control {
            // an empty control batch is what compaction left of a marker
            if batch.records.is_empty() {
                return Ok(None);
            }
            return self.append_marker(control, tag.epoch, batch, transaction_version, partition);
        }
        self.check_epoch(tag.epoch, batch.base_offset, partition)?;
        if self.origin == Origin::Client {
            self.check_sequence(tag.epoch, tag.sequence, batch.base_offset, partition)?;
        }
        self.updated.take_epoch(tag.epoch);
        self.updated.add_batch(BatchMeta {
            last_sequence: batch.last_sequence(),
            last_offset: batch.last_offset,
            offset_delta: (batch.last_offset - batch.base_offset) as i32,
            timestamp: batch.max_timestamp,
        });
        self.updated.last_timestamp = batch.max_timestamp;
        self.note_transaction(batch, partition)?;
        Ok(None)
    }

    /// Opens a transaction with its first batch; a plain batch must not come into an open one.
    fn note_transaction(&mut self, batch: &Batch, partition: &str) -> Result<(), AppendError> {
        match (self.updated.txn_first_offset, batch.transactional) {
            (Some(_), false) => Err(AppendError::new(
                ErrorCode::InvalidTxnState,
                format!(
                    "Expected transactional write from producer {} at offset (offset={}, segment=[-1:-1]) in partition {partition}",
                    self.current.id, batch.base_offset
                ),
            )),
            (None, true) => {
                self.updated.txn_first_offset = Some(batch.base_offset);
                self.started.push(batch.base_offset);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_epoch(&self, epoch: i16, offset: i64, partition: &str) -> Result<(), AppendError> {
        let last = self.updated.epoch;
        if epoch >= last || self.origin == Origin::Replication {
            return Ok(());
        }
        Err(AppendError::new(
            ErrorCode::InvalidProducerEpoch,
            format!(
                "Epoch of producer {} at offset {offset} in {partition} is {epoch}, which is < the last seen epoch {last} (TV-1)",
                self.current.id
            ),
        ))
    }

    /// Transactions version 2 raises the epoch with each transaction, so a marker must bring a new one; the same one
    /// again is a retry if no transaction is open.
    fn check_marker_epoch(&self, epoch: i16, version: i16, offset: i64, partition: &str) -> Result<(), AppendError> {
        let last = self.updated.epoch;
        let (invalid, sign) = if version >= 2 {
            let replayed = epoch == last && self.updated.txn_first_offset.is_some();
            (epoch < last || replayed, "<=")
        } else {
            (epoch < last, "<")
        };
        if !invalid || self.origin == Origin::Replication {
            return Ok(());
        }
        Err(AppendError::new(
            ErrorCode::InvalidProducerEpoch,
            format!(
                "Epoch of producer {} at offset {offset} in {partition} is {epoch}, which is {sign} the last seen epoch {last} (TV{version})",
                self.current.id
            ),
        ))
    }

    fn check_sequence(&self, epoch: i16, first: i32, offset: i64, partition: &str) -> Result<(), AppendError> {
        let id = self.current.id;
        let unknown = self.current.epoch == NO_PRODUCER_EPOCH;
        let refuse = |text: String| Err(AppendError::new(ErrorCode::OutOfOrderSequenceNumber, text));
        if let Some(v) = self.verification {
            if self.current.batches.is_empty() && v.supports_epoch_bump && first != 0 {
                return refuse(format!(
                    "Invalid sequence number for producer {id} at offset {offset} in partition {partition}: {first} (incoming seq. number). Expected sequence 0 for transactions v2 idempotent producer with no existing state."
                ));
            }
            if first > v.lowest_sequence {
                return refuse(format!(
                    "Out of order sequence number for producer {id} at offset {offset} in partition {partition}: {first} (incoming seq. number), {} (earliest seen sequence)",
                    v.lowest_sequence
                ));
            }
        }
        if epoch != self.updated.epoch {
            if first != 0 && self.updated.epoch != NO_PRODUCER_EPOCH {
                return refuse(format!(
                    "Invalid sequence number for new epoch of producer {id}at offset {offset} in partition {partition}: {epoch} (request epoch), {first} (seq. number), {} (current producer epoch)",
                    self.updated.epoch
                ));
            }
            return Ok(());
        }
        let last = self.last_sequence_in(epoch);
        let in_sequence = i64::from(first) == i64::from(last) + 1 || (first == 0 && last == i32::MAX);
        if unknown || in_sequence {
            return Ok(());
        }
        refuse(format!(
            "Out of order sequence number for producer {id} at offset {offset} in partition {partition}: {first} (incoming seq. number), {last} (current end sequence number)"
        ))
    }

    fn last_sequence_in(&self, epoch: i16) -> i32 {
        if !self.updated.batches.is_empty() {
            self.updated.last_sequence()
        } else if epoch == self.current.epoch {
            self.current.last_sequence()
        } else {
            NO_SEQUENCE
        }
    }

    fn append_marker(
        &mut self,
        control: Control,
        epoch: i16,
        batch: &Batch,
        version: i16,
        partition: &str,
    ) -> Result<Option<CompletedTxn>, AppendError> {
        let offset = batch.base_offset;
        self.check_marker_epoch(epoch, version, offset, partition)?;
        let known = self.updated.coordinator_epoch;
        if known > control.coordinator_epoch && self.origin != Origin::Replication {
            return Err(AppendError::new(
                ErrorCode::TransactionCoordinatorFenced,
                format!(
                    "Invalid coordinator epoch for producerId {} at offset {offset} in partition {partition}: {} (zombie), {known} (current)",
                    self.current.id, control.coordinator_epoch
                ),
            ));
        }
        let completed = self.updated.txn_first_offset.map(|first_offset| CompletedTxn {
            producer_id: self.current.id,
            first_offset,
            last_offset: offset,
            aborted: control.outcome == Outcome::Abort,
        });
        self.updated.take_epoch(epoch);
        self.updated.txn_first_offset = None;
        self.updated.coordinator_epoch = control.coordinator_epoch;
        self.updated.last_timestamp = batch.max_timestamp;
        Ok(completed)
    }
}
