//! ShareGroupHeartbeat: what is refused, and what one heartbeat changes.
//! [GroupCoordinatorService.shareGroupHeartbeat, GroupMetadataManager.shareGroupHeartbeat]

use super::topics::{TopicPartitions, partitions_of};
use super::work::ShareWork;
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::{Host, ReplyTo};
use crate::kafka::groups::group::Group;
use crate::kafka::groups::modern::heartbeat::{Change, names, unknown_member};
use crate::kafka::groups::modern::member::{Current, MemberState, ModernMember};
use crate::kafka::groups::modern::records::{ModernRecord, Partitions};
use crate::kafka::groups::modern::subscriptions::{Subscriptions, topic_ids};
use crate::kafka::groups::modern::{ModernGroup, Refusal};
use crate::kafka::groups::note::{Departure, GroupNote, ModernNote};
use crate::kafka::groups::settings::Settings;
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::consumer_group::{JOIN_EPOCH, LEAVE_EPOCH};
use crate::kafka::protocol::share::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, ShareState};
use std::rc::Rc;

/// An answer with nothing in it but an error.
pub(in crate::kafka::groups) fn refused(error: ErrorCode, message: Option<Rc<str>>) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse {
        error,
        message,
        member_id: Rc::default(),
        member_epoch: 0,
        heartbeat_interval_ms: 0,
        assignment: None,
    }
}

/// What no group has to be looked at for. [throwIfShareGroupHeartbeatRequestIsInvalid]
pub(in crate::kafka::groups) fn check(request: &ShareGroupHeartbeatRequest) -> Result<(), Refusal> {
    let invalid = |text: &str| Err(Refusal::of(ErrorCode::InvalidRequest, text));
    let blank = |text: &str| text.trim().is_empty();
    if blank(&request.member_id) {
        return invalid("MemberId can't be empty.");
    }
    if blank(&request.group) {
        return invalid("GroupId can't be empty.");
    }
    if request.rack.as_deref().is_some_and(blank) {
        return invalid("RackId can't be empty.");
    }
    match request.member_epoch {
        JOIN_EPOCH if request.topics.as_ref().is_none_or(|topics| topics.is_empty()) => {
            invalid("SubscribedTopicNames must be set in first request.")
        }
        epoch if epoch < LEAVE_EPOCH => invalid("MemberEpoch is invalid."),
        _ => Ok(()),
    }
}

/// How long a member may be silent, ms.
pub(super) fn session_ms(host: &dyn Host, settings: &Settings, group: &str) -> i64 {
    let own = host.group_settings(group);
    own.map_or(settings.share_session_ms, |own| own.share_session_timeout_ms)
}

/// How often members are to send heartbeats, ms.
fn heartbeat_interval_ms(host: &dyn Host, settings: &Settings, group: &str) -> i64 {
    let own = host.group_settings(group);
    own.map_or(settings.share_heartbeat_ms, |own| own.share_heartbeat_interval_ms)
}

impl Shard {
    /// A share group, if it is one.
    pub(in crate::kafka::groups) fn share(&self, id: &str) -> Option<Rc<ModernGroup>> {
        let group = self.store.groups.get(id).and_then(Group::modern)?;
        (group.kind == GroupType::Share).then(|| group.clone())
    }

