//! Commits that nobody waits for: `commitAsync()`, auto commit, and their callbacks.
//! [ConsumerCoordinator.commitOffsetsAsync, maybeAutoCommitOffsetsAsync]

use super::commits::{Callback, Offsets, RETRIABLE, async_error, plain};
use super::note::ConsumerNote;
use super::outbox::Failure;
use super::process::Consumer;
use super::rebalance::Prepare;
use super::rules;
use super::text;
use crate::kafka::client::call::ClientError;
use crate::kafka::rule::Weight;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::rc::Rc;

impl Consumer {
    /// `commitAsync()` with a callback. [ConsumerCoordinator.commitOffsetsAsync]
    ///
    /// # Errors
    /// What callbacks of earlier ones throw.
    pub(super) fn commit_async(&mut self, offsets: Offsets, ctx: &mut Ctx) -> Result<(), ClientError> {
        self.commit_in_background(Rc::new(offsets), Callback::Application, ctx)
    }

    /// Sends it, or has it wait for the coordinator.
    fn commit_in_background(
        &mut self,
        offsets: Rc<Offsets>,
        callback: Callback,
        ctx: &mut Ctx,
    ) -> Result<(), ClientError> {
        self.run_callbacks(ctx)?;
        if offsets.is_empty() {
            self.commits.completed.push_back((offsets, callback, Ok(())));
            return Ok(());
        }
        if self.coordinator_node(ctx).is_none() {
            self.commits.pending.push((offsets, callback));
            if let Err(error) = self.ensure_coordinator(ctx) {
                self.fail_pending_commits(&Failure {
                    error,
                    retriable: false,
                });
            } else if self.coordinator.as_ref().is_some_and(|c| !c.looking)
                && self.net.least_loaded(ctx.now()).is_none()
            {
                // No broker to ask: the lookup failed at once.
                self.fail_pending_commits(&Failure::retriable("NoAvailableBrokersException", ""));
            }
            return Ok(());
        }
        self.send_in_background(offsets, callback, false, ctx);
        Ok(())
    }

    fn send_in_background(
        &mut self,
        offsets: Rc<Offsets>,
        callback: Callback,
        kept: bool,
        ctx: &mut Ctx,
    ) -> Option<u32> {
        match self.send_commit(&offsets, Some(callback), kept, ctx) {
            Ok(number) => Some(number),
            Err(failure) => {
                let result = Err(async_error(failure));
                self.commits.completed.push_back((offsets, callback, result));
                None
            }
        }
    }

    /// The coordinator is found: commits that waited for it go.
    pub(super) fn send_pending_commits(&mut self, ctx: &mut Ctx) {
        for (offsets, callback) in std::mem::take(&mut self.commits.pending) {
            self.send_in_background(offsets, callback, false, ctx);
        }
    }

    /// The coordinator was not found.
    pub(super) fn fail_pending_commits(&mut self, failure: &Failure) {
        for (offsets, callback) in std::mem::take(&mut self.commits.pending) {
            let error = ClientError::new("RetriableCommitFailedException", RETRIABLE).caused_by(failure.error.clone());
            self.commits.completed.push_back((offsets, callback, Err(error)));
        }
    }

    /// Runs the callbacks of asynchronous commits that are over. [ConsumerCoordinator.invokeCompletedOffsetCommitCallbacks]
    ///
    /// # Errors
    /// FencedInstanceIdException for ever after one was fenced.
    pub(super) fn run_callbacks(&mut self, ctx: &mut Ctx) -> Result<(), ClientError> {
        if self.commits.fenced {
            let instance = self.config.group_instance_id.as_deref().unwrap_or("unset_instance_id");
            let member = self
                .coordinator
                .as_ref()
                .map_or("", |coordinator| &*coordinator.generation.member);
            let text = format!("Get fenced exception for group.instance.id {instance}, current member.id is {member}");
            return Err(ClientError::new("FencedInstanceIdException", &text));
        }
        while let Some((offsets, callback, result)) = self.commits.completed.pop_front() {
            if let Err(error) = &result
                && *error.class == *"FencedInstanceIdException"
            {
                self.commits.fenced = true;
            }
            match (callback, result) {
                (Callback::Application, Ok(())) => {
                    let offsets = Rc::new(plain(&offsets));
                    self.note(ConsumerNote::CommitDone { offsets }, ctx);
                }
                (Callback::Application, Err(error)) => self.note(ConsumerNote::CommitFailed { error }, ctx),
                (Callback::Auto, Ok(())) => {}
                (Callback::Auto, Err(error)) => self.on_auto_commit_failed(&offsets, &error, ctx),
            }
        }
        Ok(())
    }

    fn on_auto_commit_failed(&mut self, offsets: &Offsets, error: &ClientError, ctx: &mut Ctx) {
        if *error.class == *"RetriableCommitFailedException" {
            self.commits.next_auto = ctx.now() + self.fixed_backoff();
            return;
        }
        let message = error.message.as_deref().unwrap_or("null");
        let text = format!(
            "Asynchronous auto-commit of offsets {} failed: {message}",
            text::offsets(offsets)
        );
        self.log(self.commit_logger().warn(text), Weight::Alarm, &rules::AUTO_COMMIT, ctx);
    }

    // ---- automatic ----

    /// Commits the positions if auto commit is due. [ConsumerCoordinator.maybeAutoCommitOffsetsAsync]
    ///
    /// # Errors
    /// What callbacks of earlier commits throw.
    pub(super) fn maybe_auto_commit(&mut self, ctx: &mut Ctx) -> Result<(), ClientError> {
        let due = self.config.enable_auto_commit && self.coordinator.is_some() && self.commits.next_auto <= ctx.now();
        if !due {
            return Ok(());
        }
        self.commits.next_auto = ctx.now() + Span::from_ms(self.config.auto_commit_interval_ms);
        let offsets = Rc::new(self.subscription.all_consumed());
        self.commit_in_background(offsets, Callback::Auto, ctx)
    }

    /// The auto commit before a rebalance, which is waited for if it could be sent.
    ///
    /// # Errors
    /// What callbacks of earlier commits throw.
    pub(super) fn auto_commit_before_join(&mut self, until: Time, ctx: &mut Ctx) -> Result<(), ClientError> {
        self.run_callbacks(ctx)?;
        let offsets = Rc::new(self.subscription.all_consumed());
        let sent = match offsets.is_empty() || self.coordinator_node(ctx).is_none() {
            true => None,
            false => self.send_in_background(offsets, Callback::Auto, true, ctx),
        };
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.prepare = match sent {
                Some(number) => Prepare::AutoCommit(number, until),
                None => Prepare::Listener,
            };
        }
        Ok(())
    }
}
