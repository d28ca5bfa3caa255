//! A channel: its consumers, what is out to it, its confirms and its transaction.

use crate::ordered::{OrderedMap, OrderedSet};
use crate::rabbit::error::AmqpError;
use crate::rabbit::message::Message;
use crate::rabbit::protocol::Frame;
use crate::rabbit::queue::{ConnectionId, QueueId};
use crate::rabbit::value::Name;
use std::rc::Rc;

/// A message that is out to the channel and not settled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending {
    pub queue: QueueId,
    pub queue_name: Name,
    /// Its consumer; none for `basic.get`.
    pub tag: Option<Name>,
    /// What the queue calls it.
    pub place: u64,
    pub origin: Option<u32>,
}

/// What becomes of a settled message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settle {
    Ack,
    Requeue,
    Discard,
}

/// A publish that was accepted: where it goes.
#[derive(Clone, Debug, Hash)]
pub struct Accepted {
    pub message: Rc<Message>,
    pub mandatory: bool,
    /// Its number, if somebody waits for it to be taken.
    pub number: Option<u64>,
    pub queues: OrderedSet<Name>,
}

/// A transaction: what is held until it commits.
#[derive(Clone, Debug, Default, Hash)]
pub struct Tx {
    pub publishes: Vec<Accepted>,
    /// Delivery tags with what they are, in the order of the methods.
    pub settles: Vec<(Settle, Vec<(u64, Pending)>)>,
    /// Committed, as soon as all its publishes are taken.
    pub committing: bool,
    /// A queue refused one of its publishes.
    pub failed: bool,
}

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    pub connection: ConnectionId,
    pub number: u16,
    pub next_tag: u64,
    pub unacked: OrderedMap<u64, Pending>,
    pub consumers: OrderedMap<Name, QueueId>,
    /// Of consumers that start from now on; 0: none.
    pub prefetch: u32,
    pub confirms: bool,
    pub next_publish: u64,
    /// Publishes with the queues that have not taken them yet.
    pub unconfirmed: OrderedMap<u64, OrderedSet<QueueId>>,
    pub acks: OrderedSet<u64>,
    pub nacks: OrderedSet<u64>,
    pub tx: Option<Tx>,
    /// What an empty queue name means.
    pub last_queue: Name,
    /// The consumer of `amq.rabbitmq.reply-to`: its tag, and the address that others publish to.
    pub reply_consumer: Option<(Name, Name)>,
}

impl Channel {
    pub fn new(connection: ConnectionId, number: u16) -> Channel {
        Channel {
            connection,
            number,
            next_tag: 1,
            unacked: OrderedMap::new(),
            consumers: OrderedMap::new(),
            prefetch: 0,
            confirms: false,
            next_publish: 1,
            unconfirmed: OrderedMap::new(),
            acks: OrderedSet::new(),
            nacks: OrderedSet::new(),
            tx: None,
            last_queue: "".into(),
            reply_consumer: None,
        }
    }

    /// The tag of the next delivery.
    pub fn take_tag(&mut self) -> u64 {
        self.next_tag += 1;
        self.next_tag - 1
    }

    /// Takes what a tag settles out of what is out. Tag 0 with `multiple` is all there is.
    ///
    /// # Errors
    /// The tag is not out here; then nothing is settled.
    pub fn take_unacked(&mut self, tag: u64, multiple: bool) -> Result<Vec<(u64, Pending)>, AmqpError> {
        if tag == 0 && multiple {
            return Ok(std::mem::take(&mut self.unacked).into_iter().collect());
        }
        if !self.unacked.contains_key(&tag) {
            return Err(AmqpError::precondition(format!("unknown delivery tag {tag}")));
        }
        if multiple {
            let later = self.unacked.split_off(&(tag + 1));
            return Ok(std::mem::replace(&mut self.unacked, later).into_iter().collect());
        }
        Ok(self
            .unacked
            .remove(&tag)
            .map(|pending| (tag, pending))
            .into_iter()
            .collect())
    }

    /// A queue has taken a publish, or is gone.
    pub fn taken(&mut self, number: u64, queue: QueueId) {
        if let Some(queues) = self.unconfirmed.get_mut(&number) {
            queues.remove(&queue);
            if queues.is_empty() {
                self.unconfirmed.remove(&number);
                self.acks.insert(number);
            }
        }
    }

    /// A queue has refused a publish: it is refused, whatever the other queues say.
    pub fn refused(&mut self, number: u64) {
        if self.unconfirmed.remove(&number).is_some() {
            self.nacks.insert(number);
            if let Some(tx) = &mut self.tx {
                tx.failed = true;
            }
        }
    }

    /// The queue is gone: nothing more will come from it.
    pub fn queue_gone(&mut self, queue: QueueId) {
        let waiting: Vec<u64> = self
            .unconfirmed
            .iter()
            .filter(|(_, queues)| queues.contains(&queue))
            .map(|(number, _)| *number)
            .collect();
        for number in waiting {
            self.taken(number, queue);
        }
    }

    /// The confirms that are due: nacks first, then acks, those below every open one together.
    pub fn confirm_frames(&mut self) -> Vec<Frame> {
        let (acks, nacks) = (std::mem::take(&mut self.acks), std::mem::take(&mut self.nacks));
        if !self.confirms {
            return Vec::new();
        }
        let lowest = self.unconfirmed.keys().next().copied().unwrap_or(self.next_publish);
        let nack = |number, multiple| Frame::Nack { number, multiple };
        let ack = |number, multiple| Frame::Ack { number, multiple };
        let open_for_nacks = acks.first().map_or(lowest, |first| lowest.min(*first));
        let mut frames = coalesced(&nacks, open_for_nacks, nack);
        frames.extend(coalesced(&acks, lowest, ack));
        frames
    }
}

fn coalesced(numbers: &OrderedSet<u64>, open_from: u64, frame: impl Fn(u64, bool) -> Frame) -> Vec<Frame> {
    let below = numbers.range(..open_from).next_back().copied();
    let together = below.map(|last| frame(last, numbers.range(..last).next().is_some()));
    let single = numbers.range(open_from..).map(|number| frame(*number, false));
    together.into_iter().chain(single).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confirms_below_every_open_one_go_together() {
        let mut channel = Channel::new(ConnectionId(0), 1);
        channel.confirms = true;
        channel.next_publish = 6;
        channel.unconfirmed.insert(4, OrderedSet::from([QueueId(1)]));
        channel.acks = OrderedSet::from([1, 2, 3, 5]);
        let frames = channel.confirm_frames();
        assert!(matches!(
            frames[0],
            Frame::Ack {
                number: 3,
                multiple: true
            }
        ));
        assert!(matches!(
            frames[1],
            Frame::Ack {
                number: 5,
                multiple: false
            }
        ));
        assert_eq!(frames.len(), 2);
    }

    #[test]
    fn a_tag_must_be_out_itself() {
        let mut channel = Channel::new(ConnectionId(0), 1);
        assert!(channel.take_unacked(1, true).is_err());
        assert_eq!(channel.take_unacked(0, true), Ok(Vec::new()));
        assert!(channel.take_unacked(0, false).is_err());
    }
}
