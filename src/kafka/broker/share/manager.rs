//! The share partitions that a leader hands out records of: loaded when a member asks first, forgotten when the broker
//! stops leading, with their locks. [SharePartitionManager, SharePartitionCache]

use super::note::ShareNote;
use super::partition::{Acquired, ShareLimits, SharePartition, ShareWrite};
use super::persister::Purpose;
use super::state::ShareKey;
use super::state_log::StateKind;
use super::{Fated, lock_timer};
use crate::kafka::broker::server::{Server, set_timer};
use crate::kafka::config::GroupConfig;
use crate::kafka::config::consumer::OffsetReset;
use crate::kafka::note::{Fact, Note, ShareFate};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::share::{NO_START, RecordState, ShareState, ShareStateResult};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::{Span, Time, TimerId};
use std::collections::VecDeque;
use std::rc::Rc;

/// A share partition at its leader.
#[derive(Clone, Debug)]
pub struct Shared {
    pub(super) serial: u64,
    pub(super) leader_epoch: i32,
    pub(super) state_epoch: i32,
    /// `None` while it is being loaded.
    pub(super) records: Option<SharePartition>,
    /// Locks with their ends, the next one first.
    pub(super) locks: VecDeque<(Time, u64)>,
    timer: Option<(Time, TimerId)>,
}

/// What a group's settings say about a share partition.
pub(super) struct ShareSettings {
    pub limits: ShareLimits,
    pub lock_ms: i64,
    pub read_committed: bool,
    pub reset: OffsetReset,
}

impl Server {
    pub(super) fn share_settings(&self, group: &str) -> ShareSettings {
        let broker = &self.setup.config;
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        let deliveries = |number: i32| u16::try_from(number).unwrap_or(u16::MAX);
        match self.group_settings(group) {
            Some(own) => of_group(&own),
            None => ShareSettings {
                limits: ShareLimits {
                    deliveries: deliveries(broker.group_share_delivery_count_limit),
                    in_flight: count(broker.group_share_partition_max_record_locks),
                    renew: true,
                },
                lock_ms: broker.group_share_record_lock_duration_ms,
                read_committed: false,
                reset: OffsetReset::Latest,
            },
        }
    }

    /// The share partition, made and on its way to be loaded if nobody has asked for it before.
    ///
    /// # Errors
    /// This broker does not lead the partition.
    pub(super) fn share_partition(&mut self, key: &ShareKey, exchange: u64, ctx: &mut Ctx) -> Result<(), ErrorCode> {
        if self.share.cache.contains_key(key) {
            return Ok(());
        }
        let Some(replica) = self.replicas.get(&key.1) else {
            return Err(self.missing_error(key.1));
        };
        if !replica.partition.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let leader_epoch = replica.partition.leader_epoch();
        let serial = self.share.number();
        let shared = Shared {
            serial,
            leader_epoch,
            state_epoch: 0,
            records: None,
            locks: VecDeque::new(),
            timer: None,
        };
        self.share.cache.insert(key.clone(), Rc::new(shared));
        self.share.serials.insert(serial, key.clone());
        let state = ShareState {
            leader_epoch,
            ..ShareState::unknown()
        };
        let purpose = Purpose::Load { serial, exchange };
        self.ask_share_state(&key.0, StateKind::Read, vec![(key.1, state)], purpose, ctx);
        Ok(())
    }

    /// What the share coordinator has of a share partition is here. [SharePartition.maybeInitialize]
    pub(super) fn share_loaded(&mut self, serial: u64, exchange: u64, result: ShareStateResult, ctx: &mut Ctx) {
        let Some(key) = self.share.serials.get(&serial).cloned() else {
            return;
        };
        match self.load_share(&key, &result) {
            Ok((reset, start, in_flight)) => ctx.note(Note::Share(ShareNote::Loaded {
                group: key.0.clone(),
                partition: key.1,
                start,
                in_flight,
                reset,
            })),
            Err(error) => {
                self.forget_share(&key, ctx);
                if let Some(exchange) = self.share.exchanges.get_mut(&exchange) {
                    exchange.fail(key.1, error, result.message);
                }
            }
        }
        self.check_delayed(key.1, ctx);
    }

    fn load_share(
        &mut self,
        key: &ShareKey,
        result: &ShareStateResult,
    ) -> Result<(Option<&'static str>, i64, usize), ErrorCode> {
        let state = match (&result.state, result.error) {
            (Some(state), ErrorCode::None) => state,
            (_, error) => return Err(of_persister(error)),
        };
        let settings = self.share_settings(&key.0);
        let (start, reset) = match state.start {
            NO_START => {
                let (start, reset) = self.first_share_offset(key.1, settings.reset)?;
                (start, Some(reset))
            }
            start => (start, None),
        };
        let broken = |batch: &super::partition::StateBatch| batch.first < start || batch.last < batch.first;
        if state.batches.iter().any(broken) {
            return Err(ErrorCode::UnknownServerError);
        }
        let records = SharePartition::new(start, &state.batches, settings.limits);
        let (start, in_flight) = (records.start(), records.records().count());
        if let Some(shared) = self.share.cache.get_mut(key) {
            let shared = Rc::make_mut(shared);
            shared.state_epoch = state.state_epoch;
            shared.records = Some(records);
        }
        Ok((reset, start, in_flight))
    }

