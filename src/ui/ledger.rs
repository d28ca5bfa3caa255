//! The ledger's strip: what became of all records, always in the same order. Each figure narrows the ledger tab to the
//! records that it counts.

use yew::prelude::*;

use super::format;
use super::icon::Icon;
use super::state::*;
use super::texts::t;
use crate::lab::view::LedgerView;

#[derive(Properties, PartialEq)]
pub struct LedgerProps {
    pub ledger: LedgerView,
    pub broken: usize,
    pub invariants: usize,
    /// The fate that the tab is narrowed to.
    pub fate: Option<&'static str>,
}

/// Figures that are left out while they are 0.
const RARE: [&str; 3] = ["delivered-twice", "failed", "aborted"];

/// The figures in order: fate as the ledger tab knows it, icon, sum, word, whether more than none is a loss.
fn figures(l: &LedgerView) -> [(&'static str, &'static str, u64, &'static str, bool); 11] {
    let t = t();
    [
        ("appended", "", l.appended, t.appended, false),
        ("committed", "", l.committed, t.committed, false),
        ("acknowledged", "check", l.acknowledged, t.acknowledged, false),
        ("delivered", "tri", l.delivered, t.delivered, false),
        ("waiting", "wait", l.waiting, t.waiting, false),
        ("lost", "x", l.lost, t.lost, true),
        ("duplicated", "dup", l.duplicated, t.duplicated, false),
        ("delivered-twice", "dup", l.delivered_twice, t.delivered_twice, false),
        ("reordered", "swap", l.reordered, t.reordered, false),
        ("failed", "loss", l.failed, t.failed, false),
        ("aborted", "x", l.aborted, t.aborted, false),
    ]
}

/// The strip.
#[component]
pub fn LedgerStrip(props: &LedgerProps) -> Html {
    let bus = use_bus();
    let figure = |(fate, icon, sum, word, bad): (&'static str, &'static str, u64, &'static str, bool)| {
        let class = classes!(
            (fate == "lost").then_some("sep"),
            (sum == 0).then_some("zero"),
            (bad && sum > 0).then_some("bad"),
            (!bad && sum > 0 && matches!(fate, "duplicated" | "delivered-twice" | "reordered" | "failed"))
                .then_some("warn"),
        );
        let narrow = Msg::Filter(Filters {
            fate: Some(fate),
            ..Filters::default()
        });
        let send = bus.send.clone();
        let onclick = Callback::from(move |_: MouseEvent| {
            send.emit(narrow.clone());
            send.emit(Msg::Show(Tab::Ledger));
        });
        html! {
            <li {class}><button type="button" title={t().show_records} aria-pressed={(props.fate == Some(fate)).to_string()} {onclick}>
                if !icon.is_empty() { <Icon name={icon} /> }
                <b>{ format::count(sum) }</b>{ " " }{ word }
            </button></li>
        }
    };
    let (state, icon, words) = if props.broken > 0 {
        (
            "broken",
            "crash",
            (t().invariants_broken)(props.broken, props.invariants),
        )
    } else {
        ("", "shield", (t().invariants_hold)(props.invariants))
    };
    html! {
        <section class="ledger" aria-label={t().ledger_label}>
            <h2>{ t().ledger }</h2>
            <ol>{ for figures(&props.ledger).into_iter().filter(|f| f.2 > 0 || !RARE.contains(&f.0)).map(figure) }</ol>
            <button type="button" class={classes!("inv", state)} onclick={bus.on(Msg::Show(Tab::Ledger))} aria-label={words.clone()} title={words.clone()}><Icon name={icon} class="s" />{ words }</button>
        </section>
    }
}
