//! Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete, deleted topics, expiry. [OffsetMetadataManager]

use super::classic::work::Moment;
use super::classic::{ClassicGroup, ClassicState};
use super::effects::{Host, ReplyTo};
use super::group::Group;
use super::modern::ModernGroup;
use super::note::{GroupNote, OffsetsGone};
use super::records::{GroupRecord, StoredOffset};
use super::shard::{Shard, Then, Write};
use super::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::*;
use crate::kafka::types::{NamedPartition, TopicId, TopicPartition};
use crate::ordered::OrderedSet;
use crate::sim::Span;
use std::rc::Rc;

impl Shard {
    /// Partitions that do not exist are refused one by one; the rest goes on if the group lets the committer.
    pub fn commit(&mut self, request: &OffsetCommitRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        let topics = topics_of(host, &request.offsets);
        if topics.iter().all(Option::is_none) {
            let partitions = request
                .offsets
                .iter()
                .map(|(p, _)| (p.clone(), ErrorCode::UnknownTopicOrPartition));
            let partitions = partitions.collect();
            return moment.reply(to, OffsetCommitResponse { partitions });
        }
        if let Err(error) = self.check_commit(request, &topics, moment) {
            let known = |topic: Option<TopicId>| topic.map_or(ErrorCode::UnknownTopicOrPartition, |_| error);
            let partitions = request
                .offsets
                .iter()
                .zip(&topics)
                .map(|((p, _), topic)| (p.clone(), known(*topic)));
            let partitions = partitions.collect();
            return moment.reply(to, OffsetCommitResponse { partitions });
        }
        let mut write = Write {
            replay: true,
            ..Write::default()
        };
        let partitions = write_offsets(&mut write, &request.group, &request.offsets, &topics, moment);
        write.then = Then::Answer {
            to,
            body: OffsetCommitResponse { partitions }.into(),
        };
        self.write(write, host, moment);
    }

    /// A group that is missing is made for a commit from outside.
    fn check_commit(
        &mut self,
        request: &OffsetCommitRequest,
        topics: &[Option<TopicId>],
        moment: &mut Moment,
    ) -> Result<(), ErrorCode> {
        let modern = self.store.groups.get(&request.group).and_then(Group::modern);
        let checked = if let Some(group) = modern {
            let most = moment.settings.metadata_max_length;
            check_commit_of_modern(group, request, topics, most)
        } else if self.store.groups.contains_key(&request.group) {
            let checked = self.work(&request.group, moment, |work| work.check_commit(request));
            checked.map_or(Ok(()), |(result, _)| result)
        } else if request.generation < 0 {
            self.store.create(&request.group, self.written);
            moment.note(GroupNote::Created {
                group: request.group.clone(),
                simple: true,
            });
            Ok(())
        } else {
            Err(ErrorCode::GroupIdNotFound)
        };
        checked.inspect_err(|error| {
            moment.note(GroupNote::CommitRefused {
                group: request.group.clone(),
                member: request.member_id.clone(),
                error: *error,
            });
        })
    }

    /// Only a member in its epoch is told offsets, and who is no member. [ConsumerGroup.validateOffsetFetch]
    fn check_fetch(&self, request: &OffsetFetchRequest) -> Option<ErrorCode> {
        let (id, epoch) = request.member.as_ref()?;
        let group = match request.require_stable {
            true => self.store.groups.get(&request.group),
            false => self.store.committed_group(&request.group),
        };
        let group = group.and_then(Group::modern)?;
        match group.members.get(id) {
            None => Some(ErrorCode::UnknownMemberId),
            Some(member) if member.current.epoch == *epoch => None,
            Some(member) if member.is_classic() => Some(ErrorCode::IllegalGeneration),
            Some(_) => Some(ErrorCode::StaleMemberEpoch),
        }
    }

    /// With `require_stable` as of now, after all writes before it; otherwise as of the high watermark, at once.
    pub fn fetch(&mut self, request: &OffsetFetchRequest, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        if let Some(error) = self.check_fetch(request) {
            let partitions = Vec::new();
            return moment.reply(to, OffsetFetchResponse { error, partitions });
        }
        let offsets = if request.require_stable {
            self.store.latest_offsets(&request.group)
        } else {
            self.store.committed_offsets(&request.group)
        };
        let partitions = match &request.partitions {
            None => {
                let all = offsets.iter().map(|(p, stored)| fetched(p, Some(stored)));
                all.map(|part| self.unless_unstable(request, part)).collect()
            }
            Some(asked) => {
                let one = |p: &NamedPartition| {
                    let topic = host.topic(&p.topic).map(|(id, _)| id);
                    // An offset of a topic that was deleted and made again is not this one's.
                    let same = |stored: &&StoredOffset| topic.is_none_or(|topic| topic == stored.topic);
                    fetched(p, offsets.get(p).filter(same))
                };
                asked.iter().map(|p| self.unless_unstable(request, one(p))).collect()
            }
        };
        let response = OffsetFetchResponse {
            error: ErrorCode::None,
            partitions,
        };
        if !request.require_stable {
            return moment.reply(to, response);
        }
        let write = Write {
            then: Then::Answer {
                to,
                body: response.into(),
            },
            ..Write::default()
        };
        self.write(write, host, moment);
    }

