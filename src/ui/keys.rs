//! The keyboard: which key asks for what, and the table that the help shows. Single letters are off inside text fields.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};

use super::dom::closest;
use super::state::{Look, Msg, Selection, Tab};
use super::texts::t;

/// What a key asks for, if anything. A widget that has used a key itself has prevented its default.
pub fn message(event: &KeyboardEvent, selection: Option<&Selection>, look: Look) -> Option<Msg> {
    if event.default_prevented() {
        return None;
    }
    let key = event.key();
    let control = event.ctrl_key() || event.meta_key();
    if control && !event.alt_key() {
        return with_control(&key, event.shift_key(), in_text(event));
    }
    if event.alt_key() {
        let tab = key
            .parse::<usize>()
            .ok()
            .and_then(|n| Tab::ALL.get(n.checked_sub(1)?).copied());
        return tab.map(Msg::Show);
    }
    if key == "F6" {
        next_region(event.shift_key());
        return None;
    }
    // Arrows move a stage that is larger than its window, while it has the focus.
    let arrow = key.starts_with("Arrow");
    if in_text(event) || arrow && closest(event.target(), "*").is_some_and(|e| e.matches(".ground").unwrap_or(false)) {
        return None;
    }
    if key == "F10" && event.shift_key() || key == "ContextMenu" {
        let (x, y) = place_of_focus();
        return selection.map(|s| Msg::MenuOf(s.clone(), x, y));
    }
    if (key == " " || key == "Enter")
        && closest(event.target(), "button, a, [role=tab], [role=button], summary").is_some()
    {
        return None;
    }
    bare(&key, event.shift_key(), selection, look)
}

/// The way of looking behind this one.
fn next(look: Look) -> Look {
    let here = Look::ALL.iter().position(|l| *l == look).unwrap_or(0);
    Look::ALL[(here + 1) % Look::ALL.len()]
}

fn with_control(key: &str, shift: bool, in_text: bool) -> Option<Msg> {
    match (key, shift) {
        ("C" | "c", true) => Some(Msg::Copy),
        ("z", false) if !in_text => Some(Msg::Undo),
        ("k", false) => Some(Msg::Prefill(String::new())),
        _ => None,
    }
}

fn bare(key: &str, shift: bool, selection: Option<&Selection>, look: Look) -> Option<Msg> {
    Some(match key {
        " " => Msg::Toggle,
        "ArrowRight" if shift => Msg::Matters,
        "ArrowRight" => Msg::Step,
        "ArrowLeft" => Msg::Back,
        "Home" => Msg::Start,
        "End" => Msg::End,
        "[" => Msg::Pace(false),
        "]" => Msg::Pace(true),
        "f" | "F" => Msg::Fork,
        "b" => Msg::NextBranch(true),
        "B" => Msg::NextBranch(false),
        "w" | "W" => Msg::WhySelection,
        "k" | "K" => match selection {
            Some(Selection::Process(name)) => Msg::Command(format!("crash {name}")),
            _ => return None,
        },
        "c" => Msg::NextCopy,
        "h" | "H" => Msg::Layer,
        "+" | "=" => Msg::ZoomBy(1),
        "-" => Msg::ZoomBy(-1),
        "0" => Msg::Zoom(100),
        "v" => Msg::Look(next(look)),
        "/" => Msg::Prefill(String::new()),
        "?" => Msg::Help(true),
        "Enter" => Msg::Inspect(selection?.clone()),
        _ => return None,
    })
}

/// Whether the key goes into a text.
fn in_text(event: &KeyboardEvent) -> bool {
    closest(
        event.target(),
        "input:not([type=range]):not([type=checkbox]), textarea, select",
    )
    .is_some()
}

/// Where the focused element stands: the place of a menu asked for by key.
fn place_of_focus() -> (i32, i32) {
    let Some(element) = gloo::utils::document().active_element() else {
        return (80, 80);
    };
    let rect = element.get_bounding_client_rect();
    (rect.left() as i32 + 24, rect.top() as i32 + 28)
}

/// Moves the focus to the next of the page's regions.
fn next_region(back: bool) {
    const REGIONS: [&str; 5] = [
        ".topbar button",
        ".stagebar button",
        "#stage",
        ".transport .play",
        ".tabs [aria-selected=true]",
    ];
    let document = gloo::utils::document();
    let found: Vec<HtmlElement> = REGIONS
        .iter()
        .filter_map(|s| document.query_selector(s).ok().flatten())
        .filter_map(|e| e.dyn_into::<HtmlElement>().ok())
        .collect();
    if found.is_empty() {
        return;
    }
    let active = document.active_element();
    let regions = [".topbar", ".stagebar", ".stage", ".time", ".panel"];
    let here = active.and_then(|a| regions.iter().position(|r| a.closest(r).ok().flatten().is_some()));
    let next = match (here, back) {
        (None, _) => 0,
        (Some(i), false) => (i + 1) % found.len(),
        (Some(i), true) => (i + found.len() - 1) % found.len(),
    };
    let _ = found[next.min(found.len() - 1)].focus();
}

/// The help's table: what, and the keys.
pub fn table() -> Vec<(&'static str, &'static [&'static str])> {
    let t = t();
    vec![
        (t.key_play, &["Space"]),
        (t.key_step, &["→", "←"]),
        (t.key_matters, &["Shift", "→"]),
        (t.key_ends, &["Home", "End"]),
        (t.key_speed, &["[", "]"]),
        (t.key_fork, &["F"]),
        (t.key_branch, &["B", "Shift", "B"]),
        (t.key_why, &["W"]),
        (t.key_crash, &["K"]),
        (t.key_faults, &["Shift", "F10"]),
        (t.key_command, &["/"]),
        (t.key_tabs, &["Alt", "1", "…", "5"]),
        (t.key_regions, &["F6"]),
        (t.key_cells, &["←", "→", "Home", "End"]),
        (t.key_copy_of, &["C"]),
        (t.key_look, &["V"]),
        (t.key_zoom, &["+", "−", "0"]),
        (t.key_idle, &["H"]),
        (t.key_undo, &["Ctrl", "Z"]),
        (t.key_link, &["Ctrl", "Shift", "C"]),
        (t.key_help, &["?"]),
        (t.key_close, &["Esc"]),
    ]
}
