//! What operators change: start offsets set, offsets of topics deleted, whole groups deleted; and what follows when the
//! share coordinator has done its part. [GroupCoordinatorShard, GroupMetadataManager]

use super::topics::{ShareTopics, TopicPartitions, by_topic, partitions_of};
use super::work::{ShareWork, altered, offsets_deleted};
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::{Host, ReplyTo};
use crate::kafka::groups::modern::heartbeat::Change;
use crate::kafka::groups::modern::records::ModernRecord;
use crate::kafka::groups::modern::{ModernGroup, Refusal};
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::DeleteGroupsResponse;
use crate::kafka::protocol::share::{
    AlterShareGroupOffsetsRequest, DeleteShareGroupOffsetsRequest, ShareState, ShareStateResult,
};
use crate::kafka::types::{TopicId, TopicPartition};
use crate::ordered::OrderedSet;
use std::rc::Rc;

type Results<'a> = &'a [ShareStateResult];

impl Shard {
    // ---- start offsets ----

    /// [alterShareGroupOffsets]
    pub fn alter_share_offsets(
        &mut self,
        request: &AlterShareGroupOffsetsRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        match self.alter_offsets(request, to, host, moment) {
            Ok(write) => self.write(write, host, moment),
            Err(refusal) => moment.reply(to, altered(refusal.error, Some(refusal.message), Vec::new())),
        }
    }

    fn alter_offsets(
        &self,
        request: &AlterShareGroupOffsetsRequest,
        to: ReplyTo,
        host: &dyn Host,
        moment: &Moment,
    ) -> Result<Write, Refusal> {
        let mut change = self.share_change(&request.group, true)?;
        if !change.group.members.is_empty() {
            let text = ErrorCode::NonEmptyGroup.message();
            return Err(Refusal::of(ErrorCode::NonEmptyGroup, text));
        }
        let unknown = ErrorCode::UnknownTopicOrPartition;
        let (mut answer, mut partitions) = (Vec::new(), Vec::new());
        for (named, start) in &request.offsets {
            let known = host.topic(&named.topic).filter(|(_, count)| named.partition < *count);
            let Some((topic, _)) = known else {
                answer.push((named.clone(), unknown, Some(unknown.message().into())));
                continue;
            };
            answer.push((named.clone(), ErrorCode::None, None));
            let state = ShareState {
                state_epoch: change.group.epoch,
                start: *start,
                ..ShareState::unknown()
            };
            partitions.push((TopicPartition::new(topic, named.partition), state));
        }
        if !partitions.is_empty() {
            let asked = by_topic(partitions.iter().map(|(partition, _)| *partition));
            let next = change.group.share.begin(&asked, moment.wall_ms);
            change.records.push(ModernRecord::ShareTopics(Some(Rc::new(next))));
        }
        let work = ShareWork::Alter {
            group: request.group.clone(),
            to,
            partitions,
            answer,
        };
        Ok(change.into_write(Then::Share {
            answer: None,
            work: Some(Box::new(work)),
        }))
    }

    // ---- deletions ----

    /// [initiateDeleteShareGroupOffsets]
    pub fn delete_share_offsets(
        &mut self,
        request: &DeleteShareGroupOffsetsRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let group = match self.share_or_missing(&request.group).and_then(check_empty) {
            Ok(group) => group,
            Err(refusal) => {
                let body = offsets_deleted(refusal.error, Some(refusal.message), Vec::new());
                return moment.reply(to, body);
            }
        };
        let unknown = ErrorCode::UnknownTopicOrPartition;
        let mut next = (*group.share).clone();
        let (mut partitions, mut refused) = (Vec::new(), Vec::new());
        for name in &request.topics {
            let Some((topic, count)) = host.topic(name) else {
                refused.push((name.clone(), unknown, Some(unknown.message().into())));
                continue;
            };
            if let Some(known) = next.initialized.remove(&topic) {
                next.deleting.insert(topic);
                partitions.extend(known.into_iter().map(|partition| TopicPartition::new(topic, partition)));
            } else if next.deleting.contains(&topic) {
                partitions.extend((0..count).map(|partition| TopicPartition::new(topic, partition)));
            } else {
                let text = "There is no offset information to delete.";
                refused.push((name.clone(), unknown, Some(text.into())));
            }
        }
        let group_id = request.group.clone();
        let then = match partitions.is_empty() {
            true => Then::Answer {
                to,
                body: offsets_deleted(ErrorCode::None, None, refused),
            },
            false => Then::Share {
                answer: None,
                work: Some(Box::new(ShareWork::DeleteOffsets {
                    group: group_id,
                    to,
                    partitions,
                    refused,
                })),
            },
        };
        self.write_share_topics(group, next, then, host, moment);
    }

