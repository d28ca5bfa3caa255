//! Producer id, epoch and sequences: what makes a broker recognise a batch that comes twice.
//! [TransactionManager, TxnPartitionMap, without transactions]

use crate::kafka::client::call::ClientError;
use crate::kafka::client::drain::Gate;
use crate::kafka::client::producer_batch::{BatchId, ProducerBatch};
use crate::kafka::log::batch::{ProducerTag, add_sequence};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::ProducedPartition;
use crate::kafka::protocol::errors::ProducerFate;
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};

/// Producer id and epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    pub id: i64,
    pub epoch: i16,
}

/// A batch that got another first sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restamp {
    pub partition: NamedPartition,
    pub batch: BatchId,
    pub tag: ProducerTag,
}

/// The sequences of one partition.
#[derive(Clone, Debug)]
struct Sequences {
    identity: Option<Identity>,
    next: i32,
    last_acked: Option<i32>,
    last_acked_offset: i64,
    /// First sequence to batch and its number of records: sent or waiting to be sent again.
    in_flight: OrderedMap<i32, (BatchId, usize)>,
}

/// What an idempotent producer knows.
#[derive(Clone, Debug, Default)]
pub struct Idempotence {
    /// Part of a transactional producer: epochs come from the coordinator.
    transactional: bool,
    identity: Option<Identity>,
    partitions: OrderedMap<NamedPartition, Sequences>,
    /// A batch expired after a retry: the sequence that would come next, until nothing is in flight.
    unresolved: OrderedMap<NamedPartition, i32>,
    /// Partitions that begin anew with the next epoch.
    rewrite: OrderedSet<NamedPartition>,
    bump: bool,
    /// Batches that got another sequence since they were sent last.
    reset: OrderedSet<BatchId>,
    fatal: Option<ClientError>,
}

impl Idempotence {
    /// Nothing known yet.
    pub fn new(transactional: bool) -> Idempotence {
        Idempotence {
            transactional,
            ..Idempotence::default()
        }
    }

    /// The coordinator gave a new epoch: all sequences begin anew. [TransactionManager.resetSequenceNumbers]
    pub fn reset_sequences(&mut self) {
        self.partitions.clear();
        self.unresolved.clear();
    }

    /// Are records of a transaction missing that cannot be sent again?
    pub fn resolve_transactional(&mut self) -> bool {
        let mut missing = false;
        let open: Vec<NamedPartition> = self.unresolved.keys().cloned().collect();
        for partition in open {
            let sequences = self.of(&partition);
            if !sequences.in_flight.is_empty() {
                continue;
            }
            let next = sequences.next;
            missing |= !self.is_next(&partition, next);
            self.unresolved.remove(&partition);
        }
        missing
    }

    /// Producer id and epoch, once the cluster gave them.
    pub fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// The cluster gave an id.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// Why it can't go on, if so.
    pub fn fatal(&self) -> Option<&ClientError> {
        self.fatal.as_ref()
    }

    /// It can't go on.
    pub fn set_fatal(&mut self, error: ClientError) {
        self.fatal.get_or_insert(error);
    }

    fn of(&mut self, partition: &NamedPartition) -> &mut Sequences {
        let identity = self.identity;
        self.partitions.entry(partition.clone()).or_insert_with(|| Sequences {
            identity,
            next: 0,
            last_acked: None,
            last_acked_offset: -1,
            in_flight: OrderedMap::new(),
        })
    }

    /// May this batch, the first of its partition's queue, go now? If so it has its sequence after this.
    /// [RecordAccumulator.shouldStopDrainBatchesForPartition, .drainBatchesForOneNode]
    pub fn gate(&mut self, batch: &mut ProducerBatch) -> Gate {
        let Some(identity) = self.identity else {
            return Gate::Stop;
        };
        let stamped = batch.has_sequence();
        let unresolved = self.unresolved.contains_key(&batch.partition);
        let sequences = self.of(&batch.partition);
        let stale = sequences.identity != Some(identity);
        if !stamped && (unresolved || (stale && !sequences.in_flight.is_empty())) {
            return Gate::Stop;
        }
        let first = sequences.in_flight.keys().next();
        if stamped && first.is_some_and(|first| *first != batch.base_sequence()) {
            return Gate::Stop;
        }
        if !stamped {
            self.stamp(batch, identity);
        }
        self.reset.remove(&batch.id);
        Gate::Send
    }

