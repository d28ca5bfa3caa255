//! `__transaction_state`: loading it, appending to it, and what follows when an append is committed.
//! [TransactionStateManager]

use super::TxnShard;
use crate::kafka::broker::BrokerTimer;
use crate::kafka::broker::coordinator::TRANSACTIONS_TOPIC;
use crate::kafka::broker::purgatory::{Delayed, DelayedProduce, Waiter};
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::hash::coordinator_partition;
use crate::kafka::log::append::LeaderAppend;
use crate::kafka::log::batch::{BatchBuilder, no_headers};
use crate::kafka::log::files::LogFiles;
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::ProducedPartition;
use crate::kafka::transactions::note::TxnNote;
use crate::kafka::transactions::requests::Ending;
use crate::kafka::transactions::{TxnMetadata, TxnState, TxnValue, records};
use crate::kafka::types::{Bytes, NamedPartition, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::Span;
use std::rc::Rc;

/// How long a completed transaction waits before it is appended again after an error that may pass.
const APPEND_AGAIN: Span = Span::ms(100);

/// What follows when an append is committed, or fails.
#[derive(Clone, Debug)]
pub(super) enum Then {
    /// Answer InitProducerId.
    Init(Asker),
    /// Partitions were added for a client (version 1), or by AddOffsetsToTxn.
    AddForClient(Asker, Vec<NamedPartition>),
    AddOffsets(Asker),
    /// Partitions were added for a leader.
    AddForBroker(u64, usize),
    /// The outcome is decided: answer, and send markers. `asker` is none after a time-out; `init`: it waits for a new
    /// producer id.
    End {
        asker: Option<Asker>,
        init: bool,
        how: Ending,
        fence: bool,
    },
    /// All markers are written.
    Complete,
    /// A tombstone.
    Expire,
}

/// An append that waits.
#[derive(Clone, Debug)]
pub(super) struct Append {
    pub id: Rc<str>,
    partition: i32,
    epoch: i32,
    /// `None`: a tombstone.
    value: Option<TxnValue>,
    pub then: Then,
}

/// The error of an append as clients are told it. [TransactionStateManager.appendTransactionToLog]
fn of_append(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => ErrorCode::UnknownServerError,
        other => other,
    }
}

impl Server {
    /// The first metadata are known.
    pub(in crate::kafka::broker) fn start_transactions(&mut self, ctx: &mut Ctx) {
        let config = &self.setup.config;
        let known = self
            .image()
            .topic_by_name(TRANSACTIONS_TOPIC)
            .map(|topic| topic.partitions);
        self.transactions.partitions = known.unwrap_or(config.transaction_state_log_num_partitions);
        self.arm_transaction_checks(ctx);
        let expiry = Span::from_ms(
            self.setup
                .config
                .transaction_remove_expired_transaction_cleanup_interval_ms,
        );
        set_timer(ctx, expiry, BrokerTimer::ExpireTransactionalIds);
    }

    pub(super) fn arm_transaction_checks(&mut self, ctx: &mut Ctx) {
        let every = self
            .setup
            .config
            .transaction_abort_timed_out_transaction_cleanup_interval_ms;
        set_timer(ctx, Span::from_ms(every), BrokerTimer::AbortTimedOutTransactions);
    }

    /// Which partition of `__transaction_state` an id belongs to.
    pub(super) fn txn_partition(&self, id: &str) -> i32 {
        coordinator_partition(id, self.transactions.partitions.max(1))
    }

    /// This broker leads a partition of `__transaction_state` in a new epoch, and its ids are about to be read.
    pub(in crate::kafka::broker) fn begin_transaction_load(&mut self, partition: i32, epoch: i32) {
        self.transactions.shards.remove(&partition);
        self.transactions.loading.insert(partition, epoch);
    }

