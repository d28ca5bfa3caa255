//! `send()`: what the application's thread does with a record until it is in a batch. [KafkaProducer.doSend]

use super::calls::{Block, Refused};
use super::client::Producer;
use super::order::NewRecord;
use crate::kafka::client::accumulator::{AppendResult, Place};
use crate::kafka::client::buffer_pool::Ticket;
use crate::kafka::client::call::{CallId, ClientError, Sent};
use crate::kafka::client::partitioner::TopicView;
use crate::kafka::client::producer_batch::RecordToSend;
use crate::kafka::hash::partition_for_key;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// What came of one look at a record.
enum Step {
    Appended,
    Blocked(Block),
    Refused(Refused),
}

fn threw(class: &str, text: &str) -> Step {
    Step::Refused(Refused::Threw(ClientError::new(class, text)))
}

fn failed(error: ClientError) -> Step {
    Step::Refused(Refused::Failed(error))
}

impl Producer {
    /// Hands records over until each call is through or blocked.
    pub(super) fn hand_over(&mut self, ctx: &mut Ctx) {
        for call in self.calls.ids() {
            while let Some((place, record)) = self.next_record(call) {
                match self.send_one(call, place, &record, ctx) {
                    Step::Appended => {}
                    Step::Refused(refused) => self.refuse(call, place, &record, refused, ctx),
                    Step::Blocked(block) => {
                        if let Some(send) = self.calls.get_mut(call) {
                            send.block = Some(block);
                            send.left.push_front((place, record));
                        }
                        break;
                    }
                }
            }
            if self.calls.begin_flush(call, &self.incomplete) {
                self.accumulator.flushes += 1;
            }
        }
    }

    fn next_record(&mut self, call: CallId) -> Option<(usize, NewRecord)> {
        self.calls.get_mut(call)?.left.pop_front()
    }

    fn refuse(&mut self, call: CallId, place: usize, record: &NewRecord, refused: Refused, ctx: &mut Ctx) {
        let refused = self.note_send_failure(refused);
        let (Refused::Threw(error) | Refused::Failed(error)) = &refused;
        let fact = Fact::Failed {
            origin: record.origin,
            error: error.class.clone(),
        };
        ctx.note(Note::from(fact));
        self.metrics.failed(&record.topic, 1, ctx.now());
        let sent = match refused {
            Refused::Threw(error) => Sent::Threw(error),
            Refused::Failed(error) => Sent::Failed(error),
        };
        self.calls.settle(call, place, sent);
    }

    /// A record of a transaction that could not be sent spoils it. [KafkaProducer.doSend]
    fn note_send_failure(&mut self, refused: Refused) -> Refused {
        let (Some(txn), Refused::Failed(error)) = (&mut self.txn, &refused) else {
            return refused;
        };
        let retriable = matches!(&*error.class, "TimeoutException" | "BufferExhaustedException");
        match txn.note_failure(error, retriable, true) {
            Ok(()) => refused,
            Err(error) => Refused::Threw(error),
        }
    }

    fn send_one(&mut self, call: CallId, place: usize, record: &NewRecord, ctx: &mut Ctx) -> Step {
        let block = self.calls.get_mut(call).and_then(|send| send.block.take());
        if let Some(Block::Memory {
            ticket,
            size,
            since,
            until,
        }) = block
        {
            return self.await_memory(call, place, record, (ticket, size), (since, until), ctx);
        }
        if let Some(refused) = self.check_arguments(record, block.is_some()) {
            return refused;
        }
        let since = match block {
            Some(Block::Metadata { since, .. }) => since,
            _ => ctx.now(),
        };
        if let Some(step) = self.await_metadata(record, since, block, ctx.now()) {
            return step;
        }
        let until = since + Span::from_ms(self.config.max_block_ms);
        self.append(call, place, record, None, until, ctx)
    }

