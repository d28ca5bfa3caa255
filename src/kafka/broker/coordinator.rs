//! The group coordinator and the broker around it: which requests, leaderships, high watermarks and timers it is told
//! of, what it wants done, and where the coordinator of a key is found.
//! [KafkaApis.handleFindCoordinatorRequest, BrokerMetadataPublisher.updateCoordinator]

use super::BrokerTimer;
use super::requests::Asker;
use super::server::{Server, set_timer};
use crate::kafka::config::GroupConfig;
use crate::kafka::groups::{Effect, Env, GroupCoordinator, GroupTimer, Host, ReplyTo, ShareWork, txn_commit_refused};
use crate::kafka::hash::coordinator_partition;
use crate::kafka::log::append::LeaderAppend;
use crate::kafka::log::batch::{Batch, Outcome};
use crate::kafka::log::files::LogFiles;
use crate::kafka::log::producer_entry::Guard;
use crate::kafka::metadata::image::{MetadataDelta, TopicImage};
use crate::kafka::note::Note;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::groups::{CoordinatorKind, FindCoordinatorRequest, FindCoordinatorResponse};
use crate::kafka::protocol::share::ShareStateResult;
use crate::kafka::protocol::transactions::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{TopicId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::sim::TimerId;
use crate::sim::hash::StableHasher;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The topics that coordinators keep their state in.
pub(super) const OFFSETS_TOPIC: &str = "__consumer_offsets";
pub(super) const TRANSACTIONS_TOPIC: &str = "__transaction_state";
pub(super) const SHARE_STATE_TOPIC: &str = "__share_group_state";

/// The coordinator and what it has asked for.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// Out of here while it works.
    coordinator: Option<Box<GroupCoordinator>>,
    timers: OrderedMap<GroupTimer, TimerId>,
    /// High watermarks of its partitions that moved while it worked.
    moved: VecDeque<(i32, i64)>,
    /// Offset of the metadata when topics were created last.
    new_topics: i64,
}

impl Groups {
    pub fn new(coordinator: GroupCoordinator) -> Groups {
        Groups {
            coordinator: Some(Box::new(coordinator)),
            timers: OrderedMap::new(),
            moved: VecDeque::new(),
            new_topics: -1,
        }
    }

    pub fn coordinator(&self) -> Option<&GroupCoordinator> {
        self.coordinator.as_deref()
    }
}

/// The broker as the coordinator sees it.
struct Around<'a, 'c> {
    /// Of a verified transaction.
    guard: Option<Guard>,
    server: &'a mut Server,
    ctx: &'a mut Ctx<'c>,
}

impl Host for Around<'_, '_> {
    fn append(&mut self, partition: i32, batch: Batch) -> Result<i64, ErrorCode> {
        let Some(topic) = self.server.image().ids.get(OFFSETS_TOPIC) else {
            return Err(ErrorCode::UnknownTopicOrPartition);
        };
        let partition = TopicPartition::new(*topic, partition);
        let replica = self.server.replicas.get(&partition);
        let epoch = replica.map_or(-1, |replica| replica.partition.leader_epoch());
        let how = LeaderAppend {
            guard: self.guard,
            ..LeaderAppend::coordinator(epoch, self.server.clock.wall)
        };
        let appended = self.server.append_local(partition, batch, how, 1, self.ctx);
        appended.map(|a| a.last_offset).map_err(|error| error.code)
    }

    fn topic(&self, name: &str) -> Option<(TopicId, i32)> {
        let topic = self.server.image().topic_by_name(name)?;
        Some((topic.id, topic.partitions))
    }

    fn topic_name(&self, topic: TopicId) -> Option<Rc<str>> {
        self.server.image().name_of(topic).cloned()
    }

    fn topic_names(&self) -> Vec<Rc<str>> {
        self.server.image().ids.keys().cloned().collect()
    }

    fn topic_hash(&self, name: &str) -> Option<u64> {
        let image = self.server.image();
        let topic = image.topic_by_name(name)?;
        let mut hasher = StableHasher::default();
        (topic.id.0, topic.partitions).hash(&mut hasher);
        for (_, partition) in image.partitions_of(topic.id) {
            let racks = partition
                .replicas
                .iter()
                .filter_map(|id| image.brokers.get(id)?.node.rack.clone());
            racks.collect::<OrderedSet<_>>().hash(&mut hasher);
        }
        Some(hasher.finish())
    }

    fn metadata_version(&self) -> i64 {
        self.server.image().end_offset
    }

    fn version_of_new_topics(&self) -> i64 {
        self.server.groups.new_topics
    }

