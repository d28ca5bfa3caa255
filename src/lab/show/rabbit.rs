//! RabbitMQ's brokers and clients.

use super::{faults, health};
use crate::lab::view::{BindingView, ExchangeView, FlightClass, PublisherView, QueueView, RabbitView, SubscriberView};
use crate::lab::world::{Role, World, lab_us};
use crate::rabbit::arguments::QueueType;
use crate::rabbit::broker::Broker;
use crate::rabbit::client::subscriber::AckMode;
use crate::rabbit::protocol::{Frame, Method, Msg};
use crate::rabbit::queue::Queue;
use crate::rabbit::routing::Target;
use crate::rabbit::routing::bindings::Binding;
use crate::sim::ProcId;

/// Bodies of a queue that are shown.
const FIRST: usize = 12;

fn host(world: &World, id: ProcId) -> String {
    world.sim.network().host(world.sim.host_of(id)).name.to_string()
}

fn last_error(world: &World, id: ProcId) -> Option<String> {
    world.errors.get(&id).map(|error| error.to_string())
}

pub fn rabbits(world: &World) -> Vec<RabbitView> {
    world
        .rabbits()
        .map(|(id, broker)| RabbitView {
            name: world.name(id).to_string(),
            host: host(world, id),
            health: health(world, id),
            since_us: lab_us(world.sim.since(id)),
            exchanges: exchanges(broker),
            queues: broker.queues().map(queue).collect(),
            connections: broker.connection_count(),
            faults: faults::of(world, id),
        })
        .collect()
}

fn exchanges(broker: &Broker) -> Vec<ExchangeView> {
    let topology = broker.topology();
    let all = topology.exchanges.values().map(|exchange| {
        let mine = topology
            .bindings
            .iter()
            .filter(|binding| binding.source == exchange.name);
        ExchangeView {
            name: exchange.name.to_string(),
            kind: exchange.kind.name(),
            durable: exchange.durable,
            alternate: exchange.alternate().map(|name| name.to_string()),
            bindings: mine.map(binding).collect(),
        }
    });
    let own = |exchange: &ExchangeView| exchange.name.is_empty() || exchange.name.starts_with("amq.");
    all.filter(|exchange| !own(exchange) || !exchange.bindings.is_empty())
        .collect()
}

fn binding(binding: &Binding) -> BindingView {
    let headers = binding.arguments.iter().map(|(name, value)| format!("{name}={value}"));
    let headers: Vec<String> = headers.collect();
    BindingView {
        to: binding.target.name().to_string(),
        to_exchange: matches!(binding.target, Target::Exchange(_)),
        pattern: match headers.is_empty() {
            true => binding.key.to_string(),
            false => headers.join(" "),
        },
    }
}

fn queue(queue: &Queue) -> QueueView {
    let first = queue.ready_messages().into_iter().take(FIRST);
    let arguments = queue
        .arguments
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    let consumers = queue.consumers().into_iter();
    QueueView {
        name: queue.name.to_string(),
        kind: match queue.queue_type() {
            QueueType::Classic => "classic",
            QueueType::Quorum => "quorum",
        },
        durable: queue.durable,
        ready: queue.ready(),
        unacked: queue.unacked(),
        first: first.map(|message| message.body.to_string()).collect(),
        consumers: consumers
            .map(|(key, standing)| (key.tag.to_string(), standing.name()))
            .collect(),
        arguments: arguments.collect(),
    }
}

pub fn publishers(world: &World) -> Vec<PublisherView> {
    let all = world.processes().filter(|(_, role)| *role == Role::Publisher);
    let view = |id: ProcId| {
        let client = world.publisher(id)?;
        let (waiting, unconfirmed) = client.application.backlog();
        let settings = client.application.settings();
        let sums = world.ledger.sums_of(world.name(id));
        Some(PublisherView {
            name: world.name(id).to_string(),
            host: host(world, id),
            health: health(world, id),
            connected: client.is_connected(),
            confirm: settings.confirm,
            mandatory: settings.mandatory,
            persistent: settings.persistent,
            waiting,
            unconfirmed,
            sent: sums.sent,
            confirmed: sums.acknowledged,
            lost: sums.lost,
            last_error: last_error(world, id),
            faults: faults::of(world, id),
        })
    };
    all.filter_map(|(id, _)| view(id)).collect()
}

pub fn subscribers(world: &World) -> Vec<SubscriberView> {
    let all = world.processes().filter(|(_, role)| *role == Role::Subscriber);
    let view = |id: ProcId| {
        let client = world.subscriber(id)?;
        let settings = client.application.settings();
        let inbox = client.application.inbox();
        Some(SubscriberView {
            name: world.name(id).to_string(),
            host: host(world, id),
            health: health(world, id),
            connected: client.is_connected(),
            queue: settings.queue.to_string(),
            prefetch: settings.prefetch,
            ack: match settings.ack {
                AckMode::After => "after",
                AckMode::Before => "before",
                AckMode::Auto => "auto",
                AckMode::Manual => "manual",
            },
            inbox: inbox.map(|delivery| delivery.message.body.to_string()).collect(),
            last_error: last_error(world, id),
            faults: faults::of(world, id),
        })
    };
    all.filter_map(|(id, _)| view(id)).collect()
}

/// What a message on its way is to the picture.
pub fn class(msg: &Msg) -> FlightClass {
    match msg {
        Msg::Method(_, Method::Publish(_)) => FlightClass::Data,
        Msg::Frame(_, Frame::Deliver(..) | Frame::GetOk(..) | Frame::Return(_)) => FlightClass::Copy,
        Msg::Frame(_, Frame::Ack { .. } | Frame::Nack { .. })
        | Msg::Method(_, Method::Ack { .. } | Method::Nack { .. } | Method::Reject { .. }) => FlightClass::Answer,
        Msg::Heartbeat => FlightClass::Idle,
        _ => FlightClass::Control,
    }
}

/// What is in it, in a few words.
pub fn text(msg: &Msg) -> String {
    let settled = |tag: &u64, multiple: &bool| match multiple {
        true => format!("all up to {tag}"),
        false => format!("{tag}"),
    };
    match msg {
        Msg::Method(_, Method::Publish(publish)) => {
            let to = if publish.exchange.is_empty() {
                "the default exchange"
            } else {
                &publish.exchange
            };
            format!("\"{}\" to {to}, key {}", publish.body, publish.key)
        }
        Msg::Frame(_, Frame::Deliver(tag, delivery)) => {
            let again = if delivery.redelivered { ", redelivered" } else { "" };
            format!(
                "\"{}\" to {tag}, delivery tag {}{again}",
                delivery.message.body, delivery.tag
            )
        }
        Msg::Frame(_, Frame::Return(message)) => format!("\"{}\": NO_ROUTE", message.body),
        Msg::Frame(_, Frame::Ack { number, multiple } | Frame::Nack { number, multiple })
        | Msg::Method(
            _,
            Method::Ack { tag: number, multiple }
            | Method::Nack {
                tag: number, multiple, ..
            },
        ) => settled(number, multiple),
        Msg::Frame(_, Frame::Close(closed)) | Msg::ConnectionClosed(closed) => closed.error.text.clone(),
        _ => String::new(),
    }
}
