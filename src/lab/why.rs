//! "Why?": from a line of the log back to the command that began it.
//!
//! The kernel knows for each event during which other one it was scheduled; what was observed in those comes back by a
//! replay, and the observations that follow a rule are the links. Metadata come to a broker by its own fetching, so there
//! the chain goes on at the controller. Where the cause is that somebody was silent, no event caused it: the chain ends
//! with the newest fault that can have silenced them.

mod silence;

use super::history::Class;
use super::journal::{
    self, EVENT_ITSELF, Heard, SPOKEN, command_text, finding_text, note_config, note_rule, note_text,
};
use super::ledger::Finding;
use super::places::partition_of;
use super::run::Run;
use super::view::{Weight, WhyLink};
use super::wire::Note;
use super::world::{World, lab_us};
use crate::kafka::broker::note::BrokerNote;
use crate::kafka::note::Note as KafkaNote;
use crate::kafka::types::TopicPartition;
use crate::ordered::OrderedMap;
use crate::sim::EventKind;
use silence::{Silent, silent_in, touches};
use std::rc::Rc;

/// Links of one answer at most.
const MOST: usize = 12;

/// Causes followed at most.
const HOPS: usize = 20_000;

/// Replays for one answer at most.
const REPLAYS: usize = 12;

/// Events that one replay brings back.
const STRETCH: u64 = 2_048;

/// The answer for one line, effect first.
pub fn chain(run: &Run, event: u64, index: u16) -> Vec<WhyLink> {
    let mut search = Search {
        run,
        known: OrderedMap::new(),
        replays: 0,
        links: Vec::new(),
        about: None,
        silent: None,
    };
    search.begin(event, index);
    search.links
}

struct Search<'a> {
    run: &'a Run,
    /// Events that were brought back.
    known: OrderedMap<u64, Rc<Heard>>,
    replays: usize,
    links: Vec<WhyLink>,
    /// The partition that it is about.
    about: Option<TopicPartition>,
    /// Whose silence was the cause of the last link.
    silent: Option<Silent>,
}

