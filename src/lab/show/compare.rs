//! Both systems beside each other, message by message: what `feed` hands to producers and to publishers alike is the
//! same item of work, and each system has its own fate for it.

use crate::lab::ledger::{Entry, Message, RecordId, System};
use crate::lab::world::{World, lab_us};
use crate::ordered::{OrderedMap, SortSmall};
use std::rc::Rc;

/// What became of an item in one system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody was given it yet.
    Waiting,
    /// Every reader that was given it was given it once.
    Once,
    /// Some reader was given it so many times.
    Again(u8),
    /// Acknowledged, and gone.
    Lost,
    /// Its client was told that it failed.
    Failed,
    /// Its transaction was aborted.
    Aborted,
    /// No binding matched.
    Unroutable,
    /// Its time was over before anybody was given it.
    Expired,
    /// Its queue gave it up before anybody was given it.
    Dropped,
}

impl Fate {
    /// It has come to an end without anybody having been given it.
    pub fn is_never(self) -> bool {
        !matches!(self, Fate::Waiting | Fate::Once | Fate::Again(_))
    }
}

/// An item in one system.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    pub record: RecordId,
    pub fate: Fate,
    /// Behind one of the same key that was sent later.
    pub reordered: bool,
    /// The system still has it.
    pub stored: bool,
    /// Where it stood and who was given it: `loan_request/0@3, risk`.
    pub path: String,
    /// From being handed over to being given to the first reader, in microseconds.
    pub delay_us: Option<u64>,
}

/// An item of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub value: Rc<str>,
    pub key: Option<Rc<str>>,
    pub kafka: Option<Side>,
    pub rabbit: Option<Side>,
}

impl Item {
    /// Both systems were given it, and its fate is not the same. While one of them is still at it, nothing is said.
    pub fn differs(&self) -> bool {
        match (&self.kafka, &self.rabbit) {
            (Some(kafka), Some(rabbit)) => {
                (kafka.fate, kafka.reordered) != (rabbit.fate, rabbit.reordered)
                    && kafka.fate != Fate::Waiting
                    && rabbit.fate != Fate::Waiting
            }
            _ => false,
        }
    }

    /// One of them has it, the other has lost it.
    pub fn is_worst(&self) -> bool {
        let never = |side: &Option<Side>| side.as_ref().is_some_and(|side| side.fate.is_never());
        self.differs() && never(&self.kafka) != never(&self.rabbit)
    }
}

/// Upper ends of the classes that delays are counted in, in microseconds; the last class has none.
pub const CLASSES: [u64; 9] = [
    1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000,
];

/// The counts of one system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub sent: u64,
    pub once: u64,
    pub again: u64,
    pub never: u64,
    pub waiting: u64,
    pub reordered: u64,
    /// Given to a reader, and still there for others.
    pub stored_after: u64,
    /// Given to a reader, and gone.
    pub gone_after: u64,
    /// How many items took how long, by [`CLASSES`].
    pub delays: [u64; CLASSES.len() + 1],
    /// Half of them took no longer; 99 of 100 took no longer.
    pub median_us: Option<u64>,
    pub slowest_us: Option<u64>,
}

/// The comparison at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// In the order in which they were handed over.
    pub items: Vec<Item>,
    pub kafka: Counts,
    pub rabbit: Counts,
}

impl Compared {
    /// How many items have another fate in one system than in the other.
    pub fn differences(&self) -> usize {
        self.items.iter().filter(|item| item.differs()).count()
    }
}

/// Compares what both systems of a world have done so far.
pub fn compare(world: &World) -> Compared {
    let mut items: Vec<Item> = Vec::new();
    // The same value is one item; where a value comes again, the next without a partner is meant.
    let mut open: OrderedMap<(Rc<str>, bool), Vec<usize>> = OrderedMap::new();
    for (record, entry) in world.ledger.entries() {
        let Some(value) = entry.handed.value.clone() else {
            continue;
        };
        let is_kafka = entry.handed.system == System::Kafka;
        let side = side(world, record, entry);
        let partner = open
            .get_mut(&(value.clone(), is_kafka))
            .and_then(|waiting| (!waiting.is_empty()).then(|| waiting.remove(0)));
        let at = partner.unwrap_or_else(|| {
            items.push(Item {
                value: value.clone(),
                key: entry.handed.key.clone(),
                kafka: None,
                rabbit: None,
            });
            open.entry((value, !is_kafka)).or_default().push(items.len() - 1);
            items.len() - 1
        });
        if is_kafka {
            items[at].kafka = Some(side);
        } else {
            items[at].rabbit = Some(side);
        }
    }
    Compared {
        kafka: counts(items.iter().filter_map(|item| item.kafka.as_ref())),
        rabbit: counts(items.iter().filter_map(|item| item.rabbit.as_ref())),
        items,
    }
}

fn side(world: &World, record: RecordId, entry: &Entry) -> Side {
    Side {
        record,
        fate: fate(entry),
        reordered: entry.reordered,
        stored: match &entry.message {
            Some(message) => message.standing > 0,
            None => entry.appended && !entry.lost,
        },
        path: path(world, entry),
        delay_us: entry
            .first_given
            .map(|at| lab_us(at).saturating_sub(lab_us(entry.handed.at))),
    }
}

