//! From what processes report to what the ledger and the invariants know.

use super::ledger::{Entry, Part, RecordId, Standing};
use super::places::place_of;
use super::wire::Note;
use super::world::{Role, World};
use crate::kafka::client::consumer::note::ConsumerNote;
use crate::kafka::client::note::ClientNote;
use crate::kafka::log::batch::{Batch, Outcome};
use crate::kafka::note::{Fact, Note as KafkaNote, ShareFate};
use crate::kafka::types::TopicPartition;
use crate::sim::{EventKind, ProcId, Step};
use std::rc::Rc;

/// Whether a record that nobody waits for (acks=0) can have been lost in this event: a request that came to nothing, a
/// connection or process that ended.
pub(super) fn may_lose_packets(step: &Step) -> bool {
    const PRODUCE_REQUEST: u8 = 7;
    match step.kind {
        EventKind::Message => step.tag == PRODUCE_REQUEST,
        EventKind::Closed | EventKind::Refused | EventKind::Command => true,
        _ => false,
    }
}

/// What a batch puts at its offsets.
fn standings(batch: &Batch) -> impl Iterator<Item = Standing> + '_ {
    let part = match (batch.producer, batch.control) {
        (Some(tag), Some(control)) => Part::Marker {
            producer: tag.id,
            committed: control.outcome == Outcome::Commit,
        },
        (Some(tag), None) if batch.transactional => Part::Member(tag.id),
        _ => Part::Plain,
    };
    batch.iter().map(move |(offset, record)| Standing {
        offset,
        record: record.origin,
        part,
    })
}

impl World {
    /// Takes in what the last event reported since this was called last; to be called after whatever was done to the
    /// world from outside.
    pub fn observe(&mut self) {
        let event = self.sim.event();
        if self.observed.0 != event {
            self.observed = (event, 0);
            self.found.clear();
        }
        let notes = self.sim.take_notes();
        let from = self.observed.1.min(notes.len());
        self.observed.1 = notes.len();
        for (who, note) in &notes[from..] {
            match note {
                Note::Kafka(note) => {
                    self.observe_kafka(event, *who, note);
                    self.observe_handed_on(note);
                }
                Note::Rabbit(note) => self.observe_rabbit(*who, note),
                Note::Engine(_) => {}
                Note::Serving(note) => self.observe_serving(*who, note),
            }
        }
        let findings = self.ledger.take_findings();
        if !findings.is_empty() {
            let places = self.places.clone();
            for finding in &findings {
                self.invariants.finding(event, finding, &|place| places.name(place));
            }
        }
        self.found.extend(findings);
        self.sim.put_notes(notes);
        if self.hand_on() {
            self.observe();
        }
    }

    fn observe_kafka(&mut self, event: u64, who: ProcId, note: &KafkaNote) {
        match note {
            KafkaNote::Fact(fact) => self.observe_fact(event, who, fact),
            KafkaNote::Controller(_) => self.learn_topics(),
            KafkaNote::Client(ClientNote::Consumer(
                ConsumerNote::PollError(error) | ConsumerNote::CommitFailed { error },
            )) => {
                Rc::make_mut(&mut self.errors).insert(who, error.class.clone());
            }
            KafkaNote::Client(ClientNote::Log { line, .. }) => {
                self.logs.push(who, line);
                self.tool_hears(who, line);
            }
            KafkaNote::Client(_)
            | KafkaNote::Broker(_)
            | KafkaNote::Group(_)
            | KafkaNote::Txn(_)
            | KafkaNote::Share(_) => {}
        }
    }

    /// Topic names for ids, from the controller's image.
    fn learn_topics(&mut self) {
        let known: Vec<_> = match self.image() {
            Some(image) => image
                .topics
                .values()
                .map(|topic| (topic.id, topic.name.clone()))
                .collect(),
            None => return,
        };
        for (id, name) in known {
            self.places.learn(id, &name);
        }
    }

