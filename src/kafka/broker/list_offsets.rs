//! ListOffsets and OffsetsForLeaderEpoch. [Partition.fetchOffsetForTimestamp, Partition.lastOffsetForLeaderEpoch]

use super::fetch::fencing_epoch;
use super::replica_manager::Replica;
use super::requests::Asker;
use super::server::Server;
use crate::kafka::protocol::data::{
    CONSUMER_REPLICA, EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, Isolation, LATEST_TIERED_TIMESTAMP,
    LATEST_TIMESTAMP, ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListedOffset, MAX_TIMESTAMP,
    OffsetsForLeaderEpochRequest, OffsetsForLeaderEpochResponse,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;

/// Timestamp, offset, leader epoch; -1 where there is none.
type Found = (i64, i64, i32);

const NOTHING: Found = (-1, -1, -1);

impl Server {
    pub(super) fn serve_list_offsets(&mut self, asker: Asker, request: &ListOffsetsRequest, ctx: &mut Ctx) {
        let partitions = request.partitions.iter().map(|asked| {
            let (error, (timestamp, offset, leader_epoch)) = match self.list_offset(request, asked) {
                Ok(found) => (ErrorCode::None, found),
                Err(error) => (error, NOTHING),
            };
            ListedOffset {
                partition: asked.partition,
                error,
                timestamp,
                offset,
                leader_epoch,
            }
        });
        let response = ListOffsetsResponse {
            partitions: partitions.collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    fn list_offset(&self, request: &ListOffsetsRequest, asked: &ListOffsetsPartition) -> Result<Found, ErrorCode> {
        let Some(replica) = self.replicas.get(&asked.partition) else {
            return Err(self.unknown_by_name(asked.partition));
        };
        let epoch = fencing_epoch(asked.current_leader_epoch, self.setup.fixes);
        let checked = replica.partition.check_leader_epoch(epoch, true);
        checked.map_err(|refusal| refusal.code)?;
        let client = request.replica == CONSUMER_REPLICA;
        let limit = match (client, request.isolation) {
            (false, _) => replica.log.end_offset(),
            (true, Isolation::ReadUncommitted) => replica.log.high_watermark(),
            (true, Isolation::ReadCommitted) => replica.log.last_stable_offset(),
        };
        // A fresh leader's high watermark may still lie before its own epoch: what it tells could move back (KIP-207).
        let start = replica.partition.epoch_start().unwrap_or(0);
        let lagging = client && start > replica.log.high_watermark();
        let own_epoch = replica.partition.leader_epoch();
        match asked.timestamp {
            LATEST_TIMESTAMP if lagging => Err(ErrorCode::OffsetNotAvailable),
            LATEST_TIMESTAMP => Ok((-1, limit, own_epoch)),
            EARLIEST_TIMESTAMP | EARLIEST_LOCAL_TIMESTAMP => Ok(earliest(replica)),
            LATEST_TIERED_TIMESTAMP => Ok(NOTHING),
            timestamp if timestamp >= 0 || timestamp == MAX_TIMESTAMP => {
                let found = if timestamp == MAX_TIMESTAMP {
                    replica.log.max_timestamp()
                } else {
                    replica.log.offset_for_timestamp(timestamp)
                };
                match found.filter(|f| f.offset < limit) {
                    Some(f) => Ok((f.timestamp, f.offset, f.leader_epoch)),
                    None if lagging => Err(ErrorCode::OffsetNotAvailable),
                    None => Ok(NOTHING),
                }
            }
            _ => Ok(NOTHING),
        }
    }

    /// Requests that name topics by name know no unknown topic id.
    pub(super) fn unknown_by_name(&self, partition: TopicPartition) -> ErrorCode {
        match self.missing_error(partition) {
            ErrorCode::UnknownTopicId => ErrorCode::UnknownTopicOrPartition,
            error => error,
        }
    }

    pub(super) fn serve_epoch_ends(&mut self, asker: Asker, request: &OffsetsForLeaderEpochRequest, ctx: &mut Ctx) {
        let partitions = request.partitions.iter().map(|(partition, current, epoch)| {
            match self.epoch_end(*partition, *current, *epoch) {
                Ok((epoch, end)) => (*partition, ErrorCode::None, epoch, end),
                Err(error) => (*partition, error, -1, -1),
            }
        });
        let response = OffsetsForLeaderEpochResponse {
            partitions: partitions.collect(),
        };
        self.reply(asker, Body::from(response), ctx);
    }

    fn epoch_end(&self, partition: TopicPartition, current: i32, epoch: i32) -> Result<(i32, i64), ErrorCode> {
        let Some(replica) = self.replicas.get(&partition) else {
            return Err(self.unknown_by_name(partition));
        };
        let checked = replica
            .partition
            .check_leader_epoch(fencing_epoch(current, self.setup.fixes), true);
        checked.map_err(|refusal| refusal.code)?;
        let end = replica.log.end_offset_for(epoch);
        Ok(end.map_or((-1, -1), |end| (end.epoch, end.end)))
    }
}

/// The log start and the epoch of the record there, if one is known. [UnifiedLog.fetchOffsetByTimestamp]
fn earliest(replica: &Replica) -> Found {
    let start = replica.log.log_start();
    let first = replica.log.epochs().entries().first();
    let epoch = first
        .filter(|entry| entry.start <= start)
        .map_or(-1, |entry| entry.epoch);
    (-1, start, epoch)
}
