//! How messages travel: in order behind what is already under way, lost and sent again, given up, delivered; and how
//! the end of a connection reaches the other side.

use super::Turn;
use super::core::{Core, Due};
use crate::sim::clock::Time;
use crate::sim::conn::{ConnId, End, Flight, RETRANSMITS, Side, Stage, retransmit_after};
use crate::sim::process::{Input, Payload, ProcId, Wire};
use crate::sim::slab::Key;

impl ConnId {
    /// The other end of the same connection.
    fn other(self) -> ConnId {
        ConnId {
            key: self.key,
            side: self.side.other(),
        }
    }
}

// What a process asks for.
impl<W: Wire> Core<W> {
    /// An end that this process holds open.
    fn own_end(&self, me: ProcId, id: ConnId) -> Option<&End> {
        let end = self.conns.get(id.key)?.end(id.side);
        (end.proc == Some(me) && end.open).then_some(end)
    }

    pub(in crate::sim) fn peer(&self, me: ProcId, id: ConnId) -> Option<ProcId> {
        self.own_end(me, id)?;
        self.conns.get(id.key)?.end(id.side.other()).proc
    }

    pub(in crate::sim) fn send(&mut self, me: ProcId, id: ConnId, msg: W::Msg) {
        if self.own_end(me, id).is_none() {
            return;
        }
        if self.watches.is_empty() {
            self.launch(id, Some(msg));
        } else {
            self.send_watched(me, id, msg);
        }
    }

    pub(in crate::sim) fn close(&mut self, me: ProcId, id: ConnId) {
        if self.own_end(me, id).is_some() {
            self.shut(id);
        }
    }
}

// On the way.
impl<W: Wire> Core<W> {
    /// Puts something on its way from `id`, in order behind what is already on it. `msg`: `None` for the end of the
    /// connection.
    pub(super) fn launch(&mut self, id: ConnId, msg: Option<W::Msg>) -> Option<Key> {
        let conn = self.conns.get_mut(id.key)?;
        let early = msg.is_some() && id.side == Side::Opener && !conn.established;
        let to = conn.end(id.side.other()).host;
        let end = conn.end_mut(id.side);
        let due = (self.now + self.network.latency(end.host, to)).max(end.last_due);
        let is_end = msg.is_none();
        let key = self.flights.insert(Flight {
            from: id,
            msg,
            sent: self.now,
            due,
            cause: self.event,
            number: self.launched,
            version: 0,
            losses: 0,
            stage: if early { Stage::Unsent } else { Stage::Travelling },
        });
        self.launched += 1;
        let before = end.sent.back().copied();
        end.sent.push_back(key);
        if !early {
            end.last_due = due;
            self.queue.push(due, Due::Arrival(key, 0));
        }
        if let Some(before) = before {
            self.let_overtake(id, before, is_end);
        }
        Some(key)
    }

