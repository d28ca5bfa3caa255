//! Compose files: from the text to the model that `docker compose config` would print, or to its error.
//!
//! - [`yaml`]: the text; [`value`]: what it says; [`interpolate`]: its variables.
//! - [`schema`] and [`shapes`]: what may stand where.
//! - [`canonical`] (with [`ports`], [`volumes`], [`units`]): short forms become long ones.
//! - [`normal`]: what goes without saying; [`consistency`]: whether it fits together; [`print`]: the model as text.
//!
//! Rules and texts: compose-go 2.16.2, the loader inside Docker Compose, without several files, `include`, `extends`.

pub mod canonical;
pub mod consistency;
pub mod interpolate;
pub mod normal;
pub mod ports;
pub mod print;
pub mod schema;
pub mod shapes;
#[cfg(test)]
mod tests;
pub mod units;
pub mod value;
pub mod volumes;
pub mod yaml;

use crate::ordered::OrderedMap;
use interpolate::Variables;
use value::{Map, Value};
use yaml::{Content, Mark, Node};

/// Where and for whom a file is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The file's name, for errors.
    pub file: String,
    /// The project's name: the folder's, unless said otherwise.
    pub project: String,
    /// The folder of the file, for relative paths.
    pub folder: String,
    /// The caller's home, for `~`.
    pub home: String,
    pub environment: OrderedMap<String, String>,
    pub profiles: Vec<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            file: "compose.yaml".into(),
            project: "docker".into(),
            folder: "<dir>".into(),
            home: "/root".into(),
            environment: OrderedMap::default(),
            profiles: Vec::new(),
        }
    }
}

/// A loaded project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    pub name: String,
    /// The canonical model: `services`, `networks`, `volumes`, `configs`, `secrets`, `x-...`.
    pub model: Map,
    /// Services that no active profile has.
    pub disabled: Map,
    /// Where each service stands in the file.
    pub places: OrderedMap<String, Mark>,
}

impl Project {
    /// The services that take part, by name.
    pub fn services(&self) -> impl Iterator<Item = (&str, &Map)> {
        each(&self.model, "services")
    }

    /// The model as text.
    pub fn print(&self) -> String {
        print::project(&self.name, &self.model)
    }
}

/// Why a file cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In the loader's own words.
    pub text: String,
    /// Where the cause stands, as far as that is known.
    pub mark: Mark,
}

/// What loading gave: the project or an error, and the warnings in either case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub project: Result<Project, Refused>,
    pub warnings: Vec<String>,
}

/// A text longer than this is refused (a compose file of a megabyte is none).
pub const LONGEST: usize = 1 << 20;

/// Loads a file.
pub fn load(text: &str, options: &Options) -> Loaded {
    let mut variables = Variables {
        given: &options.environment,
        warnings: Vec::new(),
    };
    let mut environment = options.environment.clone();
    environment.insert("COMPOSE_PROJECT_NAME".into(), options.project.clone());
    variables.given = &environment;
    let project = read(text, options).and_then(|root| {
        build(&root, options, &mut variables).map_err(|text| {
            let path = path_in(&text);
            let mark = root.locate(path.iter().map(String::as_str));
            Refused { text, mark }
        })
    });
    Loaded {
        project,
        warnings: variables.warnings,
    }
}

fn read(text: &str, options: &Options) -> Result<Node, Refused> {
    let top = Mark { line: 1, column: 1 };
    if text.len() > LONGEST {
        let text = format!("{} is longer than {LONGEST} bytes, the most that is read", options.file);
        return Err(Refused { text, mark: top });
    }
    let root = yaml::read(text).map_err(|broken| Refused {
        text: format!("failed to parse {}: yaml: {}", options.file, broken.text),
        mark: broken.mark,
    })?;
    root.ok_or_else(|| Refused {
        text: "empty compose file".into(),
        mark: top,
    })
}

