//! ConsumerGroupHeartbeat of the client: when one goes, what it says, what its answer means.
//! [AbstractHeartbeatRequestManager, ConsumerHeartbeatRequestManager]

use super::{Event, Local, Modern, ModernState};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::consumer::outbox::{Failure, Purpose};
use crate::kafka::client::consumer::process::{Consumer, later};
use crate::kafka::client::consumer::rules;
use crate::kafka::client::log::loggers;
use crate::kafka::protocol::consumer_group::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
use crate::kafka::protocol::share::ShareGroupHeartbeatRequest;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::rule::Weight;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// The clock of heartbeats, and what the coordinator was told already.
#[derive(Clone, Debug, Default)]
pub struct Beat {
    /// As the coordinator wants it.
    interval: Span,
    next: Time,
    in_flight: bool,
    /// After a failure none goes before.
    backoff_until: Time,
    failures: u32,
    /// The application has to poll before.
    pub poll_until: Time,
    /// The member leaves because the application did not.
    poll_expired: bool,
    sent: Sent,
}

/// What was said last; what is unchanged is not said again.
#[derive(Clone, Debug, Default)]
struct Sent {
    rack: bool,
    rebalance_timeout: bool,
    topics: Option<OrderedSet<Rc<str>>>,
    regex: Option<Rc<str>>,
    assignor: bool,
    local: Option<Option<Local>>,
}

impl Beat {
    /// When the next one is due.
    pub fn next_due(&self, state: ModernState, now: Time) -> Time {
        if state.is_out() || self.in_flight {
            return Time::NEVER;
        }
        later(self.next.max(self.backoff_until), now).min(match state {
            ModernState::Joining | ModernState::Acknowledging => later(self.backoff_until, now),
            _ => Time::NEVER,
        })
    }
}

impl Consumer {
    /// Sends a heartbeat if one is due. True if it did something.
    pub(in crate::kafka::client::consumer) fn beat_modern(&mut self, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        let polling = self.in_poll();
        let known = self.coordinator_node(ctx).is_some();
        let Some(modern) = &mut self.modern else { return false };
        if !known || modern.state.is_out() {
            if modern.state == ModernState::Leaving {
                // It can't be said: the session will end by itself.
                modern.state = ModernState::Unsubscribed;
                modern.leaving = false;
                return true;
            }
            return self.propagate_fatal();
        }
        let leaves = matches!(modern.state, ModernState::PrepareLeaving | ModernState::Leaving);
        if !polling && modern.beat.poll_until <= now && !leaves {
            self.poll_overslept(ctx);
            return true;
        }
        let beat = &modern.beat;
        let waits = beat.in_flight || beat.backoff_until > now;
        let at_once = match modern.state {
            ModernState::Leaving => true,
            ModernState::Acknowledging | ModernState::Joining => !waits,
            _ => false,
        };
        let due = beat.next <= now && !waits && modern.state != ModernState::PrepareLeaving;
        if !at_once && !due {
            return false;
        }
        self.send_beat(false, ctx);
        true
    }

    /// What no lookup of the coordinator will cure is thrown by the next poll.
    fn propagate_fatal(&mut self) -> bool {
        let fatal = self
            .coordinator
            .as_mut()
            .and_then(|coordinator| coordinator.fatal.take());
        let found = fatal.is_some();
        if let (Some(error), Some(modern)) = (fatal, &mut self.modern) {
            modern.events.push_back(Event::Error(error));
        }
        found
    }

    /// The application overslept: the member leaves, and comes back with the next poll.
    fn poll_overslept(&mut self, ctx: &mut Ctx) {
        let text = "Consumer poll timeout has expired. This means the time between subsequent calls to poll() was longer than the configured max.poll.interval.ms, which typically implies that the poll loop is spending too much time processing messages. You can address this either by increasing max.poll.interval.ms or by reducing the maximum size of batches returned in poll() with max.poll.records.";
        self.log(
            loggers::HEARTBEATS.warn(text),
            Weight::Alarm,
            &rules::MAX_POLL_INTERVAL,
            ctx,
        );
        let is_static = self.config.group_instance_id.is_some();
        if let Some(modern) = &mut self.modern {
            modern.beat.poll_expired = true;
            let epoch = modern.leave_epoch(is_static);
            modern.set_epoch(epoch);
            modern.current = None;
            modern.state = ModernState::Leaving;
        }
        self.send_beat(true, ctx);
        if let Some(modern) = &mut self.modern {
            modern.beat.in_flight = false;
            modern.beat.failures = 0;
            modern.beat.backoff_until = Time::ZERO;
            modern.beat.sent = Sent::default();
        }
    }

