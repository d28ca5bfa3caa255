//! Fetches of the metadata log: answered at once if there is something new, else when it comes or the wait is over.
//!
//! A fetch has a connection of its own (as the raft client has), so one that waits holds up no other answer.
//! [KafkaRaftClient.handleFetchRequest]

use super::ControllerTimer;
use super::answers;
use super::process::Controller;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::DescribeQuorumResponse;
use crate::kafka::protocol::controller::{QuorumFetchRequest, QuorumFetchResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::kafka::wire::{Ctx, Timer};
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Span, Time, TimerId};

/// An observer that has not fetched for so long is not counted any more. [LeaderState.OBSERVER_SESSION_TIMEOUT_MS]
const OBSERVER_SESSION: Span = Span::secs(300);

/// A fetch that waits for records.
#[derive(Clone, Copy, Debug)]
struct Parked {
    conn: ConnId,
    correlation: u32,
    offset: i64,
    timer: TimerId,
}

/// What the leader knows of those who fetch from it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fetches {
    parked: OrderedMap<u32, Parked>,
    next_token: u32,
    /// Offset and time of the last fetch, by replica.
    observers: OrderedMap<NodeId, (i64, Time)>,
}

impl Controller {
    pub(super) fn quorum_fetch(&mut self, conn: ConnId, correlation: u32, fetch: &QuorumFetchRequest, ctx: &mut Ctx) {
        let error = self.check_fetch(fetch);
        if error != ErrorCode::None {
            let answer = self.fetch_answer(error, i64::MAX);
            answers::send(conn, correlation, answer, ctx);
            return;
        }
        let (end, high_watermark) = (self.log.end_offset(), self.high_watermark());
        let Some(active) = &mut self.active else { return };
        let fetches = &mut active.fetches;
        fetches.observers.insert(fetch.replica, (fetch.fetch_offset, ctx.now()));
        if fetch.fetch_offset < end || fetch.high_watermark < high_watermark || fetch.max_wait_ms <= 0 {
            let answer = self.fetch_answer(ErrorCode::None, fetch.fetch_offset);
            answers::send(conn, correlation, answer, ctx);
            return;
        }
        let token = fetches.next_token;
        fetches.next_token = token.wrapping_add(1);
        let wait = Span::from_ms(i64::from(fetch.max_wait_ms));
        let timer = ctx.timer(wait, Timer::Controller(ControllerTimer::FetchWait(token)));
        let parked = Parked {
            conn,
            correlation,
            offset: fetch.fetch_offset,
            timer,
        };
        fetches.parked.insert(token, parked);
    }

    fn check_fetch(&self, fetch: &QuorumFetchRequest) -> ErrorCode {
        if !self.is_active() {
            ErrorCode::NotLeaderOrFollower
        } else if fetch.leader_epoch < self.epoch() {
            ErrorCode::FencedLeaderEpoch
        } else if fetch.leader_epoch > self.epoch() {
            ErrorCode::UnknownLeaderEpoch
        } else {
            ErrorCode::None
        }
    }

    /// With one voter a record is committed when it is written.
    pub(super) fn high_watermark(&self) -> i64 {
        self.log.end_offset()
    }

    fn fetch_answer(&self, error: ErrorCode, offset: i64) -> Body {
        let (leader, high_watermark) = if self.is_active() {
            (self.setup.id, self.high_watermark())
        } else {
            (NO_LEADER, -1)
        };
        Body::from(QuorumFetchResponse {
            error,
            leader,
            leader_epoch: self.epoch(),
            high_watermark,
            batches: self.log.from(offset),
        })
    }

    /// Records were written: whoever waits for them gets them.
    pub(super) fn answer_fetches(&mut self, ctx: &mut Ctx) {
        let Some(active) = &mut self.active else { return };
        for parked in std::mem::take(&mut active.fetches.parked).into_values() {
            ctx.cancel(parked.timer);
            let answer = self.fetch_answer(ErrorCode::None, parked.offset);
            answers::send(parked.conn, parked.correlation, answer, ctx);
        }
    }

    /// Nothing came in time.
    pub(super) fn fetch_waited(&mut self, token: u32, ctx: &mut Ctx) {
        let Some(active) = &mut self.active else { return };
        if let Some(parked) = active.fetches.parked.remove(&token) {
            let answer = self.fetch_answer(ErrorCode::None, parked.offset);
            answers::send(parked.conn, parked.correlation, answer, ctx);
        }
    }

    /// A connection is gone.
    pub(super) fn forget_fetches(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(active) = &mut self.active else { return };
        active.fetches.parked.retain(|_, parked| {
            if parked.conn == conn {
                ctx.cancel(parked.timer);
            }
            parked.conn != conn
        });
    }

    /// [LeaderState, DescribeQuorum]
    pub(super) fn describe_quorum(&self, ctx: &Ctx) -> DescribeQuorumResponse {
        let fetches = self.active.as_ref().map(|active| &active.fetches.observers);
        let recent = |(_, (_, at)): &(&NodeId, &(i64, Time))| ctx.now().since(*at) <= OBSERVER_SESSION;
        let known = |id: &NodeId| fetches.and_then(|f| f.get(id)).map_or(-1, |(offset, _)| *offset);
        let voters = self.setup.voters.keys();
        let end = |id: &NodeId| {
            if *id == self.setup.id {
                self.log.end_offset()
            } else {
                known(id)
            }
        };
        let observers = fetches.into_iter().flatten().filter(recent);
        let observers = observers.filter(|(id, _)| !self.setup.voters.contains_key(id));
        DescribeQuorumResponse {
            error: ErrorCode::None,
            leader: self.setup.id,
            leader_epoch: self.epoch(),
            high_watermark: self.high_watermark(),
            voters: voters.map(|id| (*id, end(id))).collect(),
            observers: observers.map(|(id, (offset, _))| (*id, *offset)).collect(),
        }
    }
}
