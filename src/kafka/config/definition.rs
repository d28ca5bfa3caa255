//! What a setting is: its name, type, default and the values it takes.

use super::keys;

/// The type of a setting, as `ConfigDef` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Class,
    Double,
    Int,
    List,
    Long,
    Password,
    Short,
    Text,
}

impl Kind {
    /// The name of the type in Kafka's documentation and in its errors.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Boolean => "BOOLEAN",
            Kind::Class => "CLASS",
            Kind::Double => "DOUBLE",
            Kind::Int => "INT",
            Kind::List => "LIST",
            Kind::Long => "LONG",
            Kind::Password => "PASSWORD",
            Kind::Short => "SHORT",
            Kind::Text => "STRING",
        }
    }
}

/// What holds when nothing is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// A value, as text.
    Is(&'static str),
    /// No value.
    Null,
    /// Somebody has to set it.
    Required,
}

/// May a list be empty, may it be null?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptiness {
    Anything,
    Filled,
    FilledOrNull,
    MayBeEmpty,
}

/// Which values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    /// Whatever its type can hold.
    Any,
    AtLeast(i64),
    Between(i64, i64),
    /// Both ends are decimal numbers, as Kafka writes them.
    Decimals(&'static str, &'static str),
    GzipLevel,
    OneOf(&'static [&'static str]),
    OneOfAnyCase(&'static [&'static str]),
    NonEmpty,
    NonNull,
    /// `auto.offset.reset`.
    OffsetReset,
    /// `share.auto.offset.reset` of a group.
    ShareOffsetReset,
    /// `share.acknowledgement.mode`.
    AcknowledgementMode,
    /// Entries without repetition, from the choice if there is one.
    List(Emptiness, &'static [&'static str]),
    /// `controller.quorum.bootstrap.servers`: `host:port` entries.
    BootstrapServers,
    /// `controller.quorum.voters`: `id@host:port` entries.
    QuorumVoters,
    /// `partition:broker` entries, or `*`.
    ThrottledReplicas,
}

impl Valid {
    /// The rule as Kafka's documentation writes it; `None` if it writes nothing.
    pub fn text(self) -> Option<String> {
        match self {
            Valid::Any | Valid::List(_, []) => None,
            Valid::AtLeast(min) => Some(format!("[{min},...]")),
            Valid::Between(min, max) => Some(format!("[{min},...,{max}]")),
            Valid::Decimals(min, max) => Some(format!("[{min},...,{max}]")),
            Valid::GzipLevel => Some("[1,...,9] or -1".into()),
            Valid::OneOf(choice) | Valid::List(_, choice) => Some(format!("[{}]", choice.join(", "))),
            Valid::OneOfAnyCase(choice) => Some(format!("(case insensitive) [{}]", choice.join(", "))),
            Valid::NonEmpty => Some("non-empty string".into()),
            Valid::NonNull => Some("non-null string".into()),
            Valid::OffsetReset => Some("[latest, earliest, none, by_duration:PnDTnHnMn.nS]".into()),
            Valid::ShareOffsetReset => Some("[latest, earliest, by_duration:PnDTnHnMn.nS]".into()),
            Valid::AcknowledgementMode => Some("[implicit, explicit]".into()),
            Valid::BootstrapServers | Valid::QuorumVoters => Some("non-empty list".into()),
            Valid::ThrottledReplicas => Some("[partitionId]:[brokerId],[partitionId]:[brokerId],...".into()),
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    pub default: Default,
    pub valid: Valid,
}

/// Writes a table of settings, one row each: name, type, default, values taken.
macro_rules! definitions {
    ($($name:literal: $kind:ident = $default:expr, $valid:expr;)*) => {
        /// Sorted by name.
        pub const KEYS: &[$crate::kafka::config::definition::Definition] = &[
            $($crate::kafka::config::definition::Definition {
                name: $name,
                kind: $crate::kafka::config::definition::Kind::$kind,
                default: $default,
                valid: $valid,
            },)*
        ];
    };
}
pub(super) use definitions;

/// Whose setting it is. Many names mean something else for somebody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Broker,
    Topic,
    Group,
    Producer,
    Consumer,
    Admin,
}

/// May a broker's setting change at run time?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dynamic {
    /// Only by a restart.
    ReadOnly,
    PerBroker,
    ClusterWide,
}

