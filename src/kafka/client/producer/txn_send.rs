//! The sender's part of transactions: which request goes to whom and when, and the calls that wait.
//! [Sender.maybeSendAndPollTransactionalRequest, KafkaProducer]

use super::client::Producer;
use super::idempotence::Identity;
use super::order::{NewRecord, TransactionCall};
use super::rules;
use super::txn::{Ask, Handler, ResultId, Txn};
use super::txn_state::TxnState;
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::client::log::loggers;
use crate::kafka::client::network::{RequestId, node_text};
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::Body;
use crate::kafka::protocol::data::{BrokerNode, InitProducerIdRequest};
use crate::kafka::protocol::groups::{CoordinatorKind, FindCoordinatorRequest};
use crate::kafka::protocol::transactions::*;
use crate::kafka::rule::Weight;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// Pause before partitions are added again while the previous transaction completes.
const ADD_AGAIN: Span = Span::ms(20);

/// A request that has left the queue and waits for its node, or for the end of a pause.
#[derive(Clone, Debug)]
pub struct Held {
    handler: Handler,
    node: BrokerNode,
    /// The node must be ready by then.
    until: Time,
    /// Not before this: the request was tried before.
    pause: Option<Time>,
}

/// A call that waits for its result.
#[derive(Clone, Debug)]
pub struct WaitingCall {
    call: CallId,
    result: ResultId,
    deadline: Time,
    /// What the exception says if nothing came by then.
    text: &'static str,
    init: bool,
}

/// A call that waits for those before it.
#[derive(Clone, Debug)]
pub enum Turn {
    Transaction(CallId, TransactionCall),
    Send(CallId, Vec<NewRecord>, bool),
}

/// What the sender does about transactions right now.
#[derive(Clone, Debug, Default)]
pub struct TxnSender {
    pub held: Option<Held>,
    pub in_flight: Option<(RequestId, Handler)>,
    pub waiting: Vec<WaitingCall>,
    /// Calls of an application that makes one after the other, and that wait for those before them.
    pub turn: VecDeque<Turn>,
    /// The application works so.
    pub in_turn: bool,
    /// The sender sleeps until then.
    pub sleeps: Option<Time>,
}

/// Id and epoch before any were given.
pub const NOBODY: Identity = Identity { id: -1, epoch: -1 };

impl Producer {
    pub(super) fn identity_or_none(&self) -> Identity {
        self.identity().unwrap_or(NOBODY)
    }

    // ---- calls ----

    /// A call about transactions. It returns at once, or when its result is there.
    pub(super) fn begin_transactional(&mut self, call: CallId, what: TransactionCall, ctx: &mut Ctx) {
        match self.try_transactional(call, what, ctx) {
            Ok(true) => {}
            Ok(false) => self.returned(call, Ok(()), ctx),
            Err(error) => self.returned(call, Err(error), ctx),
        }
    }

    /// A call whose turn may not have come.
    pub(super) fn wait_for_turn(&mut self, turn: Turn, ctx: &mut Ctx) {
        self.txn_sender.in_turn = true;
        self.txn_sender.turn.push_back(turn);
        self.take_turns(ctx);
    }

    /// Whether the application's thread is in a call: it waits for a result, or `send()` for metadata or memory.
    fn is_in_call(&self) -> bool {
        !self.txn_sender.waiting.is_empty() || self.calls.blocks().next().is_some()
    }

    /// Whether records have to wait for calls about transactions that were made before.
    pub(super) fn sends_in_turn(&self) -> bool {
        self.txn_sender.in_turn && (!self.txn_sender.turn.is_empty() || !self.txn_sender.waiting.is_empty())
    }

    /// Begins the calls whose turn it is. Whether there were any: the sender wakes up for these.
    pub(super) fn take_turns(&mut self, ctx: &mut Ctx) -> bool {
        let mut began = false;
        while !self.txn_sender.turn.is_empty() && !self.is_in_call() {
            began = true;
            let (call, what) = match self.txn_sender.turn.pop_front() {
                Some(Turn::Transaction(call, what)) => (call, what),
                Some(Turn::Send(call, records, flush)) => {
                    self.calls.begin(call, records, flush);
                    self.hand_over(ctx);
                    continue;
                }
                None => break,
            };
            let state = self.txn.as_ref().map(|txn| txn.state);
            if what == TransactionCall::Init && state.is_some_and(|state| state != TxnState::Uninitialized) {
                self.returned(call, Ok(()), ctx);
            } else {
                self.begin_transactional(call, what, ctx);
            }
        }
        began
    }

