//! Calls about share groups. [DescribeShareGroupsHandler, ListShareGroupOffsetsHandler, AlterShareGroupOffsetsHandler,
//! DeleteShareGroupOffsetsHandler]

use super::group::{GroupVerdict, finish, on_error};
use super::order::AdminCall;
use super::reply::unexpected;
use crate::kafka::client::call::{Answer, ClientError, SeenGroup, SeenMember, SeenShareOffset};
use crate::kafka::protocol::consumer_group::DescribedConsumerMember;
use crate::kafka::protocol::share::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NodeId;
use std::rc::Rc;

/// The request to the coordinator; `None`: the call is about no share group.
pub fn request(what: &AdminCall) -> Option<Body> {
    Some(match what {
        AdminCall::DescribeShareGroup { group } => ShareGroupDescribeRequest {
            groups: vec![group.clone()],
        }
        .into(),
        AdminCall::ShareGroupOffsets { group } => DescribeShareGroupOffsetsRequest {
            group: group.clone(),
            partitions: None,
        }
        .into(),
        AdminCall::AlterShareGroupOffsets { group, offsets } => AlterShareGroupOffsetsRequest {
            group: group.clone(),
            offsets: offsets.clone(),
        }
        .into(),
        AdminCall::DeleteShareGroupOffsets { group, topics } => DeleteShareGroupOffsetsRequest {
            group: group.clone(),
            topics: topics.clone(),
        }
        .into(),
        _ => return None,
    })
}

/// What a coordinator's answer means for its call.
pub fn read(what: &AdminCall, coordinator: NodeId, body: &Body) -> GroupVerdict {
    match body {
        Body::ShareGroupDescribeResponse(answer) => described(coordinator, answer),
        Body::DescribeShareGroupOffsetsResponse(answer) => offsets(answer),
        Body::AlterShareGroupOffsetsResponse(answer) => altered(what, answer),
        Body::DeleteShareGroupOffsetsResponse(answer) => deleted(answer),
        other => GroupVerdict::Return(Err(unexpected(other))),
    }
}

fn described(coordinator: NodeId, answer: &ShareGroupDescribeResponse) -> GroupVerdict {
    let Some(group) = answer.groups.first() else {
        return finish(Err(ClientError::of(ErrorCode::UnknownServerError, None)));
    };
    if let Some(verdict) = on_error(group.error) {
        return verdict;
    }
    if group.error.is_error() {
        return finish(Err(ClientError::of(group.error, group.message.as_deref())));
    }
    let member = |member: &DescribedConsumerMember| SeenMember {
        client_id: member.client_id.clone(),
        member_id: member.member_id.clone(),
        instance: None,
        assigned: member.assigned.to_vec(),
    };
    finish(Ok(Answer::Group(SeenGroup {
        group: group.group.clone(),
        kind: "Share".into(),
        state: group.state.clone(),
        protocol_type: "share".into(),
        assignor: group.assignor.clone(),
        coordinator: Some(coordinator),
        epoch: group.epoch,
        assignment_epoch: Some(group.assignment_epoch),
        members: group.members.iter().map(member).collect(),
    })))
}

fn offsets(answer: &DescribeShareGroupOffsetsResponse) -> GroupVerdict {
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    if answer.error.is_error() {
        return finish(Err(ClientError::of(answer.error, answer.message.as_deref())));
    }
    let known = answer.offsets.iter().filter(|offset| !offset.error.is_error());
    let each = known.map(|offset| {
        let seen = (offset.start >= 0).then_some(SeenShareOffset {
            start: offset.start,
            leader_epoch: (offset.leader_epoch >= 0).then_some(offset.leader_epoch),
            lag: (offset.lag >= 0).then_some(offset.lag),
        });
        (offset.partition.clone(), seen)
    });
    finish(Ok(Answer::ShareOffsets(each.collect())))
}

fn altered(what: &AdminCall, answer: &AlterShareGroupOffsetsResponse) -> GroupVerdict {
    match answer.error {
        ErrorCode::RebalanceInProgress => return GroupVerdict::Retry,
        error => {
            if let Some(verdict) = on_error(error) {
                return verdict;
            }
        }
    }
    let failed: Vec<(String, ErrorCode)> = match (answer.error, what) {
        (ErrorCode::None, _) => {
            let failed = answer.partitions.iter().filter(|(_, error, _)| error.is_error());
            failed
                .map(|(partition, error, _)| (partition.to_string(), *error))
                .collect()
        }
        (error, AdminCall::AlterShareGroupOffsets { offsets, .. }) => offsets
            .iter()
            .map(|(partition, _)| (partition.to_string(), error))
            .collect(),
        _ => Vec::new(),
    };
    let Some((_, error)) = failed.first() else {
        return finish(Ok(Answer::Done));
    };
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let list = names.join(", ");
    let text = format!("Failed altering group offsets for the following partitions: [{list}]");
    finish(Err(ClientError::of(*error, Some(&text))))
}

fn deleted(answer: &DeleteShareGroupOffsetsResponse) -> GroupVerdict {
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    if answer.error.is_error() {
        return finish(Err(ClientError::of(answer.error, answer.message.as_deref())));
    }
    let each = answer.topics.iter().map(|(topic, error, message)| {
        let result = match error {
            ErrorCode::None => Ok(()),
            error => Err(ClientError::of(*error, message.as_deref())),
        };
        (Rc::clone(topic), result)
    });
    finish(Ok(Answer::Each(each.collect())))
}
