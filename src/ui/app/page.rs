//! What changes the page and never the run: selection, tabs, menus, notices, keys.

use std::rc::Rc;

use super::{App, TOASTS};
use crate::ui::acts;
use crate::ui::dom::Same;
use crate::ui::keys;
use crate::ui::stage::zoom;
use crate::ui::state::*;
use crate::ui::storage;
use crate::ui::texts::t;
use crate::ui::theme;

impl App {
    /// Messages that change the page, never the run.
    pub(super) fn page(&mut self, msg: Msg) -> bool {
        match msg {
            Msg::Select(selection) => self.select(selection),
            Msg::Inspect(selection) => {
                self.select(Some(selection));
                self.show(Tab::Inspector);
            }
            Msg::NextCopy => self.next_copy(),
            Msg::Show(tab) => self.show(tab),
            Msg::Sheet => self.sheet = !self.sheet,
            Msg::Filter(filters) => self.filters = filters,
            Msg::Why(event, index) => self.ask_why(event, index),
            Msg::WhySelection => self.why_selection(),
            Msg::WhyClose => (self.why, self.cure) = (None, None),
            Msg::Look(look) => self.look = look,
            Msg::ZoomBy(steps) => self.zoom = zoom::by(self.zoom, steps),
            Msg::Zoom(percent) => self.zoom = zoom::within(percent),
            Msg::ZoomFit => self.zoom = zoom::that_fits(self.zoom),
            Msg::Menu(menu) => self.menu = menu.map(|menu| Same(Rc::new(menu))),
            Msg::MenuOf(selection, x, y) => self.menu_of(selection, x, y),
            Msg::Theme => {
                self.theme = theme::other(self.theme);
                theme::apply(self.theme);
                self.air.borrow_mut().recolour();
                self.air.borrow_mut().draw(&self.bus.run.borrow());
            }
            Msg::Help(open) => self.help = open,
            Msg::Known(rule) => {
                self.help = false;
                self.known = rule;
            }
            Msg::Copy => self.copy(),
            Msg::Copied(done) => {
                let text = if done {
                    (t().copied)(self.scene.link)
                } else {
                    t().copy_failed.to_owned()
                };
                self.toast(
                    if done { ToastKind::Good } else { ToastKind::Bad },
                    text,
                    ToastAction::None,
                );
            }
            Msg::CopyFigure => storage::copy_figure(
                &self.scene.title,
                &self.scene.text,
                self.look,
                self.scene.view.now_us,
                self.bus.send.clone(),
            ),
            Msg::CopiedFigure(done) => {
                let (kind, text) = if done {
                    (ToastKind::Good, t().copied_figure)
                } else {
                    (ToastKind::Bad, t().copy_failed)
                };
                self.toast(kind, text.to_owned(), ToastAction::None);
            }
            Msg::Download => storage::download(&self.scene.title, &self.scene.text),
            Msg::Dismiss(id) => self.toasts.retain(|toast| toast.id != id),
            Msg::Topic(topic) => {
                self.topic = topic;
                self.publish();
            }
            Msg::Fragment => self.fragment(),
            Msg::LinkError(text) => self.link_error = text,
            _ => return false,
        }
        true
    }

    pub(super) fn select(&mut self, selection: Option<Selection>) {
        self.air.borrow_mut().selected = match &selection {
            Some(Selection::Message(id)) => Some(*id),
            _ => None,
        };
        self.selection = selection;
        self.air.borrow_mut().draw(&self.bus.run.borrow());
    }

    /// The same record on the next broker that has it.
    pub(super) fn next_copy(&mut self) {
        let Some(Selection::Record {
            broker,
            topic,
            partition,
            offset,
        }) = self.selection.clone()
        else {
            return;
        };
        let holds = |b: &&crate::lab::view::BrokerView| {
            let same = b.replicas.iter().find(|r| r.topic == topic && r.partition == partition);
            same.is_some_and(|r| r.cells.iter().any(|c| c.offset == offset))
        };
        let names: Vec<&String> = self.scene.view.brokers.iter().filter(holds).map(|b| &b.name).collect();
        let here = names.iter().position(|n| **n == broker).map_or(0, |i| i + 1);
        if let Some(next) = names.get(here).or(names.first()) {
            let broker = (*next).clone();
            self.select(Some(Selection::Record {
                broker,
                topic,
                partition,
                offset,
            }));
        }
    }

