//! The consumer with `group.protocol=consumer` (KIP-848): a background thread keeps the member in its group with one kind of
//! request, and brings it step by step to what the coordinator wants it to have; the application's thread runs the
//! listener's callbacks when it polls. [AsyncKafkaConsumer, ConsumerMembershipManager]
//!
//! [`heartbeat`]: when a heartbeat goes, and what its answer means; [`reconcile`]: from what the member has to what it is to
//! have; [`leave`]: unsubscribing and closing.

pub mod heartbeat;
pub mod leave;
pub mod reconcile;

use super::commits::CommitSync;
use super::note::ConsumerNote;
use super::process::{Consumer, later};
use crate::kafka::client::call::ClientError;
use crate::kafka::types::{NamedPartition, TopicId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::{Span, Time};
use reconcile::Reconciling;
use std::collections::VecDeque;
use std::rc::Rc;

/// Where a member stands. [MemberState]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModernState {
    #[default]
    Unsubscribed,
    Joining,
    Reconciling,
    Acknowledging,
    Stable,
    Fenced,
    PrepareLeaving,
    Leaving,
    Fatal,
    /// Out, because the application did not poll.
    Stale,
}

impl ModernState {
    /// As Kafka calls it.
    pub fn name(self) -> &'static str {
        match self {
            ModernState::Unsubscribed => "UNSUBSCRIBED",
            ModernState::Joining => "JOINING",
            ModernState::Reconciling => "RECONCILING",
            ModernState::Acknowledging => "ACKNOWLEDGING",
            ModernState::Stable => "STABLE",
            ModernState::Fenced => "FENCED",
            ModernState::PrepareLeaving => "PREPARE_LEAVING",
            ModernState::Leaving => "LEAVING",
            ModernState::Fatal => "FATAL",
            ModernState::Stale => "STALE",
        }
    }

    fn is_out(self) -> bool {
        matches!(
            self,
            ModernState::Unsubscribed | ModernState::Fenced | ModernState::Fatal | ModernState::Stale
        )
    }
}

/// Partitions, and which version of the assignment they are. [LocalAssignment]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    pub epoch: i64,
    pub partitions: Rc<[TopicPartition]>,
}

/// What the background thread wants the application's thread to do.
#[derive(Clone, Debug)]
enum Event {
    /// `poll()` throws it.
    Error(ClientError),
    /// Partitions are taken over.
    Assigned {
        all: OrderedSet<NamedPartition>,
        added: Rc<[NamedPartition]>,
    },
    /// Each with what goes on when the listener has heard of it.
    Revoked(Rc<[NamedPartition]>, After),
    Lost(Rc<[NamedPartition]>, After),
}

/// What goes on when the listener has heard of partitions that go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum After {
    #[default]
    Nothing,
    /// The reconciliation goes on.
    Reconcile,
    /// The assignment is cleared; a fenced member joins again.
    Clear,
    /// The member leaves.
    Leave,
}

/// A member of a consumer group.
#[derive(Clone, Debug)]
pub struct Modern {
    pub state: ModernState,
    /// Member epoch.
    pub epoch: i32,
    /// Real ones are random UUIDs; here it is the client's name.
    pub member_id: Rc<str>,
    /// The epoch that commits carry; `None`: it is no member.
    pub commit_epoch: Option<i32>,
    /// It has been in an epoch.
    known: bool,
    /// Epoch and partitions as the application's thread knows them. [groupMetadata, groupAssignmentSnapshot]
    pub app_epoch: i32,
    app_partitions: Rc<[NamedPartition]>,
    subscription_updated: bool,
    pub current: Option<Local>,
    pub target: Option<Local>,
    /// Names of assigned topics, also of those that metadata do not have any more.
    names: OrderedMap<TopicId, Rc<str>>,
    reconciling: Option<Reconciling>,
    beat: heartbeat::Beat,
    events: VecDeque<Event>,
    /// What the event that the application's thread works on leads to.
    after: After,
    /// The listener's commit, while the callback runs.
    listener_commit: Option<Box<CommitSync>>,
    /// A stale member joins when it has given its partitions up.
    rejoin: bool,
    /// CloseOptions of the close that is under way.
    leave: Option<bool>,
    /// An `unsubscribe()` or `close()` waits for the end of the membership.
    leaving: bool,
}

impl Modern {
    pub fn new(member_id: Rc<str>) -> Modern {
        Modern {
            state: ModernState::Unsubscribed,
            epoch: 0,
            member_id,
            commit_epoch: None,
            known: false,
            app_epoch: -1,
            app_partitions: Rc::from([]),
            subscription_updated: false,
            current: None,
            target: None,
            names: OrderedMap::new(),
            reconciling: None,
            beat: heartbeat::Beat::default(),
            events: VecDeque::new(),
            after: After::Nothing,
            listener_commit: None,
            rejoin: false,
            leave: None,
            leaving: false,
        }
    }

