//! The part of YAML that compose files use: block and flow collections, all kinds of scalars, anchors, aliases, merge
//! keys. Errors have the words and places of the reference loader's parser.

mod block;
mod resolve;
mod scalars;
mod scan;

use super::value::Value;
pub use resolve::plain as resolve_plain;

/// A place in the text, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub line: u32,
    pub column: u32,
}

/// A part of the document with the place where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub mark: Mark,
    pub content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Scalar(Value),
    List(Vec<Node>),
    /// Keys as scalars, in the order of the text.
    Map(Vec<(Node, Node)>),
}

/// Why a text is no document that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// In the words of the reference parser, without `yaml: `.
    pub text: String,
    pub mark: Mark,
}

/// Deeper nesting than this is refused.
const DEEPEST: u32 = 100;

/// A document of more parts than this is refused; aliases count as what they stand for.
const MOST_NODES: u32 = 100_000;

/// Reads the document; none if the text holds only blanks and comments.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn read(text: &str) -> Result<Option<Node>, Broken> {
    block::Reader::new(text).document()
}

impl Node {
    /// How many parts it has, itself included.
    fn size(&self) -> u32 {
        match &self.content {
            Content::Scalar(_) => 1,
            Content::List(items) => items.iter().fold(1, |sum: u32, item| sum.saturating_add(item.size())),
            Content::Map(entries) => entries.iter().fold(1, |sum: u32, (_, value)| {
                sum.saturating_add(value.size()).saturating_add(1)
            }),
        }
    }

    /// The place of the deepest part that a path of keys and positions leads to.
    pub fn locate<'a>(&self, path: impl Iterator<Item = &'a str>) -> Mark {
        let mut node = self;
        let mut mark = self.mark;
        for part in path {
            let next = match &node.content {
                Content::Map(entries) => entries
                    .iter()
                    .find(|(key, _)| matches!(&key.content, Content::Scalar(value) if value.text() == part))
                    .map(|(key, value)| (key.mark, value)),
                Content::List(items) => part
                    .trim_matches(['[', ']'])
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index))
                    .map(|item| (item.mark, item)),
                Content::Scalar(_) => None,
            };
            let Some((found, below)) = next else { break };
            mark = found;
            node = below;
        }
        mark
    }
}
