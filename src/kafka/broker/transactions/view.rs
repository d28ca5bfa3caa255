//! What somebody outside sees of a broker's transactions: read only.

use crate::kafka::broker::server::Server;
use crate::kafka::transactions::TxnMetadata;
use std::rc::Rc;

/// One transactional id at its coordinator.
#[derive(Clone, Copy)]
pub struct TransactionView<'a> {
    pub id: &'a Rc<str>,
    /// Leader epoch of the partition of `__transaction_state`.
    pub coordinator_epoch: i32,
    pub txn: &'a TxnMetadata,
}

impl Server {
    /// The ids that this broker coordinates, by partition and id.
    pub fn transactions(&self) -> impl Iterator<Item = TransactionView<'_>> {
        self.transactions.shards.values().flat_map(|shard| {
            shard.ids.iter().map(|(id, txn)| TransactionView {
                id,
                coordinator_epoch: shard.epoch,
                txn,
            })
        })
    }
}
