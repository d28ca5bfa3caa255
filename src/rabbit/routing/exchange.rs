//! Exchanges.

use crate::rabbit::value::{Field, Name, Table};

/// How an exchange chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Direct,
    Fanout,
    Topic,
    Headers,
}

impl Kind {
    pub fn parse(text: &str) -> Option<Kind> {
        match text {
            "direct" => Some(Kind::Direct),
            "fanout" => Some(Kind::Fanout),
            "topic" => Some(Kind::Topic),
            "headers" => Some(Kind::Headers),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Direct => "direct",
            Kind::Fanout => "fanout",
            Kind::Topic => "topic",
            Kind::Headers => "headers",
        }
    }
}

/// An exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Exchange {
    pub name: Name,
    pub kind: Kind,
    pub durable: bool,
    pub auto_delete: bool,
    pub internal: bool,
    pub arguments: Table,
}

impl Exchange {
    /// Where a message goes that matched nothing here.
    pub fn alternate(&self) -> Option<&Name> {
        self.arguments.get("alternate-exchange").and_then(Field::text)
    }
}

/// The exchanges that every virtual host has.
pub fn predeclared() -> impl Iterator<Item = Exchange> {
    [
        ("", Kind::Direct),
        ("amq.direct", Kind::Direct),
        ("amq.fanout", Kind::Fanout),
        ("amq.headers", Kind::Headers),
        ("amq.match", Kind::Headers),
        ("amq.rabbitmq.trace", Kind::Topic),
        ("amq.topic", Kind::Topic),
    ]
    .into_iter()
    .map(|(name, kind)| Exchange {
        name: name.into(),
        kind,
        durable: true,
        auto_delete: false,
        internal: name == "amq.rabbitmq.trace",
        arguments: Table::default(),
    })
}
