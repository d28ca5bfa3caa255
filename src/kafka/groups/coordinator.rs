//! All shards of a broker, and the way of a request to the right one. [GroupCoordinatorService, CoordinatorRuntime]

use super::classic::work::Moment;
use super::effects::{Effect, Env, Host, ReplyTo};
use super::errors;
use super::modern::describe::undescribed;
use super::modern::heartbeat;
use super::modern::leave::Timeout;
use super::settings::Settings;
use super::shard::Shard;
use super::share::{ShareWork, heartbeat as share_heartbeat};
use super::timers::{GroupTimer, TimerKey};
use super::view::GroupView;
use crate::kafka::config::BrokerConfig;
use crate::kafka::hash::coordinator_partition;
use crate::kafka::log::batch::{Batch, Outcome};
use crate::kafka::protocol::consumer_group::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};
use crate::kafka::protocol::groups::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, JoinGroupRequest,
    ListGroupsResponse,
};
use crate::kafka::protocol::share::{ShareGroupDescribeRequest, ShareGroupDescribeResponse, ShareStateResult};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NodeId, TopicId, TopicPartition};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::Random;
use std::rc::Rc;

/// A DeleteGroups that went to several shards.
#[derive(Clone, Debug)]
struct Gathered {
    /// Shards that did not answer yet.
    left: usize,
    groups: Vec<(Rc<str>, ErrorCode)>,
}

/// A broker's group coordinator.
#[derive(Clone, Debug)]
pub struct GroupCoordinator {
    settings: Rc<Settings>,
    random: Random,
    /// Partitions of `__consumer_offsets`; 0 until it is started.
    partitions: i32,
    shards: OrderedMap<i32, Rc<Shard>>,
    gathered: OrderedMap<ReplyTo, Gathered>,
    /// Timers are never numbered twice, so that an old one can't be taken for a new one.
    next_timer: u32,
}

impl GroupCoordinator {
    /// A coordinator that is not started: it answers `COORDINATOR_NOT_AVAILABLE`.
    pub fn new(config: &BrokerConfig, node: NodeId, seed: u64) -> GroupCoordinator {
        GroupCoordinator {
            settings: Rc::new(Settings::of(config)),
            random: Random::named(seed, &format!("groups/{node}")),
            partitions: 0,
            shards: OrderedMap::new(),
            gathered: OrderedMap::new(),
            next_timer: 0,
        }
    }

    /// The broker knows its first metadata: groups are spread over this many partitions from now on, whatever becomes of
    /// the topic; `None`: there is no such topic yet, so `offsets.topic.num.partitions` counts.
    /// [BrokerMetadataPublisher, GroupCoordinatorService.startup]
    pub fn startup(&mut self, partitions: Option<i32>) {
        if self.partitions == 0 {
            self.partitions = partitions.unwrap_or(self.settings.partitions).max(1);
        }
    }

    /// Which partition of `__consumer_offsets` keeps a group.
    pub fn partition_for(&self, group: &str) -> i32 {
        coordinator_partition(group, self.partitions)
    }

    /// This broker leads the partition in this epoch, and its log is not read yet. Whether it has to be read: not if the
    /// shard is at work already, or the epoch is an old one.
    pub fn begin_load(&mut self, partition: i32, epoch: i32) -> bool {
        let next_timer = self.next_timer;
        let shard = Shard::new(partition, epoch, next_timer);
        let shard = self.shards.entry(partition).or_insert_with(|| Rc::new(shard));
        if shard.epoch < epoch {
            Rc::make_mut(shard).epoch = epoch;
        }
        shard.loading && shard.epoch == epoch
    }

