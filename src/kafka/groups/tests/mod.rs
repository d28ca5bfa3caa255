//! Tests of the coordinator with a scripted log: a partition's batches in memory, a high watermark that follows at once
//! or by hand, and a clock.

mod classic;
mod modern;
mod offsets;
mod properties;
mod runtime;

use super::classic::ClassicState;
use super::note::GroupNote;
use super::{Effect, Env, GroupCoordinator, GroupState, GroupTimer, GroupView, Host, ReplyTo};
use crate::kafka::config::{BrokerConfig, GroupConfig, Properties};
use crate::kafka::log::batch::Batch;
use crate::kafka::note::Fact;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, TopicId};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Time};
use std::rc::Rc;

pub(super) const G: &str = "g";

/// One partition of `__consumer_offsets` (there is only one here), and the topics that exist.
#[derive(Clone, Default)]
pub(super) struct Log {
    pub batches: Vec<Batch>,
    /// What the next appends say.
    pub fails: Option<ErrorCode>,
    pub topics: OrderedMap<String, (TopicId, i32)>,
    /// Of the metadata.
    pub version: i64,
}

impl Log {
    pub fn end(&self) -> i64 {
        self.batches.last().map_or(0, Batch::next_offset)
    }
}

impl Host for Log {
    fn append(&mut self, _: i32, batch: Batch) -> Result<i64, ErrorCode> {
        if let Some(error) = self.fails {
            return Err(error);
        }
        let end = self.end();
        self.batches.push(batch.at_offset(end));
        Ok(self.end() - 1)
    }

    fn topic(&self, name: &str) -> Option<(TopicId, i32)> {
        self.topics.get(name).copied()
    }

    fn topic_name(&self, topic: TopicId) -> Option<Rc<str>> {
        let found = self.topics.iter().find(|(_, (id, _))| *id == topic);
        found.map(|(name, _)| name.as_str().into())
    }

    fn topic_names(&self) -> Vec<Rc<str>> {
        self.topics.keys().map(|name| name.as_str().into()).collect()
    }

    fn topic_hash(&self, name: &str) -> Option<u64> {
        let (id, partitions) = self.topic(name)?;
        Some(u64::from(id.0) << 32 | partitions as u64)
    }

    fn metadata_version(&self) -> i64 {
        self.version
    }

    fn version_of_new_topics(&self) -> i64 {
        self.version
    }

    fn group_settings(&self, _: &str) -> Option<GroupConfig> {
        None
    }
}

/// A coordinator with everything around it.
#[derive(Clone)]
pub(super) struct Bench {
    pub log: Log,
    pub groups: GroupCoordinator,
    pub now: Time,
    pub timers: OrderedMap<GroupTimer, Time>,
    pub replies: OrderedMap<u32, Body>,
    pub facts: Vec<Fact>,
    pub notes: Vec<GroupNote>,
    /// The high watermark follows each append at once.
    pub replicated: bool,
    next: u32,
}

/// The wall clock at the start, ms.
const WALL: i64 = 1_790_000_000_000;

pub(super) fn settings(given: &[(&str, &str)]) -> BrokerConfig {
    let mut all: Properties = given.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    all.insert("offsets.topic.num.partitions".into(), "1".into());
    BrokerConfig::from_map(&all).expect("the settings are right")
}

impl Bench {
    /// A loaded coordinator; topic `t` has 4 partitions, `u` one.
    pub fn new(given: &[(&str, &str)]) -> Bench {
        let mut bench = Bench {
            log: Log::default(),
            groups: GroupCoordinator::new(&settings(given), 1, 7),
            now: Time(0),
            timers: OrderedMap::new(),
            replies: OrderedMap::new(),
            facts: Vec::new(),
            notes: Vec::new(),
            replicated: true,
            next: 0,
        };
        bench.log.topics.insert("t".into(), (TopicId(1), 4));
        bench.log.topics.insert("u".into(), (TopicId(2), 1));
        bench.groups.startup(Some(1));
        bench.load(1);
        bench
    }

    pub fn act(&mut self, act: impl FnOnce(&mut GroupCoordinator, &mut Env)) {
        let wall = WALL + self.now.as_ms();
        let mut env = Env::new(self.now, wall, &mut self.log);
        act(&mut self.groups, &mut env);
        for effect in env.effects {
            match effect {
                Effect::Reply { to, body } => {
                    let twice = self.replies.insert(to.correlation, body);
                    assert!(twice.is_none(), "request {} is answered twice", to.correlation);
                }
                Effect::SetTimer { timer, after } => {
                    self.timers.insert(timer, self.now + after);
                }
                Effect::CancelTimer(timer) => {
                    self.timers.remove(&timer);
                }
                Effect::Note(note) => self.notes.push(note),
                Effect::Fact(fact) => self.facts.push(fact),
                Effect::Share(_) => panic!("no share coordinator here"),
            }
        }
    }

