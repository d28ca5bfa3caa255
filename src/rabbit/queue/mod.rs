//! Queues, classic and quorum: what is in them, who gets it, and what becomes of the rest.

pub mod classic;
pub mod consumers;
pub mod limiter;
pub mod line;
pub mod quorum;
pub mod store;

use super::arguments::QueueType;
use super::dead_letter::Reason;
use super::message::Message;
use super::value::{Field, Name, Table};
use crate::sim::Time;
use classic::Classic;
use limiter::ChannelLimits;
use quorum::Quorum;
use std::rc::Rc;

/// A queue, as long as it lives: one declared anew under its name has another number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u32);

/// A connection to the broker, numbered as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// A channel, as long as it is open; the number counts openings over the whole broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerKey {
    pub channel: ChannelId,
    pub tag: Name,
}

/// Who wants to hear that a message was taken: the channel, and the number of the publish on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confirm {
    pub channel: ChannelId,
    pub number: u64,
}

/// A message on its way into a queue.
#[derive(Clone, Debug)]
pub struct Publish {
    pub message: Rc<Message>,
    pub confirm: Option<Confirm>,
    /// The publishing channel; none for a dead letter.
    pub sender: Option<ChannelId>,
}

/// What a queue causes outside itself, in order.
#[derive(Clone, Debug)]
pub enum Event {
    Deliver {
        to: ConsumerKey,
        ack_required: bool,
        handed: Handed,
    },
    /// It died; dead-lettered if the queue says so.
    Dead {
        message: Rc<Message>,
        reason: Reason,
    },
    Confirmed(Confirm),
    /// The queue is full.
    Refused {
        message: Rc<Message>,
        confirm: Option<Confirm>,
    },
}

/// A message as it leaves a queue.
#[derive(Clone, Debug)]
pub struct Handed {
    /// What the queue calls it when it is settled.
    pub place: u64,
    pub message: Rc<Message>,
    pub redelivered: bool,
    /// `x-delivery-count`, where it is shown.
    pub delivery_count: Option<u32>,
}

/// What an operation of a queue may touch.
pub struct Desk<'a> {
    pub now: Time,
    pub limits: &'a mut ChannelLimits,
    pub events: &'a mut Vec<Event>,
}

/// How a full queue behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Overflow {
    #[default]
    DropHead,
    RejectPublish,
    RejectPublishDlx,
}

/// The arguments that a queue follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    pub ttl_ms: Option<u64>,
    pub expires_ms: Option<u64>,
    pub max_length: Option<u64>,
    pub max_bytes: Option<u64>,
    pub max_priority: Option<u8>,
    pub overflow: Overflow,
    pub dead_letter_exchange: Option<Name>,
    pub dead_letter_key: Option<Name>,
    pub single_active: bool,
    pub delivery_limit: Option<u64>,
    pub at_least_once: bool,
}

impl Settings {
    /// From arguments that were checked.
    pub fn of(arguments: &Table) -> Settings {
        let number = |key: &str| {
            let value = arguments.get(key).and_then(Field::integer)?;
            u64::try_from(value).ok()
        };
        let text = |key: &str| arguments.get(key).and_then(Field::text).cloned();
        let overflow = match text("x-overflow").as_deref() {
            Some("reject-publish") => Overflow::RejectPublish,
            Some("reject-publish-dlx") => Overflow::RejectPublishDlx,
            _ => Overflow::DropHead,
        };
        Settings {
            ttl_ms: number("x-message-ttl"),
            expires_ms: number("x-expires"),
            max_length: number("x-max-length"),
            max_bytes: number("x-max-length-bytes"),
            max_priority: number("x-max-priority").and_then(|n| u8::try_from(n).ok()),
            overflow,
            dead_letter_exchange: text("x-dead-letter-exchange"),
            dead_letter_key: text("x-dead-letter-routing-key"),
            single_active: arguments.get("x-single-active-consumer") == Some(&Field::Bool(true)),
            delivery_limit: number("x-delivery-limit"),
            at_least_once: text("x-dead-letter-strategy").as_deref() == Some("at-least-once"),
        }
    }

