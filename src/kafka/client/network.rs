//! A client's connections: one per node, requests in flight, time-outs, back-off, metadata refresh, a new beginning from
//! the bootstrap addresses. [NetworkClient]
//!
//! Its owner hands every input to [`NetworkClient::on_input`], takes [`NetworkClient::take_events`], does its own work,
//! and then calls [`NetworkClient::drive`]; while that returns true, events and work are to be looked at again.

use super::backoff::Backoff;
use super::link::{InFlight, Link, LinkState, Pauses};
use super::metadata::{Asked, Metadata};
use super::note::ClientNote;
use super::rules;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::{ApiVersionsRequest, BrokerNode};
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Input, Timer};
use crate::sim::{Addr, ConnId, Random, Span, Time, TimerId};
use std::collections::{BTreeMap, VecDeque};
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

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Refused,
    Peer,
    SetupTimeout,
    RequestTimeout,
    Idle,
    Rebootstrap,
    Asked,
}

/// All connections of one client.
#[derive(Clone, Debug)]
pub struct NetworkClient {
    pub metadata: Metadata,
    /// Newest finalized `transaction.version` that a broker told.
    pub transaction_version: i16,
    settings: NetSettings,
    client_id: Rc<str>,
    wrap: fn(NetTimer) -> Timer,
    random: Random,
    links: BTreeMap<NodeId, Link>,
    by_conn: BTreeMap<ConnId, NodeId>,
    next_request: RequestId,
    refreshing: Option<Asked>,
    /// Since when metadata are sought in vain.
    sought_since: Option<Time>,
    timer: Option<(Time, TimerId)>,
    events: Vec<NetEvent>,
}

