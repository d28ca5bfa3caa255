//! A client's connections: one per node, requests in flight, time-outs, back-off, metadata refresh, a new beginning from
//! the bootstrap addresses. [NetworkClient]
//!
//! Its owner hands every input to [`NetworkClient::on_input`], takes [`NetworkClient::take_event`], does its own work,
//! and then calls [`NetworkClient::drive`]; while that returns true, events and work are to be looked at again.

mod connecting;
mod dialect;
mod names;
mod refresh;

pub use dialect::Dialect;
pub use names::{address_text, api_name, node_text};

use super::backoff::Backoff;
use super::call::ClientError;
use super::link::{InFlight, Link, LinkState, Pauses};
use super::log::LogLine;
use super::metadata::{Asked, Metadata};
use super::note::ClientNote;
use crate::kafka::metrics::Figures;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Random, Span, Time, TimerId};
use connecting::End;
use std::collections::VecDeque;
use std::rc::Rc;

/// A request by its correlation id.
pub type RequestId = u32;

/// What a coordinator's connection is called: apart from that to the same broker. [AbstractCoordinator]
pub fn coordinator_id(node: NodeId) -> NodeId {
    NodeId::MAX - node
}

/// The one thing that the network waits for: time to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetTimer;

/// Settings that all clients share.
#[derive(Clone, Copy, Debug)]
pub struct NetSettings {
    pub pauses: Pauses,
    pub request_timeout_ms: i64,
    /// `max.in.flight.requests.per.connection`
    pub max_in_flight: usize,
    pub connections_max_idle_ms: i64,
    /// `metadata.recovery.strategy` is `rebootstrap`.
    pub rebootstrap: bool,
    pub rebootstrap_trigger_ms: i64,
    /// `security.protocol` has TLS in it.
    pub tls: bool,
}

macro_rules! settings_from {
    ($($config:ident, $in_flight:expr;)*) => {
        $(impl From<&crate::kafka::config::$config> for NetSettings {
            fn from(config: &crate::kafka::config::$config) -> NetSettings {
                let in_flight: fn(&crate::kafka::config::$config) -> usize = $in_flight;
                NetSettings {
                    pauses: Pauses {
                        reconnect: Backoff::new(config.reconnect_backoff_ms, config.reconnect_backoff_max_ms),
                        setup: Backoff::new(
                            config.socket_connection_setup_timeout_ms,
                            config.socket_connection_setup_timeout_max_ms,
                        ),
                    },
                    request_timeout_ms: config.request_timeout_ms,
                    max_in_flight: in_flight(config),
                    connections_max_idle_ms: config.connections_max_idle_ms,
                    rebootstrap: config.metadata_recovery_rebootstrap,
                    rebootstrap_trigger_ms: config.metadata_recovery_rebootstrap_trigger_ms,
                    tls: config.security_protocol_tls,
                }
            }
        })*
    };
}

settings_from! {
    ProducerConfig, |config| config.max_in_flight_requests_per_connection.max(1) as usize;
    ConsumerConfig, |_| 100;
    AdminConfig, |_| 1;
}

/// What happened on the network that its owner should know.
#[derive(Clone, Debug)]
pub enum NetEvent {
    Response {
        request: RequestId,
        node: NodeId,
        body: Body,
        /// Since it was sent.
        took: Span,
    },
    /// The connection went before the answer came; `timed_out`: because the client gave up waiting.
    Failed {
        request: RequestId,
        node: NodeId,
        timed_out: bool,
    },
    /// The node can be used.
    Connected(NodeId),
    /// The connection is gone or did not come about.
    Disconnected(NodeId),
    MetadataUpdated,
}

/// What the network counts, for metrics.
#[derive(Clone, Copy, Debug, Default)]
struct NetCounts {
    opened: i64,
    closed: i64,
    requests: i64,
    responses: i64,
}

