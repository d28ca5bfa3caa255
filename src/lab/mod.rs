//! The systems put into one world: the command language, runs, the ledger, invariants, "why?".

pub mod apply;
pub mod branches;
pub mod checkpoints;
pub mod checks;
mod clients;
pub mod conform;
pub mod ghosts;
pub mod history;
pub mod invariants;
pub mod journal;
pub mod lanes;
pub mod language;
pub mod ledger;
pub mod library;
pub mod limits;
pub mod load;
pub mod node;
pub mod observe;
pub mod places;
pub mod run;
pub mod scenario;
pub mod show;
pub mod subjects;
pub mod view;
pub mod why;
pub mod wire;
pub mod world;