    /// The opener's connection stands.
    pub(super) fn send_unsent(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id.key) else {
            return;
        };
        if conn.opener.sent.is_empty() {
            return;
        }
        let due = self.now + self.network.latency(conn.opener.host, conn.accepter.host);
        conn.opener.last_due = due;
        let keys: Vec<Key> = conn.opener.sent.iter().copied().collect();
        for key in keys {
            if self.flights.get(key).is_some_and(|f| f.stage == Stage::Unsent) {
                self.travel(key, due);
            }
        }
    }

    /// The flight arrives at `at` and not otherwise.
    pub(super) fn travel(&mut self, key: Key, at: Time) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.stage = Stage::Travelling;
            flight.due = at;
        }
        self.arrive_at(key, at);
    }

    fn arrive_at(&mut self, key: Key, at: Time) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.version += 1;
            self.queue.push(at, Due::Arrival(key, flight.version));
        }
    }

    pub(super) fn arrive(&mut self, key: Key) -> Turn<W> {
        let Some(flight) = self.flights.get(key) else {
            return Turn::Nothing;
        };
        let (id, stage, losses) = (flight.from, flight.stage, flight.losses);
        let Some(conn) = self.conns.get(id.key) else {
            return Turn::Nothing;
        };
        if losses > RETRANSMITS {
            return self.give_up(id, key);
        }
        let end = conn.end(id.side);
        let first = end.sent.front() == Some(&key);
        let (from, to) = (end.host, conn.end(id.side.other()).host);
        // The opener takes no data before the SYN-ACK that was lost came again.
        let early = id.side == Side::Accepter && !conn.established && flight.msg.is_some();
        let severed = conn.way.severed;
        if early || (stage == Stage::Travelling && (severed || self.is_lost(from, to))) {
            return self.lose(key);
        }
        if first {
            return self.deliver(key, id);
        }
        if let Some(flight) = self.flights.get_mut(key) {
            flight.stage = Stage::Buffered;
        }
        Turn::Nothing
    }

    /// A packet is lost: it goes again later.
    fn lose(&mut self, key: Key) -> Turn<W> {
        let Some(flight) = self.flights.get_mut(key) else {
            return Turn::Nothing;
        };
        flight.losses += 1;
        let (id, cause) = (flight.from, flight.cause);
        let pause = retransmit_after(flight.losses);
        let tag = flight.msg.as_ref().map(Payload::tag);
        self.travel(key, self.now + pause);
        let Some(conn) = self.conns.get(id.key) else {
            return Turn::Nothing;
        };
        match (tag, conn.end(id.side.other()).proc) {
            (Some(tag), Some(to)) => Turn::Lost {
                to,
                from: conn.end(id.side).proc,
                tag,
                cause,
            },
            _ => Turn::Nothing,
        }
    }

    /// The sender's side ends the connection by itself (ETIMEDOUT); the other side hears nothing.
    fn give_up(&mut self, id: ConnId, key: Key) -> Turn<W> {
        let cause = self.flights.get(key).map_or(self.event, |flight| flight.cause);
        self.forget_all(id);
        self.end_of(id, cause)
    }

    fn deliver(&mut self, key: Key, id: ConnId) -> Turn<W> {
        let (Some(flight), Some(conn)) = (self.flights.remove(key), self.conns.get_mut(id.key)) else {
            return Turn::Nothing;
        };
        let sent = &mut conn.end_mut(id.side).sent;
        sent.pop_front();
        if !sent.is_empty() {
            self.wake_followers(id, flight.losses > 0);
        }
        match flight.msg {
            Some(msg) => self.arrive_message(id, msg, flight.cause),
            None => {
                self.forget_messages(id.other());
                self.end_of(id.other(), flight.cause)
            }
        }
    }

    /// The front of a way was taken: the next one comes now if it waited for that. After a loss, the acknowledgement of
    /// the front makes the sender repeat the others at once, a round trip later.
    pub(super) fn wake_followers(&mut self, id: ConnId, after_loss: bool) {
        let Some(conn) = self.conns.get(id.key) else {
            return;
        };
        let end = conn.end(id.side);
        let front = end.sent.front().copied();
        if after_loss {
            let again = self.now + self.network.latency(end.host, conn.end(id.side.other()).host).times(2);
            let late = |key: &Key| {
                let flight = self.flights.get(*key);
                flight.is_some_and(|f| f.stage == Stage::Travelling && f.losses > 0 && f.due > again)
            };
            let late: Vec<Key> = end.sent.iter().copied().filter(late).collect();
            for key in late {
                self.travel(key, again);
            }
        }
        let waits = |key: &Key| self.flights.get(*key).is_some_and(|f| f.stage == Stage::Buffered);
        if let Some(front) = front.filter(waits) {
            self.arrive_at(front, self.now);
        }
    }

    fn arrive_message(&mut self, id: ConnId, msg: W::Msg, cause: u64) -> Turn<W> {
        let Some(conn) = self.conns.get(id.key) else {
            return Turn::Nothing;
        };
        let (from, to) = (conn.end(id.side), conn.end(id.side.other()));
        match to.proc {
            Some(proc) if to.open => Turn::Hand {
                to: proc,
                from: from.proc,
                input: Input::Message(id.other(), msg),
                cause,
            },
            _ => {
                // Nobody holds this side any more: its host answers with a reset, if none is under way.
                let told = to
                    .sent
                    .iter()
                    .any(|key| self.flights.get(*key).is_some_and(|f| f.msg.is_none()));
                if from.open && !told {
                    self.launch(id.other(), None);
                }
                self.tidy(id.key);
                Turn::Nothing
            }
        }
    }
}

// The end of a connection.
impl<W: Wire> Core<W> {
    /// One side is done with the connection: what it can't bring through at once is lost, and the other side is told.
    pub(super) fn shut(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id.key) else {
            return;
        };
        conn.end_mut(id.side).open = false;
        let (from, to) = (conn.end(id.side), conn.end(id.side.other()));
        let unsent = id.side == Side::Opener && !conn.established;
        let other_open = to.open;
        if unsent || conn.way.severed || self.network.is_cut(from.host, to.host) {
            self.forget_messages(id);
        }
        if other_open {
            self.launch(id, None);
        }
        self.tidy(id.key);
    }

    /// One side is gone without a word: its host lost power.
    pub(super) fn vanish(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id.key) {
            conn.end_mut(id.side).open = false;
        }
        self.forget_all(id);
        self.tidy(id.key);
    }

    /// This side ends because of what came or did not come from the other; its process is told, if it holds it still.
    fn end_of(&mut self, id: ConnId, cause: u64) -> Turn<W> {
        let Some(conn) = self.conns.get_mut(id.key) else {
            return Turn::Nothing;
        };
        let stands = conn.established || id.side == Side::Accepter;
        let end = conn.end_mut(id.side);
        let told = end.proc.filter(|_| end.open);
        end.open = false;
        self.tidy(id.key);
        match told {
            Some(to) => Turn::Hand {
                to,
                from: None,
                input: if stands { Input::Closed(id) } else { Input::Refused(id) },
                cause,
            },
            None => Turn::Nothing,
        }
    }

    /// Takes this side's messages off their way, but not the end of the connection.
    fn forget_messages(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id.key) else {
            return;
        };
        let (flights, mut gone) = (&mut self.flights, 0);
        conn.end_mut(id.side).sent.retain(|key| {
            let is_message = flights.get(*key).is_none_or(|f| f.msg.is_some());
            if is_message {
                flights.remove(*key);
                gone += 1;
            }
            !is_message
        });
        self.outdate(gone);
    }

    /// Takes all that this side has under way off it.
    pub(super) fn forget_all(&mut self, id: ConnId) {
        let Some(conn) = self.conns.get_mut(id.key) else {
            return;
        };
        let keys = std::mem::take(&mut conn.end_mut(id.side).sent);
        for key in &keys {
            self.flights.remove(*key);
        }
        self.outdate(keys.len());
    }

    /// A connection that nobody holds any more and nothing travels on is forgotten.
    pub(super) fn tidy(&mut self, key: Key) {
        let Some(conn) = self.conns.get(key) else {
            return;
        };
        let over = |end: &End| !end.open && end.sent.is_empty();
        if over(&conn.opener) && over(&conn.accepter) {
            self.conns.remove(key);
        }
    }
}
