//! Replicas and what stands in their logs.

use crate::kafka::broker::{ReplicaRole, ReplicaView as Replica};
use crate::kafka::log::batch::{Batch, Outcome, Record};
use crate::kafka::types::{NO_LEADER, NodeId, TopicPartition};
use crate::lab::ledger::{Entry, Place};
use crate::lab::places::place_of;
use crate::lab::view::{CELLS, CellState, CellView, ReplicaView, Role};
use crate::lab::world::World;
use crate::ordered::SortSmall;
use crate::sim::ProcId;
use std::rc::Rc;

/// Characters of a key or value that a cell has at most.
const SHOWN: usize = 120;

/// All replicas of a broker, by topic and partition.
pub fn replicas(world: &World, id: ProcId, node: NodeId) -> Vec<ReplicaView> {
    let Some(broker) = world.broker(node) else {
        return Vec::new();
    };
    let mut out: Vec<ReplicaView> = broker
        .replicas()
        .iter()
        .map(|replica| view(world, id, node, replica))
        .collect();
    out.sort_small_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    out
}

fn view(world: &World, id: ProcId, node: NodeId, replica: &Replica<'_>) -> ReplicaView {
    let registration = world.image().and_then(|image| image.partitions.get(&replica.id));
    let isr = registration.map_or(&[][..], |registration| &registration.isr);
    let leader = replica.partition().map(|partition| partition.leader());
    ReplicaView {
        topic: replica.topic.to_string(),
        partition: replica.id.partition,
        role: match (world.runs(id), replica.role()) {
            (true, ReplicaRole::Leader) => Role::Leader,
            (true, ReplicaRole::Follower) => Role::Follower,
            _ => Role::Offline,
        },
        epoch: replica.leader_epoch(),
        leader: leader
            .filter(|leader| *leader != NO_LEADER)
            .map(|leader| world.node_name(leader).to_string()),
        in_sync: isr.contains(&node),
        isr: isr.iter().map(|id| world.node_name(*id).to_string()).collect(),
        start: replica.log_start(),
        end: replica.end_offset(),
        high_watermark: replica.high_watermark(),
        last_stable: replica.last_stable_offset(),
        open_transactions: super::transactions::open_in(replica),
        flushed: replica.flushed(),
        epochs: replica
            .epochs()
            .iter()
            .map(|entry| (entry.epoch, entry.start))
            .collect(),
        bytes: replica.segments().map(|segment| segment.size()).sum(),
        cells: cells(world, id, replica),
    }
}

/// The replica that leads a partition, as the controller and its broker agree.
pub fn leading(world: &World, partition: TopicPartition) -> Option<Replica<'_>> {
    let registration = world.image()?.partitions.get(&partition)?;
    let replica = world.broker(registration.leader)?.replica(partition)?;
    (replica.role() == ReplicaRole::Leader).then_some(replica)
}

/// The partition's last stable offset as its leader has it; while nobody leads: as the ledger last had it.
pub fn last_stable(world: &World, partition: TopicPartition) -> i64 {
    match leading(world, partition) {
        Some(replica) => replica.last_stable_offset(),
        None => world.ledger.last_stable(place_of(partition)).unwrap_or(0),
    }
}

/// The partition's high watermark as its leader has it; while nobody leads: as the last leader had it.
pub fn high_watermark(world: &World, partition: TopicPartition) -> i64 {
    match leading(world, partition) {
        Some(replica) => replica.high_watermark(),
        None => world.ledger.high_watermark(place_of(partition)).unwrap_or(0),
    }
}

