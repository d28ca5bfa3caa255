//! One side: what the system holds, what it did with the work, and how long that took.

use yew::prelude::*;

use crate::lab::show::compare::{CLASSES, Counts};
use crate::lab::show::queues::QueueView;
use crate::lab::view::{Role, View};
use crate::ui::acts::consumers;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::texts::t;

/// Rows of one side at most; the rest is counted.
const ROWS: usize = 6;

/// A partition or a queue: its name, where it stands, how full it is of what kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub about: String,
    /// Done with, in hands, and waiting.
    pub parts: [i64; 3],
    pub words: String,
}

/// Kafka's partitions: what the slowest group has committed, what it was given besides, and what it was not.
pub fn of_kafka(view: &View) -> Vec<Row> {
    let mut rows = Vec::new();
    for topic in view.topics.iter().filter(|topic| !topic.internal) {
        for p in &topic.partitions {
            let leader = view.brokers.iter().find(|b| Some(&b.name) == p.leader.as_ref());
            let replica = leader.and_then(|b| {
                b.replicas
                    .iter()
                    .find(|r| r.topic == topic.name && r.partition == p.partition && r.role == Role::Leader)
            });
            let end = replica.map_or(0, |r| r.end);
            let read = consumers(view)
                .flat_map(|c| &c.assignment)
                .filter(|a| a.topic == topic.name && a.partition == p.partition);
            let slowest = read.min_by_key(|a| a.committed.unwrap_or(0));
            let committed = slowest.and_then(|a| a.committed).unwrap_or(0);
            let position = slowest.and_then(|a| a.position).unwrap_or(committed).max(committed);
            rows.push(Row {
                name: format!("{}-{}", topic.name, p.partition),
                about: p.leader.clone().unwrap_or_else(|| t().offline.to_owned()),
                parts: [committed, position - committed, end - position],
                words: (t().partition_is)(end, committed, end - committed),
            });
        }
    }
    rows
}

/// RabbitMQ's queues: what is in consumers' hands, and what is ready.
pub fn of_rabbit(queues: &[QueueView]) -> Vec<Row> {
    let row = |queue: &QueueView| Row {
        name: queue.name.to_string(),
        about: (t().so_many_consumers)(queue.consumers),
        parts: [0, queue.unacked as i64, queue.ready as i64],
        words: (t().queue_is)(queue.ready, queue.unacked),
    };
    queues.iter().map(row).collect()
}

#[derive(Properties, PartialEq)]
pub struct SideProps {
    pub name: &'static str,
    pub about: &'static str,
    pub counts: Counts,
    pub rows: Vec<Row>,
}

/// The side.
#[component]
pub fn SideView(props: &SideProps) -> Html {
    let most = props
        .rows
        .iter()
        .map(|row| row.parts.iter().sum::<i64>())
        .max()
        .unwrap_or(0)
        .max(1);
    let more = props.rows.len().saturating_sub(ROWS);
    html! {
        <section class="side" aria-label={props.name}>
            <header><h2>{ props.name }</h2><span class="muted clip">{ props.about }</span></header>
            <ul class="stores">
                { for props.rows.iter().take(ROWS).map(|row| view_row(row, most)) }
                if more > 0 { <li class="muted">{ (t().and_more)(more) }</li> }
            </ul>
            { delays(&props.counts) }
            { figures(&props.counts) }
        </section>
    }
}

fn view_row(row: &Row, most: i64) -> Html {
    let wide = |n: i64| n.max(0) as f64 * 100.0 / most as f64;
    let [done, held, ready] = row.parts.map(wide);
    let percent = |n: f64| format!("{n:.2}%");
    html! {
        <li key={row.name.clone()}>
            <b class="clip">{ &row.name }</b><span class="muted">{ &row.about }</span>
            <svg class="store" aria-hidden="true"><rect class="well" width="100%" height="14" rx="2" /><rect class="done" width={percent(done)} height="14" />
                <rect class="held" x={percent(done)} width={percent(held)} height="14" /><rect class="ready" x={percent(done + held)} width={percent(ready)} height="14" /></svg>
            <span class="words">{ &row.words }</span>
        </li>
    }
}

/// How long it took from being handed over to being given to a reader, as bars.
fn delays(counts: &Counts) -> Html {
    let most = counts.delays.iter().copied().max().unwrap_or(0).max(1);
    let label = match (counts.median_us, counts.slowest_us) {
        (Some(median), Some(slowest)) => (t().delays_are)(&format::span(median), &format::span(slowest)),
        _ => t().no_delays.to_owned(),
    };
    let name = |i: usize| {
        CLASSES.get(i).map_or_else(
            || (t().longer_than)(&format::span(CLASSES[CLASSES.len() - 1])),
            |end| (t().up_to)(&format::span(*end)),
        )
    };
    html! {
        <figure class="delays"><svg viewBox="0 0 200 34" role="img" aria-label={label.clone()}>
            { for counts.delays.iter().enumerate().map(|(i, n)| {
                let height = if *n == 0 { 1 } else { (n * 30 / most).max(2) };
                html! { <rect key={i} class={(*n == 0).then_some("zero")} x={(i * 20).to_string()} width="17" y={(33 - height).to_string()} height={height.to_string()}><title>{ format!("{}: {n}", name(i)) }</title></rect> }
            }) }</svg><figcaption>{ label }</figcaption></figure>
    }
}

fn figures(c: &Counts) -> Html {
    let figure = |n: u64, word: &'static str, class: &'static str, icon: &'static str| {
        html! { <li class={classes!((n > 0).then_some(class), (n == 0).then_some("zero"))}><Icon name={icon} class="s" /><b>{ format::count(n) }</b>{ " " }{ word }</li> }
    };
    html! {
        <ul class="figs">
            { figure(c.once, t().given_once, "", "check") }{ figure(c.again, t().given_again, "warn", "dup") }{ figure(c.never, t().given_never, "bad", "x") }
            { figure(c.waiting, t().waiting, "", "wait") }{ figure(c.reordered, t().reordered, "warn", "swap") }
            { figure(c.stored_after, t().still_stored, "", "disk") }{ figure(c.gone_after, t().gone_after, "", "power") }
        </ul>
    }
}
