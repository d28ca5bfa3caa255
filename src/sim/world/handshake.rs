//! How a connection comes to stand: SYN, SYN-ACK, refusal, and the repetitions of a lost SYN. Each of these packets can
//! be lost where it arrives; then the opener's kernel sends its SYN again at fixed times.

use super::Turn;
use super::core::{Core, Due};
use crate::sim::clock::Span;
use crate::sim::conn::{Addr, Conn, ConnId, End, SYN_AGAIN_SECS, SYN_GIVE_UP_SECS, Side};
use crate::sim::process::{Input, ProcId, Wire};
use crate::sim::slab::Key;

impl<W: Wire> Core<W> {
    pub(in crate::sim) fn connect(&mut self, me: ProcId, to: Addr) -> ConnId {
        let host = self.host_of(me);
        let key = self.conns.insert(Conn {
            opener: End::new(host, Some(me)),
            accepter: End::new(to.host, None),
            port: to.port,
            first_syn: self.now,
            established: false,
            cause: self.event,
        });
        let arrival = self.now + self.network.latency(host, to.host);
        self.queue.push(arrival, Due::Syn(key, 0));
        ConnId {
            key,
            side: Side::Opener,
        }
    }

    /// A SYN arrives at the host of the other side.
    pub(super) fn syn(&mut self, key: Key, attempt: u8) -> Turn<W> {
        let Some(conn) = self.conns.get(key) else {
            return Turn::Nothing;
        };
        let (from, to, accepted, port) = (conn.opener.host, conn.accepter.host, conn.accepter.open, conn.port);
        if self.is_lost(from, to) {
            self.syn_again(key, attempt);
            return Turn::Nothing;
        }
        let back = self.now + self.network.latency(to, from);
        let listener = self.network.listener(to, port);
        if !accepted && listener.is_none() {
            self.queue.push(back, Due::Refusal(key, attempt));
            return Turn::Nothing;
        }
        self.queue.push(back, Due::SynAck(key, attempt));
        match listener {
            Some(server) if !accepted => self.accept(key, server),
            // A repetition: the server has it already.
            _ => Turn::Nothing,
        }
    }

    /// The host takes the connection for who listens. One who took it before, and is gone since, is forgotten.
    fn accept(&mut self, key: Key, server: ProcId) -> Turn<W> {
        let id = ConnId {
            key,
            side: Side::Accepter,
        };
        self.forget_all(id);
        let Some(conn) = self.conns.get_mut(key) else {
            return Turn::Nothing;
        };
        conn.accepter = End::new(conn.accepter.host, Some(server));
        match conn.opener.proc {
            Some(opener) => Turn::Hand {
                to: server,
                from: Some(opener),
                input: Input::Accepted(id, opener),
                cause: conn.cause,
            },
            None => Turn::Nothing,
        }
    }

    /// A SYN or the answer to it was lost: the next repetition that is not yet past, or the end of the attempt.
    fn syn_again(&mut self, key: Key, attempt: u8) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let latency = self.network.latency(conn.opener.host, conn.accepter.host);
        let arrivals = (0..).zip(&SYN_AGAIN_SECS).skip(usize::from(attempt));
        let next = arrivals
            .map(|(n, secs)| (n + 1, conn.first_syn + Span::secs(*secs) + latency))
            .find(|(_, at)| *at >= self.now);
        let (at, due) = match next {
            Some((n, at)) => (at, Due::Syn(key, n)),
            None => (conn.first_syn + Span::secs(SYN_GIVE_UP_SECS), Due::ConnectTimeout(key)),
        };
        self.queue.push(at.max(self.now), due);
    }

    /// The answer arrives at the opener: the connection stands, and what was sent too early goes now.
    pub(super) fn syn_ack(&mut self, key: Key, attempt: u8) -> Turn<W> {
        let Some(conn) = self.conns.get(key) else {
            return Turn::Nothing;
        };
        if self.is_lost(conn.accepter.host, conn.opener.host) {
            self.syn_again(key, attempt);
            return Turn::Nothing;
        }
        let id = ConnId {
            key,
            side: Side::Opener,
        };
        let Some(conn) = self.conns.get_mut(key) else {
            return Turn::Nothing;
        };
        conn.established = true;
        let (opener, from, cause) = (conn.opener.proc, conn.accepter.proc, conn.cause);
        self.send_unsent(id);
        match opener {
            Some(to) => Turn::Hand {
                to,
                from,
                input: Input::Opened(id),
                cause,
            },
            None => Turn::Nothing,
        }
    }

    /// The refusal arrives at the opener.
    pub(super) fn refusal(&mut self, key: Key, attempt: u8) -> Turn<W> {
        let Some(conn) = self.conns.get(key) else {
            return Turn::Nothing;
        };
        if self.is_lost(conn.accepter.host, conn.opener.host) {
            self.syn_again(key, attempt);
            return Turn::Nothing;
        }
        self.fail_to_connect(key)
    }

    /// An attempt ends without a connection.
    pub(super) fn fail_to_connect(&mut self, key: Key) -> Turn<W> {
        let id = ConnId {
            key,
            side: Side::Opener,
        };
        let Some(conn) = self.conns.get_mut(key) else {
            return Turn::Nothing;
        };
        let (opener, cause) = (conn.opener.proc, conn.cause);
        conn.opener.open = false;
        self.forget_all(id);
        self.tidy(key);
        match opener {
            Some(to) => Turn::Hand {
                to,
                from: None,
                input: Input::Refused(id),
                cause,
            },
            None => Turn::Nothing,
        }
    }
}
