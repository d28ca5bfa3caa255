//! What Kafka's processes say to each other: requests and responses by their names in the protocol, and errors.
//!
//! Only data lives here. Versions are those that a 4.3.1 client and broker agree on; fields that nothing in the
//! simulator reads are left out.

pub mod admin;
pub mod body;
pub mod consumer_group;
pub mod controller;
pub mod data;
pub mod errors;
pub mod groups;
pub mod share;
pub mod transactions;

pub use body::{Body, Msg, kind_of_tag};
pub use errors::ErrorCode;
