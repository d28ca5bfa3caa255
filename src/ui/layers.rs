//! What stands above the page: menus, the help, the message about a bad link, notices.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use super::dom::{Same, set_style};
use super::icon::Icon;
use super::keys;
use super::state::*;
use super::storage;
use super::texts::t;

#[derive(Properties, PartialEq)]
pub struct MenuProps {
    pub menu: Same<Menu>,
}

/// An open menu: arrows move, Enter takes, Esc or a click elsewhere closes.
#[component]
pub fn MenuView(props: &MenuProps) -> Html {
    let bus = use_bus();
    let node = use_node_ref();
    {
        let (node, menu) = (node.clone(), props.menu.clone());
        use_effect_with(props.menu.clone(), move |_| {
            let before = gloo::utils::document().active_element();
            if let Some(element) = node.cast::<HtmlElement>() {
                place(&element, menu.x, menu.y);
                focus_item(&element, 0);
            }
            move || {
                if let Some(element) = before.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
                    let _ = element.focus();
                }
            }
        });
    }
    let close = bus.on::<MouseEvent>(Msg::Menu(None));
    let onkeydown = {
        let (node, send) = (node.clone(), bus.send.clone());
        Callback::from(move |e: KeyboardEvent| {
            let Some(element) = node.cast::<HtmlElement>() else {
                return;
            };
            let by = match e.key().as_str() {
                "ArrowDown" => 1,
                "ArrowUp" => -1,
                "Home" => i32::MIN,
                "End" => i32::MAX,
                "Tab" => {
                    e.prevent_default();
                    send.emit(Msg::Menu(None));
                    return;
                }
                _ => return,
            };
            e.prevent_default();
            move_focus(&element, by);
        })
    };
    html! {
        <div class="veil" onclick={close.clone()} oncontextmenu={Callback::from(|e: MouseEvent| e.prevent_default())}>
            <div class="menu floating" role="menu" ref={node} aria-label={props.menu.label.clone()} {onkeydown}>
                { for props.menu.sections.iter().enumerate().map(|(i, section)| html! {
                    <>
                        if i > 0 { <div role="separator"><hr /></div> }
                        <div class="g" role="presentation">{ &section.title }</div>
                        { for section.items.iter().map(|item| entry(item, &bus)) }
                    </>
                }) }
            </div>
        </div>
    }
}

fn entry(item: &Item, bus: &Bus) -> Html {
    let onclick = {
        let (send, msg) = (bus.send.clone(), item.msg.clone());
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            send.emit(Msg::Menu(None));
            send.emit(msg.clone());
        })
    };
    let role = if item.checked.is_some() {
        "menuitemradio"
    } else {
        "menuitem"
    };
    html! {
        <button type="button" {role} tabindex="-1" class={classes!(item.fault.then_some("bad"))} {onclick} aria-checked={item.checked.map(|c| c.to_string())}>
            <Icon name={if item.checked == Some(true) { "check" } else { item.icon }} />
            <span>{ &item.label }if let Some(note) = item.note { <small>{ note }</small> }</span>
            <span class="cmd">{ &item.aside }</span>
        </button>
    }
}

/// Below a menu's anchor there must be so much room, or else the menu moves up.
const MENU_ROOM: i32 = 420;

/// Puts the menu at (x, y), moved so that all of it is on the screen; a long one is cut off at the bottom and scrolls.
fn place(element: &HtmlElement, x: i32, y: i32) {
    let root = gloo::utils::document_element();
    let room = root.client_height() - y - 8;
    if room >= MENU_ROOM {
        set_style(element, "max-height", &format!("{room}px"));
    }
    let left = x.min(root.client_width() - element.offset_width() - 8).max(8);
    let top = y.min(root.client_height() - element.offset_height() - 8).max(8);
    set_style(element, "left", &format!("{left}px"));
    set_style(element, "top", &format!("{top}px"));
}

/// The menu's entries in order.
fn entries(menu: &HtmlElement) -> Vec<HtmlElement> {
    let Ok(list) = menu.query_selector_all("[role^=menuitem]") else {
        return Vec::new();
    };
    (0..list.length())
        .filter_map(|i| list.get(i)?.dyn_into::<HtmlElement>().ok())
        .collect()
}

fn focus_item(menu: &HtmlElement, index: usize) {
    if let Some(entry) = entries(menu).get(index) {
        let _ = entry.focus();
    }
}

fn move_focus(menu: &HtmlElement, by: i32) {
    let entries = entries(menu);
    let last = entries.len() as i32 - 1;
    let active = gloo::utils::document().active_element();
    let here = entries
        .iter()
        .position(|e| active.as_ref() == Some(e.as_ref()))
        .map_or(-1, |i| i as i32);
    let next = match by {
        i32::MIN => 0,
        i32::MAX => last,
        _ if here + by > last => 0,
        _ if here + by < 0 => last,
        _ => here + by,
    };
    focus_item(menu, next.max(0) as usize);
}

/// A modal dialog: takes the focus, keeps Tab inside, gives the focus back.
#[derive(Properties, PartialEq)]
pub struct DialogProps {
    pub label: AttrValue,
    pub onclose: Callback<MouseEvent>,
    pub children: Html,
}

