//! What every answer between voters begins with, and what it changes. [KafkaRaftClient.maybeHandleCommonResponse,
//! maybeTransition]

use super::state::{QuorumView, Role};
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::controller::QuorumAnswer;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::kafka::wire::Ctx;

impl Controller {
    pub(super) fn quorum_answer(&self, error: ErrorCode) -> QuorumAnswer {
        QuorumAnswer {
            error,
            leader: self.raft.leader.unwrap_or(NO_LEADER),
            leader_epoch: self.raft.epoch,
        }
    }

    /// Takes a leader and an epoch that a message names.
    pub(super) fn learn(&mut self, leader: Option<NodeId>, epoch: i32, ctx: &mut Ctx) {
        let leader = leader.filter(|id| *id != self.setup.id && self.setup.voters.contains_key(id));
        if epoch > self.raft.epoch {
            match leader {
                Some(leader) => self.become_follower(epoch, leader, ctx),
                None => self.become_unattached(epoch, None, ctx),
            }
        } else if let (true, Some(leader), None) = (epoch == self.raft.epoch, leader, self.raft.leader) {
            self.become_follower(epoch, leader, ctx);
        }
    }

    /// What an answer's error, leader and epoch mean whatever was asked. `None`: the answer itself counts; else whether
    /// it was understood.
    pub(super) fn common_answer(&mut self, answer: &QuorumAnswer, ctx: &mut Ctx) -> Option<bool> {
        let leader = Some(answer.leader).filter(|id| *id != NO_LEADER);
        let (epoch, error) = (answer.leader_epoch, answer.error);
        let stale = [ErrorCode::FencedLeaderEpoch, ErrorCode::NotLeaderOrFollower].contains(&error);
        if epoch < self.raft.epoch || error == ErrorCode::UnknownLeaderEpoch {
            return Some(true);
        }
        if epoch > self.raft.epoch || stale {
            self.learn(leader, epoch, ctx);
            return Some(true);
        }
        if leader.is_some() && self.raft.leader.is_none() {
            self.learn(leader, epoch, ctx);
            return (error != ErrorCode::None).then_some(true);
        }
        None
    }

    /// The quorum as this voter sees it.
    pub fn quorum(&self) -> QuorumView {
        let replicas = match &self.raft.role {
            Role::Leader(leading) => {
                let observers = leading.replicas.keys().copied();
                let observers = observers.filter(|id| !self.setup.voters.contains_key(id));
                let all = self.others().chain(observers);
                all.map(|id| (id, leading.replicas.get(&id).map(|progress| progress.end)))
                    .collect()
            }
            _ => Vec::new(),
        };
        QuorumView {
            role: self.raft.role_name(),
            epoch: self.raft.epoch,
            leader: self.raft.leader,
            voted: self.raft.voted,
            high_watermark: self.raft.high_watermark,
            end: self.log.end_offset(),
            replicas,
        }
    }
}
