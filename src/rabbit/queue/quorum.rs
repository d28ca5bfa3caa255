//! A quorum queue on one node (`rabbit_fifo`): a log's state machine. Messages are a FIFO, returned ones another that is
//! served first; consumers with room are a FIFO too, and one that becomes full leaves it at once.

use super::consumers::Consumer;
use super::{ChannelId, Confirm, ConsumerKey, Desk, Event, Handed, Overflow, Publish, Settings, Standing};
use crate::ordered::{OrderedMap, SortSmall};
use crate::rabbit::dead_letter::Reason;
use crate::rabbit::message::Message;
use crate::rabbit::value::Name;
use crate::sim::{Span, Time};
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::rc::Rc;

/// What a consumer without a limit may have at once.
const UNLIMITED: u32 = 2000;

#[derive(Clone, Debug, Hash)]
struct Entry {
    message: Rc<Message>,
    /// How often it was returned.
    deliveries: u32,
    expiry: Option<Time>,
    /// Its entry in the log is flushed.
    synced: bool,
}

/// Who has messages of the queue: a consumer, or a `basic.get`, known by the tag of its delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    Get(ChannelId, u64),
    Consumer(ConsumerKey),
}

impl Holder {
    fn channel(&self) -> ChannelId {
        match self {
            Holder::Get(channel, _) => *channel,
            Holder::Consumer(key) => key.channel,
        }
    }

    /// The order in which a channel's holders return what they have: gets first, then by tag.
    fn rank(&self) -> (Option<Name>, u64) {
        match self {
            Holder::Get(_, tag) => (None, *tag),
            Holder::Consumer(key) => (Some(key.tag.clone()), 0),
        }
    }
}

#[derive(Clone, Debug, Hash)]
struct Held {
    out: OrderedMap<u64, Entry>,
    next: u64,
    credit: u32,
    priority: i64,
    ack_required: bool,
    /// Cancelled, or a get: it lasts as long as it has messages.
    once: bool,
    cancelled: bool,
}

/// A publishing channel. It asks once whether the queue is full, and then hears of it when the log is flushed.
#[derive(Clone, Copy, Debug, Hash)]
struct Publisher {
    told_full: bool,
    /// What it hears next.
    news: Option<bool>,
}

/// The content of a quorum queue.
#[derive(Clone, Debug)]
pub struct Quorum {
    settings: Rc<Settings>,
    messages: Rc<VecDeque<Entry>>,
    returns: VecDeque<Entry>,
    ready_bytes: u64,
    holders: OrderedMap<Holder, Held>,
    /// Consumers with room, by priority; highest first.
    service: OrderedMap<Reverse<i64>, VecDeque<ConsumerKey>>,
    /// Of a single-active-consumer queue: those that wait, in the order in which they came.
    waiting: Vec<(ConsumerKey, Held)>,
    publishers: OrderedMap<ChannelId, Publisher>,
    last_used: Time,
    /// Who waits for the log to be flushed.
    unsynced: Vec<Confirm>,
    dirty: bool,
}

impl Quorum {
    pub fn new(settings: Rc<Settings>, now: Time) -> Quorum {
        Quorum {
            settings,
            messages: Rc::default(),
            returns: VecDeque::new(),
            ready_bytes: 0,
            holders: OrderedMap::new(),
            service: OrderedMap::new(),
            waiting: Vec::new(),
            publishers: OrderedMap::new(),
            last_used: now,
            unsynced: Vec::new(),
            dirty: false,
        }
    }

    pub fn ready(&self) -> usize {
        self.messages.len() + self.returns.len()
    }

    pub fn unacked(&self) -> usize {
        self.holders.values().map(|held| held.out.len()).sum()
    }

    /// All that have messages or may get some; those that wait to be active are not among them.
    pub fn consumer_count(&self) -> usize {
        self.holders.len()
    }

    /// Whether nobody is left of its consumers.
    fn is_unused(&self) -> bool {
        self.waiting.is_empty() && !self.holders.values().any(|held| !held.once)
    }

