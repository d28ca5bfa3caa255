//! Reads a scenario's text. Never stops: what can't be read is kept as it stands, with an error, and all other lines load.

mod admin;
mod args;
mod checks;
mod commands;
mod data;
mod faults;
mod rabbit;
mod raw;
pub mod web;

use crate::ordered::OrderedSet;

pub use args::is_name;
use args::{Read, Wrong, is_name as plain_name, too_many, wrong};
pub use rabbit::ACK;

use raw::{Block, is_tool_line, raw_word, tool_line};

use super::ast::{Command, Content, Line, Name, Scenario, Web, When};
use super::errors::{Error, Kind as ErrorKind, nearest};
use super::lexer::{Lexed, Span, Token, lex};
use super::scope::{Kind, Scope};
use super::{limits, units, words};

/// What a text says, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    pub scenario: Scenario,
    /// In the order of the lines; reading stops, loudly, at [`limits::ERRORS`].
    pub errors: Vec<Error>,
}

/// Reads a whole scenario.
pub fn parse(text: &str) -> Parsed {
    let mut reader = Reader::default();
    if text.len() > limits::TEXT_BYTES {
        let message = format!("the text has {} bytes", text.len());
        let wrong = Wrong {
            kind: ErrorKind::Limit,
            span: Span { start: 0, end: 1 },
            message,
            hint: Some(format!("at most {}", limits::TEXT_BYTES)),
        };
        reader.tell(0, text.lines().next().unwrap_or_default(), wrong);
        return reader.parsed;
    }
    let lines = lines(text);
    let mut at = 0;
    while at < lines.len() {
        if at >= limits::LINES {
            reader.stop(&lines[at..], at, "lines", limits::LINES);
            break;
        }
        if reader.wrong >= limits::ERRORS {
            reader.stop(&lines[at..], at, "errors", limits::ERRORS);
            break;
        }
        at += reader.line(&lines[at..], at);
    }
    if !reader.versioned && !reader.version_told {
        reader.tell_no_version(0, lines.first().copied().unwrap_or_default());
    }
    reader.parsed
}

/// The lines of a text, without their ends; a BOM in front is no part of the first.
pub fn lines(text: &str) -> Vec<&str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// Reads one line as the console gives it, among the names of `scope`; `now_us` is what `after` counts from.
pub fn parse_line(line: &str, scope: &Scope, now_us: u64) -> Result<Line, Error> {
    let mut reader = Reader {
        scope: scope.clone(),
        now_us,
        versioned: true,
        console: true,
        ..Reader::default()
    };
    let lines = lines(line);
    let used = if lines.is_empty() { 0 } else { reader.line(&lines, 0) };
    if used < lines.len() && reader.parsed.errors.is_empty() {
        let span = Span {
            start: 0,
            end: lines[used].chars().count(),
        };
        let told: Read<()> = wrong(span, "one command is one line", "give the next one by itself");
        told.unwrap_or_else(|wrong| reader.tell(used, lines[used], wrong));
    }
    match (
        reader.parsed.errors.into_iter().next(),
        reader.parsed.scenario.lines.into_iter().next(),
    ) {
        (Some(error), _) => Err(error),
        (None, Some(line)) => Ok(line),
        (None, None) => Ok(Line {
            number: 1,
            when: When::Same,
            at_us: now_us,
            content: Content::Blank,
            comment: None,
            indented: false,
        }),
    }
}

#[derive(Default)]
struct Reader {
    parsed: Parsed,
    /// Errors so far, without what is not here yet.
    wrong: usize,
    scope: Scope,
    /// Index of the line that is read now.
    at: usize,
    /// Time of the line above.
    now_us: u64,
    /// A line above said a time.
    timed: bool,
    versioned: bool,
    version_told: bool,
    /// Words that were said and can be said once only.
    said: OrderedSet<&'static str>,
    /// Reads for the console: no version, and words of the set-up may be said again.
    console: bool,
}

/// One line in parts, before its command is read.
struct Parts<'a> {
    source: &'a str,
    /// Byte at which the command begins, behind the time.
    body: usize,
}

impl Reader {
    /// Keeps the rest of the text unread, and says so.
    fn stop(&mut self, rest: &[&str], at: usize, what: &str, limit: usize) {
        let message = format!("more than {limit} {what}; from here on nothing is read");
        let wrong = Wrong {
            kind: ErrorKind::Limit,
            span: Span { start: 0, end: 1 },
            message,
            hint: Some(format!("at most {limit}")),
        };
        self.tell(at, rest[0], wrong);
        self.push(at as u32 + 1, When::Same, Content::Unread(rest.join("\n").into()), None);
    }