/// All connections of one client.
#[derive(Clone, Debug)]
pub struct NetworkClient {
    pub metadata: Metadata,
    /// Newest finalized `transaction.version` that a broker told.
    pub transaction_version: i16,
    settings: NetSettings,
    client_id: Rc<str>,
    /// What every line of its log begins with.
    log_prefix: Rc<str>,
    counts: NetCounts,
    /// Names that could not be resolved, and when that was found out.
    unknown_hosts: OrderedMap<Rc<str>, Time>,
    dialect: Dialect,
    /// What ends the owner's call.
    fatal: Option<ClientError>,
    wrap: fn(NetTimer) -> Timer,
    random: Random,
    links: OrderedMap<NodeId, Link>,
    by_conn: OrderedMap<ConnId, NodeId>,
    next_request: RequestId,
    refreshing: Option<Asked>,
    /// Since when metadata are sought in vain.
    sought_since: Option<Time>,
    timer: Option<(Time, TimerId)>,
    events: VecDeque<NetEvent>,
}

impl NetworkClient {
    /// A client without connections, by its id and the prefix of its log. `wrap` makes its timer one of the owner's.
    pub fn new(
        (client_id, log_prefix): (Rc<str>, Rc<str>),
        settings: NetSettings,
        metadata: Metadata,
        random: Random,
        wrap: fn(NetTimer) -> Timer,
    ) -> NetworkClient {
        NetworkClient {
            metadata,
            transaction_version: 0,
            settings,
            client_id,
            log_prefix,
            counts: NetCounts::default(),
            unknown_hosts: OrderedMap::new(),
            dialect: Dialect::default(),
            fatal: None,
            wrap,
            random,
            links: OrderedMap::new(),
            by_conn: OrderedMap::new(),
            next_request: 0,
            refreshing: None,
            sought_since: None,
            timer: None,
            events: VecDeque::new(),
        }
    }

    /// Takes an input if it is the network's; false if it is not.
    pub fn on_input(&mut self, input: &Input, ctx: &mut Ctx) -> bool {
        match input {
            Input::Opened(conn) => self.on_opened(*conn, ctx),
            Input::Refused(conn) => self.on_end(*conn, End::Refused, ctx),
            Input::Closed(conn) => self.on_end(*conn, End::Peer, ctx),
            Input::Message(conn, msg) => self.on_message(*conn, msg, ctx),
            Input::Start | Input::Timer(_) | Input::Accepted(..) | Input::Order(_) => return false,
        }
        true
    }

    /// Its timer fired: whatever is overdue is given up.
    pub fn on_timer(&mut self, ctx: &mut Ctx) {
        self.timer = None;
        let now = ctx.now();
        for node in self.links_where(|link| link.setup_until().is_some_and(|until| until <= now)) {
            self.end(node, End::SetupTimeout, ctx);
        }
        for node in self.links_where(|link| link.overdue(now)) {
            self.end(node, End::RequestTimeout, ctx);
        }
        for node in self.links_where(|link| self.idle_until(link) <= now) {
            self.end(node, End::Idle, ctx);
        }
        self.rebootstrap_when_overdue(ctx);
        self.rearm(ctx);
    }

    /// When a connection is closed because nobody used it; a negative setting means never.
    fn idle_until(&self, link: &Link) -> Time {
        match self.settings.connections_max_idle_ms {
            idle @ 0.. if link.state == LinkState::Ready => link.used + Span::from_ms(idle),
            _ => Time::NEVER,
        }
    }

    fn links_where(&self, wanted: impl Fn(&Link) -> bool) -> Vec<NodeId> {
        let found = self.links.iter().filter(|(_, link)| wanted(link));
        found.map(|(node, _)| *node).collect()
    }

    /// How many things happened that were not taken yet.
    pub fn event_count(&self) -> usize {
        self.events.len()
    }

    /// What happened first of what was not taken yet. Its owner takes what there is at the beginning of a turn; what
    /// follows from that is for the next.
    pub fn take_event(&mut self) -> Option<NetEvent> {
        self.events.pop_front()
    }

    /// Refreshes metadata if that is due. True if something changed that the owner should look at.
    pub fn drive(&mut self, ctx: &mut Ctx) -> bool {
        let sent = self.maybe_refresh(ctx);
        sent || !self.events.is_empty()
    }

    // ---- what owners ask for ----

