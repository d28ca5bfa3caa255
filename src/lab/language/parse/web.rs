//! Reads the commands about web servers. Settings are checked by the servers' own reading of their directives.

use super::args::{Args, Read, choice_of, name_at, name_of, number_of, wrong};
use super::commands::on;
use crate::lab::language::ast::{Command, Config, GroupName, Name, ServerKind, Web, WebNumber, WebRequest, words};
use crate::lab::language::lexer::Token;
use crate::lab::language::limits;
use crate::lab::language::scope::Kind;
use crate::serving::directives;

const METHODS: &[(&str, &str)] = &[
    ("GET", "GET"),
    ("HEAD", "HEAD"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
    ("CONNECT", "CONNECT"),
];

pub fn command(args: &mut Args<'_>) -> Read<Command> {
    let web = match args.verb.name {
        "upstream" => upstream(args)?,
        "server" => member(args)?,
        "location" => location(args)?,
        "browser" => browser(args)?,
        "request" => Web::Request(request(args)?),
        "reload" => Web::Reload {
            servers: args.known_names("a web server", is_server)?,
        },
        "kill-worker" => Web::KillWorker {
            servers: args.known_names("a web server", is_server)?,
        },
        verb => {
            let kind = ServerKind::ALL.iter().find(|(name, _)| *name == verb);
            server(args, kind.map_or(ServerKind::App, |(_, kind)| *kind))?
        }
    };
    Ok(Command::Web(web))
}

/// Whether it serves requests.
pub fn is_server(kind: Kind) -> bool {
    matches!(kind, Kind::WebServer | Kind::App)
}

pub fn is_browser(kind: Kind) -> bool {
    kind == Kind::Browser
}

/// All options that are left, and where each stands.
fn pairs<'a>(args: &mut Args<'a>) -> Read<(Config, Vec<&'a Token>)> {
    let tokens = args.all_options();
    let mut config = Config::new();
    for token in &tokens {
        let key = token.key.as_deref().unwrap_or_default();
        if config.insert(key.into(), token.text.as_str().into()).is_some() {
            return wrong(token.span, format!("{key} is said twice"), "once is enough");
        }
    }
    Ok((config, tokens))
}

/// What the server's own reading says of the pairs, at the pair that is wrong.
fn checked<T>(args: &Args<'_>, tokens: &[&Token], read: Result<T, directives::Wrong>) -> Read<T> {
    read.or_else(|refused| {
        let at = tokens.iter().find(|token| token.key.as_deref() == Some(&*refused.key));
        match at {
            Some(token) => wrong(
                token.span,
                format!("{}={} is not right here", refused.key, token.text),
                refused.message,
            ),
            None => args.missing(&format!("{}=", refused.key)),
        }
    })
}

fn server(args: &mut Args<'_>, kind: ServerKind) -> Read<Web> {
    let on = on(args)?;
    let names = args.names("the server's name")?;
    let hand_on = match kind {
        ServerKind::App => hand_on(args)?,
        _ => None,
    };
    let (config, tokens) = pairs(args)?;
    checked(args, &tokens, directives::server(kind, words(&config)))?;
    Ok(Web::Server {
        kind,
        names,
        on,
        hand_on,
        config,
    })
}

/// `topic=loan_request producer=p1`.
fn hand_on(args: &mut Args<'_>) -> Read<Option<(Name, Name)>> {
    let topic = args.option("topic").map(name_of).transpose()?;
    let producer = args.option("producer");
    match (topic, producer) {
        (None, None) => Ok(None),
        (Some(topic), Some(token)) => {
            let producer = name_of(token)?;
            if args.scope.kind(&producer) == Some(Kind::Producer) {
                return Ok(Some((topic, producer)));
            }
            let there: Vec<&str> = args.scope.names_of(|kind| kind == Kind::Producer).collect();
            wrong(
                token.value_span,
                format!("there is no producer {producer}"),
                super::args::suggest(&producer, there),
            )
        }
        (Some(_), None) => args.missing("producer="),
        (None, Some(_)) => args.missing("topic="),
    }
}

