//! A web server, proxy or application server as one process of the kernel: the listening socket with its accept queue,
//! the units that run requests on the machine's cores, the connections of clients and to upstreams.
//!
//! - [`units`], [`pool`]: what runs requests: nginx's workers, Apache's children and threads with their parent.
//! - [`connection`]: a client's connection and the exchange on it.
//! - `lifecycle`: starting, reloading, stopping; `schedule`: who runs what.
//! - `serve`: a request from its head to the choice of what is done; `passing`: asking an upstream; `writing`: the answer.
//! - [`cache`], [`limits`]: `proxy_cache`, `limit_req`.
//!
//! Every input becomes something ready for one connection and is handled by the unit that has it, one thing at a time:
//! so a worker of nginx that computes keeps all its connections waiting, and a child of Apache only its own.

pub mod cache;
pub mod connection;
mod lifecycle;
pub mod limits;
pub mod passing;
pub mod pool;
mod schedule;
mod serve;
#[cfg(test)]
mod tests;
mod tunnel;
pub mod units;
mod writing;

use super::cores::{Cores, UnitId};
use super::note::Note;
use super::settings::{HttpdSettings, Limits, NginxSettings};
use super::site::{Action, Site};
use super::upstream::Upstream;
use super::wire::{Ctx, Input, Order, Serving, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Halt, Process, Span, Time, TimerId};
use cache::Cache;
use connection::{Conn, Phase};
use limits::Buckets;
use passing::{Idle, Outward};
use pool::Pool;
use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::rc::Rc;
use units::{Clock, Units, What};

/// What a server's timer says.
#[derive(Clone, Debug)]
pub enum ServerTimer {
    /// Somebody on a core finishes, or must make room.
    Cores,
    /// A blocking call of that unit returns.
    Unblocked(UnitId),
    Expired(ConnId, Clock),
    /// An idle connection to an upstream has been kept long enough.
    UpstreamIdle(ConnId),
    /// Apache's parent looks after its children.
    Maintenance,
    /// The program has been loaded and reads its configuration.
    Boot,
}

/// What somebody outside tells a server.
#[derive(Clone, Debug)]
pub enum ServerOrder {
    /// QUIT: no new connections, the running requests are finished.
    Quit,
    /// HUP: the configuration is read. Balancing starts anew.
    Reload,
    /// One worker process (or child) is killed.
    KillWorker,
    /// What [`Action::Outside`] waits for has come.
    Done { request: u32, status: u16 },
}

/// From the start of the program to its reading of the configuration.
const BOOT: Span = Span::ms(5);

/// What kind of server it is.
#[derive(Clone, Debug)]
pub enum Kind {
    Nginx(NginxSettings),
    Httpd(Pool),
}

impl Kind {
    pub fn httpd(settings: HttpdSettings) -> Kind {
        Kind::Httpd(Pool::new(settings))
    }

    pub fn limits(&self) -> &Limits {
        match self {
            Kind::Nginx(settings) => &settings.limits,
            Kind::Httpd(pool) => &pool.settings.limits,
        }
    }

    fn backlog(&self) -> u32 {
        match self {
            Kind::Nginx(settings) => settings.backlog,
            Kind::Httpd(pool) => pool.settings.backlog,
        }
    }

    /// Reading and parsing a request.
    fn parse_cost(&self) -> Span {
        match self {
            Kind::Nginx(_) => Span::us(20),
            Kind::Httpd(_) => Span::us(30),
        }
    }

    /// A change of unit on a core.
    fn switch_cost(&self) -> Span {
        match self {
            Kind::Nginx(_) => Span::ZERO,
            Kind::Httpd(_) => Span::us(5),
        }
    }
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub accepted: u64,
    /// Answers by the hundred of their status: `[1xx, 2xx, 3xx, 4xx, 5xx]`.
    pub answers: [u64; 5],
    /// Closed because no connection slot was left (`worker_connections`).
    pub dropped: u64,
}

