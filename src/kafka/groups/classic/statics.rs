//! Static members (KIP-345): a member that comes without a member id but with a known `group.instance.id` takes the old
//! one's seat. [GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin, ClassicGroup.replaceStaticMember]

use super::join::update;
use super::work::{Work, answer, join_error, sync_error};
use super::{ClassicMember, ClassicState, Parked, Protocols};
use crate::kafka::groups::effects::ReplyTo;
use crate::kafka::groups::note::{GroupNote, Reason};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::shard::Then;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{JoinGroupRequest, JoinGroupResponse};
use std::rc::Rc;

/// What it takes to undo a replacement whose record could not be written.
#[derive(Clone, Debug)]
pub(in crate::kafka::groups) struct Replaced {
    pub group: Rc<str>,
    pub to: ReplyTo,
    instance: Rc<str>,
    old_id: Rc<str>,
    new_id: Rc<str>,
    protocols: Protocols,
    rebalance_timeout_ms: i32,
    session_timeout_ms: i32,
    leader: Rc<str>,
}

impl Work<'_, '_> {
    /// A static member without member id: a new one, or the next holder of a seat.
    pub(super) fn join_static(
        &mut self,
        request: &JoinGroupRequest,
        instance: &Rc<str>,
        client: &str,
        to: ReplyTo,
    ) -> Option<Then> {
        let new_id = self.new_id(instance);
        match self.group.statics.get(instance).cloned() {
            Some(old_id) => self.replace_and_rebalance(request, instance, old_id, new_id, to),
            None => {
                self.add_member(request, new_id, client, to);
                None
            }
        }
    }

    fn replace_and_rebalance(
        &mut self,
        request: &JoinGroupRequest,
        instance: &Rc<str>,
        old_id: Rc<str>,
        new_id: Rc<str>,
        to: ReplyTo,
    ) -> Option<Then> {
        let leader = self.group.leader.clone().unwrap_or_default();
        self.replace(instance, &old_id, &new_id);
        self.restart_session(&new_id);
        let member = self.group.members.get_mut(&new_id)?;
        let undo = Replaced {
            group: self.group.id.clone(),
            to,
            instance: instance.clone(),
            old_id,
            new_id: new_id.clone(),
            protocols: member.protocols.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            leader,
        };
        update(member, request, Parked::For(to));
        match self.group.state {
            ClassicState::Stable if self.group.protocol == self.group.select_protocol() => {
                let value = self.group.to_record(|member| member.assignment.clone());
                let group = self.group.id.clone();
                self.records.push(GroupRecord::Group {
                    group,
                    value: Some(value),
                });
                return Some(Then::StaticReplaced(Box::new(undo)));
            }
            ClassicState::Stable => self.prepare_rebalance(Reason::ProtocolChanges(new_id)),
            // The leader may have been told of the old id already: an assignment for it would reach nobody.
            ClassicState::CompletingRebalance => self.prepare_rebalance(Reason::StaticReplaced(new_id)),
            ClassicState::PreparingRebalance | ClassicState::Empty => self.maybe_complete_join(),
        }
        None
    }

    /// The new id takes the seat with everything on it; whoever still waits under the old one is fenced.
    fn replace(&mut self, instance: &Rc<str>, old_id: &Rc<str>, new_id: &Rc<str>) {
        let Some(mut member) = self.group.members.remove(old_id) else {
            return;
        };
        let fenced = join_error(old_id, ErrorCode::FencedInstanceId);
        answer(self.moment, &mut member.join, fenced);
        answer(self.moment, &mut member.sync, sync_error(ErrorCode::FencedInstanceId));
        self.moment.note(GroupNote::StaticReplaced {
            group: self.group.id.clone(),
            instance: instance.clone(),
            old: old_id.clone(),
            new: new_id.clone(),
        });
        if self.group.is_leader(old_id) {
            self.group.leader = Some(new_id.clone());
        }
        self.group.statics.insert(instance.clone(), new_id.clone());
        let seat = ClassicMember {
            id: new_id.clone(),
            is_new: false,
            ..member
        };
        self.group.members.insert(new_id.clone(), seat);
    }

    /// The record with the new id is written: the member is told of the generation that goes on. A leader is told not to
    /// assign anew.
    pub(in crate::kafka::groups) fn static_replaced(&mut self, done: &Replaced) {
        let response = JoinGroupResponse {
            skip_assignment: self.group.is_leader(&done.new_id),
            ..self.current_generation(&done.new_id)
        };
        self.complete_join(&done.new_id, response);
    }

    /// It could not be written: the old id has its seat back.
    pub(in crate::kafka::groups) fn static_not_replaced(&mut self, undo: &Replaced, error: ErrorCode) {
        let seat = self.group.statics.get(&undo.instance);
        if seat == Some(&undo.new_id)
            && let Some(member) = self.group.members.get_mut(&undo.new_id)
        {
            let waits = std::mem::take(&mut member.join) == Parked::For(undo.to);
            member.protocols = undo.protocols.clone();
            member.rebalance_timeout_ms = undo.rebalance_timeout_ms;
            member.session_timeout_ms = undo.session_timeout_ms;
            self.replace(&undo.instance, &undo.new_id, &undo.old_id);
            self.restart_session(&undo.old_id);
            if waits {
                let response = JoinGroupResponse {
                    generation: self.group.generation,
                    protocol: self.group.protocol.clone(),
                    leader: undo.leader.clone(),
                    ..join_error(&"".into(), error)
                };
                self.moment.reply(undo.to, response);
            }
        }
    }
}
