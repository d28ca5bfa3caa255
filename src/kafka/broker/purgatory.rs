//! Requests that wait: an acks=all produce for the high watermark, a fetch for data, a deletion of records for the
//! followers. They are looked at again whenever something happens to one of their partitions, and end at their time
//! limit at the latest. [DelayedProduce, DelayedFetch, DelayedDeleteRecords]

use super::BrokerTimer;
use super::delete_records::DelayedDelete;
use super::fetch::DelayedFetch;
use super::note::BrokerNote;
use super::requests::Asker;
use super::server::{Server, set_timer, status_of};
use super::share::fetch::DelayedShareFetch;
use crate::kafka::note::Note;
use crate::kafka::protocol::ErrorCode;
use crate::kafka::protocol::data::ProducedPartition;
use crate::kafka::types::TopicPartition;
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::ordered::SortSmall;
use crate::sim::{Span, TimerId};

/// Who waits for an append.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiter {
    Client(Asker),
    /// The transaction coordinator of this broker, by its own number.
    Transactions(u64),
    /// A request that writes markers, likewise.
    Markers(u64),
}

/// An acks=all produce that is appended here.
#[derive(Clone, Debug)]
pub(super) struct DelayedProduce {
    pub waiter: Waiter,
    pub partitions: Vec<ProducedPartition>,
    /// Index in `partitions`, and the offset that the high watermark has to reach.
    pub pending: Vec<(usize, i64)>,
}

/// What waits.
#[derive(Clone, Debug)]
pub(super) enum Delayed {
    Produce(DelayedProduce),
    Fetch(DelayedFetch),
    Delete(DelayedDelete),
    ShareFetch(DelayedShareFetch),
}

#[derive(Clone, Debug)]
struct Waiting {
    delayed: Delayed,
    partitions: Vec<TopicPartition>,
    timer: TimerId,
}

/// All that waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Purgatory {
    next: u64,
    waiting: OrderedMap<u64, Waiting>,
    by_partition: OrderedMap<TopicPartition, Vec<u64>>,
    deletes: usize,
}

impl Purgatory {
    /// How many requests wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Waits any deletion of records?
    pub fn has_deletes(&self) -> bool {
        self.deletes > 0
    }

    fn take(&mut self, id: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        for partition in &waiting.partitions {
            if let Some(ids) = self.by_partition.get_mut(partition) {
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.by_partition.remove(partition);
                }
            }
        }
        self.deletes -= usize::from(matches!(waiting.delayed, Delayed::Delete(_)));
        Some(waiting)
    }
}

impl Server {
    /// Answers at once if that is possible already, else parks the request for at most `limit`, and returns its number.
    pub(super) fn wait_or_complete(
        &mut self,
        mut delayed: Delayed,
        mut partitions: Vec<TopicPartition>,
        limit: Span,
        ctx: &mut Ctx,
    ) -> Option<u64> {
        if self.is_complete(&mut delayed) {
            self.complete(delayed, ctx);
            return None;
        }
        partitions.sort_small();
        partitions.dedup();
        let id = self.purgatory.next;
        self.purgatory.next += 1;
        for partition in &partitions {
            self.purgatory.by_partition.entry(*partition).or_default().push(id);
        }
        self.purgatory.deletes += usize::from(matches!(delayed, Delayed::Delete(_)));
        let timer = set_timer(ctx, limit, BrokerTimer::Expire(id));
        let waiting = Waiting {
            delayed,
            partitions,
            timer,
        };
        self.purgatory.waiting.insert(id, waiting);
        Some(id)
    }