    fn group_settings(&self, group: &str) -> Option<GroupConfig> {
        self.server.group_settings(group)
    }
}

impl Server {
    /// Lets the coordinator work, and does what it wants done.
    fn with_groups(&mut self, ctx: &mut Ctx, work: impl FnOnce(&mut GroupCoordinator, &mut Env)) {
        self.with_groups_guarded(None, ctx, work);
    }

    fn with_groups_guarded(
        &mut self,
        guard: Option<Guard>,
        ctx: &mut Ctx,
        work: impl FnOnce(&mut GroupCoordinator, &mut Env),
    ) {
        let Some(mut coordinator) = self.groups.coordinator.take() else {
            return;
        };
        let (now, wall) = (ctx.now(), self.clock.wall);
        let mut around = Around {
            guard,
            server: self,
            ctx,
        };
        let mut env = Env::new(now, wall, &mut around);
        work(&mut coordinator, &mut env);
        let effects = env.effects;
        self.groups.coordinator = Some(coordinator);
        for effect in effects {
            self.carry_out(effect, ctx);
        }
        if let Some((partition, to)) = self.groups.moved.pop_front() {
            self.pass_high_watermark(partition, to, ctx);
        }
    }

    fn pass_high_watermark(&mut self, partition: i32, to: i64, ctx: &mut Ctx) {
        self.with_groups(ctx, |groups, env| groups.high_watermark(partition, to, env));
    }

    fn carry_out(&mut self, effect: Effect, ctx: &mut Ctx) {
        match effect {
            Effect::Reply { to, body } => {
                let asker = Asker {
                    conn: to.conn,
                    correlation: to.correlation,
                };
                self.reply(asker, body, ctx);
            }
            Effect::SetTimer { timer, after } => {
                let id = set_timer(ctx, after, BrokerTimer::Group(timer));
                self.groups.timers.insert(timer, id);
            }
            Effect::CancelTimer(timer) => {
                if let Some(id) = self.groups.timers.remove(&timer) {
                    ctx.cancel(id);
                }
            }
            Effect::Share(work) => self.begin_share_work(*work, ctx),
            Effect::Note(note) => ctx.note(Note::Group(note)),
            Effect::Fact(fact) => ctx.note(Note::Fact(fact)),
        }
    }

    /// The share coordinator has done its part of a task.
    pub(super) fn share_work_done(&mut self, work: ShareWork, results: &[ShareStateResult], ctx: &mut Ctx) {
        self.with_groups(ctx, |groups, env| groups.share_work_done(work, results, env));
    }

    /// The first metadata are known.
    pub(super) fn start_groups(&mut self, ctx: &mut Ctx) {
        let partitions = self.image().topic_by_name(OFFSETS_TOPIC).map(|topic| topic.partitions);
        self.with_groups(ctx, |groups, _| groups.startup(partitions));
    }

    pub(super) fn group_timer(&mut self, timer: GroupTimer, ctx: &mut Ctx) {
        self.groups.timers.remove(&timer);
        self.with_groups(ctx, |groups, env| groups.timer(timer, env));
    }

    /// A request to a group's coordinator; `false` if it is none.
    pub(super) fn serve_group_request(&mut self, asker: Asker, msg: &Msg, ctx: &mut Ctx) -> bool {
        let known = matches!(
            msg.body,
            Body::JoinGroupRequest(_)
                | Body::SyncGroupRequest(_)
                | Body::HeartbeatRequest(_)
                | Body::ConsumerGroupHeartbeatRequest(_)
                | Body::ConsumerGroupDescribeRequest(_)
                | Body::ShareGroupHeartbeatRequest(_)
                | Body::ShareGroupDescribeRequest(_)
                | Body::AlterShareGroupOffsetsRequest(_)
                | Body::DeleteShareGroupOffsetsRequest(_)
                | Body::LeaveGroupRequest(_)
                | Body::OffsetCommitRequest(_)
                | Body::OffsetFetchRequest(_)
                | Body::OffsetDeleteRequest(_)
                | Body::DescribeGroupsRequest(_)
                | Body::ListGroupsRequest(_)
                | Body::DeleteGroupsRequest(_)
        );
        if known {
            let to = ReplyTo {
                conn: asker.conn,
                correlation: asker.correlation,
            };
            self.with_groups(ctx, |groups, env| groups.handle(&msg.body, &msg.client, to, env));
        }
        known
    }

    /// The groups of a partition are about to be read. Whether they have to be.
    pub(super) fn begin_group_load(&mut self, partition: i32, epoch: i32, ctx: &mut Ctx) -> bool {
        let mut due = false;
        self.with_groups(ctx, |groups, _| due = groups.begin_load(partition, epoch));
        due
    }

