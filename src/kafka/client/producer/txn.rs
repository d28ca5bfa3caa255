//! What a transactional producer knows, and what its calls and answers make of it. [TransactionManager]
//!
//! It sends nothing: requests wait in a queue, by priority, for the sender (`txn_send`). Calls wait for a result by its
//! number.

use super::idempotence::Identity;
use super::txn_state::{TxnState, invalid_transition};
use crate::kafka::client::call::ClientError;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::groups::{CommittedOffset, CoordinatorKind};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

/// A consumer's group as `sendOffsetsToTransaction` is told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    pub group: Rc<str>,
    /// -1: no member.
    pub generation: i32,
    pub member_id: Rc<str>,
    pub instance: Option<Rc<str>>,
}

impl GroupMetadata {
    /// Somebody who is no member.
    pub fn of_group(group: Rc<str>) -> GroupMetadata {
        GroupMetadata {
            group,
            generation: -1,
            member_id: "".into(),
            instance: None,
        }
    }
}

/// Offsets for a transaction.
pub type TxnOffsets = Vec<(NamedPartition, CommittedOffset)>;

/// A request to a coordinator.
#[derive(Clone, Debug)]
pub enum Ask {
    FindCoordinator(CoordinatorKind, Rc<str>),
    /// With id and epoch: to raise the epoch.
    Init(Option<Identity>),
    AddPartitions(Vec<NamedPartition>),
    AddOffsets(TxnOffsets, GroupMetadata),
    CommitOffsets(GroupMetadata),
    End {
        commit: bool,
        identity: Identity,
        v2: bool,
    },
}

impl Ask {
    fn priority(&self) -> u8 {
        match self {
            Ask::FindCoordinator(..) => 0,
            Ask::Init(None) => 1,
            Ask::AddPartitions(_) | Ask::AddOffsets(..) | Ask::CommitOffsets(_) => 2,
            Ask::End { .. } => 3,
            Ask::Init(Some(_)) => 4,
        }
    }

    /// Who answers it; `None`: anybody.
    pub fn coordinator(&self) -> Option<CoordinatorKind> {
        match self {
            Ask::FindCoordinator(..) => None,
            Ask::CommitOffsets(_) => Some(CoordinatorKind::Group),
            _ => Some(CoordinatorKind::Transaction),
        }
    }
}

/// The number of a result that a call may wait for.
pub type ResultId = u32;

/// A request in the queue.
#[derive(Clone, Debug)]
pub struct Handler {
    pub ask: Ask,
    pub result: ResultId,
    /// It was tried before: a pause comes first.
    pub retry: bool,
    /// The pause is short: the previous transaction is just being completed.
    pub soon: bool,
}

/// A call's state transition, until its result was taken up. [PendingStateTransition]
#[derive(Clone, Debug)]
struct Pending {
    result: ResultId,
    state: TxnState,
    operation: &'static str,
    acked: bool,
}

/// The transactional part of a producer.
#[derive(Clone, Debug)]
pub struct Txn {
    pub id: Rc<str>,
    pub state: TxnState,
    pub last_error: Option<ClientError>,
    /// Something was sent, or added, in the transaction.
    pub started: bool,
    /// Transactions version 2, as it was when the last transaction ended.
    pub v2: bool,
    pub bump: bool,
    pub partitions: OrderedSet<NamedPartition>,
    new_partitions: OrderedSet<NamedPartition>,
    adding: OrderedSet<NamedPartition>,
    pub offsets: OrderedMap<NamedPartition, CommittedOffset>,
    queue: Vec<Handler>,
    pub coordinator: Option<BrokerNode>,
    pub group_coordinator: Option<BrokerNode>,
    pending: Option<Pending>,
    next_result: ResultId,
    /// Results that are there and not taken up.
    done: OrderedMap<ResultId, Result<(), ClientError>>,
}

/// Whether an exception is one of those after which nothing can go on. [TransactionManager.maybeTransitionToErrorState]
fn is_fatal(error: &ClientError) -> bool {
    const FATAL: [&str; 5] = [
        "ClusterAuthorizationException",
        "TransactionalIdAuthorizationException",
        "ProducerFencedException",
        "UnsupportedVersionException",
        "InvalidPidMappingException",
    ];
    FATAL.contains(&&*error.class)
}

