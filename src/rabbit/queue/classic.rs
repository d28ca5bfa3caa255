//! A classic queue (`rabbit_amqqueue_process`): messages by place, highest priority first.

use super::consumers::{Consumer, Consumers, Start};
use super::limiter::QueueSide;
use super::line::Line;
use super::store::{Depth, Store};
use super::{ChannelId, ConsumerKey, Desk, Event, Handed, Overflow, Publish, QueueId, Settings, Standing};
use crate::ordered::SortSmall;
use crate::rabbit::dead_letter::Reason;
use crate::rabbit::message::Message;
use crate::sim::{Span, Time};
use std::rc::Rc;

/// Where a message stands: its rank (255 less its priority), then its arrival. A requeued message returns there.
type Place = (u8, u64);

#[derive(Clone, Debug, Hash)]
struct Entry {
    message: Rc<Message>,
    /// It was handed out before.
    delivered: bool,
    expiry: Option<Time>,
}

/// The content of a classic queue.
#[derive(Clone, Debug)]
pub struct Classic {
    id: QueueId,
    durable: bool,
    auto_delete: bool,
    settings: Rc<Settings>,
    ready: Rc<Line<Place, Entry>>,
    unacked: Rc<Line<u64, (u8, Entry)>>,
    ready_bytes: u64,
    next: u64,
    pub consumers: Consumers,
    had_consumers: bool,
    /// When its head is looked at for expiry. A message that becomes the head by its priority does not change it.
    pub ttl_timer: Option<Time>,
    /// When it will have been unused for too long.
    pub expires_at: Option<Time>,
    pub store: Store,
}

/// Why a consumer was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InExclusiveUse;

impl Classic {
    /// An empty queue.
    pub fn new(id: QueueId, durable: bool, auto_delete: bool, settings: Rc<Settings>, now: Time) -> Classic {
        let mut classic = Classic {
            id,
            durable,
            auto_delete,
            settings: settings.clone(),
            ready: Rc::default(),
            unacked: Rc::default(),
            ready_bytes: 0,
            next: 0,
            consumers: Consumers::default(),
            had_consumers: false,
            ttl_timer: None,
            expires_at: None,
            store: Store::default(),
        };
        classic.touched(&settings, now);
        classic
    }

    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    pub fn unacked(&self) -> usize {
        self.unacked.len()
    }

    pub fn ready_messages(&self) -> impl Iterator<Item = &Rc<Message>> {
        self.ready.iter().map(|(_, entry)| &entry.message)
    }

    pub fn unacked_messages(&self) -> Vec<&Rc<Message>> {
        let mut by_place: Vec<(Place, &Rc<Message>)> = self
            .unacked
            .iter()
            .map(|(seq, (rank, entry))| ((*rank, *seq), &entry.message))
            .collect();
        by_place.sort_small_by_key(|(place, _)| *place);
        by_place.into_iter().map(|(_, message)| message).collect()
    }

    pub fn standings(&self, settings: &Settings) -> Vec<(ConsumerKey, Standing)> {
        let holder = self.consumers.holder.as_ref().map(|holder| &holder.key);
        self.consumers
            .iter()
            .map(|consumer| {
                let standing = match settings.single_active {
                    false => Standing::Up,
                    true if holder == Some(&consumer.key) => Standing::SingleActive,
                    true => Standing::Waiting,
                };
                (consumer.key.clone(), standing)
            })
            .collect()
    }

    pub fn head_expiry(&self) -> Option<Time> {
        self.ready.first().and_then(|entry| entry.expiry)
    }

    pub fn touched(&mut self, settings: &Settings, now: Time) {
        if let Some(ms) = settings.expires_ms
            && self.consumers.count() == 0
        {
            self.expires_at = Some(now + Span::ms(ms));
        }
    }

    fn rank(&self, message: &Message) -> u8 {
        let most = self.settings.max_priority.unwrap_or(0);
        255 - message.properties.priority.unwrap_or(0).min(most)
    }

    fn stores(&self, message: &Message) -> bool {
        self.durable && message.is_persistent()
    }

