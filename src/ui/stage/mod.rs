//! The stage: what exists, and messages moving between it. Producers at the left, brokers in the middle, consumers and
//! the controller at the right; wires below, messages in flight on a canvas above.

pub mod air;
mod amqp;
mod bar;
pub mod changes;
mod client;
mod concern;
mod dots;
mod host;
mod replica;
mod wires;
pub mod zoom;

use crate::ordered::OrderedMap;
use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlCanvasElement, HtmlElement};
use yew::prelude::*;

pub use bar::{CommandLine, StageBar};

/// Words for states, shared with the inspector.
pub mod words {
    pub use super::host::look;
    pub use super::replica::state_word;
}

use super::dom::{self, Same, SizeWatch, closest};
use super::icon::Icon;
use super::state::*;
use super::texts::t;
use crate::lab::view::{BrokerView, Role, View, WhyLink};
use air::Air;
use amqp::{PublisherBox, RabbitBox, SubscriberBox};
use client::{ConsumerBox, ControllerBox, ProducerBox};
use concern::Concern;
use host::Host;
use wires::Wires;

/// Past so many replicas on one broker, only the leaders are drawn.
const ROWS: usize = 12;

/// For each partition of the topics on the stage: the offset at which its rows begin, on every broker the same, so that
/// copies line up down the screen.
pub type Windows = OrderedMap<(String, i32), i64>;

#[derive(Properties, PartialEq)]
pub struct StageProps {
    pub scene: Scene,
    pub caption: String,
    pub selection: Option<Selection>,
    /// The answer to "why?" that is open.
    pub why: Option<Same<Vec<WhyLink>>>,
    pub air: Same<RefCell<Air>>,
    /// Size in percent.
    pub zoom: u32,
}

/// The stage.
#[component]
pub fn Stage(props: &StageProps) -> Html {
    let bus = use_bus();
    let field = use_node_ref();
    let canvas = use_node_ref();
    let resized = use_state(|| 0u32);
    let ground = use_node_ref();
    use_attached(&field, &canvas, &props.air, &bus, &resized);
    zoom::use_zoom(&ground, &field, props.zoom, &bus);
    use_size_of_dots(&props.air, props.zoom, &bus);
    use_pulse(&field, &props.scene);
    let (down, moved, up) = zoom::use_drag(&ground);
    let concern = use_concern(props, &bus);
    let fit = fit(&field, *resized);
    let scene = &props.scene;
    let windows = Same(Rc::new(windows(&scene.view, &scene.topics, fit)));
    let onclick = on_air(&bus, &props.air, &field, false);
    let oncontextmenu = on_air(&bus, &props.air, &field, true);
    let onpointermove = hover(&bus, &props.air, &field);
    html! {
        <section class="stage" id="stage" tabindex="-1" aria-label={t().cluster}>
            <Caption text={props.caption.clone()} bad={scene.view.ledger.lost > 0} />
            <div class={classes!("ground", (props.zoom != 100).then_some("zoomed"))} ref={ground} tabindex={(props.zoom > 100).then_some("0")} role={(props.zoom > 100).then_some("region")} aria-label={(props.zoom > 100).then_some(t().cluster_zoomed)} onpointerdown={down} onpointermove={moved} onpointerup={up}>
                <div class="field3" ref={field.clone()} {onclick} {oncontextmenu} {onpointermove}>
                    <Wires scene={scene.clone()} field={field.clone()} air={props.air.clone()} resized={*resized} zoom={props.zoom} selection={props.selection.clone()} concern={concern.clone()} />
                    <Flying scene={scene.clone()} />
                    <Columns scene={scene.clone()} {windows} {fit} selection={props.selection.clone()} {concern} />
                    <canvas class="air" aria-hidden="true" ref={canvas}></canvas>
                </div>
            </div>
            if props.zoom != 100 {
                <button type="button" class="btn zoom-now" onclick={bus.on(Msg::Zoom(100))} title={t().zoom_reset}>{ (t().percent)(props.zoom) }<Icon name="x" class="s" /></button>
            }
        </section>
    }
}

/// Gives the canvas to the air, and follows the size of the field.
#[hook]
fn use_attached(field: &NodeRef, canvas: &NodeRef, air: &Same<RefCell<Air>>, bus: &Bus, resized: &UseStateHandle<u32>) {
    let (field, canvas, air, bus, resized) = (field.clone(), canvas.clone(), air.clone(), bus.clone(), resized.clone());
    use_effect_with((), move |()| {
        if let Some(canvas) = canvas.cast::<HtmlCanvasElement>() {
            air.borrow_mut().take(canvas);
        }
        let watch = field.cast::<web_sys::Element>().and_then(|element| {
            let setter = resized.setter();
            let count = std::cell::Cell::new(0u32);
            SizeWatch::new(&element, move || {
                air.borrow_mut().resize();
                air.borrow_mut().draw(&bus.run.borrow());
                count.set(count.get() + 1);
                setter.set(count.get());
            })
        });
        move || drop(watch)
    });
}

