//! The words of one command while it is read: positional words, options, and the errors for what is missing, unknown or
//! left over.

use crate::lab::language::ast::{Between, Config, Name, Target, TopicPartition, Way};
use crate::lab::language::errors::{Kind as ErrorKind, nearest};
use crate::lab::language::lexer::{Span, Token};
use crate::lab::language::scope::{Kind, Scope};
use crate::lab::language::words::{OPERATORS, Verb};
use crate::lab::language::{keys, limits, units};

/// Why a command can't be read, and where in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub kind: ErrorKind,
    pub span: Span,
    pub message: String,
    pub hint: Option<String>,
}

pub type Read<T> = Result<T, Wrong>;

/// An error at `span`; `hint` says what would be right.
pub fn wrong<T>(span: Span, message: impl Into<String>, hint: impl Into<String>) -> Read<T> {
    let hint = Some(hint.into()).filter(|hint| !hint.is_empty());
    Err(Wrong {
        kind: ErrorKind::Wrong,
        span,
        message: message.into(),
        hint,
    })
}

/// An error about a limit.
pub fn too_many<T>(span: Span, what: &str, limit: impl std::fmt::Display) -> Read<T> {
    let message = format!("more than {limit} {what}");
    Err(Wrong {
        kind: ErrorKind::Limit,
        span,
        message,
        hint: Some(format!("at most {limit}")),
    })
}

/// The hint of a word that is not known: the nearest one, or some of all.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("the nearest: {near}");
    }
    let mut some: Vec<&str> = known.into_iter().take(13).collect();
    let more = if some.len() > 12 { ", ..." } else { "" };
    some.truncate(12);
    if some.is_empty() {
        String::new()
    } else {
        format!("one of: {}{more}", some.join(", "))
    }
}

/// The words of a command behind its verb.
pub struct Args<'a> {
    pub verb: &'static Verb,
    pub scope: &'a Scope,
    words: std::collections::VecDeque<&'a Token>,
    pairs: Vec<&'a Token>,
    /// Where something that is missing would stand.
    end: Span,
}

impl<'a> Args<'a> {
    pub fn new(verb: &'static Verb, tokens: &'a [Token], scope: &'a Scope) -> Args<'a> {
        let end = tokens.last().map_or(0, |token| token.span.end);
        let behind = tokens.iter().skip(1);
        Args {
            verb,
            scope,
            words: behind.clone().filter(|t| t.key.is_none()).collect(),
            pairs: behind.filter(|t| t.key.is_some()).collect(),
            end: Span {
                start: end + 1,
                end: end + 2,
            },
        }
    }

    /// Where the command ends.
    pub fn verb_span(&self) -> Span {
        self.end
    }

    /// The error for a word that is not there.
    pub fn missing<T>(&self, what: &str) -> Read<T> {
        wrong(
            self.end,
            format!("{} is missing", what),
            format!("as in: {}", self.verb.form),
        )
    }

    pub fn peek(&self) -> Option<&'a Token> {
        self.words.front().copied()
    }

    /// Whether the next word is this one, unquoted.
    pub fn next_is(&self, word: &str) -> bool {
        self.peek().is_some_and(|t| !t.quoted && t.text == word)
    }

    /// Takes the next word if it is this one.
    pub fn take(&mut self, word: &str) -> bool {
        let is = self.next_is(word);
        if is {
            self.words.pop_front();
        }
        is
    }

