//! What a run looks like at one moment, as plain data: the only thing the page draws from.
//!
//! No behaviour lives here, and nothing of the page: every figure comes from the simulator's own state. Names are the
//! scenario's names (`b1`, `web`, `loan_request`), so that any of them can be put straight into a command line.

mod rabbit;

pub use rabbit::*;
use std::rc::Rc;

/// A moment of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Virtual time in microseconds.
    pub now_us: u64,
    /// Events handled so far on this branch (the step number).
    pub event: u64,
    /// One sentence: what just happened, in the field's own words.
    pub caption: String,
    pub controllers: Vec<ControllerView>,
    pub brokers: Vec<BrokerView>,
    pub topics: Vec<TopicView>,
    pub producers: Vec<ProducerView>,
    pub groups: Vec<GroupView>,
    /// Consumers without a group.
    pub free_consumers: Vec<ConsumerView>,
    pub rabbits: Vec<RabbitView>,
    pub publishers: Vec<PublisherView>,
    pub subscribers: Vec<SubscriberView>,
    pub links: Vec<LinkView>,
    pub ledger: LedgerView,
    pub invariants: Vec<InvariantView>,
}

/// How a process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Runs (a broker: is registered and unfenced).
    #[default]
    Up,
    /// Runs and starts: not yet registered, loading, or fenced.
    Starting,
    /// Runs, but the controller has fenced it.
    Fenced,
    /// In controlled shutdown.
    Stopping,
    /// Stopped by order.
    Stopped,
    /// Killed; its page cache is kept.
    Crashed,
    /// Power was cut: what was not flushed is lost.
    PoweredOff,
    /// Frozen (SIGSTOP, a long GC pause).
    Frozen,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControllerView {
    pub name: String,
    pub health: Health,
    pub since_us: u64,
    /// The active controller of the quorum.
    pub active: bool,
    pub epoch: i32,
    /// `leader`, `follower`, `candidate`, ...; as the metric `current-state` has it.
    pub role: &'static str,
    /// Whom it knows as the quorum's leader in this epoch, and whom it gave its vote in it.
    pub leader: Option<String>,
    pub voted: Option<String>,
    /// End offset of what it has of the metadata log.
    pub metadata_end: i64,
    /// What it knows to be committed of that.
    pub metadata_committed: Option<i64>,
    /// At the leader: the other voters and the brokers, and how many records each lacks (`None`: not heard of).
    pub quorum: Vec<(String, Option<i64>)>,
    /// Brokers as it sees them: (name, "active" | "fenced" | "shutdown" | ...).
    pub brokers: Vec<(String, String)>,
    pub config: Vec<(String, String)>,
    /// Faults that apply now, in words ("cut from b2").
    pub faults: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct BrokerView {
    pub name: String,
    pub node_id: i32,
    pub host: String,
    pub rack: Option<String>,
    pub health: Health,
    /// Since when it is in that state.
    pub since_us: u64,
    pub broker_epoch: i64,
    /// Metadata offset applied, and the controller's end.
    pub metadata_offset: i64,
    pub metadata_lag: i64,
    /// Records in the page cache that no flush has reached.
    pub unflushed: u64,
    /// Names of the groups it coordinates.
    pub coordinates: Vec<String>,
    /// The transactional ids that it coordinates.
    pub transactions: Vec<TransactionView>,
    /// Sorted by topic, partition: the same order on every broker.
    pub replicas: Vec<ReplicaView>,
    pub config: Vec<(String, String)>,
    pub faults: Vec<String>,
}

/// A transactional id as its coordinator has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionView {
    pub id: String,
    pub producer_id: i64,
    pub epoch: i16,
    /// `Ongoing`, `PrepareCommit`, ...: the coordinator's name for it.
    pub state: &'static str,
    /// Partitions that have records of it, or still wait for its marker: `loan_request/0`.
    pub partitions: Vec<String>,
    /// `transaction.timeout.ms` of its producer.
    pub timeout_ms: i32,
}

/// A transaction that is open in a partition, as the partition's log has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenTransactionView {
    pub producer_id: i64,
    pub epoch: i16,
    pub first_offset: i64,
}

/// One replica of a partition on one broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaView {
    pub topic: String,
    pub partition: i32,
    pub role: Role,
    /// Leader epoch as this broker knows it.
    pub epoch: i32,
    /// The leader as this broker knows it (a broker's name), if any.
    pub leader: Option<String>,
    /// ISR as the controller has it contains this broker.
    pub in_sync: bool,
    pub isr: Vec<String>,
    /// Log start offset, log end offset, this replica's own high watermark.
    pub start: i64,
    pub end: i64,
    pub high_watermark: i64,
    pub last_stable: i64,
    /// What holds the last stable offset back, the oldest first.
    pub open_transactions: Vec<OpenTransactionView>,
    /// Everything below is flushed.
    pub flushed: i64,
    /// Leader-epoch checkpoint: (epoch, start offset).
    pub epochs: Vec<(i32, i64)>,
    /// Size in bytes.
    pub bytes: u64,
    /// The log, oldest first, at most the last `CELLS` records; ghosts (lost) stay where they were.
    pub cells: Rc<[CellView]>,
}

