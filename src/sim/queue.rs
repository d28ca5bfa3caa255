//! The event queue: a total order by (time, order of scheduling). Two events never tie.

use super::clock::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is due, in order.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    next: u64,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    /// Time above, order of scheduling below: one comparison.
    key: u128,
    item: T,
}

impl<T> Entry<T> {
    fn new(at: Time, order: u64, item: T) -> Self {
        let key = u128::from(at.as_us()) << 64 | u128::from(order);
        Entry { key, item }
    }

    fn at(&self) -> Time {
        Time((self.key >> 64) as u64)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue {
            heap: BinaryHeap::new(),
            next: 0,
        }
    }
}

impl<T> Queue<T> {
    pub fn push(&mut self, at: Time, item: T) {
        let order = self.next;
        self.next += 1;
        self.heap.push(Reverse(Entry::new(at, order, item)));
    }

    pub fn peek_time(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(e)| e.at())
    }

    pub fn peek(&self) -> Option<&T> {
        self.heap.peek().map(|Reverse(e)| &e.item)
    }

    pub fn pop(&mut self) -> Option<(Time, T)> {
        self.heap.pop().map(|Reverse(e)| (e.at(), e.item))
    }

    /// Keeps what `keep` wants.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        self.heap.retain(|Reverse(e)| keep(&e.item));
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ordered::SortSmall;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn time_first_then_order_of_scheduling(times in proptest::collection::vec(0u64..20, 0..200)) {
            let mut queue = Queue::default();
            for (i, t) in times.iter().enumerate() {
                queue.push(Time(*t), i);
            }
            let mut expected: Vec<(u64, usize)> = times.iter().copied().zip(0..).collect();
            expected.sort_small();
            let got: Vec<(u64, usize)> = std::iter::from_fn(|| queue.pop()).map(|(t, i)| (t.0, i)).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
