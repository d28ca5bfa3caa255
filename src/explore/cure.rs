//! The smallest cure: which one setting of the scenario, had it been otherwise, would have kept what was lost. Nothing is
//! argued: every candidate is played from the start, with the same faults at the same instants, and looked at.

mod candidates;

use crate::lab::checks::{CheckResult, Verdict};
use crate::lab::ledger::Sums;
use crate::lab::run::Run;
use crate::lab::tools::Shell;
use candidates::{pairs, singles};
use std::collections::VecDeque;
use std::rc::Rc;

pub use candidates::Change;

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ailment {
    /// The check in this line of the text fails.
    Check { line: u32, expected: String },
    /// Acknowledged records are gone.
    Lost,
    /// Records are there, or were delivered, more than once.
    Duplicated,
    /// Records stand behind ones that were sent later.
    Reordered,
}

impl Ailment {
    /// What is wrong with a run as it stands, the worst first.
    pub fn all_of(run: &Run) -> Vec<Ailment> {
        let failed = run.checks().into_iter().filter(has_failed);
        let mut all: Vec<Ailment> = failed
            .map(|check| Ailment::Check {
                line: check.line,
                expected: check.expected,
            })
            .collect();
        let sums = run.world().ledger.sums();
        let counts = [
            (sums.lost, Ailment::Lost),
            (sums.duplicated, Ailment::Duplicated),
            (sums.reordered, Ailment::Reordered),
        ];
        all.extend(counts.into_iter().filter(|(n, _)| *n > 0).map(|(_, ailment)| ailment));
        all
    }

    /// Whether a run is free of it.
    fn is_gone(&self, run: &Run) -> bool {
        let sums = run.world().ledger.sums();
        match self {
            Ailment::Check { line, .. } => {
                let found = run.checks().into_iter().find(|check| check.line == *line);
                found.is_some_and(|check| matches!(check.verdict, Verdict::Passed | Verdict::HoldsSoFar))
            }
            Ailment::Lost => sums.lost == 0,
            Ailment::Duplicated => sums.duplicated == 0,
            Ailment::Reordered => sums.reordered == 0,
        }
    }
}

fn has_failed(check: &CheckResult) -> bool {
    check.verdict == Verdict::Failed
}

/// A changed scenario that is free of the ailment.
#[derive(Clone, Debug, PartialEq)]
pub struct Cure {
    /// One change; two where none does alone.
    pub changes: Vec<Change>,
    /// The whole text.
    pub text: Rc<str>,
    /// What became of the records at the moment at which the sick run was looked at.
    pub sums: Sums,
}

/// How far a search has come.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// So many of so many candidates were played.
    Searching { tried: usize, of: usize },
    /// The smallest there is.
    Found(Cure),
    /// None of the candidates cures it.
    Nothing { tried: usize },
}

/// A search that can be carried on in small steps.
pub struct Search {
    text: Rc<str>,
    shell: Option<Shell>,
    ailment: Ailment,
    until_us: u64,
    before: Seen,
    waiting: VecDeque<Vec<Change>>,
    /// Two changes at once are tried when one alone does not do.
    doubled: bool,
    trial: Option<Trial>,
    best: Option<Cure>,
    tried: usize,
}

struct Trial {
    changes: Vec<Change>,
    run: Run,
}

/// What a cure must not make worse.
#[derive(Clone, Copy, Debug)]
struct Seen {
    sums: Sums,
    refused: usize,
}

impl Seen {
    fn of(run: &Run) -> Seen {
        Seen {
            sums: run.world().ledger.sums(),
            refused: run.refused().len(),
        }
    }

    fn is_no_worse_than(&self, old: &Seen) -> bool {
        let (new, old_sums) = (&self.sums, &old.sums);
        self.refused <= old.refused
            && new.lost <= old_sums.lost
            && new.duplicated <= old_sums.duplicated
            && new.reordered <= old_sums.reordered
            && (new.committed > 0 || old_sums.committed == 0)
    }
}

impl Search {
    /// Looks for what cures `ailment` of a run at its present moment.
    pub fn of(run: &Run, ailment: Ailment) -> Search {
        let text = run.shared_text();
        Search {
            waiting: singles(&text).into(),
            text,
            shell: run.shell(),
            ailment,
            until_us: run.now_us(),
            before: Seen::of(run),
            doubled: false,
            trial: None,
            best: None,
            tried: 0,
        }
    }

    /// What is to be cured.
    pub fn ailment(&self) -> &Ailment {
        &self.ailment
    }

