//! Words that have a meaning of their own: pictures, rules, invariants, subjects, fates, states, messages.

/// The pictures that `view` names; the first is the default.
pub const PICTURES: &[&str] = &["stage", "lanes", "table"];

/// Verbs that make processes or places, whose first words are their names.
pub const LATER_NAMES: &[&str] = &["streams"];

/// Invariants that `expect` and `always` can name, with what each says.
pub const INVARIANTS: &[(&str, &str)] = &[
    (
        "no-committed-record-lost",
        "a record below the high watermark is in every later leader's log",
    ),
    (
        "no-acknowledged-record-lost",
        "a record that the producer was told is written is in every later leader's log",
    ),
    (
        "order-within-partition",
        "the records of one producer stand in a partition in the order in which they were sent",
    ),
    (
        "high-watermark-monotonic",
        "a leader's high watermark never falls within its epoch",
    ),
    (
        "one-leader-per-epoch",
        "no two brokers append in the same leader epoch of a partition",
    ),
    (
        "committed-offset-within-log",
        "no group commits an offset beyond the log's end",
    ),
];

/// One subject of a check.
#[derive(Clone, Copy, Debug)]
pub struct SubjectWord {
    pub name: &'static str,
    pub form: &'static str,
    pub about: &'static str,
    /// It belongs to what is not here yet.
    pub later: bool,
}

const fn subject(name: &'static str, form: &'static str, about: &'static str) -> SubjectWord {
    SubjectWord {
        name,
        form,
        about,
        later: false,
    }
}

/// All subjects, in the order of the reference.
pub const SUBJECTS: &[SubjectWord] = &[
    subject("leader", "leader loan_request/0 = b2", "the leader, or none"),
    subject("epoch", "epoch loan_request/0 = 3", "the leader epoch"),
    subject("isr", "isr loan_request/0 = b1 b2 b3", "the in-sync replicas"),
    subject("elr", "elr loan_request/0 = b2", "the eligible leader replicas"),
    subject(
        "replicas",
        "replicas loan_request/0 = b1 b2 b3",
        "the replicas, preferred leader first",
    ),
    subject(
        "leo",
        "leo loan_request/0@b1 = 8",
        "log end offset; without @ the leader's",
    ),
    subject("hw", "hw loan_request/0@b1 = 7", "high watermark"),
    subject("lso", "lso loan_request/0@b1 = 7", "last stable offset"),
    subject("start", "start loan_request/0@b1 = 0", "log start offset"),
    subject(
        "log",
        "log loan_request/0@b1 = \"300\", \"500\"",
        "the values in a log; of a client: a line that it logged (log web contains \"Node 1 disconnected.\")",
    ),
    subject(
        "metric",
        "metric web record-error-total = 0",
        "a figure under Kafka's own name; of one topic, partition or kind of request: \
         metric b1 RequestsPerSec.Count Produce > 0",
    ),
    subject(
        "state",
        "state b1 = up",
        "of a process, or of a group or transaction (state group loans = Stable)",
    ),
    subject(
        "assignment",
        "assignment w1 = loan_request/0 loan_request/1",
        "of a member or a group",
    ),
    subject(
        "position",
        "position w1 loan_request/0 = 5",
        "where a consumer reads next",
    ),
    subject(
        "committed",
        "committed loans loan_request/0 = 5",
        "of a group or a member's group, or none",
    ),
    subject(
        "lag",
        "lag loans <= 10",
        "of a member or a group, perhaps in one partition",
    ),
    subject(
        "coordinator",
        "coordinator loans = b2",
        "the broker that coordinates a group",
    ),
    subject("generation", "generation loans = 3", "of a group"),
    subject(
        "error",
        "error web = NOT_ENOUGH_REPLICAS",
        "the last error that a client was told, or none",
    ),
    subject(
        "fate",
        "fate \"500\" = acknowledged, lost",
        "what became of the record with this value",
    ),
    subject(
        "count",
        "count lost = 0",
        "how many records have a fate; of one client, topic or system (count lost web = 0)",
    ),
    subject(
        "reach",
        "reach web b1 = yes",
        "whether a client, or whoever is on a host, gets to a broker: yes, unknown-host, refused, no-route or silence",
    ),
    subject("controller", "controller = c2", "the active controller"),
    subject(
        "output",
        "output contains \"Leader: 2\"",
        "of the last $ line; several texts are its lines, and blanks and tabs count alike",
    ),
    subject(
        "exit",
        "exit = 0",
        "the exit status of the last $ line, none while it runs",
    ),
    subject("ready", "ready risk = 3", "messages of a RabbitMQ queue that wait"),
    subject(
        "unacked",
        "unacked risk = 3",
        "messages of a queue that are out and not settled",
    ),
    subject("consumers", "consumers risk = 2", "how many consumers a queue has"),
    subject(
        "answer",
        "answer \"kim\" = 200",
        "the status of a request, or refused, timeout, connect-timeout, empty-reply, truncated, unknown-host; none while it waits",
    ),
    subject(
        "tried",
        "tried \"kim\" = a1 a2",
        "the servers that proxies passed a request to",
    ),
    subject("processes", "processes edge = 3", "of a web server"),
    subject("threads", "threads edge = 55", "of all its processes"),
    subject(
        "memory",
        "memory edge < 50000",
        "of a web server in KiB, by the cost model",
    ),
    subject("queued", "queued edge = 9", "connections in its accept queue"),
    subject("accepted", "accepted edge = 9", "connections that it has taken so far"),
    subject("asked", "asked people > 100", "requests that these clients have made"),
    subject(
        "answered",
        "answered people > 100",
        "requests whose whole answer they have",
    ),
    subject("unanswered", "unanswered people = 0", "requests that failed"),
    subject(
        "p50",
        "p50 people < 20",
        "half of the answers took at most so many milliseconds",
    ),
    subject("p95", "p95 people < 50", "95 of 100 did"),
    subject("p99", "p99 people < 100", "99 of 100 did"),
];

