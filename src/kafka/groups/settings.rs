//! The settings that the coordinator goes by.

use crate::kafka::config::BrokerConfig;
use std::rc::Rc;

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
    pub consumer_session_ms: i64,
    pub consumer_heartbeat_ms: i64,
    pub consumer_assignment_interval_ms: i64,
    pub consumer_max_size: usize,
    /// `group.consumer.assignors`, the default first.
    pub consumer_assignors: Vec<Rc<str>>,
    pub share_session_ms: i64,
    pub share_heartbeat_ms: i64,
    pub share_assignment_interval_ms: i64,
    pub share_max_size: usize,
    pub share_initialize_retry_ms: i64,
    pub regex_refresh_ms: i64,
    pub migration: Migration,
}

/// May groups with members change their protocol? [ConsumerGroupMigrationPolicy]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Migration {
    /// From classic to consumer.
    pub upgrade: bool,
    pub downgrade: bool,
}

impl Migration {
    fn of(policy: &str) -> Migration {
        let is = |name: &str| policy.eq_ignore_ascii_case(name);
        Migration {
            upgrade: is("bidirectional") || is("upgrade"),
            downgrade: is("bidirectional") || is("downgrade"),
        }
    }
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
            consumer_session_ms: config.group_consumer_session_timeout_ms,
            consumer_heartbeat_ms: config.group_consumer_heartbeat_interval_ms,
            consumer_assignment_interval_ms: config.group_consumer_assignment_interval_ms,
            consumer_max_size: size(i64::from(config.group_consumer_max_size)),
            consumer_assignors: config
                .group_consumer_assignors
                .iter()
                .map(|name| name.as_str().into())
                .collect(),
            share_session_ms: config.group_share_session_timeout_ms,
            share_heartbeat_ms: config.group_share_heartbeat_interval_ms,
            share_assignment_interval_ms: config.group_share_assignment_interval_ms,
            share_max_size: size(i64::from(config.group_share_max_size)),
            share_initialize_retry_ms: config.group_share_initialize_retry_interval_ms,
            regex_refresh_ms: config.group_consumer_regex_refresh_interval_ms,
            migration: Migration::of(&config.group_consumer_migration_policy),
        }
    }
}
