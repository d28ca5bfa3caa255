//! Hands on single messages: what is in flight, which of it a pattern means, and drop, hold, delay, duplicate, reorder.

use super::core::Core;
use crate::ordered::SortSmall;
use crate::sim::clock::{Span, Time};
use crate::sim::conn::{ConnId, Flight, Stage};
use crate::sim::process::{Payload, ProcId, Wire};
use crate::sim::slab::Key;
use std::rc::Rc;

/// What a hand on one message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hand {
    /// It never arrives; the connection lives on, so the asker's own time-out must help.
    Drop,
    /// It waits until released, and everything behind it on the connection with it.
    Hold,
    /// It takes that much longer, and everything behind it too.
    Delay(Span),
    /// It arrives twice.
    Duplicate,
    /// It changes places with the next one on its connection; if none is behind it yet, it waits for one.
    Reorder,
}

/// Which messages a hand is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// `FetchRequest`, `FetchResponse`, `Fetch` (either), or `any`.
    pub kind: Rc<str>,
    pub from: ProcId,
    pub to: ProcId,
}

impl Pattern {
    fn fits(&self, kind: &str, from: Option<ProcId>, to: Option<ProcId>) -> bool {
        let bare = kind.strip_suffix("Request").or_else(|| kind.strip_suffix("Response"));
        let fits = &*self.kind == "any" || kind == &*self.kind || bare == Some(&*self.kind);
        fits && from == Some(self.from) && to == Some(self.to)
    }
}

/// A message on its way, for the picture.
#[derive(Clone, Debug)]
pub struct InFlight<'a, M> {
    pub id: u64,
    pub from: ProcId,
    pub to: Option<ProcId>,
    pub msg: &'a M,
    pub sent: Time,
    pub due: Time,
    /// Held by a hand, behind another one, or lost and waiting to be sent again.
    pub waiting: bool,
}

// Which message.
impl<W: Wire> Core<W> {
    fn ends(&self, flight: &Flight<W::Msg>) -> Option<(Option<ProcId>, Option<ProcId>)> {
        let conn = self.conns.get(flight.from.key)?;
        let side = flight.from.side;
        Some((conn.end(side).proc, conn.end(side.other()).proc))
    }

    fn fits(&self, pattern: &Pattern, flight: &Flight<W::Msg>) -> bool {
        match (&flight.msg, self.ends(flight)) {
            (Some(msg), Some((from, to))) => pattern.fits(msg.kind(), from, to),
            _ => false,
        }
    }

    /// The `nth` (from 1) oldest that fits.
    pub(super) fn find_flight(&self, pattern: &Pattern, nth: u32) -> Option<Key> {
        let fitting = self.flights.iter().filter(|(_, f)| self.fits(pattern, f));
        let mut fitting: Vec<(u64, Key)> = fitting.map(|(key, f)| (f.number, key)).collect();
        fitting.sort_small();
        fitting.get(nth.saturating_sub(1) as usize).map(|(_, key)| *key)
    }

    pub(super) fn in_flight(&self) -> impl Iterator<Item = InFlight<'_, W::Msg>> {
        self.flights.iter().filter_map(|(key, flight)| {
            let (from, to) = self.ends(flight)?;
            Some(InFlight {
                id: key.as_u64(),
                from: from?,
                to,
                msg: flight.msg.as_ref()?,
                sent: flight.sent,
                due: flight.due,
                waiting: flight.stage != Stage::Travelling || flight.losses > 0,
            })
        })
    }

    /// The hand that waited for such a message, if any.
    fn take_watch(&mut self, from: ProcId, to: Option<ProcId>, kind: &str) -> Option<Hand> {
        let watches = self.watches.iter();
        let found = watches
            .take_while(|(pattern, _)| !pattern.fits(kind, Some(from), to))
            .count();
        (found < self.watches.len()).then(|| self.watches.remove(found).1)
    }
}

// What is done to it.
impl<W: Wire> Core<W> {
    /// Sends a message on which a hand may be waiting.
    pub(super) fn send_watched(&mut self, me: ProcId, id: ConnId, msg: W::Msg) {
        let to = self.peer(me, id);
        let hand = self.take_watch(me, to, msg.kind());
        if let (Some(key), Some(hand)) = (self.launch(id, Some(msg)), hand) {
            self.apply_hand(key, hand);
        }
    }

    pub(super) fn apply_hand(&mut self, key: Key, hand: Hand) {
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        let id = flight.from;
        match hand {
            Hand::Drop => self.drop_flight(key, id),
            Hand::Hold => self.hold(key, Stage::Held),
            Hand::Delay(span) => self.delay(key, span),
            Hand::Duplicate => self.duplicate(key, id),
            Hand::Reorder => self.swap_with_next(key, id),
        }
    }

