//! `$X`, `${X:-default}` and the rest of them, in every value.

use super::schema::{Kind, Shape};
use super::value::{Map, Value};
use crate::ordered::OrderedMap;

/// The variables a file may use, and the warnings about those it lacks.
pub struct Variables<'a> {
    pub given: &'a OrderedMap<String, String>,
    pub warnings: Vec<String>,
}

/// Why a text cannot be filled in.
enum Fault {
    /// The whole text, as the loader shows it.
    Invalid(String),
    Other(String),
}

/// How deep defaults may nest.
const DEEPEST: u32 = 20;

/// Fills in a value and everything in it, and makes numbers and booleans where the model has them.
pub fn fill(value: &Value, shape: &Shape, path: &str, variables: &mut Variables) -> Result<Value, String> {
    match value {
        Value::Str(text) => {
            let filled = substitute(text, variables, 0).map_err(|fault| match fault {
                Fault::Invalid(template) => format!(
                    "invalid interpolation format for {path}.\nYou may need to escape any $ with another $.\n{template}"
                ),
                Fault::Other(why) => format!("error while interpolating {path}: {why}"),
            })?;
            cast(filled, shape, variables)
                .map_err(|why| format!("error while interpolating {path}: failed to cast to expected type: {why}"))
        }
        Value::List(items) => {
            let below = format!("{path}.[]");
            let fill_item = |item| fill(item, shape.item(), &below, variables);
            gather(items.iter().map(fill_item)).map(Value::List)
        }
        Value::Map(map) => {
            let filled = gather(map.iter().map(|(key, item)| {
                let below = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                Ok((key.clone(), fill(item, shape.key(key), &below, variables)?))
            }))?;
            Ok(Value::Map(filled.into_iter().collect::<Map>()))
        }
        other => Ok(other.clone()),
    }
}

/// All results, or all faults, a line each.
fn gather<T>(results: impl Iterator<Item = Result<T, String>>) -> Result<Vec<T>, String> {
    let mut good = Vec::new();
    let mut faults: Vec<String> = Vec::new();
    for result in results {
        match result {
            Ok(one) => good.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(good)
    } else {
        Err(faults.join("\n"))
    }
}

fn cast(text: String, shape: &Shape, variables: &mut Variables) -> Result<Value, String> {
    match shape.cast() {
        Some(Kind::Int) => text.parse().map(Value::Int).map_err(|_| {
            let range = !text.is_empty() && text.trim_start_matches(['-', '+']).bytes().all(|b| b.is_ascii_digit());
            let why = if range { "value out of range" } else { "invalid syntax" };
            format!("strconv.Atoi: parsing {text:?}: {why}")
        }),
        Some(Kind::Bool) => {
            let (value, right) = match text.to_ascii_lowercase().as_str() {
                "true" => return Ok(Value::Bool(true)),
                "false" => return Ok(Value::Bool(false)),
                "y" | "yes" | "on" => (true, "true"),
                "n" | "no" | "off" => (false, "false"),
                _ => return Err(format!("invalid boolean: {text}")),
            };
            variables.warnings.push(format!(
                "{text:?} for boolean is not supported by YAML 1.2, please use `{right}`"
            ));
            Ok(Value::Bool(value))
        }
        Some(Kind::Decimal) => match super::yaml::resolve_plain(&text) {
            number @ (Value::Int(_) | Value::Float(_)) => Ok(number),
            _ => Err(format!("strconv.ParseFloat: parsing {text:?}: invalid syntax")),
        },
        _ => Ok(Value::Str(text)),
    }
}

fn name_length(text: &str) -> usize {
    let starts = text.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    let length = text.find(|c: char| !(c == '_' || c.is_ascii_alphanumeric()));
    if starts { length.unwrap_or(text.len()) } else { 0 }
}

fn substitute(text: &str, variables: &mut Variables, depth: u32) -> Result<String, Fault> {
    if depth > DEEPEST {
        return Err(Fault::Invalid(text.into()));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let end = closing(inside).ok_or_else(|| Fault::Invalid(text.into()))?;
            out.push_str(&braced(&inside[..end], text, variables, depth)?);
            rest = &inside[end + 1..];
        } else {
            let length = name_length(rest);
            if length == 0 {
                // A lone dollar stays what it is.
                out.push('$');
            } else {
                out.push_str(&variables.get(&rest[..length]));
                rest = &rest[length..];
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Where the brace ends that has just been opened.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn braced(inside: &str, whole: &str, variables: &mut Variables, depth: u32) -> Result<String, Fault> {
    let length = name_length(inside);
    let (name, form) = inside.split_at(length);
    if name.is_empty() {
        return Err(Fault::Invalid(whole.into()));
    }
    if form.is_empty() {
        return Ok(variables.get(name));
    }
    let value = variables.given.get(name).cloned();
    let (strict, form) = match form.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, form),
    };
    let present = value.as_ref().is_some_and(|value| !strict || !value.is_empty());
    let value = value.unwrap_or_default();
    let mut chars = form.chars();
    let operator = chars.next();
    let operand = chars.as_str();
    match operator {
        Some('-') if present => Ok(value),
        Some('-') => substitute(operand, variables, depth + 1),
        Some('+') if present => substitute(operand, variables, depth + 1),
        Some('+') => Ok(value),
        Some('?') if present => Ok(value),
        Some('?') => {
            let reason = substitute(operand, variables, depth + 1)?;
            let colon = if reason.is_empty() { "" } else { ": " };
            Err(Fault::Other(format!(
                "required variable {name} is missing a value{colon}{reason}"
            )))
        }
        _ => Err(Fault::Invalid(whole.into())),
    }
}

impl Variables<'_> {
    fn get(&mut self, name: &str) -> String {
        match self.given.get(name) {
            Some(value) => value.clone(),
            None => {
                let warning = format!("The {name:?} variable is not set. Defaulting to a blank string.");
                self.warnings.push(warning);
                String::new()
            }
        }
    }
}