    fn send_beat(&mut self, ignored: bool, ctx: &mut Ctx) {
        let now = ctx.now();
        let request = match self.is_share() {
            true => self.share_beat_request().map(Body::from),
            false => self.beat_request().map(Body::from),
        };
        let Some(node) = self
            .coordinator
            .as_ref()
            .and_then(|coordinator| coordinator.node.clone())
        else {
            return;
        };
        let Some((modern, request)) = self.modern.as_mut().zip(request) else {
            return;
        };
        modern.beat.in_flight = true;
        modern.beat.next = now + modern.beat.interval;
        let expired = modern.state == ModernState::Leaving && std::mem::take(&mut modern.beat.poll_expired);
        match modern.state {
            ModernState::Acknowledging if modern.is_reconciled() => modern.state = ModernState::Stable,
            ModernState::Acknowledging => modern.state = ModernState::Reconciling,
            ModernState::Leaving if expired => modern.state = ModernState::Stale,
            ModernState::Leaving => modern.state = ModernState::Unsubscribed,
            _ => {}
        }
        self.metrics.heartbeat_sent(now);
        let timeout = self.config.request_timeout_ms;
        self.outbox
            .push(node, request, timeout, Purpose::GroupHeartbeat(ignored), now);
        if expired {
            self.lose_all(ctx);
        }
    }

    /// [ShareHeartbeatRequestManager.HeartbeatState.buildRequestData]
    fn share_beat_request(&mut self) -> Option<ShareGroupHeartbeatRequest> {
        let rack: Option<Rc<str>> = Some(self.config.client_rack.as_str())
            .filter(|rack| !rack.is_empty())
            .map(Rc::from);
        let group = self.group()?;
        let topics = self.subscription.names().clone();
        let modern = self.modern.as_mut()?;
        let sent = &mut modern.beat.sent;
        let all = modern.state == ModernState::Joining;
        let tells_rack = !std::mem::replace(&mut sent.rack, true);
        let tells_topics = all || sent.topics.as_ref() != Some(&topics);
        let list = tells_topics.then(|| topics.iter().cloned().collect());
        sent.topics = Some(topics);
        Some(ShareGroupHeartbeatRequest {
            group,
            member_id: modern.member_id.clone(),
            member_epoch: modern.epoch,
            rack: rack.filter(|_| tells_rack),
            topics: list,
        })
    }

    /// [HeartbeatState.buildRequestData]
    fn beat_request(&mut self) -> Option<ConsumerGroupHeartbeatRequest> {
        let config = self.config.clone();
        let group = self.group()?;
        let topics = self.subscription.names().clone();
        let regex = self.subscription.regex().cloned();
        let modern = self.modern.as_mut()?;
        let sent = &mut modern.beat.sent;
        let all = modern.state == ModernState::Joining;
        let rack = Some(config.client_rack.as_str()).filter(|rack| all && !rack.is_empty());
        let timeout = all || !sent.rebalance_timeout;
        sent.rebalance_timeout = true;
        let tells_topics = all || sent.topics.as_ref() != Some(&topics);
        let tells_regex = (all && regex.is_some()) || regex != sent.regex;
        let tells_assignor = config.group_remote_assignor.is_some() && (all || !sent.assignor);
        sent.assignor |= tells_assignor;
        let tells_local = all || sent.local.as_ref() != Some(&modern.current);
        sent.local = Some(modern.current.clone());
        sent.regex.clone_from(&regex);
        let list = tells_topics.then(|| topics.iter().cloned().collect());
        sent.topics = Some(topics);
        let owned = modern
            .current
            .as_ref()
            .map_or_else(|| Rc::from([]), |local| local.partitions.clone());
        Some(ConsumerGroupHeartbeatRequest {
            group,
            member_id: modern.member_id.clone(),
            member_epoch: modern.epoch,
            instance_id: config.group_instance_id.as_deref().map(Rc::from),
            rack: rack.map(Rc::from),
            rebalance_timeout_ms: match timeout {
                true => i32::try_from(config.max_poll_interval_ms).unwrap_or(i32::MAX),
                false => -1,
            },
            topics: list,
            regex: tells_regex.then(|| regex.unwrap_or_default()),
            assignor: config
                .group_remote_assignor
                .as_deref()
                .filter(|_| tells_assignor)
                .map(Rc::from),
            owned: tells_local.then_some(owned),
        })
    }

    /// An answer came.
    pub(in crate::kafka::client::consumer) fn on_group_heartbeat(
        &mut self,
        answer: &ConsumerGroupHeartbeatResponse,
        ignored: bool,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let Some(modern) = &mut self.modern else { return };
        if ignored {
            return;
        }
        modern.beat.in_flight = false;
        if answer.error.is_error() {
            return self.beat_refused(answer, ctx);
        }
        modern.beat.failures = 0;
        let interval = Span::from_ms(answer.heartbeat_interval_ms);
        if modern.beat.interval != interval && answer.heartbeat_interval_ms > 0 {
            modern.beat.interval = interval;
            modern.beat.next = now + interval;
        }
        modern.answered(answer);
    }

