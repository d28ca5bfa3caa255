//! The stage bar's menus: what can be added, every fault, the topics.

use super::process::{network_faults, process_faults, title_of, touched};
use super::{Kind, all_names, command, consumers, plain};
use crate::lab::view::View;
use crate::ui::state::{Msg, Section};
use crate::ui::texts::t;

/// The menu "Add".
pub fn adding(view: &View) -> Vec<Section> {
    let topic = view
        .topics
        .iter()
        .find(|x| !x.internal)
        .map_or("loan_request", |x| x.name.as_str());
    let group = view.groups.first().map_or("loans", |g| g.name.as_str());
    let (broker, producer, consumer) = (free(view, "b"), free(view, "p"), free(view, "w"));
    let new_topic = (1..)
        .map(|n| format!("topic{n}"))
        .find(|n| view.topics.iter().all(|x| x.name != *n));
    let new_topic = new_topic.unwrap_or_default();
    let replicas = view.brokers.len().clamp(1, 3);
    vec![Section {
        title: t().add.to_owned(),
        items: vec![
            command("disk", t().a_broker, None, format!("broker {broker}"), false),
            command("app", t().a_producer, None, format!("producer {producer}"), false),
            command(
                "people",
                t().a_consumer,
                None,
                format!("consumer {consumer} group={group} topics={topic}"),
                false,
            ),
            command(
                "stage",
                t().a_topic,
                None,
                format!("topic {new_topic} partitions=3 replicas={replicas}"),
                false,
            ),
        ],
    }]
}

/// The first name of this kind that nobody has.
fn free(view: &View, letter: &str) -> String {
    let taken = all_names(view);
    (1..)
        .map(|n| format!("{letter}{n}"))
        .find(|n| !taken.contains(&n.as_str()))
        .unwrap_or_default()
}

/// The menu "Inject fault": a way into the faults of every process, and what heals.
pub fn faults(view: &View) -> Vec<Section> {
    let mut sections = Vec::new();
    for broker in &view.brokers {
        let mut items = process_faults(Kind::Broker, broker.health, &broker.name);
        items.retain(|i| !i.aside.starts_with("remove"));
        items.extend(
            network_faults(view, &broker.name)
                .into_iter()
                .filter(|i| i.aside.contains('|')),
        );
        sections.push(Section {
            title: title_of(view, &broker.name),
            items,
        });
    }
    let clients = view.controllers.iter().map(|c| (Kind::Controller, &c.name, c.health));
    let clients = clients.chain(view.producers.iter().map(|p| (Kind::Producer, &p.name, p.health)));
    let clients = clients.chain(consumers(view).map(|c| (Kind::Consumer, &c.name, c.health)));
    for (kind, name, health) in clients {
        let mut items = process_faults(kind, health, name);
        items.retain(|i| {
            ["crash", "freeze", "thaw", "restart"]
                .iter()
                .any(|w| i.aside.starts_with(w))
        });
        sections.push(Section {
            title: name.clone(),
            items,
        });
    }
    if touched(view, |_| true) {
        let items = vec![command("check", t().heal_all, None, "heal".to_owned(), false)];
        sections.insert(
            0,
            Section {
                title: t().network.to_owned(),
                items,
            },
        );
    }
    sections
}

/// The menu of the stage's size.
pub fn sizes() -> Vec<Section> {
    let items = vec![
        plain("plus", t().zoom_in, "+", Msg::ZoomBy(1)),
        plain("minus", t().zoom_out, "−", Msg::ZoomBy(-1)),
        plain("stage", t().zoom_reset, "0", Msg::Zoom(100)),
        plain("expand", t().zoom_fit, "", Msg::ZoomFit),
    ];
    vec![Section {
        title: t().size_of_stage.to_owned(),
        items,
    }]
}

/// The menu of topics.
pub fn topics(view: &View) -> Vec<Section> {
    let items = view.topics.iter().map(|topic| {
        let aside = (t().partitions)(topic.partitions.len());
        plain("stage", &topic.name, &aside, Msg::Topic(Some(topic.name.clone())))
    });
    vec![Section {
        title: t().topics.to_owned(),
        items: items.collect(),
    }]
}
