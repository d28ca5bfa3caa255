//! Time drawn: ticks, how much happened when, marks, branches as lanes, and the playhead.

use crate::ordered::SortSmall;
use std::rc::Rc;

use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};
use yew::prelude::*;

use super::axis::use_axis;
use super::scale::Scale;
use crate::lab::view::{BranchView, Density, MarkKind, MarkView};
use crate::ui::app::mark_look;
use crate::ui::dom::{Same, use_size, use_style};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Lanes that fit; the others are in the branch menu.
const LANES: usize = 3;

/// Height of a lane and of the first one's line, in pixels.
const LANE: usize = 20;
const FIRST_LANE: usize = 87;

/// Where the histogram stands.
const BASE: u32 = 50;
const TALL: u32 = 30;

/// Room for the label of a tick, in pixels.
const TICK_PX: f64 = 64.0;

/// Marks that are drawn at most.
const MARKS: usize = 60;

#[derive(Properties, PartialEq)]
pub struct PlotProps {
    pub scene: Scene,
}

/// The plot with its labels and the slider.
#[component]
pub fn Plot(props: &PlotProps) -> Html {
    let bus = use_bus();
    let scene = &props.scene;
    let now = scene.view.now_us;
    let (bins, scale) = use_axis(scene);
    let plot = use_node_ref();
    let (width, _) = use_size(&plot);
    let (onpointerdown, onpointermove, onpointerup) = scrubbing(&bus, &plot, &scale);
    let tree = lanes(&scene.branches);
    html! {
        <div class="tl">
            <div class="tl-labels">
                <span class="tl-l1">{ t().time }</span><span class="tl-l2">{ t().events }</span><span class="tl-l3">{ t().marks }</span>
                { for tree.iter().enumerate().map(|(i, b)| html! {
                    <button type="button" key={b.id} class={format!("tl-b{i}")} aria-current={b.current.then_some("true")} onclick={bus.on(Msg::Branch(b.id))} title={(t().branch_is)(&b.name)}>
                        <Icon name={if b.parent.is_none() { "branch" } else { "fork" }} class="s" />{ &b.name }
                    </button>
                }) }
            </div>
            <div class="tl-plot" ref={plot} {onpointerdown} {onpointermove} {onpointerup}>
                <Picture scale={Same(Rc::clone(&scale))} bins={Same(bins)} marks={scene.marks.clone()} lanes={tree} end_us={scene.end_us} future={scale.percent(scene.end_us.max(now))} now={scale.percent(now)} {width} />
                <Playhead at={scale.percent(now)} now_us={now} end_us={scene.end_us} />
            </div>
        </div>
    }
}

/// The branches drawn as lanes: the first one, then the current one and the newest others.
fn lanes(branches: &[BranchView]) -> Vec<BranchView> {
    let mut chosen: Vec<&BranchView> = branches.iter().take(1).collect();
    let current = branches.iter().skip(1).filter(|b| b.current);
    let others = branches.iter().skip(1).rev().filter(|b| !b.current);
    chosen.extend(current.chain(others).take(LANES - 1));
    chosen.sort_small_by_key(|b| b.id);
    chosen.into_iter().cloned().collect()
}

type Pointer = Callback<PointerEvent>;

/// Pressing and dragging anywhere on the plot moves time.
fn scrubbing(bus: &Bus, plot: &NodeRef, scale: &Rc<Scale>) -> (Pointer, Pointer, Pointer) {
    let seek = {
        let (send, plot, scale) = (bus.send.clone(), plot.clone(), Rc::clone(scale));
        move |e: &PointerEvent| {
            let Some(element) = plot.cast::<HtmlElement>() else {
                return;
            };
            let rect = element.get_bounding_client_rect();
            let share = (f64::from(e.client_x()) - rect.left()) / rect.width().max(1.0);
            send.emit(Msg::Seek(scale.moment(share)));
        }
    };
    let (press, drag) = (seek.clone(), seek);
    let node = plot.clone();
    let down = Callback::from(move |e: PointerEvent| {
        if e.button() != 0 || crate::ui::dom::closest(e.target(), ".mark").is_some() {
            return;
        }
        if let Some(element) = node.cast::<HtmlElement>() {
            // Refused only for a pointer that is already up again.
            let _ = element.set_pointer_capture(e.pointer_id());
        }
        press(&e);
    });
    let node = plot.clone();
    let moved = Callback::from(move |e: PointerEvent| {
        let held = node
            .cast::<HtmlElement>()
            .is_some_and(|el| el.has_pointer_capture(e.pointer_id()));
        if held {
            drag(&e);
        }
    });
    let node = plot.clone();
    let up = Callback::from(move |e: PointerEvent| {
        if let Some(element) = node.cast::<HtmlElement>() {
            let _ = element.release_pointer_capture(e.pointer_id());
        }
    });
    (down, moved, up)
}

