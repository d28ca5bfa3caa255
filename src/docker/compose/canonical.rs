//! Short forms become long ones, so that the rest of the loader knows one form of everything.

use super::value::{Map, Value};
use super::{ports, units, volumes};
use crate::ordered::OrderedMap;

/// Lists in which a later entry with the same key (what stands before `=`) takes the place of an earlier one.
const KEYED: [&str; 14] = [
    "annotations",
    "cap_add",
    "cap_drop",
    "dns",
    "dns_opt",
    "dns_search",
    "environment",
    "labels",
    "links",
    "profiles",
    "sysctls",
    "tmpfs",
    "ports",
    "expose",
];

/// Takes doubled entries out of a service's lists. Runs before the schema is asked.
///
/// # Errors
/// An entry that is no text.
pub fn unique(service: &mut Map, name: &str) -> Result<(), String> {
    for (index, file) in service
        .get("env_file")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if file.as_map().is_some_and(|file| !file.contains_key("path")) {
            return Err(format!(
                "environment path attribute services.{name}.env_file.[{index}] is missing"
            ));
        }
    }
    for key in KEYED {
        let Some(Value::List(items)) = service.get(key) else {
            continue;
        };
        let mut kept: Vec<(String, Value)> = Vec::new();
        let mut places: OrderedMap<String, usize> = OrderedMap::default();
        for (index, item) in items.iter().enumerate() {
            let id = identity(item, key, &format!("services.{name}.{key}.[{index}]"))?;
            match places.get(&id) {
                Some(place) => kept[*place].1 = item.clone(),
                None => {
                    places.insert(id.clone(), kept.len());
                    kept.push((id, item.clone()));
                }
            }
        }
        service.insert(
            key.into(),
            Value::List(kept.into_iter().map(|(_, item)| item).collect()),
        );
    }
    Ok(())
}

fn identity(item: &Value, list: &str, path: &str) -> Result<String, String> {
    match (item, list) {
        (Value::Str(text), "ports" | "expose") => Ok(text.clone()),
        (Value::Str(text), _) => Ok(text.split_once('=').map_or(text.as_str(), |(key, _)| key).to_string()),
        (Value::Int(number), "ports" | "expose") => Ok(number.to_string()),
        (Value::Map(port), "ports") => {
            let part = |key: &str| port.get(key).map(Value::text).unwrap_or_default();
            if !port.contains_key("target") {
                return Err(format!("service ports {path} is missing a target port"));
            }
            Ok([part("host_ip"), part("published"), part("target"), part("protocol")].join(":"))
        }
        // The schema says what is wrong with these.
        (_, "ports") => Ok(format!("{path}:{item:?}")),
        (other, _) => Err(format!("{path}: unexpected type {}", other.type_name())),
    }
}

