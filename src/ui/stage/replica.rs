//! One row: one copy of one partition, its records as cells, its log end offset and high watermark as flags.

use std::rc::Rc;

use web_sys::KeyboardEvent;
use yew::prelude::*;

use crate::lab::view::{CellState, CellView, ReplicaView, Role};
use crate::ui::dom::use_style;
use crate::ui::format;
use crate::ui::icon::Icon;
use crate::ui::state::*;
use crate::ui::texts::t;

#[derive(Properties, PartialEq)]
pub struct ReplicaProps {
    pub broker: String,
    pub replica: Rc<ReplicaView>,
    pub down: bool,
    /// Another row is concerned.
    pub dim: bool,
    /// The offset at which the row begins.
    pub from: i64,
    /// Cells that fit.
    pub fit: usize,
    pub selection: Option<Selection>,
}

/// The row.
#[component]
pub fn Replica(props: &ReplicaProps) -> Html {
    let bus = use_bus();
    let r = &props.replica;
    let leads = r.role == Role::Leader;
    let class = classes!(
        "rep",
        leads.then_some("is-leader"),
        (!r.in_sync).then_some("out-of-isr"),
        props.dim.then_some("dim")
    );
    let cells: Vec<&CellView> = r
        .cells
        .iter()
        .filter(|c| c.offset >= props.from)
        .take(props.fit + 2)
        .collect();
    let chosen = match &props.selection {
        Some(Selection::Record {
            broker,
            topic,
            partition,
            offset,
        }) if *topic == r.topic && *partition == r.partition => Some((*offset, *broker == props.broker)),
        _ => None,
    };
    let here = Selection::Replica {
        broker: props.broker.clone(),
        topic: r.topic.clone(),
        partition: r.partition,
    };
    let picked = props.selection.as_ref() == Some(&here);
    let onkeydown = keys(&bus, props, chosen);
    let menu = {
        let (send, here) = (bus.send.clone(), here.clone());
        Callback::from(move |e: MouseEvent| {
            e.prevent_default();
            e.stop_propagation();
            send.emit(Msg::MenuOf(here.clone(), e.client_x(), e.client_y()));
        })
    };
    let first = cells.first().map_or(props.from, |c| c.offset);
    let hidden = first > r.start;
    let shift = (first - props.from).max(0);
    let past = cells.last().map_or(0, |c| c.offset + 1 - r.end).max(0);
    html! {
        <div class={class} oncontextmenu={menu}>
            <button type="button" class={classes!("rep-label", picked.then_some("selected"))} tabindex="-1" onclick={bus.on(Msg::Inspect(here))} title={format!("{}/{}@{}", r.topic, r.partition, props.broker)}>
                <b>{ format!("P{}", r.partition) }</b>
                <span class="role">if leads { <Icon name="star" /> }{ role(r) }</span>
                <span class="sub">{ sub(r) }</span>
            </button>
            <div class={classes!("strip", hidden.then_some("more"))} data-node={format!("{}/{}/{}", props.broker, r.topic, r.partition)}>
                <ol class="log" role="listbox" tabindex="0" aria-label={(t().log_label)(r, &props.broker)} {onkeydown}>
                    if shift > 0 { <Gap key="gap" cells={shift} /> }
                    { for cells.iter().map(|cell| view_cell(cell, props, chosen, &bus)) }
                </ol>
                <Flag kind="leo" word="LEO" n={r.end} at={r.end - props.from} {past} />
                // A process that is down knows no high watermark.
                if r.role != Role::Offline { <Flag kind="hw" word="HW" n={r.high_watermark} at={r.high_watermark - props.from} past={0} /> }
                { for cells.iter().filter(|c| c.opens_epoch && c.offset > props.from).map(|c| html! {
                    <Pole key={c.offset} at={c.offset - props.from} epoch={c.epoch} />
                }) }
            </div>
        </div>
    }
}

fn role(r: &ReplicaView) -> &'static str {
    match r.role {
        Role::Leader => t().leader,
        Role::Follower => t().follower,
        Role::Offline => t().offline,
    }
}

/// Epoch, and the ISR (leader) or the replica's standing in it.
fn sub(r: &ReplicaView) -> Html {
    match (r.role, r.in_sync) {
        (Role::Offline, true) => html! { { t().still_in_isr } },
        (Role::Offline, false) => html! { <em>{ t().out_of_isr }</em> },
        (Role::Leader, _) => html! { { (t().epoch_isr)(r.epoch, &format::names(&r.isr)) } },
        (_, true) => html! { { (t().epoch_in_sync)(r.epoch) } },
        (_, false) => html! { <>{ format!("e{} · ", r.epoch) }<em>{ t().out_of_isr }</em></> },
    }
}

/// What a cell's state is called.
pub fn state_word(state: CellState) -> &'static str {
    match state {
        CellState::Committed => t().committed,
        CellState::Open => t().not_committed,
        CellState::Lost => t().lost,
        CellState::Truncated => t().truncated,
        CellState::Control => t().control_record,
    }
}

