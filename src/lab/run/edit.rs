//! Changes of the text while a run goes on: a command now, an edited text, undo.

use super::Run;
use crate::lab::branches::{Branch, Script};
use crate::lab::language::ast::{Command, Content, When};
use crate::lab::language::edit::insert_command_at;
use crate::lab::language::errors::Kind;
use crate::lab::language::scope::Scope;
use crate::lab::language::{Error, parse, parse_line};
use crate::lab::scenario::Plan;
use crate::lab::world::{kernel_time, lab_us};
use crate::sim::Time;
use std::rc::Rc;

/// How many events an edited text is played at most to come back to the same moment.
const EDIT_EVENTS: u64 = 400_000;

/// How far a command may be moved ahead, over time in which nothing happens, to a rounder number.
const ROUND_US: u64 = 1_000;

impl Run {
    /// Issues one line now: it goes into the text and is done. In the past it begins a branch of its own. Returns the
    /// line as it stands in the text. A line with a time of its own (`at 20s crash b1`) is done when the run comes to it.
    ///
    /// # Errors
    /// What is wrong with the line, or why it cannot be done; the text stays as it is then.
    pub fn command(&mut self, line: &str) -> Result<String, Error> {
        let scope = Scope::of(&parse(self.text()).scenario);
        let parsed = parse_line(line, &scope, self.now_us())?;
        let Content::Command(command) = &parsed.content else {
            return Err(complaint(line, "there is no command in this line".into()));
        };
        if parsed.when != When::Same && parsed.at_us > self.now_us() {
            let edited = insert_command_at(self.text(), parsed.at_us, body(line, parsed.when));
            let before = Time(kernel_time(parsed.at_us).0 - 1);
            if self.branch().events_by(before) < self.branch().events() {
                self.fork(&fork_name(line));
            }
            return Ok(self.take(edited.text, edited.line));
        }
        if matches!(parsed.when, When::At(_)) && parsed.at_us < self.now_us() {
            return Err(complaint(line, "that time is over: go back to it first".into()));
        }
        self.finish_lines();
        let at_us = self.free_time_us();
        self.try_command(line, at_us, command)?;
        let edited = insert_command_at(self.text(), at_us, body(line, parsed.when));
        if self.event() < self.branch().events() {
            self.fork(&fork_name(line));
        }
        let issued = self.take(edited.text, edited.line);
        self.come_to(edited.line, kernel_time(at_us));
        Ok(issued)
    }

    /// Takes a longer text; what it says first is played on from here. Returns its line `number`.
    fn take(&mut self, text: String, number: u32) -> String {
        let old = self.shared_text();
        self.branches[self.current].undo.push(old);
        let issued = text.lines().nth(number.saturating_sub(1) as usize).unwrap_or_default();
        let issued = issued.trim().to_owned();
        let now_us = self.change(Script::read(&text));
        self.play_until_us(now_us, EDIT_EVENTS);
        issued
    }

    /// Does what lines of this very moment are left.
    fn finish_lines(&mut self) {
        let now = self.moment.world.sim.now();
        while self.next_line().is_some_and(|at| at <= now) && self.advance(now) {}
    }

    /// When the next line of the timeline is due.
    fn next_line(&self) -> Option<Time> {
        let timeline = &self.branch().script.plan.timeline;
        timeline.get(self.moment.done).map(|due| due.at)
    }

    /// Whether something other than lines of the scenario happened in this very microsecond.
    fn is_taken(&self) -> bool {
        let now = self.moment.world.sim.now();
        let before = Time(now.0.saturating_sub(1));
        let here = self.event().saturating_sub(self.branch().events_by(before));
        let timeline = &self.branch().script.plan.timeline[..self.moment.done];
        let lines = timeline.iter().rev().take_while(|due| due.at == now).count() as u64;
        here > lines
    }

    /// A time for a line to happen now: as round as can be without passing over anything.
    fn free_time_us(&mut self) -> u64 {
        let now = self.moment.world.sim.now();
        let taken = self.is_taken();
        if taken {
            while self.advance(now) {}
        }
        let first = lab_us(now) + u64::from(taken);
        let event = self.moment.world.next_time().map(lab_us);
        let line = self.next_line().map(|at| lab_us(at).saturating_sub(1));
        let last = event.into_iter().chain(line).fold(first + ROUND_US, u64::min);
        roundest(first, last.max(first))
    }

    /// Whether the world would do it at that time.
    fn try_command(&self, line: &str, at_us: u64, command: &Command) -> Result<(), Error> {
        let mut trial = self.moment.world.clone();
        let (_, done) = trial.run_command(kernel_time(at_us), command);
        done.map_err(|why| complaint(line, why))
    }

    /// Goes on until the line with that number is done.
    fn come_to(&mut self, line: u32, at: Time) {
        let timeline = &self.branch().script.plan.timeline;
        let index = timeline.iter().position(|due| due.line == line && !due.deadline);
        while index.is_some_and(|index| self.moment.done <= index) && self.advance(at) {}
    }

