//! The transport: start, back, play, step, to what matters; the clock; the speed.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::TransportState;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::player::SPEEDS;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct TransportProps {
    pub scene: Scene,
    pub state: TransportState,
}

/// The row of buttons.
#[component]
pub fn Transport(props: &TransportProps) -> Html {
    let bus = use_bus();
    let view = &props.scene.view;
    let (coarse, fine) = format::clock(view.now_us);
    let (play_icon, play_label) = if props.state.travelling {
        ("pause", t().stop_travel)
    } else if props.state.playing {
        ("pause", t().pause)
    } else {
        ("play", t().play)
    };
    let onspeed = {
        let send = bus.send.clone();
        Callback::from(move |e: InputEvent| {
            let value = e.target_unchecked_into::<HtmlInputElement>().value();
            send.emit(Msg::Speed(value.parse().unwrap_or_default()));
        })
    };
    let rate = (t().rate)(&format::span(props.state.rate));
    html! {
        <div class="transport" role="group" aria-label={t().transport}>
            <button type="button" class="btn icon desk-only" aria-label={t().to_start} onclick={bus.on(Msg::Start)}><Icon name="start" /></button>
            <button type="button" class="btn icon" aria-label={t().step_back} onclick={bus.on(Msg::Back)}><Icon name="back" /></button>
            <button type="button" class="btn play" aria-label={play_label} onclick={bus.on(Msg::Toggle)}><Icon name={play_icon} /></button>
            <button type="button" class="btn icon" aria-label={t().step} onclick={bus.on(Msg::Step)}><Icon name="step" /></button>
            <button type="button" class="btn" aria-label={t().matters_label} onclick={bus.on(Msg::Matters)}><Icon name="matters" /><span class="desk-only">{ t().matters_next }</span></button>
            <span class="clock"><span class="vh">{ t().virtual_time }</span>{ coarse }<small>{ format!("\u{2009}{fine} s") }</small></span>
            if props.state.travelling { <span class="chip open travelling" role="status"><Icon name="wait" />{ t().travelling }</span> }
            <span class="muted opt-wide desk-only events-of">{ (t().event_of)(&format::count(view.event), &format::count(props.scene.end_event)) }</span>
            <span class="grow desk-only"></span>
            <label class="speed desk-only"><span>{ t().speed }</span>{ " " }
                <input type="range" min="0" max={(SPEEDS.len() - 1).to_string()} value={props.state.speed.to_string()} aria-label={t().speed} aria-valuetext={rate.clone()} oninput={onspeed} />
                <span class="mono rate">{ rate }</span></label>
            <button type="button" class="btn ghost desk-only opt-wide" aria-pressed={props.state.fold.to_string()} title={t().fold_note} onclick={bus.on(Msg::Fold)}>{ t().fold_idle }</button>
            <button type="button" class="btn desk-only" onclick={bus.on(Msg::Fork)}><Icon name="branch" />{ t().fork_here }</button>
        </div>
    }
}