/// What can become of a record.
pub const FATES: &[(&str, &str)] = &[
    ("sent", "handed to send()"),
    ("appended", "in a leader's log; in a queue"),
    ("replicated", "in a follower's log too"),
    ("committed", "below the high watermark"),
    (
        "acknowledged",
        "the producer was told that it is written; the publisher, by a confirm",
    ),
    ("failed", "the producer was told that it is not"),
    (
        "aborted",
        "its transaction was aborted: no reader with read_committed is given it",
    ),
    ("delivered", "a consumer was given it"),
    ("delivered-twice", "to one group, or from one queue, more than once"),
    ("accepted", "a share group has done with it"),
    ("rejected", "a share group refused it"),
    ("archived", "a share group gave it up at its delivery limit"),
    (
        "lost",
        "in no leader's log any more; in no queue, and nobody has done the work",
    ),
    ("duplicated", "in the log more than once; published more than once"),
    (
        "reordered",
        "behind a record that was sent later; worked on after a message of its key that was",
    ),
    ("expired", "deleted by retention; its time to live was over"),
    ("published", "it left its publisher (RabbitMQ, as all that follow)"),
    ("routed", "it matched at least one queue"),
    ("unroutable", "it matched no queue: dropped, or returned"),
    ("returned", "it matched no queue and came back (mandatory)"),
    ("refused", "a full queue refused it"),
    ("redelivered", "it was handed out again, and marked so"),
    ("requeued", "a consumer put it back"),
    ("dead-lettered", "it died and went on to another queue"),
    (
        "dropped",
        "it died and went nowhere: rejected, returned too often, or over the queue's length",
    ),
    ("consumed", "acknowledged by its consumer, and gone"),
    (
        "waiting",
        "its producer has no answer yet, or an open transaction holds it back from its readers",
    ),
];

/// How a process can be, for `state`; groups have Kafka's own states.
pub const STATES: &[&str] = &[
    "up",
    "starting",
    "fenced",
    "stopping",
    "stopped",
    "crashed",
    "powered-off",
    "frozen",
];

/// The states of a classic group.
pub const GROUP_STATES: &[&str] = &[
    "Empty",
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Assigning",
    "Reconciling",
];

/// The comparisons of a check.
pub const OPERATORS: &[&str] = &["=", "!=", "<", "<=", ">", ">=", "contains"];

/// Kafka's requests, for patterns; with `Request` or `Response` behind, or bare for either.
pub const MESSAGES: &[&str] = &[
    "AddOffsetsToTxn",
    "AddPartitionsToTxn",
    "AllocateProducerIds",
    "AlterPartition",
    "AlterPartitionReassignments",
    "ApiVersions",
    "BeginQuorumEpoch",
    "BrokerHeartbeat",
    "BrokerRegistration",
    "ConsumerGroupDescribe",
    "ConsumerGroupHeartbeat",
    "ControlledShutdown",
    "CreatePartitions",
    "CreateTopics",
    "DeleteGroups",
    "DeleteRecords",
    "DeleteTopics",
    "DescribeCluster",
    "DescribeConfigs",
    "DescribeGroups",
    "DescribeLogDirs",
    "DescribeProducers",
    "DescribeTopicPartitions",
    "ElectLeaders",
    "EndQuorumEpoch",
    "EndTxn",
    "Fetch",
    "FetchSnapshot",
    "FindCoordinator",
    "Heartbeat",
    "IncrementalAlterConfigs",
    "InitProducerId",
    "JoinGroup",
    "LeaveGroup",
    "ListGroups",
    "ListOffsets",
    "Metadata",
    "OffsetCommit",
    "OffsetDelete",
    "OffsetFetch",
    "OffsetForLeaderEpoch",
    "Produce",
    "SyncGroup",
    "TxnOffsetCommit",
    "UnregisterBroker",
    "Vote",
    "WriteTxnMarkers",
];
