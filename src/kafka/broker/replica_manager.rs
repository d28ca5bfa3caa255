//! The replicas that a broker has open: each a log and the rules of its partition. What every change of a high
//! watermark, an ISR or a leadership sets in motion starts here. [ReplicaManager]

use super::BrokerTimer;
use super::Setup;
use super::high_watermark::HighWatermark;
use super::note::BrokerNote;
use super::partition::{BrokerStatus, LogOffsets, Partition, View};
use super::server::{Server, set_timer, status_of};
use crate::kafka::fixes::Fixes;
use crate::kafka::log::unified_log::Log;
use crate::kafka::note::{Fact, Note};
use crate::kafka::protocol::data::BrokerNode;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::sim::Span;
use std::rc::Rc;

/// The clocks of the event that is handled, and what else a replica's rules look at of its broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// Monotonic, ms.
    pub now: i64,
    /// Wall clock, ms since 1970.
    pub wall: i64,
    /// `replica.lag.time.max.ms`
    lag_max: i64,
    pub broker_epoch: i64,
    fixes: Fixes,
}

impl Clock {
    pub fn at(ctx: &Ctx, setup: &Setup) -> Clock {
        Clock {
            now: ctx.now().as_ms(),
            wall: ctx.wall_ms(),
            lag_max: setup.config.replica_lag_time_max_ms,
            broker_epoch: -1,
            fixes: setup.fixes,
        }
    }

    pub fn read(&mut self, ctx: &Ctx) {
        self.now = ctx.now().as_ms();
        self.wall = ctx.wall_ms();
    }
}

/// One replica.
#[derive(Clone, Debug)]
pub(super) struct Replica {
    /// The topic's name.
    pub topic: Rc<str>,
    pub partition: Partition,
    pub log: Log,
    /// `min.insync.replicas` of the topic.
    pub min_insync_replicas: usize,
}

impl Replica {
    /// What its rules look at.
    pub fn view<'a>(&self, clock: Clock, brokers: &'a dyn Fn(NodeId) -> Option<BrokerStatus>) -> View<'a> {
        View {
            now: clock.now,
            lag_max: clock.lag_max,
            min_insync_replicas: self.min_insync_replicas,
            log: LogOffsets {
                start: self.log.log_start(),
                high_watermark: self.log.high_watermark(),
                end: self.log.end_offset(),
            },
            broker_epoch: clock.broker_epoch,
            brokers,
            fixes: clock.fixes,
        }
    }
}

impl Server {
    /// Why a partition that is not here is not here. [ReplicaManager.getPartitionOrError]
    pub(super) fn missing_error(&self, partition: TopicPartition) -> ErrorCode {
        if self.image().partitions.contains_key(&partition) {
            ErrorCode::NotLeaderOrFollower
        } else if self.image().topics.contains_key(&partition.topic) {
            ErrorCode::UnknownTopicOrPartition
        } else {
            ErrorCode::UnknownTopicId
        }
    }

    /// Who leads a partition as far as this broker knows: id and epoch (KIP-951). [KafkaApis.getCurrentLeader]
    pub(super) fn current_leader(&self, partition: TopicPartition) -> Option<(NodeId, i32)> {
        if let Some(replica) = self.replicas.get(&partition) {
            return Some((replica.partition.leader(), replica.partition.leader_epoch()));
        }
        let registration = self.image().partitions.get(&partition)?;
        Some((registration.leader, registration.leader_epoch))
    }

    /// Endpoints of the leaders named in an answer, for those who came in by a listener.
    pub(super) fn endpoints(
        &self,
        leaders: impl Iterator<Item = Option<(NodeId, i32)>>,
        listener: Option<&Rc<str>>,
    ) -> Vec<BrokerNode> {
        let mut nodes: Vec<BrokerNode> = Vec::new();
        for (leader, _) in leaders.flatten() {
            let known = leader == NO_LEADER || nodes.iter().any(|node| node.id == leader);
            if let (false, Some(broker)) = (known, self.image().brokers.get(&leader)) {
                nodes.extend(broker.node_for(listener));
            }
        }
        nodes
    }

    /// Does what an evaluation of a leader's high watermark came to; whatever waited for it is looked at again.
    pub(super) fn high_watermark_evaluated(&mut self, partition: TopicPartition, result: HighWatermark, ctx: &mut Ctx) {
        let HighWatermark::Advances { to, .. } = result else {
            if let HighWatermark::Frozen { isr, min_isr } = result {
                ctx.note(Note::Broker(BrokerNote::HighWatermarkFrozen {
                    partition,
                    isr,
                    min_isr,
                }));
            }
            return;
        };
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let Some(from) = replica.log.increment_high_watermark(to) else {
            return;
        };
        let to = replica.log.high_watermark();
        let epoch = replica.partition.leader_epoch();
        ctx.note(Note::Fact(Fact::HighWatermark {
            partition,
            leader: true,
            epoch,
            from,
            to,
        }));
        self.coordinator_high_watermark(partition, to, ctx);
        self.check_delayed(partition, ctx);
    }

    /// Evaluates it anew: after an append, or what else the rules have not looked at already.
    pub(super) fn evaluate_high_watermark(&mut self, partition: TopicPartition, ctx: &mut Ctx) {
        let brokers = |id| status_of(self.observer.image(), id);
        let Some(replica) = self.replicas.get(&partition) else {
            return;
        };
        let result = replica
            .partition
            .evaluate_high_watermark(&replica.view(self.clock, &brokers));
        self.high_watermark_evaluated(partition, result, ctx);
    }

    /// The ISR check runs from the start of the broker on, every half `replica.lag.time.max.ms`.
    pub(super) fn start_isr_checks(&mut self, ctx: &mut Ctx) {
        let half = Span::from_ms(self.setup.config.replica_lag_time_max_ms / 2);
        set_timer(ctx, half.max(Span::ms(1)), BrokerTimer::CheckIsr);
    }

    /// Proposes to drop followers that are too late (rule R-15). [ReplicaManager.maybeShrinkIsr]
    pub(super) fn check_isrs(&mut self, ctx: &mut Ctx) {
        let clock = self.clock;
        let mut shrinks = Vec::new();
        let image = self.observer.image();
        let brokers = |id| status_of(image, id);
        for (partition, replica) in &mut self.replicas {
            let view = replica.view(clock, &brokers);
            if let Some(shrink) = replica.partition.check_isr(&view) {
                shrinks.push((*partition, shrink));
            }
        }
        for (partition, shrink) in shrinks {
            for late in &shrink.out_of_sync {
                ctx.note(Note::Broker(BrokerNote::OutOfSync {
                    partition,
                    replica: late.replica,
                    end_offset: late.end_offset,
                    caught_up_ms_ago: late.last_caught_up_time.map(|at| clock.now - at),
                    lag_max_ms: clock.lag_max,
                }));
            }
            self.propose_isr(partition, shrink.proposal, ctx);
        }
        self.start_isr_checks(ctx);
    }
}
