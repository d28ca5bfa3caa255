//! Acknowledging and giving back: what members say of their records, locks that end, and how the writes of all that went.
//! [SharePartition.acknowledge, releaseAcquiredRecords, releaseAcquisitionLockOnTimeout]

use super::acquire::push;
use super::partition::{
    Acknowledge, AcknowledgeBatch, Acquired, Before, InFlight, RecordState, SharePartition, ShareRefusal, ShareWrite,
    Slot, StateBatch, invalid,
};
use crate::kafka::protocol::ErrorCode;

impl SharePartition {
    /// A member's acknowledgements; what they change is ongoing until it is written. `None`: nothing has to be written
    /// (all below the start, or renewed). Renewed records come with their new locks.
    ///
    /// # Errors
    /// The first refusal; then nothing is changed.
    pub fn acknowledge(
        &mut self,
        member: &str,
        batches: &[AcknowledgeBatch],
    ) -> Result<(Option<ShareWrite>, Vec<Acquired>), ShareRefusal> {
        let (start, completed) = (self.start, self.completed());
        let number = self.number();
        let mut renewed = Vec::new();
        for batch in batches.iter().filter(|batch| batch.last >= start) {
            let done = self.acknowledge_batch(member, batch, number, &mut renewed);
            if let Err(refusal) = done {
                self.roll_back(number);
                return Err(refusal);
            }
        }
        Ok((self.write_of(number, start, completed), renewed))
    }

