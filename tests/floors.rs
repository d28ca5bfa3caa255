//! The house stays as drawn: a floor uses only those below it, and neighbours on a floor don't know each other.
//!
//! Reads every path in `src/` (`use` lines and paths in expressions, `crate::`, `brokerlab::`, `super::`, `self::`) and
//! names file and line where one leads up or sideways. A second check keeps the floors below the page free of what
//! differs between machines.

use brokerlab::ordered::SortSmall;
use std::fs;
use std::path::{Path, PathBuf};

/// The floors, by the first folder under `src/`, lowest first.
const FLOORS: [(u8, &[&str]); 7] = [
    (0, &["ordered"]),
    (1, &["sim"]),
    (2, &["kafka", "rabbit", "serving", "docker"]),
    (3, &["lab"]),
    (4, &["explore", "console", "share"]),
    (5, &["ui"]),
    (6, &["main", "headless"]),
];

/// What may decide nothing below the page, and why.
const UNSTEADY: [(&str, &str); 12] = [
    ("HashMap", "its order differs between runs: OrderedMap or IndexMap"),
    ("HashSet", "its order differs between runs: OrderedSet or IndexSet"),
    ("Instant", "a wall clock: virtual time"),
    ("SystemTime", "a wall clock: virtual time"),
    ("thread", "a thread: one state machine steps at a time"),
    ("f32", "a floating point number: integers"),
    ("f64", "a floating point number: integers"),
    ("wasm_bindgen", "the web belongs to the page"),
    ("web_sys", "the web belongs to the page"),
    ("js_sys", "the web belongs to the page"),
    ("gloo", "the web belongs to the page"),
    ("yew", "the web belongs to the page"),
];

#[test]
fn no_floor_looks_up_or_sideways() {
    let found: Vec<String> = sources().iter().flat_map(|(file, text)| breaches(file, text)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn nothing_below_the_page_differs_between_machines() {
    let found: Vec<String> = sources().iter().flat_map(|(file, text)| unsteady(file, text)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_folder_has_its_floor() {
    let files = sources();
    assert!(files.len() > 10, "only {} source files were found", files.len());
    for (file, _) in files {
        let room = room(&file);
        assert!(
            room == "lib" || floor(&room).is_some(),
            "{file}: src/{room} is on no floor of tests/floors.rs"
        );
    }
}

/// Every source file: its path from the project's root, with slashes, and its text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project can be read") {
            let path = entry.expect("an entry of such a folder too").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort_small();
    let name = |path: &Path| {
        let inside = path.strip_prefix(root).expect("it was found under the root");
        inside
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect::<Vec<_>>()
            .join("/")
    };
    files
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).expect("sources are UTF-8")))
        .collect()
}

/// The first folder or file under `src/`: `sim` for `src/sim/clock.rs`, `main` for `src/main.rs`.
fn room(file: &str) -> String {
    module(file).first().cloned().unwrap_or_else(|| "lib".into())
}

fn floor(room: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(_, rooms)| rooms.contains(&room))
        .map(|(floor, _)| *floor)
}

/// The module that a file is: `["sim", "clock"]` for `src/sim/clock.rs`; empty for `src/lib.rs`.
fn module(file: &str) -> Vec<String> {
    let inside = file.strip_prefix("src/").unwrap_or(file).trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(Into::into).collect();
    if parts
        .last()
        .is_some_and(|last| last == "mod" || (last == "lib" && parts.len() == 1))
    {
        parts.pop();
    }
    parts
}

/// Where a file leads to a floor that it must not know.
fn breaches(file: &str, text: &str) -> Vec<String> {
    let from = room(file);
    let Some(own) = floor(&from) else { return Vec::new() };
    let mut found = Vec::new();
    for (line, to) in rooms_named(file, text) {
        match floor(&to) {
            Some(other) if other > own => {
                found.push(format!(
                    "{file}:{line}: {from} (floor {own}) looks up to {to} (floor {other})"
                ));
            }
            Some(other) if other == own && to != from => {
                found.push(format!(
                    "{file}:{line}: {from} looks sideways to {to} (both on floor {own})"
                ));
            }
            _ => {}
        }
    }
    // A group may lead to the same room by several branches of one line.
    found.dedup();
    found
}

