//! Markers on their way from the coordinator to the leaders, until every partition has its own.
//! [TransactionMarkerChannelManager, TransactionMarkerRequestCompletionHandler]

use super::state_log::Then;
use crate::kafka::broker::server::Server;
use crate::kafka::note::Note;
use crate::kafka::protocol::transactions::{TxnMarker, WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::transactions::note::TxnNote;
use crate::kafka::transactions::{TxnState, TxnValue};
use crate::kafka::types::{NO_LEADER, NamedPartition, NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// One transaction's marker for some partitions.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    id: Rc<str>,
    /// Partition of `__transaction_state`.
    home: i32,
    marker: TxnMarker,
}

/// A transaction whose markers are not all written.
#[derive(Clone, Debug)]
struct Completing {
    home: i32,
    epoch: i32,
    next: TxnValue,
}

/// All markers that wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Markers {
    completing: OrderedMap<Rc<str>, Completing>,
    /// By leader; [`NO_LEADER`]: nobody leads.
    queues: OrderedMap<NodeId, Vec<Entry>>,
}

impl Markers {
    /// Leaders that markers wait for.
    pub fn waiting_for(&self) -> Vec<NodeId> {
        self.queues.keys().copied().collect()
    }
}

/// An answer after which the marker is sent again.
fn again(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::UnknownTopicOrPartition
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::NotEnoughReplicas
            | ErrorCode::NotEnoughReplicasAfterAppend
            | ErrorCode::RequestTimedOut
            | ErrorCode::KafkaStorageError
    )
}

impl Server {
    /// The outcome of a transaction is decided: its markers go out, then it becomes `next`.
    pub(super) fn send_markers(&mut self, home: i32, epoch: i32, id: &Rc<str>, next: TxnValue, ctx: &mut Ctx) {
        let Some((_, txn)) = self.transactions.get(home, id) else {
            return;
        };
        let value = &txn.value;
        let marker = TxnMarker {
            producer_id: value.producer_id,
            producer_epoch: value.epoch,
            coordinator_epoch: epoch,
            committed: value.state == TxnState::PrepareCommit,
            transaction_version: value.version,
            partitions: value.partitions.iter().cloned().collect(),
        };
        let completing = Completing { home, epoch, next };
        self.transactions.markers.completing.insert(id.clone(), completing);
        let entry = Entry {
            id: id.clone(),
            home,
            marker,
        };
        self.queue_markers(entry, ctx);
        self.complete_if_all_written(id, ctx);
    }

    /// Puts a marker into the queues of the leaders; a partition that is no more needs none.
    fn queue_markers(&mut self, entry: Entry, ctx: &mut Ctx) {
        let Entry { id, home, marker } = entry;
        let mut by_leader: OrderedMap<NodeId, Vec<NamedPartition>> = OrderedMap::new();
        let mut gone = Vec::new();
        for partition in &marker.partitions {
            match self.leader_by_name(partition) {
                Some(leader) => by_leader.entry(leader).or_default().push(partition.clone()),
                None => gone.push(partition.clone()),
            }
        }
        for (leader, partitions) in by_leader {
            let marker = TxnMarker {
                partitions,
                ..marker.clone()
            };
            let id = id.clone();
            let queue = self.transactions.markers.queues.entry(leader).or_default();
            queue.push(Entry { id, home, marker });
        }
        self.transactions.peers.wanted = true;
        if !gone.is_empty() {
            if let Some((_, txn)) = self.transactions.get_mut(home, &id) {
                gone.iter().for_each(|partition| txn.remove_partition(partition));
            }
            self.complete_if_all_written(&id, ctx);
        }
    }

    /// Who leads a partition and is not fenced; [`NO_LEADER`] if nobody, `None` if there is no such partition.
    pub(super) fn leader_by_name(&self, partition: &NamedPartition) -> Option<NodeId> {
        let image = self.image();
        let topic = image.ids.get(&partition.topic)?;
        let place = TopicPartition::new(*topic, partition.partition);
        let leader = image.partitions.get(&place)?.leader;
        let alive = image.brokers.get(&leader).is_some_and(|broker| !broker.fenced);
        Some(if alive { leader } else { NO_LEADER })
    }

