//! Produce: the checks in Kafka's order, the append, and who is answered when.
//! [KafkaApis.handleProduceRequest, ReplicaManager.appendRecords, Partition.appendRecordsToLeader]

use super::note::BrokerNote;
use super::purgatory::{Delayed, DelayedProduce, Waiter};
use super::requests::Asker;
use super::server::{Server, status_of};
use crate::kafka::log::append::{Appended, LeaderAppend};
use crate::kafka::log::batch::Batch;
use crate::kafka::log::error::AppendError;
use crate::kafka::log::producer_entry::Guard;
use crate::kafka::log::segment::Segment;
use crate::kafka::note::{Fact, Note, SeenBatch};
use crate::kafka::protocol::data::{ProduceRequest, ProduceResponse, ProducedPartition};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::topic_name;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::Span;
use std::rc::Rc;

/// `client.id` of those who may write to internal topics. [AdminUtils.ADMIN_CLIENT_ID]
const ADMIN_CLIENT: &str = "__admin_client";

/// What became of the transactional partitions of a request before the append: a guard if the coordinator was asked, or
/// the error with its text.
pub(super) type Verdicts = OrderedMap<TopicPartition, Result<Guard, (ErrorCode, Option<String>)>>;

impl Server {
    pub(super) fn serve_produce(&mut self, asker: Asker, client: &str, request: &ProduceRequest, ctx: &mut Ctx) {
        self.produce_verified(asker, client, request, &Verdicts::new(), ctx);
    }

    /// Appends what was not refused before.
    pub(super) fn produce_verified(
        &mut self,
        asker: Asker,
        client: &str,
        request: &ProduceRequest,
        verdicts: &Verdicts,
        ctx: &mut Ctx,
    ) {
        let mut partitions = Vec::with_capacity(request.data.len());
        let mut pending = Vec::new();
        for (partition, batch) in &request.data {
            let produced = match verdicts.get(partition) {
                Some(Err((error, text))) => self.not_verified(*partition, *error, text.as_deref(), ctx),
                verdict => {
                    let guard = verdict.and_then(|verdict| verdict.as_ref().ok()).copied();
                    self.produce_to(*partition, batch, (request.acks, guard), client, ctx)
                }
            };
            if produced.error == ErrorCode::None {
                // A duplicate waits for the offset that it had the first time.
                let last = produced.base_offset + (batch.last_offset - batch.base_offset);
                pending.push((partitions.len(), last + 1));
            }
            partitions.push(produced);
        }
        if self.storage_failed {
            return;
        }
        match request.acks {
            0 if partitions.iter().any(|p| p.error != ErrorCode::None) => {
                ctx.note(Note::Broker(BrokerNote::ClosedForAcks0));
                self.drop_client(asker.conn, ctx);
            }
            0 => {
                self.release(asker, ctx);
            }
            -1 if !pending.is_empty() => {
                let delayed = Delayed::Produce(DelayedProduce {
                    waiter: Waiter::Client(asker),
                    partitions,
                    pending,
                });
                let all: Vec<TopicPartition> = request.data.iter().map(|(partition, _)| *partition).collect();
                let limit = Span::from_ms(i64::from(request.timeout_ms));
                self.wait_or_complete(delayed, all, limit, ctx);
            }
            _ => self.answer_produce(asker, partitions, ctx),
        }
    }

    pub(super) fn answer_produce(&mut self, asker: Asker, partitions: Vec<ProducedPartition>, ctx: &mut Ctx) {
        let node_endpoints = self.endpoints(
            partitions.iter().map(|p| p.current_leader),
            self.listener_of(asker, ctx),
        );
        let response = ProduceResponse {
            partitions,
            node_endpoints,
        };
        self.reply(asker, Body::from(response), ctx);
    }

    fn produce_to(
        &mut self,
        partition: TopicPartition,
        batch: &Batch,
        (acks, guard): (i16, Option<Guard>),
        client: &str,
        ctx: &mut Ctx,
    ) -> ProducedPartition {
        let result = self.check_produce(partition, acks, client);
        let result = result.and_then(|()| {
            let epoch = self.replicas.get(&partition).map_or(-1, |r| r.partition.leader_epoch());
            let how = LeaderAppend {
                guard,
                ..LeaderAppend::client(epoch, self.clock.wall)
            };
            self.append_local(partition, batch.clone(), how, acks, ctx)
        });
        if let Some(topic) = self.image().name_of(partition.topic).cloned() {
            self.metrics.counters().produced(&topic, result.is_err(), ctx.now());
        }
        match result {
            Ok(appended) => ProducedPartition {
                partition,
                error: ErrorCode::None,
                message: None,
                record_errors: Vec::new(),
                base_offset: appended.first_offset,
                log_append_time: appended.log_append_time.unwrap_or(-1),
                log_start_offset: self.replicas.get(&partition).map_or(-1, |r| r.log.log_start()),
                current_leader: None,
            },
            Err(error) => self.refused(partition, error, ctx),
        }
    }

