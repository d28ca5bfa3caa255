//! The console: a form to produce a record, and everything that was commanded with what came of it.

use web_sys::{HtmlElement, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::stage::CommandLine;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct ConsoleProps {
    pub scene: Scene,
}

/// The tab.
#[component]
pub fn Console(props: &ConsoleProps) -> Html {
    let bus = use_bus();
    let said = bus.run.borrow().said.clone();
    let list = use_node_ref();
    {
        let list = list.clone();
        use_effect_with(said.len(), move |_| {
            if let Some(element) = list.cast::<HtmlElement>() {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
    html! {
        <>
            <ProduceForm scene={props.scene.clone()} />
            <div class="term scroll" tabindex="0" role="log" aria-label={t().console_output} ref={list}>
                if said.is_empty() { <p class="hint">{ t().console_hint }</p> }
                { for said.iter().enumerate().map(|(i, said)| {
                    let (class, answer) = match &said.answer { Ok(text) => ("ok", text), Err(text) => ("no", text) };
                    html! { <div class="said" key={i}><time>{ format::moment(said.at_us) }</time><span class="p">{ "› " }</span><b>{ &said.line }</b>
                        if !answer.is_empty() { <div class={class}>{ answer }</div> }</div> }
                }) }
            </div>
            <div class="prompt-line"><CommandLine scene={props.scene.clone()} prefill={(0, String::new())} main={false} /></div>
        </>
    }
}

/// A word of a command: quoted when it must be.
fn word(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// Producer, topic, key, value: and the line that they make.
#[component]
fn ProduceForm(props: &ConsoleProps) -> Html {
    let bus = use_bus();
    let view = &props.scene.view;
    let producers: Vec<String> = view.producers.iter().map(|p| p.name.clone()).collect();
    let topics: Vec<String> = view
        .topics
        .iter()
        .filter(|x| !x.internal)
        .map(|x| x.name.clone())
        .collect();
    let (producer, topic) = (use_state(String::new), use_state(String::new));
    let (key, value) = (use_state(|| "kim".to_owned()), use_state(|| "300".to_owned()));
    let chosen = |state: &UseStateHandle<String>, all: &[String]| {
        if all.contains(state) {
            (**state).clone()
        } else {
            all.first().cloned().unwrap_or_default()
        }
    };
    let (from, to) = (chosen(&producer, &producers), chosen(&topic, &topics));
    let key_part = if key.is_empty() {
        String::new()
    } else {
        format!(" key={}", word(&key))
    };
    let line = format!("produce {from} {to}{key_part} {}", quoted(&value));
    let ready = !from.is_empty() && !to.is_empty();
    let onsubmit = {
        let (send, line) = (bus.send.clone(), line.clone());
        Callback::from(move |e: SubmitEvent| {
            e.prevent_default();
            if ready {
                send.emit(Msg::Command(line.clone()));
            }
        })
    };
    html! {
        <form class="produce" {onsubmit} aria-label={t().produce_form}>
            { select(t().producer, &from, &producers, &producer) }
            { select(t().topic, &to, &topics, &topic) }
            { input(t().key, &key) }
            { input(t().value, &value) }
            <code class="line clip" title={line.clone()}>{ &line }</code>
            <button type="submit" class="btn primary" disabled={!ready}><Icon name="copyr" />{ t().produce }</button>
        </form>
    }
}

/// A value, always in quotes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn select(label: &'static str, chosen: &str, all: &[String], state: &UseStateHandle<String>) -> Html {
    let setter = state.setter();
    let onchange = Callback::from(move |e: Event| setter.set(e.target_unchecked_into::<HtmlSelectElement>().value()));
    html! {
        <label><span>{ label }</span><select class="control" {onchange}>
            { for all.iter().map(|name| html! { <option key={name.clone()} value={name.clone()} selected={name == chosen}>{ name }</option> }) }
        </select></label>
    }
}

fn input(label: &'static str, state: &UseStateHandle<String>) -> Html {
    let setter = state.setter();
    let oninput =
        Callback::from(move |e: InputEvent| setter.set(e.target_unchecked_into::<HtmlInputElement>().value()));
    html! { <label><span>{ label }</span><input class="control" value={(**state).clone()} autocomplete="off" spellcheck="false" {oninput} /></label> }
}
