//! A compose file in a scenario: its containers become hosts on named networks of the laptop, and what their images run
//! becomes processes.

use super::world::{LAPTOP, Properties, World};
use crate::docker::compose::{Options, load};
use crate::docker::up::{Container, Created, Net, Runs, Up, plan};
use crate::kafka::client::admin::AdminCall;
use crate::kafka::config::Scope;
use crate::kafka::protocol::admin::CreatableTopic;
use crate::kafka::types::NodeId;
use crate::ordered::OrderedMap;
use crate::sim::network::{LanId, Published, Subnet};
use crate::sim::{HostId, ProcId};
use std::rc::Rc;

/// Where the process stands that keeps ZooKeeper's place, and its first id.
const ZOOKEEPER_PORT: u16 = 2181;
const CONTROLLER_IDS: NodeId = 100;

/// The first id that ZooKeeper gives to a broker without one (`reserved.broker.max.id` and one more).
const FIRST_GIVEN_ID: NodeId = 1_001;

/// What the settings file inside an image for a single node has besides.
const SINGLE_NODE: [(&str, &str); 4] = [
    ("offsets.topic.replication.factor", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("group.initial.rebalance.delay.ms", "0"),
];

/// What a compose file came to.
#[derive(Clone, Debug, Default)]
pub struct Composed {
    pub brokers: Vec<NodeId>,
    /// What of it is not acted on, and what did not start, one sentence each.
    pub remarks: Vec<String>,
}

impl World {
    /// Does what `docker compose up` would do with this file on the laptop.
    ///
    /// # Errors
    /// What the loader says, with line and column, or why nothing was started.
    pub(super) fn compose(&mut self, text: &str) -> Result<Composed, String> {
        let loaded = load(text, &Options::default());
        let project = loaded.project.map_err(|refused| {
            let (line, column) = (refused.mark.line, refused.mark.column);
            format!("line {line}, column {column} of the file: {}", refused.text)
        })?;
        let up = plan(&project);
        let mut done = Composed {
            remarks: loaded.warnings,
            ..Composed::default()
        };
        done.remarks.extend(up.remarks.iter().cloned());
        self.refuse_conflicts(&up)?;
        let lans = self.lay_networks(&up.networks)?;
        for container in &up.containers {
            self.place_container(container, &lans, &mut done.remarks);
        }
        self.start_nodes(&up, &mut done);
        Ok(done)
    }

    fn refuse_conflicts(&self, up: &Up) -> Result<(), String> {
        let taken = |one: &&Container| {
            self.find(&one.host).is_some()
                || self
                    .sim
                    .network()
                    .resolve(&one.host)
                    .is_some_and(|host| self.sim.network().is_container(host))
        };
        match up.containers.iter().find(taken) {
            Some(one) => Err(format!("there is a `{}` already", one.host)),
            None => Ok(()),
        }
    }

    /// Networks by their keys.
    fn lay_networks(&mut self, nets: &[Net]) -> Result<OrderedMap<String, LanId>, String> {
        let engine = self.host(LAPTOP);
        let missing = nets
            .iter()
            .find(|net| net.external && self.sim.network().lan_named(&net.name).is_none());
        if let Some(net) = missing {
            let name = &net.name;
            return Err(format!("network {name} declared as external, but could not be found"));
        }
        let mut lans = OrderedMap::new();
        for net in nets {
            let network = self.sim.network_mut();
            let subnet = net.subnet.as_deref().and_then(Subnet::parse);
            let lan = match network.lan_named(&net.name) {
                Some(lan) => lan,
                None => network.add_lan(&net.name, engine, subnet).map_err(|e| e.0)?,
            };
            if net.internal {
                network.make_internal(lan);
            }
            lans.insert(net.key.clone(), lan);
        }
        Ok(lans)
    }

    /// The container's host, its interfaces, names and published ports.
    fn place_container(&mut self, one: &Container, lans: &OrderedMap<String, LanId>, remarks: &mut Vec<String>) {
        let (engine, host) = (self.host(LAPTOP), self.host(&one.host));
        Rc::make_mut(&mut self.hostnames).insert(host, one.hostname.as_str().into());
        for (key, aliases, address) in &one.networks {
            let names: Vec<Rc<str>> = one
                .names
                .iter()
                .chain(aliases)
                .map(|name| Rc::from(name.as_str()))
                .collect();
            let ip = address.as_deref().and_then(|address| address.parse().ok());
            if let Some(lan) = lans.get(key)
                && let Err(error) = self.sim.network_mut().attach(host, *lan, ip, &names)
            {
                remarks.push(format!("{}: Error response from daemon: {}", one.host, error.0));
            }
        }
        for (name, address) in &one.extra_hosts {
            match address.as_str() {
                "host-gateway" => self.sim.network_mut().add_name(host, name, engine),
                _ => remarks.push(format!(
                    "{}: extra_hosts: {name}: only host-gateway is acted on",
                    one.host
                )),
            }
        }
        for port in &one.ports {
            let published = Published {
                engine,
                local: port.local,
                port: port.published,
                to: host,
                to_port: port.target,
                relay: false,
                hairpin: true,
            };
            if let Err(error) = self.sim.network_mut().publish(published) {
                remarks.push(format!(
                    "{}: Error response from daemon: driver failed programming external connectivity on endpoint {}: {}",
                    one.host, one.names.last().map_or("", String::as_str), error.0
                ));
            }
        }
        if let Runs::App {
            bootstrap: Some(bootstrap),
        } = &one.runs
        {
            Rc::make_mut(&mut self.bootstraps).insert(host, bootstrap.as_str().into());
        }
    }

    /// Controllers first, then brokers in the order of the file's dependencies, then what their start scripts make.
    fn start_nodes(&mut self, up: &Up, done: &mut Composed) {
        let mut quorum: OrderedMap<NodeId, Rc<str>> = OrderedMap::new();
        let mut keepers = Vec::new();
        for one in &up.containers {
            match &one.runs {
                Runs::ZooKeeper => {
                    let id = CONTROLLER_IDS + keepers.len() as NodeId + 1;
                    keepers.push((id, &one.host));
                    quorum.insert(id, format!("{}:{ZOOKEEPER_PORT}", one.host).into());
                }
                Runs::Kafka { properties, .. } => quorum.extend(voters(properties)),
                _ => {}
            }
        }
        for (id, host) in keepers {
            let alone = [(id, Rc::from(format!("{host}:{ZOOKEEPER_PORT}")))]
                .into_iter()
                .collect();
            let added = self.add_controller(host, host, id, Properties::new(), &alone);
            self.started(host, added, done);
        }
        for one in &up.containers {
            match (&one.runs, &one.refused) {
                (_, Some(why)) => done.remarks.push(format!("{} exited (1): {why}", one.host)),
                (Runs::Kafka { .. }, None) => self.start_kafka(one, &quorum, done),
                (Runs::Rabbit | Runs::Web, None) => {
                    let what = format!("{}: this image is a host without programs here", one.host);
                    done.remarks.push(what);
                }
                _ => {}
            }
        }
    }

    fn started(&mut self, name: &str, added: Result<ProcId, String>, done: &mut Composed) -> bool {
        match added {
            Ok(id) => {
                self.sim.start(id);
                true
            }
            Err(why) => {
                done.remarks.push(format!("{name} exited (1): {why}"));
                false
            }
        }
    }

    fn start_kafka(&mut self, one: &Container, quorum: &OrderedMap<NodeId, Rc<str>>, done: &mut Composed) {
        let Runs::Kafka {
            properties,
            topics,
            zookeeper,
        } = &one.runs
        else {
            return;
        };
        for key in properties.keys().filter(|key| Scope::Broker.find(key).is_none()) {
            done.remarks
                .push(format!("{}: {key} is not known to Kafka 4: ignored", one.host));
        }
        let mut config: Properties = properties.clone();
        let roles = properties.get("process.roles").cloned().unwrap_or_default();
        let single = zookeeper.is_some() || properties.len() == crate::docker::images::APACHE_DEFAULT.len();
        if single {
            for (key, value) in SINGLE_NODE {
                config.entry(key.into()).or_insert(value.into());
            }
        }
        // The whole node is checked before either half of it runs.
        if zookeeper.is_none()
            && let Err(thrown) = crate::docker::startup::check(&config)
        {
            done.remarks
                .push(format!("{} exited (1): {}: {}", one.host, thrown.class, thrown.text));
            return;
        }
        let said: Option<NodeId> = properties.get("node.id").and_then(|id| id.parse().ok());
        let id = match said.filter(|id| self.node(*id).is_none()) {
            Some(id) => id,
            None => match self.free_node_id(FIRST_GIVEN_ID, 1) {
                Ok(id) => id,
                Err(why) => return done.remarks.push(format!("{}: {why}", one.host)),
            },
        };
        if roles.contains("controller") {
            let name = match roles.contains("broker") {
                true => format!("{}-controller", one.host),
                false => one.host.clone(),
            };
            let added = self.add_controller(&name, &one.host, CONTROLLER_IDS + id, config.clone(), quorum);
            self.started(&name, added, done);
        }
        if roles.contains("broker") || zookeeper.is_some() {
            let controllers = match zookeeper {
                Some(said) => quorum_at(said, quorum),
                None => quorum.clone(),
            };
            let added = self.add_broker(&one.host, &one.host, id, None, config, &controllers);
            if self.started(&one.host, added, done) {
                done.brokers.push(id);
                self.create_topics(topics);
            }
        }
    }

    /// What the image's start script creates when the port listens; the operator tries as long.
    fn create_topics(&mut self, topics: &[Created]) {
        let topic = |one: &Created| CreatableTopic {
            name: one.name.as_str().into(),
            num_partitions: one.partitions,
            replication_factor: one.replicas,
            assignments: Vec::new(),
            configs: one
                .policy
                .iter()
                .map(|policy| ("cleanup.policy".into(), Some(policy.as_str().into())))
                .collect(),
        };
        if !topics.is_empty() {
            self.operate(AdminCall::CreateTopics {
                topics: topics.iter().map(topic).collect(),
                validate_only: false,
            });
        }
    }

    /// Where a container's variables say that its programs find Kafka.
    pub(super) fn bootstrap_on(&self, host: HostId) -> Option<&Rc<str>> {
        self.bootstraps.get(&host)
    }
}

/// `controller.quorum.voters` by the ids that controllers have here.
fn voters(properties: &Properties) -> impl Iterator<Item = (NodeId, Rc<str>)> + '_ {
    let said = properties.get("controller.quorum.voters").map_or("", String::as_str);
    said.split(',').filter_map(|voter| {
        let (id, address) = voter.trim().split_once('@')?;
        Some((CONTROLLER_IDS + id.parse::<NodeId>().ok()?, Rc::from(address)))
    })
}

/// Whoever stands for ZooKeeper, at the address that a broker was told.
fn quorum_at(zookeeper: &str, quorum: &OrderedMap<NodeId, Rc<str>>) -> OrderedMap<NodeId, Rc<str>> {
    let told = zookeeper.split('/').next().unwrap_or(zookeeper);
    let told = told.split(',').next().unwrap_or(told);
    let same = |address: &str| address == told;
    let id = quorum
        .iter()
        .find(|(_, address)| same(address))
        .or(quorum.first_key_value());
    id.map(|(id, _)| (*id, Rc::from(told))).into_iter().collect()
}
