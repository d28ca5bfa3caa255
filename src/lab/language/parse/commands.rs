//! Reads the commands of the page, of places and of Kafka's processes; hands the rest on.

use crate::kafka::fixes::FIXES;
use crate::ordered::OrderedMap;

use super::args::{
    Args, Read, choice_of, duration_of, list_of, name_at, name_of, number_of, partition_at, setting, too_many, wrong,
};
use super::{admin, checks, data, faults, rabbit, web};
use crate::lab::language::ast::{
    Command, CommitHabit, Consumer, Name, PollLoop, Producer, Replicas, Server, Topic, View,
};
use crate::lab::language::keys::Scope as Keys;
use crate::lab::language::lexer::{Span, Token};
use crate::lab::language::scope::{Kind, Scope};
use crate::lab::language::words::{PICTURES, VIEW_OPTIONS, Verb};
use crate::lab::language::{limits, units};
use crate::lab::world::LAPTOP;
use std::net::Ipv4Addr;

/// Reads one command. `tokens` are its words, the verb first; `block` is the text of its block.
pub fn command(verb: &'static Verb, tokens: &[Token], scope: &Scope, block: Option<&Name>) -> Read<Command> {
    if matches!(verb.name, "expect" | "always" | "never" | "eventually") {
        return checks::check(verb, tokens, scope);
    }
    let mut args = Args::new(verb, tokens, scope);
    let command = match verb.name {
        "title" => Command::Title(text(&mut args, None)?),
        "about" => Command::About(text(&mut args, block)?),
        "note" => Command::Note(text(&mut args, block)?),
        "seed" => Command::Seed(number_of(args.word("the number")?, 0, u64::MAX)?),
        "view" => view(&mut args)?,
        "rule" => rule(&mut args)?,
        "host" => Command::Host {
            rack: name_option(&mut args, "rack")?,
            names: args.names("the host's name")?,
        },
        "network" => members(&mut args, |name, members| Command::Network { name, members })?,
        "rack" => members(&mut args, |name, members| Command::Rack { name, members })?,
        "compose" => compose(&args, block)?,
        "connect" | "disconnect" => Command::Attach {
            joins: verb.name == "connect",
            host: args.known_name("the host", |kind| kind != Kind::Network)?,
            network: name_of(args.word("the network")?)?,
        },
        "port" => port(&mut args)?,
        "address" => address(&mut args)?,
        "link" => link(&mut args)?,
        "broker" => Command::Broker(server(&mut args)?),
        "controller" => Command::Controller(server(&mut args)?),
        "topic" => topic(&mut args)?,
        "producer" => producer(&mut args)?,
        "consumer" => consumer(&mut args)?,
        "feed" => data::feed(&mut args)?,
        "produce" => data::produce(&mut args)?,
        "start" => data::start(&mut args)?,
        "stop" => data::stop(&mut args)?,
        "poll" => data::poll(&mut args)?,
        "commit" => data::commit(&mut args)?,
        "acknowledge" => data::acknowledge(&mut args)?,
        "begin" => Command::Begin {
            producers: args.known_names("a producer", is_producer)?,
        },
        "end" => data::end(&mut args)?,
        "seek" => data::seek(&mut args)?,
        "subscribe" => data::subscribe(&mut args)?,
        "assign" => data::assign(&mut args)?,
        "unsubscribe" => Command::Unsubscribe {
            consumers: args.known_names("a consumer", is_consumer)?,
        },
        "rabbit" | "exchange" | "queue" | "bind" | "unbind" | "purge" | "publisher" | "subscriber" | "publish"
        | "ack" | "nack" | "reject" => rabbit::command(&mut args)?,
        "alter" | "delete" | "elect" | "reassign" | "set" | "type" | "press" => admin::command(&mut args)?,
        "nginx" | "httpd" | "app" | "proxy" | "upstream" | "server" | "location" | "browser" | "request" | "reload"
        | "kill-worker" => web::command(&mut args)?,
        _ => faults::command(&mut args)?,
    };
    args.finish()?;
    Ok(command)
}

