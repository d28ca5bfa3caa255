//! The logs of a broker together: loading them, writing checkpoints, retention, flushing. [LogManager]

use super::BrokerTimer;
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::note::{Fact, Note};
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

impl Server {
    /// Opens the logs that belong here, sets strays aside, and begins the periodic work.
    pub(super) fn start_log_manager(&mut self, ctx: &mut Ctx) {
        for (partition, stored) in std::mem::take(&mut self.stored) {
            let registration = self.image().partitions.get(&partition);
            if registration.is_some_and(|r| r.replicas.contains(&self.me())) {
                self.load_replica(partition, stored, ctx);
            } else {
                ctx.note(Note::Broker(BrokerNote::StrayLog { partition }));
                ctx.note(Note::Fact(Fact::Removed { partition }));
            }
        }
        let config = &self.setup.config;
        let delay = config.log_initial_task_delay_ms;
        let tasks = [
            (
                config.replica_high_watermark_checkpoint_interval_ms,
                BrokerTimer::CheckpointHighWatermarks,
            ),
            (delay, BrokerTimer::CheckpointLogStarts),
            (delay, BrokerTimer::CheckpointRecoveryPoints),
            (delay, BrokerTimer::CheckRetention),
            (
                config.producer_id_expiration_check_interval_ms,
                BrokerTimer::ExpireProducers,
            ),
        ];
        for (after, timer) in tasks {
            set_timer(ctx, Span::from_ms(after), timer);
        }
        if config.log_flush_scheduler_interval_ms < i64::MAX {
            set_timer(ctx, Span::from_ms(delay), BrokerTimer::FlushLogs);
        }
        self.rest_cleaner(ctx);
    }

    fn again(&self, interval_ms: i64, timer: BrokerTimer, ctx: &mut Ctx) {
        set_timer(ctx, Span::from_ms(interval_ms.max(1)), timer);
    }

    /// `replication-offset-checkpoint`
    pub(super) fn checkpoint_high_watermarks(&mut self, ctx: &mut Ctx) {
        for replica in self.replicas.values_mut() {
            replica.log.checkpoint_high_watermark();
        }
        let interval = self.setup.config.replica_high_watermark_checkpoint_interval_ms;
        self.again(interval, BrokerTimer::CheckpointHighWatermarks, ctx);
    }

    /// `log-start-offset-checkpoint`
    pub(super) fn checkpoint_log_starts(&mut self, ctx: &mut Ctx) {
        for replica in self.replicas.values_mut() {
            replica.log.checkpoint_log_start();
        }
        let interval = self.setup.config.log_flush_start_offset_checkpoint_interval_ms;
        self.again(interval, BrokerTimer::CheckpointLogStarts, ctx);
    }

    /// `recovery-point-offset-checkpoint`
    pub(super) fn checkpoint_recovery_points(&mut self, ctx: &mut Ctx) {
        for replica in self.replicas.values_mut() {
            replica.log.checkpoint_recovery_point();
        }
        let interval = self.setup.config.log_flush_offset_checkpoint_interval_ms;
        self.again(interval, BrokerTimer::CheckpointRecoveryPoints, ctx);
    }

    /// `kafka-log-retention`: logs that are compacted are the cleaner's.
    pub(super) fn check_retention(&mut self, ctx: &mut Ctx) {
        self.delete_old_segments(false, ctx);
        let interval = self.setup.config.log_retention_check_interval_ms;
        self.again(interval, BrokerTimer::CheckRetention, ctx);
    }

    /// Deletes what retention allows, of the compacted logs or of the others.
    pub(super) fn delete_old_segments(&mut self, compacted: bool, ctx: &mut Ctx) {
        let wall = self.clock.wall;
        let mut moved = Vec::new();
        for (partition, replica) in &mut self.replicas {
            if replica.log.config().cleanup.compact != compacted {
                continue;
            }
            let deleted = replica.log.delete_old_segments(wall);
            if deleted.is_empty() {
                continue;
            }
            for segment in deleted {
                ctx.note(Note::Broker(BrokerNote::SegmentDeleted {
                    partition: *partition,
                    base_offset: segment.base_offset,
                    end_offset: segment.end_offset,
                    reason: segment.reason,
                }));
            }
            ctx.note(Note::Fact(Fact::StartMoved {
                partition: *partition,
                to: replica.log.log_start(),
            }));
            moved.push(*partition);
        }
        for partition in moved {
            self.log_start_moved(partition);
        }
    }

    /// Sessions tell of it: this broker's own, and those of its readers.
    pub(super) fn log_start_moved(&mut self, partition: TopicPartition) {
        self.stir(partition);
        for fetcher in self.fetchers.values_mut() {
            fetcher.touch(partition);
        }
    }

    /// `flush.ms`
    pub(super) fn flush_logs(&mut self, ctx: &mut Ctx) {
        let wall = self.clock.wall;
        for replica in self.replicas.values_mut() {
            if replica.log.flush_is_due(wall) {
                replica.log.flush(wall);
                self.metrics.counters().flushes += 1;
            }
        }
        let interval = self.setup.config.log_flush_scheduler_interval_ms;
        self.again(interval, BrokerTimer::FlushLogs, ctx);
    }

    pub(super) fn expire_producers(&mut self, ctx: &mut Ctx) {
        let wall = self.clock.wall;
        for replica in self.replicas.values_mut() {
            replica.log.expire_producers(wall);
        }
        let interval = self.setup.config.producer_id_expiration_check_interval_ms;
        self.again(interval, BrokerTimer::ExpireProducers, ctx);
    }
}
