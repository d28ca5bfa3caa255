//! A new leader makes itself known; an old one gives up. [KafkaRaftClient.handleBeginQuorumEpochRequest,
//! handleEndQuorumEpochRequest]

use super::RaftTimer;
use super::note::RaftNote;
use super::peers::raft_timer;
use super::state::{Role, successor_wait_ms};
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::controller::{BeginQuorumEpochRequest, EndQuorumEpochRequest, QuorumAnswer};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::Span;

impl Controller {
    pub(super) fn begin_epoch(&mut self, request: &BeginQuorumEpochRequest, ctx: &mut Ctx) -> QuorumAnswer {
        if request.epoch < self.raft.epoch {
            return self.quorum_answer(ErrorCode::FencedLeaderEpoch);
        }
        self.learn(Some(request.leader), request.epoch, ctx);
        self.quorum_answer(ErrorCode::None)
    }

    /// The leader resigns: its successors ask for votes without waiting for the fetch time-out, one after the other.
    pub(super) fn end_epoch(&mut self, request: &EndQuorumEpochRequest, ctx: &mut Ctx) -> QuorumAnswer {
        if request.epoch < self.raft.epoch {
            return self.quorum_answer(ErrorCode::FencedLeaderEpoch);
        }
        self.learn(Some(request.leader), request.epoch, ctx);
        if matches!(self.raft.role, Role::Follower { .. }) && self.raft.leader == Some(request.leader) {
            let count = request.successors.len();
            let place = request.successors.iter().position(|id| *id == self.setup.id);
            let longest = self.setup.config.controller_quorum_election_backoff_max_ms;
            let wait_ms = successor_wait_ms(place.unwrap_or(count), count, longest);
            let note = RaftNote::Succession {
                leader: request.leader,
                epoch: request.epoch,
                wait_ms,
            };
            Self::raft_note(note, ctx);
            self.set_deadline(Span::from_ms(wait_ms), ctx);
        }
        self.quorum_answer(ErrorCode::None)
    }

    pub(super) fn resignation_answered(&mut self, voter: NodeId, answer: &QuorumAnswer, ctx: &mut Ctx) {
        if self.common_answer(answer, ctx).is_none()
            && answer.error == ErrorCode::None
            && let Role::Resigned { unacknowledged, .. } = &mut self.raft.role
        {
            unacknowledged.remove(&voter);
        }
    }

    /// Every half fetch time-out a leader tells its epoch to voters that have not fetched for so long.
    /// [LeaderState.needToSendBeginQuorumRequests]
    pub(super) fn look_for_silent_voters(&mut self, ctx: &mut Ctx) {
        let period = Span::us(self.fetch_timeout().as_us() / 2).max(Span::ms(1));
        let now = ctx.now();
        let others: Vec<NodeId> = self.others().collect();
        let Some(leading) = self.raft.leading_mut() else {
            return;
        };
        let silent = |id: &NodeId| {
            let last = leading.replicas.get(id);
            last.is_none_or(|progress| now.since(progress.fetched_at) >= period)
        };
        leading.to_begin = others.into_iter().filter(silent).collect();
        self.raft.begin = Some(raft_timer(ctx, period, RaftTimer::Begin));
    }
}
