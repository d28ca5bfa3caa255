//! The consumer's rules that its notes and log lines follow from.

use crate::kafka::rule::Rule;

pub const SHARE_ACKNOWLEDGE: Rule = Rule {
    name: "client/share-acknowledge",
    about: "Acknowledgements go to the broker that handed the records out, in the share session of then; after a change of leader or a lost connection they are refused, and the records come again.",
    source: "ShareConsumeRequestManager, KIP-932",
};
pub const COORDINATOR: Rule = Rule {
    name: "consumer/coordinator",
    about: "A consumer asks any broker for its group's coordinator and looks again whenever that one is lost or refuses.",
    source: "AbstractCoordinator.ensureCoordinatorReady",
};

pub const MEMBERSHIP: Rule = Rule {
    name: "consumer/join-and-sync",
    about: "A member joins with JoinGroup, gets its partitions with SyncGroup, and joins again when the group rebalances.",
    source: "AbstractCoordinator.joinGroupIfNeeded",
};

pub const EAGER: Rule = Rule {
    name: "consumer/eager-rebalance",
    about: "With the eager protocol a member gives up all partitions before it joins again.",
    source: "ConsumerCoordinator.onJoinPrepare, onJoinComplete",
};

pub const LISTENER: Rule = Rule {
    name: "consumer/rebalance-listener",
    about: "The rebalance listener first hears what the member gives up (everything with the eager protocol, only what moves with the cooperative one) and then what is new.",
    source: "ConsumerRebalanceListenerInvoker, ConsumerCoordinator.onJoinPrepare, onJoinComplete",
};

pub const COOPERATIVE: Rule = Rule {
    name: "consumer/cooperative-rebalance",
    about: "With the cooperative protocol a member keeps its partitions while it joins again; what it has to give up moves in a second rebalance.",
    source: "ConsumerCoordinator.onJoinPrepare, onJoinComplete; KIP-429",
};

pub const RECONCILE: Rule = Rule {
    name: "consumer/reconciliation",
    about: "With group.protocol=consumer a member commits and gives up only what it is not to have any more, takes over what is new, and acknowledges that with its next heartbeat; it never stops for others.",
    source: "KIP-848, AbstractMembershipManager.maybeReconcile, revokeAndAssign",
};

pub const LOST: Rule = Rule {
    name: "consumer/partitions-lost",
    about: "A member that is no longer in its group has lost its partitions: others may already read them.",
    source: "ConsumerCoordinator.onJoinPrepare, onLeavePrepare",
};

pub const HEARTBEAT: Rule = Rule {
    name: "consumer/heartbeat",
    about: "A thread of its own sends heartbeats every heartbeat.interval.ms, also while the application works.",
    source: "AbstractCoordinator.HeartbeatThread",
};

pub const MAX_POLL_INTERVAL: Rule = Rule {
    name: "consumer/max-poll-interval",
    about: "A member whose application does not call poll() for max.poll.interval.ms leaves the group.",
    source: "AbstractCoordinator.handlePollTimeoutExpiry",
};

pub const LEAVE: Rule = Rule {
    name: "consumer/leave-group",
    about: "A dynamic member says so when it leaves; a static one keeps its place until its session is over.",
    source: "AbstractCoordinator.maybeLeaveGroup",
};

pub const COMMIT: Rule = Rule {
    name: "consumer/commit",
    about: "A commit stores positions at the coordinator; only a stable member of the group may commit.",
    source: "ConsumerCoordinator.sendOffsetCommitRequest",
};

pub const AUTO_COMMIT: Rule = Rule {
    name: "consumer/auto-commit",
    about: "Every auto.commit.interval.ms a poll commits the positions, whether the application is done with the records or not.",
    source: "ConsumerCoordinator.maybeAutoCommitOffsetsAsync",
};

pub const POSITION: Rule = Rule {
    name: "consumer/position",
    about: "A partition is read from the committed offset, or from where auto.offset.reset says if there is none.",
    source: "ClassicKafkaConsumer.updateFetchPositions",
};

pub const OUT_OF_RANGE: Rule = Rule {
    name: "consumer/offset-out-of-range",
    about: "A position that the log does not have is reset as auto.offset.reset says, or poll() throws.",
    source: "FetchCollector.handleInitializeErrors",
};

pub const VALIDATION: Rule = Rule {
    name: "consumer/position-validation",
    about: "After a change of leader a consumer asks where the epoch of its position ends, and goes back if the log was cut.",
    source: "SubscriptionState.maybeCompleteValidation, KIP-320",
};

pub const FETCH: Rule = Rule {
    name: "consumer/fetch",
    about: "One fetch per node is in flight, and a node with buffered records is not asked until they are taken.",
    source: "AbstractFetch.prepareFetchRequests",
};

pub const POLL: Rule = Rule {
    name: "consumer/poll",
    about: "poll() returns at most max.poll.records; the position moves on when they are returned, not when they are processed.",
    source: "FetchCollector.collectFetch",
};
