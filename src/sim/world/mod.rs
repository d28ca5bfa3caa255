//! The world: processes, their connections and timers, and one event after the other.
//!
//! [`Core`] is everything but the processes themselves: [`core`](self) time, timers and what is due; `handshake` how a
//! connection comes to stand; `delivery` how messages travel and get lost; `hands` faults on single messages;
//! `processes` who runs, is frozen or down; `residents` how several systems live in one world. [`Sim`] holds both and
//! steps.

mod core;
mod delivery;
mod hands;
mod handshake;
mod processes;
mod residents;
mod sim;
#[cfg(test)]
mod tests;

pub use self::core::{Core, NO_CAUSE, WALL_START_MS};
pub use hands::{Hand, InFlight, Pattern};
pub use processes::Status;
pub use residents::{Embeds, Resident};
pub use sim::Sim;

use super::clock::Time;
use super::process::{Input, Payload, ProcId, Wire};

/// What kind of thing an event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    Start,
    Timer,
    Opened,
    Refused,
    Accepted,
    Message,
    Closed,
    /// Somebody outside did something.
    Command,
    /// A packet was lost; it will be sent again.
    Lost,
}

/// One event that was handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Its number, from 0.
    pub id: u64,
    pub at: Time,
    /// The event during which it was scheduled, or [`NO_CAUSE`].
    pub cause: u64,
    pub kind: EventKind,
    pub to: ProcId,
    pub from: Option<ProcId>,
    /// [`Payload::tag`] of the message, if it was one.
    pub tag: u8,
}

/// What a due thing turns into.
enum Turn<W: Wire> {
    /// An input for a process.
    Hand {
        to: ProcId,
        from: Option<ProcId>,
        input: Input<W>,
        cause: u64,
    },
    /// A packet was lost between two processes.
    Lost {
        to: ProcId,
        from: Option<ProcId>,
        tag: u8,
        cause: u64,
    },
    /// Nothing that anybody sees.
    Nothing,
}

fn kind_of<W: Wire>(input: &Input<W>) -> EventKind {
    match input {
        Input::Start => EventKind::Start,
        Input::Timer(_) => EventKind::Timer,
        Input::Opened(_) => EventKind::Opened,
        Input::Refused(_) => EventKind::Refused,
        Input::Accepted(..) => EventKind::Accepted,
        Input::Message(..) => EventKind::Message,
        Input::Closed(_) => EventKind::Closed,
        Input::Order(_) => EventKind::Command,
    }
}

fn tag_of<W: Wire>(input: &Input<W>) -> u8 {
    match input {
        Input::Message(_, msg) => msg.tag(),
        _ => 0,
    }
}