    /// Can a request be sent to the node now? If not, and it may be tried, a connection is begun. The owner is woken
    /// when the answer may have changed. [NetworkClient.ready]
    pub fn ready(&mut self, node: &BrokerNode, ctx: &mut Ctx) -> bool {
        if self.is_ready(node.id, ctx.now()) {
            return true;
        }
        self.connect_if_possible(node, ctx);
        false
    }

    /// Can a request be sent to the node now? Not while a metadata request is due. [NetworkClient.isReady]
    pub fn is_ready(&self, node: NodeId, now: Time) -> bool {
        !self.refresh_due(now) && self.can_send(node)
    }

    /// Is the node's connection known to be down? [NetworkClient.connectionFailed]
    pub fn connection_failed(&self, node: NodeId) -> bool {
        self.links
            .get(&node)
            .is_some_and(|link| link.state == LinkState::Disconnected)
    }

    /// Must an attempt to connect to the node still wait? [NetworkClientUtils.isUnavailable]
    pub fn is_unavailable(&self, node: NodeId, now: Time) -> bool {
        let link = self.links.get(&node);
        link.is_some_and(|link| link.state == LinkState::Disconnected && !link.can_connect(now))
    }

    /// Sends a request; `None` if the node is not ready.
    pub fn send(&mut self, node: NodeId, body: Body, ctx: &mut Ctx) -> Option<RequestId> {
        self.send_within(node, body, self.settings.request_timeout_ms, ctx)
    }

    /// Sends a request with a time-out of its own.
    pub fn send_within(&mut self, node: NodeId, body: Body, timeout_ms: i64, ctx: &mut Ctx) -> Option<RequestId> {
        if !self.can_send(node) {
            return None;
        }
        Some(self.put(node, body, Some(timeout_ms), false, ctx))
    }

    /// Sends a request that gets no answer (acks=0); `None` if the node is not ready.
    pub fn send_one_way(&mut self, node: NodeId, body: Body, ctx: &mut Ctx) -> Option<RequestId> {
        if !self.can_send(node) {
            return None;
        }
        Some(self.put(node, body, None, false, ctx))
    }

    /// The node to ask what every node knows. [NetworkClient.leastLoadedNode]
    pub fn least_loaded(&mut self, now: Time) -> Option<BrokerNode> {
        self.find_least_loaded(now).0
    }

    /// Gives a node's connection up.
    pub fn disconnect(&mut self, node: NodeId, ctx: &mut Ctx) {
        let open = |link: &Link| link.state != LinkState::Disconnected;
        if self.links.get(&node).is_some_and(open) {
            self.end(node, End::Asked, ctx);
        }
    }

    /// The owner leaves: every connection is closed, nothing is logged.
    pub fn close(&mut self, ctx: &mut Ctx) {
        for link in std::mem::take(&mut self.links).into_values() {
            if let Some(conn) = link.conn {
                ctx.close(conn);
            }
        }
        self.by_conn.clear();
        self.events.clear();
        self.refreshing = None;
        if let Some((_, timer)) = self.timer.take() {
            ctx.cancel(timer);
        }
    }

