//! Observations: what broker and clients report while they handle an input. The ledger lives on [`Fact`]s.

use super::dead_letter::Reason;
use super::rules;
use super::value::Name;
use crate::sim::rule::{Rule, Weight};

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    Fact(Fact),
    Broker(BrokerNote),
    Client(ClientNote),
}

/// What the ledger must know. `origin` numbers a message that a client was told to publish.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// A publisher sent it.
    Published {
        origin: u32,
    },
    /// The publisher was told that the broker has taken it.
    Confirmed {
        origin: u32,
    },
    /// The publisher was told that a queue refused it.
    Nacked {
        origin: u32,
    },
    /// A subscriber has done its work on it.
    Worked {
        origin: u32,
        queue: Name,
    },
    /// It came to the broker and matched so many queues.
    Routed {
        origin: u32,
        queues: u32,
    },
    /// It matched none and went back to the publisher.
    Returned {
        origin: u32,
    },
    /// It came to a queue; a full one may refuse it.
    Arrived {
        origin: u32,
        queue: Name,
    },
    /// Handed to a consumer, or to `basic.get` (no tag).
    Delivered {
        origin: u32,
        queue: Name,
        tag: Option<Name>,
        redelivered: bool,
    },
    /// Consumed for good.
    Settled {
        origin: u32,
        queue: Name,
    },
    Requeued {
        origin: u32,
        queue: Name,
    },
    /// It died, and went on to so many queues.
    Died {
        origin: u32,
        queue: Name,
        reason: Reason,
        onwards: u32,
    },
    /// A full queue refused it.
    Refused {
        origin: u32,
        queue: Name,
    },
    /// Gone with its queue, by a purge, or in a restart.
    Gone {
        origin: u32,
        queue: Name,
    },
}

/// What a person follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BrokerNote {
    ChannelClosed { text: Name },
    ConnectionClosed { text: Name },
    ConnectionLost,
    QueueDeleted { queue: Name },
    Recovered { queue: Name, messages: u32 },
}

/// What a client learns.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientNote {
    /// The broker closed its channel or connection, with these words.
    Refused { text: Name },
    /// The broker cancelled its consumer: the queue is gone.
    Cancelled { queue: Name },
}

impl Fact {
    /// The message that it is about.
    pub fn origin(&self) -> u32 {
        match self {
            Fact::Published { origin }
            | Fact::Confirmed { origin }
            | Fact::Nacked { origin }
            | Fact::Returned { origin }
            | Fact::Worked { origin, .. }
            | Fact::Routed { origin, .. }
            | Fact::Arrived { origin, .. }
            | Fact::Delivered { origin, .. }
            | Fact::Settled { origin, .. }
            | Fact::Requeued { origin, .. }
            | Fact::Died { origin, .. }
            | Fact::Refused { origin, .. }
            | Fact::Gone { origin, .. } => *origin,
        }
    }

