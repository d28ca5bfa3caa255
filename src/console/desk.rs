//! What a tool's plan sees: its words, its files and input, and the calls of its clients.
//!
//! A plan is written straight down, as if every call returned at once. It is run again from its start with one more reply
//! whenever a call has returned; a call without a reply yet ends the run. So the state of a running tool is the list of
//! the replies, which is cheap to copy into a snapshot.

use super::java;
use super::options::{OptionError, Options};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, CallId, CallResult, ClientError};
use crate::kafka::client::producer::NewRecord;
use crate::kafka::wire::Order;
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// What kind of client a tool makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Admin,
    Producer,
    Consumer,
}

/// A client to be made.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    pub kind: Kind,
    pub id: String,
    /// `bootstrap.servers` as written.
    pub servers: String,
    pub config: OrderedMap<String, String>,
}

/// What a plan waits for.
pub enum Ask {
    Open(ClientSpec),
    /// The call's number is chosen by who makes it.
    Call(usize, Box<dyn FnOnce(CallId) -> Order>),
    /// `send()` for each record; the ledger numbers them.
    Send(usize, Vec<NewRecord>),
    /// `send()` for each record, without waiting for what becomes of it: that comes to a later [`Ask::Input`].
    Post(usize, NewRecord),
    /// Polls until records come, the time is over (`None`: never) or Ctrl-C is pressed.
    Poll(usize, Option<i64>, Progress),
    /// The next line that is typed, or what became of a record that was posted.
    Input(Progress),
    /// A number below this, from the tool's own draws.
    Draw(u64),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    Opened(usize),
    Refused(ClientError),
    Returned(CallResult),
    Interrupted,
    Drawn(u64),
    /// A record is on its way.
    Posted,
    Input(Input),
}

/// What comes to a tool that reads as it goes.
#[derive(Clone, Debug)]
pub enum Input {
    Line(Rc<str>),
    /// What became of a record that was posted.
    Sent(Rc<NewRecord>, CallResult),
    /// The end of the input, or Ctrl-C.
    End {
        interrupted: bool,
    },
}

/// How far a plan's endless loop is: all that it needs to go on without the answers that it has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rounds so far.
    pub count: i64,
    /// It has asked for a line with its prompt.
    pub prompted: bool,
    /// Nothing more comes in; it waits for what is on its way.
    pub closing: bool,
    /// Exit status.
    pub status: i32,
}

/// An outcome with the log lines that the clients wrote before it, and the wall clock.
#[derive(Clone, Debug)]
pub struct Reply {
    pub outcome: Outcome,
    pub log: Rc<[String]>,
    pub wall_ms: i64,
}

/// Why a plan goes no further.
pub enum Stop {
    Wait(Ask),
    /// Exit status.
    Exit(i32),
}

pub type Run<T> = Result<T, Stop>;

/// Where a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// What a tool has written, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pieces: Vec<(Stream, String)>,
}

impl Output {
    /// Writes more.
    pub fn write(&mut self, stream: Stream, text: &str) {
        match self.pieces.last_mut() {
            Some((last, piece)) if *last == stream => piece.push_str(text),
            _ => self.pieces.push((stream, text.to_string())),
        }
    }

    /// What went to one of the streams.
    pub fn of(&self, stream: Stream) -> String {
        let pieces = self.pieces.iter().filter(|(to, _)| *to == stream);
        pieces.map(|(_, piece)| piece.as_str()).collect()
    }

    /// What a terminal shows from byte `from` on.
    pub fn shown(&self, from: usize) -> String {
        let mut skip = from;
        let mut text = String::new();
        for (_, piece) in &self.pieces {
            text.push_str(piece.get(skip.min(piece.len())..).unwrap_or_default());
            skip = skip.saturating_sub(piece.len());
        }
        text
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|(_, piece)| piece.len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds what was written later.
    pub fn append(&mut self, later: Output) {
        for (stream, piece) in later.pieces {
            self.write(stream, &piece);
        }
    }
}

/// What stands around a tool.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// Files in the working folder.
    pub files: OrderedMap<Rc<str>, Rc<str>>,
    pub stdin: String,
    /// Standard input and output are a terminal.
    pub tty: bool,
    /// Lines are typed while the tool runs, instead of `stdin`.
    pub typed: bool,
}

