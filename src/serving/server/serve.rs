//! A request from the first byte of its head to the choice of what is done with it.

use super::cache::{Cache, CacheStatus};
use super::connection::{Exchange, Phase};
use super::limits::Admission;
use super::units::{Clock, Ready, What};
use super::{Kind, ServerTimer, WebServer};
use crate::serving::http::{CacheControl, Msg, Request, Response};
use crate::serving::note::{Fact, ServerNote};
use crate::serving::settings::Mpm;
use crate::serving::site::{Action, Pass, Target, Work};
use crate::serving::wire::{Ctx, Timer};
use crate::sim::{ConnId, Span};
use std::rc::Rc;

/// Bytes of a server's own page for an error.
pub(super) const ERROR_PAGE: u32 = 157;

impl WebServer {
    pub(super) fn handle_ready(&mut self, ready: Ready, ctx: &mut Ctx<'_>) {
        let id = ready.conn;
        if !self.conns.contains_key(&id) {
            return;
        }
        match ready.what {
            What::Accepted => self.begin(id, ctx),
            What::Message(msg) => self.message(id, msg, ctx),
            What::Gone => self.client_gone(id, ctx),
            What::Expired(clock) => self.expired(id, clock, ctx),
            What::Compute(_) => self.computed(id, ctx),
            What::Block(_) => self.worked(id, ctx),
            What::Connected(up) => self.connected(id, up, ctx),
            What::NotConnected(up) => self.not_connected(id, up, ctx),
            What::Answer(up, msg) => self.upstream_message(id, up, msg, ctx),
            What::UpstreamGone(up) => self.upstream_gone(id, up, ctx),
        }
    }

    /// A unit has taken a new connection.
    fn begin(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if self.no_slot_left(id, ctx) {
            return;
        }
        self.set_phase(id, Phase::Head);
        self.set_timer(id, self.kind.limits().header, Clock::Header, ctx);
    }

    /// nginx: `worker_connections` counts clients, upstreams and the listening socket.
    fn no_slot_left(&mut self, id: ConnId, ctx: &mut Ctx<'_>) -> bool {
        let Kind::Nginx(settings) = &self.kind else {
            return false;
        };
        let most = settings.worker_connections;
        let used = 1 + self.connections_of_worker(id);
        if used <= most {
            return false;
        }
        self.counters.dropped += 1;
        self.error_log("alert", format!("{most} worker_connections are not enough"), ctx);
        self.close(id, ctx);
        true
    }

    /// Connections of the worker that has this one, to clients and upstreams.
    fn connections_of_worker(&self, id: ConnId) -> u32 {
        let Some(unit) = self.conns.get(&id).and_then(|conn| conn.unit) else {
            return 0;
        };
        let clients = self.units.get(unit).map_or(0, |unit| unit.conns);
        let ours = |client: Option<ConnId>| {
            client.is_some_and(|client| self.conns.get(&client).is_some_and(|conn| conn.unit == Some(unit)))
        };
        let busy = self.outward.values().filter(|out| ours(out.client)).count();
        let idle = self.idle_upstream.iter().filter(|idle| idle.unit == unit).count();
        clients + (busy + idle) as u32
    }

    fn message(&mut self, id: ConnId, msg: Msg, ctx: &mut Ctx<'_>) {
        match msg {
            Msg::HeadPart => self.head_part(id, ctx),
            Msg::Request(request) => self.request(id, request, ctx),
            Msg::Body { bytes, .. } => self.body(id, bytes, ctx),
            Msg::Taken { bytes } => self.taken(id, bytes, ctx),
            Msg::Tunnel { bytes } => self.tunnel_out(id, bytes, ctx),
            Msg::Response(_) | Msg::Data { .. } => {}
        }
    }

    /// Some bytes, but no whole head: the time for the head runs from the first of them.
    fn head_part(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if self.phase(id) == Some(Phase::Idle) {
            self.set_phase(id, Phase::Head);
            self.set_timer(id, self.kind.limits().header, Clock::Header, ctx);
        }
    }

