//! Settings of groups (`GroupConfig`), by name.

use super::super::definition::Default::Is;
use super::super::definition::Valid::{Any, AtLeast, OneOf, ShareOffsetReset};
use super::super::definition::definitions;

definitions! {
    "consumer.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "consumer.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "consumer.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "share.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "share.auto.offset.reset": Text = Is("latest"), ShareOffsetReset;
    "share.delivery.count.limit": Int = Is("5"), AtLeast(2);
    "share.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "share.isolation.level": Text = Is("read_uncommitted"), OneOf(&["read_committed", "read_uncommitted"]);
    "share.partition.max.record.locks": Int = Is("2000"), AtLeast(100);
    "share.record.lock.duration.ms": Int = Is("30000"), AtLeast(1000);
    "share.renew.acknowledge.enable": Boolean = Is("true"), Any;
    "share.session.timeout.ms": Int = Is("45000"), AtLeast(1);
    "streams.assignment.interval.ms": Int = Is("1000"), AtLeast(0);
    "streams.heartbeat.interval.ms": Int = Is("5000"), AtLeast(1);
    "streams.initial.rebalance.delay.ms": Int = Is("3000"), AtLeast(0);
    "streams.num.standby.replicas": Int = Is("0"), AtLeast(0);
    "streams.session.timeout.ms": Int = Is("45000"), AtLeast(1);
}

/// A setting whose broker setting (`group.` before its name) stands in for it, unless it says otherwise.
pub const WITHOUT_SYNONYM: [&str; 3] = [
    "share.auto.offset.reset",
    "share.isolation.level",
    "share.renew.acknowledge.enable",
];

/// What a broker lets a group set: the setting, the broker's least and most, and whether the broker's own default is
/// held to them too. In the order in which they are checked.
pub const LIMITS: &[(&str, Option<&str>, &str, bool)] = &[
    (
        "consumer.heartbeat.interval.ms",
        Some("group.consumer.min.heartbeat.interval.ms"),
        "group.consumer.max.heartbeat.interval.ms",
        true,
    ),
    (
        "consumer.session.timeout.ms",
        Some("group.consumer.min.session.timeout.ms"),
        "group.consumer.max.session.timeout.ms",
        true,
    ),
    (
        "consumer.assignment.interval.ms",
        Some("group.consumer.min.assignment.interval.ms"),
        "group.consumer.max.assignment.interval.ms",
        false,
    ),
    (
        "share.heartbeat.interval.ms",
        Some("group.share.min.heartbeat.interval.ms"),
        "group.share.max.heartbeat.interval.ms",
        true,
    ),
    (
        "share.session.timeout.ms",
        Some("group.share.min.session.timeout.ms"),
        "group.share.max.session.timeout.ms",
        true,
    ),
    (
        "share.record.lock.duration.ms",
        Some("group.share.min.record.lock.duration.ms"),
        "group.share.max.record.lock.duration.ms",
        true,
    ),
    (
        "share.delivery.count.limit",
        Some("group.share.min.delivery.count.limit"),
        "group.share.max.delivery.count.limit",
        true,
    ),
    (
        "share.partition.max.record.locks",
        Some("group.share.min.partition.max.record.locks"),
        "group.share.max.partition.max.record.locks",
        true,
    ),
    (
        "share.assignment.interval.ms",
        Some("group.share.min.assignment.interval.ms"),
        "group.share.max.assignment.interval.ms",
        false,
    ),
    (
        "streams.heartbeat.interval.ms",
        Some("group.streams.min.heartbeat.interval.ms"),
        "group.streams.max.heartbeat.interval.ms",
        true,
    ),
    (
        "streams.session.timeout.ms",
        Some("group.streams.min.session.timeout.ms"),
        "group.streams.max.session.timeout.ms",
        true,
    ),
    (
        "streams.num.standby.replicas",
        None,
        "group.streams.max.standby.replicas",
        true,
    ),
    (
        "streams.assignment.interval.ms",
        Some("group.streams.min.assignment.interval.ms"),
        "group.streams.max.assignment.interval.ms",
        false,
    ),
];
