//! A run: a scenario's text and what it does, at one moment that can be moved to and fro. The page, the terminal and the
//! tests hold a `Run`.
//!
//! Times are microseconds of the scenario's clock. Events are numbered from 1 for the first after the warm-up; "event n"
//! as a moment is the one after event n, so 0 is the start. A line of the scenario happens before other events of its
//! microsecond.

mod edit;
mod read;
mod seek;
#[cfg(test)]
mod tests;

use super::branches::{Branch, Script};
use super::checkpoints::Moment;
use super::journal::Heard;
use super::language::Error;
use super::limits::MAX_EVENTS;
use super::tools::Shell;
use super::view::BranchView;
use super::world::{kernel_time, lab_us};
use crate::sim::Time;
use std::collections::VecDeque;
use std::rc::Rc;

/// Events in full that are kept behind the present, for the log's details.
const HEARD: usize = 2_048;

/// How far `step_interesting` looks at most.
pub const INTERESTING: u64 = 200_000;

/// How far a leap to what matters came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leap {
    There,
    /// Not yet.
    Short,
    /// Nothing is due any more, or the run is full.
    End,
}

/// A run.
pub struct Run {
    branches: Vec<Branch>,
    /// Index of the branch at hand.
    current: usize,
    /// The present.
    moment: Moment,
    /// The last events in full.
    heard: VecDeque<Rc<Heard>>,
    /// Snapshots close behind the present, made while it was reached by a replay.
    near: Vec<(u64, Rc<Moment>)>,
}

impl Run {
    /// A run at its time zero. What cannot be read of the text is told by [`Run::errors`]; everything else loads.
    /// It has no console: its `$` lines are refused.
    pub fn open(text: &str) -> Run {
        Run::begin(text, None)
    }

    /// The same with a console, which runs its `$` lines.
    pub fn with_shell(text: &str, shell: Shell) -> Run {
        Run::begin(text, Some(shell))
    }

    /// Its console, to open another run with.
    pub fn shell(&self) -> Option<Shell> {
        self.moment.world.tools.shell
    }

    /// The same with a console, if one is given.
    pub fn begin(text: &str, shell: Option<Shell>) -> Run {
        let branch = Branch::open(Script::read(text), shell);
        Run {
            moment: Moment::clone(branch.checkpoints.start()),
            branches: vec![branch],
            current: 0,
            heard: VecDeque::new(),
            near: Vec::new(),
        }
    }

    pub(super) fn branch(&self) -> &Branch {
        &self.branches[self.current]
    }

    /// The text of the branch at hand.
    pub fn text(&self) -> &str {
        &self.branch().script.text
    }

    /// The same, to keep.
    pub fn shared_text(&self) -> Rc<str> {
        self.branch().script.text.clone()
    }

    /// What is wrong with the text.
    pub fn errors(&self) -> &[Error] {
        &self.branch().script.errors
    }

    /// The world at the present moment.
    pub fn world(&self) -> &super::world::World {
        &self.moment.world
    }

    /// Now.
    pub fn now_us(&self) -> u64 {
        self.moment.world.now_us()
    }

    /// The latest time that was explored on this branch.
    pub fn end_us(&self) -> u64 {
        lab_us(self.branch().end)
    }

    /// How many events have happened.
    pub fn event(&self) -> u64 {
        self.moment.world.sim.events() - self.branch().history.base()
    }

    /// How many events were explored on this branch.
    pub fn end_event(&self) -> u64 {
        self.branch().events()
    }

    /// A number for everything that has happened so far: equal for equal runs, on every machine.
    pub fn hash(&self) -> u64 {
        self.moment.world.sim.hash()
    }

    /// Whether the run has as many events as a run may have, and stops here.
    pub fn is_full(&self) -> bool {
        self.event() >= MAX_EVENTS
    }

    /// Goes on by one event; false if nothing is due any more, or the run is full.
    pub fn step(&mut self) -> bool {
        self.advance(Time::NEVER)
    }

    /// Goes on to the next event that a person would stop at; false if there is none near.
    pub fn step_interesting(&mut self) -> bool {
        self.leap(INTERESTING) == Leap::There
    }

