//! Whether the parts of a project fit together.

use super::each;
use super::value::{Map, Value};

/// Checks the project; `all` are its services with those that no active profile has.
///
/// # Errors
/// The first thing that does not fit, in the loader's words.
pub fn check(file: &Map, all: &Map) -> Result<(), String> {
    for (name, service) in each(file, "services") {
        one(name, service, file, all)?;
    }
    cycle(file)
}

const INVALID: &str = ": invalid compose project";

fn one(name: &str, service: &Map, file: &Map, all: &Map) -> Result<(), String> {
    let text = |key: &str| service.get(key).map(Value::text).unwrap_or_default();
    let says = |what: String| Err(format!("service {name:?} {what}{INVALID}"));
    if !service.contains_key("build") && text("image").is_empty() && !service.contains_key("provider") {
        return says("has neither an image nor a build context specified".into());
    }
    let networks = service.get("networks").and_then(Value::as_map);
    if !text("network_mode").is_empty() && networks.is_some_and(|networks| !networks.is_empty()) {
        return Err(format!(
            "service {name} declares mutually exclusive `network_mode` and `networks`{INVALID}"
        ));
    }
    for network in networks.into_iter().flatten().map(|(network, _)| network) {
        if !declared(file, "networks", network) {
            return says(format!("refers to undefined network {network}"));
        }
    }
    if let Some([first, ..]) = service
        .get("healthcheck")
        .and_then(|check| check.at(&["test"])?.as_list())
        && !matches!(first.as_str(), Some("CMD" | "CMD-SHELL" | "NONE"))
    {
        return Err("healthcheck.test must start either by \"CMD\", \"CMD-SHELL\" or \"NONE\"".into());
    }
    for (other, how) in service.get("depends_on").and_then(Value::as_map).into_iter().flatten() {
        let optional = how.at(&["required"]) == Some(&Value::Bool(false));
        let known = declared(file, "services", other) || (optional && all.contains_key(other));
        if !known {
            return says(format!("depends on undefined service {other:?}"));
        }
    }
    for (list, kind, what) in [
        ("volumes", "volumes", "volume"),
        ("configs", "configs", "config"),
        ("secrets", "secrets", "secret"),
    ] {
        for mount in service.get(list).and_then(Value::as_list).unwrap_or_default() {
            let part = |key: &str| mount.at(&[key]).map(Value::text).unwrap_or_default();
            let named = list != "volumes" || (part("type") == "volume" && !part("source").is_empty());
            if named && !declared(file, kind, &part("source")) {
                return says(format!("refers to undefined {what} {}", part("source")));
            }
        }
    }
    scale(name, service)
}

fn declared(file: &Map, kind: &str, name: &str) -> bool {
    let all = file.get(kind).and_then(Value::as_map);
    all.is_some_and(|all| all.contains_key(name))
}

fn scale(name: &str, service: &Map) -> Result<(), String> {
    let number = |value: Option<&Value>| match value {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let deploy = service.get("deploy");
    let scale = number(service.get("scale"));
    let replicas = number(deploy.and_then(|deploy| deploy.at(&["replicas"])));
    if let (Some(scale), Some(replicas)) = (scale, replicas)
        && scale != replicas
    {
        return Err(format!(
            "services.{name}: can't set distinct values on 'scale' and 'deploy.replicas'{INVALID}"
        ));
    }
    for (value, key) in [(scale, "scale"), (replicas, "deploy.replicas")] {
        if value.is_some_and(|value| value < 0) {
            return Err(format!("services.{name}.{key}: must be greater than or equal to 0"));
        }
    }
    let container = service.get("container_name").map(Value::text).unwrap_or_default();
    if scale.or(replicas).unwrap_or(1) > 1 && !container.is_empty() {
        let key = if scale.is_some() { "scale" } else { "deploy.replicas" };
        return Err(format!(
            "services.{key}: can't set container_name and {name} as container name must be unique{INVALID}"
        ));
    }
    Ok(())
}

/// Follows the dependencies from each service in order.
fn cycle(file: &Map) -> Result<(), String> {
    let mut done: Vec<&str> = Vec::new();
    for (name, _) in each(file, "services") {
        let mut way = Vec::new();
        follow(file, name, &mut way, &mut done)?;
    }
    Ok(())
}

/// A chain of dependencies longer than this is not followed to its end.
const LONGEST: usize = 500;

fn follow<'a>(file: &'a Map, name: &'a str, way: &mut Vec<&'a str>, done: &mut Vec<&'a str>) -> Result<(), String> {
    if let Some(from) = way.iter().position(|before| *before == name) {
        let mut around = way[from..].to_vec();
        around.push(name);
        return Err(format!("dependency cycle detected: {}", around.join(" -> ")));
    }
    if done.contains(&name) || way.len() > LONGEST {
        return Ok(());
    }
    way.push(name);
    let service = file.get("services").and_then(|services| services.at(&[name]));
    let needed = service
        .and_then(|service| service.at(&["depends_on"]))
        .and_then(Value::as_map);
    for (other, _) in needed.into_iter().flatten() {
        follow(file, other, way, done)?;
    }
    way.pop();
    done.push(name);
    Ok(())
}
