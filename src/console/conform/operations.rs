//! What a session does besides its command lines.

use super::{Player, Session, strings, text};
use crate::kafka::broker::BrokerState;
use crate::kafka::client::admin::{Admin, AdminCall, AdminOrder};
use crate::kafka::client::call::{Answer, CallId, CallResult, Sent};
use crate::kafka::client::consumer::{CommitHabit, Consumer, ConsumerOrder};
use crate::kafka::client::producer::{NewHeaders, NewRecord, Producer, ProducerOrder, TransactionCall};
use crate::kafka::protocol::admin::{AlterOp, ConfigResource, CreatableTopic};
use crate::kafka::types::{NamedPartition, NodeId};
use crate::kafka::wire::Order;
use crate::lab::ledger::{Handed, System};
use crate::lab::node::Node;
use crate::lab::world::{ClusterSetup, Properties, WARM_UP, World};
use crate::ordered::{OrderedMap, SortSmall};
use crate::sim::{Halt, ProcId, Span, Time};
use serde_json::{Map, Value};
use std::rc::Rc;

/// A member of a group.
pub struct Member {
    process: ProcId,
    read: i64,
}

/// What an operation needs that is not here.
pub fn not_modelled(what: &Value) -> Option<String> {
    let op = text(what, "op");
    match op {
        "share" | "share_await" | "share_stop" => Some(format!("`{op}`")),
        "consumer" if text(what, "protocol") == "consumer" => Some("`consumer` of the new protocol".into()),
        "configs" if !matches!(text(what, "type"), "topic" | "broker" | "group") => {
            Some(format!("`configs` of type `{}`", text(what, "type")))
        }
        _ => None,
    }
}

fn host_of(endpoint: &str) -> &str {
    endpoint.split(':').next().unwrap_or(endpoint)
}

fn number(value: Option<&Value>) -> Option<i32> {
    value.and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}

fn ids(value: &Value) -> Vec<i32> {
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(|id| number(Some(id))).collect()
}

fn settings(value: Option<&Value>) -> Properties {
    let map = value.and_then(Value::as_object);
    let pair = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap_or("").to_string());
    map.into_iter().flatten().map(pair).collect()
}

/// The world before the session: its cluster, and a host where nothing listens.
///
/// # Errors
/// What the cluster's processes refuse.
pub fn cluster(session: &Session) -> Result<World, String> {
    let none = Map::new();
    let cluster = session.root.get("cluster").and_then(Value::as_object).unwrap_or(&none);
    let mut world = World::new(ClusterSetup {
        seed: 1,
        cluster_id: cluster
            .get("cluster_id")
            .and_then(Value::as_str)
            .unwrap_or("none")
            .into(),
        ..ClusterSetup::default()
    });
    for host in ["b1", "b9"] {
        world.host(host);
    }
    let list = |key: &str| cluster.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let controllers = list("controllers");
    let voters: OrderedMap<NodeId, Rc<str>> = controllers
        .iter()
        .filter_map(|c| Some((number(c.get("id"))?, Rc::from(host_of(text(c, "endpoint"))))))
        .collect();
    let config = settings(cluster.get("config"));
    let mut servers = Vec::new();
    for (id, host) in &voters {
        servers.push(world.add_controller(&format!("c-{id}"), host, *id, config.clone(), &voters)?);
    }
    let mut brokers = Vec::new();
    for broker in list("brokers") {
        let id = number(broker.get("id")).ok_or("a broker without id")?;
        let mut config = config.clone();
        config.insert("log.dirs".into(), text(&broker, "log_dir").into());
        let host = host_of(text(&broker, "endpoint"));
        servers.push(world.add_broker(&format!("b-{id}"), host, id, None, config, &voters)?);
        brokers.push(id);
    }
    for server in servers {
        world.sim.start(server);
    }
    if !brokers.is_empty() && !world.run_until(Time(WARM_UP.0 / 2), |world| world.all_active(&brokers)) {
        return Err("the cluster does not come up".into());
    }
    Ok(world)
}

