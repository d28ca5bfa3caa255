//! A client's connection as the server has it, and the exchange under way on it.

use super::cache::CacheStatus;
use super::passing::Attempt;
use super::units::What;
use crate::serving::cores::UnitId;
use crate::serving::http::{Request, Response};
use crate::sim::{Time, TimerId};
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// In the kernel's accept queue: connected, and nobody has taken it.
    Queued,
    /// Between requests.
    Idle,
    /// A request's head is awaited or has begun.
    Head,
    /// A request's body comes in.
    Body,
    /// `limit_req` holds it, or it will never be answered.
    Held,
    /// It waits for another one's answer (`proxy_cache_lock`).
    Locked,
    /// Code inside the server runs.
    Working,
    /// Its upstream is asked.
    Passing,
    /// The answer goes out.
    Writing,
    /// `CONNECT`: bytes go both ways.
    Tunnel,
}

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Answer {
    pub head: Rc<Response>,
    /// Bytes of the body that there are.
    pub available: u32,
    pub sent: u32,
    /// Sent and not yet taken by the client.
    pub in_buffer: u32,
    pub head_sent: bool,
}

/// A request and what is done for it.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub request: Rc<Request>,
    pub began: Time,
    /// Bytes of its body that are here.
    pub body: u32,
    pub cache: Option<(Rc<str>, CacheStatus)>,
    /// An expired answer, in case the upstream fails.
    pub stale: Option<Rc<Response>>,
    /// It has the lock of its cache key.
    pub holds_lock: bool,
    /// It waited for the lock in vain: its answer is not kept.
    pub not_stored: bool,
    pub attempt: Option<Attempt>,
    pub answer: Option<Answer>,
}

impl Exchange {
    pub fn new(request: Rc<Request>, now: Time) -> Exchange {
        Exchange {
            request,
            began: now,
            body: 0,
            cache: None,
            stale: None,
            holds_lock: false,
            not_stored: false,
            attempt: None,
            answer: None,
        }
    }

    pub fn body_complete(&self) -> bool {
        self.body >= self.request.body
    }
}

/// The connection.
#[derive(Clone, Debug)]
pub struct Conn {
    pub phase: Phase,
    pub unit: Option<UnitId>,
    /// Came while no unit had it.
    pub pending: VecDeque<What>,
    pub peer: Ipv4Addr,
    /// Requests answered on it.
    pub served: u32,
    pub since: Time,
    pub timer: Option<TimerId>,
    /// The client has gone, and the server will notice when it writes.
    pub gone: bool,
    pub exchange: Option<Exchange>,
}

impl Conn {
    pub fn new(peer: Ipv4Addr, now: Time) -> Conn {
        Conn {
            phase: Phase::Queued,
            unit: None,
            pending: VecDeque::new(),
            peer,
            served: 0,
            since: now,
            timer: None,
            gone: false,
            exchange: None,
        }
    }
}
