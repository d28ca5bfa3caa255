//! What outlives a visit: the work in the browser's storage, the link in the fragment, a file.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use yew::Callback;

use super::frame;
use super::state::{Look, Msg};
use super::texts::t;
use crate::lab::language::ast::Content;
use crate::lab::language::{Command, parse};
use crate::lab::library::SHIPPED;
use crate::share;

/// Where the link "skip to the stage" goes: the one fragment that holds no scenario.
const SKIP_TARGET: &str = "stage";

const TEXT: &str = "brokerlab.work";
const MOMENT: &str = "brokerlab.moment";

/// The browser's storage, where it is not refused (private windows, strict settings).
fn store() -> Option<web_sys::Storage> {
    gloo::utils::window().local_storage().ok().flatten()
}

/// What is kept under `key`.
pub fn recall(key: &str) -> Option<String> {
    store()?.get_item(key).ok().flatten()
}

/// Keeps `value` under `key`; where storage is refused or full, nothing is kept.
pub fn remember(key: &str, value: &str) {
    if let Some(store) = store() {
        let _ = store.set_item(key, value);
    }
}

/// The text to begin with, and what was wrong with the link if there was one: the link first, then the work of an
/// earlier visit, then the opening scenario. A bad link opens nothing in its place: the page says so before it shows
/// anything else.
pub fn first_text() -> (String, Option<String>) {
    match from_fragment() {
        Some(Ok(text)) => {
            remember(MOMENT, "");
            (text, None)
        }
        Some(Err(message)) => (String::new(), Some(message)),
        None => (work().unwrap_or_else(opening), None),
    }
}

/// The same for a figure, which knows no work of the visitor's.
pub fn figure_text() -> (String, Option<String>) {
    match from_fragment() {
        Some(Ok(text)) => (text, None),
        Some(Err(message)) => (String::new(), Some(message)),
        None => (opening(), None),
    }
}

/// The work of an earlier visit.
pub fn work() -> Option<String> {
    recall(TEXT).filter(|text| !text.trim().is_empty())
}

/// The scenario of a first visit.
pub fn opening() -> String {
    SHIPPED.first().map(|first| first.text.to_owned()).unwrap_or_default()
}

/// Shipped scenarios: title and text.
pub fn scenarios() -> Vec<(String, &'static str)> {
    SHIPPED
        .iter()
        .map(|shipped| (title(shipped.text), shipped.text))
        .collect()
}

/// The moment of an earlier visit, in microseconds.
pub fn remembered_moment() -> Option<u64> {
    recall(MOMENT)?.parse().ok()
}

/// Keeps the work; where storage is refused or full, the link still has it.
pub fn save_text(text: &str) {
    remember(TEXT, text);
}

/// Keeps the moment.
pub fn save_moment(us: u64) {
    remember(MOMENT, &us.to_string());
}

/// What the address's fragment holds: a text, or a message why it is refused. `None` without a fragment.
pub fn from_fragment() -> Option<Result<String, String>> {
    let hash = gloo::utils::window().location().hash().ok()?;
    let fragment = hash.strip_prefix('#').unwrap_or(&hash);
    if fragment.is_empty() || fragment == SKIP_TARGET {
        return None;
    }
    Some(share::decode(fragment, share::Limits::default()).map_err(|error| capital(&error.to_string())))
}

/// The fragment for a text.
pub fn fragment(text: &str) -> String {
    share::encode(text)
}

/// A sentence begins with a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).chain(['.']).collect())
        .unwrap_or_default()
}

/// Characters of the whole link to a text.
pub fn link_length(text: &str) -> usize {
    address().len() + 1 + fragment(text).len()
}

/// The page's address, with nothing that says what it shows.
pub fn address() -> String {
    let href = gloo::utils::window().location().href().unwrap_or_default();
    href.split(['#', '?']).next().unwrap_or_default().to_owned()
}

/// Copies the link, puts it into the address bar, and tells the page whether it worked.
pub fn copy_link(text: &str, send: Callback<Msg>) {
    let link = format!("{}#{}", address(), fragment(text));
    if let Ok(history) = gloo::utils::window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&link));
    }
    copy(&link, move |done| send.emit(Msg::Copied(done)));
}

/// Copies the HTML that shows the run at this moment as a figure on another page.
pub fn copy_figure(title: &str, text: &str, look: Look, now_us: u64, send: Callback<Msg>) {
    let title = title.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let address = frame::figure(text, look, now_us).replace('&', "&amp;");
    let html =
        format!("<iframe src=\"{address}\" title=\"{title}\" width=\"720\" height=\"460\" loading=\"lazy\"></iframe>");
    copy(&html, move |done| send.emit(Msg::CopiedFigure(done)));
}

/// Puts words on the clipboard, and says whether the browser let it.
fn copy(words: &str, said: impl Fn(bool) + Clone + 'static) {
    let navigator = gloo::utils::window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard")).unwrap_or(JsValue::UNDEFINED);
    if clipboard.is_undefined() {
        said(false);
        return;
    }
    let good = said.clone();
    let done = Closure::once_into_js(move |_: JsValue| good(true));
    let failed = Closure::once_into_js(move |_: JsValue| said(false));
    let promise: js_sys::Promise = navigator.clipboard().write_text(words);
    // `then` of two functions, called by name: the closures free themselves when they are called.
    let then = js_sys::Reflect::get(&promise, &JsValue::from_str("then")).ok();
    if let Some(then) = then.and_then(|f| f.dyn_into::<js_sys::Function>().ok()) {
        let _ = then.call2(&promise, &done, &failed);
    }
}

/// Saves the text as a file.
pub fn download(title: &str, text: &str) {
    let name: String = title
        .chars()
        .map(|c| {
            if c.is_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    let name = if name.is_empty() { "scenario".to_owned() } else { name };
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let Ok(blob) = web_sys::Blob::new_with_str_sequence(&parts) else {
        return;
    };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else {
        return;
    };
    let link = gloo::utils::document()
        .create_element("a")
        .ok()
        .and_then(|a| a.dyn_into::<web_sys::HtmlAnchorElement>().ok());
    if let Some(link) = link {
        link.set_href(&url);
        link.set_download(&format!("{name}.lab"));
        link.click();
    }
    let _ = web_sys::Url::revoke_object_url(&url);
}

/// The title that a text gives itself, else a word for having none.
pub fn title(text: &str) -> String {
    let titles = parse(text)
        .scenario
        .lines
        .into_iter()
        .filter_map(|line| match line.content {
            Content::Command(Command::Title(title)) => Some(title.to_string()),
            _ => None,
        });
    titles
        .last()
        .filter(|title| !title.is_empty())
        .unwrap_or_else(|| t().untitled.to_owned())
}

/// Takes a refused link out of the address bar, so that a reload does not refuse it again.
pub fn forget_fragment() {
    if let Ok(history) = gloo::utils::window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address()));
    }
}
