//! The world: processes, their connections and timers, and one step after the other.

use super::clock::{Span, Time};
use super::conn::{Addr, Conn, ConnId, End, Flight, RETRANSMITS, SYN_AGAIN_SECS, Way, retransmit_after};
use super::ctx::Ctx;
use super::hash::StableHasher;
use super::network::Network;
use super::process::{Halt, HostId, Input, Payload, ProcId, Process, TimerId, Wire};
use super::queue::Queue;
use super::random::Random;
use super::slab::{Key, Slab};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The wall clock at virtual time zero: 2026-11-24T00:00:00Z, in milliseconds since 1970.
pub const WALL_START_MS: i64 = 1_795_478_400_000;

/// No event: the cause of what somebody outside did.
pub const NO_CAUSE: u64 = u64::MAX;

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

/// How a process is, as the kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Running,
    /// SIGSTOP: the kernel of its host goes on for it.
    Frozen,
    /// Not running since it was halted that way; `None`: never started.
    Down(Option<Halt>),
}

#[derive(Clone, Debug)]
struct ProcState<W: Wire> {
    name: Rc<str>,
    host: HostId,
    status: Status,
    since: Time,
    incarnation: u32,
    /// What came while it was frozen.
    parked: Vec<(Input<W>, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Due {
    Deliver(Key, u32),
    Syn(ConnId, u8),
    SynAck(ConnId, u8),
    Refuse(ConnId),
    Timer(Key),
    Thawed(Key),
}

#[derive(Clone, Debug)]
struct TimerEntry<W: Wire> {
    proc: ProcId,
    incarnation: u32,
    item: W::Timer,
    cause: u64,
}

#[derive(Clone, Debug)]
struct ThawedEntry<W: Wire> {
    proc: ProcId,
    incarnation: u32,
    input: Input<W>,
    cause: u64,
}

/// What a hand on one message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// It never arrives; the connection lives on, so the asker's own time-out must help.
    Drop,
    /// It waits until released, and everything behind it on the connection with it.
    Hold,
    /// It takes that much longer, and everything behind it too.
    Delay(Span),
    /// It arrives twice.
    Duplicate,
    /// It changes places with the next one on its connection.
    Reorder,
}

/// Which messages a hand is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `FetchRequest`, `FetchResponse`, `Fetch` (either), or `any`.
    pub kind: Rc<str>,
    pub from: ProcId,
    pub to: ProcId,
}

impl Pattern {
    fn fits(&self, kind: &str, from: ProcId, to: Option<ProcId>) -> bool {
        let bare = kind.strip_suffix("Request").or_else(|| kind.strip_suffix("Response"));
        let fits = &*self.kind == "any" || kind == &*self.kind || bare == Some(&*self.kind);
        fits && from == self.from && to == Some(self.to)
    }
}

/// A message on its way, for the picture.
#[derive(Clone, Debug)]
pub struct InFlight<'a, M> {
    pub id: u64,
    pub from: ProcId,
    pub to: Option<ProcId>,
    pub msg: &'a M,
    pub sent: Time,
    pub due: Time,
    /// Held by a hand, or lost and waiting to be sent again.
    pub waiting: bool,
}

/// Everything of the world but the processes themselves.
#[derive(Clone, Debug)]
pub struct Core<W: Wire> {
    now: Time,
    next_event: u64,
    event: u64,
    hash: u64,
    queue: Queue<Due>,
    flights: Slab<Flight<W::Msg>>,
    timers: Slab<TimerEntry<W>>,
    thawed: Slab<ThawedEntry<W>>,
    conns: Slab<Conn>,
    procs: Vec<ProcState<W>>,
    watches: Vec<(Pattern, Hand)>,
    luck: Random,
    /// Hosts and links.
    pub network: Network,
    pub(super) notes: Vec<(ProcId, W::Note)>,
    pub(super) exiting: bool,
}

impl<W: Wire> Core<W> {
    pub fn new(seed: u64) -> Self {
        Core {
            now: Time::ZERO,
            next_event: 0,
            event: NO_CAUSE,
            hash: StableHasher::default().finish(),
            queue: Queue::default(),
            flights: Slab::default(),
            timers: Slab::default(),
            thawed: Slab::default(),
            conns: Slab::default(),
            procs: Vec::new(),
            watches: Vec::new(),
            luck: Random::named(seed, "network"),
            network: Network::default(),
            notes: Vec::new(),
            exiting: false,
        }
    }

    pub fn now(&self) -> Time {
        self.now
    }

    pub fn wall_ms(&self) -> i64 {
        WALL_START_MS + self.now.as_ms()
    }

    /// The number of the event being handled.
    pub fn event(&self) -> u64 {
        self.event
    }