fn cells(world: &World, id: ProcId, replica: &Replica<'_>) -> Rc<[CellView]> {
    let committed = high_watermark(world, replica.id);
    let start = replica.log_start();
    let place = place_of(replica.id);
    let mut cells: Vec<CellView> = Vec::new();
    'log: for segment in replica.segments().rev() {
        for index in (0..segment.batch_count()).rev() {
            let Some(batch) = segment.batch(index) else { continue };
            for (offset, record) in batch.iter().rev() {
                if offset < start || cells.len() >= CELLS {
                    break 'log;
                }
                cells.push(cell(world, place, committed, (batch, record, offset)));
            }
        }
    }
    let opens: Vec<i64> = replica.epochs().iter().map(|entry| entry.start).collect();
    for cell in &mut cells {
        cell.opens_epoch = opens.contains(&cell.offset);
    }
    mark_removed(&mut cells);
    let first = cells.last().map_or(start, |cell| cell.offset);
    cells.extend(ghosts(world, id, replica, &cells, first));
    // A ghost stands before what took its offset.
    cells.sort_small_by_key(|cell| (cell.offset, cell.state != CellState::Lost));
    cells.drain(..cells.len().saturating_sub(CELLS));
    cells.into()
}

/// Where compaction took records away; the newest cells come first here.
fn mark_removed(cells: &mut [CellView]) {
    for newer in 1..cells.len() {
        let before = cells[newer].offset;
        cells[newer - 1].removed = cells[newer - 1].offset - before - 1;
    }
}

fn cell(world: &World, place: Place, committed: i64, at: (&Batch, &Record, i64)) -> CellView {
    let (batch, record, offset) = at;
    let entry = world.ledger.get(record.origin);
    let gone = entry.is_some_and(|entry| entry.lost) && world.ledger.record_at(place, offset) != Some(record.origin);
    CellView {
        offset,
        epoch: batch.leader_epoch,
        key: match entry {
            Some(entry) => entry.handed.key.clone(),
            None => record.key.as_deref().map(text),
        },
        value: match entry {
            Some(entry) => entry.handed.value.clone(),
            None => record.value.as_deref().map(text),
        },
        state: match () {
            () if batch.control.is_some() => CellState::Control,
            () if gone => CellState::Lost,
            () if offset < committed => CellState::Committed,
            () => CellState::Open,
        },
        acknowledged: entry.is_some_and(|entry| entry.acknowledged && !entry.unconfirmed),
        record: (record.origin > 0).then_some(record.origin),
        aborted: entry.is_some_and(Entry::is_aborted),
        marker: batch.control.map(|control| match control.outcome {
            Outcome::Commit => "COMMIT",
            Outcome::Abort => "ABORT",
        }),
        ..CellView::default()
    }
}

fn text(bytes: &[u8]) -> Rc<str> {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]);
    text.into_owned().into()
}

/// Records that this replica had and cut off.
fn ghosts(world: &World, id: ProcId, replica: &Replica<'_>, cells: &[CellView], first: i64) -> Vec<CellView> {
    let ghosts = world.ghosts.of(id, replica.id).iter();
    let ghosts = ghosts.filter(|ghost| ghost.offset >= first);
    ghosts
        .filter(|ghost| cells.iter().all(|cell| cell.record != Some(ghost.record)))
        .filter_map(|ghost| {
            let entry = world.ledger.get(ghost.record)?;
            if ghost.doubtful && !entry.lost {
                return None;
            }
            Some(CellView {
                offset: ghost.offset,
                epoch: -1,
                key: entry.handed.key.clone(),
                value: entry.handed.value.clone(),
                state: if entry.lost {
                    CellState::Lost
                } else {
                    CellState::Truncated
                },
                acknowledged: entry.acknowledged && !entry.unconfirmed,
                record: Some(ghost.record),
                ..CellView::default()
            })
        })
        .collect()
}

/// The ledger's number of the record at an offset of a log.
pub fn record_at(replica: &Replica<'_>, offset: i64) -> Option<u32> {
    let segment = replica
        .segments()
        .rev()
        .find(|segment| segment.base_offset() <= offset)?;
    let batch = segment.batch(segment.index_of(offset))?;
    let (_, record) = batch.iter().find(|(at, _)| *at == offset)?;
    (record.origin > 0).then_some(record.origin)
}
