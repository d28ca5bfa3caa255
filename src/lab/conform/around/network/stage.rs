//! The world of a recording: a machine with a container engine, two bridges, another machine, one node of Kafka.

use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::producer::{NewRecord, ProducerOrder};
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::stranger::Stranger;
use crate::kafka::wire::Order;
use crate::lab::conform::trace::plain;
use crate::lab::ledger::{Handed, System};
use crate::lab::node::Node;
use crate::lab::world::{ClusterSetup, LAPTOP, Properties, WARM_UP, World};
use crate::ordered::OrderedMap;
use crate::sim::network::{Outside, Published, Subnet};
use crate::sim::{Halt, HostId, ProcId, Span, Time};
use serde_json::{Map, Value};
use std::net::Ipv4Addr;
use std::rc::Rc;

/// The topic of all recordings.
pub const TOPIC: &str = "loan_request";

/// Node ids of the two halves of the combined node.
const BROKER: i32 = 1;
const CONTROLLER: i32 = 101;

/// What is to be played.
pub struct Staged {
    pub world: World,
    pub kind: String,
    pub version: String,
    /// The client's host by its name in the recordings.
    pub host: String,
    pub config: Properties,
    pub seconds: u64,
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or("")
}

fn settings(value: Option<&Value>) -> Properties {
    let map = value.and_then(Value::as_object).into_iter().flatten();
    map.map(|(key, value)| (key.clone(), plain(value))).collect()
}

/// Builds the world of a case and lets its broker come up.
pub fn stage(case: &Map<String, Value>) -> Result<Staged, String> {
    let (broker, client) = (case.get("broker"), case.get("client"));
    let at = |of: Option<&'_ Value>, key: &str| of.and_then(|of| of.get(key)).cloned();
    let mut world = World::new(ClusterSetup {
        seed: 1,
        cluster_id: "5L6g3nShT-eMCtK--X86sw".into(),
        ..ClusterSetup::default()
    });
    let kafka = lay_networks(&mut world, case)?;
    let config = settings(at(broker, "config").as_ref());
    let node = start_node(&mut world, kafka, &config)?;
    lay_rules(&mut world, kafka, case)?;
    world.run_to(WARM_UP);
    prepare(&mut world, node, had_groups(case))?;
    let mut config = settings(at(client, "config").as_ref());
    let bootstrap = text(client.and_then(|client| client.get("bootstrap.servers")));
    config.insert("bootstrap.servers".into(), bootstrap.into());
    let host = match text(client.and_then(|client| client.get("runs_in"))) {
        "host" => LAPTOP,
        other => other,
    };
    Ok(Staged {
        world,
        kind: text(client.and_then(|client| client.get("kind"))).into(),
        version: text(client.and_then(|client| client.get("version"))).into(),
        host: host.into(),
        config,
        seconds: client
            .and_then(|client| client.get("seconds"))
            .and_then(Value::as_u64)
            .unwrap_or(8),
    })
}

fn ip(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address"))
}

/// Machines, bridges and containers.
fn lay_networks(world: &mut World, case: &Map<String, Value>) -> Result<HostId, String> {
    let [machine, lan, kafka, app, other] = [LAPTOP, "lan", "kafka", "app", "app2"].map(|name| world.host(name));
    let hostname: Rc<str> = text(case.get("broker").and_then(|broker| broker.get("hostname"))).into();
    let said = |e: crate::sim::network::NetworkError| e.0;
    let subnet = |text: &str| Subnet::parse(text).ok_or_else(|| format!("`{text}` is not a subnet"));
    let network = world.sim.network_mut();
    network.give_address(machine, ip("10.88.1.1")?);
    network.give_address(lan, ip("10.88.1.2")?);
    let first = network
        .add_lan("first", machine, Some(subnet("10.88.0.0/24")?))
        .map_err(said)?;
    let second = network
        .add_lan("second", machine, Some(subnet("10.88.2.0/24")?))
        .map_err(said)?;
    network
        .attach(kafka, first, Some(ip("10.88.0.2")?), std::slice::from_ref(&hostname))
        .map_err(said)?;
    network.attach(app, first, Some(ip("10.88.0.3")?), &[]).map_err(said)?;
    network
        .attach(other, second, Some(ip("10.88.2.3")?), &[])
        .map_err(said)?;
    // The recordings say this in words alone.
    if text(case.get("about")).contains("after docker network connect") {
        network.attach(other, first, None, &[]).map_err(said)?;
    }
    Rc::make_mut(&mut world.hostnames).insert(kafka, hostname);
    Ok(kafka)
}

