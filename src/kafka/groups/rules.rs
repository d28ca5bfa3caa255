//! The rules that the group coordinator follows, for "why?".

use crate::kafka::rule::Rule;

pub const LOAD: Rule = Rule {
    name: "group/load",
    about: "The new leader of a partition of __consumer_offsets reads it from its start to its end and so becomes the coordinator of its groups; sessions begin anew.",
    source: "CoordinatorRuntime.scheduleLoadOperation, GroupMetadataManager.onLoaded",
};
pub const UNLOAD: Rule = Rule {
    name: "group/unload",
    about: "A broker that no longer leads the partition forgets its groups; whoever waits is told NOT_COORDINATOR.",
    source: "CoordinatorRuntime.scheduleUnloadOperation",
};
pub const COMMITTED_BEFORE_ANSWERED: Rule = Rule {
    name: "group/answer-after-high-watermark",
    about: "The coordinator answers when the high watermark covers what it wrote and all it wrote before; after offsets.commit.timeout.ms it says COORDINATOR_NOT_AVAILABLE, but nothing is undone.",
    source: "CoordinatorRuntime.append, OperationTimeout",
};
pub const APPEND_FAILED: Rule = Rule {
    name: "group/append-failed",
    about: "What could not be appended to the partition is undone in memory, and whoever asked for it gets an error.",
    source: "CoordinatorRuntime.failCurrentBatch",
};
pub const MEMBER_ID: Rule = Rule {
    name: "group/member-id-first",
    about: "A dynamic member gets its member id first and joins with it in a second request; until then it holds up the join phase, at most for its session time-out.",
    source: "KIP-394, GroupMetadataManager.classicGroupJoinNewDynamicMember",
};
pub const JOIN_REFUSED: Rule = Rule {
    name: "group/join-refused",
    about: "A JoinGroup is checked in a fixed order: size of the group, protocols, instance id, member id.",
    source: "GroupMetadataManager.classicGroupJoinToClassicGroup",
};
pub const JOIN_REBALANCES: Rule = Rule {
    name: "group/join-rebalances",
    about: "A new member makes the group rebalance.",
    source: "GroupMetadataManager.addMemberThenRebalanceOrCompleteJoin",
};
pub const REJOIN_REBALANCES: Rule = Rule {
    name: "group/rejoin-rebalances",
    about: "A leader that joins again, or a member that says something new, makes the group rebalance.",
    source: "GroupMetadataManager.classicGroupJoinExistingMember",
};
pub const LEAVE_REBALANCES: Rule = Rule {
    name: "group/leave-rebalances",
    about: "When a member is gone the others share out anew.",
    source: "GroupMetadataManager.removeMemberAndUpdateClassicGroup, classicGroupLeaveToClassicGroup",
};
pub const INITIAL_DELAY: Rule = Rule {
    name: "group/initial-rebalance-delay",
    about: "The first join phase of an empty group lasts group.initial.rebalance.delay.ms, and longer while members go on coming.",
    source: "KIP-134, GroupMetadataManager.tryCompleteInitialRebalanceElseSchedule",
};
pub const SESSION: Rule = Rule {
    name: "group/session-timeout",
    about: "A member that was not heard of for session.timeout.ms is removed, unless the group owes it an answer.",
    source: "GroupMetadataManager.expireClassicGroupMemberHeartbeat",
};
pub const REBALANCE_TIMEOUT: Rule = Rule {
    name: "group/rebalance-timeout",
    about: "A rebalance waits for its members at most for the longest rebalance time-out (max.poll.interval.ms of the client); dynamic members that did not rejoin by then are removed, static ones stay.",
    source: "GroupMetadataManager.completeClassicGroupJoin",
};
pub const SYNC_TIMEOUT: Rule = Rule {
    name: "group/sync-timeout",
    about: "Members that send no SyncGroup within the longest rebalance time-out are removed, static ones too.",
    source: "KIP-559, GroupMetadataManager.expirePendingSync",
};
pub const GENERATION: Rule = Rule {
    name: "group/generation",
    about: "Every completed join phase makes a new generation; the leader assigns, with the protocol that most members vote for.",
    source: "ClassicGroup.initNextGeneration, selectProtocol",
};
pub const ASSIGNMENT: Rule = Rule {
    name: "group/assignment-stored",
    about: "The leader's assignment is written to __consumer_offsets; once the high watermark covers it the group is Stable and every member gets its part.",
    source: "GroupMetadataManager.classicGroupSyncToClassicGroup",
};
pub const STATIC: Rule = Rule {
    name: "group/static-member",
    about: "A static member that comes back takes its old seat under a new member id, without a rebalance if the group is Stable; the old id is fenced.",
    source: "KIP-345, GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin",
};
pub const COMMIT_CHECK: Rule = Rule {
    name: "group/commit-check",
    about: "Offsets are taken from a member of the current generation, or from outside if the group is empty; not while the leader assigns.",
    source: "ClassicGroup.validateOffsetCommit",
};
pub const TOPIC_DELETED: Rule = Rule {
    name: "group/topic-deleted",
    about: "When a topic is deleted its committed offsets go from all groups.",
    source: "OffsetMetadataManager.onTopicsDeleted",
};
pub const EXPIRY: Rule = Rule {
    name: "group/offset-expiry",
    about: "Offsets that nobody used for offsets.retention.minutes go, and an empty group without offsets with them.",
    source: "OffsetMetadataManager.cleanupExpiredOffsets, GroupCoordinatorShard.cleanupGroupMetadata",
};
pub const DELETED: Rule = Rule {
    name: "group/deleted",
    about: "Only an empty group can be deleted; its offsets go with it.",
    source: "GroupCoordinatorShard.deleteGroups",
};
pub const CREATED: Rule = Rule {
    name: "group/created",
    about: "A group begins with the first JoinGroup or, without members, with the first commit.",
    source: "GroupMetadataManager.getOrMaybeCreateClassicGroup",
};