    /// An operator deletes offsets: not of topics that the group is subscribed to.
    pub fn delete_offsets(
        &mut self,
        request: &OffsetDeleteRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let refuse = |error| OffsetDeleteResponse {
            error,
            partitions: Vec::new(),
        };
        let Some(group) = self.store.groups.get(&request.group) else {
            return moment.reply(to, refuse(ErrorCode::GroupIdNotFound));
        };
        let refuses = |group: &Rc<ClassicGroup>| group.state() != ClassicState::Empty && !group.is_consumer();
        if group.classic().is_some_and(refuses) {
            return moment.reply(to, refuse(ErrorCode::NonEmptyGroup));
        }
        let offsets = self.store.latest_offsets(&request.group);
        let subscribed = |p: &NamedPartition| group.is_subscribed_to(&p.topic);
        let error = |p: &NamedPartition| match subscribed(p) {
            true => ErrorCode::GroupSubscribedToTopic,
            false => ErrorCode::None,
        };
        let partitions = request.partitions.iter().map(|p| (p.clone(), error(p))).collect();
        let pending = |p: &NamedPartition| self.store.is_pending(&request.group, p);
        let gone = request
            .partitions
            .iter()
            .filter(|p| !subscribed(p) && (offsets.contains_key(*p) || pending(p)));
        let gone: Vec<NamedPartition> = gone.cloned().collect();
        let mut write = tombstones(&request.group, gone, OffsetsGone::Deleted);
        write.then = Then::Answer {
            to,
            body: OffsetDeleteResponse {
                error: ErrorCode::None,
                partitions,
            }
            .into(),
        };
        self.write(write, host, moment);
    }

    /// Topics were deleted: their offsets go from all groups. [OffsetMetadataManager.onTopicsDeleted]
    pub fn topics_deleted(&mut self, topics: &OrderedSet<TopicId>, host: &mut dyn Host, moment: &mut Moment) {
        let mut write = Write::default();
        for (group, offsets) in &self.store.offsets {
            let gone = offsets.iter().filter(|(_, stored)| topics.contains(&stored.topic));
            let gone: Vec<NamedPartition> = gone.map(|(partition, _)| partition.clone()).collect();
            merge(&mut write, tombstones(group, gone, OffsetsGone::TopicDeleted));
        }
        self.write(write, host, moment);
    }

    /// Offsets that are too old go, and empty groups without offsets. [GroupCoordinatorShard.cleanupGroupMetadata]
    pub fn expire(&mut self, host: &mut dyn Host, moment: &mut Moment) {
        let mut write = Write::default();
        let mut ended = Vec::new();
        for (id, group) in &self.store.groups {
            let offsets = self.store.latest_offsets(id);
            let gone: Vec<NamedPartition> = (offsets.iter())
                .filter(|(partition, stored)| expired(group, &partition.topic, stored, moment))
                .filter(|(partition, _)| !self.store.is_pending(id, partition))
                .map(|(partition, _)| partition.clone())
                .collect();
            let all = gone.len() == offsets.len() && !self.store.has_pending(id);
            let retention_ms = moment.settings.retention_ms;
            merge(&mut write, tombstones(id, gone, OffsetsGone::Expired { retention_ms }));
            if all && group.state().is_empty() && group.kind() != GroupType::Share {
                ended.push(id.clone());
                write.notes.push(GroupNote::Deleted {
                    group: id.clone(),
                    expired: true,
                });
            }
        }
        for id in ended {
            write.records.extend(self.group_tombstones(&id, moment));
        }
        write.replay = true;
        self.write(write, host, moment);
        let next = Span::from_ms(moment.settings.retention_check_ms);
        let key = super::timers::TimerKey::Expiry;
        self.timers.schedule(key, moment.now, next, moment.effects);
    }
}

/// The topics of the partitions that a commit names; `None`: there is no such partition.
pub(super) fn topics_of(host: &dyn Host, offsets: &[(NamedPartition, CommittedOffset)]) -> Vec<Option<TopicId>> {
    let topic_of = |p: &NamedPartition| {
        let (topic, count) = host.topic(&p.topic)?;
        (0..count).contains(&p.partition).then_some(topic)
    };
    offsets.iter().map(|(p, _)| topic_of(p)).collect()
}