/// The combined node: a controller and a broker in one container.
fn start_node(world: &mut World, kafka: HostId, given: &Properties) -> Result<ProcId, String> {
    let mut config = Properties::new();
    for key in [
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
    ] {
        config.insert(key.into(), "1".into());
    }
    for (key, value) in [
        ("group.initial.rebalance.delay.ms", "0"),
        ("process.roles", "broker,controller"),
        ("node.id", "1"),
        ("controller.listener.names", "CONTROLLER"),
        ("controller.quorum.voters", "1@localhost:9093"),
    ] {
        config.insert(key.into(), value.into());
    }
    config.extend(given.iter().map(|(key, value)| (key.clone(), value.clone())));
    let voters: OrderedMap<i32, Rc<str>> = [(CONTROLLER, Rc::from("localhost:9093"))].into_iter().collect();
    let name = world.sim.network().host(kafka).name.clone();
    let controller = world.add_controller("controller", &name, CONTROLLER, config.clone(), &voters)?;
    let broker = world.add_broker("broker", &name, BROKER, None, config, &voters)?;
    world.sim.start(controller);
    world.sim.start(broker);
    let up = world.run_until(Time(WARM_UP.0 / 2), |world| world.all_active(&[BROKER]));
    up.then_some(broker).ok_or_else(|| "the broker does not come up".into())
}

