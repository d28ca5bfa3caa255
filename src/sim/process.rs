//! What a process is to the kernel: a state machine that takes one input at a time.

use super::conn::ConnId;
use super::ctx::Ctx;
use super::slab::Key;
use std::fmt::Debug;
use std::hash::Hash;

/// A process, running or not. Numbers are given in the order of creation and never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcId(pub u32);

/// A machine on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// A timer that was set; cancelling one that has fired does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(pub(super) Key);

/// A message between processes, as far as the kernel cares.
pub trait Payload: Clone + Debug {
    /// Its name on the wire: "ProduceRequest". Faults on one message and the picture go by it.
    fn kind(&self) -> &'static str;
    /// A small number for `kind`, for the record of events.
    fn tag(&self) -> u8;
    /// Size on the wire in bytes.
    fn bytes(&self) -> u32;
}

/// The vocabulary of one kind of world: what its processes send, wait for, are told and report.
pub trait Wire: Clone + Debug {
    type Msg: Payload;
    /// What a timer says when it fires.
    type Timer: Clone + Debug;
    /// What somebody outside tells a process to do.
    type Order: Clone + Debug;
    /// What a process reports: an observation with the rule that made it.
    type Note: Clone + Debug + Hash;
}

/// One thing that happens to a process.
#[derive(Clone, Debug)]
pub enum Input<W: Wire> {
    /// It was started, for the first time or again.
    Start,
    Timer(W::Timer),
    /// A connection that it asked for stands.
    Opened(ConnId),
    /// No connection: nobody listens there, or no SYN was answered for over two minutes.
    Refused(ConnId),
    /// Somebody connected to a port it listens on.
    Accepted(ConnId, ProcId),
    Message(ConnId, W::Msg),
    /// The other side closed the connection, died, or forgot it.
    Closed(ConnId),
    Order(W::Order),
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Halt {
    /// Killed: memory is gone, the page cache of its host is kept.
    Crash,
    /// The machine lost power: what was not flushed is gone too.
    PowerLoss,
    /// It left by itself, everything written.
    Exit,
}

/// A state machine. It does no IO: everything it causes goes through the context.
pub trait Process: Clone {
    type Wire: Wire;
    fn handle(&mut self, input: Input<Self::Wire>, ctx: &mut Ctx<'_, Self::Wire>);
    /// The process is gone; what is left of it must be what its disk holds.
    fn halt(&mut self, how: Halt);
}
