//! Reads what an admin does: alter, delete, elect, reassign, set, and what is typed for a tool that runs.

use super::args::{Args, Read, Wrong, choice_of, list_of, name_of, number_of, partition_at, setting, wrong};
use super::commands::{brokers, settings_of};
use super::data::partitions;
use super::rabbit::{exchange_name, queue_name};
use crate::lab::language::ast::{Alter, Command, Config, Delete, Election, Key, Name};
use crate::lab::language::errors::Kind as ErrorKind;
use crate::lab::language::keys::{self, Scope as Keys};
use crate::lab::language::lexer::Token;
use crate::lab::language::limits;
use crate::lab::language::scope::Kind;

pub fn command(args: &mut Args<'_>) -> Read<Command> {
    match args.verb.name {
        "alter" => alter(args),
        "delete" => delete(args),
        "elect" => elect(args),
        "reassign" => reassign(args),
        "type" => type_line(args),
        "press" => press(args),
        _ => set(args),
    }
}

/// `type "300"`, `type worker "300"`.
fn type_line(args: &mut Args<'_>) -> Read<Command> {
    let host = match args.left() {
        2.. => Some(tool_place(args)?),
        _ => None,
    };
    let text = args.word("the text")?.text.as_str().into();
    Ok(Command::Type { host, text })
}

/// `press ctrl-c`, `press ctrl-c worker`.
fn press(args: &mut Args<'_>) -> Read<Command> {
    let key = choice_of(args.word("the key")?, &Key::ALL.map(|key| (key.name(), key)))?;
    let host = match args.left() {
        0 => None,
        _ => Some(tool_place(args)?),
    };
    Ok(Command::Press { host, key })
}

/// Where a tool runs that is not on the laptop.
fn tool_place(args: &mut Args<'_>) -> Read<Name> {
    args.known_name("where it runs", |kind| kind != Kind::Network)
}

/// Takes the word that says what kind of thing is meant; one name alone is a topic.
fn kind_word(args: &mut Args<'_>, kinds: &[&'static str]) -> Read<&'static str> {
    if args.left() == 1 && !args.next_is("brokers") {
        return Ok("topic");
    }
    let token = args.word("what is meant")?;
    match kinds.iter().find(|kind| **kind == token.text) {
        Some(kind) => Ok(kind),
        None => wrong(
            token.span,
            format!("\"{}\" can't be meant here", token.text),
            format!("one of: {}", kinds.join(", ")),
        ),
    }
}

fn alter(args: &mut Args<'_>) -> Read<Command> {
    if let Some(token) = args.peek().filter(|token| token.text == "group" && args.left() > 1) {
        let message = "alter group is not here yet".into();
        return Err(Wrong {
            kind: ErrorKind::NotYet,
            span: token.span,
            message,
            hint: None,
        });
    }
    let kind = kind_word(args, &["topic", "broker", "brokers"])?;
    let unset_at = args.option("unset");
    let unset = unset_at.map(list_of).transpose()?.unwrap_or_default();
    let scope = match kind {
        "topic" => Keys::Topic,
        _ => Keys::Broker,
    };
    if let (Some(token), Some(key)) = (unset_at, unset.iter().find(|key| scope.find(key).is_none())) {
        let hint = keys::nearest_key(scope, key).map_or(String::new(), |near| format!("the nearest: {near}"));
        return wrong(
            token.value_span,
            format!("{key} is not a key of a {}", keys::scope_name(scope)),
            hint,
        );
    }
    let alter = match kind {
        "topic" => {
            let topic = name_of(args.word("the topic")?)?;
            let partitions = args
                .option("partitions")
                .map(|t| number_of(t, 1, limits::PARTITIONS))
                .transpose()?;
            Alter::Topic {
                topic,
                partitions,
                set: settings(args, scope)?,
                unset,
            }
        }
        "brokers" => Alter::Broker {
            broker: None,
            set: settings(args, scope)?,
            unset,
        },
        _ => {
            let broker = Some(args.known_name("a broker", |kind| kind == Kind::Broker)?);
            Alter::Broker {
                broker,
                set: settings(args, scope)?,
                unset,
            }
        }
    };
    let nothing = match &alter {
        Alter::Topic {
            partitions, set, unset, ..
        } => partitions.is_none() && set.is_empty() && unset.is_empty(),
        Alter::Broker { set, unset, .. } => set.is_empty() && unset.is_empty(),
    };
    if nothing {
        args.missing("what to change")
    } else {
        Ok(Command::Alter(alter))
    }
}

