//! Every partition in a row: who leads, who copies, how far, and what is wrong with it. For clusters that the stage has
//! no room for.

use yew::prelude::*;

use super::acts::consumers;
use super::format;
use super::icon::Icon;
use super::stage::Caption;
use super::state::*;
use super::texts::t;
use crate::lab::view::{BrokerView, PartitionView, ReplicaView, TopicView, View};
use crate::ordered::SortSmall;

#[derive(Properties, PartialEq)]
pub struct TableProps {
    pub scene: Scene,
    pub caption: String,
    pub selection: Option<Selection>,
}

/// What is wrong with a partition, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Offline,
    UnderMinIsr,
    UnderReplicated,
    NotPreferred,
    Well,
}

impl Trouble {
    const FILTERS: [Trouble; 4] = [
        Trouble::Offline,
        Trouble::UnderMinIsr,
        Trouble::UnderReplicated,
        Trouble::NotPreferred,
    ];

    fn of(topic: &TopicView, p: &PartitionView) -> Trouble {
        let setting = topic.config.iter().find(|(key, _)| key == "min.insync.replicas");
        let least: usize = setting.and_then(|(_, value)| value.parse().ok()).unwrap_or(1);
        if p.leader.is_none() {
            Trouble::Offline
        } else if p.isr.len() < least {
            Trouble::UnderMinIsr
        } else if p.isr.len() < p.replicas.len() {
            Trouble::UnderReplicated
        } else if p.leader.as_ref() != p.replicas.first() {
            Trouble::NotPreferred
        } else {
            Trouble::Well
        }
    }

    /// Class, icon and word.
    fn look(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Trouble::Offline => ("bad", "x", t().offline),
            Trouble::UnderMinIsr => ("bad", "shield", t().under_min_isr),
            Trouble::UnderReplicated => ("open", "snail", t().under_replicated),
            Trouble::NotPreferred => ("", "star", t().not_preferred),
            Trouble::Well => ("", "check", t().in_order),
        }
    }
}

struct Row<'a> {
    topic: &'a TopicView,
    partition: &'a PartitionView,
    trouble: Trouble,
}

/// The table.
#[component]
pub fn Table(props: &TableProps) -> Html {
    let bus = use_bus();
    let narrowed = use_state_eq(|| None::<Trouble>);
    let own = use_state_eq(|| false);
    let view = &props.scene.view;
    let mut rows: Vec<Row> = view
        .topics
        .iter()
        .filter(|topic| *own || !topic.internal)
        .flat_map(|topic| {
            topic.partitions.iter().map(move |partition| Row {
                topic,
                partition,
                trouble: Trouble::of(topic, partition),
            })
        })
        .collect();
    rows.sort_small_by_key(|row| row.trouble);
    let count = |trouble: Trouble| rows.iter().filter(|row| row.trouble == trouble).count();
    let shown = rows
        .iter()
        .filter(|row| narrowed.is_none_or(|wanted| row.trouble == wanted));
    let most = consumers(view)
        .flat_map(|c| &c.assignment)
        .map(|a| a.lag)
        .max()
        .unwrap_or(0)
        .max(1);
    let chip = |wanted: Option<Trouble>, name: &str, n: usize| {
        let setter = narrowed.setter();
        let onclick = Callback::from(move |_: MouseEvent| setter.set(wanted));
        html! { <button type="button" aria-pressed={(*narrowed == wanted).to_string()} {onclick}>{ format!("{name} {n}") }</button> }
    };
    let internal = {
        let (setter, now) = (own.setter(), *own);
        Callback::from(move |_: MouseEvent| setter.set(!now))
    };
    html! {
        <section class="table-view" id="stage" tabindex="-1" aria-label={t().table}>
            <Caption text={props.caption.clone()} bad={view.ledger.lost > 0} />
            <div class="tv-bar" role="group" aria-label={t().show}>
                <div class="filters">{ chip(None, t().all, rows.len()) }
                    { for Trouble::FILTERS.into_iter().map(|trouble| chip(Some(trouble), trouble.look().2, count(trouble))) }
                    <button type="button" aria-pressed={own.to_string()} onclick={internal}>{ t().own_topics }</button>
                </div>
            </div>
            <div class="tv-scroll" tabindex="0" role="region" aria-label={t().table_scrolls}>
                <table class="parts">
                    <thead><tr><th scope="col" class="first">{ t().partition }</th><th scope="col">{ t().leader }</th><th scope="col">{ t().epoch }</th><th scope="col">{ "ISR" }</th><th scope="col">{ "HW" }</th><th scope="col">{ "LEO" }</th>
                        { for view.brokers.iter().map(|b| head(b, &rows)) }
                        <th scope="col">{ t().lag_word }</th><th scope="col" class="state">{ t().state }</th></tr></thead>
                    <tbody>{ for shown.map(|row| view_row(row, view, most, &props.selection, &bus)) }</tbody>
                </table>
            </div>
        </section>
    }
}

