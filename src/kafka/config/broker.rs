//! Typed settings of a broker or controller. [KafkaConfig and the classes it reads with]

use super::definition::Scope;
use super::error::ConfigError;
use super::values::{Properties, Values, settings};

settings! {
    /// What a broker or controller was started with. The settings that topics inherit are here too, but a log reads
    /// [`TopicConfig`](super::TopicConfig), which has them in effect.
    pub struct BrokerConfig, v;
    /// `broker.heartbeat.interval.ms`: how often a broker tells the controller that it lives, ms.
    broker_heartbeat_interval_ms: i64 = v.number("broker.heartbeat.interval.ms")?,
    /// `broker.session.timeout.ms`: a broker not heard of for so long is fenced, ms.
    broker_session_timeout_ms: i64 = v.number("broker.session.timeout.ms")?,
    /// `initial.broker.registration.timeout.ms`: a broker that cannot register for so long gives up, ms.
    initial_broker_registration_timeout_ms: i64 = v.number("initial.broker.registration.timeout.ms")?,
    /// `fetch.max.bytes`: most that one fetch is answered with, bytes.
    fetch_max_bytes: i64 = v.number("fetch.max.bytes")?,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions that a broker keeps at most.
    fetch_session_cache_slots: i32 = v.int("max.incremental.fetch.session.cache.slots")?,
    /// `num.replica.fetchers`: fetchers of a broker for each leader's broker.
    num_replica_fetchers: i32 = v.int("num.replica.fetchers")?,
    /// `replica.selector.class`: who decides from which replica a consumer reads; `None`: always the leader.
    replica_selector_class: Option<String> = v.opt_text("replica.selector.class")?,
    /// `transaction.partition.verification.enable`: does a leader ask whether a partition is in the transaction?
    transaction_partition_verification_enable: bool = v.boolean("transaction.partition.verification.enable")?,
    /// `group.coordinator.append.linger.ms`: the coordinator collects records for so long, ms; -1: as it sees fit.
    group_coordinator_append_linger_ms: i64 = v.number("group.coordinator.append.linger.ms")?,
    /// `group.coordinator.rebalance.protocols`: the protocols that groups may use.
    group_coordinator_rebalance_protocols: Vec<String> = v.list("group.coordinator.rebalance.protocols")?,
    /// `group.consumer.migration.policy`: which groups may change between the classic and the consumer protocol.
    group_consumer_migration_policy: String = v.text("group.consumer.migration.policy")?,
    /// `group.consumer.regex.refresh.interval.ms`: how often subscriptions by pattern are looked at anew, ms.
    group_consumer_regex_refresh_interval_ms: i64 = v.number("group.consumer.regex.refresh.interval.ms")?,
    /// `broker.rack`: where the broker stands, for placement and for racks of replicas.
    broker_rack: Option<String> = v.opt_text("broker.rack")?,
    /// `controlled.shutdown.enable`: does a broker hand its leaderships over before it ends?
    controlled_shutdown_enable: bool = v.boolean("controlled.shutdown.enable")?,
    /// `replica.lag.time.max.ms`: a follower not caught up for so long leaves the ISR, ms; looked at every half of it.
    replica_lag_time_max_ms: i64 = v.number("replica.lag.time.max.ms")?,
    /// `replica.fetch.wait.max.ms`: longest wait of a follower fetch at the leader, ms.
    replica_fetch_wait_max_ms: i64 = v.number("replica.fetch.wait.max.ms")?,
    /// `replica.fetch.min.bytes`: a follower fetch is answered at once with so much, bytes.
    replica_fetch_min_bytes: i64 = v.number("replica.fetch.min.bytes")?,
    /// `replica.fetch.max.bytes`: a follower takes so much of a partition at once, bytes.
    replica_fetch_max_bytes: i64 = v.number("replica.fetch.max.bytes")?,
    /// `replica.fetch.response.max.bytes`: a follower takes so much at once in all, bytes.
    replica_fetch_response_max_bytes: i64 = v.number("replica.fetch.response.max.bytes")?,
    /// `replica.fetch.backoff.ms`: pause of a fetcher after an error, ms.
    replica_fetch_backoff_ms: i64 = v.number("replica.fetch.backoff.ms")?,
    /// `replica.socket.timeout.ms`: a follower gives a fetch up after so long, ms.
    replica_socket_timeout_ms: i64 = v.number("replica.socket.timeout.ms")?,
    /// `replica.high.watermark.checkpoint.interval.ms`: how often high watermarks are written to disk, ms.
    replica_high_watermark_checkpoint_interval_ms: i64 = v.number("replica.high.watermark.checkpoint.interval.ms")?,
    /// `socket.request.max.bytes`: a request that says it is larger ends its connection, bytes.
    socket_request_max_bytes: i64 = v.number("socket.request.max.bytes")?,
    /// `controller.socket.timeout.ms`: a request to the controller without an answer for so long is sent again, ms.
    controller_socket_timeout_ms: i64 = v.number("controller.socket.timeout.ms")?,
    /// `controller.quorum.election.timeout.ms`: raft: without a leader for so long (and a random part) a voter stands, ms.
    controller_quorum_election_timeout_ms: i64 = v.number("controller.quorum.election.timeout.ms")?,
    /// `controller.quorum.fetch.timeout.ms`: raft: without a fetch from the leader for so long a follower looks for another, ms.
    controller_quorum_fetch_timeout_ms: i64 = v.number("controller.quorum.fetch.timeout.ms")?,
    /// `controller.quorum.election.backoff.max.ms`: raft: longest pause after a lost election, ms.
    controller_quorum_election_backoff_max_ms: i64 = v.number("controller.quorum.election.backoff.max.ms")?,
    /// `controller.quorum.append.linger.ms`: raft: the leader collects records for so long, ms.
    controller_quorum_append_linger_ms: i64 = v.number("controller.quorum.append.linger.ms")?,
    /// `controller.quorum.request.timeout.ms`: raft: one request, ms.
    controller_quorum_request_timeout_ms: i64 = v.number("controller.quorum.request.timeout.ms")?,
    /// `controller.quorum.retry.backoff.ms`: raft: pause before a retry, ms.
    controller_quorum_retry_backoff_ms: i64 = v.number("controller.quorum.retry.backoff.ms")?,
    /// `metadata.max.idle.interval.ms`: an idle controller writes a no-op record so often, ms; 0: never.
    metadata_max_idle_interval_ms: i64 = v.number("metadata.max.idle.interval.ms")?,
    /// `metadata.log.max.record.bytes.between.snapshots`: a snapshot of the metadata after so much of its log, bytes.
    metadata_log_max_record_bytes_between_snapshots: i64 = v.number("metadata.log.max.record.bytes.between.snapshots")?,
    /// `metadata.log.max.snapshot.interval.ms`: a snapshot of the metadata after so long, ms.
    metadata_log_max_snapshot_interval_ms: i64 = v.number("metadata.log.max.snapshot.interval.ms")?,
    /// `request.timeout.ms`: one request between servers, ms.
    request_timeout_ms: i64 = v.number("request.timeout.ms")?,
    /// `socket.connection.setup.timeout.ms`: first time-out of a connection attempt between servers, ms.
    socket_connection_setup_timeout_ms: i64 = v.number("socket.connection.setup.timeout.ms")?,
    /// `socket.connection.setup.timeout.max.ms`: longest time-out of a connection attempt between servers, ms.
    socket_connection_setup_timeout_max_ms: i64 = v.number("socket.connection.setup.timeout.max.ms")?,
    /// `connections.max.idle.ms`: an idle connection is closed after so long, ms.
    connections_max_idle_ms: i64 = v.number("connections.max.idle.ms")?,
    /// `auto.create.topics.enable`: does a metadata request for a missing topic create it?
    auto_create_topics_enable: bool = v.boolean("auto.create.topics.enable")?,
    /// `auto.leader.rebalance.enable`: does the controller give leaderships back to preferred leaders by itself?
    auto_leader_rebalance_enable: bool = v.boolean("auto.leader.rebalance.enable")?,
    /// `leader.imbalance.check.interval.seconds`: how often it looks for that, seconds.
    leader_imbalance_check_interval_seconds: i64 = v.number("leader.imbalance.check.interval.seconds")?,
    /// `unclean.leader.election.enable`: may a replica outside of the ISR become leader? (default of topics)
    unclean_leader_election_enable: bool = v.boolean("unclean.leader.election.enable")?,
    /// `unclean.leader.election.interval.ms`: how often the controller looks for partitions that need an unclean election, ms.
    unclean_leader_election_interval_ms: i64 = v.number("unclean.leader.election.interval.ms")?,
    /// `delete.topic.enable`: may topics be deleted?
    delete_topic_enable: bool = v.boolean("delete.topic.enable")?,
    /// `num.partitions`: partitions of a topic that names none.
    num_partitions: i32 = v.int("num.partitions")?,
    /// `default.replication.factor`: replicas of a topic that names none.
    default_replication_factor: i32 = v.int("default.replication.factor")?,
    /// `min.insync.replicas`: acks=all needs so many replicas in sync (default of topics).
    min_insync_replicas: i32 = v.int("min.insync.replicas")?,
    /// `message.max.bytes`: largest batch, bytes (default of topics).
    message_max_bytes: i64 = v.number("message.max.bytes")?,
    /// `log.flush.offset.checkpoint.interval.ms`: how often recovery points are written to disk, ms.
    log_flush_offset_checkpoint_interval_ms: i64 = v.number("log.flush.offset.checkpoint.interval.ms")?,
    /// `log.flush.start.offset.checkpoint.interval.ms`: how often log start offsets are written to disk, ms.
    log_flush_start_offset_checkpoint_interval_ms: i64 = v.number("log.flush.start.offset.checkpoint.interval.ms")?,
    /// `log.flush.scheduler.interval.ms`: how often logs are looked at for flush.ms, ms.
    log_flush_scheduler_interval_ms: i64 = v.number("log.flush.scheduler.interval.ms")?,
    /// `log.retention.check.interval.ms`: how often retention is looked at, ms.
    log_retention_check_interval_ms: i64 = v.number("log.retention.check.interval.ms")?,
    /// `log.initial.task.delay.ms`: log tasks begin so long after the start, ms.
    log_initial_task_delay_ms: i64 = v.number("log.initial.task.delay.ms")?,
    /// `log.cleaner.backoff.ms`: an idle cleaner looks again after so long, ms.
    log_cleaner_backoff_ms: i64 = v.number("log.cleaner.backoff.ms")?,
    /// `log.cleaner.threads`: cleaners at work.
    log_cleaner_threads: i32 = v.int("log.cleaner.threads")?,
    /// `log.cleaner.dedupe.buffer.size`: memory of the cleaners for keys, bytes.
    log_cleaner_dedupe_buffer_size: i64 = v.number("log.cleaner.dedupe.buffer.size")?,
    /// `log.dir.failure.timeout.ms`: a broker that cannot report a failed directory for so long ends, ms.
    log_dir_failure_timeout_ms: i64 = v.number("log.dir.failure.timeout.ms")?,
    /// `offsets.topic.num.partitions`: partitions of `__consumer_offsets`.
    offsets_topic_num_partitions: i32 = v.int("offsets.topic.num.partitions")?,
    /// `offsets.topic.replication.factor`: replicas of `__consumer_offsets`.
    offsets_topic_replication_factor: i32 = v.int("offsets.topic.replication.factor")?,
    /// `offsets.topic.segment.bytes`: segment size of `__consumer_offsets`, bytes.
    offsets_topic_segment_bytes: i64 = v.number("offsets.topic.segment.bytes")?,
    /// `offsets.load.buffer.size`: what a group coordinator reads at once when it loads, bytes.
    offsets_load_buffer_size: i64 = v.number("offsets.load.buffer.size")?,
    /// `transaction.state.log.load.buffer.size`: the same of a transaction coordinator, bytes.
    transaction_state_log_load_buffer_size: i64 = v.number("transaction.state.log.load.buffer.size")?,
    /// `offsets.commit.timeout.ms`: a write of the group coordinator may take so long, ms.
    offsets_commit_timeout_ms: i64 = v.number("offsets.commit.timeout.ms")?,
    /// `offsets.retention.minutes`: offsets of an empty group are kept so long, minutes.
    offsets_retention_minutes: i64 = v.number("offsets.retention.minutes")?,
    /// `offsets.retention.check.interval.ms`: how often that is looked at, ms.
    offsets_retention_check_interval_ms: i64 = v.number("offsets.retention.check.interval.ms")?,
    /// `offset.metadata.max.bytes`: largest metadata text of a committed offset, bytes.
    offset_metadata_max_bytes: i64 = v.number("offset.metadata.max.bytes")?,
    /// `transaction.state.log.num.partitions`: partitions of `__transaction_state`.
    transaction_state_log_num_partitions: i32 = v.int("transaction.state.log.num.partitions")?,
    /// `transaction.state.log.replication.factor`: replicas of `__transaction_state`.
    transaction_state_log_replication_factor: i32 = v.int("transaction.state.log.replication.factor")?,
    /// `transaction.state.log.min.isr`: `min.insync.replicas` of `__transaction_state`.
    transaction_state_log_min_isr: i32 = v.int("transaction.state.log.min.isr")?,
    /// `transaction.max.timeout.ms`: longest `transaction.timeout.ms` of a producer, ms.
    transaction_max_timeout_ms: i64 = v.number("transaction.max.timeout.ms")?,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`: how often transactions that ran out of time are looked for, ms.
    transaction_abort_timed_out_transaction_cleanup_interval_ms: i64 = v.number("transaction.abort.timed.out.transaction.cleanup.interval.ms")?,
    /// `transaction.remove.expired.transaction.cleanup.interval.ms`: how often ids that expired are looked for, ms.
    transaction_remove_expired_transaction_cleanup_interval_ms: i64 = v.number("transaction.remove.expired.transaction.cleanup.interval.ms")?,
    /// `add.partitions.to.txn.retry.backoff.ms`: pause before a leader asks the coordinator again, ms.
    add_partitions_to_txn_retry_backoff_ms: i64 = v.number("add.partitions.to.txn.retry.backoff.ms")?,
    /// `add.partitions.to.txn.retry.backoff.max.ms`: a leader asks again for so long, ms.
    add_partitions_to_txn_retry_backoff_max_ms: i64 = v.number("add.partitions.to.txn.retry.backoff.max.ms")?,
    /// `transactional.id.expiration.ms`: an idle transactional id is forgotten after so long, ms.
    transactional_id_expiration_ms: i64 = v.number("transactional.id.expiration.ms")?,
    /// `producer.id.expiration.ms`: an idle producer id is forgotten by a log after so long, ms.
    producer_id_expiration_ms: i64 = v.number("producer.id.expiration.ms")?,
    /// `producer.id.expiration.check.interval.ms`: how often that is looked at, ms.
    producer_id_expiration_check_interval_ms: i64 = v.number("producer.id.expiration.check.interval.ms")?,
    /// `share.coordinator.state.topic.num.partitions`: partitions of `__share_group_state`.
    share_coordinator_state_topic_num_partitions: i32 = v.int("share.coordinator.state.topic.num.partitions")?,
    /// `share.coordinator.state.topic.replication.factor`: replicas of `__share_group_state`.
    share_coordinator_state_topic_replication_factor: i32 = v.int("share.coordinator.state.topic.replication.factor")?,
    /// `share.coordinator.state.topic.min.isr`: `min.insync.replicas` of `__share_group_state`.
    share_coordinator_state_topic_min_isr: i32 = v.int("share.coordinator.state.topic.min.isr")?,
    /// `share.coordinator.state.topic.segment.bytes`: `segment.bytes` of `__share_group_state`.
    share_coordinator_state_topic_segment_bytes: i64 = v.number("share.coordinator.state.topic.segment.bytes")?,
    /// `share.coordinator.write.timeout.ms`: a write of share state is waited for so long, ms.
    share_coordinator_write_timeout_ms: i64 = v.number("share.coordinator.write.timeout.ms")?,
    /// `share.coordinator.snapshot.update.records.per.snapshot`: a snapshot follows so many updates of a share partition.
    share_coordinator_snapshot_update_records_per_snapshot: i32 = v.int("share.coordinator.snapshot.update.records.per.snapshot")?,
    /// `group.initial.rebalance.delay.ms`: an empty classic group waits so long for more members, ms.
    group_initial_rebalance_delay_ms: i64 = v.number("group.initial.rebalance.delay.ms")?,
    /// `group.min.session.timeout.ms`: shortest session of a classic member, ms.
    group_min_session_timeout_ms: i64 = v.number("group.min.session.timeout.ms")?,
    /// `group.max.session.timeout.ms`: longest session of a classic member, ms.
    group_max_session_timeout_ms: i64 = v.number("group.max.session.timeout.ms")?,
    /// `group.max.size`: most members of a classic group.
    group_max_size: i32 = v.int("group.max.size")?,
    /// `group.consumer.session.timeout.ms`: session of a member of a consumer group, ms.
    group_consumer_session_timeout_ms: i64 = v.number("group.consumer.session.timeout.ms")?,
    /// `group.consumer.min.session.timeout.ms`: least that a group may set, ms.
    group_consumer_min_session_timeout_ms: i64 = v.number("group.consumer.min.session.timeout.ms")?,
    /// `group.consumer.max.session.timeout.ms`: most that a group may set, ms.
    group_consumer_max_session_timeout_ms: i64 = v.number("group.consumer.max.session.timeout.ms")?,
    /// `group.consumer.heartbeat.interval.ms`: heartbeats of a member of a consumer group, ms.
    group_consumer_heartbeat_interval_ms: i64 = v.number("group.consumer.heartbeat.interval.ms")?,
    /// `group.consumer.min.heartbeat.interval.ms`: least that a group may set, ms.
    group_consumer_min_heartbeat_interval_ms: i64 = v.number("group.consumer.min.heartbeat.interval.ms")?,
    /// `group.consumer.max.heartbeat.interval.ms`: most that a group may set, ms.
    group_consumer_max_heartbeat_interval_ms: i64 = v.number("group.consumer.max.heartbeat.interval.ms")?,
    /// `group.consumer.assignment.interval.ms`: least time between two target assignments, ms.
    group_consumer_assignment_interval_ms: i64 = v.number("group.consumer.assignment.interval.ms")?,
    /// `group.consumer.max.size`: most members of a consumer group.
    group_consumer_max_size: i32 = v.int("group.consumer.max.size")?,
    /// `group.share.session.timeout.ms`: session of a member of a share group, ms.
    group_share_session_timeout_ms: i64 = v.number("group.share.session.timeout.ms")?,
    /// `group.share.min.session.timeout.ms`: least that a group may set, ms.
    group_share_min_session_timeout_ms: i64 = v.number("group.share.min.session.timeout.ms")?,
    /// `group.share.max.session.timeout.ms`: most that a group may set, ms.
    group_share_max_session_timeout_ms: i64 = v.number("group.share.max.session.timeout.ms")?,
    /// `group.share.heartbeat.interval.ms`: heartbeats of a member of a share group, ms.
    group_share_heartbeat_interval_ms: i64 = v.number("group.share.heartbeat.interval.ms")?,
    /// `group.share.min.heartbeat.interval.ms`: least that a group may set, ms.
    group_share_min_heartbeat_interval_ms: i64 = v.number("group.share.min.heartbeat.interval.ms")?,
    /// `group.share.max.heartbeat.interval.ms`: most that a group may set, ms.
    group_share_max_heartbeat_interval_ms: i64 = v.number("group.share.max.heartbeat.interval.ms")?,
    /// `group.share.assignment.interval.ms`: least time between two target assignments, ms.
    group_share_assignment_interval_ms: i64 = v.number("group.share.assignment.interval.ms")?,
    /// `group.share.max.size`: most members of a share group.
    group_share_max_size: i32 = v.int("group.share.max.size")?,
    /// `group.streams.session.timeout.ms`: session of a member of a streams group, ms.
    group_streams_session_timeout_ms: i64 = v.number("group.streams.session.timeout.ms")?,
    /// `group.streams.min.session.timeout.ms`: least that a group may set, ms.
    group_streams_min_session_timeout_ms: i64 = v.number("group.streams.min.session.timeout.ms")?,
    /// `group.streams.max.session.timeout.ms`: most that a group may set, ms.
    group_streams_max_session_timeout_ms: i64 = v.number("group.streams.max.session.timeout.ms")?,
    /// `group.streams.heartbeat.interval.ms`: heartbeats of a member of a streams group, ms.
    group_streams_heartbeat_interval_ms: i64 = v.number("group.streams.heartbeat.interval.ms")?,
    /// `group.streams.min.heartbeat.interval.ms`: least that a group may set, ms.
    group_streams_min_heartbeat_interval_ms: i64 = v.number("group.streams.min.heartbeat.interval.ms")?,
    /// `group.streams.max.heartbeat.interval.ms`: most that a group may set, ms.
    group_streams_max_heartbeat_interval_ms: i64 = v.number("group.streams.max.heartbeat.interval.ms")?,
    /// `group.streams.assignment.interval.ms`: least time between two target assignments, ms.
    group_streams_assignment_interval_ms: i64 = v.number("group.streams.assignment.interval.ms")?,
    /// `group.streams.max.size`: most members of a streams group.
    group_streams_max_size: i32 = v.int("group.streams.max.size")?,
    /// `group.consumer.assignors`: server-side assignors of consumer groups, the first is the default.
    group_consumer_assignors: Vec<String> = v.list("group.consumer.assignors")?,
    /// `group.share.initialize.retry.interval.ms`: state that could not be initialized is asked for again after so long, ms.
    group_share_initialize_retry_interval_ms: i64 = v.number("group.share.initialize.retry.interval.ms")?,
    /// `group.share.max.share.sessions`: most share sessions of a broker.
    group_share_max_share_sessions: i32 = v.int("group.share.max.share.sessions")?,
    /// `group.share.record.lock.duration.ms`: a record is locked for its consumer so long, ms.
    group_share_record_lock_duration_ms: i64 = v.number("group.share.record.lock.duration.ms")?,
    /// `group.share.min.record.lock.duration.ms`: least that a group may set, ms.
    group_share_min_record_lock_duration_ms: i64 = v.number("group.share.min.record.lock.duration.ms")?,
    /// `group.share.max.record.lock.duration.ms`: most that a group may set, ms.
    group_share_max_record_lock_duration_ms: i64 = v.number("group.share.max.record.lock.duration.ms")?,
    /// `group.share.delivery.count.limit`: a record is delivered at most so often.
    group_share_delivery_count_limit: i32 = v.int("group.share.delivery.count.limit")?,
    /// `group.share.partition.max.record.locks`: most locked records of a partition.
    group_share_partition_max_record_locks: i32 = v.int("group.share.partition.max.record.locks")?,
    /// `group.streams.initial.rebalance.delay.ms`: an empty streams group waits so long for more members, ms.
    group_streams_initial_rebalance_delay_ms: i64 = v.number("group.streams.initial.rebalance.delay.ms")?,
}

impl BrokerConfig {
    /// The settings from what is given and the defaults.
    ///
    /// # Errors
    /// What a broker says when it refuses to start: the first text that is refused, then rules between settings.
    pub fn from_map(given: &Properties) -> Result<BrokerConfig, ConfigError> {
        let values = Values::check(Scope::Broker, given)?;
        let config = BrokerConfig::read(&values)?;
        config.check_replication()?;
        config.check_cleaner()?;
        config.check_groups()?;
        Ok(config)
    }

    /// [KafkaConfig.validateValues]
    fn check_replication(&self) -> Result<(), ConfigError> {
        let wait = self.replica_fetch_wait_max_ms;
        require(
            wait <= self.replica_socket_timeout_ms,
            "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent unnecessary socket timeouts",
        )?;
        require(
            wait <= self.replica_lag_time_max_ms,
            "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms to prevent frequent changes in ISR",
        )
    }

    /// [KafkaConfig.validateValues]
    fn check_cleaner(&self) -> Result<(), ConfigError> {
        let threads = i64::from(self.log_cleaner_threads.max(1));
        require(
            self.log_cleaner_dedupe_buffer_size / threads > 1024 * 1024,
            "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.",
        )
    }

    /// [GroupCoordinatorConfig]
    fn check_groups(&self) -> Result<(), ConfigError> {
        let consumer = [
            (
                "session.timeout.ms",
                self.group_consumer_session_timeout_ms,
                self.group_consumer_min_session_timeout_ms,
                self.group_consumer_max_session_timeout_ms,
            ),
            (
                "heartbeat.interval.ms",
                self.group_consumer_heartbeat_interval_ms,
                self.group_consumer_min_heartbeat_interval_ms,
                self.group_consumer_max_heartbeat_interval_ms,
            ),
        ];
        let share = [
            (
                "session.timeout.ms",
                self.group_share_session_timeout_ms,
                self.group_share_min_session_timeout_ms,
                self.group_share_max_session_timeout_ms,
            ),
            (
                "heartbeat.interval.ms",
                self.group_share_heartbeat_interval_ms,
                self.group_share_min_heartbeat_interval_ms,
                self.group_share_max_heartbeat_interval_ms,
            ),
        ];
        for (group, limits) in [("consumer", consumer), ("share", share)] {
            for (what, value, min, max) in limits {
                within(group, what, value, min, max)?;
            }
        }
        Ok(())
    }
}

/// The default of a group's setting lies between its least and its most.
fn within(group: &str, what: &str, value: i64, min: i64, max: i64) -> Result<(), ConfigError> {
    let side = |relation, limit| {
        let text = format!("group.{group}.{what} must be {relation} than or equal to group.{group}.{limit}.{what}");
        Err(ConfigError::of("IllegalArgumentException", text))
    };
    if value < min {
        side("greater", "min")
    } else if value > max {
        side("less", "max")
    } else {
        Ok(())
    }
}

/// Scala's `require`.
fn require(holds: bool, text: &str) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::of(
        "IllegalArgumentException",
        format!("requirement failed: {text}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(pairs: &[(&str, &str)]) -> ConfigError {
        let given = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        BrokerConfig::from_map(&given).expect_err("refused")
    }

    #[test]
    fn defaults() {
        let config = BrokerConfig::from_map(&Properties::new()).expect("the defaults hold");
        assert_eq!(config.broker_session_timeout_ms, 9000);
        assert_eq!(config.replica_lag_time_max_ms, 30_000);
        assert_eq!(config.group_initial_rebalance_delay_ms, 3000);
        assert_eq!(config.group_consumer_assignors, ["uniform", "range"]);
        assert_eq!(config.broker_rack, None);
        assert!(config.controlled_shutdown_enable && !config.unclean_leader_election_enable);
    }

    #[test]
    fn rules_between_settings() {
        let wait = refused(&[
            ("replica.fetch.wait.max.ms", "31000"),
            ("replica.socket.timeout.ms", "60000"),
        ]);
        assert!(
            wait.message
                .starts_with("requirement failed: replica.fetch.wait.max.ms should always")
        );
        let buffer = refused(&[("log.cleaner.dedupe.buffer.size", "1000")]);
        assert!(buffer.message.ends_with("at least 1MB per cleaner thread."));
        let session = refused(&[("group.consumer.session.timeout.ms", "10")]);
        assert!(
            session
                .message
                .ends_with("greater than or equal to group.consumer.min.session.timeout.ms")
        );
        let beat = refused(&[("group.consumer.heartbeat.interval.ms", "60000")]);
        assert!(
            beat.message
                .ends_with("less than or equal to group.consumer.max.heartbeat.interval.ms")
        );
    }
}