impl NetworkClient {
    /// A client without connections. `wrap` makes its timer one of the owner's.
    pub fn new(
        client_id: Rc<str>,
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
            wrap,
            random,
            links: BTreeMap::new(),
            by_conn: BTreeMap::new(),
            next_request: 0,
            refreshing: None,
            sought_since: None,
            timer: None,
            events: Vec::new(),
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

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<NetEvent> {
        std::mem::take(&mut self.events)
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

    /// Requests without an answer, its own too.
    pub fn in_flight(&self) -> usize {
        self.links.values().map(|link| link.in_flight.len()).sum()
    }

    /// Requests to one node without an answer.
    pub fn in_flight_to(&self, node: NodeId) -> usize {
        self.links.get(&node).map_or(0, |link| link.in_flight.len())
    }

    /// All connections that were ever tried, by node.
    pub fn links(&self) -> impl Iterator<Item = (NodeId, &Link)> {
        self.links.iter().map(|(node, link)| (*node, link))
    }

    // ---- connections ----

    fn can_send(&self, node: NodeId) -> bool {
        self.links
            .get(&node)
            .is_some_and(|link| link.state == LinkState::Ready && link.in_flight.len() < self.settings.max_in_flight)
    }

    fn can_connect(&self, node: NodeId, now: Time) -> bool {
        self.links.get(&node).is_none_or(|link| link.can_connect(now))
    }

    fn connect_if_possible(&mut self, node: &BrokerNode, ctx: &mut Ctx) {
        if self.can_connect(node.id, ctx.now()) {
            self.connect(node, ctx);
        } else if let Some(link) = self.links.get(&node.id)
            && link.state == LinkState::Disconnected
        {
            self.arm(link.retry_at(), ctx);
        }
    }

    /// [NetworkClient.initiateConnect]
    fn connect(&mut self, node: &BrokerNode, ctx: &mut Ctx) {
        let now = ctx.now();
        let moved = self.links.get(&node.id).filter(|link| link.host != node.host);
        if let Some(link) = moved {
            let text = format!(
                "Hostname for node {} changed from {} to {}.",
                node.id, link.host, node.host
            );
            self.log("INFO", text, Weight::Detail, &rules::RECONNECT, ctx);
            self.links.remove(&node.id);
        }
        let pauses = self.settings.pauses;
        if !self.links.contains_key(&node.id) {
            let link = Link::new(node.host.clone(), node.port, pauses, &mut self.random);
            self.links.insert(node.id, link);
        }
        let host = ctx.resolve(&node.host);
        let conn = host.map(|host| ctx.connect(Addr { host, port: node.port }));
        let Some(link) = self.links.get_mut(&node.id) else {
            return;
        };
        link.port = node.port;
        match conn {
            Some(conn) => {
                link.connecting(conn, now);
                let until = link.setup_until();
                self.by_conn.insert(conn, node.id);
                self.arm(until.unwrap_or(now), ctx);
            }
            None => {
                link.state = LinkState::Connecting;
                link.disconnected(now, pauses, &mut self.random);
                let retry = link.retry_at();
                let text = format!(
                    "Error connecting to node {}: java.net.UnknownHostException: {}: Name or service not known",
                    node_text(node),
                    node.host
                );
                self.log("WARN", text, Weight::Matters, &rules::CONNECT, ctx);
                self.on_server_disconnect(node.id, ctx);
                self.arm(retry, ctx);
            }
        }
    }

    fn on_opened(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(node) = self.by_conn.get(&conn).copied() else {
            return;
        };
        let pauses = self.settings.pauses;
        if let Some(link) = self.links.get_mut(&node) {
            link.checking(ctx.now(), pauses, &mut self.random);
            let timeout = Some(self.settings.request_timeout_ms);
            self.put(node, ApiVersionsRequest.into(), timeout, true, ctx);
        }
    }

    fn on_end(&mut self, conn: ConnId, end: End, ctx: &mut Ctx) {
        if let Some(node) = self.by_conn.get(&conn).copied() {
            self.end(node, end, ctx);
        }
    }

    /// A connection is gone: what was in flight on it fails, metadata are asked for again.
    /// [NetworkClient.processDisconnection]
    fn end(&mut self, node: NodeId, end: End, ctx: &mut Ctx) {
        let now = ctx.now();
        let pauses = self.settings.pauses;
        let Some(link) = self.links.get_mut(&node) else {
            return;
        };
        if let Some(conn) = link.conn {
            self.by_conn.remove(&conn);
            if !matches!(end, End::Refused | End::Peer) {
                ctx.close(conn);
            }
        }
        let setup_ms = link.setup_timeout_ms();
        let address = address_text(&link.host, link.port);
        link.disconnected(now, pauses, &mut self.random);
        let retry = link.retry_at();
        let lost = std::mem::take(&mut link.in_flight);
        self.log_end(node, end, setup_ms, &address, ctx);
        self.cancel(node, lost, end, ctx);
        self.events.push(NetEvent::Disconnected(node));
        self.on_server_disconnect(node, ctx);
        self.arm(retry, ctx);
    }

    fn log_end(&self, node: NodeId, end: End, setup_ms: i64, address: &str, ctx: &mut Ctx) {
        let text = match end {
            End::Refused | End::Peer => format!("Node {node} disconnected."),
            End::SetupTimeout => format!(
                "Disconnecting from node {node} due to socket connection setup timeout. The timeout value is {setup_ms} ms."
            ),
            End::RequestTimeout => format!("Disconnecting from node {node} due to request timeout."),
            End::Rebootstrap => format!("Disconnecting from node {node} due to client rebootstrap."),
            End::Asked => format!("Client requested disconnect from node {node}"),
            End::Idle => return,
        };
        let rule = match end {
            End::SetupTimeout => &rules::SETUP_TIMEOUT,
            End::RequestTimeout => &rules::REQUEST_TIMEOUT,
            End::Rebootstrap => &rules::REBOOTSTRAP,
            _ => &rules::CONNECT,
        };
        self.log("INFO", text, Weight::Matters, rule, ctx);
        if end == End::Refused {
            let text =
                format!("Connection to node {node} ({address}) could not be established. Node may not be available.");
            self.log("WARN", text, Weight::Matters, &rules::CONNECT, ctx);
        }
    }

    fn cancel(&mut self, node: NodeId, lost: VecDeque<InFlight>, end: End, ctx: &mut Ctx) {
        let now = ctx.now();
        let timed_out = matches!(end, End::SetupTimeout | End::RequestTimeout);
        for request in lost {
            let elapsed = now.since(request.sent).as_ms();
            let text = format!(
                "Cancelled in-flight {} request with correlation id {} due to node {node} being disconnected (elapsed time since creation: {elapsed}ms, elapsed time since send: {elapsed}ms, throttle time: 0ms, request timeout: {}ms)",
                request.api, request.request, request.timeout_ms
            );
            self.log("INFO", text, Weight::Detail, &rules::REQUEST_TIMEOUT, ctx);
            if !request.internal {
                let request = request.request;
                self.events.push(NetEvent::Failed {
                    request,
                    node,
                    timed_out,
                });
            } else if request.api == "METADATA" {
                self.refresh_failed(now);
            }
        }
    }

    fn on_server_disconnect(&mut self, node: NodeId, ctx: &mut Ctx) {
        let snapshot = self.metadata.snapshot();
        if snapshot.bootstrap
            && let Some(known) = snapshot.node(node)
        {
            let text = format!("Bootstrap broker {} disconnected", node_text(known));
            self.log("WARN", text, Weight::Matters, &rules::CONNECT, ctx);
        }
        if self.refresh_due(ctx.now()) {
            self.refresh_failed(ctx.now());
        }
        self.metadata.request_update();
    }

    // ---- requests ----

    /// Puts a request on a connection that stands; without a time-out it gets no answer.
    fn put(&mut self, node: NodeId, body: Body, timeout_ms: Option<i64>, internal: bool, ctx: &mut Ctx) -> RequestId {
        let request = self.next_request;
        self.next_request = self.next_request.wrapping_add(1);
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
        // Answers come in order; only a fault on a single message makes another one than the first fit, or none.
        let index = link.in_flight.iter().position(|r| r.request == msg.correlation);
        let Some(request) = index.and_then(|index| link.in_flight.remove(index)) else {
            return;
        };
        match (&msg.body, request.internal) {
            (Body::ApiVersionsResponse(answer), true) => {
                let pauses = self.settings.pauses;
                link.ready(pauses, &mut self.random);
                self.transaction_version = self.transaction_version.max(answer.transaction_version);
                self.events.push(NetEvent::Connected(node));
            }
            (Body::MetadataResponse(answer), true) => {
                let answer = answer.clone();
                self.on_metadata(request.request, &answer, ctx);
            }
            _ => self.events.push(NetEvent::Response {
                request: request.request,
                node,
                body: msg.body.clone(),
            }),
        }
    }

    // ---- metadata ----

    /// Is a metadata request due that is not under way? [DefaultMetadataUpdater.isUpdateDue]
    fn refresh_due(&self, now: Time) -> bool {
        self.refreshing.is_none() && self.metadata.next_update() <= now
    }

    fn refresh_failed(&mut self, now: Time) {
        self.metadata.failed(now, &mut self.random);
        self.refreshing = None;
    }

    /// [DefaultMetadataUpdater.handleSuccessfulResponse]
    fn on_metadata(
        &mut self,
        request: RequestId,
        answer: &crate::kafka::protocol::data::MetadataResponse,
        ctx: &mut Ctx,
    ) {
        let Some(asked) = self.refreshing.take() else {
            return;
        };
        let errors = super::metadata::errors_of(answer);
        if !errors.is_empty() {
            let list: Vec<String> = errors.iter().map(|(t, e)| format!("{t}={}", e.name())).collect();
            let text = format!(
                "The metadata response from the cluster reported a recoverable issue with correlation id {request} : {{{}}}",
                list.join(", ")
            );
            self.log("WARN", text, Weight::Detail, &rules::METADATA, ctx);
        }
        if answer.brokers.is_empty() {
            self.metadata.failed(ctx.now(), &mut self.random);
            return;
        }
        let lines = self.metadata.update(&asked, answer, ctx.now(), &mut self.random);
        self.sought_since = None;
        for line in lines {
            self.log(line.level, line.text, Weight::Detail, &rules::METADATA, ctx);
        }
        self.events.push(NetEvent::MetadataUpdated);
    }

    /// [DefaultMetadataUpdater.maybeUpdate]
    fn maybe_refresh(&mut self, ctx: &mut Ctx) -> bool {
        let now = ctx.now();
        if self.refreshing.is_some() {
            return false;
        }
        let due = self.metadata.next_update();
        if due > now {
            self.arm(due, ctx);
            return false;
        }
        if self.sought_since.is_none() {
            self.sought_since = Some(now);
            self.arm(self.rebootstrap_at(), ctx);
        }
        let (mut node, mut usable) = self.find_least_loaded(now);
        if self.settings.rebootstrap && node.is_none() && !usable {
            self.begin_anew(ctx);
            (node, usable) = self.find_least_loaded(now);
        }
        let Some(node) = node else {
            if !usable {
                self.arm(now + Span::from_ms(self.settings.pauses.reconnect.initial), ctx);
            }
            return false;
        };
        if self.can_send(node.id) {
            let asked = self.metadata.ask(now);
            let body = Body::from(asked.request.clone());
            self.refreshing = Some(asked);
            self.put(node.id, body, Some(self.settings.request_timeout_ms), true, ctx);
            return true;
        }
        let known = self.metadata.nodes();
        let connecting = |id| {
            self.links
                .get(&id)
                .is_some_and(|link| link.state == LinkState::Connecting)
        };
        if !known.iter().any(|node| connecting(node.id)) && self.can_connect(node.id, now) {
            self.connect(&node, ctx);
        }
        false
    }

    /// The least loaded node, and whether any connection is ready. [NetworkClient.leastLoadedNode]
    fn find_least_loaded(&mut self, now: Time) -> (Option<BrokerNode>, bool) {
        let snapshot = self.metadata.snapshot().clone();
        let nodes = &snapshot.nodes;
        let offset = self.random.below(nodes.len() as u64) as usize;
        let (mut ready, mut connecting, mut connectable) = (None, None, None);
        let mut any_ready = false;
        for index in 0..nodes.len() {
            let node = &nodes[(offset + index) % nodes.len()];
            let link = self.links.get(&node.id);
            any_ready |= link.is_some_and(|link| link.state == LinkState::Ready);
            if self.can_send(node.id) {
                let load = self.in_flight_to(node.id);
                if load == 0 {
                    return (Some(node.clone()), true);
                }
                if ready.is_none_or(|(best, _)| load < best) {
                    ready = Some((load, node));
                }
                continue;
            }
            match link.map(|link| link.state) {
                Some(LinkState::Connecting | LinkState::CheckingApiVersions) => connecting = Some(node),
                _ if self.can_connect(node.id, now) => {
                    let attempt = link.map(|link| link.attempt);
                    if connectable.is_none_or(|(oldest, _)| attempt < oldest) {
                        connectable = Some((attempt, node));
                    }
                }
                _ => {}
            }
        }
        let ready = ready.map(|(_, node)| node);
        let found = ready.or(connecting).or(connectable.map(|(_, node)| node));
        (found.cloned(), any_ready)
    }

    /// Back to the bootstrap addresses (KIP-899).
    fn begin_anew(&mut self, ctx: &mut Ctx) {
        let known = self.metadata.bootstrap_addresses();
        let list: Vec<String> = known.iter().map(|(host, port)| address_text(host, *port)).collect();
        let text = format!("Rebootstrapping with [{}]", list.join(", "));
        self.log("INFO", text, Weight::Detail, &rules::REBOOTSTRAP, ctx);
        self.metadata.rebootstrap();
        self.sought_since = Some(ctx.now());
    }

    /// When it has been too long without metadata.
    fn rebootstrap_at(&self) -> Time {
        // "Longer than" in whole milliseconds.
        let trigger = Span::from_ms(self.settings.rebootstrap_trigger_ms.saturating_add(1));
        match self.sought_since {
            Some(since) if self.settings.rebootstrap => since + trigger,
            _ => Time::NEVER,
        }
    }

    /// Too long without metadata: all connections go and it begins anew (KIP-1102). [NetworkClient.handleRebootstrap]
    fn rebootstrap_when_overdue(&mut self, ctx: &mut Ctx) {
        if self.rebootstrap_at() > ctx.now() {
            return;
        }
        let nodes: Vec<NodeId> = self.metadata.nodes().iter().map(|node| node.id).collect();
        for node in nodes {
            let open = |link: &Link| link.state != LinkState::Disconnected;
            if self.links.get(&node).is_some_and(open) {
                self.end(node, End::Rebootstrap, ctx);
            }
        }
        self.begin_anew(ctx);
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

    fn log(&self, level: &'static str, text: String, weight: Weight, rule: &'static Rule, ctx: &mut Ctx) {
        ctx.note(Note::Client(ClientNote::log(level, text, weight, rule)));
    }
}

/// `b1:9092 (id: 1 rack: null isFenced: false)`, as the Java client prints a node.
pub fn node_text(node: &BrokerNode) -> String {
    let rack = node.rack.as_deref().unwrap_or("null");
    format!(
        "{}:{} (id: {} rack: {rack} isFenced: false)",
        node.host, node.port, node.id
    )
}

/// `/10.77.0.1:9092` for an address, `b1:9092` for a name (whose address nobody made up).
pub fn address_text(host: &str, port: u16) -> String {
    let is_address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    format!("{}{host}:{port}", if is_address { "/" } else { "" })
}

/// The request's name in logs: `PRODUCE` for ProduceRequest. [ApiKeys]
pub fn api_name(body: &Body) -> &'static str {
    match body {
        Body::ApiVersionsRequest(_) => "API_VERSIONS",
        Body::MetadataRequest(_) => "METADATA",
        Body::InitProducerIdRequest(_) => "INIT_PRODUCER_ID",
        Body::ProduceRequest(_) => "PRODUCE",
        Body::FetchRequest(_) => "FETCH",
        Body::ListOffsetsRequest(_) => "LIST_OFFSETS",
        Body::OffsetsForLeaderEpochRequest(_) => "OFFSET_FOR_LEADER_EPOCH",
        Body::DeleteRecordsRequest(_) => "DELETE_RECORDS",
        Body::FindCoordinatorRequest(_) => "FIND_COORDINATOR",
        Body::JoinGroupRequest(_) => "JOIN_GROUP",
        Body::SyncGroupRequest(_) => "SYNC_GROUP",
        Body::HeartbeatRequest(_) => "HEARTBEAT",
        Body::LeaveGroupRequest(_) => "LEAVE_GROUP",
        Body::OffsetCommitRequest(_) => "OFFSET_COMMIT",
        Body::OffsetFetchRequest(_) => "OFFSET_FETCH",
        Body::DescribeGroupsRequest(_) => "DESCRIBE_GROUPS",
        Body::ListGroupsRequest(_) => "LIST_GROUPS",
        Body::DeleteGroupsRequest(_) => "DELETE_GROUPS",
        Body::OffsetDeleteRequest(_) => "OFFSET_DELETE",
        Body::CreateTopicsRequest(_) => "CREATE_TOPICS",
        Body::DeleteTopicsRequest(_) => "DELETE_TOPICS",
        Body::CreatePartitionsRequest(_) => "CREATE_PARTITIONS",
        Body::IncrementalAlterConfigsRequest(_) => "INCREMENTAL_ALTER_CONFIGS",
        Body::DescribeConfigsRequest(_) => "DESCRIBE_CONFIGS",
        Body::ElectLeadersRequest(_) => "ELECT_LEADERS",
        Body::AlterPartitionReassignmentsRequest(_) => "ALTER_PARTITION_REASSIGNMENTS",
        Body::ListPartitionReassignmentsRequest(_) => "LIST_PARTITION_REASSIGNMENTS",
        Body::DescribeClusterRequest(_) => "DESCRIBE_CLUSTER",
        Body::UnregisterBrokerRequest(_) => "UNREGISTER_BROKER",
        Body::DescribeTopicPartitionsRequest(_) => "DESCRIBE_TOPIC_PARTITIONS",
        Body::DescribeProducersRequest(_) => "DESCRIBE_PRODUCERS",
        Body::DescribeQuorumRequest(_) => "DESCRIBE_QUORUM",
        other => other.kind(),
    }
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
