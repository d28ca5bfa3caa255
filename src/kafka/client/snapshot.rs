//! The cluster as a client's last metadata show it. [MetadataSnapshot]

use crate::kafka::protocol::data::{BrokerNode, MetadataPartition};
use crate::kafka::types::{NodeId, TopicId};
use crate::ordered::OrderedMap;
use std::rc::Rc;

/// A topic as the last answers have it.
#[derive(Clone, Debug)]
pub struct KnownTopic {
    pub id: Option<TopicId>,
    pub internal: bool,
    /// Ascending by partition.
    pub partitions: Vec<MetadataPartition>,
}

impl KnownTopic {
    /// One of its partitions, if it is known.
    pub fn partition(&self, partition: i32) -> Option<&MetadataPartition> {
        let found = self.partitions.binary_search_by_key(&partition, |p| p.partition);
        found.ok().map(|index| &self.partitions[index])
    }
}

/// What the answers so far add up to.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub cluster_id: Option<Rc<str>>,
    /// -1: unknown.
    pub controller: NodeId,
    /// By id; the bootstrap addresses under -1, -2, ... until the first answer.
    pub nodes: Vec<BrokerNode>,
    pub topics: OrderedMap<Rc<str>, KnownTopic>,
    /// Names by id.
    pub names: OrderedMap<TopicId, Rc<str>>,
    /// There was no answer yet, or the client began anew.
    pub bootstrap: bool,
}

impl Snapshot {
    /// A node that is known.
    pub fn node(&self, id: NodeId) -> Option<&BrokerNode> {
        self.nodes.iter().find(|node| node.id == id)
    }
}
