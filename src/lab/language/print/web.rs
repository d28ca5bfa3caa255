//! Writes the commands about web servers.

use super::command::Words;
use crate::lab::language::ast::{GroupName, Web, WebRequest};
use crate::lab::language::lexer::{quoted, word};

fn group(group: &GroupName) -> String {
    format!("{}/{}", group.server, group.group)
}

pub fn web(web: &Web) -> Words {
    match web {
        Web::Server {
            kind,
            names,
            on,
            hand_on,
            config,
        } => Words::new(kind.name())
            .ranges(names)
            .option("on", on.as_ref())
            .option("topic", hand_on.as_ref().map(|(topic, _)| topic))
            .option("producer", hand_on.as_ref().map(|(_, producer)| producer))
            .config(config),
        Web::Upstream { group: of, config } => Words::new("upstream").add(group(of)).config(config),
        Web::Member {
            group: of,
            host,
            config,
        } => Words::new("server").add(group(of)).add(host).config(config),
        Web::Location { server, prefix, config } => Words::new("location").add(server).add(word(prefix)).config(config),
        Web::Browser { names, on, config } => Words::new("browser")
            .ranges(names)
            .option("on", on.as_ref())
            .config(config),
        Web::Request(request) => self::request(request),
        Web::Reload { servers } => Words::new("reload").names(servers),
        Web::KillWorker { servers } => Words::new("kill-worker").names(servers),
    }
}

fn request(request: &WebRequest) -> Words {
    let words = Words::new("request").add(&request.client);
    let words = match &*request.method {
        "GET" => words,
        method => words.add(method),
    };
    let words = words.add(word(&request.path));
    let words = request.text.iter().fold(words, |words, text| words.add(quoted(text)));
    words
        .option("body", (request.body > 0).then(|| request.body.to_string()))
        .option("count", (request.count > 1).then(|| request.count.to_string()))
}
