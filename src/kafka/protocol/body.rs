//! Everything that Kafka's processes say to each other, as one type: a request or a response under its name on the wire.

use super::admin::*;
use super::consumer_group::*;
use super::controller::*;
use super::data::*;
use super::groups::*;
use super::share::*;
use super::transactions::*;
use crate::sim::Payload;
use std::rc::Rc;

macro_rules! bodies {
    ($($tag:literal $name:ident $kind:literal),* $(,)?) => {
        /// A request or response; its content is shared, so that copies (snapshots, duplicates) cost nothing.
        #[derive(Clone, Debug)]
        pub enum Body {
            $(#[doc = concat!("`", $kind, "`.")] $name(Rc<$name>),)*
        }

        impl Body {
            /// Its name on the wire.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Body::$name(_) => $kind,)*
                }
            }

            /// A small number for `kind`.
            pub fn tag(&self) -> u8 {
                match self {
                    $(Body::$name(_) => $tag,)*
                }
            }
        }

        /// The name on the wire for [`Body::tag`]; empty if there is none.
        pub fn kind_of_tag(tag: u8) -> &'static str {
            match tag {
                $($tag => $kind,)*
                _ => "",
            }
        }

        $(impl From<$name> for Body {
            fn from(content: $name) -> Body {
                Body::$name(Rc::new(content))
            }
        })*
    };
}

