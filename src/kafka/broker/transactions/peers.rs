//! Connections to other brokers, for markers, for questions to coordinators, and for the state of share partitions: one request at a time on each.
//! [InterBrokerSendThread]

use super::markers::Entry;
use super::verification::Question;
use crate::kafka::broker::BrokerTimer;
use crate::kafka::broker::link::{Link, Owner};
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::broker::share::persister::Ask;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Span, TimerId};

/// Pause before a broken connection is made again. [KafkaServer, NetworkUtils.buildNetworkClient]
const RECONNECT_BACKOFF: Span = Span::ms(50);

/// Pause before markers that were refused go out again.
const MARKERS_AGAIN: Span = Span::ms(20);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerKind {
    /// WriteTxnMarkers, to leaders.
    Markers,
    /// AddPartitionsToTxn, to coordinators.
    Questions,
    /// The state of share partitions, to share coordinators; and ListOffsets, to leaders.
    ShareState,
}

/// What was sent and has no answer.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Markers(Vec<Entry>),
    Questions(Vec<Question>),
    ShareState(Vec<Ask>),
}

#[derive(Clone, Debug, Default)]
struct Peer {
    link: Link,
    sent: Option<(u32, TimerId, Sent)>,
    /// Not before the timer fires.
    backing_off: Option<TimerId>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Peers {
    all: OrderedMap<(PeerKind, NodeId), Peer>,
    /// Something may be sent.
    pub wanted: bool,
}

impl Peers {
    /// A connection attempt is under way there.
    pub fn link(&self, kind: PeerKind, node: NodeId) -> Option<&Link> {
        self.all.get(&(kind, node)).map(|peer| &peer.link)
    }

    /// The last attempt failed and no other may begin yet.
    pub fn is_failed(&self, kind: PeerKind, node: NodeId) -> bool {
        let peer = self.all.get(&(kind, node));
        peer.is_some_and(|peer| peer.backing_off.is_some() && peer.link.is_closed())
    }
}

impl Server {
    pub(in crate::kafka::broker) fn peer_link(&self, kind: PeerKind, node: NodeId) -> Option<&Link> {
        self.transactions.peers.link(kind, node)
    }

    /// Sends what waits and can be sent.
    pub(super) fn drive_peers(&mut self, ctx: &mut Ctx) {
        while std::mem::take(&mut self.transactions.peers.wanted) {
            for node in self.transactions.markers.waiting_for() {
                self.drive_peer(PeerKind::Markers, node, ctx);
            }
            for node in self.transactions.questions.waiting_for() {
                self.drive_peer(PeerKind::Questions, node, ctx);
            }
            for node in self.share.persister.waiting_for() {
                self.drive_peer(PeerKind::ShareState, node, ctx);
            }
        }
    }

    fn drive_peer(&mut self, kind: PeerKind, node: NodeId, ctx: &mut Ctx) {
        let peer = self.transactions.peers.all.entry((kind, node)).or_default();
        if peer.sent.is_some() {
            return;
        }
        if let Some(conn) = peer.link.open() {
            if kind == PeerKind::Markers && peer.backing_off.is_some() {
                return;
            }
            return self.send_to_peer(kind, node, conn, ctx);
        }
        if peer.backing_off.is_some() {
            if kind == PeerKind::Questions {
                self.fail_questions_of(node, ctx);
            }
            return;
        }
        if peer.link.is_closed() {
            self.connect_peer(kind, node, ctx);
        }
    }

    fn connect_peer(&mut self, kind: PeerKind, node: NodeId, ctx: &mut Ctx) {
        let target = self.image().brokers.get(&node).map(|broker| broker.node.clone());
        let (host, port) = target.map_or(("".into(), 0), |node| (node.host, node.port));
        let Server {
            transactions,
            setup,
            random,
            owners,
            ..
        } = self;
        let peer = transactions.peers.all.entry((kind, node)).or_default();
        match peer.link.connect(&host, port, setup, random, ctx) {
            Some(conn) => drop(owners.insert(conn, Owner::Peer(kind, node))),
            None => self.peer_failed(kind, node, ctx),
        }
    }

