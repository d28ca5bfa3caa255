//! Who goes: members that leave, that are taken out, or that were not heard of in time.
//! [GroupMetadataManager.consumerGroupLeave, consumerGroupFenceMembers]

use super::heartbeat::{Change, fenced_instance, unknown_instance, unknown_member};
use super::member::{Current, MemberState, ModernMember};
use super::records::ModernRecord;
use super::subscriptions::Subscriptions;
use super::{ModernGroup, Refusal};
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::{Host, ReplyTo};
use crate::kafka::groups::group::Group;
use crate::kafka::groups::note::{Departure, ModernNote};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::groups::timers::TimerKey;
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::consumer_group::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, LEAVE_STATIC_EPOCH,
};
use crate::sim::Span;
use std::rc::Rc;

impl Shard {
    /// A consumer group, if it is one.
    pub(in crate::kafka::groups) fn consumer(&self, id: &str) -> Option<Rc<ModernGroup>> {
        let group = self.store.groups.get(id).and_then(Group::modern)?;
        (group.kind == GroupType::Consumer).then(|| group.clone())
    }

    pub(super) fn consumer_leave(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) -> Result<Write, Refusal> {
        let id = &request.member_id;
        let Some(group) = self.consumer(&request.group) else {
            let text = match self.store.groups.contains_key(&request.group) {
                true => format!("Group {} is not a consumer group.", request.group),
                false => format!("Group {} not found.", request.group),
            };
            return Err(Refusal::of(ErrorCode::GroupIdNotFound, &text));
        };
        let member = match &request.instance_id {
            None => group
                .members
                .get(id)
                .cloned()
                .ok_or_else(|| unknown_member(&group, id))?,
            Some(instance) => {
                let holder = group.static_member(instance).cloned();
                let holder = holder.ok_or_else(|| unknown_instance(instance))?;
                fenced_instance(&holder, id, instance)?;
                holder
            }
        };
        let response = ConsumerGroupHeartbeatResponse {
            error: ErrorCode::None,
            message: None,
            member_id: member.id.clone(),
            member_epoch: request.member_epoch,
            heartbeat_interval_ms: 0,
            assignment: None,
        };
        let body = response.into();
        let then = Then::Answer { to, body };
        if request.instance_id.is_some() && request.member_epoch == LEAVE_STATIC_EPOCH {
            return Ok(leave_for_a_while(group, &member).into_write(then));
        }
        Ok(self.fence(&group, &[(member, Departure::Left)], then, host, moment))
    }

