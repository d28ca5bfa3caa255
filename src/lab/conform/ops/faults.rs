//! Nodes, hosts and links: killed, stopped, started, cut, wiped.

use super::{Outcome, partition};
use crate::kafka::broker::BrokerState;
use crate::lab::conform::play::Player;
use crate::lab::conform::trace::TraceStep;
use crate::sim::Halt;
use crate::sim::world::Status;
use serde_json::Value;

impl Player<'_> {
    pub(in crate::lab) fn operate_faults(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        match step.op() {
            "cut" | "heal" => {
                let (from, to) = (step.list("from"), step.list("to"));
                if step.op() == "heal" && from.is_empty() {
                    self.world.sim.network_mut().heal_all();
                    return Ok(Outcome::Ok);
                }
                let one_way = step.get("one_way").and_then(Value::as_bool).unwrap_or(false);
                self.cut(&from, &to, step.op() == "cut", one_way);
            }
            "crash_host" | "pause_host" | "resume_host" => {
                for id in self.clients_on(step.text("host")) {
                    match step.op() {
                        "crash_host" => self.world.sim.halt(id, Halt::Crash),
                        "pause_host" => self.world.sim.freeze(id),
                        _ => self.world.sim.thaw(id),
                    }
                }
            }
            _ => self.operate_nodes(step)?,
        }
        Ok(Outcome::Ok)
    }

    pub(in crate::lab) fn cut(&mut self, from: &[String], to: &[String], cut: bool, one_way: bool) {
        let (from, to) = (self.hosts(from), self.hosts(to));
        for a in &from {
            for b in &to {
                self.world.sim.network_mut().link_mut(*a, *b).cut = cut;
                if !one_way {
                    self.world.sim.network_mut().link_mut(*b, *a).cut = cut;
                }
            }
        }
    }

    pub(in crate::lab) fn operate_nodes(&mut self, step: &TraceStep) -> Result<(), String> {
        let ids = step
            .list("node")
            .iter()
            .map(|id| self.server(id))
            .collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            match step.op() {
                "crash" => self.world.sim.halt(*id, Halt::Crash),
                "power_off" => {
                    // SIGKILL first, so the peers see the connections close.
                    self.world.sim.halt(*id, Halt::Crash);
                    self.change_broker(*id, |broker| broker.halt(Halt::PowerLoss));
                }
                "shutdown" => self.world.shut_down(*id),
                "start" => self.world.sim.start(*id),
                "pause" => self.world.sim.freeze(*id),
                "resume" => self.world.sim.thaw(*id),
                _ => {
                    let partition = match step.get("partition").and_then(Value::as_str) {
                        Some(name) => self
                            .world
                            .places
                            .place(&partition(name)?)
                            .map(crate::lab::places::partition_of),
                        None => None,
                    };
                    self.change_broker(*id, |broker| broker.wipe(partition));
                }
            }
        }
        if step.op() == "shutdown" {
            self.run_while_not(|world| ids.iter().all(|id| matches!(world.sim.status(*id), Status::Down(_))));
        }
        if step.op() == "start" && step.get("until_active").and_then(Value::as_bool).unwrap_or(true) {
            let brokers: Vec<i32> = step
                .list("node")
                .iter()
                .filter_map(|id| id.parse().ok())
                .filter(|id| self.trace.cluster.brokers.contains(id))
                .collect();
            self.run_while_not(|world| {
                world.all_active(&brokers)
                    && brokers
                        .iter()
                        .all(|id| world.broker(*id).is_some_and(|b| b.state() == BrokerState::Running))
            });
        }
        Ok(())
    }
}
