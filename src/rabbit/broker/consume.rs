//! Consumers, `basic.get` and prefetch.

use super::Broker;
use super::declare::REPLY_TO;
use crate::ordered::OrderedSet;
use crate::rabbit::arguments::check_consume;
use crate::rabbit::error::{AmqpError, Code, queue_named};
use crate::rabbit::note::Fact;
use crate::rabbit::protocol::{Consume, Frame};
use crate::rabbit::queue::consumers::{Consumer, Start};
use crate::rabbit::queue::{ChannelId, ConsumerKey, Content, QueueId};
use crate::rabbit::value::{Field, Name};

impl Broker {
    pub(super) fn consume(&mut self, channel: ChannelId, consume: Consume) -> Result<(), AmqpError> {
        let name = self.meant(channel, &consume.queue)?;
        let known = self.channels.get(&channel);
        if known.is_some_and(|known| known.consumers.contains_key(&consume.tag)) {
            let text = format!("attempt to reuse consumer tag '{}'", consume.tag);
            return Err(AmqpError::new(Code::NotAllowed, &text));
        }
        if &*consume.queue == REPLY_TO {
            return self.consume_replies(channel, consume);
        }
        let queue = self.queue_for(channel, &name)?;
        let (id, queue_type) = (queue.id, queue.queue_type());
        check_consume(&name, queue_type, &consume.arguments)?;
        let tag = match &*consume.tag {
            "" => self.fresh_name("amq.ctag"),
            _ => consume.tag.clone(),
        };
        let start = Start {
            consumer: Consumer {
                key: ConsumerKey {
                    channel,
                    tag: tag.clone(),
                },
                ack_required: !consume.no_ack,
                priority: consume
                    .arguments
                    .get("x-priority")
                    .and_then(Field::integer)
                    .unwrap_or(0),
            },
            prefetch: self.channels.get(&channel).map_or(0, |known| known.prefetch),
            channel_limited: self.limits.get(&channel).is_some_and(|limit| limit.is_active()),
        };
        self.start_consumer(channel, id, &name, start, consume.exclusive)
    }

    fn start_consumer(
        &mut self,
        channel: ChannelId,
        id: QueueId,
        name: &Name,
        start: Start,
        exclusive: bool,
    ) -> Result<(), AmqpError> {
        let tag = start.consumer.key.tag.clone();
        let Some(queue) = self.queues.get_mut(name) else {
            return Err(AmqpError::no_queue(name));
        };
        match &mut queue.content {
            Content::Classic(classic) => {
                if classic.consume(start, exclusive).is_err() {
                    let text = format!("{} in exclusive use", queue_named(name));
                    return Err(AmqpError::new(Code::AccessRefused, &text));
                }
                self.enter(channel, id, tag);
                self.on_queue(id, |content, desk| {
                    if let Content::Classic(classic) = content {
                        classic.serve(desk);
                    }
                });
            }
            Content::Quorum(_) => {
                if start.channel_limited {
                    let text = format!("{} does not support global qos", queue_named(name));
                    return Err(AmqpError::new(Code::NotImplemented, &text));
                }
                self.enter(channel, id, tag);
                self.on_queue(id, |content, desk| {
                    if let Content::Quorum(quorum) = content {
                        quorum.consume(start.consumer, start.prefetch, desk);
                    }
                });
            }
        }
        Ok(())
    }

