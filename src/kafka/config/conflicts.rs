//! Plays the sets of settings that real constructors took or refused.

use super::error::ConfigError;
use super::values::Properties;
use crate::kafka::vectors;

/// Plays every set of a scope, on top of `always`, and compares class, text and cause of what is refused. Sets with a
/// null are passed over, if they name one of `null` only. Gives the number of sets played.
pub(super) fn check(
    scope: &str,
    null: &[&str],
    always: &Properties,
    make: impl Fn(&Properties) -> Result<(), ConfigError>,
) -> usize {
    let mut played = 0;
    for row in vectors::json_lines("config_conflicts.jsonl") {
        if row["scope"] != scope {
            continue;
        }
        let mut given = always.clone();
        let props = row["props"].as_object().expect("settings");
        if props
            .iter()
            .any(|(name, text)| text.is_null() && null.contains(&name.as_str()))
        {
            continue;
        }
        for (name, text) in props {
            given.insert(name.clone(), text.as_str().expect("a text").into());
        }
        let said = |key: &str| {
            let error = row.get(key)?;
            let part = |name: &str| error[name].as_str().expect("text").to_string();
            Some((part("class"), part("message")))
        };
        let error = make(&given).err();
        let part = |error: ConfigError| (error.class.to_string(), error.message);
        let cause = error.as_ref().and_then(|e| e.cause.clone());
        assert_eq!(error.map(part), said("error"), "{row}");
        assert_eq!(cause.map(|cause| part(*cause)), said("cause"), "{row}");
        played += 1;
    }
    played
}