/// How many records of a replica a view holds at most.
pub const CELLS: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    Leader,
    #[default]
    Follower,
    /// Holds a log, but its process does not run.
    Offline,
}

/// One record in a replica's log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CellView {
    pub offset: i64,
    pub epoch: i32,
    pub key: Option<Rc<str>>,
    pub value: Option<Rc<str>>,
    pub state: CellState,
    /// The producer was told that it is written.
    pub acknowledged: bool,
    /// First of its leader epoch in this log.
    pub opens_epoch: bool,
    /// Which record of the ledger it is, if a client made it.
    pub record: Option<u32>,
    /// Its transaction was aborted.
    pub aborted: bool,
    /// What a transaction's marker says: `COMMIT` or `ABORT`.
    pub marker: Option<&'static str>,
    /// How many offsets right before it compaction has left empty.
    pub removed: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellState {
    /// Below the partition's high watermark (as the current leader has it).
    Committed,
    /// Appended, not committed.
    #[default]
    Open,
    /// In no leader's log any more: drawn as a ghost.
    Lost,
    /// Cut off this replica by truncation, but alive elsewhere.
    Truncated,
    /// A control record.
    Control,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicView {
    pub name: String,
    pub internal: bool,
    pub config: Vec<(String, String)>,
    pub partitions: Vec<PartitionView>,
}

/// A partition as the controller has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionView {
    pub partition: i32,
    pub leader: Option<String>,
    pub epoch: i32,
    pub replicas: Vec<String>,
    pub isr: Vec<String>,
    pub elr: Vec<String>,
    pub adding: Vec<String>,
    pub removing: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProducerView {
    pub name: String,
    pub host: String,
    pub health: Health,
    pub since_us: u64,
    pub acks: String,
    pub idempotent: bool,
    pub in_flight: u32,
    pub max_in_flight: u32,
    /// Records in the accumulator.
    pub buffered: u32,
    pub sent: u64,
    pub acknowledged: u64,
    pub failed: u64,
    pub lost: u64,
    pub last_error: Option<String>,
    pub config: Vec<(String, String)>,
    pub faults: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupView {
    pub name: String,
    /// "classic" or "consumer".
    pub protocol: String,
    pub state: String,
    /// Generation of a classic group, group epoch of a consumer group.
    pub generation: i32,
    /// The group epoch that the target was computed for; a classic group has none.
    pub assignment_epoch: Option<i32>,
    pub assignor: String,
    pub coordinator: Option<String>,
    pub lag: i64,
    pub members: Vec<ConsumerView>,
    /// The share partitions of a share group, as their leaders have them.
    pub shared: Vec<SharedView>,
}

/// A share partition (KIP-932): what lies before its start is finished for its group; from there to its end records
/// are in flight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedView {
    pub partition: String,
    pub leader: String,
    pub start: i64,
    /// The last offset that was acquired.
    pub end: i64,
    pub records: Vec<SharedRecordView>,
}

/// A record in flight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SharedRecordView {
    pub offset: i64,
    /// "available", "acquired", "acknowledged" or "archived".
    pub state: &'static str,
    pub deliveries: u16,
    /// Who has acquired it.
    pub member: Option<String>,
    /// When its lock ends.
    pub until_us: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerView {
    pub name: String,
    pub host: String,
    pub health: Health,
    pub since_us: u64,
    /// What the client believes of itself: "joining", "stable", "left", ...
    pub state: String,
    pub generation: i32,
    pub leader: bool,
    /// How its coordinator brings it to its target, in a consumer group.
    pub membership: Option<MembershipView>,
    pub assignment: Vec<AssignedView>,
    pub delivered: u64,
    /// Busy with a record (its `work=` time).
    pub working_on: Option<String>,
    pub last_error: Option<String>,
    pub config: Vec<(String, String)>,
    pub faults: Vec<String>,
}

/// A member of a consumer group (KIP-848) as its coordinator has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MembershipView {
    /// Member epoch; -2: a static member that will be back.
    pub epoch: i32,
    /// STABLE, UNREVOKED_PARTITIONS or UNRELEASED_PARTITIONS.
    pub state: &'static str,
    /// Where the client stands: JOINING, RECONCILING, ...
    pub client_state: &'static str,
    /// It speaks the classic protocol.
    pub classic: bool,
    /// What it is to have, by name: `loan_request/0`.
    pub target: Vec<String>,
    /// What the coordinator lets it have now.
    pub current: Vec<String>,
    /// What it has to give up first.
    pub pending: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssignedView {
    pub topic: String,
    pub partition: i32,
    pub start: i64,
    pub committed: Option<i64>,
    pub position: Option<i64>,
    /// Where reading ends: the high watermark as the partition's current leader has it, with `read_committed` the last
    /// stable offset.
    pub end: i64,
    pub lag: i64,
}

/// A directed link with something to tell (traffic or a fault).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkView {
    pub from: String,
    pub to: String,
    pub latency_us: u64,
    pub cut: bool,
    pub delay_us: u64,
    pub loss_percent: u32,
}

