//! Playing: how virtual time follows the wall clock of the browser, and how idle stretches are passed over.

use super::dom;
use super::session::Session;

/// Virtual microseconds in one second of the visitor's time, slowest first.
pub const SPEEDS: [u64; 11] = [
    10, 50, 100, 500, 1_000, 5_000, 20_000, 100_000, 500_000, 2_000_000, 10_000_000,
];

/// The speed at the start: one virtual millisecond a second, at which a message is seen to travel.
pub const FIRST_SPEED: u8 = 4;

/// Milliseconds of work that one frame may take for the simulator.
const BUDGET_MS: f64 = 7.0;

/// Events handled between two looks at the clock.
const SLICE: u64 = 256;

/// The longest step of the wall clock that one frame answers: after a pause of the tab, time does not leap.
const LONGEST_FRAME_MS: f64 = 50.0;

/// The pause between two events where no motion is wanted.
const HOP_MS: f64 = 300.0;

/// The transport's state.
pub struct Player {
    pub playing: bool,
    pub speed: u8,
    /// Pass quickly over stretches where nothing but heartbeats happens.
    pub fold: bool,
    /// Heartbeats and idle polls are shown, so they are no idle time.
    pub layer: bool,
    last_ms: Option<f64>,
    /// What no frame has used yet: a part of a microsecond, or milliseconds of the pause between two hops.
    rest_us: f64,
}

impl Default for Player {
    fn default() -> Player {
        Player {
            playing: false,
            speed: FIRST_SPEED,
            fold: true,
            layer: false,
            last_ms: None,
            rest_us: 0.0,
        }
    }
}

impl Player {
    /// Virtual microseconds a second.
    pub fn rate(&self) -> u64 {
        SPEEDS[usize::from(self.speed).min(SPEEDS.len() - 1)]
    }

    /// Starts or stops.
    pub fn set_playing(&mut self, playing: bool) {
        self.playing = playing;
        self.last_ms = None;
        self.rest_us = 0.0;
    }

    /// One frame at wall clock `now_ms`.
    pub fn frame(&mut self, session: &mut Session, now_ms: f64) {
        let passed = self
            .last_ms
            .map_or(0.0, |last| (now_ms - last).clamp(0.0, LONGEST_FRAME_MS));
        self.last_ms = Some(now_ms);
        let until = clock_ms() + BUDGET_MS;
        if dom::reduced_motion() {
            self.hop(session, passed, until);
            return;
        }
        if self.fold && !self.in_the_air(session) && self.pass_idle(session, until) {
            return;
        }
        self.rest_us += passed * self.rate() as f64 / 1_000.0;
        let whole = self.rest_us.floor();
        self.rest_us -= whole;
        let target = session.run.now_us() + whole as u64;
        while session.run.now_us() < target && clock_ms() < until {
            session.run.play_until_us(target, SLICE);
        }
    }

    /// Where no motion is wanted, time goes from event to event.
    fn hop(&mut self, session: &mut Session, passed_ms: f64, until_ms: f64) {
        self.rest_us += passed_ms;
        if self.rest_us < HOP_MS {
            return;
        }
        self.rest_us = 0.0;
        if !(self.fold && !self.in_the_air(session) && self.pass_idle(session, until_ms)) {
            session.run.step();
        }
    }

    /// Whether a message that the stage shows is on its way.
    fn in_the_air(&self, session: &Session) -> bool {
        session.run.is_any_in_the_air(self.layer)
    }

    /// Steps over events until something is on its way or the frame is used up; whether any step was made.
    fn pass_idle(&self, session: &mut Session, until_ms: f64) -> bool {
        let mut stepped = false;
        while clock_ms() < until_ms && session.run.step() {
            stepped = true;
            if self.in_the_air(session) {
                break;
            }
        }
        stepped
    }
}

/// The browser's monotonic clock in milliseconds.
pub fn clock_ms() -> f64 {
    gloo::utils::window().performance().map_or(0.0, |p| p.now())
}
