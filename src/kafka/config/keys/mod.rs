//! The tables of settings, one file a scope, as Kafka 4.3.1 defines them.

pub mod admin;
pub mod broker;
pub mod consumer;
pub mod group;
pub mod producer;
pub mod topic;
