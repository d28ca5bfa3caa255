//! `volumes` of a service: the short form `[SOURCE:]TARGET[:OPTIONS]`.

use super::units::clean;
use super::value::{Map, Value};

/// Expands one entry.
///
/// # Errors
/// The loader's words.
pub fn expand(entry: &str) -> Result<Value, String> {
    if entry.is_empty() {
        return Err("invalid empty volume spec".into());
    }
    let parts = split(entry);
    let wrong = |what: &str| format!("invalid spec: {entry}: {what}");
    if entry.len() > 2 && parts.iter().any(String::is_empty) {
        return Err(wrong("empty section between colons"));
    }
    let (source, target, options) = match parts.as_slice() {
        [target] => ("", target.as_str(), ""),
        [source, target] => (source.as_str(), target.as_str(), ""),
        [source, target, options] => (source.as_str(), target.as_str(), options.as_str()),
        _ => return Err(wrong("too many colons")),
    };
    let bind = source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") || is_drive(source);
    let mut volume = Map::default();
    volume.insert("type".into(), Value::str(if bind { "bind" } else { "volume" }));
    volume.insert("source".into(), Value::str(source));
    volume.insert("target".into(), Value::str(clean(target)));
    let (mut below, mut bound) = (Map::default(), Map::default());
    for option in options.split(',') {
        match option {
            "ro" => drop(volume.insert("read_only".into(), Value::Bool(true))),
            "rw" => drop(volume.insert("read_only".into(), Value::Bool(false))),
            "nocopy" => drop(below.insert("nocopy".into(), Value::Bool(true))),
            "z" | "Z" => drop(bound.insert("selinux".into(), Value::str(option))),
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                drop(bound.insert("propagation".into(), Value::str(option)));
            }
            // The loader takes others without a word.
            _ => {}
        }
    }
    if bind || !bound.is_empty() {
        volume.insert("bind".into(), Value::Map(bound));
    }
    if !bind || !below.is_empty() {
        volume.insert("volume".into(), Value::Map(below));
    }
    Ok(Value::Map(volume))
}

/// Parts between colons; the colon of a Windows drive is none.
fn split(entry: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for c in entry.chars() {
        let last = parts.len() - 1;
        let drive = parts[last].chars().count() == 1 && parts[last].starts_with(char::is_alphabetic);
        if c == ':' && !drive {
            parts.push(String::new());
        } else {
            parts[last].push(c);
        }
    }
    parts
}

fn is_drive(source: &str) -> bool {
    let mut chars = source.chars();
    chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':')
}