    /// The ids of a partition of `__transaction_state` are read from its log.
    pub(in crate::kafka::broker) fn load_transactions(
        &mut self,
        partition: i32,
        epoch: i32,
        (files, start): (&LogFiles, i64),
        ctx: &mut Ctx,
    ) {
        if self.transactions.loading.get(&partition) != Some(&epoch) {
            return;
        }
        self.transactions.loading.remove(&partition);
        let mut ids: OrderedMap<Rc<str>, Rc<TxnMetadata>> = OrderedMap::new();
        let batches = files
            .batches()
            .filter(|batch| batch.last_offset >= start && batch.control.is_none());
        for (_, record) in batches.flat_map(|batch| batch.iter()) {
            let Some(id) = record.key.as_deref().and_then(records::decode_key) else {
                continue;
            };
            match record.value.as_deref().and_then(records::decode) {
                Some(value) => drop(ids.insert(id, Rc::new(TxnMetadata::of(value)))),
                None => drop(ids.remove(&id)),
            }
        }
        ctx.note(Note::Txn(TxnNote::Loaded {
            partition,
            epoch,
            ids: ids.len(),
        }));
        self.drop_markers_of(partition);
        let decided: Vec<Rc<str>> = ids
            .iter()
            .filter(|(_, txn)| txn.value.state.is_prepared())
            .map(|(id, _)| id.clone())
            .collect();
        self.transactions.shards.insert(partition, TxnShard { epoch, ids });
        let now = self.clock.wall;
        for id in decided {
            if let Some((_, txn)) = self.transactions.get_mut(partition, &id) {
                let next = txn.prepare_complete(now);
                self.send_markers(partition, epoch, &id, next, ctx);
            }
        }
    }

    /// This broker does not lead the partition any more.
    pub(in crate::kafka::broker) fn unload_transactions(&mut self, partition: i32, ctx: &mut Ctx) {
        self.transactions.loading.remove(&partition);
        if let Some(shard) = self.transactions.shards.remove(&partition) {
            ctx.note(Note::Txn(TxnNote::Unloaded {
                partition,
                ids: shard.ids.len(),
            }));
        }
        self.drop_markers_of(partition);
    }

    /// Appends what an id is to become; `then` follows when it is committed or fails.
    pub(super) fn append_transaction(&mut self, id: &Rc<str>, value: TxnValue, then: Then, ctx: &mut Ctx) {
        let partition = self.txn_partition(id);
        let epoch = self.transactions.shards.get(&partition).map_or(-1, |shard| shard.epoch);
        let limit = Span::from_ms(i64::from(value.timeout_ms));
        let append = Append {
            id: id.clone(),
            partition,
            epoch,
            value: Some(value),
            then,
        };
        self.append_record(append, limit, ctx);
    }

    fn append_record(&mut self, append: Append, limit: Span, ctx: &mut Ctx) {
        let token = self.transactions.token();
        let value = append.value.as_ref().map(records::encode);
        let (key, partition, epoch) = (records::encode_key(&append.id), append.partition, append.epoch);
        self.transactions.appends.insert(token, append);
        let appended = self.append_state(partition, epoch, key, value, ctx);
        let (place, last) = match appended {
            Ok(done) => done,
            Err(error) => return self.transactions.done.push_back((token, error)),
        };
        let produced = ProducedPartition {
            partition: place,
            error: ErrorCode::None,
            message: None,
            record_errors: Vec::new(),
            base_offset: last,
            log_append_time: -1,
            log_start_offset: -1,
            current_leader: None,
        };
        let delayed = Delayed::Produce(DelayedProduce {
            waiter: Waiter::Transactions(token),
            partitions: vec![produced],
            pending: vec![(0, last + 1)],
        });
        self.wait_or_complete(delayed, vec![place], limit, ctx);
    }

    fn append_state(
        &mut self,
        partition: i32,
        epoch: i32,
        key: Bytes,
        value: Option<Bytes>,
        ctx: &mut Ctx,
    ) -> Result<(TopicPartition, i64), ErrorCode> {
        let topic = self.image().ids.get(TRANSACTIONS_TOPIC).copied();
        let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let place = TopicPartition::new(topic, partition);
        let mut builder = BatchBuilder::new(0);
        let wall = self.clock.wall;
        let record = builder.append_next(wall.max(0), Some(key), value, no_headers(), 0);
        record.map_err(|_| ErrorCode::UnknownServerError)?;
        let batch = builder.build(None).map_err(|_| ErrorCode::UnknownServerError)?;
        let how = LeaderAppend::coordinator(epoch, wall);
        let appended = self.append_local(place, batch, how, -1, ctx);
        appended.map(|a| (place, a.last_offset)).map_err(|error| error.code)
    }

