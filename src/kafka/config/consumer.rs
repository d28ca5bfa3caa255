//! Typed settings of a consumer, and what its constructor refuses. [ConsumerConfig, ClassicKafkaConsumer]

use super::client::{check_bootstrap, check_interceptors};
use super::definition::Scope;
use super::duration;
use super::error::ConfigError;
use super::values::{Properties, Values, settings};
use crate::kafka::metrics::window::Sampling;
use crate::kafka::topic_name;

/// How a consumer and its group's coordinator talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    Classic,
    /// KIP-848.
    Consumer,
}

impl GroupProtocol {
    fn of(name: &str) -> GroupProtocol {
        match name.eq_ignore_ascii_case("consumer") {
            true => GroupProtocol::Consumer,
            false => GroupProtocol::Classic,
        }
    }
}

/// Where to begin without a committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    Earliest,
    Latest,
    /// Nowhere: poll() throws.
    None,
    /// At the first record not older than so many milliseconds.
    ByDuration(i64),
}

impl OffsetReset {
    pub(super) fn of(text: &str) -> OffsetReset {
        match (text, text.strip_prefix("by_duration:").and_then(duration::milliseconds)) {
            (_, Some(ms)) => OffsetReset::ByDuration(ms),
            ("earliest", _) => OffsetReset::Earliest,
            ("none", _) => OffsetReset::None,
            _ => OffsetReset::Latest,
        }
    }
}

/// A client-side assignor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assignor {
    Range,
    RoundRobin,
    Sticky,
    CooperativeSticky,
}

impl Assignor {
    /// The assignor of a class; the default list writes `class` before the names.
    pub fn of_class(class: &str) -> Option<Assignor> {
        let name = class.strip_prefix("class ").unwrap_or(class);
        match name.strip_prefix("org.apache.kafka.clients.consumer.")? {
            "RangeAssignor" => Some(Assignor::Range),
            "RoundRobinAssignor" => Some(Assignor::RoundRobin),
            "StickyAssignor" => Some(Assignor::Sticky),
            "CooperativeStickyAssignor" => Some(Assignor::CooperativeSticky),
            _ => None,
        }
    }

    /// Its name in the group protocol.
    pub fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }

    fn list(classes: &[String]) -> Vec<Assignor> {
        classes.iter().filter_map(|class| Assignor::of_class(class)).collect()
    }
}

