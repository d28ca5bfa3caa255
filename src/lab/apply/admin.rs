//! What the operator asks the cluster for.

use super::{Refusal, named};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, ElectionType};
use crate::lab::language::ast::{Alter, Command, Delete, Election};
use crate::lab::world::World;

impl World {
    pub(in crate::lab) fn apply_admin(&mut self, command: &Command) -> Result<(), Refusal> {
        let call = match command {
            Command::Alter(alter) => return self.apply_alter(alter),
            Command::Delete(Delete::Topic(topic)) => AdminCall::DeleteTopics {
                topics: vec![topic.clone()],
            },
            Command::Delete(Delete::Group(group)) => AdminCall::DeleteGroup { group: group.clone() },
            Command::Delete(Delete::Records { partition, before }) => AdminCall::DeleteRecords {
                before: vec![(named(partition), before.unwrap_or(-1))],
            },
            Command::Elect { kind, partitions } => AdminCall::ElectLeaders {
                kind: match kind {
                    Election::Preferred => ElectionType::Preferred,
                    Election::Unclean => ElectionType::Unclean,
                },
                partitions: (!partitions.is_empty()).then(|| partitions.iter().map(named).collect()),
            },
            Command::Reassign { partition, replicas } => {
                let ids = self.broker_ids(replicas)?;
                AdminCall::Reassign {
                    partitions: vec![(named(partition), (!ids.is_empty()).then_some(ids))],
                    allow_replication_factor_change: true,
                }
            }
            _ => return Ok(()),
        };
        self.operate(call);
        Ok(())
    }

    pub(in crate::lab) fn apply_alter(&mut self, alter: &Alter) -> Result<(), Refusal> {
        let (resource, set, unset) = match alter {
            Alter::Topic {
                topic,
                partitions,
                set,
                unset,
            } => {
                if let Some(count) = partitions {
                    let count = *count as i32;
                    self.operate(AdminCall::CreatePartitions {
                        topic: topic.clone(),
                        count,
                        assignments: None,
                    });
                }
                (ConfigResource::Topic(topic.clone()), set, unset)
            }
            Alter::Broker { broker, set, unset } => {
                let id = match broker {
                    Some(name) => self.broker_ids(std::slice::from_ref(name))?[0].to_string(),
                    None => String::new(),
                };
                (ConfigResource::Broker(id.into()), set, unset)
            }
        };
        let sets = set
            .iter()
            .map(|(key, value)| (key.clone(), AlterOp::Set(value.clone())));
        let unsets = unset.iter().map(|key| (key.clone(), AlterOp::Delete));
        let ops: Vec<_> = sets.chain(unsets).collect();
        if !ops.is_empty() {
            self.operate(AdminCall::AlterConfigs { resource, ops });
        }
        Ok(())
    }
}
