//! One node's connection as a client keeps it: how it stands, when it may be tried again, what is in flight.
//! [ClusterConnectionStates, InFlightRequests]

use super::backoff::Backoff;
use crate::sim::{ConnId, Random, Span, Time};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// SYN sent.
    Connecting,
    /// It stands; the answer to ApiVersions is awaited.
    CheckingApiVersions,
    Ready,
    Disconnected,
}

/// A request without its answer.
#[derive(Clone, Debug)]
pub struct InFlight {
    pub request: u32,
    /// `PRODUCE`, as logs say it.
    pub api: &'static str,
    /// The client's own: ApiVersions or Metadata.
    pub internal: bool,
    pub sent: Time,
    /// When the client gives it up.
    pub until: Time,
    pub timeout_ms: i64,
}

/// How long to wait between attempts and for an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// `reconnect.backoff.ms`, `.max.ms`
    pub reconnect: Backoff,
    /// `socket.connection.setup.timeout.ms`, `.max.ms`
    pub setup: Backoff,
}

/// One node's connection.
#[derive(Clone, Debug)]
pub struct Link {
    pub host: Rc<str>,
    pub port: u16,
    /// What the host's name meant at the last attempt.
    pub ip: Option<Ipv4Addr>,
    /// A controller's port answers there: it serves no METADATA.
    pub of_controller: bool,
    pub state: LinkState,
    pub conn: Option<ConnId>,
    pub in_flight: VecDeque<InFlight>,
    /// When it last carried something.
    pub used: Time,
    /// The last attempt, or its end.
    pub attempt: Time,
    backoff_ms: i64,
    failures: u32,
    setup_ms: i64,
    setup_failures: u32,
}

impl Link {
    /// A connection that was never tried.
    pub fn new(host: Rc<str>, port: u16, pauses: Pauses, random: &mut Random) -> Link {
        Link {
            host,
            port,
            ip: None,
            of_controller: false,
            state: LinkState::Disconnected,
            conn: None,
            in_flight: VecDeque::new(),
            used: Time::ZERO,
            attempt: Time::ZERO,
            backoff_ms: pauses.reconnect.ms(0, random),
            failures: 0,
            setup_ms: pauses.setup.ms(0, random),
            setup_failures: 0,
        }
    }

    /// When it may be tried (again), if it is down.
    pub fn retry_at(&self) -> Time {
        self.attempt + Span::from_ms(self.backoff_ms)
    }

    /// May it be tried?
    pub fn can_connect(&self, now: Time) -> bool {
        self.state == LinkState::Disconnected && now >= self.retry_at()
    }

    /// An attempt begins.
    pub fn connecting(&mut self, conn: ConnId, now: Time) {
        self.conn = Some(conn);
        self.state = LinkState::Connecting;
        self.attempt = now;
    }

    /// When the attempt is given up, while it lasts.
    pub fn setup_until(&self) -> Option<Time> {
        let waits = self.state == LinkState::Connecting;
        waits.then(|| self.attempt + Span::from_ms(self.setup_ms))
    }

    /// How long attempts may take now, ms.
    pub fn setup_timeout_ms(&self) -> i64 {
        self.setup_ms
    }

    /// It stands: versions are asked for.
    pub fn checking(&mut self, now: Time, pauses: Pauses, random: &mut Random) {
        self.state = LinkState::CheckingApiVersions;
        self.used = now;
        self.reset_setup(pauses, random);
    }

    /// It can be used.
    pub fn ready(&mut self, pauses: Pauses, random: &mut Random) {
        self.state = LinkState::Ready;
        self.failures = 0;
        self.backoff_ms = pauses.reconnect.ms(0, random);
    }

    /// It is gone, or did not come about. [ClusterConnectionStates.disconnected]
    pub fn disconnected(&mut self, now: Time, pauses: Pauses, random: &mut Random) {
        self.attempt = now;
        self.backoff_ms = pauses.reconnect.ms(self.failures, random);
        self.failures += 1;
        match self.state {
            LinkState::Connecting => {
                self.setup_failures += 1;
                self.setup_ms = pauses.setup.ms(self.setup_failures, random);
            }
            _ => self.reset_setup(pauses, random),
        }
        self.state = LinkState::Disconnected;
        self.conn = None;
    }

    fn reset_setup(&mut self, pauses: Pauses, random: &mut Random) {
        self.setup_failures = 0;
        self.setup_ms = pauses.setup.ms(0, random);
    }

    /// Is a request overdue?
    pub fn overdue(&self, now: Time) -> bool {
        self.in_flight.iter().any(|request| request.until <= now)
    }

    /// When the next request is given up.
    pub fn request_until(&self) -> Option<Time> {
        self.in_flight.iter().map(|request| request.until).min()
    }
}
