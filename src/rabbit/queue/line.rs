//! A long line in the order of its places, mostly taken from the front and added to at the end.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;

/// Elements by place. Both ends are O(1); in the middle the shorter side moves.
#[derive(Clone, Debug, Hash)]
pub struct Line<P, T> {
    elements: VecDeque<(P, T)>,
}

impl<P, T> Default for Line<P, T> {
    fn default() -> Self {
        Line {
            elements: VecDeque::new(),
        }
    }
}

impl<P: Ord + Copy, T> Line<P, T> {
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    pub fn iter(&self) -> Iter<'_, (P, T)> {
        self.elements.iter()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut (P, T)> {
        self.elements.iter_mut()
    }

    pub fn first(&self) -> Option<&T> {
        self.elements.front().map(|(_, element)| element)
    }

    fn find(&self, place: P) -> Result<usize, usize> {
        match self.elements.back() {
            Some((last, _)) if *last < place => Err(self.elements.len()),
            _ => self.elements.binary_search_by(|(at, _)| at.cmp(&place)),
        }
    }

    pub fn contains(&self, place: P) -> bool {
        self.find(place).is_ok()
    }

    pub fn get_mut(&mut self, place: P) -> Option<&mut T> {
        let at = self.find(place).ok()?;
        self.elements.get_mut(at).map(|(_, element)| element)
    }

    /// Puts an element in its place, instead of one that stands there.
    pub fn insert(&mut self, place: P, element: T) {
        match self.find(place) {
            Ok(at) => self.elements[at].1 = element,
            Err(at) => self.elements.insert(at, (place, element)),
        }
    }

    pub fn remove(&mut self, place: P) -> Option<T> {
        let at = self.find(place).ok()?;
        self.elements.remove(at).map(|(_, element)| element)
    }

    pub fn pop_first(&mut self) -> Option<(P, T)> {
        self.elements.pop_front()
    }

    pub fn retain(&mut self, mut keep: impl FnMut(P, &mut T) -> bool) {
        self.elements.retain_mut(|(place, element)| keep(*place, element));
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn what_returns_stands_where_it_stood() {
        let mut line = Line::default();
        for place in [1, 2, 4] {
            line.insert(place, place * 10);
        }
        line.insert(3, 30);
        assert_eq!(line.pop_first(), Some((1, 10)));
        line.insert(1, 11);
        assert_eq!(line.remove(2), Some(20));
        assert_eq!(line.iter().map(|(_, e)| *e).collect::<Vec<_>>(), [11, 30, 40]);
        assert!(!line.contains(2));
    }
}
