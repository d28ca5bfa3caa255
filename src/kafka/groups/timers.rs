//! A shard's timers: a key has one deadline, scheduling it again replaces that. [CoordinatorTimerImpl]
//!
//! A deadline that only moves back (every heartbeat does that) costs nothing: the timer stays, and when it fires early it
//! is set again for the rest.

use super::effects::Effect;
use crate::ordered::OrderedMap;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// A timer of the coordinator: the shard's partition and a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupTimer {
    pub partition: i32,
    pub id: u32,
}

/// What a timer is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimerKey {
    /// A member (or one that has only got its id) was not heard of.
    Session { group: Rc<str>, member: Rc<str> },
    /// The join phase ends.
    Join { group: Rc<str> },
    /// Members that did not send SyncGroup.
    Sync { group: Rc<str> },
    /// A member of a modern group that has partitions to give up.
    Rebalance { group: Rc<str>, member: Rc<str> },
    /// A classic member of a consumer group that has to join again.
    Rejoin { group: Rc<str>, member: Rc<str> },
    /// A classic member of a consumer group that has to send SyncGroup.
    Resync { group: Rc<str>, member: Rc<str> },
    /// The scan for topics that match the patterns of a group.
    Regexes { group: Rc<str> },
    /// The oldest write that waits for the high watermark.
    WriteTimeout,
    /// Expired offsets are looked for.
    Expiry,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    id: u32,
    /// When the broker's timer fires.
    at: Time,
    /// When it is due.
    deadline: Time,
}

/// All timers of a shard.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    partition: i32,
    next: u32,
    armed: OrderedMap<TimerKey, Armed>,
    keys: OrderedMap<u32, TimerKey>,
}

impl Timers {
    pub fn new(partition: i32, next: u32) -> Timers {
        Timers {
            partition,
            next,
            armed: OrderedMap::new(),
            keys: OrderedMap::new(),
        }
    }

    /// The first number that was not used.
    pub fn next_id(&self) -> u32 {
        self.next
    }

    fn timer(&self, id: u32) -> GroupTimer {
        GroupTimer {
            partition: self.partition,
            id,
        }
    }

    /// The key is due after this time, and at no other.
    pub fn schedule(&mut self, key: TimerKey, now: Time, after: Span, effects: &mut Vec<Effect>) {
        let deadline = now + after;
        if let Some(armed) = self.armed.get_mut(&key) {
            if armed.at <= deadline {
                armed.deadline = deadline;
                return;
            }
            self.cancel(&key, effects);
        }
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let armed = Armed {
            id,
            at: deadline,
            deadline,
        };
        self.keys.insert(id, key.clone());
        self.armed.insert(key, armed);
        effects.push(Effect::SetTimer {
            timer: self.timer(id),
            after,
        });
    }

    pub fn cancel(&mut self, key: &TimerKey, effects: &mut Vec<Effect>) {
        if let Some(armed) = self.armed.remove(key) {
            self.keys.remove(&armed.id);
            effects.push(Effect::CancelTimer(self.timer(armed.id)));
        }
    }

    pub fn cancel_all(&mut self, effects: &mut Vec<Effect>) {
        let keys = std::mem::take(&mut self.keys);
        self.armed.clear();
        effects.extend(keys.into_keys().map(|id| Effect::CancelTimer(self.timer(id))));
    }

    /// A timer fires: what is due, if anything is.
    pub fn fired(&mut self, id: u32, now: Time, effects: &mut Vec<Effect>) -> Option<TimerKey> {
        let key = self.keys.get(&id)?;
        let armed = self.armed.get_mut(key)?;
        if armed.deadline > now {
            armed.at = armed.deadline;
            let after = armed.deadline.since(now);
            let timer = GroupTimer {
                partition: self.partition,
                id,
            };
            effects.push(Effect::SetTimer { timer, after });
            return None;
        }
        let key = self.keys.remove(&id)?;
        self.armed.remove(&key);
        Some(key)
    }

    /// When a key is due.
    pub fn deadline(&self, key: &TimerKey) -> Option<Time> {
        self.armed.get(key).map(|armed| armed.deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(effects: &[Effect]) -> Vec<(u32, i64)> {
        let set = effects.iter().filter_map(|effect| match effect {
            Effect::SetTimer { timer, after } => Some((timer.id, after.as_ms())),
            _ => None,
        });
        set.collect()
    }

    #[test]
    fn a_deadline_that_moves_back_keeps_its_timer() {
        let mut timers = Timers::new(0, 5);
        let mut effects = Vec::new();
        let at = |ms: u64| Time(ms * 1000);
        timers.schedule(TimerKey::Expiry, at(0), Span::ms(10), &mut effects);
        timers.schedule(TimerKey::Expiry, at(4), Span::ms(10), &mut effects);
        assert_eq!(set(&effects), [(5, 10)]);
        assert_eq!(timers.fired(5, at(10), &mut effects), None);
        assert_eq!(set(&effects), [(5, 10), (5, 4)]);
        assert_eq!(timers.fired(5, at(14), &mut effects), Some(TimerKey::Expiry));
        assert_eq!(timers.fired(5, at(14), &mut effects), None);
    }

    #[test]
    fn an_earlier_deadline_replaces_the_timer() {
        let mut timers = Timers::new(0, 0);
        let mut effects = Vec::new();
        timers.schedule(TimerKey::Expiry, Time(0), Span::ms(10), &mut effects);
        timers.schedule(TimerKey::Expiry, Time(0), Span::ms(3), &mut effects);
        assert_eq!(set(&effects), [(0, 10), (1, 3)]);
        assert!(matches!(effects[1], Effect::CancelTimer(GroupTimer { id: 0, .. })));
        assert_eq!(timers.fired(0, Time(10_000), &mut effects), None);
        assert_eq!(timers.fired(1, Time(3_000), &mut effects), Some(TimerKey::Expiry));
    }
}
