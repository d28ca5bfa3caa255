//! The log of a replica.

pub mod batch;
pub mod wire;
