//! Producers, consumers and controllers: the boxes beside the brokers.

use std::rc::Rc;

use yew::prelude::*;

use super::host::{focus_selects, look, state_chip, touch};
use crate::lab::view::{AssignedView, ConsumerView, ControllerView, Health, ProducerView};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Partitions of one consumer that are drawn; the rest is counted.
const TRACKS: usize = 3;

fn down(health: Health) -> &'static str {
    match health {
        Health::Crashed | Health::PoweredOff | Health::Stopped => "is-down",
        Health::Frozen => "is-paused",
        _ => "",
    }
}

#[derive(Properties, PartialEq)]
pub struct ProducerProps {
    pub producer: Rc<ProducerView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A producer.
#[component]
pub fn ProducerBox(props: &ProducerProps) -> Html {
    let bus = use_bus();
    let p = &props.producer;
    let touch = touch(&bus, &p.name);
    let (_, _, word) = look(p.health);
    html! {
        <section class={classes!("client", down(p.health), props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={p.name.clone()} tabindex="0" aria-label={(t().producer_is)(&p.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &p.name)}>
            <div class="client-head"><h3><Icon name="app" class="s" />{ &p.name }</h3><span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&p.name)} onclick={touch.dots}><Icon name="dots" /></button></div>
            <div class="tags">
                { state_chip(p.health, None) }
                <span class="chip conf">{ format!("acks={}", p.acks) }</span>
                if p.idempotent { <span class="chip conf">{ t().idempotent }</span> }
            </div>
            <dl class="kv">
                <dt title={(t().most_in_flight)(p.max_in_flight)}>{ t().in_flight }</dt><dd>{ p.in_flight }</dd>
                if p.buffered > 0 { <dt>{ t().buffered }</dt><dd>{ p.buffered }</dd> }
                <dt>{ t().acked }</dt><dd>{ (t().of)(&format::count(p.acknowledged), &format::count(p.sent)) }</dd>
                if p.failed > 0 { <dt class="no">{ t().failed }</dt><dd class="no">{ format::count(p.failed) }</dd> }
                if p.lost > 0 { <dt class="no">{ t().lost }</dt><dd class="no">{ format::count(p.lost) }</dd> }
            </dl>
            if let Some(error) = &p.last_error { <span class="chip err clip" title={error.clone()}>{ error }</span> }
        </section>
    }
}

#[derive(Properties, PartialEq)]
pub struct ConsumerProps {
    pub consumer: Rc<ConsumerView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A consumer with a bullet track for each of its partitions.
#[component]
pub fn ConsumerBox(props: &ConsumerProps) -> Html {
    let bus = use_bus();
    let c = &props.consumer;
    let touch = touch(&bus, &c.name);
    let more = c.assignment.len().saturating_sub(TRACKS);
    html! {
        <section class={classes!("client", down(c.health), props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={c.name.clone()} tabindex="0" aria-label={(t().consumer_is)(&c.name, &c.state)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &c.name)}>
            <div class="client-head"><h3>{ &c.name }</h3><span class="grow"></span>
                if c.health == Health::Up { <span class="muted">{ if c.working_on.is_some() { t().working } else { c.state.as_str() } }</span> } else { { state_chip(c.health, None) } }
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&c.name)} onclick={touch.dots}><Icon name="dots" /></button></div>
            <div class="tracks">
                { for c.assignment.iter().take(TRACKS).map(track) }
                if c.assignment.is_empty() { <p class="muted small">{ t().no_partition }</p> }
                if more > 0 { <p class="muted small">{ (t().and_more)(more) }</p> }
            </div>
            if let Some(error) = &c.last_error { <span class="chip err clip" title={error.clone()}>{ error }</span> }
        </section>
    }
}

/// From the log's start to the high watermark: filled to the committed offset, dashed to the position.
fn track(a: &AssignedView) -> Html {
    let length = (a.end - a.start).max(1);
    let share = |offset: i64| {
        format!(
            "{}%",
            ((offset - a.start).clamp(0, length) * 1_000 / length) as f64 / 10.0
        )
    };
    let position = a.position.or(a.committed).unwrap_or(a.start);
    let committed = a.committed.unwrap_or(a.start);
    let ahead = ((position - committed).clamp(0, length) * 1_000 / length) as f64 / 10.0;
    let figure = |n: Option<i64>| n.map_or_else(|| "–".to_owned(), format::figure);
    let words = (t().track)(&figure(a.committed), &figure(a.position), a.end);
    html! {
        <div class="lag" key={format!("{}/{}", a.topic, a.partition)}>
            <b>{ format!("P{}", a.partition) }</b>
            <svg class="track" role="img" aria-label={format!("P{}: {words}, {}", a.partition, (t().lag)(a.lag))}>
                <rect class="done" width={share(committed)} height="100%" />
                <rect class="read" x={share(committed)} width={format!("{ahead}%")} y="2" height="10" />
                <line class="edge" x1={share(committed)} x2={share(committed)} y1="0" y2="14" />
                <svg x={share(position)} class="pos"><path d="M-4 -4h8l-4 6z" /></svg>
            </svg>
            <span class={classes!("n", (a.lag > 3).then_some("hot"))}>{ (t().lag)(a.lag) }</span>
            <span class="d">{ words }</span>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub struct ControllerProps {
    pub controller: Rc<ControllerView>,
    pub selected: bool,
    /// Something else is concerned.
    pub dim: bool,
}

/// A controller and how it sees the brokers.
#[component]
pub fn ControllerBox(props: &ControllerProps) -> Html {
    let bus = use_bus();
    let c = &props.controller;
    let touch = touch(&bus, &c.name);
    let (_, _, word) = look(c.health);
    html! {
        <section class={classes!("client", "ctl", down(c.health), props.selected.then_some("selected"), props.dim.then_some("dim"))} data-node={c.name.clone()} tabindex="0" aria-label={(t().controller_is)(&c.name, word)}
            onclick={touch.click} ondblclick={touch.double} oncontextmenu={touch.menu} onfocus={focus_selects(&bus, &c.name)}>
            <div class="client-head"><h3><Icon name="hex" class="s lead" />{ &c.name }</h3>
                if c.active { <span class="chip lead">{ (t().controller_epoch)(c.epoch) }</span> } else { <span class="muted">{ t().controller }</span> }
                { state_chip(c.health, None) }
                <span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-haspopup="menu" aria-label={(t().actions_for)(&c.name)} onclick={touch.dots}><Icon name="dots" /></button></div>
            <ul class="sees" aria-label={t().sees_brokers}>
                { for c.brokers.iter().map(|(name, state)| html! { <li key={name.clone()} class={classes!((state == "fenced").then_some("lead"))}>{ name }{ " " }<span>{ state }</span></li> }) }
            </ul>
        </section>
    }
}
