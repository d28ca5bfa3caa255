//! RabbitMQ on the stage: brokers with their exchanges and queues, and the clients beside them.

use std::rc::Rc;

use yew::prelude::*;

use super::host::{focus_selects, look, state_chip, touch};
use crate::lab::view::{ExchangeView, PublisherView, QueueView, RabbitView, SubscriberView};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Bodies of a queue that are drawn; the rest is counted.
const CELLS: usize = 6;

/// Bindings of an exchange that are drawn; the rest is counted.
const BINDINGS: usize = 6;

#[derive(Properties, PartialEq)]
pub struct RabbitProps {
    pub rabbit: Rc<RabbitView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A broker.
#[component]
pub fn RabbitBox(props: &RabbitProps) -> Html {
    let bus = use_bus();
    let rabbit = &props.rabbit;
    let (class, icon, word) = look(rabbit.health);
    let touch = touch(&bus, &rabbit.name);
    html! {
        <section class={classes!("host", "amqp", class, props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={rabbit.name.clone()} tabindex="0" aria-label={(t().broker_is)(&rabbit.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &rabbit.name)}>
            <header class="host-head">
                <Icon name={icon} class="pip" /><h3>{ &rabbit.name }</h3><span class="where">{ "RabbitMQ" }</span>
                <span class="chips">
                    { state_chip(rabbit.health, None) }
                    { for rabbit.faults.iter().take(2).map(|f| html! { <span class="chip bad"><Icon name="bolt" />{ f }</span> }) }
                </span>
                <span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&rabbit.name)} onclick={touch.dots}><Icon name="dots" /></button>
            </header>
            if rabbit.exchanges.is_empty() && rabbit.queues.is_empty() { <p class="note">{ t().no_queue }</p> }
            { for rabbit.exchanges.iter().map(exchange) }
            { for rabbit.queues.iter().map(queue) }
        </section>
    }
}

/// An exchange with what it leads to, key by key.
fn exchange(x: &ExchangeView) -> Html {
    let more = x.bindings.len().saturating_sub(BINDINGS);
    html! {
        <div class="exchange" key={format!("x/{}", x.name)}>
            <b>{ &x.name }</b>{ " " }<span class="chip conf">{ x.kind }</span>
            if x.durable { <span class="chip conf">{ "durable" }</span> }
            <ul class="bindings">
                { for x.bindings.iter().take(BINDINGS).map(|b| html! { <li key={format!("{}/{}", b.to, b.pattern)}><code>{ if b.pattern.is_empty() { "\"\"" } else { &b.pattern } }</code>{ " → " }{ &b.to }</li> }) }
                if let Some(alternate) = &x.alternate { <li><code>{ "alternate-exchange" }</code>{ " → " }{ alternate }</li> }
                if more > 0 { <li class="muted">{ (t().and_more)(more) }</li> }
            </ul>
        </div>
    }
}

/// A queue: what waits, the next one first, and what is out.
fn queue(q: &QueueView) -> Html {
    let more = q.ready.saturating_sub(q.first.len().min(CELLS));
    html! {
        <div class="queue" key={format!("q/{}", q.name)}>
            <b>{ &q.name }</b>
            if q.durable { <span class="chip conf">{ "durable" }</span> }
            if q.kind == "quorum" { <span class="chip conf">{ q.kind }</span> }
            <span class={classes!("n", (q.ready > 50).then_some("hot"))}>{ (t().ready)(&format::count(q.ready as u64), &format::count(q.unacked as u64)) }</span>
            <span class="muted">{ (t().consumer_count)(q.consumers.len()) }</span>
            <ol class="cells">
                { for q.first.iter().take(CELLS).map(|body| html! { <li class="clip" title={body.clone()}>{ body }</li> }) }
                if more > 0 { <li class="muted">{ (t().and_more)(more) }</li> }
            </ol>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct PublisherProps {
    pub publisher: Rc<PublisherView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A publisher.
#[component]
pub fn PublisherBox(props: &PublisherProps) -> Html {
    let bus = use_bus();
    let p = &props.publisher;
    let touch = touch(&bus, &p.name);
    let (class, _, word) = look(p.health);
    let flags = [
        (p.confirm, "confirm"),
        (p.mandatory, "mandatory"),
        (p.persistent, "persistent"),
    ];
    html! {
        <section class={classes!("client", class, props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={p.name.clone()} tabindex="0" aria-label={(t().producer_is)(&p.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &p.name)}>
            <div class="client-head"><h3><Icon name="app" class="s" />{ &p.name }</h3><span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&p.name)} onclick={touch.dots}><Icon name="dots" /></button></div>
            <div class="tags">
                { state_chip(p.health, None) }
                { for flags.into_iter().filter(|(is, _)| *is).map(|(_, flag)| html! { <span class="chip conf" key={flag}>{ flag }</span> }) }
            </div>
            <dl class="kv">
                if p.waiting > 0 { <dt>{ t().buffered }</dt><dd>{ p.waiting }</dd> }
                if p.confirm { <dt>{ t().unconfirmed }</dt><dd>{ p.unconfirmed }</dd><dt>{ t().confirmed }</dt><dd>{ (t().of)(&format::count(p.confirmed), &format::count(p.sent)) }</dd> }
                else { <dt>{ t().published }</dt><dd>{ format::count(p.sent) }</dd> }
                if p.lost > 0 { <dt class="no">{ t().lost }</dt><dd class="no">{ format::count(p.lost) }</dd> }
            </dl>
            if let Some(error) = &p.last_error { <span class="chip err clip" title={error.clone()}>{ error }</span> }
        </section>
    }
}

#[derive(Properties, PartialEq)]
pub struct SubscriberProps {
    pub subscriber: Rc<SubscriberView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A subscriber with what it has in hand.
#[component]
pub fn SubscriberBox(props: &SubscriberProps) -> Html {
    let bus = use_bus();
    let s = &props.subscriber;
    let touch = touch(&bus, &s.name);
    let (class, _, word) = look(s.health);
    let more = s.inbox.len().saturating_sub(CELLS);
    html! {
        <section class={classes!("client", class, props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={s.name.clone()} tabindex="0" aria-label={(t().consumer_is)(&s.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &s.name)}>
            <div class="client-head"><h3>{ &s.name }</h3><span class="muted">{ &s.queue }</span><span class="grow"></span>
                { state_chip(s.health, None) }
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&s.name)} onclick={touch.dots}><Icon name="dots" /></button></div>
            <div class="tags">
                <span class="chip conf">{ format!("prefetch={}", s.prefetch) }</span>
                <span class="chip conf">{ format!("ack={}", s.ack) }</span>
            </div>
            <ol class="cells">
                { for s.inbox.iter().take(CELLS).map(|body| html! { <li class="clip" title={body.clone()}>{ body }</li> }) }
                if more > 0 { <li class="muted">{ (t().and_more)(more) }</li> }
            </ol>
            if let Some(error) = &s.last_error { <span class="chip err clip" title={error.clone()}>{ error }</span> }
        </section>
    }
}
