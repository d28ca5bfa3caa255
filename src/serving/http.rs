//! HTTP as far as servers, proxies and their clients act on it: heads with the headers that decide something, bodies as
//! numbers of bytes. No text of a page lives here.

use crate::sim::Payload;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// What fits between a writer and a slow reader before the writer must wait: the sender's and the receiver's socket
/// buffers together. Linux sizes them by itself; this is one fixed size.
pub const SOCKET_BUFFERS: u32 = 128 * 1024;

/// A request, from the moment a client thinks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number in the ledger; what a proxy sends on has the same.
    pub id: u32,
    /// `GET`, `POST`, ...
    pub method: Rc<str>,
    /// The `Host` header.
    pub host: Rc<str>,
    /// Path and query; in a request to a forward proxy the whole URL is named by `absolute`.
    pub uri: Rc<str>,
    /// The request line has the whole URL (`GET http://host/path`): it goes to a forward proxy.
    pub absolute: bool,
    /// Bytes of the body.
    pub body: u32,
    /// The client keeps the connection for another request (HTTP/1.1 without `Connection: close`).
    pub keep_alive: bool,
    /// `X-Forwarded-For`, leftmost first.
    pub forwarded_for: Rc<[Ipv4Addr]>,
    /// `Via`, first proxy first.
    pub via: Rc<[Rc<str>]>,
    /// `X-Real-IP`.
    pub real_ip: Option<Ipv4Addr>,
}

/// Whether and how long an answer may be kept, as its `Cache-Control` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CacheControl {
    /// Nothing is said: kept only where the proxy has a time of its own for it.
    #[default]
    Unsaid,
    /// `max-age` in seconds.
    MaxAge(u32),
    /// `no-store`, `no-cache` or `private`, or a `Set-Cookie`.
    NotStored,
}

/// The head of an answer, with the part of the body that went with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub request: u32,
    pub status: u16,
    /// Bytes of the whole body.
    pub length: u32,
    /// Bytes of it that came with the head.
    pub first: u32,
    /// The server keeps the connection.
    pub keep_alive: bool,
    pub cache: CacheControl,
    /// Who made the answer (`a` of an upstream group), for a person to follow.
    pub by: Rc<str>,
}

/// What travels on a connection.
#[derive(Clone, Debug)]
pub enum Msg {
    /// Some bytes of a request's head, not its end.
    HeadPart,
    /// A request's head is complete.
    Request(Rc<Request>),
    /// Bytes of a request's body.
    Body {
        bytes: u32,
        last: bool,
    },
    Response(Rc<Response>),
    /// More of the answer's body.
    Data {
        bytes: u32,
        last: bool,
    },
    /// The reader has taken so much out of its buffer: the writer may go on (TCP's window).
    Taken {
        bytes: u32,
    },
    /// After `CONNECT`: bytes that the proxy does not look into.
    Tunnel {
        bytes: u32,
    },
}

impl Payload for Msg {
    fn kind(&self) -> &'static str {
        KINDS[usize::from(self.tag())]
    }

    fn tag(&self) -> u8 {
        match self {
            Msg::HeadPart => 0,
            Msg::Request(_) => 1,
            Msg::Body { .. } => 2,
            Msg::Response(_) => 3,
            Msg::Data { .. } => 4,
            Msg::Taken { .. } => 5,
            Msg::Tunnel { .. } => 6,
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            Msg::HeadPart => 10,
            Msg::Request(request) => 120 + request.uri.len() as u32,
            Msg::Response(response) => response.first.saturating_add(180),
            Msg::Body { bytes, .. } | Msg::Data { bytes, .. } | Msg::Tunnel { bytes } => *bytes,
            Msg::Taken { .. } => 40,
        }
    }
}

/// Names of messages by their tags.
pub const KINDS: [&str; 7] = [
    "HttpHeadPart",
    "HttpRequest",
    "HttpBody",
    "HttpResponse",
    "HttpData",
    "TcpWindow",
    "Tunnel",
];
