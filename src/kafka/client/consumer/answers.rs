//! Answers and losses, handed to whoever asked.

use super::outbox::{Failure, ListFor, Purpose};
use super::process::Consumer;
use super::rules;
use crate::kafka::client::log::loggers;
use crate::kafka::protocol::consumer_group::ConsumerGroupHeartbeatResponse;
use crate::kafka::protocol::share::ShareGroupHeartbeatResponse;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::rule::Weight;
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;

/// Both protocols answer heartbeats alike.
fn as_consumer(answer: &ShareGroupHeartbeatResponse) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error: answer.error,
        message: answer.message.clone(),
        member_id: answer.member_id.clone(),
        member_epoch: answer.member_epoch,
        heartbeat_interval_ms: answer.heartbeat_interval_ms,
        assignment: answer.assignment.clone(),
    }
}

impl Consumer {
    /// An answer came; one that does not fit its question is passed over.
    pub(super) fn on_answer(&mut self, purpose: Purpose, node: NodeId, body: &Body, ctx: &mut Ctx) {
        match (purpose, body) {
            (Purpose::Fetch(asked), Body::FetchResponse(answer)) => self.on_fetched(node, &asked, answer, ctx),
            (Purpose::CloseSession, _) => self.fetcher.session_closed(node),
            (Purpose::Heartbeat(sent), Body::HeartbeatResponse(answer)) => self.on_heartbeat(&sent, answer.error, ctx),
            (Purpose::GroupHeartbeat(ignored), Body::ConsumerGroupHeartbeatResponse(answer)) => {
                self.on_group_heartbeat(answer, ignored, ctx);
            }
            (Purpose::GroupHeartbeat(ignored), Body::ShareGroupHeartbeatResponse(answer)) => {
                self.on_group_heartbeat(&as_consumer(answer), ignored, ctx);
            }
            (Purpose::ShareFetch(purpose), Body::ShareFetchResponse(answer)) => {
                self.on_share_fetched(node, &purpose, answer, ctx);
            }
            (Purpose::ShareAcknowledge(purpose), Body::ShareAcknowledgeResponse(answer)) => {
                self.on_share_acknowledged(node, purpose, answer, ctx);
            }
            (Purpose::FindCoordinator, Body::FindCoordinatorResponse(answer)) => self.on_coordinator_found(answer, ctx),
            (Purpose::Join(sent), Body::JoinGroupResponse(answer)) => self.on_joined(&sent, answer, ctx),
            (Purpose::Sync(sent), Body::SyncGroupResponse(answer)) => {
                self.on_synced(&sent, answer.error, &answer.assignment, ctx);
            }
            (Purpose::Leave, Body::LeaveGroupResponse(answer)) => {
                let of_member = answer.members.first().map_or(ErrorCode::None, |(_, _, error)| *error);
                let error = if answer.error.is_error() {
                    answer.error
                } else {
                    of_member
                };
                if error.is_error() {
                    let text = format!("LeaveGroup request failed with error: {}", error.message());
                    self.log(
                        loggers::CONSUMER_COORDINATOR.error(text),
                        Weight::Detail,
                        &rules::LEAVE,
                        ctx,
                    );
                }
            }
            (Purpose::Commit(number, sent), Body::OffsetCommitResponse(answer)) => {
                self.on_committed(number, &sent, answer, ctx);
            }
            (Purpose::Committed(number), Body::OffsetFetchResponse(answer)) => {
                self.on_committed_told(number, answer, ctx);
            }
            (Purpose::ListOffsets(ListFor::Reset, asked), Body::ListOffsetsResponse(answer)) => {
                self.on_reset_listed(&asked, answer, ctx);
            }
            (Purpose::ListOffsets(ListFor::Times, asked), Body::ListOffsetsResponse(answer)) => {
                self.on_times_listed(&asked, answer);
            }
            (Purpose::Epochs(asked), Body::OffsetsForLeaderEpochResponse(answer)) => {
                self.on_epochs(&asked, answer, ctx);
            }
            (purpose, _) => {
                let failure = Failure::of(ErrorCode::UnknownServerError);
                self.on_lost(purpose, node, &failure, ctx);
            }
        }
    }

    /// A request had no answer.
    pub(super) fn on_lost(&mut self, purpose: Purpose, node: NodeId, failure: &Failure, ctx: &mut Ctx) {
        match purpose {
            Purpose::Fetch(asked) => self.on_fetch_lost(node, &asked),
            Purpose::CloseSession => self.fetcher.session_closed(node),
            Purpose::ListOffsets(ListFor::Reset, asked) => self.on_positions_lost(&asked, ctx),
            Purpose::ListOffsets(ListFor::Times, _) => self.on_times_lost(failure),
            Purpose::Epochs(asked) => self.on_positions_lost(&asked, ctx),
            Purpose::ShareFetch(_) => self.on_share_fetch_lost(node, failure, ctx),
            Purpose::ShareAcknowledge(purpose) => self.on_share_acknowledge_lost(node, purpose, failure, ctx),
            Purpose::FindCoordinator => self.on_lookup_failed(failure, ctx),
            Purpose::Heartbeat(_) => {
                self.coordinator_lost(node, failure, ctx);
                self.heartbeat_failed(ctx);
            }
            Purpose::GroupHeartbeat(ignored) => {
                self.coordinator_lost(node, failure, ctx);
                self.on_group_heartbeat_lost(failure, ignored, ctx);
            }
            Purpose::Join(_) | Purpose::Sync(_) => {
                self.coordinator_lost(node, failure, ctx);
                self.end_join(Err(failure.clone()));
            }
            Purpose::Leave => self.coordinator_lost(node, failure, ctx),
            Purpose::Commit(number, _) => {
                self.coordinator_lost(node, failure, ctx);
                self.end_commit(number, Err(failure.clone()));
            }
            Purpose::Committed(number) => {
                self.coordinator_lost(node, failure, ctx);
                self.end_question(number, Err(failure.clone()));
            }
        }
    }
}
