//! The model as text, the way `docker compose config` shows it.

use super::canonical::decoding;
use super::schema::{Kind, Object, Shape};
use super::value::{Map, Value};
use super::{shapes, units};
use crate::ordered::SortSmall;
use std::cmp::Ordering;

/// Zeros that are shown, as they say something.
const SHOWN_ZEROS: [&str; 10] = [
    "retries",
    "replicas",
    "scale",
    "max_attempts",
    "init",
    "attach",
    "enable_ipv4",
    "enable_ipv6",
    "required",
    "create_host_path",
];
/// Empty collections that are shown.
const SHOWN_EMPTY: [&str; 8] = [
    "bind",
    "volume",
    "healthcheck",
    "deploy",
    "command",
    "entrypoint",
    "services",
    "tmpfs",
];

/// Gives every value the form it has in the model: sizes in bytes, durations and numbers in their normal spelling,
/// nothing that says nothing.
///
/// # Errors
/// A value that the model cannot hold.
pub fn settle(file: &mut Map) -> Result<(), String> {
    for (kind, shape) in shapes::RESOURCES_BY_KIND {
        for (name, one) in file.get_mut(kind).and_then(Value::as_map_mut).into_iter().flatten() {
            if let Some(one) = one.as_map_mut() {
                settle_object(one, shape, &mut String::new(), name)?;
            }
        }
    }
    let Some(services) = file.get_mut("services").and_then(Value::as_map_mut) else {
        return Ok(());
    };
    for (name, service) in services.iter_mut() {
        let Some(service) = service.as_map_mut() else { continue };
        settle_object(service, &shapes::SERVICE, &mut String::new(), name)?;
    }
    Ok(())
}

fn settle_object(map: &mut Map, object: &Object, path: &mut String, service: &str) -> Result<(), String> {
    for (key, shape) in object.keys {
        let Some(value) = map.get_mut(*key) else { continue };
        let length = path.len();
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(key);
        settle_value(value, shape, path, service)?;
        path.truncate(length);
    }
    Ok(())
}

