//! Dead-lettering: the headers that a message gets when it dies, and the cycles that are cut.

use super::message::{Message, Properties};
use super::value::{Field, Name, Table};
use crate::ordered::OrderedSet;
use std::rc::Rc;

/// Why a message left its queue without being consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Rejected,
    Expired,
    MaxLen,
    DeliveryLimit,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::Rejected => "rejected",
            Reason::Expired => "expired",
            Reason::MaxLen => "maxlen",
            Reason::DeliveryLimit => "delivery_limit",
        }
    }
}

/// A death: who died where, why, when (seconds since 1970).
#[derive(Clone, Copy, Debug)]
pub struct Death<'a> {
    pub queue: &'a Name,
    pub reason: Reason,
    pub seconds: i64,
}

/// The message as it goes to the dead-letter exchange; `key` replaces its own keys.
pub fn letter(message: &Message, death: Death<'_>, exchange: &Name, key: Option<&Name>) -> Message {
    let old = &message.properties;
    let none = Table::default();
    let headers = died(message, death, old.headers.as_ref().unwrap_or(&none));
    let (keys, headers) = match key {
        Some(key) => (Rc::from([key.clone()]), headers.without("CC")),
        None => (message.keys.clone(), headers),
    };
    let properties = Properties {
        headers: Some(headers),
        expiration: None,
        ..(**old).clone()
    };
    Message {
        exchange: exchange.clone(),
        keys,
        properties: Rc::new(properties),
        body: message.body.clone(),
        origin: message.origin,
    }
}

fn died(message: &Message, death: Death<'_>, headers: &Table) -> Table {
    let text = |text: &str| Field::Text(text.into());
    match headers.get("x-death") {
        None => headers
            .with("x-first-death-reason", text(death.reason.name()))
            .with("x-first-death-queue", text(death.queue))
            .with("x-first-death-exchange", text(&message.exchange))
            .with("x-death", Field::Array([entry(message, death, headers)].into())),
        Some(Field::Array(deaths)) => headers.with("x-death", Field::Array(counted(message, death, headers, deaths))),
        // A client has sent something else under that name: it starts anew.
        Some(_) => headers.with("x-death", Field::Array([entry(message, death, headers)].into())),
    }
}

/// The entry of a first death of this kind in this queue.
fn entry(message: &Message, death: Death<'_>, headers: &Table) -> Field {
    let text = |text: &str| Field::Text(text.into());
    let mut keys = vec![Field::Text(message.routing_key().clone())];
    if let Some(Field::Array(more)) = headers.get("CC") {
        keys.extend(more.iter().filter(|key| key.text().is_some()).cloned());
    }
    let mut entries = vec![
        ("count".into(), Field::Long(1)),
        ("reason".into(), text(death.reason.name())),
        ("queue".into(), text(death.queue)),
        ("time".into(), Field::Long(death.seconds)),
        ("exchange".into(), text(&message.exchange)),
        ("routing-keys".into(), Field::Array(keys.into())),
    ];
    if let Some(expiration) = &message.properties.expiration {
        entries.push(("original-expiration".into(), Field::Text(expiration.clone())));
    }
    Field::Table(Table::new(entries))
}

fn is_of(entry: &Field, queue: &Field, reason: &Field) -> bool {
    matches!(entry, Field::Table(table) if table.get("queue") == Some(queue) && table.get("reason") == Some(reason))
}

/// Counts on: the entry of this queue and reason goes to the front. The server groups the others first, which turns
/// their order round each time (`rabbit_dead_letter:group_by_queue_and_reason/1`).
fn counted(message: &Message, death: Death<'_>, headers: &Table, deaths: &[Field]) -> Rc<[Field]> {
    let grouped = grouped(deaths);
    let (queue, reason) = (
        Field::Text(death.queue.clone()),
        Field::Text(death.reason.name().into()),
    );
    let (same, others): (Vec<Field>, Vec<Field>) = grouped.into_iter().partition(|e| is_of(e, &queue, &reason));
    let front = match same.first() {
        Some(Field::Table(table)) => {
            let count = table
                .get("count")
                .and_then(Field::integer)
                .map_or(1, |n| n.saturating_add(1));
            Field::Table(table.with("count", Field::Long(count)))
        }
        _ => entry(message, death, headers),
    };
    std::iter::once(front).chain(others).collect()
}

fn grouped(deaths: &[Field]) -> Vec<Field> {
    if deaths.len() < 2 {
        return deaths.to_vec();
    }
    let mut seen: OrderedSet<(Option<Field>, Option<Field>)> = OrderedSet::new();
    let mut out = Vec::new();
    for death in deaths {
        let Field::Table(table) = death else { continue };
        let of = (table.get("queue").cloned(), table.get("reason").cloned());
        if !seen.insert(of.clone()) {
            continue;
        }
        let times = deaths
            .iter()
            .filter(|other| matches!(other, Field::Table(t) if t.get("queue") == of.0.as_ref() && t.get("reason") == of.1.as_ref()))
            .count();
        out.push(match table.get("count") {
            Some(_) => death.clone(),
            None => Field::Table(table.with("count", Field::Long(times as i64))),
        });
    }
    out.reverse();
    out
}

/// Whether a message that dies by itself would come round to this queue for ever: it has died there before, and nobody
/// has rejected it since.
pub fn is_cycle(queue: &Name, headers: Option<&Table>) -> bool {
    let Some(Field::Array(deaths)) = headers.and_then(|headers| headers.get("x-death")) else {
        return false;
    };
    let died_there =
        |death: &Field| matches!(death, Field::Table(t) if t.get("queue").and_then(Field::text) == Some(queue));
    let Some(last) = deaths.iter().position(died_there) else {
        return false;
    };
    deaths[..=last].iter().all(|death| match death {
        Field::Table(table) => table
            .get("reason")
            .and_then(Field::text)
            .is_none_or(|r| &**r != "rejected"),
        // A client must have put it there.
        _ => false,
    })
}
