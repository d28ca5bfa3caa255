//! A request passed on: which server is asked, what comes of it, and the answer's way back.

use super::connection::Phase;
use super::units::Clock;
use super::{ServerTimer, WebServer, split_address};
use crate::serving::cores::UnitId;
use crate::serving::http::{CacheControl, Msg, Request, Response};
use crate::serving::note::Fact;
use crate::serving::site::{Action, Pass, Target};
use crate::serving::upstream::group::Place;
use crate::serving::upstream::request::Level;
use crate::serving::upstream::{Client, Method, Outcome, Proxied, Server, Step, Upstream};
use crate::serving::wire::{Ctx, Timer};
use crate::sim::{ConnId, Span, Time};
use std::net::{IpAddr, SocketAddrV4};
use std::rc::Rc;

/// How long an idle connection to an upstream is kept (`keepalive_timeout` of the group).
const UPSTREAM_IDLE: Span = Span::secs(60);

/// A connection to an upstream.
#[derive(Clone, Debug)]
pub struct Outward {
    /// The client it works for; none while it is idle.
    pub client: Option<ConnId>,
    pub to: SocketAddrV4,
}

/// An idle connection to an upstream, kept by a unit.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    pub conn: ConnId,
    pub unit: UnitId,
    pub to: SocketAddrV4,
    pub since: Time,
}

/// The request's tries.
#[derive(Clone, Debug)]
pub struct Attempt {
    proxied: Proxied,
    group: Whose,
    /// The connection of the running try.
    up: Option<ConnId>,
    /// Lines of its error log that were reported.
    logged: usize,
    /// The head of the answer has come.
    answering: bool,
    /// The upstream may keep the connection.
    keep: bool,
}

/// Whose balancing state decides.
#[derive(Clone, Debug)]
enum Whose {
    Group(usize),
    /// The one server that the client named.
    Requested(Upstream),
}

impl WebServer {
    /// Begins to ask an upstream.
    pub(super) fn ask_upstream(&mut self, id: ConnId, pass: &Pass, ctx: &mut Ctx<'_>) {
        let Some((client, request)) = self.client_of(id) else {
            return;
        };
        self.set_phase(id, Phase::Passing);
        let mut whose = match &pass.to {
            Target::Group(group) => Whose::Group(*group),
            Target::Requested => match self.requested(&request.host, ctx) {
                Some(upstream) => Whose::Requested(upstream),
                None => return self.not_resolved(id, &request, ctx),
            },
        };
        let Some(unit) = self.conns.get(&id).and_then(|conn| conn.unit) else {
            return;
        };
        let now = ctx.now();
        let Some((proxied, step)) = self.with_group(unit, &mut whose, |upstream| {
            Proxied::begin(upstream, pass.proxy, client, now)
        }) else {
            return self.answer_here(id, 502, super::serve::ERROR_PAGE, CacheControl::NotStored, ctx);
        };
        let attempt = Attempt {
            proxied,
            group: whose,
            up: None,
            logged: 0,
            answering: false,
            keep: false,
        };
        self.edit(id, |exchange| exchange.attempt = Some(attempt));
        self.follow(id, step, ctx);
    }

    fn client_of(&self, id: ConnId) -> Option<(Client, Rc<Request>)> {
        let conn = self.conns.get(&id)?;
        let request = conn.exchange.as_ref()?.request.clone();
        let client = Client {
            address: IpAddr::V4(conn.peer),
            method: request.method.to_string(),
            uri: request.uri.to_string(),
        };
        Some((client, request))
    }

    /// A forward proxy resolves the name for each request.
    fn requested(&mut self, host: &str, ctx: &Ctx<'_>) -> Option<Upstream> {
        let (name, port) = split_address(host);
        let found = ctx.look_up(name)?;
        self.resolved.insert(host.to_string(), SocketAddrV4::new(found, port));
        Upstream::new(Method::RoundRobin, vec![Server::new(host, host)]).ok()
    }

    pub(super) fn not_resolved(&mut self, id: ConnId, request: &Request, ctx: &mut Ctx<'_>) {
        let name = split_address(&request.host).0;
        self.error_log(
            "error",
            format!("{name} could not be resolved (3: Host not found)"),
            ctx,
        );
        self.answer_here(id, 502, super::serve::ERROR_PAGE, CacheControl::NotStored, ctx);
    }

