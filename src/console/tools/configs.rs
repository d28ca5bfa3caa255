//! `kafka-configs.sh`: settings of topics, brokers and groups. [kafka.admin.ConfigCommand]

use super::topics;
use crate::console::desk::{Desk, Run, Stop};
use crate::console::failure::{Done, Failure};
use crate::console::java;
use crate::console::options::Options;
use crate::kafka::client::admin::AdminCall;
use crate::kafka::client::call::{Answer, ClientError};
use crate::kafka::protocol::admin::{AlterOp, ConfigResource};
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

const TYPES: [&str; 8] = [
    "topics",
    "clients",
    "users",
    "brokers",
    "broker-loggers",
    "ips",
    "client-metrics",
    "groups",
];

/// Short options: type, name, the one for defaults.
const SHORT: [(&str, &str, &str); 8] = [
    ("topics", "topic", ""),
    ("clients", "client", "client-defaults"),
    ("users", "user", "user-defaults"),
    ("brokers", "broker", "broker-defaults"),
    ("broker-loggers", "broker-logger", ""),
    ("ips", "ip", "ip-defaults"),
    ("client-metrics", "client-metrics", ""),
    ("groups", "group", ""),
];

fn terse<T>(text: &str) -> Done<T> {
    Err(Failure::Terse(text.to_string()))
}

fn thrown(error: ClientError) -> Failure {
    Failure::Thrown(java::execution(error))
}

pub fn run(desk: &mut Desk) -> Run<()> {
    match act(desk) {
        Ok(()) => Ok(()),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Terse(text)) => {
            desk.err(&text);
            Err(Stop::Exit(1))
        }
        Err(Failure::Thrown(error)) => {
            let words = desk.words.join(" ");
            desk.err(&format!("Error while executing config command with args '{words}'"));
            desk.err_text(&java::trace(&error));
            Err(Stop::Exit(1))
        }
    }
}

/// What the command is about: its type, and a name (empty: the default of all).
struct Entity {
    kind: String,
    name: Option<String>,
}

fn act(desk: &mut Desk) -> Done<()> {
    let options = Options::read(desk.usage, desk.words)?;
    desk.help_or_version(
        &options,
        "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, \
         client-metrics or group",
    )?;
    let entity = check(desk, &options)?;
    let alter = options.has("alter");
    let mut config = OrderedMap::new();
    if alter {
        config.insert("default.api.timeout.ms".to_string(), "30000".to_string());
    }
    let servers = options.all("bootstrap-server").join(",");
    let admin = match desk.open_admin(&servers, "adminclient-1", config)? {
        Ok(admin) => admin,
        Err(error) => return Err(Failure::Thrown(error)),
    };
    match alter {
        true => change(desk, &options, admin, &entity),
        false => describe(desk, &options, admin, &entity),
    }
}

/// [ConfigCommandOptions.checkArgs]
fn check(desk: &mut Desk, options: &Options) -> Done<Entity> {
    if options.has("alter") == options.has("describe") {
        return Err(desk
            .usage("Command must include exactly one action: --describe, --alter")
            .into());
    }
    desk.refuse(options, "describe", &["add-config", "delete-config"])?;
    let mut kinds: Vec<String> = options.all("entity-type").into_iter().map(Into::into).collect();
    let mut names: Vec<String> = options.all("entity-name").into_iter().map(Into::into).collect();
    names.extend(options.has("entity-default").then(String::new));
    let long = !kinds.is_empty() || !names.is_empty();
    let mut short = false;
    for (kind, name, defaults) in SHORT {
        if options.has(name) {
            kinds.push(kind.into());
            names.extend(options.all(name).into_iter().map(Into::into));
            short = true;
        } else if !defaults.is_empty() && options.has(defaults) {
            kinds.push(kind.into());
            names.push(String::new());
            short = true;
        }
    }
    if !options.has("bootstrap-server") && !options.has("bootstrap-controller") {
        return terse("Either --bootstrap-server or --bootstrap-controller must be specified.");
    }
    if let Some(kind) = kinds.iter().find(|kind| !TYPES.contains(&kind.as_str())) {
        return terse(&format!(
            "Invalid entity type {kind}, the entity type must be one of {} with a --bootstrap-server or \
             --bootstrap-controller argument",
            TYPES.join(", ")
        ));
    }
    let Some(kind) = kinds.first().cloned() else {
        return terse("At least one entity type must be specified");
    };
    if long && short {
        return terse("--entity-{type,name,default} should not be used in conjunction with specific entity flags");
    }
    if options.has("bootstrap-server") && options.has("bootstrap-controller") {
        return terse("Only one of --bootstrap-server or --bootstrap-controller can be specified");
    }
    let name = names.into_iter().next();
    check_name(options, &kind, name.as_deref())?;
    Ok(Entity { kind, name })
}

