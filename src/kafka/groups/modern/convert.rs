//! A group changes its protocol while it has members: a classic one becomes a consumer group when the first member of the
//! new protocol joins, and a classic one again when the last of them is gone.
//! [GroupMetadataManager.convertToConsumerGroup, convertToClassicGroup, ConsumerGroupMigrationPolicy]

use super::heartbeat::{Change, names};
use super::member::{ClassicDetails, Current, Details, MemberState, ModernMember};
use super::records::{ModernRecord, Partitions};
use super::{ModernGroup, Refusal};
use crate::kafka::groups::classic::work::Moment;
use crate::kafka::groups::classic::{CONSUMER, ClassicGroup, ClassicMember, ClassicState, Parked};
use crate::kafka::groups::effects::Host;
use crate::kafka::groups::group::Group;
use crate::kafka::groups::note::{ModernNote, Reason};
use crate::kafka::groups::records::GroupRecord;
use crate::kafka::groups::shard::{Shard, Then, Write};
use crate::kafka::groups::view::GroupType;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::types::TopicPartition;
use std::rc::Rc;

/// A static classic member that takes the place of the last member of the new protocol.
pub(super) struct Replacement<'a> {
    pub member: &'a ModernMember,
    pub replaced: &'a Rc<str>,
    /// The target is behind: the classic group has to rebalance.
    pub rebalance: bool,
}