bodies! {
    1 ApiVersionsRequest "ApiVersionsRequest",
    2 ApiVersionsResponse "ApiVersionsResponse",
    3 MetadataRequest "MetadataRequest",
    4 MetadataResponse "MetadataResponse",
    5 InitProducerIdRequest "InitProducerIdRequest",
    6 InitProducerIdResponse "InitProducerIdResponse",
    7 ProduceRequest "ProduceRequest",
    8 ProduceResponse "ProduceResponse",
    9 FetchRequest "FetchRequest",
    10 FetchResponse "FetchResponse",
    11 ListOffsetsRequest "ListOffsetsRequest",
    12 ListOffsetsResponse "ListOffsetsResponse",
    13 OffsetsForLeaderEpochRequest "OffsetsForLeaderEpochRequest",
    14 OffsetsForLeaderEpochResponse "OffsetsForLeaderEpochResponse",
    15 DeleteRecordsRequest "DeleteRecordsRequest",
    16 DeleteRecordsResponse "DeleteRecordsResponse",
    20 FindCoordinatorRequest "FindCoordinatorRequest",
    21 FindCoordinatorResponse "FindCoordinatorResponse",
    22 JoinGroupRequest "JoinGroupRequest",
    23 JoinGroupResponse "JoinGroupResponse",
    24 SyncGroupRequest "SyncGroupRequest",
    25 SyncGroupResponse "SyncGroupResponse",
    26 HeartbeatRequest "HeartbeatRequest",
    27 HeartbeatResponse "HeartbeatResponse",
    28 LeaveGroupRequest "LeaveGroupRequest",
    29 LeaveGroupResponse "LeaveGroupResponse",
    30 OffsetCommitRequest "OffsetCommitRequest",
    31 OffsetCommitResponse "OffsetCommitResponse",
    32 OffsetFetchRequest "OffsetFetchRequest",
    33 OffsetFetchResponse "OffsetFetchResponse",
    34 DescribeGroupsRequest "DescribeGroupsRequest",
    35 DescribeGroupsResponse "DescribeGroupsResponse",
    36 ListGroupsRequest "ListGroupsRequest",
    37 ListGroupsResponse "ListGroupsResponse",
    38 DeleteGroupsRequest "DeleteGroupsRequest",
    39 DeleteGroupsResponse "DeleteGroupsResponse",
    40 OffsetDeleteRequest "OffsetDeleteRequest",
    41 OffsetDeleteResponse "OffsetDeleteResponse",
    42 ConsumerGroupHeartbeatRequest "ConsumerGroupHeartbeatRequest",
    43 ConsumerGroupHeartbeatResponse "ConsumerGroupHeartbeatResponse",
    44 ConsumerGroupDescribeRequest "ConsumerGroupDescribeRequest",
    45 ConsumerGroupDescribeResponse "ConsumerGroupDescribeResponse",
    50 CreateTopicsRequest "CreateTopicsRequest",
    51 CreateTopicsResponse "CreateTopicsResponse",
    52 DeleteTopicsRequest "DeleteTopicsRequest",
    53 DeleteTopicsResponse "DeleteTopicsResponse",
    54 CreatePartitionsRequest "CreatePartitionsRequest",
    55 CreatePartitionsResponse "CreatePartitionsResponse",
    56 IncrementalAlterConfigsRequest "IncrementalAlterConfigsRequest",
    57 IncrementalAlterConfigsResponse "IncrementalAlterConfigsResponse",
    58 DescribeConfigsRequest "DescribeConfigsRequest",
    59 DescribeConfigsResponse "DescribeConfigsResponse",
    60 ElectLeadersRequest "ElectLeadersRequest",
    61 ElectLeadersResponse "ElectLeadersResponse",
    62 AlterPartitionReassignmentsRequest "AlterPartitionReassignmentsRequest",
    63 AlterPartitionReassignmentsResponse "AlterPartitionReassignmentsResponse",
    64 ListPartitionReassignmentsRequest "ListPartitionReassignmentsRequest",
    65 ListPartitionReassignmentsResponse "ListPartitionReassignmentsResponse",
    66 DescribeClusterRequest "DescribeClusterRequest",
    67 DescribeClusterResponse "DescribeClusterResponse",
    68 UnregisterBrokerRequest "UnregisterBrokerRequest",
    69 UnregisterBrokerResponse "UnregisterBrokerResponse",
    70 DescribeTopicPartitionsRequest "DescribeTopicPartitionsRequest",
    71 DescribeTopicPartitionsResponse "DescribeTopicPartitionsResponse",
    72 DescribeProducersRequest "DescribeProducersRequest",
    73 DescribeProducersResponse "DescribeProducersResponse",
    74 DescribeQuorumRequest "DescribeQuorumRequest",
    75 DescribeQuorumResponse "DescribeQuorumResponse",
    76 DescribeLogDirsRequest "DescribeLogDirsRequest",
    77 DescribeLogDirsResponse "DescribeLogDirsResponse",
    80 BrokerRegistrationRequest "BrokerRegistrationRequest",
    81 BrokerRegistrationResponse "BrokerRegistrationResponse",
    82 BrokerHeartbeatRequest "BrokerHeartbeatRequest",
    83 BrokerHeartbeatResponse "BrokerHeartbeatResponse",
    84 AlterPartitionRequest "AlterPartitionRequest",
    85 AlterPartitionResponse "AlterPartitionResponse",
    86 AllocateProducerIdsRequest "AllocateProducerIdsRequest",
    87 AllocateProducerIdsResponse "AllocateProducerIdsResponse",
    88 QuorumFetchRequest "FetchRequest",
    89 QuorumFetchResponse "FetchResponse",
    90 EnvelopeRequest "EnvelopeRequest",
    91 EnvelopeResponse "EnvelopeResponse",
    92 VoteRequest "VoteRequest",
    93 VoteResponse "VoteResponse",
    94 BeginQuorumEpochRequest "BeginQuorumEpochRequest",
    95 BeginQuorumEpochResponse "BeginQuorumEpochResponse",
    96 EndQuorumEpochRequest "EndQuorumEpochRequest",
    97 EndQuorumEpochResponse "EndQuorumEpochResponse",
    120 AddPartitionsToTxnRequest "AddPartitionsToTxnRequest",
    121 AddPartitionsToTxnResponse "AddPartitionsToTxnResponse",
    122 AddOffsetsToTxnRequest "AddOffsetsToTxnRequest",
    123 AddOffsetsToTxnResponse "AddOffsetsToTxnResponse",
    124 EndTxnRequest "EndTxnRequest",
    125 EndTxnResponse "EndTxnResponse",
    126 WriteTxnMarkersRequest "WriteTxnMarkersRequest",
    127 WriteTxnMarkersResponse "WriteTxnMarkersResponse",
    128 TxnOffsetCommitRequest "TxnOffsetCommitRequest",
    129 TxnOffsetCommitResponse "TxnOffsetCommitResponse",
    130 ListTransactionsRequest "ListTransactionsRequest",
    131 ListTransactionsResponse "ListTransactionsResponse",
    132 DescribeTransactionsRequest "DescribeTransactionsRequest",
    133 DescribeTransactionsResponse "DescribeTransactionsResponse",
    140 ShareGroupHeartbeatRequest "ShareGroupHeartbeatRequest",
    141 ShareGroupHeartbeatResponse "ShareGroupHeartbeatResponse",
    142 ShareGroupDescribeRequest "ShareGroupDescribeRequest",
    143 ShareGroupDescribeResponse "ShareGroupDescribeResponse",
    144 ShareFetchRequest "ShareFetchRequest",
    145 ShareFetchResponse "ShareFetchResponse",
    146 ShareAcknowledgeRequest "ShareAcknowledgeRequest",
    147 ShareAcknowledgeResponse "ShareAcknowledgeResponse",
    148 InitializeShareGroupStateRequest "InitializeShareGroupStateRequest",
    149 InitializeShareGroupStateResponse "InitializeShareGroupStateResponse",
    150 ReadShareGroupStateRequest "ReadShareGroupStateRequest",
    151 ReadShareGroupStateResponse "ReadShareGroupStateResponse",
    152 WriteShareGroupStateRequest "WriteShareGroupStateRequest",
    153 WriteShareGroupStateResponse "WriteShareGroupStateResponse",
    154 DeleteShareGroupStateRequest "DeleteShareGroupStateRequest",
    155 DeleteShareGroupStateResponse "DeleteShareGroupStateResponse",
    156 ReadShareGroupStateSummaryRequest "ReadShareGroupStateSummaryRequest",
    157 ReadShareGroupStateSummaryResponse "ReadShareGroupStateSummaryResponse",
    158 DescribeShareGroupOffsetsRequest "DescribeShareGroupOffsetsRequest",
    159 DescribeShareGroupOffsetsResponse "DescribeShareGroupOffsetsResponse",
    160 AlterShareGroupOffsetsRequest "AlterShareGroupOffsetsRequest",
    161 AlterShareGroupOffsetsResponse "AlterShareGroupOffsetsResponse",
    162 DeleteShareGroupOffsetsRequest "DeleteShareGroupOffsetsRequest",
    163 DeleteShareGroupOffsetsResponse "DeleteShareGroupOffsetsResponse",
    168 Foreign "Foreign",
}

/// One message on a connection. Responses come in the order of their requests and carry the same correlation id.
#[derive(Clone, Debug)]
pub struct Msg {
    pub correlation: u32,
    /// `client.id` of the asker; empty in a response.
    pub client: Rc<str>,
    pub body: Body,
}

impl Payload for Msg {
    fn kind(&self) -> &'static str {
        self.body.kind()
    }

    fn tag(&self) -> u8 {
        self.body.tag()
    }

    fn bytes(&self) -> u32 {
        /// Header and fixed fields of a typical message.
        const FIXED: u32 = 64;
        match &self.body {
            Body::ProduceRequest(r) => FIXED + r.data.iter().map(|(_, batch)| batch.size).sum::<u32>(),
            Body::FetchResponse(r) => {
                FIXED
                    + r.partitions
                        .iter()
                        .flat_map(|p| p.batches.iter())
                        .map(|batch| batch.size)
                        .sum::<u32>()
            }
            Body::ShareFetchResponse(r) => {
                let batches = r.partitions.iter().flat_map(|p| p.batches.iter());
                FIXED + batches.map(|batch| batch.size).sum::<u32>()
            }
            _ => FIXED,
        }
    }
}
