//! Settings of topics (`LogConfig`), by name, and the broker's settings that stand in for them.

use super::super::definition::Default::{Is, Null};
use super::super::definition::Emptiness::MayBeEmpty;
use super::super::definition::Valid::{
    Any, AtLeast, Between, Decimals, GzipLevel, List, OneOf, ThrottledReplicas,
};
use super::super::definition::{Definition, Kind, def};

/// Sorted by name.
pub const KEYS: &[Definition] = &[
    def(
        "cleanup.policy",
        Kind::List,
        Is("delete"),
        List(MayBeEmpty, &["compact", "delete"]),
    ),
    def("compression.gzip.level", Kind::Int, Is("-1"), GzipLevel),
    def("compression.lz4.level", Kind::Int, Is("9"), Between(1, 17)),
    def(
        "compression.type",
        Kind::Text,
        Is("producer"),
        OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
    ),
    def(
        "compression.zstd.level",
        Kind::Int,
        Is("3"),
        Between(-131072, 22),
    ),
    def(
        "delete.retention.ms",
        Kind::Long,
        Is("86400000"),
        AtLeast(0),
    ),
    def("file.delete.delay.ms", Kind::Long, Is("60000"), AtLeast(0)),
    def(
        "flush.messages",
        Kind::Long,
        Is("9223372036854775807"),
        AtLeast(1),
    ),
    def(
        "flush.ms",
        Kind::Long,
        Is("9223372036854775807"),
        AtLeast(0),
    ),
    def(
        "follower.replication.throttled.replicas",
        Kind::List,
        Is(""),
        ThrottledReplicas,
    ),
    def("index.interval.bytes", Kind::Int, Is("4096"), AtLeast(0)),
    def("internal.segment.bytes", Kind::Int, Null, Any),
    def(
        "leader.replication.throttled.replicas",
        Kind::List,
        Is(""),
        ThrottledReplicas,
    ),
    def("local.retention.bytes", Kind::Long, Is("-2"), AtLeast(-2)),
    def("local.retention.ms", Kind::Long, Is("-2"), AtLeast(-2)),
    def(
        "max.compaction.lag.ms",
        Kind::Long,
        Is("9223372036854775807"),
        AtLeast(1),
    ),
    def("max.message.bytes", Kind::Int, Is("1048588"), AtLeast(0)),
    def(
        "message.timestamp.after.max.ms",
        Kind::Long,
        Is("3600000"),
        AtLeast(0),
    ),
    def(
        "message.timestamp.before.max.ms",
        Kind::Long,
        Is("9223372036854775807"),
        AtLeast(0),
    ),
    def(
        "message.timestamp.type",
        Kind::Text,
        Is("CreateTime"),
        OneOf(&["CreateTime", "LogAppendTime"]),
    ),
    def(
        "min.cleanable.dirty.ratio",
        Kind::Double,
        Is("0.5"),
        Decimals("0", "1"),
    ),
    def("min.compaction.lag.ms", Kind::Long, Is("0"), AtLeast(0)),
    def("min.insync.replicas", Kind::Int, Is("1"), AtLeast(1)),
    def("preallocate", Kind::Boolean, Is("false"), Any),
    def("remote.log.copy.disable", Kind::Boolean, Is("false"), Any),
    def(
        "remote.log.delete.on.disable",
        Kind::Boolean,
        Is("false"),
        Any,
    ),
    def("remote.storage.enable", Kind::Boolean, Is("false"), Any),
    def("retention.bytes", Kind::Long, Is("-1"), Any),
    def("retention.ms", Kind::Long, Is("604800000"), AtLeast(-1)),
    def(
        "segment.bytes",
        Kind::Int,
        Is("1073741824"),
        AtLeast(1048576),
    ),
    def("segment.index.bytes", Kind::Int, Is("10485760"), AtLeast(4)),
    def("segment.jitter.ms", Kind::Long, Is("0"), AtLeast(0)),
    def("segment.ms", Kind::Long, Is("604800000"), AtLeast(1)),
    def(
        "unclean.leader.election.enable",
        Kind::Boolean,
        Is("false"),
        Any,
    ),
];

/// A topic setting, and the broker settings that stand in for it: the first one that is set counts, times the number.
pub const BROKER_SYNONYMS: &[(&str, &[(&str, i64)])] = &[
    ("cleanup.policy", &[("log.cleanup.policy", 1)]),
    ("compression.gzip.level", &[("compression.gzip.level", 1)]),
    ("compression.lz4.level", &[("compression.lz4.level", 1)]),
    ("compression.type", &[("compression.type", 1)]),
    ("compression.zstd.level", &[("compression.zstd.level", 1)]),
    (
        "delete.retention.ms",
        &[("log.cleaner.delete.retention.ms", 1)],
    ),
    (
        "file.delete.delay.ms",
        &[("log.segment.delete.delay.ms", 1)],
    ),
    ("flush.messages", &[("log.flush.interval.messages", 1)]),
    (
        "flush.ms",
        &[
            ("log.flush.interval.ms", 1),
            ("log.flush.scheduler.interval.ms", 1),
        ],
    ),
    ("index.interval.bytes", &[("log.index.interval.bytes", 1)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", 1)]),
    ("local.retention.ms", &[("log.local.retention.ms", 1)]),
    (
        "max.compaction.lag.ms",
        &[("log.cleaner.max.compaction.lag.ms", 1)],
    ),
    ("max.message.bytes", &[("message.max.bytes", 1)]),
    (
        "message.timestamp.after.max.ms",
        &[("log.message.timestamp.after.max.ms", 1)],
    ),
    (
        "message.timestamp.before.max.ms",
        &[("log.message.timestamp.before.max.ms", 1)],
    ),
    (
        "message.timestamp.type",
        &[("log.message.timestamp.type", 1)],
    ),
    (
        "min.cleanable.dirty.ratio",
        &[("log.cleaner.min.cleanable.ratio", 1)],
    ),
    (
        "min.compaction.lag.ms",
        &[("log.cleaner.min.compaction.lag.ms", 1)],
    ),
    ("min.insync.replicas", &[("min.insync.replicas", 1)]),
    ("preallocate", &[("log.preallocate", 1)]),
    ("retention.bytes", &[("log.retention.bytes", 1)]),
    (
        "retention.ms",
        &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", 60000),
            ("log.retention.hours", 3600000),
        ],
    ),
    ("segment.bytes", &[("log.segment.bytes", 1)]),
    ("segment.index.bytes", &[("log.index.size.max.bytes", 1)]),
    (
        "segment.jitter.ms",
        &[
            ("log.roll.jitter.ms", 1),
            ("log.roll.jitter.hours", 3600000),
        ],
    ),
    (
        "segment.ms",
        &[("log.roll.ms", 1), ("log.roll.hours", 3600000)],
    ),
    (
        "unclean.leader.election.enable",
        &[("unclean.leader.election.enable", 1)],
    ),
];
