//! The state of the world around the processes: time, what is due, timers, and the record of each event.

use super::hands::{Hand, Pattern};
use super::processes::{ProcState, Status};
use super::{EventKind, Step, Turn};
use crate::sim::clock::{Span, Time};
use crate::sim::conn::{Conn, Flight};
use crate::sim::hash::StableHasher;
use crate::sim::network::Network;
use crate::sim::process::{HostId, Input, ProcId, TimerId, Wire};
use crate::sim::queue::Queue;
use crate::sim::random::Random;
use crate::sim::slab::{Key, Slab};
use std::hash::{Hash, Hasher};

/// The wall clock at virtual time zero: 2026-11-24T00:00:00Z, in milliseconds since 1970.
pub const WALL_START_MS: i64 = 1_795_478_400_000;

/// No event: the cause of what somebody outside did.
pub const NO_CAUSE: u64 = u64::MAX;

/// So many outdated things may stay in the queue before it is worth while to sweep them out.
const SWEEP_AT: usize = 256;

/// Something that is due at some time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A flight arrives, if its version is still this one.
    Arrival(Key, u32),
    /// The `n`-th repetition of a SYN arrives; 0 is the first SYN.
    Syn(Key, u8),
    /// The answer to it arrives.
    SynAck(Key, u8),
    /// The refusal of it arrives.
    Refusal(Key, u8),
    /// An attempt to connect has lasted too long.
    ConnectTimeout(Key),
    Timer(Key),
    /// A process that was thawed for the `n`-th time takes the next of what came meanwhile.
    Backlog(ProcId, u32),
}

/// A timer that was set.
#[derive(Clone, Debug)]
pub(super) struct Timer<W: Wire> {
    pub proc: ProcId,
    pub item: W::Timer,
    pub cause: u64,
}

/// Everything of the world but the processes themselves.
#[derive(Clone, Debug)]
pub struct Core<W: Wire> {
    pub(super) now: Time,
    pub(super) next_event: u64,
    pub(super) event: u64,
    pub(super) hash: u64,
    pub(super) queue: Queue<Due>,
    /// About how much of the queue is outdated.
    outdated: usize,
    pub(super) flights: Slab<Flight<W::Msg>>,
    pub(super) launched: u64,
    pub(super) timers: Slab<Timer<W>>,
    pub(in crate::sim) conns: Slab<Conn>,
    pub(super) procs: Vec<ProcState<W>>,
    pub(super) watches: Vec<(Pattern, Hand)>,
    luck: Random,
    /// Hosts and links.
    pub network: Network,
    pub(in crate::sim) notes: Vec<(ProcId, W::Note)>,
    pub(in crate::sim) exiting: bool,
}