    fn stamp(&mut self, batch: &mut ProducerBatch, identity: Identity) {
        let sequences = self.of(&batch.partition);
        if sequences.identity != Some(identity) && sequences.in_flight.is_empty() {
            sequences.identity = Some(identity);
            sequences.next = 0;
            sequences.last_acked = None;
        }
        let sequence = sequences.next;
        let count = batch.record_count();
        sequences.next = add_sequence(sequence, count as i64);
        sequences.in_flight.insert(sequence, (batch.id, count));
        let Identity { id, epoch } = identity;
        batch.set_producer(ProducerTag { id, epoch, sequence }, self.transactional);
    }

    /// A batch's parts take its place among those in flight.
    pub fn add_in_flight(&mut self, batch: &ProducerBatch) {
        let (sequence, entry) = (batch.base_sequence(), (batch.id, batch.record_count()));
        self.of(&batch.partition).in_flight.insert(sequence, entry);
    }

    /// A batch is not in flight any more.
    pub fn remove_in_flight(&mut self, batch: &ProducerBatch) {
        self.of(&batch.partition).in_flight.retain(|_, (id, _)| *id != batch.id);
    }

    /// A batch was written. [TransactionManager.handleCompletedBatch]
    pub fn completed(&mut self, batch: &ProducerBatch, base_offset: i64) {
        let last = batch.last_sequence();
        let count = batch.record_count() as i64;
        let sequences = self.of(&batch.partition);
        sequences.last_acked = sequences.last_acked.max(Some(last));
        if base_offset >= 0 {
            let end = base_offset + count - 1;
            sequences.last_acked_offset = sequences.last_acked_offset.max(end);
        }
        self.remove_in_flight(batch);
        self.reset.remove(&batch.id);
    }

    /// A batch failed for good; `adjust`: not because its attempts ran out. Returns what to log as an error.
    /// [TransactionManager.handleFailedBatch]
    pub fn failed(
        &mut self,
        batch: &ProducerBatch,
        code: ErrorCode,
        error: &ClientError,
        adjust: bool,
    ) -> Option<String> {
        if self.transactional {
            self.remove_in_flight(batch);
            self.reset.remove(&batch.id);
            return None;
        }
        if code.producer_fate(false) == ProducerFate::Fatal {
            self.set_fatal(error.clone());
        }
        self.remove_in_flight(batch);
        self.reset.remove(&batch.id);
        if self.fatal.is_some() {
            return None;
        }
        match code {
            ErrorCode::OutOfOrderSequenceNumber => {
                self.request_bump(&batch.partition);
                let tag = batch.producer();
                return Some(format!(
                    "The broker returned {} for topic-partition {} with producerId {}, epoch {}, and sequence number {}",
                    error.full_text(),
                    batch.partition,
                    tag.map_or(-1, |tag| tag.id),
                    tag.map_or(-1, |tag| tag.epoch),
                    batch.base_sequence()
                ));
            }
            ErrorCode::UnknownProducerId => {
                self.partitions.remove(&batch.partition);
                self.unresolved.remove(&batch.partition);
            }
            _ if adjust => self.request_bump(&batch.partition),
            _ => {}
        }
        None
    }

    fn request_bump(&mut self, partition: &NamedPartition) {
        self.bump = true;
        self.rewrite.insert(partition.clone());
    }

    fn is_next(&self, partition: &NamedPartition, sequence: i32) -> bool {
        let acked = self
            .partitions
            .get(partition)
            .and_then(|sequences| sequences.last_acked);
        i64::from(sequence) - i64::from(acked.unwrap_or(-1)) == 1
    }

