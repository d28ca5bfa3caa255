//! Joining the group: JoinGroup and SyncGroup, and what makes a member join again.
//! [AbstractCoordinator.joinGroupIfNeeded]

use super::coordinator::MemberState;
use super::outbox::{Failure, Purpose};
use super::process::Consumer;
use super::rules;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::config::consumer::Assignor;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{
    JoinGroupRequest, JoinGroupResponse, Subscription as MemberSubscription, SyncGroupRequest,
};
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::Span;
use std::fmt;
use std::rc::Rc;

/// A JoinGroup is waited for so much longer than the rebalance may take.
const JOIN_LAPSE_MS: i64 = 5_000;

/// The protocol type of consumers.
const CONSUMER: &str = "consumer";

/// What a member is in its group. [AbstractCoordinator.Generation]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// -1: none.
    pub id: i32,
    /// Empty: none.
    pub member: Rc<str>,
    pub protocol: Option<Rc<str>>,
}

impl Generation {
    pub fn none() -> Generation {
        Generation {
            id: -1,
            member: Rc::from(""),
            protocol: None,
        }
    }

    /// Was it reset since a join?
    pub fn is_reset(&self) -> bool {
        self.id == -1 && self.protocol.is_none()
    }

    /// Is it that of nobody in the group?
    pub fn is_outside(&self) -> bool {
        self.id == -1 || self.member.is_empty()
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = self.protocol.as_deref().unwrap_or("null");
        let (id, member) = (self.id, &self.member);
        write!(
            f,
            "Generation{{generationId={id}, memberId='{member}', protocol='{protocol}'}}"
        )
    }
}

/// How far a join is. [AbstractCoordinator.joinFuture]
#[derive(Clone, Debug)]
pub enum Join {
    Idle,
    /// JoinGroup or SyncGroup is under way.
    UnderWay,
    /// The leader waits for metadata of topics that other members read, newer than these.
    Metadata(u32, Rc<JoinGroupResponse>),
    Done(Result<Rc<[NamedPartition]>, Failure>),
}

/// How long an application's `poll()` lasts about; its loop here has no ends of single polls.
const ONE_POLL: Span = Span::ms(500);

impl Consumer {
    // ---- wanting to join ----