impl Scope {
    /// Every setting of this scope, sorted by name.
    pub fn keys(self) -> &'static [Definition] {
        match self {
            Scope::Broker => keys::broker::KEYS,
            Scope::Topic => keys::topic::KEYS,
            Scope::Group => keys::group::KEYS,
            Scope::Producer => keys::producer::KEYS,
            Scope::Consumer => keys::consumer::KEYS,
            Scope::Admin => keys::admin::KEYS,
        }
    }

    /// The setting of this name.
    pub fn find(self, name: &str) -> Option<&'static Definition> {
        let keys = self.keys();
        keys.binary_search_by(|d| d.name.cmp(name))
            .ok()
            .map(|index| &keys[index])
    }
}

/// May this setting of a broker change at run time?
pub fn dynamic(broker_setting: &str) -> Dynamic {
    if keys::broker::PER_BROKER.binary_search(&broker_setting).is_ok() {
        Dynamic::PerBroker
    } else if keys::broker::CLUSTER_WIDE.binary_search(&broker_setting).is_ok() {
        Dynamic::ClusterWide
    } else {
        Dynamic::ReadOnly
    }
}

/// The broker's settings that stand in for a topic's, in order, each with the factor that changes its unit.
pub fn broker_synonyms(topic_setting: &str) -> &'static [(&'static str, i64)] {
    let table = keys::topic::BROKER_SYNONYMS;
    match table.binary_search_by(|(name, _)| (*name).cmp(topic_setting)) {
        Ok(index) => table[index].1,
        Err(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::vectors;
    use crate::ordered::OrderedMap;

    fn scope(name: &str) -> Option<Scope> {
        Some(match name {
            "broker" => Scope::Broker,
            "topic" => Scope::Topic,
            "group" => Scope::Group,
            "producer" => Scope::Producer,
            "consumer" => Scope::Consumer,
            "admin" => Scope::Admin,
            _ => return None,
        })
    }

    #[test]
    fn definitions_agree_with_vectors() {
        let mut seen: OrderedMap<Scope, usize> = OrderedMap::new();
        for row in vectors::json_lines("configs.jsonl") {
            // Streams settings are not in the tables.
            let Some(scope) = row["scope"].as_str().and_then(scope) else {
                continue;
            };
            let name = row["name"].as_str().expect("a name");
            let found = scope.find(name).unwrap_or_else(|| panic!("no {name} in {scope:?}"));
            assert_eq!(found.kind.name(), row["type"], "{name}");
            let default = match (row["required"].as_bool(), row["default"].as_str()) {
                (Some(true), _) => None,
                (_, text) => Some(text),
            };
            let said = match found.default {
                Default::Is(text) => Some(Some(text)),
                Default::Null => Some(None),
                Default::Required => None,
            };
            assert_eq!(said, default, "{name}");
            assert_eq!(found.valid.text().as_deref(), row["valid"].as_str(), "{name}");
            if scope == Scope::Broker {
                let change = match dynamic(name) {
                    Dynamic::ReadOnly => None,
                    Dynamic::PerBroker => Some("per-broker"),
                    Dynamic::ClusterWide => Some("cluster-wide"),
                };
                assert_eq!(change, row["dynamic"].as_str(), "{name}");
            }
            if scope == Scope::Topic {
                let stand_in: Vec<String> = broker_synonyms(name)
                    .iter()
                    .map(|(broker, factor)| match factor {
                        1 => broker.to_string(),
                        _ => format!("{broker} * {factor}"),
                    })
                    .collect();
                let empty = Vec::new();
                let row = row["broker_synonyms"].as_array().unwrap_or(&empty);
                assert_eq!(
                    row.iter().map(|v| v.as_str().expect("text")).collect::<Vec<_>>(),
                    stand_in
                );
            }
            *seen.entry(scope).or_default() += 1;
        }
        assert_eq!(seen.len(), 6);
        for (scope, rows) in seen {
            assert_eq!(rows, scope.keys().len(), "{scope:?}");
            assert!(scope.keys().is_sorted_by_key(|d| d.name), "{scope:?}");
        }
    }
}
