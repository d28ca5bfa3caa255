//! The transaction coordinator's rules: what it knows of a transactional id, and what each request changes.
//!
//! An id lives in one partition of `__transaction_state`, and whoever leads that partition is its coordinator. A request's
//! way: [`requests`] says what the id becomes, the broker (`broker/transactions`) appends that as a [`records`] record with
//! acks=all, and only then it counts: [`metadata::TxnMetadata::complete`]. While it waits for the high watermark the id has
//! a pending state, and others are told CONCURRENT_TRANSACTIONS.
//! [TransactionCoordinator, TransactionStateManager, TransactionMetadata]

pub mod metadata;
pub mod note;
pub mod records;
pub mod requests;
pub mod rules;
#[cfg(test)]
mod tests;

pub use metadata::{TxnMetadata, TxnState, TxnValue};
