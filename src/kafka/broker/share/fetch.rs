//! ShareFetch: the next records that a member may have, from partitions of its session. It waits while there are none, as
//! any fetch. [SharePartitionManager.fetchMessages, DelayedShareFetch, ShareFetchUtils.processFetchResponse]

use super::acknowledgements::is_member_id;
use super::exchange::{Exchange, fetch_refused};
use super::manager::fences;
use super::note::ShareNote;
use super::partition::Acquired;
use super::state::ShareKey;
use crate::kafka::broker::purgatory::Delayed;
use crate::kafka::broker::requests::Asker;
use crate::kafka::broker::server::Server;
use crate::kafka::log::batch::{Batch, Outcome};
use crate::kafka::log::read::{Fetched, ReadLimits};
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::*;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedSet;
use crate::sim::Span;
use std::rc::Rc;

/// A fetch that waits for records.
#[derive(Clone, Debug)]
pub(in crate::kafka::broker) struct DelayedShareFetch {
    exchange: u64,
    request: Rc<ShareFetchRequest>,
    partitions: Vec<TopicPartition>,
    /// There is no room for another session: that is said when the time is over.
    refused: Option<Asker>,
}

/// Whose turn it is first differs from request to request. [PartitionRotateStrategy]
fn rotate(mut partitions: Vec<TopicPartition>, epoch: i32) -> Vec<TopicPartition> {
    if !partitions.is_empty() && epoch > 0 {
        let by = usize::try_from(epoch).unwrap_or(0) % partitions.len();
        partitions.rotate_left(by);
    }
    partitions
}

impl Server {
    pub(in crate::kafka::broker) fn serve_share_fetch(
        &mut self,
        asker: Asker,
        request: &Rc<ShareFetchRequest>,
        ctx: &mut Ctx,
    ) {
        if !is_member_id(&request.member_id) {
            let body = fetch_refused(ErrorCode::InvalidRequest, Some("Invalid member id in the request."));
            return self.reply(asker, body, ctx);
        }
        let wait = Span::from_ms(i64::from(request.max_wait_ms));
        let partitions = match self.enter_share_session(request, asker.conn) {
            Ok(partitions) => partitions,
            Err(ErrorCode::ShareSessionLimitReached) => {
                let delayed = DelayedShareFetch {
                    exchange: 0,
                    request: request.clone(),
                    partitions: Vec::new(),
                    refused: Some(asker),
                };
                self.wait_or_complete(Delayed::ShareFetch(delayed), Vec::new(), wait, ctx);
                return;
            }
            Err(error) => return self.reply(asker, fetch_refused(error, None), ctx),
        };
        let session = (request.group.clone(), request.member_id.clone());
        let exchange = self.share.number();
        let open = Exchange::new(asker, session, request.session_epoch, true);
        self.share.exchanges.insert(exchange, open);
        self.acknowledge_shares(exchange, &request.partitions, request.renew, ctx);
        if request.renew || request.max_records == 0 || request.max_bytes == 0 {
            return self.share_fetched(exchange, Vec::new(), ctx);
        }
        let partitions = self.share_partitions_to_read(exchange, request, partitions, ctx);
        let failed = self.share.exchanges.get(&exchange).map_or(0, Exchange::failed);
        if partitions.len() <= failed {
            return self.share_fetched(exchange, Vec::new(), ctx);
        }
        let delayed = DelayedShareFetch {
            exchange,
            request: request.clone(),
            partitions: partitions.clone(),
            refused: None,
        };
        self.wait_or_complete(Delayed::ShareFetch(delayed), partitions, wait, ctx);
    }

    /// The partitions of a fetch in their turn; those that this broker can't read are told with their errors.
    fn share_partitions_to_read(
        &mut self,
        exchange: u64,
        request: &ShareFetchRequest,
        partitions: Vec<TopicPartition>,
        ctx: &mut Ctx,
    ) -> Vec<TopicPartition> {
        let (mut readable, mut missing) = (Vec::new(), Vec::new());
        for partition in partitions {
            match self.image().partitions.contains_key(&partition) {
                true => readable.push(partition),
                false => missing.push((partition, self.missing_error(partition))),
            }
        }
        let readable = rotate(readable, request.session_epoch);
        for partition in &readable {
            let key = (request.group.clone(), *partition);
            if let Err(error) = self.share_partition(&key, exchange, ctx) {
                missing.push((*partition, error));
            }
        }
        if let Some(open) = self.share.exchanges.get_mut(&exchange) {
            missing
                .into_iter()
                .for_each(|(partition, error)| open.fail(partition, error, None));
        }
        readable
    }

