//! What `docker compose up` makes of a project: networks, and containers in the order in which they start, each with what
//! its image is known to run. Whatever is not understood is said, never passed over.
//!
//! Rules: Compose v2 (names of containers and networks, start order), and the start scripts of the images.

use super::compose::value::{Map, Value};
use super::compose::{Options, Project, load};
use super::images::{self, Pairs};
use crate::ordered::OrderedSet;

/// A network of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// Its key in the file.
    pub key: String,
    /// Its real name.
    pub name: String,
    pub external: bool,
    pub internal: bool,
    pub subnet: Option<String>,
}

/// A published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// For programs of the machine itself alone.
    pub local: bool,
    pub published: u16,
    pub target: u16,
}

/// What a container's image runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runs {
    /// A node of Kafka with these settings; topics that its start script creates.
    Kafka {
        properties: Pairs,
        topics: Vec<Created>,
        /// It wants ZooKeeper there (Kafka before 3.0 in these images).
        zookeeper: Option<String>,
    },
    ZooKeeper,
    Rabbit,
    /// nginx or httpd.
    Web,
    /// Anything else: a host with programs of the scenario's own; where they find Kafka if its variables say so.
    App {
        bootstrap: Option<String>,
    },
}

/// `name:partitions:replicas[:cleanup.policy]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    pub name: String,
    pub partitions: i32,
    pub replicas: i16,
    pub policy: Option<String>,
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The host's name in the scenario: the service, with a number if there are several.
    pub host: String,
    pub service: String,
    pub hostname: String,
    /// Names on every network of it, besides `host`.
    pub names: Vec<String>,
    /// Networks by key, with aliases and a fixed address.
    pub networks: Vec<(String, Vec<String>, Option<String>)>,
    /// `network_mode: host`: it has no network of its own.
    pub on_host: bool,
    pub ports: Vec<Port>,
    /// `extra_hosts`: name and address.
    pub extra_hosts: Vec<(String, String)>,
    pub runs: Runs,
    /// It does not start: why.
    pub refused: Option<String>,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Up {
    pub networks: Vec<Net>,
    pub containers: Vec<Container>,
    /// What the file says and nothing here acts on, one sentence each.
    pub remarks: Vec<String>,
}

/// Keys of a service that are acted on, or that change nothing here.
const KNOWN: [&str; 22] = [
    "image",
    "container_name",
    "hostname",
    "networks",
    "network_mode",
    "ports",
    "expose",
    "environment",
    "depends_on",
    "deploy",
    "scale",
    "extra_hosts",
    "labels",
    "profiles",
    "stdin_open",
    "tty",
    "init",
    "pull_policy",
    "logging",
    "platform",
    "stop_grace_period",
    "command",
];

/// A container's id as people see it: twelve hexadecimal digits, made of its name so that it is the same each time.
fn short_id(name: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{:012x}", hash & 0xffff_ffff_ffff)
}

/// The plan of a file, if it can be loaded.
pub fn read(text: &str) -> Option<Up> {
    load(text, &Options::default())
        .project
        .ok()
        .map(|project| plan(&project))
}

/// Plans the project.
pub fn plan(project: &Project) -> Up {
    let mut up = Up::default();
    let nets = project
        .model
        .get("networks")
        .and_then(Value::as_map)
        .into_iter()
        .flatten();
    up.networks = nets.map(|(key, net)| network(key, net)).collect();
    let services: Vec<(&str, &Map)> = project.services().collect();
    for name in start_order(&services) {
        let Some((_, service)) = services.iter().find(|(other, _)| *other == name) else {
            continue;
        };
        for index in 1..=replicas(service) {
            let container = container(project, name, service, index, &mut up.remarks);
            up.containers.push(container);
        }
    }
    for kind in ["volumes", "configs", "secrets"] {
        if project
            .model
            .get(kind)
            .and_then(Value::as_map)
            .is_some_and(|all| !all.is_empty())
        {
            up.remarks.push(format!(
                "{kind}: kept for nothing here; data lives as long as its container"
            ));
        }
    }
    up
}

fn text(map: &Map, key: &str) -> Option<String> {
    map.get(key).filter(|value| **value != Value::Null).map(Value::text)
}

fn network(key: &str, net: &Value) -> Net {
    let flag = |name: &str| net.at(&[name]) == Some(&Value::Bool(true));
    let config = net
        .at(&["ipam", "config"])
        .and_then(Value::as_list)
        .and_then(<[Value]>::first);
    Net {
        key: key.into(),
        name: net.at(&["name"]).map_or_else(|| key.into(), Value::text),
        external: flag("external"),
        internal: flag("internal"),
        subnet: config.and_then(|config| config.at(&["subnet"])).map(Value::text),
    }
}

