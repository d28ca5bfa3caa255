//! What the page itself remembers (which tab, what is selected, which menu is open) and every message that changes it.

use std::rc::Rc;

use yew::prelude::*;

use super::dom::Same;
use super::session::{Problem, Shared};
use crate::explore::cure::{Ailment, Progress};
use crate::lab::view::{BranchView, MarkView, View, WhyLink};

/// What the visitor has picked; one selection for all views.
#[derive(Clone, Debug, PartialEq)]
pub enum Selection {
    /// A process: broker, controller, producer or consumer.
    Process(String),
    /// The link between two processes.
    Link(String, String),
    /// A copy of a partition.
    Replica {
        broker: String,
        topic: String,
        partition: i32,
    },
    /// A record: one offset of a partition, seen on one broker.
    Record {
        broker: String,
        topic: String,
        partition: i32,
        offset: i64,
    },
    /// A message in flight.
    Message(u64),
}

/// How the run is looked at, in the large part of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// What exists, and messages moving.
    #[default]
    Stage,
    /// Who sent what to whom, over time.
    Lanes,
    /// Every partition in a row.
    Table,
    /// Both systems beside each other.
    Compare,
}

impl Look {
    pub const ALL: [Look; 4] = [Look::Stage, Look::Lanes, Look::Table, Look::Compare];

    /// The word in links.
    pub fn id(self) -> &'static str {
        match self {
            Look::Stage => "stage",
            Look::Lanes => "lanes",
            Look::Table => "table",
            Look::Compare => "compare",
        }
    }
}

/// The answer to "why?" of one line of the log.
#[derive(Clone, PartialEq)]
pub struct Answer {
    pub event: u64,
    pub index: u16,
    /// Effect first.
    pub chain: Same<Vec<WhyLink>>,
    /// The events that led to it, sorted.
    pub causes: Same<Vec<u64>>,
}

/// How the search for the smallest cure stands.
#[derive(Clone, PartialEq)]
pub struct CureState {
    pub of: Ailment,
    pub progress: Progress,
}

/// The tabs of the side panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    Log,
    Inspector,
    Console,
    Scenario,
    Ledger,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::Log, Tab::Inspector, Tab::Console, Tab::Scenario, Tab::Ledger];

    /// The word in ids.
    pub fn id(self) -> &'static str {
        match self {
            Tab::Log => "log",
            Tab::Inspector => "inspector",
            Tab::Console => "console",
            Tab::Scenario => "scenario",
            Tab::Ledger => "ledger",
        }
    }
}

/// What the log and the ledger are narrowed to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filters {
    /// Words that an entry must contain.
    pub text: String,
    /// Ordinary traffic too, not only what matters.
    pub details: bool,
    /// Heartbeats and idle polls too.
    pub idle: bool,
    /// Only what the clients logged themselves.
    pub client_log: bool,
    /// A fate that the ledger tab is narrowed to.
    pub fate: Option<&'static str>,
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

/// One line of a menu.
#[derive(Clone)]
pub struct Item {
    pub icon: &'static str,
    pub label: String,
    pub note: Option<&'static str>,
    /// What stands at the right: the command, or a key.
    pub aside: String,
    pub fault: bool,
    pub checked: Option<bool>,
    pub msg: Msg,
}

/// A part of a menu under its own heading.
#[derive(Clone)]
pub struct Section {
    pub title: String,
    pub items: Vec<Item>,
}

/// An open menu and where it stands.
#[derive(Clone)]
pub struct Menu {
    pub label: String,
    pub x: i32,
    pub y: i32,
    pub sections: Vec<Section>,
}

/// A short notice.
#[derive(Clone, PartialEq)]
pub struct Toast {
    pub id: u32,
    pub kind: ToastKind,
    pub text: String,
    pub action: ToastAction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ToastKind {
    Plain,
    Good,
    Bad,
}

/// The button of a notice.
#[derive(Clone, PartialEq)]
pub enum ToastAction {
    None,
    Undo,
    Why(u64, u16),
}

/// How far a command line got.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub at_us: u64,
    pub line: String,
    pub answer: Result<String, String>,
}

/// Everything that can be asked of the page.
#[derive(Clone)]
pub enum Msg {
    Frame(f64),
    Toggle,
    Pause,
    Step,
    Back,
    Matters,
    /// To where the two systems part.
    FirstDifference,
    Start,
    End,
    Seek(u64),
    SeekEvent(u64),
    Speed(u8),
    /// Faster or slower.
    Pace(bool),
    Fold,
    Layer,
    Look(Look),
    /// Larger (positive) or smaller by so many steps.
    ZoomBy(i32),
    /// The stage at so many percent.
    Zoom(u32),
    /// All of the stage at once.
    ZoomFit,
    Command(String),
    /// Puts a line into the command line and goes there, for a person to finish.
    Prefill(String),
    Undo,
    Open(Rc<str>),
    Edit(String),
    Branch(u32),
    NextBranch(bool),
    Fork,
    Select(Option<Selection>),
    Inspect(Selection),
    NextCopy,
    Show(Tab),
    Sheet,
    Filter(Filters),
    Why(u64, u16),
    WhySelection,
    WhyClose,
    /// Opens the branch on which the smallest cure was played.
    TakeCure,
    Menu(Option<Menu>),
    /// The menu of a process, at a place on the screen.
    MenuOf(Selection, i32, i32),
    Theme,
    Help(bool),
    /// How we know: open at a rule (empty: at the beginning), or closed.
    Known(Option<AttrValue>),
    Copy,
    /// Copies the HTML that shows this run as a figure on another page.
    CopyFigure,
    Copied(bool),
    CopiedFigure(bool),
    Download,
    Dismiss(u32),
    Topic(Option<String>),
    Key(web_sys::KeyboardEvent),
    Fragment,
    LinkError(Option<String>),
}

/// The way from any component to the page's state and the run.
#[derive(Clone)]
pub struct Bus {
    pub send: Callback<Msg>,
    pub run: Shared,
}

impl PartialEq for Bus {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.run, &other.run)
    }
}

impl Bus {
    /// A callback that sends one fixed message, whatever the event.
    pub fn on<E>(&self, msg: Msg) -> Callback<E> {
        let send = self.send.clone();
        Callback::from(move |_| send.emit(msg.clone()))
    }
}

/// The bus from the context. The page's root provides it, so it is always there.
#[hook]
pub fn use_bus() -> Bus {
    use_context::<Bus>().expect("the page's root component provides the bus to everything below it")
}

/// What is published to the components when something has changed: the moment, and what surrounds it.
#[derive(Clone, PartialEq)]
pub struct Scene {
    /// Grows with every publication.
    pub version: u64,
    pub view: Same<View>,
    pub branches: Same<Vec<BranchView>>,
    pub marks: Same<Vec<MarkView>>,
    pub problems: Same<Vec<Problem>>,
    /// The editor's text has errors, and the run keeps the last good one.
    pub draft: bool,
    /// Where the explored future ends.
    pub end_us: u64,
    /// Events explored on this branch.
    pub end_event: u64,
    pub title: String,
    pub text: Rc<str>,
    /// Characters of the link.
    pub link: usize,
    pub can_undo: bool,
    /// Topics on the stage.
    pub topics: Same<Vec<String>>,
    pub playing: bool,
    /// Time is on its way to a far moment.
    pub travelling: bool,
    /// What the last step changed, by the names of the stage's boxes.
    pub changed: Same<Vec<String>>,
    /// Stretches where nothing happens are folded on the axis of time.
    pub fold: bool,
    /// The event that figures are compared with: where time stood before it was last moved.
    pub was: u64,
}
