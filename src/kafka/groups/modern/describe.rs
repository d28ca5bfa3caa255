//! ConsumerGroupDescribe: a group as of the high watermark. [ConsumerGroup.asDescribedGroup]

use super::ModernGroup;
use super::heartbeat::names;
use super::member::ModernMember;
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::group::Group;
use crate::kafka::groups::shard::Shard;
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::consumer_group::{DescribedConsumerGroup, DescribedConsumerMember};
use crate::kafka::types::TopicPartition;
use crate::ordered::SortSmall;
use std::rc::Rc;

impl Shard {
    pub(in crate::kafka::groups) fn describe_consumer(
        &self,
        id: &Rc<str>,
        default: Option<&Rc<str>>,
        host: &dyn Host,
    ) -> DescribedConsumerGroup {
        let message = match self.store.committed_group(id) {
            Some(Group::Modern(group)) if group.kind == GroupType::Consumer => return described(group, default, host),
            Some(_) => format!("Group {id} is not a consumer group."),
            None => format!("Group {id} not found."),
        };
        undescribed(id, ErrorCode::GroupIdNotFound, Some(message.into()))
    }
}

/// A group of which nothing can be told.
pub(in crate::kafka::groups) fn undescribed(
    id: &Rc<str>,
    error: ErrorCode,
    message: Option<Rc<str>>,
) -> DescribedConsumerGroup {
    DescribedConsumerGroup {
        error,
        message,
        group: id.clone(),
        state: Rc::default(),
        epoch: 0,
        assignment_epoch: 0,
        assignor: Rc::default(),
        members: Vec::new(),
    }
}

pub(in crate::kafka::groups) fn described(
    group: &ModernGroup,
    default: Option<&Rc<str>>,
    host: &dyn Host,
) -> DescribedConsumerGroup {
    let members = || group.members.values().map(|member| &**member);
    DescribedConsumerGroup {
        error: ErrorCode::None,
        message: None,
        group: group.id.clone(),
        state: group.state().name().into(),
        epoch: group.epoch,
        assignment_epoch: group.assignment_epoch,
        assignor: ModernGroup::assignor(members(), default).unwrap_or_default(),
        members: members().map(|member| described_member(group, member, host)).collect(),
    }
}

fn described_member(group: &ModernGroup, member: &ModernMember, host: &dyn Host) -> DescribedConsumerMember {
    let mut has: Vec<TopicPartition> = member.current.holds().collect();
    has.sort_small_by_key(|item| *item);
    DescribedConsumerMember {
        member_id: member.id.clone(),
        instance_id: member.details.instance.clone(),
        client_id: member.details.client_id.clone(),
        epoch: member.current.epoch,
        topics: member.details.topics.iter().cloned().collect(),
        regex: member.details.regex.clone(),
        assigned: names(has.iter(), host),
        target: names(group.target(&member.id).iter(), host),
        classic: member.is_classic(),
    }
}
