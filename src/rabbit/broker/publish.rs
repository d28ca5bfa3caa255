//! Publishing, confirms and transactions.

use super::Broker;
use super::USER;
use super::channel::{Accepted, Pending, Settle, Tx};
use super::declare::REPLY_TO;
use crate::ordered::OrderedSet;
use crate::rabbit::error::{AmqpError, Code, exchange_named};
use crate::rabbit::expiration;
use crate::rabbit::message::{Message, Properties, extra_keys};
use crate::rabbit::note::Fact;
use crate::rabbit::protocol::{Delivery, Frame, PublishMessage};
use crate::rabbit::queue::{ChannelId, Confirm, Publish, QueueId};
use crate::rabbit::value::Name;
use std::rc::Rc;

impl Broker {
    pub(super) fn publish(&mut self, channel: ChannelId, publish: PublishMessage) -> Result<(), AmqpError> {
        if publish.immediate {
            return Err(AmqpError::new(Code::NotImplemented, "immediate=true"));
        }
        let Some(exchange) = self.topology.exchange(&publish.exchange) else {
            return Err(AmqpError::no_exchange(&publish.exchange));
        };
        if exchange.internal {
            let text = format!("cannot publish to internal {}", exchange_named(&exchange.name));
            return Err(AmqpError::new(Code::AccessRefused, &text));
        }
        let properties = self.checked_properties(channel, &publish.properties)?;
        // A refused CC still uses up its number.
        let number = self.publish_number(channel);
        let (more, headers) = extra_keys(properties.headers.as_ref())
            .map_err(|why| AmqpError::precondition(format!("invalid message: {why}")))?;
        let keys: Rc<[Name]> = std::iter::once(publish.key).chain(more).collect();
        let message = Message {
            exchange: publish.exchange,
            keys,
            properties: Rc::new(Properties { headers, ..properties }),
            body: publish.body,
            origin: publish.origin,
        };
        let queues = self.routed(&message);
        let accepted = Accepted {
            message: Rc::new(message),
            mandatory: publish.mandatory,
            number,
            queues,
        };
        match self.channels.get_mut(&channel).and_then(|channel| channel.tx.as_mut()) {
            Some(tx) => tx.publishes.push(accepted),
            None => self.take(channel, accepted),
        }
        Ok(())
    }

    /// Where a message goes. Replies to `amq.rabbitmq.reply-to` addresses leave at once.
    fn routed(&mut self, message: &Message) -> OrderedSet<Name> {
        let Some(exchange) = self.topology.exchange(&message.exchange) else {
            return OrderedSet::new();
        };
        let mut queues = self.topology.route(exchange, message);
        if message.exchange.is_empty() {
            let prefix = format!("{REPLY_TO}.");
            let replies: Vec<Name> = queues
                .iter()
                .filter(|name| name.starts_with(&prefix))
                .cloned()
                .collect();
            for address in replies {
                queues.remove(&address);
                self.reply(&address, message);
            }
        }
        queues
    }

    /// The channel whose reply consumer has this address.
    pub(super) fn reply_channel(&self, address: &str) -> Option<ChannelId> {
        let has = |consumer: &(Name, Name)| &*consumer.1 == address;
        let mut all = self.channels.iter();
        all.find(|(_, channel)| channel.reply_consumer.as_ref().is_some_and(has))
            .map(|(id, _)| *id)
    }

    fn reply(&mut self, address: &str, message: &Message) {
        let Some(id) = self.reply_channel(address) else { return };
        let Some(channel) = self.channels.get_mut(&id) else {
            return;
        };
        let Some((tag, _)) = channel.reply_consumer.clone() else {
            return;
        };
        let delivery = Delivery {
            tag: channel.take_tag(),
            redelivered: false,
            message: Rc::new(message.clone()),
            delivery_count: None,
        };
        self.send(id, Frame::Deliver(tag, delivery));
    }

    fn checked_properties(&self, channel: ChannelId, properties: &Properties) -> Result<Properties, AmqpError> {
        let mut properties = properties.clone();
        if properties.reply_to.as_deref() == Some(REPLY_TO) {
            let consumer = self
                .channels
                .get(&channel)
                .and_then(|channel| channel.reply_consumer.as_ref());
            let Some((_, address)) = consumer else {
                return Err(AmqpError::precondition("fast reply consumer does not exist"));
            };
            properties.reply_to = Some(address.clone());
        }
        if let Some(user) = properties.user_id.as_ref().filter(|user| &***user != USER) {
            return Err(AmqpError::precondition(format!(
                "user_id property set to '{user}' but authenticated user was '{USER}'"
            )));
        }
        if let Some(expiration) = &properties.expiration {
            expiration::parse(expiration)
                .map_err(|why| AmqpError::precondition(format!("invalid expiration '{expiration}': {why}")))?;
        }
        Ok(properties)
    }

