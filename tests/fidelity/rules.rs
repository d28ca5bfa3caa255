//! Every rule in the sources, and what proves it.

use super::AtWork;
use super::data::files_of;
use brokerlab::ordered::OrderedMap;

/// How many traces are named for a rule; the others are counted.
const NAMED: usize = 3;

/// A rule as its source has it.
struct Written {
    about: String,
    source: String,
}

/// One row for each rule.
pub fn table(at_work: &AtWork) -> String {
    let rules = rules();
    assert!(rules.len() > 80, "only {} rules were found", rules.len());
    for name in at_work.keys() {
        assert!(
            rules.contains_key(*name),
            "the rule `{name}` was at work, but no source has it"
        );
    }
    let mut out =
        String::from("| rule | what the real system does | source | at work in agreeing traces | data files |\n");
    out.push_str("|---|---|---|---|---|\n");
    for (name, rule) in &rules {
        let traces = at_work.get(name.as_str()).map_or_else(
            || "none".to_string(),
            |seen| {
                let first: Vec<String> = seen.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
                let more = seen.len() - first.len();
                let rest = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                format!("{}: {}{rest}", seen.len(), first.join(", "))
            },
        );
        let cell = |text: &str| text.replace('|', "\\|");
        let data = files_of(name);
        out.push_str(&format!(
            "| `{name}` | {} | {} | {traces} | {data} |\n",
            cell(&rule.about),
            cell(&rule.source)
        ));
    }
    out
}

/// All rules in the sources, by name.
fn rules() -> OrderedMap<String, Written> {
    let mut found = OrderedMap::new();
    for (file, text) in super::sources().iter().filter(|(file, _)| file.starts_with("src/")) {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (name, about, source) in constants(file, code).into_iter().chain(listed(code)) {
            let rule = Written { about, source };
            assert!(
                found.insert(name.clone(), rule).is_none(),
                "{file}: a second rule has the name `{name}`"
            );
        }
    }
    found
}

/// Rules written as `pub const NAME: Rule = Rule { name: "...", ... }`: name, about and source of each.
fn constants(file: &str, code: &str) -> Vec<(String, String, String)> {
    let bodies = code.split(": Rule = Rule {").skip(1);
    let literal = |body: &&str| body.trim_start().starts_with("name: \"");
    let read = |body: &str| {
        let field = |name: &str| {
            let quoted = body.split_once(&format!("{name}: \""));
            let (_, rest) = quoted.unwrap_or_else(|| panic!("{file}: a rule has no `{name}`"));
            string(rest)
        };
        (field("name"), field("about"), field("source"))
    };
    bodies.filter(literal).map(read).collect()
}

/// Rules written in a list, each `NAME = "name", "about", "source";`.
fn listed(code: &str) -> Vec<(String, String, String)> {
    let Some((_, list)) = code.split_once("\nrules! {\n") else {
        return Vec::new();
    };
    let read = |line: &str| {
        let (_, fields) = line.split_once(" = \"")?;
        let (name, fields) = fields.split_once("\", \"")?;
        let (about, fields) = fields.split_once("\", \"")?;
        let (source, _) = fields.split_once("\";")?;
        Some((name.to_string(), about.to_string(), source.to_string()))
    };
    list.lines().filter_map(read).collect()
}

/// A string literal up to its closing quote, lines joined as the compiler does.
fn string(rest: &str) -> String {
    let mut out = String::new();
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => {
                    letters = letters.as_str().trim_start().chars();
                }
                Some(other) => out.push(other),
                None => break,
            },
            other => out.push(other),
        }
    }
    out
}
