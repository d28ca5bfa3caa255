//! Any process of the world, under one type for the kernel.

use super::wire::Lab;
use crate::kafka::broker::Broker;
use crate::kafka::client::admin::Admin;
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::producer::Producer;
use crate::kafka::controller::Controller;
use crate::kafka::stranger::Stranger;
use crate::rabbit;
use crate::rabbit::client::Client;
use crate::rabbit::client::operator::Operator;
use crate::rabbit::client::publisher::Publisher;
use crate::rabbit::client::subscriber::Subscriber;
use crate::serving::client::Clients;
use crate::serving::server::WebServer;
use crate::sim::world::Core;
use crate::sim::{Halt, Input, ProcId, Process, Resident};

/// One process.
#[derive(Clone)]
pub enum Node {
    Broker(Box<Broker>),
    Controller(Box<Controller>),
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
    Admin(Box<Admin>),
    Rabbit(Box<rabbit::broker::Broker>),
    Publisher(Box<Client<Publisher>>),
    Web(Box<WebServer>),
    Browser(Box<Clients>),
    Subscriber(Box<Client<Subscriber>>),
    Operator(Box<Client<Operator>>),
    /// Speaks HTTP to Kafka.
    Stranger(Box<Stranger>),
}

impl Resident for Node {
    type Wire = Lab;

    fn receive(&mut self, input: Input<Lab>, core: &mut Core<Lab>, me: ProcId) {
        match self {
            Node::Broker(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Controller(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Producer(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Consumer(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Admin(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Rabbit(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Publisher(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Subscriber(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Web(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Browser(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Operator(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
            Node::Stranger(process) => core.hand(me, input, |input, ctx| process.handle(input, ctx)),
        }
    }

    fn end(&mut self, how: Halt) {
        match self {
            Node::Broker(process) => process.halt(how),
            Node::Controller(process) => process.halt(how),
            Node::Producer(process) => process.halt(how),
            Node::Consumer(process) => process.halt(how),
            Node::Admin(process) => process.halt(how),
            Node::Rabbit(process) => process.halt(how),
            Node::Publisher(process) => process.halt(how),
            Node::Subscriber(process) => process.halt(how),
            Node::Web(process) => process.halt(how),
            Node::Browser(process) => process.halt(how),
            Node::Operator(process) => process.halt(how),
            Node::Stranger(process) => process.halt(),
        }
    }
}
