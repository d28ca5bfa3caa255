//! Topics and partitions as the controller has them.

use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::topic_name::is_internal;
use crate::kafka::types::{NO_LEADER, NodeId};
use crate::lab::view::{PartitionView, TopicView};
use crate::lab::world::World;
use crate::ordered::SortSmall;

/// By name.
pub fn topics(world: &World) -> Vec<TopicView> {
    let Some(image) = world.image() else {
        return Vec::new();
    };
    let names = |ids: &[NodeId]| {
        ids.iter()
            .map(|id| world.node_name(*id).to_string())
            .collect::<Vec<_>>()
    };
    let mut topics: Vec<TopicView> = image
        .topics
        .values()
        .map(|topic| {
            let settings = image.settings(&ConfigResource::Topic(topic.name.clone()));
            let partitions = image.partitions_of(topic.id).map(|(id, registration)| PartitionView {
                partition: id.partition,
                leader: (registration.leader != NO_LEADER).then(|| world.node_name(registration.leader).to_string()),
                epoch: registration.leader_epoch,
                replicas: names(&registration.replicas),
                isr: names(&registration.isr),
                elr: names(&registration.elr),
                adding: names(&registration.adding),
                removing: names(&registration.removing),
            });
            TopicView {
                name: topic.name.to_string(),
                internal: is_internal(&topic.name),
                config: settings
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| (key.to_string(), value.to_string()))
                    .collect(),
                partitions: partitions.collect(),
            }
        })
        .collect();
    topics.sort_small_by(|a, b| a.name.cmp(&b.name));
    topics
}
