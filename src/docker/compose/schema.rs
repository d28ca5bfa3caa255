//! What may stand where in a compose file, and what the loader says when something else does.

use super::value::Value;

/// Sets of types, as the schema names them.
pub const STRING: u8 = 1;
pub const INTEGER: u8 = 2;
pub const NUMBER: u8 = 4;
pub const BOOLEAN: u8 = 8;
pub const NULL: u8 = 16;
const ARRAY: u8 = 32;
const OBJECT: u8 = 64;

/// In the order in which an error lists them.
const TYPES: [(u8, &str); 7] = [
    (ARRAY, "array"),
    (BOOLEAN, "boolean"),
    (INTEGER, "integer"),
    (OBJECT, "mapping"),
    (NULL, "null"),
    (NUMBER, "number"),
    (STRING, "string"),
];

/// What the model makes of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Decimal,
    Bool,
    /// `512m` as bytes.
    Bytes,
    /// `1m30s`.
    Duration,
}

/// The shape of a part of the file.
#[derive(Debug)]
pub enum Shape {
    /// Anything, printed as it is.
    Any,
    /// A scalar of one of these types.
    One(u8, Kind),
    /// A text with two characters in a row that a container name may have.
    ContainerName,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list; `true`: no two items alike.
    List(&'static Shape, bool),
    /// A mapping with names of the author's choice.
    Names(Naming, &'static Shape),
    Object(&'static Object),
    /// Any one of them.
    Either(&'static [Shape]),
}

/// Which names a mapping takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `[a-zA-Z0-9._-]+`.
    Strict,
    Free,
}

/// A mapping with known keys, in the order in which the model is printed.
#[derive(Debug)]
pub struct Object {
    pub keys: &'static [(&'static str, Shape)],
    pub required: &'static [&'static str],
    pub nullable: bool,
    /// An unknown key is reported as `false schema`, at the key's own place.
    pub unevaluated: bool,
}

impl Shape {
    /// The shape of a list's items.
    pub fn item(&self) -> &'static Shape {
        match self {
            Shape::List(item, _) => item,
            Shape::Either(shapes) => first(shapes, |shape| matches!(shape, Shape::List(..)).then(|| shape.item())),
            _ => &Shape::Any,
        }
    }

    /// The shape of what stands under a key.
    pub fn key(&self, name: &str) -> &'static Shape {
        match self {
            Shape::Names(_, below) => below,
            Shape::Object(object) => {
                let found = object.keys.iter().find(|(key, _)| *key == name);
                found.map_or(&Shape::Any, |(_, shape)| shape)
            }
            Shape::Either(shapes) => first(shapes, |shape| {
                matches!(shape, Shape::Names(..) | Shape::Object(_)).then(|| shape.key(name))
            }),
            _ => &Shape::Any,
        }
    }

    /// The type that a text is made into as soon as its variables are filled in.
    pub fn cast(&self) -> Option<Kind> {
        match self {
            Shape::One(types, kind @ (Kind::Int | Kind::Bool | Kind::Decimal))
                if types & STRING != 0 || *kind == Kind::Bool =>
            {
                Some(*kind)
            }
            Shape::Either(shapes) => shapes.iter().find_map(Shape::cast),
            _ => None,
        }
    }
}

fn first(shapes: &'static [Shape], found: impl Fn(&'static Shape) -> Option<&'static Shape>) -> &'static Shape {
    shapes.iter().find_map(found).unwrap_or(&Shape::Any)
}

/// A place where the file is not as the schema wants it.
struct Fault {
    depth: usize,
    text: String,
}

/// Checks a value.
///
/// # Errors
/// The deepest fault, the first one of several, without `validating FILE: `.
pub fn check(value: &Value, shape: &Shape) -> Result<(), String> {
    let mut faults = Vec::new();
    walk(value, shape, &mut Vec::new(), &mut faults);
    let mut worst: Option<Fault> = None;
    for fault in faults {
        if worst.as_ref().is_none_or(|worst| fault.depth > worst.depth) {
            worst = Some(fault);
        }
    }
    worst.map_or(Ok(()), |fault| Err(fault.text))
}

fn types_of(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::Int(_) => INTEGER | NUMBER,
        Value::Float(text) if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') => INTEGER | NUMBER,
        Value::Float(_) => NUMBER,
        Value::Str(_) => STRING,
        Value::List(_) => ARRAY,
        Value::Map(_) => OBJECT,
    }
}