    fn request(&mut self, id: ConnId, request: Rc<Request>, ctx: &mut Ctx<'_>) {
        self.stop_timer(id, ctx);
        self.note(Fact::Received { request: request.id }, ctx);
        let Some(conn) = self.conns.get_mut(&id) else { return };
        let (too_large, has_body) = (request.body > self.kind.limits().max_body, request.body > 0);
        let peer = conn.peer;
        conn.exchange = Some(Exchange::new(request, ctx.now()));
        if too_large {
            return self.refuse(id, 413, ctx);
        }
        match self.admit(peer, ctx) {
            Admission::Now if has_body && self.reads_whole_body(id) => self.await_body(id, ctx),
            Admission::Now => self.route(id, ctx),
            Admission::After(wait) => self.delay(id, wait, ctx),
            Admission::Refused { excess } => {
                self.error_log("error", excess_line(excess), ctx);
                self.refuse(id, 503, ctx);
            }
        }
    }

    fn admit(&mut self, peer: std::net::Ipv4Addr, ctx: &mut Ctx<'_>) -> Admission {
        let Kind::Nginx(settings) = &self.kind else {
            return Admission::Now;
        };
        let (limit, most) = (settings.limit_req, settings.limit_conn);
        let running = |conn: &&super::Conn| conn.peer == peer && conn.exchange.is_some();
        if most > 0 && self.conns.values().filter(running).count() > most as usize {
            return Admission::Refused { excess: 0 };
        }
        match limit {
            Some(limit) => self.buckets.admit(&limit, peer, ctx.now()),
            None => Admission::Now,
        }
    }

    fn delay(&mut self, id: ConnId, wait: Span, ctx: &mut Ctx<'_>) {
        if let Some(request) = self.request_of(id) {
            let (request, us) = (request.id, wait.as_us());
            self.note(ServerNote::Delayed { request, us }, ctx);
        }
        self.set_phase(id, Phase::Held);
        self.set_timer(id, wait, Clock::Delayed, ctx);
    }

    /// The server itself reads the whole body first; else it goes on to the upstream as it comes.
    fn reads_whole_body(&self, id: ConnId) -> bool {
        match self.action(id) {
            Some(Action::Pass(pass)) => pass.request_buffering,
            _ => true,
        }
    }

    fn await_body(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        self.set_phase(id, Phase::Body);
        self.set_timer(id, self.kind.limits().body, Clock::Body, ctx);
    }

    fn body(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        let Some(exchange) = self.conns.get_mut(&id).and_then(|conn| conn.exchange.as_mut()) else {
            return;
        };
        exchange.body = exchange.body.saturating_add(bytes);
        let complete = exchange.body_complete();
        match self.phase(id) {
            Some(Phase::Body) if complete => {
                self.stop_timer(id, ctx);
                self.route(id, ctx);
            }
            Some(Phase::Body) => self.set_timer(id, self.kind.limits().body, Clock::Body, ctx),
            Some(Phase::Passing) => self.pass_body(id, bytes, ctx),
            _ => {}
        }
    }

    pub(super) fn action(&self, id: ConnId) -> Option<&Action> {
        let request = self.request_of(id)?;
        self.site.location(&request.uri).map(|location| &location.action)
    }

    /// What the location says is done.
    fn route(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if self.request_of(id).is_some_and(|request| &*request.method == "CONNECT") {
            return self.open_tunnel(id, ctx);
        }
        match self.action(id).cloned() {
            None => self.refuse(id, 404, ctx),
            Some(Action::File { bytes, cache }) => self.answer_here(id, 200, bytes, cache, ctx),
            Some(Action::Return(status)) => self.answer_here(id, status, ERROR_PAGE, CacheControl::Unsaid, ctx),
            Some(Action::Work(work)) => {
                self.set_phase(id, Phase::Working);
                self.give_first(id, What::Compute(work.compute));
            }
            Some(Action::Outside) => {
                self.set_phase(id, Phase::Held);
                if let Some(request) = self.request_of(id) {
                    self.note(Fact::Outside { request: request.id }, ctx);
                }
            }
            Some(Action::Hang) => self.set_phase(id, Phase::Held),
            Some(Action::Reset) => self.close(id, ctx),
            Some(Action::Pass(pass)) => self.pass(id, &pass, ctx),
        }
    }