/// The path that an error names: the longest word with dots, as keys and positions.
fn path_in(text: &str) -> Vec<String> {
    let word = text
        .split([' ', '\n', '\''])
        .filter(|word| {
            ["services", "networks", "volumes", "configs", "secrets"]
                .iter()
                .any(|top| word.starts_with(top))
        })
        .max_by_key(|word| word.len());
    match (word, text.split('"').nth(1)) {
        (Some(word), _) if word.contains('.') => {
            word.trim_end_matches(['.', ':']).split('.').map(String::from).collect()
        }
        (_, Some(service)) => vec!["services".into(), service.into()],
        (Some(word), None) => vec![word.into()],
        (None, None) => Vec::new(),
    }
}

fn build(root: &Node, options: &Options, variables: &mut Variables) -> Result<Project, String> {
    let value = to_value(root, "")?;
    if !matches!(value, Value::Map(_)) {
        return Err("top-level object must be a mapping".into());
    }
    let mut filled = interpolate::fill(&value, &shapes::FILE, "", variables)?;
    let Some(file) = filled.as_map_mut() else {
        return Err("top-level object must be a mapping".into());
    };
    if let Some(services) = file.get_mut("services") {
        let Some(services) = services.as_map_mut() else {
            return Err("services must be a mapping".into());
        };
        for (name, service) in services.iter_mut() {
            if !matches!(service, Value::Map(_) | Value::Null) {
                return Err(format!("services.{name} must be a mapping"));
            }
            if let Some(service) = service.as_map_mut() {
                canonical::unique(service, name)?;
            }
        }
    }
    schema::check(&filled, &shapes::FILE).map_err(|why| format!("validating {}: {why}", options.file))?;
    let Value::Map(mut file) = filled else {
        return Err("top-level object must be a mapping".into());
    };
    if file.remove("version").is_some() {
        variables.warnings.push(format!(
            "{}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion",
            options.file
        ));
    }
    lengthen(&mut file, &mut variables.warnings)?;
    checks(&file)?;
    normal::paths(&mut file, options);
    if file.is_empty() {
        return Err("empty compose file".into());
    }
    normal::project(&mut file, options);
    print::settle(&mut file)?;
    let disabled = by_profile(&mut file, options);
    let mut all = disabled.clone();
    all.extend(each(&file, "services").map(|(name, service)| (name.to_string(), Value::Map(service.clone()))));
    consistency::check(&file, &all)?;
    env_files(&file, options)?;
    let place = |name: &str| (name.to_string(), root.locate(["services", name].into_iter()));
    Ok(Project {
        name: options.project.clone(),
        places: each(&file, "services").map(|(name, _)| place(name)).collect(),
        model: file,
        disabled,
    })
}

/// The mappings under a top-level key, by name.
fn each<'a>(file: &'a Map, kind: &str) -> impl Iterator<Item = (&'a str, &'a Map)> {
    let all = file.get(kind).and_then(Value::as_map);
    all.into_iter()
        .flatten()
        .filter_map(|(name, one)| Some((name.as_str(), one.as_map()?)))
}

fn each_mut<'a>(file: &'a mut Map, kind: &str) -> impl Iterator<Item = &'a mut Map> {
    let all = file.get_mut(kind).and_then(Value::as_map_mut);
    all.into_iter()
        .flat_map(|all| all.iter_mut())
        .filter_map(|(_, one)| one.as_map_mut())
}

fn to_value(node: &Node, path: &str) -> Result<Value, String> {
    match &node.content {
        Content::Scalar(value) => Ok(value.clone()),
        Content::List(items) => {
            let item = |(index, item)| to_value(item, &format!("{path}[{index}]"));
            items
                .iter()
                .enumerate()
                .map(item)
                .collect::<Result<_, _>>()
                .map(Value::List)
        }
        Content::Map(entries) => {
            let mut map = Map::default();
            for (key, below) in entries {
                let Content::Scalar(Value::Str(name)) = &key.content else {
                    let place = if path.is_empty() {
                        "at top level".into()
                    } else {
                        format!("in {path}")
                    };
                    let key = match &key.content {
                        Content::Scalar(Value::Null) => "<nil>".into(),
                        Content::Scalar(value) => value.text(),
                        _ => "map[interface {}]interface {}{}".into(),
                    };
                    return Err(format!("non-string key {place}: {key}"));
                };
                let at = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                map.insert(name.clone(), to_value(below, &at)?);
            }
            Ok(Value::Map(map))
        }
    }
}

