//! The smallest cure: the one line of the scenario that, had it been otherwise, would have kept things right; played
//! again, not argued.

use yew::prelude::*;

use crate::explore::cure::{Ailment, Change, Cure, Progress};
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct CureProps {
    pub state: CureState,
}

/// The card at the end of the answer to "why?".
#[component]
pub fn CureCard(props: &CureProps) -> Html {
    match &props.state.progress {
        Progress::Searching { tried, of } => html! {
            <div class="cure seeking" role="status"><h4><Icon name="shield" class="s" />{ t().cure_sought }</h4><p>{ (t().cure_tried)(*tried, *of) }</p></div>
        },
        Progress::Nothing { tried } => html! {
            <div class="cure none" role="status"><h4><Icon name="x" class="s" />{ t().cure_none }</h4><p>{ (t().cure_none_of)(*tried) }</p></div>
        },
        Progress::Found(cure) => html! { <Found cure={cure.clone()} of={props.state.of.clone()} /> },
    }
}

#[derive(Properties, PartialEq)]
struct FoundProps {
    cure: Cure,
    of: Ailment,
}

#[component]
fn Found(props: &FoundProps) -> Html {
    let bus = use_bus();
    let cure = &props.cure;
    let sums = &cure.sums;
    let outcome = match &props.of {
        Ailment::Check { expected, .. } => (t().cure_holds)(expected),
        _ => (t().cure_outcome)(sums.lost, sums.duplicated, sums.reordered),
    };
    let price = sums.failed + sums.waiting;
    html! {
        <div class="cure" role="status">
            <h4><Icon name="shield" class="s" />{ (t().cure_found)(cure.changes.len()) }</h4>
            { for cure.changes.iter().map(view_change) }
            <p>{ outcome }if price > 0 { { (t().cure_price)(sums.failed, sums.waiting) } }</p>
            <div class="row"><button type="button" class="btn primary" onclick={bus.on(Msg::TakeCure)}><Icon name="branch" />{ t().cure_open }</button></div>
        </div>
    }
}

/// The line with what goes struck through and what comes marked.
fn view_change(change: &Change) -> Html {
    let was: Vec<&str> = change.was.split_whitespace().collect();
    let becomes: Vec<&str> = change.becomes.split_whitespace().collect();
    let gone = was.iter().filter(|word| !becomes.contains(word));
    let words = becomes.iter().map(|word| match was.contains(word) {
        true => html! { <>{ *word }{ " " }</> },
        false => html! { <>{ for gone.clone().map(|old| html! { <><del>{ *old }</del>{ " " }</> }) }<ins>{ *word }</ins>{ " " }</> },
    });
    html! { <code class="change" key={change.line}><span class="no">{ change.line }</span>{ for words }</code> }
}
