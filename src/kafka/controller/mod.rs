//! The controller: registrations, partitions, elections, topics.
//!
//! The process is in `process`; a request goes from there to the file named after it, which decides on the image as it
//! is and hands records back to be committed. Pure rules (`partition_change`, `election`, `reassignment`,
//! `isr_changes`, `placement`, `assignment`) know nothing of the process.

mod alter_partition;
mod answers;
pub mod assignment;
mod configs;
mod create_partitions;
mod elect_leaders;
pub mod election;
mod heartbeat;
pub mod isr_changes;
pub mod metadata_log;
mod metrics;
pub mod note;
mod note_text;
mod observe;
pub mod partition;
pub mod partition_change;
mod periodic;
pub mod placement;
mod process;
#[cfg(test)]
mod process_tests;
pub mod producer_ids;
pub mod raft;
mod reassign;
pub mod reassignment;
mod registration;
pub mod rules;
pub mod sessions;
pub mod setup;
mod topics;

pub use process::{BrokerView, Controller};
pub use raft::{QuorumView, RoleName};
pub use setup::ControllerSetup;

/// What a controller waits for.
#[derive(Clone, Debug)]
pub enum ControllerTimer {
    /// Look for brokers whose session has ended.
    FenceStale,
    /// Give leaderships back to preferred leaders.
    Balance,
    /// Unclean elections where they are allowed.
    ElectUnclean,
    /// The quorum.
    Raft(raft::RaftTimer),
}
