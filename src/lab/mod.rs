//! The systems put into one world: the command language, runs, the ledger, invariants, "why?".

pub mod history;
pub mod invariants;
pub mod language;
pub mod ledger;
pub mod limits;
pub mod view;
