//! Messages on their way.

use crate::kafka::protocol::Body;
use crate::kafka::protocol::data::{CONSUMER_REPLICA, FetchRequest};
use crate::lab::places::place_of;
use crate::lab::view::{FlightClass, FlightView};
use crate::lab::wire::Msg;
use crate::lab::world::{Role, World, lab_us};
use crate::ordered::SortSmall;
use crate::sim::Payload;
use crate::sim::world::InFlight;
use std::rc::Rc;

/// All messages between processes of the scenario, oldest first, without their texts: what is drawn in every frame.
pub fn air(world: &World) -> Vec<FlightView> {
    let mut out: Vec<FlightView> = world
        .sim
        .in_flight()
        .filter_map(|flight| seen(world, &flight))
        .collect();
    out.sort_small_by_key(|flight| (flight.sent_us, flight.id));
    out
}

/// The same with their texts.
pub fn flights(world: &World) -> Vec<FlightView> {
    let mut out = air(world);
    for flight in &mut out {
        flight.text = text_of(world, flight.id);
    }
    out
}

/// What is in one message, in a few words; empty if it is not on its way any more.
pub fn text_of(world: &World, id: u64) -> Rc<str> {
    let flight = world.sim.in_flight().find(|flight| flight.id == id);
    flight.map_or_else(Rc::default, |flight| match flight.msg {
        Msg::Kafka(msg) => text(world, &msg.body),
        Msg::Rabbit(msg) => super::rabbit::text(msg).into(),
        Msg::Serving(_) => Rc::default(),
    })
}

/// Is a message on its way that is shown and not held? `idle`: heartbeats and idle polls are shown too.
pub fn is_any(world: &World, idle: bool) -> bool {
    let moves = |flight: &FlightView| !flight.held && (idle || flight.class != FlightClass::Idle);
    world
        .sim
        .in_flight()
        .any(|flight| seen(world, &flight).is_some_and(|flight| moves(&flight)))
}

/// A message without its text; `None` if it is of nobody's in the picture.
fn seen(world: &World, flight: &InFlight<'_, Msg>) -> Option<FlightView> {
    let to = flight.to?;
    let shown = |id| world.role(id) != Role::Operator;
    if !shown(flight.from) || !shown(to) {
        return None;
    }
    Some(FlightView {
        id: flight.id,
        from: world.name(flight.from).clone(),
        to: world.name(to).clone(),
        kind: flight.msg.kind(),
        class: match flight.msg {
            Msg::Kafka(msg) => class(world, &msg.body),
            Msg::Rabbit(msg) => super::rabbit::class(msg),
            Msg::Serving(_) => FlightClass::Control,
        },
        sent_us: lab_us(flight.sent),
        arrives_us: lab_us(flight.due),
        held: flight.waiting,
        text: Rc::default(),
    })
}

fn class(world: &World, body: &Body) -> FlightClass {
    match body {
        Body::ProduceRequest(_) => FlightClass::Data,
        Body::ProduceResponse(_) => FlightClass::Answer,
        Body::FetchRequest(request) if request.replica == CONSUMER_REPLICA => FlightClass::Idle,
        Body::FetchRequest(request) if brings_news(world, request) => FlightClass::Copy,
        Body::FetchRequest(_) => FlightClass::Idle,
        Body::FetchResponse(response) => {
            let loaded = response
                .partitions
                .iter()
                .any(|p| !p.batches.is_empty() || p.error.is_error());
            if loaded { FlightClass::Copy } else { FlightClass::Idle }
        }
        Body::HeartbeatRequest(_)
        | Body::HeartbeatResponse(_)
        | Body::BrokerHeartbeatRequest(_)
        | Body::BrokerHeartbeatResponse(_)
        | Body::QuorumFetchRequest(_) => FlightClass::Idle,
        Body::QuorumFetchResponse(response) if response.batches.is_empty() => FlightClass::Idle,
        _ => FlightClass::Control,
    }
}

/// Whether a follower's fetch tells the leader something new: that it has appended what came last.
fn brings_news(world: &World, request: &FetchRequest) -> bool {
    request.partitions.iter().any(|wanted| {
        let leader = world
            .image()
            .and_then(|image| image.partitions.get(&wanted.partition))
            .and_then(|registration| world.broker(registration.leader)?.replica(wanted.partition));
        let known = leader
            .and_then(|replica| replica.partition())
            .and_then(|partition| partition.followers().get(&request.replica));
        known.is_some_and(|follower| follower.log_end_offset != wanted.fetch_offset)
    })
}

/// What is in it, in a few words.
fn text(world: &World, body: &Body) -> Rc<str> {
    let name = |partition| world.places.name(place_of(partition));
    let text = match body {
        Body::ProduceRequest(request) => {
            let each = request
                .data
                .iter()
                .map(|(partition, batch)| format!("{} to {}", records(batch.records.len()), name(*partition)));
            each.collect::<Vec<_>>().join(", ")
        }
        Body::ProduceResponse(response) => {
            let each = response.partitions.iter().map(|p| match p.error.is_error() {
                true => format!("{}: {}", name(p.partition), p.error.name()),
                false => format!("{}: offset {}", name(p.partition), p.base_offset),
            });
            each.collect::<Vec<_>>().join(", ")
        }
        Body::FetchRequest(request) => {
            let each = request
                .partitions
                .iter()
                .map(|p| format!("{} from {}", name(p.partition), p.fetch_offset));
            shortened(each.collect())
        }
        Body::FetchResponse(response) => {
            let loaded = response
                .partitions
                .iter()
                .filter(|p| !p.batches.is_empty() || p.error.is_error());
            let each: Vec<String> = loaded
                .map(|p| match p.error.is_error() {
                    true => format!("{}: {}", name(p.partition), p.error.name()),
                    false => {
                        let count = p.batches.iter().map(|batch| batch.records.len()).sum();
                        format!(
                            "{} of {}, high watermark {}",
                            records(count),
                            name(p.partition),
                            p.high_watermark
                        )
                    }
                })
                .collect();
            if each.is_empty() {
                "nothing new".into()
            } else {
                shortened(each)
            }
        }
        _ => String::new(),
    };
    text.into()
}

fn records(count: usize) -> String {
    match count {
        1 => "1 record".into(),
        count => format!("{count} records"),
    }
}

/// The first few of a list.
fn shortened(mut each: Vec<String>) -> String {
    const SHOWN: usize = 4;
    let more = each.len().saturating_sub(SHOWN);
    each.truncate(SHOWN);
    let text = each.join(", ");
    match more {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
