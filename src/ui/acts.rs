//! What can be done to a thing, each with the command line that does it: the context menus, the inspector's buttons
//! and the stage bar's menus are all made from these lists.

use super::state::{Item, Msg, Section, Selection};
use super::texts::t;
use crate::lab::view::{FlightView, Health, Role, View};

/// What kind of process a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Broker,
    Controller,
    Producer,
    Consumer,
}

/// The kind and the health of the process `name`.
pub fn process(view: &View, name: &str) -> Option<(Kind, Health)> {
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
        Selection::Process(name) => of_process(view, name),
        Selection::Link(a, b) => of_link(view, a, b),
        Selection::Replica { topic, partition, .. } | Selection::Record { topic, partition, .. } => {
            of_partition(view, topic, *partition)
        }
        Selection::Message(id) => of_message(flights, *id),
    }
}

fn of_process(view: &View, name: &str) -> Vec<Section> {
    let Some((kind, health)) = process(view, name) else {
        return Vec::new();
    };
    let about = vec![
        plain(
            "eye",
            t().inspect,
            "Enter",
            Msg::Inspect(Selection::Process(name.to_owned())),
        ),
        plain("help", t().why, "W", Msg::WhySelection),
    ];
    let mut sections = vec![
        Section {
            title: title_of(view, name),
            items: about,
        },
        Section {
            title: t().faults_process.to_owned(),
            items: process_faults(kind, health, name),
        },
    ];
    if matches!(kind, Kind::Producer | Kind::Consumer) {
        let items = data(view, kind, name);
        sections.insert(
            1,
            Section {
                title: t().data.to_owned(),
                items,
            },
        );
    }
    if matches!(kind, Kind::Broker | Kind::Controller) {
        sections.push(Section {
            title: t().faults_disk.to_owned(),
            items: disk_faults(view, name),
        });
    }
    sections.push(Section {
        title: t().faults_network.to_owned(),
        items: network_faults(view, name),
    });
    sections
}

/// `b1, leads P0`.
fn title_of(view: &View, name: &str) -> String {
    let leads: Vec<String> = view
        .brokers
        .iter()
        .filter(|b| b.name == name)
        .flat_map(|b| &b.replicas)
        .filter(|r| r.role == Role::Leader && !is_internal(view, &r.topic))
        .map(|r| format!("P{}", r.partition))
        .collect();
    if leads.is_empty() {
        name.to_owned()
    } else {
        (t().leads)(name, &leads.join(" "))
    }
}

/// Whether a topic is one of Kafka's own.
pub fn is_internal(view: &View, topic: &str) -> bool {
    view.topics.iter().any(|x| x.name == topic && x.internal)
}

fn process_faults(kind: Kind, health: Health, name: &str) -> Vec<Item> {
    let running = matches!(
        health,
        Health::Up | Health::Starting | Health::Fenced | Health::Stopping
    );
    let mut items = Vec::new();
    if running || health == Health::Frozen {
        items.push(command(
            "crash",
            t().crash,
            Some(t().crash_note),
            format!("crash {name}"),
            true,
        ));
        if kind != Kind::Producer && kind != Kind::Consumer {
            items.push(command(
                "power",
                t().power_off,
                Some(t().power_off_note),
                format!("power-off {name}"),
                true,
            ));
        }
    }
    if running {
        items.push(command(
            "paused",
            t().freeze,
            Some(t().freeze_note),
            format!("freeze {name}"),
            true,
        ));
        let note = if kind == Kind::Broker {
            t().shutdown_note
        } else {
            t().close_note
        };
        items.push(command(
            "stopping",
            t().shutdown,
            Some(note),
            format!("shutdown {name}"),
            false,
        ));
    }
    if health == Health::Frozen {
        items.push(command("play", t().thaw, None, format!("thaw {name}"), false));
    }
    if matches!(health, Health::Crashed | Health::PoweredOff | Health::Stopped) {
        items.push(command("undo", t().restart, None, format!("restart {name}"), false));
    }
    items.push(command(
        "x",
        t().remove,
        Some(t().remove_note),
        format!("remove {name}"),
        true,
    ));
    items
}