    /// A heartbeat: a member joins, goes on, or leaves.
    pub fn share_heartbeat(
        &mut self,
        request: &ShareGroupHeartbeatRequest,
        client: &str,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let written = match request.member_epoch {
            LEAVE_EPOCH => self.share_leave(request, to, host, moment),
            _ => self.share_beat(request, client, to, host, moment),
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

    fn share_beat(
        &mut self,
        request: &ShareGroupHeartbeatRequest,
        client: &str,
        to: ReplyTo,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<Write, Refusal> {
        let joins = request.member_epoch == JOIN_EPOCH;
        let mut change = self.share_change(&request.group, joins)?;
        let group = change.group.clone();
        let full = group.members.len() >= moment.settings.share_max_size;
        if full && !group.members.contains_key(&request.member_id) {
            let text = format!(
                "The share group has reached its maximum capacity of {} members.",
                moment.settings.share_max_size
            );
            return Err(Refusal::of(ErrorCode::GroupMaxSizeReached, &text));
        }
        let member = member_of(&group, request, joins)?;
        let updated = said(&member, request, client);
        let mut bump = change.details_changed(&member, &updated);
        bump |= group.assignment_epoch >= group.epoch && assignment_pending(&group, host);
        let epoch = self.update_epoch(&mut change, &updated, bump, host, moment);
        let (target_epoch, target) = super::target::update(&mut change, &updated, epoch, host, moment)?;
        let updated = reconcile(
            &mut change,
            updated,
            (target_epoch, &target),
            epoch != group.epoch,
            host,
        );
        let session = session_ms(host, moment.settings, &request.group);
        self.restart_modern_session(&request.group, &updated.id, session, moment);
        let tells = joins || request.topics.is_some() || member.current.assigned != updated.current.assigned;
        let response = ShareGroupHeartbeatResponse {
            error: ErrorCode::None,
            message: None,
            member_id: updated.id.clone(),
            member_epoch: updated.current.epoch,
            heartbeat_interval_ms: heartbeat_interval_ms(host, moment.settings, &request.group),
            assignment: tells.then(|| updated.current.assigned.keys().copied().collect()),
        };
        let work = initialize(&mut change, &updated, epoch, host, moment);
        let then = Then::Share {
            answer: Some((to, response.into())),
            work,
        };
        Ok(change.into_write(then))
    }

    /// The group for a request; one who joins makes it. [getOrMaybeCreateShareGroup]
    pub(super) fn share_change(&self, id: &Rc<str>, create: bool) -> Result<Change, Refusal> {
        let missing = |text: String| Err(Refusal::of(ErrorCode::GroupIdNotFound, &text));
        match self.store.groups.get(id).cloned() {
            None if create => {
                let mut change = Change::of(Rc::new(ModernGroup::new(id.clone(), GroupType::Share)));
                change.notes.push(GroupNote::Created {
                    group: id.clone(),
                    simple: false,
                });
                Ok(change)
            }
            None => missing(format!("Share group {id} not found.")),
            Some(Group::Modern(group)) if group.kind == GroupType::Share => Ok(Change::of(group)),
            Some(_) => missing(format!("Group {id} is not a share group.")),
        }
    }

    /// The group as it is, for whoever does not make one. [GroupMetadataManager.shareGroup]
    pub(super) fn share_or_missing(&self, id: &str) -> Result<Rc<ModernGroup>, Refusal> {
        self.share(id).ok_or_else(|| {
            let text = match self.store.groups.contains_key(id) {
                true => format!("Group {id} is not a share group."),
                false => format!("Group {id} not found."),
            };
            Refusal::of(ErrorCode::GroupIdNotFound, &text)
        })
    }

    fn share_leave(
        &mut self,
        request: &ShareGroupHeartbeatRequest,
        to: ReplyTo,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<Write, Refusal> {
        let group = self.share_or_missing(&request.group)?;
        let id = &request.member_id;
        let member = group
            .members
            .get(id)
            .cloned()
            .ok_or_else(|| unknown_member(&group, id))?;
        let response = ShareGroupHeartbeatResponse {
            member_id: id.clone(),
            member_epoch: request.member_epoch,
            ..refused(ErrorCode::None, None)
        };
        let body = response.into();
        let then = Then::Answer { to, body };
        Ok(self.fence(&group, &[(member, Departure::Left)], then, host, moment))
    }

    /// A member of a share group was not heard of in time.
    pub(in crate::kafka::groups) fn share_session_over(
        &mut self,
        group: &Rc<ModernGroup>,
        member: &str,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let Some(member) = group.members.get(member).cloned() else {
            return;
        };
        let timeout_ms = session_ms(host, moment.settings, &group.id);
        let timeout_ms = i32::try_from(timeout_ms).unwrap_or(i32::MAX);
        let why = Departure::SessionExpired { timeout_ms };
        let write = self.fence(group, &[(member, why)], Then::Nothing, host, moment);
        self.write(write, host, moment);
    }

    /// Sessions of a loaded group begin anew. [GroupMetadataManager.onLoaded]
    pub(in crate::kafka::groups) fn share_loaded(&mut self, group: &ModernGroup, host: &dyn Host, moment: &mut Moment) {
        let session = session_ms(host, moment.settings, &group.id);
        for member in group.members.keys() {
            self.restart_modern_session(&group.id, member, session, moment);
        }
    }
}

/// [getOrMaybeSubscribeShareGroupMember, throwIfShareGroupMemberEpochIsInvalid]
fn member_of(group: &ModernGroup, request: &ShareGroupHeartbeatRequest, joins: bool) -> Result<ModernMember, Refusal> {
    let Some(member) = group.members.get(&request.member_id) else {
        return match joins {
            true => Ok(ModernMember::new(request.member_id.clone())),
            false => Err(unknown_member(group, &request.member_id)),
        };
    };
    let (epoch, known, previous) = (request.member_epoch, member.current.epoch, member.current.previous);
    let text = if joins || epoch == known || (epoch < known && epoch == previous) {
        return Ok((**member).clone());
    } else if epoch > known {
        format!(
            "The share group member has a greater member epoch ({epoch}) than the one known by the group coordinator ({known}). The member must abandon all its partitions and rejoin."
        )
    } else {
        format!(
            "The share group member has a smaller member epoch ({epoch}) than the one known by the group coordinator ({known}), and it does not match the previous member epoch ({previous}). The member must abandon all its partitions and rejoin."
        )
    };
    Err(Refusal::of(ErrorCode::FencedMemberEpoch, &text))
}

/// The member with what its request says of it.
fn said(member: &ModernMember, request: &ShareGroupHeartbeatRequest, client: &str) -> ModernMember {
    let mut details = (*member.details).clone();
    if request.rack.is_some() {
        details.rack.clone_from(&request.rack);
    }
    if let Some(topics) = &request.topics {
        details.topics = Rc::new(topics.iter().cloned().collect());
    }
    if *details.client_id != *client {
        details.client_id = client.into();
    }
    ModernMember {
        details: Rc::new(details),
        ..member.clone()
    }
}

/// Has the state of partitions been initialized that nobody is assigned yet? [initializedAssignmentPending]
fn assignment_pending(group: &ModernGroup, host: &dyn Host) -> bool {
    let assigned = super::topics::by_topic(group.targets.values().flat_map(|target| target.iter().copied()));
    let subscribed = |topic: &str| {
        group
            .members
            .values()
            .any(|member| member.details.topics.contains(topic))
    };
    let pending = |(topic, partitions): (&_, &_)| {
        host.topic_name(*topic).is_some_and(|name| subscribed(&name)) && assigned.get(topic) != Some(partitions)
    };
    !group.members.is_empty() && group.share.initialized.iter().any(pending)
}

/// A member takes its target at once. [GroupMetadataManager.maybeReconcile, ShareGroupAssignmentBuilder]
fn reconcile(
    change: &mut Change,
    member: ModernMember,
    (target_epoch, target): (i32, &Partitions),
    changed: bool,
    host: &dyn Host,
) -> ModernMember {
    let before = member.current.epoch;
    if !changed && member.is_reconciled_to(target_epoch) {
        return member;
    }
    let subscribed = topic_ids(&member, &change.group.regexes, host);
    let mine = target.iter().filter(|partition| subscribed.contains(&partition.topic));
    let assigned = Rc::new(mine.map(|partition| (*partition, target_epoch)).collect());
    let current = match before == target_epoch {
        true => Current {
            assigned,
            ..member.current.clone()
        },
        false => Current {
            epoch: target_epoch,
            previous: before,
            state: MemberState::Stable,
            assigned,
            pending: Rc::default(),
        },
    };
    if current == member.current {
        return member;
    }
    let next = ModernMember { current, ..member };
    change.records.push(ModernRecord::Current(
        next.id.clone(),
        Some(Rc::new(next.current.clone())),
    ));
    change.note(ModernNote::Reconciled {
        member: next.id.clone(),
        epoch: next.current.epoch,
        before,
        state: next.current.state,
        assigned: names(next.current.assigned.keys(), host),
        pending: Rc::from([]),
    });
    next
}

/// Partitions that are subscribed to and whose state is not initialized yet are to be.
/// [maybeCreateInitializeShareGroupStateRequest]
fn initialize(
    change: &mut Change,
    updated: &ModernMember,
    epoch: i32,
    host: &dyn Host,
    moment: &Moment,
) -> Option<Box<ShareWork>> {
    let known = change.group.share.clone();
    let fresh = |at: i64| moment.wall_ms - at < moment.settings.share_initialize_retry_ms;
    let subscriptions = Subscriptions::of(change.members_with(updated), &change.group.regexes);
    let mut missing = TopicPartitions::new();
    for (topic, partitions) in subscriptions.topics().filter_map(|name| host.topic(name)) {
        let begun = known.initializing.get(&topic).filter(|(_, at)| fresh(*at));
        let done = |partition: &i32| {
            known
                .initialized
                .get(&topic)
                .is_some_and(|done| done.contains(partition))
                || begun.is_some_and(|(begun, _)| begun.contains(partition))
        };
        let open: crate::ordered::OrderedSet<i32> = (0..partitions).filter(|partition| !done(partition)).collect();
        if !open.is_empty() {
            missing.insert(topic, open);
        }
    }
    if missing.is_empty() {
        return None;
    }
    let next = known.begin(&missing, moment.wall_ms);
    change.records.push(ModernRecord::ShareTopics(Some(Rc::new(next))));
    let state = ShareState {
        state_epoch: epoch,
        ..ShareState::unknown()
    };
    let partitions = partitions_of(&missing)
        .into_iter()
        .map(|partition| (partition, state.clone()));
    Some(Box::new(ShareWork::Initialize {
        group: change.group.id.clone(),
        partitions: partitions.collect(),
    }))
}
