//! The page's root: holds the run and the page's own state, takes every message, publishes what the components draw.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use wasm_bindgen::{JsCast, closure::Closure};
use yew::prelude::*;

use super::acts;
use super::dom::{self, Same};
use super::fidelity::FidelityView;
use super::first;
use super::keys;
use super::layers::{HelpView, LinkErrorView, MenuView, Toasts};
use super::ledger::LedgerStrip;
use super::panel::Panel;
use super::player::{Player, clock_ms};
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

impl App {
    /// The sandbox is alive in the first second: the run is brought to where its story begins, or to `moment`, and the
    /// page shows what the scenario's `view` line asks for.
    fn begin(&mut self, moment: Option<u64>) {
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
    fn on_frame(&mut self, ms: f64) -> bool {
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

    fn ask_frame(&mut self) {
        if self.frame.is_none() {
            self.frame = gloo::utils::window()
                .request_animation_frame(self.on_frame.as_ref().unchecked_ref())
                .ok();
        }
    }

    fn play(&mut self, playing: bool) {
        self.player.set_playing(playing);
        if playing {
            self.ask_frame();
        }
    }

    /// Moves in time; all of them stop the playing.
    fn travel(&mut self, msg: &Msg) {
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

    fn command(&mut self, line: &str) {
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

    fn branch_name(&self) -> String {
        let branches = self.bus.run.borrow().run.branches();
        branches
            .into_iter()
            .find(|b| b.current)
            .map(|b| b.name)
            .unwrap_or_default()
    }

    fn undo(&mut self) {
        let undone = self.bus.run.borrow_mut().undo();
        if !undone {
            self.toast(ToastKind::Plain, t().nothing_to_undo.to_owned(), ToastAction::None);
        }
    }

    fn open(&mut self, text: &str) {
        *self.bus.run.borrow_mut() = Session::open(text);
        self.play(false);
        self.begin(None);
    }

    fn edit(&mut self, text: &str) {
        self.play(false);
        self.bus.run.borrow_mut().edit(text);
    }

    fn branch(&mut self, id: u32) {
        self.play(false);
        self.bus.run.borrow_mut().switch_branch(id);
        self.broken = usize::MAX;
    }

    fn next_branch(&mut self, forward: bool) {
        let branches = &self.scene.branches;
        let Some(here) = branches.iter().position(|b| b.current) else {
            return;
        };
        let step = if forward { 1 } else { branches.len() - 1 };
        let id = branches[(here + step) % branches.len()].id;
        self.branch(id);
    }

    fn fork(&mut self) {
        self.play(false);
        let taken: Vec<String> = self.scene.branches.iter().map(|b| b.name.clone()).collect();
        let name = (1..)
            .map(|n| format!("fork-{n}"))
            .find(|n| !taken.contains(n))
            .unwrap_or_default();
        self.bus.run.borrow_mut().run.fork(&name);
        self.toast(ToastKind::Plain, (t().on_branch)(&name), ToastAction::None);
    }

    /// Messages that change the page, never the run.
    fn page(&mut self, msg: Msg) -> bool {
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
            Msg::Why(event, index) => {
                self.why = Some((event, index));
                self.show(Tab::Log);
            }
            Msg::WhySelection => self.why_selection(),
            Msg::WhyClose => self.why = None,
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

    fn select(&mut self, selection: Option<Selection>) {
        self.air.borrow_mut().selected = match &selection {
            Some(Selection::Message(id)) => Some(*id),
            _ => None,
        };
        self.selection = selection;
        self.air.borrow_mut().draw(&self.bus.run.borrow());
    }

    /// The same record on the next broker that has it.
    fn next_copy(&mut self) {
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

    fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.sheet = true;
    }

    /// "Why?" of what is selected: the newest entry of the log that speaks of it.
    fn why_selection(&mut self) {
        let words = match &self.selection {
            Some(Selection::Process(name)) => name.clone(),
            Some(Selection::Record { partition, offset, .. }) => format!("P{partition}@{offset}"),
            _ => String::new(),
        };
        let entry = self.bus.run.borrow().newest(&words);
        match entry {
            Some(entry) => {
                self.why = Some((entry.event, entry.index));
                self.show(Tab::Log);
            }
            None => self.toast(ToastKind::Plain, t().no_why.to_owned(), ToastAction::None),
        }
    }

    fn menu_of(&mut self, selection: Selection, x: i32, y: i32) {
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

    fn copy(&mut self) {
        storage::copy_link(&self.scene.text, self.bus.send.clone());
    }

    /// The fragment was changed by hand: what it holds is opened, or refused with a message.
    fn fragment(&mut self) {
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

    fn toast(&mut self, kind: ToastKind, text: String, action: ToastAction) {
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
    fn key(&mut self, event: &web_sys::KeyboardEvent) -> bool {
        if event.key() == "Escape" {
            return self.escape();
        }
        if self.menu.is_some() || self.help || self.known.is_some() || self.link_error.is_some() {
            return false;
        }
        let Some(msg) = keys::message(event, self.selection.as_ref()) else {
            return false;
        };
        event.prevent_default();
        self.bus.send.emit(msg);
        false
    }

    /// Closes the uppermost thing.
    fn escape(&mut self) -> bool {
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
            self.why = None;
        } else {
            self.sheet = false;
        }
        true
    }

    /// Makes a new picture for the components, saves the work, draws the canvas.
    fn publish(&mut self) {
        let session = self.bus.run.borrow();
        let view = session.run.view();
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
            view: Same(Rc::new(view)),
            text,
        };
        drop(session);
        self.air.borrow_mut().draw(&self.bus.run.borrow());
        self.alarm();
        self.save();
    }

    /// Says once that an invariant broke.
    fn alarm(&mut self) {
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

    fn save(&mut self) {
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
