//! How large the stage is drawn. Below 100 % the boxes get more room and are drawn smaller, so that more is seen; above,
//! the stage is larger than its window and can be moved in it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, PointerEvent, TouchEvent, WheelEvent};
use yew::prelude::*;

use crate::ui::dom::{closest, set_style};
use crate::ui::state::*;

/// The least and the most, in percent.
const LEAST: u32 = 40;
const MOST: u32 = 300;

/// What one step multiplies the size by, in percent.
const STEP: u32 = 120;

/// Pixels that a pressed pointer moves before it drags the stage.
const SLACK: i32 = 4;

/// A size that is allowed.
pub fn within(percent: u32) -> u32 {
    percent.clamp(LEAST, MOST)
}

/// So many steps larger, or smaller. Passing 100 % stops there.
pub fn by(percent: u32, steps: i32) -> u32 {
    let mut now = percent;
    for _ in 0..steps.unsigned_abs() {
        let next = if steps > 0 { now * STEP / 100 } else { now * 100 / STEP };
        let passes = (now < 100 && next > 100) || (now > 100 && next < 100);
        now = if passes { 100 } else { within(next) };
    }
    now
}

/// The size at which all of the stage is seen at once, from what it is now.
pub fn that_fits(percent: u32) -> u32 {
    let document = gloo::utils::document();
    let find = |selector: &str| -> Option<HtmlElement> { document.query_selector(selector).ok()??.dyn_into().ok() };
    let (Some(ground), Some(field)) = (find(".ground"), find(".field3")) else {
        return 100;
    };
    let mut bottom = 1.0_f64;
    let top = field.get_bounding_client_rect().top();
    if let Ok(boxes) = field.query_selector_all("[data-node]") {
        let all = (0..boxes.length()).filter_map(|i| boxes.get(i)?.dyn_into::<Element>().ok());
        bottom = all
            .map(|e| e.get_bounding_client_rect().bottom() - top)
            .fold(bottom, f64::max);
    }
    let whole = bottom * 100.0 / f64::from(percent.max(1));
    within((f64::from(ground.client_height()) * 100.0 / whole) as u32).min(100)
}

/// Keeps the field at a size, and the point under the pointer where it is.
#[hook]
pub fn use_zoom(ground: &NodeRef, field: &NodeRef, percent: u32, bus: &Bus) {
    // Where the pointer was when the size was last asked for, and the size then.
    let anchor = use_mut_ref(|| None::<(f64, f64)>);
    let last = use_mut_ref(|| 100u32);
    {
        let (ground, field, anchor) = (ground.clone(), field.clone(), anchor.clone());
        use_effect_with(percent, move |percent| {
            let (Some(ground), Some(field)) = (ground.cast::<HtmlElement>(), field.cast::<HtmlElement>()) else {
                return;
            };
            let before = last.replace(*percent);
            draw_at(&field, *percent);
            let centre = (
                f64::from(ground.client_width()) / 2.0,
                f64::from(ground.client_height()) / 2.0,
            );
            let (x, y) = anchor.borrow_mut().take().unwrap_or(centre);
            let grown = f64::from(*percent) / f64::from(before);
            let keep = |scrolled: i32, at: f64| ((f64::from(scrolled) + at) * grown - at).round() as i32;
            let (left, top) = (keep(ground.scroll_left(), x), keep(ground.scroll_top(), y));
            ground.set_scroll_left(left);
            ground.set_scroll_top(top);
        });
    }
    let (ground, bus) = (ground.clone(), bus.clone());
    use_effect_with(percent, move |percent| {
        let listeners = ground.cast::<HtmlElement>().map(|element| {
            [
                on_wheel(&element, *percent, &bus, &anchor),
                on_start(&element, &anchor),
                on_pinch(&element, *percent, &bus, &anchor),
            ]
        });
        move || drop(listeners)
    });
}

/// Draws the field at a size. At 100 % nothing of it is left, so that text stays on whole pixels.
fn draw_at(field: &HtmlElement, percent: u32) {
    let room = if percent < 100 {
        format!("{}%", 10_000.0 / f64::from(percent))
    } else {
        "100%".to_owned()
    };
    let transform = if percent == 100 {
        "none".to_owned()
    } else {
        format!("scale({})", f64::from(percent) / 100.0)
    };
    set_style(field, "transform", &transform);
    set_style(field, "width", &room);
    set_style(field, "min-height", &room);
}

type Anchor = Rc<RefCell<Option<(f64, f64)>>>;

fn place_in(element: &HtmlElement, x: i32, y: i32) -> (f64, f64) {
    let rect = element.get_bounding_client_rect();
    (f64::from(x) - rect.left(), f64::from(y) - rect.top())
}

