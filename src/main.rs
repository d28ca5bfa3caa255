//! The headless command on a terminal; in a browser, the page's entry.

#[cfg(not(target_arch = "wasm32"))]
mod headless;

/// A run makes and drops some ten small things an event; this one is quicker at that than the system's.
#[cfg(not(target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(target_arch = "wasm32")]
fn main() {
    brokerlab::ui::mount();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    headless::run(&words)
}
