//! Fetch, the served side: what a consumer or a follower may read, what a follower's position tells, and when an
//! answer waits. [KafkaApis.handleFetchRequest, ReplicaManager.fetchMessages, Partition.fetchRecords, DelayedFetch]

use super::follower::FollowerFetch;
use super::note::BrokerNote;
use super::partition::Refusal;
use super::purgatory::Delayed;
use super::replica_manager::Replica;
use super::requests::Asker;
use super::server::{Server, status_of};
use crate::kafka::fixes::{Fix, Fixes};
use crate::kafka::log::epochs::EpochEnd;
use crate::kafka::log::read::ReadLimits;
use crate::kafka::note::Note;
use crate::kafka::protocol::data::{
    CONSUMER_REPLICA, FetchPartition, FetchRequest, FetchResponse, FetchedPartition, Isolation,
};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::sim::Span;
use std::rc::Rc;

/// `fetch.max.bytes` of the broker.
const BROKER_MAX_BYTES: i32 = 57_671_680;

/// A fetch that waits for data.
#[derive(Clone, Debug, Default)]
pub(super) struct DelayedFetch {
    /// `None` while the request is looked at.
    pub what: Option<(Asker, Rc<FetchRequest>)>,
    /// The session that it belongs to.
    pub session: Option<i32>,
}

/// What a reader may see of a log ends here.
pub(super) fn readable_end(replica: &Replica, reader: NodeId, isolation: Isolation) -> i64 {
    match isolation {
        _ if reader != CONSUMER_REPLICA => replica.log.end_offset(),
        Isolation::ReadUncommitted => replica.log.high_watermark(),
        Isolation::ReadCommitted => replica.log.last_stable_offset(),
    }
}

/// The leader epoch that a request is checked against; before KIP-320 none was.
pub(super) fn fencing_epoch(epoch: i32, fixes: Fixes) -> Option<i32> {
    told(epoch).filter(|_| fixes.has(Fix::Kip320))
}

/// An epoch that is sent as -1 is not checked.
fn told(epoch: i32) -> Option<i32> {
    (epoch >= 0).then_some(epoch)
}

