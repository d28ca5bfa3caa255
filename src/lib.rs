//! Brokerlab: a deterministic step simulator of message brokers.
//!
//! The floors of the house, lowest first; each may use those below it, never one above, and neighbours on a floor do
//! not know each other (`tests/floors.rs` checks it):
//!
//! 0. [`ordered`], collections in a fixed order whose code stays small.
//! 1. [`sim`], the kernel: virtual time, events, network, disks, randomness, causes.
//! 2. [`kafka`], Apache Kafka, [`rabbit`], RabbitMQ, [`serving`], web servers, and
//!    [`docker`], containers, as sans-IO state machines and pure rules.
//! 3. [`lab`], the systems in one world: the language, runs, the ledger, invariants, "why?".
//! 4. [`console`], the tools' command lines; [`explore`], the search for schedules that break an invariant; [`share`], links.
//! 5. `ui`, the page (only in wasm).
//!
//! `src/main.rs` mounts the page in a browser and is the headless command on a terminal.

pub mod console;
pub mod docker;
pub mod explore;
pub mod kafka;
pub mod lab;
pub mod ordered;
pub mod rabbit;
pub mod serving;
pub mod share;
pub mod sim;
#[cfg(target_arch = "wasm32")]
pub mod ui;
