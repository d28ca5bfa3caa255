//! Around a join: what is committed and given up before it, and what is taken over after it.
//! [ConsumerCoordinator.onJoinPrepare, onJoinComplete]

use super::commits::{self, CommitSync};
use super::note::ConsumerNote;
use super::process::{Consumer, later};
use super::rules;
use super::text;
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::config::consumer::Assignor;
use crate::kafka::rule::Weight;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// How far the preparation for a join is. [ConsumerCoordinator.onJoinPrepare]
#[derive(Clone, Debug)]
pub enum Prepare {
    Nothing,
    /// The auto commit before the rebalance: its number, and how long it may take.
    AutoCommit(u32, Time),
    /// It failed and is tried again at the first time, until the second.
    AutoCommitAgain(Time, Time),
    /// The auto commit is over: the listener is next.
    Listener,
    /// The listener commits.
    Committing(Box<CommitSync>),
}

/// What is left to do after a join, when the listener has committed what the member gave up.
#[derive(Clone, Debug)]
pub struct Completing {
    pub commit: CommitSync,
    partitions: Rc<[NamedPartition]>,
    revoked: Rc<[NamedPartition]>,
}

impl Prepare {
    /// When something is due.
    pub fn next_due(&self, now: Time) -> Time {
        match self {
            Prepare::AutoCommit(_, until) => later(*until, now),
            Prepare::AutoCommitAgain(at, until) => later(*at, now).min(later(*until, now)),
            Prepare::Committing(commit) => commit.next_due(now),
            Prepare::Nothing | Prepare::Listener => Time::NEVER,
        }
    }
}

impl Consumer {
    /// Before a join: commit, and give up what it had. True when done. [ConsumerCoordinator.onJoinPrepare]
    pub(super) fn prepare_join(&mut self, ctx: &mut Ctx) -> Result<bool, ClientError> {
        let now = ctx.now();
        let Some(coordinator) = &mut self.coordinator else {
            return Ok(true);
        };
        let retry = now + Span::from_ms(self.config.retry_backoff_ms);
        match std::mem::replace(&mut coordinator.prepare, Prepare::Listener) {
            Prepare::Nothing if self.config.enable_auto_commit => {
                if !self.cooperative() {
                    self.subscription.mark_pending_revocation();
                }
                let until = now + Span::from_ms(self.config.max_poll_interval_ms);
                self.auto_commit_before_join(until, ctx)?;
            }
            Prepare::AutoCommitAgain(at, until) if at <= now && until > now => {
                self.auto_commit_before_join(until, ctx)?;
            }
            Prepare::AutoCommitAgain(at, until) if until > now => {
                coordinator.prepare = Prepare::AutoCommitAgain(at, until);
            }
            Prepare::AutoCommit(number, until) => match self.commits.take_result(number) {
                None if until > now => coordinator.prepare = Prepare::AutoCommit(number, until),
                Some(Err(failure)) if failure.retriable => {
                    coordinator.prepare = Prepare::AutoCommitAgain(retry, until);
                }
                _ => {}
            },
            Prepare::Committing(mut commit) => match self.step_commit_sync(&mut commit, ctx) {
                None => {
                    self.set(|coordinator| coordinator.prepare = Prepare::Committing(commit));
                    return Ok(false);
                }
                Some(result) => {
                    self.note_listener_commit(&commit, result, ctx);
                    let kept = self.kept_before_join();
                    self.finish_prepare(kept);
                    return Ok(true);
                }
            },
            _ => {}
        }
        if !self
            .coordinator
            .as_ref()
            .is_some_and(|c| matches!(c.prepare, Prepare::Listener))
        {
            return Ok(false);
        }
        Ok(self.give_up_partitions(ctx))
    }

