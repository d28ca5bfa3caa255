//! What must hold after every step, whatever happens. A broken one keeps the first event that broke it.

use super::ledger::{Finding, Place};
use crate::ordered::OrderedMap;
use crate::sim::ProcId;
use std::rc::Rc;

/// The invariants, by the names that `always` and `expect` know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    NoCommittedLoss,
    NoAcknowledgedLoss,
    OrderWithinPartition,
    HighWatermarkMonotonic,
    OneLeaderPerEpoch,
    CommittedWithinLog,
}

impl Invariant {
    pub const ALL: [Invariant; 6] = [
        Invariant::NoCommittedLoss,
        Invariant::NoAcknowledgedLoss,
        Invariant::OrderWithinPartition,
        Invariant::HighWatermarkMonotonic,
        Invariant::OneLeaderPerEpoch,
        Invariant::CommittedWithinLog,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Invariant::NoCommittedLoss => "no-committed-record-lost",
            Invariant::NoAcknowledgedLoss => "no-acknowledged-record-lost",
            Invariant::OrderWithinPartition => "order-within-partition",
            Invariant::HighWatermarkMonotonic => "high-watermark-monotonic",
            Invariant::OneLeaderPerEpoch => "one-leader-per-epoch",
            Invariant::CommittedWithinLog => "committed-offset-within-log",
        }
    }

    pub fn about(self) -> &'static str {
        match self {
            Invariant::NoCommittedLoss => "A record below the high watermark is never lost.",
            Invariant::NoAcknowledgedLoss => "A record that the producer was told is written is never lost.",
            Invariant::OrderWithinPartition => "A producer's records stand in a partition in the order it sent them.",
            Invariant::HighWatermarkMonotonic => "Within a leader epoch the leader's high watermark never goes back.",
            Invariant::OneLeaderPerEpoch => "No two brokers lead a partition in the same epoch.",
            Invariant::CommittedWithinLog => "A group never commits an offset beyond the end of the log.",
        }
    }

    pub fn by_name(name: &str) -> Option<Invariant> {
        Invariant::ALL.into_iter().find(|invariant| invariant.name() == name)
    }
}

/// The first time an invariant was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub event: u64,
    pub how: Rc<str>,
}

/// What the invariants need to remember.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    breaches: OrderedMap<Invariant, Breach>,
    leaders: OrderedMap<(Place, i32), ProcId>,
}

impl Invariants {
    pub fn breach(&self, invariant: Invariant) -> Option<&Breach> {
        self.breaches.get(&invariant)
    }

    fn broken(&mut self, invariant: Invariant, event: u64, how: impl FnOnce() -> String) {
        self.breaches.entry(invariant).or_insert_with(|| Breach {
            event,
            how: how().into(),
        });
    }

    /// A broker leads in an epoch.
    pub fn leads(&mut self, event: u64, place: Place, epoch: i32, broker: ProcId, name: &dyn Fn(Place) -> String) {
        let first = *self.leaders.entry((place, epoch)).or_insert(broker);
        if first != broker {
            self.broken(Invariant::OneLeaderPerEpoch, event, || {
                format!("a second broker leads {} in epoch {epoch}", name(place))
            });
        }
    }

    /// A leader's high watermark moved within its epoch.
    pub fn high_watermark(&mut self, event: u64, place: Place, from: i64, to: i64, name: &dyn Fn(Place) -> String) {
        if to < from {
            self.broken(Invariant::HighWatermarkMonotonic, event, || {
                format!("the high watermark of {} went from {from} back to {to}", name(place))
            });
        }
    }

    /// A group committed an offset; `end` is the log end of the partition's leader.
    pub fn committed(&mut self, event: u64, partition: &str, offset: i64, end: Option<i64>) {
        if end.is_some_and(|end| offset > end) {
            self.broken(Invariant::CommittedWithinLog, event, || {
                format!(
                    "offset {offset} of {partition} was committed, and the log ends at {}",
                    end.unwrap_or(0)
                )
            });
        }
    }

    /// Something that the ledger noticed.
    pub fn finding(&mut self, event: u64, finding: &Finding, name: &dyn Fn(Place) -> String) {
        match finding {
            Finding::Lost { record, .. } => self.broken(Invariant::NoAcknowledgedLoss, event, || {
                format!("record {record} was acknowledged and is in no leader's log")
            }),
            Finding::CommittedLost { place, offset } => self.broken(Invariant::NoCommittedLoss, event, || {
                format!(
                    "the new leader of {} does not have the committed offset {offset}",
                    name(*place)
                )
            }),
            Finding::Reordered { record } => self.broken(Invariant::OrderWithinPartition, event, || {
                format!("record {record} was appended behind a later one of the same producer")
            }),
            Finding::Duplicated { .. } | Finding::DeliveredTwice { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_breach_is_kept() {
        let name = |_: Place| "t-0".to_string();
        let mut invariants = Invariants::default();
        invariants.leads(1, (0, 0), 3, ProcId(1), &name);
        invariants.leads(2, (0, 0), 3, ProcId(1), &name);
        assert_eq!(invariants.breach(Invariant::OneLeaderPerEpoch), None);
        invariants.leads(5, (0, 0), 3, ProcId(2), &name);
        invariants.leads(6, (0, 0), 3, ProcId(3), &name);
        assert_eq!(
            invariants.breach(Invariant::OneLeaderPerEpoch).map(|b| b.event),
            Some(5)
        );
    }

    #[test]
    fn names_lead_back() {
        for invariant in Invariant::ALL {
            assert_eq!(Invariant::by_name(invariant.name()), Some(invariant));
        }
    }
}
