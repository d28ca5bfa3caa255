//! What there is to see of groups from outside: for the page, the traces and the tests.

use super::classic::ClassicGroup;
use super::group::{Group, GroupState};
use super::modern::ModernGroup;
use super::modern::member::ModernMember;
use super::modern::records::Partitions;
use super::records::StoredOffset;
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// Which protocol a group runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupType {
    Classic,
    Consumer,
    Share,
}

impl GroupType {
    /// As clients see it: `Classic`.
    pub fn name(self) -> &'static str {
        match self {
            GroupType::Classic => "Classic",
            GroupType::Consumer => "Consumer",
            GroupType::Share => "Share",
        }
    }
}

/// A group as its coordinator has it, written or not.
#[derive(Clone, Debug)]
pub struct GroupView<'a> {
    pub id: &'a Rc<str>,
    pub kind: GroupType,
    pub state: GroupState,
    /// Generation of a classic group, group epoch of another.
    pub generation: i32,
    /// The group epoch that the target was computed for; `None`: a classic group.
    pub assignment_epoch: Option<i32>,
    /// `None`: offsets without members.
    pub protocol_type: Option<Rc<str>>,
    pub assignor: Option<Rc<str>>,
    /// Member id of the leader.
    pub leader: Option<&'a Rc<str>>,
    /// By member id.
    pub members: Vec<MemberView<'a>>,
    /// Ids that were given out and not joined with yet.
    pub pending: Vec<&'a Rc<str>>,
    /// Committed offsets by partition.
    pub offsets: Vec<(&'a NamedPartition, &'a StoredOffset)>,
}

/// A member of a group.
#[derive(Clone, Debug)]
pub struct MemberView<'a> {
    pub id: &'a Rc<str>,
    pub client_id: &'a Rc<str>,
    pub instance: Option<&'a Rc<str>>,
    /// ms
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Of the last generation that was Stable, until the next one is; empty in a group that is not a classic one.
    pub assignment: &'a [NamedPartition],
    /// Its JoinGroup or SyncGroup waits for an answer.
    pub waits: bool,
    /// In a group that is not a classic one.
    pub modern: Option<ModernView<'a>>,
}

/// What a member of a consumer or share group has besides.
#[derive(Clone, Debug)]
pub struct ModernView<'a> {
    /// Epochs, state, what it has and is to give up, topics, pattern.
    pub member: &'a ModernMember,
    pub target: Partitions,
}

impl<'a> GroupView<'a> {
    pub(super) fn of(
        group: &'a Group,
        default: Option<&Rc<str>>,
        offsets: Option<&'a super::store::Offsets>,
    ) -> GroupView<'a> {
        match group {
            Group::Classic(group) => GroupView::of_classic(group, offsets),
            Group::Modern(modern) => GroupView::of_modern(modern, group.protocol_type(), default, offsets),
        }
    }

    fn of_modern(
        group: &'a ModernGroup,
        protocol_type: Rc<str>,
        default: Option<&Rc<str>>,
        offsets: Option<&'a super::store::Offsets>,
    ) -> GroupView<'a> {
        let members = || group.members.values().map(|member| &**member);
        let view = |member: &'a ModernMember| MemberView {
            id: &member.id,
            client_id: &member.details.client_id,
            instance: member.details.instance.as_ref(),
            session_timeout_ms: member
                .details
                .classic
                .as_ref()
                .map_or(0, |classic| classic.session_timeout_ms),
            rebalance_timeout_ms: member.details.rebalance_timeout_ms,
            assignment: &[],
            waits: false,
            modern: Some(ModernView {
                member,
                target: group.target(&member.id),
            }),
        };
        GroupView {
            id: &group.id,
            kind: group.kind,
            state: GroupState::Modern(group.state()),
            generation: group.epoch,
            assignment_epoch: Some(group.assignment_epoch),
            protocol_type: Some(protocol_type),
            assignor: match group.kind {
                GroupType::Share => Some(super::share::ASSIGNOR.into()),
                GroupType::Classic | GroupType::Consumer => ModernGroup::assignor(members(), default),
            },
            leader: None,
            members: members().map(view).collect(),
            pending: Vec::new(),
            offsets: offsets.into_iter().flatten().collect(),
        }
    }

    fn of_classic(group: &'a ClassicGroup, offsets: Option<&'a super::store::Offsets>) -> GroupView<'a> {
        let members = group.members.values().map(|member| MemberView {
            id: &member.id,
            client_id: &member.client_id,
            instance: member.instance.as_ref(),
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            assignment: &member.assignment,
            waits: member.join.is_parked() || member.sync.is_parked(),
            modern: None,
        });
        GroupView {
            id: &group.id,
            kind: GroupType::Classic,
            state: GroupState::Classic(group.state()),
            generation: group.generation,
            assignment_epoch: None,
            protocol_type: group.protocol_type.clone(),
            assignor: group.protocol.clone(),
            leader: group.leader.as_ref(),
            members: members.collect(),
            pending: group.pending_members().collect(),
            offsets: offsets.into_iter().flatten().collect(),
        }
    }
}