    pub fn host_of(&self, proc: ProcId) -> HostId {
        self.proc(proc).host
    }

    fn proc(&self, id: ProcId) -> &ProcState<W> {
        // Process ids are made by `Sim::add` alone and processes never go.
        &self.procs[id.0 as usize]
    }

    fn proc_mut(&mut self, id: ProcId) -> &mut ProcState<W> {
        &mut self.procs[id.0 as usize]
    }

    /// A process without a world around it, for tests of rules (`Ctx::alone`).
    pub fn add_proc(&mut self, name: &str, host: HostId) -> ProcId {
        self.procs.push(ProcState {
            name: name.into(),
            host,
            status: Status::Down(None),
            since: self.now,
            incarnation: 0,
            parked: Vec::new(),
        });
        ProcId((self.procs.len() - 1) as u32)
    }

    pub(super) fn listen(&mut self, me: ProcId, port: u16) {
        let host = self.host_of(me);
        self.network.host_mut(host).ports.insert(port, me);
    }

    pub(super) fn unlisten(&mut self, me: ProcId, port: u16) {
        let host = self.host_of(me);
        let ports = &mut self.network.host_mut(host).ports;
        if ports.get(&port) == Some(&me) {
            ports.remove(&port);
        }
    }

    pub(super) fn timer(&mut self, me: ProcId, after: Span, item: W::Timer) -> TimerId {
        let incarnation = self.proc(me).incarnation;
        let key = self.timers.insert(TimerEntry {
            proc: me,
            incarnation,
            item,
            cause: self.event,
        });
        self.queue.push(self.now + after, Due::Timer(key));
        TimerId(key)
    }

    pub(super) fn cancel(&mut self, timer: TimerId) {
        self.timers.remove(timer.0);
    }

    pub(super) fn connect(&mut self, me: ProcId, to: Addr) -> ConnId {
        let host = self.host_of(me);
        let conn = Conn {
            ends: [
                End {
                    host,
                    proc: Some(me),
                    open: true,
                },
                End {
                    host: to.host,
                    proc: None,
                    open: false,
                },
            ],
            ways: [Way::default(), Way::default()],
            port: to.port,
            first_syn: self.now,
            established: false,
            cause: self.event,
        };
        let id = ConnId(self.conns.insert(conn));
        let arrival = self.now + self.network.latency(host, to.host);
        self.queue.push(arrival, Due::Syn(id, 0));
        id
    }

    /// Which side of the connection the process is on, if it is still open there.
    fn side(&self, me: ProcId, id: ConnId) -> Option<usize> {
        let conn = self.conns.get(id.0)?;
        (0..2).find(|&side| conn.ends[side].proc == Some(me) && conn.ends[side].open)
    }

    pub(super) fn peer(&self, me: ProcId, id: ConnId) -> Option<ProcId> {
        let side = self.side(me, id)?;
        self.conns.get(id.0)?.ends[1 - side].proc
    }

    pub(super) fn send(&mut self, me: ProcId, id: ConnId, msg: W::Msg) {
        let Some(side) = self.side(me, id) else {
            return;
        };
        let to = self.conns.get(id.0).and_then(|conn| conn.ends[1 - side].proc);
        let hand = self.take_watch(me, to, msg.kind());
        if hand == Some(Hand::Duplicate) {
            self.launch(id, side, Some(msg.clone()));
        }
        if let Some(key) = self.launch(id, side, Some(msg)) {
            match hand {
                None | Some(Hand::Duplicate) => {}
                Some(hand) => self.apply_hand(key, hand),
            }
        }
    }

    fn take_watch(&mut self, from: ProcId, to: Option<ProcId>, kind: &str) -> Option<Hand> {
        if self.watches.is_empty() {
            return None;
        }
        let found = self
            .watches
            .iter()
            .position(|(pattern, _)| pattern.fits(kind, from, to))?;
        Some(self.watches.remove(found).1)
    }

    /// Puts something on its way; in order behind what is already on it.
    fn launch(&mut self, id: ConnId, side: usize, msg: Option<W::Msg>) -> Option<Key> {
        let conn = self.conns.get_mut(id.0)?;
        let (from, to) = (conn.ends[side].host, conn.ends[1 - side].host);
        let way = &mut conn.ways[side];
        let due = (self.now + self.network.latency(from, to)).max(way.last_due);
        way.last_due = due;
        let key = self.flights.insert(Flight {
            conn: id,
            side,
            msg,
            sent: self.now,
            due,
            cause: self.event,
            attempts: 0,
            version: 0,
            arrived: false,
            held: false,
        });
        way.order.push_back(key);
        self.queue.push(due, Due::Deliver(key, 0));
        Some(key)
    }

