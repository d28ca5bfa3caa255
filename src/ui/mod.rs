//! The page: draws a run and turns clicks and keys into commands; decides nothing of what happens in it.
//!
//! `app` holds the run and the page's state; everything else draws from what it publishes (`state::Scene`) and sends
//! messages back (`state::Msg`).

mod acts;
mod app;
mod compare;
mod complete;
mod dom;
mod fidelity;
mod figure;
mod first;
mod format;
mod frame;
mod icon;
mod keys;
mod lanes;
mod layers;
mod ledger;
mod panel;
mod player;
mod session;
mod stage;
mod state;
mod storage;
mod table;
mod texts;
mod theme;
mod timeline;
mod topbar;

use wasm_bindgen::prelude::*;

// static/boot.js has these. scripts/split.mjs puts calls of `missing` where a function has moved to the second module.
#[wasm_bindgen(js_namespace = brokerlab)]
extern "C" {
    fn begin(exports: JsValue);
    fn missing(function: u32);
}

/// Stands for "no function": keeps the import in a module that is not split yet.
const NO_FUNCTION: u32 = u32::MAX;

/// Lets the second part of the program be fetched while the first runs.
fn begin_rest() {
    begin(wasm_bindgen::exports());
    if std::hint::black_box(false) {
        missing(NO_FUNCTION);
    }
}

/// Mounts the page in the element `#app`, or in the body where there is none.
pub fn mount() {
    begin_rest();
    let document = gloo::utils::document();
    match document.get_element_by_id("app") {
        Some(root) => {
            root.set_inner_html("");
            yew::Renderer::<app::App>::with_root(root).render();
        }
        None => {
            yew::Renderer::<app::App>::with_root(
                document
                    .body()
                    .map(Into::into)
                    .unwrap_or_else(gloo::utils::document_element),
            )
            .render();
        }
    }
}
