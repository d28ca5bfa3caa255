//! What the answers to transactional requests mean. [TransactionManager.TxnRequestHandler and its kinds]

use super::client::Producer;
use super::idempotence::Identity;
use super::txn::{Ask, Handler, Txn};
use super::txn_send::coordinator_key;
use super::txn_state::TxnState;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::client::network::RequestId;
use crate::kafka::protocol::groups::{CoordinatorKind, FindCoordinatorResponse};
use crate::kafka::protocol::transactions::AddPartitionsToTxnResponse;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;

fn exception(error: ErrorCode) -> ClientError {
    ClientError::of(error, None)
}

fn kafka(text: &str) -> ClientError {
    ClientError::new("KafkaException", text)
}

impl Txn {
    fn fatal(&mut self, handler: &Handler, error: ClientError) {
        self.settle(handler.result, Err(error.clone()));
        self.fatal_error(error);
    }

    fn abortable(&mut self, handler: &Handler, error: ClientError) {
        self.settle(handler.result, Err(error.clone()));
        self.abortable_error(error);
    }

    /// With transactions version 1 the epoch is raised before the next transaction.
    fn abortable_with_bump(&mut self, handler: &Handler, error: ClientError) {
        if !self.v2 {
            self.bump = true;
        }
        self.abortable(handler, error);
    }

    /// What all kinds have in common; `unexpected`: how the rest is called.
    fn refused(&mut self, handler: Handler, error: ErrorCode, unexpected: &str) {
        match error {
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                let key = coordinator_key(self, &handler.ask);
                self.look_up(CoordinatorKind::Transaction, key);
                self.retry(handler);
            }
            error if error.retriable() => self.retry(handler),
            ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
                self.fatal(&handler, exception(ErrorCode::ProducerFenced));
            }
            ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::InvalidTxnState
            | ErrorCode::InvalidProducerIdMapping
                if !matches!(handler.ask, Ask::Init(_)) =>
            {
                self.fatal(&handler, exception(error));
            }
            ErrorCode::UnknownProducerId if !matches!(handler.ask, Ask::Init(_)) => {
                self.abortable_with_bump(&handler, exception(error));
            }
            ErrorCode::TransactionAbortable if matches!(handler.ask, Ask::End { commit: false, .. }) => {
                let error = kafka("Failed to abort transaction").caused_by(exception(error));
                self.fatal(&handler, error);
            }
            ErrorCode::TransactionAbortable => self.abortable(&handler, exception(error)),
            error => self.fatal(&handler, kafka(&format!("{unexpected} {}", error.message()))),
        }
    }

    fn partitions_added(
        &mut self,
        mut handler: Handler,
        asked: &[NamedPartition],
        answer: &AddPartitionsToTxnResponse,
    ) {
        handler.soon = false;
        let results = answer.transactions.first().map_or(&[][..], |(_, results)| results);
        let mut failed = false;
        for (_, error) in results {
            match error {
                ErrorCode::None => {}
                ErrorCode::ConcurrentTransactions => {
                    handler.soon = self.partitions.is_empty();
                    return self.retry(handler);
                }
                ErrorCode::OperationNotAttempted => failed = true,
                error if is_common(*error) => return self.refused(handler, *error, ""),
                _ => failed = true,
            }
        }
        if failed {
            self.not_added(asked);
            let each = results.iter().map(|(p, error)| format!("{p}={}", error.name()));
            let text = each.collect::<Vec<_>>().join(", ");
            let text = format!("Could not add partitions to transaction due to errors: {{{text}}}");
            return self.abortable(&handler, kafka(&text));
        }
        self.added(asked);
        self.settle(handler.result, Ok(()));
    }

    fn offsets_committed(&mut self, handler: Handler, results: &[(NamedPartition, ErrorCode)]) {
        let mut looked_up = false;
        for (partition, error) in results {
            match error {
                ErrorCode::None => drop(self.offsets.remove(partition)),
                ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator | ErrorCode::RequestTimedOut => {
                    if !looked_up {
                        looked_up = true;
                        let key = coordinator_key(self, &handler.ask);
                        self.look_up(CoordinatorKind::Group, key);
                    }
                }
                error if error.retriable() => {}
                error => {
                    self.offsets_refused(&handler, *error);
                    break;
                }
            }
        }
        if self.is_settled(handler.result) {
            self.offsets.clear();
        } else if self.offsets.is_empty() {
            self.settle(handler.result, Ok(()));
        } else {
            self.retry(handler);
        }
    }

    fn offsets_refused(&mut self, handler: &Handler, error: ErrorCode) {
        match error {
            ErrorCode::FencedInstanceId | ErrorCode::TransactionAbortable => self.abortable(handler, exception(error)),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                let text = format!(
                    "Transaction offset Commit failed due to consumer group metadata mismatch: {}",
                    error.message()
                );
                self.abortable(handler, ClientError::new("CommitFailedException", &text));
            }
            ErrorCode::InvalidProducerEpoch | ErrorCode::ProducerFenced => {
                self.fatal(handler, exception(ErrorCode::ProducerFenced));
            }
            error => {
                let text = format!("Unexpected error in TxnOffsetCommitResponse: {}", error.message());
                self.fatal(handler, kafka(&text));
            }
        }
    }
}