    pub(super) fn close(&mut self, me: ProcId, id: ConnId) {
        let Some(side) = self.side(me, id) else {
            return;
        };
        self.shut(id, side);
    }

    /// One side is done with the connection: what it could not bring through is lost, and the other side is told.
    fn shut(&mut self, id: ConnId, side: usize) {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return;
        };
        conn.ends[side].open = false;
        let (from, to) = (conn.ends[side].host, conn.ends[1 - side].host);
        let other_open = conn.ends[1 - side].open;
        let cut = self.network.is_cut(from, to);
        self.forget_flights(id, side, |flight| cut || flight.attempts > 0);
        if other_open {
            self.launch(id, side, None);
        }
        self.tidy(id);
    }

    /// Takes messages (not a FIN) off a way.
    fn forget_flights(&mut self, id: ConnId, side: usize, lost: impl Fn(&Flight<W::Msg>) -> bool) {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return;
        };
        let flights = &mut self.flights;
        conn.ways[side].order.retain(|key| {
            let gone = flights.get(*key).is_none_or(|f| f.msg.is_some() && lost(f));
            if gone {
                flights.remove(*key);
            }
            !gone
        });
    }

    /// A connection that nobody holds any more and nothing travels on is forgotten.
    fn tidy(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get(id.0) else {
            return;
        };
        let idle = conn.ways.iter().all(|way| way.order.is_empty());
        if idle && !conn.ends[0].open && !conn.ends[1].open {
            self.conns.remove(id.0);
        }
    }

    fn reschedule(&mut self, key: Key, at: Time) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.version += 1;
            flight.due = at;
            flight.arrived = false;
            let version = flight.version;
            self.queue.push(at, Due::Deliver(key, version));
        }
    }

    fn apply_hand(&mut self, key: Key, hand: Hand) {
        let Some(flight) = self.flights.get(key) else {
            return;
        };
        let (id, side, due) = (flight.conn, flight.side, flight.due);
        match hand {
            Hand::Drop => {
                self.flights.remove(key);
                if let Some(conn) = self.conns.get_mut(id.0) {
                    conn.ways[side].order.retain(|k| *k != key);
                }
                self.wake_followers(id, side, false);
            }
            Hand::Hold => {
                if let Some(flight) = self.flights.get_mut(key) {
                    flight.held = true;
                }
            }
            Hand::Delay(span) => {
                let later = due.max(self.now) + span;
                if let Some(conn) = self.conns.get_mut(id.0) {
                    let way = &mut conn.ways[side];
                    way.last_due = way.last_due.max(later);
                }
                self.reschedule(key, later);
            }
            Hand::Duplicate => {
                if let Some(msg) = self.flights.get(key).and_then(|f| f.msg.clone()) {
                    self.launch(id, side, Some(msg));
                }
            }
            Hand::Reorder => self.swap_with_next(key, id, side),
        }
    }

    /// If nothing is behind it yet, the message is held until the next one overtakes it.
    fn swap_with_next(&mut self, key: Key, id: ConnId, side: usize) {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return;
        };
        let order = &mut conn.ways[side].order;
        let Some(place) = order.iter().position(|k| *k == key) else {
            return;
        };
        let Some(next) = order.get(place + 1).copied() else {
            return;
        };
        order.swap(place, place + 1);
        let due = self.flights.get(key).map_or(self.now, |f| f.due);
        let next_due = self.flights.get(next).map_or(self.now, |f| f.due);
        self.reschedule(next, due.max(self.now));
        self.reschedule(key, next_due.max(self.now));
    }

    /// The front of a way was taken: those behind it that wait may come now.
    fn wake_followers(&mut self, id: ConnId, side: usize, after_loss: bool) {
        let Some(conn) = self.conns.get(id.0) else {
            return;
        };
        let pause = if after_loss {
            self.network
                .latency(conn.ends[side].host, conn.ends[1 - side].host)
                .times(2)
        } else {
            Span::ZERO
        };
        let waiting: Vec<(Key, bool)> = conn.ways[side]
            .order
            .iter()
            .filter_map(|key| self.flights.get(*key).map(|f| (*key, f)))
            .filter(|(_, f)| f.arrived || (after_loss && f.attempts > 0))
            .map(|(key, f)| (key, f.arrived))
            .collect();
        for (key, arrived) in waiting {
            self.reschedule(key, self.now + if arrived { Span::ZERO } else { pause });
        }
    }

    fn start_event(&mut self, kind: EventKind, to: ProcId, from: Option<ProcId>, tag: u8, cause: u64) -> Step {
        let id = self.next_event;
        self.next_event += 1;
        self.event = id;
        self.notes.clear();
        Step {
            id,
            at: self.now,
            cause,
            kind,
            to,
            from,
            tag,
        }
    }

    fn end_event(&mut self, step: &Step) {
        let mut hasher = StableHasher::from_state(self.hash);
        step.hash(&mut hasher);
        self.notes.hash(&mut hasher);
        self.hash = hasher.finish();
    }

    fn stale(&self, due: &Due) -> bool {
        match due {
            Due::Deliver(key, version) => self.flights.get(*key).is_none_or(|f| f.version != *version),
            Due::Timer(key) => self
                .timers
                .get(*key)
                .is_none_or(|t| self.proc(t.proc).incarnation != t.incarnation),
            Due::Thawed(key) => self
                .thawed
                .get(*key)
                .is_none_or(|t| self.proc(t.proc).incarnation != t.incarnation),
            Due::Syn(id, _) | Due::SynAck(id, _) | Due::Refuse(id) => self.conns.get(id.0).is_none(),
        }
    }
}

