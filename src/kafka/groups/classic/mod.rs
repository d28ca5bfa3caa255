//! A group of the classic protocol: its members, its state, and what can be asked of it. What changes it: [`join`],
//! [`rebalance`], [`sync`], [`member`]. [ClassicGroup, ClassicGroupMember]

pub(super) mod join;
pub(super) mod member;
pub(super) mod rebalance;
pub(super) mod statics;
pub(super) mod sync;
pub(super) mod work;

use super::effects::ReplyTo;
use super::records::{StoredGroup, StoredMember};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{JoinedMember, Subscription};
use crate::kafka::types::NamedPartition;
use crate::ordered::{OrderedMap, OrderedSet};
use std::fmt;
use std::rc::Rc;

/// The protocol type of consumers.
pub const CONSUMER: &str = "consumer";

/// Where a classic group stands. `Dead` is only what a group that is not there is called. [ClassicGroupState]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassicState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl ClassicState {
    /// As clients see it: `PreparingRebalance`.
    pub fn name(self) -> &'static str {
        match self {
            ClassicState::Empty => "Empty",
            ClassicState::PreparingRebalance => "PreparingRebalance",
            ClassicState::CompletingRebalance => "CompletingRebalance",
            ClassicState::Stable => "Stable",
        }
    }
}

impl fmt::Display for ClassicState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The assignors that a member offers, in its order, each with what the leader is to be told.
pub type Protocols = Rc<[(Rc<str>, Rc<Subscription>)]>;

/// A JoinGroup or SyncGroup that is not answered yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Parked {
    #[default]
    No,
    For(ReplyTo),
    /// Its request was answered with an error, but for the group it still waits.
    Answered,
}

impl Parked {
    pub fn is_parked(self) -> bool {
        self != Parked::No
    }
}

/// A member of a classic group.
#[derive(Clone, Debug)]
pub struct ClassicMember {
    pub id: Rc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Rc<str>>,
    /// `client.id` of the first holder of the seat.
    pub client_id: Rc<str>,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub protocols: Protocols,
    pub assignment: Rc<[NamedPartition]>,
    /// It has never completed a join phase.
    pub(super) is_new: bool,
    pub(super) join: Parked,
    pub(super) sync: Parked,
}

impl ClassicMember {
    /// What it says under this protocol; nothing if it does not offer it.
    pub fn subscription(&self, protocol: Option<&Rc<str>>) -> Rc<Subscription> {
        let found = self.protocols.iter().find(|(name, _)| Some(name) == protocol);
        found.map_or_else(Rc::default, |(_, subscription)| subscription.clone())
    }

    fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| **name == *protocol)
    }

    /// It needs no heartbeat while its JoinGroup or SyncGroup is parked. [ClassicGroupMember.hasSatisfiedHeartbeat]
    pub(super) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.join.is_parked() || self.sync.is_parked())
    }
}

/// How the join phase that is running ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinPhase {
    /// When everybody is there, or when the timer fires.
    Rejoin,
    /// The group was empty: when nobody came within `delay_ms`, or `remaining_ms` are used up.
    Initial { delay_ms: i64, remaining_ms: i64 },
}

/// A group of the classic protocol.
#[derive(Clone, Debug)]
pub struct ClassicGroup {
    pub id: Rc<str>,
    pub(super) state: ClassicState,
    pub(super) previous: ClassicState,
    /// Wall clock, ms; `None` for a group that was never written with a state.
    pub(super) state_since: Option<i64>,
    pub generation: i32,
    /// `None`: a simple group, offsets without members.
    pub protocol_type: Option<Rc<str>>,
    /// The assignor.
    pub protocol: Option<Rc<str>>,
    pub leader: Option<Rc<str>>,
    pub members: OrderedMap<Rc<str>, ClassicMember>,
    /// Member ids by `group.instance.id`.
    pub(super) statics: OrderedMap<Rc<str>, Rc<str>>,
    /// Got their id and have not joined with it yet.
    pub(super) pending_joins: OrderedSet<Rc<str>>,
    /// Have their join answer and did not send SyncGroup yet.
    pub(super) pending_syncs: OrderedSet<Rc<str>>,
    pub(super) member_added: bool,
    pub(super) join_phase: JoinPhase,
    /// What the members subscribe to; `None` if that is not known.
    pub(super) subscribed: Option<Rc<OrderedSet<Rc<str>>>>,
}

impl ClassicGroup {
    /// A group that nobody has joined.
    pub(super) fn empty(id: Rc<str>) -> ClassicGroup {
        ClassicGroup {
            id,
            state: ClassicState::Empty,
            previous: ClassicState::Empty,
            state_since: None,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: OrderedMap::new(),
            statics: OrderedMap::new(),
            pending_joins: OrderedSet::new(),
            pending_syncs: OrderedSet::new(),
            member_added: false,
            join_phase: JoinPhase::Rejoin,
            subscribed: None,
        }
    }

    /// The group as the log tells it: Stable or Empty, and each member supports the chosen protocol only.
    /// [GroupMetadataManager.replay(GroupMetadataKey, GroupMetadataValue)]
    pub(super) fn from_record(id: Rc<str>, value: &StoredGroup) -> ClassicGroup {
        let mut group = ClassicGroup::empty(id);
        group.generation = value.generation;
        group.protocol_type = value.protocol_type.clone();
        group.protocol = value.protocol.clone();
        group.leader = value.leader.clone();
        group.state_since = value.state_since;
        for stored in &value.members {
            let protocol = value.protocol.clone().unwrap_or_default();
            group.insert(ClassicMember {
                id: stored.id.clone(),
                instance: stored.instance.clone(),
                client_id: stored.client_id.clone(),
                rebalance_timeout_ms: stored.rebalance_timeout_ms,
                session_timeout_ms: stored.session_timeout_ms,
                protocols: Rc::from([(protocol, stored.subscription.clone())]),
                assignment: stored.assignment.clone(),
                is_new: false,
                join: Parked::No,
                sync: Parked::No,
            });
        }
        if !group.members.is_empty() {
            group.state = ClassicState::Stable;
        }
        group.subscribed = group.compute_subscribed();
        group
    }

