//! Producer state of a log: duplicates, sequences, open transactions and the first unstable offset.
//! [ProducerStateManager]
//!
//! It is rebuilt from the log and from snapshots, so every replica has it.

use crate::ordered::OrderedMap;
use std::rc::Rc;

use crate::kafka::log::batch::Batch;
use crate::kafka::log::error::AppendError;
use crate::kafka::log::producer_entry::{
    BatchMeta, CompletedTxn, Guard, Origin, ProducerAppend, ProducerEntry, Verification,
};
use crate::kafka::protocol::errors::ErrorCode;

/// Producer snapshot files of a log, by the offset that they stand for.
pub type Snapshots = OrderedMap<i64, Rc<[ProducerEntry]>>;

/// The version of transactions is not known: followers and recovery.
pub const TRANSACTION_VERSION_UNKNOWN: i16 = -1;

/// What an append would change, once all its batches passed.
#[derive(Debug, Default)]
pub struct PreparedAppend {
    /// By producer; nearly always one.
    producers: Vec<(i64, ProducerAppend)>,
    /// Transactions that it ends, in order.
    pub completed: Vec<CompletedTxn>,
}

/// How an append is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct AppendRules<'a> {
    pub origin: Origin,
    /// The guard that came with the request.
    pub guard: Option<Guard>,
    /// `transaction.partition.verification.enable`
    pub verification_enabled: bool,
    /// Of a marker.
    pub transaction_version: i16,
    /// The partition's name, for the texts.
    pub partition: &'a str,
}

impl<'a> AppendRules<'a> {
    /// The rules for what came from a leader or was read back from disk.
    pub fn replication(partition: &'a str) -> Self {
        Self {
            origin: Origin::Replication,
            guard: None,
            verification_enabled: false,
            transaction_version: TRANSACTION_VERSION_UNKNOWN,
            partition,
        }
    }
}

/// The volatile state; all of it can be rebuilt but verifications, which only the running broker knows.
#[derive(Clone, Debug, Default)]
pub struct Producers {
    entries: OrderedMap<i64, ProducerEntry>,
    /// Open transactions: first offset to producer id.
    ongoing: OrderedMap<i64, i64>,
    /// Ended transactions whose marker is not below the high watermark yet: first offset to the marker's offset.
    unreplicated: OrderedMap<i64, i64>,
    verifications: OrderedMap<i64, Verification>,
    next_guard: u64,
    /// The state reflects the log below this offset.
    map_end: i64,
    /// Offset of the newest snapshot.
    snapshot_end: i64,
}

impl Producers {
    /// Nothing known, of a log that starts at `offset`.
    pub fn new(offset: i64) -> Self {
        Self {
            map_end: offset,
            snapshot_end: offset,
            ..Self::default()
        }
    }

    /// Known producers by id.
    pub fn entries(&self) -> &OrderedMap<i64, ProducerEntry> {
        &self.entries
    }

    /// The state reflects the log below this offset.
    pub fn map_end(&self) -> i64 {
        self.map_end
    }

    /// Moves the end on: batches without producer id change nothing else.
    pub fn set_map_end(&mut self, offset: i64) {
        self.map_end = offset;
    }

