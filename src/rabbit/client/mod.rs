//! Clients of the broker, as processes.

pub mod relay;
