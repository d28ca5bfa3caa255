//! Rules: the named behaviours that "why?" answers with.

pub use crate::sim::rule::{Rule, Weight};

/// Names for ids, as whoever prints a note knows them.
pub trait Names {
    /// `loan_request-0`.
    fn partition(&self, partition: super::types::TopicPartition) -> String;
    /// The scenario's name of a broker or controller: `b1`.
    fn node(&self, id: super::types::NodeId) -> String;
}