/// A message on its way; drawn on the canvas. Asked for every frame, apart from the rest of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct FlightView {
    pub id: u64,
    pub from: Rc<str>,
    pub to: Rc<str>,
    /// "ProduceRequest", "FetchResponse", ...
    pub kind: &'static str,
    pub class: FlightClass,
    pub sent_us: u64,
    pub arrives_us: u64,
    /// Held by a fault or by a cut link: it does not move.
    pub held: bool,
    pub text: Rc<str>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlightClass {
    /// A client's data request.
    #[default]
    Data,
    /// An answer.
    Answer,
    /// A follower's copy.
    Copy,
    /// Control traffic: metadata, groups, registration.
    Control,
    /// Heartbeats and idle polls: shown only when the layer is on.
    Idle,
}

/// One figure under the real system's own name, with what it means. Asked for apart from the rest of the view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricView {
    /// `producer-metrics`, `ReplicaManager`.
    pub group: &'static str,
    pub name: &'static str,
    /// Which of several: a topic, a partition, a kind of request.
    pub tag: Option<Rc<str>>,
    /// In thousandths; `None`: nothing to tell yet.
    pub milli: Option<i64>,
    /// `ms`, `B`, `/s`, or empty.
    pub unit: &'static str,
    /// An explanation.
    pub about: &'static str,
}

/// How far a group was behind, at moments of the explored time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LagView {
    pub at_us: Vec<u64>,
    /// Over all partitions; as many as there are moments.
    pub total: Vec<i64>,
    /// By partition (`loan_request/0`); 0 while the group had nothing to do with it.
    pub partitions: Vec<(Rc<str>, Vec<i64>)>,
}

/// The ledger's sums over all records that clients handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerView {
    pub sent: u64,
    pub appended: u64,
    pub committed: u64,
    pub acknowledged: u64,
    pub delivered: u64,
    pub waiting: u64,
    pub lost: u64,
    pub duplicated: u64,
    pub reordered: u64,
    pub failed: u64,
    pub aborted: u64,
    pub delivered_twice: u64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct InvariantView {
    pub name: &'static str,
    pub about: &'static str,
    /// The first event that broke it, and how.
    pub broken: Option<(u64, String)>,
}

/// One record's life, for the ledger tab.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FateView {
    pub record: u32,
    pub producer: String,
    pub topic: String,
    pub partition: Option<i32>,
    pub offset: Option<i64>,
    pub key: Option<String>,
    pub value: Option<String>,
    /// "acknowledged", "lost", "delivered", ... in order of time.
    pub fates: Vec<&'static str>,
    pub delivered_to: Vec<(String, u64)>,
    pub error: Option<String>,
    pub sent_us: u64,
}

/// How loud an entry of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Heartbeats, idle polls.
    Idle,
    /// Ordinary traffic.
    #[default]
    Detail,
    /// What a person follows: leaders, ISR, groups, commits, commands.
    Matters,
    /// Faults, losses, broken invariants.
    Alarm,
}

/// A line of the event log. Many entries can belong to one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogEntry {
    /// The event that made it; the handle for "why?".
    pub event: u64,
    /// Which of the event's observations.
    pub index: u16,
    pub at_us: u64,
    /// Who: a process's name, or "you" for a command.
    pub who: String,
    pub text: String,
    pub weight: Weight,
    /// The rule that made it, e.g. `replica/high-watermark`.
    pub rule: Option<&'static str>,
    /// A line of a client's own log.
    pub client_log: bool,
}

/// One link of the answer to "why?", effect first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WhyLink {
    pub event: u64,
    pub at_us: u64,
    pub who: String,
    pub sentence: String,
    pub rule: Option<&'static str>,
    /// Source of the rule: class, KIP, or protocol.
    pub source: Option<&'static str>,
    /// Settings that decided it: exact key and value.
    pub config: Vec<(&'static str, String)>,
}

/// A branch of the tree of runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BranchView {
    pub id: u32,
    pub name: String,
    pub parent: Option<u32>,
    pub forked_at_us: u64,
    pub end_us: u64,
    pub current: bool,
    /// "0 lost so far", "1 lost".
    pub outcome: String,
    /// The scenario text of this branch.
    pub text: Rc<str>,
}

/// A mark on the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkView {
    pub event: u64,
    pub at_us: u64,
    pub kind: MarkKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Command,
    Fault,
    Election,
    Group,
    Loss,
    Note,
    Check { passed: bool },
}

/// Number of events in a stretch of time, by class (data, control, clients).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Density {
    pub data: u32,
    pub control: u32,
    pub clients: u32,
    pub idle: u32,
}
