//! One request that nginx passes to an upstream group: tries, causes to go on, status, and what the error log says.

use super::config::{Causes, Proxy};
use super::group::{Place, Search, Upstream};
use crate::sim::clock::{Span, Time};
use std::net::{IpAddr, Ipv4Addr};

/// What nginx knows of the client's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub address: IpAddr,
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query.
    pub uri: String,
}

impl Client {
    /// `GET URI` from this machine.
    pub fn get(uri: impl Into<String>) -> Client {
        Client {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            method: "GET".into(),
            uri: uri.into(),
        }
    }

    /// POST, LOCK and PATCH are not repeated once they were sent.
    fn repeatable(&self) -> bool {
        !matches!(self.method.as_str(), "POST" | "LOCK" | "PATCH")
    }

    /// Puts the variables of the request into a text. A variable that is not known here is empty.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            let braced = rest.starts_with('{');
            rest = rest.strip_prefix('{').unwrap_or(rest);
            let end = rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            out.push_str(&self.variable(&rest[..end]));
            rest = &rest[end..];
            if braced {
                rest = rest.strip_prefix('}').unwrap_or(rest);
            }
        }
        out.push_str(rest);
        out
    }

    fn variable(&self, name: &str) -> String {
        let (path, arguments) = self.uri.split_once('?').unwrap_or((&self.uri, ""));
        match name {
            "request_uri" => self.uri.clone(),
            "uri" | "document_uri" => path.into(),
            "args" | "query_string" => arguments.into(),
            "request_method" => self.method.clone(),
            "remote_addr" => self.address.to_string(),
            _ => name
                .strip_prefix("arg_")
                .and_then(|wanted| {
                    let pairs = arguments.split('&').filter_map(|pair| pair.split_once('='));
                    pairs
                        .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
                        .map(|(_, value)| value.to_string())
                        .next()
                })
                .unwrap_or_default(),
        }
    }
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nobody listens there.
    Refused,
    /// No answer to the connection attempt within `proxy_connect_timeout`.
    ConnectTimeout,
    /// The request could not be written for `proxy_send_timeout`.
    SendTimeout,
    /// No byte of the answer for `proxy_read_timeout`.
    ReadTimeout,
    /// The server closed before the header was complete.
    ClosedEarly,
    /// The connection was reset while nginx waited for the header.
    Reset,
    /// The header cannot be understood.
    InvalidHeader,
    /// A header with this status has come.
    Answered(u16),
    /// The client went away.
    ClientGone,
}

impl Outcome {
    /// What went wrong as the error log has it, without the part `while ...`.
    fn text(self) -> &'static str {
        match self {
            Outcome::Refused => "connect() failed (111: Connection refused)",
            Outcome::ConnectTimeout | Outcome::SendTimeout | Outcome::ReadTimeout => {
                "upstream timed out (110: Connection timed out)"
            }
            Outcome::ClosedEarly => "upstream prematurely closed connection",
            Outcome::Reset => "recv() failed (104: Connection reset by peer)",
            Outcome::InvalidHeader => "upstream sent invalid header",
            Outcome::Answered(_) | Outcome::ClientGone => "",
        }
    }

    /// What nginx was doing then.
    fn action(self) -> &'static str {
        match self {
            Outcome::Refused | Outcome::ConnectTimeout => "connecting to upstream",
            Outcome::SendTimeout => "sending request to upstream",
            _ => "reading response header from upstream",
        }
    }

    fn cause(self) -> Causes {
        match self {
            Outcome::ConnectTimeout | Outcome::SendTimeout | Outcome::ReadTimeout => Causes::TIMEOUT,
            Outcome::InvalidHeader => Causes::INVALID_HEADER,
            Outcome::Answered(status) => Causes::of_status(status).unwrap_or(Causes::NONE),
            _ => Causes::ERROR,
        }
    }

    /// The status that stands for it, if nobody else is asked.
    fn status(self) -> u16 {
        match self {
            Outcome::Answered(status) => status,
            Outcome::ConnectTimeout | Outcome::SendTimeout | Outcome::ReadTimeout => 504,
            Outcome::ClientGone => CLIENT_CLOSED_REQUEST,
            _ => BAD_GATEWAY,
        }
    }

    /// Whether the server had the request, or a part of it.
    fn sent(self) -> bool {
        !matches!(self, Outcome::Refused | Outcome::ConnectTimeout)
    }
}

const BAD_GATEWAY: u16 = 502;
/// nginx's own: nobody receives it, the access log has it.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// How grave a line of the error log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Info,
}

