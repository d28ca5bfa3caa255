//! Leaving the group: what the listener hears, LeaveGroup, and closing the consumer.
//! [ConsumerCoordinator.onLeavePrepare, AbstractCoordinator.maybeLeaveGroup, ClassicKafkaConsumer.close]

use super::commits::CommitSync;
use super::coordinator::MemberState;
use super::note::ConsumerNote;
use super::outbox::Purpose;
use super::process::{Consumer, later};
use super::rules;
use crate::kafka::client::call::{Answer, CallId, ClientError};
use crate::kafka::client::log::loggers;
use crate::kafka::client::network::node_text;
use crate::kafka::protocol::groups::LeaveGroupRequest;
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// How long `close()` may take at most, ms. [ConsumerUtils.DEFAULT_CLOSE_TIMEOUT_MS]
const CLOSE_TIMEOUT_MS: i64 = 30_000;

/// How far a `close()` or `unsubscribe()` is.
#[derive(Clone, Debug)]
pub enum Step {
    /// The last automatic commit.
    AutoCommit(Box<CommitSync>),
    /// Asynchronous commits that still look for the coordinator.
    PendingCommits,
    /// The last acknowledgements of a share consumer.
    Acknowledgements,
    /// The listener, and its commit.
    Listener,
    ListenerCommit(Box<CommitSync>),
    /// LeaveGroup goes.
    Leave,
    /// With `group.protocol=consumer`: the last heartbeat, and its answer.
    Goodbye,
    /// The coordinator still owes answers.
    Answers,
    /// Leaders still have to answer that they have forgotten their fetch sessions.
    Sessions,
}

/// A `close()` or `unsubscribe()`.
#[derive(Clone, Debug)]
pub struct Leaving {
    pub call: CallId,
    /// `close()`.
    pub closing: bool,
    /// CloseOptions: LEAVE_GROUP, REMAIN_IN_GROUP, or neither.
    pub leave: Option<bool>,
    pub until: Time,
    pub step: Step,
}

impl Leaving {
    /// When it has to be looked at.
    pub fn next_due(&self, now: Time) -> Time {
        match &self.step {
            Step::AutoCommit(commit) | Step::ListenerCommit(commit) => commit.next_due(now),
            _ => later(self.until, now),
        }
    }
}

impl Consumer {
    pub(super) fn begin_close(&mut self, call: CallId, leave: Option<bool>, ctx: &mut Ctx) -> Leaving {
        let until = ctx.now() + Span::from_ms(self.config.request_timeout_ms.min(CLOSE_TIMEOUT_MS));
        let auto = self.coordinator.is_some() && self.config.enable_auto_commit;
        self.begin_share_close(until, ctx);
        let step = match auto {
            _ if self.is_share() => Step::Acknowledgements,
            true => Step::AutoCommit(Box::new(CommitSync::new(self.subscription.all_consumed(), until))),
            false => Step::PendingCommits,
        };
        Leaving {
            call,
            closing: true,
            leave,
            until,
            step,
        }
    }

    pub(super) fn begin_unsubscribe(&mut self, call: CallId, ctx: &mut Ctx) -> Leaving {
        self.fetcher.keep_only(|_| false);
        Leaving {
            call,
            closing: false,
            leave: None,
            until: match self.modern {
                Some(_) => self.api_deadline(ctx),
                None => ctx.now(),
            },
            step: Step::Listener,
        }
    }

    /// Goes as far as it can; `None` when it is over.
    pub(super) fn step_leaving(&mut self, mut leaving: Leaving, ctx: &mut Ctx) -> Option<Leaving> {
        loop {
            let step = std::mem::replace(&mut leaving.step, Step::Listener);
            leaving.step = match step {
                Step::AutoCommit(mut commit) => match self.step_commit_sync(&mut commit, ctx) {
                    None => {
                        leaving.step = Step::AutoCommit(commit);
                        return Some(leaving);
                    }
                    Some(result) => {
                        self.log_failed_auto_commit(&commit, result, ctx);
                        Step::PendingCommits
                    }
                },
                Step::PendingCommits => {
                    let waits = self.commits.has_pending() && ctx.now() < leaving.until;
                    if waits && self.ensure_coordinator(ctx).is_ok() {
                        leaving.step = Step::PendingCommits;
                        return Some(leaving);
                    }
                    Step::Listener
                }
                Step::Acknowledgements => {
                    if ctx.now() < leaving.until && !self.share_is_closed(ctx) {
                        leaving.step = Step::Acknowledgements;
                        return Some(leaving);
                    }
                    Step::Leave
                }
                Step::Goodbye => match self.step_leaving_modern(&leaving, &Step::Goodbye, ctx) {
                    Step::Goodbye => {
                        leaving.step = Step::Goodbye;
                        return Some(leaving);
                    }
                    next => next,
                },
                Step::Listener | Step::Leave if self.modern.is_some() => self.step_leaving_modern(&leaving, &step, ctx),
                Step::Listener => self.give_up_for_good(&leaving, ctx),
                Step::ListenerCommit(mut commit) => match self.step_commit_sync(&mut commit, ctx) {
                    None => {
                        leaving.step = Step::ListenerCommit(commit);
                        return Some(leaving);
                    }
                    Some(result) => {
                        self.note_listener_commit(&commit, result, ctx);
                        Step::Leave
                    }
                },
                Step::Leave => {
                    self.leave_group(&leaving, ctx);
                    Step::Answers
                }
                Step::Answers => {
                    let owed = leaving.closing && ctx.now() < leaving.until && self.coordinator_owes(ctx);
                    if owed {
                        leaving.step = Step::Answers;
                        return Some(leaving);
                    }
                    if leaving.closing {
                        self.close_sessions(ctx);
                    }
                    Step::Sessions
                }
                Step::Sessions => {
                    if ctx.now() < leaving.until && self.fetcher.closes_sessions() {
                        leaving.step = Step::Sessions;
                        return Some(leaving);
                    }
                    self.finish_leaving(&leaving, ctx);
                    return None;
                }
            };
        }
    }

