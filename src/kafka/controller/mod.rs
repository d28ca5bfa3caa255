//! The controller: registrations, partitions, elections, topics.

pub mod partition;
pub mod partition_change;
pub mod placement;

pub mod note;

/// What a controller waits for.
#[derive(Clone, Debug)]
pub enum ControllerTimer {}
