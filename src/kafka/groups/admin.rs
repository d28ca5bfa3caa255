//! What operators ask: which groups there are, what they do, and to delete them. Questions are answered as of the high
//! watermark, at once. [GroupCoordinatorShard]

use super::classic::work::Moment;
use super::classic::{ClassicGroup, ClassicState};
use super::effects::{Host, ReplyTo};
use super::errors::undescribed;
use super::note::{GroupNote, OffsetsGone};
use super::offsets::{merge, tombstones};
use super::records::GroupRecord;
use super::shard::{Shard, Then, Write};
use super::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::groups::{DeleteGroupsResponse, DescribedGroup, DescribedMember};
use std::rc::Rc;

impl Shard {
    /// A group; assignments and assignor only if it is Stable. [GroupMetadataManager.describeGroups]
    pub fn describe(&self, group: &Rc<str>) -> DescribedGroup {
        match self.store.committed_group(group) {
            Some(group) => described(group),
            None => {
                let message = format!("Group {group} not found.");
                undescribed(group, "Dead", ErrorCode::GroupIdNotFound, Some(message))
            }
        }
    }

    /// All groups: id, protocol type, state, type.
    pub fn list(&self) -> impl Iterator<Item = (Rc<str>, Rc<str>, Rc<str>, Rc<str>)> + '_ {
        self.store.committed_groups().into_iter().map(|group| {
            (
                group.id.clone(),
                group.protocol_type.clone().unwrap_or_default(),
                group.state().name().into(),
                GroupType::Classic.name().into(),
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
            let error = match self.store.groups.get(id).map(|group| group.state()) {
                None => ErrorCode::GroupIdNotFound,
                Some(ClassicState::Empty) => ErrorCode::None,
                Some(_) => ErrorCode::NonEmptyGroup,
            };
            if error == ErrorCode::None {
                let partitions = self.store.latest_offsets(id).keys().cloned().collect();
                merge(&mut write, tombstones(id, partitions, OffsetsGone::Deleted));
                write.records.push(GroupRecord::Group {
                    group: id.clone(),
                    value: None,
                });
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
