//! Committing offsets: the request, its answer, and `commitSync()`.
//! [ConsumerCoordinator.commitOffsetsSync, sendOffsetCommitRequest]

use super::committed::Question;
use super::coordinator::MemberState;
use super::membership::Generation;
use super::outbox::{Failure, Purpose};
use super::process::{Consumer, later};
use super::rules;
use super::text;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::{Level, loggers};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{CommittedOffset, OffsetCommitRequest, OffsetCommitResponse};
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// Offsets by partition, as they are committed.
pub type Offsets = OrderedMap<NamedPartition, CommittedOffset>;

const NOT_ACTIVE: &str = "Offset commit cannot be completed since the consumer is not part of an active group for auto partition assignment; it is likely that the consumer was kicked out of the group.";
const REBALANCING: &str = "Offset commit cannot be completed since the consumer is undergoing a rebalance for auto partition assignment. You can try completing the rebalance by calling poll() and then retry the operation.";
const COMMIT_FAILED: &str = "Commit cannot be completed since the group has already rebalanced and assigned the partitions to another member. This means that the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time message processing. You can address this either by increasing max.poll.interval.ms or by reducing the maximum size of batches returned in poll() with max.poll.records.";
const IN_REBALANCE: &str = "Offset commit cannot be completed since the consumer group is executing a rebalance at the moment. You can try completing the rebalance by calling poll() and then retry commit again";
const STALE: &str = "Offset commit cannot be completed since the consumer member's generation is already stale, meaning it has already participated another rebalance and got a new generation. You can try completing the rebalance by calling poll() and then retry commit again";
const FENCED: &str = "Offset commit cannot be completed since the consumer member's old generation is fenced by its group instance id, it is possible that this consumer has already participated another rebalance and got a new generation";
pub(super) const RETRIABLE: &str =
    "Offset commit failed with a retriable exception. You should retry committing the latest consumed offsets.";

/// Who hears of an asynchronous commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callback {
    Application,
    /// The auto commit of a poll or before a rebalance.
    Auto,
}

#[derive(Clone, Debug)]
struct Sent {
    offsets: Rc<Offsets>,
    /// `None`: somebody waits for the result.
    callback: Option<Callback>,
    /// Somebody waits for the result besides.
    kept: bool,
    result: Option<Result<(), Failure>>,
}

/// Commits under way and what became of them.
#[derive(Clone, Debug, Default)]
pub struct Commits {
    next: u32,
    sent: OrderedMap<u32, Sent>,
    /// Asynchronous ones that are over: their callbacks run in the next call of the user's thread.
    pub(super) completed: VecDeque<(Rc<Offsets>, Callback, Result<(), ClientError>)>,
    /// Asynchronous ones that wait for the coordinator.
    pub(super) pending: Vec<(Rc<Offsets>, Callback)>,
    /// Another instance with the same group.instance.id fenced an asynchronous commit.
    pub(super) fenced: bool,
    /// When the next auto commit is due.
    pub next_auto: Time,
    pub(super) question: Question,
    /// Committed offsets as this consumer last heard or wrote them.
    pub known: Rc<OrderedMap<NamedPartition, i64>>,
}

impl Commits {
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The result of a commit that somebody waits for, once.
    pub fn take_result(&mut self, number: u32) -> Option<Result<(), Failure>> {
        let result = self.sent.get_mut(&number)?.result.take()?;
        self.sent.remove(&number);
        Some(result)
    }

    /// Nobody waits for its result any more.
    pub fn abandon(&mut self, number: u32) {
        match self.sent.get_mut(&number) {
            Some(sent) if sent.result.is_none() => sent.kept = false,
            _ => drop(self.sent.remove(&number)),
        }
    }

    fn async_in_flight(&self) -> bool {
        let waits = |sent: &Sent| sent.callback.is_some() && sent.result.is_none();
        self.sent.values().any(waits)
    }

    /// When a question for committed offsets may be asked again.
    pub fn question_after(&self) -> Time {
        self.question.after
    }
}

/// A `commitSync()` that is under way.
#[derive(Clone, Debug)]
pub struct CommitSync {
    offsets: Rc<Offsets>,
    until: Time,
    /// The number of the request in flight.
    waits_for: Option<u32>,
    retry_at: Time,
    attempts: u32,
}

