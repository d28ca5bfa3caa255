//! What a scenario says, as plain data: the form that the lab's world matches on.
//!
//! Times and durations are microseconds of virtual time. Names are the scenario's own (`b1`, `web`, `loan_request`).
//! Two scenarios are equal when they say the same; `print` and `parse` turn one into its canonical text and back.

mod checks;
mod rabbit;
mod things;
mod web;

pub use checks::*;
pub use rabbit::*;
pub use things::*;
pub use web::*;

use crate::ordered::OrderedMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// A name or a text of the scenario; cheap to keep in many places.
pub type Name = Rc<str>;

/// Settings in the real system's own keys, in the order of the keys. Values are canonical: durations and sizes that
/// were written with a unit (`linger.ms=5ms`) are plain numbers here, as the real system wants them.
pub type Config = OrderedMap<Name, Name>;

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
            Content::Command(Command::Later { block: Some(block), .. } | Command::Compose(block)) => breaks(block) + 1,
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
    /// Containers from a compose file, as `docker compose up` on the laptop would start them.
    Compose(Name),
    /// `docker network connect` and `disconnect`.
    Attach {
        host: Name,
        network: Name,
        /// False: it leaves.
        joins: bool,
    },
    /// A port of a host, published on the laptop.
    Port {
        host: Name,
        /// On 127.0.0.1: for programs of the laptop alone.
        local: bool,
        published: u16,
        target: u16,
    },
    /// The address of a machine.
    Address {
        host: Name,
        ip: Ipv4Addr,
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
    /// One seeded source of work, handed to clients of both systems alike: each of its items goes to one of the producers
    /// and to one of the publishers, in turn. The name is the topic and the exchange.
    Feed {
        topic: Name,
        load: Load,
        to: Vec<Name>,
    },

    Rabbit(Rabbit),
    Exchange(Exchange),
    Queue(Queue),
    Bind(Binding),
    Unbind(Binding),
    /// Empties a queue.
    Purge(Name),
    Publisher(Publisher),
    Subscriber(Subscriber),
    Publish(Publish),
    Settle(Settle),

    /// A command about web servers.
    Web(Web),

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
    /// `acknowledge()` of share consumers.
    Acknowledge(Acknowledge),
    /// `beginTransaction()`
    Begin {
        producers: Vec<Name>,
    },
    /// `commitTransaction()` or `abortTransaction()`
    End {
        producers: Vec<Name>,
        abort: bool,
        /// The consumer whose positions go into the transaction first.
        offsets: Option<Name>,
    },
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
    /// A line typed into the tool that runs, or the one that runs in a host.
    Type {
        host: Option<Name>,
        text: Name,
    },
    /// A key pressed for the tool that runs, or the one that runs in a host.
    Press {
        host: Option<Name>,
        key: Key,
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
