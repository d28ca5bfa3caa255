//! The controllers' quorum (KRaft): who leads, and which records of the metadata log are committed.
//!
//! `state` has what a voter is and the pure rules; `election` goes from one state to the next; `votes`, `epochs` and
//! `fetches` answer what other voters (and brokers, as observers) ask; `follower` takes what the leader answers; `peers`
//! are the connections to other voters; `requests` decides who is asked what next. Rules: `kafka-controller.md`,
//! sections 2 and 3. [KafkaRaftClient, QuorumState]

mod answers;
mod election;
mod epochs;
mod fetches;
mod follower;
pub mod note;
mod peers;
mod requests;
mod rules;
mod state;
mod votes;

pub(super) use state::Raft;
pub use state::{QuorumView, RoleName};

use crate::kafka::types::NodeId;

/// What a voter waits for.
#[derive(Clone, Debug)]
pub enum RaftTimer {
    /// The election, fetch or check-quorum time-out, or what is left of it.
    Deadline,
    /// A leader looks for voters that do not fetch.
    Begin,
    /// A voter does not answer.
    Request(NodeId),
    /// A voter may be asked again.
    Retry(NodeId),
    /// Any voter may be asked who leads.
    Search,
    /// A fetch of the metadata log has waited long enough.
    FetchWait(u32),
    /// An orderly shutdown has waited long enough for a successor.
    Shutdown,
}
