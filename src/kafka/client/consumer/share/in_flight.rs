//! What `poll()` has returned and what the application says of it. [ShareFetch, ShareInFlightBatch, Acknowledgements]

use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::protocol::share::{Acknowledge, AcknowledgeBatch};
use crate::kafka::types::{NamedPartition, NodeId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet};

/// Acknowledgements of one partition by offset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acks(OrderedMap<i64, Acknowledge>);

/// Longer runs of one type become a batch of their own. [Acknowledgements.MAX_RECORDS_WITH_SAME_ACKNOWLEDGE_TYPE]
const LONG_RUN: usize = 10;

impl Acks {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, offset: i64, kind: Acknowledge) {
        self.0.insert(offset, kind);
    }

    /// The other's words hold where both say something.
    pub fn merge(&mut self, other: Acks) {
        self.0.extend(other.0);
    }

    pub fn offsets(&self) -> impl Iterator<Item = (i64, Acknowledge)> {
        self.0.iter().map(|(offset, kind)| (*offset, *kind))
    }

    pub fn renews(&self) -> bool {
        self.0.values().any(|kind| *kind == Acknowledge::Renew)
    }

    /// As they go over the wire: runs of offsets, with one type if that does for all. [getAcknowledgementBatches]
    pub fn batches(&self) -> Vec<AcknowledgeBatch> {
        let mut runs: Vec<AcknowledgeBatch> = Vec::new();
        for (offset, kind) in self.offsets() {
            match runs.last_mut() {
                Some(run) if run.last + 1 == offset => {
                    run.last = offset;
                    run.types.push(kind);
                }
                _ => runs.push(AcknowledgeBatch {
                    first: offset,
                    last: offset,
                    types: vec![kind],
                }),
            }
        }
        runs.into_iter().flat_map(split_long_runs).map(shorten).collect()
    }
}

/// One type stands for all.
fn shorten(mut batch: AcknowledgeBatch) -> AcknowledgeBatch {
    if batch.types.iter().all(|kind| Some(kind) == batch.types.first()) {
        batch.types.truncate(1);
    }
    batch
}

fn split_long_runs(batch: AcknowledgeBatch) -> Vec<AcknowledgeBatch> {
    let mut parts: Vec<AcknowledgeBatch> = Vec::new();
    let mut offset = batch.first;
    for run in batch.types.chunk_by(|a, b| a == b) {
        let last = offset + run.len() as i64 - 1;
        let long = run.len() > LONG_RUN;
        match parts.last_mut() {
            Some(part) if !long && part.types.len() as i64 == part.last - part.first + 1 => {
                part.last = last;
                part.types.extend(run);
            }
            _ => parts.push(AcknowledgeBatch {
                first: offset,
                last,
                types: match long {
                    true => run[..1].to_vec(),
                    false => run.to_vec(),
                },
            }),
        }
        offset = last + 1;
    }
    parts
}

/// Records of one partition that the application has.
#[derive(Clone, Debug, Default)]
pub struct InFlightBatch {
    pub node: NodeId,
    pub id: TopicPartition,
    records: OrderedMap<i64, Consumed>,
    acknowledged: OrderedSet<i64>,
    acks: Acks,
    /// Locks that are being renewed, and those that were: the application gets the records again.
    renewing: OrderedMap<i64, Consumed>,
    renewed: OrderedMap<i64, Consumed>,
}

impl InFlightBatch {
    pub fn new(node: NodeId, id: TopicPartition) -> InFlightBatch {
        InFlightBatch {
            node,
            id,
            ..InFlightBatch::default()
        }
    }

    pub fn add_record(&mut self, record: Consumed) {
        self.records.insert(record.offset, record);
    }

