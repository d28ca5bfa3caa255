//! What operators ask: which groups there are, what they do, and to delete them. Questions are answered as of the high
//! watermark, at once. [GroupCoordinatorShard]

use super::classic::work::Moment;
use super::classic::{ClassicGroup, ClassicState};
use super::effects::{Host, ReplyTo};
use super::errors::undescribed;
use super::group::Group;
use super::note::{GroupNote, OffsetsGone};
use super::offsets::{merge, tombstones};
use super::records::GroupRecord;
use super::shard::{Shard, Then, Write};
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{DeleteGroupsResponse, DescribedGroup, DescribedMember};
use std::rc::Rc;

impl Shard {
    /// A group; assignments and assignor only if it is Stable. [GroupMetadataManager.describeGroups]
    pub fn describe(&self, group: &Rc<str>) -> DescribedGroup {
        let message = match self.store.committed_group(group) {
            Some(Group::Classic(group)) => return described(group),
            Some(Group::Modern(_)) => format!("Group {group} is not a classic group."),
            None => format!("Group {group} not found."),
        };
        undescribed(group, "Dead", ErrorCode::GroupIdNotFound, Some(message))
    }

    /// All groups: id, protocol type, state, type.
    pub fn list(&self) -> impl Iterator<Item = (Rc<str>, Rc<str>, Rc<str>, Rc<str>)> + '_ {
        self.store.committed_groups().into_iter().map(|group| {
            (
                group.id().clone(),
                group.protocol_type(),
                group.state().name().into(),
                group.kind().name().into(),
            )
        })
    }

    /// Deletes empty groups with their offsets. [GroupCoordinatorShard.deleteGroups]
    pub fn delete_groups(&mut self, groups: &[Rc<str>], to: ReplyTo, host: &mut dyn Host, moment: &mut Moment) {
        let mut write = Write {
            replay: true,
            ..Write::default()
        };
        let mut results = Vec::with_capacity(groups.len());
        for id in groups {
            let error = match self.store.groups.get(id).map(|group| group.state().is_empty()) {
                None => ErrorCode::GroupIdNotFound,
                Some(true) => ErrorCode::None,
                Some(false) => ErrorCode::NonEmptyGroup,
            };
            if error == ErrorCode::None {
                let partitions = self.store.latest_offsets(id).keys().cloned().collect();
                merge(&mut write, tombstones(id, partitions, OffsetsGone::Deleted));
                write.records.extend(self.group_tombstones(id, moment));
                write.notes.push(GroupNote::Deleted {
                    group: id.clone(),
                    expired: false,
                });
            }
            results.push((id.clone(), error));
        }
        write.then = Then::Answer {
            to,
            body: DeleteGroupsResponse { groups: results }.into(),
        };
        self.write(write, host, moment);
    }
}

impl Shard {
    /// What takes a group out of the log; its timers end. [createGroupTombstoneRecordsAndCancelTimers]
    pub(super) fn group_tombstones(&mut self, id: &Rc<str>, moment: &mut Moment) -> Vec<GroupRecord> {
        match self.store.groups.get(id).cloned() {
            None => Vec::new(),
            Some(Group::Classic(_)) => vec![GroupRecord::Group {
                group: id.clone(),
                value: None,
            }],
            Some(Group::Modern(group)) => {
                for member in group.members.keys() {
                    self.cancel_member_timers(id, member, moment);
                }
                group.tombstones(None)
            }
        }
    }
}

fn described(group: &ClassicGroup) -> DescribedGroup {
    let stable = group.state() == ClassicState::Stable;
    let members = group.members.values().map(|member| DescribedMember {
        member_id: member.id.clone(),
        instance_id: member.instance.clone(),
        client_id: member.client_id.clone(),
        assignment: match stable {
            true => member.assignment.clone(),
            false => Rc::from([]),
        },
    });
    let protocol = group.protocol.clone().filter(|_| stable);
    DescribedGroup {
        error: ErrorCode::None,
        message: None,
        group: group.id.clone(),
        state: group.state().name().into(),
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        protocol: protocol.unwrap_or_default(),
        generation: group.generation,
        members: members.collect(),
    }
}
