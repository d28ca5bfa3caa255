//! Java patterns over topic names: literals, `.`, classes, groups, alternatives, repetitions, anchors. All states are
//! followed at once, so no pattern takes long. [java.util.regex.Pattern]

use std::rc::Rc;

/// Instructions that one pattern may compile to; repetition counts multiply.
const LIMIT: usize = 20_000;

/// Depth of groups.
const DEPTH: usize = 50;

#[derive(Clone, Debug)]
enum Node {
    Empty,
    One(Set),
    Start,
    End,
    Row(Vec<Node>),
    Either(Vec<Node>),
    /// At least, at most.
    Repeat(Box<Node>, usize, Option<usize>),
}

/// Characters: ranges, or all others.
#[derive(Clone, Debug, Default)]
struct Set {
    not: bool,
    ranges: Vec<(char, char)>,
    /// Negated sets inside a class (`[\D_]`).
    inner: Vec<Set>,
}

impl Set {
    fn of(ranges: &[(char, char)]) -> Set {
        Set {
            not: false,
            ranges: ranges.to_vec(),
            inner: Vec::new(),
        }
    }

    fn inverted(mut self) -> Set {
        self.not = !self.not;
        self
    }

    fn has(&self, c: char) -> bool {
        let found = self.ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
        (found || self.inner.iter().any(|set| set.has(c))) != self.not
    }
}

#[derive(Clone, Debug)]
enum Step {
    One(Set),
    Start,
    End,
    Jump(usize),
    Split(usize, usize),
}

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: Rc<str>,
    steps: Rc<[Step]>,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// What is wrong with it, or what of Java's patterns is not modelled.
    pub fn new(text: &str) -> Result<Pattern, String> {
        let mut parser = Parser {
            chars: text.chars().collect(),
            at: 0,
            depth: 0,
        };
        let node = parser.either()?;
        if parser.peek() == Some(')') {
            return Err(parser.error("Unmatched closing ')'"));
        }
        let mut steps = Vec::new();
        compile(&node, &mut steps)?;
        Ok(Pattern {
            text: text.into(),
            steps: steps.into(),
        })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &Rc<str> {
        &self.text
    }

    /// Does the whole text match? [Matcher.matches]
    pub fn matches(&self, text: &str) -> bool {
        let end = text.chars().count();
        let mut now = vec![false; self.steps.len() + 1];
        self.enter(0, 0, end, &mut now);
        for (index, c) in text.chars().enumerate() {
            let mut next = vec![false; self.steps.len() + 1];
            for (step, _) in now.iter().enumerate().filter(|(_, on)| **on) {
                if let Some(Step::One(set)) = self.steps.get(step)
                    && set.has(c)
                {
                    self.enter(step + 1, index + 1, end, &mut next);
                }
            }
            now = next;
        }
        now[self.steps.len()]
    }

    /// Marks a step and all that are reached from it without a character.
    fn enter(&self, step: usize, index: usize, end: usize, on: &mut [bool]) {
        let mut todo = vec![step];
        while let Some(step) = todo.pop() {
            if std::mem::replace(&mut on[step], true) {
                continue;
            }
            match self.steps.get(step) {
                Some(Step::Jump(to)) => todo.push(*to),
                Some(Step::Split(a, b)) => todo.extend([*a, *b]),
                Some(Step::Start) if index == 0 => todo.push(step + 1),
                Some(Step::End) if index == end => todo.push(step + 1),
                _ => {}
            }
        }
    }
}

fn compile(node: &Node, out: &mut Vec<Step>) -> Result<(), String> {
    if out.len() > LIMIT {
        return Err(format!("pattern too large: more than {LIMIT} steps"));
    }
    match node {
        Node::Empty => {}
        Node::One(set) => out.push(Step::One(set.clone())),
        Node::Start => out.push(Step::Start),
        Node::End => out.push(Step::End),
        Node::Row(nodes) => nodes.iter().try_for_each(|node| compile(node, out))?,
        Node::Either(nodes) => compile_either(nodes, out)?,
        Node::Repeat(node, low, high) => compile_repeat(node, *low, *high, out)?,
    }
    Ok(())
}

