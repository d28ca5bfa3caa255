//! Who is asked what: after each input the voter looks at what its role wants and sends what may be sent. And the way in
//! for everything that other voters send. [KafkaRaftClient.pollCurrentState, handleRequest, handleResponse]

use super::RaftTimer;
use super::peers::raft_timer;
use super::state::Role;
use crate::kafka::controller::answers;
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::controller::*;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::{ConnId, Span};

/// Voters are asked no more often than this who leads. (The real client asks again as soon as it has an answer.)
const SEARCH_PAUSE: Span = Span::ms(100);

impl Controller {
    /// Sends what the role wants to send.
    pub(in crate::kafka::controller) fn drive_quorum(&mut self, ctx: &mut Ctx) {
        let (wanted, body) = match &self.raft.role {
            Role::Unattached => {
                self.search(ctx);
                return;
            }
            Role::Follower { .. } => {
                self.fetch_from_best(ctx);
                return;
            }
            Role::Prospective(votes) | Role::Candidate(votes) => {
                if votes.lost(self.setup.voters.len()) {
                    return;
                }
                let open = |id: &NodeId| !votes.granted.contains(id) && !votes.rejected.contains(id);
                let pre_vote = matches!(self.raft.role, Role::Prospective(_));
                let wanted: Vec<NodeId> = self.others().filter(open).collect();
                (wanted, Body::from(self.vote_request(pre_vote)))
            }
            Role::Leader(leading) if leading.to_begin.is_empty() => return,
            Role::Leader(leading) => (
                leading.to_begin.iter().copied().collect(),
                Body::from(BeginQuorumEpochRequest {
                    leader: self.setup.id,
                    epoch: self.raft.epoch,
                }),
            ),
            Role::Resigned {
                unacknowledged,
                successors,
            } => (
                unacknowledged.iter().copied().collect(),
                Body::from(EndQuorumEpochRequest {
                    leader: self.setup.id,
                    epoch: self.raft.epoch,
                    successors: successors.clone(),
                }),
            ),
        };
        for id in wanted {
            if self.raft.peers.is_ready(id) {
                self.ask_voter(id, body.clone(), ctx);
                // Told once; the next look sees whether it fetches.
                if let Some(leading) = self.raft.leading_mut() {
                    leading.to_begin.remove(&id);
                }
            }
        }
    }

    fn fetch_from_best(&mut self, ctx: &mut Ctx) {
        let Some(leader) = self.raft.leader else { return };
        if self.raft.stopping.is_some() || self.raft.peers.any_in_flight() {
            return;
        }
        if self.raft.peers.is_backing_off(leader) {
            self.search(ctx);
        } else if self.raft.peers.is_ready(leader) {
            self.ask_voter(leader, Body::from(self.fetch_request()), ctx);
        }
    }

    /// Asks any voter, by a fetch: its answer names the leader.
    fn search(&mut self, ctx: &mut Ctx) {
        if self.raft.search.is_some() || self.raft.peers.any_in_flight() {
            return;
        }
        let ready: Vec<NodeId> = self.others().filter(|id| self.raft.peers.is_ready(*id)).collect();
        if ready.is_empty() {
            return;
        }
        let chosen = self.raft.random.below(ready.len() as u64) as usize;
        self.raft.search = Some(raft_timer(ctx, SEARCH_PAUSE, RaftTimer::Search));
        self.ask_voter(ready[chosen], Body::from(self.fetch_request()), ctx);
    }

    pub(in crate::kafka::controller) fn raft_timer(&mut self, timer: RaftTimer, ctx: &mut Ctx) {
        match timer {
            RaftTimer::Deadline => self.deadline_passed(ctx),
            RaftTimer::Begin => {
                self.raft.begin = None;
                self.look_for_silent_voters(ctx);
            }
            RaftTimer::Request(id) => self.voter_timed_out(id, ctx),
            RaftTimer::Retry(id) => self.voter_retry(id),
            RaftTimer::Search => self.raft.search = None,
            RaftTimer::FetchWait(token) => self.fetch_waited(token, ctx),
            RaftTimer::Shutdown => ctx.exit(),
        }
    }

    /// Answers a request of a voter or observer; false if it is none.
    pub(in crate::kafka::controller) fn quorum_request(
        &mut self,
        conn: ConnId,
        correlation: u32,
        body: &Body,
        ctx: &mut Ctx,
    ) -> bool {
        let answer = match body {
            Body::QuorumFetchRequest(fetch) => {
                self.quorum_fetch(conn, correlation, fetch, ctx);
                return true;
            }
            Body::VoteRequest(request) => self.vote(request, ctx).into(),
            Body::BeginQuorumEpochRequest(request) => BeginQuorumEpochResponse {
                answer: self.begin_epoch(request, ctx),
            }
            .into(),
            Body::EndQuorumEpochRequest(request) => EndQuorumEpochResponse {
                answer: self.end_epoch(request, ctx),
            }
            .into(),
            Body::DescribeQuorumRequest(_) => self.describe_quorum(ctx).into(),
            _ => return false,
        };
        answers::send(conn, correlation, answer, ctx);
        true
    }

    /// An answer on a connection to a voter; false if the connection is none of those.
    pub(in crate::kafka::controller) fn quorum_response(&mut self, conn: ConnId, msg: &Msg, ctx: &mut Ctx) -> bool {
        let Some(voter) = self.raft.peers.of(conn) else {
            return false;
        };
        self.voter_answered(voter, msg.correlation, ctx);
        match &msg.body {
            Body::QuorumFetchResponse(response) => {
                let from_leader = self.fetched(response, ctx);
                if !from_leader {
                    self.pause_voter(voter, ctx);
                }
            }
            Body::VoteResponse(response) => self.voted(voter, response, ctx),
            Body::BeginQuorumEpochResponse(response) => {
                self.common_answer(&response.answer, ctx);
            }
            Body::EndQuorumEpochResponse(response) => self.resignation_answered(voter, &response.answer, ctx),
            _ => {}
        }
        true
    }
}