    /// Tells the listener. False if that commits first.
    fn give_up_partitions(&mut self, ctx: &mut Ctx) -> bool {
        let owned: Rc<[NamedPartition]> = self.subscription.assigned().cloned().collect();
        let outside = self.coordinator.as_ref().is_some_and(|c| c.generation.is_outside());
        let mut kept = OrderedSet::new();
        if outside {
            if !owned.is_empty() {
                let text = "Giving away all assigned partitions as lost since generation/memberID has been reset,indicating that consumer is in old state or no longer part of the group";
                self.log(
                    loggers::CONSUMER_COORDINATOR.info(text),
                    Weight::Matters,
                    &rules::LOST,
                    ctx,
                );
                self.note(ConsumerNote::Lost { partitions: owned }, ctx);
            }
        } else {
            kept = self.kept_before_join();
            let revoked: Rc<[NamedPartition]> = owned.iter().filter(|p| !kept.contains(*p)).cloned().collect();
            if !self.cooperative() || !revoked.is_empty() {
                let partitions = revoked.clone();
                self.note(ConsumerNote::Revoked { partitions }, ctx);
            }
            if self.commit_on_revoke && !revoked.is_empty() {
                let commit = Box::new(self.commit_positions(ctx));
                self.set(|coordinator| coordinator.prepare = Prepare::Committing(commit));
                return false;
            }
        }
        self.finish_prepare(kept);
        true
    }

    /// What a member goes on reading while it joins again: nothing with the eager protocol, with the cooperative one all
    /// of the topics that it still subscribes to.
    fn kept_before_join(&self) -> OrderedSet<NamedPartition> {
        if !self.cooperative() {
            return OrderedSet::new();
        }
        let topics = self.subscription.topics();
        let kept = self.subscription.assigned().filter(|p| topics.contains(&p.topic));
        kept.cloned().collect()
    }

    /// The rebalance protocol: COOPERATIVE if all of the assignors support it, else EAGER.
    /// [ConsumerCoordinator's constructor]
    pub(super) fn cooperative(&self) -> bool {
        let assignors = &self.config.partition_assignment_strategy;
        !assignors.is_empty()
            && assignors
                .iter()
                .all(|assignor| *assignor == Assignor::CooperativeSticky)
    }

    fn finish_prepare(&mut self, kept: OrderedSet<NamedPartition>) {
        self.subscription.assign_from_group(kept);
        self.subscription.forget_group_topics();
        self.want_topics(false);
        self.set(|coordinator| {
            coordinator.is_leader = false;
            coordinator.prepare = Prepare::Nothing;
            coordinator.fresh_after = None;
        });
    }

    /// What the listener sees of its own commit.
    pub(super) fn note_listener_commit(&mut self, commit: &CommitSync, result: Result<(), ClientError>, ctx: &mut Ctx) {
        let note = match result {
            Ok(()) => ConsumerNote::CommitDone {
                offsets: Rc::new(commits::plain(commit.offsets())),
            },
            Err(error) => ConsumerNote::CommitFailed { error },
        };
        self.note(note, ctx);
    }

    /// The group's answer is in: partitions are taken over. [ConsumerCoordinator.onJoinComplete]
    pub(super) fn complete_join(&mut self, partitions: &Rc<[NamedPartition]>, ctx: &mut Ctx) {
        let Some(coordinator) = &mut self.coordinator else {
            return;
        };
        if !coordinator.is_leader {
            coordinator.assigned_from = None;
        }
        coordinator.fresh_after = None;
        coordinator.group_metadata = (coordinator.generation.id, coordinator.generation.member.clone());
        if !self.subscription.matches(partitions) {
            let text = format!(
                "received assignment {} does not match the current subscription {}; it is likely that the subscription has changed since we joined the group, will re-join with current subscription",
                text::list(partitions.iter()),
                self.subscription.pretty()
            );
            return self.request_rejoin(&text, ctx);
        }
        if self.cooperative() && self.revoke_unassigned(partitions, ctx) {
            return;
        }
        self.take_over(partitions, ctx);
    }