/// The server.
#[derive(Clone, Debug)]
pub struct WebServer {
    name: Rc<str>,
    port: u16,
    /// The configuration as it is written.
    file: Rc<Site>,
    /// The configuration as it was read.
    site: Rc<Site>,
    kind: Kind,
    cores: Cores,
    core_count: u32,
    core_timer: Option<(Time, TimerId)>,
    units: Units,
    /// Units with something ready.
    runnable: VecDeque<UnitId>,
    conns: OrderedMap<ConnId, Conn>,
    /// Connections that wait for a unit: new ones in the accept queue, with event also idle ones that have a request.
    waiting: VecDeque<ConnId>,
    /// How many of them are new.
    queued: u32,
    backlog_full: bool,
    quitting: bool,
    outward: OrderedMap<ConnId, Outward>,
    idle_upstream: Vec<Idle>,
    /// Balancing state: of each worker of nginx, of all of Apache's children together.
    groups: OrderedMap<u32, Vec<Upstream>>,
    /// Addresses of the groups' servers, by the text of their `server` lines: resolved once, at the start.
    resolved: OrderedMap<String, SocketAddrV4>,
    cache: Cache,
    buckets: Buckets,
    counters: Counters,
}

// What it is.
impl WebServer {
    pub fn new(name: &str, port: u16, kind: Kind, site: Rc<Site>, cores: u32) -> WebServer {
        WebServer {
            name: name.into(),
            port,
            file: site,
            site: Rc::default(),
            cores: Cores::new(cores, kind.switch_cost()),
            core_count: cores,
            kind,
            core_timer: None,
            units: Units::default(),
            runnable: VecDeque::new(),
            conns: OrderedMap::new(),
            waiting: VecDeque::new(),
            queued: 0,
            backlog_full: false,
            quitting: false,
            outward: OrderedMap::new(),
            idle_upstream: Vec::new(),
            groups: OrderedMap::new(),
            resolved: OrderedMap::new(),
            cache: Cache::default(),
            buckets: Buckets::default(),
            counters: Counters::default(),
        }
    }

    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The configuration that it runs with.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Writes the configuration anew; it is read at the next start or reload.
    pub fn configure(&mut self, site: Rc<Site>) {
        self.file = site;
    }

    /// The configuration as it is written.
    pub fn file(&self) -> &Rc<Site> {
        &self.file
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn units(&self) -> &Units {
        &self.units
    }

    pub fn conns(&self) -> impl Iterator<Item = (ConnId, &Conn)> {
        self.conns.iter().map(|(id, conn)| (*id, conn))
    }

    pub fn cores(&self) -> &Cores {
        &self.cores
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Connections in the accept queue.
    pub fn queued(&self) -> u32 {
        self.queued
    }

    /// Operating-system processes: nginx's master and workers, Apache's parent and children.
    pub fn processes(&self) -> u32 {
        let cache = self.has_cache() && matches!(self.kind, Kind::Nginx(_));
        1 + self.units.children() + if cache { 1 } else { 0 }
    }

    /// Threads of all its processes, the listeners and helpers of Apache's threaded children included.
    pub fn threads(&self) -> u32 {
        let helpers = match &self.kind {
            Kind::Httpd(pool) if pool.settings.threads_per_child > 1 => 2 * self.units.children(),
            _ => 0,
        };
        1 + self.units.len() + helpers
    }

    /// Memory by the cost model: base, units and connections, in KiB.
    pub fn memory_kib(&self) -> u32 {
        let conns = self.conns.values().filter(|conn| conn.phase != Phase::Queued).count() as u32;
        match &self.kind {
            Kind::Nginx(_) => 5_000 + 600 * self.units.len() + conns,
            Kind::Httpd(pool) if pool.settings.threads_per_child > 1 => 4_500 + 50 * self.units.len() + conns,
            Kind::Httpd(_) => 4_500 + 270 * self.units.len(),
        }
    }

    fn has_cache(&self) -> bool {
        let mut actions = self.site.locations.iter().map(|location| &location.action);
        actions.any(|action| matches!(action, Action::Pass(pass) if pass.cache.is_some()))
    }

    /// A balancing group as that unit sees it.
    pub fn group(&self, unit: UnitId, group: usize) -> Option<&Upstream> {
        self.groups.get(&self.balancer(unit))?.get(group)
    }

    /// Whose balancing state a unit uses.
    fn balancer(&self, unit: UnitId) -> u32 {
        match self.kind {
            Kind::Nginx(_) => self.units.get(unit).map_or(0, |unit| unit.process),
            Kind::Httpd(_) => 0,
        }
    }
}

/// `host:port`; 80 if none is said.
fn split_address(address: &str) -> (&str, u16) {
    match address.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(super::wire::HTTP_PORT)),
        None => (address, super::wire::HTTP_PORT),
    }
}

