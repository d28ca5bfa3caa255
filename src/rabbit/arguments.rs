//! Arguments of queues and consumers: which are known, what values they take, and when two declarations agree.

use super::error::{AmqpError, Code, exchange_named, queue_named};
use super::expiration::MAX_MS;
use super::value::{Field, Table};

/// Classic queues are the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueType {
    Classic,
    Quorum,
}

impl QueueType {
    pub fn name(self) -> &'static str {
        match self {
            QueueType::Classic => "classic",
            QueueType::Quorum => "quorum",
        }
    }

    /// The module's name, as refusals say it.
    fn module(self) -> &'static str {
        match self {
            QueueType::Classic => "rabbit_classic_queue",
            QueueType::Quorum => "rabbit_quorum_queue",
        }
    }
}

type Check = fn(&Field, &Table) -> Result<(), String>;

/// What checks an argument, in the order that the server checks them (`rabbit_amqqueue:declare_args/0`), and whether
/// classic and quorum queues know it.
const DECLARE: [(&str, Check, bool, bool); 21] = [
    ("x-expires", expires, true, true),
    ("x-message-ttl", ttl, true, true),
    ("x-dead-letter-exchange", text, true, true),
    ("x-dead-letter-routing-key", dead_letter_key, true, true),
    ("x-dead-letter-strategy", dead_letter_strategy, false, true),
    ("x-max-length", not_negative, true, true),
    ("x-max-length-bytes", not_negative, true, true),
    ("x-max-in-memory-length", not_negative, false, true),
    ("x-max-in-memory-bytes", not_negative, false, true),
    ("x-max-priority", max_priority, true, false),
    ("x-overflow", overflow, true, true),
    ("x-queue-mode", queue_mode, true, false),
    ("x-queue-version", queue_version, true, false),
    ("x-single-active-consumer", boolean, true, true),
    ("x-queue-type", anything, true, true),
    ("x-quorum-initial-group-size", positive, false, true),
    ("x-max-age", anything, false, false),
    ("x-stream-max-segment-size-bytes", not_negative, false, false),
    ("x-initial-cluster-size", positive, false, false),
    ("x-queue-leader-locator", leader_locator, false, true),
    ("x-delivery-limit", anything, false, true),
];

/// Known without a check of their values.
const CLASSIC_ONLY: &str = "x-queue-master-locator";

/// Keys that refusals of another queue type go by and that have no check of their own here.
fn known(queue_type: QueueType, key: &str) -> Option<bool> {
    if key == CLASSIC_ONLY {
        return Some(queue_type == QueueType::Classic);
    }
    DECLARE
        .iter()
        .find(|entry| entry.0 == key)
        .map(|entry| match queue_type {
            QueueType::Classic => entry.2,
            QueueType::Quorum => entry.3,
        })
}

/// The type that a declaration asks for, with all its arguments checked.
///
/// # Errors
/// The first refusal, in the server's order and words.
pub fn check_declare(queue: &str, arguments: &Table) -> Result<QueueType, AmqpError> {
    let queue_type = queue_type(queue, arguments)?;
    for (key, check, classic, quorum) in DECLARE {
        let takes = if queue_type == QueueType::Classic {
            classic
        } else {
            quorum
        };
        if let Some(value) = arguments.get(key).filter(|_| takes) {
            check(value, arguments).map_err(|why| invalid(queue, key, &why))?;
        }
    }
    for (key, _) in arguments.iter() {
        if known(queue_type, key) == Some(false) {
            return Err(AmqpError::precondition(format!(
                "invalid arg '{key}' for {} of queue type {}",
                queue_named(queue),
                queue_type.module()
            )));
        }
    }
    Ok(queue_type)
}

fn queue_type(queue: &str, arguments: &Table) -> Result<QueueType, AmqpError> {
    const KEY: &str = "x-queue-type";
    match arguments.get(KEY) {
        None => Ok(QueueType::Classic),
        Some(Field::Text(name)) => match &**name {
            "classic" => Ok(QueueType::Classic),
            "quorum" => Ok(QueueType::Quorum),
            "stream" => Err(AmqpError::new(
                Code::NotImplemented,
                "streams are not part of this simulator",
            )),
            other => Err(invalid(queue, KEY, &format!("\"unsupported queue type '{other}'\""))),
        },
        Some(other) => Err(invalid(queue, KEY, &unacceptable(other))),
    }
}