    /// The same by at most so many events.
    pub fn leap(&mut self, events: u64) -> Leap {
        for _ in 0..events {
            if !self.step() {
                return Leap::End;
            }
            let kernel = self.branch().kernel(self.event());
            if self.branch().history.get(kernel).is_some_and(|kept| kept.matters) {
                return Leap::There;
            }
        }
        Leap::Short
    }

    /// Goes on to a time, by at most so many events. Whether it got there.
    pub fn play_until_us(&mut self, limit_us: u64, max_events: u64) -> bool {
        let limit = kernel_time(limit_us);
        for _ in 0..max_events {
            if !self.advance(limit) {
                self.pass_to(limit);
                return true;
            }
        }
        false
    }

    fn pass_to(&mut self, at: Time) {
        self.moment.world.sim.pass_to(at);
        let now = self.moment.world.sim.now();
        let branch = &mut self.branches[self.current];
        branch.end = branch.end.max(now);
    }

    /// The next event, if it is due at or before `limit`.
    fn advance(&mut self, limit: Time) -> bool {
        if self.is_full() {
            return false;
        }
        self.forget_oldest();
        let branch = &mut self.branches[self.current];
        let Some((heard, due)) = next_event(&mut self.moment, branch, limit) else {
            return false;
        };
        if heard.event > branch.events() {
            branch.record(&self.moment, &heard, due);
        }
        self.heard.push_back(Rc::new(heard));
        true
    }

    /// Makes room for another event in full, which uses the memory of the oldest.
    fn forget_oldest(&mut self) {
        if self.heard.len() < HEARD {
            return;
        }
        let oldest = self.heard.pop_front();
        if let Some(heard) = oldest.and_then(Rc::into_inner) {
            self.moment.world.sim.spare_notes(heard.notes);
        }
    }

    /// All branches.
    pub fn branches(&self) -> Vec<BranchView> {
        let current = self.branch().id;
        self.branches.iter().map(|branch| branch.view(current)).collect()
    }

    /// Takes another branch to hand, at the same time if it was explored so far. False if there is none with that id.
    pub fn switch_branch(&mut self, id: u32) -> bool {
        let Some(index) = self.branches.iter().position(|branch| branch.id == id) else {
            return false;
        };
        let now_us = self.now_us().min(lab_us(self.branches[index].end));
        self.current = index;
        self.rewind();
        self.seek_us(now_us);
        true
    }

    /// A branch of its own from here on, with the same text; it is at hand then. Its id.
    pub fn fork(&mut self, name: &str) -> u32 {
        let mut branch = self.branch().clone();
        branch.parent = Some(branch.id);
        branch.id = self.branches.len() as u32;
        branch.forked_at_us = self.now_us();
        branch.name = match name {
            "" => format!("fork {}", branch.id).into(),
            name => name.into(),
        };
        branch.cut(self.event(), &self.moment.world);
        let id = branch.id;
        self.branches.push(branch);
        self.current = self.branches.len() - 1;
        id
    }
}

/// What an event did of the timeline: which item, and how that went.
type Done = (usize, Result<(), String>);

/// Lets the next thing happen: a line of the timeline, or what is due by itself.
fn next_event(moment: &mut Moment, branch: &Branch, limit: Time) -> Option<(Heard, Option<Done>)> {
    let due = branch
        .script
        .plan
        .timeline
        .get(moment.done)
        .filter(|due| due.at <= limit);
    // Much that is due passes unseen (a SYN, a stale timer): the world itself must stop short of the line.
    let before = due.map_or(limit, |due| due.at.just_before());
    let (step, command, done) = match (moment.world.step_until(before), due) {
        (Some(step), _) => (step, None, None),
        (None, Some(due)) => {
            let (step, result) = moment.world.run_command(due.at, &due.command);
            moment.done += 1;
            (step, Some(due.command.clone()), Some((moment.done - 1, result)))
        }
        (None, None) => return None,
    };
    let heard = Heard {
        event: branch.number(step.id),
        step,
        notes: moment.world.sim.take_notes(),
        found: std::mem::take(&mut moment.world.found),
        printed: std::mem::take(&mut moment.world.tools.printed),
        command,
    };
    Some((heard, done))
}
