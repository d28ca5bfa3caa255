//! Calls about a group: its coordinator is looked up first, and again when it moved. [CoordinatorStrategy and the
//! handlers of the single calls]

use super::order::AdminCall;
use super::share;
use super::transactions;
use crate::kafka::client::call::{Answer, CallResult, ClientError, SeenGroup, SeenMember};
use crate::kafka::protocol::consumer_group::*;
use crate::kafka::protocol::groups::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::{NamedPartition, NodeId};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// What to do with a coordinator's answer.
#[derive(Clone, Debug)]
pub enum GroupVerdict {
    Return(CallResult),
    /// The same request once more, after a pause.
    Retry,
    /// The coordinator is somewhere else.
    LookUp,
    /// The group is none of the consumer protocol: it is asked about in the words of the classic one.
    Ask(Body),
    /// All members are to go: these.
    Remove(Vec<Rc<str>>),
}

/// Who coordinates, or why that is not known yet (`Ok(None)`). [CoordinatorStrategy.handleError]
///
/// # Errors
/// What the call fails with.
pub fn coordinator(
    what: &AdminCall,
    group: &str,
    answer: &FindCoordinatorResponse,
) -> Result<Option<NodeId>, ClientError> {
    match answer.error {
        ErrorCode::None => Ok(answer.node.as_ref().map(|node| node.id)),
        ErrorCode::CoordinatorNotAvailable | ErrorCode::CoordinatorLoadInProgress => Ok(None),
        error => {
            let key = format!("CoordinatorKey(idValue='{group}', type={})", kind_of(what).1);
            let text = format!("FindCoordinator request for key `{key}` failed due to an unexpected error");
            Err(ClientError::of(error, Some(&text)))
        }
    }
}

/// Which coordinator a call needs, with its name in texts.
pub fn kind_of(what: &AdminCall) -> (CoordinatorKind, &'static str) {
    match what {
        AdminCall::DescribeTransaction { .. } | AdminCall::FenceProducer { .. } => {
            (CoordinatorKind::Transaction, "TRANSACTION")
        }
        _ => (CoordinatorKind::Group, "GROUP"),
    }
}

/// The group, or transactional id, that a call is about.
pub fn group_of(what: &AdminCall) -> Option<&Rc<str>> {
    match what {
        AdminCall::DescribeGroup { group }
        | AdminCall::DeleteGroup { group }
        | AdminCall::GroupOffsets { group }
        | AdminCall::AlterGroupOffsets { group, .. }
        | AdminCall::DeleteGroupOffsets { group, .. }
        | AdminCall::DescribeShareGroup { group }
        | AdminCall::ShareGroupOffsets { group }
        | AdminCall::AlterShareGroupOffsets { group, .. }
        | AdminCall::DeleteShareGroupOffsets { group, .. }
        | AdminCall::RemoveMembers { group, .. } => Some(group),
        AdminCall::DescribeTransaction { id } | AdminCall::FenceProducer { id, .. } => Some(id),
        _ => None,
    }
}

/// The request to the coordinator.
pub fn request(what: &AdminCall, timeout_ms: i32) -> Option<Body> {
    Some(match what {
        AdminCall::DescribeGroup { group } => ConsumerGroupDescribeRequest {
            groups: vec![group.clone()],
        }
        .into(),
        AdminCall::DeleteGroup { group } => DeleteGroupsRequest {
            groups: vec![group.clone()],
        }
        .into(),
        AdminCall::GroupOffsets { group } => OffsetFetchRequest {
            group: group.clone(),
            member: None,
            partitions: None,
            require_stable: false,
        }
        .into(),
        AdminCall::AlterGroupOffsets { group, offsets } => commit(group, offsets).into(),
        AdminCall::DeleteGroupOffsets { group, partitions } => OffsetDeleteRequest {
            group: group.clone(),
            partitions: partitions.clone(),
        }
        .into(),
        AdminCall::RemoveMembers { group, members } if members.is_empty() => ConsumerGroupDescribeRequest {
            groups: vec![group.clone()],
        }
        .into(),
        AdminCall::RemoveMembers { group, members } => LeaveGroupRequest {
            group: group.clone(),
            members: members
                .iter()
                .map(|instance| ("".into(), Some(instance.clone())))
                .collect(),
        }
        .into(),
        _ => return share::request(what).or_else(|| transactions::request(what, timeout_ms)),
    })
}

