//! To any moment: from the nearest snapshot by replay.

use super::{HEARD, Moment, Run, next_event};
use crate::lab::history::Kept;
use crate::lab::journal::{Entry, Heard};
use crate::lab::language::ast::{Command, Name, ProcessVerb};
use crate::lab::view::{LogEntry, MarkKind};
use crate::lab::world::kernel_time;
use crate::ordered::SortSmall;
use crate::sim::Time;
use std::ops::Range;
use std::rc::Rc;

/// How far behind the goal of a replay snapshots are left, so that steps back from there are short.
const NEAR: [u64; 7] = [2_048, 1_024, 512, 256, 128, 64, 32];

impl Run {
    /// Goes to a time; what was not explored yet is played.
    pub fn seek_us(&mut self, at_us: u64) {
        let at = kernel_time(at_us);
        let explored = self.branch().events_by(at);
        if at < self.moment.world.sim.now() || explored > self.event() {
            self.go_to(explored);
        }
        self.play_until_us(at_us, u64::MAX);
    }

    /// Goes to the moment after an event; what was not explored yet is played.
    pub fn seek_event(&mut self, event: u64) {
        self.go_to(event);
    }

    /// Goes back by one event.
    pub fn step_back(&mut self) {
        self.go_to(self.event().saturating_sub(1));
    }

    /// Back to the start of the branch at hand.
    pub(super) fn rewind(&mut self) {
        self.moment = Moment::clone(self.branch().checkpoints.start());
        self.heard.clear();
        self.near.clear();
    }

    /// To the moment right after an event.
    fn go_to(&mut self, event: u64) {
        let here = self.event();
        let time_passed = event == here && self.moment.world.sim.now() > self.branch().time_of(event);
        let (mut best, found) = self.branch().checkpoints.before(event);
        let mut found = found.clone();
        if let Some((at, moment)) = self.near.iter().rev().find(|(at, _)| *at <= event && *at > best) {
            (best, found) = (*at, moment.clone());
        }
        if event < here || time_passed || best > here {
            self.moment = Moment::clone(&found);
            self.heard.clear();
        }
        self.near.retain(|(at, _)| *at <= event && *at + 2 * NEAR[0] > event);
        while self.event() < event {
            let left = event - self.event();
            let far = event.saturating_sub(best) > left;
            if far && NEAR.contains(&left) && self.near.iter().all(|(at, _)| *at != self.event()) {
                self.near.push((self.event(), Rc::new(self.moment.clone())));
                self.near.sort_small_by_key(|(at, _)| *at);
            }
            if !self.advance(Time::NEVER) {
                break;
            }
        }
    }

    /// Events in full, from those kept or by a replay apart from the present.
    pub(super) fn heard(&self, events: Range<u64>) -> Vec<Rc<Heard>> {
        let kept = self.heard.front().map_or(u64::MAX, |heard| heard.event);
        if kept <= events.start && events.end <= self.event() + 1 {
            let wanted = self.heard.iter().filter(|heard| events.contains(&heard.event));
            return wanted.cloned().collect();
        }
        let mut out = Vec::new();
        self.replay(events, |_, heard| out.push(Rc::new(heard)));
        out
    }

    /// Events in full, by a replay apart from the present.
    pub(in crate::lab) fn replayed(&self, events: Range<u64>) -> Vec<Rc<Heard>> {
        self.heard(events)
    }

    /// What is kept of an event, by the kernel's number.
    pub(in crate::lab) fn kept(&self, kernel: u64) -> Option<Kept> {
        self.branch().history.get(kernel)
    }

    /// The number for people of one of the kernel's events.
    pub(in crate::lab) fn number(&self, kernel: u64) -> u64 {
        self.branch().number(kernel)
    }

    /// The kernel's number of an event.
    pub(in crate::lab) fn kernel(&self, event: u64) -> u64 {
        self.branch().kernel(event)
    }

    /// Lines that the journal keeps of a range of events.
    pub(in crate::lab) fn entries(&self, events: Range<u64>) -> impl DoubleEndedIterator<Item = &Entry> {
        self.branch().journal.range(events)
    }

    /// Lines of the scenario that stop or start processes: when, how, whom.
    pub(in crate::lab) fn process_verbs(&self) -> impl Iterator<Item = (Time, ProcessVerb, &[Name])> {
        let timeline = self.branch().script.plan.timeline.iter();
        timeline.filter_map(|due| match &*due.command {
            Command::Process { verb, names } => Some((due.at, *verb, &names[..])),
            _ => None,
        })
    }

    /// A line that the journal keeps.
    pub(in crate::lab) fn entry(&self, event: u64, index: u16) -> Option<LogEntry> {
        let mut there = self.branch().journal.range(event..event + 1);
        there
            .find(|entry| entry.log.index == index)
            .map(|entry| entry.log.clone())
    }

    /// Events before `event` in which a line of the scenario made a fault, newest first.
    pub(in crate::lab) fn faults_before(&self, event: u64) -> Vec<u64> {
        let entries = self.branch().journal.range(0..event).rev();
        let faults = entries.filter(|entry| entry.mark == Some(MarkKind::Fault));
        faults.map(|entry| entry.log.event).collect()
    }

    /// The event that made a failed check's subject what it was, for the check that was decided at `event` with these
    /// words.
    pub(in crate::lab) fn decided_at(&self, event: u64, words: &str) -> Option<u64> {
        let results = self.branch().checks.results(&self.branch().script.plan, event);
        let check = results
            .into_iter()
            .find(|check| check.event == Some(event) && words.contains(&check.expected))?;
        self.since(&check).filter(|since| *since > 0)
    }

    /// The moment right after an explored event, apart from the present.
    pub(super) fn moment_after(&self, event: u64) -> Moment {
        let branch = self.branch();
        let near = self.near.iter().rev().find(|(at, _)| *at <= event);
        let (kept, found) = branch.checkpoints.before(event);
        let start = near.filter(|(at, _)| *at > kept).map_or(found, |(_, moment)| moment);
        let mut moment = Moment::clone(start);
        while branch.number(moment.world.sim.events()) <= event {
            if next_event(&mut moment, branch, Time::NEVER).is_none() {
                break;
            }
        }
        moment
    }

    /// Replays events apart from the present and shows each, with the world after it.
    pub(super) fn replay(&self, events: Range<u64>, mut show: impl FnMut(&crate::lab::world::World, Heard)) {
        let branch = self.branch();
        let (_, start) = branch.checkpoints.before(events.start.saturating_sub(1));
        let mut moment = Moment::clone(start);
        let end = events.end.min(branch.events() + 1);
        while branch.number(moment.world.sim.events()) < end {
            let Some((heard, _)) = next_event(&mut moment, branch, Time::NEVER) else {
                break;
            };
            if heard.event >= events.start {
                show(&moment.world, heard);
            }
        }
    }

    /// The range of the newest events before `end` that details are shown of.
    pub(super) fn recent(&self, events: &Range<u64>) -> Range<u64> {
        let end = events.end.min(self.branch().events() + 1);
        events.start.max(end.saturating_sub(HEARD as u64)).max(1)..end
    }
}
