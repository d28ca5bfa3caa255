//! What a producer does that its own log does not tell.

use super::rules;
use crate::kafka::log::batch::ProducerTag;
use crate::kafka::rule::{Names, Rule, Weight};
use crate::kafka::types::{NamedPartition, NodeId};

/// A producer's observation.
#[derive(Clone, Debug, Hash)]
pub enum ProducerNote {
    /// A batch went into a Produce request.
    Sent {
        partition: NamedPartition,
        to: NodeId,
        records: u32,
        /// How often it was sent before.
        attempts: u32,
        /// How long it waited since it was begun or failed last, ms.
        waited_ms: i64,
        /// `linger.ms`
        linger_ms: i64,
        tag: Option<ProducerTag>,
    },
}

impl ProducerNote {
    /// The rule behind it.
    pub fn rule(&self) -> Option<&'static Rule> {
        let ProducerNote::Sent { attempts, .. } = self;
        Some(if *attempts == 0 { &rules::LINGER } else { &rules::RETRY })
    }

    /// How loud it is.
    pub fn weight(&self) -> Weight {
        Weight::Detail
    }

    /// One line for people.
    pub fn text(&self, names: &dyn Names) -> String {
        let ProducerNote::Sent {
            partition,
            to,
            records,
            attempts,
            waited_ms,
            tag,
            ..
        } = self;
        let again = match attempts {
            0 => String::new(),
            n => format!(", attempt {}", n + 1),
        };
        let sequence = tag.map_or(String::new(), |tag| format!(", sequence {}", tag.sequence));
        let to = names.node(*to);
        format!("sends {records} record(s) for {partition} to {to} after {waited_ms} ms{sequence}{again}")
    }

    /// The settings that decided it.
    pub fn config(&self) -> Vec<(&'static str, String)> {
        let ProducerNote::Sent { linger_ms, .. } = self;
        vec![("linger.ms", linger_ms.to_string())]
    }
}
