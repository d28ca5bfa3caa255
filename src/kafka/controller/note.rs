//! What the controller reports to people.

use super::raft::note::RaftNote;
use super::rules;
use crate::kafka::protocol::admin::{ConfigResource, ElectionType};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::sim::Span;
use std::rc::Rc;

/// What made the controller write records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// It became active.
    Activation,
    /// A broker was silent for longer than `broker.session.timeout.ms`.
    SessionExpired {
        broker: NodeId,
        silent: Span,
        timeout: Span,
    },
    /// A broker asked to be fenced.
    FenceWanted {
        broker: NodeId,
    },
    /// A broker was told to stop.
    Stopped {
        broker: NodeId,
    },
    /// A broker began its controlled shutdown.
    ControlledShutdown {
        broker: NodeId,
    },
    /// A broker was unfenced.
    Unfenced {
        broker: NodeId,
    },
    /// A broker registered again; had it shut down cleanly?
    Registered {
        broker: NodeId,
        clean: bool,
    },
    Unregistered {
        broker: NodeId,
    },
    /// A leader asked for another ISR.
    AlterPartition {
        leader: NodeId,
    },
    /// An admin started or cancelled a reassignment.
    Reassignment,
    /// An admin asked for elections.
    ElectLeaders(ElectionType),
    /// The preferred balancer.
    Balancer {
        interval_s: i64,
    },
    /// The periodic unclean election.
    UncleanTimer {
        interval_ms: i64,
    },
    /// An admin changed topics.
    Topics,
    /// An admin changed settings.
    Configs,
    ProducerIds,
}

impl Why {
    /// The settings that decided when it happened.
    fn config(self) -> Vec<(&'static str, String)> {
        match self {
            Why::SessionExpired { timeout, .. } => vec![("broker.session.timeout.ms", timeout.as_ms().to_string())],
            Why::Balancer { interval_s } => vec![
                ("auto.leader.rebalance.enable", "true".into()),
                ("leader.imbalance.check.interval.seconds", interval_s.to_string()),
            ],
            Why::UncleanTimer { interval_ms } => {
                vec![("unclean.leader.election.interval.ms", interval_ms.to_string())]
            }
            _ => Vec::new(),
        }
    }
}

/// How a leader was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum How {
    /// From the ISR.
    Clean,
    /// The first replica, from the ISR, because it is the first.
    Preferred,
    /// From the eligible leader replicas.
    Eligible,
    /// The last known leader, with possible loss.
    LastKnown,
    /// From outside of the ISR, with possible loss.
    Unclean,
    /// The old one, in a new epoch.
    SameLeader,
}

impl How {
    /// In the log's words.
    pub fn name(self) -> &'static str {
        match self {
            How::Clean => "clean",
            How::Preferred => "preferred",
            How::Eligible => "elr",
            How::LastKnown => "last-known",
            How::Unclean => "unclean",
            How::SameLeader => "same leader",
        }
    }

    fn rule(self) -> &'static Rule {
        match self {
            How::Clean => &rules::ELECTION_CLEAN,
            How::Preferred => &rules::ELECTION_PREFERRED,
            How::Eligible => &rules::ELECTION_ELR,
            How::LastKnown => &rules::ELECTION_LAST_KNOWN,
            How::Unclean => &rules::ELECTION_UNCLEAN,
            How::SameLeader => &rules::SAME_LEADER,
        }
    }
}

/// A controller's observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ControllerNote {
    /// It leads the quorum and is the active controller.
    Leads {
        epoch: i32,
    },
    /// Of its place in the quorum.
    Raft(RaftNote),
    /// A new incarnation is registered, fenced; the last one's shutdown was clean or not.
    BrokerRegistered {
        broker: NodeId,
        epoch: i64,
        clean: bool,
    },
    /// Its old session lives for so long still.
    RegistrationRefused {
        broker: NodeId,
        left: Span,
        timeout: Span,
    },
    Unfenced {
        broker: NodeId,
    },
    Fenced {
        broker: NodeId,
        why: Why,
    },
    /// Its controlled shutdown begins, with so many leaderships to hand over.
    ControlledShutdown {
        broker: NodeId,
        leads: u32,
    },
    /// It leads nothing any more but has to wait: the slowest active broker is at `lowest`, `needed` is the end of the
    /// moves.
    ShutdownWaits {
        broker: NodeId,
        lowest: i64,
        needed: i64,
    },
    /// It may stop.
    ShutdownGranted {
        broker: NodeId,
    },
    Unregistered {
        broker: NodeId,
    },
    /// A heartbeat or request of an incarnation that is not registered.
    StaleBrokerEpoch {
        broker: NodeId,
        epoch: i64,
    },
    LeaderElected {
        partition: TopicPartition,
        from: NodeId,
        to: NodeId,
        epoch: i32,
        how: How,
        /// `unclean.leader.election.enable` of the topic.
        unclean_enabled: bool,
        why: Why,
    },
    /// Nobody may lead.
    PartitionOffline {
        partition: TopicPartition,
        from: NodeId,
        epoch: i32,
        unclean_enabled: bool,
        why: Why,
    },
    IsrChanged {
        partition: TopicPartition,
        from: Vec<NodeId>,
        to: Vec<NodeId>,
        why: Why,
    },
    ElrChanged {
        partition: TopicPartition,
        from: Vec<NodeId>,
        to: Vec<NodeId>,
        min_isr: u32,
        why: Why,
    },
    AlterPartitionRefused {
        partition: TopicPartition,
        leader: NodeId,
        error: ErrorCode,
    },
    TopicCreated {
        name: Rc<str>,
        id: TopicId,
    },
    TopicDeleted {
        name: Rc<str>,
        id: TopicId,
    },
    PartitionCreated {
        partition: TopicPartition,
        replicas: Vec<NodeId>,
        isr: Vec<NodeId>,
    },
    /// `None`: not set (before), deleted (after).
    ConfigChanged {
        resource: ConfigResource,
        name: Rc<str>,
        from: Option<Rc<str>>,
        to: Option<Rc<str>>,
    },
    ReassignmentStarted {
        partition: TopicPartition,
        adding: Vec<NodeId>,
        removing: Vec<NodeId>,
    },
    ReassignmentCompleted {
        partition: TopicPartition,
        replicas: Vec<NodeId>,
    },
    ReassignmentCancelled {
        partition: TopicPartition,
        replicas: Vec<NodeId>,
    },
    /// From `start`, a thousand.
    ProducerIds {
        broker: NodeId,
        start: i64,
    },
}

