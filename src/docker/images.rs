//! How the images of Kafka make `server.properties` of environment variables.
//!
//! Rules: the setup class of apache/kafka 4.3.1 and the start script of wurstmeister/kafka (commit 901c084).

use crate::ordered::OrderedMap;

/// Variables of a container, or keys of a properties file.
pub type Pairs = OrderedMap<String, String>;

/// Variables of apache/kafka that are no properties.
const APACHE_OTHERS: [&str; 11] = [
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_JMX_HOSTNAME",
];

/// The file that the image ships, as far as it concerns listeners and roles: taken only if there is no variable.
pub const APACHE_DEFAULT: [(&str, &str); 7] = [
    ("advertised.listeners", "PLAINTEXT://localhost:9092"),
    ("controller.listener.names", "CONTROLLER"),
    ("controller.quorum.voters", "1@localhost:9093"),
    ("inter.broker.listener.name", "PLAINTEXT"),
    ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
    ("node.id", "1"),
    ("process.roles", "broker,controller"),
];

/// The key of a variable in apache/kafka: `_` is a dot, `__` an underscore, `___` a dash. None: no property.
pub fn apache_key(variable: &str) -> Option<String> {
    let name = variable.strip_prefix("KAFKA_")?;
    if APACHE_OTHERS.contains(&variable) || name.is_empty() {
        return None;
    }
    let dotted = name.to_lowercase().replace('_', ".");
    Some(dotted.replace("...", "-").replace("..", "_"))
}

/// What apache/kafka writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apache {
    /// The shipped file was taken: all or nothing.
    pub default_file_used: bool,
    /// Lines `key=value` in the order of the file; the last line of a key counts.
    pub lines: Vec<String>,
}

/// `server.properties` of apache/kafka; `mounted` is a file that the user put beside it.
pub fn apache(variables: &Pairs, mounted: Option<&str>) -> Apache {
    let written: Vec<(String, &String)> = variables
        .iter()
        .filter_map(|(name, value)| Some((apache_key(name)?, value)))
        .collect();
    let default_file_used = written.is_empty() && mounted.is_none();
    let mut lines: Vec<String> = mounted.into_iter().flat_map(str::lines).map(String::from).collect();
    if default_file_used {
        lines.extend(APACHE_DEFAULT.iter().map(|(key, value)| format!("{key}={value}")));
    }
    lines.extend(written.iter().map(|(key, value)| format!("{key}={value}")));
    Apache {
        default_file_used,
        lines,
    }
}

/// What the run script of apache/kafka adds before: listeners are derived from the advertised ones, on all addresses.
pub fn apache_listeners(variables: &Pairs) -> Option<String> {
    if variables.contains_key("KAFKA_LISTENERS") {
        return None;
    }
    let advertised = variables.get("KAFKA_ADVERTISED_LISTENERS")?;
    let everywhere = advertised
        .split(',')
        .map(|one| match (one.split_once("://"), one.rsplit_once(':')) {
            (Some((name, _)), Some((_, port))) => format!("{name}://0.0.0.0:{port}"),
            _ => one.to_string(),
        });
    Some(everywhere.collect::<Vec<String>>().join(","))
}

/// The file that wurstmeister/kafka edits, as far as the rules look at it.
pub const WURSTMEISTER_TEMPLATE: [&str; 5] = [
    "broker.id=0",
    "#listeners=PLAINTEXT://:9092",
    "#advertised.listeners=PLAINTEXT://your.host.name:9092",
    "log.retention.hours=168",
    "zookeeper.connect=localhost:2181",
];

/// Variables of wurstmeister/kafka that are no properties, and not even mentioned when left out.
const WURSTMEISTER_SILENT: [&str; 2] = ["KAFKA_CREATE_TOPICS", "KAFKA_HEAP_OPTS"];
const WURSTMEISTER_OTHERS: [&str; 8] = [
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_LOG",
    "KAFKA_DEBUG",
    "KAFKA_HOME",
    "KAFKA_VERSION",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
];

/// What wurstmeister/kafka makes of its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wurstmeister {
    /// 0, or 1 if it refuses to start.
    pub exit: i32,
    pub lines: Vec<String>,
    /// What it prints; the order of the variables is the shell's.
    pub output: Vec<String>,
}