    /// Where a group begins that has not read the partition before. [startOffsetDuringInitialization]
    fn first_share_offset(
        &self,
        partition: TopicPartition,
        reset: OffsetReset,
    ) -> Result<(i64, &'static str), ErrorCode> {
        let Some(replica) = self.replicas.get(&partition) else {
            return Err(self.missing_error(partition));
        };
        if !replica.partition.is_leader() {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        let start = replica.partition.epoch_start().unwrap_or(0);
        let high_watermark = replica.log.high_watermark();
        match reset {
            OffsetReset::Earliest => Ok((replica.log.log_start(), "earliest")),
            OffsetReset::ByDuration(ms) => {
                let since = self.clock.wall.saturating_sub(ms);
                let found = replica.log.offset_for_timestamp(since);
                let found = found.filter(|found| found.offset < high_watermark);
                Ok((found.ok_or(ErrorCode::OffsetNotAvailable)?.offset, "by_duration"))
            }
            OffsetReset::Latest | OffsetReset::None if start > high_watermark => Err(ErrorCode::OffsetNotAvailable),
            OffsetReset::Latest | OffsetReset::None => Ok((high_watermark, "latest")),
        }
    }

    /// Works on the records of a share partition that is loaded.
    pub(super) fn with_share<R>(&mut self, key: &ShareKey, work: impl FnOnce(&mut SharePartition) -> R) -> Option<R> {
        let shared = Rc::make_mut(self.share.cache.get_mut(key)?);
        Some(work(shared.records.as_mut()?))
    }

    /// Nobody is handed records of it here any more.
    pub(super) fn forget_share(&mut self, key: &ShareKey, ctx: &mut Ctx) {
        let Some(shared) = self.share.cache.remove(key) else {
            return;
        };
        self.share.serials.remove(&shared.serial);
        if let Some((_, timer)) = shared.timer {
            ctx.cancel(timer);
        }
    }

    /// This broker does not lead the partition any more, or not in the same way. [SharePartitionListener]
    pub(in crate::kafka::broker) fn share_partition_lost(&mut self, partition: TopicPartition, ctx: &mut Ctx) {
        if self.share.cache.is_empty() {
            return;
        }
        let keys = self.share.cache.keys().filter(|key| key.1 == partition);
        let keys: Vec<ShareKey> = keys.cloned().collect();
        for key in keys {
            self.forget_share(&key, ctx);
            ctx.note(Note::Share(ShareNote::Fenced {
                group: key.0,
                partition,
            }));
        }
    }

    // ---- locks ----

    /// Locks begin to run on what was acquired or renewed.
    pub(super) fn lock_records(&mut self, key: &ShareKey, acquired: &[Acquired], lock_ms: i64, ctx: &mut Ctx) {
        let Some(shared) = self.share.cache.get_mut(key) else {
            return;
        };
        let shared = Rc::make_mut(shared);
        let end = ctx.now() + Span::from_ms(lock_ms);
        for range in acquired {
            if shared.locks.iter().any(|(_, lock)| *lock == range.lock) {
                continue;
            }
            let at = shared.locks.partition_point(|(other, _)| *other <= end);
            shared.locks.insert(at, (end, range.lock));
        }
        arm(shared, ctx);
    }

    /// Some locks end. [releaseAcquisitionLockOnTimeout]
    pub(in crate::kafka::broker) fn share_locks_over(&mut self, serial: u64, ctx: &mut Ctx) {
        let Some(key) = self.share.serials.get(&serial).cloned() else {
            return;
        };
        let lock_ms = self.share_settings(&key.0).lock_ms;
        let Some(shared) = self.share.cache.get_mut(&key) else {
            return;
        };
        let shared = Rc::make_mut(shared);
        shared.timer = None;
        let now = ctx.now();
        let mut writes = Vec::new();
        while shared.locks.front().is_some_and(|(end, _)| *end <= now)
            && let Some((_, lock)) = shared.locks.pop_front()
        {
            let write = shared.records.as_mut().and_then(|records| records.lock_expired(lock));
            writes.extend(write);
        }
        arm(shared, ctx);
        for write in writes {
            for batch in &write.batches {
                ctx.note(Note::Share(match batch.state {
                    RecordState::Available => ShareNote::LockEnded {
                        group: key.0.clone(),
                        partition: key.1,
                        first: batch.first,
                        last: batch.last,
                        deliveries: batch.deliveries,
                        lock_ms,
                    },
                    _ => ShareNote::Finished {
                        group: key.0.clone(),
                        partition: key.1,
                        first: batch.first,
                        last: batch.last,
                        fate: ShareFate::DeliveryLimit,
                        limit: batch.deliveries,
                    },
                }));
            }
            let fates = archived(&write);
            self.note_fates(&key, &fates, ctx);
            self.write_share(&key, write, None, Vec::new(), ctx);
            self.check_delayed(key.1, ctx);
        }
    }

    // ---- writing ----

    /// Has a change of records written.
    pub(super) fn write_share(
        &mut self,
        key: &ShareKey,
        write: ShareWrite,
        acknowledges: Option<(u64, TopicPartition)>,
        fates: Vec<Fated>,
        ctx: &mut Ctx,
    ) {
        let Some(shared) = self.share.cache.get(key) else {
            return;
        };
        let purpose = Purpose::Written {
            serial: shared.serial,
            number: write.number,
            acknowledges,
            fates,
        };
        let state = ShareState {
            state_epoch: shared.state_epoch,
            leader_epoch: shared.leader_epoch,
            start: write.start,
            completed: i64::try_from(write.completed).unwrap_or(i64::MAX),
            batches: write.batches.into(),
        };
        self.ask_share_state(&key.0, StateKind::Write, vec![(key.1, state)], purpose, ctx);
    }

    /// How a write went. [rollbackOrProcessStateUpdates]
    pub(super) fn share_written(
        &mut self,
        serial: u64,
        number: u64,
        acknowledges: Option<(u64, TopicPartition)>,
        fates: &[Fated],
        result: &ShareStateResult,
        ctx: &mut Ctx,
    ) {
        let error = of_persister(result.error);
        let key = self.share.serials.get(&serial).cloned();
        if let Some(key) = &key {
            let moved = self.with_share(key, |records| {
                let from = records.start();
                records.written(number, !error.is_error());
                (from, records.start())
            });
            match error {
                ErrorCode::None => self.note_fates(key, fates, ctx),
                error => ctx.note(Note::Share(ShareNote::WriteFailed {
                    group: key.0.clone(),
                    partition: key.1,
                    error,
                })),
            }
            if fences(error) {
                self.forget_share(key, ctx);
                self.check_delayed(key.1, ctx);
            }
            if let Some((from, to)) = moved.filter(|(from, to)| from != to) {
                ctx.note(Note::Share(ShareNote::StartMoved {
                    group: key.0.clone(),
                    partition: key.1,
                    from,
                    to,
                }));
                self.check_delayed(key.1, ctx);
            }
        }
        if let Some((exchange, partition)) = acknowledges {
            let message = result.message.clone().filter(|_| error.is_error());
            self.share_acknowledged(exchange, partition, error, message, ctx);
        }
    }

    /// Records are finished: the ledger hears of it.
    pub(super) fn note_fates(&self, key: &ShareKey, fates: &[Fated], ctx: &mut Ctx) {
        for (first, last, fate) in fates {
            ctx.note(
                Fact::ShareFinished {
                    group: key.0.clone(),
                    partition: key.1,
                    first: *first,
                    last: *last,
                    fate: *fate,
                }
                .into(),
            );
        }
    }
}

/// What a lock's or a session's end has archived: it was delivered too often.
pub(super) fn archived(write: &ShareWrite) -> Vec<Fated> {
    let gone = write
        .batches
        .iter()
        .filter(|batch| batch.state == RecordState::Archived);
    gone.map(|batch| (batch.first, batch.last, ShareFate::DeliveryLimit))
        .collect()
}

fn of_group(own: &GroupConfig) -> ShareSettings {
    ShareSettings {
        limits: ShareLimits {
            deliveries: u16::try_from(own.share_delivery_count_limit).unwrap_or(u16::MAX),
            in_flight: usize::try_from(own.share_partition_max_record_locks).unwrap_or(0),
            renew: own.share_renew_acknowledge_enable,
        },
        lock_ms: own.share_record_lock_duration_ms,
        read_committed: own.share_read_committed,
        reset: own.share_auto_offset_reset,
    }
}

/// Sets the timer for the lock that ends first.
fn arm(shared: &mut Shared, ctx: &mut Ctx) {
    let Some((end, _)) = shared.locks.front().copied() else {
        return;
    };
    if let Some((at, timer)) = shared.timer {
        if at <= end {
            return;
        }
        ctx.cancel(timer);
    }
    let timer = set_timer(ctx, end.since(ctx.now()), lock_timer(shared.serial));
    shared.timer = Some((end, timer));
}

/// The share coordinator's error as the leader tells it. [SharePartition.fetchPersisterError]
fn of_persister(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::None => ErrorCode::None,
        ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable | ErrorCode::CoordinatorLoadInProgress => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::GroupIdNotFound | ErrorCode::UnknownTopicOrPartition => error,
        ErrorCode::FencedLeaderEpoch | ErrorCode::FencedStateEpoch => ErrorCode::NotLeaderOrFollower,
        _ => ErrorCode::UnknownServerError,
    }
}

/// After such an error the share partition is loaded anew. [fencedSharePartitionHandler]
pub(super) fn fences(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::FencedStateEpoch
            | ErrorCode::GroupIdNotFound
            | ErrorCode::UnknownTopicOrPartition
    )
}
