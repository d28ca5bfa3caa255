//! What moves time or changes the run: playing, steps and leaps, commands, branches.

use wasm_bindgen::JsCast;

use super::{App, FIRST_EVENTS, PUBLISH_MS};
use crate::ui::dom;
use crate::ui::first;
use crate::ui::session::Session;
use crate::ui::state::*;
use crate::ui::texts::t;

impl App {
    /// The sandbox is alive in the first second: the run is brought to where its story begins, or to `moment`, and the
    /// page shows what the scenario's `view` line asks for.
    pub(super) fn begin(&mut self, moment: Option<u64>) {
        let mut session = self.bus.run.borrow_mut();
        let first = first::of(session.run.text());
        session.run.play_until_us(moment.unwrap_or(first.at_us), FIRST_EVENTS);
        drop(session);
        self.selection = first.select.map(Selection::Process);
        self.topic = first.topic;
        self.tab = first.tab.unwrap_or(self.tab);
        self.player.speed = first.speed;
        self.why = None;
        self.broken = usize::MAX;
        self.caption = (String::new(), 0.0);
        if !dom::reduced_motion() && self.link_error.is_none() {
            self.play(true);
        }
    }

    /// One frame of playing: moves time, draws the canvas, publishes now and then.
    pub(super) fn on_frame(&mut self, ms: f64) -> bool {
        self.frame = None;
        if !self.player.playing {
            return false;
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

    pub(super) fn ask_frame(&mut self) {
        if self.frame.is_none() {
            self.frame = gloo::utils::window()
                .request_animation_frame(self.on_frame.as_ref().unchecked_ref())
                .ok();
        }
    }

    pub(super) fn play(&mut self, playing: bool) {
        self.player.set_playing(playing);
        if playing {
            self.ask_frame();
        }
    }

    /// Moves in time; all of them stop the playing.
    pub(super) fn travel(&mut self, msg: &Msg) {
        self.play(false);
        let run = &mut self.bus.run.borrow_mut().run;
        match msg {
            Msg::Step => {
                run.step();
            }
            Msg::Back => run.step_back(),
            Msg::Matters => {
                run.step_interesting();
            }
            Msg::Start => run.seek_us(0),
            Msg::End => {
                let end_us = run.end_us();
                run.seek_event(run.end_event());
                // Time may have passed after the last event; but nothing new is to happen in its microsecond.
                if run.now_us() < end_us {
                    run.seek_us(end_us);
                }
            }
            Msg::Seek(us) => run.seek_us(*us),
            Msg::SeekEvent(event) => run.seek_event(*event),
            _ => {}
        }
    }

    pub(super) fn command(&mut self, line: &str) {
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
        let undone = self.bus.run.borrow_mut().undo();
        if !undone {
            self.toast(ToastKind::Plain, t().nothing_to_undo.to_owned(), ToastAction::None);
        }
    }

    pub(super) fn open(&mut self, text: &str) {
        *self.bus.run.borrow_mut() = Session::open(text);
        self.play(false);
        self.begin(None);
    }

    pub(super) fn edit(&mut self, text: &str) {
        self.play(false);
        self.bus.run.borrow_mut().edit(text);
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
