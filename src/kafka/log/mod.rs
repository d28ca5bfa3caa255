//! The log of a replica.

pub mod batch;
pub mod epochs;
pub mod wire;