/// Checks the arguments of a consumer.
///
/// # Errors
/// The refusal, in the server's words.
pub fn check_consume(queue: &str, queue_type: QueueType, arguments: &Table) -> Result<(), AmqpError> {
    if let Some(priority) = arguments.get("x-priority") {
        integer(priority).map_err(|why| invalid(queue, "x-priority", &why))?;
    }
    const FAILOVER: &str = "x-cancel-on-ha-failover";
    if let Some(cancel) = arguments.get(FAILOVER).filter(|_| queue_type == QueueType::Classic) {
        boolean(cancel, arguments).map_err(|why| invalid(queue, FAILOVER, &why))?;
    }
    for (key, _) in arguments.iter() {
        let foreign = &**key == "x-stream-offset" || (&**key == FAILOVER && queue_type == QueueType::Quorum);
        if foreign {
            return Err(AmqpError::precondition(format!(
                "invalid arg '{key}' for {} of queue type {}",
                queue_named(queue),
                queue_type.module()
            )));
        }
    }
    Ok(())
}

fn invalid(queue: &str, key: &str, why: &str) -> AmqpError {
    AmqpError::precondition(format!("invalid arg '{key}' for {}: {why}", queue_named(queue)))
}

fn unacceptable(value: &Field) -> String {
    format!("{{unacceptable_type,{}}}", value.kind())
}

fn integer(value: &Field) -> Result<i64, String> {
    value
        .integer()
        .ok_or_else(|| format!("\"expected integer, got {}\"", value.kind()))
}

fn anything(_: &Field, _: &Table) -> Result<(), String> {
    Ok(())
}

fn text(value: &Field, _: &Table) -> Result<(), String> {
    value.text().map(|_| ()).ok_or_else(|| unacceptable(value))
}

fn boolean(value: &Field, _: &Table) -> Result<(), String> {
    match value {
        Field::Bool(_) => Ok(()),
        other => Err(unacceptable(other)),
    }
}

fn not_negative(value: &Field, _: &Table) -> Result<(), String> {
    match integer(value)? {
        n if n < 0 => Err(format!("{{value_negative,{n}}}")),
        _ => Ok(()),
    }
}

fn positive(value: &Field, arguments: &Table) -> Result<(), String> {
    not_negative(value, arguments)?;
    match value.integer() {
        Some(0) => Err("{value_zero,0}".into()),
        _ => Ok(()),
    }
}

fn ttl(value: &Field, _: &Table) -> Result<(), String> {
    match integer(value)? {
        n if n < 0 => Err(format!("{{value_negative,{n}}}")),
        n if n > MAX_MS => Err(format!("{{value_too_large,{n}}}")),
        _ => Ok(()),
    }
}

fn expires(value: &Field, arguments: &Table) -> Result<(), String> {
    match integer(value)? {
        0 => Err("{value_zero,0}".into()),
        _ => ttl(value, arguments),
    }
}

fn max_priority(value: &Field, arguments: &Table) -> Result<(), String> {
    not_negative(value, arguments)?;
    match value.integer() {
        Some(n) if n > 255 => Err(format!("{{max_value_exceeded,{n}}}")),
        _ => Ok(()),
    }
}

fn dead_letter_key(value: &Field, arguments: &Table) -> Result<(), String> {
    text(value, arguments)?;
    match arguments.get("x-dead-letter-exchange") {
        None => Err("routing_key_but_no_dlx_defined".into()),
        Some(_) => Ok(()),
    }
}

fn dead_letter_strategy(value: &Field, _: &Table) -> Result<(), String> {
    one_of(value, &["at-most-once", "at-least-once"], || {
        "invalid_dlx_strategy".into()
    })
}

fn overflow(value: &Field, _: &Table) -> Result<(), String> {
    let all = ["drop-head", "reject-publish", "reject-publish-dlx"];
    one_of(value, &all, || "invalid_overflow".into())
}

fn queue_mode(value: &Field, _: &Table) -> Result<(), String> {
    one_of(value, &["default", "lazy"], || {
        format!("\"unsupported queue mode '{value}'\"")
    })
}

fn leader_locator(value: &Field, _: &Table) -> Result<(), String> {
    let all = ["client-local", "balanced", "random", "least-leaders"];
    one_of(value, &all, || "invalid_queue_locator_arg".into())
}

