//! One partition's part of a fetch's answer, while its records are handed out. [CompletedFetch]

use crate::kafka::client::call::Consumed;
use crate::kafka::log::batch::{Batch, Outcome, Record, TimestampType};
use crate::kafka::protocol::data::{FetchResponse, FetchedPartition};
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedSet;
use crate::ordered::SortSmall;
use std::rc::Rc;

/// A buffered answer for one partition.
#[derive(Clone, Debug)]
pub struct CompletedFetch {
    pub partition: NamedPartition,
    /// Where the next record is expected.
    pub next_offset: i64,
    /// Leader epoch of the last batch looked at.
    pub last_epoch: Option<i32>,
    pub initialized: bool,
    pub consumed: bool,
    /// Bytes of the batches that were handed out.
    pub bytes: u64,
    response: Rc<FetchResponse>,
    index: usize,
    batch: usize,
    record: usize,
    /// Is the batch at `batch` begun?
    entered: bool,
    /// Aborted transactions that were not met yet: (first offset, producer id), the next one last.
    aborted: Vec<(i64, i64)>,
    aborted_producers: OrderedSet<i64>,
}

impl CompletedFetch {
    /// The part of the answer at `index`, asked for at `offset`.
    pub fn new(partition: NamedPartition, offset: i64, response: Rc<FetchResponse>, index: usize) -> CompletedFetch {
        let listed = &response.partitions[index].aborted;
        let mut aborted: Vec<(i64, i64)> = listed.iter().map(|(producer, first)| (*first, *producer)).collect();
        aborted.sort_small_by(|a, b| b.cmp(a));
        CompletedFetch {
            partition,
            next_offset: offset,
            last_epoch: None,
            initialized: false,
            consumed: false,
            bytes: 0,
            response,
            index,
            batch: 0,
            record: 0,
            entered: false,
            aborted,
            aborted_producers: OrderedSet::new(),
        }
    }

    pub fn answer(&self) -> &FetchedPartition {
        &self.response.partitions[self.index]
    }

    /// Nothing of it will be handed out any more.
    pub fn drain(&mut self) {
        self.consumed = true;
    }

    /// The next records, at most `max`. With `read_committed` without those of aborted transactions.
    pub fn take(&mut self, max: usize, read_committed: bool) -> Vec<Consumed> {
        let mut taken = Vec::new();
        let response = self.response.clone();
        let batches = &response.partitions[self.index].batches;
        while taken.len() < max && !self.consumed {
            let Some(batch) = batches.get(self.batch) else {
                // Compaction may have taken the last records of the last batch away.
                if let Some(last) = batches.last() {
                    self.next_offset = self.next_offset.max(last.next_offset());
                }
                self.drain();
                break;
            };
            if !self.entered {
                self.last_epoch = (batch.leader_epoch >= 0).then_some(batch.leader_epoch);
                self.bytes += u64::from(batch.size);
                if read_committed && self.skips(batch) {
                    self.next_offset = batch.next_offset();
                    self.batch += 1;
                    continue;
                }
                self.entered = true;
                self.record = 0;
            }
            self.take_from(batch, max, &mut taken);
        }
        taken
    }

    fn take_from(&mut self, batch: &Batch, max: usize, taken: &mut Vec<Consumed>) {
        while let Some(record) = batch.records.get(self.record) {
            if taken.len() == max {
                return;
            }
            self.record += 1;
            let offset = batch.offset_of(record);
            if offset < self.next_offset {
                continue;
            }
            self.next_offset = offset + 1;
            if batch.control.is_none() {
                taken.push(self.consumed_record(batch, record, offset));
            }
        }
        self.batch += 1;
        self.entered = false;
    }

