//! Which request a call begins with, and what the client refuses without asking anybody.

use super::call::{Call, Step, To};
use super::order::AdminCall;
use crate::kafka::client::call::{CallId, ClientError};
use crate::kafka::protocol::Body;
use crate::kafka::protocol::admin::*;
use crate::kafka::protocol::data::{ApiVersionsRequest, MetadataRequest};
use crate::kafka::protocol::groups::FindCoordinatorRequest;
use crate::sim::Time;
use std::rc::Rc;

/// What is refused before anything is sent.
///
/// # Errors
/// The exception that the call throws, or that its future holds.
pub fn refuse(what: &AdminCall) -> Result<(), ClientError> {
    let empty = |name: &Rc<str>| {
        if name.is_empty() {
            let text = format!("The given topic name '{name}' cannot be represented in a request.");
            return Err(ClientError::new("InvalidTopicException", &text));
        }
        Ok(())
    };
    match what {
        AdminCall::CreateTopics { topics, .. } => topics.iter().try_for_each(|topic| empty(&topic.name)),
        AdminCall::DeleteTopics { topics } | AdminCall::DescribeTopics { topics } => topics.iter().try_for_each(empty),
        AdminCall::Reassign { partitions, .. } => partitions.iter().try_for_each(|(partition, replicas)| {
            if replicas.as_ref().is_some_and(Vec::is_empty) {
                return Err(ClientError::new(
                    "IllegalArgumentException",
                    "Cannot create a new partition reassignment without any replicas",
                ));
            }
            empty(&partition.topic)?;
            if partition.partition < 0 {
                let text = format!("The given partition index {} is not valid.", partition.partition);
                return Err(ClientError::new("InvalidTopicException", &text));
            }
            Ok(())
        }),
        _ => Ok(()),
    }
}

/// The first request of a call that needs only one; `None` for calls that look for leaders first.
pub fn first(job: CallId, what: &AdminCall, deadline: Time) -> Option<Call> {
    let main = |name, to, body: Body| Some(Call::new(job, name, Step::Main, to, body, deadline));
    let coordinator = |name, group: &Rc<str>| {
        let body = FindCoordinatorRequest {
            kind: super::group::kind_of(what).0,
            key: group.clone(),
        };
        Some(Call::new(job, name, Step::Coordinator, To::Any, body.into(), deadline))
    };
    match what {
        AdminCall::DeleteRecords { .. }
        | AdminCall::ListOffsets { .. }
        | AdminCall::DescribeProducers { .. }
        | AdminCall::AbortTransaction { .. } => None,
        AdminCall::ListGroups | AdminCall::ListTransactions => {
            let body = MetadataRequest {
                topics: Some(Vec::new()),
                allow_auto_topic_creation: true,
            };
            Some(Call::new(
                job,
                "findAllBrokers",
                Step::Brokers,
                To::Any,
                body.into(),
                deadline,
            ))
        }
        AdminCall::DescribeGroup { group } => coordinator("describeConsumerGroups", group),
        AdminCall::DeleteGroup { group } => coordinator("deleteConsumerGroups", group),
        AdminCall::GroupOffsets { group } => coordinator("offsetFetch", group),
        AdminCall::AlterGroupOffsets { group, .. } => coordinator("offsetCommit", group),
        AdminCall::DeleteGroupOffsets { group, .. } => coordinator("offsetDelete", group),
        AdminCall::RemoveMembers { group, .. } => coordinator("leaveGroup", group),
        AdminCall::DescribeShareGroup { group } => coordinator("describeShareGroups", group),
        AdminCall::ShareGroupOffsets { group } => coordinator("describeShareGroupOffsets", group),
        AdminCall::AlterShareGroupOffsets { group, .. } => coordinator("alterShareGroupOffsets", group),
        AdminCall::DeleteShareGroupOffsets { group, .. } => coordinator("deleteShareGroupOffsets", group),
        AdminCall::DescribeTransaction { id } => coordinator("describeTransactions", id),
        AdminCall::FenceProducer { id, .. } => coordinator("fenceProducer", id),
        _ => {
            let (name, to, body) = single(what)?;
            main(name, to, body)
        }
    }
}

