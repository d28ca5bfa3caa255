//! Typed settings of a group, and how a broker's settings stand in for them and limit them. [GroupConfig]

use super::consumer::OffsetReset;
use super::definition::Scope;
use super::error::ConfigError;
use super::keys::group::{LIMITS, WITHOUT_SYNONYM};
use super::values::{Properties, Values, settings};

settings! {
    /// What holds for a group of the consumer, share or streams protocol.
    pub struct GroupConfig, v;
    /// `consumer.session.timeout.ms`: a member not heard of for so long is out, ms.
    consumer_session_timeout_ms: i64 = v.number("consumer.session.timeout.ms")?,
    /// `consumer.heartbeat.interval.ms`: how often members send heartbeats, ms.
    consumer_heartbeat_interval_ms: i64 = v.number("consumer.heartbeat.interval.ms")?,
    /// `consumer.assignment.interval.ms`: least time between two target assignments, ms.
    consumer_assignment_interval_ms: i64 = v.number("consumer.assignment.interval.ms")?,
    /// `share.session.timeout.ms`: a member not heard of for so long is out, ms.
    share_session_timeout_ms: i64 = v.number("share.session.timeout.ms")?,
    /// `share.heartbeat.interval.ms`: how often members send heartbeats, ms.
    share_heartbeat_interval_ms: i64 = v.number("share.heartbeat.interval.ms")?,
    /// `share.assignment.interval.ms`: least time between two target assignments, ms.
    share_assignment_interval_ms: i64 = v.number("share.assignment.interval.ms")?,
    /// `share.record.lock.duration.ms`: a record is locked for its consumer so long, ms.
    share_record_lock_duration_ms: i64 = v.number("share.record.lock.duration.ms")?,
    /// `share.delivery.count.limit`: a record is delivered at most so often.
    share_delivery_count_limit: i32 = v.int("share.delivery.count.limit")?,
    /// `share.partition.max.record.locks`: most locked records of a partition.
    share_partition_max_record_locks: i32 = v.int("share.partition.max.record.locks")?,
    /// `share.auto.offset.reset`: where a share group begins in a partition.
    share_auto_offset_reset: OffsetReset = OffsetReset::of(&v.text("share.auto.offset.reset")?),
    /// `share.isolation.level` is `read_committed`.
    share_read_committed: bool = v.text("share.isolation.level")? == "read_committed",
    /// `share.renew.acknowledge.enable`: may a consumer renew a record's lock?
    share_renew_acknowledge_enable: bool = v.boolean("share.renew.acknowledge.enable")?,
    /// `streams.session.timeout.ms`: a member not heard of for so long is out, ms.
    streams_session_timeout_ms: i64 = v.number("streams.session.timeout.ms")?,
    /// `streams.heartbeat.interval.ms`: how often members send heartbeats, ms.
    streams_heartbeat_interval_ms: i64 = v.number("streams.heartbeat.interval.ms")?,
    /// `streams.assignment.interval.ms`: least time between two target assignments, ms.
    streams_assignment_interval_ms: i64 = v.number("streams.assignment.interval.ms")?,
    /// `streams.initial.rebalance.delay.ms`: an empty group waits so long for more members, ms.
    streams_initial_rebalance_delay_ms: i64 = v.number("streams.initial.rebalance.delay.ms")?,
    /// `streams.num.standby.replicas`: standby copies of each task.
    streams_num_standby_replicas: i32 = v.int("streams.num.standby.replicas")?,
}

impl GroupConfig {
    /// The settings from what is given for the group, below it what is given for the broker, below it the defaults.
    ///
    /// # Errors
    /// What the controller says when it refuses them (INVALID_CONFIG): unknown names, refused values, values beyond the
    /// broker's limits, a session not longer than a heartbeat. The broker's settings count as checked.
    pub fn effective(group: &Properties, broker: &Properties) -> Result<GroupConfig, ConfigError> {
        if let Some(name) = group.keys().find(|name| Scope::Group.find(name).is_none()) {
            return Err(refusal(format!("Unknown group config name: {name}")));
        }
        Values::check(Scope::Group, group)?;
        let mut all = defaults_from_broker(broker);
        all.extend(group.iter().map(|(name, text)| (name.clone(), text.clone())));
        let values = Values::trust(Scope::Group, &all);
        check_limits(group, &values, &Values::trust(Scope::Broker, broker))?;
        let config = GroupConfig::read(&values)?;
        config.check_sessions()?;
        Ok(config)
    }

