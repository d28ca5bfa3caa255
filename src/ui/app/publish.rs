//! The picture of the moment for the components, and what goes with it: alarms, saving the work.

use std::rc::Rc;

use super::{App, CAPTION_MS};
use crate::lab::view::View;
use crate::ui::dom::Same;
use crate::ui::player::clock_ms;
use crate::ui::stage::changes;
use crate::ui::state::*;
use crate::ui::storage;
use crate::ui::texts::t;

impl App {
    /// Makes a new picture for the components, saves the work, draws the canvas.
    pub(super) fn publish(&mut self) {
        let session = Rc::clone(&self.bus.run);
        let session = session.borrow();
        let view = session.run.view();
        let changed = match std::mem::take(&mut self.pulses) && self.journey.is_none() && self.scene.version > 0 {
            true => changes::between(&self.scene.view, &view),
            false => Vec::new(),
        };
        let changed = Same(Rc::new(changed));
        let now_ms = clock_ms();
        if !self.player.playing || now_ms - self.caption.1 >= CAPTION_MS {
            self.caption = (view.caption.clone(), now_ms);
        }
        let text: Rc<str> = if *self.scene.text == *session.run.text() {
            Rc::clone(&self.scene.text)
        } else {
            Rc::from(session.run.text())
        };
        let fresh = self.scene.version == 0 || !Rc::ptr_eq(&text, &self.scene.text);
        if fresh {
            gloo::utils::document().set_title(&format!("{} · Brokerlab", storage::title(&text)));
        }
        self.scene = Scene {
            version: self.scene.version + 1,
            branches: Same(Rc::new(session.run.branches())),
            marks: Same(Rc::new(session.run.marks())),
            problems: Same(session.troubles(&self.scene.problems.0)),
            draft: session.is_draft(),
            end_us: session.run.end_us(),
            end_event: session.run.end_event(),
            title: if fresh {
                storage::title(&text)
            } else {
                std::mem::take(&mut self.scene.title)
            },
            link: if fresh {
                storage::link_length(&text)
            } else {
                self.scene.link
            },
            can_undo: session.can_undo(),
            topics: Same(Rc::new(shown_topics(&view, self.topic.as_deref()))),
            playing: self.player.playing,
            travelling: self.journey.is_some(),
            changed,
            fold: self.player.fold,
            was: self.was.min(session.run.end_event()),
            view: Same(Rc::new(view)),
            text,
        };
        drop(session);
        if fresh {
            // Another text is another run: what was asked of the old one may not be in it.
            self.forget_why();
        }
        self.air.borrow_mut().draw(&self.bus.run.borrow());
        self.alarm();
        self.save();
    }

    /// Asks again what was asked, or forgets it if the run has no such line.
    fn forget_why(&mut self) {
        let Some((event, index)) = self.why.as_ref().map(|why| (why.event, why.index)) else {
            return;
        };
        let answer = self.answer(event, index);
        self.why = (!answer.chain.is_empty()).then_some(answer);
        if self.why.is_none() {
            self.cure = None;
        }
    }

    /// Says once that an invariant broke.
    pub(super) fn alarm(&mut self) {
        let view = Rc::clone(&self.scene.view.0);
        let broken: Vec<_> = view.invariants.iter().filter(|i| i.broken.is_some()).collect();
        if self.broken != usize::MAX
            && broken.len() > self.broken
            && let Some((event, how)) = broken.last().and_then(|i| i.broken.as_ref())
        {
            self.toast(
                ToastKind::Bad,
                (t().invariant_broke)(broken[broken.len() - 1].name, how),
                ToastAction::Why(*event, 0),
            );
        }
        self.broken = broken.len();
    }

    pub(super) fn save(&mut self) {
        // A figure belongs to the page around it: it leaves the visitor's own work alone.
        if self.figure {
            return;
        }
        let session = self.bus.run.borrow();
        if *self.saved != *session.draft() {
            self.saved = Rc::from(session.draft());
            // From now on the work differs from any link in the address bar, and a reload must bring back the work.
            storage::forget_fragment();
            storage::save_text(&self.saved);
        }
        if !self.player.playing {
            storage::save_moment(self.scene.view.now_us);
        }
    }
}

/// The topics on the stage: the chosen one, or the first that is not Kafka's own.
fn shown_topics(view: &View, chosen: Option<&str>) -> Vec<String> {
    let own = chosen.and_then(|c| view.topics.iter().find(|x| x.name == c));
    let first = own.or_else(|| view.topics.iter().find(|x| !x.internal));
    first.map(|x| x.name.clone()).into_iter().collect()
}
