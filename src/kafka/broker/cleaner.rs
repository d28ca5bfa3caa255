//! The log cleaner as a broker runs it: the dirtiest compacted log first, until none is dirty enough; then it rests for
//! `log.cleaner.backoff.ms`. Compacted logs get their retention here, too. [LogCleaner.CleanerThread]
//!
//! A cleaning takes no time here: the real one reads and writes what it cleans.

use super::BrokerTimer;
use super::note::BrokerNote;
use super::server::{Server, set_timer};
use crate::kafka::config::BrokerConfig;
use crate::kafka::log::cleaner::Cleanable;
use crate::kafka::note::Note;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// Bytes that a key takes in the cleaner's memory: its hash and its offset. [SkimpyOffsetMap]
const BYTES_PER_KEY: i64 = 24;

impl Server {
    /// The broker's settings as the cleaner has them: its own can be changed while it runs. [LogCleaner.reconfigure]
    fn cleaner_config(&self) -> BrokerConfig {
        let mut all = self.setup.properties.clone();
        for layer in self.dynamic_settings() {
            all.extend(layer.into_iter().filter(|(key, _)| key.starts_with("log.cleaner.")));
        }
        BrokerConfig::from_map(&all).unwrap_or_else(|_| self.setup.config.clone())
    }

    /// The cleaner rests.
    pub(super) fn rest_cleaner(&mut self, ctx: &mut Ctx) {
        let pause = self.cleaner_config().log_cleaner_backoff_ms.max(1);
        set_timer(ctx, Span::from_ms(pause), BrokerTimer::CleanLogs);
    }

    pub(super) fn clean_logs(&mut self, ctx: &mut Ctx) {
        while let Some(partition) = self.dirtiest() {
            if !self.clean_log(partition, ctx) {
                break;
            }
        }
        self.delete_old_segments(true, ctx);
        self.rest_cleaner(ctx);
    }

    /// [LogCleanerManager.grabFilthiestCompactedLog]
    fn dirtiest(&self) -> Option<TopicPartition> {
        let mut found: Option<(TopicPartition, Cleanable)> = None;
        let compacted = self.replicas.iter().filter(|(_, r)| r.log.config().cleanup.compact);
        for (partition, replica) in compacted {
            let cleanable = replica.log.cleanable(self.clock.wall);
            let due = cleanable.is_due(replica.log.config().min_cleanable_dirty_ratio);
            if due && found.as_ref().is_none_or(|(_, other)| cleanable.is_dirtier_than(other)) {
                found = Some((*partition, cleanable));
            }
        }
        found.map(|(partition, _)| partition)
    }

    /// Whether anything became clean.
    fn clean_log(&mut self, partition: TopicPartition, ctx: &mut Ctx) -> bool {
        let config = self.cleaner_config();
        let memory = config.log_cleaner_dedupe_buffer_size / i64::from(config.log_cleaner_threads.max(1));
        // nine tenths of it are used at most [log.cleaner.io.buffer.load.factor]
        let keys = memory.min(i64::from(i32::MAX)) / BYTES_PER_KEY * 9 / 10;
        let wall = self.clock.wall;
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return false;
        };
        let Some(cleaned) = replica.log.clean(wall, usize::try_from(keys).unwrap_or(1).max(1)) else {
            return false;
        };
        ctx.note(Note::Broker(BrokerNote::LogCleaned {
            partition,
            from: cleaned.from,
            to: cleaned.to,
            removed: cleaned.records_before - cleaned.records_after,
            kept: cleaned.records_after,
            ratio: replica.log.config().min_cleanable_dirty_ratio,
        }));
        true
    }
}