#[derive(Properties, PartialEq)]
struct PictureProps {
    scale: Same<Scale>,
    bins: Same<Vec<Density>>,
    marks: Same<Vec<MarkView>>,
    lanes: Vec<BranchView>,
    end_us: u64,
    /// Where the explored time ends, in percent.
    future: f64,
    now: f64,
    /// Width of the plot in pixels.
    width: u32,
}

/// Everything but the playhead.
#[component]
fn Picture(props: &PictureProps) -> Html {
    let bus = use_bus();
    let scale = &props.scale;
    let px = f64::from(props.width.max(200)) / 100.0;
    let (ticks, step) = scale.ticks(TICK_PX / px);
    html! {
        <svg aria-label={t().plot}>
            <rect class="future" x={pc(props.future)} y="0" width={pc(100.0 - props.future)} height="100%" />
            { for scale.folds().map(|(a, b)| {
                let (x, w) = (scale.percent(a), scale.percent(b) - scale.percent(a));
                html! { <g key={a}><rect class="foldbox" x={pc(x)} y="0" width={pc(w)} height="50" />
                    <text x={pc(x + w / 2.0)} y="36" text-anchor="middle" class="m faint">{ format::span(b - a) }</text>
                    <text x={pc(x + w / 2.0)} y="47" text-anchor="middle" class="faint">{ t().idle }</text></g> }
            }) }
            <line x1="0" x2="100%" y1="17" y2="17" class="sv-line" />
            { for ticks.into_iter().map(|at| {
                let x = pc(scale.percent(at));
                html! { <g class="tick" key={at}><line x1={x.clone()} x2={x.clone()} y1="13" y2="50" class="sv-line" />
                    <text {x} y="11" text-anchor={if at == 0 { "start" } else { "middle" }} class="m">{ format::tick(at, step) }</text></g> }
            }) }
            <line x1="0" x2="100%" y1="50" y2="50" class="sv-strong" />
            { bars(&props.bins, scale, props.end_us) }
            <line class="nowline" x1={pc(props.now)} x2={pc(props.now)} y1="0" y2="100%" />
            { marks(&props.marks, scale, props.end_us, px, &bus) }
            { for props.lanes.iter().enumerate().map(|(i, lane)| view_lane(i, lane, &props.lanes, scale)) }
        </svg>
    }
}

fn pc(x: f64) -> String {
    format!("{:.2}%", x.clamp(0.0, 100.0))
}

/// The stacked histogram.
fn bars(bins: &[Density], scale: &Scale, end_us: u64) -> Html {
    let most = bins
        .iter()
        .map(|d| d.data + d.control + d.clients)
        .max()
        .unwrap_or(0)
        .max(4);
    let count = bins.len().max(1) as u64;
    bins.iter()
        .enumerate()
        .map(|(i, d)| {
            let from = scale.percent(end_us * i as u64 / count);
            let to = scale.percent(end_us * (i as u64 + 1) / count);
            let width = pc(((to - from) * 0.78).max(0.12));
            let mut y = BASE;
            let mut bar = |n: u32, class: &'static str| {
                if n == 0 {
                    return html! {};
                }
                let height = (n * TALL / most).max(1).min(y);
                y -= height;
                html! { <rect {class} x={pc(from)} y={y.to_string()} width={width.clone()} height={height.to_string()} /> }
            };
            html! { <>{ bar(d.data, "sv-data") }{ bar(d.control, "sv-ctl") }{ bar(d.clients, "sv-cli") }</> }
        })
        .collect()
}

