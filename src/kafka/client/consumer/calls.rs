//! The consumer's calls: what returns at once, and what the user's thread waits in. [ClassicKafkaConsumer]

use super::commits::{CommitSync, Offsets};
use super::leave::Leaving;
use super::modern::Modern;
use super::note::{ConsumerNote, Polled};
use super::pattern::Pattern;
use super::position::{FetchPosition, ResetTo};
use super::process::{Consumer, later};
use super::rules;
use super::text;
use super::times::Times;
use super::{ConsumerOrder, SeekTo};
use crate::kafka::client::call::{Answer, CallId, ClientError, Consumed};
use crate::kafka::client::log::loggers;
use crate::kafka::config::consumer::GroupProtocol;
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// A call that the user's thread is in.
#[derive(Clone, Debug)]
pub enum Pending {
    Poll {
        call: CallId,
        until: Time,
        /// Enough; 0: as many as come in time.
        enough: usize,
        records: Vec<Consumed>,
    },
    CommitSync(CallId, Box<CommitSync>),
    Position(CallId, NamedPartition, Time),
    Committed(CallId, OrderedSet<NamedPartition>, Time),
    Times(Box<Times>),
    Leaving(Box<Leaving>),
    /// `commitSync()` of a share consumer, by its number.
    ShareSync(CallId, u64),
}

impl Pending {
    /// When it has to be looked at.
    pub fn next_due(&self, now: Time) -> Time {
        match self {
            Pending::Poll { until, .. } | Pending::Position(.., until) | Pending::Committed(.., until) => {
                later(*until, now)
            }
            Pending::CommitSync(_, commit) => commit.next_due(now),
            Pending::Times(times) => later(times.until, now),
            Pending::Leaving(leaving) => leaving.next_due(now),
            Pending::ShareSync(..) => Time::NEVER,
        }
    }
}

type Returned = Result<Answer, ClientError>;

const DONE: Returned = Ok(Answer::Done);

impl Consumer {
    /// A closed consumer refuses everything.
    pub(super) fn refuse_orders(&mut self, ctx: &mut Ctx) -> bool {
        let text = "This consumer has already been closed.";
        while let Some(order) = self.orders.pop_front() {
            let result = match order {
                ConsumerOrder::Close { .. } => DONE,
                _ => Err(ClientError::new("IllegalStateException", text)),
            };
            self.returns(call_of(&order), result, ctx);
        }
        false
    }

    /// Begins a call.
    pub(super) fn begin(&mut self, order: ConsumerOrder, ctx: &mut Ctx) {
        let call = call_of(&order);
        if let Some(result) = self.begin_or_return(order, ctx) {
            self.returns(call, result, ctx);
        }
    }

