//! The ledger as the page shows it.

use crate::lab::ledger::Entry;
use crate::lab::view::{FateView, LedgerView};
use crate::lab::world::{World, lab_us};

/// Sums over all records.
pub fn sums(world: &World) -> LedgerView {
    let sums = world.ledger.sums();
    LedgerView {
        sent: sums.sent,
        appended: sums.appended,
        committed: sums.committed,
        acknowledged: sums.acknowledged,
        delivered: sums.delivered,
        waiting: sums.waiting,
        lost: sums.lost,
        duplicated: sums.duplicated,
        reordered: sums.reordered,
        failed: sums.failed,
        aborted: sums.aborted,
        delivered_twice: sums.delivered_twice,
    }
}

/// Every record, oldest first.
pub fn fates(world: &World) -> Vec<FateView> {
    world
        .ledger
        .entries()
        .map(|(record, entry)| fate(world, record, entry))
        .collect()
}

fn fate(world: &World, record: u32, entry: &Entry) -> FateView {
    let delivered = entry.delivered.iter().filter_map(|(reader, times)| {
        let name = world.ledger.reader_name(*reader)?;
        Some((name.to_string(), u64::from(*times)))
    });
    FateView {
        record,
        producer: entry.handed.client.to_string(),
        topic: entry.handed.topic.to_string(),
        partition: entry.place.map(|(_, partition)| partition),
        offset: entry.offset,
        key: entry.handed.key.as_ref().map(|key| key.to_string()),
        value: entry.handed.value.as_ref().map(|value| value.to_string()),
        fates: entry.fates(),
        delivered_to: delivered.collect(),
        error: entry.failed.as_ref().map(|error| error.to_string()),
        sent_us: lab_us(entry.handed.at),
    }
}