/// `boolean, null or string`.
fn wanted(types: u8) -> String {
    let names: Vec<&str> = TYPES
        .iter()
        .filter(|(bit, _)| types & bit != 0)
        .map(|(_, name)| *name)
        .collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_string(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn say(path: &[String], more: usize, text: &str, faults: &mut Vec<Fault>) {
    faults.push(Fault {
        depth: path.len() + more,
        text: format!("{} {text}", path.join(".")),
    });
}

fn typed(value: &Value, types: u8, path: &[String], faults: &mut Vec<Fault>) -> bool {
    let fits = types_of(value) & types != 0;
    if !fits {
        say(path, 0, &format!("must be a {}", wanted(types)), faults);
    }
    fits
}

fn walk(value: &Value, shape: &Shape, path: &mut Vec<String>, faults: &mut Vec<Fault>) {
    match shape {
        Shape::Any => {}
        Shape::One(types, _) => {
            typed(value, *types, path, faults);
        }
        Shape::ContainerName => {
            let text = value.text();
            if typed(value, STRING, path, faults) && !holds_name(&text) {
                let what = format!("'{text}' does not match pattern '[a-zA-Z0-9][a-zA-Z0-9_.-]+'");
                say(path, 0, &what, faults);
            }
        }
        Shape::Word(words) => {
            if typed(value, STRING, path, faults) && !words.contains(&value.text().as_str()) {
                let words: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
                say(path, 0, &format!("value must be one of {}", words.join(", ")), faults);
            }
        }
        Shape::List(item, unique) => {
            if !typed(value, ARRAY, path, faults) {
                return;
            }
            let items = value.as_list().unwrap_or_default();
            for (index, each) in items.iter().enumerate() {
                path.push(index.to_string());
                walk(each, item, path, faults);
                path.pop();
            }
            if *unique && let Some((a, b)) = twice(items) {
                say(path, 0, &format!("items at {a} and {b} are equal"), faults);
            }
        }
        Shape::Names(naming, below) => {
            if !typed(value, OBJECT, path, faults) {
                return;
            }
            let mut refused = Vec::new();
            for (key, each) in value.as_map().into_iter().flatten() {
                let good = *naming == Naming::Free || name_is_strict(key);
                if !good || key.is_empty() {
                    refused.push(key.as_str());
                    continue;
                }
                path.push(key.clone());
                walk(each, below, path, faults);
                path.pop();
            }
            additional(&refused, path, faults);
        }
        Shape::Object(object) => walk_object(value, object, path, faults),
        Shape::Either(shapes) => {
            let mut all = Vec::new();
            for shape in *shapes {
                let mut own = Vec::new();
                walk(value, shape, path, &mut own);
                if own.is_empty() {
                    return;
                }
                all.extend(own);
            }
            faults.extend(all);
        }
    }
}

fn walk_object(value: &Value, object: &Object, path: &mut Vec<String>, faults: &mut Vec<Fault>) {
    if object.nullable && *value == Value::Null {
        return;
    }
    let types = if object.nullable { OBJECT | NULL } else { OBJECT };
    if !typed(value, types, path, faults) {
        return;
    }
    let mut unknown = Vec::new();
    for (key, each) in value.as_map().into_iter().flatten() {
        match object.keys.iter().find(|(known, _)| known == key) {
            Some((_, shape)) => {
                path.push(key.clone());
                walk(each, shape, path, faults);
                path.pop();
            }
            None if key.starts_with("x-") => {}
            None => unknown.push(key.as_str()),
        }
    }
    let missing: Vec<&&str> = object
        .required
        .iter()
        .filter(|key| value.as_map().is_some_and(|map| !map.contains_key(**key)))
        .collect();
    if let [key] = missing.as_slice() {
        say(path, 0, &format!("missing property '{key}'"), faults);
    } else if !missing.is_empty() {
        let keys: Vec<String> = missing.iter().map(|key| format!("'{key}'")).collect();
        say(path, 0, &format!("missing properties {}", keys.join(", ")), faults);
    }
    if !object.unevaluated {
        additional(&unknown, path, faults);
        return;
    }
    for key in unknown {
        path.push(key.to_string());
        say(path, 0, "false schema", faults);
        path.pop();
    }
}

fn additional(keys: &[&str], path: &[String], faults: &mut Vec<Fault>) {
    if keys.is_empty() {
        return;
    }
    let names: Vec<String> = keys.iter().map(|key| format!("'{key}'")).collect();
    say(
        path,
        1,
        &format!("additional properties {} not allowed", names.join(", ")),
        faults,
    );
}

/// The schema's pattern is not anchored: any two such characters will do.
fn holds_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(2).any(|pair| {
        pair[0].is_ascii_alphanumeric() && (pair[1].is_ascii_alphanumeric() || matches!(pair[1], b'_' | b'.' | b'-'))
    })
}

fn name_is_strict(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn twice(items: &[Value]) -> Option<(usize, usize)> {
    // Lists of thousands of items are compared only near each other: the answer is a courtesy, not a guard.
    items.iter().enumerate().find_map(|(b, item)| {
        let from = b.saturating_sub(1_000);
        let a = items[from..b].iter().position(|other| other == item)?;
        Some((from + a, b))
    })
}