    /// No answer came.
    pub(in crate::kafka::client::consumer) fn on_group_heartbeat_lost(
        &mut self,
        failure: &Failure,
        ignored: bool,
        ctx: &mut Ctx,
    ) {
        if ignored {
            return;
        }
        self.beat_failed(ctx);
        if !failure.retriable {
            return self.fatal(failure.error.clone(), ctx);
        }
        if let Some(modern) = &mut self.modern
            && modern.state == ModernState::Unsubscribed
        {
            modern.leaving = false;
        }
    }

    fn beat_failed(&mut self, ctx: &mut Ctx) {
        if let Some(modern) = &mut self.modern {
            let beat = &mut modern.beat;
            beat.in_flight = false;
            beat.sent = Sent::default();
            beat.next = ctx.now();
            beat.backoff_until = ctx.now() + self.retry.span(beat.failures, &mut self.random);
            beat.failures += 1;
        }
    }

    /// [AbstractHeartbeatRequestManager.onErrorResponse]
    fn beat_refused(&mut self, answer: &ConsumerGroupHeartbeatResponse, ctx: &mut Ctx) {
        self.beat_failed(ctx);
        let error = answer.error;
        let message = answer.message.as_deref();
        let (member, epoch) = match &self.modern {
            Some(modern) => (modern.member_id.clone(), modern.epoch),
            None => return,
        };
        let name = match self.is_share() {
            true => "ShareGroupHeartbeatRequest",
            false => "ConsumerGroupHeartbeatRequest",
        };
        match error {
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                let why = message.unwrap_or("null").to_string();
                self.mark_coordinator_unknown(false, &why, ctx);
                self.forget_backoff();
            }
            ErrorCode::CoordinatorLoadInProgress => {}
            ErrorCode::FencedMemberEpoch => {
                let text = format!("{name} failed for member {member} because epoch {epoch} is fenced.");
                self.log(loggers::HEARTBEATS.info(text), Weight::Matters, &rules::LOST, ctx);
                self.fenced(ctx);
                self.forget_backoff();
            }
            ErrorCode::UnknownMemberId => {
                let text = format!("{name} failed because member {member} is unknown.");
                self.log(loggers::HEARTBEATS.info(text), Weight::Matters, &rules::LOST, ctx);
                self.fenced(ctx);
                self.forget_backoff();
            }
            ErrorCode::InvalidRegularExpression => {
                let text = format!(
                    "Invalid RE2J SubscriptionPattern provided in the call to subscribe. {}",
                    message.unwrap_or("null")
                );
                self.fatal(ClientError::of(error, Some(&text)), ctx);
            }
            ErrorCode::GroupIdNotFound
                if self
                    .modern
                    .as_ref()
                    .is_some_and(|m| m.state == ModernState::Unsubscribed) => {}
            ErrorCode::GroupAuthorizationFailed => {
                let group = self.group().unwrap_or_default();
                let text = format!("Not authorized to access group: {group}");
                self.fatal(ClientError::new("GroupAuthorizationException", &text), ctx);
            }
            error => self.fatal(ClientError::of(error, message), ctx),
        }
        if let Some(modern) = &mut self.modern
            && modern.state == ModernState::Unsubscribed
        {
            modern.leaving = false;
        }
    }

    fn forget_backoff(&mut self) {
        if let Some(modern) = &mut self.modern {
            modern.beat.failures = 0;
            modern.beat.backoff_until = Time::ZERO;
        }
    }
}

impl Modern {
    /// [ConsumerMembershipManager.onHeartbeatSuccess]
    fn answered(&mut self, answer: &ConsumerGroupHeartbeatResponse) {
        match self.state {
            ModernState::Leaving => return,
            ModernState::Unsubscribed if answer.member_epoch < 0 => {
                self.leaving = false;
                return;
            }
            state if state.is_out() => return,
            _ if answer.member_epoch < 0 => {
                self.leaving = false;
                return;
            }
            _ => {}
        }
        self.set_epoch(answer.member_epoch);
        let takes = matches!(
            self.state,
            ModernState::Joining | ModernState::Reconciling | ModernState::Acknowledging | ModernState::Stable
        );
        let Some(assignment) = answer.assignment.as_ref().filter(|_| takes) else {
            return;
        };
        let last = self.target.as_ref();
        if last.is_none_or(|last| last.partitions != *assignment) {
            self.target = Some(Local {
                epoch: last.map_or(0, |last| last.epoch + 1),
                partitions: assignment.clone(),
            });
        }
        if !self.is_reconciled() {
            self.state = ModernState::Reconciling;
        } else if matches!(self.state, ModernState::Reconciling | ModernState::Joining) {
            self.state = ModernState::Stable;
        }
    }
}
