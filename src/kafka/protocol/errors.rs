//! The errors of the Kafka protocol, as Kafka 4.3.1's `Errors` lists them: what goes over the wire is the code, what a
//! client throws is the exception, what a person reads is the message.
//!
//! Brokers, the controller and clients all answer with [`ErrorCode`]; what a client does about one follows from the
//! class its exception belongs to ([`Parent`]).

use std::fmt;

/// The nearest ancestor of an error's exception. Clients decide by it (retry, refresh metadata, give up).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// No exception at all: `NONE`.
    Nothing,
    Api,
    Retriable,
    RefreshRetriable,
    InvalidMetadata,
    ApplicationRecoverable,
    InvalidConfiguration,
    Authorization,
    Authentication,
    OutOfOrderSequence,
    InvalidOffset,
}

impl Parent {
    /// Simple class names of the exception's ancestors, from near to far.
    pub fn ancestors(self) -> &'static [&'static str] {
        /// The longest chain; the shorter ones are its tails.
        const METADATA: &[&str] = &[
            "InvalidMetadataException",
            "RefreshRetriableException",
            "RetriableException",
            "ApiException",
            "KafkaException",
        ];
        match self {
            Parent::Nothing => &[],
            Parent::InvalidMetadata => METADATA,
            Parent::RefreshRetriable => &METADATA[1..],
            Parent::Retriable => &METADATA[2..],
            Parent::Api => &METADATA[3..],
            Parent::ApplicationRecoverable => &["ApplicationRecoverableException", "ApiException", "KafkaException"],
            Parent::InvalidConfiguration => &["InvalidConfigurationException", "ApiException", "KafkaException"],
            Parent::Authorization => &[
                "AuthorizationException",
                "InvalidConfigurationException",
                "ApiException",
                "KafkaException",
            ],
            Parent::Authentication => &[
                "AuthenticationException",
                "InvalidConfigurationException",
                "ApiException",
                "KafkaException",
            ],
            Parent::OutOfOrderSequence => &["OutOfOrderSequenceException", "ApiException", "KafkaException"],
            Parent::InvalidOffset => &["InvalidOffsetException", "ApiException", "KafkaException"],
        }
    }
}

/// What a producer's transaction manager becomes when a batch or request fails for good with an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProducerFate {
    /// It goes on.
    Unharmed,
    /// The transaction has to be aborted, then it goes on.
    Abortable,
    /// The producer is of no use any more.
    Fatal,
}

/// What belongs to one error besides its code.
struct Row {
    name: &'static str,
    exception: &'static str,
    parent: Parent,
    message: &'static str,
}