/// The filter rules, relays and proxies in the way.
fn lay_rules(world: &mut World, kafka: HostId, case: &Map<String, Value>) -> Result<(), String> {
    let rules: Vec<String> = case
        .get("between")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(plain)
        .collect();
    let hairpin = !rules.iter().any(|rule| rule == "bridge-nf-call-iptables=0");
    let machine = world.host(LAPTOP);
    let publish = |world: &mut World, port: u16, to_port: u16, relay: bool| {
        let published = Published {
            engine: machine,
            local: false,
            port,
            to: kafka,
            to_port,
            relay,
            hairpin,
        };
        world.sim.network_mut().publish(published).map_err(|e| e.0)
    };
    for rule in &rules {
        let number = |after: &str| -> Option<u16> {
            let rest = rule.split_once(after)?.1;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        let inner = |after: &str| -> Option<u16> {
            let address = rule.split_once(after)?.1;
            let end = address.find([';', ' ']).unwrap_or(address.len());
            address[..end].rsplit_once(':')?.1.parse().ok()
        };
        if let (Some(port), Some(to)) = (number("--dport "), inner("--to-destination ")) {
            publish(world, port, to, false)?;
        } else if rule.contains("userland relay") {
            for pair in ports(case) {
                publish(world, pair.0, pair.1, true)?;
            }
        } else if rule.contains("stream {")
            && let (Some(port), Some(to)) = (number("listen "), inner("proxy_pass "))
        {
            publish(world, port, to, true)?;
        } else if rule.contains("http {")
            && let Some(port) = number("listen ")
        {
            world.add_tool("web", LAPTOP, Node::Stranger(Box::new(Stranger::server(port))));
        } else if rule.contains("REJECT") {
            let reset = rule.contains("tcp-reset");
            let outside = if reset { Outside::Reset } else { Outside::Unreachable };
            world.sim.network_mut().set_outside(outside);
        } else if !rule.contains("FORWARD") && !rule.contains("MASQUERADE") && !rule.contains("bridge-nf-call") {
            return Err(format!("the rule `{rule}` is not known"));
        }
    }
    Ok(())
}

/// `published`: port on the machine and in the container.
fn ports(case: &Map<String, Value>) -> Vec<(u16, u16)> {
    let all = case
        .get("broker")
        .and_then(|broker| broker.get("published"))
        .and_then(Value::as_array);
    let pair = |value: &Value| {
        let text = plain(value);
        let (port, to) = text.split_once(':')?;
        Some((port.parse().ok()?, to.parse().ok()?))
    };
    all.into_iter().flatten().filter_map(pair).collect()
}

/// Whether the broker had seen a group before: then nobody was told that there is no coordinator yet.
fn had_groups(case: &Map<String, Value>) -> bool {
    const COORDINATOR_NOT_AVAILABLE: u64 = 15;
    let steps = case.get("totals").and_then(Value::as_array).into_iter().flatten();
    let mut errors = steps.filter_map(|step| step.get("error").and_then(Value::as_u64));
    !errors.any(|error| error == COORDINATOR_NOT_AVAILABLE)
}

/// The topic with its first record; then the node is started again, as it was for each recording.
fn prepare(world: &mut World, broker: ProcId, had_groups: bool) -> Result<(), String> {
    let topic = |name: &str, num_partitions| CreatableTopic {
        name: name.into(),
        num_partitions,
        replication_factor: 1,
        ..CreatableTopic::default()
    };
    let mut topics = vec![topic(TOPIC, 1)];
    if had_groups {
        topics.push(topic("__consumer_offsets", 50));
    }
    let call = world.operate(AdminCall::CreateTopics {
        topics,
        validate_only: false,
    });
    wait(world, |world| world.answers.contains_key(&call))?;
    let (address, port) = world.operator_bootstrap().into_iter().next().ok_or("no broker")?;
    let config = [("bootstrap.servers".to_string(), format!("{address}:{port}"))]
        .into_iter()
        .collect();
    let recorder = world
        .add_producer("recorder", LAPTOP, config)
        .map_err(|e| format!("{:?}", e.message))?;
    let call = send(world, recorder);
    wait(world, |world| world.answers.contains_key(&call))?;
    world.sim.halt(recorder, Halt::Exit);
    world.sim.halt(broker, Halt::Crash);
    world.sim.start(broker);
    wait(world, |world| {
        world.all_active(&[BROKER]) && world.broker(BROKER).is_some_and(|one| one.broker_epoch() >= 0)
    })?;
    let now = world.sim.now();
    world.run_to(now + Span::secs(3));
    Ok(())
}

/// Sends the record `loan-1`.
pub fn send(world: &mut World, producer: ProcId) -> crate::kafka::client::call::CallId {
    let value: Rc<str> = "loan-1".into();
    let origin = world.ledger.hand_over(Handed {
        system: System::Kafka,
        client: world.name(producer).clone(),
        topic: TOPIC.into(),
        key: None,
        value: Some(value.clone()),
        at: world.sim.now(),
    });
    let record = NewRecord {
        origin,
        topic: TOPIC.into(),
        partition: None,
        timestamp: None,
        key: None,
        value: Some(value.as_bytes().into()),
        headers: Vec::new(),
    };
    let call = world.awaited_call();
    let send = ProducerOrder::Send {
        call,
        records: vec![record],
        flush: false,
    };
    world.sim.order(producer, Order::Producer(send));
    call
}

fn wait(world: &mut World, done: impl FnMut(&World) -> bool) -> Result<(), String> {
    let limit = world.sim.now() + Span::secs(60);
    let is_done = world.run_until(limit, done);
    is_done
        .then_some(())
        .ok_or_else(|| "the recording's set-up does not come to its end".into())
}
