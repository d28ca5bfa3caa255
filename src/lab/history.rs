//! The record of events of one branch: a few columns for each event, in chunks that branches share. What an event did in
//! full comes back by replaying the few thousand events around it.

use super::view::Density;
use crate::sim::{EventKind, ProcId, Step, Time};
use std::rc::Rc;

/// How many events a chunk holds.
const CHUNK: usize = 4_096;

/// What an event is about, for the density picture and for "what matters".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Idle,
    Data,
    Control,
    Clients,
}

/// One event, as much as is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub at: Time,
    pub cause: u64,
    pub kind: EventKind,
    pub to: ProcId,
    pub from: Option<ProcId>,
    pub tag: u8,
    pub class: Class,
    /// Something happened that a person would stop at.
    pub matters: bool,
}

/// 24 bytes an event.
#[derive(Clone, Copy, Debug)]
struct Row {
    at: u64,
    cause: u32,
    to: u32,
    from: u32,
    kind: EventKind,
    tag: u8,
    class: Class,
    matters: bool,
}

const NONE: u32 = u32::MAX;

/// The events of a branch, from the first.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The kernel's number of the first event kept.
    base: u64,
    chunks: Vec<Rc<Vec<Row>>>,
    len: u64,
}

impl History {
    /// An empty record whose first event will be number `base`.
    pub fn starting_at(base: u64) -> Self {
        History {
            base,
            chunks: Vec::new(),
            len: 0,
        }
    }

    /// The number of the first event.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The number behind the last event.
    pub fn end(&self) -> u64 {
        self.base + self.len
    }

    pub fn push(&mut self, step: &Step, class: Class, matters: bool) {
        debug_assert_eq!(step.id, self.end());
        if self.len.is_multiple_of(CHUNK as u64) {
            self.chunks.push(Rc::new(Vec::with_capacity(CHUNK)));
        }
        let row = Row {
            at: step.at.0,
            cause: u32::try_from(step.cause).unwrap_or(NONE),
            to: step.to.0,
            from: step.from.map_or(NONE, |p| p.0),
            kind: step.kind,
            tag: step.tag,
            class,
            matters,
        };
        if let Some(last) = self.chunks.last_mut() {
            Rc::make_mut(last).push(row);
            self.len += 1;
        }
    }

    fn row(&self, event: u64) -> Option<&Row> {
        let index = usize::try_from(event.checked_sub(self.base)?).ok()?;
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    pub fn get(&self, event: u64) -> Option<Kept> {
        self.row(event).map(|row| Kept {
            at: Time(row.at),
            cause: if row.cause == NONE {
                u64::MAX
            } else {
                u64::from(row.cause)
            },
            kind: row.kind,
            to: ProcId(row.to),
            from: (row.from != NONE).then_some(ProcId(row.from)),
            tag: row.tag,
            class: row.class,
            matters: row.matters,
        })
    }

    /// Keeps only the events before `event`.
    pub fn cut(&mut self, event: u64) {
        let keep = event.saturating_sub(self.base).min(self.len);
        self.chunks.truncate((keep as usize).div_ceil(CHUNK));
        let rest = keep as usize % CHUNK;
        if rest > 0
            && let Some(last) = self.chunks.last_mut()
        {
            Rc::make_mut(last).truncate(rest);
        }
        self.len = keep;
    }

    /// The first event that happens after `at`, or the end.
    pub fn first_after(&self, at: Time) -> u64 {
        let (mut low, mut high) = (self.base, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.row(middle) {
                Some(row) if row.at <= at.0 => low = middle + 1,
                _ => high = middle,
            }
        }
        low
    }

    /// The next event from `event` on that matters.
    pub fn next_that_matters(&self, event: u64) -> Option<u64> {
        (event..self.end()).find(|e| self.row(*e).is_some_and(|row| row.matters))
    }

    /// Events that matter, in a range of numbers.
    pub fn matters(&self, from: u64, to: u64) -> impl Iterator<Item = u64> {
        (from.max(self.base)..to.min(self.end())).filter(|e| self.row(*e).is_some_and(|row| row.matters))
    }

    /// How many events of each class fall into each of `bins` equal stretches of `from..to`.
    pub fn density(&self, from: Time, to: Time, bins: usize) -> Vec<Density> {
        let mut out = vec![Density::default(); bins];
        let span = to.0.saturating_sub(from.0).max(1);
        let first = self.first_after(Time(from.0.saturating_sub(1)));
        for event in first..self.end() {
            let Some(row) = self.row(event) else { break };
            if row.at >= to.0 {
                break;
            }
            let bin = (row.at.saturating_sub(from.0) as u128 * bins as u128 / u128::from(span)) as usize;
            let Some(bin) = out.get_mut(bin) else { continue };
            match row.class {
                Class::Idle => bin.idle += 1,
                Class::Data => bin.data += 1,
                Class::Control => bin.control += 1,
                Class::Clients => bin.clients += 1,
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(n: u64) -> History {
        let mut history = History::starting_at(10);
        for i in 0..n {
            let step = Step {
                id: 10 + i,
                at: Time(i * 5),
                cause: if i == 0 { u64::MAX } else { 10 + i - 1 },
                kind: EventKind::Timer,
                to: ProcId(1),
                from: None,
                tag: 0,
            };
            history.push(&step, Class::Data, i % 100 == 0);
        }
        history
    }

    #[test]
    fn events_come_back_as_they_were() {
        let h = history(10_000);
        assert_eq!(h.get(10).map(|k| (k.at, k.cause)), Some((Time(0), u64::MAX)));
        assert_eq!(h.get(9_000).map(|k| (k.at, k.cause)), Some((Time(8_990 * 5), 8_999)));
        assert_eq!((h.get(9), h.get(10_010)), (None, None));
        assert_eq!(h.first_after(Time(7)), 12);
        assert_eq!(h.next_that_matters(11), Some(110));
        assert_eq!(h.density(Time(0), Time(50_000), 10)[3].data, 1_000);
    }

    #[test]
    fn a_cut_leaves_other_branches_alone() {
        let whole = history(10_000);
        let mut cut = whole.clone();
        cut.cut(5_000);
        assert_eq!((cut.end(), cut.get(5_000), whole.end()), (5_000, None, 10_010));
    }
}