    fn work(&self, id: ConnId) -> Work {
        match self.action(id) {
            Some(Action::Work(work)) => *work,
            _ => Work::default(),
        }
    }

    fn computed(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let wait = self.work(id).wait;
        if wait > Span::ZERO {
            self.give_first(id, What::Block(wait));
        } else {
            self.worked(id, ctx);
        }
    }

    fn worked(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let work = self.work(id);
        self.answer_here(id, work.status, work.bytes, work.cache, ctx);
    }

    /// What a request waited for outside of this process has come.
    pub(super) fn outside_done(&mut self, request: u32, status: u16, ctx: &mut Ctx<'_>) {
        let waits = |conn: &super::Conn| {
            conn.phase == Phase::Held
                && conn
                    .exchange
                    .as_ref()
                    .is_some_and(|exchange| exchange.request.id == request)
        };
        let id = self.conns.iter().find(|(_, conn)| waits(conn)).map(|(id, _)| *id);
        if let Some(id) = id {
            self.answer_here(id, status, ERROR_PAGE, CacheControl::NotStored, ctx);
        }
    }

    /// The cache first, if there is one; else an upstream.
    fn pass(&mut self, id: ConnId, pass: &Pass, ctx: &mut Ctx<'_>) {
        let Some(rules) = pass.cache else {
            return self.ask_upstream(id, pass, ctx);
        };
        let Some(request) = self.request_of(id).cloned() else {
            return;
        };
        let host = match &pass.to {
            Target::Group(group) => self
                .site
                .groups
                .get(*group)
                .map_or("", |group| &*group.name)
                .to_string(),
            Target::Requested => request.host.to_string(),
        };
        let Some(key) = Cache::key(&request, &host) else {
            return self.ask_upstream(id, pass, ctx);
        };
        let (status, kept) = self.cache.look(&key, &rules, ctx.now());
        self.remember(id, &key, status, &kept);
        if let (CacheStatus::Hit, Some(answer)) = (status, &kept) {
            return self.serve_kept(id, answer, status, ctx);
        }
        if rules.lock_timeout > Span::ZERO {
            if !self.cache.lock(&key, id) {
                self.set_phase(id, Phase::Locked);
                return self.set_timer(id, rules.lock_timeout, Clock::CacheLock, ctx);
            }
            self.edit(id, |exchange| exchange.holds_lock = true);
        }
        self.note_cache(id, status, ctx);
        self.ask_upstream(id, pass, ctx);
    }

    fn remember(&mut self, id: ConnId, key: &Rc<str>, status: CacheStatus, kept: &Option<Rc<Response>>) {
        self.edit(id, |exchange| {
            exchange.cache = Some((key.clone(), status));
            exchange.stale = kept.clone();
        });
    }

    pub(super) fn serve_kept(&mut self, id: ConnId, kept: &Response, status: CacheStatus, ctx: &mut Ctx<'_>) {
        self.note_cache(id, status, ctx);
        let head = Response {
            first: 0,
            ..kept.clone()
        };
        self.answer(id, head, kept.length, ctx);
    }

    fn note_cache(&mut self, id: ConnId, status: CacheStatus, ctx: &mut Ctx<'_>) {
        if let Some(request) = self.request_of(id) {
            let request = request.id;
            self.note(ServerNote::Cached { request, status }, ctx);
        }
    }

    /// Those that waited for the answer of another one look again.
    pub(super) fn unlock(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let exchange = self.conns.get_mut(&id).and_then(|conn| conn.exchange.as_mut());
        let Some(exchange) = exchange else { return };
        if !std::mem::take(&mut exchange.holds_lock) {
            return;
        }
        let Some((key, _)) = exchange.cache.clone() else { return };
        for waiter in self.cache.unlock(&key) {
            if self.phase(waiter) == Some(Phase::Locked) {
                self.stop_timer(waiter, ctx);
                self.route(waiter, ctx);
            }
        }
    }