    pub fn word(&mut self, what: &str) -> Read<&'a Token> {
        match self.words.pop_front() {
            Some(token) => Ok(token),
            None => self.missing(what),
        }
    }

    /// Takes the last word.
    pub fn last_word(&mut self) -> Option<&'a Token> {
        self.words.pop_back()
    }

    /// Gives the last word back.
    pub fn put_back(&mut self, token: &'a Token) {
        self.words.push_back(token);
    }

    /// Whether the word behind the next one is no comparison.
    pub fn second_is_no_operator(&self) -> bool {
        self.words
            .get(1)
            .is_some_and(|t| t.quoted || !OPERATORS.contains(&&*t.text))
    }

    /// How many words are left.
    pub fn left(&self) -> usize {
        self.words.len()
    }

    pub fn option(&mut self, key: &str) -> Option<&'a Token> {
        let at = self.pairs.iter().position(|t| t.key.as_deref() == Some(key))?;
        Some(self.pairs.remove(at))
    }

    /// Takes all options with this prefix in their keys, without the prefix.
    pub fn options_with(&mut self, prefix: &str) -> Vec<(&'a str, &'a Token)> {
        let mut found = Vec::new();
        self.pairs.retain(
            |token| match token.key.as_deref().and_then(|key| key.strip_prefix(prefix)) {
                Some(rest) => {
                    found.push((rest, *token));
                    false
                }
                None => true,
            },
        );
        found
    }

    /// Takes all options that are left.
    pub fn all_options(&mut self) -> Vec<&'a Token> {
        std::mem::take(&mut self.pairs)
    }

    /// Nothing may be left.
    pub fn finish(mut self) -> Read<()> {
        if let Some(token) = self.pairs.first() {
            return self.unknown_option(token);
        }
        match self.words.pop_front() {
            Some(token) => wrong(
                token.span,
                format!("\"{}\" is more than {} takes", token.text, self.verb.name),
                format!("as in: {}", self.verb.form),
            ),
            None => Ok(()),
        }
    }

    pub fn unknown_option<T>(&self, token: &Token) -> Read<T> {
        let key = token.key.as_deref().unwrap_or_default();
        let own: Vec<&str> = self.verb.options.iter().map(|o| o.key).collect();
        let of_scope = self.verb.keys.map(keys::names);
        let all = own.iter().copied().chain(of_scope.into_iter().flatten());
        if own.contains(&key) {
            return wrong(token.span, format!("{key} is said twice"), "once is enough");
        }
        let hint = match (
            suggest(key, all.clone().collect::<Vec<_>>()),
            own.is_empty() && self.verb.keys.is_none(),
        ) {
            (_, true) => format!("{} takes no options", self.verb.name),
            (hint, false) => hint,
        };
        wrong(
            key_span(token),
            format!("{key} is not an option of {}", self.verb.name),
            hint,
        )
    }

    /// Takes all options that are left as settings of a scope.
    pub fn config(&mut self, scope: keys::Scope) -> Read<Config> {
        let mut config = Config::new();
        for token in self.all_options() {
            let key = token.key.as_deref().unwrap_or_default();
            if scope.find(key).is_none() {
                return self.unknown_option(token);
            }
            let value = setting(scope, key, token)?;
            if config.insert(key.into(), value).is_some() {
                return wrong(token.span, format!("{key} is said twice"), "once is enough");
            }
        }
        Ok(config)
    }

    /// Names, ranges (`b1..b3`) and lists (`b1,b2`) up to an operator or the end; none may be missing.
    pub fn names(&mut self, what: &str) -> Read<Vec<Name>> {
        let mut names = Vec::new();
        while let Some(token) = self.peek() {
            if !token.quoted && matches!(&*token.text, "->" | "<->" | "|") {
                break;
            }
            self.words.pop_front();
            names.extend(split_names(token, token.span)?);
            if names.len() > limits::LIST {
                return too_many(token.span, "names in one command", limits::LIST);
            }
        }
        if names.is_empty() {
            self.missing(what)
        } else {
            Ok(names)
        }
    }

    /// Names of things that exist and for which `wanted` holds.
    pub fn known_names(&mut self, what: &str, wanted: impl Fn(Kind) -> bool + Copy) -> Read<Vec<Name>> {
        let tokens: Vec<&Token> = self.words.iter().copied().collect();
        let names = self.names(what)?;
        let scope = self.scope;
        let mut places = tokens
            .iter()
            .flat_map(|t| split_names(t, t.span).into_iter().flatten().map(|name| (name, t.span)));
        for name in &names {
            let span = places.next().map_or(self.end, |(_, span)| span);
            known(scope, name, span, what, wanted)?;
        }
        Ok(names)
    }

    /// One name of a thing that exists.
    pub fn known_name(&mut self, what: &str, wanted: impl Fn(Kind) -> bool + Copy) -> Read<Name> {
        let token = self.word(what)?;
        let name = name_of(token)?;
        known(self.scope, &name, token.span, what, wanted)?;
        Ok(name)
    }

    /// `b1 -> b2 b3`, `b1 <-> b2`, `b1 c1 | b2 b3`.
    pub fn between(&mut self) -> Read<Between> {
        let ends = |kind: Kind| kind != Kind::Network;
        let from = self.known_names("who is cut from whom", ends)?;
        let token = self.word("-> (or <->, or |)")?;
        let way = match &*token.text {
            "->" => Way::OneWay,
            "<->" => Way::Both,
            _ => Way::Sides,
        };
        let to = self.known_names("the other side", ends)?;
        let between = Between { from, way, to };
        if between.pairs().is_empty() {
            return wrong(
                token.span,
                "nothing lies between a name and itself",
                format!("as in: {}", self.verb.form),
            );
        }
        Ok(between)
    }
}

