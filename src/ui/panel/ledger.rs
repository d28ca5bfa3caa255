//! The ledger: what became of every record that a client handed over, and which invariants hold.

use yew::prelude::*;

use crate::lab::view::FateView;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Rows shown at once; the newest are kept.
const ROWS: usize = 300;

/// Fates that the table can be narrowed to.
const FATES: [&str; 14] = [
    "appended",
    "committed",
    "acknowledged",
    "delivered",
    "waiting",
    "lost",
    "duplicated",
    "delivered-twice",
    "reordered",
    "failed",
    "aborted",
    "accepted",
    "rejected",
    "archived",
];

#[derive(Properties, PartialEq)]
pub struct LedgerTabProps {
    pub scene: Scene,
    pub filters: Filters,
}

/// The tab.
#[component]
pub fn LedgerTab(props: &LedgerTabProps) -> Html {
    let bus = use_bus();
    let fates = {
        let run = bus.run.clone();
        use_memo(props.scene.version, move |_| run.borrow().run.fates())
    };
    let fits = |f: &&FateView| props.filters.fate.is_none_or(|fate| has(f, fate));
    let found: Vec<&FateView> = fates.iter().filter(fits).collect();
    let skipped = found.len().saturating_sub(ROWS);
    let narrow = |fate: Option<&'static str>| {
        Msg::Filter(Filters {
            fate,
            ..props.filters.clone()
        })
    };
    html! {
        <>
            <div class="toolrow"><div class="filters" role="group" aria-label={t().show}>
                <button type="button" aria-pressed={props.filters.fate.is_none().to_string()} onclick={bus.on(narrow(None))}>{ t().all }</button>
                { for FATES.into_iter().map(|fate| html! {
                    <button type="button" key={fate} aria-pressed={(props.filters.fate == Some(fate)).to_string()} onclick={bus.on(narrow(Some(fate)))}>{ (t().fate)(fate) }</button>
                }) }
            </div></div>
            <div class="scroll" tabindex="0" role="region" aria-label={t().ledger}>
                { invariants(props, &bus) }
                if found.is_empty() {
                    <div class="empty pad"><Icon name="shield" /><b>{ props.filters.fate.map_or(t().no_records.to_owned(), |f| (t().no_fate)((t().fate)(f))) }</b>
                        <span>{ (t().records_in_all)(fates.len()) }</span></div>
                } else {
                    <table class="fate"><thead><tr><th>{ t().record }</th><th>{ t().place }</th><th>{ t().fate_so_far }</th></tr></thead>
                    <tbody>{ for found.iter().skip(skipped).rev().map(|f| row(f, &props.scene, &bus)) }</tbody></table>
                    if skipped > 0 { <p class="muted pad">{ (t().older_hidden)(skipped) }</p> }
                }
            </div>
        </>
    }
}

/// Whether a record has this fate. `appended` covers whatever followed from it.
fn has(f: &FateView, fate: &str) -> bool {
    f.fates.contains(&fate) || (fate == "failed" && f.error.is_some())
}

fn invariants(props: &LedgerTabProps, bus: &Bus) -> Html {
    let broken = props
        .scene
        .view
        .invariants
        .iter()
        .filter(|i| i.broken.is_some())
        .count();
    html! {
        <details class="invariants" open={broken > 0}>
            <summary>{ (t().invariants)(props.scene.view.invariants.len() - broken, props.scene.view.invariants.len()) }</summary>
            <ul>{ for props.scene.view.invariants.iter().map(|i| match &i.broken {
                Some((event, how)) => html! { <li class="no" key={i.name}><Icon name="crash" class="s" /><div><b>{ i.name }</b><p>{ how }</p>
                    <button type="button" class="btn" onclick={bus.on(Msg::SeekEvent(*event))}>{ t().go_there }</button>{ " " }
                    <button type="button" class="btn" onclick={bus.on(Msg::Why(*event, 0))}>{ t().why }</button></div></li> },
                None => html! { <li key={i.name}><Icon name="shield" class="s" /><div><b>{ i.name }</b><p class="muted">{ i.about }</p></div></li> },
            }) }</ul>
        </details>
    }
}

fn row(f: &FateView, scene: &Scene, bus: &Bus) -> Html {
    let name = match (&f.key, &f.value) {
        (Some(key), Some(value)) => format!("{key} “{value}”"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("#{}", f.record),
    };
    let worst = f.fates.contains(&"lost");
    let differs = worst
        || f.error.is_some()
        || f.fates
            .iter()
            .any(|x| matches!(*x, "duplicated" | "delivered-twice" | "reordered"));
    let place = match (f.partition, f.offset) {
        (Some(p), Some(o)) => format!("P{p} @{o}"),
        (Some(p), None) => format!("P{p}"),
        _ => "–".to_owned(),
    };
    let onclick = pick(f, scene).map(|selection| bus.on(Msg::Inspect(selection)));
    let readers = f
        .delivered_to
        .iter()
        .map(|(who, n)| if *n > 1 { format!("{who} ×{n}") } else { who.clone() })
        .collect::<Vec<_>>()
        .join(", ");
    html! {
        <tr key={f.record} class={classes!(differs.then_some("differs"), worst.then_some("worst"))}>
            <td><button type="button" class="as-text clip" {onclick} title={format!("{}: {} s, {}", f.producer, format::moment(f.sent_us), f.topic)}>{ name }</button></td>
            <td class="path">{ place }</td>
            <td class="fates">{ f.fates.iter().map(|x| (t().fate)(x)).collect::<Vec<_>>().join(", ") }
                if !readers.is_empty() { <small>{ (t().read_by)(&readers) }</small> }
                if let Some(error) = &f.error { <small class="no">{ error }</small> }</td>
        </tr>
    }
}

/// The record on its leader, or on any broker that has it.
fn pick(f: &FateView, scene: &Scene) -> Option<Selection> {
    let (partition, offset) = (f.partition?, f.offset?);
    let holds = |b: &&crate::lab::view::BrokerView| {
        b.replicas
            .iter()
            .any(|r| r.topic == f.topic && r.partition == partition && r.cells.iter().any(|c| c.offset == offset))
    };
    let leader = scene
        .view
        .topics
        .iter()
        .find(|x| x.name == f.topic)
        .and_then(|x| x.partitions.iter().find(|p| p.partition == partition))
        .and_then(|p| p.leader.clone());
    let broker = scene
        .view
        .brokers
        .iter()
        .filter(holds)
        .find(|b| leader.as_ref() == Some(&b.name));
    let broker = broker.or_else(|| scene.view.brokers.iter().find(holds))?;
    Some(Selection::Record {
        broker: broker.name.clone(),
        topic: f.topic.clone(),
        partition,
        offset,
    })
}
