//! Where a scenario's brokers listen, and where its clients begin.
//!
//! Without a word about listeners a broker listens on 9092 and is advertised as its host is called. With
//! `listeners=...` and its sisters it does what the real one does at its start, or refuses with its words.

use super::node::Node;
use super::wire::Note;
use super::world::{Properties, World};
use crate::docker::startup;
use crate::kafka;
use crate::kafka::client::bootstrap::{Address, resolve, unresolved};
use crate::kafka::client::call::ClientError;
use crate::kafka::client::log::loggers;
use crate::kafka::client::note::ClientNote;
use crate::kafka::client::rules;
use crate::kafka::config::ConfigError;
use crate::kafka::listeners::{Endpoint, Listener, Listeners, voter_address};
use crate::kafka::rule::Weight;
use crate::kafka::types::NodeId;
use crate::kafka::wire::KAFKA_PORT;
use crate::sim::{HostId, ProcId};
use std::rc::Rc;

/// Settings that make a broker's listeners other than the usual one.
const KEYS: [&str; 6] = [
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "inter.broker.listener.name",
    "security.inter.broker.protocol",
    "process.roles",
];

/// The scenario's operator comes in here, whatever else is advertised: no port that a client can name.
const OPERATOR_PORT: u16 = 0;

/// A broker's listeners and how other brokers are told to reach it.
#[derive(Clone, Debug)]
pub struct Heard {
    pub listeners: Listeners,
    /// Host and port of the listener between brokers.
    pub between: Address,
}

/// The listeners that settings say; `None`: the usual one. `hostname`: what an empty host in an advertised address
/// stands for; `operator`: the address at which the operator finds it.
///
/// # Errors
/// The exception that ends the broker's start.
pub fn heard(config: &Properties, node: NodeId, hostname: &str, operator: &str) -> Result<Option<Heard>, String> {
    if !KEYS.iter().any(|key| config.contains_key(*key)) {
        return Ok(None);
    }
    let found = startup::check(&whole(config, node)).map_err(|thrown| format!("{}: {}", thrown.class, thrown.text))?;
    let controllers = config
        .get("controller.listener.names")
        .map_or("CONTROLLER", String::as_str);
    let is_controller = |name: &str| controllers.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
    let port = |port: i64| {
        u16::try_from(port).map_err(|_| format!("Cannot serialize invalid port number {port} in ListenerInfo."))
    };
    let mut sockets = Vec::new();
    for one in found.sockets.iter().filter(|one| !is_controller(&one.name)) {
        sockets.push(Listener {
            name: one.name.as_str().into(),
            port: port(one.port)?,
            local: is_local(&one.host),
        });
    }
    let mut advertised = Vec::new();
    for one in &found.advertised {
        advertised.push(Endpoint {
            listener: one.name.as_str().into(),
            host: if one.host.is_empty() { hostname } else { &one.host }.into(),
            port: port(one.port)?,
        });
    }
    let said = ["inter.broker.listener.name", "security.inter.broker.protocol"];
    let between = said
        .iter()
        .find_map(|key| config.get(*key))
        .map_or("PLAINTEXT".into(), |name| name.to_uppercase());
    let between = advertised.iter().find(|one| *one.listener == *between);
    let between = between.map_or((hostname.into(), KAFKA_PORT), |one| (one.host.clone(), one.port));
    sockets.push(Listener {
        name: "OPERATOR".into(),
        port: OPERATOR_PORT,
        local: false,
    });
    advertised.push(Endpoint {
        listener: "OPERATOR".into(),
        host: operator.into(),
        port: OPERATOR_PORT,
    });
    Ok(Some(Heard {
        listeners: Listeners {
            sockets,
            advertised: advertised.into(),
        },
        between,
    }))
}

/// Where a controller listens: as its own entry in `listeners` says, else on the port by which the voters know it.
pub fn controller_listener(config: &Properties, voter: Option<&Rc<str>>) -> Option<Listener> {
    let name = config
        .get("controller.listener.names")
        .map_or("CONTROLLER", String::as_str);
    let said = config.get("listeners").into_iter().flat_map(|all| all.split(','));
    let mut own = said.filter_map(|one| one.trim().strip_prefix(name)?.strip_prefix("://"));
    let (address, local) = match own.next() {
        Some(address) => (voter_address(address), true),
        None => (voter_address(voter?), false),
    };
    Some(Listener {
        name: name.into(),
        port: address.1,
        local: local && is_local(address.0),
    })
}

