//! A broker: the replicas, the requests, the fetchers, its life with the controller.

pub mod follower;
pub mod high_watermark;
pub mod isr;
pub mod note;
pub mod partition;
#[cfg(test)]
mod partition_tests;

/// What a broker waits for.
#[derive(Clone, Debug)]
pub enum BrokerTimer {}
