//! The admin client: one call at a time or many, each with its own deadline. [KafkaAdminClient]
//!
//! [`order`] has the calls, [`client`] the process that plays them, [`call`] one request of a call on its way, [`plan`]
//! which requests a call needs, [`reply`] what their answers mean, [`keyed`] and [`group`] the calls that first look for a
//! leader or a coordinator.

pub mod call;
pub mod client;
pub mod group;
pub mod keyed;
pub mod order;
pub mod plan;
pub mod reply;
mod share;
#[cfg(test)]
mod tests;
pub mod transactions;

pub use client::Admin;
pub use order::{AdminCall, AdminOrder, AdminTimer};