    fn with_group<T>(&mut self, unit: UnitId, whose: &mut Whose, work: impl FnOnce(&mut Upstream) -> T) -> Option<T> {
        match whose {
            Whose::Requested(upstream) => Some(work(upstream)),
            Whose::Group(group) => {
                let balancer = self.balancer(unit);
                self.groups_of(balancer).get_mut(*group).map(work)
            }
        }
    }

    /// Does what the rules of the group say.
    fn follow(&mut self, id: ConnId, step: Step, ctx: &mut Ctx<'_>) {
        self.report_log(id, ctx);
        match step {
            Step::Try(place) => self.try_server(id, place, ctx),
            Step::Finish(status) => self.no_server(id, status, ctx),
        }
    }

    /// New lines of the error log.
    fn report_log(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let Some(attempt) = self.attempt_mut(id) else { return };
        let lines: Vec<(Level, String)> = attempt.proxied.log()[attempt.logged..]
            .iter()
            .map(|line| (line.level, line.text.clone()))
            .collect();
        attempt.logged += lines.len();
        for (level, line) in lines {
            let level = match level {
                Level::Error => "error",
                Level::Warn => "warn",
                Level::Info => "info",
            };
            self.error_log(level, line, ctx);
        }
    }

    fn attempt_mut(&mut self, id: ConnId) -> Option<&mut Attempt> {
        self.conns.get_mut(&id)?.exchange.as_mut()?.attempt.as_mut()
    }

    fn attempt(&self, id: ConnId) -> Option<&Attempt> {
        self.conns.get(&id)?.exchange.as_ref()?.attempt.as_ref()
    }

    fn try_server(&mut self, id: ConnId, place: Place, ctx: &mut Ctx<'_>) {
        let Some((unit, request)) = self.conns.get(&id).and_then(|conn| {
            let exchange = conn.exchange.as_ref()?;
            Some((conn.unit?, exchange.request.id))
        }) else {
            return;
        };
        let Some(server) = self.server_at(unit, id, place) else {
            return;
        };
        let to: Rc<str> = server.name.as_str().into();
        self.note(Fact::Passed { request, to }, ctx);
        let Some(to) = self.resolved.get(&server.address).copied() else {
            return;
        };
        let kept = self
            .idle_upstream
            .iter()
            .position(|idle| idle.unit == unit && idle.to == to);
        if let Some(kept) = kept.map(|at| self.idle_upstream.remove(at)) {
            self.outward.insert(kept.conn, Outward { client: Some(id), to });
            self.set_up(id, kept.conn);
            return self.send_upstream(id, kept.conn, ctx);
        }
        let up = ctx.dial(*to.ip(), to.port());
        self.outward.insert(up, Outward { client: Some(id), to });
        self.set_up(id, up);
        if let Some(pass) = self.pass_of(id) {
            self.set_timer(id, pass.proxy.connect_timeout, Clock::Connect, ctx);
        }
    }

    fn set_up(&mut self, id: ConnId, up: ConnId) {
        if let Some(attempt) = self.attempt_mut(id) {
            attempt.up = Some(up);
        }
    }

    fn server_at(&mut self, unit: UnitId, id: ConnId, place: Place) -> Option<Server> {
        let mut whose = self.attempt(id)?.group.clone();
        self.with_group(unit, &mut whose, |upstream| upstream.peer(place).server.clone())
    }

    fn pass_of(&self, id: ConnId) -> Option<Pass> {
        match self.action(id) {
            Some(Action::Pass(pass)) => Some(pass.clone()),
            _ => None,
        }
    }

    /// Whether this is the connection of the running try.
    fn is_current(&self, id: ConnId, up: ConnId) -> bool {
        self.attempt(id).is_some_and(|attempt| attempt.up == Some(up))
    }

    /// The connection stands: the request goes out.
    pub(super) fn connected(&mut self, id: ConnId, up: ConnId, ctx: &mut Ctx<'_>) {
        if self.phase(id) == Some(Phase::Tunnel) {
            return self.tunnel_stands(id, ctx);
        }
        if self.is_current(id, up) {
            self.send_upstream(id, up, ctx);
        }
    }