pub fn is_consumer(kind: Kind) -> bool {
    kind == Kind::Consumer
}

pub fn is_producer(kind: Kind) -> bool {
    kind == Kind::Producer
}

/// The one text of a command, quoted or a block.
pub fn text(args: &mut Args<'_>, block: Option<&Name>) -> Read<Name> {
    if let Some(block) = block {
        return Ok(block.clone());
    }
    let token = args.word("the text")?;
    if let Some(next) = args.peek().filter(|_| !token.quoted) {
        let span = Span {
            start: token.span.start,
            end: next.span.end,
        };
        return wrong(
            span,
            "a text with blanks stands in quotes",
            format!("as in: {}", args.verb.form),
        );
    }
    Ok(token.text.as_str().into())
}

/// An option that is one name.
pub fn name_option(args: &mut Args<'_>, key: &str) -> Read<Option<Name>> {
    args.option(key).map(name_of).transpose()
}

fn view(args: &mut Args<'_>) -> Read<Command> {
    let choices: Vec<(&str, &str)> = PICTURES.iter().map(|p| (*p, *p)).collect();
    let picture = match args.peek() {
        Some(_) => Some(choice_of(args.word("the picture")?, &choices)?),
        None => None,
    };
    let mut options = OrderedMap::new();
    for option in VIEW_OPTIONS {
        if let Some(token) = args.option(option.key) {
            options.insert(option.key.into(), token.text.as_str().into());
        }
    }
    // The first picture is shown anyway.
    let picture = picture.filter(|p| *p != PICTURES[0]).map(Name::from);
    Ok(Command::View(View { picture, options }))
}

fn rule(args: &mut Args<'_>) -> Read<Command> {
    let known: Vec<(&str, &str)> = FIXES.iter().map(|(_, name, _)| (*name, *name)).collect();
    let rule = choice_of(args.word("the rule")?, &known)?.into();
    let on = choice_of(args.word("on or off")?, &[("on", true), ("off", false)])?;
    Ok(Command::Rule { rule, on })
}

fn members(args: &mut Args<'_>, make: impl Fn(Name, Vec<Name>) -> Command) -> Read<Command> {
    let name = name_of(args.word("the name")?)?;
    let members = args.known_names("who belongs to it", |kind| kind != Kind::Network)?;
    Ok(make(name, members))
}

fn compose(args: &Args<'_>, block: Option<&Name>) -> Read<Command> {
    match block {
        Some(text) => Ok(Command::Compose(text.clone())),
        None => args.missing("the file as a block: compose <<END, its lines, END"),
    }
}

/// `29092:9092` or `127.0.0.1:29092:9092`.
fn port(args: &mut Args<'_>) -> Read<Command> {
    let host = args.known_name("the host", |kind| kind != Kind::Network)?;
    let token = args.word("the ports")?;
    let local = token.text.strip_prefix("127.0.0.1:");
    let pair = local.unwrap_or(&token.text).split_once(':');
    let number = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    match pair.and_then(|(published, target)| Some((number(published)?, number(target)?))) {
        Some((published, target)) => Ok(Command::Port {
            host,
            local: local.is_some(),
            published,
            target,
        }),
        None => wrong(
            token.span,
            format!("{} is not a pair of ports", token.text),
            "the laptop's port and the host's, as in 29092:9092",
        ),
    }
}

fn address(args: &mut Args<'_>) -> Read<Command> {
    let host = name_of(args.word("the machine")?)?;
    let token = args.word("the address")?;
    match token.text.parse::<Ipv4Addr>() {
        Ok(ip) if !ip.is_loopback() && ip.octets()[0] != 0 => Ok(Command::Address { host, ip }),
        _ => wrong(
            token.span,
            format!("{} is not an address of a machine", token.text),
            "four numbers, as in 192.168.1.10",
        ),
    }
}