    /// The result, if there is one at once.
    fn begin_or_return(&mut self, order: ConsumerOrder, ctx: &mut Ctx) -> Option<Returned> {
        Some(match order {
            ConsumerOrder::Subscribe { call, topics } => return self.subscribe(call, topics, ctx),
            ConsumerOrder::SubscribePattern { pattern, .. } => self.subscribe_pattern(&pattern, ctx),
            ConsumerOrder::SubscribeRegex { regex, .. } => self.subscribe_regex(&regex, ctx),
            ConsumerOrder::Assign { call, partitions } => return self.assign_by_hand(call, partitions, ctx),
            ConsumerOrder::Unsubscribe { call } => return self.unsubscribe(call, ctx),
            ConsumerOrder::Application { work_us, commit, .. } => {
                self.application.work_us = work_us;
                self.application.commit = commit;
                DONE
            }
            ConsumerOrder::Listener { commit_on_revoke, .. } => {
                self.commit_on_revoke = commit_on_revoke;
                DONE
            }
            ConsumerOrder::PollLoop { on: true, .. } => {
                self.application.on = true;
                DONE
            }
            ConsumerOrder::PollLoop { on: false, .. } => {
                self.stop_loop(ctx);
                DONE
            }
            ConsumerOrder::Poll {
                call,
                timeout_ms,
                records,
            } => {
                self.pending = Some(Pending::Poll {
                    call,
                    until: ctx.now() + Span::from_ms(timeout_ms),
                    enough: records,
                    records: Vec::new(),
                });
                return None;
            }
            ConsumerOrder::Seek { partition, to, .. } => self.seek(&partition, to, ctx),
            ConsumerOrder::Position { call, partition } => return self.position(call, partition, ctx),
            ConsumerOrder::CommittedOffsets { call, partitions } => return self.committed(call, partitions, ctx),
            ConsumerOrder::OffsetsForTimes { call, times } => return self.begin_times(call, times, ctx),
            ConsumerOrder::Acknowledge { records, .. } => self.acknowledge_records(&records),
            ConsumerOrder::AcknowledgeOpen { kind, .. } => {
                let records = self.open_records(kind);
                self.acknowledge_records(&records)
            }
            ConsumerOrder::Verdicts { verdicts, .. } => {
                self.application.verdicts = verdicts;
                DONE
            }
            ConsumerOrder::CommitSync { call, .. } if self.is_share() => match self.begin_share_sync(ctx) {
                None => Ok(Answer::Each(Default::default())),
                Some(number) => {
                    self.pending = Some(Pending::ShareSync(call, number));
                    return None;
                }
            },
            ConsumerOrder::CommitAsync { .. } if self.is_share() => {
                self.commit_share_async(ctx);
                DONE
            }
            ConsumerOrder::CommitSync { call, offsets } => return self.commit_sync(call, offsets, ctx),
            ConsumerOrder::CommitAsync { offsets, .. } => self.begin_commit_async(offsets, ctx),
            ConsumerOrder::Pause { partitions, .. } => self.set_paused(&partitions, true),
            ConsumerOrder::Resume { partitions, .. } => self.set_paused(&partitions, false),
            ConsumerOrder::EnforceRebalance { .. } => self.enforce_rebalance(ctx),
            ConsumerOrder::Close { call, leave } => {
                self.stop_loop(ctx);
                let leaving = self.begin_close(call, leave, ctx);
                self.pending = Some(Pending::Leaving(Box::new(leaving)));
                return None;
            }
        })
    }

    /// Goes on with a call; `None` when it has returned.
    pub(super) fn step_pending(&mut self, pending: Pending, ctx: &mut Ctx) -> Option<Pending> {
        let now = ctx.now();
        let (call, result) = match pending {
            Pending::Poll {
                call,
                until,
                enough,
                records,
            } => return self.step_poll(call, until, enough, records, ctx),
            Pending::CommitSync(call, mut commit) => match self.step_commit_sync(&mut commit, ctx) {
                None => return Some(Pending::CommitSync(call, commit)),
                Some(result) => (call, result.map(|()| Answer::Done)),
            },
            Pending::Position(call, partition, until) => match self.step_position(&partition, until, ctx) {
                None => return Some(Pending::Position(call, partition, until)),
                Some(result) => (call, result),
            },
            Pending::Committed(call, partitions, until) => match self.fetch_committed(&partitions, ctx) {
                Ok(None) if now < until => return Some(Pending::Committed(call, partitions, until)),
                Ok(None) => (call, Err(self.committed_timed_out(&partitions))),
                Ok(Some(offsets)) => (call, Ok(Answer::Committed(offsets))),
                Err(error) => (call, Err(error)),
            },
            Pending::Times(times) => return self.step_times(times, ctx).map(Pending::Times),
            Pending::ShareSync(call, number) => match self.step_share_sync(number, ctx) {
                None => return Some(Pending::ShareSync(call, number)),
                Some(answer) => (call, Ok(answer)),
            },
            Pending::Leaving(leaving) => {
                let leaving = self.step_leaving(*leaving, ctx)?;
                return Some(Pending::Leaving(Box::new(leaving)));
            }
        };
        self.returns(call, result, ctx);
        None
    }

    // ---- poll ----