/// A broker's column: how many of the rows it leads.
fn head(broker: &BrokerView, rows: &[Row]) -> Html {
    let leads = rows
        .iter()
        .filter(|row| row.partition.leader.as_ref() == Some(&broker.name))
        .count();
    html! { <th key={broker.name.clone()} scope="col" class="b" title={(t().leads_so_many)(&broker.name, leads)}><small>{ leads }</small>{ &broker.name }</th> }
}

fn view_row(row: &Row, view: &View, most: i64, selection: &Option<Selection>, bus: &Bus) -> Html {
    let (topic, p) = (&row.topic.name, row.partition);
    let replica_on = |name: &str| -> Option<&ReplicaView> {
        let broker = view.brokers.iter().find(|b| b.name == name)?;
        broker
            .replicas
            .iter()
            .find(|r| r.topic == *topic && r.partition == p.partition)
    };
    let leading = p.leader.as_deref().and_then(replica_on);
    let figure = |of: fn(&ReplicaView) -> i64| leading.map_or_else(|| "–".to_owned(), |r| format::figure(of(r)));
    let target = p.leader.as_ref().or(p.replicas.first()).cloned().unwrap_or_default();
    let here = Selection::Replica {
        broker: target,
        topic: topic.clone(),
        partition: p.partition,
    };
    let chosen = matches!(selection, Some(Selection::Replica { topic: t, partition, .. } | Selection::Record { topic: t, partition, .. }) if t == topic && *partition == p.partition);
    let lag: Option<i64> = {
        let all = consumers(view)
            .flat_map(|c| &c.assignment)
            .filter(|a| a.topic == *topic && a.partition == p.partition);
        all.map(|a| a.lag).max()
    };
    let (class, icon, word) = row.trouble.look();
    html! {
        <tr key={format!("{topic}/{}", p.partition)} class={chosen.then_some("chosen")} aria-selected={chosen.then_some("true")}>
            <th scope="row"><button type="button" class="as-text" onclick={bus.on(Msg::Inspect(here))}>{ format!("{topic}-{}", p.partition) }</button></th>
            <td>{ match &p.leader { Some(leader) => html! { { leader } }, None => html! { <span class="no">{ t().none }</span> } } }</td>
            <td>{ p.epoch }</td><td>{ format!("{}/{}", p.isr.len(), p.replicas.len()) }</td>
            <td>{ figure(|r| r.high_watermark) }</td><td>{ figure(|r| r.end) }</td>
            { for view.brokers.iter().map(|b| html! { <td class="b" key={b.name.clone()}>{ copy(p, &b.name, replica_on(&b.name)) }</td> }) }
            <td>{ match lag { Some(lag) => lag_bar(lag, most), None => html! { <span class="muted">{ t().no_group }</span> } } }</td>
            <td class="state"><span class={classes!("flatst", class)}><Icon name={icon} class="s" />{ word }</span></td>
        </tr>
    }
}

/// The sign of one copy.
fn copy(p: &PartitionView, broker: &str, replica: Option<&ReplicaView>) -> Html {
    let is = |names: &[String]| names.iter().any(|name| name == broker);
    if !is(&p.replicas) {
        return html! {};
    }
    let down = replica.is_none_or(|r| r.role == crate::lab::view::Role::Offline);
    let (class, word) = if down {
        ("off", t().offline)
    } else if p.leader.as_deref() == Some(broker) {
        ("leads", t().leader)
    } else if is(&p.isr) {
        ("safe", t().in_sync)
    } else {
        ("open", t().out_of_isr)
    };
    html! { <><svg class={classes!("rp", class)} viewBox="0 0 14 14" aria-hidden="true"><rect x="2" y="2" width="10" height="10" rx="2" />
    if class == "leads" { <path d="M7 3.6l1.1 2.2 2.4.3-1.8 1.7.5 2.4L7 9l-2.200 1.200.5-2.400-1.800-1.700 2.400-.3z" /> }
    if class == "off" { <path d="M5 5l4 4m0-4L5 9" /> }
    if class == "open" { <path d="M3.500 10.500l7-7M3 7l4-4M7 11l4-4" /> }</svg><span class="vh">{ word }</span></> }
}

fn lag_bar(lag: i64, most: i64) -> Html {
    let share = format!("{}", lag.clamp(0, most) * 72 / most);
    html! { <span class="lagcell"><svg class={classes!("lagbar", (lag > 3).then_some("hot"))} width="72" height="8" aria-hidden="true"><rect class="well" width="72" height="8" rx="2" /><rect class="fill" width={share} height="8" rx="2" /></svg><span class="ln">{ format::figure(lag) }</span></span> }
}