/// Brings a service into the long form.
///
/// # Errors
/// A port, volume or command line that cannot be read.
pub fn service(service: &mut Map, name: &str) -> Result<(), String> {
    for key in ["environment", "labels", "annotations", "sysctls"] {
        to_map(
            service,
            key,
            if key == "environment" {
                Value::Null
            } else {
                Value::str("")
            },
        );
    }
    for key in ["dns", "dns_search", "tmpfs", "label_file"] {
        if let Some(Value::Str(text)) = service.get(key) {
            let list = Value::List(vec![Value::str(text.clone())]);
            service.insert(key.into(), list);
        }
    }
    for key in ["networks", "depends_on"] {
        if let Some(Value::List(items)) = service.get(key) {
            let member = |item: &Value| {
                let below = if key == "networks" {
                    Value::Null
                } else {
                    dependency("service_started", None)
                };
                (item.text(), below)
            };
            let map = Value::Map(items.iter().map(member).collect());
            service.insert(key.into(), map);
        }
    }
    if let Some(Value::Map(services)) = service.get_mut("depends_on") {
        for (_, each) in services.iter_mut() {
            if let Some(each) = each.as_map_mut() {
                each.entry("required".into()).or_insert(Value::Bool(true));
            }
        }
    }
    expand_list(service, "ports", ports::expand, true)?;
    expand_list(
        service,
        "volumes",
        |entry| volumes::expand(entry).map(|one| vec![one]),
        false,
    )?;
    for key in ["command", "entrypoint"] {
        let words = match service.get(key) {
            Some(Value::Str(text)) => {
                let words = units::split_words(text).map_err(|why| decoding(name, key, &why))?;
                Value::List(words.into_iter().map(Value::Str).collect())
            }
            _ => continue,
        };
        service.insert(key.into(), words);
    }
    if let Some(Value::Str(context)) = service.get("build") {
        let build = Value::map([("context", Value::str(context.clone()))]);
        service.insert("build".into(), build);
    }
    if let Some(build) = service.get_mut("build").and_then(Value::as_map_mut) {
        build.entry("context".into()).or_insert(Value::str("."));
        to_map(build, "args", Value::Null);
        to_map(build, "labels", Value::str(""));
    }
    if let Some(deploy) = service.get_mut("deploy").and_then(Value::as_map_mut) {
        to_map(deploy, "labels", Value::str(""));
    }
    env_files(service);
    healthcheck(service);
    for key in ["secrets", "configs"] {
        mounts(service, key);
    }
    devices(service);
    extra_hosts(service, name)
}

/// What the loader says of a value that its model cannot hold.
pub fn decoding(service: &str, key: &str, why: &str) -> String {
    format!("decoding failed due to the following error(s):\n\n'services[{service}].{key}' {why}")
}

/// A dependency in the long form; `restart` if it is an implied one.
pub fn dependency(condition: &str, restart: Option<bool>) -> Value {
    Value::map([
        ("condition", Value::str(condition)),
        ("restart", restart.map_or(Value::Null, Value::Bool)),
        ("required", Value::Bool(true)),
    ])
}

/// `A=1` in a list becomes `A: "1"`, scalars become text; an entry without a value gets `bare`.
pub fn to_map(owner: &mut Map, key: &str, bare: Value) {
    let text = |value: &Value| match value {
        Value::Null => bare.clone(),
        value => Value::Str(value.text()),
    };
    let map: Map = match owner.get(key) {
        Some(Value::List(items)) => items
            .iter()
            .map(|item| {
                let item = item.text();
                match item.split_once('=') {
                    Some((name, value)) => (name.to_string(), Value::str(value)),
                    None => (item, bare.clone()),
                }
            })
            .collect(),
        Some(Value::Map(map)) => map.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        _ => return,
    };
    owner.insert(key.into(), Value::Map(map));
}

fn expand_list(
    service: &mut Map,
    key: &str,
    expand: impl Fn(&str) -> Result<Vec<Value>, String>,
    port: bool,
) -> Result<(), String> {
    let Some(Value::List(items)) = service.get(key) else {
        return Ok(());
    };
    let mut all: Vec<Value> = Vec::new();
    for item in items {
        match item {
            Value::Map(map) => {
                let mut map = map.clone();
                if port {
                    map.entry("mode".into()).or_insert(Value::str("ingress"));
                    map.entry("protocol".into()).or_insert(Value::str("tcp"));
                }
                all.push(Value::Map(map));
            }
            scalar => all.extend(expand(&scalar.text())?),
        }
    }
    let mut kept: OrderedMap<String, usize> = OrderedMap::default();
    let mut list: Vec<Value> = Vec::new();
    for item in all {
        let id = if port {
            identity(&item, key, key)?
        } else {
            target_of(&item)
        };
        match kept.get(&id) {
            Some(place) => list[*place] = item,
            None => {
                kept.insert(id, list.len());
                list.push(item);
            }
        }
    }
    service.insert(key.into(), Value::List(list));
    Ok(())
}

