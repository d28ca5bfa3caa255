//! The operations of the recordings, as orders to the simulator's processes.

use super::play::Player;
use super::results::{error_json, whole_record};
use super::trace::{TraceStep, plain};
use crate::kafka::broker::BrokerState;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, CallId};
use crate::kafka::client::consumer::{ConsumerOrder, SeekTo};
use crate::kafka::client::producer::{NewHeaders, NewRecord, ProducerOrder, TransactionCall};
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, CreatableTopic, ElectionType};
use crate::kafka::protocol::data::{
    EARLIEST_LOCAL_TIMESTAMP, EARLIEST_TIMESTAMP, Isolation, LATEST_TIERED_TIMESTAMP, LATEST_TIMESTAMP, MAX_TIMESTAMP,
};
use crate::kafka::protocol::groups::CommittedOffset;
use crate::kafka::types::NamedPartition;
use crate::kafka::wire::Order;
use crate::lab::ledger::Handed;
use crate::sim::world::Status;
use crate::sim::{Halt, ProcId, Span};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of an operation at once.
pub enum Outcome {
    Ok,
    Value(Value),
    /// The call returns later; `about`: the one thing it is about, if its result is that thing's alone.
    Call {
        call: CallId,
        about: Option<String>,
    },
}

/// `topic-0`.
pub fn partition(text: &str) -> Result<NamedPartition, String> {
    let (topic, number) = text
        .rsplit_once('-')
        .ok_or_else(|| format!("`{text}` is not a partition"))?;
    let partition = number.parse().map_err(|_| format!("`{text}` is not a partition"))?;
    Ok(NamedPartition {
        topic: topic.into(),
        partition,
    })
}

fn all_partitions(list: &[String]) -> Result<Vec<NamedPartition>, String> {
    list.iter().map(|text| partition(text)).collect()
}

/// `{"0": [1, 2, 3]}`.
pub fn assignments(value: Option<&Value>) -> Vec<(i32, Vec<i32>)> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Vec::new();
    };
    map.iter()
        .filter_map(|(partition, ids)| Some((partition.parse().ok()?, numbers(ids))))
        .collect()
}

fn numbers(value: &Value) -> Vec<i32> {
    value
        .as_array()
        .map(|list| list.iter().filter_map(|id| i32::try_from(id.as_i64()?).ok()).collect())
        .unwrap_or_default()
}

/// Settings of a topic.
pub fn configs(value: Option<&Value>) -> Vec<(Rc<str>, Option<Rc<str>>)> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Vec::new();
    };
    map.iter()
        .map(|(key, value)| (key.as_str().into(), Some(plain(value).into())))
        .collect()
}

fn offsets(value: Option<&Value>) -> Result<BTreeMap<NamedPartition, CommittedOffset>, String> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Ok(BTreeMap::new());
    };
    map.iter()
        .map(|(name, value)| {
            let list = value.as_array();
            let of = |i: usize| list.and_then(|list| list.get(i));
            let offset = of(0).or(Some(value)).and_then(Value::as_i64).unwrap_or(0);
            let leader_epoch = of(1)
                .and_then(Value::as_i64)
                .and_then(|e| i32::try_from(e).ok())
                .unwrap_or(-1);
            let metadata = of(2).and_then(Value::as_str).unwrap_or("");
            Ok((
                partition(name)?,
                CommittedOffset {
                    offset,
                    leader_epoch,
                    metadata: metadata.into(),
                },
            ))
        })
        .collect()
}

/// `"x*1000"`: the character so many times.
pub fn expand(text: &str) -> String {
    let mut chars = text.chars();
    if let (Some(c), Some('*')) = (chars.next(), chars.next())
        && let Ok(n) = chars.as_str().parse::<usize>()
        && !chars.as_str().is_empty()
    {
        return std::iter::repeat_n(c, n.min(50_000_000)).collect();
    }
    text.to_string()
}