fn replicas(service: &Map) -> i64 {
    let deployed = service.get("deploy").and_then(|deploy| deploy.at(&["replicas"]));
    let count = deployed
        .or(service.get("scale"))
        .map_or(1, |count| count.text().parse().unwrap_or(1));
    count.clamp(0, 50)
}

/// Services after those that they depend on, by name among equals.
fn start_order<'a>(services: &[(&'a str, &Map)]) -> Vec<&'a str> {
    let mut order: Vec<&str> = Vec::new();
    let mut left: Vec<(&str, OrderedSet<String>)> = services
        .iter()
        .map(|(name, service)| {
            let needs = service.get("depends_on").and_then(Value::as_map).into_iter().flatten();
            (*name, needs.map(|(name, _)| name.clone()).collect())
        })
        .collect();
    while !left.is_empty() {
        let ready = |(_, needs): &(&str, OrderedSet<String>)| {
            needs
                .iter()
                .all(|need| order.contains(&need.as_str()) || !services.iter().any(|(name, _)| name == need))
        };
        // A cycle is refused by the loader: there is always one that is ready.
        let index = left.iter().position(ready).unwrap_or(0);
        order.push(left.remove(index).0);
    }
    order
}

fn container(project: &Project, name: &str, service: &Map, index: i64, remarks: &mut Vec<String>) -> Container {
    let one = replicas(service) == 1;
    let host = if one {
        name.to_string()
    } else {
        format!("{name}-{index}")
    };
    let real = text(service, "container_name").unwrap_or_else(|| format!("{}-{name}-{index}", project.name));
    let id = short_id(&real);
    let mut names = vec![name.to_string(), real.clone(), id.clone()];
    names.retain(|known| *known != host);
    let networks = service.get("networks").and_then(Value::as_map).into_iter().flatten();
    let networks = networks.map(|(key, net)| {
        let aliases = net.at(&["aliases"]).and_then(Value::as_list).unwrap_or_default();
        let address = net.at(&["ipv4_address"]).map(Value::text);
        (key.clone(), aliases.iter().map(Value::text).collect(), address)
    });
    let mode = text(service, "network_mode");
    if let Some(mode) = mode.as_deref().filter(|mode| *mode != "host") {
        remarks.push(format!("{name}: network_mode: {mode} is not acted on"));
    }
    let hostname = text(service, "hostname").unwrap_or(id);
    let (runs, refused) = runs(name, service, &hostname, remarks);
    if index == 1 {
        note_unknown(name, service, remarks);
    }
    Container {
        hostname,
        names,
        networks: networks.collect(),
        on_host: mode.as_deref() == Some("host"),
        ports: ports(name, service, remarks),
        extra_hosts: extra_hosts(service),
        runs,
        refused,
        host,
        service: name.into(),
    }
}

/// Says which keys of a service nothing here acts on.
fn note_unknown(name: &str, service: &Map, remarks: &mut Vec<String>) {
    for key in service
        .keys()
        .filter(|key| !KNOWN.contains(&key.as_str()) && !key.starts_with("x-"))
    {
        let what = match key.as_str() {
            "healthcheck" => "is not run: whoever waits for service_healthy starts when the container has started",
            "restart" => "is not acted on: a container that ends stays down",
            "volumes" => "are not mounted",
            "build" => "is not built: it is a host without programs",
            "entrypoint" => "is not run",
            _ => "is not acted on",
        };
        remarks.push(format!("{name}: {key} {what}"));
    }
    if service.get("command").is_some_and(|command| *command != Value::Null) {
        remarks.push(format!(
            "{name}: command is not run: the image's own program stands for it"
        ));
    }
}

fn ports(name: &str, service: &Map, remarks: &mut Vec<String>) -> Vec<Port> {
    let mut ports = Vec::new();
    for port in service.get("ports").and_then(Value::as_list).unwrap_or_default() {
        let at = |key: &str| port.at(&[key]).map(Value::text).unwrap_or_default();
        let target = at("target").parse::<u16>();
        let published = at("published").parse::<u16>();
        match (at("protocol").as_str(), target, published) {
            ("tcp" | "", Ok(target), Ok(published)) => ports.push(Port {
                local: at("host_ip").starts_with("127."),
                published,
                target,
            }),
            ("tcp" | "", Ok(target), Err(_)) => {
                remarks.push(format!(
                    "{name}: port {target} is published on a port that the engine chooses: not acted on"
                ));
            }
            (protocol, _, _) => remarks.push(format!("{name}: a port of protocol {protocol} is not acted on")),
        }
    }
    ports
}