/// The fate, the most telling first.
pub fn fate(entry: &Entry) -> Fate {
    let times = entry.delivered.iter().map(|(_, times)| *times).max().unwrap_or(0);
    let is = |what: fn(&Message) -> bool| entry.message.as_ref().is_some_and(|message| what(message));
    match times {
        2.. => Fate::Again(times),
        1 => Fate::Once,
        0 if entry.lost => Fate::Lost,
        0 if entry.is_aborted() => Fate::Aborted,
        0 if is(Message::is_unroutable) => Fate::Unroutable,
        0 if is(|message| message.expired && message.standing == 0) => Fate::Expired,
        0 if is(|message| message.dropped && message.standing == 0) => Fate::Dropped,
        0 if entry.failed.is_some() => Fate::Failed,
        0 => Fate::Waiting,
    }
}

/// Where it stood, and who was given it how often.
fn path(world: &World, entry: &Entry) -> String {
    let mut steps: Vec<String> = Vec::new();
    if let (Some(place), Some(offset)) = (entry.place, entry.offset) {
        steps.push(format!("{}@{offset}", world.places.name(place)));
    }
    for (reader, times) in &entry.delivered {
        let Some(name) = world.ledger.reader_name(*reader) else {
            continue;
        };
        steps.push(match times {
            1 => name.to_string(),
            times => format!("{name} ×{times}"),
        });
    }
    if let Some(message) = &entry.message {
        steps.extend(message.fates().filter(|fate| TOLD.contains(fate)).map(str::to_owned));
    }
    steps.join(", ")
}

/// Fates of a message that belong to its way.
const TOLD: [&str; 7] = [
    "unroutable",
    "returned",
    "refused",
    "requeued",
    "dead-lettered",
    "dropped",
    "expired",
];

fn counts<'a>(sides: impl Iterator<Item = &'a Side>) -> Counts {
    let mut counts = Counts::default();
    let mut delays: Vec<u64> = Vec::new();
    for side in sides {
        counts.sent += 1;
        match side.fate {
            Fate::Once => counts.once += 1,
            Fate::Again(_) => counts.again += 1,
            Fate::Waiting => counts.waiting += 1,
            _ => counts.never += 1,
        }
        counts.reordered += u64::from(side.reordered);
        if matches!(side.fate, Fate::Once | Fate::Again(_)) {
            counts.stored_after += u64::from(side.stored);
            counts.gone_after += u64::from(!side.stored);
        }
        if let Some(delay) = side.delay_us {
            counts.delays[CLASSES.iter().position(|end| delay <= *end).unwrap_or(CLASSES.len())] += 1;
            delays.push(delay);
        }
    }
    delays.sort_small();
    counts.median_us = delays.get(delays.len().saturating_sub(1) / 2).copied();
    counts.slowest_us = delays.last().copied();
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::library;
    use crate::lab::run::Run;

    fn played(until_us: u64) -> Run {
        let mut run = Run::open(library::find("side-by-side").expect("it is shipped").text);
        assert!(run.errors().is_empty() && run.play_until_us(until_us, 2_000_000));
        assert!(run.refused().is_empty(), "{:?}", run.refused());
        run
    }

    #[test]
    fn every_item_is_one_row_with_a_fate_on_each_side() {
        let compared = played(90_000_000).compared();
        assert_eq!(compared.items.len(), 60);
        assert!(
            compared
                .items
                .iter()
                .all(|item| item.kafka.is_some() && item.rabbit.is_some())
        );
        for counts in [&compared.kafka, &compared.rabbit] {
            assert_eq!(counts.sent, 60);
            assert_eq!(counts.once + counts.again + counts.never + counts.waiting, 60);
            assert_eq!(counts.delays.iter().sum::<u64>(), counts.once + counts.again);
        }
    }

    #[test]
    fn records_stay_and_messages_go() {
        let compared = played(90_000_000).compared();
        assert_eq!((compared.kafka.stored_after, compared.kafka.gone_after), (60, 0));
        assert_eq!(compared.rabbit.stored_after, 0);
        assert_eq!(compared.rabbit.gone_after + compared.rabbit.never, 60);
    }

    #[test]
    fn what_no_binding_takes_is_never_given_on_one_side_only() {
        let compared = played(90_000_000).compared();
        let dropped = compared.items.iter().filter(|item| item.is_worst());
        let fates = |item: &Item| Some((item.kafka.as_ref()?.fate, item.rabbit.as_ref()?.fate));
        assert!(dropped.clone().count() > 0);
        assert!(
            dropped
                .clone()
                .all(|item| fates(item).is_some_and(|(_, rabbit)| rabbit == Fate::Unroutable))
        );
    }

    #[test]
    fn the_first_difference_is_the_event_that_made_it() {
        let mut run = played(90_000_000);
        let first = run
            .compared()
            .items
            .into_iter()
            .find(Item::differs)
            .expect("they differ");
        let event = run.first_difference().expect("there is one");
        let differs = |run: &Run| {
            let items = run.compared().items;
            items.iter().any(|item| item.value == first.value && item.differs())
        };
        run.seek_event(event);
        assert!(differs(&run));
        run.seek_event(event - 1);
        assert!(!differs(&run));
    }
}
