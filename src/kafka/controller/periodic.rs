//! What the active controller looks at from time to time: silent brokers, leaders that should be others, partitions
//! without a leader. [PeriodicTaskControlManager]

use super::ControllerTimer;
use super::note::Why;
use super::process::{Controller, records_of};
use crate::kafka::wire::{Ctx, Timer};
use crate::sim::Span;

/// When a task has more to do it goes on after so long.
const AGAIN: Span = Span::ms(10);

impl Controller {
    /// Each runs for the first time one period from now.
    pub(super) fn start_periodic_tasks(&mut self, ctx: &mut Ctx) {
        self.task(self.fence_period(), ControllerTimer::FenceStale, ctx);
        if self.setup.config.auto_leader_rebalance_enable {
            self.task(self.balance_period(), ControllerTimer::Balance, ctx);
        }
        self.task(self.unclean_period(), ControllerTimer::ElectUnclean, ctx);
    }

    fn task(&mut self, after: Span, timer: ControllerTimer, ctx: &mut Ctx) {
        let place = match &timer {
            ControllerTimer::FenceStale => 0,
            ControllerTimer::Balance => 1,
            ControllerTimer::ElectUnclean | ControllerTimer::Raft(_) => 2,
        };
        let timer = ctx.timer(after.max(Span::ms(1)), Timer::Controller(timer));
        if let Some(active) = &mut self.active {
            active.tasks[place] = Some(timer);
        }
    }

    /// An eighth of the session, so that a silent broker is found soon after its end (rule R-63).
    fn fence_period(&self) -> Span {
        Span(self.session_timeout().as_us() / 8)
    }

    fn balance_period(&self) -> Span {
        let seconds = self.setup.config.leader_imbalance_check_interval_seconds;
        Span::from_ms(seconds.saturating_mul(1_000))
    }

    fn unclean_period(&self) -> Span {
        Span::from_ms(self.setup.config.unclean_leader_election_interval_ms)
    }

    pub(super) fn timer(&mut self, timer: ControllerTimer, ctx: &mut Ctx) {
        match timer {
            ControllerTimer::Raft(timer) => self.raft_timer(timer, ctx),
            _ if !self.is_active() => {}
            ControllerTimer::FenceStale => self.fence_one_stale_broker(ctx),
            ControllerTimer::Balance => self.balance_leaders(ctx),
            ControllerTimer::ElectUnclean => self.elect_unclean_leaders(ctx),
        }
    }

    /// One a run, so that what the first one's fencing does is seen before the next one is fenced.
    /// [ReplicationControlManager.maybeFenceOneStaleBroker]
    fn fence_one_stale_broker(&mut self, ctx: &mut Ctx) {
        let (timeout, now) = (self.session_timeout(), ctx.now());
        let Some(active) = &mut self.active else { return };
        let Some((broker, epoch, contact)) = active.sessions.take_expired(timeout, now) else {
            self.task(self.fence_period(), ControllerTimer::FenceStale, ctx);
            return;
        };
        self.task(AGAIN, ControllerTimer::FenceStale, ctx);
        let current = self.image.brokers.get(&broker);
        if current.is_some_and(|b| b.epoch == epoch) {
            let silent = now.since(contact);
            let why = Why::SessionExpired {
                broker,
                silent,
                timeout,
            };
            self.commit(self.fence(broker), why, ctx);
        }
    }

    fn balance_leaders(&mut self, ctx: &mut Ctx) {
        let (changes, more) = self.on_cluster(|c| c.balance());
        let interval_s = self.setup.config.leader_imbalance_check_interval_seconds;
        self.commit(records_of(changes), Why::Balancer { interval_s }, ctx);
        let next = if more { AGAIN } else { self.balance_period() };
        self.task(next, ControllerTimer::Balance, ctx);
    }

    fn elect_unclean_leaders(&mut self, ctx: &mut Ctx) {
        let changes = self.on_cluster(|c| c.elect_unclean());
        let interval_ms = self.setup.config.unclean_leader_election_interval_ms;
        self.commit(records_of(changes), Why::UncleanTimer { interval_ms }, ctx);
        self.task(self.unclean_period(), ControllerTimer::ElectUnclean, ctx);
    }
}
