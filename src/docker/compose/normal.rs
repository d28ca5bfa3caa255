//! What a project has without saying it: the default network, real names, implied dependencies, full paths.

use super::canonical::dependency;
use super::units::clean;
use super::value::{Map, Value};
use super::{Options, each_mut};

/// Makes relative paths full ones.
pub fn paths(file: &mut Map, options: &Options) {
    for service in each_mut(file, "services") {
        if let Some(build) = service.get_mut("build").and_then(Value::as_map_mut) {
            let remote =
                |path: &str| path.contains("://") || path.starts_with("git@") || path.starts_with("github.com/");
            resolve(build, "context", options, remote);
        }
        for (list, key) in [("volumes", "source"), ("env_file", "path")] {
            if let Some(Value::List(items)) = service.get_mut(list) {
                for item in items.iter_mut().filter_map(Value::as_map_mut) {
                    let bind = item.get("type").is_none_or(|kind| kind.text() == "bind");
                    if bind {
                        resolve(item, key, options, |_| false);
                    }
                }
            }
        }
    }
    for kind in ["configs", "secrets"] {
        for each in each_mut(file, kind) {
            resolve(each, "file", options, |_| false);
        }
    }
}

fn resolve(owner: &mut Map, key: &str, options: &Options, leave: impl Fn(&str) -> bool) {
    let Some(Value::Str(path)) = owner.get(key) else { return };
    if path.is_empty() || leave(path) {
        return;
    }
    let full = match path.strip_prefix('~') {
        Some(rest) => clean(&format!("{}/{rest}", options.home)),
        None if path.starts_with('/') => path.clone(),
        None => {
            // The folder's own name is kept as it was given.
            let inside = clean(path);
            match inside.as_str() {
                "." => options.folder.clone(),
                inside => format!("{}/{inside}", options.folder),
            }
        }
    };
    owner.insert(key.into(), Value::Str(full));
}

/// Fills in what the file leaves to the loader.
pub fn project(file: &mut Map, options: &Options) {
    networks(file);
    for service in each_mut(file, "services") {
        if service
            .get("pull_policy")
            .is_some_and(|policy| policy.text() == "if_not_present")
        {
            service.insert("pull_policy".into(), Value::str("missing"));
        }
        if let Some(build) = service.get_mut("build").and_then(Value::as_map_mut) {
            if !build.contains_key("dockerfile_inline") {
                build.entry("dockerfile".into()).or_insert(Value::str("Dockerfile"));
            }
            from_environment(build, "args", options, false);
        }
        from_environment(service, "environment", options, true);
        depend(service);
    }
    names(file, &options.project);
}

/// An entry without a value gets the caller's; without one there either it stays empty or goes.
fn from_environment(owner: &mut Map, key: &str, options: &Options, keep: bool) {
    let Some(Value::Map(map)) = owner.get(key) else { return };
    let resolved = map
        .iter()
        .filter_map(|(name, value)| match (value, options.environment.get(name)) {
            (Value::Null, Some(given)) => Some((name.clone(), Value::str(given.clone()))),
            (Value::Null, None) if !keep => None,
            _ => Some((name.clone(), value.clone())),
        })
        .collect();
    owner.insert(key.into(), Value::Map(resolved));
}

/// `links`, `network_mode: service:X` and the like imply a dependency.
fn depend(service: &mut Map) {
    let mut implied: Vec<(String, bool)> = Vec::new();
    for link in service.get("links").and_then(Value::as_list).unwrap_or_default() {
        let link = link.text();
        implied.push((link.split(':').next().unwrap_or_default().to_string(), true));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(shared) = service.get(key).and_then(Value::as_str)
            && let Some(other) = shared.strip_prefix("service:")
        {
            implied.push((other.to_string(), true));
        }
    }
    for from in service.get("volumes_from").and_then(Value::as_list).unwrap_or_default() {
        let from = from.text();
        if !from.starts_with("container:") {
            implied.push((from.split(':').next().unwrap_or_default().to_string(), false));
        }
    }
    if implied.is_empty() {
        return;
    }
    let mut needed = match service.get("depends_on") {
        Some(Value::Map(map)) => map.clone(),
        _ => Map::default(),
    };
    for (other, restart) in implied {
        needed
            .entry(other)
            .or_insert(dependency("service_started", Some(restart)));
    }
    service.insert("depends_on".into(), Value::Map(needed));
}

fn networks(file: &mut Map) {
    let mut uses_default = false;
    for service in each_mut(file, "services") {
        if service.contains_key("network_mode") || service.contains_key("provider") {
            continue;
        }
        match service.get("networks").and_then(Value::as_map) {
            Some(members) if !members.is_empty() => uses_default |= members.contains_key("default"),
            _ => {
                service.insert("networks".into(), Value::map([("default", Value::Null)]));
                uses_default = true;
            }
        }
    }
    if uses_default {
        let networks = file.entry("networks".into()).or_insert(Value::Map(Map::default()));
        if let Some(networks) = networks.as_map_mut() {
            networks.entry("default".into()).or_insert(Value::Null);
        }
    }
}

/// Real names: `PROJECT_KEY`, or the key itself for what exists outside.
fn names(file: &mut Map, project: &str) {
    for kind in ["networks", "volumes", "configs", "secrets"] {
        let Some(all) = file.get_mut(kind).and_then(Value::as_map_mut) else {
            continue;
        };
        for (key, each) in all.iter_mut() {
            if *each == Value::Null {
                *each = Value::Map(Map::default());
            }
            let Some(each) = each.as_map_mut() else { continue };
            if each.get("name").is_some_and(|name| *name != Value::Null) {
                continue;
            }
            let external = each.get("external") == Some(&Value::Bool(true));
            let name = if external {
                key.clone()
            } else {
                format!("{project}_{key}")
            };
            each.insert("name".into(), Value::Str(name));
        }
    }
}
