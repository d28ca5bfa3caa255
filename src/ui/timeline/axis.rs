//! The axis of virtual time that everything drawn over time shares: the timeline itself, and the charts.

use std::rc::Rc;

use yew::prelude::*;

pub use super::scale::Scale;
use crate::lab::view::Density;
use crate::ui::state::*;

/// Stretches that the density is counted in.
const BINS: usize = 120;

/// How much happened when, and the scale that its folds are made from.
#[hook]
pub fn use_axis(scene: &Scene) -> (Rc<Vec<Density>>, Rc<Scale>) {
    let bus = use_bus();
    let grown = (
        scene.end_us / 50_000,
        scene.end_event / 50,
        scene.text.clone(),
        scene.fold,
        scene.branches.iter().position(|b| b.current),
    );
    let bins = {
        let (run, end) = (bus.run.clone(), scene.end_us);
        use_memo(grown.clone(), move |_| run.borrow().run.density(0, end, BINS))
    };
    let last_mark = scene.marks.iter().map(|m| m.at_us).max().unwrap_or(0);
    let longest = scene.branches.iter().map(|b| b.end_us).max().unwrap_or(0);
    let span = round_up(scene.end_us.max(last_mark).max(longest));
    let (end, counted) = (scene.end_us, Rc::clone(&bins));
    let scale = use_memo((grown, span), move |(grown, span)| {
        Scale::new(*span, end, &counted, grown.3)
    });
    (bins, scale)
}

/// The end of the axis: a little room after the last thing.
fn round_up(us: u64) -> u64 {
    let mut step = 1_000;
    while us / step > 20 {
        step *= 2;
    }
    (us / step + 2) * step
}
