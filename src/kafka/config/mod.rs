//! Configuration keys, defaults, refusals, and typed settings.
//!
//! Names, types, defaults and the values that are taken stand in [`keys`]; [`value`] turns a text into a value or
//! refuses it in Kafka's own words. The rules never look at texts: they read the typed settings ([`TopicConfig`],
//! [`BrokerConfig`], [`GroupConfig`], [`ProducerConfig`], [`ConsumerConfig`], [`AdminConfig`]), which are made once from the given
//! texts and also hold the checks that Kafka's constructors make.

mod addresses;
pub mod admin;
pub mod broker;
mod client;
#[cfg(test)]
mod conflicts;
pub mod consumer;
pub mod decimal;
pub mod definition;
mod duration;
pub mod error;
pub mod group;
pub mod keys;
pub mod producer;
pub mod topic;
mod validate;
pub mod value;
pub mod values;

pub use admin::AdminConfig;
pub use broker::BrokerConfig;
pub use consumer::ConsumerConfig;
pub use definition::{Definition, Dynamic, Scope};
pub use error::ConfigError;
pub use group::GroupConfig;
pub use producer::ProducerConfig;
pub use topic::TopicConfig;
pub use values::Properties;
