//! What a server is configured to do: its locations and its upstream groups. Directives have the names that nginx and
//! Apache give them; what they mean for one request is decided in [`server`](super::server).

use super::http::CacheControl;
use super::upstream::{Method, Proxy, Server};
use crate::sim::Span;
use std::rc::Rc;

/// An `upstream NAME { ... }` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: Rc<str>,
    pub method: Method,
    pub servers: Vec<Server>,
    /// `keepalive N`: idle connections kept by each worker; 0: a connection for each request.
    pub keepalive: u32,
}

/// A `location PREFIX { ... }` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub prefix: Rc<str>,
    pub action: Action,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A file in the page cache.
    File { bytes: u32, cache: CacheControl },
    /// Code inside the server: it computes, then waits for something (a database, a sleep) the way such code does, by
    /// holding whatever runs it.
    Work(Work),
    /// `return STATUS`.
    Return(u16),
    /// `proxy_pass`.
    Pass(Pass),
    /// Code that waits for something outside of this process; who plays that says when it has come
    /// ([`ServerOrder::Done`](super::server::ServerOrder)).
    Outside,
    /// The request is read and never answered.
    Hang,
    /// The request is read, then the connection is reset.
    Reset,
}

/// What code inside a server does for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    pub compute: Span,
    pub wait: Span,
    pub status: u16,
    pub bytes: u32,
    pub cache: CacheControl,
}

impl Default for Work {
    fn default() -> Work {
        Work {
            compute: Span::ZERO,
            wait: Span::ZERO,
            status: 200,
            bytes: 1_000,
            cache: CacheControl::Unsaid,
        }
    }
}

/// Where requests are passed on to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    pub to: Target,
    pub proxy: Proxy,
    /// `proxy_request_buffering`: the whole body is read before a server is asked.
    pub request_buffering: bool,
    /// `proxy_buffering`: the answer is read as fast as it comes, whatever the client does.
    pub buffering: bool,
    pub headers: Headers,
    pub cache: Option<CacheRules>,
}

impl Pass {
    pub fn new(to: Target) -> Pass {
        Pass {
            to,
            proxy: Proxy::default(),
            request_buffering: true,
            buffering: true,
            headers: Headers::default(),
            cache: None,
        }
    }
}

/// Whom a proxy asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A reverse proxy: one of a group, by its number.
    Group(usize),
    /// A forward proxy: whom the client names.
    Requested,
}

/// What the proxy tells the server of who asked (`proxy_set_header`); nothing by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// `X-Forwarded-For`: the peer's address appended to what came.
    pub forwarded_for: bool,
    /// `X-Real-IP`: the peer's address.
    pub real_ip: bool,
    /// `Via`.
    pub via: bool,
}

/// The `proxy_cache` directives of a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheRules {
    /// `proxy_cache_valid TIME`: how long an answer with 200, 301 or 302 is kept whose headers say nothing; zero: it is
    /// not kept.
    pub valid: Span,
    /// `inactive`: unused entries leave after it.
    pub inactive: Span,
    /// `proxy_cache_lock`: of simultaneous misses one goes, the others wait up to this; zero: off.
    pub lock_timeout: Span,
    /// `proxy_cache_use_stale error timeout`: an expired answer is better than none.
    pub use_stale: bool,
}

impl Default for CacheRules {
    fn default() -> CacheRules {
        CacheRules {
            valid: Span::ZERO,
            inactive: Span::secs(600),
            lock_timeout: Span::ZERO,
            use_stale: false,
        }
    }
}

/// A server's locations and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    pub locations: Vec<Location>,
    pub groups: Vec<Group>,
}

impl Site {
    /// The location with the longest prefix of the path, as nginx and Apache choose.
    pub fn location(&self, uri: &str) -> Option<&Location> {
        let fitting = self.locations.iter().filter(|at| uri.starts_with(&*at.prefix));
        fitting.max_by_key(|at| at.prefix.len())
    }
}
