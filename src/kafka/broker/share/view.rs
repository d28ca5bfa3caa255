//! What there is to see of share partitions from outside: for the page and the tests.

use super::manager::Shared;
use super::partition::SharePartition;
use super::state::ShareKey;
use crate::kafka::protocol::share::RecordState;
use crate::kafka::types::TopicPartition;
use crate::sim::Time;
use std::rc::Rc;

/// A share partition at the leader that hands out its records.
#[derive(Clone, Copy, Debug)]
pub struct SharePartitionView<'a> {
    pub group: &'a Rc<str>,
    pub partition: TopicPartition,
    shared: &'a Shared,
}

/// A record that is in flight.
#[derive(Clone, Debug)]
pub struct InFlightView<'a> {
    pub offset: i64,
    pub state: RecordState,
    pub deliveries: u16,
    /// Who holds it.
    pub member: Option<&'a Rc<str>>,
    /// When its lock ends.
    pub until: Option<Time>,
}

impl<'a> SharePartitionView<'a> {
    pub(in crate::kafka::broker) fn of(key: &'a ShareKey, shared: &'a Shared) -> SharePartitionView<'a> {
        SharePartitionView {
            group: &key.0,
            partition: key.1,
            shared,
        }
    }

    /// `None` while what was written of it is being read.
    pub fn records(&self) -> Option<&'a SharePartition> {
        self.shared.records.as_ref()
    }

    /// What is in flight, in the order of the log.
    pub fn in_flight(&self) -> impl Iterator<Item = InFlightView<'a>> {
        let shared = self.shared;
        let records = shared.records.iter().flat_map(|records| {
            let start = records.start();
            records.slots().filter(move |(offset, _)| *offset >= start)
        });
        records.map(move |(offset, slot)| {
            let held = slot.state == RecordState::Acquired;
            let lock = shared.locks.iter().find(|(_, lock)| held && *lock == slot.lock);
            InFlightView {
                offset,
                state: slot.state,
                deliveries: slot.deliveries,
                member: slot.member.as_ref().filter(|_| held),
                until: lock.map(|(end, _)| *end),
            }
        })
    }
}
