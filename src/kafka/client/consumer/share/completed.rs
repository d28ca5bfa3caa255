//! One partition's part of a ShareFetch's answer while its records are handed out: only those that were acquired.
//! [ShareCompletedFetch]

use super::in_flight::InFlightBatch;
use crate::kafka::client::call::Consumed;
use crate::kafka::log::batch::{Batch, Record, TimestampType};
use crate::kafka::protocol::share::{ShareFetchResponse, ShareFetchedPartition};
use crate::kafka::types::{NamedPartition, NodeId};
use std::rc::Rc;

/// A buffered answer for one partition.
#[derive(Clone, Debug)]
pub struct ShareCompleted {
    pub node: NodeId,
    pub partition: NamedPartition,
    pub initialized: bool,
    pub consumed: bool,
    response: Rc<ShareFetchResponse>,
    index: usize,
    /// Batch and record looked at next.
    batch: usize,
    record: usize,
    /// Range and offset acquired next.
    range: usize,
    next: Option<i64>,
}

impl ShareCompleted {
    /// The part of the answer at `index`.
    pub fn new(
        node: NodeId,
        partition: NamedPartition,
        response: Rc<ShareFetchResponse>,
        index: usize,
    ) -> ShareCompleted {
        let first = response.partitions[index].acquired.first();
        ShareCompleted {
            node,
            partition,
            initialized: false,
            consumed: false,
            next: first.map(|range| range.first),
            response,
            index,
            batch: 0,
            record: 0,
            range: 0,
        }
    }

    pub fn answer(&self) -> &ShareFetchedPartition {
        &self.response.partitions[self.index]
    }

    /// The acquired record that comes next: its offset and deliveries.
    fn acquired(&self) -> Option<(i64, u16)> {
        let range = self.answer().acquired.get(self.range)?;
        Some((self.next?, range.deliveries))
    }

    fn advance(&mut self) {
        let (range, next) = {
            let acquired = &self.response.partitions[self.index].acquired;
            match (acquired.get(self.range), self.next) {
                (Some(range), Some(at)) if at < range.last => (self.range, Some(at + 1)),
                _ => (self.range + 1, acquired.get(self.range + 1).map(|range| range.first)),
            }
        };
        self.range = range;
        self.next = next;
    }

    /// At least `most` records, if there are as many: a batch that is begun is finished.
    pub fn take(&mut self, most: usize) -> InFlightBatch {
        let mut taken = InFlightBatch::new(self.node, self.answer().partition);
        if self.consumed {
            return taken;
        }
        let response = self.response.clone();
        let batches = &response.partitions[self.index].batches;
        let mut more = false;
        while taken.len() < most || more {
            let Some((batch, offset, record, rest)) = self.next_record(batches) else {
                while let Some((offset, _)) = self.acquired() {
                    taken.add_gap(offset);
                    self.advance();
                }
                self.consumed = true;
                break;
            };
            more = rest;
            while let Some((wanted, deliveries)) = self.acquired() {
                if offset < wanted {
                    break;
                }
                self.advance();
                if offset == wanted {
                    taken.add_record(self.consumed_record(batch, record, offset, deliveries));
                    break;
                }
                taken.add_gap(wanted);
            }
        }
        taken
    }

    /// The next record that is no marker, and whether its batch has more. [nextFetchedRecord]
    fn next_record<'b>(&mut self, batches: &'b [Batch]) -> Option<(&'b Batch, i64, &'b Record, bool)> {
        loop {
            let batch = batches.get(self.batch)?;
            let mut rest = batch.iter().skip(self.record);
            match rest.next().filter(|_| batch.control.is_none()) {
                Some((offset, record)) => {
                    self.record += 1;
                    return Some((batch, offset, record, rest.next().is_some()));
                }
                None => {
                    self.batch += 1;
                    self.record = 0;
                }
            }
        }
    }

    fn consumed_record(&self, batch: &Batch, record: &Record, offset: i64, deliveries: u16) -> Consumed {
        Consumed {
            partition: self.partition.clone(),
            offset,
            leader_epoch: batch.leader_epoch,
            timestamp: batch.timestamp_of(record),
            append_time: batch.timestamp_type == TimestampType::LogAppendTime,
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record.headers.to_vec(),
            origin: record.origin,
            delivery: Some(deliveries),
        }
    }
}
