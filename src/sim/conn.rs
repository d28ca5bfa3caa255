//! Connections, as TCP gives them: messages arrive in order and once, or the connection ends. Lost packets are sent
//! again with growing pauses, so a short cut only delays; a connection attempt repeats its SYN likewise.

use super::clock::{Span, Time};
use super::network::{LanId, Target};
use super::process::{HostId, ProcId};
use super::slab::Key;
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// One end of a connection, as a process knows it: the two ends have different ids, so that a process may connect to
/// itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub(super) key: Key,
    pub(super) side: Side,
}

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    Opener,
    Accepter,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Opener, Side::Accepter];

    pub fn other(self) -> Side {
        match self {
            Side::Opener => Side::Accepter,
            Side::Accepter => Side::Opener,
        }
    }
}

#[cfg(test)]
impl ConnId {
    /// A connection of no world, to test what goes by its number alone.
    pub fn numbered(number: u64) -> ConnId {
        ConnId {
            key: Key::from_u64(number),
            side: Side::Opener,
        }
    }
}

/// Where to connect to, whatever its names and networks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr {
    pub host: HostId,
    pub port: u16,
}

/// First pause before a lost packet is sent again; doubles each time (Linux: `TCP_RTO_MIN`).
pub const RETRANSMIT_MIN: Span = Span::ms(200);

/// The pause grows no longer than this (Linux: `TCP_RTO_MAX`).
pub const RETRANSMIT_MAX: Span = Span::secs(120);

/// So often one packet is sent again; one pause after that the connection ends (Linux: `tcp_retries2`), about 15
/// minutes after the first loss.
pub const RETRANSMITS: u8 = 15;

/// When a lost SYN is sent again, in seconds after the first (Linux 6.5 and later).
pub const SYN_AGAIN_SECS: [u64; 10] = [1, 2, 3, 4, 5, 7, 11, 19, 35, 67];

/// When the attempt is given up (ETIMEDOUT), in seconds after the first SYN: one more doubled pause.
pub const SYN_GIVE_UP_SECS: u64 = 131;

/// When a machine gives up asking who has an address of its own network: three questions, a second each. [ARP]
pub const NO_HOST_AFTER: Span = Span::secs(3);

/// The pause before the `attempt`-th (from 1) repetition of a packet.
pub fn retransmit_after(attempt: u8) -> Span {
    let doubled = RETRANSMIT_MIN.times(1 << (attempt.saturating_sub(1)).min(20));
    doubled.min(RETRANSMIT_MAX)
}

#[derive(Clone, Debug)]
pub(super) struct Conn {
    pub opener: End,
    pub accepter: End,
    pub port: u16,
    pub way: Way,
    pub first_syn: Time,
    /// The opener knows that it stands.
    pub established: bool,
    pub cause: u64,
}

impl Conn {
    pub fn end(&self, side: Side) -> &End {
        match side {
            Side::Opener => &self.opener,
            Side::Accepter => &self.accepter,
        }
    }

    pub fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Opener => &mut self.opener,
            Side::Accepter => &mut self.accepter,
        }
    }
}

/// How its packets go, as far as that is not said by the hosts at its ends.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    /// What the opener asked for, if it asked for an address.
    pub asked: Option<(Ipv4Addr, u16)>,
    /// No SYN found a way yet.
    pub pathless: bool,
    /// It arrives on the loopback interface.
    pub local: bool,
    /// A program in between takes it first.
    pub relay: bool,
    pub over: Option<LanId>,
    /// One of its ends has lost the interface: nothing comes through any more.
    pub severed: bool,
}

impl Way {
    /// The way of a packet that was routed.
    pub fn to(target: &Target, asked: (Ipv4Addr, u16)) -> Way {
        Way {
            asked: Some(asked),
            local: target.local,
            relay: target.relay,
            over: target.over,
            ..Way::default()
        }
    }
}

/// One side of a connection, with what it has under way to the other.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub host: HostId,
    /// `None`: nobody has accepted yet.
    pub proc: Option<ProcId>,
    pub open: bool,
    /// What this side sent and the other has not got, oldest first.
    pub sent: VecDeque<Key>,
    /// When the last of it is due: nothing overtakes it.
    pub last_due: Time,
}

impl End {
    pub fn new(host: HostId, proc: Option<ProcId>) -> End {
        End {
            host,
            proc,
            open: proc.is_some(),
            sent: VecDeque::new(),
            last_due: Time::ZERO,
        }
    }
}

/// Where a message on its way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The connection does not stand yet; it goes when it does.
    Unsent,
    /// On the wire, or lost and waiting to be sent again.
    Travelling,
    /// Came in before an earlier one and waits for it in the receiving kernel.
    Buffered,
    /// A hand is on it until it is released.
    Held,
    /// A hand is on it until the next one on its way has overtaken it.
    Overtaken,
}

/// One message, or the end of the connection, on its way.
#[derive(Clone, Debug)]
pub(super) struct Flight<M> {
    /// The end that sent it.
    pub from: ConnId,
    /// `None`: FIN or RST.
    pub msg: Option<M>,
    pub sent: Time,
    pub due: Time,
    pub cause: u64,
    /// In the order of sending over the whole world.
    pub number: u64,
    /// Outdates scheduled arrivals.
    pub version: u32,
    /// How often it was lost.
    pub losses: u8,
    pub stage: Stage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_two_minutes() {
        assert_eq!(retransmit_after(1), Span::ms(200));
        assert_eq!(retransmit_after(4), Span::ms(1_600));
        assert_eq!(retransmit_after(10), Span::ms(102_400));
        assert_eq!(retransmit_after(11), Span::secs(120));
        assert_eq!(retransmit_after(60), Span::secs(120));
    }

    /// The kernel's documentation of `tcp_retries2` names 924.6 s for 15 repetitions.
    #[test]
    fn a_connection_is_given_up_after_924_seconds() {
        let total: u64 = (1..=RETRANSMITS + 1).map(|n| retransmit_after(n).as_us()).sum();
        assert_eq!(total, 924_600_000);
    }
}
