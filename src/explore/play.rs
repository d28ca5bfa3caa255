//! Plays a scenario's text from its start without keeping any history: thousands of runs a minute.

use crate::lab::language;
use crate::lab::scenario::{Due, stage};
use crate::lab::world::{World, kernel_time};
use crate::sim::Time;

/// A scenario played to its end.
pub struct Played {
    pub world: World,
    /// Lines that could not be done when their time came.
    pub refused: usize,
}

/// Plays a text up to `until_us` of the scenario's clock, or `events` events.
///
/// # Errors
/// The first error of the text.
pub fn play(text: &str, until_us: u64, events: u64) -> Result<Played, language::Error> {
    play_watched(text, until_us, events, &mut |_| {})
}

/// The same, and `watch` sees the world after every event.
///
/// # Errors
/// The first error of the text.
pub fn play_watched(
    text: &str,
    until_us: u64,
    events: u64,
    watch: &mut dyn FnMut(&World),
) -> Result<Played, language::Error> {
    let parsed = language::parse(text);
    if let Some(error) = parsed.errors.into_iter().next() {
        return Err(error);
    }
    let staged = stage(&parsed.scenario);
    let mut world = staged.world;
    let limit = world.sim.events() + events;
    let mut refused = staged.refused.len();
    for due in staged.timeline.iter().filter(|due| due.at <= kernel_time(until_us)) {
        run_before(&mut world, due.at, limit, watch);
        refused += usize::from(!carry_out(&mut world, due));
    }
    run_before(&mut world, kernel_time(until_us), limit, watch);
    world.settle_airborne();
    Ok(Played { world, refused })
}

/// Everything that is due before `at`.
fn run_before(world: &mut World, at: Time, limit: u64, watch: &mut dyn FnMut(&World)) {
    while world.sim.events() < limit && world.step_until(at.just_before()).is_some() {
        watch(world);
    }
    world.sim.pass_to(at);
}

fn carry_out(world: &mut World, due: &Due) -> bool {
    world.sim.command(due.at);
    let done = world.apply(&due.command).is_ok();
    world.observe();
    done
}
