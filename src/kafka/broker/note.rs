//! What a broker reports to people, besides the facts for the ledger: each note with the rule that it follows.

use crate::kafka::log::retention::DeletionReason;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::sim::Span;
use std::rc::Rc;

/// A broker's observation.
#[derive(Clone, Debug, Hash)]
pub enum BrokerNote {
    /// It knows the active controller.
    ControllerKnown {
        controller: NodeId,
        epoch: i32,
    },
    /// `previous`: the epoch in the marker of a clean shutdown, -1 if there was none.
    Registered {
        epoch: i64,
        previous: i64,
    },
    RegistrationRefused(ErrorCode),
    RegistrationTimedOut {
        after_ms: i64,
    },
    HeartbeatRefused(ErrorCode),
    /// A write waits for the slow disk, so long; `behind`: how many wait behind it.
    DiskWaits {
        ms: i64,
        behind: usize,
    },
    CaughtUp,
    Unfenced,
    ControlledShutdownBegins,
    ShutsDown,
    /// The image is at `end` now; `written_in` is the event in which the controller wrote the last change.
    MetadataApplied {
        end: i64,
        written_in: u64,
    },
    LogLoaded {
        partition: TopicPartition,
        clean: bool,
        end: i64,
        high_watermark: i64,
    },
    StrayLog {
        partition: TopicPartition,
    },
    StorageFailed,
    Leads {
        partition: TopicPartition,
        epoch: i32,
        end: i64,
        was_leader: bool,
    },
    Follows {
        partition: TopicPartition,
        leader: NodeId,
        epoch: i32,
    },
    HighWatermarkFrozen {
        partition: TopicPartition,
        isr: usize,
        min_isr: usize,
    },
    OutOfSync {
        partition: TopicPartition,
        replica: NodeId,
        end_offset: i64,
        caught_up_ms_ago: Option<i64>,
        lag_max_ms: i64,
    },
    ShrinksIsr {
        partition: TopicPartition,
        replicas: Rc<[NodeId]>,
    },
    ExpandsIsr {
        partition: TopicPartition,
        replica: NodeId,
    },
    IsrCommitted {
        partition: TopicPartition,
        isr: Rc<[NodeId]>,
    },
    IsrChangeRefused {
        partition: TopicPartition,
        error: ErrorCode,
    },
    ProduceRefused {
        partition: TopicPartition,
        error: ErrorCode,
    },
    ProduceTimedOut {
        partition: TopicPartition,
    },
    ClosedForAcks0,
    DuplicateBatch {
        partition: TopicPartition,
        first_offset: i64,
    },
    SegmentRolled {
        partition: TopicPartition,
        base_offset: i64,
    },
    SegmentDeleted {
        partition: TopicPartition,
        base_offset: i64,
        end_offset: i64,
        reason: DeletionReason,
    },
    /// Compacted from one offset to another; all records below were looked at.
    LogCleaned {
        partition: TopicPartition,
        from: i64,
        to: i64,
        removed: u64,
        kept: u64,
        /// `min.cleanable.dirty.ratio`, in millionths.
        ratio: i64,
    },
    RecordsDeleted {
        partition: TopicPartition,
        to: i64,
    },
    /// Told to a reader whose last epoch ends earlier here.
    Diverges {
        partition: TopicPartition,
        replica: NodeId,
        epoch: i32,
        end: i64,
    },
    Truncated {
        partition: TopicPartition,
        from: i64,
        to: i64,
        below_high_watermark: Option<i64>,
    },
    /// A coordinator reads its partition; requests wait so long.
    CoordinatorLoads {
        partition: TopicPartition,
        bytes: u64,
        takes: Span,
    },
    /// Without epochs to go by.
    CutToHighWatermark {
        partition: TopicPartition,
        from: i64,
        to: i64,
    },
    FetchRefused {
        partition: TopicPartition,
        leader: NodeId,
        error: ErrorCode,
    },
    FetchingStopped {
        partition: TopicPartition,
        leader: NodeId,
    },
    /// The bytes on a connection say a size that no request has.
    InvalidReceive {
        size: i32,
        max: i64,
    },
    LeaderUnreachable {
        leader: NodeId,
    },
}

