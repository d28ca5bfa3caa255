//! Out of the group: `unsubscribe()` and `close()`. [AbstractMembershipManager.leaveGroup, AsyncKafkaConsumer.close]

use super::{After, Event, ModernState};
use crate::kafka::client::consumer::leave::{Leaving, Step};
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::consumer::process::Consumer;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Consumer {
    /// Goes as far as it can with the steps of the newer protocol; `None`: that was none of them, or it is through with
    /// them.
    pub(in crate::kafka::client::consumer) fn step_leaving_modern(
        &mut self,
        leaving: &Leaving,
        step: &Step,
        ctx: &mut Ctx,
    ) -> Step {
        match step {
            Step::Listener if leaving.closing => self.callbacks_on_close(ctx),
            Step::Listener => {
                self.leave_modern(true, ctx);
                Step::Goodbye
            }
            Step::Leave => {
                if let Some(modern) = &mut self.modern {
                    modern.leave = leaving.leave;
                }
                self.leave_modern(false, ctx);
                Step::Goodbye
            }
            _ => {
                self.beat_modern(ctx);
                // What the background thread failed with is of no interest any more.
                let _ = self.process_events(true, ctx);
                let waits = self.modern.as_ref().is_some_and(|modern| modern.leaving);
                match waits && ctx.now() < leaving.until {
                    true => Step::Goodbye,
                    false => {
                        if let Some(modern) = &mut self.modern
                            && !leaving.closing
                        {
                            modern.app_epoch = -1;
                        }
                        Step::Answers
                    }
                }
            }
        }
    }

    /// The listener of a consumer that closes hears of what the application's thread believes to have: also of what was
    /// given up by an `unsubscribe()` before. [AsyncKafkaConsumer.runRebalanceCallbacksOnClose]
    fn callbacks_on_close(&mut self, ctx: &mut Ctx) -> Step {
        let Some(modern) = &self.modern else { return Step::Leave };
        let partitions = modern.app_partitions.clone();
        if partitions.is_empty() {
            return Step::Leave;
        }
        if modern.app_epoch <= 0 {
            self.note(ConsumerNote::Lost { partitions }, ctx);
            return Step::Leave;
        }
        self.note(ConsumerNote::Revoked { partitions }, ctx);
        match self.commit_on_revoke {
            true => Step::ListenerCommit(Box::new(self.commit_positions(ctx))),
            false => Step::Leave,
        }
    }

    /// [AbstractMembershipManager.leaveGroup]
    fn leave_modern(&mut self, callbacks: bool, ctx: &mut Ctx) {
        let Some(modern) = &mut self.modern else { return };
        if modern.state.is_out() {
            if modern.state == ModernState::Fenced {
                modern.state = ModernState::Unsubscribed;
                self.clear_assignment();
            }
            self.subscription.unsubscribe();
            self.modern
                .as_mut()
                .into_iter()
                .for_each(|m| m.app_partitions = Rc::from([]));
            return;
        }
        modern.state = ModernState::PrepareLeaving;
        modern.leaving = true;
        let dropped: Rc<[NamedPartition]> = self.subscription.assigned().cloned().collect();
        if !callbacks || dropped.is_empty() || self.share.is_some() {
            return self.leave_now(ctx);
        }
        let event = match modern.epoch > 0 {
            true => Event::Revoked(dropped, After::Leave),
            false => Event::Lost(dropped, After::Leave),
        };
        modern.events.push_back(event);
        self.subscription.mark_pending_revocation();
    }

    /// The assignment goes, and a last heartbeat. [clearAssignmentAndLeaveGroup]
    pub(super) fn leave_now(&mut self, ctx: &mut Ctx) {
        self.subscription.unsubscribe();
        self.clear_assignment();
        let is_static = self.config.group_instance_id.is_some();
        if let Some(modern) = &mut self.modern {
            if modern.state == ModernState::Fatal || modern.state == ModernState::Unsubscribed {
                return;
            }
            let epoch = modern.leave_epoch(is_static);
            modern.set_epoch(epoch);
            modern.current = None;
            modern.state = ModernState::Leaving;
        }
        self.beat_modern(ctx);
    }
}