fn commit(group: &Rc<str>, offsets: &[(NamedPartition, i64)]) -> OffsetCommitRequest {
    let offset = |offset| CommittedOffset {
        offset,
        leader_epoch: -1,
        metadata: "".into(),
    };
    OffsetCommitRequest {
        group: group.clone(),
        generation: -1,
        member_id: "".into(),
        instance_id: None,
        offsets: offsets
            .iter()
            .map(|(partition, at)| (partition.clone(), offset(*at)))
            .collect(),
    }
}

/// The request that removes these members.
pub fn removal(group: &Rc<str>, members: Vec<Rc<str>>) -> Body {
    LeaveGroupRequest {
        group: group.clone(),
        members: members.into_iter().map(|member| (member, None)).collect(),
    }
    .into()
}

/// What a coordinator's answer means for its call.
pub fn read(what: &AdminCall, coordinator: NodeId, body: &Body) -> GroupVerdict {
    match body {
        Body::DescribeGroupsResponse(answer) => described(what, coordinator, answer),
        Body::ConsumerGroupDescribeResponse(answer) => consumer_described(what, coordinator, answer),
        Body::DeleteGroupsResponse(answer) => {
            let error = answer
                .groups
                .first()
                .map_or(ErrorCode::UnknownServerError, |(_, error)| *error);
            on_error(error).unwrap_or_else(|| finish(done_or(error)))
        }
        Body::OffsetFetchResponse(answer) => fetched(answer),
        Body::OffsetCommitResponse(answer) => committed(answer),
        Body::OffsetDeleteResponse(answer) => deleted(what, answer),
        Body::LeaveGroupResponse(answer) => left(answer),
        Body::DescribeTransactionsResponse(answer) => transactions::described(what, coordinator, answer),
        Body::InitProducerIdResponse(answer) => transactions::fenced(what, answer),
        other => share::read(what, coordinator, other),
    }
}

pub(super) fn finish(result: Result<Answer, ClientError>) -> GroupVerdict {
    GroupVerdict::Return(result.map(Rc::new))
}

fn done_or(error: ErrorCode) -> Result<Answer, ClientError> {
    match error {
        ErrorCode::None => Ok(Answer::Done),
        error => Err(ClientError::of(error, None)),
    }
}

/// Errors that all these calls take alike.
pub(super) fn on_error(error: ErrorCode) -> Option<GroupVerdict> {
    match error {
        ErrorCode::CoordinatorLoadInProgress => Some(GroupVerdict::Retry),
        ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => Some(GroupVerdict::LookUp),
        _ => None,
    }
}

fn described(what: &AdminCall, coordinator: NodeId, answer: &DescribeGroupsResponse) -> GroupVerdict {
    let Some(group) = answer.groups.first() else {
        return finish(Err(ClientError::of(ErrorCode::UnknownServerError, None)));
    };
    if let Some(verdict) = on_error(group.error) {
        return verdict;
    }
    if group.error.is_error() {
        return finish(Err(ClientError::of(group.error, group.message.as_deref())));
    }
    if matches!(what, AdminCall::RemoveMembers { .. }) {
        let members = group.members.iter().map(|member| member.member_id.clone());
        return GroupVerdict::Remove(members.collect());
    }
    if !matches!(&*group.protocol_type, "consumer" | "") {
        let text = format!(
            "GroupId {} is not a consumer group ({}).",
            group.group, group.protocol_type
        );
        return finish(Err(ClientError::new("IllegalArgumentException", &text)));
    }
    let member = |member: &DescribedMember| SeenMember {
        client_id: member.client_id.clone(),
        member_id: member.member_id.clone(),
        instance: member.instance_id.clone(),
        assigned: member.assignment.to_vec(),
    };
    finish(Ok(Answer::Group(SeenGroup {
        group: group.group.clone(),
        kind: "Classic".into(),
        assignment_epoch: None,
        state: group.state.clone(),
        protocol_type: group.protocol_type.clone(),
        assignor: group.protocol.clone(),
        coordinator: Some(coordinator),
        epoch: group.generation,
        members: group.members.iter().map(member).collect(),
    })))
}

