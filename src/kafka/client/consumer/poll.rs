//! `poll()`, and the threads of the application: its poll loop and the calls that interrupt it.
//! [ClassicKafkaConsumer.poll, ConsumerCoordinator.poll]

use super::application::{Stage, Work};
use super::calls::Pending;
use super::commits::CommitSync;
use super::note::{ConsumerNote, Polled};
use super::process::{Consumer, later};
use super::{CommitHabit, ConsumerOrder};
use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::note::Fact;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::rc::Rc;

impl Consumer {
    /// Is the user's thread in `poll()`?
    pub(super) fn in_poll(&self) -> bool {
        match &self.pending {
            Some(Pending::Poll { .. }) => true,
            Some(_) => false,
            None => !self.closed && self.application.on && matches!(self.application.stage, Stage::Polling),
        }
    }

    /// When the user's thread has something to do.
    pub(super) fn next_user_due(&self, now: Time) -> Time {
        let mut due = match &self.pending {
            Some(pending) => pending.next_due(now),
            None => match &self.application.stage {
                Stage::Polling => Time::NEVER,
                Stage::Committing(commit, _) => commit.next_due(now),
                Stage::Working(work) if self.orders.is_empty() => work.end(),
                Stage::Working(work) => work.next_break(now),
            },
        };
        if self.in_poll() || self.pending.is_some() {
            due = due.min(later(self.commits.question_after(), now));
        }
        due
    }

    /// One look of the user's thread. True if it got anywhere.
    pub(super) fn run_user(&mut self, ctx: &mut Ctx) -> bool {
        if self.closed {
            return self.refuse_orders(ctx);
        }
        let mut moved = self.resume_assigning(ctx);
        if self.commits.has_pending() {
            moved |= self.look_up(ctx);
        }
        if let Some(pending) = self.pending.take() {
            self.pending = self.step_pending(pending, ctx);
            return moved || self.pending.is_none();
        }
        if self.is_busy(ctx) {
            return moved;
        }
        if let Some(order) = self.orders.pop_front() {
            self.begin(order, ctx);
            return true;
        }
        moved | (self.in_poll() && self.poll_in_loop(ctx))
    }

    // ---- the application ----

    /// Is the application at work, or waiting for its own commit?
    fn is_busy(&mut self, ctx: &mut Ctx) -> bool {
        loop {
            match std::mem::take(&mut self.application.stage) {
                Stage::Polling => return false,
                Stage::Committing(mut commit, records) => match self.step_commit_sync(&mut commit, ctx) {
                    None => {
                        self.application.stage = Stage::Committing(commit, records);
                        return true;
                    }
                    Some(result) => {
                        self.note_listener_commit(&commit, result, ctx);
                        self.application.stage = records.map_or(Stage::Polling, |records| self.work_on(records, ctx));
                    }
                },
                Stage::Working(work) if work.end() <= ctx.now() => {
                    self.say_verdicts(&work.records);
                    self.application.stage = self.after_work(ctx);
                }
                Stage::Working(work) => {
                    let now = ctx.now();
                    let setting = matches!(
                        self.orders.front(),
                        Some(ConsumerOrder::Application { .. } | ConsumerOrder::Listener { .. })
                    );
                    let serves = !self.orders.is_empty() && (setting || work.at_break(now));
                    self.application.stage = Stage::Working(work);
                    return !serves;
                }
            }
        }
    }

    fn work_on(&self, records: Rc<Vec<Consumed>>, ctx: &Ctx) -> Stage {
        Stage::Working(Work {
            records,
            since: ctx.now(),
            each: Span::us(self.application.work_us),
        })
    }

    fn after_work(&mut self, ctx: &mut Ctx) -> Stage {
        match self.application.commit {
            CommitHabit::After => Stage::Committing(Box::new(self.commit_of_loop(ctx)), None),
            CommitHabit::Never | CommitHabit::Before => Stage::Polling,
        }
    }

