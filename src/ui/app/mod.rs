//! The page's root: holds the run and the page's own state, takes every message, publishes what the components draw.

mod page;
mod publish;
mod travel;

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::{JsCast, closure::Closure};
use yew::prelude::*;

use super::dom::Same;
use super::fidelity::FidelityView;
use super::layers::{HelpView, LinkErrorView, MenuView, Toasts};
use super::ledger::LedgerStrip;
use super::panel::Panel;
use super::player::Player;
use super::session::{Session, Shared};
use super::stage::air::Air;
use super::stage::{Stage, StageBar};
use super::state::*;
use super::storage;
use super::texts::t;
use super::theme;
use super::timeline::Timeline;
use super::topbar::TopBar;
use crate::lab::view::{MarkKind, View};

/// While time plays, the components are given a new picture this often (the canvas draws every frame).
const PUBLISH_MS: f64 = 100.0;

/// The caption is the page's live region: while time plays it speaks at most this often.
const CAPTION_MS: f64 = 1_000.0;

/// How many events are played at most to come to the moment at which a scenario is opened.
const FIRST_EVENTS: u64 = 200_000;

/// Notices that stand at the same time.
const TOASTS: usize = 3;

/// The root component.
pub struct App {
    bus: Bus,
    air: Rc<RefCell<Air>>,
    player: Player,
    scene: Scene,
    published_ms: f64,
    caption: (String, f64),
    selection: Option<Selection>,
    tab: Tab,
    sheet: bool,
    filters: Filters,
    why: Option<(u64, u16)>,
    menu: Option<Same<Menu>>,
    toasts: Vec<Toast>,
    next_toast: u32,
    theme: Theme,
    help: bool,
    /// The rule that "How do you know?" stands at, while it is open.
    known: Option<AttrValue>,
    link_error: Option<String>,
    topic: Option<String>,
    prefill: (u32, String),
    broken: usize,
    saved: Rc<str>,
    frame: Option<i32>,
    on_frame: Closure<dyn FnMut(f64)>,
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Msg;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> App {
        let (text, link_error) = storage::first_text();
        let session = Session::open(&text);
        let run: Shared = Rc::new(RefCell::new(session));
        let bus = Bus {
            send: ctx.link().callback(|msg| msg),
            run,
        };
        let saved = Rc::from(text);
        let theme = theme::remembered();
        theme::apply(theme);
        let link = ctx.link().clone();
        let on_frame = Closure::new(move |ms| link.send_message(Msg::Frame(ms)));
        let listeners = listeners(&bus);
        let mut app = App {
            scene: empty_scene(),
            air: Rc::new(RefCell::new(Air::default())),
            player: Player::default(),
            published_ms: 0.0,
            caption: (String::new(), 0.0),
            selection: None,
            tab: Tab::Log,
            sheet: false,
            filters: Filters::default(),
            why: None,
            menu: None,
            toasts: Vec::new(),
            next_toast: 0,
            theme,
            help: false,
            known: None,
            link_error,
            topic: None,
            prefill: (0, String::new()),
            broken: 0,
            saved,
            frame: None,
            on_frame,
            _listeners: listeners,
            bus,
        };
        app.begin(storage::remembered_moment());
        app.publish();
        app
    }

