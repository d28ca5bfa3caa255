//! The headless command on a terminal; in a browser, the page's entry.

#[cfg(target_arch = "wasm32")]
fn main() {
    brokerlab::ui::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
