//! The answer to "why?": from the effect back to its first cause, each link with its rule and the settings that decided.

use yew::prelude::*;

use super::cure::CureCard;
use crate::lab::view::WhyLink;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct WhyProps {
    pub answer: Answer,
    pub cure: Option<CureState>,
}

/// The chain.
#[component]
pub fn Why(props: &WhyProps) -> Html {
    let bus = use_bus();
    let chain = &props.answer.chain;
    let title = chain
        .first()
        .map_or_else(|| t().why.to_owned(), |first| (t().why_this)(&first.sentence));
    html! {
        <section class="why" aria-label={t().why}>
            <h3><span class="grow">{ title }</span><button type="button" class="btn ghost icon" aria-label={t().close} onclick={bus.on(Msg::WhyClose)}><Icon name="x" class="s" /></button></h3>
            <p>{ if chain.is_empty() { t().why_unknown } else { t().why_read } }</p>
            <ol class="chain">{ for chain.iter().enumerate().map(|(i, link)| view_link(i, link, &bus)) }</ol>
            if let Some(cure) = &props.cure { <CureCard state={cure.clone()} /> }
            <button type="button" class="btn" onclick={bus.on(Msg::Look(Look::Lanes))}><Icon name="lanes" />{ t().see_in_lanes }</button>
        </section>
    }
}

fn view_link(i: usize, link: &WhyLink, bus: &Bus) -> Html {
    let (class, icon) = look(i, link);
    html! {
        <li key={i}>
            <span class={classes!("node", class)}><Icon name={icon} /></span>
            <div class="t"><b>{ &link.sentence }</b>
                <button type="button" class="link-time" title={t().go_there} onclick={bus.on(Msg::SeekEvent(link.event))}><time>{ format::moment(link.at_us) }</time></button></div>
            <div class="tags">
                <span class="muted">{ &link.who }</span>
                if let Some(rule) = link.rule { <button type="button" class="chip rule" title={t().known_rule} onclick={bus.on(Msg::Known(Some(rule.into())))}>{ rule }</button> }
                if let Some(source) = link.source { <span class="muted small">{ source }</span> }
                { for link.config.iter().map(|(key, value)| html! { <span class="chip conf">{ format!("{key}={value}") }</span> }) }
            </div>
        </li>
    }
}

fn look(i: usize, link: &WhyLink) -> (&'static str, &'static str) {
    let rule = link.rule.unwrap_or("");
    if link.who == "you" {
        ("cmd", "bolt")
    } else if rule.starts_with("ledger") || rule.starts_with("invariant") {
        ("bad", "x")
    } else if rule.contains("elect") || rule.contains("controller") || rule.contains("kraft") {
        ("lead", "diamond")
    } else if i == 0 {
        ("", "target")
    } else {
        ("", "copyr")
    }
}
