//! The picture itself: lifelines, arrows, what happened, folds, the present.

use std::rc::Rc;

use yew::prelude::*;

use super::layout::{FOLD, LEFT, Layout, label};
use crate::lab::lanes::{Crossing, Happening, Lanes, Passage, Silence};
use crate::lab::view::{Health, MarkKind, View};
use crate::ui::acts;
use crate::ui::dom::Same;
use crate::ui::format;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct HeadsProps {
    pub picture: Same<Lanes>,
    pub layout: Same<Layout>,
    pub view: Same<View>,
    pub selection: Option<Selection>,
}

/// Who the lanes are; stays in sight while the picture is scrolled.
#[component]
pub fn Heads(props: &HeadsProps) -> Html {
    let bus = use_bus();
    let layout = &props.layout;
    html! {
        <svg class="lane-heads" width={layout.width.to_string()} height="40" aria-label={t().lanes_heads}>
            <text x={(LEFT - 12.0).to_string()} y="25" text-anchor="end" class="faint">{ t().virtual_time_s }</text>
            { for props.picture.processes.iter().enumerate().map(|(i, name)| {
                let chosen = props.selection == Some(Selection::Process(name.to_string()));
                let x = layout.x(i).to_string();
                html! {
                    <g key={name.to_string()} class={classes!("lane-head", chosen.then_some("chosen"))} onclick={bus.on(Msg::Inspect(Selection::Process(name.to_string())))}>
                        <text x={x.clone()} y="17" text-anchor="middle" class="name">{ &**name }</text>
                        <text {x} y="32" text-anchor="middle" class="faint">{ about(&props.view, name) }</text>
                    </g>
                }
            }) }
        </svg>
    }
}

/// What a process is, in a few words.
fn about(view: &View, name: &str) -> String {
    let leads = view.brokers.iter().find(|b| b.name == name).map(|b| {
        let led = b
            .replicas
            .iter()
            .filter(|r| r.role == crate::lab::view::Role::Leader && !acts::is_internal(view, &r.topic));
        led.map(|r| format!("P{}", r.partition)).collect::<Vec<_>>().join(" ")
    });
    match (leads, acts::process(view, name).map(|(kind, _)| kind)) {
        (Some(leads), _) if !leads.is_empty() => (t().leads_only)(&leads),
        (_, Some(acts::Kind::Broker)) => t().broker.to_owned(),
        (_, Some(acts::Kind::Controller)) => t().controller.to_owned(),
        (_, Some(acts::Kind::Producer)) => t().a_producer.to_lowercase(),
        (_, Some(acts::Kind::Consumer)) => t().consumer.to_owned(),
        (_, Some(acts::Kind::Rabbit)) => "RabbitMQ".to_owned(),
        (_, Some(acts::Kind::Publisher)) => t().publisher.to_owned(),
        (_, Some(acts::Kind::Subscriber)) => t().subscriber.to_owned(),
        _ => String::new(),
    }
}

#[derive(Properties, PartialEq)]
pub struct SpaceProps {
    pub picture: Same<Lanes>,
    pub layout: Rc<Layout>,
    /// Something is lit, so the rest steps back.
    pub lights: bool,
    pub why: Option<(u64, u16)>,
    pub now_us: u64,
}

/// Space and time.
#[component]
pub fn Space(props: &SpaceProps) -> Html {
    let bus = use_bus();
    let (layout, picture) = (&props.layout, &props.picture);
    let height = layout.height;
    let class = classes!("space", props.lights.then_some("lights"));
    let now = layout.y(props.now_us);
    html! {
        <svg {class} width={layout.width.to_string()} height={height.to_string()} aria-hidden="true">
            { for layout.times.iter().map(|(at, y)| html! {
                <g key={*at}><line class="sv-line" x1={(LEFT - 6.0).to_string()} x2={layout.width.to_string()} y1={px(*y)} y2={px(*y)} />
                <text class="m faint" x={(LEFT - 12.0).to_string()} y={px(y + 3.5)} text-anchor="end">{ format::moment(*at) }</text></g>
            }) }
            { for (0..picture.processes.len()).map(|i| html! { <line key={i} class="life" x1={px(layout.x(i))} x2={px(layout.x(i))} y1="0" y2={px(height)} /> }) }
            { for picture.silences.iter().map(|s| silence(s, layout)) }
            { for layout.folds.iter().map(|fold| html! {
                <g key={px(fold.y)}><rect class="foldbox" x="0" width={layout.width.to_string()} y={px(fold.y)} height={FOLD.to_string()} />
                <text class="faint" x={px((LEFT + layout.width) / 2.0)} y={px(fold.y + FOLD / 2.0 + 4.0)} text-anchor="middle">{ (t().folded)(&format::span(fold.us)) }</text></g>
            }) }
            { for picture.crossings.iter().enumerate().map(|(i, c)| crossing(c, layout, layout.named[i], props, &bus)) }
            { for picture.happenings.iter().enumerate().map(|(i, h)| happening(h, layout, layout.told[i], props, &bus)) }
            <line class="nowline" x1={(LEFT - 6.0).to_string()} x2={layout.width.to_string()} y1={px(now)} y2={px(now)} />
            <rect class="nowbox" x="2" width={(LEFT - 10.0).to_string()} y={px(now - 8.0)} height="16" rx="3" />
            <text class="m nowtext" x={px((LEFT - 6.0) / 2.0)} y={px(now + 3.5)} text-anchor="middle">{ format::moment(props.now_us) }</text>
        </svg>
    }
}

/// A place in pixels.
fn px(at: f64) -> String {
    format!("{at:.1}")
}