settings! {
    /// What a consumer was made with.
    pub struct ConsumerConfig, v;
    /// `reconnect.backoff.ms`: first pause before connecting to a node again, ms.
    reconnect_backoff_ms: i64 = v.number("reconnect.backoff.ms")?,
    /// `reconnect.backoff.max.ms`: longest pause before connecting to a node again, ms.
    reconnect_backoff_max_ms: i64 = v.number("reconnect.backoff.max.ms")?,
    /// `retry.backoff.ms`: first pause before a request is sent again, ms.
    retry_backoff_ms: i64 = v.number("retry.backoff.ms")?,
    /// `retry.backoff.max.ms`: longest pause before a request is sent again, ms.
    retry_backoff_max_ms: i64 = v.number("retry.backoff.max.ms")?,
    /// `socket.connection.setup.timeout.ms`: first time-out of a connection attempt, ms.
    socket_connection_setup_timeout_ms: i64 = v.number("socket.connection.setup.timeout.ms")?,
    /// `socket.connection.setup.timeout.max.ms`: longest time-out of a connection attempt, ms.
    socket_connection_setup_timeout_max_ms: i64 = v.number("socket.connection.setup.timeout.max.ms")?,
    /// `request.timeout.ms`: one request, ms.
    request_timeout_ms: i64 = v.number("request.timeout.ms")?,
    /// `connections.max.idle.ms`: an idle connection is closed after so long, ms.
    connections_max_idle_ms: i64 = v.number("connections.max.idle.ms")?,
    /// `metadata.max.age.ms`: metadata older than this are asked for again, ms.
    metadata_max_age_ms: i64 = v.number("metadata.max.age.ms")?,
    /// `metadata.recovery.rebootstrap.trigger.ms`: without metadata for so long a client begins anew, ms.
    metadata_recovery_rebootstrap_trigger_ms: i64 = v.number("metadata.recovery.rebootstrap.trigger.ms")?,
    /// `metrics.sample.window.ms`, `metrics.num.samples`: how far back averages and rates reach.
    sampling: Sampling = Sampling { window_ms: v.number("metrics.sample.window.ms")?, samples: v.number("metrics.num.samples")? },
    /// `client.id`: name in logs; empty: made up.
    client_id: String = v.text("client.id")?,
    /// `security.protocol` asks for TLS.
    security_protocol_tls: bool = v.text("security.protocol")?.to_ascii_uppercase().ends_with("SSL"),
    /// `metadata.recovery.strategy` is `rebootstrap`: a client without a usable node goes back to its bootstrap addresses.
    metadata_recovery_rebootstrap: bool = v.text("metadata.recovery.strategy")?.eq_ignore_ascii_case("rebootstrap"),
    /// `group.id`: the group.
    group_id: Option<String> = v.opt_text("group.id")?,
    /// `group.instance.id`: makes the member static.
    group_instance_id: Option<String> = v.opt_text("group.instance.id")?,
    /// `client.rack`: where the consumer stands; empty: nowhere.
    client_rack: String = v.text("client.rack")?,
    /// `auto.commit.interval.ms`: time between two automatic commits, ms.
    auto_commit_interval_ms: i64 = v.number("auto.commit.interval.ms")?,
    /// `session.timeout.ms`: a member not heard of for so long is out, ms (classic).
    session_timeout_ms: i64 = v.number("session.timeout.ms")?,
    /// `heartbeat.interval.ms`: heartbeats, ms (classic).
    heartbeat_interval_ms: i64 = v.number("heartbeat.interval.ms")?,
    /// `max.poll.interval.ms`: longest time between two polls, ms; also the rebalance time-out.
    max_poll_interval_ms: i64 = v.number("max.poll.interval.ms")?,
    /// `max.poll.records`: a poll returns at most so many records.
    max_poll_records: i32 = v.int("max.poll.records")?,
    /// `fetch.min.bytes`: a fetch is answered at once with so much, bytes.
    fetch_min_bytes: i64 = v.number("fetch.min.bytes")?,
    /// `fetch.max.wait.ms`: longest wait of a fetch at the broker, ms.
    fetch_max_wait_ms: i64 = v.number("fetch.max.wait.ms")?,
    /// `fetch.max.bytes`: soft limit of a fetch, bytes.
    fetch_max_bytes: i64 = v.number("fetch.max.bytes")?,
    /// `max.partition.fetch.bytes`: soft limit of a fetch for a partition, bytes.
    max_partition_fetch_bytes: i64 = v.number("max.partition.fetch.bytes")?,
    /// `default.api.timeout.ms`: calls without a time-out of their own, ms.
    default_api_timeout_ms: i64 = v.number("default.api.timeout.ms")?,
    /// `allow.auto.create.topics`: may asking for a topic create it?
    allow_auto_create_topics: bool = v.boolean("allow.auto.create.topics")?,
    /// `group.remote.assignor`: server-side assignor; `None`: the group's default.
    group_remote_assignor: Option<String> = v.opt_text("group.remote.assignor")?,
    /// `group.protocol`
    group_protocol: GroupProtocol = GroupProtocol::of(&v.text("group.protocol")?),
    /// `auto.offset.reset`
    auto_offset_reset: OffsetReset = OffsetReset::of(&v.text("auto.offset.reset")?),
    /// `isolation.level` is `read_committed`.
    read_committed: bool = v.text("isolation.level")? == "read_committed",
    /// `enable.auto.commit`; off without a group.
    enable_auto_commit: bool = v.boolean("enable.auto.commit")?,
    /// `share.acknowledgement.mode` is `explicit`.
    share_explicit: bool = v.text("share.acknowledgement.mode")?.eq_ignore_ascii_case("explicit"),
    /// `share.acquire.mode` is `record_limit`.
    share_record_limit: bool = v.text("share.acquire.mode")?.eq_ignore_ascii_case("record_limit"),
    /// `partition.assignment.strategy`, the preferred one first (classic).
    partition_assignment_strategy: Vec<Assignor> = Assignor::list(&v.list("partition.assignment.strategy")?),
}

/// Settings that a share consumer refuses. [ShareConsumerConfig.SHARE_GROUP_UNSUPPORTED_CONFIGS]
const NOT_FOR_SHARE: [&str; 10] = [
    "auto.offset.reset",
    "enable.auto.commit",
    "group.instance.id",
    "isolation.level",
    "partition.assignment.strategy",
    "interceptor.classes",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "group.protocol",
    "group.remote.assignor",
];

impl ConsumerConfig {
    /// The settings from what is given and the defaults.
    ///
    /// # Errors
    /// What the constructor throws: the first text that is refused, then rules between settings.
    pub fn from_map(given: &Properties) -> Result<ConsumerConfig, ConfigError> {
        let values = Values::check(Scope::Consumer, given)?;
        let mut config = ConsumerConfig::read(&values)?;
        if values.is_given("reconnect.backoff.ms") && !values.is_given("reconnect.backoff.max.ms") {
            config.reconnect_backoff_max_ms = config.reconnect_backoff_ms;
        }
        if let Some(instance) = &config.group_instance_id {
            topic_name::check("Group instance id", instance)
                .map_err(|text| ConfigError::of("InvalidConfigurationException", text))?;
        }
        config.settle_auto_commit(&values)?;
        config.check_protocol(given)?;
        config
            .check_group()
            .and_then(|()| check_interceptors(&values))
            .and_then(|()| check_bootstrap(&values))
            .and_then(|()| config.check_membership(&values))
            .map_err(|cause| cause.while_constructing("consumer"))?;
        Ok(config)
    }