    /// Where the group reads next in each partition that it can have records of. [acquirablePartitions]
    fn acquirable(&mut self, fetch: &DelayedShareFetch) -> Vec<(TopicPartition, i64)> {
        let Some(open) = self.share.exchanges.get(&fetch.exchange) else {
            return Vec::new();
        };
        let all = fetch
            .partitions
            .iter()
            .filter(|partition| !open.has_failed(**partition));
        let all: Vec<TopicPartition> = all.copied().collect();
        let mut found = Vec::new();
        for partition in all {
            let key = (fetch.request.group.clone(), partition);
            let next = self.with_share(&key, |records| {
                records.can_acquire().then(|| records.next_fetch_offset())
            });
            if let Some(offset) = next.flatten() {
                found.push((partition, offset));
            }
        }
        found
    }

    /// What a share group may see of a log ends here. [FetchIsolation]
    fn share_end(&self, partition: TopicPartition, read_committed: bool) -> Option<i64> {
        let replica = self.replicas.get(&partition)?;
        let end = match read_committed {
            true => replica.log.last_stable_offset(),
            false => replica.log.high_watermark(),
        };
        replica.partition.is_leader().then_some(end)
    }

    /// May a waiting fetch be answered? [DelayedShareFetch.tryComplete, isMinBytesSatisfied]
    pub(in crate::kafka::broker) fn is_share_fetchable(&mut self, fetch: &DelayedShareFetch) -> bool {
        if fetch.refused.is_some() {
            return false;
        }
        let offsets = self.acquirable(fetch);
        if offsets.is_empty() {
            return false;
        }
        let read_committed = self.share_settings(&fetch.request.group).read_committed;
        let share = i64::from(fetch.request.max_bytes) / i64::try_from(offsets.len()).unwrap_or(1);
        let mut bytes = 0;
        for (partition, from) in offsets {
            let Some(end) = self.share_end(partition, read_committed) else {
                return true;
            };
            let Some(replica) = self.replicas.get(&partition) else {
                return true;
            };
            // Below the log's start, or above its end after a truncation.
            if from < replica.log.log_start() || from > replica.log.end_offset() {
                return true;
            }
            if from < end {
                let segments = replica.log.has_several_segments();
                if segments && replica.log.segment_base_of(from) < replica.log.segment_base_of(end) {
                    return true;
                }
                let available = i64::try_from(replica.log.bytes_between(from, end)).unwrap_or(i64::MAX);
                bytes += available.min(share);
            }
        }
        bytes >= i64::from(fetch.request.min_bytes)
    }

    /// Records are acquired and handed out, as many as there are. [completeLocalLogShareFetchRequest]
    pub(in crate::kafka::broker) fn complete_share_fetch(&mut self, fetch: &DelayedShareFetch, ctx: &mut Ctx) {
        if let Some(asker) = fetch.refused {
            let body = fetch_refused(ErrorCode::ShareSessionLimitReached, None);
            return self.reply(asker, body, ctx);
        }
        let offsets = self.acquirable(fetch);
        let share = fetch.request.max_bytes / i32::try_from(offsets.len().max(1)).unwrap_or(1);
        let mut room = usize::try_from(fetch.request.max_records).unwrap_or(0);
        let mut fetched = Vec::new();
        let mut any = false;
        for (partition, offset) in &offsets {
            let limits = (u32::try_from(share).unwrap_or(0), !any);
            match self.read_share(fetch, *partition, *offset, limits, room, ctx) {
                Ok(Some((part, count))) => {
                    room -= count.min(room);
                    any |= count > 0;
                    fetched.push(part);
                }
                Ok(None) => {}
                Err(error) => {
                    let key = (fetch.request.group.clone(), *partition);
                    if fences(error) {
                        self.forget_share(&key, ctx);
                    }
                    if let Some(open) = self.share.exchanges.get_mut(&fetch.exchange) {
                        open.fail(*partition, error, None);
                    }
                }
            }
        }
        self.share_fetched(fetch.exchange, fetched, ctx);
        for (partition, _) in offsets {
            self.check_delayed(partition, ctx);
        }
    }

