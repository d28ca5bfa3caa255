//! Reads the commands about RabbitMQ.

use super::args::{Args, Read, choice_of, duration_of, is_name, name_at, name_of, number_of, suggest, too_many, wrong};
use super::commands::{on, text};
use crate::lab::language::ast::{
    AckHabit, Argument, Arguments, Binding, Command, DEFAULT_EXCHANGE, Exchange, Name, OnFailure, Publish, Publisher,
    Queue, Rabbit, Settle, SettleVerb, Subscriber, Value,
};
use crate::lab::language::lexer::Token;
use crate::lab::language::limits;
use crate::lab::language::scope::Kind;
use crate::rabbit::value::Decimal;

/// The words of `ack=`.
pub const ACK: &[(&str, AckHabit)] = &[
    ("after", AckHabit::After),
    ("before", AckHabit::Before),
    ("auto", AckHabit::Auto),
    ("manual", AckHabit::Manual),
];

/// The words of `on-failure=`.
pub const ON_FAILURE: &[(&str, OnFailure)] = &[("requeue", OnFailure::Requeue), ("dead-letter", OnFailure::DeadLetter)];

const BOOL: &[(&str, bool)] = &[("true", true), ("false", false)];

pub fn command(args: &mut Args<'_>) -> Read<Command> {
    match args.verb.name {
        "rabbit" => Ok(Command::Rabbit(Rabbit {
            on: on(args)?,
            names: args.names("the broker's name")?,
        })),
        "exchange" => exchange(args),
        "queue" => queue(args),
        "bind" => binding(args).map(Command::Bind),
        "unbind" => binding(args).map(Command::Unbind),
        "purge" => Ok(Command::Purge(queue_name(args)?)),
        "publisher" => publisher(args),
        "subscriber" => subscriber(args),
        "publish" => publish(args),
        _ => settle(args),
    }
}

pub fn is_publisher(kind: Kind) -> bool {
    kind == Kind::Publisher
}

pub fn is_subscriber(kind: Kind) -> bool {
    kind == Kind::Subscriber
}

/// Takes flags, in any order, until a word that is none; whether each was said.
fn flags<const N: usize>(args: &mut Args<'_>, names: [&str; N]) -> [bool; N] {
    let mut said = [false; N];
    while let Some(at) = names.iter().position(|name| args.next_is(name)).filter(|at| !said[*at]) {
        args.take(names[at]);
        said[at] = true;
    }
    said
}

/// A value of a table: a text in quotes, or what it looks like.
fn argument(token: &Token) -> Argument {
    let text = || Argument::Text(token.text.as_str().into());
    if token.quoted {
        return text();
    }
    match &*token.text {
        "true" => Argument::Bool(true),
        "false" => Argument::Bool(false),
        word => match (word.parse::<i64>(), Decimal::parse(word)) {
            (Ok(n), _) if n.to_string() == word => Argument::Whole(n),
            (Err(_), Some(_)) if word.contains('.') => Argument::Decimal(word.into()),
            _ => text(),
        },
    }
}

/// Arguments that count milliseconds can be said with a unit.
fn timed(key: &str, token: &Token) -> Read<Argument> {
    let with_unit = token.text.ends_with(|c: char| c.is_ascii_alphabetic());
    if matches!(key, "x-message-ttl" | "x-expires") && with_unit && !token.quoted {
        return Ok(Argument::Whole((duration_of(token)? / 1_000) as i64));
    }
    Ok(argument(token))
}

/// All options that are left, as arguments with these beginnings.
fn arguments(args: &mut Args<'_>, allowed: impl Fn(&str) -> bool) -> Read<Arguments> {
    let mut out = Arguments::new();
    for token in args.all_options() {
        let key = token.key.as_deref().unwrap_or_default();
        if !allowed(key) {
            return args.unknown_option(token);
        }
        if out.insert(key.into(), timed(key, token)?).is_some() {
            return wrong(token.span, format!("{key} is said twice"), "once is enough");
        }
    }
    Ok(out)
}