    /// When a message that enters now expires.
    pub fn expiry(&self, message: &Message, now: Time) -> Option<Time> {
        let own = message.ttl_ms();
        let ms = match (self.ttl_ms, own) {
            (Some(queue), Some(own)) => queue.min(own),
            (queue, own) => queue.or(own)?,
        };
        Some(now + crate::sim::Span::ms(ms))
    }

    /// Whether so many messages with so many bytes are too many.
    pub fn over_limit(&self, ready: u64, bytes: u64) -> bool {
        self.max_length.is_some_and(|most| ready > most) || self.max_bytes.is_some_and(|most| bytes > most)
    }
}

/// A queue: its properties, and what is in it.
#[derive(Clone, Debug)]
pub struct Queue {
    pub id: QueueId,
    pub name: Name,
    pub durable: bool,
    /// The connection that it belongs to.
    pub owner: Option<ConnectionId>,
    pub auto_delete: bool,
    pub arguments: Table,
    pub settings: Rc<Settings>,
    pub content: Content,
}

/// By the queue's type.
#[derive(Clone, Debug)]
pub enum Content {
    Classic(Box<Classic>),
    Quorum(Box<Quorum>),
}

/// How a consumer stands to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    Up,
    SingleActive,
    Waiting,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Standing::Up => "up",
            Standing::SingleActive => "single_active",
            Standing::Waiting => "waiting",
        }
    }
}

impl Queue {
    pub fn queue_type(&self) -> QueueType {
        match self.content {
            Content::Classic(_) => QueueType::Classic,
            Content::Quorum(_) => QueueType::Quorum,
        }
    }

    pub fn ready(&self) -> usize {
        match &self.content {
            Content::Classic(classic) => classic.ready(),
            Content::Quorum(quorum) => quorum.ready(),
        }
    }

    pub fn unacked(&self) -> usize {
        match &self.content {
            Content::Classic(classic) => classic.unacked(),
            Content::Quorum(quorum) => quorum.unacked(),
        }
    }

    /// The consumers that `queue.declare-ok` counts.
    pub fn consumer_count(&self) -> usize {
        match &self.content {
            Content::Classic(classic) => classic.consumers.count(),
            Content::Quorum(quorum) => quorum.consumer_count(),
        }
    }

    /// Its consumers with how they stand.
    pub fn consumers(&self) -> Vec<(ConsumerKey, Standing)> {
        match &self.content {
            Content::Classic(classic) => classic.standings(&self.settings),
            Content::Quorum(quorum) => quorum.standings(&self.settings),
        }
    }

    /// The messages that wait, in the order in which they would be delivered.
    pub fn ready_messages(&self) -> Vec<&Rc<Message>> {
        match &self.content {
            Content::Classic(classic) => classic.ready_messages().collect(),
            Content::Quorum(quorum) => quorum.ready_messages().collect(),
        }
    }

    /// The messages that are out: in queue order (classic), or by consumer (quorum).
    pub fn unacked_messages(&self) -> Vec<&Rc<Message>> {
        match &self.content {
            Content::Classic(classic) => classic.unacked_messages(),
            Content::Quorum(quorum) => quorum.unacked_messages(),
        }
    }

    /// When something happens to it by itself: its head expires, or it does.
    pub fn deadline(&self) -> Option<Time> {
        let (head, expires) = match &self.content {
            Content::Classic(classic) => (classic.ttl_timer, classic.expires_at),
            Content::Quorum(quorum) => (quorum.head_expiry(), quorum.expires_at(&self.settings)),
        };
        match (head, expires) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Whether it has not been used for as long as `x-expires` says.
    pub fn is_expired(&self, now: Time) -> bool {
        let at = match &self.content {
            Content::Classic(classic) => classic.expires_at.filter(|_| classic.consumers.count() == 0),
            Content::Quorum(quorum) => quorum.expires_at(&self.settings),
        };
        at.is_some_and(|at| at <= now)
    }

    /// Declared again, asked for passively: its time begins anew.
    pub fn touched(&mut self, now: Time) {
        match &mut self.content {
            Content::Classic(classic) => classic.touched(&self.settings, now),
            Content::Quorum(quorum) => quorum.touched(now),
        }
    }
}
