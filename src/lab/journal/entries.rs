//! From one event, as it was heard, to its lines.

use super::notes::{calmed, note_mark, note_rule, note_text, note_weight};
use super::{EVENT_ITSELF, Entry, facts};
use crate::kafka::client::note::ClientNote;
use crate::kafka::note::Note as KafkaNote;
use crate::kafka::rule::{Names, Rule};
use crate::kafka::types::{NodeId, TopicPartition};
use crate::lab::language::ast::{Command, DiskState, ProcessVerb};
use crate::lab::language::print_command;
use crate::lab::ledger::{Finding, System};
use crate::lab::places::place_of;
use crate::lab::tools::Printed;
use crate::lab::view::{LogEntry, MarkKind, Weight};
use crate::lab::wire::{Note, kind_of_tag};
use crate::lab::world::{Role, World, lab_us};
use crate::sim::{EventKind, ProcId, Step};
use std::rc::Rc;

/// An event in full: what it was and what was observed during it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Its number for people: 1 for the first after the warm-up.
    pub event: u64,
    pub step: Step,
    pub notes: Vec<(ProcId, Note)>,
    pub found: Vec<Finding>,
    /// What tools outside wrote.
    pub printed: Vec<Printed>,
    /// The line of the scenario that it does.
    pub command: Option<Rc<Command>>,
}

impl Names for World {
    fn partition(&self, partition: TopicPartition) -> String {
        self.places.name(place_of(partition))
    }

    fn node(&self, id: NodeId) -> String {
        self.node_name(id).to_string()
    }
}

/// What a line of the scenario is to the timeline.
fn command_mark(command: &Command) -> MarkKind {
    let fault = match command {
        Command::Process { verb, .. } => !matches!(verb, ProcessVerb::Restart | ProcessVerb::Thaw),
        Command::Cut(_) | Command::Delay { .. } | Command::Loss { .. } | Command::Message(_) => true,
        Command::Disk { state, .. } => *state != DiskState::Ok,
        _ => false,
    };
    match command {
        Command::Note(_) => MarkKind::Note,
        _ if fault => MarkKind::Fault,
        _ => MarkKind::Command,
    }
}

/// A command as the log says it.
pub fn command_text(command: &Command) -> String {
    match command {
        Command::Note(text) => text.trim_end().to_string(),
        command => print_command(command).0,
    }
}

/// Whether a note is a line of a client's own log.
fn is_logged(note: &Note) -> bool {
    matches!(note, Note::Kafka(KafkaNote::Client(ClientNote::Log { .. })))
}

/// Tells the lines that clients logged themselves from ours.
fn mark_logged(entries: &mut [Entry], heard: &Heard) {
    for entry in entries {
        let note = usize::from(entry.log.index)
            .checked_sub(1)
            .and_then(|at| heard.notes.get(at));
        entry.log.client_log = note.is_some_and(|(_, note)| is_logged(note));
    }
}

/// All lines of an event that are at least that loud or in a client's own log, in their order.
pub fn entries_of(world: &World, heard: &Heard, least: Weight) -> Vec<Entry> {
    let mut out = Vec::new();
    let at_us = lab_us(heard.step.at);
    let mut add = |index: usize, who: String, text: String, weight: Weight, rule: Option<&Rule>, mark| {
        let log = LogEntry {
            event: heard.event,
            index: u16::try_from(index).unwrap_or(u16::MAX),
            at_us,
            who,
            text,
            weight,
            rule: rule.map(|rule| rule.name),
            client_log: false,
        };
        out.push(Entry { log, mark });
    };
    let (weight, mark) = itself(heard);
    if weight >= least
        && let Some((who, text)) = itself_text(world, heard)
    {
        add(usize::from(EVENT_ITSELF), who, text, weight, None, mark);
    }
    for (index, (who, note)) in heard.notes.iter().enumerate() {
        let Some(weight) = note_weight(note)
            .map(|weight| calmed(world, note, weight))
            .filter(|weight| *weight >= least || is_logged(note))
        else {
            continue;
        };
        // The operator on the laptop is told of only when a call of theirs fails.
        if world.role(*who) == Role::Operator && !matches!(note, Note::Kafka(KafkaNote::Fact(_))) {
            continue;
        }
        let (name, text) = (world.name(*who).to_string(), note_text(world, note));
        add(index + 1, name, text, weight, note_rule(note), note_mark(note));
    }
    for (index, finding) in heard.found.iter().enumerate() {
        let (text, rule, mark) = finding_text(world, finding);
        let index = heard.notes.len() + 1 + index;
        add(index, "ledger".into(), text, Weight::Alarm, Some(rule), mark);
    }
    let before = heard.notes.len() + 1 + heard.found.len();
    if Weight::Matters >= least {
        for (index, line) in heard.printed.iter().enumerate() {
            let (who, text) = (line.who.to_string(), line.text.to_string());
            add(before + index, who, text, Weight::Matters, None, None);
        }
    }
    mark_logged(&mut out, heard);
    out
}

