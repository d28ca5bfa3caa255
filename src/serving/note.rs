//! Observations: what servers, proxies and clients report while they handle an input. The ledger lives on [`Fact`]s.

use super::rules;
use super::server::cache::CacheStatus;
use crate::sim::rule::{Rule, Weight};
use std::rc::Rc;

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    Fact(Fact),
    Server(ServerNote),
}

/// What the ledger must know of a request, by its number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A client has sent it.
    Asked { request: u32 },
    /// A server has read its head.
    Received { request: u32 },
    /// Code of a server waits for something outside on its behalf.
    Outside { request: u32 },
    /// A proxy passes it on.
    Passed { request: u32, to: Rc<str> },
    /// A server has answered it, as its access log says.
    Logged { request: u32, status: u16, took_us: u64 },
    /// The client has the whole answer.
    Answered { request: u32, status: u16, took_us: u64 },
    /// The client has given up, or was left without a whole answer.
    Failed { request: u32, why: Failure },
}

/// How a request ends without an answer, as a client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The name of the server or the proxy is not known.
    UnknownHost,
    Refused,
    /// No connection within the client's time.
    ConnectTimeout,
    /// A connection, but no whole answer within the client's time.
    Timeout,
    /// The connection ended before an answer.
    EmptyReply,
    /// The connection ended inside the answer.
    Truncated,
}

impl Failure {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Failure::UnknownHost => "unknown-host",
            Failure::Refused => "refused",
            Failure::ConnectTimeout => "connect-timeout",
            Failure::Timeout => "timeout",
            Failure::EmptyReply => "empty-reply",
            Failure::Truncated => "truncated",
        }
    }

    /// As `curl` says it.
    pub fn text(self) -> &'static str {
        match self {
            Failure::UnknownHost => "curl: (6) Could not resolve host",
            Failure::Refused => "curl: (7) Failed to connect: Connection refused",
            Failure::ConnectTimeout => "curl: (28) Connection timed out",
            Failure::Timeout => "curl: (28) Operation timed out",
            Failure::EmptyReply => "curl: (52) Empty reply from server",
            Failure::Truncated => "curl: (18) transfer closed with outstanding read data remaining",
        }
    }
}

/// What a person follows at a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerNote {
    /// It does not start; the line says why.
    NotStarted { line: Rc<str> },
    /// A line of its error log.
    ErrorLog { level: &'static str, line: Rc<str> },
    /// The accept queue is full (or has room again): the kernel drops new handshakes.
    Backlog { full: bool },
    /// A connection waits in the accept queue: nobody is free to take it.
    Waits { queued: u32 },
    /// Apache's parent has forked so many children.
    Forked { children: u32, all: u32 },
    /// Apache's parent ends a child: too many are idle.
    Ended { all: u32 },
    /// What the cache had.
    Cached { request: u32, status: CacheStatus },
    /// An idle connection has been closed after its time.
    IdleClosed,
    /// `limit_req` holds a request back.
    Delayed { request: u32, us: u64 },
    /// A worker died; the master has a new one.
    WorkerDied { lost: u32 },
}

impl Fact {
    /// The request that it is about.
    pub fn request(&self) -> u32 {
        match self {
            Fact::Asked { request }
            | Fact::Received { request }
            | Fact::Outside { request }
            | Fact::Passed { request, .. }
            | Fact::Logged { request, .. }
            | Fact::Answered { request, .. }
            | Fact::Failed { request, .. } => *request,
        }
    }

