//! The world as one process sees it while it handles one input. Everything it causes goes through here.

use super::clock::{Span, Time};
use super::conn::{Addr, ConnId};
use super::disk::DiskMode;
use super::network::Network;
use super::process::{HostId, ProcId, TimerId, Wire};
use super::world::{Core, Embeds, WALL_START_MS};
use std::net::Ipv4Addr;

/// The world around a process that speaks `W`. The kernel is one for its own vocabulary and for every one that its own
/// [embeds](Embeds), so that a process need not know who else lives in its world.
pub(super) trait Surroundings<W: Wire> {
    fn network(&self) -> &Network;
    fn host_of(&self, me: ProcId) -> HostId;
    fn listen(&mut self, me: ProcId, port: u16, local: bool);
    fn unlisten(&mut self, me: ProcId, port: u16);
    fn accept_queue_full(&mut self, me: ProcId, port: u16, full: bool);
    fn peer_address(&self, me: ProcId, conn: ConnId) -> Ipv4Addr;
    fn connect(&mut self, me: ProcId, to: Addr) -> ConnId;
    fn dial(&mut self, me: ProcId, ip: Ipv4Addr, port: u16) -> ConnId;
    /// The port of the side that accepted.
    fn port(&self, conn: ConnId) -> Option<u16>;
    fn send(&mut self, me: ProcId, conn: ConnId, msg: W::Msg);
    fn close(&mut self, me: ProcId, conn: ConnId);
    fn peer(&self, me: ProcId, conn: ConnId) -> Option<ProcId>;
    fn timer(&mut self, me: ProcId, after: Span, item: W::Timer) -> TimerId;
    fn cancel(&mut self, timer: TimerId);
    fn note(&mut self, me: ProcId, note: W::Note);
    fn exit(&mut self);
}

/// The context of one `handle` call.
pub struct Ctx<'a, W: Wire> {
    world: &'a mut dyn Surroundings<W>,
    me: ProcId,
    now: Time,
    event: u64,
}

impl<'a, W: Wire> Ctx<'a, W> {
    pub(super) fn new<O: Embeds<W>>(core: &'a mut Core<O>, me: ProcId) -> Ctx<'a, W> {
        let (now, event) = (core.now(), core.event());
        Ctx {
            world: core,
            me,
            now,
            event,
        }
    }

    /// A context without a world around it, to test a process's rules alone.
    pub fn alone(core: &'a mut Core<W>, me: ProcId) -> Ctx<'a, W> {
        Ctx::new(core, me)
    }

    pub fn me(&self) -> ProcId {
        self.me
    }

    pub fn now(&self) -> Time {
        self.now
    }

    /// The wall clock of this host in milliseconds since 1970: what records are stamped with.
    pub fn wall_ms(&self) -> i64 {
        WALL_START_MS + self.now.as_ms()
    }

    /// The number of the event being handled.
    pub fn event(&self) -> u64 {
        self.event
    }

    pub fn host(&self) -> HostId {
        self.world.host_of(self.me)
    }

    /// Name resolution on its host: an address, or unknown host.
    pub fn look_up(&self, name: &str) -> Option<Ipv4Addr> {
        self.world.network().look_up(self.host(), name)
    }

    /// The host with that name, whoever may know it.
    pub fn resolve(&self, name: &str) -> Option<HostId> {
        self.world.network().resolve(name)
    }

    /// Accepts connections on a port of its host from now on. A port that another process of the host has stays that
    /// one's (EADDRINUSE); [`listens`](Self::listens) tells.
    pub fn listen(&mut self, port: u16) {
        self.world.listen(self.me, port, false);
    }

    /// Accepts connections from its own host alone (bound to 127.0.0.1).
    pub fn listen_locally(&mut self, port: u16) {
        self.world.listen(self.me, port, true);
    }

    /// Whether the port of its host is its own.
    pub fn listens(&self, port: u16) -> bool {
        self.world.network().listener(self.host(), port) == Some(self.me)
    }

    /// Refuses new connections on that port from now on.
    pub fn unlisten(&mut self, port: u16) {
        self.world.unlisten(self.me, port);
    }

    /// Whether the accept queue of that port is full: new handshakes are dropped then (not refused), and repeated by the
    /// other side (Linux, `tcp_abort_on_overflow` 0).
    pub fn accept_queue_full(&mut self, port: u16, full: bool) {
        self.world.accept_queue_full(self.me, port, full);
    }

    /// The address of who is on the other side of an accepted connection, as a server sees it.
    pub fn peer_address(&self, conn: ConnId) -> Ipv4Addr {
        self.world.peer_address(self.me, conn)
    }

    /// Begins to connect. [`Opened`](super::Input::Opened) or [`Refused`](super::Input::Refused) follows, or nothing
    /// for as long as packets are lost: give up with [`close`](Self::close).
    pub fn connect(&mut self, to: Addr) -> ConnId {
        self.world.connect(self.me, to)
    }

    /// The same to an address that was [looked up](Self::look_up), wherever the networks lead.
    pub fn dial(&mut self, ip: Ipv4Addr, port: u16) -> ConnId {
        self.world.dial(self.me, ip, port)
    }

    /// The port of the side that accepted: which listener a connection came in by.
    pub fn port(&self, conn: ConnId) -> Option<u16> {
        self.world.port(conn)
    }

    /// Hands a message to the connection. Before [`Opened`](super::Input::Opened) it waits for that; it is lost silently
    /// if the connection is gone, as with a real socket until the reset comes back.
    pub fn send(&mut self, conn: ConnId, msg: W::Msg) {
        self.world.send(self.me, conn, msg);
    }

    /// Closes a connection or gives up an attempt. No input follows on this side.
    pub fn close(&mut self, conn: ConnId) {
        self.world.close(self.me, conn);
    }

    /// Who is on the other side, if this side is open and somebody there has accepted.
    pub fn peer(&self, conn: ConnId) -> Option<ProcId> {
        self.world.peer(self.me, conn)
    }

    /// Says `item` after `after`.
    pub fn timer(&mut self, after: Span, item: W::Timer) -> TimerId {
        self.world.timer(self.me, after, item)
    }

    /// The timer will not fire; nothing happens if it has.
    pub fn cancel(&mut self, timer: TimerId) {
        self.world.cancel(timer);
    }

    /// How the disk of its host is.
    pub fn disk(&self) -> DiskMode {
        self.world.network().host(self.host()).disk
    }

    /// Reports an observation.
    pub fn note(&mut self, note: W::Note) {
        self.world.note(self.me, note);
    }

    /// Leaves, after this input: everything is written, connections are closed.
    pub fn exit(&mut self) {
        self.world.exit();
    }
}
