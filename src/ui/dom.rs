//! Small helpers around the browser: style properties set through the DOM (the content security policy forbids inline
//! styles), the window, media queries.

use std::rc::Rc;

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement};
use yew::prelude::*;

/// Sets style properties of the element behind `node` whenever they change.
#[hook]
pub fn use_style(node: &NodeRef, properties: Vec<(&'static str, String)>) {
    let node = node.clone();
    use_effect_with(properties, move |properties| {
        if let Some(element) = node.cast::<HtmlElement>() {
            for (name, value) in properties {
                set_style(&element, name, value);
            }
        }
    });
}

/// Sets one style property. A refusal (an unknown property) changes nothing and matters to nobody.
pub fn set_style(element: &HtmlElement, name: &str, value: &str) {
    let _ = element.style().set_property(name, value);
}

/// The nearest ancestor (or the element itself) that matches `selector`.
pub fn closest(target: Option<web_sys::EventTarget>, selector: &str) -> Option<Element> {
    target?.dyn_into::<Element>().ok()?.closest(selector).ok().flatten()
}

/// Whether a media query holds now.
pub fn media(query: &str) -> bool {
    gloo::utils::window()
        .match_media(query)
        .ok()
        .flatten()
        .is_some_and(|m| m.matches())
}

/// The visitor asked for no motion.
pub fn reduced_motion() -> bool {
    media("(prefers-reduced-motion: reduce)")
}

/// The phone and tablet layout.
pub fn narrow() -> bool {
    media("(max-width: 899px)")
}

/// Calls back when the size of the element behind a node changes; ends when dropped.
pub struct SizeWatch {
    observer: web_sys::ResizeObserver,
    _on_size: Closure<dyn FnMut()>,
}

impl SizeWatch {
    /// Watches `element`; `None` where the browser knows no such thing.
    pub fn new(element: &Element, on_size: impl FnMut() + 'static) -> Option<SizeWatch> {
        let on_size: Closure<dyn FnMut()> = Closure::new(on_size);
        let observer = web_sys::ResizeObserver::new(on_size.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(SizeWatch {
            observer,
            _on_size: on_size,
        })
    }
}

impl Drop for SizeWatch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Width and height of the element behind `node`, kept up to date.
#[hook]
pub fn use_size(node: &NodeRef) -> (u32, u32) {
    let size = use_state_eq(|| (0, 0));
    let (setter, node) = (size.setter(), node.clone());
    use_effect_with((), move |()| {
        let watch = node.cast::<Element>().and_then(|element| {
            let seen = element.clone();
            let measure = move || setter.set((seen.client_width().max(0) as u32, seen.client_height().max(0) as u32));
            measure();
            SizeWatch::new(&element, measure)
        });
        move || drop(watch)
    });
    *size
}

/// An `Rc` that is compared by pointer, for props.
#[derive(Debug)]
pub struct Same<T: ?Sized>(pub Rc<T>);

impl<T: ?Sized> Clone for Same<T> {
    fn clone(&self) -> Self {
        Same(Rc::clone(&self.0))
    }
}

impl<T: ?Sized> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: ?Sized> std::ops::Deref for Same<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
