//! Requests to the coordinator, and transactions that ran out of time. [TransactionCoordinator, KafkaApis]

use super::state_log::{Append, Then};
use crate::kafka::broker::coordinator::OFFSETS_TOPIC;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::{InitProducerIdRequest, InitProducerIdResponse};
use crate::kafka::protocol::transactions::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::transactions::note::TxnNote;
use crate::kafka::transactions::requests::{self, End, Ending, Init};
use crate::kafka::transactions::{TxnMetadata, TxnState};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// The clients' transactions version as this broker's own aborts have it.
fn server_version(server: &Server) -> i16 {
    server.image().features.get("transaction.version").copied().unwrap_or(0)
}

fn init_answer(error: ErrorCode, producer_id: i64, producer_epoch: i16) -> Body {
    Body::from(InitProducerIdResponse {
        error,
        producer_id,
        producer_epoch,
    })
}

fn end_answer(error: ErrorCode, producer_id: i64, producer_epoch: i16) -> Body {
    Body::from(EndTxnResponse {
        error,
        producer_id,
        producer_epoch,
    })
}

/// A client is told PRODUCER_FENCED only by the transactional requests, as both versions agree on here.
fn added(id: &Rc<str>, partitions: &[NamedPartition], error: ErrorCode) -> AddedPartitions {
    (id.clone(), partitions.iter().map(|p| (p.clone(), error)).collect())
}

