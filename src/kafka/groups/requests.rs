//! Requests of members: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. [GroupCoordinatorService, GroupMetadataManager]

use super::classic::work::{Moment, join_error, sync_error};
use super::effects::{Host, ReplyTo};
use super::group::Group;
use super::note::GroupNote;
use super::shard::{Shard, Then, Write};
use super::view::GroupType;
use crate::kafka::protocol::groups::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest,
};
use crate::kafka::protocol::{Body, ErrorCode};

impl Shard {
    /// A group that is missing is made, but only for somebody who claims no member id.
    pub fn join(
        &mut self,
        request: &JoinGroupRequest,
        client: &str,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        match self.store.groups.get(&request.group).cloned() {
            Some(Group::Modern(group)) if group.kind == GroupType::Consumer && !group.members.is_empty() => {
                return self.join_modern(&group, request, client, to, host, moment);
            }
            Some(Group::Modern(group)) if group.kind != GroupType::Consumer => {
                return moment.reply(to, join_error(&"".into(), ErrorCode::InconsistentGroupProtocol));
            }
            _ => {}
        }
        // An empty consumer group becomes a classic one.
        let converted = match self.store.groups.get(&request.group) {
            Some(Group::Modern(_)) => self.group_tombstones(&request.group, moment),
            _ => Vec::new(),
        };
        if !converted.is_empty() {
            self.store.put_group(&request.group, None, self.written);
            self.store.refreshed.remove(&request.group);
        }
        let new = !self.store.groups.contains_key(&request.group);
        if new && !request.member_id.is_empty() {
            moment.reply(to, join_error(&request.member_id, ErrorCode::UnknownMemberId));
            return;
        }
        if new {
            self.store.create(&request.group, self.written);
            moment.note(GroupNote::Created {
                group: request.group.clone(),
                simple: false,
            });
        }
        let joined = self.work(&request.group, moment, |work| {
            let then = work.join(request, client, to);
            if new && work.records.is_empty() {
                work.record_creation();
            }
            then
        });
        let joined = joined.map(|(then, records)| (then, converted.into_iter().chain(records).collect()));
        self.write_soft(joined, host, moment);
    }

    pub fn sync(&mut self, request: &SyncGroupRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        if let Some(group) = self.consumer(&request.group).filter(|group| !group.members.is_empty()) {
            return self.sync_modern(&group, request, to, host, moment);
        }
        let synced = self.work(&request.group, moment, |work| work.sync(request, to));
        if synced.is_none() {
            moment.reply(to, sync_error(ErrorCode::UnknownMemberId));
        }
        self.write_soft(synced, host, moment);
    }

    pub fn heartbeat(&mut self, request: &HeartbeatRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        let beat = match self.consumer(&request.group) {
            Some(group) => Some(self.heartbeat_modern(&group, request, moment)),
            None => {
                let beat = self.work(&request.group, moment, |work| work.heartbeat(request));
                beat.map(|(result, _)| result)
            }
        };
        let answer = |error| Body::from(HeartbeatResponse { error });
        match beat {
            None => moment.reply(to, answer(ErrorCode::UnknownMemberId)),
            Some(Err(error)) => moment.reply(to, answer(error)),
            Some(Ok(error)) => {
                let body = answer(error);
                let write = Write {
                    then: Then::Answer { to, body },
                    ..Write::default()
                };
                self.write(write, host, moment);
            }
        }
    }

    pub fn leave(&mut self, request: &LeaveGroupRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        if let Some(group) = self.consumer(&request.group) {
            return self.leave_modern(&group, request, to, host, moment);
        }
        let left = self.work(&request.group, moment, |work| work.leave(request));
        let Some((response, records)) = left else {
            let members = request.members.iter();
            let members = members.map(|(id, instance)| (id.clone(), instance.clone(), ErrorCode::UnknownMemberId));
            let response = LeaveGroupResponse {
                error: ErrorCode::None,
                members: members.collect(),
            };
            return moment.reply(to, response);
        };
        let write = Write {
            records,
            then: Then::Answer {
                to,
                body: response.into(),
            },
            ..Write::default()
        };
        self.write(write, host, moment);
    }

    /// Writes what an operation left that has changed the group already.
    pub fn write_soft(
        &mut self,
        done: Option<(Then, Vec<super::records::GroupRecord>)>,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        if let Some((then, records)) = done {
            let write = Write {
                records,
                then,
                ..Write::default()
            };
            self.write(write, host, moment);
        }
    }
}
