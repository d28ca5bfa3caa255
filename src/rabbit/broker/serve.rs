//! What queues cause outside themselves: deliveries to channels, confirms, dead letters, and what time brings.

use super::channel::Pending;
use super::{Broker, SYNC, WRITE_DELAY};
use crate::ordered::OrderedSet;
use crate::rabbit::dead_letter::{Death, Reason, is_cycle, letter};
use crate::rabbit::message::Message;
use crate::rabbit::note::{BrokerNote, Fact};
use crate::rabbit::protocol::{Delivery, Frame};
use crate::rabbit::queue::{ConsumerKey, Content, Desk, Event, Handed, Publish, Queue, QueueId};
use crate::rabbit::routing::Target;
use crate::rabbit::value::Name;
use crate::sim::Span;
use std::rc::Rc;

/// A dead letter on its way to the queues it was routed to.
#[derive(Clone, Debug)]
pub struct Letter {
    message: Rc<Message>,
    queues: OrderedSet<Name>,
}

/// How long until what the queue has to write should be written; `None` if nothing.
pub(super) fn flush_delay(queue: &Queue) -> Option<Span> {
    match &queue.content {
        Content::Classic(classic) => match classic.store.wants_flush()? {
            true => Some(SYNC),
            false => Some(WRITE_DELAY),
        },
        Content::Quorum(quorum) => quorum.wants_flush().then_some(SYNC),
    }
}

