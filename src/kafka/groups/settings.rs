//! The settings that the coordinator of classic groups goes by.

use crate::kafka::config::BrokerConfig;

/// Settings of [`BrokerConfig`], times in ms.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub write_timeout_ms: i64,
    pub initial_rebalance_delay_ms: i64,
    pub min_session_timeout_ms: i64,
    pub max_session_timeout_ms: i64,
    pub max_size: usize,
    pub metadata_max_length: usize,
    pub retention_ms: i64,
    pub retention_check_ms: i64,
    /// `offsets.topic.num.partitions`
    pub partitions: i32,
}

impl Settings {
    pub fn of(config: &BrokerConfig) -> Settings {
        let size = |number: i64| usize::try_from(number).unwrap_or(0);
        Settings {
            write_timeout_ms: config.offsets_commit_timeout_ms,
            initial_rebalance_delay_ms: config.group_initial_rebalance_delay_ms,
            min_session_timeout_ms: config.group_min_session_timeout_ms,
            max_session_timeout_ms: config.group_max_session_timeout_ms,
            max_size: size(i64::from(config.group_max_size)),
            metadata_max_length: size(config.offset_metadata_max_bytes),
            retention_ms: config.offsets_retention_minutes.saturating_mul(60_000),
            retention_check_ms: config.offsets_retention_check_interval_ms,
            partitions: config.offsets_topic_num_partitions,
        }
    }
}