fn check_name(options: &Options, kind: &str, name: Option<&str>) -> Done<()> {
    let given = name.filter(|name| !name.is_empty());
    if let (Some(id), "brokers" | "broker-loggers") = (given, kind)
        && id.parse::<i32>().is_err()
    {
        return terse(&format!(
            "The entity name for {kind} must be a valid integer broker id, but it is: {id}"
        ));
    }
    if options.has("describe") {
        return match (kind, options.has("entity-default")) {
            ("topics" | "groups" | "client-metrics" | "broker-loggers", true) => terse(&format!(
                "--entity-default must not be specified with --describe of {kind}"
            )),
            _ => Ok(()),
        };
    }
    match (kind, name) {
        ("users" | "clients" | "brokers" | "ips", None) => {
            terse("An entity-name or default entity must be specified with --alter of users, clients, brokers or ips")
        }
        ("users" | "clients" | "brokers" | "ips", _) => Ok(()),
        _ if given.is_none() => terse(&format!("An entity name must be specified with --alter of {kind}")),
        _ if !["add-config", "add-config-file", "delete-config"]
            .iter()
            .any(|name| options.has(name)) =>
        {
            terse("At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter")
        }
        _ => Ok(()),
    }
}

fn resource(kind: &str, name: &str) -> Done<ConfigResource> {
    match kind {
        "topics" => Ok(ConfigResource::Topic(name.into())),
        "brokers" => Ok(ConfigResource::Broker(name.into())),
        "groups" => Ok(ConfigResource::Group(name.into())),
        kind => terse(&format!("Configs of {kind} are not here yet")),
    }
}

/// The type without its plural.
fn single(kind: &str) -> &str {
    kind.strip_suffix('s').unwrap_or(kind)
}

// ---- alter ----

/// `k=v,k=[a,b]`. [parseConfigsToBeAdded]
fn additions(text: &str) -> Done<Vec<(String, String)>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in text.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ',' if !inside => parts.push(String::new()),
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    let mut all = Vec::new();
    for part in parts {
        let Some((key, value)) = part.split_once('=') else {
            return terse(
                "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" \
                 or  \"key=[val1,val2]\" to group values which contain commas.",
            );
        };
        let key = key.trim();
        let fits = |c: char| c.is_ascii_alphanumeric() || "$._-".contains(c);
        if !key.chars().all(fits) {
            return terse(&format!("Invalid character found for config key: {key}"));
        }
        all.push((key.to_string(), value.trim().to_string()));
    }
    Ok(all)
}

fn change(desk: &mut Desk, options: &Options, admin: usize, entity: &Entity) -> Done<()> {
    let name = entity.name.clone().unwrap_or_default();
    let mut ops: Vec<(Rc<str>, AlterOp)> = Vec::new();
    for list in options.all("delete-config") {
        let keys = list.split(',').map(str::trim).filter(|key| !key.is_empty());
        ops.extend(keys.map(|key| (key.into(), AlterOp::Delete)));
    }
    let mut added = Vec::new();
    if let Some(file) = options.one("add-config-file")? {
        added.extend(super::producer::properties(desk.file(file).unwrap_or_default()));
    }
    if let Some(text) = options.one("add-config")? {
        added.extend(additions(text)?);
    }
    ops.extend(
        added
            .into_iter()
            .map(|(key, value)| (key.into(), AlterOp::Set(value.into()))),
    );
    let resource = resource(&entity.kind, &name)?;
    let what = AdminCall::AlterConfigs { resource, ops };
    desk.admin(admin, what)?.map_err(thrown)?;
    match name.is_empty() {
        false => desk.say(&format!(
            "Completed updating config for {} {name}.",
            single(&entity.kind)
        )),
        true => desk.say(&format!(
            "Completed updating default config for {} in the cluster.",
            entity.kind
        )),
    }
    Ok(())
}