    fn rule(&self) -> &'static Rule {
        match self {
            Fact::Published { .. } => &rules::PUBLISH,
            Fact::Confirmed { .. } => &rules::CONFIRM,
            Fact::Nacked { .. } | Fact::Refused { .. } => &rules::REJECT_PUBLISH,
            Fact::Returned { .. } => &rules::MANDATORY,
            Fact::Worked { .. } => &rules::WORK,
            Fact::Routed { .. } => &rules::ROUTE,
            Fact::Arrived { .. } => &rules::ENQUEUE,
            Fact::Delivered { .. } => &rules::ROUND_ROBIN,
            Fact::Settled { .. } => &rules::ACK,
            Fact::Requeued { .. } => &rules::REQUEUE,
            Fact::Died { reason, .. } => rules::death(*reason),
            Fact::Gone { .. } => &rules::GONE,
        }
    }

    fn weight(&self) -> Weight {
        match self {
            Fact::Nacked { .. } | Fact::Refused { .. } | Fact::Died { onwards: 0, .. } | Fact::Gone { .. } => {
                Weight::Alarm
            }
            Fact::Routed { queues: 0, .. } => Weight::Alarm,
            Fact::Returned { .. } | Fact::Requeued { .. } | Fact::Died { .. } => Weight::Matters,
            Fact::Delivered { redelivered: true, .. } => Weight::Matters,
            _ => Weight::Detail,
        }
    }

    fn text(&self) -> String {
        match self {
            Fact::Published { .. } => "published".into(),
            Fact::Confirmed { .. } => "confirmed".into(),
            Fact::Nacked { .. } => "nacked: a queue refused it".into(),
            Fact::Returned { .. } => "returned: NO_ROUTE".into(),
            Fact::Worked { queue, .. } => format!("worked on, from {queue}"),
            Fact::Routed { queues: 0, .. } => "matched no queue".into(),
            Fact::Routed { queues: 1, .. } => "routed to one queue".into(),
            Fact::Routed { queues, .. } => format!("routed to {queues} queues"),
            Fact::Arrived { queue, .. } => format!("came to {queue}"),
            Fact::Delivered {
                queue,
                tag,
                redelivered,
                ..
            } => {
                let to = tag.as_deref().unwrap_or("basic.get");
                let again = if *redelivered { " again" } else { "" };
                format!("delivered{again} from {queue} to {to}")
            }
            Fact::Settled { queue, .. } => format!("settled: removed from {queue}"),
            Fact::Requeued { queue, .. } => format!("back in {queue}"),
            Fact::Died {
                queue, reason, onwards, ..
            } => {
                let end = if *onwards == 0 { "dropped" } else { "dead-lettered" };
                format!("{end} by {queue}: {}", reason.name())
            }
            Fact::Refused { queue, .. } => format!("refused: {queue} is full"),
            Fact::Gone { queue, .. } => format!("gone from {queue}"),
        }
    }
}

impl BrokerNote {
    fn rule(&self) -> &'static Rule {
        match self {
            BrokerNote::ChannelClosed { .. } | BrokerNote::ConnectionClosed { .. } => &rules::CHANNEL_ERROR,
            BrokerNote::ConnectionLost => &rules::CONNECTION_LOST,
            BrokerNote::QueueDeleted { .. } => &rules::QUEUE_DELETED,
            BrokerNote::Recovered { .. } => &rules::RECOVERED,
        }
    }

    fn text(&self) -> String {
        match self {
            BrokerNote::ChannelClosed { text } => format!("channel closed: {text}"),
            BrokerNote::ConnectionClosed { text } => format!("connection closed: {text}"),
            BrokerNote::ConnectionLost => "a connection is lost".into(),
            BrokerNote::QueueDeleted { queue } => format!("queue {queue} is deleted"),
            BrokerNote::Recovered { queue, messages } => format!("queue {queue} recovered with {messages} messages"),
        }
    }
}

impl Note {
    /// The rule that made it.
    pub fn rule(&self) -> &'static Rule {
        match self {
            Note::Fact(fact) => fact.rule(),
            Note::Broker(note) => note.rule(),
            Note::Client(ClientNote::Refused { .. }) => &rules::CHANNEL_ERROR,
            Note::Client(ClientNote::Cancelled { .. }) => &rules::QUEUE_DELETED,
        }
    }

    pub fn weight(&self) -> Weight {
        match self {
            Note::Fact(fact) => fact.weight(),
            Note::Broker(_) | Note::Client(_) => Weight::Matters,
        }
    }

    /// What happened, in the field's words; which message it was is told by its [`origin`](Fact::origin).
    pub fn text(&self) -> String {
        match self {
            Note::Fact(fact) => fact.text(),
            Note::Broker(note) => note.text(),
            Note::Client(ClientNote::Refused { text }) => format!("is told {text}"),
            Note::Client(ClientNote::Cancelled { queue }) => format!("consumes no longer: {queue} is gone"),
        }
    }
}

impl From<Fact> for Note {
    fn from(fact: Fact) -> Note {
        Note::Fact(fact)
    }
}

impl From<BrokerNote> for Note {
    fn from(note: BrokerNote) -> Note {
        Note::Broker(note)
    }
}

impl From<ClientNote> for Note {
    fn from(note: ClientNote) -> Note {
        Note::Client(note)
    }
}