    fn place(&self, key: Key, id: ConnId) -> Option<usize> {
        let conn = self.conns.get(id.key)?;
        conn.end(id.side).sent.iter().position(|k| *k == key)
    }

    fn drop_flight(&mut self, key: Key, id: ConnId) {
        let place = self.place(key, id);
        self.flights.remove(key);
        if let (Some(place), Some(conn)) = (place, self.conns.get_mut(id.key)) {
            conn.end_mut(id.side).sent.remove(place);
        }
        self.outdate(1);
        self.wake_followers(id, false);
        self.tidy(id.key);
    }

    /// Keeps a message where it is; its arrival is off.
    fn hold(&mut self, key: Key, stage: Stage) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.stage = stage;
            flight.version += 1;
            self.outdate(1);
        }
    }

    fn delay(&mut self, key: Key, span: Span) {
        let Some(flight) = self.flights.get_mut(key) else {
            return;
        };
        let later = flight.due.max(self.now) + span;
        flight.due = later;
        let (id, stage) = (flight.from, flight.stage);
        if let Some(conn) = self.conns.get_mut(id.key) {
            let end = conn.end_mut(id.side);
            end.last_due = end.last_due.max(later);
        }
        if matches!(stage, Stage::Travelling | Stage::Buffered) {
            self.outdate(1);
            self.travel(key, later);
        }
    }

    /// Puts a copy right behind a message.
    fn duplicate(&mut self, key: Key, id: ConnId) {
        let (Some(flight), Some(place)) = (self.flights.get(key), self.place(key, id)) else {
            return;
        };
        let copy = Flight {
            number: self.launched,
            cause: self.event,
            version: 0,
            ..flight.clone()
        };
        let (due, unsent) = (flight.due.max(self.now), flight.stage == Stage::Unsent);
        self.launched += 1;
        let copy = self.flights.insert(copy);
        if let Some(conn) = self.conns.get_mut(id.key) {
            conn.end_mut(id.side).sent.insert(place + 1, copy);
        }
        if !unsent {
            self.travel(copy, due);
        }
    }

    fn swap_with_next(&mut self, key: Key, id: ConnId) {
        let (Some(place), Some(conn)) = (self.place(key, id), self.conns.get_mut(id.key)) else {
            return;
        };
        let sent = &mut conn.end_mut(id.side).sent;
        match sent.get(place + 1).copied() {
            None => self.hold(key, Stage::Overtaken),
            // Nothing can come after the end of the connection.
            Some(next) if self.flights.get(next).is_none_or(|f| f.msg.is_none()) => {}
            Some(next) => {
                sent.swap(place, place + 1);
                let due = |key| self.flights.get(key).map_or(self.now, |f| f.due.max(self.now));
                let (first, second) = (due(key), due(next));
                self.reach(next, first);
                self.reach(key, second.max(first));
            }
        }
    }

    /// Gives a message that is not held another time.
    fn reach(&mut self, key: Key, at: Time) {
        let stage = self.flights.get(key).map(|f| f.stage);
        if matches!(stage, Some(Stage::Travelling | Stage::Buffered)) {
            self.outdate(1);
            self.travel(key, at);
        }
    }

    /// A new message, or the end of the connection, was put behind `before`: if that was waiting to be overtaken, it is
    /// now. The end overtakes nothing.
    pub(super) fn let_overtake(&mut self, id: ConnId, before: Key, by_end: bool) {
        let Some(flight) = self.flights.get(before) else {
            return;
        };
        if flight.stage != Stage::Overtaken {
            return;
        }
        let due = flight.due.max(self.now);
        let Some(conn) = self.conns.get_mut(id.key) else {
            return;
        };
        let end = conn.end_mut(id.side);
        let last = end.sent.len().saturating_sub(1);
        if !by_end && last > 0 {
            end.sent.swap(last - 1, last);
        }
        let due = due.max(end.last_due);
        self.travel(before, due);
    }

    /// Lets go of held messages that fit (all, without a pattern). Returns how many.
    pub(super) fn release(&mut self, pattern: Option<&Pattern>) -> usize {
        let held = |f: &&Flight<W::Msg>| matches!(f.stage, Stage::Held | Stage::Overtaken);
        let fitting = self.flights.iter().filter(|(_, f)| held(f));
        let fitting = fitting.filter(|(_, f)| pattern.is_none_or(|pattern| self.fits(pattern, f)));
        let mut keys: Vec<(u64, Key, Time)> = fitting.map(|(key, f)| (f.number, key, f.due)).collect();
        keys.sort_small();
        for (_, key, due) in &keys {
            self.travel(*key, (*due).max(self.now));
        }
        keys.len()
    }
}
