//! The rules that share groups follow on brokers, for "why?".

use crate::kafka::rule::Rule;

pub const LOAD: Rule = Rule {
    name: "share/load",
    about: "A leader reads what was written of a share partition before it hands out records: finished records stay finished, acquired ones are available again with the deliveries they had.",
    source: "KIP-932, SharePartition.maybeInitialize",
};
pub const START: Rule = Rule {
    name: "share/start-offset",
    about: "A share group begins in a partition where its share.auto.offset.reset says: at the end (latest, the default), at the start, or by time.",
    source: "KIP-932, SharePartition.startOffsetDuringInitialization",
};
pub const ACQUIRE: Rule = Rule {
    name: "share/acquire",
    about: "The leader hands a record to one member at a time: it is acquired, its delivery count grows, and a lock of group.share.record.lock.duration.ms runs.",
    source: "KIP-932, SharePartition.acquire",
};
pub const ISOLATE: Rule = Rule {
    name: "share/isolate",
    about: "Records that were delivered half as often as allowed go out in smaller and smaller portions, the last delivery alone, so that a poison record does not take good ones with it.",
    source: "SharePartition.shouldThrottleRecordsDelivery, acquireSubsetBatchRecords",
};
pub const ACKNOWLEDGE: Rule = Rule {
    name: "share/acknowledge",
    about: "Only the member that holds a record may say what becomes of it: accept finishes it, reject archives it, release makes it available again; it counts when the share coordinator has it.",
    source: "KIP-932, SharePartition.acknowledge",
};
pub const REFUSED: Rule = Rule {
    name: "share/acknowledge-refused",
    about: "An acknowledgement of a record that its member does not hold (any more) is refused, and with it all of the same request for that partition.",
    source: "KIP-932, SharePartition.acknowledgeBatchRecords",
};
pub const LIMIT: Rule = Rule {
    name: "share/delivery-limit",
    about: "A record that comes back after group.share.delivery.count.limit deliveries is archived: nobody gets it again.",
    source: "KIP-932, InFlightState.tryUpdateState",
};
pub const LOCK: Rule = Rule {
    name: "share/lock-timeout",
    about: "A record whose lock ends before it is acknowledged is available to everybody again, with its delivery counted.",
    source: "KIP-932, SharePartition.releaseAcquisitionLockOnTimeout",
};
pub const SESSION: Rule = Rule {
    name: "share/session-end",
    about: "When a member's share session ends, because it closes or because its connection breaks, what it holds is released at once.",
    source: "SharePartitionManager.releaseSession, ShareSessionCache",
};
pub const START_MOVES: Rule = Rule {
    name: "share/start-moves",
    about: "The share-partition start offset moves over finished records; what lies below is never looked at again.",
    source: "KIP-932, SharePartition.maybeUpdateCachedStateAndOffsets",
};
pub const FENCED: Rule = Rule {
    name: "share/fenced",
    about: "Only the leader of a partition hands out its records: who stops leading, or is fenced by the share coordinator, forgets what was acquired.",
    source: "SharePartitionManager.SharePartitionListener, fencedSharePartitionHandler",
};
pub const COORDINATOR: Rule = Rule {
    name: "share/coordinator",
    about: "The share coordinator keeps the state of share partitions in __share_group_state; whoever leads the partition of that topic reads it when it takes over.",
    source: "KIP-932, ShareCoordinatorShard",
};
pub const WRITE_FAILED: Rule = Rule {
    name: "share/write-failed",
    about: "An acknowledgement that the share coordinator does not have is taken back: the record stays with its member until the lock ends.",
    source: "SharePartition.rollbackOrProcessStateUpdates",
};
