//! Votes, asked and given. [KafkaRaftClient.handleVoteRequest, handleVoteResponse]

use super::note::RaftNote;
use super::state::Role;
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::controller::{VoteRequest, VoteResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;

impl Controller {
    pub(super) fn vote_request(&self, pre_vote: bool) -> VoteRequest {
        VoteRequest {
            replica: self.setup.id,
            epoch: self.raft.epoch,
            pre_vote,
            last_epoch: self.log.last_epoch(),
            last_offset: self.log.end_offset(),
        }
    }

    pub(super) fn vote(&mut self, request: &VoteRequest, ctx: &mut Ctx) -> VoteResponse {
        let refused = |controller: &Controller, error| VoteResponse {
            answer: controller.quorum_answer(error),
            granted: false,
        };
        let illegal = if request.pre_vote {
            request.last_epoch > request.epoch
        } else {
            request.last_epoch >= request.epoch
        };
        if illegal {
            return refused(self, ErrorCode::InvalidRequest);
        }
        if request.epoch < self.raft.epoch {
            return refused(self, ErrorCode::FencedLeaderEpoch);
        }
        if request.epoch > self.raft.epoch {
            self.become_unattached(request.epoch, None, ctx);
        }
        let asked = (request.last_epoch, request.last_offset);
        let up_to_date = asked >= (self.log.last_epoch(), self.log.end_offset());
        let granted = self.raft.grants(request.replica, up_to_date, request.pre_vote);
        if granted && !request.pre_vote && self.raft.voted.is_none() {
            self.raft.voted = Some(request.replica);
            // A new election time-out, for the candidate to win in. [QuorumState.unattachedAddVotedState]
            self.election_timeout(ctx);
        }
        let note = RaftNote::Vote {
            candidate: request.replica,
            epoch: request.epoch,
            pre_vote: request.pre_vote,
            granted,
            up_to_date,
        };
        Self::raft_note(note, ctx);
        VoteResponse {
            answer: self.quorum_answer(ErrorCode::None),
            granted,
        }
    }

    pub(super) fn voted(&mut self, voter: NodeId, response: &VoteResponse, ctx: &mut Ctx) {
        if self.common_answer(&response.answer, ctx).is_some() || response.answer.error != ErrorCode::None {
            return;
        }
        let voters = self.setup.voters.len();
        let (won, lost, candidate) = match &mut self.raft.role {
            Role::Prospective(votes) | Role::Candidate(votes) => {
                let of = if response.granted {
                    &mut votes.granted
                } else {
                    &mut votes.rejected
                };
                of.insert(voter);
                let (won, lost) = (votes.won(voters), votes.lost(voters));
                (won, lost, matches!(self.raft.role, Role::Candidate(_)))
            }
            _ => return,
        };
        match (won, lost, candidate) {
            (true, _, true) => self.become_leader(ctx),
            (true, _, false) => self.become_candidate(ctx),
            // A refused candidate waits its time out.
            (_, true, false) => self.pre_votes_lost(ctx),
            _ => {}
        }
    }
}