    /// The first half of deleting a group: its state goes. False: there is none to go. [sharePartitionDeleteRequests]
    pub fn delete_share_state(&mut self, id: &Rc<str>, to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) -> bool {
        let Some(group) = self.share(id).filter(|group| group.members.is_empty()) else {
            return false;
        };
        let mut candidates = group.share.all();
        for topic in &group.share.deleting {
            candidates.insert(*topic, (0..host.partitions(*topic)).collect());
        }
        candidates.retain(|_, partitions| !partitions.is_empty());
        if candidates.is_empty() {
            return false;
        }
        let next = ShareTopics {
            deleting: candidates.keys().copied().collect(),
            ..ShareTopics::default()
        };
        let work = ShareWork::DeleteGroup {
            group: id.clone(),
            to,
            partitions: partitions_of(&candidates),
        };
        let then = Then::Share {
            answer: None,
            work: Some(Box::new(work)),
        };
        self.write_share_topics(group, next, then, host, moment);
        true
    }

    /// Topics were deleted. [maybeCleanupShareGroupState]
    pub fn share_topics_deleted(&mut self, gone: &OrderedSet<TopicId>, host: &mut dyn Host, moment: &mut Moment) {
        let ids: Vec<Rc<str>> = self.store.groups.keys().cloned().collect();
        for id in &ids {
            let Some(group) = self.share(id) else { continue };
            let next = group.share.without(gone);
            if next != *group.share {
                self.write_share_topics(group, next, Then::Nothing, host, moment);
            }
        }
    }

    fn write_share_topics(
        &mut self,
        group: Rc<ModernGroup>,
        next: ShareTopics,
        then: Then,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let mut change = Change::of(group);
        change.records.push(ModernRecord::ShareTopics(Some(Rc::new(next))));
        self.write(change.into_write(then), host, moment);
    }

    // ---- the share coordinator has done its part ----

    /// What became of a task.
    pub fn share_work_done(&mut self, work: ShareWork, results: Results, host: &mut dyn Host, moment: &mut Moment) {
        match work {
            ShareWork::Initialize { group, .. } => self.share_initialized(&group, results, host, moment),
            ShareWork::Alter {
                group, to, mut answer, ..
            } => {
                let failed = results.iter().any(|result| result.error.is_error());
                if !failed {
                    self.share_initialized(&group, results, host, moment);
                }
                for (named, error, message) in &mut answer {
                    let topic = host
                        .topic(&named.topic)
                        .map(|(id, _)| TopicPartition::new(id, named.partition));
                    let result = results.iter().find(|result| Some(result.partition) == topic);
                    if let Some(result) = result.filter(|result| result.error.is_error()) {
                        (*error, *message) = (result.error, result.message.clone());
                    }
                }
                moment.reply(to, altered(ErrorCode::None, None, answer));
            }
            ShareWork::DeleteGroup { group, to, .. } => match results.iter().find(|result| result.error.is_error()) {
                Some(result) => {
                    let groups = vec![(group, result.error)];
                    moment.reply(to, DeleteGroupsResponse { groups });
                }
                None => self.delete_groups(&[group], to, host, moment),
            },
            ShareWork::DeleteOffsets { group, to, refused, .. } => {
                self.share_offsets_deleted(&group, to, refused, results, host, moment);
            }
        }
    }

    /// [handlePersisterInitializeResponse]
    fn share_initialized(&mut self, id: &str, results: Results, host: &mut dyn Host, moment: &mut Moment) {
        let Some(group) = self.share(id) else { return };
        let partitions: TopicPartitions = by_topic(results.iter().map(|result| result.partition));
        let failed = results.iter().any(|result| result.error.is_error());
        let next = match failed {
            true => group.share.undone(&partitions),
            false => group.share.done(&partitions),
        };
        if next != *group.share {
            self.write_share_topics(group, next, Then::Nothing, host, moment);
        }
    }

    /// [handleDeleteShareGroupOffsetStateResult, completeDeleteShareGroupOffsets]
    fn share_offsets_deleted(
        &mut self,
        id: &str,
        to: ReplyTo,
        mut answers: Vec<(Rc<str>, ErrorCode, Option<Rc<str>>)>,
        results: Results,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        let topics: OrderedSet<TopicId> = results.iter().map(|result| result.partition.topic).collect();
        let mut done = OrderedSet::new();
        for topic in topics {
            let name = host.topic_name(topic).unwrap_or_default();
            let of_topic = |result: &&ShareStateResult| result.partition.topic == topic && result.error.is_error();
            match results.iter().find(of_topic) {
                Some(failed) => answers.push((name, failed.error, Some(failed.error.message().into()))),
                None => {
                    done.insert(topic);
                    answers.push((name, ErrorCode::None, None));
                }
            }
        }
        let body = offsets_deleted(ErrorCode::None, None, answers);
        let then = Then::Answer { to, body };
        let Some(group) = self.share(id).filter(|_| !done.is_empty()) else {
            let write = Write {
                then,
                ..Write::default()
            };
            return self.write(write, host, moment);
        };
        let mut next = (*group.share).clone();
        next.deleting.retain(|topic| !done.contains(topic));
        self.write_share_topics(group, next, then, host, moment);
    }
}

/// [ShareGroup.validateDeleteGroup]
fn check_empty(group: Rc<ModernGroup>) -> Result<Rc<ModernGroup>, Refusal> {
    match group.members.is_empty() {
        true => Ok(group),
        false => Err(Refusal::of(
            ErrorCode::NonEmptyGroup,
            ErrorCode::NonEmptyGroup.message(),
        )),
    }
}
