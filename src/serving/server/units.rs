//! Units of execution: nginx's worker processes, Apache's children and threads. A unit runs one thing at a time, and
//! what is ready for it meanwhile waits in its queue.

use crate::ordered::OrderedMap;
use crate::serving::cores::UnitId;
use crate::serving::http::Msg;
use crate::sim::{ConnId, Span, Time};
use std::collections::VecDeque;

/// A time-out of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Header,
    Body,
    Send,
    KeepAlive,
    /// `limit_req` lets the request go on.
    Delayed,
    /// `proxy_cache_lock_timeout`.
    CacheLock,
    Connect,
    Read,
}

/// What is ready to be handled.
#[derive(Clone, Debug)]
pub enum What {
    /// A new connection.
    Accepted,
    /// From the client.
    Message(Msg),
    /// The client is gone.
    Gone,
    Expired(Clock),
    /// The connection to the upstream stands.
    Connected(ConnId),
    /// Nobody listens there.
    NotConnected(ConnId),
    /// From the upstream.
    Answer(ConnId, Msg),
    /// The upstream is gone.
    UpstreamGone(ConnId),
    /// Code inside the server computes.
    Compute(Span),
    /// Code inside the server waits, and its unit with it.
    Block(Span),
}

/// Something ready, and the client's connection that it belongs to.
#[derive(Clone, Debug)]
pub struct Ready {
    pub conn: ConnId,
    pub what: What,
}

/// A unit.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The process that it belongs to: a worker, or a child with its threads.
    pub process: u32,
    pub queue: VecDeque<Ready>,
    /// What it computes or is blocked in.
    pub busy: Option<Ready>,
    /// Connections of clients that it has.
    pub conns: u32,
    pub idle_since: Time,
}

impl Unit {
    fn is_free(&self) -> bool {
        self.busy.is_none() && self.queue.is_empty()
    }
}

/// All units of a server.
#[derive(Clone, Debug, Default)]
pub struct Units {
    all: OrderedMap<UnitId, Unit>,
    next: UnitId,
}

impl Units {
    pub fn add(&mut self, process: u32) -> UnitId {
        let id = self.next;
        self.next += 1;
        let unit = Unit {
            process,
            queue: VecDeque::new(),
            busy: None,
            conns: 0,
            idle_since: Time::ZERO,
        };
        self.all.insert(id, unit);
        id
    }

    pub fn get(&self, id: UnitId) -> Option<&Unit> {
        self.all.get(&id)
    }

    pub fn get_mut(&mut self, id: UnitId) -> Option<&mut Unit> {
        self.all.get_mut(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (UnitId, &Unit)> {
        self.all.iter().map(|(id, unit)| (*id, unit))
    }

    /// Processes that the units belong to.
    pub fn children(&self) -> u32 {
        let mut seen: Vec<u32> = self.all.values().map(|unit| unit.process).collect();
        seen.dedup();
        seen.len() as u32
    }

    /// How many units there are.
    pub fn len(&self) -> u32 {
        self.all.len() as u32
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Units without a connection.
    pub fn idle(&self) -> u32 {
        self.all.values().filter(|unit| unit.conns == 0).count() as u32
    }

    /// Apache: a unit without a connection takes one. The one that has been idle longest, so that the choice is fixed.
    pub fn take_idle(&mut self, now: Time) -> Option<UnitId> {
        let idle = self.all.iter().filter(|(_, unit)| unit.conns == 0 && unit.is_free());
        let id = idle
            .min_by_key(|(id, unit)| (unit.idle_since, **id))
            .map(|(id, _)| *id)?;
        self.take(id, now);
        Some(id)
    }

    /// nginx: a worker whose loop waits accepts. The one that has waited longest (of those, with the fewest connections),
    /// so that the choice is fixed.
    pub fn take_waiting(&mut self, now: Time) -> Option<UnitId> {
        let waiting = self.all.iter().filter(|(_, unit)| unit.is_free());
        let id = waiting
            .min_by_key(|(id, unit)| (unit.idle_since, unit.conns, **id))
            .map(|(id, _)| *id)?;
        self.take(id, now);
        Some(id)
    }

    fn take(&mut self, id: UnitId, now: Time) {
        if let Some(unit) = self.all.get_mut(&id) {
            unit.conns += 1;
            unit.idle_since = now;
        }
    }

    /// The unit has one connection less.
    pub fn release(&mut self, id: UnitId, now: Time) {
        if let Some(unit) = self.all.get_mut(&id) {
            unit.conns = unit.conns.saturating_sub(1);
            unit.idle_since = now;
        }
    }

    /// Apache's parent ends a child all of whose units are idle.
    pub fn end_idle_child(&mut self) -> bool {
        let busy: Vec<u32> = self
            .all
            .values()
            .filter(|unit| unit.conns > 0)
            .map(|unit| unit.process)
            .collect();
        let idle = self
            .all
            .values()
            .map(|unit| unit.process)
            .filter(|child| !busy.contains(child));
        let Some(child) = idle.max() else { return false };
        self.end_process(child);
        true
    }

    /// A process is gone, with its units.
    pub fn end_process(&mut self, process: u32) -> Vec<UnitId> {
        let gone: Vec<UnitId> = self.of_process(process);
        for id in &gone {
            self.all.remove(id);
        }
        gone
    }

    pub fn of_process(&self, process: u32) -> Vec<UnitId> {
        let units = self.all.iter().filter(|(_, unit)| unit.process == process);
        units.map(|(id, _)| *id).collect()
    }
}
