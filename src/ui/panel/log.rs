//! The event log: newest last, only the rows in view are in the page. A click on an entry asks why.

use std::rc::Rc;

use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use super::why::Why;
use crate::lab::view::{LogEntry, Weight};
use crate::ui::dom::{use_size, use_style};
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

/// Height of a row in pixels; on the phone rows are taller.
const ROW: u32 = 25;
const ROW_NARROW: u32 = 34;

/// Rows kept above and below what is in view.
const SPARE: usize = 6;

/// A pause of virtual time that gets a row of its own.
const PAUSE_US: u64 = 1_000_000;

#[derive(Properties, PartialEq)]
pub struct LogProps {
    pub scene: Scene,
    pub filters: Filters,
    pub why: Option<Answer>,
    pub cure: Option<CureState>,
}

/// A row: an entry, or a pause between two.
#[derive(Clone, PartialEq)]
enum Row {
    Entry(LogEntry),
    Pause(u64),
}

/// The tab.
#[component]
pub fn Log(props: &LogProps) -> Html {
    let bus = use_bus();
    let weight = match (props.filters.idle, props.filters.details) {
        (true, _) => Weight::Idle,
        (false, true) => Weight::Detail,
        (false, false) => Weight::Matters,
    };
    let rows = {
        let (run, filter) = (bus.run.clone(), props.filters.text.clone());
        let key = (props.scene.version, weight, props.filters.client_log, filter);
        use_memo(key, move |(_, weight, client_log, filter)| {
            rows(match client_log {
                true => run.borrow().client_log(filter),
                false => run.borrow().log(*weight, filter),
            })
        })
    };
    let step = |details: bool, idle: bool, client_log: bool| {
        Msg::Filter(Filters {
            details,
            idle,
            client_log,
            ..props.filters.clone()
        })
    };
    let oninput = {
        let (send, filters) = (bus.send.clone(), props.filters.clone());
        Callback::from(move |e: InputEvent| {
            let text = e.target_unchecked_into::<HtmlInputElement>().value();
            send.emit(Msg::Filter(Filters {
                text,
                ..filters.clone()
            }));
        })
    };
    let f = &props.filters;
    let chip = |on: bool, word: &'static str, msg: Msg| html! { <button type="button" aria-pressed={on.to_string()} onclick={bus.on(msg)}>{ word }</button> };
    html! {
        <>
            <div class="toolrow">
                <label class="field grow"><Icon name="search" class="s" /><span class="vh">{ t().search_log }</span>
                    <input value={f.text.clone()} placeholder={t().search_hint} {oninput} /></label>
                <div class="filters" role="group" aria-label={t().show}>
                    { chip(!f.details && !f.idle && !f.client_log, t().matters, step(false, false, false)) }
                    { chip(f.details && !f.idle && !f.client_log, t().all, step(true, false, false)) }
                    { chip(f.idle && !f.client_log, t().heartbeats, step(true, true, false)) }
                    { chip(f.client_log, t().client_log, step(f.details, f.idle, true)) }
                </div>
            </div>
            if rows.is_empty() {
                <div class="empty pad"><Icon name="search" /><b>{ if f.text.is_empty() { t().log_empty.to_owned() } else { (t().no_match)(&f.text) } }</b>
                    if !f.text.is_empty() { <button type="button" class="btn" onclick={bus.on(Msg::Filter(Filters::default()))}>{ t().clear_search }</button> }</div>
            } else {
                <Rows {rows} why={props.why.as_ref().map(|why| (why.event, why.index))} event={props.scene.view.event} />
            }
            if let Some(answer) = &props.why { <Why answer={answer.clone()} cure={props.cure.clone()} /> }
        </>
    }
}