    /// What the log is to keep, with these assignments.
    pub(super) fn to_record(&self, assignment: impl Fn(&ClassicMember) -> Rc<[NamedPartition]>) -> StoredGroup {
        let members = self.members.values().map(|member| StoredMember {
            id: member.id.clone(),
            instance: member.instance.clone(),
            client_id: member.client_id.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.subscription(self.protocol.as_ref()),
            assignment: assignment(member),
        });
        StoredGroup {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_since: self.state_since,
            members: members.collect(),
        }
    }

    pub fn state(&self) -> ClassicState {
        self.state
    }

    /// Ids that were given out and not joined with yet.
    pub fn pending_members(&self) -> impl Iterator<Item = &Rc<str>> {
        self.pending_joins.iter()
    }

    /// Offsets without members: nobody ever joined. [ClassicGroup.isSimpleGroup]
    pub fn is_simple(&self) -> bool {
        self.protocol_type.is_none() && self.state == ClassicState::Empty && self.pending_joins.is_empty()
    }

    pub fn is_leader(&self, member: &str) -> bool {
        self.leader.as_deref() == Some(member)
    }

    pub(super) fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER)
    }

    /// The longest wait for members to rejoin, ms. [ClassicGroup.rebalanceTimeoutMs]
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        let timeouts = self.members.values().map(|member| member.rebalance_timeout_ms);
        timeouts.max().unwrap_or(0).max(0)
    }

    pub(super) fn joins_parked(&self) -> usize {
        self.members.values().filter(|member| member.join.is_parked()).count()
    }

    pub(super) fn all_joined(&self) -> bool {
        self.pending_joins.is_empty() && self.members.values().all(|member| member.join.is_parked())
    }

    /// Is a request from this member, and no other holder of the instance id? [ClassicGroup.validateMember]
    pub(super) fn validate(&self, member: &str, instance: Option<&Rc<str>>) -> Result<(), ErrorCode> {
        if let Some(instance) = instance {
            match self.statics.get(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(holder) if **holder != *member => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        match self.members.contains_key(member) {
            true => Ok(()),
            false => Err(ErrorCode::UnknownMemberId),
        }
    }

    /// May a member with these protocols come in? [ClassicGroup.supportsProtocols]
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[(Rc<str>, Rc<Subscription>)]) -> bool {
        if self.state == ClassicState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type) && protocols.iter().any(|(name, _)| self.all_support(name))
    }

    fn all_support(&self, protocol: &str) -> bool {
        self.members.values().all(|member| member.supports(protocol))
    }

    /// Among the protocols that all support each member votes for its first; where Kafka leaves a tie to a hash map's
    /// order, the smallest name wins here. [ClassicGroup.selectProtocol]
    pub(super) fn select_protocol(&self) -> Option<Rc<str>> {
        let mut votes: OrderedMap<&Rc<str>, usize> = OrderedMap::new();
        for member in self.members.values() {
            let choice = member.protocols.iter().find(|(name, _)| self.all_support(name));
            if let Some((name, _)) = choice {
                *votes.entry(name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        let winner = votes.into_iter().find(|(_, count)| *count == most);
        winner.map(|(name, _)| name.clone())
    }

    /// [ClassicGroup.computeSubscribedTopics]
    pub(super) fn compute_subscribed(&self) -> Option<Rc<OrderedSet<Rc<str>>>> {
        if !self.is_consumer() || (self.protocol.is_none() && !self.members.is_empty()) {
            return None;
        }
        let subscriptions = self.members.values().map(|m| m.subscription(self.protocol.as_ref()));
        Some(Rc::new(subscriptions.flat_map(|s| s.topics.clone()).collect()))
    }

    /// [ClassicGroup.isSubscribedToTopic]
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer(),
        }
    }

    /// What the leader is told. [ClassicGroup.currentClassicGroupMembers]
    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        let members = self.members.values().map(|member| JoinedMember {
            member_id: member.id.clone(),
            instance_id: member.instance.clone(),
            subscription: member.subscription(self.protocol.as_ref()),
        });
        members.collect()
    }

    /// Puts a member in; the first one leads. [ClassicGroup.add]
    pub(super) fn insert(&mut self, member: ClassicMember) {
        if let Some(instance) = &member.instance {
            self.statics.insert(instance.clone(), member.id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.pending_joins.remove(&member.id);
        self.members.insert(member.id.clone(), member);
    }

    /// Takes a member or a pending one out; if it led, another one leads: the first by its id, where Kafka takes the
    /// first of a hash map. [ClassicGroup.remove]
    pub(super) fn remove(&mut self, id: &str) -> Option<ClassicMember> {
        let removed = self.members.remove(id);
        if let Some(instance) = removed.as_ref().and_then(|member| member.instance.as_ref()) {
            self.statics.remove(instance);
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_joins.remove(id);
        self.pending_syncs.remove(id);
        removed
    }

    /// A leader that has rejoined: if the old one did not, the first who did. [ClassicGroup.maybeElectNewJoinedLeader]
    pub(super) fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = self.leader.as_ref().and_then(|id| self.members.get(id)) else {
            return false;
        };
        if leader.join.is_parked() {
            return true;
        }
        let joined = self.members.values().find(|member| member.join.is_parked());
        match joined.map(|member| member.id.clone()) {
            Some(id) => {
                self.leader = Some(id);
                true
            }
            None => false,
        }
    }
}
