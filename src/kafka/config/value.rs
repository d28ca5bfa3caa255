//! From a text to a value, or to a refusal in Kafka's words. [ConfigDef.parseType, .parseValue]

use super::decimal::Decimal;
use super::definition::{Definition, Kind, Valid};
use super::error::ConfigError;
use super::validate;

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Null,
    Boolean(bool),
    /// INT, LONG and SHORT.
    Number(i64),
    Decimal(Decimal),
    /// STRING, CLASS.
    Text(String),
    /// A text that is not shown.
    Password(String),
    List(Vec<String>),
}

impl Value {
    /// The value as a line of a configuration has it; `None` for null.
    pub fn text(&self) -> Option<String> {
        match self {
            Value::Null => None,
            Value::Boolean(yes) => Some(yes.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Decimal(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Password(_) => Some("[hidden]".into()),
            Value::List(entries) => Some(entries.join(",")),
        }
    }

    /// The value as an error quotes it.
    pub(super) fn quoted(&self) -> String {
        match self {
            Value::List(entries) => format!("[{}]", entries.join(", ")),
            other => other.text().unwrap_or_else(|| "null".into()),
        }
    }
}

/// The value that a text gives to a setting (`None`: a null).
///
/// # Errors
/// A `ConfigException` if the text is not of the setting's type, or its value is not taken.
pub fn parse(definition: &Definition, text: Option<&str>) -> Result<Value, ConfigError> {
    let mut value = match text {
        Some(text) => of_kind(definition, text)?,
        None => Value::Null,
    };
    if let (Value::List(entries), Valid::List(..)) = (&mut value, definition.valid) {
        let mut seen = crate::ordered::OrderedSet::new();
        entries.retain(|entry| seen.insert(entry.clone()));
    }
    validate::check(definition, &value)?;
    Ok(value)
}

fn of_kind(definition: &Definition, text: &str) -> Result<Value, ConfigError> {
    let refuse = |why: &str| Err(ConfigError::value(definition.name, text, why));
    let trimmed = text.trim();
    let number = |min: i64, max: i64| match trimmed.parse::<i64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(Value::Number(number)),
        _ => refuse(&format!("Not a number of type {}", definition.kind.name())),
    };
    match definition.kind {
        Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Value::Boolean(true)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Value::Boolean(false)),
        Kind::Boolean => refuse("Expected value to be either true or false"),
        Kind::Short => number(i16::MIN.into(), i16::MAX.into()),
        Kind::Int => number(i32::MIN.into(), i32::MAX.into()),
        Kind::Long => number(i64::MIN, i64::MAX),
        Kind::Double => match Decimal::parse(trimmed) {
            Some(number) => Ok(Value::Decimal(number)),
            None => refuse("Not a number of type DOUBLE"),
        },
        Kind::Text => Ok(Value::Text(text.into())),
        Kind::Password => Ok(Value::Password(trimmed.into())),
        Kind::Class if known_class(trimmed) => Ok(Value::Text(trimmed.into())),
        Kind::Class => refuse(&format!("Class {trimmed} could not be found.")),
        Kind::List if trimmed.is_empty() => Ok(Value::List(Vec::new())),
        Kind::List => Ok(Value::List(trimmed.split(',').map(|e| e.trim().into()).collect())),
    }
}

/// Is a class there? There is no class path here: Java's own classes and Kafka's count as there, others do not.
pub(super) fn known_class(name: &str) -> bool {
    name.starts_with("java.") || name.starts_with("org.apache.kafka.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::config::Scope;
    use crate::kafka::vectors;

    #[test]
    fn values_agree_with_vectors() {
        let mut seen = 0;
        let mut wrong = Vec::new();
        for row in vectors::json_lines("config_errors.jsonl") {
            let scope = match row["scope"].as_str() {
                Some("broker") => Scope::Broker,
                Some("topic") => Scope::Topic,
                Some("group") => Scope::Group,
                Some("producer") => Scope::Producer,
                Some("consumer") => Scope::Consumer,
                Some("admin") => Scope::Admin,
                // Streams settings are not in the tables.
                _ => continue,
            };
            let name = row["name"].as_str().expect("a name");
            let definition = scope.find(name).unwrap_or_else(|| panic!("no {name}"));
            let found = match parse(definition, row["value"].as_str()) {
                Ok(value) => (value.text(), None),
                Err(error) => (None, Some((error.class.to_string(), error.message))),
            };
            let expected_error = row.get("error").map(|error| {
                let part = |key: &str| error[key].as_str().expect("text").to_string();
                (part("class"), part("message"))
            });
            let expected = (row["parsed"].as_str().map(str::to_string), expected_error);
            if found != expected {
                wrong.push(format!("{row}\n  found {found:?}"));
            }
            seen += 1;
        }
        assert!(seen > 300);
        assert!(
            wrong.is_empty(),
            "{} of {seen} differ:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    }
}