    /// The member id that commits carry: none before the first epoch.
    pub fn commit_member(&self) -> Rc<str> {
        match self.known {
            true => self.member_id.clone(),
            false => Rc::from(""),
        }
    }

    /// When something is due. `polling`: the application polls.
    pub fn next_due(&self, now: Time, polling: bool) -> Time {
        let mut due = self.beat.next_due(self.state, now);
        if !polling && !self.state.is_out() {
            due = due.min(later(self.beat.poll_until, now));
        }
        if let Some(commit) = &self.listener_commit {
            due = due.min(commit.next_due(now));
        }
        match &self.reconciling {
            Some(reconciling) => due.min(reconciling.next_due(now)),
            None => due,
        }
    }

    /// Nobody polls any more: the application has to do so before this time.
    pub fn set_poll_until(&mut self, until: Time) {
        self.beat.poll_until = until;
    }

    /// The subscription is another one.
    pub fn subscription_updated(&mut self) {
        self.subscription_updated = true;
    }

    /// [AbstractMembershipManager.updateMemberEpoch]
    fn set_epoch(&mut self, epoch: i32) {
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        self.known = true;
        self.commit_epoch = (epoch > 0).then_some(epoch);
        if epoch > 0 {
            self.app_epoch = epoch;
        }
    }

    fn is_reconciled(&self) -> bool {
        self.current == self.target
    }

    /// [AbstractMembershipManager.transitionToJoining]
    fn join(&mut self) {
        if self.state == ModernState::Fatal {
            return;
        }
        if let Some(reconciling) = &mut self.reconciling {
            reconciling.rejoined = true;
        }
        self.set_epoch(0);
        self.state = ModernState::Joining;
        self.target = None;
        self.names.clear();
    }

    /// The epoch by which it leaves. [ConsumerMembershipManager.leaveGroupEpoch]
    fn leave_epoch(&self, is_static: bool) -> i32 {
        match is_static && self.leave != Some(true) {
            true => -2,
            false => -1,
        }
    }
}

impl Consumer {
    pub(super) fn modern_mut(&mut self) -> Option<&mut Modern> {
        self.modern.as_deref_mut()
    }

    /// One look of the background thread. True if it did something.
    pub(super) fn run_modern(&mut self, ctx: &mut Ctx) -> bool {
        if self.modern.is_none() || self.closed {
            return false;
        }
        let mut moved = false;
        if self.coordinator_node(ctx).is_none() {
            moved |= self.look_up(ctx);
        }
        moved |= self.beat_modern(ctx);
        self.reconcile_modern(false, ctx);
        moved |= self.drive_reconciliation(ctx);
        moved
    }

    /// What a `poll()` has the background thread do, and what that has left for the application's thread.
    ///
    /// # Errors
    /// What the background thread failed with.
    pub(super) fn poll_modern(&mut self, ctx: &mut Ctx) -> Result<bool, ClientError> {
        self.reconcile_modern(true, ctx);
        self.drive_reconciliation(ctx);
        self.maybe_auto_commit(ctx)?;
        self.refresh_topics();
        let until = ctx.now() + Span::from_ms(self.config.max_poll_interval_ms);
        let by_group = self.subscription.by_group();
        let Some(modern) = &mut self.modern else {
            return Ok(true);
        };
        if std::mem::take(&mut modern.subscription_updated) && modern.state == ModernState::Unsubscribed && by_group {
            modern.join();
        }
        modern.beat.poll_until = until;
        if modern.state == ModernState::Stale {
            modern.rejoin = true;
            if modern.listener_commit.is_none() && modern.events.is_empty() {
                self.release_done(ctx);
            }
        }
        self.beat_modern(ctx);
        self.run_callbacks(ctx)?;
        let through = self.process_events(false, ctx);
        // What the callbacks led to is said at once.
        self.beat_modern(ctx);
        through
    }

