//! Who leads the quorum of controllers, asked of each that lives.

use crate::kafka::controller::RoleName;
use crate::kafka::types::NodeId;
use crate::lab::conform::play::Player;
use crate::ordered::SortSmall;
use crate::sim::world::Status;
use serde_json::{Map, Value, json};

impl Player<'_> {
    /// The leader at the first call is `leader` from then on, the others `follower1`, `follower2`.
    pub(in crate::lab) fn ask_quorum(&mut self) -> Value {
        let living: Vec<(NodeId, crate::kafka::controller::QuorumView)> = self
            .world
            .controllers()
            .filter(|(id, ..)| self.world.sim.status(*id) == Status::Running)
            .map(|(_, node, controller)| (node, controller.quorum()))
            .collect();
        let leads = |node: NodeId| living.iter().any(|(id, q)| *id == node && q.role == RoleName::Leader);
        if self.voters.is_empty() && living.iter().any(|(id, _)| leads(*id)) {
            let mut followers = 0;
            for id in &self.trace.cluster.controllers {
                let name = if leads(*id) {
                    "leader".to_string()
                } else {
                    followers += 1;
                    format!("follower{followers}")
                };
                self.voters.insert(name, *id);
            }
        }
        let mut out = Map::new();
        for (node, quorum) in &living {
            let answer = if quorum.role == RoleName::Leader {
                let grew = self.quorum_epoch.is_some_and(|before| quorum.epoch > before);
                self.quorum_epoch = Some(quorum.epoch);
                let mut voters: Vec<String> = self.voters.keys().cloned().collect();
                voters.sort_small();
                let observers: Vec<NodeId> = quorum.replicas.iter().map(|(id, _)| *id).collect();
                let observers: Vec<NodeId> = observers
                    .into_iter()
                    .filter(|id| self.trace.cluster.brokers.contains(id))
                    .collect();
                json!({
                    "leader": self.voter_name(*node), "voters": voters, "observers": observers, "epoch_grew": grew,
                })
            } else {
                json!({"error": "NOT_LEADER_OR_FOLLOWER"})
            };
            out.insert(self.voter_name(*node), answer);
        }
        Value::Object(out)
    }

    fn voter_name(&self, node: NodeId) -> String {
        let named = self.voters.iter().find(|(_, id)| **id == node);
        named.map_or_else(|| node.to_string(), |(name, _)| name.clone())
    }
}
