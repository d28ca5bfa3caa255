//! The controller: registrations, partitions, elections, topics.

pub mod assignment;
pub mod election;
pub mod isr_changes;
pub mod partition;
pub mod partition_change;
pub mod placement;
pub mod reassignment;

pub mod note;

/// What a controller waits for.
#[derive(Clone, Debug)]
pub enum ControllerTimer {}
