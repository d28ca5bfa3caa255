//! Whoever speaks HTTP where Kafka is spoken: a browser or health check at a broker's port, a web server or HTTP proxy at
//! a client's bootstrap address.

use super::protocol::data::Foreign;
use super::protocol::{Body, Msg};
use super::wire::{Ctx, Input};
use std::rc::Rc;

/// Its part.
#[derive(Clone, Debug)]
enum Part {
    /// Asks at an address, once.
    Client { host: Rc<str>, port: u16 },
    /// Answers whatever comes to its port.
    Server { port: u16 },
}

/// The process.
#[derive(Clone, Debug)]
pub struct Stranger {
    part: Part,
    /// How its request ended, if it has.
    pub outcome: Option<Outcome>,
}

/// What an HTTP client sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    UnknownHost,
    Refused,
    /// The connection was closed without a byte.
    EmptyReply,
}

impl Stranger {
    /// A client that asks there when it starts.
    pub fn client(host: &str, port: u16) -> Stranger {
        let part = Part::Client {
            host: host.into(),
            port,
        };
        Stranger { part, outcome: None }
    }

    /// A server on that port.
    pub fn server(port: u16) -> Stranger {
        Stranger {
            part: Part::Server { port },
            outcome: None,
        }
    }

    /// Handles one input.
    pub fn handle(&mut self, input: Input, ctx: &mut Ctx) {
        match (&self.part, input) {
            (Part::Client { host, port }, Input::Start) => match ctx.look_up(host) {
                Some(ip) => drop(ctx.dial(ip, *port)),
                None => self.outcome = Some(Outcome::UnknownHost),
            },
            (Part::Client { .. }, Input::Opened(conn)) => ctx.send(conn, message(Foreign::HTTP_GET)),
            (Part::Client { .. }, Input::Refused(_)) => self.outcome = Some(Outcome::Refused),
            (Part::Client { .. }, Input::Closed(_)) => self.outcome = Some(Outcome::EmptyReply),
            (Part::Server { port }, Input::Start) => ctx.listen(*port),
            (Part::Server { .. }, Input::Message(conn, _)) => ctx.send(conn, message(Foreign::HTTP_ANSWER)),
            _ => {}
        }
    }

    /// The process is gone.
    pub fn halt(&mut self) {
        self.outcome = None;
    }
}

fn message(foreign: Foreign) -> Msg {
    Msg {
        correlation: 0,
        client: "".into(),
        body: Body::from(foreign),
    }
}