/// A line of the error log, without time, numbers and the request's own part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub level: Level,
    pub text: String,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Connect to this server and send the request; [`Proxied::ended`] takes what comes of it.
    Try(Place),
    /// The client gets this status (the body is the server's, or nginx's own page).
    Finish(u16),
}

/// One try: the server (none: no live upstreams) and its status, as `$upstream_addr` and `$upstream_status` list them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub place: Option<Place>,
    /// 0 as long as it runs.
    pub status: u16,
}

/// A request on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxied {
    client: Client,
    proxy: Proxy,
    started: Time,
    search: Search,
    /// Some try has got the request: from then on a POST is not repeated.
    sent: bool,
    tried: Vec<Tried>,
    log: Vec<LogLine>,
}

impl Proxied {
    /// The request's header (and, buffered, its body) has been read: picks the first server.
    pub fn begin(upstream: &mut Upstream, proxy: Proxy, client: Client, now: Time) -> (Proxied, Step) {
        let mut request = Proxied {
            search: upstream.search(&client, proxy.next_upstream_tries),
            client,
            proxy,
            started: now,
            sent: false,
            tried: Vec::new(),
            log: Vec::new(),
        };
        let step = request.connect(upstream, now);
        (request, step)
    }

    /// The tries so far, in order.
    pub fn tried(&self) -> &[Tried] {
        &self.tried
    }

    /// What it has written into the error log.
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    /// The running try has ended.
    pub fn ended(&mut self, upstream: &mut Upstream, outcome: Outcome, now: Time) -> Step {
        let Some(place) = self.tried.last().and_then(|tried| tried.place) else {
            return Step::Finish(BAD_GATEWAY);
        };
        self.sent = outcome.sent();
        match outcome {
            Outcome::ClientGone => {
                self.note(
                    Level::Info,
                    "client prematurely closed connection, so upstream connection is closed too",
                    outcome,
                );
                upstream.done(place, false, now);
                self.finish(outcome.status())
            }
            Outcome::Answered(status) => match Causes::of_status(status) {
                // The last try's answer goes to the client, listed or not.
                Some(cause) if self.search.tries > 1 && self.may_go_on(cause, now) => {
                    let failed = cause != Causes::HTTP_403 && cause != Causes::HTTP_404;
                    self.next(upstream, place, outcome, failed, now)
                }
                _ => {
                    upstream.done(place, false, now);
                    self.finish(status)
                }
            },
            _ => self.next(upstream, place, outcome, true, now),
        }
    }

    /// Gives the server back and goes on to the next one, if there may be one.
    fn next(&mut self, upstream: &mut Upstream, place: Place, outcome: Outcome, failed: bool, now: Time) -> Step {
        if !outcome.text().is_empty() {
            self.note(Level::Error, outcome.text(), outcome);
        }
        if upstream.done(place, failed, now) {
            self.note(Level::Warn, "upstream server temporarily disabled", outcome);
        }
        self.search.tries = if upstream.single() {
            0
        } else {
            self.search.tries.saturating_sub(1)
        };
        if let Some(last) = self.tried.last_mut() {
            last.status = outcome.status();
        }
        if self.search.tries > 0 && self.may_go_on(outcome.cause(), now) {
            self.connect(upstream, now)
        } else {
            Step::Finish(outcome.status())
        }
    }

    /// Whether the directives allow another try for this cause.
    fn may_go_on(&self, cause: Causes, now: Time) -> bool {
        let cause = if self.sent && !self.client.repeatable() {
            cause.and(Causes::NON_IDEMPOTENT)
        } else {
            cause
        };
        let limit = self.proxy.next_upstream_timeout;
        let late = limit > Span::ZERO && now.since(self.started) >= limit;
        self.proxy.next_upstream.has(cause) && !late
    }

    fn connect(&mut self, upstream: &mut Upstream, now: Time) -> Step {
        let place = upstream.pick(&mut self.search, &self.client, now);
        self.tried.push(Tried { place, status: 0 });
        match place {
            Some(place) => Step::Try(place),
            None => {
                self.note(Level::Error, "no live upstreams", Outcome::Refused);
                self.finish(BAD_GATEWAY)
            }
        }
    }

    fn finish(&mut self, status: u16) -> Step {
        if let Some(last) = self.tried.last_mut() {
            last.status = status;
        }
        Step::Finish(status)
    }

    fn note(&mut self, level: Level, what: &str, outcome: Outcome) {
        self.log.push(LogLine {
            level,
            text: format!("{what} while {}", outcome.action()),
        });
    }
}
