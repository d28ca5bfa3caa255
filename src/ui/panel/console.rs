//! The console: a form to produce a record, and everything that was commanded with what came of it.

use crate::ordered::SortSmall;
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
    let told = told(&bus);
    let list = use_node_ref();
    {
        let list = list.clone();
        let size: usize = told.iter().map(|one| one.answer.len() + 1).sum();
        use_effect_with(size, move |_| {
            if let Some(element) = list.cast::<HtmlElement>() {
                element.set_scroll_top(element.scroll_height());
            }
        });
    }
    html! {
        <>
            <ProduceForm scene={props.scene.clone()} />
            <div class="term scroll" tabindex="0" role="log" aria-label={t().console_output} ref={list}>
                if told.is_empty() { <p class="hint">{ t().console_hint }</p> }
                { for told.iter().enumerate().map(|(i, one)| html! {
                    <div class="said" key={i}><time>{ format::moment(one.at_us) }</time><span class="p">{ "› " }</span><b>{ &one.line }</b>
                        if !one.answer.is_empty() { <div class={one.class}>{ &one.answer }</div> }</div>
                }) }
            </div>
            { running(&bus) }
            <div class="prompt-line"><CommandLine scene={props.scene.clone()} prefill={(0, String::new())} main={false} /></div>
        </>
    }
}

/// A line of the console and what came of it.
struct Told {
    at_us: u64,
    line: String,
    class: &'static str,
    answer: String,
}

/// What was commanded and what tools wrote, up to the present moment.
fn told(bus: &Bus) -> Vec<Told> {
    let session = bus.run.borrow();
    let tools = session.run.world().tools.lines().iter().map(|line| {
        let status = match line.exit {
            Some(0) | None => String::new(),
            Some(status) => format!("exit status {status}\n"),
        };
        Told {
            at_us: line.at_us,
            line: match &line.host {
                Some(host) => format!("{host} $ {}", line.text),
                None => format!("$ {}", line.text),
            },
            class: "out",
            answer: format!("{}{status}", line.output()).trim_end().to_owned(),
        }
    });
    let is_tool = |line: &str| line.starts_with('$') || line.contains(" $ ");
    // A command line that was taken is told with what it wrote.
    let said = session
        .said
        .iter()
        .filter(|said| said.answer.is_err() || !is_tool(&said.line));
    let said = said.map(|said| {
        let (class, answer) = match &said.answer {
            Ok(text) => ("ok", text),
            Err(text) => ("no", text),
        };
        Told {
            at_us: said.at_us,
            line: said.line.clone(),
            class,
            answer: answer.clone(),
        }
    });
    let mut all: Vec<Told> = said.chain(tools).collect();
    all.sort_small_by_key(|one| one.at_us);
    all
}

/// The tool that runs, with the key that ends it.
fn running(bus: &Bus) -> Html {
    let running = {
        let session = bus.run.borrow();
        let lines = session.run.world().tools.lines();
        lines
            .iter()
            .rev()
            .find(|line| line.is_running())
            .map(|line| line.text.clone())
    };
    let Some(text) = running else {
        return html! {};
    };
    let tool = text.split_whitespace().next().unwrap_or_default().to_owned();
    let press = bus.on(Msg::Command("press ctrl-c".into()));
    html! {
        <div class="running"><span class="clip">{ (t().tool_runs)(&tool) }</span>
            <button type="button" class="btn ghost" onclick={press}>{ "Ctrl-C" }</button></div>
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
