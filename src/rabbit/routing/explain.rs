//! Why a message goes where it goes: every binding of the exchanges that it would pass, matched or not, with the reason,
//! word by word and header by header. Nothing is sent.

use super::bindings::Binding;
use super::exchange::{Exchange, Kind};
use super::headers::{Mode, pair_matches};
use super::topic::words;
use super::{Target, Topology};
use crate::ordered::OrderedSet;
use crate::rabbit::message::Message;
use crate::rabbit::value::{Field, Name, Table};

/// What one binding says to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub binding: Binding,
    pub why: Why,
}

/// The reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// A fanout matches everything.
    Always,
    /// The key is equal to one of the message's, or to none.
    Key(bool),
    /// Word by word of the pattern.
    Words(Vec<Word>, bool),
    /// Header by header, under that mode.
    Headers(Mode, Vec<Pair>, bool),
}

impl Why {
    pub fn matched(&self) -> bool {
        match self {
            Why::Always => true,
            Why::Key(matched) | Why::Words(_, matched) | Why::Headers(_, _, matched) => *matched,
        }
    }
}

/// A word of a pattern, and what of the key it stands for: the words, or none if it found no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub pattern: String,
    pub stands_for: Option<Vec<String>>,
}

/// A pair of a binding, and what the message has under that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub name: Name,
    pub wanted: Field,
    pub found: Option<Field>,
    pub matched: bool,
}

/// One exchange on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub exchange: Name,
    pub answers: Vec<Answer>,
    /// Nothing matched, so the message goes on to this exchange; it may not exist.
    pub alternate: Option<Name>,
}

/// The whole way of a message, and the queues that it would reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    pub hops: Vec<Hop>,
    pub queues: OrderedSet<Name>,
}

/// Explains the way of a message that is published to this exchange.
pub fn explain(topology: &Topology, exchange: &Exchange, message: &Message) -> Way {
    let mut hops = Vec::new();
    let mut seen = OrderedSet::from([exchange.name.clone()]);
    let mut work = vec![exchange];
    while let Some(exchange) = work.pop() {
        let hop = hop(topology, exchange, message);
        let matched = hop.answers.iter().filter(|answer| answer.why.matched());
        let onwards = matched.filter_map(|answer| match &answer.binding.target {
            Target::Exchange(name) => Some(name),
            Target::Queue(_) => None,
        });
        for name in onwards.chain(&hop.alternate) {
            if let Some(next) = topology.exchange(name)
                && seen.insert(name.clone())
            {
                work.push(next);
            }
        }
        hops.push(hop);
    }
    Way {
        hops,
        queues: topology.route(exchange, message),
    }
}

fn hop(topology: &Topology, exchange: &Exchange, message: &Message) -> Hop {
    let bindings = topology.bindings.from_source(&exchange.name);
    let answers: Vec<Answer> = bindings
        .map(|binding| Answer {
            binding: binding.clone(),
            why: why(exchange.kind, binding, message),
        })
        .collect();
    let alternate = match answers.iter().any(|answer| answer.why.matched()) {
        true => None,
        false => exchange.alternate().cloned(),
    };
    Hop {
        exchange: exchange.name.clone(),
        answers,
        alternate,
    }
}

fn why(kind: Kind, binding: &Binding, message: &Message) -> Why {
    match kind {
        Kind::Fanout => Why::Always,
        Kind::Direct => Why::Key(message.keys.contains(&binding.key)),
        Kind::Topic => by_words(&binding.key, message),
        Kind::Headers => by_headers(&binding.arguments, message),
    }
}

/// The key that matches, or the message's own.
fn by_words(pattern: &str, message: &Message) -> Why {
    let mut first = None;
    for key in message.keys.iter() {
        let (found, matched) = aligned(&words(pattern), &words(key));
        if matched {
            return Why::Words(found, true);
        }
        first.get_or_insert(found);
    }
    Why::Words(first.unwrap_or_default(), false)
}

/// What each word of the pattern stands for; as far as it goes, if the whole does not match.
fn aligned(pattern: &[&str], key: &[&str]) -> (Vec<Word>, bool) {
    // `fits[p][k]`: the pattern from `p` on matches the key from `k` on.
    let mut fits = vec![vec![false; key.len() + 1]; pattern.len() + 1];
    fits[pattern.len()][key.len()] = true;
    for p in (0..pattern.len()).rev() {
        for k in (0..=key.len()).rev() {
            fits[p][k] = match pattern[p] {
                "#" => fits[p + 1][k] || (k < key.len() && fits[p][k + 1]),
                word => k < key.len() && (word == "*" || word == key[k]) && fits[p + 1][k + 1],
            };
        }
    }
    let matched = fits[0][0];
    let mut at = Some(0);
    let words = (0..pattern.len()).map(|p| {
        let taken = at.and_then(|k| match pattern[p] {
            // As few words as let the rest match; all that are left if nothing does.
            "#" if matched => (k..=key.len()).find(|end| fits[p + 1][*end]).map(|end| (k, end)),
            "#" => Some((k, key.len())),
            word => (k < key.len() && (word == "*" || word == key[k])).then_some((k, k + 1)),
        });
        at = taken.map(|(_, end)| end);
        Word {
            pattern: pattern[p].to_string(),
            stands_for: taken.map(|(from, end)| key[from..end].iter().map(ToString::to_string).collect()),
        }
    });
    (words.collect(), matched)
}

fn by_headers(arguments: &Table, message: &Message) -> Why {
    // A mode that is not known was refused when it was bound.
    let mode = Mode::of(arguments).unwrap_or(Mode::All);
    let none = Table::default();
    let headers = message.properties.headers.as_ref().unwrap_or(&none);
    let pairs = arguments
        .iter()
        .filter(|(name, _)| mode.counts(name))
        .map(|(name, wanted)| Pair {
            name: name.clone(),
            wanted: wanted.clone(),
            found: headers.get(name).cloned(),
            matched: pair_matches(wanted, headers.get(name)),
        });
    Why::Headers(mode, pairs.collect(), super::headers::matches(arguments, headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rabbit::routing::topic::matches;
    use proptest::prelude::*;

    fn stands(pattern: &str, key: &str) -> (Vec<Option<String>>, bool) {
        let (words, matched) = aligned(&words(pattern), &words(key));
        let joined = words.into_iter().map(|word| word.stands_for.map(|of| of.join(".")));
        (joined.collect(), matched)
    }

    #[test]
    fn each_word_of_a_pattern_says_what_it_stands_for() {
        let some = |text: &str| Some(text.to_string());
        assert_eq!(
            stands("loan.#.high", "loan.eu.fr.high"),
            (vec![some("loan"), some("eu.fr"), some("high")], true)
        );
        assert_eq!(stands("loan.*", "loan"), (vec![some("loan"), None], false));
        assert_eq!(stands("order.*", "loan.eu"), (vec![None, None], false));
        assert_eq!(stands("#", ""), (vec![some("")], true));
    }

    proptest! {
        #[test]
        fn the_explanation_agrees_with_the_rule(
            pattern in "[ab*#]{0,1}(\\.[ab*#]{0,1}){0,4}",
            key in "[ab]{0,1}(\\.[ab]{0,1}){0,5}",
        ) {
            let (words, matched) = aligned(&words(&pattern), &words(&key));
            prop_assert_eq!(matched, matches(&pattern, &key));
            if matched {
                let all: Vec<String> = words.into_iter().flat_map(|word| word.stands_for.unwrap_or_default()).collect();
                prop_assert_eq!(all.join("."), key);
            }
        }
    }
}