    fn send_upstream(&mut self, id: ConnId, up: ConnId, ctx: &mut Ctx<'_>) {
        let Some(pass) = self.pass_of(id) else { return };
        let Some(conn) = self.conns.get(&id) else { return };
        let Some(exchange) = &conn.exchange else { return };
        let request = self.rewritten(&exchange.request, conn.peer, &pass);
        let body = exchange.body;
        let last = exchange.body_complete();
        ctx.send(up, Msg::Request(Rc::new(request)));
        if body > 0 {
            ctx.send(up, Msg::Body { bytes: body, last });
        }
        self.set_timer(id, pass.proxy.read_timeout, Clock::Read, ctx);
    }

    /// The request as the upstream sees it: nothing is added but what is configured.
    fn rewritten(&self, request: &Request, peer: std::net::Ipv4Addr, pass: &Pass) -> Request {
        let keepalive = match &pass.to {
            Target::Group(group) => self.site.groups.get(*group).is_some_and(|group| group.keepalive > 0),
            Target::Requested => true,
        };
        let mut sent = Request {
            keep_alive: keepalive,
            absolute: false,
            ..request.clone()
        };
        if let Target::Group(group) = &pass.to
            && let Some(group) = self.site.groups.get(*group)
        {
            sent.host = group.name.clone();
        }
        if pass.headers.forwarded_for {
            sent.forwarded_for = sent.forwarded_for.iter().copied().chain([peer]).collect();
        }
        if pass.headers.real_ip {
            sent.real_ip = Some(peer);
        }
        if pass.headers.via {
            let me: Rc<str> = format!("1.1 {}", self.name).into();
            sent.via = sent.via.iter().cloned().chain([me]).collect();
        }
        sent
    }

    /// More of the client's body, passed on as it comes (`proxy_request_buffering off`, Apache).
    pub(super) fn pass_body(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        let Some(exchange) = self.conns.get(&id).and_then(|conn| conn.exchange.as_ref()) else {
            return;
        };
        let last = exchange.body_complete();
        if let Some(up) = exchange.attempt.as_ref().and_then(|attempt| attempt.up) {
            ctx.send(up, Msg::Body { bytes, last });
        }
    }

    pub(super) fn not_connected(&mut self, id: ConnId, up: ConnId, ctx: &mut Ctx<'_>) {
        self.outward.remove(&up);
        if self.phase(id) == Some(Phase::Tunnel) {
            return self.tunnel_failed(id, 502, ctx);
        }
        if self.is_current(id, up) {
            self.try_ended(id, Outcome::Refused, ctx);
        }
    }

    pub(super) fn upstream_gone(&mut self, id: ConnId, up: ConnId, ctx: &mut Ctx<'_>) {
        self.outward.remove(&up);
        if self.phase(id) == Some(Phase::Tunnel) {
            return self.close(id, ctx);
        }
        match self.attempt(id) {
            Some(attempt) if attempt.up == Some(up) && attempt.answering => self.cut_short(id, ctx),
            Some(attempt) if attempt.up == Some(up) => self.try_ended(id, Outcome::ClosedEarly, ctx),
            _ => {}
        }
    }

    pub(super) fn upstream_late(&mut self, id: ConnId, clock: Clock, ctx: &mut Ctx<'_>) {
        match self.attempt(id) {
            Some(attempt) if attempt.answering => self.cut_short(id, ctx),
            Some(_) if clock == Clock::Connect => self.try_ended(id, Outcome::ConnectTimeout, ctx),
            Some(_) => self.try_ended(id, Outcome::ReadTimeout, ctx),
            None => {}
        }
    }

    /// The answer's head has gone to the client already: it gets a short answer.
    fn cut_short(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        self.error_log(
            "error",
            "upstream prematurely closed connection while reading upstream".into(),
            ctx,
        );
        self.abandon_attempt(id, ctx);
        self.log_access(id, 200, ctx);
        self.close(id, ctx);
    }