/// Entries with the pauses between them.
fn rows(entries: Vec<LogEntry>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(entries.len());
    let mut last = None::<u64>;
    for entry in entries {
        if let Some(before) = last
            && entry.at_us.saturating_sub(before) >= PAUSE_US
        {
            rows.push(Row::Pause(entry.at_us - before));
        }
        last = Some(entry.at_us);
        rows.push(Row::Entry(entry));
    }
    rows
}

#[derive(Properties, PartialEq)]
struct RowsProps {
    rows: Rc<Vec<Row>>,
    why: Option<(u64, u16)>,
    event: u64,
}

/// The list. It stays at its end while time goes on, unless the visitor has scrolled away.
#[component]
fn Rows(props: &RowsProps) -> Html {
    let bus = use_bus();
    let list = use_node_ref();
    let (_, height) = use_size(&list);
    let top = use_state_eq(|| 0u32);
    let stuck = use_mut_ref(|| true);
    let seen = use_mut_ref(|| 0i32);
    let (above, below) = (use_node_ref(), use_node_ref());
    let row = if crate::ui::dom::narrow() { ROW_NARROW } else { ROW };
    let count = props.rows.len();
    let first = ((*top / row) as usize)
        .saturating_sub(SPARE)
        .min(count.saturating_sub(1));
    let last = (first + (height / row) as usize + 2 * SPARE + 1).min(count);
    use_style(&above, vec![("height", format!("{}px", first as u32 * row))]);
    use_style(&below, vec![("height", format!("{}px", (count - last) as u32 * row))]);
    {
        let (list, stuck, top) = (list.clone(), stuck.clone(), top.setter());
        let chosen = props.why.and_then(|why| position(&props.rows, why));
        use_effect_with(
            (count, height, props.event, chosen),
            move |(count, height, _, chosen)| {
                let Some(element) = list.cast::<HtmlElement>() else {
                    return;
                };
                let at = match chosen {
                    Some(i) => {
                        let (from, to) = (*i as u32 * row, (*i as u32 + 1) * row);
                        let seen = element.scroll_top().max(0) as u32;
                        if from >= seen && to <= seen + height {
                            return;
                        }
                        to.saturating_sub(height * 2 / 3)
                    }
                    None if *stuck.borrow() => (*count as u32 * row).saturating_sub(*height),
                    None => return,
                };
                element.set_scroll_top(at as i32);
                top.set(at);
            },
        );
    }
    let onscroll = {
        // Only a visitor scrolls up; the list itself grows, which leaves it above its end for a moment.
        let (list, stuck, top) = (list.clone(), stuck, top.setter());
        Callback::from(move |_: Event| {
            let Some(element) = list.cast::<HtmlElement>() else {
                return;
            };
            let at = element.scroll_top();
            if at + element.client_height() + row as i32 >= element.scroll_height() {
                stuck.replace(true);
            } else if at < seen.replace(at) {
                stuck.replace(false);
            }
            top.set(at.max(0) as u32);
        })
    };
    let onkeydown = keys(&bus, &props.rows, props.why);
    html! {
        <ol class="events scroll" tabindex="0" aria-label={t().events_list} ref={list} {onscroll} {onkeydown}>
            <li aria-hidden="true" key="above" ref={above}></li>
            { for (first..last).map(|i| view_row(i, &props.rows[i], props.why, props.event, &bus)) }
            <li aria-hidden="true" key="below" ref={below}></li>
        </ol>
    }
}

fn position(rows: &[Row], (event, index): (u64, u16)) -> Option<usize> {
    rows.iter()
        .position(|r| matches!(r, Row::Entry(e) if e.event == event && e.index == index))
}

