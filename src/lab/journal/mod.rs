//! The journal of a branch: what a person follows, kept as it happens. Ordinary traffic is not kept; it comes back by
//! replaying the events around it.

mod entries;
mod facts;
mod kafka_notes;
mod kinds;
mod notes;
mod rabbit_notes;

pub use entries::{Heard, command_text, entries_of, finding_text};
pub use facts::{partition, rules};
pub use kinds::class_of;
pub use notes::{note_config, note_rule, note_text, note_weight};

use super::view::{LogEntry, MarkKind, MarkView, Weight};
use std::ops::Range;
use std::rc::Rc;

/// How many entries a chunk holds; chunks are shared between branches.
const CHUNK: usize = 256;

/// The index of an entry that is about the event itself: a message that arrived, a line of the scenario.
pub const EVENT_ITSELF: u16 = 0;

/// Entries of checks and refusals have indices from here on.
pub const SPOKEN: u16 = 50_000;

/// One line, with what it is to the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub log: LogEntry,
    pub mark: Option<MarkKind>,
}

/// Lines in the order of their events.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    chunks: Vec<Rc<Vec<Entry>>>,
    len: usize,
}

impl Journal {
    pub fn push(&mut self, entry: Entry) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Rc::default());
        }
        if let Some(last) = self.chunks.last_mut() {
            Rc::make_mut(last).push(entry);
            self.len += 1;
        }
    }

    fn get(&self, index: usize) -> Option<&Entry> {
        if index >= self.len {
            return None;
        }
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// Index of the first line of `event` or a later one.
    fn first_from(&self, event: u64) -> usize {
        let (mut low, mut high) = (0, self.len);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle) {
                Some(entry) if entry.log.event < event => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// Keeps only what events up to `event` did.
    pub fn cut(&mut self, event: u64) {
        let keep = self.first_from(event + 1);
        self.chunks.truncate(keep.div_ceil(CHUNK));
        let rest = keep % CHUNK;
        if rest > 0
            && let Some(last) = self.chunks.last_mut()
        {
            Rc::make_mut(last).truncate(rest);
        }
        self.len = keep;
    }

    /// Lines of a range of events.
    pub fn range(&self, events: Range<u64>) -> impl DoubleEndedIterator<Item = &Entry> {
        let (from, to) = (self.first_from(events.start), self.first_from(events.end));
        (from..to.max(from)).filter_map(|index| self.get(index))
    }

    /// The newest line of at least that weight, up to `event`.
    pub fn newest(&self, event: u64, weight: Weight) -> Option<&Entry> {
        self.range(0..event + 1).rev().find(|entry| entry.log.weight >= weight)
    }

    /// What stands on the timeline.
    pub fn marks(&self) -> Vec<MarkView> {
        self.range(0..u64::MAX)
            .filter_map(|entry| {
                Some(MarkView {
                    event: entry.log.event,
                    at_us: entry.log.at_us,
                    kind: entry.mark?,
                    text: entry.log.text.clone(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(event: u64, weight: Weight) -> Entry {
        Entry {
            log: LogEntry {
                event,
                weight,
                ..LogEntry::default()
            },
            mark: (weight == Weight::Alarm).then_some(MarkKind::Loss),
        }
    }

    #[test]
    fn ranges_cuts_and_marks() {
        let mut journal = Journal::default();
        for event in 0..1_000 {
            let weight = if event % 100 == 0 {
                Weight::Alarm
            } else {
                Weight::Matters
            };
            journal.push(entry(event * 2, weight));
        }
        let shared = journal.clone();
        assert_eq!(journal.range(10..20).count(), 5);
        assert_eq!(journal.newest(399, Weight::Alarm).map(|e| e.log.event), Some(200));
        journal.cut(601);
        assert_eq!(journal.range(0..u64::MAX).map(|e| e.log.event).max(), Some(600));
        assert_eq!((journal.marks().len(), shared.marks().len()), (4, 10));
        journal.push(entry(700, Weight::Alarm));
        assert_eq!(journal.marks().len(), 5);
        assert_eq!(shared.range(0..u64::MAX).count(), 1_000);
    }
}
