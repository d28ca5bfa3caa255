//! What a step changed, by the names of the boxes on the stage.

use crate::lab::view::{BrokerView, ConsumerView, ControllerView, ProducerView, ReplicaView, View};
use crate::ui::acts::consumers;

/// Names of processes, and `b1/loan_request/0` for a copy of a partition.
pub fn between(old: &View, new: &View) -> Vec<String> {
    let mut changed = Vec::new();
    for broker in &new.brokers {
        let before = old.brokers.iter().find(|b| b.name == broker.name);
        if before.is_none_or(|before| differs(before, broker)) {
            changed.push(broker.name.clone());
        }
        for replica in &broker.replicas {
            let same = |r: &&ReplicaView| r.topic == replica.topic && r.partition == replica.partition;
            let before = before.and_then(|b| b.replicas.iter().find(same));
            if before.is_none_or(|before| row(before) != row(replica)) {
                changed.push(format!("{}/{}/{}", broker.name, replica.topic, replica.partition));
            }
        }
    }
    let producers = new.producers.iter().filter(|p| {
        let before = old.producers.iter().find(|b| b.name == p.name);
        before.is_none_or(|before| producer(before) != producer(p))
    });
    changed.extend(producers.map(|p| p.name.clone()));
    let readers = consumers(new).filter(|c| {
        let before = consumers(old).find(|b| b.name == c.name);
        before.is_none_or(|before| consumer(before) != consumer(c))
    });
    changed.extend(readers.map(|c| c.name.clone()));
    let controllers = new.controllers.iter().filter(|c| {
        let before = old.controllers.iter().find(|b| b.name == c.name);
        before.is_none_or(|before| controller(before) != controller(c))
    });
    changed.extend(controllers.map(|c| c.name.clone()));
    changed
}

fn differs(a: &BrokerView, b: &BrokerView) -> bool {
    (a.health, &a.faults, &a.coordinates) != (b.health, &b.faults, &b.coordinates)
}

fn row(r: &ReplicaView) -> impl PartialEq + '_ {
    (r.role, r.epoch, r.in_sync, &r.isr, r.start, r.end, r.high_watermark)
}

fn producer(p: &ProducerView) -> impl PartialEq + '_ {
    (
        (p.health, p.in_flight, p.buffered, p.sent),
        (p.acknowledged, p.failed, p.lost, &p.last_error, &p.faults),
    )
}

fn consumer(c: &ConsumerView) -> impl PartialEq + '_ {
    (
        (c.health, &c.state, c.generation, &c.assignment),
        (c.delivered, &c.working_on, &c.last_error, &c.faults),
    )
}

fn controller(c: &ControllerView) -> impl PartialEq + '_ {
    (c.health, c.active, c.epoch, &c.brokers, &c.faults)
}
