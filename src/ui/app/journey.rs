//! Far travels: time that was not explored yet, what matters next, a changed text. They are played in small pieces, so
//! that the page answers while they last.

use super::App;
use crate::lab::run::{INTERESTING, Leap, Run};
use crate::ui::player::clock_ms;

/// Milliseconds that one frame may spend on a travel.
const BUDGET_MS: f64 = 10.0;

/// Events handled between two looks at the clock.
const SLICE: u64 = 256;

/// Where to.
#[derive(Clone, Copy)]
enum Goal {
    /// A moment, in microseconds.
    Us(u64),
    /// The next event that a person would stop at.
    Matters,
}

/// A travel that is under way.
pub struct Journey {
    goal: Goal,
    /// Events that it may still take.
    left: u64,
    /// Playing begins on arrival.
    then_play: bool,
}

impl Journey {
    /// To a moment, with at most so many events.
    pub fn to_us(us: u64, events: u64) -> Journey {
        Journey {
            goal: Goal::Us(us),
            left: events,
            then_play: false,
        }
    }

    /// To what matters next.
    pub fn to_what_matters() -> Journey {
        Journey {
            goal: Goal::Matters,
            left: INTERESTING,
            then_play: false,
        }
    }

    /// The same, to go on playing from there.
    pub fn then_play(self) -> Journey {
        Journey {
            then_play: true,
            ..self
        }
    }

    /// The moment that it goes to, if it is one.
    pub fn moment(&self) -> Option<u64> {
        match self.goal {
            Goal::Us(us) => Some(us),
            Goal::Matters => None,
        }
    }

    /// Goes on by a few events; whether it is over.
    fn go_on(&mut self, run: &mut Run) -> bool {
        let most = SLICE.min(self.left);
        self.left -= most;
        let arrived = match self.goal {
            Goal::Us(us) => run.play_until_us(us, most) || run.is_full(),
            Goal::Matters => run.leap(most) != Leap::Short,
        };
        arrived || self.left == 0
    }
}

impl App {
    /// Begins a travel. A short one is over when this returns.
    pub(super) fn set_out(&mut self, journey: Journey) {
        self.journey = Some(journey);
        if !self.travel_on() {
            self.ask_frame();
        }
    }

    /// One frame's part of the travel; whether it is over.
    pub(super) fn travel_on(&mut self) -> bool {
        let Some(mut journey) = self.journey.take() else {
            return true;
        };
        let until = clock_ms() + BUDGET_MS;
        let session = std::rc::Rc::clone(&self.bus.run);
        while clock_ms() < until {
            if journey.go_on(&mut session.borrow_mut().run) {
                if journey.then_play {
                    self.play(true);
                }
                return true;
            }
        }
        self.journey = Some(journey);
        false
    }
}