    /// The cooperative protocol: what the new assignment takes away is given up only now, and the member joins again, so
    /// that others can have it. True if the listener commits first.
    fn revoke_unassigned(&mut self, partitions: &Rc<[NamedPartition]>, ctx: &mut Ctx) -> bool {
        let owned: Vec<&NamedPartition> = self.subscription.assigned().collect();
        let revoked: Rc<[NamedPartition]> = (owned.iter().filter(|p| !partitions.contains(p)))
            .map(|p| (*p).clone())
            .collect();
        let added = partitions.iter().filter(|p| !owned.contains(p));
        let text = format!(
            "Updating assignment with\n\tAssigned partitions:                       {}\n\tCurrent owned partitions:                  {}\n\tAdded partitions (assigned - owned):       {}\n\tRevoked partitions (owned - assigned):     {}\n",
            text::list(partitions.iter()),
            text::list(owned.iter().copied()),
            text::list(added),
            text::list(revoked.iter())
        );
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Detail,
            &rules::COOPERATIVE,
            ctx,
        );
        if revoked.is_empty() {
            return false;
        }
        let given_up = revoked.clone();
        self.note(ConsumerNote::Revoked { partitions: given_up }, ctx);
        if self.commit_on_revoke {
            let completing = Completing {
                commit: self.commit_positions(ctx),
                partitions: partitions.clone(),
                revoked,
            };
            self.set(|coordinator| coordinator.completing = Some(Box::new(completing)));
            return true;
        }
        self.join_again_without(&revoked, ctx);
        false
    }

    fn join_again_without(&mut self, revoked: &[NamedPartition], ctx: &mut Ctx) {
        let text = format!(
            "need to revoke partitions {} as indicated by the current assignment and re-join",
            text::list(revoked)
        );
        self.request_rejoin(&text, ctx);
    }

    /// Goes on when the listener's commit is over. False while it is not.
    pub(super) fn step_completing(&mut self, ctx: &mut Ctx) -> bool {
        let completing = self
            .coordinator
            .as_mut()
            .and_then(|coordinator| coordinator.completing.take());
        let Some(mut completing) = completing else {
            return true;
        };
        let Some(result) = self.step_commit_sync(&mut completing.commit, ctx) else {
            self.set(|coordinator| coordinator.completing = Some(completing));
            return false;
        };
        self.note_listener_commit(&completing.commit, result, ctx);
        self.join_again_without(&completing.revoked, ctx);
        self.take_over(&completing.partitions, ctx);
        true
    }

    /// The new partitions are the member's.
    fn take_over(&mut self, partitions: &Rc<[NamedPartition]>, ctx: &mut Ctx) {
        self.take_assigned_topics(partitions);
        let text = format!(
            "Notifying assignor about the new Assignment(partitions={})",
            text::list(partitions.iter())
        );
        self.log(
            loggers::CONSUMER_COORDINATOR.info(text),
            Weight::Detail,
            &rules::MEMBERSHIP,
            ctx,
        );
        self.set(|coordinator| {
            if coordinator.generation.protocol.as_deref() == Some(Assignor::Sticky.name()) {
                coordinator.stuck_to = Some((coordinator.generation.id, partitions.clone()));
            }
        });
        self.commits.next_auto = ctx.now() + Span::from_ms(self.config.auto_commit_interval_ms);
        let assigned: OrderedSet<NamedPartition> = partitions.iter().cloned().collect();
        let added: Rc<[NamedPartition]> = assigned
            .iter()
            .filter(|p| self.subscription.get(p).is_none())
            .cloned()
            .collect();
        self.subscription.assign_from_group(assigned);
        self.note(ConsumerNote::Assigned { partitions: added }, ctx);
    }

    /// With a pattern the leader may know topics that this member does not know yet.
    /// [ConsumerCoordinator.maybeUpdateJoinedSubscription]
    fn take_assigned_topics(&mut self, partitions: &[NamedPartition]) {
        let joined = self
            .coordinator
            .as_ref()
            .and_then(|coordinator| coordinator.joined_topics.clone());
        let Some(mut joined) = joined.filter(|_| self.subscription.pattern().is_some()) else {
            return;
        };
        let assigned = partitions.iter().map(|partition| partition.topic.clone());
        let added: OrderedSet<Rc<str>> = assigned.filter(|topic| !joined.contains(topic)).collect();
        if added.is_empty() {
            return;
        }
        let all = self.subscription.topics().union(&added).cloned().collect();
        joined.extend(added);
        if self.subscription.change(all) {
            self.want_topics(true);
        }
        self.set(|coordinator| coordinator.joined_topics = Some(joined));
    }
}