/// The part of a lifeline in which its process does nothing.
fn silence(silence: &Silence, layout: &Layout) -> Html {
    let x = px(layout.x(silence.lane));
    let from = layout.y(silence.from_us);
    let until = silence.until_us.map_or(layout.height, |us| layout.y(us));
    let class = if silence.health == Health::Frozen {
        "life frozen"
    } else {
        "life down"
    };
    html! {
        <g key={format!("{}-{}", silence.lane, silence.from_us)}>
            <line class="life blank" x1={x.clone()} x2={x.clone()} y1={px(from)} y2={px(until)} />
            <line {class} x1={x.clone()} x2={x} y1={px(from)} y2={px(until)} />
        </g>
    }
}

/// An arrow; a cross where it was lost, an open end while it is on its way.
fn crossing(c: &Crossing, layout: &Layout, named: bool, props: &SpaceProps, bus: &Bus) -> Html {
    let side = if c.to > c.from { 6.0 } else { -6.0 };
    let (x1, y1) = (layout.x(c.from) + side, layout.y(c.sent_us));
    let (mut x2, mut y2) = (layout.x(c.to) - side, layout.y(c.until_us));
    if c.passage == Passage::UnderWay {
        let whole = c.until_us.saturating_sub(c.sent_us).max(1) as f64;
        let share = (props.now_us.saturating_sub(c.sent_us) as f64 / whole).clamp(0.0, 1.0);
        x2 = x1 + (x2 - x1) * share;
        y2 = layout.y(props.now_us);
    }
    let answer = c.kind.ends_with("Response");
    let chosen = c.event.is_some() && c.event == props.why.map(|(event, _)| event);
    let class = classes!(
        "crossing",
        c.lit.then_some("lit"),
        answer.then_some("answer"),
        chosen.then_some("chosen"),
        (c.passage != Passage::Arrived).then_some("open")
    );
    let end = match c.passage {
        Passage::Lost => html! { <path class="lost" d={format!("M{:.1} {:.1}l9 9m0 -9l-9 9", x2 - 4.5, y2 - 4.5)} /> },
        Passage::Arrived => arrow((x1, y1), (x2, y2)),
        Passage::UnderWay => html! { <circle class="dot" cx={px(x2)} cy={px(y2)} r="3.5" /> },
    };
    let (mx, my) = ((x1 + x2) / 2.0, (y1 + y2) / 2.0);
    let name = label(c.kind);
    let onclick = c.event.map(|event| bus.on(Msg::Why(event, 0)));
    html! {
        <g key={format!("{}-{:?}-{}-{}-{}", c.sent_us, c.event, c.from, c.to, c.kind)} {class} {onclick}>
            <title>{ (t().crossing)(c.kind, &props.picture.processes[c.from], &props.picture.processes[c.to], &format::moment(c.sent_us), &format::moment(c.until_us), c.passage == Passage::Lost) }</title>
            <line class="hit" x1={px(x1)} y1={px(y1)} x2={px(x2)} y2={px(y2)} />
            <line class="way" x1={px(x1)} y1={px(y1)} x2={px(x2)} y2={px(y2)} />
            { end }
            if named && (!answer || c.lit) { <text x={px(mx)} y={px(my + 3.5)} text-anchor="middle">{ name }</text> }
        </g>
    }
}

/// The head of an arrow.
fn arrow(from: (f64, f64), to: (f64, f64)) -> Html {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy).max(1.0);
    let (ux, uy) = (dx / length * 8.0, dy / length * 8.0);
    let d = format!(
        "M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z",
        to.0,
        to.1,
        to.0 - ux - uy * 0.45,
        to.1 - uy + ux * 0.45,
        to.0 - ux + uy * 0.45,
        to.1 - uy - ux * 0.45
    );
    html! { <path class="head" {d} /> }
}

/// Something that happened at a process, or to all.
fn happening(h: &Happening, layout: &Layout, told: usize, props: &SpaceProps, bus: &Bus) -> Html {
    let y = layout.y(h.at_us);
    let x = h.lane.map_or(LEFT, |lane| layout.x(lane));
    let chosen = props.why == Some((h.event, h.index));
    let look = match h.mark {
        _ if h.alarm => "bad",
        Some(MarkKind::Fault | MarkKind::Loss) => "bad",
        Some(MarkKind::Election) => "lead",
        Some(MarkKind::Command | MarkKind::Note) => "mine",
        Some(MarkKind::Group) => "read",
        _ => "",
    };
    let sign = match look {
        "bad" => {
            html! { <><circle class="sign" cx={px(x)} cy={px(y)} r="7" /><path class="cross" d={format!("M{:.1} {:.1}l6 6m0 -6l-6 6", x - 3.0, y - 3.0)} /></> }
        }
        "lead" => html! { <path class="sign" d={format!("M{x:.1} {:.1}l7 7 -7 7 -7 -7Z", y - 7.0)} /> },
        _ => html! { <circle class="sign" cx={px(x)} cy={px(y)} r="4.5" /> },
    };
    let text = shortened(&h.text, told);
    let (at, anchor) = if layout.leans_left(h.lane) {
        (x - 11.0, "end")
    } else {
        (x + 11.0, "start")
    };
    let class = classes!(
        "happening",
        look,
        h.lit.then_some("lit"),
        chosen.then_some("chosen"),
        h.lane.is_none().then_some("wide")
    );
    html! {
        <g key={format!("{}-{}", h.event, h.index)} {class} onclick={bus.on(Msg::Why(h.event, h.index))}>
            <title>{ format!("{} s: {}", format::moment(h.at_us), h.text) }</title>
            { sign }
            if told > 0 { <text x={px(at)} y={px(y + 3.5)} text-anchor={anchor}>{ text }</text> }
        </g>
    }
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}
