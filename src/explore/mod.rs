//! Search: random schedules of faults, played until an invariant breaks, and cut down to what breaks it.

pub mod play;
pub mod schedule;
pub mod shrink;