    fn rule(&self) -> &'static Rule {
        match self {
            Fact::Asked { .. } | Fact::Answered { .. } => &rules::REQUEST,
            Fact::Received { .. } | Fact::Outside { .. } => &rules::ONE_AT_A_TIME,
            Fact::Passed { .. } => &rules::PICK,
            Fact::Logged { status: 499, .. } => &rules::CLIENT_CLOSED,
            Fact::Logged { status: 502 | 504, .. } => &rules::BAD_GATEWAY,
            Fact::Logged { .. } => &rules::REQUEST,
            Fact::Failed { .. } => &rules::CLIENT_FAILURE,
        }
    }

    fn weight(&self) -> Weight {
        match self {
            Fact::Failed { .. } => Weight::Alarm,
            Fact::Logged { status, .. } | Fact::Answered { status, .. } if *status >= 400 => Weight::Matters,
            _ => Weight::Detail,
        }
    }

    fn text(&self) -> String {
        match self {
            Fact::Asked { request } => format!("request {request} sent"),
            Fact::Received { request } => format!("request {request} read"),
            Fact::Outside { request } => format!("request {request} waits for something outside"),
            Fact::Passed { request, to } => format!("request {request} passed to {to}"),
            Fact::Logged {
                request,
                status,
                took_us,
            } => format!("request {request}: {status} after {}", milliseconds(*took_us)),
            Fact::Answered {
                request,
                status,
                took_us,
            } => format!("request {request} answered: {status} after {}", milliseconds(*took_us)),
            Fact::Failed { request, why } => format!("request {request}: {}", why.text()),
        }
    }
}

fn milliseconds(us: u64) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}

impl ServerNote {
    fn rule(&self) -> &'static Rule {
        match self {
            ServerNote::NotStarted { .. } => &rules::START,
            ServerNote::ErrorLog { .. } => &rules::ERROR_LOG,
            ServerNote::Backlog { .. } => &rules::BACKLOG,
            ServerNote::Waits { .. } => &rules::ACCEPT_QUEUE,
            ServerNote::Forked { .. } | ServerNote::Ended { .. } => &rules::SPARE,
            ServerNote::Cached { .. } => &rules::CACHE,
            ServerNote::IdleClosed => &rules::KEEPALIVE,
            ServerNote::Delayed { .. } => &rules::LIMIT_REQ,
            ServerNote::WorkerDied { .. } => &rules::WORKER_DIED,
        }
    }

    fn weight(&self) -> Weight {
        match self {
            ServerNote::NotStarted { .. } | ServerNote::WorkerDied { .. } => Weight::Alarm,
            ServerNote::Backlog { full: true } => Weight::Alarm,
            ServerNote::ErrorLog { level, .. } if matches!(*level, "info" | "notice") => Weight::Detail,
            ServerNote::Waits { queued } if *queued > 1 => Weight::Idle,
            ServerNote::Cached { .. } | ServerNote::IdleClosed | ServerNote::Delayed { .. } => Weight::Detail,
            _ => Weight::Matters,
        }
    }

    fn text(&self) -> String {
        match self {
            ServerNote::NotStarted { line } => format!("does not start: {line}"),
            ServerNote::ErrorLog { level, line } => format!("[{level}] {line}"),
            ServerNote::Backlog { full: true } => "accept queue full: handshakes are dropped".into(),
            ServerNote::Backlog { full: false } => "accept queue has room again".into(),
            ServerNote::Waits { queued } => format!("{queued} in the accept queue: nobody is free"),
            ServerNote::Forked { children, all } => format!("{children} forked, {all} children"),
            ServerNote::Ended { all } => format!("a spare child ended, {all} children"),
            ServerNote::Cached { request, status } => format!("request {request}: cache {}", status.name()),
            ServerNote::IdleClosed => "an idle connection closed after its time".into(),
            ServerNote::Delayed { request, us } => format!("request {request} held back for {}", milliseconds(*us)),
            ServerNote::WorkerDied { lost } => format!("a worker died with {lost} connections; another one is forked"),
        }
    }
}

impl Note {
    /// The rule that made it.
    pub fn rule(&self) -> &'static Rule {
        match self {
            Note::Fact(fact) => fact.rule(),
            Note::Server(note) => note.rule(),
        }
    }

    pub fn weight(&self) -> Weight {
        match self {
            Note::Fact(fact) => fact.weight(),
            Note::Server(note) => note.weight(),
        }
    }

    /// What happened, in the field's words.
    pub fn text(&self) -> String {
        match self {
            Note::Fact(fact) => fact.text(),
            Note::Server(note) => note.text(),
        }
    }
}

impl From<Fact> for Note {
    fn from(fact: Fact) -> Note {
        Note::Fact(fact)
    }
}

impl From<ServerNote> for Note {
    fn from(note: ServerNote) -> Note {
        Note::Server(note)
    }
}