fn group(args: &mut Args<'_>) -> Read<GroupName> {
    let token = args.word("the group")?;
    let Some((server, group)) = token.text.split_once('/') else {
        return wrong(
            token.span,
            format!("\"{}\" is not a group of a server", token.text),
            "as in: web/loans",
        );
    };
    let server = name_at(server, token.span)?;
    if args.scope.kind(&server) != Some(Kind::WebServer) {
        let there: Vec<&str> = args.scope.names_of(|kind| kind == Kind::WebServer).collect();
        return wrong(
            token.span,
            format!("there is no web server {server}"),
            super::args::suggest(&server, there),
        );
    }
    Ok(GroupName {
        server,
        group: name_at(group, token.span)?,
    })
}

fn upstream(args: &mut Args<'_>) -> Read<Web> {
    let group = group(args)?;
    let (config, tokens) = pairs(args)?;
    checked(args, &tokens, directives::group(&group.group, words(&config)))?;
    Ok(Web::Upstream { group, config })
}

fn member(args: &mut Args<'_>) -> Read<Web> {
    let group = group(args)?;
    let host = name_of(args.word("the host")?)?;
    let (config, tokens) = pairs(args)?;
    checked(args, &tokens, directives::member(&host, words(&config)))?;
    Ok(Web::Member { group, host, config })
}

fn path(args: &mut Args<'_>) -> Read<Name> {
    let token = args.word("the path")?;
    if !token.text.starts_with('/') || token.text.len() > limits::NAME_CHARS {
        let message = format!("\"{}\" is not a path", token.text);
        return wrong(token.span, message, "as in: /loan");
    }
    Ok(token.text.as_str().into())
}

fn location(args: &mut Args<'_>) -> Read<Web> {
    let server = args.known_name("a web server", is_server)?;
    let prefix = path(args)?;
    let (config, tokens) = pairs(args)?;
    // Whether the group exists is known when the line is done.
    checked(args, &tokens, directives::location(words(&config), |_| Some(0)))?;
    Ok(Web::Location { server, prefix, config })
}

fn browser(args: &mut Args<'_>) -> Read<Web> {
    let on = on(args)?;
    let names = args.names("the clients' name")?;
    let (config, tokens) = pairs(args)?;
    checked(args, &tokens, directives::clients(words(&config)))?;
    Ok(Web::Browser { names, on, config })
}

fn request(args: &mut Args<'_>) -> Read<WebRequest> {
    let client = args.known_name("a browser", is_browser)?;
    let method = match args.peek().is_some_and(|token| !token.text.starts_with('/')) {
        true => choice_of(args.word("the method")?, METHODS)?,
        false => "GET",
    };
    let body = args
        .option("body")
        .map(|token| number_of(token, 0, 1_000_000_000))
        .transpose()?;
    let count = args
        .option("count")
        .map(|token| number_of(token, 1, 10_000))
        .transpose()?;
    let path = path(args)?;
    let text = match args.peek() {
        Some(_) => Some(args.word("the text")?.text.as_str().into()),
        None => None,
    };
    Ok(WebRequest {
        client,
        method: method.into(),
        path,
        text,
        body: body.unwrap_or(0),
        count: count.unwrap_or(1),
    })
}

/// The number that a subject's word names, of a server or of clients.
pub fn number(word: &str, args: &mut Args<'_>) -> Option<Read<(WebNumber, Name)>> {
    let (_, number, of_clients) = WebNumber::ALL.into_iter().find(|(name, ..)| *name == word)?;
    let name = match of_clients {
        true => args.known_name("a browser", is_browser),
        false => args.known_name("a web server", is_server),
    };
    Some(name.map(|name| (number, name)))
}

/// A setting that `set` changes of an application.
pub fn app_setting(token: &Token) -> Read<Name> {
    let key = token.key.as_deref().unwrap_or_default();
    match directives::server(ServerKind::App, [(key, &*token.text)]) {
        Ok(_) => Ok(token.text.as_str().into()),
        Err(refused) => wrong(
            token.span,
            format!("{key}={} is not right here", token.text),
            refused.message,
        ),
    }
}
