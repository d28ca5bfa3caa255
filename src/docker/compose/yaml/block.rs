//! Collections: block mappings and lists, flow mappings and lists, anchors and aliases.

use super::scan::Scan;
use super::{Broken, Content, DEEPEST, MOST_NODES, Mark, Node, resolve_plain, scalars};
use crate::docker::compose::value::Value;
use crate::ordered::OrderedMap;

const MAPPING: &str = "while parsing a block mapping";
const NOT_HERE: &str = "mapping values are not allowed in this context";

pub(super) struct Reader {
    scan: Scan,
    anchors: OrderedMap<String, Node>,
    depth: u32,
    nodes: u32,
}

impl Reader {
    pub fn new(text: &str) -> Reader {
        Reader {
            scan: Scan::new(text),
            anchors: OrderedMap::default(),
            depth: 0,
            nodes: 0,
        }
    }

    pub fn document(mut self) -> Result<Option<Node>, Broken> {
        self.scan.skip_blanks(false)?;
        let mut started = false;
        if self.scan.document_mark() && self.scan.peek() == Some('-') {
            started = true;
            for _ in 0..3 {
                self.scan.next();
            }
            self.scan.skip_blanks(false)?;
        }
        if self.scan.peek().is_none() {
            return Ok(None);
        }
        if self.scan.col == 0 && self.scan.peek() == Some('%') && !started {
            let from = self.scan.mark();
            while !self.scan.blank_at(0) {
                self.scan.next();
            }
            let what = "found unknown directive name";
            return Err(self
                .scan
                .broken("while scanning a directive", from, Some(self.scan.mark()), what));
        }
        let node = self.node(-1, true)?;
        self.scan.skip_blanks(false)?;
        if self.scan.document_mark() {
            let at = self.scan.mark();
            for _ in 0..3 {
                self.scan.next();
            }
            self.scan.skip_blanks(false)?;
            if self.scan.peek().is_none() {
                return Ok(Some(node));
            }
            return Err(self.scan.wrong(at, "a second document follows; one is read"));
        }
        if self.scan.peek().is_some() {
            let at = self.scan.mark();
            return Err(self.scan.wrong(at, "did not find expected <document start>"));
        }
        Ok(Some(node))
    }

    /// The node that begins here, inside something indented by `indent`. `compact`: a mapping may begin on this line.
    fn node(&mut self, indent: i64, compact: bool) -> Result<Node, Broken> {
        let mark = self.scan.mark();
        self.depth += 1;
        self.nodes += 1;
        if self.depth > DEEPEST {
            return Err(self.scan.wrong(mark, "exceeded max depth"));
        }
        if self.nodes > MOST_NODES {
            return Err(self.scan.wrong(mark, "document contains excessive aliasing"));
        }
        let node = self.content(indent, compact);
        self.depth -= 1;
        node
    }

    fn content(&mut self, indent: i64, compact: bool) -> Result<Node, Broken> {
        let mark = self.scan.mark();
        if compact && self.key_ahead() {
            return self.mapping(mark);
        }
        let done = |content| Ok(Node { mark, content });
        match self.scan.peek() {
            Some('&') => self.anchored(indent),
            Some('!') => self.tagged(indent),
            Some('*') => self.alias(),
            Some('-') if compact && self.scan.indicator('-') => self.list(mark),
            Some('-') if self.scan.indicator('-') => Err(self
                .scan
                .wrong(mark, "block sequence entries are not allowed in this context")),
            Some('[' | '{') => {
                let node = self.flow()?;
                self.nothing_more(indent)?;
                Ok(node)
            }
            Some('"' | '\'') => {
                let text = scalars::quoted(&mut self.scan)?;
                self.nothing_more(indent)?;
                done(Content::Scalar(Value::Str(text)))
            }
            Some('|' | '>') => {
                let text = scalars::block(&mut self.scan, indent)?;
                done(Content::Scalar(Value::Str(text)))
            }
            Some('%' | '@' | '`' | ']' | '}' | ',') => Err(self.scan.no_token()),
            _ => {
                let text = scalars::plain(&mut self.scan, indent, false)?;
                self.nothing_more(indent)?;
                done(Content::Scalar(resolve_plain(&text)))
            }
        }
    }

