//! Reads what happens to processes, links, disks and single messages.

use super::args::{Args, Read, duration_of, number_of, partition_at, suggest, wrong};
use crate::lab::language::ast::{Command, DiskState, MessageAction, MessageFault, Pattern, ProcessVerb};
use crate::lab::language::errors::Kind as ErrorKind;
use crate::lab::language::lexer::Token;
use crate::lab::language::scope::Kind;
use crate::lab::language::units;
use crate::lab::language::words::MESSAGES;
use crate::rabbit::protocol::KINDS;

/// Verbs of processes.
pub const PROCESS: &[(&str, ProcessVerb)] = &[
    ("crash", ProcessVerb::Crash),
    ("power-off", ProcessVerb::PowerOff),
    ("shutdown", ProcessVerb::Shutdown),
    ("restart", ProcessVerb::Restart),
    ("freeze", ProcessVerb::Freeze),
    ("thaw", ProcessVerb::Thaw),
    ("remove", ProcessVerb::Remove),
];

pub fn command(args: &mut Args<'_>) -> Read<Command> {
    if let Some((_, verb)) = PROCESS.iter().find(|(name, _)| *name == args.verb.name) {
        let names = args.known_names("a process", |kind| kind != Kind::Network)?;
        return Ok(Command::Process { verb: *verb, names });
    }
    match args.verb.name {
        "cut" => Ok(Command::Cut(args.between()?)),
        "heal" if args.left() == 0 => Ok(Command::Heal(None)),
        "heal" => Ok(Command::Heal(Some(args.between()?))),
        "loss" => loss(args),
        "delay" => delay(args),
        "disk" => disk(args),
        "drop" => message(args, MessageAction::Drop),
        "hold" => message(args, MessageAction::Hold),
        "release" => message(args, MessageAction::Release),
        "duplicate" => message(args, MessageAction::Duplicate),
        "reorder" => message(args, MessageAction::Reorder),
        _ => args.missing("a verb that is known here"),
    }
}

fn loss(args: &mut Args<'_>) -> Read<Command> {
    let Some(token) = args.last_word() else {
        return args.missing("who loses");
    };
    match units::parse_percent(&token.text) {
        Some(ppm) => Ok(Command::Loss {
            between: args.between()?,
            ppm,
        }),
        None => wrong(
            token.span,
            format!("\"{}\" is not a share", token.text),
            "as in: 10%, 0.5%",
        ),
    }
}

/// Of a link, or of one message: then a message's name stands first.
fn delay(args: &mut Args<'_>) -> Read<Command> {
    let Some(last) = args.last_word() else {
        return args.missing("who is delayed");
    };
    let by_us = duration_of(last)?;
    let of_message = args.next_is("next") || args.peek().is_some_and(|first| is_message(&first.text));
    if of_message && args.peek().is_none_or(|first| args.scope.kind(&first.text).is_none()) {
        return message(args, MessageAction::Delay(by_us));
    }
    Ok(Command::Delay {
        between: args.between()?,
        by_us,
    })
}

fn disk(args: &mut Args<'_>) -> Read<Command> {
    let slow = args.option("slow");
    let state = match (slow, args.last_word()) {
        (Some(token), last) => {
            if let Some(last) = last {
                args.put_back(last);
            }
            DiskState::Slow(duration_of(token)?)
        }
        (None, None) => return args.missing("whose disk"),
        (None, Some(last)) => match &*last.text {
            "ok" => DiskState::Ok,
            "full" => DiskState::Full,
            "wipe" => DiskState::Wipe(None),
            text if text.contains('/') => {
                let wiped = Some(partition_at(text, last.span)?);
                match args.last_word() {
                    Some(word) if word.text == "wipe" => DiskState::Wipe(wiped),
                    _ => {
                        return wrong(
                            last.span,
                            "a partition can only be wiped",
                            "as in: disk b1 wipe loan_request/0",
                        );
                    }
                }
            }
            text => {
                let hint = suggest(text, ["slow=50ms", "full", "wipe", "ok"]);
                return wrong(last.span, format!("\"{text}\" is not a state of a disk"), hint);
            }
        },
    };
    let names = args.known_names("whose disk", |kind| kind != Kind::Network)?;
    Ok(Command::Disk { names, state })
}

fn is_message(word: &str) -> bool {
    let bare = word
        .strip_suffix("Request")
        .or_else(|| word.strip_suffix("Response"))
        .unwrap_or(word);
    word == "any" || MESSAGES.contains(&bare) || KINDS.contains(&word)
}

fn message(args: &mut Args<'_>, action: MessageAction) -> Read<Command> {
    let nth = args
        .option("nth")
        .map(|t| number_of(t, 1, 10_000))
        .transpose()?
        .unwrap_or(1);
    let next = args.take("next");
    if args.left() == 0 && action == MessageAction::Release && !next {
        return Ok(Command::Message(MessageFault {
            action,
            next,
            pattern: None,
            nth,
        }));
    }
    if next && action == MessageAction::Release {
        return args.missing("a message that is held: release takes no next;");
    }
    let kind = message_kind(args.word("the message")?)?;
    let process = |kind: Kind| kind.is_process();
    let from = args.known_name("a process", process)?;
    if !args.take("->") {
        return args.missing("-> and who gets it");
    }
    let to = args.known_name("a process", process)?;
    Ok(Command::Message(MessageFault {
        action,
        next,
        pattern: Some(Pattern { kind, from, to }),
        nth,
    }))
}

fn message_kind(token: &Token) -> Read<crate::lab::language::ast::Name> {
    if is_message(&token.text) {
        return Ok(token.text.as_str().into());
    }
    let all: Vec<String> = MESSAGES
        .iter()
        .flat_map(|m| [m.to_string(), format!("{m}Request"), format!("{m}Response")])
        .collect();
    let hint = match crate::lab::language::errors::nearest(&token.text, all.iter().map(String::as_str)) {
        Some(near) => format!("the nearest: {near}"),
        None => "as in: ProduceRequest, FetchResponse, Heartbeat, any".into(),
    };
    Err(super::args::Wrong {
        kind: ErrorKind::Wrong,
        span: token.span,
        message: format!("\"{}\" is not a message", token.text),
        hint: Some(hint),
    })
}
