//! From what the member has to what it is to have: commit, give up, take over, and say so with the next heartbeat.
//! [AbstractMembershipManager.maybeReconcile, revokeAndAssign]

use super::{After, Event, Local, ModernState};
use crate::kafka::client::consumer::commits::CommitSync;
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::consumer::process::Consumer;
use crate::kafka::client::consumer::{rules, text};
use crate::kafka::client::log::loggers;
use crate::kafka::rule::Weight;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// A reconciliation under way.
#[derive(Clone, Debug)]
pub struct Reconciling {
    resolved: Local,
    all: OrderedSet<NamedPartition>,
    added: Rc<[NamedPartition]>,
    revoked: Rc<[NamedPartition]>,
    stage: Stage,
    /// The member has joined anew meanwhile: it counts no more.
    pub rejoined: bool,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The automatic commit before it.
    Commit(Box<CommitSync>),
    /// The listener hears of what goes.
    Revoking,
    /// The listener hears of what comes.
    Assigning,
}

impl Reconciling {
    /// When something is due.
    pub fn next_due(&self, now: Time) -> Time {
        match &self.stage {
            Stage::Commit(commit) => commit.next_due(now),
            Stage::Revoking | Stage::Assigning => Time::NEVER,
        }
    }
}

impl Consumer {
    /// Begins a reconciliation if one is due. `can_commit`: by a poll, so that what was returned counts as read.
    pub(super) fn reconcile_modern(&mut self, can_commit: bool, ctx: &mut Ctx) {
        let shares = self.is_share();
        let due = |modern: &&mut Box<super::Modern>| {
            modern.state == ModernState::Reconciling && modern.reconciling.is_none() && !modern.is_reconciled()
        };
        let Some(modern) = self.modern.as_mut().filter(due) else {
            return;
        };
        let Some(target) = modern.target.clone() else { return };
        let mut ids: Vec<TopicPartition> = Vec::new();
        let mut all = OrderedSet::new();
        let mut unknown = false;
        for partition in target.partitions.iter() {
            if let Some(name) = self.net.metadata.name_of(partition.topic) {
                modern.names.insert(partition.topic, name.clone());
            }
            match modern.names.get(&partition.topic) {
                Some(topic) => {
                    ids.push(*partition);
                    all.insert(NamedPartition {
                        topic: topic.clone(),
                        partition: partition.partition,
                    });
                }
                None => unknown = true,
            }
        }
        let resolved = Local {
            epoch: target.epoch,
            partitions: ids.into(),
        };
        let same = modern
            .current
            .as_ref()
            .is_some_and(|current| current.partitions == resolved.partitions);
        if unknown {
            self.net.metadata.request_update();
        }
        if same {
            // What is known by name is all that it has already: it is acknowledged.
            modern.current = Some(resolved);
            modern.state = ModernState::Acknowledging;
            return;
        }
        if shares {
            return self.assign_share(resolved, all, ctx);
        }
        let owned: OrderedSet<NamedPartition> = self.subscription.assigned().cloned().collect();
        let added: Rc<[NamedPartition]> = all.iter().filter(|p| !owned.contains(*p)).cloned().collect();
        let revoked: Rc<[NamedPartition]> = owned.iter().filter(|p| !all.contains(*p)).cloned().collect();
        let auto = self.config.enable_auto_commit;
        if !can_commit && (auto || !revoked.is_empty()) {
            return;
        }
        let line = format!(
            "Reconciling assignment with local epoch {}\n\tMember:                                    {}\n\tAssigned partitions:                       {}\n\tCurrent owned partitions:                  {}\n\tAdded partitions (assigned - owned):       {}\n\tRevoked partitions (owned - assigned):     {}\n",
            resolved.epoch,
            modern.member_id,
            text::list(all.iter()),
            text::list(owned.iter()),
            text::list(added.iter()),
            text::list(revoked.iter())
        );
        self.log(loggers::MEMBERSHIP.info(line), Weight::Detail, &rules::RECONCILE, ctx);
        for partition in revoked.iter() {
            if let Some(state) = self.subscription.get_mut(partition) {
                state.pending_revocation = true;
            }
        }
        let until = ctx.now() + Span::from_ms(self.config.max_poll_interval_ms);
        let offsets = match auto {
            true => self.subscription.all_consumed(),
            false => Default::default(),
        };
        let reconciling = Reconciling {
            resolved,
            all,
            added,
            revoked,
            stage: Stage::Commit(Box::new(CommitSync::new(offsets, until))),
            rejoined: false,
        };
        if let Some(modern) = &mut self.modern {
            modern.reconciling = Some(reconciling);
        }
        self.drive_reconciliation(ctx);
    }