/// All options that are left as settings of `scope`, whatever keys the verb itself takes.
fn settings(args: &mut Args<'_>, scope: Keys) -> Read<Config> {
    let mut config = Config::new();
    for token in args.all_options() {
        let key = token.key.as_deref().unwrap_or_default();
        if scope.find(key).is_none() {
            return unknown_key(token, key, scope);
        }
        if config.insert(key.into(), setting(scope, key, token)?).is_some() {
            return wrong(token.span, format!("{key} is said twice"), "once is enough");
        }
    }
    Ok(config)
}

fn unknown_key<T>(token: &Token, key: &str, scope: Keys) -> Read<T> {
    let hint = keys::nearest_key(scope, key).map_or(String::new(), |near| format!("the nearest: {near}"));
    wrong(
        super::args::key_span(token),
        format!("{key} is not a key of a {}", keys::scope_name(scope)),
        hint,
    )
}

fn delete(args: &mut Args<'_>) -> Read<Command> {
    let delete = match kind_word(args, &["topic", "group", "records", "queue", "exchange"])? {
        "topic" => Delete::Topic(name_of(args.word("the topic")?)?),
        "group" => Delete::Group(name_of(args.word("the group")?)?),
        "queue" => Delete::Queue(queue_name(args)?),
        "exchange" => Delete::Exchange(exchange_name(args)?),
        _ => {
            let token = args.word("the partition")?;
            let before = args.option("before").map(|t| number_of(t, 0, i64::MAX)).transpose()?;
            Delete::Records {
                partition: partition_at(&token.text, token.span)?,
                before,
            }
        }
    };
    Ok(Command::Delete(delete))
}

fn elect(args: &mut Args<'_>) -> Read<Command> {
    let token = args.word("preferred or unclean")?;
    let choices = [("preferred", Election::Preferred), ("unclean", Election::Unclean)];
    let kind = super::args::choice_of(token, &choices)?;
    Ok(Command::Elect {
        kind,
        partitions: partitions(args, false)?,
    })
}

fn reassign(args: &mut Args<'_>) -> Read<Command> {
    let token = args.word("the partition")?;
    let partition = partition_at(&token.text, token.span)?;
    let replicas = match args.option("replicas") {
        Some(token) => brokers(args, &token.text, token.value_span)?,
        None if args.take("cancel") => Vec::new(),
        None => return args.missing("replicas= (or cancel)"),
    };
    Ok(Command::Reassign { partition, replicas })
}

/// What `set` changes of a subscriber.
const SUBSCRIBERS_OWN: &[&str] = &["work", "prefetch", "ack"];

fn set(args: &mut Args<'_>) -> Read<Command> {
    let options = args.all_options();
    let names = args.known_names("a process", Kind::is_process)?;
    let mut config = Config::new();
    for token in options {
        let key = token.key.as_deref().unwrap_or_default();
        for name in &names {
            let Some(kind) = args.scope.kind(name) else {
                continue;
            };
            let scope = match kind {
                Kind::Producer => Keys::Producer,
                Kind::Consumer => Keys::Consumer,
                _ => Keys::Broker,
            };
            if matches!(
                kind,
                Kind::Rabbit | Kind::Publisher | Kind::Subscriber | Kind::WebServer | Kind::Browser
            ) {
                let own: &[&str] = if kind == Kind::Subscriber { SUBSCRIBERS_OWN } else { &[] };
                if !own.contains(&key) {
                    let message = format!("{key} is not a setting of a {}", kind.name());
                    return wrong(
                        super::args::key_span(token),
                        message,
                        super::args::suggest(key, own.to_vec()),
                    );
                }
            }
            let own = match kind {
                Kind::Consumer => matches!(key, "work" | "poll" | "commit"),
                _ => matches!(kind, Kind::Subscriber | Kind::App),
            };
            if !own && scope.find(key).is_none() {
                return unknown_key(token, key, scope);
            }
            config.insert(Name::from(key), settings_of(kind, token)?);
        }
    }
    if config.is_empty() {
        args.missing("key=value")
    } else {
        Ok(Command::Set { names, config })
    }
}
