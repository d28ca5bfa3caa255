//! What can be done to a thing, each with the command line that does it: the context menus, the inspector's buttons
//! and the stage bar's menus are all made from these lists.

mod menus;
mod process;
mod things;

pub use menus::{adding, faults, sizes, topics};

use super::state::{Item, Msg, Section, Selection};
use crate::lab::view::{FlightView, Health, View};

/// What kind of process a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Broker,
    Controller,
    Producer,
    Consumer,
    Rabbit,
    Publisher,
    Subscriber,
}

/// The kind and the health of the process `name`.
pub fn process(view: &View, name: &str) -> Option<(Kind, Health)> {
    kafka_process(view, name).or_else(|| {
        let rabbits = view.rabbits.iter().map(|r| (&r.name, Kind::Rabbit, r.health));
        let publishers = view.publishers.iter().map(|p| (&p.name, Kind::Publisher, p.health));
        let subscribers = view.subscribers.iter().map(|s| (&s.name, Kind::Subscriber, s.health));
        let mut all = rabbits.chain(publishers).chain(subscribers);
        all.find(|(known, ..)| *known == name)
            .map(|(_, kind, health)| (kind, health))
    })
}

fn kafka_process(view: &View, name: &str) -> Option<(Kind, Health)> {
    let broker = view
        .brokers
        .iter()
        .find(|b| b.name == name)
        .map(|b| (Kind::Broker, b.health));
    let controller = || {
        view.controllers
            .iter()
            .find(|c| c.name == name)
            .map(|c| (Kind::Controller, c.health))
    };
    let producer = || {
        view.producers
            .iter()
            .find(|p| p.name == name)
            .map(|p| (Kind::Producer, p.health))
    };
    let consumer = || {
        consumers(view)
            .find(|c| c.name == name)
            .map(|c| (Kind::Consumer, c.health))
    };
    broker.or_else(controller).or_else(producer).or_else(consumer)
}

/// All consumers, in a group or not.
pub fn consumers(view: &View) -> impl Iterator<Item = &crate::lab::view::ConsumerView> {
    view.groups.iter().flat_map(|g| &g.members).chain(&view.free_consumers)
}

/// Names of all processes, brokers first.
pub fn all_names(view: &View) -> Vec<&str> {
    let brokers = view.brokers.iter().map(|b| b.name.as_str());
    let controllers = view.controllers.iter().map(|c| c.name.as_str());
    let producers = view.producers.iter().map(|p| p.name.as_str());
    brokers
        .chain(controllers)
        .chain(producers)
        .chain(consumers(view).map(|c| c.name.as_str()))
        .chain(view.rabbits.iter().map(|r| r.name.as_str()))
        .chain(view.publishers.iter().map(|p| p.name.as_str()))
        .chain(view.subscribers.iter().map(|s| s.name.as_str()))
        .collect()
}

/// An entry that issues a command.
fn command(icon: &'static str, label: &str, note: Option<&'static str>, line: String, fault: bool) -> Item {
    Item {
        icon,
        label: label.to_owned(),
        note,
        aside: line.clone(),
        fault,
        checked: None,
        msg: Msg::Command(line),
    }
}

/// An entry that does something to the page only.
pub fn plain(icon: &'static str, label: &str, aside: &str, msg: Msg) -> Item {
    Item {
        icon,
        label: label.to_owned(),
        note: None,
        aside: aside.to_owned(),
        fault: false,
        checked: None,
        msg,
    }
}

/// Everything that can be done to what is selected.
pub fn of(view: &View, flights: &[FlightView], selection: &Selection) -> Vec<Section> {
    match selection {
        Selection::Process(name) => process::of(view, name),
        Selection::Link(a, b) => things::of_link(view, a, b),
        Selection::Replica { topic, partition, .. } | Selection::Record { topic, partition, .. } => {
            things::of_partition(view, topic, *partition)
        }
        Selection::Message(id) => things::of_message(flights, *id),
    }
}

/// Whether a topic is one of Kafka's own.
pub fn is_internal(view: &View, topic: &str) -> bool {
    view.topics.iter().any(|x| x.name == topic && x.internal)
}