    /// [AbstractCoordinator.requestRejoin]
    pub(super) fn request_rejoin(&mut self, reason: &str, ctx: &mut Ctx) {
        let text = format!("Request joining group due to: {reason}");
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Detail,
            &rules::MEMBERSHIP,
            ctx,
        );
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.rejoin_needed = true;
        }
    }

    /// Generation and perhaps member id are void. [AbstractCoordinator.resetStateAndRejoin]
    pub(super) fn reset_and_rejoin(&mut self, reason: &str, member_id_too: bool, ctx: &mut Ctx) {
        let what = if member_id_too { "and member id " } else { "" };
        let text = format!("Resetting generation {what}due to: {reason}");
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Matters,
            &rules::MEMBERSHIP,
            ctx,
        );
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.state = MemberState::Unjoined;
            let member = match member_id_too {
                true => Rc::from(""),
                false => coordinator.generation.member.clone(),
            };
            coordinator.generation = Generation {
                member,
                ..Generation::none()
            };
            coordinator.needs_prepare = true;
        }
        self.request_rejoin(reason, ctx);
    }

    pub(super) fn reset_on_error(&mut self, api: &str, error: ErrorCode, member_id_too: bool, ctx: &mut Ctx) {
        let reason = format!("encountered {} from {api} response", error.name());
        self.reset_and_rejoin(&reason, member_id_too, ctx);
    }

    /// [ConsumerCoordinator.rejoinNeededOrPending]
    pub(super) fn wants_to_join(&mut self, ctx: &mut Ctx) -> bool {
        let Some(coordinator) = &self.coordinator else {
            return false;
        };
        if !self.subscription.by_group() {
            return false;
        }
        let seen = &coordinator.topics_seen;
        let moved = coordinator
            .assigned_from
            .as_ref()
            .is_some_and(|from| !from.matches(seen));
        let joined = coordinator.joined_topics.as_ref();
        let changed = joined.is_some_and(|joined| joined != self.subscription.topics());
        let needed = coordinator.rejoin_needed;
        if moved && !needed {
            self.request_rejoin("cached metadata has changed since the beginning of the rebalance", ctx);
        } else if changed && !needed {
            let (before, now) = (
                joined.map(java_set).unwrap_or_default(),
                java_set(self.subscription.topics()),
            );
            let text = format!("subscription has changed from {before} at the beginning of the rebalance to {now}");
            self.request_rejoin(&text, ctx);
        }
        moved || changed || needed || self.coordinator.as_ref().is_some_and(|c| !matches!(c.join, Join::Idle))
    }

    // ---- joining ----

    /// Joins as far as can be done now; true when the member is in and has its partitions.
    ///
    /// # Errors
    /// What `poll()` throws.
    pub(super) fn join_if_needed(&mut self, ctx: &mut Ctx) -> Result<bool, ClientError> {
        while self.wants_to_join(ctx) {
            if !self.ensure_coordinator(ctx)? {
                return Ok(false);
            }
            if self
                .coordinator
                .as_ref()
                .is_some_and(|coordinator| coordinator.needs_prepare)
            {
                if !self.prepare_join(ctx)? {
                    return Ok(false);
                }
                self.set(|coordinator| coordinator.needs_prepare = false);
            }
            let Some(coordinator) = &mut self.coordinator else {
                return Ok(false);
            };
            match std::mem::replace(&mut coordinator.join, Join::Idle) {
                Join::Idle if coordinator.join_after > ctx.now() => return Ok(false),
                Join::Idle => {
                    self.send_join(ctx);
                    return Ok(false);
                }
                Join::Done(Ok(partitions)) => {
                    self.on_join_done(&partitions, ctx);
                    if !self.step_completing(ctx) {
                        return Ok(false);
                    }
                }
                Join::Done(Err(failure)) => self.on_join_failed(failure, ctx)?,
                under_way => {
                    coordinator.join = under_way;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    pub(super) fn set(&mut self, change: impl FnOnce(&mut super::coordinator::Coordinator)) {
        if let Some(coordinator) = &mut self.coordinator {
            change(coordinator);
        }
    }

    fn on_join_done(&mut self, partitions: &Rc<[NamedPartition]>, ctx: &mut Ctx) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if !coordinator.generation.is_reset() && coordinator.state == MemberState::Stable {
            coordinator.needs_prepare = true;
            self.complete_join(partitions, ctx);
        } else {
            let text = format!(
                "rebalance failed since the generation/state was modified by heartbeat thread to {}/{} before the rebalance callback triggered",
                coordinator.generation,
                coordinator.state.name()
            );
            self.reset_and_rejoin(&text, true, ctx);
        }
    }

    /// The user's thread waits for its join: that it failed is seen before anything else is looked at.
    ///
    /// # Errors
    /// What `poll()` throws.
    pub(super) fn take_failed_join(&mut self, ctx: &mut Ctx) -> Result<(), ClientError> {
        let Some(coordinator) = &mut self.coordinator else {
            return Ok(());
        };
        // Another poll than the one that sent it looks for the coordinator first.
        if ctx.now().since(coordinator.join_sent) > ONE_POLL {
            return Ok(());
        }
        match std::mem::replace(&mut coordinator.join, Join::Idle) {
            Join::Done(Err(failure)) => self.on_join_failed(failure, ctx),
            other => {
                coordinator.join = other;
                Ok(())
            }
        }
    }

    fn on_join_failed(&mut self, failure: Failure, ctx: &mut Ctx) -> Result<(), ClientError> {
        let class = failure.error.class.clone();
        self.metrics.rebalance_failed(ctx.now());
        if &*class != "MemberIdRequiredException" {
            let message = failure.error.message.as_deref().unwrap_or("null");
            self.request_rejoin(&format!("rebalance failed due to '{message}' ({class})"), ctx);
        }
        match &*class {
            "UnknownMemberIdException"
            | "IllegalGenerationException"
            | "RebalanceInProgressException"
            | "MemberIdRequiredException" => {}
            _ if !failure.retriable => return Err(failure.error),
            _ => {
                let after = ctx.now() + self.fixed_backoff();
                // It sleeps, and looks for the coordinator afterwards.
                self.set(|coordinator| {
                    coordinator.join_after = after;
                    coordinator.look_after = coordinator.look_after.max(after);
                });
            }
        }
        Ok(())
    }

    /// [AbstractCoordinator.sendJoinGroupRequest]
    fn send_join(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let protocols = self.protocols();
        let topics = self.subscription.topics().clone();
        let config = self.config.clone();
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        coordinator.state = MemberState::Preparing;
        coordinator.join_sent = now;
        coordinator.rebalance_since.get_or_insert(now);
        coordinator.joined_topics = Some(topics);
        let Some(node) = coordinator.node.clone() else {
            coordinator.join = Join::Done(Err(Failure::of(ErrorCode::CoordinatorNotAvailable)));
            return;
        };
        coordinator.join = Join::UnderWay;
        let generation = coordinator.generation.clone();
        let request = JoinGroupRequest {
            group: coordinator.group.clone(),
            session_timeout_ms: int(config.session_timeout_ms),
            rebalance_timeout_ms: int(config.max_poll_interval_ms),
            member_id: generation.member.clone(),
            instance_id: config.group_instance_id.as_deref().map(Rc::from),
            protocol_type: CONSUMER.into(),
            protocols,
        };
        self.log(
            loggers::CONSUMER_COORDINATOR.info("(Re-)joining group"),
            Weight::Detail,
            &rules::MEMBERSHIP,
            ctx,
        );
        let longest = config.max_poll_interval_ms.saturating_add(JOIN_LAPSE_MS);
        let timeout = config.request_timeout_ms.max(longest);
        self.outbox
            .push(node, request.into(), timeout, Purpose::Join(generation), now);
    }

    /// The assignors that the member offers, and what it tells each. [ConsumerCoordinator.metadata]
    fn protocols(&self) -> Vec<(Rc<str>, Rc<MemberSubscription>)> {
        let rack = &self.config.client_rack;
        let coordinator = self.coordinator.as_ref();
        let plain = Rc::new(MemberSubscription {
            topics: self.subscription.topics().iter().cloned().collect(),
            owned: self.subscription.assigned().cloned().collect(),
            generation: coordinator.map_or(-1, |coordinator| coordinator.generation.id),
            rack: (!rack.is_empty()).then(|| rack.as_str().into()),
        });
        let told = |assignor: &Assignor| match coordinator.and_then(|coordinator| coordinator.stuck_to.as_ref()) {
            // The user data of this assignor: its memory outlives the membership.
            Some((generation, partitions)) if *assignor == Assignor::Sticky => Rc::new(MemberSubscription {
                owned: partitions.to_vec(),
                generation: *generation,
                ..(*plain).clone()
            }),
            _ => plain.clone(),
        };
        let offered = self.config.partition_assignment_strategy.iter();
        offered
            .map(|assignor| (assignor.name().into(), told(assignor)))
            .collect()
    }

    /// [AbstractCoordinator.JoinGroupResponseHandler]
    pub(super) fn on_joined(&mut self, sent: &Generation, answer: &Rc<JoinGroupResponse>, ctx: &mut Ctx) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let unchanged = coordinator.generation == *sent;
        match answer.error {
            ErrorCode::None if coordinator.state != MemberState::Preparing => {
                self.end_join(Err(Failure::retriable("UnjoinedGroupException", "")));
            }
            ErrorCode::None => {
                coordinator.state = MemberState::Completing;
                coordinator.generation = Generation {
                    id: answer.generation,
                    member: answer.member_id.clone(),
                    protocol: answer.protocol.clone(),
                };
                let text = format!("Successfully joined group with generation {}", coordinator.generation);
                self.enable_heartbeat(ctx);
                self.log(
                    loggers::CONSUMER_COORDINATOR.info(text),
                    Weight::Detail,
                    &rules::MEMBERSHIP,
                    ctx,
                );
                match answer.leader == answer.member_id {
                    true => self.on_elected(answer, ctx),
                    false => self.send_sync(Vec::new(), ctx),
                }
            }
            ErrorCode::MemberIdRequired => {
                coordinator.generation = Generation {
                    member: answer.member_id.clone(),
                    ..Generation::none()
                };
                let text = format!("need to re-join with the given member-id: {}", answer.member_id);
                self.request_rejoin(&text, ctx);
                self.end_join(Err(Failure::of(answer.error)));
            }
            ErrorCode::UnknownMemberId => {
                self.log_join_refused(answer.error, sent, ctx);
                if unchanged {
                    self.reset_on_error("JOIN_GROUP", answer.error, true, ctx);
                }
                self.end_join(Err(Failure::of(answer.error)));
            }
            error => {
                self.log_join_refused(error, sent, ctx);
                self.on_join_refused(error, ctx);
            }
        }
    }

    fn on_join_refused(&mut self, error: ErrorCode, ctx: &mut Ctx) {
        let group = self.group().unwrap_or_else(|| Rc::from(""));
        let failure = match error {
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.coordinator_refused(error, ctx);
                Failure::of(error)
            }
            ErrorCode::GroupMaxSizeReached => Failure::fatal(
                "GroupMaxSizeReachedException",
                &format!("Consumer group {group} already has the configured maximum number of members."),
            ),
            ErrorCode::GroupAuthorizationFailed => Failure::fatal(
                "GroupAuthorizationException",
                &format!("Not authorized to access group: {group}"),
            ),
            ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::FencedInstanceId
            | ErrorCode::InconsistentGroupProtocol
            | ErrorCode::InvalidSessionTimeout
            | ErrorCode::InvalidGroupId
            | ErrorCode::UnsupportedVersion
            | ErrorCode::RebalanceInProgress => Failure::of(error),
            other => Failure::fatal(
                "KafkaException",
                &format!("Unexpected error in join group response: {}", other.message()),
            ),
        };
        self.end_join(Err(failure));
    }

    /// What the next poll finds.
    pub(super) fn end_join(&mut self, result: Result<Rc<[NamedPartition]>, Failure>) {
        self.set(|coordinator| coordinator.join = Join::Done(result));
    }

    // ---- syncing ----

    pub(super) fn send_sync(&mut self, assignments: Vec<(Rc<str>, Rc<[NamedPartition]>)>, ctx: &mut Ctx) {
        let instance_id = self.config.group_instance_id.as_deref().map(Rc::from);
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let Some(node) = coordinator.node.clone() else {
            return self.end_join(Err(Failure::of(ErrorCode::CoordinatorNotAvailable)));
        };
        coordinator.join = Join::UnderWay;
        let generation = coordinator.generation.clone();
        let request = SyncGroupRequest {
            group: coordinator.group.clone(),
            generation: generation.id,
            member_id: generation.member.clone(),
            instance_id,
            protocol_type: Some(CONSUMER.into()),
            protocol: generation.protocol.clone(),
            assignments,
        };
        let timeout = self.config.request_timeout_ms;
        let now = ctx.now();
        self.outbox
            .push(node, request.into(), timeout, Purpose::Sync(generation), now);
    }

    /// [AbstractCoordinator.SyncGroupResponseHandler]
    pub(super) fn on_synced(
        &mut self,
        sent: &Generation,
        error: ErrorCode,
        assignment: &Rc<[NamedPartition]>,
        ctx: &mut Ctx,
    ) {
        let now = ctx.now();
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        let unchanged = coordinator.generation == *sent;
        match error {
            ErrorCode::None if !coordinator.generation.is_reset() && coordinator.state == MemberState::Completing => {
                coordinator.state = MemberState::Stable;
                coordinator.rejoin_needed = false;
                let took = coordinator.rebalance_since.take().map(|since| now.since(since));
                let text = format!("Successfully synced group in generation {}", coordinator.generation);
                self.metrics.rebalanced(now, Some(took.unwrap_or(Span::ZERO)));
                self.log(
                    loggers::CONSUMER_COORDINATOR.info(text),
                    Weight::Detail,
                    &rules::MEMBERSHIP,
                    ctx,
                );
                self.end_join(Ok(assignment.clone()));
            }
            ErrorCode::None => self.end_join(Err(Failure::of(ErrorCode::IllegalGeneration))),
            ErrorCode::UnknownMemberId | ErrorCode::IllegalGeneration => {
                self.log_sync_refused(error, sent, ctx);
                if unchanged {
                    self.reset_on_error("SYNC_GROUP", error, error != ErrorCode::IllegalGeneration, ctx);
                }
                self.end_join(Err(Failure::of(error)));
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => {
                self.log_sync_refused(error, sent, ctx);
                self.coordinator_refused(error, ctx);
                self.end_join(Err(Failure::of(error)));
            }
            ErrorCode::RebalanceInProgress | ErrorCode::FencedInstanceId => {
                self.log_sync_refused(error, sent, ctx);
                self.end_join(Err(Failure::of(error)));
            }
            ErrorCode::GroupAuthorizationFailed => {
                let text = format!("Not authorized to access group: {}", coordinator.group);
                self.end_join(Err(Failure::fatal("GroupAuthorizationException", &text)));
            }
            other => {
                let text = format!("Unexpected error from SyncGroup: {}", other.message());
                self.end_join(Err(Failure::fatal("KafkaException", &text)));
            }
        }
    }
}

/// `[a, b]`, as Java prints a set.
fn java_set(topics: &OrderedSet<Rc<str>>) -> String {
    let names: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
    format!("[{}]", names.join(", "))
}

fn int(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
