//! Members that speak the classic protocol in a consumer group: JoinGroup is their heartbeat, without a barrier; SyncGroup
//! fetches what they have; Heartbeat tells them when to join again.
//! [GroupMetadataManager.classicGroupJoinToConsumerGroup, classicGroupSyncToConsumerGroup,
//! classicGroupHeartbeatToConsumerGroup, classicGroupLeaveToConsumerGroup]

use super::convert::Replacement;
use super::heartbeat::{Change, fenced_instance, names, unknown_instance};
use super::member::{ClassicDetails, MemberState, ModernMember};
use super::target::{Refresh, update_target};
use super::{ModernGroup, Refusal};
use crate::kafka::groups::classic::CONSUMER;
use crate::kafka::groups::classic::work::{Moment, join_error, sync_error};
use crate::kafka::groups::effects::{Host, ReplyTo};
use crate::kafka::groups::note::{Departure, GroupNote};
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::groups::timers::TimerKey;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::sim::Span;
use std::rc::Rc;

/// The answer to a classic member's JoinGroup or SyncGroup, and the time-outs that run from then on.
#[derive(Clone, Debug)]
pub(in crate::kafka::groups) struct ClassicAnswer {
    pub to: ReplyTo,
    pub body: Body,
    group: Rc<str>,
    member: Rc<str>,
    /// `None`: the group is a classic one by now, which has its own time-outs.
    session_ms: Option<i64>,
    /// After a JoinGroup the SyncGroup has to come in time.
    sync_ms: Option<i64>,
}

impl Shard {
    /// JoinGroup of a consumer group that has members.
    pub fn join_modern(
        &mut self,
        group: &Rc<ModernGroup>,
        request: &JoinGroupRequest,
        client: &str,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        match self.try_join_modern(group, request, client, to, host, moment) {
            Ok(Some(write)) => self.write(write, host, moment),
            Ok(None) => {}
            Err(refusal) => {
                moment.note(GroupNote::JoinRefused {
                    group: group.id.clone(),
                    member: request.member_id.clone(),
                    error: refusal.error,
                });
                moment.reply(to, join_error(&request.member_id, refusal.error));
            }
        }
    }

    fn try_join_modern(
        &mut self,
        group: &Rc<ModernGroup>,
        request: &JoinGroupRequest,
        client: &str,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) -> Result<Option<Write>, Refusal> {
        if !moment.settings.migration.upgrade && !moment.settings.migration.downgrade {
            return Err(Refusal::of(ErrorCode::InconsistentGroupProtocol, ""));
        }
        let unknown = request.member_id.is_empty();
        let id = match unknown {
            true => moment.new_uuid(),
            false => request.member_id.clone(),
        };
        if group.members.len() >= moment.settings.consumer_max_size && !group.members.contains_key(&id) {
            return Err(Refusal::of(ErrorCode::GroupMaxSizeReached, ""));
        }
        if !supports(group, request) {
            return Err(Refusal::of(ErrorCode::InconsistentGroupProtocol, ""));
        }
        if unknown && request.instance_id.is_none() {
            moment.note(GroupNote::MemberIdGiven {
                group: group.id.clone(),
                member: id.clone(),
            });
            moment.reply(to, join_error(&id, ErrorCode::MemberIdRequired));
            return Ok(None);
        }
        let mut change = Change::of(group.clone());
        let holder = request
            .instance_id
            .as_ref()
            .and_then(|instance| group.static_member(instance))
            .cloned();
        let member = match (&request.instance_id, &holder) {
            (None, _) => match group.members.get(&id) {
                Some(member) => (**member).clone(),
                None => change.join(&id),
            },
            (Some(_), None) if unknown => change.join(&id),
            (Some(instance), None) => return Err(unknown_instance(instance)),
            (Some(_), Some(holder)) if unknown => change.replace(holder, &id),
            (Some(instance), Some(holder)) => {
                fenced_instance(holder, &id, instance)?;
                (**holder).clone()
            }
        };
        let downgrades = holder.is_some_and(|holder| self.may_downgrade_by_replacement(group, &holder, moment));
        let updated = said(&member, request, client);
        let subscription = request
            .protocols
            .first()
            .map_or_else(Rc::default, |(_, said)| said.clone());
        let owned: Vec<TopicPartition> = subscription.owned.iter().filter_map(|p| id_of(p, host)).collect();
        let names_changed = change.details_changed(&member, &updated);
        let regex = self.update_regexes(&mut change, &member, &updated, host, moment)?;
        let changed = names_changed || regex.changed;
        let refresh = Refresh {
            bump: changed,
            subscription_changed: changed,
            owned: Some(&owned),
        };
        if downgrades {
            let epoch = self.update_epoch(&mut change, &updated, changed, host, moment);
            let rebalance = group.assignment_epoch < epoch;
            let updated = match rebalance {
                true => updated,
                false => {
                    let target = update_target(&mut change, &updated, epoch, host, moment);
                    self.reconcile_member(&mut change, updated, (target.0, &target.1), &refresh, host, moment)
                }
            };
            let then = joined(&group.id, &updated, request, to, false);
            let replaced = change.replaced.clone().unwrap_or_else(|| updated.id.clone());
            let place = Replacement {
                member: &updated,
                replaced: &replaced,
                rebalance,
            };
            return Ok(Some(self.downgrade(change, &[], Some(place), then, host, moment)));
        }
        let updated = self.advance(&mut change, updated, &refresh, host, moment);
        Ok(Some(change.into_write(joined(&group.id, &updated, request, to, true))))
    }

