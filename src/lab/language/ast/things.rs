//! What commands speak of: places, processes, records, settings, faults.

use crate::ordered::OrderedMap;

use super::{Config, Name};

/// `view lanes topic=loan_request tab=ledger speed=0.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Which picture; `None`: the stage.
    pub picture: Option<Name>,
    /// Options of the page, see `words::VIEW_OPTIONS`.
    pub options: Config,
}

/// Which directed links a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Between {
    pub from: Vec<Name>,
    pub way: Way,
    pub to: Vec<Name>,
}

/// How the two ends of a [`Between`] are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `->`: only that way.
    OneWay,
    /// `<->`: both ways.
    Both,
    /// `|`: two sides, both ways.
    Sides,
}

impl Between {
    /// Everybody that it names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.from.iter().chain(&self.to)
    }

    /// All directed pairs, in the order written, the way back after each way there; no pair of a name with itself.
    pub fn pairs(&self) -> Vec<(Name, Name)> {
        let mut pairs = Vec::new();
        for a in &self.from {
            for b in self.to.iter().filter(|b| *b != a) {
                pairs.push((a.clone(), b.clone()));
                if self.way != Way::OneWay {
                    pairs.push((b.clone(), a.clone()));
                }
            }
        }
        pairs
    }
}

/// Brokers or controllers, one of each name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    pub names: Vec<Name>,
    /// The host they stand on; `None`: each on one of its own.
    pub on: Option<Name>,
    pub rack: Option<Name>,
    pub config: Config,
}

/// The number at the end of a name (`b12` -> 12), from which a server's node id derives.
pub fn trailing_number(name: &str) -> Option<i32> {
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    name[name.len() - digits..].parse().ok()
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    pub name: Name,
    /// `None`: as the lists of replicas say, else the broker's `num.partitions`.
    pub partitions: Option<u32>,
    pub replicas: Replicas,
    pub config: Config,
}

/// Where a topic's replicas stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Replicas {
    /// The broker's `default.replication.factor`, placed by the controller.
    #[default]
    Default,
    /// So many, placed by the controller.
    Factor(u16),
    /// Brokers by name, preferred leader first. One list holds for every partition; else one list for each.
    Lists(Vec<Vec<Name>>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Producer {
    pub names: Vec<Name>,
    pub on: Option<Name>,
    pub config: Config,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consumer {
    pub names: Vec<Name>,
    pub on: Option<Name>,
    /// `group.id`.
    pub group: Option<Name>,
    /// Topics it subscribes to.
    pub topics: Vec<Name>,
    /// Partitions it assigns to itself instead.
    pub assign: Vec<TopicPartition>,
    /// How long it works on each record.
    pub work_us: u64,
    pub poll: PollLoop,
    pub commit: CommitHabit,
    /// A member of a share group (`KafkaShareConsumer`).
    pub share: bool,
    /// Records with this value its poll loop gives back, and those that it refuses; the others it accepts.
    pub release: Option<Name>,
    pub reject: Option<Name>,
    pub config: Config,
}

/// What share consumers say of records that they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledge {
    pub consumers: Vec<Name>,
    pub how: HowAcknowledged,
    /// Nothing: all that nothing was said of.
    pub records: Vec<(TopicPartition, i64)>,
}

/// The words of a share consumer for a record: the client's `AcknowledgeType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowAcknowledged {
    Accept,
    Release,
    Reject,
    Renew,
}

impl HowAcknowledged {
    /// Those that are said: whoever says nothing accepts.
    pub const SAID: [HowAcknowledged; 3] = [
        HowAcknowledged::Release,
        HowAcknowledged::Reject,
        HowAcknowledged::Renew,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            HowAcknowledged::Accept => "accept",
            HowAcknowledged::Release => "release",
            HowAcknowledged::Reject => "reject",
            HowAcknowledged::Renew => "renew",
        }
    }
}

/// Whether a consumer polls by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PollLoop {
    /// Polls, works, polls again.
    #[default]
    Loop,
    /// Only at a `poll` or `start` command.
    Manual,
}

/// When the poll loop itself commits (`commitSync()` of what it was given).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommitHabit {
    /// Never: `enable.auto.commit` or `commit` commands do.
    #[default]
    Never,
    /// Before working on what it was given: at most once.
    Before,
    /// After working on it: at least once.
    After,
}

/// A partition, `loan_request/0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    pub topic: Name,
    pub partition: i32,
}

/// A topic or one of its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub topic: Name,
    pub partition: Option<i32>,
}

