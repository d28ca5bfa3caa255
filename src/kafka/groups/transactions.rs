//! Offsets that a transaction commits: they lie apart until its marker, and hold back whoever asks for stable ones.
//! [OffsetMetadataManager.OpenTransactions, .commitTransactionalOffset, .replayEndTransactionMarker]

use super::classic::work::Moment;
use super::effects::{Host, ReplyTo};
use super::errors;
use super::group::Group;
use super::modern::ModernGroup;
use super::note::GroupNote;
use super::offsets::{check_commit_of_modern, topics_of, write_offsets};
use super::records::{GroupRecord, StoredOffset};
use super::shard::{Shard, Then, Write};
use super::store::Store;
use crate::kafka::log::batch::Outcome;
use crate::kafka::note::Fact;
use crate::kafka::protocol::groups::{CommittedOffset, OffsetCommitRequest, OffsetFetchRequest};
use crate::kafka::protocol::transactions::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NamedPartition;
use std::rc::Rc;

/// The answer to a TxnOffsetCommit that the transaction's coordinator did not let through.
pub fn txn_commit_refused(request: &Body, error: ErrorCode) -> Option<Body> {
    errors::refused(request, error)
}

/// A member of a consumer group; an epoch that is not its own is told as a generation. [ConsumerGroup.validateOffsetCommit]
fn check_modern(group: &ModernGroup, request: &TxnOffsetCommitRequest, most: usize) -> Result<(), ErrorCode> {
    let anonymous = request.member_id.is_empty() && request.instance.is_none();
    if anonymous && request.generation == -1 {
        return Ok(());
    }
    let plain = OffsetCommitRequest {
        group: request.group.clone(),
        generation: request.generation,
        member_id: request.member_id.clone(),
        instance_id: request.instance.clone(),
        offsets: request.offsets.clone(),
    };
    let topics = vec![None; request.offsets.len()];
    check_commit_of_modern(group, &plain, &topics, most).map_err(|error| match error {
        ErrorCode::StaleMemberEpoch => ErrorCode::IllegalGeneration,
        error => error,
    })
}

/// One partition's part of an answer to OffsetFetch.
type FetchedOffset = (NamedPartition, CommittedOffset, ErrorCode);

impl Shard {
    /// The records carry the producer id: nobody sees them before the marker.
    pub fn commit_transactional(
        &mut self,
        request: &TxnOffsetCommitRequest,
        to: ReplyTo,
        host: &mut dyn Host,
        moment: &mut Moment,
    ) {
        if let Err(error) = self.check_txn_commit(request, moment) {
            moment.note(GroupNote::CommitRefused {
                group: request.group.clone(),
                member: request.member_id.clone(),
                error,
            });
            let partitions = request.offsets.iter().map(|(p, _)| (p.clone(), error)).collect();
            return moment.reply(to, TxnOffsetCommitResponse { partitions });
        }
        let mut write = Write {
            replay: true,
            transaction: Some((request.producer_id, request.producer_epoch)),
            ..Write::default()
        };
        let topics = topics_of(host, &request.offsets);
        let partitions = write_offsets(&mut write, &request.group, &request.offsets, &topics, moment);
        write.then = Then::Answer {
            to,
            body: TxnOffsetCommitResponse { partitions }.into(),
        };
        self.write(write, host, moment);
    }

    /// A group that is missing is made if the committer is no member of one.
    fn check_txn_commit(&mut self, request: &TxnOffsetCommitRequest, moment: &mut Moment) -> Result<(), ErrorCode> {
        if let Some(group) = self.store.groups.get(&request.group).and_then(Group::modern) {
            return check_modern(group, request, moment.settings.metadata_max_length);
        }
        if self.store.groups.contains_key(&request.group) {
            let checked = self.work(&request.group, moment, |work| work.check_txn_commit(request));
            return checked.map_or(Ok(()), |(result, _)| result);
        }
        if request.generation >= 0 {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.store.create(&request.group, self.written);
        moment.note(GroupNote::Created {
            group: request.group.clone(),
            simple: true,
        });
        Ok(())
    }

    /// A record of an open transaction stands at this offset.
    pub fn apply_pending(&mut self, producer: i64, record: &GroupRecord, offset: i64) {
        let GroupRecord::Offset {
            group,
            partition,
            value: Some(value),
        } = record
        else {
            return;
        };
        if !self.store.groups.contains_key(group) {
            self.store.create(group, offset);
        }
        let value = StoredOffset {
            record_offset: offset,
            ..value.clone()
        };
        let groups = self.store.pending.entry(producer).or_default();
        groups
            .entry(group.clone())
            .or_default()
            .insert(partition.clone(), value);
    }

    /// The transaction's marker stands at this offset. An offset that was committed later than the transaction's stays.
    pub fn end_transaction(&mut self, producer: i64, outcome: Outcome, at: i64) {
        let Some(groups) = self
            .store
            .pending
            .remove(&producer)
            .filter(|_| outcome == Outcome::Commit)
        else {
            return;
        };
        for (group, offsets) in groups {
            for (partition, value) in offsets {
                let now = self
                    .store
                    .offsets
                    .get(&group)
                    .and_then(|offsets| offsets.get(&partition));
                if now.is_some_and(|now| now.record_offset > value.record_offset) {
                    continue;
                }
                let fact = Fact::Committed {
                    group: group.clone(),
                    partition: partition.clone(),
                    offset: value.committed.offset,
                };
                let before = self.store.put_offset(&group, &partition, Some(value));
                self.store.note_offset_change(at, &group, &partition, before);
                self.uncovered.push_back((at, fact));
            }
        }
    }

    /// Whoever wants stable offsets waits for transactions that would change them.
    pub(super) fn unless_unstable(&self, request: &OffsetFetchRequest, part: FetchedOffset) -> FetchedOffset {
        if !request.require_stable || !self.store.is_pending(&request.group, &part.0) {
            return part;
        }
        let none = CommittedOffset {
            offset: -1,
            leader_epoch: -1,
            metadata: "".into(),
        };
        (part.0, none, ErrorCode::UnstableOffsetCommit)
    }
}

impl Store {
    /// Would an open transaction change this offset?
    pub fn is_pending(&self, group: &str, partition: &NamedPartition) -> bool {
        let mut of_group = self.pending.values().filter_map(|groups| groups.get(group));
        of_group.any(|offsets| offsets.contains_key(partition))
    }

    /// Would an open transaction change any offset of the group?
    pub fn has_pending(&self, group: &str) -> bool {
        self.pending.values().any(|groups| groups.contains_key(group))
    }

    /// An offset is deleted, from open transactions too.
    pub fn forget_pending(&mut self, group: &Rc<str>, partition: &NamedPartition) {
        for groups in self.pending.values_mut() {
            if let Some(offsets) = groups.get_mut(group) {
                offsets.remove(partition);
                if offsets.is_empty() {
                    groups.remove(group);
                }
            }
        }
    }
}
