use super::*;
use proptest::prelude::*;

fn key() -> ShareKey {
    ("g".into(), TopicPartition::new(TopicId(7), 0))
}

fn batch(first: i64, last: i64, state: RecordState, deliveries: u16) -> StateBatch {
    StateBatch {
        first,
        last,
        state,
        deliveries,
    }
}

fn change(leader_epoch: i32, start: i64, batches: &[StateBatch]) -> ShareState {
    ShareState {
        state_epoch: 2,
        leader_epoch,
        start,
        completed: 0,
        batches: batches.into(),
    }
}

/// A shard in which the share partition was initialized at state epoch 2.
fn begun() -> StateShard {
    let mut shard = StateShard::default();
    let asked = ShareState {
        state_epoch: 2,
        ..ShareState::unknown()
    };
    let record = shard.initialize(&key(), &asked).expect("not fenced");
    shard.replay(&key(), &record);
    shard
}

#[test]
fn only_what_is_initialized_is_written_and_read() {
    let shard = StateShard::default();
    let written = shard.write(&key(), &change(0, 0, &[]), 500);
    assert_eq!(written.expect_err("unknown").0, ErrorCode::InvalidRequest);
    let read = shard.read(&key(), 0, 500);
    assert_eq!(read.expect_err("unknown").0, ErrorCode::InvalidRequest);
    assert_eq!(shard.summary(&key()).start, NO_START);
}

#[test]
fn an_older_leader_and_an_older_initialization_are_fenced() {
    let mut shard = begun();
    let (_, news) = shard.read(&key(), 3, 500).expect("not fenced");
    shard.replay(&key(), &news.expect("the new leader is written down"));
    let old = shard.write(&key(), &change(2, 0, &[]), 500);
    assert_eq!(old.expect_err("an older leader").0, ErrorCode::FencedLeaderEpoch);
    let older = ShareState {
        state_epoch: 1,
        ..change(3, 0, &[])
    };
    let old = shard.write(&key(), &older, 500);
    assert_eq!(old.expect_err("an older state").0, ErrorCode::FencedStateEpoch);
    assert!(shard.write(&key(), &change(3, 0, &[]), 500).is_ok());
    assert!(shard.read(&key(), 3, 500).expect("the same leader").1.is_none());
}

#[test]
fn a_snapshot_follows_so_many_updates() {
    let mut shard = begun();
    for offset in 0..3 {
        let done = [batch(offset, offset, RecordState::Acknowledged, 1)];
        let record = shard.write(&key(), &change(0, 0, &done), 2).expect("not fenced");
        assert_eq!(matches!(record, StateRecord::Snapshot(..)), offset == 2);
        shard.replay(&key(), &record);
    }
    let (state, _) = shard.read(&key(), -1, 2).expect("not fenced");
    assert_eq!(*state.batches, [batch(0, 2, RecordState::Acknowledged, 1)]);
}

#[test]
fn more_deliveries_hold_and_what_lies_below_the_start_goes() {
    let old = [batch(0, 9, RecordState::Available, 1)];
    let new = [
        batch(2, 3, RecordState::Acknowledged, 1),
        batch(5, 5, RecordState::Available, 2),
    ];
    let expected = [
        batch(1, 1, RecordState::Available, 1),
        batch(2, 3, RecordState::Acknowledged, 1),
        batch(4, 4, RecordState::Available, 1),
        batch(5, 5, RecordState::Available, 2),
        batch(6, 9, RecordState::Available, 1),
    ];
    assert_eq!(*combine(&old, &new, 1), expected);
}

fn any_batch() -> impl Strategy<Value = StateBatch> {
    let state = prop_oneof![
        Just(RecordState::Available),
        Just(RecordState::Acknowledged),
        Just(RecordState::Archived)
    ];
    (0i64..20, 0i64..6, state, 1u16..4)
        .prop_map(|(first, more, state, deliveries)| batch(first, first + more, state, deliveries))
}

proptest! {
    /// For every offset the best word holds, and neighbours that say the same are one batch.
    #[test]
    fn batches_are_combined_record_by_record(
        old in proptest::collection::vec(any_batch(), 0..5),
        new in proptest::collection::vec(any_batch(), 0..5),
        start in 0i64..10,
    ) {
        let combined = combine(&old, &new, start);
        for offset in 0..30 {
            let covers = |batch: &&StateBatch| (batch.first..=batch.last).contains(&offset);
            let best = old.iter().chain(&new).filter(covers).map(rank).max().filter(|_| offset >= start);
            prop_assert_eq!(combined.iter().find(covers).map(rank), best);
        }
        for pair in combined.windows(2) {
            prop_assert!(pair[0].last < pair[1].first);
            prop_assert!(pair[0].last + 1 < pair[1].first || rank(&pair[0]) != rank(&pair[1]));
        }
    }

    #[test]
    fn records_come_back_as_they_went(batches in proptest::collection::vec(any_batch(), 0..4), start: i64, epoch: i32) {
        let state = ShareState { state_epoch: 1, leader_epoch: epoch, start, completed: 3, batches: batches.into() };
        for record in [StateRecord::Snapshot(4, state.clone()), StateRecord::Update(0, state), StateRecord::Tombstone] {
            let (k, v) = encode(&key(), &record);
            prop_assert_eq!(decode(&k, v.as_deref()), Some((key(), record)));
        }
    }
}
