//! The headless command on a terminal; in a browser, the page's entry.

#[cfg(not(target_arch = "wasm32"))]
mod headless;

#[cfg(target_arch = "wasm32")]
fn main() {
    brokerlab::ui::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    headless::run(&words)
}