/// The wheel with Ctrl, or a pinch on a trackpad, which browsers tell as the same.
fn on_wheel(ground: &HtmlElement, percent: u32, bus: &Bus, anchor: &Anchor) -> EventListener {
    let (element, send, anchor) = (ground.clone(), bus.send.clone(), Rc::clone(anchor));
    EventListener::new_with_options(
        ground,
        "wheel",
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            let Some(event) = event.dyn_ref::<WheelEvent>() else {
                return;
            };
            if !event.ctrl_key() && !event.meta_key() {
                return;
            }
            event.prevent_default();
            let factor = (-event.delta_y() / 300.0).clamp(-0.5, 0.5).exp();
            anchor.replace(Some(place_in(&element, event.client_x(), event.client_y())));
            let wanted = (f64::from(percent) * factor).round() as u32;
            // Small turns must not be rounded away.
            let moved = if event.delta_y() < 0.0 {
                wanted.max(percent + 1)
            } else {
                wanted.min(percent.saturating_sub(1))
            };
            send.emit(Msg::Zoom(moved));
        },
    )
}

/// The distance of two fingers and their middle.
fn fingers(event: &TouchEvent) -> Option<(f64, i32, i32)> {
    let touches = event.touches();
    let (a, b) = (touches.get(0)?, touches.get(1)?);
    let (dx, dy) = (
        f64::from(a.client_x() - b.client_x()),
        f64::from(a.client_y() - b.client_y()),
    );
    let middle = ((a.client_x() + b.client_x()) / 2, (a.client_y() + b.client_y()) / 2);
    Some((dx.hypot(dy).max(1.0), middle.0, middle.1))
}

/// Remembers on the element how far apart two fingers began.
fn on_start(ground: &HtmlElement, anchor: &Anchor) -> EventListener {
    let (element, anchor) = (ground.clone(), Rc::clone(anchor));
    EventListener::new(ground, "touchstart", move |event| {
        if let Some((distance, x, y)) = event.dyn_ref::<TouchEvent>().and_then(fingers) {
            let _ = element.set_attribute("data-apart", &distance.to_string());
            anchor.replace(Some(place_in(&element, x, y)));
        }
    })
}

/// Two fingers that move apart or together.
fn on_pinch(ground: &HtmlElement, percent: u32, bus: &Bus, anchor: &Anchor) -> EventListener {
    let (element, send, anchor) = (ground.clone(), bus.send.clone(), Rc::clone(anchor));
    EventListener::new_with_options(
        ground,
        "touchmove",
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            let Some((distance, x, y)) = event.dyn_ref::<TouchEvent>().and_then(fingers) else {
                return;
            };
            event.prevent_default();
            let apart = element
                .get_attribute("data-apart")
                .and_then(|was| was.parse::<f64>().ok());
            let wanted = (f64::from(percent) * distance / apart.unwrap_or(distance)).round() as u32;
            if wanted.abs_diff(percent) >= 4 {
                let _ = element.set_attribute("data-apart", &distance.to_string());
                anchor.replace(Some(place_in(&element, x, y)));
                send.emit(Msg::Zoom(wanted));
            }
        },
    )
}

type Pointer = Callback<PointerEvent>;

/// Dragging the bare ground with the mouse moves the stage in its window. Fingers scroll it by themselves.
#[hook]
pub fn use_drag(ground: &NodeRef) -> (Pointer, Pointer, Pointer) {
    // Where the pointer went down, and how far the ground was scrolled then.
    let from = use_memo((), |()| Cell::new(None::<(i32, i32, i32, i32)>));
    let (node, start) = (ground.clone(), from.clone());
    let down = Callback::from(move |e: PointerEvent| {
        let bare = closest(e.target(), ".host, .client, .wire, button, a").is_none();
        let Some(element) = node.cast::<HtmlElement>().filter(|_| bare) else {
            return;
        };
        let larger =
            element.scroll_width() > element.client_width() || element.scroll_height() > element.client_height();
        if e.button() == 0 && e.pointer_type() == "mouse" && larger {
            start.set(Some((
                e.client_x(),
                e.client_y(),
                element.scroll_left(),
                element.scroll_top(),
            )));
        }
    });
    let (node, start) = (ground.clone(), from.clone());
    let moved = Callback::from(move |e: PointerEvent| {
        let (Some((x, y, left, top)), Some(element)) = (start.get(), node.cast::<HtmlElement>()) else {
            return;
        };
        let (dx, dy) = (e.client_x() - x, e.client_y() - y);
        let drags = element.has_pointer_capture(e.pointer_id());
        if !drags && (dx.abs() > SLACK || dy.abs() > SLACK) {
            // Refused only for a pointer that is already up again.
            let _ = element.set_pointer_capture(e.pointer_id());
        }
        if drags {
            element.set_scroll_left(left - dx);
            element.set_scroll_top(top - dy);
        }
    });
    let up = Callback::from(move |_: PointerEvent| from.set(None));
    (down, moved, up)
}
