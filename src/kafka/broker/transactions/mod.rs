//! The transaction coordinator in its broker: what waits for the log, markers on their way, and the questions of this
//! broker, as a leader, to other coordinators.
//!
//! A request's way: `requests` (the id's rules say what it becomes) -> `state_log` (append with acks=all, wait) -> what was
//! to follow. Markers: `markers` sends them to the leaders over `peers`, `write_markers` is the other end. `verification`
//! is the leader's side of KIP-890.

mod markers;
mod peers;
mod requests;
mod state_log;
mod verification;
mod view;
mod write_markers;

use super::server::Server;
use crate::kafka::transactions::{TxnMetadata, TxnState};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
pub use peers::PeerKind;
use std::collections::VecDeque;
use std::rc::Rc;
pub use view::TransactionView;

/// The ids of one partition of `__transaction_state`.
#[derive(Clone, Debug)]
pub(super) struct TxnShard {
    /// Leader epoch in which it was loaded: the coordinator epoch.
    pub epoch: i32,
    pub ids: OrderedMap<Rc<str>, Rc<TxnMetadata>>,
}

/// What a broker knows and does about transactions.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    /// Partitions of `__transaction_state`; 0 until the first metadata are known.
    partitions: i32,
    shards: OrderedMap<i32, TxnShard>,
    /// Partitions that are being read, in which leader epoch.
    loading: OrderedMap<i32, i32>,
    /// Appends to `__transaction_state` that wait for the high watermark.
    appends: OrderedMap<u64, state_log::Append>,
    next_token: u64,
    /// Tokens of what waited and is done now, with its error: taken up when the input is handled.
    pub done: VecDeque<(u64, crate::kafka::protocol::ErrorCode)>,
    markers: markers::Markers,
    peers: peers::Peers,
    writes: OrderedMap<u64, write_markers::MarkerWrite>,
    verifying: OrderedMap<u64, verification::Verifying>,
    questions: verification::Questions,
}

impl Transactions {
    /// There is something to send to another broker.
    pub fn want_peers(&mut self) {
        self.peers.wanted = true;
    }

    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// One id and the epoch of its coordinator.
    fn get(&self, partition: i32, id: &str) -> Option<(i32, &TxnMetadata)> {
        let shard = self.shards.get(&partition)?;
        Some((shard.epoch, shard.ids.get(id)?))
    }

    fn get_mut(&mut self, partition: i32, id: &str) -> Option<(i32, &mut TxnMetadata)> {
        let shard = self.shards.get_mut(&partition)?;
        let txn = shard.ids.get_mut(id)?;
        Some((shard.epoch, Rc::make_mut(txn)))
    }

    /// Ids with a transaction that is open.
    fn ongoing(&self) -> impl Iterator<Item = (&Rc<str>, &Rc<TxnMetadata>)> {
        let all = self.shards.values().flat_map(|shard| shard.ids.iter());
        all.filter(|(_, txn)| txn.value.state == TxnState::Ongoing)
    }
}

impl Server {
    /// What an input has made possible: answers, markers, questions.
    pub(super) fn after_transactions(&mut self, ctx: &mut Ctx) {
        while let Some((token, error)) = self.transactions.done.pop_front() {
            if self.transactions.appends.contains_key(&token) {
                self.append_done(token, error, ctx);
            } else {
                self.marker_write_done(token, ctx);
            }
        }
        self.drive_peers(ctx);
    }
}
