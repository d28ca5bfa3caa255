//! A connection that this broker opens: to a controller, or to the leader of partitions it follows.
//! [NetworkClient, as servers use it]

use super::channel::ChannelKind;
use super::server::set_timer;
use super::transactions::PeerKind;
use super::{BrokerTimer, Setup};
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::{ConnId, Random, Span, TimerId};

/// Who uses a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Quorum,
    Channel(ChannelKind),
    Fetcher(NodeId),
    Peer(PeerKind, NodeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Connecting(ConnId, TimerId),
    Open(ConnId),
}

/// One connection, and how often it could not be made since it last stood.
#[derive(Clone, Debug)]
pub(super) struct Link {
    state: State,
    failures: u32,
}

impl Default for Link {
    fn default() -> Self {
        Link {
            state: State::Closed,
            failures: 0,
        }
    }
}

impl Link {
    /// The connection, if it stands.
    pub fn open(&self) -> Option<ConnId> {
        match self.state {
            State::Open(conn) => Some(conn),
            State::Closed | State::Connecting(..) => None,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub fn is_connecting(&self, to: ConnId) -> bool {
        matches!(self.state, State::Connecting(conn, _) if conn == to)
    }

    /// How many attempts failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Begins to connect; `None` if the name cannot be resolved, which counts as a failure. The attempt is given up
    /// after `socket.connection.setup.timeout.ms`, twice as long after each failure up to its maximum, give or take 20 %.
    pub fn connect(
        &mut self,
        host: &str,
        port: u16,
        setup: &Setup,
        luck: &mut Random,
        ctx: &mut Ctx,
    ) -> Option<ConnId> {
        let Some(ip) = ctx.look_up(host) else {
            self.failures = self.failures.saturating_add(1);
            return None;
        };
        let conn = ctx.dial(ip, port);
        let config = &setup.config;
        let first = Span::from_ms(config.socket_connection_setup_timeout_ms);
        let most = Span::from_ms(config.socket_connection_setup_timeout_max_ms);
        let wait = first.times(1 << self.failures.min(20)).min(most);
        let timer = set_timer(
            ctx,
            Span::us(luck.jitter20(wait.as_us())),
            BrokerTimer::ConnectTimeout(conn),
        );
        self.state = State::Connecting(conn, timer);
        Some(conn)
    }

    /// The connection stands.
    pub fn opened(&mut self, conn: ConnId, ctx: &mut Ctx) {
        if let State::Connecting(_, timer) = self.state {
            ctx.cancel(timer);
        }
        self.state = State::Open(conn);
        self.failures = 0;
    }

    /// The connection is gone, or the attempt failed.
    pub fn lost(&mut self, ctx: &mut Ctx) {
        if let State::Connecting(_, timer) = self.state {
            ctx.cancel(timer);
        }
        self.failures = self.failures.saturating_add(1);
        self.state = State::Closed;
    }

    /// Closes it from this side; returns what was closed.
    pub fn close(&mut self, ctx: &mut Ctx) -> Option<ConnId> {
        let conn = match self.state {
            State::Closed => return None,
            State::Connecting(conn, timer) => {
                ctx.cancel(timer);
                conn
            }
            State::Open(conn) => conn,
        };
        ctx.close(conn);
        self.state = State::Closed;
        Some(conn)
    }
}

impl super::server::Server {
    /// A connection attempt has taken too long.
    pub(super) fn connect_timed_out(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(owner) = self.owners.get(&conn).copied() else {
            return;
        };
        let link = match owner {
            Owner::Quorum => Some(&self.observer.link),
            Owner::Channel(kind) => Some(&self.channels[kind as usize].link),
            Owner::Fetcher(leader) => self.fetchers.get(&leader).map(|fetcher| &fetcher.link),
            Owner::Peer(kind, node) => self.peer_link(kind, node),
        };
        if link.is_some_and(|link| link.is_connecting(conn)) {
            ctx.close(conn);
            self.closed(conn, ctx);
        }
    }
}
