//! Topic patterns: the rule itself, and an index that answers for all patterns of an exchange at once.

use crate::ordered::OrderedMap;
use crate::rabbit::value::Name;
use std::rc::Rc;

/// The words of a key or pattern. The empty string has none.
pub fn words(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    text.split('.').collect()
}

/// Whether a pattern matches a key: `*` is one word, `#` none or more; only whole words are wildcards.
pub fn matches(pattern: &str, key: &str) -> bool {
    matches_words(&words(pattern), &words(key))
}

fn matches_words(pattern: &[&str], key: &[&str]) -> bool {
    // The places of the pattern that may come next, after the words so far.
    let mut open = vec![false; pattern.len() + 1];
    open[0] = true;
    pass_hashes(pattern, &mut open);
    for word in key {
        let mut next = vec![false; pattern.len() + 1];
        for (at, part) in pattern.iter().enumerate().filter(|(at, _)| open[*at]) {
            match *part {
                "#" => next[at] = true,
                part if part == "*" || part == *word => next[at + 1] = true,
                _ => {}
            }
        }
        pass_hashes(pattern, &mut next);
        open = next;
    }
    open[pattern.len()]
}

/// A `#` may stand for no word at all.
fn pass_hashes(pattern: &[&str], open: &mut [bool]) {
    for (at, part) in pattern.iter().enumerate() {
        if open[at] && *part == "#" {
            open[at + 1] = true;
        }
    }
}

/// All patterns of an exchange as a tree of words: a key walks down it once, whatever the number of patterns.
#[derive(Clone, Debug)]
pub struct TopicIndex<T> {
    root: Rc<Node<T>>,
}

#[derive(Clone, Debug)]
struct Node<T> {
    /// Below a word, `*` and `#` among them.
    below: OrderedMap<Name, Rc<Node<T>>>,
    /// What is bound by the pattern that ends here, each with how many bindings say so.
    bound: OrderedMap<T, u32>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node {
            below: OrderedMap::new(),
            bound: OrderedMap::new(),
        }
    }
}

impl<T> Default for TopicIndex<T> {
    fn default() -> Self {
        TopicIndex { root: Rc::default() }
    }
}

impl<T: Ord + Clone> TopicIndex<T> {
    pub fn insert(&mut self, pattern: &str, target: T) {
        let mut node = Rc::make_mut(&mut self.root);
        for word in words(pattern) {
            node = Rc::make_mut(node.below.entry(word.into()).or_default());
        }
        *node.bound.entry(target).or_insert(0) += 1;
    }

    /// Takes back one `insert`.
    pub fn remove(&mut self, pattern: &str, target: &T) {
        remove_below(Rc::make_mut(&mut self.root), &words(pattern), target);
    }

    /// Calls `found` for what the patterns that match the key are bound to; maybe more than once for one.
    pub fn matching<'a>(&'a self, key: &str, mut found: impl FnMut(&'a T)) {
        // The nodes that the words so far lead to; `true` for a `#`, which stays for any further word.
        let mut open: Vec<(&Node<T>, bool)> = Vec::new();
        enter(&mut open, &self.root, false);
        for word in words(key) {
            let mut next = Vec::with_capacity(open.len());
            for (node, stays) in open {
                if stays {
                    enter(&mut next, node, true);
                }
                if let Some(below) = node.below.get(word) {
                    enter(&mut next, below, word == "#");
                }
                if word != "*"
                    && let Some(below) = node.below.get("*")
                {
                    enter(&mut next, below, false);
                }
            }
            open = next;
        }
        for (node, _) in open {
            node.bound.keys().for_each(&mut found);
        }
    }
}

/// Opens a node, and the `#` below it, which may stand for no word.
fn enter<'a, T>(open: &mut Vec<(&'a Node<T>, bool)>, node: &'a Node<T>, stays: bool) {
    if let Some(known) = open.iter_mut().find(|(known, _)| std::ptr::eq(*known, node)) {
        known.1 |= stays;
        return;
    }
    open.push((node, stays));
    if let Some(hash) = node.below.get("#") {
        enter(open, hash, true);
    }
}

fn remove_below<T: Ord + Clone>(node: &mut Node<T>, words: &[&str], target: &T) {
    let Some((word, rest)) = words.split_first() else {
        if let Some(count) = node.bound.get_mut(target) {
            *count -= 1;
            if *count == 0 {
                node.bound.remove(target);
            }
        }
        return;
    };
    let Some(below) = node.below.get_mut(*word) else {
        return;
    };
    remove_below(Rc::make_mut(below), rest, target);
    if below.bound.is_empty() && below.below.is_empty() {
        node.below.remove(*word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ordered::OrderedSet;
    use proptest::prelude::*;

    fn indexed(index: &TopicIndex<u32>, key: &str) -> OrderedSet<u32> {
        let mut found = OrderedSet::new();
        index.matching(key, |target| {
            found.insert(*target);
        });
        found
    }

    #[test]
    fn wildcards_are_whole_words() {
        for (pattern, key, hit) in [
            ("#", "", true),
            ("*", "", false),
            ("*", "a", true),
            ("a.*", "a.", true),
            ("a.*", "a", false),
            ("*.*", ".", true),
            ("a.*.b", "a..b", true),
            ("a.#", "a", true),
            ("", "", true),
            ("", "a", false),
            ("#.b", "b", true),
            ("#.b", "a.b.c", false),
            ("#.a.#.b", "a.a.b.b", true),
            ("a*", "ab", false),
            ("##", "x", false),
            ("*.#", "", false),
        ] {
            assert_eq!(matches(pattern, key), hit, "{pattern} against {key}");
        }
    }

    #[test]
    fn many_hashes_take_no_long() {
        let mut index = TopicIndex::default();
        let pattern = vec!["#.a"; 40].join(".");
        index.insert(&pattern, 1);
        assert_eq!(indexed(&index, &vec!["a"; 120].join(".")).len(), 1);
        assert!(indexed(&index, &vec!["b"; 120].join(".")).is_empty());
    }

    proptest! {
        /// The index says what testing every pattern says, also after some were taken out again.
        #[test]
        fn the_index_agrees_with_testing_each_pattern(
            patterns in proptest::collection::vec("[ab*#]{0,1}(\\.[ab*#]{0,1}){0,4}", 1..40),
            removed in proptest::collection::vec(any::<bool>(), 40),
            keys in proptest::collection::vec("[ab*#]{0,1}(\\.[ab#]{0,1}){0,5}", 1..20),
        ) {
            let mut index = TopicIndex::default();
            for (number, pattern) in patterns.iter().enumerate() {
                index.insert(pattern, number as u32);
            }
            let left: Vec<(u32, &String)> = (0..).zip(&patterns).filter(|(n, pattern)| {
                if removed[*n as usize] {
                    index.remove(pattern, n);
                }
                !removed[*n as usize]
            }).collect();
            for key in &keys {
                let expected: OrderedSet<u32> =
                    left.iter().filter(|(_, pattern)| matches(pattern, key)).map(|(n, _)| *n).collect();
                prop_assert_eq!(indexed(&index, key), expected, "key {}", key);
            }
        }
    }
}