fn extra_hosts(service: &Map) -> Vec<(String, String)> {
    match service.get("extra_hosts") {
        Some(Value::Map(all)) => all
            .iter()
            .map(|(name, address)| (name.clone(), address.text()))
            .collect(),
        Some(Value::List(all)) => {
            let pair = |entry: &Value| {
                let text = entry.text();
                let (name, address) = text.split_once(['=', ':'])?;
                Some((name.to_string(), address.to_string()))
            };
            all.iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    }
}

fn environment(service: &Map) -> Pairs {
    let all = service.get("environment").and_then(Value::as_map).into_iter().flatten();
    let said = all.filter(|(_, value)| **value != Value::Null);
    said.map(|(name, value)| (name.clone(), value.text())).collect()
}

/// The image's name without registry and tag.
fn image_name(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    let image = image.strip_prefix("library/").unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

fn runs(name: &str, service: &Map, hostname: &str, remarks: &mut Vec<String>) -> (Runs, Option<String>) {
    let variables = environment(service);
    let image = text(service, "image").unwrap_or_default();
    match image_name(&image) {
        "wurstmeister/kafka" => wurstmeister(name, &variables, hostname, remarks),
        "apache/kafka" | "apache/kafka-native" => (kafka(apache_properties(&variables)), None),
        "confluentinc/cp-kafka" | "confluentinc/cp-server" => confluent(&variables),
        "bitnami/kafka" | "bitnamilegacy/kafka" => (kafka(images::bitnami(&variables)), None),
        "wurstmeister/zookeeper" | "zookeeper" | "confluentinc/cp-zookeeper" | "bitnami/zookeeper" => {
            (Runs::ZooKeeper, None)
        }
        "rabbitmq" => (Runs::Rabbit, None),
        "nginx" | "httpd" => (Runs::Web, None),
        _ => {
            let found = variables.iter().find(|(key, _)| key.ends_with("BOOTSTRAP_SERVERS"));
            let bootstrap = found.map(|(_, value)| value.clone());
            (Runs::App { bootstrap }, None)
        }
    }
}

fn kafka(properties: Pairs) -> Runs {
    Runs::Kafka {
        properties,
        topics: Vec::new(),
        zookeeper: None,
    }
}

/// Lines of a properties file; the last of a key counts.
fn properties(lines: &[String]) -> Pairs {
    let lines = lines.iter().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

fn apache_properties(variables: &Pairs) -> Pairs {
    let mut made = properties(&images::apache(variables, None).lines);
    if let Some(listeners) = images::apache_listeners(variables) {
        made.entry("listeners".into()).or_insert(listeners);
    }
    made
}

fn confluent(variables: &Pairs) -> (Runs, Option<String>) {
    const OLD: [&str; 4] = [
        "KAFKA_ADVERTISED_PORT",
        "KAFKA_ADVERTISED_HOST",
        "KAFKA_HOST",
        "KAFKA_PORT",
    ];
    let runs = kafka(apache_properties(variables));
    if let Some(old) = OLD.iter().find(|old| variables.contains_key(**old)) {
        let key = old.trim_start_matches("KAFKA_").to_lowercase().replace('_', ".");
        let text = format!("{key} is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.");
        return (runs, Some(text));
    }
    for needed in ["KAFKA_PROCESS_ROLES", "CLUSTER_ID", "KAFKA_ADVERTISED_LISTENERS"] {
        let controller = variables
            .get("KAFKA_PROCESS_ROLES")
            .is_some_and(|roles| roles == "controller");
        let spared = controller && needed == "KAFKA_ADVERTISED_LISTENERS";
        if !variables.contains_key(needed) && !spared {
            return (runs, Some(format!("{needed} is required.")));
        }
    }
    (runs, None)
}

/// Kafka of before 3.0 beside ZooKeeper: its old settings become those of today.
fn wurstmeister(name: &str, variables: &Pairs, hostname: &str, remarks: &mut Vec<String>) -> (Runs, Option<String>) {
    let said = variables
        .get("HOSTNAME_COMMAND")
        .and_then(|command| command.strip_prefix("echo "));
    let made = images::wurstmeister(variables, hostname, said);
    if made.exit != 0 {
        let runs = kafka(Pairs::default());
        return (runs, Some(made.output.first().cloned().unwrap_or_default()));
    }
    let old = properties(&made.lines);
    let mut new = Pairs::default();
    for key in [
        "listeners",
        "advertised.listeners",
        "listener.security.protocol.map",
        "inter.broker.listener.name",
    ] {
        if let Some(value) = old.get(key) {
            new.insert(key.into(), value.clone());
        }
    }
    let port = old.get("port").cloned().unwrap_or_else(|| "9092".into());
    new.entry("listeners".into())
        .or_insert_with(|| format!("PLAINTEXT://:{port}"));
    if let Some(host) = old.get("advertised.host.name") {
        let port = old.get("advertised.port").cloned().unwrap_or(port);
        new.entry("advertised.listeners".into())
            .or_insert_with(|| format!("PLAINTEXT://{host}:{port}"));
    }
    if let Some(id) = old.get("broker.id").filter(|id| !id.starts_with('-')) {
        new.insert("node.id".into(), id.clone());
    }
    remarks.push(format!(
        "{name}: this image has Kafka 2.8 with ZooKeeper; a controller of its own stands for ZooKeeper here"
    ));
    let topics = variables
        .get("KAFKA_CREATE_TOPICS")
        .map(|said| created(name, said, remarks))
        .unwrap_or_default();
    let runs = Runs::Kafka {
        properties: new,
        topics,
        zookeeper: variables.get("KAFKA_ZOOKEEPER_CONNECT").cloned(),
    };
    (runs, None)
}

/// `KAFKA_CREATE_TOPICS`.
fn created(name: &str, said: &str, remarks: &mut Vec<String>) -> Vec<Created> {
    let mut topics = Vec::new();
    for entry in said.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let mut parts = entry.split(':').map(str::trim);
        let topic = parts.next().unwrap_or("");
        let partitions = parts.next().and_then(|part| part.parse().ok());
        let replicas = parts.next().and_then(|part| part.parse().ok());
        match (topic, partitions, replicas) {
            (topic, Some(partitions), Some(replicas)) if !topic.is_empty() => topics.push(Created {
                name: topic.into(),
                partitions,
                replicas,
                policy: parts.next().filter(|policy| !policy.is_empty()).map(String::from),
            }),
            _ => remarks.push(format!(
                "{name}: KAFKA_CREATE_TOPICS: `{entry}` is not NAME:PARTITIONS:REPLICAS"
            )),
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(text: &str) -> Up {
        plan(&load(text, &Options::default()).project.expect("a good file"))
    }

    const SEED: &str = "services:
  kafka:
    image: wurstmeister/kafka
    ports: [\"9092:9092\"]
    restart: always
    depends_on: [zookeeper]
    environment:
      KAFKA_ADVERTISED_HOST_NAME: localhost
      KAFKA_CREATE_TOPICS: \"loan_request:1:1\"
      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
  zookeeper:
    image: wurstmeister/zookeeper
  worker:
    image: loan-worker
    environment:
      KAFKA_BOOTSTRAP_SERVERS: kafka:9092
";

    #[test]
    fn the_seeds_snippet() {
        let up = up(SEED);
        assert_eq!(up.networks[0].name, "docker_default");
        let order: Vec<&str> = up.containers.iter().map(|one| &*one.host).collect();
        assert_eq!(order, ["worker", "zookeeper", "kafka"]);
        let Runs::Kafka {
            properties,
            topics,
            zookeeper,
        } = &up.containers[2].runs
        else {
            panic!("{:?}", up.containers[2].runs);
        };
        assert_eq!(properties["advertised.listeners"], "PLAINTEXT://localhost:9092");
        assert_eq!(
            (topics[0].name.as_str(), topics[0].partitions, topics[0].replicas),
            ("loan_request", 1, 1)
        );
        assert_eq!(zookeeper.as_deref(), Some("zookeeper:2181"));
        assert!(
            up.remarks.iter().any(|remark| remark.starts_with("kafka: restart ")),
            "{:?}",
            up.remarks
        );
        assert_eq!(
            up.containers[0].runs,
            Runs::App {
                bootstrap: Some("kafka:9092".into())
            }
        );
    }

    #[test]
    fn names_of_a_container() {
        let up = up("services:\n  a:\n    image: x\n    deploy: {replicas: 2}\n");
        assert_eq!(up.containers[1].host, "a-2");
        assert_eq!(up.containers[1].names[..2], ["a", "docker-a-2"]);
        assert_eq!(up.containers[1].hostname.len(), 12);
    }

    #[test]
    fn what_an_image_refuses() {
        let up = up(
            "services:\n  k:\n    image: confluentinc/cp-kafka:7.5.0\n    environment: {KAFKA_ADVERTISED_PORT: 9092}\n",
        );
        let text = "advertised.port is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.";
        assert_eq!(up.containers[0].refused.as_deref(), Some(text));
    }
}