impl Player<'_> {
    pub(super) fn set_up(&mut self) -> Result<(), String> {
        let session = self.session;
        let cluster = session.root.get("cluster").filter(|cluster| cluster.is_object());
        if let Some(cluster) = cluster {
            let brokers = cluster.get("brokers").and_then(Value::as_array).map_or(1, Vec::len) as i32;
            for name in strings(cluster.get("internal_topics")) {
                self.internal_topic(&name, brokers)?;
            }
        }
        self.world.run_to(WARM_UP);
        for what in session.list("setup") {
            self.operate(what)?;
        }
        self.run_for(Span::ms(500));
        Ok(())
    }

    fn internal_topic(&mut self, name: &str, brokers: i32) -> Result<(), String> {
        let replicas = |partition: i32| -> Vec<i32> {
            (0..brokers.min(3))
                .map(|i| (partition + i) % brokers.max(1) + 1)
                .collect()
        };
        let pair = |(key, value): (&str, &str)| (Rc::from(key), Some(Rc::from(value)));
        let configs = match name {
            "__share_group_state" => vec![("cleanup.policy", "delete"), ("segment.bytes", "104857600")],
            _ => vec![
                ("cleanup.policy", "compact"),
                (
                    "compression.type",
                    if name == "__consumer_offsets" {
                        "producer"
                    } else {
                        "uncompressed"
                    },
                ),
                ("segment.bytes", "104857600"),
            ],
        };
        self.create(CreatableTopic {
            name: name.into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: (0..50).map(|p| (p, replicas(p))).collect(),
            configs: configs.into_iter().map(pair).collect(),
        })
    }

    fn create(&mut self, topic: CreatableTopic) -> Result<(), String> {
        let what = AdminCall::CreateTopics {
            topics: vec![topic],
            validate_only: false,
        };
        self.ask(what).map(drop)
    }

    /// The operator's admin client asks; the answer.
    fn ask(&mut self, what: AdminCall) -> Result<Rc<Answer>, String> {
        let admin = match self.admin {
            Some(admin) => admin,
            None => {
                let bootstrap = self.world.addresses();
                let process =
                    Admin::new("recorder", &bootstrap, &Properties::new(), 1).map_err(|e| format!("{e:?}"))?;
                let id = self.world.add_tool("recorder", "b1", Node::Admin(Box::new(process)));
                self.admin = Some(id);
                id
            }
        };
        let call = self.world.awaited_call();
        self.world.sim.order(admin, Order::Admin(AdminOrder { call, what }));
        self.wait_for(call)?.map_err(|error| format!("{error:?}"))
    }

    fn wait_for(&mut self, call: CallId) -> Result<CallResult, String> {
        self.world.observe();
        self.run_while_not(|player| player.world.answers.contains_key(&call));
        self.world
            .answers
            .remove(&call)
            .ok_or_else(|| "an operation did not end".to_string())
    }

    pub(super) fn operate(&mut self, what: &Value) -> Result<(), String> {
        let topic: Rc<str> = text(what, "topic").into();
        match text(what, "op") {
            "topic" => self.topic(what),
            "produce" => self.produce(what, topic),
            "txn" => self.transaction(what, &topic),
            "txn_end" => self.end_transaction(text(what, "id"), text(what, "end")),
            "offsets" => self.offsets(what),
            "configs" => self.configs(what),
            "wait" => {
                let ms = what.get("ms").and_then(Value::as_i64).unwrap_or(0);
                self.run_for(Span::from_ms(ms));
                Ok(())
            }
            "consumer" => self.consumer(what),
            "consumer_await" => {
                let records = what.get("records").and_then(Value::as_i64).unwrap_or(0);
                let name = text(what, "name").to_string();
                self.run_while_not(|player| player.members.get(&name).is_some_and(|m| m.read >= records));
                self.run_for(Span::ms(500));
                Ok(())
            }
            "consumer_stop" | "consumer_pause_poll" | "consumer_resume_poll" => self.change_member(what),
            "await_group" => self.await_group(what),
            "await_isr" => self.await_isr(what, &topic),
            "await_brokers" => {
                let count = number(what.get("count")).unwrap_or(0);
                self.run_while_not(|player| {
                    let image = player.world.image();
                    image.map_or(0, |image| {
                        image.brokers.values().filter(|b| b.is_active()).count() as i32
                    }) == count
                });
                self.run_for(Span::ms(500));
                Ok(())
            }
            "await_no_reassign" => {
                self.run_while_not(|player| {
                    let image = player.world.image();
                    image.is_some_and(|image| {
                        image
                            .partitions
                            .values()
                            .all(|p| p.adding.is_empty() && p.removing.is_empty())
                    })
                });
                self.run_for(Span::secs(1));
                Ok(())
            }
            _ => self.servers(what),
        }
    }

    fn topic(&mut self, what: &Value) -> Result<(), String> {
        let list = what
            .get("assignment")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let configs = settings(what.get("configs"));
        self.create(CreatableTopic {
            name: text(what, "topic").into(),
            num_partitions: -1,
            replication_factor: -1,
            assignments: (0..).zip(list.iter().map(ids)).collect(),
            configs: configs
                .iter()
                .map(|(k, v)| (k.as_str().into(), Some(v.as_str().into())))
                .collect(),
        })?;
        self.run_for(Span::ms(300));
        Ok(())
    }

    fn produce(&mut self, what: &Value, topic: Rc<str>) -> Result<(), String> {
        let idempotent = what.get("idempotent").and_then(Value::as_bool).unwrap_or(false);
        let mut config: Properties = [("linger.ms", "1000"), ("acks", "all")]
            .into_iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        config.insert("enable.idempotence".into(), idempotent.to_string());
        for (key, setting) in [("compression", "compression.type"), ("acks", "acks")] {
            if let Some(value) = what.get(key) {
                config.insert(
                    setting.into(),
                    value.as_str().map_or_else(|| value.to_string(), Into::into),
                );
            }
        }
        let bootstrap = self.world.addresses();
        self.number += 1;
        let producer = Producer::new("recorder", &bootstrap, &config, self.number).map_err(|e| format!("{e:?}"))?;
        let name = format!("producer#{}", self.number);
        let id = self.world.add_tool(&name, "b1", Node::Producer(Box::new(producer)));
        self.send(id, what, &topic)?;
        self.world.sim.halt(id, Halt::Exit);
        Ok(())
    }

    /// Sends an operation's records and waits for them.
    fn send(&mut self, producer: ProcId, what: &Value, topic: &Rc<str>) -> Result<(), String> {
        let list = what
            .get("records")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let (ledger, at) = (&mut self.world.ledger, self.world.sim.now());
        let records: Vec<NewRecord> = list
            .iter()
            .map(|record| NewRecord {
                origin: ledger.hand_over(Handed {
                    system: System::Kafka,
                    client: "recorder".into(),
                    topic: topic.clone(),
                    key: None,
                    value: None,
                    at,
                }),
                topic: topic.clone(),
                partition: number(record.get("partition")),
                timestamp: record.get("timestamp").and_then(Value::as_i64),
                key: bytes(record.get("key")),
                value: bytes(record.get("value")),
                headers: headers(record.get("headers")),
            })
            .collect();
        let call = self.world.awaited_call();
        let order = ProducerOrder::Send {
            call,
            records,
            flush: true,
        };
        self.world.sim.order(producer, Order::Producer(order));
        let answer = self.wait_for(call)?.map_err(|error| format!("{error:?}"))?;
        match &*answer {
            Answer::Sent(list) if list.iter().any(|sent| !matches!(sent, Sent::At(..))) => {
                Err(format!("produce failed: {list:?}"))
            }
            _ => Ok(()),
        }
    }

    // ---- transactions ----

    fn transaction(&mut self, what: &Value, topic: &Rc<str>) -> Result<(), String> {
        let id = text(what, "id");
        let mut config: Properties = [("transactional.id".to_string(), id.to_string())].into_iter().collect();
        if let Some(ms) = what.get("timeout_ms") {
            config.insert("transaction.timeout.ms".into(), ms.to_string());
        }
        let bootstrap = self.world.addresses();
        self.number += 1;
        let producer = Producer::new("recorder", &bootstrap, &config, self.number).map_err(|e| format!("{e:?}"))?;
        let name = format!("txn#{}", self.number);
        let process = self.world.add_tool(&name, "b1", Node::Producer(Box::new(producer)));
        self.transactional.insert(id.to_string(), process);
        self.transact(process, TransactionCall::Init)?;
        self.transact(process, TransactionCall::Begin)?;
        self.send(process, what, topic)?;
        self.end_transaction(id, text(what, "end"))
    }

    fn end_transaction(&mut self, id: &str, end: &str) -> Result<(), String> {
        let what = match end {
            "commit" => TransactionCall::Commit,
            "abort" => TransactionCall::Abort,
            _ => return Ok(()),
        };
        let process = self.transactional.remove(id).ok_or("there is no such transaction")?;
        self.transact(process, what)?;
        self.world.sim.halt(process, Halt::Exit);
        self.run_for(Span::ms(500));
        Ok(())
    }

    fn transact(&mut self, process: ProcId, what: TransactionCall) -> Result<(), String> {
        let call = self.world.awaited_call();
        self.world
            .sim
            .order(process, Order::Producer(ProducerOrder::Transaction { call, what }));
        self.wait_for(call)?.map(drop).map_err(|error| format!("{error:?}"))
    }

    fn offsets(&mut self, what: &Value) -> Result<(), String> {
        let map = what
            .get("offsets")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let offset = |(name, offset): (&String, &Value)| {
            let (topic, partition) = name.rsplit_once('/')?;
            let partition = NamedPartition {
                topic: topic.into(),
                partition: partition.parse().ok()?,
            };
            Some((partition, offset.as_i64()?))
        };
        self.ask(AdminCall::AlterGroupOffsets {
            group: text(what, "group").into(),
            offsets: map.iter().filter_map(offset).collect(),
        })
        .map(drop)
    }

    fn configs(&mut self, what: &Value) -> Result<(), String> {
        let name: Rc<str> = text(what, "name").into();
        let resource = match text(what, "type") {
            "topic" => ConfigResource::Topic(name),
            "group" => ConfigResource::Group(name),
            _ => ConfigResource::Broker(name),
        };
        let ops = settings(what.get("set"));
        self.ask(AdminCall::AlterConfigs {
            resource,
            ops: ops
                .iter()
                .map(|(k, v)| (k.as_str().into(), AlterOp::Set(v.as_str().into())))
                .collect(),
        })
        .map(drop)
    }

    // ---- members ----

    fn consumer(&mut self, what: &Value) -> Result<(), String> {
        let mut config: Properties = [("auto.offset.reset", "earliest"), ("enable.auto.commit", "false")]
            .into_iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        if let Some(instance) = what.get("instance_id").and_then(Value::as_str) {
            config.insert("group.instance.id".into(), instance.into());
        }
        if let Some(assignor) = what.get("assignor").and_then(Value::as_str) {
            let class = match assignor {
                "roundrobin" => "org.apache.kafka.clients.consumer.RoundRobinAssignor",
                "sticky" => "org.apache.kafka.clients.consumer.StickyAssignor",
                "cooperative-sticky" => "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
                _ => "org.apache.kafka.clients.consumer.RangeAssignor",
            };
            config.insert("partition.assignment.strategy".into(), class.into());
        }
        let bootstrap = self.world.addresses();
        self.number += 1;
        let client = match text(what, "client_id") {
            "" => text(what, "name"),
            id => id,
        };
        let group = Some(Rc::from(text(what, "group")));
        let consumer = Consumer::new(client, &bootstrap, group, config, self.number).map_err(|e| format!("{e:?}"))?;
        let name = format!("member#{}", self.number);
        let process = self.world.add_tool(&name, "b1", Node::Consumer(Box::new(consumer)));
        self.members
            .insert(text(what, "name").to_string(), Member { process, read: 0 });
        let topics: Vec<Rc<str>> = strings(what.get("topics")).into_iter().map(Rc::from).collect();
        let commit = CommitHabit::After;
        self.member_call(process, |call| ConsumerOrder::Application {
            call,
            work_us: 0,
            commit,
        })?;
        self.member_call(process, |call| ConsumerOrder::Subscribe { call, topics })?;
        self.member_call(process, |call| ConsumerOrder::PollLoop { call, on: true })
    }

    fn member_call(&mut self, process: ProcId, order: impl FnOnce(CallId) -> ConsumerOrder) -> Result<(), String> {
        let call = self.world.awaited_call();
        self.world.sim.order(process, Order::Consumer(order(call)));
        self.wait_for(call)?.map(drop).map_err(|error| format!("{error:?}"))
    }

    fn change_member(&mut self, what: &Value) -> Result<(), String> {
        let process = self
            .members
            .get(text(what, "name"))
            .map(|member| member.process)
            .ok_or("there is no such member")?;
        match text(what, "op") {
            "consumer_stop" => {
                self.member_call(process, |call| ConsumerOrder::Close { call, leave: None })?;
                self.world.sim.halt(process, Halt::Exit);
                Ok(())
            }
            op => {
                let on = op == "consumer_resume_poll";
                self.member_call(process, |call| ConsumerOrder::PollLoop { call, on })
            }
        }
    }

    /// Counts what members were given in this event.
    pub(super) fn watch_members(&mut self) {
        use crate::kafka::client::consumer::ConsumerNote;
        use crate::kafka::client::note::ClientNote;
        use crate::kafka::note::Note;
        if self.members.is_empty() {
            return;
        }
        for (who, note) in self.world.sim.notes() {
            if let Some(Note::Client(ClientNote::Consumer(ConsumerNote::Polled { records }))) = note.kafka() {
                let member = self.members.values_mut().find(|member| member.process == *who);
                if let Some(member) = member {
                    member.read += records.0.len() as i64;
                }
            }
        }
    }

    fn await_group(&mut self, what: &Value) -> Result<(), String> {
        let (group, state) = (Rc::<str>::from(text(what, "group")), text(what, "state"));
        let members = what.get("members").and_then(Value::as_u64).unwrap_or(0) as usize;
        for _ in 0..120 {
            let answer = self.ask(AdminCall::DescribeGroup { group: group.clone() });
            if let Ok(answer) = answer
                && let Answer::Group(seen) = &*answer
                && &*seen.state == state
                && seen.members.len() == members
            {
                return Ok(());
            }
            self.run_for(Span::ms(500));
        }
        Err(format!("group {group} does not become {state} with {members} members"))
    }

    // ---- servers ----

    fn await_isr(&mut self, what: &Value, topic: &str) -> Result<(), String> {
        let map = |key: &str| what.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let (isr, leader) = (map("isr"), map("leader"));
        let done = self.run_while_not(|player| {
            let Some(image) = player.world.image() else {
                return false;
            };
            let Some(id) = image.topic_by_name(topic).map(|topic| topic.id) else {
                return false;
            };
            let of = |name: &str| {
                let partition = name.parse().unwrap_or(-1);
                image
                    .partitions
                    .get(&crate::kafka::types::TopicPartition::new(id, partition))
            };
            isr.iter().all(|(name, wanted)| {
                let mut have = of(name).map(|p| p.isr.to_vec()).unwrap_or_default();
                let mut wanted = ids(wanted);
                have.sort_small();
                wanted.sort_small();
                have == wanted
            }) && leader
                .iter()
                .all(|(name, wanted)| of(name).map(|p| p.leader) == number(Some(wanted)))
        });
        self.run_for(Span::ms(500));
        match done {
            true => Ok(()),
            false => Err(format!("the ISR of {topic} does not become {isr:?}")),
        }
    }

    fn servers(&mut self, what: &Value) -> Result<(), String> {
        let op = text(what, "op");
        let id = number(what.get("broker").or(what.get("controller")));
        let process = match (op, id) {
            ("stop_controller", None) => self.world.controllers().next().map(|(process, ..)| process),
            (_, Some(id)) => self.world.node(id),
            _ => None,
        };
        let process = process.ok_or_else(|| format!("`{op}`: no such process"))?;
        match op {
            "stop_broker" | "stop_controller" => {
                self.world.shut_down(process);
                self.run_while_not(|player| !player.world.runs(process));
            }
            "kill_broker" => self.world.sim.halt(process, Halt::Crash),
            "start_broker" => {
                self.world.sim.start(process);
                let id = id.unwrap_or(-1);
                self.run_while_not(|player| {
                    player
                        .world
                        .broker(id)
                        .is_some_and(|b| b.state() == BrokerState::Running)
                });
            }
            _ => return Err(format!("`{op}` is not an operation that can be played")),
        }
        Ok(())
    }
}

fn bytes(value: Option<&Value>) -> Option<Rc<[u8]>> {
    match value? {
        Value::String(text) => Some(text.as_bytes().into()),
        Value::Object(map) => {
            let part = map.get("repeat").and_then(Value::as_str).unwrap_or("x");
            let times = map.get("times").and_then(Value::as_u64).unwrap_or(0).min(50_000_000);
            Some(part.repeat(times as usize).into_bytes().into())
        }
        _ => None,
    }
}

fn headers(value: Option<&Value>) -> NewHeaders {
    let list = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(|pair| Some((Rc::from(pair.get(0)?.as_str()?), bytes(pair.get(1)))))
        .collect()
}