fn target_of(volume: &Value) -> String {
    let target = volume.at(&["target"]).map(Value::text);
    target.unwrap_or_default()
}

fn env_files(service: &mut Map) {
    let entry = |item: &Value| match item {
        Value::Map(map) => {
            let mut map = map.clone();
            map.entry("required".into()).or_insert(Value::Bool(true));
            Value::Map(map)
        }
        path => Value::map([("path", path.clone()), ("required", Value::Bool(true))]),
    };
    let files = match service.get("env_file") {
        Some(Value::List(items)) => items.iter().map(entry).collect(),
        Some(path @ Value::Str(_)) => vec![entry(path)],
        _ => return,
    };
    service.insert("env_file".into(), Value::List(files));
}

fn healthcheck(service: &mut Map) {
    let Some(check) = service.get_mut("healthcheck").and_then(Value::as_map_mut) else {
        return;
    };
    if let Some(Value::Str(test)) = check.get("test") {
        let test = Value::List(vec![Value::str("CMD-SHELL"), Value::str(test.clone())]);
        check.insert("test".into(), test);
    }
}

fn mounts(service: &mut Map, key: &str) {
    let Some(Value::List(items)) = service.get(key) else {
        return;
    };
    let long = |item: &Value| {
        let mut map = match item {
            Value::Map(map) => map.clone(),
            source => [("source".to_string(), source.clone())].into_iter().collect(),
        };
        // File modes are read and shown as octal numbers.
        if let Some(Value::Int(mode)) = map.get("mode") {
            let mode = Value::Str(format!("0{mode:o}"));
            map.insert("mode".into(), mode);
        }
        if key == "secrets" && !map.contains_key("target") {
            let source = map.get("source").map(Value::text).unwrap_or_default();
            map.insert("target".into(), Value::Str(format!("/run/secrets/{source}")));
        }
        Value::Map(map)
    };
    let list = Value::List(items.iter().map(long).collect());
    service.insert(key.into(), list);
}

/// `SOURCE[:TARGET[:PERMISSIONS]]`.
fn devices(service: &mut Map) {
    let Some(Value::List(items)) = service.get("devices") else {
        return;
    };
    let long = |item: &Value| match item {
        Value::Str(text) => {
            let mut parts = text.split(':');
            let source = parts.next().unwrap_or_default();
            let target = parts.next().unwrap_or(source);
            Value::map([
                ("source", Value::str(source)),
                ("target", Value::str(target)),
                ("permissions", Value::str(parts.next().unwrap_or("rwm"))),
            ])
        }
        map => map.clone(),
    };
    let list = Value::List(items.iter().map(long).collect());
    service.insert("devices".into(), list);
}

fn extra_hosts(service: &mut Map, name: &str) -> Result<(), String> {
    let bare = |address: &str| address.trim().trim_start_matches('[').trim_end_matches(']').to_string();
    let hosts: Vec<Value> = match service.get("extra_hosts") {
        Some(Value::List(items)) => items
            .iter()
            .map(|item| {
                let item = item.text();
                match item.split_once(['=', ':']) {
                    Some((host, address)) => Ok(Value::Str(format!("{host}={}", bare(address)))),
                    None => {
                        let why = format!("invalid additional host, missing IP: {item}");
                        Err(decoding(name, "extra_hosts", &why))
                    }
                }
            })
            .collect::<Result<_, _>>()?,
        Some(Value::Map(map)) => {
            let line = |host: &str, address: &Value| Value::Str(format!("{host}={}", bare(&address.text())));
            map.iter()
                .flat_map(|(host, address)| match address {
                    Value::List(all) => all.iter().map(|address| line(host, address)).collect(),
                    one => vec![line(host, one)],
                })
                .collect()
        }
        _ => return Ok(()),
    };
    service.insert("extra_hosts".into(), Value::List(hosts));
    Ok(())
}