    /// The loop's `commitSync()`; there is nothing to commit without a group.
    fn commit_of_loop(&self, ctx: &Ctx) -> CommitSync {
        match self.coordinator {
            Some(_) if !self.is_share() => self.commit_positions(ctx),
            _ => CommitSync::new(Default::default(), ctx.now()),
        }
    }

    /// The loop polls. True if the poll came back.
    fn poll_in_loop(&mut self, ctx: &mut Ctx) -> bool {
        match self.poll_once(ctx) {
            Ok(None) => false,
            Ok(Some(records)) if records.is_empty() => true,
            Ok(Some(records)) => {
                let records = Rc::new(records);
                let polled = Polled(records.clone());
                self.note(ConsumerNote::Polled { records: polled }, ctx);
                self.application.stage = match self.application.commit {
                    CommitHabit::Before => Stage::Committing(Box::new(self.commit_of_loop(ctx)), Some(records)),
                    CommitHabit::Never | CommitHabit::After => self.work_on(records, ctx),
                };
                true
            }
            Err(error) => {
                self.application.on = false;
                self.last_error = Some(error.clone());
                self.note(ConsumerNote::PollError(error), ctx);
                true
            }
        }
    }

    /// Nobody polls any more from now on: max.poll.interval.ms runs.
    pub(super) fn stop_loop(&mut self, ctx: &mut Ctx) {
        if self.in_poll()
            && let Some(coordinator) = &mut self.coordinator
        {
            let until = ctx.now() + Span::from_ms(self.config.max_poll_interval_ms);
            coordinator.heartbeat.poll_until = until;
            if let Some(modern) = &mut self.modern {
                modern.set_poll_until(until);
            }
        }
        self.application.on = false;
        // What is left of the work is dropped.
        self.application.stage = Stage::Polling;
    }

    // ---- poll() ----

    /// One round of `poll()`: records (none if a position moved over something that nobody gets to see), or `None` if
    /// it goes on waiting.
    ///
    /// # Errors
    /// What it throws.
    pub(super) fn poll_once(&mut self, ctx: &mut Ctx) -> Result<Option<Vec<Consumed>>, ClientError> {
        if self.is_share() {
            return self.poll_share(ctx);
        }
        if self.subscription.is_nothing() {
            let text = "Consumer is not subscribed to any topics or assigned any partitions";
            return Err(ClientError::new("IllegalStateException", text));
        }
        self.metrics.polling(ctx.now());
        if let Some(fatal) = self.net.take_fatal() {
            return Err(fatal);
        }
        loop {
            if self.poll_coordinator(ctx)? {
                self.update_positions(ctx)?;
            }
            let collected = self.collect_fetch(ctx)?;
            self.send_fetches(ctx);
            if !collected.records.is_empty() || collected.advanced {
                self.metrics.polled(ctx.now());
                self.deliver(&collected.records, ctx);
                return Ok(Some(collected.records));
            }
            if !collected.drained {
                return Ok(None);
            }
        }
    }

    fn deliver(&mut self, records: &[Consumed], ctx: &mut Ctx) {
        let group = self.group();
        for record in records {
            let fact = Fact::Delivered {
                origin: record.origin,
                partition: record.partition.clone(),
                offset: record.offset,
                group: group.clone(),
            };
            ctx.note(fact.into());
        }
    }

    /// [ConsumerCoordinator.poll]
    fn poll_coordinator(&mut self, ctx: &mut Ctx) -> Result<bool, ClientError> {
        if self.coordinator.is_none() {
            return Ok(true);
        }
        if self.modern.is_some() {
            return self.poll_modern(ctx);
        }
        self.refresh_topics();
        self.run_callbacks(ctx)?;
        if self.subscription.by_group() {
            self.poll_heartbeat(ctx)?;
            self.take_failed_join(ctx)?;
            if !self.ensure_coordinator(ctx)? {
                return Ok(false);
            }
            if !self.step_completing(ctx) {
                return Ok(false);
            }
            if self.wants_to_join(ctx) && !(self.pattern_is_fresh() && self.join_if_needed(ctx)?) {
                return Ok(false);
            }
        }
        self.maybe_auto_commit(ctx)?;
        Ok(true)
    }
}
