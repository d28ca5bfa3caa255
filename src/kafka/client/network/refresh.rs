//! When and whom a client asks for metadata, and when it begins anew. [NetworkClient.DefaultMetadataUpdater]

use super::connecting::End;
use super::names::{address_text, node_text};
use super::{NetEvent, NetworkClient, RequestId};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::link::{Link, LinkState};
use crate::kafka::client::log::{LogLine, loggers};
use crate::kafka::client::metadata::errors_of;
use crate::kafka::client::rules;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::data::{BrokerNode, MetadataResponse};
use crate::kafka::rule::Weight;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time};
use std::rc::Rc;

impl NetworkClient {
    /// Is a metadata request due that is not under way? [DefaultMetadataUpdater.isUpdateDue]
    pub(super) fn refresh_due(&self, now: Time) -> bool {
        self.refreshing.is_none() && self.metadata.next_update() <= now
    }

    pub(super) fn refresh_failed(&mut self, now: Time) {
        self.metadata.failed(now, &mut self.random);
        self.refreshing = None;
    }

    /// [DefaultMetadataUpdater.handleSuccessfulResponse]
    pub(super) fn on_metadata(&mut self, request: RequestId, answer: &MetadataResponse, ctx: &mut Ctx) {
        let Some(asked) = self.refreshing.take() else {
            return;
        };
        let errors = errors_of(answer);
        if !errors.is_empty() {
            let list: Vec<String> = errors.iter().map(|(t, e)| format!("{t}={}", e.name())).collect();
            let text = format!(
                "The metadata response from the cluster reported a recoverable issue with correlation id {request} : {{{}}}",
                list.join(", ")
            );
            self.log(
                loggers::NETWORK_CLIENT.warn(text),
                Weight::Detail,
                &rules::METADATA,
                ctx,
            );
        }
        if answer.brokers.is_empty() {
            self.metadata.failed(ctx.now(), &mut self.random);
            return;
        }
        let lines = self.metadata.update(&asked, answer, ctx.now(), &mut self.random);
        self.sought_since = None;
        for line in lines {
            self.log(line, Weight::Detail, &rules::METADATA, ctx);
        }
        self.events.push_back(NetEvent::MetadataUpdated);
    }

    /// [DefaultMetadataUpdater.maybeUpdate]
    pub(super) fn maybe_refresh(&mut self, ctx: &mut Ctx) -> bool {
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
        if self.can_send(node.id) && self.links.get(&node.id).is_some_and(|link| link.of_controller) {
            let text = "The node does not support METADATA";
            self.fatal = Some(ClientError::new("UnsupportedVersionException", text));
            self.refresh_failed(now);
            self.arm(self.metadata.next_update(), ctx);
            return true;
        }
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
    pub(super) fn find_least_loaded(&mut self, now: Time) -> (Option<BrokerNode>, bool) {
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
    pub(super) fn begin_anew(&mut self, ctx: &mut Ctx) {
        let line = self.anew_line(ctx);
        self.log(line, Weight::Detail, &rules::REBOOTSTRAP, ctx);
        self.metadata.rebootstrap();
        self.sought_since = Some(ctx.now());
    }

    /// How a new beginning is logged. [Metadata.rebootstrap, AdminMetadataManager.rebootstrap]
    fn anew_line(&self, ctx: &Ctx) -> LogLine {
        let known = self.metadata.bootstrap_addresses();
        if self.metadata.is_for_admin() {
            let nodes = self.metadata.bootstrap_nodes();
            let nodes: Vec<String> = nodes.map(|node| node_text(&node)).collect();
            let nodes = nodes.join(", ");
            return loggers::ADMIN_METADATA.info(format!(
                "Rebootstrapping with Cluster(id = null, nodes = [{nodes}], partitions = [], controller = null)"
            ));
        }
        let address = |(host, port): &(Rc<str>, u16)| address_text(host, ctx.look_up(host), *port);
        let list: Vec<String> = known.iter().map(address).collect();
        loggers::METADATA.info(format!("Rebootstrapping with [{}]", list.join(", ")))
    }

    /// When it has been too long without metadata.
    pub(super) fn rebootstrap_at(&self) -> Time {
        // "Longer than" in whole milliseconds.
        let trigger = Span::from_ms(self.settings.rebootstrap_trigger_ms.saturating_add(1));
        match self.sought_since {
            Some(since) if self.settings.rebootstrap => since + trigger,
            _ => Time::NEVER,
        }
    }

    /// Too long without metadata: all connections go and it begins anew (KIP-1102). [NetworkClient.handleRebootstrap]
    pub(super) fn rebootstrap_when_overdue(&mut self, ctx: &mut Ctx) {
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
}
