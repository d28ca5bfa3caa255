//! ConsumerGroupHeartbeat: what is refused, and what one heartbeat changes. [GroupCoordinatorService.consumerGroupHeartbeat,
//! GroupMetadataManager.consumerGroupHeartbeat]

use super::member::{Current, MemberState, ModernMember};
use super::reconcile::Reconciliation;
use super::records::{ModernRecord, Partitions};
use super::subscriptions::topic_ids;
use super::target::{Refresh, update_target};
use super::{ModernGroup, Refusal};
use crate::kafka::groups::classic::ClassicState;
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::{Host, ReplyTo};
use crate::kafka::groups::group::Group;
use crate::kafka::groups::note::{Departure, GroupNote, ModernNote};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::settings::Settings;
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::groups::timers::TimerKey;
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::consumer_group::*;
use crate::kafka::types::{NamedPartition, TopicPartition};
use crate::sim::Span;
use std::rc::Rc;

/// An answer with nothing in it but an error.
pub(in crate::kafka::groups) fn refused(error: ErrorCode, message: Option<Rc<str>>) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error,
        message,
        member_id: Rc::default(),
        member_epoch: 0,
        heartbeat_interval_ms: 0,
        assignment: None,
    }
}

/// What no group has to be looked at for. [throwIfConsumerGroupHeartbeatRequestIsInvalid]
pub(in crate::kafka::groups) fn check(
    request: &ConsumerGroupHeartbeatRequest,
    known: &[Rc<str>],
) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::of(ErrorCode::InvalidRequest, text));
    let blank = |text: Option<&Rc<str>>| text.is_some_and(|text| text.trim().is_empty());
    if blank(Some(&request.member_id)) {
        return invalid("MemberId can't be empty.");
    }
    if blank(Some(&request.group)) {
        return invalid("GroupId can't be empty.");
    }
    if blank(request.instance_id.as_ref()) {
        return invalid("InstanceId can't be empty.");
    }
    if blank(request.rack.as_ref()) {
        return invalid("RackId can't be empty.");
    }
    match request.member_epoch {
        JOIN_EPOCH => {
            if request.rebalance_timeout_ms == -1 {
                return invalid("RebalanceTimeoutMs must be provided in first request.");
            }
            if request.owned.as_ref().is_none_or(|owned| !owned.is_empty()) {
                return invalid("TopicPartitions must be empty when (re-)joining.");
            }
            if request.topics.is_none() && request.regex.is_none() {
                return invalid(
                    "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
                );
            }
        }
        LEAVE_STATIC_EPOCH if request.instance_id.is_none() => return invalid("InstanceId can't be null."),
        epoch if epoch < LEAVE_STATIC_EPOCH => return invalid("MemberEpoch is invalid."),
        _ => {}
    }
    match &request.assignor {
        Some(assignor) if !known.contains(assignor) => {
            let text = format!(
                "ServerAssignor {assignor} is not supported. Supported assignors: {}.",
                known.join(", ")
            );
            Err(Refusal::of(ErrorCode::UnsupportedAssignor, &text))
        }
        _ => Ok(()),
    }
}

/// A group while a request changes it: the group as it was, and the records so far. The group itself changes when they are
/// appended.
pub(in crate::kafka::groups) struct Change {
    pub group: Rc<ModernGroup>,
    pub records: Vec<ModernRecord>,
    /// Records that come before: of the group that this one takes the place of.
    pub before: Vec<GroupRecord>,
    pub notes: Vec<GroupNote>,
    /// A static member whose place is taken.
    pub replaced: Option<Rc<str>>,
}

impl Change {
    pub fn of(group: Rc<ModernGroup>) -> Change {
        Change {
            group,
            records: Vec::new(),
            before: Vec::new(),
            notes: Vec::new(),
            replaced: None,
        }
    }

    pub fn note(&mut self, note: ModernNote) {
        let group = self.group.id.clone();
        self.notes.push(GroupNote::Modern { group, note });
    }

