//! Acknowledging, rejecting, recovering.

use super::Broker;
use super::channel::{Pending, Settle};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::error::{AmqpError, Code};
use crate::rabbit::note::Fact;
use crate::rabbit::queue::quorum::Holder;
use crate::rabbit::queue::{ChannelId, ConsumerKey, Content, QueueId};
use crate::rabbit::value::Name;

/// The order in which the parts of one method are applied: by queue, then by consumer; gets first, each alone.
type Part = (Name, Option<Name>, u64, QueueId);

impl Broker {
    pub(super) fn settle(
        &mut self,
        channel: ChannelId,
        tag: u64,
        multiple: bool,
        how: Settle,
    ) -> Result<(), AmqpError> {
        let Some(known) = self.channels.get_mut(&channel) else {
            return Ok(());
        };
        let settled = known.take_unacked(tag, multiple)?;
        if let Some(settled) = self.hold(channel, settled, how) {
            self.settle_now(channel, settled, how);
        }
        Ok(())
    }

    pub(super) fn recover(&mut self, channel: ChannelId, requeue: bool) -> Result<(), AmqpError> {
        if !requeue {
            return Err(AmqpError::new(Code::NotImplemented, "requeue=false"));
        }
        let Some(known) = self.channels.get_mut(&channel) else {
            return Ok(());
        };
        let all = std::mem::take(&mut known.unacked).into_iter().collect();
        self.settle_now(channel, all, Settle::Requeue);
        self.ok(channel, "basic.recover-ok")
    }

    /// Settles with the queues, one part after the other; consumers are served between.
    pub(super) fn settle_now(&mut self, channel: ChannelId, settled: Vec<(u64, Pending)>, how: Settle) {
        let consumed = settled.iter().filter(|(_, pending)| pending.tag.is_some()).count();
        let mut parts: OrderedMap<Part, Vec<u64>> = OrderedMap::new();
        for (tag, pending) in settled {
            self.note_settled(&pending, how);
            let alone = if pending.tag.is_some() { 0 } else { tag };
            let part = (pending.queue_name, pending.tag, alone, pending.queue);
            parts.entry(part).or_default().push(pending.place);
        }
        for ((_, consumer, tag, queue), places) in parts {
            let holder = match consumer {
                Some(tag) => Holder::Consumer(ConsumerKey { channel, tag }),
                None => Holder::Get(channel, tag),
            };
            self.on_queue(queue, |content, desk| match (content, how) {
                (Content::Classic(classic), Settle::Ack) => classic.ack(channel, &places, desk),
                (Content::Classic(classic), Settle::Requeue) => classic.requeue(channel, &places, desk),
                (Content::Classic(classic), Settle::Discard) => classic.discard(channel, &places, desk),
                (Content::Quorum(quorum), Settle::Ack) => quorum.settle(&holder, &places, desk),
                (Content::Quorum(quorum), Settle::Requeue) => quorum.requeue(&holder, &places, desk),
                (Content::Quorum(quorum), Settle::Discard) => quorum.discard(&holder, &places, desk),
            });
        }
        let resumed = match self.limits.get_mut(&channel) {
            Some(limit) if limit.is_active() => limit.acked(consumed as u32),
            _ => OrderedSet::new(),
        };
        self.resume(channel, resumed);
    }

    fn note_settled(&mut self, pending: &Pending, how: Settle) {
        let Some(origin) = pending.origin else { return };
        let queue = pending.queue_name.clone();
        match how {
            Settle::Ack => self.note(Fact::Settled { origin, queue }),
            Settle::Requeue => self.note(Fact::Requeued { origin, queue }),
            // What becomes of it is told by its death.
            Settle::Discard => {}
        }
    }

    /// The channel's own limit has room again.
    pub(super) fn resume(&mut self, channel: ChannelId, queues: OrderedSet<QueueId>) {
        for queue in queues {
            self.on_queue(queue, |content, desk| {
                if let Content::Classic(classic) = content {
                    classic.change_limit(channel, |side| side.resume(), desk);
                }
            });
        }
    }
}
