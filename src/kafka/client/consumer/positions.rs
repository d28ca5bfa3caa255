//! Positions before they can be fetched from: committed offsets, resets by ListOffsets, validation by
//! OffsetsForLeaderEpoch. [ClassicKafkaConsumer.updateFetchPositions, OffsetFetcher]

use super::outbox::{Asked, ListFor, Purpose};
use super::position::{FetchPosition, FetchState, ResetTo};
use super::process::Consumer;
use super::rules;
use super::text;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::{Level, loggers};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::{
    BrokerNode, CONSUMER_REPLICA, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListedOffset,
    OffsetsForLeaderEpochRequest, OffsetsForLeaderEpochResponse,
};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Span, Time};
use std::rc::Rc;

/// What is kept between two looks at the positions.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    /// The metadata that the leaders of positions were last compared with.
    seen_metadata: Option<u32>,
    /// Thrown by the next poll.
    thrown: Option<ClientError>,
    /// The reset that each ListOffsets in flight is for.
    resetting: OrderedMap<NamedPartition, ResetTo>,
}

/// What a ListOffsets answer says of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Offset, timestamp, leader epoch (-1: unknown).
    At(i64, i64, i32),
    /// There is no such offset.
    Nowhere,
    Retry,
    Unauthorized,
}

impl Found {
    /// [OffsetFetcherUtils.handleListOffsetResponse]
    pub fn of(listed: &ListedOffset) -> Found {
        match listed.error {
            ErrorCode::None if listed.offset < 0 => Found::Nowhere,
            ErrorCode::None => Found::At(listed.offset, listed.timestamp, listed.leader_epoch),
            ErrorCode::UnsupportedForMessageFormat => Found::Nowhere,
            ErrorCode::TopicAuthorizationFailed => Found::Unauthorized,
            _ => Found::Retry,
        }
    }
}

type ByNode<T> = OrderedMap<NodeId, (BrokerNode, Vec<Asked<T>>)>;

impl Consumer {
    /// Brings every partition nearer to a position. [ClassicKafkaConsumer.updateFetchPositions]
    ///
    /// # Errors
    /// What `poll()` throws: no offset to begin with, a log cut off below the position.
    pub(super) fn update_positions(&mut self, ctx: &mut Ctx) -> Result<(), ClientError> {
        if let Some(error) = self.positions.thrown.take() {
            return Err(error);
        }
        self.validate_on_metadata_change();
        if self.subscription.has_all_positions() {
            return Ok(());
        }
        self.send_validations(ctx);
        let initializing = self.subscription.initializing();
        if self.coordinator.is_some() && !initializing.is_empty() {
            match self.fetch_committed(&initializing, ctx)? {
                Some(offsets) => self.take_committed(&offsets, ctx),
                None => return Ok(()),
            }
        }
        self.subscription.reset_initializing()?;
        self.send_resets(ctx);
        Ok(())
    }

    /// Positions go on from the committed offsets. [ConsumerUtils.refreshCommittedOffsets]
    fn take_committed(&mut self, offsets: &OrderedMap<NamedPartition, Option<CommittedOffset>>, ctx: &mut Ctx) {
        let keeps_epochs = self.keeps_epochs;
        for (partition, committed) in offsets {
            let Some(committed) = committed else { continue };
            let epoch = (committed.leader_epoch >= 0).then_some(committed.leader_epoch);
            if let Some(epoch) = epoch {
                self.net
                    .metadata
                    .heard_epoch(&partition.topic, partition.partition, epoch);
            }
            let position = FetchPosition {
                offset: committed.offset,
                offset_epoch: epoch.filter(|_| keeps_epochs),
                leader: self.known_leader(partition),
            };
            if let Some(state) = self.subscription.get_mut(partition) {
                let text = format!("Setting offset for partition {partition} to the committed offset {position}");
                state.seek_unvalidated(position);
                self.log(
                    loggers::CONSUMER_UTILS.info(text),
                    Weight::Detail,
                    &rules::POSITION,
                    ctx,
                );
            }
        }
    }

    // ---- resets ----

    fn send_resets(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let due = self.subscription.states().filter(|(_, state)| state.retry_at <= now);
        let due = due.filter_map(|(partition, state)| Some((partition.clone(), state.reset_to()?)));
        let due: Vec<(NamedPartition, ResetTo)> = due.collect();
        if due.is_empty() {
            return;
        }
        let wall = ctx.wall_ms();
        let times = due
            .iter()
            .map(|(partition, to)| (partition.clone(), to.timestamp(wall)));
        let (by_node, _) = self.group_by_leader(times, ctx);
        let until = now + Span::from_ms(self.config.request_timeout_ms);
        let to: OrderedMap<NamedPartition, ResetTo> = due.into_iter().collect();
        for (node, asked) in by_node.into_values() {
            for (_, partition, _) in &asked {
                if let Some(state) = self.subscription.get_mut(partition) {
                    state.retry_at = until;
                }
                self.positions.resetting.insert(partition.clone(), to[partition]);
            }
            self.send_list_offsets(node, asked, ListFor::Reset, ctx);
        }
    }