    /// A JoinGroup or SyncGroup is covered by the high watermark.
    pub(in crate::kafka::groups) fn classic_answered(&mut self, answer: ClassicAnswer, moment: &mut Moment) {
        let (group, member) = (&answer.group, &answer.member);
        let resync = TimerKey::Resync {
            group: group.clone(),
            member: member.clone(),
        };
        match answer.sync_ms {
            Some(_) => {
                let rejoin = TimerKey::Rejoin {
                    group: group.clone(),
                    member: member.clone(),
                };
                self.timers.cancel(&rejoin, moment.effects);
            }
            None => self.timers.cancel(&resync, moment.effects),
        }
        if let Some(session) = answer.session_ms {
            self.restart_modern_session(group, member, session, moment);
            if let Some(sync) = answer.sync_ms {
                self.timers
                    .schedule(resync, moment.now, Span::from_ms(sync), moment.effects);
            }
        }
        moment.reply(answer.to, answer.body);
    }

    /// SyncGroup of a consumer group.
    pub fn sync_modern(
        &mut self,
        group: &Rc<ModernGroup>,
        request: &SyncGroupRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let member = match self.check_sync_modern(group, request, moment) {
            Ok(member) => member,
            Err(error) => return moment.reply(to, sync_error(error)),
        };
        let response = SyncGroupResponse {
            error: ErrorCode::None,
            protocol: request.protocol.clone(),
            assignment: names(member.current.assigned.keys(), host),
        };
        let answer = ClassicAnswer {
            to,
            body: response.into(),
            group: group.id.clone(),
            member: member.id.clone(),
            session_ms: member.classic_session_ms(),
            sync_ms: None,
        };
        let write = Write {
            then: Then::ClassicInModern(Box::new(answer)),
            ..Write::default()
        };
        self.write(write, host, moment);
    }