impl Server {
    /// Why an id cannot be served here, or that it is not known (`Ok(false)`).
    fn check_id(&self, id: &str) -> Result<bool, ErrorCode> {
        if self.transactions.partitions == 0 {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        if id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let partition = self.txn_partition(id);
        if self.transactions.loading.contains_key(&partition) {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        match self.transactions.shards.get(&partition) {
            None => Err(ErrorCode::NotCoordinator),
            Some(shard) => Ok(shard.ids.contains_key(id)),
        }
    }

    fn note_refused(&self, id: &Rc<str>, request: &'static str, error: ErrorCode, ctx: &mut Ctx) {
        let id = id.clone();
        ctx.note(Note::Txn(TxnNote::Refused { id, request, error }));
    }

    /// Does something with an id that is known here; drawing a producer id may ask the controller for more.
    fn with_id<R>(
        &mut self,
        id: &str,
        ctx: &mut Ctx,
        work: impl FnOnce(&mut TxnMetadata, i64, requests::NewId) -> Result<R, ErrorCode>,
    ) -> Result<R, ErrorCode> {
        if !self.check_id(id)? {
            return Err(ErrorCode::InvalidProducerIdMapping);
        }
        let (partition, now) = (self.txn_partition(id), self.clock.wall);
        let Server {
            transactions,
            producer_ids,
            ..
        } = self;
        let Some((_, txn)) = transactions.get_mut(partition, id) else {
            return Err(ErrorCode::InvalidProducerIdMapping);
        };
        let mut new_id = || producer_ids.next().ok_or(ErrorCode::CoordinatorLoadInProgress);
        let result = work(txn, now, &mut new_id);
        self.ask_for_wanted_producer_ids(ctx);
        result
    }

    // ---- InitProducerId ----

    pub(in crate::kafka::broker) fn init_transactional(
        &mut self,
        asker: Asker,
        id: &Rc<str>,
        request: &InitProducerIdRequest,
        ctx: &mut Ctx,
    ) {
        match self.begin_init(id, request, ctx) {
            Ok(Init::Write(value)) => self.append_transaction(id, value, Then::Init(asker), ctx),
            Ok(Init::Fence(producer_id, epoch)) => {
                ctx.note(Note::Txn(TxnNote::Fenced { id: id.clone(), epoch }));
                let how = Ending {
                    producer_id,
                    epoch,
                    commit: false,
                    from_client: false,
                    version: server_version(self),
                };
                self.end_transaction(id, how, Some(asker), true, ctx);
            }
            Err(error) => {
                self.note_refused(id, "InitProducerId", error, ctx);
                self.reply(asker, init_answer(error, -1, -1), ctx);
            }
        }
    }

    fn begin_init(&mut self, id: &Rc<str>, request: &InitProducerIdRequest, ctx: &mut Ctx) -> Result<Init, ErrorCode> {
        if (request.producer_id == -1) != (request.producer_epoch == -1) || id.is_empty() {
            return Err(ErrorCode::InvalidRequest);
        }
        let longest = self.setup.config.transaction_max_timeout_ms;
        if request.transaction_timeout_ms <= 0 || i64::from(request.transaction_timeout_ms) > longest {
            return Err(ErrorCode::InvalidTransactionTimeout);
        }
        if !self.check_id(id)? {
            let producer_id = self.producer_ids.next().ok_or(ErrorCode::CoordinatorLoadInProgress);
            self.ask_for_wanted_producer_ids(ctx);
            let new = TxnMetadata::new(producer_id?, request.transaction_timeout_ms, self.clock.wall);
            let partition = self.txn_partition(id);
            if let Some(shard) = self.transactions.shards.get_mut(&partition) {
                shard.ids.insert(id.clone(), Rc::new(new));
            }
        }
        let expected = Some((request.producer_id, request.producer_epoch)).filter(|(id, _)| *id != -1);
        let timeout = request.transaction_timeout_ms;
        self.with_id(id, ctx, |txn, now, new_id| {
            requests::init(txn, timeout, expected, now, new_id)
        })
    }

    // ---- partitions ----

    pub(in crate::kafka::broker) fn serve_add_partitions(
        &mut self,
        asker: Asker,
        request: &AddPartitionsToTxnRequest,
        ctx: &mut Ctx,
    ) {
        match (request.from_broker, &request.transactions[..]) {
            (false, [txn]) => self.add_for_client(asker, txn, ctx),
            _ => self.add_for_brokers(asker, request, ctx),
        }
    }

    /// All or nothing: one unknown topic refuses them all.
    fn add_for_client(&mut self, asker: Asker, txn: &AddPartitionsTxn, ctx: &mut Ctx) {
        let id = &txn.transactional_id;
        let unknown = |p: &NamedPartition| !self.knows(p);
        if txn.partitions.iter().any(unknown) {
            let error = |p: &NamedPartition| match unknown(p) {
                true => ErrorCode::UnknownTopicOrPartition,
                false => ErrorCode::OperationNotAttempted,
            };
            let results = txn.partitions.iter().map(|p| (p.clone(), error(p))).collect();
            let transactions = vec![(id.clone(), results)];
            return self.reply(asker, AddPartitionsToTxnResponse { transactions }.into(), ctx);
        }
        let producer = (txn.producer_id, txn.producer_epoch);
        let done = self.with_id(id, ctx, |meta, now, _| {
            requests::add(meta, producer, &txn.partitions, 0, now)
        });
        match done {
            Ok(Some(value)) => {
                let then = Then::AddForClient(asker, txn.partitions.clone());
                self.append_transaction(id, value, then, ctx);
            }
            Ok(None) => self.answer_added(asker, id, &txn.partitions, ErrorCode::None, ctx),
            Err(error) => {
                self.note_refused(id, "AddPartitionsToTxn", error, ctx);
                self.answer_added(asker, id, &txn.partitions, error, ctx);
            }
        }
    }

    fn answer_added(
        &mut self,
        asker: Asker,
        id: &Rc<str>,
        partitions: &[NamedPartition],
        error: ErrorCode,
        ctx: &mut Ctx,
    ) {
        let transactions = vec![added(id, partitions, error)];
        self.reply(asker, AddPartitionsToTxnResponse { transactions }.into(), ctx);
    }

    /// Is it a partition of a topic, as this broker's metadata have it?
    pub(in crate::kafka::broker) fn knows(&self, partition: &NamedPartition) -> bool {
        let topic = self.image().topic_by_name(&partition.topic);
        topic.is_some_and(|topic| (0..topic.partitions).contains(&partition.partition))
    }

    /// A leader asks for several transactions at once; the answer waits for all of them.
    fn add_for_brokers(&mut self, asker: Asker, request: &AddPartitionsToTxnRequest, ctx: &mut Ctx) {
        let batch = self.transactions.token();
        let mut results = Vec::with_capacity(request.transactions.len());
        let mut waits = Vec::new();
        for (index, txn) in request.transactions.iter().enumerate() {
            let id = &txn.transactional_id;
            if txn.verify_only {
                results.push(self.verify(txn));
                continue;
            }
            let producer = (txn.producer_id, txn.producer_epoch);
            let done = self.with_id(id, ctx, |meta, now, _| {
                requests::add(meta, producer, &txn.partitions, 2, now)
            });
            let error = match done {
                Ok(Some(value)) => {
                    waits.push((id.clone(), value, index));
                    ErrorCode::None
                }
                Ok(None) => ErrorCode::None,
                Err(error) => {
                    self.note_refused(id, "AddPartitionsToTxn", error, ctx);
                    error
                }
            };
            results.push(added(id, &txn.partitions, error));
        }
        self.transactions
            .questions
            .open_batch(batch, asker, results, waits.len());
        for (id, value, index) in waits {
            self.append_transaction(&id, value, Then::AddForBroker(batch, index), ctx);
        }
        self.answer_batch(batch, ctx);
    }

    fn verify(&self, txn: &AddPartitionsTxn) -> AddedPartitions {
        let id = &txn.transactional_id;
        let producer = (txn.producer_id, txn.producer_epoch);
        let known = self.check_id(id);
        let partition = self.txn_partition(id);
        let error = |p: &NamedPartition| match (&known, self.transactions.get(partition, id)) {
            (Err(error), _) => *error,
            (Ok(_), Some((_, meta))) => requests::verify(meta, producer, p),
            (Ok(_), None) => ErrorCode::InvalidProducerIdMapping,
        };
        let results = txn.partitions.iter().map(|p| (p.clone(), error(p))).collect();
        (id.clone(), results)
    }

    /// Answers a leader when all its transactions have an answer.
    fn answer_batch(&mut self, batch: u64, ctx: &mut Ctx) {
        if let Some((asker, transactions)) = self.transactions.questions.take_batch(batch) {
            self.reply(asker, AddPartitionsToTxnResponse { transactions }.into(), ctx);
        }
    }

    pub(in crate::kafka::broker) fn serve_add_offsets(
        &mut self,
        asker: Asker,
        request: &AddOffsetsToTxnRequest,
        ctx: &mut Ctx,
    ) {
        let id = &request.transactional_id;
        let producer = (request.producer_id, request.producer_epoch);
        let partition = self.offsets_partition(&request.group);
        let done = self.with_id(id, ctx, |meta, now, _| {
            requests::add(meta, producer, std::slice::from_ref(&partition), 0, now)
        });
        let error = match done {
            Ok(Some(value)) => return self.append_transaction(id, value, Then::AddOffsets(asker), ctx),
            Ok(None) => ErrorCode::None,
            Err(error) => {
                self.note_refused(id, "AddOffsetsToTxn", error, ctx);
                error
            }
        };
        self.reply(asker, AddOffsetsToTxnResponse { error }.into(), ctx);
    }

    /// The partition of `__consumer_offsets` that a group belongs to.
    pub(super) fn offsets_partition(&self, group: &str) -> NamedPartition {
        let topic = self.image().topic_by_name(OFFSETS_TOPIC);
        let count = topic.map_or(self.setup.config.offsets_topic_num_partitions, |topic| topic.partitions);
        NamedPartition {
            topic: OFFSETS_TOPIC.into(),
            partition: crate::kafka::hash::coordinator_partition(group, count.max(1)),
        }
    }

    // ---- the end ----

    pub(in crate::kafka::broker) fn serve_end_txn(&mut self, asker: Asker, request: &EndTxnRequest, ctx: &mut Ctx) {
        let how = Ending {
            producer_id: request.producer_id,
            epoch: request.producer_epoch,
            commit: request.committed,
            from_client: true,
            version: if request.v2 { 2 } else { 0 },
        };
        let id = request.transactional_id.clone();
        self.end_transaction(&id, how, Some(asker), false, ctx);
    }

    fn end_transaction(&mut self, id: &Rc<str>, how: Ending, asker: Option<Asker>, init: bool, ctx: &mut Ctx) {
        let ended = self.with_id(id, ctx, |meta, now, new_id| requests::end(meta, how, now, new_id));
        match ended {
            Ok(End::Write { value, fence }) => {
                let then = Then::End {
                    asker,
                    init,
                    how,
                    fence,
                };
                self.append_transaction(id, value, then, ctx);
            }
            Ok(End::Repeated(producer_id, epoch)) => {
                self.answer_end(asker, init, ErrorCode::None, (producer_id, epoch), ctx);
            }
            Err(error) => {
                self.note_refused(id, "EndTxn", error, ctx);
                self.answer_end(asker, init, error, (-1, -1), ctx);
            }
        }
    }

    /// A new producer whose predecessor was fenced asks again.
    fn answer_end(&mut self, asker: Option<Asker>, init: bool, error: ErrorCode, next: (i64, i16), ctx: &mut Ctx) {
        let Some(asker) = asker else { return };
        let body = match (init, error) {
            (true, ErrorCode::None) => init_answer(ErrorCode::ConcurrentTransactions, -1, -1),
            (true, error) => init_answer(error, -1, -1),
            (false, error) => end_answer(error, next.0, next.1),
        };
        self.reply(asker, body, ctx);
    }

    /// What an id became is committed.
    pub(super) fn follow_append(&mut self, append: Append, ctx: &mut Ctx) {
        let id = append.id;
        match append.then {
            Then::Init(asker) => {
                let partition = self.txn_partition(&id);
                let value = self.transactions.get(partition, &id).map(|(_, txn)| &txn.value);
                let (producer_id, epoch) = value.map_or((-1, -1), |value| (value.producer_id, value.epoch));
                self.reply(asker, init_answer(ErrorCode::None, producer_id, epoch), ctx);
            }
            Then::AddForClient(asker, partitions) => {
                self.answer_added(asker, &id, &partitions, ErrorCode::None, ctx);
            }
            Then::AddOffsets(asker) => {
                let error = ErrorCode::None;
                self.reply(asker, AddOffsetsToTxnResponse { error }.into(), ctx);
            }
            Then::AddForBroker(batch, index) => {
                self.transactions.questions.settle(batch, index, ErrorCode::None);
                self.answer_batch(batch, ctx);
            }
            Then::End { asker, init, how, .. } => self.outcome_decided(&id, how, asker, init, ctx),
            Then::Complete | Then::Expire => {}
        }
    }

    fn outcome_decided(&mut self, id: &Rc<str>, how: Ending, asker: Option<Asker>, init: bool, ctx: &mut Ctx) {
        let partition = self.txn_partition(id);
        let epoch = self.transactions.shards.get(&partition).map_or(-1, |shard| shard.epoch);
        let next = self.with_id(id, ctx, |meta, now, _| requests::markers_may_go(meta, how, now));
        match next {
            Err(error) => self.answer_end(asker, init, error, (-1, -1), ctx),
            Ok(next) => {
                let told = match how.version >= 2 {
                    true => (next.producer_id, next.epoch),
                    false => (-1, -1),
                };
                self.answer_end(asker, init, ErrorCode::None, told, ctx);
                self.send_markers(partition, epoch, id, next, ctx);
            }
        }
    }

    /// It could not be written.
    pub(super) fn refuse_append(&mut self, then: Then, error: ErrorCode, ctx: &mut Ctx) {
        match then {
            Then::Init(asker) => self.reply(asker, init_answer(error, -1, -1), ctx),
            Then::AddForClient(asker, partitions) => {
                let id: Rc<str> = "".into();
                self.answer_added(asker, &id, &partitions, error, ctx);
            }
            Then::AddOffsets(asker) => self.reply(asker, AddOffsetsToTxnResponse { error }.into(), ctx),
            Then::AddForBroker(batch, index) => {
                self.transactions.questions.settle(batch, index, error);
                self.answer_batch(batch, ctx);
            }
            Then::End { asker, init, .. } => self.answer_end(asker, init, error, (-1, -1), ctx),
            Then::Complete | Then::Expire => {}
        }
    }

    /// Aborts transactions that are open for too long. [TransactionCoordinator.abortTimedOutTransactions]
    pub(in crate::kafka::broker) fn abort_timed_out_transactions(&mut self, ctx: &mut Ctx) {
        let now = self.clock.wall;
        let over = |txn: &TxnMetadata| {
            let value = &txn.value;
            txn.pending.is_none() && value.start + i64::from(value.timeout_ms) < now
        };
        let late: Vec<Rc<str>> = self
            .transactions
            .ongoing()
            .filter(|(_, txn)| over(txn))
            .map(|(id, _)| id.clone())
            .collect();
        for id in late {
            let partition = self.txn_partition(&id);
            let Some((_, txn)) = self.transactions.get_mut(partition, &id) else {
                continue;
            };
            let timeout_ms = txn.value.timeout_ms;
            let (producer_id, epoch) = txn.fence();
            let how = Ending {
                producer_id,
                epoch,
                commit: false,
                from_client: false,
                version: server_version(self),
            };
            ctx.note(Note::Txn(TxnNote::TimedOut {
                id: id.clone(),
                timeout_ms,
            }));
            self.end_transaction(&id, how, None, false, ctx);
        }
        self.arm_transaction_checks(ctx);
    }

    // ---- what operators ask ----

    pub(in crate::kafka::broker) fn serve_list_transactions(&mut self, asker: Asker, ctx: &mut Ctx) {
        let mut transactions = Vec::new();
        for shard in self.transactions.shards.values() {
            let there = shard.ids.iter().filter(|(_, txn)| txn.pending != Some(TxnState::Dead));
            transactions.extend(there.map(|(id, txn)| {
                let state = txn.value.state.name();
                (id.clone(), txn.value.producer_id, Rc::from(state))
            }));
        }
        let error = match self.transactions.partitions {
            0 => ErrorCode::CoordinatorNotAvailable,
            _ if !self.transactions.loading.is_empty() => ErrorCode::CoordinatorLoadInProgress,
            _ => ErrorCode::None,
        };
        self.reply(asker, ListTransactionsResponse { error, transactions }.into(), ctx);
    }

    pub(in crate::kafka::broker) fn serve_describe_transactions(
        &mut self,
        asker: Asker,
        request: &DescribeTransactionsRequest,
        ctx: &mut Ctx,
    ) {
        let transactions = request
            .transactional_ids
            .iter()
            .map(|id| self.describe_txn(id))
            .collect();
        self.reply(asker, DescribeTransactionsResponse { transactions }.into(), ctx);
    }

    fn describe_txn(&self, id: &Rc<str>) -> DescribedTransaction {
        let known = self.check_id(id);
        let found = self.transactions.get(self.txn_partition(id), id);
        let (error, value) = match (known, found) {
            (Err(error), _) => (error, None),
            (Ok(_), None) => (ErrorCode::TransactionalIdNotFound, None),
            (Ok(_), Some((_, txn))) => (ErrorCode::None, Some(&txn.value)),
        };
        DescribedTransaction {
            error,
            transactional_id: id.clone(),
            state: value.map_or("", |value| value.state.name()).into(),
            timeout_ms: value.map_or(0, |value| value.timeout_ms),
            start_time: value.map_or(-1, |value| value.start),
            producer_id: value.map_or(-1, |value| value.producer_id),
            producer_epoch: value.map_or(-1, |value| value.epoch),
            partitions: value.map_or(Vec::new(), |value| value.partitions.iter().cloned().collect()),
        }
    }
}
