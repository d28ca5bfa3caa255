//! Share groups (KIP-932) on a broker.
//!
//! As leader of a partition: [`partition`] is what one share group makes of its records (which are available, acquired,
//! finished), a pure state machine; [`manager`] keeps those machines, loads them, and sees to their locks. A member's
//! request: [`sessions`] (what it wants to read) -> [`acknowledgements`] and [`fetch`] -> the state machines, whose changes
//! [`persister`] has written -> the answer when both are there ([`exchange`]).
//!
//! As share coordinator: [`state`] is its memory, [`state_log`] its requests and its topic.

mod acknowledge;
mod acknowledgements;
mod acquire;
pub(super) mod exchange;
pub(super) mod fetch;
pub(super) mod manager;
pub mod note;
mod offsets;
pub mod partition;
pub(super) mod persister;
pub mod rules;
pub(super) mod sessions;
pub mod state;
pub(super) mod state_log;
#[cfg(test)]
mod tests;
pub mod view;

use super::BrokerTimer;
use crate::kafka::note::ShareFate;
use crate::ordered::OrderedMap;
use crate::sim::ConnId;
use exchange::Exchange;
use manager::Shared;
use persister::Persister;
use sessions::{SessionKey, ShareSession};
use state::ShareKey;
use state_log::StateLog;
use std::rc::Rc;

/// Records that are finished once a write is through: first, last, how.
pub(super) type Fated = (i64, i64, ShareFate);

/// Everything that a broker keeps for share groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Shares {
    /// Share partitions that somebody reads here.
    pub cache: OrderedMap<ShareKey, Rc<Shared>>,
    /// Their keys by number: a share partition that is loaded again has another one.
    pub serials: OrderedMap<u64, ShareKey>,
    pub sessions: OrderedMap<SessionKey, ShareSession>,
    /// The session that was opened last on each connection, over or not.
    pub opened: OrderedMap<ConnId, SessionKey>,
    /// Requests that are not answered yet.
    pub exchanges: OrderedMap<u64, Exchange>,
    pub persister: Persister,
    pub states: StateLog,
    next: u64,
}

impl Shares {
    /// A number that was not given out before.
    pub fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The timer of a share partition's locks.
fn lock_timer(serial: u64) -> BrokerTimer {
    BrokerTimer::ShareLock(serial)
}