/// The marks; a label is hidden before it meets the next mark.
fn marks(marks: &[MarkView], scale: &Scale, end_us: u64, px: f64, bus: &Bus) -> Html {
    let skip = marks.len().saturating_sub(MARKS);
    let mut places: Vec<f64> = marks.iter().skip(skip).map(|m| scale.percent(m.at_us)).collect();
    places.push(101.0);
    let mut last = -10.0;
    marks
        .iter()
        .skip(skip)
        .enumerate()
        .map(|(i, mark)| {
            let x = places[i];
            let (class, icon) = mark_look(mark.kind);
            let strong = matches!(mark.kind, MarkKind::Loss | MarkKind::Check { passed: false });
            if (x - last) * px < 10.0 && !strong {
                return html! {};
            }
            last = x;
            let room = (places[i + 1] - x) * px;
            let label = room > 26.0 + mark.text.chars().count() as f64 * 6.4 && mark.kind != MarkKind::Note;
            let at = format::moment(mark.at_us);
            let ahead = mark.at_us > end_us && mark.kind == MarkKind::Command;
            let onclick = if mark.event > 0 { bus.on(Msg::SeekEvent(mark.event)) } else { bus.on(Msg::Seek(mark.at_us)) };
            html! {
                <g class={classes!("mark", class, ahead.then_some("ahead"))} role="button" aria-label={format!("{at} s: {}", mark.text)} key={format!("{}-{i}", mark.event)} {onclick}>
                    <title>{ format!("{at} s: {}", mark.text) }</title>
                    <svg x={pc(x)} y="57" overflow="visible">if ahead { <circle cy="7" r="4" /> } else { <use href={format!("#i-{icon}")} x="-7" width="14" height="14" /> }
                    if label { <text x="10" y="11" class="mt">{ &mark.text }</text> }</svg>
                </g>
            }
        })
        .collect()
}

/// One branch: a line from where it forked to where it ends, joined to its parent.
fn view_lane(i: usize, lane: &BranchView, all: &[BranchView], scale: &Scale) -> Html {
    let y = FIRST_LANE + i * LANE;
    let from = if lane.parent.is_some() {
        scale.percent(lane.forked_at_us)
    } else {
        0.0
    };
    let to = scale.percent(lane.end_us).max(from);
    let parent = lane.parent.and_then(|id| all.iter().position(|b| b.id == id));
    let class = classes!(
        "lane",
        lane.current.then_some("current"),
        lane.outcome
            .starts_with(|c: char| ('1'..='9').contains(&c))
            .then_some("bad")
    );
    html! {
        <g {class} key={lane.id}>
            if let Some(parent) = parent {
                <line class="join" x1={pc(from)} x2={pc(from)} y1={(FIRST_LANE + parent * LANE).to_string()} y2={y.to_string()} />
                <circle class="join" cx={pc(from)} cy={(FIRST_LANE + parent * LANE).to_string()} r="3" />
            }
            <line class="way" x1={pc(from)} x2={pc(to)} y1={y.to_string()} y2={y.to_string()} />
            <svg x={pc(to)} overflow="visible"><text x="9" y={(y + 4).to_string()}>{ &lane.outcome }</text></svg>
        </g>
    }
}

#[derive(Properties, PartialEq)]
struct PlayheadProps {
    at: f64,
    now_us: u64,
    end_us: u64,
}

/// The slider: drag, arrows step, Page Up and Down move a second, Home and End go to the ends.
#[component]
fn Playhead(props: &PlayheadProps) -> Html {
    let bus = use_bus();
    let node = use_node_ref();
    use_style(&node, vec![("left", pc(props.at))]);
    let (send, now, end) = (bus.send.clone(), props.now_us, props.end_us);
    let onkeydown = Callback::from(move |e: KeyboardEvent| {
        let msg = match e.key().as_str() {
            "ArrowRight" | "ArrowUp" if e.shift_key() => Msg::Matters,
            "ArrowRight" | "ArrowUp" => Msg::Step,
            "ArrowLeft" | "ArrowDown" => Msg::Back,
            "PageUp" => Msg::Seek(now + 1_000_000),
            "PageDown" => Msg::Seek(now.saturating_sub(1_000_000)),
            "Home" => Msg::Start,
            "End" => Msg::Seek(end),
            _ => return,
        };
        e.prevent_default();
        send.emit(msg);
    });
    let edge = if props.at < 4.0 {
        "left"
    } else if props.at > 95.0 {
        "right"
    } else {
        ""
    };
    html! {
        <div class={classes!("playhead", edge)} ref={node} role="slider" tabindex="0" aria-label={t().virtual_time} aria-valuemin="0" aria-valuemax={(props.end_us.max(props.now_us) / 1_000).to_string()}
            aria-valuenow={(props.now_us / 1_000).to_string()} aria-valuetext={format!("{} s", format::moment(props.now_us))} {onkeydown}>
            <span>{ format!("{} s", format::moment(props.now_us)) }</span>
        </div>
    }
}
