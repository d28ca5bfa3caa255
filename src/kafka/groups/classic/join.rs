//! JoinGroup. [GroupMetadataManager.classicGroupJoinToClassicGroup]

use super::work::{Work, join_error};
use super::{ClassicMember, ClassicState, Parked};
use crate::kafka::groups::effects::ReplyTo;
use crate::kafka::groups::note::{GroupNote, Reason};
use crate::kafka::groups::shard::Then;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::JoinGroupRequest;
use std::rc::Rc;

impl Work<'_, '_> {
    /// A JoinGroup: it is answered at once, or when the join phase ends. Gives what is to happen when its write is
    /// through, or fails.
    pub(in crate::kafka::groups) fn join(&mut self, request: &JoinGroupRequest, client: &str, to: ReplyTo) -> Then {
        let known = !request.member_id.is_empty();
        if !self.accepts(&request.member_id) {
            self.group.remove(&request.member_id);
            self.refuse(&"".into(), ErrorCode::GroupMaxSizeReached, to);
            return Then::Nothing;
        }
        if !self.group.supports(&request.protocol_type, &request.protocols) {
            self.refuse(&request.member_id, ErrorCode::InconsistentGroupProtocol, to);
            return Then::Nothing;
        }
        let then = match (known, &request.instance_id) {
            (true, _) => {
                self.join_known(request, client, to);
                None
            }
            (false, Some(instance)) => self.join_static(request, instance, client, to),
            (false, None) => {
                self.hand_out_id(request, client, to);
                None
            }
        };
        let waits = self.group.members.values().any(|m| m.join == Parked::For(to));
        then.unwrap_or_else(|| match waits {
            true => Then::Join {
                group: self.group.id.clone(),
                to,
            },
            false => Then::Nothing,
        })
    }

    fn refuse(&mut self, member: &Rc<str>, error: ErrorCode, to: ReplyTo) {
        self.moment.note(GroupNote::JoinRefused {
            group: self.group.id.clone(),
            member: member.clone(),
            error,
        });
        self.moment.reply(to, join_error(member, error));
    }

    /// Is there room under `group.max.size`? While members rejoin, those who did are counted, so that the last ones are
    /// turned away. [GroupMetadataManager.acceptJoiningMember]
    fn accepts(&self, member: &str) -> bool {
        let max = self.moment.settings.max_size;
        let there = self.group.members.get(member);
        match self.group.state {
            ClassicState::Empty => true,
            ClassicState::PreparingRebalance => {
                there.is_some_and(|member| member.join.is_parked()) || self.group.joins_parked() < max
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                there.is_some() || self.group.members.len() < max
            }
        }
    }

    /// A dynamic member gets its id first and comes again with it (KIP-394). [classicGroupJoinNewDynamicMember]
    fn hand_out_id(&mut self, request: &JoinGroupRequest, client: &str, to: ReplyTo) {
        let member = self.new_id(client);
        self.group.pending_joins.insert(member.clone());
        let key = self.session_key(&member);
        self.schedule(key, i64::from(request.session_timeout_ms));
        self.moment.note(GroupNote::MemberIdGiven {
            group: self.group.id.clone(),
            member: member.clone(),
        });
        self.moment.reply(to, join_error(&member, ErrorCode::MemberIdRequired));
    }

    /// `<clientId>-<uuid>`, or `<instanceId>-<uuid>`. [ClassicGroup.generateMemberId]
    pub(super) fn new_id(&mut self, prefix: &str) -> Rc<str> {
        format!("{prefix}-{}", self.moment.new_uuid()).into()
    }

    /// A member that comes with its id. [classicGroupJoinExistingMember]
    fn join_known(&mut self, request: &JoinGroupRequest, client: &str, to: ReplyTo) {
        let id = &request.member_id;
        if self.group.pending_joins.contains(id) {
            if request.instance_id.is_some() {
                // Only dynamic members are pending; Kafka fails here with an IllegalStateException.
                self.refuse(id, ErrorCode::UnknownServerError, to);
            } else {
                self.add_member(request, id.clone(), client, to);
            }
            return;
        }
        if let Err(error) = self.group.validate(id, request.instance_id.as_ref()) {
            self.refuse(id, error, to);
            return;
        }
        let same = (self.group.members.get(id)).is_some_and(|member| *member.protocols == *request.protocols);
        let leader = self.group.is_leader(id);
        match self.group.state {
            ClassicState::PreparingRebalance => {
                self.update_and_rebalance(request, Reason::MemberRejoined(id.clone()), to)
            }
            ClassicState::CompletingRebalance if same => {
                let response = self.current_generation(id);
                self.moment.reply(to, response);
            }
            ClassicState::Stable if same && !leader => {
                let response = self.current_generation(id);
                self.moment.reply(to, response);
            }
            ClassicState::Stable if leader => {
                self.update_and_rebalance(request, Reason::LeaderRejoined(id.clone()), to);
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                self.update_and_rebalance(request, Reason::MemberChanged(id.clone()), to);
            }
            ClassicState::Empty => self.refuse(id, ErrorCode::UnknownMemberId, to),
        }
    }

    fn update_and_rebalance(&mut self, request: &JoinGroupRequest, reason: Reason, to: ReplyTo) {
        if let Some(member) = self.group.members.get_mut(&request.member_id) {
            update(member, request, Parked::For(to));
        }
        self.rebalance_or_complete(reason);
    }

    /// A new member; the group rebalances. Until the join phase ends its time-out is 5 minutes, not its session: it can't
    /// send heartbeats without an answer. [addMemberThenRebalanceOrCompleteJoin]
    pub(super) fn add_member(&mut self, request: &JoinGroupRequest, id: Rc<str>, client: &str, to: ReplyTo) {
        /// `group.new.member.join.timeout.ms`, which is fixed. [GroupCoordinatorConfig.CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS]
        const NEW_MEMBER_JOIN_TIMEOUT_MS: i64 = 5 * 60 * 1000;
        let initial = self.group.previous == ClassicState::Empty;
        if self.group.state == ClassicState::PreparingRebalance && initial {
            self.group.member_added = true;
        }
        if self.group.members.is_empty() {
            self.group.protocol_type = Some(request.protocol_type.clone());
        }
        self.group.insert(ClassicMember {
            id: id.clone(),
            instance: request.instance_id.clone(),
            client_id: client.into(),
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: request.protocols.as_slice().into(),
            assignment: Rc::from([]),
            is_new: true,
            join: Parked::For(to),
            sync: Parked::No,
        });
        let key = self.session_key(&id);
        self.schedule(key, NEW_MEMBER_JOIN_TIMEOUT_MS);
        self.moment.note(GroupNote::MemberJoined {
            group: self.group.id.clone(),
            member: id.clone(),
            instance: request.instance_id.clone(),
        });
        self.rebalance_or_complete(Reason::MemberAdded(id));
    }
}

/// What a member said at its last JoinGroup. [ClassicGroup.updateMember]
pub(super) fn update(member: &mut ClassicMember, request: &JoinGroupRequest, join: Parked) {
    member.protocols = request.protocols.as_slice().into();
    member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    member.session_timeout_ms = request.session_timeout_ms;
    member.join = join;
}
