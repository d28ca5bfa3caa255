//! Heartbeats, leaving, and members that are not heard of. [GroupMetadataManager.classicGroupHeartbeatToClassicGroup,
//! classicGroupLeaveToClassicGroup, expireClassicGroupMemberHeartbeat]

use super::ClassicState;
use super::work::{Work, join_error};
use crate::kafka::groups::note::{Departure, GroupNote, Reason};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{HeartbeatRequest, LeaveGroupRequest, LeaveGroupResponse, OffsetCommitRequest};
use crate::kafka::protocol::transactions::TxnOffsetCommitRequest;
use std::rc::Rc;

impl Work<'_, '_> {
    /// What a heartbeat is answered with.
    ///
    /// # Errors
    /// The member or its generation is not the group's: answered at once, without waiting for earlier writes.
    pub(in crate::kafka::groups) fn heartbeat(&mut self, request: &HeartbeatRequest) -> Result<ErrorCode, ErrorCode> {
        self.group.validate(&request.member_id, request.instance_id.as_ref())?;
        if request.generation != self.group.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if self.group.state == ClassicState::Empty {
            return Ok(ErrorCode::UnknownMemberId);
        }
        self.restart_session(&request.member_id);
        Ok(match self.group.state {
            ClassicState::PreparingRebalance => ErrorCode::RebalanceInProgress,
            _ => ErrorCode::None,
        })
    }

    /// May these offsets be committed? An accepted commit keeps the member's session alive.
    /// [ClassicGroup.validateOffsetCommit]
    pub(in crate::kafka::groups) fn check_commit(&mut self, request: &OffsetCommitRequest) -> Result<(), ErrorCode> {
        let empty = self.group.state == ClassicState::Empty;
        if request.generation < 0 && empty {
            return Ok(());
        }
        let anonymous = request.member_id.is_empty() && request.instance_id.is_none();
        if request.generation >= 0 || !anonymous {
            self.group.validate(&request.member_id, request.instance_id.as_ref())?;
            if request.generation != self.group.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else {
            return Err(ErrorCode::UnknownMemberId);
        }
        if self.group.state == ClassicState::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        self.restart_session(&request.member_id);
        Ok(())
    }

    /// Offsets of a transaction: only a member that says it is one is checked. [ClassicGroup.validateOffsetCommit]
    pub(in crate::kafka::groups) fn check_txn_commit(
        &mut self,
        request: &TxnOffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        let anonymous = request.member_id.is_empty() && request.instance.is_none();
        if request.generation >= 0 || !anonymous {
            self.group.validate(&request.member_id, request.instance.as_ref())?;
            if request.generation != self.group.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        }
        Ok(())
    }

    /// Members leave, or an operator takes static ones out; then the rest rebalances.
    pub(in crate::kafka::groups) fn leave(&mut self, request: &LeaveGroupRequest) -> LeaveGroupResponse {
        let mut members = Vec::with_capacity(request.members.len());
        let mut left = None;
        for (id, instance) in &request.members {
            let error = match self.leaves(id, instance.as_ref()) {
                Ok(member) => {
                    left = Some(member);
                    ErrorCode::None
                }
                Err(error) => error,
            };
            members.push((id.clone(), instance.clone(), error));
        }
        match (left, self.group.state) {
            (Some(member), ClassicState::Stable | ClassicState::CompletingRebalance) => {
                self.prepare_rebalance(Reason::MemberLeft(member));
            }
            (Some(_), ClassicState::PreparingRebalance) => self.maybe_complete_join(),
            _ => {}
        }
        LeaveGroupResponse {
            error: ErrorCode::None,
            members,
        }
    }

    /// One member leaves; its member id.
    fn leaves(&mut self, id: &Rc<str>, instance: Option<&Rc<str>>) -> Result<Rc<str>, ErrorCode> {
        let (id, why) = if id.is_empty() {
            let holder = instance.and_then(|instance| self.group.statics.get(instance));
            (holder.cloned().ok_or(ErrorCode::UnknownMemberId)?, Departure::TakenOut)
        } else if self.group.pending_joins.contains(id) {
            (id.clone(), Departure::Left)
        } else {
            self.group.validate(id, instance)?;
            (id.clone(), Departure::Left)
        };
        self.cancel(&self.session_key(&id));
        self.remove_member(&id, why);
        Ok(id)
    }

    /// Takes a member out; a JoinGroup of it that is parked is answered, so that it comes again if it is still there.
    fn remove_member(&mut self, id: &Rc<str>, why: Departure) {
        self.complete_join(id, join_error(&"".into(), ErrorCode::UnknownMemberId));
        self.group.remove(id);
        self.moment.note(GroupNote::MemberRemoved {
            group: self.group.id.clone(),
            member: id.clone(),
            why,
        });
    }

    /// A session is over: the member goes, unless the group owes it an answer.
    pub(in crate::kafka::groups) fn session_timer(&mut self, id: &Rc<str>) {
        if self.group.pending_joins.contains(id) {
            self.remove_member(id, Departure::NeverCameBack);
            self.complete_join_without();
            return;
        }
        let Some(member) = self.group.members.get(id) else {
            return;
        };
        if member.has_satisfied_heartbeat() {
            return;
        }
        let timeout_ms = member.session_timeout_ms;
        self.remove_member(id, Departure::SessionExpired { timeout_ms });
        match self.group.state {
            ClassicState::Stable | ClassicState::CompletingRebalance => {
                self.prepare_rebalance(Reason::SessionExpired(id.clone()));
            }
            _ => self.complete_join_without(),
        }
    }
}