fn compile_either(nodes: &[Node], out: &mut Vec<Step>) -> Result<(), String> {
    let mut jumps = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let last = index + 1 == nodes.len();
        let split = out.len();
        if !last {
            out.push(Step::Split(split + 1, 0));
        }
        compile(node, out)?;
        if !last {
            jumps.push(out.len());
            out.push(Step::Jump(0));
            out[split] = Step::Split(split + 1, out.len());
        }
    }
    let end = out.len();
    jumps.into_iter().for_each(|jump| out[jump] = Step::Jump(end));
    Ok(())
}

fn compile_repeat(node: &Node, low: usize, high: Option<usize>, out: &mut Vec<Step>) -> Result<(), String> {
    for _ in 0..low {
        compile(node, out)?;
    }
    match high {
        None => {
            let split = out.len();
            out.push(Step::Split(split + 1, 0));
            compile(node, out)?;
            out.push(Step::Jump(split));
            out[split] = Step::Split(split + 1, out.len());
        }
        Some(high) => {
            let mut splits = Vec::new();
            for _ in low..high {
                splits.push(out.len());
                out.push(Step::Split(0, 0));
                compile(node, out)?;
            }
            let end = out.len();
            splits.into_iter().for_each(|at| out[at] = Step::Split(at + 1, end));
        }
    }
    Ok(())
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn takes(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    /// Java's form: what, where, the pattern.
    fn error(&self, what: &str) -> String {
        let text: String = self.chars.iter().collect();
        format!("{what} near index {}\n{text}", self.at)
    }

    fn either(&mut self) -> Result<Node, String> {
        let mut all = vec![self.row()?];
        while self.takes('|') {
            all.push(self.row()?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Node::Either(all),
        })
    }

    fn row(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            let atom = self.atom()?;
            nodes.push(self.repeated(atom)?);
        }
        Ok(Node::Row(nodes))
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node, String> {
        loop {
            let (low, high) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => {
                    self.at += 1;
                    let counts = self.counts()?;
                    self.lazy();
                    node = Node::Repeat(Box::new(node), counts.0, counts.1);
                    continue;
                }
                _ => return Ok(node),
            };
            self.at += 1;
            self.lazy();
            node = Node::Repeat(Box::new(node), low, high);
        }
    }

    /// Whether greedy or reluctant makes no difference to a match of the whole.
    fn lazy(&mut self) {
        self.takes('?');
    }

    fn counts(&mut self) -> Result<(usize, Option<usize>), String> {
        let low = self.number()?;
        let high = match self.takes(',') {
            false => Some(low),
            true if self.peek() == Some('}') => None,
            true => Some(self.number()?),
        };
        if !self.takes('}') {
            return Err(self.error("Unclosed counted closure"));
        }
        match high {
            Some(high) if high < low => Err(self.error("Illegal repetition range")),
            _ => Ok((low, high)),
        }
    }

    fn number(&mut self) -> Result<usize, String> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.at += 1;
            let sum = number.unwrap_or(0usize) * 10 + digit as usize;
            if sum > LIMIT {
                return Err(self.error("Illegal repetition range"));
            }
            number = Some(sum);
        }
        number.ok_or_else(|| self.error("Illegal repetition"))
    }

    fn atom(&mut self) -> Result<Node, String> {
        let Some(c) = self.next() else {
            return Ok(Node::Empty);
        };
        Ok(match c {
            '.' => Node::One(Set::of(&[('\n', '\n'), ('\r', '\r')]).inverted()),
            '^' => Node::Start,
            '$' => Node::End,
            '(' => self.group()?,
            '[' => Node::One(self.class()?),
            '\\' => Node::One(self.escape()?),
            '*' | '+' | '?' => {
                self.at -= 1;
                return Err(self.error(&format!("Dangling meta character '{c}'")));
            }
            '{' => return Err(self.error("Illegal repetition")),
            other => Node::One(Set::of(&[(other, other)])),
        })
    }

    fn group(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.error("Groups nested too deeply"));
        }
        if self.takes('?') && !self.takes(':') {
            return Err(self.error("Groups other than (...) and (?:...) are not modelled"));
        }
        let node = self.either()?;
        if !self.takes(')') {
            return Err(self.error("Unclosed group"));
        }
        self.depth -= 1;
        Ok(node)
    }

    fn class(&mut self) -> Result<Set, String> {
        let mut set = Set {
            not: self.takes('^'),
            ..Set::default()
        };
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err(self.error("Unclosed character class"));
            };
            match c {
                ']' if !first => return Ok(set),
                '[' => set.inner.push(self.class()?),
                '&' if self.peek() == Some('&') => {
                    return Err(self.error("Intersections of character classes are not modelled"));
                }
                '\\' => {
                    let escaped = self.escape()?;
                    match (escaped.not, escaped.ranges.as_slice()) {
                        (false, [(from, to)]) if from == to => self.range(*from, &mut set)?,
                        _ => set.inner.push(escaped),
                    }
                }
                c => self.range(c, &mut set)?,
            }
            first = false;
        }
    }

    /// A character of a class, or the range that it begins.
    fn range(&mut self, from: char, set: &mut Set) -> Result<(), String> {
        let is_range = self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), None | Some(']' | '['));
        if !is_range {
            set.ranges.push((from, from));
            return Ok(());
        }
        self.at += 1;
        let to = match self.next() {
            Some('\\') => self.next(),
            other => other,
        };
        match to {
            Some(to) if to >= from => set.ranges.push((from, to)),
            _ => return Err(self.error("Illegal character range")),
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<Set, String> {
        const DIGIT: &[(char, char)] = &[('0', '9')];
        const WORD: &[(char, char)] = &[('a', 'z'), ('A', 'Z'), ('_', '_'), ('0', '9')];
        const SPACE: &[(char, char)] = &[(' ', ' '), ('\t', '\r')];
        let Some(c) = self.next() else {
            return Err(self.error("Unexpected internal error"));
        };
        Ok(match c {
            'd' => Set::of(DIGIT),
            'D' => Set::of(DIGIT).inverted(),
            'w' => Set::of(WORD),
            'W' => Set::of(WORD).inverted(),
            's' => Set::of(SPACE),
            'S' => Set::of(SPACE).inverted(),
            't' => Set::of(&[('\t', '\t')]),
            'n' => Set::of(&[('\n', '\n')]),
            c if c.is_ascii_alphanumeric() => {
                return Err(self.error(&format!("Escape \\{c} is not modelled")));
            }
            c => Set::of(&[(c, c)]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_whole_names() {
        let rows = [
            ("classic-pat-.*", "classic-pat-a", true),
            ("classic-pat-.*", "classic-patx", false),
            ("a|bc", "bc", true),
            ("a|bc", "abc", false),
            ("(a|b)+c?", "ababc", true),
            ("^loan_(request|reply)$", "loan_reply", true),
            ("[a-c_]{2,3}", "a_c", true),
            ("[a-c_]{2,3}", "a_cb", false),
            ("[^.]+\\.v\\d", "orders.v2", true),
            ("[^.]+\\.v\\d", "orders.x.v2", false),
            ("(?:x*)*y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz", false),
            ("", "", true),
            ("a{0}", "", true),
            (".*?b", "aab", true),
            ("[]a]+", "]a", true),
        ];
        for (pattern, text, expected) in rows {
            let compiled = Pattern::new(pattern).expect("valid");
            assert_eq!(compiled.matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for pattern in [
            "*a",
            "(a",
            "a)",
            "[a",
            "a{2",
            "a{3,2}",
            "\\",
            "(?=a)",
            "((a{999}){999})",
            "\\bx",
        ] {
            assert!(Pattern::new(pattern).is_err(), "{pattern}");
        }
    }
}
