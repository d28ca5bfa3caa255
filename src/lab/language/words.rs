//! The vocabulary: every verb with its form and options, every subject of a check, every name that has a meaning of its
//! own. The parser's hints, the page's completion and the README's reference are all made from these tables.

use super::keys::Scope;

/// The version of the language that this code writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// One verb.
#[derive(Clone, Copy, Debug)]
pub struct Verb {
    pub name: &'static str,
    /// The sentence's form, as the reference shows it.
    pub form: &'static str,
    pub about: &'static str,
    pub options: &'static [Opt],
    /// Whose keys it takes as options besides its own.
    pub keys: Option<Scope>,
    pub part: Part,
}

/// One option of a verb, in the order of printing.
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    pub key: &'static str,
    /// What its value looks like.
    pub form: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

/// The part of the reference a verb stands in; `Later` ones are read, kept and refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Page,
    Places,
    Kafka,
    Data,
    Admin,
    Processes,
    Network,
    Disk,
    OneMessage,
    Checks,
    Later,
}

impl Part {
    pub const ALL: [Part; 11] = [
        Part::Page,
        Part::Places,
        Part::Kafka,
        Part::Data,
        Part::Admin,
        Part::Processes,
        Part::Network,
        Part::Disk,
        Part::OneMessage,
        Part::Checks,
        Part::Later,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Part::Page => "the page",
            Part::Places => "places",
            Part::Kafka => "Kafka",
            Part::Data => "data",
            Part::Admin => "admin",
            Part::Processes => "processes",
            Part::Network => "network",
            Part::Disk => "disk",
            Part::OneMessage => "one message",
            Part::Checks => "checks",
            Part::Later => "not here yet",
        }
    }
}

const fn opt(key: &'static str, form: &'static str, default: &'static str) -> Opt {
    Opt { key, form, default }
}

const fn verb(
    part: Part,
    name: &'static str,
    form: &'static str,
    about: &'static str,
    options: &'static [Opt],
) -> Verb {
    Verb {
        name,
        form,
        about,
        options,
        keys: None,
        part,
    }
}

const fn verb_with_keys(
    part: Part,
    name: &'static str,
    form: &'static str,
    about: &'static str,
    options: &'static [Opt],
    keys: Scope,
) -> Verb {
    Verb {
        name,
        form,
        about,
        options,
        keys: Some(keys),
        part,
    }
}

const ON: Opt = opt("on", "h1", "a host of its own");
const RACK: Opt = opt("rack", "a", "none");
const LOAD: &[Opt] = &[
    opt("rate", "10/s", "1/s"),
    opt("keys", "20", "0: no keys"),
    opt("count", "100", "no end"),
    opt("until", "60s", "no end"),
    opt("size", "1KiB", "as long as the text"),
];

