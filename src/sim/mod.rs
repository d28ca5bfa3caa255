//! The deterministic kernel: virtual time, the event queue, seeded randomness, hosts, links and connections, disks,
//! faults on all of them, and the cause of every event. It knows no broker.
//!
//! A world is a [`Sim`]: processes on hosts, and a queue of what happens next. [`Sim::step`] handles exactly one event.
//! A process sees the world through its [`Ctx`] alone. A `Sim` is a value: `clone` is a snapshot.

pub mod clock;
pub mod conn;
pub mod ctx;
pub mod disk;
pub mod hash;
pub mod network;
pub mod process;
pub mod queue;
pub mod random;
pub mod rule;
pub mod slab;
pub mod world;

pub use clock::{Span, Time};
pub use conn::{Addr, ConnId};
pub use ctx::Ctx;
pub use process::{Halt, HostId, Input, Payload, ProcId, Process, TimerId, Wire};
pub use random::Random;
pub use world::{Embeds, EventKind, Resident, Sim, Step};
