//! Who runs what: connections get units, and units run what is ready, one thing at a time, on the machine's cores.

use super::connection::Phase;
use super::units::{Ready, What};
use super::{Kind, ServerTimer, WebServer};
use crate::serving::cores::UnitId;
use crate::serving::http::Msg;
use crate::serving::note::ServerNote;
use crate::serving::wire::{Ctx, Timer};
use crate::sim::ConnId;

impl WebServer {
    /// Something is ready for a client's connection.
    pub(super) fn ready(&mut self, id: ConnId, what: What) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        match conn.unit {
            Some(unit) => self.give(unit, Ready { conn: id, what }),
            None => {
                let wants_unit = conn.phase == Phase::Idle && conn.pending.is_empty();
                conn.pending.push_back(what);
                if wants_unit {
                    self.waiting.push_back(id);
                }
            }
        }
    }

    pub(super) fn give(&mut self, id: UnitId, ready: Ready) {
        if let Some(unit) = self.units.get_mut(id) {
            unit.queue.push_back(ready);
            self.runnable.push_back(id);
        }
    }

    /// The next thing that the unit of a connection does, before all that waits.
    pub(super) fn give_first(&mut self, conn: ConnId, what: What) {
        let unit = self.conns.get(&conn).and_then(|conn| conn.unit);
        if let Some(id) = unit
            && let Some(unit) = self.units.get_mut(id)
        {
            unit.queue.push_front(Ready { conn, what });
            self.runnable.push_back(id);
        }
    }

    /// Handles all that is ready, until everybody waits.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>) {
        loop {
            while let Some(unit) = self.runnable.pop_front() {
                self.run(unit, ctx);
            }
            if !self.assign(ctx) {
                break;
            }
        }
        self.watch_backlog(ctx);
        self.watch_cores(ctx);
    }

    /// A unit handles what is ready until it has something to compute or is blocked.
    pub(super) fn run(&mut self, id: UnitId, ctx: &mut Ctx<'_>) {
        while let Some(unit) = self.units.get_mut(id) {
            if unit.busy.is_some() {
                return;
            }
            let Some(ready) = unit.queue.pop_front() else {
                unit.idle_since = ctx.now();
                return;
            };
            match &ready.what {
                What::Compute(_) | What::Message(Msg::Request(_)) => {
                    let work = match &ready.what {
                        What::Compute(work) => *work,
                        _ => self.kind.parse_cost(),
                    };
                    unit.busy = Some(ready);
                    self.cores.submit(ctx.now(), id, work);
                    return;
                }
                What::Block(time) => {
                    let time = *time;
                    unit.busy = Some(ready);
                    ctx.timer(time, Timer::Server(ServerTimer::Unblocked(id)));
                    return;
                }
                _ => self.handle_ready(ready, ctx),
            }
        }
    }

    /// What a unit was busy with is done.
    pub(super) fn finished(&mut self, id: UnitId, ctx: &mut Ctx<'_>) {
        if let Some(ready) = self.units.get_mut(id).and_then(|unit| unit.busy.take()) {
            self.handle_ready(ready, ctx);
            self.runnable.push_back(id);
        }
    }

    /// The first that waits for a unit gets one, if one is free. True if so.
    pub(super) fn assign(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let Some(id) = self.waiting.front().copied() else {
            return false;
        };
        let Some(conn) = self.conns.get(&id) else {
            self.waiting.pop_front();
            return true;
        };
        let is_new = conn.phase == Phase::Queued;
        let now = ctx.now();
        let unit = match self.kind {
            Kind::Nginx(_) => self.units.take_waiting(now),
            Kind::Httpd(_) => self.units.take_idle(now),
        };
        let Some(unit) = unit else { return false };
        self.waiting.pop_front();
        if is_new {
            self.queued -= 1;
            self.counters.accepted += 1;
        }
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.unit = Some(unit);
            let pending = std::mem::take(&mut conn.pending);
            if is_new {
                self.give(
                    unit,
                    Ready {
                        conn: id,
                        what: What::Accepted,
                    },
                );
            }
            for what in pending {
                self.give(unit, Ready { conn: id, what });
            }
        }
        true
    }

    /// A connection gives its unit back.
    pub(super) fn release(&mut self, id: ConnId, ctx: &Ctx<'_>) {
        if let Some(unit) = self.conns.get_mut(&id).and_then(|conn| conn.unit.take()) {
            self.units.release(unit, ctx.now());
        }
    }

    /// The kernel drops handshakes while the accept queue is full.
    pub(super) fn watch_backlog(&mut self, ctx: &mut Ctx<'_>) {
        let full = self.queued > self.kind.backlog();
        if full != self.backlog_full {
            self.backlog_full = full;
            ctx.accept_queue_full(self.port, full);
            ctx.note(ServerNote::Backlog { full }.into());
        }
    }

    /// Sets the timer for what happens next on the cores.
    pub(super) fn watch_cores(&mut self, ctx: &mut Ctx<'_>) {
        let next = self.cores.next_time();
        if self.core_timer.as_ref().map(|(at, _)| *at) == next {
            return;
        }
        if let Some((_, timer)) = self.core_timer.take() {
            ctx.cancel(timer);
        }
        if let Some(at) = next {
            let timer = ctx.timer(at.since(ctx.now()), Timer::Server(ServerTimer::Cores));
            self.core_timer = Some((at, timer));
        }
    }
}
