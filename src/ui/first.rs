//! What a scenario shows first: its `view` line, and the moment at which the story begins.

use crate::lab::language::ast::{Content, When};
use crate::lab::language::{Command, parse, units};

use super::player::{FIRST_SPEED, SPEEDS};
use super::state::Tab;

/// A story without a timed line is shown when its cluster has settled.
const SETTLED_US: u64 = 2_000_000;

/// What the page shows when a scenario is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct First {
    pub at_us: u64,
    pub tab: Option<Tab>,
    /// A process.
    pub select: Option<String>,
    pub topic: Option<String>,
    /// Index of the speed.
    pub speed: u8,
}

/// Reads it from the text. Lines that can't be read say nothing.
pub fn of(text: &str) -> First {
    let mut first = First {
        at_us: SETTLED_US,
        tab: None,
        select: None,
        topic: None,
        speed: FIRST_SPEED,
    };
    let mut said = None;
    for line in parse(text).scenario.lines {
        if line.at_us > 0 && line.when != When::Same {
            first.at_us = first.at_us.min(line.at_us.saturating_sub(1));
        }
        let Content::Command(Command::View(view)) = line.content else {
            continue;
        };
        let option = |key: &str| view.options.get(key).map(|value| value.to_string());
        first.tab = option("tab")
            .and_then(|id| Tab::ALL.into_iter().find(|tab| tab.id() == id))
            .or(first.tab);
        first.select = option("select").or(first.select);
        first.topic = option("topic").or(first.topic);
        said = option("time").and_then(|time| units::parse_duration(&time)).or(said);
        first.speed = option("speed").and_then(|speed| nearest(&speed)).unwrap_or(first.speed);
    }
    first.at_us = said.unwrap_or(first.at_us);
    first
}

/// The speed that is nearest to so many times the usual one.
fn nearest(times: &str) -> Option<u8> {
    let times: f64 = times.parse().ok().filter(|t: &f64| *t > 0.0)?;
    let wanted = (SPEEDS[usize::from(FIRST_SPEED)] as f64 * times).ln();
    let far = |speed: u64| ((speed as f64).ln() - wanted).abs();
    let best = SPEEDS
        .iter()
        .enumerate()
        .min_by(|a, b| far(*a.1).total_cmp(&far(*b.1)))?;
    u8::try_from(best.0).ok()
}