    fn step_poll(
        &mut self,
        call: CallId,
        until: Time,
        enough: usize,
        mut records: Vec<Consumed>,
        ctx: &mut Ctx,
    ) -> Option<Pending> {
        // While it is looked at it counts as polling.
        loop {
            match self.poll_once(ctx) {
                Ok(Some(more)) => records.extend(more),
                Ok(None) if ctx.now() < until => {
                    return Some(Pending::Poll {
                        call,
                        until,
                        enough,
                        records,
                    });
                }
                Ok(None) => {
                    self.share_poll_ended();
                    break;
                }
                Err(error) => {
                    if !records.is_empty() {
                        let records = Polled(Rc::new(records));
                        self.note(ConsumerNote::Polled { records }, ctx);
                    }
                    self.returns(call, Err(error), ctx);
                    return None;
                }
            }
            if enough > 0 && records.len() >= enough {
                break;
            }
        }
        self.returns(call, Ok(Answer::Records(records)), ctx);
        None
    }

    // ---- what to read ----

    fn subscribe(&mut self, call: CallId, topics: Vec<Rc<str>>, ctx: &mut Ctx) -> Option<Returned> {
        if let Err(error) = self.needs_group() {
            return Some(Err(error));
        }
        if topics.is_empty() {
            return self.unsubscribe(call, ctx);
        }
        if topics.iter().any(|topic| topic.trim().is_empty()) {
            let text = "Topic collection to subscribe to cannot contain null or empty topic";
            return Some(Err(ClientError::new("IllegalArgumentException", text)));
        }
        self.fetcher.keep_only(|partition| topics.contains(&partition.topic));
        let text = format!("Subscribed to topic(s): {}", topics.join(", "));
        self.log(self.own_logger().info(text), Weight::Detail, &rules::MEMBERSHIP, ctx);
        let changed = self.subscription.subscribe(topics.into_iter().collect());
        Some(changed.map(|changed| {
            self.want_topics(changed);
            self.modern_mut().into_iter().for_each(Modern::subscription_updated);
            Answer::Done
        }))
    }

    fn subscribe_pattern(&mut self, text: &str, ctx: &mut Ctx) -> Returned {
        self.needs_group()?;
        if text.is_empty() {
            let text = "Topic pattern to subscribe to cannot be empty";
            return Err(ClientError::new("IllegalArgumentException", text));
        }
        let pattern = Pattern::new(text).map_err(|what| ClientError::new("PatternSyntaxException", &what))?;
        let line = format!("Subscribed to pattern: '{text}'");
        self.log(self.own_logger().info(line), Weight::Detail, &rules::MEMBERSHIP, ctx);
        self.subscription.subscribe_pattern(pattern)?;
        self.match_pattern();
        self.want_topics(true);
        self.modern_mut().into_iter().for_each(Modern::subscription_updated);
        DONE
    }

    fn subscribe_regex(&mut self, regex: &Rc<str>, ctx: &mut Ctx) -> Returned {
        if self.config.group_protocol == GroupProtocol::Classic {
            let text = "Subscribe to RE2/J pattern is not supported when usingthe CLASSIC protocol defined in config group.protocol";
            return Err(ClientError::new("UnsupportedOperationException", text));
        }
        self.needs_group()?;
        if regex.is_empty() {
            let text = "Topic pattern to subscribe to cannot be empty";
            return Err(ClientError::new("IllegalArgumentException", text));
        }
        let line = format!("Subscribing to regular expression {regex}");
        self.log(
            loggers::ASYNC_CONSUMER.info(line),
            Weight::Detail,
            &rules::MEMBERSHIP,
            ctx,
        );
        self.subscription.subscribe_regex(regex.clone())?;
        self.want_topics(true);
        self.modern_mut().into_iter().for_each(Modern::subscription_updated);
        DONE
    }

    fn assign_by_hand(&mut self, call: CallId, partitions: Vec<NamedPartition>, ctx: &mut Ctx) -> Option<Returned> {
        if partitions.is_empty() {
            return self.unsubscribe(call, ctx);
        }
        Some(self.try_assign(partitions, ctx))
    }

    fn try_assign(&mut self, partitions: Vec<NamedPartition>, ctx: &mut Ctx) -> Returned {
        if partitions.iter().any(|partition| partition.topic.trim().is_empty()) {
            let text = "Topic partitions to assign to cannot have null or empty topic";
            return Err(ClientError::new("IllegalArgumentException", text));
        }
        self.fetcher.keep_only(|partition| partitions.contains(partition));
        self.maybe_auto_commit(ctx)?;
        let names: Vec<String> = partitions.iter().map(NamedPartition::to_string).collect();
        let text = format!("Assigned to partition(s): {}", names.join(", "));
        self.log(self.own_logger().info(text), Weight::Detail, &rules::POSITION, ctx);
        if self.subscription.assign_from_user(partitions.into_iter().collect())? {
            self.want_topics(true);
        }
        DONE
    }

