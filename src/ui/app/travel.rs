//! What moves time or changes the run: playing, steps and leaps, commands, branches.

use std::rc::Rc;

use wasm_bindgen::JsCast;

use super::journey::Journey;
use super::{App, FIRST_EVENTS, PUBLISH_MS};
use crate::ui::dom;
use crate::ui::first;
use crate::ui::frame;
use crate::ui::session::Session;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Events that are played before the page is first seen; the rest of the way is travelled before the visitor's eyes.
const AT_ONCE: u64 = 20_000;

/// How many events an edited text is played at most to come back to the same moment.
const EDIT_EVENTS: u64 = 400_000;

impl App {
    /// The sandbox is alive in the first second: the run is brought to where its story begins, or to `moment`, and the
    /// page shows what the scenario's `view` line asks for.
    pub(super) fn begin(&mut self, moment: Option<u64>) {
        let mut session = self.bus.run.borrow_mut();
        let first = first::of(session.run.text());
        let at_us = moment.unwrap_or(first.at_us);
        let there = session.run.play_until_us(at_us, AT_ONCE);
        drop(session);
        self.was = 0;
        self.selection = first.select.map(Selection::Process);
        self.topic = first.topic;
        self.tab = first.tab.unwrap_or(self.tab);
        self.player.speed = first.speed;
        (self.why, self.cure) = (None, None);
        self.broken = usize::MAX;
        self.caption = (String::new(), 0.0);
        let plays = !dom::reduced_motion() && self.link_error.is_none() && frame::of_page().plays;
        if !there {
            let journey = Journey::to_us(at_us, FIRST_EVENTS);
            self.set_out(if plays { journey.then_play() } else { journey });
        } else if plays {
            self.play(true);
        }
    }

    /// One frame of playing: moves time, draws the canvas, publishes now and then.
    pub(super) fn on_frame(&mut self, ms: f64) -> bool {
        self.frame = None;
        if !self.player.playing {
            return self.on_still_frame(ms);
        }
        self.player.frame(&mut self.bus.run.borrow_mut(), ms);
        self.air.borrow_mut().draw(&self.bus.run.borrow());
        self.ask_frame();
        if ms - self.published_ms < PUBLISH_MS {
            return false;
        }
        self.published_ms = ms;
        self.publish();
        true
    }

    /// One frame in which time does not play: a travel goes on, else the search for a cure.
    fn on_still_frame(&mut self, ms: f64) -> bool {
        if self.journey.is_some() {
            let over = self.travel_on();
            self.ask_frame();
            if !over && ms - self.published_ms < PUBLISH_MS {
                self.air.borrow_mut().draw(&self.bus.run.borrow());
                return false;
            }
            self.published_ms = ms;
            self.publish();
            return true;
        }
        let news = self.seek_on();
        if self.is_seeking() {
            self.ask_frame();
        }
        news
    }

    /// Plays or pauses; a travel under way ends where it is.
    pub(super) fn toggle(&mut self) {
        let stops = self.player.playing || self.journey.is_some();
        self.play(!stops);
    }

    pub(super) fn ask_frame(&mut self) {
        if self.frame.is_none() {
            self.frame = gloo::utils::window()
                .request_animation_frame(self.on_frame.as_ref().unchecked_ref())
                .ok();
        }
    }

    pub(super) fn play(&mut self, playing: bool) {
        self.journey = None;
        if playing && !self.player.playing {
            self.was = self.bus.run.borrow().run.event();
        }
        self.player.set_playing(playing);
        if playing || self.is_seeking() {
            self.ask_frame();
        }
    }

