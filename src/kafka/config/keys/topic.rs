//! Settings of topics (`LogConfig`), by name, and the broker's settings that stand in for them.

use super::super::definition::Default::{Is, Null};
use super::super::definition::Emptiness::MayBeEmpty;
use super::super::definition::Valid::{Any, AtLeast, Between, Decimals, GzipLevel, List, OneOf, ThrottledReplicas};
use super::super::definition::definitions;

definitions! {
    "cleanup.policy": List = Is("delete"), List(MayBeEmpty, &["compact", "delete"]);
    "compression.gzip.level": Int = Is("-1"), GzipLevel;
    "compression.lz4.level": Int = Is("9"), Between(1, 17);
    "compression.type": Text = Is("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]);
    "compression.zstd.level": Int = Is("3"), Between(-131072, 22);
    "delete.retention.ms": Long = Is("86400000"), AtLeast(0);
    "file.delete.delay.ms": Long = Is("60000"), AtLeast(0);
    "flush.messages": Long = Is("9223372036854775807"), AtLeast(1);
    "flush.ms": Long = Is("9223372036854775807"), AtLeast(0);
    "follower.replication.throttled.replicas": List = Is(""), ThrottledReplicas;
    "index.interval.bytes": Int = Is("4096"), AtLeast(0);
    "internal.segment.bytes": Int = Null, Any;
    "leader.replication.throttled.replicas": List = Is(""), ThrottledReplicas;
    "local.retention.bytes": Long = Is("-2"), AtLeast(-2);
    "local.retention.ms": Long = Is("-2"), AtLeast(-2);
    "max.compaction.lag.ms": Long = Is("9223372036854775807"), AtLeast(1);
    "max.message.bytes": Int = Is("1048588"), AtLeast(0);
    "message.timestamp.after.max.ms": Long = Is("3600000"), AtLeast(0);
    "message.timestamp.before.max.ms": Long = Is("9223372036854775807"), AtLeast(0);
    "message.timestamp.type": Text = Is("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]);
    "min.cleanable.dirty.ratio": Double = Is("0.5"), Decimals("0", "1");
    "min.compaction.lag.ms": Long = Is("0"), AtLeast(0);
    "min.insync.replicas": Int = Is("1"), AtLeast(1);
    "preallocate": Boolean = Is("false"), Any;
    "remote.log.copy.disable": Boolean = Is("false"), Any;
    "remote.log.delete.on.disable": Boolean = Is("false"), Any;
    "remote.storage.enable": Boolean = Is("false"), Any;
    "retention.bytes": Long = Is("-1"), Any;
    "retention.ms": Long = Is("604800000"), AtLeast(-1);
    "segment.bytes": Int = Is("1073741824"), AtLeast(1048576);
    "segment.index.bytes": Int = Is("10485760"), AtLeast(4);
    "segment.jitter.ms": Long = Is("0"), AtLeast(0);
    "segment.ms": Long = Is("604800000"), AtLeast(1);
    "unclean.leader.election.enable": Boolean = Is("false"), Any;
}

/// A topic setting, and the broker settings that stand in for it: the first one that is set counts, times the number.
pub const BROKER_SYNONYMS: &[(&str, &[(&str, i64)])] = &[
    ("cleanup.policy", &[("log.cleanup.policy", 1)]),
    ("compression.gzip.level", &[("compression.gzip.level", 1)]),
    ("compression.lz4.level", &[("compression.lz4.level", 1)]),
    ("compression.type", &[("compression.type", 1)]),
    ("compression.zstd.level", &[("compression.zstd.level", 1)]),
    ("delete.retention.ms", &[("log.cleaner.delete.retention.ms", 1)]),
    ("file.delete.delay.ms", &[("log.segment.delete.delay.ms", 1)]),
    ("flush.messages", &[("log.flush.interval.messages", 1)]),
    (
        "flush.ms",
        &[("log.flush.interval.ms", 1), ("log.flush.scheduler.interval.ms", 1)],
    ),
    ("index.interval.bytes", &[("log.index.interval.bytes", 1)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", 1)]),
    ("local.retention.ms", &[("log.local.retention.ms", 1)]),
    ("max.compaction.lag.ms", &[("log.cleaner.max.compaction.lag.ms", 1)]),
    ("max.message.bytes", &[("message.max.bytes", 1)]),
    (
        "message.timestamp.after.max.ms",
        &[("log.message.timestamp.after.max.ms", 1)],
    ),
    (
        "message.timestamp.before.max.ms",
        &[("log.message.timestamp.before.max.ms", 1)],
    ),
    ("message.timestamp.type", &[("log.message.timestamp.type", 1)]),
    ("min.cleanable.dirty.ratio", &[("log.cleaner.min.cleanable.ratio", 1)]),
    ("min.compaction.lag.ms", &[("log.cleaner.min.compaction.lag.ms", 1)]),
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
        &[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3600000)],
    ),
    ("segment.ms", &[("log.roll.ms", 1), ("log.roll.hours", 3600000)]),
    (
        "unclean.leader.election.enable",
        &[("unclean.leader.election.enable", 1)],
    ),
];
