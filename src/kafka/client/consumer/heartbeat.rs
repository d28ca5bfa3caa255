//! The heartbeat thread: it keeps the member's session while the application works, and leaves the group when the
//! application does not come back to `poll()`. [AbstractCoordinator.HeartbeatThread, Heartbeat]

use super::coordinator::MemberState;
use super::membership::Generation;
use super::outbox::{Failure, Purpose};
use super::process::{Consumer, later};
use super::rules;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::HeartbeatRequest;
use crate::kafka::rule::Weight;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};

/// The thread and its clocks.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    /// It works from a successful JoinGroup on, until the member is out.
    pub enabled: bool,
    /// When the next heartbeat goes.
    pub next: Time,
    /// The coordinator is given up then.
    pub session_until: Time,
    /// The application has to poll before.
    pub poll_until: Time,
    /// What made the thread fail; thrown by the next poll.
    pub failure: Option<ClientError>,
    failures: u32,
}

impl Heartbeat {
    pub fn reset_session(&mut self, now: Time, session_ms: i64) {
        self.session_until = now + Span::from_ms(session_ms);
    }

    /// When something is due; the poll interval counts only while nobody polls.
    pub fn next_due(&self, coordinator_known: bool, polling: bool, now: Time) -> Time {
        if !self.enabled {
            return Time::NEVER;
        }
        let poll = if polling { Time::NEVER } else { self.poll_until };
        match coordinator_known {
            true => later(poll, now)
                .min(later(self.next, now))
                .min(later(self.session_until, now)),
            // Without a coordinator the thread only looks for it.
            false => Time::NEVER,
        }
    }
}

impl Consumer {
    /// A JoinGroup succeeded: the thread begins, with fresh clocks. [HeartbeatThread.enable]
    pub(super) fn enable_heartbeat(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let config = self.config.clone();
        if let Some(coordinator) = &mut self.coordinator {
            let heartbeat = &mut coordinator.heartbeat;
            heartbeat.enabled = true;
            heartbeat.reset_session(now, config.session_timeout_ms);
            heartbeat.next = now + Span::from_ms(config.heartbeat_interval_ms);
            heartbeat.poll_until = now + Span::from_ms(config.max_poll_interval_ms);
        }
    }

    /// `poll()` was called, or is going on. [AbstractCoordinator.pollHeartbeat]
    ///
    /// # Errors
    /// What the heartbeat thread failed with.
    pub(super) fn poll_heartbeat(&mut self, ctx: &mut Ctx) -> Result<(), ClientError> {
        let until = ctx.now() + Span::from_ms(self.config.max_poll_interval_ms);
        let Some(coordinator) = &mut self.coordinator else {
            return Ok(());
        };
        if let Some(failure) = coordinator.heartbeat.failure.take() {
            coordinator.heartbeat.enabled = false;
            return Err(failure);
        }
        coordinator.heartbeat.poll_until = until;
        Ok(())
    }

    /// One look of the thread. True if it did something.
    pub(super) fn run_heartbeat(&mut self, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let polling = self.in_poll();
        let Some(coordinator) = &mut self.coordinator else {
            return false;
        };
        if !coordinator.heartbeat.enabled {
            return false;
        }
        let joined = matches!(coordinator.state, MemberState::Completing | MemberState::Stable);
        if !joined || coordinator.heartbeat.failure.is_some() {
            coordinator.heartbeat.enabled = false;
            return false;
        }
        if self.coordinator_node(ctx).is_none() {
            return self.look_up(ctx);
        }
        let Some(coordinator) = &mut self.coordinator else {
            return false;
        };
        let heartbeat = &mut coordinator.heartbeat;
        if heartbeat.session_until <= now {
            let cause = "session timed out without receiving a heartbeat response";
            self.mark_coordinator_unknown(false, cause, ctx);
            true
        } else if !polling && heartbeat.poll_until <= now {
            self.on_poll_timeout(ctx);
            true
        } else if heartbeat.next <= now {
            heartbeat.next = now + Span::from_ms(self.config.heartbeat_interval_ms);
            self.send_heartbeat(ctx);
            true
        } else {
            false
        }
    }

