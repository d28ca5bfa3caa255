//! Fetch, the follower's side: appending what came, truncation by leader epoch, and what to do when the leader's log
//! does not hold the offset. [AbstractFetcherThread, ReplicaFetcherThread]

use super::fetcher::{Asked, FetchState};
use super::note::BrokerNote;
use super::server::Server;
use super::slow_disk::{Write, brings_records};
use crate::kafka::log::epochs::EpochEnd;
use crate::kafka::log::unified_log::Log;
use crate::kafka::note::{Fact, Note, SeenBatch};
use crate::kafka::protocol::data::{FetchedPartition, ListOffsetsResponse};
use crate::kafka::protocol::{Body, ErrorCode, Msg};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::kafka::wire::Ctx;
use crate::sim::Span;

/// What is to become of a partition of a fetcher.
enum Next {
    /// Goes on with this state.
    Fetch(FetchState),
    /// Waits `replica.fetch.backoff.ms`.
    Delay,
    /// Waits for new metadata.
    Stop,
}

/// Where a log has to be cut when the leader says that the follower's epoch ended there (rule R-20).
/// [AbstractFetcherThread.getOffsetTruncationState]
fn truncation_offset(log: &Log, epoch: i32, leader_end: i64) -> i64 {
    let end = log.end_offset();
    match log.end_offset_for(epoch) {
        None => leader_end.min(end),
        Some(EpochEnd { epoch: known, end: own }) if known != epoch => own.min(end),
        Some(EpochEnd { end: own, .. }) => own.min(leader_end).min(end),
    }
}

impl Server {
    pub(super) fn fetcher_answered(&mut self, leader: NodeId, msg: Msg, ctx: &mut Ctx) {
        if !brings_records(&msg) {
            return self.fetched_now(leader, msg, ctx);
        }
        if let Some(Write::Fetched(leader, msg)) = self.wait_for_disk(Write::Fetched(leader, msg), ctx) {
            self.fetched_now(leader, msg, ctx);
        }
    }

    /// The answer is here: nothing times out any more while it waits for the disk.
    pub(super) fn stop_waiting_for(&mut self, leader: NodeId, ctx: &mut Ctx) {
        if let Some((_, timer, _)) = self.fetchers.get(&leader).and_then(|fetcher| fetcher.sent.as_ref()) {
            ctx.cancel(*timer);
        }
    }

