//! The queues of batches that a producer fills and its sender empties. [RecordAccumulator]
//!
//! It knows no connection and no clock: the sender asks which nodes are ready, drains them (both in
//! [`super::drain`]), and puts back what failed.

use crate::ordered::{OrderedMap, OrderedSet};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::kafka::client::buffer_pool::{BufferPool, Ticket};
use crate::kafka::client::partitioner::{BuiltInPartitioner, TopicView};
use crate::kafka::client::producer_batch::{BatchId, BatchShape, PLAIN_RATIO, ProducerBatch, RecordToSend};
use crate::kafka::log::batch::{BatchError, Codec};
use crate::kafka::types::{NamedPartition, NodeId};

/// Settings of a producer that the accumulator obeys. Times in ms, sizes in bytes; defaults of Kafka 4.3.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccumulatorConfig {
    /// `batch.size`
    pub batch_size: u32,
    /// `linger.ms`
    pub linger_ms: i64,
    /// `buffer.memory`
    pub buffer_memory: u64,
    /// `compression.type`
    pub compression: Codec,
    /// `delivery.timeout.ms`
    pub delivery_timeout_ms: i64,
    /// `partitioner.adaptive.partitioning.enable`
    pub adaptive_partitioning: bool,
    /// Retried batches go back by sequence (idempotence), not to the front.
    pub idempotent: bool,
}

impl Default for AccumulatorConfig {
    fn default() -> Self {
        Self {
            batch_size: 16_384,
            linger_ms: 5,
            buffer_memory: 33_554_432,
            compression: Codec::None,
            delivery_timeout_ms: 120_000,
            adaptive_partitioning: true,
            idempotent: true,
        }
    }
}

/// Where a record is to go.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub topic: &'a Rc<str>,
    /// `None`: to the topic's sticky partition.
    pub partition: Option<i32>,
    pub view: &'a TopicView,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendResult {
    Appended {
        partition: i32,
        batch: BatchId,
        new_batch: bool,
        /// A batch is ready: the sender should wake up.
        full: bool,
        /// Bytes that the batch grew by.
        bytes: u32,
    },
    /// No memory for a new batch of this size: wait for it with [`BufferPool::wait`], then append again with it.
    NoMemory { size: u32 },
}

/// The queues of one topic's partitions.
#[derive(Clone, Debug)]
pub(super) struct TopicQueues {
    pub(super) queues: OrderedMap<i32, VecDeque<ProducerBatch>>,
    pub(super) partitioner: BuiltInPartitioner,
    /// Expected compression, in millionths.
    ratio: u64,
}

/// The accumulator of one producer.
#[derive(Clone, Debug)]
pub struct Accumulator {
    pub(super) config: AccumulatorConfig,
    pub(super) topics: OrderedMap<Rc<str>, TopicQueues>,
    pub memory: BufferPool,
    /// Partitions with a request in flight, if only one may be.
    pub(super) muted: OrderedSet<NamedPartition>,
    /// Per node: the place in its list of partitions that was looked at last.
    pub(super) drain_index: OrderedMap<NodeId, usize>,
    next_id: u64,
    /// `flush()` calls under way.
    pub flushes: u32,
    /// `close()` was called.
    pub closed: bool,
    /// A transaction is being committed or aborted.
    pub transaction_completing: bool,
}

impl Accumulator {
    /// An empty one.
    pub fn new(config: AccumulatorConfig) -> Self {
        let memory = BufferPool::new(config.buffer_memory, u64::from(config.batch_size));
        Self {
            config,
            topics: OrderedMap::new(),
            memory,
            muted: OrderedSet::new(),
            drain_index: OrderedMap::new(),
            next_id: 0,
            flushes: 0,
            closed: false,
            transaction_completing: false,
        }
    }

    /// Its settings.
    pub fn config(&self) -> &AccumulatorConfig {
        &self.config
    }

    fn topic(&mut self, name: &Rc<str>) -> &mut TopicQueues {
        let batch_size = self.config.batch_size;
        self.topics.entry(Rc::clone(name)).or_insert_with(|| TopicQueues {
            queues: OrderedMap::new(),
            partitioner: BuiltInPartitioner::new(batch_size),
            ratio: PLAIN_RATIO,
        })
    }

    /// Batches that wait in a partition's queue, first to be sent first.
    pub fn queue(&self, partition: &NamedPartition) -> impl Iterator<Item = &ProducerBatch> {
        let topic = self.topics.get(&partition.topic);
        topic
            .and_then(|t| t.queues.get(&partition.partition))
            .into_iter()
            .flatten()
    }

    /// One waiting batch of a partition.
    pub fn batch_mut(&mut self, partition: &NamedPartition, id: BatchId) -> Option<&mut ProducerBatch> {
        let topic = self.topics.get_mut(&partition.topic)?;
        topic
            .queues
            .get_mut(&partition.partition)?
            .iter_mut()
            .find(|batch| batch.id == id)
    }