    /// Notes an error of the line with index `at`.
    fn tell(&mut self, at: usize, source: &str, wrong: Wrong) {
        // Words that are not here yet may fill a text that is right otherwise: told so often and no more.
        if wrong.kind == ErrorKind::NotYet && self.parsed.errors.len() >= limits::ERRORS {
            return;
        }
        self.wrong += usize::from(wrong.kind != ErrorKind::NotYet);
        self.parsed.errors.push(Error {
            kind: wrong.kind,
            line: at as u32 + 1,
            column: wrong.span.start as u32 + 1,
            width: wrong.span.end.saturating_sub(wrong.span.start).max(1) as u32,
            source: source.chars().take(limits::LINE_CHARS).collect::<String>().into(),
            message: wrong.message,
            hint: wrong.hint,
        });
    }

    fn tell_no_version(&mut self, at: usize, source: &str) {
        self.version_told = true;
        let message = "the first line names the version of the language".into();
        let span = Span {
            start: 0,
            end: source.chars().count().max(1),
        };
        self.tell(
            at,
            source,
            Wrong {
                kind: ErrorKind::Wrong,
                span,
                message,
                hint: Some(format!("lab {}", words::VERSION)),
            },
        );
    }

    /// Reads the line with index `at`, the first of `rest`, and its block if it has one; how many lines that were.
    fn line(&mut self, rest: &[&str], at: usize) -> usize {
        let source = rest[0];
        let number = at as u32 + 1;
        self.at = at;
        if source.chars().count() > limits::LINE_CHARS {
            let span = Span {
                start: limits::LINE_CHARS,
                end: limits::LINE_CHARS + 1,
            };
            let told: Read<()> = too_many(span, "characters in a line", limits::LINE_CHARS);
            told.unwrap_or_else(|wrong| self.tell(at, source, wrong));
            self.push(number, When::Same, Content::Unread(source.into()), None);
            return 1;
        }
        let time = self.time(source);
        let (when, body) = match &time {
            Ok((when, body)) => (*when, *body),
            Err(_) => (When::Same, 0),
        };
        let block = Block::of(rest, body).filter(|_| !is_tool_line(source, body));
        let used = 1 + block.as_ref().map_or(0, |block| block.lines);
        let read = time.and_then(|_| self.body(&Parts { source, body }, when, block.as_ref()));
        match read {
            Ok((content, comment)) => {
                let first = !self.versioned && !self.version_told;
                if first && !matches!(content, Content::Blank | Content::Version(_)) {
                    self.tell_no_version(at, source);
                }
                self.push(number, when, content, comment);
                let indented = source.starts_with(char::is_whitespace) && self.timed && when == When::Same;
                if let Some(line) = self.parsed.scenario.lines.last_mut() {
                    line.indented = indented && line.content == Content::Blank && line.comment.is_some();
                }
            }
            Err(wrong) => {
                self.tell(at, source, wrong);
                self.declare_anyway(source, body);
                self.push(number, when, Content::Unread(rest[..used].join("\n").into()), None);
            }
        }
        used
    }

    fn push(&mut self, number: u32, when: When, content: Content, comment: Option<Name>) {
        self.timed |= when != When::Same;
        self.versioned |= matches!(content, Content::Version(_));
        if let Content::Command(command) = &content {
            self.scope.declare(command);
        }
        let line = Line {
            number,
            when,
            at_us: self.now_us,
            content,
            comment,
            indented: false,
        };
        self.parsed.scenario.lines.push(line);
    }