    fn log_failed_auto_commit(&mut self, commit: &CommitSync, result: Result<(), ClientError>, ctx: &mut Ctx) {
        if let Err(error) = result {
            let line = match self.modern.is_some() {
                true => loggers::ASYNC_CONSUMER
                    .warn("Synchronous auto-commit failed")
                    .throwing(error.full_text()),
                false => loggers::CONSUMER_COORDINATOR.warn(format!(
                    "Synchronous auto-commit of offsets {} failed: {}",
                    super::text::offsets(commit.offsets()),
                    error.message.as_deref().unwrap_or("null")
                )),
            };
            self.log(line, Weight::Alarm, &rules::AUTO_COMMIT, ctx);
        }
    }

    /// [ConsumerCoordinator.onLeavePrepare]
    fn give_up_for_good(&mut self, leaving: &Leaving, ctx: &mut Ctx) -> Step {
        let Some(coordinator) = &mut self.coordinator else {
            return Step::Leave;
        };
        if leaving.closing {
            coordinator.heartbeat.enabled = false;
        }
        let dropped: Rc<[NamedPartition]> = self.subscription.assigned().cloned().collect();
        if !self.subscription.by_group() || dropped.is_empty() {
            return Step::Leave;
        }
        if coordinator.generation.is_outside() || coordinator.rebalancing() {
            self.note(ConsumerNote::Lost { partitions: dropped }, ctx);
            return Step::Leave;
        }
        self.note(ConsumerNote::Revoked { partitions: dropped }, ctx);
        match self.commit_on_revoke {
            true => Step::ListenerCommit(Box::new(self.commit_positions(ctx))),
            false => Step::Leave,
        }
    }

    fn leave_group(&mut self, leaving: &Leaving, ctx: &mut Ctx) {
        if self.coordinator.is_none() {
            return;
        }
        if self.subscription.by_group() {
            self.subscription.assign_from_group(OrderedSet::new());
        }
        let reason = match leaving.closing {
            true => "the consumer is being closed",
            false => "the consumer unsubscribed from all topics",
        };
        self.maybe_leave(leaving.leave, reason, ctx);
    }

    fn coordinator_owes(&mut self, ctx: &mut Ctx) -> bool {
        let node = self.coordinator_node(ctx).map(|node| node.id);
        node.is_some_and(|node| self.outbox.unsent_to(node) + self.net.in_flight_to(node) > 0)
    }

    fn finish_leaving(&mut self, leaving: &Leaving, ctx: &mut Ctx) {
        self.subscription.unsubscribe();
        if leaving.closing {
            self.net.close(ctx);
            self.outbox.clear();
            self.application.on = false;
            self.closed = true;
        } else {
            self.want_topics(false);
        }
        self.returns(leaving.call, Ok(Answer::Done), ctx);
        if leaving.closing && self.exiting {
            ctx.exit();
        }
    }

    /// Says goodbye if the member is to, and forgets what it was. `leave`: CloseOptions.
    /// [AbstractCoordinator.maybeLeaveGroup]
    pub(super) fn maybe_leave(&mut self, leave: Option<bool>, reason: &str, ctx: &mut Ctx) {
        let node = self.coordinator_node(ctx);
        let Some(coordinator) = &self.coordinator else {
            return;
        };
        let generation = coordinator.generation.clone();
        let joined = coordinator.state != MemberState::Unjoined && !generation.member.is_empty();
        let wanted = leave.unwrap_or(self.config.group_instance_id.is_none());
        if let Some(node) = node
            && joined
            && wanted
        {
            let text = format!(
                "Member {} sending LeaveGroup request to coordinator {} due to {reason}",
                generation.member,
                node_text(&node)
            );
            let request = LeaveGroupRequest {
                group: coordinator.group.clone(),
                members: vec![(generation.member, None)],
            };
            let timeout = self.config.request_timeout_ms;
            self.outbox
                .push(node, request.into(), timeout, Purpose::Leave, ctx.now());
            self.log(
                loggers::CONSUMER_COORDINATOR.info(text),
                Weight::Matters,
                &rules::LEAVE,
                ctx,
            );
        }
        self.reset_and_rejoin("consumer pro-actively leaving the group", true, ctx);
    }
}