fn queue_version(value: &Field, arguments: &Table) -> Result<(), String> {
    not_negative(value, arguments)?;
    match value.integer() {
        Some(1 | 2) => Ok(()),
        _ => Err(format!("\"unsupported queue version '{value}'\"")),
    }
}

fn one_of(value: &Field, all: &[&str], why: impl FnOnce() -> String) -> Result<(), String> {
    match value {
        Field::Text(given) if all.contains(&&**given) => Ok(()),
        Field::Text(_) => Err(why()),
        other => Err(unacceptable(other)),
    }
}

/// What a declaration of something that exists must agree with.
pub enum Declared<'a> {
    Queue(&'a str, QueueType),
    Exchange(&'a str),
}

impl Declared<'_> {
    fn named(&self) -> String {
        match self {
            Declared::Queue(name, _) => queue_named(name),
            Declared::Exchange(name) => exchange_named(name),
        }
    }
}

/// A property that a second declaration gives otherwise.
pub fn inequivalent(what: &Declared<'_>, key: &str, received: &str, current: &str) -> AmqpError {
    AmqpError::precondition(format!(
        "inequivalent arg '{key}' for {}: received {received} but current is {current}",
        what.named()
    ))
}

/// Compares a property.
///
/// # Errors
/// The refusal of the second declaration.
pub fn same_property(
    what: &Declared<'_>,
    key: &str,
    received: &dyn std::fmt::Display,
    current: &dyn std::fmt::Display,
) -> Result<(), AmqpError> {
    let (received, current) = (received.to_string(), current.to_string());
    if received == current {
        return Ok(());
    }
    Err(inequivalent(
        what,
        key,
        &format!("'{received}'"),
        &format!("'{current}'"),
    ))
}

/// Compares the arguments that count: those that the queue's type knows, or an exchange's alternate.
///
/// # Errors
/// The refusal of the second declaration.
pub fn same_arguments(what: &Declared<'_>, received: &Table, current: &Table) -> Result<(), AmqpError> {
    match what {
        Declared::Exchange(_) => same_argument(what, "alternate-exchange", received, current),
        Declared::Queue(_, queue_type) => {
            for (key, ..) in compared(*queue_type) {
                same_argument(what, key, received, current)?;
            }
            Ok(())
        }
    }
}

/// The keys of a queue type in the order in which they are compared.
fn compared(queue_type: QueueType) -> impl Iterator<Item = (&'static str, ())> {
    const CLASSIC: &[&str] = &[
        "x-expires",
        "x-message-ttl",
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-max-length",
        "x-max-length-bytes",
        "x-max-priority",
        "x-overflow",
        "x-queue-mode",
        "x-queue-version",
        "x-single-active-consumer",
        "x-queue-type",
        CLASSIC_ONLY,
    ];
    const QUORUM: &[&str] = &[
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-dead-letter-strategy",
        "x-expires",
        "x-max-length",
        "x-max-length-bytes",
        "x-max-in-memory-length",
        "x-max-in-memory-bytes",
        "x-overflow",
        "x-single-active-consumer",
        "x-queue-type",
        "x-quorum-initial-group-size",
        "x-delivery-limit",
        "x-message-ttl",
        "x-queue-leader-locator",
    ];
    let keys = match queue_type {
        QueueType::Classic => CLASSIC,
        QueueType::Quorum => QUORUM,
    };
    keys.iter().map(|key| (*key, ()))
}

fn same_argument(what: &Declared<'_>, key: &str, received: &Table, current: &Table) -> Result<(), AmqpError> {
    let classic = Field::Text("classic".into());
    let default = |side: &Field| key == "x-queue-type" && *side == classic;
    match (received.get(key), current.get(key)) {
        (None, None) => Ok(()),
        (Some(one), None) | (None, Some(one)) if default(one) => Ok(()),
        (Some(new), None) => Err(inequivalent(what, key, &valued(new), "none")),
        (None, Some(old)) => Err(inequivalent(what, key, "none", &valued(old))),
        (Some(new), Some(old)) => {
            let integers = new.integer().is_some() && new.integer() == old.integer();
            if new == old || integers {
                return Ok(());
            }
            Err(inequivalent(what, key, &format!("'{new}'"), &format!("'{old}'")))
        }
    }
}

fn valued(value: &Field) -> String {
    format!("the value '{value}' of type '{}'", value.kind())
}
