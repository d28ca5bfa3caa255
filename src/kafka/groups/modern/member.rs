//! A member: what it has said of itself, and how far it is on its way to its target. [ConsumerGroupMember]

use super::super::classic::Protocols;
use crate::kafka::protocol::groups::Subscription;
use crate::kafka::types::TopicPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use std::rc::Rc;

/// How far a member is from its target. [MemberState]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberState {
    /// It has its target, or waits for nothing but the next one.
    Stable,
    /// It has to give partitions up first, and keeps its epoch until it has said that it did.
    UnrevokedPartitions,
    /// It is in the target's epoch, and waits for partitions that others still have.
    UnreleasedPartitions,
}

impl MemberState {
    /// As Kafka calls it: `UNREVOKED_PARTITIONS`.
    pub fn name(self) -> &'static str {
        match self {
            MemberState::Stable => "STABLE",
            MemberState::UnrevokedPartitions => "UNREVOKED_PARTITIONS",
            MemberState::UnreleasedPartitions => "UNRELEASED_PARTITIONS",
        }
    }
}

/// Partitions with the epoch in which the member got each.
pub type Held = Rc<OrderedMap<TopicPartition, i32>>;

/// What a classic member said in its JoinGroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicDetails {
    pub session_timeout_ms: i32,
    pub protocols: Protocols,
}

impl ClassicDetails {
    /// The protocol that it is answered with: its first.
    pub fn protocol(&self) -> Rc<str> {
        self.protocols
            .first()
            .map_or_else(Rc::default, |(name, _)| name.clone())
    }

    /// What it said under its first protocol.
    pub fn subscription(&self) -> Rc<Subscription> {
        self.protocols
            .first()
            .map_or_else(Rc::default, |(_, said)| said.clone())
    }
}

/// What a member has said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// `group.instance.id` of a static member.
    pub instance: Option<Rc<str>>,
    pub rack: Option<Rc<str>>,
    pub client_id: Rc<str>,
    pub topics: Rc<OrderedSet<Rc<str>>>,
    /// Never empty.
    pub regex: Option<Rc<str>>,
    /// The server's assignor that it wants.
    pub assignor: Option<Rc<str>>,
    /// ms
    pub rebalance_timeout_ms: i32,
    /// It speaks the classic protocol.
    pub classic: Option<ClassicDetails>,
}

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Member epoch; -2: a static member that will be back.
    pub epoch: i32,
    pub previous: i32,
    pub state: MemberState,
    pub assigned: Held,
    /// To be given up.
    pub pending: Held,
}

impl Current {
    /// A member on its way out.
    pub(in crate::kafka::groups) fn gone(state: MemberState) -> Current {
        Current {
            epoch: -1,
            previous: -1,
            state,
            assigned: Rc::default(),
            pending: Rc::default(),
        }
    }

    /// Partitions that nobody else may have.
    pub fn holds(&self) -> impl Iterator<Item = TopicPartition> {
        self.assigned.keys().chain(self.pending.keys()).copied()
    }
}

/// A member of a consumer or share group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModernMember {
    pub id: Rc<str>,
    pub details: Rc<Details>,
    pub current: Current,
}

impl ModernMember {
    pub(in crate::kafka::groups) fn new(id: Rc<str>) -> ModernMember {
        ModernMember {
            id,
            details: super::no_details(),
            current: super::start(),
        }
    }

    /// [ModernGroupMember.isReconciledTo]
    pub fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.current.state == MemberState::Stable && self.current.epoch == epoch
    }

    pub fn is_classic(&self) -> bool {
        self.details.classic.is_some()
    }

    /// Session time-out of a classic member, ms.
    pub(in crate::kafka::groups) fn classic_session_ms(&self) -> Option<i64> {
        self.details.classic.as_ref().map(|c| i64::from(c.session_timeout_ms))
    }

    /// The member in the next epoch.
    pub(in crate::kafka::groups) fn step(&self, epoch: i32, state: MemberState, assigned: Held, pending: Held) -> Self {
        ModernMember {
            id: self.id.clone(),
            details: self.details.clone(),
            current: Current {
                epoch,
                previous: self.current.epoch,
                state,
                assigned,
                pending,
            },
        }
    }
}
