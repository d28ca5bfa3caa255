//! Typed settings of a topic, and how a broker's settings stand in for them. [LogConfig]

use super::definition::{Scope, broker_synonyms};
use super::error::ConfigError;
use super::values::{Properties, Values, settings};

/// Whose time a record bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

impl TimestampType {
    fn of(name: &str) -> TimestampType {
        match name {
            "LogAppendTime" => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        }
    }
}

/// How batches are compressed on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they came.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    fn of(name: &str) -> Compression {
        match name {
            "uncompressed" => Compression::Uncompressed,
            "gzip" => Compression::Gzip,
            "snappy" => Compression::Snappy,
            "lz4" => Compression::Lz4,
            "zstd" => Compression::Zstd,
            _ => Compression::Producer,
        }
    }
}

settings! {
    /// What holds for the logs of a topic.
    pub struct TopicConfig, v;
    /// `min.insync.replicas`: acks=all needs so many replicas in sync.
    min_insync_replicas: i32 = v.int("min.insync.replicas")?,
    /// `unclean.leader.election.enable`: may a replica outside of the ISR become leader?
    unclean_leader_election_enable: bool = v.boolean("unclean.leader.election.enable")?,
    /// `retention.ms`: segments older than this are deleted, ms; -1: never.
    retention_ms: i64 = v.number("retention.ms")?,
    /// `retention.bytes`: a log larger than this loses its oldest segments, bytes; -1: never.
    retention_bytes: i64 = v.number("retention.bytes")?,
    /// `segment.bytes`: largest segment, bytes.
    segment_bytes: i64 = v.number("segment.bytes")?,
    /// `segment.ms`: longest time until a new segment, ms.
    segment_ms: i64 = v.number("segment.ms")?,
    /// `segment.jitter.ms`: most that is taken off `segment.ms` by chance, ms.
    segment_jitter_ms: i64 = v.number("segment.jitter.ms")?,
    /// `segment.index.bytes`: size of the index files, bytes: a full one also rolls the segment.
    segment_index_bytes: i64 = v.number("segment.index.bytes")?,
    /// `index.interval.bytes`: an index entry every so many bytes.
    index_interval_bytes: i64 = v.number("index.interval.bytes")?,
    /// `max.message.bytes`: largest batch, bytes.
    max_message_bytes: i64 = v.number("max.message.bytes")?,
    /// `message.timestamp.before.max.ms`: how far back a timestamp may be, ms.
    message_timestamp_before_max_ms: i64 = v.number("message.timestamp.before.max.ms")?,
    /// `message.timestamp.after.max.ms`: how far ahead a timestamp may be, ms.
    message_timestamp_after_max_ms: i64 = v.number("message.timestamp.after.max.ms")?,
    /// `delete.retention.ms`: tombstones are kept so long after a cleaning, ms.
    delete_retention_ms: i64 = v.number("delete.retention.ms")?,
    /// `min.compaction.lag.ms`: records younger than this are not compacted, ms.
    min_compaction_lag_ms: i64 = v.number("min.compaction.lag.ms")?,
    /// `max.compaction.lag.ms`: records older than this make a log due for compaction, ms.
    max_compaction_lag_ms: i64 = v.number("max.compaction.lag.ms")?,
    /// `flush.messages`: an fsync after so many records.
    flush_messages: i64 = v.number("flush.messages")?,
    /// `flush.ms`: an fsync after so long, ms.
    flush_ms: i64 = v.number("flush.ms")?,
    /// `file.delete.delay.ms`: a deleted segment's files go after so long, ms.
    file_delete_delay_ms: i64 = v.number("file.delete.delay.ms")?,
    /// `min.cleanable.dirty.ratio`: the dirty part from which on a log is cleaned, in millionths.
    min_cleanable_dirty_ratio: i64 = v.millionths("min.cleanable.dirty.ratio")?,
    /// `cleanup.policy` has `compact`.
    compact: bool = v.list("cleanup.policy")?.iter().any(|p| p == "compact"),
    /// `cleanup.policy` has `delete`.
    delete: bool = v.list("cleanup.policy")?.iter().any(|p| p == "delete"),
    /// `message.timestamp.type`
    message_timestamp_type: TimestampType = TimestampType::of(&v.text("message.timestamp.type")?),
    /// `compression.type`
    compression_type: Compression = Compression::of(&v.text("compression.type")?),
}