    /// A message comes in.
    pub fn publish(&mut self, publish: Publish, desk: &mut Desk<'_>) {
        let Publish { message, confirm, .. } = publish;
        let over = self
            .settings
            .over_limit(self.ready.len() as u64 + 1, self.ready_bytes + message.size());
        if over && self.settings.overflow != Overflow::DropHead {
            if self.settings.overflow == Overflow::RejectPublishDlx {
                desk.events.push(Event::Dead {
                    message: message.clone(),
                    reason: Reason::MaxLen,
                });
            }
            desk.events.push(Event::Refused { message, confirm });
            return;
        }
        let stores = self.stores(&message);
        if !stores {
            desk.events.extend(confirm.map(Event::Confirmed));
        }
        let confirm = confirm.filter(|_| stores);
        let expiry = self.settings.expiry(&message, desk.now);
        let place = (self.rank(&message), self.next);
        if self.ready.is_empty()
            && let Some(consumer) = self.consumers.next(self.id, self.settings.single_active, desk.limits)
        {
            self.hand_over(consumer, place, message, expiry, confirm, desk);
            return;
        }
        if self.settings.ttl_ms == Some(0) && self.settings.dead_letter_exchange.is_none() {
            // Nothing is to become of it, wherever it would stand.
            desk.events.extend(confirm.map(Event::Confirmed));
            let reason = Reason::Expired;
            desk.events.push(Event::Dead { message, reason });
            return;
        }
        self.next += 1;
        if stores {
            self.store.add(place.1, place.0, message.clone(), expiry, confirm);
        }
        self.put(
            place,
            Entry {
                message,
                delivered: false,
                expiry,
            },
        );
        let dropped = self.drop_head(desk);
        // The head is looked at only where the new message may have become it.
        let alone = self.ready.len() == 1;
        if (dropped || alone) && !(dropped && alone && expiry.is_none()) {
            self.drop_expired(desk);
        }
    }

    /// A message goes to a consumer without having waited.
    fn hand_over(
        &mut self,
        consumer: Consumer,
        (rank, seq): Place,
        message: Rc<Message>,
        expiry: Option<Time>,
        confirm: Option<super::Confirm>,
        desk: &mut Desk<'_>,
    ) {
        if consumer.ack_required {
            self.next += 1;
            if self.stores(&message) {
                self.store.add(seq, rank, message.clone(), expiry, confirm);
                self.store.delivered(seq);
            }
            let entry = Entry {
                message: message.clone(),
                delivered: true,
                expiry,
            };
            Rc::make_mut(&mut self.unacked).insert(seq, (rank, entry));
            self.consumers.delivered(&consumer.key, seq);
        } else {
            // Consumed at once: nothing is left to be stored.
            desk.events.extend(confirm.map(Event::Confirmed));
        }
        desk.events.push(Event::Deliver {
            to: consumer.key,
            ack_required: consumer.ack_required,
            handed: Handed {
                place: seq,
                message,
                redelivered: false,
                delivery_count: None,
            },
        });
    }

    fn put(&mut self, place: Place, entry: Entry) {
        self.ready_bytes += entry.message.size();
        Rc::make_mut(&mut self.ready).insert(place, entry);
    }

    fn take_head(&mut self) -> Option<(Place, Entry)> {
        let (place, entry) = Rc::make_mut(&mut self.ready).pop_first()?;
        self.ready_bytes -= entry.message.size();
        Some((place, entry))
    }

    /// The message has left for good.
    fn forget(&mut self, seq: u64, desk: &mut Desk<'_>) {
        desk.events.extend(self.store.remove(seq).map(Event::Confirmed));
    }

    fn kill_head(&mut self, reason: Reason, desk: &mut Desk<'_>) {
        if let Some(((_, seq), entry)) = self.take_head() {
            self.forget(seq, desk);
            desk.events.push(Event::Dead {
                message: entry.message,
                reason,
            });
        }
    }

    /// Whether anything was over the limit.
    fn drop_head(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.settings.overflow != Overflow::DropHead {
            return false;
        }
        let before = self.ready.len();
        while self.settings.over_limit(self.ready.len() as u64, self.ready_bytes) && !self.ready.is_empty() {
            self.kill_head(Reason::MaxLen, desk);
        }
        self.ready.len() < before
    }

