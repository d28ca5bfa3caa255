//! Observations: what the broker reports while it handles an input. The ledger lives on [`Fact`]s.

use super::dead_letter::Reason;
use super::value::Name;
use crate::sim::rule::Weight;

/// One observation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    Fact(Fact),
    Broker(BrokerNote),
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
    Enqueued {
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

impl BrokerNote {
    pub fn weight(&self) -> Weight {
        Weight::Matters
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