    /// Reads the log that the shard lives in: its batches from the start to the end (`end`).
    pub fn load<'b>(
        &mut self,
        partition: i32,
        epoch: i32,
        batches: impl Iterator<Item = &'b Batch>,
        end: i64,
        high_watermark: i64,
        env: &mut Env,
    ) {
        if self.begin_load(partition, epoch) {
            self.shard(partition, env, |shard, host, moment| {
                shard.load(batches, end, high_watermark, host, moment)
            });
        }
    }

    /// This broker does not lead the partition any more, since this epoch; `None`: the partition is gone.
    pub fn unload(&mut self, partition: i32, epoch: Option<i32>, env: &mut Env) {
        let newer = |shard: &Rc<Shard>| epoch.is_none_or(|epoch| shard.epoch < epoch);
        if self.shards.get(&partition).is_some_and(newer) {
            self.shard(partition, env, |shard, _, moment| shard.unload(moment));
            self.shards.remove(&partition);
        }
    }

    /// The high watermark of the partition is here.
    pub fn high_watermark(&mut self, partition: i32, high_watermark: i64, env: &mut Env) {
        self.shard(partition, env, |shard, _, moment| {
            shard.high_watermark(high_watermark, moment)
        });
    }

    /// A transaction's marker is appended to the partition of the topic at this offset.
    pub fn transaction_ended(
        &mut self,
        partition: i32,
        producer_id: i64,
        outcome: Outcome,
        offset: i64,
        env: &mut Env,
    ) {
        self.shard(partition, env, |shard, _, _| {
            shard.end_transaction(producer_id, outcome, offset);
            shard.written = shard.written.max(offset + 1);
        });
    }

    /// A timer that was set fires.
    pub fn timer(&mut self, timer: GroupTimer, env: &mut Env) {
        self.shard(timer.partition, env, |shard, host, moment| {
            let Some(key) = shard.timers.fired(timer.id, moment.now, moment.effects) else {
                return;
            };
            match key {
                TimerKey::WriteTimeout => shard.write_timer(moment),
                TimerKey::Expiry => shard.expire(host, moment),
                TimerKey::Session { group, member } if shard.share(&group).is_some() => {
                    if let Some(group) = shard.share(&group) {
                        shard.share_session_over(&group, &member, host, moment);
                    }
                }
                TimerKey::Session { group, member } if shard.consumer(&group).is_some() => {
                    shard.modern_timeout(&group, &member, Timeout::Session, host, moment);
                }
                TimerKey::Rebalance { group, member } => {
                    shard.modern_timeout(&group, &member, Timeout::Rebalance, host, moment);
                }
                TimerKey::Rejoin { group, member } => {
                    shard.modern_timeout(&group, &member, Timeout::Rejoin, host, moment);
                }
                TimerKey::Resync { group, member } => {
                    shard.modern_timeout(&group, &member, Timeout::Resync, host, moment);
                }
                TimerKey::Regexes { group } => shard.regexes_resolved(&group, host, moment),
                TimerKey::Session { group, member } => {
                    let done = shard.work(&group, moment, |work| work.session_timer(&member));
                    shard.write_soft(done.map(|(_, records)| (Default::default(), records)), host, moment);
                }
                TimerKey::Join { group } => {
                    let done = shard.work(&group, moment, |work| work.join_timer());
                    shard.write_soft(done.map(|(_, records)| (Default::default(), records)), host, moment);
                }
                TimerKey::Sync { group } => {
                    let done = shard.work(&group, moment, |work| work.sync_timer());
                    shard.write_soft(done.map(|(_, records)| (Default::default(), records)), host, moment);
                }
            }
        });
    }

    /// Topics were deleted.
    pub fn topics_deleted(&mut self, topics: &OrderedSet<TopicId>, env: &mut Env) {
        let shards: Vec<i32> = self.shards.keys().copied().collect();
        for partition in shards {
            self.shard(partition, env, |shard, host, moment| {
                if !shard.loading {
                    shard.topics_deleted(topics, host, moment);
                    shard.share_topics_deleted(topics, host, moment);
                }
            });
        }
    }

    /// Topics were created, changed or deleted: groups that subscribe to them look again. [GroupMetadataManager.onMetadataUpdate]
    pub fn topics_changed(&mut self, topics: &OrderedSet<Rc<str>>) {
        for shard in self
            .shards
            .values_mut()
            .filter(|shard| !shard.store.refreshed.is_empty())
        {
            let subscribed = |id: &Rc<str>| {
                let group = shard.store.groups.get(id);
                group.is_some_and(|group| topics.iter().any(|topic| group.is_subscribed_to(topic)))
            };
            let moved: Vec<Rc<str>> = shard
                .store
                .refreshed
                .keys()
                .filter(|id| subscribed(id))
                .cloned()
                .collect();
            let store = &mut Rc::make_mut(shard).store;
            moved.iter().for_each(|id| {
                store.refreshed.remove(id);
            });
        }
    }

    /// A request; `client` is the asker's `client.id`. Other bodies than requests to a group coordinator are ignored.
    pub fn handle(&mut self, request: &Body, client: &str, to: ReplyTo, env: &mut Env) {
        if self.partitions == 0 {
            return refuse(request, ErrorCode::CoordinatorNotAvailable, to, env);
        }
        match request {
            Body::JoinGroupRequest(r) if self.invalid_session(r) => {
                refuse(request, ErrorCode::InvalidSessionTimeout, to, env);
            }
            Body::JoinGroupRequest(r) => self.request(request, &r.group, to, env, |shard, host, moment| {
                shard.join(r, client, to, host, moment)
            }),
            Body::SyncGroupRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.sync(r, to, host, moment)
                });
            }
            Body::HeartbeatRequest(r) => self.request(request, &r.group, to, env, |shard, host, moment| {
                shard.heartbeat(r, to, host, moment)
            }),
            Body::ConsumerGroupHeartbeatRequest(r) => match heartbeat::check(r, &self.settings.consumer_assignors) {
                Err(refusal) => {
                    let body = heartbeat::refused(refusal.error, Some(refusal.message)).into();
                    env.effects.push(Effect::Reply { to, body });
                }
                Ok(()) => self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.consumer_heartbeat(r, client, to, host, moment)
                }),
            },
            Body::ConsumerGroupDescribeRequest(r) => self.describe_consumers(r, to, env),
            Body::ShareGroupHeartbeatRequest(r) => match share_heartbeat::check(r) {
                Err(refusal) => {
                    let body = share_heartbeat::refused(refusal.error, Some(refusal.message)).into();
                    env.effects.push(Effect::Reply { to, body });
                }
                Ok(()) => self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.share_heartbeat(r, client, to, host, moment)
                }),
            },
            Body::ShareGroupDescribeRequest(r) => self.describe_shares(r, to, env),
            Body::AlterShareGroupOffsetsRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.alter_share_offsets(r, to, host, moment)
                })
            }
            Body::DeleteShareGroupOffsetsRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.delete_share_offsets(r, to, host, moment)
                })
            }
            Body::LeaveGroupRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.leave(r, to, host, moment)
                });
            }
            Body::OffsetCommitRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.commit(r, to, host, moment)
                });
            }
            Body::TxnOffsetCommitRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.commit_transactional(r, to, host, moment)
                });
            }
            Body::OffsetFetchRequest(r) => {
                self.request(request, &r.group, to, env, |shard, host, moment| {
                    shard.fetch(r, to, host, moment)
                });
            }
            Body::OffsetDeleteRequest(r) => self.request(request, &r.group, to, env, |shard, host, moment| {
                shard.delete_offsets(r, to, host, moment)
            }),
            Body::DescribeGroupsRequest(r) => self.describe(r, to, env),
            Body::ListGroupsRequest(_) => self.list(to, env),
            Body::DeleteGroupsRequest(r) => self.delete_groups(r, to, env),
            _ => {}
        }
    }

    fn invalid_session(&self, request: &JoinGroupRequest) -> bool {
        let session = i64::from(request.session_timeout_ms);
        let limits = self.settings.min_session_timeout_ms..=self.settings.max_session_timeout_ms;
        !request.group.is_empty() && !limits.contains(&session)
    }

    /// Does something on a shard that is there.
    fn shard(&mut self, partition: i32, env: &mut Env, operation: impl FnOnce(&mut Shard, &mut dyn Host, &mut Moment)) {
        let Some(shard) = self.shards.get_mut(&partition) else {
            return;
        };
        let shard = Rc::make_mut(shard);
        let mut moment = Moment {
            now: env.now,
            wall_ms: env.wall_ms,
            settings: &self.settings,
            random: &mut self.random,
            effects: &mut env.effects,
        };
        operation(shard, env.host, &mut moment);
        self.next_timer = self.next_timer.max(shard.timers.next_id());
        if !self.gathered.is_empty() {
            self.gather(env);
        }
    }

    /// Why a group can't be served here now.
    fn unavailable(&self, group: &str) -> Option<ErrorCode> {
        match self.shards.get(&self.partition_for(group)) {
            None => Some(ErrorCode::NotCoordinator),
            Some(shard) if shard.loading => Some(ErrorCode::CoordinatorLoadInProgress),
            Some(_) => None,
        }
    }

    /// A request to one group. Only commits and fetches may go to the group without a name.
    fn request(
        &mut self,
        request: &Body,
        group: &str,
        to: ReplyTo,
        env: &mut Env,
        operation: impl FnOnce(&mut Shard, &mut dyn Host, &mut Moment),
    ) {
        let nameless = matches!(request, Body::OffsetCommitRequest(_) | Body::OffsetFetchRequest(_));
        if group.is_empty() && !nameless {
            refuse(request, ErrorCode::InvalidGroupId, to, env);
        } else if let Some(error) = self.unavailable(group) {
            refuse(request, error, to, env);
        } else {
            self.shard(self.partition_for(group), env, operation);
        }
    }

    fn describe(&self, request: &DescribeGroupsRequest, to: ReplyTo, env: &mut Env) {
        let one = |group: &Rc<str>| match (self.unavailable(group), self.shards.get(&self.partition_for(group))) {
            (None, Some(shard)) => shard.describe(group),
            (error, _) => errors::undescribed(group, "", error.unwrap_or(ErrorCode::NotCoordinator), None),
        };
        let groups = request.groups.iter().map(one).collect();
        let body = DescribeGroupsResponse { groups }.into();
        env.effects.push(Effect::Reply { to, body });
    }

    /// [GroupCoordinatorService.consumerGroupDescribe]
    fn describe_consumers(&self, request: &ConsumerGroupDescribeRequest, to: ReplyTo, env: &mut Env) {
        let default = self.settings.consumer_assignors.first();
        let one = |group: &Rc<str>| {
            if group.is_empty() {
                return undescribed(group, ErrorCode::InvalidGroupId, None);
            }
            match (self.unavailable(group), self.shards.get(&self.partition_for(group))) {
                (None, Some(shard)) => shard.describe_consumer(group, default, env.host),
                (error, _) => undescribed(group, error.unwrap_or(ErrorCode::NotCoordinator), None),
            }
        };
        let groups = request.groups.iter().map(one).collect();
        let body = ConsumerGroupDescribeResponse { groups }.into();
        env.effects.push(Effect::Reply { to, body });
    }

    /// [GroupCoordinatorService.shareGroupDescribe]
    fn describe_shares(&self, request: &ShareGroupDescribeRequest, to: ReplyTo, env: &mut Env) {
        let one = |group: &Rc<str>| {
            if group.is_empty() {
                return undescribed(group, ErrorCode::InvalidGroupId, None);
            }
            match (self.unavailable(group), self.shards.get(&self.partition_for(group))) {
                (None, Some(shard)) => shard.describe_share(group, env.host),
                (error, _) => undescribed(group, error.unwrap_or(ErrorCode::NotCoordinator), None),
            }
        };
        let groups = request.groups.iter().map(one).collect();
        let body = ShareGroupDescribeResponse { groups }.into();
        env.effects.push(Effect::Reply { to, body });
    }

    /// Partitions of a share group whose state is initialized.
    ///
    /// # Errors
    /// The group can't be served here now.
    pub fn initialized_share_partitions(&self, group: &str) -> Result<Vec<TopicPartition>, ErrorCode> {
        match (self.unavailable(group), self.shards.get(&self.partition_for(group))) {
            (None, Some(shard)) => Ok(shard.initialized_share_partitions(group)),
            (error, _) => Err(error.unwrap_or(ErrorCode::NotCoordinator)),
        }
    }

    /// The share coordinator has done its part.
    pub fn share_work_done(&mut self, work: ShareWork, results: &[ShareStateResult], env: &mut Env) {
        let refused = self.unavailable(work.group()).and_then(|error| work.refused(error));
        if let Some((to, body)) = refused {
            env.effects.push(Effect::Reply { to, body });
            return self.gather(env);
        }
        self.shard(self.partition_for(work.group()), env, |shard, host, moment| {
            shard.share_work_done(work, results, host, moment);
        });
    }

    fn list(&self, to: ReplyTo, env: &mut Env) {
        let error = match self.shards.values().any(|shard| shard.loading) {
            true => ErrorCode::CoordinatorLoadInProgress,
            false => ErrorCode::None,
        };
        let listed = self.shards.values().filter(|_| error == ErrorCode::None);
        let groups = listed.flat_map(|shard| shard.list()).collect();
        let body = ListGroupsResponse { error, groups }.into();
        env.effects.push(Effect::Reply { to, body });
    }

    /// Each shard deletes its own groups; the answer waits for all of them.
    fn delete_groups(&mut self, request: &DeleteGroupsRequest, to: ReplyTo, env: &mut Env) {
        let mut by_shard: OrderedMap<i32, Vec<Rc<str>>> = OrderedMap::new();
        let mut refused = Vec::new();
        for group in &request.groups {
            match self.unavailable(group) {
                Some(error) => refused.push((group.clone(), error)),
                None => by_shard
                    .entry(self.partition_for(group))
                    .or_default()
                    .push(group.clone()),
            }
        }
        if by_shard.is_empty() {
            let body = DeleteGroupsResponse { groups: refused }.into();
            env.effects.push(Effect::Reply { to, body });
            return;
        }
        let shares = |shard: &Shard, group: &str| shard.share(group).is_some();
        let mut alone = Vec::new();
        for (partition, groups) in &mut by_shard {
            if let Some(shard) = self.shards.get(partition) {
                alone.extend(
                    groups
                        .extract_if(.., |group| shares(shard, group))
                        .map(|group| (*partition, group)),
                );
            }
        }
        by_shard.retain(|_, groups| !groups.is_empty());
        let gathered = Gathered {
            left: by_shard.len() + alone.len(),
            groups: refused,
        };
        self.gathered.insert(to, gathered);
        for (partition, groups) in by_shard {
            self.shard(partition, env, |shard, host, moment| {
                shard.delete_groups(&groups, to, host, moment)
            });
        }
        // A share group goes when its state is gone.
        for (partition, group) in alone {
            self.shard(partition, env, |shard, host, moment| {
                if !shard.delete_share_state(&group, to, host, moment) {
                    shard.delete_groups(&[group], to, host, moment);
                }
            });
        }
    }

    /// Collects the answers of shards to a request that went to several.
    fn gather(&mut self, env: &mut Env) {
        let gathered = &mut self.gathered;
        env.effects.retain_mut(|effect| {
            let Effect::Reply { to, body } = effect else {
                return true;
            };
            let Body::DeleteGroupsResponse(part) = &*body else {
                return true;
            };
            let Some(all) = gathered.get_mut(to) else { return true };
            all.groups.extend(part.groups.iter().cloned());
            all.left -= 1;
            if all.left > 0 {
                return false;
            }
            let groups = gathered.remove(to).map_or(Vec::new(), |all| all.groups);
            *body = DeleteGroupsResponse { groups }.into();
            true
        });
    }

    /// The groups of one partition that this broker is coordinator of, by id.
    pub fn groups_of(&self, partition: i32) -> impl Iterator<Item = GroupView<'_>> {
        let shard = self.shards.get(&partition);
        shard.into_iter().flat_map(|shard| {
            let store = &shard.store;
            let groups = store.groups.values();
            let default = self.settings.consumer_assignors.first();
            groups.map(move |group| {
                GroupView::of(group, default, store.offsets.get(group.id()).map(|offsets| &**offsets))
            })
        })
    }

    /// One group, if this broker is its coordinator and knows it.
    pub fn group(&self, id: &str) -> Option<GroupView<'_>> {
        let store = &self.shards.get(&self.partition_for(id))?.store;
        let group = store.groups.get(id)?;
        let default = self.settings.consumer_assignors.first();
        let offsets = store.offsets.get(id).map(|offsets| &**offsets);
        Some(GroupView::of(group, default, offsets))
    }

    /// The partitions of `__consumer_offsets` whose groups it coordinates, and whether each is loaded.
    pub fn shards(&self) -> impl Iterator<Item = (i32, bool)> {
        self.shards.values().map(|shard| (shard.partition, !shard.loading))
    }
}

fn refuse(request: &Body, error: ErrorCode, to: ReplyTo, env: &mut Env) {
    if let Some(body) = errors::refused(request, error) {
        env.effects.push(Effect::Reply { to, body });
    }
}
