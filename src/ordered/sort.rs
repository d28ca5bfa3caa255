//! Stable sorts that share one instance of the algorithm: positions are sorted, then elements are put where they belong.

use std::cmp::Ordering;

/// Sorts of a slice, each stable, each with O(n log n) comparisons and O(n) extra memory.
pub trait SortSmall<T> {
    /// Sorts by the elements' own order.
    fn sort_small(&mut self)
    where
        T: Ord;
    /// Sorts by a comparison, which must be a total order.
    fn sort_small_by(&mut self, compare: impl FnMut(&T, &T) -> Ordering);
    /// Sorts by a key of each element, computed at each comparison.
    fn sort_small_by_key<K: Ord>(&mut self, key: impl FnMut(&T) -> K);
}

impl<T> SortSmall<T> for [T] {
    fn sort_small(&mut self)
    where
        T: Ord,
    {
        self.sort_small_by(T::cmp);
    }

    fn sort_small_by(&mut self, mut compare: impl FnMut(&T, &T) -> Ordering) {
        if self.is_sorted_by(|a, b| compare(a, b) != Ordering::Greater) {
            return;
        }
        let mut order = sorted_positions(self.len(), &mut |a, b| compare(&self[a], &self[b]));
        for at in 0..order.len() {
            // Places before `at` are settled; what stood there has moved to where it was swapped.
            let mut from = order[at];
            while from < at {
                from = order[from];
            }
            order[at] = from;
            self.swap(at, from);
        }
    }

    fn sort_small_by_key<K: Ord>(&mut self, mut key: impl FnMut(&T) -> K) {
        self.sort_small_by(|a, b| key(a).cmp(&key(b)));
    }
}

/// The positions of `length` elements in the order that the comparison gives them.
#[expect(clippy::disallowed_methods, reason = "the one instance that all types share")]
fn sorted_positions(length: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library(values: Vec<(u8, u16)>) {
            let mut expected = values.clone();
            let mut found = values;
            #[expect(clippy::disallowed_methods, reason = "what ours is compared with")]
            expected.sort_by_key(|(key, _)| *key);
            found.sort_small_by_key(|(key, _)| *key);
            prop_assert_eq!(found, expected);
        }
    }
}
