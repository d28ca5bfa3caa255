//! TODO-room: sim.