// ---- describe ----

fn broker_ids(desk: &mut Desk, admin: usize) -> Done<Vec<String>> {
    let what = AdminCall::DescribeCluster { include_fenced: false };
    let answer = desk.admin(admin, what)?.map_err(thrown)?;
    Ok(match &*answer {
        Answer::Cluster { brokers, .. } => brokers.iter().map(|(id, _)| id.to_string()).collect(),
        _ => Vec::new(),
    })
}

fn group_names(desk: &mut Desk, admin: usize) -> Done<Vec<String>> {
    let answer = desk.admin(admin, AdminCall::ListGroups)?.map_err(thrown)?;
    Ok(match &*answer {
        Answer::Groups(all) => all.iter().map(|group| group.0.to_string()).collect(),
        _ => Vec::new(),
    })
}

/// All entities of a type, in the tool's order; the default of brokers is an empty name.
fn entities(desk: &mut Desk, admin: usize, kind: &str) -> Done<Vec<String>> {
    match kind {
        "topics" => {
            let all = topics::all_topics(desk, admin)?.map_err(thrown)?;
            let names = all.into_iter().map(|(name, _)| name.to_string()).collect();
            Ok(java::names_in_hash_order(names, 16))
        }
        "brokers" => {
            let mut ids = broker_ids(desk, admin)?;
            ids.push(String::new());
            Ok(ids)
        }
        "groups" => group_names(desk, admin),
        kind => terse(&format!("Configs of {kind} are not here yet")),
    }
}

/// [describeResourceConfig]
fn describe(desk: &mut Desk, options: &Options, admin: usize, entity: &Entity) -> Done<()> {
    let all = options.has("all");
    let kind = entity.kind.as_str();
    let names = match &entity.name {
        None => entities(desk, admin, kind)?,
        Some(name) => {
            let known = entities(desk, admin, kind)?;
            if !all && !known.contains(name) {
                desk.say(&format!(
                    "The {} '{name}' doesn't exist and doesn't have dynamic config.",
                    single(kind)
                ));
                return Ok(());
            }
            vec![name.clone()]
        }
    };
    for name in names {
        match name.is_empty() {
            true => desk.say(&format!("Default configs for {kind} in the cluster are:")),
            false => {
                let which = if all { "All" } else { "Dynamic" };
                desk.say(&format!("{which} configs for {} {name} are:", single(kind)));
            }
        }
        settings(desk, admin, kind, &name, all)?;
    }
    Ok(())
}

/// [getResourceConfig]
fn settings(desk: &mut Desk, admin: usize, kind: &str, name: &str, all: bool) -> Done<()> {
    let source = match (kind, name) {
        ("topics", _) => "DYNAMIC_TOPIC_CONFIG",
        ("brokers", "") => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ("brokers", _) => "DYNAMIC_BROKER_CONFIG",
        _ => "DYNAMIC_GROUP_CONFIG",
    };
    let what = AdminCall::DescribeConfigs {
        resource: resource(kind, name)?,
        keys: None,
    };
    let answer = desk.admin(admin, what)?.map_err(thrown)?;
    let Answer::Configs(found) = &*answer else {
        return Ok(());
    };
    let mut configs: Vec<_> = found
        .iter()
        .map(|c| &c.0)
        .filter(|c| all || c.source == source)
        .collect();
    configs.sort_small_by_key(|config| config.name.clone());
    let shown = |value: &Option<Rc<str>>| value.as_deref().unwrap_or("null").to_string();
    for config in configs {
        let synonyms: Vec<String> = config
            .synonyms
            .iter()
            .map(|(source, name, value)| format!("{source}:{name}={}", shown(value)))
            .collect();
        desk.say(&format!(
            "  {}={} sensitive=false synonyms={{{}}}",
            config.name,
            shown(&config.value),
            synonyms.join(", ")
        ));
    }
    Ok(())
}
