//! Share partitions (KIP-932): what a partition's leader knows of the records that a share group is working on.

mod acknowledge;
mod acquire;
pub mod partition;
#[cfg(test)]
mod tests;
