//! The sender: which batches go to whom and when, and what is over. [Sender.runOnce, .sendProducerData]

use super::client::Producer;
use super::idempotence::Idempotence;
use super::note::ProducerNote;
use super::rules;
use super::txn_state::TxnState;
use crate::kafka::client::backoff::Backoff;
use crate::kafka::client::call::{ClientError, Sent};
use crate::kafka::client::drain::{ClusterView, Drain, Gate, Leaders, Ready};
use crate::kafka::client::log::loggers;
use crate::kafka::client::network::RequestId;
use crate::kafka::client::note::ClientNote;
use crate::kafka::client::producer_batch::ProducerBatch;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::{InitProducerIdRequest, ProduceRequest};
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// A batch in a request.
#[derive(Clone, Debug)]
pub struct Flight {
    pub batch: ProducerBatch,
    /// The topic's id when it was sent.
    pub sent_to: TopicPartition,
    /// It expired meanwhile: its answer changes nothing.
    pub done: bool,
}

/// A Produce request without an answer.
#[derive(Clone, Debug)]
pub struct Request {
    pub node: NodeId,
    pub sent: Time,
    pub flights: Vec<Flight>,
}

/// The request for a producer id.
#[derive(Clone, Copy, Debug, Default)]
pub struct InitId {
    /// Whom it is asked of.
    pub target: Option<NodeId>,
    pub request: Option<RequestId>,
    /// Not before this.
    pub not_before: Time,
    /// The metadata's version when no node was left to ask: others let it go on at once.
    no_node_at: Option<u32>,
    /// The sender's thread sleeps until then: the network stands still too.
    asleep_until: Time,
}

impl Producer {
    /// Sends what can be sent, fails what is over, and notes when to look again.
    pub(super) fn run_sender(&mut self, ctx: &mut Ctx) {
        self.next_look = Time::NEVER;
        if self.txn.is_some() {
            self.resolve_transactional();
            if self.abort_if_fatal(ctx) || self.drive_transaction(ctx) {
                return;
            }
            self.accumulator.transaction_completing = self.txn.as_ref().is_some_and(|txn| txn.state.is_completing());
        } else if self.idempotence.is_some() {
            self.resolve_and_bump(ctx);
            if self.abort_if_fatal(ctx) || !self.has_identity(ctx) {
                return;
            }
        }
        while self.send_what_is_ready(ctx) {}
    }

    fn resolve_transactional(&mut self) {
        let missing = self
            .idempotence
            .as_mut()
            .is_some_and(Idempotence::resolve_transactional);
        if let Some(txn) = self.txn.as_mut().filter(|_| missing) {
            txn.unacknowledged();
        }
    }

    fn resolve_and_bump(&mut self, ctx: &mut Ctx) {
        let Some(idempotence) = &mut self.idempotence else {
            return;
        };
        let lines = idempotence.resolve();
        let restamps = idempotence.bump_if_asked();
        let identity = idempotence.identity();
        for line in lines {
            self.log(
                loggers::TRANSACTION_MANAGER.info(line),
                Weight::Matters,
                &rules::EPOCH_BUMP,
                ctx,
            );
        }
        let Some(restamps) = restamps else {
            return;
        };
        if let Some(identity) = identity {
            let text = format!("ProducerId set to {} with epoch {}", identity.id, identity.epoch);
            self.log(
                loggers::TRANSACTION_MANAGER.info(text),
                Weight::Matters,
                &rules::EPOCH_BUMP,
                ctx,
            );
        }
        for restamp in restamps {
            let flights = self.requests.values_mut().flat_map(|request| &mut request.flights);
            let mut flights = flights.map(|flight| &mut flight.batch);
            let in_flight = flights.find(|batch| batch.id == restamp.batch);
            let waiting = self.accumulator.batch_mut(&restamp.partition, restamp.batch);
            let Some(batch) = in_flight.or(waiting) else {
                continue;
            };
            let text = format!(
                "Resetting sequence number of batch with current sequence {} for partition {} to {}",
                batch.base_sequence(),
                restamp.partition,
                restamp.tag.sequence
            );
            batch.set_producer(restamp.tag, false);
            self.log(
                loggers::PRODUCER_BATCH.info(text),
                Weight::Matters,
                &rules::EPOCH_BUMP,
                ctx,
            );
        }
    }