/// Arrows walk from entry to entry.
fn keys(bus: &Bus, rows: &Rc<Vec<Row>>, why: Option<(u64, u16)>) -> Callback<KeyboardEvent> {
    let (send, rows) = (bus.send.clone(), Rc::clone(rows));
    Callback::from(move |e: KeyboardEvent| {
        let entries: Vec<(u64, u16)> = rows
            .iter()
            .filter_map(|r| {
                if let Row::Entry(e) = r {
                    Some((e.event, e.index))
                } else {
                    None
                }
            })
            .collect();
        let Some(last) = entries.len().checked_sub(1) else {
            return;
        };
        let here = why.and_then(|w| entries.iter().position(|x| *x == w));
        let next = match (e.key().as_str(), here) {
            ("ArrowDown", Some(i)) => (i + 1).min(last),
            ("ArrowUp", Some(i)) => i.saturating_sub(1),
            ("ArrowUp" | "ArrowDown" | "End", _) => last,
            ("Home", _) => 0,
            _ => return,
        };
        e.prevent_default();
        send.emit(Msg::Why(entries[next].0, entries[next].1));
    })
}

/// Style class and icon of an entry, by its rule and its words.
fn look(entry: &LogEntry) -> (&'static str, &'static str) {
    if entry.client_log {
        return match entry.text.split(' ').next() {
            Some("ERROR") => ("bad", "x"),
            Some("WARN") => ("open", "bolt"),
            _ => ("", "note"),
        };
    }
    let rule = entry.rule.unwrap_or("");
    let has = |word: &str| rule.contains(word) || entry.text.contains(word);
    if entry.who == "you" {
        return ("cmd", "cmd");
    }
    if entry.weight == Weight::Alarm {
        return ("bad", "x");
    }
    if entry.weight == Weight::Idle {
        return ("", "beat");
    }
    if has("high-watermark") || has("high watermark") {
        ("safe", "flag")
    } else if rule.contains("elect") || has("leader") {
        ("lead", "diamond")
    } else if has("fence") {
        ("lead", "fence")
    } else if has("ack") {
        ("safe", "check")
    } else if has("group") || has("member") || has("rebalance") {
        ("read", "people")
    } else if has("commit") || has("deliver") || has("consum") || has("poll") {
        ("read", "tri")
    } else if has("isr") || has("ISR") {
        ("open", "shield")
    } else {
        ("open", "copyr")
    }
}

/// What a row has room for: of a client's own line its level and message, without the client (which stands beside it) and
/// the logger. The title and "why?" have it whole.
fn words(entry: &LogEntry) -> String {
    let message = || {
        let (level, line) = entry.text.split_once(' ')?;
        let message = line
            .strip_prefix('[')
            .and_then(|line| line.split_once("] "))
            .map_or(line, |(_, m)| m);
        let end = message.rfind(" (org.apache.").unwrap_or(message.len());
        Some(format!("{level} {}", &message[..end]))
    };
    entry
        .client_log
        .then(message)
        .flatten()
        .unwrap_or_else(|| entry.text.clone())
}

fn view_row(i: usize, row: &Row, why: Option<(u64, u16)>, now: u64, bus: &Bus) -> Html {
    // Every child of the list needs a key: without, the spacers would be taken for rows when the window moves.
    let key = format!("row-{i}");
    let entry = match row {
        Row::Entry(entry) => entry,
        Row::Pause(us) => {
            return html! { <li class="ev fold" key={key}><time></time><Icon name="wait" /><span class="who"></span><span class="what">{ (t().quiet_for)(&format::span(*us)) }</span></li> };
        }
    };
    let (class, icon) = look(entry);
    let chosen = why == Some((entry.event, entry.index));
    let class = classes!(
        "ev",
        class,
        chosen.then_some("sel"),
        (!chosen && entry.event == now).then_some("now")
    );
    let loud = entry.weight >= Weight::Matters && entry.who != "you";
    html! {
        <li {class} {key} aria-current={chosen.then_some("true")} title={entry.text.clone()} onclick={bus.on(Msg::Why(entry.event, entry.index))}>
            <time>{ format::moment(entry.at_us) }</time><Icon name={icon} /><span class="who">{ &entry.who }</span>
            <span class="what">if loud { <b>{ words(entry) }</b> } else { { words(entry) } }</span>
        </li>
    }
}
