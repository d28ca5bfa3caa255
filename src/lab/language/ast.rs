//! What a scenario says, as plain data: the form that the lab's world matches on.
//!
//! Times and durations are microseconds of virtual time. Names are the scenario's own (`b1`, `web`, `loan_request`).
//! Two scenarios are equal when they say the same; `print` and `parse` turn one into its canonical text and back.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A name or a text of the scenario; cheap to keep in many places.
pub type Name = Rc<str>;

/// Settings in the real system's own keys, in the order of the keys. Values are canonical: durations and sizes that
/// were written with a unit (`linger.ms=5ms`) are plain numbers here, as the real system wants them.
pub type Config = BTreeMap<Name, Name>;

/// A whole scenario, line by line; comments, blank lines and lines that could not be read included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    pub lines: Vec<Line>,
}

/// One line (a block such as `about <<END` counts as one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its first line in the text, from 1.
    pub number: u32,
    /// How the line says its time.
    pub when: When,
    /// When it happens, in microseconds.
    pub at_us: u64,
    pub content: Content,
    /// The text behind `#`, without trailing blanks.
    pub comment: Option<Name>,
    /// A line of comment only: stands below the command column instead of at the margin.
    pub indented: bool,
}

impl Line {
    /// How many more lines of the text it takes than one.
    pub fn extra_lines(&self) -> usize {
        let breaks = |text: &str| text.matches('\n').count();
        match &self.content {
            Content::Unread(text) => breaks(text),
            Content::Command(Command::Later { block: Some(block), .. }) => breaks(block) + 1,
            Content::Command(Command::About(text) | Command::Note(text)) if is_block(text) => breaks(text) + 1,
            _ => 0,
        }
    }
}

/// Whether a text is written as a block: it has whole lines only, and nothing that a block can't hold.
pub fn is_block(text: &str) -> bool {
    text.ends_with('\n') && !text.contains('\r')
}

/// How a line says its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// Nothing said: the time of the line above.
    #[default]
    Same,
    /// `at 2.5s`: since the start of the run.
    At(u64),
    /// `after 200ms`: since the line above.
    After(u64),
}

/// What stands on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing, or a comment only. With a time it is a mark that the lines below count from.
    Blank,
    /// `lab 1`: the version of the language.
    Version(u32),
    Command(Command),
    /// A line that could not be read, as it was written; there is an error for it.
    Unread(Name),
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Title(Name),
    About(Name),
    /// The source of all randomness.
    Seed(u64),
    /// A remark shown when the run gets there.
    Note(Name),
    /// What the page shows first.
    View(View),
    /// `rule kip-101 off`: one switch for each famous fix.
    Rule {
        rule: Name,
        on: bool,
    },

    /// Machines, each with a disk and an address.
    Host {
        names: Vec<Name>,
        rack: Option<Name>,
    },
    /// A named network and the processes or hosts on it.
    Network {
        name: Name,
        members: Vec<Name>,
    },
    /// The latency of directed links.
    Link {
        between: Between,
        latency_us: u64,
    },
    /// Puts processes or hosts into a rack.
    Rack {
        name: Name,
        members: Vec<Name>,
    },

    Broker(Server),
    Controller(Server),
    Topic(Topic),
    Producer(Producer),
    Consumer(Consumer),
    /// One seeded source of records for a topic, handed to several clients in turn.
    Feed {
        topic: Name,
        load: Load,
        to: Vec<Name>,
    },

    Produce(Produce),
    /// `start web loan_request rate=10/s`: a producer's load; `start w1`: a consumer's poll loop.
    Start {
        client: Name,
        load: Option<(Target, Load)>,
    },
    /// Ends a load, a feed (by its topic) or a consumer's poll loop.
    Stop {
        names: Vec<Name>,
    },
    /// One call of `poll()` by consumers whose poll loop does not run.
    Poll {
        consumers: Vec<Name>,
        /// The time-out given to `poll()`; `None`: 100 ms.
        timeout_us: Option<u64>,
    },
    Commit(Commit),
    Seek {
        consumer: Name,
        target: Target,
        to: SeekTo,
    },
    Subscribe {
        consumer: Name,
        topics: Vec<Name>,
    },
    /// Manual assignment, without a group's help.
    Assign {
        consumer: Name,
        partitions: Vec<TopicPartition>,
    },
    Unsubscribe {
        consumers: Vec<Name>,
    },

    Alter(Alter),
    Delete(Delete),
    /// Asks the controller for elections; no partitions: all.
    Elect {
        kind: Election,
        partitions: Vec<TopicPartition>,
    },
    /// New replicas for a partition; none: cancels a running reassignment.
    Reassign {
        partition: TopicPartition,
        replicas: Vec<Name>,
    },
    /// Changes a process's own settings, its lab options (`work=50ms`) included. What a real process reads only at its
    /// start holds from its next start.
    Set {
        names: Vec<Name>,
        config: Config,
    },
    /// A tool's command line, run on the laptop outside or inside a host.
    Tool {
        host: Option<Name>,
        line: Name,
    },

    Process {
        verb: ProcessVerb,
        names: Vec<Name>,
    },

    /// Nothing passes from one side to the other; connections stay open.
    Cut(Between),
    /// Takes cuts, delays and losses away: all, or those between.
    Heal(Option<Between>),
    /// Adds to the latency of links.
    Delay {
        between: Between,
        by_us: u64,
    },
    /// Loses a share of what passes, in parts per million (10 % = 100,000).
    Loss {
        between: Between,
        ppm: u32,
    },
    Disk {
        names: Vec<Name>,
        state: DiskState,
    },
    /// A hand on one single message.
    Message(MessageFault),

    Check(Check),

    /// A word of the language that this version of Brokerlab does not act on yet; kept as written.
    Later {
        verb: Name,
        /// What follows the verb, without the comment.
        rest: Name,
        /// The block that belongs to it, every line ended by a newline.
        block: Option<Name>,
    },
}

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
    pub config: Config,
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
    pub headers: BTreeMap<Name, Name>,
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

