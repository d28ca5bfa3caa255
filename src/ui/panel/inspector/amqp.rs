//! RabbitMQ's processes in the inspector.

use yew::prelude::*;

use super::{fault_chips, pair, table};
use crate::lab::view::*;
use crate::ui::format;
use crate::ui::texts::t;

fn heading(name: &str, what: &str) -> Html {
    html! { <h3>{ name }{ " " }<span class="muted">{ what }</span></h3> }
}

/// A broker: its exchanges with their bindings, and its queues.
pub fn rabbit(r: &RabbitView, view: &View) -> Html {
    let rows = vec![
        pair(
            t().state_since,
            format!("{} s", format::moment(r.since_us.min(view.now_us))),
        ),
        pair(t().host, &r.host),
        pair(t().connections, r.connections),
    ];
    html! {
        <>
            { heading(&r.name, "RabbitMQ") }
            { table(rows) }
            { for r.exchanges.iter().map(exchange) }
            { for r.queues.iter().map(queue) }
            { fault_chips(&r.faults) }
        </>
    }
}

fn exchange(x: &ExchangeView) -> Html {
    let rows = x.bindings.iter().map(|b| {
        let kind = if b.to_exchange { "exchange " } else { "" };
        (format!("\"{}\"", b.pattern), format!("→ {kind}{}", b.to))
    });
    let alternate = x
        .alternate
        .iter()
        .map(|to| ("alternate-exchange".to_owned(), format!("→ {to}")));
    html! {
        <>
            <h4>{ &x.name }{ " " }<span class="muted">{ x.kind }{ if x.durable { ", durable" } else { "" } }</span></h4>
            { table(rows.chain(alternate).collect()) }
        </>
    }
}

fn queue(q: &QueueView) -> Html {
    let consumers = q
        .consumers
        .iter()
        .map(|(tag, standing)| (tag.clone(), (*standing).to_owned()));
    let figures = (t().ready)(&format::count(q.ready as u64), &format::count(q.unacked as u64));
    html! {
        <>
            <h4>{ &q.name }{ " " }<span class="muted">{ q.kind }{ if q.durable { ", durable" } else { "" } }</span></h4>
            <p>{ figures }</p>
            { table(q.arguments.iter().cloned().chain(consumers).collect()) }
            if !q.first.is_empty() { <ol>{ for q.first.iter().map(|body| html! { <li>{ body }</li> }) }</ol> }
        </>
    }
}

/// A client that publishes.
pub fn publisher(p: &PublisherView) -> Html {
    let flags = [
        (p.confirm, "confirm"),
        (p.mandatory, "mandatory"),
        (p.persistent, "persistent"),
    ];
    let said: Vec<&str> = flags.into_iter().filter(|(is, _)| *is).map(|(_, flag)| flag).collect();
    let rows = vec![
        pair(t().host, &p.host),
        pair(t().published, format::count(p.sent)),
        pair(t().confirmed, format::count(p.confirmed)),
        pair(t().unconfirmed, p.unconfirmed),
        pair(t().buffered, p.waiting),
        pair(t().lost, format::count(p.lost)),
    ];
    html! {
        <>
            { heading(&p.name, &said.join(", ")) }
            { table(rows) }
            if let Some(error) = &p.last_error { <p class="no">{ error }</p> }
            { fault_chips(&p.faults) }
        </>
    }
}

/// A client that consumes.
pub fn subscriber(s: &SubscriberView) -> Html {
    let rows = vec![
        pair(t().host, &s.host),
        pair("queue", &s.queue),
        pair("prefetch", s.prefetch),
        pair("ack", s.ack),
        pair(t().in_hand, s.inbox.len()),
    ];
    html! {
        <>
            { heading(&s.name, "") }
            { table(rows) }
            if !s.inbox.is_empty() { <ol>{ for s.inbox.iter().map(|body| html! { <li>{ body }</li> }) }</ol> }
            if let Some(error) = &s.last_error { <p class="no">{ error }</p> }
            { fault_chips(&s.faults) }
        </>
    }
}
