//! Every item of work in a row: its way and its fate in both systems. Where they differ, the row says so.

use yew::prelude::*;

use crate::lab::show::compare::{Compared, Fate, Item, Side};
use crate::ui::dom::Same;
use crate::ui::icon::Icon;
use crate::ui::texts::t;

/// Rows shown at most; the newest are kept, and all that differ come first where that is asked for.
const ROWS: usize = 300;

#[derive(Properties, PartialEq)]
pub struct FatesProps {
    pub compared: Same<Compared>,
}

/// The table.
#[component]
pub fn Fates(props: &FatesProps) -> Html {
    let first = use_state_eq(|| true);
    let both = props.compared.items.iter();
    let mut items: Vec<&Item> = both
        .filter(|item| item.kafka.is_some() && item.rabbit.is_some())
        .collect();
    if *first {
        let (differ, same): (Vec<&Item>, Vec<&Item>) = items.into_iter().partition(|item| item.differs());
        items = differ.into_iter().chain(same.into_iter().rev()).collect();
    }
    let hidden = items.len().saturating_sub(ROWS);
    let chip = |wanted: bool, name: &'static str| {
        let setter = first.setter();
        let onclick = Callback::from(move |_: MouseEvent| setter.set(wanted));
        html! { <button type="button" aria-pressed={(*first == wanted).to_string()} {onclick}>{ name }</button> }
    };
    html! {
        <div class="fates" tabindex="0" role="region" aria-label={t().fate_of_each}>
            <div class="filters">{ chip(true, t().differences_first) }{ chip(false, t().in_order_sent) }</div>
            <table class="fate both">
                <thead><tr><th scope="col">{ t().message }</th><th scope="col">{ t().key }</th><th scope="col">{ "Kafka" }</th><th scope="col">{ t().fate_word }</th><th scope="col">{ "RabbitMQ" }</th><th scope="col">{ t().fate_word }</th></tr></thead>
                <tbody>{ for items.iter().take(ROWS).map(|item| view_item(item)) }</tbody>
            </table>
            if items.is_empty() { <p class="muted pad">{ t().no_items }</p> }
            if hidden > 0 { <p class="muted pad">{ (t().and_more)(hidden) }</p> }
        </div>
    }
}

fn view_item(item: &Item) -> Html {
    let class = if item.is_worst() {
        "differs worst"
    } else if item.differs() {
        "differs"
    } else {
        ""
    };
    let number = item.kafka.as_ref().map_or(0, |side| side.record);
    html! {
        <tr key={number} {class}>
            <td class="clip" title={item.value.to_string()}>{ &*item.value }</td><td>{ item.key.as_deref().unwrap_or("–") }</td>
            { side(item.kafka.as_ref()) }{ side(item.rabbit.as_ref()) }
        </tr>
    }
}

fn side(side: Option<&Side>) -> Html {
    let Some(side) = side else {
        return html! { <><td></td><td></td></> };
    };
    let (class, icon, word) = look(side.fate);
    html! {
        <>
            <td class="path">{ &side.path }</td>
            <td><span class={classes!("chip", class)}><Icon name={icon} />{ word }</span>if side.reordered { <span class="chip open"><Icon name="swap" />{ t().reordered }</span> }</td>
        </>
    }
}

fn look(fate: Fate) -> (&'static str, &'static str, String) {
    match fate {
        Fate::Waiting => ("", "wait", t().waiting.to_owned()),
        Fate::Once => ("safe", "check", t().given_once.to_owned()),
        Fate::Again(times) => ("open", "dup", (t().given_times)(times)),
        Fate::Lost => ("bad", "x", t().lost.to_owned()),
        Fate::Failed => ("bad", "loss", t().failed.to_owned()),
        Fate::Aborted => ("", "x", t().aborted.to_owned()),
        Fate::Unroutable => ("bad", "x", t().unroutable.to_owned()),
        Fate::Expired => ("open", "clock", t().expired.to_owned()),
        Fate::Dropped => ("bad", "x", t().dropped.to_owned()),
    }
}
