//! How a client's log names nodes, addresses and requests.

use crate::kafka::protocol::Body;
use crate::kafka::protocol::data::BrokerNode;
use crate::sim::network::is_made_up;
use std::net::Ipv4Addr;

/// `b1:9092 (id: 1 rack: null isFenced: false)`, as the Java client prints a node.
pub fn node_text(node: &BrokerNode) -> String {
    let rack = node.rack.as_deref().unwrap_or("null");
    format!(
        "{}:{} (id: {} rack: {rack} isFenced: false)",
        node.host, node.port, node.id
    )
}

/// `/10.77.0.1:9092` for an address, `kafka/10.88.0.2:9092` for a name, `b1:9092` for a name whose address nobody said.
pub fn address_text(host: &str, ip: Option<Ipv4Addr>, port: u16) -> String {
    let is_address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    match ip.filter(|ip| !is_address && !is_made_up(*ip)) {
        Some(ip) => format!("{host}/{ip}:{port}"),
        None => format!("{}{host}:{port}", if is_address { "/" } else { "" }),
    }
}

/// The request's name in logs: `PRODUCE` for ProduceRequest. [ApiKeys]
pub fn api_name(body: &Body) -> &'static str {
    match body {
        Body::ApiVersionsRequest(_) => "API_VERSIONS",
        Body::MetadataRequest(_) => "METADATA",
        Body::InitProducerIdRequest(_) => "INIT_PRODUCER_ID",
        Body::ProduceRequest(_) => "PRODUCE",
        Body::FetchRequest(_) => "FETCH",
        Body::ListOffsetsRequest(_) => "LIST_OFFSETS",
        Body::OffsetsForLeaderEpochRequest(_) => "OFFSET_FOR_LEADER_EPOCH",
        Body::DeleteRecordsRequest(_) => "DELETE_RECORDS",
        Body::FindCoordinatorRequest(_) => "FIND_COORDINATOR",
        Body::JoinGroupRequest(_) => "JOIN_GROUP",
        Body::SyncGroupRequest(_) => "SYNC_GROUP",
        Body::HeartbeatRequest(_) => "HEARTBEAT",
        Body::LeaveGroupRequest(_) => "LEAVE_GROUP",
        Body::OffsetCommitRequest(_) => "OFFSET_COMMIT",
        Body::OffsetFetchRequest(_) => "OFFSET_FETCH",
        Body::DescribeGroupsRequest(_) => "DESCRIBE_GROUPS",
        Body::ListGroupsRequest(_) => "LIST_GROUPS",
        Body::DeleteGroupsRequest(_) => "DELETE_GROUPS",
        Body::OffsetDeleteRequest(_) => "OFFSET_DELETE",
        Body::CreateTopicsRequest(_) => "CREATE_TOPICS",
        Body::DeleteTopicsRequest(_) => "DELETE_TOPICS",
        Body::CreatePartitionsRequest(_) => "CREATE_PARTITIONS",
        Body::IncrementalAlterConfigsRequest(_) => "INCREMENTAL_ALTER_CONFIGS",
        Body::DescribeConfigsRequest(_) => "DESCRIBE_CONFIGS",
        Body::ElectLeadersRequest(_) => "ELECT_LEADERS",
        Body::AlterPartitionReassignmentsRequest(_) => "ALTER_PARTITION_REASSIGNMENTS",
        Body::ListPartitionReassignmentsRequest(_) => "LIST_PARTITION_REASSIGNMENTS",
        Body::DescribeClusterRequest(_) => "DESCRIBE_CLUSTER",
        Body::UnregisterBrokerRequest(_) => "UNREGISTER_BROKER",
        Body::DescribeTopicPartitionsRequest(_) => "DESCRIBE_TOPIC_PARTITIONS",
        Body::DescribeProducersRequest(_) => "DESCRIBE_PRODUCERS",
        Body::DescribeQuorumRequest(_) => "DESCRIBE_QUORUM",
        Body::DescribeLogDirsRequest(_) => "DESCRIBE_LOG_DIRS",
        other => other.kind(),
    }
}
