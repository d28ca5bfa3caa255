//! Brokers and topics: what is added to a cluster.

use super::{CONTROLLER_IDS, Refusal, properties};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::types::NodeId;
use crate::lab::language::ast::trailing_number;
use crate::lab::language::ast::{Name, Replicas, Server, Topic};
use crate::lab::world::{Properties, Role, World};
use crate::ordered::OrderedMap;
use crate::sim::ProcId;
use std::rc::Rc;

impl World {
    /// Controllers and their hosts, by node id.
    pub fn voters(&self) -> OrderedMap<NodeId, Rc<str>> {
        self.controllers()
            .map(|(id, node, _)| (node, self.sim.network().host(self.sim.host_of(id)).name.clone()))
            .collect()
    }

    /// Adds brokers that are not started yet.
    pub(in crate::lab) fn place_brokers(
        &mut self,
        server: &Server,
        voters: &OrderedMap<NodeId, Rc<str>>,
        defaults: &Properties,
    ) -> Result<Vec<ProcId>, Refusal> {
        let mut added = Vec::new();
        for name in &server.names {
            self.check_new(name)?;
            let node = self.free_node_id(trailing_number(name).unwrap_or(1), 1)?;
            let host: &str = server.on.as_deref().unwrap_or(name);
            let mut config = defaults.clone();
            config.extend(properties(&server.config));
            added.push(self.add_broker(name, host, node, server.rack.clone(), config, voters)?);
        }
        Ok(added)
    }

    pub(in crate::lab) fn check_new(&self, name: &str) -> Result<(), Refusal> {
        if self.find(name).is_some() {
            Err(format!("there is a `{name}` already"))
        } else {
            Ok(())
        }
    }

    pub(in crate::lab) fn free_node_id(&self, wanted: NodeId, step: NodeId) -> Result<NodeId, Refusal> {
        (0..1_000)
            .map(|i| wanted.saturating_add(i * step))
            .find(|id| self.node(*id).is_none())
            .ok_or_else(|| "no node id is free".to_string())
    }

    pub(in crate::lab) fn apply_brokers(&mut self, server: &Server) -> Result<(), Refusal> {
        let voters = self.voters();
        let added = self.place_brokers(server, &voters, &Properties::new())?;
        for id in added {
            self.sim.start(id);
        }
        Ok(())
    }

    /// Node id of a controller by its name.
    pub(in crate::lab) fn controller_id(&self, name: &str) -> Result<NodeId, Refusal> {
        self.free_node_id(CONTROLLER_IDS + trailing_number(name).unwrap_or(1), 1)
    }

    pub(in crate::lab) fn broker_ids(&self, names: &[Name]) -> Result<Vec<NodeId>, Refusal> {
        names
            .iter()
            .map(|name| match self.named(name).map(|id| self.role(id))? {
                Role::Broker(node) => Ok(node),
                _ => Err(format!("`{name}` is not a broker")),
            })
            .collect()
    }

    /// The request that creates a topic of the scenario.
    pub(in crate::lab) fn creatable(&self, topic: &Topic) -> Result<CreatableTopic, Refusal> {
        let mut request = CreatableTopic {
            name: topic.name.clone(),
            num_partitions: topic.partitions.map_or(-1, |n| n as i32),
            replication_factor: -1,
            assignments: Vec::new(),
            configs: topic
                .config
                .iter()
                .map(|(key, value)| (key.clone(), Some(value.clone())))
                .collect(),
        };
        match &topic.replicas {
            Replicas::Default => {}
            Replicas::Factor(n) => request.replication_factor = i16::try_from(*n).unwrap_or(i16::MAX),
            Replicas::Lists(lists) => {
                let count = topic.partitions.map_or(lists.len(), |n| n as usize);
                for partition in 0..count {
                    let Some(list) = lists.get(partition).or_else(|| lists.first()) else {
                        continue;
                    };
                    request.assignments.push((partition as i32, self.broker_ids(list)?));
                }
                request.num_partitions = -1;
            }
        }
        Ok(request)
    }

    pub(in crate::lab) fn apply_topic(&mut self, topic: &Topic) -> Result<(), Refusal> {
        let topics = vec![self.creatable(topic)?];
        self.operate(AdminCall::CreateTopics {
            topics,
            validate_only: false,
        });
        Ok(())
    }
}