/// What must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub when: CheckWhen,
    pub claim: Claim,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckWhen {
    /// `expect`: now.
    Now,
    /// After every event of the whole run.
    Always,
    /// After no event of the whole run.
    Never,
    /// At some moment from now until so much later.
    Eventually { within_us: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The name of an invariant, see `words::INVARIANTS`.
    Invariant(Name),
    Compare {
        subject: Subject,
        op: Op,
        /// Several for subjects that are lists or sets (`isr ... = b1 b2`).
        values: Vec<Name>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    /// Has the value, or all the values, among others; in a text: as a part of it.
    Contains,
}

impl Op {
    /// Whether `left op right` holds for numbers.
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Op::Equal | Op::Contains => left == right,
            Op::NotEqual => left != right,
            Op::Less => left < right,
            Op::AtMost => left <= right,
            Op::Greater => left > right,
            Op::AtLeast => left >= right,
        }
    }
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The leader's name, or `none`.
    Leader(TopicPartition),
    /// Leader epoch.
    Epoch(TopicPartition),
    Isr(TopicPartition),
    /// Eligible leader replicas.
    Elr(TopicPartition),
    Replicas(TopicPartition),
    /// Log end offset.
    Leo(ReplicaName),
    /// High watermark.
    Hw(ReplicaName),
    /// Last stable offset.
    Lso(ReplicaName),
    /// Log start offset.
    Start(ReplicaName),
    /// The values of the records in a log, oldest first.
    Log(ReplicaName),
    /// How a process, a group or a transaction is.
    State(Thing),
    /// Partitions (`loan_request/0`) of a member, or of all members of a group.
    Assignment(Name),
    /// A consumer's position.
    Position(Name, TopicPartition),
    /// The committed offset of a member's group, or of a group; `none` if there is none.
    Committed(Name, TopicPartition),
    /// Of a member or group, over all its partitions or in one.
    Lag(Name, Option<TopicPartition>),
    /// The broker that coordinates a group.
    Coordinator(Name),
    Generation(Name),
    /// The last error a client was told, by its name; `none`.
    Error(Name),
    /// What became of the record with this value.
    Fate(Name),
    /// How many records of the ledger have this fate; of one client, topic or system only.
    Count {
        fate: Name,
        of: Option<Name>,
    },
    /// The active controller, or `none`.
    Controller,
    /// The output of the last `$` line.
    Output,
}

/// A thing that has a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Process(Name),
    Group(Name),
    Transaction(Name),
}
