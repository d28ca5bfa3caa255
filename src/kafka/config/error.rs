//! A refused setting, in the words of the class that refuses it.

use std::fmt;

/// An exception: its simple class name, its exact text, and what caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub class: &'static str,
    pub message: String,
    pub cause: Option<Box<ConfigError>>,
}

impl ConfigError {
    /// An exception of a class.
    pub fn of(class: &'static str, message: impl Into<String>) -> ConfigError {
        ConfigError {
            class,
            message: message.into(),
            cause: None,
        }
    }

    /// A `ConfigException`.
    pub fn new(message: impl Into<String>) -> ConfigError {
        ConfigError::of("ConfigException", message)
    }

    /// A `ConfigException` about a value: `Invalid value 7 for configuration x: why`.
    pub fn value(name: &str, value: &str, why: &str) -> ConfigError {
        ConfigError::new(format!("Invalid value {value} for configuration {name}: {why}"))
    }

    /// A `KafkaException` of a constructor that this error made fail.
    pub fn while_constructing(self, client: &str) -> ConfigError {
        let message = format!("Failed to construct kafka {client}");
        ConfigError {
            cause: Some(Box::new(self)),
            ..ConfigError::of("KafkaException", message)
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)?;
        match &self.cause {
            Some(cause) => write!(f, " (cause: {cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ConfigError {}