    fn acknowledge_batch(
        &mut self,
        member: &str,
        asked: &AcknowledgeBatch,
        number: u64,
        renewed: &mut Vec<Acquired>,
    ) -> Result<(), ShareRefusal> {
        self.check_range(asked)?;
        let (start, limits) = (self.start, self.limits);
        let lock = self.number();
        let touched = |batch: &&mut InFlight| batch.first <= asked.last && asked.first <= batch.last();
        for batch in self.batches.iter_mut().filter(touched) {
            let all = asked.first <= batch.first && batch.last() <= asked.last;
            let split = !all || asked.types.len() > 1 || batch.first < start;
            if batch.whole && split {
                let first = batch.slots.first();
                if first.is_some_and(|slot| slot.state != RecordState::Acquired) {
                    return Err(invalid(
                        "The batch cannot be acknowledged. The batch is not in the acquired state.",
                    ));
                }
                batch.whole = false;
            }
            let whole = batch.whole;
            for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
                if offset < start || !(asked.first..=asked.last).contains(&offset) {
                    continue;
                }
                check_slot(slot, member, whole)?;
                let kind = match asked.types.len() {
                    0 => Acknowledge::Accept,
                    1 => asked.types[0],
                    _ => {
                        let at = usize::try_from(offset - asked.first).unwrap_or(0);
                        asked.types.get(at).copied().unwrap_or(Acknowledge::Accept)
                    }
                };
                let state = match kind {
                    Acknowledge::Accept => RecordState::Acknowledged,
                    Acknowledge::Reject | Acknowledge::Gap => RecordState::Archived,
                    Acknowledge::Release => slot.given_back(limits.deliveries),
                    Acknowledge::Renew if !limits.renew => {
                        return Err(invalid("Renewing acquisition locks is not enabled for the group."));
                    }
                    Acknowledge::Renew => {
                        slot.lock = lock;
                        push(renewed, offset, slot.deliveries, lock);
                        continue;
                    }
                };
                slot.ongoing = Some(Before {
                    write: number,
                    state: slot.state,
                    member: slot.member.take(),
                });
                slot.state = state;
            }
        }
        Ok(())
    }

    /// Are there records in flight for all of it? [fetchSubMapForAcknowledgementBatch]
    fn check_range(&self, asked: &AcknowledgeBatch) -> Result<(), ShareRefusal> {
        let request = |message| ShareRefusal {
            error: ErrorCode::InvalidRequest,
            message,
        };
        let moved = asked.first < self.start && self.start <= asked.last;
        let from = if moved { self.start } else { asked.first };
        if self.batches.front().is_none_or(|batch| batch.first > from) {
            return Err(invalid(
                "Batch record not found. The request batch offsets are not found in the cache.",
            ));
        }
        let reached = self.batches.iter().filter(|batch| batch.first <= asked.last);
        let end = reached.map(InFlight::last).max().unwrap_or(asked.first - 1);
        if end < asked.first {
            return Err(request(
                "Batch record not found. The first offset in request is past acquired records.",
            ));
        }
        if asked.last > end {
            return Err(request(
                "Batch record not found. The last offset in request is past acquired records.",
            ));
        }
        Ok(())
    }

    /// A member is gone, or its session: what it holds is available again, with its deliveries. `None`: it holds nothing.
    /// [releaseAcquiredRecords]
    pub fn release(&mut self, member: &str) -> Option<ShareWrite> {
        let (start, completed) = (self.start, self.completed());
        let number = self.number();
        let limit = self.limits.deliveries;
        for batch in &mut self.batches {
            for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
                let holds = slot.member.as_deref() == Some(member);
                if !holds || slot.state != RecordState::Acquired || slot.ongoing.is_some() {
                    continue;
                }
                let state = match offset < start {
                    true => RecordState::Archived,
                    false => slot.given_back(limit),
                };
                slot.ongoing = Some(Before {
                    write: number,
                    state: slot.state,
                    member: slot.member.take(),
                });
                slot.state = state;
            }
        }
        self.write_of(number, start, completed)
    }

    /// An acquisition lock has ended. The change holds whether it can be written or not, so it is not ongoing.
    /// `None`: the lock was renewed, or everything under it is finished.
    pub fn lock_expired(&mut self, lock: u64) -> Option<ShareWrite> {
        let (start, completed) = (self.start, self.completed());
        let limit = self.limits.deliveries;
        let mut batches = Vec::new();
        for batch in &mut self.batches {
            for (offset, slot) in (batch.first..).zip(&mut batch.slots) {
                if slot.lock != lock {
                    continue;
                }
                if slot.ongoing.is_some() {
                    slot.expired = true;
                } else if slot.state == RecordState::Acquired {
                    let state = match offset < start {
                        true => RecordState::Archived,
                        false => slot.given_back(limit),
                    };
                    slot.settle(state);
                    push_state(&mut batches, offset, slot);
                }
            }
        }
        let finished = batches.iter().filter(|batch: &&StateBatch| batch.state.is_terminal());
        let finished: i64 = finished.map(|batch| batch.last - batch.first + 1).sum();
        self.look_back |= batches.iter().any(|batch| batch.state == RecordState::Available);
        let number = self.number();
        let write = (!batches.is_empty()).then_some(ShareWrite {
            number,
            start,
            completed: completed + usize::try_from(finished).unwrap_or(0),
            batches,
        });
        self.move_start();
        write
    }

    fn write_of(&self, number: u64, start: i64, completed: usize) -> Option<ShareWrite> {
        let mut batches = Vec::new();
        let mut finished = 0;
        for (offset, slot) in self.slots() {
            let ours = slot.ongoing.as_ref().is_some_and(|before| before.write == number);
            if ours {
                finished += usize::from(slot.state.is_terminal() && offset >= start);
                push_state(&mut batches, offset, slot);
            }
        }
        (!batches.is_empty()).then_some(ShareWrite {
            number,
            start,
            completed: completed + finished,
            batches,
        })
    }

    /// How the write went. If it failed the records are what they were, unless their locks ended meanwhile.
    /// [rollbackOrProcessStateUpdates]
    pub fn written(&mut self, number: u64, ok: bool) {
        if !ok {
            return self.roll_back(number);
        }
        for slot in self.batches.iter_mut().flat_map(|batch| &mut batch.slots) {
            if slot.ongoing.as_ref().is_some_and(|before| before.write == number) {
                slot.ongoing = None;
                self.look_back |= slot.state == RecordState::Available;
                let state = slot.state;
                slot.settle(state);
            }
        }
        self.move_start();
    }

    fn roll_back(&mut self, number: u64) {
        let limit = self.limits.deliveries;
        for slot in self.batches.iter_mut().flat_map(|batch| &mut batch.slots) {
            let Some(before) = slot.ongoing.take_if(|before| before.write == number) else {
                continue;
            };
            if slot.expired {
                let state = slot.given_back(limit);
                slot.settle(state);
                self.look_back = true;
            } else {
                slot.state = before.state;
                slot.member = before.member;
            }
        }
    }
}

fn check_slot(slot: &Slot, member: &str, whole: bool) -> Result<(), ShareRefusal> {
    if slot.ongoing.is_some() {
        return Err(invalid(
            "The record state is invalid. The acknowledgement of delivery could not be completed.",
        ));
    }
    if slot.state != RecordState::Acquired {
        return Err(invalid(match whole {
            true => "The batch cannot be acknowledged. The batch is not in the acquired state.",
            false => "The offset cannot be acknowledged. The offset is not acquired.",
        }));
    }
    if slot.member.as_deref() != Some(member) {
        return Err(invalid(match whole {
            true => "Member is not the owner of batch record",
            false => "Member is not the owner of offset",
        }));
    }
    Ok(())
}

fn push_state(list: &mut Vec<StateBatch>, offset: i64, slot: &Slot) {
    match list.last_mut() {
        Some(range) if range.last + 1 == offset && range.state == slot.state && range.deliveries == slot.deliveries => {
            range.last = offset;
        }
        _ => list.push(StateBatch {
            first: offset,
            last: offset,
            state: slot.state,
            deliveries: slot.deliveries,
        }),
    }
}
