//! DeleteRecords: the leader moves its log start up, and answers when all followers that are alive have followed.
//! [ReplicaManager.deleteRecords, Partition.deleteRecordsOnLeader, DelayedDeleteRecords]

use super::note::BrokerNote;
use super::purgatory::Delayed;
use super::requests::Asker;
use super::server::{Server, status_of};
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::data::{DeleteRecordsRequest, DeleteRecordsResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::topic_name;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// "The high watermark" as an offset. [DeleteRecordsRequest.HIGH_WATERMARK]
const HIGH_WATERMARK: i64 = -1;

/// A deletion that waits for the followers.
#[derive(Clone, Debug)]
pub(super) struct DelayedDelete {
    asker: Asker,
    partitions: Vec<(TopicPartition, ErrorCode, i64)>,
    /// Index in `partitions`, and the offset that the low watermark has to reach.
    pending: Vec<(usize, i64)>,
}

impl DelayedDelete {
    /// The followers took too long.
    pub fn time_out(&mut self) {
        for (index, _) in self.pending.drain(..) {
            self.partitions[index].1 = ErrorCode::RequestTimedOut;
        }
    }
}

impl Server {
    pub(super) fn serve_delete_records(&mut self, asker: Asker, request: &DeleteRecordsRequest, ctx: &mut Ctx) {
        let mut delete = DelayedDelete {
            asker,
            partitions: Vec::new(),
            pending: Vec::new(),
        };
        for (partition, offset) in &request.partitions {
            match self.delete_records(*partition, *offset, ctx) {
                Ok(offset) => {
                    delete.pending.push((delete.partitions.len(), offset));
                    delete.partitions.push((*partition, ErrorCode::None, -1));
                }
                Err(error) => delete.partitions.push((*partition, error, -1)),
            }
        }
        let all = request.partitions.iter().map(|(partition, _)| *partition).collect();
        let limit = Span::from_ms(i64::from(request.timeout_ms));
        self.wait_or_complete(Delayed::Delete(delete), all, limit, ctx);
    }

    fn delete_records(&mut self, partition: TopicPartition, offset: i64, ctx: &mut Ctx) -> Result<i64, ErrorCode> {
        let missing = self.unknown_by_name(partition);
        let name = self.image().name_of(partition.topic);
        if name.is_some_and(|topic| topic_name::is_internal(topic)) {
            return Err(ErrorCode::InvalidTopicException);
        }
        let replica = self.replicas.get_mut(&partition).ok_or(missing)?;
        if !replica.partition.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let cleanup = replica.log.config().cleanup;
        if cleanup.compact && !cleanup.delete {
            return Err(ErrorCode::PolicyViolation);
        }
        let offset = match offset {
            HIGH_WATERMARK => replica.log.high_watermark(),
            offset => offset,
        };
        if offset < 0 {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let moved = replica.log.increment_log_start(offset);
        let moved = moved.map_err(|_| ErrorCode::OffsetOutOfRange)?;
        if moved.is_some() {
            let to = replica.log.log_start();
            ctx.note(Note::Fact(Fact::StartMoved { partition, to }));
            ctx.note(Note::Broker(BrokerNote::RecordsDeleted { partition, to }));
            self.log_start_moved(partition);
        }
        Ok(offset)
    }

    /// Takes out what has its answer. [DelayedDeleteRecords.tryComplete]
    pub(super) fn is_deleted(&self, delete: &mut DelayedDelete) -> bool {
        let brokers = |id| status_of(self.observer.image(), id);
        let partitions = &mut delete.partitions;
        delete.pending.retain(|(index, offset)| {
            let (partition, error, low_watermark) = &mut partitions[*index];
            let Some(replica) = self.replicas.get(partition) else {
                *error = self.unknown_by_name(*partition);
                return false;
            };
            if !replica.partition.is_leader() {
                *error = ErrorCode::NotLeaderOrFollower;
                return false;
            }
            let low = replica.partition.low_watermark(&replica.view(self.clock, &brokers));
            if low >= *offset {
                *low_watermark = low;
            }
            low < *offset
        });
        delete.pending.is_empty()
    }

    pub(super) fn answer_delete(&mut self, delete: DelayedDelete, ctx: &mut Ctx) {
        let response = DeleteRecordsResponse {
            partitions: delete.partitions,
        };
        self.reply(delete.asker, Body::from(response), ctx);
    }
}