fn lengthen(file: &mut Map, warnings: &mut Vec<String>) -> Result<(), String> {
    if let Some(services) = file.get_mut("services").and_then(Value::as_map_mut) {
        for (name, service) in services.iter_mut() {
            if let Some(service) = service.as_map_mut() {
                canonical::service(service, name)?;
            }
        }
    }
    for kind in ["networks", "volumes", "configs", "secrets"] {
        for (key, one) in file.get_mut(kind).and_then(Value::as_map_mut).into_iter().flatten() {
            let Some(one) = one.as_map_mut() else { continue };
            canonical::to_map(one, "labels", Value::str(""));
            if let Some(Value::Map(external)) = one.get("external") {
                let name = external.get("name").cloned();
                one.insert("external".into(), Value::Bool(true));
                if let Some(name) = name {
                    warnings.push(format!(
                        "{kind}.{key}: external.name is deprecated. Please set name and external: true"
                    ));
                    one.entry("name".into()).or_insert(name);
                }
            }
        }
    }
    Ok(())
}

/// What the loader checks before it fills in defaults.
fn checks(file: &Map) -> Result<(), String> {
    for (kind, keys) in [
        ("configs", ["file", "environment", "content"].as_slice()),
        ("secrets", &["file", "environment"]),
    ] {
        for (name, one) in each(file, kind) {
            let given = keys.iter().filter(|key| one.contains_key(**key)).count();
            let all = keys.join("|");
            if given > 1 {
                return Err(format!("{kind}.{name}: {all} attributes are mutually exclusive"));
            }
            if given == 0 && !one.contains_key("driver") && !one.contains_key("external") {
                return Err(format!("{kind}.{name}: one of {all} must be set"));
            }
        }
    }
    for (name, one) in each(file, "volumes") {
        if one.get("external") == Some(&Value::Bool(true))
            && let Some((key, _)) = one
                .iter()
                .find(|(key, _)| !matches!(key.as_str(), "external" | "name") && !key.starts_with("x-"))
        {
            return Err(format!(
                "volumes.{name}: conflicting parameters \"external\" and {key:?} specified"
            ));
        }
    }
    for (name, service) in each(file, "services") {
        for port in service.get("ports").and_then(Value::as_list).unwrap_or_default() {
            let host = port.at(&["host_ip"]).map(Value::text).unwrap_or_default();
            if !host.is_empty() && host.parse::<std::net::IpAddr>().is_err() {
                return Err(format!("services.{name}.ports.[]: invalid ip address: {host}"));
            }
        }
    }
    Ok(())
}

/// Takes out the services that belong to profiles of which none is active.
fn by_profile(file: &mut Map, options: &Options) -> Map {
    let mut disabled = Map::default();
    let active = |name: &str| options.profiles.iter().any(|profile| profile == name || profile == "*");
    if let Some(services) = file.get_mut("services").and_then(Value::as_map_mut) {
        services.retain(|name, service| {
            let profiles = service.at(&["profiles"]).and_then(Value::as_list).unwrap_or_default();
            let stays = profiles.is_empty() || profiles.iter().any(|profile| active(&profile.text()));
            if !stays {
                disabled.insert(name.clone(), service.clone());
            }
            stays
        });
    }
    disabled
}

/// There are no files beside the text: a needed one is missing.
fn env_files(file: &Map, options: &Options) -> Result<(), String> {
    for (_, service) in each(file, "services") {
        for entry in service.get("env_file").and_then(Value::as_list).unwrap_or_default() {
            let path = entry.at(&["path"]).map(Value::text).unwrap_or_default();
            if entry.at(&["required"]) != Some(&Value::Bool(false)) {
                let short = path.strip_prefix(&format!("{}/", options.folder)).unwrap_or(&path);
                return Err(format!(
                    "env file {short} not found: stat {short}: no such file or directory"
                ));
            }
        }
    }
    Ok(())
}