/// All verbs, in the order of the reference.
pub const VERBS: &[Verb] = &[
    verb(
        Part::Page,
        "title",
        "title \"acks=1\"",
        "what the scenario is called",
        &[],
    ),
    verb(
        Part::Page,
        "about",
        "about \"The leader answers first.\"",
        "what it shows; a long text as a block",
        &[],
    ),
    verb(Part::Page, "seed", "seed 7", "the source of all randomness", &[]),
    verb(
        Part::Page,
        "note",
        "note \"b2 leads now.\"",
        "a remark shown when the run gets there",
        &[],
    ),
    verb(
        Part::Page,
        "view",
        "view stage tab=ledger",
        "what the page shows first",
        VIEW_OPTIONS,
    ),
    verb(
        Part::Page,
        "rule",
        "rule kip-101 off",
        "one switch for each famous fix: on or off",
        &[],
    ),
    verb(
        Part::Places,
        "host",
        "host h1",
        "a machine with a disk and an address",
        &[RACK],
    ),
    verb(
        Part::Places,
        "network",
        "network n1 h1 h2",
        "a named network and who is on it",
        &[],
    ),
    verb(
        Part::Places,
        "link",
        "link b1 -> b2 latency=2ms",
        "the latency of links",
        &[opt("latency", "2ms", "required")],
    ),
    verb(
        Part::Places,
        "rack",
        "rack a b1 b2",
        "puts processes or hosts into a rack",
        &[],
    ),
    verb_with_keys(
        Part::Kafka,
        "broker",
        "broker b1..b3",
        "brokers; the number in the name is the node id",
        &[ON, RACK],
        Scope::Broker,
    ),
    verb_with_keys(
        Part::Kafka,
        "controller",
        "controller c1",
        "voters of the controller quorum",
        &[ON, RACK],
        Scope::Broker,
    ),
    verb_with_keys(
        Part::Kafka,
        "topic",
        "topic loan_request partitions=3 replicas=3",
        "a topic; replicas as a number, as brokers, or as brokers for each partition with ; between",
        &[
            opt("partitions", "3", "num.partitions"),
            opt("replicas", "b1,b2,b3", "default.replication.factor"),
        ],
        Scope::Topic,
    ),
    verb_with_keys(
        Part::Kafka,
        "producer",
        "producer web acks=all",
        "a client that sends records",
        &[ON],
        Scope::Producer,
    ),
    verb_with_keys(
        Part::Kafka,
        "consumer",
        "consumer w1 group=loans topics=loan_request work=50ms",
        "a client that reads; poll and commit say what its poll loop does",
        &[
            ON,
            opt("group", "loans", "none"),
            opt("topics", "loan_request", "none"),
            opt("assign", "loan_request/0", "none"),
            opt("work", "50ms", "0s"),
            opt("poll", "manual", "loop"),
            opt("commit", "after", "never"),
        ],
        Scope::Consumer,
    ),
    verb(
        Part::Kafka,
        "feed",
        "feed orders rate=10/s keys=20 until=60s -> web api",
        "one seeded source of work for several clients",
        LOAD,
    ),
    verb(
        Part::Data,
        "produce",
        "produce web loan_request key=kim \"300\"",
        "sends records; null for a tombstone, loan_request/0 for a given partition",
        &[
            opt("key", "kim", "none"),
            opt("count", "5", "1"),
            opt("header.NAME", "text", "none"),
        ],
    ),
    verb(
        Part::Data,
        "start",
        "start web loan_request rate=10/s keys=20",
        "a producer's load, or a consumer's poll loop",
        LOAD,
    ),
    verb(
        Part::Data,
        "stop",
        "stop web",
        "ends a load, a feed (by its topic) or a poll loop",
        &[],
    ),
    verb(
        Part::Data,
        "poll",
        "poll w1 timeout=500ms",
        "one poll() of a consumer with poll=manual",
        &[opt("timeout", "500ms", "100ms")],
    ),
    verb(
        Part::Data,
        "commit",
        "commit w1 loan_request/0=5",
        "commits what was read, or given offsets; async for commitAsync()",
        &[],
    ),
    verb(
        Part::Data,
        "seek",
        "seek w1 loan_request/0 5",
        "to an offset, beginning or end",
        &[],
    ),
    verb(
        Part::Data,
        "subscribe",
        "subscribe w1 loan_request",
        "subscribes to these topics instead",
        &[],
    ),
    verb(
        Part::Data,
        "assign",
        "assign w1 loan_request/0",
        "assigns these partitions without a group's help",
        &[],
    ),
    verb(
        Part::Data,
        "unsubscribe",
        "unsubscribe w1",
        "gives subscription and assignment up",
        &[],
    ),
    verb(
        Part::Admin,
        "alter",
        "alter topic loan_request min.insync.replicas=2",
        "dynamic settings of a topic, a broker or brokers (all); partitions= adds some",
        &[
            opt("partitions", "6", "as they are"),
            opt("unset", "retention.ms", "none"),
        ],
    ),
    verb(
        Part::Admin,
        "delete",
        "delete topic loan_request",
        "a topic, a group, or records (delete records loan_request/0 before=5)",
        &[opt("before", "5", "the high watermark")],
    ),
    verb(
        Part::Admin,
        "elect",
        "elect preferred loan_request/0",
        "preferred or unclean; no partition: all",
        &[],
    ),
    verb(
        Part::Admin,
        "reassign",
        "reassign loan_request/0 replicas=b2,b3,b4",
        "new replicas for a partition; cancel in their place calls it off",
        &[opt("replicas", "b2,b3,b4", "required")],
    ),
    verb(
        Part::Admin,
        "set",
        "set w1 work=500ms",
        "a process's own settings; read at its start in real life: at its next start",
        &[],
    ),
    verb(
        Part::Admin,
        "$",
        "$ kafka-topics.sh --bootstrap-server b1:9092 --describe",
        "a tool's command line; NAME $ ... runs it there",
        &[],
    ),
    verb(
        Part::Processes,
        "crash",
        "crash b1",
        "SIGKILL: the page cache survives",
        &[],
    ),
    verb(
        Part::Processes,
        "power-off",
        "power-off b1",
        "what was not flushed is lost",
        &[],
    ),
    verb(
        Part::Processes,
        "shutdown",
        "shutdown b1",
        "controlled; a client closes",
        &[],
    ),
    verb(
        Part::Processes,
        "restart",
        "restart b1",
        "starts it again; stops it first if it runs",
        &[],
    ),
    verb(Part::Processes, "freeze", "freeze b1", "SIGSTOP, a long GC pause", &[]),
    verb(Part::Processes, "thaw", "thaw b1", "goes on", &[]),
    verb(
        Part::Processes,
        "add",
        "add broker b4",
        "the same as the line without add",
        &[],
    ),
    verb(
        Part::Processes,
        "remove",
        "remove b4",
        "gone for good; a broker is unregistered",
        &[],
    ),
    verb(
        Part::Network,
        "cut",
        "cut b1 -> b2 b3",
        "one way ->, both ways <->, two sides |",
        &[],
    ),
    verb(
        Part::Network,
        "heal",
        "heal",
        "takes cuts, delays and losses away: all, or those between",
        &[],
    ),
    verb(
        Part::Network,
        "delay",
        "delay b1 -> b2 200ms",
        "adds to the latency; also of one message: delay Fetch b2 -> b1 1s",
        NTH,
    ),
    verb(
        Part::Network,
        "loss",
        "loss b1 -> b2 10%",
        "loses a share of what passes",
        &[],
    ),
    verb(
        Part::Disk,
        "disk",
        "disk b1 slow=50ms",
        "slow=, full, wipe (one partition: wipe loan_request/0), ok",
        &[opt("slow", "50ms", "none")],
    ),
    verb(
        Part::OneMessage,
        "drop",
        "drop ProduceResponse b1 -> web",
        "the oldest such message in flight; with next: the next one",
        NTH,
    ),
    verb(
        Part::OneMessage,
        "hold",
        "hold next Fetch b2 -> b1",
        "keeps it in flight",
        NTH,
    ),
    verb(
        Part::OneMessage,
        "release",
        "release Fetch b2 -> b1",
        "lets it go; no pattern: all",
        NTH,
    ),
    verb(
        Part::OneMessage,
        "duplicate",
        "duplicate ProduceRequest web -> b1",
        "it arrives twice",
        NTH,
    ),
    verb(
        Part::OneMessage,
        "reorder",
        "reorder ProduceRequest web -> b1",
        "changes places with the one behind it",
        NTH,
    ),
    verb(
        Part::Checks,
        "expect",
        "expect leader loan_request/0 = b2",
        "holds now",
        &[],
    ),
    verb(
        Part::Checks,
        "always",
        "always one-leader-per-epoch",
        "holds after every event of the run",
        &[],
    ),
    verb(
        Part::Checks,
        "never",
        "never count lost > 0",
        "holds after no event of the run",
        &[],
    ),
    verb(
        Part::Checks,
        "eventually",
        "eventually isr loan_request/0 = b1 b2 b3 within 30s",
        "holds at some moment from now on",
        &[],
    ),
    verb(
        Part::Later,
        "streams",
        "streams app",
        "a Kafka Streams application",
        &[],
    ),
    verb(Part::Later, "rabbit", "rabbit r1", "a RabbitMQ node", &[]),
    verb(
        Part::Later,
        "exchange",
        "exchange loans type=topic durable",
        "a RabbitMQ exchange",
        &[],
    ),
    verb(Part::Later, "queue", "queue risk durable", "a RabbitMQ queue", &[]),
    verb(
        Part::Later,
        "bind",
        "bind loans -> risk key=loan.*.high",
        "a RabbitMQ binding",
        &[],
    ),
    verb(
        Part::Later,
        "publisher",
        "publisher api confirm",
        "a RabbitMQ client that publishes",
        &[],
    ),
    verb(
        Part::Later,
        "subscriber",
        "subscriber s1 queue=risk prefetch=10 work=50ms",
        "a RabbitMQ client that consumes",
        &[],
    ),
    verb(
        Part::Later,
        "publish",
        "publish api loans key=loan.kim.high \"300\"",
        "publishes a message",
        &[],
    ),
    verb(Part::Later, "ack", "ack s1", "acknowledges a delivery", &[]),
    verb(Part::Later, "nack", "nack s1", "refuses a delivery", &[]),
    verb(Part::Later, "reject", "reject s1", "refuses one delivery", &[]),
    verb(Part::Later, "begin", "begin web", "begins a transaction", &[]),
    verb(Part::Later, "end", "end web", "commits or aborts a transaction", &[]),
    verb(
        Part::Later,
        "compose",
        "compose <<END",
        "containers from a compose file, as a block",
        &[],
    ),
];