fn bytes(value: Option<&Value>) -> Option<Rc<[u8]>> {
    value
        .and_then(Value::as_str)
        .map(|text| expand(text).into_bytes().into())
}

impl Player<'_> {
    /// Begins the operation of a step.
    pub fn operate(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        match step.op() {
            "wait" => {
                let ms = step.get("ms").and_then(Value::as_u64).unwrap_or(0);
                self.run_for(Span::ms(ms));
                Ok(Outcome::Ok)
            }
            "producer" | "consumer" | "produce" | "close_producer" => self.operate_clients(step),
            "init_transactions" | "begin" | "commit" | "abort" => {
                let client = self.client(step.text("p"))?;
                let call = self.world.awaited_call();
                let what = match step.op() {
                    "init_transactions" => TransactionCall::Init,
                    "begin" => TransactionCall::Begin,
                    "commit" => TransactionCall::Commit,
                    _ => TransactionCall::Abort,
                };
                self.world
                    .sim
                    .order(client, Order::Producer(ProducerOrder::Transaction { call, what }));
                Ok(Outcome::Call { call, about: None })
            }
            "await" => {
                let (op, about, call) = self
                    .pending
                    .remove(step.text("of"))
                    .ok_or_else(|| format!("nothing to await: {}", step.text("of")))?;
                Ok(self
                    .finish(&op, about.as_deref(), call)
                    .map_or(Outcome::Ok, Outcome::Value))
            }
            "crash" | "shutdown" | "start" | "pause" | "resume" | "power_off" | "wipe" | "cut" | "heal"
            | "crash_host" | "pause_host" | "resume_host" => self.operate_faults(step),
            "subscribe" | "assign" | "start_polling" | "stop_polling" | "poll" | "seek" | "position" | "committed"
            | "offsets_for_times" | "commit_sync" | "commit_async" | "pause_partitions" | "resume_partitions"
            | "unsubscribe" | "enforce_rebalance" | "close_consumer" => self.operate_consumer(step),
            "fetch" => self.fetch(step),
            _ => self.operate_admin(step),
        }
    }

    // ---- clients

    fn operate_clients(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let host = match step.text("host") {
            "" => "h1",
            host => host,
        };
        let mut config: BTreeMap<String, String> = BTreeMap::new();
        match step.op() {
            "producer" => {
                config.insert("linger.ms".into(), "1000".into());
                config.extend(step.config("config"));
                Ok(match self.world.add_producer(step.text("p"), host, config) {
                    Ok(_) => Outcome::Ok,
                    Err(error) => Outcome::Value(error_json(&error)),
                })
            }
            "consumer" => {
                config.insert("enable.auto.commit".into(), "false".into());
                config.extend(step.config("config"));
                let group = step.get("group").and_then(Value::as_str).map(Rc::from);
                if let Some(group) = step.get("group").and_then(Value::as_str) {
                    self.groups.insert(group.to_string());
                }
                Ok(match self.world.add_consumer(step.text("c"), host, group, config) {
                    Ok(_) => Outcome::Ok,
                    Err(error) => Outcome::Value(error_json(&error)),
                })
            }
            "produce" => self.produce(step),
            _ => {
                let client = self.client(step.text("p"))?;
                let call = self.world.awaited_call();
                self.world
                    .sim
                    .order(client, Order::Producer(ProducerOrder::Close { call }));
                Ok(Outcome::Call { call, about: None })
            }
        }
    }

    fn produce(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let client = self.client(step.text("p"))?;
        let topic: Rc<str> = step.text("topic").into();
        let mut records = Vec::new();
        for record in step.get("records").and_then(Value::as_array).into_iter().flatten() {
            let origin = self.world.ledger.hand_over(Handed {
                client: step.text("p").into(),
                topic: topic.clone(),
                key: record.get("key").and_then(Value::as_str).map(Rc::from),
                value: record.get("value").and_then(Value::as_str).map(Rc::from),
                at: self.world.sim.now(),
            });
            records.push(NewRecord {
                origin,
                topic: topic.clone(),
                partition: record
                    .get("partition")
                    .and_then(Value::as_i64)
                    .and_then(|p| i32::try_from(p).ok()),
                timestamp: record.get("timestamp").and_then(Value::as_i64),
                key: bytes(record.get("key")),
                value: bytes(record.get("value")),
                headers: headers(record.get("headers")),
            });
        }
        let call = self.world.awaited_call();
        self.world.sim.order(
            client,
            Order::Producer(ProducerOrder::Send {
                call,
                records,
                flush: true,
            }),
        );
        Ok(Outcome::Call { call, about: None })
    }

    // ---- consumers

    fn consumer_call(&mut self, id: ProcId, order: impl FnOnce(CallId) -> ConsumerOrder) -> CallId {
        let call = self.world.awaited_call();
        self.world.sim.order(id, Order::Consumer(order(call)));
        call
    }

    fn operate_consumer(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let id = self.client(step.text("c"))?;
        let call = match step.op() {
            "subscribe" | "assign" => return self.begin_reading(step, id),
            "start_polling" => self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: true }),
            "stop_polling" => self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: false }),
            "poll" => return self.poll(step, id),
            "seek" => {
                let partition = partition(step.text("partition"))?;
                let to = match step.get("to") {
                    Some(Value::String(word)) if word == "beginning" => SeekTo::Beginning,
                    Some(Value::String(_)) => SeekTo::End,
                    other => SeekTo::Offset(other.and_then(Value::as_i64).unwrap_or(0)),
                };
                self.consumer_call(id, |call| ConsumerOrder::Seek { call, partition, to })
            }
            "position" => {
                let partition = partition(step.text("partition"))?;
                self.consumer_call(id, |call| ConsumerOrder::Position { call, partition })
            }
            "committed" => {
                let partitions = all_partitions(&step.list("partitions"))?;
                self.consumer_call(id, |call| ConsumerOrder::CommittedOffsets { call, partitions })
            }
            "offsets_for_times" => {
                let times = times(step.get("times"))?;
                self.consumer_call(id, |call| ConsumerOrder::OffsetsForTimes { call, times })
            }
            "pause_partitions" | "resume_partitions" => {
                let partitions = all_partitions(&step.list("partitions"))?;
                let pause = step.op() == "pause_partitions";
                self.consumer_call(id, |call| match pause {
                    true => ConsumerOrder::Pause { call, partitions },
                    false => ConsumerOrder::Resume { call, partitions },
                })
            }
            "unsubscribe" => {
                // The recorder polls in the background only while there is a subscription.
                self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: false });
                self.consumer_call(id, |call| ConsumerOrder::Unsubscribe { call })
            }
            "enforce_rebalance" => self.consumer_call(id, |call| ConsumerOrder::EnforceRebalance { call }),
            "close_consumer" => {
                let leave = match step.text("membership") {
                    "leave" => Some(true),
                    "remain" => Some(false),
                    _ => None,
                };
                self.consumer_call(id, |call| ConsumerOrder::Close { call, leave })
            }
            _ => {
                let offsets = match step.get("offsets") {
                    Some(_) => Some(offsets(step.get("offsets"))?),
                    None => None,
                };
                let wait = step.op() == "commit_sync";
                self.consumer_call(id, |call| match wait {
                    true => ConsumerOrder::CommitSync { call, offsets },
                    false => ConsumerOrder::CommitAsync { call, offsets },
                })
            }
        };
        Ok(Outcome::Call { call, about: None })
    }

    /// Subscribes or assigns; a subscriber polls from then on unless it is told not to.
    fn begin_reading(&mut self, step: &TraceStep, id: ProcId) -> Result<Outcome, String> {
        let subscribes = step.op() == "subscribe";
        if let Some(commit_on_revoke) = step.get("commit_on_revoke").and_then(Value::as_bool) {
            self.consumer_call(id, |call| ConsumerOrder::Listener { call, commit_on_revoke });
        }
        let call = if !subscribes {
            let partitions = all_partitions(&step.list("partitions"))?;
            self.consumer_call(id, |call| ConsumerOrder::Assign { call, partitions })
        } else if let Some(pattern) = step.get("pattern").and_then(Value::as_str) {
            self.consumer_call(id, |call| ConsumerOrder::SubscribePattern {
                call,
                pattern: pattern.into(),
            })
        } else {
            let topics = step.list("topics").into_iter().map(Rc::from).collect();
            self.consumer_call(id, |call| ConsumerOrder::Subscribe { call, topics })
        };
        let result = self.finish(step.op(), None, call);
        let polls = step.get("poll").and_then(Value::as_bool).unwrap_or(subscribes);
        if result.is_none() && polls {
            self.consumer_call(id, |call| ConsumerOrder::PollLoop { call, on: true });
        }
        Ok(result.map_or(Outcome::Ok, Outcome::Value))
    }

    fn poll(&mut self, step: &TraceStep, id: ProcId) -> Result<Outcome, String> {
        let timeout_ms = step.get("ms").and_then(Value::as_i64).unwrap_or(0);
        let most = step.get("n").and_then(Value::as_u64).map_or(usize::MAX, |n| n as usize);
        let call = self.consumer_call(id, |call| ConsumerOrder::Poll {
            call,
            timeout_ms,
            records: most,
        });
        let result = self.finish("poll", None, call);
        let mut out = Map::new();
        out.insert("records".into(), json!({}));
        if let Some(Value::Object(more)) = result {
            out.extend(more);
        }
        Ok(Outcome::Value(Value::Object(out)))
    }

    /// A fresh consumer reads from an offset to the end.
    fn fetch(&mut self, step: &TraceStep) -> Result<Outcome, String> {
        let partition = partition(step.text("partition"))?;
        let committed = step.text("isolation") == "read_committed";
        let mut config: BTreeMap<String, String> = [("enable.auto.commit", "false"), ("auto.offset.reset", "none")]
            .into_iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        if committed {
            config.insert("isolation.level".into(), "read_committed".into());
        }
        self.readers += 1;
        let name = format!("reader-{}", self.readers);
        let id = self
            .world
            .add_consumer(&name, "h1", None, config)
            .map_err(|e| super::results::one_line(&e))?;
        let one = vec![partition.clone()];
        let call = self.consumer_call(id, |call| ConsumerOrder::Assign { call, partitions: one });
        self.wait_for(call);
        let to = step
            .get("from")
            .and_then(Value::as_i64)
            .map_or(SeekTo::Beginning, SeekTo::Offset);
        let at = partition.clone();
        let call = self.consumer_call(id, |call| ConsumerOrder::Seek {
            call,
            partition: at,
            to,
        });
        self.wait_for(call);
        let result = self.read_to_end(step, id, &partition, committed);
        let call = self.consumer_call(id, |call| ConsumerOrder::Close { call, leave: None });
        self.wait_for(call);
        self.world.sim.halt(id, Halt::Exit);
        Ok(Outcome::Value(result))
    }

    fn read_to_end(&mut self, step: &TraceStep, id: ProcId, partition: &NamedPartition, committed: bool) -> Value {
        let ms = step.get("ms").and_then(Value::as_i64).unwrap_or(20_000);
        let until = self.world.sim.now() + Span::from_ms(ms);
        let mut records = Vec::new();
        loop {
            let call = self.consumer_call(id, |call| ConsumerOrder::Poll {
                call,
                timeout_ms: 200,
                records: 1,
            });
            let error = match self.wait_for(call) {
                Some(Ok(answer)) => {
                    if let Answer::Records(list) = &*answer {
                        records.extend(list.iter().map(whole_record));
                    }
                    None
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            if let Some(error) = error {
                let mut out = Map::new();
                out.insert("records".into(), json!(records));
                if let Value::Object(more) = error_json(&error) {
                    out.extend(more);
                }
                return Value::Object(out);
            }
            let position = self.position(id, partition);
            let end = self.end_of(partition, committed);
            let done = matches!((position, end), (Some(position), Some(end)) if position >= end);
            if done || self.world.sim.now() >= until {
                return json!({"records": records, "position": position});
            }
        }
    }

    fn position(&mut self, id: ProcId, partition: &NamedPartition) -> Option<i64> {
        let partition = partition.clone();
        let call = self.consumer_call(id, |call| ConsumerOrder::Position { call, partition });
        match self.wait_for(call) {
            Some(Ok(answer)) => match &*answer {
                Answer::Position(position) => Some(*position),
                _ => None,
            },
            _ => None,
        }
    }

    /// High watermark or LSO of a partition, as its leader has it.
    fn end_of(&self, partition: &NamedPartition, committed: bool) -> Option<i64> {
        let image = self.world.image()?;
        let topic = image.topic_by_name(&partition.topic)?;
        let id = crate::kafka::types::TopicPartition::new(topic.id, partition.partition);
        let leader = image.partitions.get(&id)?.leader;
        let replica = self.world.broker(leader)?.replica(id)?;
        Some(if committed {
            replica.last_stable_offset()
        } else {
            replica.high_watermark()
        })
    }

    // ---- faults

    fn operate_faults(&mut self, step: &TraceStep) -> Result<Outcome, String> {
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

    fn cut(&mut self, from: &[String], to: &[String], cut: bool, one_way: bool) {
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

    fn operate_nodes(&mut self, step: &TraceStep) -> Result<(), String> {
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

    // ---- admin

    fn operate_admin(&mut self, step: &TraceStep) -> Result<Outcome, String> {
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
            _ => self.group_call(step)?,
        };
        let call = self.ask(&config, what)?;
        if step.op() == "list_groups" {
            return Ok(self.only_groups(step, call));
        }
        Ok(Outcome::Call { call, about })
    }

    fn group_call(&self, step: &TraceStep) -> Result<AdminCall, String> {
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
            "remove_members" => AdminCall::RemoveMembers {
                group,
                members: step.list("members").into_iter().map(Rc::from).collect(),
            },
            other => return Err(format!("`{other}` is not an operation that can be played")),
        })
    }

    fn only_groups(&mut self, step: &TraceStep, call: CallId) -> Outcome {
        let wanted = step.list("groups");
        match self.finish("list_groups", None, call) {
            Some(Value::Object(all)) => Outcome::Value(Value::Object(
                all.into_iter().filter(|(name, _)| wanted.contains(name)).collect(),
            )),
            Some(other) => Outcome::Value(other),
            None => Outcome::Ok,
        }
    }

    fn create_topic(&mut self, step: &TraceStep, config: &[(String, String)]) -> Result<Outcome, String> {
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
fn created(answer: &Answer, shown: bool) -> Outcome {
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

fn headers(value: Option<&Value>) -> NewHeaders {
    let Some(list) = value.and_then(Value::as_array) else {
        return Vec::new();
    };
    list.iter()
        .filter_map(|pair| {
            let name = pair.get(0)?.as_str()?;
            Some((Rc::from(name), bytes(pair.get(1))))
        })
        .collect()
}

fn times(value: Option<&Value>) -> Result<Vec<(NamedPartition, i64)>, String> {
    let Some(map) = value.and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    map.iter()
        .map(|(name, at)| Ok((partition(name)?, at.as_i64().unwrap_or(0))))
        .collect()
}

fn timestamp(spec: Option<&Value>) -> i64 {
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

fn resource(step: &TraceStep) -> ConfigResource {
    if let Some(group) = step.get("group") {
        return ConfigResource::Group(plain(group).into());
    }
    if let Some(broker) = step.get("broker") {
        return ConfigResource::Broker(plain(broker).into());
    }
    ConfigResource::Topic(step.text("topic").into())
}

fn alter_ops(step: &TraceStep) -> Vec<(Rc<str>, AlterOp)> {
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