    /// An append is committed, or failed.
    pub(super) fn append_done(&mut self, token: u64, error: ErrorCode, ctx: &mut Ctx) {
        let Some(append) = self.transactions.appends.remove(&token) else {
            return;
        };
        let mut error = of_append(error);
        let here = self.transactions.get(append.partition, &append.id);
        let same = here.is_some_and(|(epoch, _)| epoch == append.epoch);
        if !same {
            error = ErrorCode::NotCoordinator;
        }
        if error != ErrorCode::None {
            ctx.note(Note::Txn(TxnNote::AppendFailed {
                id: append.id.clone(),
                error,
            }));
            return self.append_failed(append, error, same, ctx);
        }
        match &append.value {
            Some(value) => {
                let (id, next) = (append.id.clone(), value.clone());
                self.note_became(append.partition, &id, &next, ctx);
                if let Some((_, txn)) = self.transactions.get_mut(append.partition, &id) {
                    txn.complete(next);
                }
            }
            None => {
                if let Some(shard) = self.transactions.shards.get_mut(&append.partition) {
                    shard.ids.remove(&append.id);
                }
                ctx.note(Note::Txn(TxnNote::Expired {
                    id: append.id.clone(),
                    after_ms: self.setup.config.transactional_id_expiration_ms,
                }));
            }
        }
        self.follow_append(append, ctx);
    }

    fn note_became(&self, partition: i32, id: &Rc<str>, next: &TxnValue, ctx: &mut Ctx) {
        if let Some((_, txn)) = self.transactions.get(partition, id) {
            ctx.note(Note::Txn(TxnNote::Became {
                id: id.clone(),
                from: txn.value.state,
                to: next.state,
                producer_id: next.producer_id,
                epoch: next.epoch,
                partitions: next.partitions.len(),
                timeout_ms: next.timeout_ms,
            }));
        }
    }

    fn append_failed(&mut self, append: Append, error: ErrorCode, same: bool, ctx: &mut Ctx) {
        let complete = matches!(append.then, Then::Complete);
        if complete && same && error == ErrorCode::CoordinatorNotAvailable {
            // The outcome is decided and told: it is written again until it can be.
            let token = self.transactions.token();
            self.transactions.appends.insert(token, append);
            set_timer(ctx, APPEND_AGAIN, BrokerTimer::AppendTransactionAgain(token));
            return;
        }
        if let Some((_, txn)) = self.transactions.get_mut(append.partition, &append.id).filter(|_| same) {
            txn.pending = None;
            if let Then::End { fence: true, how, .. } = &append.then
                && how.version < 2
            {
                txn.failed_fence = true;
            }
        }
        self.refuse_append(append.then, error, ctx);
    }

    /// A complete transaction that could not be written is appended again.
    pub(in crate::kafka::broker) fn append_again(&mut self, token: u64, ctx: &mut Ctx) {
        let Some(append) = self.transactions.appends.remove(&token) else {
            return;
        };
        let here = self.transactions.get(append.partition, &append.id);
        let limit = append.value.as_ref().map_or(0, |value| value.timeout_ms);
        if here.is_some_and(|(epoch, _)| epoch == append.epoch) {
            self.append_record(append, Span::from_ms(i64::from(limit)), ctx);
        }
    }

    /// Looks for ids that nobody used for long. [TransactionStateManager.removeExpiredTransactionalIds]
    pub(in crate::kafka::broker) fn expire_transactional_ids(&mut self, ctx: &mut Ctx) {
        let (now, after) = (self.clock.wall, self.setup.config.transactional_id_expiration_ms);
        let mut old = Vec::new();
        for (partition, shard) in &mut self.transactions.shards {
            for (id, txn) in &mut shard.ids {
                let idle = txn.value.state.is_idle() && txn.pending.is_none();
                if idle && txn.value.updated <= now - after {
                    Rc::make_mut(txn).pending = Some(TxnState::Dead);
                    old.push((id.clone(), *partition, shard.epoch));
                }
            }
        }
        let limit = Span::from_ms(self.setup.config.request_timeout_ms);
        for (id, partition, epoch) in old {
            let append = Append {
                id,
                partition,
                epoch,
                value: None,
                then: Then::Expire,
            };
            self.append_record(append, limit, ctx);
        }
        let every = self
            .setup
            .config
            .transaction_remove_expired_transaction_cleanup_interval_ms;
        set_timer(ctx, Span::from_ms(every), BrokerTimer::ExpireTransactionalIds);
    }
}
