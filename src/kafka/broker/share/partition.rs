//! One partition as one share group sees it: which records are available, acquired, or finished, and by how many
//! deliveries. A pure state machine: the leader reads the log, sets the timers and has the state written around it.
//! [SharePartition, InFlightBatch, InFlightState]
//!
//! Records between the start offset (SPSO) and the end offset (SPEO) are *in flight*. They are kept in the batches in which
//! they were first acquired; a batch that was only ever treated as a whole has errors of its own, as in Kafka. A change that
//! has to be written first is *ongoing* until [`written`](SharePartition::written) says how that went.

use crate::kafka::protocol::ErrorCode;
pub use crate::kafka::protocol::share::{Acknowledge, AcknowledgeBatch, RecordState, StateBatch};
use std::collections::VecDeque;
use std::rc::Rc;

/// What a group's settings allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareLimits {
    /// `group.share.delivery.count.limit`
    pub deliveries: u16,
    /// `group.share.partition.max.record.locks`
    pub in_flight: usize,
    /// `share.renew.acknowledge.enable`
    pub renew: bool,
}

/// Records that a member has acquired; all of them with the same count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acquired {
    pub first: i64,
    pub last: i64,
    pub deliveries: u16,
    /// Number of the acquisition lock: its timer tells [`SharePartition::lock_expired`].
    pub lock: u64,
}

/// What is to be written, and what follows from how that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareWrite {
    /// For [`SharePartition::written`].
    pub number: u64,
    /// The start offset before this change: what is written is one step behind.
    pub start: i64,
    /// Finished records at or above that start.
    pub completed: usize,
    pub batches: Vec<StateBatch>,
}

/// Why an acknowledgement is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareRefusal {
    pub error: ErrorCode,
    pub message: &'static str,
}

pub(super) fn invalid(message: &'static str) -> ShareRefusal {
    ShareRefusal {
        error: ErrorCode::InvalidRecordState,
        message,
    }
}

/// What a record was before a change that is being written.
#[derive(Clone, Debug)]
pub(super) struct Before {
    pub write: u64,
    pub state: RecordState,
    pub member: Option<Rc<str>>,
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub state: RecordState,
    pub deliveries: u16,
    pub member: Option<Rc<str>>,
    pub lock: u64,
    /// Its lock ended while a change was being written.
    pub expired: bool,
    pub ongoing: Option<Before>,
}

impl Slot {
    pub(super) fn is_free(&self) -> bool {
        self.state == RecordState::Available && self.ongoing.is_none()
    }

    /// Given back: available, or archived if it was delivered too often.
    pub(super) fn given_back(&self, limit: u16) -> RecordState {
        match self.deliveries >= limit {
            true => RecordState::Archived,
            false => RecordState::Available,
        }
    }

    pub(super) fn settle(&mut self, state: RecordState) {
        self.state = state;
        self.member = None;
        self.expired = false;
    }
}

#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub first: i64,
    pub slots: Vec<Slot>,
    /// Never treated in parts. [InFlightBatch.offsetState() == null]
    pub whole: bool,
}

impl InFlight {
    pub(super) fn last(&self) -> i64 {
        self.first + self.slots.len() as i64 - 1
    }
}

/// The state of one share partition.
#[derive(Clone, Debug)]
pub struct SharePartition {
    pub(super) limits: ShareLimits,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) batches: VecDeque<InFlight>,
    /// Something below the end may be available.
    pub(super) look_back: bool,
    pub(super) next_number: u64,
}

impl SharePartition {
    /// From what was written: records that were acquired then are available. [SharePartition.maybeInitialize]
    pub fn new(start: i64, stored: &[StateBatch], limits: ShareLimits) -> SharePartition {
        let batch = |stored: &StateBatch| {
            let count = usize::try_from(stored.last - stored.first + 1).unwrap_or(0);
            let slot = Slot {
                state: stored.state,
                deliveries: stored.deliveries,
                member: None,
                lock: 0,
                expired: false,
                ongoing: None,
            };
            InFlight {
                first: stored.first,
                slots: vec![slot; count],
                whole: true,
            }
        };
        let mut batches: VecDeque<InFlight> = VecDeque::new();
        for stored in stored {
            let next = batches.back().map_or(start, |last| last.last() + 1);
            // What nobody wrote about was acquired at most: it is available.
            if next < stored.first {
                batches.push_back(batch(&StateBatch {
                    first: next,
                    last: stored.first - 1,
                    state: RecordState::Available,
                    deliveries: 0,
                }));
            }
            batches.push_back(batch(stored));
        }
        let mut partition = SharePartition {
            limits,
            start,
            end: batches.back().map_or(start, InFlight::last),
            look_back: !batches.is_empty(),
            batches,
            next_number: 1,
        };
        partition.move_start();
        partition
    }