/// An error of AddPartitionsToTxn that decides for all partitions.
fn is_common(error: ErrorCode) -> bool {
    error.retriable()
        || matches!(
            error,
            ErrorCode::InvalidProducerEpoch
                | ErrorCode::ProducerFenced
                | ErrorCode::TransactionalIdAuthorizationFailed
                | ErrorCode::InvalidTxnState
                | ErrorCode::InvalidProducerIdMapping
                | ErrorCode::UnknownProducerId
                | ErrorCode::TransactionAbortable
        )
}

impl Producer {
    /// An answer came; false if it is not one to a transactional request.
    pub(super) fn on_transactional(&mut self, request: RequestId, body: &Body, ctx: &mut Ctx) -> bool {
        let Some((_, handler)) = self.txn_sender.in_flight.take_if(|(sent, _)| *sent == request) else {
            return false;
        };
        let error = match body {
            Body::InitProducerIdResponse(answer) => answer.error,
            Body::EndTxnResponse(answer) => answer.error,
            Body::AddOffsetsToTxnResponse(answer) => answer.error,
            _ => ErrorCode::None,
        };
        let next = match body {
            Body::InitProducerIdResponse(answer) => Some((answer.producer_id, answer.producer_epoch)),
            Body::EndTxnResponse(answer) => Some((answer.producer_id, answer.producer_epoch)),
            _ => None,
        };
        let next = next.filter(|(id, _)| error == ErrorCode::None && *id != -1);
        if let Some((id, epoch)) = next {
            let bumps = !matches!(handler.ask, Ask::Init(None));
            self.take_identity(Identity { id, epoch }, bumps, ctx);
        }
        if let Body::FindCoordinatorResponse(answer) = body {
            self.on_txn_coordinator(handler, answer, ctx);
            return true;
        }
        let Some(txn) = &mut self.txn else { return true };
        match (handler.ask.clone(), body) {
            (Ask::Init(_), Body::InitProducerIdResponse(_)) => match error {
                ErrorCode::None => {
                    txn.initialized();
                    txn.settle(handler.result, Ok(()));
                }
                error => txn.refused(handler, error, "Unexpected error in InitProducerIdResponse;"),
            },
            (Ask::End { .. }, Body::EndTxnResponse(_)) => match error {
                ErrorCode::None => {
                    txn.reset();
                    txn.settle(handler.result, Ok(()));
                }
                error => txn.refused(handler, error, "Unhandled error in EndTxnResponse:"),
            },
            (Ask::AddOffsets(offsets, group), Body::AddOffsetsToTxnResponse(_)) => match error {
                ErrorCode::None => {
                    txn.offsets.extend(offsets);
                    txn.started = true;
                    txn.enqueue(Handler {
                        ask: Ask::CommitOffsets(group),
                        result: handler.result,
                        retry: false,
                        soon: false,
                    });
                }
                error => txn.refused(handler, error, "Unexpected error in AddOffsetsToTxnResponse:"),
            },
            (Ask::AddPartitions(asked), Body::AddPartitionsToTxnResponse(answer)) => {
                txn.partitions_added(handler, &asked, answer);
            }
            (Ask::CommitOffsets(_), Body::TxnOffsetCommitResponse(answer)) => {
                txn.offsets_committed(handler, &answer.partitions);
            }
            // An answer of another kind than asked for counts as none.
            _ => txn.retry(handler),
        }
        true
    }

    fn take_identity(&mut self, identity: Identity, bumps: bool, ctx: &mut Ctx) {
        let before = self.identity_or_none();
        let v2 = self.txn.as_ref().is_some_and(|txn| txn.v2);
        if let Some(idempotence) = &mut self.idempotence {
            idempotence.set_identity(identity);
            if bumps {
                idempotence.reset_sequences();
            }
        }
        if !v2 || identity.id != before.id {
            let text = format!("ProducerId set to {} with epoch {}", identity.id, identity.epoch);
            let weight = crate::kafka::rule::Weight::Detail;
            self.log(
                loggers::TRANSACTION_MANAGER.info(text),
                weight,
                &super::rules::TRANSACTIONS,
                ctx,
            );
        }
    }

    fn on_txn_coordinator(&mut self, handler: Handler, answer: &FindCoordinatorResponse, ctx: &mut Ctx) {
        let Some(txn) = &mut self.txn else { return };
        let Ask::FindCoordinator(kind, key) = handler.ask.clone() else {
            return;
        };
        match (answer.error, &answer.node) {
            (ErrorCode::None, Some(node)) => {
                match kind {
                    CoordinatorKind::Group => txn.group_coordinator = Some(node.clone()),
                    CoordinatorKind::Transaction => txn.coordinator = Some(node.clone()),
                }
                txn.settle(handler.result, Ok(()));
                self.log_discovered(kind, node, ctx);
            }
            (error, _) if error.retriable() => txn.retry(handler),
            (ErrorCode::TransactionAbortable, _) => txn.abortable(&handler, exception(ErrorCode::TransactionAbortable)),
            (error, _) => {
                let kind = match kind {
                    CoordinatorKind::Group => "GROUP",
                    CoordinatorKind::Transaction => "TRANSACTION",
                };
                let text = format!(
                    "Could not find a coordinator with type {kind} with key {key} due to unexpected error: {}",
                    error.message()
                );
                txn.fatal(&handler, kafka(&text));
            }
        }
    }
}

impl Txn {
    /// Producer id and epoch are there.
    fn initialized(&mut self) {
        match self.state.allows(TxnState::Ready) {
            true => {
                self.state = TxnState::Ready;
                self.last_error = None;
            }
            false => {
                let error = super::txn_state::invalid_transition(&self.id, self.state, TxnState::Ready);
                self.fatal_error(error);
            }
        }
    }
}
