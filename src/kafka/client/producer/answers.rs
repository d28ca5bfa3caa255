//! How the sender takes the answers to its requests, or their absence. [Sender.handleProduceResponse, .completeBatch]

use super::client::Producer;
use super::idempotence::Identity;
use super::rules;
use super::sender::{Flight, Request};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::client::network::RequestId;
use crate::kafka::client::producer_batch::ProducerBatch;
use crate::kafka::client::rules::METADATA;
use crate::kafka::protocol::data::{BrokerNode, InitProducerIdResponse, ProducedPartition};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;

impl Producer {
    /// An answer came.
    pub(super) fn on_response(&mut self, request: RequestId, node: NodeId, body: &Body, ctx: &mut Ctx) {
        if self.on_transactional(request, body, ctx) {
            return;
        }
        match body {
            Body::InitProducerIdResponse(answer) if self.init.request == Some(request) => self.on_identity(answer, ctx),
            Body::ProduceResponse(answer) => {
                let Some(request_sent) = self.requests.remove(&request) else {
                    return;
                };
                self.metrics.answered(ctx.now().since(request_sent.sent), ctx.now());
                for flight in request_sent.flights {
                    let found = answer.partitions.iter().find(|p| p.partition == flight.sent_to);
                    let left_out = no_answer(flight.sent_to, ErrorCode::UnknownServerError);
                    self.complete(flight, found.unwrap_or(&left_out), &answer.node_endpoints, request, ctx);
                }
            }
            _ => {
                // An answer of another kind than asked for: the batches count as lost with the connection.
                self.on_lost(request, node, false, ctx);
            }
        }
    }