    /// One partition's part, and how many records the member got.
    fn read_share(
        &mut self,
        fetch: &DelayedShareFetch,
        partition: TopicPartition,
        offset: i64,
        (max_bytes, min_one): (u32, bool),
        room: usize,
        ctx: &mut Ctx,
    ) -> Result<Option<(ShareFetchedPartition, usize)>, ErrorCode> {
        let request = &fetch.request;
        let key = (request.group.clone(), partition);
        let settings = self.share_settings(&key.0);
        let end = self.share_end(partition, settings.read_committed);
        let end = end.ok_or(ErrorCode::NotLeaderOrFollower)?;
        let Some(replica) = self.replicas.get(&partition) else {
            return Err(self.missing_error(partition));
        };
        let limits = ReadLimits {
            max_bytes,
            end,
            min_one,
        };
        let log_start = replica.log.log_start();
        let Ok(read) = replica.log.read(offset, limits) else {
            // The log begins further up by now: the share partition follows.
            self.with_share(&key, |records| records.log_start_moved(log_start));
            return Ok(None);
        };
        let aborted = match settings.read_committed {
            true => aborted_batches(&read, replica.log.aborted_in(offset, &read)),
            false => Vec::new(),
        };
        let spans: Vec<(i64, i64)> = read.batches.iter().map(|b| (b.base_offset, b.last_offset)).collect();
        let batch_size = usize::try_from(request.batch_size).unwrap_or(0);
        let acquired = self.with_share(&key, |records| {
            records.limits = settings.limits;
            let mut acquired = records.acquire(
                &request.member_id,
                batch_size,
                room,
                &spans,
                offset,
                request.record_limit,
            );
            for (first, last) in aborted {
                records.archive_acquired(first, last);
                acquired = without(acquired, first, last);
            }
            acquired
        });
        let acquired = acquired.unwrap_or_default();
        if acquired.is_empty() {
            return Ok(None);
        }
        self.note_acquired(&key, &request.member_id, &acquired, &settings, ctx);
        self.lock_records(&key, &acquired, settings.lock_ms, ctx);
        self.share_partition_served(&request.group, &request.member_id, partition);
        let count: i64 = acquired.iter().map(|range| range.last - range.first + 1).sum();
        let part = ShareFetchedPartition {
            acquired: acquired
                .iter()
                .map(|range| AcquiredRecords {
                    first: range.first,
                    last: range.last,
                    deliveries: range.deliveries,
                })
                .collect(),
            batches: slice(read.batches, &acquired),
            ..ShareFetchedPartition::empty(partition, ErrorCode::None, None)
        };
        Ok(Some((part, usize::try_from(count).unwrap_or(0))))
    }

    fn note_acquired(
        &self,
        key: &ShareKey,
        member: &Rc<str>,
        acquired: &[Acquired],
        settings: &super::manager::ShareSettings,
        ctx: &mut Ctx,
    ) {
        for range in acquired {
            ctx.note(Note::Share(ShareNote::Acquired {
                group: key.0.clone(),
                member: member.clone(),
                partition: key.1,
                first: range.first,
                last: range.last,
                deliveries: range.deliveries,
                limit: settings.limits.deliveries,
                lock_ms: settings.lock_ms,
            }));
        }
    }
}

/// Batches of transactions that were aborted: nobody gets their records. [fetchAbortedTransactionRecordBatches]
fn aborted_batches(read: &Fetched, mut aborted: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    let mut producers = OrderedSet::new();
    let mut found = Vec::new();
    for batch in &read.batches {
        let Some(producer) = batch.producer_id() else { continue };
        aborted.retain(|(id, first)| {
            let met = *first <= batch.last_offset;
            if met {
                producers.insert(*id);
            }
            !met
        });
        match batch.control {
            Some(control) if control.outcome == Outcome::Abort => drop(producers.remove(&producer)),
            Some(_) => {}
            None if batch.transactional && producers.contains(&producer) => {
                found.push((batch.base_offset, batch.last_offset));
            }
            None => {}
        }
    }
    found
}

/// What was acquired, but for these offsets.
fn without(acquired: Vec<Acquired>, first: i64, last: i64) -> Vec<Acquired> {
    let parts = acquired.into_iter().flat_map(|range| {
        let before = Acquired {
            last: range.last.min(first - 1),
            ..range
        };
        let behind = Acquired {
            first: range.first.max(last + 1),
            ..range
        };
        [before, behind]
    });
    parts.filter(|range| range.first <= range.last).collect()
}

/// The batches around what was acquired. [maybeSliceFetchRecords]
fn slice(batches: Vec<Batch>, acquired: &[Acquired]) -> Vec<Batch> {
    let first = acquired.first().map_or(i64::MAX, |range| range.first);
    let last = acquired.last().map_or(-1, |range| range.last);
    let around = |batch: &Batch| batch.base_offset <= last && batch.last_offset >= first;
    batches.into_iter().filter(around).collect()
}
