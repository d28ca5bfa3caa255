//! The group coordinator.
pub mod assignors;

pub mod note;