    fn update(&mut self, _ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Frame(ms) => return self.on_frame(ms),
            Msg::Key(event) => return self.key(&event),
            Msg::Toggle => self.play(!self.player.playing),
            Msg::Pause => self.play(false),
            Msg::Step | Msg::Back | Msg::Matters | Msg::Start | Msg::End | Msg::Seek(_) | Msg::SeekEvent(_) => {
                self.travel(&msg);
            }
            Msg::Speed(speed) => self.player.speed = speed.min(super::player::SPEEDS.len() as u8 - 1),
            Msg::Pace(true) => self.player.speed = (self.player.speed + 1).min(super::player::SPEEDS.len() as u8 - 1),
            Msg::Pace(false) => self.player.speed = self.player.speed.saturating_sub(1),
            Msg::Fold => self.player.fold = !self.player.fold,
            Msg::Layer => {
                self.player.layer = !self.player.layer;
                self.air.borrow_mut().idle = self.player.layer;
            }
            Msg::Command(line) => self.command(&line),
            Msg::Prefill(line) => self.prefill = (self.prefill.0 + 1, line),
            Msg::Undo => self.undo(),
            Msg::Open(text) => self.open(&text),
            Msg::Edit(text) => self.edit(&text),
            Msg::Branch(id) => self.branch(id),
            Msg::NextBranch(forward) => self.next_branch(forward),
            Msg::Fork => self.fork(),
            other => return self.page(other),
        }
        self.publish();
        true
    }

    fn view(&self, _ctx: &Context<Self>) -> Html {
        let transport = super::timeline::TransportState {
            playing: self.player.playing,
            speed: self.player.speed,
            rate: self.player.rate(),
            fold: self.player.fold,
        };
        html! {
            <ContextProvider<Bus> context={self.bus.clone()}>
                <super::icon::Sprite />
                <a class="skip" href="#stage">{ t().skip }</a>
                <TopBar title={self.scene.title.clone()} branches={self.scene.branches.clone()} link={self.scene.link} can_undo={self.scene.can_undo} />
                <main class="main">
                    <StageBar scene={self.scene.clone()} topic={self.topic.clone()} layer={self.player.layer} prefill={self.prefill.clone()} selection={self.selection.clone()} />
                    <Stage scene={self.scene.clone()} caption={self.caption.0.clone()} selection={self.selection.clone()} air={Same(Rc::clone(&self.air))} />
                    <LedgerStrip ledger={self.scene.view.ledger.clone()} broken={self.scene.view.invariants.iter().filter(|i| i.broken.is_some()).count()} invariants={self.scene.view.invariants.len()} fate={self.filters.fate} />
                    <Timeline scene={self.scene.clone()} {transport} />
                    if let Some(menu) = &self.menu {
                        <MenuView menu={menu.clone()} />
                    }
                    if self.help {
                        <HelpView />
                    }
                    if let Some(rule) = &self.known {
                        <FidelityView rule={rule.clone()} />
                    }
                    if let Some(text) = &self.link_error {
                        <LinkErrorView text={text.clone()} />
                    }
                    <Toasts toasts={self.toasts.clone()} />
                </main>
                <Panel scene={self.scene.clone()} tab={self.tab} open={self.sheet} filters={self.filters.clone()} why={self.why} selection={self.selection.clone()} />
            </ContextProvider<Bus>>
        }
    }
}

/// What the window tells: keys, a changed fragment, the system's theme, being hidden.
fn listeners(bus: &Bus) -> Vec<EventListener> {
    let window = gloo::utils::window();
    let document = gloo::utils::document();
    let (key, fragment, hide) = (bus.send.clone(), bus.send.clone(), bus.send.clone());
    vec![
        EventListener::new_with_options(
            &window,
            "keydown",
            gloo::events::EventListenerOptions::enable_prevent_default(),
            move |event| {
                if let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() {
                    key.emit(Msg::Key(event.clone()));
                }
            },
        ),
        EventListener::new(&window, "hashchange", move |_| fragment.emit(Msg::Fragment)),
        EventListener::new(&document, "visibilitychange", move |_| {
            if gloo::utils::document().hidden() {
                hide.emit(Msg::Pause);
            }
        }),
    ]
}

fn empty_scene() -> Scene {
    Scene {
        version: 0,
        view: Same(Rc::new(View::default())),
        branches: Same(Rc::default()),
        marks: Same(Rc::default()),
        problems: Same(Rc::default()),
        draft: false,
        end_us: 0,
        end_event: 0,
        title: String::new(),
        text: Rc::from(""),
        link: 0,
        can_undo: false,
        topics: Same(Rc::default()),
        playing: false,
    }
}

/// The sign of a mark's kind on the timeline: style class and icon.
pub fn mark_look(kind: MarkKind) -> (&'static str, &'static str) {
    match kind {
        MarkKind::Command => ("cmd", "cmd"),
        MarkKind::Fault => ("bad", "bolt"),
        MarkKind::Election => ("lead", "diamond"),
        MarkKind::Group => ("read", "people"),
        MarkKind::Loss => ("bad", "x"),
        MarkKind::Note => ("note", "note"),
        MarkKind::Check { passed: true } => ("safe", "check"),
        MarkKind::Check { passed: false } => ("bad", "crash"),
    }
}
