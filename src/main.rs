//! The headless command on a terminal; in a browser, the page's entry.

fn main() {}
