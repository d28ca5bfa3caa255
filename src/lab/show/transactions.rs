//! Transactions: as their coordinators have them, and what is open in a partition.

use crate::kafka::broker::ReplicaView as Replica;
use crate::kafka::types::NodeId;
use crate::lab::view::{OpenTransactionView, TransactionView};
use crate::lab::world::World;

/// The transactional ids that a broker coordinates.
pub fn coordinated_by(world: &World, node: NodeId) -> Vec<TransactionView> {
    let broker = world.broker(node).into_iter();
    let all = broker.flat_map(|broker| broker.transactions());
    all.map(|known| {
        let value = &known.txn.value;
        TransactionView {
            id: known.id.to_string(),
            producer_id: value.producer_id,
            epoch: value.epoch,
            state: value.state.name(),
            partitions: value
                .partitions
                .iter()
                .map(|p| format!("{}/{}", p.topic, p.partition))
                .collect(),
            timeout_ms: value.timeout_ms,
        }
    })
    .collect()
}

/// Producers with an open transaction in a log, the oldest first: the first one's first offset is the last stable offset.
pub fn open_in(replica: &Replica<'_>) -> Vec<OpenTransactionView> {
    let entries = replica
        .log()
        .into_iter()
        .flat_map(|log| log.producers().entries().values());
    let mut open: Vec<OpenTransactionView> = entries
        .filter_map(|entry| {
            Some(OpenTransactionView {
                first_offset: entry.txn_first_offset?,
                producer_id: entry.id,
                epoch: entry.epoch,
            })
        })
        .collect();
    crate::ordered::SortSmall::sort_small_by_key(open.as_mut_slice(), |txn| txn.first_offset);
    open
}