#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    {
        let node = node.clone();
        use_effect_with((), move |()| {
            let before = gloo::utils::document().active_element();
            if let Some(element) = node.cast::<HtmlElement>() {
                let _ = element.focus();
            }
            move || {
                if let Some(element) = before.and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
                    let _ = element.focus();
                }
            }
        });
    }
    let onkeydown = {
        let node = node.clone();
        Callback::from(move |e: KeyboardEvent| {
            if e.key() == "Tab" {
                keep_inside(&node, &e);
            }
        })
    };
    html! {
        <div class="veil dark" onclick={props.onclose.clone()}>
            <div class="fault-page floating dialog" role="dialog" aria-modal="true" aria-label={props.label.clone()} tabindex="-1" ref={node} {onkeydown} onclick={Callback::from(|e: MouseEvent| e.stop_propagation())}>
                { props.children.clone() }
            </div>
        </div>
    }
}

/// Tab from the last button goes to the first, and back.
fn keep_inside(node: &NodeRef, event: &KeyboardEvent) {
    let Some(element) = node.cast::<HtmlElement>() else {
        return;
    };
    let Ok(list) = element.query_selector_all("button, a, input") else {
        return;
    };
    let (first, last) = (list.get(0), list.get(list.length().saturating_sub(1)));
    let active = gloo::utils::document().active_element();
    let at = |end: &Option<web_sys::Node>| match (end, &active) {
        (Some(end), Some(active)) => end.is_same_node(Some(active.as_ref())),
        _ => false,
    };
    let target = if event.shift_key() && at(&first) {
        last
    } else if !event.shift_key() && at(&last) {
        first
    } else {
        return;
    };
    event.prevent_default();
    if let Some(target) = target.and_then(|n| n.dyn_into::<HtmlElement>().ok()) {
        let _ = target.focus();
    }
}

/// The help: what the signs mean, and the keys.
#[component]
pub fn HelpView() -> Html {
    let bus = use_bus();
    let onclose = bus.on(Msg::Help(false));
    html! {
        <Dialog label={t().help} onclose={onclose.clone()}>
            <div class="dialog-head"><h2>{ t().help_title }</h2><span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-label={t().close} onclick={onclose}><Icon name="x" /></button>
            </div>
            <p class="help-text">{ t().help_text }</p>
            <p><button type="button" class="btn" onclick={bus.on(Msg::Known(Some(AttrValue::default())))}>{ t().how_known }</button></p>
            <h3>{ t().keyboard }</h3>
            <div class="keys">
                { for keys::table().into_iter().map(|(what, keys)| html! {
                    <div><span>{ what }</span><span class="keyset">{ for keys.iter().map(|k| html! { <span class="kbd">{ *k }</span> }) }</span></div>
                }) }
            </div>
        </Dialog>
    }
}

#[derive(Properties, PartialEq)]
pub struct LinkErrorProps {
    pub text: AttrValue,
}

/// A link that could not be opened: says why, and that nothing was opened in its place.
#[component]
pub fn LinkErrorView(props: &LinkErrorProps) -> Html {
    let bus = use_bus();
    let onclose = bus.on(Msg::LinkError(None));
    let start = {
        let send = bus.send.clone();
        Callback::from(move |_: MouseEvent| {
            storage::forget_fragment();
            send.emit(Msg::LinkError(None));
            send.emit(Msg::Open(storage::work().unwrap_or_else(storage::opening).into()));
        })
    };
    html! {
        <Dialog label={t().bad_link} {onclose}>
            <h2>{ t().bad_link }</h2>
            <p>{ &props.text }</p>
            <p class="muted">{ t().bad_link_note }</p>
            <div class="acts"><button type="button" class="btn primary" onclick={start}>{ if storage::work().is_some() { t().back_to_work } else { t().open_sandbox } }</button></div>
        </Dialog>
    }
}

#[derive(Properties, PartialEq)]
pub struct ToastsProps {
    pub toasts: Vec<Toast>,
}

/// Notices, newest last.
#[component]
pub fn Toasts(props: &ToastsProps) -> Html {
    let bus = use_bus();
    html! {
        <div class="toasts">
            { for props.toasts.iter().map(|toast| {
                let (class, icon, role) = match toast.kind {
                    ToastKind::Plain => ("", "cmd", "status"),
                    ToastKind::Good => ("safe", "check", "status"),
                    ToastKind::Bad => ("bad", "x", "alert"),
                };
                let action = match &toast.action {
                    ToastAction::None => html! {},
                    ToastAction::Undo => html! { <button type="button" class="btn ghost" onclick={bus.on(Msg::Undo)}>{ t().undo }</button> },
                    ToastAction::Why(event, index) => html! { <button type="button" class="btn" onclick={bus.on(Msg::Why(*event, *index))}>{ t().why }</button> },
                };
                html! {
                    <div class={classes!("toast", class)} {role} key={toast.id}>
                        <Icon name={icon} /><span class="grow">{ &toast.text }</span>{ action }
                        <button type="button" class="btn ghost icon" aria-label={t().dismiss} onclick={bus.on(Msg::Dismiss(toast.id))}><Icon name="x" class="s" /></button>
                    </div>
                }
            }) }
        </div>
    }
}