    /// There is no record at an offset that was acquired.
    pub fn add_gap(&mut self, offset: i64) {
        self.acks.add(offset, Acknowledge::Gap);
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.acks.is_empty()
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    fn has_renewals(&self) -> bool {
        !self.renewing.is_empty() || !self.renewed.is_empty()
    }

    fn acknowledge(&mut self, offset: i64, kind: Acknowledge) -> bool {
        let known = self.records.contains_key(&offset);
        if known {
            self.acks.add(offset, kind);
            self.acknowledged.insert(offset);
        }
        known
    }

    fn acknowledge_all(&mut self, kind: Acknowledge) {
        for offset in self.records.keys() {
            if !self.acks.0.contains_key(offset) {
                self.acks.0.insert(*offset, kind);
                self.acknowledged.insert(*offset);
            }
        }
    }

    /// What can be sent; the records that it is about are the application's no more.
    fn take_acknowledged(&mut self) -> Acks {
        for offset in std::mem::take(&mut self.acknowledged) {
            let record = self.records.remove(&offset);
            if let (Some(record), Some(Acknowledge::Renew)) = (record, self.acks.0.get(&offset)) {
                self.renewing.insert(offset, record);
            }
        }
        std::mem::take(&mut self.acks)
    }

    fn renew(&mut self, acks: &Acks, failed: bool) {
        for (offset, kind) in acks.offsets() {
            let record = self.renewing.remove(&offset);
            if let (Acknowledge::Renew, false, Some(record)) = (kind, failed, record) {
                self.renewed.insert(offset, record);
            }
        }
    }
}

/// Acknowledgements on their way to whoever handed the records out.
#[derive(Clone, Debug)]
pub struct NodeAcks {
    pub node: NodeId,
    pub id: TopicPartition,
    pub acks: Acks,
}

/// Acknowledgements by partition.
pub type AcksByPartition = OrderedMap<NamedPartition, NodeAcks>;

/// Everything that the last `poll()` returned.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    batches: OrderedMap<NamedPartition, InFlightBatch>,
}

impl InFlight {
    pub fn add(&mut self, partition: &NamedPartition, batch: InFlightBatch) {
        match self.batches.get_mut(partition) {
            None => drop(self.batches.insert(partition.clone(), batch)),
            Some(known) => {
                known.records.extend(batch.records);
                known.acks.merge(batch.acks);
            }
        }
    }

    /// The application has no records; partitions of which nothing is left go. [ShareFetch.isEmpty]
    pub fn is_empty(&mut self) -> bool {
        self.batches
            .retain(|_, batch| !batch.is_empty() || batch.has_renewals());
        self.batches.values().all(|batch| batch.records.is_empty())
    }

    /// How many records the application has.
    pub fn held(&self) -> usize {
        self.batches.values().map(InFlightBatch::len).sum()
    }

    pub fn has_renewals(&self) -> bool {
        self.batches.values().any(InFlightBatch::has_renewals)
    }

    pub fn take_renewed(&mut self) {
        for batch in self.batches.values_mut() {
            let renewed = std::mem::take(&mut batch.renewed);
            batch.records.extend(renewed);
        }
    }

    /// In the order of partitions and offsets.
    pub fn records(&self) -> Vec<Consumed> {
        let all = self.batches.values().flat_map(|batch| batch.records.values());
        all.cloned().collect()
    }

    /// Offsets that nothing was said of.
    pub fn open(&self) -> impl Iterator<Item = (&NamedPartition, i64)> {
        self.batches.iter().flat_map(|(partition, batch)| {
            let open = batch
                .records
                .keys()
                .filter(|offset| !batch.acknowledged.contains(*offset));
            open.map(move |offset| (partition, *offset))
        })
    }

    /// # Errors
    /// The application does not have the record.
    pub fn acknowledge(
        &mut self,
        partition: &NamedPartition,
        offset: i64,
        kind: Acknowledge,
    ) -> Result<(), ClientError> {
        let known = self.batches.get_mut(partition);
        match known.is_some_and(|batch| batch.acknowledge(offset, kind)) {
            true => Ok(()),
            false => Err(ClientError::new(
                "IllegalStateException",
                "The record cannot be acknowledged.",
            )),
        }
    }

    pub fn acknowledge_all(&mut self, kind: Acknowledge) {
        self.batches.values_mut().for_each(|batch| batch.acknowledge_all(kind));
    }

    pub fn all_acknowledged(&self) -> bool {
        let settled = |batch: &InFlightBatch| batch.records.len() == batch.acknowledged.len();
        self.batches.values().all(settled)
    }

    pub fn take_acknowledged(&mut self) -> AcksByPartition {
        let mut taken = AcksByPartition::new();
        for (partition, batch) in &mut self.batches {
            let acks = batch.take_acknowledged();
            if !acks.is_empty() {
                let (node, id) = (batch.node, batch.id);
                taken.insert(partition.clone(), NodeAcks { node, id, acks });
            }
        }
        taken
    }

    /// Acknowledgements came back: renewed locks give their records back.
    pub fn renew(&mut self, partition: &NamedPartition, acks: &Acks, failed: bool) {
        if let Some(batch) = self.batches.get_mut(partition) {
            batch.renew(acks, failed);
        }
    }
}

#[cfg(test)]
#[path = "in_flight_tests.rs"]
mod tests;
