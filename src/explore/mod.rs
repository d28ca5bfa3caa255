//! Search: random schedules of faults, played until an invariant breaks, and cut down to what breaks it; and the other
//! way round, the smallest change of a scenario that keeps it from going wrong.

pub mod cure;
pub mod play;
pub mod schedule;
pub mod shrink;
