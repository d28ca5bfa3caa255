//! A world with its processes: one event after the other, and what somebody outside does in between.

use super::core::{Core, Due, NO_CAUSE};
use super::hands::{Hand, InFlight, Pattern};
use super::processes::Status;
use super::residents::Resident;
use super::{EventKind, Step, Turn, kind_of, tag_of};
use crate::sim::clock::Time;
use crate::sim::network::{LanId, Network, NetworkError};
use crate::sim::process::{Halt, HostId, Input, ProcId, Wire};
use crate::sim::slab::Key;
use std::rc::Rc;

/// A world. Cloning it is a snapshot: processes are shared until they change.
#[derive(Clone)]
pub struct Sim<P: Resident> {
    procs: Vec<Rc<P>>,
    pub(super) core: Core<P::Wire>,
}

// What is there.
impl<P: Resident> Sim<P> {
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

    /// The number of the event that was handled last.
    pub fn event(&self) -> u64 {
        self.core.event
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

    /// Puts back what [`Sim::take_notes`] took.
    pub fn put_notes(&mut self, notes: Vec<(ProcId, <P::Wire as Wire>::Note)>) {
        self.core.notes = notes;
    }

    /// Gives it memory that was taken with [`Sim::take_notes`] and is not needed any more, for the next event's.
    pub fn spare_notes(&mut self, mut spare: Vec<(ProcId, <P::Wire as Wire>::Note)>) {
        /// What one event in a hundred needs is not kept for all of them.
        const MOST: usize = 64;
        if self.core.notes.capacity() == 0 && spare.capacity() <= MOST {
            spare.clear();
            self.core.notes = spare;
        }
    }

    /// All messages on their way.
    pub fn in_flight(&self) -> impl Iterator<Item = InFlight<'_, <P::Wire as Wire>::Msg>> {
        self.core.in_flight()
    }
}

// Stepping.
impl<P: Resident> Sim<P> {
    /// When the next event is due, if any is.
    pub fn next_time(&mut self) -> Option<Time> {
        while self.core.skip_outdated() {}
        self.core.queue.peek_time()
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
            if self.core.skip_outdated() {
                continue;
            }
            let (at, due) = self.core.queue.pop()?;
            self.core.now = at;
            match self.core.turn(due) {
                Turn::Nothing => {}
                Turn::Lost { to, from, tag, cause } => {
                    let step = self.core.start_event(EventKind::Lost, to, from, tag, cause);
                    self.core.end_event(&step);
                    return Some(step);
                }
                Turn::Hand { to, from, input, cause } => {
                    let late = matches!(due, Due::Backlog(..));
                    if !late && self.core.proc(to).must_wait() {
                        self.core.park(to, input, from, cause);
                    } else if self.core.runs(to) {
                        let step = self.core.start_event(kind_of(&input), to, from, tag_of(&input), cause);
                        self.hand(to, input);
                        self.core.end_event(&step);
                        return Some(step);
                    }
                }
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
        process.receive(input, &mut self.core, to);
        if self.core.exiting {
            self.core.exiting = false;
            self.halt(to, Halt::Exit);
        }
    }
}

// What somebody outside does.
impl<P: Resident> Sim<P> {
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
    pub fn order(&mut self, to: ProcId, order: impl Into<<P::Wire as Wire>::Order>) {
        let input = Input::Order(order.into());
        if self.core.proc(to).must_wait() {
            let cause = self.core.event;
            self.core.park(to, input, None, cause);
        } else if self.core.runs(to) {
            self.hand_from_outside(to, input);
        }
    }

    /// An observation of a process that belongs to the command at hand.
    pub fn note(&mut self, of: ProcId, note: <P::Wire as Wire>::Note) {
        let already = self.core.notes.len();
        self.core.notes.push((of, note));
        self.core.hash_notes_from(already);
    }

    /// Starts a process that does not run, at once; its host gets power if it had none.
    pub fn start(&mut self, id: ProcId) {
        if self.core.revive(id) {
            self.hand_from_outside(id, Input::Start);
        }
    }

    /// An input that belongs to the command at hand.
    fn hand_from_outside(&mut self, to: ProcId, input: Input<P::Wire>) {
        let already = self.core.notes.len();
        self.hand(to, input);
        self.core.hash_notes_from(already);
    }

    /// The process is gone: by a crash, with the power of its host, or by itself.
    pub fn halt(&mut self, id: ProcId, how: Halt) {
        if self.core.end_process(id, how) {
            self.process_mut(id).end(how);
        }
    }

    /// The host loses power: all its processes are gone without a word to anybody.
    pub fn power_off(&mut self, host: HostId) {
        let here: Vec<ProcId> = self.ids().filter(|id| self.core.host_of(*id) == host).collect();
        for id in here {
            self.halt(id, Halt::PowerLoss);
        }
        self.core.network.host_mut(host).up = false;
    }

    /// A host leaves a named network: its address and names there are gone, and nothing comes through the connections
    /// over it any more.
    ///
    /// # Errors
    /// The engine's.
    pub fn detach(&mut self, host: HostId, lan: LanId) -> Result<(), NetworkError> {
        self.core.network.detach(host, lan)?;
        self.core.sever(host, lan);
        Ok(())
    }

    /// SIGSTOP.
    pub fn freeze(&mut self, id: ProcId) {
        self.core.freeze(id);
    }

    /// SIGCONT: everything that came meanwhile is handled now, in the order in which it came.
    pub fn thaw(&mut self, id: ProcId) {
        self.core.thaw(id);
    }

    /// Puts a hand on the `nth` (from 1) oldest fitting message in flight. False if there is none.
    pub fn hand_on(&mut self, pattern: &Pattern, hand: Hand, nth: u32) -> bool {
        let found = self.core.find_flight(pattern, nth);
        if let Some(key) = found {
            self.core.apply_hand(key, hand);
        }
        found.is_some()
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
        self.core.release(pattern)
    }
}