fn link(args: &mut Args<'_>) -> Read<Command> {
    let latency_us = match args.option("latency") {
        Some(token) => duration_of(token)?,
        None => return args.missing("latency="),
    };
    Ok(Command::Link {
        between: args.between()?,
        latency_us,
    })
}

/// The host that `on=` names: a host, or a process's own.
pub fn on(args: &mut Args<'_>) -> Read<Option<Name>> {
    let Some(token) = args.option("on") else {
        return Ok(None);
    };
    let name = name_of(token)?;
    match args.scope.kind(&name) {
        Some(kind) if kind != Kind::Network => Ok(Some(name)),
        None if args.scope.is_open() || &*name == LAPTOP => Ok(Some(name)),
        _ => {
            let hosts: Vec<&str> = args.scope.names_of(|kind| kind != Kind::Network).collect();
            wrong(
                token.value_span,
                format!("there is no host {name}"),
                super::args::suggest(&name, hosts),
            )
        }
    }
}

/// An option that can also be said by the real key: `rack=a` or `broker.rack=a`.
fn name_or_key(args: &mut Args<'_>, option: &str, key: &str) -> Read<Option<Name>> {
    let name = name_option(args, option)?;
    match args.option(key) {
        Some(token) if name.is_some() => {
            wrong(token.span, format!("{key} says the same as {option}"), "once is enough")
        }
        Some(token) => name_of(token).map(Some),
        None => Ok(name),
    }
}

fn server(args: &mut Args<'_>) -> Read<Server> {
    let names = args.names("the name")?;
    let (on, rack) = (on(args)?, name_or_key(args, "rack", "broker.rack")?);
    Ok(Server {
        names,
        on,
        rack,
        config: args.config(Keys::Broker)?,
    })
}

fn topic(args: &mut Args<'_>) -> Read<Command> {
    let name = name_of(args.word("the topic's name")?)?;
    let partitions = args
        .option("partitions")
        .map(|t| number_of(t, 1, limits::PARTITIONS))
        .transpose()?;
    let replicas = match args.option("replicas") {
        Some(token) => replicas(args, token, partitions)?,
        None => Replicas::Default,
    };
    Ok(Command::Topic(Topic {
        name,
        partitions,
        replicas,
        config: args.config(Keys::Topic)?,
    }))
}

/// `3`, `b1,b2,b3` or `b1,b2;b2,b3`.
fn replicas(args: &Args<'_>, token: &Token, partitions: Option<u32>) -> Read<Replicas> {
    if token.text.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Replicas::Factor(number_of(token, 1, limits::BROKERS as u16)?));
    }
    let mut lists = Vec::new();
    for list in token.text.split(';') {
        lists.push(brokers(args, list, token.value_span)?);
    }
    if lists.len() > limits::PARTITIONS as usize {
        return too_many(token.value_span, "partitions of a topic", limits::PARTITIONS);
    }
    match partitions {
        Some(n) if lists.len() > 1 && n as usize != lists.len() => wrong(
            token.value_span,
            format!("{} lists of replicas for {n} partitions", lists.len()),
            "one list for each partition, or one for all",
        ),
        _ => Ok(Replicas::Lists(lists)),
    }
}

/// A list of brokers that exist, none of them twice.
pub fn brokers(args: &Args<'_>, list: &str, span: Span) -> Read<Vec<Name>> {
    let mut brokers = Vec::new();
    for name in list.split(',') {
        let name = name_at(name, span)?;
        if args.scope.kind(&name) != Some(Kind::Broker) {
            let there: Vec<&str> = args.scope.names_of(|kind| kind == Kind::Broker).collect();
            return wrong(
                span,
                format!("there is no broker {name}"),
                super::args::suggest(&name, there),
            );
        }
        if brokers.contains(&name) {
            return wrong(span, format!("{name} stands twice in the list"), "once is enough");
        }
        brokers.push(name);
    }
    Ok(brokers)
}

fn producer(args: &mut Args<'_>) -> Read<Command> {
    let names = args.names("the producer's name")?;
    Ok(Command::Producer(Producer {
        names,
        on: on(args)?,
        config: args.config(Keys::Producer)?,
    }))
}