    /// Only the head expires; what stands behind an unexpired one stays.
    pub fn drop_expired(&mut self, desk: &mut Desk<'_>) {
        while self.head_expiry().is_some_and(|at| at <= desk.now) {
            self.kill_head(Reason::Expired, desk);
        }
        // A timer that is due at most a millisecond too late stays.
        if let Some(at) = self.head_expiry()
            && self.ttl_timer.is_none_or(|timer| at + Span::ms(1) < timer)
        {
            self.ttl_timer = Some(at);
        }
    }

    /// The head is looked at.
    pub fn ttl_timer_fired(&mut self, desk: &mut Desk<'_>) {
        self.ttl_timer = self.ttl_timer.filter(|at| *at > desk.now);
        self.drop_expired(desk);
    }

    /// Takes the head, handed out to somebody who will ack it or not; what has expired behind it goes then.
    fn fetch(&mut self, ack_required: bool, desk: &mut Desk<'_>) -> Option<Handed> {
        let ((rank, seq), mut entry) = self.take_head()?;
        let handed = Handed {
            place: seq,
            message: entry.message.clone(),
            redelivered: entry.delivered,
            delivery_count: None,
        };
        if ack_required {
            entry.delivered = true;
            self.store.delivered(seq);
            Rc::make_mut(&mut self.unacked).insert(seq, (rank, entry));
        } else {
            self.forget(seq, desk);
        }
        self.drop_expired(desk);
        Some(handed)
    }

    /// Serves consumers as long as there is something and somebody with room.
    pub fn serve(&mut self, desk: &mut Desk<'_>) {
        while !self.ready.is_empty() {
            let Some(consumer) = self.consumers.next(self.id, self.settings.single_active, desk.limits) else {
                return;
            };
            let Some(handed) = self.fetch(consumer.ack_required, desk) else {
                return;
            };
            if consumer.ack_required {
                self.consumers.delivered(&consumer.key, handed.place);
            }
            desk.events.push(Event::Deliver {
                to: consumer.key,
                ack_required: consumer.ack_required,
                handed,
            });
        }
    }

    /// `basic.get`: the head, and how many are left.
    pub fn get(&mut self, channel: ChannelId, no_ack: bool, desk: &mut Desk<'_>) -> Option<(Handed, usize)> {
        let settings = self.settings.clone();
        self.touched(&settings, desk.now);
        let handed = self.fetch(!no_ack, desk)?;
        if !no_ack {
            self.consumers.record_get(channel, handed.place);
        }
        Some((handed, self.ready.len()))
    }

    /// A consumer starts.
    ///
    /// # Errors
    /// The queue is in exclusive use, or cannot be.
    pub fn consume(&mut self, start: Start, exclusive: bool) -> Result<(), InExclusiveUse> {
        let single = self.settings.single_active;
        let taken = match single {
            true => exclusive,
            false => self.consumers.holder.is_some() || (exclusive && self.consumers.count() > 0),
        };
        if taken {
            return Err(InExclusiveUse);
        }
        if exclusive || (single && self.consumers.holder.is_none()) {
            self.consumers.holder = Some(start.consumer.clone());
        }
        self.consumers.add(start);
        self.had_consumers = true;
        Ok(())
    }

    /// A consumer goes; what it has not acked stays with its channel. Whether the queue goes with its last consumer.
    pub fn cancel(&mut self, key: &ConsumerKey, desk: &mut Desk<'_>) -> bool {
        if !self.consumers.remove(key) {
            return false;
        }
        if self.consumers.holder.as_ref().is_some_and(|holder| holder.key == *key) {
            self.next_holder();
        }
        if self.left(desk.now) {
            return true;
        }
        // 3.10 forgets to serve the backlog to the next active consumer (issue 5460); this is what it means to do.
        self.serve(desk);
        false
    }

    /// Channels go, all those of a connection at once: their consumers, and then their messages return. Whether the
    /// queue goes with its last consumer.
    pub fn channels_down(&mut self, channels: &[ChannelId], desk: &mut Desk<'_>) -> bool {
        let mut places = Vec::new();
        let mut known = false;
        for channel in channels {
            if let Some(its) = self.consumers.remove_channel(*channel) {
                known = true;
                places.extend(its);
            }
        }
        if !known {
            return false;
        }
        let gone = |holder: &Consumer| channels.contains(&holder.key.channel);
        if self.consumers.holder.as_ref().is_some_and(gone) {
            self.next_holder();
        }
        if self.left(desk.now) {
            return true;
        }
        self.requeue_places(&places, desk);
        false
    }

