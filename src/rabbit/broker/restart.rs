//! Stopping and starting: what survives an orderly stop, a kill, and a power failure.

use super::Broker;
use crate::ordered::OrderedSet;
use crate::rabbit::error::{AmqpError, Code};
use crate::rabbit::note::{BrokerNote, Fact};
use crate::rabbit::protocol::Closed;
use crate::rabbit::queue::store::Depth;
use crate::rabbit::queue::{ConnectionId, Content, Desk, Event, Queue, QueueId};
use crate::rabbit::routing::Target;
use crate::rabbit::routing::bindings::Binding;
use crate::rabbit::value::Name;
use crate::sim::Halt;
use std::rc::Rc;

impl Broker {
    /// An orderly stop: every client is told.
    pub(super) fn shut_down(&mut self) {
        let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for id in all {
            let error = AmqpError::new(
                Code::ConnectionForced,
                "broker forced connection closure with reason 'shutdown'",
            );
            self.close_connection(id, Closed { error, method: None });
        }
        self.settle_down();
    }

    /// The process is gone: what is left is what its disk holds.
    pub(super) fn stop(&mut self, how: Halt) {
        let crash = match how {
            Halt::Exit => None,
            Halt::Crash => Some(Depth::Cached),
            Halt::PowerLoss => Some(Depth::Synced),
        };
        self.connections.clear();
        self.channels.clear();
        self.limits.clear();
        self.letters.clear();
        self.late_letters.clear();
        self.out.clear();
        self.deadline = None;
        self.flush = None;
        self.beats = false;
        let before = self.held();
        self.queues.retain(|_, queue| queue.durable);
        self.queue_names = self
            .queues
            .values()
            .map(|queue| (queue.id, queue.name.clone()))
            .collect();
        self.keep_durable();
        let (now, limits) = (self.now, &mut self.limits);
        let mut died = Vec::new();
        for queue in self.queues.values_mut() {
            let mut events = Vec::new();
            let mut desk = Desk {
                now,
                limits,
                events: &mut events,
            };
            match &mut queue.content {
                Content::Classic(classic) => classic.restart(crash),
                Content::Quorum(quorum) => quorum.restart(crash.is_some(), now, &mut desk),
            }
            died.extend(events.into_iter().filter_map(|event| match event {
                Event::Dead { message, reason } => Some((queue.name.clone(), message, reason)),
                _ => None,
            }));
        }
        self.died_in_stop = died;
        let after = self.held();
        self.lost = before.difference(&after).cloned().collect();
    }

    /// The messages in the queues whose fate somebody follows.
    fn held(&self) -> OrderedSet<(Name, u32)> {
        let queues = self.queues.values();
        let all = queues.flat_map(|queue| {
            let messages = queue.ready_messages().into_iter().chain(queue.unacked_messages());
            messages.filter_map(|message| Some((queue.name.clone(), message.origin?)))
        });
        all.collect()
    }

    /// Durable exchanges stay, and bindings between what stays.
    fn keep_durable(&mut self) {
        Rc::make_mut(&mut self.topology.exchanges).retain(|_, exchange| exchange.durable);
        let stays = |binding: &&Binding| {
            let target = match &binding.target {
                Target::Queue(name) => self.queues.contains_key(name),
                Target::Exchange(name) => self.topology.exchange(name).is_some(),
            };
            target && self.topology.exchange(&binding.source).is_some()
        };
        let gone: Vec<Binding> = self.topology.bindings.iter().filter(|b| !stays(b)).cloned().collect();
        let bindings = Rc::make_mut(&mut self.topology.bindings);
        for binding in &gone {
            bindings.remove(binding);
        }
    }

    /// The broker starts: what expired while it was down goes now.
    pub(super) fn start(&mut self) {
        for (queue, origin) in std::mem::take(&mut self.lost) {
            self.note(Fact::Gone { origin, queue });
        }
        for (queue, message, reason) in std::mem::take(&mut self.died_in_stop) {
            self.died(&queue, message, reason);
        }
        let found: Vec<(QueueId, Name, u32)> = self
            .queues
            .values()
            .map(|queue| (queue.id, queue.name.clone(), queue.ready() as u32))
            .collect();
        let now = self.now;
        for (id, queue, messages) in found {
            self.note(BrokerNote::Recovered { queue, messages });
            if let Some(queue) = self.queue_names.get(&id).and_then(|name| self.queues.get_mut(name)) {
                Queue::touched(queue, now);
            }
            self.on_queue(id, |content, desk| match content {
                Content::Classic(classic) => classic.drop_expired(desk),
                Content::Quorum(quorum) => quorum.checkout(desk),
            });
        }
        self.settle_down();
    }
}