    /// The high watermark reaches the end of the log.
    pub fn replicate(&mut self) {
        let end = self.log.end();
        self.act(|groups, env| groups.high_watermark(0, end, env));
    }

    fn settle(&mut self) {
        if self.replicated {
            self.replicate();
        }
    }

    /// The broker is elected, its log replicated as far as `replicated` says.
    pub fn load(&mut self, epoch: i32) {
        let batches = self.log.batches.clone();
        let end = self.log.end();
        let high_watermark = if self.replicated { end } else { 0 };
        self.act(|groups, env| groups.load(0, epoch, batches.iter(), end, high_watermark, env));
    }

    /// Another broker takes over and finds this log: memory is gone.
    pub fn fail_over(&mut self, given: &[(&str, &str)], epoch: i32) {
        self.groups = GroupCoordinator::new(&settings(given), 2, 8);
        self.timers.clear();
        self.groups.startup(Some(1));
        self.load(epoch);
    }

    /// Sends a request; its number.
    pub fn send(&mut self, request: impl Into<Body>) -> u32 {
        self.next += 1;
        let correlation = self.next;
        let to = ReplyTo {
            conn: ConnId::numbered(1),
            correlation,
        };
        let body = request.into();
        self.act(|groups, env| groups.handle(&body, "c", to, env));
        self.settle();
        correlation
    }

    /// Lets this many ms pass, with all timers in their order.
    pub fn wait(&mut self, ms: u64) {
        let end = Time(self.now.as_us() + ms * 1000);
        loop {
            let first = self.timers.iter().map(|(timer, at)| (*at, *timer)).min();
            let Some((at, timer)) = first.filter(|(at, _)| *at <= end) else {
                break;
            };
            self.timers.remove(&timer);
            self.now = self.now.max(at);
            self.act(|groups, env| groups.timer(timer, env));
            self.settle();
        }
        self.now = end;
    }

    pub fn answered(&self, number: u32) -> bool {
        self.replies.contains_key(&number)
    }