    pub fn standings(&self, settings: &Settings) -> Vec<(ConsumerKey, Standing)> {
        let up = match settings.single_active {
            true => Standing::SingleActive,
            false => Standing::Up,
        };
        let active = self.holders.iter().filter_map(|(holder, held)| match holder {
            Holder::Consumer(key) if !held.cancelled => Some((key.clone(), up)),
            _ => None,
        });
        let waiting = self.waiting.iter().map(|(key, _)| (key.clone(), Standing::Waiting));
        active.chain(waiting).collect()
    }

    pub fn ready_messages(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.returns
            .iter()
            .chain(self.messages.iter())
            .map(|entry| &entry.message)
    }

    pub fn unacked_messages(&self) -> Vec<&Rc<Message>> {
        let held = self.holders.values().flat_map(|held| held.out.values());
        held.map(|entry| &entry.message).collect()
    }

    fn head(&self) -> Option<&Entry> {
        self.returns.front().or_else(|| self.messages.front())
    }

    pub fn head_expiry(&self) -> Option<Time> {
        self.head().and_then(|entry| entry.expiry)
    }

    pub fn expires_at(&self, settings: &Settings) -> Option<Time> {
        let ms = settings.expires_ms.filter(|_| self.is_unused())?;
        Some(self.last_used + Span::ms(ms))
    }

    pub fn touched(&mut self, now: Time) {
        self.last_used = now;
    }

    /// A message comes in.
    pub fn publish(&mut self, publish: Publish, desk: &mut Desk<'_>) {
        if let Some(sender) = publish.sender {
            let full = self.is_over_limit() && self.settings.overflow == Overflow::RejectPublish;
            let known = self.publishers.entry(sender).or_insert(Publisher {
                told_full: full,
                news: None,
            });
            if known.told_full && self.settings.overflow == Overflow::RejectPublish {
                desk.events.push(Event::Refused {
                    message: publish.message,
                    confirm: publish.confirm,
                });
                return;
            }
        }
        self.unsynced.extend(publish.confirm);
        self.dirty = true;
        // A message with no time to live may still be consumed within the millisecond.
        let expiry = self
            .settings
            .expiry(&publish.message, desk.now)
            .map(|at| at.max(desk.now + Span::ms(1)));
        self.ready_bytes += publish.message.size();
        Rc::make_mut(&mut self.messages).push_back(Entry {
            message: publish.message,
            deliveries: 0,
            expiry,
            synced: false,
        });
        self.checkout(desk);
    }

    fn is_over_limit(&self) -> bool {
        self.settings.over_limit(self.ready() as u64, self.ready_bytes)
    }

    /// Full publishers are let in again below four fifths of the limits.
    fn is_below_soft_limit(&self) -> bool {
        let below = |most: Option<u64>, now: u64| most.is_none_or(|most| now <= most * 4 / 5);
        (self.settings.max_length.is_some() || self.settings.max_bytes.is_some())
            && below(self.settings.max_length, self.ready() as u64)
            && below(self.settings.max_bytes, self.ready_bytes)
    }

    fn take_next(&mut self) -> Option<Entry> {
        let entry = match self.returns.pop_front() {
            Some(entry) => entry,
            None if self.messages.is_empty() => return None,
            None => Rc::make_mut(&mut self.messages).pop_front()?,
        };
        self.ready_bytes -= entry.message.size();
        Some(entry)
    }

    fn kill_next(&mut self, reason: Reason, desk: &mut Desk<'_>) {
        if let Some(entry) = self.take_next() {
            self.dirty = true;
            desk.events.push(Event::Dead {
                message: entry.message,
                reason,
            });
        }
    }

    /// What has expired at the head goes.
    fn drop_expired(&mut self, desk: &mut Desk<'_>) {
        while self.head_expiry().is_some_and(|at| at <= desk.now) {
            self.kill_next(Reason::Expired, desk);
        }
    }