/// The entries of `bootstrap.servers`.
pub(super) fn addresses(said: &str) -> Result<Vec<Address>, ConfigError> {
    let entries = said.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let address = |entry: &str| {
        let split = entry
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host.into(), port.parse().ok()?)));
        split.ok_or_else(|| ConfigError::new(format!("Invalid url in bootstrap.servers: {entry}")))
    };
    entries.map(address).collect()
}

/// Bound to the loopback interface alone.
pub fn is_local(host: &str) -> bool {
    host == "localhost" || host.starts_with("127.")
}

/// The settings with what a broker's process here has anyhow.
fn whole(config: &Properties, node: NodeId) -> Properties {
    let mut whole = config.clone();
    let mut missing = |key: &str, value: String| {
        whole.entry(key.into()).or_insert(value);
    };
    missing("process.roles", "broker".into());
    missing("node.id", node.to_string());
    missing("controller.listener.names", "CONTROLLER".into());
    missing("controller.quorum.bootstrap.servers", "localhost:9093".into());
    whole
}

impl World {
    /// Where the operator finds a host.
    pub(super) fn operator_address(&self, host: HostId) -> String {
        let network = self.sim.network();
        match network.interfaces(host).first() {
            Some(interface) => interface.ip.to_string(),
            None => network.host(host).name.to_string(),
        }
    }

    /// Where the operator begins: at every broker.
    pub(super) fn operator_bootstrap(&self) -> Vec<Address> {
        let address = |host: HostId, listeners: &Listeners| -> Address {
            let port = if listeners.advertised.is_empty() {
                KAFKA_PORT
            } else {
                OPERATOR_PORT
            };
            (self.operator_address(host).into(), port)
        };
        self.brokers()
            .map(|(id, _, broker)| address(self.sim.host_of(id), &broker.setup().listeners))
            .collect()
    }

    /// What a client on a host logs of its `bootstrap.servers`, whether any can be resolved or not.
    pub fn unresolved_bootstrap(&self, host: &str, config: &Properties) -> Vec<String> {
        let (Some(host), Some(said)) = (self.sim.network().resolve(host), config.get("bootstrap.servers")) else {
            return Vec::new();
        };
        let addresses = addresses(said).unwrap_or_default();
        let unknown = addresses
            .iter()
            .filter(|(name, _)| self.sim.network().look_up(host, name).is_none());
        unknown.map(unresolved).collect()
    }

    /// Where a client on a host begins: what its `bootstrap.servers` says, else every broker by its host's name; only
    /// those that can be resolved there. The others as the lines that the client logs.
    ///
    /// # Errors
    /// Its constructor's, if none can be resolved.
    pub fn bootstrap_of(
        &self,
        host: HostId,
        config: &Properties,
        client: &str,
    ) -> Result<(Vec<Address>, Vec<String>), ClientError> {
        let said = config.get("bootstrap.servers").map(String::as_str);
        let said = said.or(self.bootstrap_on(host).map(|said| &**said));
        let addresses = match said {
            Some(said) => addresses(said)?,
            None if self.sim.network().lans().next().is_none() => return Ok((self.bootstrap(), Vec::new())),
            None => self.bootstrap(),
        };
        resolve(
            &addresses,
            |name| self.sim.network().look_up(host, name).is_some(),
            client,
        )
    }

    /// The port of a broker's first listener.
    pub(super) fn first_port(&self, id: ProcId) -> u16 {
        match self.sim.process(id) {
            Node::Broker(broker) => broker
                .setup()
                .listeners
                .sockets
                .first()
                .map_or(KAFKA_PORT, |one| one.port),
            _ => KAFKA_PORT,
        }
    }

    /// What a host calls itself: a container its id, any other machine its name.
    pub fn hostname(&self, host: HostId) -> Rc<str> {
        self.hostnames
            .get(&host)
            .cloned()
            .unwrap_or_else(|| self.sim.network().host(host).name.clone())
    }

    /// What a client logs of bootstrap addresses that nobody knows where it stands.
    pub(super) fn log_unresolved(&mut self, client: ProcId, lines: Vec<String>) {
        for line in lines {
            let note = ClientNote::Log {
                line: loggers::CLIENT_UTILS.warn(line),
                weight: Weight::Matters,
                rule: &rules::BOOTSTRAP,
            };
            self.sim.note(client, Note::Kafka(kafka::note::Note::Client(note)));
        }
    }
}