    pub fn group(&self) -> GroupView<'_> {
        self.groups.group(G).expect("the group is there")
    }

    pub fn state(&self) -> ClassicState {
        match self.group().state {
            GroupState::Classic(state) => state,
            GroupState::Modern(state) => panic!("no classic group: {state}"),
        }
    }

    pub fn joined(&self, number: u32) -> &JoinGroupResponse {
        match self.replies.get(&number) {
            Some(Body::JoinGroupResponse(response)) => response,
            other => panic!("no answer to JoinGroup: {other:?}"),
        }
    }

    pub fn synced(&self, number: u32) -> &SyncGroupResponse {
        match self.replies.get(&number) {
            Some(Body::SyncGroupResponse(response)) => response,
            other => panic!("no answer to SyncGroup: {other:?}"),
        }
    }

    /// The error of an answer, of its first part if it has no other.
    pub fn error(&self, number: u32) -> ErrorCode {
        match self.replies.get(&number).expect("an answer") {
            Body::JoinGroupResponse(r) => r.error,
            Body::SyncGroupResponse(r) => r.error,
            Body::HeartbeatResponse(r) => r.error,
            Body::LeaveGroupResponse(r) => r.members.first().map_or(r.error, |m| m.2),
            Body::OffsetCommitResponse(r) => r.partitions[0].1,
            Body::OffsetFetchResponse(r) => r.error,
            Body::DescribeGroupsResponse(r) => r.groups[0].error,
            Body::ListGroupsResponse(r) => r.error,
            Body::DeleteGroupsResponse(r) => r.groups[0].1,
            Body::OffsetDeleteResponse(r) => r.partitions.first().map_or(r.error, |p| p.1),
            other => panic!("no answer of a group: {other:?}"),
        }
    }

    /// Gets a member id; the member has not joined yet.
    pub fn member_id(&mut self) -> Rc<str> {
        let first = self.send(join("", None));
        assert_eq!(self.error(first), ErrorCode::MemberIdRequired);
        self.joined(first).member_id.clone()
    }

    /// A dynamic member joins; its id, and its JoinGroup that may be parked.
    pub fn join(&mut self) -> (Rc<str>, u32) {
        let id = self.member_id();
        let number = self.send(join(&id, None));
        (id, number)
    }

    /// The group's only member joins and syncs after the initial delay.
    pub fn stable_with_one(&mut self) -> Rc<str> {
        let (id, _) = self.join();
        self.wait(3_000);
        let sync = self.sync(&id, &[(&id, 0)]);
        assert_eq!(self.error(sync), ErrorCode::None);
        id
    }

    /// Two dynamic members, the first one leads, Stable.
    pub fn stable_with_two(&mut self) -> (Rc<str>, Rc<str>) {
        let (a, _) = self.join();
        let (b, _) = self.join();
        self.wait(6_000);
        let late = self.sync(&b, &[]);
        self.sync(&a, &[(&a, 0), (&b, 1)]);
        assert_eq!(self.error(late), ErrorCode::None);
        assert_eq!(self.state(), ClassicState::Stable);
        (a, b)
    }

    /// A SyncGroup of the current generation, with partitions of `t`.
    pub fn sync(&mut self, member: &Rc<str>, assignments: &[(&Rc<str>, i32)]) -> u32 {
        let generation = self.group().generation;
        self.sync_of(member, None, generation, assignments)
    }

    pub fn sync_of(
        &mut self,
        member: &Rc<str>,
        instance: Option<&str>,
        generation: i32,
        assignments: &[(&Rc<str>, i32)],
    ) -> u32 {
        let one = |(id, p): &(&Rc<str>, i32)| (Rc::clone(id), Rc::from([partition("t", *p)]));
        self.send(SyncGroupRequest {
            group: G.into(),
            generation,
            member_id: member.clone(),
            instance_id: instance.map(Rc::from),
            protocol_type: Some("consumer".into()),
            protocol: Some("range".into()),
            assignments: assignments.iter().map(one).collect(),
        })
    }

    pub fn heartbeat(&mut self, member: &Rc<str>) -> ErrorCode {
        let generation = self.group().generation;
        let number = self.send(heartbeat(member, None, generation));
        self.error(number)
    }

    /// Commits an offset of `t`-0 as a member of the current generation.
    pub fn commit(&mut self, member: &Rc<str>, offset: i64) -> u32 {
        let generation = self.group().generation;
        self.send(commit(member, generation, &[("t", 0, offset)]))
    }

    /// What OffsetFetch says of a partition, and its error.
    pub fn fetch(&mut self, topic: &str, p: i32, require_stable: bool) -> u32 {
        self.send(OffsetFetchRequest {
            group: G.into(),
            member: None,
            partitions: Some(vec![partition(topic, p)]),
            require_stable,
        })
    }

    pub fn fetched(&self, number: u32) -> i64 {
        match self.replies.get(&number) {
            Some(Body::OffsetFetchResponse(r)) => r.partitions[0].1.offset,
            other => panic!("no answer to OffsetFetch: {other:?}"),
        }
    }

    pub fn describe(&mut self) -> DescribedGroup {
        let number = self.send(DescribeGroupsRequest { groups: vec![G.into()] });
        match self.replies.get(&number) {
            Some(Body::DescribeGroupsResponse(r)) => r.groups[0].clone(),
            other => panic!("no answer to DescribeGroups: {other:?}"),
        }
    }
}

pub(super) fn partition(topic: &str, partition: i32) -> NamedPartition {
    NamedPartition {
        topic: topic.into(),
        partition,
    }
}

pub(super) fn subscription(topics: &[&str], generation: i32) -> Rc<Subscription> {
    Rc::new(Subscription {
        topics: topics.iter().map(|topic| Rc::from(*topic)).collect(),
        owned: Vec::new(),
        generation,
        rack: None,
    })
}

/// A consumer of `t`: session 10 s, rebalance time-out 20 s.
pub(super) fn join(member: &str, instance: Option<&str>) -> JoinGroupRequest {
    JoinGroupRequest {
        group: G.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 20_000,
        member_id: member.into(),
        instance_id: instance.map(Rc::from),
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), subscription(&["t"], -1))],
    }
}

pub(super) fn heartbeat(member: &str, instance: Option<&str>, generation: i32) -> HeartbeatRequest {
    HeartbeatRequest {
        group: G.into(),
        generation,
        member_id: member.into(),
        instance_id: instance.map(Rc::from),
    }
}

pub(super) fn leave(members: &[(&str, Option<&str>)]) -> LeaveGroupRequest {
    let one = |(id, instance): &(&str, Option<&str>)| (Rc::from(*id), instance.map(Rc::from));
    LeaveGroupRequest {
        group: G.into(),
        members: members.iter().map(one).collect(),
    }
}

pub(super) fn commit(member: &str, generation: i32, offsets: &[(&str, i32, i64)]) -> OffsetCommitRequest {
    let one = |(topic, p, offset): &(&str, i32, i64)| {
        let committed = CommittedOffset {
            offset: *offset,
            leader_epoch: -1,
            metadata: "".into(),
        };
        (partition(topic, *p), committed)
    };
    OffsetCommitRequest {
        group: G.into(),
        generation,
        member_id: member.into(),
        instance_id: None,
        offsets: offsets.iter().map(one).collect(),
    }
}
