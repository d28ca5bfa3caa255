//! Kafka's own configuration keys as options of the language: which there are, what values they take, and what to say
//! when one is wrong. The tables are Kafka's ([`crate::kafka::config`]).

pub use crate::kafka::config::Scope;
use crate::kafka::config::definition::{Definition, Kind, Valid};
use crate::kafka::config::value::{self, Value};
use crate::ordered::SortSmall;

use super::errors::nearest;
use super::units;

/// Whose keys they are, in a word.
pub fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Broker => "broker",
        Scope::Topic => "topic",
        Scope::Group => "group",
        Scope::Producer => "producer",
        Scope::Consumer => "consumer",
        Scope::Admin => "admin client",
    }
}

/// All keys of a scope, sorted.
pub fn names(scope: Scope) -> impl Iterator<Item = &'static str> + Clone {
    scope.keys().iter().map(|definition| definition.name)
}

/// The key nearest to one that a scope does not have.
pub fn nearest_key(scope: Scope, key: &str) -> Option<&'static str> {
    nearest(key, names(scope))
}

/// A value that its key does not take: what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub hint: String,
}

/// Checks a value and makes it canonical: durations and sizes with a unit become the plain number of the real key,
/// `acks=-1` becomes `all`. A key that the scope does not have takes anything.
pub fn check(scope: Scope, key: &str, text: &str) -> Result<String, Refused> {
    let Some(definition) = scope.find(key) else {
        return Ok(text.to_owned());
    };
    // `-1` is the wire's way to say `all`: understood, not taught.
    let text = if (key, text) == ("acks", "-1") { "all" } else { text };
    let plain = with_unit(definition, text).unwrap_or_else(|| text.to_owned());
    match value::parse(definition, Some(&plain)) {
        Ok(parsed @ (Value::Boolean(_) | Value::Number(_))) => Ok(parsed.text().unwrap_or(plain)),
        Ok(_) => Ok(plain),
        Err(error) => Err(Refused {
            hint: right(definition).unwrap_or(error.message),
        }),
    }
}

/// Whether a key counts milliseconds.
fn is_time(definition: &Definition) -> bool {
    is_number(definition) && definition.name.ends_with(".ms")
}

/// Whether a key counts bytes.
fn is_size(definition: &Definition) -> bool {
    let named = definition.name.contains("bytes") || matches!(definition.name, "batch.size" | "buffer.memory");
    is_number(definition) && named
}

fn is_number(definition: &Definition) -> bool {
    matches!(definition.kind, Kind::Int | Kind::Long | Kind::Short)
}

/// `250ms` or `16KiB` as the plain number of a key that counts such units.
fn with_unit(definition: &Definition, text: &str) -> Option<String> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number = match definition {
        _ if is_time(definition) => units::parse_duration(text).filter(|us| us % 1_000 == 0)? / 1_000,
        _ if is_size(definition) => units::parse_size(text)?,
        _ => return None,
    };
    Some(number.to_string())
}

/// What would be right for a key, if its table says it.
fn right(definition: &Definition) -> Option<String> {
    let what = if definition.kind == Kind::Double {
        "a number"
    } else {
        "a whole number"
    };
    let unit = match definition {
        _ if is_time(definition) => ", or a duration such as 250ms",
        _ if is_size(definition) => ", or a size such as 16KiB",
        _ => "",
    };
    match definition.valid {
        _ if definition.kind == Kind::Boolean => Some("one of: false, true".into()),
        Valid::AtLeast(least) => Some(format!("{what} from {least}{unit}")),
        Valid::Between(least, most) => Some(format!("{what} from {least} to {most}{unit}")),
        Valid::Decimals(least, most) => Some(format!("{what} from {least} to {most}")),
        Valid::OneOf(_) | Valid::OneOfAnyCase(_) => Some(format!("one of: {}", choices(definition).join(", "))),
        Valid::List(_, words) if !words.is_empty() => Some(format!("one of: {}", choices(definition).join(", "))),
        Valid::Any if is_number(definition) => Some(format!("{what}{unit}")),
        Valid::Any if definition.kind == Kind::Double => Some(what.into()),
        _ => None,
    }
}

/// The words that a key takes, sorted; none if it takes other things than words.
pub fn choices(definition: &Definition) -> Vec<&'static str> {
    let mut words = match definition.valid {
        Valid::OneOf(words) | Valid::OneOfAnyCase(words) | Valid::List(_, words) => words.to_vec(),
        _ if definition.kind == Kind::Boolean => vec!["false", "true"],
        Valid::OffsetReset => vec!["earliest", "latest", "none"],
        _ => Vec::new(),
    };
    words.retain(|word| *word != "-1");
    words.sort_small();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_and_made_canonical() {
        let ok = |scope, key, value: &str| check(scope, key, value).unwrap();
        let hint = |scope, key, value: &str| check(scope, key, value).unwrap_err().hint;
        assert_eq!(hint(Scope::Producer, "acks", "2"), "one of: 0, 1, all");
        assert_eq!(ok(Scope::Producer, "acks", "-1"), "all");
        assert_eq!(ok(Scope::Producer, "linger.ms", "5ms"), "5");
        assert_eq!(ok(Scope::Producer, "batch.size", "16KiB"), "16384");
        let duration = "a whole number from 0, or a duration such as 250ms";
        assert_eq!(hint(Scope::Producer, "linger.ms", "-1"), duration);
        assert_eq!(hint(Scope::Producer, "linger.ms", "1500us"), duration);
        assert_eq!(
            hint(Scope::Topic, "min.insync.replicas", "two"),
            "a whole number from 1"
        );
        assert_eq!(ok(Scope::Topic, "unclean.leader.election.enable", "TRUE"), "true");
        assert_eq!(ok(Scope::Topic, "cleanup.policy", "compact,delete"), "compact,delete");
        assert_eq!(hint(Scope::Topic, "cleanup.policy", "keep"), "one of: compact, delete");
        assert_eq!(
            ok(Scope::Consumer, "auto.offset.reset", "by_duration:PT1H"),
            "by_duration:PT1H"
        );
        assert_eq!(ok(Scope::Consumer, "group.protocol", "Consumer"), "Consumer");
        assert_eq!(ok(Scope::Topic, "min.cleanable.dirty.ratio", "0.5"), "0.5");
        assert_eq!(
            hint(Scope::Topic, "min.cleanable.dirty.ratio", "1.1"),
            "a number from 0 to 1"
        );
        assert_eq!(
            nearest_key(Scope::Topic, "min.insync.replica"),
            Some("min.insync.replicas")
        );
        assert_eq!(
            nearest_key(Scope::Consumer, "max.poll.interval"),
            Some("max.poll.interval.ms")
        );
    }

    #[test]
    fn what_was_made_canonical_stays() {
        for scope in [Scope::Broker, Scope::Topic, Scope::Producer, Scope::Consumer] {
            for definition in scope.keys() {
                for text in [
                    "0", "1", "007", "1s", "1KiB", "true", "FALSE", "all", "0.5", "a,b,a", " x ", "",
                ] {
                    if let Ok(once) = check(scope, definition.name, text) {
                        assert_eq!(
                            check(scope, definition.name, &once),
                            Ok(once.clone()),
                            "{}",
                            definition.name
                        );
                    }
                }
            }
        }
    }
}
