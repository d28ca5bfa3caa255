//! Any process of the world, under one type for the kernel.

use crate::kafka::broker::Broker;
use crate::kafka::client::admin::Admin;
use crate::kafka::client::consumer::Consumer;
use crate::kafka::client::producer::Producer;
use crate::kafka::controller::Controller;
use crate::kafka::wire::Kafka;
use crate::sim::{Ctx, Halt, Input, Process};

/// One process.
#[derive(Clone)]
pub enum Node {
    Broker(Box<Broker>),
    Controller(Box<Controller>),
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
    Admin(Box<Admin>),
}

impl Process for Node {
    type Wire = Kafka;

    fn handle(&mut self, input: Input<Kafka>, ctx: &mut Ctx<'_, Kafka>) {
        match self {
            Node::Broker(process) => process.handle(input, ctx),
            Node::Controller(process) => process.handle(input, ctx),
            Node::Producer(process) => process.handle(input, ctx),
            Node::Consumer(process) => process.handle(input, ctx),
            Node::Admin(process) => process.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Broker(process) => process.halt(how),
            Node::Controller(process) => process.halt(how),
            Node::Producer(process) => process.halt(how),
            Node::Consumer(process) => process.halt(how),
            Node::Admin(process) => process.halt(how),
        }
    }
}