    fn returned(&self, call: CallId, result: Result<(), ClientError>, ctx: &mut Ctx) {
        let result = result.map(|()| Rc::new(Answer::Done));
        ctx.note(Note::from(Fact::Returned { call, result }));
    }

    /// Whether it waits.
    fn try_transactional(&mut self, call: CallId, what: TransactionCall, ctx: &mut Ctx) -> Result<bool, ClientError> {
        let identity = self.identity_or_none();
        let version = self.net.transaction_version;
        let refused = self.refuse_transaction();
        let closed = self.is_closed();
        let Some(txn) = &mut self.txn else {
            return Err(refused);
        };
        if closed {
            return Err(ClientError::new(
                "IllegalStateException",
                "Cannot perform operation after producer has been closed",
            ));
        }
        let (result, text) = match what {
            TransactionCall::Init => (
                txn.init(identity)?,
                "InitTransactions timed out - did not complete coordinator discovery or receive the InitProducerId response within max.block.ms.",
            ),
            TransactionCall::Begin => {
                txn.begin(identity)?;
                return Ok(false);
            }
            TransactionCall::Commit => (
                txn.end(true, identity, version)?,
                "CommitTransaction timed out - did not complete EndTxn with the transaction coordinator within max.block.ms",
            ),
            TransactionCall::Abort => (
                txn.end(false, identity, version)?,
                "AbortTransaction timed out - did not complete EndTxn(abort) with the transaction coordinator within max.block.ms",
            ),
            TransactionCall::SendOffsets { offsets, .. } if offsets.is_empty() => return Ok(false),
            TransactionCall::SendOffsets { offsets, group } => (
                txn.send_offsets(offsets, group, identity)?,
                "SendOffsetsToTransaction timed out - did not reach the coordinator or receive the TxnOffsetCommit/AddOffsetsToTxn response within max.block.ms",
            ),
        };
        self.txn_sender.waiting.push(WaitingCall {
            call,
            result,
            deadline: ctx.now() + Span::from_ms(self.config.max_block_ms),
            text,
            init: matches!(text.as_bytes().first(), Some(b'I')),
        });
        Ok(true)
    }

    /// Calls whose result is there, or whose time is over, return.
    /// Says whether others began in their place: the sender wakes up for these.
    pub(super) fn return_transactional(&mut self, ctx: &mut Ctx) -> bool {
        if self.txn_sender.waiting.is_empty() {
            return false;
        }
        let version = self.net.transaction_version;
        let Some(txn) = &mut self.txn else { return false };
        let mut returned = Vec::new();
        self.txn_sender.waiting.retain(|waiting| {
            let result = txn.take(waiting.result);
            if waiting.init && result == Some(Ok(())) {
                txn.learn_version(version, true);
            }
            let timed_out = || ClientError::new("TimeoutException", waiting.text);
            let over = ctx.now() >= waiting.deadline;
            match result.or_else(|| over.then(|| Err(timed_out()))) {
                Some(result) => {
                    returned.push((waiting.call, result));
                    false
                }
                None => true,
            }
        });
        let some = !returned.is_empty();
        for (call, result) in returned {
            self.returned(call, result, ctx);
        }
        some && self.take_turns(ctx)
    }

    /// When the next of them gives up.
    pub(super) fn transactional_deadline(&self) -> Time {
        let calls = self.txn_sender.waiting.iter().map(|waiting| waiting.deadline);
        let held = self.txn_sender.held.iter().map(|held| held.pause.unwrap_or(held.until));
        let sleeps = self.txn_sender.sleeps;
        calls.chain(held).chain(sleeps).min().unwrap_or(Time::NEVER)
    }

    // ---- closing ----