    /// No producer and no transaction that waits for the high watermark.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unreplicated.is_empty()
    }

    /// Smallest offset of an open transaction, or of an ended one whose marker is not committed yet.
    pub fn first_unstable_offset(&self) -> Option<i64> {
        let open = self.ongoing.keys().next();
        let ended = self.unreplicated.keys().next();
        open.into_iter().chain(ended).min().copied()
    }

    /// Whether this producer, in this epoch, has a transaction open here.
    pub fn has_ongoing_transaction(&self, id: i64, epoch: i16) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|e| e.txn_first_offset.is_some() && e.epoch == epoch)
    }

    /// The appended batch that this one repeats.
    pub fn find_duplicate(&self, batch: &Batch) -> Option<BatchMeta> {
        self.entries.get(&batch.producer_id()?)?.find_duplicate(batch)
    }

    /// Begins (or goes on with) verifying a transaction; `None` if it is open already and needs none.
    pub fn start_verification(
        &mut self,
        id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now: i64,
    ) -> Option<Guard> {
        if self.has_ongoing_transaction(id, epoch) {
            return None;
        }
        let next = &mut self.next_guard;
        let entry = self.verifications.entry(id).or_insert_with(|| {
            *next += 1;
            Verification {
                guard: Guard(*next),
                started: now,
                lowest_sequence: sequence,
                epoch,
                supports_epoch_bump,
            }
        });
        if epoch == entry.epoch {
            entry.lowest_sequence = entry.lowest_sequence.min(sequence);
        } else if epoch > entry.epoch {
            entry.epoch = epoch;
            entry.lowest_sequence = sequence;
        }
        Some(entry.guard)
    }

    /// Checks one batch of an append; `prepared` collects what it changes.
    pub fn prepare(
        &mut self,
        prepared: &mut PreparedAppend,
        batch: &Batch,
        rules: AppendRules<'_>,
    ) -> Result<(), AppendError> {
        let Some(tag) = batch.producer else {
            return Ok(());
        };
        if rules.origin != Origin::Replication {
            self.check_transaction_known(batch, tag.id, tag.epoch, rules)?;
        }
        let known = prepared.producers.iter().position(|(id, _)| *id == tag.id);
        let index = known.unwrap_or_else(|| {
            let current = self.entries.get(&tag.id).cloned();
            let verification = self.verifications.get(&tag.id).copied();
            let current = current.unwrap_or_else(|| ProducerEntry::unknown(tag.id));
            let append = ProducerAppend::new(current, rules.origin, verification);
            prepared.producers.reserve_exact(1);
            prepared.producers.push((tag.id, append));
            prepared.producers.len() - 1
        });
        let append = &mut prepared.producers[index].1;
        let completed = append.append(batch, rules.transaction_version, rules.partition)?;
        prepared.completed.extend(completed);
        if batch.transactional {
            self.end_verification(batch, tag.id, tag.epoch);
        }
        Ok(())
    }

    /// Transactional data needs an open transaction, or proof that the coordinator knows of one.
    fn check_transaction_known(
        &self,
        batch: &Batch,
        id: i64,
        epoch: i16,
        rules: AppendRules<'_>,
    ) -> Result<(), AppendError> {
        if !batch.transactional || self.has_ongoing_transaction(id, epoch) {
            return Ok(());
        }
        if let Some(entry) = self.entries.get(&id).filter(|e| epoch < e.epoch) {
            return Err(AppendError::new(
                ErrorCode::InvalidProducerEpoch,
                format!(
                    "Epoch of producer {id} is {epoch}, which is smaller than the last seen epoch {}",
                    entry.epoch
                ),
            ));
        }
        let expected = self.verifications.get(&id).map(|v| v.guard);
        let verified = expected.is_some() && expected == rules.guard;
        if rules.verification_enabled && batch.control.is_none() && !verified {
            return Err(AppendError::new(
                ErrorCode::InvalidTxnState,
                "Record was not part of an ongoing transaction".to_owned(),
            ));
        }
        Ok(())
    }

    /// The first transactional batch or the marker ends a verification. A marker of the same epoch leaves the one of
    /// a producer with transactions version 2 alone: it belongs to an earlier transaction.
    fn end_verification(&mut self, batch: &Batch, id: i64, epoch: i16) {
        let kept = batch.control.is_some()
            && self
                .verifications
                .get(&id)
                .is_some_and(|v| v.supports_epoch_bump && v.epoch == epoch);
        if !kept {
            self.verifications.remove(&id);
        }
    }

    /// Takes over what an append prepared; returns for each transaction that it ended the LSO without that one.
    pub fn commit(&mut self, prepared: PreparedAppend) -> Vec<(CompletedTxn, i64)> {
        for (id, append) in &prepared.producers {
            for first in &append.started {
                self.ongoing.insert(*first, *id);
            }
            self.entries
                .entry(*id)
                .or_insert_with(|| ProducerEntry::unknown(*id))
                .merge(append.entry());
        }
        let mut ended = Vec::new();
        for txn in prepared.completed {
            ended.push((txn, self.stable_offset_without(txn)));
            if self.ongoing.remove(&txn.first_offset).is_some() {
                self.unreplicated.insert(txn.first_offset, txn.last_offset);
            }
        }
        ended
    }

    /// [ProducerStateManager.lastStableOffset]
    fn stable_offset_without(&self, txn: CompletedTxn) -> i64 {
        let other = self.ongoing.iter().find(|(_, id)| **id != txn.producer_id);
        other.map_or(txn.last_offset + 1, |(first, _)| *first)
    }

    /// The high watermark moved: transactions whose marker is below it are stable.
    pub fn on_high_watermark(&mut self, high_watermark: i64) {
        self.unreplicated.retain(|_, last| *last >= high_watermark);
    }

    /// The log start moved.
    pub fn on_log_start(&mut self, log_start: i64, snapshots: &Snapshots) {
        self.on_high_watermark(log_start);
        self.map_end = self.map_end.max(log_start);
        self.snapshot_end = snapshots.keys().next_back().copied().unwrap_or(log_start);
    }

    /// Drops producers that wrote nothing for `expiration_ms` and have no transaction open; how many went.
    pub fn expire(&mut self, now: i64, expiration_ms: i64) -> usize {
        let before = self.entries.len();
        self.entries.retain(|_, e| !is_expired(e, now, expiration_ms));
        self.verifications
            .retain(|_, v| now.saturating_sub(v.started) < expiration_ms);
        before - self.entries.len()
    }

    /// Writes a snapshot of the state at its end, unless there is one of it already.
    pub fn take_snapshot(&mut self, snapshots: &mut Snapshots) {
        if self.map_end > self.snapshot_end {
            let entries = self.entries.values().map(ProducerEntry::for_snapshot);
            snapshots.insert(self.map_end, entries.collect());
            self.snapshot_end = self.map_end;
        }
    }

    /// Goes back to the newest snapshot in [log start, end]; snapshots outside are deleted. The log above it is to be
    /// replayed then.
    pub fn truncate_and_reload(
        &mut self,
        snapshots: &mut Snapshots,
        log_start: i64,
        end: i64,
        now: i64,
        expiration_ms: i64,
    ) {
        snapshots.retain(|offset, _| *offset <= end && *offset > log_start);
        if end == self.map_end {
            self.on_log_start(log_start, snapshots);
            return;
        }
        self.entries.clear();
        self.ongoing.clear();
        self.unreplicated.clear();
        let (offset, loaded) = match snapshots.last_key_value() {
            Some((offset, entries)) => (*offset, entries.to_vec()),
            None => (log_start, Vec::new()),
        };
        for entry in loaded {
            if is_expired(&entry, now, expiration_ms) {
                continue;
            }
            if let Some(first) = entry.txn_first_offset {
                self.ongoing.insert(first, entry.id);
            }
            self.entries.insert(entry.id, entry);
        }
        self.map_end = offset;
        self.snapshot_end = offset;
    }

    /// Forgets everything, snapshots too; the log starts anew at `offset`.
    pub fn truncate_fully(&mut self, snapshots: &mut Snapshots, offset: i64) {
        snapshots.clear();
        self.entries.clear();
        self.ongoing.clear();
        self.unreplicated.clear();
        self.snapshot_end = 0;
        self.map_end = offset;
    }

    /// Replays batches that are in the log, as recovery does.
    pub fn replay<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>, partition: &str) {
        let mut prepared = PreparedAppend::default();
        let rules = AppendRules::replication(partition);
        for batch in batches {
            // the log holds only what was accepted once; a batch that it would refuse now changes nothing
            let _ = self.prepare(&mut prepared, batch, rules);
        }
        self.commit(prepared);
    }
}

/// [ProducerStateManager.isProducerExpired]
fn is_expired(entry: &ProducerEntry, now: i64, expiration_ms: i64) -> bool {
    entry.txn_first_offset.is_none() && now.saturating_sub(entry.last_timestamp) >= expiration_ms
}