    /// The groups of a partition are read from its log: start, end and high watermark go with it.
    pub(super) fn load_groups(
        &mut self,
        partition: i32,
        epoch: i32,
        (files, start, end, high_watermark): (&LogFiles, i64, i64, i64),
        ctx: &mut Ctx,
    ) {
        self.with_groups(ctx, |groups, env| {
            let batches = files.batches().filter(|batch| batch.last_offset >= start);
            groups.load(partition, epoch, batches, end, high_watermark, env);
        });
    }

    /// This broker does not lead the partition any more, since this epoch; `None`: it is gone.
    pub(super) fn coordinator_resigned(&mut self, topic: &str, partition: i32, epoch: Option<i32>, ctx: &mut Ctx) {
        match topic {
            OFFSETS_TOPIC => self.with_groups(ctx, |groups, env| groups.unload(partition, epoch, env)),
            TRANSACTIONS_TOPIC => self.unload_transactions(partition, ctx),
            SHARE_STATE_TOPIC => self.unload_share_state(partition, ctx),
            _ => {}
        }
    }

    /// The high watermark of a partition that this broker leads has moved.
    pub(super) fn coordinator_high_watermark(&mut self, partition: TopicPartition, to: i64, ctx: &mut Ctx) {
        let Some(replica) = self.replicas.get(&partition) else {
            return;
        };
        match &*replica.topic {
            OFFSETS_TOPIC => {}
            SHARE_STATE_TOPIC => return self.share_state_committed(partition.partition, to, ctx),
            _ => return,
        }
        if self.groups.coordinator.is_none() {
            self.groups.moved.push_back((partition.partition, to));
        } else {
            self.pass_high_watermark(partition.partition, to, ctx);
        }
    }

    /// Are the groups of this partition of `__consumer_offsets` at hand here?
    pub(super) fn coordinates_groups_of(&self, partition: i32) -> bool {
        let groups = self.groups.coordinator();
        groups.is_some_and(|groups| groups.shards().any(|(number, loaded)| number == partition && loaded))
    }

    /// A marker stands in `__consumer_offsets`: the transaction's offsets count, or are dropped.
    pub(super) fn group_marker_written(
        &mut self,
        place: TopicPartition,
        producer_id: i64,
        outcome: Outcome,
        offset: i64,
        ctx: &mut Ctx,
    ) {
        let high_watermark = self
            .replicas
            .get(&place)
            .map_or(0, |replica| replica.log.high_watermark());
        self.with_groups(ctx, |groups, env| {
            groups.transaction_ended(place.partition, producer_id, outcome, offset, env);
        });
        self.pass_high_watermark(place.partition, high_watermark, ctx);
    }

    /// Offsets that a transaction commits: its coordinator is asked first. [KafkaApis.handleTxnOffsetCommitRequest]
    pub(super) fn serve_txn_offsets(
        &mut self,
        asker: Asker,
        request: &TxnOffsetCommitRequest,
        msg: &Msg,
        ctx: &mut Ctx,
    ) {
        let unknown = !request.offsets.iter().any(|(partition, _)| self.knows(partition));
        let error = match (unknown, request.group.is_empty()) {
            (true, _) => Some(ErrorCode::UnknownTopicOrPartition),
            (_, true) => Some(ErrorCode::InvalidGroupId),
            (false, false) => None,
        };
        match error {
            None => self.verify_offsets(asker, msg, ctx),
            Some(error) => {
                let partitions = request.offsets.iter().map(|(p, _)| (p.clone(), error)).collect();
                self.reply(asker, TxnOffsetCommitResponse { partitions }.into(), ctx);
            }
        }
    }

    /// The transaction's coordinator has spoken.
    pub(super) fn commit_verified(
        &mut self,
        asker: Asker,
        msg: &Msg,
        error: Option<ErrorCode>,
        guard: Option<Guard>,
        ctx: &mut Ctx,
    ) {
        let to = ReplyTo {
            conn: asker.conn,
            correlation: asker.correlation,
        };
        match error {
            Some(error) => {
                if let Some(body) = txn_commit_refused(&msg.body, error) {
                    self.reply(asker, body, ctx);
                }
            }
            None => self.with_groups_guarded(guard, ctx, |groups, env| {
                groups.handle(&msg.body, &msg.client, to, env);
            }),
        }
    }

