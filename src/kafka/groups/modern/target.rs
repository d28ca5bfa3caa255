//! The group epoch and the target: when they are new, and who gets what by them.
//! [GroupMetadataManager.updateSubscriptionMetadata, maybeUpdateTargetAssignment, TargetAssignmentBuilder]

use super::ModernGroup;
use super::heartbeat::Change;
use super::member::ModernMember;
use super::records::{ModernRecord, Partitions};
use super::subscriptions::{Subscriptions, topic_ids};
use crate::kafka::groups::assignors::server::{self, Member, Spec, Topic};
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::note::ModernNote;
use crate::kafka::groups::shard::Shard;
use crate::kafka::types::{TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet, SortSmall};
use std::rc::Rc;

/// Metadata are looked at again after so long even if nobody says that they changed, ms. [METADATA_REFRESH_INTERVAL_MS]
const METADATA_REFRESH_MS: i64 = i32::MAX as i64;

/// What a request changes besides its member's details.
pub(in crate::kafka::groups) struct Refresh<'a> {
    /// The group epoch grows.
    pub bump: bool,
    pub subscription_changed: bool,
    /// What the member says it has.
    pub owned: Option<&'a [TopicPartition]>,
}

impl Shard {
    /// The group epoch, one higher if the subscriptions or the metadata of their topics changed.
    pub(in crate::kafka::groups) fn update_epoch(
        &mut self,
        change: &mut Change,
        updated: &ModernMember,
        bump: bool,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> i32 {
        let id = change.group.id.clone();
        let epoch = change.group.epoch;
        let due = match self.store.refreshed.get(&id) {
            None => true,
            Some((deadline, at)) => moment.wall_ms >= *deadline || epoch < *at,
        };
        if !bump && !due {
            return epoch;
        }
        let subscriptions = Subscriptions::of(change.members_with(updated), &change.group.regexes);
        let hash = subscriptions.metadata_hash(host);
        let moved = hash != change.group.metadata_hash;
        let epoch = match bump || moved {
            true => change.bump(epoch, hash, !bump),
            false => epoch,
        };
        let deadline = moment.wall_ms.saturating_add(METADATA_REFRESH_MS);
        self.store.refreshed.insert(id, (deadline, epoch));
        epoch
    }
}

impl Change {
    /// The next group epoch.
    pub(in crate::kafka::groups) fn bump(&mut self, epoch: i32, hash: u64, by_metadata: bool) -> i32 {
        let next = epoch.wrapping_add(1);
        self.records.push(ModernRecord::Epoch(Some((next, hash))));
        self.note(ModernNote::EpochBumped {
            epoch: next,
            by_metadata,
        });
        next
    }
}

/// May the target be computed again? [canComputeNextTargetAssignment]
pub(in crate::kafka::groups) fn interval_is_over(group: &ModernGroup, interval_ms: i64, wall_ms: i64) -> bool {
    group.assignment_ms == 0 || interval_ms == 0 || wall_ms >= group.assignment_ms.saturating_add(interval_ms)
}

/// Assignment epoch and target of a member, computed anew if the group is ahead and the assignment interval over.
pub(super) fn update_target(
    change: &mut Change,
    updated: &ModernMember,
    epoch: i32,
    host: &dyn Host,
    moment: &Moment,
) -> (i32, Partitions) {
    let group = change.group.clone();
    let interval = host.group_settings(&group.id);
    let interval = interval.map_or(moment.settings.consumer_assignment_interval_ms, |own| {
        own.consumer_assignment_interval_ms
    });
    if group.assignment_epoch >= epoch || !interval_is_over(&group, interval, moment.wall_ms) {
        // A static member that takes a place over has the target of its last holder.
        let last = change.replaced.as_ref().unwrap_or(&updated.id);
        return (group.assignment_epoch, group.target(last));
    }
    let default = moment.settings.consumer_assignors.first();
    let assignor = ModernGroup::assignor(change.members_with(updated), default).unwrap_or_default();
    let members: Vec<&ModernMember> = change.members_with(updated).collect();
    let inherits = change.replaced.as_ref().map(|last| (&updated.id, last));
    let target = match &*assignor {
        "range" => compute(&group, &members, inherits, host, server::range::assign),
        _ => compute(&group, &members, inherits, host, server::uniform),
    };
    let mut moved = 0;
    let mut records = Vec::new();
    for (id, partitions) in &target {
        if group.targets.get(id) != Some(partitions) {
            moved += 1;
            records.push(ModernRecord::Target(id.clone(), Some(partitions.clone())));
        }
    }
    change.records.extend(records);
    change
        .records
        .push(ModernRecord::TargetEpoch(Some((epoch, moment.wall_ms))));
    change.note(ModernNote::TargetComputed { epoch, assignor, moved });
    (epoch, target.get(&updated.id).cloned().unwrap_or_default())
}

/// Who gets what by an assignor, by member id. `inherits`: a static member, and the last holder of its place, whose target
/// it has so far.
pub(in crate::kafka::groups) fn compute(
    group: &ModernGroup,
    members: &[&ModernMember],
    inherits: Option<(&Rc<str>, &Rc<str>)>,
    host: &dyn Host,
    assign: impl Fn(&Spec) -> server::Target,
) -> OrderedMap<Rc<str>, Partitions> {
    let mut ids: Vec<Rc<str>> = members.iter().map(|member| member.id.clone()).collect();
    ids.sort_small_by(Ord::cmp);
    server::member_order(&mut ids);
    let by_id: OrderedMap<&Rc<str>, &ModernMember> = members.iter().map(|member| (&member.id, *member)).collect();
    let subscribed: Vec<OrderedSet<TopicId>> = ids
        .iter()
        .map(|id| topic_ids(by_id[id], &group.regexes, host))
        .collect();
    let topics: OrderedSet<TopicId> = subscribed.iter().flatten().copied().collect();
    let topics: Vec<TopicId> = topics.into_iter().collect();
    let place = |topic: &TopicId| topics.binary_search(topic).ok();
    let members_of = members.iter().copied();
    let spec = Spec {
        homogeneous: Subscriptions::of(members_of, &group.regexes).homogeneous(),
        topics: (topics.iter().enumerate())
            .map(|(rank, topic)| Topic {
                partitions: host.partitions(*topic),
                rank,
            })
            .collect(),
        members: (ids.iter().zip(&subscribed))
            .map(|(id, subscribed)| {
                let last = inherits
                    .filter(|(member, _)| *member == id)
                    .map_or(id, |(_, last)| last);
                let target = group.target(last);
                let slot = |partition: &TopicPartition| Some((place(&partition.topic)?, partition.partition));
                Member {
                    id: id.clone(),
                    instance: by_id[id].details.instance.clone(),
                    topics: subscribed.iter().filter_map(place).collect(),
                    assigned: target.iter().filter_map(slot).collect(),
                }
            })
            .collect(),
    };
    let target = assign(&spec).into_iter().map(|slots| {
        let partition = |(topic, partition): (usize, i32)| TopicPartition::new(topics[topic], partition);
        let mut partitions: Vec<TopicPartition> = slots.into_iter().map(partition).collect();
        partitions.sort_small_by_key(|item| *item);
        Partitions::from(partitions)
    });
    ids.into_iter().zip(target).collect()
}
