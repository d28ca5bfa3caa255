//! ShareGroupDescribe: a group as of the high watermark. [ShareGroup.asDescribedGroup]

use super::ASSIGNOR;
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::group::Group;
use crate::kafka::groups::modern::describe::{described, undescribed};
use crate::kafka::groups::shard::Shard;
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::consumer_group::DescribedConsumerGroup;
use crate::kafka::types::TopicPartition;
use std::rc::Rc;

impl Shard {
    pub(in crate::kafka::groups) fn describe_share(&self, id: &Rc<str>, host: &dyn Host) -> DescribedConsumerGroup {
        let message = match self.store.committed_group(id) {
            Some(Group::Modern(group)) if group.kind == GroupType::Share => {
                return described(group, Some(&ASSIGNOR.into()), host);
            }
            Some(_) => format!("Group {id} is not a share group."),
            None => format!("Group {id} not found."),
        };
        undescribed(id, ErrorCode::GroupIdNotFound, Some(message.into()))
    }

    /// Partitions whose state is initialized, as of now. [initializedShareGroupPartitions]
    pub(in crate::kafka::groups) fn initialized_share_partitions(&self, id: &str) -> Vec<TopicPartition> {
        let group = self.share(id);
        group.map_or(Vec::new(), |group| {
            super::topics::partitions_of(&group.share.initialized)
        })
    }
}