    /// Partitions by the node to ask; those without one now are in the second part. [OffsetFetcher.groupListOffsetRequests]
    pub(super) fn group_by_leader<T>(
        &mut self,
        partitions: impl Iterator<Item = (NamedPartition, T)>,
        ctx: &mut Ctx,
    ) -> (ByNode<T>, Vec<NamedPartition>) {
        let mut by_node: ByNode<T> = OrderedMap::new();
        let mut left = Vec::new();
        for (partition, item) in partitions {
            let leader = self.known_leader(&partition).leader;
            match (leader, self.partition_id(&partition)) {
                (Some(node), Some(id)) if !self.net.is_unavailable(node.id, ctx.now()) => {
                    let entry = by_node.entry(node.id).or_insert_with(|| (node, Vec::new()));
                    entry.1.push((id, partition, item));
                }
                (Some(_), Some(_)) => left.push(partition),
                _ => {
                    self.net.metadata.request_update();
                    left.push(partition);
                }
            }
        }
        (by_node, left)
    }

    pub(super) fn send_list_offsets(&mut self, node: BrokerNode, asked: Vec<Asked<i64>>, why: ListFor, ctx: &mut Ctx) {
        let each = asked.iter().map(|(id, partition, timestamp)| ListOffsetsPartition {
            partition: *id,
            current_leader_epoch: self.known_leader(partition).epoch.unwrap_or(-1),
            timestamp: *timestamp,
        });
        let request = ListOffsetsRequest {
            replica: CONSUMER_REPLICA,
            isolation: self.isolation(),
            partitions: each.collect(),
        };
        let timeout = self.config.request_timeout_ms;
        let purpose = Purpose::ListOffsets(why, asked.into());
        self.outbox.push(node, request.into(), timeout, purpose, ctx.now());
    }

    /// Answers for resets. [OffsetFetcherUtils.onSuccessfulResponseForResettingPositions]
    pub(super) fn on_reset_listed(&mut self, asked: &[Asked<i64>], answer: &ListOffsetsResponse, ctx: &mut Ctx) {
        let retry = ctx.now() + self.fixed_backoff();
        let mut unauthorized = OrderedSet::new();
        for listed in &answer.partitions {
            let Some((_, partition, _)) = asked.iter().find(|(id, _, _)| *id == listed.partition) else {
                continue;
            };
            let to = self.positions.resetting.remove(partition);
            match Found::of(listed) {
                Found::At(offset, _, epoch) => self.reset_position(partition, to, offset, epoch, ctx),
                // Asked again after request.timeout.ms, without a word.
                Found::Nowhere => {}
                Found::Retry => self.retry_later(partition, retry),
                Found::Unauthorized => {
                    unauthorized.insert(partition.topic.clone());
                    self.retry_later(partition, retry);
                }
            }
        }
        self.remember_unauthorized(&unauthorized);
    }

    fn reset_position(
        &mut self,
        partition: &NamedPartition,
        to: Option<ResetTo>,
        offset: i64,
        epoch: i32,
        ctx: &mut Ctx,
    ) {
        let position = FetchPosition {
            offset,
            offset_epoch: None,
            leader: self.known_leader(partition),
        };
        if epoch >= 0 {
            self.net
                .metadata
                .heard_epoch(&partition.topic, partition.partition, epoch);
        }
        let text = format!("Resetting offset for partition {partition} to position {position}.");
        if let Some(to) = to
            && self.subscription.maybe_reset_to(partition, position, to)
        {
            self.log(loggers::SUBSCRIPTION.info(text), Weight::Detail, &rules::POSITION, ctx);
        }
    }

    fn retry_later(&mut self, partition: &NamedPartition, at: Time) {
        if let Some(state) = self.subscription.get_mut(partition) {
            state.retry_at = at;
        }
        self.net.metadata.request_update();
    }

    fn remember_unauthorized(&mut self, topics: &OrderedSet<Rc<str>>) {
        if !topics.is_empty() && self.positions.thrown.is_none() {
            self.positions.thrown = Some(unauthorized(topics));
        }
    }

    /// A ListOffsets or OffsetsForLeaderEpoch request ended without an answer.
    pub(super) fn on_positions_lost<T>(&mut self, asked: &[Asked<T>], ctx: &mut Ctx) {
        let retry = ctx.now() + self.fixed_backoff();
        for (_, partition, _) in asked {
            self.positions.resetting.remove(partition);
            self.retry_later(partition, retry);
        }
    }

    // ---- validation ----

    /// New metadata: positions under another leader or epoch are to be validated. [PositionsValidator]
    pub(super) fn validate_on_metadata_change(&mut self) {
        let version = self.net.metadata.update_version();
        if self.positions.seen_metadata.replace(version) == Some(version) {
            return;
        }
        let partitions: Vec<NamedPartition> = self.subscription.assigned().cloned().collect();
        for partition in partitions {
            let leader = self.known_leader(&partition);
            self.subscription.leader_known(&partition, leader);
        }
    }

