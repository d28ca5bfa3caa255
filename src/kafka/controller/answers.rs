//! Answers that need no decision.

use crate::kafka::protocol::admin::*;
use crate::kafka::protocol::controller::*;
use crate::kafka::protocol::errors::ErrorCode;
use crate::kafka::protocol::{Body, Msg};
use crate::kafka::types::NodeId;
use crate::kafka::wire::Ctx;
use crate::sim::ConnId;
use std::rc::Rc;

/// Sends the answer to a request.
pub(super) fn send(conn: ConnId, correlation: u32, body: Body, ctx: &mut Ctx) {
    let msg = Msg {
        correlation,
        client: "".into(),
        body,
    };
    ctx.send(conn, msg);
}

/// What a controller that is not active answers: NOT_CONTROLLER where the answer has a place for it.
/// [ControllerExceptions.newWrongControllerException]
pub(super) fn not_controller(request: &Body, leader: Option<NodeId>) -> Option<Body> {
    let error = ErrorCode::NotController;
    let text: Option<Rc<str>> = Some(match leader {
        None => "No controller appears to be active.".into(),
        Some(leader) => format!("The active controller appears to be node {leader}.").into(),
    });
    let api_error = (error, text);
    Some(match request {
        Body::BrokerHeartbeatRequest(_) => heartbeat_error(error).into(),
        Body::BrokerRegistrationRequest(_) => BrokerRegistrationResponse {
            error,
            message: api_error.1,
            broker_epoch: -1,
        }
        .into(),
        Body::AlterPartitionRequest(_) => alter_partition_error(error).into(),
        Body::AllocateProducerIdsRequest(_) => producer_ids_error(error).into(),
        Body::ElectLeadersRequest(_) => ElectLeadersResponse {
            error,
            partitions: Vec::new(),
        }
        .into(),
        Body::AlterPartitionReassignmentsRequest(_) => AlterPartitionReassignmentsResponse {
            error: api_error,
            partitions: Vec::new(),
        }
        .into(),
        Body::ListPartitionReassignmentsRequest(_) => ListPartitionReassignmentsResponse {
            error,
            partitions: Vec::new(),
        }
        .into(),
        Body::UnregisterBrokerRequest(_) => UnregisterBrokerResponse { error: api_error }.into(),
        other => return not_controller_each(other, api_error),
    })
}

/// Where every part of the request has its own error.
fn not_controller_each(request: &Body, error: ApiError) -> Option<Body> {
    Some(match request {
        Body::CreateTopicsRequest(r) => create_topics_error(r, &error).into(),
        Body::DeleteTopicsRequest(r) => {
            let topics = r.topics.iter().map(|name| (name.clone(), error.clone())).collect();
            DeleteTopicsResponse { topics }.into()
        }
        Body::CreatePartitionsRequest(r) => {
            let topics = r
                .topics
                .iter()
                .map(|(name, ..)| (name.clone(), error.clone()))
                .collect();
            CreatePartitionsResponse { topics }.into()
        }
        Body::IncrementalAlterConfigsRequest(r) => {
            let resources = r.resources.iter().map(|(what, _)| (what.clone(), error.clone()));
            IncrementalAlterConfigsResponse {
                resources: resources.collect(),
            }
            .into()
        }
        _ => return None,
    })
}

pub(super) fn heartbeat_error(error: ErrorCode) -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse {
        error,
        is_caught_up: false,
        is_fenced: true,
        should_shut_down: false,
    }
}

pub(super) fn alter_partition_error(error: ErrorCode) -> AlterPartitionResponse {
    AlterPartitionResponse {
        error,
        partitions: Vec::new(),
    }
}

pub(super) fn producer_ids_error(error: ErrorCode) -> AllocateProducerIdsResponse {
    AllocateProducerIdsResponse {
        error,
        start: -1,
        len: -1,
    }
}

/// The whole request is refused.
pub(super) fn create_topics_error(request: &CreateTopicsRequest, error: &ApiError) -> CreateTopicsResponse {
    let topics = request.topics.iter();
    CreateTopicsResponse {
        topics: topics.map(|topic| refused_topic(&topic.name, error.clone())).collect(),
    }
}

pub(super) fn refused_topic(name: &Rc<str>, (error, message): ApiError) -> CreatedTopic {
    CreatedTopic {
        name: Rc::clone(name),
        id: None,
        error,
        message,
        num_partitions: -1,
        replication_factor: -1,
    }
}

/// No error.
pub(super) const OK: ApiError = (ErrorCode::None, None);