/// `server.properties` of wurstmeister/kafka in the container `hostname`; `said` is what `HOSTNAME_COMMAND` printed.
pub fn wurstmeister(variables: &Pairs, hostname: &str, said: Option<&str>) -> Wurstmeister {
    let mut env = variables.clone();
    let mut made = Wurstmeister {
        exit: 0,
        lines: WURSTMEISTER_TEMPLATE.map(String::from).to_vec(),
        output: Vec::new(),
    };
    let filled = |env: &Pairs, name: &str| env.get(name).is_some_and(|value| !value.is_empty());
    let refuse = |mut made: Wurstmeister, lines: &[&str], topics: Option<String>| {
        made.exit = 1;
        made.output.extend(lines.iter().map(|line| (*line).to_string()));
        made.output.extend(topics);
        made
    };
    if !filled(&env, "KAFKA_ZOOKEEPER_CONNECT") {
        return refuse(
            made,
            &["ERROR: missing mandatory config: KAFKA_ZOOKEEPER_CONNECT"],
            None,
        );
    }
    let topics = format!(
        "topics: {}",
        env.get("KAFKA_CREATE_TOPICS").cloned().unwrap_or_default()
    );
    env.entry("KAFKA_PORT".into()).or_insert("9092".into());
    if !filled(&env, "KAFKA_ADVERTISED_PORT") && filled(&env, "KAFKA_ADVERTISED_HOST_NAME") && said.is_some() {
        env.entry("KAFKA_ADVERTISED_PORT".into()).or_insert("9092".into());
    }
    env.entry("KAFKA_BROKER_ID".into()).or_insert("-1".into());
    env.entry("KAFKA_LOG_DIRS".into())
        .or_insert(format!("/kafka/kafka-logs-{hostname}"));
    if let Some(said) = said {
        for (_, value) in env.iter_mut() {
            *value = value.replace("_{HOSTNAME_COMMAND}", said);
        }
    }
    if !filled(&env, "KAFKA_LISTENERS") {
        if filled(&env, "KAFKA_ADVERTISED_LISTENERS") {
            let what = "ERROR: Missing environment variable KAFKA_LISTENERS. \
                        Must be specified when using KAFKA_ADVERTISED_LISTENERS";
            return refuse(made, &[what], Some(topics));
        }
        if let Some(said) = said
            && !filled(&env, "KAFKA_ADVERTISED_HOST_NAME")
        {
            env.insert("KAFKA_ADVERTISED_HOST_NAME".into(), said.into());
        }
        if !filled(&env, "KAFKA_ADVERTISED_HOST_NAME") {
            let what = [
                "ERROR: No listener or advertised hostname configuration provided in environment.",
                "       Please define KAFKA_LISTENERS / (deprecated) KAFKA_ADVERTISED_HOST_NAME",
            ];
            return refuse(made, &what, Some(topics));
        }
    }
    env.insert("KAFKA_HOME".into(), "<home>".into());
    env.insert("KAFKA_VERSION".into(), String::new());
    made.output.push(topics);
    for (name, value) in env.iter().filter(|(name, _)| name.starts_with("KAFKA_")) {
        if WURSTMEISTER_SILENT.contains(&name.as_str()) {
            continue;
        }
        if WURSTMEISTER_OTHERS.contains(&name.as_str()) {
            made.output.push(format!("Excluding {name} from broker config"));
            continue;
        }
        let key = wurstmeister_key(name);
        made.output
            .push(format!("[Configuring] '{key}' in '<home>/config/server.properties'"));
        replace(&mut made.lines, &key, value);
    }
    made
}

/// The key of a variable in wurstmeister/kafka: every `_` is a dot.
pub fn wurstmeister_key(variable: &str) -> String {
    variable.trim_start_matches("KAFKA_").to_lowercase().replace('_', ".")
}

/// Takes the place of the key's line, commented out or not, or stands at the end.
fn replace(lines: &mut Vec<String>, key: &str, value: &str) {
    let line = format!("{key}={value}");
    let place = lines.iter().position(|line| {
        let line = line.strip_prefix('#').unwrap_or(line);
        line.strip_prefix(key).is_some_and(|rest| rest.starts_with('='))
    });
    match place {
        Some(place) => lines[place] = line,
        None => lines.push(line),
    }
}

/// `server.properties` of bitnami/kafka: `KAFKA_CFG_X_Y` is `x.y`, besides a few that need no `CFG`.
pub fn bitnami(variables: &Pairs) -> Pairs {
    const ALIASES: [&str; 8] = [
        "ADVERTISED_LISTENERS",
        "BROKER_ID",
        "CONTROLLER_LISTENER_NAMES",
        "CONTROLLER_QUORUM_VOTERS",
        "INTER_BROKER_LISTENER_NAME",
        "LISTENERS",
        "NODE_ID",
        "PROCESS_ROLES",
    ];
    let key = |name: &str| {
        let dotted = name.to_lowercase().replace('_', ".");
        dotted
            .replace("sasl.ssl", "sasl_ssl")
            .replace("sasl.plaintext", "sasl_plaintext")
    };
    let mut made = Pairs::default();
    for (variable, value) in variables {
        let Some(name) = variable.strip_prefix("KAFKA_") else {
            continue;
        };
        if let Some(name) = name.strip_prefix("CFG_") {
            made.insert(key(name), value.clone());
        } else if ALIASES.contains(&name) {
            made.entry(key(name)).or_insert(value.clone());
        }
    }
    made
}