impl Txn {
    pub fn new(id: Rc<str>) -> Txn {
        Txn {
            id,
            state: TxnState::Uninitialized,
            last_error: None,
            started: false,
            v2: false,
            bump: false,
            partitions: OrderedSet::new(),
            new_partitions: OrderedSet::new(),
            adding: OrderedSet::new(),
            offsets: OrderedMap::new(),
            queue: Vec::new(),
            coordinator: None,
            group_coordinator: None,
            pending: None,
            next_result: 0,
            done: OrderedMap::new(),
        }
    }

    // ---- state ----

    /// # Errors
    /// The state does not allow it.
    pub fn transition(&mut self, to: TxnState) -> Result<(), ClientError> {
        if !self.state.allows(to) {
            return Err(invalid_transition(&self.id, self.state, to));
        }
        self.state = to;
        self.last_error = None;
        Ok(())
    }

    fn transition_to_error(&mut self, to: TxnState, error: ClientError) -> Result<(), ClientError> {
        if !self.state.allows(to) {
            return Err(invalid_transition(&self.id, self.state, to));
        }
        self.state = to;
        self.last_error = Some(error);
        Ok(())
    }

    /// The sender made an impossible transition: nothing can go on.
    fn poisoned(&mut self, result: Result<(), ClientError>) {
        if let Err(error) = result {
            self.state = TxnState::FatalError;
            self.last_error = Some(error);
        }
    }

    /// The transaction can only be aborted; while it is being aborted that changes nothing.
    pub fn abortable_error(&mut self, error: ClientError) {
        if self.state != TxnState::Aborting {
            let result = self.transition_to_error(TxnState::AbortableError, error);
            self.poisoned(result);
        }
    }

    /// Nothing can go on.
    pub fn fatal_error(&mut self, error: ClientError) {
        self.state = TxnState::FatalError;
        self.last_error = Some(error.clone());
        if let Some(pending) = &self.pending {
            self.done.entry(pending.result).or_insert(Err(error));
        }
    }

    fn needs_bump(&self) -> bool {
        !self.v2
    }

    /// What a failed batch, or a record that could not be sent, makes of the transaction. `in_send`: the application's own
    /// thread gets the exception of a transition that is not allowed.
    ///
    /// # Errors
    /// Only with `in_send`.
    pub fn note_failure(&mut self, error: &ClientError, retriable: bool, in_send: bool) -> Result<(), ClientError> {
        if is_fatal(error) {
            self.fatal_error(error.clone());
            return Ok(());
        }
        let error = match retriable || &*error.class == "InvalidTxnStateException" {
            true => ClientError::new(
                "TransactionAbortableException",
                "Transaction Request was aborted after exhausting retries.",
            )
            .caused_by(error.clone()),
            false => error.clone(),
        };
        if self.needs_bump() && !self.state.is_completing() {
            self.bump = true;
        }
        if self.state == TxnState::Aborting {
            return Ok(());
        }
        let result = self.transition_to_error(TxnState::AbortableError, error);
        if in_send {
            return result;
        }
        self.poisoned(result);
        Ok(())
    }

    /// Some batches have no answer and cannot be sent again.
    pub fn unacknowledged(&mut self) {
        if self.needs_bump() {
            self.bump = true;
        }
        self.abortable_error(ClientError::new(
            "KafkaException",
            "The client hasn't received acknowledgment for some previously sent messages and can no longer retry them. It is safe to abort the transaction and continue.",
        ));
    }

    /// # Errors
    /// An earlier error.
    pub fn fail_with_error(&self, identity: Identity) -> Result<(), ClientError> {
        let Some(last) = self.last_error.as_ref().filter(|_| self.state.has_error()) else {
            return Ok(());
        };
        let who = format!(
            "Producer with transactionalId '{}' and (producerId={}, epoch={})",
            self.id, identity.id, identity.epoch
        );
        Err(match &*last.class {
            "ProducerFencedException" => ClientError::new(
                "ProducerFencedException",
                &format!("{who} has been fenced by another producer with the same transactionalId"),
            ),
            "InvalidProducerEpochException" => ClientError::new(
                "InvalidProducerEpochException",
                &format!("{who} attempted to produce with an old epoch"),
            ),
            "IllegalStateException" => ClientError::new(
                "IllegalStateException",
                &format!(
                    "{who} cannot execute transactional method because of previous invalid state transition attempt"
                ),
            )
            .caused_by(last.clone()),
            _ => ClientError::new(
                "KafkaException",
                "Cannot execute transactional method because we are in an error state",
            )
            .caused_by(last.clone()),
        })
    }

    // ---- results ----

