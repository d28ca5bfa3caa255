//! The bar at the top: which scenario, which branch, the link, the theme, help.

use web_sys::{HtmlElement, MouseEvent};
use yew::prelude::*;

use super::acts::{self, plain};
use super::dom::Same;
use super::format;
use super::icon::Icon;
use super::state::*;
use super::storage;
use super::texts::t;
use crate::lab::view::BranchView;

/// From here the meter warns: chat and mail tools may cut links.
const LONG: usize = 1_500;

/// The length that the meter counts to.
const LIMIT: usize = 2_000;

#[derive(Properties, PartialEq)]
pub struct TopBarProps {
    pub title: String,
    pub branches: Same<Vec<BranchView>>,
    pub link: usize,
    pub can_undo: bool,
}

/// Under the element that was clicked: where its menu stands.
pub fn below(event: &MouseEvent) -> (i32, i32) {
    let element = super::dom::closest(event.target(), "button");
    element.map_or((event.client_x(), event.client_y()), |e| {
        let rect = e.get_bounding_client_rect();
        (rect.left() as i32, rect.bottom() as i32 + 4)
    })
}

/// A callback that opens a menu below the button that was clicked.
pub fn opens(bus: &Bus, label: &'static str, sections: impl Fn() -> Vec<Section> + 'static) -> Callback<MouseEvent> {
    let send = bus.send.clone();
    Callback::from(move |e: MouseEvent| {
        let (x, y) = below(&e);
        send.emit(Msg::Menu(Some(Menu {
            label: label.to_owned(),
            x,
            y,
            sections: sections(),
        })));
    })
}

fn scenario_menu() -> Vec<Section> {
    let items = storage::scenarios()
        .into_iter()
        .map(|(name, text)| plain("file", &name, "", Msg::Open(text.into())))
        .collect();
    let own = vec![
        plain("plus", t().empty_scenario, "", Msg::Open(t().empty_text.into())),
        plain("file", t().save_file, "", Msg::Download),
        plain("expand", t().copy_figure, "", Msg::CopyFigure),
    ];
    vec![
        Section {
            title: t().scenarios.to_owned(),
            items,
        },
        Section {
            title: t().own.to_owned(),
            items: own,
        },
    ]
}

fn branch_menu(branches: &[BranchView]) -> Vec<Section> {
    let items = branches
        .iter()
        .map(|b| Item {
            checked: Some(b.current),
            ..plain("fork", &b.name, &b.outcome, Msg::Branch(b.id))
        })
        .collect();
    let fork = vec![plain("branch", t().fork_here, "F", Msg::Fork)];
    vec![
        Section {
            title: t().branches.to_owned(),
            items,
        },
        Section {
            title: String::new(),
            items: fork,
        },
    ]
}

/// What the phone has no room for in its bars.
fn more_menu(bus: &Bus) -> Vec<Section> {
    let view = bus.run.borrow().run.view();
    let menu = |label: &str, sections| {
        Msg::Menu(Some(Menu {
            label: label.to_owned(),
            x: 8,
            y: 60,
            sections,
        }))
    };
    let stage = vec![
        plain("plus", t().add, "", menu(t().add, acts::adding(&view))),
        plain(
            "bolt",
            t().inject_fault,
            "",
            menu(t().inject_fault, acts::faults(&view)),
        ),
        plain("stage", t().topic, "", menu(t().topic, acts::topics(&view))),
        plain("expand", t().size_of_stage, "", menu(t().size_of_stage, acts::sizes())),
        plain("stage", t().stage, "", Msg::Look(Look::Stage)),
        plain("lanes", t().lanes, "", Msg::Look(Look::Lanes)),
        plain("table", t().table, "", Msg::Look(Look::Table)),
        plain("compare", t().compare, "", Msg::Look(Look::Compare)),
        plain("undo", t().undo, "", Msg::Undo),
        plain("branch", t().fork_here, "", Msg::Fork),
        plain("cmd", t().command_line, "", Msg::Show(Tab::Console)),
    ];
    let page = vec![
        plain("play", t().faster, "", Msg::Pace(true)),
        plain("wait", t().slower, "", Msg::Pace(false)),
        plain("beat", t().layer, "", Msg::Layer),
        plain("sun", t().theme, "", Msg::Theme),
        plain("help", t().help, "", Msg::Help(true)),
        plain("check", t().how_known, "", Msg::Known(Some("".into()))),
    ];
    vec![
        Section {
            title: t().cluster.to_owned(),
            items: stage,
        },
        Section {
            title: t().page.to_owned(),
            items: page,
        },
    ]
}

/// The top bar.
#[component]
pub fn TopBar(props: &TopBarProps) -> Html {
    let bus = use_bus();
    let branches = props.branches.clone();
    let current = branches
        .iter()
        .find(|b| b.current)
        .map(|b| b.name.clone())
        .unwrap_or_default();
    let share = (props.link * 100 / LIMIT).min(100);
    let (onclick, meter) = if props.link > LIMIT {
        (bus.on(Msg::Download), "bad")
    } else {
        (bus.on(Msg::Copy), if props.link > LONG { "open" } else { "safe" })
    };
    let more = {
        let own = bus.clone();
        opens(&bus, t().more, move || more_menu(&own))
    };
    let label = if props.link > LIMIT {
        t().save_file
    } else {
        t().copy_link
    };
    html! {
        <header class="topbar">
            <span class="brand"><Icon name="logo" class="logo" /><span>{ "Brokerlab" }</span></span>
            <span class="rule"></span>
            <h1 class="title"><button type="button" class="btn ghost title-btn" aria-haspopup="menu" onclick={opens(&bus, t().scenarios, scenario_menu)}><span>{ &props.title }</span><Icon name="down" class="s" /></button></h1>
            <button type="button" class="btn ghost branch-btn" aria-haspopup="menu" aria-label={(t().branch_is)(&current)} onclick={opens(&bus, t().branches, move || branch_menu(&branches))}><Icon name="branch" class="s" />{ &current }</button>
            <span class="grow"></span>
            <button type="button" class="btn ghost icon desk-only" aria-label={t().undo_key} disabled={!props.can_undo} onclick={bus.on(Msg::Undo)}><Icon name="undo" /></button>
            <span class="rule desk-only"></span>
            <span class="meter desk-only" title={t().meter_note}>
                <span>{ (t().of_characters)(&format::count(props.link as u64), &format::count(LIMIT as u64)) }</span>
                <svg class={classes!("bar", meter)} aria-hidden="true"><rect class="well" width="100%" height="3" rx="1.5" /><rect class="fill" width={format!("{share}%")} height="3" rx="1.5" /></svg>
            </span>
            <button type="button" class="btn" aria-label={label} {onclick}><Icon name="link" /><span class="lbl-opt">{ label }</span></button>
            <span class="rule desk-only"></span>
            <button type="button" class="btn ghost icon desk-only" aria-label={t().theme} onclick={bus.on(Msg::Theme)}><Icon name="sun" /></button>
            <button type="button" class="btn ghost icon desk-only" aria-label={t().help} onclick={bus.on(Msg::Help(true))}><Icon name="help" /></button>
            <button type="button" class="btn ghost icon phone-only" aria-label={t().more} aria-haspopup="menu" onclick={more}><Icon name="dots" /></button>
        </header>
    }
}

/// The element that has the focus, if it can take it.
pub fn focused() -> Option<HtmlElement> {
    use wasm_bindgen::JsCast;
    gloo::utils::document().active_element()?.dyn_into().ok()
}
