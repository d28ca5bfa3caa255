//! Completion of a command line: the language's verbs at its beginning, names and options after it.

use super::acts;
use crate::lab::view::View;

/// Words that could stand at the end of a line, and where the word being typed begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    pub from: usize,
    pub words: Vec<String>,
}

/// Candidates shown at once.
const MOST: usize = 8;

/// What could complete the last word of `line`.
pub fn candidates(line: &str, view: &View) -> Candidates {
    let from = line.rfind(' ').map_or(0, |i| i + 1);
    let (head, word) = line.split_at(from);
    if head.trim_start().is_empty() && word.is_empty() {
        return Candidates::default();
    }
    let mut words: Vec<String> = if head.trim().is_empty() {
        verbs()
    } else {
        rest(head, view)
    };
    words.retain(|w| w.starts_with(word) && w != word);
    words.truncate(MOST);
    Candidates { from, words }
}

fn verbs() -> Vec<String> {
    ["crash", "cut", "consumer", "produce", "producer", "broker", "restart"]
        .iter()
        .map(|w| (*w).to_owned())
        .collect()
}

fn rest(head: &str, view: &View) -> Vec<String> {
    let mut words: Vec<String> = acts::all_names(view).into_iter().map(str::to_owned).collect();
    for topic in &view.topics {
        words.push(topic.name.clone());
        if head.contains(&topic.name) {
            continue;
        }
        words.extend(
            topic
                .partitions
                .iter()
                .map(|p| format!("{}/{}", topic.name, p.partition)),
        );
    }
    words
}