    /// The channel has it; the answer goes out before the first delivery.
    fn enter(&mut self, channel: ChannelId, id: QueueId, tag: Name) {
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.consumers.insert(tag.clone(), id);
        }
        self.send(channel, Frame::ConsumeOk(tag));
    }

    /// A consumer of the pseudo queue: one for each channel, and it does not acknowledge.
    fn consume_replies(&mut self, channel: ChannelId, consume: Consume) -> Result<(), AmqpError> {
        if !consume.no_ack {
            return Err(AmqpError::precondition("reply consumer cannot acknowledge"));
        }
        let taken = self
            .channels
            .get(&channel)
            .is_some_and(|known| known.reply_consumer.is_some());
        if taken {
            return Err(AmqpError::precondition("reply consumer already set"));
        }
        let tag = match &*consume.tag {
            "" => self.fresh_name("amq.ctag"),
            _ => consume.tag,
        };
        let address = self.fresh_name(&format!("{REPLY_TO}.g2dkAA"));
        if let Some(known) = self.channels.get_mut(&channel) {
            known.reply_consumer = Some((tag.clone(), address));
        }
        self.send(channel, Frame::ConsumeOk(tag));
        Ok(())
    }

    pub(super) fn cancel(&mut self, channel: ChannelId, tag: Name) -> Result<(), AmqpError> {
        let Some(known) = self.channels.get_mut(&channel) else {
            return Ok(());
        };
        if known.reply_consumer.as_ref().is_some_and(|(reply, _)| *reply == tag) {
            known.reply_consumer = None;
        } else if let Some(id) = known.consumers.remove(&tag) {
            self.send(channel, Frame::CancelOk(tag.clone()));
            self.leave(id, &ConsumerKey { channel, tag });
            return Ok(());
        }
        self.send(channel, Frame::CancelOk(tag));
        Ok(())
    }

    /// A consumer leaves its queue, which may go with it.
    fn leave(&mut self, id: QueueId, key: &ConsumerKey) {
        let last = self.on_queue(id, |content, desk| match content {
            Content::Classic(classic) => classic.cancel(key, desk),
            Content::Quorum(quorum) => {
                quorum.cancel(key, desk);
                false
            }
        });
        if last == Some(true) {
            self.remove_queue_of(id);
        }
    }

    pub(super) fn remove_queue_of(&mut self, id: QueueId) {
        if let Some(name) = self.queue_names.get(&id).cloned() {
            self.remove_queue(&name);
        }
    }

    pub(super) fn get(&mut self, channel: ChannelId, name: &str, no_ack: bool) -> Result<(), AmqpError> {
        let name = self.meant(channel, name)?;
        let queue = self.queue_for(channel, &name)?;
        let id = queue.id;
        if matches!(queue.content, Content::Quorum(_)) && queue.settings.single_active {
            let text = format!(
                "cannot obtain access to locked {}. basic.get operations are not supported by quorum queues with \
                 single active consumer",
                queue_named(&name)
            );
            return Err(AmqpError::new(Code::ResourceLocked, &text));
        }
        let tag = self.channels.get(&channel).map_or(0, |known| known.next_tag);
        let got = self.on_queue(id, |content, desk| match content {
            Content::Classic(classic) => classic.get(channel, no_ack, desk),
            Content::Quorum(quorum) => quorum.get(channel, tag, no_ack, desk),
        });
        let Some((handed, left)) = got.flatten() else {
            self.send(channel, Frame::GetEmpty);
            return Ok(());
        };
        if let Some(origin) = handed.message.origin {
            self.note(Fact::Delivered {
                origin,
                queue: name.clone(),
                tag: None,
                redelivered: handed.redelivered,
            });
            if no_ack {
                self.note(Fact::Settled { origin, queue: name });
            }
        }
        if let Some(delivery) = self.handed(channel, id, None, !no_ack, handed) {
            self.send(channel, Frame::GetOk(delivery, left as u32));
        }
        Ok(())
    }

    pub(super) fn qos(&mut self, channel: ChannelId, size: u32, count: u32, global: bool) -> Result<(), AmqpError> {
        if size != 0 {
            return Err(AmqpError::new(
                Code::NotImplemented,
                &format!("prefetch_size!=0 ({size})"),
            ));
        }
        let Some(known) = self.channels.get_mut(&channel) else {
            return Ok(());
        };
        if !global {
            known.prefetch = count;
        }
        let unacked = known.unacked.len() as u32;
        let its: OrderedSet<QueueId> = known.consumers.values().copied().collect();
        // A limit for each consumer takes back the one for all.
        let limit = if global { count } else { 0 };
        let Some(own) = self.limits.get_mut(&channel) else {
            return Ok(());
        };
        let was_active = own.is_active();
        let resumed = own.set(limit, unacked);
        let is_active = own.is_active();
        self.resume(channel, resumed);
        if was_active != is_active {
            for queue in its {
                self.on_queue(queue, |content, desk| {
                    if let Content::Classic(classic) = content {
                        let change = |side: &mut crate::rabbit::queue::limiter::QueueSide| match is_active {
                            true => side.activate(),
                            false => side.deactivate(),
                        };
                        classic.change_limit(channel, change, desk);
                    }
                });
            }
        }
        self.ok(channel, "basic.qos-ok")
    }
}
