//! The share coordinator's memory of one partition of `__share_group_state`: the state of share partitions, its records,
//! and who may read and write it. A pure state machine. [ShareCoordinatorShard, PersisterStateBatchCombiner]

use crate::kafka::groups::records::{Reader, Writer};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::{NO_START, RecordState, ShareState, StateBatch};
use crate::kafka::types::{Bytes, TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use std::rc::Rc;

/// Group and partition. [SharePartitionKey]
pub type ShareKey = (Rc<str>, TopicPartition);

/// By which a share partition's place in `__share_group_state` is found. [SharePartitionKey.asCoordinatorKey]
pub fn coordinator_key(group: &str, partition: TopicPartition) -> String {
    format!("{group}:{}:{}", partition.topic.0, partition.partition)
}

/// One share partition. [ShareGroupOffset]
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    state: ShareState,
    /// Highest leader epoch and state epoch seen: lower ones are fenced.
    leader_epoch: i32,
    state_epoch: i32,
    snapshot_epoch: i32,
    /// Updates since the last snapshot.
    updates: i32,
}

/// A record of `__share_group_state`. [ShareSnapshotValue, ShareUpdateValue]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateRecord {
    /// Everything; it takes the place of what was before.
    Snapshot(i32, ShareState),
    /// What changed; -1 leaves the start as it was.
    Update(i32, ShareState),
    /// The share partition is forgotten.
    Tombstone,
}

/// Why a request is refused.
pub type Refused = (ErrorCode, Rc<str>);

fn refuse(error: ErrorCode) -> Refused {
    (error, error.message().into())
}

/// The share partitions that live in one partition of `__share_group_state`.
#[derive(Clone, Debug, Default)]
pub struct StateShard {
    kept: OrderedMap<ShareKey, Kept>,
}

impl StateShard {
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Applies a record.
    pub fn replay(&mut self, key: &ShareKey, record: &StateRecord) {
        match record {
            StateRecord::Tombstone => drop(self.kept.remove(key)),
            StateRecord::Snapshot(epoch, state) => {
                let before = self.kept.get(key);
                let most = |seen: Option<i32>, new: i32| seen.map_or(new, |seen| seen.max(new));
                let kept = Kept {
                    leader_epoch: most(before.map(|kept| kept.leader_epoch), state.leader_epoch),
                    state_epoch: most(before.map(|kept| kept.state_epoch), state.state_epoch),
                    state: state.clone(),
                    snapshot_epoch: *epoch,
                    updates: 0,
                };
                self.kept.insert(key.clone(), kept);
            }
            StateRecord::Update(epoch, change) => {
                let kept = self.kept.entry(key.clone()).or_insert_with(|| Kept {
                    state: ShareState::unknown(),
                    leader_epoch: change.leader_epoch,
                    state_epoch: 0,
                    snapshot_epoch: *epoch,
                    updates: 0,
                });
                kept.updates += 1;
                kept.leader_epoch = kept.leader_epoch.max(change.leader_epoch);
                let state = &mut kept.state;
                if change.start != NO_START {
                    state.start = change.start;
                }
                if change.leader_epoch != -1 {
                    state.leader_epoch = change.leader_epoch;
                }
                state.completed = change.completed;
                state.batches = combine(&state.batches, &change.batches, state.start);
            }
        }
    }

    fn fenced(kept: &Kept, asked: &ShareState) -> Option<ErrorCode> {
        if asked.leader_epoch != -1 && kept.leader_epoch > asked.leader_epoch {
            return Some(ErrorCode::FencedLeaderEpoch);
        }
        (asked.state_epoch != -1 && kept.state_epoch > asked.state_epoch).then_some(ErrorCode::FencedStateEpoch)
    }

    /// What a leader's write becomes. `snapshot_after`: a snapshot follows so many updates. [writeState]
    ///
    /// # Errors
    /// The share partition is not initialized, or another leader or another initialization came later.
    pub fn write(&self, key: &ShareKey, change: &ShareState, snapshot_after: i32) -> Result<StateRecord, Refused> {
        let Some(kept) = self.kept.get(key) else {
            let text = "Write operation on uninitialized share partition not allowed.";
            return Err((ErrorCode::InvalidRequest, text.into()));
        };
        match StateShard::fenced(kept, change) {
            Some(error) => Err(refuse(error)),
            None => Ok(record_of(kept, change, kept.state.leader_epoch, snapshot_after)),
        }
    }