/// The records of a commit, and what is answered of each partition.
pub(super) fn write_offsets(
    write: &mut Write,
    group: &Rc<str>,
    offsets: &[(NamedPartition, CommittedOffset)],
    topics: &[Option<TopicId>],
    moment: &Moment,
) -> Vec<(NamedPartition, ErrorCode)> {
    let mut partitions = Vec::with_capacity(offsets.len());
    for ((partition, committed), topic) in offsets.iter().zip(topics) {
        let error = match *topic {
            None => ErrorCode::UnknownTopicOrPartition,
            Some(_) if too_long(&committed.metadata, moment.settings.metadata_max_length) => {
                ErrorCode::OffsetMetadataTooLarge
            }
            Some(topic) => {
                write.records.push(GroupRecord::Offset {
                    group: group.clone(),
                    partition: partition.clone(),
                    value: Some(StoredOffset {
                        committed: committed.clone(),
                        topic,
                        commit_time: moment.wall_ms,
                        record_offset: -1,
                    }),
                });
                ErrorCode::None
            }
        };
        partitions.push((partition.clone(), error));
    }
    partitions
}

/// Longer than `offset.metadata.max.bytes`, in UTF-16 units as Java counts.
fn too_long(metadata: &str, most: usize) -> bool {
    metadata.encode_utf16().count() > most
}

/// May a member of a consumer group, or somebody outside, commit? In an older epoch only what the member has had since
/// then; one partition that it has not fails all. [ConsumerGroup.validateOffsetCommit, createAssignmentEpochValidator]
pub(super) fn check_commit_of_modern(
    group: &ModernGroup,
    request: &OffsetCommitRequest,
    topics: &[Option<TopicId>],
    most: usize,
) -> Result<(), ErrorCode> {
    if group.kind == GroupType::Share {
        return Err(ErrorCode::GroupIdNotFound);
    }
    if request.generation < 0 && group.members.is_empty() {
        return Ok(());
    }
    let member = group
        .members
        .get(&request.member_id)
        .ok_or(ErrorCode::UnknownMemberId)?;
    let stale = match member.is_classic() {
        true => ErrorCode::IllegalGeneration,
        false => ErrorCode::StaleMemberEpoch,
    };
    if request.generation == member.current.epoch {
        return Ok(());
    }
    if request.generation > member.current.epoch {
        return Err(stale);
    }
    let known = request
        .offsets
        .iter()
        .zip(topics)
        .filter_map(|((partition, committed), topic)| {
            let partition = TopicPartition::new((*topic)?, partition.partition);
            (!too_long(&committed.metadata, most)).then_some(partition)
        });
    for partition in known {
        let current = &member.current;
        let since = current
            .assigned
            .get(&partition)
            .or_else(|| current.pending.get(&partition));
        if since.is_none_or(|since| request.generation < *since) {
            return Err(stale);
        }
    }
    Ok(())
}

fn fetched(partition: &NamedPartition, stored: Option<&StoredOffset>) -> (NamedPartition, CommittedOffset, ErrorCode) {
    let none = || CommittedOffset {
        offset: -1,
        leader_epoch: -1,
        metadata: "".into(),
    };
    let committed = stored.map_or_else(none, |stored| stored.committed.clone());
    (partition.clone(), committed, ErrorCode::None)
}

/// [ClassicGroup.offsetExpirationCondition, ConsumerGroup.offsetExpirationCondition]
fn expired(group: &Group, topic: &str, stored: &StoredOffset, moment: &Moment) -> bool {
    let since = group
        .classic()
        .map_or(Some(stored.commit_time), |group| commit_base(group, stored));
    let old = since.is_some_and(|since| moment.wall_ms - since >= moment.settings.retention_ms);
    old && !group.is_subscribed_to(topic)
}

/// The time that a classic group's offset counts from; `None`: it does not expire now.
fn commit_base(group: &ClassicGroup, stored: &StoredOffset) -> Option<i64> {
    match (&group.protocol_type, group.state) {
        (None, _) => Some(stored.commit_time),
        (Some(_), ClassicState::Empty) => Some(group.state_since.unwrap_or(stored.commit_time)),
        (Some(_), ClassicState::Stable) if group.is_consumer() && group.subscribed.is_some() => {
            Some(stored.commit_time)
        }
        (Some(_), _) => None,
    }
}

/// Takes offsets away.
pub(super) fn tombstones(group: &Rc<str>, partitions: Vec<NamedPartition>, why: OffsetsGone) -> Write {
    if partitions.is_empty() {
        return Write::default();
    }
    let record = |partition: &NamedPartition| GroupRecord::Offset {
        group: group.clone(),
        partition: partition.clone(),
        value: None,
    };
    Write {
        records: partitions.iter().map(record).collect(),
        replay: true,
        transaction: None,
        then: Then::Nothing,
        notes: vec![GroupNote::OffsetsGone {
            group: group.clone(),
            partitions: partitions.into(),
            why,
        }],
    }
}

/// Adds one write's records to another's.
pub(super) fn merge(write: &mut Write, more: Write) {
    write.records.extend(more.records);
    write.notes.extend(more.notes);
    write.replay |= more.replay;
}