    /// Runs the listener's callbacks and whatever else waits. False: a callback commits and is waited for.
    ///
    /// # Errors
    /// The first error among the events.
    fn process_events(&mut self, unsubscribing: bool, ctx: &mut Ctx) -> Result<bool, ClientError> {
        let mut failed = None;
        loop {
            let listener = self.modern.as_mut().and_then(|modern| modern.listener_commit.take());
            if let Some(mut commit) = listener {
                match self.step_commit_sync(&mut commit, ctx) {
                    None => {
                        self.modern
                            .as_mut()
                            .into_iter()
                            .for_each(|m| m.listener_commit = Some(commit.clone()));
                        return Ok(false);
                    }
                    Some(result) => {
                        self.note_listener_commit(&commit, result, ctx);
                        self.callback_done(ctx);
                    }
                }
                continue;
            }
            let Some(event) = self.modern.as_mut().and_then(|modern| modern.events.pop_front()) else {
                break;
            };
            match event {
                Event::Error(error) => failed = failed.or(Some(error)),
                // Nobody is to hear of it any more.
                Event::Assigned { .. } if unsubscribing => {
                    self.modern.as_mut().into_iter().for_each(|m| m.reconciling = None);
                }
                Event::Assigned { all, added } => self.apply_assignment(all, added, ctx),
                Event::Lost(partitions, after) => {
                    self.note(ConsumerNote::Lost { partitions }, ctx);
                    self.modern.as_mut().into_iter().for_each(|m| m.after = after);
                    self.callback_done(ctx);
                }
                Event::Revoked(partitions, after) => {
                    self.modern.as_mut().into_iter().for_each(|m| m.after = after);
                    self.note(ConsumerNote::Revoked { partitions }, ctx);
                    if self.commit_on_revoke {
                        let commit = Box::new(self.commit_positions(ctx));
                        self.modern
                            .as_mut()
                            .into_iter()
                            .for_each(|m| m.listener_commit = Some(commit.clone()));
                    } else {
                        self.callback_done(ctx);
                    }
                }
            }
        }
        failed.map_or(Ok(true), Err)
    }

    /// The listener has heard of partitions that go.
    fn callback_done(&mut self, ctx: &mut Ctx) {
        let Some(modern) = &mut self.modern else { return };
        match std::mem::take(&mut modern.after) {
            After::Nothing => {}
            After::Reconcile => self.revocation_done(ctx),
            After::Clear => self.release_done(ctx),
            After::Leave => self.leave_now(ctx),
        }
    }

    /// Tells the listener that partitions are lost, or goes on at once if there are none. [signalPartitionsLost]
    fn lose_all(&mut self, ctx: &mut Ctx) {
        self.subscription.mark_pending_revocation();
        let lost: Rc<[NamedPartition]> = self.subscription.assigned().cloned().collect();
        let Some(modern) = &mut self.modern else { return };
        if lost.is_empty() || self.share.is_some() {
            return self.release_done(ctx);
        }
        modern.events.push_back(Event::Lost(lost, After::Clear));
    }

    /// The partitions of a member that is out are given up.
    fn release_done(&mut self, _ctx: &mut Ctx) {
        self.clear_assignment();
        if let Some(modern) = &mut self.modern {
            let rejoins = std::mem::take(&mut modern.rejoin);
            if modern.state == ModernState::Fenced || (rejoins && modern.state == ModernState::Stale) {
                modern.join();
            }
        }
    }

    /// [AbstractMembershipManager.clearAssignment]
    fn clear_assignment(&mut self) {
        if self.subscription.by_group() {
            self.subscription.assign_from_group(OrderedSet::new());
            self.modern
                .as_mut()
                .into_iter()
                .for_each(|m| m.app_partitions = Rc::from([]));
        }
        if let Some(modern) = &mut self.modern {
            modern.current = None;
            modern.target = None;
            modern.names.clear();
        }
    }

    /// The member does not count any more: it abandons what it has and joins again. [transitionToFenced]
    fn fenced(&mut self, ctx: &mut Ctx) {
        let Some(modern) = &mut self.modern else { return };
        match modern.state {
            ModernState::PrepareLeaving | ModernState::Leaving => {
                let is_static = self.config.group_instance_id.is_some();
                let epoch = modern.leave_epoch(is_static);
                modern.set_epoch(epoch);
                modern.current = None;
                modern.state = ModernState::Unsubscribed;
                modern.leaving = false;
            }
            ModernState::Unsubscribed => {}
            _ => {
                modern.state = ModernState::Fenced;
                modern.set_epoch(0);
                self.lose_all(ctx);
            }
        }
    }

    /// The member can't be in the group. [transitionToFatal]
    fn fatal(&mut self, error: ClientError, ctx: &mut Ctx) {
        let Some(modern) = &mut self.modern else { return };
        modern.events.push_back(Event::Error(error));
        let before = std::mem::replace(&mut modern.state, ModernState::Fatal);
        modern.commit_epoch = None;
        let left = before == ModernState::Unsubscribed && modern.leaving;
        if left || matches!(before, ModernState::Leaving | ModernState::PrepareLeaving) {
            modern.leaving = false;
            return;
        }
        self.lose_all(ctx);
    }
}
