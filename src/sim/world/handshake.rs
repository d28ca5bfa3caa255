//! How a connection comes to stand: SYN, SYN-ACK, refusal, and the repetitions of a lost SYN. Each of these packets can
//! be lost where it arrives; then the opener's kernel sends its SYN again at fixed times.

use super::Turn;
use super::core::{Core, Due};
use crate::sim::clock::Span;
use crate::sim::conn::{Addr, Conn, ConnId, End, NO_HOST_AFTER, SYN_AGAIN_SECS, SYN_GIVE_UP_SECS, Side, Way};
use crate::sim::network::{LOOPBACK_LATENCY, LanId, Route};
use crate::sim::process::{HostId, Input, ProcId, Wire};
use crate::sim::slab::Key;
use std::net::Ipv4Addr;

impl<W: Wire> Core<W> {
    pub(in crate::sim) fn connect(&mut self, me: ProcId, to: Addr) -> ConnId {
        let way = Way {
            local: self.host_of(me) == to.host,
            ..Way::default()
        };
        let key = self.new_conn(me, to, way);
        self.first_syn(key)
    }

    /// Begins to connect to an address, wherever the networks lead.
    pub(in crate::sim) fn dial(&mut self, me: ProcId, ip: Ipv4Addr, port: u16) -> ConnId {
        let (host, asked) = (self.host_of(me), (ip, port));
        let route = self.network.route(host, ip, port);
        let nowhere = Way {
            asked: Some(asked),
            pathless: true,
            ..Way::default()
        };
        if let Route::To(target) = route {
            let to = Addr {
                host: target.host,
                port: target.port,
            };
            let key = self.new_conn(me, to, Way::to(&target, asked));
            return self.first_syn(key);
        }
        let key = self.new_conn(me, Addr { host, port }, nowhere);
        self.fail_or_wait(key, 0, route);
        ConnId {
            key,
            side: Side::Opener,
        }
    }

    fn new_conn(&mut self, me: ProcId, to: Addr, way: Way) -> Key {
        let host = self.host_of(me);
        self.conns.insert(Conn {
            opener: End::new(host, Some(me)),
            accepter: End::new(to.host, None),
            port: to.port,
            way,
            first_syn: self.now,
            established: false,
            cause: self.event,
        })
    }

    fn first_syn(&mut self, key: Key) -> ConnId {
        if let Some(conn) = self.conns.get(key) {
            let latency = self.network.latency(conn.opener.host, conn.accepter.host);
            self.queue.push(self.now + latency, Due::Syn(key, 0));
        }
        ConnId {
            key,
            side: Side::Opener,
        }
    }

    /// A SYN that finds no way: refused by a machine in between, answered by nobody, or lost without a word.
    fn fail_or_wait(&mut self, key: Key, attempt: u8, route: Route) {
        let after = match route {
            Route::Refused | Route::Unreachable => LOOPBACK_LATENCY,
            Route::NoHost => NO_HOST_AFTER,
            Route::Silent | Route::To(_) => return self.syn_again(key, attempt),
        };
        self.queue.push(self.now + after, Due::ConnectTimeout(key));
    }

    /// A SYN that found no way looks for one again: networks may have changed. True if there is one now.
    fn finds_way(&mut self, key: Key, attempt: u8) -> bool {
        let Some(conn) = self.conns.get(key) else {
            return false;
        };
        let (true, Some(asked)) = (conn.way.pathless, conn.way.asked) else {
            return true;
        };
        match self.network.route(conn.opener.host, asked.0, asked.1) {
            Route::To(target) => {
                if let Some(conn) = self.conns.get_mut(key) {
                    conn.accepter.host = target.host;
                    conn.port = target.port;
                    conn.way = Way::to(&target, asked);
                }
                true
            }
            route => {
                self.fail_or_wait(key, attempt, route);
                false
            }
        }
    }

    /// Connections of a host over a network that it leaves: nothing comes through them any more.
    pub(super) fn sever(&mut self, host: HostId, lan: LanId) {
        for conn in self.conns.values_mut() {
            let ends = conn.opener.host == host || conn.accepter.host == host;
            conn.way.severed |= ends && conn.way.over == Some(lan);
        }
    }

    /// A SYN arrives at the host of the other side.
    pub(super) fn syn(&mut self, key: Key, attempt: u8) -> Turn<W> {
        if !self.finds_way(key, attempt) {
            return Turn::Nothing;
        }
        let Some(conn) = self.conns.get(key) else {
            return Turn::Nothing;
        };
        let (from, to, accepted, port) = (conn.opener.host, conn.accepter.host, conn.accepter.open, conn.port);
        let way = conn.way;
        let no_room = !accepted && self.network.is_full(to, port);
        if way.severed || no_room || self.is_lost(from, to) {
            self.syn_again(key, attempt);
            return Turn::Nothing;
        }
        let back = self.now + self.network.latency(to, from);
        let listener = self.network.taker(to, port, way.local);
        if !accepted && listener.is_none() && !way.relay {
            self.queue.push(back, Due::Refusal(key, attempt));
            return Turn::Nothing;
        }
        self.queue.push(back, Due::SynAck(key, attempt));
        match listener {
            Some(server) if !accepted => self.accept(key, server),
            // A repetition: the server has it already. Or a program in between took it, with nobody behind it.
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
        if conn.way.severed || self.is_lost(conn.accepter.host, conn.opener.host) {
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
