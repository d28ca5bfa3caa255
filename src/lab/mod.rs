//! The systems put into one world: the command language, runs, the ledger, invariants, "why?".

pub mod language;
pub mod view;