fn settle_value(value: &mut Value, shape: &Shape, path: &mut String, service: &str) -> Result<(), String> {
    match (value, shape) {
        (Value::Map(map), Shape::Object(object)) => settle_object(map, object, path, service),
        (Value::Map(map), Shape::Either(_) | Shape::Names(..)) => {
            if let Shape::Either(shapes) = shape
                && let Some(Shape::Object(object)) = shapes.iter().find(|shape| matches!(shape, Shape::Object(_)))
            {
                return settle_object(map, object, path, service);
            }
            for (key, below) in map.iter_mut() {
                settle_value(below, shape.key(key), path, service)?;
            }
            Ok(())
        }
        (Value::List(items), _) => {
            for (index, item) in items.iter_mut().enumerate() {
                let length = path.len();
                path.push_str(&format!("[{index}]"));
                settle_value(item, shape.item(), path, service)?;
                path.truncate(length);
            }
            Ok(())
        }
        (value @ (Value::Str(_) | Value::Int(_) | Value::Float(_)), Shape::One(_, kind)) => {
            let text = value.text();
            let settled = match kind {
                Kind::Bytes => units::bytes(&text).map(|bytes| Value::str(bytes.to_string())),
                Kind::Duration => units::nanoseconds(&text).map(|ns| Value::Str(units::duration(ns))),
                Kind::Text => Ok(Value::Str(text)),
                Kind::Int | Kind::Decimal | Kind::Bool => return Ok(()),
            };
            *value = settled.map_err(|why| decoding(service, path, &why))?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The whole model.
pub fn project(name: &str, file: &Map) -> String {
    let mut out = format!("name: {}\n", scalar(name));
    let mut root = file.clone();
    root.remove("name");
    root.entry("services".into()).or_insert(Value::Map(Map::default()));
    object(&root, &shapes::FILE, 0, &mut out);
    out
}

/// A mapping's lines at this depth.
fn object(map: &Map, shape: &Shape, depth: usize, out: &mut String) {
    let known = match shape {
        Shape::Object(object) => Some(object.keys),
        Shape::Either(shapes) => shapes.iter().find_map(|shape| match shape {
            Shape::Object(object) => Some(object.keys),
            _ => None,
        }),
        _ => None,
    };
    let Some(keys) = known else {
        let mut all: Vec<(&String, &Value)> = map.iter().collect();
        all.sort_small_by(|a, b| natural(a.0, b.0));
        for (key, value) in all {
            entry(key, value, shape.key(key), depth, out);
        }
        return;
    };
    for (key, shape) in keys {
        if let Some(value) = map.get(*key)
            && says_something(key, value)
        {
            entry(key, value, shape, depth, out);
        }
    }
    for (key, value) in map.iter().filter(|(key, _)| key.starts_with("x-")) {
        entry(key, value, &Shape::Any, depth, out);
    }
}

fn says_something(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes || SHOWN_ZEROS.contains(&key),
        Value::Int(number) => *number != 0 || SHOWN_ZEROS.contains(&key),
        Value::Str(text) => !text.is_empty() && text != "0s",
        Value::Float(_) => true,
        Value::List(items) => !items.is_empty() || SHOWN_EMPTY.contains(&key),
        Value::Map(map) => !map.is_empty() || SHOWN_EMPTY.contains(&key),
    }
}

fn entry(key: &str, value: &Value, shape: &Shape, depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
    out.push_str(&scalar(key));
    out.push(':');
    below(value, shape, depth, out);
}

/// What follows a `:`.
fn below(value: &Value, shape: &Shape, depth: usize, out: &mut String) {
    match value {
        Value::Map(map) if map.is_empty() => out.push_str(" {}\n"),
        Value::List(items) if items.is_empty() => out.push_str(" []\n"),
        Value::Map(map) => {
            let mut text = String::new();
            object(map, shape, depth + 1, &mut text);
            out.push_str(if text.is_empty() { " {}\n" } else { "\n" });
            out.push_str(&text);
        }
        Value::List(items) => {
            out.push('\n');
            for item in items {
                list_item(item, shape.item(), depth + 1, out);
            }
        }
        Value::Str(text) if text.contains('\n') => {
            out.push(' ');
            literal(text, depth + 1, out);
        }
        single => {
            out.push(' ');
            out.push_str(&one(single));
            out.push('\n');
        }
    }
}

fn list_item(item: &Value, shape: &Shape, depth: usize, out: &mut String) {
    let mut text = String::new();
    match item {
        Value::Map(map) if !map.is_empty() => object(map, shape, depth + 1, &mut text),
        Value::List(items) if !items.is_empty() => {
            for item in items {
                list_item(item, shape.item(), depth + 1, &mut text);
            }
        }
        single => {
            below(single, shape, depth, &mut text);
            text = text.trim_start_matches(' ').to_string();
        }
    }
    out.push_str(&"  ".repeat(depth));
    out.push_str("- ");
    out.push_str(text.trim_start_matches(' '));
}

fn literal(text: &str, depth: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    out.push('\n');
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            out.push_str(&"  ".repeat(depth));
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn one(value: &Value) -> String {
    match value {
        Value::Str(text) => scalar(text),
        other => other.text(),
    }
}

/// A text as a scalar, quoted if it would be read as something else.
fn scalar(text: &str) -> String {
    let odd = text.chars().any(|c| c.is_control() && c != '\n');
    let resolves = !matches!(super::yaml::resolve_plain(text), Value::Str(_))
        || old_boolean(text)
        || no_number(text)
        || base_60(text);
    if odd || resolves || text == "<<" || date(text) {
        return format!("{text:?}");
    }
    if plain(text) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Infinities and what is not a number.
fn no_number(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// What YAML 1.1 takes for a boolean.
fn old_boolean(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let known = matches!(lower.as_str(), "y" | "yes" | "on" | "n" | "no" | "off");
    let title = text.chars().skip(1).all(|c| c.is_ascii_lowercase());
    known && (title || text.chars().all(|c| c.is_ascii_uppercase()))
}

/// What YAML 1.1 takes for a number in base 60: `1:1`, `12:30:45`.
fn base_60(text: &str) -> bool {
    let mut parts = text.trim_start_matches(['-', '+']).split(':');
    let figures = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !parts
        .next()
        .is_some_and(|first| figures(first) && !first.starts_with('_'))
    {
        return false;
    }
    let rest: Vec<&str> = parts.collect();
    let last = rest.len().saturating_sub(1);
    !rest.is_empty()
        && rest.iter().enumerate().all(|(index, part)| {
            let (whole, _) = if index == last {
                part.split_once('.').unwrap_or((part, ""))
            } else {
                (*part, "")
            };
            let digits = whole.len() <= 2 && !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
            digits && whole.parse::<u8>().is_ok_and(|number| number < 60)
        })
}

/// `2020-01-01`, which would be read as a date.
fn date(text: &str) -> bool {
    let mut parts = text.split('-');
    let digits = |part: Option<&str>, lengths: std::ops::RangeInclusive<usize>| {
        part.is_some_and(|part| lengths.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    digits(parts.next(), 4..=4) && digits(parts.next(), 1..=2) && digits(parts.next(), 1..=2) && parts.next().is_none()
}

/// Whether it may stand without quotes in a block.
fn plain(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let (Some(first), Some(last)) = (chars.first(), chars.last()) else {
        return false;
    };
    let blank = |at: usize| chars.get(at).is_none_or(|c| matches!(c, ' ' | '\t' | '\n'));
    let indicator = match first {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => true,
        '-' | '?' | ':' => blank(1),
        _ => false,
    };
    let inside = chars.iter().enumerate().any(|(at, c)| match c {
        ':' => blank(at + 1),
        '#' => at > 0 && blank(at - 1),
        '\n' => true,
        _ => false,
    });
    let document = text.starts_with("---") || text.starts_with("...");
    !indicator && !inside && !document && *first != ' ' && *last != ' '
}

/// Letters by code, numbers inside names by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.chars().peekable(), b.chars().peekable());
    loop {
        match (left.peek().copied(), right.peek().copied()) {
            (None, None) => return a.cmp(b),
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let number = |chars: &mut std::iter::Peekable<std::str::Chars>| {
                    let mut value = 0_u64;
                    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                        value = value.saturating_mul(10).saturating_add(u64::from(digit));
                        chars.next();
                    }
                    value
                };
                let order = number(&mut left).cmp(&number(&mut right));
                if order != Ordering::Equal {
                    return order;
                }
            }
            (Some(x), Some(y)) if x == y => {
                left.next();
                right.next();
            }
            (Some(x), Some(y)) => {
                // Letters come after everything else.
                return (x.is_alphabetic(), x).cmp(&(y.is_alphabetic(), y));
            }
        }
    }
}
