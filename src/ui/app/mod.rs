//! The page's root: holds the run and the page's own state, takes every message, publishes what the components draw.

mod cure;
mod journey;
mod page;
mod publish;
mod travel;

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::{JsCast, closure::Closure};
use yew::prelude::*;

use super::compare::Compare;
use super::dom::Same;
use super::fidelity::FidelityView;
use super::figure::Figure;
use super::frame;
use super::lanes::Lanes;
use super::layers::{HelpView, LinkErrorView, MenuView, Toasts};
use super::ledger::LedgerStrip;
use super::panel::Panel;
use super::player::Player;
use super::session::{Session, Shared};
use super::stage::air::Air;
use super::stage::{Stage, StageBar};
use super::state::*;
use super::storage;
use super::table::Table;
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
    why: Option<Answer>,
    cure: Option<cure::Seeking>,
    look: Look,
    /// The page is a figure inside another page.
    figure: bool,
    /// The stage's size in percent.
    zoom: u32,
    journey: Option<journey::Journey>,
    /// The next picture says what has changed since the last.
    pulses: bool,
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
    /// The event where time stood before it was last moved.
    was: u64,
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
        let frame = frame::of_page();
        let (text, link_error) = if frame.figure {
            storage::figure_text()
        } else {
            storage::first_text()
        };
        let session = Session::open(&text);
        let run: Shared = Rc::new(RefCell::new(session));
        let bus = Bus {
            send: ctx.link().callback(|msg| msg),
            run,
        };
        let saved = Rc::from(text);
        let theme = theme::remembered();
        match &frame.theme {
            Some(asked) => theme::show(asked),
            None => theme::apply(theme),
        }
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
            cure: None,
            look: frame.look,
            figure: frame.figure,
            zoom: 100,
            journey: None,
            pulses: false,
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
            was: 0,
            saved,
            frame: None,
            on_frame,
            _listeners: listeners,
            bus,
        };
        app.begin(
            frame
                .at_us
                .or_else(|| (!frame.figure).then(storage::remembered_moment).flatten()),
        );
        app.publish();
        app
    }

    fn update(&mut self, _ctx: &Context<Self>, msg: Msg) -> bool {
        match msg {
            Msg::Frame(ms) => return self.on_frame(ms),
            Msg::Key(event) => return self.key(&event),
            Msg::Toggle => self.toggle(),
            Msg::Pause => self.play(false),
            Msg::Step
            | Msg::Back
            | Msg::Matters
            | Msg::FirstDifference
            | Msg::Start
            | Msg::End
            | Msg::Seek(_)
            | Msg::SeekEvent(_) => {
                self.travel(&msg);
            }
            Msg::TakeCure => self.take_cure(),
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
            travelling: self.journey.is_some(),
            speed: self.player.speed,
            rate: self.player.rate(),
            fold: self.player.fold,
        };
        if self.figure {
            return self.as_figure(transport);
        }
        html! {
            <ContextProvider<Bus> context={self.bus.clone()}>
                <super::icon::Sprite />
                <a class="skip" href="#stage">{ t().skip }</a>
                <TopBar title={self.scene.title.clone()} branches={self.scene.branches.clone()} link={self.scene.link} can_undo={self.scene.can_undo} />
                <main class="main">
                    <StageBar scene={self.scene.clone()} topic={self.topic.clone()} layer={self.player.layer} look={self.look} prefill={self.prefill.clone()} selection={self.selection.clone()} />
                    { self.looked_at() }
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
                <Panel scene={self.scene.clone()} tab={self.tab} open={self.sheet} filters={self.filters.clone()} why={self.why.clone()} cure={self.cure_state()} selection={self.selection.clone()} />
            </ContextProvider<Bus>>
        }
    }
}

impl App {
    /// The page inside another page.
    fn as_figure(&self, transport: super::timeline::TransportState) -> Html {
        html! {
            <ContextProvider<Bus> context={self.bus.clone()}>
                <super::icon::Sprite />
                <Figure scene={self.scene.clone()} {transport} look={self.look} error={self.link_error.clone()}>
                    { self.looked_at() }
                </Figure>
            </ContextProvider<Bus>>
        }
    }

    /// The large part of the page.
    fn looked_at(&self) -> Html {
        let causes = self.why.as_ref().map(|why| why.causes.clone());
        match self.look {
            Look::Stage => html! {
                <Stage scene={self.scene.clone()} caption={self.caption.0.clone()} selection={self.selection.clone()} why={self.why.as_ref().map(|why| why.chain.clone())} air={Same(Rc::clone(&self.air))} zoom={self.zoom} />
            },
            Look::Lanes => html! {
                <Lanes scene={self.scene.clone()} caption={self.caption.0.clone()} {causes} why={self.why.as_ref().map(|why| (why.event, why.index))} idle={self.player.layer} selection={self.selection.clone()} />
            },
            Look::Compare => html! { <Compare scene={self.scene.clone()} caption={self.caption.0.clone()} /> },
            Look::Table => {
                html! { <Table scene={self.scene.clone()} caption={self.caption.0.clone()} selection={self.selection.clone()} /> }
            }
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
        travelling: false,
        changed: Same(Rc::default()),
        fold: true,
        was: 0,
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