    /// Serves whoever has room, then looks at the limits.
    pub fn checkout(&mut self, desk: &mut Desk<'_>) {
        let was_below = self.is_below_soft_limit();
        self.serve(desk);
        self.evaluate_limits(was_below, desk);
    }

    fn serve(&mut self, desk: &mut Desk<'_>) {
        loop {
            self.drop_expired(desk);
            if self.ready() == 0 {
                return;
            }
            let Some(key) = self.next_to_serve() else { return };
            let Some(entry) = self.take_next() else { return };
            let holder = Holder::Consumer(key.clone());
            let Some(held) = self.holders.get_mut(&holder) else {
                return;
            };
            held.credit -= 1;
            let (place, ack_required) = (held.next, held.ack_required);
            held.next += 1;
            let handed = Handed {
                place,
                message: entry.message.clone(),
                redelivered: entry.deliveries > 0,
                delivery_count: (entry.deliveries > 0).then_some(entry.deliveries),
            };
            held.out.insert(place, entry);
            self.enter_service(&key);
            desk.events.push(Event::Deliver {
                to: key.clone(),
                ack_required,
                handed,
            });
            if !ack_required {
                self.settle_quietly(&holder, &[place]);
            }
        }
    }

    fn next_to_serve(&mut self) -> Option<ConsumerKey> {
        loop {
            let first = self.service.values_mut().next()?;
            let key = first.pop_front();
            if first.is_empty() {
                self.service.pop_first();
            }
            let key = key?;
            let held = self.holders.get(&Holder::Consumer(key.clone()));
            if held.is_some_and(|held| held.credit > 0 && !held.cancelled) {
                return Some(key);
            }
        }
    }

    /// A consumer with room goes to the end, unless it stands there already.
    fn enter_service(&mut self, key: &ConsumerKey) {
        let Some(held) = self.holders.get(&Holder::Consumer(key.clone())) else {
            return;
        };
        if held.credit == 0 || held.cancelled {
            return;
        }
        let queue = self.service.entry(Reverse(held.priority)).or_default();
        if !queue.contains(key) {
            queue.push_back(key.clone());
        }
    }

    fn evaluate_limits(&mut self, was_below: bool, desk: &mut Desk<'_>) {
        match self.settings.overflow {
            Overflow::RejectPublish => {
                if self.is_over_limit() {
                    self.publishers
                        .values_mut()
                        .for_each(|publisher| publisher.news = Some(true));
                } else if !was_below && self.is_below_soft_limit() {
                    self.publishers
                        .values_mut()
                        .for_each(|publisher| publisher.news = Some(false));
                }
            }
            // `reject-publish-dlx` is accepted and acts like this.
            Overflow::DropHead | Overflow::RejectPublishDlx => {
                // Of several that one command pushes out, the last is dead-lettered first (`rabbit_fifo:drop_head/2`).
                let from = desk.events.len();
                while self.is_over_limit() && self.ready() > 0 {
                    self.kill_next(Reason::MaxLen, desk);
                }
                desk.events[from..].reverse();
            }
        }
    }

    /// A consumer starts. Of a single-active-consumer queue the first is active, the others wait.
    pub fn consume(&mut self, consumer: Consumer, prefetch: u32, desk: &mut Desk<'_>) {
        let held = Held {
            out: OrderedMap::new(),
            next: 0,
            credit: if prefetch == 0 { UNLIMITED } else { prefetch },
            priority: consumer.priority,
            ack_required: consumer.ack_required,
            once: false,
            cancelled: false,
        };
        self.dirty = true;
        if self.settings.single_active {
            self.waiting.push((consumer.key, held));
            self.activate_next();
        } else {
            self.join(consumer.key, held);
        }
        self.checkout(desk);
    }

    /// It may be an old one, cancelled, that still has messages: those stay its own.
    fn join(&mut self, key: ConsumerKey, held: Held) {
        let holder = Holder::Consumer(key.clone());
        let held = match self.holders.remove(&holder) {
            Some(old) => Held {
                credit: held.credit.saturating_sub(old.out.len() as u32),
                out: old.out,
                next: old.next,
                ..held
            },
            None => held,
        };
        self.holders.insert(holder, held);
        self.enter_service(&key);
    }