fn headers(args: &mut Args<'_>) -> Read<Arguments> {
    let mut out = Arguments::new();
    for (name, token) in args.options_with("header.") {
        if !is_name(name) {
            let message = format!("\"{name}\" is not a header's name");
            return wrong(token.span, message, "as in: header.kind=loan");
        }
        if out.insert(name.into(), argument(token)).is_some() {
            return wrong(token.span, format!("header.{name} is said twice"), "once is enough");
        }
    }
    Ok(out)
}

fn exchange(args: &mut Args<'_>) -> Read<Command> {
    let name = name_of(args.word("the exchange's name")?)?;
    let kind = match args.option("type") {
        Some(token) => token.text.as_str().into(),
        None => "direct".into(),
    };
    let [durable, auto_delete, internal] = flags(args, ["durable", "auto-delete", "internal"]);
    Ok(Command::Exchange(Exchange {
        name,
        kind,
        durable,
        auto_delete,
        internal,
        arguments: arguments(args, |key| key == "alternate-exchange" || key.starts_with("x-"))?,
    }))
}

fn queue(args: &mut Args<'_>) -> Read<Command> {
    let name = name_of(args.word("the queue's name")?)?;
    let [durable, exclusive, auto_delete] = flags(args, ["durable", "exclusive", "auto-delete"]);
    Ok(Command::Queue(Queue {
        name,
        durable,
        exclusive,
        auto_delete,
        arguments: arguments(args, |key| key.starts_with("x-"))?,
    }))
}

/// The name of a queue that a line has made.
pub fn queue_name(args: &mut Args<'_>) -> Read<Name> {
    let token = args.word("the queue")?;
    known_queue(args, token)
}

fn known_queue(args: &Args<'_>, token: &Token) -> Read<Name> {
    let name = name_of(token)?;
    if args.scope.queues.contains(&name) || args.scope.is_open() {
        return Ok(name);
    }
    let there: Vec<&str> = args.scope.queues.iter().map(|name| &**name).collect();
    let hint = match there.is_empty() {
        true => "no line above makes a queue".into(),
        false => suggest(&name, there),
    };
    wrong(token.value_span, format!("there is no queue {name}"), hint)
}

/// The name of an exchange: one that a line has made, or one that every broker has.
pub fn exchange_name(args: &mut Args<'_>) -> Read<Name> {
    let token = args.word("the exchange")?;
    let name = name_at(&token.text, token.span)?;
    if name.starts_with("amq.") || args.scope.exchanges.contains(&name) || args.scope.is_open() {
        return Ok(name);
    }
    let there = args
        .scope
        .exchanges
        .iter()
        .map(|name| &**name)
        .chain([DEFAULT_EXCHANGE]);
    let hint = suggest(&name, there.collect::<Vec<_>>());
    wrong(token.span, format!("there is no exchange {name}"), hint)
}

fn binding(args: &mut Args<'_>) -> Read<Binding> {
    let source = exchange_name(args)?;
    if !args.take("->") {
        return args.missing("-> and the queue");
    }
    let to_exchange = args.take("exchange")
        || args.peek().is_some_and(|token| {
            !args.scope.queues.contains(&*token.text) && args.scope.exchanges.contains(&*token.text)
        });
    let destination = match to_exchange {
        true => exchange_name(args)?,
        false => queue_name(args)?,
    };
    let key = args
        .option("key")
        .map_or_else(Name::default, |token| token.text.as_str().into());
    let mut all = headers(args)?;
    if let Some(token) = args.option("x-match") {
        all.insert("x-match".into(), Argument::Text(token.text.as_str().into()));
    }
    Ok(Binding {
        source,
        destination,
        to_exchange,
        key,
        arguments: all,
    })
}

