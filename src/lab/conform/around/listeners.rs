//! Start-up errors of listeners and the images' variables, as tests/vectors/listeners/README.md describes them.

use super::same;
use crate::docker::images::{Pairs, apache, wurstmeister};
use crate::docker::startup;
use crate::lab::conform::trace::plain;
use crate::ordered::SortSmall;
use serde_json::{Map, Value};

/// The container's hostname in all recordings.
const HOSTNAME: &str = "3f2a91c07d5e";

fn pairs(case: &Map<String, Value>, key: &str) -> Pairs {
    let map = case.get(key).and_then(Value::as_object).into_iter().flatten();
    map.map(|(name, value)| (name.clone(), plain(value))).collect()
}

fn lines(case: &Map<String, Value>, key: &str) -> Vec<String> {
    let items = case.get(key).and_then(Value::as_array).into_iter().flatten();
    items.map(plain).collect()
}

/// Variables of apache/kafka. The recorder put `log.dirs` behind and, without a mounted file, sorted the lines.
pub fn apache_image(case: &Map<String, Value>) -> Result<(), String> {
    let mounted = case.get("mounted").and_then(Value::as_str);
    let made = apache(&pairs(case, "env"), mounted);
    let mut found = made.lines;
    found.push("log.dirs=<dir>/logs".into());
    if mounted.is_none() {
        found.sort_small();
    }
    let default = case.get("default_file_used").and_then(Value::as_bool);
    same("default_file_used", &default, &Some(made.default_file_used))?;
    same("server.properties", &lines(case, "server.properties"), &found)
}

/// Variables of wurstmeister/kafka; new lines and messages come in the order of the shell's variables.
pub fn wurstmeister_image(case: &Map<String, Value>) -> Result<(), String> {
    let env = pairs(case, "env");
    // The recorded commands are all `echo TEXT`.
    let said = env
        .get("HOSTNAME_COMMAND")
        .and_then(|command| command.strip_prefix("echo "));
    let mut made = wurstmeister(&env, HOSTNAME, said);
    let (mut expected, mut output) = (lines(case, "server.properties"), lines(case, "output"));
    same(
        "exit",
        &case.get("exit").and_then(Value::as_i64),
        &Some(i64::from(made.exit)),
    )?;
    for unordered in [&mut expected, &mut output, &mut made.lines, &mut made.output] {
        unordered.sort_small();
    }
    same("server.properties", &expected, &made.lines)?;
    same("output", &output, &made.output)
}

/// What stood around the broker and is not in the recording: no rule about the configuration.
pub fn depends_on_the_world(case: &Map<String, Value>) -> Option<String> {
    let thrown = exceptions(case);
    let outside = [
        "Socket server failed to bind",
        "No readable meta.properties",
        "Stored node id",
        "Cannot serialize",
    ];
    let found = thrown
        .iter()
        .find(|(_, text)| outside.iter().any(|start| text.starts_with(start)))?;
    Some(format!("found out after the configuration was accepted: {}", found.1))
}

fn exceptions(case: &Map<String, Value>) -> Vec<(String, String)> {
    let lines = case.get("lines").and_then(Value::as_array).into_iter().flatten();
    lines
        .filter_map(|line| Some((plain(line.get("exception")?), plain(line.get("text")?))))
        .collect()
}

/// A start: whether the configuration is accepted, else the exceptions in order.
pub fn start(case: &Map<String, Value>) -> Result<(), String> {
    let found = match startup::check(&pairs(case, "config")) {
        Ok(_) => Vec::new(),
        Err(thrown) => {
            let first = (thrown.class.to_string(), thrown.text);
            let cause = thrown.cause.map(|(class, text)| (class.to_string(), text));
            [first].into_iter().chain(cause).collect()
        }
    };
    same("exceptions", &exceptions(case), &found)
}