/// Where the key of a pair stands.
pub fn key_span(token: &Token) -> Span {
    let width = token.key.as_ref().map_or(0, |key| key.chars().count());
    Span {
        start: token.span.start,
        end: token.span.start + width,
    }
}

/// A setting's value, checked and canonical.
pub fn setting(scope: keys::Scope, key: &str, token: &Token) -> Read<Name> {
    match keys::check(scope, key, &token.text) {
        Ok(value) => Ok(value.into()),
        Err(refused) => wrong(
            token.span,
            format!("{key}={} is not a value of {key}", token.text),
            refused.hint,
        ),
    }
}

/// Whether a text can be a name.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=limits::NAME_CHARS).contains(&text.len()) && text.chars().all(plain) && !text.contains("..")
}

/// A text as a name, or the error that it is none.
pub fn name_at(text: &str, span: Span) -> Read<Name> {
    if is_name(text) {
        return Ok(text.into());
    }
    let shown: String = text.chars().take(40).collect();
    wrong(
        span,
        format!("\"{shown}\" is not a name"),
        format!("letters, digits, . _ and -, at most {}", limits::NAME_CHARS),
    )
}

pub fn name_of(token: &Token) -> Read<Name> {
    name_at(&token.text, token.value_span)
}

/// A thing of this name must exist, and be what is wanted.
fn known(scope: &Scope, name: &str, span: Span, what: &str, wanted: impl Fn(Kind) -> bool) -> Read<()> {
    let later = |message: String| {
        Err(Wrong {
            kind: ErrorKind::NotYet,
            span,
            message,
            hint: None,
        })
    };
    match scope.kind(name) {
        Some(kind) if wanted(kind) && kind != Kind::Later => Ok(()),
        Some(Kind::Later) => later(format!("{name} belongs to what is not here yet")),
        Some(kind) => wrong(
            span,
            format!("{name} is a {}", kind.name()),
            suggest(name, scope.names_of(&wanted).collect::<Vec<_>>()),
        ),
        None if scope.is_open() => later(format!("{name} may come from the compose file, which cannot be loaded")),
        None => {
            let there: Vec<&str> = scope
                .names_of(&wanted)
                .filter(|n| scope.kind(n) != Some(Kind::Later))
                .collect();
            let hint = if there.is_empty() {
                format!("no line above makes {what}")
            } else {
                suggest(name, there)
            };
            wrong(span, format!("there is no {name}"), hint)
        }
    }
}