impl Shard {
    /// A classic group becomes a consumer group with the same members and partitions.
    pub(super) fn upgrade(
        &mut self,
        group: &Rc<ClassicGroup>,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Result<Change, Refusal> {
        let id = &group.id;
        let refuse = |why: &str| {
            let text = format!("Cannot upgrade classic group {id} to consumer group because {why}.");
            Err(Refusal::of(ErrorCode::GroupIdNotFound, &text))
        };
        if !moment.settings.migration.upgrade {
            return refuse("online upgrade is disabled");
        }
        if group.protocol_type.as_deref() != Some(CONSUMER) {
            return refuse("the group does not use the consumer embedded protocol");
        }
        if group.members.len() > moment.settings.consumer_max_size {
            return refuse("the group size exceeds the consumer group maximum size");
        }
        // Whoever waits joins again, and into the new group.
        self.work(id, moment, |work| work.abandon(ErrorCode::RebalanceInProgress));
        if group.protocol.is_none() {
            // Kafka takes the chosen protocol for granted, and fails before there is one.
            let text = "The server experienced an unexpected error when processing the request.";
            return Err(Refusal::of(ErrorCode::UnknownServerError, text));
        }
        let mut new = ModernGroup::new(id.clone(), GroupType::Consumer);
        let epoch = group.generation;
        let members: Vec<ModernMember> = group
            .members
            .values()
            .map(|member| converted(member, group, host))
            .collect();
        for member in &members {
            new.replay(&ModernRecord::Member(member.id.clone(), Some(member.details.clone())));
            let current = Rc::new(member.current.clone());
            new.replay(&ModernRecord::Current(member.id.clone(), Some(current)));
            let target: Partitions = member.current.assigned.keys().copied().collect();
            new.replay(&ModernRecord::Target(member.id.clone(), Some(target)));
        }
        (new.epoch, new.assignment_epoch, new.assignment_ms) = (epoch, epoch, 0);
        new.metadata_hash = new.subscriptions().metadata_hash(host);
        for member in &members {
            let session = member.classic_session_ms().unwrap_or(0);
            self.restart_modern_session(id, &member.id, session, moment);
        }
        let mut change = Change::of(Rc::new(new));
        change.before.push(GroupRecord::Group {
            group: id.clone(),
            value: None,
        });
        change.record_all();
        change.note(ModernNote::Upgraded { members: members.len() });
        Ok(change)
    }

    /// Are only classic members left, and may they be a classic group? [validateOnlineDowngradeWithFencedMembers]
    pub(super) fn may_downgrade(&self, group: &ModernGroup, leaving: &[Rc<str>], moment: &Moment) -> bool {
        let mut left = group.members.values().filter(|member| !leaving.contains(&member.id));
        let count = group.members.len() - leaving.len();
        left.all(|member| member.is_classic())
            && count > 0
            && moment.settings.migration.downgrade
            && count <= moment.settings.max_size
    }

    /// [validateOnlineDowngradeWithReplacedMember]
    pub(super) fn may_downgrade_by_replacement(
        &self,
        group: &ModernGroup,
        replaced: &ModernMember,
        moment: &Moment,
    ) -> bool {
        !replaced.is_classic()
            && group.classic_members() + 1 == group.members.len()
            && moment.settings.migration.downgrade
            && group.members.len() <= moment.settings.max_size
    }

    /// A consumer group becomes a classic one. [convertToClassicGroup, ClassicGroup.fromConsumerGroup]
    pub(super) fn downgrade(
        &mut self,
        change: Change,
        leaving: &[Rc<str>],
        replacement: Option<Replacement>,
        then: Then,
        host: &dyn Host,
        moment: &mut Moment,
    ) -> Write {
        let mut change = change;
        let group = change.group.clone();
        let mut classic = ClassicGroup::empty(group.id.clone());
        classic.state = ClassicState::Stable;
        classic.state_since = Some(moment.wall_ms);
        classic.generation = group.epoch;
        classic.protocol_type = Some(CONSUMER.into());
        let replaced = replacement.as_ref().map(|r| r.replaced);
        let stay = group
            .members
            .values()
            .filter(|member| !leaving.contains(&member.id) && Some(&member.id) != replaced);
        for member in stay {
            classic.insert(back(member, &group.target(&member.id), host));
        }
        if let Some(new) = &replacement {
            classic.insert(back(new.member, &group.target(new.replaced), host));
        }
        classic.protocol = classic.select_protocol();
        classic.subscribed = classic.compute_subscribed();
        change.note(ModernNote::Downgraded {
            members: classic.members.len(),
        });
        let renamed = replacement.as_ref().map(|r| (r.replaced, &r.member.id));
        let mut records = group.tombstones(renamed);
        records.push(GroupRecord::Group {
            group: group.id.clone(),
            value: Some(classic.to_record(|member| member.assignment.clone())),
        });
        let members: Vec<Rc<str>> = classic.members.keys().cloned().collect();
        let new = Some(Group::Classic(Rc::new(classic)));
        self.store.put_group(&group.id, new, self.written);
        self.store.refreshed.remove(&group.id);
        let rebalance = replacement.as_ref().is_none_or(|r| r.rebalance);
        let more = self.work(&group.id, moment, |work| {
            members.iter().for_each(|member| work.restart_session(member));
            if rebalance {
                let gone = leaving.first().cloned().unwrap_or_default();
                work.prepare_rebalance(Reason::Downgraded(gone));
            }
        });
        records.extend(more.into_iter().flat_map(|(_, records)| records));
        // What the change itself wrote comes first: a static member's new holder.
        let mut write = change.into_write(then);
        write.records.extend(records);
        write.replay = false;
        write
    }
}

impl Change {
    /// The group as it is, in records. [ConsumerGroup.createConsumerGroupRecords]
    fn record_all(&mut self) {
        let group = self.group.clone();
        let members = || group.members.values();
        self.records
            .extend(members().map(|m| ModernRecord::Member(m.id.clone(), Some(m.details.clone()))));
        self.records
            .push(ModernRecord::Epoch(Some((group.epoch, group.metadata_hash))));
        self.records
            .extend(members().map(|m| ModernRecord::Target(m.id.clone(), Some(group.target(&m.id)))));
        self.records.push(ModernRecord::TargetEpoch(Some((
            group.assignment_epoch,
            group.assignment_ms,
        ))));
        self.records
            .extend(members().map(|m| ModernRecord::Current(m.id.clone(), Some(Rc::new(m.current.clone())))));
    }
}

/// A classic member as a member of a consumer group.
fn converted(member: &ClassicMember, group: &ClassicGroup, host: &dyn Host) -> ModernMember {
    let subscription = member.subscription(group.protocol.as_ref());
    let assigned = member.assignment.iter().filter_map(|p| super::classic::id_of(p, host));
    let details = Details {
        instance: member.instance.clone(),
        rack: subscription.rack.clone(),
        client_id: member.client_id.clone(),
        topics: Rc::new(subscription.topics.iter().cloned().collect()),
        regex: None,
        assignor: None,
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        classic: Some(ClassicDetails {
            session_timeout_ms: member.session_timeout_ms,
            protocols: member.protocols.clone(),
        }),
    };
    ModernMember {
        id: member.id.clone(),
        details: Rc::new(details),
        current: Current {
            epoch: group.generation,
            previous: group.generation,
            state: MemberState::Stable,
            assigned: Rc::new(assigned.map(|partition| (partition, group.generation)).collect()),
            pending: Rc::default(),
        },
    }
}

/// A classic member of a consumer group as a member of a classic one, with its target.
fn back(member: &ModernMember, target: &[TopicPartition], host: &dyn Host) -> ClassicMember {
    let classic = member.details.classic.clone();
    ClassicMember {
        id: member.id.clone(),
        instance: member.details.instance.clone(),
        client_id: member.details.client_id.clone(),
        rebalance_timeout_ms: member.details.rebalance_timeout_ms,
        session_timeout_ms: classic.as_ref().map_or(0, |classic| classic.session_timeout_ms),
        protocols: classic.map_or_else(|| Rc::from([]), |classic| classic.protocols),
        assignment: names(target.iter(), host),
        is_new: false,
        join: Parked::No,
        sync: Parked::No,
    }
}
