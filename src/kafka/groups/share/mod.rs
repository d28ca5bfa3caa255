//! Share groups (KIP-932): members of the newer protocol that read partitions together. Nobody has to give anything up
//! before another gets it, so a member takes its target at once. Only partitions whose share state is initialized are
//! assigned: the coordinator has the share coordinator do that first. [GroupMetadataManager, ShareGroup]
//!
//! [`heartbeat`]: a member's only request; [`target`]: the assignor `simple`; [`topics`]: whose state is initialized;
//! [`offsets`]: what operators change; [`work`]: what the broker has to have the share coordinator do.

mod describe;
pub(super) mod heartbeat;
mod offsets;
mod target;
pub(super) mod topics;
mod work;

pub use work::ShareWork;

/// The assignor of all share groups. [SimpleAssignor]
pub(super) const ASSIGNOR: &str = "simple";