    /// Takes in an answer whose turn it is.
    pub(super) fn fetched_now(&mut self, leader: NodeId, msg: Msg, ctx: &mut Ctx) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        match &fetcher.sent {
            Some((correlation, _, _)) if *correlation == msg.correlation => {}
            _ => return,
        }
        let Some((_, timer, asked)) = fetcher.sent.take() else {
            return;
        };
        ctx.cancel(timer);
        match (asked, msg.body) {
            (Asked::Fetch, Body::FetchResponse(answer)) => {
                // One that does not know the session brings nothing: everything is asked for again at once.
                let known = fetcher.session.answered(&answer);
                for fetched in answer.partitions.iter().filter(|_| known) {
                    self.partition_fetched(leader, fetched, ctx);
                }
            }
            (Asked::Latest(partition, epoch), Body::ListOffsetsResponse(answer)) => {
                self.latest_known(leader, partition, epoch, &answer, ctx);
            }
            (Asked::Earliest(partition, epoch), Body::ListOffsetsResponse(answer)) => {
                self.earliest_known(leader, partition, epoch, &answer, ctx);
            }
            _ => {}
        }
        self.drive_fetcher(leader, ctx);
    }

    /// An answer counts only for a partition that is still fetched at the same offset in the same epoch.
    fn current_state(
        &self,
        leader: NodeId,
        partition: TopicPartition,
        offset: Option<i64>,
        epoch: i32,
    ) -> Option<FetchState> {
        let state = self.fetchers.get(&leader)?.partitions.get(&partition)?;
        let same = offset.is_none_or(|offset| state.offset == offset) && state.leader_epoch == epoch;
        (same && state.delayed_until.is_none()).then_some(*state)
    }

    fn partition_fetched(&mut self, leader: NodeId, fetched: &FetchedPartition, ctx: &mut Ctx) {
        let partition = fetched.partition;
        let asked = self
            .fetchers
            .get(&leader)
            .and_then(|fetcher| fetcher.session.told(partition));
        let Some((offset, epoch)) = asked.map(|asked| (asked.fetch_offset, asked.current_leader_epoch)) else {
            return;
        };
        let Some(state) = self.current_state(leader, partition, Some(offset), epoch) else {
            return;
        };
        let next = match fetched.error {
            ErrorCode::None => match fetched.diverging_epoch {
                Some((epoch, end)) => self.truncate(partition, state, epoch, end, ctx),
                None => self.append_fetched(partition, state, fetched, ctx),
            },
            ErrorCode::OffsetOutOfRange => Next::Fetch(FetchState {
                out_of_range: true,
                ..state
            }),
            // The epoch is the one that this broker knows: only new metadata can help (rule R-22).
            ErrorCode::FencedLeaderEpoch => Next::Stop,
            error => {
                ctx.note(Note::Broker(BrokerNote::FetchRefused {
                    partition,
                    leader,
                    error,
                }));
                Next::Delay
            }
        };
        self.go_on(leader, partition, next, ctx);
    }

    fn go_on(&mut self, leader: NodeId, partition: TopicPartition, next: Next, ctx: &mut Ctx) {
        let until = ctx.now() + Span::from_ms(self.setup.config.replica_fetch_backoff_ms);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        match next {
            Next::Fetch(state) => fetcher.set(partition, state),
            Next::Delay => {
                if let Some(state) = fetcher.partitions.get(&partition) {
                    let state = FetchState {
                        delayed_until: Some(until),
                        ..*state
                    };
                    fetcher.set(partition, state);
                }
            }
            Next::Stop => {
                fetcher.remove(partition);
                ctx.note(Note::Broker(BrokerNote::FetchingStopped { partition, leader }));
            }
        }
    }

    /// [ReplicaFetcherThread.processPartitionData]
    fn append_fetched(
        &mut self,
        partition: TopicPartition,
        state: FetchState,
        fetched: &FetchedPartition,
        ctx: &mut Ctx,
    ) -> Next {
        let wall = self.clock.wall;
        if !fetched.batches.is_empty() && ctx.disk().is_full() {
            self.fail_storage(ctx);
            return Next::Stop;
        }
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return Next::Stop;
        };
        let log = &mut replica.log;
        if state.offset != log.end_offset() {
            return Next::Stop;
        }
        let appended = match log.append_as_follower(&fetched.batches, state.leader_epoch, wall) {
            Ok(appended) => appended,
            Err(error) if matches!(error.code, ErrorCode::CorruptMessage | ErrorCode::InvalidRecord) => {
                return Next::Delay;
            }
            Err(_) => return Next::Stop,
        };
        for batch in fetched.batches.iter().take(appended.batches) {
            ctx.note(Note::Fact(Fact::Appended {
                partition,
                leader: false,
                batch: SeenBatch(batch.clone()),
            }));
        }
        let (from, start) = (log.high_watermark(), log.log_start());
        let to = log.update_high_watermark(fetched.high_watermark);
        let bounded = fetched.log_start_offset.min(to);
        let moved = log.increment_log_start(bounded).is_ok_and(|old| old.is_some());
        let next = FetchState {
            offset: log.end_offset(),
            last_fetched_epoch: self
                .setup
                .epochs_to_tell(log.latest_epoch().or(state.last_fetched_epoch)),
            ..state
        };
        if from != to {
            ctx.note(Note::Fact(Fact::HighWatermark {
                partition,
                leader: false,
                epoch: state.leader_epoch,
                from,
                to,
            }));
        }
        if moved && log.log_start() != start {
            ctx.note(Note::Fact(Fact::StartMoved {
                partition,
                to: log.log_start(),
            }));
            self.stir(partition);
        }
        if from != to || appended.batches > 0 {
            self.check_delayed(partition, ctx);
        }
        Next::Fetch(next)
    }

    /// The epochs part: cut to where they do, as far as this log can tell, and ask again from there.
    fn truncate(
        &mut self,
        partition: TopicPartition,
        state: FetchState,
        epoch: i32,
        leader_end: i64,
        ctx: &mut Ctx,
    ) -> Next {
        let Some(replica) = self.replicas.get(&partition) else {
            return Next::Stop;
        };
        let to = truncation_offset(&replica.log, epoch, leader_end);
        self.truncate_log(partition, to, ctx);
        self.resume(partition, state)
    }

    /// Goes on from the end of the log.
    fn resume(&self, partition: TopicPartition, state: FetchState) -> Next {
        let Some(replica) = self.replicas.get(&partition) else {
            return Next::Stop;
        };
        Next::Fetch(FetchState {
            offset: replica.log.end_offset(),
            last_fetched_epoch: self.setup.epochs_to_tell(replica.log.latest_epoch()),
            out_of_range: false,
            ..state
        })
    }

    fn truncate_log(&mut self, partition: TopicPartition, to: i64, ctx: &mut Ctx) {
        let wall = self.clock.wall;
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        let before = replica.log.high_watermark();
        let cut = replica.log.truncate_to(to, wall);
        self.truncated(partition, before, cut, ctx);
    }

    fn truncated(
        &mut self,
        partition: TopicPartition,
        high_watermark: i64,
        cut: crate::kafka::log::truncation::Truncated,
        ctx: &mut Ctx,
    ) {
        let Some(replica) = self.replicas.get(&partition) else {
            return;
        };
        let epoch = replica.partition.leader_epoch();
        let now = replica.log.high_watermark();
        if cut.to < cut.from {
            ctx.note(Note::Fact(Fact::Truncated {
                partition,
                from: cut.from,
                to: cut.to,
            }));
        }
        if now != high_watermark {
            ctx.note(Note::Fact(Fact::HighWatermark {
                partition,
                leader: false,
                epoch,
                from: high_watermark,
                to: now,
            }));
        }
        ctx.note(Note::Broker(BrokerNote::Truncated {
            partition,
            from: cut.from,
            to: cut.to,
            below_high_watermark: cut.below_high_watermark,
        }));
        self.check_delayed(partition, ctx);
    }

    /// The leader's end: if it is below this log's, the log is cut there; else the leader's start decides.
    /// [AbstractFetcherThread.fetchOffsetAndTruncate]
    fn latest_known(
        &mut self,
        leader: NodeId,
        partition: TopicPartition,
        epoch: i32,
        answer: &ListOffsetsResponse,
        ctx: &mut Ctx,
    ) {
        let Some((state, leader_end)) = self.listed(leader, partition, epoch, answer, ctx) else {
            return;
        };
        let own_end = self.replicas.get(&partition).map_or(-1, |r| r.log.end_offset());
        if leader_end < own_end {
            self.truncate_log(partition, leader_end, ctx);
            let next = self.resume(partition, state);
            self.go_on(leader, partition, next, ctx);
        } else {
            self.ask_earliest(leader, partition, epoch, ctx);
        }
    }

    /// The leader's start: a log that ends below it is dropped and begins anew there (rule R-23).
    fn earliest_known(
        &mut self,
        leader: NodeId,
        partition: TopicPartition,
        epoch: i32,
        answer: &ListOffsetsResponse,
        ctx: &mut Ctx,
    ) {
        let Some((state, leader_start)) = self.listed(leader, partition, epoch, answer, ctx) else {
            return;
        };
        let wall = self.clock.wall;
        let Some(replica) = self.replicas.get_mut(&partition) else {
            return;
        };
        if leader_start > replica.log.end_offset() {
            let before = replica.log.high_watermark();
            let cut = replica.log.truncate_fully_and_start_at(leader_start, wall);
            ctx.note(Note::Fact(Fact::StartMoved {
                partition,
                to: leader_start,
            }));
            self.truncated(partition, before, cut, ctx);
        }
        let next = self.resume(partition, state);
        self.go_on(leader, partition, next, ctx);
    }

    /// The offset in an answer, if it still counts; an error delays the partition.
    fn listed(
        &mut self,
        leader: NodeId,
        partition: TopicPartition,
        epoch: i32,
        answer: &ListOffsetsResponse,
        ctx: &mut Ctx,
    ) -> Option<(FetchState, i64)> {
        let state = self.current_state(leader, partition, None, epoch)?;
        let listed = answer.partitions.iter().find(|p| p.partition == partition)?;
        match listed.error {
            ErrorCode::None => return Some((state, listed.offset)),
            ErrorCode::FencedLeaderEpoch => self.go_on(leader, partition, Next::Stop, ctx),
            _ => self.go_on(leader, partition, Next::Delay, ctx),
        }
        None
    }
}