    /// The number of a publish on a channel that confirms or has a transaction.
    fn publish_number(&mut self, channel: ChannelId) -> Option<u64> {
        let channel = self.channels.get_mut(&channel)?;
        if !channel.confirms && channel.tx.is_none() {
            return None;
        }
        channel.next_publish += 1;
        Some(channel.next_publish - 1)
    }

    /// Hands an accepted message to its queues; first it is returned, if it must be and there is none.
    fn take(&mut self, id: ChannelId, accepted: Accepted) {
        let Accepted {
            message,
            mandatory,
            number,
            queues,
        } = accepted;
        let ids: OrderedSet<QueueId> = queues
            .iter()
            .filter_map(|name| Some(self.queues.get(name)?.id))
            .collect();
        if let Some(origin) = message.origin {
            self.note(Fact::Routed {
                origin,
                queues: ids.len() as u32,
            });
        }
        if ids.is_empty() && mandatory {
            if let Some(origin) = message.origin {
                self.note(Fact::Returned { origin });
            }
            self.send(id, Frame::Return(message.clone()));
        }
        if let (Some(number), Some(channel)) = (number, self.channels.get_mut(&id)) {
            match ids.is_empty() {
                true => {
                    channel.acks.insert(number);
                }
                false => {
                    channel.unconfirmed.insert(number, ids);
                }
            }
        }
        for queue in &queues {
            let publish = Publish {
                message: message.clone(),
                confirm: number.map(|number| Confirm { channel: id, number }),
                sender: Some(id),
            };
            self.enqueue(queue, publish);
        }
    }

    pub(super) fn select_confirm(&mut self, id: ChannelId) -> Result<(), AmqpError> {
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        if channel.tx.is_some() {
            return Err(AmqpError::precondition("cannot switch from tx to confirm mode"));
        }
        channel.confirms = true;
        self.ok(id, "confirm.select-ok")
    }

    pub(super) fn select_tx(&mut self, id: ChannelId) -> Result<(), AmqpError> {
        let Some(channel) = self.channels.get_mut(&id) else {
            return Ok(());
        };
        if channel.confirms {
            return Err(AmqpError::precondition("cannot switch from confirm to tx mode"));
        }
        channel.tx.get_or_insert_default();
        self.ok(id, "tx.select-ok")
    }

    fn transaction(&mut self, id: ChannelId) -> Result<Tx, AmqpError> {
        let tx = self.channels.get_mut(&id).and_then(|channel| channel.tx.as_mut());
        match tx {
            Some(tx) => Ok(std::mem::take(tx)),
            None => Err(AmqpError::precondition("channel is not transactional")),
        }
    }

    /// Publishes first, then what was settled; the answer waits until the publishes are taken.
    pub(super) fn commit_tx(&mut self, id: ChannelId) -> Result<(), AmqpError> {
        let tx = self.transaction(id)?;
        for accepted in tx.publishes {
            self.take(id, accepted);
        }
        for (how, settled) in tx.settles {
            self.settle_now(id, settled, how);
        }
        if let Some(tx) = self.channels.get_mut(&id).and_then(|channel| channel.tx.as_mut()) {
            tx.committing = true;
        }
        Ok(())
    }

    /// Transactions whose publishes are all taken are answered.
    pub(super) fn finish_transactions(&mut self) {
        let done: Vec<(ChannelId, bool)> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.unconfirmed.is_empty())
            .filter_map(|(id, channel)| Some((*id, channel.tx.as_ref().filter(|tx| tx.committing)?.failed)))
            .collect();
        for (id, failed) in done {
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            channel.tx = Some(Tx::default());
            let (connection, number) = (channel.connection, channel.number);
            if failed {
                let closed = crate::rabbit::protocol::Closed {
                    error: AmqpError::precondition("partial tx completion"),
                    method: Some("tx.commit"),
                };
                self.fail(connection, number, closed);
            } else {
                self.send(id, Frame::Ok("tx.commit-ok"));
            }
        }
    }

    /// Nothing was published, nothing was settled.
    pub(super) fn rollback_tx(&mut self, id: ChannelId) -> Result<(), AmqpError> {
        let tx = self.transaction(id)?;
        if let Some(channel) = self.channels.get_mut(&id) {
            let held = tx.settles.into_iter().flat_map(|(_, settled)| settled);
            channel.unacked.extend(held);
        }
        self.ok(id, "tx.rollback-ok")
    }

    /// Holds what was settled until the transaction commits; gives it back if there is none.
    pub(super) fn hold(
        &mut self,
        id: ChannelId,
        settled: Vec<(u64, Pending)>,
        how: Settle,
    ) -> Option<Vec<(u64, Pending)>> {
        let tx = self.channels.get_mut(&id).and_then(|channel| channel.tx.as_mut());
        match tx {
            Some(tx) => {
                match tx.settles.last_mut() {
                    Some((last, held)) if *last == how => held.extend(settled),
                    _ => tx.settles.push((how, settled)),
                }
                None
            }
            None => Some(settled),
        }
    }
}