    /// New metadata: markers without a leader, or with another than before, find theirs.
    pub(in crate::kafka::broker) fn requeue_all_markers(&mut self, ctx: &mut Ctx) {
        for node in self.transactions.markers.waiting_for() {
            self.requeue_markers_of(node, ctx);
        }
    }

    pub(super) fn requeue_markers_of(&mut self, node: NodeId, ctx: &mut Ctx) {
        let entries = self.transactions.markers.queues.remove(&node).unwrap_or_default();
        entries.into_iter().for_each(|entry| self.queue_markers(entry, ctx));
    }

    /// The request for one leader.
    pub(super) fn take_markers_for(&mut self, node: NodeId, ctx: &mut Ctx) -> Option<(Body, Vec<Entry>)> {
        let entries = self.transactions.markers.queues.remove(&node)?;
        let markers: Vec<TxnMarker> = entries.iter().map(|entry| entry.marker.clone()).collect();
        let partitions = markers.iter().map(|marker| marker.partitions.len()).sum();
        ctx.note(Note::Txn(TxnNote::MarkersSent { to: node, partitions }));
        Some((WriteTxnMarkersRequest { markers }.into(), entries))
    }

    /// No answer came: they are sent again.
    pub(super) fn markers_lost(&mut self, entries: Vec<Entry>, ctx: &mut Ctx) {
        for entry in entries {
            if self.transactions.markers.completing.contains_key(&entry.id) {
                self.queue_markers(entry, ctx);
            }
        }
    }

    /// Whether some have to be sent again.
    pub(super) fn markers_answered(
        &mut self,
        entries: Vec<Entry>,
        answer: &WriteTxnMarkersResponse,
        ctx: &mut Ctx,
    ) -> bool {
        let mut some_again = false;
        for (entry, (_, results)) in entries.into_iter().zip(&answer.markers) {
            let Some(completing) = self.transactions.markers.completing.get(&entry.id) else {
                continue;
            };
            if completing.epoch != entry.marker.coordinator_epoch {
                continue;
            }
            let mut left = Vec::new();
            let mut stops = false;
            for (partition, error) in results {
                if *error == ErrorCode::None {
                    if let Some((_, txn)) = self.transactions.get_mut(entry.home, &entry.id) {
                        txn.remove_partition(partition);
                    }
                    continue;
                }
                ctx.note(Note::Txn(TxnNote::MarkerRefused {
                    id: entry.id.clone(),
                    partition: partition.clone(),
                    error: *error,
                }));
                match again(*error) {
                    true => left.push(partition.clone()),
                    // The coordinator is an old one, or the producer has gone on: nobody completes it here.
                    false => stops = true,
                }
            }
            let id = entry.id.clone();
            if stops {
                self.transactions.markers.completing.remove(&id);
            } else if left.is_empty() {
                self.complete_if_all_written(&id, ctx);
            } else {
                some_again = true;
                let marker = TxnMarker {
                    partitions: left,
                    ..entry.marker.clone()
                };
                self.queue_markers(Entry { marker, ..entry }, ctx);
            }
        }
        some_again
    }

    /// [TransactionMarkerChannelManager.maybeWriteTxnCompletion]
    fn complete_if_all_written(&mut self, id: &Rc<str>, ctx: &mut Ctx) {
        let Some(completing) = self.transactions.markers.completing.get(id) else {
            return;
        };
        let left = self.transactions.get(completing.home, id);
        if left.is_none_or(|(_, txn)| !txn.value.partitions.is_empty()) {
            return;
        }
        if let Some(completing) = self.transactions.markers.completing.remove(id) {
            self.append_transaction(id, completing.next, Then::Complete, ctx);
        }
    }

    /// Another coordinator is responsible for the ids of this partition, or will read them anew.
    pub(super) fn drop_markers_of(&mut self, home: i32) {
        let markers = &mut self.transactions.markers;
        markers.completing.retain(|_, completing| completing.home != home);
        for queue in markers.queues.values_mut() {
            queue.retain(|entry| entry.home != home);
        }
        markers.queues.retain(|_, queue| !queue.is_empty());
    }
}