fn disk_faults(view: &View, name: &str) -> Vec<Item> {
    let mut items = vec![
        command("snail", t().disk_slow, None, format!("disk {name} slow=50ms"), true),
        command("disk", t().disk_full, None, format!("disk {name} full"), true),
        command(
            "disk",
            t().disk_wipe,
            Some(t().disk_wipe_note),
            format!("disk {name} wipe"),
            true,
        ),
    ];
    if faults_of(view, name).iter().any(|f| f.contains("disk")) {
        items.push(command("check", t().disk_ok, None, format!("disk {name} ok"), false));
    }
    items
}

/// Faults of a process that hold now, in words.
pub fn faults_of<'a>(view: &'a View, name: &str) -> &'a [String] {
    let broker = view.brokers.iter().find(|b| b.name == name).map(|b| &b.faults[..]);
    let controller = || view.controllers.iter().find(|c| c.name == name).map(|c| &c.faults[..]);
    let producer = || view.producers.iter().find(|p| p.name == name).map(|p| &p.faults[..]);
    let consumer = || consumers(view).find(|c| c.name == name).map(|c| &c.faults[..]);
    broker
        .or_else(controller)
        .or_else(producer)
        .or_else(consumer)
        .unwrap_or(&[])
}

fn network_faults(view: &View, name: &str) -> Vec<Item> {
    let others = peers(view, name).join(" ");
    if others.is_empty() {
        return Vec::new();
    }
    let mut items = vec![command(
        "cut",
        t().isolate,
        Some(t().isolate_note),
        format!("cut {name} | {others}"),
        true,
    )];
    for peer in peers(view, name).into_iter().take(4) {
        items.push(command(
            "cut",
            &(t().cut_from)(peer),
            None,
            format!("cut {name} <-> {peer}"),
            true,
        ));
    }
    items.push(command(
        "snail",
        t().slow_links,
        None,
        format!("delay {name} <-> {others} 200ms"),
        true,
    ));
    items.push(command(
        "loss",
        t().lossy_links,
        None,
        format!("loss {name} <-> {others} 10%"),
        true,
    ));
    if touched(view, |l| l.from == name || l.to == name) {
        items.push(command(
            "check",
            t().heal,
            None,
            format!("heal {name} <-> {others}"),
            false,
        ));
    }
    items
}

/// Whether a link that `chosen` picks has a fault.
fn touched(view: &View, chosen: impl Fn(&crate::lab::view::LinkView) -> bool) -> bool {
    view.links
        .iter()
        .any(|l| chosen(l) && (l.cut || l.delay_us > 0 || l.loss_percent > 0))
}

/// The servers that a process talks with.
fn peers<'a>(view: &'a View, name: &str) -> Vec<&'a str> {
    let servers = view
        .brokers
        .iter()
        .map(|b| b.name.as_str())
        .chain(view.controllers.iter().map(|c| c.name.as_str()));
    let client = matches!(process(view, name), Some((Kind::Producer | Kind::Consumer, _)));
    servers
        .filter(|s| *s != name && !(client && view.controllers.iter().any(|c| c.name == *s)))
        .collect()
}

fn of_link(view: &View, a: &str, b: &str) -> Vec<Section> {
    let mut items = vec![
        command("cut", t().cut_both, None, format!("cut {a} <-> {b}"), true),
        command("cut", &(t().cut_way)(a, b), None, format!("cut {a} -> {b}"), true),
        command("cut", &(t().cut_way)(b, a), None, format!("cut {b} -> {a}"), true),
        command("snail", t().delay, None, format!("delay {a} <-> {b} 200ms"), true),
        command("loss", t().lose, None, format!("loss {a} <-> {b} 10%"), true),
    ];
    if touched(view, |l| (l.from == a && l.to == b) || (l.from == b && l.to == a)) {
        items.push(command("check", t().heal, None, format!("heal {a} <-> {b}"), false));
    }
    vec![Section {
        title: format!("{a} – {b}"),
        items,
    }]
}

