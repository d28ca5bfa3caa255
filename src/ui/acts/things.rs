//! What can be done to a link, a partition, and one message in flight.

use super::command;
use super::process::touched;
use crate::lab::view::{FlightView, View};
use crate::ui::state::Section;
use crate::ui::texts::t;

pub(super) fn of_link(view: &View, a: &str, b: &str) -> Vec<Section> {
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

pub(super) fn of_partition(view: &View, topic: &str, partition: i32) -> Vec<Section> {
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

pub(super) fn of_message(flights: &[FlightView], id: u64) -> Vec<Section> {
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