    fn unsubscribe(&mut self, call: CallId, ctx: &mut Ctx) -> Option<Returned> {
        let leaving = self.begin_unsubscribe(call, ctx);
        self.pending = Some(Pending::Leaving(Box::new(leaving)));
        None
    }

    fn set_paused(&mut self, partitions: &[NamedPartition], paused: bool) -> Returned {
        for partition in partitions {
            self.subscription.assigned_state(partition)?.paused = paused;
        }
        DONE
    }

    fn enforce_rebalance(&mut self, ctx: &mut Ctx) -> Returned {
        if self.config.group_protocol == GroupProtocol::Consumer {
            let text = "Operation not supported in new consumer group protocol";
            self.log(
                loggers::ASYNC_CONSUMER.warn(text),
                Weight::Matters,
                &rules::MEMBERSHIP,
                ctx,
            );
            return DONE;
        }
        if self.coordinator.is_none() {
            let text = "Tried to force a rebalance but consumer does not have a group.";
            return Err(ClientError::new("IllegalStateException", text));
        }
        self.request_rejoin("rebalance enforced by user", ctx);
        DONE
    }

    /// InvalidGroupIdException without a group.
    fn needs_group(&self) -> Result<(), ClientError> {
        if self.coordinator.is_some() {
            return Ok(());
        }
        if self.is_share() {
            let text = "You must provide a valid group.id in the consumer configuration.";
            return Err(ClientError::new("InvalidGroupIdException", text));
        }
        let text = "To use the group management or offset commit APIs, you must provide a valid group.id in the consumer configuration.";
        Err(ClientError::new("InvalidGroupIdException", text))
    }

    // ---- positions ----

    fn seek(&mut self, partition: &NamedPartition, to: SeekTo, ctx: &mut Ctx) -> Returned {
        let (state, text) = match to {
            SeekTo::Offset(offset) if offset < 0 => {
                let text = "seek offset must not be a negative number";
                return Err(ClientError::new("IllegalArgumentException", text));
            }
            SeekTo::Offset(offset) => {
                // Without an epoch the position is not validated.
                let position = FetchPosition {
                    offset,
                    offset_epoch: None,
                    leader: self.known_leader(partition),
                };
                let state = self.subscription.assigned_state(partition)?;
                state.seek_unvalidated(position);
                (state, format!("Seeking to offset {offset} for partition {partition}"))
            }
            SeekTo::Beginning | SeekTo::End => {
                let to = if to == SeekTo::End {
                    ResetTo::Latest
                } else {
                    ResetTo::Earliest
                };
                let state = self.subscription.assigned_state(partition)?;
                state.reset(to);
                (state, format!("Seeking to {to} offset of partition {partition}"))
            }
        };
        state.held = None;
        self.log(self.own_logger().info(text), Weight::Detail, &rules::POSITION, ctx);
        DONE
    }

    fn position(&mut self, call: CallId, partition: NamedPartition, ctx: &mut Ctx) -> Option<Returned> {
        if self.subscription.get(&partition).is_none() {
            let text = "You can only check the position for partitions assigned to this consumer.";
            return Some(Err(ClientError::new("IllegalStateException", text)));
        }
        let until = self.api_deadline(ctx);
        self.pending = Some(Pending::Position(call, partition, until));
        None
    }

    fn step_position(&mut self, partition: &NamedPartition, until: Time, ctx: &mut Ctx) -> Option<Returned> {
        let state = self
            .subscription
            .get(partition)
            .filter(|state| state.has_valid_position());
        if let Some(position) = state.and_then(|state| state.position.as_ref()) {
            return Some(Ok(Answer::Position(position.offset)));
        }
        if let Err(error) = self.update_positions(ctx) {
            return Some(Err(error));
        }
        if ctx.now() < until {
            return None;
        }
        let text = format!(
            "Timeout of {}ms expired before the position for partition {partition} could be determined",
            self.config.default_api_timeout_ms
        );
        Some(Err(ClientError::new("TimeoutException", &text)))
    }

