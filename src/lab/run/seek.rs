//! To any moment: from the nearest snapshot by replay.

use super::{HEARD, Moment, Run, next_event};
use crate::lab::journal::Heard;
use crate::lab::world::kernel_time;
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
                self.near.sort_by_key(|(at, _)| *at);
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
