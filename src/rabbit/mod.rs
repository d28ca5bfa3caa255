//! RabbitMQ 3.10.8 as sans-IO state machines: the broker and its clients, AMQP 0-9-1, one virtual host, one node.
//!
//! Nothing here knows the scenario language, runs or the page. A process takes an input and collects effects
//! (`sim::Ctx`); the rules themselves are pure functions in the rooms below.

pub mod arguments;
pub mod broker;
pub mod client;
pub mod dead_letter;
pub mod error;
pub mod expiration;
pub mod message;
pub mod note;
pub mod protocol;
pub mod queue;
pub mod routing;
pub mod rules;
pub mod value;
pub mod wire;