/// What a due thing turns into.
enum Turn<W: Wire> {
    /// An input for a process.
    Hand {
        to: ProcId,
        from: Option<ProcId>,
        input: Input<W>,
        kind: EventKind,
        tag: u8,
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

impl<W: Wire> Core<W> {
    fn turn(&mut self, due: Due) -> Turn<W> {
        match due {
            Due::Deliver(key, _) => self.arrive(key),
            Due::Timer(key) => match self.timers.remove(key) {
                Some(t) => Turn::Hand {
                    to: t.proc,
                    from: None,
                    input: Input::Timer(t.item),
                    kind: EventKind::Timer,
                    tag: 0,
                    cause: t.cause,
                },
                None => Turn::Nothing,
            },
            Due::Thawed(key) => match self.thawed.remove(key) {
                Some(t) => Turn::Hand {
                    to: t.proc,
                    from: None,
                    kind: kind_of(&t.input),
                    tag: tag_of(&t.input),
                    input: t.input,
                    cause: t.cause,
                },
                None => Turn::Nothing,
            },
            Due::Syn(id, attempt) => self.syn(id, attempt),
            Due::SynAck(id, attempt) => self.syn_ack(id, attempt),
            Due::Refuse(id) => self.refuse(id),
        }
    }

    fn syn(&mut self, id: ConnId, attempt: u8) -> Turn<W> {
        let Some(conn) = self.conns.get(id.0) else {
            return Turn::Nothing;
        };
        let ([a, b], port, cause) = (conn.ends, conn.port, conn.cause);
        if !a.open || conn.established {
            return Turn::Nothing;
        }
        let lost = self.network.is_cut(a.host, b.host) || self.unlucky(a.host, b.host);
        if lost {
            return self.syn_again(id, attempt);
        }
        let answer_lost = self.network.is_cut(b.host, a.host);
        if b.proc.is_some() {
            // A repeated SYN of a connection that the server has accepted already.
            return if answer_lost {
                self.syn_again(id, attempt)
            } else {
                self.answer_syn(id, attempt)
            };
        }
        match self.network.listener(b.host, port) {
            None if answer_lost => self.syn_again(id, attempt),
            None => {
                let at = self.now + self.network.latency(b.host, a.host);
                self.queue.push(at, Due::Refuse(id));
                Turn::Nothing
            }
            Some(server) => {
                if let Some(conn) = self.conns.get_mut(id.0) {
                    conn.ends[1] = End {
                        host: b.host,
                        proc: Some(server),
                        open: true,
                    };
                }
                if answer_lost {
                    self.syn_again(id, attempt);
                } else {
                    self.answer_syn(id, attempt);
                }
                // The opener is known: `connect` put it there.
                let opener = a.proc;
                match opener {
                    Some(opener) => Turn::Hand {
                        to: server,
                        from: Some(opener),
                        input: Input::Accepted(id, opener),
                        kind: EventKind::Accepted,
                        tag: 0,
                        cause,
                    },
                    None => Turn::Nothing,
                }
            }
        }
    }

    fn answer_syn(&mut self, id: ConnId, attempt: u8) -> Turn<W> {
        if let Some(conn) = self.conns.get(id.0) {
            let at = self.now + self.network.latency(conn.ends[1].host, conn.ends[0].host);
            self.queue.push(at, Due::SynAck(id, attempt));
        }
        Turn::Nothing
    }

    fn syn_again(&mut self, id: ConnId, attempt: u8) -> Turn<W> {
        if let (Some(conn), Some(secs)) = (self.conns.get(id.0), SYN_AGAIN_SECS.get(usize::from(attempt))) {
            let latency = self.network.latency(conn.ends[0].host, conn.ends[1].host);
            let at = (conn.first_syn + Span::secs(*secs) + latency).max(self.now);
            self.queue.push(at, Due::Syn(id, attempt + 1));
        }
        Turn::Nothing
    }

    fn syn_ack(&mut self, id: ConnId, attempt: u8) -> Turn<W> {
        let Some(conn) = self.conns.get(id.0) else {
            return Turn::Nothing;
        };
        let ([a, b], cause) = (conn.ends, conn.cause);
        if !a.open || conn.established {
            return Turn::Nothing;
        }
        if self.network.is_cut(b.host, a.host) {
            return self.syn_again(id, attempt);
        }
        if let Some(conn) = self.conns.get_mut(id.0) {
            conn.established = true;
        }
        match a.proc {
            Some(opener) => Turn::Hand {
                to: opener,
                from: b.proc,
                input: Input::Opened(id),
                kind: EventKind::Opened,
                tag: 0,
                cause,
            },
            None => Turn::Nothing,
        }
    }

    fn refuse(&mut self, id: ConnId) -> Turn<W> {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return Turn::Nothing;
        };
        let (a, cause) = (conn.ends[0], conn.cause);
        conn.ends[0].open = false;
        self.tidy(id);
        match a.proc {
            Some(opener) if a.open => Turn::Hand {
                to: opener,
                from: None,
                input: Input::Refused(id),
                kind: EventKind::Refused,
                tag: 0,
                cause,
            },
            _ => Turn::Nothing,
        }
    }

    fn unlucky(&mut self, from: HostId, to: HostId) -> bool {
        let ppm = self.network.link(from, to).loss_ppm;
        ppm > 0 && self.luck.below(1_000_000) < u64::from(ppm)
    }

    fn arrive(&mut self, key: Key) -> Turn<W> {
        let Some(flight) = self.flights.get(key) else {
            return Turn::Nothing;
        };
        let (id, side, cause) = (flight.conn, flight.side, flight.cause);
        if flight.held {
            return self.wait(key);
        }
        let Some(conn) = self.conns.get(id.0) else {
            return Turn::Nothing;
        };
        let (from, to) = (conn.ends[side], conn.ends[1 - side]);
        let first = conn.ways[side].order.front() == Some(&key);
        if self.network.is_cut(from.host, to.host) || self.unlucky(from.host, to.host) {
            return self.lose(key);
        }
        if !first {
            return self.wait(key);
        }
        let Some(flight) = self.flights.remove(key) else {
            return Turn::Nothing;
        };
        if let Some(conn) = self.conns.get_mut(id.0) {
            conn.ways[side].order.pop_front();
        }
        self.wake_followers(id, side, flight.attempts > 0);
        match flight.msg {
            Some(msg) => self.arrive_message(id, side, msg, cause),
            None => self.arrive_end(id, side, cause),
        }
    }

    fn wait(&mut self, key: Key) -> Turn<W> {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.arrived = true;
        }
        Turn::Nothing
    }