    /// All batches that wait.
    pub fn waiting(&self) -> impl Iterator<Item = &ProducerBatch> {
        self.topics.values().flat_map(|t| t.queues.values().flatten())
    }

    /// Whether any batch waits.
    pub fn has_undrained(&self) -> bool {
        self.waiting().next().is_some()
    }

    /// Appends a record. `memory`: bytes that this record waited for and got; what it does not use is given back, and
    /// may serve others, who are returned. `draw` gives 31 random bits. [RecordAccumulator.append]
    ///
    /// # Errors
    /// A record that no batch can hold.
    pub fn append(
        &mut self,
        place: Place<'_>,
        record: &RecordToSend,
        memory: Option<u32>,
        now: i64,
        draw: &mut dyn FnMut() -> u32,
    ) -> Result<(AppendResult, Vec<Ticket>), BatchError> {
        let mut partition = self.choose(place, draw);
        let mut done = self.append_to_last(place.topic, partition, record)?;
        let mut unused = memory;
        if done.is_none() {
            let size = self.config.batch_size.max(record.upper_bound());
            if unused.is_none() && !self.memory.allocate(u64::from(size)) {
                return Ok((AppendResult::NoMemory { size }, Vec::new()));
            }
            unused.get_or_insert(size);
            // the last batch was closed for want of room, which may be the moment to switch
            let next = self.choose(place, draw);
            if next != partition {
                partition = next;
                done = self.append_to_last(place.topic, partition, record)?;
            }
        }
        let done = match (done, unused) {
            (None, size) => {
                unused = None;
                self.append_new(place.topic, partition, record, size.unwrap_or(0), now)?
            }
            (Some(done), _) => done,
        };
        self.note_appended(place, partition, done, draw);
        let served = unused.map_or(Vec::new(), |u| self.memory.free(u64::from(u)));
        Ok((done, served))
    }

    /// The partition asked for, or the sticky one; that is switched now if enough went to it and its queue has no
    /// incomplete batch any more. [RecordAccumulator.partitionChanged]
    fn choose(&mut self, place: Place<'_>, draw: &mut dyn FnMut() -> u32) -> i32 {
        if let Some(partition) = place.partition {
            return partition;
        }
        let topic = self.topic(place.topic);
        loop {
            let partition = topic.partitioner.current(place.view, draw);
            let complete = last_is_complete(topic.queues.get(&partition));
            // a fresh choice has no bytes yet, so this ends after one switch
            if !complete || !topic.partitioner.note_appended(0, true, place.view, draw) {
                return partition;
            }
        }
    }

    fn note_appended(&mut self, place: Place<'_>, partition: i32, done: AppendResult, draw: &mut dyn FnMut() -> u32) {
        if let (None, AppendResult::Appended { bytes, .. }) = (place.partition, done) {
            let topic = self.topic(place.topic);
            let complete = last_is_complete(topic.queues.get(&partition));
            topic.partitioner.note_appended(bytes, complete, place.view, draw);
        }
    }

    /// Appends to the last batch of a queue; a batch without room is closed.
    fn append_to_last(
        &mut self,
        topic: &Rc<str>,
        partition: i32,
        record: &RecordToSend,
    ) -> Result<Option<AppendResult>, BatchError> {
        let queue = self.topic(topic).queues.entry(partition).or_default();
        let several = queue.len() > 1;
        let Some(last) = queue.back_mut() else {
            return Ok(None);
        };
        let before = last.estimated_size();
        if !last.try_append(record)? {
            last.close();
            return Ok(None);
        }
        Ok(Some(AppendResult::Appended {
            partition,
            batch: last.id,
            new_batch: false,
            full: several || last.is_full(),
            bytes: last.estimated_size() - before,
        }))
    }

    fn append_new(
        &mut self,
        topic: &Rc<str>,
        partition: i32,
        record: &RecordToSend,
        allocated: u32,
        now: i64,
    ) -> Result<AppendResult, BatchError> {
        let shape = BatchShape {
            codec: self.config.compression,
            expected_ratio: self.topic(topic).ratio,
            limit: allocated,
            allocated,
        };
        let named = NamedPartition {
            topic: Rc::clone(topic),
            partition,
        };
        let mut batch = ProducerBatch::new(self.new_id(), named, shape, now);
        if let Err(e) = batch.try_append(record) {
            self.memory.free(u64::from(allocated));
            return Err(e);
        }
        let queue = self.topic(topic).queues.entry(partition).or_default();
        let result = AppendResult::Appended {
            partition,
            batch: batch.id,
            new_batch: true,
            full: !queue.is_empty() || batch.is_full(),
            bytes: batch.estimated_size(),
        };
        queue.push_back(batch);
        Ok(result)
    }

    fn new_id(&mut self) -> BatchId {
        self.next_id += 1;
        BatchId(self.next_id)
    }

    /// A batch is done for good: its memory is free. Returns who got enough of it.
    pub fn release(&mut self, batch: &ProducerBatch) -> Vec<Ticket> {
        self.memory.free(u64::from(batch.allocated))
    }

