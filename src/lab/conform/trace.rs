//! Recorded traces of the real Kafka, as files: what was done, and what was seen after it. The schema is described
//! beside the recordings (tests/vectors/kafka/README.md).

use serde_json::{Map, Value};
use std::path::Path;

/// One recorded scenario.
#[derive(Clone, Debug)]
pub struct Trace {
    pub name: String,
    pub covers: Vec<String>,
    pub settle_ms: u64,
    pub cluster: Cluster,
    /// Topics shown besides those that the scenario creates.
    pub watch: Vec<String>,
    /// Segments are shown even if there is only one.
    pub segments: bool,
    /// Paths (step, key of its `see`, ..., key) of what chance decides.
    pub loose: Vec<Vec<Value>>,
    pub steps: Vec<TraceStep>,
}

/// What stood before the scenario.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub brokers: Vec<i32>,
    pub controllers: Vec<i32>,
    pub config: Map<String, Value>,
    pub controller_config: Map<String, Value>,
    pub features: Map<String, Value>,
    pub internal_topics: Map<String, Value>,
}

/// One step and what was seen after it.
#[derive(Clone, Debug)]
pub struct TraceStep {
    pub action: Map<String, Value>,
    pub settle_ms: Option<u64>,
    pub see: Map<String, Value>,
}

impl TraceStep {
    pub fn op(&self) -> &str {
        self.action.get("op").and_then(Value::as_str).unwrap_or("")
    }

    /// A text of the step, empty if it has none.
    pub fn text(&self, key: &str) -> &str {
        self.action.get(key).and_then(Value::as_str).unwrap_or("")
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.action.get(key)
    }

    /// A list of texts or numbers, or a single one, as texts.
    pub fn list(&self, key: &str) -> Vec<String> {
        match self.action.get(key) {
            Some(Value::Array(items)) => items.iter().map(plain).collect(),
            Some(Value::Null) | None => Vec::new(),
            Some(single) => vec![plain(single)],
        }
    }

    /// Settings of a client.
    pub fn config(&self, key: &str) -> Vec<(String, String)> {
        match self.action.get(key) {
            Some(Value::Object(map)) => map.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
            _ => Vec::new(),
        }
    }
}

/// A JSON scalar as it would stand in a properties file.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Trace {
    /// Reads a trace; the error says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Trace, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Trace::parse(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn parse(text: &str) -> Result<Trace, String> {
        let root: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let object = root.as_object().ok_or("not a JSON object")?;
        let steps = object.get("steps").and_then(Value::as_array).ok_or("no steps")?;
        Ok(Trace {
            name: object.get("name").map(plain).unwrap_or_default(),
            covers: strings(object.get("covers")),
            settle_ms: object.get("settle_ms").and_then(Value::as_u64).unwrap_or(0),
            cluster: cluster(object.get("cluster"))?,
            watch: strings(object.get("watch")),
            segments: object.get("segments").and_then(Value::as_bool).unwrap_or(false),
            loose: object
                .get("loose")
                .and_then(Value::as_array)
                .map(|paths| paths.iter().filter_map(|path| path.as_array().cloned()).collect())
                .unwrap_or_default(),
            steps: steps.iter().map(step).collect::<Result<_, _>>()?,
        })
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .map(|items| items.iter().map(plain).collect())
        .unwrap_or_default()
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn ids(value: Option<&Value>) -> Vec<i32> {
    value
        .and_then(Value::as_array)
        .map(|items| {
            items
                .iter()
                .filter_map(Value::as_i64)
                .filter_map(|id| i32::try_from(id).ok())
                .collect()
        })
        .unwrap_or_default()
}

fn cluster(value: Option<&Value>) -> Result<Cluster, String> {
    let cluster = value
        .and_then(Value::as_object)
        .ok_or("no cluster (a trace of another system?)")?;
    Ok(Cluster {
        brokers: ids(cluster.get("brokers")),
        controllers: ids(cluster.get("controllers")),
        config: object(cluster.get("config")),
        controller_config: object(cluster.get("controller_config")),
        features: object(cluster.get("features")),
        internal_topics: object(cluster.get("internal_topics")),
    })
}

fn step(value: &Value) -> Result<TraceStep, String> {
    let step = value.as_object().ok_or("a step is not an object")?;
    Ok(TraceStep {
        action: object(step.get("do")),
        settle_ms: step.get("settle_ms").and_then(Value::as_u64),
        see: object(step.get("see")),
    })
}