    /// [TransactionManager.InitProducerIdHandler]
    fn on_identity(&mut self, answer: &InitProducerIdResponse, ctx: &mut Ctx) {
        self.init.request = None;
        // A connection that goes from now on is not one that an id is waited for on.
        self.init.target = None;
        match answer.error {
            ErrorCode::None => {
                let identity = Identity {
                    id: answer.producer_id,
                    epoch: answer.producer_epoch,
                };
                if let Some(idempotence) = &mut self.idempotence {
                    idempotence.set_identity(identity);
                }
                let text = format!("ProducerId set to {} with epoch {}", identity.id, identity.epoch);
                self.log(
                    loggers::TRANSACTION_MANAGER.info(text),
                    Weight::Detail,
                    &rules::SEQUENCES,
                    ctx,
                );
            }
            error if error.retriable() => self.retry_init(ctx),
            error => {
                let fatal = match error {
                    ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
                        ClientError::of(ErrorCode::ProducerFenced, None)
                    }
                    ErrorCode::ClusterAuthorizationFailed => ClientError::of(error, None),
                    error => {
                        let text = format!("Unexpected error in InitProducerIdResponse; {}", error.message());
                        ClientError::new("KafkaException", &text)
                    }
                };
                if let Some(idempotence) = &mut self.idempotence {
                    idempotence.set_fatal(fatal);
                }
            }
        }
    }

    /// The connection went before the answer came.
    pub(super) fn on_lost(&mut self, request: RequestId, node: NodeId, timed_out: bool, ctx: &mut Ctx) {
        if self.transactional_lost(request) {
            return;
        }
        if self.init.request == Some(request) {
            return self.retry_init(ctx);
        }
        let Some(lost) = self.requests.remove(&request) else {
            return;
        };
        let (code, text) = match timed_out {
            true => (
                ErrorCode::RequestTimedOut,
                format!("Disconnected from node {node} due to timeout"),
            ),
            false => (ErrorCode::NetworkException, format!("Disconnected from node {node}")),
        };
        self.fail_all(lost, code, text, request, ctx);
    }

    /// Every batch of a request has this error.
    pub(super) fn fail_all(&mut self, lost: Request, code: ErrorCode, text: String, request: RequestId, ctx: &mut Ctx) {
        let message = Some(text.into());
        for flight in lost.flights {
            let mut answer = no_answer(flight.sent_to, code);
            answer.message.clone_from(&message);
            self.complete(flight, &answer, &[], request, ctx);
        }
    }

    /// One batch has its answer. [Sender.completeBatch]
    fn complete(
        &mut self,
        flight: Flight,
        answer: &ProducedPartition,
        endpoints: &[BrokerNode],
        request: RequestId,
        ctx: &mut Ctx,
    ) {
        let Flight { batch, done, .. } = flight;
        let partition = batch.partition.clone();
        match answer.error {
            ErrorCode::MessageTooLarge if batch.record_count() > 1 && !done => self.split(batch, answer, request, ctx),
            ErrorCode::None => self.written(&batch, answer, done, ctx),
            error => {
                self.refused(batch, answer, done, request, ctx);
                if error.invalid_metadata() {
                    self.metadata_are_stale(&partition, answer, endpoints, ctx);
                }
            }
        }
        if self.config.max_in_flight_requests_per_connection == 1 {
            self.accumulator.unmute(&partition);
        }
    }

    fn written(&mut self, batch: &ProducerBatch, answer: &ProducedPartition, done: bool, ctx: &mut Ctx) {
        if !done {
            return self.finish_written(batch, answer.base_offset, ctx);
        }
        // It expired before: the application has its error already. [ProducerBatch.done]
        if let Some(idempotence) = &mut self.idempotence {
            idempotence.completed(batch, answer.base_offset);
        }
        self.release(batch);
    }

    fn split(&mut self, batch: ProducerBatch, answer: &ProducedPartition, request: RequestId, ctx: &mut Ctx) {
        let text = format!(
            "Got error produce response in correlation id {request} on topic-partition {}, splitting and retrying ({} attempts left). Error: {}",
            batch.partition,
            self.config.retries - i64::from(batch.attempts),
            Self::error_text(answer.error, answer.message.as_ref())
        );
        self.log(loggers::SENDER.warn(text), Weight::Matters, &rules::SPLIT, ctx);
        if let Some(idempotence) = &mut self.idempotence {
            idempotence.remove_in_flight(&batch);
        }
        let parts = self.accumulator.split_and_reenqueue(&batch);
        if let Some(idempotence) = &mut self.idempotence {
            let queued = self.accumulator.queue(&batch.partition);
            for part in queued.filter(|queued| parts.contains(&queued.id)) {
                idempotence.add_in_flight(part);
            }
        }
        self.incomplete.remove(&batch.id);
        self.incomplete.extend(parts.iter().copied());
        self.calls.batch_split(batch.id, &parts);
        self.metrics.split(ctx.now());
        self.release(&batch);
    }

    /// An error: again, or the end. [Sender.completeBatch, .reenqueueBatch]
    fn refused(
        &mut self,
        batch: ProducerBatch,
        answer: &ProducedPartition,
        done: bool,
        request: RequestId,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now().as_ms();
        if self.can_retry(&batch, answer, done, now) {
            let text = format!(
                "Got error produce response with correlation id {request} on topic-partition {}, retrying ({} attempts left). Error: {}",
                batch.partition,
                self.config.retries - i64::from(batch.attempts) - 1,
                Self::error_text(answer.error, answer.message.as_ref())
            );
            self.log(loggers::SENDER.warn(text), Weight::Matters, &rules::RETRY, ctx);
            let topic = &batch.partition.topic;
            self.metrics.retried(topic, batch.record_count(), ctx.now());
            return self.accumulator.reenqueue(batch, now);
        }
        if answer.error == ErrorCode::DuplicateSequenceNumber {
            // The broker has it, and does not say where.
            return self.written(&batch, answer, done, ctx);
        }
        if done {
            return self.release(&batch);
        }
        let adjust = i64::from(batch.attempts) < self.config.retries;
        self.fail(&batch, answer, adjust, ctx);
        self.release(&batch);
    }

    fn can_retry(&mut self, batch: &ProducerBatch, answer: &ProducedPartition, done: bool, now: i64) -> bool {
        if done
            || batch.is_expired(self.config.delivery_timeout_ms, now)
            || i64::from(batch.attempts) >= self.config.retries
        {
            return false;
        }
        match &mut self.idempotence {
            Some(idempotence) => idempotence.can_retry(batch, answer),
            None => answer.error.retriable(),
        }
    }

    /// [Sender.failBatch]
    fn fail(&mut self, batch: &ProducerBatch, answer: &ProducedPartition, adjust: bool, ctx: &mut Ctx) {
        let message = answer.message.as_deref();
        let error = match answer.error {
            ErrorCode::TopicAuthorizationFailed => {
                let text = format!("Not authorized to access topics: [{}]", batch.partition.topic);
                ClientError::of(answer.error, Some(&text))
            }
            ErrorCode::ClusterAuthorizationFailed => ClientError::of(
                answer.error,
                Some("The producer is not authorized to do idempotent sends"),
            ),
            code => ClientError::of(code, message),
        };
        match answer.record_errors.is_empty() {
            true => self.finish_failed(batch, &error, ctx),
            false => {
                let errors = record_errors(batch, answer);
                self.finish_each(batch, &errors, ctx);
            }
        }
        if let Some(idempotence) = &mut self.idempotence
            && let Some(line) = idempotence.failed(batch, answer.error, &error, adjust)
        {
            self.log(
                loggers::TRANSACTION_MANAGER.error(line),
                Weight::Alarm,
                &rules::SEQUENCES,
                ctx,
            );
        }
        self.transaction_failed(answer.error, &error, ctx);
    }

    /// The answer tells that the leader is elsewhere, perhaps where (KIP-951).
    fn metadata_are_stale(
        &mut self,
        partition: &NamedPartition,
        answer: &ProducedPartition,
        endpoints: &[BrokerNode],
        ctx: &mut Ctx,
    ) {
        let text = if answer.error == ErrorCode::UnknownTopicOrPartition {
            format!(
                "Received unknown topic or partition error in produce request on partition {partition}. The topic-partition may not exist or the user may not have Describe access to it"
            )
        } else {
            let error = ClientError::of(answer.error, answer.message.as_deref()).full_text();
            format!(
                "Received invalid metadata error in produce request on partition {partition} due to {error} Going to request metadata update now"
            )
        };
        self.log(loggers::SENDER.warn(text), Weight::Detail, &METADATA, ctx);
        let names_leader = matches!(
            answer.error,
            ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch
        );
        if let (true, Some(leader)) = (names_leader, answer.current_leader) {
            let metadata = &mut self.net.metadata;
            metadata.take_leader(&partition.topic, partition.partition, leader, endpoints);
        }
        self.net.metadata.request_update();
    }
}

/// The error of each record of a batch in which some were refused.
fn record_errors(batch: &ProducerBatch, answer: &ProducedPartition) -> Vec<ClientError> {
    let alone = answer.record_errors.len() == 1;
    let named = |index: usize| {
        answer
            .record_errors
            .iter()
            .find(|(at, _)| usize::try_from(*at) == Ok(index))
    };
    let error = |index: usize| match named(index) {
        Some((_, text)) => {
            let text = text.as_deref().or(answer.message.as_deref());
            let code = if alone { answer.error } else { ErrorCode::InvalidRecord };
            ClientError::of(code, Some(text.unwrap_or(answer.error.message())))
        }
        None => ClientError::new(
            "KafkaException",
            "Failed to append record because it was part of a batch which had one more more invalid records",
        ),
    };
    (0..batch.record_count()).map(error).collect()
}

/// A partition's answer that no broker gave.
fn no_answer(partition: TopicPartition, error: ErrorCode) -> ProducedPartition {
    ProducedPartition {
        partition,
        error,
        message: None,
        record_errors: Vec::new(),
        base_offset: -1,
        log_append_time: -1,
        log_start_offset: -1,
        current_leader: None,
    }
}
