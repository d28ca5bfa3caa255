//! Calls about transactions, at the coordinator of an id. [DescribeTransactionsHandler, FenceProducersHandler]

use super::group::GroupVerdict;
use super::order::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::protocol::data::{InitProducerIdRequest, InitProducerIdResponse};
use crate::kafka::protocol::transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse};
use crate::kafka::protocol::{Body, ErrorCode};
use crate::kafka::types::NodeId;
use std::rc::Rc;

/// The request to the coordinator; the time-out stands for the transaction's own when a producer is fenced.
pub fn request(what: &AdminCall, timeout_ms: i32) -> Option<Body> {
    Some(match what {
        AdminCall::DescribeTransaction { id } => DescribeTransactionsRequest {
            transactional_ids: vec![id.clone()],
        }
        .into(),
        AdminCall::FenceProducer { id, .. } => InitProducerIdRequest {
            transactional_id: Some(id.clone()),
            transaction_timeout_ms: timeout_ms,
            producer_id: -1,
            producer_epoch: -1,
        }
        .into(),
        _ => return None,
    })
}

fn id_of(what: &AdminCall) -> &str {
    match what {
        AdminCall::DescribeTransaction { id } | AdminCall::FenceProducer { id, .. } => id,
        _ => "",
    }
}

fn finish(result: Result<Answer, ClientError>) -> GroupVerdict {
    GroupVerdict::Return(result.map(Rc::new))
}

fn on_error(error: ErrorCode) -> Option<GroupVerdict> {
    match error {
        ErrorCode::CoordinatorLoadInProgress => Some(GroupVerdict::Retry),
        ErrorCode::CoordinatorNotAvailable | ErrorCode::NotCoordinator => Some(GroupVerdict::LookUp),
        _ => None,
    }
}

/// What is known of the id.
pub fn described(what: &AdminCall, coordinator: NodeId, answer: &DescribeTransactionsResponse) -> GroupVerdict {
    let Some(found) = answer.transactions.first() else {
        return finish(Err(ClientError::of(ErrorCode::UnknownServerError, None)));
    };
    if let Some(verdict) = on_error(found.error) {
        return verdict;
    }
    let why = match found.error {
        ErrorCode::None => {
            return finish(Ok(Answer::Transaction {
                coordinator,
                found: found.clone(),
            }));
        }
        ErrorCode::TransactionalIdNotFound => "failed because the ID could not be found",
        _ => "failed due to unexpected error",
    };
    let text = format!(
        "DescribeTransactions request for transactionalId `{}` {why}",
        id_of(what)
    );
    finish(Err(ClientError::of(found.error, Some(&text))))
}

/// A producer is fenced by a new epoch.
pub fn fenced(what: &AdminCall, answer: &InitProducerIdResponse) -> GroupVerdict {
    if answer.error == ErrorCode::ConcurrentTransactions {
        return GroupVerdict::Retry;
    }
    if let Some(verdict) = on_error(answer.error) {
        return verdict;
    }
    match (answer.error, what) {
        (ErrorCode::None, AdminCall::FenceProducer { terminate: true, .. }) => finish(Ok(Answer::Done)),
        (ErrorCode::None, _) => finish(Ok(Answer::Fenced {
            producer_id: answer.producer_id,
            epoch: answer.producer_epoch,
        })),
        (error, what) => {
            let text = format!(
                "InitProducerId request for transactionalId `{}` failed due to unexpected error",
                id_of(what)
            );
            finish(Err(ClientError::of(error, Some(&text))))
        }
    }
}