    /// Carries on by so many events at most.
    pub fn step(&mut self, events: u64) -> Progress {
        let Some(mut trial) = self.trial.take().or_else(|| self.next_trial()) else {
            return self.end();
        };
        let done = trial.run.play_until_us(self.until_us, events) || trial.run.is_full();
        if done {
            self.judge(trial);
        } else {
            self.trial = Some(trial);
        }
        let left = self.waiting.len() + usize::from(self.trial.is_some());
        Progress::Searching {
            tried: self.tried,
            of: self.tried + left,
        }
    }

    /// The whole search at once.
    pub fn finish(mut self) -> Option<Cure> {
        const AT_ONCE: u64 = 1_000_000;
        loop {
            match self.step(AT_ONCE) {
                Progress::Searching { .. } => {}
                Progress::Found(cure) => return Some(cure),
                Progress::Nothing { .. } => return None,
            }
        }
    }

    fn next_trial(&mut self) -> Option<Trial> {
        if self.waiting.is_empty() && self.best.is_none() && !self.doubled {
            self.doubled = true;
            self.waiting = pairs(&self.text).into();
        }
        let changes = self.waiting.pop_front()?;
        let run = Run::begin(&candidates::apply(&self.text, &changes), self.shell);
        Some(Trial { changes, run })
    }

    /// Takes a played candidate in: it is the best if it cures, harms nothing, and fewer records failed than with any
    /// before it.
    fn judge(&mut self, trial: Trial) {
        self.tried += 1;
        let seen = Seen::of(&trial.run);
        if !self.ailment.is_gone(&trial.run) || !seen.is_no_worse_than(&self.before) {
            return;
        }
        let price = |sums: &Sums| sums.failed + sums.waiting;
        if self
            .best
            .as_ref()
            .is_none_or(|best| price(&seen.sums) < price(&best.sums))
        {
            self.best = Some(Cure {
                changes: trial.changes,
                text: trial.run.shared_text(),
                sums: seen.sums,
            });
        }
        // Nothing can be better than a cure that costs nothing.
        if price(&seen.sums) <= price(&self.before.sums) {
            self.waiting.clear();
        }
    }

    fn end(&mut self) -> Progress {
        match self.best.take() {
            Some(cure) => Progress::Found(cure),
            None => Progress::Nothing { tried: self.tried },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::library;

    fn played(text: &str, until_us: u64) -> Run {
        let mut run = Run::open(text);
        assert!(run.play_until_us(until_us, 1_000_000));
        run
    }

    fn shipped(name: &str) -> &'static str {
        library::find(name).expect("it is shipped").text
    }

    #[test]
    fn one_word_keeps_the_record_that_acks_1_loses() {
        let run = played(shipped("acks-1"), 25_000_000);
        assert_eq!(Ailment::all_of(&run), [Ailment::Lost]);
        let cure = Search::of(&run, Ailment::Lost).finish().expect("acks=all cures it");
        assert_eq!(cure.changes.len(), 1);
        assert_eq!(cure.changes[0].was, "producer web acks=1 linger.ms=0");
        assert_eq!(cure.changes[0].becomes, "producer web acks=all linger.ms=0");
        assert_eq!(cure.sums.lost, 0);
        let again = played(&cure.text, 25_000_000);
        assert_eq!(again.world().ledger.sums(), cure.sums);
    }

    #[test]
    fn a_failed_check_is_cured_for_its_own_sake() {
        let text = format!(
            "{}at 24s  expect count lost = 0\n",
            shipped("acks-1").split("at 60s").next().unwrap()
        );
        let run = played(&text, 25_000_000);
        let ailment = Ailment::all_of(&run).remove(0);
        assert!(
            matches!(&ailment, Ailment::Check { expected, .. } if expected.contains("lost")),
            "{ailment:?}"
        );
        let cure = Search::of(&run, ailment.clone()).finish().expect("acks=all cures it");
        assert!(ailment.is_gone(&played(&cure.text, 25_000_000)));
    }

    #[test]
    fn what_no_setting_helps_against_is_said_to_be_so() {
        let text = "lab 1\nseed 1\ncontroller c1\nbroker b1\ntopic t partitions=1 replicas=1\nproducer web acks=1\n\
            at 1s  produce web t \"a\"\nat 9s  expect count lost = 3\n";
        let run = played(text, 15_000_000);
        let ailments = Ailment::all_of(&run);
        assert!(!ailments.is_empty());
        assert!(Search::of(&run, ailments[0].clone()).finish().is_none());
    }

    #[test]
    fn small_steps_find_the_same() {
        let run = played(shipped("acks-1"), 25_000_000);
        let mut search = Search::of(&run, Ailment::Lost);
        let mut steps = 0;
        let cure = loop {
            steps += 1;
            if let Progress::Found(cure) = search.step(50) {
                break cure;
            }
        };
        assert!(steps > 3);
        let whole = Search::of(&run, Ailment::Lost).finish().expect("it is cured");
        assert_eq!((cure.text, cure.sums), (whole.text, whole.sums));
    }
}
