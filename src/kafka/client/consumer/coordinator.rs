//! The group's coordinator: finding it, losing it, and what the member knows about itself. [AbstractCoordinator]

use super::heartbeat::Heartbeat;
use super::membership::{Generation, Join};
use super::outbox::{Failure, Purpose};
use super::process::{Consumer, later};
use super::rebalance::{Completing, Prepare};
use super::rules;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::network::{coordinator_id, node_text};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::groups::{CoordinatorKind, FindCoordinatorRequest, FindCoordinatorResponse};
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Time;
use std::rc::Rc;

/// Where a member stands. [AbstractCoordinator.MemberState]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberState {
    Unjoined,
    /// JoinGroup is under way.
    Preparing,
    /// SyncGroup is under way.
    Completing,
    Stable,
}

/// For each partition of a topic the racks of its replicas.
pub type RacksOfPartitions = Vec<OrderedSet<Rc<str>>>;

/// Topics with the racks of each partition, as metadata had them: another count makes a leader rebalance.
/// [ConsumerCoordinator.MetadataSnapshot]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicsSeen {
    pub version: u32,
    pub topics: Rc<OrderedMap<Rc<str>, RacksOfPartitions>>,
}

impl TopicsSeen {
    pub fn matches(&self, other: &TopicsSeen) -> bool {
        self.version == other.version || self.topics == other.topics
    }
}

/// A member and its coordinator.
#[derive(Clone, Debug)]
pub struct Coordinator {
    pub group: Rc<str>,
    /// Under the id of a connection of its own.
    pub node: Option<BrokerNode>,
    /// A lookup is under way.
    pub looking: bool,
    /// No lookup before.
    pub look_after: Time,
    /// What the last lookup found that no other will cure.
    pub fatal: Option<ClientError>,
    /// The metadata's version when no node was left to ask.
    pub no_node_at: Option<u32>,
    pub state: MemberState,
    pub generation: Generation,
    /// Generation and member id of the last join that was completed.
    pub group_metadata: (i32, Rc<str>),
    pub rejoin_needed: bool,
    pub needs_prepare: bool,
    pub prepare: Prepare,
    /// The listener commits what the new assignment takes away (cooperative).
    pub completing: Option<Box<Completing>>,
    /// What `sticky` was assigned last, and in which generation: it tells the next leader so.
    pub stuck_to: Option<(i32, Rc<[NamedPartition]>)>,
    pub join: Join,
    /// No JoinGroup before.
    pub join_after: Time,
    /// When the last join was sent.
    pub join_sent: Time,
    pub is_leader: bool,
    /// The topics that the member joined with.
    pub joined_topics: Option<OrderedSet<Rc<str>>>,
    pub topics_seen: TopicsSeen,
    /// What the leader's assignment was made from.
    pub assigned_from: Option<TopicsSeen>,
    /// With a pattern metadata are refreshed before joining: newer ones than these are waited for.
    pub fresh_after: Option<u32>,
    pub heartbeat: Heartbeat,
    /// When the rebalance that is going on began.
    pub rebalance_since: Option<Time>,
}

impl Coordinator {
    pub fn new(group: Rc<str>) -> Coordinator {
        Coordinator {
            group,
            node: None,
            looking: false,
            no_node_at: None,
            look_after: Time::ZERO,
            fatal: None,
            state: MemberState::Unjoined,
            generation: Generation::none(),
            group_metadata: (-1, Rc::from("")),
            rejoin_needed: true,
            needs_prepare: true,
            prepare: Prepare::Nothing,
            completing: None,
            stuck_to: None,
            join: Join::Idle,
            join_after: Time::ZERO,
            join_sent: Time::ZERO,
            is_leader: false,
            joined_topics: None,
            topics_seen: TopicsSeen::default(),
            assigned_from: None,
            fresh_after: None,
            heartbeat: Heartbeat::default(),
            rebalance_since: None,
        }
    }

    pub fn rebalancing(&self) -> bool {
        matches!(self.state, MemberState::Preparing | MemberState::Completing)
    }

    /// The generation, if the member is settled in it.
    pub fn stable_generation(&self) -> Option<&Generation> {
        (self.state == MemberState::Stable).then_some(&self.generation)
    }

    /// When something is due. `polling`: a poll is going on; `calling`: some other call.
    pub fn next_due(&self, now: Time, polling: bool, calling: bool) -> Time {
        let mut due = self.heartbeat.next_due(self.node.is_some(), polling, now);
        let lookup_wanted = self.node.is_none() && !self.looking;
        if lookup_wanted && (polling || calling || self.heartbeat.enabled) {
            due = due.min(later(self.look_after, now));
        }
        if polling {
            due = due.min(later(self.join_after, now)).min(self.prepare.next_due(now));
            if let Some(completing) = &self.completing {
                due = due.min(completing.commit.next_due(now));
            }
        }
        due
    }
}

impl Consumer {
    /// The coordinator's node, unless its connection is known to be down. [AbstractCoordinator.checkAndGetCoordinator]
    pub(super) fn coordinator_node(&mut self, ctx: &mut Ctx) -> Option<BrokerNode> {
        let node = self.coordinator.as_ref()?.node.clone()?;
        if self.net.is_unavailable(node.id, ctx.now()) {
            self.mark_coordinator_unknown(true, "coordinator unavailable", ctx);
            // Whoever finds it so sleeps before it looks again.
            let after = ctx.now() + self.fixed_backoff();
            if let Some(coordinator) = &mut self.coordinator {
                coordinator.look_after = coordinator.look_after.max(after);
            }
            return None;
        }
        Some(node)
    }