    /// A try has ended without a head, or with one that may be somebody else's turn.
    fn try_ended(&mut self, id: ConnId, outcome: Outcome, ctx: &mut Ctx<'_>) {
        self.stop_timer(id, ctx);
        self.close_up(id, ctx);
        if let Some(step) = self.ended(id, outcome, ctx) {
            self.follow(id, step, ctx);
        }
    }

    fn ended(&mut self, id: ConnId, outcome: Outcome, ctx: &Ctx<'_>) -> Option<Step> {
        let unit = self.conns.get(&id)?.unit?;
        let mut attempt = self.conns.get_mut(&id)?.exchange.as_mut()?.attempt.take()?;
        let now = ctx.now();
        let Attempt { proxied, group, .. } = &mut attempt;
        let step = self.with_group(unit, group, |upstream| proxied.ended(upstream, outcome, now));
        self.edit(id, |exchange| exchange.attempt = Some(attempt));
        step
    }

    fn close_up(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if let Some(up) = self.attempt_mut(id).and_then(|attempt| attempt.up.take()) {
            self.outward.remove(&up);
            ctx.close(up);
        }
    }

    /// Nobody has answered: a stale answer, if there may be one, or the status that stands for it.
    fn no_server(&mut self, id: ConnId, status: u16, ctx: &mut Ctx<'_>) {
        let rules = self.pass_of(id).and_then(|pass| pass.cache);
        let stale = self
            .conns
            .get(&id)
            .and_then(|conn| conn.exchange.as_ref()?.stale.clone());
        if let (Some(rules), Some(stale)) = (rules, stale)
            && rules.use_stale
        {
            return self.serve_kept(id, &stale, super::cache::CacheStatus::Stale, ctx);
        }
        self.answer_here(id, status, super::serve::ERROR_PAGE, CacheControl::NotStored, ctx);
    }

    pub(super) fn upstream_message(&mut self, id: ConnId, up: ConnId, msg: Msg, ctx: &mut Ctx<'_>) {
        match msg {
            Msg::Tunnel { bytes } => ctx.send(id, Msg::Tunnel { bytes }),
            Msg::Response(head) if self.is_current(id, up) => self.upstream_head(id, &head, ctx),
            Msg::Data { bytes, last } if self.is_current(id, up) => self.upstream_data(id, bytes, last, ctx),
            _ => {}
        }
    }

    /// The head of an answer: it goes to the client, or another server is asked.
    fn upstream_head(&mut self, id: ConnId, head: &Rc<Response>, ctx: &mut Ctx<'_>) {
        match self.ended(id, Outcome::Answered(head.status), ctx) {
            Some(Step::Try(place)) => {
                self.report_log(id, ctx);
                self.close_up(id, ctx);
                self.try_server(id, place, ctx);
            }
            Some(Step::Finish(_)) => {
                self.report_log(id, ctx);
                self.take_head(id, head, ctx);
            }
            None => {}
        }
    }

    fn take_head(&mut self, id: ConnId, head: &Rc<Response>, ctx: &mut Ctx<'_>) {
        let buffers = self.buffers_answers(id);
        let complete = head.first == head.length;
        if let Some(attempt) = self.attempt_mut(id) {
            attempt.answering = true;
            attempt.keep = head.keep_alive;
        }
        self.store(id, head, ctx);
        self.answer(id, (**head).clone(), head.first, ctx);
        if complete {
            self.upstream_done(id, ctx);
        } else {
            if buffers {
                self.say_taken(id, head.first, ctx);
            }
            self.await_more(id, ctx);
        }
    }

    /// `proxy_cache`: kept from the moment its head is here (the body follows at once in this model).
    fn store(&mut self, id: ConnId, head: &Rc<Response>, ctx: &Ctx<'_>) {
        let Some(rules) = self.pass_of(id).and_then(|pass| pass.cache) else {
            return;
        };
        let exchange = self.conns.get(&id).and_then(|conn| conn.exchange.as_ref());
        let key = exchange
            .filter(|exchange| !exchange.not_stored)
            .and_then(|exchange| exchange.cache.clone());
        if let Some((key, _)) = key {
            self.cache.store(key, head.clone(), &rules, ctx.now());
        }
    }