/// The canvas follows the size at which the field is drawn.
#[hook]
fn use_size_of_dots(air: &Same<RefCell<Air>>, zoom: u32, bus: &Bus) {
    let (air, bus) = (air.clone(), bus.clone());
    use_effect_with(zoom, move |zoom| {
        let mut air = air.borrow_mut();
        air.zoom = f64::from(*zoom) / 100.0;
        air.resize();
        air.draw(&bus.run.borrow());
    });
}

/// What the last step changed pulses once. Where no motion is wanted, the style sheet knows no such animation.
#[hook]
fn use_pulse(field: &NodeRef, scene: &Scene) {
    let (field, changed) = (field.clone(), scene.changed.clone());
    use_effect_with(scene.version, move |_| {
        let Some(element) = field.cast::<HtmlElement>() else {
            return;
        };
        let Ok(nodes) = element.query_selector_all("[data-node]") else {
            return;
        };
        let all = (0..nodes.length()).filter_map(|i| nodes.get(i)?.dyn_into::<HtmlElement>().ok());
        for node in all {
            let is = node
                .get_attribute("data-node")
                .is_some_and(|name| changed.contains(&name));
            let _ = node.class_list().remove_1("pulse");
            if is {
                // Asking for its size lets the browser forget the animation of the step before.
                let _ = node.offset_width();
                let _ = node.class_list().add_1("pulse");
            }
        }
    });
}

/// What stays in front, for the components and for the messages on the canvas.
#[hook]
fn use_concern(props: &StageProps, bus: &Bus) -> Same<Option<Concern>> {
    let key = (props.scene.version, props.selection.clone(), props.why.clone());
    let (run, view) = (bus.run.clone(), props.scene.view.clone());
    let concern = use_memo(key, move |(_, selection, why)| {
        let flights = match selection {
            Some(Selection::Message(_)) => run.borrow().run.air(),
            _ => Vec::new(),
        };
        Concern::of(&view, &flights, selection.as_ref(), why.as_ref().map(|why| &why[..]))
    });
    props.air.borrow_mut().concern = (*concern).as_ref().map(|concern| concern.processes.clone());
    Same(concern)
}

/// How many cells a row has room for: the width of a log strip, less the room for the LEO's figure.
fn fit(field: &NodeRef, _resized: u32) -> usize {
    const FIRST: usize = 10;
    const FLAG: f64 = 50.0;
    let Some(element) = field.cast::<HtmlElement>() else {
        return FIRST;
    };
    let Ok(Some(strip)) = element.query_selector(".strip") else {
        return FIRST;
    };
    let style = gloo::utils::window().get_computed_style(&strip).ok().flatten();
    let cell = style.and_then(|s| s.get_property_value("--cell-w").ok());
    let cell: f64 = cell
        .and_then(|c| c.trim().trim_end_matches("px").parse().ok())
        .unwrap_or(36.0);
    let room = f64::from(strip.client_width()) - FLAG;
    ((room / cell) as usize).clamp(3, crate::lab::view::CELLS)
}

/// Where each partition's rows begin.
fn windows(view: &View, topics: &[String], fit: usize) -> Windows {
    let mut ends: OrderedMap<(String, i32), (i64, i64)> = OrderedMap::new();
    for replica in view
        .brokers
        .iter()
        .flat_map(|b| &b.replicas)
        .filter(|r| topics.contains(&r.topic))
    {
        let last = replica
            .cells
            .last()
            .map_or(replica.end, |c| (c.offset + 1).max(replica.end));
        let first = replica.cells.first().map_or(replica.start, |c| c.offset);
        let entry = ends
            .entry((replica.topic.clone(), replica.partition))
            .or_insert((i64::MAX, 0));
        entry.0 = entry.0.min(first);
        entry.1 = entry.1.max(last);
    }
    ends.into_iter()
        .map(|(key, (first, last))| (key, (last - fit as i64).max(first.min(last)).max(0)))
        .collect()
}

#[derive(Properties, PartialEq)]
pub struct CaptionProps {
    pub text: String,
    pub bad: bool,
}