    /// The application overslept. [AbstractCoordinator.handlePollTimeoutExpiry]
    fn on_poll_timeout(&mut self, ctx: &mut Ctx) {
        let text = "consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time processing messages. You can address this either by increasing max.poll.interval.ms or by reducing the maximum size of batches returned in poll() with max.poll.records.";
        self.log(
            loggers::CONSUMER_COORDINATOR.warn(text),
            Weight::Alarm,
            &rules::MAX_POLL_INTERVAL,
            ctx,
        );
        self.maybe_leave(None, "consumer poll timeout has expired.", ctx);
    }

    fn send_heartbeat(&mut self, ctx: &mut Ctx) {
        let Some(coordinator) = &self.coordinator else { return };
        let Some(node) = coordinator.node.clone() else { return };
        let generation = coordinator.generation.clone();
        let request = HeartbeatRequest {
            group: coordinator.group.clone(),
            generation: generation.id,
            member_id: generation.member.clone(),
            instance_id: self.config.group_instance_id.as_deref().map(Into::into),
        };
        self.metrics.heartbeat_sent(ctx.now());
        let timeout = self.config.request_timeout_ms;
        let now = ctx.now();
        self.outbox
            .push(node, request.into(), timeout, Purpose::Heartbeat(generation), now);
    }

    /// [AbstractCoordinator.HeartbeatResponseHandler]
    pub(super) fn on_heartbeat(&mut self, sent: &Generation, error: ErrorCode, ctx: &mut Ctx) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let unchanged = coordinator.generation == *sent;
        let stable = coordinator.state == MemberState::Stable;
        match error {
            ErrorCode::None => self.heartbeat_done(ctx),
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.log_heartbeat_refused(error, sent, unchanged, ctx);
                self.coordinator_refused(error, ctx);
                self.heartbeat_failed(ctx);
            }
            ErrorCode::RebalanceInProgress => {
                if stable {
                    self.request_rejoin("group is already rebalancing", ctx);
                }
                self.heartbeat_done(ctx);
            }
            ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId if unchanged => {
                self.log_heartbeat_refused(error, sent, unchanged, ctx);
                self.reset_on_error("HEARTBEAT", error, error != ErrorCode::IllegalGeneration, ctx);
                if error == ErrorCode::FencedInstanceId {
                    self.fail_heartbeat_thread(Failure::of(error).error);
                }
                self.heartbeat_failed(ctx);
            }
            // About a generation that is over.
            ErrorCode::IllegalGeneration | ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId => {
                self.log_heartbeat_refused(error, sent, unchanged, ctx);
                self.heartbeat_done(ctx);
            }
            ErrorCode::GroupAuthorizationFailed => {
                let text = format!("Not authorized to access group: {}", coordinator.group);
                self.fail_heartbeat_thread(ClientError::new("GroupAuthorizationException", &text));
            }
            _ => self.heartbeat_failed(ctx),
        }
    }

    fn fail_heartbeat_thread(&mut self, error: ClientError) {
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.heartbeat.failure = Some(error);
        }
    }

    fn heartbeat_done(&mut self, ctx: &mut Ctx) {
        let session = self.config.session_timeout_ms;
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.heartbeat.failures = 0;
            coordinator.heartbeat.reset_session(ctx.now(), session);
        }
    }

    /// The next try comes after a pause that doubles. [Heartbeat.failHeartbeat]
    pub(super) fn heartbeat_failed(&mut self, ctx: &mut Ctx) {
        if let Some(coordinator) = &mut self.coordinator {
            let heartbeat = &mut coordinator.heartbeat;
            heartbeat.next = ctx.now() + self.retry.span(heartbeat.failures, &mut self.random);
            heartbeat.failures += 1;
        }
    }
}
