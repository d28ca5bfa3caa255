//! Ordered maps, sets and sorts whose code stays small in the wasm.
//!
//! Everything below the page iterates in a fixed order, so ordered collections are everywhere, most of them with a
//! handful of entries. The standard library's B-trees and sorts are made anew for each type, some ten kilobytes each
//! time: together they were a third of the first download. These are sorted vectors and one sort of positions that
//! all types share. Insertion into the middle moves what follows: right for thousands of entries, wrong for millions
//! (the kernel's queue and the journal have structures of their own).
//!
//! What lives here knows nothing of simulation. `clippy.toml` refuses the standard ones.

mod map;
mod set;
mod sort;
#[cfg(test)]
mod tests;

pub use map::{Entry, Iter, IterMut, OccupiedEntry, OrderedMap, VacantEntry};
pub use set::OrderedSet;
pub use sort::SortSmall;

use std::borrow::Borrow;

/// Where a key is among sorted ones, or where it would be.
fn place<K: Borrow<Q>, Q: Ord + ?Sized>(keys: &[K], key: &Q) -> Result<usize, usize> {
    keys.binary_search_by(|other| other.borrow().cmp(key))
}