    fn await_more(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let wants = self.attempt(id).is_some_and(|attempt| attempt.up.is_some());
        if wants && let Some(pass) = self.pass_of(id) {
            self.set_timer(id, pass.proxy.read_timeout, Clock::Read, ctx);
        }
    }

    fn upstream_data(&mut self, id: ConnId, bytes: u32, last: bool, ctx: &mut Ctx<'_>) {
        self.stop_timer(id, ctx);
        let buffers = self.buffers_answers(id);
        self.edit(id, |exchange| {
            if let Some(answer) = &mut exchange.answer {
                answer.available = answer.available.saturating_add(bytes);
            }
        });
        if last {
            self.upstream_done(id, ctx);
        } else if buffers {
            self.say_taken(id, bytes, ctx);
        }
        self.pump(id, ctx);
        if !last {
            self.await_more(id, ctx);
        }
    }

    fn say_taken(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        if let Some(up) = self.attempt(id).and_then(|attempt| attempt.up) {
            ctx.send(up, Msg::Taken { bytes });
        }
    }

    /// Without buffering the upstream may go on only as fast as the client reads.
    pub(super) fn read_on(&mut self, id: ConnId, bytes: u32, ctx: &mut Ctx<'_>) {
        if bytes > 0 && !self.buffers_answers(id) {
            self.say_taken(id, bytes, ctx);
        }
    }

    /// The whole answer is here: the connection is kept, or closed.
    fn upstream_done(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let Some(attempt) = self.attempt_mut(id) else { return };
        let (up, keep) = (attempt.up.take(), attempt.keep);
        let group = match &attempt.group {
            Whose::Group(group) => Some(*group),
            Whose::Requested(_) => None,
        };
        let Some(up) = up else { return };
        let unit = self.conns.get(&id).and_then(|conn| conn.unit);
        let most = group
            .and_then(|group| self.site.groups.get(group))
            .map_or(0, |group| group.keepalive);
        let to = self.outward.get(&up).map(|out| out.to);
        if let (Some(unit), Some(to), true) = (unit, to, keep && most > 0) {
            return self.keep_up(
                Idle {
                    conn: up,
                    unit,
                    to,
                    since: ctx.now(),
                },
                most,
                ctx,
            );
        }
        self.outward.remove(&up);
        ctx.close(up);
    }

    fn keep_up(&mut self, idle: Idle, most: u32, ctx: &mut Ctx<'_>) {
        if let Some(out) = self.outward.get_mut(&idle.conn) {
            out.client = None;
        }
        self.idle_upstream.push(idle);
        ctx.timer(UPSTREAM_IDLE, Timer::Server(ServerTimer::UpstreamIdle(idle.conn)));
        let ours = self
            .idle_upstream
            .iter()
            .filter(|other| other.unit == idle.unit)
            .count();
        if ours > most as usize
            && let Some(oldest) = self
                .idle_upstream
                .iter()
                .find(|other| other.unit == idle.unit)
                .map(|other| other.conn)
        {
            ctx.close(oldest);
            self.forget_idle(oldest);
        }
    }

    /// The time of an idle connection may be over; it may have worked again meanwhile.
    pub(super) fn upstream_idle(&mut self, up: ConnId, ctx: &mut Ctx<'_>) {
        let is_over = |idle: &Idle| idle.conn == up && ctx.now().since(idle.since) >= UPSTREAM_IDLE;
        if self.idle_upstream.iter().any(is_over) {
            ctx.close(up);
            self.forget_idle(up);
        }
    }

    pub(super) fn forget_idle(&mut self, up: ConnId) {
        self.outward.remove(&up);
        self.idle_upstream.retain(|idle| idle.conn != up);
    }

    /// The client left: so does the connection to the upstream (`proxy_ignore_client_abort off`).
    pub(super) fn abandon_attempt(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if self.attempt(id).is_none_or(|attempt| attempt.up.is_none()) {
            return;
        }
        let answering = self.attempt(id).is_some_and(|attempt| attempt.answering);
        if !answering {
            self.ended(id, Outcome::ClientGone, ctx);
            self.report_log(id, ctx);
        }
        self.close_up(id, ctx);
    }
}