    pub(super) fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.sheet = true;
    }

    /// Asks why a line of the log is there, and looks for a cure if it is something bad.
    fn ask_why(&mut self, event: u64, index: u16) {
        self.why = Some(self.answer(event, index));
        self.seek_cure();
        self.show(Tab::Log);
    }

    pub(super) fn answer(&self, event: u64, index: u16) -> Answer {
        let run = &self.bus.run.borrow().run;
        let chain = run.why(event, index);
        Answer {
            event,
            index,
            causes: Same(Rc::new(run.causes(event, &chain))),
            chain: Same(Rc::new(chain)),
        }
    }

    /// "Why?" of what is selected: the newest entry of the log that speaks of it.
    pub(super) fn why_selection(&mut self) {
        let words = match &self.selection {
            Some(Selection::Process(name)) => name.clone(),
            Some(Selection::Record { partition, offset, .. }) => format!("P{partition}@{offset}"),
            _ => String::new(),
        };
        let entry = self.bus.run.borrow().newest(&words);
        match entry {
            Some(entry) => self.ask_why(entry.event, entry.index),
            None => self.toast(ToastKind::Plain, t().no_why.to_owned(), ToastAction::None),
        }
    }

    pub(super) fn menu_of(&mut self, selection: Selection, x: i32, y: i32) {
        let flights = self.bus.run.borrow().run.air();
        let sections = acts::of(&self.scene.view, &flights, &selection);
        let label = sections.first().map(|s| s.title.clone()).unwrap_or_default();
        self.select(Some(selection));
        if !sections.is_empty() {
            self.play(false);
            self.menu = Some(Same(Rc::new(Menu { label, x, y, sections })));
            self.publish();
        }
    }

    pub(super) fn copy(&mut self) {
        storage::copy_link(&self.scene.text, self.bus.send.clone());
    }

    /// The fragment was changed by hand: what it holds is opened, or refused with a message.
    pub(super) fn fragment(&mut self) {
        match storage::from_fragment() {
            Some(Ok(text)) => {
                self.link_error = None;
                self.open(&text);
                self.publish();
            }
            Some(Err(text)) => self.link_error = Some(text),
            None => {}
        }
    }

    pub(super) fn toast(&mut self, kind: ToastKind, text: String, action: ToastAction) {
        let id = self.next_toast;
        self.next_toast += 1;
        self.toasts.push(Toast { id, kind, text, action });
        let over = self.toasts.len().saturating_sub(TOASTS);
        self.toasts.drain(..over);
        let send = self.bus.send.clone();
        let stay = if kind == ToastKind::Bad { 9_000 } else { 4_000 };
        gloo::timers::callback::Timeout::new(stay, move || send.emit(Msg::Dismiss(id))).forget();
    }

    /// A key that no field and no widget has used.
    pub(super) fn key(&mut self, event: &web_sys::KeyboardEvent) -> bool {
        if event.key() == "Escape" {
            return self.escape();
        }
        if self.menu.is_some() || self.help || self.known.is_some() || self.link_error.is_some() {
            return false;
        }
        let Some(msg) = keys::message(event, self.selection.as_ref(), self.look) else {
            return false;
        };
        event.prevent_default();
        self.bus.send.emit(msg);
        false
    }

    /// Closes the uppermost thing.
    pub(super) fn escape(&mut self) -> bool {
        if self.menu.is_some() {
            self.menu = None;
        } else if self.known.is_some() {
            self.known = None;
        } else if self.help {
            self.help = false;
        } else if self.link_error.is_some() {
            self.link_error = None;
        } else if self.selection.is_some() {
            self.select(None);
        } else if self.why.is_some() {
            (self.why, self.cure) = (None, None);
        } else if self.journey.is_some() {
            self.play(false);
        } else {
            self.sheet = false;
        }
        true
    }
}
