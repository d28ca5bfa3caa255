//! The world's own vocabulary: what its systems say, each in its own words. A further system is one more variant of each
//! enum, its range of tags, and a line of `embeds!`; none of the others learns of it.

use crate::kafka::protocol::kind_of_tag as kafka_kind;
use crate::kafka::wire::Kafka;
use crate::rabbit::protocol::KINDS as RABBIT_KINDS;
use crate::rabbit::wire::Rabbit;
use crate::serving::http::KINDS as SERVING_KINDS;
use crate::serving::wire::Serving;
use crate::sim::{Embeds, Payload, Wire};
use crate::{kafka, rabbit, serving};
use std::convert::identity;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

/// The vocabulary.
#[derive(Clone, Debug)]
pub enum Lab {}

impl Wire for Lab {
    type Msg = Msg;
    type Timer = Timer;
    type Order = Order;
    type Note = Note;
}

/// A message of one of the systems. Large ones are boxed: every input has room for the largest.
#[derive(Clone, Debug)]
pub enum Msg {
    Kafka(kafka::protocol::Msg),
    Rabbit(Box<rabbit::protocol::Msg>),
    Serving(serving::http::Msg),
}

/// What a timer of one of the systems says.
#[derive(Clone, Debug)]
pub enum Timer {
    Kafka(kafka::wire::Timer),
    Rabbit(rabbit::wire::Timer),
    Serving(serving::wire::Timer),
}

/// What a process of one of the systems is told.
#[derive(Clone, Debug)]
pub enum Order {
    Kafka(kafka::wire::Order),
    Rabbit(rabbit::wire::Order),
    Serving(serving::wire::Order),
}

/// What a process of one of the systems reports.
#[derive(Clone, Debug)]
pub enum Note {
    Kafka(kafka::note::Note),
    Rabbit(rabbit::note::Note),
    /// What the container engine says.
    Engine(Rc<str>),
    Serving(serving::note::Note),
}

/// A run of one system has the same hash whether others could have been in its world or not.
impl Hash for Note {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Note::Kafka(note) => note.hash(state),
            Note::Rabbit(note) => note.hash(state),
            Note::Engine(text) => text.hash(state),
            Note::Serving(note) => note.hash(state),
        }
    }
}

/// `System put take`: how a message of the system is put into the enum, and taken out.
macro_rules! embeds {
    ($($system:ident $put:expr, $take:expr;)*) => {$(
        impl Embeds<$system> for Lab {
            fn wrap_msg(msg: <$system as Wire>::Msg) -> Msg {
                Msg::$system($put(msg))
            }

            fn wrap_timer(timer: <$system as Wire>::Timer) -> Timer {
                Timer::$system(timer)
            }

            fn wrap_note(note: <$system as Wire>::Note) -> Note {
                Note::$system(note)
            }

            fn msg(msg: Msg) -> Option<<$system as Wire>::Msg> {
                match msg {
                    Msg::$system(msg) => Some($take(msg)),
                    _ => None,
                }
            }

            fn timer(timer: Timer) -> Option<<$system as Wire>::Timer> {
                match timer {
                    Timer::$system(timer) => Some(timer),
                    _ => None,
                }
            }

            fn order(order: Order) -> Option<<$system as Wire>::Order> {
                match order {
                    Order::$system(order) => Some(order),
                    _ => None,
                }
            }
        }

        impl From<<$system as Wire>::Order> for Order {
            fn from(order: <$system as Wire>::Order) -> Order {
                Order::$system(order)
            }
        }
    )*};
}

embeds! {
    Kafka identity, identity;
    Rabbit Box::new, |msg: Box<rabbit::protocol::Msg>| *msg;
    Serving identity, identity;
}

/// Where RabbitMQ's tags begin; Kafka's, which events are kept by, are all below.
const RABBIT_TAGS: u8 = 180;

/// Where those of web servers begin.
const SERVING_TAGS: u8 = 240;

impl Payload for Msg {
    fn kind(&self) -> &'static str {
        match self {
            Msg::Kafka(msg) => msg.kind(),
            Msg::Rabbit(msg) => msg.kind(),
            Msg::Serving(msg) => msg.kind(),
        }
    }

    fn tag(&self) -> u8 {
        match self {
            Msg::Kafka(msg) => msg.tag(),
            Msg::Rabbit(msg) => RABBIT_TAGS + msg.tag(),
            Msg::Serving(msg) => SERVING_TAGS + msg.tag(),
        }
    }

    fn bytes(&self) -> u32 {
        match self {
            Msg::Kafka(msg) => msg.bytes(),
            Msg::Rabbit(msg) => msg.bytes(),
            Msg::Serving(msg) => msg.bytes(),
        }
    }
}

/// The name on the wire for a [`Payload::tag`]; empty if there is none.
pub fn kind_of_tag(tag: u8) -> &'static str {
    if let Some(tag) = tag.checked_sub(SERVING_TAGS) {
        return SERVING_KINDS.get(usize::from(tag)).copied().unwrap_or_default();
    }
    match tag.checked_sub(RABBIT_TAGS) {
        None => kafka_kind(tag),
        Some(tag) => RABBIT_KINDS.get(usize::from(tag)).copied().unwrap_or_default(),
    }
}

impl Msg {
    /// Kafka's message, if it is one.
    pub fn kafka(&self) -> Option<&kafka::protocol::Msg> {
        match self {
            Msg::Kafka(msg) => Some(msg),
            Msg::Rabbit(_) | Msg::Serving(_) => None,
        }
    }

    /// RabbitMQ's message, if it is one.
    pub fn rabbit(&self) -> Option<&rabbit::protocol::Msg> {
        match self {
            Msg::Kafka(_) | Msg::Serving(_) => None,
            Msg::Rabbit(msg) => Some(msg),
        }
    }
}

impl Note {
    /// Kafka's note, if it is one.
    pub fn kafka(&self) -> Option<&kafka::note::Note> {
        match self {
            Note::Kafka(note) => Some(note),
            Note::Rabbit(_) | Note::Serving(_) | Note::Engine(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::size_of;

    #[test]
    fn every_tag_is_one_systems_own() {
        assert!((RABBIT_TAGS..=u8::MAX).all(|tag| kafka_kind(tag).is_empty()));
        assert!(RABBIT_KINDS.len() <= usize::from(SERVING_TAGS - RABBIT_TAGS));
        assert!(SERVING_KINDS.len() <= usize::from(u8::MAX - SERVING_TAGS) + 1);
        assert_eq!(
            (kind_of_tag(7), kind_of_tag(RABBIT_TAGS)),
            ("ProduceRequest", "heartbeat")
        );
    }

    #[test]
    fn kafkas_messages_are_no_longer_for_the_others() {
        assert_eq!(size_of::<Msg>(), size_of::<kafka::protocol::Msg>());
    }
}
