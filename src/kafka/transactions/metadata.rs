//! What the coordinator keeps of one transactional id. [TransactionMetadata, TransactionState]

use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedSet;
use std::rc::Rc;

/// No producer id.
pub const NO_PRODUCER_ID: i64 = -1;

/// Where an id stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TxnState {
    Empty,
    Ongoing,
    PrepareCommit,
    PrepareAbort,
    CompleteCommit,
    CompleteAbort,
    /// Only pending: it expires.
    Dead,
    /// Only pending: its epoch is raised to fence the producer.
    PrepareEpochFence,
}

/// States with their names and their numbers in the log. [TransactionState]
const NAMES: [(TxnState, &str); 8] = [
    (TxnState::Empty, "Empty"),
    (TxnState::Ongoing, "Ongoing"),
    (TxnState::PrepareCommit, "PrepareCommit"),
    (TxnState::PrepareAbort, "PrepareAbort"),
    (TxnState::CompleteCommit, "CompleteCommit"),
    (TxnState::CompleteAbort, "CompleteAbort"),
    (TxnState::Dead, "Dead"),
    (TxnState::PrepareEpochFence, "PrepareEpochFence"),
];

impl TxnState {
    /// `PrepareCommit`, as tools print it.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The state with this number in the log.
    pub fn of_number(number: i64) -> Option<TxnState> {
        let index = usize::try_from(number).ok()?;
        NAMES.get(index).map(|(state, _)| *state)
    }

    /// The outcome is decided, the markers are on their way.
    pub fn is_prepared(self) -> bool {
        matches!(self, TxnState::PrepareCommit | TxnState::PrepareAbort)
    }

    /// No transaction is open: a producer may begin one.
    pub fn is_idle(self) -> bool {
        matches!(
            self,
            TxnState::Empty | TxnState::CompleteCommit | TxnState::CompleteAbort
        )
    }
}

/// What stands in the log of an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnValue {
    pub producer_id: i64,
    pub previous_id: i64,
    /// Drawn when the epochs are used up: the id from the end of this transaction on.
    pub next_id: i64,
    /// -1 before the first InitProducerId is written.
    pub epoch: i16,
    pub last_epoch: i16,
    pub timeout_ms: i32,
    pub state: TxnState,
    pub partitions: Rc<OrderedSet<NamedPartition>>,
    /// When the first partition was added, ms since 1970; -1: no transaction.
    pub start: i64,
    /// ms since 1970.
    pub updated: i64,
    /// Transactions version of the client that wrote it last: 0, 1 or 2.
    pub version: i16,
}

impl TxnValue {
    /// Ids and epoch for the next use: after the last epoch comes the next id.
    pub fn is_exhausted(&self) -> bool {
        is_exhausted(self.epoch)
    }
}

/// May this epoch not be raised by one more transaction? [TransactionMetadata.isEpochExhausted]
pub fn is_exhausted(epoch: i16) -> bool {
    epoch >= i16::MAX - 1
}

/// One transactional id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnMetadata {
    pub value: TxnValue,
    /// What it will be when the log has it: until then nobody else may change it.
    pub pending: Option<TxnState>,
    /// An epoch was raised to fence, but not written: it must not be raised again.
    pub failed_fence: bool,
}

impl TxnMetadata {
    /// An id as the log has it, without a pending change.
    pub fn of(value: TxnValue) -> TxnMetadata {
        TxnMetadata {
            value,
            pending: None,
            failed_fence: false,
        }
    }

    /// A new id.
    pub fn new(producer_id: i64, timeout_ms: i32, now: i64) -> TxnMetadata {
        TxnMetadata::of(TxnValue {
            producer_id,
            previous_id: NO_PRODUCER_ID,
            next_id: NO_PRODUCER_ID,
            epoch: -1,
            last_epoch: -1,
            timeout_ms,
            state: TxnState::Empty,
            partitions: Rc::default(),
            start: -1,
            updated: now,
            version: 0,
        })
    }

    /// Begins to become `next`. [TransactionMetadata.prepareTransitionTo]
    pub fn prepare(&mut self, mut next: TxnValue) -> TxnValue {
        next.previous_id = self.value.producer_id;
        self.pending = Some(next.state);
        next
    }

    /// The log has it.
    pub fn complete(&mut self, next: TxnValue) {
        self.value = next;
        self.pending = None;
    }

    /// Raises the epoch, so that the producer's own requests are too old. Not written as such: the abort that follows is.
    /// [TransactionMetadata.prepareFenceProducerEpoch]
    pub fn fence(&mut self) -> (i64, i16) {
        self.pending = Some(TxnState::PrepareEpochFence);
        let epoch = match self.failed_fence {
            true => self.value.epoch,
            false => self.value.epoch.saturating_add(1),
        };
        (self.value.producer_id, epoch)
    }

    /// What it becomes when all markers are written. [TransactionMetadata.prepareComplete]
    pub fn prepare_complete(&mut self, now: i64) -> TxnValue {
        self.failed_fence = false;
        let value = &self.value;
        let state = match value.state {
            TxnState::PrepareCommit => TxnState::CompleteCommit,
            _ => TxnState::CompleteAbort,
        };
        let rotates = value.version >= 2 && value.next_id != NO_PRODUCER_ID;
        let next = TxnValue {
            producer_id: if rotates { value.next_id } else { value.producer_id },
            epoch: if rotates { 0 } else { value.epoch },
            next_id: NO_PRODUCER_ID,
            state,
            partitions: Rc::default(),
            updated: now,
            ..value.clone()
        };
        self.prepare(next)
    }

    /// The marker of a partition is written, or the partition is gone.
    pub fn remove_partition(&mut self, partition: &NamedPartition) {
        Rc::make_mut(&mut self.value.partitions).remove(partition);
    }
}
