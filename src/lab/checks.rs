//! Checks: `expect` when the run comes to its line, `always` and `never` after every event, `eventually` until its time
//! is over. What they found is kept with the event that decided it.

use super::language::ast::{Check, CheckWhen, Claim, Command, Op};
use super::language::print::print_claim;
use super::scenario::Plan;
use super::subjects::{holds_now, judge};
use super::world::World;
use crate::ordered::SortSmall;
use std::rc::Rc;

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The run has not come to it, or its time is not over.
    Open,
    /// `always` or `never`: so far.
    HoldsSoFar,
    Passed,
    Failed,
}

/// A check and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Its line in the text, from 1.
    pub line: u32,
    pub check: Check,
    pub verdict: Verdict,
    /// `leader loan_request/0 = b2`
    pub expected: String,
    /// What was found, when it was decided.
    pub found: Option<Rc<str>>,
    /// The event that decided it.
    pub event: Option<u64>,
}

/// What is said when a check is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which check, by number.
    pub index: usize,
    pub passed: bool,
    pub text: String,
}

#[derive(Clone, Debug)]
struct Decided {
    event: u64,
    passed: bool,
    found: Rc<str>,
}

#[derive(Clone, Debug)]
struct Watch {
    check: Check,
    /// Index in the timeline of the line; `None`: over the whole run.
    opens: Option<usize>,
    /// Index in the timeline of the moment behind its time limit.
    closes: Option<usize>,
    opened: Option<u64>,
    decided: Option<Decided>,
}

/// All checks of a branch.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    watches: Vec<Watch>,
}

impl Checks {
    /// The checks of a scenario, all open.
    pub fn of(plan: &Plan) -> Checks {
        let watch = |check: &Check, opens, closes| Watch {
            check: check.clone(),
            opens,
            closes,
            opened: None,
            decided: None,
        };
        let mut watches: Vec<Watch> = plan.watched.iter().map(|(_, check)| watch(check, None, None)).collect();
        for (index, due) in plan.timeline.iter().enumerate() {
            let Command::Check(check) = &*due.command else { continue };
            if due.deadline {
                continue;
            }
            let limit = plan
                .timeline
                .iter()
                .position(|other| other.deadline && other.line == due.line);
            watches.push(watch(check, Some(index), limit));
        }
        Checks { watches }
    }

    /// Takes a text over that says the same up to now: what was decided stays.
    pub fn retell(&mut self, plan: &Plan) {
        let mut fresh = Checks::of(plan);
        let mut old = std::mem::take(&mut self.watches);
        for watch in &mut fresh.watches {
            let same = |known: &Watch| known.check == watch.check && known.opens == watch.opens;
            if let Some(at) = old.iter().position(same) {
                let known = old.remove(at);
                (watch.opened, watch.decided) = (known.opened, known.decided);
            }
        }
        *self = fresh;
    }

    /// Forgets what was decided after `event`.
    pub fn cut(&mut self, event: u64) {
        for watch in &mut self.watches {
            watch.opened = watch.opened.filter(|at| *at <= event);
            if watch.decided.as_ref().is_some_and(|decided| decided.event > event) {
                watch.decided = None;
            }
        }
    }

    /// Looks after an event; `item`: which item of the timeline it did, and whether that is a time limit.
    pub fn after(&mut self, world: &World, event: u64, item: Option<(usize, bool)>) -> Vec<Said> {
        let mut said = Vec::new();
        for (index, watch) in self.watches.iter_mut().enumerate() {
            if watch.decided.is_some() {
                continue;
            }
            let turn = item.is_some_and(|(at, deadline)| {
                let own = if deadline { watch.closes } else { watch.opens };
                own == Some(at)
            });
            let closes = turn && item.is_some_and(|(_, deadline)| deadline);
            if turn && !closes {
                watch.opened = Some(event);
            }
            if let Some((passed, found)) = watch.look(world, turn, closes) {
                let text = told(&watch.check, passed, &found);
                said.push(Said { index, passed, text });
                let found = found.into();
                watch.decided = Some(Decided { event, passed, found });
            }
        }
        said
    }

    /// How every check went, as far as up to `event`, in the order of the lines.
    pub fn results(&self, plan: &Plan, event: u64) -> Vec<CheckResult> {
        let mut watched = plan.watched.iter();
        let mut results: Vec<CheckResult> = self
            .watches
            .iter()
            .filter_map(|watch| {
                let line = match watch.opens {
                    Some(index) => plan.timeline.get(index)?.line,
                    None => watched.next()?.0,
                };
                let decided = watch.decided.as_ref().filter(|decided| decided.event <= event);
                Some(CheckResult {
                    line,
                    verdict: match decided {
                        Some(Decided { passed: true, .. }) => Verdict::Passed,
                        Some(_) => Verdict::Failed,
                        None if watch.opens.is_none() => Verdict::HoldsSoFar,
                        None => Verdict::Open,
                    },
                    expected: expectation(&watch.check),
                    found: decided.map(|decided| decided.found.clone()),
                    event: decided.map(|decided| decided.event),
                    check: watch.check.clone(),
                })
            })
            .collect();
        results.sort_small_by_key(|result| result.line);
        results
    }
}

impl Watch {
    /// The decision, if this event brings one: whether it passed, and what was found.
    fn look(&self, world: &World, turn: bool, closes: bool) -> Option<(bool, String)> {
        match self.check.when {
            CheckWhen::Now => turn.then(|| {
                let (holds, found) = judge(world, &self.check.claim);
                (holds == Some(true), found)
            }),
            CheckWhen::Always | CheckWhen::Never => {
                // What is not there breaks no promise.
                let bad = Some(self.check.when == CheckWhen::Never);
                let broken = holds_now(world, &self.check.claim) == bad;
                broken.then(|| (false, judge(world, &self.check.claim).1))
            }
            CheckWhen::Eventually { .. } => {
                self.opened?;
                // Behind the limit it is too late, even if it holds now.
                let passed = !closes && holds_now(world, &self.check.claim) == Some(true);
                (passed || closes).then(|| (passed, judge(world, &self.check.claim).1))
            }
        }
    }
}

/// What was expected, as a sentence's object.
fn expectation(check: &Check) -> String {
    let claim = print_claim(&check.claim);
    match check.when {
        CheckWhen::Now => claim,
        CheckWhen::Always => format!("always {claim}"),
        CheckWhen::Never => format!("never {claim}"),
        CheckWhen::Eventually { within_us } => {
            format!("{claim} within {}", super::language::units::duration(within_us))
        }
    }
}

fn told(check: &Check, passed: bool, found: &str) -> String {
    let expected = expectation(check);
    match (passed, &check.claim) {
        (true, Claim::Compare { op: Op::Equal, .. }) => format!("as expected: {expected}"),
        (true, _) => format!("as expected: {expected} (found {found})"),
        (false, _) => format!("expected {expected}, found {found}"),
    }
}