fn of_partition(view: &View, topic: &str, partition: i32) -> Vec<Section> {
    let found = view.topics.iter().find(|x| x.name == topic);
    let Some(state) = found.and_then(|x| x.partitions.iter().find(|p| p.partition == partition)) else {
        return Vec::new();
    };
    let mut items = vec![command(
        "star",
        t().elect_preferred,
        None,
        format!("elect preferred {topic}/{partition}"),
        false,
    )];
    if state.leader.is_none() {
        let line = format!("elect unclean {topic}/{partition}");
        items.push(command(
            "star",
            t().elect_unclean,
            Some(t().elect_unclean_note),
            line,
            true,
        ));
    }
    if let Some(leader) = &state.leader {
        items.push(command(
            "crash",
            &(t().crash_leader)(leader),
            None,
            format!("crash {leader}"),
            true,
        ));
        let line = format!("disk {leader} wipe {topic}/{partition}");
        items.push(command("disk", &(t().wipe_replica)(leader), None, line, true));
    }
    vec![Section {
        title: format!("{topic}/{partition}"),
        items,
    }]
}

fn of_message(flights: &[FlightView], id: u64) -> Vec<Section> {
    let Some(flight) = flights.iter().find(|f| f.id == id) else {
        return Vec::new();
    };
    let pattern = format!("{} {} -> {}", flight.kind, flight.from, flight.to);
    let nth = flights
        .iter()
        .filter(|f| f.kind == flight.kind && f.from == flight.from && f.to == flight.to)
        .filter(|f| (f.sent_us, f.id) < (flight.sent_us, flight.id))
        .count()
        + 1;
    let which = if nth > 1 {
        format!("{pattern} nth={nth}")
    } else {
        pattern.clone()
    };
    let mut items = vec![command("loss", t().drop, None, format!("drop {which}"), true)];
    if flight.held {
        items.push(command("play", t().release, None, format!("release {which}"), false));
    } else {
        items.push(command(
            "wait",
            t().hold,
            Some(t().hold_note),
            format!("hold {which}"),
            true,
        ));
    }
    items.push(command(
        "snail",
        t().delay_message,
        None,
        delay_line(&pattern, nth),
        true,
    ));
    items.push(command("dup", t().duplicate, None, format!("duplicate {which}"), true));
    items.push(command("swap", t().reorder, None, format!("reorder {which}"), true));
    vec![Section { title: pattern, items }]
}

/// `delay FetchRequest b2 -> b1 200ms`, with the number of the message behind it when it is not the oldest.
fn delay_line(pattern: &str, nth: usize) -> String {
    if nth > 1 {
        format!("delay {pattern} 200ms nth={nth}")
    } else {
        format!("delay {pattern} 200ms")
    }
}

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

/// What a client can be asked to do.
fn data(view: &View, kind: Kind, name: &str) -> Vec<Item> {
    let topic = view
        .topics
        .iter()
        .find(|x| !x.internal)
        .map_or("loan_request", |x| x.name.as_str());
    if kind == Kind::Producer {
        return vec![
            command(
                "copyr",
                t().produce_one,
                None,
                format!("produce {name} {topic} key=kim \"300\""),
                false,
            ),
            command(
                "play",
                t().start_load,
                None,
                format!("start {name} {topic} rate=10/s keys=20"),
                false,
            ),
            command("paused", t().stop_load, None, format!("stop {name}"), false),
        ];
    }
    let assigned = consumers(view)
        .find(|c| c.name == name)
        .and_then(|c| c.assignment.first());
    let mut items = vec![
        command("play", t().start_poll, None, format!("start {name}"), false),
        command(
            "paused",
            t().stop_poll,
            Some(t().stop_poll_note),
            format!("stop {name}"),
            false,
        ),
        command("check", t().commit_now, None, format!("commit {name}"), false),
    ];
    if let Some(a) = assigned {
        let line = format!("seek {name} {}/{} beginning", a.topic, a.partition);
        items.push(command("start", t().seek_start, None, line, false));
    }
    items
}