    /// Moves in time; all of them stop the playing.
    pub(super) fn travel(&mut self, msg: &Msg) {
        self.play(false);
        self.pulses = matches!(msg, Msg::Step | Msg::Back | Msg::Matters);
        let shared = Rc::clone(&self.bus.run);
        let mut session = shared.borrow_mut();
        let run = &mut session.run;
        let (before, end_us) = (run.event(), run.end_us());
        let mut far = None;
        match msg {
            Msg::Step => {
                run.step();
            }
            Msg::Back => run.step_back(),
            Msg::Matters => far = Some(Journey::to_what_matters()),
            Msg::Start => run.seek_us(0),
            Msg::End => {
                run.seek_event(run.end_event());
                // Time may have passed after the last event; but nothing new is to happen in its microsecond.
                if run.now_us() < end_us {
                    run.seek_us(end_us);
                }
            }
            Msg::Seek(us) => {
                run.seek_us(end_us.min(*us));
                far = (*us > end_us).then(|| Journey::to_us(*us, u64::MAX));
            }
            Msg::SeekEvent(event) => run.seek_event(*event),
            Msg::FirstDifference => {
                if let Some(event) = run.first_difference() {
                    run.seek_event(event);
                }
            }
            _ => {}
        }
        if run.event() != before || far.is_some() {
            self.was = before;
        }
        drop(session);
        self.travel_far(far);
    }

    /// Sets out, if there is somewhere to go.
    fn travel_far(&mut self, journey: Option<Journey>) {
        if let Some(journey) = journey {
            self.set_out(journey);
        }
    }

    pub(super) fn command(&mut self, line: &str) {
        self.pulses = true;
        let before = self.branch_name();
        let answer = self.bus.run.borrow_mut().command(line);
        if let Err(text) = answer {
            self.toast(ToastKind::Bad, text, ToastAction::None);
            return;
        }
        let after = self.branch_name();
        if before != after {
            self.toast(ToastKind::Plain, (t().forked)(&after, &before), ToastAction::Undo);
        }
    }

    pub(super) fn branch_name(&self) -> String {
        let branches = self.bus.run.borrow().run.branches();
        branches
            .into_iter()
            .find(|b| b.current)
            .map(|b| b.name)
            .unwrap_or_default()
    }

    pub(super) fn undo(&mut self) {
        let pending = self.journey.as_ref().and_then(Journey::moment);
        let undone = self.bus.run.borrow_mut().undo();
        match undone {
            Some(now_us) => self.come_back(pending.unwrap_or(now_us)),
            None => self.toast(ToastKind::Plain, t().nothing_to_undo.to_owned(), ToastAction::None),
        }
    }

    /// Plays a changed text to where the run stood.
    fn come_back(&mut self, us: u64) {
        self.play(false);
        self.set_out(Journey::to_us(us, EDIT_EVENTS));
    }

    pub(super) fn open(&mut self, text: &str) {
        *self.bus.run.borrow_mut() = Session::open(text);
        self.play(false);
        self.begin(None);
    }

    pub(super) fn edit(&mut self, text: &str) {
        // A text that changes while the run still comes back from the last change comes back to the same moment.
        let pending = self.journey.as_ref().and_then(Journey::moment);
        self.play(false);
        let again = self.bus.run.borrow_mut().edit(text);
        if let Some(now_us) = again {
            self.come_back(pending.unwrap_or(now_us));
        }
    }

    pub(super) fn branch(&mut self, id: u32) {
        self.play(false);
        self.bus.run.borrow_mut().switch_branch(id);
        self.broken = usize::MAX;
    }

    pub(super) fn next_branch(&mut self, forward: bool) {
        let branches = &self.scene.branches;
        let Some(here) = branches.iter().position(|b| b.current) else {
            return;
        };
        let step = if forward { 1 } else { branches.len() - 1 };
        let id = branches[(here + step) % branches.len()].id;
        self.branch(id);
    }

    pub(super) fn fork(&mut self) {
        self.play(false);
        let taken: Vec<String> = self.scene.branches.iter().map(|b| b.name.clone()).collect();
        let name = (1..)
            .map(|n| format!("fork-{n}"))
            .find(|n| !taken.contains(n))
            .unwrap_or_default();
        self.bus.run.borrow_mut().run.fork(&name);
        self.toast(ToastKind::Plain, (t().on_branch)(&name), ToastAction::None);
    }
}
