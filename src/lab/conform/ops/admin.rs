//! What an admin client is asked for.

use super::{Outcome, all_partitions, assignments, configs, numbers, partition, times};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, CreatableTopic, ElectionType};
use crate::kafka::protocol::data::{
    EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, Isolation, LATEST_TIERED_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP,
};
use crate::lab::conform::play::Player;
use crate::lab::conform::results::error_json;
use crate::lab::conform::trace::{TraceStep, plain};
use serde_json::{Value, json};
use std::rc::Rc;

impl Player<'_> {
    pub(in crate::lab) fn operate_admin(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let config = step.config("config_admin");
        let topic: Rc<str> = step.text("topic").into();
        let about = match step.op() {
            "describe_topic" | "delete_topic" | "create_partitions" | "alter_config" | "create_topic" => {
                Some(step.text("topic").to_string())
            }
            "reassign" => Some(step.text("partition").to_string()),
            _ => None,
        };
        if step.op() == "create_topic" {
            return self.create_topic(step, &config);
        }
        if let Some(group) = step.get("group").and_then(Value::as_str) {
            self.groups.insert(group.to_string());
        }
        let what = match step.op() {
            "delete_topic" => AdminCall::DeleteTopics { topics: vec![topic] },
            "describe_topic" => AdminCall::DescribeTopics { topics: vec![topic] },
            "create_partitions" => AdminCall::CreatePartitions {
                topic,
                count: step
                    .get("count")
                    .and_then(Value::as_i64)
                    .and_then(|n| i32::try_from(n).ok())
                    .unwrap_or(0),
                assignments: step
                    .get("assignment")
                    .and_then(Value::as_array)
                    .map(|lists| lists.iter().map(numbers).collect()),
            },
            "delete_records" => AdminCall::DeleteRecords {
                before: times(step.get("before"))?,
            },
            "alter_config" => AdminCall::AlterConfigs {
                resource: resource(step),
                ops: alter_ops(step),
            },
            "describe_config" => AdminCall::DescribeConfigs {
                resource: resource(step),
                keys: step
                    .get("keys")
                    .map(|_| step.list("keys").into_iter().map(Rc::from).collect()),
            },
            "list_offsets" => {
                let spec = timestamp(step.get("spec"));
                let partitions = all_partitions(&step.list("partitions"))?
                    .into_iter()
                    .map(|p| (p, spec))
                    .collect();
                let isolation = match step.text("isolation") {
                    "read_committed" => Isolation::ReadCommitted,
                    _ => Isolation::ReadUncommitted,
                };
                AdminCall::ListOffsets { partitions, isolation }
            }
            "elect" => AdminCall::ElectLeaders {
                kind: if step.text("type") == "unclean" {
                    ElectionType::Unclean
                } else {
                    ElectionType::Preferred
                },
                partitions: step
                    .get("partitions")
                    .map(|_| all_partitions(&step.list("partitions")))
                    .transpose()?,
            },
            "reassign" => AdminCall::Reassign {
                partitions: vec![(partition(step.text("partition"))?, step.get("replicas").map(numbers))],
                allow_replication_factor_change: step.get("allow_rf_change").and_then(Value::as_bool).unwrap_or(true),
            },
            "list_reassignments" => AdminCall::ListReassignments {
                partitions: step
                    .get("partitions")
                    .map(|_| all_partitions(&step.list("partitions")))
                    .transpose()?,
            },
            "describe_cluster" => AdminCall::DescribeCluster {
                include_fenced: step.get("fenced").and_then(Value::as_bool).unwrap_or(false),
            },
            "unregister_broker" => AdminCall::UnregisterBroker {
                broker: step
                    .get("broker")
                    .and_then(Value::as_i64)
                    .and_then(|n| i32::try_from(n).ok())
                    .unwrap_or(-1),
            },
            "describe_features" => AdminCall::DescribeFeatures,
            "describe_quorum" => AdminCall::DescribeQuorum,
            "describe_producers" => AdminCall::DescribeProducers {
                partition: partition(step.text("partition"))?,
            },
            "list_transactions" => AdminCall::ListTransactions,
            "describe_transaction" => AdminCall::DescribeTransaction {
                id: step.text("transactional_id").into(),
            },
            "fence_producers" | "terminate_transaction" => AdminCall::FenceProducer {
                id: step.text("transactional_id").into(),
                terminate: step.op() == "terminate_transaction",
            },
            "abort_transaction" => match self.open_transaction(step, &config)? {
                Ok(found) => found,
                Err(outcome) => return Ok(outcome),
            },
            _ => self.group_call(step)?,
        };
        let call = self.ask(&config, what)?;
        if matches!(step.op(), "list_groups" | "list_transactions") {
            return Ok(self.only_groups(step, call));
        }
        Ok(Outcome::Call { call, about })
    }

    /// The operator's way to a hanging transaction: who has one open on the partition?
    fn open_transaction(
        &mut self,
        step: &TraceStep,
        config: &[(String, String)],
    ) -> Result<Result<AdminCall, Outcome>, String> {
        let partition = partition(step.text("partition"))?;
        let what = AdminCall::DescribeProducers {
            partition: partition.clone(),
        };
        let call = self.ask(config, what)?;
        let answer = match self.wait_for(call) {
            None => return Ok(Err(Outcome::Value(json!({"pending": true})))),
            Some(Err(error)) => return Ok(Err(Outcome::Value(error_json(&error)))),
            Some(Ok(answer)) => answer,
        };
        let Answer::Producers(list) = &*answer else {
            return Ok(Err(Outcome::Ok));
        };
        let open = list.iter().find(|seen| seen.0.current_txn_start_offset >= 0);
        let Some(open) = open else {
            return Ok(Err(Outcome::Value(json!({"error": "no open transaction"}))));
        };
        Ok(Ok(AdminCall::AbortTransaction {
            partition,
            producer_id: open.0.producer_id,
            producer_epoch: i16::try_from(open.0.producer_epoch).unwrap_or(-1),
            coordinator_epoch: open.0.coordinator_epoch,
        }))
    }

    pub(in crate::lab) fn group_call(&self, step: &TraceStep) -> Result<AdminCall, String> {
        let group: Rc<str> = step.text("group").into();
        Ok(match step.op() {
            "list_groups" => AdminCall::ListGroups,
            "describe_group" => AdminCall::DescribeGroup { group },
            "delete_group" => AdminCall::DeleteGroup { group },
            "group_offsets" => AdminCall::GroupOffsets { group },
            "alter_offsets" => AdminCall::AlterGroupOffsets {
                group,
                offsets: times(step.get("offsets"))?,
            },
            "delete_offsets" => AdminCall::DeleteGroupOffsets {
                group,
                partitions: all_partitions(&step.list("partitions"))?,
            },
            "share_offsets" => AdminCall::ShareGroupOffsets { group },
            "alter_share_offsets" => AdminCall::AlterShareGroupOffsets {
                group,
                offsets: times(step.get("offsets"))?,
            },
            "delete_share_group" => AdminCall::DeleteGroup { group },
            "delete_share_offsets" => AdminCall::DeleteShareGroupOffsets {
                group,
                topics: step.list("topics").into_iter().map(Rc::from).collect(),
            },
            "describe_share_group" => AdminCall::DescribeShareGroup { group },
            "remove_members" => AdminCall::RemoveMembers {
                group,
                members: step.list("members").into_iter().map(Rc::from).collect(),
            },
            other => return Err(format!("`{other}` is not an operation that can be played")),
        })
    }

    pub(in crate::lab) fn only_groups(&mut self, step: &TraceStep, call: CallId) -> Outcome {
        let mut wanted = step.list("groups");
        wanted.extend(step.list("transactional_ids"));
        match self.finish("list_groups", None, call) {
            Some(Value::Object(all)) => Outcome::Value(Value::Object(
                all.into_iter().filter(|(name, _)| wanted.contains(name)).collect(),
            )),
            Some(other) => Outcome::Value(other),
            None => Outcome::Ok,
        }
    }

    pub(in crate::lab) fn create_topic(
        &mut self,
        step: &TraceStep,
        config: &[(String, String)],
    ) -> Result<Outcome, String> {
        let number = |key: &str| step.get(key).and_then(Value::as_i64);
        let validate_only = step.get("validate_only").and_then(Value::as_bool).unwrap_or(false);
        let unwatched = step.get("unwatched").and_then(Value::as_bool).unwrap_or(false);
        if !unwatched {
            self.topics.insert(step.text("topic").to_string());
        }
        let topic = CreatableTopic {
            name: step.text("topic").into(),
            num_partitions: number("partitions").and_then(|n| i32::try_from(n).ok()).unwrap_or(-1),
            replication_factor: number("replication_factor")
                .and_then(|n| i16::try_from(n).ok())
                .unwrap_or(-1),
            assignments: assignments(step.get("assignment")),
            configs: configs(step.get("config")),
        };
        let call = self.ask(
            config,
            AdminCall::CreateTopics {
                topics: vec![topic],
                validate_only,
            },
        )?;
        Ok(match self.wait_for(call) {
            None => Outcome::Value(json!({"pending": true})),
            Some(Err(error)) => Outcome::Value(error_json(&error)),
            Some(Ok(answer)) => created(&answer, step.get("assignment").is_none()),
        })
    }
}