/// The rules that brokers follow.
pub mod rules {
    use super::Rule;

    pub const REGISTRATION: Rule = Rule {
        name: "broker/registration",
        about: "A starting broker registers with a new incarnation; while the session of its last one lives, the \
                controller refuses it.",
        source: "ClusterControlManager.registerBroker",
    };
    pub const UNFENCING: Rule = Rule {
        name: "broker/unfencing",
        about: "A broker stays fenced until it has applied the metadata up to its own registration and loaded its logs.",
        source: "BrokerHeartbeatManager.calculateNextBrokerState",
    };
    pub const SLOW_DISK: Rule = Rule {
        name: "disk/slow",
        about: "Appends go to the disk one after the other; a slow one delays answers, replication and, by it, the ISR.",
        source: "the model: every append takes as long as the disk is slow",
    };
    pub const STALE_EPOCH: Rule = Rule {
        name: "broker/heartbeats",
        about: "A broker whose heartbeat is refused or unanswered goes on as it is and tries again one interval later.",
        source: "BrokerLifecycleManager",
    };
    pub const CONTROLLED_SHUTDOWN: Rule = Rule {
        name: "broker/controlled-shutdown",
        about: "A broker that shuts down first has its leaderships moved, and ends when the other brokers know of it.",
        source: "BrokerLifecycleManager, BrokerServer.shutdown",
    };
    pub const OWN_METADATA: Rule = Rule {
        name: "metadata/each-broker-by-itself",
        about: "Each broker reads the metadata log by itself and acts on it at its own time.",
        source: "MetadataLoader, BrokerMetadataPublisher",
    };
    pub const RECOVERY: Rule = Rule {
        name: "log/recovery",
        about: "A log is loaded from its files; the high watermark comes from the last checkpoint, bounded to the log.",
        source: "LogLoader, Partition.createLog",
    };
    pub const STRAY: Rule = Rule {
        name: "log/stray",
        about: "A log whose replica is not assigned to the broker any more is set aside at the start.",
        source: "LogManager.isStrayKraftReplica",
    };
    pub const STORAGE: Rule = Rule {
        name: "log/storage-failure",
        about: "A broker whose only log directory fails halts at once.",
        source: "LogManager.handleLogDirFailure",
    };
    pub const LEADERSHIP: Rule = Rule {
        name: "replica/leadership",
        about: "A new leader notes where its epoch starts and truncates nothing: its log is the truth.",
        source: "Partition.makeLeader",
    };
    pub const FOLLOWING: Rule = Rule {
        name: "replica/following",
        about: "A follower fetches from its log's end, and tells the epoch of its last record.",
        source: "ReplicaManager.makeFollowers",
    };
    pub const HIGH_WATERMARK: Rule = Rule {
        name: "replica/high-watermark",
        about: "The high watermark stands still while the ISR is smaller than min.insync.replicas.",
        source: "Partition.maybeIncrementLeaderHW, KIP-966",
    };
    pub const ISR_SHRINK: Rule = Rule {
        name: "replica/isr-shrink",
        about: "A follower that has not caught up for replica.lag.time.max.ms is proposed to leave the ISR.",
        source: "Partition.maybeShrinkIsr",
    };
    pub const ISR_EXPAND: Rule = Rule {
        name: "replica/isr-expand",
        about: "A follower that has reached the high watermark and the start of the leader's epoch may join the ISR.",
        source: "Partition.maybeExpandIsr",
    };
    pub const ISR_CONTROLLER: Rule = Rule {
        name: "replica/isr-by-the-controller",
        about: "An ISR changes only when the controller has confirmed it.",
        source: "DefaultAlterPartitionManager, KIP-497",
    };
    pub const PRODUCE_CHECKS: Rule = Rule {
        name: "produce/checks",
        about: "Nothing of a refused batch is appended.",
        source: "ReplicaManager.appendRecords",
    };
    pub const ACKS_ALL: Rule = Rule {
        name: "produce/acks-all",
        about: "With acks=all the answer waits for the high watermark, at most for the request's time-out; the records \
                stay in the log either way.",
        source: "DelayedProduce",
    };
    pub const ACKS_0: Rule = Rule {
        name: "produce/acks-0",
        about: "With acks=0 there is no answer: an error closes the connection.",
        source: "KafkaApis.handleProduceRequest",
    };
    pub const DUPLICATE: Rule = Rule {
        name: "produce/duplicate",
        about: "A batch with the sequence of one of the producer's last five is answered with that one's offsets.",
        source: "ProducerStateEntry.findDuplicateBatch",
    };
    pub const ROLL: Rule = Rule {
        name: "log/roll",
        about: "A segment that is full or old is closed and flushed, and a new one begun.",
        source: "LogSegment.shouldRoll, UnifiedLog.roll",
    };
    pub const COMPACTION: Rule = Rule {
        name: "log/compaction",
        about: "Of records with the same key only the last one stays, in closed segments below the LSO; tombstones and markers go delete.retention.ms after their first cleaning. A log is cleaned when more than min.cleanable.dirty.ratio of it is dirty.",
        source: "LogCleaner, Cleaner.cleanInto",
    };
    pub const RETENTION: Rule = Rule {
        name: "log/retention",
        about: "Old segments are deleted whole, oldest first, and only below the high watermark.",
        source: "UnifiedLog.deleteOldSegments",
    };
    pub const DELETE_RECORDS: Rule = Rule {
        name: "log/delete-records",
        about: "The leader moves its log start up; followers take it over with their next fetches.",
        source: "Partition.deleteRecordsOnLeader",
    };
    pub const TRUNCATION: Rule = Rule {
        name: "replica/truncation",
        about: "A follower whose last epoch ends earlier on the leader cuts its log to where the two agree.",
        source: "AbstractFetcherThread.getOffsetTruncationState, KIP-101, KIP-279",
    };
    pub const COORDINATOR_LOAD: Rule = Rule {
        name: "coordinator/load",
        about: "A new coordinator reads its partition before it answers; until then requests get \
                COORDINATOR_LOAD_IN_PROGRESS and are tried again.",
        source: "CoordinatorRuntime.scheduleLoadOperation, TransactionStateManager.loadTransactionsForTxnTopicPartition",
    };
    pub const HIGH_WATERMARK_TRUNCATION: Rule = Rule {
        name: "replica/high-watermark-truncation",
        about: "A follower that has no leader epochs to compare cuts its log to its own high watermark before it fetches, \
                even if others had counted on what it cuts.",
        source: "ReplicaManager.initialFetchOffset, before KIP-101",
    };
    pub const RECEIVE_SIZE: Rule = Rule {
        name: "broker/request-size",
        about: "The first four bytes on a connection are the size of a request; HTTP or TLS there is a size beyond socket.request.max.bytes, and the connection is closed.",
        source: "NetworkReceive.readFrom, Selector.pollSelectionKeys",
    };
    pub const FETCH_ERRORS: Rule = Rule {
        name: "replica/fetch-errors",
        about: "After an error a follower waits replica.fetch.backoff.ms; when it is fenced it waits for new metadata.",
        source: "AbstractFetcherThread.processFetchRequest",
    };
}

