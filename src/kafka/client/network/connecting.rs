//! Connections come and go: attempts, time-outs, and what is lost with them. [NetworkClient.initiateConnect,
//! .processDisconnection]

use super::names::{address_text, node_text};
use super::{NetEvent, NetworkClient};
use crate::kafka::client::link::{InFlight, Link, LinkState};
use crate::kafka::client::log::loggers;
use crate::kafka::client::metadata::Wanted;
use crate::kafka::client::rules;
use crate::kafka::protocol::data::{ApiVersionsRequest, BrokerNode, Foreign};
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::rule::Weight;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::{ConnId, Span, Time};
use std::collections::VecDeque;
use std::rc::Rc;

/// How long a name is known to be unknown.
const UNKNOWN_HOST_TTL: Span = Span::ms(10_000);

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Refused,
    Peer,
    /// The other side closed before TLS was agreed on.
    Handshake,
    SetupTimeout,
    RequestTimeout,
    Idle,
    Rebootstrap,
    Asked,
}

impl NetworkClient {
    pub(super) fn can_send(&self, node: NodeId) -> bool {
        self.links
            .get(&node)
            .is_some_and(|link| link.state == LinkState::Ready && link.in_flight.len() < self.settings.max_in_flight)
    }

    pub(super) fn can_connect(&self, node: NodeId, now: Time) -> bool {
        self.links.get(&node).is_none_or(|link| link.can_connect(now))
    }

    pub(super) fn connect_if_possible(&mut self, node: &BrokerNode, ctx: &mut Ctx) {
        if self.can_connect(node.id, ctx.now()) {
            self.connect(node, ctx);
        } else if let Some(link) = self.links.get(&node.id)
            && link.state == LinkState::Disconnected
        {
            self.arm(link.retry_at(), ctx);
        }
    }

