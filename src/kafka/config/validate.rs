//! Which values a setting takes, and the words in which others are refused. [ConfigDef.Range, .ValidString, .ValidList]

use super::addresses::{check_bootstrap_servers, check_voters};
use super::decimal::Decimal;
use super::definition::{Definition, Emptiness, Valid};
use super::duration;
use super::error::ConfigError;
use super::value::Value;

/// Checks the value of a setting.
///
/// # Errors
/// A `ConfigException` if the setting does not take this value.
pub(super) fn check(definition: &Definition, value: &Value) -> Result<(), ConfigError> {
    let name = definition.name;
    if let Some(why) = refusal(definition.valid, value) {
        return Err(ConfigError::value(name, &value.quoted(), &why));
    }
    let entries = match value {
        Value::List(entries) => Some(entries.as_slice()),
        _ => None,
    };
    match (definition.valid, entries) {
        (Valid::List(emptiness, choice), entries) => list(name, emptiness, choice, entries),
        (Valid::BootstrapServers | Valid::QuorumVoters | Valid::ThrottledReplicas, None) => {
            Err(ConfigError::new(format!("Invalid value null for configuration {name}")))
        }
        (Valid::BootstrapServers, Some(entries)) => check_bootstrap_servers(name, entries),
        (Valid::QuorumVoters, Some(entries)) => check_voters(name, entries),
        (Valid::ThrottledReplicas, Some(entries)) => throttled_replicas(name, entries, value),
        _ => Ok(()),
    }
}

/// Why a single value is not taken.
fn refusal(valid: Valid, value: &Value) -> Option<String> {
    let text = match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    match (valid, value) {
        (
            Valid::AtLeast(_) | Valid::Between(..) | Valid::Decimals(..) | Valid::GzipLevel | Valid::NonNull,
            Value::Null,
        ) => Some("Value must be non-null".into()),
        (Valid::AtLeast(min), Value::Number(n)) => (n < &min).then(|| at_least(min)),
        (Valid::Between(min, _), Value::Number(n)) if n < &min => Some(at_least(min)),
        (Valid::Between(_, max), Value::Number(n)) => (n > &max).then(|| at_most(max)),
        (Valid::Decimals(min, max), Value::Decimal(d)) => decimals(min, max, d),
        (Valid::GzipLevel, Value::Number(n)) => (!(1..=9).contains(n) && *n != -1)
            .then(|| "Value must be between 1 and 9 or equal to -1".into()),
        (Valid::OneOf(choice), _) => (!text.is_some_and(|t| choice.contains(&t)))
            .then(|| format!("String must be one of: {}", choice.join(", "))),
        (Valid::OneOfAnyCase(choice), _) => (!text
            .is_some_and(|t| choice.iter().any(|c| c.eq_ignore_ascii_case(t))))
        .then(|| format!("String must be one of (case insensitive): {}", choice.join(", "))),
        (Valid::NonEmpty, Value::Text(t)) => t.is_empty().then(|| "String must be non-empty".into()),
        (Valid::OffsetReset, _) => (!text.is_some_and(is_offset_reset)).then(|| {
            let quoted = value.quoted();
            format!("Invalid value `{quoted}` for configuration auto.offset.reset. The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'.")
        }),
        (Valid::ShareOffsetReset, _) => (!text.is_some_and(|t| t != "none" && is_offset_reset(t))).then(|| {
            let quoted = value.quoted();
            format!("Invalid value `{quoted}` for configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.")
        }),
        (Valid::AcknowledgementMode, _) => (!matches!(text, Some("implicit" | "explicit"))).then(|| {
            let quoted = value.quoted();
            format!("Invalid value `{quoted}` for configuration share.acknowledgement.mode. The value must either be 'implicit' or 'explicit'.")
        }),
        _ => None,
    }
}

fn at_least(min: impl std::fmt::Display) -> String {
    format!("Value must be at least {min}")
}

fn at_most(max: impl std::fmt::Display) -> String {
    format!("Value must be no more than {max}")
}

fn decimals(min: &str, max: &str, found: &Decimal) -> Option<String> {
    let below = |a: Option<&Decimal>, b: Option<&Decimal>| a.zip(b).is_some_and(|(a, b)| a.is_below(b));
    if below(Some(found), Decimal::parse(min).as_ref()) {
        Some(at_least(min))
    } else if below(Decimal::parse(max).as_ref(), Some(found)) {
        Some(at_most(max))
    } else {
        None
    }
}

/// Does `auto.offset.reset` know this? [AutoOffsetResetStrategy.fromString]
fn is_offset_reset(text: &str) -> bool {
    match text.strip_prefix("by_duration:") {
        Some(duration) => duration::milliseconds(duration).is_some_and(|ms| ms >= 0),
        None => matches!(text, "earliest" | "latest" | "none"),
    }
}

/// A list without repetition. [ConfigDef.ValidList]
fn list(name: &str, emptiness: Emptiness, choice: &[&str], entries: Option<&[String]>) -> Result<(), ConfigError> {
    let Some(entries) = entries else {
        return match emptiness {
            Emptiness::Anything | Emptiness::FilledOrNull => Ok(()),
            Emptiness::Filled | Emptiness::MayBeEmpty => Err(ConfigError::new(format!(
                "Configuration '{name}' values must not be null."
            ))),
        };
    };
    if entries.is_empty() && matches!(emptiness, Emptiness::Filled | Emptiness::FilledOrNull) {
        let choice = match choice {
            [] => "any non-empty value".into(),
            some => format!("[{}]", some.join(", ")),
        };
        return Err(ConfigError::new(format!(
            "Configuration '{name}' must not be empty. Valid values include: {choice}"
        )));
    }
    for entry in entries {
        if entry.is_empty() {
            return Err(ConfigError::new(format!(
                "Configuration '{name}' values must not be empty."
            )));
        }
        if !choice.is_empty() && !choice.contains(&entry.as_str()) {
            let why = format!("String must be one of: {}", choice.join(", "));
            return Err(ConfigError::value(name, entry, &why));
        }
    }
    Ok(())
}

/// `*`, or `partition:broker` entries. [ThrottledReplicaListValidator]
fn throttled_replicas(name: &str, entries: &[String], value: &Value) -> Result<(), ConfigError> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let pair = |text: &str| text.split_once(':').is_some_and(|(a, b)| digits(a) && digits(b));
    let all = entries.first().is_none_or(|first| first == "*");
    if all || entries.iter().all(|entry| entry.is_empty() || pair(entry)) {
        return Ok(());
    }
    let why = format!(
        "{name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],..."
    );
    Err(ConfigError::value(name, &value.quoted(), &why))
}
