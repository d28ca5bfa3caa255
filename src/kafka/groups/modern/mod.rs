//! Groups of the newer protocols: the coordinator alone decides who gets what (the *target*), and brings each member there
//! on its own, step by step, by the answers to its heartbeats. [ModernGroup, ConsumerGroup, ConsumerGroupMember]
//!
//! Three epochs tell how far the group is. The *group epoch* grows whenever something changes that the target depends on;
//! the *assignment epoch* is the group epoch that the target was computed for; a *member epoch* is the assignment epoch
//! that the member has reached. State is only changed by [`replay`](ModernGroup::replay) of records, so that a new
//! coordinator gets to the same.
//!
//! [`heartbeat`]: a member's only request; [`reconcile`]: its next step towards its target; [`target`]: the assignor's turn;
//! [`leave`]: who goes, and time-outs; [`regex`]: subscriptions by a pattern that the coordinator resolves; [`classic`] and
//! [`convert`]: members that speak the classic protocol.

pub(super) mod classic;
pub(super) mod convert;
pub(super) mod describe;
pub(super) mod heartbeat;
pub(super) mod leave;
pub mod member;
pub mod note;
pub(super) mod reconcile;
pub mod records;
pub(super) mod regex;
pub mod rules;
pub(super) mod subscriptions;
pub(super) mod target;

use super::share::topics::ShareTopics;
use super::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::TopicPartition;
use crate::ordered::OrderedMap;
use member::{Current, Details, MemberState, ModernMember};
use records::{ModernRecord, Partitions, Resolved};
use std::fmt;
use std::rc::Rc;
use subscriptions::Subscriptions;

/// Where the group stands. [ConsumerGroup.ConsumerGroupState]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModernState {
    /// No members.
    Empty,
    /// The target is older than the group: the next heartbeat after the assignment interval computes it.
    Assigning,
    /// Some member is not there yet.
    Reconciling,
    /// Every member has its target.
    Stable,
}

impl ModernState {
    /// As clients see it: `Reconciling`.
    pub fn name(self) -> &'static str {
        match self {
            ModernState::Empty => "Empty",
            ModernState::Assigning => "Assigning",
            ModernState::Reconciling => "Reconciling",
            ModernState::Stable => "Stable",
        }
    }
}

impl fmt::Display for ModernState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An error with its text, as the coordinator answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kafka::groups) struct Refusal {
    pub error: ErrorCode,
    pub message: Rc<str>,
}

impl Refusal {
    pub fn of(error: ErrorCode, message: &str) -> Refusal {
        Refusal {
            error,
            message: message.into(),
        }
    }
}

/// A consumer or share group.
#[derive(Clone, Debug)]
pub struct ModernGroup {
    pub id: Rc<str>,
    pub kind: GroupType,
    /// Group epoch: 1 before anybody has joined.
    pub epoch: i32,
    /// Of the topics that members subscribe to, as they were when the group epoch last grew.
    pub metadata_hash: u64,
    /// The group epoch that the target was computed for.
    pub assignment_epoch: i32,
    /// When it was computed, ms since 1970; 0: never.
    pub assignment_ms: i64,
    /// By member id.
    pub members: OrderedMap<Rc<str>, Rc<ModernMember>>,
    pub targets: OrderedMap<Rc<str>, Partitions>,
    /// Member ids by `group.instance.id`.
    pub statics: OrderedMap<Rc<str>, Rc<str>>,
    /// Of a share group: whose state is initialized.
    pub share: Rc<ShareTopics>,
    /// Patterns whose topics are known.
    pub regexes: OrderedMap<Rc<str>, Rc<Resolved>>,
    /// Partitions that some member has or is to give up, with the epoch of that member. [currentPartitionEpoch]
    owned: OrderedMap<TopicPartition, i32>,
}

impl ModernGroup {
    /// A group that nobody has joined.
    pub(super) fn new(id: Rc<str>, kind: GroupType) -> ModernGroup {
        ModernGroup {
            id,
            kind,
            epoch: 1,
            metadata_hash: 0,
            assignment_epoch: 0,
            assignment_ms: 0,
            members: OrderedMap::new(),
            targets: OrderedMap::new(),
            statics: OrderedMap::new(),
            share: Rc::default(),
            regexes: OrderedMap::new(),
            owned: OrderedMap::new(),
        }
    }

