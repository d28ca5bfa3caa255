//! The fate of every request that a line made, and what an application hands on to Kafka on behalf of one.
//!
//! Requests that clients make by themselves are counted by those clients; they have no entry here.

use super::language::ast::Name;
use super::ledger::RecordId;
use super::node::Node;
use super::world::{Role, World};
use crate::kafka::note::{Fact as KafkaFact, Note as KafkaNote};
use crate::ordered::OrderedMap;
use crate::serving::client::Clients;
use crate::serving::note::{Fact, Failure, Note};
use crate::serving::server::{ServerOrder, WebServer};
use crate::serving::wire::Order;
use crate::sim::ProcId;
use std::rc::Rc;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Status(u16),
    Failed(Failure),
}

impl Outcome {
    /// A status, or a word for how it failed.
    pub fn text(self) -> String {
        match self {
            Outcome::Status(status) => status.to_string(),
            Outcome::Failed(failure) => failure.word().into(),
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is called in checks.
    pub text: Name,
    pub client: ProcId,
    /// The servers that proxies passed it to, in order.
    pub tried: Vec<Rc<str>>,
    pub outcome: Option<Outcome>,
    pub took_us: u64,
}

/// Where an application hands its requests on to: a topic, by a producer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOn {
    pub topic: Name,
    pub producer: Name,
}

/// What is to be done when an event is over.
#[derive(Clone, Copy, Debug)]
enum Pending {
    Produce { app: ProcId, request: u32 },
    Answer { app: ProcId, request: u32, status: u16 },
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    all: Rc<Vec<Request>>,
    hand_on: Rc<OrderedMap<ProcId, HandOn>>,
    /// Records that stand for a request at an application.
    underway: Rc<OrderedMap<RecordId, (ProcId, u32)>>,
    pending: Vec<Pending>,
}

impl Requests {
    /// Takes up a request; its number.
    pub fn make(&mut self, text: Name, client: ProcId) -> u32 {
        let all = Rc::make_mut(&mut self.all);
        all.push(Request {
            text,
            client,
            tried: Vec::new(),
            outcome: None,
            took_us: 0,
        });
        all.len() as u32
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// With their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u32, &Request)> {
        (1..).zip(self.all.iter()).collect::<Vec<_>>().into_iter()
    }

    /// The newest with that text.
    pub fn named(&self, text: &str) -> Option<&Request> {
        self.all.iter().rev().find(|request| &*request.text == text)
    }

    /// The request of a number, if a line made it.
    pub fn get(&self, number: u32) -> Option<&Request> {
        self.all.get((number as usize).checked_sub(1)?)
    }

    fn edit(&mut self, number: u32, change: impl FnOnce(&mut Request)) {
        let index = (number as usize).wrapping_sub(1);
        if index < self.all.len()
            && let Some(request) = Rc::make_mut(&mut self.all).get_mut(index)
        {
            change(request);
        }
    }

    /// The application's requests go on to a topic from now on.
    pub fn hand_on(&mut self, app: ProcId, to: HandOn) {
        Rc::make_mut(&mut self.hand_on).insert(app, to);
    }

    fn observe(&mut self, who: ProcId, fact: &Fact) {
        match fact {
            Fact::Passed { request, to } => self.edit(*request, |known| known.tried.push(to.clone())),
            Fact::Answered {
                request,
                status,
                took_us,
            } => self.edit(*request, |known| {
                known.outcome = Some(Outcome::Status(*status));
                known.took_us = *took_us;
            }),
            Fact::Failed { request, why } => {
                self.edit(*request, |known| known.outcome = Some(Outcome::Failed(*why)));
            }
            Fact::Outside { request } if self.hand_on.contains_key(&who) => {
                self.pending.push(Pending::Produce {
                    app: who,
                    request: *request,
                });
            }
            Fact::Asked { .. } | Fact::Received { .. } | Fact::Logged { .. } | Fact::Outside { .. } => {}
        }
    }

    /// A producer was told what became of its record: so is who waits for it.
    fn observe_record(&mut self, fact: &KafkaFact) {
        let (record, status) = match fact {
            KafkaFact::Acknowledged { origin, .. } => (*origin, ACCEPTED),
            KafkaFact::Failed { origin, .. } => (*origin, UNAVAILABLE),
            _ => return,
        };
        if !self.underway.contains_key(&record) {
            return;
        }
        if let Some((app, request)) = Rc::make_mut(&mut self.underway).remove(&record) {
            self.pending.push(Pending::Answer { app, request, status });
        }
    }
}

/// The application has handed the request on.
const ACCEPTED: u16 = 202;
/// It could not.
const UNAVAILABLE: u16 = 503;

impl World {
    /// A web server, proxy or application.
    pub fn web_server(&self, id: ProcId) -> Option<&WebServer> {
        match self.sim.process(id) {
            Node::Web(server) => Some(server),
            _ => None,
        }
    }

    /// The clients of one `browser` line.
    pub fn browser(&self, id: ProcId) -> Option<&Clients> {
        match self.sim.process(id) {
            Node::Browser(clients) => Some(clients),
            _ => None,
        }
    }

    pub(super) fn observe_serving(&mut self, who: ProcId, note: &Note) {
        if let Note::Fact(fact) = note {
            self.requests.observe(who, fact);
        }
    }

    pub(super) fn observe_handed_on(&mut self, note: &KafkaNote) {
        if let KafkaNote::Fact(fact) = note
            && !self.requests.underway.is_empty()
        {
            self.requests.observe_record(fact);
        }
    }

    /// What applications do because of what was observed. True if there was something.
    pub(super) fn hand_on(&mut self) -> bool {
        let pending = std::mem::take(&mut self.requests.pending);
        let any = !pending.is_empty();
        for what in pending {
            match what {
                Pending::Produce { app, request } => self.produce_for(app, request),
                Pending::Answer { app, request, status } => {
                    let done = ServerOrder::Done { request, status };
                    self.sim.order(app, Order::Server(done));
                }
            }
        }
        any
    }

    fn produce_for(&mut self, app: ProcId, request: u32) {
        let Some(to) = self.requests.hand_on.get(&app).cloned() else {
            return;
        };
        let text = self.requests.get(request).map(|known| known.text.to_string());
        let value = text.unwrap_or_else(|| format!("request-{request}"));
        let producer = self.find(&to.producer).filter(|id| self.role(*id) == Role::Producer);
        let record = producer.and_then(|id| self.send_text(id, &to.topic, None, None, Some(&value), Vec::new()));
        match record {
            Some(record) => {
                Rc::make_mut(&mut self.requests.underway).insert(record, (app, request));
            }
            None => {
                let status = UNAVAILABLE;
                self.sim
                    .order(app, Order::Server(ServerOrder::Done { request, status }));
            }
        }
    }
}
