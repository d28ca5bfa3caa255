//! What there is to see of groups from outside: for the page, the traces and the tests.

use super::classic::{ClassicGroup, ClassicState};
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
    pub state: ClassicState,
    /// Generation of a classic group.
    pub generation: i32,
    /// `None`: offsets without members.
    pub protocol_type: Option<&'a Rc<str>>,
    pub assignor: Option<&'a Rc<str>>,
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
    /// Of the last generation that was Stable, until the next one is.
    pub assignment: &'a [NamedPartition],
    /// Its JoinGroup or SyncGroup waits for an answer.
    pub waits: bool,
}

impl<'a> GroupView<'a> {
    pub(super) fn of(group: &'a ClassicGroup, offsets: Option<&'a super::store::Offsets>) -> GroupView<'a> {
        let members = group.members.values().map(|member| MemberView {
            id: &member.id,
            client_id: &member.client_id,
            instance: member.instance.as_ref(),
            session_timeout_ms: member.session_timeout_ms,
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            assignment: &member.assignment,
            waits: member.join.is_parked() || member.sync.is_parked(),
        });
        GroupView {
            id: &group.id,
            kind: GroupType::Classic,
            state: group.state(),
            generation: group.generation,
            protocol_type: group.protocol_type.as_ref(),
            assignor: group.protocol.as_ref(),
            leader: group.leader.as_ref(),
            members: members.collect(),
            pending: group.pending_members().collect(),
            offsets: offsets.into_iter().flatten().collect(),
        }
    }
}
