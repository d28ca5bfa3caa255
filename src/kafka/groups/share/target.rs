//! Who reads what: the assignor `simple` over the partitions whose state is initialized.
//! [GroupMetadataManager.maybeUpdateTargetAssignment, ShareTargetAssignmentBuilder]

use super::ASSIGNOR;
use crate::kafka::groups::assignors::server::member_order;
use crate::kafka::groups::assignors::simple::{self, ShareMember, ShareTopic};
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::modern::heartbeat::Change;
use crate::kafka::groups::modern::member::ModernMember;
use crate::kafka::groups::modern::records::{ModernRecord, Partitions};
use crate::kafka::groups::modern::subscriptions::{Subscriptions, topic_ids};
use crate::kafka::groups::modern::target::interval_is_over;
use crate::kafka::groups::modern::{ModernGroup, Refusal};
use crate::kafka::groups::note::ModernNote;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::{TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use std::rc::Rc;

/// Assignment epoch and target of a member, computed anew if the group is ahead and the assignment interval over.
///
/// # Errors
/// The assignor failed.
pub(super) fn update(
    change: &mut Change,
    updated: &ModernMember,
    epoch: i32,
    host: &dyn Host,
    moment: &Moment,
) -> Result<(i32, Partitions), Refusal> {
    let group = change.group.clone();
    let own = host.group_settings(&group.id);
    let interval = own.map_or(moment.settings.share_assignment_interval_ms, |own| {
        own.share_assignment_interval_ms
    });
    if group.assignment_epoch >= epoch || !interval_is_over(&group, interval, moment.wall_ms) {
        return Ok((group.assignment_epoch, group.target(&updated.id)));
    }
    let members: Vec<&ModernMember> = change.members_with(updated).collect();
    let Some(target) = compute(&group, &members, host) else {
        let text = format!("Failed to compute a new target assignment for epoch {epoch}: null");
        return Err(Refusal::of(ErrorCode::UnknownServerError, &text));
    };
    let moved = target
        .iter()
        .filter(|(id, partitions)| group.targets.get(*id) != Some(*partitions));
    let moved: Vec<ModernRecord> = moved
        .map(|(id, partitions)| ModernRecord::Target(id.clone(), Some(partitions.clone())))
        .collect();
    let count = moved.len();
    change.records.extend(moved);
    change
        .records
        .push(ModernRecord::TargetEpoch(Some((epoch, moment.wall_ms))));
    change.note(ModernNote::TargetComputed {
        epoch,
        assignor: ASSIGNOR.into(),
        moved: count,
    });
    Ok((epoch, target.get(&updated.id).cloned().unwrap_or_default()))
}

/// The target of each member; `None`: the assignor failed.
fn compute(group: &ModernGroup, members: &[&ModernMember], host: &dyn Host) -> Option<OrderedMap<Rc<str>, Partitions>> {
    let mut ids: Vec<Rc<str>> = members.iter().map(|member| member.id.clone()).collect();
    ids.sort_small_by(Ord::cmp);
    member_order(&mut ids);
    let by_id: OrderedMap<&Rc<str>, &ModernMember> = members.iter().map(|member| (&member.id, *member)).collect();
    let subscribed: Vec<OrderedSet<TopicId>> = ids
        .iter()
        .map(|id| topic_ids(by_id[id], &group.regexes, host))
        .collect();
    let topics: OrderedSet<TopicId> = subscribed.iter().flatten().copied().collect();
    let topics: Vec<TopicId> = topics.into_iter().collect();
    let place = |topic: &TopicId| topics.binary_search(topic).ok();
    let share_topics: Vec<ShareTopic> = topics.iter().map(|topic| share_topic(group, *topic, host)).collect();
    let share_members: Vec<ShareMember> = (ids.iter().zip(&subscribed))
        .map(|(id, subscribed)| {
            let mut assigned: OrderedMap<usize, Vec<i32>> = OrderedMap::new();
            for partition in group.target(id).iter() {
                if let Some(topic) = place(&partition.topic) {
                    assigned.entry(topic).or_default().push(partition.partition);
                }
            }
            ShareMember {
                topics: subscribed.iter().filter_map(place).collect(),
                assigned: assigned.into_iter().collect(),
            }
        })
        .collect();
    let homogeneous = Subscriptions::of(members.iter().copied(), &group.regexes).homogeneous();
    let assigned = simple::assign(&share_topics, &share_members, homogeneous).ok()?;
    let target = assigned.into_iter().map(|parts| {
        let one = |(topic, list): (usize, Vec<i32>)| {
            let topic = topics[topic];
            let each = list
                .into_iter()
                .map(move |partition| TopicPartition::new(topic, partition));
            each.collect::<Vec<_>>()
        };
        let mut partitions: Vec<TopicPartition> = parts.into_iter().flat_map(one).collect();
        partitions.sort_small_by_key(|partition| *partition);
        Partitions::from(partitions)
    });
    Some(ids.into_iter().zip(target).collect())
}

/// Only partitions whose state is initialized, and that there are, can be assigned.
fn share_topic(group: &ModernGroup, topic: TopicId, host: &dyn Host) -> ShareTopic {
    let count = host.partitions(topic);
    let ready = group.share.initialized.get(&topic);
    ShareTopic {
        // Real ids are random; here one is as good as another.
        hash: topic.0 as i32,
        partitions: ready.into_iter().flatten().copied().filter(|p| *p < count).collect(),
    }
}
