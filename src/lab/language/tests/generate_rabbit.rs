//! Generated commands about RabbitMQ.

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::generate::{name, one, text};
use crate::lab::language::ast::*;

fn argument() -> impl Strategy<Value = Argument> {
    prop_oneof![
        text().prop_map(Argument::Text),
        select(&["5", "true", "-1", "1.5", "+x", "", "10s"][..]).prop_map(|text| Argument::Text(text.into())),
        any::<i64>().prop_map(Argument::Whole),
        any::<bool>().prop_map(Argument::Bool),
        (0..100u32, 0..100u32).prop_map(|(a, b)| Argument::Decimal(format!("{a}.{b}").into())),
    ]
}

fn arguments(prefix: &'static str) -> impl Strategy<Value = Arguments> {
    let key = name().prop_map(move |name| Name::from(format!("{prefix}{name}")));
    btree_map(key, argument(), 0..4).prop_map(|map| map.into_iter().collect())
}

fn topology() -> impl Strategy<Value = Command> {
    let exchange = (
        name(),
        one(&["direct", "topic", "bogus"]),
        any::<[bool; 3]>(),
        arguments("x-"),
    )
        .prop_map(|(name, kind, [durable, auto_delete, internal], arguments)| {
            Command::Exchange(Exchange {
                name,
                kind,
                durable,
                auto_delete,
                internal,
                arguments,
            })
        });
    let queue = (name(), any::<[bool; 3]>(), arguments("x-")).prop_map(
        |(name, [durable, exclusive, auto_delete], arguments)| {
            Command::Queue(Queue {
                name,
                durable,
                exclusive,
                auto_delete,
                arguments,
            })
        },
    );
    let binding = (any::<bool>(), text(), arguments("")).prop_map(|(to_exchange, key, arguments)| Binding {
        source: "x1".into(),
        destination: if to_exchange { "x2".into() } else { "q1".into() },
        to_exchange,
        key,
        arguments,
    });
    prop_oneof![
        exchange,
        queue,
        (any::<bool>(), binding).prop_map(|(bind, binding)| match bind {
            true => Command::Bind(binding),
            false => Command::Unbind(binding),
        }),
        Just(Command::Purge("q1".into())),
        Just(Command::Delete(Delete::Queue("q1".into()))),
        Just(Command::Delete(Delete::Exchange("x1".into()))),
    ]
}

fn clients() -> impl Strategy<Value = Command> {
    let ack = select(&[AckHabit::After, AckHabit::Before, AckHabit::Auto, AckHabit::Manual][..]);
    let on_failure = select(&[OnFailure::Requeue, OnFailure::DeadLetter][..]);
    let new = || "new-[a-z]{12}".prop_map(|name| vec![Name::from(name)]);
    let subscriber = (
        new(),
        (0..65_536u32, 0..9_000_000u64, ack, option::of(any::<i32>())),
        (any::<bool>(), option::of(text()), on_failure),
    )
        .prop_map(
            |(names, (prefetch, work_us, ack, priority), (exclusive, fails, on_failure))| {
                Command::Subscriber(Subscriber {
                    names,
                    on: None,
                    queue: "q1".into(),
                    prefetch,
                    work_us,
                    ack,
                    priority,
                    exclusive,
                    fails,
                    on_failure,
                })
            },
        );
    let publisher = (new(), any::<[bool; 3]>()).prop_map(|(names, [confirm, mandatory, persistent])| {
        Command::Publisher(Publisher {
            names,
            on: None,
            confirm,
            mandatory,
            persistent,
        })
    });
    prop_oneof![subscriber, publisher]
}

fn work() -> impl Strategy<Value = Command> {
    let value = prop_oneof![Just(Value::Auto), text().prop_map(Value::Text)];
    let publish = (
        (one(&["x1", DEFAULT_EXCHANGE]), one(&["", "a.b", "#"]), value, 1..100u32),
        (option::of(1..3u8), option::of(0..100_000u64), option::of(any::<u8>())),
        arguments(""),
    )
        .prop_map(
            |((exchange, key, value, count), (delivery_mode, expiration, priority), headers)| {
                Command::Publish(Publish {
                    client: "p1".into(),
                    exchange,
                    key,
                    value,
                    count,
                    delivery_mode,
                    expiration,
                    priority,
                    headers,
                })
            },
        );
    let verb = select(&[SettleVerb::Ack, SettleVerb::Nack, SettleVerb::Reject][..]);
    let settle = (verb, any::<bool>(), any::<bool>()).prop_map(|(verb, multiple, requeue)| {
        Command::Settle(Settle {
            verb,
            subscribers: vec!["s1".into()],
            multiple: multiple && verb != SettleVerb::Reject,
            requeue: requeue && verb != SettleVerb::Ack,
        })
    });
    prop_oneof![publish, settle]
}

pub fn rabbit() -> impl Strategy<Value = Command> {
    prop_oneof![topology(), clients(), work()]
}