    /// [NetworkClient.initiateConnect]
    pub(super) fn connect(&mut self, node: &BrokerNode, ctx: &mut Ctx) {
        let now = ctx.now();
        let moved = self.links.get(&node.id).filter(|link| link.host != node.host);
        if let Some(link) = moved {
            let text = format!(
                "Hostname for node {} changed from {} to {}.",
                node.id, link.host, node.host
            );
            self.log(
                loggers::CONNECTION_STATES.info(text),
                Weight::Detail,
                &rules::RECONNECT,
                ctx,
            );
            self.links.remove(&node.id);
        }
        let pauses = self.settings.pauses;
        if !self.links.contains_key(&node.id) {
            let link = Link::new(node.host.clone(), node.port, pauses, &mut self.random);
            self.links.insert(node.id, link);
        }
        let ip = ctx.look_up(&node.host);
        let conn = ip.map(|ip| ctx.dial(ip, node.port));
        let Some(link) = self.links.get_mut(&node.id) else {
            return;
        };
        link.port = node.port;
        link.ip = ip;
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
                let line = loggers::NETWORK_CLIENT.warn(format!("Error connecting to node {}", node_text(node)));
                let thrown = format!("java.net.UnknownHostException: {}", self.unknown_host(&node.host, now));
                self.log(line.throwing(thrown), Weight::Matters, &rules::CONNECT, ctx);
                self.on_server_disconnect(node.id, ctx);
                self.arm(retry, ctx);
            }
        }
    }

    /// What Java says of a name that has no address: for ten seconds it does not ask again and says less.
    /// [InetAddress, networkaddress.cache.negative.ttl]
    fn unknown_host(&mut self, host: &Rc<str>, now: Time) -> String {
        let known = self.unknown_hosts.get(host);
        if known.is_some_and(|since| now.since(*since) < UNKNOWN_HOST_TTL) {
            return host.to_string();
        }
        self.unknown_hosts.insert(host.clone(), now);
        format!("{host}: Name or service not known")
    }

    pub(super) fn on_opened(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(node) = self.by_conn.get(&conn).copied() else {
            return;
        };
        let pauses = self.settings.pauses;
        if let Some(link) = self.links.get_mut(&node) {
            self.counts.opened += 1;
            link.checking(ctx.now(), pauses, &mut self.random);
            if self.settings.tls {
                return self.say_hello(conn, ctx);
            }
            let timeout = Some(self.settings.request_timeout_ms);
            self.put(node, ApiVersionsRequest.into(), timeout, true, ctx);
        }
    }

    /// TLS begins with a ClientHello; a listener that speaks plainly takes its first bytes for the size of a request.
    fn say_hello(&self, conn: ConnId, ctx: &mut Ctx) {
        let body = Body::from(Foreign::TLS_HELLO);
        let client = self.client_id.clone();
        ctx.send(
            conn,
            Msg {
                correlation: 0,
                client,
                body,
            },
        );
    }

    pub(super) fn on_end(&mut self, conn: ConnId, end: End, ctx: &mut Ctx) {
        if let Some(node) = self.by_conn.get(&conn).copied() {
            self.end(node, end, ctx);
        }
    }

    /// A connection is gone: what was in flight on it fails, metadata are asked for again.
    /// [NetworkClient.processDisconnection]
    pub(super) fn end(&mut self, node: NodeId, end: End, ctx: &mut Ctx) {
        let now = ctx.now();
        let pauses = self.settings.pauses;
        let Some(link) = self.links.get_mut(&node) else {
            return;
        };
        if let Some(conn) = link.conn {
            self.by_conn.remove(&conn);
            if !matches!(end, End::Refused | End::Peer | End::Handshake) {
                ctx.close(conn);
            }
        }
        self.counts.closed += i64::from(link.state != LinkState::Connecting);
        let setup_ms = link.setup_timeout_ms();
        let end = match end {
            End::Peer if self.settings.tls && link.state == LinkState::CheckingApiVersions => End::Handshake,
            end => end,
        };
        let address = address_text(&link.host, link.ip, link.port);
        link.disconnected(now, pauses, &mut self.random);
        let retry = link.retry_at();
        let lost = std::mem::take(&mut link.in_flight);
        self.log_end(node, end, setup_ms, &address, ctx);
        self.cancel(node, lost, end, ctx);
        self.events.push_back(NetEvent::Disconnected(node));
        self.on_server_disconnect(node, ctx);
        self.arm(retry, ctx);
    }

    pub(super) fn log_end(&self, node: NodeId, end: End, setup_ms: i64, address: &str, ctx: &mut Ctx) {
        let text = match end {
            End::Refused | End::Peer | End::Handshake => format!("Node {node} disconnected."),
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
        self.log(loggers::NETWORK_CLIENT.info(text), Weight::Detail, rule, ctx);
        if end == End::Handshake {
            let text = format!(
                "Connection to node {node} ({address}) terminated during authentication. This may happen due to any of the following reasons: (1) Firewall blocking Kafka TLS traffic (eg it may only allow HTTPS traffic), (2) Transient network issue."
            );
            self.log(
                loggers::NETWORK_CLIENT.warn(text),
                Weight::Matters,
                &rules::HANDSHAKE,
                ctx,
            );
        }
        if end == End::Refused {
            let text =
                format!("Connection to node {node} ({address}) could not be established. Node may not be available.");
            self.log(loggers::NETWORK_CLIENT.warn(text), Weight::Detail, &rules::CONNECT, ctx);
        }
    }

    pub(super) fn cancel(&mut self, node: NodeId, lost: VecDeque<InFlight>, end: End, ctx: &mut Ctx) {
        let now = ctx.now();
        let timed_out = matches!(end, End::SetupTimeout | End::RequestTimeout);
        for request in lost {
            let elapsed = now.since(request.sent).as_ms();
            let text = format!(
                "Cancelled in-flight {} request with correlation id {} due to node {node} being disconnected (elapsed time since creation: {elapsed}ms, elapsed time since send: {elapsed}ms, throttle time: 0ms, request timeout: {}ms)",
                request.api, request.request, request.timeout_ms
            );
            self.log(
                loggers::NETWORK_CLIENT.info(text),
                Weight::Detail,
                &rules::REQUEST_TIMEOUT,
                ctx,
            );
            if !request.internal {
                let request = request.request;
                self.events.push_back(NetEvent::Failed {
                    request,
                    node,
                    timed_out,
                });
            } else if request.api == "METADATA" {
                self.refresh_failed(now);
            }
        }
    }

    pub(super) fn on_server_disconnect(&mut self, node: NodeId, ctx: &mut Ctx) {
        let snapshot = self.metadata.snapshot();
        // The admin client's own updater says nothing of it. [AdminMetadataManager.AdminMetadataUpdater]
        if snapshot.bootstrap
            && !matches!(self.metadata.wanted(), Wanted::Nodes)
            && let Some(known) = snapshot.node(node)
        {
            let text = format!("Bootstrap broker {} disconnected", node_text(known));
            self.log(
                loggers::NETWORK_CLIENT.warn(text),
                Weight::Matters,
                &rules::CONNECT,
                ctx,
            );
        }
        if self.refresh_due(ctx.now()) {
            self.refresh_failed(ctx.now());
        }
        self.metadata.request_update();
    }
}