impl CommitSync {
    pub fn new(offsets: Offsets, until: Time) -> CommitSync {
        CommitSync {
            offsets: Rc::new(offsets),
            until,
            waits_for: None,
            retry_at: Time::ZERO,
            attempts: 0,
        }
    }

    pub fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    /// When something is due.
    pub fn next_due(&self, now: Time) -> Time {
        later(self.retry_at, now).min(later(self.until, now))
    }
}

/// Partition to offset.
pub fn plain(offsets: &Offsets) -> OrderedMap<NamedPartition, i64> {
    offsets
        .iter()
        .map(|(partition, committed)| (partition.clone(), committed.offset))
        .collect()
}

impl Consumer {
    /// `commitSync()` of all positions, within default.api.timeout.ms.
    pub(super) fn commit_positions(&self, ctx: &Ctx) -> CommitSync {
        let until = ctx.now() + Span::from_ms(self.config.default_api_timeout_ms);
        CommitSync::new(self.subscription.all_consumed(), until)
    }

    /// One look at a `commitSync()`; a result when it is over.
    pub(super) fn step_commit_sync(
        &mut self,
        commit: &mut CommitSync,
        ctx: &mut Ctx,
    ) -> Option<Result<(), ClientError>> {
        if let Err(error) = self.run_callbacks(ctx) {
            return Some(Err(error));
        }
        if commit.offsets.is_empty() {
            let waits = self.commits.async_in_flight() && ctx.now() < commit.until;
            return (!waits).then_some(Ok(()));
        }
        loop {
            let result = match commit.waits_for {
                Some(number) => self.commits.take_result(number),
                None if commit.retry_at > ctx.now() => None,
                None => match self.ensure_coordinator(ctx) {
                    Err(error) => return Some(Err(error)),
                    Ok(false) => None,
                    Ok(true) => match self.send_commit(&commit.offsets.clone(), None, true, ctx) {
                        Ok(number) => {
                            commit.waits_for = Some(number);
                            None
                        }
                        Err(failure) => Some(Err(failure)),
                    },
                },
            };
            match result {
                None if ctx.now() < commit.until => return None,
                None => {
                    if let Some(number) = commit.waits_for {
                        self.commits.abandon(number);
                    }
                    return Some(Err(self.commit_timed_out(commit)));
                }
                Some(Ok(())) => return Some(self.run_callbacks(ctx)),
                Some(Err(failure)) if !failure.retriable => return Some(Err(sync_error(failure.error))),
                Some(Err(_)) => {
                    commit.waits_for = None;
                    commit.retry_at = ctx.now() + self.retry.span(commit.attempts, &mut self.random);
                    commit.attempts += 1;
                }
            }
        }
    }

    fn commit_timed_out(&self, commit: &CommitSync) -> ClientError {
        let text = format!(
            "Timeout of {}ms expired before successfully committing offsets {}",
            self.config.default_api_timeout_ms,
            text::offsets(&commit.offsets)
        );
        ClientError::new("TimeoutException", &text)
    }

    /// Sends a commit, or says why it can't be sent. [ConsumerCoordinator.sendOffsetCommitRequest]
    pub(super) fn send_commit(
        &mut self,
        offsets: &Rc<Offsets>,
        callback: Option<Callback>,
        kept: bool,
        ctx: &mut Ctx,
    ) -> Result<u32, Failure> {
        let Some(node) = self.coordinator_node(ctx) else {
            return Err(Failure::of(ErrorCode::CoordinatorNotAvailable));
        };
        let Some(coordinator) = &self.coordinator else {
            return Err(Failure::of(ErrorCode::CoordinatorNotAvailable));
        };
        let mut generation = Generation::none();
        let mut instance_id = None;
        if let Some(modern) = &self.modern {
            generation.id = modern.commit_epoch.unwrap_or(-1);
            generation.member = modern.commit_member();
            instance_id = self.config.group_instance_id.as_deref().map(Rc::from);
        } else if self.subscription.by_group() {
            let Some(stable) = coordinator.stable_generation() else {
                let text = "Failing OffsetCommit request since the consumer is not part of an active group";
                self.log(self.commit_logger().info(text), Weight::Matters, &rules::COMMIT, ctx);
                return Err(match coordinator.rebalancing() {
                    true => Failure::fatal("RebalanceInProgressException", REBALANCING),
                    false => Failure::fatal("CommitFailedException", NOT_ACTIVE),
                });
            };
            generation = stable.clone();
            instance_id = self.config.group_instance_id.as_deref().map(Rc::from);
        }
        let request = OffsetCommitRequest {
            group: coordinator.group.clone(),
            generation: generation.id,
            member_id: generation.member.clone(),
            instance_id,
            offsets: offsets
                .iter()
                .map(|(partition, offset)| (partition.clone(), offset.clone()))
                .collect(),
        };
        self.commits.next += 1;
        let number = self.commits.next;
        let sent = Sent {
            offsets: offsets.clone(),
            callback,
            kept,
            result: None,
        };
        self.commits.sent.insert(number, sent);
        let timeout = self.config.request_timeout_ms;
        let now = ctx.now();
        self.outbox
            .push(node, request.into(), timeout, Purpose::Commit(number, generation), now);
        Ok(number)
    }

