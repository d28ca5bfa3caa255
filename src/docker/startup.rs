//! Whether a broker or controller starts with its listeners, and what it says if not.
//!
//! Rules: Apache Kafka 4.3.1, `KafkaConfig.scala`, `SocketServerConfigs.java`, `QuorumConfig.java`. Only keys about
//! roles, ids, listeners and the quorum are looked at: everything else is no matter of networks.

use super::images::Pairs;
use crate::ordered::OrderedSet;

/// A thrown exception: class and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thrown {
    pub class: &'static str,
    pub text: String,
    /// What it was caused by.
    pub cause: Option<(&'static str, String)>,
}

const CONFIG: &str = "org.apache.kafka.common.config.ConfigException";
const ARGUMENT: &str = "java.lang.IllegalArgumentException";
const KAFKA: &str = "org.apache.kafka.common.KafkaException";

fn config<T>(text: impl Into<String>) -> Result<T, Thrown> {
    Err(Thrown {
        class: CONFIG,
        text: text.into(),
        cause: None,
    })
}

fn require(holds: bool, text: impl FnOnce() -> String) -> Result<(), Thrown> {
    if holds {
        return Ok(());
    }
    Err(Thrown {
        class: ARGUMENT,
        text: format!("requirement failed: {}", text()),
        cause: None,
    })
}

/// A listener: name in capitals, host (empty: all addresses) and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub name: String,
    pub host: String,
    pub port: i64,
}

/// What a node that starts does with its listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listeners {
    pub node: i64,
    pub broker: bool,
    pub controller: bool,
    /// The sockets to bind.
    pub sockets: Vec<Endpoint>,
    /// What clients are told, an empty host being the machine's own name; without the controllers' listeners.
    pub advertised: Vec<Endpoint>,
}

/// Checks the configuration as the node does before it does anything.
///
/// # Errors
/// The exception that ends it.
pub fn check(properties: &Pairs) -> Result<Listeners, Thrown> {
    let roles = list(properties, "process.roles");
    for key in ["process.roles", "node.id", "controller.listener.names"] {
        if text(properties, key).is_empty() {
            return config(format!(
                "Missing required configuration \"{key}\" which has no default value."
            ));
        }
        if key == "process.roles"
            && let Some(bad) = roles
                .iter()
                .find(|role| !matches!(role.as_str(), "broker" | "controller"))
        {
            return config(format!(
                "Invalid value {bad} for configuration process.roles: String must be one of: broker, controller"
            ));
        }
    }
    let node: i64 = match text(properties, "node.id").parse() {
        Ok(node) => node,
        Err(_) => {
            let bad = text(properties, "node.id");
            return config(format!(
                "Invalid value {bad} for configuration node.id: Not a number of type INT"
            ));
        }
    };
    let broker_id = text(properties, "broker.id");
    if !broker_id.is_empty() && broker_id.parse() != Ok(node) {
        return config("You must set `node.id` to the same value as `broker.id`.");
    }
    let names: Vec<String> = list(properties, "controller.listener.names");
    let protocols = protocols(properties, &names)?;
    let sockets = endpoints(
        &or(text(properties, "listeners"), "PLAINTEXT://:9092"),
        &protocols,
        true,
    )?;
    let given = text(properties, "advertised.listeners");
    let told = if given.is_empty() {
        sockets.clone()
    } else {
        endpoints(&given, &protocols, false)?
    };
    let voters = voters(properties)?;
    let (broker, controller) = (roles.contains(&"broker".into()), roles.contains(&"controller".into()));
    let advertised: Vec<Endpoint> = told.iter().filter(|one| !names.contains(&one.name)).cloned().collect();
    let controllers = sockets.iter().filter(|one| names.contains(&one.name)).count();
    quorum(properties, &voters)?;
    if controller {
        if !broker {
            require(controllers == sockets.len(), || {
                "The listeners config must only contain KRaft controller listeners from controller.listener.names \
                 when process.roles=controller"
                    .into()
            })?;
        }
        let ids: Vec<String> = voters.iter().map(i64::to_string).collect();
        require(voters.is_empty() || voters.contains(&node), || {
            format!(
                "If process.roles contains the 'controller' role, the node id {node} must be included in the set of \
                 voters controller.quorum.voters=Set({})",
                ids.join(", ")
            )
        })?;
        require(controllers > 0, || {
            "controller.listener.names must contain at least one value appearing in the 'listeners' configuration \
             when running the KRaft controller role"
                .into()
        })?;
        require(
            names.iter().all(|name| sockets.iter().any(|one| one.name == *name)),
            || {
                "controller.listener.names must only contain values appearing in the 'listeners' configuration when \
             running the KRaft controller role"
                    .into()
            },
        )?;
    } else {
        let ids: Vec<String> = voters.iter().map(i64::to_string).collect();
        require(!voters.contains(&node), || {
            format!(
                "If process.roles contains just the 'broker' role, the node id {node} must not be included in the set \
                 of voters controller.quorum.voters=Set({})",
                ids.join(", ")
            )
        })?;
        require(controllers == 0, || {
            "controller.listener.names must not contain a value appearing in the 'listeners' configuration when \
             running KRaft with just the broker role"
                .into()
        })?;
    }
    if broker {
        among_brokers(properties, &sockets, &advertised)?;
    }
    require(told.iter().all(|one| one.host != "0.0.0.0"), || {
        "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP address.".into()
    })?;
    Ok(Listeners {
        node,
        broker,
        controller,
        sockets,
        advertised,
    })
}

