//! SyncGroup: the leader's assignment on its way to the log and to the members.
//! [GroupMetadataManager.classicGroupSyncToClassicGroup]

use super::ClassicState;
use super::work::{Work, sync_error};
use crate::kafka::groups::effects::ReplyTo;
use crate::kafka::groups::note::{GroupNote, Reason};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::shard::Then;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{SyncGroupRequest, SyncGroupResponse};
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Who gets what, by member id.
pub(in crate::kafka::groups) type Assignments = OrderedMap<Rc<str>, Rc<[NamedPartition]>>;

/// An assignment that is on its way to the log.
#[derive(Clone, Debug)]
pub(in crate::kafka::groups) struct Assigned {
    pub group: Rc<str>,
    /// The leader's request.
    pub to: ReplyTo,
    generation: i32,
    assignments: Assignments,
}

impl Work<'_, '_> {
    /// A SyncGroup: parked until the assignment is written, or answered at once. Gives what is to happen when its write
    /// is through, or fails.
    pub(in crate::kafka::groups) fn sync(&mut self, request: &SyncGroupRequest, to: ReplyTo) -> Then {
        if let Err(error) = self.check_sync(request) {
            self.moment.reply(to, sync_error(error));
            return Then::Nothing;
        }
        let id = &request.member_id;
        self.group.pending_syncs.remove(id);
        if self.group.pending_syncs.is_empty() {
            self.cancel(&self.sync_key());
        }
        if self.group.state == ClassicState::Stable {
            let assignment = self.group.members.get(id).map(|member| member.assignment.clone());
            let response = self.assigned(assignment.unwrap_or_default());
            self.moment.reply(to, response);
            return Then::Nothing;
        }
        if let Some(member) = self.group.members.get_mut(id) {
            member.sync = super::Parked::For(to);
        }
        if self.group.is_leader(id) {
            return self.store_assignment(request, to);
        }
        Then::Sync {
            group: self.group.id.clone(),
            to,
        }
    }

    fn check_sync(&self, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
        let group = &self.group;
        if group.state == ClassicState::Empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        group.validate(&request.member_id, request.instance_id.as_ref())?;
        let differs = |said: &Option<Rc<str>>, is: &Option<Rc<str>>| said.is_some() && said != is;
        if request.generation != group.generation {
            Err(ErrorCode::IllegalGeneration)
        } else if differs(&request.protocol_type, &group.protocol_type) || differs(&request.protocol, &group.protocol) {
            Err(ErrorCode::InconsistentGroupProtocol)
        } else if group.state == ClassicState::PreparingRebalance {
            Err(ErrorCode::RebalanceInProgress)
        } else {
            Ok(())
        }
    }

    /// Writes the leader's assignment; a member that it left out gets nothing.
    fn store_assignment(&mut self, request: &SyncGroupRequest, to: ReplyTo) -> Then {
        let assignments: Assignments = request.assignments.iter().cloned().collect();
        let of = |id: &Rc<str>| assignments.get(id).cloned().unwrap_or_default();
        let value = self.group.to_record(|member| of(&member.id));
        let group = self.group.id.clone();
        self.records.push(GroupRecord::Group {
            group: group.clone(),
            value: Some(value),
        });
        Then::Assigned(Box::new(Assigned {
            group,
            to,
            generation: request.generation,
            assignments,
        }))
    }

    fn assigned(&self, assignment: Rc<[NamedPartition]>) -> SyncGroupResponse {
        SyncGroupResponse {
            error: ErrorCode::None,
            protocol: self.group.protocol.clone(),
            assignment,
        }
    }

    /// Is it still what the group waits for? A rebalance may have begun meanwhile.
    fn awaits(&self, assigned: &Assigned) -> bool {
        self.group.state == ClassicState::CompletingRebalance && self.group.generation == assigned.generation
    }

    /// The assignment is written and covered by the high watermark: everybody gets its part, the group is Stable.
    pub(in crate::kafka::groups) fn assignment_stored(&mut self, assigned: &Assigned) {
        if !self.awaits(assigned) {
            return;
        }
        for member in self.group.members.values_mut() {
            member.assignment = assigned.assignments.get(&member.id).cloned().unwrap_or_default();
        }
        let protocol = self.group.protocol.clone();
        self.propagate(|member| SyncGroupResponse {
            error: ErrorCode::None,
            protocol: protocol.clone(),
            assignment: member.assignment.clone(),
        });
        self.moment.note(GroupNote::AssignmentStored {
            group: self.group.id.clone(),
            generation: self.group.generation,
        });
        self.transition(ClassicState::Stable);
    }

    /// It could not be written: everybody is told so and rejoins.
    pub(in crate::kafka::groups) fn assignment_lost(&mut self, assigned: &Assigned, error: ErrorCode) {
        if self.awaits(assigned) {
            self.reset_assignments(error);
            self.prepare_rebalance(Reason::AssignmentNotStored(error));
        }
        self.fail_sync(assigned.to, error);
    }
}
