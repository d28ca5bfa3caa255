//! What clients report to people: their own log lines and what their state machines did.

use crate::kafka::rule::Weight;
use std::rc::Rc;

/// A client's observation.
#[derive(Clone, Debug, Hash)]
pub enum ClientNote {
    /// A line of the client's own log, exact, with its level (`INFO`, `WARN`, `ERROR`).
    Log {
        level: &'static str,
        text: Rc<str>,
        weight: Weight,
    },
}
