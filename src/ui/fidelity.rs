//! "How do you know?": FIDELITY.md as the project has it, fetched when it is asked for, opened at a rule's row.
//!
//! Reads the little Markdown that the file uses: headings, paragraphs, lists, tables, `code` and **bold**.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use yew::prelude::*;

use super::icon::Icon;
use super::layers::Dialog;
use super::state::{Msg, use_bus};
use super::texts::t;

/// Beside the page; Trunk copies it there.
const FILE: &str = "FIDELITY.md";

#[derive(Properties, PartialEq)]
pub struct FidelityProps {
    /// The rule to show; empty: the beginning.
    pub rule: AttrValue,
}

/// The dialog.
#[component]
pub fn FidelityView(props: &FidelityProps) -> Html {
    let bus = use_bus();
    let onclose = bus.on(Msg::Known(None));
    let text = use_state(|| Option::<Result<AttrValue, ()>>::None);
    {
        let text = text.clone();
        use_effect_with((), move |()| {
            yew::platform::spawn_local(async move { text.set(Some(fetch().await.map(AttrValue::from).ok_or(()))) });
        });
    }
    use_effect_with((props.rule.clone(), text.is_some()), |(rule, _)| show_row(rule));
    let body = match &*text {
        None => html! { <p role="status">{ t().known_loading }</p> },
        Some(Err(())) => html! { <p role="alert">{ t().known_missing }</p> },
        Some(Ok(text)) => html! { { for blocks(text).iter().map(|block| view(block, &props.rule)) } },
    };
    html! {
        <Dialog label={t().how_known} onclose={onclose.clone()}>
            <div class="dialog-head"><h2>{ t().how_known }</h2><span class="grow"></span>
                <button type="button" class="btn ghost icon" aria-label={t().close} onclick={onclose}><Icon name="x" /></button>
            </div>
            <div class="fidelity">{ body }</div>
        </Dialog>
    }
}

async fn fetch() -> Option<String> {
    let response = JsFuture::from(gloo::utils::window().fetch_with_str(FILE)).await.ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

/// The id of a rule's row.
fn row_id(rule: &str) -> String {
    format!("rule-{}", rule.replace('/', "-"))
}

fn show_row(rule: &str) {
    if let Some(row) = gloo::utils::document().get_element_by_id(&row_id(rule)) {
        row.scroll_into_view();
    }
}

/// A part of the file.
#[derive(Debug, PartialEq)]
enum Block<'a> {
    Heading(&'a str),
    Paragraph(String),
    List(Vec<String>),
    /// The head's cells and the rows'.
    Table(Vec<Vec<&'a str>>),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut out = Vec::new();
    for part in text.split("\n\n") {
        let part = part.trim();
        if part.is_empty() || part.starts_with("# ") || part.lines().all(|line| line.starts_with("<!--")) {
            continue;
        }
        out.push(if let Some(heading) = part.strip_prefix("## ") {
            Block::Heading(heading)
        } else if part.starts_with("| ") {
            let rows = part.lines().filter(|line| !line.starts_with("|---"));
            Block::Table(rows.map(cells).collect())
        } else if part.starts_with("- ") {
            let items = format!("\n{part}");
            Block::List(
                items
                    .split("\n- ")
                    .skip(1)
                    .map(|item| item.replace("\n  ", " "))
                    .collect(),
            )
        } else {
            Block::Paragraph(part.replace('\n', " "))
        });
    }
    out
}

fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim().trim_start_matches("| ").trim_end_matches('|');
    inside.split(" | ").map(str::trim).collect()
}

fn view(block: &Block<'_>, rule: &str) -> Html {
    match block {
        Block::Heading(text) => html! { <h3>{ *text }</h3> },
        Block::Paragraph(text) => html! { <p>{ inline(text) }</p> },
        Block::List(items) => html! { <ul>{ for items.iter().map(|item| html! { <li>{ inline(item) }</li> }) }</ul> },
        Block::Table(rows) => {
            let head = rows.first().map(Vec::as_slice).unwrap_or_default();
            html! {
                <div class="wide" tabindex="0"><table>
                    <thead><tr>{ for head.iter().map(|cell| html! { <th scope="col">{ *cell }</th> }) }</tr></thead>
                    <tbody>{ for rows.iter().skip(1).map(|row| view_row(row, rule)) }</tbody>
                </table></div>
            }
        }
    }
}

fn view_row(row: &[&str], rule: &str) -> Html {
    let name = row.first().map(|cell| cell.trim_matches('`')).unwrap_or_default();
    let here = !rule.is_empty() && name == rule;
    html! {
        <tr id={row_id(name)} class={classes!(here.then_some("here"))}>
            { for row.iter().map(|cell| html! { <td>{ inline(cell) }</td> }) }
        </tr>
    }
}

/// Every second piece between the marks is inside them: first `code`, then **bold**.
fn inline(text: &str) -> Html {
    let pieces = text.split('`').enumerate().map(|(i, piece)| match i % 2 {
        1 => html! { <code>{ piece.to_string() }</code> },
        _ => html! { { for piece.split("**").enumerate().map(|(i, piece)| match i % 2 {
            1 => html! { <b>{ piece.to_string() }</b> },
            _ => html! { { piece.to_string() } },
        }) } },
    });
    html! { { for pieces } }
}
