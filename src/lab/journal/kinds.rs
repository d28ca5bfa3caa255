//! What an event is about: data, control, clients, or nothing that anybody waits for.

use crate::lab::history::Class;
use crate::lab::wire::Note;
use crate::lab::world::{Role, World};
use crate::sim::{EventKind, ProcId, Step};

/// Tags of `kafka::protocol::body`, a request and its answer together.
mod tags {
    use std::ops::RangeInclusive;

    pub const PRODUCE: RangeInclusive<u8> = 7..=8;
    pub const FETCH: RangeInclusive<u8> = 9..=10;
    pub const GROUP_HEARTBEAT: RangeInclusive<u8> = 26..=27;
    pub const BROKER_HEARTBEAT: RangeInclusive<u8> = 82..=83;
    pub const QUORUM_FETCH: RangeInclusive<u8> = 88..=89;
    pub const CONTROL: RangeInclusive<u8> = 50..=97;
}

/// The class of an event that has these observations.
pub fn class_of(world: &World, step: &Step, notes: &[(ProcId, Note)]) -> Class {
    match step.kind {
        EventKind::Command => Class::Clients,
        EventKind::Message | EventKind::Lost => message_class(step.tag, notes),
        EventKind::Timer if notes.is_empty() => Class::Idle,
        _ => match world.role(step.to) {
            Role::Broker(_) | Role::Controller(_) | Role::Rabbit | Role::WebServer => Class::Control,
            Role::Producer | Role::Consumer | Role::Publisher | Role::Subscriber | Role::Browser | Role::Operator => {
                Class::Clients
            }
        },
    }
}

fn message_class(tag: u8, notes: &[(ProcId, Note)]) -> Class {
    if tags::PRODUCE.contains(&tag) {
        return Class::Data;
    }
    if tags::FETCH.contains(&tag) {
        return if notes.is_empty() { Class::Idle } else { Class::Data };
    }
    let silent = [tags::GROUP_HEARTBEAT, tags::BROKER_HEARTBEAT, tags::QUORUM_FETCH];
    if notes.is_empty() && silent.iter().any(|range| range.contains(&tag)) {
        return Class::Idle;
    }
    if tags::CONTROL.contains(&tag) {
        return Class::Control;
    }
    Class::Clients
}