impl TopicConfig {
    /// The settings from what is given for the topic and Kafka's defaults.
    ///
    /// # Errors
    /// What the controller says when it refuses them (INVALID_CONFIG): unknown names, refused values, conflicts.
    pub fn from_map(given: &Properties) -> Result<TopicConfig, ConfigError> {
        TopicConfig::effective(given, &Properties::new())
    }

    /// The settings from what is given for the topic, below it what is given for the broker, below it the defaults.
    ///
    /// # Errors
    /// As for [`TopicConfig::from_map`]; the broker's settings count as checked.
    pub fn effective(topic: &Properties, broker: &Properties) -> Result<TopicConfig, ConfigError> {
        if let Some(name) = topic.keys().find(|name| Scope::Topic.find(name).is_none()) {
            let text = format!("Unknown topic config name: {name}");
            return Err(ConfigError::of("InvalidConfigurationException", text));
        }
        Values::check(Scope::Topic, topic)?;
        let mut all = defaults_from_broker(broker);
        all.extend(topic.iter().map(|(name, text)| (name.clone(), text.clone())));
        let config = TopicConfig::read(&Values::trust(Scope::Topic, &all))?;
        config.check_compaction_lags()?;
        Ok(config)
    }

    /// [LogConfig.validateValues]
    fn check_compaction_lags(&self) -> Result<(), ConfigError> {
        let (min, max) = (self.min_compaction_lag_ms, self.max_compaction_lag_ms);
        if min <= max {
            return Ok(());
        }
        Err(ConfigError::of(
            "InvalidConfigurationException",
            format!("conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"),
        ))
    }
}

/// The topic settings that the given settings of a broker stand in for, under the topic's names and in its units.
/// [KafkaConfig.extractLogConfigMap]
pub fn defaults_from_broker(broker: &Properties) -> Properties {
    let mut found = Properties::new();
    for definition in Scope::Topic.keys() {
        for (synonym, factor) in broker_synonyms(definition.name) {
            let Some(text) = broker.get(*synonym) else {
                continue;
            };
            let number = match text.trim().parse::<i64>() {
                // Anything below zero means "for ever" in whatever unit it is.
                Ok(number) if definition.name == "retention.ms" && number < 0 => Some(-1),
                Ok(number) => Some(number.saturating_mul(*factor)),
                Err(_) => None,
            };
            let text = number.map_or_else(|| text.clone(), |n| n.to_string());
            found.insert(definition.name.into(), text);
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::config::conflicts;

    fn properties(pairs: &[(&str, &str)]) -> Properties {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn conflicts_agree_with_vectors() {
        let rows = conflicts::check("topic", &[], &Properties::new(), |given| {
            TopicConfig::from_map(given).map(drop)
        });
        assert!(rows > 30);
    }

    #[test]
    fn the_broker_stands_in() {
        let broker = properties(&[
            ("log.retention.minutes", "2"),
            ("log.retention.hours", "7"),
            ("log.roll.hours", "1"),
            ("min.insync.replicas", "2"),
            ("log.cleanup.policy", "compact"),
        ]);
        let config = TopicConfig::effective(&properties(&[("min.insync.replicas", "3")]), &broker).expect("valid");
        assert_eq!(config.retention_ms, 120_000);
        assert_eq!(config.segment_ms, 3_600_000);
        assert_eq!(config.min_insync_replicas, 3);
        assert!(config.compact && !config.delete);
        let forever = TopicConfig::effective(&Properties::new(), &properties(&[("log.retention.hours", "-2")]));
        assert_eq!(forever.expect("valid").retention_ms, -1);
    }

    #[test]
    fn compaction_lags_do_not_cross() {
        let given = properties(&[("min.compaction.lag.ms", "10"), ("max.compaction.lag.ms", "9")]);
        let error = TopicConfig::from_map(&given).expect_err("refused");
        assert_eq!(
            error.message,
            "conflict topic config setting min.compaction.lag.ms (10) > max.compaction.lag.ms (9)"
        );
    }

    #[test]
    fn defaults() {
        let config = TopicConfig::from_map(&Properties::new()).expect("the defaults hold");
        assert_eq!(config.min_cleanable_dirty_ratio, 500_000);
        assert_eq!(config.retention_ms, 604_800_000);
        assert_eq!(config.compression_type, Compression::Producer);
        assert_eq!(config.message_timestamp_type, TimestampType::CreateTime);
        assert!(config.delete && !config.compact);
    }
}