    /// Nothing can be sent any more: everything fails. [Sender.maybeAbortBatches]
    fn abort_if_fatal(&mut self, ctx: &mut Ctx) -> bool {
        let of_txn = self.txn.as_ref().filter(|txn| txn.state == TxnState::FatalError);
        let of_txn = of_txn.and_then(|txn| txn.last_error.clone());
        let fatal = of_txn.or_else(|| self.idempotence.as_ref().and_then(Idempotence::fatal).cloned());
        let Some(error) = fatal else {
            return false;
        };
        if self.txn.is_some() {
            self.abort_in_flight(&error, ctx);
        }
        let waiting = self.accumulator.take_all(|_| true);
        if !waiting.is_empty() {
            let line = loggers::SENDER.error("Aborting producer batches due to fatal error");
            self.log(line.throwing(error.full_text()), Weight::Alarm, &rules::FAILED, ctx);
        }
        for batch in waiting {
            self.finish_failed(&batch, &error, ctx);
            self.release(&batch);
        }
        true
    }

    /// What is in flight is over too: its answers change nothing. [RecordAccumulator.abortBatches]
    fn abort_in_flight(&mut self, error: &ClientError, ctx: &mut Ctx) {
        let flights = self.requests.values_mut().flat_map(|request| &mut request.flights);
        let mut aborted = Vec::new();
        for flight in flights.filter(|flight| !flight.done) {
            flight.done = true;
            aborted.push(flight.batch.clone());
        }
        for batch in aborted {
            self.finish_failed(&batch, error, ctx);
        }
    }

