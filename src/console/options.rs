//! Options as jopt-simple reads them: which there are stands in the tools' own usage texts.

use crate::ordered::OrderedMap;

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    Nothing,
    Optional,
    Required,
}

/// What is wrong with the options, as the library's exceptions say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionError {
    Unrecognized(String),
    NeedsValue(String),
    Twice(String),
    /// Value, option, what Java says about it.
    BadNumber(String, String),
    /// Value, option, its choices.
    BadChoice(String, String, &'static str),
    /// Options that may not stand with the others.
    Unavailable(String),
    Missing(String),
}

impl OptionError {
    /// `joptsimple.` is left out.
    pub fn class(&self) -> &'static str {
        match self {
            OptionError::Unrecognized(_) => "UnrecognizedOptionException",
            OptionError::NeedsValue(_) => "OptionMissingRequiredArgumentException",
            OptionError::Twice(_) => "MultipleArgumentsForOptionException",
            OptionError::BadNumber(..) | OptionError::BadChoice(..) => "OptionArgumentConversionException",
            OptionError::Unavailable(_) => "UnavailableOptionException",
            OptionError::Missing(_) => "MissingRequiredOptionsException",
        }
    }

    pub fn message(&self) -> String {
        match self {
            OptionError::Unrecognized(name) => format!("{name} is not a recognized option"),
            OptionError::NeedsValue(name) => format!("Option {name} requires an argument"),
            OptionError::Twice(name) => {
                format!("Found multiple arguments for option {name}, but you asked for only one")
            }
            OptionError::BadNumber(value, name) | OptionError::BadChoice(value, name, _) => {
                format!("Cannot parse argument '{value}' of option {name}")
            }
            OptionError::Unavailable(names) => {
                format!("Option(s) [{names}] are unavailable given other options on the command line")
            }
            OptionError::Missing(names) => format!("Missing required option(s) [{names}]"),
        }
    }

    /// The exception and its causes, a line each.
    pub fn trace(&self) -> String {
        let mut text = format!("joptsimple.{}: {}\n", self.class(), self.message());
        match self {
            OptionError::BadNumber(value, _) => {
                let number = format!("java.lang.NumberFormatException: For input string: \"{value}\"");
                text.push_str(&format!(
                    "Caused by: joptsimple.internal.ReflectionException: {number}\nCaused by: {number}\n"
                ));
            }
            OptionError::BadChoice(value, _, choices) => text.push_str(&format!(
                "Caused by: joptsimple.ValueConversionException: Value [{value}] is not one of [[{choices}]]\n"
            )),
            _ => {}
        }
        text
    }
}

/// The options that a usage text lists: `--name`, `--name <String: value>`, `--name [String: value]`.
pub fn table(usage: &str) -> Vec<(&str, Takes)> {
    let mut all = Vec::new();
    for line in usage.lines() {
        let Some(rest) = line.strip_prefix("--") else {
            continue;
        };
        let mut words = rest.split_whitespace();
        let name = words.next().unwrap_or("").trim_end_matches(',');
        let takes = match words.next().and_then(|word| word.chars().next()) {
            Some('<') => Takes::Required,
            Some('[') => Takes::Optional,
            _ => Takes::Nothing,
        };
        all.push((name, takes));
    }
    all
}

/// What the usage text says an option is for: the first line of it.
pub fn about<'a>(usage: &'a str, option: &str) -> &'a str {
    let named = |line: &&str| {
        let name = line.strip_prefix("--").and_then(|rest| rest.split_whitespace().next());
        name.is_some_and(|name| name.trim_end_matches(',') == option)
    };
    let Some((_, said)) = usage.lines().find(named).and_then(|line| line.split_once("  ")) else {
        return "";
    };
    said.trim()
}

/// The options of one command line.
#[derive(Clone, Debug, Default)]
pub struct Options {
    given: OrderedMap<String, Vec<Option<String>>>,
}

impl Options {
    /// Reads a command line's words (the tool's name is not among them).
    ///
    /// # Errors
    /// Unknown options and missing values.
    pub fn read(usage: &str, words: &[String]) -> Result<Options, OptionError> {
        let table = table(usage);
        let takes = |name: &str| table.iter().find(|(known, _)| *known == name).map(|(_, takes)| *takes);
        let mut options = Options::default();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let (body, long) = match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(body), _) => (body, true),
                (None, Some(body)) if !body.is_empty() => (body, false),
                _ => continue,
            };
            let (name, attached) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value).filter(|value| !value.is_empty())),
                None => (body, None),
            };
            let Some(how) = takes(name) else {
                let shown = match long {
                    true => name.to_string(),
                    false => name.chars().take(1).collect(),
                };
                return Err(OptionError::Unrecognized(shown));
            };
            let value = match (how, attached) {
                (Takes::Nothing, _) => None,
                (_, Some(value)) => Some(value.to_string()),
                (Takes::Required, None) => match words.next() {
                    Some(value) => Some(value.clone()),
                    None => return Err(OptionError::NeedsValue(name.to_string())),
                },
                (Takes::Optional, None) => match words.peek() {
                    Some(next) if !next.starts_with('-') => words.next().cloned(),
                    _ => None,
                },
            };
            options.given.entry(name.to_string()).or_default().push(value);
        }
        Ok(options)
    }

    /// The options that are given, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.keys().map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// All values of an option, in the order given.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.given.get(name).map(Vec::as_slice).unwrap_or_default();
        values.iter().flatten().map(String::as_str).collect()
    }

    /// The value of an option that stands once at most.
    ///
    /// # Errors
    /// It stands more than once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OptionError> {
        match self.all(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(OptionError::Twice(name.to_string())),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// It stands more than once, or is no number of this size.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, OptionError> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(OptionError::BadNumber(text.to_string(), name.to_string())),
        }
    }
}