/// What just happened, in one sentence: the page's live region. The first sentence is printed strong.
#[component]
pub fn Caption(props: &CaptionProps) -> Html {
    let (head, rest) = match props.text.split_once(". ") {
        Some((head, rest)) => (format!("{head}."), format!(" {rest}")),
        None => (props.text.clone(), String::new()),
    };
    html! {
        <div class={classes!("caption", props.bad.then_some("bad"))}>
            <span class="dot"></span>
            <p aria-live="polite" title={props.text.clone()}><b>{ head }</b>{ rest }</p>
            <div class="legend" aria-hidden="true">
                <span><i class="l-safe"></i>{ t().committed }</span><span><i class="l-open"></i>{ t().not_committed }</span>
                <span><i class="l-lost"></i>{ t().lost }</span><span><Icon name="check" class="s" />{ t().acknowledged }</span>
            </div>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FlyingProps {
    scene: Scene,
}

/// The canvas in words: every message in flight, for those who can't see it.
#[component]
fn Flying(props: &FlyingProps) -> Html {
    const MOST: usize = 40;
    let bus = use_bus();
    let now = props.scene.view.now_us;
    let shown = use_memo(props.scene.version, |_| {
        let run = &bus.run.borrow().run;
        let mut shown = run.air();
        shown.retain(|f| f.class != crate::lab::view::FlightClass::Idle);
        shown.truncate(MOST);
        for flight in &mut shown {
            flight.text = run.flight_text(flight.id);
        }
        shown
    });
    html! {
        <ul class="vh" aria-label={t().in_flight_list}>
            { for shown.iter().map(|f| html! { <li key={f.id}>{ (t().flight)(f, f.arrives_us.saturating_sub(now)) }</li> }) }
        </ul>
    }
}

#[derive(Properties, PartialEq)]
struct ColumnsProps {
    scene: Scene,
    windows: Same<Windows>,
    fit: usize,
    selection: Option<Selection>,
    concern: Same<Option<Concern>>,
}

/// The three columns of boxes.
#[component]
fn Columns(props: &ColumnsProps) -> Html {
    let bus = use_bus();
    let view = &props.scene.view;
    let picked = |name: &str| props.selection == Some(Selection::Process(name.to_owned()));
    let now = view.now_us;
    let dim = |name: &str| props.concern.as_ref().is_some_and(|c| !c.has(name));
    let row = props.concern.as_ref().and_then(|c| c.partition.clone());
    if view.brokers.is_empty() && view.producers.is_empty() && view.rabbits.is_empty() {
        return html! { <Empty /> };
    }
    let windows = Rc::new((*props.windows).clone());
    html! {
        <>
            <div class="col prod">
                if !view.producers.is_empty() { <h2 class="colhead">{ t().producers }</h2> }
                { for view.producers.iter().map(|p| html! {
                    <ProducerBox key={p.name.clone()} producer={Rc::new(p.clone())} selected={picked(&p.name)} dim={dim(&p.name)} />
                }) }
                if !view.publishers.is_empty() { <h2 class="colhead">{ t().publishers }</h2> }
                { for view.publishers.iter().map(|p| html! {
                    <PublisherBox key={p.name.clone()} publisher={Rc::new(p.clone())} selected={picked(&p.name)} dim={dim(&p.name)} />
                }) }
            </div>
            <div class="col hosts">
                { for view.brokers.iter().map(|b| html! {
                    <Host key={b.name.clone()} broker={Rc::new(shown_replicas(b, &props.scene.topics))} fenced={fenced(view, &b.name)}
                        windows={Rc::clone(&windows)} fit={props.fit} selection={relevant(&props.selection, b)} ago={ago(b, now)} dim={dim(&b.name)} row={row.clone()} />
                }) }
                { for view.rabbits.iter().map(|r| html! {
                    <RabbitBox key={r.name.clone()} rabbit={Rc::new(r.clone())} selected={picked(&r.name)} dim={dim(&r.name)} />
                }) }
            </div>
            <div class="col cons">
                { for view.groups.iter().map(|g| html! {
                    <>
                        <h2 class="colhead group-head" key={g.name.clone()}><Icon name="people" class="s" />{ (t().group)(&g.name) }</h2>
                        <p class="group-state">{ (t().group_state)(&g.state, g.generation, g.coordinator.as_deref()) }</p>
                        { for g.members.iter().map(|c| html! { <ConsumerBox key={c.name.clone()} consumer={Rc::new(c.clone())} selected={picked(&c.name)} dim={dim(&c.name)} /> }) }
                    </>
                }) }
                { for view.free_consumers.iter().map(|c| html! { <ConsumerBox key={c.name.clone()} consumer={Rc::new(c.clone())} selected={picked(&c.name)} dim={dim(&c.name)} /> }) }
                if !view.subscribers.is_empty() { <h2 class="colhead">{ t().subscribers }</h2> }
                { for view.subscribers.iter().map(|s| html! {
                    <SubscriberBox key={s.name.clone()} subscriber={Rc::new(s.clone())} selected={picked(&s.name)} dim={dim(&s.name)} />
                }) }
                <div class="ctls">
                    { for view.controllers.iter().map(|c| html! { <ControllerBox key={c.name.clone()} controller={Rc::new(c.clone())} selected={picked(&c.name)} dim={dim(&c.name)} /> }) }
                </div>
                if view.producers.is_empty() && view.groups.is_empty() && view.rabbits.is_empty() {
                    <button type="button" class="btn" onclick={bus.on(Msg::Show(Tab::Scenario))}>{ t().scenario }</button>
                }
            </div>
        </>
    }
}

/// A broker with only the replicas that the stage shows.
fn shown_replicas(broker: &BrokerView, topics: &[String]) -> BrokerView {
    let mut shown = broker.clone();
    shown.replicas.retain(|r| topics.contains(&r.topic));
    if shown.replicas.len() > ROWS {
        shown.replicas.retain(|r| r.role == Role::Leader);
        shown.replicas.truncate(ROWS);
    }
    shown
}

/// Whether the active controller has fenced the broker.
fn fenced(view: &View, broker: &str) -> bool {
    let active = view.controllers.iter().find(|c| c.active);
    active.is_some_and(|c| {
        c.brokers
            .iter()
            .any(|(name, state)| name == broker && state == "fenced")
    })
}

/// The part of the selection that a host shows: its own, or a record that it may have a copy of.
fn relevant(selection: &Option<Selection>, broker: &BrokerView) -> Option<Selection> {
    match selection {
        Some(Selection::Process(name)) if *name != broker.name => None,
        Some(Selection::Replica { broker: b, .. }) if *b != broker.name => None,
        Some(Selection::Link(..) | Selection::Message(_)) => None,
        other => other.clone(),
    }
}

/// How long a broker has been down or frozen; nothing while it runs, nor in the very moment.
fn ago(broker: &BrokerView, now_us: u64) -> Option<String> {
    use crate::lab::view::Health::{Crashed, Frozen, PoweredOff, Stopped};
    let counts = matches!(broker.health, Crashed | Frozen | PoweredOff | Stopped);
    let past_us = now_us.saturating_sub(broker.since_us);
    (counts && past_us > 0).then(|| super::format::span(past_us))
}

/// Nothing on the stage yet.
#[component]
fn Empty() -> Html {
    let bus = use_bus();
    let three: Rc<str> = t().three_brokers_text.into();
    html! {
        <div class="empty stage-empty">
            <Icon name="stage" /><b>{ t().nothing_here }</b><span>{ t().nothing_here_note }</span>
            <div class="acts"><button type="button" class="btn primary" onclick={bus.on(Msg::Open(three))}><Icon name="plus" />{ t().three_brokers }</button></div>
        </div>
    }
}

/// Position of a pointer event inside the field.
fn inside(event: &MouseEvent, field: &NodeRef) -> Option<(f64, f64)> {
    let rect = field.cast::<HtmlElement>()?.get_bounding_client_rect();
    let element = field.cast::<HtmlElement>()?;
    let scale = rect.width() / f64::from(element.offset_width().max(1));
    Some((
        (f64::from(event.client_x()) - rect.left()) / scale,
        (f64::from(event.client_y()) - rect.top()) / scale,
    ))
}

/// A click or right click that meets a message in flight. Boxes take their own clicks first.
fn on_air(bus: &Bus, air: &Same<RefCell<Air>>, field: &NodeRef, menu: bool) -> Callback<MouseEvent> {
    let (bus, air, field) = (bus.clone(), air.clone(), field.clone());
    Callback::from(move |e: MouseEvent| {
        if closest(e.target(), ".host, .client, .menu, button").is_some() {
            return;
        }
        let Some((x, y)) = inside(&e, &field) else { return };
        match air.borrow().at(x, y) {
            Some(id) if menu => {
                e.prevent_default();
                bus.send
                    .emit(Msg::MenuOf(Selection::Message(id), e.client_x(), e.client_y()));
            }
            Some(id) => bus.send.emit(Msg::Inspect(Selection::Message(id))),
            None if !menu && closest(e.target(), ".wire").is_none() => bus.send.emit(Msg::Select(None)),
            None => {}
        }
    })
}

/// Shows what a message is when the pointer is on it.
fn hover(bus: &Bus, air: &Same<RefCell<Air>>, field: &NodeRef) -> Callback<PointerEvent> {
    let (bus, air, field) = (bus.clone(), air.clone(), field.clone());
    Callback::from(move |e: PointerEvent| {
        if dom::narrow() {
            return;
        }
        let Some((x, y)) = inside(&e, &field) else { return };
        let found = air.borrow().at(x, y);
        let changed = air.borrow().hover != found;
        if changed {
            air.borrow_mut().hover = found;
            air.borrow_mut().draw(&bus.run.borrow());
        }
    })
}
