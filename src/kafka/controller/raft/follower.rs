//! A voter that follows: it takes the leader's records, cuts what the leader does not have, and replays what is
//! committed. [KafkaRaftClient.handleFetchResponse]

use super::note::RaftNote;
use super::state::Role;
use crate::kafka::controller::process::Controller;
use crate::kafka::protocol::controller::{QuorumAnswer, QuorumFetchRequest, QuorumFetchResponse};
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::wire::Ctx;
use std::rc::Rc;

/// `MAX_FETCH_WAIT_MS` of the raft client.
const MAX_WAIT_MS: i32 = 500;

impl Controller {
    pub(super) fn fetch_request(&self) -> QuorumFetchRequest {
        QuorumFetchRequest {
            replica: self.setup.id,
            leader_epoch: self.raft.epoch,
            fetch_offset: self.log.end_offset(),
            last_fetched_epoch: self.log.last_epoch(),
            high_watermark: self.committed(),
            max_wait_ms: MAX_WAIT_MS,
        }
    }

    /// Whether the answer came from the leader and was good.
    pub(super) fn fetched(&mut self, response: &QuorumFetchResponse, ctx: &mut Ctx) -> bool {
        let answer = QuorumAnswer {
            error: response.error,
            leader: response.leader,
            leader_epoch: response.leader_epoch,
        };
        if self.common_answer(&answer, ctx).is_some() || response.error != ErrorCode::None {
            return false;
        }
        let Role::Follower { fetched } = &mut self.raft.role else {
            return false;
        };
        *fetched = true;
        if let Some((epoch, end)) = response.diverging {
            let from = self.log.end_offset();
            let to = self.log.truncate_to(epoch, end);
            if to < from {
                Self::raft_note(RaftNote::Truncated { from, to }, ctx);
            }
        } else {
            for batch in &response.batches {
                if batch.base_offset == self.log.end_offset() {
                    self.log.append(Rc::clone(batch));
                }
            }
            let reached = response.high_watermark.min(self.log.end_offset());
            if response.high_watermark >= 0 && self.raft.high_watermark.is_none_or(|now| now < reached) {
                self.raft.high_watermark = Some(reached);
                self.replay_committed();
            }
        }
        self.set_deadline(self.fetch_timeout(), ctx);
        true
    }
}
