//! Reads commands of data: loads, produce, poll, commit, seek, subscriptions.

use crate::ordered::OrderedMap;

use super::args::{
    Args, Read, duration_of, is_name, key_span, name_of, number_of, partition_at, suggest, target_at, too_many, wrong,
};
use super::commands::{is_consumer, is_producer, text};
use super::rabbit::{exchange_name, is_publisher};
use crate::lab::language::ast::{
    Acknowledge, Command, Commit, HowAcknowledged, Load, Name, Produce, Rate, SeekTo, Target, TopicPartition, Value,
};
use crate::lab::language::lexer::Token;
use crate::lab::language::scope::Kind;
use crate::lab::language::{limits, units};

fn load(args: &mut Args<'_>) -> Read<Load> {
    let rate = match args.option("rate") {
        Some(token) => rate(token)?,
        None => Rate {
            count: 1,
            per_us: 1_000_000,
        },
    };
    let keys = args
        .option("keys")
        .map(|t| number_of(t, 0, limits::KEYS))
        .transpose()?
        .unwrap_or(0);
    let count = args
        .option("count")
        .map(|t| number_of(t, 1, limits::EVENTS))
        .transpose()?;
    let until_us = args.option("until").map(duration_of).transpose()?;
    let size = match args.option("size") {
        Some(token) => match units::parse_size(&token.text) {
            Some(bytes) if bytes > limits::VALUE_BYTES => {
                return too_many(token.value_span, "in a value", units::size(limits::VALUE_BYTES));
            }
            Some(bytes) => Some(bytes),
            None => {
                return wrong(
                    token.value_span,
                    format!("\"{}\" is not a size", token.text),
                    "as in: 200B, 16KiB, 1MiB",
                );
            }
        },
        None => None,
    };
    let routing = match args.option("routing") {
        Some(token) => token.text.split(',').map(Name::from).collect(),
        None => Vec::new(),
    };
    Ok(Load {
        rate,
        keys,
        count,
        until_us,
        size,
        routing,
    })
}

fn rate(token: &Token) -> Read<Rate> {
    let Some(rate) = units::parse_rate(&token.text) else {
        return wrong(
            token.value_span,
            format!("\"{}\" is not a rate", token.text),
            "as in: 10/s, 30/m, 1/250ms",
        );
    };
    if u128::from(rate.count) * 1_000_000 > u128::from(limits::RATE) * u128::from(rate.per_us) {
        return too_many(token.value_span, "records a second", limits::RATE);
    }
    Ok(rate)
}

/// Whether it takes records or messages to send.
fn is_source(kind: Kind) -> bool {
    is_producer(kind) || is_publisher(kind)
}

pub fn feed(args: &mut Args<'_>) -> Read<Command> {
    let topic = name_of(args.word("the topic")?)?;
    let load = load(args)?;
    if !args.take("->") {
        return args.missing("-> and the clients");
    }
    let to = args.known_names("a producer or a publisher", is_source)?;
    Ok(Command::Feed { topic, load, to })
}

fn target(args: &mut Args<'_>) -> Read<Target> {
    let token = args.word("the topic")?;
    target_at(&token.text, token.span)
}

pub fn produce(args: &mut Args<'_>) -> Read<Command> {
    let client = args.known_name("a producer", is_producer)?;
    let target = target(args)?;
    let key = args.option("key").map(|token| token.text.as_str().into());
    let count = args
        .option("count")
        .map(|t| number_of(t, 1, limits::PRODUCE_COUNT))
        .transpose()?
        .unwrap_or(1);
    let mut headers = OrderedMap::new();
    for (name, token) in args.options_with("header.") {
        if !is_name(name) {
            return wrong(
                token.span,
                format!("\"{name}\" is not a header's name"),
                "as in: header.source=web",
            );
        }
        if headers.insert(name.into(), token.text.as_str().into()).is_some() {
            return wrong(token.span, format!("header.{name} is said twice"), "once is enough");
        }
    }
    let value = match args.peek() {
        None => Value::Auto,
        Some(_) if args.take("null") => Value::Null,
        Some(_) => Value::Text(text(args, None)?),
    };
    Ok(Command::Produce(Produce {
        client,
        target,
        key,
        value,
        count,
        headers,
    }))
}

pub fn start(args: &mut Args<'_>) -> Read<Command> {
    let either = |kind| is_source(kind) || is_consumer(kind);
    let client = args.known_name("a producer, a publisher or a consumer", either)?;
    let load = match args.scope.kind(&client) {
        Some(Kind::Consumer) => None,
        Some(Kind::Publisher) => {
            let topic = exchange_name(args)?;
            let target = Target { topic, partition: None };
            Some((target, load(args)?))
        }
        _ => Some((target(args)?, load(args)?)),
    };
    Ok(Command::Start { client, load })
}

