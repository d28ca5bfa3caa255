//! Reading typed settings out of given texts and defaults.

use crate::ordered::OrderedMap;

use super::decimal::Decimal;
use super::definition::{Default, Definition, Scope};
use super::error::ConfigError;
use super::value::{Value, parse};

/// Settings as people give them: by name, as texts.
pub type Properties = OrderedMap<String, String>;

/// Given texts of one scope, all of which have been checked, and the defaults below them.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    scope: Scope,
    given: &'a Properties,
}

impl<'a> Values<'a> {
    /// Checks every given text, in the order of the names. Names that the scope does not know are passed over, as
    /// Kafka's clients and brokers do (with a warning in their log).
    ///
    /// # Errors
    /// The first text that is refused.
    pub fn check(scope: Scope, given: &'a Properties) -> Result<Values<'a>, ConfigError> {
        for (name, text) in given {
            if let Some(definition) = scope.find(name) {
                parse(definition, Some(text))?;
            }
        }
        Ok(Values { scope, given })
    }

    /// The same for texts that somebody else has checked, by other rules: only their types count.
    pub fn trust(scope: Scope, given: &'a Properties) -> Values<'a> {
        Values { scope, given }
    }

    /// Has somebody set it?
    pub fn is_given(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// Its value: given, or else its default; null without either, and for a name that the scope does not know.
    ///
    /// # Errors
    /// If the text is refused.
    pub fn value(&self, name: &str) -> Result<Value, ConfigError> {
        let Some(definition) = self.scope.find(name) else {
            return Ok(Value::Null);
        };
        match (self.given.get(name), definition.default) {
            (Some(text), _) => parse(&unchecked(definition), Some(text)),
            (None, Default::Is(text)) => parse(&unchecked(definition), Some(text)),
            (None, Default::Null | Default::Required) => Ok(Value::Null),
        }
    }

    /// A number, or `None` for null.
    ///
    /// # Errors
    /// If the text is refused.
    pub fn opt_number(&self, name: &str) -> Result<Option<i64>, ConfigError> {
        match self.value(name)? {
            Value::Number(number) => Ok(Some(number)),
            _ => Ok(None),
        }
    }

    /// A number; 64 bits.
    ///
    /// # Errors
    /// If the text is refused, or nothing is given where there is no default.
    pub fn number(&self, name: &str) -> Result<i64, ConfigError> {
        self.opt_number(name)?.ok_or_else(|| missing(name))
    }

    /// A number of type INT or SHORT.
    ///
    /// # Errors
    /// As for [`Values::number`].
    pub fn int(&self, name: &str) -> Result<i32, ConfigError> {
        let number = self.number(name)?;
        i32::try_from(number).map_err(|_| ConfigError::value(name, &number.to_string(), "Not a number of type INT"))
    }

    /// Yes or no.
    ///
    /// # Errors
    /// As for [`Values::number`].
    pub fn boolean(&self, name: &str) -> Result<bool, ConfigError> {
        match self.value(name)? {
            Value::Boolean(yes) => Ok(yes),
            _ => Err(missing(name)),
        }
    }

    /// A text, or `None` for null.
    ///
    /// # Errors
    /// If the text is refused.
    pub fn opt_text(&self, name: &str) -> Result<Option<String>, ConfigError> {
        match self.value(name)? {
            Value::Text(text) | Value::Password(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// A text, empty for null.
    ///
    /// # Errors
    /// If the text is refused.
    pub fn text(&self, name: &str) -> Result<String, ConfigError> {
        Ok(self.opt_text(name)?.unwrap_or_default())
    }

    /// A list, empty for null.
    ///
    /// # Errors
    /// If the text is refused.
    pub fn list(&self, name: &str) -> Result<Vec<String>, ConfigError> {
        match self.value(name)? {
            Value::List(entries) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }

    /// A ratio in millionths.
    ///
    /// # Errors
    /// As for [`Values::number`].
    pub fn millionths(&self, name: &str) -> Result<i64, ConfigError> {
        match self.value(name)? {
            Value::Decimal(number) => Decimal::millionths(&number).ok_or_else(|| missing(name)),
            _ => Err(missing(name)),
        }
    }
}

/// Only the type counts: given texts have been checked, and defaults are taken as they are.
fn unchecked(definition: &Definition) -> Definition {
    Definition {
        valid: super::definition::Valid::Any,
        ..*definition
    }
}

fn missing(name: &str) -> ConfigError {
    ConfigError::new(format!(
        "Missing required configuration \"{name}\" which has no default value."
    ))
}

/// Writes a struct of typed settings, and how each is read from [`Values`].
macro_rules! settings {
    ($(#[$about:meta])* pub struct $name:ident, $values:ident; $($(#[$doc:meta])* $field:ident: $kind:ty = $read:expr,)*) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl $name {
            fn read($values: &$crate::kafka::config::values::Values) -> Result<$name, $crate::kafka::config::ConfigError> {
                Ok($name { $($field: $read,)* })
            }
        }
    };
}
pub(super) use settings;
