//! The rules that groups of the newer protocols follow, for "why?".

use crate::kafka::rule::Rule;

pub const JOINED: Rule = Rule {
    name: "consumer-group/join",
    about: "A heartbeat with epoch 0 makes its sender a member at once; nobody has to stop for it.",
    source: "KIP-848, GroupMetadataManager.consumerGroupHeartbeat",
};
pub const EPOCH: Rule = Rule {
    name: "consumer-group/group-epoch",
    about: "The group epoch grows whenever members, their subscriptions or the topics' metadata change: a new target is due.",
    source: "KIP-848, GroupMetadataManager.updateSubscriptionMetadata",
};
pub const TARGET: Rule = Rule {
    name: "consumer-group/target-assignment",
    about: "The coordinator's assignor computes the target at the first heartbeat after the group epoch grew, at most once in group.consumer.assignment.interval.ms.",
    source: "KIP-848, GroupMetadataManager.maybeUpdateTargetAssignment, TargetAssignmentBuilder",
};
pub const RECONCILE: Rule = Rule {
    name: "consumer-group/reconciliation",
    about: "Each member goes to its target on its own: what it must give up first, keeping its epoch until it has said that it did; then it moves to the assignment epoch and gets what nobody else holds any more.",
    source: "KIP-848, CurrentAssignmentBuilder",
};
pub const REVOKE_TIMEOUT: Rule = Rule {
    name: "consumer-group/rebalance-timeout",
    about: "A member that does not give its partitions up within its rebalance time-out (max.poll.interval.ms of the client) is fenced; nobody else is held up.",
    source: "KIP-848, GroupMetadataManager.scheduleConsumerGroupRebalanceTimeout",
};
pub const SESSION: Rule = Rule {
    name: "consumer-group/session-timeout",
    about: "A member that was not heard of for group.consumer.session.timeout.ms is removed; the client has no say in it.",
    source: "KIP-848, GroupMetadataManager.scheduleConsumerGroupSessionTimeout",
};
pub const LEAVE: Rule = Rule {
    name: "consumer-group/leave",
    about: "A heartbeat with epoch -1 takes the member out; its partitions go to others at their next heartbeats.",
    source: "KIP-848, GroupMetadataManager.consumerGroupLeave",
};
pub const STATIC_LEAVE: Rule = Rule {
    name: "consumer-group/static-leave",
    about: "A static member that leaves with epoch -2 keeps its partitions until its session is over; the next holder of its group.instance.id takes them over.",
    source: "KIP-848, GroupMetadataManager.consumerGroupStaticMemberGroupLeave",
};
pub const REFUSED: Rule = Rule {
    name: "consumer-group/epoch-check",
    about: "Only a heartbeat in the member's epoch counts, or one step behind if an answer was lost; others are fenced and have to abandon their partitions and join again.",
    source: "KIP-848, GroupMetadataManager.throwIfConsumerGroupMemberEpochIsInvalid",
};
pub const REGEX: Rule = Rule {
    name: "consumer-group/regex",
    about: "A subscription by an RE2 pattern is resolved by the coordinator in the background; until then it stands for no topics.",
    source: "KIP-848, GroupMetadataManager.maybeUpdateRegularExpressions",
};
pub const MIGRATION: Rule = Rule {
    name: "consumer-group/migration",
    about: "The first member of the consumer protocol turns a classic group into a consumer group, and the last one's end turns it back, without losing partitions or offsets.",
    source: "KIP-848, ConsumerGroupMigrationPolicy, GroupMetadataManager.convertToConsumerGroup",
};