/// Writes the enum and its table from one row an error: variant = code, name, exception, parent, message.
macro_rules! errors {
    ($($(#[$attr:meta])* $variant:ident = $code:literal, $name:literal, $exception:literal, $parent:ident, $message:literal;)*) => {
        /// An error of the Kafka protocol. The number is its code on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(i16)]
        pub enum ErrorCode {
            $($(#[$attr])* #[doc = concat!("`", $name, "`: ", $message)] $variant = $code,)*
        }

        impl ErrorCode {
            /// Every error, by ascending code.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$variant,)*];
        }

        /// In the order of the codes, which begin at -1 and have no gap.
        const TABLE: &[Row] = &[
            $(Row { name: $name, exception: $exception, parent: Parent::$parent, message: $message },)*
        ];
    };
}

impl ErrorCode {
    /// The error of a code; a code that this version does not know is [`ErrorCode::UnknownServerError`].
    pub fn from_code(code: i16) -> ErrorCode {
        usize::try_from(i32::from(code) + 1)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .unwrap_or(ErrorCode::UnknownServerError)
    }

    /// The error with this name (`NOT_ENOUGH_REPLICAS`).
    pub fn from_name(name: &str) -> Option<ErrorCode> {
        Self::ALL.iter().copied().find(|e| e.name() == name)
    }

    fn row(self) -> &'static Row {
        // Codes begin at -1 without a gap (a test holds this), so the index is in the table.
        &TABLE[(self as i16 + 1) as usize]
    }

    /// Its number on the wire.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// Its name in the protocol: `NOT_ENOUGH_REPLICAS`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Simple class name of the exception that a Java client throws; empty for `NONE`.
    pub fn exception(self) -> &'static str {
        self.row().exception
    }

    /// The default text; empty for `NONE`.
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// Where its exception stands in the class tree.
    pub fn parent(self) -> Parent {
        self.row().parent
    }

    /// Simple class names of its exception's ancestors, from near to far.
    pub fn ancestors(self) -> &'static [&'static str] {
        self.parent().ancestors()
    }

    /// Is it an error at all?
    pub fn is_error(self) -> bool {
        self != ErrorCode::None
    }

    /// May the same request succeed later (`RetriableException`)?
    pub fn retriable(self) -> bool {
        matches!(
            self.parent(),
            Parent::Retriable | Parent::RefreshRetriable | Parent::InvalidMetadata
        )
    }

    /// Does it tell that the client's metadata is stale (`InvalidMetadataException`)?
    pub fn invalid_metadata(self) -> bool {
        self.parent() == Parent::InvalidMetadata
    }

    /// May it succeed after a refresh of what the client knows (`RefreshRetriableException`)?
    pub fn refresh_retriable(self) -> bool {
        matches!(self.parent(), Parent::RefreshRetriable | Parent::InvalidMetadata)
    }

    /// Can the application go on after restarting its client (`ApplicationRecoverableException`)?
    pub fn application_recoverable(self) -> bool {
        self.parent() == Parent::ApplicationRecoverable
    }

    /// Is it for the operator to cure (`InvalidConfigurationException` or below it)?
    pub fn invalid_configuration(self) -> bool {
        let below = matches!(
            self.parent(),
            Parent::InvalidConfiguration | Parent::Authorization | Parent::Authentication
        );
        below || self.exception() == "InvalidConfigurationException"
    }

    /// What a producer becomes when something fails for good with this error. [TransactionManager.maybeTransitionToErrorState]
    pub fn producer_fate(self, transactional: bool) -> ProducerFate {
        match self {
            ErrorCode::None => ProducerFate::Unharmed,
            ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::UnsupportedVersion
            | ErrorCode::InvalidProducerIdMapping
            | ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::ProducerFenced => ProducerFate::Fatal,
            _ if transactional => ProducerFate::Abortable,
            _ => ProducerFate::Unharmed,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

errors! {
    UnknownServerError = -1, "UNKNOWN_SERVER_ERROR", "UnknownServerException", Api, "The server experienced an unexpected error when processing the request.";
    #[default]
    None = 0, "NONE", "", Nothing, "";
    OffsetOutOfRange = 1, "OFFSET_OUT_OF_RANGE", "OffsetOutOfRangeException", InvalidOffset, "The requested offset is not within the range of offsets maintained by the server.";
    CorruptMessage = 2, "CORRUPT_MESSAGE", "CorruptRecordException", Retriable, "This message has failed its CRC checksum, exceeds the valid size, has a null key for a compacted topic, or is otherwise corrupt.";
    UnknownTopicOrPartition = 3, "UNKNOWN_TOPIC_OR_PARTITION", "UnknownTopicOrPartitionException", InvalidMetadata, "This server does not host this topic-partition.";
    InvalidFetchSize = 4, "INVALID_FETCH_SIZE", "InvalidFetchSizeException", Api, "The requested fetch size is invalid.";
    LeaderNotAvailable = 5, "LEADER_NOT_AVAILABLE", "LeaderNotAvailableException", InvalidMetadata, "There is no leader for this topic-partition as we are in the middle of a leadership election.";
    NotLeaderOrFollower = 6, "NOT_LEADER_OR_FOLLOWER", "NotLeaderOrFollowerException", InvalidMetadata, "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition.";
    RequestTimedOut = 7, "REQUEST_TIMED_OUT", "TimeoutException", Retriable, "The request timed out.";
    BrokerNotAvailable = 8, "BROKER_NOT_AVAILABLE", "BrokerNotAvailableException", Api, "The broker is not available.";
    ReplicaNotAvailable = 9, "REPLICA_NOT_AVAILABLE", "ReplicaNotAvailableException", InvalidMetadata, "The replica is not available for the requested topic-partition. Produce/Fetch requests and other requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a replica of the topic-partition.";
    MessageTooLarge = 10, "MESSAGE_TOO_LARGE", "RecordTooLargeException", Api, "The request included a message larger than the max message size the server will accept.";
    StaleControllerEpoch = 11, "STALE_CONTROLLER_EPOCH", "ControllerMovedException", Api, "The controller moved to another broker.";
    OffsetMetadataTooLarge = 12, "OFFSET_METADATA_TOO_LARGE", "OffsetMetadataTooLarge", Api, "The metadata field of the offset request was too large.";
    NetworkException = 13, "NETWORK_EXCEPTION", "NetworkException", InvalidMetadata, "The server disconnected before a response was received.";
    CoordinatorLoadInProgress = 14, "COORDINATOR_LOAD_IN_PROGRESS", "CoordinatorLoadInProgressException", Retriable, "The coordinator is loading and hence can't process requests.";
    CoordinatorNotAvailable = 15, "COORDINATOR_NOT_AVAILABLE", "CoordinatorNotAvailableException", RefreshRetriable, "The coordinator is not available.";
    NotCoordinator = 16, "NOT_COORDINATOR", "NotCoordinatorException", RefreshRetriable, "This is not the correct coordinator.";
    InvalidTopicException = 17, "INVALID_TOPIC_EXCEPTION", "InvalidTopicException", InvalidConfiguration, "The request attempted to perform an operation on an invalid topic.";
    RecordListTooLarge = 18, "RECORD_LIST_TOO_LARGE", "RecordBatchTooLargeException", InvalidConfiguration, "The request included message batch larger than the configured segment size on the server.";
    NotEnoughReplicas = 19, "NOT_ENOUGH_REPLICAS", "NotEnoughReplicasException", Retriable, "Messages are rejected since there are fewer in-sync replicas than required.";
    NotEnoughReplicasAfterAppend = 20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "NotEnoughReplicasAfterAppendException", Retriable, "Messages are written to the log, but to fewer in-sync replicas than required.";
    InvalidRequiredAcks = 21, "INVALID_REQUIRED_ACKS", "InvalidRequiredAcksException", InvalidConfiguration, "Produce request specified an invalid value for required acks.";
    IllegalGeneration = 22, "ILLEGAL_GENERATION", "IllegalGenerationException", ApplicationRecoverable, "Specified group generation id is not valid.";
    InconsistentGroupProtocol = 23, "INCONSISTENT_GROUP_PROTOCOL", "InconsistentGroupProtocolException", Api, "The group member's supported protocols are incompatible with those of existing members or first group member tried to join with empty protocol type or empty protocol list.";
    InvalidGroupId = 24, "INVALID_GROUP_ID", "InvalidGroupIdException", Api, "The group id is invalid.";
    UnknownMemberId = 25, "UNKNOWN_MEMBER_ID", "UnknownMemberIdException", ApplicationRecoverable, "The coordinator is not aware of this member.";
    InvalidSessionTimeout = 26, "INVALID_SESSION_TIMEOUT", "InvalidSessionTimeoutException", Api, "The session timeout is not within the range allowed by the broker (as configured by group.min.session.timeout.ms and group.max.session.timeout.ms).";
    RebalanceInProgress = 27, "REBALANCE_IN_PROGRESS", "RebalanceInProgressException", Api, "The group is rebalancing, so a rejoin is needed.";
    InvalidCommitOffsetSize = 28, "INVALID_COMMIT_OFFSET_SIZE", "InvalidCommitOffsetSizeException", Api, "The committing offset data size is not valid.";
    TopicAuthorizationFailed = 29, "TOPIC_AUTHORIZATION_FAILED", "TopicAuthorizationException", Authorization, "Topic authorization failed.";
    GroupAuthorizationFailed = 30, "GROUP_AUTHORIZATION_FAILED", "GroupAuthorizationException", Authorization, "Group authorization failed.";
    ClusterAuthorizationFailed = 31, "CLUSTER_AUTHORIZATION_FAILED", "ClusterAuthorizationException", Authorization, "Cluster authorization failed.";
    InvalidTimestamp = 32, "INVALID_TIMESTAMP", "InvalidTimestampException", Api, "The timestamp of the message is out of acceptable range.";
    UnsupportedSaslMechanism = 33, "UNSUPPORTED_SASL_MECHANISM", "UnsupportedSaslMechanismException", Authentication, "The broker does not support the requested SASL mechanism.";
    IllegalSaslState = 34, "ILLEGAL_SASL_STATE", "IllegalSaslStateException", Authentication, "Request is not valid given the current SASL state.";
    UnsupportedVersion = 35, "UNSUPPORTED_VERSION", "UnsupportedVersionException", InvalidConfiguration, "The version of API is not supported.";
    TopicAlreadyExists = 36, "TOPIC_ALREADY_EXISTS", "TopicExistsException", Api, "Topic with this name already exists.";
    InvalidPartitions = 37, "INVALID_PARTITIONS", "InvalidPartitionsException", Api, "Number of partitions is below 1.";
    InvalidReplicationFactor = 38, "INVALID_REPLICATION_FACTOR", "InvalidReplicationFactorException", InvalidConfiguration, "Replication factor is below 1 or larger than the number of available brokers.";
    InvalidReplicaAssignment = 39, "INVALID_REPLICA_ASSIGNMENT", "InvalidReplicaAssignmentException", Api, "Replica assignment is invalid.";
    InvalidConfig = 40, "INVALID_CONFIG", "InvalidConfigurationException", Api, "Configuration is invalid.";
    NotController = 41, "NOT_CONTROLLER", "NotControllerException", Retriable, "This is not the correct controller for this cluster.";
    InvalidRequest = 42, "INVALID_REQUEST", "InvalidRequestException", Api, "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.";
    UnsupportedForMessageFormat = 43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "UnsupportedForMessageFormatException", InvalidConfiguration, "The message format version on the broker does not support the request.";
    PolicyViolation = 44, "POLICY_VIOLATION", "PolicyViolationException", Api, "Request parameters do not satisfy the configured policy.";
    OutOfOrderSequenceNumber = 45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "OutOfOrderSequenceException", Api, "The broker received an out of order sequence number.";
    DuplicateSequenceNumber = 46, "DUPLICATE_SEQUENCE_NUMBER", "DuplicateSequenceException", Api, "The broker received a duplicate sequence number.";
    InvalidProducerEpoch = 47, "INVALID_PRODUCER_EPOCH", "InvalidProducerEpochException", ApplicationRecoverable, "Producer attempted to produce with an old epoch.";
    InvalidTxnState = 48, "INVALID_TXN_STATE", "InvalidTxnStateException", Api, "The producer attempted a transactional operation in an invalid state.";
    InvalidProducerIdMapping = 49, "INVALID_PRODUCER_ID_MAPPING", "InvalidPidMappingException", ApplicationRecoverable, "The producer attempted to use a producer id which is not currently assigned to its transactional id.";
    InvalidTransactionTimeout = 50, "INVALID_TRANSACTION_TIMEOUT", "InvalidTxnTimeoutException", Api, "The transaction timeout is larger than the maximum value allowed by the broker (as configured by transaction.max.timeout.ms).";
    ConcurrentTransactions = 51, "CONCURRENT_TRANSACTIONS", "ConcurrentTransactionsException", Retriable, "The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing.";
    TransactionCoordinatorFenced = 52, "TRANSACTION_COORDINATOR_FENCED", "TransactionCoordinatorFencedException", Api, "Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer.";
    TransactionalIdAuthorizationFailed = 53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "TransactionalIdAuthorizationException", Authorization, "Transactional Id authorization failed.";
    SecurityDisabled = 54, "SECURITY_DISABLED", "SecurityDisabledException", Api, "Security features are disabled.";
    OperationNotAttempted = 55, "OPERATION_NOT_ATTEMPTED", "OperationNotAttemptedException", Api, "The broker did not attempt to execute this operation. This may happen for batched RPCs where some operations in the batch failed, causing the broker to respond without trying the rest.";
    KafkaStorageError = 56, "KAFKA_STORAGE_ERROR", "KafkaStorageException", InvalidMetadata, "Disk error when trying to access log file on the disk.";
    LogDirNotFound = 57, "LOG_DIR_NOT_FOUND", "LogDirNotFoundException", Api, "The user-specified log directory is not found in the broker config.";
    SaslAuthenticationFailed = 58, "SASL_AUTHENTICATION_FAILED", "SaslAuthenticationException", Authentication, "SASL Authentication failed.";
    UnknownProducerId = 59, "UNKNOWN_PRODUCER_ID", "UnknownProducerIdException", OutOfOrderSequence, "This exception is raised by the broker if it could not locate the producer metadata associated with the producerId in question. This could happen if, for instance, the producer's records were deleted because their retention time had elapsed. Once the last records of the producerId are removed, the producer's metadata is removed from the broker, and future appends by the producer will return this exception.";
    ReassignmentInProgress = 60, "REASSIGNMENT_IN_PROGRESS", "ReassignmentInProgressException", Api, "A partition reassignment is in progress.";
    DelegationTokenAuthDisabled = 61, "DELEGATION_TOKEN_AUTH_DISABLED", "DelegationTokenDisabledException", Api, "Delegation Token feature is not enabled.";
    DelegationTokenNotFound = 62, "DELEGATION_TOKEN_NOT_FOUND", "DelegationTokenNotFoundException", Api, "Delegation Token is not found on server.";
    DelegationTokenOwnerMismatch = 63, "DELEGATION_TOKEN_OWNER_MISMATCH", "DelegationTokenOwnerMismatchException", Api, "Specified Principal is not valid Owner/Renewer.";
    DelegationTokenRequestNotAllowed = 64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "UnsupportedByAuthenticationException", Api, "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token authenticated channels.";
    DelegationTokenAuthorizationFailed = 65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "DelegationTokenAuthorizationException", Authorization, "Delegation Token authorization failed.";
    DelegationTokenExpired = 66, "DELEGATION_TOKEN_EXPIRED", "DelegationTokenExpiredException", Api, "Delegation Token is expired.";
    InvalidPrincipalType = 67, "INVALID_PRINCIPAL_TYPE", "InvalidPrincipalTypeException", Api, "Supplied principalType is not supported.";
    NonEmptyGroup = 68, "NON_EMPTY_GROUP", "GroupNotEmptyException", Api, "The group is not empty.";
    GroupIdNotFound = 69, "GROUP_ID_NOT_FOUND", "GroupIdNotFoundException", Api, "The group id does not exist.";
    FetchSessionIdNotFound = 70, "FETCH_SESSION_ID_NOT_FOUND", "FetchSessionIdNotFoundException", Retriable, "The fetch session ID was not found.";
    InvalidFetchSessionEpoch = 71, "INVALID_FETCH_SESSION_EPOCH", "InvalidFetchSessionEpochException", Retriable, "The fetch session epoch is invalid.";
    ListenerNotFound = 72, "LISTENER_NOT_FOUND", "ListenerNotFoundException", InvalidMetadata, "There is no listener on the leader broker that matches the listener on which metadata request was processed.";
    TopicDeletionDisabled = 73, "TOPIC_DELETION_DISABLED", "TopicDeletionDisabledException", Api, "Topic deletion is disabled.";
    FencedLeaderEpoch = 74, "FENCED_LEADER_EPOCH", "FencedLeaderEpochException", InvalidMetadata, "The leader epoch in the request is older than the epoch on the broker.";
    UnknownLeaderEpoch = 75, "UNKNOWN_LEADER_EPOCH", "UnknownLeaderEpochException", Retriable, "The leader epoch in the request is newer than the epoch on the broker.";
    UnsupportedCompressionType = 76, "UNSUPPORTED_COMPRESSION_TYPE", "UnsupportedCompressionTypeException", Api, "The requesting client does not support the compression type of given partition.";
    StaleBrokerEpoch = 77, "STALE_BROKER_EPOCH", "StaleBrokerEpochException", Api, "Broker epoch has changed.";
    OffsetNotAvailable = 78, "OFFSET_NOT_AVAILABLE", "OffsetNotAvailableException", Retriable, "The leader high watermark has not caught up from a recent leader election so the offsets cannot be guaranteed to be monotonically increasing.";
    MemberIdRequired = 79, "MEMBER_ID_REQUIRED", "MemberIdRequiredException", Api, "The group member needs to have a valid member id before actually entering a consumer group.";
    PreferredLeaderNotAvailable = 80, "PREFERRED_LEADER_NOT_AVAILABLE", "PreferredLeaderNotAvailableException", InvalidMetadata, "The preferred leader was not available.";
    GroupMaxSizeReached = 81, "GROUP_MAX_SIZE_REACHED", "GroupMaxSizeReachedException", Api, "The group has reached its maximum size.";
    FencedInstanceId = 82, "FENCED_INSTANCE_ID", "FencedInstanceIdException", ApplicationRecoverable, "The broker rejected this static consumer since another consumer with the same group.instance.id has registered with a different member.id.";
    EligibleLeadersNotAvailable = 83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "EligibleLeadersNotAvailableException", InvalidMetadata, "Eligible topic partition leaders are not available.";
    ElectionNotNeeded = 84, "ELECTION_NOT_NEEDED", "ElectionNotNeededException", InvalidMetadata, "Leader election not needed for topic partition.";
    NoReassignmentInProgress = 85, "NO_REASSIGNMENT_IN_PROGRESS", "NoReassignmentInProgressException", Api, "No partition reassignment is in progress.";
    GroupSubscribedToTopic = 86, "GROUP_SUBSCRIBED_TO_TOPIC", "GroupSubscribedToTopicException", Api, "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.";
    InvalidRecord = 87, "INVALID_RECORD", "InvalidRecordException", InvalidConfiguration, "This record has failed the validation on broker and hence will be rejected.";
    UnstableOffsetCommit = 88, "UNSTABLE_OFFSET_COMMIT", "UnstableOffsetCommitException", Retriable, "There are unstable offsets that need to be cleared.";
    ThrottlingQuotaExceeded = 89, "THROTTLING_QUOTA_EXCEEDED", "ThrottlingQuotaExceededException", Retriable, "The throttling quota has been exceeded.";
    ProducerFenced = 90, "PRODUCER_FENCED", "ProducerFencedException", ApplicationRecoverable, "There is a newer producer with the same transactionalId which fences the current one.";
    ResourceNotFound = 91, "RESOURCE_NOT_FOUND", "ResourceNotFoundException", Api, "A request illegally referred to a resource that does not exist.";
    DuplicateResource = 92, "DUPLICATE_RESOURCE", "DuplicateResourceException", Api, "A request illegally referred to the same resource twice.";
    UnacceptableCredential = 93, "UNACCEPTABLE_CREDENTIAL", "UnacceptableCredentialException", Api, "Requested credential would not meet criteria for acceptability.";
    InconsistentVoterSet = 94, "INCONSISTENT_VOTER_SET", "InconsistentVoterSetException", Api, "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters.";
    InvalidUpdateVersion = 95, "INVALID_UPDATE_VERSION", "InvalidUpdateVersionException", Api, "The given update version was invalid.";
    FeatureUpdateFailed = 96, "FEATURE_UPDATE_FAILED", "FeatureUpdateFailedException", Api, "Unable to update finalized features due to an unexpected server error.";
    PrincipalDeserializationFailure = 97, "PRINCIPAL_DESERIALIZATION_FAILURE", "PrincipalDeserializationException", Api, "Request principal deserialization failed during forwarding. This indicates an internal error on the broker cluster security setup.";
    SnapshotNotFound = 98, "SNAPSHOT_NOT_FOUND", "SnapshotNotFoundException", Api, "Requested snapshot was not found.";
    PositionOutOfRange = 99, "POSITION_OUT_OF_RANGE", "PositionOutOfRangeException", Api, "Requested position is not greater than or equal to zero, and less than the size of the snapshot.";
    UnknownTopicId = 100, "UNKNOWN_TOPIC_ID", "UnknownTopicIdException", InvalidMetadata, "This server does not host this topic ID.";
    DuplicateBrokerRegistration = 101, "DUPLICATE_BROKER_REGISTRATION", "DuplicateBrokerRegistrationException", Api, "This broker ID is already in use.";
    BrokerIdNotRegistered = 102, "BROKER_ID_NOT_REGISTERED", "BrokerIdNotRegisteredException", Api, "The given broker ID was not registered.";
    InconsistentTopicId = 103, "INCONSISTENT_TOPIC_ID", "InconsistentTopicIdException", InvalidMetadata, "The log's topic ID did not match the topic ID in the request.";
    InconsistentClusterId = 104, "INCONSISTENT_CLUSTER_ID", "InconsistentClusterIdException", Api, "The clusterId in the request does not match that found on the server.";
    TransactionalIdNotFound = 105, "TRANSACTIONAL_ID_NOT_FOUND", "TransactionalIdNotFoundException", Api, "The transactionalId could not be found.";
    FetchSessionTopicIdError = 106, "FETCH_SESSION_TOPIC_ID_ERROR", "FetchSessionTopicIdException", Retriable, "The fetch session encountered inconsistent topic ID usage.";
    IneligibleReplica = 107, "INELIGIBLE_REPLICA", "IneligibleReplicaException", Api, "The new ISR contains at least one ineligible replica.";
    NewLeaderElected = 108, "NEW_LEADER_ELECTED", "NewLeaderElectedException", Api, "The AlterPartition request successfully updated the partition state but the leader has changed.";
    OffsetMovedToTieredStorage = 109, "OFFSET_MOVED_TO_TIERED_STORAGE", "OffsetMovedToTieredStorageException", Api, "The requested offset is moved to tiered storage.";
    FencedMemberEpoch = 110, "FENCED_MEMBER_EPOCH", "FencedMemberEpochException", Api, "The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin.";
    UnreleasedInstanceId = 111, "UNRELEASED_INSTANCE_ID", "UnreleasedInstanceIdException", Api, "The instance ID is still used by another member in the consumer group. That member must leave first.";
    UnsupportedAssignor = 112, "UNSUPPORTED_ASSIGNOR", "UnsupportedAssignorException", Api, "The assignor or its version range is not supported by the consumer group.";
    StaleMemberEpoch = 113, "STALE_MEMBER_EPOCH", "StaleMemberEpochException", Api, "The member epoch is stale. The member must retry after receiving its updated member epoch via the ConsumerGroupHeartbeat API.";
    MismatchedEndpointType = 114, "MISMATCHED_ENDPOINT_TYPE", "MismatchedEndpointTypeException", Api, "The request was sent to an endpoint of the wrong type.";
    UnsupportedEndpointType = 115, "UNSUPPORTED_ENDPOINT_TYPE", "UnsupportedEndpointTypeException", Api, "This endpoint type is not supported yet.";
    UnknownControllerId = 116, "UNKNOWN_CONTROLLER_ID", "UnknownControllerIdException", Api, "This controller ID is not known.";
    UnknownSubscriptionId = 117, "UNKNOWN_SUBSCRIPTION_ID", "UnknownSubscriptionIdException", Api, "Client sent a push telemetry request with an invalid or outdated subscription ID.";
    TelemetryTooLarge = 118, "TELEMETRY_TOO_LARGE", "TelemetryTooLargeException", Api, "Client sent a push telemetry request larger than the maximum size the broker will accept.";
    InvalidRegistration = 119, "INVALID_REGISTRATION", "InvalidRegistrationException", Api, "The controller has considered the broker registration to be invalid.";
    TransactionAbortable = 120, "TRANSACTION_ABORTABLE", "TransactionAbortableException", Api, "The server encountered an error with the transaction. The client can abort the transaction to continue using this transactional ID.";
    InvalidRecordState = 121, "INVALID_RECORD_STATE", "InvalidRecordStateException", Api, "The record state is invalid. The acknowledgement of delivery could not be completed.";
    ShareSessionNotFound = 122, "SHARE_SESSION_NOT_FOUND", "ShareSessionNotFoundException", Retriable, "The share session was not found.";
    InvalidShareSessionEpoch = 123, "INVALID_SHARE_SESSION_EPOCH", "InvalidShareSessionEpochException", Retriable, "The share session epoch is invalid.";
    FencedStateEpoch = 124, "FENCED_STATE_EPOCH", "FencedStateEpochException", Api, "The share coordinator rejected the request because the share-group state epoch did not match.";
    InvalidVoterKey = 125, "INVALID_VOTER_KEY", "InvalidVoterKeyException", Api, "The voter key doesn't match the receiving replica's key.";
    DuplicateVoter = 126, "DUPLICATE_VOTER", "DuplicateVoterException", Api, "The voter is already part of the set of voters.";
    VoterNotFound = 127, "VOTER_NOT_FOUND", "VoterNotFoundException", Api, "The voter is not part of the set of voters.";
    InvalidRegularExpression = 128, "INVALID_REGULAR_EXPRESSION", "InvalidRegularExpression", Api, "The regular expression is not valid.";
    RebootstrapRequired = 129, "REBOOTSTRAP_REQUIRED", "RebootstrapRequiredException", Api, "Client metadata is stale. The client should rebootstrap to obtain new metadata.";
    StreamsInvalidTopology = 130, "STREAMS_INVALID_TOPOLOGY", "StreamsInvalidTopologyException", Api, "The supplied topology is invalid.";
    StreamsInvalidTopologyEpoch = 131, "STREAMS_INVALID_TOPOLOGY_EPOCH", "StreamsInvalidTopologyEpochException", Api, "The supplied topology epoch is invalid.";
    StreamsTopologyFenced = 132, "STREAMS_TOPOLOGY_FENCED", "StreamsTopologyFencedException", Api, "The supplied topology epoch is outdated.";
    ShareSessionLimitReached = 133, "SHARE_SESSION_LIMIT_REACHED", "ShareSessionLimitReachedException", Retriable, "The limit of share sessions has been reached.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;

    #[test]
    fn codes_have_no_gap_and_unknown_ones_are_server_errors() {
        for (index, error) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(error.code(), index as i16 - 1);
            assert_eq!(ErrorCode::from_code(error.code()), *error);
            assert_eq!(ErrorCode::from_name(error.name()), Some(*error));
        }
        for code in [i16::MIN, -2, ErrorCode::ALL.len() as i16, i16::MAX] {
            assert_eq!(ErrorCode::from_code(code), ErrorCode::UnknownServerError);
        }
    }

    #[test]
    fn errors_agree_with_vectors() {
        let text = vectors::read("errors.tsv");
        let fate = |error: ErrorCode, transactional| match error.producer_fate(transactional) {
            _ if error == ErrorCode::None => "",
            ProducerFate::Unharmed => "none",
            ProducerFate::Abortable => "abortable",
            ProducerFate::Fatal => "fatal",
        };
        let mut seen = 0;
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let error = ErrorCode::from_name(cells[0]).unwrap_or_else(|| panic!("no {}", cells[0]));
            let message: Option<String> = serde_json::from_str(cells[11]).expect("a JSON string");
            let found = [
                error.name().to_string(),
                error.code().to_string(),
                error.exception().to_string(),
                error.ancestors().join(">"),
                error.retriable().to_string(),
                error.invalid_metadata().to_string(),
                error.refresh_retriable().to_string(),
                error.application_recoverable().to_string(),
                error.invalid_configuration().to_string(),
                fate(error, true).to_string(),
                fate(error, false).to_string(),
                error.message().to_string(),
            ];
            let mut expected: Vec<String> = cells[..11].iter().map(|c| c.to_string()).collect();
            expected.push(message.unwrap_or_default());
            assert_eq!(found.to_vec(), expected);
            seen += 1;
        }
        assert_eq!(seen, ErrorCode::ALL.len());
    }
}