/// A plan's place of work.
pub struct Desk<'a> {
    pub tool: &'static str,
    /// The tool's table of options.
    pub usage: &'static str,
    pub words: &'a [String],
    pub setting: &'a Setting,
    replies: &'a [Reply],
    used: usize,
    wall_ms: i64,
    resumed: Option<Progress>,
    /// How many replies came before the loop.
    pub looped: Option<usize>,
    pub out: Output,
}

impl<'a> Desk<'a> {
    pub fn new(
        (tool, usage): (&'static str, &'static str),
        words: &'a [String],
        setting: &'a Setting,
        (replies, resumed): (&'a [Reply], Option<Progress>),
        wall_ms: i64,
    ) -> Desk<'a> {
        Desk {
            tool,
            usage,
            words,
            setting,
            replies,
            used: 0,
            wall_ms,
            resumed,
            looped: None,
            out: Output::default(),
        }
    }

    /// The wall clock, in milliseconds since 1970.
    pub fn wall_ms(&self) -> i64 {
        self.wall_ms
    }

    // ---- what it writes ----

    /// A line on standard output.
    pub fn say(&mut self, line: &str) {
        self.print(line);
        self.print("\n");
    }

    /// Text that ends its own lines, on standard output.
    pub fn print(&mut self, text: &str) {
        self.out.write(Stream::Out, text);
    }

    /// A line on standard error.
    pub fn err(&mut self, line: &str) {
        self.err_text(line);
        self.err_text("\n");
    }

    /// Text that ends its own lines, on standard error.
    pub fn err_text(&mut self, text: &str) {
        self.out.write(Stream::Err, text);
    }

    /// A log line on standard error, and what is printed after it.
    pub fn log(&mut self, level: &str, text: &str, logger: &str, after: &str) {
        let line = format!("[{}] {level} {text} ({logger})\n{after}", java::stamp(self.wall_ms));
        self.err_text(&line);
    }

    // ---- how it ends ----

    /// The message and the table of options; exit 1. [CommandLineUtils.printUsageAndExit]
    pub fn usage(&mut self, message: &str) -> Stop {
        self.err(message);
        let usage = self.usage;
        self.err_text(usage);
        Stop::Exit(1)
    }

    /// `--help`, nothing at all, and `--version`. [CommandLineUtils.maybePrintHelpOrVersion]
    ///
    /// # Errors
    /// One of them was asked for.
    pub fn help_or_version(&mut self, options: &Options, about: &str) -> Run<()> {
        if self.words.is_empty() || options.has("help") {
            return Err(self.usage(about));
        }
        if options.has("version") {
            self.say("4.3.1");
            return Err(Stop::Exit(0));
        }
        Ok(())
    }

    /// [CommandLineUtils.checkRequiredArgs]
    ///
    /// # Errors
    /// One is missing.
    pub fn require(&mut self, options: &Options, names: &[&str]) -> Run<()> {
        match names.iter().find(|name| !options.has(name)) {
            Some(name) => Err(self.usage(&format!("Missing required argument \"[{name}]\""))),
            None => Ok(()),
        }
    }

    /// [CommandLineUtils.checkInvalidArgs]
    ///
    /// # Errors
    /// One that must not stand with the option does.
    pub fn refuse(&mut self, options: &Options, used: &str, others: &[&str]) -> Run<()> {
        if !options.has(used) {
            return Ok(());
        }
        match others.iter().find(|name| options.has(name)) {
            Some(name) => Err(self.usage(&format!("Option \"[{used}]\" can't be used with option \"[{name}]\""))),
            None => Ok(()),
        }
    }

    /// An option that cannot be read: the message and the table.
    pub fn option_usage(&mut self, error: &OptionError) -> Stop {
        self.usage(&error.message())
    }