    fn new_result(&mut self) -> ResultId {
        self.next_result = self.next_result.wrapping_add(1);
        self.next_result
    }

    pub fn settle(&mut self, result: ResultId, with: Result<(), ClientError>) {
        self.done.entry(result).or_insert(with);
    }

    /// Is there a result?
    pub fn is_settled(&self, result: ResultId) -> bool {
        self.done.contains_key(&result)
    }

    /// A call takes its result up.
    pub fn take(&mut self, result: ResultId) -> Option<Result<(), ClientError>> {
        let done = self.done.get(&result)?.clone();
        match &mut self.pending {
            Some(pending) if pending.result == result => pending.acked = true,
            _ => drop(self.done.remove(&result)),
        }
        Some(done)
    }

    /// A call that timed out must be made again before any other.
    fn check_pending(&mut self, operation: &str, state: Option<TxnState>) -> Result<Option<ResultId>, ClientError> {
        let Some(pending) = &self.pending else {
            return Ok(None);
        };
        if pending.acked {
            self.done.remove(&pending.result);
            self.pending = None;
            return Ok(None);
        }
        if state == Some(pending.state) {
            return Ok(Some(pending.result));
        }
        let text = format!(
            "Cannot attempt operation `{operation}` because the previous call to `{}` timed out and must be retried",
            pending.operation
        );
        Err(ClientError::new("IllegalStateException", &text))
    }

    fn cache(&mut self, result: ResultId, state: TxnState, operation: &'static str) -> ResultId {
        self.pending = Some(Pending {
            result,
            state,
            operation,
            acked: false,
        });
        result
    }

    // ---- calls ----

    /// # Errors
    /// As the call throws.
    pub fn init(&mut self, identity: Identity) -> Result<ResultId, ClientError> {
        self.fail_with_error(identity)?;
        if let Some(result) = self.check_pending("initTransactions", Some(TxnState::Initializing))? {
            return Ok(result);
        }
        self.transition(TxnState::Initializing)?;
        let result = self.ask(Ask::Init(None));
        Ok(self.cache(result, TxnState::Initializing, "initTransactions"))
    }

    /// # Errors
    /// As the call throws.
    pub fn begin(&mut self, identity: Identity) -> Result<(), ClientError> {
        self.check_pending("beginTransaction", None)?;
        self.fail_with_error(identity)?;
        self.transition(TxnState::InTransaction)
    }

    /// `version`: what the brokers told of `transaction.version`.
    ///
    /// # Errors
    /// As the call throws.
    pub fn end(&mut self, commit: bool, identity: Identity, version: i16) -> Result<ResultId, ClientError> {
        let (state, operation) = match commit {
            true => (TxnState::Committing, "commitTransaction"),
            false => (TxnState::Aborting, "abortTransaction"),
        };
        if let Some(result) = self.check_pending(operation, Some(state))? {
            return Ok(result);
        }
        if commit || self.state != TxnState::AbortableError {
            self.fail_with_error(identity)?;
        }
        self.transition(state)?;
        if !commit {
            self.new_partitions.clear();
        }
        self.enqueue_new_partitions();
        let v2 = self.v2;
        self.learn_version(version, false);
        let mut result = self.ask(Ask::End { commit, identity, v2 });
        if self.bump {
            result = self.ask(Ask::Init(Some(identity)));
        }
        Ok(self.cache(result, state, operation))
    }

    /// # Errors
    /// As the call throws.
    pub fn send_offsets(
        &mut self,
        offsets: TxnOffsets,
        group: GroupMetadata,
        identity: Identity,
    ) -> Result<ResultId, ClientError> {
        self.check_pending("sendOffsetsToTransaction", None)?;
        self.fail_with_error(identity)?;
        if self.state != TxnState::InTransaction {
            let text = format!(
                "Cannot send offsets if a transaction is not in progress (currentState= {})",
                self.state.name()
            );
            return Err(ClientError::new("IllegalStateException", &text));
        }
        if !self.v2 {
            return Ok(self.ask(Ask::AddOffsets(offsets, group)));
        }
        self.offsets.extend(offsets);
        self.started = true;
        Ok(self.ask(Ask::CommitOffsets(group)))
    }