    /// Asks for a producer id if there is none; false until it is there: nothing is sent, nothing expires.
    /// [Sender.maybeSendAndPollTransactionalRequest]
    fn has_identity(&mut self, ctx: &mut Ctx) -> bool {
        if self.identity().is_some() {
            return true;
        }
        let now = ctx.now();
        if self.init.request.is_some() {
            return false;
        }
        let version = self.net.metadata.update_version();
        let renewed = self.init.no_node_at.is_some_and(|seen| seen != version);
        if now < self.init.not_before && !renewed {
            self.next_look = self.init.not_before;
            return false;
        }
        let node = match self.init.target.and_then(|id| self.net.metadata.node(id).cloned()) {
            Some(node) => node,
            None => match self.net.least_loaded(now) {
                Some(node) => node,
                None => {
                    self.init.no_node_at = Some(version);
                    self.init.not_before = now + Span::from_ms(self.config.retry_backoff_ms);
                    self.next_look = self.init.not_before;
                    return false;
                }
            },
        };
        self.init.target = Some(node.id);
        self.init.no_node_at = None;
        if self.net.ready(&node, ctx) {
            let body = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: i32::MAX,
                producer_id: -1,
                producer_epoch: -1,
            };
            self.init.request = self.net.send(node.id, body.into(), ctx);
        }
        false
    }

    /// The node that the producer id is asked of went away. [Sender.maybeFindCoordinatorAndRetry]
    pub(super) fn init_lost(&mut self, node: NodeId, ctx: &mut Ctx) {
        if self.init.target == Some(node) {
            self.retry_init(ctx);
            self.init.asleep_until = self.init.not_before;
            self.net.metadata.request_update();
        }
    }

    /// The request for a producer id is made again after a pause.
    pub(super) fn retry_init(&mut self, ctx: &mut Ctx) {
        self.init.target = None;
        self.init.request = None;
        self.init.not_before = ctx.now() + Span::from_ms(self.config.retry_backoff_ms);
    }

    /// Does the sender's thread sleep before it asks for a producer id again? [Sender.maybeFindCoordinatorAndRetry]
    pub(super) fn sleeps(&self, now: Time) -> bool {
        now < self.init.asleep_until
    }

    /// When it wakes, if it sleeps.
    pub(super) fn wakes_at(&self, now: Time) -> Option<Time> {
        self.sleeps(now).then_some(self.init.asleep_until)
    }

    /// One round; true if something was sent, as more may follow. [Sender.sendProducerData]
    fn send_what_is_ready(&mut self, ctx: &mut Ctx) -> bool {
        self.refresh_views();
        let now = ctx.now().as_ms();
        let draw = self.random.bits();
        let ready = self.look(now, draw);
        if !ready.unknown_leaders.is_empty() {
            for topic in &ready.unknown_leaders {
                self.net.metadata.used(topic, ctx.now());
            }
            self.net.metadata.request_update();
        }
        let mut drained = Vec::new();
        for id in &ready.nodes {
            let node = self.net.metadata.node(*id).cloned();
            let can = node.is_some_and(|node| self.net.ready(&node, ctx));
            self.note_availability(*id, now, can);
            if can {
                drained.push((*id, self.drain(*id, now, draw)));
            }
        }
        if self.config.max_in_flight_requests_per_connection == 1 {
            for batch in drained.iter().flat_map(|(_, batches)| batches) {
                self.accumulator.mute(batch.partition.clone());
            }
        }
        self.expire(now, ctx);
        let mut sent = false;
        for (node, batches) in drained {
            sent |= self.send_batches(node, batches, ctx);
        }
        self.note_next_look(&ready, now);
        sent
    }

    /// `draw` scatters all pauses of one round.
    fn look(&mut self, now: i64, draw: u64) -> Ready {
        let Producer {
            accumulator,
            views,
            config,
            availability,
            ..
        } = self;
        let timeout = config.partitioner_availability_timeout_ms;
        let unknown = Leaders::default();
        let view = ClusterView {
            leaders: &|topic| views.leaders.get(topic).unwrap_or(&unknown).clone(),
            is_slow: &|node| {
                let times = availability.get(&node);
                timeout > 0 && times.is_some_and(|(ready, drained)| ready - drained > timeout)
            },
        };
        let backoff = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        accumulator.ready(&view, now, &mut |attempts| backoff.ms_scattered(attempts, draw))
    }

    /// [RecordAccumulator.updateNodeLatencyStats]
    fn note_availability(&mut self, node: NodeId, now: i64, can: bool) {
        if self.config.partitioner_availability_timeout_ms <= 0 {
            return;
        }
        let times = self.availability.entry(node).or_insert((now, now));
        times.0 = now;
        if can {
            times.1 = now;
        }
    }

    fn drain(&mut self, node: NodeId, now: i64, draw: u64) -> Vec<ProducerBatch> {
        let led = self.views.led.clone();
        let Some(partitions) = led.get(&node) else {
            return Vec::new();
        };
        let Producer {
            accumulator,
            net,
            config,
            idempotence,
            txn,
            ..
        } = self;
        let metadata = &net.metadata;
        let request = Drain {
            node,
            partitions,
            max_size: u32::try_from(config.max_request_size).unwrap_or(u32::MAX),
            now,
        };
        let epoch = |partition: &NamedPartition| {
            let known = metadata.topic(&partition.topic)?.partition(partition.partition)?;
            (known.leader_epoch >= 0).then_some(known.leader_epoch)
        };
        let backoff = Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms);
        accumulator.drain(
            request,
            &epoch,
            &mut |attempts| backoff.ms_scattered(attempts, draw),
            &mut |batch| match idempotence {
                Some(_) if txn.as_ref().is_some_and(|txn| !txn.may_send_to(&batch.partition)) => Gate::Stop,
                Some(idempotence) => idempotence.gate(batch),
                None => Gate::Send,
            },
        )
    }

    /// One Produce request. [Sender.sendProduceRequest]
    fn send_batches(&mut self, node: NodeId, batches: Vec<ProducerBatch>, ctx: &mut Ctx) -> bool {
        if batches.is_empty() {
            return false;
        }
        let mut data = Vec::with_capacity(batches.len());
        let mut flights = Vec::with_capacity(batches.len());
        for batch in batches {
            let topic = self.net.metadata.id_of(&batch.partition.topic).unwrap_or_default();
            let sent_to = TopicPartition::new(topic, batch.partition.partition);
            match batch.to_batch() {
                Ok(made) => data.push((sent_to, made)),
                // Records and stamps were checked when they went in, so this does not come to pass; if it does, the
                // batch fails rather than the producer.
                Err(error) => {
                    let error = ClientError::new("KafkaException", &error.to_string());
                    self.finish_failed(&batch, &error, ctx);
                    self.release(&batch);
                    continue;
                }
            }
            self.note_sent(node, &batch, ctx);
            flights.push(Flight {
                batch,
                sent_to,
                done: false,
            });
        }
        let acks = self.config.acks.code();
        let body = ProduceRequest {
            transactional_id: self.txn.as_ref().map(|txn| txn.id.clone()),
            transaction_v2: self.txn.as_ref().is_some_and(|txn| txn.v2),
            acks,
            timeout_ms: i32::try_from(self.config.request_timeout_ms).unwrap_or(i32::MAX),
            data,
        };
        let records = flights.iter().map(|flight| flight.batch.record_count() as i64).sum();
        self.metrics.request_sent(records, ctx.now());
        let sent = match acks {
            0 => self.net.send_one_way(node, body.into(), ctx),
            _ => self.net.send(node, body.into(), ctx),
        };
        let request = Request {
            node,
            sent: ctx.now(),
            flights,
        };
        match sent {
            Some(_) if acks == 0 => self.complete_all(request, ctx),
            Some(id) => drop(self.requests.insert(id, request)),
            // The node was ready a moment ago; if it is not any more it is as if the connection had been lost.
            None => self.fail_all(
                request,
                ErrorCode::NetworkException,
                format!("Disconnected from node {node}"),
                0,
                ctx,
            ),
        }
        true
    }

    fn note_sent(&mut self, node: NodeId, batch: &ProducerBatch, ctx: &mut Ctx) {
        self.metrics.batch_sent(batch, ctx.now());
        let note = ProducerNote::Sent {
            partition: batch.partition.clone(),
            to: node,
            records: batch.record_count() as u32,
            attempts: batch.attempts,
            waited_ms: batch.waited(ctx.now().as_ms()),
            linger_ms: self.config.linger_ms,
            tag: batch.producer(),
        };
        ctx.note(Note::Client(ClientNote::Producer(note)));
    }

    /// Fails what is older than delivery.timeout.ms, waiting or in flight. [Sender.failExpiredBatches]
    fn expire(&mut self, now: i64, ctx: &mut Ctx) {
        let timeout = self.config.delivery_timeout_ms;
        for batch in self.accumulator.take_expired(now) {
            self.fail_expired(&batch, now, ctx);
            self.release(&batch);
        }
        let late = |flight: &&mut Flight| !flight.done && flight.batch.is_expired(timeout, now);
        let mut expired = Vec::new();
        for flight in self
            .requests
            .values_mut()
            .flat_map(|request| &mut request.flights)
            .filter(late)
        {
            // Its memory is free only when its request is answered or lost.
            flight.done = true;
            expired.push(flight.batch.clone());
        }
        for batch in expired {
            self.fail_expired(&batch, now, ctx);
        }
    }

    fn fail_expired(&mut self, batch: &ProducerBatch, now: i64, ctx: &mut Ctx) {
        let text = format!(
            "Expiring {} record(s) for {}:{} ms has passed since batch creation. The request has not been sent, or no server response has been received yet.",
            batch.record_count(),
            batch.partition,
            now - batch.created
        );
        let error = ClientError::new("TimeoutException", &text);
        self.finish_failed(batch, &error, ctx);
        if let Some(idempotence) = &mut self.idempotence {
            idempotence.failed(batch, ErrorCode::RequestTimedOut, &error, false);
            if batch.attempts > 0 {
                idempotence.mark_unresolved(batch);
            }
        }
        self.transaction_failed(ErrorCode::RequestTimedOut, &error, ctx);
    }

    /// A batch of a transaction failed.
    pub(super) fn transaction_failed(&mut self, code: ErrorCode, error: &ClientError, ctx: &mut Ctx) {
        let Some(txn) = &mut self.txn else { return };
        let before = txn.state;
        // The sender's own transitions do not throw.
        let _ = txn.note_failure(error, code.retriable(), false);
        let to = match txn.state {
            TxnState::AbortableError => "abortable",
            _ => "fatal",
        };
        if txn.state != before && txn.state.has_error() {
            let text = format!("Transiting to {to} error state due to {}", error.full_text());
            self.log(
                loggers::TRANSACTION_MANAGER.info(text),
                Weight::Matters,
                &rules::TRANSACTIONS,
                ctx,
            );
        }
    }

    fn note_next_look(&mut self, ready: &Ready, now: i64) {
        let flights = self.requests.values().flat_map(|request| &request.flights);
        let open = flights.filter(|flight| !flight.done).map(|flight| flight.batch.created);
        let in_flight = open
            .min()
            .map(|created| created.saturating_add(self.config.delivery_timeout_ms));
        let expiry = [self.accumulator.next_expiry(), in_flight].into_iter().flatten().min();
        let check = ready.next_check_ms.map(|ms| now.saturating_add(ms.max(1)));
        let next = [expiry, check].into_iter().flatten().min();
        // Something that is over already waits for an event, not for the time.
        self.next_look = match next {
            Some(ms) if ms > now => Time::ZERO + Span::from_ms(ms),
            Some(_) => Time::ZERO + Span::from_ms(now + 1),
            None => Time::NEVER,
        };
    }

    // ---- ends of batches ----

    /// Every record of a batch has this error.
    pub(super) fn finish_failed(&mut self, batch: &ProducerBatch, error: &ClientError, ctx: &mut Ctx) {
        let errors = vec![error.clone(); batch.record_count()];
        self.finish_each(batch, &errors, ctx);
    }

    /// Every record of a batch has its own error.
    pub(super) fn finish_each(&mut self, batch: &ProducerBatch, errors: &[ClientError], ctx: &mut Ctx) {
        for (record, error) in batch.records().iter().zip(errors) {
            let fact = Fact::Failed {
                origin: record.origin,
                error: error.class.clone(),
            };
            ctx.note(Note::from(fact));
            let sent = Sent::Failed(error.clone());
            self.calls.answered(record.origin, sent);
        }
        let topic = &batch.partition.topic;
        self.metrics.failed(topic, batch.record_count(), ctx.now());
        self.incomplete.remove(&batch.id);
        self.calls.batch_done(batch.id);
    }

    /// A batch's memory is free; who waited for it goes on.
    pub(super) fn release(&mut self, batch: &ProducerBatch) {
        let served = self.accumulator.release(batch);
        self.granted.extend(served);
    }

    /// Every batch of a request was handed to the network, and nobody will say more (acks=0).
    fn complete_all(&mut self, request: Request, ctx: &mut Ctx) {
        for flight in request.flights {
            self.finish_written(&flight.batch, -1, ctx);
            if self.config.max_in_flight_requests_per_connection == 1 {
                self.accumulator.unmute(&flight.batch.partition);
            }
        }
    }

    /// A batch was written, at this offset if it is known.
    pub(super) fn finish_written(&mut self, batch: &ProducerBatch, base_offset: i64, ctx: &mut Ctx) {
        if let Some(idempotence) = &mut self.idempotence {
            idempotence.completed(batch, base_offset);
        }
        let partition = &batch.partition;
        for (index, record) in batch.records().iter().enumerate() {
            let offset = if base_offset >= 0 {
                base_offset + index as i64
            } else {
                -1
            };
            let fact = Fact::Acknowledged {
                origin: record.origin,
                partition: NamedPartition::clone(partition),
                offset,
            };
            ctx.note(Note::from(fact));
            let sent = super::calls::written(partition, base_offset, index);
            self.calls.answered(record.origin, sent);
        }
        self.incomplete.remove(&batch.id);
        self.calls.batch_done(batch.id);
        self.release(batch);
    }

    /// Keeps text and error code together for log lines.
    pub(super) fn error_text(code: ErrorCode, message: Option<&Rc<str>>) -> String {
        match message.filter(|text| !text.is_empty()) {
            Some(text) => format!("{}. Error Message: {text}", code.name()),
            None => code.name().to_string(),
        }
    }
}