    /// The producer closes: an open transaction is aborted first. Whether anything is left to do.
    pub(super) fn close_transaction(&mut self) -> bool {
        let identity = self.identity_or_none();
        let version = self.net.transaction_version;
        let Some(txn) = &mut self.txn else { return false };
        if !txn.state.is_ongoing() {
            return false;
        }
        if txn.state.is_completing() || txn.has_requests() || self.txn_sender.held.is_some() {
            return true;
        }
        txn.end(false, identity, version).is_ok()
    }

    // ---- the sender ----

    /// Sends the next transactional request. True: nothing else is sent meanwhile.
    pub(super) fn drive_transaction(&mut self, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        if let Some(until) = self.txn_sender.sleeps {
            if now < until {
                return true;
            }
            self.txn_sender.sleeps = None;
        }
        if self.txn_sender.in_flight.is_some() {
            return true;
        }
        if self.txn_sender.held.is_none() {
            self.abort_undrained(ctx);
            let incomplete = !self.incomplete.is_empty();
            let Some(handler) = self.txn.as_mut().and_then(|txn| txn.next(incomplete)) else {
                return false;
            };
            if !self.hold(handler, ctx) {
                return true;
            }
        }
        self.send_held(ctx);
        true
    }

    /// Batches of a transaction that can't be committed any more do not go out.
    fn abort_undrained(&mut self, ctx: &mut Ctx) {
        let Some(txn) = &self.txn else { return };
        let error = match txn.state {
            TxnState::AbortableError => txn.last_error.clone(),
            TxnState::Aborting => Some(ClientError::new(
                "TransactionAbortedException",
                "Failing batch since transaction was aborted",
            )),
            _ => None,
        };
        let Some(error) = error else { return };
        // A batch that was sent before must come to its end. [RecordAccumulator.abortUndrainedBatches]
        let undrained = self.accumulator.take_all(|batch| !batch.has_sequence());
        for batch in undrained {
            self.finish_failed(&batch, &error, ctx);
            self.release(&batch);
        }
    }

    /// Finds the node of a request; false if there is none now.
    fn hold(&mut self, handler: Handler, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let kind = handler.ask.coordinator();
        let node = match (kind, &self.txn) {
            (Some(CoordinatorKind::Transaction), Some(txn)) => txn.coordinator.clone(),
            (Some(CoordinatorKind::Group), Some(txn)) => txn.group_coordinator.clone(),
            _ => self.net.least_loaded(now),
        };
        match node {
            Some(node) => {
                self.txn_sender.held = Some(Held {
                    handler,
                    node,
                    until: now + Span::from_ms(self.config.request_timeout_ms),
                    pause: None,
                });
                true
            }
            None if kind.is_some() => {
                self.find_coordinator_and_retry(handler, false, ctx);
                false
            }
            None => {
                if let Some(txn) = &mut self.txn {
                    txn.retry(handler);
                }
                self.sleep(ctx);
                false
            }
        }
    }

    fn sleep(&mut self, ctx: &Ctx) {
        self.txn_sender.sleeps = Some(ctx.now() + Span::from_ms(self.config.retry_backoff_ms));
    }

    /// [Sender.maybeFindCoordinatorAndRetry]
    fn find_coordinator_and_retry(&mut self, handler: Handler, failed: bool, ctx: &mut Ctx) {
        let kind = handler.ask.coordinator();
        if let Some(txn) = &mut self.txn {
            if let Some(kind) = kind {
                let key = coordinator_key(txn, &handler.ask);
                txn.look_up(kind, key);
            }
            txn.retry(handler);
        }
        if kind.is_none() || failed {
            // A real sender asks again and again while the connection may not be tried: the answers would not differ.
            self.sleep(ctx);
            self.net.metadata.request_update();
        }
    }

    /// Sends the request that is held, as soon as its node is ready and its pause over.
    fn send_held(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let Some(mut held) = self.txn_sender.held.take() else {
            return;
        };
        if held.pause.is_none() {
            if !self.net.ready(&held.node, ctx) {
                let failed = self.net.connection_failed(held.node.id);
                if failed || now >= held.until {
                    return self.find_coordinator_and_retry(held.handler, failed, ctx);
                }
                self.txn_sender.held = Some(held);
                return;
            }
            if held.handler.retry {
                let pause = match held.handler.soon {
                    true => ADD_AGAIN.min(Span::from_ms(self.config.retry_backoff_ms)),
                    false => Span::from_ms(self.config.retry_backoff_ms),
                };
                held.pause = Some(now + pause);
            }
        }
        if held.pause.is_some_and(|pause| now < pause) {
            self.txn_sender.held = Some(held);
            return;
        }
        let body = self.transactional_request(&held.handler.ask);
        match self.net.send(held.node.id, body, ctx) {
            Some(request) => self.txn_sender.in_flight = Some((request, held.handler)),
            None => self.find_coordinator_and_retry(held.handler, true, ctx),
        }
    }

