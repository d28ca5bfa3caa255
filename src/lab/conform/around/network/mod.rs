//! Clients and a broker with the network between them, as tests/vectors/listeners/README.md describes it.
//!
//! [`stage`] builds the world of a recording, [`watch`] notes what the client does and sees, [`compare`] says what
//! differs.

mod compare;
mod stage;
mod watch;

use serde_json::{Map, Value};

/// Plays a case; the error says what differs.
pub fn play(case: &Map<String, Value>) -> Result<(), String> {
    let staged = stage::stage(case)?;
    let seen = watch::watch(staged)?;
    compare::compare(case, &seen)
}