    /// A file of the working folder.
    pub fn file(&self, name: &str) -> Option<&'a str> {
        self.setting.files.get(name).map(|text| &**text)
    }

    // ---- what it asks for ----

    fn next(&mut self) -> Option<Outcome> {
        let reply = self.replies.get(self.used)?;
        self.used += 1;
        self.wall_ms = reply.wall_ms;
        for line in reply.log.iter() {
            self.err(line);
        }
        Some(reply.outcome.clone())
    }

    /// Makes a client: its number, or the exception of its constructor.
    ///
    /// # Errors
    /// It has no answer yet.
    pub fn open(&mut self, spec: ClientSpec) -> Run<Result<usize, ClientError>> {
        match self.next() {
            Some(Outcome::Opened(client)) => Ok(Ok(client)),
            Some(Outcome::Refused(error)) => Ok(Err(error)),
            _ => Err(Stop::Wait(Ask::Open(spec))),
        }
    }

    /// An admin client with these settings.
    ///
    /// # Errors
    /// It has no answer yet.
    pub fn open_admin(
        &mut self,
        servers: &str,
        id: &str,
        config: OrderedMap<String, String>,
    ) -> Run<Result<usize, ClientError>> {
        self.open(ClientSpec {
            kind: Kind::Admin,
            id: id.to_string(),
            servers: servers.to_string(),
            config,
        })
    }

    /// Makes a call on a client.
    ///
    /// # Errors
    /// It has not returned yet.
    pub fn call(&mut self, client: usize, order: impl FnOnce(CallId) -> Order + 'static) -> Run<CallResult> {
        match self.next() {
            Some(Outcome::Returned(result)) => Ok(result),
            Some(Outcome::Interrupted) => Err(Stop::Exit(130)),
            _ => Err(Stop::Wait(Ask::Call(client, Box::new(order)))),
        }
    }

    /// Makes a call on an admin client.
    ///
    /// # Errors
    /// It has not returned yet.
    pub fn admin(&mut self, client: usize, what: AdminCall) -> Run<CallResult> {
        self.call(client, move |call| {
            Order::Admin(crate::kafka::client::admin::AdminOrder { call, what })
        })
    }

    /// Sends records; what became of each.
    ///
    /// # Errors
    /// They have no answer yet.
    pub fn send(&mut self, client: usize, records: Vec<NewRecord>) -> Run<CallResult> {
        match self.next() {
            Some(Outcome::Returned(result)) => Ok(result),
            Some(Outcome::Interrupted) => Err(Stop::Exit(130)),
            _ => Err(Stop::Wait(Ask::Send(client, records))),
        }
    }

    /// Polls: records (none: the time is over), or `None` for Ctrl-C.
    ///
    /// # Errors
    /// Nothing came yet.
    pub fn poll(&mut self, client: usize, timeout_ms: Option<i64>, at: Progress) -> Run<Option<CallResult>> {
        match self.next() {
            Some(Outcome::Returned(result)) => Ok(Some(result)),
            Some(Outcome::Interrupted) => Ok(None),
            _ => Err(Stop::Wait(Ask::Poll(client, timeout_ms, at))),
        }
    }

    /// Where an endless loop begins, or goes on: whenever it asks for more, what came before is forgotten.
    pub fn enter_loop(&mut self) -> Progress {
        self.looped = Some(self.used);
        match self.resumed {
            // What was written before has been taken.
            Some(progress) => {
                self.out = Output::default();
                progress
            }
            None => Progress::default(),
        }
    }

    /// Sends a record and does not wait.
    ///
    /// # Errors
    /// It is not on its way yet.
    pub fn post(&mut self, client: usize, record: NewRecord) -> Run<()> {
        match self.next() {
            Some(Outcome::Posted) => Ok(()),
            _ => Err(Stop::Wait(Ask::Post(client, record))),
        }
    }

    /// The next line, or what became of a record that was posted.
    ///
    /// # Errors
    /// Nothing came yet.
    pub fn input(&mut self, at: Progress) -> Run<Input> {
        match self.next() {
            Some(Outcome::Input(input)) => Ok(input),
            _ => Err(Stop::Wait(Ask::Input(at))),
        }
    }

    /// A number below `n`.
    ///
    /// # Errors
    /// It is not drawn yet.
    pub fn draw(&mut self, n: u64) -> Run<u64> {
        match self.next() {
            Some(Outcome::Drawn(number)) => Ok(number),
            _ => Err(Stop::Wait(Ask::Draw(n))),
        }
    }
}

/// The answer of a kind, or an empty one: a client's answers fit its calls.
pub fn answer<T>(result: CallResult, read: impl FnOnce(&Answer) -> Option<T>) -> Result<Option<T>, ClientError> {
    result.map(|answer| read(&answer))
}
