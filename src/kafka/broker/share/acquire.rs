//! Acquiring: which records a member gets, in which portions. [SharePartition.acquire]

use super::partition::{Acquired, InFlight, RecordState, SharePartition, Slot};
use std::rc::Rc;

/// Deliveries from which on records are handed out in smaller and smaller portions, at least.
const MIN_THROTTLE: u16 = 2;

impl SharePartition {
    /// A member acquires of what was read from the log: `read` are the batches, first and last offsets. At most
    /// `max_records`, but for a last batch that is taken whole unless `limited` (`share.acquire.mode=record_limit`); batches
    /// of about `batch_size`.
    pub fn acquire(
        &mut self,
        member: &Rc<str>,
        batch_size: usize,
        max_records: usize,
        read: &[(i64, i64)],
        fetch_offset: i64,
        limited: bool,
    ) -> Vec<Acquired> {
        let (Some((first, _)), Some((_, last))) = (read.first().copied(), read.last().copied()) else {
            return Vec::new();
        };
        let mut room = max_records.min(self.limits.in_flight.saturating_sub(self.spread()));
        let mut last = last;
        if room == 0 && fetch_offset <= self.end {
            room = max_records.min(usize::try_from(self.end - fetch_offset + 1).unwrap_or(0));
            last = last.min(self.end);
        }
        if room == 0 || last < self.start {
            return Vec::new();
        }
        let mut got = Vec::new();
        let first = first.max(self.start);
        let (mut count, mut throttled) = (0, false);
        for at in 0..self.batches.len() {
            let batch = &self.batches[at];
            if batch.last() < first || batch.first > last || count >= room {
                continue;
            }
            let slow = self.is_throttled(at, first, last);
            if slow && count > 0 {
                throttled = true;
                break;
            }
            let most = if limited { room - count } else { usize::MAX };
            let more = self.acquire_known(at, member, (first, last), (slow, most), &mut got);
            count += more;
            if slow && more > 0 {
                throttled = true;
                break;
            }
        }
        let behind = self.batches.back().map_or(first, |batch| batch.last() + 1).max(first);
        if !throttled && count < room && behind <= last {
            let before = got.len();
            self.acquire_new(member, batch_size, room - count, read, (behind, last), &mut got);
            if limited {
                self.give_back_above(room - count, before, &mut got);
            }
        }
        got
    }

    /// Of new records only so many are acquired; the rest of their batch is available.
    /// [createBatches, ShareAcquireMode.RECORD_LIMIT]
    fn give_back_above(&mut self, most: usize, from: usize, got: &mut Vec<Acquired>) {
        let mut left = i64::try_from(most).unwrap_or(i64::MAX);
        for range in got.iter_mut().skip(from) {
            let keep = left.min(range.last - range.first + 1);
            left -= keep;
            range.last = range.first + keep - 1;
        }
        got.retain(|range| range.first <= range.last);
        let Some(end) = got.last().map(|range| range.last) else {
            return;
        };
        for batch in self.batches.iter_mut().filter(|batch| batch.last() > end) {
            batch.whole = false;
            for (_, slot) in (batch.first..)
                .zip(&mut batch.slots)
                .filter(|(offset, _)| *offset > end)
            {
                slot.settle(RecordState::Available);
                slot.deliveries = 0;
                self.look_back = true;
            }
        }
    }

    fn throttle_from(&self) -> u16 {
        self.limits.deliveries.div_ceil(2).max(MIN_THROTTLE)
    }

    /// Has any of its available records been delivered so often that it is handed out with few others?
    fn is_throttled(&self, at: usize, first: i64, last: i64) -> bool {
        let batch = &self.batches[at];
        let free = (batch.first..).zip(&batch.slots);
        let free = free.filter(|(offset, slot)| (first..=last).contains(offset) && slot.is_free());
        let most = free.map(|(_, slot)| slot.deliveries).max();
        most.unwrap_or(0) >= self.throttle_from()
    }

    /// Records that were in flight before. [acquireSubsetBatchRecords]
    fn acquire_known(
        &mut self,
        at: usize,
        member: &Rc<str>,
        (first, last): (i64, i64),
        (slow, allowed): (bool, usize),
        got: &mut Vec<Acquired>,
    ) -> usize {
        let limit = self.limits.deliveries;
        let from = self.throttle_from();
        let lock = self.number();
        let batch = &mut self.batches[at];
        batch.whole &= !slow && allowed >= batch.slots.len() && first <= batch.first && batch.last() <= last;
        let size = batch.slots.len();
        let (mut count, mut most) = (0, usize::MAX);
        for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
            if !(first..=last).contains(&offset) || !slot.is_free() {
                continue;
            }
            // The last delivery of a record goes out alone.
            let last_time = limit > 2 && slot.deliveries + 1 == limit;
            if last_time && count > 0 {
                break;
            }
            if slot.deliveries >= from && most == usize::MAX {
                most = (size >> (slot.deliveries - from + 1)).max(1);
            }
            slot.state = RecordState::Acquired;
            slot.deliveries += 1;
            slot.member = Some(member.clone());
            slot.lock = lock;
            slot.expired = false;
            push(got, offset, slot.deliveries, lock);
            count += 1;
            if last_time || count == most || count == allowed {
                break;
            }
        }
        count
    }

    /// Records behind the end. [acquireNewBatchRecords, createBatches]
    fn acquire_new(
        &mut self,
        member: &Rc<str>,
        batch_size: usize,
        room: usize,
        read: &[(i64, i64)],
        (first, last): (i64, i64),
        got: &mut Vec<Acquired>,
    ) {
        let first = if self.batches.is_empty() {
            first.max(self.end)
        } else {
            first
        };
        let wanted = first.saturating_add(i64::try_from(room).unwrap_or(i64::MAX) - 1);
        // The batch in which the room ends is taken whole.
        let end_of_batch = read
            .iter()
            .find(|(_, end)| *end >= wanted)
            .map_or(last, |(_, end)| *end);
        let last = last.min(end_of_batch);
        if first > last {
            return;
        }
        let mut from = first;
        for (_, end) in read.iter().filter(|(_, end)| *end >= first) {
            let end = (*end).min(last);
            let full = usize::try_from(end - from + 1).unwrap_or(0) >= batch_size.max(1);
            if from <= end && (full || end == last) {
                self.add(member, from, end, got);
                from = end + 1;
            }
        }
        if self.batches.front().is_some_and(|batch| batch.first == first) {
            self.start = first;
        }
        self.end = self.end.max(last);
    }

    fn add(&mut self, member: &Rc<str>, first: i64, last: i64, got: &mut Vec<Acquired>) {
        let lock = self.number();
        let slot = Slot {
            state: RecordState::Acquired,
            deliveries: 1,
            member: Some(member.clone()),
            lock,
            expired: false,
            ongoing: None,
        };
        let count = usize::try_from(last - first + 1).unwrap_or(0);
        self.batches.push_back(InFlight {
            first,
            slots: vec![slot; count],
            whole: true,
        });
        got.push(Acquired {
            first,
            last,
            deliveries: 1,
            lock,
        });
    }
}

/// Adds an offset, to the last range if it goes on there.
pub(super) fn push(list: &mut Vec<Acquired>, offset: i64, deliveries: u16, lock: u64) {
    match list.last_mut() {
        Some(range) if range.last + 1 == offset && range.deliveries == deliveries && range.lock == lock => {
            range.last = offset;
        }
        _ => list.push(Acquired {
            first: offset,
            last: offset,
            deliveries,
            lock,
        }),
    }
}
