//! The tables of the coordinator's answers, as Kafka's own comment and its tests have them.

use super::metadata::{NO_PRODUCER_ID, TxnMetadata, TxnState};
use super::records;
use super::requests::{End, Ending, Init, add, end, init, markers_may_go, verify};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::NamedPartition;

fn partition(number: i32) -> NamedPartition {
    NamedPartition {
        topic: "t".into(),
        partition: number,
    }
}

/// An id in this state, with producer 7 in epoch 3.
fn at(state: TxnState) -> TxnMetadata {
    let mut txn = TxnMetadata::new(7, 1000, 0);
    txn.value.epoch = 3;
    txn.value.last_epoch = 2;
    txn.value.state = state;
    txn
}

fn ending(epoch: i16, commit: bool, version: i16) -> Ending {
    Ending {
        producer_id: 7,
        epoch,
        commit,
        from_client: true,
        version,
    }
}

/// `Ok(epoch)`: it is written with that epoch. `Err(None)`: answered without an error, nothing is written.
fn ended(state: TxnState, epoch: i16, commit: bool, version: i16) -> Result<i16, ErrorCode> {
    let mut txn = at(state);
    match end(&mut txn, ending(epoch, commit, version), 5, &mut || Ok(99))? {
        End::Write { value, .. } => Ok(value.epoch),
        End::Repeated(..) => Err(ErrorCode::None),
    }
}

#[test]
fn end_txn_with_version_2() {
    use ErrorCode::{InvalidTxnState, None, ProducerFenced};
    use TxnState::{CompleteAbort, CompleteCommit, Empty, Ongoing};
    // state, abort as a retry, abort, commit as a retry, commit
    let table = [
        (
            Empty,
            Err(ProducerFenced),
            Ok(4),
            Err(ProducerFenced),
            Err(InvalidTxnState),
        ),
        (
            CompleteAbort,
            Err(None),
            Ok(4),
            Err(InvalidTxnState),
            Err(InvalidTxnState),
        ),
        (
            CompleteCommit,
            Err(InvalidTxnState),
            Ok(4),
            Err(None),
            Err(InvalidTxnState),
        ),
        (Ongoing, Err(ProducerFenced), Ok(4), Err(ProducerFenced), Ok(4)),
    ];
    for (state, abort_again, abort, commit_again, commit) in table {
        assert_eq!(ended(state, 2, false, 2), abort_again, "{state:?}");
        assert_eq!(ended(state, 3, false, 2), abort, "{state:?}");
        assert_eq!(ended(state, 2, true, 2), commit_again, "{state:?}");
        assert_eq!(ended(state, 3, true, 2), commit, "{state:?}");
        assert_eq!(ended(state, 1, true, 2), Err(ProducerFenced), "{state:?}");
    }
}

#[test]
fn end_txn_with_version_1() {
    use ErrorCode::{InvalidTxnState, None, ProducerFenced};
    use TxnState::{CompleteAbort, CompleteCommit, Empty, Ongoing};
    let table = [
        (Empty, Err(InvalidTxnState), Err(InvalidTxnState)),
        (CompleteAbort, Err(None), Err(InvalidTxnState)),
        (CompleteCommit, Err(InvalidTxnState), Err(None)),
        (Ongoing, Ok(3), Ok(3)),
    ];
    for (state, abort, commit) in table {
        assert_eq!(ended(state, 3, false, 0), abort, "{state:?}");
        assert_eq!(ended(state, 3, true, 0), commit, "{state:?}");
        assert_eq!(ended(state, 2, true, 0), Err(ProducerFenced), "{state:?}");
    }
}