    /// What can be said before the partition is looked at.
    fn check_produce(&self, partition: TopicPartition, acks: i16, client: &str) -> Result<(), AppendError> {
        let Some(topic) = self.image().name_of(partition.topic) else {
            return Err(refusal(ErrorCode::UnknownTopicId));
        };
        if !self.image().partitions.contains_key(&partition) {
            return Err(refusal(ErrorCode::UnknownTopicOrPartition));
        }
        if !(-1..=1).contains(&acks) {
            return Err(refusal(ErrorCode::InvalidRequiredAcks));
        }
        if topic_name::is_internal(topic) && client != ADMIN_CLIENT {
            let text = format!("Cannot append to internal topic {topic}");
            return Err(AppendError::new(ErrorCode::InvalidTopicException, text));
        }
        Ok(())
    }

    /// Appends a batch to a partition that this broker leads; the high watermark and whoever waits follow at once.
    ///
    /// # Errors
    /// What the partition or its log says.
    pub(super) fn append_local(
        &mut self,
        partition: TopicPartition,
        batch: Batch,
        how: LeaderAppend,
        acks: i16,
        ctx: &mut Ctx,
    ) -> Result<Appended, AppendError> {
        let brokers = |id| status_of(self.observer.image(), id);
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return Err(refusal(self.missing_error(partition)));
        };
        let view = replica.view(self.clock, &brokers);
        let checked = replica.partition.check_append(acks, &view);
        checked.map_err(|r| AppendError::new(r.code, r.message))?;
        if ctx.disk().is_full() {
            self.fail_storage(ctx);
            return Err(refusal(ErrorCode::KafkaStorageError));
        }
        let appended = replica.log.append_as_leader(batch, how)?;
        if let Some(base_offset) = appended.rolled {
            ctx.note(Note::Broker(BrokerNote::SegmentRolled { partition, base_offset }));
        }
        if appended.duplicate {
            ctx.note(Note::Broker(BrokerNote::DuplicateBatch {
                partition,
                first_offset: appended.first_offset,
            }));
            return Ok(appended);
        }
        let last = replica.log.segments().next_back().and_then(Segment::last_batch);
        if let Some(batch) = last.cloned() {
            let (records, bytes) = (batch.records.len() as i64, i64::from(batch.estimated_size()));
            self.metrics
                .counters()
                .appended(&replica.topic, records, bytes, ctx.now());
            ctx.note(Note::Fact(Fact::Appended {
                partition,
                leader: true,
                batch: SeenBatch(batch),
            }));
        }
        self.evaluate_high_watermark(partition, ctx);
        self.check_delayed(partition, ctx);
        Ok(appended)
    }

    /// The disk takes nothing more: its directory is the only one, so the process halts at once.
    /// [LogDirFailureChannel, LogManager.handleLogDirFailure]
    pub(super) fn fail_storage(&mut self, ctx: &mut Ctx) {
        self.storage_failed = true;
        ctx.note(Note::Broker(BrokerNote::StorageFailed));
        ctx.exit();
    }

    /// The coordinator did not allow the write, or could not be asked: that has a text of its own.
    fn not_verified(
        &mut self,
        partition: TopicPartition,
        code: ErrorCode,
        text: Option<&str>,
        ctx: &mut Ctx,
    ) -> ProducedPartition {
        let produced = self.refused(partition, refusal(code), ctx);
        ProducedPartition {
            message: text.map(Rc::from),
            ..produced
        }
    }

    fn refused(&mut self, partition: TopicPartition, error: AppendError, ctx: &mut Ctx) -> ProducedPartition {
        ctx.note(Note::Broker(BrokerNote::ProduceRefused {
            partition,
            error: error.code,
        }));
        // Only the validation of records carries its text to the client.
        let validation = matches!(error.code, ErrorCode::InvalidRecord | ErrorCode::InvalidTimestamp);
        let moved = matches!(
            error.code,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        let records = error.records.into_iter();
        ProducedPartition {
            partition,
            error: error.code,
            message: validation.then(|| error.message.into()),
            record_errors: records.map(|r| (r.batch_index, Some(Rc::from(r.message)))).collect(),
            base_offset: -1,
            log_append_time: -1,
            log_start_offset: -1,
            current_leader: if moved { self.current_leader(partition) } else { None },
        }
    }
}

fn refusal(code: ErrorCode) -> AppendError {
    AppendError::new(code, code.message().to_owned())
}
