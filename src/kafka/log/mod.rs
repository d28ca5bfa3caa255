//! The log of a replica: record batches, segments, leader epochs, producer state, and [`unified_log::Log`] over them.

pub mod append;
pub mod batch;
pub mod cleaner;
pub mod config;
pub mod epochs;
pub mod error;
pub mod files;
#[cfg(test)]
mod log_properties;
#[cfg(test)]
mod log_tests;
pub mod producer_entry;
#[cfg(test)]
mod producer_vectors;
pub mod producers;
pub mod read;
pub mod recovery;
pub mod retention;
pub mod segment;
pub mod truncation;
pub mod unified_log;
pub mod validate;
pub mod wire;