    /// A share consumer has no listener, and nothing to commit first. [ShareMembershipManager]
    fn assign_share(&mut self, resolved: Local, all: OrderedSet<NamedPartition>, ctx: &mut Ctx) {
        let line = format!(
            "Reconciling assignment with local epoch {}: assigned {}",
            resolved.epoch,
            text::list(all.iter())
        );
        self.log(loggers::MEMBERSHIP.info(line), Weight::Detail, &rules::RECONCILE, ctx);
        self.metrics.rebalanced(ctx.now(), None);
        self.subscription.assign_from_group(all);
        self.want_topics(false);
        if let Some(modern) = &mut self.modern {
            modern.current = Some(resolved);
            modern.state = ModernState::Acknowledging;
        }
    }

    /// Goes on when the commit before a reconciliation is through. True if it did.
    pub(super) fn drive_reconciliation(&mut self, ctx: &mut Ctx) -> bool {
        let Some(mut reconciling) = self.modern.as_mut().and_then(|modern| modern.reconciling.take()) else {
            return false;
        };
        let Stage::Commit(commit) = &mut reconciling.stage else {
            self.keep_reconciling(reconciling);
            return false;
        };
        let done = commit.offsets().is_empty() || self.step_background_commit(commit, ctx);
        if !done {
            self.keep_reconciling(reconciling);
            return false;
        }
        if self.aborts(&reconciling) {
            return true;
        }
        let revoked = reconciling.revoked.clone();
        if revoked.is_empty() {
            self.assign_next(reconciling);
        } else {
            let line = format!("Revoking previously assigned partitions {}", text::list(revoked.iter()));
            self.log(loggers::MEMBERSHIP.info(line), Weight::Detail, &rules::RECONCILE, ctx);
            reconciling.stage = Stage::Revoking;
            if let Some(modern) = &mut self.modern {
                modern.events.push_back(Event::Revoked(revoked, After::Reconcile));
            }
            self.keep_reconciling(reconciling);
        }
        true
    }

    fn keep_reconciling(&mut self, reconciling: Reconciling) {
        if let Some(modern) = &mut self.modern {
            modern.reconciling = Some(reconciling);
        }
    }

    /// Is it not relevant any more? [maybeAbortReconciliation]
    fn aborts(&self, reconciling: &Reconciling) -> bool {
        let state = self.modern.as_ref().map(|modern| modern.state);
        reconciling.rejoined || state != Some(ModernState::Reconciling)
    }

    fn assign_next(&mut self, mut reconciling: Reconciling) {
        reconciling.stage = Stage::Assigning;
        let event = Event::Assigned {
            all: reconciling.all.clone(),
            added: reconciling.added.clone(),
        };
        if let Some(modern) = &mut self.modern {
            modern.events.push_back(event);
            modern.reconciling = Some(reconciling);
        }
    }

    /// The listener has heard of what goes.
    pub(super) fn revocation_done(&mut self, _ctx: &mut Ctx) {
        let Some(reconciling) = self.modern.as_mut().and_then(|modern| modern.reconciling.take()) else {
            return;
        };
        if !self.aborts(&reconciling) {
            self.assign_next(reconciling);
        }
    }

    /// The application's thread takes partitions over and tells the listener; the next heartbeat acknowledges it.
    pub(super) fn apply_assignment(
        &mut self,
        all: OrderedSet<NamedPartition>,
        added: Rc<[NamedPartition]>,
        ctx: &mut Ctx,
    ) {
        let snapshot: Rc<[NamedPartition]> = all.iter().cloned().collect();
        self.subscription.assign_from_group(all);
        self.want_topics(false);
        if let Some(modern) = &mut self.modern {
            modern.app_partitions = snapshot;
        }
        self.note(ConsumerNote::Assigned { partitions: added }, ctx);
        let Some(reconciling) = self.modern.as_mut().and_then(|modern| modern.reconciling.take()) else {
            return;
        };
        if self.aborts(&reconciling) {
            return;
        }
        self.commits.next_auto = ctx.now() + Span::from_ms(self.config.auto_commit_interval_ms);
        self.metrics.rebalanced(ctx.now(), None);
        if let Some(modern) = &mut self.modern {
            let kept: OrderedSet<_> = reconciling.resolved.partitions.iter().map(|p| p.topic).collect();
            modern.names.retain(|topic, _| kept.contains(topic));
            modern.current = Some(reconciling.resolved);
            modern.state = ModernState::Acknowledging;
        }
    }
}