#[test]
fn init_fences_counts_and_repeats() {
    let mut new = || Ok(99);
    let mut fresh = TxnMetadata::new(7, 1000, 0);
    let Ok(Init::Write(value)) = init(&mut fresh, 1000, None, 1, &mut new) else {
        panic!("the first epoch");
    };
    assert_eq!((value.producer_id, value.epoch), (7, 0));
    assert_eq!(
        init(&mut fresh, 1000, None, 1, &mut new),
        Err(ErrorCode::ConcurrentTransactions)
    );
    let mut open = at(TxnState::Ongoing);
    assert_eq!(init(&mut open, 1000, None, 1, &mut new), Ok(Init::Fence(7, 4)));
    let epoch = |expected| match init(&mut at(TxnState::CompleteCommit), 1000, expected, 1, &mut || Ok(99)) {
        Ok(Init::Write(value)) => Ok((value.producer_id, value.epoch)),
        Ok(Init::Fence(..)) => Err(ErrorCode::None),
        Err(error) => Err(error),
    };
    assert_eq!(epoch(None), Ok((7, 4)));
    assert_eq!(epoch(Some((7, 3))), Ok((7, 4)));
    assert_eq!(epoch(Some((7, 2))), Ok((7, 3)), "a retry");
    assert_eq!(epoch(Some((7, 1))), Err(ErrorCode::ProducerFenced));
    assert_eq!(epoch(Some((8, 3))), Err(ErrorCode::ProducerFenced));
    let mut used_up = at(TxnState::Empty);
    used_up.value.epoch = i16::MAX - 1;
    let Ok(Init::Write(value)) = init(&mut used_up, 1000, None, 1, &mut new) else {
        panic!("another id");
    };
    assert_eq!((value.producer_id, value.epoch), (99, 0));
}

#[test]
fn partitions_join_once() {
    let mut txn = at(TxnState::Empty);
    let value = add(&mut txn, (7, 3), &[partition(0)], 2, 50)
        .expect("allowed")
        .expect("written");
    assert_eq!((value.state, value.start), (TxnState::Ongoing, 50));
    txn.complete(value);
    assert_eq!(add(&mut txn, (7, 3), &[partition(0)], 2, 60), Ok(None));
    assert_eq!(verify(&txn, (7, 3), &partition(0)), ErrorCode::None);
    assert_eq!(verify(&txn, (7, 3), &partition(1)), ErrorCode::TransactionAbortable);
    assert_eq!(
        add(&mut txn, (7, 2), &[partition(1)], 2, 60),
        Err(ErrorCode::ProducerFenced)
    );
    assert_eq!(
        add(&mut txn, (8, 3), &[partition(1)], 2, 60),
        Err(ErrorCode::InvalidProducerIdMapping)
    );
    let mut decided = at(TxnState::PrepareCommit);
    assert_eq!(
        add(&mut decided, (7, 3), &[partition(1)], 2, 60),
        Err(ErrorCode::ConcurrentTransactions)
    );
}

#[test]
fn the_last_epoch_ends_with_another_id() {
    let mut txn = at(TxnState::Ongoing);
    txn.value.epoch = i16::MAX - 1;
    let how = Ending {
        epoch: i16::MAX - 1,
        ..ending(0, true, 2)
    };
    let Ok(End::Write { value, .. }) = end(&mut txn, how, 5, &mut || Ok(99)) else {
        panic!("it commits");
    };
    assert_eq!((value.epoch, value.next_id), (i16::MAX, 99));
    txn.complete(value);
    let next = markers_may_go(&mut txn, how, 6).expect("markers go out");
    assert_eq!((next.producer_id, next.epoch, next.next_id), (99, 0, NO_PRODUCER_ID));
    txn.complete(next);
    let again = end(&mut txn, how, 7, &mut || Ok(100));
    assert_eq!(again, Ok(End::Repeated(99, 0)), "a retry over the change of ids");
}

#[test]
fn records_come_back_as_they_went() {
    let mut txn = at(TxnState::Ongoing);
    let value = add(&mut txn, (7, 3), &[partition(0), partition(1)], 2, 50);
    let value = value.expect("allowed").expect("written");
    assert_eq!(records::decode(&records::encode(&value)), Some(value));
}
