//! How requests are refused, and how the error of a write reaches whoever asked for it.
//! [CoordinatorOperationExceptionHelper, GroupCoordinatorService]

use super::classic::work::{join_error, sync_error};
use super::modern::describe::undescribed as undescribed_consumer;
use super::modern::heartbeat::refused as heartbeat_refused;
use super::share::heartbeat::refused as share_refused;
use crate::kafka::protocol::consumer_group::ConsumerGroupDescribeResponse;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::share::{
    AlterShareGroupOffsetsResponse, DeleteShareGroupOffsetsResponse, ShareGroupDescribeResponse,
};
use crate::kafka::protocol::transactions::TxnOffsetCommitResponse;
use crate::kafka::protocol::{Body, ErrorCode};
use std::rc::Rc;

/// The error of an append or of a wait, as members and committers are told it.
pub(super) fn of_write(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition | ErrorCode::NotEnoughReplicas | ErrorCode::RequestTimedOut => {
            ErrorCode::CoordinatorNotAvailable
        }
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge | ErrorCode::InvalidFetchSize => {
            ErrorCode::UnknownServerError
        }
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        other => other,
    }
}

/// As whoever asks for offsets is told it. [GroupCoordinatorService.handleOffsetFetchException]
fn of_fetch(error: ErrorCode) -> ErrorCode {
    match of_write(error) {
        ErrorCode::CoordinatorNotAvailable if error != ErrorCode::CoordinatorNotAvailable => ErrorCode::NotCoordinator,
        other => other,
    }
}

/// An answer whose write failed with this error becomes this one.
pub(super) fn failed(answer: &Body, error: ErrorCode) -> Body {
    let mapped = of_write(error);
    match answer {
        Body::HeartbeatResponse(_) => HeartbeatResponse { error: mapped }.into(),
        Body::ConsumerGroupHeartbeatResponse(_) => heartbeat_refused(mapped, None).into(),
        Body::ShareGroupHeartbeatResponse(_) => share_refused(mapped, None).into(),
        Body::AlterShareGroupOffsetsResponse(_) => AlterShareGroupOffsetsResponse {
            error: mapped,
            message: Some(mapped.message().into()),
            partitions: Vec::new(),
        }
        .into(),
        Body::DeleteShareGroupOffsetsResponse(_) => DeleteShareGroupOffsetsResponse {
            error: mapped,
            message: Some(mapped.message().into()),
            topics: Vec::new(),
        }
        .into(),
        Body::JoinGroupResponse(answer) => join_error(&answer.member_id, mapped).into(),
        Body::SyncGroupResponse(_) => sync_error(mapped).into(),
        Body::LeaveGroupResponse(_) => LeaveGroupResponse {
            error: mapped,
            members: Vec::new(),
        }
        .into(),
        Body::OffsetCommitResponse(answer) => OffsetCommitResponse {
            partitions: answer.partitions.iter().map(|(p, _)| (p.clone(), mapped)).collect(),
        }
        .into(),
        Body::TxnOffsetCommitResponse(answer) => TxnOffsetCommitResponse {
            partitions: answer.partitions.iter().map(|(p, _)| (p.clone(), mapped)).collect(),
        }
        .into(),
        Body::OffsetFetchResponse(_) => OffsetFetchResponse {
            error: of_fetch(error),
            partitions: Vec::new(),
        }
        .into(),
        Body::DeleteGroupsResponse(answer) => DeleteGroupsResponse {
            groups: answer.groups.iter().map(|(g, _)| (g.clone(), mapped)).collect(),
        }
        .into(),
        Body::OffsetDeleteResponse(_) => OffsetDeleteResponse {
            error: mapped,
            partitions: Vec::new(),
        }
        .into(),
        other => other.clone(),
    }
}

/// A request that a shard, or the whole coordinator, can't take up. `None`: this is no request of a group.
pub(super) fn refused(request: &Body, error: ErrorCode) -> Option<Body> {
    Some(match request {
        Body::JoinGroupRequest(r) => join_error(&r.member_id, error).into(),
        Body::SyncGroupRequest(_) => sync_error(error).into(),
        Body::HeartbeatRequest(_) => HeartbeatResponse {
            // While the group is loading members are told that all is well.
            error: match error {
                ErrorCode::CoordinatorLoadInProgress => ErrorCode::None,
                error => error,
            },
        }
        .into(),
        Body::ConsumerGroupHeartbeatRequest(_) => heartbeat_refused(error, None).into(),
        Body::ShareGroupHeartbeatRequest(_) => share_refused(error, None).into(),
        Body::ShareGroupDescribeRequest(r) => {
            let groups = r.groups.iter().map(|group| undescribed_consumer(group, error, None));
            ShareGroupDescribeResponse {
                groups: groups.collect(),
            }
            .into()
        }
        Body::AlterShareGroupOffsetsRequest(_) => AlterShareGroupOffsetsResponse {
            error,
            message: Some(error.message().into()),
            partitions: Vec::new(),
        }
        .into(),
        Body::DeleteShareGroupOffsetsRequest(_) => DeleteShareGroupOffsetsResponse {
            error,
            message: Some(error.message().into()),
            topics: Vec::new(),
        }
        .into(),
        Body::ConsumerGroupDescribeRequest(r) => {
            let groups = r.groups.iter().map(|group| undescribed_consumer(group, error, None));
            ConsumerGroupDescribeResponse {
                groups: groups.collect(),
            }
            .into()
        }
        Body::LeaveGroupRequest(_) => LeaveGroupResponse {
            error,
            members: Vec::new(),
        }
        .into(),
        Body::OffsetCommitRequest(r) => OffsetCommitResponse {
            partitions: r.offsets.iter().map(|(p, _)| (p.clone(), error)).collect(),
        }
        .into(),
        Body::TxnOffsetCommitRequest(r) => TxnOffsetCommitResponse {
            partitions: r.offsets.iter().map(|(p, _)| (p.clone(), of_write(error))).collect(),
        }
        .into(),
        Body::OffsetFetchRequest(_) => OffsetFetchResponse {
            error: of_fetch(error),
            partitions: Vec::new(),
        }
        .into(),
        Body::DescribeGroupsRequest(r) => DescribeGroupsResponse {
            groups: r
                .groups
                .iter()
                .map(|group| undescribed(group, "", error, None))
                .collect(),
        }
        .into(),
        Body::ListGroupsRequest(_) => ListGroupsResponse {
            error,
            groups: Vec::new(),
        }
        .into(),
        Body::DeleteGroupsRequest(r) => DeleteGroupsResponse {
            groups: r.groups.iter().map(|group| (group.clone(), error)).collect(),
        }
        .into(),
        Body::OffsetDeleteRequest(_) => OffsetDeleteResponse {
            error,
            partitions: Vec::new(),
        }
        .into(),
        _ => return None,
    })
}

/// A group of which nothing can be told.
pub(super) fn undescribed(group: &Rc<str>, state: &str, error: ErrorCode, message: Option<String>) -> DescribedGroup {
    DescribedGroup {
        error,
        message: message.map(Rc::from),
        group: group.clone(),
        state: state.into(),
        protocol_type: "".into(),
        protocol: "".into(),
        generation: -1,
        members: Vec::new(),
    }
}