    /// Applies a record; false: that was the end of the group. [GroupMetadataManager.replay]
    pub(super) fn replay(&mut self, record: &ModernRecord) -> bool {
        match record {
            ModernRecord::Epoch(Some((epoch, hash))) => {
                self.epoch = *epoch;
                self.metadata_hash = *hash;
            }
            ModernRecord::Epoch(None) => return false,
            ModernRecord::Member(id, Some(details)) => {
                let mut member = self.member_or_new(id);
                member.details = details.clone();
                self.put(member);
            }
            ModernRecord::Member(id, None) => self.remove(id),
            ModernRecord::TargetEpoch(value) => {
                (self.assignment_epoch, self.assignment_ms) = value.unwrap_or((-1, 0));
            }
            ModernRecord::Target(id, Some(target)) => {
                self.targets.insert(id.clone(), target.clone());
            }
            ModernRecord::Target(id, None) => {
                self.targets.remove(id);
            }
            ModernRecord::Current(id, Some(current)) => {
                let mut member = self.member_or_new(id);
                member.current = (**current).clone();
                self.put(member);
            }
            ModernRecord::Current(id, None) => {
                if let Some(member) = self.members.get(id) {
                    let gone = ModernMember {
                        current: Current::gone(member.current.state),
                        ..(**member).clone()
                    };
                    self.put(gone);
                }
            }
            ModernRecord::Regex(regex, Some(resolved)) => {
                self.regexes.insert(regex.clone(), resolved.clone());
            }
            ModernRecord::Regex(regex, None) => {
                self.regexes.remove(regex);
            }
            ModernRecord::ShareTopics(topics) => self.share = topics.clone().unwrap_or_default(),
        }
        true
    }

    fn member_or_new(&self, id: &Rc<str>) -> ModernMember {
        let there = self.members.get(id).map(|member| (**member).clone());
        there.unwrap_or_else(|| ModernMember::new(id.clone()))
    }

    /// [ConsumerGroup.updateMember]
    fn put(&mut self, member: ModernMember) {
        if let Some(old) = self.members.get(&member.id).cloned() {
            self.release(&old);
        }
        if let Some(instance) = &member.details.instance {
            self.statics.insert(instance.clone(), member.id.clone());
        }
        for partition in member.current.holds() {
            let epoch = self.owned.entry(partition).or_insert(member.current.epoch);
            *epoch = member.current.epoch.max(*epoch);
        }
        self.members.insert(member.id.clone(), Rc::new(member));
    }

    fn remove(&mut self, id: &Rc<str>) {
        let Some(old) = self.members.remove(id) else { return };
        self.release(&old);
        if let Some(instance) = &old.details.instance
            && self.statics.get(instance) == Some(id)
        {
            self.statics.remove(instance);
        }
    }

    /// What a member holds is free, unless another one took it over in another epoch. [removePartitionEpochs]
    fn release(&mut self, member: &ModernMember) {
        for partition in member.current.holds() {
            if self.owned.get(&partition) == Some(&member.current.epoch) {
                self.owned.remove(&partition);
            }
        }
    }

    /// Does no member have the partition, or is to give it up?
    pub fn is_free(&self, partition: TopicPartition) -> bool {
        !self.owned.contains_key(&partition)
    }

    /// The target of a member; nothing if there is none.
    pub fn target(&self, member: &str) -> Partitions {
        self.targets.get(member).cloned().unwrap_or_default()
    }

    /// The holder of an instance id.
    pub fn static_member(&self, instance: &str) -> Option<&Rc<ModernMember>> {
        self.members.get(self.statics.get(instance)?)
    }

    pub fn state(&self) -> ModernState {
        let reached = |member: &Rc<ModernMember>| member.is_reconciled_to(self.assignment_epoch);
        if self.members.is_empty() {
            ModernState::Empty
        } else if self.kind == GroupType::Share {
            ModernState::Stable
        } else if self.epoch > self.assignment_epoch {
            ModernState::Assigning
        } else if self.members.values().all(reached) {
            ModernState::Stable
        } else {
            ModernState::Reconciling
        }
    }

    pub(super) fn subscriptions(&self) -> Subscriptions {
        Subscriptions::of(self.members.values().map(|member| &**member), &self.regexes)
    }

    /// [ModernGroup.isSubscribedToTopic]
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        let by_name = |member: &Rc<ModernMember>| member.details.topics.contains(topic);
        let by_regex = |resolved: &Rc<Resolved>| resolved.topics.contains(topic);
        self.members.values().any(by_name) || self.regexes.values().any(by_regex)
    }

    /// The assignor that most members want; the first of `group.consumer.assignors` if none is wanted. Where Kafka leaves
    /// a tie to a hash map's order, the last name wins here. [ConsumerGroup.preferredServerAssignor]
    pub(super) fn assignor<'a>(
        members: impl Iterator<Item = &'a ModernMember>,
        default: Option<&Rc<str>>,
    ) -> Option<Rc<str>> {
        let mut votes: OrderedMap<&Rc<str>, usize> = OrderedMap::new();
        for name in members.filter_map(|member| member.details.assignor.as_ref()) {
            *votes.entry(name).or_default() += 1;
        }
        let winner = votes.into_iter().max_by_key(|(_, count)| *count);
        winner.map(|(name, _)| name.clone()).or_else(|| default.cloned())
    }

    /// How many members speak the classic protocol.
    pub(super) fn classic_members(&self) -> usize {
        self.members.values().filter(|member| member.is_classic()).count()
    }
}

/// What a member's details are before it has said anything.
pub(super) fn no_details() -> Rc<Details> {
    Rc::new(Details::default())
}

/// Where a new member stands.
pub(super) fn start() -> Current {
    Current {
        epoch: 0,
        previous: -1,
        state: MemberState::Stable,
        assigned: Rc::default(),
        pending: Rc::default(),
    }
}
