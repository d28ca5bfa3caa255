//! Applies what the metadata log has brought to this broker's replicas: deletions first, then leaders, then followers,
//! then settings. [BrokerMetadataPublisher, ReplicaManager.applyDelta]

use super::note::BrokerNote;
use super::partition::{FollowerChange, LeaderChange, Partition};
use super::replica_manager::Replica;
use super::server::{Server, StoredLog, status_of};
use crate::kafka::controller::partition::PartitionRegistration;
use crate::kafka::log::unified_log::Log;
use crate::kafka::metadata::image::MetadataDelta;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::types::{NO_LEADER, NamedPartition, TopicId, TopicPartition};
use crate::kafka::wire::Ctx;
use std::rc::Rc;

impl Server {
    /// Applies a change of the image.
    pub(super) fn publish(&mut self, delta: &MetadataDelta, ctx: &mut Ctx) {
        let me = self.me();
        if !delta.brokers.is_empty() {
            self.stir_all();
        }
        let mut leaders = Vec::new();
        let mut followers = Vec::new();
        let mut gone = Vec::new();
        for (partition, before) in &delta.partitions {
            let Some(now) = self.image().partitions.get(partition).cloned() else {
                continue;
            };
            if now.leader == me {
                leaders.push((*partition, now));
            } else if now.replicas.contains(&me) {
                followers.push((*partition, now));
            } else if before.is_none() || self.replicas.contains_key(partition) {
                gone.push(*partition);
            }
        }
        for topic in &delta.deleted_topics {
            gone.extend(self.replicas_of(topic.id));
        }
        for partition in gone {
            self.remove_replica(partition, ctx);
        }
        for (partition, registration) in &leaders {
            self.become_leader(*partition, registration, ctx);
        }
        for (partition, registration) in &followers {
            self.become_follower(*partition, registration, ctx);
        }
        for resource in &delta.configs {
            self.apply_settings(resource);
        }
        self.groups_topics_changed(delta);
        self.groups_topics_deleted(&delta.deleted_topics, ctx);
        self.requeue_all_markers(ctx);
        self.retire_fetchers(ctx);
        self.drive_fetchers(ctx);
    }

    fn replicas_of(&self, topic: TopicId) -> Vec<TopicPartition> {
        let all = TopicPartition::new(topic, 0)..=TopicPartition::new(topic, i32::MAX);
        self.replicas.range(all).map(|(partition, _)| *partition).collect()
    }

    /// The folder goes; whatever waited for the replica is answered.
    fn remove_replica(&mut self, partition: TopicPartition, ctx: &mut Ctx) {
        self.stop_fetching(partition);
        self.isr_changes.forget(partition);
        let Some(replica) = self.replicas.remove(&partition) else {
            return;
        };
        if replica.partition.is_leader() {
            ctx.note(Note::Fact(Fact::Resigned {
                partition,
                epoch: replica.partition.leader_epoch(),
            }));
            self.coordinator_resigned(&replica.topic, partition.partition, None, ctx);
        }
        ctx.note(Note::Fact(Fact::Removed { partition }));
        self.share_partition_lost(partition, ctx);
        self.check_delayed(partition, ctx);
    }

    /// Makes sure that the replica is open: its log from the disk, or a new one. A copy of the topic id before this one
    /// under the same name has been set aside by then.
    fn open_replica(&mut self, partition: TopicPartition) -> bool {
        if self.replicas.contains_key(&partition) {
            return true;
        }
        let Some(topic) = self.image().name_of(partition.topic).cloned() else {
            return false;
        };
        let name: Rc<str> = format!("{topic}-{}", partition.partition).into();
        let (config, min_insync_replicas) = self.log_config(&topic);
        let log = Log::new(name, config, self.clock.wall);
        let named = NamedPartition {
            topic: topic.clone(),
            partition: partition.partition,
        };
        let replica = Replica {
            topic,
            partition: Partition::new(named, self.me()),
            log,
            min_insync_replicas,
        };
        self.replicas.insert(partition, replica);
        true
    }