    /// [ConsumerCoordinator.OffsetCommitResponseHandler]
    pub(super) fn on_committed(
        &mut self,
        number: u32,
        sent: &Generation,
        answer: &OffsetCommitResponse,
        ctx: &mut Ctx,
    ) {
        let mut refused = OrderedSet::new();
        for (partition, error) in &answer.partitions {
            match error {
                ErrorCode::None => {}
                ErrorCode::TopicAuthorizationFailed => {
                    refused.insert(partition.topic.clone());
                }
                error => {
                    let failure = self.commit_refused(number, partition, *error, sent, ctx);
                    return self.end_commit(number, Err(failure));
                }
            }
        }
        if !refused.is_empty() {
            let failure = Failure {
                error: super::positions::unauthorized(&refused),
                retriable: false,
            };
            return self.end_commit(number, Err(failure));
        }
        self.end_commit(number, Ok(()));
    }

    fn commit_refused(
        &mut self,
        number: u32,
        partition: &NamedPartition,
        error: ErrorCode,
        sent: &Generation,
        ctx: &mut Ctx,
    ) -> Failure {
        let offset = self
            .commits
            .sent
            .get(&number)
            .and_then(|sent| sent.offsets.get(partition));
        let offset = offset.map_or(-1, |offset| offset.offset);
        let text = format!(
            "Offset commit failed on partition {partition} at offset {offset}: {}",
            error.message()
        );
        let level = if error.retriable() { Level::Warn } else { Level::Error };
        self.log(
            self.commit_logger().line(level, text),
            Weight::Matters,
            &rules::COMMIT,
            ctx,
        );
        if self.modern.is_some() {
            return self.commit_refused_modern(error, ctx);
        }
        let Some(coordinator) = &self.coordinator else {
            return Failure::of(error);
        };
        let unchanged = coordinator.generation == *sent;
        let preparing = coordinator.state == MemberState::Preparing;
        let group = coordinator.group.clone();
        if let ErrorCode::FencedInstanceId | ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration = error {
            self.log_commit_stale(error, sent, ctx);
        }
        match error {
            ErrorCode::GroupAuthorizationFailed => {
                let text = format!("Not authorized to access group: {group}");
                Failure::fatal("GroupAuthorizationException", &text)
            }
            ErrorCode::OffsetMetadataTooLarge
            | ErrorCode::InvalidCommitOffsetSize
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::UnknownTopicOrPartition => Failure::of(error),
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator | ErrorCode::RequestTimedOut => {
                self.coordinator_refused(error, ctx);
                Failure::of(error)
            }
            ErrorCode::FencedInstanceId if unchanged => Failure::of(error),
            ErrorCode::FencedInstanceId if preparing => Failure::fatal("RebalanceInProgressException", FENCED),
            ErrorCode::FencedInstanceId => Failure::fatal("CommitFailedException", COMMIT_FAILED),
            ErrorCode::RebalanceInProgress => {
                self.request_rejoin("offset commit failed since group is already rebalancing", ctx);
                Failure::fatal("RebalanceInProgressException", IN_REBALANCE)
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration if !unchanged && preparing => {
                Failure::fatal("RebalanceInProgressException", STALE)
            }
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                self.reset_on_error("OFFSET_COMMIT", error, error != ErrorCode::IllegalGeneration, ctx);
                Failure::fatal("CommitFailedException", COMMIT_FAILED)
            }
            other => Failure::fatal(
                "KafkaException",
                &format!("Unexpected error in commit: {}", other.message()),
            ),
        }
    }

