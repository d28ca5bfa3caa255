//! The links between the boxes, measured from the boxes after layout.

use crate::ordered::{OrderedMap, OrderedSet};
use std::cell::RefCell;

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use super::air::{Air, Curve, Place, free_air};
use super::concern::Concern;
use crate::lab::view::{Health, LinkView, Role, View};
use crate::ui::acts;
use crate::ui::dom::Same;
use crate::ui::format;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct WiresProps {
    pub scene: Scene,
    pub field: NodeRef,
    pub air: Same<RefCell<Air>>,
    /// Grows with every change of size.
    pub resized: u32,
    /// Size of the stage in percent.
    pub zoom: u32,
    pub concern: Same<Option<Concern>>,
    pub selection: Option<Selection>,
}

/// A wire as it is planned: between which boxes, for which two processes.
#[derive(Clone, Debug, PartialEq)]
struct Wire {
    from: String,
    to: String,
    /// The boxes that it touches: a process, or one row of it.
    nodes: (String, String),
    state: State,
}

/// How the two directions of a link are.
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    cut_there: bool,
    cut_back: bool,
    /// One end does not run.
    dead: bool,
    label: String,
    slow: bool,
    lossy: bool,
}

/// The wires.
#[component]
pub fn Wires(props: &WiresProps) -> Html {
    let bus = use_bus();
    let drawn = use_state_eq(Vec::<(Wire, Curve)>::new);
    {
        let (setter, field, air, bus) = (drawn.setter(), props.field.clone(), props.air.clone(), bus.clone());
        let scene = props.scene.clone();
        use_effect_with((props.scene.version, props.resized, props.zoom), move |_| {
            let Some(element) = field.cast::<HtmlElement>() else {
                return;
            };
            let places = measure(&element);
            let wires = plan(&scene.view, &scene.topics);
            let curves: Vec<(Wire, Curve)> = wires.into_iter().filter_map(|w| curve(w, &places)).collect();
            let mut air = air.borrow_mut();
            air.lay_out(places, curves.iter().map(|(w, c)| (w.from.as_str(), w.to.as_str(), *c)));
            air.draw(&bus.run.borrow());
            setter.set(curves);
        });
    }
    html! {
        <svg class="links" aria-label={t().links}>
            { for drawn.iter().map(|(wire, curve)| view_wire(wire, curve, &props.selection, (*props.concern).as_ref(), &bus)) }
        </svg>
    }
}

/// Boxes of the stage in pixels of the field.
fn measure(field: &HtmlElement) -> OrderedMap<String, Place> {
    let zero = field.get_bounding_client_rect();
    // Boxes are measured as they are drawn; the wires are drawn as large as the field.
    let scale = zero.width() / f64::from(field.offset_width().max(1));
    let mut places = OrderedMap::new();
    let Ok(nodes) = field.query_selector_all("[data-node]") else {
        return places;
    };
    for node in (0..nodes.length()).filter_map(|i| nodes.get(i)?.dyn_into::<HtmlElement>().ok()) {
        let Some(name) = node.get_attribute("data-node") else {
            continue;
        };
        let rect = node.get_bounding_client_rect();
        let host = node
            .closest(".host")
            .ok()
            .flatten()
            .map_or_else(|| rect.clone(), |h| h.get_bounding_client_rect());
        places.insert(
            name,
            Place {
                left: (host.left() - zero.left()) / scale,
                right: (host.right() - zero.left()) / scale,
                top: (rect.top() - zero.top()) / scale,
                bottom: (rect.bottom() - zero.top()) / scale,
            },
        );
    }
    places
}

fn curve(wire: Wire, places: &OrderedMap<String, Place>) -> Option<(Wire, Curve)> {
    let (a, b) = (places.get(&wire.nodes.0)?, places.get(&wire.nodes.1)?);
    let curve = Curve::between(a, b, free_air(places));
    Some((wire, curve))
}

/// Which wires there are: from each producer to the leaders on the stage, between brokers that copy from one another,
/// from each consumer to the leaders of what it reads, and every link with a fault.
fn plan(view: &View, topics: &[String]) -> Vec<Wire> {
    let mut wires = Vec::new();
    let mut joined = OrderedSet::new();
    let leaders: Vec<(&str, &str, i32)> = view
        .brokers
        .iter()
        .flat_map(|b| b.replicas.iter().map(move |r| (b.name.as_str(), r)))
        .filter(|(_, r)| topics.contains(&r.topic) && r.role == Role::Leader)
        .map(|(broker, r)| (broker, r.topic.as_str(), r.partition))
        .collect();
    let mut add = |from: &str, to: &str, nodes: (String, String)| {
        joined.insert((from.to_owned(), to.to_owned()));
        wires.push(Wire {
            from: from.to_owned(),
            to: to.to_owned(),
            nodes,
            state: state(view, from, to),
        });
    };
    for (broker, topic, partition) in &leaders {
        for producer in &view.producers {
            add(
                &producer.name,
                broker,
                (producer.name.clone(), format!("{broker}/{topic}/{partition}")),
            );
        }
        for consumer in acts::consumers(view) {
            if consumer
                .assignment
                .iter()
                .any(|a| a.topic == *topic && a.partition == *partition)
            {
                add(
                    broker,
                    &consumer.name,
                    (format!("{broker}/{topic}/{partition}"), consumer.name.clone()),
                );
            }
        }
    }
    for rabbit in &view.rabbits {
        for publisher in &view.publishers {
            add(
                &publisher.name,
                &rabbit.name,
                (publisher.name.clone(), rabbit.name.clone()),
            );
        }
        for subscriber in &view.subscribers {
            add(
                &rabbit.name,
                &subscriber.name,
                (rabbit.name.clone(), subscriber.name.clone()),
            );
        }
    }
    for (i, a) in view.brokers.iter().enumerate() {
        for b in &view.brokers[i + 1..] {
            add(&a.name, &b.name, (a.name.clone(), b.name.clone()));
        }
    }
    for link in view
        .links
        .iter()
        .filter(|l| l.cut || l.delay_us > 0 || l.loss_percent > 0)
    {
        let (a, b) = (&link.from, &link.to);
        if !joined.contains(&(a.clone(), b.clone())) && !joined.contains(&(b.clone(), a.clone())) {
            joined.insert((a.clone(), b.clone()));
            wires.push(Wire {
                from: a.clone(),
                to: b.clone(),
                nodes: (a.clone(), b.clone()),
                state: state(view, a, b),
            });
        }
    }
    wires
}