    /// [ProducerRecord, KafkaProducer.throwIfProducerClosed]
    fn check_arguments(&self, record: &NewRecord, waiting: bool) -> Option<Step> {
        if let Some(timestamp) = record.timestamp.filter(|timestamp| *timestamp < 0) {
            let text = format!("Invalid timestamp: {timestamp}. Timestamp should always be non-negative or null.");
            return Some(threw("IllegalArgumentException", &text));
        }
        if let Some(partition) = record.partition.filter(|partition| *partition < 0) {
            let text =
                format!("Invalid partition: {partition}. Partition number should always be non-negative or null.");
            return Some(threw("IllegalArgumentException", &text));
        }
        if self.is_closed() && !waiting {
            return Some(threw(
                "IllegalStateException",
                "Cannot perform operation after producer has been closed",
            ));
        }
        if self.is_closed() {
            let cause = ClientError::new("KafkaException", "Requested metadata update after close");
            let error = ClientError::new("KafkaException", "Producer closed while send in progress").caused_by(cause);
            return Some(Step::Refused(Refused::Threw(error)));
        }
        None
    }

    /// Waits until the partition is known; `None` when it is. [KafkaProducer.waitOnMetadata]
    fn await_metadata(&mut self, record: &NewRecord, since: Time, block: Option<Block>, now: Time) -> Option<Step> {
        let metadata = &mut self.net.metadata;
        let topic = &record.topic;
        if block.is_none() && metadata.error_of(topic) == Some(ErrorCode::InvalidTopicException) {
            return Some(failed(ClientError::new("InvalidTopicException", topic)));
        }
        metadata.used(topic, now);
        let known = metadata.partition_count(topic).filter(|count| *count > 0);
        if known.is_some_and(|count| record.partition.is_none_or(|partition| partition < count)) {
            return None;
        }
        let version = metadata.update_version();
        let news = match block {
            Some(Block::Metadata { version: seen, .. }) => version > seen,
            _ => true,
        };
        if now >= since + Span::from_ms(self.config.max_block_ms) {
            return Some(failed(self.metadata_timeout(record, known, block.is_some() && news)));
        }
        let metadata = &mut self.net.metadata;
        if block.is_some() && news && metadata.error_of(topic) == Some(ErrorCode::InvalidTopicException) {
            let text = format!("Invalid topics: [{topic}]");
            return Some(failed(ClientError::new("InvalidTopicException", &text)));
        }
        if news {
            metadata.request_for(topic);
        }
        Some(Step::Blocked(Block::Metadata { since, version }))
    }

    fn metadata_timeout(&self, record: &NewRecord, known: Option<i32>, only_retriable: bool) -> ClientError {
        let (topic, ms) = (&record.topic, self.config.max_block_ms);
        let text = match (known, record.partition) {
            (Some(count), Some(partition)) => format!(
                "Partition {partition} of topic {topic} with partition count {count} is not present in metadata after {ms} ms."
            ),
            _ => format!("Topic {topic} not present in metadata after {ms} ms."),
        };
        let error = ClientError::new("TimeoutException", &text);
        let cause = self.net.metadata.error_of(topic);
        match cause.filter(|cause| cause.retriable() || !only_retriable) {
            Some(cause) => error.caused_by(ClientError::of(cause, None)),
            None => error,
        }
    }

    /// [KafkaProducer.partition]
    fn partition(&self, record: &NewRecord) -> Option<i32> {
        let by_key = |key: &Rc<[u8]>| {
            let count = self.net.metadata.partition_count(&record.topic)?;
            (count > 0).then(|| partition_for_key(key, count))
        };
        match &record.key {
            _ if record.partition.is_some() => record.partition,
            Some(key) if !self.config.partitioner_ignore_keys => by_key(key),
            _ => None,
        }
    }

    /// [KafkaProducer.ensureValidRecordSize, BufferPool.allocate]
    fn check_size(&self, size: u32) -> Option<Step> {
        let max = self.config.max_request_size;
        let text = if i64::from(size) > max {
            format!(
                "The message is {size} bytes when serialized which is larger than {max}, which is the value of the max.request.size configuration."
            )
        } else if i64::from(size) > self.config.buffer_memory {
            format!(
                "The message is {size} bytes when serialized which is larger than the total memory buffer you have configured with the buffer.memory configuration."
            )
        } else {
            return None;
        };
        Some(failed(ClientError::new("RecordTooLargeException", &text)))
    }

