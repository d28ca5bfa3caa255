//! The side panel: log, inspector, console, scenario, ledger.

mod console;
mod cure;
mod inspector;
mod lag;
mod ledger;
mod log;
mod metrics;
mod scenario;
mod why;

use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use super::state::*;
use super::texts::t;

#[derive(Properties, PartialEq)]
pub struct PanelProps {
    pub scene: Scene,
    pub tab: Tab,
    /// On the phone: the sheet is up.
    pub open: bool,
    pub filters: Filters,
    pub why: Option<Answer>,
    pub cure: Option<CureState>,
    pub selection: Option<Selection>,
}

/// The panel.
#[component]
pub fn Panel(props: &PanelProps) -> Html {
    let bus = use_bus();
    let tabs = use_node_ref();
    let onkeydown = {
        let (send, tab, tabs) = (bus.send.clone(), props.tab, tabs.clone());
        Callback::from(move |e: KeyboardEvent| {
            let here = Tab::ALL.iter().position(|x| *x == tab).unwrap_or(0);
            let next = match e.key().as_str() {
                "ArrowRight" => (here + 1) % Tab::ALL.len(),
                "ArrowLeft" => (here + Tab::ALL.len() - 1) % Tab::ALL.len(),
                "Home" => 0,
                "End" => Tab::ALL.len() - 1,
                _ => return,
            };
            e.prevent_default();
            send.emit(Msg::Show(Tab::ALL[next]));
            let id = format!("#tab-{}", Tab::ALL[next].id());
            let button = tabs
                .cast::<HtmlElement>()
                .and_then(|n| n.query_selector(&id).ok().flatten());
            if let Some(button) = button.and_then(|b| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(b).ok()) {
                let _ = button.focus();
            }
        })
    };
    let lost = props.scene.view.ledger.lost;
    let wrong = props.scene.problems.len() as u64;
    let grip = if props.open { t().sheet_close } else { t().sheet_open };
    html! {
        <aside class={classes!("panel", props.open.then_some("open"))} aria-label={t().details}>
            <button type="button" class="sheet-grip" aria-label={grip} aria-expanded={props.open.to_string()} onclick={bus.on(Msg::Sheet)}></button>
            <div class="tabs" role="tablist" aria-label={t().details} ref={tabs} {onkeydown}>
                { for Tab::ALL.into_iter().map(|tab| {
                    let count = match tab { Tab::Ledger => lost, Tab::Scenario => wrong, _ => 0 };
                    html! {
                        <button type="button" role="tab" id={format!("tab-{}", tab.id())} aria-controls="pane" aria-selected={(props.tab == tab).to_string()} tabindex={if props.tab == tab { "0" } else { "-1" }} onclick={bus.on(Msg::Show(tab))}>
                            <span>{ name(tab) }</span>if count > 0 { <span class="count">{ count }</span> }
                        </button>
                    }
                }) }
            </div>
            <div class="tabpanel" id="pane" role="tabpanel" aria-labelledby={format!("tab-{}", props.tab.id())}>
                { pane(props) }
            </div>
        </aside>
    }
}

fn name(tab: Tab) -> &'static str {
    match tab {
        Tab::Log => t().log,
        Tab::Inspector => t().inspector,
        Tab::Console => t().console,
        Tab::Scenario => t().scenario,
        Tab::Ledger => t().ledger,
    }
}

fn pane(props: &PanelProps) -> Html {
    match props.tab {
        Tab::Log => {
            html! { <log::Log scene={props.scene.clone()} filters={props.filters.clone()} why={props.why.clone()} cure={props.cure.clone()} /> }
        }
        Tab::Inspector => {
            html! { <inspector::Inspector scene={props.scene.clone()} selection={props.selection.clone()} /> }
        }
        Tab::Console => html! { <console::Console scene={props.scene.clone()} /> },
        Tab::Scenario => html! { <scenario::Editor scene={props.scene.clone()} /> },
        Tab::Ledger => html! { <ledger::LedgerTab scene={props.scene.clone()} filters={props.filters.clone()} /> },
    }
}