/// How a link is, both ways.
fn state(view: &View, from: &str, to: &str) -> State {
    let find = |a: &str, b: &str| {
        view.links
            .iter()
            .find(|l| l.from == a && l.to == b)
            .cloned()
            .unwrap_or_default()
    };
    let (there, back): (LinkView, LinkView) = (find(from, to), find(to, from));
    let down = |name: &str| {
        let health = acts::process(view, name).map(|(_, health)| health);
        matches!(health, Some(Health::Crashed | Health::PoweredOff | Health::Stopped))
    };
    let (delay, loss) = (
        there.delay_us.max(back.delay_us),
        there.loss_percent.max(back.loss_percent),
    );
    let mut label = Vec::new();
    if delay > 0 {
        label.push(format!("+{}", format::span(delay)));
    }
    if loss > 0 {
        label.push((t().percent_lost)(loss));
    }
    State {
        cut_there: there.cut,
        cut_back: back.cut,
        dead: down(from) || down(to),
        label: label.join(", "),
        slow: delay > 0,
        lossy: loss > 0,
    }
}

fn view_wire(wire: &Wire, curve: &Curve, selection: &Option<Selection>, concern: Option<&Concern>, bus: &Bus) -> Html {
    let dim = concern.is_some_and(|c| !c.has(&wire.from) || !c.has(&wire.to));
    let s = &wire.state;
    let cut = s.cut_there || s.cut_back;
    let chosen = matches!(selection, Some(Selection::Link(a, b)) if (*a == wire.from && *b == wire.to) || (*a == wire.to && *b == wire.from));
    let class = classes!(
        "wire",
        (cut || s.dead).then_some("cut"),
        s.slow.then_some("slow"),
        s.lossy.then_some("lossy"),
        chosen.then_some("chosen"),
        dim.then_some("faded")
    );
    let selection = Selection::Link(wire.from.clone(), wire.to.clone());
    let onclick = bus.on(Msg::Inspect(selection.clone()));
    let (send, menu) = (bus.send.clone(), selection.clone());
    let oncontextmenu = Callback::from(move |e: MouseEvent| {
        e.prevent_default();
        e.stop_propagation();
        send.emit(Msg::MenuOf(menu.clone(), e.client_x(), e.client_y()));
    });
    let (send, key) = (bus.send.clone(), selection);
    let onkeydown = Callback::from(move |e: KeyboardEvent| {
        if e.key() == "Enter" {
            e.prevent_default();
            send.emit(Msg::Inspect(key.clone()));
        }
    });
    let path = curve.path();
    let (x, y) = curve.at(0.5);
    let label = (t().link_is)(&wire.from, &wire.to, s.cut_there, s.cut_back, &s.label);
    html! {
        <g key={format!("{} {}", wire.nodes.0, wire.nodes.1)} class="wire-group" role="button" tabindex="0" aria-label={label} {onclick} {oncontextmenu} {onkeydown}>
            <path class={class} d={path.clone()} />
            <path class="wire hit" d={path} />
            if cut { <path class="cross" d={format!("M{:.1} {:.1}l8 8m0 -8l-8 8", x - 4.0, y - 4.0)} /> }
            if cut && s.cut_there != s.cut_back { { arrow(curve, s.cut_there) } }
            if !s.label.is_empty() { <text class="m wire-label" x={format!("{x:.1}")} y={format!("{:.1}", y - 7.0)} text-anchor="middle">{ &s.label }</text> }
        </g>
    }
}

/// An arrowhead at the end that can still be reached.
fn arrow(curve: &Curve, backward: bool) -> Html {
    let (near, tip) = if backward {
        (curve.at(0.12), curve.at(0.02))
    } else {
        (curve.at(0.88), curve.at(0.98))
    };
    let (dx, dy) = (tip.0 - near.0, tip.1 - near.1);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length * 7.0, dy / length * 7.0);
    let d = format!(
        "M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}",
        tip.0 - ux - uy * 0.6,
        tip.1 - uy + ux * 0.6,
        tip.0,
        tip.1,
        tip.0 - ux + uy * 0.6,
        tip.1 - uy - ux * 0.6
    );
    html! { <path class="arrow" {d} /> }
}
