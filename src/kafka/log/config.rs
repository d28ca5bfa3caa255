//! The settings that one log obeys: a topic's configuration with the broker's defaults resolved. Times in ms, sizes in
//! bytes, defaults as in Kafka 4.3.1.

use crate::kafka::log::batch::{Codec, TimestampType};

/// `cleanup.policy`; both off is the empty list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub delete: bool,
    pub compact: bool,
}

/// Settings of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `max.message.bytes`
    pub max_message_bytes: i64,
    /// `segment.bytes`
    pub segment_bytes: i64,
    /// `segment.ms`
    pub segment_ms: i64,
    /// What this log subtracts from `segment.ms`: drawn once below `segment.jitter.ms`.
    pub segment_jitter: i64,
    /// `retention.ms`; -1 keeps for ever
    pub retention_ms: i64,
    /// `retention.bytes`; -1 is without limit
    pub retention_bytes: i64,
    /// `cleanup.policy`
    pub cleanup: CleanupPolicy,
    /// `delete.retention.ms`
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: i64,
    /// `min.cleanable.dirty.ratio`, in millionths
    pub min_cleanable_dirty_ratio: i64,
    /// `max.compaction.lag.ms`
    pub max_compaction_lag_ms: i64,
    /// `compression.type`; none here is `producer`: batches stay as they came
    pub compression: Option<Codec>,
    /// `message.timestamp.type`
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub timestamp_after_max_ms: i64,
    /// `flush.messages`
    pub flush_messages: i64,
    /// `flush.ms`
    pub flush_ms: i64,
    /// `producer.id.expiration.ms` of the broker
    pub producer_id_expiration_ms: i64,
    /// `transaction.partition.verification.enable` of the broker
    pub transaction_verification: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            max_message_bytes: 1_048_588,
            segment_bytes: 1_073_741_824,
            segment_ms: 604_800_000,
            segment_jitter: 0,
            retention_ms: 604_800_000,
            retention_bytes: -1,
            cleanup: CleanupPolicy {
                delete: true,
                compact: false,
            },
            delete_retention_ms: 86_400_000,
            min_compaction_lag_ms: 0,
            min_cleanable_dirty_ratio: 500_000,
            max_compaction_lag_ms: i64::MAX,
            compression: None,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            producer_id_expiration_ms: 86_400_000,
            transaction_verification: true,
        }
    }
}

impl LogConfig {
    /// After which time a segment is rolled, in record time: compacted topics don't wait longer than the cleaner may.
    pub fn roll_ms(&self) -> i64 {
        let wait = if self.cleanup.compact {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        };
        wait.saturating_sub(self.segment_jitter)
    }
}
