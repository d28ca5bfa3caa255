//! Which nodes a producer can send to now, and what goes into the next request to one of them.
//! [RecordAccumulator.ready, RecordAccumulator.drain]

use crate::ordered::OrderedSet;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::kafka::client::accumulator::{Accumulator, TopicQueues};
use crate::kafka::client::producer_batch::ProducerBatch;
use crate::kafka::types::{LeaderAndEpoch, NamedPartition, NodeId};

/// The pause in ms after so many earlier attempts; drawn anew at each look, as Kafka does.
pub type Pause<'a> = &'a mut dyn FnMut(u32) -> i64;

/// What is ready to be sent. [RecordAccumulator.ReadyCheckResult]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    pub nodes: OrderedSet<NodeId>,
    /// When to look again, in ms from now; `None`: nothing waits for the time.
    pub next_check_ms: Option<i64>,
    /// Topics with records for partitions without a leader: refresh the metadata.
    pub unknown_leaders: OrderedSet<Rc<str>>,
}

/// Leaders of a topic's partitions by number.
pub type Leaders = Rc<[Option<LeaderAndEpoch>]>;

/// What the sender's metadata and connections say at this moment.
pub struct ClusterView<'a> {
    /// Leaders of a topic's partitions, where there are any; empty if it is unknown.
    pub leaders: &'a dyn Fn(&str) -> Leaders,
    /// The node has not taken anything for longer than `partitioner.availability.timeout.ms`.
    pub is_slow: &'a dyn Fn(NodeId) -> bool,
}

/// Whether a batch may go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may, and has been stamped if it has to be.
    Send,
    /// Not yet, and nothing behind it to the same node either.
    Stop,
}

/// A request to be filled.
#[derive(Clone, Copy, Debug)]
pub struct Drain<'a> {
    pub node: NodeId,
    /// The partitions that the node leads, in the metadata's order.
    pub partitions: &'a [NamedPartition],
    /// `max.request.size`, in bytes; one batch alone may be larger.
    pub max_size: u32,
    /// In ms.
    pub now: i64,
}

/// What is known of one queue in a look for ready nodes.
struct Waiting {
    waited: i64,
    /// How long its first batch has to wait still, and whether that is a back-off.
    wait: i64,
    backing_off: bool,
    full: bool,
}

impl Accumulator {
    /// Nodes with a batch that can go: full, old enough, or wanted at once; and not backing off. Also tells the
    /// partitioners how long the queues are. `pause` gives the pause in ms after that many earlier
    /// attempts (see [`super::backoff`]).
    pub fn ready(&mut self, view: &ClusterView<'_>, now: i64, pause: Pause<'_>) -> Ready {
        let mut ready = Ready::default();
        let mut topics = std::mem::take(&mut self.topics);
        for (name, topic) in topics.iter_mut() {
            self.look_at_topic(name, topic, view, now, pause, &mut ready);
        }
        self.topics = topics;
        ready
    }

    /// [RecordAccumulator.partitionReady]
    fn look_at_topic(
        &self,
        name: &Rc<str>,
        topic: &mut TopicQueues,
        view: &ClusterView<'_>,
        now: i64,
        pause: Pause<'_>,
        ready: &mut Ready,
    ) {
        let hurry = self.memory.queued() > 0 || self.closed || self.flushes > 0 || self.transaction_completing;
        let leaders = (view.leaders)(name);
        let TopicQueues {
            queues, partitioner, ..
        } = topic;
        let adaptive = self.config.adaptive_partitioning && queues.len() >= leaders.len();
        let load = partitioner.new_load(if adaptive { queues.len() } else { 0 });
        for (number, queue) in queues {
            let leader = leaders.get(*number as usize).copied().flatten();
            let Some(waiting) = look_at_queue(queue, leader, self.config.linger_ms, now, pause) else {
                if leader.is_some() {
                    load.push((*number, 0));
                }
                continue;
            };
            let Some(leader) = leader else {
                ready.unknown_leaders.insert(Rc::clone(name));
                continue;
            };
            if !(view.is_slow)(leader.leader) {
                load.push((*number, queue.len() as u32));
            }
            if ready.nodes.contains(&leader.leader) || self.is_muted(name, *number) {
                continue;
            }
            if (waiting.full || hurry || waiting.waited >= waiting.wait) && !waiting.backing_off {
                ready.nodes.insert(leader.leader);
            } else {
                let left = (waiting.wait - waiting.waited).max(0);
                ready.next_check_ms = Some(ready.next_check_ms.map_or(left, |n| n.min(left)));
            }
        }
    }

    fn is_muted(&self, topic: &Rc<str>, partition: i32) -> bool {
        !self.muted.is_empty()
            && self.muted.contains(&NamedPartition {
                topic: Rc::clone(topic),
                partition,
            })
    }

    /// Takes batches for one request: round the node's partitions from the place that was looked at last, one batch
    /// each, as long as they fit. `gate` says of each batch whether it may go, and stamps it.
    pub fn drain(
        &mut self,
        request: Drain<'_>,
        leader_epoch: &dyn Fn(&NamedPartition) -> Option<i32>,
        pause: Pause<'_>,
        gate: &mut dyn FnMut(&mut ProducerBatch) -> Gate,
    ) -> Vec<ProducerBatch> {
        let Drain {
            node,
            partitions,
            max_size,
            now,
        } = request;
        let mut drained: Vec<ProducerBatch> = Vec::new();
        let mut size = 0u32;
        let mut index = self.drain_index.get(&node).copied().unwrap_or(0);
        for step in 0..partitions.len() {
            index = (index + usize::from(step > 0)) % partitions.len();
            let partition = &partitions[index];
            if self.muted.contains(partition) {
                continue;
            }
            let Some(first) = self.front_mut(partition) else {
                continue;
            };
            first.note_leader_epoch(leader_epoch(partition));
            if backs_off(first, now, pause) {
                continue;
            }
            let too_large = size.saturating_add(first.estimated_size()) > max_size && !drained.is_empty();
            if too_large || gate(first) == Gate::Stop {
                break;
            }
            if let Some(batch) = self.take_front(partition) {
                size = size.saturating_add(batch.estimated_size());
                drained.push(batch);
            }
        }
        if !partitions.is_empty() {
            self.drain_index.insert(node, index);
        }
        drained
    }

    fn front_mut(&mut self, partition: &NamedPartition) -> Option<&mut ProducerBatch> {
        let topic = self.topics.get_mut(&partition.topic)?;
        topic.queues.get_mut(&partition.partition)?.front_mut()
    }
}

fn look_at_queue(
    queue: &mut VecDeque<ProducerBatch>,
    leader: Option<LeaderAndEpoch>,
    linger_ms: i64,
    now: i64,
    pause: Pause<'_>,
) -> Option<Waiting> {
    let several = queue.len() > 1;
    let first = queue.front_mut()?;
    first.note_leader_epoch(leader.map(|l| l.epoch));
    let backing_off = backs_off(first, now, pause);
    let wait = if backing_off {
        pause(first.attempts.saturating_sub(1))
    } else {
        linger_ms
    };
    Some(Waiting {
        waited: first.waited(now),
        wait,
        backing_off,
        full: several || first.is_full(),
    })
}

/// A batch that failed waits before it goes again, unless its partition has another leader since.
fn backs_off(batch: &ProducerBatch, now: i64, pause: Pause<'_>) -> bool {
    batch.attempts > 0 && !batch.has_new_leader() && batch.waited(now) < pause(batch.attempts - 1)
}