/// [DescribeConsumerGroupsHandler.handledConsumerGroupResponse]
fn consumer_described(what: &AdminCall, coordinator: NodeId, answer: &ConsumerGroupDescribeResponse) -> GroupVerdict {
    let Some(group) = answer.groups.first() else {
        return finish(Err(ClientError::of(ErrorCode::UnknownServerError, None)));
    };
    if let Some(verdict) = on_error(group.error) {
        return verdict;
    }
    if group.error == ErrorCode::GroupIdNotFound {
        let groups = vec![group.group.clone()];
        return GroupVerdict::Ask(DescribeGroupsRequest { groups }.into());
    }
    if group.error.is_error() {
        return finish(Err(ClientError::of(group.error, group.message.as_deref())));
    }
    if matches!(what, AdminCall::RemoveMembers { .. }) {
        let members = group.members.iter().map(|member| member.member_id.clone());
        return GroupVerdict::Remove(members.collect());
    }
    let member = |member: &DescribedConsumerMember| SeenMember {
        client_id: member.client_id.clone(),
        member_id: member.member_id.clone(),
        instance: member.instance_id.clone(),
        assigned: member.assigned.to_vec(),
    };
    finish(Ok(Answer::Group(SeenGroup {
        group: group.group.clone(),
        kind: "Consumer".into(),
        state: group.state.clone(),
        protocol_type: "consumer".into(),
        assignor: group.assignor.clone(),
        coordinator: Some(coordinator),
        epoch: group.epoch,
        assignment_epoch: Some(group.assignment_epoch),
        members: group.members.iter().map(member).collect(),
    })))
}

fn fetched(answer: &OffsetFetchResponse) -> GroupVerdict {
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    if answer.error.is_error() {
        return finish(Err(ClientError::of(answer.error, None)));
    }
    let mut offsets = OrderedMap::new();
    for (partition, committed, error) in &answer.partitions {
        match error {
            ErrorCode::None => {
                let known = (committed.offset >= 0).then(|| committed.clone());
                offsets.insert(partition.clone(), known);
            }
            ErrorCode::UnstableOffsetCommit => return GroupVerdict::Retry,
            // The others of the group are returned without it. [ListConsumerGroupOffsetsHandler]
            _ => {}
        }
    }
    finish(Ok(Answer::Committed(offsets)))
}

fn committed(answer: &OffsetCommitResponse) -> GroupVerdict {
    let mut verdict = None;
    let mut failed = Vec::new();
    let mut first = None;
    for (partition, error) in &answer.partitions {
        match error {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress | ErrorCode::CoordinatorLoadInProgress => {
                verdict = verdict.or(Some(GroupVerdict::Retry));
            }
            ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => verdict = Some(GroupVerdict::LookUp),
            error => {
                first = first.or(Some(*error));
                failed.push(partition.to_string());
            }
        }
    }
    let list = failed.join(", ");
    let text = format!("Failed altering group offsets for the following partitions: [{list}]");
    verdict.unwrap_or_else(|| match first {
        None => finish(Ok(Answer::Done)),
        Some(error) => finish(Err(ClientError::of(error, Some(&text)))),
    })
}

fn deleted(what: &AdminCall, answer: &OffsetDeleteResponse) -> GroupVerdict {
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    let result = |error: ErrorCode| match error {
        ErrorCode::None => Ok(()),
        error => Err(ClientError::of(error, None)),
    };
    let each: OrderedMap<Rc<str>, _> = match (answer.error, what) {
        (ErrorCode::None, _) => {
            let named = answer
                .partitions
                .iter()
                .map(|(p, error)| (Rc::from(p.to_string()), result(*error)));
            named.collect()
        }
        (error, AdminCall::DeleteGroupOffsets { partitions, .. }) => partitions
            .iter()
            .map(|p| (Rc::from(p.to_string()), result(error)))
            .collect(),
        _ => OrderedMap::new(),
    };
    finish(Ok(Answer::Each(each)))
}

fn left(answer: &LeaveGroupResponse) -> GroupVerdict {
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    let members = answer.members.iter().map(|(_, _, error)| *error);
    let error = std::iter::once(answer.error)
        .chain(members)
        .find(|error| error.is_error());
    finish(done_or(error.unwrap_or(ErrorCode::None)))
}
