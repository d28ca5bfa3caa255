//! Clients: network, metadata, producer, consumer, admin.

pub mod admin;
pub mod backoff;
pub mod call;
pub mod consumer;
pub mod link;
pub mod metadata;
pub mod network;
pub mod note;
pub mod producer;
pub mod rules;