    /// A packet is lost: it goes again later, or the sender gives the connection up.
    fn lose(&mut self, key: Key) -> Turn<W> {
        let Some(flight) = self.flights.get_mut(key) else {
            return Turn::Nothing;
        };
        flight.attempts += 1;
        let (id, side, attempts, cause) = (flight.conn, flight.side, flight.attempts, flight.cause);
        let tag = flight.msg.as_ref().map(Payload::tag);
        if attempts > RETRANSMITS {
            return self.give_up(id, side, cause);
        }
        let at = self.now + retransmit_after(attempts);
        self.reschedule(key, at);
        let ends = self.conns.get(id.0).map(|conn| conn.ends);
        match (tag, ends) {
            (Some(tag), Some(ends)) => match ends[1 - side].proc {
                Some(to) => Turn::Lost {
                    to,
                    from: ends[side].proc,
                    tag,
                    cause,
                },
                None => Turn::Nothing,
            },
            _ => Turn::Nothing,
        }
    }

    /// The sender's side ends the connection by itself (ETIMEDOUT); the other side hears nothing.
    fn give_up(&mut self, id: ConnId, side: usize, cause: u64) -> Turn<W> {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return Turn::Nothing;
        };
        let end = conn.ends[side];
        conn.ends[side].open = false;
        let keys: Vec<Key> = conn.ways[side].order.drain(..).collect();
        for key in keys {
            self.flights.remove(key);
        }
        self.tidy(id);
        self.closed_input(end, id, cause)
    }

    fn closed_input(&mut self, end: End, id: ConnId, cause: u64) -> Turn<W> {
        match end.proc {
            Some(to) if end.open => Turn::Hand {
                to,
                from: None,
                input: Input::Closed(id),
                kind: EventKind::Closed,
                tag: 0,
                cause,
            },
            _ => Turn::Nothing,
        }
    }

    fn arrive_message(&mut self, id: ConnId, side: usize, msg: W::Msg, cause: u64) -> Turn<W> {
        let Some(conn) = self.conns.get(id.0) else {
            return Turn::Nothing;
        };
        let (from, to) = (conn.ends[side], conn.ends[1 - side]);
        match to.proc {
            Some(proc) if to.open => Turn::Hand {
                to: proc,
                from: from.proc,
                kind: EventKind::Message,
                tag: msg.tag(),
                input: Input::Message(id, msg),
                cause,
            },
            _ => {
                // Nobody holds this side any more: its host answers with a reset.
                let told = conn.ways[1 - side]
                    .order
                    .iter()
                    .any(|key| self.flights.get(*key).is_some_and(|f| f.msg.is_none()));
                if from.open && !told {
                    self.launch(id, 1 - side, None);
                }
                self.tidy(id);
                Turn::Nothing
            }
        }
    }

    fn arrive_end(&mut self, id: ConnId, side: usize, cause: u64) -> Turn<W> {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return Turn::Nothing;
        };
        let end = conn.ends[1 - side];
        let established = conn.established || side == 0;
        conn.ends[1 - side].open = false;
        self.forget_flights(id, 1 - side, |_| true);
        self.tidy(id);
        match end.proc {
            Some(to) if end.open && !established => Turn::Hand {
                to,
                from: None,
                input: Input::Refused(id),
                kind: EventKind::Refused,
                tag: 0,
                cause,
            },
            _ => self.closed_input(end, id, cause),
        }
    }
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

