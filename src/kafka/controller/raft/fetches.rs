//! Fetches of the metadata log: answered at once if there is something new, else when it comes or the wait is over.
//!
//! A fetch by a broker has a connection of its own (as the raft client has), so one that waits holds up no other answer.
//! [KafkaRaftClient.handleFetchRequest]

use super::RaftTimer;
use super::note::RaftNote;
use super::peers::raft_timer;
use super::state::{Parked, Progress};
use crate::kafka::controller::answers;
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::{DescribeQuorumResponse, QuorumReplica};
use crate::kafka::protocol::controller::{QuorumFetchRequest, QuorumFetchResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::kafka::wire::Ctx;
use crate::ordered::OrderedMap;
use crate::sim::{ConnId, Span};

/// An observer that has not fetched for so long is not counted any more. [LeaderState.OBSERVER_SESSION_TIMEOUT_MS]
const OBSERVER_SESSION: Span = Span::secs(300);

impl Controller {
    pub(super) fn quorum_fetch(&mut self, conn: ConnId, correlation: u32, fetch: &QuorumFetchRequest, ctx: &mut Ctx) {
        let error = self.check_fetch(fetch);
        if error != ErrorCode::None {
            let answer = self.fetch_error(error);
            answers::send(conn, correlation, answer, ctx);
            return;
        }
        if let Some(diverging) = self.log.diverges(fetch.fetch_offset, fetch.last_fetched_epoch) {
            let answer = self.fetch_answer(i64::MAX, Some(diverging));
            answers::send(conn, correlation, answer, ctx);
            return;
        }
        self.replica_fetched(fetch.replica, fetch.fetch_offset, ctx);
        let (end, high_watermark) = (self.log.end_offset(), self.committed());
        if fetch.fetch_offset < end || fetch.high_watermark < high_watermark || fetch.max_wait_ms <= 0 {
            let answer = self.fetch_answer(fetch.fetch_offset, None);
            answers::send(conn, correlation, answer, ctx);
            return;
        }
        let Some(leading) = self.raft.leading_mut() else { return };
        let token = leading.next_token;
        leading.next_token = token.wrapping_add(1);
        let wait = Span::from_ms(i64::from(fetch.max_wait_ms));
        let timer = raft_timer(ctx, wait, RaftTimer::FetchWait(token));
        let parked = Parked {
            conn,
            correlation,
            offset: fetch.fetch_offset,
            timer,
        };
        leading.parked.insert(token, parked);
    }

    fn check_fetch(&self, fetch: &QuorumFetchRequest) -> ErrorCode {
        if fetch.leader_epoch < self.raft.epoch {
            ErrorCode::FencedLeaderEpoch
        } else if fetch.leader_epoch > self.raft.epoch {
            ErrorCode::UnknownLeaderEpoch
        } else if self.raft.leading().is_none() {
            ErrorCode::NotLeaderOrFollower
        } else {
            ErrorCode::None
        }
    }

    /// A fetch says that a replica has all below its offset.
    fn replica_fetched(&mut self, replica: NodeId, offset: i64, ctx: &mut Ctx) {
        let (end, now) = (self.log.end_offset(), ctx.now());
        let voters = self.setup.voters.len();
        let is_voter = self.setup.voters.contains_key(&replica);
        let Some(leading) = self.raft.leading_mut() else { return };
        leading.fetched(replica, offset, end, now);
        if !is_voter {
            return;
        }
        leading.to_begin.remove(&replica);
        leading.fetched.insert(replica);
        // The leader counts as one of the majority.
        if leading.fetched.len() >= voters / 2 {
            leading.fetched.clear();
            self.restart_check_quorum(ctx);
        }
        self.advance_high_watermark(ctx);
    }

    /// Commits what a majority of voters has.
    pub(in crate::kafka::controller) fn advance_high_watermark(&mut self, ctx: &mut Ctx) {
        let (me, end) = (self.setup.id, self.log.end_offset());
        let Some(leading) = self.raft.leading() else { return };
        let Some(reached) = leading.majority_end(me, end, self.setup.voters.keys().copied()) else {
            return;
        };
        if self.raft.high_watermark.is_some_and(|now| now >= reached) {
            return;
        }
        self.raft.high_watermark = Some(reached);
        if self.setup.voters.len() > 1 {
            Self::raft_note(RaftNote::Committed { to: reached }, ctx);
        }
        self.committed_as_leader(ctx);
        self.answer_fetches(ctx);
    }

    fn fetch_error(&self, error: ErrorCode) -> Body {
        Body::from(QuorumFetchResponse {
            error,
            leader: self.raft.leader.unwrap_or(NO_LEADER),
            leader_epoch: self.raft.epoch,
            high_watermark: -1,
            diverging: None,
            batches: Vec::new(),
        })
    }

    fn fetch_answer(&self, offset: i64, diverging: Option<(i32, i64)>) -> Body {
        Body::from(QuorumFetchResponse {
            error: ErrorCode::None,
            leader: self.setup.id,
            leader_epoch: self.raft.epoch,
            high_watermark: self.committed(),
            diverging,
            batches: self.log.from(offset),
        })
    }

    /// Records were written or committed: whoever waits for that gets it.
    pub(in crate::kafka::controller) fn answer_fetches(&mut self, ctx: &mut Ctx) {
        let Some(leading) = self.raft.leading_mut() else { return };
        for parked in std::mem::take(&mut leading.parked).into_values() {
            ctx.cancel(parked.timer);
            let answer = self.fetch_answer(parked.offset, None);
            answers::send(parked.conn, parked.correlation, answer, ctx);
        }
    }

    /// The leadership is over.
    pub(super) fn fail_fetches(&self, parked: OrderedMap<u32, Parked>, ctx: &mut Ctx) {
        for parked in parked.into_values() {
            ctx.cancel(parked.timer);
            let answer = self.fetch_error(ErrorCode::NotLeaderOrFollower);
            answers::send(parked.conn, parked.correlation, answer, ctx);
        }
    }

    /// Nothing came in time.
    pub(super) fn fetch_waited(&mut self, token: u32, ctx: &mut Ctx) {
        let Some(leading) = self.raft.leading_mut() else { return };
        if let Some(parked) = leading.parked.remove(&token) {
            let answer = self.fetch_answer(parked.offset, None);
            answers::send(parked.conn, parked.correlation, answer, ctx);
        }
    }

    /// A connection is gone.
    pub(in crate::kafka::controller) fn forget_fetches(&mut self, conn: ConnId, ctx: &mut Ctx) {
        let Some(leading) = self.raft.leading_mut() else { return };
        leading.parked.retain(|_, parked| {
            if parked.conn == conn {
                ctx.cancel(parked.timer);
            }
            parked.conn != conn
        });
    }

    /// What the leader knows of all replicas; NOT_LEADER_OR_FOLLOWER from anybody else. [DescribeQuorum]
    pub(in crate::kafka::controller) fn describe_quorum(&self, ctx: &Ctx) -> DescribeQuorumResponse {
        let Some(leading) = self.raft.leading() else {
            return DescribeQuorumResponse {
                error: ErrorCode::NotLeaderOrFollower,
                leader: NO_LEADER,
                leader_epoch: -1,
                high_watermark: -1,
                voters: Vec::new(),
                observers: Vec::new(),
            };
        };
        let (now, wall_ms) = (ctx.now(), ctx.wall_ms());
        let ago = |at| wall_ms - now.since(at).as_ms();
        let seen = |id: NodeId, progress: Option<&Progress>| QuorumReplica {
            id,
            log_end_offset: progress.map_or(-1, |p| p.end),
            last_fetch_ms: progress.map_or(-1, |p| ago(p.fetched_at)),
            last_caught_up_ms: progress.and_then(|p| p.caught_up_at).map_or(-1, ago),
        };
        let voter = |id: &NodeId| match *id == self.setup.id {
            true => QuorumReplica {
                id: *id,
                log_end_offset: self.log.end_offset(),
                last_fetch_ms: wall_ms,
                last_caught_up_ms: wall_ms,
            },
            false => seen(*id, leading.replicas.get(id)),
        };
        let replicas = leading.replicas.iter();
        let observers = replicas
            .filter(|(id, p)| !self.setup.voters.contains_key(id) && now.since(p.fetched_at) < OBSERVER_SESSION);
        DescribeQuorumResponse {
            error: ErrorCode::None,
            leader: self.setup.id,
            leader_epoch: self.raft.epoch,
            high_watermark: self.committed(),
            voters: self.setup.voters.keys().map(voter).collect(),
            observers: observers.map(|(id, progress)| seen(*id, Some(progress))).collect(),
        }
    }
}