/// Name, destination and request of the calls that are one request.
fn single(what: &AdminCall) -> Option<(&'static str, To, Body)> {
    Some(match what {
        AdminCall::CreateTopics { topics, validate_only } => {
            let body = CreateTopicsRequest {
                topics: topics.clone(),
                validate_only: *validate_only,
            };
            ("createTopics", To::Controller, body.into())
        }
        AdminCall::DeleteTopics { topics } => {
            let body = DeleteTopicsRequest { topics: topics.clone() };
            ("deleteTopics", To::Controller, body.into())
        }
        AdminCall::ListTopics => {
            let body = MetadataRequest {
                topics: None,
                allow_auto_topic_creation: true,
            };
            ("listTopics", To::Any, body.into())
        }
        AdminCall::DescribeTopics { topics } => {
            let body = DescribeTopicPartitionsRequest { topics: topics.clone() };
            ("describeTopicPartitions", To::Any, body.into())
        }
        AdminCall::CreatePartitions {
            topic,
            count,
            assignments,
        } => {
            let body = CreatePartitionsRequest {
                topics: vec![(topic.clone(), *count, assignments.clone())],
                validate_only: false,
            };
            ("createPartitions", To::Controller, body.into())
        }
        AdminCall::AlterConfigs { resource, ops } => {
            let body = IncrementalAlterConfigsRequest {
                resources: vec![(resource.clone(), ops.clone())],
                validate_only: false,
            };
            ("incrementalAlterConfigs", owner_of(resource), body.into())
        }
        AdminCall::DescribeConfigs { resource, keys } => {
            let body = DescribeConfigsRequest {
                resources: vec![(resource.clone(), keys.clone())],
            };
            ("describeConfigs", owner_of(resource), body.into())
        }
        AdminCall::ElectLeaders { kind, partitions } => {
            let body = ElectLeadersRequest {
                kind: *kind,
                partitions: partitions.clone(),
            };
            ("electLeaders", To::Controller, body.into())
        }
        AdminCall::Reassign {
            partitions,
            allow_replication_factor_change,
        } => {
            let body = AlterPartitionReassignmentsRequest {
                partitions: partitions.clone(),
                allow_replication_factor_change: *allow_replication_factor_change,
            };
            ("alterPartitionReassignments", To::Controller, body.into())
        }
        AdminCall::ListReassignments { partitions } => {
            let body = ListPartitionReassignmentsRequest {
                partitions: partitions.clone(),
            };
            ("listPartitionReassignments", To::Controller, body.into())
        }
        AdminCall::DescribeCluster { include_fenced } => {
            let body = DescribeClusterRequest {
                include_fenced: *include_fenced,
            };
            ("listNodes", To::Any, body.into())
        }
        AdminCall::UnregisterBroker { broker } => {
            let body = UnregisterBrokerRequest { broker: *broker };
            ("unregisterBroker", To::Any, body.into())
        }
        AdminCall::DescribeFeatures => ("describeFeatures", To::Any, ApiVersionsRequest.into()),
        AdminCall::DescribeLogDirs { broker } => ("describeLogDirs", To::Node(*broker), DescribeLogDirsRequest.into()),
        AdminCall::DescribeQuorum => ("describeMetadataQuorum", To::Any, DescribeQuorumRequest.into()),
        AdminCall::Raw { body } => ("raw", To::Any, body.clone()),
        _ => return None,
    })
}

/// A broker's own settings are asked of and changed at that broker.
fn owner_of(resource: &ConfigResource) -> To {
    match resource {
        ConfigResource::Broker(id) => id.parse().map_or(To::Any, To::Node),
        ConfigResource::Topic(_) | ConfigResource::Group(_) => To::Any,
    }
}
