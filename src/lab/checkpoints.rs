//! Snapshots of a branch, from which any of its moments is reached by a short replay. Their number is bounded: when there
//! are too many, every other one goes.

use super::world::World;
use std::rc::Rc;

/// Events between two snapshots at first.
const FIRST_STRIDE: u64 = 8_192;

/// Snapshots of one branch at most. One of a busy cluster is as large as the record of ten thousand events: in a run of a
/// million they are apart by sixteen thousand, which replay in some twenty milliseconds.
const MOST: usize = 64;

/// A world, and how far in the timeline it is.
#[derive(Clone)]
pub struct Moment {
    pub world: World,
    /// How many items of the timeline have been done.
    pub done: usize,
}

/// Snapshots by the number of events behind them; copies share them.
#[derive(Clone)]
pub struct Checkpoints {
    start: Rc<Moment>,
    stride: u64,
    kept: Vec<(u64, Rc<Moment>)>,
}

impl Checkpoints {
    /// With the beginning, which stays.
    pub fn starting_with(start: Rc<Moment>) -> Self {
        Checkpoints {
            start,
            stride: FIRST_STRIDE,
            kept: Vec::new(),
        }
    }

    /// The beginning.
    pub fn start(&self) -> &Rc<Moment> {
        &self.start
    }

    /// Whether a snapshot is wanted after so many events.
    pub fn wants(&self, event: u64) -> bool {
        event > 0 && event.is_multiple_of(self.stride) && self.kept.last().is_none_or(|(last, _)| *last < event)
    }

    pub fn keep(&mut self, event: u64, moment: &Moment) {
        self.kept.push((event, Rc::new(moment.clone())));
        if self.kept.len() > MOST {
            self.stride *= 2;
            let stride = self.stride;
            self.kept.retain(|(event, _)| event.is_multiple_of(stride));
        }
    }

    /// The latest snapshot at or before `event`, and how many events are behind it.
    pub fn before(&self, event: u64) -> (u64, &Rc<Moment>) {
        let found = self.kept.iter().rev().find(|(at, _)| *at <= event);
        found.map_or((0, &self.start), |(at, moment)| (*at, moment))
    }

    /// Keeps only what is at or before `event`.
    pub fn cut(&mut self, event: u64) {
        self.kept.retain(|(at, _)| *at <= event);
    }

    /// Snapshots from the latest to the first, the beginning included.
    pub fn backwards(&self, from: u64) -> impl Iterator<Item = (u64, &Rc<Moment>)> {
        let kept = self.kept.iter().rev().map(|(at, moment)| (*at, moment));
        kept.filter(move |(at, _)| *at <= from)
            .chain(std::iter::once((0, &self.start)))
    }

    pub fn len(&self) -> usize {
        self.kept.len() + 1
    }

    pub fn is_empty(&self) -> bool {
        false
    }
}