// What comes in.
impl WebServer {
    fn accepted(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        let peer = ctx.peer_address(id);
        self.conns.insert(id, Conn::new(peer, ctx.now()));
        self.waiting.push_back(id);
        self.queued += 1;
    }

    fn closed(&mut self, id: ConnId, ctx: &mut Ctx<'_>) {
        if let Some(out) = self.outward.get(&id) {
            let client = out.client;
            match client {
                Some(client) => self.ready(client, What::UpstreamGone(id)),
                None => self.forget_idle(id),
            }
        } else if self.conns.get(&id).is_some_and(|conn| conn.unit.is_none()) {
            // Nobody has it in hand: the kernel, or the listener, notices.
            self.drop_conn(id, ctx);
        } else {
            self.ready(id, What::Gone);
        }
    }

    fn timer(&mut self, timer: ServerTimer, ctx: &mut Ctx<'_>) {
        match timer {
            ServerTimer::Cores => {
                self.core_timer = None;
                for unit in self.cores.advance(ctx.now()) {
                    self.finished(unit, ctx);
                }
            }
            ServerTimer::Unblocked(unit) => self.finished(unit, ctx),
            ServerTimer::Expired(id, clock) => {
                if self.conns.get(&id).is_some_and(|conn| conn.unit.is_none()) {
                    self.expired(id, clock, ctx);
                } else {
                    self.ready(id, What::Expired(clock));
                }
            }
            ServerTimer::UpstreamIdle(id) => self.upstream_idle(id, ctx),
            ServerTimer::Maintenance => self.maintain(ctx),
            ServerTimer::Boot => self.boot(ctx),
        }
    }
}

impl Process for WebServer {
    type Wire = Serving;

    fn handle(&mut self, input: Input, ctx: &mut Ctx<'_>) {
        match input {
            Input::Start => {
                ctx.timer(BOOT, Timer::Server(ServerTimer::Boot));
            }
            Input::Accepted(id, _) => self.accepted(id, ctx),
            Input::Closed(id) => self.closed(id, ctx),
            Input::Timer(Timer::Server(timer)) => self.timer(timer, ctx),
            Input::Order(Order::Server(order)) => self.order(order, ctx),
            Input::Opened(id) => self.upstream_ready(id, What::Connected(id)),
            Input::Refused(id) => self.upstream_ready(id, What::NotConnected(id)),
            Input::Message(id, msg) if self.outward.contains_key(&id) => self.upstream_ready(id, What::Answer(id, msg)),
            Input::Message(id, msg) => self.ready(id, What::Message(msg)),
            Input::Timer(Timer::Client(_)) | Input::Order(Order::Client(_)) => {}
        }
        self.settle(ctx);
    }

    fn halt(&mut self, _: Halt) {
        let site = self.file.clone();
        let kind = match &self.kind {
            Kind::Nginx(settings) => Kind::Nginx(*settings),
            Kind::Httpd(pool) => Kind::httpd(pool.settings),
        };
        *self = WebServer::new(&self.name, self.port, kind, site, self.core_count);
    }
}

impl WebServer {
    fn upstream_ready(&mut self, id: ConnId, what: What) {
        if let Some(client) = self.outward.get(&id).and_then(|out| out.client) {
            self.ready(client, what);
        }
    }

    fn note(&self, note: impl Into<Note>, ctx: &mut Ctx<'_>) {
        ctx.note(note.into());
    }
}