    /// Is it a batch of an aborted transaction? An abort marker ends that.
    fn skips(&mut self, batch: &Batch) -> bool {
        let Some(producer) = batch.producer_id() else {
            return false;
        };
        while let Some((first, producer)) = self.aborted.last().copied()
            && first <= batch.last_offset
        {
            self.aborted_producers.insert(producer);
            self.aborted.pop();
        }
        if let Some(control) = batch.control {
            if control.outcome == Outcome::Abort {
                self.aborted_producers.remove(&producer);
            }
            return false;
        }
        batch.transactional && self.aborted_producers.contains(&producer)
    }

    fn consumed_record(&self, batch: &Batch, record: &Record, offset: i64) -> Consumed {
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
            delivery: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::log::batch::{BatchBuilder, Control, ProducerTag, no_headers};
    use crate::kafka::protocol::ErrorCode;
    use crate::kafka::types::TopicPartition;

    fn batch(base: i64, count: i64, producer: Option<i64>) -> Batch {
        let mut builder = BatchBuilder::new(base);
        builder.head.producer = producer.map(|id| ProducerTag {
            id,
            epoch: 0,
            sequence: 0,
        });
        builder.head.transactional = producer.is_some();
        for _ in 0..count {
            builder
                .append_next(5, None, Some(Rc::from(&b"v"[..])), no_headers(), 0)
                .expect("valid");
        }
        builder.build(None).expect("valid")
    }

    fn marker(base: i64, producer: i64, outcome: Outcome) -> Batch {
        let control = Control {
            outcome,
            coordinator_epoch: 0,
        };
        Batch::marker(base, 5, producer, 0, control)
    }

    fn fetch(batches: Vec<Batch>, aborted: Vec<(i64, i64)>, from: i64) -> CompletedFetch {
        let answer = FetchedPartition {
            partition: TopicPartition::default(),
            error: ErrorCode::None,
            high_watermark: 9,
            last_stable_offset: 9,
            log_start_offset: 0,
            diverging_epoch: None,
            current_leader: None,
            preferred_read_replica: None,
            aborted,
            batches,
        };
        let response = FetchResponse {
            partitions: vec![answer],
            ..FetchResponse::default()
        };
        let partition = NamedPartition {
            topic: "t".into(),
            partition: 0,
        };
        CompletedFetch::new(partition, from, Rc::new(response), 0)
    }

    fn offsets(records: &[Consumed]) -> Vec<i64> {
        records.iter().map(|record| record.offset).collect()
    }

    /// C-30: [p1: 0-1][p2: 2][abort p1: 3][commit p2: 4].
    #[test]
    fn read_committed_leaves_aborted_records_out() {
        let batches = vec![
            batch(0, 2, Some(1)),
            batch(2, 1, Some(2)),
            marker(3, 1, Outcome::Abort),
            marker(4, 2, Outcome::Commit),
        ];
        let mut committed = fetch(batches.clone(), vec![(1, 0)], 0);
        assert_eq!(offsets(&committed.take(10, true)), [2]);
        assert_eq!((committed.next_offset, committed.consumed), (5, true));
        let mut all = fetch(batches, vec![(1, 0)], 0);
        assert_eq!(offsets(&all.take(10, false)), [0, 1, 2]);
    }

    #[test]
    fn takes_in_pieces_from_the_middle_of_a_batch() {
        let mut fetch = fetch(vec![batch(0, 4, None), batch(4, 2, None)], Vec::new(), 1);
        assert_eq!(offsets(&fetch.take(2, false)), [1, 2]);
        assert_eq!(fetch.next_offset, 3);
        assert!(!fetch.consumed);
        assert_eq!(offsets(&fetch.take(2, false)), [3, 4]);
        assert_eq!(offsets(&fetch.take(2, false)), [5]);
        assert!(fetch.consumed);
    }

    /// A transaction of the same producer after its abort marker is read.
    #[test]
    fn an_abort_marker_ends_what_is_left_out() {
        let batches = vec![batch(0, 1, Some(1)), marker(1, 1, Outcome::Abort), batch(2, 1, Some(1))];
        let mut fetch = fetch(batches, vec![(1, 0)], 0);
        assert_eq!(offsets(&fetch.take(10, true)), [2]);
    }
}
