//! A broker: the replicas, the requests, the fetchers, its life with the controller.

pub mod follower;
pub mod high_watermark;
pub mod isr;
pub mod partition;
#[cfg(test)]
mod partition_tests;