    /// Members go, and the group epoch grows; or the group turns into a classic one if only classic members are left.
    pub(in crate::kafka::groups) fn fence(
        &mut self,
        group: &Rc<ModernGroup>,
        members: &[(Rc<ModernMember>, Departure)],
        then: Then,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Write {
        let mut change = Change::of(group.clone());
        if members.is_empty() {
            return change.into_write(then);
        }
        for (member, why) in members {
            change.note(ModernNote::Left {
                member: member.id.clone(),
                why: *why,
            });
        }
        let leaves = |member: &ModernMember| members.iter().any(|(gone, _)| gone.id == member.id);
        let leaving: Vec<Rc<str>> = members.iter().map(|(member, _)| member.id.clone()).collect();
        for id in &leaving {
            self.cancel_member_timers(&group.id, id, moment);
        }
        if group.kind == GroupType::Consumer && self.may_downgrade(group, &leaving, moment) {
            return self.downgrade(change, &leaving, None, then, host, moment);
        }
        leaving.iter().for_each(|id| change.remove_records(id));
        let left = group.members.values().map(|member| &**member);
        let left = Subscriptions::of(left.filter(|member| !leaves(member)), &group.regexes);
        for regex in group.regexes.keys().filter(|regex| left.with_regex(regex) == 0) {
            change.records.push(ModernRecord::Regex(regex.clone(), None));
        }
        change.bump(group.epoch, left.metadata_hash(host), false);
        change.into_write(then)
    }

    /// Session, rebalance, join and sync time-outs of a member end.
    pub(in crate::kafka::groups) fn cancel_member_timers(
        &mut self,
        group: &Rc<str>,
        member: &Rc<str>,
        moment: &mut Moment,
    ) {
        let (group, member) = (group.clone(), member.clone());
        for key in [
            TimerKey::Session {
                group: group.clone(),
                member: member.clone(),
            },
            TimerKey::Rebalance {
                group: group.clone(),
                member: member.clone(),
            },
            TimerKey::Rejoin {
                group: group.clone(),
                member: member.clone(),
            },
            TimerKey::Resync { group, member },
        ] {
            self.timers.cancel(&key, moment.effects);
        }
    }

    /// A member was not heard of, or did not do what it had to, in time: it is out. Nothing if it is not there.
    pub(in crate::kafka::groups) fn modern_timeout(
        &mut self,
        group: &Rc<str>,
        member: &Rc<str>,
        what: Timeout,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let Some(group) = self.consumer(group) else { return };
        let Some(member) = group.members.get(member).cloned() else {
            return;
        };
        let rebalance_ms = member.details.rebalance_timeout_ms;
        let why = match what {
            Timeout::Session => {
                let own = host.group_settings(&group.id);
                let session = own.map_or(moment.settings.consumer_session_ms, |own| {
                    own.consumer_session_timeout_ms
                });
                let session = member.classic_session_ms().unwrap_or(session);
                Departure::SessionExpired {
                    timeout_ms: i32::try_from(session).unwrap_or(i32::MAX),
                }
            }
            Timeout::Rebalance if member.current.state != MemberState::UnrevokedPartitions => return,
            Timeout::Rebalance => Departure::DidNotRevoke {
                timeout_ms: rebalance_ms,
            },
            Timeout::Rejoin => Departure::DidNotRejoin {
                timeout_ms: rebalance_ms,
            },
            Timeout::Resync => Departure::DidNotSync {
                timeout_ms: rebalance_ms,
            },
        };
        let write = self.fence(&group, &[(member, why)], Then::Nothing, host, moment);
        self.write(write, host, moment);
    }

    /// Sessions of a loaded group begin anew, and the rebalance time-outs of those who have something to give up.
    /// [GroupMetadataManager.onLoaded]
    pub(in crate::kafka::groups) fn modern_loaded(&mut self, id: &Rc<str>, host: &dyn Host, moment: &mut Moment) {
        if let Some(group) = self.share(id) {
            return self.share_loaded(&group, host, moment);
        }
        let Some(group) = self.consumer(id) else { return };
        let own = host.group_settings(id);
        let session = own.map_or(moment.settings.consumer_session_ms, |own| {
            own.consumer_session_timeout_ms
        });
        for member in group.members.values() {
            self.restart_modern_session(id, &member.id, session, moment);
            if member.current.state == MemberState::UnrevokedPartitions {
                let key = TimerKey::Rebalance {
                    group: id.clone(),
                    member: member.id.clone(),
                };
                let after = Span::from_ms(i64::from(member.details.rebalance_timeout_ms));
                self.timers.schedule(key, moment.now, after, moment.effects);
            }
        }
    }
}

/// Which of a member's time-outs is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kafka::groups) enum Timeout {
    Session,
    Rebalance,
    Rejoin,
    Resync,
}

/// A static member keeps its place and its partitions until its session is over.
/// [consumerGroupStaticMemberGroupLeave]
fn leave_for_a_while(group: Rc<ModernGroup>, member: &ModernMember) -> Change {
    let assigned = member.current.assigned.keys().map(|partition| (*partition, 0));
    let current = Current {
        epoch: LEAVE_STATIC_EPOCH,
        assigned: Rc::new(assigned.collect()),
        pending: Rc::default(),
        ..member.current.clone()
    };
    let mut change = Change::of(group);
    change
        .records
        .push(ModernRecord::Current(member.id.clone(), Some(Rc::new(current))));
    change.note(ModernNote::StaticLeft {
        member: member.id.clone(),
    });
    change
}

impl ModernGroup {
    /// What takes the group out of the log. `renamed`: a member whose records are written under another id by now.
    /// [ConsumerGroup.createGroupTombstoneRecords, createGroupTombstoneRecordsWithReplacedMember]
    pub(in crate::kafka::groups) fn tombstones(&self, renamed: Option<(&Rc<str>, &Rc<str>)>) -> Vec<GroupRecord> {
        let name = |id: &Rc<str>| match renamed {
            Some((from, to)) if from == id => to.clone(),
            _ => id.clone(),
        };
        let ids: Vec<Rc<str>> = self.members.keys().map(name).collect();
        let mut records: Vec<ModernRecord> = Vec::new();
        records.extend(ids.iter().map(|id| ModernRecord::Current(id.clone(), None)));
        records.extend(ids.iter().map(|id| ModernRecord::Target(id.clone(), None)));
        records.push(ModernRecord::TargetEpoch(None));
        records.extend(ids.iter().map(|id| ModernRecord::Member(id.clone(), None)));
        records.extend(
            self.regexes
                .keys()
                .map(|regex| ModernRecord::Regex(regex.clone(), None)),
        );
        if self.kind == GroupType::Share {
            records.push(ModernRecord::ShareTopics(None));
        }
        records.push(ModernRecord::Epoch(None));
        let all = records.into_iter().map(|record| GroupRecord::Modern {
            group: self.id.clone(),
            kind: self.kind,
            record,
        });
        all.collect()
    }
}