    /// Takes the newest change of the text back. False if there is none.
    pub fn undo(&mut self) -> bool {
        let back = self.untell();
        back.is_some_and(|now_us| {
            self.play_until_us(now_us, EDIT_EVENTS);
            true
        })
    }

    /// The same without coming back to the present time: that is answered, for whoever plays to it in small steps.
    pub fn untell(&mut self) -> Option<u64> {
        let text = self.branches[self.current].undo.pop()?;
        Some(self.change(Script::read(&text)))
    }

    pub fn can_undo(&self) -> bool {
        !self.branch().undo.is_empty()
    }

    /// Takes an edited text. What happens before the first change stays; the run comes back to the present time.
    pub fn set_text(&mut self, text: &str) {
        let now_us = self.retell(text);
        self.play_until_us(now_us, EDIT_EVENTS);
    }

    /// The same without coming back to the present time: that is answered, for whoever plays to it in small steps.
    pub fn retell(&mut self, text: &str) -> u64 {
        if text == self.text() {
            return self.now_us();
        }
        let old = self.shared_text();
        self.branches[self.current].undo.push(old);
        self.change(Script::read(text))
    }

    /// Takes another text and goes back to where it begins to differ. The time at which the run stood.
    fn change(&mut self, script: Script) -> u64 {
        let now_us = self.now_us();
        match first_change(&self.branch().script.plan, &script.plan) {
            Change::Start => {
                let shell = self.shell();
                let branch = &mut self.branches[self.current];
                let mut fresh = Branch::open(script, shell);
                fresh.id = branch.id;
                fresh.name = branch.name.clone();
                fresh.parent = branch.parent;
                fresh.forked_at_us = branch.forked_at_us;
                fresh.undo = std::mem::take(&mut branch.undo);
                *branch = fresh;
                self.rewind();
            }
            Change::None => self.branches[self.current].retell(script),
            Change::At(at) => {
                let kept = self.branch().events_by(Time(at.0.saturating_sub(1)));
                if kept < self.event() || kept < self.branch().events() {
                    self.seek_event(kept);
                    self.near.retain(|(event, _)| *event <= kept);
                    let branch = &mut self.branches[self.current];
                    branch.cut(kept, &self.moment.world);
                }
                self.branches[self.current].retell(script);
            }
        }
        now_us
    }
}

/// From where on two plans differ.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    None,
    /// In what stands at the start, or in what is looked at over the whole run.
    Start,
    At(Time),
}

fn first_change(old: &Plan, new: &Plan) -> Change {
    let watched = |plan: &Plan| plan.watched.iter().map(|(_, check)| check.clone()).collect::<Vec<_>>();
    if !old.same_start(new) || watched(old) != watched(new) {
        return Change::Start;
    }
    let (a, b) = (&old.timeline, &new.timeline);
    for index in 0..a.len().max(b.len()) {
        match (a.get(index), b.get(index)) {
            (Some(a), Some(b)) if a.at == b.at && a.deadline == b.deadline && a.command == b.command => {}
            (Some(a), Some(b)) => return Change::At(a.at.min(b.at)),
            (a, b) => return a.or(b).map_or(Change::None, |due| Change::At(due.at)),
        }
    }
    Change::None
}

/// The line without its time.
fn body(line: &str, when: When) -> &str {
    let mut rest = line.trim();
    if when != When::Same {
        for _ in 0..2 {
            rest = rest.find(char::is_whitespace).map_or("", |at| rest[at..].trim_start());
        }
    }
    rest
}

/// What a branch is called that a line began.
fn fork_name(line: &str) -> String {
    line.trim()
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(60)
        .collect()
}

/// A line that cannot be done.
fn complaint(line: &str, message: String) -> Error {
    let source: Rc<str> = line.lines().next().unwrap_or_default().into();
    Error {
        kind: Kind::Wrong,
        line: 1,
        column: 1,
        width: source.chars().count().max(1) as u32,
        source,
        message,
        hint: None,
    }
}

/// The roundest number from `first` to `last`.
fn roundest(first: u64, last: u64) -> u64 {
    let mut step = 1_000_000;
    while step > 1 {
        let round = first.div_ceil(step) * step;
        if round <= last {
            return round;
        }
        step /= 10;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_numbers() {
        assert_eq!(roundest(1_503_217, 1_504_217), 1_504_000);
        assert_eq!(roundest(1_503_217, 1_503_260), 1_503_220);
        assert_eq!(roundest(1_503_217, 1_503_217), 1_503_217);
        assert_eq!(roundest(1_999_900, 2_000_300), 2_000_000);
        assert_eq!(roundest(0, 0), 0);
    }

    #[test]
    fn a_line_without_its_time() {
        assert_eq!(body("  at 2s   crash b1  ", When::At(2_000_000)), "crash b1");
        assert_eq!(body(" crash b1", When::Same), "crash b1");
    }
}
