//! The answer on its way to the client, at the client's pace, and what becomes of the connection then.

use super::connection::{Answer, Phase};
use super::units::Clock;
use super::{Kind, WebServer};
use crate::serving::http::{CacheControl, Msg, Response, SOCKET_BUFFERS};
use crate::serving::note::Fact;
use crate::serving::site::Action;
use crate::serving::wire::Ctx;
use crate::sim::{ConnId, Span};
use std::rc::Rc;

impl WebServer {
    /// An answer that this server makes.
    pub(super) fn answer_here(&mut self, id: ConnId, status: u16, bytes: u32, cache: CacheControl, ctx: &mut Ctx<'_>) {
        let Some(request) = self.request_of(id).map(|request| request.id) else {
            return;
        };
        let head = Response {
            request,
            status,
            length: bytes,
            first: 0,
            keep_alive: true,
            cache,
            by: self.name.clone(),
        };
        self.answer(id, head, bytes, ctx);
    }

    /// An error after which the connection is not kept.
    pub(super) fn refuse(&mut self, id: ConnId, status: u16, ctx: &mut Ctx<'_>) {
        if self.conns.get(&id).is_some_and(|conn| conn.exchange.is_none()) {
            // No head has come: there is no request to answer.
            self.close(id, ctx);
            return;
        }
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.served = u32::MAX;
        }
        self.answer_here(id, status, super::serve::ERROR_PAGE, CacheControl::NotStored, ctx);
    }

    /// An answer whose head is there, with so many bytes of its body.
    pub(super) fn answer(&mut self, id: ConnId, head: Response, available: u32, ctx: &mut Ctx<'_>) {
        self.stop_timer(id, ctx);
        self.set_phase(id, Phase::Writing);
        let keep_alive = self.keeps_alive(id);
        let answer = Answer {
            head: Rc::new(Response { keep_alive, ..head }),
            available,
            sent: 0,
            in_buffer: 0,
            head_sent: false,
        };
        self.edit(id, |exchange| exchange.answer = Some(answer));
        self.pump(id, ctx);
    }

    fn keeps_alive(&self, id: ConnId) -> bool {
        let limits = self.kind.limits();
        let asked = self.request_of(id).is_some_and(|request| request.keep_alive);
        let served = self.conns.get(&id).map_or(0, |conn| conn.served);
        asked && limits.keepalive > Span::ZERO && served < limits.requests.saturating_sub(1) && !self.quitting
    }

    /// Writes what there is and what the client has room for.
    pub(super) fn pump(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if conn.gone {
            return self.give_up_writing(id, ctx);
        }
        let Some(answer) = conn.exchange.as_mut().and_then(|exchange| exchange.answer.as_mut()) else {
            return;
        };
        let room = SOCKET_BUFFERS.saturating_sub(answer.in_buffer);
        let bytes = (answer.available - answer.sent).min(room);
        answer.sent += bytes;
        answer.in_buffer += bytes;
        let last = answer.sent == answer.head.length;
        if !std::mem::replace(&mut answer.head_sent, true) {
            let head = Response {
                first: bytes,
                ..(*answer.head).clone()
            };
            ctx.send(id, Msg::Response(Rc::new(head)));
        } else if bytes > 0 {
            ctx.send(id, Msg::Data { bytes, last });
        }
        let blocked = answer.sent < answer.available;
        self.read_on(id, bytes, ctx);
        if last {
            self.written(id, ctx);
        } else if blocked {
            self.set_timer(id, self.kind.limits().send, Clock::Send, ctx);
        }
    }

    /// The client has read something.
    pub(super) fn taken(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if let Some(answer) = conn.exchange.as_mut().and_then(|exchange| exchange.answer.as_mut()) {
            answer.in_buffer = answer.in_buffer.saturating_sub(bytes);
            self.stop_timer(id, ctx);
            self.pump(id, ctx);
        }
    }

    /// The client is not there any more.
    fn give_up_writing(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let status = self.answered_status(id);
        self.abandon_attempt(id, ctx);
        self.log_access(id, status, ctx);
        self.drop_conn(id, ctx);
    }

    fn answered_status(&self, id: ConnId) -> u16 {
        let exchange = self.conns.get(&id).and_then(|conn| conn.exchange.as_ref());
        exchange
            .and_then(|exchange| exchange.answer.as_ref())
            .map_or(499, |answer| answer.head.status)
    }

    /// The whole answer has been handed to the kernel.
    fn written(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let status = self.answered_status(id);
        self.log_access(id, status, ctx);
        self.unlock(id, ctx);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let keep = conn
            .exchange
            .take()
            .and_then(|exchange| exchange.answer)
            .is_some_and(|answer| answer.head.keep_alive);
        conn.served = conn.served.saturating_add(1);
        conn.since = ctx.now();
        if !keep {
            return self.close(id, ctx);
        }
        conn.phase = Phase::Idle;
        self.set_timer(id, self.kind.limits().keepalive, Clock::KeepAlive, ctx);
        if self.idle_needs_no_unit() {
            self.release(id, ctx);
        }
    }

    pub(super) fn log_access(&mut self, id: ConnId, status: u16, ctx: &mut Ctx<'_>) {
        let Some(exchange) = self.conns.get(&id).and_then(|conn| conn.exchange.as_ref()) else {
            return;
        };
        let fact = Fact::Logged {
            request: exchange.request.id,
            status,
            took_us: ctx.now().since(exchange.began).as_us(),
        };
        if let Some(count) = self.counters.answers.get_mut(usize::from(status / 100).wrapping_sub(1)) {
            *count += 1;
        }
        self.note(fact, ctx);
    }

    /// Closes the connection to a client.
    pub(super) fn close(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        ctx.close(id);
        self.drop_conn(id, ctx);
    }

    /// The connection is no more: nothing is kept of it, and its unit is free.
    pub(super) fn drop_conn(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let in_queue = |conn: &super::Conn| conn.phase == Phase::Queued && conn.unit.is_none();
        let in_queue = self.conns.get(&id).is_some_and(in_queue);
        self.stop_timer(id, ctx);
        self.unlock(id, ctx);
        self.abandon_attempt(id, ctx);
        self.close_tunnel(id, ctx);
        self.release(id, ctx);
        self.conns.remove(&id);
        if in_queue {
            self.waiting.retain(|waiting| *waiting != id);
            self.queued = self.queued.saturating_sub(1);
        }
        self.leave_if_done(ctx);
    }

    /// Whether the answer's body is read from the upstream as fast as it comes.
    pub(super) fn buffers_answers(&self, id: ConnId) -> bool {
        match (&self.kind, self.action(id)) {
            (Kind::Nginx(_), Some(Action::Pass(pass))) => pass.buffering,
            _ => false,
        }
    }
}