    /// Something happened to a partition: whoever waits for it is looked at again.
    pub(super) fn check_delayed(&mut self, partition: TopicPartition, ctx: &mut Ctx) {
        self.stir(partition);
        let mut ids: Vec<u64> = self.sessions.waiting_for(partition).collect();
        ids.extend(self.purgatory.by_partition.get(&partition).into_iter().flatten());
        // Who came first is looked at first.
        ids.sort_small();
        for id in ids {
            let Some(waiting) = self.purgatory.waiting.get_mut(&id) else {
                continue;
            };
            let mut delayed = std::mem::replace(&mut waiting.delayed, Delayed::Fetch(DelayedFetch::default()));
            let complete = self.is_complete(&mut delayed);
            if complete {
                if let Some(waiting) = self.purgatory.take_as(id, &delayed) {
                    ctx.cancel(waiting);
                }
                self.complete(delayed, ctx);
            } else if let Some(waiting) = self.purgatory.waiting.get_mut(&id) {
                waiting.delayed = delayed;
            }
        }
    }

    /// The time of a request is over.
    pub(super) fn expire(&mut self, id: u64, ctx: &mut Ctx) {
        let Some(mut waiting) = self.purgatory.take(id) else {
            return;
        };
        match &mut waiting.delayed {
            Delayed::Produce(produce) => {
                for (index, _) in produce.pending.drain(..) {
                    let partition = &mut produce.partitions[index];
                    partition.error = ErrorCode::RequestTimedOut;
                    if matches!(produce.waiter, Waiter::Client(_)) {
                        ctx.note(Note::Broker(BrokerNote::ProduceTimedOut {
                            partition: partition.partition,
                        }));
                    }
                }
            }
            Delayed::Fetch(_) | Delayed::ShareFetch(_) => {}
            Delayed::Delete(delete) => delete.time_out(),
        }
        self.complete(waiting.delayed, ctx);
    }

    fn is_complete(&mut self, delayed: &mut Delayed) -> bool {
        match delayed {
            Delayed::Produce(produce) => self.is_produced(produce),
            Delayed::Fetch(fetch) => self.is_fetchable(fetch),
            Delayed::Delete(delete) => self.is_deleted(delete),
            Delayed::ShareFetch(fetch) => self.is_share_fetchable(fetch),
        }
    }

    fn complete(&mut self, delayed: Delayed, ctx: &mut Ctx) {
        match delayed {
            Delayed::Produce(produce) => self.complete_produce(produce, ctx),
            Delayed::Fetch(fetch) => self.complete_fetch(&fetch, ctx),
            Delayed::Delete(delete) => self.answer_delete(delete, ctx),
            Delayed::ShareFetch(fetch) => self.complete_share_fetch(&fetch, ctx),
        }
    }

    fn complete_produce(&mut self, produce: DelayedProduce, ctx: &mut Ctx) {
        match produce.waiter {
            Waiter::Client(asker) => self.answer_produce(asker, produce.partitions, ctx),
            Waiter::Transactions(token) => {
                let error = produce.partitions.first().map_or(ErrorCode::None, |p| p.error);
                self.transactions.done.push_back((token, error));
            }
            Waiter::Markers(token) => self.markers_appended(token, &produce.partitions),
        }
    }

    /// Takes out what has its answer. [DelayedProduce.tryComplete]
    fn is_produced(&self, produce: &mut DelayedProduce) -> bool {
        let brokers = |id| status_of(self.observer.image(), id);
        let partitions = &mut produce.partitions;
        produce.pending.retain(|(index, offset)| {
            let produced = &mut partitions[*index];
            let answer = match self.replicas.get(&produced.partition) {
                None => Some(self.missing_error(produced.partition)),
                Some(replica) => {
                    let view = replica.view(self.clock, &brokers);
                    replica.partition.acks_all_answer(*offset, &view)
                }
            };
            if let Some(error) = answer {
                produced.error = error;
                if error == ErrorCode::NotLeaderOrFollower {
                    produced.current_leader = self.current_leader(produced.partition);
                }
            }
            answer.is_none()
        });
        produce.pending.is_empty()
    }
}

impl Purgatory {
    /// Takes a request out whose content the caller holds; returns its timer.
    fn take_as(&mut self, id: u64, held: &Delayed) -> Option<TimerId> {
        let was_delete = matches!(held, Delayed::Delete(_));
        let waiting = self.take(id)?;
        self.deletes -= usize::from(was_delete);
        Some(waiting.timer)
    }
}