/// The names of a word: one, a list with commas, ranges among them.
fn split_names(token: &Token, span: Span) -> Read<Vec<Name>> {
    let mut names = Vec::new();
    for part in token.text.split(',').filter(|part| !part.is_empty()) {
        match part.split_once("..") {
            Some((first, last)) => names.extend(range(first, last, part, span)?),
            None => names.push(name_at(part, span)?),
        }
    }
    if names.is_empty() {
        wrong(span, format!("\"{}\" is not a name", token.text), "")
    } else {
        Ok(names)
    }
}

/// `b1..b3`.
fn range(first: &str, last: &str, part: &str, span: Span) -> Read<Vec<Name>> {
    let split = |text: &str| {
        let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = text[stem.len()..]
            .parse::<u32>()
            .ok()
            .filter(|n| n.to_string() == text[stem.len()..]);
        number.map(|number| (stem.to_owned(), number))
    };
    match (split(first), split(last)) {
        (Some((stem, low)), Some((other, high)))
            if stem == other && low <= high && (stem.is_empty() || is_name(&stem)) =>
        {
            if high - low >= limits::LIST as u32 {
                return too_many(span, "names in one range", limits::LIST);
            }
            (low..=high).map(|n| name_at(&format!("{stem}{n}"), span)).collect()
        }
        _ => wrong(span, format!("{part} is not a range"), "as in: b1..b3"),
    }
}

/// The list of names of an option (`topics=a,b`).
pub fn list_of(token: &Token) -> Read<Vec<Name>> {
    split_names(token, token.value_span)
}

/// `loan_request/0`.
pub fn partition_at(text: &str, span: Span) -> Read<TopicPartition> {
    match target_at(text, span)? {
        Target {
            topic,
            partition: Some(partition),
        } => Ok(TopicPartition { topic, partition }),
        Target { topic, .. } => wrong(
            span,
            format!("{topic} is a topic, not a partition"),
            format!("as in: {topic}/0"),
        ),
    }
}

/// `loan_request` or `loan_request/0`.
pub fn target_at(text: &str, span: Span) -> Read<Target> {
    let Some((topic, number)) = text.split_once('/') else {
        return Ok(Target {
            topic: name_at(text, span)?,
            partition: None,
        });
    };
    let topic = name_at(topic, span)?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    match number.parse::<i32>() {
        Ok(partition) if digits && partition < limits::PARTITIONS as i32 => Ok(Target {
            topic,
            partition: Some(partition),
        }),
        Ok(_) if digits => too_many(span, "partitions of a topic", limits::PARTITIONS),
        _ => wrong(span, format!("{text} is not a partition"), format!("as in: {topic}/0")),
    }
}

/// A duration of a word or an option.
pub fn duration_of(token: &Token) -> Read<u64> {
    match units::parse_duration(&token.text) {
        Some(us) => Ok(us),
        None => wrong(
            token.value_span,
            format!("\"{}\" is not a duration", token.text),
            "as in: 30us, 250ms, 1.5s, 10m, 1h; at most 30 days",
        ),
    }
}

/// A whole number of an option, from `least` to `most`.
pub fn number_of<T: std::str::FromStr + PartialOrd + std::fmt::Display>(token: &Token, least: T, most: T) -> Read<T> {
    let digits = token
        .text
        .strip_prefix('-')
        .unwrap_or(&token.text)
        .bytes()
        .all(|b| b.is_ascii_digit());
    match token.text.parse::<T>() {
        Ok(n) if digits && n >= least && n <= most => Ok(n),
        _ => {
            let said = if token.quoted {
                format!("\"{}\"", token.text)
            } else {
                token.text.clone()
            };
            wrong(
                token.value_span,
                format!("{said} is not right here"),
                format!("a whole number from {least} to {most}"),
            )
        }
    }
}

/// One of some words of an option or position.
pub fn choice_of<T: Copy>(token: &Token, choices: &[(&str, T)]) -> Read<T> {
    match choices.iter().find(|(word, _)| *word == token.text) {
        Some((_, value)) => Ok(*value),
        None => {
            let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
            wrong(
                token.value_span,
                format!("\"{}\" is not right here", token.text),
                format!("one of: {}", words.join(", ")),
            )
        }
    }
}