    /// Reads `at 2.5s` or `after 200ms` and moves the time; also where the command begins.
    fn time(&mut self, source: &str) -> Read<(When, usize)> {
        let start = source.len() - source.trim_start().len();
        let (word, after_word) = raw_word(source, start);
        if !matches!(word, "at" | "after") {
            return Ok((When::Same, start));
        }
        let from = after_word + (source[after_word..].len() - source[after_word..].trim_start().len());
        let (text, end) = raw_word(source, from);
        let span = Span {
            start: source[..from].chars().count(),
            end: source[..end].chars().count(),
        };
        let Some(us) = units::parse_duration(text) else {
            let message = if text.is_empty() {
                "the time is missing".into()
            } else {
                format!("\"{text}\" is not a time")
            };
            return wrong(
                span,
                message,
                format!("as in: {word} 2.5s; units us, ms, s, m, h; at most 30 days"),
            );
        };
        let at_us = if word == "at" {
            us
        } else {
            self.now_us.saturating_add(us)
        };
        if at_us < self.now_us {
            let above = units::duration(self.now_us);
            return wrong(
                span,
                format!("{text} lies before the line above"),
                format!("from {above} on: times never go backwards"),
            );
        }
        if at_us > limits::TIME_US {
            return too_many(span, "of a run's time", "30 days");
        }
        self.now_us = at_us;
        let body = end + (source[end..].len() - source[end..].trim_start().len());
        Ok((if word == "at" { When::At(us) } else { When::After(us) }, body))
    }

    /// Reads what stands behind the time.
    fn body(&mut self, parts: &Parts<'_>, when: When, block: Option<&Block>) -> Read<(Content, Option<Name>)> {
        if let Some(tool) = tool_line(parts.source, parts.body)? {
            if let Command::Tool { host: Some(host), .. } = &tool {
                self.tool_host(host, parts)?;
            }
            return Ok((Content::Command(tool), None));
        }
        let lexed = lex(parts.source).or_else(|e| wrong(e.span, e.message, e.hint))?;
        let comment = lexed.comment.as_deref().map(Name::from);
        let mut tokens: Vec<Token> = lexed
            .tokens
            .iter()
            .filter(|token| token.byte >= parts.body)
            .cloned()
            .collect();
        let Some(first) = tokens.first() else {
            return Ok((Content::Blank, comment));
        };
        if first.key.is_none() && !first.quoted && first.text == "lab" {
            return Ok((self.version(&tokens, when)?, comment));
        }
        if block.is_some() {
            tokens.pop();
        }
        let content = self.command(parts, &lexed, &tokens, block)?;
        Ok((content, comment))
    }

    fn version(&mut self, tokens: &[Token], when: When) -> Read<Content> {
        let span = Span {
            start: tokens[0].span.start,
            end: tokens[tokens.len() - 1].span.end,
        };
        let first = self
            .parsed
            .scenario
            .lines
            .iter()
            .all(|line| line.content == Content::Blank && line.when == When::Same);
        if self.versioned || !first || when != When::Same {
            return wrong(span, "the version stands on the first line, once", "");
        }
        self.version_told = true;
        match tokens {
            [_, number] if number.key.is_none() => match number.text.parse::<u32>() {
                Ok(words::VERSION) => Ok(Content::Version(words::VERSION)),
                Ok(newer) if newer > words::VERSION => {
                    let message = format!("this text is of version {newer}, written by a newer Brokerlab");
                    Err(Wrong {
                        kind: ErrorKind::NotYet,
                        span,
                        message,
                        hint: Some(format!("this one reads up to lab {}", words::VERSION)),
                    })
                }
                _ => wrong(
                    number.span,
                    format!("there is no version {}", number.text),
                    format!("lab {}", words::VERSION),
                ),
            },
            _ => wrong(span, "the version is one number", format!("lab {}", words::VERSION)),
        }
    }

    /// Reads a command from its words.
    fn command(&mut self, parts: &Parts<'_>, lexed: &Lexed, tokens: &[Token], block: Option<&Block>) -> Read<Content> {
        let first = &tokens[0];
        if first.text == "add" && first.key.is_none() && tokens.len() > 1 {
            return self.command(parts, lexed, &tokens[1..], block);
        }
        let Some(verb) = words::find(&first.text).filter(|_| first.key.is_none() && !first.quoted) else {
            return wrong(
                first.span,
                format!("\"{}\" is not a command", shown(first)),
                verb_hint(&first.text),
            );
        };
        if let Some(block) = block {
            block.check(verb.name)?;
        }
        if verb.part == words::Part::Later {
            return self.later(parts, lexed, first, block);
        }
        let text = block.map(|block| &block.text);
        let command = commands::command(verb, tokens, &self.scope, text)?;
        self.check_place(&command, first, tokens)?;
        Ok(Content::Command(command))
    }