impl BrokerNote {
    /// The rule that it follows.
    pub fn rule(&self) -> Option<&'static Rule> {
        Some(match self {
            BrokerNote::ControllerKnown { .. } | BrokerNote::MetadataApplied { .. } => &rules::OWN_METADATA,
            BrokerNote::Registered { .. }
            | BrokerNote::RegistrationRefused(_)
            | BrokerNote::RegistrationTimedOut { .. } => &rules::REGISTRATION,
            BrokerNote::HeartbeatRefused(_) => &rules::STALE_EPOCH,
            BrokerNote::DiskWaits { .. } => &rules::SLOW_DISK,
            BrokerNote::CaughtUp | BrokerNote::Unfenced => &rules::UNFENCING,
            BrokerNote::ControlledShutdownBegins | BrokerNote::ShutsDown => &rules::CONTROLLED_SHUTDOWN,
            BrokerNote::LogLoaded { .. } => &rules::RECOVERY,
            BrokerNote::StrayLog { .. } => &rules::STRAY,
            BrokerNote::StorageFailed => &rules::STORAGE,
            BrokerNote::Leads { .. } => &rules::LEADERSHIP,
            BrokerNote::Follows { .. } => &rules::FOLLOWING,
            BrokerNote::HighWatermarkFrozen { .. } => &rules::HIGH_WATERMARK,
            BrokerNote::OutOfSync { .. } | BrokerNote::ShrinksIsr { .. } => &rules::ISR_SHRINK,
            BrokerNote::ExpandsIsr { .. } => &rules::ISR_EXPAND,
            BrokerNote::IsrCommitted { .. } | BrokerNote::IsrChangeRefused { .. } => &rules::ISR_CONTROLLER,
            BrokerNote::ProduceRefused { .. } => &rules::PRODUCE_CHECKS,
            BrokerNote::ProduceTimedOut { .. } => &rules::ACKS_ALL,
            BrokerNote::ClosedForAcks0 => &rules::ACKS_0,
            BrokerNote::DuplicateBatch { .. } => &rules::DUPLICATE,
            BrokerNote::SegmentRolled { .. } => &rules::ROLL,
            BrokerNote::SegmentDeleted { .. } => &rules::RETENTION,
            BrokerNote::LogCleaned { .. } => &rules::COMPACTION,
            BrokerNote::RecordsDeleted { .. } => &rules::DELETE_RECORDS,
            BrokerNote::Diverges { .. } | BrokerNote::Truncated { .. } => &rules::TRUNCATION,
            BrokerNote::CoordinatorLoads { .. } => &rules::COORDINATOR_LOAD,
            BrokerNote::CutToHighWatermark { .. } => &rules::HIGH_WATERMARK_TRUNCATION,
            BrokerNote::FetchRefused { .. }
            | BrokerNote::FetchingStopped { .. }
            | BrokerNote::LeaderUnreachable { .. } => &rules::FETCH_ERRORS,
            BrokerNote::InvalidReceive { .. } => &rules::RECEIVE_SIZE,
        })
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            BrokerNote::MetadataApplied { .. }
            | BrokerNote::DiskWaits { .. }
            | BrokerNote::CaughtUp
            | BrokerNote::ControllerKnown { .. }
            | BrokerNote::LogLoaded { .. }
            | BrokerNote::DuplicateBatch { .. }
            | BrokerNote::SegmentRolled { .. }
            | BrokerNote::FetchRefused { .. }
            | BrokerNote::LeaderUnreachable { .. }
            | BrokerNote::CoordinatorLoads { .. }
            | BrokerNote::HighWatermarkFrozen { .. } => Weight::Detail,
            BrokerNote::Truncated {
                below_high_watermark: Some(_),
                ..
            }
            | BrokerNote::StorageFailed
            | BrokerNote::RegistrationTimedOut { .. } => Weight::Alarm,
            _ => Weight::Matters,
        }
    }

    /// One short sentence.
    pub fn text(&self, names: &dyn Names) -> String {
        match self {
            BrokerNote::ControllerKnown { controller, epoch } => {
                format!("The active controller is {} in epoch {epoch}", names.node(*controller))
            }
            BrokerNote::DiskWaits { ms, behind: 0 } => format!("A write takes the slow disk {ms} ms"),
            BrokerNote::DiskWaits { ms, behind } => {
                format!("A write takes the slow disk {ms} ms, and {behind} wait behind it")
            }
            BrokerNote::Registered { epoch, previous: -1 } => {
                format!("Registered with broker epoch {epoch}, after no clean shutdown")
            }
            BrokerNote::Registered { epoch, previous } => {
                format!("Registered with broker epoch {epoch}, after a clean shutdown in epoch {previous}")
            }
            BrokerNote::RegistrationRefused(error) => format!("Registration refused: {}", error.name()),
            BrokerNote::RegistrationTimedOut { after_ms } => {
                format!("Shuts down: not registered within {after_ms} ms")
            }
            BrokerNote::HeartbeatRefused(error) => format!("Heartbeat refused: {}", error.name()),
            BrokerNote::CaughtUp => "Has caught up with the metadata log".into(),
            BrokerNote::Unfenced => "Unfenced, serves requests from now on".into(),
            BrokerNote::ControlledShutdownBegins => "Controlled shutdown begins".into(),
            BrokerNote::ShutsDown => "Shuts down".into(),
            BrokerNote::MetadataApplied { end, .. } => format!("Metadata applied up to offset {}", end - 1),
            BrokerNote::StorageFailed => "Halts: no space left on its disk".into(),
            BrokerNote::ClosedForAcks0 => "Closes the connection: a produce with acks=0 failed".into(),
            BrokerNote::LeaderUnreachable { leader } => format!("Cannot reach {} to fetch", names.node(*leader)),
            BrokerNote::InvalidReceive { size, max } => {
                format!("Closes the connection: Invalid receive (size = {size} larger than {max})")
            }
            _ => self.partition_text(names),
        }
    }

    fn partition_text(&self, names: &dyn Names) -> String {
        let node = |id: &NodeId| names.node(*id);
        let list = |ids: &[NodeId]| ids.iter().map(node).collect::<Vec<_>>().join(", ");
        let Some(partition) = self.partition() else {
            return String::new();
        };
        let what = match self {
            BrokerNote::LogLoaded {
                clean,
                end,
                high_watermark,
                ..
            } => {
                let how = if *clean { "loaded" } else { "recovered" };
                format!("log {how}: end {end}, high watermark {high_watermark}")
            }
            BrokerNote::StrayLog { .. } => "log set aside: the replica does not belong here any more".into(),
            BrokerNote::Leads { epoch, end, .. } => format!("leads in epoch {epoch} from offset {end} on"),
            BrokerNote::Follows {
                leader: NO_LEADER,
                epoch,
                ..
            } => format!("has no leader in epoch {epoch}"),
            BrokerNote::Follows { leader, epoch, .. } => format!("follows {} in epoch {epoch}", node(leader)),
            BrokerNote::HighWatermarkFrozen { isr, min_isr, .. } => {
                format!("high watermark stands still: ISR of {isr}, {min_isr} needed")
            }
            BrokerNote::OutOfSync {
                replica,
                caught_up_ms_ago,
                lag_max_ms,
                ..
            } => match caught_up_ms_ago {
                Some(ago) => format!("{} last caught up {ago} ms ago, {lag_max_ms} allowed", node(replica)),
                None => format!("{} has not caught up in this leadership", node(replica)),
            },
            BrokerNote::ShrinksIsr { replicas, .. } => format!("proposes an ISR without {}", list(replicas)),
            BrokerNote::ExpandsIsr { replica, .. } => format!("proposes an ISR with {}", node(replica)),
            BrokerNote::IsrCommitted { isr, .. } => format!("ISR is {}", list(isr)),
            BrokerNote::IsrChangeRefused { error, .. } => format!("ISR change refused: {}", error.name()),
            BrokerNote::ProduceRefused { error, .. } => format!("produce refused: {}", error.name()),
            BrokerNote::ProduceTimedOut { .. } => "produce timed out; its records stay in the log".into(),
            BrokerNote::DuplicateBatch { first_offset, .. } => {
                format!("batch sent twice: it is there at offset {first_offset}")
            }
            BrokerNote::SegmentRolled { base_offset, .. } => format!("new segment at offset {base_offset}"),
            BrokerNote::SegmentDeleted {
                base_offset,
                end_offset,
                reason,
                ..
            } => format!("segment {base_offset} to {end_offset} deleted {}", reason_text(*reason)),
            BrokerNote::LogCleaned {
                from,
                to,
                removed,
                kept,
                ..
            } => format!("log compacted from {from} to {to}: {removed} records removed, {kept} kept"),
            BrokerNote::RecordsDeleted { to, .. } => format!("records below offset {to} deleted"),
            BrokerNote::Diverges {
                replica, epoch, end, ..
            } => {
                format!("tells {} that epoch {epoch} ends at {end}", node(replica))
            }
            BrokerNote::Truncated { from, to, .. } => format!("log cut from {from} to {to}"),
            BrokerNote::CoordinatorLoads { bytes, takes, .. } => {
                format!("coordinator reads {bytes} B of state, for {} us", takes.as_us())
            }
            BrokerNote::CutToHighWatermark { from, to, .. } => {
                format!("log cut from {from} to its own high watermark {to}")
            }
            BrokerNote::FetchRefused { leader, error, .. } => {
                format!("fetch from {} refused: {}", node(leader), error.name())
            }
            BrokerNote::FetchingStopped { leader, .. } => {
                format!("stops fetching from {} until new metadata comes", node(leader))
            }
            _ => return String::new(),
        };
        format!("{}: {what}", names.partition(partition))
    }

    /// The partition that it is about.
    pub fn partition(&self) -> Option<TopicPartition> {
        match self {
            BrokerNote::LogLoaded { partition, .. }
            | BrokerNote::StrayLog { partition }
            | BrokerNote::Leads { partition, .. }
            | BrokerNote::Follows { partition, .. }
            | BrokerNote::HighWatermarkFrozen { partition, .. }
            | BrokerNote::OutOfSync { partition, .. }
            | BrokerNote::ShrinksIsr { partition, .. }
            | BrokerNote::ExpandsIsr { partition, .. }
            | BrokerNote::IsrCommitted { partition, .. }
            | BrokerNote::IsrChangeRefused { partition, .. }
            | BrokerNote::ProduceRefused { partition, .. }
            | BrokerNote::ProduceTimedOut { partition }
            | BrokerNote::DuplicateBatch { partition, .. }
            | BrokerNote::SegmentRolled { partition, .. }
            | BrokerNote::SegmentDeleted { partition, .. }
            | BrokerNote::LogCleaned { partition, .. }
            | BrokerNote::RecordsDeleted { partition, .. }
            | BrokerNote::Diverges { partition, .. }
            | BrokerNote::Truncated { partition, .. }
            | BrokerNote::CoordinatorLoads { partition, .. }
            | BrokerNote::CutToHighWatermark { partition, .. }
            | BrokerNote::FetchRefused { partition, .. }
            | BrokerNote::FetchingStopped { partition, .. } => Some(*partition),
            _ => None,
        }
    }

    /// The settings that decided it, with what they were.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            BrokerNote::OutOfSync { lag_max_ms, .. } => vec![("replica.lag.time.max.ms", lag_max_ms.to_string())],
            BrokerNote::LogCleaned { ratio, .. } => {
                let text = format!("{}.{:06}", ratio / 1_000_000, ratio % 1_000_000);
                vec![(
                    "min.cleanable.dirty.ratio",
                    text.trim_end_matches('0').trim_end_matches('.').to_string(),
                )]
            }
            BrokerNote::HighWatermarkFrozen { min_isr, .. } => vec![("min.insync.replicas", min_isr.to_string())],
            BrokerNote::RegistrationTimedOut { after_ms } => {
                vec![("initial.broker.registration.timeout.ms", after_ms.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

fn reason_text(reason: DeletionReason) -> &'static str {
    match reason {
        DeletionReason::LogStart => "(below the log start)",
        DeletionReason::Size => "(retention.bytes)",
        DeletionReason::Time => "(retention.ms)",
    }
}
