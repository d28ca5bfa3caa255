//! What of a durable classic queue is on the disk: how far each persistent message, and each consumption of one, has
//! come on its way there. A killed server keeps what reached the page cache, a machine without power only what was
//! flushed.

use super::Confirm;
use super::line::Line;
use crate::rabbit::message::Message;
use crate::sim::Time;
use std::rc::Rc;

/// How far something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// In the server's memory.
    Buffered,
    /// Written: in the page cache.
    Cached,
    /// Flushed.
    Synced,
}

/// A persistent message, stored or on its way.
#[derive(Clone, Debug, Hash)]
pub struct Stored {
    pub message: Rc<Message>,
    pub expiry: Option<Time>,
    pub delivered: bool,
    pub rank: u8,
    depth: Depth,
    /// How far its removal has come.
    removed: Option<Depth>,
    confirm: Option<Confirm>,
}

/// The store of one queue, by place in the queue.
#[derive(Clone, Debug, Default, Hash)]
pub struct Store {
    entries: Rc<Line<u64, Stored>>,
    /// Places that have something to write.
    dirty: Vec<u64>,
    confirms: u32,
}

impl Store {
    pub fn add(&mut self, place: u64, rank: u8, message: Rc<Message>, expiry: Option<Time>, confirm: Option<Confirm>) {
        self.confirms += u32::from(confirm.is_some());
        let stored = Stored {
            message,
            expiry,
            delivered: false,
            rank,
            depth: Depth::Buffered,
            removed: None,
            confirm,
        };
        Rc::make_mut(&mut self.entries).insert(place, stored);
        self.dirty.push(place);
    }

    pub fn delivered(&mut self, place: u64) {
        if self.entries.contains(place)
            && let Some(stored) = Rc::make_mut(&mut self.entries).get_mut(place)
        {
            stored.delivered = true;
        }
    }

    /// The message has left the queue; whom to confirm, if that waited for the disk.
    pub fn remove(&mut self, place: u64) -> Option<Confirm> {
        if !self.entries.contains(place) {
            return None;
        }
        let entries = Rc::make_mut(&mut self.entries);
        let stored = entries.get_mut(place)?;
        let confirm = stored.confirm.take();
        self.confirms -= u32::from(confirm.is_some());
        if stored.depth == Depth::Buffered {
            entries.remove(place);
        } else {
            stored.removed = Some(Depth::Buffered);
            self.dirty.push(place);
        }
        confirm
    }

    /// Whether something is to be written, and whether somebody waits for it.
    pub fn wants_flush(&self) -> Option<bool> {
        (!self.dirty.is_empty()).then_some(self.confirms > 0)
    }

    /// Writes what is buffered, and flushes it to `depth`. Whom to confirm.
    pub fn flush(&mut self, depth: Depth) -> Vec<Confirm> {
        let entries = Rc::make_mut(&mut self.entries);
        let mut confirms = Vec::new();
        let mut dirty = std::mem::take(&mut self.dirty);
        if depth == Depth::Synced {
            dirty = entries.iter().map(|(place, _)| *place).collect();
        }
        for place in dirty {
            let Some(stored) = entries.get_mut(place) else {
                continue;
            };
            stored.depth = stored.depth.max(depth);
            stored.removed = stored.removed.map(|removed| removed.max(depth));
            confirms.extend(stored.confirm.take());
            if stored.removed == Some(Depth::Synced) {
                entries.remove(place);
            }
        }
        self.confirms = 0;
        confirms
    }

    /// What a crash (`Cached`) or a power failure (`Synced`) leaves: all that had come at least so far.
    pub fn recover(&mut self, depth: Depth) -> &Line<u64, Stored> {
        self.dirty.clear();
        self.confirms = 0;
        let entries = Rc::make_mut(&mut self.entries);
        entries.retain(|_, stored| {
            stored.confirm = None;
            let removed = stored.removed.is_some_and(|removed| removed >= depth);
            stored.removed = None;
            stored.depth >= depth && !removed
        });
        &self.entries
    }

    pub fn clear(&mut self) {
        *self = Store::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rabbit::message::Properties;

    fn message() -> Rc<Message> {
        Rc::new(Message {
            exchange: "".into(),
            keys: ["q".into()].into(),
            properties: Rc::new(Properties::default()),
            body: "m".into(),
            origin: None,
        })
    }

    fn store(depths: &[Option<Depth>]) -> Store {
        let mut store = Store::default();
        for (place, depth) in (0..).zip(depths) {
            store.add(place, 255, message(), None, None);
            if let Some(depth) = depth {
                store.flush(*depth);
            }
        }
        store
    }

    #[test]
    fn a_crash_keeps_the_page_cache_and_a_power_failure_only_what_was_flushed() {
        let before = store(&[Some(Depth::Synced), Some(Depth::Cached), None]);
        let places = |depth| {
            before
                .clone()
                .recover(depth)
                .iter()
                .map(|(place, _)| *place)
                .collect::<Vec<_>>()
        };
        assert_eq!(places(Depth::Cached), [0, 1]);
        assert_eq!(places(Depth::Synced), [0]);
    }

    #[test]
    fn a_consumption_that_was_not_written_is_forgotten() {
        let mut store = store(&[Some(Depth::Synced)]);
        store.remove(0);
        assert_eq!(store.clone().recover(Depth::Cached).len(), 1);
        store.flush(Depth::Cached);
        assert_eq!(store.clone().recover(Depth::Cached).len(), 0);
        assert_eq!(store.clone().recover(Depth::Synced).len(), 1);
    }
}
