//! Names of places: which partition a number of the ledger means.

use super::ledger::Place;
use crate::kafka::types::{NamedPartition, TopicId, TopicPartition};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// Topic names by id, deleted topics included.
#[derive(Clone, Debug, Default)]
pub struct Places {
    names: Rc<OrderedMap<u32, Rc<str>>>,
    ids: Rc<OrderedMap<Rc<str>, u32>>,
}

impl Places {
    /// A topic with that id exists (again).
    pub fn learn(&mut self, id: TopicId, name: &Rc<str>) {
        if self.ids.get(name) != Some(&id.0) {
            Rc::make_mut(&mut self.names).insert(id.0, name.clone());
            Rc::make_mut(&mut self.ids).insert(name.clone(), id.0);
        }
    }

    /// The partition's name, `loan_request-0`.
    pub fn name(&self, place: Place) -> String {
        match self.names.get(&place.0) {
            Some(topic) => format!("{topic}-{}", place.1),
            None => format!("#{}-{}", place.0, place.1),
        }
    }

    /// The number of the topic with that name.
    pub fn id(&self, topic: &str) -> Option<u32> {
        self.ids.get(topic).copied()
    }

    /// The place of a partition by its topic's (latest) name.
    pub fn place(&self, partition: &NamedPartition) -> Option<Place> {
        self.ids.get(&partition.topic).map(|id| (*id, partition.partition))
    }
}

/// The ledger's number for a partition.
pub fn place_of(partition: TopicPartition) -> Place {
    (partition.topic.0, partition.partition)
}

/// The partition for a number of the ledger.
pub fn partition_of(place: Place) -> TopicPartition {
    TopicPartition::new(TopicId(place.0), place.1)
}