    /// [CommitRequestManager.OffsetCommitRequestState.onResponse]
    fn commit_refused_modern(&mut self, error: ErrorCode, ctx: &mut Ctx) -> Failure {
        if let ErrorCode::UnknownMemberId | ErrorCode::StaleMemberEpoch = error {
            self.log_commit_refused(error, ctx);
        }
        match error {
            ErrorCode::GroupAuthorizationFailed => {
                let text = format!("Not authorized to access group: {}", self.group().unwrap_or_default());
                Failure::fatal("GroupAuthorizationException", &text)
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator | ErrorCode::RequestTimedOut => {
                self.mark_coordinator_unknown(false, error.message(), ctx);
                Failure::of(error)
            }
            ErrorCode::OffsetMetadataTooLarge
            | ErrorCode::InvalidCommitOffsetSize
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::StaleMemberEpoch => Failure::of(error),
            ErrorCode::UnknownMemberId => {
                let text = format!("OffsetCommit failed with unknown member ID. {}", error.message());
                Failure::fatal("CommitFailedException", &text)
            }
            other => Failure::fatal(
                "KafkaException",
                &format!("Unexpected error in commit: {}", other.message()),
            ),
        }
    }

    /// The commit before a reconciliation: it is tried again until its time is over. True: it is through, or given up.
    pub(super) fn step_background_commit(&mut self, commit: &mut CommitSync, ctx: &mut Ctx) -> bool {
        let result = match commit.waits_for {
            Some(number) => self.commits.take_result(number),
            None if commit.retry_at > ctx.now() => None,
            None if self.coordinator_node(ctx).is_none() => None,
            None => match self.send_commit(&commit.offsets.clone(), None, true, ctx) {
                Ok(number) => {
                    commit.waits_for = Some(number);
                    None
                }
                Err(failure) => Some(Err(failure)),
            },
        };
        let stale = |failure: &Failure| *failure.error.class == *"StaleMemberEpochException";
        let member = self.modern.as_ref().is_some_and(|modern| modern.commit_epoch.is_some());
        match result {
            None if ctx.now() < commit.until => false,
            Some(Err(failure))
                if (failure.retriable || (stale(&failure) && member))
                    && *failure.error.class != *"UnknownTopicOrPartitionException"
                    && ctx.now() < commit.until =>
            {
                commit.waits_for = None;
                commit.offsets = Rc::new(self.subscription.all_consumed());
                commit.retry_at = ctx.now() + self.retry.span(commit.attempts, &mut self.random);
                commit.attempts += 1;
                false
            }
            Some(Err(failure)) => {
                let text = "Auto-commit request before reconciling new assignment failed. Will proceed with the reconciliation anyway.";
                let thrown = failure.error.full_text();
                let line = loggers::MEMBERSHIP.error(text).throwing(thrown);
                self.log(line, Weight::Alarm, &rules::AUTO_COMMIT, ctx);
                true
            }
            None => {
                if let Some(number) = commit.waits_for {
                    self.commits.abandon(number);
                }
                true
            }
            Some(Ok(())) => true,
        }
    }

    /// A commit is over.
    pub(super) fn end_commit(&mut self, number: u32, result: Result<(), Failure>) {
        let Some(sent) = self.commits.sent.get_mut(&number) else {
            return;
        };
        if result.is_ok() {
            let known = Rc::make_mut(&mut self.commits.known);
            known.extend(
                sent.offsets
                    .iter()
                    .map(|(partition, offset)| (partition.clone(), offset.offset)),
            );
        }
        let (offsets, callback, kept) = (sent.offsets.clone(), sent.callback, sent.kept);
        if kept {
            sent.result = Some(result.clone());
        } else {
            self.commits.sent.remove(&number);
        }
        if let Some(callback) = callback {
            self.commits
                .completed
                .push_back((offsets, callback, result.map_err(async_error)));
        }
    }
}

/// What `commitSync()` throws. [CommitRequestManager.commitSyncExceptionForError]
fn sync_error(error: ClientError) -> ClientError {
    if *error.class != *"StaleMemberEpochException" {
        return error;
    }
    let text = format!(
        "OffsetCommit failed with stale member epoch. {}",
        ErrorCode::StaleMemberEpoch.message()
    );
    ClientError::new("CommitFailedException", &text)
}

/// What the callback of an asynchronous commit gets.
pub(super) fn async_error(failure: Failure) -> ClientError {
    match failure.retriable {
        true => ClientError::new("RetriableCommitFailedException", RETRIABLE).caused_by(failure.error),
        false => failure.error,
    }
}