    /// May a batch with this answer be sent again? [TransactionManager.canRetry]
    pub fn can_retry(&mut self, batch: &ProducerBatch, answer: &ProducedPartition) -> bool {
        let partition = &batch.partition;
        let was_reset = self.reset.contains(&batch.id);
        let transactional = self.transactional;
        match answer.error {
            ErrorCode::OutOfOrderSequenceNumber if transactional => {
                let known = self.unresolved.contains_key(partition);
                !known && (was_reset || !self.is_next(partition, batch.base_sequence()))
            }
            ErrorCode::UnknownProducerId if transactional => true,
            ErrorCode::UnknownProducerId => {
                if answer.log_start_offset != -1 && !was_reset {
                    self.request_bump(partition);
                }
                true
            }
            ErrorCode::OutOfOrderSequenceNumber => {
                let unresolved = self.unresolved.get(partition).copied();
                let sequence = batch.base_sequence();
                if unresolved.is_none() && (was_reset || !self.is_next(partition, sequence)) {
                    return true;
                }
                if unresolved.is_none_or(|next| next == sequence) {
                    self.request_bump(partition);
                }
                true
            }
            error => error.retriable(),
        }
    }

    /// A batch that was sent before expired: whether it was written is not known. [TransactionManager.markSequenceUnresolved]
    pub fn mark_unresolved(&mut self, batch: &ProducerBatch) {
        let next = batch.last_sequence().wrapping_add(1);
        let known = self.unresolved.entry(batch.partition.clone()).or_insert(next);
        *known = next.max(*known);
    }

    /// Partitions whose last batches are back: nothing is missing, or their sequences begin anew. Returns what to log.
    /// [TransactionManager.maybeResolveSequences]
    pub fn resolve(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        let open: Vec<NamedPartition> = self.unresolved.keys().cloned().collect();
        for partition in open {
            let sequences = self.of(&partition);
            if !sequences.in_flight.is_empty() {
                continue;
            }
            let (next, acked) = (sequences.next, sequences.last_acked.unwrap_or(-1));
            if !self.is_next(&partition, next) {
                lines.push(format!(
                    "No inflight batches remaining for {partition}, last ack'd sequence for partition is {acked}, next sequence is {next}. Going to bump epoch and reset sequence numbers."
                ));
                self.request_bump(&partition);
            }
            self.unresolved.remove(&partition);
        }
        lines
    }

    /// Raises the epoch if that was asked for, and renumbers what is in flight of the partitions concerned; at the
    /// largest epoch the id is given up. [TransactionManager.bumpIdempotentProducerEpoch]
    pub fn bump_if_asked(&mut self) -> Option<Vec<Restamp>> {
        let identity = self.identity?;
        if !std::mem::take(&mut self.bump) {
            return None;
        }
        self.identity = identity
            .epoch
            .checked_add(1)
            .map(|epoch| Identity { epoch, ..identity });
        let mut restamps = Vec::new();
        for partition in std::mem::take(&mut self.rewrite) {
            self.unresolved.remove(&partition);
            self.begin_anew(&partition, &mut restamps);
        }
        Some(restamps)
    }

    fn begin_anew(&mut self, partition: &NamedPartition, restamps: &mut Vec<Restamp>) {
        let identity = self.identity;
        let sequences = self.of(partition);
        sequences.identity = identity;
        sequences.last_acked = None;
        let mut next = 0;
        let mut in_flight = OrderedMap::new();
        for (batch, count) in std::mem::take(&mut sequences.in_flight).into_values() {
            // Without an id, what is in flight is numbered all the same, as the real one does with id -1.
            let Identity { id, epoch } = identity.unwrap_or(Identity { id: -1, epoch: -1 });
            restamps.push(Restamp {
                partition: partition.clone(),
                batch,
                tag: ProducerTag {
                    id,
                    epoch,
                    sequence: next,
                },
            });
            in_flight.insert(next, (batch, count));
            next = add_sequence(next, count as i64);
        }
        sequences.in_flight = in_flight;
        sequences.next = next;
        self.reset.extend(restamps.iter().map(|restamp| restamp.batch));
    }
}