    fn observe_fact(&mut self, event: u64, who: ProcId, fact: &Fact) {
        match fact {
            Fact::Appended {
                partition,
                leader: true,
                batch,
            } => {
                let place = place_of(*partition);
                for standing in standings(&batch.0) {
                    self.ledger.appended(place, batch.0.leader_epoch, standing);
                }
            }
            Fact::Leads { partition, epoch, .. } => self.observe_leader(event, who, *partition, *epoch),
            Fact::Truncated { partition, from, to } => self.remember_ghosts(who, *partition, *to..*from, false),
            Fact::Loaded { partition, end, .. } => self.remember_ghosts(who, *partition, *end..i64::MAX, true),
            Fact::HighWatermark {
                partition,
                leader: true,
                epoch,
                from,
                to,
            } => {
                let places = &self.places;
                let place = place_of(*partition);
                self.invariants
                    .high_watermark(event, place, *from, *to, &|place| places.name(place));
                self.ledger.high_watermark_moved(place, *epoch, *to);
            }
            Fact::Accepted { origin, partition } => {
                if let Some(place) = self.places.place(partition) {
                    self.ledger.accepted(*origin, place);
                }
            }
            Fact::Acknowledged {
                origin,
                partition,
                offset,
            } => {
                let place = self.places.place(partition).unwrap_or((0, partition.partition));
                self.ledger
                    .acknowledged(*origin, place, (*offset >= 0).then_some(*offset));
            }
            Fact::Failed { origin, error } => {
                self.ledger.failed(*origin, error.clone());
                Rc::make_mut(&mut self.errors).insert(who, error.clone());
            }
            Fact::Delivered { origin, group, .. } => {
                let reader = group.clone().unwrap_or_else(|| self.name(who).clone());
                let now = self.sim.now();
                self.ledger.delivered(*origin, &reader, now);
            }
            Fact::ShareFinished {
                partition,
                first,
                last,
                fate,
                ..
            } => {
                for offset in *first..=*last {
                    let change = |entry: &mut Entry| match fate {
                        ShareFate::Accepted => entry.accepted = true,
                        ShareFate::Rejected => entry.rejected = true,
                        ShareFate::DeliveryLimit => entry.archived = true,
                        ShareFate::Gap => {}
                    };
                    self.ledger
                        .finished_by_share_group(place_of(*partition), offset, change);
                }
            }
            Fact::Committed { partition, offset, .. } => {
                let end = self.places.place(partition).and_then(|place| self.ledger.end_of(place));
                self.invariants.committed(event, &partition.to_string(), *offset, end);
            }
            Fact::Returned { call, result } => {
                if let Err(error) = result {
                    Rc::make_mut(&mut self.errors).insert(who, error.class.clone());
                }
                self.answered(*call, result);
            }
            _ => {}
        }
    }

    fn observe_leader(&mut self, event: u64, who: ProcId, partition: TopicPartition, epoch: i32) {
        let place = place_of(partition);
        let places = &self.places;
        self.invariants
            .leads(event, place, epoch, who, &|place| places.name(place));
        let Role::Broker(node) = self.role(who) else { return };
        let Some((start, log)) = self.log_of(node, partition) else {
            return;
        };
        self.ledger.leads(place, epoch, start, log.into_iter());
    }

    /// Log start of a replica and what stands in it, as the broker has it now.
    fn log_of(&self, node: i32, partition: TopicPartition) -> Option<(i64, Vec<Standing>)> {
        let replica = self.broker(node)?.replica(partition)?;
        let start = replica.log_start();
        let all = replica.batches().flat_map(standings);
        Some((start, all.filter(|standing| standing.offset >= start).collect()))
    }

    /// Records that a client believes sent (acks=0) and that are nowhere any more.
    pub fn settle_airborne(&mut self) {
        let airborne: Vec<RecordId> = self.ledger.airborne().collect();
        if airborne.is_empty() {
            return;
        }
        let mut flying: crate::ordered::OrderedSet<RecordId> = self
            .sim
            .in_flight()
            .filter_map(|flight| match &flight.msg.kafka()?.body {
                crate::kafka::protocol::Body::ProduceRequest(request) => Some(
                    request
                        .data
                        .iter()
                        .flat_map(|(_, batch)| batch.records.iter().map(|record| record.origin))
                        .collect::<Vec<_>>(),
                ),
                _ => None,
            })
            .flatten()
            .collect();
        flying.extend(self.messages_in_hand());
        for record in airborne.into_iter().filter(|record| !flying.contains(record)) {
            self.ledger.vanished(record);
        }
    }
}