    fn check_sessions(&self) -> Result<(), ConfigError> {
        let protocols = [
            (
                "consumer",
                self.consumer_session_timeout_ms,
                self.consumer_heartbeat_interval_ms,
            ),
            ("share", self.share_session_timeout_ms, self.share_heartbeat_interval_ms),
            (
                "streams",
                self.streams_session_timeout_ms,
                self.streams_heartbeat_interval_ms,
            ),
        ];
        match protocols
            .into_iter()
            .find(|(_, session, heartbeat)| session <= heartbeat)
        {
            None => Ok(()),
            Some((protocol, ..)) => Err(refusal(format!(
                "{protocol}.session.timeout.ms must be greater than {protocol}.heartbeat.interval.ms"
            ))),
        }
    }
}

/// [GroupConfig.validateValues]
fn check_limits(group: &Properties, values: &Values, broker: &Values) -> Result<(), ConfigError> {
    for (name, least, most, always) in LIMITS {
        if !always && !group.contains_key(*name) {
            continue;
        }
        let value = values.number(name)?;
        if let Some(least) = least
            && value < broker.number(least)?
        {
            return Err(refusal(format!("{name} must be greater than or equal to {least}")));
        }
        if value > broker.number(most)? {
            return Err(refusal(format!("{name} must be less than or equal to {most}")));
        }
    }
    Ok(())
}

/// The group settings that the given settings of a broker stand in for, under the group's names.
fn defaults_from_broker(broker: &Properties) -> Properties {
    let named = Scope::Group
        .keys()
        .iter()
        .filter(|d| !WITHOUT_SYNONYM.contains(&d.name));
    let given = named.filter_map(|d| Some((d.name.to_string(), broker.get(&format!("group.{}", d.name))?.clone())));
    given.collect()
}

fn refusal(text: String) -> ConfigError {
    ConfigError::of("InvalidConfigurationException", text)
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
        let rows = conflicts::check("group", &[], &Properties::new(), |given| {
            GroupConfig::effective(given, &Properties::new()).map(drop)
        });
        assert!(rows > 15);
    }

    #[test]
    fn the_broker_stands_in_and_limits() {
        let broker = properties(&[
            ("group.consumer.min.session.timeout.ms", "1000"),
            ("group.consumer.session.timeout.ms", "3000"),
            ("group.consumer.min.heartbeat.interval.ms", "100"),
            ("group.consumer.heartbeat.interval.ms", "300"),
        ]);
        let config = GroupConfig::effective(&Properties::new(), &broker).expect("valid");
        assert_eq!(
            (
                config.consumer_session_timeout_ms,
                config.consumer_heartbeat_interval_ms
            ),
            (3_000, 300)
        );
        assert_eq!(config.share_auto_offset_reset, OffsetReset::Latest);
        let own = properties(&[
            ("consumer.session.timeout.ms", "8000"),
            ("share.auto.offset.reset", "earliest"),
        ]);
        let config = GroupConfig::effective(&own, &broker).expect("valid");
        assert_eq!(config.consumer_session_timeout_ms, 8_000);
        assert_eq!(config.share_auto_offset_reset, OffsetReset::Earliest);
        let refused = GroupConfig::effective(&properties(&[("consumer.session.timeout.ms", "999")]), &broker);
        let text = "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms";
        assert_eq!(refused.expect_err("refused").message, text);
        let unknown = GroupConfig::effective(&properties(&[("bogus", "1")]), &broker);
        assert_eq!(
            unknown.expect_err("refused").message,
            "Unknown group config name: bogus"
        );
    }
}
