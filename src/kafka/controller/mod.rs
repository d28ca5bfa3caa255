//! The controller: registrations, partitions, elections, topics.

pub mod partition;
pub mod partition_change;
