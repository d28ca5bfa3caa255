//! A set in the order of its elements, kept as a sorted vector; the interface is that of the standard `BTreeSet`.

use super::{SortSmall, place};
use std::borrow::Borrow;
use std::fmt;
use std::ops::{Bound, RangeBounds};

/// A set that iterates in order. Look-ups are O(log n); insertion at the end is O(1), elsewhere O(n).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderedSet<T> {
    elements: Vec<T>,
}

impl<T> Default for OrderedSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OrderedSet<T> {
    /// An empty set.
    pub const fn new() -> Self {
        OrderedSet { elements: Vec::new() }
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Removes all elements.
    pub fn clear(&mut self) {
        self.elements.clear();
    }

    /// All elements, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.elements.iter()
    }

    /// The least element.
    pub fn first(&self) -> Option<&T> {
        self.elements.first()
    }

    /// The greatest element.
    pub fn last(&self) -> Option<&T> {
        self.elements.last()
    }

    /// Removes the least element.
    pub fn pop_first(&mut self) -> Option<T> {
        (!self.elements.is_empty()).then(|| self.elements.remove(0))
    }

    /// Removes the greatest element.
    pub fn pop_last(&mut self) -> Option<T> {
        self.elements.pop()
    }

    /// Keeps the elements for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.elements.retain(keep);
    }
}

impl<T: Ord> OrderedSet<T> {
    fn place<Q: Ord + ?Sized>(&self, element: &Q) -> Result<usize, usize>
    where
        T: Borrow<Q>,
    {
        place(&self.elements, element)
    }

    /// Whether it has the element.
    pub fn contains<Q: Ord + ?Sized>(&self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.place(element).is_ok()
    }

    /// The element as the set has it.
    pub fn get<Q: Ord + ?Sized>(&self, element: &Q) -> Option<&T>
    where
        T: Borrow<Q>,
    {
        Some(&self.elements[self.place(element).ok()?])
    }

    /// Adds an element; says whether it is new.
    pub fn insert(&mut self, element: T) -> bool {
        let place = match self.elements.last() {
            Some(last) if *last >= element => self.place(&element),
            _ => Err(self.elements.len()),
        };
        if let Err(at) = place {
            self.elements.insert(at, element);
        }
        place.is_err()
    }

    /// Removes an element; says whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, element: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.take(element).is_some()
    }

    /// Removes an element and returns it.
    pub fn take<Q: Ord + ?Sized>(&mut self, element: &Q) -> Option<T>
    where
        T: Borrow<Q>,
    {
        let at = self.place(element).ok()?;
        Some(self.elements.remove(at))
    }

    /// The elements in a range. An empty or backward range has none.
    pub fn range<Q: Ord + ?Sized>(&self, range: impl RangeBounds<Q>) -> std::slice::Iter<'_, T>
    where
        T: Borrow<Q>,
    {
        let after = |place: Result<usize, usize>| place.map_or_else(|at| at, |at| at + 1);
        let before = |place: Result<usize, usize>| place.unwrap_or_else(|at| at);
        let from = match range.start_bound() {
            Bound::Included(element) => before(self.place(element)),
            Bound::Excluded(element) => after(self.place(element)),
            Bound::Unbounded => 0,
        };
        let to = match range.end_bound() {
            Bound::Included(element) => after(self.place(element)),
            Bound::Excluded(element) => before(self.place(element)),
            Bound::Unbounded => self.elements.len(),
        };
        self.elements[from..to.max(from)].iter()
    }

    /// Whether all elements are in the other set.
    pub fn is_subset(&self, other: &OrderedSet<T>) -> bool {
        self.iter().all(|element| other.contains(element))
    }

    /// Whether all elements of the other set are in this one.
    pub fn is_superset(&self, other: &OrderedSet<T>) -> bool {
        other.is_subset(self)
    }

    /// Whether no element is in both.
    pub fn is_disjoint(&self, other: &OrderedSet<T>) -> bool {
        !self.iter().any(|element| other.contains(element))
    }

    /// The elements that are not in the other set, in order.
    pub fn difference<'a>(&'a self, other: &'a OrderedSet<T>) -> impl DoubleEndedIterator<Item = &'a T> + Clone {
        self.iter().filter(|element| !other.contains(*element))
    }

    /// The elements that are in both, in order.
    pub fn intersection<'a>(&'a self, other: &'a OrderedSet<T>) -> impl DoubleEndedIterator<Item = &'a T> + Clone {
        self.iter().filter(|element| other.contains(*element))
    }

    /// The elements that are in either, in order.
    pub fn union<'a>(&'a self, other: &'a OrderedSet<T>) -> impl DoubleEndedIterator<Item = &'a T> + Clone {
        let mut both: Vec<&T> = self.iter().chain(other.difference(self)).collect();
        both.sort_small();
        both.into_iter()
    }

    /// Moves all elements of the other set into this one.
    pub fn append(&mut self, other: &mut OrderedSet<T>) {
        self.extend(std::mem::take(&mut other.elements));
    }
}

impl<'a, T> IntoIterator for &'a OrderedSet<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.iter()
    }
}

impl<T> IntoIterator for OrderedSet<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.elements.into_iter()
    }
}

impl<T: Ord> FromIterator<T> for OrderedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut elements: Vec<T> = elements.into_iter().collect();
        elements.sort_small();
        elements.dedup_by(|later, earlier| later == earlier);
        OrderedSet { elements }
    }
}

impl<T: Ord> Extend<T> for OrderedSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, elements: I) {
        for element in elements {
            self.insert(element);
        }
    }
}

impl<'a, T: Ord + Copy> Extend<&'a T> for OrderedSet<T> {
    fn extend<I: IntoIterator<Item = &'a T>>(&mut self, elements: I) {
        self.extend(elements.into_iter().copied());
    }
}

impl<T: Ord, const N: usize> From<[T; N]> for OrderedSet<T> {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T: fmt::Debug> fmt::Debug for OrderedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}
