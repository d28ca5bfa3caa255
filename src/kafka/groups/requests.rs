//! Requests of members: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. [GroupCoordinatorService, GroupMetadataManager]

use super::classic::work::{Moment, join_error, sync_error};
use super::effects::{Host, ReplyTo};
use super::note::GroupNote;
use super::shard::{Shard, Then, Write};
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
        self.write_soft(joined, host, moment);
    }

    pub fn sync(&mut self, request: &SyncGroupRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        let synced = self.work(&request.group, moment, |work| work.sync(request, to));
        if synced.is_none() {
            moment.reply(to, sync_error(ErrorCode::UnknownMemberId));
        }
        self.write_soft(synced, host, moment);
    }

    pub fn heartbeat(&mut self, request: &HeartbeatRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        let beat = self.work(&request.group, moment, |work| work.heartbeat(request));
        let answer = |error| Body::from(HeartbeatResponse { error });
        match beat.map(|(result, _)| result) {
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
