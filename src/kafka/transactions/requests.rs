//! What requests do to a transactional id, in Kafka's order of checks. [TransactionCoordinator]

use super::metadata::{NO_PRODUCER_ID, TxnMetadata, TxnState, TxnValue, is_exhausted};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedSet;
use std::rc::Rc;

/// Gives a new producer id, or the error of having none at hand.
pub type NewId<'a> = &'a mut dyn FnMut() -> Result<i64, ErrorCode>;

/// What InitProducerId leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    Write(TxnValue),
    /// A transaction is open: it is aborted with this id and epoch first, and the client asks again.
    Fence(i64, i16),
}

/// `expected`: the id and epoch that the producer has, if any. [TransactionCoordinator.prepareInitProducerIdTransit]
///
/// # Errors
/// As the client is told.
pub fn init(
    txn: &mut TxnMetadata,
    timeout_ms: i32,
    expected: Option<(i64, i16)>,
    now: i64,
    new_id: NewId,
) -> Result<Init, ErrorCode> {
    if txn.pending.is_some() {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    let value = &txn.value;
    let valid = |(id, epoch): (i64, i16)| {
        value.epoch == -1 || id == value.producer_id || (id == value.previous_id && is_exhausted(epoch))
    };
    if !expected.is_none_or(valid) {
        return Err(ErrorCode::ProducerFenced);
    }
    if value.state.is_prepared() {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    if value.state == TxnState::Ongoing {
        let (id, epoch) = txn.fence();
        return Ok(Init::Fence(id, epoch));
    }
    let (producer_id, epoch, last_epoch) = next_identity(value, expected, new_id)?;
    let next = TxnValue {
        producer_id,
        epoch,
        last_epoch,
        timeout_ms,
        state: TxnState::Empty,
        partitions: Rc::default(),
        start: -1,
        updated: now,
        ..value.clone()
    };
    Ok(Init::Write(txn.prepare(next)))
}

/// Id, epoch and last epoch for a producer that begins (anew).
/// [TransactionMetadata.prepareIncrementProducerEpoch, .prepareProducerIdRotation]
fn next_identity(value: &TxnValue, expected: Option<(i64, i16)>, new_id: NewId) -> Result<(i64, i16, i16), ErrorCode> {
    if value.is_exhausted() && expected.is_none_or(|(_, epoch)| epoch == value.epoch) {
        let last = if expected.is_some() { value.epoch } else { -1 };
        return Ok((new_id()?, 0, last));
    }
    let id = value.producer_id;
    match expected {
        _ if value.is_exhausted() => Err(ErrorCode::UnknownServerError),
        None => Ok((id, value.epoch + 1, -1)),
        Some((_, epoch)) if value.epoch == -1 || epoch == value.epoch => Ok((id, value.epoch + 1, value.epoch)),
        Some((_, epoch)) if epoch == value.last_epoch => Ok((id, value.epoch, value.last_epoch)),
        Some(_) => Err(ErrorCode::ProducerFenced),
    }
}

/// Partitions join the transaction; `None`: they are in it. [TransactionCoordinator.handleAddPartitionsToTransaction]
///
/// # Errors
/// As the client or the leader is told.
pub fn add(
    txn: &mut TxnMetadata,
    (producer_id, epoch): (i64, i16),
    partitions: &[NamedPartition],
    version: i16,
    now: i64,
) -> Result<Option<TxnValue>, ErrorCode> {
    if txn.pending.is_some() {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    let value = &txn.value;
    check_producer(value, producer_id, epoch)?;
    let ongoing = value.state == TxnState::Ongoing;
    if ongoing && partitions.iter().all(|partition| value.partitions.contains(partition)) {
        return Ok(None);
    }
    let mut all: OrderedSet<NamedPartition> = (*value.partitions).clone();
    all.extend(partitions.iter().cloned());
    let next = TxnValue {
        state: TxnState::Ongoing,
        partitions: Rc::new(all),
        start: if ongoing { value.start } else { now },
        updated: now,
        version,
        ..value.clone()
    };
    Ok(Some(txn.prepare(next)))
}

/// Id, epoch, and that the outcome is not decided.
fn check_producer(value: &TxnValue, producer_id: i64, epoch: i16) -> Result<(), ErrorCode> {
    if value.producer_id != producer_id {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    if value.epoch != epoch {
        return Err(ErrorCode::ProducerFenced);
    }
    match value.state.is_prepared() {
        true => Err(ErrorCode::ConcurrentTransactions),
        false => Ok(()),
    }
}

/// Is each partition in the transaction? [TransactionCoordinator.handleVerifyPartitionsInTransaction]
pub fn verify(txn: &TxnMetadata, (producer_id, epoch): (i64, i16), partition: &NamedPartition) -> ErrorCode {
    match check_producer(&txn.value, producer_id, epoch) {
        Err(error) => error,
        Ok(()) if txn.value.partitions.contains(partition) => ErrorCode::None,
        Ok(()) => ErrorCode::TransactionAbortable,
    }
}

/// How a transaction is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    pub producer_id: i64,
    pub epoch: i16,
    pub commit: bool,
    /// Not a time-out, nor a new producer that fences.
    pub from_client: bool,
    pub version: i16,
}

/// What EndTxn leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It has ended so already: a retry is told the id and epoch again.
    Repeated(i64, i16),
    /// `fence`: an epoch was raised to fence the producer.
    Write { value: TxnValue, fence: bool },
}

/// [TransactionCoordinator.endTransaction, .endTransactionWithTV1]
///
/// # Errors
/// As the client is told.
pub fn end(txn: &mut TxnMetadata, how: Ending, now: i64, new_id: NewId) -> Result<End, ErrorCode> {
    match how.version >= 2 {
        true => end_v2(txn, how, now, new_id),
        false => end_v1(txn, how, now),
    }
}

fn end_v1(txn: &mut TxnMetadata, how: Ending, now: i64) -> Result<End, ErrorCode> {
    let value = &txn.value;
    if value.producer_id != how.producer_id {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    if (how.from_client && how.epoch != value.epoch) || how.epoch < value.epoch {
        return Err(ErrorCode::ProducerFenced);
    }
    let fencing = txn.pending == Some(TxnState::PrepareEpochFence);
    if txn.pending.is_some() && !fencing {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    match value.state {
        TxnState::Ongoing => {
            let fence = fencing && !how.commit;
            if fence {
                txn.value.epoch = how.epoch;
                txn.value.last_epoch = -1;
            }
            let next = TxnValue {
                state: prepared(how.commit),
                next_id: NO_PRODUCER_ID,
                updated: now,
                version: 0,
                ..txn.value.clone()
            };
            let value = txn.prepare(next);
            Ok(End::Write { value, fence })
        }
        TxnState::CompleteCommit if how.commit => Ok(End::Repeated(NO_PRODUCER_ID, -1)),
        TxnState::CompleteAbort if !how.commit => Ok(End::Repeated(NO_PRODUCER_ID, -1)),
        state => Err(decided(state, how.commit)),
    }
}

fn end_v2(txn: &mut TxnMetadata, how: Ending, now: i64, new_id: NewId) -> Result<End, ErrorCode> {
    let value = &txn.value;
    let fence = txn.pending == Some(TxnState::PrepareEpochFence);
    if txn.pending.is_some() && !fence {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    let current = how.epoch == value.epoch;
    let bumped = !fence && i32::from(value.epoch) == i32::from(how.epoch) + 1;
    let overflowed = !fence && value.previous_id == how.producer_id && how.epoch == i16::MAX - 1 && value.epoch == 0;
    if value.producer_id != how.producer_id && !overflowed {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    let retry = bumped || overflowed;
    let valid = match value.state {
        _ if fence => (!how.from_client || current) && how.epoch >= value.epoch,
        TxnState::PrepareCommit | TxnState::PrepareAbort => bumped,
        TxnState::CompleteCommit | TxnState::CompleteAbort => retry || current,
        _ => current,
    };
    if !valid {
        return Err(ErrorCode::ProducerFenced);
    }
    match (value.state, how.commit) {
        (TxnState::Ongoing, commit) => prepare_v2(txn, prepared(commit), now, false, new_id),
        (TxnState::CompleteCommit, true) | (TxnState::CompleteAbort, false) if retry => {
            Ok(End::Repeated(value.producer_id, value.epoch))
        }
        (TxnState::CompleteCommit, false) if retry => Err(ErrorCode::InvalidTxnState),
        (TxnState::Empty | TxnState::CompleteCommit | TxnState::CompleteAbort, false) => {
            prepare_v2(txn, TxnState::PrepareAbort, now, true, new_id)
        }
        (state, commit) => Err(decided(state, commit)),
    }
}

/// The epoch is raised with the outcome. [TransactionMetadata.prepareAbortOrCommit]
fn prepare_v2(txn: &mut TxnMetadata, state: TxnState, now: i64, empty: bool, new_id: NewId) -> Result<End, ErrorCode> {
    let fence = txn.pending == Some(TxnState::PrepareEpochFence) && state == TxnState::PrepareAbort;
    let value = &txn.value;
    let next_id = if value.is_exhausted() {
        new_id()?
    } else {
        NO_PRODUCER_ID
    };
    let next = TxnValue {
        epoch: value.epoch.saturating_add(1),
        last_epoch: value.epoch,
        state,
        start: if empty { now } else { value.start },
        next_id,
        updated: now,
        version: 2,
        ..value.clone()
    };
    let value = txn.prepare(next);
    Ok(End::Write { value, fence })
}

fn prepared(commit: bool) -> TxnState {
    match commit {
        true => TxnState::PrepareCommit,
        false => TxnState::PrepareAbort,
    }
}

/// The outcome is decided otherwise, or markers are on their way, or there is nothing to end.
fn decided(state: TxnState, commit: bool) -> ErrorCode {
    match state == prepared(commit) {
        true => ErrorCode::ConcurrentTransactions,
        false => ErrorCode::InvalidTxnState,
    }
}

/// The outcome is in the log: may the markers go out? Begins the last transition.
///
/// # Errors
/// Something changed the id meanwhile.
pub fn markers_may_go(txn: &mut TxnMetadata, how: Ending, now: i64) -> Result<TxnValue, ErrorCode> {
    let value = &txn.value;
    let raised = how.version >= 2 && i32::from(value.epoch) == i32::from(how.epoch) + 1;
    if value.producer_id != how.producer_id {
        return Err(ErrorCode::InvalidProducerIdMapping);
    }
    if value.epoch != how.epoch && !raised {
        return Err(ErrorCode::ProducerFenced);
    }
    if txn.pending.is_some() {
        return Err(ErrorCode::ConcurrentTransactions);
    }
    match value.state == prepared(how.commit) {
        true => Ok(txn.prepare_complete(now)),
        false => Err(ErrorCode::InvalidTxnState),
    }
}