fn publisher(args: &mut Args<'_>) -> Read<Command> {
    let on = on(args)?;
    let mut names = args.names("the publisher's name")?;
    let said: Vec<Name> = ["confirm", "mandatory", "persistent"].map(Name::from).to_vec();
    let flagged = |flag: usize| names.iter().skip(1).any(|name| *name == said[flag]);
    let [confirm, mandatory, persistent] = [flagged(0), flagged(1), flagged(2)];
    let mut at = 0;
    names.retain(|name| {
        at += 1;
        at == 1 || !said.contains(name)
    });
    Ok(Command::Publisher(Publisher {
        names,
        on,
        confirm,
        mandatory,
        persistent,
    }))
}

fn subscriber(args: &mut Args<'_>) -> Read<Command> {
    let queue = match args.option("queue") {
        Some(token) => known_queue(args, token)?,
        None => return args.missing("queue="),
    };
    let number = |token: Option<&Token>, most: i64| token.map(|t| number_of(t, 0, most)).transpose();
    Ok(Command::Subscriber(Subscriber {
        on: on(args)?,
        names: args.names("the subscriber's name")?,
        queue,
        // `basic.qos` counts in 16 bits.
        prefetch: number(args.option("prefetch"), 65_535)?.unwrap_or(0) as u32,
        work_us: args.option("work").map(duration_of).transpose()?.unwrap_or(0),
        ack: args
            .option("ack")
            .map(|t| choice_of(t, ACK))
            .transpose()?
            .unwrap_or_default(),
        priority: args
            .option("priority")
            .map(|t| number_of(t, i32::MIN, i32::MAX))
            .transpose()?,
        exclusive: args.option("exclusive").map(|t| choice_of(t, BOOL)).transpose()? == Some(true),
        fails: args.option("fails").map(|token| token.text.as_str().into()),
        on_failure: args
            .option("on-failure")
            .map(|t| choice_of(t, ON_FAILURE))
            .transpose()?
            .unwrap_or_default(),
    }))
}

fn publish(args: &mut Args<'_>) -> Read<Command> {
    let client = args.known_name("a publisher", is_publisher)?;
    let exchange = exchange_name(args)?;
    let key = args
        .option("key")
        .map_or_else(Name::default, |token| token.text.as_str().into());
    let number = |token: Option<&Token>, least: u32, most: u32| token.map(|t| number_of(t, least, most)).transpose();
    let count = number(args.option("count"), 1, limits::PRODUCE_COUNT)?.unwrap_or(1);
    let delivery_mode = number(args.option("delivery_mode"), 1, 2)?.map(|n| n as u8);
    let priority = number(args.option("priority"), 0, 255)?.map(|n| n as u8);
    let expiration = match args.option("expiration") {
        Some(token) if token.text.bytes().all(|b| b.is_ascii_digit()) => {
            Some(number_of(token, 0, u64::from(u32::MAX))?)
        }
        Some(token) => Some(duration_of(token)? / 1_000),
        None => None,
    };
    if key.len() > 255 {
        return too_many(args.verb_span(), "bytes in a routing key", 255);
    }
    let headers = headers(args)?;
    let value = match args.peek() {
        None => Value::Auto,
        Some(_) => Value::Text(text(args, None)?),
    };
    Ok(Command::Publish(Publish {
        client,
        exchange,
        key,
        value,
        count,
        delivery_mode,
        expiration,
        priority,
        headers,
    }))
}

fn settle(args: &mut Args<'_>) -> Read<Command> {
    let verb = match args.verb.name {
        "ack" => SettleVerb::Ack,
        "nack" => SettleVerb::Nack,
        _ => SettleVerb::Reject,
    };
    let may_requeue = verb != SettleVerb::Ack;
    let requeue = match args.option("requeue") {
        Some(token) if may_requeue => choice_of(token, BOOL)?,
        Some(token) => return args.unknown_option(token),
        None => may_requeue,
    };
    let mut subscribers = vec![args.known_name("a subscriber", is_subscriber)?];
    let mut multiple = false;
    while args.left() > 0 && !multiple {
        multiple = verb != SettleVerb::Reject && args.take("multiple");
        if !multiple {
            subscribers.push(args.known_name("a subscriber", is_subscriber)?);
        }
    }
    Ok(Command::Settle(Settle {
        verb,
        subscribers,
        multiple,
        requeue,
    }))
}
