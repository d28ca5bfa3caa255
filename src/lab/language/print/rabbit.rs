//! Writes the commands about RabbitMQ.

use super::command::Words;
use crate::lab::language::ast::{
    AckHabit, Argument, Arguments, Binding, Exchange, OnFailure, Publish, Publisher, Queue, Rabbit, Settle, SettleVerb,
    Subscriber, Value,
};
use crate::lab::language::lexer::{quoted, word};
use crate::lab::language::units::duration;

impl Words {
    fn flag(self, word: &str, said: bool) -> Words {
        if said { self.add(word) } else { self }
    }

    fn arguments(self, prefix: &str, arguments: &Arguments) -> Words {
        arguments.iter().fold(self, |words, (key, value)| {
            words.option(&format!("{prefix}{key}"), Some(argument(value)))
        })
    }
}

/// A text that looks like another kind of value stands in quotes.
fn argument(value: &Argument) -> String {
    match value {
        Argument::Whole(n) => n.to_string(),
        Argument::Bool(value) => value.to_string(),
        Argument::Decimal(text) => text.to_string(),
        Argument::Text(text) => {
            let looks = matches!(&**text, "true" | "false")
                || text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
            if looks { quoted(text) } else { word(text) }
        }
    }
}

pub fn rabbit(rabbit: &Rabbit) -> Words {
    Words::new("rabbit")
        .ranges(&rabbit.names)
        .option("on", rabbit.on.as_ref())
}

pub fn exchange(x: &Exchange) -> Words {
    let kind = (&*x.kind != "direct").then(|| word(&x.kind));
    Words::new("exchange")
        .add(&x.name)
        .option("type", kind)
        .flag("durable", x.durable)
        .flag("auto-delete", x.auto_delete)
        .flag("internal", x.internal)
        .arguments("", &x.arguments)
}

pub fn queue(q: &Queue) -> Words {
    Words::new("queue")
        .add(&q.name)
        .flag("durable", q.durable)
        .flag("exclusive", q.exclusive)
        .flag("auto-delete", q.auto_delete)
        .arguments("", &q.arguments)
}

pub fn binding(verb: &str, b: &Binding) -> Words {
    let mut headers = b.arguments.clone();
    let matching = headers.remove("x-match");
    Words::new(verb)
        .add(&b.source)
        .add("->")
        .flag("exchange", b.to_exchange)
        .add(&b.destination)
        .option("key", (!b.key.is_empty()).then(|| word(&b.key)))
        .option("x-match", matching.as_ref().map(argument))
        .arguments("header.", &headers)
}

pub fn publisher(p: &Publisher) -> Words {
    Words::new("publisher")
        .ranges(&p.names)
        .flag("confirm", p.confirm)
        .flag("mandatory", p.mandatory)
        .flag("persistent", p.persistent)
        .option("on", p.on.as_ref())
}

pub fn subscriber(s: &Subscriber) -> Words {
    let ack = match s.ack {
        AckHabit::After => None,
        AckHabit::Before => Some("before"),
        AckHabit::Auto => Some("auto"),
        AckHabit::Manual => Some("manual"),
    };
    let on_failure = (s.on_failure == OnFailure::DeadLetter).then_some("dead-letter");
    Words::new("subscriber")
        .ranges(&s.names)
        .option("on", s.on.as_ref())
        .option("queue", Some(&s.queue))
        .option("prefetch", (s.prefetch > 0).then(|| s.prefetch.to_string()))
        .option("work", (s.work_us > 0).then(|| duration(s.work_us)))
        .option("ack", ack)
        .option("priority", s.priority.map(|n| n.to_string()))
        .option("exclusive", s.exclusive.then_some("true"))
        .option("fails", s.fails.as_ref().map(|body| word(body)))
        .option("on-failure", on_failure)
}

pub fn publish(p: &Publish) -> Words {
    let words = Words::new("publish")
        .add(&p.client)
        .add(&p.exchange)
        .option("key", (!p.key.is_empty()).then(|| word(&p.key)))
        .option("count", (p.count != 1).then(|| p.count.to_string()))
        .option("delivery_mode", p.delivery_mode.map(|n| n.to_string()))
        .option("expiration", p.expiration.map(|ms| duration(ms * 1_000)))
        .option("priority", p.priority.map(|n| n.to_string()))
        .arguments("header.", &p.headers);
    match &p.value {
        Value::Auto | Value::Null => words,
        Value::Text(text) => words.add(quoted(text)),
    }
}

pub fn settle(s: &Settle) -> Words {
    let verb = match s.verb {
        SettleVerb::Ack => "ack",
        SettleVerb::Nack => "nack",
        SettleVerb::Reject => "reject",
    };
    let kept = s.verb != SettleVerb::Ack && !s.requeue;
    Words::new(verb)
        .names(&s.subscribers)
        .flag("multiple", s.multiple)
        .option("requeue", kept.then_some("false"))
}