impl ControllerNote {
    pub fn rule(&self) -> Option<&'static Rule> {
        Some(match self {
            Self::Leads { .. } => &rules::LEADS,
            Self::Raft(note) => note.rule(),
            Self::BrokerRegistered { clean: false, .. } => &rules::UNCLEAN_RETURN,
            Self::BrokerRegistered { .. } | Self::StaleBrokerEpoch { .. } => &rules::REGISTRATION,
            Self::RegistrationRefused { .. } => &rules::DUPLICATE,
            Self::Unfenced { .. } => &rules::UNFENCE,
            Self::Fenced { why, .. } => match why {
                Why::SessionExpired { .. } => &rules::FENCE,
                _ => &rules::FENCE_WANTED,
            },
            Self::ControlledShutdown { .. } => &rules::CONTROLLED_SHUTDOWN,
            Self::ShutdownWaits { .. } | Self::ShutdownGranted { .. } => &rules::SHUTDOWN_GRANTED,
            Self::Unregistered { .. } => &rules::UNREGISTER,
            Self::LeaderElected { how, .. } => how.rule(),
            Self::PartitionOffline { .. } => &rules::OFFLINE,
            Self::IsrChanged { .. } => &rules::ISR,
            Self::ElrChanged { .. } => &rules::ELR,
            Self::AlterPartitionRefused { .. } => &rules::ALTER_REFUSED,
            Self::TopicCreated { .. } | Self::TopicDeleted { .. } | Self::PartitionCreated { .. } => &rules::TOPICS,
            Self::ConfigChanged { .. } => &rules::CONFIGS,
            Self::ReassignmentStarted { .. }
            | Self::ReassignmentCompleted { .. }
            | Self::ReassignmentCancelled { .. } => &rules::REASSIGNMENT,
            Self::ProducerIds { .. } => &rules::PRODUCER_IDS,
        })
    }

    pub fn weight(&self) -> Weight {
        match self {
            Self::Raft(note) => note.weight(),
            Self::PartitionOffline { .. } => Weight::Alarm,
            Self::LeaderElected {
                how: How::Unclean | How::LastKnown,
                ..
            } => Weight::Alarm,
            Self::Fenced {
                why: Why::SessionExpired { .. },
                ..
            } => Weight::Alarm,
            Self::RegistrationRefused { .. }
            | Self::ShutdownWaits { .. }
            | Self::StaleBrokerEpoch { .. }
            | Self::AlterPartitionRefused { .. }
            | Self::PartitionCreated { .. }
            | Self::ProducerIds { .. } => Weight::Detail,
            _ => Weight::Matters,
        }
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Raft(note) => note.config(),
            Self::RegistrationRefused { timeout, .. } => {
                vec![("broker.session.timeout.ms", timeout.as_ms().to_string())]
            }
            Self::Fenced { why, .. } | Self::IsrChanged { why, .. } => why.config(),
            Self::LeaderElected {
                unclean_enabled, why, ..
            }
            | Self::PartitionOffline {
                unclean_enabled, why, ..
            } => {
                let mut all = vec![("unclean.leader.election.enable", unclean_enabled.to_string())];
                all.extend(why.config());
                all
            }
            Self::ElrChanged { min_isr, why, .. } => {
                let mut all = vec![("min.insync.replicas", min_isr.to_string())];
                all.extend(why.config());
                all
            }
            _ => Vec::new(),
        }
    }
}
