//! What corresponds to what, and where that stops being true.

use yew::prelude::*;

use crate::lab::library;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::{Concept, t};

/// The table.
#[component]
pub fn Concepts() -> Html {
    let bus = use_bus();
    html! {
        <div class="fates concepts" tabindex="0" role="region" aria-label={t().concepts}>
            <table class="fate">
                <thead><tr><th scope="col">{ t().concept }</th><th scope="col">{ "Kafka" }</th><th scope="col">{ "RabbitMQ" }</th><th scope="col">{ t().concepts }</th><th scope="col">{ t().see_it }</th></tr></thead>
                <tbody>{ for t().concept_rows.iter().map(|row| view_row(row, &bus)) }</tbody>
            </table>
        </div>
    }
}

fn view_row(row: &Concept, bus: &Bus) -> Html {
    let shown = library::find(row.scenario).map(|shipped| bus.on(Msg::Open(shipped.text.into())));
    html! {
        <tr key={row.name}><td>{ row.name }</td><td>{ row.kafka }</td><td>{ row.rabbit }</td><td class="breaks">{ row.breaks }</td>
            <td>if let Some(onclick) = shown { <button type="button" class="btn" {onclick}><Icon name="play" class="s" />{ row.scenario }</button> }</td></tr>
    }
}