    fn activate_next(&mut self) {
        let active = |(holder, held): (&Holder, &Held)| matches!(holder, Holder::Consumer(_)) && !held.cancelled;
        if self.settings.single_active && !self.waiting.is_empty() && !self.holders.iter().any(active) {
            let (key, held) = self.waiting.remove(0);
            self.join(key, held);
        }
    }

    /// A consumer goes; what it has stays with its channel.
    pub fn cancel(&mut self, key: &ConsumerKey, desk: &mut Desk<'_>) {
        self.dirty = true;
        self.last_used = desk.now;
        let holder = Holder::Consumer(key.clone());
        if let Some(held) = self.holders.get_mut(&holder) {
            held.once = true;
            held.cancelled = true;
            held.credit = 0;
            if held.out.is_empty() {
                self.holders.remove(&holder);
            }
            self.activate_next();
        } else {
            self.waiting.retain(|(waiting, _)| waiting != key);
        }
        self.checkout(desk);
    }

    /// Channels go, all those of a connection at once: what they had is returned, in order.
    pub fn channels_down(&mut self, channels: &[ChannelId], desk: &mut Desk<'_>) {
        self.publishers.retain(|channel, _| !channels.contains(channel));
        self.waiting.retain(|(key, _)| !channels.contains(&key.channel));
        let its = |holder: &&Holder| channels.contains(&holder.channel());
        let mut gone: Vec<Holder> = self.holders.keys().filter(its).cloned().collect();
        if gone.is_empty() {
            return;
        }
        gone.sort_small_by_key(|holder| (holder.channel(), holder.rank()));
        self.dirty = true;
        self.last_used = desk.now;
        for holder in gone {
            if let Some(held) = self.holders.remove(&holder) {
                for entry in held.out.into_values() {
                    self.give_back(entry, desk);
                }
            }
            self.activate_next();
        }
        self.checkout(desk);
    }

    /// One message comes back: to the returns, unless it has been delivered too often.
    fn give_back(&mut self, mut entry: Entry, desk: &mut Desk<'_>) {
        entry.deliveries += 1;
        if self
            .settings
            .delivery_limit
            .is_some_and(|most| u64::from(entry.deliveries) > most)
        {
            desk.events.push(Event::Dead {
                message: entry.message,
                reason: Reason::DeliveryLimit,
            });
            return;
        }
        self.ready_bytes += entry.message.size();
        self.returns.push_back(entry);
    }

    /// `basic.get`: the head, and how many are left. Not of a single-active-consumer queue.
    pub fn get(&mut self, channel: ChannelId, tag: u64, no_ack: bool, desk: &mut Desk<'_>) -> Option<(Handed, usize)> {
        self.last_used = desk.now;
        let was_below = self.is_below_soft_limit();
        self.drop_expired(desk);
        let entry = self.take_next()?;
        self.dirty = true;
        let handed = Handed {
            place: 0,
            message: entry.message.clone(),
            redelivered: entry.deliveries > 0,
            delivery_count: Some(entry.deliveries),
        };
        if !no_ack {
            let held = Held {
                out: OrderedMap::from([(0, entry)]),
                next: 1,
                credit: 0,
                priority: 0,
                ack_required: true,
                once: true,
                cancelled: false,
            };
            self.holders.insert(Holder::Get(channel, tag), held);
        }
        if no_ack {
            // It is settled at once, and that drops what has expired behind it.
            self.serve(desk);
        }
        let left = self.ready();
        self.evaluate_limits(was_below, desk);
        Some((handed, left))
    }

    /// Takes messages from a holder and gives it room. What it had of them, in order.
    fn take_back(&mut self, holder: &Holder, places: &[u64]) -> Vec<Entry> {
        let Some(held) = self.holders.get_mut(holder) else {
            return Vec::new();
        };
        let taken: Vec<Entry> = places.iter().filter_map(|place| held.out.remove(place)).collect();
        if held.once {
            if held.out.is_empty() {
                self.holders.remove(holder);
            }
        } else {
            held.credit += taken.len() as u32;
            if let Holder::Consumer(key) = holder {
                self.enter_service(&key.clone());
            }
        }
        taken
    }

