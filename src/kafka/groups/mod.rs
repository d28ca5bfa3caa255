//! The group coordinator.
pub mod assignors;