/// What creating a topic returned; how large it became is shown when nobody sees it otherwise.
pub(in crate::lab) fn created(answer: &Answer, shown: bool) -> Outcome {
    match answer {
        Answer::Created(map) => match map.values().next() {
            Some(Err(error)) => Outcome::Value(error_json(error)),
            Some(Ok(topic)) if shown => Outcome::Value(json!({
                "ok": true, "partitions": topic.0, "replication_factor": topic.1,
            })),
            _ => Outcome::Ok,
        },
        Answer::Each(map) => match map.values().next() {
            Some(Err(error)) => Outcome::Value(error_json(error)),
            _ => Outcome::Ok,
        },
        _ => Outcome::Ok,
    }
}

pub(in crate::lab) fn timestamp(spec: Option<&Value>) -> i64 {
    match spec {
        Some(Value::String(word)) => match word.as_str() {
            "earliest" => EARLIEST_TIMESTAMP,
            "max_timestamp" => MAX_TIMESTAMP,
            "earliest_local" => EARLIEST_LOCAL_TIMESTAMP,
            "latest_tiered" => LATEST_TIERED_TIMESTAMP,
            _ => LATEST_TIMESTAMP,
        },
        other => other.and_then(Value::as_i64).unwrap_or(LATEST_TIMESTAMP),
    }
}

pub(in crate::lab) fn resource(step: &TraceStep) -> ConfigResource {
    if let Some(group) = step.get("group") {
        return ConfigResource::Group(plain(group).into());
    }
    if let Some(broker) = step.get("broker") {
        return ConfigResource::Broker(plain(broker).into());
    }
    ConfigResource::Topic(step.text("topic").into())
}

pub(in crate::lab) fn alter_ops(step: &TraceStep) -> Vec<(Rc<str>, AlterOp)> {
    let mut out = Vec::new();
    for (key, make) in [
        ("set", AlterOp::Set as fn(Rc<str>) -> AlterOp),
        ("append", AlterOp::Append),
        ("subtract", AlterOp::Subtract),
    ] {
        for (name, value) in step.config(key) {
            out.push((name.into(), make(value.into())));
        }
    }
    out.extend(
        step.list("remove")
            .into_iter()
            .map(|name| (name.into(), AlterOp::Delete)),
    );
    out
}
