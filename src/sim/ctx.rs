//! The world as one process sees it while it handles one input. Everything it causes goes through here.

use super::clock::{Span, Time};
use super::conn::{Addr, ConnId};
use super::disk::DiskMode;
use super::process::{HostId, ProcId, TimerId, Wire};
use super::world::Core;
use std::net::Ipv4Addr;

/// The context of one `handle` call.
pub struct Ctx<'a, W: Wire> {
    pub(super) core: &'a mut Core<W>,
    pub(super) me: ProcId,
}

impl<'a, W: Wire> Ctx<'a, W> {
    /// A context without a world around it, to test a process's rules alone.
    pub fn alone(core: &'a mut Core<W>, me: ProcId) -> Ctx<'a, W> {
        Ctx { core, me }
    }

    pub fn me(&self) -> ProcId {
        self.me
    }

    pub fn now(&self) -> Time {
        self.core.now()
    }

    /// The wall clock of this host in milliseconds since 1970: what records are stamped with.
    pub fn wall_ms(&self) -> i64 {
        self.core.wall_ms()
    }

    /// The number of the event being handled.
    pub fn event(&self) -> u64 {
        self.core.event()
    }

    pub fn host(&self) -> HostId {
        self.core.host_of(self.me)
    }

    /// Name resolution on its host: an address, or unknown host.
    pub fn look_up(&self, name: &str) -> Option<Ipv4Addr> {
        self.core.network.look_up(self.host(), name)
    }

    /// The host with that name, whoever may know it.
    pub fn resolve(&self, name: &str) -> Option<HostId> {
        self.core.network.resolve(name)
    }

    /// Accepts connections on a port of its host from now on. A port that another process of the host has stays that
    /// one's (EADDRINUSE); [`listens`](Self::listens) tells.
    pub fn listen(&mut self, port: u16) {
        self.core.listen(self.me, port, false);
    }

    /// Accepts connections from its own host alone (bound to 127.0.0.1).
    pub fn listen_locally(&mut self, port: u16) {
        self.core.listen(self.me, port, true);
    }

    /// Whether the port of its host is its own.
    pub fn listens(&self, port: u16) -> bool {
        self.core.network.listener(self.host(), port) == Some(self.me)
    }

    /// Refuses new connections on that port from now on.
    pub fn unlisten(&mut self, port: u16) {
        self.core.unlisten(self.me, port);
    }

    /// Begins to connect. [`Opened`](super::Input::Opened) or [`Refused`](super::Input::Refused) follows, or nothing
    /// for as long as packets are lost: give up with [`close`](Self::close).
    pub fn connect(&mut self, to: Addr) -> ConnId {
        self.core.connect(self.me, to)
    }

    /// The same to an address that was [looked up](Self::look_up), wherever the networks lead.
    pub fn dial(&mut self, ip: Ipv4Addr, port: u16) -> ConnId {
        self.core.dial(self.me, ip, port)
    }

    /// The port of the side that accepted: which listener a connection came in by.
    pub fn port(&self, conn: ConnId) -> Option<u16> {
        self.core.conns.get(conn.key).map(|conn| conn.port)
    }

    /// Hands a message to the connection. Before [`Opened`](super::Input::Opened) it waits for that; it is lost silently
    /// if the connection is gone, as with a real socket until the reset comes back.
    pub fn send(&mut self, conn: ConnId, msg: W::Msg) {
        self.core.send(self.me, conn, msg);
    }

    /// Closes a connection or gives up an attempt. No input follows on this side.
    pub fn close(&mut self, conn: ConnId) {
        self.core.close(self.me, conn);
    }

    /// Who is on the other side, if this side is open and somebody there has accepted.
    pub fn peer(&self, conn: ConnId) -> Option<ProcId> {
        self.core.peer(self.me, conn)
    }

    /// Says `item` after `after`.
    pub fn timer(&mut self, after: Span, item: W::Timer) -> TimerId {
        self.core.timer(self.me, after, item)
    }

    /// The timer will not fire; nothing happens if it has.
    pub fn cancel(&mut self, timer: TimerId) {
        self.core.cancel(timer);
    }

    /// How the disk of its host is.
    pub fn disk(&self) -> DiskMode {
        self.core.network.host(self.host()).disk
    }

    /// Reports an observation.
    pub fn note(&mut self, note: W::Note) {
        self.core.notes.push((self.me, note));
    }

    /// Leaves, after this input: everything is written, connections are closed.
    pub fn exit(&mut self) {
        self.core.exiting = true;
    }
}