    /// What a new leader reads, and the record that keeps older ones out from then on.
    /// [readStateAndMaybeUpdateLeaderEpoch]
    ///
    /// # Errors
    /// The share partition is not initialized, or another leader came later.
    pub fn read(
        &self,
        key: &ShareKey,
        leader_epoch: i32,
        snapshot_after: i32,
    ) -> Result<(ShareState, Option<StateRecord>), Refused> {
        let Some(kept) = self.kept.get(key) else {
            let text = "Read operation on uninitialized share partition not allowed.";
            return Err((ErrorCode::InvalidRequest, text.into()));
        };
        let asked = ShareState {
            leader_epoch,
            state_epoch: -1,
            ..ShareState::unknown()
        };
        if let Some(error) = StateShard::fenced(kept, &asked) {
            return Err(refuse(error));
        }
        let news = (leader_epoch != -1 && kept.leader_epoch != leader_epoch).then(|| {
            let change = ShareState {
                start: kept.state.start,
                completed: kept.state.completed,
                ..asked
            };
            record_of(kept, &change, leader_epoch, snapshot_after)
        });
        Ok((kept.state.clone(), news))
    }

    /// Start, finished records and epochs; unknown ones if it is not there. [readStateSummary]
    pub fn summary(&self, key: &ShareKey) -> ShareState {
        self.kept.get(key).map_or_else(ShareState::unknown, |kept| ShareState {
            batches: Rc::from([]),
            ..kept.state.clone()
        })
    }

    /// A share partition begins, or begins anew. [initializeState]
    ///
    /// # Errors
    /// A later initialization came before.
    pub fn initialize(&self, key: &ShareKey, asked: &ShareState) -> Result<StateRecord, Refused> {
        let kept = self.kept.get(key);
        if asked.state_epoch != -1 && kept.is_some_and(|kept| kept.state_epoch > asked.state_epoch) {
            return Err(refuse(ErrorCode::FencedStateEpoch));
        }
        let epoch = kept.map_or(0, |kept| kept.snapshot_epoch + 1);
        let state = ShareState {
            state_epoch: asked.state_epoch,
            leader_epoch: 0,
            start: asked.start,
            completed: match asked.start {
                NO_START => -1,
                _ => 0,
            },
            batches: Rc::from([]),
        };
        Ok(StateRecord::Snapshot(epoch, state))
    }

    /// The record that forgets a share partition, if it is there. [deleteState]
    pub fn delete(&self, key: &ShareKey) -> Option<StateRecord> {
        self.kept.contains_key(key).then_some(StateRecord::Tombstone)
    }

    /// Share partitions of topics that are gone. [maybeCleanupShareState]
    pub fn of_topics(&self, gone: &OrderedSet<TopicId>) -> Vec<ShareKey> {
        let keys = self
            .kept
            .keys()
            .filter(|(_, partition)| gone.contains(&partition.topic));
        keys.cloned().collect()
    }
}

/// [generateShareStateRecord]
fn record_of(kept: &Kept, change: &ShareState, leader_epoch: i32, snapshot_after: i32) -> StateRecord {
    if kept.updates < snapshot_after {
        let update = ShareState {
            leader_epoch,
            batches: combine(&[], &change.batches, change.start),
            ..change.clone()
        };
        return StateRecord::Update(kept.snapshot_epoch, update);
    }
    let start = match change.start {
        NO_START => kept.state.start,
        start => start,
    };
    let state = ShareState {
        state_epoch: kept.state.state_epoch,
        leader_epoch,
        start,
        completed: change.completed,
        batches: combine(&kept.state.batches, &change.batches, start),
    };
    StateRecord::Snapshot(kept.snapshot_epoch + 1, state)
}

