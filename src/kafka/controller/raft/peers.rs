//! Connections to the other voters: one each, with one request under way on it. [RequestManager, KafkaNetworkChannel]

use super::RaftTimer;
use crate::kafka::controller::ControllerTimer;
use crate::kafka::controller::process::Controller;
use crate::kafka::listeners::voter_address;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::{Ctx, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Span, TimerId};

/// Pauses between connection attempts: the first, and the longest. [KafkaRaftManager]
const RECONNECT_BACKOFF_MS: i64 = 50;
const RECONNECT_BACKOFF_MAX_MS: i64 = 500;

/// Another voter.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::controller) struct Peer {
    conn: Option<ConnId>,
    /// The connection stands.
    open: bool,
    in_flight: Option<(u32, TimerId)>,
    /// It was sent in an earlier role: its answer is not waited for, but it holds up the next request on the connection.
    stale: bool,
    /// Not to be asked before this fires.
    backing_off: Option<TimerId>,
    failures: u32,
}

/// The other voters that were ever asked something.
#[derive(Clone, Debug, Default)]
pub(in crate::kafka::controller) struct Peers(OrderedMap<NodeId, Peer>);

impl Peers {
    /// Whose connection it is.
    pub fn of(&self, conn: ConnId) -> Option<NodeId> {
        let mut all = self.0.iter();
        all.find(|(_, peer)| peer.conn == Some(conn)).map(|(id, _)| *id)
    }

    /// Nothing is under way to it, and it may be asked.
    pub fn is_ready(&self, id: NodeId) -> bool {
        let peer = self.0.get(&id);
        peer.is_none_or(|peer| peer.in_flight.is_none() && peer.backing_off.is_none())
    }

    pub fn is_backing_off(&self, id: NodeId) -> bool {
        self.0.get(&id).is_some_and(|peer| peer.backing_off.is_some())
    }

    pub fn any_in_flight(&self) -> bool {
        self.0.values().any(|peer| peer.in_flight.is_some() && !peer.stale)
    }

    /// Another role begins: what was asked before is not waited for. [RequestManager.resetAll]
    pub fn reset(&mut self, ctx: &mut Ctx) {
        for peer in self.0.values_mut() {
            peer.stale = true;
            if let Some(timer) = peer.backing_off.take() {
                ctx.cancel(timer);
            }
        }
    }
}

impl Controller {
    /// Sends a request to another voter; connects first, if need be.
    pub(super) fn ask_voter(&mut self, id: NodeId, body: Body, ctx: &mut Ctx) {
        let known = self.raft.peers.0.entry(id).or_default().conn;
        let Some(conn) = known.or_else(|| self.connect_to(id, ctx)) else {
            self.voter_failed(id, ctx);
            return;
        };
        let config = &self.setup.config;
        let request_ms = config.controller_quorum_request_timeout_ms;
        let open = self.raft.peers.0.get(&id).is_some_and(|peer| peer.open);
        let limit = if open {
            Span::from_ms(request_ms)
        } else {
            let setup_ms = config.socket_connection_setup_timeout_ms;
            let jittered = Span::us(self.raft.random.jitter20(Span::from_ms(setup_ms).as_us()));
            jittered.min(Span::from_ms(request_ms))
        };
        let timer = raft_timer(ctx, limit, RaftTimer::Request(id));
        self.raft.next_correlation = self.raft.next_correlation.wrapping_add(1);
        let correlation = self.raft.next_correlation;
        if let Some(peer) = self.raft.peers.0.get_mut(&id) {
            peer.conn = Some(conn);
            peer.in_flight = Some((correlation, timer));
            peer.stale = false;
        }
        let msg = Msg {
            correlation,
            client: "".into(),
            body,
        };
        ctx.send(conn, msg);
    }

    fn connect_to(&self, id: NodeId, ctx: &mut Ctx) -> Option<ConnId> {
        let (host, port) = voter_address(self.setup.voters.get(&id)?);
        let ip = ctx.look_up(host)?;
        Some(ctx.dial(ip, port))
    }

    pub(in crate::kafka::controller) fn voter_opened(&mut self, conn: ConnId) {
        let id = self.raft.peers.of(conn);
        if let Some(peer) = id.and_then(|id| self.raft.peers.0.get_mut(&id)) {
            peer.open = true;
            peer.failures = 0;
        }
    }

    /// The connection is gone or could not be made; was it one to a voter?
    pub(in crate::kafka::controller) fn voter_lost(&mut self, conn: ConnId, ctx: &mut Ctx) -> bool {
        let Some(id) = self.raft.peers.of(conn) else {
            return false;
        };
        if let Some(peer) = self.raft.peers.0.get_mut(&id) {
            peer.conn = None;
            peer.open = false;
        }
        self.voter_failed(id, ctx);
        true
    }

    /// Nothing came in time: the connection is given up.
    pub(super) fn voter_timed_out(&mut self, id: NodeId, ctx: &mut Ctx) {
        if let Some(peer) = self.raft.peers.0.get_mut(&id) {
            peer.open = false;
            if let Some(conn) = peer.conn.take() {
                ctx.close(conn);
            }
        }
        self.voter_failed(id, ctx);
    }

    fn voter_failed(&mut self, id: NodeId, ctx: &mut Ctx) {
        let Some(peer) = self.raft.peers.0.get_mut(&id) else {
            return;
        };
        let timers = [peer.in_flight.take().map(|(_, timer)| timer), peer.backing_off.take()];
        timers.into_iter().flatten().for_each(|timer| ctx.cancel(timer));
        let pause = RECONNECT_BACKOFF_MAX_MS.min(RECONNECT_BACKOFF_MS << peer.failures.min(4));
        peer.failures = peer.failures.saturating_add(1);
        let pause = Span::us(self.raft.random.jitter20(Span::from_ms(pause).as_us()));
        peer.backing_off = Some(raft_timer(ctx, pause, RaftTimer::Retry(id)));
    }

    /// It could not be fetched from: not again for `controller.quorum.retry.backoff.ms`.
    pub(super) fn pause_voter(&mut self, id: NodeId, ctx: &mut Ctx) {
        let pause = Span::from_ms(self.setup.config.controller_quorum_retry_backoff_ms);
        if let Some(peer) = self.raft.peers.0.get_mut(&id)
            && peer.backing_off.is_none()
        {
            peer.backing_off = Some(raft_timer(ctx, pause, RaftTimer::Retry(id)));
        }
    }

    pub(super) fn voter_retry(&mut self, id: NodeId) {
        if let Some(peer) = self.raft.peers.0.get_mut(&id) {
            peer.backing_off = None;
        }
    }

    /// An answer came: the next request may go. Answers to what was asked in an earlier role count as well.
    pub(super) fn voter_answered(&mut self, id: NodeId, correlation: u32, ctx: &mut Ctx) {
        let Some(peer) = self.raft.peers.0.get_mut(&id) else {
            return;
        };
        if let Some((expected, timer)) = peer.in_flight
            && expected == correlation
        {
            ctx.cancel(timer);
            peer.in_flight = None;
        }
    }
}

/// Sets a timer of the raft client.
pub(super) fn raft_timer(ctx: &mut Ctx, after: Span, timer: RaftTimer) -> TimerId {
    ctx.timer(after, Timer::Controller(ControllerTimer::Raft(timer)))
}
