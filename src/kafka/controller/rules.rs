//! The controller's named behaviours, for "why?".

use crate::kafka::rule::Rule;

macro_rules! rules {
    ($($name:ident = $path:literal, $about:literal, $source:literal;)*) => {
        $(#[doc = $about]
        pub const $name: Rule = Rule { name: $path, about: $about, source: $source };)*
    };
}

rules! {
    LEADS = "controller/active", "The leader of the quorum is the active controller as soon as all before its epoch is committed; the only voter leads at once.", "QuorumController.claim";
    FRESH_SESSIONS = "controller/fresh-sessions", "A new active controller gives every unfenced broker a fresh session.", "ClusterControlManager.activate";
    REGISTRATION = "controller/registration", "A broker registers with a new incarnation and starts fenced; its broker epoch is the next metadata offset.", "ClusterControlManager.registerBroker";
    DUPLICATE = "controller/duplicate-registration", "A restarted broker may not register before the session of its last incarnation has ended.", "ClusterControlManager.registerBroker";
    UNCLEAN_RETURN = "controller/unclean-shutdown", "A broker that comes back without having shut down cleanly leaves all ISRs and eligible leader replicas: its disk may lack records.", "KIP-966, ReplicationControlManager.handleBrokerShutdown";
    UNFENCE = "controller/unfence", "A broker is unfenced when it has applied its own registration; then partitions without a leader hold elections.", "BrokerHeartbeatManager.calculateNextBrokerState";
    FENCE = "controller/fence", "A broker whose last heartbeat is more than broker.session.timeout.ms old is fenced: it leaves all ISRs and leads nothing. Looked at every eighth of that time.", "ReplicationControlManager.maybeFenceOneStaleBroker";
    FENCE_WANTED = "controller/fence-wanted", "A broker that asks for it, or stops leading nothing, is fenced at once.", "BrokerHeartbeatManager.calculateNextBrokerState";
    CONTROLLED_SHUTDOWN = "controller/controlled-shutdown", "A broker that wants to stop hands its leaderships over first and leaves all ISRs.", "ReplicationControlManager.handleBrokerInControlledShutdown";
    SHUTDOWN_GRANTED = "controller/shutdown-granted", "A controlled shutdown ends when the broker leads nothing and all active brokers have applied the moves.", "BrokerHeartbeatManager.calculateNextBrokerState";
    UNREGISTER = "controller/unregister", "An unregistered broker leaves all ISRs and eligible leader replicas; the replicas stay assigned to it.", "ReplicationControlManager.handleBrokerUnregistered";
    ELECTION_CLEAN = "election/clean", "The first replica in the ISR that is active leads.", "PartitionChangeBuilder.electLeader";
    ELECTION_PREFERRED = "election/preferred", "A preferred election gives the lead to the first replica, if it is in sync.", "PartitionChangeBuilder.electPreferredLeader";
    ELECTION_ELR = "election/eligible-leader-replica", "With an empty ISR an eligible leader replica leads: it left the ISR while the high watermark could not move.", "KIP-966, PartitionChangeBuilder.isValidNewLeader";
    ELECTION_LAST_KNOWN = "election/last-known-leader", "With ISR and eligible leader replicas empty the last known leader leads when it is back; records may be lost.", "KIP-966, PartitionChangeBuilder.canElectLastKnownLeader";
    ELECTION_UNCLEAN = "election/unclean", "A replica outside of the ISR leads, because unclean elections are allowed or asked for; committed records may be lost.", "PartitionChangeBuilder.electLeader";
    OFFLINE = "election/no-leader", "Nobody who surely has all committed records is active: the partition stays without a leader.", "PartitionChangeBuilder.electLeader";
    SAME_LEADER = "election/epoch-only", "A replica left the partition for good: the leader stays, in a new epoch, so that the removed one is not heard any more.", "PartitionChangeBuilder.triggerLeaderEpochBumpForReplicaReassignmentIfNeeded";
    ISR = "controller/isr", "The controller keeps the in-sync replicas: leaders ask for changes, fencing and shutdowns make them.", "ReplicationControlManager.alterPartition";
    ELR = "controller/eligible-leader-replicas", "Below min.insync.replicas the high watermark stands still, so whoever leaves the ISR stays eligible to lead.", "KIP-966, PartitionChangeBuilder.maybePopulateTargetElr";
    ALTER_REFUSED = "controller/alter-partition", "An ISR change is refused if it comes from old state or has a member that is fenced, stopping or restarted.", "ReplicationControlManager.validateAlterPartitionData";
    TOPICS = "controller/topics", "Topics are created and deleted by records; each broker acts on them when it has read them.", "ReplicationControlManager.createTopics";
    CONFIGS = "controller/configs", "Dynamic settings are records; each node follows them when it has read them.", "ConfigurationControlManager.incrementalAlterConfigs";
    REASSIGNMENT = "controller/reassignment", "A reassignment first adds the new replicas and ends, with the next change, when all of them are in sync.", "PartitionReassignmentReplicas";
    PRODUCER_IDS = "controller/producer-ids", "Producer ids are given to brokers in blocks of 1000.", "ProducerIdControlManager.generateNextProducerId";
}
