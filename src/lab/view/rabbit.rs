//! RabbitMQ as it looks at one moment.

use super::Health;

/// A broker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RabbitView {
    pub name: String,
    pub host: String,
    pub health: Health,
    pub since_us: u64,
    /// Those that somebody declared, and those of the server's own that have bindings; by name.
    pub exchanges: Vec<ExchangeView>,
    pub queues: Vec<QueueView>,
    /// Open connections.
    pub connections: usize,
    pub faults: Vec<String>,
}

/// An exchange and what it leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExchangeView {
    pub name: String,
    /// `topic`, `fanout`, ...
    pub kind: &'static str,
    pub durable: bool,
    pub alternate: Option<String>,
    pub bindings: Vec<BindingView>,
}

/// One binding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BindingView {
    pub to: String,
    /// It leads to another exchange.
    pub to_exchange: bool,
    /// The key, or the headers that it asks for.
    pub pattern: String,
}

/// A queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueView {
    pub name: String,
    /// `classic` or `quorum`.
    pub kind: &'static str,
    pub durable: bool,
    pub ready: usize,
    pub unacked: usize,
    /// Bodies of the first that wait, in the order in which they would be delivered.
    pub first: Vec<String>,
    /// Consumer tags with how they stand: `up`, `single_active`, `waiting`.
    pub consumers: Vec<(String, &'static str)>,
    /// Arguments in their own names.
    pub arguments: Vec<(String, String)>,
}

/// A client that publishes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublisherView {
    pub name: String,
    pub host: String,
    pub health: Health,
    pub connected: bool,
    pub confirm: bool,
    pub mandatory: bool,
    pub persistent: bool,
    /// Not sent yet, and sent but not confirmed.
    pub waiting: usize,
    pub unconfirmed: usize,
    pub sent: u64,
    pub confirmed: u64,
    pub lost: u64,
    pub last_error: Option<String>,
    pub faults: Vec<String>,
}

/// A client that consumes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SubscriberView {
    pub name: String,
    pub host: String,
    pub health: Health,
    pub connected: bool,
    pub queue: String,
    /// 0: no limit.
    pub prefetch: u32,
    /// `after`, `before`, `auto`, `manual`.
    pub ack: &'static str,
    /// Bodies of what it has in hand or waiting, the one it works on first.
    pub inbox: Vec<String>,
    pub last_error: Option<String>,
    pub faults: Vec<String>,
}