    /// A record is in a batch: its partition joins the transaction.
    ///
    /// # Errors
    /// As `send()` throws.
    pub fn add_partition(&mut self, partition: &NamedPartition, identity: Identity) -> Result<(), ClientError> {
        self.fail_with_error(identity)?;
        self.check_pending("send", None)?;
        let refuse = |text: String| Err(ClientError::new("IllegalStateException", &text));
        if identity.id < 0 {
            return refuse(format!(
                "Cannot add partition {partition} to transaction before completing a call to initTransactions"
            ));
        }
        if self.state != TxnState::InTransaction {
            return refuse(format!(
                "Cannot add partition {partition} to transaction while in state  {}",
                self.state.name()
            ));
        }
        if self.v2 {
            self.partitions.insert(partition.clone());
            self.started = true;
        } else if !self.partitions.contains(partition) && !self.adding.contains(partition) {
            self.new_partitions.insert(partition.clone());
        }
        Ok(())
    }

    /// May data go to the partition now?
    pub fn may_send_to(&self, partition: &NamedPartition) -> bool {
        self.state != TxnState::FatalError && self.partitions.contains(partition)
    }

    /// Which version of transactions the cluster has finalized.
    pub fn learn_version(&mut self, version: i16, at_init: bool) {
        let v2 = version >= 2;
        if !at_init && !self.v2 && v2 {
            self.bump = true;
        }
        self.v2 = v2;
    }

    // ---- the queue ----

    /// Puts a request into the queue; its result's number.
    pub fn ask(&mut self, ask: Ask) -> ResultId {
        let result = self.new_result();
        self.enqueue(Handler {
            ask,
            result,
            retry: false,
            soon: false,
        });
        result
    }

    /// Requests of one priority keep their order.
    pub fn enqueue(&mut self, handler: Handler) {
        let priority = handler.ask.priority();
        let at = self.queue.iter().take_while(|h| h.ask.priority() <= priority).count();
        self.queue.insert(at, handler);
    }

    /// It is tried once more, after a pause.
    pub fn retry(&mut self, mut handler: Handler) {
        handler.retry = true;
        self.enqueue(handler);
    }

    /// The coordinator is not known any more.
    pub fn look_up(&mut self, kind: CoordinatorKind, key: Rc<str>) {
        match kind {
            CoordinatorKind::Group => self.group_coordinator = None,
            CoordinatorKind::Transaction => self.coordinator = None,
        }
        self.ask(Ask::FindCoordinator(kind, key));
    }

    fn enqueue_new_partitions(&mut self) {
        if !self.new_partitions.is_empty() {
            let new = std::mem::take(&mut self.new_partitions);
            self.adding.extend(new);
            let all = self.adding.iter().cloned().collect();
            self.ask(Ask::AddPartitions(all));
        }
    }

    pub fn has_requests(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The next request to send. The end of a transaction waits for its batches, and is not even asked for if nothing was
    /// sent. [TransactionManager.nextRequest]
    pub fn next(&mut self, incomplete_batches: bool) -> Option<Handler> {
        self.enqueue_new_partitions();
        let first = self.queue.first()?;
        let ends = matches!(first.ask, Ask::End { .. });
        if ends && incomplete_batches {
            return None;
        }
        let next = self.queue.remove(0);
        if self.state.has_error() {
            let lookup = matches!(next.ask, Ask::FindCoordinator(..));
            if !(self.state == TxnState::AbortableError && lookup) {
                let error = self.last_error.clone();
                let error = error.unwrap_or_else(|| ClientError::new("KafkaException", ""));
                self.settle(next.result, Err(error));
                return None;
            }
        }
        if ends && !self.started {
            self.settle(next.result, Ok(()));
            if self.state != TxnState::FatalError {
                self.reset();
            }
            return if self.queue.is_empty() {
                None
            } else {
                Some(self.queue.remove(0))
            };
        }
        Some(next)
    }

    /// The transaction has ended. [TransactionManager.resetTransactionState]
    pub fn reset(&mut self) {
        let to = match self.bump {
            true => TxnState::Initializing,
            false => TxnState::Ready,
        };
        let result = self.transition(to);
        self.poisoned(result);
        self.bump = false;
        self.started = false;
        self.new_partitions.clear();
        self.adding.clear();
        self.partitions.clear();
    }

    /// Partitions were added (version 1).
    pub fn added(&mut self, partitions: &[NamedPartition]) {
        for partition in partitions {
            self.adding.remove(partition);
        }
        self.partitions.extend(partitions.iter().cloned());
        self.started = true;
    }

    /// They could not be.
    pub fn not_added(&mut self, partitions: &[NamedPartition]) {
        for partition in partitions {
            self.adding.remove(partition);
        }
    }
}
