//! Clients: network, metadata, producer, consumer, admin.

pub mod accumulator;
pub mod admin;
pub mod backoff;
pub mod bootstrap;
pub mod buffer_pool;
pub mod call;
pub mod consumer;
pub mod drain;
pub mod link;
pub mod log;
pub mod metadata;
pub mod network;
pub mod note;
pub mod partitioner;
pub mod producer;
pub mod producer_batch;
pub mod rules;
pub mod snapshot;
#[cfg(test)]
pub(crate) mod testing;