/// The rules about what brokers tell each other and their clients.
fn among_brokers(properties: &Pairs, sockets: &[Endpoint], advertised: &[Endpoint]) -> Result<(), Thrown> {
    let names = |of: &[Endpoint]| of.iter().map(|one| one.name.clone()).collect::<Vec<String>>();
    let (listening, told) = (names(sockets), names(advertised));
    require(!told.is_empty(), || {
        "There must be at least one broker advertised listener. Perhaps all listeners appear in \
         controller.listener.names?"
            .into()
    })?;
    let name = text(properties, "inter.broker.listener.name");
    let protocol = text(properties, "security.inter.broker.protocol");
    if !name.is_empty() && !protocol.is_empty() {
        return config("Only one of inter.broker.listener.name and security.inter.broker.protocol should be set.");
    }
    let between = or(or(name, &protocol), "PLAINTEXT").to_uppercase();
    require(told.contains(&between), || {
        format!(
            "inter.broker.listener.name must be a listener name defined in advertised.listeners. The valid options \
             based on currently configured listeners are {}",
            told.join(",")
        )
    })?;
    require(told.iter().all(|name| listening.contains(name)), || {
        format!(
            "advertised.listeners listener names must be equal to or a subset of the ones defined in listeners. \
             Found {}. The valid options based on the current configuration are {}",
            told.join(","),
            listening.join(",")
        )
    })
}

fn text(properties: &Pairs, key: &str) -> String {
    properties
        .get(key)
        .map(|value| value.trim().to_string())
        .unwrap_or_default()
}

fn list(properties: &Pairs, key: &str) -> Vec<String> {
    let parts = text(properties, key);
    let parts = parts.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(String::from).collect()
}

fn or(text: String, other: &str) -> String {
    if text.is_empty() { other.into() } else { text }
}

/// The names that have a security protocol. Without a map: the four protocols, and the controllers' names as PLAINTEXT
/// if no listener is secure.
fn protocols(properties: &Pairs, controllers: &[String]) -> Result<OrderedSet<String>, Thrown> {
    const PROTOCOLS: [&str; 4] = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
    let mut known = OrderedSet::default();
    if !properties.contains_key("listener.security.protocol.map") {
        known.extend(PROTOCOLS.map(String::from));
        known.extend(controllers.iter().map(|name| name.to_uppercase()));
        return Ok(known);
    }
    for pair in list(properties, "listener.security.protocol.map") {
        let (name, protocol) = pair.split_once(':').unwrap_or((&pair, ""));
        let protocol = protocol.trim();
        if !PROTOCOLS.contains(&protocol.to_uppercase().as_str()) {
            return config(format!(
                "Invalid security protocol `{protocol}` defined in listener.security.protocol.map"
            ));
        }
        known.insert(name.trim().to_uppercase());
    }
    Ok(known)
}