impl Broker {
    /// Does something with a queue's content, and what it causes. `None` if the queue is gone.
    pub(super) fn on_queue<R>(&mut self, id: QueueId, act: impl FnOnce(&mut Content, &mut Desk<'_>) -> R) -> Option<R> {
        let name = self.queue_names.get(&id)?.clone();
        let queue = self.queues.get_mut(&name)?;
        let mut events = Vec::new();
        let mut desk = Desk {
            now: self.now,
            limits: &mut self.limits,
            events: &mut events,
        };
        let result = act(&mut queue.content, &mut desk);
        for event in events {
            self.absorb(id, &name, event);
        }
        Some(result)
    }

    fn absorb(&mut self, id: QueueId, name: &Name, event: Event) {
        match event {
            Event::Deliver {
                to,
                ack_required,
                handed,
            } => self.deliver(id, name, to, ack_required, handed),
            Event::Dead { message, reason } => self.died(name, message, reason),
            Event::Confirmed(confirm) => {
                if let Some(channel) = self.channels.get_mut(&confirm.channel) {
                    channel.taken(confirm.number, id);
                }
            }
            Event::Refused { message, confirm } => {
                if let Some(origin) = message.origin {
                    self.note(Fact::Refused {
                        origin,
                        queue: name.clone(),
                    });
                }
                if let Some(confirm) = confirm
                    && let Some(channel) = self.channels.get_mut(&confirm.channel)
                {
                    channel.refused(confirm.number);
                }
            }
        }
    }

    fn deliver(&mut self, id: QueueId, name: &Name, to: ConsumerKey, ack_required: bool, handed: Handed) {
        let ConsumerKey { channel, tag } = to;
        if let Some(origin) = handed.message.origin {
            self.note(Fact::Delivered {
                origin,
                queue: name.clone(),
                tag: Some(tag.clone()),
                redelivered: handed.redelivered,
            });
            if !ack_required {
                self.note(Fact::Settled {
                    origin,
                    queue: name.clone(),
                });
            }
        }
        if let Some(delivery) = self.handed(channel, id, Some(&tag), ack_required, handed) {
            self.send(channel, Frame::Deliver(tag, delivery));
        }
    }

    /// Notes what goes out to a channel and gives it its tag.
    pub(super) fn handed(
        &mut self,
        channel: crate::rabbit::queue::ChannelId,
        id: QueueId,
        consumer: Option<&Name>,
        ack_required: bool,
        handed: Handed,
    ) -> Option<Delivery> {
        let queue_name = self.queue_names.get(&id)?.clone();
        let channel = self.channels.get_mut(&channel)?;
        let tag = channel.take_tag();
        if ack_required {
            let pending = Pending {
                queue: id,
                queue_name,
                tag: consumer.cloned(),
                place: handed.place,
                origin: handed.message.origin,
            };
            channel.unacked.insert(tag, pending);
        }
        Some(Delivery {
            tag,
            redelivered: handed.redelivered,
            message: handed.message,
            delivery_count: handed.delivery_count,
        })
    }

    /// A message died in a queue: it is routed at once, if the dead-letter exchange is there.
    pub(super) fn died(&mut self, name: &Name, message: Rc<Message>, reason: Reason) {
        let queue = self.queues.get(name);
        let from_log = queue.is_some_and(|queue| matches!(queue.content, Content::Quorum(_)));
        let settings = queue.map(|queue| queue.settings.clone());
        let exchange = settings
            .as_ref()
            .and_then(|settings| settings.dead_letter_exchange.as_ref())
            .and_then(|exchange| self.topology.exchange(exchange));
        let mut onwards = 0;
        if let (Some(exchange), Some(settings)) = (exchange, &settings) {
            let death = Death {
                queue: name,
                reason,
                seconds: self.seconds,
            };
            let letter = letter(&message, death, &exchange.name, settings.dead_letter_key.as_ref());
            let mut queues = self.topology.route(exchange, &letter);
            if reason != Reason::Rejected {
                queues.retain(|queue| !is_cycle(queue, letter.properties.headers.as_ref()));
            }
            queues.retain(|queue| self.queues.contains_key(queue));
            onwards = queues.len() as u32;
            let letter = Letter {
                message: Rc::new(letter),
                queues,
            };
            // A quorum queue acts on its log: what it sends goes out when that is flushed.
            match from_log {
                true => self.late_letters.push(letter),
                false => self.letters.push_back(letter),
            }
        }
        if let Some(origin) = message.origin {
            self.note(Fact::Died {
                origin,
                queue: name.clone(),
                reason,
                onwards,
            });
        }
    }

    /// Dead letters go into their queues, which may kill others.
    pub(super) fn run_letters(&mut self) {
        while let Some(letter) = self.letters.pop_front() {
            for queue in &letter.queues {
                let publish = Publish {
                    message: letter.message.clone(),
                    confirm: None,
                    sender: None,
                };
                self.enqueue(queue, publish);
            }
        }
    }

    /// A message goes into a queue.
    pub(super) fn enqueue(&mut self, queue: &Name, publish: Publish) {
        let Some(id) = self.queues.get(queue).map(|queue| queue.id) else {
            return;
        };
        if let Some(origin) = publish.message.origin {
            self.note(Fact::Arrived {
                origin,
                queue: queue.clone(),
            });
        }
        self.on_queue(id, |content, desk| match content {
            Content::Classic(classic) => classic.publish(publish, desk),
            Content::Quorum(quorum) => quorum.publish(publish, desk),
        });
    }

    /// Time has come for some queues: their heads expire, or they do.
    pub(super) fn expire(&mut self) {
        let now = self.now;
        let due: Vec<(QueueId, Name, bool)> = self
            .queues
            .values()
            .filter(|queue| queue.deadline().is_some_and(|at| at <= now))
            .map(|queue| (queue.id, queue.name.clone(), queue.is_expired(now)))
            .collect();
        for (id, name, expired) in due {
            if expired {
                self.remove_queue(&name);
                continue;
            }
            self.on_queue(id, |content, desk| match content {
                Content::Classic(classic) => {
                    classic.expires_at = classic.expires_at.filter(|at| *at > now);
                    classic.ttl_timer_fired(desk);
                }
                Content::Quorum(quorum) => quorum.checkout(desk),
            });
        }
    }

    /// Writes what waits for the disk.
    pub(super) fn flush_queues(&mut self) {
        let ids: Vec<QueueId> = self.queues.values().map(|queue| queue.id).collect();
        for id in ids {
            self.on_queue(id, |content, desk| match content {
                Content::Classic(classic) => classic.flush(desk),
                Content::Quorum(quorum) => quorum.flush(desk),
            });
        }
        self.letters.extend(std::mem::take(&mut self.late_letters));
    }

    /// Notes that what is ready in a queue leaves it unseen.
    pub(super) fn note_gone(&mut self, name: &Name) {
        let origins: Vec<u32> = self
            .queues
            .get(name)
            .map(|queue| queue.ready_messages().iter().filter_map(|m| m.origin).collect())
            .unwrap_or_default();
        for origin in origins {
            self.note(Fact::Gone {
                origin,
                queue: name.clone(),
            });
        }
    }

    /// A queue goes, with what is in it: its bindings, its consumers (who are told), and who waited for it.
    pub(super) fn remove_queue(&mut self, name: &Name) {
        self.note_gone(name);
        let Some(queue) = self.queues.remove(name) else { return };
        self.queue_names.remove(&queue.id);
        self.note(BrokerNote::QueueDeleted { queue: name.clone() });
        self.remove_bindings_into(&Target::Queue(name.clone()));
        let mut told = Vec::new();
        for (id, channel) in &mut self.channels {
            channel.queue_gone(queue.id);
            let gone: Vec<Name> = channel
                .consumers
                .iter()
                .filter(|(_, of)| **of == queue.id)
                .map(|(tag, _)| tag.clone())
                .collect();
            for tag in gone {
                channel.consumers.remove(&tag);
                told.push((*id, tag));
            }
        }
        for (channel, tag) in told {
            self.send(channel, Frame::Cancel(tag));
        }
    }
}