    fn settle_quietly(&mut self, holder: &Holder, places: &[u64]) {
        self.dirty = true;
        self.take_back(holder, places);
    }

    /// `basic.ack`.
    pub fn settle(&mut self, holder: &Holder, places: &[u64], desk: &mut Desk<'_>) {
        let before = self.holders.len();
        self.settle_quietly(holder, places);
        if self.holders.len() < before {
            self.last_used = desk.now;
        }
        self.checkout(desk);
    }

    /// `basic.nack` and `basic.reject` without requeue.
    pub fn discard(&mut self, holder: &Holder, places: &[u64], desk: &mut Desk<'_>) {
        self.dirty = true;
        for entry in self.take_back(holder, places) {
            desk.events.push(Event::Dead {
                message: entry.message,
                reason: Reason::Rejected,
            });
        }
        self.checkout(desk);
    }

    /// `basic.nack` and `basic.reject` with requeue. With a delivery limit the messages are returned; without one each
    /// is written anew, at the end of the log.
    pub fn requeue(&mut self, holder: &Holder, places: &[u64], desk: &mut Desk<'_>) {
        self.dirty = true;
        if self.settings.delivery_limit.is_some() {
            for entry in self.take_back(holder, places) {
                self.give_back(entry, desk);
            }
            self.checkout(desk);
            return;
        }
        for place in places {
            for mut entry in self.take_back(holder, &[*place]) {
                entry.deliveries += 1;
                self.ready_bytes += entry.message.size();
                Rc::make_mut(&mut self.messages).push_back(entry);
            }
            self.checkout(desk);
        }
    }

    /// Removes what is ready. How many.
    pub fn purge(&mut self, desk: &mut Desk<'_>) -> usize {
        let count = self.ready();
        let was_below = self.is_below_soft_limit();
        self.messages = Rc::default();
        self.returns.clear();
        self.ready_bytes = 0;
        self.dirty = true;
        self.evaluate_limits(was_below, desk);
        count
    }

    /// Whether the log has something to flush.
    pub fn wants_flush(&self) -> bool {
        self.dirty
    }

    /// The log is flushed.
    pub fn flush(&mut self, desk: &mut Desk<'_>) {
        self.dirty = false;
        for publisher in self.publishers.values_mut() {
            publisher.told_full = publisher.news.take().unwrap_or(publisher.told_full);
        }
        desk.events
            .extend(std::mem::take(&mut self.unsynced).into_iter().map(Event::Confirmed));
        if self.messages.iter().any(|entry| !entry.synced) {
            for entry in Rc::make_mut(&mut self.messages).iter_mut() {
                entry.synced = true;
            }
        }
        let out = self.holders.values_mut().flat_map(|held| held.out.values_mut());
        for entry in self.returns.iter_mut().chain(out) {
            entry.synced = true;
        }
    }

    /// The server ends and starts: all channels are gone. A crash loses what was not flushed.
    pub fn restart(&mut self, crash: bool, now: Time, desk: &mut Desk<'_>) {
        if !crash {
            self.flush(desk);
        }
        self.waiting.clear();
        self.service.clear();
        self.publishers.clear();
        self.unsynced.clear();
        let mut gone: Vec<(Holder, Held)> = std::mem::take(&mut self.holders).into_iter().collect();
        gone.sort_small_by_key(|(holder, _)| (holder.channel(), holder.rank()));
        for entry in gone.into_iter().flat_map(|(_, held)| held.out.into_values()) {
            self.give_back(entry, desk);
        }
        if crash {
            self.returns.retain(|entry| entry.synced);
            Rc::make_mut(&mut self.messages).retain(|entry| entry.synced);
            self.ready_bytes = self.ready_messages().map(|message| message.size()).sum();
        }
        self.last_used = now;
    }
}
