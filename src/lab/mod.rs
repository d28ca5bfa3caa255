//! The systems put into one world: the command language, runs, the ledger, invariants, "why?".

pub mod apply;
mod clients;
pub mod conform;
pub mod history;
pub mod invariants;
pub mod language;
pub mod ledger;
pub mod library;
pub mod limits;
pub mod load;
pub mod node;
pub mod observe;
pub mod places;
pub mod scenario;
pub mod view;
pub mod world;
