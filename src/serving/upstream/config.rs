//! What the configuration says of an upstream group and of the requests that are passed to it.

use crate::sim::clock::Span;

/// A `server` line with its defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What people call it.
    pub name: String,
    /// The address as the line has it: `hash ... consistent` depends on its text.
    pub address: String,
    pub weight: u32,
    /// Failures within `fail_timeout` after which it is left out; 0: never.
    pub max_fails: u32,
    /// Whole seconds: the window in which failures count, and for how long it is left out.
    pub fail_timeout_s: u32,
    /// Requests at a time; 0: no limit.
    pub max_conns: u32,
    pub backup: bool,
    pub down: bool,
}

impl Server {
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Server {
        Server {
            name: name.into(),
            address: address.into(),
            weight: 1,
            max_fails: 1,
            fail_timeout_s: 10,
            max_conns: 0,
            backup: false,
            down: false,
        }
    }
}

/// The balancing method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    RoundRobin,
    LeastConn,
    IpHash,
    /// `hash KEY`; the key is a text with variables.
    Hash {
        key: String,
        consistent: bool,
    },
}

impl Method {
    /// Reads the directive: nothing or `round_robin`, `least_conn`, `ip_hash`, `hash KEY [consistent]`.
    ///
    /// # Errors
    /// Says what is wrong with it and what there is.
    pub fn parse(text: &str) -> Result<Method, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [] | ["round_robin"] => Ok(Method::RoundRobin),
            ["least_conn"] => Ok(Method::LeastConn),
            ["ip_hash"] => Ok(Method::IpHash),
            ["hash", key] => Ok(Method::Hash {
                key: (*key).to_string(),
                consistent: false,
            }),
            ["hash", key, "consistent"] => Ok(Method::Hash {
                key: (*key).to_string(),
                consistent: true,
            }),
            _ => Err(format!(
                "no balancing method `{text}`; there are round_robin, least_conn, ip_hash, hash KEY [consistent]"
            )),
        }
    }
}

/// A set of reasons to go on to the next server, as `proxy_next_upstream` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Causes(u16);

/// The words of `proxy_next_upstream`, in the order of their bits; those with a status come from the answer.
const WORDS: [(&str, u16); 12] = [
    ("error", 0),
    ("timeout", 0),
    ("invalid_header", 0),
    ("http_500", 500),
    ("http_502", 502),
    ("http_503", 503),
    ("http_504", 504),
    ("http_403", 403),
    ("http_404", 404),
    ("http_429", 429),
    ("non_idempotent", 0),
    ("updating", 0),
];

impl Causes {
    pub const NONE: Causes = Causes(0);
    pub const ERROR: Causes = Causes(1);
    pub const TIMEOUT: Causes = Causes(1 << 1);
    pub const INVALID_HEADER: Causes = Causes(1 << 2);
    pub const HTTP_403: Causes = Causes(1 << 7);
    pub const HTTP_404: Causes = Causes(1 << 8);
    pub const NON_IDEMPOTENT: Causes = Causes(1 << 10);

    /// Reads the words of the directive; `off` anywhere takes all others away.
    ///
    /// # Errors
    /// Names the word that is not one of them.
    pub fn parse(text: &str) -> Result<Causes, String> {
        let mut causes = Causes::NONE;
        let mut off = false;
        for word in text.split_whitespace() {
            if word == "off" {
                off = true;
                continue;
            }
            let bit = WORDS
                .iter()
                .position(|(known, _)| *known == word)
                .ok_or_else(|| format!("invalid value \"{word}\" in \"proxy_next_upstream\" directive"))?;
            causes.0 |= 1 << bit;
        }
        Ok(if off { Causes::NONE } else { causes })
    }

    /// The cause that stands for an answered status, if the directive has a word for it.
    pub fn of_status(status: u16) -> Option<Causes> {
        WORDS
            .iter()
            .position(|(_, of)| *of == status && status != 0)
            .map(|bit| Causes(1 << bit))
    }

    pub fn and(self, other: Causes) -> Causes {
        Causes(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub fn has(self, other: Causes) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The `proxy_*` directives that decide about tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy {
    pub next_upstream: Causes,
    /// Tries in one request; 0: as many as there are servers.
    pub next_upstream_tries: u32,
    /// No further try after this; zero: no limit.
    pub next_upstream_timeout: Span,
    pub connect_timeout: Span,
    pub send_timeout: Span,
    /// Between two reads of the answer.
    pub read_timeout: Span,
}

impl Default for Proxy {
    fn default() -> Proxy {
        Proxy {
            next_upstream: Causes::ERROR.and(Causes::TIMEOUT),
            next_upstream_tries: 0,
            next_upstream_timeout: Span::ZERO,
            connect_timeout: Span::secs(60),
            send_timeout: Span::secs(60),
            read_timeout: Span::secs(60),
        }
    }
}

impl Proxy {
    /// Takes over one directive.
    ///
    /// # Errors
    /// An unknown directive or a value it cannot have, in nginx's words.
    pub fn set(&mut self, directive: &str, value: &str) -> Result<(), String> {
        let time = || milliseconds(value).ok_or_else(|| format!("\"{directive}\" directive invalid value"));
        match directive {
            "proxy_next_upstream" => self.next_upstream = Causes::parse(value)?,
            "proxy_next_upstream_tries" => {
                self.next_upstream_tries = value.parse().map_err(|_| "invalid number".to_string())?;
            }
            "proxy_next_upstream_timeout" => self.next_upstream_timeout = time()?,
            "proxy_connect_timeout" => self.connect_timeout = time()?,
            "proxy_send_timeout" => self.send_timeout = time()?,
            "proxy_read_timeout" => self.read_timeout = time()?,
            _ => return Err(format!("unknown directive \"{directive}\"")),
        }
        Ok(())
    }
}

/// nginx's spelling of a time: `200ms`, `3s`, `1m30s`, `60` (seconds).
pub(in crate::serving) fn milliseconds(text: &str) -> Option<Span> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, length) = match rest.as_bytes() {
            [b'm', b's', ..] => (1, 2),
            [b's', ..] => (1_000, 1),
            [b'm', ..] => (60_000, 1),
            [b'h', ..] => (3_600_000, 1),
            [b'd', ..] => (86_400_000, 1),
            [] | [b' ', ..] => (1_000, 0),
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = rest[length..].trim_start();
    }
    Some(Span::ms(total))
}
