//! RabbitMQ's queues, as far as a glance needs them.

use crate::lab::world::World;
use std::rc::Rc;

/// A queue of one of the brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueView {
    pub broker: Rc<str>,
    pub name: Rc<str>,
    pub ready: usize,
    /// With consumers, not settled.
    pub unacked: usize,
    pub consumers: usize,
}

/// All queues, by broker and name.
pub fn queues(world: &World) -> Vec<QueueView> {
    let brokers = world.rabbits();
    let each = brokers.flat_map(|(id, broker)| {
        broker.queues().map(move |queue| QueueView {
            broker: world.name(id).clone(),
            name: queue.name.clone(),
            ready: queue.ready(),
            unacked: queue.unacked(),
            consumers: queue.consumer_count(),
        })
    });
    each.collect()
}
