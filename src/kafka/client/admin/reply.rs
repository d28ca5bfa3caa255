//! What the answer to a call of one request means.

use super::order::AdminCall;
use crate::kafka::client::call::{
    Answer, CallResult, ClientError, SeenConfig, SeenPartition, SeenReassignment, SeenTopic,
};
use crate::kafka::protocol::admin::*;
use crate::kafka::protocol::{Body, ErrorCode};
use crate::ordered::{OrderedMap, SortSmall};
use std::fmt::Display;
use std::rc::Rc;

/// What to do with an answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    Return(CallResult),
    /// The same request once more, after a pause.
    Retry(ClientError),
}

fn done(answer: Answer) -> Verdict {
    Verdict::Return(Ok(Rc::new(answer)))
}

fn failed(error: ClientError) -> Verdict {
    Verdict::Return(Err(error))
}

/// An exception that ends the call, unless a retry may help.
fn thrown(error: ErrorCode, message: Option<&str>) -> Verdict {
    let exception = ClientError::of(error, message);
    match error.retriable() {
        true => Verdict::Retry(exception),
        false => failed(exception),
    }
}

/// An error with its text as a result.
pub fn outcome((error, message): &ApiError) -> Result<(), ClientError> {
    match error {
        ErrorCode::None => Ok(()),
        error => Err(ClientError::of(*error, message.as_deref())),
    }
}

/// Per name done or failed; a call about one thing alone fails with that thing's error, as `all().get()` does.
fn each<N: Display>(results: &[(N, ApiError)]) -> Verdict {
    if let [(_, error)] = results {
        return match outcome(error) {
            Ok(()) => done(Answer::Done),
            Err(error) => failed(error),
        };
    }
    let named = results
        .iter()
        .map(|(name, error)| (Rc::from(name.to_string()), outcome(error)));
    done(Answer::Each(named.collect()))
}

/// Not the controller any more: the client asks for metadata and tries again. [KafkaAdminClient.handleNotControllerError]
fn not_controller<'a>(mut errors: impl Iterator<Item = &'a ErrorCode>) -> Option<Verdict> {
    let moved = errors.any(|error| *error == ErrorCode::NotController);
    moved.then(|| thrown(ErrorCode::NotController, None))
}

/// What the answer to `what` means.
pub fn read(what: &AdminCall, body: &Body) -> Verdict {
    match body {
        Body::CreateTopicsResponse(answer) => created(answer),
        Body::DeleteTopicsResponse(answer) => topics(&answer.topics),
        Body::CreatePartitionsResponse(answer) => topics(&answer.topics),
        Body::DescribeTopicPartitionsResponse(answer) => described(answer),
        Body::IncrementalAlterConfigsResponse(answer) => {
            let errors: Vec<_> = answer
                .resources
                .iter()
                .map(|(r, e)| (resource_name(r), e.clone()))
                .collect();
            each(&errors)
        }
        Body::DescribeConfigsResponse(answer) => configs(answer),
        Body::ElectLeadersResponse(answer) => elected(answer),
        Body::AlterPartitionReassignmentsResponse(answer) => reassigned(answer),
        Body::ListPartitionReassignmentsResponse(answer) => match answer.error {
            ErrorCode::None => {
                let list = answer.partitions.iter().cloned().map(SeenReassignment);
                done(Answer::Reassignments(list.collect()))
            }
            error => thrown(error, None),
        },
        Body::DescribeClusterResponse(answer) => match answer.error {
            ErrorCode::None => done(Answer::Cluster {
                controller: answer.controller_id,
                brokers: answer.brokers.iter().map(|(node, fenced)| (node.id, *fenced)).collect(),
                nodes: answer.brokers.iter().map(|(node, _)| node.clone()).collect(),
            }),
            error => thrown(error, None),
        },
        Body::UnregisterBrokerResponse(answer) => match answer.error.0 {
            ErrorCode::None => done(Answer::Done),
            // Its future fails with it; only a time-out is tried again. [KafkaAdminClient.unregisterBroker]
            ErrorCode::RequestTimedOut => thrown(ErrorCode::RequestTimedOut, answer.error.1.as_deref()),
            error => failed(ClientError::of(error, answer.error.1.as_deref())),
        },
        Body::ApiVersionsResponse(answer) => {
            done(Answer::Features(answer.finalized_features.iter().cloned().collect()))
        }
        Body::DescribeQuorumResponse(answer) => match answer.error {
            ErrorCode::None => done(Answer::Quorum {
                leader: answer.leader,
                epoch: answer.leader_epoch,
                voters: answer.voters.iter().map(|replica| replica.id).collect(),
                observers: answer.observers.iter().map(|replica| replica.id).collect(),
            }),
            error => thrown(error, None),
        },
        Body::DescribeLogDirsResponse(answer) => done(Answer::LogDir {
            dir: answer.dir.clone(),
            replicas: answer.replicas.clone(),
        }),
        Body::MetadataResponse(answer) if matches!(what, AdminCall::ListTopics) => {
            let mut names: Vec<_> = answer.topics.iter().map(|t| (t.name.clone(), t.internal)).collect();
            names.sort_small();
            done(Answer::TopicNames(names))
        }
        other if matches!(what, AdminCall::Raw { .. }) => done(Answer::Raw(other.kind())),
        other => failed(unexpected(other)),
    }
}

