//! Clients: network, metadata, producer, consumer, admin.

pub mod admin;
pub mod call;
pub mod consumer;
pub mod note;
pub mod producer;
