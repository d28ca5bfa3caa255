//! Branches: the tree of what a scenario did in all its versions. A branch knows everything from the start; what it has
//! in common with others is shared.

use super::checkpoints::{Checkpoints, Moment};
use super::checks::Checks;
use super::history::History;
use super::journal::{Entry, Heard, Journal, SPOKEN, class_of, entries_of};
use super::lag::LagHistory;
use super::language::{Error, parse};
use super::scenario::{Plan, Refused};
use super::tools::Shell;
use super::view::{BranchView, LogEntry, Weight};
use super::world::{WARM_UP, World, lab_us};
use crate::sim::Time;
use std::rc::Rc;

/// A scenario's text, read.
#[derive(Clone)]
pub struct Script {
    pub text: Rc<str>,
    /// Lines that could not be read.
    pub errors: Rc<[Error]>,
    pub plan: Rc<Plan>,
}

impl Script {
    /// Reads a text; what can be read of it loads.
    pub fn read(text: &str) -> Script {
        let parsed = parse(text);
        Script {
            text: text.into(),
            errors: parsed.errors.into(),
            plan: Rc::new(Plan::of(&parsed.scenario)),
        }
    }
}

/// A line of the scenario that the world refused when it came to it.
#[derive(Clone, Debug)]
struct RefusedLater {
    event: u64,
    /// Index in the timeline.
    due: usize,
    why: Rc<str>,
}

/// One version of a run, as far as it was explored.
#[derive(Clone)]
pub struct Branch {
    pub id: u32,
    pub name: Rc<str>,
    pub parent: Option<u32>,
    pub forked_at_us: u64,
    pub script: Script,
    pub history: History,
    pub journal: Journal,
    pub checks: Checks,
    /// How far behind the groups were.
    pub lag: LagHistory,
    pub checkpoints: Checkpoints,
    /// Lines of the set-up that were refused, by their index in it.
    refused_set_up: Rc<[(usize, String)]>,
    refused: Vec<RefusedLater>,
    /// The latest time that was explored.
    pub end: Time,
    /// Lost records at the latest event.
    lost: u64,
    /// Texts before each change, for undo.
    pub undo: Vec<Rc<str>>,
}

impl Branch {
    /// A branch at time zero; `shell` runs its `$` lines.
    pub fn open(script: Script, shell: Option<Shell>) -> Branch {
        let (world, refused) = script.plan.raise(shell);
        let moment = Moment { world, done: 0 };
        Branch {
            id: 0,
            name: "main".into(),
            parent: None,
            forked_at_us: 0,
            history: History::starting_at(moment.world.sim.events()),
            journal: Journal::default(),
            checks: Checks::of(&script.plan),
            lag: LagHistory::default(),
            checkpoints: Checkpoints::starting_with(Rc::new(moment)),
            refused_set_up: refused.into(),
            refused: Vec::new(),
            end: WARM_UP,
            lost: 0,
            undo: Vec::new(),
            script,
        }
    }

    /// How many events were explored.
    pub fn events(&self) -> u64 {
        self.history.end() - self.history.base()
    }

    /// The number for people of the event with this number of the kernel; 0 for the warm-up.
    pub fn number(&self, kernel: u64) -> u64 {
        (kernel + 1).saturating_sub(self.history.base())
    }

    /// The kernel's number of an event.
    pub fn kernel(&self, event: u64) -> u64 {
        self.history.base() + event.saturating_sub(1)
    }

    /// When an event happened; time zero for 0.
    pub fn time_of(&self, event: u64) -> Time {
        if event == 0 {
            return WARM_UP;
        }
        self.history.get(self.kernel(event)).map_or(self.end, |kept| kept.at)
    }

    /// How many events had happened by `at`, as far as explored.
    pub fn events_by(&self, at: Time) -> u64 {
        self.history.first_after(at) - self.history.base()
    }

    /// Takes in the newest event. `due`: the item of the timeline that it did, and why it was refused if it was.
    pub fn record(&mut self, moment: &Moment, heard: &Heard, due: Option<(usize, Result<(), String>)>) {
        let world = &moment.world;
        let mut entries = entries_of(world, heard, Weight::Matters);
        if let Some((index, Err(why))) = &due {
            self.refused.push(RefusedLater {
                event: heard.event,
                due: *index,
                why: why.as_str().into(),
            });
            entries.push(spoken(heard, format!("refused: {why}"), Weight::Alarm, None));
        }
        let item = due.and_then(|(index, _)| self.script.plan.timeline.get(index).map(|due| (index, due.deadline)));
        for said in self.checks.after(world, heard.event, item) {
            let weight = if said.passed { Weight::Matters } else { Weight::Alarm };
            let mark = super::view::MarkKind::Check { passed: said.passed };
            let mut entry = spoken(heard, said.text, weight, Some(mark));
            entry.log.index += said.index as u16 + 1;
            entries.push(entry);
        }
        let class = class_of(world, &heard.step, &heard.notes);
        let matters = entries.iter().any(|entry| entry.log.weight >= Weight::Matters);
        self.history.push(&heard.step, class, matters);
        entries.into_iter().for_each(|entry| self.journal.push(entry));
        self.lag.after(world, heard.event);
        self.end = self.end.max(heard.step.at);
        self.lost = world.ledger.sums().lost;
        if self.checkpoints.wants(heard.event) {
            self.checkpoints.keep(heard.event, moment);
        }
    }

    /// Forgets everything after `event`.
    pub fn cut(&mut self, event: u64, world: &World) {
        self.history.cut(self.history.base() + event);
        self.journal.cut(event);
        self.checkpoints.cut(event);
        self.checks.cut(event);
        self.lag.cut(event);
        self.refused.retain(|refused| refused.event <= event);
        self.end = world.sim.now();
        self.lost = world.ledger.sums().lost;
    }

    /// Lines that could not be done so far (up to `event`).
    pub fn refused(&self, event: u64) -> Vec<Refused> {
        let plan = &self.script.plan;
        let set_up = self.refused_set_up.iter().filter_map(|(index, why)| {
            Some(Refused {
                line: plan.set_up.get(*index)?.0,
                why: why.clone(),
            })
        });
        let later = self.refused.iter().filter(|refused| refused.event <= event);
        let later = later.filter_map(|refused| {
            Some(Refused {
                line: plan.timeline.get(refused.due)?.line,
                why: refused.why.to_string(),
            })
        });
        set_up.chain(later).collect()
    }

    /// Takes another text that says the same up to what was explored.
    pub fn retell(&mut self, script: Script) {
        self.checks.retell(&script.plan);
        self.script = script;
    }

    pub fn view(&self, current: u32) -> BranchView {
        BranchView {
            id: self.id,
            name: self.name.to_string(),
            parent: self.parent,
            forked_at_us: self.forked_at_us,
            end_us: lab_us(self.end),
            current: self.id == current,
            outcome: match self.lost {
                0 => "0 lost so far".into(),
                lost => format!("{lost} lost"),
            },
            text: self.script.text.clone(),
        }
    }
}

fn spoken(heard: &Heard, text: String, weight: Weight, mark: Option<super::view::MarkKind>) -> Entry {
    let log = LogEntry {
        event: heard.event,
        index: SPOKEN,
        at_us: lab_us(heard.step.at),
        who: "you".into(),
        text,
        weight,
        rule: None,
        client_log: false,
    };
    Entry { log, mark }
}