/// An answer that does not fit its request.
pub fn unexpected(body: &Body) -> ClientError {
    ClientError::new(
        "IllegalStateException",
        &format!("Unexpected response: {}", body.kind()),
    )
}

fn created(answer: &CreateTopicsResponse) -> Verdict {
    if let Some(verdict) = not_controller(answer.topics.iter().map(|topic| &topic.error)) {
        return verdict;
    }
    let result = |topic: &CreatedTopic| match topic.error {
        ErrorCode::None => Ok((topic.num_partitions, topic.replication_factor)),
        error => Err(ClientError::of(error, topic.message.as_deref())),
    };
    if let [topic] = &answer.topics[..]
        && let Err(error) = result(topic)
    {
        return failed(error);
    }
    let topics = answer.topics.iter().map(|topic| (topic.name.clone(), result(topic)));
    done(Answer::Created(topics.collect()))
}

fn topics(results: &[(Rc<str>, ApiError)]) -> Verdict {
    not_controller(results.iter().map(|(_, error)| &error.0)).unwrap_or_else(|| each(results))
}

fn described(answer: &DescribeTopicPartitionsResponse) -> Verdict {
    let result = |topic: &DescribedTopic| match topic.error {
        ErrorCode::None => Ok(SeenTopic {
            id: topic.id,
            internal: topic.internal,
            partitions: topic.partitions.iter().cloned().map(SeenPartition).collect(),
        }),
        error => Err(ClientError::of(error, None)),
    };
    if let [topic] = &answer.topics[..]
        && let Err(error) = result(topic)
    {
        return failed(error);
    }
    let topics = answer.topics.iter().map(|topic| (topic.name.clone(), result(topic)));
    done(Answer::Topics(topics.collect()))
}

fn resource_name(resource: &ConfigResource) -> Rc<str> {
    match resource {
        ConfigResource::Topic(name) | ConfigResource::Broker(name) | ConfigResource::Group(name) => name.clone(),
    }
}

fn configs(answer: &DescribeConfigsResponse) -> Verdict {
    let mut entries = Vec::new();
    for (_, error, configs) in &answer.resources {
        if let Err(error) = outcome(error) {
            return failed(error);
        }
        entries.extend(configs.iter().cloned().map(SeenConfig));
    }
    done(Answer::Configs(entries))
}

fn elected(answer: &ElectLeadersResponse) -> Verdict {
    // The call fails with an error of the whole; it is not tried again. [KafkaAdminClient.electLeaders]
    if answer.error.is_error() {
        return failed(ClientError::of(answer.error, None));
    }
    let results = answer
        .partitions
        .iter()
        .map(|(partition, error)| (Rc::from(partition.to_string()), outcome(error)));
    done(Answer::Each(results.collect::<OrderedMap<_, _>>()))
}

fn reassigned(answer: &AlterPartitionReassignmentsResponse) -> Verdict {
    match &answer.error {
        (ErrorCode::None, _) => each(&answer.partitions),
        (ErrorCode::NotController, _) => thrown(ErrorCode::NotController, None),
        (error, message) => failed(ClientError::of(*error, message.as_deref())),
    }
}
