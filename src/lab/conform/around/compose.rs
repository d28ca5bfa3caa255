//! Compose files with the model, the warnings or the error that the real loader gives.

use super::same;
use crate::docker::compose::{Options, load};
use crate::lab::conform::trace::plain;
use crate::ordered::SortSmall;
use serde_json::{Map, Value};

/// What the loader says of `version`.
const OBSOLETE: &str = "the attribute `version` is obsolete";

/// Loads a case's file; the error says what differs.
pub fn play(case: &Map<String, Value>) -> Result<(), String> {
    let mut options = Options::default();
    for (name, value) in case.get("env").and_then(Value::as_object).into_iter().flatten() {
        options.environment.insert(name.clone(), plain(value));
    }
    let profiles = case.get("profiles").and_then(Value::as_array).into_iter().flatten();
    options.profiles = profiles.map(plain).collect();
    let text = case.get("yaml").and_then(Value::as_str).ok_or("no yaml")?;
    let loaded = load(text, &options);
    let (model, error) = match loaded.project {
        Ok(project) => (Some(project.print()), None),
        Err(refused) => (None, Some(refused.text)),
    };
    same("error", &case.get("error").map(plain), &error)?;
    same("normalized", &case.get("normalized").map(plain), &model)?;
    let logs = case.get("logs").and_then(Value::as_array).into_iter().flatten();
    let mut expected: Vec<String> = logs.map(plain).collect();
    let mut found: Vec<String> = loaded.warnings.iter().map(|line| format!("warning: {line}")).collect();
    // The real loader says this once in a process for each file name, and all cases were recorded in one.
    if !expected.iter().any(|line| line.contains(OBSOLETE)) {
        found.retain(|line| !line.contains(OBSOLETE));
    }
    // The real loader walks through mappings in no particular order.
    expected.sort_small();
    found.sort_small();
    same("logs", &expected, &found)
}
