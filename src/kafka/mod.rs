//! Apache Kafka 4.3.1 as sans-IO state machines: brokers, controller, coordinators, clients.
//!
//! Nothing here knows the scenario language, runs or the page. A process takes an input and collects effects
//! (`sim::Ctx`); the rules themselves are pure functions in the rooms below.

pub mod broker;
pub mod client;
pub mod config;
pub mod controller;
pub mod fetch_session;
pub mod fixes;
pub mod groups;
pub mod hash;
pub mod java_map;
pub mod listeners;
pub mod log;
pub mod metadata;
pub mod metrics;
pub mod note;
pub mod protocol;
pub mod rule;
pub mod stranger;
pub mod topic_name;
pub mod transactions;
pub mod types;
#[cfg(test)]
pub(crate) mod vectors;
pub mod wire;
