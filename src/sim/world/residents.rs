//! Who lives in a world, and how several systems live in one: each keeps its own vocabulary, the world's embeds them all.

use super::core::Core;
use crate::sim::clock::Span;
use crate::sim::conn::{Addr, ConnId};
use crate::sim::ctx::{Ctx, Surroundings};
use crate::sim::network::Network;
use crate::sim::process::{Halt, HostId, Input, ProcId, Process, TimerId, Wire};
use std::net::Ipv4Addr;

/// Somebody in a world, who takes inputs in the world's vocabulary. Every [`Process`] is one in a world of its own
/// system; a world of several systems has an enum of all their processes, which hands each its inputs by
/// [`Core::hand`].
pub trait Resident: Clone {
    type Wire: Wire;
    fn receive(&mut self, input: Input<Self::Wire>, core: &mut Core<Self::Wire>, me: ProcId);
    /// It is gone; what is left of it must be what its disk holds.
    fn end(&mut self, how: Halt);
}

impl<P: Process> Resident for P {
    type Wire = P::Wire;

    fn receive(&mut self, input: Input<P::Wire>, core: &mut Core<P::Wire>, me: ProcId) {
        self.handle(input, &mut Ctx::new(core, me));
    }

    fn end(&mut self, how: Halt) {
        self.halt(how);
    }
}

/// A vocabulary that has another one in it, whole.
pub trait Embeds<I: Wire>: Wire {
    fn wrap_msg(msg: I::Msg) -> Self::Msg;
    fn wrap_timer(timer: I::Timer) -> Self::Timer;
    fn wrap_note(note: I::Note) -> Self::Note;
    /// `None`: it is another system's; so with the other two.
    fn msg(msg: Self::Msg) -> Option<I::Msg>;
    fn timer(timer: Self::Timer) -> Option<I::Timer>;
    fn order(order: Self::Order) -> Option<I::Order>;
}

impl<W: Wire> Embeds<W> for W {
    fn wrap_msg(msg: W::Msg) -> W::Msg {
        msg
    }

    fn wrap_timer(timer: W::Timer) -> W::Timer {
        timer
    }

    fn wrap_note(note: W::Note) -> W::Note {
        note
    }

    fn msg(msg: W::Msg) -> Option<W::Msg> {
        Some(msg)
    }

    fn timer(timer: W::Timer) -> Option<W::Timer> {
        Some(timer)
    }

    fn order(order: W::Order) -> Option<W::Order> {
        Some(order)
    }
}

impl<W: Wire> Core<W> {
    /// Hands an input to a process of one of the systems, in that system's words.
    pub fn hand<I: Wire>(&mut self, me: ProcId, input: Input<W>, handle: impl FnOnce(Input<I>, &mut Ctx<'_, I>))
    where
        W: Embeds<I>,
    {
        if let Some(input) = self.translated(input, me) {
            handle(input, &mut Ctx::new(self, me));
        }
    }

    /// An input in the words of one of the systems. What another system says to it is no sentence of its protocol: it
    /// ends the connection, as every server does on a malformed frame.
    fn translated<I: Wire>(&mut self, input: Input<W>, me: ProcId) -> Option<Input<I>>
    where
        W: Embeds<I>,
    {
        Some(match input {
            Input::Start => Input::Start,
            Input::Timer(timer) => Input::Timer(W::timer(timer)?),
            Input::Opened(conn) => Input::Opened(conn),
            Input::Refused(conn) => Input::Refused(conn),
            Input::Accepted(conn, from) => Input::Accepted(conn, from),
            Input::Message(conn, msg) => match W::msg(msg) {
                Some(msg) => Input::Message(conn, msg),
                None => {
                    self.close(me, conn);
                    Input::Closed(conn)
                }
            },
            Input::Closed(conn) => Input::Closed(conn),
            Input::Order(order) => Input::Order(W::order(order)?),
        })
    }
}

impl<I: Wire, W: Embeds<I>> Surroundings<I> for Core<W> {
    fn network(&self) -> &Network {
        &self.network
    }

    fn host_of(&self, me: ProcId) -> HostId {
        Core::host_of(self, me)
    }

    fn listen(&mut self, me: ProcId, port: u16, local: bool) {
        Core::listen(self, me, port, local);
    }

    fn unlisten(&mut self, me: ProcId, port: u16) {
        Core::unlisten(self, me, port);
    }

    fn accept_queue_full(&mut self, me: ProcId, port: u16, full: bool) {
        Core::accept_queue_full(self, me, port, full);
    }

    fn peer_address(&self, me: ProcId, conn: ConnId) -> Ipv4Addr {
        Core::peer_address(self, me, conn)
    }

    fn connect(&mut self, me: ProcId, to: Addr) -> ConnId {
        Core::connect(self, me, to)
    }

    fn dial(&mut self, me: ProcId, ip: Ipv4Addr, port: u16) -> ConnId {
        Core::dial(self, me, ip, port)
    }

    fn port(&self, conn: ConnId) -> Option<u16> {
        self.conns.get(conn.key).map(|conn| conn.port)
    }

    fn send(&mut self, me: ProcId, conn: ConnId, msg: I::Msg) {
        Core::send(self, me, conn, W::wrap_msg(msg));
    }

    fn close(&mut self, me: ProcId, conn: ConnId) {
        Core::close(self, me, conn);
    }

    fn peer(&self, me: ProcId, conn: ConnId) -> Option<ProcId> {
        Core::peer(self, me, conn)
    }

    fn timer(&mut self, me: ProcId, after: Span, item: I::Timer) -> TimerId {
        Core::timer(self, me, after, W::wrap_timer(item))
    }

    fn cancel(&mut self, timer: TimerId) {
        Core::cancel(self, timer);
    }

    fn note(&mut self, me: ProcId, note: I::Note) {
        self.notes.push((me, W::wrap_note(note)));
    }

    fn exit(&mut self) {
        self.exiting = true;
    }
}
