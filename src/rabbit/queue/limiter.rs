//! Prefetch limits: one for a whole channel (`basic.qos` with global), kept by the channel, and one for each consumer,
//! kept by the queue.

use super::{ChannelId, QueueId};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::value::Name;

/// The channel's own limit, shared by all its consumers on classic queues.
#[derive(Clone, Debug, Default, Hash)]
pub struct ChannelLimit {
    /// 0: none.
    limit: u32,
    /// How many messages count towards it.
    volume: u32,
    /// Queues that found it reached and want to be told.
    waiting: OrderedSet<QueueId>,
}

impl ChannelLimit {
    pub fn is_active(&self) -> bool {
        self.limit > 0
    }

    fn reached(&self) -> bool {
        self.limit != 0 && self.volume >= self.limit
    }

    /// Takes one delivery, or remembers the queue to be told when there is room.
    fn take(&mut self, queue: QueueId, ack_required: bool) -> bool {
        if self.reached() {
            self.waiting.insert(queue);
            return false;
        }
        self.volume += u32::from(ack_required);
        true
    }

    /// Sets the limit; `unacked` counts what is out when there was none before. The queues to resume.
    pub fn set(&mut self, limit: u32, unacked: u32) -> OrderedSet<QueueId> {
        let reached = self.reached();
        if self.limit == 0 {
            self.volume = unacked;
        }
        if limit == 0 {
            self.volume = 0;
        }
        self.limit = limit;
        self.told(reached)
    }

    /// Gives back room. The queues to resume.
    pub fn acked(&mut self, count: u32) -> OrderedSet<QueueId> {
        let reached = self.reached();
        self.volume = self.volume.saturating_sub(count);
        self.told(reached)
    }

    fn told(&mut self, was_reached: bool) -> OrderedSet<QueueId> {
        if was_reached && !self.reached() {
            return std::mem::take(&mut self.waiting);
        }
        OrderedSet::new()
    }
}

/// The limits of all channels.
pub type ChannelLimits = OrderedMap<ChannelId, ChannelLimit>;

/// What a queue knows of the limits of one channel.
#[derive(Clone, Debug, Default, Hash)]
pub struct QueueSide {
    state: State,
    /// Deliveries that each limited consumer may still get.
    credits: OrderedMap<Name, u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum State {
    /// The channel has no limit of its own.
    #[default]
    Dormant,
    Active,
    /// The channel's limit is reached.
    Suspended,
}

impl QueueSide {
    pub fn activate(&mut self) {
        if self.state == State::Dormant {
            self.state = State::Active;
        }
    }

    pub fn deactivate(&mut self) {
        self.state = State::Dormant;
    }

    pub fn resume(&mut self) {
        if self.state == State::Suspended {
            self.state = State::Active;
        }
    }

    pub fn is_suspended(&self) -> bool {
        self.state == State::Suspended
    }

    pub fn limit_consumer(&mut self, tag: &Name, credit: u32) {
        self.credits.insert(tag.clone(), credit);
    }

    pub fn forget_consumer(&mut self, tag: &Name) {
        self.credits.remove(tag);
    }

    pub fn is_consumer_blocked(&self, tag: &Name) -> bool {
        self.credits.get(tag) == Some(&0)
    }

    /// Whether a delivery may go; takes its room if so.
    pub fn can_send(
        &mut self,
        queue: QueueId,
        ack_required: bool,
        tag: &Name,
        channel: Option<&mut ChannelLimit>,
    ) -> bool {
        if self.is_consumer_blocked(tag) {
            return false;
        }
        let taken = self.state != State::Active || channel.is_none_or(|limit| limit.take(queue, ack_required));
        if !taken {
            self.state = State::Suspended;
            return false;
        }
        if let Some(credit) = self.credits.get_mut(tag) {
            *credit = credit.saturating_sub(1);
        }
        true
    }

    /// Gives credit back. Whether the consumer had none before.
    pub fn acked(&mut self, tag: &Name, count: u32) -> bool {
        match self.credits.get_mut(tag) {
            Some(credit) => {
                let unblocked = *credit == 0 && count > 0;
                *credit += count;
                unblocked
            }
            None => false,
        }
    }
}
