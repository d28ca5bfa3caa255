//! Connections, as TCP gives them: messages arrive in order and once, or the connection ends. Lost packets are sent
//! again with growing pauses, so a short cut only delays; a connection attempt repeats its SYN likewise.

use super::clock::{Span, Time};
use super::process::{HostId, ProcId};
use super::slab::Key;
use std::collections::VecDeque;

/// A connection, the same number on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub(super) Key);

#[cfg(test)]
impl ConnId {
    /// A connection of no world, to test what goes by its number alone.
    pub fn numbered(number: u64) -> ConnId {
        ConnId(Key::from_u64(number))
    }
}

/// Where to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr {
    pub host: HostId,
    pub port: u16,
}

/// First pause before a lost packet is sent again; doubles each time (Linux: `TCP_RTO_MIN`).
pub const RETRANSMIT_MIN: Span = Span::ms(200);

/// The pause grows no longer than this (Linux: `TCP_RTO_MAX`).
pub const RETRANSMIT_MAX: Span = Span::secs(120);

/// So many losses of one packet end the connection (Linux: `tcp_retries2`), after about 15 minutes.
pub const RETRANSMITS: u8 = 15;

/// When a lost SYN is sent again, in seconds after the first (Linux 6.5 and later).
pub const SYN_AGAIN_SECS: [u64; 10] = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67];

/// The pause before the `attempt`-th (from 1) repetition of a packet.
pub fn retransmit_after(attempt: u8) -> Span {
    let doubled = RETRANSMIT_MIN.times(1 << (attempt.saturating_sub(1)).min(20));
    doubled.min(RETRANSMIT_MAX)
}

#[derive(Clone, Debug)]
pub(super) struct Conn {
    pub ends: [End; 2],
    pub ways: [Way; 2],
    pub port: u16,
    pub first_syn: Time,
    /// The opener knows that it stands.
    pub established: bool,
    pub cause: u64,
}

/// One side of a connection; side 0 opened it.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub host: HostId,
    pub proc: Option<ProcId>,
    pub open: bool,
}

/// What is on its way from one side to the other, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub order: VecDeque<Key>,
    pub last_due: Time,
}

/// One message, or the end of the connection, on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight<M> {
    pub conn: ConnId,
    /// The side that sent it.
    pub side: usize,
    /// `None`: FIN or RST.
    pub msg: Option<M>,
    pub sent: Time,
    pub due: Time,
    pub cause: u64,
    pub attempts: u8,
    /// Outdates scheduled arrivals.
    pub version: u32,
    /// Came in before an earlier one: waits for it.
    pub arrived: bool,
    /// A hand is on it.
    pub held: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_two_minutes() {
        assert_eq!(retransmit_after(1), Span::ms(200));
        assert_eq!(retransmit_after(4), Span::ms(1_600));
        assert_eq!(retransmit_after(60), Span::secs(120));
    }
}
