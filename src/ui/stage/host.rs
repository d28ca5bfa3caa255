//! A broker: a box with its name and state, and one row for each replica on it.

use std::rc::Rc;

use yew::prelude::*;

use super::Windows;
use super::replica::Replica;
use crate::lab::view::{BrokerView, Health, Role};
use crate::ui::dom::closest;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct HostProps {
    pub broker: Rc<BrokerView>,
    /// The active controller has fenced it.
    pub fenced: bool,
    pub windows: Rc<Windows>,
    pub fit: usize,
    pub selection: Option<Selection>,
    /// Something else is concerned.
    pub dim: bool,
    /// Only rows of this partition are concerned.
    pub row: Option<(String, i32)>,
    /// How long it has been down.
    pub ago: Option<String>,
}

/// Class, icon and word of a state.
pub fn look(health: Health) -> (&'static str, &'static str, &'static str) {
    match health {
        Health::Up => ("is-alive", "alive", t().alive),
        Health::Starting => ("is-catching", "catch", t().starting),
        Health::Fenced => ("is-fenced", "fence", t().fenced),
        Health::Stopping => ("is-stopping", "stopping", t().stopping),
        Health::Stopped => ("is-off", "power", t().stopped),
        Health::Crashed => ("is-crashed", "crash", t().crashed),
        Health::PoweredOff => ("is-off", "power", t().powered_off),
        Health::Frozen => ("is-paused", "paused", t().frozen),
    }
}

/// The chip that says a state other than "alive".
pub fn state_chip(health: Health, ago: Option<&str>) -> Html {
    let (_, icon, word) = look(health);
    let class = match health {
        Health::Up => return html! {},
        Health::Crashed | Health::PoweredOff => "bad",
        Health::Frozen | Health::Starting => "open",
        Health::Fenced => "lead",
        Health::Stopping | Health::Stopped => "",
    };
    let text = ago.map_or_else(|| word.to_owned(), |ago| (t().since)(word, ago));
    html! { <span class={classes!("chip", class)}><Icon name={icon} />{ text }</span> }
}

/// Callbacks of a box on the stage: click selects, double click inspects, right click opens its menu.
pub struct Touch {
    pub click: Callback<MouseEvent>,
    pub double: Callback<MouseEvent>,
    pub menu: Callback<MouseEvent>,
    pub dots: Callback<MouseEvent>,
}

/// The callbacks for a process.
pub fn touch(bus: &Bus, name: &str) -> Touch {
    let selection = Selection::Process(name.to_owned());
    let picked = selection.clone();
    let send = bus.send.clone();
    let click = Callback::from(move |e: MouseEvent| {
        if closest(e.target(), ".rec, button, .rep-label").is_none() {
            send.emit(Msg::Select(Some(picked.clone())));
        }
    });
    let (send, picked) = (bus.send.clone(), selection.clone());
    let menu = Callback::from(move |e: MouseEvent| {
        e.prevent_default();
        send.emit(Msg::MenuOf(picked.clone(), e.client_x(), e.client_y()));
    });
    let (send, picked) = (bus.send.clone(), selection.clone());
    let dots = Callback::from(move |e: MouseEvent| {
        let (x, y) = crate::ui::topbar::below(&e);
        send.emit(Msg::MenuOf(picked.clone(), x, y));
    });
    Touch {
        click,
        double: bus.on(Msg::Inspect(selection)),
        menu,
        dots,
    }
}

/// One broker.
#[component]
pub fn Host(props: &HostProps) -> Html {
    let bus = use_bus();
    let broker = &props.broker;
    let (class, icon, word) = look(broker.health);
    let selected = matches!(&props.selection, Some(Selection::Process(n)) if *n == broker.name);
    let touch = touch(&bus, &broker.name);
    let onfocus = focus_selects(&bus, &broker.name);
    let fenced = props.fenced && broker.health != Health::Fenced && broker.health != Health::Starting;
    html! {
        <section class={classes!("host", class, selected.then_some("selected"), props.dim.then_some("dim"))} data-node={broker.name.clone()} tabindex="0" aria-label={(t().broker_is)(&broker.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} {onfocus}>
            <header class="host-head">
                <Icon name={icon} class="pip" /><h3>{ &broker.name }</h3>
                if let Some(rack) = &broker.rack { <span class="where">{ (t().rack)(rack) }</span> }
                <span class="chips">
                    { state_chip(broker.health, props.ago.as_deref()) }
                    if fenced { <span class="chip lead"><Icon name="fence" />{ t().fenced }</span> }
                    if !broker.coordinates.is_empty() { <span class="chip read" title={broker.coordinates.join(", ")}><Icon name="people" />{ t().coordinator }</span> }
                    { for broker.faults.iter().take(2).map(|f| html! { <span class="chip bad"><Icon name="bolt" />{ f }</span> }) }
                </span>
                <span class="grow"></span>
                <span class="disk" title={disk(broker)}><Icon name="disk" class="s" /><span class="clip">{ disk(broker) }</span></span>
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&broker.name)} onclick={touch.dots}><Icon name="dots" /></button>
            </header>
            if broker.replicas.is_empty() { <p class="note">{ t().no_replica }</p> }
            { for broker.replicas.iter().map(|r| {
                let from = props.windows.get(&(r.topic.clone(), r.partition)).copied().unwrap_or(0);
                let dim = props.row.as_ref().is_some_and(|(topic, partition)| *topic != r.topic || *partition != r.partition);
                html! { <Replica key={format!("{}/{}", r.topic, r.partition)} broker={broker.name.clone()} replica={Rc::new(r.clone())} down={r.role == Role::Offline} {dim} {from} fit={props.fit} selection={props.selection.clone()} /> }
            }) }
        </section>
    }
}

/// What the disk's figure says.
fn disk(broker: &BrokerView) -> String {
    match broker.health {
        Health::Crashed => t().cache_kept.to_owned(),
        Health::PoweredOff => t().cache_lost.to_owned(),
        _ => (t().unflushed)(&format::count(broker.unflushed)),
    }
}

/// Moving the focus to a box by keyboard selects it, so that Shift F10 and K know what is meant.
pub fn focus_selects(bus: &Bus, name: &str) -> Callback<FocusEvent> {
    let (send, selection) = (bus.send.clone(), Selection::Process(name.to_owned()));
    Callback::from(move |e: FocusEvent| {
        let itself = closest(e.target(), "[data-node][tabindex]");
        let target = closest(e.target(), "*");
        if itself.is_some() && itself == target && target.is_some_and(|t| t.matches(":focus-visible").unwrap_or(false))
        {
            send.emit(Msg::Select(Some(selection.clone())));
        }
    })
}