    fn next_holder(&mut self) {
        self.consumers.holder = match self.settings.single_active {
            true => self.consumers.first().cloned(),
            false => None,
        };
    }

    /// Somebody left; whether the queue lived by its consumers and there are none now.
    fn left(&mut self, now: Time) -> bool {
        let settings = self.settings.clone();
        self.touched(&settings, now);
        self.auto_delete && self.had_consumers && self.consumers.count() == 0
    }

    /// `basic.ack` of one channel.
    pub fn ack(&mut self, channel: ChannelId, places: &[u64], desk: &mut Desk<'_>) {
        let Some(unblocked) = self.consumers.settled(channel, places) else {
            return;
        };
        for place in places {
            if Rc::make_mut(&mut self.unacked).remove(*place).is_some() {
                self.forget(*place, desk);
            }
        }
        if unblocked {
            self.serve(desk);
        }
    }

    /// `basic.nack` and `basic.reject` without requeue.
    pub fn discard(&mut self, channel: ChannelId, places: &[u64], desk: &mut Desk<'_>) {
        let Some(unblocked) = self.consumers.settled(channel, places) else {
            return;
        };
        for place in places {
            if let Some((_, entry)) = Rc::make_mut(&mut self.unacked).remove(*place) {
                self.forget(*place, desk);
                desk.events.push(Event::Dead {
                    message: entry.message,
                    reason: Reason::Rejected,
                });
            }
        }
        if unblocked {
            self.serve(desk);
        }
    }

    /// `basic.nack` and `basic.reject` with requeue.
    pub fn requeue(&mut self, channel: ChannelId, places: &[u64], desk: &mut Desk<'_>) {
        if self.consumers.settled(channel, places).is_some() {
            self.requeue_places(places, desk);
        }
    }

    /// Messages return to their places; what is too much or too old goes before anybody is served.
    fn requeue_places(&mut self, places: &[u64], desk: &mut Desk<'_>) {
        for seq in places {
            if let Some((rank, entry)) = Rc::make_mut(&mut self.unacked).remove(*seq) {
                self.put((rank, *seq), entry);
            }
        }
        self.drop_head(desk);
        self.drop_expired(desk);
        self.serve(desk);
    }

    /// The channel's own limit changed.
    pub fn change_limit(&mut self, channel: ChannelId, change: impl FnOnce(&mut QueueSide), desk: &mut Desk<'_>) {
        if self.consumers.change_limit(channel, change) {
            self.serve(desk);
        }
    }

    /// Removes what is ready. How many.
    pub fn purge(&mut self, desk: &mut Desk<'_>) -> usize {
        let count = self.ready.len();
        while let Some(((_, seq), _)) = self.take_head() {
            self.forget(seq, desk);
        }
        count
    }

    /// Writes what waits for the disk.
    pub fn flush(&mut self, desk: &mut Desk<'_>) {
        let depth = match self.store.wants_flush() {
            None => return,
            Some(true) => Depth::Synced,
            Some(false) => Depth::Cached,
        };
        desk.events
            .extend(self.store.flush(depth).into_iter().map(Event::Confirmed));
    }

    /// The server ends: an orderly stop writes everything (`None`), a crash leaves what has come to that depth. What is
    /// left is ready again; after a crash nobody knows what was delivered, so all of it may have been.
    pub fn restart(&mut self, crash: Option<Depth>) {
        if crash.is_none() {
            self.store.flush(Depth::Synced);
        }
        let mut ready = Line::default();
        for (seq, stored) in self.store.recover(crash.unwrap_or(Depth::Synced)).iter() {
            let entry = Entry {
                message: stored.message.clone(),
                delivered: stored.delivered || crash.is_some(),
                expiry: stored.expiry,
            };
            ready.insert((stored.rank, *seq), entry);
        }
        self.ready_bytes = ready
            .iter()
            .map(|(_, entry): &(Place, Entry)| entry.message.size())
            .sum();
        self.ready = Rc::new(ready);
        self.unacked = Rc::default();
        self.consumers = Consumers::default();
        self.had_consumers = false;
        self.ttl_timer = None;
        self.expires_at = None;
    }
}