    pub(super) fn groups_topics_deleted(&mut self, topics: &[TopicImage], ctx: &mut Ctx) {
        if !topics.is_empty() {
            let ids = topics.iter().map(|topic| topic.id).collect();
            self.share_state_topics_deleted(topics, ctx);
            self.with_groups(ctx, |groups, env| groups.topics_deleted(&ids, env));
        }
    }

    /// The coordinator hears of topics that were created, changed or deleted. [GroupMetadataManager.onMetadataUpdate]
    pub(super) fn groups_topics_changed(&mut self, delta: &MetadataDelta) {
        let image = self.image();
        let created = delta
            .partitions
            .iter()
            .any(|(partition, before)| before.is_none() && partition.partition == 0);
        let changed: OrderedSet<TopicId> = delta.partitions.keys().map(|partition| partition.topic).collect();
        let names = changed.iter().filter_map(|topic| image.name_of(*topic)).cloned();
        let deleted = delta.deleted_topics.iter().map(|topic| topic.name.clone());
        let names: OrderedSet<Rc<str>> = names.chain(deleted).collect();
        if created || self.groups.new_topics < 0 {
            self.groups.new_topics = image.end_offset;
        }
        if let Some(coordinator) = &mut self.groups.coordinator {
            coordinator.topics_changed(&names);
        }
    }

    /// The coordinator is the leader of the partition that the key belongs to. The topic is created if it is missing.
    pub(super) fn serve_find_coordinator(&mut self, asker: Asker, request: &FindCoordinatorRequest, ctx: &mut Ctx) {
        let topic = match request.kind {
            CoordinatorKind::Group => OFFSETS_TOPIC,
            CoordinatorKind::Transaction => TRANSACTIONS_TOPIC,
        };
        let node = self.coordinator_of(topic, &request.key, self.listener_of(asker, ctx));
        if self.image().topic_by_name(topic).is_none() {
            self.create_internal_topic(topic, ctx);
        }
        let response = FindCoordinatorResponse {
            error: match node {
                Some(_) => ErrorCode::None,
                None => ErrorCode::CoordinatorNotAvailable,
            },
            node,
        };
        self.reply(asker, Body::from(response), ctx);
    }

    pub(super) fn coordinator_of(&self, topic: &str, key: &str, listener: Option<&Rc<str>>) -> Option<BrokerNode> {
        let image = self.image();
        let topic = image.topic_by_name(topic)?;
        let partition = TopicPartition::new(topic.id, coordinator_partition(key, topic.partitions));
        let leader = image.partitions.get(&partition)?.leader;
        image.brokers.get(&leader)?.node_for(listener)
    }

    /// Asks the controller for a topic that a coordinator lives in.
    /// [DefaultAutoTopicCreationManager.creatableTopic, GroupCoordinatorService.groupMetadataTopicConfigs,
    /// TransactionCoordinator.transactionStateTopicConfigs, ShareCoordinatorService.shareGroupStateTopicConfigs]
    pub(super) fn create_internal_topic(&mut self, name: &str, ctx: &mut Ctx) {
        let config = &self.setup.config;
        let (partitions, replicas, settings) = match name {
            OFFSETS_TOPIC => (
                config.offsets_topic_num_partitions,
                config.offsets_topic_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "producer".to_owned()),
                    ("segment.bytes", config.offsets_topic_segment_bytes.to_string()),
                ],
            ),
            TRANSACTIONS_TOPIC => (
                config.transaction_state_log_num_partitions,
                config.transaction_state_log_replication_factor,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "uncompressed".to_owned()),
                    ("min.insync.replicas", config.transaction_state_log_min_isr.to_string()),
                    ("unclean.leader.election.enable", "false".to_owned()),
                ],
            ),
            _ => (
                config.share_coordinator_state_topic_num_partitions,
                config.share_coordinator_state_topic_replication_factor,
                vec![
                    ("cleanup.policy", "delete".to_owned()),
                    ("compression.type", "producer".to_owned()),
                    (
                        "segment.bytes",
                        config.share_coordinator_state_topic_segment_bytes.to_string(),
                    ),
                    (
                        "min.insync.replicas",
                        config.share_coordinator_state_topic_min_isr.to_string(),
                    ),
                    ("retention.ms", "-1".to_owned()),
                ],
            ),
        };
        let topic = CreatableTopic {
            name: name.into(),
            num_partitions: partitions,
            replication_factor: i16::try_from(replicas).unwrap_or(i16::MAX),
            assignments: Vec::new(),
            configs: settings
                .into_iter()
                .map(|(name, value)| (name.into(), Some(value.into())))
                .collect(),
        };
        self.create_topic(topic, ctx);
    }
}
