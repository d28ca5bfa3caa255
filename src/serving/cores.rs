//! The processor cores of one server: a unit of execution (a worker process, a child, a thread) that has something to
//! compute gets a core, first come, first served, for a time slice; a core that changes units pays for the switch.
//!
//! A value with a clock from outside: [`Cores::submit`] gives work, [`Cores::next_time`] says when to look again,
//! [`Cores::advance`] says who has finished.

use crate::sim::{Span, Time};
use std::collections::VecDeque;

/// How long a unit keeps a core while others wait for one.
pub const SLICE: Span = Span::us(1_000);

/// A unit of execution: at most one piece of work at a time.
pub type UnitId = u32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Work {
    unit: UnitId,
    left: Span,
}

/// A core with what runs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Core {
    running: Option<Work>,
    /// Since when it runs, the switch included.
    since: Time,
    /// Who ran last: coming back costs no switch.
    last: Option<UnitId>,
}

/// The cores, and who waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores {
    cores: Vec<Core>,
    waiting: VecDeque<Work>,
    switch: Span,
}

impl Cores {
    /// `count` cores (at least one); each change of unit costs `switch`.
    pub fn new(count: u32, switch: Span) -> Cores {
        Cores {
            cores: vec![Core::default(); count.max(1) as usize],
            waiting: VecDeque::new(),
            switch,
        }
    }

    /// The unit has so much to compute. It must have nothing under way.
    pub fn submit(&mut self, now: Time, unit: UnitId, work: Span) {
        self.waiting.push_back(Work { unit, left: work });
        self.fill(now);
    }

    /// The unit is gone; what it computed is lost.
    pub fn remove(&mut self, now: Time, unit: UnitId) {
        self.waiting.retain(|work| work.unit != unit);
        for core in &mut self.cores {
            if core.running.is_some_and(|work| work.unit == unit) {
                core.running = None;
            }
        }
        self.fill(now);
    }

    /// How many units compute or wait to.
    pub fn busy(&self) -> usize {
        self.cores.iter().filter(|core| core.running.is_some()).count() + self.waiting.len()
    }

    /// How many units wait for a core.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// When somebody finishes or must make room.
    pub fn next_time(&self) -> Option<Time> {
        self.cores.iter().filter_map(|core| self.stop(core)).min()
    }

    /// When the core's work ends or its slice does, if others wait.
    fn stop(&self, core: &Core) -> Option<Time> {
        let work = core.running?;
        let runs = if self.waiting.is_empty() {
            work.left
        } else {
            work.left.min(SLICE)
        };
        Some(core.since + runs)
    }

    /// Time has come to `now`: the units that have finished, in the order of the cores.
    pub fn advance(&mut self, now: Time) -> Vec<UnitId> {
        let mut finished = Vec::new();
        for index in 0..self.cores.len() {
            let core = &mut self.cores[index];
            let Some(work) = core.running else { continue };
            let ran = now.since(core.since);
            if ran >= work.left {
                core.running = None;
                finished.push(work.unit);
            } else if ran >= SLICE && !self.waiting.is_empty() {
                core.running = None;
                self.waiting.push_back(Work {
                    left: Span::us(work.left.as_us() - ran.as_us()),
                    ..work
                });
            }
        }
        self.fill(now);
        finished
    }

    /// Free cores take who waits.
    fn fill(&mut self, now: Time) {
        for core in &mut self.cores {
            if core.running.is_some() {
                continue;
            }
            let Some(work) = self.waiting.pop_front() else { return };
            let switch = if core.last == Some(work.unit) || core.last.is_none() {
                Span::ZERO
            } else {
                self.switch
            };
            *core = Core {
                running: Some(work),
                since: now + switch,
                last: Some(work.unit),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs all the work and says when each unit finished, in milliseconds.
    fn finish(cores: &mut Cores, work: &[(UnitId, u64)]) -> Vec<(UnitId, u64)> {
        for (unit, ms) in work {
            cores.submit(Time::ZERO, *unit, Span::ms(*ms));
        }
        let mut ends = Vec::new();
        while let Some(at) = cores.next_time() {
            ends.extend(cores.advance(at).into_iter().map(|unit| (unit, at.as_us() / 1_000)));
        }
        ends
    }

    #[test]
    fn one_core_is_shared_by_slices() {
        let mut cores = Cores::new(1, Span::ZERO);
        assert_eq!(finish(&mut cores, &[(1, 3), (2, 1), (3, 2)]), [(2, 2), (3, 5), (1, 6)]);
    }

    #[test]
    fn more_cores_work_at_once() {
        let mut cores = Cores::new(2, Span::ZERO);
        assert_eq!(finish(&mut cores, &[(1, 50), (2, 50)]), [(1, 50), (2, 50)]);
    }

    #[test]
    fn a_change_of_unit_costs_its_switch() {
        let mut cores = Cores::new(1, Span::ms(1));
        assert_eq!(finish(&mut cores, &[(1, 1), (2, 1)]), [(1, 1), (2, 3)]);
    }

    #[test]
    fn who_is_gone_leaves_its_core() {
        let mut cores = Cores::new(1, Span::ZERO);
        cores.submit(Time::ZERO, 1, Span::ms(50));
        cores.submit(Time::ZERO, 2, Span::ms(1));
        cores.remove(Time::ZERO, 1);
        assert_eq!(cores.next_time(), Some(Time::ZERO + Span::ms(1)));
        assert_eq!(cores.busy(), 1);
    }
}
