//! What the application behind a consumer sees: the callbacks of its listener, records, exceptions.

use super::rules;
use crate::kafka::client::call::{ClientError, Consumed};
use crate::kafka::rule::{Rule, Weight};
use crate::kafka::types::NamedPartition;
use crate::ordered::OrderedMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// What one `poll()` returned: hashed by which records they are, not by their content.
#[derive(Clone, Debug)]
pub struct Polled(pub Rc<Vec<Consumed>>);

impl Hash for Polled {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for record in self.0.iter() {
            (record.origin, record.partition.partition, record.offset).hash(state);
        }
    }
}

/// What a consumer's application saw.
#[derive(Clone, Debug, Hash)]
pub enum ConsumerNote {
    /// `onPartitionsAssigned`: the partitions that are new.
    Assigned { partitions: Rc<[NamedPartition]> },
    /// `onPartitionsRevoked`.
    Revoked { partitions: Rc<[NamedPartition]> },
    /// `onPartitionsLost`.
    Lost { partitions: Rc<[NamedPartition]> },
    /// `poll()` threw in the poll loop, which ended it.
    PollError(ClientError),
    /// Callback of a `commitAsync()`, or a commit that the listener or the poll loop made, went well.
    CommitDone {
        offsets: Rc<OrderedMap<NamedPartition, i64>>,
    },
    /// The same, but it failed.
    CommitFailed { error: ClientError },
    /// A leader did not take acknowledgements of a share consumer.
    NotAcknowledged {
        partition: NamedPartition,
        error: ClientError,
    },
    /// Records that a `poll()` of the poll loop returned.
    Polled { records: Polled },
}

impl ConsumerNote {
    /// The rule behind it.
    pub fn rule(&self) -> Option<&'static Rule> {
        Some(match self {
            ConsumerNote::Assigned { .. } | ConsumerNote::Revoked { .. } => &rules::LISTENER,
            ConsumerNote::Lost { .. } => &rules::LOST,
            ConsumerNote::CommitDone { .. } | ConsumerNote::CommitFailed { .. } => &rules::COMMIT,
            ConsumerNote::NotAcknowledged { .. } => &rules::SHARE_ACKNOWLEDGE,
            ConsumerNote::PollError(_) | ConsumerNote::Polled { .. } => &rules::POLL,
        })
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        match self {
            ConsumerNote::Assigned { .. } | ConsumerNote::Revoked { .. } | ConsumerNote::NotAcknowledged { .. } => {
                Weight::Matters
            }
            ConsumerNote::CommitDone { .. } | ConsumerNote::Polled { .. } => Weight::Detail,
            ConsumerNote::Lost { .. } | ConsumerNote::PollError(_) | ConsumerNote::CommitFailed { .. } => Weight::Alarm,
        }
    }

    /// One line for people.
    pub fn text(&self) -> String {
        match self {
            ConsumerNote::Assigned { partitions } => format!("assigned [{}]", list(partitions)),
            ConsumerNote::Revoked { partitions } => format!("revoked [{}]", list(partitions)),
            ConsumerNote::Lost { partitions } => format!("lost [{}]", list(partitions)),
            ConsumerNote::PollError(error) => format!("poll() threw {}", error_text(error)),
            ConsumerNote::CommitDone { offsets } => {
                let each: Vec<String> = offsets
                    .iter()
                    .map(|(partition, at)| format!("{partition} at {at}"))
                    .collect();
                format!("committed {}", each.join(", "))
            }
            ConsumerNote::CommitFailed { error } => format!("commit failed: {}", error_text(error)),
            ConsumerNote::NotAcknowledged { partition, error } => {
                format!("acknowledgement for {partition} failed: {}", error_text(error))
            }
            ConsumerNote::Polled { records } => polled_text(&records.0),
        }
    }
}

fn list(partitions: &[NamedPartition]) -> String {
    let names: Vec<String> = partitions.iter().map(NamedPartition::to_string).collect();
    names.join(", ")
}

fn error_text(error: &ClientError) -> String {
    match &error.message {
        Some(message) => format!("{}: {message}", error.class),
        None => error.class.to_string(),
    }
}

fn polled_text(records: &[Consumed]) -> String {
    let mut ranges: OrderedMap<&NamedPartition, (i64, i64)> = OrderedMap::new();
    for record in records {
        let range = ranges
            .entry(&record.partition)
            .or_insert((record.offset, record.offset));
        range.1 = record.offset;
    }
    let each = ranges.iter().map(|(partition, (first, last))| match first == last {
        true => format!("{partition}@{first}"),
        false => format!("{partition}@{first}..{last}"),
    });
    let each: Vec<String> = each.collect();
    format!("poll() returned {} records: {}", records.len(), each.join(", "))
}