/// Where the epochs of a reader and of this log part: `None` if they don't.
///
/// # Errors
/// OFFSET_OUT_OF_RANGE if this log does not know the epoch, or the offset lies below its start.
pub(super) fn divergence(
    replica: &Replica,
    asked: &FetchPartition,
    fixes: Fixes,
) -> Result<Option<(i32, i64)>, ErrorCode> {
    let Some(epoch) = told(asked.last_fetched_epoch) else {
        return Ok(None);
    };
    let Some(end) = replica.log.end_offset_for(epoch) else {
        return Err(ErrorCode::OffsetOutOfRange);
    };
    if asked.fetch_offset < replica.log.log_start() {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    Ok(parting(end, epoch, asked.fetch_offset, fixes))
}

/// The same for an epoch that this log knows to end so. Before KIP-279 the leader said only where: an epoch that it never
/// had was taken to end where its next one starts.
fn parting(end: EpochEnd, epoch: i32, offset: i64, fixes: Fixes) -> Option<(i32, i64)> {
    if !fixes.has(Fix::Kip279) {
        return (end.end < offset).then_some((epoch, end.end));
    }
    let diverges = end.epoch < epoch || end.end < offset;
    diverges.then_some((end.epoch, end.end))
}

impl Server {
    pub(super) fn serve_fetch(&mut self, asker: Asker, request: Rc<FetchRequest>, ctx: &mut Ctx) {
        let session = match self.enter_session(&request) {
            Ok(session) => session,
            Err(error) => {
                let response = FetchResponse {
                    error,
                    ..FetchResponse::default()
                };
                return self.reply(asker, Body::from(response), ctx);
            }
        };
        let (partitions, bytes) = self.read_partitions(&request, session, true, ctx);
        let special = |p: &FetchedPartition| p.error != ErrorCode::None || p.diverging_epoch.is_some();
        let at_once = request.max_wait_ms <= 0
            || (session.is_none() && request.partitions.is_empty())
            || i64::from(bytes) >= i64::from(request.min_bytes)
            || partitions.iter().any(special);
        if at_once {
            self.answer_fetch(asker, &request, session, partitions, ctx);
            return;
        }
        let watched: Vec<TopicPartition> = match session {
            // What happens to any of its partitions is known to the session.
            Some(id) => {
                self.hush(id);
                Vec::new()
            }
            None => request.partitions.iter().map(|p| p.partition).collect(),
        };
        let limit = Span::from_ms(i64::from(request.max_wait_ms));
        let what = Some((asker, request));
        let delayed = Delayed::Fetch(DelayedFetch { what, session });
        let waits = self.wait_or_complete(delayed, watched, limit, ctx);
        if let Some(session) = session.and_then(|id| self.sessions.get_mut(id)) {
            session.waiting = waits;
        }
    }

    fn answer_fetch(
        &mut self,
        asker: Asker,
        request: &FetchRequest,
        session: Option<i32>,
        mut partitions: Vec<FetchedPartition>,
        ctx: &mut Ctx,
    ) {
        let node_endpoints = self.endpoints(
            partitions.iter().map(|p| p.current_leader),
            self.listener_of(asker, ctx),
        );
        let session = match session {
            Some(id) => {
                self.leave_news(id, &mut partitions);
                id
            }
            None => self.begin_session(request, &partitions),
        };
        self.count_fetched(request, &partitions, ctx);
        let response = FetchResponse {
            error: ErrorCode::None,
            session,
            partitions,
            node_endpoints,
        };
        self.reply(asker, Body::from(response), ctx);
    }

    /// For the metrics: what goes out.
    fn count_fetched(&mut self, request: &FetchRequest, partitions: &[FetchedPartition], ctx: &Ctx) {
        let follower = request.replica != CONSUMER_REPLICA;
        for fetched in partitions {
            let Some(topic) = self.observer.image().name_of(fetched.partition.topic) else {
                continue;
            };
            let bytes = fetched
                .batches
                .iter()
                .map(|batch| i64::from(batch.estimated_size()))
                .sum();
            let how = (follower, fetched.error != ErrorCode::None);
            self.metrics.counters().fetched(topic, bytes, how, ctx.now());
        }
    }

    /// Reads again, now that there is something or the time is over; a follower's position counts only once.
    pub(super) fn complete_fetch(&mut self, fetch: &DelayedFetch, ctx: &mut Ctx) {
        let Some((asker, request)) = &fetch.what else { return };
        if let Some(id) = fetch.session {
            match self.sessions.get_mut(id) {
                Some(session) => session.waiting = None,
                // Whoever asked has given up, and begun another session.
                None => return,
            }
        }
        let (partitions, _) = self.read_partitions(request, fetch.session, false, ctx);
        self.answer_fetch(*asker, request, fetch.session, partitions, ctx);
    }

    /// Reads what a request asks for: all that it names, or all of its session of which there may be news.
    fn read_partitions(
        &mut self,
        request: &FetchRequest,
        session: Option<i32>,
        first_read: bool,
        ctx: &mut Ctx,
    ) -> (Vec<FetchedPartition>, u32) {
        let loud: Vec<FetchPartition>;
        let asked = match session.and_then(|id| self.sessions.get(id)) {
            Some(session) => {
                loud = session.loud().copied().collect();
                &loud
            }
            None => &request.partitions,
        };
        let mut left = request.max_bytes.clamp(0, BROKER_MAX_BYTES) as u32;
        let mut total = 0;
        let mut found = Vec::with_capacity(asked.len());
        for asked in asked {
            let max_bytes = left.min(asked.max_bytes.max(0) as u32);
            let limits = (max_bytes, total == 0);
            let bytes = match self.read_one(request, asked, limits, first_read, ctx) {
                Ok((fetched, bytes)) => {
                    found.push(fetched);
                    bytes
                }
                Err(error) => {
                    found.push(self.fetch_error(asked.partition, error));
                    0
                }
            };
            total += bytes;
            left = left.saturating_sub(bytes);
        }
        (found, total)
    }

    fn fetch_error(&self, partition: TopicPartition, error: ErrorCode) -> FetchedPartition {
        let moved = matches!(error, ErrorCode::NotLeaderOrFollower | ErrorCode::FencedLeaderEpoch);
        FetchedPartition {
            partition,
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            current_leader: if moved { self.current_leader(partition) } else { None },
            preferred_read_replica: None,
            aborted: Vec::new(),
            batches: Vec::new(),
        }
    }

    fn read_one(
        &mut self,
        request: &FetchRequest,
        asked: &FetchPartition,
        (max_bytes, min_one): (u32, bool),
        first_read: bool,
        ctx: &mut Ctx,
    ) -> Result<(FetchedPartition, u32), ErrorCode> {
        let partition = asked.partition;
        let follower = request.replica != CONSUMER_REPLICA;
        let Some(replica) = self.replicas.get(&partition) else {
            return Err(self.missing_error(partition));
        };
        let code = |refusal: Refusal| refusal.code;
        let epoch = fencing_epoch(asked.current_leader_epoch, self.setup.fixes);
        replica.partition.check_leader_epoch(epoch, follower).map_err(code)?;
        if follower {
            replica.partition.check_follower(request.replica).map_err(code)?;
        }
        let mut fetched = FetchedPartition {
            partition,
            error: ErrorCode::None,
            high_watermark: replica.log.high_watermark(),
            last_stable_offset: replica.log.last_stable_offset(),
            log_start_offset: replica.log.log_start(),
            diverging_epoch: divergence(replica, asked, self.setup.fixes)?,
            current_leader: None,
            preferred_read_replica: None,
            aborted: Vec::new(),
            batches: Vec::new(),
        };
        if let Some((epoch, end)) = fetched.diverging_epoch {
            ctx.note(Note::Broker(BrokerNote::Diverges {
                partition,
                replica: request.replica,
                epoch,
                end,
            }));
            return Ok((fetched, 0));
        }
        let limits = ReadLimits {
            max_bytes,
            end: readable_end(replica, request.replica, request.isolation),
            min_one,
        };
        let read = replica.log.read(asked.fetch_offset, limits);
        let read = read.map_err(|_| ErrorCode::OffsetOutOfRange)?;
        if !follower && request.isolation == Isolation::ReadCommitted {
            fetched.aborted = replica.log.aborted_in(asked.fetch_offset, &read);
        }
        if follower && first_read {
            let fetch = FollowerFetch {
                position: read.position,
                log_start_offset: asked.log_start_offset,
                broker_epoch: request.broker_epoch,
            };
            self.follower_fetched(partition, request.replica, fetch, ctx)?;
        }
        fetched.batches = read.batches;
        Ok((fetched, read.bytes))
    }

    /// The leader takes a follower's position over, after the read.
    fn follower_fetched(
        &mut self,
        partition: TopicPartition,
        from: i32,
        fetch: FollowerFetch,
        ctx: &mut Ctx,
    ) -> Result<(), ErrorCode> {
        let brokers = |id| status_of(self.observer.image(), id);
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return Err(ErrorCode::NotLeaderOrFollower);
        };
        let view = replica.view(self.clock, &brokers);
        let recorded = replica.partition.record_fetch(from, fetch, &view);
        let recorded = recorded.map_err(|refusal| refusal.code)?;
        if let Some(proposal) = recorded.expand {
            self.propose_isr(partition, proposal, ctx);
        }
        if let Some(result) = recorded.high_watermark {
            self.high_watermark_evaluated(partition, result, ctx);
        }
        if self.purgatory.has_deletes() {
            self.check_delayed(partition, ctx);
        }
        Ok(())
    }

    /// May a waiting fetch be answered? [DelayedFetch.tryComplete]
    pub(super) fn is_fetchable(&self, fetch: &DelayedFetch) -> bool {
        let Some((_, request)) = &fetch.what else { return false };
        let session = fetch.session.and_then(|id| self.sessions.get(id));
        let mut bytes: i64 = 0;
        let mut add = |asked: &FetchPartition| match self.waiting_bytes(request, asked) {
            Some(more) => {
                bytes += more;
                true
            }
            None => false,
        };
        let all = match session {
            Some(session) => session.loud().all(&mut add),
            None => request.partitions.iter().all(&mut add),
        };
        !all || bytes >= i64::from(request.min_bytes)
    }

    /// How much there is to read of a partition, in bytes; `None`: enough to answer at once, or something is wrong.
    fn waiting_bytes(&self, request: &FetchRequest, asked: &FetchPartition) -> Option<i64> {
        let follower = request.replica != CONSUMER_REPLICA;
        let replica = self.replicas.get(&asked.partition)?;
        let epoch = fencing_epoch(asked.current_leader_epoch, self.setup.fixes);
        replica.partition.check_leader_epoch(epoch, follower).ok()?;
        let from = asked.fetch_offset;
        let end = readable_end(replica, request.replica, request.isolation);
        // A consumer above the end waits, where a real broker answers it, empty, as fast as it asks.
        if from > end && follower {
            return None;
        }
        let mut bytes = 0;
        if from < end {
            if replica.log.has_several_segments()
                && replica.log.segment_base_of(from) < replica.log.segment_base_of(end)
            {
                return None;
            }
            let available = replica.log.bytes_between(from, end) as i64;
            bytes = available.min(i64::from(asked.max_bytes));
        }
        matches!(divergence(replica, asked, self.setup.fixes), Ok(None)).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hazard R3: the leader has one record of epoch 0 and one of epoch 2, the follower one of epoch 1.
    #[test]
    fn kip_279_tells_apart_what_a_fast_failover_left() {
        let end = EpochEnd { epoch: 0, end: 1 };
        let mut fixes = Fixes::default();
        assert_eq!(parting(end, 1, 1, fixes), Some((0, 1)));
        fixes.turn(Fix::Kip279, false);
        assert_eq!(
            parting(end, 1, 1, fixes),
            None,
            "the records at offset 0 differ, and nobody notices"
        );
        assert_eq!(parting(end, 1, 2, fixes), Some((1, 1)));
    }
}
