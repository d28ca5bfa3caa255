//! What an operation on a group has at hand: the group, its shard's timers, answers, notes, and the records to write.

use super::{ClassicGroup, ClassicMember, ClassicState, Parked};
use crate::kafka::groups::effects::{Effect, ReplyTo};
use crate::kafka::groups::note::GroupNote;
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::settings::Settings;
use crate::kafka::groups::timers::{TimerKey, Timers};
use crate::kafka::protocol::groups::{JoinGroupResponse, SyncGroupResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::sim::{Random, Span, Time};
use std::rc::Rc;

/// The input that is handled.
pub(in crate::kafka::groups) struct Moment<'a> {
    pub now: Time,
    /// Wall clock, ms.
    pub wall_ms: i64,
    pub settings: &'a Settings,
    pub random: &'a mut Random,
    pub effects: &'a mut Vec<Effect>,
}

impl Moment<'_> {
    pub fn reply(&mut self, to: ReplyTo, body: impl Into<Body>) {
        self.effects.push(Effect::Reply { to, body: body.into() });
    }

    pub fn note(&mut self, note: GroupNote) {
        self.effects.push(Effect::Note(note));
    }

    /// A random UUID (version 4).
    pub fn new_uuid(&mut self) -> Rc<str> {
        const VERSION_4: u64 = 0x4000;
        const VARIANT: u64 = 0x8000_0000_0000_0000;
        let high = self.random.bits() & !0xf000 | VERSION_4;
        let low = self.random.bits() & !(VARIANT | VARIANT >> 1) | VARIANT;
        let uuid = format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        );
        uuid.into()
    }
}

/// One operation on one group.
pub(in crate::kafka::groups) struct Work<'w, 'm> {
    pub group: &'w mut ClassicGroup,
    pub timers: &'w mut Timers,
    pub moment: &'w mut Moment<'m>,
    /// What is to be written.
    pub records: Vec<GroupRecord>,
}

/// What a member is told that does not get in.
pub(in crate::kafka::groups) fn join_error(member: &Rc<str>, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error,
        generation: -1,
        protocol: None,
        leader: "".into(),
        skip_assignment: false,
        member_id: member.clone(),
        members: Vec::new(),
    }
}

/// An assignment that is not given.
pub(in crate::kafka::groups) fn sync_error(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error,
        protocol: None,
        assignment: Rc::from([]),
    }
}

impl<'w, 'm> Work<'w, 'm> {
    pub fn new(group: &'w mut ClassicGroup, timers: &'w mut Timers, moment: &'w mut Moment<'m>) -> Work<'w, 'm> {
        Work {
            group,
            timers,
            moment,
            records: Vec::new(),
        }
    }

    /// A group that is new is written, so that it is there for readers. [newEmptyGroupMetadataRecord]
    pub fn record_creation(&mut self) {
        let group = self.group.id.clone();
        let value = Some(ClassicGroup::empty(group.clone()).to_record(|_| Rc::from([])));
        self.records.push(GroupRecord::Group { group, value });
    }

    pub(super) fn schedule(&mut self, key: TimerKey, after_ms: i64) {
        let after = Span::from_ms(after_ms);
        self.timers.schedule(key, self.moment.now, after, self.moment.effects);
    }

    pub(super) fn cancel(&mut self, key: &TimerKey) {
        self.timers.cancel(key, self.moment.effects);
    }

    pub(super) fn session_key(&self, member: &Rc<str>) -> TimerKey {
        TimerKey::Session {
            group: self.group.id.clone(),
            member: member.clone(),
        }
    }

    pub(super) fn join_key(&self) -> TimerKey {
        TimerKey::Join {
            group: self.group.id.clone(),
        }
    }

    pub(super) fn sync_key(&self) -> TimerKey {
        TimerKey::Sync {
            group: self.group.id.clone(),
        }
    }

    /// The member was heard of: its session begins anew. Nothing if it is not there.
    pub fn restart_session(&mut self, member: &str) {
        if let Some(member) = self.group.members.get(member) {
            let key = TimerKey::Session {
                group: self.group.id.clone(),
                member: member.id.clone(),
            };
            let after = i64::from(member.session_timeout_ms);
            self.schedule(key, after);
        }
    }

    pub(super) fn transition(&mut self, to: ClassicState) {
        let from = self.group.state;
        self.group.previous = from;
        self.group.state = to;
        self.group.state_since = Some(self.moment.wall_ms);
        self.moment.note(GroupNote::StateChanged {
            group: self.group.id.clone(),
            from,
            to,
        });
    }

    /// Answers a parked JoinGroup, if there is one that waits for an answer.
    pub(super) fn complete_join(&mut self, member: &str, response: JoinGroupResponse) -> bool {
        let Some(member) = self.group.members.get_mut(member) else {
            return false;
        };
        answer(self.moment, &mut member.join, response)
    }

    /// Answers a parked SyncGroup, if there is one that waits for an answer.
    pub(super) fn complete_sync(&mut self, member: &str, response: SyncGroupResponse) -> bool {
        let Some(member) = self.group.members.get_mut(member) else {
            return false;
        };
        answer(self.moment, &mut member.sync, response)
    }

    /// The group is somebody else's now: whoever waits is told so. [GroupMetadataManager.onUnloaded]
    pub fn abandon(&mut self, error: ErrorCode) {
        for member in self.group.members.values_mut() {
            answer(self.moment, &mut member.join, join_error(&member.id, error));
            answer(self.moment, &mut member.sync, sync_error(error));
        }
    }

    /// The write behind a JoinGroup failed: it is answered if it is not yet, and the member goes on waiting.
    pub fn fail_join(&mut self, to: ReplyTo, error: ErrorCode) {
        let waits = |member: &&mut ClassicMember| member.join == Parked::For(to);
        if let Some(member) = self.group.members.values_mut().find(waits) {
            member.join = Parked::Answered;
            self.moment.reply(to, join_error(&"".into(), error));
        }
    }

    /// The write behind a SyncGroup failed: as with [`fail_join`](Self::fail_join).
    pub fn fail_sync(&mut self, to: ReplyTo, error: ErrorCode) {
        let waits = |member: &&mut ClassicMember| member.sync == Parked::For(to);
        if let Some(member) = self.group.members.values_mut().find(waits) {
            member.sync = Parked::Answered;
            self.moment.reply(to, sync_error(error));
        }
    }
}

/// Ends a wait; whether there was one.
pub(super) fn answer(moment: &mut Moment<'_>, parked: &mut Parked, response: impl Into<Body>) -> bool {
    match std::mem::take(parked) {
        Parked::No => false,
        Parked::Answered => true,
        Parked::For(to) => {
            moment.reply(to, response);
            true
        }
    }
}