const NTH: &[Opt] = &[opt("nth", "2", "1: the oldest")];

/// What `view` takes.
pub const VIEW_OPTIONS: &[Opt] = &[
    opt("tab", "log", "log"),
    opt("select", "b1", "none"),
    opt("topic", "loan_request", "the first"),
    opt("time", "2s", "the end of what was run"),
    opt("speed", "1", "1"),
];

/// The pictures that `view` names; the first is the default.
pub const PICTURES: &[&str] = &["stage", "lanes", "table"];

/// Verbs that make processes or places, whose first words are their names.
pub const LATER_NAMES: &[&str] = &["rabbit", "publisher", "subscriber", "streams", "exchange", "queue"];

/// The switches of `rule`, with what each turns off. All are on by default.
pub const RULES: &[(&str, &str)] = &[
    ("kip-101", "truncation by leader epoch instead of by high watermark"),
    (
        "kip-279",
        "truncation that survives fast fail-overs: the leader answers with its own epoch",
    ),
    (
        "kip-320",
        "fetches are fenced by leader epoch, so that consumers notice truncation",
    ),
    ("kip-841", "fenced brokers can't be in the ISR"),
    ("kip-966", "eligible leader replicas"),
];

/// Invariants that `expect` and `always` can name, with what each says.
pub const INVARIANTS: &[(&str, &str)] = &[
    (
        "no-committed-record-lost",
        "a record below the high watermark is in every later leader's log",
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
    subject("log", "log loan_request/0@b1 = \"300\", \"500\"", "the values in a log"),
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
    subject("controller", "controller = c2", "the active controller"),
    subject("output", "output contains \"Leader: 2\"", "of the last $ line"),
    SubjectWord {
        name: "ready",
        form: "ready risk = 3",
        about: "messages of a queue that wait",
        later: true,
    },
    SubjectWord {
        name: "unacked",
        form: "unacked risk = 3",
        about: "messages of a queue that are out",
        later: true,
    },
];

/// What can become of a record.
pub const FATES: &[(&str, &str)] = &[
    ("sent", "handed to send()"),
    ("appended", "in a leader's log"),
    ("replicated", "in a follower's log too"),
    ("committed", "below the high watermark"),
    ("acknowledged", "the producer was told that it is written"),
    ("failed", "the producer was told that it is not"),
    ("delivered", "a consumer was given it"),
    ("delivered-twice", "to one group more than once"),
    ("lost", "in no leader's log any more"),
    ("duplicated", "in the log more than once"),
    ("reordered", "behind a record that was sent later"),
    ("expired", "deleted by retention"),
    ("waiting", "no consumer of a group was given it yet"),
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

/// The verb of this name.
pub fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// The subject of this name.
pub fn find_subject(name: &str) -> Option<&'static SubjectWord> {
    SUBJECTS.iter().find(|subject| subject.name == name)
}