    /// SPSO: the first record that is not finished.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// SPEO: the last record that was acquired; the start, if none is in flight.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// Records in flight with their offsets, states and deliveries, in their order.
    pub fn records(&self) -> impl Iterator<Item = (i64, RecordState, u16)> + '_ {
        let from = self.start;
        let all = self.slots().filter(move |(offset, _)| *offset >= from);
        all.map(|(offset, slot)| (offset, slot.state, slot.deliveries))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = (i64, &Slot)> {
        let batches = self.batches.iter();
        batches.flat_map(|batch| (batch.first..).zip(&batch.slots))
    }

    /// Who holds a record.
    pub fn owner(&self, offset: i64) -> Option<&Rc<str>> {
        self.slots().find(|(at, _)| *at == offset)?.1.member.as_ref()
    }

    /// So many records are in flight. [numInFlightRecords]
    pub fn in_flight(&self) -> usize {
        match self.batches.is_empty() {
            true => 0,
            false => usize::try_from(self.end - self.start + 1).unwrap_or(0) - self.completed(),
        }
    }

    /// Is there anything that could be acquired: a record that came back, or room for new ones? [canAcquireRecords]
    pub fn can_acquire(&mut self) -> bool {
        self.next_fetch_offset() != self.end + 1 || self.spread() < self.limits.in_flight
    }

    /// Records from the start to the end, finished ones too: that is what the limit counts. [numInFlightRecords]
    pub(super) fn spread(&self) -> usize {
        match self.batches.is_empty() {
            true => 0,
            false => usize::try_from(self.end - self.start + 1).unwrap_or(0),
        }
    }

    /// Records that were just acquired belong to an aborted transaction: they are finished, and nobody gets them.
    /// [archiveRecords]
    pub fn archive_acquired(&mut self, first: i64, last: i64) {
        for batch in &mut self.batches {
            for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
                if (first..=last).contains(&offset) && slot.state == RecordState::Acquired && slot.ongoing.is_none() {
                    slot.settle(RecordState::Archived);
                }
            }
        }
        self.move_start();
    }

    /// Finished records at or above the start.
    pub(super) fn completed(&self) -> usize {
        self.records().filter(|(_, state, _)| state.is_terminal()).count()
    }

    pub(super) fn number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    /// Where to read next: the first record that is available again, else behind the end.
    /// [SharePartition.nextFetchOffset]
    pub fn next_fetch_offset(&mut self) -> i64 {
        let nothing = self.batches.back().is_none_or(|last| self.start > last.last());
        if self.look_back && !nothing {
            let free = self.slots().find(|(_, slot)| slot.is_free());
            if let Some((offset, _)) = free {
                return offset;
            }
        }
        self.look_back = false;
        match nothing {
            true => self.end,
            false => self.end + 1,
        }
    }

    /// The start moves over what is finished, but not over what is being written. [maybeUpdateCachedStateAndOffsets]
    pub(super) fn move_start(&mut self) {
        let open = |(offset, slot): &(i64, &Slot)| {
            *offset >= self.start && !(slot.state.is_terminal() && slot.ongoing.is_none())
        };
        let Some(last) = self.batches.back().map(InFlight::last) else {
            return;
        };
        let first_open = self.slots().find(open).map(|(offset, _)| offset);
        match first_open {
            Some(first) => {
                self.start = self.start.max(first);
                while self.batches.front().is_some_and(|batch| batch.last() < self.start) {
                    self.batches.pop_front();
                }
            }
            None => {
                self.batches.clear();
                self.start = self.start.max(last + 1);
                self.end = self.start;
            }
        }
    }

    /// Retention or DeleteRecords moved the log's start: what is available below is archived, what somebody holds
    /// stays until it comes back. [updateCacheAndOffsets]
    pub fn log_start_moved(&mut self, to: i64) {
        if to <= self.start {
            return;
        }
        for batch in &mut self.batches {
            for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
                if offset < to && slot.is_free() {
                    slot.settle(RecordState::Archived);
                }
            }
        }
        self.start = to;
        self.end = self.end.max(to);
        self.look_back = true;
        while self.batches.front().is_some_and(|batch| {
            batch.last() < to
                && batch
                    .slots
                    .iter()
                    .all(|slot| slot.state.is_terminal() && slot.ongoing.is_none())
        }) {
            self.batches.pop_front();
        }
        self.move_start();
    }
}