/// Reads a list of listeners. `own`: they are to be bound, so ports must differ.
fn endpoints(text: &str, protocols: &OrderedSet<String>, own: bool) -> Result<Vec<Endpoint>, Thrown> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let all = parts.join(", ");
    let fail = |class: &'static str, why: String| Thrown {
        class: ARGUMENT,
        text: format!("Error creating broker listeners from '[{all}]': {why}"),
        cause: Some((class, why)),
    };
    let mut found: Vec<Endpoint> = Vec::new();
    for part in &parts {
        let endpoint =
            endpoint(part).ok_or_else(|| fail(KAFKA, format!("Unable to parse {part} to a broker endpoint")))?;
        if !protocols.contains(&endpoint.name) {
            let why = format!("No security protocol defined for listener {}", endpoint.name);
            return Err(fail(ARGUMENT, why));
        }
        found.push(endpoint);
    }
    let distinct = |twice: &dyn Fn(&Endpoint, &Endpoint) -> bool| {
        !found
            .iter()
            .enumerate()
            .any(|(at, one)| found[..at].iter().any(|other| twice(one, other)))
    };
    if !distinct(&|a, b| a.name == b.name) {
        return Err(fail(
            ARGUMENT,
            format!("Each listener must have a different name, listeners: [{all}]"),
        ));
    }
    // An address of either family may share a port with one of the other.
    let same_port =
        |a: &Endpoint, b: &Endpoint| a.port != 0 && a.port == b.port && a.host.contains(':') == b.host.contains(':');
    if own && !distinct(&same_port) {
        return Err(fail(
            ARGUMENT,
            format!("Each listener must have a different port, listeners: [{all}]"),
        ));
    }
    Ok(found)
}

/// `NAME://host:port`.
fn endpoint(text: &str) -> Option<Endpoint> {
    let (name, rest) = text.split_once("://")?;
    let (host, port) = rest.rsplit_once(':')?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let fits = !port.is_empty()
        && port
            .bytes()
            .enumerate()
            .all(|(at, b)| b.is_ascii_digit() || (at == 0 && b == b'-'));
    let good = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._%:".contains(&b));
    (fits && good).then_some(())?;
    Some(Endpoint {
        name: name.to_uppercase(),
        host: host.into(),
        port: port.parse().ok()?,
    })
}

/// The ids in `controller.quorum.voters`.
fn voters(properties: &Pairs) -> Result<Vec<i64>, Thrown> {
    let mut ids = Vec::new();
    for voter in list(properties, "controller.quorum.voters") {
        let parts = voter
            .split_once('@')
            .and_then(|(id, place)| Some((id.parse().ok()?, place.rsplit_once(':')?)));
        let Some((id, (host, _))) = parts else {
            return config(format!(
                "Invalid configuration value for 'voters'. Each entry should be in the form `{{id}}@{{host}}:{{port}}`. Found {voter}."
            ));
        };
        if host == "0.0.0.0" {
            return config(format!("Host string ({host}) is not routeable"));
        }
        ids.push(id);
    }
    Ok(ids)
}

fn quorum(properties: &Pairs, voters: &[i64]) -> Result<(), Thrown> {
    if voters.is_empty() && list(properties, "controller.quorum.bootstrap.servers").is_empty() {
        return config(
            "If using process.roles, either controller.quorum.bootstrap.servers must contain the set of bootstrap \
             controllers or controller.quorum.voters must contain a parseable set of controllers.",
        );
    }
    Ok(())
}