    fn send_validations(&mut self, ctx: &mut Ctx) {
        let now = ctx.now();
        let waiting = self
            .subscription
            .states()
            .filter(|(_, state)| state.state == FetchState::AwaitValidation && state.retry_at <= now);
        let waiting = waiting.filter_map(|(partition, state)| Some((partition.clone(), state.position.clone()?)));
        let waiting: Vec<(NamedPartition, FetchPosition)> = waiting.collect();
        if waiting.is_empty() {
            return;
        }
        let (by_node, _) = self.group_by_leader(waiting.into_iter(), ctx);
        let until = now + Span::from_ms(self.config.request_timeout_ms);
        for (node, asked) in by_node.into_values() {
            for (_, partition, _) in &asked {
                if let Some(state) = self.subscription.get_mut(partition) {
                    state.retry_at = until;
                }
            }
            let each = asked.iter().map(|(id, _, position)| {
                let epoch = position.offset_epoch.unwrap_or(-1);
                (*id, position.leader.epoch.unwrap_or(-1), epoch)
            });
            let request = OffsetsForLeaderEpochRequest {
                partitions: each.collect(),
            };
            let timeout = self.config.request_timeout_ms;
            self.outbox
                .push(node, request.into(), timeout, Purpose::Epochs(asked.into()), now);
        }
    }

    /// [OffsetFetcherUtils.onSuccessfulResponseForValidatingPositions]
    pub(super) fn on_epochs(
        &mut self,
        asked: &[Asked<FetchPosition>],
        answer: &OffsetsForLeaderEpochResponse,
        ctx: &mut Ctx,
    ) {
        let retry = ctx.now() + self.fixed_backoff();
        let mut refused = OrderedSet::new();
        let mut cut = Vec::new();
        for (id, partition, position) in asked {
            let found = answer.partitions.iter().find(|(answered, ..)| answered == id);
            match found {
                Some((_, ErrorCode::None, epoch, end)) => {
                    if let Some(truncation) = self.complete_validation(partition, position, *epoch, *end, ctx) {
                        cut.push(truncation);
                    }
                }
                Some((_, ErrorCode::TopicAuthorizationFailed, ..)) => {
                    refused.insert(partition.topic.clone());
                    self.retry_later(partition, retry);
                }
                _ => self.retry_later(partition, retry),
            }
        }
        self.remember_unauthorized(&refused);
        if !cut.is_empty() && self.positions.thrown.is_none() {
            self.positions.thrown = Some(truncated(&cut));
        }
    }

    /// The log may end before the position: then it was cut. What is to be thrown about that without a policy: the
    /// partition and the first offset known to diverge. [SubscriptionState.maybeCompleteValidation]
    fn complete_validation(
        &mut self,
        partition: &NamedPartition,
        asked: &FetchPosition,
        epoch: i32,
        end: i64,
        ctx: &mut Ctx,
    ) -> Option<(NamedPartition, Option<CommittedOffset>)> {
        let policy = self.subscription.default_reset();
        let state = self.subscription.get_mut(partition)?;
        let current = state.position.clone()?;
        if state.state != FetchState::AwaitValidation || current != *asked {
            return None;
        }
        let undefined = epoch < 0 || end < 0;
        if !undefined && end >= current.offset {
            state.complete_validation();
            return None;
        }
        let found = format!("Truncation detected for partition {partition} at offset {current}");
        let (text, thrown) = match (policy, undefined) {
            (Some(to), true) => {
                state.reset(to);
                (format!("{found}, resetting offset"), None)
            }
            (Some(_), false) => {
                let position = FetchPosition {
                    offset: end,
                    offset_epoch: Some(epoch),
                    leader: current.leader,
                };
                let text = format!("{found}, resetting offset to the first offset known to diverge {position}");
                state.seek_validated(position);
                (text, None)
            }
            (None, true) => (format!("{found}, but no reset policy is set"), Some(None)),
            (None, false) => {
                let diverging = CommittedOffset {
                    offset: end,
                    leader_epoch: epoch,
                    metadata: super::subscription::empty(),
                };
                let end = super::text::offset_text(&diverging);
                let text = format!("{found} (the end offset from the broker is {end}), but no reset policy is set");
                (text, Some(Some(diverging)))
            }
        };
        let level = if thrown.is_some() { Level::Warn } else { Level::Info };
        self.log(
            loggers::SUBSCRIPTION.line(level, text),
            Weight::Alarm,
            &rules::VALIDATION,
            ctx,
        );
        thrown.map(|diverging| (partition.clone(), diverging))
    }
}

/// LogTruncationException
fn truncated(cut: &[(NamedPartition, Option<CommittedOffset>)]) -> ClientError {
    let known = cut
        .iter()
        .filter_map(|(partition, offset)| Some((partition.clone(), offset.clone()?)));
    let text = format!(
        "Truncated partitions detected with divergent offsets {}",
        text::offsets(&known.collect())
    );
    ClientError::new("LogTruncationException", &text)
}

/// TopicAuthorizationException
pub fn unauthorized(topics: &OrderedSet<Rc<str>>) -> ClientError {
    let names: Vec<&str> = topics.iter().map(|topic| &**topic).collect();
    let text = format!("Not authorized to access topics: [{}]", names.join(", "));
    ClientError::new("TopicAuthorizationException", &text)
}