pub fn stop(args: &mut Args<'_>) -> Read<Command> {
    let mut names = Vec::new();
    while let Some(token) = args.peek() {
        let name = name_of(token)?;
        let client = args
            .scope
            .kind(&name)
            .is_some_and(|kind| is_source(kind) || is_consumer(kind));
        let feed = args.scope.topics.contains(&name) || args.scope.exchanges.contains(&name);
        if !client && !feed {
            let there: Vec<&str> = args
                .scope
                .names_of(|kind| is_source(kind) || is_consumer(kind))
                .collect();
            return wrong(
                token.span,
                format!("there is no client or feed {name}"),
                suggest(&name, there),
            );
        }
        args.word("a name")?;
        names.push(name);
    }
    if names.is_empty() {
        args.missing("who stops")
    } else {
        Ok(Command::Stop { names })
    }
}

pub fn poll(args: &mut Args<'_>) -> Read<Command> {
    let timeout_us = args
        .option("timeout")
        .map(duration_of)
        .transpose()?
        .filter(|us| *us != 100_000);
    Ok(Command::Poll {
        consumers: args.known_names("a consumer", is_consumer)?,
        timeout_us,
    })
}

pub fn acknowledge(args: &mut Args<'_>) -> Read<Command> {
    let mut records = Vec::new();
    for token in args.all_options() {
        let partition = partition_at(token.key.as_deref().unwrap_or_default(), key_span(token))?;
        let record = (partition, number_of(token, 0, i64::MAX)?);
        if records.contains(&record) {
            return wrong(token.span, "this record is said twice", "once is enough");
        }
        records.push(record);
    }
    let mut consumers = vec![args.known_name("a consumer", is_consumer)?];
    let mut how = HowAcknowledged::Accept;
    while args.left() > 0 && how == HowAcknowledged::Accept {
        match HowAcknowledged::SAID.into_iter().find(|how| args.take(how.word())) {
            Some(said) => how = said,
            None => consumers.push(args.known_name("a consumer", is_consumer)?),
        }
    }
    Ok(Command::Acknowledge(Acknowledge {
        consumers,
        how,
        records,
    }))
}

pub fn commit(args: &mut Args<'_>) -> Read<Command> {
    let mut offsets = Vec::new();
    for token in args.all_options() {
        let partition = partition_at(token.key.as_deref().unwrap_or_default(), key_span(token))?;
        if offsets.iter().any(|(there, _)| *there == partition) {
            return wrong(token.span, "this partition is said twice", "once is enough");
        }
        offsets.push((partition, number_of(token, 0, i64::MAX)?));
    }
    let client = args.known_name("a consumer", is_consumer)?;
    let mut consumers = vec![client];
    let mut asynchronous = false;
    while args.left() > 0 && !asynchronous {
        asynchronous = args.take("async");
        if !asynchronous {
            consumers.push(args.known_name("a consumer", is_consumer)?);
        }
    }
    Ok(Command::Commit(Commit {
        consumers,
        asynchronous,
        offsets,
    }))
}

pub fn end(args: &mut Args<'_>) -> Read<Command> {
    let offsets = args.option("offsets").map(name_of).transpose()?;
    let mut producers = vec![args.known_name("a producer", is_producer)?];
    let mut abort = false;
    while args.left() > 0 && !abort {
        abort = args.take("abort");
        if !abort {
            producers.push(args.known_name("a producer", is_producer)?);
        }
    }
    Ok(Command::End {
        producers,
        abort,
        offsets,
    })
}

pub fn seek(args: &mut Args<'_>) -> Read<Command> {
    let consumer = args.known_name("a consumer", is_consumer)?;
    let target = target(args)?;
    let token = args.word("where to")?;
    let to = match &*token.text {
        "beginning" => SeekTo::Beginning,
        "end" => SeekTo::End,
        text if text.bytes().all(|b| b.is_ascii_digit()) => SeekTo::Offset(number_of(token, 0, i64::MAX)?),
        text => {
            return wrong(
                token.span,
                format!("\"{text}\" is not a place to seek"),
                "an offset, beginning or end",
            );
        }
    };
    Ok(Command::Seek { consumer, target, to })
}

pub fn subscribe(args: &mut Args<'_>) -> Read<Command> {
    Ok(Command::Subscribe {
        consumer: args.known_name("a consumer", is_consumer)?,
        topics: args.names("a topic")?,
    })
}

pub fn assign(args: &mut Args<'_>) -> Read<Command> {
    let consumer = args.known_name("a consumer", is_consumer)?;
    Ok(Command::Assign {
        consumer,
        partitions: partitions(args, true)?,
    })
}

/// Partitions to the end of the line, blanks or commas between.
pub fn partitions(args: &mut Args<'_>, needed: bool) -> Read<Vec<TopicPartition>> {
    let mut partitions = Vec::new();
    while args.left() > 0 {
        let token = args.word("a partition")?;
        for part in token.text.split(',').filter(|part| !part.is_empty()) {
            partitions.push(partition_at(part, token.span)?);
        }
    }
    if needed && partitions.is_empty() {
        args.missing("a partition")
    } else {
        Ok(partitions)
    }
}