    /// After a scalar: the rest of the line must be empty, and no `:` may make a key of it.
    fn nothing_more(&mut self, indent: i64) -> Result<(), Broken> {
        if self.scan.line_is_over() {
            return Ok(());
        }
        self.scan.skip_spaces();
        let at = self.scan.mark();
        if self.scan.indicator(':') {
            return Err(self.scan.wrong(at, NOT_HERE));
        }
        let from = Mark {
            line: at.line,
            column: (indent.max(0) + 1) as u32,
        };
        Err(self.scan.unexpected(MAPPING, from, at, "did not find expected key"))
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.scan.peek() {
            if !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
                break;
            }
            name.push(c);
            self.scan.next();
        }
        name
    }

    fn anchored(&mut self, indent: i64) -> Result<Node, Broken> {
        let start = self.scan.mark();
        self.scan.next();
        let name = self.name();
        if name.is_empty() || !self.scan.blank_at(0) {
            let what = "did not find expected alphabetic or numeric character";
            return Err(self
                .scan
                .broken("while scanning an anchor", start, Some(self.scan.mark()), what));
        }
        let node = self.after_property(indent)?;
        self.anchors.insert(name, node.clone());
        Ok(node)
    }

    /// What an anchor or a tag belongs to: on this line, or the block below.
    fn after_property(&mut self, indent: i64) -> Result<Node, Broken> {
        self.scan.skip_spaces();
        if !self.scan.line_is_over() {
            return self.node(indent, false);
        }
        let mark = self.scan.mark();
        self.scan.skip_blanks(false)?;
        let column = i64::from(self.scan.col);
        let own = column > indent || (column == indent && self.scan.indicator('-'));
        if self.scan.peek().is_some() && own {
            self.node(indent, true)
        } else {
            let content = Content::Scalar(Value::Null);
            Ok(Node { mark, content })
        }
    }

    /// `!!str` makes a text of what it is put before; other tags change nothing here.
    fn tagged(&mut self, indent: i64) -> Result<Node, Broken> {
        let mut tag = String::new();
        while !self.scan.blank_at(0) {
            tag.extend(self.scan.next());
        }
        let mut node = self.after_property(indent)?;
        if tag == "!!str"
            && let Content::Scalar(value) = &node.content
        {
            node.content = Content::Scalar(Value::Str(value.text()));
        }
        Ok(node)
    }

    fn alias(&mut self) -> Result<Node, Broken> {
        let mark = self.scan.mark();
        self.scan.next();
        let name = self.name();
        let Some(node) = self.anchors.get(&name) else {
            let at = Mark {
                line: mark.line,
                column: mark.column + 1,
            };
            return Err(self.scan.wrong(at, &format!("unknown anchor '{name}' referenced")));
        };
        let node = node.clone();
        self.nodes = self.nodes.saturating_add(node.size());
        Ok(node)
    }

    /// Whether a key with its `:` stands on the rest of this line.
    fn key_ahead(&mut self) -> bool {
        let start = self.scan.place();
        let line = self.scan.line;
        let found = match self.scan.peek() {
            Some('"' | '\'') => {
                let read = scalars::quoted(&mut self.scan).is_ok();
                self.scan.skip_spaces();
                read && self.scan.line == line && self.scan.indicator(':')
            }
            Some('[' | '{' | '|' | '>' | '&' | '!' | '#' | '%' | '@' | '`' | ',' | ']' | '}') | None => false,
            Some('*') => {
                self.scan.next();
                self.name();
                self.scan.skip_spaces();
                self.scan.indicator(':')
            }
            Some('-' | '?') if self.scan.blank_at(1) => false,
            Some(_) => {
                let mut blank = false;
                loop {
                    match self.scan.peek() {
                        None | Some('\n') => break false,
                        Some('#') if blank => break false,
                        Some(':') if self.scan.blank_at(1) => break true,
                        Some(c) => blank = matches!(c, ' ' | '\t'),
                    }
                    self.scan.next();
                }
            }
        };
        self.scan.back_to(start);
        found
    }

    fn key(&mut self) -> Result<Node, Broken> {
        let mark = self.scan.mark();
        let value = match self.scan.peek() {
            Some('"' | '\'') => Value::Str(scalars::quoted(&mut self.scan)?),
            Some('*') => {
                let node = self.alias()?;
                self.scan.skip_spaces();
                return Ok(node);
            }
            _ => resolve_plain(&scalars::plain(&mut self.scan, i64::MAX, false)?),
        };
        self.scan.skip_spaces();
        let content = Content::Scalar(value);
        Ok(Node { mark, content })
    }

    fn mapping(&mut self, mark: Mark) -> Result<Node, Broken> {
        let column = self.scan.col;
        let mut entries: Vec<(Node, Node)> = Vec::new();
        loop {
            let key = self.key()?;
            // The `:` that was seen ahead.
            self.scan.next();
            let value = self.value(column)?;
            entries.push((key, value));
            self.scan.skip_blanks(false)?;
            if self.scan.peek().is_none() || self.scan.col < column || self.scan.document_mark() {
                break;
            }
            let at = self.scan.mark();
            if self.scan.col > column || self.scan.indicator('-') {
                return Err(self.scan.unexpected(MAPPING, mark, at, "did not find expected key"));
            }
            if !self.key_ahead() {
                return Err(self.no_key(mark, at));
            }
        }
        let entries = unique(entries, mark, &self.scan)?;
        Ok(Node {
            mark,
            content: Content::Map(entries),
        })
    }

    /// Something at a key's place that is none.
    fn no_key(&mut self, mapping: Mark, at: Mark) -> Broken {
        match self.scan.peek() {
            Some('%' | '@' | '`') => return self.scan.no_token(),
            Some(']' | '}' | ',' | '[' | '{') => {
                return self.scan.unexpected(MAPPING, mapping, at, "did not find expected key");
            }
            _ => {}
        }
        let read = match self.scan.peek() {
            Some('"' | '\'') => scalars::quoted(&mut self.scan),
            _ => scalars::plain(&mut self.scan, i64::from(at.column) - 1, false),
        };
        if let Err(broken) = read.and(self.scan.skip_blanks(false)) {
            return broken;
        }
        let end = self.scan.mark();
        self.scan.broken(
            "while scanning a simple key",
            at,
            Some(end),
            "could not find expected ':'",
        )
    }

    /// What follows the `:` of a key at `column`.
    fn value(&mut self, column: u32) -> Result<Node, Broken> {
        self.scan.skip_spaces();
        let mark = self.scan.mark();
        if !self.scan.line_is_over() {
            return self.node(i64::from(column), false);
        }
        self.scan.skip_blanks(false)?;
        let below = self.scan.peek().is_some() && !self.scan.document_mark();
        if below && (self.scan.col > column || (self.scan.col == column && self.scan.indicator('-'))) {
            return self.node(i64::from(column), true);
        }
        let content = Content::Scalar(Value::Null);
        Ok(Node { mark, content })
    }

    fn list(&mut self, mark: Mark) -> Result<Node, Broken> {
        let column = self.scan.col;
        let mut items = Vec::new();
        while self.scan.col == column && self.scan.indicator('-') {
            self.scan.next();
            let at = self.scan.mark();
            self.scan.skip_blanks(false)?;
            let nested = self.scan.peek().is_some() && self.scan.col > column && !self.scan.document_mark();
            items.push(if nested {
                self.node(i64::from(column), true)?
            } else {
                let content = Content::Scalar(Value::Null);
                Node { mark: at, content }
            });
            self.scan.skip_blanks(false)?;
        }
        if self.scan.peek().is_some() && self.scan.col > column {
            let at = self.scan.mark();
            let what = "did not find expected '-' indicator";
            return Err(self.scan.unexpected("while parsing a block collection", mark, at, what));
        }
        Ok(Node {
            mark,
            content: Content::List(items),
        })
    }

    fn flow(&mut self) -> Result<Node, Broken> {
        let mark = self.scan.mark();
        self.depth += 1;
        self.nodes += 1;
        if self.depth > DEEPEST {
            return Err(self.scan.wrong(mark, "exceeded max depth"));
        }
        if self.nodes > MOST_NODES {
            return Err(self.scan.wrong(mark, "document contains excessive aliasing"));
        }
        let node = match self.scan.peek() {
            Some('[') => self.flow_list(mark),
            Some('{') => self.flow_map(mark),
            Some('*') => self.alias(),
            Some('"' | '\'') => {
                let content = Content::Scalar(Value::Str(scalars::quoted(&mut self.scan)?));
                Ok(Node { mark, content })
            }
            Some('@' | '`' | '%') => Err(self.scan.no_token()),
            _ => {
                let text = scalars::plain(&mut self.scan, -1, true)?;
                let content = Content::Scalar(resolve_plain(&text));
                Ok(Node { mark, content })
            }
        };
        self.depth -= 1;
        node
    }

    fn flow_list(&mut self, mark: Mark) -> Result<Node, Broken> {
        self.scan.next();
        let mut items = Vec::new();
        loop {
            self.scan.skip_blanks(true)?;
            if self.scan.peek() == Some(']') {
                break;
            }
            if self.scan.peek().is_some_and(|c| c != ',' && c != '}') {
                let key = self.flow()?;
                self.scan.skip_blanks(true)?;
                if self.scan.peek() == Some(':') {
                    self.scan.next();
                    let value = self.flow_value()?;
                    let content = Content::Map(vec![(key.clone(), value)]);
                    items.push(Node {
                        mark: key.mark,
                        content,
                    });
                    self.scan.skip_blanks(true)?;
                } else {
                    items.push(key);
                }
            }
            match self.scan.peek() {
                Some(',') => self.scan.next(),
                Some(']') => break,
                _ => {
                    return Err(self.open(
                        "while parsing a flow sequence",
                        mark,
                        "did not find expected ',' or ']'",
                    ));
                }
            };
        }
        self.scan.next();
        let content = Content::List(items);
        Ok(Node { mark, content })
    }

    fn flow_map(&mut self, mark: Mark) -> Result<Node, Broken> {
        self.scan.next();
        let mut entries = Vec::new();
        loop {
            self.scan.skip_blanks(true)?;
            if self.scan.peek() == Some('}') {
                break;
            }
            if self.scan.peek().is_some_and(|c| c != ',' && c != ']') {
                let key = self.flow()?;
                self.scan.skip_blanks(true)?;
                let value = if self.scan.peek() == Some(':') {
                    self.scan.next();
                    self.flow_value()?
                } else {
                    let content = Content::Scalar(Value::Null);
                    Node {
                        mark: key.mark,
                        content,
                    }
                };
                entries.push((key, value));
                self.scan.skip_blanks(true)?;
            }
            match self.scan.peek() {
                Some(',') => self.scan.next(),
                Some('}') => break,
                _ => return Err(self.open("while parsing a flow mapping", mark, "did not find expected ',' or '}'")),
            };
        }
        self.scan.next();
        let entries = unique(entries, mark, &self.scan)?;
        let content = Content::Map(entries);
        Ok(Node { mark, content })
    }

    fn flow_value(&mut self) -> Result<Node, Broken> {
        self.scan.skip_blanks(true)?;
        if matches!(self.scan.peek(), None | Some(',' | ']' | '}')) {
            let content = Content::Scalar(Value::Null);
            return Ok(Node {
                mark: self.scan.mark(),
                content,
            });
        }
        self.flow()
    }

    fn open(&self, context: &str, from: Mark, problem: &str) -> Broken {
        self.scan.unexpected(context, from, self.scan.mark(), problem)
    }
}

