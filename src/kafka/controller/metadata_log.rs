//! The controller's copy of `__cluster_metadata`: durable, never cut. Copies share its batches.
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
}

impl MetadataLog {
    /// Offset behind the last record.
    pub fn end_offset(&self) -> i64 {
        let last = self.chunks.last().and_then(|chunk| chunk.last());
        last.map_or(0, |batch| batch.end_offset())
    }

    pub fn append(&mut self, batch: Rc<MetadataBatch>) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::metadata::records::MetadataRecord;

    #[test]
    fn batches_are_found_by_offset_across_chunks() {
        let mut log = MetadataLog::default();
        for _ in 0..600 {
            let batch = MetadataBatch {
                base_offset: log.end_offset(),
                epoch: 1,
                records: vec![MetadataRecord::NoOp, MetadataRecord::NoOp],
                event: 0,
            };
            log.append(Rc::new(batch));
        }
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
}