    /// The settings of a share consumer: what only other consumers know is refused.
    ///
    /// # Errors
    /// What the constructor throws.
    pub fn of_share(given: &Properties) -> Result<ConsumerConfig, ConfigError> {
        let foreign: Vec<&str> = NOT_FOR_SHARE
            .into_iter()
            .filter(|key| given.contains_key(*key))
            .collect();
        if !foreign.is_empty() {
            let text = format!("{} cannot be set when using a share group.", foreign.join(", "));
            return Err(ConfigError::of("ConfigException", text));
        }
        let mut config = ConsumerConfig::from_map(given)?;
        config.enable_auto_commit = false;
        Ok(config)
    }

    /// Without a group there are no commits. [ConsumerConfig.maybeOverrideEnableAutoCommit]
    fn settle_auto_commit(&mut self, values: &Values) -> Result<(), ConfigError> {
        if self.group_id.is_some() || !self.enable_auto_commit {
            return Ok(());
        }
        if values.is_given("enable.auto.commit") {
            return Err(ConfigError::of(
                "InvalidConfigurationException",
                "enable.auto.commit cannot be set to true when default group id (null) is used.",
            ));
        }
        self.enable_auto_commit = false;
        Ok(())
    }

    /// Each protocol has settings of which the other knows nothing. [ConsumerConfig.checkUnsupportedConfigsPostProcess]
    fn check_protocol(&self, given: &Properties) -> Result<(), ConfigError> {
        let (protocol, foreign): (_, &[&str]) = match self.group_protocol {
            GroupProtocol::Classic => ("CLASSIC", &["group.remote.assignor"]),
            GroupProtocol::Consumer => (
                "CONSUMER",
                &[
                    "partition.assignment.strategy",
                    "heartbeat.interval.ms",
                    "session.timeout.ms",
                ],
            ),
        };
        let set = |name: &&&str| given.get(**name).is_some_and(|text| !text.trim().is_empty());
        let found: Vec<&str> = foreign.iter().filter(set).copied().collect();
        if found.is_empty() {
            return Ok(());
        }
        let text = format!("{} cannot be set when group.protocol={protocol}", found.join(", "));
        Err(ConfigError::new(text))
    }

    fn check_group(&self) -> Result<(), ConfigError> {
        match &self.group_id {
            Some(id) if id.trim().is_empty() => Err(ConfigError::of(
                "InvalidGroupIdException",
                "The configured group.id should not be an empty string or whitespace.",
            )),
            _ => Ok(()),
        }
    }

    /// What a classic member needs. [ConsumerPartitionAssignor.getAssignorInstances, Heartbeat]
    fn check_membership(&self, values: &Values) -> Result<(), ConfigError> {
        if self.group_protocol != GroupProtocol::Classic || self.group_id.is_none() {
            return Ok(());
        }
        for class in values.list("partition.assignment.strategy")? {
            if Assignor::of_class(&class).is_none() {
                let text = format!("{class} ClassNotFoundException exception occurred");
                return Err(ConfigError::of("KafkaException", text));
            }
        }
        if self.heartbeat_interval_ms >= self.session_timeout_ms {
            let text = "Heartbeat must be set lower than the session timeout";
            return Err(ConfigError::of("IllegalArgumentException", text));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::config::conflicts;

    #[test]
    fn conflicts_agree_with_vectors() {
        // A text cannot be null, which is what is refused there.
        let null = ["value.deserializer"];
        let given = [("bootstrap.servers".to_string(), "localhost:9092".to_string())].into();
        let rows = conflicts::check("consumer", &null, &given, |given| {
            ConsumerConfig::from_map(given).map(drop)
        });
        assert!(rows > 20);
    }

    #[test]
    fn what_is_settled() {
        let make = |pairs: &[(&str, &str)]| {
            let given = pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            ConsumerConfig::from_map(&given).expect("valid")
        };
        assert!(!make(&[]).enable_auto_commit);
        let config = make(&[("group.id", "g")]);
        assert!(config.enable_auto_commit && !config.read_committed);
        assert_eq!(
            config.partition_assignment_strategy,
            [Assignor::Range, Assignor::CooperativeSticky]
        );
        assert_eq!(config.auto_offset_reset, OffsetReset::Latest);
        let reset = make(&[("auto.offset.reset", "by_duration:PT1H")]).auto_offset_reset;
        assert_eq!(reset, OffsetReset::ByDuration(3_600_000));
        let protocol = make(&[("group.id", "g"), ("group.protocol", "CONSUMER")]).group_protocol;
        assert_eq!(protocol, GroupProtocol::Consumer);
    }
}