/// A world. Cloning it is a snapshot: processes are shared until they change.
#[derive(Clone)]
pub struct Sim<P: Process> {
    procs: Vec<Rc<P>>,
    core: Core<P::Wire>,
}

impl<P: Process> Sim<P> {
    pub fn new(seed: u64) -> Self {
        Sim {
            procs: Vec::new(),
            core: Core::new(seed),
        }
    }

    pub fn add_host(&mut self, name: &str) -> HostId {
        self.core.network.add_host(name)
    }

    /// Adds a process to a host; it does nothing until it is started.
    pub fn add(&mut self, name: &str, host: HostId, process: P) -> ProcId {
        self.procs.push(Rc::new(process));
        self.core.add_proc(name, host)
    }

    pub fn now(&self) -> Time {
        self.core.now
    }

    /// How many events were handled.
    pub fn events(&self) -> u64 {
        self.core.next_event
    }

    /// A hash over everything that happened so far.
    pub fn hash(&self) -> u64 {
        self.core.hash
    }

    pub fn network(&self) -> &Network {
        &self.core.network
    }

    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.core.network
    }

    pub fn process(&self, id: ProcId) -> &P {
        &self.procs[id.0 as usize]
    }

    /// A process to be changed from outside (its disk wiped, say); belongs to a command.
    pub fn process_mut(&mut self, id: ProcId) -> &mut P {
        Rc::make_mut(&mut self.procs[id.0 as usize])
    }

    pub fn ids(&self) -> impl Iterator<Item = ProcId> + use<P> {
        (0..self.procs.len() as u32).map(ProcId)
    }

    pub fn name(&self, id: ProcId) -> &Rc<str> {
        &self.core.proc(id).name
    }

    pub fn host_of(&self, id: ProcId) -> HostId {
        self.core.host_of(id)
    }

    pub fn status(&self, id: ProcId) -> Status {
        self.core.proc(id).status
    }

    /// Since when the process has its status.
    pub fn since(&self, id: ProcId) -> Time {
        self.core.proc(id).since
    }

    /// What was reported during the last event, in order.
    pub fn notes(&self) -> &[(ProcId, <P::Wire as Wire>::Note)] {
        &self.core.notes
    }

    /// The observations of the last event again, taken out.
    pub fn take_notes(&mut self) -> Vec<(ProcId, <P::Wire as Wire>::Note)> {
        std::mem::take(&mut self.core.notes)
    }

    /// The number of the event that was handled last.
    pub fn event(&self) -> u64 {
        self.core.event
    }

    /// Puts back what [`Sim::take_notes`] took.
    pub fn put_notes(&mut self, notes: Vec<(ProcId, <P::Wire as Wire>::Note)>) {
        self.core.notes = notes;
    }

    /// When the next event is due, if any is.
    pub fn next_time(&mut self) -> Option<Time> {
        while let Some(due) = self.core.queue.peek() {
            if !self.core.stale(due) {
                return self.core.queue.peek_time();
            }
            self.core.queue.pop();
        }
        None
    }

    /// Handles the next event; `None` if nothing is due any more.
    pub fn step(&mut self) -> Option<Step> {
        self.step_until(Time::NEVER)
    }

    /// Handles the next event if it is due at or before `limit`.
    pub fn step_until(&mut self, limit: Time) -> Option<Step> {
        loop {
            if self.core.queue.peek_time()? > limit {
                return None;
            }
            let (at, due) = self.core.queue.pop()?;
            if self.core.stale(&due) {
                continue;
            }
            self.core.now = at;
            match self.core.turn(due) {
                Turn::Nothing => continue,
                Turn::Lost { to, from, tag, cause } => {
                    let step = self.core.start_event(EventKind::Lost, to, from, tag, cause);
                    self.core.end_event(&step);
                    return Some(step);
                }
                Turn::Hand {
                    to,
                    from,
                    input,
                    kind,
                    tag,
                    cause,
                } => match self.core.proc(to).status {
                    Status::Running => {
                        let step = self.core.start_event(kind, to, from, tag, cause);
                        self.hand(to, input);
                        self.core.end_event(&step);
                        return Some(step);
                    }
                    Status::Frozen => self.core.proc_mut(to).parked.push((input, cause)),
                    Status::Down(_) => {}
                },
            }
        }
    }

    /// Lets time pass to `at` without an event (nothing must be due before).
    pub fn pass_to(&mut self, at: Time) {
        self.core.now = self.core.now.max(at);
    }

    fn hand(&mut self, to: ProcId, input: Input<P::Wire>) {
        self.core.exiting = false;
        let process = Rc::make_mut(&mut self.procs[to.0 as usize]);
        process.handle(
            input,
            &mut Ctx {
                core: &mut self.core,
                me: to,
            },
        );
        if self.core.exiting {
            self.core.exiting = false;
            self.halt(to, Halt::Exit);
        }
    }

    /// Begins an event that somebody outside causes at `at` (not before now). What is done to the world until the next
    /// step belongs to it.
    pub fn command(&mut self, at: Time) -> Step {
        self.core.now = self.core.now.max(at);
        let step = self
            .core
            .start_event(EventKind::Command, ProcId(u32::MAX), None, 0, NO_CAUSE);
        self.core.end_event(&step);
        step
    }

    /// Tells a running process something, at once. A frozen one hears it when it thaws; one that is down, never.
    pub fn order(&mut self, to: ProcId, order: <P::Wire as Wire>::Order) {
        let input = Input::Order(order);
        match self.core.proc(to).status {
            Status::Running => self.hand_from_outside(to, input),
            Status::Frozen => {
                let cause = self.core.event;
                self.core.proc_mut(to).parked.push((input, cause));
            }
            Status::Down(_) => {}
        }
    }

    /// Starts a process that does not run, at once; its host gets power if it had none.
    pub fn start(&mut self, id: ProcId) {
        if !matches!(self.core.proc(id).status, Status::Down(_)) {
            return;
        }
        let host = self.core.host_of(id);
        self.core.network.host_mut(host).up = true;
        let now = self.core.now;
        let proc = self.core.proc_mut(id);
        proc.status = Status::Running;
        proc.since = now;
        self.hand_from_outside(id, Input::Start);
    }

    /// An input that belongs to the command at hand.
    fn hand_from_outside(&mut self, to: ProcId, input: Input<P::Wire>) {
        let already = self.core.notes.len();
        self.hand(to, input);
        let mut hasher = StableHasher::from_state(self.core.hash);
        self.core.notes[already..].hash(&mut hasher);
        self.core.hash = hasher.finish();
    }

    /// The process is gone: by a crash, with the power of its host, or by itself.
    pub fn halt(&mut self, id: ProcId, how: Halt) {
        if matches!(self.core.proc(id).status, Status::Down(_)) {
            return;
        }
        let now = self.core.now;
        let host = self.core.host_of(id);
        self.core.network.host_mut(host).ports.retain(|_, owner| *owner != id);
        let proc = self.core.proc_mut(id);
        proc.status = Status::Down(Some(how));
        proc.since = now;
        proc.incarnation += 1;
        proc.parked.clear();
        let mine: Vec<(ConnId, usize)> = self
            .core
            .conns
            .iter()
            .flat_map(|(key, conn)| (0..2).map(move |side| (key, conn, side)))
            .filter(|(_, conn, side)| conn.ends[*side].proc == Some(id) && conn.ends[*side].open)
            .map(|(key, _, side)| (ConnId(key), side))
            .collect();
        for (conn, side) in mine {
            if how == Halt::PowerLoss {
                self.core.vanish(conn, side);
            } else {
                self.core.shut(conn, side);
            }
        }
        Rc::make_mut(&mut self.procs[id.0 as usize]).halt(how);
    }

    /// The host loses power: all its processes are gone without a word to anybody.
    pub fn power_off(&mut self, host: HostId) {
        let here: Vec<ProcId> = self.ids().filter(|id| self.core.host_of(*id) == host).collect();
        for id in here {
            self.halt(id, Halt::PowerLoss);
        }
        self.core.network.host_mut(host).up = false;
    }

    /// SIGSTOP.
    pub fn freeze(&mut self, id: ProcId) {
        let now = self.core.now;
        let proc = self.core.proc_mut(id);
        if proc.status == Status::Running {
            proc.status = Status::Frozen;
            proc.since = now;
        }
    }

    /// SIGCONT: everything that came meanwhile is handled now, in the order in which it came.
    pub fn thaw(&mut self, id: ProcId) {
        let now = self.core.now;
        let proc = self.core.proc_mut(id);
        if proc.status != Status::Frozen {
            return;
        }
        proc.status = Status::Running;
        proc.since = now;
        let incarnation = proc.incarnation;
        for (input, cause) in std::mem::take(&mut proc.parked) {
            let key = self.core.thawed.insert(ThawedEntry {
                proc: id,
                incarnation,
                input,
                cause,
            });
            self.core.queue.push(now, Due::Thawed(key));
        }
    }

    /// Puts a hand on the `nth` (from 1) oldest fitting message in flight. False if there is none.
    pub fn hand_on(&mut self, pattern: &Pattern, hand: Hand, nth: u32) -> bool {
        match self.find_flight(pattern, nth) {
            Some(key) => {
                self.core.apply_hand(key, hand);
                true
            }
            None => false,
        }
    }

    /// Puts a hand on the next fitting message that is sent.
    pub fn hand_on_next(&mut self, pattern: Pattern, hand: Hand) {
        self.core.watches.push((pattern, hand));
    }

    /// Puts a hand on one message by its number in [`Sim::in_flight`]. False if it is gone.
    pub fn hand_on_flight(&mut self, id: u64, hand: Hand) -> bool {
        let key = Key::from_u64(id);
        let there = self.core.flights.get(key).is_some();
        self.core.apply_hand(key, hand);
        there
    }

    /// Lets go of held messages that fit (all, without a pattern). Returns how many.
    pub fn release(&mut self, pattern: Option<&Pattern>) -> usize {
        let held: Vec<Key> = self
            .core
            .flights
            .iter()
            .filter(|(_, f)| f.held)
            .filter(|(_, f)| {
                let Some(pattern) = pattern else { return true };
                let (Some(conn), Some(msg)) = (self.core.conns.get(f.conn.0), f.msg.as_ref()) else {
                    return false;
                };
                conn.ends[f.side]
                    .proc
                    .is_some_and(|from| pattern.fits(msg.kind(), from, conn.ends[1 - f.side].proc))
            })
            .map(|(key, _)| key)
            .collect();
        let now = self.core.now;
        for key in &held {
            if let Some(flight) = self.core.flights.get_mut(*key) {
                flight.held = false;
                let due = flight.due.max(now);
                self.core.reschedule(*key, due);
            }
        }
        held.len()
    }

    fn find_flight(&self, pattern: &Pattern, nth: u32) -> Option<Key> {
        let mut fitting: Vec<(Time, u64, Key)> = self
            .core
            .flights
            .iter()
            .filter(|(_, f)| {
                let (Some(conn), Some(msg)) = (self.core.conns.get(f.conn.0), f.msg.as_ref()) else {
                    return false;
                };
                conn.ends[f.side]
                    .proc
                    .is_some_and(|from| pattern.fits(msg.kind(), from, conn.ends[1 - f.side].proc))
            })
            .map(|(key, f)| (f.sent, f.cause, key))
            .collect();
        fitting.sort_unstable();
        fitting.get(nth.saturating_sub(1) as usize).map(|(_, _, key)| *key)
    }

    /// All messages on their way.
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight<'_, <P::Wire as Wire>::Msg>> {
        let now = self.core.now;
        self.core.flights.iter().filter_map(move |(key, f)| {
            let conn = self.core.conns.get(f.conn.0)?;
            Some(InFlight {
                id: key.as_u64(),
                from: conn.ends[f.side].proc?,
                to: conn.ends[1 - f.side].proc,
                msg: f.msg.as_ref()?,
                sent: f.sent,
                due: f.due,
                waiting: f.held || f.attempts > 0 || f.due < now,
            })
        })
    }
}

impl<W: Wire> Core<W> {
    /// One side of a connection is gone without a word (its host lost power).
    fn vanish(&mut self, id: ConnId, side: usize) {
        let Some(conn) = self.conns.get_mut(id.0) else {
            return;
        };
        conn.ends[side].open = false;
        let keys: Vec<Key> = conn.ways[side].order.drain(..).collect();
        for key in keys {
            self.flights.remove(key);
        }
        self.tidy(id);
    }
}
