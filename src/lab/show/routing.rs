//! Where a message would go, and what every binding on its way says to it; nothing is sent.

use crate::lab::world::World;
use crate::rabbit::message::{Message, Properties};
use crate::rabbit::routing::explain::{self, Hop, Why, explain};
use crate::rabbit::value::{Field, Name, Table};
use std::rc::Rc;

/// The way of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    pub answers: Vec<Answer>,
    /// The queues that it reaches, each once.
    pub queues: Vec<String>,
    /// The exchange that takes what matches nothing, where the first one names one.
    pub alternate: Option<String>,
}

/// What one binding says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub exchange: String,
    /// The queue or exchange that it leads to.
    pub target: String,
    pub matched: bool,
    /// Word by word of a pattern, header by header.
    pub pieces: Vec<Piece>,
}

/// One word or header that a binding asks for, and what the message has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub wanted: String,
    pub found: String,
    pub fits: bool,
}

/// Exchanges that can be published to, with their kinds; the default exchange, which knows no bindings, is left out.
pub fn exchanges(world: &World) -> Vec<(Rc<str>, &'static str)> {
    let brokers = world.rabbits();
    let mut all: Vec<(Rc<str>, &'static str)> = Vec::new();
    for (_, broker) in brokers {
        let topology = broker.topology();
        let bound = topology
            .exchanges
            .values()
            .filter(|x| topology.bindings.has_source(&x.name));
        all.extend(bound.map(|x| (x.name.clone(), x.kind.name())));
    }
    all
}

/// The way of a message with this routing key and these headers (`kind=car urgent=true`) from an exchange of the first
/// broker that has it.
pub fn route(world: &World, exchange: &str, key: &str, headers: &str) -> Route {
    let message = Message {
        exchange: exchange.into(),
        keys: Rc::new([Name::from(key)]),
        properties: Rc::new(Properties {
            headers: Some(Table::new(headers.split_whitespace().filter_map(header).collect())),
            ..Properties::default()
        }),
        body: Rc::default(),
        origin: None,
    };
    let found = world.rabbits().find_map(|(_, broker)| {
        let topology = broker.topology();
        Some((topology, topology.exchange(exchange)?))
    });
    let Some((topology, from)) = found else {
        return Route::default();
    };
    let way = explain(topology, from, &message);
    Route {
        answers: way.hops.iter().flat_map(answers).collect(),
        queues: way.queues.iter().map(|queue| queue.to_string()).collect(),
        alternate: way
            .hops
            .first()
            .and_then(|hop| hop.alternate.as_ref())
            .map(|name| name.to_string()),
    }
}

/// `urgent=true`: a number or a truth value where it reads as one, else a text.
fn header(word: &str) -> Option<(Name, Field)> {
    let (name, value) = word.split_once('=')?;
    let field = match (value, value.parse::<i32>()) {
        ("true", _) => Field::Bool(true),
        ("false", _) => Field::Bool(false),
        (_, Ok(number)) => Field::Int(number),
        (text, _) => Field::Text(text.into()),
    };
    Some((name.into(), field))
}

fn answers(hop: &Hop) -> impl Iterator<Item = Answer> + '_ {
    hop.answers.iter().map(|answer| Answer {
        exchange: hop.exchange.to_string(),
        target: answer.binding.target.name().to_string(),
        matched: answer.why.matched(),
        pieces: pieces(answer),
    })
}

fn pieces(answer: &explain::Answer) -> Vec<Piece> {
    match &answer.why {
        Why::Always => vec![piece("fanout", "takes everything", true)],
        Why::Key(matched) => vec![piece(
            &answer.binding.key,
            if *matched { "is the key" } else { "is not the key" },
            *matched,
        )],
        Why::Words(words, _) => words.iter().map(word).collect(),
        Why::Headers(_, pairs, _) => pairs.iter().map(pair).collect(),
    }
}

fn piece(wanted: &str, found: &str, fits: bool) -> Piece {
    Piece {
        wanted: wanted.to_owned(),
        found: found.to_owned(),
        fits,
    }
}

fn word(word: &explain::Word) -> Piece {
    match &word.stands_for {
        Some(words) if words.is_empty() => piece(&word.pattern, "stands for nothing", true),
        Some(words) => piece(&word.pattern, &format!("= {}", words.join(".")), true),
        None => piece(&word.pattern, "finds no place", false),
    }
}

fn pair(pair: &explain::Pair) -> Piece {
    let found = match &pair.found {
        Some(field) => format!("is {}", shown(field)),
        None => "is not there".to_owned(),
    };
    piece(&format!("{}={}", pair.name, shown(&pair.wanted)), &found, pair.matched)
}

fn shown(field: &Field) -> String {
    match field {
        Field::Text(text) => text.to_string(),
        Field::Bool(is) => is.to_string(),
        Field::Int(number) => number.to_string(),
        Field::Long(number) => number.to_string(),
        other => format!("a {}", other.kind()),
    }
}