    fn send_to_peer(&mut self, kind: PeerKind, node: NodeId, conn: ConnId, ctx: &mut Ctx) {
        let (body, sent) = match kind {
            PeerKind::Markers => match self.take_markers_for(node, ctx) {
                Some((body, entries)) => (body, Sent::Markers(entries)),
                None => return,
            },
            PeerKind::Questions => match self.transactions.questions.take_for(node) {
                Some((body, questions)) => (body, Sent::Questions(questions)),
                None => return,
            },
            PeerKind::ShareState => match self.share.persister.take_for(node) {
                Some((body, asks)) => (body, Sent::ShareState(asks)),
                None => return,
            },
        };
        let correlation = self.correlation();
        let limit = Span::from_ms(self.setup.config.request_timeout_ms);
        let timer = set_timer(ctx, limit, BrokerTimer::PeerTimeout(kind, node));
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) {
            peer.sent = Some((correlation, timer, sent));
        }
        let client = self.nobody.clone();
        ctx.send(
            conn,
            Msg {
                correlation,
                client,
                body,
            },
        );
    }

    pub(in crate::kafka::broker) fn peer_opened(&mut self, kind: PeerKind, node: NodeId, conn: ConnId, ctx: &mut Ctx) {
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) {
            peer.link.opened(conn, ctx);
        }
        self.transactions.peers.wanted = true;
    }

    /// The connection is gone: whoever waits on it is told so.
    pub(in crate::kafka::broker) fn peer_lost(&mut self, kind: PeerKind, node: NodeId, ctx: &mut Ctx) {
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) {
            peer.link.lost(ctx);
        }
        self.peer_failed(kind, node, ctx);
    }

    fn peer_failed(&mut self, kind: PeerKind, node: NodeId, ctx: &mut Ctx) {
        let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) else {
            return;
        };
        let sent = peer.sent.take();
        let timer = set_timer(ctx, RECONNECT_BACKOFF, BrokerTimer::PeerRetry(kind, node));
        if let Some(old) = peer.backing_off.replace(timer) {
            ctx.cancel(old);
        }
        match sent {
            Some((_, timer, Sent::Markers(entries))) => {
                ctx.cancel(timer);
                self.markers_lost(entries, ctx);
            }
            Some((_, timer, Sent::Questions(questions))) => {
                ctx.cancel(timer);
                self.questions_failed(questions, ctx);
            }
            Some((_, timer, Sent::ShareState(asks))) => {
                ctx.cancel(timer);
                self.share_asks_lost(asks, ctx);
            }
            None => {}
        }
        match kind {
            PeerKind::Questions => self.fail_questions_of(node, ctx),
            PeerKind::Markers => self.requeue_markers_of(node, ctx),
            PeerKind::ShareState => {
                let asks = self.share.persister.take_all_for(node);
                self.share_asks_lost(asks, ctx);
            }
        }
    }

    pub(in crate::kafka::broker) fn peer_retry(&mut self, kind: PeerKind, node: NodeId) {
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) {
            peer.backing_off = None;
        }
        self.transactions.peers.wanted = true;
    }

    pub(in crate::kafka::broker) fn peer_timed_out(&mut self, kind: PeerKind, node: NodeId, ctx: &mut Ctx) {
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node))
            && let Some(conn) = peer.link.close(ctx)
        {
            self.owners.remove(&conn);
        }
        self.peer_failed(kind, node, ctx);
    }

    pub(in crate::kafka::broker) fn peer_answered(&mut self, kind: PeerKind, node: NodeId, msg: Msg, ctx: &mut Ctx) {
        let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node)) else {
            return;
        };
        if peer
            .sent
            .as_ref()
            .is_none_or(|(correlation, ..)| *correlation != msg.correlation)
        {
            return;
        }
        let Some((_, timer, sent)) = peer.sent.take() else {
            return;
        };
        ctx.cancel(timer);
        self.transactions.peers.wanted = true;
        match (sent, &msg.body) {
            (Sent::Markers(entries), Body::WriteTxnMarkersResponse(answer)) => {
                if self.markers_answered(entries, answer, ctx) {
                    self.pause_markers(node, ctx);
                }
            }
            (Sent::Questions(questions), Body::AddPartitionsToTxnResponse(answer)) => {
                self.questions_answered(questions, answer, ctx);
            }
            (Sent::ShareState(asks), body) => self.share_asks_answered(asks, body, ctx),
            (Sent::Markers(entries), _) => self.markers_lost(entries, ctx),
            (Sent::Questions(questions), _) => self.questions_failed(questions, ctx),
        }
    }

    /// Some markers were refused: they are not sent again at once.
    fn pause_markers(&mut self, node: NodeId, ctx: &mut Ctx) {
        let kind = PeerKind::Markers;
        let timer = set_timer(ctx, MARKERS_AGAIN, BrokerTimer::PeerRetry(kind, node));
        if let Some(peer) = self.transactions.peers.all.get_mut(&(kind, node))
            && let Some(old) = peer.backing_off.replace(timer)
        {
            ctx.cancel(old);
        }
    }
}