    pub(super) fn api_deadline(&self, ctx: &Ctx) -> Time {
        ctx.now() + Span::from_ms(self.config.default_api_timeout_ms)
    }

    // ---- commits ----

    fn committed(&mut self, call: CallId, partitions: Vec<NamedPartition>, ctx: &mut Ctx) -> Option<Returned> {
        if let Err(error) = self.needs_group() {
            return Some(Err(error));
        }
        if partitions.is_empty() {
            return Some(Ok(Answer::Committed(Default::default())));
        }
        let until = self.api_deadline(ctx);
        self.pending = Some(Pending::Committed(call, partitions.into_iter().collect(), until));
        None
    }

    fn committed_timed_out(&self, partitions: &OrderedSet<NamedPartition>) -> ClientError {
        let text = format!(
            "Timeout of {}ms expired before the last committed offset for partitions {} could be determined. Try tuning default.api.timeout.ms larger to relax the threshold.",
            self.config.default_api_timeout_ms,
            text::list(text::in_hash_order(partitions.iter()))
        );
        ClientError::new("TimeoutException", &text)
    }

    /// The offsets that a commit is about.
    fn offsets_to_commit(&mut self, offsets: Option<Offsets>) -> Result<Offsets, ClientError> {
        let given = offsets.iter().flatten();
        if given.clone().any(|(_, offset)| offset.offset < 0) {
            return Err(ClientError::new("IllegalArgumentException", "Invalid negative offset"));
        }
        self.needs_group()?;
        for (partition, offset) in given.filter(|(_, offset)| offset.leader_epoch >= 0) {
            let metadata = &mut self.net.metadata;
            metadata.heard_epoch(&partition.topic, partition.partition, offset.leader_epoch);
        }
        Ok(offsets.unwrap_or_else(|| self.subscription.all_consumed()))
    }

    fn commit_sync(&mut self, call: CallId, offsets: Option<Offsets>, ctx: &mut Ctx) -> Option<Returned> {
        match self.offsets_to_commit(offsets) {
            Err(error) => Some(Err(error)),
            Ok(offsets) => {
                let commit = CommitSync::new(offsets, self.api_deadline(ctx));
                self.pending = Some(Pending::CommitSync(call, Box::new(commit)));
                None
            }
        }
    }

    fn begin_commit_async(&mut self, offsets: Option<Offsets>, ctx: &mut Ctx) -> Returned {
        let offsets = self.offsets_to_commit(offsets)?;
        self.commit_async(offsets, ctx)?;
        DONE
    }
}

/// The number of a call.
fn call_of(order: &ConsumerOrder) -> CallId {
    match order {
        ConsumerOrder::Subscribe { call, .. }
        | ConsumerOrder::SubscribePattern { call, .. }
        | ConsumerOrder::SubscribeRegex { call, .. }
        | ConsumerOrder::Assign { call, .. }
        | ConsumerOrder::Unsubscribe { call }
        | ConsumerOrder::Application { call, .. }
        | ConsumerOrder::Listener { call, .. }
        | ConsumerOrder::PollLoop { call, .. }
        | ConsumerOrder::Poll { call, .. }
        | ConsumerOrder::Seek { call, .. }
        | ConsumerOrder::Position { call, .. }
        | ConsumerOrder::CommittedOffsets { call, .. }
        | ConsumerOrder::OffsetsForTimes { call, .. }
        | ConsumerOrder::CommitSync { call, .. }
        | ConsumerOrder::CommitAsync { call, .. }
        | ConsumerOrder::Acknowledge { call, .. }
        | ConsumerOrder::AcknowledgeOpen { call, .. }
        | ConsumerOrder::Verdicts { call, .. }
        | ConsumerOrder::Pause { call, .. }
        | ConsumerOrder::Resume { call, .. }
        | ConsumerOrder::EnforceRebalance { call }
        | ConsumerOrder::Close { call, .. } => *call,
    }
}