impl<W: Wire> Core<W> {
    pub fn new(seed: u64) -> Self {
        Core {
            now: Time::ZERO,
            next_event: 0,
            event: NO_CAUSE,
            hash: StableHasher::default().finish(),
            queue: Queue::default(),
            outdated: 0,
            flights: Slab::default(),
            launched: 0,
            timers: Slab::default(),
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

    /// The number of the event being handled.
    pub fn event(&self) -> u64 {
        self.event
    }

    pub(in crate::sim) fn timer(&mut self, me: ProcId, after: Span, item: W::Timer) -> TimerId {
        let key = self.timers.insert(Timer {
            proc: me,
            item,
            cause: self.event,
        });
        self.queue.push(self.now + after, Due::Timer(key));
        TimerId(key)
    }

    pub(in crate::sim) fn cancel(&mut self, timer: TimerId) {
        if self.timers.remove(timer.0).is_some() {
            self.outdate(1);
        }
    }

    /// A halted process has no timers any more.
    pub(super) fn drop_timers(&mut self, of: ProcId) {
        let timers = self.timers.iter().filter(|(_, timer)| timer.proc == of);
        let keys: Vec<Key> = timers.map(|(key, _)| key).collect();
        for key in &keys {
            self.timers.remove(*key);
        }
        self.outdate(keys.len());
    }

    /// So many more things in the queue mean nothing any more. When they are most of it, they are swept out: time-outs
    /// that are nearly always cancelled would fill it otherwise.
    pub(super) fn outdate(&mut self, more: usize) {
        self.outdated += more;
        if self.outdated >= SWEEP_AT && self.outdated * 2 > self.queue.len() {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|due| !self.is_outdated(due));
            self.queue = queue;
            self.outdated = 0;
        }
    }

    /// Takes an outdated thing off the front of the queue. False if the front is worth a turn, or nothing is there.
    pub(super) fn skip_outdated(&mut self) -> bool {
        let outdated = self.queue.peek().is_some_and(|due| self.is_outdated(due));
        if outdated {
            self.queue.pop();
            self.outdated = self.outdated.saturating_sub(1);
        }
        outdated
    }

    fn is_outdated(&self, due: &Due) -> bool {
        match due {
            Due::Arrival(key, version) => self.flights.get(*key).is_none_or(|f| f.version != *version),
            Due::Timer(key) => self.timers.get(*key).is_none(),
            Due::Backlog(proc, thaw) => !self.proc(*proc).has_backlog(*thaw),
            Due::Syn(conn, _) | Due::SynAck(conn, _) | Due::Refusal(conn, _) | Due::ConnectTimeout(conn) => self
                .conns
                .get(*conn)
                .is_none_or(|conn| conn.established || !conn.opener.open),
        }
    }

    /// What a due thing, not outdated, turns into.
    pub(super) fn turn(&mut self, due: Due) -> Turn<W> {
        match due {
            Due::Arrival(key, _) => self.arrive(key),
            Due::Timer(key) => self.fire(key),
            Due::Backlog(proc, thaw) => self.next_of_backlog(proc, thaw),
            Due::Syn(conn, attempt) => self.syn(conn, attempt),
            Due::SynAck(conn, attempt) => self.syn_ack(conn, attempt),
            Due::Refusal(conn, attempt) => self.refusal(conn, attempt),
            Due::ConnectTimeout(conn) => self.fail_to_connect(conn),
        }
    }

    fn fire(&mut self, key: Key) -> Turn<W> {
        let Some(timer) = self.timers.get(key) else {
            return Turn::Nothing;
        };
        if self.proc(timer.proc).must_wait() {
            self.park_timer(timer.proc, key);
            return Turn::Nothing;
        }
        self.take_timer(key)
    }

    pub(super) fn take_timer(&mut self, key: Key) -> Turn<W> {
        match self.timers.remove(key) {
            Some(timer) => Turn::Hand {
                to: timer.proc,
                from: None,
                input: Input::Timer(timer.item),
                cause: timer.cause,
            },
            None => Turn::Nothing,
        }
    }

    /// Whether a packet that would arrive now does not: a cut, a host without power, or bad luck.
    pub(super) fn is_lost(&mut self, from: HostId, to: HostId) -> bool {
        let link = self.network.link(from, to);
        link.cut
            || !self.network.host(from).up
            || !self.network.host(to).up
            || (link.loss_ppm > 0 && self.luck.below(1_000_000) < u64::from(link.loss_ppm))
    }

    pub(super) fn start_event(
        &mut self,
        kind: EventKind,
        to: ProcId,
        from: Option<ProcId>,
        tag: u8,
        cause: u64,
    ) -> Step {
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

    pub(super) fn end_event(&mut self, step: &Step) {
        let mut hasher = StableHasher::from_state(self.hash);
        hasher.write_u64(step.at.as_us());
        hasher.write_u64(step.cause);
        let from = step.from.map_or(u32::MAX, |from| from.0);
        hasher.write_u64(u64::from(step.to.0) << 32 | u64::from(from));
        hasher.write_u64(u64::from(step.tag) << 8 | step.kind as u64);
        self.notes.hash(&mut hasher);
        self.hash = hasher.finish();
    }

    /// Takes observations into the hash that were made after their event was closed (during a command).
    pub(super) fn hash_notes_from(&mut self, first: usize) {
        let mut hasher = StableHasher::from_state(self.hash);
        self.notes[first..].hash(&mut hasher);
        self.hash = hasher.finish();
    }

    /// A process without a world around it, for tests of rules ([`Ctx::alone`](crate::sim::Ctx::alone)).
    pub fn add_proc(&mut self, name: &str, host: HostId) -> ProcId {
        self.procs.push(ProcState::new(name, host, self.now));
        ProcId((self.procs.len() - 1) as u32)
    }

    pub fn host_of(&self, proc: ProcId) -> HostId {
        self.proc(proc).host
    }

    pub(super) fn proc(&self, id: ProcId) -> &ProcState<W> {
        // Process ids are made by `add_proc` alone and processes never go.
        &self.procs[id.0 as usize]
    }

    pub(super) fn proc_mut(&mut self, id: ProcId) -> &mut ProcState<W> {
        &mut self.procs[id.0 as usize]
    }

    pub(super) fn runs(&self, id: ProcId) -> bool {
        self.proc(id).status == Status::Running
    }
}