impl Search<'_> {
    fn world(&self) -> &World {
        self.run.world()
    }

    fn begin(&mut self, event: u64, index: u16) {
        let mut start = event;
        if index >= SPOKEN {
            let Some(said) = self.run.entry(event, index) else {
                return;
            };
            self.links.push(WhyLink {
                event,
                at_us: said.at_us,
                who: said.who,
                sentence: said.text,
                ..WhyLink::default()
            });
            start = self.run.decided_at(event, &self.links[0].sentence).unwrap_or(event);
        }
        let Some(heard) = self.heard(start) else { return };
        let notes = heard.notes.len();
        let found = usize::from(index)
            .checked_sub(notes + 1)
            .and_then(|i| heard.found.get(i));
        match (index, found) {
            (SPOKEN.., _) => self.explain(&heard, notes),
            (EVENT_ITSELF, _) => self.tell_event(&heard),
            (_, Some(finding)) => self.tell_finding(&heard, finding),
            (index, None) => {
                let at = usize::from(index) - 1;
                if let Some((_, note)) = heard.notes.get(at) {
                    self.about = partition_of_note(note);
                }
                self.tell_note(&heard, at);
                self.explain_within(&heard, at);
            }
        }
        self.follow(&heard);
    }

    /// Goes from cause to cause.
    fn follow(&mut self, from: &Heard) {
        let mut heard = Rc::new(from.clone());
        for _ in 0..HOPS {
            if self.links.len() >= MOST || heard.step.kind == EventKind::Command {
                return;
            }
            if let Some(silent) = self.silent.take() {
                self.tell_fault(heard.event, &silent);
                return;
            }
            let Some(cause) = self.cause_of(&heard) else { return };
            let Some(next) = self.heard(cause) else { return };
            heard = next;
            if heard.step.kind == EventKind::Command {
                self.tell_event(&heard);
                return;
            }
            self.explain(&heard, heard.notes.len());
        }
    }

    /// The event that caused this one, past those in which nothing was observed.
    fn cause_of(&self, heard: &Heard) -> Option<u64> {
        let written = heard.notes.iter().find_map(|(_, note)| match note {
            Note::Kafka(KafkaNote::Broker(BrokerNote::MetadataApplied { written_in, .. })) => Some(*written_in),
            _ => None,
        });
        let mut cause = written.unwrap_or(heard.step.cause);
        for _ in 0..HOPS {
            let kept = self.run.kept(cause)?;
            if kept.class != Class::Idle || kept.kind == EventKind::Command {
                return Some(self.run.number(cause));
            }
            cause = kept.cause;
        }
        None
    }

    /// An event in full.
    fn heard(&mut self, event: u64) -> Option<Rc<Heard>> {
        if !self.known.contains_key(&event) {
            if self.replays >= REPLAYS || event == 0 {
                return None;
            }
            self.replays += 1;
            let first = event.saturating_sub(STRETCH).max(1);
            let stretch = self.run.replayed(first..event + 1);
            self.known.extend(stretch.into_iter().map(|heard| (heard.event, heard)));
        }
        self.known.get(&event).cloned()
    }

    /// The observations of an event before index `end` that say most, with what explains them there.
    fn explain(&mut self, heard: &Heard, end: usize) {
        let fits = |note: &Note| match (self.about, partition_of_note(note)) {
            (Some(about), Some(partition)) => about == partition,
            _ => true,
        };
        let best = heard.notes[..end]
            .iter()
            .enumerate()
            .filter(|(_, (_, note))| note_rule(note).is_some() && fits(note))
            .max_by_key(|(at, (_, note))| {
                let own = partition_of_note(note).is_some() && self.about.is_some();
                (own, journal::note_weight(note), std::cmp::Reverse(*at))
            });
        let Some((at, (_, note))) = best else { return };
        if journal::note_weight(note).is_none_or(|weight| weight < Weight::Detail) && self.links.len() > 1 {
            return;
        }
        self.about = self.about.or(partition_of_note(note));
        self.tell_note(heard, at);
        self.explain_within(heard, at);
    }

    /// What was observed before in the same event and is about the process as a whole: `b1 fenced` before `leader b1 ->
    /// b2`.
    fn explain_within(&mut self, heard: &Heard, at: usize) {
        let before = heard.notes[..at.min(heard.notes.len())].iter().enumerate().rev();
        let wide = before
            .filter(|(_, (_, note))| partition_of_note(note).is_none() && note_rule(note).is_some())
            .find(|(_, (_, note))| journal::note_weight(note).is_some_and(|weight| weight >= Weight::Matters));
        if let Some((at, _)) = wide {
            self.tell_note(heard, at);
        }
    }

    fn push(&mut self, link: WhyLink) {
        let same = |last: &WhyLink| last.who == link.who && last.sentence == link.sentence;
        if self.links.len() < MOST && !self.links.last().is_some_and(same) {
            self.links.push(link);
        }
    }

    fn tell_note(&mut self, heard: &Heard, at: usize) {
        let Some((who, note)) = heard.notes.get(at) else { return };
        let rule = note_rule(note);
        let link = WhyLink {
            event: heard.event,
            at_us: lab_us(heard.step.at),
            who: self.world().name(*who).to_string(),
            sentence: note_text(self.world(), note),
            rule: rule.map(|rule| rule.name),
            source: rule.map(|rule| rule.source),
            config: note_config(note),
        };
        self.silent = silent_in(self.world(), note).or(self.silent.take());
        self.push(link);
    }

    fn tell_finding(&mut self, heard: &Heard, finding: &Finding) {
        let (sentence, rule, _) = finding_text(self.world(), finding);
        let place = match finding {
            Finding::CommittedLost { place, .. } => Some(*place),
            Finding::Lost { record, .. }
            | Finding::Reordered { record }
            | Finding::Duplicated { record }
            | Finding::DeliveredTwice { record, .. } => self.world().ledger.get(*record).and_then(|entry| entry.place),
        };
        self.about = place.map(partition_of);
        self.push(WhyLink {
            event: heard.event,
            at_us: lab_us(heard.step.at),
            who: "ledger".into(),
            sentence,
            rule: Some(rule.name),
            source: Some(rule.source),
            config: Vec::new(),
        });
        self.explain(heard, heard.notes.len());
    }

    /// The event itself: a line of the scenario, or what a process was given.
    fn tell_event(&mut self, heard: &Heard) {
        let (who, sentence) = match &heard.command {
            Some(command) => ("you".to_string(), command_text(command)),
            None => match journal::entries_of(self.world(), heard, Weight::Idle)
                .into_iter()
                .next()
            {
                Some(entry) => (entry.log.who, entry.log.text),
                None => return,
            },
        };
        self.push(WhyLink {
            event: heard.event,
            at_us: lab_us(heard.step.at),
            who,
            sentence,
            ..WhyLink::default()
        });
    }

    /// The newest fault before `event` that can have silenced them.
    fn tell_fault(&mut self, event: u64, silent: &Silent) {
        for fault in self.run.faults_before(event) {
            let Some(heard) = self.heard(fault) else { return };
            let fits = heard
                .command
                .as_ref()
                .is_some_and(|command| touches(self.world(), command, silent));
            if fits {
                self.tell_event(&heard);
                return;
            }
        }
    }
}

/// The partition that a note is about.
fn partition_of_note(note: &Note) -> Option<TopicPartition> {
    match note.kafka()? {
        KafkaNote::Fact(fact) => journal::partition(fact),
        KafkaNote::Broker(note) => note.partition(),
        KafkaNote::Controller(note) => silence::partition_of_change(note),
        KafkaNote::Txn(note) => note.partition(),
        KafkaNote::Share(note) => note.partition(),
        KafkaNote::Group(_) | KafkaNote::Client(_) => None,
    }
}