    /// Speaks and acts as an older release from now on.
    pub fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
        self.settings.rebootstrap &= dialect.rebootstraps();
        self.metadata.resets_first_epoch = dialect.resets_first_epoch();
    }

    /// What ends the call that its owner is in, once.
    pub fn take_fatal(&mut self) -> Option<ClientError> {
        self.fatal.take()
    }

    /// Requests without an answer, its own too.
    pub fn in_flight(&self) -> usize {
        self.links.values().map(|link| link.in_flight.len()).sum()
    }

    /// Requests to one node without an answer.
    pub fn in_flight_to(&self, node: NodeId) -> usize {
        self.links.get(&node).map_or(0, |link| link.in_flight.len())
    }

    /// Its metrics, in the group of its owner's. [Selector.SelectorMetrics]
    pub fn figures(&self, group: &'static str, figures: &mut Figures) {
        let stands = |link: &&Link| matches!(link.state, LinkState::CheckingApiVersions | LinkState::Ready);
        let open = self.links.values().filter(stands).count();
        figures
            .group(group, None)
            .whole("connection-count", open as i64)
            .whole("connection-creation-total", self.counts.opened)
            .whole("connection-close-total", self.counts.closed)
            .whole("request-total", self.counts.requests)
            .whole("response-total", self.counts.responses);
    }

    /// All connections that were ever tried, by node.
    pub fn links(&self) -> impl Iterator<Item = (NodeId, &Link)> {
        self.links.iter().map(|(node, link)| (*node, link))
    }

    // ---- requests ----

    /// Puts a request on a connection that stands; without a time-out it gets no answer.
    fn put(&mut self, node: NodeId, body: Body, timeout_ms: Option<i64>, internal: bool, ctx: &mut Ctx) -> RequestId {
        let request = self.next_request;
        self.next_request = self.next_request.wrapping_add(1);
        self.counts.requests += 1;
        let now = ctx.now();
        let Some(link) = self.links.get_mut(&node) else {
            return request;
        };
        link.used = now;
        let mut until = Time::NEVER;
        if let Some(timeout_ms) = timeout_ms {
            until = now + Span::from_ms(timeout_ms);
            link.in_flight.push_back(InFlight {
                request,
                api: api_name(&body),
                internal,
                sent: now,
                until,
                timeout_ms,
            });
        }
        if let Some(conn) = link.conn {
            let msg = Msg {
                correlation: request,
                client: self.client_id.clone(),
                body,
            };
            ctx.send(conn, msg);
        }
        let idle = self.links.get(&node).map_or(Time::NEVER, |link| self.idle_until(link));
        self.arm(until.min(idle), ctx);
        request
    }

    fn on_message(&mut self, conn: ConnId, msg: &Msg, ctx: &mut Ctx) {
        let Some(node) = self.by_conn.get(&conn).copied() else {
            return;
        };
        let Some(link) = self.links.get_mut(&node) else {
            return;
        };
        link.used = ctx.now();
        if let Body::Foreign(_) = &msg.body {
            // Its first bytes are the size of a response, for which there is no memory.
            self.fatal = Some(ClientError::new("OutOfMemoryError", "Java heap space"));
            return;
        }
        self.counts.responses += 1;
        // Answers come in order; only a fault on a single message makes another one than the first fit, or none.
        let index = link.in_flight.iter().position(|r| r.request == msg.correlation);
        let Some(request) = index.and_then(|index| link.in_flight.remove(index)) else {
            return;
        };
        match (&msg.body, request.internal) {
            (Body::ApiVersionsResponse(answer), true) => {
                let pauses = self.settings.pauses;
                link.of_controller = answer.of_controller;
                link.ready(pauses, &mut self.random);
                self.transaction_version = self.transaction_version.max(answer.transaction_version);
                self.events.push_back(NetEvent::Connected(node));
            }
            (Body::MetadataResponse(answer), true) => {
                let answer = answer.clone();
                self.on_metadata(request.request, &answer, ctx);
            }
            _ => self.events.push_back(NetEvent::Response {
                request: request.request,
                node,
                body: msg.body.clone(),
                took: ctx.now().since(request.sent),
            }),
        }
    }

    // ---- time ----

    /// Makes sure that it looks again at `at`.
    fn arm(&mut self, at: Time, ctx: &mut Ctx) {
        if at == Time::NEVER {
            return;
        }
        if let Some((armed, timer)) = self.timer {
            if armed <= at {
                return;
            }
            ctx.cancel(timer);
        }
        let timer = ctx.timer(at.since(ctx.now()), (self.wrap)(NetTimer));
        self.timer = Some((at, timer));
    }

    /// Sets the timer for whatever is due next.
    fn rearm(&mut self, ctx: &mut Ctx) {
        let mut next = Time::NEVER;
        for link in self.links.values() {
            let setup = link.setup_until().unwrap_or(Time::NEVER);
            let request = link.request_until().unwrap_or(Time::NEVER);
            next = next.min(setup).min(request).min(self.idle_until(link));
        }
        self.arm(next.min(self.rebootstrap_at()), ctx);
    }

    /// Writes a line into the client's log.
    pub fn log(&self, line: LogLine, weight: Weight, rule: &'static Rule, ctx: &mut Ctx) {
        let Some(line) = self.dialect.say(line) else {
            return;
        };
        let line = line.of(&self.log_prefix);
        ctx.note(Note::Client(ClientNote::Log { line, weight, rule }));
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