fn unsteady(file: &str, text: &str) -> Vec<String> {
    if floor(&room(file)).is_none_or(|floor| floor >= 5) {
        return Vec::new();
    }
    let word = |token: &Token| UNSTEADY.iter().find(|(word, _)| token.text == *word);
    tokens(text)
        .iter()
        .filter_map(|token| word(token).map(|(word, why)| format!("{file}:{}: {word}: {why}", token.line)))
        .collect()
}

/// A word or one sign of the source, with its line (from 1). Comments, strings and characters leave none.
struct Token {
    line: usize,
    text: String,
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let (mut at, mut line, mut found) = (0, 1, Vec::new());
    while at < chars.len() {
        let skipped = skipped(&chars[at..]);
        if skipped > 0 {
            line += chars[at..at + skipped].iter().filter(|c| **c == '\n').count();
            at += skipped;
            continue;
        }
        let word = chars[at..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || **c == '_')
            .count();
        let length = word.max(1);
        if !chars[at].is_whitespace() {
            found.push(Token {
                line,
                text: chars[at..at + length].iter().collect(),
            });
        }
        line += usize::from(chars[at] == '\n');
        at += length;
    }
    found
}

/// How many characters a comment, string or character literal takes at the start of `rest`; 0 if none starts there.
fn skipped(rest: &[char]) -> usize {
    let until = |end: &str, from: usize| {
        let end: Vec<char> = end.chars().collect();
        (from..rest.len())
            .find(|at| rest[*at..].starts_with(&end))
            .map_or(rest.len(), |at| at + end.len())
    };
    match rest {
        ['/', '/', ..] => rest.iter().take_while(|c| **c != '\n').count(),
        ['/', '*', ..] => block_comment(rest),
        ['"', ..] => string(rest, '"', 1),
        ['b', '"', ..] => string(rest, '"', 2),
        ['\'', '\\', ..] => string(rest, '\'', 1),
        ['\'', _, '\'', ..] => 3,
        ['r', '"' | '#', ..] | ['b', 'r', '"' | '#', ..] => {
            let open = if rest[0] == 'b' { 2 } else { 1 };
            let hashes = rest[open..].iter().take_while(|c| **c == '#').count();
            // `r#word` is an identifier, not a string.
            if rest.get(open + hashes) != Some(&'"') {
                return 0;
            }
            until(&format!("\"{}", "#".repeat(hashes)), open + hashes + 1)
        }
        _ => 0,
    }
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a literal whose content starts at `at` and ends at the first `quote` that no backslash precedes.
fn string(rest: &[char], quote: char, mut at: usize) -> usize {
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The rooms that a file names in its paths, each with the line.
fn rooms_named(file: &str, text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    // The modules written inside the file that are open here, each with the depth of braces at which it closes.
    let (mut inline, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut at = 0;
    while at < tokens.len() {
        match word(at) {
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inline.pop_if(|(_, closes)| *closes == depth);
            }
            "mod" if word(at + 2) == "{" => inline.push((word(at + 1).into(), depth)),
            start @ ("crate" | "brokerlab" | "super" | "self")
                if word(at + 1) == ":" && word(at.wrapping_sub(1)) != ":" =>
            {
                let here = module(file)
                    .into_iter()
                    .chain(inline.iter().map(|(name, _)| name.clone()))
                    .collect();
                // `main.rs` is a crate of its own: its `crate` is itself, and the house is `brokerlab`.
                let base = if matches!(start, "crate" | "brokerlab") {
                    Vec::new()
                } else {
                    here
                };
                let base = if start == "super" {
                    base[..base.len().saturating_sub(1)].to_vec()
                } else {
                    base
                };
                lead(&tokens, at + 1, base, &mut found);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Follows a path from the `::` at `at`, starting in module `base`, and notes each room it leads to; a group in braces
/// is followed branch by branch. Returns where it ends.
fn lead(tokens: &[Token], mut at: usize, mut base: Vec<String>, found: &mut Vec<(usize, String)>) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    while word(at) == ":" && word(at + 1) == ":" {
        at += 2;
        match word(at) {
            "super" => {
                base.pop();
            }
            "{" => return group(tokens, at + 1, &base, found),
            name => base.push(name.into()),
        }
        at += 1;
    }
    if let (Some(room), Some(token)) = (base.first(), tokens.get(at.saturating_sub(1))) {
        found.push((token.line, room.clone()));
    }
    at
}

/// The branches of a group, from after its opening brace. Returns the place after its closing brace.
fn group(tokens: &[Token], mut at: usize, base: &[String], found: &mut Vec<(usize, String)>) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            "," => at += 1,
            "super" => at = lead(tokens, at + 1, base[..base.len().saturating_sub(1)].to_vec(), found),
            "self" => at = lead(tokens, at + 1, base.to_vec(), found),
            name => at = lead(tokens, at + 1, [base, &[name.to_string()]].concat(), found),
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_up_is_found_wherever_it_is_written() {
        for bad in [
            "use crate::lab::run;",
            "use crate::{sim::clock::Time, lab};",
            "use crate::{\n    lab::{run, scenario},\n};",
            "fn f() { crate::lab::run() }",
            "use super::super::lab;",
            "use super::super::{sim, lab::run};",
            "mod tests { use super::super::super::lab; }",
            "use brokerlab::lab;",
            "macro_rules! m { () => { $crate::lab::run() } }",
        ] {
            let found = breaches("src/kafka/broker.rs", bad);
            assert_eq!(found.len(), 1, "{bad}: {found:?}");
            assert!(
                found[0].contains("kafka (floor 2) looks up to lab (floor 3)"),
                "{found:?}"
            );
        }
    }

    #[test]
    fn the_line_is_named() {
        let text = "//! Head.\n\n/* two\nlines */\nconst A: &str = \"a\nb\";\nuse crate::{sim,\n    ui::app};\n";
        assert_eq!(
            breaches("src/lab/run.rs", text),
            ["src/lab/run.rs:8: lab (floor 3) looks up to ui (floor 5)"]
        );
    }

    #[test]
    fn neighbours_do_not_know_each_other() {
        let found = breaches("src/rabbit/queue.rs", "use crate::kafka::log;");
        assert_eq!(
            found,
            ["src/rabbit/queue.rs:1: rabbit looks sideways to kafka (both on floor 2)"]
        );
    }

    #[test]
    fn what_is_below_or_at_home_is_fine() {
        for good in [
            "use crate::{kafka::log, sim::clock::{self, Time}};",
            "use super::{log, config::Key}; fn f() { self::g() }",
            "mod tests { use super::*; mod deeper { use super::super::log; } } use super::log;",
            "// use crate::lab;\n/* crate::ui /* crate::lab */ */ const A: &str = r#\"crate::\"lab\"#; const B: char = '\"';",
            "fn life<'a>(x: &'a str) -> char { let r#lab = '\\''; r#lab } const C: &str = \"\\\"crate::lab\";",
            "use std::collections::BTreeMap; use other::crate_::lab;",
        ] {
            assert_eq!(breaches("src/kafka/broker/produce.rs", good), [""; 0], "{good}");
        }
        assert_eq!(breaches("src/main.rs", "use brokerlab::{lab, ui, share};"), [""; 0]);
        assert_eq!(breaches("src/ui/app.rs", "use crate::{lab, share};"), [""; 0]);
    }

    #[test]
    fn what_differs_between_machines_is_found() {
        let found = unsteady(
            "src/sim/clock.rs",
            "// HashMap\nuse std::time::Instant;\nconst HALF: f64 = 0.5;",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("src/sim/clock.rs:2: Instant"), "{found:?}");
        assert_eq!(
            unsteady("src/ui/stage.rs", "use yew::prelude::*; type F = f64;"),
            [""; 0]
        );
    }
}
