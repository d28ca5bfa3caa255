//! Brokers and controllers.

use super::{faults, health, replicas, transactions};
use crate::kafka::protocol::admin::ConfigResource;
use crate::kafka::types::NodeId;
use crate::lab::view::{BrokerView, ControllerView};
use crate::lab::world::{World, lab_us};
use crate::ordered::OrderedMap;
use crate::sim::ProcId;

fn host(world: &World, id: ProcId) -> String {
    world.sim.network().host(world.sim.host_of(id)).name.to_string()
}

/// Static settings, with the dynamic ones of this node and of all nodes over them.
fn config(world: &World, id: ProcId, node: NodeId) -> Vec<(String, String)> {
    let mut all: OrderedMap<String, String> = world.given.get(&id).cloned().unwrap_or_default();
    for resource in ["".to_string(), node.to_string()] {
        let resource = ConfigResource::Broker(resource.into());
        let dynamic = world.image().and_then(|image| image.settings(&resource));
        let dynamic = dynamic.into_iter().flatten();
        all.extend(dynamic.map(|(key, value)| (key.to_string(), value.to_string())));
    }
    all.into_iter().collect()
}

pub fn brokers(world: &World) -> Vec<BrokerView> {
    let end = world.image().map_or(0, |image| image.end_offset);
    world
        .brokers()
        .map(|(id, node, broker)| {
            let replicas = replicas::replicas(world, id, node);
            let metadata_offset = broker.image().end_offset;
            BrokerView {
                name: world.name(id).to_string(),
                node_id: node,
                host: host(world, id),
                rack: broker.setup().node.rack.as_ref().map(|rack| rack.to_string()),
                health: health(world, id),
                since_us: lab_us(world.sim.since(id)),
                broker_epoch: broker.broker_epoch(),
                metadata_offset,
                metadata_lag: (end - metadata_offset).max(0),
                unflushed: u64::try_from(broker.unflushed()).unwrap_or(0),
                coordinates: super::groups::coordinated_by(world, node),
                transactions: transactions::coordinated_by(world, node),
                replicas,
                config: config(world, id, node),
                faults: faults::of(world, id),
            }
        })
        .collect()
}

pub fn controllers(world: &World) -> Vec<ControllerView> {
    world
        .controllers()
        .map(|(id, node, controller)| (id, node, controller, controller.quorum()))
        .map(|(id, node, controller, quorum)| ControllerView {
            name: world.name(id).to_string(),
            health: health(world, id),
            since_us: lab_us(world.sim.since(id)),
            active: controller.is_active() && world.runs(id),
            epoch: controller.epoch(),
            role: quorum.role.name(),
            leader: quorum.leader.map(|id| world.node_name(id).to_string()),
            voted: quorum.voted.map(|id| world.node_name(id).to_string()),
            metadata_end: quorum.end,
            metadata_committed: quorum.high_watermark,
            quorum: quorum
                .replicas
                .iter()
                .map(|(id, end)| (world.node_name(*id).to_string(), end.map(|end| quorum.end - end)))
                .collect(),
            brokers: controller
                .brokers()
                .iter()
                .map(|broker| (world.node_name(broker.id).to_string(), broker.state.to_string()))
                .collect(),
            config: config(world, id, node),
            faults: faults::of(world, id),
        })
        .collect()
}
