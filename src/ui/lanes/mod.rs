//! Lanes: a space-time diagram of the run. Every process is a line from top to bottom, every message an arrow; what led
//! to the thing that was asked about is lit.

mod draw;
mod layout;

use web_sys::HtmlElement;
use yew::prelude::*;

use super::dom::{Same, use_size};
use super::icon::Icon;
use super::stage::Caption;
use super::state::*;
use super::texts::t;
use crate::lab::lanes::{Asked, Lanes as Picture, Passage};
use crate::ui::format;
use draw::{Heads, Space};
use layout::Layout;

/// Messages drawn while time plays, and while it stands.
const PLAYING: usize = 60;
const STANDING: usize = 160;

/// Messages that are told in words.
const TOLD: usize = 40;

/// Pixels from the end of the picture within which it follows the present.
const NEAR_END: i32 = 48;

#[derive(Properties, PartialEq)]
pub struct LanesProps {
    pub scene: Scene,
    pub caption: String,
    /// Events that led to what was asked about, sorted.
    pub causes: Option<Same<Vec<u64>>>,
    pub why: Option<(u64, u16)>,
    /// Heartbeats and idle polls too.
    pub idle: bool,
    pub selection: Option<Selection>,
}

/// The view.
#[component]
pub fn Lanes(props: &LanesProps) -> Html {
    let bus = use_bus();
    let only = use_state_eq(|| false);
    let ground = use_node_ref();
    let (width, _) = use_size(&ground);
    let narrowed = *only && props.causes.is_some();
    let picture = {
        let run = bus.run.clone();
        let most = if props.scene.playing { PLAYING } else { STANDING };
        use_memo(
            (props.scene.version, props.causes.clone(), narrowed, props.idle, most),
            move |(_, causes, only, idle, most)| {
                let lit: &[u64] = causes.as_ref().map_or(&[], |causes| &causes[..]);
                run.borrow().run.lanes(&Asked {
                    most: *most,
                    idle: *idle,
                    lit,
                    only_lit: *only,
                })
            },
        )
    };
    let now = props.scene.view.now_us;
    let layout = use_memo((picture.clone(), width, props.why), move |(picture, width, why)| {
        Layout::of(picture, *width, now, *why)
    });
    let asked = props.why.and_then(|(event, _)| place_of(&picture, &layout, event));
    let onscroll = use_following(&ground, (props.scene.version, narrowed, asked.map(|y| y as i32)));
    let onkeydown = walk(&bus, &picture, props.why);
    let toggle = {
        let (state, now) = (only.setter(), *only);
        Callback::from(move |_: MouseEvent| state.set(!now))
    };
    html! {
        <section class="lanes" id="stage" tabindex="-1" aria-label={t().lanes}>
            <Caption text={props.caption.clone()} bad={props.scene.view.ledger.lost > 0} />
            <div class="lane-key">
                { key_line("k-lit", t().lane_lit) }{ key_line("k-request", t().lane_request) }{ key_line("k-answer", t().lane_answer) }
                <span><Icon name="x" class="s" />{ t().lane_lost }</span>
                <span class="grow"></span>
                <button type="button" class="btn" aria-pressed={narrowed.to_string()} disabled={props.causes.is_none()} onclick={toggle} title={t().only_chain_note}><Icon name="target" />{ t().only_chain }</button>
            </div>
            <div class="lane-ground" ref={ground} tabindex="0" role="region" aria-label={t().lanes_ground} {onscroll} {onkeydown}>
                <Heads picture={Same(picture.clone())} layout={Same(layout.clone())} view={props.scene.view.clone()} selection={props.selection.clone()} />
                if picture.more { <p class="lane-more">{ t().lanes_older }</p> }
                <Space picture={Same(picture.clone())} {layout} lights={props.causes.is_some()} why={props.why} now_us={now} />
            </div>
            <ul class="vh" aria-label={t().lanes_list}>{ for told(&picture) }</ul>
        </section>
    }
}

/// A line of the key with its sample.
fn key_line(class: &'static str, words: &'static str) -> Html {
    html! { <span><svg class={classes!("sample", class)} aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" /></svg>{ words }</span> }
}

/// Where the picture has an event.
fn place_of(picture: &Picture, layout: &Layout, event: u64) -> Option<f64> {
    let crossing = picture
        .crossings
        .iter()
        .find(|c| c.event == Some(event))
        .map(|c| c.until_us);
    let happening = || picture.happenings.iter().find(|h| h.event == event).map(|h| h.at_us);
    crossing.or_else(happening).map(|us| layout.y(us))
}

/// Goes to what was asked about; else stays at the end of the picture while time goes on, unless the visitor has
/// scrolled away.
#[hook]
fn use_following(ground: &NodeRef, key: (u64, bool, Option<i32>)) -> Callback<Event> {
    let follows = use_mut_ref(|| true);
    {
        let (ground, follows) = (ground.clone(), follows.clone());
        use_effect_with(key, move |(_, _, asked)| {
            let Some(element) = ground.cast::<HtmlElement>() else {
                return;
            };
            let (top, height) = (element.scroll_top(), element.client_height());
            match asked {
                Some(y) if *y < top || *y > top + height - NEAR_END => element.set_scroll_top(y - height / 2),
                Some(_) => {}
                None if *follows.borrow() => element.set_scroll_top(element.scroll_height()),
                None => {}
            }
        });
    }
    let ground = ground.clone();
    Callback::from(move |_: Event| {
        if let Some(element) = ground.cast::<HtmlElement>() {
            let left = element.scroll_height() - element.scroll_top() - element.client_height();
            follows.replace(left < NEAR_END);
        }
    })
}

/// Up and down walk from message to message, and ask why of each.
fn walk(bus: &Bus, picture: &std::rc::Rc<Picture>, why: Option<(u64, u16)>) -> Callback<KeyboardEvent> {
    let (send, picture) = (bus.send.clone(), picture.clone());
    Callback::from(move |e: KeyboardEvent| {
        let mut events: Vec<(u64, u16)> = picture.crossings.iter().filter_map(|c| Some((c.event?, 0))).collect();
        events.extend(picture.happenings.iter().map(|h| (h.event, h.index)));
        crate::ordered::SortSmall::sort_small(&mut events[..]);
        let Some(last) = events.len().checked_sub(1) else {
            return;
        };
        let here = why.and_then(|why| events.iter().position(|event| *event == why));
        let next = match (e.key().as_str(), here) {
            ("ArrowDown", Some(i)) => (i + 1).min(last),
            ("ArrowUp", Some(i)) => i.saturating_sub(1),
            ("ArrowUp" | "ArrowDown", None) => last,
            _ => return,
        };
        e.prevent_default();
        send.emit(Msg::Why(events[next].0, events[next].1));
    })
}

/// The newest messages in words, for those who cannot see the picture.
fn told(picture: &Picture) -> Vec<Html> {
    let name = |lane: usize| picture.processes.get(lane).map_or("", |name| &**name);
    let skip = picture.crossings.len().saturating_sub(TOLD);
    let shown = picture.crossings.iter().skip(skip);
    shown
        .map(|c| {
            let (sent, until) = (format::moment(c.sent_us), format::moment(c.until_us));
            let words = (t().crossing)(
                c.kind,
                name(c.from),
                name(c.to),
                &sent,
                &until,
                c.passage == Passage::Lost,
            );
            html! { <li>{ words }</li> }
        })
        .collect()
}