/// Puts new states over old ones: of two for the same record the one with more deliveries holds, then the one that is
/// further. What lies below the start goes. [PersisterStateBatchCombiner.combineStateBatches]
pub fn combine(old: &[StateBatch], new: &[StateBatch], start: i64) -> Rc<[StateBatch]> {
    let mut all: Vec<StateBatch> = Vec::new();
    for batch in old.iter().chain(new) {
        let first = batch.first.max(start);
        if first <= batch.last {
            overlay(&mut all, StateBatch { first, ..*batch });
        }
    }
    let mut merged: Vec<StateBatch> = Vec::with_capacity(all.len());
    for batch in all {
        match merged.last_mut() {
            Some(last) if last.last + 1 == batch.first && rank(last) == rank(&batch) => last.last = batch.last,
            _ => merged.push(batch),
        }
    }
    merged.into()
}

fn rank(batch: &StateBatch) -> (u16, u8) {
    (batch.deliveries, batch.state.id())
}

/// Lays one batch over others that do not overlap, in order.
fn overlay(all: &mut Vec<StateBatch>, new: StateBatch) {
    let mut open = new.first;
    let mut out = Vec::with_capacity(all.len() + 2);
    for old in all.drain(..) {
        if old.last < new.first || old.first > new.last {
            out.push(old);
            continue;
        }
        let (from, to) = (old.first.max(new.first), old.last.min(new.last));
        if old.first < from {
            let last = from - 1;
            out.push(StateBatch { last, ..old });
        }
        if open < from {
            let (first, last) = (open, from - 1);
            out.push(StateBatch { first, last, ..new });
        }
        let best = if rank(&new) < rank(&old) { old } else { new };
        out.push(StateBatch {
            first: from,
            last: to,
            ..best
        });
        open = to + 1;
        if old.last > to {
            out.push(StateBatch { first: open, ..old });
        }
    }
    if open <= new.last {
        out.push(StateBatch { first: open, ..new });
    }
    out.sort_small_by_key(|batch| batch.first);
    *all = out;
}

/// Key types. [CoordinatorRecordType]
const SNAPSHOT: i64 = 0;
const UPDATE: i64 = 1;

/// Key and value of a record.
pub fn encode(key: &ShareKey, record: &StateRecord) -> (Bytes, Option<Bytes>) {
    let mut k = Writer::default();
    k.number(match record {
        StateRecord::Update(..) => UPDATE,
        StateRecord::Snapshot(..) | StateRecord::Tombstone => SNAPSHOT,
    });
    k.text(&key.0);
    k.number(i64::from(key.1.topic.0));
    k.number(i64::from(key.1.partition));
    let value = match record {
        StateRecord::Tombstone => None,
        StateRecord::Snapshot(epoch, state) | StateRecord::Update(epoch, state) => {
            let mut w = Writer::default();
            w.number(i64::from(*epoch));
            w.number(i64::from(state.state_epoch));
            w.number(i64::from(state.leader_epoch));
            w.number(state.start);
            w.number(state.completed);
            w.number(state.batches.len() as i64);
            for batch in state.batches.iter() {
                w.number(batch.first);
                w.number(batch.last);
                w.number(i64::from(batch.state.id()));
                w.number(i64::from(batch.deliveries));
            }
            Some(w.done())
        }
    };
    (k.done(), value)
}

/// Reads a record back; `None`: it is none.
pub fn decode(key: &[u8], value: Option<&[u8]>) -> Option<(ShareKey, StateRecord)> {
    let mut k = Reader(key);
    let kind = k.number()?;
    let group = k.text()?;
    let topic = TopicId(u32::try_from(k.number()?).ok()?);
    let key = (group, TopicPartition::new(topic, k.int()?));
    let Some(value) = value else {
        return (kind == SNAPSHOT).then_some((key, StateRecord::Tombstone));
    };
    let mut r = Reader(value);
    let epoch = r.int()?;
    let batch = |r: &mut Reader| {
        Some(StateBatch {
            first: r.number()?,
            last: r.number()?,
            state: RecordState::of_id(r.number()?)?,
            deliveries: u16::try_from(r.number()?).ok()?,
        })
    };
    let state = ShareState {
        state_epoch: r.int()?,
        leader_epoch: r.int()?,
        start: r.number()?,
        completed: r.number()?,
        batches: (0..r.number()?).map(|_| batch(&mut r)).collect::<Option<_>>()?,
    };
    match kind {
        SNAPSHOT => Some((key, StateRecord::Snapshot(epoch, state))),
        UPDATE => Some((key, StateRecord::Update(epoch, state))),
        _ => None,
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