    fn transactional_request(&self, ask: &Ask) -> Body {
        let identity = self.identity_or_none();
        let id = self.txn.as_ref().map_or_else(|| "".into(), |txn| txn.id.clone());
        match ask {
            Ask::FindCoordinator(kind, key) => FindCoordinatorRequest {
                kind: *kind,
                key: key.clone(),
            }
            .into(),
            Ask::Init(current) => {
                let current = current.unwrap_or(NOBODY);
                InitProducerIdRequest {
                    transactional_id: Some(id),
                    transaction_timeout_ms: i32::try_from(self.config.transaction_timeout_ms).unwrap_or(i32::MAX),
                    producer_id: current.id,
                    producer_epoch: current.epoch,
                }
                .into()
            }
            Ask::AddPartitions(partitions) => AddPartitionsToTxnRequest {
                from_broker: false,
                transactions: vec![AddPartitionsTxn {
                    transactional_id: id,
                    producer_id: identity.id,
                    producer_epoch: identity.epoch,
                    verify_only: false,
                    partitions: partitions.clone(),
                }],
            }
            .into(),
            Ask::AddOffsets(_, group) => AddOffsetsToTxnRequest {
                transactional_id: id,
                producer_id: identity.id,
                producer_epoch: identity.epoch,
                group: group.group.clone(),
            }
            .into(),
            Ask::CommitOffsets(group) => {
                let txn = self.txn.as_ref();
                let offsets = txn.map_or_else(Vec::new, |txn| {
                    txn.offsets
                        .iter()
                        .map(|(p, offset)| (p.clone(), offset.clone()))
                        .collect()
                });
                TxnOffsetCommitRequest {
                    transactional_id: id,
                    group: group.group.clone(),
                    producer_id: identity.id,
                    producer_epoch: identity.epoch,
                    generation: group.generation,
                    member_id: group.member_id.clone(),
                    instance: group.instance.clone(),
                    offsets,
                    v2: txn.is_some_and(|txn| txn.v2),
                }
                .into()
            }
            Ask::End { commit, identity, v2 } => EndTxnRequest {
                transactional_id: id,
                producer_id: identity.id,
                producer_epoch: identity.epoch,
                committed: *commit,
                v2: *v2,
            }
            .into(),
        }
    }

    /// The connection went before the answer came; false if the request was another's.
    pub(super) fn transactional_lost(&mut self, request: RequestId) -> bool {
        let Some((_, handler)) = self.txn_sender.in_flight.take_if(|(sent, _)| *sent == request) else {
            return false;
        };
        if let Some(txn) = &mut self.txn {
            if let Some(kind) = handler.ask.coordinator() {
                let key = coordinator_key(txn, &handler.ask);
                txn.look_up(kind, key);
            }
            txn.retry(handler);
        }
        true
    }

    /// What a coordinator's discovery is logged as.
    pub(super) fn log_discovered(&self, kind: CoordinatorKind, node: &BrokerNode, ctx: &mut Ctx) {
        let kind = match kind {
            CoordinatorKind::Group => "group",
            CoordinatorKind::Transaction => "transaction",
        };
        let text = format!("Discovered {kind} coordinator {}", node_text(node));
        self.log(
            loggers::TRANSACTION_MANAGER.info(text),
            Weight::Detail,
            &rules::TRANSACTIONS,
            ctx,
        );
    }
}

/// What the coordinator of a request is looked up by.
pub(super) fn coordinator_key(txn: &Txn, ask: &Ask) -> Rc<str> {
    match ask {
        Ask::CommitOffsets(group) => group.group.clone(),
        _ => txn.id.clone(),
    }
}