    /// The members once `updated` is one of them.
    pub fn members_with<'a>(&'a self, updated: &'a ModernMember) -> impl Iterator<Item = &'a ModernMember> {
        let others = self.group.members.values().map(|member| &**member);
        let stays = |member: &&ModernMember| member.id != updated.id && Some(&member.id) != self.replaced.as_ref();
        others.filter(stays).chain(std::iter::once(updated))
    }

    pub fn into_write(self, then: Then) -> Write {
        let (group, kind) = (self.group.id.clone(), self.group.kind);
        let mut records = self.before;
        records.extend(self.records.into_iter().map(|record| GroupRecord::Modern {
            group: group.clone(),
            kind,
            record,
        }));
        Write {
            records,
            replay: true,
            transaction: None,
            then,
            notes: self.notes,
        }
    }
}

impl Shard {
    /// A heartbeat: a member joins, goes on, or leaves.
    pub fn consumer_heartbeat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        client: &str,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let written = match request.member_epoch {
            LEAVE_EPOCH | LEAVE_STATIC_EPOCH => self.consumer_leave(request, to, host, moment),
            _ => self.consumer_beat(request, client, to, host, moment),
        };
        match written {
            Ok(write) => self.write(write, host, moment),
            Err(refusal) => {
                moment.note(GroupNote::Modern {
                    group: request.group.clone(),
                    note: ModernNote::Refused {
                        member: request.member_id.clone(),
                        error: refusal.error,
                    },
                });
                moment.reply(to, refused(refusal.error, Some(refusal.message)));
            }
        }
    }

    fn consumer_beat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        client: &str,
        to: ReplyTo,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<Write, Refusal> {
        let joins = request.member_epoch == JOIN_EPOCH;
        let mut change = self.consumer_group(&request.group, joins, host, moment)?;
        let full = change.group.members.len() >= moment.settings.consumer_max_size;
        if full && !change.group.members.contains_key(&request.member_id) {
            let text = format!(
                "The consumer group has reached its maximum capacity of {} members.",
                moment.settings.consumer_max_size
            );
            return Err(Refusal::of(ErrorCode::GroupMaxSizeReached, &text));
        }
        let member = match &request.instance_id {
            None => dynamic_member(&change.group, request, joins)?,
            Some(instance) => self.static_member(&mut change, request, instance, joins)?,
        };
        let updated = said(&member, request, client);
        let names_changed = change.details_changed(&member, &updated);
        let regex = self.update_regexes(&mut change, &member, &updated, host, moment)?;
        let refresh = Refresh {
            bump: names_changed || regex.resolved,
            subscription_changed: names_changed || regex.changed,
            owned: request.owned.as_deref(),
        };
        let updated = self.advance(&mut change, updated, &refresh, host, moment);
        let interval = host.group_settings(&request.group);
        let session_ms = interval.map_or(moment.settings.consumer_session_ms, |own| {
            own.consumer_session_timeout_ms
        });
        self.restart_modern_session(&request.group, &updated.id, session_ms, moment);
        let full_request = request.rebalance_timeout_ms != -1
            && (request.topics.is_some() || request.regex.is_some())
            && request.owned.is_some();
        let tells = joins || full_request || member.current.assigned != updated.current.assigned;
        let response = ConsumerGroupHeartbeatResponse {
            error: ErrorCode::None,
            message: None,
            member_id: updated.id.clone(),
            member_epoch: updated.current.epoch,
            heartbeat_interval_ms: heartbeat_interval_ms(host, moment.settings, &request.group),
            assignment: tells.then(|| updated.current.assigned.keys().copied().collect()),
        };
        let body = response.into();
        Ok(change.into_write(Then::Answer { to, body }))
    }

    /// The group for a request; one who joins makes it, also out of a classic group. [getOrMaybeCreateConsumerGroup]
    pub(super) fn consumer_group(
        &mut self,
        id: &Rc<str>,
        create: bool,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<Change, Refusal> {
        let missing = |text: String| Err(Refusal::of(ErrorCode::GroupIdNotFound, &text));
        let new = || Rc::new(ModernGroup::new(id.clone(), GroupType::Consumer));
        match self.store.groups.get(id).cloned() {
            None if create => {
                let mut change = Change::of(new());
                change.notes.push(GroupNote::Created {
                    group: id.clone(),
                    simple: false,
                });
                Ok(change)
            }
            None => missing(format!("Consumer group {id} not found.")),
            Some(Group::Modern(group)) if group.kind == GroupType::Consumer => Ok(Change::of(group)),
            Some(Group::Classic(group)) if create && group.state() == ClassicState::Empty => {
                let mut change = Change::of(new());
                change.before = self.group_tombstones(id, moment);
                change.note(ModernNote::Upgraded { members: 0 });
                Ok(change)
            }
            Some(Group::Classic(group)) if create => self.upgrade(&group, host, moment),
            Some(_) => missing(format!("Group {id} is not a consumer group.")),
        }
    }

    /// A static member that joins takes over the place of the last holder of its instance id, if that one has left for a
    /// while or speaks the classic protocol. [getOrMaybeSubscribeStaticConsumerGroupMember]
    fn static_member(
        &mut self,
        change: &mut Change,
        request: &ConsumerGroupHeartbeatRequest,
        instance: &Rc<str>,
        joins: bool,
    ) -> Result<ModernMember, Refusal> {
        let id = &request.member_id;
        let Some(holder) = change.group.static_member(instance).cloned() else {
            return match joins {
                true => Ok(change.join(id)),
                false => Err(unknown_instance(instance)),
            };
        };
        if !joins {
            fenced_instance(&holder, id, instance)?;
            check_epoch(&holder, request.member_epoch, request.owned.as_deref())?;
            return Ok((*holder).clone());
        }
        if !holder.is_classic() && holder.current.epoch != LEAVE_STATIC_EPOCH {
            let text = format!(
                "Static member {id} with instance id {instance} cannot join the group because the instance id is owned by {} member.",
                holder.id
            );
            return Err(Refusal::of(ErrorCode::UnreleasedInstanceId, &text));
        }
        Ok(change.replace(&holder, id))
    }

    /// The member was heard of: its session begins anew.
    pub(in crate::kafka::groups) fn restart_modern_session(
        &mut self,
        group: &Rc<str>,
        member: &Rc<str>,
        ms: i64,
        moment: &mut Moment,
    ) {
        let key = TimerKey::Session {
            group: group.clone(),
            member: member.clone(),
        };
        self.timers.schedule(key, moment.now, Span::from_ms(ms), moment.effects);
    }

    /// Group epoch, target and the member's next step, as far as they go now.
    pub(in crate::kafka::groups) fn advance(
        &mut self,
        change: &mut Change,
        updated: ModernMember,
        refresh: &Refresh,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> ModernMember {
        let epoch = self.update_epoch(change, &updated, refresh.bump, host, moment);
        let (target_epoch, target) = update_target(change, &updated, epoch, host, moment);
        self.reconcile_member(change, updated, (target_epoch, &target), refresh, host, moment)
    }

    /// [GroupMetadataManager.maybeReconcile]
    pub(super) fn reconcile_member(
        &mut self,
        change: &mut Change,
        member: ModernMember,
        (target_epoch, target): (i32, &Partitions),
        refresh: &Refresh,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> ModernMember {
        if !refresh.subscription_changed && member.is_reconciled_to(target_epoch) {
            return member;
        }
        let subscribed = topic_ids(&member, &change.group.regexes, host);
        let group = change.group.clone();
        let step = Reconciliation {
            target_epoch,
            target,
            subscription_changed: refresh.subscription_changed,
            subscribed: &subscribed,
            owned: refresh.owned,
            is_free: &|partition| group.is_free(partition),
        };
        let next = step.step(&member);
        if next == member {
            return member;
        }
        change.records.push(ModernRecord::Current(
            next.id.clone(),
            Some(Rc::new(next.current.clone())),
        ));
        change.note(ModernNote::Reconciled {
            member: next.id.clone(),
            epoch: next.current.epoch,
            before: member.current.epoch,
            state: next.current.state,
            assigned: names(next.current.assigned.keys(), host),
            pending: names(next.current.pending.keys(), host),
        });
        if !next.is_classic() {
            self.rebalance_timer(&change.group.id, &next, moment);
        }
        next
    }

    /// While a member has something to give up its rebalance time-out runs.
    fn rebalance_timer(&mut self, group: &Rc<str>, member: &ModernMember, moment: &mut Moment) {
        let key = TimerKey::Rebalance {
            group: group.clone(),
            member: member.id.clone(),
        };
        match member.current.state {
            MemberState::UnrevokedPartitions => {
                let after = Span::from_ms(i64::from(member.details.rebalance_timeout_ms));
                self.timers.schedule(key, moment.now, after, moment.effects);
            }
            _ => self.timers.cancel(&key, moment.effects),
        }
    }
}

/// How often members are to send heartbeats, ms.
pub(super) fn heartbeat_interval_ms(host: &dyn Host, settings: &Settings, group: &str) -> i64 {
    let own = host.group_settings(group);
    own.map_or(settings.consumer_heartbeat_ms, |own| own.consumer_heartbeat_interval_ms)
}

/// Names of partitions whose topics exist.
pub(in crate::kafka::groups) fn names<'a>(
    partitions: impl Iterator<Item = &'a TopicPartition>,
    host: &dyn Host,
) -> Rc<[NamedPartition]> {
    let named = partitions.filter_map(|partition| {
        Some(NamedPartition {
            topic: host.topic_name(partition.topic)?,
            partition: partition.partition,
        })
    });
    named.collect()
}

pub(super) fn unknown_instance(instance: &str) -> Refusal {
    Refusal::of(
        ErrorCode::UnknownMemberId,
        &format!("Instance id {instance} is unknown."),
    )
}

/// Another member holds the instance id. [throwIfInstanceIdIsFenced]
pub(super) fn fenced_instance(holder: &ModernMember, id: &str, instance: &str) -> Result<(), Refusal> {
    if *holder.id == *id {
        return Ok(());
    }
    let text = format!(
        "Static member {id} with instance id {instance} was fenced by member {}.",
        holder.id
    );
    Err(Refusal::of(ErrorCode::FencedInstanceId, &text))
}

pub(in crate::kafka::groups) fn unknown_member(group: &ModernGroup, id: &str) -> Refusal {
    let text = format!("Member {id} is not a member of group {}.", group.id);
    Refusal::of(ErrorCode::UnknownMemberId, &text)
}

/// [getOrMaybeSubscribeDynamicConsumerGroupMember]
fn dynamic_member(
    group: &ModernGroup,
    request: &ConsumerGroupHeartbeatRequest,
    joins: bool,
) -> Result<ModernMember, Refusal> {
    match group.members.get(&request.member_id) {
        Some(member) => {
            check_epoch(member, request.member_epoch, request.owned.as_deref())?;
            Ok((**member).clone())
        }
        None if joins => Ok(ModernMember::new(request.member_id.clone())),
        None => Err(unknown_member(group, &request.member_id)),
    }
}

/// Is the member where the coordinator has it, or one step behind because an answer was lost?
/// [throwIfConsumerGroupMemberEpochIsInvalid]
fn check_epoch(member: &ModernMember, epoch: i32, owned: Option<&[TopicPartition]>) -> Result<(), Refusal> {
    let known = member.current.epoch;
    let what = match epoch {
        JOIN_EPOCH => return Ok(()),
        epoch if epoch == known => return Ok(()),
        epoch if epoch > known => "greater",
        epoch => {
            let has = |owned: &[TopicPartition]| owned.iter().all(|p| member.current.assigned.contains_key(p));
            if epoch == member.current.previous && owned.is_some_and(has) {
                return Ok(());
            }
            "smaller"
        }
    };
    let text = format!(
        "The consumer group member has a {what} member epoch ({epoch}) than the one known by the group coordinator ({known}). The member must abandon all its partitions and rejoin."
    );
    Err(Refusal::of(ErrorCode::FencedMemberEpoch, &text))
}

/// The member with what its request says of it.
fn said(member: &ModernMember, request: &ConsumerGroupHeartbeatRequest, client: &str) -> ModernMember {
    let mut details = (*member.details).clone();
    let keep = |new: &Option<Rc<str>>, old: &mut Option<Rc<str>>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    keep(&request.instance_id, &mut details.instance);
    keep(&request.rack, &mut details.rack);
    keep(&request.assignor, &mut details.assignor);
    keep(&request.regex, &mut details.regex);
    details.regex = details.regex.filter(|regex| !regex.is_empty());
    if request.rebalance_timeout_ms != -1 {
        details.rebalance_timeout_ms = request.rebalance_timeout_ms;
    }
    if let Some(topics) = &request.topics {
        details.topics = Rc::new(topics.iter().cloned().collect());
    }
    if *details.client_id != *client {
        details.client_id = client.into();
    }
    details.classic = None;
    ModernMember {
        details: Rc::new(details),
        ..member.clone()
    }
}

impl Change {
    /// A member that was not there.
    pub(super) fn join(&mut self, id: &Rc<str>) -> ModernMember {
        ModernMember::new(id.clone())
    }

    /// The next holder of a static member's place, with all that is on it. [replaceMember]
    pub(super) fn replace(&mut self, holder: &Rc<ModernMember>, id: &Rc<str>) -> ModernMember {
        let new = ModernMember {
            id: id.clone(),
            details: holder.details.clone(),
            current: Current {
                epoch: 0,
                previous: 0,
                ..holder.current.clone()
            },
        };
        self.remove_records(&holder.id);
        self.records
            .push(ModernRecord::Member(id.clone(), Some(new.details.clone())));
        let target = self.group.target(&holder.id);
        self.records.push(ModernRecord::Target(id.clone(), Some(target)));
        self.records
            .push(ModernRecord::Current(id.clone(), Some(Rc::new(new.current.clone()))));
        if holder.id != *id {
            self.note(ModernNote::Left {
                member: holder.id.clone(),
                why: Departure::Replaced,
            });
        }
        self.replaced = Some(holder.id.clone());
        new
    }

    /// A member goes.
    pub(super) fn remove_records(&mut self, id: &Rc<str>) {
        self.records.push(ModernRecord::Current(id.clone(), None));
        self.records.push(ModernRecord::Target(id.clone(), None));
        self.records.push(ModernRecord::Member(id.clone(), None));
    }

    /// Writes what a member says of itself if it is new; whether its topics are. [hasMemberSubscriptionChanged]
    pub(in crate::kafka::groups) fn details_changed(&mut self, member: &ModernMember, updated: &ModernMember) -> bool {
        if updated.details == member.details {
            return false;
        }
        self.records
            .push(ModernRecord::Member(updated.id.clone(), Some(updated.details.clone())));
        let joins = !self.group.members.contains_key(&updated.id);
        if joins {
            self.note(ModernNote::Joined {
                member: updated.id.clone(),
                instance: updated.details.instance.clone(),
            });
        }
        let changed = updated.details.topics != member.details.topics;
        if changed && !joins {
            self.note(ModernNote::Subscribed {
                member: updated.id.clone(),
            });
        }
        changed
    }
}