fn view_cell(cell: &CellView, props: &ReplicaProps, chosen: Option<(i64, bool)>, bus: &Bus) -> Html {
    let look = match cell.state {
        CellState::Committed => "",
        CellState::Open => "is-open",
        CellState::Lost => "is-lost",
        CellState::Truncated => "is-cut",
        CellState::Control => "is-ctl",
    };
    let (selected, twin) = match chosen {
        Some((offset, own)) if offset == cell.offset => (own, !own),
        _ => (false, false),
    };
    let tombstone = cell.value.is_none() && cell.key.is_some() && cell.state == CellState::Committed;
    let name = cell
        .marker
        .or(cell.key.as_deref())
        .or(cell.value.as_deref())
        .unwrap_or("");
    let said = said(cell);
    let selection = Selection::Record {
        broker: props.broker.clone(),
        topic: props.replica.topic.clone(),
        partition: props.replica.partition,
        offset: cell.offset,
    };
    let onclick = bus.on(Msg::Select(Some(selection.clone())));
    let ondblclick = bus.on(Msg::Inspect(selection));
    let class = classes!(
        "rec",
        look,
        twin.then_some("twin"),
        cell.aborted.then_some("is-aborted"),
        tombstone.then_some("is-tomb")
    );
    let removed = html! { if cell.removed > 0 { <Gap key={format!("gap{}", cell.offset)} cells={cell.removed} title={(t().removed_by_compaction)(cell.removed)} /> } };
    html! {
        <>{ removed }<li {class} role="option" aria-selected={selected.to_string()} title={(t().cell_title)(cell.offset, name, &said)} key={cell.offset} {onclick} {ondblclick}>
            <span class="off">{ cell.offset }</span>{ " " }
            <span class="key"><span class="s">{ format::short(name) }</span><span class="l">{ name.chars().take(8).collect::<String>() }</span></span>
            <span class="vh">{ format!(", {said}") }</span>
            if cell.acknowledged { <Icon name="check" class="ack" /> }
        </li></>
    }
}

/// A cell's state in words.
fn said(cell: &CellView) -> String {
    let mut words = vec![state_word(cell.state)];
    words.extend(cell.acknowledged.then_some(t().acknowledged));
    words.extend(cell.aborted.then_some(t().aborted));
    words.join(", ")
}

/// Arrows move the selection inside the log.
fn keys(bus: &Bus, props: &ReplicaProps, chosen: Option<(i64, bool)>) -> Callback<KeyboardEvent> {
    let send = bus.send.clone();
    let (broker, replica) = (props.broker.clone(), Rc::clone(&props.replica));
    Callback::from(move |e: KeyboardEvent| {
        let offsets: Vec<i64> = replica.cells.iter().map(|c| c.offset).collect();
        if offsets.is_empty() || e.ctrl_key() || e.alt_key() || e.shift_key() {
            return;
        }
        let last = offsets.len() - 1;
        let here = chosen.and_then(|(offset, _)| offsets.iter().position(|o| *o == offset));
        let next = match (e.key().as_str(), here) {
            ("ArrowRight", Some(i)) => (i + 1).min(last),
            ("ArrowLeft", Some(i)) => i.saturating_sub(1),
            ("ArrowRight" | "ArrowLeft" | "End", _) => last,
            ("Home", _) => 0,
            _ => return,
        };
        e.prevent_default();
        let selection = Selection::Record {
            broker: broker.clone(),
            topic: replica.topic.clone(),
            partition: replica.partition,
            offset: offsets[next],
        };
        send.emit(Msg::Select(Some(selection)));
    })
}

#[derive(Properties, PartialEq)]
struct GapProps {
    cells: i64,
    #[prop_or_default]
    title: String,
}

/// Room for offsets that this copy doesn't have: its log starts later, or compaction took them.
#[component]
fn Gap(props: &GapProps) -> Html {
    let node = use_node_ref();
    use_style(&node, vec![("--n", props.cells.to_string())]);
    let class = classes!("gap", (!props.title.is_empty()).then_some("is-removed"));
    html! { <li {class} role="presentation" ref={node} title={props.title.clone()}></li> }
}

#[derive(Properties, PartialEq)]
struct FlagProps {
    kind: &'static str,
    word: &'static str,
    n: i64,
    /// Cells from the row's beginning.
    at: i64,
    /// Ghosts of records behind the pole, behind which its figure stands.
    past: i64,
}

/// A pole on the boundary between two offsets, with a figure.
#[component]
fn Flag(props: &FlagProps) -> Html {
    let node = use_node_ref();
    use_style(
        &node,
        vec![
            ("--at", props.at.max(0).to_string()),
            ("--past", props.past.to_string()),
        ],
    );
    html! { <span class={classes!("flag", props.kind)} ref={node} aria-hidden="true"><i>{ props.word }</i>{ props.n }</span> }
}

#[derive(Properties, PartialEq)]
struct PoleProps {
    at: i64,
    epoch: i32,
}

/// Where a leader epoch begins.
#[component]
fn Pole(props: &PoleProps) -> Html {
    let node = use_node_ref();
    use_style(&node, vec![("--at", props.at.to_string())]);
    html! { <span class="epoch-cut" ref={node} title={(t().epoch_starts)(props.epoch)}></span> }
}
