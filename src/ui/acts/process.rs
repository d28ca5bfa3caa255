//! What can be done to a process: look at it, use it, and every fault that it can have.

use super::{Kind, command, consumers, is_internal, plain, process};
use crate::lab::view::{Health, LinkView, Role, View};
use crate::ui::state::{Item, Msg, Section, Selection};
use crate::ui::texts::t;

/// Everything that can be done to the process `name`.
pub(super) fn of(view: &View, name: &str) -> Vec<Section> {
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
    if matches!(kind, Kind::Broker | Kind::Controller | Kind::Rabbit) {
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
pub(super) fn title_of(view: &View, name: &str) -> String {
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

pub(super) fn process_faults(kind: Kind, health: Health, name: &str) -> Vec<Item> {
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
        if matches!(kind, Kind::Broker | Kind::Controller | Kind::Rabbit) {
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
fn faults_of<'a>(view: &'a View, name: &str) -> &'a [String] {
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

pub(super) fn network_faults(view: &View, name: &str) -> Vec<Item> {
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
pub(super) fn touched(view: &View, chosen: impl Fn(&LinkView) -> bool) -> bool {
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
