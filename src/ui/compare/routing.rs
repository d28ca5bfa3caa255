//! The routing playground: where would a message go? Every binding on its way answers before anything is sent.

use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::lab::show::routing::{Answer, Route};
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct PlaygroundProps {
    pub version: u64,
}

/// The playground.
#[component]
pub fn Playground(props: &PlaygroundProps) -> Html {
    let bus = use_bus();
    let exchange = use_state_eq(|| None::<String>);
    let key = use_state_eq(String::new);
    let headers = use_state_eq(String::new);
    let (exchanges, route) = {
        let run = &bus.run.borrow().run;
        let exchanges = run.exchanges();
        let chosen = (*exchange)
            .clone()
            .or_else(|| exchanges.first().map(|(name, _)| name.to_string()));
        let route = chosen.as_deref().map(|name| run.route(name, &key, &headers));
        (exchanges, route)
    };
    let typed = |state: &UseStateHandle<String>| {
        let setter = state.setter();
        Callback::from(move |e: InputEvent| setter.set(e.target_unchecked_into::<HtmlInputElement>().value()))
    };
    let picked = {
        let setter = exchange.setter();
        Callback::from(move |e: Event| setter.set(Some(e.target_unchecked_into::<HtmlSelectElement>().value())))
    };
    let _ = props.version;
    html! {
        <div class="fates routing" tabindex="0" role="region" aria-label={t().routing}>
            <p class="muted">{ t().routing_note }</p>
            <div class="produce">
                <label>{ t().exchange }<select class="control" onchange={picked}>{ for exchanges.iter().map(|(name, kind)| html! { <option value={name.to_string()}>{ format!("{name} ({kind})") }</option> }) }</select></label>
                <label>{ t().routing_key }<input class="control" value={(*key).clone()} placeholder="loan.car.high" autocomplete="off" spellcheck="false" oninput={typed(&key)} /></label>
                <label>{ t().headers }<input class="control" value={(*headers).clone()} placeholder="kind=car urgent=true" autocomplete="off" spellcheck="false" oninput={typed(&headers)} /></label>
            </div>
            if let Some(route) = &route { { verdict(route) } <ul class="answers">{ for route.answers.iter().map(view_answer) }</ul> }
        </div>
    }
}

/// Where it goes; that it goes nowhere is said loudly.
fn verdict(route: &Route) -> Html {
    if route.queues.is_empty() {
        return html! { <p class="unroutable" role="status"><Icon name="x" />{ (t().nowhere)(route.alternate.as_deref()) }</p> };
    }
    html! { <p class="routed" role="status"><Icon name="check" />{ (t().goes_to)(&route.queues.join(", ")) }</p> }
}

fn view_answer(answer: &Answer) -> Html {
    let class = if answer.matched { "yes" } else { "not" };
    html! {
        <li {class}><Icon name={if answer.matched { "check" } else { "x" }} class="s" />
            <span class="mono">{ format!("{} → {}", answer.exchange, answer.target) }</span>
            <span class="words">{ for answer.pieces.iter().map(|piece| html! { <span class={if piece.fits { "fits" } else { "misfits" }}><b>{ &piece.wanted }</b>{ &piece.found }</span> }) }</span>
        </li>
    }
}
