//! How far a group was behind, over time: on the timeline's own axis, all partitions together or each by itself.

use std::rc::Rc;

use web_sys::{Element, PointerEvent};
use yew::prelude::*;

use crate::lab::view::LagView;
use crate::ui::dom::use_size;
use crate::ui::format;
use crate::ui::state::*;
use crate::ui::texts::t;
use crate::ui::timeline::axis::{Scale, use_axis};

/// The picture's own height; its width is that of the axis in hundredths of a percent.
const TALL: i64 = 100;

/// Rows of the table that says the same as the picture.
const ROWS: usize = 12;

/// Room for the label of a tick, in pixels.
const TICK_PX: f64 = 54.0;

#[derive(Properties, PartialEq)]
pub struct LagProps {
    pub scene: Scene,
    pub group: String,
}

/// The chart of one group.
#[component]
pub fn LagChart(props: &LagProps) -> Html {
    let bus = use_bus();
    let scene = &props.scene;
    let apart = use_state_eq(|| false);
    let (_, scale) = use_axis(scene);
    let lag = {
        let (run, explored) = (bus.run.clone(), (scene.end_us, scene.end_event));
        use_memo(
            (props.group.clone(), explored, Rc::clone(&scene.text)),
            move |(group, _, _)| run.borrow().run.lag_history(group),
        )
    };
    let plot = use_node_ref();
    let (width, _) = use_size(&plot);
    if lag.at_us.is_empty() || lag.partitions.is_empty() {
        return html! {};
    }
    let now_us = scene.view.now_us;
    let toggle = {
        let (set, on) = (apart.setter(), *apart);
        Callback::from(move |_: MouseEvent| set.set(!on))
    };
    let onpointerdown = seek(&bus, &plot, &scale);
    let series: Vec<(String, &[i64])> = match *apart {
        true => lag
            .partitions
            .iter()
            .map(|(name, lags)| (name.to_string(), &lags[..]))
            .collect(),
        false => vec![(t().lag_total.to_owned(), &lag.total[..])],
    };
    html! {
        <figure class="lagchart">
            <figcaption><span>{ t().lag_over_time }</span>
                <button type="button" class="btn ghost" aria-pressed={apart.to_string()} onclick={toggle}>{ t().by_partition }</button></figcaption>
            <div ref={plot} {onpointerdown}>
                { for series.iter().map(|(name, lags)| picture(name, lags, &lag.at_us, &scale, (now_us, scene.end_us))) }
                { axis(&scale, width) }
            </div>
            { text(&lag, now_us) }
        </figure>
    }
}

/// A press anywhere on the pictures goes to that moment.
fn seek(bus: &Bus, plot: &NodeRef, scale: &Rc<Scale>) -> Callback<PointerEvent> {
    let (send, plot, scale) = (bus.send.clone(), plot.clone(), Rc::clone(scale));
    Callback::from(move |e: PointerEvent| {
        if let (0, Some(element)) = (e.button(), plot.cast::<Element>()) {
            let rect = element.get_bounding_client_rect();
            let share = (f64::from(e.client_x()) - rect.left()) / rect.width().max(1.0);
            send.emit(Msg::Seek(scale.moment(share)));
        }
    })
}

/// The value at a moment: that of the last sample before it.
fn value_at(lags: &[i64], at_us: &[u64], moment: u64) -> i64 {
    let index = at_us.iter().rposition(|at| *at <= moment).unwrap_or(0);
    lags.get(index).copied().unwrap_or(0)
}

/// The greatest value and when it was there first.
fn peak(lags: &[i64], at_us: &[u64]) -> (i64, u64) {
    let most = lags.iter().copied().max().unwrap_or(0);
    let index = lags.iter().position(|lag| *lag == most).unwrap_or(0);
    (most, at_us.get(index).copied().unwrap_or(0))
}

/// One series as steps, the part behind the present paler.
fn picture(name: &str, lags: &[i64], at_us: &[u64], scale: &Scale, (now_us, end_us): (u64, u64)) -> Html {
    let (most, most_at) = peak(lags, at_us);
    let now = value_at(lags, at_us, now_us);
    let label = (t().lag_is)(name, now, most, &format::moment(most_at));
    let x = |us: u64| format!("{:.0}", scale.percent(us) * 100.0);
    let y = |lag: i64| TALL - lag * (TALL - 4) / most.max(1);
    let mut line = format!("M{} {}", x(at_us[0]), y(lags[0]));
    for (at, lag) in at_us.iter().zip(lags).skip(1) {
        line.push_str(&format!("H{}V{}", x(*at), y(*lag)));
    }
    line.push_str(&format!("H{}", x(end_us)));
    let area = format!("{line}V{TALL}H{}Z", x(at_us[0]));
    html! {
        <div class="lagrow" key={name.to_owned()}>
            <div class="lagname"><b>{ name }</b><span class="mono">{ (t().lag_figures)(now, most) }</span></div>
            <svg viewBox="0 0 10000 100" preserveAspectRatio="none" role="img" aria-label={label}>
                <path class="area" d={area} /><path class="line" d={line} />
                <rect class="ahead" x={x(now_us)} y="0" width={format!("{:.0}", (100.0 - scale.percent(now_us)) * 100.0)} height="100" />
                <line class="nowline" x1={x(now_us)} x2={x(now_us)} y1="0" y2="100" />
            </svg>
        </div>
    }
}

/// The moments below the pictures.
fn axis(scale: &Scale, width: u32) -> Html {
    let px = f64::from(width.max(160)) / 100.0;
    let (ticks, step) = scale.ticks(TICK_PX / px);
    html! {
        <svg class="lagaxis" aria-hidden="true">{ for ticks.into_iter().map(|at| {
            let x = format!("{:.2}%", scale.percent(at));
            html! { <text {x} y="10" text-anchor={if at == 0 { "start" } else { "middle" }} class="m" key={at}>{ format::tick(at, step) }</text> }
        }) }</svg>
    }
}

/// The same in words and figures.
fn text(lag: &LagView, now_us: u64) -> Html {
    let last = lag.at_us.len() - 1;
    let step = lag.at_us.len().div_ceil(ROWS).max(1);
    let (_, most_at) = peak(&lag.total, &lag.at_us);
    let shown = |i: &usize| i.is_multiple_of(step) || *i == last || lag.at_us[*i] == most_at;
    html! {
        <details class="config"><summary>{ t().as_table }</summary>
            <table class="tbl"><thead><tr><th scope="col">{ t().time }</th><th scope="col">{ t().lag_word }</th></tr></thead><tbody>
            { for (0..=last).filter(shown).map(|i| html! {
                <tr key={lag.at_us[i]} class={(lag.at_us[i] <= now_us && lag.at_us.get(i + 1).is_none_or(|next| *next > now_us)).then_some("moved")}>
                    <th scope="row">{ format!("{} s", format::moment(lag.at_us[i])) }</th><td>{ format::figure(lag.total[i]) }</td></tr> }) }
            </tbody></table></details>
    }
}
