//! The consumers of a classic queue: whose turn it is, and who is full. Blocking is lazy: a full consumer keeps its
//! turn until a delivery to it is tried (`rabbit_queue_consumers`).

use super::limiter::{ChannelLimits, QueueSide};
use super::line::Line;
use super::{ChannelId, ConsumerKey, QueueId};
use crate::ordered::OrderedMap;
use crate::rabbit::value::Name;
use std::cmp::Reverse;
use std::collections::VecDeque;

/// One consumer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consumer {
    pub key: ConsumerKey,
    pub ack_required: bool,
    /// `x-priority`.
    pub priority: i64,
}

/// Consumers by priority, highest first; first in, first out inside one.
#[derive(Clone, Debug, Default, Hash)]
struct Ring(OrderedMap<Reverse<i64>, VecDeque<Consumer>>);

impl Ring {
    fn push(&mut self, consumer: Consumer) {
        self.0
            .entry(Reverse(consumer.priority))
            .or_default()
            .push_back(consumer);
    }

    fn pop(&mut self) -> Option<Consumer> {
        let first = self.0.values_mut().next()?;
        let consumer = first.pop_front();
        if first.is_empty() {
            self.0.pop_first();
        }
        consumer
    }

    fn first(&self) -> Option<&Consumer> {
        self.0.values().next().and_then(VecDeque::front)
    }

    fn iter(&self) -> impl Iterator<Item = &Consumer> {
        self.0.values().flatten()
    }

    fn retain(&mut self, mut keep: impl FnMut(&Consumer) -> bool) {
        self.0.retain(|_, consumers| {
            consumers.retain(&mut keep);
            !consumers.is_empty()
        });
    }
}

/// What the queue knows of one channel.
#[derive(Clone, Debug, Default, Hash)]
struct Record {
    /// Unacked messages by their place in the queue, with the consumer's tag; none for `basic.get`.
    unacked: Line<u64, Option<Name>>,
    consumers: u32,
    blocked: Ring,
    limits: QueueSide,
}

/// All of a queue's consumers.
#[derive(Clone, Debug, Default, Hash)]
pub struct Consumers {
    ring: Ring,
    channels: OrderedMap<ChannelId, Record>,
    /// The active one of a single-active-consumer queue, or the exclusive one.
    pub holder: Option<Consumer>,
}

/// What a consumer asks for when it starts.
#[derive(Clone, Debug)]
pub struct Start {
    pub consumer: Consumer,
    /// 0: no limit.
    pub prefetch: u32,
    /// The channel has a limit of its own.
    pub channel_limited: bool,
}

impl Consumers {
    pub fn count(&self) -> usize {
        self.channels.values().map(|record| record.consumers as usize).sum()
    }

    /// All consumers: those whose turn comes, then the full ones.
    pub fn iter(&self) -> impl Iterator<Item = &Consumer> {
        self.ring
            .iter()
            .chain(self.channels.values().flat_map(|record| record.blocked.iter()))
    }

    pub fn add(&mut self, start: Start) {
        let record = self.channels.entry(start.consumer.key.channel).or_default();
        record.consumers += 1;
        if start.channel_limited {
            record.limits.activate();
        }
        if start.prefetch > 0 && start.consumer.ack_required {
            record.limits.limit_consumer(&start.consumer.key.tag, start.prefetch);
        }
        self.ring.push(start.consumer);
    }

    /// Whether it was there.
    pub fn remove(&mut self, key: &ConsumerKey) -> bool {
        let Some(record) = self.channels.get_mut(&key.channel) else {
            return false;
        };
        record.blocked.retain(|consumer| consumer.key != *key);
        record.limits.forget_consumer(&key.tag);
        record.consumers = record.consumers.saturating_sub(1);
        if record.consumers == 0 {
            record.limits.deactivate();
        }
        self.ring.retain(|consumer| consumer.key != *key);
        true
    }

    /// A channel has gone: the places of what it had not acked.
    pub fn remove_channel(&mut self, channel: ChannelId) -> Option<Vec<u64>> {
        let record = self.channels.remove(&channel)?;
        self.ring.retain(|consumer| consumer.key.channel != channel);
        Some(record.unacked.iter().map(|(place, _)| *place).collect())
    }

    /// The one that would be served first.
    pub fn first(&self) -> Option<&Consumer> {
        self.ring.first()
    }

    pub fn record_get(&mut self, channel: ChannelId, place: u64) {
        self.channels.entry(channel).or_default().unacked.insert(place, None);
    }

    /// Who gets the next message, the room for it taken; its place is noted by [`delivered`](Self::delivered).
    pub fn next(&mut self, queue: QueueId, single_active: bool, limits: &mut ChannelLimits) -> Option<Consumer> {
        if single_active {
            let holder = self.holder.clone()?;
            let record = self.channels.get(&holder.key.channel)?;
            if record.blocked.iter().any(|consumer| consumer.key == holder.key) {
                return None;
            }
            if self.admits(queue, &holder, limits) {
                return Some(holder);
            }
            self.ring.retain(|consumer| consumer.key != holder.key);
            return None;
        }
        while let Some(consumer) = self.ring.pop() {
            if self.admits(queue, &consumer, limits) {
                self.ring.push(consumer.clone());
                return Some(consumer);
            }
        }
        None
    }

    /// Whether there is room; blocks the consumer if not.
    fn admits(&mut self, queue: QueueId, consumer: &Consumer, limits: &mut ChannelLimits) -> bool {
        let channel = consumer.key.channel;
        let record = self.channels.entry(channel).or_default();
        let free = !record.limits.is_suspended()
            && record.limits.can_send(
                queue,
                consumer.ack_required,
                &consumer.key.tag,
                limits.get_mut(&channel),
            );
        if !free {
            record.blocked.push(consumer.clone());
        }
        free
    }

    pub fn delivered(&mut self, key: &ConsumerKey, place: u64) {
        let record = self.channels.entry(key.channel).or_default();
        record.unacked.insert(place, Some(key.tag.clone()));
    }

    /// Takes back what a channel settled. `None` if the channel is not known here; else whether consumers came back
    /// into the ring.
    pub fn settled(&mut self, channel: ChannelId, places: &[u64]) -> Option<bool> {
        let record = self.channels.get_mut(&channel)?;
        let mut by_tag: OrderedMap<Name, u32> = OrderedMap::new();
        for place in places {
            if let Some(Some(tag)) = record.unacked.remove(*place) {
                *by_tag.entry(tag).or_insert(0) += 1;
            }
        }
        let mut unblocked = false;
        for (tag, count) in by_tag {
            unblocked |= record.limits.acked(&tag, count);
        }
        Some(unblocked && self.unblock(channel))
    }

    /// Changes what is known of the channel's own limit. Whether consumers came back into the ring.
    pub fn change_limit(&mut self, channel: ChannelId, change: impl FnOnce(&mut QueueSide)) -> bool {
        let Some(record) = self.channels.get_mut(&channel) else {
            return false;
        };
        let was = record.limits.is_suspended();
        change(&mut record.limits);
        was && !record.limits.is_suspended() && self.unblock(channel)
    }

    fn unblock(&mut self, channel: ChannelId) -> bool {
        let Some(record) = self.channels.get_mut(&channel) else {
            return false;
        };
        let limits = &record.limits;
        let mut free = Vec::new();
        record.blocked.retain(|consumer| {
            let full = limits.is_consumer_blocked(&consumer.key.tag);
            if !full {
                free.push(consumer.clone());
            }
            full
        });
        let any = !free.is_empty();
        free.into_iter().for_each(|consumer| self.ring.push(consumer));
        any
    }
}
