//! What somebody outside sees of a broker's replicas, running or not: read only.

use super::partition::Partition;
use super::server::{Disk, Server};
use crate::kafka::log::batch::Batch;
use crate::kafka::log::epochs::EpochEntry;
use crate::kafka::log::files::LogFiles;
use crate::kafka::log::segment::Segment;
use crate::kafka::log::unified_log::Log;
use crate::kafka::types::TopicPartition;
use crate::ordered::SortSmall;

/// What a replica is to its partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaRole {
    Leader,
    Follower,
    /// On the disk of a broker that does not have it open.
    Stored,
}

/// One replica.
#[derive(Clone, Copy)]
pub struct ReplicaView<'a> {
    pub id: TopicPartition,
    /// The topic's name.
    pub topic: &'a str,
    open: Option<(&'a Partition, &'a Log)>,
    files: &'a LogFiles,
}

impl<'a> ReplicaView<'a> {
    pub fn role(&self) -> ReplicaRole {
        match self.open {
            Some((partition, _)) if partition.is_leader() => ReplicaRole::Leader,
            Some(_) => ReplicaRole::Follower,
            None => ReplicaRole::Stored,
        }
    }

    /// Who leads, in which epochs, with which followers and ISR; `None` for a stored log.
    pub fn partition(&self) -> Option<&'a Partition> {
        self.open.map(|(partition, _)| partition)
    }

    /// -1 for a stored log, and before the first metadata.
    pub fn leader_epoch(&self) -> i32 {
        self.open.map_or(-1, |(partition, _)| partition.leader_epoch())
    }

    /// Log end offset.
    pub fn end_offset(&self) -> i64 {
        self.open
            .map_or_else(|| self.files.end_offset(), |(_, log)| log.end_offset())
    }

    /// Of a stored log: what its checkpoint says.
    pub fn high_watermark(&self) -> i64 {
        let stored = || self.checkpointed_high_watermark().unwrap_or(0);
        self.open.map_or_else(stored, |(_, log)| log.high_watermark())
    }

    pub fn last_stable_offset(&self) -> i64 {
        let stored = || self.high_watermark();
        self.open.map_or_else(stored, |(_, log)| log.last_stable_offset())
    }

    /// First offset that may be read; of a stored log: by its checkpoint and its first segment.
    pub fn log_start(&self) -> i64 {
        let stored = || {
            let first = self.files.segments().next().map_or(0, Segment::base_offset);
            first.max(self.files.checkpoints.log_start.unwrap_or(0))
        };
        self.open.map_or_else(stored, |(_, log)| log.log_start())
    }

    /// The high watermark in `replication-offset-checkpoint`.
    pub fn checkpointed_high_watermark(&self) -> Option<i64> {
        self.files.checkpoints.high_watermark
    }

    /// `leader-epoch-checkpoint`
    pub fn epochs(&self) -> &'a [EpochEntry] {
        self.files.epochs().entries()
    }

    /// In order of base offset; the last one is written to.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &'a Segment> + use<'a> {
        self.files.segments()
    }

    /// All batches in the files, in order.
    pub fn batches(&self) -> impl Iterator<Item = &'a Batch> + use<'a> {
        self.files.segments().flat_map(Segment::batches)
    }

    /// What is on disk.
    pub fn files(&self) -> &'a LogFiles {
        self.files
    }

    /// The open log, for its producers and settings.
    pub fn log(&self) -> Option<&'a Log> {
        self.open.map(|(_, log)| log)
    }

    /// The first offset that a power failure would take; the log's end if it would take nothing.
    pub fn flushed(&self) -> i64 {
        let lost = self.files.segments().flat_map(unflushed_batches).next();
        lost.map_or_else(|| self.end_offset(), |batch| batch.base_offset)
    }

    /// Records that a power failure would take.
    pub fn unflushed(&self) -> i64 {
        let lost = self.files.segments().flat_map(unflushed_batches);
        lost.map(|batch| batch.records.len() as i64).sum()
    }
}

/// Batches of a segment that no fsync has covered.
fn unflushed_batches(segment: &Segment) -> impl Iterator<Item = &Batch> {
    segment.batches_from(segment.batch_count() - segment.unflushed())
}

impl Server {
    pub fn replicas(&self) -> Vec<ReplicaView<'_>> {
        let mut all: Vec<ReplicaView> = self.replicas.keys().filter_map(|id| self.replica(*id)).collect();
        all.extend(self.stored.iter().map(|(id, log)| stored(*id, &log.topic, &log.files)));
        all.sort_small_by_key(|replica| replica.id);
        all
    }

    pub fn replica(&self, id: TopicPartition) -> Option<ReplicaView<'_>> {
        if let Some(replica) = self.replicas.get(&id) {
            return Some(ReplicaView {
                id,
                topic: &replica.topic,
                open: Some((&replica.partition, &replica.log)),
                files: replica.log.files(),
            });
        }
        let log = self.stored.get(&id)?;
        Some(stored(id, &log.topic, &log.files))
    }
}

impl Disk {
    pub fn replicas(&self) -> Vec<ReplicaView<'_>> {
        let logs = self.logs.iter();
        logs.map(|(id, log)| stored(*id, &log.topic, &log.files)).collect()
    }

    pub fn replica(&self, id: TopicPartition) -> Option<ReplicaView<'_>> {
        let log = self.logs.get(&id)?;
        Some(stored(id, &log.topic, &log.files))
    }
}

fn stored<'a>(id: TopicPartition, topic: &'a str, files: &'a LogFiles) -> ReplicaView<'a> {
    ReplicaView {
        id,
        topic,
        open: None,
        files,
    }
}
