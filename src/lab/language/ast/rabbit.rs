//! What commands about RabbitMQ speak of.

use super::{Name, Value};
use crate::ordered::OrderedMap;

/// The language's word for the default exchange, whose name is empty (`rabbitmqadmin` calls it so too).
pub const DEFAULT_EXCHANGE: &str = "amq.default";

/// Brokers, one of each name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rabbit {
    pub names: Vec<Name>,
    /// The host they stand on; `None`: each on one of its own.
    pub on: Option<Name>,
}

/// A value of an AMQP table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    Text(Name),
    Whole(i64),
    Bool(bool),
    /// A number with a decimal point, as written.
    Decimal(Name),
}

/// Arguments or headers, by their names.
pub type Arguments = OrderedMap<Name, Argument>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub name: Name,
    /// `direct`, `fanout`, `topic`, `headers`, or what the server refuses.
    pub kind: Name,
    pub durable: bool,
    pub auto_delete: bool,
    pub internal: bool,
    pub arguments: Arguments,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    pub name: Name,
    pub durable: bool,
    pub exclusive: bool,
    pub auto_delete: bool,
    pub arguments: Arguments,
}

/// `bind loans -> risk key=loan.*.high`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binding {
    pub source: Name,
    pub destination: Name,
    /// It leads to another exchange.
    pub to_exchange: bool,
    pub key: Name,
    /// Of a headers exchange, with `x-match`.
    pub arguments: Arguments,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publisher {
    pub names: Vec<Name>,
    pub on: Option<Name>,
    pub confirm: bool,
    pub mandatory: bool,
    /// Its messages have `delivery_mode=2`.
    pub persistent: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriber {
    pub names: Vec<Name>,
    pub on: Option<Name>,
    pub queue: Name,
    /// 0: no limit.
    pub prefetch: u32,
    /// How long it works on each message.
    pub work_us: u64,
    pub ack: AckHabit,
    pub priority: Option<i32>,
    pub exclusive: bool,
    /// The body that it cannot work on.
    pub fails: Option<Name>,
    pub on_failure: OnFailure,
}

/// When a subscriber acknowledges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AckHabit {
    /// After its work: at least once.
    #[default]
    After,
    /// On arrival: at most once.
    Before,
    /// Not at all, `no_ack`: the broker forgets what it has sent.
    Auto,
    /// At `ack`, `nack` and `reject` commands.
    Manual,
}

/// What a subscriber does with a message that it cannot work on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// `basic.reject` with requeue.
    #[default]
    Requeue,
    /// `basic.reject` without: it is dead-lettered, or dropped.
    DeadLetter,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    pub client: Name,
    pub exchange: Name,
    pub key: Name,
    pub value: Value,
    pub count: u32,
    /// `delivery_mode`: 1 or 2.
    pub delivery_mode: Option<u8>,
    /// Milliseconds.
    pub expiration: Option<u64>,
    pub priority: Option<u8>,
    pub headers: Arguments,
}

/// `ack s1`, `nack s1 requeue=false`, `reject s1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settle {
    pub verb: SettleVerb,
    pub subscribers: Vec<Name>,
    /// All that they have in hand, in one frame; else the oldest.
    pub multiple: bool,
    pub requeue: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleVerb {
    Ack,
    Nack,
    Reject,
}
