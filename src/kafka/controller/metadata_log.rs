//! A controller's copy of `__cluster_metadata`: durable, cut only where another leader's log differs. Copies share its
//! batches.
//!
//! The real log is cut behind a snapshot after 20 MiB of records or an hour. Most of what a snapshot saves there are
//! NoOp records (two a second), which are not written here: nothing waits for an offset that only they would bring. So
//! no snapshot is needed: whoever asks from offset 0 gets every batch.

use crate::kafka::metadata::records::MetadataBatch;
use std::rc::Rc;

/// Batches kept together: what a snapshot of the process copies is one pointer for so many.
const CHUNK: usize = 256;

/// Batches in offset order, without gaps.
#[derive(Clone, Debug, Default)]
pub struct MetadataLog {
    chunks: Vec<Rc<Vec<Rc<MetadataBatch>>>>,
    /// Where each epoch begins, oldest first.
    epochs: Vec<(i32, i64)>,
}

impl MetadataLog {
    /// Offset behind the last record.
    pub fn end_offset(&self) -> i64 {
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        last.map_or(0, |batch| batch.end_offset())
    }

    /// Epoch of the last record; 0 if there is none.
    pub fn last_epoch(&self) -> i32 {
        self.epochs.last().map_or(0, |(epoch, _)| *epoch)
    }

    pub fn append(&mut self, batch: Rc<MetadataBatch>) {
        if self.epochs.is_empty() || self.last_epoch() < batch.epoch {
            self.epochs.push((batch.epoch, batch.base_offset));
        }
        match self.chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => Rc::make_mut(chunk).push(batch),
            _ => self.chunks.push(Rc::new(vec![batch])),
        }
    }

    /// All batches, oldest first.
    pub fn batches(&self) -> impl Iterator<Item = &Rc<MetadataBatch>> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The batches that hold records at `offset` or behind it.
    pub fn from(&self, offset: i64) -> Vec<Rc<MetadataBatch>> {
        let ends_before = |chunk: &Rc<Vec<Rc<MetadataBatch>>>| chunk.last().is_none_or(|b| b.end_offset() <= offset);
        let first = self.chunks.partition_point(ends_before);
        let chunks = self.chunks.iter().skip(first);
        let batches = chunks.flat_map(|chunk| chunk.iter());
        batches.filter(|batch| batch.end_offset() > offset).cloned().collect()
    }

    /// The largest epoch up to `epoch`, and where it ends. [RaftLog.endOffsetForEpoch]
    fn end_of_epoch(&self, epoch: i32) -> (i32, i64) {
        let behind = self.epochs.partition_point(|(known, _)| *known <= epoch);
        let end = self
            .epochs
            .get(behind)
            .map_or_else(|| self.end_offset(), |(_, start)| *start);
        let found = behind.checked_sub(1).and_then(|i| self.epochs.get(i));
        found.map_or((0, 0), |(known, _)| (*known, end))
    }

    /// Where a log that ends at `offset` with a record of `epoch` leaves this one: an epoch of this log and its end
    /// here; `None` if it is a part of this one. [RaftLog.validateOffsetAndEpoch]
    pub fn diverges(&self, offset: i64, epoch: i32) -> Option<(i32, i64)> {
        if offset == 0 {
            return None;
        }
        let (known, end) = self.end_of_epoch(epoch);
        (known != epoch || end < offset).then_some((known, end))
    }

    /// Cuts to where the leader's log may still be the same, given an epoch of the leader's and its end there; gives
    /// the new end. [RaftLog.truncateToEndOffset]
    pub fn truncate_to(&mut self, epoch: i32, end: i64) -> i64 {
        let (known, own_end) = self.end_of_epoch(epoch);
        let to = if known == epoch { own_end.min(end) } else { own_end };
        while let Some(chunk) = self.chunks.last_mut() {
            let kept = chunk.partition_point(|batch| batch.end_offset() <= to);
            if kept < chunk.len() {
                Rc::make_mut(chunk).truncate(kept);
            }
            if kept > 0 {
                break;
            }
            self.chunks.pop();
        }
        let end = self.end_offset();
        self.epochs.retain(|(_, start)| *start < end);
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::metadata::records::MetadataRecord;

    fn append(log: &mut MetadataLog, epoch: i32, records: usize) {
        let batch = MetadataBatch {
            base_offset: log.end_offset(),
            epoch,
            records: vec![MetadataRecord::NoOp; records],
            event: 0,
        };
        log.append(Rc::new(batch));
    }

    #[test]
    fn batches_are_found_by_offset_across_chunks() {
        let mut log = MetadataLog::default();
        (0..600).for_each(|_| append(&mut log, 1, 2));
        assert_eq!(log.end_offset(), 1_200);
        assert_eq!(log.from(0).len(), 600);
        let tail = log.from(1_001);
        assert_eq!(
            (tail.len(), tail[0].base_offset),
            (100, 1_000),
            "the batch with the offset, too"
        );
        assert!(log.from(1_200).is_empty());
        assert_eq!(log.batches().count(), 600);
    }

    #[test]
    fn a_log_of_another_leader_is_cut_to_the_common_part() {
        let mut leader = MetadataLog::default();
        append(&mut leader, 1, 10);
        append(&mut leader, 3, 5);
        let mut follower = MetadataLog::default();
        append(&mut follower, 1, 10);
        append(&mut follower, 2, 1);
        append(&mut follower, 2, 1);
        assert_eq!(leader.diverges(12, 2), Some((1, 10)));
        assert_eq!(follower.truncate_to(1, 10), 10);
        assert_eq!((follower.end_offset(), follower.last_epoch()), (10, 1));
        assert_eq!(leader.diverges(10, 1), None);
        assert_eq!(leader.diverges(15, 3), None);
        assert_eq!(leader.diverges(16, 3), Some((3, 15)));
        assert_eq!(leader.diverges(0, 0), None);
        let mut alone = MetadataLog::default();
        (0..300).for_each(|_| append(&mut alone, 7, 1));
        assert_eq!(alone.truncate_to(3, 4), 0, "no epoch in common: nothing stays");
        assert_eq!((alone.end_offset(), alone.last_epoch()), (0, 0));
    }
}