    /// Is the coordinator known? If not it is looked for. [AbstractCoordinator.ensureCoordinatorReady]
    ///
    /// # Errors
    /// What the coordinator's lookup ended in, if no other can help.
    pub(super) fn ensure_coordinator(&mut self, ctx: &mut Ctx) -> Result<bool, ClientError> {
        if self.coordinator_node(ctx).is_some() {
            return Ok(true);
        }
        let Some(coordinator) = &mut self.coordinator else {
            return Ok(false);
        };
        if let Some(fatal) = coordinator.fatal.take() {
            return Err(fatal);
        }
        self.look_up(ctx);
        Ok(false)
    }

    /// [AbstractCoordinator.lookupCoordinator]
    pub(super) fn look_up(&mut self, ctx: &mut Ctx) -> bool {
        let backoff = self.fixed_backoff();
        let Some(coordinator) = &mut self.coordinator else {
            return false;
        };
        let version = self.net.metadata.update_version();
        let renewed = coordinator.no_node_at.is_some_and(|seen| seen != version);
        if coordinator.looking || (coordinator.look_after > ctx.now() && !renewed) {
            return false;
        }
        coordinator.no_node_at = None;
        let Some(node) = self.net.least_loaded(ctx.now()) else {
            // Whoever knows no node waits for other metadata: a new beginning from the bootstrap addresses is that too.
            coordinator.no_node_at = Some(version);
            coordinator.look_after = ctx.now() + backoff;
            self.net.metadata.request_update();
            return false;
        };
        coordinator.looking = true;
        let request = FindCoordinatorRequest {
            kind: CoordinatorKind::Group,
            key: coordinator.group.clone(),
        };
        let timeout = self.config.request_timeout_ms;
        let now = ctx.now();
        self.outbox
            .push(node, request.into(), timeout, Purpose::FindCoordinator, now);
        true
    }

    pub(super) fn on_coordinator_found(&mut self, answer: &FindCoordinatorResponse, ctx: &mut Ctx) {
        let session = self.config.session_timeout_ms;
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        coordinator.looking = false;
        match (answer.error, &answer.node) {
            (ErrorCode::None, Some(node)) => {
                let node = BrokerNode {
                    id: coordinator_id(node.id),
                    ..node.clone()
                };
                coordinator.node = Some(node.clone());
                coordinator.heartbeat.reset_session(ctx.now(), session);
                let text = format!("Discovered group coordinator {}", node_text(&node));
                self.log(
                    self.finder_logger().info(text),
                    Weight::Detail,
                    &rules::COORDINATOR,
                    ctx,
                );
                self.net.ready(&node, ctx);
                self.give_up_if_unavailable(node.id, ctx);
                self.send_pending_commits(ctx);
            }
            (ErrorCode::GroupAuthorizationFailed, _) => {
                let text = format!("Not authorized to access group: {}", coordinator.group);
                self.on_lookup_failed(&Failure::fatal("GroupAuthorizationException", &text), ctx);
            }
            (error, _) => self.on_lookup_failed(&Failure::of(error), ctx),
        }
    }

    /// It was found, but is known not to be reached just now: whoever waits for it sleeps and looks again.
    /// [AbstractCoordinator.ensureCoordinatorReady]
    fn give_up_if_unavailable(&mut self, node: NodeId, ctx: &mut Ctx) {
        if self.modern.is_some() || !self.net.is_unavailable(node, ctx.now()) {
            return;
        }
        self.mark_coordinator_unknown(false, "coordinator unavailable", ctx);
        let after = ctx.now() + self.fixed_backoff();
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.look_after = after;
        }
    }

    /// A lookup did not find it.
    pub(super) fn on_lookup_failed(&mut self, failure: &Failure, ctx: &mut Ctx) {
        let after = ctx.now() + self.fixed_backoff();
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        coordinator.looking = false;
        coordinator.look_after = after;
        if !failure.retriable {
            coordinator.fatal = Some(failure.error.clone());
        }
        self.net.metadata.request_update();
        self.fail_pending_commits(failure);
    }

    /// [AbstractCoordinator.markCoordinatorUnknown]
    pub(super) fn mark_coordinator_unknown(&mut self, disconnected: bool, cause: &str, ctx: &mut Ctx) {
        let Some(node) = self
            .coordinator
            .as_mut()
            .and_then(|coordinator| coordinator.node.take())
        else {
            return;
        };
        let modern = self.modern.is_some();
        let how = match modern {
            true => String::new(),
            false => format!(" isDisconnected: {disconnected}."),
        };
        let text = format!(
            "Group coordinator {} is unavailable or invalid due to cause: {cause}.{how} Rediscovery will be attempted.",
            node_text(&node)
        );
        self.log(
            self.finder_logger().info(text),
            Weight::Matters,
            &rules::COORDINATOR,
            ctx,
        );
        if modern && !disconnected {
            self.net.disconnect(node.id, ctx);
        } else if !disconnected {
            let text = format!("Requesting disconnect from last known coordinator {}", node_text(&node));
            self.log(
                self.finder_logger().info(text),
                Weight::Detail,
                &rules::COORDINATOR,
                ctx,
            );
            self.net.disconnect(node.id, ctx);
        }
    }

    /// An answer refused because the node does not coordinate the group.
    pub(super) fn coordinator_refused(&mut self, error: ErrorCode, ctx: &mut Ctx) {
        self.mark_coordinator_unknown(false, &format!("error response {}", error.name()), ctx);
    }

    /// A request to the coordinator had no answer because the connection broke.
    pub(super) fn coordinator_lost(&mut self, node: NodeId, failure: &Failure, ctx: &mut Ctx) {
        let current = self
            .coordinator
            .as_ref()
            .and_then(|coordinator| coordinator.node.as_ref());
        if *failure.error.class == *"DisconnectException" && current.is_some_and(|current| current.id == node) {
            self.mark_coordinator_unknown(true, "null", ctx);
        }
    }
}
