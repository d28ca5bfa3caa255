//! What commands about web servers speak of. Settings are kept as they are written; [`crate::serving::directives`]
//! reads them, at the line and again when the line is done.

use super::{Config, Name};
pub use crate::serving::directives::ServerKind;

/// The pairs of a line's settings, as a server reads its directives.
pub fn words(config: &Config) -> impl Iterator<Item = (&str, &str)> {
    config.iter().map(|(key, value)| (&**key, &**value))
}

/// A command about web servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Web {
    /// `nginx web worker_processes=2`, `httpd`, `app`, `proxy`.
    Server {
        kind: ServerKind,
        names: Vec<Name>,
        on: Option<Name>,
        /// An application that hands its requests on to a topic, by a producer: `topic=loan_request producer=p1`.
        hand_on: Option<(Name, Name)>,
        config: Config,
    },
    /// `upstream web/loans method=least_conn`.
    Upstream { group: GroupName, config: Config },
    /// `server web/loans a1 weight=5`.
    Member {
        group: GroupName,
        host: Name,
        config: Config,
    },
    /// `location web /loan proxy_pass=loans`.
    Location { server: Name, prefix: Name, config: Config },
    /// `browser people target=web clients=50`.
    Browser {
        names: Vec<Name>,
        on: Option<Name>,
        config: Config,
    },
    /// `request people /loan "kim"`, `request people POST /loan "kim"`.
    Request(WebRequest),
    /// `reload web`.
    Reload { servers: Vec<Name> },
    /// `kill-worker web`.
    KillWorker { servers: Vec<Name> },
}

/// An upstream group of a server, `web/loans`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName {
    pub server: Name,
    pub group: Name,
}

/// One request that somebody makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebRequest {
    pub client: Name,
    pub method: Name,
    pub path: Name,
    /// What it is called in checks; the lab gives a name to one that has none.
    pub text: Option<Name>,
    /// Bytes of its body.
    pub body: u32,
    pub count: u32,
}

/// A number that a server or its clients have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebNumber {
    Processes,
    Threads,
    /// KiB, by the cost model.
    Memory,
    /// Connections in the accept queue.
    Queued,
    Accepted,
    Asked,
    Answered,
    Unanswered,
    /// Milliseconds.
    P50,
    P95,
    P99,
}

impl WebNumber {
    /// The subject's word, and whether it is a client's (else a server's).
    pub const ALL: [(&'static str, WebNumber, bool); 11] = [
        ("processes", WebNumber::Processes, false),
        ("threads", WebNumber::Threads, false),
        ("memory", WebNumber::Memory, false),
        ("queued", WebNumber::Queued, false),
        ("accepted", WebNumber::Accepted, false),
        ("asked", WebNumber::Asked, true),
        ("answered", WebNumber::Answered, true),
        ("unanswered", WebNumber::Unanswered, true),
        ("p50", WebNumber::P50, true),
        ("p95", WebNumber::P95, true),
        ("p99", WebNumber::P99, true),
    ];

    pub fn name(self) -> &'static str {
        WebNumber::ALL
            .iter()
            .find(|(_, number, _)| *number == self)
            .map_or("", |(name, ..)| name)
    }
}