    /// Puts a record into a batch. `memory`: bytes that it waited for and got.
    fn append(
        &mut self,
        call: CallId,
        place: usize,
        record: &NewRecord,
        memory: Option<u32>,
        until: Time,
        ctx: &mut Ctx,
    ) -> Step {
        let ready = RecordToSend {
            timestamp: record.timestamp.unwrap_or(ctx.wall_ms()),
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record.headers.as_slice().into(),
            origin: record.origin,
        };
        if let Some(refused) = self.check_size(ready.upper_bound()) {
            return refused;
        }
        let partition = self.partition(record);
        let view = self.topic_view(&record.topic);
        let Producer {
            accumulator, random, ..
        } = self;
        let mut draw = || (random.bits() >> 33) as u32;
        let to = Place {
            topic: &record.topic,
            partition,
            view: &view,
        };
        let now = ctx.now().as_ms();
        match accumulator.append(to, &ready, memory, now, &mut draw) {
            Err(error) => threw("IllegalArgumentException", &error.to_string()),
            Ok((AppendResult::NoMemory { size }, _)) => self.wait_for_memory(size, until, ctx.now()),
            Ok((AppendResult::Appended { partition, batch, .. }, served)) => {
                self.incomplete.insert(batch);
                self.granted.extend(served);
                let partition = NamedPartition {
                    topic: record.topic.clone(),
                    partition,
                };
                if let Some(refused) = self.join_transaction(&partition) {
                    return refused;
                }
                self.calls.accepted(call, place, record.origin);
                let origin = record.origin;
                ctx.note(Note::from(Fact::Accepted { origin, partition }));
                Step::Appended
            }
        }
    }

    /// The record's partition joins the transaction. The record is in a batch by now, and stays there even if `send()`
    /// throws. [TransactionManager.maybeAddPartition]
    fn join_transaction(&mut self, partition: &NamedPartition) -> Option<Step> {
        let identity = self.identity_or_none();
        let error = self.txn.as_mut()?.add_partition(partition, identity).err()?;
        // Exceptions of the API come back in the future, others are thrown.
        match &*error.class {
            "ProducerFencedException" | "InvalidProducerEpochException" => Some(failed(error)),
            _ => Some(Step::Refused(Refused::Threw(error))),
        }
    }

    /// Partitions of a topic as the partitioner sees them.
    fn topic_view(&mut self, topic: &Rc<str>) -> Rc<TopicView> {
        self.refresh_views();
        if let Some(view) = self.views.topics.get(topic) {
            return view.clone();
        }
        let metadata = &self.net.metadata;
        let partitions = metadata.topic(topic).map_or(&[][..], |known| &known.partitions);
        let with_leader = partitions.iter().filter(|p| metadata.node(p.leader).is_some());
        let view = Rc::new(TopicView {
            partitions: partitions.len() as i32,
            available: with_leader.map(|p| p.partition).collect(),
        });
        self.views.topics.insert(topic.clone(), view.clone());
        view
    }

    fn wait_for_memory(&mut self, size: u32, until: Time, since: Time) -> Step {
        let memory = &mut self.accumulator.memory;
        if u64::from(size) > memory.total() {
            let text = format!(
                "Attempt to allocate {size} bytes, but there is a hard limit of {} on memory allocations.",
                memory.total()
            );
            return threw("IllegalArgumentException", &text);
        }
        let ticket = memory.wait(u64::from(size));
        Step::Blocked(Block::Memory {
            ticket,
            size,
            since,
            until,
        })
    }

    fn await_memory(
        &mut self,
        call: CallId,
        place: usize,
        record: &NewRecord,
        (ticket, size): (Ticket, u32),
        (since, until): (Time, Time),
        ctx: &mut Ctx,
    ) -> Step {
        let waited = ctx.now().since(since);
        if self.granted.remove(&ticket) {
            self.metrics.waited_for_memory(waited, false);
            return self.append(call, place, record, Some(size), until, ctx);
        }
        if self.is_closed() {
            let served = self.accumulator.memory.cancel(ticket);
            self.granted.extend(served);
            return threw("KafkaException", "Producer closed while allocating memory");
        }
        if ctx.now() < until {
            return Step::Blocked(Block::Memory {
                ticket,
                size,
                since,
                until,
            });
        }
        self.metrics.waited_for_memory(waited, true);
        let served = self.accumulator.memory.cancel(ticket);
        self.granted.extend(served);
        let text = self
            .accumulator
            .memory
            .exhausted_text(u64::from(size), self.config.max_block_ms);
        failed(ClientError::new("BufferExhaustedException", &text))
    }
}