    fn check_sync_modern(
        &mut self,
        group: &ModernGroup,
        request: &SyncGroupRequest,
        moment: &mut Moment,
    ) -> Result<Rc<ModernMember>, ErrorCode> {
        let member = classic_member(group, &request.member_id, request.instance_id.as_ref())?;
        if request.generation != member.current.epoch {
            return Err(ErrorCode::IllegalGeneration);
        }
        let protocol = member.details.classic.as_ref().map(ClassicDetails::protocol);
        let other_type = request.protocol_type.as_deref().is_some_and(|name| name != CONSUMER);
        if other_type || (request.protocol.is_some() && request.protocol != protocol) {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        let revoking = member.current.state == MemberState::UnrevokedPartitions;
        if group.assignment_epoch > member.current.epoch && !revoking {
            self.expect_rejoin(group, &member, moment);
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(member)
    }

    /// A member that has to join again has its rebalance time-out for it. [scheduleConsumerGroupJoinTimeoutIfAbsent]
    fn expect_rejoin(&mut self, group: &ModernGroup, member: &ModernMember, moment: &mut Moment) {
        let key = TimerKey::Rejoin {
            group: group.id.clone(),
            member: member.id.clone(),
        };
        if self.timers.deadline(&key).is_none() {
            let after = Span::from_ms(i64::from(member.details.rebalance_timeout_ms));
            self.timers.schedule(key, moment.now, after, moment.effects);
        }
    }

    /// What a classic member's Heartbeat is answered with.
    pub fn heartbeat_modern(
        &mut self,
        group: &Rc<ModernGroup>,
        request: &HeartbeatRequest,
        moment: &mut Moment,
    ) -> Result<ErrorCode, ErrorCode> {
        let member = classic_member(group, &request.member_id, request.instance_id.as_ref())?;
        if request.generation != member.current.epoch {
            return Err(ErrorCode::IllegalGeneration);
        }
        let session = member.classic_session_ms().unwrap_or(0);
        self.restart_modern_session(&group.id, &member.id, session, moment);
        let behind = match member.current.state {
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions if !waits_for_others(group, &member) => true,
            _ => member.current.epoch < group.assignment_epoch,
        };
        if behind {
            self.expect_rejoin(group, &member, moment);
            return Ok(ErrorCode::RebalanceInProgress);
        }
        Ok(ErrorCode::None)
    }

    /// LeaveGroup of a consumer group: its classic members, or an operator takes members out.
    pub fn leave_modern(
        &mut self,
        group: &Rc<ModernGroup>,
        request: &LeaveGroupRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let mut leaving: Vec<(Rc<ModernMember>, Departure)> = Vec::new();
        let mut members = Vec::with_capacity(request.members.len());
        for (id, instance) in &request.members {
            let error = match leaver(group, id, instance.as_ref()) {
                Ok(member) => {
                    let why = match id.is_empty() {
                        true => Departure::TakenOut,
                        false => Departure::Left,
                    };
                    if !leaving.iter().any(|(other, _)| other.id == member.id) {
                        leaving.push((member, why));
                    }
                    ErrorCode::None
                }
                Err(error) => error,
            };
            members.push((id.clone(), instance.clone(), error));
        }
        let response = LeaveGroupResponse {
            error: ErrorCode::None,
            members,
        };
        let then = Then::Answer {
            to,
            body: response.into(),
        };
        let write = self.fence(group, &leaving, then, host, moment);
        self.write(write, host, moment);
    }
}

fn leaver(group: &ModernGroup, id: &Rc<str>, instance: Option<&Rc<str>>) -> Result<Rc<ModernMember>, ErrorCode> {
    let Some(instance) = instance else {
        return group.members.get(id).cloned().ok_or(ErrorCode::UnknownMemberId);
    };
    let member = group.static_member(instance).ok_or(ErrorCode::UnknownMemberId)?;
    if !id.is_empty() {
        fenced_instance(member, id, instance).map_err(|refusal| refusal.error)?;
    }
    Ok(member.clone())
}

/// [validateConsumerGroupMember, throwIfMemberDoesNotUseClassicProtocol]
fn classic_member(
    group: &ModernGroup,
    id: &Rc<str>,
    instance: Option<&Rc<str>>,
) -> Result<Rc<ModernMember>, ErrorCode> {
    let member = match instance {
        None => group.members.get(id),
        Some(instance) => group.static_member(instance),
    };
    let member = member.ok_or(ErrorCode::UnknownMemberId)?;
    if let Some(instance) = instance {
        fenced_instance(member, id, instance).map_err(|refusal| refusal.error)?;
    }
    match member.is_classic() {
        true => Ok(member.clone()),
        false => Err(ErrorCode::UnknownMemberId),
    }
}

/// Does it wait for a partition that somebody still has? [waitingOnUnreleasedPartition]
fn waits_for_others(group: &ModernGroup, member: &ModernMember) -> bool {
    let target = group.target(&member.id);
    let mut missing = target.iter().filter(|p| !member.current.assigned.contains_key(p));
    missing.any(|partition| !group.is_free(*partition))
}

/// Does one of the protocols suit all classic members? [ConsumerGroup.supportsClassicProtocols]
fn supports(group: &ModernGroup, request: &JoinGroupRequest) -> bool {
    let classic: Vec<&ClassicDetails> = group
        .members
        .values()
        .filter_map(|m| m.details.classic.as_ref())
        .collect();
    let all_know = |name: &Rc<str>| {
        let knows = |details: &&ClassicDetails| details.protocols.iter().any(|(known, _)| known == name);
        classic.iter().all(knows)
    };
    &*request.protocol_type == CONSUMER && request.protocols.iter().any(|(name, _)| all_know(name))
}

/// The member with what its JoinGroup says of it.
fn said(member: &ModernMember, request: &JoinGroupRequest, client: &str) -> ModernMember {
    let mut details = (*member.details).clone();
    let subscription = request
        .protocols
        .first()
        .map_or_else(Rc::default, |(_, said)| said.clone());
    if request.instance_id.is_some() {
        details.instance.clone_from(&request.instance_id);
    }
    if subscription.rack.is_some() {
        details.rack.clone_from(&subscription.rack);
    }
    if request.rebalance_timeout_ms != -1 {
        details.rebalance_timeout_ms = request.rebalance_timeout_ms;
    }
    details.topics = Rc::new(subscription.topics.iter().cloned().collect());
    details.regex = None;
    details.client_id = client.into();
    details.classic = Some(ClassicDetails {
        session_timeout_ms: request.session_timeout_ms,
        protocols: request.protocols.as_slice().into(),
    });
    ModernMember {
        details: Rc::new(details),
        ..member.clone()
    }
}

fn joined(group: &Rc<str>, member: &ModernMember, request: &JoinGroupRequest, to: ReplyTo, stays: bool) -> Then {
    let protocol = member.details.classic.as_ref().map(ClassicDetails::protocol);
    let response = JoinGroupResponse {
        error: ErrorCode::None,
        generation: member.current.epoch,
        protocol,
        leader: Rc::default(),
        skip_assignment: false,
        member_id: member.id.clone(),
        members: Vec::new(),
    };
    Then::ClassicInModern(Box::new(ClassicAnswer {
        to,
        body: response.into(),
        group: group.clone(),
        member: member.id.clone(),
        session_ms: stays.then(|| i64::from(request.session_timeout_ms)),
        sync_ms: Some(i64::from(request.rebalance_timeout_ms)),
    }))
}

/// A partition by its topic's id, if there is such a topic.
pub(super) fn id_of(partition: &NamedPartition, host: &dyn Host) -> Option<TopicPartition> {
    Some(TopicPartition::new(
        host.topic(&partition.topic)?.0,
        partition.partition,
    ))
}
