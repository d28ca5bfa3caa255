//! The search for the smallest cure, in what the frames leave of their time.

use super::App;
use super::journey::Journey;
use crate::explore::cure::{Ailment, Progress, Search};
use crate::lab::checks::Verdict;
use crate::lab::run::Run;
use crate::ui::player::clock_ms;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Milliseconds that one frame may spend on the search.
const BUDGET_MS: f64 = 6.0;

/// Events handled between two looks at the clock.
const SLICE: u64 = 256;

/// Events that the cured run may take to come to the present.
const CURED_EVENTS: u64 = 400_000;

/// A search and how it stands.
pub struct Seeking {
    search: Option<Search>,
    state: CureState,
}

/// What an answer to "why?" is a symptom of, if it is one that a setting may cure.
fn ailment_of(run: &Run, answer: &Answer) -> Option<Ailment> {
    let failed = run.checks().into_iter().find(|check| {
        check.event == Some(answer.event)
            && check.verdict == Verdict::Failed
            && answer.index >= crate::lab::journal::SPOKEN
    });
    if let Some(check) = failed {
        return Some(Ailment::Check {
            line: check.line,
            expected: check.expected,
        });
    }
    match answer.chain.first()?.rule? {
        "ledger/lost" | "ledger/committed-lost" => Some(Ailment::Lost),
        "ledger/duplicated" | "ledger/delivered-twice" => Some(Ailment::Duplicated),
        "ledger/reordered" => Some(Ailment::Reordered),
        _ => None,
    }
}

impl App {
    /// Begins to look for what cures the thing that was asked about.
    pub(super) fn seek_cure(&mut self) {
        let session = self.bus.run.borrow();
        let ailment = self.why.as_ref().and_then(|answer| ailment_of(&session.run, answer));
        self.cure = ailment.map(|of| Seeking {
            search: Some(Search::of(&session.run, of.clone())),
            state: CureState {
                of,
                progress: Progress::Searching { tried: 0, of: 0 },
            },
        });
        drop(session);
        if self.cure.is_some() {
            self.ask_frame();
        }
    }

    /// How the search stands, for the panel.
    pub(super) fn cure_state(&self) -> Option<CureState> {
        self.cure.as_ref().map(|seeking| seeking.state.clone())
    }

    /// One frame's part of the search; whether there is something new to show.
    pub(super) fn seek_on(&mut self) -> bool {
        let Some(seeking) = &mut self.cure else { return false };
        let Some(search) = &mut seeking.search else {
            return false;
        };
        let until = clock_ms() + BUDGET_MS;
        let tried = |progress: &Progress| match progress {
            Progress::Searching { tried, .. } => Some(*tried),
            _ => None,
        };
        let before = tried(&seeking.state.progress);
        while clock_ms() < until {
            seeking.state.progress = search.step(SLICE);
            if tried(&seeking.state.progress).is_none() {
                seeking.search = None;
                return true;
            }
        }
        before != tried(&seeking.state.progress)
    }

    /// Whether the search goes on.
    pub(super) fn is_seeking(&self) -> bool {
        self.cure.as_ref().is_some_and(|seeking| seeking.search.is_some())
    }

    /// The cured scenario on a branch of its own, played to the same moment.
    pub(super) fn take_cure(&mut self) {
        let Some(CureState {
            progress: Progress::Found(cure),
            ..
        }) = self.cure_state()
        else {
            return;
        };
        self.play(false);
        let name = cure
            .changes
            .iter()
            .map(|change| change.setting.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let now_us = {
            let run = &mut self.bus.run.borrow_mut().run;
            run.fork(&name);
            run.retell(&cure.text)
        };
        self.bus.run.borrow_mut().settle();
        (self.why, self.cure) = (None, None);
        self.broken = usize::MAX;
        self.toast(ToastKind::Good, (t().on_branch)(&name), ToastAction::None);
        self.set_out(Journey::to_us(now_us, CURED_EVENTS));
    }
}