    /// Takes no more drains of this partition until unmuted: only one request may be in flight.
    pub fn mute(&mut self, partition: NamedPartition) {
        self.muted.insert(partition);
    }

    /// Allows drains of this partition again.
    pub fn unmute(&mut self, partition: &NamedPartition) {
        self.muted.remove(partition);
    }

    /// Puts a batch back after an attempt that failed: by sequence with idempotence, else to the front, where it may
    /// overtake a later one that failed too.
    pub fn reenqueue(&mut self, mut batch: ProducerBatch, now: i64) {
        batch.count_attempt(now);
        self.put_back(batch);
    }

    /// [RecordAccumulator.insertInSequenceOrder]
    fn put_back(&mut self, batch: ProducerBatch) {
        let by_sequence = self.config.idempotent;
        let partition = batch.partition.partition;
        let topic = Rc::clone(&batch.partition.topic);
        let queue = self.topic(&topic).queues.entry(partition).or_default();
        let ahead = |b: &ProducerBatch| b.has_sequence() && b.base_sequence() < batch.base_sequence();
        let at = if by_sequence {
            queue.iter().take_while(|b| ahead(b)).count()
        } else {
            0
        };
        queue.insert(at, batch);
    }

    /// A batch was too large for the broker: puts its parts into the queue instead. Their ids, in order; the caller
    /// releases the batch. [RecordAccumulator.splitAndReenqueue]
    pub fn split_and_reenqueue(&mut self, batch: &ProducerBatch) -> Vec<BatchId> {
        let ratio = batch.compression_ratio().max(PLAIN_RATIO);
        self.topic(&batch.partition.topic).ratio = ratio;
        let limit = if batch.is_split {
            batch.largest_record().max(batch.estimated_size() / 2)
        } else {
            self.config.batch_size
        };
        let parts = batch.split(limit, ratio, &mut || self.new_id());
        let ids = parts.iter().map(|p| p.id).collect();
        for part in parts.into_iter().rev() {
            self.put_back(part);
        }
        ids
    }

    /// Takes out the batches whose `delivery.timeout.ms` has passed, in the order of sending.
    pub fn take_expired(&mut self, now: i64) -> Vec<ProducerBatch> {
        let timeout = self.config.delivery_timeout_ms;
        let queues = self.topics.values_mut().flat_map(|t| t.queues.values_mut());
        let mut expired = Vec::new();
        for queue in queues {
            while queue.front().is_some_and(|b| b.is_expired(timeout, now)) {
                expired.extend(queue.pop_front());
            }
        }
        expired
    }

    /// When the next waiting batch expires, in ms of the clock.
    pub fn next_expiry(&self) -> Option<i64> {
        let fronts = self.topics.values().flat_map(|t| t.queues.values());
        fronts
            .filter_map(|q| q.front())
            .map(|b| b.created.saturating_add(self.config.delivery_timeout_ms))
            .min()
    }

    /// Takes out all batches that match (a forced close, an aborted transaction).
    pub fn take_all(&mut self, matches: impl Fn(&ProducerBatch) -> bool) -> Vec<ProducerBatch> {
        let mut taken = Vec::new();
        for queue in self.topics.values_mut().flat_map(|t| t.queues.values_mut()) {
            let (out, kept) = std::mem::take(queue).into_iter().partition(&matches);
            *queue = kept;
            let out: VecDeque<ProducerBatch> = out;
            taken.extend(out);
        }
        taken
    }

    /// Learns from a closed batch how well the topic's records compress. [CompressionRatioEstimator.updateEstimation]
    fn learn_ratio(&mut self, topic: &Rc<str>, observed: u64) {
        /// Steps of the estimate, in millionths: up it goes fast, down slowly.
        const UP: u64 = 50_000;
        const DOWN: u64 = 5_000;
        let topic = self.topic(topic);
        if observed > topic.ratio {
            topic.ratio = observed.max(topic.ratio + UP);
        } else {
            topic.ratio = observed.max(topic.ratio.saturating_sub(DOWN));
        }
    }

    /// Takes a batch from the front of its queue, closed.
    pub(super) fn take_front(&mut self, partition: &NamedPartition) -> Option<ProducerBatch> {
        let topic = self.topics.get_mut(&partition.topic)?;
        let mut batch = topic.queues.get_mut(&partition.partition)?.pop_front()?;
        batch.close();
        if self.config.compression != Codec::None {
            self.learn_ratio(&partition.topic, batch.compression_ratio());
        }
        Some(batch)
    }
}

/// Only the last batch of a queue may be incomplete. [RecordAccumulator.allBatchesFull]
fn last_is_complete(queue: Option<&VecDeque<ProducerBatch>>) -> bool {
    queue.and_then(VecDeque::back).is_none_or(ProducerBatch::is_full)
}

#[cfg(test)]
#[path = "accumulator_tests.rs"]
mod tests;