    /// Opens a log that was found on disk.
    pub(super) fn load_replica(&mut self, partition: TopicPartition, stored: StoredLog, ctx: &mut Ctx) {
        let StoredLog { topic, files } = stored;
        let name: Rc<str> = format!("{topic}-{}", partition.partition).into();
        let (config, min_insync_replicas) = self.log_config(&topic);
        let clean = self.clean_start.is_some();
        let (log, loaded) = Log::load(files, name, config, clean, self.clock.wall);
        ctx.note(Note::Fact(Fact::Loaded {
            partition,
            start: log.log_start(),
            end: log.end_offset(),
            high_watermark: log.high_watermark(),
        }));
        ctx.note(Note::Broker(BrokerNote::LogLoaded {
            partition,
            clean,
            end: loaded.end,
            high_watermark: log.high_watermark(),
        }));
        let named = NamedPartition {
            topic: topic.clone(),
            partition: partition.partition,
        };
        let replica = Replica {
            topic,
            partition: Partition::new(named, self.me()),
            log,
            min_insync_replicas,
        };
        self.replicas.insert(partition, replica);
    }

    fn become_leader(&mut self, partition: TopicPartition, to: &PartitionRegistration, ctx: &mut Ctx) {
        self.stir(partition);
        if !self.open_replica(partition) {
            return;
        }
        let brokers = |id| status_of(self.observer.image(), id);
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let view = replica.view(self.clock, &brokers);
        let LeaderChange::Leads {
            was_leader,
            epoch_start,
            high_watermark,
        } = replica.partition.make_leader(to, &view)
        else {
            return;
        };
        self.isr_changes.forget(partition);
        if let Some(end) = epoch_start {
            replica.log.assign_epoch(to.leader_epoch);
            ctx.note(Note::Fact(Fact::Leads {
                partition,
                epoch: to.leader_epoch,
                end,
            }));
            ctx.note(Note::Broker(BrokerNote::Leads {
                partition,
                epoch: to.leader_epoch,
                end,
                was_leader,
            }));
        }
        self.stop_fetching(partition);
        self.high_watermark_evaluated(partition, high_watermark, ctx);
        self.check_delayed(partition, ctx);
        if epoch_start.is_some() {
            self.coordinator_elected(partition, to.leader_epoch, ctx);
        }
    }

    fn become_follower(&mut self, partition: TopicPartition, to: &PartitionRegistration, ctx: &mut Ctx) {
        self.stir(partition);
        if !self.open_replica(partition) {
            return;
        }
        let me = self.me();
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let old_epoch = replica.partition.leader_epoch();
        let FollowerChange::Follows {
            was_leader,
            new_epoch,
            leader,
        } = replica.partition.make_follower(to)
        else {
            return;
        };
        self.isr_changes.forget(partition);
        let topic = replica.topic.clone();
        if was_leader {
            ctx.note(Note::Fact(Fact::Resigned {
                partition,
                epoch: old_epoch,
            }));
        }
        if new_epoch {
            ctx.note(Note::Broker(BrokerNote::Follows {
                partition,
                leader,
                epoch: to.leader_epoch,
            }));
        }
        let stopping = self.image().brokers.get(&me).is_some_and(|b| b.in_controlled_shutdown);
        if stopping && (leader == NO_LEADER || !to.isr.contains(&me)) {
            self.stop_fetching(partition);
        } else if new_epoch {
            self.stop_fetching(partition);
            self.start_fetching(partition, leader, to.leader_epoch, ctx);
        }
        self.share_partition_lost(partition, ctx);
        self.check_delayed(partition, ctx);
        if new_epoch {
            self.coordinator_resigned(&topic, partition.partition, Some(to.leader_epoch), ctx);
        }
    }

    /// A topic's settings count from the next operation on; a broker's may stand behind those of every topic.
    fn apply_settings(&mut self, resource: &ConfigResource) {
        let all: Vec<(TopicPartition, Rc<str>)> = self
            .replicas
            .iter()
            .filter(|(_, replica)| match resource {
                ConfigResource::Topic(name) => replica.topic == *name,
                ConfigResource::Broker(_) => true,
                ConfigResource::Group(_) => false,
            })
            .map(|(partition, replica)| (*partition, replica.topic.clone()))
            .collect();
        for (partition, topic) in all {
            let (config, min_insync_replicas) = self.log_config(&topic);
            if let Some(replica) = self.replicas.get_mut(&partition) {
                replica.log.set_config(config);
                replica.min_insync_replicas = min_insync_replicas;
            }
        }
    }
}
