//! What the address asks of the page besides the scenario: `?figure&look=lanes&at=2.4s#...`. A figure is the page inside
//! another one, a blog's or a lesson's: the picture with its transport, and nothing that writes.

use super::state::Look;
use super::storage;
use crate::lab::language::units;

/// The word that makes the page a figure.
pub const FIGURE: &str = "figure";

/// What an address asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub figure: bool,
    pub look: Look,
    /// The moment to open at, in microseconds.
    pub at_us: Option<u64>,
    /// Time plays from the start on.
    pub plays: bool,
    pub theme: Option<String>,
}

/// What the page's own address asks for.
pub fn of_page() -> Frame {
    of(&gloo::utils::window().location().search().unwrap_or_default())
}

/// Reads the part of an address from `?` on. Words that it does not know say nothing.
fn of(search: &str) -> Frame {
    let mut frame = Frame {
        plays: true,
        ..Frame::default()
    };
    for part in search.trim_start_matches('?').split('&') {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match key {
            FIGURE => frame.figure = true,
            "look" => {
                frame.look = Look::ALL
                    .into_iter()
                    .find(|look| look.id() == value)
                    .unwrap_or_default()
            }
            "at" => frame.at_us = units::parse_duration(value),
            "still" => frame.plays = false,
            "theme" if matches!(value, "light" | "dark") => frame.theme = Some(value.to_owned()),
            _ => {}
        }
    }
    frame
}

/// The same run on the whole page: where "Open in Brokerlab" goes.
pub fn whole_page(text: &str, look: Look, now_us: u64) -> String {
    format!(
        "{}?{}#{}",
        storage::address(),
        options(look, now_us),
        storage::fragment(text)
    )
}

/// The address of a run as a figure.
pub fn figure(text: &str, look: Look, now_us: u64) -> String {
    format!(
        "{}?{FIGURE}&{}#{}",
        storage::address(),
        options(look, now_us),
        storage::fragment(text)
    )
}

fn options(look: Look, now_us: u64) -> String {
    format!("look={}&at={}&still", look.id(), units::duration(now_us))
}