    pub(super) fn expired(&mut self, id: ConnId, clock: Clock, ctx: &mut Ctx<'_>) {
        match (clock, self.phase(id)) {
            (Clock::Header, Some(Phase::Head)) | (Clock::Send, Some(Phase::Writing)) => self.close(id, ctx),
            (Clock::Body, Some(Phase::Body)) => self.body_late(id, ctx),
            (Clock::KeepAlive, Some(Phase::Idle)) => {
                self.note(ServerNote::IdleClosed, ctx);
                self.close(id, ctx);
            }
            (Clock::Delayed, Some(Phase::Held)) => self.route(id, ctx),
            (Clock::CacheLock, Some(Phase::Locked)) => self.stop_waiting_for_cache(id, ctx),
            (Clock::Connect | Clock::Read, Some(Phase::Passing | Phase::Writing)) => {
                self.upstream_late(id, clock, ctx);
            }
            _ => {}
        }
    }

    /// nginx closes and logs 408; Apache says it to the client.
    fn body_late(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if matches!(self.kind, Kind::Httpd(_)) {
            return self.refuse(id, 408, ctx);
        }
        self.log_access(id, 408, ctx);
        self.close(id, ctx);
    }

    /// After `proxy_cache_lock_timeout` it asks by itself, and what it gets is not kept.
    fn stop_waiting_for_cache(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        self.edit(id, |exchange| exchange.not_stored = true);
        if let Some(Action::Pass(pass)) = self.action(id).cloned() {
            self.ask_upstream(id, &pass, ctx);
        }
    }

    fn client_gone(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let asks = matches!(self.phase(id), Some(Phase::Passing | Phase::Held | Phase::Working));
        if asks && matches!(self.kind, Kind::Httpd(_)) {
            // Apache looks at its client again when it writes.
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.gone = true;
            }
            return;
        }
        if self.phase(id) == Some(Phase::Passing) {
            self.abandon_attempt(id, ctx);
        }
        if asks {
            self.log_access(id, 499, ctx);
        }
        self.drop_conn(id, ctx);
    }

    /// Whether idle connections give their unit back (event): the listener holds them.
    pub(super) fn idle_needs_no_unit(&self) -> bool {
        matches!(&self.kind, Kind::Httpd(pool) if pool.settings.mpm == Mpm::Event)
    }
}

fn excess_line(excess: u64) -> String {
    match excess {
        0 => "limiting connections by zone \"addr\"".into(),
        _ => format!(
            "limiting requests, excess: {}.{:03} by zone \"addr\"",
            excess / 1_000,
            excess % 1_000
        ),
    }
}

// Small things that all parts use.
impl WebServer {
    pub(super) fn phase(&self, id: ConnId) -> Option<Phase> {
        self.conns.get(&id).map(|conn| conn.phase)
    }

    pub(super) fn set_phase(&mut self, id: ConnId, phase: Phase) {
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.phase = phase;
        }
    }

    pub(super) fn request_of(&self, id: ConnId) -> Option<&Rc<Request>> {
        Some(&self.conns.get(&id)?.exchange.as_ref()?.request)
    }

    pub(super) fn edit(&mut self, id: ConnId, change: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.conns.get_mut(&id).and_then(|conn| conn.exchange.as_mut()) {
            change(exchange);
        }
    }

    /// The connection's one timer: a new one replaces the old.
    pub(super) fn set_timer(&mut self, id: ConnId, after: Span, clock: Clock, ctx: &mut Ctx<'_>) {
        self.stop_timer(id, ctx);
        if let Some(conn) = self.conns.get_mut(&id) {
            conn.timer = Some(ctx.timer(after, Timer::Server(ServerTimer::Expired(id, clock))));
        }
    }

    pub(super) fn stop_timer(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if let Some(timer) = self.conns.get_mut(&id).and_then(|conn| conn.timer.take()) {
            ctx.cancel(timer);
        }
    }
}
