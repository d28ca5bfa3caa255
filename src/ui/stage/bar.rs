//! The bar above the stage: add, inject a fault, layers, the topic, the command line.

use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::console::start;
use crate::ui::acts;
use crate::ui::complete::{self, Candidates};
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;
use crate::ui::topbar::opens;

#[derive(Properties, PartialEq)]
pub struct StageBarProps {
    pub scene: Scene,
    pub topic: Option<String>,
    pub layer: bool,
    pub look: Look,
    /// A line for the command line, with a number that grows with each.
    pub prefill: (u32, String),
    pub selection: Option<Selection>,
}

/// The bar.
#[component]
pub fn StageBar(props: &StageBarProps) -> Html {
    let bus = use_bus();
    let view = props.scene.view.clone();
    let (adding, faults, topics) = (view.clone(), view.clone(), view.clone());
    let shown = props.scene.topics.first().cloned();
    let size = shown
        .as_ref()
        .and_then(|name| view.topics.iter().find(|x| x.name == *name))
        .map(|x| {
            let copies = x.partitions.iter().map(|p| p.replicas.len()).max().unwrap_or(0);
            format!("{} × {copies}", x.partitions.len())
        });
    let selection = props.selection.clone();
    html! {
        <div class="stagebar">
            <Looks look={props.look} />
            <button type="button" class="btn ghost" aria-haspopup="menu" onclick={opens(&bus, t().add, move || acts::adding(&adding))}><Icon name="plus" />{ t().add }</button>
            <button type="button" class="btn ghost fault" aria-haspopup="menu" onclick={opens(&bus, t().inject_fault, move || faults_for(&faults, selection.as_ref()))}><Icon name="bolt" />{ t().inject_fault }</button>
            <button type="button" class="btn ghost icon" aria-pressed={props.layer.to_string()} aria-label={t().layer} title={t().layer} onclick={bus.on(Msg::Layer)}><Icon name="beat" /></button>
            <button type="button" class="btn ghost icon opt-wide" aria-haspopup="menu" aria-label={t().size_of_stage} title={t().size_of_stage} onclick={opens(&bus, t().size_of_stage, acts::sizes)}><Icon name="expand" /></button>
            <span class="rule2 opt-wide"></span>
            if let Some(shown) = shown {
                <button type="button" class="btn ghost topic-btn" aria-haspopup="menu" onclick={opens(&bus, t().topic, move || acts::topics(&topics))}>
                    <span class="muted">{ t().topic }</span><span class="mono">{ shown }</span><span class="muted opt-wide">{ size }</span><Icon name="down" class="s" />
                </button>
            }
            <span class="grow"></span>
            <CommandLine scene={props.scene.clone()} prefill={props.prefill.clone()} main={true} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct LooksProps {
    look: Look,
}

/// The ways of looking at the run.
#[component]
fn Looks(props: &LooksProps) -> Html {
    let bus = use_bus();
    html! {
        <div class="seg" role="group" aria-label={t().looks}>
            { for Look::ALL.into_iter().map(|look| {
                let (icon, name) = match look {
                    Look::Stage => ("stage", t().stage),
                    Look::Lanes => ("lanes", t().lanes),
                    Look::Table => ("table", t().table),
                    Look::Compare => ("compare", t().compare),
                };
                html! { <button type="button" key={look.id()} aria-pressed={(look == props.look).to_string()} title={name} onclick={bus.on(Msg::Look(look))}><Icon name={icon} /><span>{ name }</span></button> }
            }) }
        </div>
    }
}

/// The faults of what is selected first, then of everything.
fn faults_for(view: &crate::lab::view::View, selection: Option<&Selection>) -> Vec<Section> {
    match selection {
        Some(Selection::Process(_)) => {
            let mut sections = acts::of(view, &[], selection.unwrap_or(&Selection::Message(0)));
            sections.retain(|s| s.items.iter().all(|i| matches!(i.msg, Msg::Command(_))));
            sections
        }
        _ => acts::faults(view),
    }
}

#[derive(Properties, PartialEq)]
pub struct CommandLineProps {
    pub scene: Scene,
    pub prefill: (u32, String),
    /// The one above the stage, with its key; the console has another.
    pub main: bool,
}

/// The command line with completion: Tab or Enter takes the marked word, arrows walk through candidates or history.
#[component]
pub fn CommandLine(props: &CommandLineProps) -> Html {
    let bus = use_bus();
    let node = use_node_ref();
    let line = use_state(String::new);
    let marked = use_state(|| None::<usize>);
    let open = use_state(|| false);
    let past = use_state(|| 0usize);
    {
        let (node, line) = (node.clone(), line.setter());
        use_effect_with(props.prefill.clone(), move |(count, text)| {
            if *count > 0
                && let Some(input) = node.cast::<HtmlInputElement>()
            {
                line.set(text.clone());
                let _ = input.focus();
            }
        });
    }
    // What a click did, its line says: the last command stands where the next one is typed.
    let hint = bus
        .run
        .borrow()
        .said
        .last()
        .map_or_else(|| t().command_hint.to_owned(), |s| s.line.clone());
    let found = if *open {
        complete::candidates(&line, &props.scene.text, bus.run.borrow().run.world())
    } else {
        Candidates::default()
    };
    let oninput = {
        let (line, open, marked) = (line.setter(), open.setter(), marked.setter());
        Callback::from(move |e: InputEvent| {
            line.set(e.target_unchecked_into::<HtmlInputElement>().value());
            open.set(true);
            marked.set(None);
        })
    };
    let take = {
        let (line, marked, found, node) = (line.clone(), marked.setter(), found.clone(), node.clone());
        move |i: usize| {
            if let Some((word, _)) = found.words.get(i) {
                // An option that still wants its value stays open.
                let space = if word.ends_with('=') { "" } else { " " };
                line.set(format!("{}{word}{space}", &line[..found.from]));
                marked.set(None);
                if let Some(input) = node.cast::<HtmlInputElement>() {
                    let _ = input.focus();
                }
            }
        }
    };
    let onkeydown = line_keys(LineKeys {
        bus: bus.clone(),
        line: line.clone(),
        marked: marked.clone(),
        open: open.clone(),
        past: past.clone(),
        count: found.words.len(),
        take: Callback::from(take.clone()),
    });
    let onpaste = paste(&bus);
    let onblur = {
        let open = open.setter();
        Callback::from(move |_: FocusEvent| open.set(false))
    };
    let expanded = !found.words.is_empty();
    html! {
        <div class="cmdwrap">
            <label class="cmdline"><b aria-hidden="true">{ "›" }</b><span class="vh">{ t().command_line }</span>
                <input ref={node} placeholder={hint} autocomplete="off" autocapitalize="off" spellcheck="false" value={(*line).clone()}
                    role="combobox" aria-expanded={expanded.to_string()} aria-controls={format!("completions-{}", props.main)} aria-autocomplete="list"
                    aria-activedescendant={marked.map(|i| format!("completion-{}-{i}", props.main))} {oninput} {onkeydown} {onpaste} {onblur} />
                if props.main { <span class="kbd" aria-hidden="true">{ "/" }</span> }
            </label>
            <ul class="completions menu" id={format!("completions-{}", props.main)} role="listbox" aria-label={t().completions} hidden={!expanded}>
                { for found.words.iter().enumerate().map(|(i, (word, about))| {
                    let take = take.clone();
                    // The input would lose the focus before the click arrives.
                    let onmousedown = Callback::from(move |e: MouseEvent| { e.prevent_default(); take(i); });
                    html! { <li role="option" id={format!("completion-{}-{i}", props.main)} aria-selected={(*marked == Some(i)).to_string()} {onmousedown}><b>{ word }</b><small class="clip">{ about }</small></li> }
                }) }
            </ul>
        </div>
    }
}

/// Several lines that are pasted are issued one after the other; one goes where it is typed.
fn paste(bus: &Bus) -> Callback<Event> {
    let send = bus.send.clone();
    Callback::from(move |e: Event| {
        let data = e.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
        let Some(text) = data.and_then(|data| data.get_data("text").ok()) else {
            return;
        };
        if text.trim().contains('\n') {
            e.prevent_default();
            start::pasted(&text)
                .into_iter()
                .for_each(|line| send.emit(Msg::Command(line)));
        }
    })
}

/// What a key says to the tool that runs: Ctrl-C if nothing is chosen to be copied, Ctrl-D in an empty line.
fn tool_key(e: &KeyboardEvent, line: &str, bus: &Bus) -> Option<&'static str> {
    let session = bus.run.borrow();
    if !e.ctrl_key() || !session.run.world().tools.is_running(None) {
        return None;
    }
    let input: HtmlInputElement = e.target_dyn_into()?;
    let chosen = input.selection_start() != input.selection_end();
    match e.key().as_str() {
        "c" if !chosen => Some("press ctrl-c"),
        "d" if line.is_empty() => Some("press ctrl-d"),
        _ => None,
    }
}

struct LineKeys {
    bus: Bus,
    line: UseStateHandle<String>,
    marked: UseStateHandle<Option<usize>>,
    open: UseStateHandle<bool>,
    past: UseStateHandle<usize>,
    count: usize,
    take: Callback<usize>,
}

fn line_keys(k: LineKeys) -> Callback<KeyboardEvent> {
    Callback::from(move |e: KeyboardEvent| match e.key().as_str() {
        "c" | "d" => {
            if let Some(line) = tool_key(&e, &k.line, &k.bus) {
                e.prevent_default();
                k.bus.send.emit(Msg::Command(line.into()));
            }
        }
        "Enter" => {
            e.prevent_default();
            if let Some(i) = *k.marked {
                k.take.emit(i);
                return;
            }
            let said = k.line.trim().to_owned();
            if said.is_empty() {
                return;
            }
            k.bus.send.emit(Msg::Command(said));
            k.line.set(String::new());
            k.past.set(0);
            k.open.set(false);
        }
        "Tab" if k.count > 0 && !e.shift_key() => {
            e.prevent_default();
            k.take.emit(k.marked.unwrap_or(0));
        }
        "Escape" => {
            e.prevent_default();
            e.stop_propagation();
            if k.count > 0 {
                k.open.set(false);
            } else if let Some(input) = crate::ui::topbar::focused() {
                let _ = input.blur();
            }
        }
        "ArrowDown" if k.count > 0 => {
            e.prevent_default();
            k.marked.set(Some(k.marked.map_or(0, |i| (i + 1) % k.count)));
        }
        "ArrowUp" if k.count > 0 => {
            e.prevent_default();
            k.marked
                .set(Some(k.marked.map_or(k.count - 1, |i| (i + k.count - 1) % k.count)));
        }
        "ArrowUp" | "ArrowDown" => {
            e.prevent_default();
            let session = k.bus.run.borrow();
            let step = if e.key() == "ArrowUp" {
                *k.past + 1
            } else {
                k.past.saturating_sub(1)
            };
            let step = step.min(session.said.len());
            let index = session.said.len().wrapping_sub(step);
            k.line
                .set(session.said.get(index).map(|s| s.line.clone()).unwrap_or_default());
            k.past.set(step);
        }
        _ => {}
    })
}
