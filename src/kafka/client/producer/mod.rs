//! The producer: `send()`, accumulator, sender, idempotence. [KafkaProducer, Sender]
//!
//! [`client`] is the process; [`send`] what the application's thread does, [`calls`] its open calls; [`sender`] what the
//! I/O thread does, [`answers`] how it takes answers, [`idempotence`] its ids and sequences.

pub mod answers;
pub mod calls;
pub mod client;
pub mod idempotence;
pub mod metrics;
pub mod note;
pub mod order;
pub mod rules;
pub mod send;
pub mod sender;
pub mod txn;
mod txn_answers;
mod txn_send;
pub mod txn_state;

#[cfg(test)]
mod tests;

pub use client::Producer;
pub use order::{NewHeaders, NewRecord, ProducerOrder, ProducerTimer, TransactionCall};