/// The replica of a partition on a broker, `loan_request/0@b1`; without a broker the current leader's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaName {
    pub partition: TopicPartition,
    pub broker: Option<Name>,
}

/// A steady, seeded source of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    pub rate: Rate,
    /// How many different keys; 0: records without a key.
    pub keys: u32,
    /// Ends after so many records.
    pub count: Option<u64>,
    /// Ends at this time of the run.
    pub until_us: Option<u64>,
    /// Bytes of each value; `None`: as long as its text.
    pub size: Option<u64>,
    /// Routing keys of which each message gets one, drawn by the seed; none: the item's key is its routing key.
    pub routing: Vec<Name>,
}

/// So many in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per_us: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Produce {
    pub client: Name,
    /// A topic, or a partition if the partitioner is not to be asked.
    pub target: Target,
    pub key: Option<Name>,
    pub value: Value,
    /// How many records, with the same key.
    pub count: u32,
    pub headers: OrderedMap<Name, Name>,
}

/// A record's value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Nothing said: the lab gives each record a text of its own.
    #[default]
    Auto,
    /// `null`: a tombstone.
    Null,
    /// With `count` over 1 the lab numbers them: `300-1`, `300-2`, ...
    Text(Name),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    pub consumers: Vec<Name>,
    /// `commitAsync()` instead of `commitSync()`.
    pub asynchronous: bool,
    /// What to commit; nothing: what was read so far.
    pub offsets: Vec<(TopicPartition, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekTo {
    Beginning,
    End,
    Offset(i64),
}

/// An admin's change of a topic or of brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alter {
    Topic {
        topic: Name,
        /// More partitions (`kafka-topics.sh --alter --partitions`).
        partitions: Option<u32>,
        set: Config,
        /// Keys to delete, so that the default holds again.
        unset: Vec<Name>,
    },
    /// Dynamic settings of one broker; `None`: of all (`--entity-default`).
    Broker {
        broker: Option<Name>,
        set: Config,
        unset: Vec<Name>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delete {
    Topic(Name),
    Group(Name),
    Queue(Name),
    Exchange(Name),
    /// Records below an offset; `None`: all below the high watermark.
    Records {
        partition: TopicPartition,
        before: Option<i64>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Election {
    Preferred,
    Unclean,
}

/// What can happen to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessVerb {
    /// SIGKILL: the page cache survives.
    Crash,
    /// What was not flushed is lost.
    PowerOff,
    /// SIGTERM: a controlled shutdown, a client's `close()`.
    Shutdown,
    Restart,
    /// SIGSTOP, a long GC pause.
    Freeze,
    Thaw,
    /// Gone for good; a broker is unregistered.
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskState {
    Ok,
    /// Every operation takes so much longer.
    Slow(u64),
    Full,
    /// All is gone, or all of one partition.
    Wipe(Option<TopicPartition>),
}

/// A key that means something to a tool that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// SIGINT.
    CtrlC,
    /// The end of its input.
    CtrlD,
}

impl Key {
    pub const ALL: [Key; 2] = [Key::CtrlC, Key::CtrlD];

    pub fn name(self) -> &'static str {
        match self {
            Key::CtrlC => "ctrl-c",
            Key::CtrlD => "ctrl-d",
        }
    }
}

/// A hand on one single message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFault {
    pub action: MessageAction,
    /// `next`: waits for one instead of taking one that is in flight now.
    pub next: bool,
    /// Which message; `None` (only with `release`): all that are held.
    pub pattern: Option<Pattern>,
    /// Which of those that fit, oldest first, from 1.
    pub nth: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageAction {
    Drop,
    /// Keeps it in flight until `release`.
    Hold,
    Release,
    /// Arrives so much later.
    Delay(u64),
    Duplicate,
    /// Changes places with the next one on its link.
    Reorder,
}

/// `ProduceResponse b1 -> web`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `FetchRequest`, `FetchResponse`, `Fetch` (either) or `any`.
    pub kind: Name,
    pub from: Name,
    pub to: Name,
}

impl Pattern {
    /// Whether a message of this kind (`FetchRequest`) on its way between these two is meant.
    pub fn fits(&self, kind: &str, from: &str, to: &str) -> bool {
        let bare = kind.strip_suffix("Request").or_else(|| kind.strip_suffix("Response"));
        let kind_fits = &*self.kind == "any" || &*self.kind == kind || bare == Some(&*self.kind);
        kind_fits && &*self.from == from && &*self.to == to
    }
}