/// Weight and mark of the event itself.
fn itself(heard: &Heard) -> (Weight, Option<MarkKind>) {
    match (&heard.command, heard.step.kind) {
        // What a check found is a line of its own.
        (Some(command), _) if matches!(**command, Command::Check(_)) => (Weight::Idle, None),
        (Some(command), _) => (Weight::Matters, Some(command_mark(command))),
        (None, EventKind::Message) if is_heartbeat(heard.step.tag) => (Weight::Idle, None),
        (None, EventKind::Message | EventKind::Lost | EventKind::Closed | EventKind::Refused) => (Weight::Detail, None),
        _ => (Weight::Idle, None),
    }
}

/// Fetches and heartbeats: they come all the time; what they bring is told by notes.
fn is_heartbeat(tag: u8) -> bool {
    matches!(tag, 9..=10 | 26..=27 | 82..=83 | 88..=89)
}

fn itself_text(world: &World, heard: &Heard) -> Option<(String, String)> {
    let step = &heard.step;
    if let Some(command) = &heard.command {
        return Some(("you".into(), command_text(command)));
    }
    if step.kind == EventKind::Command {
        return Some(("load".into(), "hands a record over".into()));
    }
    let name = |id: ProcId| world.name(id).to_string();
    let from = step.from.map_or_else(|| "somebody".into(), name);
    let text = match step.kind {
        EventKind::Message => format!("{} from {from}", kind_of_tag(step.tag)),
        EventKind::Lost => format!(
            "{} from {from} was lost on the way; TCP sends it again",
            kind_of_tag(step.tag)
        ),
        EventKind::Closed => "a connection was closed".into(),
        EventKind::Refused => "a connection was refused".into(),
        EventKind::Opened => format!("connected to {from}"),
        EventKind::Accepted => format!("{from} connects"),
        EventKind::Timer => "a timer".into(),
        EventKind::Start => "starts".into(),
        EventKind::Command => return None,
    };
    Some((name(step.to), text))
}

/// Whether RabbitMQ has it.
fn is_message(world: &World, id: u32) -> bool {
    let entry = world.ledger.get(id);
    entry.is_some_and(|entry| entry.handed.system == System::Rabbit)
}

/// A finding in words.
pub fn finding_text(world: &World, finding: &Finding) -> (String, &'static Rule, Option<MarkKind>) {
    let record = |id: u32| facts::record_text(world, id);
    match finding {
        Finding::Lost { record: id, .. } if is_message(world, *id) => (
            format!(
                "{} is lost: it is in no queue, and nobody has done the work",
                record(*id)
            ),
            &facts::rules::MESSAGE_LOST,
            Some(MarkKind::Loss),
        ),
        Finding::Reordered { record: id } if is_message(world, *id) => (
            format!("{} was worked on after a later message of its key", record(*id)),
            &facts::rules::REORDERED,
            None,
        ),
        Finding::Lost { record: id, offset } => {
            let place = world.ledger.get(*id).and_then(|entry| entry.place);
            let place = place.map_or_else(String::new, |place| match offset {
                Some(offset) => format!(" ({} offset {offset})", world.places.name(place)),
                None => format!(" ({})", world.places.name(place)),
            });
            (
                format!("{} is lost: acknowledged, and in no leader's log{place}", record(*id)),
                &facts::rules::LOST,
                Some(MarkKind::Loss),
            )
        }
        Finding::CommittedLost { place, offset } => (
            format!(
                "{} lost committed records from offset {offset} on",
                world.places.name(*place)
            ),
            &facts::rules::COMMITTED_LOST,
            Some(MarkKind::Loss),
        ),
        Finding::Reordered { record: id } => (
            format!("{} stands behind a record that was sent later", record(*id)),
            &facts::rules::REORDERED,
            None,
        ),
        Finding::Duplicated { record: id } => (
            format!("{} stands in the log twice", record(*id)),
            &facts::rules::DUPLICATED,
            None,
        ),
        Finding::DeliveredTwice { record: id, reader } => (
            format!("{reader} was given {} a second time", record(*id)),
            &facts::rules::DELIVERED_TWICE,
            None,
        ),
    }
}