/// Refuses a key that stands twice, and puts in what `<<` refers to.
fn unique(entries: Vec<(Node, Node)>, mark: Mark, scan: &Scan) -> Result<Vec<(Node, Node)>, Broken> {
    let mut seen: OrderedMap<String, u32> = OrderedMap::default();
    let mut own = Vec::new();
    let mut merged = Vec::new();
    for (key, value) in entries {
        let Content::Scalar(name) = &key.content else {
            return Err(scan.wrong(key.mark, "invalid map key"));
        };
        let name = name.text();
        if let Some(first) = seen.get(&name) {
            let line = key.mark.line;
            return Err(Broken {
                text: format!(
                    "construct errors:\n  line 1: line {line}: mapping key {name:?} already defined at line {first}"
                ),
                mark: key.mark,
            });
        }
        seen.insert(name.clone(), key.mark.line);
        if name == "<<" {
            merged.push(value);
        } else {
            own.push((key, value));
        }
    }
    for value in merged {
        let sources = match value.content {
            Content::List(items) => items,
            content => vec![Node { mark, content }],
        };
        for source in sources {
            let Content::Map(given) = source.content else {
                return Err(Broken {
                    text: "construct errors:\n  line 1: yaml: map merge requires map or sequence of maps as the value"
                        .into(),
                    mark,
                });
            };
            for (key, value) in given {
                if !own.iter().any(|(known, _)| known.content == key.content) {
                    own.push((key, value));
                }
            }
        }
    }
    Ok(own)
}
