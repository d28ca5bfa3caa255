//! The reference of the language, made from its words.

use super::words::{self, Part};
use crate::kafka::fixes::FIXES;

/// The reference as Markdown: one table for each part, then subjects, fates, states, invariants and rules. The README's
/// copy is checked against it.
pub fn describe() -> String {
    let mut text = String::new();
    for part in Part::ALL {
        text.push_str(&format!(
            "### {}\n\n| command | meaning |\n|---|---|\n",
            capital(part.title())
        ));
        for verb in words::VERBS.iter().filter(|verb| verb.part == part) {
            text.push_str(&row(&[&code(verb.form), verb.about]));
            for option in verb.options {
                let form = format!("{}={}", option.key, option.form);
                text.push_str(&row(&[
                    &format!("&emsp;{}", code(&form)),
                    &format!("without: {}", option.default),
                ]));
            }
            if let Some(keys) = verb.keys {
                text.push_str(&row(&[
                    "&emsp;`KEY=value`",
                    &format!("any {} key of Kafka's", super::keys::scope_name(keys)),
                ]));
            }
        }
        text.push('\n');
    }
    text.push_str("### What checks look at\n\n| subject | meaning |\n|---|---|\n");
    for subject in words::SUBJECTS {
        let later = if subject.later { "; not here yet" } else { "" };
        text.push_str(&row(&[&code(subject.form), &format!("{}{later}", subject.about)]));
    }
    let operators: Vec<String> = words::OPERATORS.iter().map(|op| code(op)).collect();
    text.push_str(&format!("\nComparisons: {}.\n\n", operators.join(" ")));
    for (title, table) in [
        ("Fates", words::FATES),
        ("Invariants", words::INVARIANTS),
        ("Rules", &FIXES.map(|(_, name, about)| (name, about))),
    ] {
        text.push_str(&format!("### {title}\n\n| name | meaning |\n|---|---|\n"));
        table
            .iter()
            .for_each(|(name, about)| text.push_str(&row(&[&code(name), about])));
        text.push('\n');
    }
    text.push_str(&format!(
        "States of a process: {}. States of a group: {}.\n",
        words::STATES.join(", "),
        words::GROUP_STATES.join(", ")
    ));
    text
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
