//! Publishers and subscribers against the broker, in a world of their own.

use super::Client;
use super::publisher::{Publisher, PublisherOrder, PublisherSettings};
use super::relay::{Relay, RelayOrder};
use super::subscriber::{AckMode, Subscriber, SubscriberSettings};
use crate::ordered::OrderedMap;
use crate::rabbit::broker::Broker;
use crate::rabbit::message::Properties;
use crate::rabbit::note::{Fact, Note};
use crate::rabbit::protocol::{DeclareQueue, Method};
use crate::rabbit::value::Table;
use crate::rabbit::wire::{Order, Rabbit};
use crate::sim::{Ctx, Halt, HostId, Input, ProcId, Process, Sim, Span};
use std::rc::Rc;

#[derive(Clone)]
enum Node {
    Broker(Box<Broker>),
    Relay(Relay),
    Publisher(Client<Publisher>),
    Subscriber(Client<Subscriber>),
}

impl Process for Node {
    type Wire = Rabbit;

    fn handle(&mut self, input: Input<Rabbit>, ctx: &mut Ctx<'_, Rabbit>) {
        match self {
            Node::Broker(process) => process.handle(input, ctx),
            Node::Relay(process) => process.handle(input, ctx),
            Node::Publisher(process) => process.handle(input, ctx),
            Node::Subscriber(process) => process.handle(input, ctx),
        }
    }

    fn halt(&mut self, how: Halt) {
        match self {
            Node::Broker(process) => process.halt(how),
            Node::Relay(process) => process.halt(how),
            Node::Publisher(process) => process.halt(how),
            Node::Subscriber(process) => process.halt(how),
        }
    }
}

struct World {
    sim: Sim<Node>,
    server: HostId,
    broker: ProcId,
    /// How often each message was worked on.
    worked: OrderedMap<u32, u32>,
    confirmed: Vec<u32>,
}

impl World {
    /// A broker with a durable queue `q`.
    fn new() -> World {
        let mut sim = Sim::new(1);
        let server = sim.add_host("r1");
        let broker = sim.add("r1", server, Node::Broker(Box::default()));
        sim.start(broker);
        let mut world = World {
            sim,
            server,
            broker,
            worked: OrderedMap::new(),
            confirmed: Vec::new(),
        };
        let operator = world.add("operator", |server| Node::Relay(Relay::new(server)));
        let declare = DeclareQueue {
            queue: "q".into(),
            passive: false,
            durable: true,
            exclusive: false,
            auto_delete: false,
            arguments: Table::default(),
        };
        world.sim.order(operator, Order::Relay(RelayOrder::Connect(0)));
        for method in [Method::OpenChannel, Method::DeclareQueue(declare)] {
            world.sim.order(operator, Order::Relay(RelayOrder::Say(0, 1, method)));
        }
        world.run(Span::ms(50));
        world
    }

    fn add(&mut self, name: &str, node: impl FnOnce(HostId) -> Node) -> ProcId {
        let host = self.sim.add_host(name);
        let id = self.sim.add(name, host, node(self.server));
        self.sim.start(id);
        id
    }

    fn publisher(&mut self, confirm: bool) -> ProcId {
        let settings = PublisherSettings {
            confirm,
            ..PublisherSettings::default()
        };
        self.add("api", |server| {
            Node::Publisher(Client::new(server, Publisher::new(settings)))
        })
    }

    fn subscriber(&mut self, name: &str, ack: AckMode) -> ProcId {
        let settings = SubscriberSettings {
            queue: "q".into(),
            tag: name.into(),
            prefetch: 1,
            work: Span::ms(100),
            ack,
            ..SubscriberSettings::default()
        };
        self.add(name, |server| {
            Node::Subscriber(Client::new(server, Subscriber::new(settings)))
        })
    }

    fn publish(&mut self, publisher: ProcId, origin: u32, persistent: bool) {
        let properties = Properties {
            delivery_mode: persistent.then_some(2),
            ..Properties::default()
        };
        let order = PublisherOrder {
            origin,
            exchange: "".into(),
            key: "q".into(),
            properties: Rc::new(properties),
            body: format!("m{origin}").into(),
        };
        self.sim.order(publisher, Order::Publisher(order));
    }

    fn run(&mut self, span: Span) {
        let until = self.sim.now() + span;
        while self.sim.step_until(until).is_some() {
            for (_, note) in self.sim.take_notes() {
                match note {
                    Note::Fact(Fact::Worked { origin, .. }) => *self.worked.entry(origin).or_insert(0) += 1,
                    Note::Fact(Fact::Confirmed { origin }) => self.confirmed.push(origin),
                    _ => {}
                }
            }
        }
        self.sim.pass_to(until);
    }

    fn ready(&self) -> usize {
        match self.sim.process(self.broker) {
            Node::Broker(broker) => broker.queue("q").map_or(0, |queue| queue.ready()),
            _ => 0,
        }
    }
}

#[test]
fn a_crash_before_the_ack_means_once_more_and_after_it_never() {
    for (ack, times) in [(AckMode::After, 1), (AckMode::Before, 0), (AckMode::Auto, 0)] {
        let mut world = World::new();
        let publisher = world.publisher(true);
        let first = world.subscriber("s1", ack);
        world.run(Span::ms(50));
        world.publish(publisher, 1, true);
        world.run(Span::ms(50));
        world.sim.halt(first, Halt::Crash);
        world.subscriber("s2", AckMode::After);
        world.run(Span::secs(2));
        assert_eq!(world.worked.get(&1).copied().unwrap_or(0), times, "{ack:?}");
        assert_eq!(world.ready(), 0);
    }
}

#[test]
fn a_publisher_with_confirms_publishes_again_what_a_crash_lost() {
    for (confirm, found) in [(true, 2), (false, 1)] {
        let mut world = World::new();
        let publisher = world.publisher(confirm);
        world.run(Span::ms(50));
        world.publish(publisher, 1, true);
        world.run(Span::secs(1));
        // The second is in the broker's memory, not yet written.
        world.publish(publisher, 2, true);
        world.run(Span::ms(1));
        world.sim.halt(world.broker, Halt::Crash);
        world.sim.start(world.broker);
        world.run(Span::secs(20));
        assert_eq!(world.ready(), found, "confirm: {confirm}");
        assert_eq!(world.confirmed, if confirm { vec![1, 2] } else { vec![] });
    }
}

#[test]
fn only_persistent_messages_survive_a_crash() {
    let mut world = World::new();
    let publisher = world.publisher(true);
    world.run(Span::ms(50));
    for origin in 1..=6 {
        world.publish(publisher, origin, origin % 2 == 0);
    }
    world.run(Span::secs(1));
    assert_eq!((world.confirmed.len(), world.ready()), (6, 6));
    world.sim.halt(world.broker, Halt::Crash);
    world.sim.start(world.broker);
    world.run(Span::secs(1));
    assert_eq!(world.ready(), 3);
}

/// A consumer that is cut off holds its messages until the broker misses its heartbeats.
#[test]
fn a_silent_consumers_messages_return_after_two_heartbeats() {
    let mut world = World::new();
    let publisher = world.publisher(false);
    let subscriber = world.subscriber("s1", AckMode::After);
    world.run(Span::secs(1));
    world.sim.freeze(subscriber);
    world.publish(publisher, 1, true);
    world.run(Span::secs(60));
    assert_eq!(world.ready(), 0);
    world.run(Span::secs(120));
    assert_eq!(world.ready(), 1);
}