    /// Keeps a command that this version does not act on, and says so.
    fn later(&mut self, parts: &Parts<'_>, lexed: &Lexed, verb: &Token, block: Option<&Block>) -> Read<Content> {
        let end = block.map_or(lexed.comment_byte, |block| block.byte);
        let rest = parts.source[verb.byte + verb.text.len()..end].trim();
        let command = Command::Later {
            verb: verb.text.as_str().into(),
            rest: rest.into(),
            block: block.map(|block| block.text.clone()),
        };
        let message = format!("{} is not here yet", verb.text);
        let hint = Some("kept in the text; nothing is done for it".into());
        self.tell(
            self.at,
            parts.source,
            Wrong {
                kind: ErrorKind::NotYet,
                span: verb.span,
                message,
                hint,
            },
        );
        Ok(Content::Command(command))
    }

    /// What a command asks of its place in the text: limits, names that are taken, words of the set-up.
    fn check_place(&mut self, command: &Command, verb: &Token, tokens: &[Token]) -> Read<()> {
        let name_span = tokens.get(1).map_or(verb.span, |token| token.span);
        if let Some(name) = made_by(command).iter().find(|name| self.scope.kind(name).is_some()) {
            let kind = self.scope.kind(name).map_or("thing", Kind::name);
            return wrong(name_span, format!("there is a {kind} {name} already"), "another name");
        }
        if let Err(more) = self.scope.check_limits(command) {
            return too_many(name_span, more.what, more.limit);
        }
        let once = match command {
            Command::Title(_) => "title",
            Command::About(_) => "about",
            Command::Seed(_) => "seed",
            Command::View(_) => "view",
            _ => return Ok(()),
        };
        if self.now_us > 0 && once == "seed" {
            return wrong(
                verb.span,
                "the seed belongs to the set-up",
                "at 0s: before all lines with a later time",
            );
        }
        if !self.said.insert(once) && !self.console {
            return wrong(verb.span, format!("{once} is said twice"), "once is enough");
        }
        Ok(())
    }

    fn tool_host(&self, host: &Name, parts: &Parts<'_>) -> Read<()> {
        let start = parts.source[..parts.body].chars().count();
        let span = Span {
            start,
            end: start + host.chars().count(),
        };
        match self.scope.kind(host) {
            Some(Kind::Network) | None if !self.scope.is_open() => {
                let hint = args::suggest(
                    host,
                    self.scope.names_of(|kind| kind != Kind::Network).collect::<Vec<_>>(),
                );
                wrong(span, format!("there is no {host} to run it in"), hint)
            }
            _ => Ok(()),
        }
    }

    /// Takes up the names of a line that can't be read, so that the lines below are not told that they don't exist.
    fn declare_anyway(&mut self, source: &str, body: usize) {
        let mut words = source[body..].split_whitespace();
        let kind = match words.next() {
            Some("host") => Kind::Host,
            Some("broker") => Kind::Broker,
            Some("controller") => Kind::Controller,
            Some("producer") => Kind::Producer,
            Some("consumer") => Kind::Consumer,
            Some("rabbit") => Kind::Rabbit,
            Some("publisher") => Kind::Publisher,
            Some("subscriber") => Kind::Subscriber,
            Some("nginx" | "httpd" | "proxy") => Kind::WebServer,
            Some("app") => Kind::App,
            Some("browser") => Kind::Browser,
            _ => return,
        };
        for word in words.take_while(|word| plain_name(word)).take(limits::LIST) {
            if self.scope.names.len() < 4 * limits::LIST {
                self.scope.add([&Name::from(word)], kind);
            }
        }
    }
}

/// The new names that a command makes.
fn made_by(command: &Command) -> &[Name] {
    match command {
        Command::Host { names, .. } => names,
        Command::Network { name, .. } => std::slice::from_ref(name),
        Command::Broker(server) | Command::Controller(server) => &server.names,
        Command::Producer(producer) => &producer.names,
        Command::Consumer(consumer) => &consumer.names,
        Command::Rabbit(rabbit) => &rabbit.names,
        Command::Publisher(publisher) => &publisher.names,
        Command::Subscriber(subscriber) => &subscriber.names,
        Command::Web(Web::Server { names, .. } | Web::Browser { names, .. }) => names,
        _ => &[],
    }
}

fn shown(token: &Token) -> String {
    let whole = token
        .key
        .as_ref()
        .map_or(token.text.clone(), |key| format!("{key}={}", token.text));
    whole.chars().take(40).collect()
}

fn verb_hint(word: &str) -> String {
    match nearest(word, words::VERBS.iter().map(|verb| verb.name)) {
        Some(near) => format!("the nearest: {near}"),
        None => "a command begins with its verb, as in: produce web loan_request \"300\"".into(),
    }
}