fn consumer(args: &mut Args<'_>) -> Read<Command> {
    let names = args.names("the consumer's name")?;
    let on = on(args)?;
    let group = name_or_key(args, "group", "group.id")?;
    let topics_at = args.option("topics");
    let topics = topics_at.map(list_of).transpose()?.unwrap_or_default();
    let assign_at = args.option("assign");
    let mut assign = Vec::new();
    if let Some(token) = assign_at {
        for part in token.text.split(',') {
            assign.push(partition_at(part, token.value_span)?);
        }
    }
    if let (Some(_), Some(token)) = (topics_at, assign_at) {
        return wrong(
            token.span,
            "a consumer has either topics or an assignment",
            "topics= or assign=",
        );
    }
    let work_us = args.option("work").map(duration_of).transpose()?.unwrap_or(0);
    let poll = args
        .option("poll")
        .map(|t| choice_of(t, POLL))
        .transpose()?
        .unwrap_or_default();
    let commit_at = args.option("commit");
    let commit = commit_at.map(|t| choice_of(t, COMMIT)).transpose()?.unwrap_or_default();
    let kind = args.option("type");
    let share = kind.map(|t| choice_of(t, TYPE)).transpose()?.unwrap_or_default();
    let said = [assign_at, commit_at].into_iter().flatten().next();
    if let (true, Some(token)) = (share, said) {
        return wrong(
            token.span,
            "a share consumer has no assignment and commits no offsets",
            "leave it out: each poll accepts what the one before returned",
        );
    }
    let release_at = args.option("release");
    let reject_at = args.option("reject");
    let config = args.config(Keys::Consumer)?;
    let explicit = config
        .get("share.acknowledgement.mode")
        .is_some_and(|mode| &**mode == "explicit");
    if let (false, Some(token)) = (share && explicit, release_at.or(reject_at)) {
        return wrong(
            token.span,
            "only a share consumer that acknowledges by itself says that of a record",
            "with type=share and share.acknowledgement.mode=explicit",
        );
    }
    Ok(Command::Consumer(Consumer {
        names,
        on,
        group,
        topics,
        assign,
        work_us,
        poll,
        commit,
        share,
        release: release_at.map(|t| t.text.as_str().into()),
        reject: reject_at.map(|t| t.text.as_str().into()),
        config,
    }))
}

/// The words of `type=`: is it a share consumer?
pub const TYPE: &[(&str, bool)] = &[("consumer", false), ("share", true)];

/// The words of `poll=`.
pub const POLL: &[(&str, PollLoop)] = &[("loop", PollLoop::Loop), ("manual", PollLoop::Manual)];

/// The words of `commit=`.
pub const COMMIT: &[(&str, CommitHabit)] = &[
    ("never", CommitHabit::Never),
    ("before", CommitHabit::Before),
    ("after", CommitHabit::After),
];

/// The settings of `set`, checked by what the process is.
pub fn settings_of(kind: Kind, token: &Token) -> Read<Name> {
    let key = token.key.as_deref().unwrap_or_default();
    match (kind, key) {
        (Kind::Consumer, "work") => Ok(units::duration(duration_of(token)?).into()),
        (Kind::Consumer, "poll") => choice_of(token, POLL).map(|_| token.text.as_str().into()),
        (Kind::Consumer, "commit") => choice_of(token, COMMIT).map(|_| token.text.as_str().into()),
        (Kind::Subscriber, "work") => Ok(units::duration(duration_of(token)?).into()),
        (Kind::Subscriber, "prefetch") => number_of(token, 0, 65_535u32).map(|n| n.to_string().into()),
        (Kind::Subscriber, _) => choice_of(token, rabbit::ACK).map(|_| token.text.as_str().into()),
        (Kind::App, _) => web::app_setting(token),
        (Kind::Producer, _) => setting(Keys::Producer, key, token),
        (Kind::Consumer, _) => setting(Keys::Consumer, key, token),
        _ => setting(Keys::Broker, key, token),
    }
}
